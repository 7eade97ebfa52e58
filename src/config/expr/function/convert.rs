//! Conversions between types, and the mark of secrets.
//!
//! In: a value. Out: the same as another type, or what does not convert. Null stays null. In a
//! list, set or map whose elements are texts, numbers and booleans mixed, all become texts, as in
//! Terraform.

use super::super::operator;
use super::common::{as_text, is_mixed};
use super::{Args, Depth, Function, Group, Outcome, set};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Type, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("issensitive", "value", is_sensitive)
        .depth(Depth::Marks)
        .says("Whether a value, or anything in it, is a secret.")
        .example(r#"issensitive(sensitive("x"))"#, "true"),
    row("nonsensitive", "value", nonsensitive)
        .depth(Depth::Marks)
        .says("The value without its mark: it will be shown and stored.")
        .example(r#"nonsensitive(sensitive("x"))"#, r#""x""#),
    row("sensitive", "value", sensitive)
        .depth(Depth::Marks)
        .says("The value as a secret: neither it nor what is made of it is shown or stored.")
        .example(r#"nonsensitive(sensitive("x"))"#, r#""x""#),
    row("tobool", "value", to_bool)
        .says("A boolean, from a boolean or `\"true\"` or `\"false\"`.")
        .example(r#"tobool("true")"#, "true"),
    row("tolist", "value", to_list)
        .shallow()
        .says("A list, of which all elements have one type.")
        .example(r#"tolist(["a", "b", 3])"#, r#"["a", "b", "3"]"#),
    row("tomap", "value", to_map)
        .shallow()
        .says("A map, of which all values have one type.")
        .example(r#"tomap({ a = "foo", b = true })"#, r#"{ a = "foo", b = "true" }"#),
    row("tonumber", "value", to_number)
        .says("A number, from a number or decimal text.")
        .example(r#"tonumber("1.5")"#, "1.5"),
    row("toset", "value", to_set)
        .shallow()
        .says("The elements of a list, each once, in order.")
        .example(r#"toset(["c", "b", "b"])"#, r#"["b", "c"]"#),
    row("tostring", "value", to_string)
        .says("A text, from a text, number or boolean.")
        .example("tostring(1.5)", r#""1.5""#),
    row("type", "value", kind)
        .shallow()
        .says("The type of a value: `string`, `number`, `bool`, `list`, `map`, `object` or `null`.")
        .example(r#"type({ a = 1 })"#, r#""map""#),
];

fn is_sensitive(args: Args<'_>) -> Outcome {
    Ok(args.value(0).is_sensitive().into())
}

fn nonsensitive(args: Args<'_>) -> Outcome {
    Ok(args.value(0).reveal().clone())
}

fn sensitive(args: Args<'_>) -> Outcome {
    Ok(args.value(0).clone().sensitive())
}

fn to_bool(args: Args<'_>) -> Outcome {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        value => match (operator::boolean(value), value) {
            (Ok(yes), _) => Ok(yes.into()),
            (Err(_), Value::Str(_)) => {
                Err(args.wrong(0, "a text that is not \"true\" or \"false\""))
            }
            (Err(_), _) => Err(args.kind(0, "a boolean")),
        },
    }
}

fn to_number(args: Args<'_>) -> Outcome {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        value @ Value::Str(_) => {
            operator::number(value).ok_or_else(|| args.wrong(0, "a text that is no decimal number"))
        }
        _ => args.number(0),
    }
}

fn to_string(args: Args<'_>) -> Outcome {
    match args.value(0) {
        Value::Null => Ok(Value::Null),
        Value::Str(text) => Ok(Value::Str(text.clone())),
        _ => args.text(0).map(|text| Value::str(&text)),
    }
}

fn to_list(args: Args<'_>) -> Outcome {
    if args.value(0).is_null() {
        return Ok(Value::Null);
    }
    let items = args.list(0)?;
    if is_mixed(items.iter()) {
        return Ok(Value::list(items.iter().map(as_text).collect()));
    }
    Ok(Value::List(items.clone()))
}

fn to_set(args: Args<'_>) -> Outcome {
    if args.value(0).is_null() {
        return Ok(Value::Null);
    }
    set::from_list(args)
}

fn to_map(args: Args<'_>) -> Outcome {
    if args.value(0).is_null() {
        return Ok(Value::Null);
    }
    let items = args.map(0)?;
    if is_mixed(items.values()) {
        let texts = items.iter().map(|(key, value)| (key.clone(), as_text(value)));
        return Ok(Value::map(texts.collect()));
    }
    Ok(Value::Map(items.clone()))
}

fn kind(args: Args<'_>) -> Outcome {
    Ok(Value::str(match args.value(0).reveal() {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Int(_) | Value::Float(_) => "number",
        Value::Str(_) | Value::Id(_) => "string",
        Value::List(_) => "list",
        Value::Map(_) => "map",
        Value::Object(_) | Value::Found(_) | Value::Sensitive(_) => "object",
    }))
}
