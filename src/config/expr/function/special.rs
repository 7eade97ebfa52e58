//! Functions that need more than their arguments.
//!
//! In: arguments, and the evaluator with what is known of the outside. Out: a value, or a need
//! that the caller of the evaluator satisfies before it tries again.

use super::super::Need;
use super::{Args, Evaluator, Function, Group, Misuse, Outcome, Run, Stop};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(&mut Evaluator<'_>, Args<'_>) -> Outcome,
) -> Function {
    let mut row =
        Function::new(Group::Outside, (name, parameters), |args| Ok(args.value(0).clone()));
    row.run = Run::Special(run);
    row
}

pub(super) static TABLE: &[Function] = &[row("env", "name", env)
    .says("The environment variable of this name; null when it is not set.")
    .example(r#"env("HALL")"#, r#""east""#)];

/// `env("NAME")`: the environment variable, or null when it is not set.
fn env(to: &mut Evaluator<'_>, args: Args<'_>) -> Outcome {
    let Value::Str(name) = args.value(0) else {
        return Err(args.kind(0, "the name of a variable, such as env(\"NAME\"),"));
    };
    let silent = Misuse { argument: None, stop: Stop::Silent };
    match to.env.get(&**name) {
        Some(Some(text)) => Ok(Value::str(text)),
        Some(None) if to.unset_is_unknown => Err(silent),
        Some(None) => {
            to.unset = Some(name.clone());
            Ok(Value::Null)
        }
        None => {
            to.needs.insert(Need::Env(name.to_string()));
            Err(silent)
        }
    }
}
