//! Errors of the emulated API. In: a code and what happened. Out: the JSON envelope of section 1.5
//! of the reference. Must not know HTTP or resources.

use serde_json::{Map, Value, json};

/// An error as the server reports it. The client must look at `code`; texts are localised in
/// reality.
#[derive(Debug, Clone, PartialEq)]
pub struct ApiError {
    pub code: &'static str,
    pub details: String,
    pub cause: Option<Box<ApiError>>,
    /// A code that comes from outside (a fault rule), in place of `code`.
    pub given_code: Option<String>,
}

impl ApiError {
    pub fn new(code: &'static str, details: impl Into<String>) -> Self {
        ApiError { code, details: details.into(), cause: None, given_code: None }
    }

    /// SYS.1000: an unexpected exception.
    pub fn internal(details: impl Into<String>) -> Self {
        Self::new("SYS.1000", details)
    }

    /// SYS.1006: `operr(...)`, a state conflict or an agent's error.
    pub fn operation(details: impl Into<String>) -> Self {
        Self::new("SYS.1006", details)
    }

    /// SYS.1007: `argerr(...)` and the checks of @APIParam.
    pub fn argument(details: impl Into<String>) -> Self {
        Self::new("SYS.1007", details)
    }

    /// SYS.1003 as PortApiValidator words it.
    pub fn not_found(field: &str, uuid: &str, vo: &str) -> Self {
        Self::new(
            "SYS.1003",
            format!("invalid field[{field}], resource[uuid:{uuid}, type:{vo}] not found"),
        )
    }

    /// ID.1001: the session is unknown or has expired.
    pub fn session() -> Self {
        Self::new("ID.1001", "Session expired")
    }

    /// An error whose code a fault rule chose.
    pub fn given(code: &str, details: &str) -> Self {
        ApiError {
            code: "SYS.1006",
            details: details.to_owned(),
            cause: None,
            given_code: Some(code.to_owned()),
        }
    }

    /// The same error as the cause of another.
    pub fn within(self, code: &'static str, details: impl Into<String>) -> Self {
        ApiError { code, details: details.into(), cause: Some(Box::new(self)), given_code: None }
    }

    /// The members of `error`; null members are left out, `details` is cut to 4096 characters.
    pub fn to_json(&self) -> Value {
        let code = self.given_code.as_deref().unwrap_or(self.code);
        let mut error = Map::new();
        error.insert("code".into(), json!(code));
        error.insert("description".into(), json!(description(code)));
        error.insert("details".into(), json!(self.details.chars().take(4096).collect::<String>()));
        if let Some(cause) = &self.cause {
            error.insert("cause".into(), cause.to_json());
        }
        Value::Object(error)
    }

    /// The whole reply body.
    pub fn body(&self) -> String {
        json!({ "error": self.to_json() }).to_string()
    }
}

/// From `conf/errorCodes/*.xml` of the server.
fn description(code: &str) -> &'static str {
    match code {
        "SYS.1001" => "A message or a operation timeout",
        "SYS.1002" => "Unable to create a resource",
        "SYS.1003" => "A resource can not be found",
        "SYS.1004" => "Unable to delete a resource",
        "SYS.1005" => "Unable to change resource state",
        "SYS.1006" => "An operation failed",
        "SYS.1007" => "One or more API argument is invalid",
        "SYS.1010" => "Management server is not ready to serve",
        "SYS.1014" => "A feature is not implemented",
        "ID.1000" => "Unable to authenticate a user",
        "ID.1001" => {
            "The session is invalid, either wrong session id or the session has been expired"
        }
        "ID.1002" => "The operation is denied",
        "HOST.1001" => "Host failed to change state to maintenance mode",
        "HOST.1002" => "Failed to reconnect host",
        "HOST.1003" => "An error happened when connecting to host",
        "HOST.1010" => "The host is disconnected",
        "PS.1001" => "Failed to attach primary storage",
        "PS.1002" => "Failed to detach primary storage",
        "PS.1003" => "The primary storage is disconnected",
        "BS.1001" => "Failed to attach backup storage",
        "BS.1002" => "Failed to detach backup storage",
        "BS.1500" => "Unable to connect a backup storage",
        "TAG.1000" => "Duplicated tag.",
        _ => "An internal error happened in system",
    }
}
