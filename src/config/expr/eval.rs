//! Walks the syntax tree of a template.
//!
//! In: `hcl-edit`'s tree. Out: values. Secrets stay marked through every operation; what is not
//! known yet may be passed on whole, never looked into.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use hcl_edit::expr::{
    Conditional, Expression, FuncCall, Object, ObjectKey, Traversal, TraversalOperator,
};
use hcl_edit::template::{Element, Interpolation, Template};
use hcl_edit::{Decorated, Span as _};

use super::known::{known, text, unset};
use super::operator::Side;
use super::{Evaluator, Fault, Next, Scope, Stop, function, operator};
use crate::diag::nearest;
use crate::value::{Found, Value};

/// Names that the language has and this version does not.
const LATER: [&str; 7] = ["each", "count", "local", "module", "path", "self", "terraform"];

impl Evaluator<'_> {
    pub(super) fn eval_template(
        &mut self,
        template: &Template,
        scope: &dyn Scope,
    ) -> Result<Value, Stop> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr, scope);
        }
        let elements: Vec<&Element> = template.iter().collect();
        let mut out = String::new();
        let mut secret = false;
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => {
                    let next = elements.get(at + 1);
                    let mut text = text.as_str();
                    if at.checked_sub(1).is_some_and(|p| strips(elements[p]).1) {
                        text = text.trim_start();
                    }
                    if next.is_some_and(|n| strips(n).0) {
                        text = text.trim_end();
                    }
                    out.push_str(text);
                }
                Element::Interpolation(part) => {
                    secret |= self.interpolate(part, scope, &mut out)?;
                }
                Element::Directive(directive) => {
                    return Err(later("a `%{…}` directive").at(directive.span()).into());
                }
            }
        }
        let value = Value::str(&out);
        Ok(if secret { value.sensitive() } else { value })
    }

    /// Appends a value to a text; says whether it is secret.
    fn interpolate(
        &mut self,
        part: &Interpolation,
        scope: &dyn Scope,
        out: &mut String,
    ) -> Result<bool, Stop> {
        let value = self.eval(&part.expr, scope)?;
        if value.is_null()
            && let Some(name) = &self.unset
        {
            return Err(unset(name).at(part.expr.span()).into());
        }
        let text = text(value.reveal()).map_err(|stop| stop.at(part.expr.span()))?;
        out.push_str(&text);
        Ok(value.is_sensitive())
    }

    pub(super) fn eval(&mut self, node: &Expression, scope: &dyn Scope) -> Result<Value, Stop> {
        let place = node.span();
        match node {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(b) => Ok(Value::Bool(*b.value())),
            Expression::Number(n) => number(n.value()).map_err(|f| f.at(place).into()),
            Expression::String(text) => Ok(Value::str(text.value())),
            Expression::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.eval(item, scope)).collect();
                items.map(Value::list)
            }
            Expression::Object(object) => self.object(object, scope),
            Expression::StringTemplate(template) => self.eval_template(template, scope),
            Expression::HeredocTemplate(heredoc) => self.eval_template(&heredoc.template, scope),
            Expression::Parenthesis(inner) => self.eval(inner.inner(), scope),
            Expression::Variable(name) => Err(bare(name.as_str()).at(place).into()),
            Expression::Conditional(choice) => self.choose(choice, scope),
            Expression::FuncCall(call) => self.call(call, scope),
            Expression::Traversal(traversal) => self.traverse(traversal, scope),
            Expression::UnaryOp(op) => {
                let value = self.eval(&op.expr, scope)?;
                let at = |stop: Stop| stop.at(op.expr.span());
                known(&value).map_err(at)?;
                let result = operator::unary(*op.operator.value(), value.reveal());
                result.map(|r| marked(r, &[&value])).map_err(|f| at(f.into()))
            }
            Expression::BinaryOp(op) => {
                let left = self.eval(&op.lhs_expr, scope)?;
                let right = self.eval(&op.rhs_expr, scope)?;
                known(&left).map_err(|stop| stop.at(op.lhs_expr.span()))?;
                known(&right).map_err(|stop| stop.at(op.rhs_expr.span()))?;
                let result = operator::binary(left.reveal(), *op.operator.value(), right.reveal());
                result.map(|r| marked(r, &[&left, &right])).map_err(|(side, fault)| {
                    let place = match side {
                        Side::Left => op.lhs_expr.span(),
                        Side::Right => op.rhs_expr.span(),
                        Side::Both => place,
                    };
                    fault.at(place).into()
                })
            }
            Expression::ForExpr(_) => Err(later("a `for` expression").at(place).into()),
        }
    }

    fn object(&mut self, object: &Object, scope: &dyn Scope) -> Result<Value, Stop> {
        let mut items = BTreeMap::new();
        for (key, value) in object.iter() {
            let name: Arc<str> = match key {
                ObjectKey::Ident(name) => name.as_str().into(),
                // A name in this place is a key, not a reference, as in HCL.
                ObjectKey::Expression(Expression::Variable(name)) => name.as_str().into(),
                ObjectKey::Expression(expression) => {
                    let key = self.eval(expression, scope)?;
                    text(&key).map_err(|stop| stop.at(expression.span()))?.into()
                }
            };
            items.insert(name, self.eval(value.expr(), scope)?);
        }
        Ok(Value::map(items))
    }

    fn choose(&mut self, choice: &Conditional, scope: &dyn Scope) -> Result<Value, Stop> {
        let condition = self.eval(&choice.cond_expr, scope)?;
        let at = |stop: Stop| stop.at(choice.cond_expr.span());
        known(&condition).map_err(at)?;
        let yes = operator::boolean(condition.reveal()).map_err(|f| at(f.into()))?;
        let chosen = if yes { &choice.true_expr } else { &choice.false_expr };
        Ok(marked(self.eval(chosen, scope)?, &[&condition]))
    }

    fn call(&mut self, call: &FuncCall, scope: &dyn Scope) -> Result<Value, Stop> {
        let place = call.span();
        let name = &call.name.name;
        if call.name.is_namespaced() {
            return Err(later("a function with a namespace").at(place).into());
        }
        if call.args.expand_final() {
            return Err(later("`...` after an argument").at(place).into());
        }
        let function = function::find(name.as_str(), call.args.len())
            .map_err(|fault| fault.at(name.span().or(place.clone())))?;
        let arguments: Vec<Value> =
            call.args.iter().map(|a| self.eval(a, scope)).collect::<Result<_, _>>()?;
        function.run(self, &arguments).map_err(|misuse| {
            let argument = misuse.argument.and_then(|at| call.args.iter().nth(at));
            misuse.stop.at(argument.and_then(hcl_edit::Span::span).or(place))
        })
    }

    fn traverse(&mut self, node: &Traversal, scope: &dyn Scope) -> Result<Value, Stop> {
        let (value, used) = match &node.expr {
            Expression::Variable(root) => self.root(root.as_str(), node, scope)?,
            other => (self.eval(other, scope)?, 0),
        };
        self.steps(value, &node.operators[used..], (node, scope))
    }

    /// Applies operators one after the other; after a splat to each element.
    fn steps(
        &mut self,
        mut value: Value,
        operators: &[Decorated<TraversalOperator>],
        (node, scope): (&Traversal, &dyn Scope),
    ) -> Result<Value, Stop> {
        for (at, operator) in operators.iter().enumerate() {
            let place = operator.span().or(node.span());
            let rest = &operators[at + 1..];
            let attributes = rest.iter().take_while(|o| is_attribute(o.value())).count();
            let (each, after) = match operator.value() {
                TraversalOperator::FullSplat(_) => (rest, &rest[rest.len()..]),
                TraversalOperator::AttrSplat(_) => rest.split_at(attributes),
                one => {
                    value = self.step(&value, one, scope).map_err(|stop| stop.at(place))?;
                    continue;
                }
            };
            let items = elements(&value).map_err(|fault| Stop::from(fault).at(place))?;
            let secret = matches!(value, Value::Sensitive(_));
            let items = items.into_iter().map(|item| self.steps(item, each, (node, scope)));
            let list = Value::list(items.collect::<Result<_, _>>()?);
            return self.steps(if secret { list.sensitive() } else { list }, after, (node, scope));
        }
        Ok(value)
    }

    /// The start of a traversal, and how many of its operators that took: `var.x` one,
    /// `cluster.rack["a"]` two.
    fn root(
        &mut self,
        root: &str,
        node: &Traversal,
        scope: &dyn Scope,
    ) -> Result<(Value, usize), Stop> {
        let begin = node.expr.span().map_or(0, |r| r.start);
        let upto = |count: usize| -> Option<Range<usize>> {
            let end = node.operators.get(count.checked_sub(1)?)?.span()?.end;
            Some(begin..end)
        };
        if LATER.contains(&root) {
            return Err(later(&format!("`{root}`")).at(upto(1)).into());
        }
        let Some(TraversalOperator::GetAttr(label)) = node.operators.first().map(|o| o.value())
        else {
            return Err(bare(root).at(node.expr.span()).into());
        };
        let label = label.as_str();
        if root == "data" {
            return data(label, &node.operators[1..], (&upto, scope));
        }
        if root == "var" {
            return Ok((scope.variable(label).map_err(|stop| stop.at(upto(1)))?, 1));
        }
        let key = match node.operators.get(1).map(|o| o.value()) {
            Some(TraversalOperator::Index(index)) => {
                let key = self.key(index, scope)?;
                Some(text(&key).map_err(|stop| stop.at(index.span()))?)
            }
            _ => None,
        };
        let used = 1 + usize::from(key.is_some());
        let object = scope.object(root, label, key.as_deref());
        Ok((object.map_err(|stop| stop.at(upto(used)))?, used))
    }

    /// What stands in `[…]`: known, and no secret, since messages and addresses show it.
    fn key(&mut self, index: &Expression, scope: &dyn Scope) -> Result<Value, Stop> {
        let key = self.eval(index, scope)?;
        known(&key).map_err(|stop| stop.at(index.span()))?;
        if key.is_sensitive() {
            return Err(Fault::new("secret_key", "a secret cannot be a key")
                .label("keys stand in addresses and messages")
                .at(index.span())
                .into());
        }
        Ok(key)
    }

    fn step(
        &mut self,
        value: &Value,
        operator: &TraversalOperator,
        scope: &dyn Scope,
    ) -> Result<Value, Stop> {
        let found = match operator {
            TraversalOperator::GetAttr(name) => attribute(value.reveal(), name.as_str())?,
            TraversalOperator::Index(index) => {
                let key = self.key(index, scope)?;
                element(value.reveal(), &key)?
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
}

/// `data.TYPE.LABEL`: two operators. `upto` is the place of the first ones.
fn data(
    kind: &str,
    rest: &[Decorated<TraversalOperator>],
    (upto, scope): (&dyn Fn(usize) -> Option<Range<usize>>, &dyn Scope),
) -> Result<(Value, usize), Stop> {
    let Some(TraversalOperator::GetAttr(label)) = rest.first().map(|o| o.value()) else {
        let fault = Fault::new("unknown_name", format!("`data.{kind}` alone is not a value"));
        return Err(fault.help("what was looked up is data.TYPE.LABEL").at(upto(1)).into());
    };
    let next = next(&rest[1..]);
    let used = 2 + usize::from(next.element) + usize::from(next.attribute.is_some());
    let found = scope.data(kind, label.as_str(), &next);
    Ok((found.map_err(|stop| stop.at(upto(used)))?, 2))
}

/// How many keys of a map a message lists.
const SHOWN: usize = 10;

/// What is done first with what was looked up.
fn next(operators: &[Decorated<TraversalOperator>]) -> Next<'_> {
    let element = operators.first().is_some_and(|o| !is_attribute(o.value()));
    let attribute = operators.get(usize::from(element)).and_then(|o| match o.value() {
        TraversalOperator::GetAttr(name) => Some(name.as_str()),
        _ => None,
    });
    Next { element, attribute }
}

fn is_attribute(operator: &TraversalOperator) -> bool {
    matches!(operator, TraversalOperator::GetAttr(_))
}

/// What a splat goes over: a list's elements, nothing for null, otherwise the value alone.
fn elements(value: &Value) -> Result<Vec<Value>, Fault> {
    match value.reveal() {
        Value::List(items) => Ok(items.to_vec()),
        Value::Null => Ok(Vec::new()),
        Value::Object(_) => Err(later("`[*]` of resources")),
        one => Ok(vec![one.clone()]),
    }
}

/// A member of a looked-up object: an attribute, or the id under one of its names.
fn found(object: &Found, name: &str) -> Result<Value, Stop> {
    let Some(attrs) = &object.attrs else { return Err(Stop::Silent) };
    if let Some(value) = attrs.get(name) {
        return Ok(value.clone());
    }
    let kind = &object.kind;
    if ID.contains(&name) && !object.id.is_empty() {
        return Ok(Value::Str(object.id.clone()));
    }
    let fault = Fault::new("unknown_attribute", format!("`{kind}` has no attribute `{name}`"));
    Err(match nearest(name, attrs.keys().map(|k| &**k)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("`rackform schema {kind}` lists its attributes")),
    }
    .into())
}

/// The names of an object's id.
pub(in crate::config) const ID: [&str; 2] = ["id", "uuid"];

fn attribute(value: &Value, name: &str) -> Result<Value, Stop> {
    if let Value::Found(object) = value {
        return found(object, name);
    }
    member(value, name).map_err(Stop::from)
}

fn member(value: &Value, name: &str) -> Result<Value, Fault> {
    match value {
        Value::Map(items) => items.get(name).cloned().ok_or_else(|| {
            let fault = Fault::new("unknown_key", format!("there is no `{name}` in this map"));
            match nearest(name, items.keys().map(|k| &**k)) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => {
                    let names: Vec<_> = items.keys().take(SHOWN).map(|k| &**k).collect();
                    fault.help(format!("it has: {}", names.join(", ")))
                }
            }
        }),
        Value::Object(address) if name == "id" => Ok(Value::Id(address.clone())),
        Value::Object(_) => Err(later(&format!("reading `{name}` of another resource"))
            .help("`.id` and the resource itself can be used")),
        other => {
            let found = other.kind_name();
            let label = format!("this is {found}");
            Err(Fault::new("unknown_key", format!("{found} has no `.{name}`")).label(label))
        }
    }
}

fn element(value: &Value, key: &Value) -> Result<Value, Fault> {
    match (value, key) {
        (Value::Map(_), Value::Str(name)) => member(value, name),
        (Value::List(items), key) => {
            let at = operator::number(key).and_then(|n| n.as_int()).ok_or_else(|| {
                Fault::new("unknown_key", format!("a list has no element {}", key.kind_name()))
            })?;
            let found = usize::try_from(at).ok().and_then(|at| items.get(at));
            found.cloned().ok_or_else(|| {
                let count = items.len();
                Fault::new("unknown_key", format!("there is no element {at} in a list of {count}"))
            })
        }
        (other, _) => {
            let found = other.kind_name();
            let label = format!("this is {found}");
            Err(Fault::new("unknown_key", format!("{found} has no elements")).label(label))
        }
    }
}

/// Whether a template element strips blanks before and after itself (`${~ x ~}`).
fn strips(element: &Element) -> (bool, bool) {
    match element {
        Element::Interpolation(part) => (part.strip.strip_start(), part.strip.strip_end()),
        _ => (false, false),
    }
}

fn later(what: &str) -> Fault {
    Fault::new("not_supported_yet", format!("{what} is not supported yet"))
        .label("not supported yet")
}

fn bare(name: &str) -> Fault {
    let fault = Fault::new("unknown_name", format!("`{name}` alone is not a value"));
    fault.help(format!("text stands in quotes: \"{name}\"; references are TYPE.LABEL or var.NAME"))
}

fn marked(result: Value, from: &[&Value]) -> Value {
    if from.iter().any(|v| v.is_sensitive()) { result.sensitive() } else { result }
}

fn number(n: &hcl_edit::Number) -> Result<Value, Fault> {
    match (n.as_i64(), n.as_f64()) {
        (Some(whole), _) => Ok(Value::Int(whole)),
        (None, Some(float)) if float.is_finite() => Ok(Value::from_float(float)),
        _ => Err(Fault::new("bad_operand", "this number is too large").label("does not fit")),
    }
}
