//! Functions of numbers.
//!
//! In: numbers (decimal text converts). Out: numbers; whole results are integers. What does not
//! fit or is no number is refused, never rounded to infinity.

use std::cmp::Ordering;

use super::super::operator;
use super::{Args, Function, Group, Outcome};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Number, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("abs", "number", abs).says("The number without its sign.").example("abs(-12.4)", "12.4"),
    row("ceil", "number", ceil)
        .says("The nearest whole number that is not smaller.")
        .example("ceil(5.1)", "6"),
    row("floor", "number", floor)
        .says("The nearest whole number that is not greater.")
        .example("floor(4.9)", "4"),
    row("log", "number, base", log)
        .says("The logarithm of a number to a base.")
        .example("log(16, 2)", "4"),
    row("max", "number, more...", max).says("The greatest number.").example("max(12, 54, 3)", "54"),
    row("min", "number, more...", min).says("The smallest number.").example("min(12, 54, 3)", "3"),
    row("parseint", "text, base", parse_int)
        .says("The whole number that a text means in a base from 2 to 62.")
        .example(r#"parseint("FF", 16)"#, "255"),
    row("pow", "number, exponent", pow)
        .says("The first number raised to the power of the second.")
        .example("pow(3, 2)", "9"),
    row("signum", "number", signum)
        .says("-1, 0 or 1: the sign of the number.")
        .example("signum(-13)", "-1"),
    row("sum", "list", sum)
        .says("The sum of the numbers of a list, which must not be empty.")
        .example("sum([10, 13, 6, 4.5])", "33.5"),
];

fn finite(args: Args<'_>, number: f64) -> Outcome {
    if number.is_finite() {
        return Ok(Value::from_float(number));
    }
    Err(args.impossible("the result is not a finite number"))
}

fn abs(args: Args<'_>) -> Outcome {
    match args.number(0)? {
        Value::Int(n) if n != i64::MIN => Ok(Value::Int(n.abs())),
        other => finite(args, operator::float(&other).abs()),
    }
}

fn ceil(args: Args<'_>) -> Outcome {
    rounded(args, f64::ceil)
}

fn floor(args: Args<'_>) -> Outcome {
    rounded(args, f64::floor)
}

fn rounded(args: Args<'_>, round: fn(f64) -> f64) -> Outcome {
    match args.number(0)? {
        Value::Int(n) => Ok(Value::Int(n)),
        other => finite(args, round(operator::float(&other))),
    }
}

fn log(args: Args<'_>) -> Outcome {
    finite(args, args.float(0)?.ln() / args.float(1)?.ln())
}

fn max(args: Args<'_>) -> Outcome {
    extreme(args, Ordering::Greater)
}

fn min(args: Args<'_>) -> Outcome {
    extreme(args, Ordering::Less)
}

fn extreme(args: Args<'_>, wanted: Ordering) -> Outcome {
    if let Value::List(_) = args.value(0) {
        let misuse = args.kind(0, "numbers");
        return Err(Args::advice(misuse, "`...` after a list passes its elements: max(list...)"));
    }
    let mut best = args.number(0)?;
    for at in 1..args.all().len() {
        let next = args.number(at)?;
        if operator::order(&next, &best) == wanted {
            best = next;
        }
    }
    Ok(best)
}

fn parse_int(args: Args<'_>) -> Outcome {
    let Value::Str(text) = args.value(0) else { return Err(args.kind(0, "text")) };
    let base = match args.int(1)? {
        base @ 2..=62 => i128::from(base),
        _ => return Err(args.wrong(1, "a base is a whole number from 2 to 62")),
    };
    let not_a_number = || args.wrong(0, format!("{text:?} is no whole number in base {base}"));
    let (negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut number: i128 = 0;
    for letter in digits.chars() {
        let digit = digit(letter, base).ok_or_else(not_a_number)?;
        number = number * base + digit;
        if number > i128::from(i64::MAX) {
            return Err(args.wrong(0, "the number is too large"));
        }
    }
    if digits.is_empty() {
        return Err(not_a_number());
    }
    let number = if negative { -number } else { number };
    i64::try_from(number).map(Value::Int).map_err(|_| not_a_number())
}

/// Up to base 36 small and capital letters are the same; beyond, capitals follow the small ones.
fn digit(letter: char, base: i128) -> Option<i128> {
    let digit = match letter {
        '0'..='9' => i128::from(u32::from(letter) - u32::from('0')),
        'a'..='z' => i128::from(u32::from(letter) - u32::from('a')) + 10,
        'A'..='Z' if base <= 36 => i128::from(u32::from(letter) - u32::from('A')) + 10,
        'A'..='Z' => i128::from(u32::from(letter) - u32::from('A')) + 36,
        _ => return None,
    };
    (digit < base).then_some(digit)
}

fn pow(args: Args<'_>) -> Outcome {
    let (number, exponent) = (args.number(0)?, args.number(1)?);
    if let (Value::Int(n), Value::Int(e)) = (&number, &exponent)
        && let Some(exact) = u32::try_from(*e).ok().and_then(|e| n.checked_pow(e))
    {
        return Ok(Value::Int(exact));
    }
    finite(args, operator::float(&number).powf(operator::float(&exponent)))
}

fn signum(args: Args<'_>) -> Outcome {
    Ok(Value::Int(match operator::order(&args.number(0)?, &Value::Int(0)) {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }))
}

fn sum(args: Args<'_>) -> Outcome {
    let items = args.list(0)?;
    if items.is_empty() {
        return Err(args.wrong(0, "an empty list has no sum"));
    }
    let (mut whole, mut rest) = (0_i128, 0.0);
    for item in items.iter() {
        match operator::number(item) {
            Some(Value::Int(n)) => whole += i128::from(n),
            Some(other) => rest += operator::float(&other),
            None => {
                let found = item.kind_name();
                return Err(args.wrong(0, format!("{found} among the elements is no number")));
            }
        }
    }
    #[allow(clippy::cast_precision_loss)] // a sum that fits no integer is inexact anyway
    match i64::try_from(whole) {
        Ok(n) if rest == 0.0 => Ok(Value::Int(n)),
        _ => finite(args, whole as f64 + rest),
    }
}
