//! Functions of lists.
//!
//! In: lists, whose elements most functions only pass on: they may be not known yet and keep their
//! marks. Out: lists, elements, numbers. What compares elements needs them known and makes a
//! secret of the result when one of them is.

use std::sync::Arc;

use unicode_segmentation::UnicodeSegmentation as _;

use super::super::{known, operator};
use super::{Args, Function, Group, MAX_ITEMS, Misuse, Outcome, set};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Collection, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("alltrue", "list", all_true)
        .says("Whether all elements are true; an empty list has none that is not.")
        .example("alltrue([true, false])", "false"),
    row("anytrue", "list", any_true)
        .says("Whether an element is true.")
        .example("anytrue([true, false])", "true"),
    row("chunklist", "list, size", chunk)
        .shallow()
        .says("The list in lists of at most this size; with size 0 in one.")
        .example("chunklist([1, 2, 3], 2)", "[[1, 2], [3]]"),
    row("coalesce", "value, more...", coalesce)
        .shallow()
        .says("The first value that is neither null nor an empty text.")
        .example(r#"coalesce(null, "", "b")"#, r#""b""#),
    row("coalescelist", "list, lists...", coalesce_list)
        .shallow()
        .says("The first list that is not empty.")
        .example("coalescelist([], [1, 2])", "[1, 2]"),
    row("compact", "list", compact)
        .shallow()
        .says("The list without null and empty texts.")
        .example(r#"compact(["a", "", null, "b"])"#, r#"["a", "b"]"#),
    row("concat", "list, lists...", concat)
        .shallow()
        .says("The elements of lists as one list.")
        .example("concat([1], [2, 3])", "[1, 2, 3]"),
    row("contains", "list, value", contains)
        .says("Whether a value is among the elements.")
        .example(r#"contains(["a", "b"], "a")"#, "true"),
    row("distinct", "list", distinct)
        .shallow()
        .says("The list without the elements that stand in it before.")
        .example(r#"distinct(["b", "a", "b"])"#, r#"["b", "a"]"#),
    row("element", "list, index", element)
        .shallow()
        .says("The element at an index, which starts anew behind the last; -1 is the last.")
        .example(r#"element(["a", "b", "c"], 4)"#, r#""b""#),
    row("flatten", "list", flatten)
        .shallow()
        .says("The list with the elements of lists in it in their place, at any depth.")
        .example("flatten([[1, [2]], [], 3])", "[1, 2, 3]"),
    row("index", "list, value", index)
        .says("The index of the first element that is this value; an error where none is.")
        .example(r#"index(["a", "b"], "b")"#, "1"),
    row("length", "value", length)
        .shallow()
        .says("The number of elements of a list or map, or of characters of a text.")
        .example(r#"length(["a", "b"])"#, "2"),
    row("matchkeys", "values, keys, wanted", match_keys)
        .shallow()
        .says("The values whose key, at the same index of another list, is among the wanted.")
        .example(r#"matchkeys([1, 2, 3], ["a", "b", "a"], ["a"])"#, "[1, 3]"),
    row("one", "list", one)
        .shallow()
        .says("The only element of a list, null of an empty list.")
        .example("one([7])", "7"),
    row("range", "start, [limit], [step]", range)
        .says("Numbers from `start` to before `limit`; from 0 where only one number is given.")
        .example("range(1, 8, 2)", "[1, 3, 5, 7]"),
    row("reverse", "list", reverse)
        .shallow()
        .says("The elements from the last to the first.")
        .example("reverse([1, 2, 3])", "[3, 2, 1]"),
    row("slice", "list, start, end", slice)
        .shallow()
        .says("The elements from an index to before another.")
        .example("slice([1, 2, 3, 4], 1, 3)", "[2, 3]"),
    row("sort", "list", sort)
        .says("Texts in the order of their characters.")
        .example(r#"sort(["e", "d", "a"])"#, r#"["a", "d", "e"]"#),
];

fn truths(args: Args<'_>) -> Result<Vec<Option<bool>>, Misuse> {
    let truth = |item: &Value| match item {
        Value::Null => Ok(None),
        other => operator::boolean(other).map(Some).map_err(|_| {
            args.wrong(0, format!("{} among the elements is no boolean", other.kind_name()))
        }),
    };
    args.list(0)?.iter().map(truth).collect()
}

fn all_true(args: Args<'_>) -> Outcome {
    Ok(truths(args)?.iter().all(|truth| *truth == Some(true)).into())
}

fn any_true(args: Args<'_>) -> Outcome {
    Ok(truths(args)?.contains(&Some(true)).into())
}

fn chunk(args: Args<'_>) -> Outcome {
    let (items, size) = (args.list(0)?, args.count(1)?);
    if items.is_empty() {
        return Ok(Value::List(items.clone()));
    }
    let size = if size == 0 { items.len() } else { size };
    Ok(Value::list(items.chunks(size).map(|part| Value::list(part.to_vec())).collect()))
}

fn coalesce(args: Args<'_>) -> Outcome {
    let full = |value: &&Value| match value {
        Value::Null => false,
        Value::Str(text) => !text.is_empty(),
        _ => true,
    };
    let found = args.all().iter().find(full).cloned();
    found.ok_or_else(|| args.impossible("all are null or empty texts"))
}

fn coalesce_list(args: Args<'_>) -> Outcome {
    for at in 0..args.all().len() {
        if !args.value(at).is_null() && !args.list(at)?.is_empty() {
            return Ok(args.value(at).clone());
        }
    }
    Err(args.impossible("all lists are empty"))
}

fn compact(args: Args<'_>) -> Outcome {
    let mut out = Vec::new();
    let mut secret = false;
    for item in args.list(0)?.iter() {
        secret |= item.is_sensitive();
        match item.reveal() {
            Value::Null => {}
            Value::Str(text) if text.is_empty() => {}
            Value::List(_) | Value::Map(_) => {
                let found = item.kind_name();
                return Err(
                    args.wrong(0, format!("{found} among the elements, where text is needed"))
                );
            }
            other => out.push(other.clone()),
        }
    }
    // How many are left tells which secrets are empty.
    let out = Value::list(out);
    Ok(if secret { out.sensitive() } else { out })
}

fn concat(args: Args<'_>) -> Outcome {
    let lists = (0..args.all().len()).map(|at| args.list(at)).collect::<Result<Vec<_>, _>>()?;
    let mut full = lists.iter().filter(|list| !list.is_empty());
    if let (Some(only), None) = (full.next(), full.next()) {
        return Ok(Value::List((**only).clone()));
    }
    if lists.iter().map(|list| list.len()).sum::<usize>() > MAX_ITEMS {
        return Err(args.too_many());
    }
    Ok(Value::list(lists.iter().flat_map(|list| list.iter().cloned()).collect()))
}

fn contains(args: Args<'_>) -> Outcome {
    let wanted = args.value(1);
    Ok(args.list(0)?.iter().any(|item| operator::equal(item, wanted)).into())
}

/// The first of equal elements stays, so that the order does.
fn distinct(args: Args<'_>) -> Outcome {
    let (items, secret) = set::comparable(args, 0)?;
    let mut order: Vec<usize> = (0..items.len()).collect();
    order.sort_by(|a, b| items[*a].canonical_cmp(&items[*b]).then(a.cmp(b)));
    order.dedup_by(|later, first| items[*later] == items[*first]);
    order.sort_unstable();
    let out = Value::list(order.into_iter().map(|at| items[at].clone()).collect());
    Ok(if secret { out.sensitive() } else { out })
}

fn element(args: Args<'_>) -> Outcome {
    let (items, at) = (args.list(0)?, args.int(1)?);
    let count = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = at.checked_rem_euclid(count).and_then(|at| usize::try_from(at).ok());
    let found = at.and_then(|at| items.get(at)).cloned();
    found.ok_or_else(|| args.wrong(0, "an empty list has no elements"))
}

fn flatten(args: Args<'_>) -> Outcome {
    let items = args.list(0)?;
    if !items.iter().any(|item| matches!(item.reveal(), Value::List(_))) {
        return Ok(Value::List(items.clone()));
    }
    let mut out = Vec::new();
    if flat(items, false, &mut out) { Ok(Value::list(out)) } else { Err(args.too_many()) }
}

/// Elements of a secret list are secrets. Says whether there is room.
fn flat(items: &[Value], secret: bool, out: &mut Vec<Value>) -> bool {
    items.iter().all(|item| {
        let marked = secret || matches!(item, Value::Sensitive(_));
        if let Value::List(inner) = item.reveal() {
            return flat(inner, marked, out);
        }
        out.push(if marked { item.clone().sensitive() } else { item.clone() });
        out.len() <= MAX_ITEMS
    })
}

fn index(args: Args<'_>) -> Outcome {
    let (items, wanted) = (args.list(0)?, args.value(1));
    let found = items.iter().position(|item| operator::equal(item, wanted));
    match found.and_then(|at| i64::try_from(at).ok()) {
        Some(at) => Ok(Value::Int(at)),
        None => {
            let misuse = args.wrong(1, "no element is this value");
            Err(Args::advice(misuse, "`contains(list, value)` says whether one is"))
        }
    }
}

fn length(args: Args<'_>) -> Outcome {
    let count = match args.value(0) {
        Value::List(items) => items.len(),
        Value::Map(items) => items.len(),
        Value::Str(text) => text.graphemes(true).count(),
        _ => return Err(args.kind(0, "a list, a map or text")),
    };
    Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn match_keys(args: Args<'_>) -> Outcome {
    let values = args.list(0)?;
    let [keys, wanted] = [1, 2].map(|at| -> Result<_, Misuse> {
        args.list(at)?.iter().try_for_each(known::known).map_err(|stop| Misuse::of(at, stop))?;
        set::comparable(args, at)
    });
    let ((keys, one), (mut wanted, other)) = (keys?, wanted?);
    if keys.len() != values.len() {
        let (keys, values) = (keys.len(), values.len());
        return Err(args.wrong(1, format!("{keys} keys for {values} values")));
    }
    wanted.sort_by(Value::canonical_cmp);
    let is_wanted = |key: &Value| wanted.binary_search_by(|w| w.canonical_cmp(key)).is_ok();
    let found = values.iter().zip(&keys).filter(|(_, key)| is_wanted(key));
    let out = Value::list(found.map(|(value, _)| value.clone()).collect());
    Ok(if one || other { out.sensitive() } else { out })
}

fn one(args: Args<'_>) -> Outcome {
    match args.list(0)?.as_slice() {
        [] => Ok(Value::Null),
        [only] => Ok(only.clone()),
        more => Err(args.wrong(0, format!("this has {} elements, not one or none", more.len()))),
    }
}

/// Numbers that `range` makes at most. Instances are made of them.
const LONGEST_RANGE: i128 = 1_000_000;

fn range(args: Args<'_>) -> Outcome {
    let (start, limit) = match args.all().len() {
        1 => (Value::Int(0), args.number(0)?),
        _ => (args.number(0)?, args.number(1)?),
    };
    let step = match args.all().len() {
        0..=2 if operator::order(&limit, &start).is_lt() => Value::Int(-1),
        0..=2 => Value::Int(1),
        _ => args.number(2)?,
    };
    if operator::order(&step, &Value::Int(0)).is_eq() {
        return Err(args.wrong(2, "a step of 0 never comes to the limit"));
    }
    let way = operator::order(&limit, &start);
    if way.is_ne() && way != operator::order(&step, &Value::Int(0)) {
        return Err(args.wrong(2, "steps in this direction never come to the limit"));
    }
    let too_many = || args.impossible(format!("this would be more than {LONGEST_RANGE} numbers"));
    if let (Value::Int(start), Value::Int(limit), Value::Int(step)) = (&start, &limit, &step) {
        let (start, step) = (i128::from(*start), i128::from(*step));
        let way = (i128::from(*limit) - start) * step.signum();
        let count = (way + step.abs() - 1).max(0) / step.abs();
        if count > LONGEST_RANGE {
            return Err(too_many());
        }
        // All of them lie between two numbers that fit.
        let number = |at| Value::Int(i64::try_from(start + at * step).unwrap_or(i64::MAX));
        return Ok(Value::list((0..count).map(number).collect()));
    }
    let [start, limit, step] = [start, limit, step].map(|n| operator::float(&n));
    let count = ((limit - start) / step).ceil();
    if count > 1e6 {
        return Err(too_many());
    }
    let number = |at| Value::from_float(start + f64::from(at) * step);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // from 0 to a million
    Ok(Value::list((0..count.max(0.0) as u32).map(number).collect()))
}

fn reverse(args: Args<'_>) -> Outcome {
    Ok(Value::list(args.list(0)?.iter().rev().cloned().collect()))
}

fn slice(args: Args<'_>) -> Outcome {
    let (items, start, end) = (args.list(0)?, args.count(1)?, args.count(2)?);
    let count = items.len();
    if end > count {
        return Err(args.wrong(2, format!("the list has {count} elements")));
    }
    match items.get(start..end) {
        Some(part) => Ok(Value::list(part.to_vec())),
        None => Err(args.wrong(1, format!("the part would start behind its end, {end}"))),
    }
}

fn sort(args: Args<'_>) -> Outcome {
    let mut texts: Vec<Arc<str>> = args.texts(0)?;
    texts.sort();
    Ok(Value::list(texts.into_iter().map(Value::Str).collect()))
}
