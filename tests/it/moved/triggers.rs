//! `replace_triggered_by` and `ignore_changes = "all"`.

use super::{HALL, applied, apply, configure, is_settled, sent};

#[test]
fn a_host_is_replaced_when_its_rack_changes() {
    let lifecycle = "name          = \"kvm-1\"\nlifecycle = { replace_triggered_by = [\"cluster.rack.description\"] }";
    let text = HALL.replace("name          = \"kvm-1\"", lifecycle);
    let (cloud, rackform) = applied(&text);
    let renamed = text.replace("\"Rack\"", "\"Rack 2\"");
    configure(&rackform, &cloud, &renamed);
    apply(&rackform).expect(0).says(&["0 added, 1 changed, 0 destroyed"]);
    cloud.reset();
    let described = renamed.replace("\"Rack 2\"", "\"Rack 2\"\ndescription = \"new\"");
    configure(&rackform, &cloud, &described);
    let plan = rackform.run(&["plan"]).expect(0);
    plan.says(&["its replace_triggered_by names cluster.rack.description, which changes"]);
    apply(&rackform).expect(0).says(&["1 added, 1 changed, 1 destroyed"]);
    assert_eq!(sent(&cloud).iter().filter(|s| s.ends_with(" hosts")).count(), 2);
    is_settled(&rackform, &cloud);
}

#[test]
fn triggers_name_what_is_there() {
    let with = |what: &str| {
        let lifecycle = format!("lifecycle = {{ replace_triggered_by = {what} }}\nname = \"East\"");
        HALL.replace("name = \"East\"", &lifecycle)
    };
    let (cloud, rackform) = applied(HALL);
    for (what, says) in [
        ("[\"cluster.rakc\"]", "did you mean `cluster.rack`?"),
        ("[\"cluster.rack.descripton\"]", "did you mean `description`?"),
        ("[\"clustr.rack\"]", "did you mean `cluster.rack`?"),
        ("[\"cluster\"]", "this names no resource"),
        ("\"cluster.rack\"", "put it in brackets"),
        ("[\"cluster.rack\"]", "`zone.east` needs `cluster.rack`"),
    ] {
        configure(&rackform, &cloud, &with(what));
        rackform.run(&["validate"]).expect(1).says(&[says]);
    }
}

#[test]
fn all_changes_can_be_ignored() {
    let text = HALL
        .replace("name = \"East\"", "name = \"East\"\nlifecycle = { ignore_changes = \"all\" }");
    let (cloud, rackform) = applied(&text);
    configure(&rackform, &cloud, &text.replace("\"East\"", "\"Other\"\ndescription = \"x\""));
    is_settled(&rackform, &cloud);
}
