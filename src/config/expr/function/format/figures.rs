//! Digits of numbers as Go writes them.
//!
//! In: numbers without a sign, a verb. Out: digits. Knows nothing of widths and values.

use crate::value::Value;

/// A whole number; beyond 64 bits too, as far as 128 bits go.
pub fn whole(number: &Value) -> Option<i128> {
    #[allow(clippy::cast_possible_truncation)] // guarded: whole and within ±10^38
    match number {
        Value::Int(n) => Some(i128::from(*n)),
        Value::Float(n) if n.fract() == 0.0 && n.abs() < 1e38 => Some(*n as i128),
        _ => None,
    }
}

pub fn sign(negative: bool, plus: bool, blank: bool) -> &'static str {
    match (negative, plus, blank) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        (false, false, false) => "",
    }
}

/// `%b`, `%d`, `%o`, `%x`, `%X`; with their mark where `marked`.
pub fn integer(number: u128, letter: char, marked: bool) -> String {
    match (letter, marked) {
        ('b', false) => format!("{number:b}"),
        ('b', true) => format!("{number:#b}"),
        ('o', false) => format!("{number:o}"),
        ('o', true) => format!("0{number:o}"),
        ('x', false) => format!("{number:x}"),
        ('x', true) => format!("{number:#x}"),
        ('X', false) => format!("{number:X}"),
        ('X', true) => format!("0X{number:X}"),
        _ => number.to_string(),
    }
}

/// `%e`, `%f`, `%g` and their capitals. Without a precision `%g` has as many digits as the number
/// needs, the others six.
pub fn decimal(number: f64, letter: char, precision: Option<usize>) -> String {
    let text = match letter.to_ascii_lowercase() {
        'e' => exponential(&format!("{number:.*e}", precision.unwrap_or(6))),
        'f' => format!("{number:.*}", precision.unwrap_or(6)),
        _ => general(number, precision),
    };
    if letter.is_ascii_uppercase() { text.to_ascii_uppercase() } else { text }
}

/// `1e3` → `1e+03`.
fn exponential(text: &str) -> String {
    let (digits, exponent) = text.split_once('e').unwrap_or((text, "0"));
    match exponent.strip_prefix('-') {
        Some(exponent) => format!("{digits}e-{exponent:0>2}"),
        None => format!("{digits}e+{exponent:0>2}"),
    }
}

/// Exponents below -4 and from the precision on (six where there is none) are written as such.
fn general(number: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(digits) => format!("{number:.*e}", digits.max(1) - 1),
        None => format!("{number:e}"),
    };
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i64 = exponent.parse().unwrap_or(0);
    let digits = match digits.split_once('.') {
        Some(_) => digits.trim_end_matches('0').trim_end_matches('.'),
        None => digits,
    };
    let count = i64::try_from(digits.len().saturating_sub(1).max(1)).unwrap_or(i64::MAX);
    let limit = match precision.map(|p| i64::try_from(p.max(1)).unwrap_or(i64::MAX)) {
        Some(limit) if limit > count && count > exponent => count,
        Some(limit) => limit,
        None => 6,
    };
    if exponent < -4 || exponent >= limit {
        return exponential(&format!("{digits}e{exponent}"));
    }
    let decimals = usize::try_from((count - 1 - exponent).max(0)).unwrap_or(0);
    format!("{number:.decimals$}")
}
