//! Expressions that name nothing and call nothing → values.
//!
//! In: `hcl-edit`'s tree of a default in a type, or of a value that was given to a variable. Out:
//! the value, or what in it is not a plain value: both are read where there are no names to look up.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, Object, ObjectKey, UnaryOperator};

use crate::config::expr::Fault;
use crate::value::Value;

/// The value of an expression.
///
/// # Errors
/// It holds a reference, a call or an operation, or a number that does not fit; with its range.
pub fn literal(node: &Expression) -> Result<Value, Fault> {
    match node {
        Expression::Null(_) => Ok(Value::Null),
        Expression::Bool(b) => Ok(Value::Bool(*b.value())),
        Expression::Number(n) => number(n.value(), node.span()),
        Expression::String(text) => Ok(Value::str(text.value())),
        Expression::Array(items) => {
            items.iter().map(literal).collect::<Result<_, _>>().map(Value::list)
        }
        Expression::Object(items) => object(items),
        Expression::Parenthesis(inner) => literal(inner.inner()),
        Expression::UnaryOp(op) if *op.operator.value() == UnaryOperator::Neg => {
            match literal(&op.expr)? {
                Value::Int(n) => Ok(Value::Int(n.saturating_neg())),
                Value::Float(n) => Ok(Value::from_float(-n)),
                _ => Err(computed(node.span())),
            }
        }
        Expression::Variable(name) => {
            let name = name.as_str();
            let fault = Fault::new("bad_literal", format!("`{name}` is no value here"));
            Err(fault
                .label("text stands in quotes")
                .help(format!("write \"{name}\""))
                .at(node.span()))
        }
        _ => Err(computed(node.span())),
    }
}

fn object(items: &Object) -> Result<Value, Fault> {
    let mut map = BTreeMap::new();
    for (key, value) in items.iter() {
        map.insert(key_text(key)?, literal(value.expr())?);
    }
    Ok(Value::map(map))
}

/// The text of a key: a name, or a literal.
pub(super) fn key_text(key: &ObjectKey) -> Result<Arc<str>, Fault> {
    match key {
        ObjectKey::Ident(name) => Ok(name.as_str().into()),
        ObjectKey::Expression(Expression::Variable(name)) => Ok(name.as_str().into()),
        ObjectKey::Expression(Expression::String(text)) => Ok(text.value().as_str().into()),
        ObjectKey::Expression(Expression::Number(n)) => Ok(n.value().to_string().into()),
        ObjectKey::Expression(other) => Err(computed(other.span())),
    }
}

fn number(n: &hcl_edit::Number, place: Option<Range<usize>>) -> Result<Value, Fault> {
    match (n.as_i64(), n.as_f64()) {
        (Some(whole), _) => Ok(Value::Int(whole)),
        (None, Some(float)) if float.is_finite() => Ok(Value::from_float(float)),
        _ => Err(Fault::new("bad_literal", "this number is too large")
            .label("does not fit")
            .at(place)),
    }
}

fn computed(place: Option<Range<usize>>) -> Fault {
    Fault::new("bad_literal", "only plain values can stand here")
        .label("computed")
        .help("references, functions and operators are for the configuration itself")
        .at(place)
}
