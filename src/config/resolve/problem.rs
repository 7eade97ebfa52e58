//! Why a value does not fit its attribute: what `kind` and `quirk` say of it. Knows no place.

/// Why a known scalar is refused. Says nothing about a secret's content.
pub(super) struct Problem {
    pub code: &'static str,
    pub summary: String,
    pub label: String,
    pub help: Option<String>,
}

impl Problem {
    pub fn new(code: &'static str, summary: impl Into<String>) -> Self {
        Self { code, summary: summary.into(), label: "here".to_owned(), help: None }
    }
}
