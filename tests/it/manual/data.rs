//! The files of `tests/data/manual/`. In: TOML. Out: examples. The format is described in the
//! README.md there; unknown members are errors.

use rackform::emulator::ServerVersion;
use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    example: Vec<Example>,
}

/// One section of the manual.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Example {
    pub section: String,
    pub api: String,
    /// `METHOD /path` as the section lists them.
    pub urls: Vec<String>,
    /// Why they are not those of the API.
    pub url_correction: Option<String>,
    pub request: Vec<Request>,
    pub response: Option<Response>,
}

/// A request example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// The kind of example it was taken from.
    pub from: Source,
    /// The only version that it is sent to.
    pub only: Option<String>,
    /// Objects that the answer shows and the request does not name.
    #[serde(default)]
    pub needs: Vec<String>,
    /// `METHOD /path`, with `{object}` for ids.
    pub send: String,
    pub body: Option<String>,
    /// What the manual prints instead.
    pub printed: Option<String>,
    pub printed_body: Option<String>,
    pub correction: Option<String>,
    /// What was supplied that the text does not have.
    pub note: Option<String>,
}

/// Where in a section a request stands.
#[derive(Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The table of the body, sent to the section's URL.
    Body,
    Curl,
    /// Chapter 3 has no curl examples.
    Text,
}

/// A response example.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Response {
    /// As printed.
    pub shows: String,
    /// What was wrong with the text, not with what it says.
    pub mended: Option<String>,
    /// What is right instead, and why.
    pub means: Option<String>,
    pub correction: Option<String>,
    #[serde(default)]
    pub absent: Vec<Absent>,
}

/// A member that the example shows and the answer to its request does not have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Absent {
    pub member: String,
    pub reason: String,
}

/// Reads a file and checks what the types do not say.
pub fn read(text: &str) -> Result<Vec<Example>, String> {
    let file: File = toml::from_str(text).map_err(|e| e.to_string())?;
    for example in &file.example {
        example.check().map_err(|what| format!("{}: {what}", example.section))?;
    }
    Ok(file.example)
}

impl Example {
    fn check(&self) -> Result<(), String> {
        if self.request.is_empty() {
            return Err("no request".to_string());
        }
        for request in &self.request {
            if request.printed.is_some() != request.correction.is_some() {
                return Err(format!("{}: printed and correction go together", request.send));
            }
            if request.printed.as_ref() == Some(&request.send)
                && request.printed_body == request.body
            {
                return Err(format!("{}: nothing is corrected", request.send));
            }
            if request.only.as_deref().is_some_and(|only| !["3.0", "5.2"].contains(&only)) {
                return Err(format!("{}: no such version", request.send));
            }
        }
        let reasons = self.request.iter().flat_map(|r| [&r.correction, &r.note]);
        let response = self.response.iter();
        let reasons = reasons
            .chain(response.clone().flat_map(|r| [&r.mended, &r.correction]))
            .chain([&self.url_correction])
            .flatten();
        let absent = response.clone().flat_map(|r| r.absent.iter().map(|a| &a.reason));
        if reasons.chain(absent).any(|reason| reason.trim().is_empty()) {
            return Err("an empty reason".to_string());
        }
        for response in response {
            if response.means.is_some() != response.correction.is_some() {
                return Err("means and correction go together".to_string());
            }
            for text in [Some(&response.shows), response.means.as_ref()].into_iter().flatten() {
                serde_json::from_str::<Value>(text).map_err(|e| format!("response: {e}"))?;
            }
        }
        Ok(())
    }
}

impl Request {
    /// Whether it is sent to this version.
    pub fn is_for(&self, version: ServerVersion) -> bool {
        match self.only.as_deref() {
            Some("3.0") => version == ServerVersion::V3_0,
            Some(_) => version == ServerVersion::V5_2,
            None => true,
        }
    }
}

impl Response {
    /// What the answer is to have.
    pub fn example(&self) -> Value {
        let text = self.means.as_ref().unwrap_or(&self.shows);
        serde_json::from_str(text).expect("checked when read")
    }
}
