//! The stream as programs read it, by snapshot.

use super::*;
use crate::render::samples;

const AT: &str = "2026-01-02T03:04:05Z";

#[test]
fn a_plan_is_a_stream_of_known_types() {
    let sample = samples::plan();
    let lines: Vec<String> = std::iter::once(version(AT)).chain(plan(AT, &sample)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"@level":"info","@message":"rackform 0.1.0","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"version","rackform":"0.1.0","ui":"1.2"}
    {"@level":"info","@message":"zone.north: is gone","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"resource_drift","change":{"resource":{"addr":"zone.north","module":"","resource":"zone.north","implied_provider":"rackform","resource_type":"zone","resource_name":"north","resource_key":null},"action":"delete"}}
    {"@level":"info","@message":"host.kvm[\"02\"]: was changed outside","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"resource_drift","change":{"resource":{"addr":"host.kvm[\"02\"]","module":"","resource":"host.kvm[\"02\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"02"},"action":"update"}}
    {"@level":"info","@message":"host.kvm[\"01\"]: Plan to create","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"host.kvm[\"01\"]","module":"","resource":"host.kvm[\"01\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"01"},"action":"create"}}
    {"@level":"info","@message":"local_primary_storage.scratch.clusters[\"cluster.rack\"]: Plan to create","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"local_primary_storage.scratch.clusters[\"cluster.rack\"]","module":"","resource":"local_primary_storage.scratch.clusters[\"cluster.rack\"]","implied_provider":"rackform","resource_type":"local_primary_storage.clusters","resource_name":"scratch","resource_key":null},"action":"create"}}
    {"@level":"info","@message":"host.kvm[\"02\"]: Plan to update in place (it was changed outside of rackform)","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"host.kvm[\"02\"]","module":"","resource":"host.kvm[\"02\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"02"},"action":"update"}}
    {"@level":"info","@message":"nfs_primary_storage.s: Plan to replace (url cannot be changed in place)","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"nfs_primary_storage.s","module":"","resource":"nfs_primary_storage.s","implied_provider":"rackform","resource_type":"nfs_primary_storage","resource_name":"s","resource_key":null},"action":"replace","reason":"cannot_update","casualties":{"volumes":3}}}
    {"@level":"info","@message":"zone.old: Plan to destroy (no block declares it any more)","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"zone.old","module":"","resource":"zone.old","implied_provider":"rackform","resource_type":"zone","resource_name":"old","resource_key":null},"action":"delete","reason":"delete_because_no_resource_config","casualties":{"VMs":1200,"hosts":3}}}
    {"@level":"info","@message":"zone.west: Plan to import","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"zone.west","module":"","resource":"zone.west","implied_provider":"rackform","resource_type":"zone","resource_name":"west","resource_key":null},"action":"import"}}
    {"@level":"info","@message":"zone.north: Plan to forget (its attribute was removed; the object stays)","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"zone.north","module":"","resource":"zone.north","implied_provider":"rackform","resource_type":"zone","resource_name":"north","resource_key":null},"action":"forget"}}
    {"@level":"info","@message":"zone.south: Plan to change the state only (prevent_destroy is off)","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"planned_change","change":{"resource":{"addr":"zone.south","module":"","resource":"zone.south","implied_provider":"rackform","resource_type":"zone","resource_name":"south","resource_key":null},"action":"noop"}}
    {"@level":"info","@message":"local_primary_storage.scratch: cluster 0a5c is attached by somebody else and stays so","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"log"}
    {"@level":"info","@message":"Plan: 3 to add, 1 to change, 2 to destroy, 1 to import, 1 to forget, 1 only in the state.","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"change_summary","changes":{"add":3,"change":1,"import":1,"remove":2,"forget":1,"operation":"plan"}}
    "#);
}

#[test]
fn an_apply_starts_completes_and_fails_by_step() {
    let lines: Vec<String> = samples::events().iter().flat_map(|e| event(AT, e)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    {"@level":"info","@message":"Applying 3 steps...","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"log"}
    {"@level":"info","@message":"Looking up 2 calls that an earlier apply left open...","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"log"}
    {"@level":"info","@message":"host.kvm[\"01\"]: creating...","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"apply_start","hook":{"resource":{"addr":"host.kvm[\"01\"]","module":"","resource":"host.kvm[\"01\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"01"},"action":"create"}}
    {"@level":"info","@message":"host.kvm[\"01\"]: still creating... [30s elapsed, waiting for status Connected]","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"apply_progress","hook":{"resource":{"addr":"host.kvm[\"01\"]","module":"","resource":"host.kvm[\"01\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"01"},"action":"create","elapsed_seconds":30}}
    {"@level":"info","@message":"host.kvm[\"01\"]: created in 31.2s [id=6f1f04c2a3714c1f8d3c0a55b6e0c001]","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"apply_complete","hook":{"resource":{"addr":"host.kvm[\"01\"]","module":"","resource":"host.kvm[\"01\"]","implied_provider":"rackform","resource_type":"host","resource_name":"kvm","resource_key":"01"},"action":"create","id_key":"id","id_value":"6f1f04c2a3714c1f8d3c0a55b6e0c001","elapsed_seconds":31}}
    {"@level":"info","@message":"zone.old: destroying to replace it...","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"apply_start","hook":{"resource":{"addr":"zone.old","module":"","resource":"zone.old","implied_provider":"rackform","resource_type":"zone","resource_name":"old","resource_key":null},"action":"delete"}}
    {"@level":"error","@message":"zone.old: destroying failed after 2m 5s: the zone cannot be deleted [SYS.1006]","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"apply_errored","hook":{"resource":{"addr":"zone.old","module":"","resource":"zone.old","implied_provider":"rackform","resource_type":"zone","resource_name":"old","resource_key":null},"action":"delete","elapsed_seconds":125}}
    {"@level":"error","@message":"Error: the zone cannot be deleted [SYS.1006]","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"diagnostic","diagnostic":{"severity":"error","code":"SYS.1006","summary":"the zone cannot be deleted","detail":"operation error\ncause: \u001b[31mcluster 0a5c is busy\nDELETE /zones/6f1f, job 41aa","help":"wait for the running jobs of the cluster","address":"zone.old","count":1}}
    {"@level":"warn","@message":"Stopping: nothing new starts, 1 step in progress will finish. Press Ctrl-C again to stop at once; the next apply finds what is left.","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"log"}
    {"@level":"warn","@message":"zone.old: not created: zone.old failed","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"log"}
    {"@level":"error","@message":"Apply stopped: 1 added, 0 changed, 0 destroyed, 1 failed, 1 not started in 2m 6s (1,027 requests); run `rackform apply` again to finish.","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"change_summary","changes":{"add":1,"change":0,"import":0,"remove":0,"forget":0,"operation":"apply"}}
    "#);
}

#[test]
fn every_line_is_one_json_object_with_its_keys() {
    let sample = samples::plan();
    let events = samples::events();
    for text in plan(AT, &sample).chain(events.iter().flat_map(|e| event(AT, e))) {
        assert!(!text.contains('\n') && !text.chars().any(crate::render::steers), "{text}");
        let json: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        for key in ["@level", "@message", "@module", "@timestamp", "type"] {
            assert!(json.get(key).is_some_and(serde_json::Value::is_string), "{key}: {text}");
        }
    }
}

#[test]
fn a_finding_has_its_range() {
    let finding = Diagnostic::error("unknown_attribute", "unknown attribute")
        .at(samples::span("hypervisor_typ"), "here")
        .detail("No such attribute.")
        .help("did you mean `hypervisor_type`?");
    insta::assert_snapshot!(diagnostic(AT, &finding, &samples::sources()), @r#"{"@level":"error","@message":"Error: unknown attribute","@module":"rackform.ui","@timestamp":"2026-01-02T03:04:05Z","type":"diagnostic","diagnostic":{"severity":"error","code":"unknown_attribute","summary":"unknown attribute","detail":"No such attribute.","help":"did you mean `hypervisor_type`?","range":{"filename":"main.rack.toml","start":{"line":6,"column":1,"byte":85},"end":{"line":6,"column":15,"byte":99}},"snippet":{"context":null,"code":"hypervisor_typ  = \"KVM\"","start_line":6,"highlight_start_offset":0,"highlight_end_offset":14,"values":[]},"count":1}}"#);
}

#[test]
fn addresses_come_apart() {
    for (text, module, resource) in [
        ("zone.east", "", "zone.east"),
        ("module.a[\"k.x\"].module.b.host.h[\"1\"]", "module.a[\"k.x\"].module.b", "host.h[\"1\"]"),
        ("module.a.nfs.s.clusters[\"cluster.c\"]", "module.a", "nfs.s.clusters[\"cluster.c\"]"),
    ] {
        assert_eq!(split(&samples::address(text)), (module, resource));
    }
}
