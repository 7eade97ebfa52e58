//! A person at a terminal is asked for what nothing sets; nobody else is.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use super::{planned, zone};
use crate::common::process::Rackform;

const HALL: &str =
    "[variable.hall]\ndescription = 'Which hall?'\n[variable.n]\ntype = 'number'\ndefault = 1\n";

/// `rackform` at a terminal of its own, by `script` of util-linux.
struct Terminal {
    child: Child,
    seen: String,
}

impl Terminal {
    fn run(rackform: &Rackform, args: &str) -> Self {
        let line = format!("{} --color never {args}", env!("CARGO_BIN_EXE_rackform"));
        let child = Command::new("script")
            .args(["-qefc", &line, "/dev/null"])
            .current_dir(rackform.dir())
            .env_clear()
            .envs([("PATH", "/usr/bin:/bin"), ("TERM", "xterm"), ("SHELL", "/bin/sh")])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script runs");
        Self { child, seen: String::new() }
    }

    /// Reads until a text is on the screen.
    fn until(mut self, text: &str) -> Self {
        let out = self.child.stdout.as_mut().expect("a screen");
        let mut buffer = [0; 1024];
        while !self.seen.contains(text) {
            let count = out.read(&mut buffer).expect("the screen");
            assert!(count > 0, "{text:?} was never seen:\n{}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..count]));
        }
        self
    }

    fn types(mut self, text: &str) -> Self {
        let keys = self.child.stdin.as_mut().expect("a keyboard");
        keys.write_all(text.as_bytes()).and_then(|()| keys.flush()).expect("typed");
        self
    }

    /// The exit code and all that was on the screen.
    fn ends(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.child.stdout.take().expect("a screen").read_to_end(&mut rest).expect("the screen");
        self.seen.push_str(&String::from_utf8_lossy(&rest));
        drop(self.child.stdin.take());
        (self.child.wait().expect("it ends").code(), self.seen)
    }
}

#[test]
fn a_person_is_asked_for_what_nothing_sets() {
    let rackform = zone(HALL, "var.hall");
    let asked = Terminal::run(&rackform, "plan").until("var.hall\r\n  Which hall?");
    let (code, seen) = asked.until("Enter a value").types("north\r").ends();
    assert_eq!(code, Some(0), "{seen}");
    assert!(seen.contains("\"north\"") && !seen.contains("var.n\r"), "{seen}");
}

#[test]
fn a_secret_is_not_seen_while_it_is_typed() {
    let rackform = zone("[variable.key]\nsensitive = true\ntype = 'number'\n", "var.key");
    let asked = Terminal::run(&rackform, "plan").until("it is not shown");
    let (code, seen) = asked.types("hunter2").types("\r").ends();
    assert_eq!(code, Some(1), "{seen}");
    assert!(seen.contains("key must be a number"), "{seen}");
    assert!(!seen.contains("hunter") && !seen.contains("hu\u{1b}"), "{seen}");
    let dumb = Terminal::run(&rackform, "plan --input=false").ends();
    assert!(dumb.0 == Some(1) && dumb.1.contains("has no value"), "{}", dumb.1);
}

#[test]
fn who_does_not_want_to_answer_stops_it() {
    let rackform = zone(HALL, "var.hall");
    let (code, seen) = Terminal::run(&rackform, "plan").until("a value").types("\u{3}").ends();
    assert_eq!(code, Some(130), "{seen}");
    let (code, seen) = Terminal::run(&rackform, "plan").until("a value").types("\u{4}").ends();
    assert!(code == Some(1) && seen.contains("has no value"), "{seen}");
}

#[test]
fn nobody_is_asked_about_a_wrong_configuration() {
    let rackform = zone(HALL, "var.hall");
    rackform.write("wrong.rack.toml", "[zone.west]\ncolour = 1\n");
    let (code, seen) = Terminal::run(&rackform, "plan").ends();
    assert!(code == Some(1) && !seen.contains("Enter"), "{seen}");
}

#[test]
fn without_a_terminal_nobody_is_asked() {
    let rackform = zone(HALL, "var.hall");
    let outcome = rackform.run(&["plan"]).expect(1);
    let outcome = outcome.says(&["set it with --var hall=… or RACKFORM_VAR_hall"]);
    assert!(!outcome.stderr.contains("Enter"), "{}", outcome.stderr);
    assert_eq!(planned(&rackform, &["--var", "hall=south"]), "south");
}
