//! From a request to an API message. In: query string or body, and the API's parameters. Out: the
//! message's members, checked as `TypeVerifier` and `APIMessage.validate` do. Must not know what
//! the API does.

use serde_json::{Map, Number, Value};

use super::dispatch::{Api, Body, Param};
use super::errors::ApiError;

/// A framework reply with status 400 or 500 and plain text.
pub type Refusal = (u16, String);

/// The members of a message, and what the request held that no API of this name knows.
#[derive(Debug, Default, PartialEq)]
pub struct Message {
    pub values: Map<String, Value>,
    pub unknown: Vec<String>,
}

/// Decodes `a=1&b=%20` into pairs, `+` being a space (as the servlet does).
pub fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|part| !part.is_empty())
        .map(|part| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (decode(name, true), decode(value, true))
        })
        .collect()
}

/// Percent-decodes; a broken escape stays as it is.
pub fn decode(text: &str, plus_is_space: bool) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let escaped = bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok());
        match (bytes[at], escaped.and_then(|hex| u8::from_str_radix(hex, 16).ok())) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) if plus_is_space => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// Members that every message has: tags may also stand within the wrapper.
const COMMON: [&str; 2] = ["systemTags", "userTags"];

/// Takes the parameters of a POST or PUT from the member named by the API's wrapper.
pub fn from_body(api: &Api, body: &Body) -> Result<Message, Refusal> {
    let members = match body {
        Body::Malformed(text) => return Err((500, text.clone())),
        Body::Empty => return Ok(Message::default()),
        Body::Object(members) => members,
    };
    let wrapper = api.wrapper.as_deref().unwrap_or("");
    let mut message = Message::default();
    for name in members.keys() {
        if name != wrapper
            && !COMMON.contains(&name.as_str())
            && !(wrapper.is_empty() && name == "params")
        {
            message.unknown.push(name.clone());
        }
    }
    let Some(Value::Object(given)) = members.get(wrapper) else { return Ok(message) };
    for (name, value) in given {
        match api.params.iter().find(|p| p.name == *name) {
            _ if value.is_null() => {}
            Some(param) => {
                message.values.insert(name.clone(), typed(param, value)?);
            }
            None if COMMON.contains(&name.as_str()) => {
                message.values.insert(name.clone(), value.clone());
            }
            None => message.unknown.push(format!("{wrapper}.{name}")),
        }
    }
    Ok(message)
}

/// Takes the parameters of a GET or DELETE from the query string: lists by repetition or index.
pub fn from_query(api: &Api, pairs: &[(String, String)]) -> Result<Message, Refusal> {
    let mut message = Message::default();
    for (name, text) in pairs {
        let (stem, key) = name.split_once('.').map_or((name.as_str(), None), |(s, k)| (s, Some(k)));
        let Some(param) = api.params.iter().find(|p| p.name == stem) else {
            message.unknown.push(name.clone());
            continue;
        };
        match (param.kind.as_str(), key) {
            ("[String]" | "Set", _) => {
                let list = message.values.entry(stem).or_insert_with(|| Value::Array(Vec::new()));
                if let Value::Array(items) = list {
                    items.push(Value::String(text.clone()));
                }
            }
            ("Map", Some(key)) => {
                let map = message.values.entry(stem).or_insert_with(|| Value::Object(Map::new()));
                if let Value::Object(members) = map {
                    members.insert(key.to_owned(), Value::String(text.clone()));
                }
            }
            _ if message.values.contains_key(stem) => {
                let text = format!(
                    "Invalid query parameter[{stem}], only one value is allowed for the parameter but multiple values found"
                );
                return Err((400, text));
            }
            _ => {
                let value =
                    scalar(param, text).ok_or_else(|| (500, format!("cannot read {stem}")))?;
                message.values.insert(stem.to_owned(), value);
            }
        }
    }
    Ok(message)
}

fn scalar(param: &Param, text: &str) -> Option<Value> {
    match param.kind.as_str() {
        "int" | "Integer" | "long" | "Long" => text.trim().parse::<i64>().ok().map(Value::from),
        "boolean" | "Boolean" => Some(Value::Bool(text.trim().eq_ignore_ascii_case("true"))),
        _ => Some(Value::String(text.to_owned())),
    }
}

/// `TypeVerifier`: integers and booleans are refused before the job; other shapes fail in Gson.
fn typed(param: &Param, value: &Value) -> Result<Value, Refusal> {
    let name = &param.name;
    match (param.kind.as_str(), value) {
        ("int" | "Integer" | "long" | "Long", _) => {
            integer(value).map(Value::from).ok_or_else(|| {
                let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
                (400, format!("[{name}] field is excepted an int or long, but was [{shown}]."))
            })
        }
        ("boolean" | "Boolean", Value::Bool(_)) => Ok(value.clone()),
        ("boolean" | "Boolean", Value::String(text))
            if matches!(text.as_str(), "true" | "false") =>
        {
            Ok(Value::Bool(text == "true"))
        }
        ("boolean" | "Boolean", _) => {
            Err((400, format!("Invalid value for boolean field [{name}]")))
        }
        ("[String]" | "Set", Value::Array(_)) | ("Map", Value::Object(_)) => Ok(value.clone()),
        ("[String]" | "Set", _) => Err((500, format!("Expected BEGIN_ARRAY at path $.{name}"))),
        ("Map", _) => Err((500, format!("Expected BEGIN_OBJECT at path $.{name}"))),
        (_, Value::String(_)) => Ok(value.clone()),
        (_, Value::Number(number)) => Ok(Value::String(number.to_string())),
        (_, Value::Bool(yes)) => Ok(Value::String(yes.to_string())),
        (_, _) => Err((500, format!("Expected a string at path $.{name}"))),
    }
}

/// `3260`, `3260.0` and `"3260"` are integers (TypeVerifierCase).
fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => whole(number),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn whole(number: &Number) -> Option<i64> {
    number.as_i64().or_else(|| {
        number.as_f64().filter(|f| f.fract() == 0.0 && f.abs() < 9.0e15).map(|f| f as i64)
    })
}

/// `APIMessage.validate` over the members, in the order of the table (the real order is that of a
/// hash map): trims strings, fills defaults, then checks.
pub fn validate(api: &Api, values: &mut Map<String, Value>) -> Result<(), ApiError> {
    for param in &api.params {
        if !values.contains_key(&param.name)
            && let Some(value) = param.default.as_deref().and_then(|text| default(param, text))
        {
            values.insert(param.name.clone(), value);
        }
        match values.get_mut(&param.name) {
            None if param.required => {
                return Err(ApiError::argument(format!(
                    "field[{}] of message[{}] is mandatory, can not be null",
                    param.name,
                    api.java_class()
                )));
            }
            None => {}
            Some(value) => {
                if let Value::String(text) = value {
                    // noTrim is set on no parameter of the table that the sources show.
                    *text = text.trim().to_owned();
                }
                check(api, param, value)?;
            }
        }
    }
    Ok(())
}

fn default(param: &Param, text: &str) -> Option<Value> {
    let text = text.trim_end_matches('L');
    scalar(param, text)
}

fn check(api: &Api, param: &Param, value: &Value) -> Result<(), ApiError> {
    let name = &param.name;
    if let (Some(most), Value::String(text)) = (param.max_length, value) {
        // Java counts UTF-16 units.
        let length = text.encode_utf16().count();
        if length > most {
            return Err(ApiError::argument(format!(
                "field[{name}] of message[{}] exceeds max length of string. expected was <= {most}, actual was {length}",
                api.java_class()
            )));
        }
    }
    if !param.values.is_empty() {
        check_choice(api, param, value)?;
    }
    if let (true, Value::String(text)) = (param.regex_note, value)
        && !name_of_5_2(text)
    {
        return Err(ApiError::argument(format!(
            "valid regex value for field[{name}] of message[{}] are ^(?! )[\\u4e00-\\u9fa5a-zA-Z0-9\\-_.():+\\s]*$, but {text} found",
            api.java_class()
        )));
    }
    if let Value::Array(items) = value {
        if param.nonempty && items.is_empty() {
            return Err(ApiError::argument(format!("field[{name}] must be a nonempty list")));
        }
        if items.iter().any(Value::is_null) {
            return Err(ApiError::argument(format!("field[{name}] cannot contain a NULL element")));
        }
    }
    if let (Some((low, high)), Some(number)) = (param.range, value.as_i64())
        && !(low..=high).contains(&number)
    {
        return Err(ApiError::argument(format!(
            "field[{name}] must be in range of [{low}, {high}]"
        )));
    }
    Ok(())
}

/// Choices are compared without regard to case (`APIMessage.validate`).
fn check_choice(api: &Api, param: &Param, value: &Value) -> Result<(), ApiError> {
    let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    if param.values.iter().any(|v| v.eq_ignore_ascii_case(&text)) {
        return Ok(());
    }
    let choices: Vec<String> = param.values.iter().map(|v| v.to_lowercase()).collect();
    Err(ApiError::argument(format!(
        "valid value for field[{}] of message[{}] are [{}], but {text} found",
        param.name,
        api.java_class(),
        choices.join(", ")
    )))
}

/// The zone names that 5.2 accepts: CJK, letters, digits, `-_.():+`, inner spaces.
fn name_of_5_2(text: &str) -> bool {
    let fits = |c: char| {
        c.is_ascii_alphanumeric()
            || "-_.():+ ".contains(c)
            || ('\u{4e00}'..='\u{9fa5}').contains(&c)
    };
    !text.starts_with(' ') && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::super::ServerVersion;
    use super::super::dispatch::{Routed, Routes};
    use super::*;
    use std::sync::Arc;

    fn api(method: &str, path: &str) -> Arc<Api> {
        let routes = Routes::load(ServerVersion::V3_0).expect("the built-in table parses");
        match routes.dispatch(method, path, &Body::Empty) {
            Routed::Api { api, .. } => api,
            Routed::Text(..) => panic!("no such API"),
        }
    }

    #[test]
    fn integers_may_be_written_as_doubles() {
        let add = api("POST", "/hosts/kvm");
        let body =
            |port: &str| Body::parse(format!(r#"{{"params":{{"sshPort":{port}}}}}"#).as_bytes());
        let message = from_body(&add, &body("3260.0")).expect("whole");
        assert_eq!(message.values["sshPort"], 3260);
        assert_eq!(from_body(&add, &body("1.2")).expect_err("fraction").0, 400);
    }

    #[test]
    fn unknown_members_are_noted_not_refused() {
        let add = api("POST", "/zones");
        let body = Body::parse(br#"{"params":{"name":"a","colour":1},"extra":{}}"#);
        let message = from_body(&add, &body).expect("read");
        assert_eq!(message.unknown, ["extra", "params.colour"]);
    }

    #[test]
    fn checks_speak_as_the_server_does() {
        let add = api("POST", "/zones");
        let mut values = Map::new();
        let missing = validate(&add, &mut values).expect_err("no name").details;
        assert_eq!(
            missing,
            "field[name] of message[org.zstack.header.zone.APICreateZoneMsg] is mandatory, can not be null"
        );
        values.insert("name".into(), Value::from("x".repeat(256)));
        assert!(
            validate(&add, &mut values).expect_err("long").details.contains("exceeds max length")
        );
        values.insert("name".into(), Value::from("  x "));
        validate(&add, &mut values).expect("fits");
        assert_eq!(values["name"], "x");
    }

    #[test]
    fn query_strings_decode_as_in_a_servlet() {
        assert_eq!(
            query_pairs("a=1+2&b=%2B%"),
            [("a".to_owned(), "1 2".to_owned()), ("b".to_owned(), "+%".to_owned())]
        );
        let capacity = api("GET", "/primary-storage/capacities");
        let pairs = query_pairs("zoneUuids=a&zoneUuids.1=b&all=true");
        let message = from_query(&capacity, &pairs).expect("read");
        assert_eq!(message.values["zoneUuids"], serde_json::json!(["a", "b"]));
        assert_eq!(from_query(&capacity, &query_pairs("all=1&all=2")).expect_err("twice").0, 400);
    }
}
