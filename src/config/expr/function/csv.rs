//! `csvdecode`: rows of a table as a list of maps.
//!
//! In: CSV (RFC 4180) whose first row names the columns. Out: one map per row, all values texts.
//! 100,000 rows share one key per column.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ::csv::{Error, ErrorKind, ReaderBuilder, StringRecord};

use super::{Args, Function, Group, MAX_ITEMS, Misuse, Outcome};
use crate::value::Value;

pub(super) static TABLE: &[Function] =
    &[Function::new(Group::Encoding, ("csvdecode", "text"), decode)
        .says("The rows of a CSV text as maps; the first row has the keys.")
        .example(r#"csvdecode("a,b\n1,2\n")"#, r#"[{ a = "1", b = "2" }]"#)];

fn decode(args: Args<'_>) -> Outcome {
    let text = args.text(0)?;
    // Spreadsheets write a byte order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // The reader takes all that follows into one field, as if nothing were wrong.
    if text.bytes().filter(|byte| *byte == b'"').count() % 2 == 1 {
        return Err(args.wrong(0, "a quotation mark of the CSV is not closed"));
    }
    let mut rows = ReaderBuilder::new().has_headers(false).from_reader(text.as_bytes());
    let mut row = StringRecord::new();
    if !rows.read_record(&mut row).map_err(|error| broken(args, &error, 1))? {
        return Err(args.wrong(0, "there is no row with the names of the columns"));
    }
    let keys: Vec<Arc<str>> = row.iter().map(Arc::from).collect();
    distinct(args, &keys)?;
    let (mut items, mut number) = (Vec::new(), 2);
    while rows.read_record(&mut row).map_err(|error| broken(args, &error, number))? {
        let fields = keys.iter().cloned().zip(row.iter().map(Value::str));
        items.push(Value::map(fields.collect::<BTreeMap<_, _>>()));
        number += 1;
        if items.len().saturating_mul(keys.len() + 1) > MAX_ITEMS {
            return Err(args.too_many());
        }
    }
    Ok(Value::list(items))
}

fn distinct(args: Args<'_>, keys: &[Arc<str>]) -> Result<(), Misuse> {
    let mut seen = BTreeSet::new();
    match keys.iter().find(|key| !seen.insert(&***key)) {
        Some(twice) => Err(args.wrong(0, format!("two columns of the CSV are named {twice:?}"))),
        None => Ok(()),
    }
}

/// `row` counts the rows, the header too; a row can span lines.
fn broken(args: Args<'_>, error: &Error, row: u64) -> Misuse {
    let line = error.position().map_or(row, ::csv::Position::line);
    let place = if line == row { format!("row {row}") } else { format!("row {row} (line {line})") };
    args.wrong(
        0,
        match error.kind() {
            ErrorKind::UnequalLengths { expected_len, len, .. } => {
                let plural = if *len == 1 { "" } else { "s" };
                format!("{place} of the CSV has {len} field{plural}, its header {expected_len}")
            }
            _ => format!("{place} of the CSV cannot be read: {error}"),
        },
    )
}
