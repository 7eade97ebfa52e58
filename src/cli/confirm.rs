//! Asking a person, on a terminal only.

use std::io::{BufRead, Write};

use crate::cli::output::Output;

/// Asks for a word; anything else means no. End of input means no.
pub fn typed(output: &Output, question: &str, word: &str) -> bool {
    output.say(question);
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "  Only '{word}' is accepted: ").and_then(|()| err.flush());
    drop(err);
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    read.is_ok() && answer.trim() == word
}
