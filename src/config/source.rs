//! Bytes of files → texts that can be parsed.
//!
//! In: names and bytes as the session read them. Out: valid UTF-8 of a bearable size, or findings.
//! Touches no file system.

use crate::diag::{Diagnostic, Diagnostics, FileId, Span};

/// One file as it was read.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// As the user would write it, relative to `-C DIR`.
    pub name: String,
    pub bytes: Vec<u8>,
}

/// Offsets are 32 bits wide, and TOML needs some 20 times its size in memory; a real configuration
/// of 100,000 hosts is a few `for_each` blocks, or many files.
pub const MAX_BYTES: usize = 64 << 20;

/// One file as text.
#[derive(Clone, Debug)]
pub struct SourceText {
    pub file: FileId,
    pub name: String,
    /// Of an unreadable file as much as messages need; then there are findings.
    pub text: String,
}

/// Checks size and encoding of each file. Files are numbered in the order given, from `first`.
pub fn read(files: Vec<SourceFile>, first: usize, findings: &mut Diagnostics) -> Vec<SourceText> {
    (first..).map(number).zip(files).map(|(file, source)| text(file, source, findings)).collect()
}

fn text(file: FileId, source: SourceFile, findings: &mut Diagnostics) -> SourceText {
    let name = source.name;
    if source.bytes.len() > MAX_BYTES {
        let size = source.bytes.len() >> 20;
        findings.push(
            Diagnostic::error("file_too_large", format!("{name} is too large ({size} MiB)"))
                .detail(format!("A configuration file may have {} MiB.", MAX_BYTES >> 20))
                .help("split it into several *.rack.toml files, or use for_each"),
        );
        return SourceText { file, name, text: String::new() };
    }
    let text = String::from_utf8(source.bytes).unwrap_or_else(|error| {
        let at = u32::try_from(error.utf8_error().valid_up_to()).unwrap_or(u32::MAX);
        findings.push(
            Diagnostic::error("invalid_utf8", format!("{name} is not valid UTF-8"))
                .at(Span { file, start: at, end: at }, "the first byte that is not UTF-8")
                .help("save the file as UTF-8"),
        );
        String::from_utf8_lossy(error.as_bytes()).into_owned()
    });
    SourceText { file, name, text }
}

/// Nobody has four thousand million files.
fn number(at: usize) -> FileId {
    FileId(u32::try_from(at).unwrap_or(u32::MAX))
}
