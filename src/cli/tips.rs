//! Tips for hands that are used to Terraform. In: a usage error and what was typed. Out: the error,
//! with a tip where a word or the spelling of an option is Terraform's.

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Commands that have no counterpart of the same name here.
const COMMANDS: [(&str, &str); 9] = [
    ("init", "there is nothing to initialise or download: go on with 'rackform plan'"),
    ("get", "there is nothing to download: go on with 'rackform plan'"),
    ("refresh", "'rackform plan' looks at the cloud each time"),
    ("taint", "to make an object anew: 'rackform apply --replace ADDR'"),
    ("untaint", "nothing is marked: '--replace ADDR' holds for one run"),
    ("workspace", "a directory has one state: use a directory for each environment"),
    ("providers", "all resource types are built in: 'rackform schema' lists them"),
    ("login", "credentials stand in the [provider.NAME] table, secrets in the environment"),
    ("version", "write 'rackform --version'"),
];

/// Options that have another name here, or none.
const OPTIONS: [(&str, &str); 3] = [
    ("no-color", "write '--color never'"),
    ("input", "leave it out: without a terminal nothing is ever asked"),
    ("compact-warnings", "leave it out: equal warnings are shown once, with their number"),
];

/// Adds a tip to a usage error. `typed`: the arguments without the program's name.
pub fn with_tip(error: clap::Error, all: &clap::Command, typed: &[String]) -> clap::Error {
    match error.kind() {
        ErrorKind::InvalidSubcommand => command(error),
        ErrorKind::UnknownArgument => option(error, all, typed),
        _ => error,
    }
}

fn command(mut error: clap::Error) -> clap::Error {
    let Some(ContextValue::String(name)) = error.get(ContextKind::InvalidSubcommand) else {
        return error;
    };
    if let Some((_, tip)) = COMMANDS.iter().find(|(known, _)| known == name) {
        suggest(&mut error, (*tip).to_owned());
        error.remove(ContextKind::SuggestedSubcommand);
    }
    error
}

/// `-auto-approve` is read as a bundle of short options, of which only the first is complained of.
fn option(mut error: clap::Error, all: &clap::Command, typed: &[String]) -> clap::Error {
    let options = typed.iter().take_while(|text| *text != "--");
    for text in options.filter(|text| text.starts_with('-')) {
        // Its value may be a secret.
        let spelled = text.split('=').next().unwrap_or_default();
        let name = spelled.trim_start_matches('-');
        let single = !spelled.starts_with("--") && name.len() > 1;
        let tip = match OPTIONS.iter().find(|(known, _)| *known == name) {
            Some((_, tip)) => (*tip).to_owned(),
            None if single && exists(all, name) => format!("write it with two dashes: '--{name}'"),
            None => continue,
        };
        error.insert(ContextKind::InvalidArg, ContextValue::String(spelled.to_owned()));
        error.remove(ContextKind::SuggestedArg);
        suggest(&mut error, tip);
        break;
    }
    error
}

/// Whether some command has this option.
fn exists(command: &clap::Command, name: &str) -> bool {
    // Added by clap itself, once it has read the arguments.
    ["help", "version"].contains(&name)
        || command.get_arguments().any(|option| option.get_long() == Some(name))
        || command.get_subcommands().any(|inner| exists(inner, name))
}

fn suggest(error: &mut clap::Error, tip: String) {
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(tip)]));
}
