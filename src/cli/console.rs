//! `rackform console`: expressions from a pipe or a terminal → their values.
//!
//! A pipe gives one expression after the other; a mistake in one is told, and the rest goes on. On
//! a terminal lines are edited, names are completed, and nothing is remembered: an expression can
//! hold a secret.

use std::io::BufRead;
use std::path::Path;

use rustyline::completion::Completer;
use rustyline::error::ReadlineError;
use rustyline::{CompletionType, Config, Context, Editor, Helper};

use crate::cli::args::Console;
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::{Output, line};
use crate::cli::reading::Reading;
use crate::diag::Diagnostic;
use crate::render;
use crate::store::LocalStore;

const HELP: &str = "\
Type an expression, such as
  var.racks                        a variable; local.NAME, data.TYPE.LABEL, module.NAME.OUTPUT
  zone.east.id                     an attribute of an object, as the state knows it
  host.kvm[*].management_ip        of all instances
  cidrhost(\"10.0.1.0/24\", 10)      a function
  [for i in range(1, 4) : format(\"%02d\", i)]
An expression goes on in the next line while a bracket is open. `exit` or Ctrl-D ends.";

pub fn run(dir: &Path, args: &Console, output: &mut Output) -> Result<Exit, Failure> {
    let state = LocalStore::open(dir).read()?.state;
    let mut reading = Reading::open(dir, &args.vars, state, output)?;
    if output.asks { terminal(&mut reading, output) } else { pipe(&mut reading, output) }
}

/// Evaluates one expression and prints what it came to. Whether it had a value.
fn one(reading: &mut Reading<'_>, text: &str, output: &Output) -> bool {
    match reading.expression(text) {
        Ok(value) => {
            let unknown = || render::hcl::UNKNOWN.to_owned();
            output.data(&line(value.map_or_else(unknown, |value| render::hcl::value(&value, 0))));
            true
        }
        Err(failure) => {
            output.failure(&failure);
            false
        }
    }
}

fn pipe(reading: &mut Reading<'_>, output: &Output) -> Result<Exit, Failure> {
    let mut exit = Exit::Done;
    let mut open = String::new();
    for text in std::io::stdin().lock().lines() {
        let text = text.map_err(|error| {
            let text = format!("the expressions cannot be read: {error}");
            Diagnostic::error("unreadable", text).help("they must be UTF-8 text")
        })?;
        match more(&mut open, &text) {
            Typed::Open | Typed::Nothing => {}
            Typed::End => return Ok(exit),
            Typed::Help => output.say(HELP),
            Typed::Expression(text) => {
                if !one(reading, &text, output) {
                    exit = Exit::Error;
                }
            }
        }
    }
    // What is still open is a mistake that the parser explains.
    if !open.trim().is_empty() && !one(reading, &open, output) {
        exit = Exit::Error;
    }
    Ok(exit)
}

fn terminal(reading: &mut Reading<'_>, output: &Output) -> Result<Exit, Failure> {
    let failed = |error: ReadlineError| {
        Diagnostic::error("terminal", format!("the terminal cannot be used: {error}"))
    };
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(0)
        .map_err(failed)?
        .auto_add_history(false)
        .build();
    let mut editor: Editor<Names, _> = Editor::with_config(config).map_err(failed)?;
    editor.set_helper(Some(Names(names(reading.config()))));
    output.say("`help` shows what can be typed, `exit` or Ctrl-D ends.");
    let mut open = String::new();
    loop {
        let prompt = if open.is_empty() { "> " } else { ": " };
        let text = match editor.readline(prompt) {
            Ok(text) => text,
            Err(ReadlineError::Eof) => return Ok(Exit::Done),
            Err(ReadlineError::Interrupted) => {
                open.clear();
                continue;
            }
            Err(error) => return Err(failed(error).into()),
        };
        match more(&mut open, &text) {
            Typed::Open | Typed::Nothing => {}
            Typed::End => return Ok(Exit::Done),
            Typed::Help => output.say(HELP),
            Typed::Expression(text) => drop(one(reading, &text, output)),
        }
    }
}

/// What a line makes of what was typed before it.
#[derive(Debug, PartialEq)]
enum Typed {
    Nothing,
    /// A bracket is open.
    Open,
    Expression(String),
    Help,
    End,
}

fn more(open: &mut String, text: &str) -> Typed {
    if open.is_empty() {
        match text.trim() {
            "" => return Typed::Nothing,
            "exit" | "quit" => return Typed::End,
            "help" => return Typed::Help,
            comment if comment.starts_with('#') => return Typed::Nothing,
            _ => {}
        }
    } else {
        open.push('\n');
    }
    open.push_str(text);
    if depth(open) > 0 { Typed::Open } else { Typed::Expression(std::mem::take(open)) }
}

/// How many brackets are open, outside of texts.
fn depth(text: &str) -> usize {
    let (mut depth, mut quoted, mut rest) = (0_usize, false, text.chars());
    while let Some(c) = rest.next() {
        match c {
            '\\' if quoted => drop(rest.next()),
            '"' => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    depth
}

/// The names of the root module, in order.
fn names(config: &crate::config::Config) -> Vec<String> {
    let root = &config.root;
    let labels = |prefix: &str, blocks: &[crate::config::syntax::Block]| -> Vec<String> {
        blocks.iter().map(|block| format!("{prefix}{}", block.label.text)).collect()
    };
    let mut all = labels("var.", &root.variables);
    all.extend(root.locals.iter().map(|entry| format!("local.{}", entry.key.text)));
    all.extend(root.data.iter().map(|block| format!("data.{}", block.name())));
    all.extend(root.calls.iter().map(|call| format!("module.{}", call.block.label.text)));
    all.extend(root.resources.iter().map(crate::config::syntax::Block::name));
    all.sort();
    all
}

/// Completes names.
struct Names(Vec<String>);

impl Helper for Names {}
impl rustyline::hint::Hinter for Names {
    type Hint = String;
}
impl rustyline::highlight::Highlighter for Names {}
impl rustyline::validate::Validator for Names {}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        text: &str,
        at: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        let begun = &text[..at];
        let in_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        let start = begun
            .rfind(|c| !in_name(c))
            .map_or(0, |before| before + begun[before..].chars().next().map_or(1, char::len_utf8));
        let word = &begun[start..];
        let from = self.0.partition_point(|name| name.as_str() < word);
        let found = self.0[from..].iter().take_while(|name| name.starts_with(word));
        Ok((start, found.take(MOST).cloned().collect()))
    }
}

/// Names that a completion offers.
const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_expression_goes_on_while_a_bracket_is_open() {
        let mut open = String::new();
        assert_eq!(more(&mut open, "[for x in ["), Typed::Open);
        assert_eq!(more(&mut open, "\"]\\\"\"] :"), Typed::Open);
        let whole = "[for x in [\n\"]\\\"\"] :\nx]".to_owned();
        assert_eq!(more(&mut open, "x]"), Typed::Expression(whole));
        assert_eq!(more(&mut open, " exit "), Typed::End);
        assert_eq!(more(&mut open, "# a comment"), Typed::Nothing);
    }
}
