//! What a server refuses or spoils and the schema language cannot say.
//!
//! In: a text and the [`Quirk`] of its attribute. Out: why it would not be taken as it is written.
//! Says nothing of the text itself: it may be a secret.

use super::problem::Problem;
use crate::schema::Quirk;

/// Whether a text begins or ends with what Java's `trim` cuts off.
pub(super) fn is_padded(text: &str) -> bool {
    let blank = |c: char| c <= ' ';
    text.starts_with(blank) || text.ends_with(blank)
}

/// The finding for such a text.
pub(super) fn padded(text: &str) -> Problem {
    let mut problem = Problem::new("outer_blanks", "begins or ends with a blank");
    problem.label = "the server would cut it off".to_owned();
    problem.help = Some(match text.ends_with('\n') {
        true => "close the quotes right after the last line's text".to_owned(),
        false => "remove the blanks around the text".to_owned(),
    });
    problem
}

/// Judges a text by the quirk of its attribute.
pub(super) fn check(text: &str, quirk: Quirk) -> Result<(), Problem> {
    match quirk {
        Quirk::StoragePath => outside_of_the_kernel(text),
        Quirk::NfsUrl => match text.split_once(':') {
            Some((host, path)) if !host.is_empty() && path.starts_with('/') => {
                outside_of_the_kernel(path)
            }
            _ => {
                let mut problem = Problem::new("bad_nfs_url", "must be `HOST:/PATH`");
                problem.label = "not of this form".to_owned();
                problem.help = Some("such as \"10.0.0.5:/export/volumes\"".to_owned());
                Err(problem)
            }
        },
        Quirk::NoColon if text.contains(':') => {
            let mut problem = Problem::new("colon", "must not contain a `:`");
            problem.label = "the server would cut it off at the colon".to_owned();
            Err(problem)
        }
        // Judged with the other attributes of the row, in `pair`.
        Quirk::BaremetalTogether => Ok(()),
        Quirk::NoColon
        | Quirk::LeaveMaintenanceFirst
        | Quirk::TrimsText
        | Quirk::LunName
        | Quirk::LongJob
        | Quirk::ShellResults => Ok(()),
    }
}

/// The server compares beginnings of texts: it refuses `/devices` too.
fn outside_of_the_kernel(path: &str) -> Result<(), Problem> {
    if ["/dev", "/proc", "/sys"].iter().any(|start| path.starts_with(start)) {
        let mut problem =
            Problem::new("bad_storage_path", "must not start with /dev, /proc or /sys");
        problem.label = "the server refuses it".to_owned();
        return Err(problem);
    }
    Ok(())
}
