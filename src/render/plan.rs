//! A plan for people: drift, changes with their reasons, notes, and one sentence at the end.
//!
//! In: [`Plan`], the sources for `file:line`, a [`Style`]. Out: text. Linear in the plan; one
//! change is written at a time.

use std::fmt::{self, Write};

use crate::diag::Sources;
use crate::plan::{Drift, Note, Plan};

use super::change::{Attributes, Changes, Shape, meaning, shapes, symbol};
use super::tally::{Tally, casualties};
use super::{Ink, Style, clean, outputs, words};

/// What is rendered.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub plan: &'a Plan,
    pub sources: &'a Sources,
    /// Requests that making the plan took, if anyone counted.
    pub requests: Option<u64>,
    pub style: Style,
}

/// The plan as text.
pub fn text(view: &View<'_>) -> String {
    let mut out = String::new();
    // Writing into a String does not fail.
    let _ = write(view, &mut out);
    out
}

/// Writes the plan.
///
/// # Errors
/// Those of `out`.
pub fn write(view: &View<'_>, out: &mut dyn Write) -> fmt::Result {
    let changes = Changes { sources: view.sources, style: &view.style };
    drift(view, &changes, out)?;
    if !view.plan.changes.is_empty() {
        list(view, &changes, out)?;
    }
    notes(&view.plan.notes, &view.style, out)?;
    outputs::changes(&view.plan.outputs, &view.style, out)?;
    match (view.plan.changes.is_empty(), view.plan.changes_outputs()) {
        (true, true) => only_outputs(view, out),
        (true, false) => nothing(view, out),
        (false, _) => summary(view, out),
    }
}

/// The last line: `Plan: 3 to add, 1 to change, 0 to destroy.`
pub fn sentence(plan: &Plan) -> String {
    format!("Plan: {}.", Tally::of(plan))
}

fn drift(view: &View<'_>, changes: &Changes<'_>, out: &mut dyn Write) -> fmt::Result {
    if view.plan.drift.is_empty() {
        return Ok(());
    }
    let title = view.style.ink(Ink::Bold, "Changed outside of rackform since the last apply:");
    writeln!(out, "{title}\n")?;
    for found in &view.plan.drift {
        write_drift(found, changes, out)?;
    }
    out.write_char('\n')
}

/// One object that was changed or removed outside.
pub(super) fn write_drift(
    found: &Drift,
    changes: &Changes<'_>,
    out: &mut dyn Write,
) -> fmt::Result {
    let style = changes.style;
    match &found.attrs {
        None => {
            let sign = style.ink(Ink::Remove, "  -");
            let gone = style.ink(Ink::Remove, "is gone from the cloud");
            writeln!(out, "{sign} {} {gone}", clean(&found.address))
        }
        Some(attrs) => {
            let sign = style.ink(Ink::Change, "  ~");
            writeln!(out, "{sign} {}", clean(&found.address))?;
            let attributes = Attributes { changes, subject: &found.address, place: None };
            attributes.write(attrs, true, out)
        }
    }
}

fn list(view: &View<'_>, changes: &Changes<'_>, out: &mut dyn Write) -> fmt::Result {
    let title = if view.plan.destroy {
        "rackform will destroy everything in its state:"
    } else {
        "rackform will do the following:"
    };
    writeln!(out, "{}", view.style.ink(Ink::Bold, title))?;
    legend(view, out)?;
    let mut last = None;
    for (change, shape) in view.plan.changes.iter().zip(shapes(view.plan)) {
        // Attachments are single lines and stand together; objects are paragraphs.
        if last != Some(Shape::Attachment) || shape != Shape::Attachment {
            out.write_char('\n')?;
        }
        changes.write(change, shape, out)?;
        last = Some(shape);
    }
    out.write_char('\n')
}

/// The signs that this plan uses.
fn legend(view: &View<'_>, out: &mut dyn Write) -> fmt::Result {
    let mut seen: Vec<&str> = Vec::new();
    for change in &view.plan.changes {
        let (sign, ink) = symbol(change.action);
        if seen.contains(&sign) {
            continue;
        }
        let gap = if seen.is_empty() { "  " } else { "   " };
        seen.push(sign);
        write!(out, "{gap}{} {}", view.style.ink(ink, sign), meaning(change.action))?;
    }
    out.write_char('\n')
}

fn notes(notes: &[Note], style: &Style, out: &mut dyn Write) -> fmt::Result {
    if notes.is_empty() {
        return Ok(());
    }
    writeln!(out, "{}\n", style.ink(Ink::Bold, "Worth knowing:"))?;
    for note in notes {
        out.write_str("  * ")?;
        if let Some(address) = &note.address {
            write!(out, "{}: ", clean(address))?;
        }
        writeln!(out, "{}", clean(&note.text))?;
        for line in note.help.iter().flat_map(|help| help.lines()) {
            writeln!(out, "    {}", style.ink(Ink::Dim, clean(line)))?;
        }
    }
    out.write_char('\n')
}

fn only_outputs(view: &View<'_>, out: &mut dyn Write) -> fmt::Result {
    let text = "Only outputs change: an apply writes them into the state and sends nothing.";
    writeln!(out, "{}", view.style.ink(Ink::Bold, text))
}

fn nothing(view: &View<'_>, out: &mut dyn Write) -> fmt::Result {
    let title = if view.plan.destroy {
        "No changes. There is nothing to destroy."
    } else {
        "No changes. The cloud matches the configuration."
    };
    write!(out, "{}", view.style.ink(Ink::Bold, view.style.ink(Ink::Add, title)))?;
    let compared = words::many(view.plan.unchanged, "object");
    match view.requests {
        Some(n) => {
            let requests = words::many(usize::try_from(n).unwrap_or(usize::MAX), "request");
            writeln!(out, " ({compared} compared with {requests})")?;
        }
        None => writeln!(out, " ({compared} compared)")?,
    }
    if view.plan.refreshed.is_empty() {
        return Ok(());
    }
    let stale = words::many(view.plan.refreshed.len(), "object");
    writeln!(
        out,
        "The state is out of date for {stale}: an apply writes it down and sends nothing."
    )
}

fn summary(view: &View<'_>, out: &mut dyn Write) -> fmt::Result {
    let lost = casualties(view.plan);
    if !lost.is_empty() {
        let lost: Vec<String> = lost.iter().map(|(label, n)| words::lost(*n, label)).collect();
        let text = format!("Goes down with it, though not in this plan: {}.", words::list(&lost));
        writeln!(out, "{}\n", view.style.ink(Ink::Alarm, text))?;
    }
    writeln!(out, "{}", view.style.ink(Ink::Bold, sentence(view.plan)))
}

#[cfg(test)]
mod tests;
