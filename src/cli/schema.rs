//! `rackform schema`: resource types for people and editors.

use crate::cli::args::Schema;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line};
use crate::cli::session::schemas;
use crate::diag::{Diagnostic, nearest};
use crate::schema;

pub fn run(args: &Schema, output: &mut Output) -> Result<Exit, Failure> {
    let schemas = schemas()?;
    if args.json_schema {
        output.data(&line(format!("{:#}", schema::json_schema(&schemas))));
        return Ok(Exit::Done);
    }
    let Some(kind) = &args.kind else {
        let width = schemas.lookups().map(|ty| ty.name.len()).max().unwrap_or(0);
        let (looked_up, declared): (Vec<_>, Vec<_>) =
            schemas.lookups().partition(|ty| ty.data_only());
        for ty in declared {
            output.data(&format!("{:width$}  {}\n", ty.name, ty.doc));
        }
        output.data(
            "\nOnly looked up, as [data.TYPE.LABEL]; all of the above can be looked up too:\n",
        );
        for ty in looked_up {
            output.data(&format!("{:width$}  {}\n", ty.name, ty.doc));
        }
        return Ok(Exit::Done);
    };
    match schemas.by_name(kind) {
        Some(ty) => {
            output.data(&line(schema::terminal(ty)));
            Ok(Exit::Done)
        }
        None => {
            let finding =
                Diagnostic::error("unknown_type", format!("there is no resource type `{kind}`"));
            let near = nearest(kind, schemas.resources().map(|ty| &*ty.name));
            Err(finding
                .help(near.map_or_else(
                    || "`rackform schema` lists all types".to_owned(),
                    |near| format!("did you mean `{near}`?"),
                ))
                .into())
        }
    }
}
