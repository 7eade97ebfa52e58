//! The operators of query conditions, one by one, and how a condition is taken apart.

use rackform::emulator::ServerVersion;
use serde_json::{Value, json};

use super::world::{cluster, host_body, zone};
use crate::common::raw::{Api, VERSIONS};

/// Zones with and without a description; one describes itself as "null", one as nothing.
async fn described(version: ServerVersion) -> Api {
    let api = Api::start(version).await;
    let zones = [
        ("alpha", Value::Null),
        ("beta", json!("first hall")),
        ("gamma", json!("null")),
        ("delta", json!("")),
    ];
    for (name, description) in zones {
        let mut params = json!({"name": name});
        if !description.is_null() {
            params["description"] = description;
        }
        let accepted = api.post("/zones", json!({"params": params})).await;
        api.inventory(accepted).await;
    }
    api
}

#[tokio::test]
async fn case_19_null_is_asked_for_in_words() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        zone(&api, "bare").await;
        let body = json!({"params": {"name": "told", "description": "first hall"}});
        let accepted = api.post("/zones", body).await;
        api.inventory(accepted).await;

        assert_eq!(api.names("/zones?q=description%20is%20null").await, ["bare"]);
        assert_eq!(api.names("/zones?q=description+is+null").await, ["bare"]);
        assert!(api.names("/zones?q=description=null").await.is_empty());
        assert_eq!(api.names("/zones?q=description%20not%20null").await, ["told"]);
    }
}

#[tokio::test]
async fn case_20_a_list_of_values_and_the_first_fields_parameter() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let (a, b) = (zone(&api, "a").await, zone(&api, "b").await);
        zone(&api, "c").await;
        assert_eq!(api.names(&format!("/zones?q=uuid?={a},{b}")).await, ["a", "b"]);
        assert_eq!(api.names(&format!("/zones?q=uuid!?={a},{b}")).await, ["c"]);

        for row in api.rows("/zones?fields=uuid&fields=name").await {
            let members: Vec<_> = row.as_object().expect("a row").keys().collect();
            assert_eq!(members, ["uuid"]);
        }
    }
}

#[tokio::test]
async fn null_as_a_value_is_the_word() {
    for version in VERSIONS {
        let api = described(version).await;
        assert_eq!(api.names("/zones?q=description=null").await, ["gamma"]);
        assert_eq!(api.names("/zones?q=description is null").await, ["alpha"]);
        let told = api.names("/zones?q=description not null").await;
        assert_eq!(told, ["beta", "delta", "gamma"]);
    }
}

#[tokio::test]
async fn an_absent_value_is_the_empty_text() {
    let api = described(ServerVersion::V3_0).await;
    assert_eq!(api.names("/zones?q=description=").await, ["delta"]);
}

#[tokio::test]
async fn texts_are_compared() {
    for version in VERSIONS {
        let api = described(version).await;
        let all = ["alpha", "beta", "delta", "gamma"];
        for (condition, expected) in [
            ("name=beta", &all[1..2]),
            ("name!=beta", &["alpha", "delta", "gamma"]),
            ("name>beta", &all[2..]),
            ("name>=beta", &all[1..]),
            ("name<delta", &all[..2]),
            ("name<=delta", &all[..3]),
        ] {
            assert_eq!(api.names(&format!("/zones?q={condition}")).await, expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn patterns_have_percent_and_underscore() {
    for version in VERSIONS {
        let api = described(version).await;
        for (condition, expected) in [
            ("name~=%25ta", vec!["beta", "delta"]),
            ("name~=_eta", vec!["beta"]),
            ("name~=eta", vec![]),
            ("name!~=%25ta", vec!["alpha", "gamma"]),
        ] {
            assert_eq!(api.names(&format!("/zones?q={condition}")).await, expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn lists_are_cut_at_every_comma() {
    for version in VERSIONS {
        let api = described(version).await;
        assert_eq!(api.names("/zones?q=name?=beta,gamma,none").await, ["beta", "gamma"]);
        assert_eq!(api.names("/zones?q=name!?=beta,gamma").await, ["alpha", "delta"]);
        assert_eq!(api.names("/zones?q=name?=beta").await, ["beta"]);
    }
}

#[tokio::test]
async fn numbers_are_compared_as_numbers() {
    for version in VERSIONS {
        let api = Api::start(version).await;
        let zone = zone(&api, "east").await;
        let cluster = cluster(&api, &zone, "rack").await;
        for (ip, port) in [("10.0.1.1", 22), ("10.0.1.2", 2222)] {
            let mut body = host_body(&cluster, ip);
            body["params"]["sshPort"] = json!(port);
            let accepted = api.post("/hosts/kvm", body).await;
            api.inventory(accepted).await;
        }
        // As text, "22" would come after "1000".
        for (condition, expected) in [
            ("sshPort>=1000", vec!["host-10.0.1.2"]),
            ("sshPort<1000", vec!["host-10.0.1.1"]),
            ("sshPort=22", vec!["host-10.0.1.1"]),
            ("sshPort?=22,2222", vec!["host-10.0.1.1", "host-10.0.1.2"]),
        ] {
            let path = format!("/hosts?q=hypervisorType=KVM&q={condition}");
            assert_eq!(api.names(&path).await, expected, "{condition}");
        }
    }
}

#[tokio::test]
async fn the_name_is_trimmed_and_the_value_is_not() {
    let api = described(ServerVersion::V3_0).await;
    assert_eq!(api.names("/zones?q=%20name%20=beta").await, ["beta"]);
    assert!(api.names("/zones?q=name=%20beta").await.is_empty());
}

#[tokio::test]
async fn an_operator_inside_a_value_spoils_the_condition() {
    for version in VERSIONS {
        let api = described(version).await;
        // The first operator in the server's own order wins, wherever it stands.
        for spoilt in ["name=a>=b", "name=a!=b", "name=a~=b"] {
            api.get(&format!("/zones?q={spoilt}")).await.expect_error("SYS.1000");
        }
        // "not null" is the operator; what is left before it is no field.
        api.get("/zones?q=description is not null").await.expect_error("SYS.1000");
        // "=" is looked for before "is null".
        assert!(api.names("/zones?q=name=what is null").await.is_empty());
    }
}

#[tokio::test]
async fn operators_are_looked_for_in_the_servers_own_order() {
    const ORDER: [&str; 12] =
        ["!=", ">=", "<=", "!?=", "!~=", "~=", "?=", "=", ">", "<", "is null", "not null"];
    let api = described(ServerVersion::V3_0).await;
    for pair in ORDER.windows(2) {
        let [first, second] = [pair[0], pair[1]];
        // The earlier one splits, wherever it stands: what is before it is a field or is none.
        api.rows(&format!("/zones?q=name {first}x{second}y")).await;
        let spoilt = api.get(&format!("/zones?q=name {second}x{first}y")).await;
        spoilt.expect_error("SYS.1000");
    }
}

#[tokio::test]
async fn quotes_in_values_are_escaped_since_5_2() {
    let api = Api::start(ServerVersion::V5_2).await;
    let accepted =
        api.post("/zones", json!({"params": {"name": "first", "description": "o'hall"}}));
    let accepted = accepted.await;
    api.inventory(accepted).await;
    assert_eq!(api.names("/zones?q=description=o%27hall").await, ["first"]);
}
