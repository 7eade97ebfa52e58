//! Demands of an invented type whose attributes came one after another.

use super::*;
use crate::config::{Facts, SourceFile, expand, load};
use crate::schema::parse_texts;

const BOX: &str = r#"
version = 1
doc = "An invented box"
id = "server:/id"
[read]
call = "GET /boxes"
reply = "boxes"
[create]
call = "POST /boxes"
body = "params"
reply = "box"
[attr]
colour = { kind = "text", since = "5.2", doc = "Colour." }
kind   = { kind = "text", is = ["required"], since = "5.0", doc = "Kind." }
size   = { kind = "text", doc = "Size." }
lid    = { kind = "text", is = ["required"], since = "4.0", when = { size = ["big"] }, doc = "Lid." }
[attr.locks]
kind = "list(object)"
doc  = "Locks."
[attr.locks.attr]
key  = { kind = "text", doc = "Key." }
code = { kind = "text", since = "4.2", doc = "Code." }
"#;

/// What `judge` says about a box with this body on a server of this version.
fn judged(body: &str, version: Option<&str>) -> Vec<String> {
    let schemas = parse_texts(&[("inv", "box.toml", BOX)]);
    let schemas = schemas.unwrap_or_else(|(found, _)| panic!("{found:#?}"));
    let text = format!("[provider.inv]\n[box.b]\n{body}");
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas);
    let config = loaded.config.expect("it parses");
    let (desired, _) = expand(&config, &schemas, &Facts::default(), &loaded.sources)
        .unwrap_or_else(|found| panic!("offline nothing is said: {found:#?}"));
    let demands = demands(&desired, &schemas);
    let provider: Arc<str> = "inv".into();
    match judge(&demands, Server { provider: &provider, endpoint: "http://box", version }) {
        Ok(note) => note.into_iter().map(|note| format!("note: {}", note.text)).collect(),
        Err(found) => found.iter().map(|d| d.summary.clone()).collect(),
    }
}

#[test]
fn what_is_set_must_be_known_to_the_server() {
    let body = "kind = \"k\"\ncolour = \"red\"\nlocks = [{ key = \"a\" }, { code = \"1\" }]";
    assert_eq!(
        judged(body, Some("3.0.0")),
        [
            "`colour` needs server version 5.2 or later; http://box runs 3.0.0",
            "`kind` needs server version 5.0 or later; http://box runs 3.0.0",
            "`locks.code` needs server version 4.2 or later; http://box runs 3.0.0",
        ]
    );
    let colour = ["`colour` needs server version 5.2 or later; http://box runs 5.1.9"];
    assert_eq!(judged(body, Some("5.1.9")), colour);
    assert_eq!(judged(body, Some("5.2")), [""; 0]);
}

#[test]
fn required_since_is_required_from_then_on() {
    assert_eq!(judged("", Some("4.9")), [""; 0]);
    assert_eq!(judged("", Some("5.0.1")), ["`kind` is missing"]);
    assert_eq!(judged("size = \"big\"", Some("4.9")), ["`lid` is missing"]);
    assert_eq!(judged("size = \"small\"", Some("4.9")), [""; 0]);
}

#[test]
fn a_version_that_is_none_is_a_note() {
    let colour = "kind = \"k\"\ncolour = \"red\"";
    let note = "note: http://box says that its version is `unknown`: whether it has `colour` \
                cannot be told";
    assert_eq!(judged(colour, Some("unknown")), [note]);
    let note = "note: http://box does not say its version: whether it has `colour` cannot be told";
    assert_eq!(judged(colour, None), [note]);
}
