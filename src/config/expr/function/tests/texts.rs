//! Texts, formats and patterns.

use super::same;

#[test]
fn texts() {
    same(&[
        (r#"chomp("hello\n")"#, r#""hello""#),
        (r#"chomp("hello\r\n")"#, r#""hello""#),
        (r#"chomp("hello\n\n")"#, r#""hello""#),
        (r#"chomp("a\nb")"#, r#""a\nb""#),
        (r#"endswith("hello world", "world")"#, "true"),
        (r#"endswith("hello world", "hello")"#, "false"),
        (r#"startswith("hello world", "hello")"#, "true"),
        (r#"startswith("hello world", "world")"#, "false"),
        (r#"strcontains("hello world", "wor")"#, "true"),
        (r#"strcontains("hello world", "wod")"#, "false"),
        (r#"indent(2, "[\n  foo,\n  bar,\n]")"#, r#""[\n    foo,\n    bar,\n  ]""#),
        (r#"indent(9000000000, "one line")"#, r#""one line""#),
        (r#"join("-", ["foo", "bar", "baz"])"#, r#""foo-bar-baz""#),
        (r#"join(", ", ["foo"])"#, r#""foo""#),
        (r#"join(",", [])"#, r#""""#),
        (r#"join(",", ["a"], [], ["b", 1])"#, r#""a,b,1""#),
        (r#"lower("HELLO")"#, r#""hello""#),
        (r#"lower("АЛЛО!")"#, r#""алло!""#),
        (r#"upper("hello")"#, r#""HELLO""#),
        (r#"upper("алло!")"#, r#""АЛЛО!""#),
        (r#"title("hello world")"#, r#""Hello World""#),
        (r#"title("it's a rack-a")"#, r#""It'S A Rack-A""#),
        (r#"split(",", "foo,bar,baz")"#, r#"["foo", "bar", "baz"]"#),
        (r#"split(",", "foo")"#, r#"["foo"]"#),
        (r#"split(",", "")"#, r#"[""]"#),
        (r#"split("", "aä")"#, r#"["a", "ä"]"#),
        (r#"strrev("hello")"#, r#""olleh""#),
        (r#"strrev("a ☃")"#, r#""☃ a""#),
        (r#"basename("foo/bar/baz.txt")"#, r#""baz.txt""#),
        (r#"basename("")"#, r#"".""#),
        (r#"dirname("foo/bar/baz.txt")"#, r#""foo/bar""#),
        (r#"dirname("baz.txt")"#, r#"".""#),
        (r#"dirname("/baz.txt")"#, r#""/""#),
        (r#"upper(12)"#, r#""12""#),
    ]);
}

#[test]
fn parts_of_texts() {
    same(&[
        (r#"substr("hello world", 1, 4)"#, r#""ello""#),
        (r#"substr("🤔🤷", 0, 1)"#, r#""🤔""#),
        (r#"substr("hello world", -5, -1)"#, r#""world""#),
        (r#"substr("hello world", 6, 10)"#, r#""world""#),
        (r#"substr("hello", -2, 1)"#, r#""l""#),
        (r#"substr("hello", -99, 2)"#, r#""he""#),
        (r#"substr("hello", 99, 2)"#, r#""""#),
        (r#"substr("hello", 2, 0)"#, r#""""#),
        (r#"trim("?!hello?!", "!?")"#, r#""hello""#),
        (r#"trim("foobar", "far")"#, r#""oob""#),
        (r#"trim("   hello! world.!  ", "! ")"#, r#""hello! world.""#),
        (r#"trimprefix("helloworld", "hello")"#, r#""world""#),
        (r#"trimprefix("helloworld", "cat")"#, r#""helloworld""#),
        (r#"trimprefix("--test", "-")"#, r#""-test""#),
        (r#"trimsuffix("helloworld", "world")"#, r#""hello""#),
        (r#"trimspace("  hello\n\n")"#, r#""hello""#),
    ]);
}

#[test]
fn patterns() {
    same(&[
        (r#"regex("[a-z]+", "53453453.345345aaabbbccc23454")"#, r#""aaabbbccc""#),
        (r#"regex("(\\d\\d\\d\\d)-(\\d\\d)-(\\d\\d)", "2019-02-01")"#, r#"["2019", "02", "01"]"#),
        (
            r#"regex("^(?:(?P<scheme>[^:/?#]+):)?(?://(?P<authority>[^/?#]*))?", "https://example.com/docs/")"#,
            r#"{ authority = "example.com", scheme = "https" }"#,
        ),
        (r#"regex("(a)|(b)", "b")"#, r#"[null, "b"]"#),
        (r#"regexall("[a-z]+", "1234abcd5678efgh9")"#, r#"["abcd", "efgh"]"#),
        (r#"length(regexall("[a-z]+", "1234abcd5678efgh9"))"#, "2"),
        (r#"length(regexall("[a-z]+", "123456789")) > 0"#, "false"),
        (r#"regexall("(\\w)=(\\d)", "a=1,b=2")"#, r#"[["a", "1"], ["b", "2"]]"#),
        (r#"replace("1 + 2 + 3", "+", "-")"#, r#""1 - 2 - 3""#),
        (r#"replace("hello world", "/w.*d/", "everybody")"#, r#""hello everybody""#),
        (r#"replace("hello", "/(l+)/", "<$1>")"#, r#""he<ll>o""#),
        (r#"replace("a-b", "/(?P<x>[a-z])-/", "$${x}_")"#, r#""a_b""#),
        (r#"replace("aa", "/a/", "$1")"#, r#""""#),
        (r#"replace("a/b", "/", ".")"#, r#""a.b""#),
    ]);
}

#[test]
fn formats() {
    same(&[
        (r#"format("Hello, %s!", "Ander")"#, r#""Hello, Ander!""#),
        (r#"format("There are %d lights", 4)"#, r#""There are 4 lights""#),
        (r#"format("%02d", 7)"#, r#""07""#),
        (r#"format("%05d", -42)"#, r#""-0042""#),
        (r#"format("%d", "12")"#, r#""12""#),
        (r#"format("%+d|% d|%-4d|%4d", 5, 5, 5, 5)"#, r#""+5| 5|5   |   5""#),
        (r#"format("%x %X %o %b", 255, 255, 8, 5)"#, r#""ff FF 10 101""#),
        (r##"format("%#x %#o", 255, 8)"##, r#""0xff 010""#),
        (
            r#"format("%e %f %.2f %g", 1000, 1.5, 1.005, 0.25)"#,
            r#""1.000000e+03 1.500000 1.00 0.25""#,
        ),
        (r#"format("%8.3f|", 3.14159)"#, r#""   3.142|""#),
        (r#"format("%g %g %g", 100000, 1000000, 0.00001)"#, r#""100000 1e+06 1e-05""#),
        (r#"format("%.3g %.10g", 1234.5, 100000)"#, r#""1.23e+03 100000""#),
        (r#"format("%t %t", true, "false")"#, r#""true false""#),
        (r#"format("%q", "a\"b")"#, r#""\"a\\\"b\"""#),
        (r#"format("%v %v %v", "a", 1.5, true)"#, r#""a 1.5 true""#),
        (r#"format("%v", [1, "a"])"#, r#""[1,\"a\"]""#),
        (r##"format("%#v", "a")"##, r#""\"a\"""#),
        (r#"format("%v", null)"#, r#""null""#),
        (r#"format("%s", 1000000)"#, r#""1000000""#),
        (r#"format("%[2]s %[1]s", "a", "b")"#, r#""b a""#),
        (r#"format("%[2]s%s%[1]s", "a", "b", "c")"#, r#""bca""#),
        (r#"format("%*d", 5, 42)"#, r#""   42""#),
        (r#"format("%.*f", 1, 2.55)"#, r#""2.5""#),
        (r#"format("%4.1s|%.2q", "日本語", "hello")"#, r#""   日|\"he\"""#),
        (r#"format("%E %G", 1000, 1e-23)"#, r#""1.000000E+03 1E-23""#),
        (r#"format("100%%")"#, r#""100%""#),
        (r#"format("%5s|%-5s|%.2s", "ab", "ab", "abcd")"#, r#""   ab|ab   |ab""#),
        (r#"format("%3s", "ä")"#, r#""  ä""#),
        (r#"formatlist("Hello, %s!", ["A", "B"])"#, r#"["Hello, A!", "Hello, B!"]"#),
        (
            r#"formatlist("%s, %s!", "Salutations", ["A", "B"])"#,
            r#"["Salutations, A!", "Salutations, B!"]"#,
        ),
        (r#"formatlist("%s%s", ["a", "b"], [1, 2])"#, r#"["a1", "b2"]"#),
        (r#"formatlist("%s", [])"#, "[]"),
        (r#"formatlist("x")"#, r#"["x"]"#),
    ]);
}
