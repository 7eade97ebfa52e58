//! Values → values of a type, as Terraform converts them.
//!
//! In: a value and a [`Type`]. Out: the value of that type, which is the very same one where it has
//! the type already (nothing is copied), with what was dropped on the way; or every place inside
//! it that does not fit. Secret marks stay where they are.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use super::{Attribute, Kind, Step, Type};
use crate::diag::nearest;
use crate::value::Value;

/// A value of the type.
#[derive(Clone, Debug, PartialEq)]
pub struct Converted {
    pub value: Value,
    /// Attributes that the type does not have.
    pub dropped: Vec<Dropped>,
}

/// A place inside the value that does not fit.
#[derive(Clone, Debug, PartialEq)]
pub struct Mismatch {
    pub steps: Vec<Step>,
    /// What goes after the path: `must be text`.
    pub problem: String,
    /// What stands there instead.
    pub found: String,
    pub help: Option<String>,
    /// What asks for it, in the text of the constraint.
    pub asked: Range<usize>,
    /// How many places have this mistake; the first is shown.
    pub count: usize,
}

/// An attribute that the type does not have.
#[derive(Clone, Debug, PartialEq)]
pub struct Dropped {
    /// Of the object that it stands in.
    pub steps: Vec<Step>,
    pub name: Arc<str>,
    /// The name that may have been meant.
    pub near: Option<Arc<str>>,
    /// The object type, in the text of the constraint.
    pub asked: Range<usize>,
    /// How many objects have it; the first is shown.
    pub count: usize,
}

impl Type {
    /// The value as this type. With `secret`, nothing of the value is quoted.
    ///
    /// # Errors
    /// Every place that does not fit; one mistake that many elements have is one.
    pub fn convert(&self, value: &Value, secret: bool) -> Result<Converted, Vec<Mismatch>> {
        let mut walk = Walk { steps: Vec::new(), secret, wrong: Vec::new(), dropped: Vec::new() };
        let changed = walk.convert(value, self);
        if !walk.wrong.is_empty() {
            return Err(walk.wrong);
        }
        Ok(Converted { value: changed.unwrap_or_else(|| value.clone()), dropped: walk.dropped })
    }
}

struct Walk {
    steps: Vec<Step>,
    /// Inside something secret.
    secret: bool,
    wrong: Vec<Mismatch>,
    dropped: Vec<Dropped>,
}

impl Walk {
    /// The converted value; `None` where it already has the type, and where it cannot get it, which
    /// is on record then.
    fn convert(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        if let Value::Sensitive(inner) = value {
            let before = std::mem::replace(&mut self.secret, true);
            let changed = self.convert(inner, ty);
            self.secret = before;
            return changed.map(Value::sensitive);
        }
        match (&ty.kind, value) {
            (_, Value::Null) | (Kind::Any, _) => None,
            (Kind::String | Kind::Number | Kind::Bool, _) => self.primitive(value, ty),
            (Kind::List(of), Value::List(items)) => self.list(items, (of, ty)),
            (Kind::Set(of), Value::List(items)) => self.set(value, items, (of, ty)),
            (Kind::Map(of), Value::Map(items)) => self.map(items, (of, ty)),
            (Kind::Tuple(types), Value::List(items)) => self.tuple(items, (types, ty)),
            (Kind::Object(attributes), Value::Map(items)) => self.object(items, (attributes, ty)),
            // What it has is known when it is read.
            (Kind::Object(_), Value::Object(_) | Value::Found(_)) => None,
            _ => self.mismatch(value, ty, None),
        }
    }

    fn primitive(&mut self, value: &Value, ty: &Type) -> Option<Value> {
        match (&ty.kind, value) {
            // An object or id that is not known yet stands for a text.
            (Kind::String, Value::Str(_) | Value::Id(_) | Value::Object(_) | Value::Found(_))
            | (Kind::Number, Value::Int(_) | Value::Float(_))
            | (Kind::Bool, Value::Bool(_)) => None,
            (Kind::String, Value::Int(n)) => Some(Value::str(&n.to_string())),
            (Kind::String, Value::Float(n)) => Some(Value::str(&n.to_string())),
            (Kind::String, Value::Bool(b)) => Some(Value::str(&b.to_string())),
            (Kind::Number, Value::Str(text)) => {
                number(text).or_else(|| self.mismatch(value, ty, None))
            }
            (Kind::Bool, Value::Str(text)) => match &**text {
                "true" | "1" => Some(Value::Bool(true)),
                "false" | "0" => Some(Value::Bool(false)),
                other => {
                    let lower = other.to_lowercase();
                    let near = ["true", "false"].into_iter().find(|word| **word == lower);
                    self.mismatch(value, ty, near.map(|word| format!("in lower case: {word}")))
                }
            },
            _ => self.mismatch(value, ty, None),
        }
    }

    /// Converts elements; `None` if all have the type already.
    fn items(&mut self, items: &[Value], of: &Type) -> Option<Vec<Value>> {
        let mut changed: Option<Vec<Value>> = None;
        for (at, item) in items.iter().enumerate() {
            self.steps.push(Step::Index(at));
            if let Some(new) = self.convert(item, of) {
                changed.get_or_insert_with(|| items.to_vec())[at] = new;
            }
            self.steps.pop();
        }
        changed
    }

    fn list(&mut self, items: &[Value], (of, ty): (&Type, &Type)) -> Option<Value> {
        let of = self.common(items.iter(), (of, ty))?;
        self.items(items, &of).map(Value::list)
    }

    fn set(&mut self, whole: &Value, items: &[Value], (of, ty): (&Type, &Type)) -> Option<Value> {
        let of = self.common(items.iter(), (of, ty))?;
        let set = Value::set(self.items(items, &of).unwrap_or_else(|| items.to_vec()));
        // A set that is in its normal form already stays shared.
        (set != *whole).then_some(set)
    }

    fn map(
        &mut self,
        items: &BTreeMap<Arc<str>, Value>,
        (of, ty): (&Type, &Type),
    ) -> Option<Value> {
        let of = self.common(items.values(), (of, ty))?;
        let mut changed: Option<BTreeMap<Arc<str>, Value>> = None;
        for (key, item) in items {
            self.steps.push(Step::Key(key.clone()));
            if let Some(new) = self.convert(item, &of) {
                changed.get_or_insert_with(|| items.clone()).insert(key.clone(), new);
            }
            self.steps.pop();
        }
        changed.map(Value::map)
    }

    fn tuple(&mut self, items: &[Value], (types, ty): (&[Type], &Type)) -> Option<Value> {
        if items.len() != types.len() {
            let (wanted, has) = (types.len(), items.len());
            let plural = if wanted == 1 { "" } else { "s" };
            let problem = format!("must have {wanted} element{plural}");
            self.record(problem, format!("this has {has}"), None, &ty.range);
            return None;
        }
        let mut changed: Option<Vec<Value>> = None;
        for (at, (item, ty)) in items.iter().zip(types).enumerate() {
            self.steps.push(Step::Index(at));
            if let Some(new) = self.convert(item, ty) {
                changed.get_or_insert_with(|| items.to_vec())[at] = new;
            }
            self.steps.pop();
        }
        changed.map(Value::list)
    }

    fn object(
        &mut self,
        items: &BTreeMap<Arc<str>, Value>,
        (attributes, ty): (&BTreeMap<Arc<str>, Attribute>, &Type),
    ) -> Option<Value> {
        let mut new: Vec<(&Arc<str>, Value)> = Vec::new();
        for (name, attribute) in attributes {
            match items.get(name) {
                None if !attribute.optional => self.missing(name, attribute, items),
                // A null asks for the default, too.
                None => new.push((name, attribute.default.clone())),
                Some(value) if value.is_null() && attribute.optional => {
                    if !attribute.default.is_null() {
                        new.push((name, attribute.default.clone()));
                    }
                }
                Some(value) => {
                    self.steps.push(Step::Attribute(name.clone()));
                    if let Some(value) = self.convert(value, &attribute.ty) {
                        new.push((name, value));
                    }
                    self.steps.pop();
                }
            }
        }
        let extra = items.keys().filter(|name| !attributes.contains_key(*name));
        let extra: Vec<&Arc<str>> = extra.collect();
        if new.is_empty() && extra.is_empty() {
            return None;
        }
        let mut object = items.clone();
        for name in extra {
            object.remove(name);
            self.dropped(name, attributes, ty);
        }
        object.extend(new.into_iter().map(|(name, value)| (name.clone(), value)));
        Some(Value::map(object))
    }

    fn missing(
        &mut self,
        name: &Arc<str>,
        attribute: &Attribute,
        items: &BTreeMap<Arc<str>, Value>,
    ) {
        let near = nearest(name, items.keys().map(|k| &**k)).filter(|_| !self.secret);
        let help = near.map(|near| format!("is `{near}` meant to be `{name}`?"));
        let problem = format!("must have the attribute `{name}`");
        self.record(problem, format!("lacks `{name}`"), help, &attribute.range);
    }

    fn dropped(&mut self, name: &Arc<str>, attributes: &BTreeMap<Arc<str>, Attribute>, ty: &Type) {
        let same = |d: &&mut Dropped| d.name == *name && d.asked == ty.range;
        if let Some(earlier) = self.dropped.iter_mut().find(same) {
            earlier.count += 1;
            return;
        }
        let near = nearest(name, attributes.keys().map(|k| &**k)).map(Into::into);
        let (steps, asked) = (self.steps.clone(), ty.range.clone());
        self.dropped.push(Dropped { steps, name: name.clone(), near, asked, count: 1 });
    }

    /// The type of the elements of a collection: of `list(any)` the one that all can have.
    fn common<'v, 't>(
        &mut self,
        items: impl Iterator<Item = &'v Value>,
        (of, ty): (&'t Type, &Type),
    ) -> Option<Cow<'t, Type>> {
        if of.kind != Kind::Any {
            return Some(Cow::Borrowed(of));
        }
        let mut kinds: Vec<&'static str> = Vec::new();
        let mut text = false;
        let mut compound = false;
        for item in items.map(Value::reveal).filter(|item| !item.is_null()) {
            let kind = match item {
                Value::Bool(_) => "a boolean",
                Value::Int(_) | Value::Float(_) => "a number",
                Value::Str(_) | Value::Id(_) => "a string",
                Value::List(_) => "a list",
                Value::Map(_) | Value::Object(_) | Value::Found(_) => "a map",
                Value::Null | Value::Sensitive(_) => continue,
            };
            text |= kind == "a string";
            compound |= matches!(kind, "a list" | "a map");
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        match kinds.len() {
            0 | 1 => Some(Cow::Borrowed(of)),
            // Numbers and booleans beside texts are texts.
            _ if text && !compound => {
                Some(Cow::Owned(Type { kind: Kind::String, range: of.range.clone() }))
            }
            _ => {
                let problem = "must have elements of one type".to_owned();
                self.record(problem, format!("this has {}", kinds.join(" and ")), None, &ty.range);
                None
            }
        }
    }

    fn mismatch(&mut self, value: &Value, ty: &Type, help: Option<String>) -> Option<Value> {
        let problem = format!("must be {}", ty.expected());
        self.record(problem, format!("this is {}", value.kind_name()), help, &ty.range);
        None
    }

    fn record(
        &mut self,
        problem: String,
        found: String,
        help: Option<String>,
        asked: &Range<usize>,
    ) {
        let same = |m: &&mut Mismatch| {
            m.asked == *asked && m.problem == problem && m.found == found && m.help == help
        };
        if let Some(earlier) = self.wrong.iter_mut().find(same) {
            earlier.count += 1;
            return;
        }
        let (steps, asked) = (self.steps.clone(), asked.clone());
        self.wrong.push(Mismatch { steps, problem, found, help, asked, count: 1 });
    }
}

/// A decimal number.
fn number(text: &str) -> Option<Value> {
    let whole = text.parse::<i64>().ok().map(Value::Int);
    whole.or_else(|| text.parse::<f64>().ok().filter(|n| n.is_finite()).map(Value::from_float))
}
