//! Scripts on hosts: what each printed, and how it ended.

use insta::assert_snapshot;
use serde_json::{Value, json};

use super::{H1, H2, cloud, host, stranger};
use crate::common::seen::filters;

#[test]
fn output_is_shown_host_by_host() {
    let _filters = filters();
    let cloud = cloud();
    let rackform = stranger(&cloud);
    rackform.write("check.sh", "hostname\necho all is well\n");
    let (h1, h2) = (host(H1), host(H2));
    let run = ["action", "run-shell", &h1, &h2, "--param", "script=@check.sh"];
    assert_snapshot!(rackform.run(&run).seen(), @"
    exit 0
    --- stdout
    # host.id:ID: exit code 0
    h1
    all is well
    # host.id:ID: exit code 0
    h2
    all is well
    --- stderr
    host.id:ID and 1 more: running run-shell…
    ");
    let lines = rackform.run(&[&run[..], &["--json"]].concat()).expect(0).json_lines();
    let expected = |name: &str, id: &str, host: &str| {
        json!({ "action": "run-shell", "address": name, "id": id, "outcome": "done", "reply": {
            "returnCode": 0, "stdout": format!("{host}\nall is well\n"), "stderr": "" } })
    };
    assert_eq!(lines, [expected(&h1, H1, "h1"), expected(&h2, H2, "h2")]);
}

#[test]
fn a_script_that_fails_anywhere_fails() {
    let _filters = filters();
    let cloud = cloud();
    let row = json!({ "status": "Disconnected" });
    cloud.drift(json!({ "family": "host", "op": "patch", "uuid": H2, "row": row }));
    let rackform = stranger(&cloud);
    let (h1, h2) = (host(H1), host(H2));
    let run = ["action", "run-shell", &h1, &h2, "--param", "script=echo \u{1b}[2J\nexit 3"];
    assert_snapshot!(rackform.run(&run).seen(), @r"
    exit 1
    --- stdout
    # host.id:ID: exit code 3
    \u{1b}[2J
    # host.id:ID: not run: host[uuid:ID] is Disconnected, it can not run a script
    --- stderr
    host.id:ID and 1 more: running run-shell…
    ");
    let lines = rackform.run(&[&run[..], &["--json"]].concat()).expect(1).json_lines();
    let outcomes: Vec<&Value> = lines.iter().map(|line| &line["outcome"]).collect();
    assert_eq!(outcomes, ["failed", "failed"]);
    assert_eq!(lines[0]["reply"]["returnCode"], 3);
}
