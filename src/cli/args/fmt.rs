//! The command line of `rackform fmt`.

use std::path::PathBuf;

use clap::Args;

/// Rewrite configuration files in the usual layout
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  rackform fmt                       all *.rack.toml and *.vars.toml files of the directory
  rackform fmt --recursive           those of its modules too
  rackform fmt --check --diff        in CI: what would change, exit code 1 if anything would
  rackform fmt - < main.rack.toml    for editors: from stdin to stdout

Comments, order and values stay as they are. Prints the names of the files that it changes. A file
that is not valid TOML is reported and left alone; the others are formatted.")]
pub struct Fmt {
    /// Files and directories, relative to -C DIR, instead of that directory; `-` is stdin
    #[arg(value_name = "PATH")]
    pub paths: Vec<PathBuf>,
    /// Change nothing; exit code 1 if a file is not formatted
    #[arg(long)]
    pub check: bool,
    /// Show what changes; secrets are masked
    #[arg(long)]
    pub diff: bool,
    /// Directories below, too; hidden ones and links are left out
    #[arg(long, short = 'r')]
    pub recursive: bool,
}
