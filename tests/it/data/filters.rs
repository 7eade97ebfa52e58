//! What is found by which filter, and how it can be used.

use crate::common::process::Rackform;

use super::{calls, evaluated, id, plan, seeded, with};

#[test]
fn by_name_id_and_any_attribute() {
    let cloud = seeded();
    let host = id(&cloud, "/hosts?q=managementIp=10.0.0.2");
    for filter in [
        "name = \"kvm02\"".to_owned(),
        format!("uuid = \"{host}\""),
        format!("id = \"{host}\""),
        "management_ip = \"10.0.0.2\"".to_owned(),
        "name = \"kvm02\"\nstatus = \"Connected\"\nssh_port = 22".to_owned(),
    ] {
        let table = format!("[data.host.x]\n{filter}\n");
        let seen = evaluated(&cloud, &table, "${data.host.x.id} ${data.host.x.management_ip}");
        assert_eq!(seen, format!("{host} 10.0.0.2"), "{filter}");
    }
}

#[test]
fn a_reference_is_the_id() {
    let cloud = seeded();
    let zone = id(&cloud, "/zones?q=name=east");
    let references = [
        "'${data.zone.main}'",
        "'${data.zone.main.id}'",
        "'${data.zone.main.uuid}'",
        "\"data.zone.main\"",
    ];
    for reference in references {
        let config = format!(
            "[data.zone.main]\nname = \"east\"\n[cluster.new]\nzone = {reference}\n\
             hypervisor_type = \"KVM\"\n"
        );
        let rackform = with(&cloud, &config);
        rackform.run(&["apply", "--auto-approve"]).expect(0);
        let new = cloud.one("/clusters?q=name=new");
        assert_eq!(new["zoneUuid"], zone.as_str(), "{reference}");
        let again = rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
        assert!(again.stdout.contains("No changes"), "{}", again.stdout);
        rackform.run(&["destroy", "--auto-approve"]).expect(0);
    }
    cloud.assert_no_violations();
}

/// References between tables are looked up one after the other; ids of ours come from the state.
#[test]
fn a_filter_can_be_an_object_of_ours_or_another_table() {
    let cloud = seeded();
    let tables = "[data.zone.main]\nname = \"east\"\n\
        [data.cluster.b]\nname = \"b\"\nzone = '${data.zone.main}'\n\
        [data.host.x]\nname = \"kvm01\"\ncluster = \"data.cluster.b\"\n";
    assert_eq!(evaluated(&cloud, tables, "${data.host.x.management_ip}"), "10.0.0.3");

    let zone = "[zone.ours]\n";
    let rackform = with(&cloud, zone);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let table = "[data.zone.again]\nuuid = '${zone.ours.id}'\n\
        [cluster.new]\nzone = '${data.zone.again}'\nhypervisor_type = \"KVM\"\n";
    rackform.write("main.rack.toml", &format!("{}{zone}{table}", cloud.provider()));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    assert_eq!(cloud.one("/clusters?q=name=new")["zoneUuid"], id(&cloud, "/zones?q=name=ours"));
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
}

#[test]
fn all_is_a_list() {
    let cloud = seeded();
    let tables = "[data.host.all]\nall = true\n[data.host.none]\nall = true\nname = \"nobody\"\n";
    let of = |expression: &str| evaluated(&cloud, tables, expression);
    assert_eq!(of("${tostring(data.host.none == [])}"), "true");
    let ips = of("${tostring(data.host.all[*].management_ip == [data.host.all[0].management_ip, \
                  data.host.all[1].management_ip, data.host.all[2].management_ip])}");
    assert_eq!(ips, "true");

    // A list of references where one is wanted: attached to both clusters of the zone.
    let config = "[data.zone.east]\nname = \"east\"\n\
        [data.cluster.of_east]\nall = true\nzone = '${data.zone.east}'\n\
        [nfs_primary_storage.more]\nzone = '${data.zone.east}'\nurl = \"10.0.0.8:/more\"\n\
        clusters = '${data.cluster.of_east}'\n";
    let rackform = with(&cloud, config);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let more = cloud.one("/primary-storage?q=name=more");
    assert_eq!(more["attachedClusterUuids"].as_array().map(Vec::len), Some(2), "{more}");
    rackform.run(&["plan", "--detailed-exitcode"]).expect(0);
    cloud.assert_no_violations();
}

#[test]
fn attachments_of_what_is_looked_up_are_lists_of_ids() {
    let cloud = seeded();
    let first = "[data.nfs_primary_storage.x]\nname = \"nfs\"\n";
    let cluster = evaluated(&cloud, first, "${data.nfs_primary_storage.x.clusters[0]}");
    assert!(cloud.rows("/clusters").iter().any(|row| row["uuid"] == cluster.as_str()), "{cluster}");
    let general = "[data.primary_storage.x]\nname = \"nfs\"\n";
    let url =
        evaluated(&cloud, general, "${data.primary_storage.x.type} ${data.primary_storage.x.url}");
    assert_eq!(url, "NFS 10.0.0.9:/export");
}

/// An operator, quote or wildcard in a value must not change what is asked (reference 1.7).
#[test]
fn values_that_a_query_would_misread() {
    let cloud = seeded();
    for name in ["west's \"hall\"", "机房", "a>=b", "is null", "x,y", "100%", "100 "] {
        let zone = cloud.rows("/zones").into_iter().find(|row| row["name"] == name).expect(name);
        let table = format!("[data.zone.x]\nname = '''{name}'''\n");
        let seen = evaluated(&cloud, &table, "${data.zone.x.id}");
        assert_eq!(zone["uuid"], seen.as_str(), "{name}");
    }
    // `%` finds nothing but itself, and a name is not taken for another case of it.
    for name in ["1%", "%", "EAST"] {
        let outcome = plan(&cloud, &format!("[data.zone.x]\nname = \"{name}\"\n")).expect(1);
        assert!(outcome.stderr.contains("finds nothing"), "{name}: {}", outcome.stderr);
    }
}

#[test]
fn tables_of_a_type_share_requests() {
    let cloud = seeded();
    let names = ["east", "机房", "x"];
    let table =
        |at: usize, name: &str| format!("[data.zone.z{at}]\nall = true\nname = \"{name}\"\n");
    let tables: String = names.iter().enumerate().map(|(at, name)| table(at, name)).collect();
    cloud.reset();
    plan(&cloud, &tables).expect(0);
    assert_eq!(calls(&cloud, "QueryZone"), 1, "{}", cloud.counts());

    // Ids are one query too, and what cannot be asked for takes the list, once for all.
    let ids: Vec<_> = cloud.rows("/zones").into_iter().map(|row| row["uuid"].clone()).collect();
    let by_id = |at: usize| format!("[data.zone.i{at}]\nuuid = {}\n", ids[at]);
    cloud.reset();
    plan(&cloud, &(0..5).map(by_id).collect::<String>()).expect(0);
    assert_eq!(calls(&cloud, "QueryZone"), 1, "{}", cloud.counts());
    let odd = "[data.zone.odd]\nname = \"a>=b\"\n";
    cloud.reset();
    plan(&cloud, &format!("{odd}{tables}{}", by_id(0))).expect(0);
    assert_eq!(calls(&cloud, "QueryZone"), 1, "{}", cloud.counts());
}

/// They are in the number of requests that a plan names.
#[test]
fn look_ups_are_counted() {
    let cloud = seeded();
    let rackform = with(&cloud, "[zone.a]\n");
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let plan = || rackform.run(&["plan"]).expect(0).stdout;
    assert!(plan().contains("(1 object compared with 1 request)"), "{}", plan());
    let table = "[zone.a]\n[data.cluster.a]\nname = \"a\"\n";
    rackform.write("main.rack.toml", &format!("{}{table}", cloud.provider()));
    assert!(plan().contains("(1 object compared with 2 requests)"), "{}", plan());
}

/// What a server returns in clear must not come out of a look-up.
#[test]
fn sensitive_attributes_have_no_value() {
    let cloud = seeded();
    let table = "[data.host.x]\nname = \"kvm02\"\n";
    let config = format!("{table}[zone.z]\ndescription = '${{data.host.x.password}}'\n");
    let outcome = plan(&cloud, &config).expect(1);
    assert!(outcome.stderr.contains("never read from a cloud"), "{}", outcome.stderr);
    let outcome = plan(&cloud, "[data.host.x]\npassword = \"p\"\n").expect(1);
    assert!(outcome.stderr.contains("`password` cannot be a filter"), "{}", outcome.stderr);
    assert!(!outcome.stderr.contains("\"p\""), "{}", outcome.stderr);
}

/// The built-in server needs no other process and no account.
#[test]
fn the_built_in_server_is_looked_up_too() {
    let config = "[provider.zstack]\nendpoint = \"emulator\"\n[zone.east]\n";
    let rackform = Rackform::with(config);
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    let more = "[data.zone.x]\nname = \"east\"\n[data.hypervisor_types.x]\n\
        [cluster.a]\nzone = '${data.zone.x}'\nhypervisor_type = \"KVM\"\n";
    rackform.write("main.rack.toml", &format!("{config}{more}"));
    rackform.run(&["apply", "--auto-approve"]).expect(0);
    rackform.run(&["graph"]).expect(0);
}
