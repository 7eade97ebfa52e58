//! Asking a person, on a terminal only.

use std::io::{BufRead, Write};

use crate::cli::output::Output;

/// Asks for a word; anything else means no. End of input means no. May be dropped while it waits.
pub async fn typed(output: &Output, question: &str, word: &str) -> bool {
    output.say(question);
    {
        let mut err = std::io::stderr().lock();
        let _ = write!(err, "  Only '{word}' is accepted: ").and_then(|()| err.flush());
    }
    let answer = tokio::task::spawn_blocking(|| {
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map(|_| answer)
    });
    matches!(answer.await, Ok(Ok(answer)) if answer.trim() == word)
}
