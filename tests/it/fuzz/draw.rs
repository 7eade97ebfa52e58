//! Random expressions: every operator, every function, names that are there and that are not.

use proptest::prelude::*;

use rackform::config::expr::function;

/// Values without parts. The names of secrets are among them.
const LEAVES: [&str; 56] = [
    "0",
    "1",
    "-1",
    "2.5",
    "1e300",
    "9223372036854775807",
    "true",
    "false",
    "null",
    "\"\"",
    "\"a\"",
    "\"b\"",
    "\"10.0.0.0/8\"",
    "\"é\\u00e9\\n\"",
    "\"[a-\"",
    "\"%d %s\"",
    "\"hosts.csv\"",
    "\"x.json\"",
    "\"bytes\"",
    "var.text",
    "var.number",
    "var.list",
    "var.map",
    "var.secret",
    "var.secrets",
    "var.secret_map",
    "var.secret_map",
    "var.nothing",
    "var.txt",
    "local.a",
    "local.b",
    "local.circle",
    "local.none",
    "each.key",
    "each.value",
    "count.index",
    "path.module",
    "path.root",
    "self",
    "zone.z",
    "zone.z.id",
    "zone.z.name",
    "zone.many",
    "zone.many[\"a\"].name",
    "zone.many[*].id",
    "zone.counted[0]",
    "cluster.c.zone",
    "data.zone.d",
    "data.zone.d.name",
    "data.zone.all[*].name",
    "module.m.out",
    "module.m",
    "module.each[\"a\"].out",
    "module.m.secret",
    "terraform.workspace",
    "x",
];

const OPERATORS: [&str; 13] =
    ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"];

/// Functions that say that a secret is none.
const UNMASKING: [&str; 1] = ["nonsensitive"];

fn functions() -> Vec<&'static str> {
    let known = function::all().map(|f| f.name).filter(|name| !UNMASKING.contains(name));
    known.chain(["tonumbr", "uuid", "no_such"]).collect()
}

/// The text of an expression.
pub fn expression() -> BoxedStrategy<String> {
    let functions = functions();
    let leaf = (0..LEAVES.len()).prop_map(|at| LEAVES[at].to_owned());
    leaf.prop_recursive(4, 24, 3, move |inner| {
        let functions = functions.clone();
        let operator = (0..OPERATORS.len()).prop_map(|at| OPERATORS[at]);
        let name = (0..functions.len()).prop_map(move |at| functions[at]);
        let many = proptest::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            1 => inner.clone().prop_map(|a| format!("({a})")),
            1 => inner.clone().prop_map(|a| format!("!{a}")),
            1 => inner.clone().prop_map(|a| format!("-{a}")),
            2 => (inner.clone(), operator, inner.clone())
                .prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
            1 => (inner.clone(), inner.clone(), inner.clone())
                .prop_map(|(a, b, c)| format!("{a} ? {b} : {c}")),
            1 => many.clone().prop_map(|items| format!("[{}]", items.join(", "))),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{{ ({a}) = {b}, c = 1 }}")),
            4 => (name, many, any::<bool>()).prop_map(|(name, items, spread)| {
                let spread = if spread && !items.is_empty() { "..." } else { "" };
                format!("{name}({}{spread})", items.join(", "))
            }),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("[for k, x in {a} : {b}]")),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("{{ for x, k in {a} : x => {b} }}")),
            1 => inner.clone().prop_map(|a| format!("{{ for k, x in {a} : x => k... if x != 1 }}")),
            1 => (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a})[{b}]")),
            1 => inner.clone().prop_map(|a| format!("({a}).name")),
            1 => inner.clone().prop_map(|a| format!("({a})[*].b.c")),
            1 => inner.clone().prop_map(|a| format!("({a}).*.b[0]")),
            1 => inner.clone().prop_map(|a| format!("\"a ${{{a}}} b\"")),
            1 => (inner.clone(), inner.clone())
                .prop_map(|(a, b)| format!("\"%{{ if {a} ~}} x ${{{b}}} %{{ else }}y%{{ endif }}\"")),
            1 => (inner.clone(), inner)
                .prop_map(|(a, b)| format!("\"%{{ for x in {a} }}${{{b}}},%{{ endfor ~}} \"")),
        ]
    })
    .boxed()
}
