//! What a person sees of a run, for snapshots. In: an [`Outcome`]. Out: exit code and both streams
//! as one text; and the filters that hide what differs from run to run.

use insta::internals::SettingsBindDropGuard;

use super::process::Outcome;

/// Hides ports, ids, times and request counts in snapshots while it lives.
pub fn filters() -> SettingsBindDropGuard {
    let mut settings = insta::Settings::clone_current();
    for (pattern, shown) in [
        (r"127\.0\.0\.1:\d+", "127.0.0.1:PORT"),
        (r"\b[0-9a-f]{32}\b", "ID"),
        (r"\b\d{4}-\d\d-\d\dT[0-9:.]+Z", "TIME"),
        (r"\b(in|after|for) \d+(\.\d+)? ?s\b", "$1 TIME"),
        (r"\(\d+ requests?\)", "(N requests)"),
        (r"\b\d+ steps? in progress", "N steps in progress"),
        (r"\bby \S+@\S+ ", "by SOMEBODY "),
        (r"\bprocess \d+", "process PID"),
    ] {
        settings.add_filter(pattern, shown);
    }
    settings.bind_to_scope()
}

impl Outcome {
    /// Exit code, stdout and stderr, those that have something.
    pub fn seen(&self) -> String {
        let mut text =
            format!("exit {}\n", self.code.map_or("by a signal".into(), |c| c.to_string()));
        for (name, stream) in [("stdout", &self.stdout), ("stderr", &self.stderr)] {
            if !stream.is_empty() {
                text.push_str(&format!("--- {name}\n{}\n", stream.trim_end()));
            }
        }
        text
    }

    /// Both streams without the line breaks of narrow terminals.
    pub fn flat(&self) -> String {
        let both = format!("{} {}", self.stdout, self.stderr);
        both.split_whitespace().filter(|word| *word != "│").collect::<Vec<_>>().join(" ")
    }

    /// Asserts that all of these were said, wherever the lines were broken.
    #[track_caller]
    pub fn says(self, all: &[&str]) -> Outcome {
        let flat = self.flat();
        for text in all {
            assert!(flat.contains(text), "{text:?} is not said in\n{}", self.seen());
        }
        self
    }

    /// The JSON objects on stdout; every line has to be one.
    #[track_caller]
    pub fn json_lines(&self) -> Vec<serde_json::Value> {
        let parse = |line: &str| {
            let value: serde_json::Value = serde_json::from_str(line)
                .unwrap_or_else(|e| panic!("{e} in {line:?}\n{}", self.seen()));
            assert!(value.is_object(), "an object a line, not {line:?}");
            value
        };
        self.stdout.lines().map(parse).collect()
    }
}
