//! Flags that set variables. Their order counts, across both: the last one wins.

use std::path::PathBuf;

use clap::{ArgMatches, Args, Command, Error, FromArgMatches};

/// Values of variables, in the order of the command line.
#[derive(Clone, Debug, Default)]
pub struct Vars {
    pub written: Vec<Written>,
}

/// One flag.
#[derive(Clone, Debug, PartialEq)]
pub enum Written {
    /// `--var NAME=VALUE`, unparsed. May be a secret.
    Value(String),
    /// `--var-file FILE`.
    File(PathBuf),
}

/// Values of variables, and whether a person may be asked for more.
#[derive(Clone, Debug, Args)]
pub struct Inputs {
    #[command(flatten)]
    pub vars: Vars,
    /// Whether to ask for variables that nothing sets; never without a terminal
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true",
          num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub input: bool,
}

/// As the library sees them: one list each.
#[derive(Args)]
struct Flags {
    /// Value of a variable; may be repeated
    #[arg(long = "var", value_name = "NAME=VALUE")]
    var: Vec<String>,
    /// File with values of variables, TOML or JSON, relative to -C DIR; may be repeated
    #[arg(long = "var-file", value_name = "FILE")]
    var_file: Vec<PathBuf>,
}

impl Args for Vars {
    fn augment_args(command: Command) -> Command {
        Flags::augment_args(command)
    }
    fn augment_args_for_update(command: Command) -> Command {
        Flags::augment_args_for_update(command)
    }
}

impl FromArgMatches for Vars {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, Error> {
        let places = |name| matches.indices_of(name).into_iter().flatten();
        let places: Vec<usize> = places("var").chain(places("var_file")).collect();
        let Flags { var, var_file } = Flags::from_arg_matches(matches)?;
        let values = var.into_iter().map(Written::Value);
        let all = values.chain(var_file.into_iter().map(Written::File));
        let mut placed: Vec<(usize, Written)> = places.into_iter().zip(all).collect();
        placed.sort_by_key(|(at, _)| *at);
        Ok(Self { written: placed.into_iter().map(|(_, written)| written).collect() })
    }
    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        inputs: Inputs,
    }

    #[test]
    fn the_order_of_flags_is_kept_across_both() {
        let line =
            ["x", "--var", "a=1", "--var-file", "f", "--var=b=2", "--var-file=g", "--input=false"];
        let inputs = Line::try_parse_from(line).unwrap_or_else(|e| panic!("{e}")).inputs;
        let value = |text: &str| Written::Value(text.to_owned());
        let file = |name: &str| Written::File(name.into());
        assert_eq!(inputs.vars.written, [value("a=1"), file("f"), value("b=2"), file("g")]);
        assert!(!inputs.input);
    }
}
