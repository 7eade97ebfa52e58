//! Random configurations: every table of the language, with drawn expressions in its places.

use proptest::collection::vec;
use proptest::prelude::*;

use super::draw::expression;
use super::{Input, check};

/// What expressions may name. Secrets come from the environment, where they are none yet.
const NAMES: &str = r#"
[provider.zstack]
endpoint = "emulator"
[variable.text]
default = "text"
[variable.number]
type    = "number"
default = 7
[variable.list]
type    = "list(string)"
default = ["a", "b"]
[variable.map]
default = { a = 1, b = { c = [2] } }
[variable.nothing]
default = '${env("UNSET")}'
[variable.secret]
sensitive = true
default   = '${env("SECRET")}'
[variable.secrets]
sensitive = true
default   = '${[env("SECRET"), "b"]}'
[variable.secret_map]
sensitive = true
default   = '${{ (env("SECRET")) = env("SECRET"), b = "2" }}'
[locals]
a = ["x", { b = 1 }]
[zone.z]
[zone.many]
for_each = ["a", "b"]
[zone.counted]
count = 2
[cluster.c]
zone            = "zone.z"
hypervisor_type = "KVM"
[data.zone.d]
name = "d"
[data.zone.all]
all = true
[module.each]
source   = "./m"
for_each = ["a"]
x        = '${each.key}'
"#;

/// Places for a value.
const PLACES: [&str; 25] = [
    "[locals]\ncircle = '${[local.circle]}'\nb = @\n",
    "[locals]\nb = @\n",
    "[locals]\nc = { d = [@] }\n",
    "[zone.e]\nname = @\n",
    "[zone.e]\nfor_each = @\nname = @\n",
    "[zone.e]\nfor_each = @\nfor_each_key = @\n",
    "[zone.e]\ncount = @\ndescription = @\n",
    "[zone.e]\ndepends_on = [@]\n",
    "[zone.e.lifecycle]\nprecondition = [{ condition = @, error_message = @ }]\n",
    "[zone.e.lifecycle]\npostcondition = [{ condition = @, error_message = @ }]\n",
    "[zone.e.lifecycle]\nreplace_triggered_by = [@]\nignore_changes = [@]\n",
    "[zone.e.timeouts]\ncreate = @\n",
    "[cluster.e]\nzone = @\nhypervisor_type = \"KVM\"\n",
    "[host.e]\ncluster = \"cluster.c\"\nmanagement_ip = @\nusername = @\npassword = @\n",
    "[nfs_primary_storage.e]\nzone = \"zone.z\"\nurl = @\nclusters = @\n",
    "[variable.v]\ntype = \"object({ a = optional(string) })\"\ndefault = @\n",
    "[variable.v]\ndefault = 1\nvalidation = [{ condition = @, error_message = @ }]\n",
    "[data.host.e]\nname = @\nall = @\n",
    "[data.host.e]\nfor_each = @\nuuid = @\n",
    "[module.m]\nsource = \"./m\"\nx = @\n",
    "[module.m]\nsource = \"./m\"\nfor_each = @\nx = @\n",
    "[output.o]\nvalue = @\nsensitive = true\n",
    "[check.c]\nassert = [{ condition = @, error_message = @ }]\n",
    "[provider.other]\ntype = \"zstack\"\nendpoint = @\n",
    "[[moved]]\nfrom = @\nto = @\n",
];

/// The module in `./m`.
const MODULE: &str = "[variable.x]\ndefault = \"x\"\n[variable.y]\ndefault = @\n[output.out]\n\
    value = @\n[output.secret]\nsensitive = true\nvalue = '${var.x}'\n[zone.in]\nname = @\n";

/// How an expression is written into TOML.
fn written() -> impl Strategy<Value = String> {
    let literal = |e: &str| format!("'''{e}'''");
    (expression(), 0..5_u8).prop_map(move |(e, how)| match how {
        0 => format!("\"{}\"", format!("${{{e}}}").escape_default()).replace("\\'", "'"),
        1 => literal(&format!("a ${{{e}}}")),
        2 => format!("\"\"\"\\\r\n  ${{{}}}\"\"\"", e.replace('\\', "\\\\").replace('"', "\\\"")),
        _ => literal(&format!("${{{e}}}")),
    })
}

/// A text with values in its places.
fn filled(text: &str, values: &mut impl Iterator<Item = String>) -> String {
    let mut pieces = text.split('@');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        out.push_str(&values.next().unwrap_or_default());
        out.push_str(piece);
    }
    out
}

fn inputs() -> impl Strategy<Value = Input> {
    let places = vec(0..PLACES.len(), 1..5);
    (places, vec(written(), 11)).prop_map(|(places, values)| {
        let mut values = values.into_iter();
        let module = filled(MODULE, &mut values).into_bytes();
        let mut root = vec![NAMES.as_bytes().to_vec()];
        root.extend(places.iter().map(|at| filled(PLACES[*at], &mut values).into_bytes()));
        Input { root, module }
    })
}

#[test]
fn drawn_configurations_are_judged_and_keep_their_secrets() {
    check(4, inputs, 250, true);
}
