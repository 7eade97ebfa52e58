//! What people see of a plan, by snapshot.

use super::*;
use crate::plan::{Action, Change, Reason, Shown};
use crate::render::samples::{self, change, diff, shown};
use crate::value::Value;

fn render(plan: &Plan, style: Style) -> String {
    let sources = samples::sources();
    text(&View { plan, sources: &sources, requests: Some(4), style })
}

fn one(change: Change, style: Style) -> String {
    let plan = Plan { changes: vec![change], ..Plan::default() };
    render(&plan, style)
}

const UNICODE: Style = Style { color: false, unicode: true, width: 80 };

#[test]
fn every_kind_of_change_has_its_shape() {
    insta::assert_snapshot!(render(&samples::plan(), UNICODE), @r#"
    Changed outside of rackform since the last apply:

      - zone.north is gone from the cloud
      ~ host.kvm["02"]
          ~ name = "kvm-02" → "by\u{1b}[2Jhand"

    rackform will do the following:
      + create   ~ update in place   -/+ replace   - destroy   <= import   . state only

      # host.kvm["01"] will be created (main.rack.toml:8)
      + host.kvm["01"] [id=(known after apply)]
          + cluster       = cluster.rack (known after apply)
          + management_ip = "10.0.1.11"
          + password      = (sensitive)
          + ssh_port      = 22

      + attach local_primary_storage.scratch → cluster.rack  # main.rack.toml:8

      # host.kvm["02"] will be updated in place: it was changed outside of rackform (main.rack.toml:11)
      ~ host.kvm["02"] [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
          ~ management_ip = "10.0.1.11" → "10.0.1.12"
          ~ zone          = "a" → zone.east (known after apply)  # main.rack.toml:5
          ~ password      = (sensitive, changes)
          - description   = "old"

      # nfs_primary_storage.s must be replaced: url cannot be changed in place
    -/+ nfs_primary_storage.s [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
          ~ url = "/old" → "/new"  # forces replacement
          ! takes with it: 3 volumes
            apply --auto-approve needs --allow-destroy 'nfs_primary_storage.s=3'

      # zone.old will be destroyed: no block declares it any more
      - zone.old [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]
          ! takes with it: 3 hosts, 1,200 VMs
            apply --auto-approve needs --allow-destroy 'zone.old=1203'

      # zone.west will be imported
     <= zone.west

      # zone.north will be forgotten: its attribute was removed; the object stays
      . zone.north

      # zone.south will change in the state only: prevent_destroy is off
      . zone.south

    Worth knowing:

      * local_primary_storage.scratch: cluster 0a5c is attached by somebody else and stays so
        rackform import adopts it

    Goes down with it, though not in this plan: 1,200 VMs, 3 hosts and 3 volumes.

    Plan: 3 to add, 1 to change, 2 to destroy, 1 to import, 1 to forget, 1 only in the state.
    "#);
}

#[test]
fn colours_mark_signs_reasons_and_losses() {
    let plan = samples::plan();
    let text = render(&plan, Style { color: true, ..UNICODE });
    insta::assert_snapshot!(text.replace('\u{1b}', "^"), @r#"
    ^[1mChanged outside of rackform since the last apply:^[0m

    ^[31m  -^[0m zone.north ^[31mis gone from the cloud^[0m
    ^[33m  ~^[0m host.kvm["02"]
          ^[33m~^[0m name = "kvm-02" ^[33m→^[0m "by\u{1b}[2Jhand"

    ^[1mrackform will do the following:^[0m
      ^[32m+^[0m create   ^[33m~^[0m update in place   ^[31m-/+^[0m replace   ^[31m-^[0m destroy   ^[36m<=^[0m import   ^[2m.^[0m state only

      ^[1m# host.kvm["01"] will be created (main.rack.toml:8)^[0m
    ^[32m  +^[0m host.kvm["01"] ^[2m[id=(known after apply)]^[0m
          ^[32m+^[0m cluster       = cluster.rack (known after apply)
          ^[32m+^[0m management_ip = "10.0.1.11"
          ^[32m+^[0m password      = (sensitive)
          ^[32m+^[0m ssh_port      = 22

    ^[32m  +^[0m attach local_primary_storage.scratch → cluster.rack  ^[2m# main.rack.toml:8^[0m

      ^[1m# host.kvm["02"] will be updated in place: it was changed outside of rackform (main.rack.toml:11)^[0m
    ^[33m  ~^[0m host.kvm["02"] ^[2m[id=6f1f04c2a3714c1f8d3c0a55b6e0c001]^[0m
          ^[33m~^[0m management_ip = "10.0.1.11" ^[33m→^[0m "10.0.1.12"
          ^[33m~^[0m zone          = "a" ^[33m→^[0m zone.east (known after apply)  ^[2m# main.rack.toml:5^[0m
          ^[33m~^[0m password      = (sensitive, changes)
          ^[31m-^[0m description   = "old"

      ^[1m# nfs_primary_storage.s must be replaced: url cannot be changed in place^[0m
    ^[31m-/+^[0m nfs_primary_storage.s ^[2m[id=6f1f04c2a3714c1f8d3c0a55b6e0c001]^[0m
          ^[33m~^[0m url = "/old" ^[33m→^[0m "/new"  ^[31m# forces replacement^[0m
          ^[1m^[31m! takes with it: 3 volumes^[0m
            ^[2mapply --auto-approve needs --allow-destroy 'nfs_primary_storage.s=3'^[0m

      ^[1m# zone.old will be destroyed: no block declares it any more^[0m
    ^[31m  -^[0m zone.old ^[2m[id=6f1f04c2a3714c1f8d3c0a55b6e0c001]^[0m
          ^[1m^[31m! takes with it: 3 hosts, 1,200 VMs^[0m
            ^[2mapply --auto-approve needs --allow-destroy 'zone.old=1203'^[0m

      ^[1m# zone.west will be imported^[0m
    ^[36m <=^[0m zone.west

      ^[1m# zone.north will be forgotten: its attribute was removed; the object stays^[0m
    ^[2m  .^[0m zone.north

      ^[1m# zone.south will change in the state only: prevent_destroy is off^[0m
    ^[2m  .^[0m zone.south

    ^[1mWorth knowing:^[0m

      * local_primary_storage.scratch: cluster 0a5c is attached by somebody else and stays so
        ^[2mrackform import adopts it^[0m

    ^[1m^[31mGoes down with it, though not in this plan: 1,200 VMs, 3 hosts and 3 volumes.^[0m

    ^[1mPlan: 3 to add, 1 to change, 2 to destroy, 1 to import, 1 to forget, 1 only in the state.^[0m
    "#);
    let bare = anstream::adapter::strip_str(&text).to_string();
    assert_eq!(bare, render(&plan, UNICODE), "colour adds nothing but colour");
}

#[test]
fn an_empty_plan_says_what_was_compared() {
    let plan = Plan { unchanged: 10_000, ..Plan::default() };
    insta::assert_snapshot!(render(&plan, Style::PLAIN), @"No changes. The cloud matches the configuration. (10,000 objects compared with 4 requests)");
    let refreshed = vec![(samples::address("zone.east"), Vec::new())];
    let plan = Plan { unchanged: 1, refreshed, ..Plan::default() };
    insta::assert_snapshot!(render(&plan, Style::PLAIN), @r"
    No changes. The cloud matches the configuration. (1 object compared with 4 requests)
    The state is out of date for 1 object: an apply writes it down and sends nothing.
    ");
    let plan = Plan { destroy: true, ..Plan::default() };
    insta::assert_snapshot!(render(&plan, Style::PLAIN), @"No changes. There is nothing to destroy. (0 objects compared with 4 requests)");
}

#[test]
fn long_texts_and_lists_are_compared_inside() {
    let script = |word: &str| shown(&format!("#!/bin/sh\nset -e\nmount {word}\nexit 0\n"));
    let list = |last: &str| {
        let names = (0..12).map(|n| Value::str(&format!("monitor-{n}.example.com")));
        Shown::Value(Value::list(names.chain([Value::str(last)]).collect()))
    };
    let mut update = change("zone.east", Action::Update, Reason::Differs);
    update.diffs = vec![
        diff("script", script("a"), script("b")),
        diff("mons", list("x"), list("y")),
        diff("motd", Shown::Absent, shown("one\ntwo\n")),
        diff("url", shown(&"a".repeat(50)), shown(&"b".repeat(50))),
    ];
    insta::assert_snapshot!(one(update, UNICODE), @r#"
    rackform will do the following:
      ~ update in place

      # zone.east will be updated in place
      ~ zone.east
          ~ script =
                #!/bin/sh
                set -e
              - mount a
              + mount b
                exit 0
          ~ mons   =
              - "x"
              + "y"
                (12 elements unchanged)
          + motd   =
              + one
              + two
          ~ url    = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                   → "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

    Plan: 0 to add, 1 to change, 0 to destroy.
    "#);
}

#[test]
fn attachments_are_told_from_parts_without_steps() {
    let foreign = "0123456789abcdef0123456789abcdef";
    let link = |key: &str, action, reason| {
        change(samples::address("nfs.s").member("clusters", key).as_str(), action, reason)
    };
    let plan = Plan {
        changes: vec![
            link("cluster.a", Action::Adopt, Reason::New),
            link(foreign, Action::Forget, Reason::Unmanaged),
            link("cluster.b", Action::Record, Reason::Differs),
            change("ceph.s.mons[\"10.0.0.1\"]", Action::Delete, Reason::KeyGone),
        ],
        ..Plan::default()
    };
    insta::assert_snapshot!(render(&plan, UNICODE), @r#"
    rackform will do the following:
      <= import   . state only   - destroy

     <= import attachment nfs.s → cluster.a
      . forget attachment nfs.s → 0123456789abcdef0123456789abcdef  # its attribute was removed; the object stays
      . attachment nfs.s → cluster.b  # another block declares it now

      # ceph.s.mons["10.0.0.1"] will be destroyed: its key is gone from for_each or count
      - ceph.s.mons["10.0.0.1"]

    Plan: 0 to add, 0 to change, 1 to destroy, 1 to import, 1 to forget, 1 only in the state.
    "#);
}

#[test]
fn no_secret_and_no_escape_gets_through() {
    let mut update = change("zone.east", Action::Update, Reason::Differs);
    let secret =
        Value::list(vec![Value::str("hunter2").sensitive(), Value::str("\u{1b}]0;x\u{7}")]);
    update.diffs = vec![diff("mons", shown("a"), Shown::Value(secret))];
    update.id = Some("\u{1b}[31m".into());
    let text = one(update, UNICODE);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!text.chars().any(|c| c != '\n' && crate::render::steers(c)), "{text}");
}

#[test]
fn a_hundred_thousand_changes_are_all_shown() {
    let create = |n: usize| change(&format!("host.kvm[\"{n}\"]"), Action::Create, Reason::New);
    let plan = Plan { changes: (0..100_000).map(create).collect(), ..Plan::default() };
    let text = render(&plan, Style::PLAIN);
    assert_eq!(text.matches("will be created").count(), 100_000);
    assert!(text.ends_with("Plan: 100,000 to add, 0 to change, 0 to destroy.\n"));
}
