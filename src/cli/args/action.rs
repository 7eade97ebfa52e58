//! The arguments of `rackform action`.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::Args;

use super::{Inputs, counted, duration};
use crate::address::{Address, is_identifier};

/// Run a day-two operation on live objects
#[derive(Debug, Args)]
#[command(override_usage = "rackform action [OPTIONS] NAME ADDR...
       rackform action [--json] --list ADDR")]
#[command(after_help = "Examples:
  rackform action --list host.c1                what is possible with a host
  rackform action reconnect host.c1
  rackform action reconnect host.id:5f1c0f8be2a74d0c9a3d1f0f6f3a2b1c
  rackform action run-shell host.c1 host.c2 --param script='uname -r'
  rackform action run-shell host.c1 --param script=@check.sh
  rackform action upgrade-os cluster.a --allow-destroy cluster.a=12

ADDR is an address of the state, or TYPE.id:UUID for an object that rackform does not manage.
--param NAME=@FILE takes the value from a file; a value that starts with @ is written @@…; a list is
given item by item. An action that takes something down counts it and asks; without a terminal,
--allow-destroy must allow it. A call whose answer is lost is looked up, never repeated. Ctrl-C
stops watching, not the server.")]
pub struct Action {
    /// Name of the action, as --list shows it
    #[arg(value_name = "NAME", required_unless_present = "list")]
    pub name: Option<String>,
    /// Objects; more than one where the action takes several
    #[arg(value_name = "ADDR", required_unless_present = "list")]
    pub objects: Vec<ObjectName>,
    /// Show what is possible with an object, and its parameters
    #[arg(long, value_name = "ADDR", conflicts_with_all = ["name", "objects", "param", "follow"])]
    pub list: Option<ObjectName>,
    /// Parameter of the action; may be repeated
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// Send nothing; watch a long job that was started before
    #[arg(long, value_name = "JOB", conflicts_with = "param")]
    pub follow: Option<String>,
    /// Do not ask
    #[arg(long)]
    pub auto_approve: bool,
    /// Objects that may go down with it, e.g. 'cluster.a=12'; may be repeated
    #[arg(long = "allow-destroy", value_name = "ADDR=COUNT", value_parser = counted)]
    pub allow_destroy: Vec<(String, u64)>,
    /// One JSON object for each object instead of text
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub vars: Inputs,
    /// How long to wait for another rackform to release the state
    #[arg(long = "lock-timeout", value_name = "DURATION", default_value = "0s", value_parser = duration)]
    pub lock_timeout: Duration,
    /// Provider configuration of an object that rackform does not manage
    #[arg(long, value_name = "NAME")]
    pub provider: Option<String>,
}

/// An object as the command line names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ObjectName {
    /// One of ours.
    Address(Address),
    /// `TYPE.id:UUID`.
    Id { kind: String, id: String },
}

impl ObjectName {
    /// Its type.
    pub fn kind(&self) -> &str {
        match self {
            Self::Address(address) => address.kind(),
            Self::Id { kind, .. } => kind,
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address) => address.fmt(f),
            Self::Id { kind, id } => write!(f, "{kind}.id:{id}"),
        }
    }
}

impl FromStr for ObjectName {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((kind, id)) = text.split_once(".id:")
            && is_identifier(kind)
        {
            if id.is_empty() || !id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
                return Err(format!("`{id}` is no id: write {kind}.id:UUID"));
            }
            return Ok(Self::Id { kind: kind.to_owned(), id: id.to_owned() });
        }
        let address = Address::parse(text).map_err(|e| e.to_string())?;
        if address.member_of().is_some() {
            return Err(format!("an attachment has no actions; {} may have", address.owner()));
        }
        Ok(Self::Address(address))
    }
}

/// A value of `--param`, or the file that it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ParamText {
    Here(String),
    File(PathBuf),
}

impl ParamText {
    pub fn read(text: &str) -> Self {
        match text.strip_prefix('@') {
            Some(rest) if rest.starts_with('@') => Self::Here(rest.to_owned()),
            Some(path) => Self::File(PathBuf::from(path)),
            None => Self::Here(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_have_an_address_or_an_id() {
        let read = |text: &str| text.parse::<ObjectName>();
        let id = ObjectName::Id { kind: "host".into(), id: "5f1c".into() };
        assert_eq!(read("host.id:5f1c"), Ok(id.clone()));
        assert_eq!(id.to_string(), "host.id:5f1c");
        let address = Address::new("host", "kvm").instance("01");
        assert_eq!(read("host.kvm[\"01\"]"), Ok(ObjectName::Address(address)));
        assert!(read("host.id:").is_err() && read("host.id:a b").is_err() && read("host").is_err());
        let link = read("nfs_primary_storage.a.clusters[\"cluster.b\"]");
        assert!(link.is_err_and(|e| e.contains("nfs_primary_storage.a may have")));
    }

    #[test]
    fn a_value_may_stand_in_a_file() {
        assert_eq!(ParamText::read("uname -r"), ParamText::Here("uname -r".into()));
        assert_eq!(ParamText::read("@check.sh"), ParamText::File("check.sh".into()));
        assert_eq!(ParamText::read("@@echo off"), ParamText::Here("@echo off".into()));
    }
}
