//! The real binary in a directory of its own. In: configuration files and arguments. Out: exit
//! code, stdout, stderr. The environment is empty but for what a test sets, so that a developer's
//! own settings change nothing.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

/// A run that takes longer hangs. Generous: machines differ.
const LIMIT: Duration = Duration::from_secs(120);

/// A directory with a configuration and a state, and the binary to run in it.
pub struct Rackform {
    dir: TempDir,
    env: Vec<(String, String)>,
}

/// What a run left behind.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// `None` if a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Rackform {
    /// An empty directory.
    pub fn new() -> Rackform {
        let dir = tempfile::tempdir().expect("a temporary directory");
        Rackform { dir, env: vec![("ZSTACK_PASSWORD".into(), "password".into())] }
    }

    /// A directory with this `main.rack.toml`.
    pub fn with(config: &str) -> Rackform {
        let rackform = Rackform::new();
        rackform.write("main.rack.toml", config);
        rackform
    }

    /// Sets an environment variable for all later runs.
    pub fn env(mut self, name: &str, value: &str) -> Rackform {
        self.env.push((name.into(), value.into()));
        self
    }

    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Writes a file, and the folders it needs.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder");
        std::fs::write(&path, text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        let path = self.path(name);
        std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    /// Runs it to its end, without a terminal.
    pub fn run(&self, args: &[&str]) -> Outcome {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        Outcome::of(&command.timeout(LIMIT).output().expect("rackform runs"))
    }

    /// The same, with this on its stdin.
    pub fn run_with_input(&self, args: &[&str], input: &str) -> Outcome {
        let mut command = assert_cmd::Command::from_std(self.command(args));
        Outcome::of(&command.write_stdin(input).timeout(LIMIT).output().expect("rackform runs"))
    }

    /// Starts it with piped output and returns at once; whoever starts it ends it.
    pub fn spawn(&self, args: &[&str]) -> Child {
        let mut command = self.command(args);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("rackform starts")
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rackform"));
        command.arg("-C").arg(self.dir()).args(args).current_dir(self.dir());
        command.env_clear().envs(self.env.iter().cloned()).stdin(Stdio::null());
        command
    }
}

impl Outcome {
    fn of(output: &std::process::Output) -> Outcome {
        let text = |bytes: &[u8]| std::str::from_utf8(bytes).expect("UTF-8 output").to_owned();
        Outcome {
            code: output.status.code(),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Asserts the exit code.
    #[track_caller]
    pub fn expect(self, code: i32) -> Outcome {
        assert_eq!(
            self.code,
            Some(code),
            "exit code\n--- stdout\n{}\n--- stderr\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}
