//! What was asked of the emulator and what was wrong about it. In: each request and each violation.
//! Out: bounded lists for the control endpoints, secrets masked. Must not know what requests do.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

/// How many requests are kept.
const KEPT: usize = 100_000;

/// One request.
#[derive(Debug, Clone)]
pub struct Entry {
    pub seq: u64,
    pub method: String,
    pub path: String,
    pub query: String,
    pub body: Value,
    pub api: Option<String>,
    pub job: Option<String>,
    /// 0 if no reply was sent.
    pub status: u16,
}

/// The requests since the last reset.
#[derive(Debug, Default)]
pub struct Requests {
    entries: VecDeque<Entry>,
    counts: BTreeMap<String, u64>,
    total: u64,
    violations: Vec<Value>,
}

impl Requests {
    /// Keeps a request; its body is masked here.
    pub fn record(&mut self, mut entry: Entry) {
        mask(&mut entry.body);
        self.total += 1;
        let name =
            entry.api.clone().unwrap_or_else(|| format!("{} {}", entry.method, stem(&entry.path)));
        *self.counts.entry(name).or_default() += 1;
        if self.entries.len() == KEPT {
            self.entries.pop_front();
        }
        self.entries.push_back(entry);
    }

    /// Notes something that a correct client never does.
    pub fn violation(&mut self, method: &str, path: &str, text: String) {
        if self.violations.len() < KEPT {
            self.violations.push(json!({ "method": method, "path": path, "violation": text }));
        }
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        *self = Requests::default();
    }

    /// `{"total", "counts": {API: n}, "requests": […]}`.
    pub fn to_json(&self) -> Value {
        let entries: Vec<Value> = self
            .entries
            .iter()
            .map(|e| {
                json!({ "seq": e.seq, "method": e.method, "path": e.path, "query": e.query,
                        "body": e.body, "api": e.api, "job": e.job, "status": e.status })
            })
            .collect();
        json!({ "total": self.total, "counts": self.counts, "requests": entries })
    }

    pub fn violations(&self) -> Value {
        Value::Array(self.violations.clone())
    }
}

/// A path without its ids, so that counts add up.
fn stem(path: &str) -> String {
    let is_id = |part: &&str| part.len() == 32 && part.bytes().all(|b| b.is_ascii_hexdigit());
    path.split('/').map(|part| if is_id(&part) { "{}" } else { part }).collect::<Vec<_>>().join("/")
}

/// Replaces secrets at any depth.
pub fn mask(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(mask),
        Value::Object(members) => {
            for (name, value) in members {
                let name = name.to_lowercase();
                let secret =
                    ["password", "secret", "verifycode"].iter().any(|word| name.contains(word));
                if secret && !value.is_null() {
                    *value = json!("***");
                } else if name == "monurls" {
                    mask_urls(value);
                } else {
                    mask(value);
                }
            }
        }
        _ => {}
    }
}

/// `user:pass@host` → `user:***@host`.
fn mask_urls(value: &mut Value) {
    for item in value.as_array_mut().into_iter().flatten() {
        if let Value::String(url) = item
            && let Some((login, host)) = url.rsplit_once('@')
        {
            let user = login.split(':').next().unwrap_or_default();
            *url = format!("{user}:***@{host}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked_at_any_depth() {
        let mut body = json!({ "params": { "password": "p", "chapUserPassword": "p", "monUrls": ["root:p:q@10.0.0.1/?monPort=1"], "name": "n" } });
        mask(&mut body);
        assert_eq!(
            body,
            json!({ "params": { "password": "***", "chapUserPassword": "***", "monUrls": ["root:***@10.0.0.1/?monPort=1"], "name": "n" } })
        );
    }
}
