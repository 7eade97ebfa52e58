//! What formatted texts look like, and what never changes.

use insta::assert_snapshot;

use super::format;

/// Formats, and asserts what holds for every text.
fn formatted(text: &str) -> String {
    let once = format(text);
    let value = |text: &str| text.parse::<toml::Table>().unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert_eq!(value(text), value(&once), "{text}\n---\n{once}");
    assert_eq!(format(&once), once, "twice is once");
    once
}

#[test]
fn tables_and_their_keys() {
    let text = "\n\n#:schema x.json\n[ zone . east ]\n\nname=\"a\"\n  description   =   \"b\"   \n\n\n\n\
        state = \"Enabled\"\n# about west\n   # and more\n[zone.west]\n[[ moved ]]\nfrom = \"a\"";
    assert_snapshot!(formatted(text), @r#"
    #:schema x.json
    [zone.east]
    name        = "a"
    description = "b"

    state = "Enabled"

    # about west
    # and more
    [zone.west]

    [[moved]]
    from = "a"
    "#);
}

#[test]
fn dotted_keys_keep_their_order_and_spelling() {
    let text = "x . a = 1\ny = 2\nx.b = 3\n\"k\" . 'l m' = { \"q\" . r = 1, s=2, \"q\".t=3 }\n";
    assert_snapshot!(formatted(text), @r#"
    x.a       = 1
    y         = 2
    x.b       = 3
    "k".'l m' = { "q".r = 1, s = 2, "q".t = 3 }
    "#);
}

#[test]
fn runs_end_at_comments_blank_lines_and_long_values() {
    let text = "a = 1\nbbb = 2\n# c\ncc = 3\nd = [\n1]\neeeeee = 4\nf = '''\nx  \n'''\ng=5";
    assert_snapshot!(formatted(text), @"
    a   = 1
    bbb = 2
    # c
    cc = 3
    d = [
      1,
    ]
    eeeeee = 4
    f = '''
    x  
    '''
    g = 5
    ");
}

#[test]
fn arrays_stand_on_one_line_if_they_fit() {
    let long = "\"cluster.east_a_with_a_long_name\"";
    let text = format!(
        "a = [ 1,2 ,\n3, ]\nb = [{long},{long},{long}]\nc = []\nd = [\n]\ne = [\n{{a=1}},{{a=2}}]\n\
         f = [[1,2],[3]]\ng = {{ h = [{long}, {long}, {long}] }}\ni = [[{long},{long}],[{long}]]\n"
    );
    assert_snapshot!(formatted(&text), @r#"
    a = [1, 2, 3]
    b = [
      "cluster.east_a_with_a_long_name",
      "cluster.east_a_with_a_long_name",
      "cluster.east_a_with_a_long_name",
    ]
    c = []
    d = []
    e = [
      { a = 1 },
      { a = 2 },
    ]
    f = [[1, 2], [3]]
    g = { h = ["cluster.east_a_with_a_long_name", "cluster.east_a_with_a_long_name", "cluster.east_a_with_a_long_name"] }
    i = [
      ["cluster.east_a_with_a_long_name", "cluster.east_a_with_a_long_name"],
      ["cluster.east_a_with_a_long_name"],
    ]
    "#);
}

/// An array that fits alone and not behind a long key is broken, and its neighbours close up.
#[test]
fn what_is_aligned_counts_for_the_width() {
    let ninety = "x".repeat(88);
    let text = format!("a = [\"{ninety}\"]\nbb = 1\nmuch_longer_key = 2\n");
    let expected = format!("a = [\n  \"{ninety}\",\n]\nbb              = 1\nmuch_longer_key = 2\n");
    assert_eq!(formatted(&text), expected);
    let exactly = format!("a = [\"{ninety}12\"]\nbb = 1\n");
    let kept = format!("a  = [\"{ninety}12\"]\n");
    assert_eq!(kept.len() - 1, 99);
    assert!(formatted(&exactly).starts_with(&kept));
}

#[test]
fn comments_keep_their_column_if_it_is_free() {
    let text = "[zone.east]         # one\nname=\"a\"   # two\ndescription = \"long text here\" # three\n\
        a = 1\nb = 2              # far\n\nc = 3# near\n\nd=1     # four\nee=2    # five\nf=3 # six\n";
    assert_snapshot!(formatted(text), @r#"
    [zone.east]                    # one
    name        = "a"              # two
    description = "long text here" # three
    a           = 1
    b           = 2    # far

    c = 3 # near

    d  = 1  # four
    ee = 2  # five
    f  = 3  # six
    "#);
}

#[test]
fn comments_inside_values_stay_where_they_belong() {
    let text = "mons = [ # opening\n# first\n{ a = 1 }, # one\n\n\n{ a = 2 } # two\n  , # comma\n\n # last\n ]  # closing\n\
        t = { # table\n a = 1, # one\n # own\n bb = [ # inner\n 1 ] } # end\ne = [\n # nothing\n]\n";
    assert_snapshot!(formatted(text), @"
    mons = [ # opening
      # first
      { a = 1 }, # one

      { a = 2 }, # two
      # comma

      # last
    ]        # closing
    t = {    # table
      a = 1, # one
      # own
      bb = [ # inner
        1,
      ],
    } # end
    e = [
      # nothing
    ]
    ");
}

#[test]
fn templates_stand_in_literal_strings() {
    let text = r#"
a = "${var.x}"
b = "${env(\"A\")}"
c = "it's ${var.x}"
d = "'${var.x}'"
e = "plain \"text\""
f = "two\nlines ${var.x}"
g = """
${var.x} \
"""
h = [ "${  var.x  }", { i = "%{ if a }b%{ endif }" } ]
"j ${var.x}" = 1
"#;
    assert_snapshot!(formatted(text), @r#"
    a = '${var.x}'
    b = '${env("A")}'
    c = '''it's ${var.x}'''
    d = "'${var.x}'"
    e = "plain \"text\""
    f = "two\nlines ${var.x}"
    g = """
    ${var.x} \
    """
    h            = ['${  var.x  }', { i = '%{ if a }b%{ endif }' }]
    "j ${var.x}" = 1
    "#);
}

#[test]
fn line_ends_are_those_of_the_first_line() {
    assert_eq!(
        formatted("a=1\r\nb='''x\ny\r\nz'''\nc=2"),
        "a = 1\r\nb = '''x\ny\r\nz'''\r\nc = 2\r\n"
    );
    assert_eq!(formatted("a=1\nb=2\r\n# c\r\n"), "a = 1\nb = 2\n# c\n");
    // What stands in a string is no line end.
    assert_eq!(formatted("a='''\r\n'''\nb=1"), "a = '''\r\n'''\nb = 1\n");
}

#[test]
fn nothing_and_a_byte_order_mark() {
    assert_eq!(formatted(""), "");
    assert_eq!(formatted("\n \n\t\n"), "");
    assert_eq!(format("\u{feff}"), "");
    assert_eq!(format("\u{feff}a = 1    # b\n"), "a = 1    # b\n");
    assert_eq!(formatted("# only a comment  "), "# only a comment\n");
}

#[test]
fn values_are_kept_as_they_are_spelt() {
    let text = "a = 1_000\nb = 0xFF\nc = 1979-05-27 07:32:00Z\nd = 1e6\ne = -0.0\nf = inf\ng = 07:32:00\n\
        h = 3.141_5\ni = \"\\u00e9\"\nj = 'x'\n";
    assert_eq!(formatted(text), text);
}

/// What is no TOML at all must not end in a panic either.
#[test]
fn broken_texts_do_no_harm() {
    for text in [
        "a = ",
        "[",
        "[[x]",
        "a = [1, ",
        "= 1",
        "a = { b = ",
        "a.b.",
        "\"",
        "]",
        "a = \"${env(\"X\")}\"",
    ] {
        format(text);
    }
    let deep = "[".repeat(100_000);
    format(&format!("a = {deep}"));
}
