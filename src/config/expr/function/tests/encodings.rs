//! Encodings and digests.

use std::sync::Arc;

use super::{Value, eval, find, same};

#[test]
fn encodings() {
    same(&[
        (r#"base64encode("Hello World")"#, r#""SGVsbG8gV29ybGQ=""#),
        (r#"base64decode("SGVsbG8gV29ybGQ=")"#, r#""Hello World""#),
        (r#"base64decode("SGVsbG8g\nV29ybGQ=")"#, r#""Hello World""#),
        (r#"urlencode("Hello World!")"#, r#""Hello+World%21""#),
        (r#"urlencode("☃")"#, r#""%E2%98%83""#),
        (r#"urlencode("foo-_.~")"#, r#""foo-_.~""#),
        (
            r#"sha256("hello world")"#,
            r#""b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9""#,
        ),
        (
            r#"sha512("hello world")"#,
            r#""309ecc489c12d6eb4cc40f50c902f2b4d0ed77ee511a7c7a9bcd3ca86d4cd86f989dd35bc5ff499670da34255b45b0cfd830e81f605dcf7dc5542e93ae9cd76f""#,
        ),
    ]);
}

#[test]
fn json() {
    same(&[
        (r#"jsonencode({ hello = "world" })"#, r#""{\"hello\":\"world\"}""#),
        (
            r#"jsonencode([1, 1.5, true, null, "<&>"])"#,
            r#""[1,1.5,true,null,\"\\u003c\\u0026\\u003e\"]""#,
        ),
        ("jsonencode({ b = [], a = {} })", r#""{\"a\":{},\"b\":[]}""#),
        (r#"jsondecode("{\"hello\": \"world\"}")"#, r#"{ hello = "world" }"#),
        (r#"jsondecode("true")"#, "true"),
        (r#"jsondecode(" [1.0, 2e3, -1] ")"#, "[1, 2000, -1]"),
        (r#"jsondecode(jsonencode({ a = [1, { b = "\"" }] }))"#, r#"{ a = [1, { b = "\"" }] }"#),
    ]);
}

#[test]
fn yaml() {
    same(&[
        (r#"yamlencode({ a = "b", c = "d" })"#, r#""\"a\": \"b\"\n\"c\": \"d\"\n""#),
        (
            r#"yamlencode({ foo = [1, { a = "b", c = "d" }, 3], bar = "baz" })"#,
            r#""\"bar\": \"baz\"\n\"foo\":\n- 1\n- \"a\": \"b\"\n  \"c\": \"d\"\n- 3\n""#,
        ),
        (r#"yamlencode({ a = {}, b = [], c = null })"#, r#""\"a\": {}\n\"b\": []\n\"c\": null\n""#),
        (r#"yamldecode("hello: world")"#, r#"{ hello = "world" }"#),
        (r#"yamldecode("true")"#, "true"),
        (
            r#"yamldecode("{a: 1, b: [x, null, ~, 1.5]}")"#,
            r#"{ a = 1, b = ["x", null, null, 1.5] }"#,
        ),
        (r#"yamldecode("{a: &foo [1, 2, 3], b: *foo}")"#, "{ a = [1, 2, 3], b = [1, 2, 3] }"),
        (r#"yamldecode("a: |\n  x\n  y\n")"#, r#"{ a = "x\ny\n" }"#),
        (r#"yamldecode("1: one\ntrue: yes")"#, r#"{ "1" = "one", "true" = true }"#),
        (r#"yamldecode("a: '01'")"#, r#"{ a = "01" }"#),
        (r#"yamldecode("")"#, "null"),
    ]);
    for text in [
        "{ a = [1, [2, [3]], { b = { c = [] } }], d = [[{ e = [{ f = 1 }] }]] }",
        r##"["\u00e9\n\t\"\\", "- a", "yes", "1", "", " x ", "#", "a: b"]"##,
        r#"{ "a: b" = { "" = "x" }, "- 1" = [{ "x" = null, y = 1.5 }, true] }"#,
        r#""text""#,
        "[]",
    ] {
        same(&[(&format!("yamldecode(yamlencode({text}))"), text)]);
    }
}

#[test]
fn csv() {
    same(&[
        (
            r#"csvdecode("a,b,c\n1,2,3\n4,5,6")"#,
            r#"[{ a = "1", b = "2", c = "3" }, { a = "4", b = "5", c = "6" }]"#,
        ),
        (r#"csvdecode("a\n")"#, "[]"),
        (r#"csvdecode("\ufeffa,b\r\n\"x,\"\"1\"\"\",\r\n")"#, r#"[{ a = "x,\"1\"", b = "" }]"#),
        (r#"csvdecode("a,b\n\n1,2\n")"#, r#"[{ a = "1", b = "2" }]"#),
    ]);
}

#[test]
fn rows_of_a_csv_share_their_keys() {
    let mut text = "name,ip\n".to_owned();
    for number in 0..1_000 {
        text.push_str(&format!("kvm-{number},10.0.0.{}\n", number % 250));
    }
    let function = find("csvdecode", 1).expect("known");
    let rows = function.run(&[Value::str(&text)]).expect("rows");
    let Value::List(rows) = rows else { panic!("no list") };
    assert_eq!(rows.len(), 1_000);
    let key = |row: &Value| match row {
        Value::Map(items) => items.keys().next().cloned().expect("two"),
        other => panic!("{other}"),
    };
    assert!(Arc::ptr_eq(&key(&rows[0]), &key(&rows[999])));
}

/// Nine levels of nine aliases would be 387 million elements.
#[test]
fn aliases_do_not_multiply_without_end() {
    let mut text = "a: &a [x,x,x,x,x,x,x,x,x]\n".to_owned();
    for (one, next) in ('a'..'i').zip('b'..='i') {
        let aliases = vec![format!("*{one}"); 9].join(",");
        text.push_str(&format!("{next}: &{next} [{aliases}]\n"));
    }
    let function = find("yamldecode", 1).expect("known");
    assert!(function.run(&[Value::str(&text)]).is_err());
}

#[test]
fn deep_nesting_is_refused() {
    let deep = "[".repeat(100_000);
    for name in ["jsondecode", "yamldecode"] {
        let function = find(name, 1).expect("known");
        let result = function.run(&[Value::str(&deep)]);
        assert!(result.is_err(), "{name}");
        let block: String = (0..20_000).map(|_| "- ").collect();
        let result = function.run(&[Value::str(&block)]);
        assert!(result.is_err(), "{name}");
    }
    // Each anchor holds the one before: the document is flat, the value is not.
    let mut chain = "- &a0 []\n".to_owned();
    for level in 1..5_000 {
        chain.push_str(&format!("- &a{level} [*a{}]\n", level - 1));
    }
    let function = find("yamldecode", 1).expect("known");
    assert!(function.run(&[Value::str(&chain)]).is_err());
    assert!(eval(r#"jsondecode("[[[[1]]]]")"#).is_ok());
}
