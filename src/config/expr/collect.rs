//! `[for … : …]` and `{for … : … => …}`.
//!
//! In: the tree of a `for` expression. Out: a list or a map. Keys and conditions must be known,
//! values need not be.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ForExpr};

use super::evaluation::{Evaluation, secret_key};
use super::function::revealed;
use super::known::known;
use super::{Fault, Stop};
use crate::value::Value;

impl Evaluation<'_> {
    /// What a `for` goes over: keys and values, secret ones of a secret. The key of a list's
    /// element is its index.
    pub fn pairs(
        &mut self,
        collection: &Value,
        node: &Expression,
    ) -> Result<Vec<(Value, Value)>, Stop> {
        let secret = matches!(collection, Value::Sensitive(_));
        let mark = |value: Value| if secret { value.sensitive() } else { value };
        match collection.reveal() {
            Value::List(items) => {
                Ok((0..).map(Value::Int).zip(items.iter().cloned().map(mark)).collect())
            }
            Value::Map(items) => {
                let pair =
                    |(k, v): (&Arc<str>, &Value)| (mark(Value::Str(k.clone())), mark(v.clone()));
                Ok(items.iter().map(pair).collect())
            }
            other => {
                known(other).map_err(|stop| stop.at(node.span()))?;
                let label = format!("this is {}", other.kind_name());
                let fault = Fault::new("wrong_kind", "`for` goes over a list or a map");
                Err(fault.label(label).at(node.span()).into())
            }
        }
    }

    pub fn collect(&mut self, each: &ForExpr) -> Result<Value, Stop> {
        let node = &each.intro.collection_expr;
        let collection = self.eval(node)?;
        let items = self.pairs(&collection, node)?;
        let key_name: Option<Arc<str>> =
            each.intro.key_var.as_ref().map(|name| name.as_str().into());
        let value_name: Arc<str> = each.intro.value_var.as_str().into();
        let mut out =
            Collected { secret: matches!(collection, Value::Sensitive(_)), ..Collected::default() };
        for (key, value) in items {
            let depth = self.bound.len();
            self.bound.extend(key_name.clone().map(|name| (name, key)));
            self.bound.push((value_name.clone(), value));
            let done = self.element(each, &mut out);
            self.bound.truncate(depth);
            done?;
        }
        let value = match &each.key_expr {
            None => Value::list(out.list),
            Some(_) if each.grouping => {
                Value::map(out.groups.into_iter().map(|(k, v)| (k, Value::list(v))).collect())
            }
            Some(_) => Value::map(out.map),
        };
        Ok(if out.secret { revealed(&value).sensitive() } else { value })
    }

    fn element(&mut self, each: &ForExpr, out: &mut Collected) -> Result<(), Stop> {
        if let Some(condition) = &each.cond {
            let value = self.eval(&condition.expr)?;
            // Whether there is an element tells something about the secret.
            out.secret |= value.is_sensitive();
            if !self.decide(&value, &condition.expr)? {
                return Ok(());
            }
        }
        let Some(key_node) = &each.key_expr else {
            out.list.push(self.eval(&each.value_expr)?);
            return Ok(());
        };
        let (key, secret) = self.any_key(key_node)?;
        // In a map that is a secret anyway, keys may be secrets.
        if secret && !out.secret {
            return Err(secret_key().at(key_node.span()).into());
        }
        let value = self.eval(&each.value_expr)?;
        if each.grouping {
            out.groups.entry(key).or_default().push(value);
        } else if let Some(key) = out.put(key, value) {
            let problem = match out.secret {
                true => "two elements have the same key, which is a secret".to_owned(),
                false => format!("two elements have the key \"{key}\""),
            };
            let help = "put `...` after the value to collect them in a list";
            return Err(Fault::new("duplicate_key", problem).help(help).at(key_node.span()).into());
        }
        Ok(())
    }
}

#[derive(Default)]
struct Collected {
    list: Vec<Value>,
    map: BTreeMap<Arc<str>, Value>,
    groups: BTreeMap<Arc<str>, Vec<Value>>,
    secret: bool,
}

impl Collected {
    /// Adds an element of a map; gives the key back if it is taken.
    fn put(&mut self, key: Arc<str>, value: Value) -> Option<Arc<str>> {
        match self.map.entry(key) {
            Entry::Occupied(taken) => Some(taken.key().clone()),
            Entry::Vacant(free) => {
                free.insert(value);
                None
            }
        }
    }
}
