//! `[provider.NAME]` → [`Settings`]: what a connection needs, checked.
//!
//! In: evaluated settings of the configuration, which knows their names. Out: typed settings, or a
//! [`ProviderError`] that names the setting. Reads `ca_file`; opens no connection.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::{Fault, KINDS, connection::Timing};
use crate::http;
use crate::value::Value;

/// A provider configuration. Holds a password: neither `Debug` nor `Serialize`.
#[derive(Clone)]
pub struct Settings {
    /// `NAME` of `[provider.NAME]`.
    pub name: Arc<str>,
    /// Which dialect it speaks.
    pub kind: Arc<str>,
    pub account: Arc<str>,
    pub password: Arc<str>,
    pub http: http::Settings,
    /// Whether the configuration said how many calls may run at once.
    pub calls_at_once_given: bool,
    pub timing: Timing,
}

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("provider.{name} has no `{setting}`")]
    Missing { name: Arc<str>, setting: &'static str },
    #[error("provider.{name}.{setting} must be {expected}")]
    Wrong { name: Arc<str>, setting: Arc<str>, expected: &'static str },
    #[error("provider.{name} has the type `{kind}`, which does not exist; there is: {}", KINDS.join(", "))]
    Kind { name: Arc<str>, kind: Arc<str> },
    #[error("provider.{name}: {path} cannot be read: {reason}")]
    CaFile { name: Arc<str>, path: String, reason: String },
    #[error("provider.{name}: {source}")]
    Open { name: Arc<str>, source: http::OpenError },
    /// The login failed.
    #[error("provider.{name}: {source}")]
    Login { name: Arc<str>, source: Box<Fault> },
}

impl ProviderError {
    /// What to do about it, where more can be said.
    pub fn help(&self) -> Option<&str> {
        match self {
            Self::Login { source, .. } => source.help.as_deref(),
            Self::Missing { setting: "password", .. } => {
                Some("set it from the environment: password = '${env(\"ZSTACK_PASSWORD\")}'")
            }
            Self::Missing { .. } => Some("set it in this table"),
            Self::CaFile { .. } => {
                Some("`ca_file` is relative to the directory of the configuration")
            }
            Self::Open { source, .. } => source.help(),
            Self::Wrong { .. } | Self::Kind { .. } => None,
        }
    }
}

impl Settings {
    /// Settings with defaults.
    pub fn new(name: &str, kind: &str, endpoint: &str, account: &str, password: &str) -> Self {
        Self {
            name: name.into(),
            kind: kind.into(),
            account: account.into(),
            password: password.into(),
            http: http::Settings::new(endpoint),
            calls_at_once_given: false,
            timing: Timing::default(),
        }
    }

    /// Settings from the configuration. `ca_file` is relative to `dir`; times are in seconds.
    ///
    /// # Errors
    /// The first [`ProviderError`] among the settings.
    pub fn from_values(
        name: &Arc<str>,
        kind: &Arc<str>,
        values: &BTreeMap<Arc<str>, Value>,
        dir: &Path,
    ) -> Result<Self, ProviderError> {
        let reader = Reader { name, values };
        if super::dialect(kind).is_none() {
            return Err(ProviderError::Kind { name: name.clone(), kind: kind.clone() });
        }
        let endpoint = reader.required("endpoint")?;
        let (account, password) = (reader.required("account")?, reader.required("password")?);
        let mut settings = Self::new(name, kind, &endpoint, &account, &password);
        settings.http.insecure_skip_verify = reader.flag("insecure_skip_verify")?;
        if let Some(file) = reader.text("ca_file")? {
            let path = dir.join(&*file);
            let pem = std::fs::read(&path).map_err(|e| ProviderError::CaFile {
                name: name.clone(),
                path: path.display().to_string(),
                reason: e.to_string(),
            })?;
            settings.http.ca_pem = Some(pem);
        }
        if let Some(seconds) = reader.positive("timeout")? {
            settings.http.timeout = Duration::from_secs(seconds);
        }
        if let Some(seconds) = reader.positive("connect_timeout")? {
            settings.http.connect_timeout = Duration::from_secs(seconds);
        }
        if let Some(calls) = reader.positive("calls_at_once")? {
            settings.calls_at_once_given = true;
            settings.http.calls_at_once = usize::try_from(calls).unwrap_or(1);
        }
        Ok(settings)
    }
}

struct Reader<'a> {
    name: &'a Arc<str>,
    values: &'a BTreeMap<Arc<str>, Value>,
}

impl Reader<'_> {
    fn get(&self, setting: &str) -> &Value {
        self.values.get(setting).map_or(&Value::Null, Value::reveal)
    }
    fn wrong(&self, setting: &str, expected: &'static str) -> ProviderError {
        ProviderError::Wrong { name: self.name.clone(), setting: setting.into(), expected }
    }
    fn text(&self, setting: &str) -> Result<Option<Arc<str>>, ProviderError> {
        match self.get(setting) {
            Value::Null => Ok(None),
            Value::Str(text) => Ok(Some(text.clone())),
            _ => Err(self.wrong(setting, "a string")),
        }
    }
    fn required(&self, setting: &'static str) -> Result<Arc<str>, ProviderError> {
        self.text(setting)?
            .filter(|t| !t.is_empty())
            .ok_or_else(|| ProviderError::Missing { name: self.name.clone(), setting })
    }
    fn flag(&self, setting: &str) -> Result<bool, ProviderError> {
        match self.get(setting) {
            Value::Null => Ok(false),
            Value::Bool(b) => Ok(*b),
            _ => Err(self.wrong(setting, "true or false")),
        }
    }
    fn positive(&self, setting: &str) -> Result<Option<u64>, ProviderError> {
        let fail = || self.wrong(setting, "a number from 1 to 86400");
        match self.get(setting) {
            Value::Null => Ok(None),
            Value::Int(n) => match u64::try_from(*n) {
                Ok(n @ 1..=86_400) => Ok(Some(n)),
                _ => Err(fail()),
            },
            _ => Err(fail()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(settings: &[(&str, Value)]) -> Result<Settings, String> {
        let values = settings.iter().map(|(k, v)| ((*k).into(), v.clone())).collect();
        Settings::from_values(&"zstack".into(), &"zstack".into(), &values, Path::new("/nowhere"))
            .map_err(|e| e.to_string())
    }

    #[test]
    fn settings_are_read_and_mistakes_named() {
        let good = [
            ("endpoint", "http://192.0.2.1:8080".into()),
            ("account", "admin".into()),
            ("password", Value::str("x").sensitive()),
        ];
        let settings = read(&good).unwrap_or_else(|e| panic!("{e}"));
        assert_eq!((&*settings.account, &*settings.password), ("admin", "x"));
        for (setting, value, message) in [
            ("timeout", Value::Int(0), "provider.zstack.timeout must be"),
            ("insecure_skip_verify", Value::Int(1), "must be true or false"),
            ("account", "".into(), "provider.zstack has no `account`"),
            ("ca_file", "missing.pem".into(), "/nowhere/missing.pem cannot be read"),
        ] {
            let mut all: Vec<_> = good.iter().filter(|(k, _)| *k != setting).cloned().collect();
            all.push((setting, value));
            let error = read(&all).err().unwrap_or_default();
            assert!(error.contains(message), "{setting}: {error}");
        }
    }
}
