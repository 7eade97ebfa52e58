//! Functions of sets.
//!
//! In: lists. Out: sets, which are lists in order with each element once. Objects whose ids are
//! not known yet are told apart by their addresses. A secret among the elements makes a secret of
//! the set: its length tells about them.

use super::common::{as_text, is_mixed};
use super::{Args, Function, Group, MAX_ITEMS, Misuse, Outcome, Stop, revealed};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Set, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("setintersection", "set, sets...", intersection)
        .says("The elements that are in all sets.")
        .example(r#"setintersection(["a", "b"], ["b", "c"])"#, r#"["b"]"#),
    row("setproduct", "set, other, sets...", product)
        .shallow()
        .says("All lists of one element of each set (or list), the last set turning fastest.")
        .example(
            r#"setproduct(["a", "b"], [1, 2])"#,
            r#"[["a", 1], ["a", 2], ["b", 1], ["b", 2]]"#,
        ),
    row("setsubtract", "set, other", subtract)
        .says("The elements of the first set that are not in the second.")
        .example(r#"setsubtract(["a", "b", "c"], ["a", "c"])"#, r#"["b"]"#),
    row("setunion", "set, sets...", union)
        .shallow()
        .says("The elements of all sets.")
        .example(r#"setunion(["a", "b"], ["b", "c"])"#, r#"["a", "b", "c"]"#),
];

/// The elements of a list without their marks, and whether one had any.
pub fn comparable(args: Args<'_>, at: usize) -> Result<(Vec<Value>, bool), Misuse> {
    let items = args.list(at)?;
    // Objects that were not looked up, because the configuration is only judged, look all the same.
    if items.iter().any(|item| matches!(item.reveal(), Value::Found(f) if f.attrs.is_none())) {
        return Err(Misuse { argument: Some(at), stop: Stop::Silent });
    }
    let secret = items.iter().any(Value::is_sensitive);
    Ok((if secret { items.iter().map(revealed).collect() } else { items.to_vec() }, secret))
}

/// A set of unmarked elements, which get one type.
pub fn of(items: Vec<Value>) -> Value {
    let mixed = is_mixed(items.iter());
    Value::set(if mixed { items.iter().map(as_text).collect() } else { items })
}

fn marked(set: Value, secret: bool) -> Value {
    if secret { set.sensitive() } else { set }
}

/// `toset(list)`.
pub fn from_list(args: Args<'_>) -> Outcome {
    let (items, secret) = comparable(args, 0)?;
    Ok(marked(of(items), secret))
}

/// All sets with elements of one type, each in order.
fn sets(args: Args<'_>) -> Result<Vec<Vec<Value>>, Misuse> {
    let mut lists = (0..args.all().len())
        .map(|at| args.list(at).map(|items| items.to_vec()))
        .collect::<Result<Vec<_>, _>>()?;
    let mixed = is_mixed(lists.iter().flatten());
    for list in &mut lists {
        if mixed {
            *list = list.iter().map(as_text).collect();
        }
        list.sort_by(Value::canonical_cmp);
    }
    Ok(lists)
}

fn has(set: &[Value], item: &Value) -> bool {
    set.binary_search_by(|other| other.canonical_cmp(item)).is_ok()
}

fn intersection(args: Args<'_>) -> Outcome {
    let sets = sets(args)?;
    let Some((first, others)) = sets.split_first() else { return Ok(Value::list(Vec::new())) };
    let common = first.iter().filter(|item| others.iter().all(|set| has(set, item)));
    Ok(Value::set(common.cloned().collect()))
}

fn subtract(args: Args<'_>) -> Outcome {
    let sets = sets(args)?;
    let [first, other] = sets.as_slice() else { return Ok(Value::list(Vec::new())) };
    Ok(Value::set(first.iter().filter(|item| !has(other, item)).cloned().collect()))
}

fn union(args: Args<'_>) -> Outcome {
    let (mut all, mut secret) = (Vec::new(), false);
    for at in 0..args.all().len() {
        let (items, one) = comparable(args, at)?;
        secret |= one;
        all.extend(items);
        if all.len() > MAX_ITEMS {
            return Err(args.too_many());
        }
    }
    Ok(marked(of(all), secret))
}

fn product(args: Args<'_>) -> Outcome {
    let lists = (0..args.all().len()).map(|at| args.list(at)).collect::<Result<Vec<_>, _>>()?;
    let count = lists.iter().map(|list| list.len()).fold(1, usize::saturating_mul);
    if count.saturating_mul(lists.len()) > MAX_ITEMS {
        return Err(args.too_many());
    }
    let combination = |number: usize| {
        let mut rest = number;
        let mut items: Vec<Value> = lists
            .iter()
            .rev()
            .map(|list| {
                let item = list[rest % list.len()].clone();
                rest /= list.len();
                item
            })
            .collect();
        items.reverse();
        Value::list(items)
    };
    // Of an empty list there is no combination: nothing is divided by its length.
    Ok(Value::list((0..count).map(combination).collect()))
}
