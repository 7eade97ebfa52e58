//! Walks the syntax tree of an expression.
//!
//! In: `hcl-edit`'s tree. Out: values. Secrets stay marked through every operation; what is not
//! known yet may be passed on whole, never looked into.

use std::collections::BTreeMap;
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Conditional, Expression, FuncCall, Object, ObjectKey};

use super::evaluation::{Evaluation, bare, marked, secret_key};
use super::function::revealed;
use super::known::{known, text};
use super::operator::Side;
use super::parsed::syntax;
use super::{Evaluated, Fault, Parsed, Scope, Stop, function, operator, special};
use crate::value::Value;

/// How deep evaluations may stand within each other, counted as [`Scope::depth`] says. Each needs
/// at most about 5 KiB of stack, in a build without optimisation: `cli::STACK` holds that.
pub const DEEPEST: u32 = 40_000;

/// The value of a template. One that is a single interpolation keeps its type.
///
/// # Errors
/// [`Stop`] with a range in the decoded text.
pub fn template(parsed: &Parsed, scope: &mut dyn Scope) -> Result<Evaluated, Stop> {
    let mut evaluation = Evaluation::new(scope);
    let value = evaluation.template(&parsed.template)?;
    Ok(Evaluated { value, unset: evaluation.unset })
}

/// The value of a bare expression, as given to `--var` for a list or map.
///
/// # Errors
/// [`Stop`] with a range in the text.
pub fn expression(text: &str, scope: &mut dyn Scope) -> Result<Evaluated, Stop> {
    let text = text.trim();
    let expression: Expression = text.parse().map_err(|e| syntax(text, &e))?;
    let mut evaluation = Evaluation::new(scope);
    let value = evaluation.eval(&expression)?;
    Ok(Evaluated { value, unset: evaluation.unset })
}

impl Evaluation<'_> {
    pub fn eval(&mut self, node: &Expression) -> Result<Value, Stop> {
        self.deeper(|to| to.inner(node)).map_err(|stop| stop.at(node.span()))
    }

    /// Goes one step deeper, unless that is too deep.
    pub fn deeper<T>(&mut self, run: impl FnOnce(&mut Self) -> Result<T, Stop>) -> Result<T, Stop> {
        if *self.scope.depth() >= DEEPEST {
            let fault = Fault::new("too_deep", "expressions are nested too deeply");
            let help = "too many values are made of one another: fewer steps will do";
            return Err(fault.help(help).into());
        }
        *self.scope.depth() += 1;
        let result = run(self);
        *self.scope.depth() -= 1;
        result
    }

    fn inner(&mut self, node: &Expression) -> Result<Value, Stop> {
        let place = node.span();
        match node {
            Expression::Null(_) => Ok(Value::Null),
            Expression::Bool(b) => Ok(Value::Bool(*b.value())),
            Expression::Number(n) => number(n.value()).map_err(|f| f.at(place).into()),
            Expression::String(text) => Ok(Value::str(text.value())),
            Expression::Array(items) => {
                let items: Result<_, _> = items.iter().map(|item| self.eval(item)).collect();
                items.map(Value::list)
            }
            Expression::Object(object) => self.object(object),
            Expression::StringTemplate(template) => self.template(template),
            Expression::HeredocTemplate(heredoc) => self.template(&heredoc.template),
            Expression::Parenthesis(inner) => self.eval(inner.inner()),
            Expression::Variable(name) => self.bare(name.as_str()).map_err(|stop| stop.at(place)),
            Expression::Conditional(choice) => self.choose(choice),
            Expression::FuncCall(call) => self.call(call),
            Expression::Traversal(traversal) => self.traverse(traversal),
            Expression::UnaryOp(op) => {
                let value = self.eval(&op.expr)?;
                let at = |stop: Stop| stop.at(op.expr.span());
                known(&value).map_err(at)?;
                let result = operator::unary(*op.operator.value(), value.reveal());
                result.map(|r| marked(r, &[&value])).map_err(|f| at(f.into()))
            }
            Expression::BinaryOp(op) => {
                let left = self.eval(&op.lhs_expr)?;
                if let Some(decided) = operator::decided(&left, *op.operator.value()) {
                    return Ok(decided);
                }
                let right = self.eval(&op.rhs_expr)?;
                known(&left).map_err(|stop| stop.at(op.lhs_expr.span()))?;
                known(&right).map_err(|stop| stop.at(op.rhs_expr.span()))?;
                let (a, b) = (revealed(&left), revealed(&right));
                let result = operator::binary(&a, *op.operator.value(), &b);
                result.map(|r| marked(r, &[&left, &right])).map_err(|(side, fault)| {
                    let place = match side {
                        Side::Left => op.lhs_expr.span(),
                        Side::Right => op.rhs_expr.span(),
                        Side::Both => place,
                    };
                    fault.at(place).into()
                })
            }
            Expression::ForExpr(each) => self.collect(each),
        }
    }

    fn bare(&mut self, name: &str) -> Result<Value, Stop> {
        match self.bound(name) {
            Some(value) => {
                self.secret |= matches!(value, Value::Sensitive(_));
                Ok(value)
            }
            None if name == "self" && !self.closed => {
                Ok(self.scope.name(&super::Name::This)?.value)
            }
            None => Err(bare(name).into()),
        }
    }

    fn object(&mut self, object: &Object) -> Result<Value, Stop> {
        let mut items = BTreeMap::new();
        for (key, value) in object.iter() {
            let name: Arc<str> = match key {
                ObjectKey::Ident(name) => name.as_str().into(),
                // A name in this place is a key, not a reference, as in HCL.
                ObjectKey::Expression(Expression::Variable(name)) => name.as_str().into(),
                ObjectKey::Expression(expression) => self.key(expression)?,
            };
            items.insert(name, self.eval(value.expr())?);
        }
        Ok(Value::map(items))
    }

    /// A key: known, and no secret, since messages and addresses show it.
    pub fn key(&mut self, node: &Expression) -> Result<Arc<str>, Stop> {
        match self.any_key(node)? {
            (_, true) => Err(secret_key().at(node.span()).into()),
            (key, false) => Ok(key),
        }
    }

    /// A key, and whether it is a secret.
    pub fn any_key(&mut self, node: &Expression) -> Result<(Arc<str>, bool), Stop> {
        let key = self.eval(node)?;
        let at = |stop: Stop| stop.at(node.span());
        known(&key).map_err(at)?;
        let text = match key.reveal() {
            Value::Str(text) => text.clone(),
            other => text(other).map_err(at)?.into(),
        };
        Ok((text, key.is_sensitive()))
    }

    fn choose(&mut self, choice: &Conditional) -> Result<Value, Stop> {
        let condition = self.eval(&choice.cond_expr)?;
        let yes = self.decide(&condition, &choice.cond_expr)?;
        let chosen = if yes { &choice.true_expr } else { &choice.false_expr };
        Ok(marked(self.eval(chosen)?, &[&condition]))
    }

    /// A condition that has been evaluated.
    pub fn decide(&self, condition: &Value, node: &Expression) -> Result<bool, Stop> {
        let at = |stop: Stop| stop.at(node.span());
        known(condition).map_err(at)?;
        operator::boolean(condition.reveal()).map_err(|f| at(f.into()))
    }

    fn call(&mut self, call: &FuncCall) -> Result<Value, Stop> {
        let place = call.span();
        let name = &call.name.name;
        if call.name.is_namespaced() {
            let fault = Fault::new("unknown_function", "functions have no namespaces here");
            return Err(fault.at(place).into());
        }
        let at_name = |fault: Fault| fault.at(name.span().or(place.clone()));
        if let Some(special) = special::find(name.as_str()) {
            function::find(name.as_str(), call.args.len()).map_err(at_name)?;
            return special(self, call).map_err(|stop| stop.at(place));
        }
        let arguments = self.arguments(call)?;
        let function = function::find(name.as_str(), arguments.len()).map_err(at_name)?;
        function.run(&arguments).map_err(|misuse| {
            // What a final `list...` spreads out has the place of the list.
            let last = call.args.len().saturating_sub(1);
            let argument = misuse.argument.and_then(|at| call.args.iter().nth(at.min(last)));
            let value = misuse.argument.and_then(|at| arguments.get(at));
            let stop = self.in_file(misuse.stop, value);
            stop.at(argument.and_then(hcl_edit::Span::span).or(place))
        })
    }

    /// Names the file that an argument is the text of: what is wrong stands there.
    fn in_file(&mut self, stop: Stop, argument: Option<&Value>) -> Stop {
        let Stop::Fault(mut fault) = stop else { return stop };
        if let Some(Value::Str(text)) = argument.map(Value::reveal)
            && let Some(path) = self.scope.file_of(text)
        {
            fault.label = format!("{path}: {}", fault.label);
        }
        Stop::Fault(fault)
    }

    /// The arguments, with those of a final `list...` spread out.
    pub fn arguments(&mut self, call: &FuncCall) -> Result<Vec<Value>, Stop> {
        let mut arguments = Vec::with_capacity(call.args.len());
        for (at, node) in call.args.iter().enumerate() {
            let value = self.eval(node)?;
            if !(call.args.expand_final() && at + 1 == call.args.len()) {
                arguments.push(value);
                continue;
            }
            let secret = matches!(value, Value::Sensitive(_));
            let Value::List(items) = value.reveal() else {
                known(&value).map_err(|stop| stop.at(node.span()))?;
                let label = format!("this is {}", value.kind_name());
                let fault = Fault::new("wrong_kind", "only a list can be spread with `...`");
                return Err(fault.label(label).at(node.span()).into());
            };
            let items = items.iter().cloned();
            arguments.extend(items.map(|item| if secret { item.sensitive() } else { item }));
        }
        Ok(arguments)
    }
}

fn number(n: &hcl_edit::Number) -> Result<Value, Fault> {
    match (n.as_i64(), n.as_f64()) {
        (Some(whole), _) => Ok(Value::Int(whole)),
        (None, Some(float)) if float.is_finite() => Ok(Value::from_float(float)),
        _ => Err(Fault::new("bad_operand", "this number is too large").label("does not fit")),
    }
}
