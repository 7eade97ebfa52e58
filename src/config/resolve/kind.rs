//! Evaluated values → values of an attribute's kind.
//!
//! In: a [`Tree`] and the [`Attribute`] it is for. Out: the value in its one normal form (sets
//! ordered, bytes as a number, references as objects), so that comparing later is `==`. All that
//! does not fit is reported here, with where it is written and what was expected.

use std::collections::BTreeMap;

use super::attr::{Shape, Tree};
use super::problem::Problem;
use super::provider::LITERAL_SECRET;
use super::{Work, quirk};
use crate::address::Address;
use crate::config::expr::unset;
use crate::diag::{Diagnostic, Span, nearest};
use crate::schema::{Attribute, Kind, Quirk};
use crate::value::Value;

/// What the value is for.
#[derive(Clone, Copy)]
pub(super) struct Target<'a> {
    /// The resource.
    pub on: &'a Address,
    pub attr: &'a Attribute,
    /// The kind: that of the attribute, or of its elements.
    pub kind: &'a Kind,
}

impl Work<'_> {
    /// `None` when the value does not fit, which then has been reported. Null is absent.
    pub(super) fn convert(&mut self, tree: Tree, to: Target<'_>) -> Option<Value> {
        if tree_is_null(&tree) {
            return self.null(&tree, to);
        }
        if to.attr.sensitive && tree.is_written_out() {
            self.literal_secret(&tree, to);
        }
        let value = match to.kind {
            Kind::Set(kind) => {
                let span = tree.span;
                let items = self.elements(tree, Target { kind, ..to })?;
                self.counted(Value::set(items), span, to)
            }
            Kind::List(kind) => {
                let span = tree.span;
                let items = self.elements(tree, Target { kind, ..to })?;
                self.counted(Value::list(items), span, to)
            }
            Kind::Object(attrs) => self.nested(tree, attrs, to),
            _ => self.scalar(tree, to),
        }?;
        Some(if to.attr.sensitive && !value.is_null() { value.sensitive() } else { value })
    }

    fn literal_secret(&mut self, tree: &Tree, to: Target<'_>) {
        let name = &to.attr.name;
        let variable = name.to_uppercase();
        let problem = format!("`{name}` is a secret written into a file");
        self.findings.push(
            Diagnostic::warning(LITERAL_SECRET, problem)
                .at(tree.span, "secret in clear")
                .help(format!(
                    "write {name} = '${{env(\"{variable}\")}}' or use a sensitive variable"
                ))
                .on(to.on),
        );
    }

    /// A list or set, if it has as many items as its attribute may have.
    fn counted(&mut self, list: Value, at: Span, to: Target<'_>) -> Option<Value> {
        match counted(&list, to) {
            Ok(()) => Some(list),
            Err(problem) => {
                self.refuse(problem, at, to);
                None
            }
        }
    }

    fn elements(&mut self, tree: Tree, to: Target<'_>) -> Option<Vec<Value>> {
        let items = match tree.items() {
            Ok(items) => items,
            Err(tree) => {
                self.wrong_kind(&tree, to, "a list");
                return None;
            }
        };
        let mut values = Vec::with_capacity(items.len());
        let mut complete = true;
        for item in items {
            if tree_is_null(&item) {
                self.wrong_kind(&item, to, expected(to.kind));
                complete = false;
                continue;
            }
            match self.convert(item, to) {
                Some(value) => values.push(value),
                None => complete = false,
            }
        }
        complete.then_some(values)
    }

    fn nested(&mut self, tree: Tree, attrs: &[Attribute], to: Target<'_>) -> Option<Value> {
        let span = tree.span;
        let entries = match tree.entries() {
            Ok(entries) => entries,
            Err(tree) => {
                self.wrong_kind(&tree, to, "a table");
                return None;
            }
        };
        let mut values = BTreeMap::new();
        let mut complete = true;
        for (key, tree) in entries {
            let Some(attr) = attrs.iter().find(|a| a.name == key.text) else {
                let known = attrs.iter().map(|a| &*a.name);
                self.unknown_attribute(&format!("`{}`", to.attr.name), &key, known);
                complete = false;
                continue;
            };
            if attr.computed {
                self.computed(&attr.name, key.span, to.on);
                complete = false;
                continue;
            }
            match self.convert(tree, Target { attr, kind: &attr.kind, ..to }) {
                Some(value) if value.is_null() => {}
                Some(value) => drop(values.insert(attr.name.clone(), value)),
                None => complete = false,
            }
        }
        for attr in attrs {
            if values.contains_key(&attr.name) {
                continue;
            }
            if let Some(default) = &attr.default {
                values.insert(attr.name.clone(), default.clone());
            } else if attr.always_required() && attr.when.is_empty() && complete {
                self.missing(&attr.name, span, to.on);
                complete = false;
            }
        }
        complete.then(|| Value::map(values))
    }

    /// Null is absent. Where a value is required, an unset environment variable is the cause.
    fn null(&mut self, tree: &Tree, to: Target<'_>) -> Option<Value> {
        let Some(name) = tree.unset.as_ref().filter(|_| to.attr.always_required()) else {
            return Some(Value::Null);
        };
        self.findings.push(unset(name).into_diagnostic(tree.span).on(to.on));
        None
    }

    fn scalar(&mut self, tree: Tree, to: Target<'_>) -> Option<Value> {
        let Shape::Leaf(value) = &tree.shape else {
            self.wrong_kind(&tree, to, expected(to.kind));
            return None;
        };
        if let Kind::Ref(kind) = to.kind {
            return self.reference(&tree, &[kind], to.on);
        }
        let secret = matches!(value, Value::Sensitive(_));
        // What is written out has the kind that is meant.
        let fitted = if tree.literal { None } else { fitted(value.reveal(), to.kind) };
        let plain = fitted.as_ref().unwrap_or(value.reveal());
        let result = match self.untrimmed(plain, to).and_then(|()| check(plain, to)) {
            Ok(value) => value,
            Err(problem) => {
                self.does_not_fit(&tree, to, problem);
                return None;
            }
        };
        Some(if secret { result.sensitive() } else { result })
    }

    /// Whether the server would take the text as it is written.
    fn untrimmed(&self, value: &Value, to: Target<'_>) -> Result<(), Problem> {
        match value.reveal() {
            Value::Str(text) if quirk::is_padded(text) && self.trims(to.on) => {
                Err(quirk::padded(text))
            }
            _ => Ok(()),
        }
    }

    fn trims(&self, on: &Address) -> bool {
        let ty = self.schemas.by_name(on.kind());
        let provider = ty.and_then(|ty| self.schemas.providers.get(&ty.provider));
        provider.is_some_and(|p| p.quirk == Some(Quirk::TrimsText))
    }

    fn does_not_fit(&mut self, tree: &Tree, to: Target<'_>, problem: Problem) {
        match problem {
            Problem { code: "wrong_kind", .. } => self.wrong_kind(tree, to, expected(to.kind)),
            other => self.refuse(other, tree.span, to),
        }
    }

    fn refuse(&mut self, problem: Problem, at: Span, to: Target<'_>) {
        let Problem { code, summary, label, help } = problem;
        let mut finding = Diagnostic::error(code, format!("`{}` {summary}", to.attr.name))
            .at(at, label)
            .on(to.on);
        finding.help = help;
        self.findings.push(finding);
    }

    pub(super) fn wrong_kind(&mut self, tree: &Tree, to: Target<'_>, expected: &str) {
        let found = tree.kind_name();
        let problem = format!("`{}` must be {expected}", to.attr.name);
        let mut finding = Diagnostic::error("wrong_kind", problem)
            .at(tree.span, format!("this is {found}"))
            .on(to.on);
        let leaf = match &tree.shape {
            Shape::Leaf(value) => Some(value.reveal()),
            _ => None,
        };
        finding.help = match (leaf, to.kind) {
            (Some(Value::Int(_) | Value::Float(_) | Value::Bool(_)), Kind::Text) => {
                Some("put it in quotes".to_owned())
            }
            (Some(Value::Str(_)), Kind::Int | Kind::Bool) if tree.literal => {
                Some("write it without quotes".to_owned())
            }
            (Some(Value::Object(_)), Kind::Text) => Some("its id is `.id`".to_owned()),
            _ => None,
        };
        self.findings.push(finding);
    }

    pub(super) fn computed(&mut self, name: &str, at: Span, on: &Address) {
        let problem = format!("`{name}` cannot be set: the cloud decides it");
        self.findings
            .push(Diagnostic::error("computed_attribute", problem).at(at, "remove this").on(on));
    }

    pub(super) fn missing(&mut self, name: &str, at: Span, on: &Address) {
        let problem = format!("`{name}` is missing");
        let label = format!("needs `{name}`");
        self.findings.push(Diagnostic::error("missing_attribute", problem).at(at, label).on(on));
    }
}

fn tree_is_null(tree: &Tree) -> bool {
    matches!(&tree.shape, Shape::Leaf(value) if value.is_null())
}

/// What an expression came to, as the kind that is asked for: digits as a number, a number as text,
/// as in Terraform. `None`: it stays what it is.
fn fitted(value: &Value, kind: &Kind) -> Option<Value> {
    match (kind, value) {
        (Kind::Int, Value::Str(_) | Value::Float(_)) => {
            crate::config::expr::whole(value).map(Value::Int)
        }
        (Kind::Bool, Value::Str(text)) => text.parse().ok().map(Value::Bool),
        (Kind::Text, Value::Int(n)) => Some(Value::str(&n.to_string())),
        (Kind::Text, Value::Float(n)) => Some(Value::str(&n.to_string())),
        (Kind::Text, Value::Bool(b)) => Some(Value::str(&b.to_string())),
        _ => None,
    }
}

/// A scalar of a kind in its normal form, within what the attribute allows.
pub(super) fn check(value: &Value, to: Target<'_>) -> Result<Value, Problem> {
    let wrong_kind = || Err(Problem::new("wrong_kind", ""));
    match (to.kind, value) {
        // An id that is not known yet can only be passed on whole.
        (Kind::Text, Value::Id(_)) => return Ok(value.clone()),
        (Kind::Text, Value::Str(text)) => allowed(text, to.attr)?,
        (Kind::Host, Value::Str(text)) => {
            if !is_host(text) {
                let mut problem =
                    Problem::new("bad_host", "must be an IPv4 address or a host name");
                problem.label = "neither".to_owned();
                return Err(problem);
            }
        }
        (Kind::Path, Value::Str(text)) => {
            if !text.starts_with('/') || text.contains('\0') {
                let mut problem = Problem::new("bad_path", "must be an absolute path");
                problem.label = "does not start with `/`".to_owned();
                return Err(problem);
            }
        }
        (Kind::Int, Value::Int(_)) | (Kind::Bool, Value::Bool(_)) => {}
        (Kind::Bytes, _) => {
            let bytes = bytes(value).ok_or_else(|| Problem {
                help: Some("write 10737418240, \"10G\" or \"512M\" (1K = 1024)".to_owned()),
                ..Problem::new("bad_bytes", "must be a number of bytes")
            })?;
            in_range(&Value::Int(bytes), to.attr)?;
            return Ok(Value::Int(bytes));
        }
        _ => return wrong_kind(),
    }
    if let (Some(known), Value::Str(text)) = (to.attr.quirk, value) {
        quirk::check(text, known)?;
    }
    in_range(value, to.attr)?;
    Ok(value.clone())
}

fn allowed(text: &str, attr: &Attribute) -> Result<(), Problem> {
    if attr.values.is_empty() || attr.values.iter().any(|(read, _)| &**read == text) {
        return Ok(());
    }
    let names: Vec<&str> = attr.values.iter().map(|(read, _)| &**read).collect();
    let mut problem = Problem::new("bad_value", format!("must be one of: {}", names.join(", ")));
    problem.label = "none of them".to_owned();
    let same = names.iter().copied().find(|n| n.eq_ignore_ascii_case(text));
    problem.help = same.or_else(|| nearest(text, names)).map(|n| format!("did you mean `{n}`?"));
    Err(problem)
}

/// Whether a number, or the length of a text, is within the attribute's range. The range of a list
/// or a set is about how many items it has.
fn in_range(value: &Value, attr: &Attribute) -> Result<(), Problem> {
    match value {
        _ if matches!(attr.kind, Kind::Set(_) | Kind::List(_)) => Ok(()),
        Value::Int(n) => in_bounds(*n, "", attr),
        Value::Str(text) => {
            let length = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
            in_bounds(length, " characters", attr)
        }
        _ => Ok(()),
    }
}

/// Whether a list or set has as many items as its attribute may have. In a list of lists, the range
/// is about the outer one.
pub(super) fn counted(list: &Value, to: Target<'_>) -> Result<(), Problem> {
    match list {
        Value::List(items) if to.kind == &to.attr.kind => {
            in_bounds(i64::try_from(items.len()).unwrap_or(i64::MAX), " items", to.attr)
        }
        _ => Ok(()),
    }
}

/// Whether an amount is within the attribute's range.
fn in_bounds(amount: i64, unit: &str, attr: &Attribute) -> Result<(), Problem> {
    let Some((least, most)) = attr.range else { return Ok(()) };
    if (least..=most).contains(&amount) {
        return Ok(());
    }
    let between = match (least, most) {
        (least, most) if least == most => format!("exactly {least}"),
        (i64::MIN, most) => format!("at most {most}"),
        (least, i64::MAX) => format!("at least {least}"),
        (least, most) => format!("between {least} and {most}"),
    };
    let verb = if unit.is_empty() { "be" } else { "have" };
    let mut problem = Problem::new("out_of_range", format!("must {verb} {between}{unit}"));
    if !unit.is_empty() {
        problem.label = format!("{amount}{unit}");
    }
    Err(problem)
}

/// What people should write for a kind.
pub(super) fn expected(kind: &Kind) -> &'static str {
    match kind {
        Kind::Text => "text",
        Kind::Int => "an integer",
        Kind::Bool => "true or false",
        Kind::Host => "an IPv4 address or a host name",
        Kind::Path => "an absolute path",
        Kind::Bytes => "a number of bytes",
        Kind::Ref(_) => "a reference",
        Kind::Set(_) | Kind::List(_) => "a list",
        Kind::Object(_) => "a table",
    }
}

/// An IPv4 address, or a host name by RFC 1123. What looks like an address must be one.
pub(super) fn is_host(text: &str) -> bool {
    if text.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
        return text.parse::<std::net::Ipv4Addr>().is_ok();
    }
    let label = |l: &str| {
        (1..=63).contains(&l.len())
            && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !l.starts_with('-')
            && !l.ends_with('-')
    };
    text.len() <= 253 && text.split('.').all(label)
}

/// A number of bytes: an integer, or digits with a unit to the base 1024 (`10G`, `512 MiB`).
pub(super) fn bytes(value: &Value) -> Option<i64> {
    let text = match value {
        Value::Int(n) => return (*n >= 0).then_some(*n),
        Value::Str(text) => text.trim(),
        _ => return None,
    };
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let unit = text[digits..].trim_start().to_ascii_uppercase();
    let unit = unit.strip_suffix("IB").or(unit.strip_suffix('B')).unwrap_or(&unit);
    let power = ["", "K", "M", "G", "T", "P", "E"].iter().position(|u| *u == unit)?;
    let factor = 1024_i64.checked_pow(u32::try_from(power).ok()?)?;
    text[..digits].parse::<i64>().ok()?.checked_mul(factor)
}
