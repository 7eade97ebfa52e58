//! Operators of expressions, on values that are known and not secret.
//!
//! In: revealed values. Out: a value or a sentence about what is wrong. Decimal text converts in
//! arithmetic, as in Terraform.

use std::cmp::Ordering;

use hcl_edit::expr::{BinaryOperator, UnaryOperator};

use super::Fault;
use crate::value::Value;

/// `-x` and `!x`.
///
/// # Errors
/// An operand of the wrong kind.
pub fn unary(operator: UnaryOperator, value: &Value) -> Result<Value, Fault> {
    match operator {
        UnaryOperator::Not => Ok(Value::Bool(!boolean(value)?)),
        UnaryOperator::Neg => match numeric(value)? {
            Value::Int(n) => n.checked_neg().map(Value::Int).ok_or_else(overflow),
            other => Ok(Value::Float(-float(&other))),
        },
    }
}

/// Which operand a fault is about.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Side {
    Left,
    Right,
    Both,
}

/// `a + b` and the like. `&&` and `||` evaluate both sides, as in HCL.
///
/// # Errors
/// Operands of the wrong kind, overflow, division by zero.
pub fn binary(
    left: &Value,
    operator: BinaryOperator,
    right: &Value,
) -> Result<Value, (Side, Fault)> {
    use BinaryOperator as Op;
    let booleans = || {
        let left = boolean(left).map_err(|f| (Side::Left, f))?;
        Ok((left, boolean(right).map_err(|f| (Side::Right, f))?))
    };
    let numbers = || {
        let left = numeric(left).map_err(|f| (Side::Left, f))?;
        Ok((left, numeric(right).map_err(|f| (Side::Right, f))?))
    };
    let order = || numbers().map(|(left, right)| order(&left, &right));
    Ok(match operator {
        Op::Eq => Value::Bool(equal(left, right)),
        Op::NotEq => Value::Bool(!equal(left, right)),
        Op::And => booleans().map(|(a, b)| Value::Bool(a & b))?,
        Op::Or => booleans().map(|(a, b)| Value::Bool(a | b))?,
        Op::Less => Value::Bool(order()? == Ordering::Less),
        Op::LessEq => Value::Bool(order()? != Ordering::Greater),
        Op::Greater => Value::Bool(order()? == Ordering::Greater),
        Op::GreaterEq => Value::Bool(order()? != Ordering::Less),
        Op::Plus | Op::Minus | Op::Mul | Op::Div | Op::Mod => {
            let (left, right) = numbers()?;
            arithmetic(&left, operator, &right).map_err(|f| (Side::Both, f))?
        }
    })
}

/// The result that the left side alone decides: `false && …`, `true || …`.
pub fn decided(left: &Value, operator: BinaryOperator) -> Option<Value> {
    let value = match (left.reveal(), operator) {
        (Value::Bool(false), BinaryOperator::And) => Value::Bool(false),
        (Value::Bool(true), BinaryOperator::Or) => Value::Bool(true),
        _ => return None,
    };
    Some(if left.is_sensitive() { value.sensitive() } else { value })
}

fn arithmetic(left: &Value, operator: BinaryOperator, right: &Value) -> Result<Value, Fault> {
    use BinaryOperator as Op;
    if let (Value::Int(a), Value::Int(b)) = (left, right) {
        let exact = match operator {
            Op::Plus => a.checked_add(*b),
            Op::Minus => a.checked_sub(*b),
            Op::Mul => a.checked_mul(*b),
            _ if *b == 0 => {
                return Err(by_zero());
            }
            Op::Mod => a.checked_rem(*b),
            _ if a.checked_rem(*b) == Some(0) => a.checked_div(*b),
            _ => return Ok(Value::Float(float(left) / float(right))),
        };
        return exact.map(Value::Int).ok_or_else(overflow);
    }
    let (a, b) = (float(left), float(right));
    if b == 0.0 && matches!(operator, Op::Div | Op::Mod) {
        return Err(by_zero());
    }
    let result = match operator {
        Op::Plus => a + b,
        Op::Minus => a - b,
        Op::Mul => a * b,
        Op::Mod => a % b,
        _ => a / b,
    };
    if result.is_finite() { Ok(Value::from_float(result)) } else { Err(overflow()) }
}

fn by_zero() -> Fault {
    Fault::new("bad_operand", "division by zero").label("the divisor is 0")
}

fn overflow() -> Fault {
    Fault::new("bad_operand", "the result is too large for a number").label("overflows")
}

/// Whether two values are the same; `2` and `2.0` are.
pub fn equal(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Int(_), Value::Float(_)) | (Value::Float(_), Value::Int(_)) => {
            order(left, right) == Ordering::Equal
        }
        _ => left == right,
    }
}

/// The order of two numbers.
pub fn order(left: &Value, right: &Value) -> Ordering {
    match (left, right) {
        (Value::Int(a), Value::Int(b)) => a.cmp(b),
        _ => float(left).total_cmp(&float(right)),
    }
}

/// A number, also from decimal text.
pub fn number(value: &Value) -> Option<Value> {
    match value {
        Value::Int(_) | Value::Float(_) => Some(value.clone()),
        Value::Str(text) => match text.trim().parse::<i64>() {
            Ok(n) => Some(Value::Int(n)),
            Err(_) => {
                let n = text.trim().parse::<f64>().ok().filter(|n| n.is_finite())?;
                Some(Value::from_float(n))
            }
        },
        _ => None,
    }
}

/// A whole number, also from decimal text.
pub fn whole(value: &Value) -> Option<i64> {
    number(value)?.as_int()
}

fn numeric(value: &Value) -> Result<Value, Fault> {
    number(value).ok_or_else(|| {
        Fault::new("bad_operand", "a number is needed here")
            .label(format!("this is {}", value.kind_name()))
    })
}

#[allow(clippy::cast_precision_loss)] // arithmetic with a fraction is inexact anyway
pub fn float(value: &Value) -> f64 {
    match value {
        Value::Int(n) => *n as f64,
        Value::Float(n) => *n,
        _ => 0.0, // callers pass numbers only
    }
}

/// A condition: a boolean, or the text of one.
///
/// # Errors
/// Anything else.
pub fn boolean(value: &Value) -> Result<bool, Fault> {
    match value {
        Value::Bool(b) => Ok(*b),
        Value::Str(text) if matches!(&**text, "true" | "false") => Ok(&**text == "true"),
        _ => Err(Fault::new("bad_operand", "true or false is needed here")
            .label(format!("this is {}", value.kind_name()))),
    }
}
