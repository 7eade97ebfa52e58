//! Records of a running apply ↔ lines of text.
//!
//! In: records, one after another. Out: lines to append; and back. Each line is a JSON object
//! with a checksum first:
//!
//! ```text
//! {"sum":"1f0c…16 digits…","seq":2,"record":{"intent":{"step":0,…}}}
//! ```
//!
//! The checksum covers the rest of the line and the checksum before it, so that a changed, lost,
//! repeated or foreign line is noticed. What the records mean to a state is `fold`; making lines
//! durable is `store`.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::identity::{hash, hex};
use super::{Cloud, Entry, Pending};
use crate::address::Address;
use crate::value::Value;

/// One thing that an apply is about to do, or has done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Record {
    /// Which apply this is and on which state it builds; always the first record.
    Run(Run),
    /// An object will be created; durable before its create is sent.
    Pending { address: Address, pending: Pending },
    /// A call is about to leave; durable before it does.
    Intent(Intent),
    /// An object as it is now. Ends the intents of its address.
    Entry { address: Address, entry: Box<Entry> },
    /// Attributes of an object as they read now; nothing else about it has changed.
    Seen {
        address: Address,
        #[serde(with = "super::format::attributes")]
        attrs: Vec<(Arc<str>, Value)>,
    },
    /// An object is gone. `incarnation` is the one that its address uses next; 0 for an
    /// attachment, which has no id of its own.
    Removed { address: Address, incarnation: u32 },
    /// A step failed. When `definite`, its calls had no lasting effect that is not recorded
    /// otherwise; else the outcome is unknown and its intents stay open.
    Failed { address: Address, step: u32, attempt: u32, definite: bool, text: String },
    /// The incarnation that an address uses from now on, because the id of an earlier one may be
    /// taken.
    Incarnation { address: Address, incarnation: u32 },
    /// Digests of secrets that a call has confirmed, by attribute.
    Digests { address: Address, digests: BTreeMap<Arc<str>, String> },
    /// Salt and seal of all secrets.
    Seal { salt: String, seal: Option<String> },
    /// The cloud that a provider turned out to talk to.
    Cloud { provider: Arc<str>, cloud: Cloud },
    /// The state no longer knows an object that may well exist.
    Forgotten { address: Address },
    /// The apply has ended by itself: every step was settled or given up.
    End,
}

/// The head of a journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    pub lineage: String,
    /// Serial of the state that the records are folded onto.
    pub serial: u64,
    /// Drawn at the start of the apply; part of every job id.
    pub run: String,
    /// Who runs it: `user@host`.
    pub holder: String,
    /// When it started, RFC 3339.
    pub started: String,
}

/// A call that was about to be sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intent {
    pub step: u32,
    pub call: u32,
    pub attempt: u32,
    /// Job id under which the server knows it.
    pub job: String,
    pub address: Address,
    /// Provider configuration: where to ask for the job.
    pub provider: Arc<str>,
    /// `POST /zones`, for people.
    pub request: String,
    /// When, in seconds of Unix time by the sender's clock; 0 when that is not known.
    pub sent: u64,
}

/// A journal as read.
#[derive(Clone, Debug, PartialEq)]
pub struct Journal {
    pub run: Run,
    /// All records after the head.
    pub records: Vec<Record>,
    /// Bytes of an unfinished last line, which was never acknowledged and is ignored.
    pub torn: usize,
}

/// Why a text is not a journal, or not the journal of a state.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum JournalError {
    #[error("line {line} is damaged: {reason}")]
    Damaged { line: usize, reason: String },
    #[error("it belongs to another state (lineage {journal}, the state has {state})")]
    Lineage { journal: String, state: String },
    #[error("it continues serial {journal}, but the state beside it has serial {state}")]
    Serial { journal: u64, state: u64 },
    #[error("its run is already part of the state")]
    AlreadyFolded,
    #[error("a record cannot be written: {0}")]
    Unwritable(String),
}

impl JournalError {
    /// What to do next.
    pub fn help(&self) -> &'static str {
        match self {
            Self::Damaged { .. } => {
                "the journal holds what the last apply did and the state does not know yet: restore \
                 it from a copy. Without one, move it away and run `rackform plan`: objects that \
                 were created are found again by their ids"
            }
            Self::Lineage { .. } => {
                "the state and its journal come from different directories: put back the state that \
                 belongs to the journal, or move the journal away"
            }
            Self::Serial { .. } => {
                "the state was replaced while an apply was unfinished: put back the one with the \
                 serial of the journal, or move the journal away if it is of no use"
            }
            Self::AlreadyFolded => "nothing: the next apply removes it",
            Self::Unwritable(_) => "please report this as a bug",
        }
    }
}

/// `{"sum":"`, the digits and `",` stand at fixed places.
const SUM_OPEN: &[u8] = b"{\"sum\":\"";
const SUM_CLOSE: &[u8] = b"\",";
/// 64 bits: enough against accident, and a journal has no enemy who could not write a new one.
const SUM_DIGITS: usize = 16;
const BODY_AT: usize = SUM_OPEN.len() + SUM_DIGITS + SUM_CLOSE.len();

/// Turns records into lines.
#[derive(Clone, Debug, Default)]
pub struct Encoder {
    /// Lines written so far.
    seq: u64,
    /// Checksum of the last line; empty before the first.
    sum: String,
}

#[derive(Serialize)]
struct WrittenLine<'a> {
    seq: u64,
    record: &'a Record,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ReadLine {
    #[serde(rename = "sum")]
    _sum: serde::de::IgnoredAny,
    seq: u64,
    record: Record,
}

impl Encoder {
    /// Appends the line of a record to a text; the text is unchanged on error.
    ///
    /// # Errors
    /// [`JournalError::Unwritable`] for a secret in the record.
    pub fn encode(&mut self, record: &Record, to: &mut Vec<u8>) -> Result<(), JournalError> {
        let line = WrittenLine { seq: self.seq + 1, record };
        let json =
            serde_json::to_vec(&line).map_err(|e| JournalError::Unwritable(e.to_string()))?;
        let body = &json[1..]; // an object: the first byte is `{`
        self.sum = checksum(&self.sum, body);
        self.seq += 1;
        to.extend_from_slice(SUM_OPEN);
        to.extend_from_slice(self.sum.as_bytes());
        to.extend_from_slice(SUM_CLOSE);
        to.extend_from_slice(body);
        to.push(b'\n');
        Ok(())
    }
}

fn checksum(previous: &str, body: &[u8]) -> String {
    let whole = hash("rackform 2026-11 journal line", &[previous.as_bytes(), body]);
    hex(&whole.as_bytes()[..SUM_DIGITS / 2])
}

/// Reads a journal. `None` when it holds no whole line: its apply never got to send anything.
///
/// # Errors
/// [`JournalError::Damaged`] with the line, for everything but an unfinished last line. Data
/// reaches a file in the order it was appended, so that a crash leaves a prefix: a whole line that
/// does not check out was changed by something else.
pub fn read(text: &[u8]) -> Result<Option<Journal>, JournalError> {
    let whole = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let torn = text.len() - whole;
    let mut reader = Reader::default();
    let mut run = None;
    let mut records = Vec::new();
    for line in text[..whole].split_inclusive(|b| *b == b'\n') {
        let record = reader.line(line).map_err(|reason| reader.damaged(reason))?;
        match (record, &run) {
            (Record::Run(head), None) => run = Some(head),
            (Record::Run(_), Some(_)) => return Err(reader.damaged("a second head".to_owned())),
            (_, None) => return Err(reader.damaged("it does not name its apply".to_owned())),
            (record, Some(_)) => records.push(record),
        }
    }
    Ok(run.map(|run| Journal { run, records, torn }))
}

#[derive(Default)]
struct Reader {
    lines: usize,
    sum: String,
}

impl Reader {
    fn line(&mut self, line: &[u8]) -> Result<Record, String> {
        self.lines += 1;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        let body = line.get(BODY_AT..).ok_or("it is too short")?;
        let sum = checksum(&self.sum, body);
        let head = [SUM_OPEN, sum.as_bytes(), SUM_CLOSE].concat();
        if line[..BODY_AT] != head {
            return Err("its checksum differs".to_owned());
        }
        self.sum = sum;
        let read: ReadLine = serde_json::from_slice(line).map_err(|e| super::format::reason(&e))?;
        if read.seq != self.lines as u64 {
            return Err(format!("it has number {}", read.seq));
        }
        Ok(read.record)
    }

    fn damaged(&self, reason: String) -> JournalError {
        JournalError::Damaged { line: self.lines, reason }
    }
}

#[cfg(test)]
mod tests;
