//! `output` and `console`: commands that show values.

use clap::Args;

use super::Vars;

/// Show the outputs of the last apply
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform output
  rackform output hosts --json | jq -r '.[]'
  ssh root@$(rackform output --raw jump_host)

Read from the state: nothing is evaluated. Of a secret output the state holds no value; asked for
by NAME it is evaluated from the configuration and the state, with the variables that it needs.")]
pub struct OutputArgs {
    /// Show only this one, also if it is a secret
    #[arg(value_name = "NAME")]
    pub name: Option<String>,
    /// As JSON
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// A string, number or boolean without quotes and line break
    #[arg(long, requires = "name")]
    pub raw: bool,
    #[command(flatten)]
    pub vars: Vars,
}

/// Try expressions against the configuration and the state
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform console
  echo 'cidrhost(\"10.0.1.0/24\", 10)' | rackform console
  echo 'host.kvm[\"01\"].id' | rackform console --var-file hall.toml

Expressions see what the root module sees: variables, locals, resources as the state knows them,
outputs of modules. A cloud is asked only for what `data` looks up. Nothing is changed.")]
pub struct Console {
    #[command(flatten)]
    pub vars: Vars,
}
