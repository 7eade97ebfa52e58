//! What a script did on each host: the answer of `KvmRunShell` (manual 4.3.10).
//!
//! In: the member of the reply that holds a result for each host, by id. Out: [`ShellResult`]. The
//! call succeeds whatever the script did; only this tells.

use serde_json::Value;

/// What a script did on one host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShellResult {
    /// Exit code of the script; `None` when it was not run.
    pub code: Option<i64>,
    pub stdout: String,
    pub stderr: String,
    /// Why it was not run.
    pub error: Option<String>,
}

impl ShellResult {
    /// The result of one host; one that the answer does not have was not run.
    pub fn of(results: &Value, id: &str) -> Self {
        let Some(result) = results.get(id) else {
            let error = Some("the answer has no result for it".to_owned());
            return Self { error, ..Self::default() };
        };
        let text =
            |name: &str| result.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        // An `errorCode` without a code stands for none (the manual's example).
        let error = result.get("errorCode").filter(|error| error.get("code").is_some());
        let words = |error: &Value| {
            let texts = ["details", "description", "code"];
            let text = texts.iter().find_map(|name| error.get(name)?.as_str());
            text.unwrap_or("no reason given").to_owned()
        };
        let error = error.map(words);
        // Older servers write whole numbers as doubles (reference 1.8).
        let code =
            result.get("returnCode").and_then(|code| crate::value::Value::from_json(code).as_int());
        let code = code.filter(|_| error.is_none());
        Self { code, stdout: text("stdout"), stderr: text("stderr"), error }
    }

    pub fn succeeded(&self) -> bool {
        self.error.is_none() && self.code == Some(0)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_host_ran_it_or_did_not() {
        let results = json!({
            "a": {"returnCode": 0.0, "stdout": "hello", "errorCode": {}},
            "b": {"returnCode": 3, "stdout": "", "stderr": "no such file"},
            "c": {"returnCode": 0, "errorCode": {"code": "SYS.1006", "details": "no route"}},
        });
        let a = ShellResult::of(&results, "a");
        assert!(a.succeeded() && a.stdout == "hello" && a.code == Some(0));
        let b = ShellResult::of(&results, "b");
        assert!(!b.succeeded() && b.code == Some(3) && b.stderr == "no such file");
        let c = ShellResult::of(&results, "c");
        assert!(!c.succeeded() && c.code.is_none() && c.error.as_deref() == Some("no route"));
        assert!(!ShellResult::of(&results, "d").succeeded());
    }
}
