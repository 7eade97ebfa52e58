//! Why one value is refused, before it is known where it stands.

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
