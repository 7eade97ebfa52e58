//! One live object, or some that are alike, as the table that a person would have written.
//!
//! In: a type, values as a cloud shows them, and who is who. Out: the text of a `[TYPE.LABEL]`
//! table, formatted. What the schema fills in and what cannot be set is left out; what a cloud
//! never shows is a variable or a comment. Decides no label and no variable: see [`Names`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{escape_template, format, string};
use crate::config::applies;
use crate::schema::{AttrIx, Attribute, Kind, LinkIx, Part, PartIx, ResourceType};
use crate::value::Value;

/// Who is who around the object.
pub trait Names {
    /// The address of the object with this id, if it is in the configuration. `kind` is the type
    /// that the schema names, which can stand for several.
    fn address(&self, kind: &str, id: &str) -> Option<String>;
    /// The variable with the secret of this attribute: `password`, `mons["10.0.0.1"].ssh_password`.
    fn variable(&self, path: &str) -> Option<String>;
}

/// What an object is.
#[derive(Clone, Debug, Default)]
pub struct Shown<'a> {
    /// Values in schema order; references are ids.
    pub attrs: &'a [Value],
    /// Ids of other ends, by link of the type.
    pub links: &'a [(LinkIx, Vec<Arc<str>>)],
    /// Rows of elements, by part of the type.
    pub parts: &'a [(PartIx, Vec<&'a [Value]>)],
    /// For a block with `for_each`: TOML values that stand in place of those of one object, by
    /// name; `for_each` itself stands first. An empty text leaves the attribute out.
    pub instead: BTreeMap<&'a str, String>,
}

/// Writes the table `[TYPE.LABEL]`.
pub fn block(ty: &ResourceType, label: &str, shown: &Shown<'_>, names: &dyn Names) -> String {
    let mut lines = vec![format!("[{}.{}]", ty.name, key(label))];
    if let Some(keys) = shown.instead.get("for_each") {
        lines.push(format!("for_each = {keys}"));
    }
    for (ix, attr) in ty.attrs() {
        let text = match shown.instead.get(&*attr.name) {
            Some(text) if text.is_empty() => continue,
            Some(text) => Some(Ok(text.clone())),
            None if is_label(attr, &shown.attrs[usize::from(ix.0)], label) => None,
            None => written(ty, ix, shown.attrs, (&attr.name, names)),
        };
        lines.extend(text.map(|text| line(&attr.name, text)));
    }
    for (ix, ids) in shown.links.iter().filter(|(_, ids)| !ids.is_empty()) {
        let link = ty.link(*ix);
        if let crate::schema::Side::Owner { to, .. } = &link.side {
            let mut ends: Vec<String> = ids.iter().map(|id| reference(to, id, names)).collect();
            ends.sort();
            lines.push(format!("{} = [{}]", link.name, ends.join(", ")));
        }
    }
    for (ix, rows) in shown.parts.iter().filter(|(_, rows)| !rows.is_empty()) {
        lines.push(part(ty.part(*ix), rows, names));
    }
    format(&(lines.join("\n") + "\n"))
}

/// A value as TOML, or why there is none.
type Text = Result<String, &'static str>;

fn line(name: &str, text: Text) -> String {
    match text {
        Ok(text) => format!("{name} = {text}"),
        Err(reason) => format!("# {name}: {reason}"),
    }
}

/// `name` says nothing that the label does not say.
fn is_label(attr: &Attribute, value: &Value, label: &str) -> bool {
    &*attr.name == "name" && value.as_str() == Some(label)
}

fn written(
    ty: &ResourceType,
    ix: AttrIx,
    row: &[Value],
    (path, names): (&str, &dyn Names),
) -> Option<Text> {
    let attr = ty.attr(ix);
    let value = row.get(usize::from(ix.0)).unwrap_or(&Value::Null);
    if attr.computed || !applies(attr, row) || is_initial(ty, ix, value) {
        return None;
    }
    said(attr, value, (path, names))
}

/// What an attribute says; `None`: nothing that has to be said.
fn said(attr: &Attribute, value: &Value, (path, names): (&str, &dyn Names)) -> Option<Text> {
    // A secret that a careless server shows is no better than one that it hides.
    if attr.unread() || value.is_sensitive() {
        let known = names.variable(path).map(|name| Ok(string(&format!("${{var.{name}}}"))));
        return Some(known.unwrap_or(Err("the cloud never shows it; set it here to change it")));
    }
    match value {
        Value::Null if attr.always_required() => Some(Err("the cloud did not show it")),
        Value::Null => None,
        value if attr.default.as_ref() == Some(value) => None,
        value => Some(Ok(toml(&attr.kind, value, names))),
    }
}

/// Whether an object has this value from the start: no create takes it, and it is the first of
/// those that there are (`Enabled`).
fn is_initial(ty: &ResourceType, ix: AttrIx, value: &Value) -> bool {
    let attr = ty.attr(ix);
    let sent = ty.create.as_ref().is_some_and(|call| call.sends(ix));
    let first = attr.values.first().map(|(text, _)| &**text);
    !sent && !attr.required && first.is_some() && value.as_str() == first
}

fn toml(kind: &Kind, value: &Value, names: &dyn Names) -> String {
    match (kind, value) {
        (Kind::Ref(to), Value::Str(id)) => reference(to, id, names),
        (Kind::Set(kind) | Kind::List(kind), Value::List(items)) => {
            let items: Vec<String> = items.iter().map(|item| toml(kind, item, names)).collect();
            format!("[{}]", items.join(", "))
        }
        (Kind::Object(attrs), Value::Map(members)) => {
            let of = |attr: &Attribute| members.get(&attr.name).cloned().unwrap_or_default();
            table(
                attrs.iter().filter(|a| !a.computed).map(|a| (a, of(a), a.name.to_string())),
                names,
            )
        }
        (_, value) => plain(value),
    }
}

/// A value whose kind says nothing more.
fn plain(value: &Value) -> String {
    match value.reveal() {
        Value::Bool(b) => b.to_string(),
        Value::Int(n) => n.to_string(),
        Value::Float(n) => format!("{n:?}"),
        Value::Str(text) => string(&escape_template(text)),
        Value::Object(address) | Value::Id(address) => string(&escape_template(address.as_str())),
        Value::Found(found) => string(&escape_template(&found.id)),
        Value::List(items) => {
            let items: Vec<String> = items.iter().map(plain).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Map(members) => {
            let members = members.iter().filter(|(_, value)| !value.is_null());
            let members: Vec<String> =
                members.map(|(name, value)| format!("{} = {}", key(name), plain(value))).collect();
            format!("{{ {} }}", members.join(", "))
        }
        // Nothing holds what is absent; `reveal` takes marks off.
        Value::Null | Value::Sensitive(_) => string(""),
    }
}

/// The members of an inline table: attribute, value, path. What cannot be read has no place for a
/// comment there.
fn table<'a>(
    members: impl Iterator<Item = (&'a Attribute, Value, String)>,
    names: &dyn Names,
) -> String {
    let members = members.filter_map(|(attr, value, path)| {
        let text = said(attr, &value, (&path, names))?.ok()?;
        Some(format!("{} = {text}", attr.name))
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}

fn reference(to: &str, id: &str, names: &dyn Names) -> String {
    let text = names.address(to, id).unwrap_or_else(|| format!("id:{id}"));
    string(&escape_template(&text))
}

/// The elements of a part: plain values, or tables one a line.
fn part(part: &Part, rows: &[&[Value]], names: &dyn Names) -> String {
    let element = &part.element;
    let mut sorted: Vec<(String, &[Value])> =
        rows.iter().map(|row| (element.part_key(row).unwrap_or_default(), *row)).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    if let Some(ix) = part.plain() {
        let kind = &element.attr(ix).kind;
        let values: Vec<String> =
            sorted.iter().map(|(_, row)| toml(kind, &row[usize::from(ix.0)], names)).collect();
        return format!("{} = [{}]", part.name, values.join(", "));
    }
    let mut lines = format!("{} = [\n", part.name);
    for (name, row) in &sorted {
        let owner = usize::from(crate::schema::OWNER.0);
        let members = element.attrs().filter(|(ix, attr)| {
            usize::from(ix.0) != owner
                && !attr.computed
                && applies(attr, row)
                && !is_initial(element, *ix, &row[usize::from(ix.0)])
        });
        let members = members.map(|(ix, attr)| {
            let path = format!("{}[{}].{}", part.name, quoted(name), attr.name);
            (attr, row[usize::from(ix.0)].clone(), path)
        });
        lines += &format!("  {},\n", table(members, names));
    }
    lines + "]"
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A key of TOML: bare if it can be.
fn key(text: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match !text.is_empty() && text.chars().all(bare) {
        true => text.to_owned(),
        false => string(text),
    }
}
