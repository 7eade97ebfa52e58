//! Where text goes: data to stdout, messages to stderr, colours only where somebody sees them.

use std::io::{IsTerminal, Write};

use crate::cli::args::ColorChoice;
use crate::cli::failure::Failure;
use crate::diag::{Diagnostics, Sources};
use crate::plan::Plan;
use crate::render::{self, Style};

/// The two streams and how they may look.
pub struct Output {
    pub out: Style,
    pub err: Style,
    /// Findings and events as JSON lines on stdout.
    pub json: bool,
    /// Whether a person can watch stderr.
    pub live: bool,
    /// Whether a person can be asked.
    pub asks: bool,
}

impl Output {
    pub fn new(color: ColorChoice) -> Self {
        let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
        let unicode = utf8_locale();
        let width = terminal_size::terminal_size().map_or(80, |(w, _)| usize::from(w.0));
        let style = |color| Style { color, unicode, width };
        Self {
            out: style(colored(color, &stdout)),
            err: style(colored(color, &stderr)),
            json: false,
            live: stderr.is_terminal(),
            asks: std::io::stdin().is_terminal() && stderr.is_terminal(),
        }
    }

    /// Prints data. A reader that went away (`| head`) ends the output, not the work.
    pub fn data(&self, text: &str) {
        let mut out = std::io::stdout().lock();
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    }

    /// Prints a plan as JSON lines.
    pub fn plan_stream(&self, plan: &Plan) {
        let at = now();
        self.data(&line(render::json::version(&at)));
        for text in render::json::plan(&at, plan) {
            self.data(&line(text));
        }
    }

    /// Prints a message for people.
    pub fn say(&self, text: &str) {
        let mut err = std::io::stderr().lock();
        let _ = writeln!(err, "{text}");
    }

    /// Prints findings where they belong.
    pub fn findings(&self, findings: &Diagnostics, sources: &Sources) {
        if findings.is_empty() {
            return;
        }
        if self.json {
            for finding in findings {
                self.data(&line(render::json::diagnostic(&now(), finding, sources)));
            }
        } else {
            self.say(render::diag::text(findings, sources, &self.err).trim_end());
        }
    }

    pub fn failure(&self, failure: &Failure) {
        self.findings(&failure.findings, &failure.sources);
    }
}

/// A JSON line with its end.
pub fn line(mut text: String) -> String {
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Now, RFC 3339 in UTC.
pub fn now() -> String {
    jiff::Timestamp::now().to_string()
}

fn colored(choice: ColorChoice, stream: &impl anstream::stream::RawStream) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
    }
}

/// Whether the reader's terminal or pager expects UTF-8, as POSIX says it: the first of these that
/// is set counts.
fn utf8_locale() -> bool {
    let set =
        ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().filter_map(|name| std::env::var(name).ok());
    let locale = set.into_iter().find(|value| !value.is_empty());
    locale.is_none_or(|value| {
        let value = value.to_ascii_lowercase();
        value.contains("utf-8") || value.contains("utf8")
    })
}

/// Requests and what led to them, on stderr; in colour as other messages are.
pub fn trace(verbose: u8, style: &Style) {
    let level = match verbose {
        0 => return,
        1 => "rackform=debug",
        _ => "rackform=trace",
    };
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(level)
        .with_writer(std::io::stderr)
        .with_target(false)
        .with_ansi(style.color)
        .finish();
    // Set once per process; a second call would be a mistake that only costs the trace.
    let _ = tracing::subscriber::set_global_default(subscriber);
}
