//! Which input wins, what of it messages quote, and what is said of files that cannot be read.

use proptest::prelude::*;

use super::{Layer, VariableInput, given, questions};
use crate::config::constraint::Step;
use crate::config::syntax::Block;
use crate::config::{SourceFile, load};
use crate::diag::{Diagnostics, Severity, Sources};
use crate::schema::Schemas;
use crate::value::Value;

const DECLARED: &str = "[variable.hall]\n[variable.racks]\ntype = 'list(string)'\n\
                        [variable.ssh]\nsensitive = true\n[variable.set]\ndefault = 1\n";

fn declared(text: &str) -> (Vec<Block>, Sources) {
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &Schemas::default());
    (loaded.config.unwrap_or_else(|found| panic!("{found:?}")).root.variables, loaded.sources)
}

fn file(name: &str, text: &str) -> Layer {
    Layer::File(SourceFile { name: name.into(), bytes: text.into() })
}

fn env(name: &str, text: &str) -> Layer {
    Layer::Environment { name: name.into(), text: text.into() }
}

fn flag(name: &str, text: &str) -> Layer {
    Layer::Flag { name: name.into(), text: text.into() }
}

/// The inputs as text, and the mistakes as `severity code file:line text` with all labels.
fn seen(layers: Vec<Layer>) -> (Vec<String>, Vec<String>, Sources) {
    let (variables, mut sources) = declared(DECLARED);
    let (values, mistakes) = match given(layers, &variables, &mut sources) {
        Ok(given) => (given.values, given.mistakes),
        Err(broken) => (Default::default(), broken),
    };
    let input = |(name, input): (&String, &VariableInput)| match input {
        VariableInput::Text { text, origin, .. } => format!("{name} = {text} from {origin}"),
        VariableInput::Value { value, places } => {
            format!("{name} = {value} from {}", sources.display(places.span))
        }
    };
    let values = values.iter().map(input).collect();
    let said = said(&mistakes, &sources);
    (values, said, sources)
}

fn said(mistakes: &Diagnostics, sources: &Sources) -> Vec<String> {
    let said = |d: &crate::diag::Diagnostic| {
        let mut text = format!("{:?} {}: {}", d.severity, d.code, d.summary).to_lowercase();
        for label in &d.labels {
            text.push_str(&format!(" @{}", sources.display(label.span)));
            let source = sources.get(label.span.file).expect("a source");
            text.push_str(&format!(
                " `{}`",
                &source.text[label.span.start as usize..label.span.end as usize]
            ));
        }
        text
    };
    mistakes.iter().map(said).collect()
}

#[test]
fn the_last_layer_wins() {
    let all = vec![
        env("hall", "1"),
        env("ssh", "2"),
        file("a.toml", "hall = '3'\nracks = [\n 'a',\n]\n"),
        file("b.json", "{\"hall\": \"4\",\n\"set\": 5}"),
        flag("hall", "6"),
        file("c.toml", "set = 7\n"),
    ];
    let (values, said, _) = seen(all);
    assert_eq!(
        values,
        [
            "hall = 6 from --var",
            "racks = [\"a\"] from a.toml:2",
            "set = 7 from c.toml:1",
            "ssh = 2 from RACKFORM_VAR_ssh"
        ]
    );
    assert!(said.is_empty(), "{said:?}");
}

#[test]
fn an_undeclared_name_is_an_error_in_a_flag_a_warning_in_a_file_and_nothing_in_the_environment() {
    let all = vec![
        env("rack", "1"),
        flag("rack", "hunter2"),
        file("x.toml", "rackz = 'hunter2'\n[halls]\na = 1\n"),
    ];
    let (values, said, sources) = seen(all);
    assert!(values.is_empty());
    assert_eq!(
        said,
        [
            "error unknown_variable: --var sets `rack`, which is not declared",
            "warning unknown_variable: x.toml sets `halls`, which is not declared @x.toml:2 `halls`",
            "warning unknown_variable: x.toml sets `rackz`, which is not declared @x.toml:1 `rackz`",
        ]
    );
    assert!(!format!("{sources:?}").contains("hunter2"));
}

#[test]
fn values_of_files_are_literal_and_have_places() {
    let (variables, mut sources) = declared(DECLARED);
    let toml = "hall = '${env(\"X\")}'\n[[racks]]\nname = \"é\\t${\"\nu = [1, 2.5, true]\n";
    let json = "{\"hall\" : \"${\\u00e9\\\"\", \"racks\":[ {\"name\": null ,\"u\":[1,2.5 ,true]}]}";
    for (layer, hall, name, found) in [
        (file("x.toml", toml), "${env(\"X\")}", Value::str("é\t${"), "2.5"),
        (file("x.json", json), "${é\"", Value::Null, "2.5"),
        (file("/dev/fd/63", json), "${é\"", Value::Null, "2.5"),
    ] {
        let given =
            given(vec![layer], &variables, &mut sources).unwrap_or_else(|d| panic!("{d:?}"));
        let VariableInput::Value { value, .. } = &given.values["hall"] else { panic!("text") };
        assert_eq!(*value, Value::str(hall));
        let VariableInput::Value { value, places } = &given.values["racks"] else { panic!("text") };
        let Value::Map(first) = &value.as_list().expect("a list")[0] else { panic!("{value}") };
        assert_eq!(first["name"], name);
        let steps = [Step::Index(0), Step::Attribute("u".into()), Step::Index(1)];
        let at = places.find(&steps);
        let source = &sources.get(at.file).expect("a source").text;
        assert_eq!(&source[at.start as usize..at.end as usize], found);
        let at = places.name(&steps[..1], "name");
        assert!(source[at.start as usize..at.end as usize].contains("name"));
    }
}

#[test]
fn secrets_are_overwritten_and_nothing_else() {
    let toml = "hall = 'seen'\nssh = \"\"\"\nhunter2\n${hunter2}\"\"\"\n\
                racks = [{ name = 'seen', password = 'hunter2' }]\n";
    let json =
        "{\"hall\": \"seen\", \"ssh\": {\"hunter2\": [\"hunter2\", 2222222, \"é\\\"hunter2\"]}}";
    for (name, text) in [("a.toml", toml), ("a.json", json)] {
        let (_, _, sources) = seen(vec![file(name, text)]);
        let shown = sources.get(crate::diag::FileId(1)).expect("the file").text.clone();
        assert!(shown.contains("seen") && shown.contains("ssh"), "{shown}");
        assert!(!shown.contains("hunter2") && !shown.contains("2222"), "{shown}");
        assert_eq!(shown.len(), text.len());
    }
    let (_, _, sources) = seen(vec![env("ssh", "hunter2"), flag("ssh", "hunter2")]);
    assert!(!format!("{sources:?}").contains("hunter2"));
}

#[test]
fn files_that_cannot_be_read_say_where_and_show_no_secret() {
    let deep = |open: &str, close: &str, n: usize| {
        format!("{{\"racks\": {}{}}}", open.repeat(n), close.repeat(n))
    };
    let all = [
        ("a.toml", "hall = seen\nssh = hunter2\n".to_owned(), "toml_syntax", "`seen`"),
        ("a.toml", "ssh = \"hunter2\nracks = ['seen']\n".to_owned(), "toml_syntax", ""),
        ("a.toml", "hall = 'seen'\nhall = 'seen'\n".to_owned(), "duplicate_key", "`hall`"),
        ("a.toml", "hall = { a = 1, ssh = 'hunter2'\n".to_owned(), "toml_syntax", ""),
        ("a.toml", "[ssh]\na = 'hunter2'\nb = hunter2\n".to_owned(), "toml_syntax", ""),
        ("a.toml", format!("racks = {}\n", "[".repeat(100_000)), "toml_syntax", ""),
        ("a.json", "{\"hall\": \"seen\",\n\"ssh\": hunter2}".to_owned(), "json_syntax", "`*`"),
        ("a.json", "[1]".to_owned(), "json_syntax", ""),
        ("a.json", String::new(), "json_syntax", ""),
        ("a.json", "{\"é".to_owned(), "json_syntax", ""),
        ("a.json", deep("[", "]", 100_000), "too_deep", ""),
        ("a.json", deep("{\"x\":", "1}", 65), "", ""),
    ];
    for (name, text, code, label) in all {
        let (_, said, sources) = seen(vec![file(name, &text)]);
        let first = said.first().cloned().unwrap_or_default();
        assert!(first.contains(code) && first.contains(label), "{text:.40}: {first}");
        assert!(!said.is_empty(), "{text:.40}");
        assert!(!format!("{said:?}{sources:?}").contains("hunter2"), "{text:.40}");
    }
    let bytes = SourceFile { name: "a.toml".into(), bytes: b"ssh = 'hunter2\xff'".to_vec() };
    let (_, said, sources) = seen(vec![Layer::File(bytes)]);
    assert_eq!(said[0], "error invalid_utf8: a.toml is not valid utf-8 @a.toml:1 ``");
    assert!(!format!("{sources:?}").contains("hunter2"));
}

#[test]
fn json_that_says_a_thing_twice_or_too_much_is_told() {
    let (_, said, _) = seen(vec![file("a.json", "{\"hall\": 1,\n\"hall\": 2}")]);
    assert_eq!(
        said,
        [
            "error duplicate_key: the key `hall` stands twice @a.json:2 `\"hall\"` @a.json:1 `\"hall\"`"
        ]
    );
    let (_, said, _) = seen(vec![file("a.json", "{\"hall\": 18446744073709551615}")]);
    assert_eq!(said.len(), 1, "{said:?}");
    let (_, said, _) =
        seen(vec![file("a.toml", "hall = 18446744073709551615\nset = 1979-05-27\n")]);
    assert_eq!(said.len(), 2, "{said:?}");
}

#[test]
fn only_what_nothing_sets_is_asked_for() {
    let text = format!("{DECLARED}[variable.asked]\ndescription = 'Which one?'\n");
    let (variables, mut sources) = declared(&text);
    let given = given(vec![env("hall", "1")], &variables, &mut sources);
    let given = given.unwrap_or_else(|d| panic!("{d:?}"));
    let asked: Vec<_> = questions(&variables, &given.values)
        .into_iter()
        .map(|q| (q.name, q.description, q.secret))
        .collect();
    let name = |name: &str| name.to_owned();
    assert_eq!(
        asked,
        [
            (name("asked"), Some(name("Which one?")), false),
            (name("racks"), None, false),
            (name("ssh"), None, true),
        ]
    );
    assert!(given.mistakes.iter().all(|d| d.severity == Severity::Warning));
}

/// Pieces of files of values, and of what is none.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "hall",
        "ssh",
        "racks",
        "other",
        " = ",
        ":",
        "{",
        "}",
        "[",
        "]",
        ",",
        "\"",
        "'",
        "'''",
        "\n",
        "\\",
        "\\u00e9",
        "é",
        "1",
        "1e999",
        "null",
        "true",
        "1979-05-27",
        "[[racks]]\n",
        " ",
        "\"hall\":",
        "\"ssh\": \"x\"",
        "ssh = 'x'\n",
        "hall = 1\n",
    ]);
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_file_panics_and_each_is_masked_in_place(text in pieces(), json in any::<bool>()) {
        let text = if json { format!("{{{text}}}") } else { text };
        let name = if json { "x.json" } else { "x.toml" };
        let (_, _, sources) = seen(vec![file(name, &text)]);
        let shown = &sources.get(crate::diag::FileId(1)).expect("the file").text;
        prop_assert_eq!(shown.len(), text.len());
        prop_assert_eq!(shown.matches('\n').count(), text.matches('\n').count());
    }

    #[test]
    fn places_of_json_are_those_of_the_library(value in "[a-z\"\\\\ é]{0,6}", blank in "[ \n]{0,2}") {
        let quoted = serde_json::to_string(&value).expect("JSON");
        let text = format!("{{{blank}\"hall\"{blank}:{blank}[{quoted}{blank},{quoted}]{blank}}}");
        let (variables, mut sources) = declared(DECLARED);
        let given = given(vec![file("x.json", &text)], &variables, &mut sources);
        let given = given.unwrap_or_else(|found| panic!("{found:?}"));
        let VariableInput::Value { value: found, places } = &given.values["hall"] else {
            panic!("text")
        };
        prop_assert_eq!(found, &Value::list(vec![Value::str(&value), Value::str(&value)]));
        let at = places.find(&[Step::Index(1)]);
        prop_assert_eq!(&text[at.start as usize..at.end as usize], quoted.as_str());
    }
}
