//! Every rule of the language, each by a file that breaks it: which finding, and at which text.

use std::time::Duration;

use super::*;
use crate::value::Value;

mod actions;

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

#[test]
fn an_attribute_can_have_a_call_of_its_own() {
    let own = |call: &str, more: &str| {
        with_lid(&format!(
            r#"lid = {{ kind = "text", default = "shut", read = {{ call = "{call}", reply = "lid" }}{more} }}"#
        ))
    };
    let text = own("GET /shelves/{id}/lid", "");
    let schemas = parse_texts(&[("p", "shelf.toml", &text)]).expect("sound");
    let ty = schemas.by_name("shelf").expect("known");
    let lid = ty.attr(ty.find_attr("lid").expect("it")).read.as_ref().expect("a call");
    let path = [Piece::Lit("/shelves/".into()), Piece::Id, Piece::Lit("/lid".into())];
    assert_eq!((&lid.target.path[..], &*lid.reply), (&path[..], "lid"));
    for call in
        ["GET /shelves", "PUT /shelves/{id}", "GET /shelves/{id}?x={id}", "GET /a/{id}/{to}"]
    {
        let found = findings(&[("p", "shelf.toml", &own(call, ""))]);
        assert_eq!(found, [format!("bad_call «\"{call}\"»")]);
    }
    let found = findings(&[("p", "shelf.toml", &own("GET /s/{id}", r#", is = ["write_only"]"#))]);
    assert_eq!(found, ["contradiction «lid»"]);
    let nested = r#"lid = { kind = "object", is = ["computed"], attr = { x = { kind = "text", read = { call = "GET /s/{id}", reply = "x" } } } }"#;
    let found = findings(&[("p", "shelf.toml", &with_lid(nested))]);
    assert!(found.iter().any(|f| f.starts_with("bad_call")), "{found:?}");
}

#[test]
fn since_is_a_version_and_has_no_default() {
    let found = |attr: &str| findings(&[("p", "shelf.toml", &with_lid(attr))]);
    assert_eq!(found(r#"lid = { kind = "text", is = ["required"], since = "5.2" }"#), [""; 0]);
    assert_eq!(found(r#"lid = { kind = "text", since = "new" }"#), ["bad_version «\"new\"»"]);
    let both = r#"lid = { kind = "text", since = "5.2", default = "x" }"#;
    assert_eq!(found(both), ["contradiction «\"x\"»"]);
}

/// The sound type with an attribute more, `lid`, that is sent.
fn with_lid(attr: &str) -> String {
    PLAIN
        .replace("[attr]", &format!("[attr]\n{attr}"))
        .replace(r#"send = ["colour"]"#, r#"send = ["colour", "lid"]"#)
}

#[test]
fn a_type_without_id_is_only_looked_up() {
    let read = |read: &str, attr: &str| {
        let text = format!("version = 1\ndoc = \"d\"\n[read]\n{read}\n[attr]\n{attr}\n");
        let provider = "wire = \"camelCase\"\n[attr]\nname = { kind = \"text\" }\n";
        let files = [("p", "provider.toml", provider), ("p", "probe.toml", &*text)];
        parse_texts(&files).map_err(|(found, _)| found.iter().map(|d| d.code).collect::<Vec<_>>())
    };
    let query = "call = \"GET /things\"\nreply = \"rows\"";
    let schemas = read(query, "size = { kind = \"bytes\" }").expect("a query");
    let ty = schemas.by_name("probe").expect("probe");
    assert!(ty.data_only() && ty.id == IdRule::None && ty.read.send.is_none());
    // The provider's attributes are not those of everything that can be looked up.
    let names: Vec<_> = ty.attrs.iter().map(|a| (&*a.name, a.computed)).collect();
    assert_eq!(names, [("size", true)]);

    let plain = "call = \"GET /things/{thing_id}/size\"\nreply = \".\"\nsend = [\"unit\"]";
    let attrs =
        "thing_id = { kind = \"text\" }\nunit = { kind = \"text\" }\nsize = { kind = \"int\" }";
    let schemas = read(plain, attrs).expect("a plain call");
    let ty = schemas.by_name("probe").expect("probe");
    let facts: Vec<_> =
        ty.attrs().map(|(ix, a)| (ty.argument(ix), a.required, a.computed)).collect();
    assert_eq!(facts, [(true, true, false), (true, false, false), (false, false, true)]);

    for (read_as, attr, code) in [
        (query, "size = { kind = \"int\", is = [\"required\"] }", "contradiction"),
        (query, "size = { kind = \"text\", is = [\"sensitive\"] }", "contradiction"),
        ("call = \"GET /things/{a}\"\nreply = \"rows\"", "a = { kind = \"text\" }", "bad_call"),
        (
            "call = \"GET /things/{id}/x\"\nreply = \".\"",
            "a = { kind = \"text\" }",
            "unknown_placeholder",
        ),
        (query, "size = { kind = \"int\" }\n[create]\ncall = \"POST /things\"", "missing_key"),
    ] {
        let found = read(read_as, attr).expect_err(code);
        assert!(found.contains(&code), "{code}: {found:?}");
    }
}
