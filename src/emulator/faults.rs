//! Faults on demand. In: rules as text, and what a request is. Out: what is to go wrong with it.
//! Must not know how it is made to go wrong.

use std::str::FromStr;
use std::time::Duration;

/// A fault rule: comma-separated `key=value` pairs and flags, for example
/// `api=AddKVMHost,after=3,drop`, `path=/hosts*,status=503,body=<html>busy</html>` or
/// `name=web-*,job-error=SYS.1006:no route to host`.
///
/// Which requests (all given must fit; none given = all):
///
/// | key | meaning |
/// |---|---|
/// | `api=NAME` | the API that the request runs, `*` and `?` allowed: `api=Query*` |
/// | `path=GLOB` | the path after `/zstack/v1`: `path=/api-jobs/*` |
/// | `method=VERB` | the HTTP method |
/// | `name=GLOB` | the member `name` of the parameters |
/// | `after=N` | pass over the first N that fit |
/// | `times=N` | stop after N (default 1; 0 = never) |
/// | `probability=P` | each that fits with this probability (0 to 1; the same ones in each run) |
///
/// What happens (several may stand together):
///
/// | key | meaning |
/// |---|---|
/// | `drop` | do it, then close the connection without a reply |
/// | `drop-before` | close the connection without doing it |
/// | `truncate` | do it, send half of the reply, close |
/// | `hold` | do it, then never answer: whoever asked can be killed at this point |
/// | `hold-before` | neither do it nor answer |
/// | `status=CODE` | reply with this status instead of doing it |
/// | `after-effect` | with `status` or `exit`: do it first |
/// | `body=TEXT` | the body for `status`; takes the rest of the rule, commas and all |
/// | `latency=TIME` | wait first: `2s`, `150ms` |
/// | `job-error=CODE:TEXT` | accept, then the job fails so, nothing done |
/// | `job-hang` | accept, do nothing, the job never ends |
/// | `job-hang=after` | accept and do it, but the job never ends |
/// | `expire-session` | the session of the request expires first |
/// | `connect-fail` | adding a host or a storage: it cannot be connected, its row vanishes; reconnecting, attaching, entering Maintenance: the agent fails |
/// | `keep-uuid` | a create fails and leaves its uuid taken, though no query shows it |
/// | `duplicate` | the request arrives twice |
/// | `ignore-update` | accept, report success, change nothing |
/// | `ignore-validation-only` | a dry run is carried out, as by a server that does not know them |
/// | `exit` | the emulator's process exits at once |
#[derive(Debug, Clone, PartialEq)]
pub struct FaultRule {
    text: String,
    api: Option<String>,
    path: Option<String>,
    method: Option<String>,
    name: Option<String>,
    after: u64,
    times: u64,
    probability: f64,
    effects: Effects,
}

/// When a dropped connection closes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drop {
    BeforeEffect,
    AfterEffect,
}

/// When a request is held for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    BeforeEffect,
    AfterEffect,
}

/// How a job hangs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hang {
    BeforeEffect,
    AfterEffect,
}

/// What goes wrong with one request.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Effects {
    pub drop: Option<Drop>,
    pub truncate: bool,
    pub hold: Option<Hold>,
    pub status: Option<u16>,
    pub body: String,
    pub after_effect: bool,
    pub latency: Duration,
    pub job_error: Option<(String, String)>,
    pub job_hang: Option<Hang>,
    pub expire_session: bool,
    pub connect_fail: bool,
    pub keep_uuid: bool,
    pub duplicate: bool,
    pub ignore_update: bool,
    pub ignore_validation_only: bool,
    pub exit: bool,
}

impl Effects {
    fn join(&mut self, other: &Effects) {
        self.drop = self.drop.or(other.drop);
        self.truncate |= other.truncate;
        self.hold = self.hold.or(other.hold);
        if self.status.is_none() {
            (self.status, self.body) = (other.status, other.body.clone());
        }
        self.after_effect |= other.after_effect;
        self.latency += other.latency;
        self.job_error = self.job_error.take().or_else(|| other.job_error.clone());
        self.job_hang = self.job_hang.or(other.job_hang);
        self.expire_session |= other.expire_session;
        self.connect_fail |= other.connect_fail;
        self.keep_uuid |= other.keep_uuid;
        self.duplicate |= other.duplicate;
        self.ignore_update |= other.ignore_update;
        self.ignore_validation_only |= other.ignore_validation_only;
        self.exit |= other.exit;
    }
}

/// Why a rule is not one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("fault rule '{rule}': {reason}")]
pub struct FaultRuleError {
    rule: String,
    reason: String,
}

impl FromStr for FaultRule {
    type Err = FaultRuleError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mut rule = FaultRule {
            text: text.to_owned(),
            api: None,
            path: None,
            method: None,
            name: None,
            after: 0,
            times: 1,
            probability: 1.0,
            effects: Effects::default(),
        };
        let mut rest = text.trim();
        while !rest.is_empty() {
            if let Some(body) = rest.strip_prefix("body=") {
                rule.effects.body = body.to_owned();
                break;
            }
            let (part, tail) = rest.split_once(',').unwrap_or((rest, ""));
            let (key, value) =
                part.split_once('=').map_or((part, None), |(k, v)| (k, Some(v.trim())));
            rule.set(key.trim(), value)
                .map_err(|reason| FaultRuleError { rule: text.to_owned(), reason })?;
            rest = tail.trim_start();
        }
        if rule.effects == Effects::default() {
            let reason = "it has no effect; add one, for example 'drop' or 'status=503'".to_owned();
            return Err(FaultRuleError { rule: text.to_owned(), reason });
        }
        Ok(rule)
    }
}

impl FaultRule {
    fn set(&mut self, key: &str, value: Option<&str>) -> Result<(), String> {
        let effects = &mut self.effects;
        match (key, value) {
            ("api", Some(v)) => self.api = Some(v.to_owned()),
            ("path", Some(v)) => self.path = Some(v.to_owned()),
            ("method", Some(v)) => self.method = Some(v.to_owned()),
            ("name", Some(v)) => self.name = Some(v.to_owned()),
            ("after", Some(v)) => self.after = number(key, v)?,
            ("times", Some(v)) => self.times = number(key, v)?,
            ("probability", Some(v)) => self.probability = number(key, v)?,
            ("status", Some(v)) => effects.status = Some(number(key, v)?),
            ("latency", Some(v)) => effects.latency = duration(v)?,
            ("job-error", Some(v)) => {
                let (code, text) = v.split_once(':').unwrap_or((v, "a fault was asked for"));
                effects.job_error = Some((code.to_owned(), text.to_owned()));
            }
            ("job-hang", Some("after")) => effects.job_hang = Some(Hang::AfterEffect),
            ("job-hang", None) => effects.job_hang = Some(Hang::BeforeEffect),
            ("drop", None) => effects.drop = Some(Drop::AfterEffect),
            ("drop-before", None) => effects.drop = Some(Drop::BeforeEffect),
            ("truncate", None) => effects.truncate = true,
            ("hold", None) => effects.hold = Some(Hold::AfterEffect),
            ("hold-before", None) => effects.hold = Some(Hold::BeforeEffect),
            ("after-effect", None) => effects.after_effect = true,
            ("expire-session", None) => effects.expire_session = true,
            ("connect-fail", None) => effects.connect_fail = true,
            ("keep-uuid", None) => effects.keep_uuid = true,
            ("duplicate", None) => effects.duplicate = true,
            ("ignore-update", None) => effects.ignore_update = true,
            ("ignore-validation-only", None) => effects.ignore_validation_only = true,
            ("exit", None) => effects.exit = true,
            (key, Some(value)) => return Err(format!("'{key}={value}' is not known")),
            (key, None) => return Err(format!("'{key}' is not known, or lacks its '=value'")),
        }
        Ok(())
    }

    fn fits(&self, facts: &Facts<'_>) -> bool {
        let fits = |pattern: &Option<String>, text: Option<&str>| match pattern {
            None => true,
            Some(pattern) => text.is_some_and(|text| glob(pattern, text)),
        };
        fits(&self.api, facts.api)
            && fits(&self.path, Some(facts.path))
            && fits(&self.method, Some(facts.method))
            && fits(&self.name, facts.name)
    }
}

fn number<T: FromStr>(key: &str, value: &str) -> Result<T, String> {
    value.parse().map_err(|_| format!("'{key}={value}' is not a number"))
}

/// `2s`, `150ms`.
pub fn duration(text: &str) -> Result<Duration, String> {
    let (digits, scale) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(digits), _) => (digits, 0.001),
        (None, Some(digits)) => (digits, 1.0),
        (None, None) => return Err(format!("'{text}' is not a time such as 2s or 150ms")),
    };
    let number: f64 = digits.trim().parse().map_err(|_| format!("'{text}' is not a time"))?;
    Duration::try_from_secs_f64(number * scale).map_err(|_| format!("'{text}' is not a time"))
}

/// `*` any run, `?` one character.
pub fn glob(pattern: &str, text: &str) -> bool {
    let escaped: String = pattern
        .chars()
        .map(|c| match c {
            '*' => '%',
            '?' => '_',
            // Keeps the characters that are special to `like` literal, in pattern and text alike.
            '%' => '\u{1}',
            '_' => '\u{2}',
            c => c,
        })
        .collect();
    super::query::like(&escaped, &text.replace('%', "\u{1}").replace('_', "\u{2}"))
}

/// What a rule may look at.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    pub api: Option<&'a str>,
    pub path: &'a str,
    pub method: &'a str,
    pub name: Option<&'a str>,
}

/// The rules in force and how often each has fitted.
#[derive(Debug, Default)]
pub struct Faults {
    rules: Vec<(FaultRule, u64, u64)>,
}

impl Faults {
    pub fn new(rules: Vec<FaultRule>) -> Self {
        Faults { rules: rules.into_iter().map(|rule| (rule, 0, 0)).collect() }
    }

    /// What goes wrong with this request. Counts it.
    pub fn decide(&mut self, facts: &Facts<'_>) -> Effects {
        let mut effects = Effects::default();
        for (rule, seen, struck) in &mut self.rules {
            if !rule.fits(facts) {
                continue;
            }
            *seen += 1;
            let spent = rule.times != 0 && *struck >= rule.times;
            if *seen <= rule.after || spent || chance(*seen) >= rule.probability {
                continue;
            }
            *struck += 1;
            effects.join(&rule.effects);
        }
        effects
    }

    /// The rules with the number of times each has struck.
    pub fn list(&self) -> Vec<(&str, u64)> {
        self.rules.iter().map(|(rule, _, struck)| (rule.text.as_str(), *struck)).collect()
    }
}

/// A number in [0, 1) from a count (splitmix64): the same in each run.
fn chance(count: u64) -> f64 {
    let mut x = count.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    ((x ^ (x >> 31)) >> 11) as f64 / (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts<'a>(api: &'a str, path: &'a str) -> Facts<'a> {
        Facts { api: Some(api), path, method: "POST", name: Some("web-1") }
    }

    #[test]
    fn rules_fit_count_and_stop() {
        let rule = "api=Add*, after=1, times=2, drop, latency=20ms".parse().expect("a rule");
        let mut faults = Faults::new(vec![rule]);
        let drops: Vec<bool> = (0..5)
            .map(|_| faults.decide(&facts("AddKVMHost", "/hosts/kvm")).drop.is_some())
            .collect();
        assert_eq!(drops, [false, true, true, false, false]);
        assert_eq!(faults.decide(&facts("QueryHost", "/hosts")), Effects::default());
        assert_eq!(faults.list()[0].1, 2);
    }

    #[test]
    fn a_body_may_hold_commas() {
        let rule: FaultRule = "path=/hosts*,status=503,body=<p>a,b</p>".parse().expect("a rule");
        let mut faults = Faults::new(vec![rule]);
        let effects = faults.decide(&facts("AddKVMHost", "/hosts/kvm"));
        assert_eq!((effects.status, effects.body.as_str()), (Some(503), "<p>a,b</p>"));
    }

    #[test]
    fn mistakes_are_named() {
        let error = |text: &str| text.parse::<FaultRule>().expect_err("a mistake").to_string();
        assert!(error("api=X").contains("no effect"));
        assert!(error("api=X,dorp").contains("'dorp' is not known"));
        assert!(error("drop,after=x").contains("not a number"));
        assert!(error("latency=2").contains("not a time"));
    }

    #[test]
    fn globs() {
        assert!(glob("/hosts*", "/hosts/kvm") && glob("a_?", "a_b") && !glob("a_", "ab"));
        assert!(!glob("web-*", "db-1"));
    }
}
