//! Actions: their parameters, and mistakes in them.

use super::*;

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
