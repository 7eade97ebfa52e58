//! References and what follows them: `var.x.y[0]`, `cluster.rack["a"].id`, `host.kvm[*].name`.
//!
//! In: a traversal's tree. Out: a value. How much of a traversal is the name and how much is done
//! with its value is decided here; what the name means, the scope knows.

use std::ops::Range;

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::{Decorated, Span as _};

use super::evaluation::{Evaluation, bare};
use super::function::revealed;
use super::known::known;
use super::member::{attribute, element, elements, unquoted};
use super::{Fault, Name, Next, Pick, Stop};
use crate::value::Value;

type Operators<'t> = &'t [Decorated<TraversalOperator>];

impl Evaluation<'_> {
    pub fn traverse(&mut self, node: &Traversal) -> Result<Value, Stop> {
        let (value, used) = match &node.expr {
            Expression::Variable(root) => match self.bound(root.as_str()) {
                Some(value) => (value, 0),
                None => self.root(root.as_str(), node)?,
            },
            other => (self.eval(other)?, 0),
        };
        self.secret |= matches!(value, Value::Sensitive(_));
        let value = self.steps(value, &node.operators[used..], node)?;
        self.secret |= matches!(value, Value::Sensitive(_));
        Ok(value)
    }

    /// Applies operators one after the other; after a splat to each element.
    fn steps(
        &mut self,
        mut value: Value,
        operators: Operators<'_>,
        node: &Traversal,
    ) -> Result<Value, Stop> {
        for (at, operator) in operators.iter().enumerate() {
            let place = operator.span().or(node.span());
            let rest = &operators[at + 1..];
            let attributes = rest.iter().take_while(|o| name_of(o).is_some()).count();
            let (each, after) = match operator.value() {
                TraversalOperator::FullSplat(_) => (rest, &rest[rest.len()..]),
                TraversalOperator::AttrSplat(_) => rest.split_at(attributes),
                one => {
                    let found = self.step(&value, one);
                    let secret = matches!(value, Value::Sensitive(_));
                    let found = found.map_err(|stop| if secret { unquoted(stop) } else { stop });
                    value = found.map_err(|stop| stop.at(place))?;
                    continue;
                }
            };
            let items = elements(&value);
            let secret = matches!(value, Value::Sensitive(_));
            let items = items.into_iter().map(|item| self.deeper(|to| to.steps(item, each, node)));
            let list = Value::list(items.collect::<Result<_, _>>()?);
            value = if secret { revealed(&list).sensitive() } else { list };
            return self.deeper(|to| to.steps(value, after, node));
        }
        Ok(value)
    }

    fn step(&mut self, value: &Value, operator: &TraversalOperator) -> Result<Value, Stop> {
        let found = match operator {
            TraversalOperator::GetAttr(name) => match value.reveal() {
                Value::Object(of) if name.as_str() == "id" => match self.scope.id(of) {
                    Some(id) => Value::Str(id),
                    None => Value::Id(of.clone()),
                },
                Value::Object(of) => self.scope.attribute(of, name.as_str())?,
                other => attribute(other, name.as_str())?,
            },
            TraversalOperator::Index(index) => {
                let key = self.eval(index)?;
                known(&key).map_err(|stop| stop.at(index.span()))?;
                let found = element(value.reveal(), key.reveal()).map_err(Stop::from);
                if key.is_sensitive() { found.map_err(unquoted)?.sensitive() } else { found? }
            }
            TraversalOperator::LegacyIndex(at) => {
                let at = i64::try_from(*at.value()).unwrap_or(i64::MAX);
                element(value.reveal(), &Value::Int(at))?
            }
            // Taken apart by `steps`.
            TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_) => value.clone(),
        };
        Ok(if matches!(value, Value::Sensitive(_)) { found.sensitive() } else { found })
    }

    /// The start of a traversal, and how many of its operators that took: `var.x` one,
    /// `cluster.rack["a"]` two.
    fn root(&mut self, root: &str, node: &Traversal) -> Result<(Value, usize), Stop> {
        let begin = node.expr.span().map_or(0, |r| r.start);
        let upto = |count: usize| -> Option<Range<usize>> {
            let end = node.operators.get(count.checked_sub(1)?)?.span()?.end;
            Some(begin..end)
        };
        if self.closed {
            let fault =
                Fault::new("unknown_name", format!("`{root}` is not passed to this template"));
            let help =
                "only what the second argument of templatefile() names can be used in the file";
            return Err(fault.help(help).at(node.expr.span()).into());
        }
        if root == "self" {
            let this = self.scope.name(&Name::This).map_err(|stop| stop.at(node.expr.span()))?;
            return Ok((this.value, 0));
        }
        let operators = &node.operators[..];
        let Some(label) = operators.first().and_then(name_of) else {
            return Err(bare(root).at(node.expr.span()).into());
        };
        // The key of an instance lives as long as the name that holds it.
        let key = match (root, operators.get(1).map(|o| o.value())) {
            ("var" | "local" | "each" | "count" | "path" | "data" | "terraform", _) => None,
            (_, Some(TraversalOperator::Index(index))) => Some(self.key(index)?),
            (_, Some(TraversalOperator::LegacyIndex(at))) => Some(at.value().to_string().into()),
            _ => None,
        };
        let pick = match (&key, operators.get(1)) {
            (Some(key), _) => Pick::Key(key),
            (None, Some(next)) if is_splat(next) => Pick::Every,
            (None, next) => Pick::Whole(next.and_then(name_of)),
        };
        let keyed = 1 + usize::from(key.is_some());
        let (name, used) = match root {
            "var" => (Name::Variable(label), 1),
            "local" => (Name::Local(label), 1),
            "each" => (Name::Each(label), 1),
            "count" => (Name::Count(label), 1),
            "path" => (Name::Path(label), 1),
            "data" => return self.data(label, &operators[1..], &upto),
            "module" => {
                let after = operators.get(match pick {
                    Pick::Whole(_) => 1,
                    Pick::Key(_) | Pick::Every => 2,
                });
                let output = after.and_then(name_of);
                // Of every instance comes a map with this output; the splat then reads it.
                let used = match pick {
                    Pick::Every => 1,
                    _ => keyed + usize::from(output.is_some()),
                };
                (Name::Module { name: label, pick, output }, used)
            }
            "terraform" => {
                let fault = Fault::new("unknown_name", "there is no `terraform` here");
                let help = "there are no workspaces: a variable says which environment is meant";
                return Err(fault.help(help).at(upto(1)).into());
            }
            kind => (Name::Object { kind, label, pick }, keyed),
        };
        let found = self.scope.name(&name).map_err(|stop| stop.at(upto(used)))?;
        self.unset = found.unset.or(self.unset.take());
        Ok((found.value, used))
    }

    /// `data.TYPE.LABEL`: two operators. `upto` is the place of the first ones.
    fn data(
        &mut self,
        kind: &str,
        rest: Operators<'_>,
        upto: &dyn Fn(usize) -> Option<Range<usize>>,
    ) -> Result<(Value, usize), Stop> {
        let Some(label) = rest.first().and_then(name_of) else {
            let fault = Fault::new("unknown_name", format!("`data.{kind}` alone is not a value"));
            return Err(fault.help("what was looked up is data.TYPE.LABEL").at(upto(1)).into());
        };
        let next = next(&rest[1..]);
        let used = 2 + usize::from(next.element) + usize::from(next.attribute.is_some());
        let found = self.scope.name(&Name::Data { kind, label, next });
        Ok((found.map_err(|stop| stop.at(upto(used)))?.value, 2))
    }
}

/// What is done first with what was looked up.
fn next(operators: Operators<'_>) -> Next<'_> {
    let element = operators.first().is_some_and(|o| name_of(o).is_none());
    let splat = operators.first().is_some_and(is_splat);
    let attribute = operators.get(usize::from(element)).and_then(name_of);
    Next { element, splat, attribute }
}

fn name_of(operator: &Decorated<TraversalOperator>) -> Option<&str> {
    match operator.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    }
}

fn is_splat(operator: &Decorated<TraversalOperator>) -> bool {
    matches!(operator.value(), TraversalOperator::AttrSplat(_) | TraversalOperator::FullSplat(_))
}
