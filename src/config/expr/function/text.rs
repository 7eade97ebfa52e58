//! Functions of texts, except patterns and formats.
//!
//! In: texts (numbers and booleans are written out). Out: texts, lists of texts, booleans.
//! Characters are counted as people see them (grapheme clusters), as in Terraform.

use unicode_segmentation::UnicodeSegmentation as _;

use super::args::plain_text;
use super::{Args, Function, Group, MAX_TEXT, Misuse, Outcome};
use crate::value::Value;

const fn row(
    name: &'static str,
    parameters: &'static str,
    run: fn(Args<'_>) -> Outcome,
) -> Function {
    Function::new(Group::Text, (name, parameters), run)
}

pub(super) static TABLE: &[Function] = &[
    row("basename", "path", basename)
        .says("The last part of a path.")
        .example(r#"basename("halls/east.csv")"#, r#""east.csv""#),
    row("chomp", "text", chomp)
        .says("The text without newlines at its end.")
        .example(r#"chomp("hello\n")"#, r#""hello""#),
    row("dirname", "path", dirname)
        .says("A path without its last part.")
        .example(r#"dirname("halls/east.csv")"#, r#""halls""#),
    row("endswith", "text, suffix", ends_with)
        .says("Whether a text ends with another.")
        .example(r#"endswith("rack-01", "01")"#, "true"),
    row("indent", "spaces, text", indent)
        .says("The text with spaces before all lines but the first.")
        .example(r#"indent(2, "a:\nb")"#, r#""a:\n  b""#),
    row("join", "separator, list, lists...", join)
        .says("The elements of lists as one text with a separator between them.")
        .example(r#"join("-", ["rack", "a", 1])"#, r#""rack-a-1""#),
    row("lower", "text", lower)
        .says("The text in small letters.")
        .example(r#"lower("HALL")"#, r#""hall""#),
    row("split", "separator, text", split)
        .says("The parts of a text between separators.")
        .example(r#"split(",", "a,b")"#, r#"["a", "b"]"#),
    row("startswith", "text, prefix", starts_with)
        .says("Whether a text starts with another.")
        .example(r#"startswith("rack-01", "rack")"#, "true"),
    row("strcontains", "text, part", contains)
        .says("Whether a text contains another.")
        .example(r#"strcontains("rack-01", "k-0")"#, "true"),
    row("strrev", "text", reverse)
        .says("The characters of a text from the last to the first.")
        .example(r#"strrev("hello")"#, r#""olleh""#),
    row("substr", "text, offset, length", part)
        .says(
            "The characters from an offset on; a negative offset counts from the end, length -1 \
             takes the rest.",
        )
        .example(r#"substr("hello world", 1, 4)"#, r#""ello""#),
    row("title", "text", title)
        .says("The text with the first letter of each word as a capital.")
        .example(r#"title("hello world")"#, r#""Hello World""#),
    row("trim", "text, characters", trim)
        .says("The text without any of these characters at its start and end.")
        .example(r#"trim("?!hello?!", "!?")"#, r#""hello""#),
    row("trimprefix", "text, prefix", trim_prefix)
        .says("The text without this prefix, if it has it.")
        .example(r#"trimprefix("helloworld", "hello")"#, r#""world""#),
    row("trimspace", "text", trim_space)
        .says("The text without blanks and newlines at its start and end.")
        .example(r#"trimspace("  hello\n")"#, r#""hello""#),
    row("trimsuffix", "text, suffix", trim_suffix)
        .says("The text without this suffix, if it has it.")
        .example(r#"trimsuffix("hello.csv", ".csv")"#, r#""hello""#),
    row("upper", "text", upper)
        .says("The text in capital letters.")
        .example(r#"upper("hall")"#, r#""HALL""#),
];

fn chomp(args: Args<'_>) -> Outcome {
    Ok(Value::str(args.text(0)?.trim_end_matches(['\n', '\r'])))
}

/// `/` alone where there is nothing else, `.` where there is nothing at all.
fn basename(args: Args<'_>) -> Outcome {
    let path = args.text(0)?;
    let trimmed = path.trim_end_matches('/');
    Ok(Value::str(match trimmed.rsplit('/').next() {
        Some(last) if !last.is_empty() => last,
        _ if path.is_empty() => ".",
        _ => "/",
    }))
}

fn dirname(args: Args<'_>) -> Outcome {
    let path = args.text(0)?;
    Ok(match path.rsplit_once('/') {
        None => Value::str("."),
        Some((before, _)) if before.trim_end_matches('/').is_empty() => Value::str("/"),
        Some((before, _)) => Value::str(before.trim_end_matches('/')),
    })
}

fn ends_with(args: Args<'_>) -> Outcome {
    Ok(args.text(0)?.ends_with(&*args.text(1)?).into())
}

fn starts_with(args: Args<'_>) -> Outcome {
    Ok(args.text(0)?.starts_with(&*args.text(1)?).into())
}

fn contains(args: Args<'_>) -> Outcome {
    Ok(args.text(0)?.contains(&*args.text(1)?).into())
}

fn indent(args: Args<'_>) -> Outcome {
    let (spaces, text) = (args.count(0)?, args.text(1)?);
    let lines = text.matches('\n').count();
    if spaces.saturating_mul(lines).saturating_add(text.len()) > MAX_TEXT {
        return Err(args.too_long());
    }
    // With no line to indent the number could be any: nothing is built of it.
    let spaces = if lines == 0 { 0 } else { spaces };
    Ok(Value::str(&text.replace('\n', &format!("\n{}", " ".repeat(spaces)))))
}

fn join(args: Args<'_>) -> Outcome {
    let separator = args.text(0)?;
    let mut out = String::new();
    let mut first = true;
    for at in 1..args.all().len() {
        for item in args.list(at)?.iter() {
            if !std::mem::take(&mut first) {
                out.push_str(&separator);
            }
            match item {
                Value::Str(text) => out.push_str(text),
                other => out.push_str(&plain_text(other).ok_or_else(|| odd(args, at, other))?),
            }
            if out.len() > MAX_TEXT {
                return Err(args.too_long());
            }
        }
    }
    Ok(Value::str(&out))
}

fn odd(args: Args<'_>, at: usize, item: &Value) -> Misuse {
    args.wrong(at, format!("{} among the elements, where text is needed", item.kind_name()))
}

fn lower(args: Args<'_>) -> Outcome {
    Ok(each_letter(&args.text(0)?, |c| single(c, c.to_lowercase())))
}

fn upper(args: Args<'_>) -> Outcome {
    Ok(each_letter(&args.text(0)?, |c| single(c, c.to_uppercase())))
}

fn each_letter(text: &str, change: impl FnMut(char) -> char) -> Value {
    Value::str(&text.chars().map(change).collect::<String>())
}

/// One letter stays one letter, as in Terraform: `ß` has no capital.
fn single(letter: char, mut changed: impl Iterator<Item = char>) -> char {
    match (changed.next(), changed.next()) {
        (Some(one), None) => one,
        _ => letter,
    }
}

fn title(args: Args<'_>) -> Outcome {
    let mut within = false;
    Ok(each_letter(&args.text(0)?, |letter| {
        let starts = !within;
        within = letter.is_alphanumeric()
            || letter == '_'
            || !(letter.is_ascii() || letter.is_whitespace());
        if starts { single(letter, letter.to_uppercase()) } else { letter }
    }))
}

fn split(args: Args<'_>) -> Outcome {
    let (separator, text) = (args.text(0)?, args.text(1)?);
    Ok(Value::list(if separator.is_empty() {
        text.chars().map(|c| Value::str(c.encode_utf8(&mut [0; 4]))).collect()
    } else {
        text.split(&*separator).map(Value::str).collect()
    }))
}

fn reverse(args: Args<'_>) -> Outcome {
    Ok(Value::str(&args.text(0)?.graphemes(true).rev().collect::<String>()))
}

fn part(args: Args<'_>) -> Outcome {
    let (text, offset, length) = (args.text(0)?, args.int(1)?, args.int(2)?);
    let from_end = usize::try_from(offset.unsigned_abs()).unwrap_or(usize::MAX);
    let skip =
        if offset < 0 { text.graphemes(true).count().saturating_sub(from_end) } else { from_end };
    let take = usize::try_from(length).unwrap_or(usize::MAX);
    Ok(Value::str(&text.graphemes(true).skip(skip).take(take).collect::<String>()))
}

fn trim(args: Args<'_>) -> Outcome {
    let (text, unwanted) = (args.text(0)?, args.text(1)?);
    Ok(Value::str(text.trim_matches(|c| unwanted.contains(c))))
}

fn trim_prefix(args: Args<'_>) -> Outcome {
    let (text, prefix) = (args.text(0)?, args.text(1)?);
    Ok(Value::str(text.strip_prefix(&*prefix).unwrap_or(&text)))
}

fn trim_suffix(args: Args<'_>) -> Outcome {
    let (text, suffix) = (args.text(0)?, args.text(1)?);
    Ok(Value::str(text.strip_suffix(&*suffix).unwrap_or(&text)))
}

fn trim_space(args: Args<'_>) -> Outcome {
    Ok(Value::str(args.text(0)?.trim()))
}
