//! Encodings and digests, except CSV and YAML.
//!
//! In: texts and values. Out: texts and values. What cannot be decoded is refused with the place.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest, Sha256, Sha512};

use super::{Args, Function, Group, Outcome, json};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Encoding, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("base64decode", "text", base64_decode)
        .says("The text that is written in base64; it must be UTF-8.")
        .example(r#"base64decode("SGVsbG8gV29ybGQ=")"#, r#""Hello World""#),
    row("base64encode", "text", base64_encode)
        .says("The text (as UTF-8) in base64.")
        .example(r#"base64encode("Hello World")"#, r#""SGVsbG8gV29ybGQ=""#),
    row("base64sha256", "text", base64_sha256).says("The SHA-256 of a text in base64.").example(
        r#"base64sha256("hello world")"#,
        r#""uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=""#,
    ),
    row("jsondecode", "text", json_decode)
        .says("The value that a JSON text means.")
        .example(r#"jsondecode("{\"hello\": [1, true]}")"#, "{ hello = [1, true] }"),
    row("jsonencode", "value", json_encode)
        .says("A value as JSON.")
        .example(r#"jsonencode({ hello = "world" })"#, r#""{\"hello\":\"world\"}""#),
    row("sha256", "text", sha256).says("The SHA-256 of a text in hexadecimal digits.").example(
        r#"sha256("hello world")"#,
        r#""b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9""#,
    ),
    row("sha512", "text", sha512)
        .says("The SHA-512 of a text in hexadecimal digits.")
        .example(r#"substr(sha512("hello world"), 0, 8)"#, r#""309ecc48""#),
    row("urlencode", "text", url_encode)
        .says("The text as a part of the query of a URL.")
        .example(r#"urlencode("a b&c")"#, r#""a+b%26c""#),
];

fn base64_decode(args: Args<'_>) -> Outcome {
    let text: String = args.text(0)?.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
    let bytes = BASE64_STANDARD
        .decode(text)
        .map_err(|error| args.wrong(0, format!("this is not base64: {error}")))?;
    let text = String::from_utf8(bytes);
    text.map(|text| Value::str(&text)).map_err(|_| args.wrong(0, "what it means is not UTF-8"))
}

fn base64_encode(args: Args<'_>) -> Outcome {
    Ok(Value::str(&BASE64_STANDARD.encode(&*args.text(0)?)))
}

fn base64_sha256(args: Args<'_>) -> Outcome {
    Ok(Value::str(&BASE64_STANDARD.encode(Sha256::digest(&*args.text(0)?))))
}

fn json_decode(args: Args<'_>) -> Outcome {
    serde_json::from_str(&args.text(0)?)
        .map_err(|error| args.wrong(0, format!("this is not JSON: {error}")))
}

fn json_encode(args: Args<'_>) -> Outcome {
    json::text(args.value(0)).map(|text| Value::str(&text)).ok_or_else(|| args.too_long())
}

fn sha256(args: Args<'_>) -> Outcome {
    Ok(Value::str(&format!("{:x}", Sha256::digest(&*args.text(0)?))))
}

fn sha512(args: Args<'_>) -> Outcome {
    Ok(Value::str(&format!("{:x}", Sha512::digest(&*args.text(0)?))))
}

fn url_encode(args: Args<'_>) -> Outcome {
    /// What stands for itself, as in Terraform; a blank becomes `+`.
    const QUERY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');
    Ok(Value::str(&utf8_percent_encode(&args.text(0)?, QUERY).to_string().replace("%20", "+")))
}
