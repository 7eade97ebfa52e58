//! The command line as data. Help texts here are what users read first: every command says what
//! it does in one line and shows examples.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::address::Address;

mod action;
mod fmt;
mod values;
mod vars;

pub use action::{Action, ObjectName, ParamText};
pub use fmt::Fmt;
pub use values::{Console, OutputArgs};
pub use vars::{Inputs, Vars, Written};

/// Plan and apply for the physical layer of a private cloud.
#[derive(Debug, Parser)]
#[command(
    name = "rackform",
    version,
    arg_required_else_help = true,
    infer_subcommands = false,
    max_term_width = 100,
    after_help = "Examples:
  rackform plan                      Preview what would change
  rackform apply                     Change it, after asking
  rackform -C sites/berlin plan      The configuration of another directory
  rackform emulate                   A ZStack server to try things on

Exit codes: 0 done or nothing to do, 1 error, 2 changes (plan --detailed-exitcode),
3 refused by a guard, 130 interrupted, 143 and 129 on SIGTERM and SIGHUP."
)]
pub struct Cli {
    /// Directory with the configuration
    #[arg(short = 'C', long = "chdir", value_name = "DIR", global = true, default_value = ".")]
    pub dir: PathBuf,

    /// When to use colours
    #[arg(long, value_name = "WHEN", global = true, default_value = "auto")]
    pub color: ColorChoice,

    /// Say more on stderr: requests (-v), and what led to them (-vv)
    #[arg(short = 'v', long = "verbose", action = clap::ArgAction::Count, global = true)]
    pub verbose: u8,

    #[command(subcommand)]
    pub command: Command,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Validate(Validate),
    Plan(Plan),
    Apply(Apply),
    /// Destroy everything that the state holds
    #[command(after_help = "Examples:
  rackform plan --destroy            shows what would go, and changes nothing
  rackform destroy                   shows the plan and asks
  rackform destroy --auto-approve    in CI

Deletes everything that the state holds, dependants first, and nothing else.")]
    Destroy(Apply),
    Import(Import),
    #[command(subcommand)]
    State(State),
    Action(Action),
    Output(OutputArgs),
    Console(Console),
    Graph(Graph),
    Fmt(Fmt),
    Schema(Schema),
    Emulate(Emulate),
    Completions(Completions),
}

/// Check the configuration without a network
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform validate
  rackform validate --json | jq .

Environment variables and secrets are not needed: what depends on one that is not set is not
judged. Exit code 1 if anything is wrong.")]
pub struct Validate {
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub vars: Vars,
}

/// What to compare and how.
#[derive(Clone, Debug, Args)]
pub struct Planning {
    #[command(flatten)]
    pub vars: Inputs,
    /// Whether to read our objects in the cloud; with false, the state is believed. What `data`
    /// tables look up and what a plan would take with it are asked for all the same
    #[arg(long, value_name = "BOOL", default_value = "true", default_missing_value = "true",
          num_args = 0..=1, require_equals = true, action = clap::ArgAction::Set)]
    pub refresh: bool,
    /// Replace this object though nothing forces it; may be repeated
    #[arg(long, value_name = "ADDR")]
    pub replace: Vec<Address>,
    /// Objects that may go down with a change, e.g. 'zone.east=12'; may be repeated
    #[arg(long = "allow-destroy", value_name = "ADDR=COUNT", value_parser = counted)]
    pub allow_destroy: Vec<(String, u64)>,
    /// Deletes of a type beyond the budget, e.g. 'host=40'; may be repeated
    #[arg(long = "allow-delete", value_name = "TYPE=COUNT", value_parser = counted)]
    pub allow_delete: Vec<(String, u64)>,
    /// Objects of a type that may be gone from the cloud; may be repeated
    #[arg(long = "allow-missing", value_name = "TYPE=COUNT", value_parser = counted)]
    pub allow_missing: Vec<(String, u64)>,
    /// Jobs in flight at a time
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u16).range(1..))]
    pub parallelism: u16,
    /// How long to wait for another rackform to release the state; a plan takes no lock and never waits
    #[arg(long = "lock-timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// Preview what would change
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform plan
  rackform plan --detailed-exitcode; echo $?     2 means there are changes
  rackform plan --destroy                        what `rackform destroy` would do
  rackform plan --refresh=false                  without reading our objects again
  rackform plan --server-check                   also what the server itself would refuse

A plan changes nothing, takes no lock and asks the cloud once per type. A server check first
proves on an existing zone that the server honours dry runs, and checks nothing if it does not.")]
pub struct Plan {
    /// Exit with 2 if there are changes
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Plan to destroy everything
    #[arg(long)]
    pub destroy: bool,
    /// Ask the server what it would refuse, by dry runs of the plan's calls
    #[arg(long = "server-check")]
    pub server_check: bool,
    /// One JSON object a line instead of text
    #[arg(long, conflicts_with = "format")]
    pub json: bool,
    /// How to show the plan
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub format: Format,
    #[command(flatten)]
    pub planning: Planning,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Human,
    Markdown,
    Json,
}

/// Change the cloud to match the configuration
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform apply                     shows the plan and asks
  rackform apply --auto-approve      in CI
  rackform apply --allow-destroy 'cluster.old=5'

Ctrl-C once: starts nothing new and finishes what runs. Twice: stops at once. Whatever
happens, run the same command again to finish: nothing is made twice.")]
pub struct Apply {
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// One JSON object a line instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub planning: Planning,
}

/// Take over a live object
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform import host.kvm 5f1c0f8be2a74d0c9a3d1f0f6f3a2b1c
  rackform import 'module.hall.host.kvm[\"01\"]' kvm-01

The configuration must have a block for the address. Nothing is changed in the cloud; what the next
plan would change is shown. Exit code 3 if it would replace or destroy the object. Many objects at
once: [[import]] tables in the configuration.")]
pub struct Import {
    /// Address that the configuration has
    #[arg(value_name = "ADDR")]
    pub address: Address,
    /// Id of the object, or its name
    #[arg(value_name = "ID")]
    pub id: String,
    /// Import it though the next plan would replace it
    #[arg(long = "allow-replace")]
    pub allow_replace: bool,
    #[command(flatten)]
    pub vars: Inputs,
    /// How long to wait for another rackform to release the state
    #[arg(long = "lock-timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
}

/// Look at or change what rackform remembers
#[derive(Debug, Subcommand)]
#[command(after_help = "Examples:
  rackform state list
  rackform state list module.racks
  rackform state show 'host.kvm'
  rackform state mv host.old host.new
  rackform state rm host.kvm          forget it; the host stays as it is")]
pub enum State {
    /// Addresses of all objects
    List {
        /// Only what is under these: addresses, blocks, modules or types; `*` stands for anything
        #[arg(value_name = "ADDR")]
        patterns: Vec<String>,
    },
    /// One object as last seen
    Show {
        /// Address, as `rackform state list` has it
        #[arg(value_name = "ADDR")]
        address: Address,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Forget objects; nothing is sent to the cloud
    Rm {
        /// Addresses, as `rackform state list` has them
        #[arg(value_name = "ADDR", required = true)]
        addresses: Vec<Address>,
        /// How long to wait for another rackform to release the state
        #[arg(long = "lock-timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
        lock_timeout: Duration,
    },
    /// Give an object another address
    Mv {
        /// Address that it has
        #[arg(value_name = "FROM")]
        from: Address,
        /// Address that it gets, of the same type
        #[arg(value_name = "TO")]
        to: Address,
        /// How long to wait for another rackform to release the state
        #[arg(long = "lock-timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
        lock_timeout: Duration,
    },
}

/// Draw the dependencies of the configuration
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform graph | dot -Tsvg > graph.svg
  rackform graph --format mermaid
  rackform graph --format json | jq '.edges[]'")]
pub struct Graph {
    /// How to write the graph
    #[arg(long, value_name = "FORMAT", default_value = "dot")]
    pub format: GraphFormat,
    #[command(flatten)]
    pub vars: Inputs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum GraphFormat {
    Dot,
    Mermaid,
    Json,
}

/// Show resource types and their attributes
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform schema                    all types
  rackform schema host               one type
  rackform schema --json-schema      for editors")]
pub struct Schema {
    /// Resource type, e.g. host; without it, all types are listed
    #[arg(value_name = "TYPE")]
    pub kind: Option<String>,
    /// Print the JSON Schema of the whole configuration
    #[arg(long, conflicts_with = "kind")]
    pub json_schema: bool,
}

/// Run a server that behaves like ZStack's
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform emulate
  rackform emulate --data cloud.log --seed cloud.json
  rackform emulate --latency 20ms --job-latency 2s --fail 'api=AddKVMHost,connect-fail'

Log in as admin with the password `password`. It listens on loopback only unless told otherwise,
and keeps everything in --data so that it survives being killed.")]
pub struct Emulate {
    /// Address to listen on; port 0 picks a free one
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8080")]
    pub listen: std::net::SocketAddr,
    /// Keep everything in this file
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Start with these objects and devices (TOML or JSON)
    #[arg(long, value_name = "FILE")]
    pub seed: Option<PathBuf>,
    /// Delay of every reply
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub latency: Duration,
    /// How long every job takes
    #[arg(long = "job-latency", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub job_latency: Duration,
    /// Faults to inject, e.g. 'api=CreateZone,drop'; may be repeated
    #[arg(long, value_name = "RULE")]
    pub fail: Vec<String>,
    /// Server version to behave like
    #[arg(long = "server-version", value_name = "VERSION", default_value = "3.0")]
    pub server_version: ServerVersion,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ServerVersion {
    #[value(name = "3.0")]
    V3_0,
    #[value(name = "5.2")]
    V5_2,
}

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform completions bash > /etc/bash_completion.d/rackform
  rackform completions zsh > ~/.zfunc/_rackform
  rackform completions fish > ~/.config/fish/completions/rackform.fish")]
pub struct Completions {
    pub shell: clap_complete::Shell,
}

/// `30s`, `500ms`, `2m`, `1h`, or a bare number of seconds.
fn duration(text: &str) -> Result<Duration, String> {
    let split = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let number: f64 = number
        .trim()
        .parse()
        .map_err(|_| format!("`{text}` is no duration: write 30s, 500ms or 2m"))?;
    let seconds = match unit {
        "ms" => number / 1000.0,
        "s" | "" => number,
        "m" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(format!("`{unit}` is no unit of time: use ms, s, m or h")),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| format!("`{text}` is no duration"))
}

/// `NAME=COUNT`; the name may itself contain `=`, so the last one counts.
fn counted(text: &str) -> Result<(String, u64), String> {
    let (name, count) = text.rsplit_once('=').ok_or("write NAME=COUNT")?;
    let count = count.parse().map_err(|_| format!("`{count}` is no count: write NAME=COUNT"))?;
    Ok((name.to_owned(), count))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definition_is_consistent() {
        <Cli as clap::CommandFactory>::command().debug_assert();
    }

    #[test]
    fn durations_and_counts_are_read_or_explained() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        assert!(duration("-1s").is_err() && duration("1 week").is_err() && duration("").is_err());
        assert_eq!(counted("host.kvm[\"a=b\"]=3"), Ok(("host.kvm[\"a=b\"]".to_owned(), 3)));
        assert!(counted("host").is_err());
    }
}
