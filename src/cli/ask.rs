//! A line that a person types at the terminal, seen or unseen.
//!
//! In: a question. Out: the answer. The line editor draws on the terminal itself, so that stdout
//! stays free for data. What is secret is never drawn, and never asked for where it would be.

use std::borrow::Cow;
use std::io::{BufRead, Write};

use rustyline::completion::Completer;
use rustyline::config::Behavior;
use rustyline::error::ReadlineError;
use rustyline::highlight::{CmdKind, Highlighter};
use rustyline::hint::Hinter;
use rustyline::history::DefaultHistory;
use rustyline::validate::Validator;
use rustyline::{ColorMode, Config, Editor, Helper};

use crate::cli::failure::Failure;
use crate::config::input::Question;
use crate::diag::Diagnostic;

/// What came of a question.
pub enum Answer {
    Text(String),
    /// End of input.
    Nothing,
    /// Ctrl-C.
    Interrupted,
}

/// Terminals on which a line cannot be edited, nor hidden.
const DUMB: [&str; 3] = ["dumb", "cons25", "emacs"];

/// Asks for a variable.
///
/// # Errors
/// The terminal cannot hide a secret, or cannot be used.
pub fn variable(question: &Question) -> Result<Answer, Failure> {
    let Question { name, description, secret, .. } = question;
    let mut err = std::io::stderr().lock();
    let about = description.as_ref().map_or(String::new(), |text| format!("  {text}\n"));
    let hidden = if *secret { " (it is not shown)" } else { "" };
    let text = format!("var.{name}\n{about}");
    // A terminal that went away shows in the reading.
    let _ = write!(err, "{text}").and_then(|()| err.flush());
    drop(err);
    let prompt = format!("  Enter a value{hidden}: ");
    if edits() {
        return edited(&prompt, question);
    }
    if *secret {
        let problem = format!("this terminal cannot hide what is typed for `{name}`");
        let help = format!("set RACKFORM_VAR_{name}");
        return Err(Diagnostic::error("cannot_hide", problem).help(help).into());
    }
    plain(&prompt).map_err(|error| unusable(name, &error.to_string()))
}

fn edits() -> bool {
    let term = std::env::var("TERM").unwrap_or_default();
    !DUMB.contains(&term.as_str()) && std::fs::File::open("/dev/tty").is_ok()
}

fn plain(prompt: &str) -> std::io::Result<Answer> {
    let mut err = std::io::stderr().lock();
    write!(err, "{prompt}").and_then(|()| err.flush())?;
    let mut line = String::new();
    if std::io::stdin().lock().read_line(&mut line)? == 0 {
        return Ok(Answer::Nothing);
    }
    Ok(Answer::Text(line.trim_end_matches(['\n', '\r']).to_owned()))
}

fn edited(prompt: &str, question: &Question) -> Result<Answer, Failure> {
    let failed = |error: ReadlineError| unusable(&question.name, &error.to_string());
    let color = if question.secret { ColorMode::Forced } else { ColorMode::Disabled };
    let config =
        Config::builder().behavior(Behavior::PreferTerm).color_mode(color).auto_add_history(false);
    let mut editor: Editor<Unseen, DefaultHistory> =
        Editor::with_config(config.build()).map_err(failed)?;
    if question.secret {
        editor.set_helper(Some(Unseen));
    }
    match editor.readline(prompt) {
        Ok(line) => Ok(Answer::Text(line)),
        Err(ReadlineError::Eof) => Ok(Answer::Nothing),
        Err(ReadlineError::Interrupted) => Ok(Answer::Interrupted),
        Err(error) => Err(failed(error)),
    }
}

fn unusable(name: &str, why: &str) -> Failure {
    let problem = format!("`{name}` cannot be asked for on this terminal: {why}");
    let help = format!("set it with --var {name}=… or RACKFORM_VAR_{name}");
    Diagnostic::error("cannot_ask", problem).help(help).into()
}

/// Draws a line as nothing.
struct Unseen;

impl Highlighter for Unseen {
    fn highlight<'l>(&self, _: &'l str, _: usize) -> Cow<'l, str> {
        Cow::Borrowed("")
    }
    // Every key draws the line anew: otherwise the editor would echo it alone.
    fn highlight_char(&self, _: &str, _: usize, _: CmdKind) -> bool {
        true
    }
}

impl Completer for Unseen {
    type Candidate = String;
}
impl Hinter for Unseen {
    type Hint = String;
}
impl Validator for Unseen {}
impl Helper for Unseen {}
