//! A rule over two attributes of one row.
//!
//! In: a row, complete. Out: a finding where attributes with [`Quirk::BaremetalTogether`] disagree.

use super::Work;
use super::link::Declarer;
use super::resource::RowInWork;
use crate::diag::{Diagnostic, Span};
use crate::schema::{AttrIx, Quirk};
use crate::value::Value;

/// The value that such attributes have together or not at all.
const BAREMETAL: &str = "baremetal";

impl Work<'_> {
    /// Refuses a row in which one of the attributes is `baremetal` and another is not: the server
    /// would, when it creates the object. One that is not written is not `baremetal`: the server
    /// fills in another value.
    pub(super) fn baremetal_together(
        &mut self,
        declared: Span,
        by: &Declarer<'_>,
        row: &RowInWork,
    ) {
        let mut with = None;
        let mut without = None;
        for (ix, attr) in by.resource.attrs() {
            if attr.quirk != Some(Quirk::BaremetalTogether) {
                continue;
            }
            let at = usize::from(ix.0);
            // What is not known, or wrong anyway, is not judged.
            match row.values[at].reveal() {
                _ if row.broken[at] => return,
                Value::Str(text) if **text == *BAREMETAL => with = Some(ix),
                Value::Str(_) | Value::Null => without = Some(ix),
                _ => return,
            }
        }
        if let (Some(with), Some(without)) = (with, without) {
            let finding = apart(declared, by, row, (with, without));
            self.findings.push(finding);
        }
    }
}

/// `with`: the attribute that is `baremetal`; `without`: the one that is not.
fn apart(
    declared: Span,
    by: &Declarer<'_>,
    row: &RowInWork,
    (with, without): (AttrIx, AttrIx),
) -> Diagnostic {
    let name = |ix: AttrIx| &by.resource.attr(ix).name;
    let place = |ix: AttrIx| row.spans[usize::from(ix.0)];
    let (here, there) = (name(with), name(without));
    let problem =
        format!("`{here}` and `{there}` must both be \"{BAREMETAL}\", or neither of them");
    let finding = Diagnostic::error("not_both_baremetal", problem)
        .at(place(with).unwrap_or(declared), format!("\"{BAREMETAL}\""))
        .on(by.address);
    match place(without) {
        Some(span) => finding
            .at(span, "something else")
            .help(format!("write {there} = \"{BAREMETAL}\", or another `{here}`")),
        None => finding
            .at(declared, format!("without `{there}`"))
            .help(format!("add {there} = \"{BAREMETAL}\", or write another `{here}`")),
    }
}
