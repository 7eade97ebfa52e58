//! The answer of an action → what people and programs read.
//!
//! In: JSON without secrets, and results of scripts. Out: text. What a server or a host said passes
//! through `clean`. Knows no action by name.

use serde_json::{Value as Json, json};

use super::{Ink, Style, clean, clean_lines};
use crate::wire::shell::ShellResult;

/// How an action ended for one object, for programs.
#[derive(Clone, Debug)]
pub struct Ending<'a> {
    pub action: &'a str,
    /// As the command line names the object.
    pub address: &'a str,
    pub id: &'a str,
    /// `done`, `failed`, `unknown`, `unsettled` or `running`.
    pub outcome: &'a str,
    pub reply: Json,
    /// What went wrong.
    pub error: Option<Json>,
    /// Job on the server, where there may be more to learn.
    pub job: Option<&'a str>,
}

/// One line of JSON.
pub fn json(ending: &Ending<'_>) -> String {
    let mut line = json!({
        "action": ending.action,
        "address": ending.address,
        "id": ending.id,
        "outcome": ending.outcome,
        "reply": ending.reply,
    });
    if let (Some(error), Some(members)) = (&ending.error, line.as_object_mut()) {
        members.insert("error".to_owned(), error.clone());
    }
    if let (Some(job), Some(members)) = (ending.job, line.as_object_mut()) {
        members.insert("job".to_owned(), Json::from(job));
    }
    line.to_string()
}

/// A reply for people: a text as it is, an object as `name = value` lines. `None` for an empty one.
pub fn reply(reply: &Json) -> Option<String> {
    match reply {
        Json::Null => None,
        Json::String(text) => Some(clean_lines(text)),
        Json::Object(members) => {
            let members: Vec<_> = members.iter().filter(|(_, value)| !value.is_null()).collect();
            let width = members.iter().map(|(name, _)| name.chars().count()).max()?;
            let line = |(name, value): &(&String, &Json)| {
                format!("{:width$} = {}", clean(name).to_string(), clean(value))
            };
            Some(members.iter().map(line).collect::<Vec<_>>().join("\n"))
        }
        other => Some(clean(other).to_string()),
    }
}

/// What a script did on one host.
pub fn shell(address: &str, result: &ShellResult, style: &Style) -> String {
    let ended = match (&result.error, result.code) {
        (Some(error), _) => format!("not run: {}", clean(error)),
        (None, Some(code)) => format!("exit code {code}"),
        (None, None) => "no exit code".to_owned(),
    };
    let ink = if result.succeeded() { Ink::Bold } else { Ink::Alarm };
    let mut text = style.ink(ink, format!("# {}: {ended}", clean(address))).to_string();
    for line in clean_lines(&result.stdout).lines() {
        text.push('\n');
        text.push_str(line);
    }
    for line in clean_lines(&result.stderr).lines() {
        text.push_str("\nstderr: ");
        text.push_str(line);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_is_read_line_by_line() {
        let row = json!({"uuid": "1f", "totalCapacity": 12, "tags": ["a"], "empty": null});
        let text = reply(&row).expect("something to read");
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(
            lines,
            ["tags          = [\"a\"]", "totalCapacity = 12", "uuid          = \"1f\""]
        );
        assert_eq!(reply(&json!("http://10.0.0.1/a")), Some("http://10.0.0.1/a".to_owned()));
        assert_eq!(reply(&Json::Null), None);
        assert_eq!(reply(&json!({})), None);
    }

    #[test]
    fn what_a_host_prints_cannot_command_the_terminal() {
        let result = ShellResult {
            code: Some(2),
            stdout: "one\n\u{1b}[2Jtwo\n".to_owned(),
            stderr: "oh\nno".to_owned(),
            error: None,
        };
        assert_eq!(
            shell("host.a", &result, &Style::PLAIN),
            "# host.a: exit code 2\none\n\\u{1b}[2Jtwo\nstderr: oh\nstderr: no"
        );
        let away = ShellResult { error: Some("no route".to_owned()), ..ShellResult::default() };
        assert_eq!(shell("host.b", &away, &Style::PLAIN), "# host.b: not run: no route");
    }
}
