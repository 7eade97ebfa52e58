//! Functions of maps.
//!
//! In: maps, whose values are only passed on. Out: maps, values, lists in the order of the keys.
//! Looking a key up costs no walk and no copy.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::known;
use super::args::plain_text;
use super::{Args, Function, Group, MAX_ITEMS, Misuse, Outcome};
use crate::diag::nearest;
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Collection, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("keys", "map", keys)
        .shallow()
        .says("The keys of a map, in order.")
        .example("keys({ b = 1, a = 2 })", r#"["a", "b"]"#),
    row("lookup", "map, key, [default]", lookup)
        .shallow()
        .says("The value of a key; the default where the map has no such key.")
        .example(r#"lookup({ a = 1 }, "b", 0)"#, "0"),
    row("merge", "maps...", merge)
        .shallow()
        .says("The keys of maps in one map; later ones win.")
        .example("merge({ a = 1, b = 1 }, { b = 2 })", "{ a = 1, b = 2 }"),
    row("transpose", "map", transpose)
        .says("A map of lists of texts the other way round.")
        .example(
            r#"transpose({ a = ["1", "2"], b = ["2"] })"#,
            r#"{ "1" = ["a"], "2" = ["a", "b"] }"#,
        ),
    row("values", "map", values)
        .shallow()
        .says("The values of a map, in the order of its keys.")
        .example("values({ b = 1, a = 2 })", "[2, 1]"),
    row("zipmap", "keys, values", zip)
        .shallow()
        .says("A map of keys and values that stand at the same index of two lists.")
        .example(r#"zipmap(["a", "b"], [1, 2])"#, "{ a = 1, b = 2 }"),
];

fn keys(args: Args<'_>) -> Outcome {
    Ok(Value::list(args.map(0)?.keys().cloned().map(Value::Str).collect()))
}

fn lookup(args: Args<'_>) -> Outcome {
    let (items, key) = (args.map(0)?, args.text(1)?);
    if let Some(value) = items.get(&*key) {
        return Ok(value.clone());
    }
    if args.all().len() == 3 {
        return Ok(args.value(2).clone());
    }
    let misuse = args.wrong(1, format!("the map has no key {key:?}"));
    Err(match nearest(&key, items.keys().map(|k| &**k)) {
        Some(near) => Args::advice(misuse, format!("did you mean {near:?}?")),
        None => Args::advice(misuse, "a third argument is taken where there is no such key"),
    })
}

fn merge(args: Args<'_>) -> Outcome {
    let maps: Vec<_> = (0..args.all().len())
        .filter(|at| !args.value(*at).is_null())
        .map(|at| args.map(at))
        .collect::<Result<_, _>>()?;
    let mut full = maps.into_iter().filter(|items| !items.is_empty());
    let Some(first) = full.next() else { return Ok(Value::map(BTreeMap::new())) };
    let mut merged = first.clone();
    for items in full {
        // Copies keys and values by reference, and only when there is a second map.
        let merged = Arc::make_mut(&mut merged);
        merged.extend(items.iter().map(|(key, value)| (key.clone(), value.clone())));
        if merged.len() > MAX_ITEMS {
            return Err(args.too_many());
        }
    }
    Ok(Value::Map(merged))
}

fn transpose(args: Args<'_>) -> Outcome {
    let mut out: BTreeMap<Arc<str>, Vec<Value>> = BTreeMap::new();
    for (key, items) in args.map(0)?.iter() {
        let Value::List(items) = items else {
            let found = items.kind_name();
            return Err(
                args.wrong(0, format!("{found} under the key {key:?}, where a list is needed"))
            );
        };
        for item in items.iter() {
            let text = plain_text(item).ok_or_else(|| {
                let found = item.kind_name();
                args.wrong(0, format!("{found} under the key {key:?}, where text is needed"))
            })?;
            // Keys come in order, so that lists are.
            out.entry(text.into()).or_default().push(Value::Str(key.clone()));
        }
    }
    Ok(Value::map(out.into_iter().map(|(key, items)| (key, Value::list(items))).collect()))
}

fn values(args: Args<'_>) -> Outcome {
    Ok(Value::list(args.map(0)?.values().cloned().collect()))
}

fn zip(args: Args<'_>) -> Outcome {
    let (keys, values) = (args.list(0)?, args.list(1)?);
    if keys.len() != values.len() {
        let (keys, values) = (keys.len(), values.len());
        return Err(args.wrong(1, format!("{values} values for {keys} keys")));
    }
    let mut out = BTreeMap::new();
    for (key, value) in keys.iter().zip(values.iter()) {
        known::known(key).map_err(|stop| Misuse::of(0, stop))?;
        let text = match key.reveal() {
            Value::Str(text) => text.clone(),
            other => plain_text(other).map(Arc::from).ok_or_else(|| {
                args.wrong(0, format!("{} among the keys, where text is needed", key.kind_name()))
            })?,
        };
        out.insert(text, value.clone());
    }
    let out = Value::map(out);
    Ok(if keys.iter().any(Value::is_sensitive) { out.sensitive() } else { out })
}
