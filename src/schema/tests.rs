//! Every rule of the language, each by a file that breaks it: which finding, and at which text.

use std::time::Duration;

use super::*;
use crate::value::Value;

/// A sound type; `{…}` marks where tests put more.
const PLAIN: &str = r#"
version = 1
doc = "A shelf"
id = "client:resourceUuid"
read = { call = "GET /shelves", reply = "inventories" }
create = { call = "POST /shelves", body = "params", send = ["colour"] }
delete = { call = "DELETE /shelves/{id}" }
update = { call = "PUT /shelves/{id}", body = "updateShelf", send = ["colour"] }
[attr]
colour = { kind = "text", values = ["red", "blue"] }
"#;

/// A type that owns links to shelves.
const OWNER: &str = r#"
version = 1
doc = "A box"
id = "client:resourceUuid"
read = { call = "GET /boxes", reply = "inventories" }
create = { call = "POST /boxes", body = "params" }
[link.shelves]
kind = "ref(shelf)"
wire = "shelfUuids"
create = { call = "POST /shelves/{to}/boxes/{id}" }
delete = { call = "DELETE /shelves/{to}/boxes/{id}" }
cascade = { books = "GET /books?q=box={id}&q=shelf={to}" }
"#;

/// Findings as `code «text at the primary place»`.
fn findings(files: &[File<'_>]) -> Vec<String> {
    let Err((found, sources)) = parse_texts(files) else { return Vec::new() };
    let show = |d: &crate::diag::Diagnostic| {
        let span = d.labels[0].span;
        let source = sources.get(span.file).expect("every finding has a known file");
        format!("{} «{}»", d.code, &source.text[span.start as usize..span.end as usize])
    };
    found.iter().map(show).collect()
}

/// Findings in a type `shelf` of this text.
fn shelf(text: &str) -> Vec<String> {
    findings(&[("p", "shelf.toml", text)])
}

/// Findings after a piece of the sound type is replaced.
fn changed(from: &str, to: &str) -> Vec<String> {
    assert!(PLAIN.contains(from), "{from}");
    shelf(&PLAIN.replace(from, to))
}

/// Findings when something is added to the sound type's attribute.
fn colour(is: &str) -> Vec<String> {
    changed(r#"kind = "text", values = ["red", "blue"]"#, is)
}

#[test]
fn a_sound_file_has_no_findings() {
    assert_eq!(shelf(PLAIN), [""; 0]);
    let both = [("p", "shelf.toml", PLAIN), ("p", "box.toml", OWNER)];
    assert_eq!(findings(&both), [""; 0]);
}

#[test]
fn all_syntax_errors_of_a_file_are_found() {
    let found = shelf("a = \nb = 1\nb = 2\n");
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(found.iter().all(|f| f.starts_with("toml_syntax")), "{found:?}");
}

#[test]
fn unknown_keys_are_refused_at_every_level() {
    assert_eq!(changed("version", "verison = 1\nversion"), ["unknown_key «verison»"]);
    assert_eq!(colour(r#"kind = "text", knid = "text""#), ["unknown_key «knid»"]);
    assert_eq!(
        changed(r#"body = "updateShelf""#, r#"boyd = "", body = "x""#),
        ["unknown_key «boyd»"]
    );
    let read = changed(r#"reply = "inventories""#, r#"reply = "i", body = "x""#);
    assert_eq!(read, ["unknown_key «body»"]);
    let delete =
        changed(r#"call = "DELETE /shelves/{id}""#, r#"call = "DELETE /s/{id}", reply = "x""#);
    assert_eq!(delete, ["unknown_key «reply»"]);
    let inner = colour(r#"kind = "text", attr = { x = { kind = "text" } }"#);
    assert_eq!(inner, ["unknown_key «\"text\"»"]);
}

#[test]
fn missing_keys_are_named() {
    assert_eq!(changed("version = 1\n", ""), ["missing_key «»"]);
    assert_eq!(changed("doc = \"A shelf\"\n", ""), ["missing_key «»"]);
    assert_eq!(colour(""), ["missing_key «colour»"]);
    let read = changed(r#", reply = "inventories""#, "");
    assert_eq!(read, [r#"missing_key «{ call = "GET /shelves" }»"#]);
    assert_eq!(changed("call = \"DELETE /shelves/{id}\" ", ""), ["missing_key «{ }»"]);
}

#[test]
fn kinds_words_and_quirks_are_known() {
    assert_eq!(colour(r#"kind = "color""#), [r#"unknown_kind «"color"»"#]);
    assert_eq!(colour(r#"kind = "set(color)""#), [r#"unknown_kind «"set(color)"»"#]);
    assert_eq!(colour(r#"kind = "ref(a b)""#), [r#"unknown_kind «"ref(a b)"»"#]);
    assert_eq!(colour(r#"kind = "text", is = ["secret"]"#), [r#"unknown_word «"secret"»"#]);
    assert_eq!(colour(r#"kind = "text", quirk = "odd""#), [r#"unknown_quirk «"odd"»"#]);
    assert_eq!(colour("kind = 1"), ["wrong_kind «1»"]);
}

#[test]
fn words_that_exclude_each_other_are_refused() {
    let text = |more: &str| colour(&format!(r#"kind = "text", {more}"#));
    assert_eq!(text(r#"is = ["required"], default = "a""#), [r#"contradiction «"a"»"#]);
    assert_eq!(text(r#"values = ["a"], default = "b""#), [r#"contradiction «"b"»"#]);
    assert_eq!(text(r#"range = [2, 3], default = "a""#), [r#"contradiction «"a"»"#]);
    assert_eq!(text("range = [3, 2]"), ["wrong_kind «[3, 2]»"]);
    assert_eq!(text("default = 3"), ["wrong_kind «3»"]);
    let computed = text(r#"is = ["computed", "required"]"#);
    assert_eq!(computed[0], "contradiction «colour»");
    assert_eq!(colour(r#"kind = "bool", range = [1, 2]"#), ["contradiction «colour»"]);
    assert_eq!(colour(r#"kind = "int", values = ["1"]"#), ["contradiction «colour»"]);
}

#[test]
fn calls_are_well_formed() {
    let call = |text: &str| changed("DELETE /shelves/{id}", text);
    for text in ["DELETE", "ERASE /x", "DELETE x", "DELETE /x?q", "DELETE /x/{id"] {
        assert_eq!(call(text), [format!("bad_call «\"{text}\"»")], "{text}");
    }
    for text in ["DELETE /x/{to}", "DELETE /x/{size}"] {
        assert_eq!(call(text), [format!("unknown_placeholder «\"{text}\"»")], "{text}");
    }
    let by_path = changed("GET /shelves", "GET /shelves/{id}");
    assert_eq!(by_path, [r#"unknown_placeholder «"GET /shelves/{id}"»"#]);
    assert!(changed("GET /shelves", "PUT /shelves")[0].starts_with("bad_call"));
    let no_body = changed(r#"body = "updateShelf", "#, "");
    assert_eq!(no_body, [r#"no_body «"PUT /shelves/{id}"»"#]);
    assert_eq!(changed(r#""PUT /"#, r#""GET /"#), [r#"no_body «"GET /shelves/{id}"»"#]);
    let nothing = changed(r#""updateShelf", send = ["colour"]"#, r#""x", send = []"#);
    assert_eq!(nothing, [r#"nothing_sent «"PUT /shelves/{id}"»"#]);
}

#[test]
fn what_calls_name_exists() {
    let update = |more: &str| {
        changed("send = [\"colour\"] }\n[attr]", &format!("send = [\"colour\"], {more} }}\n[attr]"))
    };
    assert_eq!(update(r#"then = ["paint"]"#), [r#"unknown_action «"paint"»"#]);
    assert_eq!(update(r#"when = { size = ["1"] }"#), ["unknown_attribute «size»"]);
    assert_eq!(update(r#"when = { colour = ["green"] }"#), [r#"unknown_value «"green"»"#]);
    assert_eq!(update(r#"wait = "done""#), [r#"wrong_kind «"done"»"#]);
    assert_eq!(update(r##"cascade = { x = "#leaves" }"##), [r##"unknown_part «"#leaves"»"##]);
    assert_eq!(update(r#"cascade = { x = "PUT /x" }"#), [r#"bad_call «"PUT /x"»"#]);
    let send = changed(r#""params", send = ["colour"]"#, r#""params", send = ["color"]"#);
    assert_eq!(send, [r#"unknown_attribute «"color"»"#]);
    let part = changed(r#""params", send = ["colour"]"#, r#""params", send = { x = "[.]" }"#);
    assert_eq!(part, [r#"not_a_part «"[.]"»"#]);
}

#[test]
fn ids_and_unique_keys_are_attributes() {
    let id = |text: &str| changed("client:resourceUuid", text);
    assert_eq!(id("attr:size"), [r#"unknown_attribute «"attr:size"»"#]);
    assert_eq!(id("chosen")[0], r#"wrong_kind «"chosen"»"#);
    assert_eq!(id("attr:colour"), [""; 0]);
    let unique = changed("version", "unique = [[\"colour\", \"size\"]]\nversion");
    assert_eq!(unique, [r#"unknown_attribute «"size"»"#]);
}

#[test]
fn what_can_be_written_is_sent_and_what_is_computed_is_not() {
    let size = |is: &str| shelf(&format!("{PLAIN}size = {{ kind = \"int\", is = [{is}] }}\n"));
    assert_eq!(size(""), ["never_sent «size»"]);
    assert_eq!(size("\"computed\""), [""; 0]);
    let late = changed(r#""params", send = ["colour"]"#, r#""params", send = []"#);
    assert_eq!(late, [""; 0], "sent by the update right after");
    let required = shelf(
        &PLAIN
            .replace(r#""params", send = ["colour"]"#, r#""params", send = []"#)
            .replace("values =", "is = [\"required\"], values ="),
    );
    assert_eq!(required, ["never_sent «colour»"]);
    let computed = colour(r#"kind = "text", is = ["computed"]"#);
    assert_eq!(computed[0], r#"computed_sent «"colour"»"#);
}

#[test]
fn names_that_mean_something_else_are_refused() {
    for name in ["lifecycle", "for_each", "id", "provider"] {
        let found = shelf(&format!("{PLAIN}{name} = {{ kind = \"int\", is = [\"computed\"] }}\n"));
        assert_eq!(found, [format!("reserved_name «{name}»")]);
    }
    for name in ["provider_", "backend", "variable", "self", "each", "count", "module"] {
        let file = format!("{name}.toml");
        let found = findings(&[("p", &file, PLAIN)]);
        let wanted: &[&str] = if name == "provider_" { &[] } else { &["reserved_type «»"] };
        assert_eq!(found, wanted, "{name}");
    }
    let twice = [("p", "shelf.toml", PLAIN), ("q", "shelf.toml", PLAIN)];
    assert_eq!(findings(&twice), ["type_twice «»"]);
    let link = format!("{OWNER}[attr]\nshelves = {{ kind = \"text\" }}\n");
    assert!(findings(&[("p", "box.toml", &link)]).contains(&"name_twice «»".to_owned()));
}

#[test]
fn other_types_that_are_named_exist() {
    assert_eq!(colour(r#"kind = "set(ref(crate))""#), ["unknown_type «colour»"]);
    let after = |what: &str| {
        let text = PLAIN.replace("version", &format!("after = [\"{what}\"]\nversion"));
        findings(&[("p", "shelf.toml", &text), ("p", "box.toml", OWNER)])
    };
    assert_eq!(after("crate"), [r#"unknown_type «"crate"»"#]);
    assert_eq!(after("box.lids"), [r#"unknown_link «"box.lids"»"#]);
    assert_eq!(after("box"), [""; 0]);
    assert_eq!(findings(&[("p", "box.toml", OWNER)]), [r#"unknown_type «"ref(shelf)"»"#]);
}

#[test]
fn a_link_may_be_declared_from_its_other_end() {
    let from = |ends: &str| {
        let text = format!("{PLAIN}[link.boxes]\nkind = \"ref({ends})\"\n");
        findings(&[("p", "shelf.toml", &text), ("p", "box.toml", OWNER)])
    };
    assert_eq!(from("box.shelves"), [""; 0]);
    assert_eq!(from("box.lids"), [r#"unknown_link «"ref(box.lids)"»"#]);
    assert_eq!(from("box"), [r#"unknown_kind «"ref(box)"»"#]);
    assert_eq!(from("shelf.boxes"), [r#"unknown_link «"ref(shelf.boxes)"»"#]);
    let no_wire = OWNER.replace("wire = \"shelfUuids\"", "wird = \"\"");
    let found = findings(&[("p", "shelf.toml", PLAIN), ("p", "box.toml", &no_wire)]);
    assert_eq!(found, ["missing_key «shelves»", "unknown_key «wird»"]);
    let half = OWNER.replace("delete = { call = \"DELETE /shelves/{to}/boxes/{id}\" }\n", "");
    let found = findings(&[("p", "shelf.toml", PLAIN), ("p", "box.toml", &half)]);
    assert!(found.contains(&"missing_key «shelves»".to_owned()), "{found:?}");
}

#[test]
fn types_that_wait_for_each_other_are_refused() {
    let to = |kind: &str| {
        PLAIN.replace(
            r#"kind = "text", values = ["red", "blue"]"#,
            &format!("kind = \"ref({kind})\""),
        )
    };
    let (a, b) = (to("b"), to("a"));
    assert_eq!(findings(&[("p", "a.toml", &a), ("p", "b.toml", &b)]), ["type_cycle «colour»"]);
    // An attachment comes after both its ends, so neither may wait for it.
    let waits = PLAIN.replace("version", "after = [\"box.shelves\"]\nversion");
    let found = findings(&[("p", "shelf.toml", &waits), ("p", "box.toml", OWNER)]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].starts_with("type_cycle"), "{found:?}");
    assert_eq!(findings(&[("p", "a.toml", &to("a"))]), [""; 0], "its own objects may be ordered");
}

#[test]
fn a_provider_says_once_what_its_types_share() {
    let provider = r#"
wire = "camelCase"
create = { wait = "90s" }
delete = { call = "DELETE ?mode=soft", wait = "2h" }
attr = { full_name = { kind = "text", range = [1, 9] } }
"#;
    let own = PLAIN.replace("send = [\"colour\"] }\ndelete", "send = [\"full_name\"] }\ndelete");
    let kept = own.replace("DELETE /shelves/{id}", "DELETE /shelves/{id}?");
    let files = [
        ("p", "box.toml", kept.as_str()),
        ("p", "provider.toml", provider),
        ("p", "shelf.toml", &own),
    ];
    let schemas = parse_texts(&files).expect("sound");
    let deadlines = schemas.providers["p"].deadlines;
    assert_eq!(deadlines.create, Duration::from_secs(90));
    assert_eq!(deadlines.delete, Duration::from_secs(7200));
    assert_eq!(deadlines.update, Deadlines::default().update);
    let query = |name: &str| {
        let ty = schemas.by_name(name).expect("known");
        ty.delete.as_ref().expect("has one").target.query.len()
    };
    assert_eq!((query("shelf"), query("box")), (1, 0));
    let shelf = schemas.by_name("shelf").expect("known");
    let names: Vec<_> = shelf.attrs.iter().map(|a| (&*a.name, &*a.wire_sent)).collect();
    assert_eq!(names, [("full_name", "fullName"), ("colour", "colour")]);
    let lacking = PLAIN.replace("[attr]\n", "[attr]\nfull_name = false\n");
    let files = [("p", "provider.toml", provider), ("p", "shelf.toml", &lacking)];
    let without = parse_texts(&files).expect("sound");
    assert!(without.types[0].find_attr("full_name").is_none(), "{:?}", without.types[0].attrs);
    let found = findings(&[("p", "shelf.toml", &lacking)]);
    assert_eq!(found, ["unknown_attribute «full_name»"], "there is none to leave out");
    let wrong =
        findings(&[("p", "provider.toml", "wire = \"Pascal\"\ncreate = { wait = \"3d\" }")]);
    assert_eq!(wrong, [r#"wrong_kind «"Pascal"»"#, r#"wrong_kind «"3d"»"#]);
}

#[test]
fn attributes_are_read_in_full() {
    let text = PLAIN.replace(
        r#"values = ["red", "blue"] }"#,
        r#"wire = ["c", "sentC"], values = { red = "r", blue = "b" }, default = "blue", doc = "Paint", when = { depth = ["x"] } }
depth = { kind = "text", is = ["computed"], since = "5.0" }
parts = { kind = "list(object)", is = ["computed"], attr = { size = { kind = "bytes" } } }"#,
    );
    let schemas = parse_texts(&[("p", "shelf.toml", &text)]).expect("sound");
    let ty = schemas.by_name("shelf").expect("known");
    let colour = ty.attr(AttrIx(0));
    assert_eq!((&*colour.wire_read, &*colour.wire_sent), ("c", "sentC"));
    assert_eq!(colour.default, Some(Value::str("blue")));
    let values: Vec<_> = colour.values.iter().map(|(read, sent)| (&**read, &**sent)).collect();
    assert_eq!(values, [("red", "r"), ("blue", "b")], "in the order of the file");
    assert_eq!(colour.when, [Condition { attr: AttrIx(1), values: vec!["x".into()] }]);
    assert_eq!(ty.attr(AttrIx(1)).since.as_deref(), Some("5.0"));
    let Kind::List(item) = &ty.attr(AttrIx(2)).kind else { panic!("a list") };
    assert!(matches!(&**item, Kind::Object(attrs) if attrs[0].kind == Kind::Bytes));
}

/// The language covers what no committed file has yet: keyed parts with a text form of their own.
#[test]
fn parts_have_calls_and_attributes_of_their_own() {
    let part = r#"
[part.mons]
wire   = ["mons", "monUrls"]
unique = [["hostname"]]
range  = [1, 64]
format = "{user}@{hostname}"
create = { call = "POST /shelves/{id}/mons", body = "params", send = { monUrls = "[.]" } }
delete = { call = "DELETE /shelves/{id}/mons", send = { monHostnames = "[hostname]" } }
update = { call = "PUT /mons/{mon_uuid}", body = "u", then = ["reconnect"] }
[part.mons.attr]
hostname = { kind = "host", is = ["required"] }
user     = { kind = "text" }
mon_uuid = { kind = "text", is = ["computed"] }
[action.reconnect]
call = "PUT /shelves/{id}/actions"
body = "reconnect"
"#;
    let text = format!("{PLAIN}{part}").replace("version", "unique = [[\"mons\"]]\nversion");
    let schemas = parse_texts(&[("p", "shelf.toml", &text)]).expect("sound");
    let ty = schemas.by_name("shelf").expect("known");
    assert_eq!(ty.unique, [vec![UniqueItem::Part(PartIx(0))]]);
    let mons = ty.part(PartIx(0));
    assert_eq!(
        (&*mons.wire_read, &*mons.wire_sent, mons.range),
        ("mons", "monUrls", Some((1, 64)))
    );
    let create = mons.element.create.as_ref().expect("has one");
    assert_eq!(create.send[0].source, SendSource::PartList);
    let delete = mons.element.delete.as_ref().expect("has one");
    assert_eq!(delete.send[0].source, SendSource::FieldList(AttrIx(1)));
    let update = mons.element.updates.first().expect("has one");
    assert_eq!(update.target.path[1], Piece::Field("mon_uuid".into()));
    assert_eq!(update.then, [ActionIx(0)]);
    let sent: Vec<_> = update.send.iter().map(|s| &*s.wire).collect();
    assert_eq!(sent, ["hostname", "user"], "by default everything that can be written");
    let wrong = text.replace("{user}@", "{usr}@").replace("unique = [[\"hostname\"]]", "");
    let found = shelf(&wrong);
    assert_eq!(found, ["missing_key «mons»", r#"unknown_placeholder «"{usr}@{hostname}"»"#]);
}

#[test]
fn no_text_makes_the_reader_panic() {
    for cut in 0..PLAIN.len() {
        if PLAIN.is_char_boundary(cut) {
            let _ = shelf(&PLAIN[..cut]);
            let _ = shelf(&PLAIN[cut..]);
        }
    }
}

/// The sound type with an action of this call and these parameters.
fn action(call: &str, params: &str) -> Vec<String> {
    shelf(&format!("{PLAIN}[action.move]\n{call}\n[action.move.attr]\n{params}\n"))
}

const MOVE: &str = "call = \"PUT /shelves/{id}/actions\"\nbody = \"moveShelf\"";

#[test]
fn actions_have_parameters_of_their_own() {
    let text = format!(
        "{PLAIN}state = {{ kind = \"text\", is = [\"computed\"] }}\n\
         [action.move]\ncall = \"PUT /rooms/{{room}}/actions\"\nbody = \"moveShelves\"\n\
         send = {{ shelfUuids = \"[{{id}}]\", to = \"room\", why = \"why\" }}\n\
         wait = {{ state = [\"Moved\"] }}\nquirk = \"long_job\"\n\
         [action.move.attr]\nroom = {{ kind = \"ref(shelf)\", is = [\"required\"] }}\n\
         why = {{ kind = \"text\", default = \"order\" }}\n\
         [action.paint]\ncall = \"PUT /shelves/{{id}}/{{colour}}\"\nbody = \"paint\"\n\
         [action.paint.attr]\ncolour = {{ kind = \"text\", is = [\"required\"] }}\n\
         thick_coat = {{ kind = \"bool\" }}\n"
    );
    let schemas = parse_texts(&[("p", "shelf.toml", &text)]).expect("a sound file");
    let ty = schemas.by_name("shelf").expect("the type");
    let of = |name| ty.action(ty.find_action(name).expect("the action"));
    let moving = of("move");
    assert!(moving.takes_many() && moving.quirk == Some(Quirk::LongJob));
    let sources: Vec<_> = moving.call.send.iter().map(|s| (&*s.wire, s.source.clone())).collect();
    assert_eq!(
        sources,
        [
            ("shelfUuids", SendSource::Ids),
            ("to", SendSource::Attr(AttrIx(0))),
            ("why", SendSource::Attr(AttrIx(1)))
        ]
    );
    // `wait` speaks of the type's attributes, `send` of the parameters.
    let Wait::Attrs(wait) = &moving.call.wait else { panic!("a wait for a value") };
    assert_eq!(&*ty.attr(wait[0].attr).name, "state");
    // Without `send`, every parameter that is not in the path is sent.
    let painting = of("paint");
    let sent: Vec<_> = painting.call.send.iter().map(|s| &*s.wire).collect();
    assert_eq!(sent, ["thick_coat"]);
    assert!(!painting.takes_many() && !painting.disrupts());
}

#[test]
fn mistakes_in_actions() {
    let text = r#"why = { kind = "text" }"#;
    assert_eq!(action(MOVE, text), [""; 0]);
    assert_eq!(action(&format!("{MOVE}\nsend = []"), text), ["never_sent «move»"]);
    let unsent = action(&format!("{MOVE}\nsend = [\"wy\"]"), text);
    assert_eq!(unsent, [r#"unknown_attribute «"wy"»"#, "never_sent «move»"]);
    let computed = r#"why = { kind = "text", is = ["computed"] }"#;
    assert!(action(MOVE, computed).contains(&"contradiction «why»".to_owned()));
    assert_eq!(action(MOVE, r#"to = { kind = "ref(room)" }"#), ["unknown_type «to»"]);
    let path = "call = \"PUT /shelves/{id}/{why}\"\nbody = \"x\"";
    assert_eq!(action(path, text), ["contradiction «move»"], "an optional one in the path");
    let both = format!("{MOVE}\nsend = {{ ids = \"[{{id}}]\", why = \"why\" }}");
    assert_eq!(action(&both, text), ["contradiction «move»"], "for many, and yet names one");
    let quirk = action(&format!("{MOVE}\nquirk = \"leave_maintenance_first\""), text);
    assert_eq!(quirk, [r#"unknown_quirk «"leave_maintenance_first"»"#]);
    assert_eq!(colour(r#"kind = "text", quirk = "long_job""#), ["unknown_quirk «colour»"]);
    assert_eq!(shelf(&format!("{PLAIN}[action.\"a b\"]\n{MOVE}\n")), ["bad_name «\"a b\"»"]);
}
