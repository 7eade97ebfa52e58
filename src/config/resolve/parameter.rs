//! Words of the command line → the value of an action's parameter.
//!
//! In: a parameter of a schema and the texts given for it. Out: its value, judged by the rules that
//! hold for attributes in a configuration, or what is wrong. Knows no state: whether an address
//! denotes an object is found out by whoever runs the action.

use super::kind::{self, Target, check};
use super::problem::Problem;
use super::reference::foreign_id;
use crate::address::Address;
use crate::diag::Diagnostic;
use crate::schema::{Attribute, Kind};
use crate::value::Value;

/// Reads a parameter. A list is given item by item; everything else once. `on` is what the action
/// is for. A reference becomes [`Value::Object`] or, for an object that somebody else manages, its
/// id.
///
/// # Errors
/// What does not fit, by name; the value of a secret is never quoted.
pub fn parameter(param: &Attribute, texts: &[&str], on: &Address) -> Result<Value, Diagnostic> {
    let to = Target { on, attr: param, kind: &param.kind };
    let value = match (&param.kind, texts) {
        (Kind::Set(kind), items) => counted(Value::set(all(items, Target { kind, ..to })?), to)?,
        (Kind::List(kind), items) => counted(Value::list(all(items, Target { kind, ..to })?), to)?,
        (_, [text]) => one(text, to)?,
        _ => {
            let text = format!("the parameter `{}` is given {} times", param.name, texts.len());
            return Err(Diagnostic::error("parameter_twice", text)
                .help("give it once: only a list has several values"));
        }
    };
    Ok(if param.sensitive { value.sensitive() } else { value })
}

fn all(items: &[&str], to: Target<'_>) -> Result<Vec<Value>, Diagnostic> {
    items.iter().map(|item| one(item, to)).collect()
}

fn one(text: &str, to: Target<'_>) -> Result<Value, Diagnostic> {
    if let Kind::Ref(wanted) = to.kind {
        return reference(text, wanted, to);
    }
    let read = match to.kind {
        Kind::Int => text.trim().parse().map_or_else(|_| Value::str(text), Value::Int),
        Kind::Bool => text.trim().parse().map_or_else(|_| Value::str(text), Value::Bool),
        _ => Value::str(text),
    };
    check(&read, to).map_err(|problem| unfit(problem, to))
}

/// A list with as many items as it may have.
fn counted(list: Value, to: Target<'_>) -> Result<Value, Diagnostic> {
    kind::counted(&list, to).map_err(|problem| unfit(problem, to))?;
    Ok(list)
}

fn unfit(problem: Problem, to: Target<'_>) -> Diagnostic {
    let summary = match problem.code {
        "wrong_kind" => format!("must be {}", kind::expected(to.kind)),
        _ => problem.summary,
    };
    let mut finding = refuse(problem.code, to, &summary);
    finding.help = problem.help;
    finding
}

fn refuse(code: &'static str, to: Target<'_>, what: &str) -> Diagnostic {
    Diagnostic::error(code, format!("the parameter `{}` {what}", to.attr.name))
}

/// `TYPE.LABEL`, `id:UUID`, `TYPE.id:UUID` or a bare uuid.
fn reference(text: &str, wanted: &str, to: Target<'_>) -> Result<Value, Diagnostic> {
    let prefix = format!("{wanted}.");
    let own = text.strip_prefix(&prefix).filter(|rest| rest.starts_with("id:"));
    let Ok(id) = foreign_id(own.unwrap_or(text)) else {
        let finding = refuse("bad_reference", to, "has an id that cannot be one");
        return Err(finding.help("ids consist of letters, digits, `-` and `_`"));
    };
    if let Some(id) = id {
        return Ok(Value::str(id));
    }
    let help = format!("write its address ({wanted}.LABEL), or {wanted}.id:UUID");
    match Address::parse(text) {
        Ok(address) if address.kind() == wanted && address.member_of().is_none() => {
            Ok(Value::Object(address))
        }
        Ok(address) => {
            let what = format!("must be a {wanted}, not a {}", address.kind());
            Err(refuse("wrong_kind", to, &what).help(help))
        }
        Err(_) => {
            let what = format!("must be a {wanted}; names are not accepted");
            Err(refuse("bad_reference", to, &what).help(help))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::parse_texts;

    const SHELF: &str = r#"
version = 1
doc = "A shelf"
id = "client:resourceUuid"
read = { call = "GET /shelves", reply = "inventories" }
[action.move]
call = "PUT /shelves/{id}/actions"
body = "moveShelf"
[action.move.attr]
colour = { kind = "text", values = ["red", "blue"] }
height = { kind = "int", range = [1, 9] }
loud   = { kind = "bool" }
books  = { kind = "list(text)", range = [1, 2] }
load   = { kind = "bytes" }
to     = { kind = "ref(shelf)" }
code   = { kind = "int", is = ["sensitive"] }
[attr]
"#;

    /// The value of a parameter, or what is wrong with it.
    fn read(name: &str, texts: &[&str]) -> Result<Value, String> {
        let schemas = parse_texts(&[("p", "shelf.toml", SHELF)]).map_err(|(f, _)| format!("{f:?}"));
        let schemas = schemas.expect("a sound file");
        let params = &schemas.types[0].actions[0].params;
        let param = params.iter().find(|p| &*p.name == name).expect("a parameter");
        parameter(param, texts, &Address::new("shelf", "a")).map_err(|d| {
            let help = d.help.map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{}{help}", d.summary)
        })
    }

    #[test]
    fn texts_become_values_of_the_kind() {
        assert_eq!(read("colour", &["red"]), Ok(Value::str("red")));
        assert_eq!(read("height", &["7"]), Ok(Value::Int(7)));
        assert_eq!(read("loud", &["true"]), Ok(Value::Bool(true)));
        assert_eq!(read("load", &["2K"]), Ok(Value::Int(2048)));
        let books = Value::list(vec![Value::str("b"), Value::str("a")]);
        assert_eq!(read("books", &["b", "a"]), Ok(books));
        let shelf = Value::Object(Address::new("shelf", "b"));
        assert_eq!(read("to", &["shelf.b"]), Ok(shelf));
        let id = "0123456789abcdef0123456789abcdef";
        for text in [id.to_owned(), format!("id:{id}"), format!("shelf.id:{id}")] {
            assert_eq!(read("to", &[&text]), Ok(Value::str(id)), "{text}");
        }
        assert_eq!(read("code", &["7"]), Ok(Value::Int(7).sensitive()));
    }

    #[test]
    fn what_does_not_fit_is_said_with_a_way_out() {
        let wrong = |name, texts: &[&str]| read(name, texts).expect_err("it does not fit");
        let said = "the parameter `colour` must be one of: red, blue (did you mean `red`?)";
        assert_eq!(wrong("colour", &["Red"]), said);
        let said = "the parameter `height` must be between 1 and 9";
        assert_eq!(wrong("height", &["10"]), said);
        assert_eq!(wrong("height", &["high"]), "the parameter `height` must be an integer");
        assert_eq!(wrong("loud", &["yes"]), "the parameter `loud` must be true or false");
        assert!(wrong("colour", &["red", "blue"]).contains("is given 2 times"));
        let said = "the parameter `books` must have between 1 and 2 items";
        assert_eq!(wrong("books", &["a", "b", "c"]), said);
        assert!(wrong("to", &["zone.a"]).contains("must be a shelf, not a zone"));
        assert!(wrong("to", &["hall 1"]).contains("names are not accepted"));
        assert!(!wrong("code", &["hunter2"]).contains("hunter2"), "a secret is not quoted");
    }
}
