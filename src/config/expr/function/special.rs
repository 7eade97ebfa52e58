//! What the reference says of the functions that need more than the values of their arguments:
//! `expr::special` runs them.

use super::{Function, Group};

const fn row(
    group: Group,
    (name, parameters): (&'static str, &'static str),
    summary: &'static str,
) -> Function {
    let mut row = Function::new(group, (name, parameters), |args| Ok(args.value(0).clone()));
    row.run = None;
    row.says(summary)
}

pub(super) static TABLE: &[Function] = &[
    row(Group::Type, ("can", "expression"), "Whether the expression has a value.")
        .example("can(tonumber(\"a\"))", "false"),
    row(
        Group::Type,
        ("try", "expression, others..."),
        "The first of the expressions that has a value.",
    )
    .example("try({ a = 1 }.b, \"none\")", "\"none\""),
    row(
        Group::Outside,
        ("env", "name"),
        "The environment variable of this name; null when it is not set.",
    )
    .example("env(\"HALL\")", "\"east\""),
    row(
        Group::Outside,
        ("file", "path"),
        "The text of a file. A relative path starts at the root module.",
    )
    .example("file(\"${path.module}/motd\")", "\"Hello\""),
    row(Group::Outside, ("fileexists", "path"), "Whether there is such a file.")
        .example("fileexists(\"nowhere\")", "false"),
    row(
        Group::Outside,
        ("fileset", "directory, pattern"),
        "The files below a directory whose paths match a pattern of `*`, `**`, `?` and `{a,b}`.",
    )
    .example("fileset(\"racks\", \"*.csv\")", "[\"a.csv\", \"b.csv\"]"),
    row(
        Group::Outside,
        ("templatefile", "path, variables"),
        "The text of a file, read as a template that may use the given variables.",
    )
    .example("templatefile(\"greeting\", { name = \"east\" })", "\"Hello east\""),
];
