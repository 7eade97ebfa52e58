//! `for_each` and `count` → the instances of a block.
//!
//! In: the meta-arguments of a block. Out: their keys and values in order, or that they are not
//! known yet. What is made of an instance (an address, a module) its owner says.

use std::collections::HashMap;
use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use crate::address::Address;
use crate::config::syntax::{Block, Entry};
use crate::diag::{Diagnostic, Span};
use crate::value::Value;

/// The arguments that say how many instances a block has.
pub(super) const REPEAT: [&str; 3] = ["for_each", "for_each_key", "count"];

/// More instances of all blocks are a mistake in an expression.
const MOST: usize = 1_000_000;

/// The instances of a block, each as a `T`.
#[derive(Clone)]
pub(super) enum Instances<T> {
    /// It has neither `for_each` nor `count`.
    One(T),
    Many(Arc<Many<T>>),
    /// Not known yet, or what is wrong with them has been reported.
    Open,
}

/// Instances with keys, in order: by key, with `count` by number.
pub(super) struct Many<T> {
    pub list: Vec<(Each, T)>,
    index: HashMap<Arc<str>, u32>,
    /// Whether it is `count` that says so.
    pub counted: bool,
}

impl<T> Many<T> {
    pub fn get(&self, key: &str) -> Option<&(Each, T)> {
        self.list.get(*self.index.get(key)? as usize)
    }
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.list.iter().filter_map(|(each, _)| each.key())
    }
}

/// The instance that is being evaluated.
#[derive(Clone, Default)]
pub(super) enum Each {
    /// None: the block has one instance, or it is no block.
    #[default]
    None,
    Key(Arc<str>, Value),
    Index(Arc<str>, i64),
    /// One of those that are not known yet.
    Open,
}

impl Each {
    pub fn key(&self) -> Option<&str> {
        match self {
            Self::Key(key, _) | Self::Index(key, _) => Some(key),
            Self::None | Self::Open => None,
        }
    }
}

impl<T> Instances<T> {
    /// Makes something of each instance.
    pub fn map<U>(self, mut make: impl FnMut(&Each, T) -> U) -> Instances<U>
    where
        T: Clone,
    {
        match self {
            Self::One(one) => Instances::One(make(&Each::None, one)),
            Self::Open => Instances::Open,
            Self::Many(many) => {
                let list = many.list.iter().map(|(each, t)| (each.clone(), make(each, t.clone())));
                let (list, index) = (list.collect(), many.index.clone());
                Instances::Many(Arc::new(Many { list, index, counted: many.counted }))
            }
        }
    }
}

impl Work<'_> {
    /// The keys and values of a block's instances; `on`: what it declares, if that has an address.
    pub(super) fn instances(&mut self, block: &Block, on: Option<&Address>) -> Instances<()> {
        let for_each = block.get("for_each");
        match (for_each, block.get("count")) {
            (Some(entry), Some(count)) => {
                let problem = "a block has either `for_each` or `count`";
                let finding = Diagnostic::error("for_each_and_count", problem)
                    .at(count.key.span, "and `count`")
                    .at(entry.key.span, "`for_each`")
                    .help("remove one of them");
                self.on(finding, on);
                Instances::Open
            }
            (Some(entry), None) => self.for_each(entry, block.get("for_each_key"), on),
            (None, Some(entry)) => self.counted_by(entry, on),
            (None, None) => {
                if let Some(entry) = block.get("for_each_key") {
                    let problem = "`for_each_key` says which field of `for_each` is the key";
                    let finding = Diagnostic::error("not_applicable", problem)
                        .at(entry.key.span, "there is no `for_each`");
                    self.on(finding, on);
                }
                Instances::One(())
            }
        }
    }

    fn for_each(
        &mut self,
        entry: &Entry,
        key: Option<&Entry>,
        on: Option<&Address>,
    ) -> Instances<()> {
        let field = key.map(|key| self.for_each_key(key, on));
        let Some(tree) = self.tree(&entry.value, on) else { return Instances::Open };
        let span = tree.span;
        let pairs = match (field, pairs_of(&tree)) {
            (Some(None), _) => return Instances::Open,
            (Some(Some(field)), Ok(Collection::List(items))) => by_field(&items, &field),
            (Some(Some(_)), Ok(Collection::Map(_))) => {
                let refused = Refused::new("`for_each_key` is for lists", "this is a map");
                Err(refused.help("the keys of a map are the keys of the instances: remove it"))
            }
            (None, Ok(Collection::Map(items))) => Ok(items),
            (None, Ok(Collection::List(items))) => by_text(&items),
            (_, Err(refused)) => Err(refused),
        };
        match pairs.and_then(many) {
            Ok(many) => self.bearable(many, span, on),
            Err(Refused::Silent) => Instances::Open,
            Err(refused) => self.refused(refused, span, on),
        }
    }

    /// The field that `for_each_key` names.
    fn for_each_key(&mut self, entry: &Entry, on: Option<&Address>) -> Option<Arc<str>> {
        match self.tree(&entry.value, on)?.shape {
            Shape::Leaf(Value::Str(field)) if !field.is_empty() => Some(field),
            _ => {
                let problem = "`for_each_key` must be the name of a field";
                let finding = Diagnostic::error("wrong_kind", problem).at(entry.value.span, "here");
                self.on(finding, on);
                None
            }
        }
    }

    fn counted_by(&mut self, entry: &Entry, on: Option<&Address>) -> Instances<()> {
        let Some(tree) = self.tree(&entry.value, on) else { return Instances::Open };
        let (span, value) = (tree.span, tree.into_value());
        let refused = match unsuitable(&value) {
            Some(refused) => refused,
            None => match crate::config::expr::whole(value.reveal()) {
                Some(n) if (0..=1_000_000).contains(&n) => {
                    let list = (0..n).map(|n| (Each::Index(n.to_string().into(), n), ()));
                    let list: Vec<_> = list.collect();
                    let index = index_of(&list);
                    return self.bearable(Many { list, index, counted: true }, span, on);
                }
                Some(n) => Refused::new(
                    "`count` must be a number from 0 to 1,000,000",
                    format!("this is {n}"),
                ),
                None => Refused::new(
                    "`count` must be a whole number",
                    format!("this is {}", value.kind_name()),
                ),
            },
        };
        match refused {
            Refused::Silent => Instances::Open,
            refused => self.refused(refused, span, on),
        }
    }

    /// Instances, unless they are too many with all that there are already.
    fn bearable(&mut self, many: Many<()>, span: Span, on: Option<&Address>) -> Instances<()> {
        self.instances_made += many.list.len();
        if self.instances_made <= MOST {
            return Instances::Many(Arc::new(many));
        }
        self.instances_made -= many.list.len();
        let label = format!("{} more", many.list.len());
        let problem = format!("a configuration can have {MOST} instances");
        self.refused(Refused::new(problem, label), span, on)
    }

    fn on(&mut self, mut finding: Diagnostic, on: Option<&Address>) {
        finding.address = on.cloned();
        self.findings.push(finding);
    }

    fn refused(&mut self, refused: Refused, span: Span, on: Option<&Address>) -> Instances<()> {
        if let Refused::Because { code, problem, label, help } = refused {
            let mut finding = Diagnostic::error(code, problem).at(span, label);
            finding.help = help;
            self.on(finding, on);
        }
        Instances::Open
    }
}

/// Why a value cannot say which instances there are.
enum Refused {
    /// Not known yet; no fault.
    Silent,
    Because {
        code: &'static str,
        problem: String,
        label: String,
        help: Option<String>,
    },
}

impl Refused {
    fn new(problem: impl Into<String>, label: impl Into<String>) -> Self {
        Self::coded("bad_for_each", problem, label)
    }
    fn coded(code: &'static str, problem: impl Into<String>, label: impl Into<String>) -> Self {
        Self::Because { code, problem: problem.into(), label: label.into(), help: None }
    }
    fn help(self, text: impl Into<String>) -> Self {
        match self {
            Self::Because { code, problem, label, .. } => {
                Self::Because { code, problem, label, help: Some(text.into()) }
            }
            Self::Silent => Self::Silent,
        }
    }
}

enum Collection {
    List(Vec<Value>),
    Map(Vec<(Arc<str>, Value)>),
}

/// What no number or key of instances can be made of.
fn unsuitable(value: &Value) -> Option<Refused> {
    match value {
        Value::Null => Some(Refused::new("there is no value to repeat this by", "null").help("write [] for no instance")),
        Value::Sensitive(_) => Some(
            Refused::coded("secret_key", "a secret cannot say which instances there are", "a secret")
                .help("keys stand in addresses, which plans show and the state keeps; nonsensitive() says that a value is none"),
        ),
        Value::Object(_) | Value::Id(_) => Some(
            Refused::coded("not_yet_known", format!("`{value}` is not yet known"), "known only after apply")
                .help("keys and numbers of instances must be known while planning"),
        ),
        Value::Found(found) if found.attrs.is_none() => Some(Refused::Silent),
        _ => None,
    }
}

fn pairs_of(tree: &Tree) -> Result<Collection, Refused> {
    let value = tree.clone().into_value();
    if let Some(refused) = unsuitable(&value) {
        return Err(refused);
    }
    match &value {
        Value::Map(items) => {
            Ok(Collection::Map(items.iter().map(|(k, v)| (k.clone(), v.clone())).collect()))
        }
        Value::List(items) => Ok(Collection::List(items.to_vec())),
        other => {
            let label = format!("this is {}", other.kind_name());
            Err(Refused::new("`for_each` takes a map, a list of texts or a list of objects", label))
        }
    }
}

/// A list of texts, as a set.
fn by_text(items: &[Value]) -> Result<Vec<(Arc<str>, Value)>, Refused> {
    let text = |item: &Value| match item {
        Value::Str(text) => Ok((text.clone(), item.clone())),
        Value::Map(_) | Value::Found(_) => {
            Err(Refused::new("a list of objects needs a key for each", "these are objects")
                .help("name a field that is different in each: for_each_key = \"name\""))
        }
        other => Err(unsuitable(other).unwrap_or_else(|| {
            let label = format!("an element is {}", other.kind_name());
            Refused::new("the elements of `for_each` must be texts", label)
                .help("convert them: [for x in list : tostring(x)]")
        })),
    };
    items.iter().map(text).collect()
}

/// A list of objects, by a field of theirs.
fn by_field(items: &[Value], field: &str) -> Result<Vec<(Arc<str>, Value)>, Refused> {
    let key = |(at, item): (usize, &Value)| {
        let number = at + 1;
        if let Some(refused) = unsuitable(item) {
            return Err(refused);
        }
        let found = match item {
            Value::Map(fields) => fields.get(field),
            Value::Found(found) => found.attrs.as_ref().and_then(|attrs| attrs.get(field)),
            other => {
                let label = format!("element {number} is {}", other.kind_name());
                return Err(Refused::new("`for_each_key` is for lists of objects", label));
            }
        };
        match found {
            Some(Value::Str(text)) => Ok((text.clone(), item.clone())),
            Some(Value::Int(n)) => Ok((n.to_string().into(), item.clone())),
            Some(Value::Sensitive(_)) => {
                Err(unsuitable(&Value::Null.sensitive()).unwrap_or(Refused::Silent))
            }
            Some(Value::Null) | None => {
                let label = format!("element {number} has no `{field}`");
                Err(Refused::new("every element needs a key", label))
            }
            Some(other) => {
                let label = format!("`{field}` of element {number} is {}", other.kind_name());
                Err(Refused::new("keys must be texts", label))
            }
        }
    };
    items.iter().enumerate().map(key).collect()
}

fn many(mut pairs: Vec<(Arc<str>, Value)>) -> Result<Many<()>, Refused> {
    // Stable: of two equal keys the earlier element stands first.
    pairs.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(twice) = pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        let problem = format!("two elements have the key {:?}", &*twice[0].0);
        return Err(Refused::coded("duplicate_key", problem, "in this list")
            .help("keys name the instances: each must be different"));
    }
    if pairs.iter().any(|(key, _)| key.is_empty()) {
        return Err(Refused::new("a key is empty", "in this value").help("keys name the instances"));
    }
    let list: Vec<_> = pairs.into_iter().map(|(k, v)| (Each::Key(k, v), ())).collect();
    let index = index_of(&list);
    Ok(Many { list, index, counted: false })
}

fn index_of(list: &[(Each, ())]) -> HashMap<Arc<str>, u32> {
    let key = |each: &Each| match each {
        Each::Key(key, _) | Each::Index(key, _) => Some(key.clone()),
        Each::None | Each::Open => None,
    };
    (0..).zip(list).filter_map(|(at, (each, ()))| Some((key(each)?, at))).collect()
}
