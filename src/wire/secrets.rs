//! Secrets in replies and messages: found by name or form, and removed.
//!
//! In: JSON or text as a server sent it. Out: the same without secrets. Servers return some
//! passwords in clear (Ceph monitors and CHAP, reference 2c) and repeat others in error texts.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::Value;

/// What stands where a secret stood.
const MASK: &str = "(sensitive)";

/// Parts of member names, in lower case, that mark a secret: `password`, `sshPassword`,
/// `chapUserPassword`, `AccessKeySecret`, `secretKey`.
const SECRET_NAMES: [&str; 3] = ["password", "passwd", "secret"];

/// Members whose texts are URLs that can hold `user:password@`: the `monUrls` of Ceph.
const URL_NAMES: [&str; 4] = ["url", "urls", "monurl", "monurls"];

/// Whether a member of this name holds a secret.
pub fn is_secret(name: &str) -> bool {
    // Names are short and ASCII; without an allocation this runs for every member of every row.
    let bytes = name.as_bytes();
    SECRET_NAMES
        .iter()
        .any(|s| bytes.windows(s.len()).any(|w| w.eq_ignore_ascii_case(s.as_bytes())))
}

/// Removes secret members at any depth, and passwords within URLs.
pub fn strip(json: &mut Value) {
    match json {
        Value::Object(members) => {
            members.retain(|name, _| !is_secret(name));
            for (name, member) in members.iter_mut() {
                if URL_NAMES.iter().any(|u| name.eq_ignore_ascii_case(u)) {
                    mask_urls(member);
                } else {
                    strip(member);
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

fn mask_urls(json: &mut Value) {
    match json {
        Value::String(text) => {
            if let Some(masked) = mask_text(text) {
                *text = masked;
            }
        }
        Value::Array(items) => items.iter_mut().for_each(mask_urls),
        other => strip(other),
    }
}

/// The text with every `user:password@` masked; `None` when there is none. A user name starts
/// after a blank, quote, comma, bracket or slash; the password reaches to the last `@` before the
/// next blank or quote, as the server reads it (reference 3.4, Ceph).
pub fn mask_text(text: &str) -> Option<String> {
    let mut out = String::new();
    let mut rest = text;
    let mut found = false;
    while !rest.is_empty() {
        let end = rest.find([' ', '\n', '\t', '"', '\'']).map_or(rest.len(), |at| at + 1);
        let (word, after) = rest.split_at(end);
        match user_password(word) {
            Some((from, to)) => {
                found = true;
                out.push_str(&word[..from]);
                out.push_str(MASK);
                out.push_str(&word[to..]);
            }
            None => out.push_str(word),
        }
        rest = after;
    }
    found.then_some(out)
}

/// Where the password lies in a word of the form `…user:password@host…`.
fn user_password(word: &str) -> Option<(usize, usize)> {
    let at = word.rfind('@')?;
    let before = &word[..at];
    let scheme = before.find("://").map_or(0, |i| i + 3);
    let colon = scheme + before[scheme..].find(':')?;
    (colon + 1 < at).then_some((colon + 1, at))
}

/// The secrets of a request body: texts under secret names, and passwords within URLs. Short ones
/// are left out: masking every `a` of a message would only garble it.
pub fn in_body(body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    collect(body, false, &mut found);
    found
}

fn collect(json: &Value, secret: bool, found: &mut Vec<String>) {
    const SHORT: usize = 3;
    match json {
        Value::Object(members) => {
            members.iter().for_each(|(name, m)| collect(m, secret || is_secret(name), found));
        }
        Value::Array(items) => items.iter().for_each(|i| collect(i, secret, found)),
        Value::String(text) if secret && text.len() > SHORT => found.push(text.clone()),
        Value::String(text) => {
            if let Some((from, to)) = user_password(text).filter(|(a, b)| b - a > SHORT) {
                found.push(text[from..to].to_owned());
            }
        }
        _ => {}
    }
}

/// The text without these secrets and without `user:password@` forms. Servers quote requests in
/// their errors, so that a secret can also stand there as JSON or percent-encoded.
pub fn mask(text: &str, secrets: &[String]) -> String {
    let forms = secrets.iter().flat_map(|secret| written(secret));
    let masked = forms.fold(text.to_owned(), |text, form| text.replace(&form, MASK));
    mask_text(&masked).unwrap_or(masked)
}

/// The ways in which a text can be written within another, those that hold others first.
fn written(secret: &str) -> Vec<String> {
    let json = serde_json::Value::from(secret).to_string();
    let json = json[1..json.len() - 1].to_owned(); // its quotes
    let ascii = json.chars().map(|c| match c {
        ' '..='~' => c.to_string(),
        c => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
    });
    let ascii: String = ascii.collect();
    let nested = serde_json::Value::from(json.as_str()).to_string();
    let percent = utf8_percent_encode(secret, NON_ALPHANUMERIC).to_string();
    let mut forms = vec![nested[1..nested.len() - 1].to_owned(), ascii, json, percent];
    forms.push(secret.to_owned());
    forms.dedup();
    forms
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secret_members_are_dropped_at_any_depth() {
        let mut reply = json!({"inventory": {"name": "a:b@c", "url": "nfs:/export",
            "mons": [{"hostname": "10.0.0.1", "sshPassword": "hunter2"}],
            "chapUserPassword": "hunter2", "monUrls": ["root:hun@ter2@10.0.0.1/?monPort=1"]}});
        strip(&mut reply);
        let expected = json!({"inventory": {"name": "a:b@c", "url": "nfs:/export",
            "mons": [{"hostname": "10.0.0.1"}],
            "monUrls": ["root:(sensitive)@10.0.0.1/?monPort=1"]}});
        assert_eq!(reply, expected);
    }

    #[test]
    fn quoted_secrets_are_masked_however_they_are_written() {
        let secret = "p@:/\"\\ü".to_owned();
        for quoted in ["p@:/\"\\ü", r#"p@:/\"\\ü"#, r#"p@:/\"\\\u00fc"#, "p%40%3A%2F%22%5C%C3%BC"]
        {
            let masked = mask(&format!("bad password {quoted}!"), std::slice::from_ref(&secret));
            assert_eq!(masked, "bad password (sensitive)!");
        }
    }

    #[test]
    fn error_texts_lose_passwords_and_keep_the_rest() {
        let text = "invalid monUrl[root:pa:ss@w@10.0.0.1:22/?monPort=1], see host 10.0.0.2:22";
        let masked = mask_text(text).expect("a password");
        assert_eq!(
            masked,
            "invalid monUrl[root:(sensitive)@10.0.0.1:22/?monPort=1], see host 10.0.0.2:22"
        );
        assert_eq!(mask_text("mail ops@example.com at 10:30"), None);
        assert_eq!(mask_text("https://example.com/a@b"), None);
    }

    #[test]
    fn what_was_sent_does_not_come_back_in_a_message() {
        let body = json!({"params": {"name": "kvm", "password": "hunter2",
            "monUrls": ["root:s3cret@10.0.0.1"]}});
        let masked = mask("login root/hunter2 failed, s3cret too", &in_body(&body));
        assert_eq!(masked, "login root/(sensitive) failed, (sensitive) too");
    }
}
