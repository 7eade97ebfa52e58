//! Types: mistakes in them, and values that do not have them, as people see them.

use insta::assert_snapshot;

use super::{planned, zone};

const RACKS: &str = r#"[variable.racks]
type = '''
list(object({
  name  = string
  ports = optional(number, 22)
  hosts = optional(map(object({ ip = string })), {})
}))'''
"#;

#[test]
fn a_value_that_does_not_fit_is_shown_where_it_is_and_where_it_was_asked_for() {
    let rackform = zone(RACKS, "var.racks[0].name");
    rackform.write(
        "rackform.vars.toml",
        "[[racks]]\nname = 'a'\nhosts = { x = { ip = '10.0.0.1' }, y = { ip = ['10.0.0.2'] } }\n\
         [[racks]]\nports = 'many'\n",
    );
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    bad_variable

      × racks[0].hosts["y"].ip must be text
      ╰─▶ The value comes from rackform.vars.toml:3.
       ╭─[rackform.vars.toml:3:47]
     2 │ name = 'a'
     3 │ hosts = { x = { ip = '10.0.0.1' }, y = { ip = ['10.0.0.2'] } }
       ·                                               ──────┬─────
       ·                                                     ╰── this is a list
     4 │ [[racks]]
       ╰────
      ☞ asked for here
       ╭─[main.rack.toml:8:38]
     7 │   ports = optional(number, 22)
     8 │   hosts = optional(map(object({ ip = string })), {})
       ·                                      ──────
     9 │ }))'''
       ╰────

    bad_variable

      × racks[1] must have the attribute `name`
      ╰─▶ The value comes from rackform.vars.toml:4.
       ╭─[rackform.vars.toml:4:1]
     3 │ hosts = { x = { ip = '10.0.0.1' }, y = { ip = ['10.0.0.2'] } }
     4 │ [[racks]]
       · ────┬────
       ·     ╰── lacks `name`
     5 │ ports = 'many'
       ╰────
      ☞ asked for here
       ╭─[main.rack.toml:6:3]
     5 │ list(object({
     6 │   name  = string
       ·   ────
     7 │   ports = optional(number, 22)
       ╰────

    bad_variable

      × racks[1].ports must be a number
      ╰─▶ The value comes from rackform.vars.toml:5.
       ╭─[rackform.vars.toml:5:9]
     4 │ [[racks]]
     5 │ ports = 'many'
       ·         ───┬──
       ·            ╰── this is a string
       ╰────
      ☞ asked for here
       ╭─[main.rack.toml:7:20]
     6 │   name  = string
     7 │   ports = optional(number, 22)
       ·                    ──────
     8 │   hosts = optional(map(object({ ip = string })), {})
       ╰────

    3 errors
    "#);
}

#[test]
fn a_value_on_the_command_line_is_quoted() {
    let rackform = zone(RACKS, "var.racks[0].name");
    assert_snapshot!(rackform.run(&["validate", "--var", r#"racks=[{name = "a", ports = x}]"#]).seen(), @r#"
    exit 1
    --- stderr
    bad_variable

      × --var gives `racks` no value: `x` is no value here
       ╭─[--var racks:1:23]
     1 │ [{name = "a", ports = x}]
       ·                       ┬
       ·                       ╰── text stands in quotes
       ╰────
      help: write "x"

    1 error
    "#);
    assert_snapshot!(rackform.run(&["validate", "--var", r#"racks=[{"ports": 22}]"#]).seen(), @r#"
    exit 1
    --- stderr
    bad_variable

      × racks[0] must have the attribute `name`
      ╰─▶ The value comes from --var.
       ╭─[--var racks:1:1]
     1 │ [{"ports": 22}]
       · ───────┬───────
       ·        ╰── lacks `name`
       ╰────
      ☞ asked for here
       ╭─[main.rack.toml:6:3]
     5 │ list(object({
     6 │   name  = string
       ·   ────
     7 │   ports = optional(number, 22)
       ╰────

    1 error
    "#);
}

#[test]
fn attributes_that_the_type_lacks_are_left_out_with_a_warning() {
    let rackform = zone(RACKS, "var.racks[0].name");
    rackform.write(
        "rackform.vars.toml",
        "racks = [{ name = 'a', port = 23 }, { name = 'b', port = 1 }]\n",
    );
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 0
    --- stdout
    The configuration is valid: 1 resource, 0 attachments.
    --- stderr
    dropped_attribute

      ⚠ `port` of racks[0] is not in its type and is left out (and 1 other
      │ instance)
       ╭─[rackform.vars.toml:1:24]
     1 │ racks = [{ name = 'a', port = 23 }, { name = 'b', port = 1 }]
       ·                        ──┬─
       ·                          ╰── left out
       ╰────
      ☞ the type
       ╭─[main.rack.toml:5:6]
     4 │ type = '''
     5 │ list(object({
       ·      ──────
     6 │   name  = string
       ╰────
      help: did you mean `ports`?

    1 warning
    "#);
    // On the command line it is likely shared with others.
    let outcome =
        rackform.run(&["validate", "--var", "racks=[{name = \"a\", port = 1}]"]).expect(0);
    assert!(outcome.stderr.is_empty(), "{}", outcome.stderr);
}

#[test]
fn a_mistake_in_a_type_is_shown_at_its_characters() {
    let rackform = zone(
        "[variable.racks]\ntype = \"map(object({\\\"ip\\\" = optional(sting, 3)}))\"\n",
        "var.racks",
    );
    assert_snapshot!(rackform.run(&["validate"]).seen(), @r#"
    exit 1
    --- stderr
    bad_type

      × there is no type `sting`
       ╭─[main.rack.toml:4:39]
     3 │ [variable.racks]
     4 │ type = "map(object({\"ip\" = optional(sting, 3)}))"
       ·                                       ──┬──
       ·                                         ╰── here
     5 │
       ╰────
      help: did you mean `string`?

    1 error
    "#);
}

#[test]
fn values_get_their_types_and_defaults() {
    let rackform = zone(
        "[variable.r]\ntype = 'object({a = optional(object({b = optional(number, \"7\")}), {}), \
         c = list(string)})'\n",
        "var.r.a.b + 1} ${var.r.c[0]",
    );
    assert_eq!(planned(&rackform, &["--var", "r={c = [8, true]}"]), "8 8");
    assert_eq!(planned(&rackform, &["--var", "r={\"a\": {\"b\": 1}, \"c\": [true]}"]), "2 true");
    assert_eq!(planned(&rackform, &["--var", r#"r={"a": null, "c": ["${x}"]}"#]), "8 ${x}");
}

#[test]
fn null_asks_for_the_default_where_it_cannot_be_the_value() {
    let declared =
        |nullable: &str| format!("[variable.n]\ntype = 'any'\ndefault = 'default'\n{nullable}\n");
    let rackform = zone(&declared("nullable = false"), "var.n");
    assert_eq!(planned(&rackform, &["--var", "n=null"]), "default");
    let rackform = zone(&declared(""), "var.n == null ? \"null\" : var.n");
    assert_eq!(planned(&rackform, &["--var", "n=null"]), "null");
    let rackform = zone("[variable.n]\ntype = 'any'\nnullable = false\n", "var.n");
    rackform.run(&["plan", "--var", "n=null"]).expect(1).says(&["the variable `n` has no value"]);
}
