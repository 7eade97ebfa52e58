//! The functions of expressions: a table.
//!
//! In: values of the arguments. Out: a value, a need, or a sentence about what is wrong. A new
//! function is a line of the table.

use std::ops::RangeInclusive;

use super::{Fault, Stop};
use crate::diag::nearest;
use crate::value::Value;

/// One function.
pub struct Function {
    name: &'static str,
    arguments: RangeInclusive<usize>,
    run: fn(&[Value]) -> Result<Value, Stop>,
}

const TABLE: [Function; 2] = [
    Function { name: "tonumber", arguments: 1..=1, run: to_number },
    Function { name: "tostring", arguments: 1..=1, run: to_string },
];

/// The function of this name, for this many arguments.
///
/// # Errors
/// An unknown name, with the nearest; or a wrong number of arguments.
pub fn find(name: &str, given: usize) -> Result<&'static Function, Fault> {
    const FUNCTIONS: &[Function] = &TABLE;
    let Some(function) = FUNCTIONS.iter().find(|f| f.name == name) else {
        let fault = Fault::new("unknown_function", format!("there is no function `{name}`"));
        return Err(match nearest(name, FUNCTIONS.iter().map(|f| f.name)) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => {
                let names: Vec<_> = FUNCTIONS.iter().map(|f| f.name).collect();
                fault.help(format!("this version has: {}", names.join(", ")))
            }
        });
    };
    if function.arguments.contains(&given) {
        return Ok(function);
    }
    let wanted = function.arguments.start();
    let plural = if *wanted == 1 { "" } else { "s" };
    let problem = format!("`{name}` takes {wanted} argument{plural}, not {given}");
    Err(Fault::new("bad_argument", problem).label(format!("{given} given")))
}

impl Function {
    /// Runs it. A secret among the arguments makes the result secret.
    ///
    /// # Errors
    /// [`Stop`]: what is wrong with the arguments.
    pub fn run(&self, arguments: &[Value]) -> Result<Value, Stop> {
        for argument in arguments {
            super::known::known(argument)?;
        }
        let secret = arguments.iter().any(Value::is_sensitive);
        let plain: Vec<Value> = arguments.iter().map(|a| a.reveal().clone()).collect();
        let value = (self.run)(&plain)?;
        Ok(if secret { value.sensitive() } else { value })
    }
}

/// `tonumber("22")`: numbers and decimal text.
fn to_number(arguments: &[Value]) -> Result<Value, Stop> {
    let [value] = arguments else { return Ok(Value::Null) };
    if value.is_null() {
        return Ok(Value::Null);
    }
    super::operator::number(value).ok_or_else(|| {
        Fault::new("bad_argument", "this cannot become a number")
            .label(format!("{} that is no decimal number", value.kind_name()))
            .into()
    })
}

/// `tostring(22)`: text, numbers and booleans.
fn to_string(arguments: &[Value]) -> Result<Value, Stop> {
    match arguments {
        [value] if !value.is_null() => super::known::text(value).map(|t| Value::str(&t)),
        _ => Ok(Value::Null),
    }
}
