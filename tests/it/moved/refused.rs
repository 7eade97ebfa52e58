//! Moves that cannot be: each is refused with its places, and nothing is changed.

use super::{HALL, applied, configure, moves, sent};

/// What a plan says to this configuration, on a cloud with a zone `zone.a` and a zone `zone.b`.
fn said(text: &str) -> String {
    let (cloud, rackform) = applied("[zone.a]\n[zone.b]\n");
    configure(&rackform, &cloud, text);
    let before = rackform.read("rackform.state.json");
    let plan = rackform.run(&["plan"]).expect(1);
    rackform.run(&["apply", "--auto-approve"]).expect(1);
    assert_eq!(rackform.read("rackform.state.json"), before);
    assert_eq!(sent(&cloud), Vec::<String>::new());
    plan.stderr
}

#[test]
fn what_has_moved_is_not_declared_any_more() {
    insta::assert_snapshot!(said(
        &("[zone.a]\n[zone.b]\n[zone.c]\n".to_owned() + &moves(&[("zone.a", "zone.c")]))
    ));
}

#[test]
fn an_address_stands_for_one_object() {
    insta::assert_snapshot!(said(&("[zone.b]\n".to_owned() + &moves(&[("zone.a", "zone.b")]))));
}

#[test]
fn what_moves_arrives_at_something() {
    insta::assert_snapshot!(said(
        &("[zone.b]\n[zone.east]\n".to_owned() + &moves(&[("zone.a", "zone.est")]))
    ));
}

#[test]
fn mistakes_in_the_tables_are_told_together() {
    let text = "[zone.b]\n[zone.x]\n".to_owned()
        + &moves(&[
            ("zone.a", "cluster.a"),
            ("zone.a", "module.a"),
            ("zone.a", "zone.a"),
            ("zone.q", "zone.x"),
            ("zone.r", "zone.x"),
            ("zone.q", "zone.y"),
            ("zone.m", "zone.n"),
            ("zone.n", "zone.m"),
            ("zone.a.links[\"x\"]", "zone.b"),
            ("zon.a", "zon.b"),
            ("${var.x}", "zone.b"),
        ])
        + "[[moved]]\nfrom = 3\ntoo = \"zone.b\"\n[[removed]]\nfrom = \"zone.b\"\ndestroy = \"no\"\n\
           [[removed]]\nfrom = \"zone.b\"\n";
    insta::assert_snapshot!(said(&text));
}

#[test]
fn one_table_is_written_as_one_of_many() {
    let (cloud, rackform) = applied(HALL);
    configure(&rackform, &cloud, &format!("{HALL}[moved]\nfrom = \"zone.a\"\n"));
    rackform.run(&["validate"]).expect(1).says(&["write [[moved]]"]);
}
