//! `rackform output`: outputs as the last apply left them. Nothing is evaluated but a secret one
//! that is asked for by name: the state does not hold it.

use std::path::Path;

use crate::cli::args::OutputArgs;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line};
use crate::cli::reading::Reading;
use crate::diag::{Diagnostic, nearest};
use crate::render;
use crate::state::State;
use crate::store::LocalStore;
use crate::value::Value;

pub fn run(dir: &Path, args: &OutputArgs, output: &mut Output) -> Result<Exit, Failure> {
    if !dir.is_dir() {
        let text = format!("`{}` is not a directory", dir.display());
        let help = "-C names the directory with the configuration";
        return Err(Diagnostic::error("unreadable", text).help(help).into());
    }
    let state = LocalStore::open(dir).read()?.state;
    match &args.name {
        Some(name) => one(dir, (args, name), state, output),
        None => {
            if args.json {
                output.data(&line(render::outputs::document(&state.outputs)));
            } else if state.outputs.is_empty() {
                output.say("The state has no outputs. An apply writes those of the configuration.");
            } else {
                output.data(&render::outputs::list(&state.outputs));
            }
            Ok(Exit::Done)
        }
    }
}

fn one(
    dir: &Path,
    (args, name): (&OutputArgs, &str),
    state: State,
    output: &Output,
) -> Result<Exit, Failure> {
    let Some(found) = state.outputs.get(name) else {
        return Err(unknown(name, &state));
    };
    let value = match &found.value {
        Some(value) => value.clone(),
        None => secret(dir, (args, name), state, output)?,
    };
    let text = match (args.json, args.raw) {
        (true, _) => line(render::outputs::value_json(&value)),
        (_, true) => raw(name, &value)?,
        _ => line(render::hcl::value(&value, 0)),
    };
    output.data(&text);
    Ok(Exit::Done)
}

fn unknown(name: &str, state: &State) -> Failure {
    let near = nearest(name, state.outputs.keys().map(|name| &**name));
    let text = format!("the state has no output `{}`", render::clean(name));
    let help = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => {
            "`rackform output` lists them; an apply writes those of the configuration".to_owned()
        }
    };
    Diagnostic::error("unknown_output", text).help(help).into()
}

/// The value of a secret output, from the configuration and the state.
fn secret(
    dir: &Path,
    (args, name): (&OutputArgs, &str),
    state: State,
    output: &Output,
) -> Result<Value, Failure> {
    let mut reading = Reading::open(dir, &args.vars, state, output)?;
    let found = reading.output(name).map_err(|mut failure| {
        let note = format!(
            "the output `{name}` is a secret, which no state holds: it is evaluated again, and needs \
             the variables of the configuration"
        );
        failure.findings.push(Diagnostic::error("secret_output", note));
        failure
    })?;
    found.and_then(|found| found.value).map(Value::revealed).ok_or_else(|| {
        let text = format!("the configuration has no output `{name}` any more");
        let help = "the state holds no secret; put the output back to see its value";
        Diagnostic::error("unknown_output", text).help(help).into()
    })
}

/// A text as it is, without quotes and without a line break.
fn raw(name: &str, value: &Value) -> Result<String, Failure> {
    match value {
        Value::Str(text) => Ok(text.to_string()),
        Value::Bool(_) | Value::Int(_) | Value::Float(_) => Ok(value.to_string()),
        other => {
            let text =
                format!("the output `{name}` is {}, which has no raw form", other.kind_name());
            Err(Diagnostic::error("no_raw_form", text).help("use --json").into())
        }
    }
}
