//! Lines → text, with the comments behind them in columns.

use super::tree::Comment;

/// One line, or several that a string spans.
pub struct Line<'s> {
    pub text: String,
    pub comment: Option<Comment<'s>>,
}

/// The text of a file.
pub fn join(lines: Vec<Line<'_>>, newline: &str) -> String {
    let mut out = String::with_capacity(lines.iter().map(|line| line.text.len() + 2).sum());
    for group in lines.chunk_by(|a, b| a.comment.is_some() && b.comment.is_some()) {
        let column = column(group);
        for line in group {
            out.push_str(&line.text);
            if let Some(comment) = line.comment {
                let blanks = column.saturating_sub(columns(line));
                out.extend(std::iter::repeat_n(' ', blanks));
                out.push_str(comment.text);
            }
            out.push_str(newline);
        }
    }
    out
}

/// Where the comments of lines one after another stand: the leftmost column that one of them was
/// put in and that is free on all the lines, or one blank behind the longest.
fn column(group: &[Line<'_>]) -> usize {
    let free = group.iter().map(|line| columns(line) + 1).max().unwrap_or(0);
    let had = group.iter().filter_map(|line| line.comment).filter_map(|comment| comment.column);
    had.filter(|column| *column >= free).min().unwrap_or(free)
}

/// Columns of what stands before the comment.
fn columns(line: &Line<'_>) -> usize {
    let last = line.text.rfind('\n').map_or(&*line.text, |at| &line.text[at + 1..]);
    last.chars().count()
}
