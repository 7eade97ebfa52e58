//! Functions that need more than the values of their arguments: what is outside, or whether an
//! argument has a value at all.
//!
//! In: the call. Out: a value. What is outside is asked of the scope.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::FuncCall;

use super::evaluation::Evaluation;
use super::known::known;
use super::{Fault, Need, Outside, Stop};
use crate::value::Value;

type Special = fn(&mut Evaluation<'_>, &FuncCall) -> Result<Value, Stop>;

/// Their arguments and what they do stand in the table of all functions.
const SPECIAL: [(&str, Special); 7] = [
    ("can", can),
    ("env", env),
    ("file", file),
    ("fileexists", file_exists),
    ("fileset", file_set),
    ("templatefile", template_file),
    ("try", try_each),
];

pub fn find(name: &str) -> Option<Special> {
    SPECIAL.iter().find(|(own, _)| *own == name).map(|(_, run)| *run)
}

fn wrong_number(call: &FuncCall, signature: &str) -> Stop {
    let name = call.name.name.as_str();
    let problem = format!("`{name}` takes other arguments: {name}({signature})");
    Fault::new("bad_argument", problem).at(call.span()).into()
}

/// The arguments as known texts, and whether one of them is secret.
fn texts<const N: usize>(
    to: &mut Evaluation<'_>,
    call: &FuncCall,
    signature: &str,
) -> Result<([Arc<str>; N], bool), Stop> {
    let values = to.arguments(call)?;
    let secret = values.iter().any(Value::is_sensitive);
    let mut texts = Vec::with_capacity(N);
    for (value, node) in values.iter().zip(call.args.iter()) {
        known(value).map_err(|stop| stop.at(node.span()))?;
        let Value::Str(text) = value.reveal() else {
            let name = call.name.name.as_str();
            let fault =
                Fault::new("bad_argument", format!("`{name}` takes text: {name}({signature})"));
            return Err(fault
                .label(format!("this is {}", value.kind_name()))
                .at(node.span())
                .into());
        };
        texts.push(text.clone());
    }
    let texts = texts.try_into().map_err(|_| wrong_number(call, signature))?;
    Ok((texts, secret))
}

fn env(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let ([name], secret) = texts::<1>(to, call, "\"NAME\"")?;
    if secret {
        let fault =
            Fault::new("secret_key", "the name of an environment variable cannot be secret");
        return Err(fault.into());
    }
    match to.scope.outside(Need::Env(name.to_string()))? {
        Outside::Text(text) => Ok(Value::Str(text)),
        _ => {
            to.unset = Some(name);
            Ok(Value::Null)
        }
    }
}

/// The text of a file that must be there.
fn read(to: &mut Evaluation<'_>, path: &str) -> Result<Arc<str>, Stop> {
    let refuse = |why: &str| {
        let fault = Fault::new("unreadable", format!("`{path}` cannot be read: {why}"));
        let help =
            "relative paths start at the root module; \"${path.module}/…\" is beside this file";
        Err(fault.help(help).into())
    };
    match to.scope.outside(Need::File(path.to_owned()))? {
        Outside::Text(text) => Ok(text),
        Outside::Failed(why) => refuse(&why),
        Outside::Nothing | Outside::Names(_) => refuse("there is no such file"),
    }
}

fn file(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let ([path], secret) = texts::<1>(to, call, "path")?;
    let text = Value::Str(read(to, public(&path, secret)?)?);
    Ok(text)
}

/// Paths stand in messages.
fn public(path: &str, secret: bool) -> Result<&str, Stop> {
    if secret {
        return Err(Fault::new("secret_key", "a path cannot be secret").into());
    }
    Ok(path)
}

fn file_exists(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let ([path], secret) = texts::<1>(to, call, "path")?;
    let found = to.scope.outside(Need::File(public(&path, secret)?.to_owned()))?;
    Ok(Value::Bool(found != Outside::Nothing))
}

fn file_set(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let ([dir, pattern], secret) = texts::<2>(to, call, "directory, pattern")?;
    let dir = public(&dir, secret)?.to_owned();
    match to.scope.outside(Need::Files { dir: dir.clone(), pattern: pattern.to_string() })? {
        Outside::Names(names) => Ok(Value::List(names)),
        Outside::Failed(why) => {
            let problem = format!("the files of `{dir}` cannot be listed: {why}");
            Err(Fault::new("unreadable", problem).into())
        }
        Outside::Nothing | Outside::Text(_) => Ok(Value::list(Vec::new())),
    }
}

fn template_file(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    const SIGNATURE: &str = "path, variables";
    if to.closed {
        let problem = "a template cannot read another: `templatefile` is not known in it";
        return Err(Fault::new("not_here", problem).into());
    }
    let values = to.arguments(call)?;
    let [path, variables] = &values[..] else { return Err(wrong_number(call, SIGNATURE)) };
    known(path)?;
    let (Value::Str(path), Value::Map(variables)) = (path, variables.reveal()) else {
        let fault =
            Fault::new("bad_argument", "`templatefile` takes a path and a map of variables");
        return Err(fault.into());
    };
    let secret = matches!(values[1], Value::Sensitive(_));
    let text = read(to, path)?;
    let parsed = to.scope.parsed(&text).map_err(|stop| in_file(path, &text, stop))?;
    let bound = variables.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    let mut inner =
        Evaluation { scope: &mut *to.scope, bound, unset: None, secret: false, closed: true };
    let value = inner.template(&parsed.template).map_err(|stop| in_file(path, &text, stop))?;
    Ok(if secret { value.sensitive() } else { value })
}

/// A fault in a file that is no source of ours: told in words.
fn in_file(path: &str, text: &str, stop: Stop) -> Stop {
    let Stop::Fault(mut fault) = stop else { return Stop::Silent };
    let at = fault.range.take().map_or(0, |range| range.start.min(text.len()));
    let line = 1 + text.as_bytes()[..at].iter().filter(|b| **b == b'\n').count();
    fault.summary = format!("{path}:{line}: {}", fault.summary);
    Stop::Fault(fault)
}

/// Whether an expression fails; what is not known yet or not answered is no failure. Also whether
/// it looked at a secret: then even that it fails is one.
fn attempt(
    to: &mut Evaluation<'_>,
    node: &hcl_edit::expr::Expression,
) -> Result<(Option<Value>, bool), Stop> {
    let before = std::mem::take(&mut to.secret);
    let result = to.eval(node);
    let secret = std::mem::replace(&mut to.secret, before);
    to.secret |= secret;
    match result {
        Ok(value) => Ok((Some(value), secret)),
        Err(Stop::Silent) => Err(Stop::Silent),
        Err(stop) if stop.is_not_yet_known() => Err(stop),
        // How deep it stands is no property of the expression.
        Err(Stop::Fault(fault)) if fault.code == "too_deep" => Err(Stop::Fault(fault)),
        Err(Stop::Fault(_)) => Ok((None, secret)),
    }
}

fn try_each(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let mut failed_on_secret = false;
    for node in call.args.iter() {
        let (value, secret) = attempt(to, node)?;
        match value {
            Some(value) if failed_on_secret => return Ok(value.sensitive()),
            Some(value) => return Ok(value),
            None => failed_on_secret |= secret,
        }
    }
    let problem = "none of these expressions has a value";
    Err(Fault::new("bad_argument", problem).help("end it with a value: try(…, null)").into())
}

fn can(to: &mut Evaluation<'_>, call: &FuncCall) -> Result<Value, Stop> {
    let mut arguments = call.args.iter();
    let (Some(node), None) = (arguments.next(), arguments.next()) else {
        return Err(wrong_number(call, "expression"));
    };
    let (value, secret) = attempt(to, node)?;
    let answer = Value::Bool(value.is_some());
    Ok(if secret { answer.sensitive() } else { answer })
}
