//! Provider settings that lead nowhere.

use insta::assert_snapshot;

use crate::common::process::Rackform;
use crate::common::seen::filters;

#[test]
fn a_provider_that_cannot_be_one() {
    let _filters = filters();
    let provider = |settings: &str| {
        let rackform = Rackform::with(&format!("[provider.zstack]\n{settings}\n[zone.east]\n"));
        rackform.run(&["plan", "-C", "."]).seen()
    };
    assert_snapshot!(provider("endpoint = \"cloud.example.com\"\naccount = \"a\"\npassword = '${env(\"ZSTACK_PASSWORD\")}'"), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: `cloud.example.com` is no endpoint: it is not a URL
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "cloud.example.com"
       ╰────
      help: an endpoint is a URL such as https://mn.example.com:8080

    1 error
    "#);
    assert_snapshot!(provider("endpoint = \"http://127.0.0.1:9\"\naccount = \"a\""), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack has no `password`
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "http://127.0.0.1:PORT"
       ╰────
      help: set it from the environment: password = '${env("ZSTACK_PASSWORD")}'

    1 error
    "#);
    assert_snapshot!(provider("endpoint = \"http://127.0.0.1:9\"\naccount = \"a\"\npassword = '${env(\"MISSING\")}'"), @r#"
    exit 1
    --- stderr
    unset_env

      × the environment variable MISSING is not set
       ╭─[main.rack.toml:4:12]
     3 │ account = "a"
     4 │ password = '${env("MISSING")}'
       ·            ─────────┬─────────
       ·                     ╰── needed here
     5 │ [zone.east]
       ╰────
      help: export MISSING=… before running rackform

    1 error
    "#);
    assert_snapshot!(provider("endpiont = \"http://127.0.0.1:9\""), @r#"
    exit 1
    --- stderr
    unknown_attribute

      × `provider.zstack` has no attribute `endpiont`
       ╭─[main.rack.toml:2:1]
     1 │ [provider.zstack]
     2 │ endpiont = "http://127.0.0.1:PORT"
       · ────┬───
       ·     ╰── unknown
     3 │ [zone.east]
       ╰────
      help: did you mean `endpoint`?

    1 error
    "#);
    let misspelt = "[provider.zstack]\ntimout = 5\n[zone.east]\n";
    let offline = Rackform::with(misspelt).run(&["validate"]).seen();
    assert!(offline.contains("did you mean `timeout`?"), "{offline}");
    assert_snapshot!(provider("endpoint = \"https://127.0.0.1:9\"\naccount = \"a\"\npassword = '${env(\"ZSTACK_PASSWORD\")}'\nca_file = \"ca.pem\""), @r#"
    exit 1
    --- stderr
    provider

      × provider.zstack: ./ca.pem cannot be read: No such file or directory (os
      │ error 2)
       ╭─[main.rack.toml:1:1]
     1 │ [provider.zstack]
       · ────────┬────────
       ·         ╰── this provider
     2 │ endpoint = "https://127.0.0.1:PORT"
       ╰────
      help: `ca_file` is relative to the directory of the configuration

    1 error
    "#);
}
