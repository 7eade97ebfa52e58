//! What the functions come to: tables of calls and results from the documentation of Terraform,
//! what is refused and where, what becomes of secrets and of objects that are not made yet.

mod collections;
mod encodings;
mod numbers;
mod properties;
mod refused;
mod secrets;
mod texts;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::super::{Evaluated, Fault, Name, Outside, Parsed, Scope, Stop, Templates, expression};
use super::{Depth, all, find};
use crate::address::Address;
use crate::config::Need;
use crate::value::{Found, Value};

/// Knows `zone.NAME`, `var.secret`, `var.secrets`, `var.mixed` and `data.zone.open`, and what the
/// examples ask of the outside.
#[derive(Default)]
struct Names {
    templates: Templates,
    depth: u32,
}

fn variable(name: &str) -> Result<Value, Stop> {
    let secret = Value::str("hunter2").sensitive();
    Ok(match name {
        "secret" => secret,
        "secrets" => Value::list(vec![Value::str("hunter2"), Value::str("b")]).sensitive(),
        "mixed" => Value::list(vec![Value::str("a"), secret]),
        "map" => Value::map(BTreeMap::from([("a".into(), Value::Int(1)), ("s".into(), secret)])),
        _ => return Err(Fault::new("unknown_variable", "no such variable").into()),
    })
}

impl Scope for Names {
    fn name(&mut self, name: &Name<'_>) -> Result<Evaluated, Stop> {
        let value = match *name {
            Name::Variable(name) => variable(name)?,
            Name::Path("module") => Value::str("."),
            Name::Object { kind, label, .. } => Value::Object(Address::new(kind, label)),
            Name::Data { kind, .. } => {
                Value::Found(Arc::new(Found { kind: kind.into(), id: "".into(), attrs: None }))
            }
            _ => return Err(Fault::new("not_here", "not here").into()),
        };
        Ok(value.into())
    }
    fn attribute(&mut self, of: &Address, _: &str) -> Result<Value, Stop> {
        Err(Fault::new("not_yet_known", format!("`{of}` is not yet known")).into())
    }
    fn id(&mut self, _: &Address) -> Option<Arc<str>> {
        None
    }
    fn outside(&mut self, need: Need) -> Result<Outside, Stop> {
        let text = |text: &str| Outside::Text(text.into());
        Ok(match &need {
            Need::Env(name) if name == "HALL" => text("east"),
            Need::File(path) if path == "./motd" => text("Hello"),
            Need::File(path) if path == "greeting" => text("Hello ${name}"),
            Need::Files { .. } => {
                Outside::Names(Arc::new(vec![Value::str("a.csv"), Value::str("b.csv")]))
            }
            _ => Outside::Nothing,
        })
    }
    fn file_of(&mut self, _: &Arc<str>) -> Option<String> {
        None
    }
    fn parsed(&mut self, text: &Arc<str>) -> Result<Arc<Parsed>, Stop> {
        self.templates.get(text)
    }
    fn depth(&mut self) -> &mut u32 {
        &mut self.depth
    }
}

fn eval(text: &str) -> Result<Value, Stop> {
    expression(text, &mut Names::default()).map(|e| e.value)
}

fn value(text: &str) -> Value {
    eval(text).unwrap_or_else(|stop| panic!("{text}: {stop:?}"))
}

fn fault(text: &str) -> Fault {
    match eval(text) {
        Err(Stop::Fault(fault)) => *fault,
        other => panic!("{text}: {other:?}"),
    }
}

/// Each expression comes to what the other one comes to.
fn same(cases: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (text, wanted) in cases {
        let found = eval(text);
        if found != Ok(value(wanted)) {
            wrong.push(format!("{text}: {found:?}, not {wanted}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_comes_to_what_it_says() {
    let examples: Vec<_> = all().map(|function| function.example).collect();
    same(&examples);
}

#[test]
fn every_row_of_the_table_is_complete() {
    let names: Vec<_> = all().map(|function| function.name).collect();
    let listed: usize = super::TABLES.iter().map(|table| table.len()).sum();
    assert_eq!(names.len(), listed, "a name stands twice");
    assert!(names.len() > 80, "{}", names.len());
    for function in all() {
        let name = function.name;
        assert!(function.summary.ends_with('.'), "{name}: {}", function.summary);
        assert!(function.example.0.contains(name) || name == "sensitive", "{name}");
        assert!(find(name, function.arguments.min).is_ok(), "{name}");
    }
}

#[test]
fn the_names_of_parameters_give_the_arity() {
    let arity = |name| {
        let function = all().find(|f| f.name == name).expect("known");
        (function.arguments.min, function.arguments.max)
    };
    assert_eq!(arity("keys"), (1, Some(1)));
    assert_eq!(arity("lookup"), (2, Some(3)));
    assert_eq!(arity("range"), (1, Some(3)));
    assert_eq!(arity("merge"), (0, None));
    assert_eq!(arity("setproduct"), (2, None));
    assert_eq!(arity("format"), (1, None));
}
