//! `format` and `formatlist`: verbs as in Terraform, which has Go's.
//!
//! In: a specification such as `%02d-%s` and values. Out: texts. A verb without a value, a value
//! without a verb and a value that a verb cannot take are mistakes, not part of the text.

mod figures;

use std::borrow::Cow;

use unicode_segmentation::UnicodeSegmentation as _;

use super::super::operator;
use super::args::plain_text;
use super::{Args, Function, Group, MAX_TEXT, Misuse, Outcome, json};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Text, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("format", "specification, values...", format)
        .says(
            "A text with values in the places of verbs: `%s` text, `%d` whole number, `%02d` with \
             leading zeros, `%x` hexadecimal, `%.2f` decimals, `%q` quoted, `%t` boolean, `%v` \
             anything, `%%` a per cent sign.",
        )
        .example(r#"format("kvm-%02d.%s", 7, "east")"#, r#""kvm-07.east""#),
    row("formatlist", "specification, values...", format_list)
        .says("The same for each element of lists of one length; other values are repeated.")
        .example(r#"formatlist("10.0.%d.1", [1, 2])"#, r#"["10.0.1.1", "10.0.2.1"]"#),
];

/// The greatest width and precision.
const WIDEST: usize = 10_000;

/// A piece of a specification.
enum Piece<'s> {
    Text(&'s str),
    Verb(Verb<'s>),
}

/// A width or precision.
#[derive(Clone, Copy)]
enum Size {
    Absent,
    Fixed(usize),
    /// `*`: the value with this index.
    Value(usize),
}

/// `%[2]-5d` and the like; `value` is the index of the value among the values.
struct Verb<'s> {
    source: &'s str,
    flags: Flags,
    width: Size,
    precision: Size,
    value: usize,
    letter: char,
}

#[derive(Clone, Copy, Default)]
struct Flags {
    /// `-`: blanks behind instead of before.
    left: bool,
    plus: bool,
    blank: bool,
    zeros: bool,
    sharp: bool,
}

fn format(args: Args<'_>) -> Outcome {
    let text = args.text(0)?;
    let (pieces, used) = pieces(args, &text)?;
    all_used(args, used)?;
    let values: Vec<&Value> = args.all()[1..].iter().collect();
    render(args, &pieces, &values).map(|text| Value::str(&text))
}

fn format_list(args: Args<'_>) -> Outcome {
    let text = args.text(0)?;
    let (pieces, used) = pieces(args, &text)?;
    all_used(args, used)?;
    let mut count = None;
    for at in 1..args.all().len() {
        let Value::List(items) = args.value(at) else { continue };
        match count {
            Some(known) if known != items.len() => {
                let found = items.len();
                return Err(args.wrong(at, format!("{found} elements; a list before has {known}")));
            }
            _ => count = Some(items.len()),
        }
    }
    let (mut out, mut length) = (Vec::new(), 0);
    for turn in 0..count.unwrap_or(1) {
        let values: Vec<&Value> = args.all()[1..].iter().map(|value| one(value, turn)).collect();
        let text = render(args, &pieces, &values)?;
        length += text.len();
        if length > MAX_TEXT {
            return Err(args.too_long());
        }
        out.push(Value::str(&text));
    }
    Ok(Value::list(out))
}

/// The element of a list for a turn; what is no list serves at every turn.
fn one(value: &Value, turn: usize) -> &Value {
    match value {
        Value::List(items) => items.get(turn).unwrap_or(value),
        other => other,
    }
}

fn all_used(args: Args<'_>, used: usize) -> Result<(), Misuse> {
    if used + 1 >= args.all().len() {
        return Ok(());
    }
    Err(args.wrong(used + 1, "the specification has no verb for this value"))
}

/// Takes a specification apart; also the number of values that it uses.
fn pieces<'s>(args: Args<'_>, text: &'s str) -> Result<(Vec<Piece<'s>>, usize), Misuse> {
    let (mut pieces, mut next, mut used) = (Vec::new(), 0, 0);
    let mut rest = text;
    while let Some(at) = rest.find('%') {
        pieces.push(Piece::Text(&rest[..at]));
        rest = &rest[at..];
        if let Some(after) = rest.strip_prefix("%%") {
            pieces.push(Piece::Text("%"));
            rest = after;
            continue;
        }
        let mut reader = Reader { rest: &rest[1..], next, used };
        let verb = reader.verb(rest).map_err(|problem| args.wrong(0, problem))?;
        (next, used, rest) = (reader.next, reader.used, reader.rest);
        pieces.push(Piece::Verb(verb));
    }
    pieces.push(Piece::Text(rest));
    Ok((pieces, used))
}

/// Reads one verb after its `%`.
struct Reader<'s> {
    rest: &'s str,
    /// The index of the value for the next verb.
    next: usize,
    /// One more than the highest index so far.
    used: usize,
}

impl<'s> Reader<'s> {
    fn verb(&mut self, from: &'s str) -> Result<Verb<'s>, String> {
        let mut flags = Flags::default();
        while let Some(letter @ ('-' | '+' | ' ' | '0' | '#')) = self.rest.chars().next() {
            let flag = match letter {
                '-' => &mut flags.left,
                '+' => &mut flags.plus,
                ' ' => &mut flags.blank,
                '0' => &mut flags.zeros,
                _ => &mut flags.sharp,
            };
            *flag = true;
            self.rest = &self.rest[1..];
        }
        self.index()?;
        let width = self.size()?;
        let precision = match self.rest.strip_prefix('.') {
            Some(rest) => {
                self.rest = rest;
                self.index()?;
                match self.size()? {
                    Size::Absent => Size::Fixed(0),
                    size => size,
                }
            }
            None => Size::Absent,
        };
        self.index()?;
        let letter = self.rest.chars().next().ok_or("the specification ends within a verb")?;
        self.rest = &self.rest[letter.len_utf8()..];
        let source = &from[..from.len() - self.rest.len()];
        if !"vtbdoxXeEfgGsq".contains(letter) {
            return Err(format!("there is no verb `{source}`; `%%` is a per cent sign"));
        }
        Ok(Verb { source, flags, width, precision, value: self.take(), letter })
    }

    fn take(&mut self) -> usize {
        let value = self.next;
        self.next += 1;
        self.used = self.used.max(self.next);
        value
    }

    /// `[2]`: the value to go on with, counted from 1.
    fn index(&mut self) -> Result<(), String> {
        let Some(rest) = self.rest.strip_prefix('[') else { return Ok(()) };
        let number = rest
            .split_once(']')
            .and_then(|(n, rest)| Some((n.parse::<usize>().ok()?.checked_sub(1)?, rest)));
        let wrong = "`[…]` in a verb is the number of a value, from 1";
        (self.next, self.rest) = number.filter(|(n, _)| *n < WIDEST).ok_or(wrong)?;
        Ok(())
    }

    fn size(&mut self) -> Result<Size, String> {
        if let Some(rest) = self.rest.strip_prefix('*') {
            self.rest = rest;
            return Ok(Size::Value(self.take()));
        }
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let (digits, rest) = self.rest.split_at(end);
        self.rest = rest;
        match digits.parse::<usize>() {
            _ if digits.is_empty() => Ok(Size::Absent),
            Ok(size) if size <= WIDEST => Ok(Size::Fixed(size)),
            _ => Err(format!("a width is at most {WIDEST}")),
        }
    }
}

fn render(args: Args<'_>, pieces: &[Piece<'_>], values: &[&Value]) -> Result<String, Misuse> {
    let mut out = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Verb(verb) => {
                let call = Call { args, values, verb };
                out.push_str(&call.padded(call.value(verb.value)?)?);
            }
        }
        if out.len() > MAX_TEXT {
            return Err(args.too_long());
        }
    }
    Ok(out)
}

/// One verb and the values it may take.
struct Call<'c> {
    args: Args<'c>,
    values: &'c [&'c Value],
    verb: &'c Verb<'c>,
}

impl<'c> Call<'c> {
    fn value(&self, at: usize) -> Result<&'c Value, Misuse> {
        self.values.get(at).copied().ok_or_else(|| {
            let given = self.values.len();
            let verb = self.verb.source;
            let problem = format!("`{verb}` needs value {}; {given} given", at + 1);
            self.args.wrong(0, problem)
        })
    }

    fn wrong(&self, label: impl Into<String>) -> Misuse {
        self.args.wrong(self.verb.value + 1, label)
    }

    fn unfit(&self, value: &Value, wanted: &str) -> Misuse {
        let (verb, kind) = (self.verb.source, value.kind_name());
        self.wrong(format!("`{verb}` needs {wanted}, this is {kind}"))
    }

    fn size(&self, size: Size) -> Result<Option<usize>, Misuse> {
        match size {
            Size::Absent => Ok(None),
            Size::Fixed(size) => Ok(Some(size)),
            Size::Value(at) => {
                let given = operator::number(self.value(at)?).and_then(|n| n.as_int());
                let size = given.and_then(|n| usize::try_from(n).ok()).filter(|n| *n <= WIDEST);
                let problem = format!("a width is a whole number from 0 to {WIDEST}");
                size.map(Some).ok_or_else(|| self.args.wrong(at + 1, problem))
            }
        }
    }

    /// The value as the verb wants it, in its width.
    fn padded(&self, value: &Value) -> Result<String, Misuse> {
        let width = self.size(self.verb.width)?.unwrap_or(0);
        let precision = self.size(self.verb.precision)?;
        let (sign, body) = self.parts(value, precision)?;
        // A text with as many bytes as its width could have fewer characters; without a width
        // nothing needs to be counted.
        let missing = match width {
            0 => 0,
            _ => width.saturating_sub(sign.len() + body.graphemes(true).count()),
        };
        let Flags { left, zeros, .. } = self.verb.flags;
        Ok(match (left, zeros) {
            (true, _) => format!("{sign}{body}{}", " ".repeat(missing)),
            (false, true) => format!("{sign}{}{body}", "0".repeat(missing)),
            (false, false) => format!("{}{sign}{body}", " ".repeat(missing)),
        })
    }

    /// Sign and text: zeros stand between them.
    fn parts(
        &self,
        value: &Value,
        precision: Option<usize>,
    ) -> Result<(&'static str, String), Misuse> {
        let flags = self.verb.flags;
        let letter = self.verb.letter;
        if letter == 'v' {
            return self.any(value, precision);
        }
        if value.is_null() {
            return Err(self.unfit(value, "a value"));
        }
        match letter {
            's' | 'q' => {
                let text = plain_text(value).ok_or_else(|| self.unfit(value, "text"))?;
                let text = match precision {
                    Some(count) => text.graphemes(true).take(count).collect(),
                    None => text,
                };
                Ok(("", if letter == 'q' { json::quoted(&text) } else { text }))
            }
            't' => {
                let yes = operator::boolean(value).map_err(|_| self.unfit(value, "a boolean"))?;
                Ok(("", yes.to_string()))
            }
            'b' | 'd' | 'o' | 'x' | 'X' => {
                let whole = self.number(value).and_then(|n| {
                    figures::whole(&n).ok_or_else(|| self.unfit(value, "a whole number"))
                })?;
                let digits = figures::integer(whole.unsigned_abs(), letter, flags.sharp);
                let zeros = precision.unwrap_or(0).saturating_sub(digits.len());
                let digits = format!("{}{digits}", "0".repeat(zeros));
                Ok((figures::sign(whole < 0, flags.plus, flags.blank), digits))
            }
            _ => {
                let number = operator::float(&self.number(value)?);
                let digits = figures::decimal(number.abs(), letter, precision);
                Ok((figures::sign(number < 0.0, flags.plus, flags.blank), digits))
            }
        }
    }

    /// `%v`: text as it is, numbers as `%g`, everything else (and all with `%#v`) as JSON.
    fn any(
        &self,
        value: &Value,
        precision: Option<usize>,
    ) -> Result<(&'static str, String), Misuse> {
        let flags = self.verb.flags;
        match value {
            Value::Str(text) if !flags.sharp => Ok(("", text.to_string())),
            Value::Int(_) | Value::Float(_) if !flags.sharp => {
                let number = operator::float(value);
                let digits = figures::decimal(number.abs(), 'g', precision);
                Ok((figures::sign(number < 0.0, flags.plus, flags.blank), digits))
            }
            other => json::text(other).map(|text| ("", text)).ok_or_else(|| self.args.too_long()),
        }
    }

    fn number(&self, value: &Value) -> Result<Value, Misuse> {
        operator::number(value).ok_or_else(|| {
            let shown: Cow<'_, str> = match value {
                Value::Str(text) => Cow::Owned(format!("a number, not {text:?}")),
                _ => Cow::Borrowed("a number"),
            };
            self.unfit(value, &shown)
        })
    }
}
