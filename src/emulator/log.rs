//! The log that keeps the emulator's state over a kill. In: the records of a transaction. Out: one
//! JSON array a line, written with one `write` before anyone is answered; at start, the records
//! again. A torn last line is dropped. Must not know what the records mean.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use serde_json::{Value, json};

use super::store::{Store, without_secrets};

/// The open log.
#[derive(Debug)]
pub struct Log {
    file: File,
}

impl Log {
    /// Replays `path` into the store and opens it for appending. Errors: unreadable or damaged
    /// before its last line.
    pub fn open(path: &Path, store: &mut Store) -> io::Result<Self> {
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        let file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        let (good, lines) = replay(&file, store)?;
        file.set_len(good)?;
        let rows: usize = store.tables().map(|table| table.rows().len()).sum();
        let mut log = Log { file };
        if lines > 2 * rows + 1000 {
            log.file = compact(path, store)?;
        }
        log.file.seek(SeekFrom::End(0))?;
        Ok(log)
    }

    /// Appends the records as one line. No fsync: the promise is to survive a kill of the process.
    pub fn append(&mut self, records: Vec<Value>) -> io::Result<()> {
        if records.is_empty() {
            return Ok(());
        }
        let mut line = Value::Array(records).to_string();
        line.push('\n');
        self.file.write_all(line.as_bytes())
    }
}

/// Returns the length of the whole lines and their number.
fn replay(file: &File, store: &mut Store) -> io::Result<(u64, usize)> {
    let mut reader = BufReader::with_capacity(1 << 20, file);
    let (mut good, mut lines) = (0, 0);
    let mut line = Vec::new();
    loop {
        line.clear();
        let length = reader.read_until(b'\n', &mut line)?;
        if length == 0 || line.last() != Some(&b'\n') {
            return Ok((good, lines));
        }
        let mut records: Vec<Value> = serde_json::from_slice(&line).map_err(|error| {
            io::Error::new(io::ErrorKind::InvalidData, format!("line {}: {error}", lines + 1))
        })?;
        records.iter_mut().for_each(|record| store.replay(record));
        good += length as u64;
        lines += 1;
    }
}

/// Writes the present rows to a new file and puts it in place of the old one.
fn compact(path: &Path, store: &Store) -> io::Result<File> {
    let fresh = path.with_extension("new");
    let mut out = BufWriter::new(File::create(&fresh)?);
    for table in store.tables() {
        for (uuid, row) in table.rows() {
            let record =
                json!([{ "put": table.family.name, "uuid": &**uuid, "row": without_secrets(row) }]);
            writeln!(out, "{record}")?;
        }
    }
    for uuid in store.taken() {
        writeln!(out, "{}", json!([{ "taken": uuid }]))?;
    }
    out.into_inner().map_err(io::IntoInnerError::into_error)?;
    std::fs::rename(&fresh, path)?;
    OpenOptions::new().read(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::super::store::{Family, Row, Tx};
    use super::*;

    static THING: Family =
        Family { name: "thing", vo: "ThingVO", indexes: &[], soft_delete: true, relations: &[] };

    fn put(path: &Path, uuid: &str) {
        let mut store = Store::new(&[&THING]);
        let mut log = Log::open(path, &mut store).expect("opens");
        let mut tx = Tx::new(&mut store, 0);
        tx.put("thing", uuid, Row::new());
        log.append(tx.into_records()).expect("appends");
    }

    fn uuids(path: &Path) -> Vec<String> {
        let mut store = Store::new(&[&THING]);
        Log::open(path, &mut store).expect("opens");
        store.table("thing").rows().keys().map(|uuid| uuid.to_string()).collect()
    }

    #[test]
    fn a_torn_last_line_is_dropped_and_written_over() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log.jsonl");
        put(&path, "a");
        OpenOptions::new()
            .append(true)
            .open(&path)
            .and_then(|mut file| file.write_all(b"[{\"put\":\"thi"))
            .expect("tears");
        assert_eq!(uuids(&path), ["a"]);
        put(&path, "b");
        assert_eq!(uuids(&path), ["a", "b"]);
    }

    #[test]
    fn damage_before_the_end_is_an_error() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log.jsonl");
        std::fs::write(&path, "garbage\n[]\n").expect("writes");
        assert!(Log::open(&path, &mut Store::new(&[&THING])).is_err());
    }

    #[test]
    fn a_long_log_is_compacted_at_start() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("log.jsonl");
        let line = "[{\"put\":\"thing\",\"uuid\":\"a\",\"row\":{}}]\n";
        std::fs::write(&path, line.repeat(3000)).expect("writes");
        assert_eq!(uuids(&path), ["a"]);
        assert_eq!(std::fs::read_to_string(&path).expect("reads").lines().count(), 1);
        put(&path, "b");
        assert_eq!(uuids(&path), ["a", "b"]);
    }
}
