//! The document as policies read it, by snapshot.

use super::*;
use crate::render::samples::{self, change, diff, shown};

fn pretty(plan: &Plan) -> serde_json::Value {
    serde_json::from_str(&text(plan, None)).expect("JSON")
}

#[test]
fn the_document_has_terraforms_keys() {
    let json = pretty(&samples::plan());
    insta::assert_snapshot!(serde_json::to_string_pretty(&json).expect("JSON"), @r#"
    {
      "format_version": "1.2",
      "rackform_version": "0.1.0",
      "applyable": true,
      "complete": true,
      "errored": false,
      "resource_changes": [
        {
          "address": "host.kvm[\"01\"]",
          "mode": "managed",
          "type": "host",
          "name": "kvm",
          "index": "01",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "create"
            ],
            "before": null,
            "after": {
              "management_ip": "10.0.1.11",
              "password": null,
              "ssh_port": 22
            },
            "after_unknown": {
              "id": true,
              "cluster": true
            },
            "before_sensitive": {},
            "after_sensitive": {
              "password": true
            }
          }
        },
        {
          "address": "local_primary_storage.scratch.clusters[\"cluster.rack\"]",
          "mode": "managed",
          "type": "local_primary_storage.clusters",
          "name": "scratch",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "create"
            ],
            "before": null,
            "after": {},
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        },
        {
          "address": "host.kvm[\"02\"]",
          "mode": "managed",
          "type": "host",
          "name": "kvm",
          "index": "02",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "update"
            ],
            "before": {
              "id": "6f1f04c2a3714c1f8d3c0a55b6e0c001",
              "management_ip": "10.0.1.11",
              "zone": "a",
              "password": null,
              "description": "old"
            },
            "after": {
              "id": "6f1f04c2a3714c1f8d3c0a55b6e0c001",
              "management_ip": "10.0.1.12",
              "password": null,
              "description": null
            },
            "after_unknown": {
              "zone": true
            },
            "before_sensitive": {
              "password": true
            },
            "after_sensitive": {
              "password": true
            }
          }
        },
        {
          "address": "nfs_primary_storage.s",
          "mode": "managed",
          "type": "nfs_primary_storage",
          "name": "s",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "delete",
              "create"
            ],
            "before": {
              "id": "6f1f04c2a3714c1f8d3c0a55b6e0c001",
              "url": "/old"
            },
            "after": {
              "url": "/new"
            },
            "after_unknown": {
              "id": true
            },
            "before_sensitive": {},
            "after_sensitive": {},
            "replace_paths": [
              [
                "url"
              ]
            ]
          },
          "action_reason": "replace_because_cannot_update",
          "casualties": {
            "VMs stopped": 0,
            "volumes": 3
          }
        },
        {
          "address": "zone.old",
          "mode": "managed",
          "type": "zone",
          "name": "old",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "delete"
            ],
            "before": {
              "id": "6f1f04c2a3714c1f8d3c0a55b6e0c001"
            },
            "after": null,
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          },
          "action_reason": "delete_because_no_resource_config",
          "casualties": {
            "VMs": 1200,
            "hosts": 3
          }
        },
        {
          "address": "zone.west",
          "mode": "managed",
          "type": "zone",
          "name": "west",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "no-op"
            ],
            "before": {},
            "after": {},
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        },
        {
          "address": "zone.north",
          "mode": "managed",
          "type": "zone",
          "name": "north",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "forget"
            ],
            "before": {},
            "after": null,
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        },
        {
          "address": "zone.south",
          "mode": "managed",
          "type": "zone",
          "name": "south",
          "provider_name": "zstack",
          "change": {
            "actions": [
              "no-op"
            ],
            "before": {},
            "after": {},
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        }
      ],
      "resource_drift": [
        {
          "address": "zone.north",
          "mode": "managed",
          "type": "zone",
          "name": "north",
          "change": {
            "actions": [
              "delete"
            ],
            "before": {},
            "after": null,
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        },
        {
          "address": "host.kvm[\"02\"]",
          "mode": "managed",
          "type": "host",
          "name": "kvm",
          "index": "02",
          "change": {
            "actions": [
              "update"
            ],
            "before": {
              "name": "kvm-02"
            },
            "after": {
              "name": "by\u001b[2Jhand"
            },
            "after_unknown": {},
            "before_sensitive": {},
            "after_sensitive": {}
          }
        }
      ],
      "notes": [
        {
          "address": "local_primary_storage.scratch",
          "text": "cluster 0a5c is attached by somebody else and stays so",
          "help": "rackform import adopts it"
        }
      ]
    }
    "#);
}

#[test]
fn a_secret_inside_a_value_is_null_and_marked() {
    let list = Value::list(vec![Value::str("hunter2").sensitive(), Value::str("b")]);
    let mut update = change("zone.east", Action::Update, Reason::Differs);
    update.diffs = vec![diff("mons", shown("a"), Shown::Value(list))];
    let plan = Plan { changes: vec![update], ..Plan::default() };
    let json = pretty(&plan);
    let change = &json["resource_changes"][0]["change"];
    assert_eq!(change["after"]["mons"], serde_json::json!([null, "b"]));
    assert_eq!(change["after_sensitive"], serde_json::json!({"mons": true}));
}

#[test]
fn gitlab_counts_a_replacement_twice() {
    assert_eq!(gitlab_report(&samples::plan()), r#"{"create":3,"update":1,"delete":2}"#);
}
