//! Type constraints of variables: `object({name = string, port = optional(number, 22)})`.
//!
//! In: the text of a `type`. Out: a [`Type`], which turns a value into one that has the type, or
//! says where inside the value it cannot. Terraform's types and conversions. Knows neither the
//! variable nor the file; places are ranges of the text and paths inside the value.

mod convert;
mod literal;
mod parse;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::value::Value;

pub use convert::{Converted, Dropped, Mismatch};
pub use literal::literal;

/// A type, and where the text asks for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Type {
    pub kind: Kind,
    /// In the text of the constraint.
    pub range: Range<usize>,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    Any,
    String,
    Number,
    Bool,
    List(Box<Type>),
    Set(Box<Type>),
    Map(Box<Type>),
    Object(BTreeMap<Arc<str>, Attribute>),
    Tuple(Vec<Type>),
}

/// An attribute of an object type.
#[derive(Clone, Debug, PartialEq)]
pub struct Attribute {
    pub ty: Type,
    /// May be absent; then it has its default, which is null unless one is given.
    pub optional: bool,
    /// Of the attribute's type.
    pub default: Value,
    /// The attribute's name, in the text of the constraint.
    pub range: Range<usize>,
}

/// A step into a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// A name that the type has.
    Attribute(Arc<str>),
    /// A key of a map.
    Key(Arc<str>),
    Index(usize),
}

impl Type {
    /// What takes any value as it is: a variable without a `type`.
    pub fn any() -> Self {
        Self { kind: Kind::Any, range: 0..0 }
    }

    /// Whether a value given as bare text is that text, and no expression.
    pub fn is_primitive(&self) -> bool {
        matches!(self.kind, Kind::String | Kind::Number | Kind::Bool)
    }

    /// What a value must be, in words.
    pub fn expected(&self) -> &'static str {
        match self.kind {
            Kind::Any => "a value",
            Kind::String => "text",
            Kind::Number => "a number",
            Kind::Bool => "true or false",
            Kind::List(_) | Kind::Tuple(_) => "a list",
            Kind::Set(_) => "a list (as a set)",
            Kind::Map(_) => "a map",
            Kind::Object(_) => "an object",
        }
    }
}

/// As it is written.
impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Any => f.write_str("any"),
            Kind::String => f.write_str("string"),
            Kind::Number => f.write_str("number"),
            Kind::Bool => f.write_str("bool"),
            Kind::List(of) => write!(f, "list({of})"),
            Kind::Set(of) => write!(f, "set({of})"),
            Kind::Map(of) => write!(f, "map({of})"),
            Kind::Tuple(types) => {
                f.write_str("tuple([")?;
                for (at, ty) in types.iter().enumerate() {
                    write!(f, "{}{ty}", if at > 0 { ", " } else { "" })?;
                }
                f.write_str("])")
            }
            Kind::Object(attributes) => {
                f.write_str("object({")?;
                for (at, (name, attribute)) in attributes.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    let Attribute { ty, optional, default, .. } = attribute;
                    match (optional, default) {
                        (false, _) => write!(f, "{comma}{name} = {ty}")?,
                        (true, Value::Null) => write!(f, "{comma}{name} = optional({ty})")?,
                        (true, value) => write!(f, "{comma}{name} = optional({ty}, {value})")?,
                    }
                }
                f.write_str("})")
            }
        }
    }
}

/// A path as people write it: `racks[2].hosts["a"].ip`. Keys of maps are left out of what is
/// secret: they are part of it.
pub fn path(root: &str, steps: &[Step], secret: bool) -> String {
    let mut text = root.to_owned();
    for step in steps {
        match step {
            Step::Attribute(name) => text.push_str(&format!(".{name}")),
            Step::Key(_) if secret => text.push_str("[…]"),
            Step::Key(key) => text.push_str(&format!("[{key:?}]")),
            Step::Index(at) => text.push_str(&format!("[{at}]")),
        }
    }
    text
}
