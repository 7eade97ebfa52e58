//! What people read about types: all of them as `schemas/README.md`, one as text for a terminal.
//!
//! In: [`Schemas`]. Out: text, equal for equal schemas. Must not know a terminal, nor any type by
//! name: every sentence comes from the schema.

mod action;

use std::fmt::Write as _;

use super::model::{
    After, AttrIx, Attribute, Call, Casualty, Condition, Count, IdRule, Kind, Part, Piece,
    ResourceType, Schemas, Side, Target, UniqueItem,
};

pub use action::{actions, actions_json};

/// The reference of every type, in Markdown.
pub fn readme(schemas: &Schemas) -> String {
    let mut out = String::from(README_HEAD);
    for (provider, about) in &schemas.providers {
        let types = || schemas.lookups().filter(|ty| ty.provider == *provider);
        let doc = if about.doc.is_empty() { String::new() } else { format!(": {}", about.doc) };
        line(&mut out, format_args!("\n## Provider `{provider}`{doc}\n"));
        let mut list = |title: &str, data_only: bool| {
            line(&mut out, format_args!("{title}\n"));
            for ty in types().filter(|ty| ty.data_only() == data_only) {
                let name = &ty.name;
                line(&mut out, format_args!("* [`{name}`](#{name}): {}", ty.doc));
            }
        };
        list("Resources, which can be looked up too:", false);
        list("\nOnly looked up, as `[data.TYPE.LABEL]`:", true);
        for ty in types() {
            markdown(&mut out, ty);
        }
    }
    out
}

const README_HEAD: &str = "\
# Resource types

Written from the files in this directory; a test keeps it up to date (`RACKFORM_BLESS=1 cargo test`
writes it again).

Every resource also takes `for_each` (with `for_each_key`) or `count`, `depends_on`, `provider`,
`timeouts` and `lifecycle`. Where a value stands, an expression may stand instead; its functions are
listed in [`FUNCTIONS.md`](FUNCTIONS.md).

`[data.TYPE.LABEL]` looks up an object of any of these types: attributes that are no lists filter
(`uuid` too), exactly one object must match, and `'${data.TYPE.LABEL}'` is a reference to it,
`'${data.TYPE.LABEL.attribute}'` one of its attributes. `all = true` makes it a list of all that
match, `for_each` one look-up for each element. Sensitive attributes are never read.
";

/// One type for `rackform schema TYPE`.
pub fn terminal(ty: &ResourceType) -> String {
    let mut out = String::new();
    line(&mut out, format_args!("{}: {}", ty.name, ty.doc));
    line(&mut out, format_args!("provider {}, schema version {}", ty.provider, ty.version));
    line(&mut out, format_args!("\nAttributes"));
    let width = ty.attrs.iter().map(|a| a.name.chars().count()).max().unwrap_or(0);
    for (ix, attribute) in ty.attrs() {
        let facts = facts(ty, ix, attribute).join(", ");
        line(&mut out, format_args!("  {:width$}  {facts}", attribute.name));
        if !attribute.doc.is_empty() {
            line(&mut out, format_args!("  {:width$}  {}", "", attribute.doc.replace('`', "")));
        }
    }
    for (title, lines) in sections(ty) {
        line(&mut out, format_args!("\n{title}"));
        for text in lines {
            line(&mut out, format_args!("  {}", text.replace('`', "")));
        }
    }
    out
}

fn markdown(out: &mut String, ty: &ResourceType) {
    line(out, format_args!("\n### {}\n\n{}.\n", ty.name, ty.doc));
    line(out, format_args!("| attribute | kind | facts | meaning |\n|---|---|---|---|"));
    for (ix, attribute) in ty.attrs() {
        let all = facts(ty, ix, attribute);
        let cells = [&all[0], &all[1..].join(", "), &attribute.doc].map(|c| c.replace('|', "\\|"));
        line(
            out,
            format_args!("| `{}` | {} | {} | {} |", attribute.name, cells[0], cells[1], cells[2]),
        );
    }
    for (title, lines) in sections(ty) {
        line(out, format_args!("\n{title}:\n"));
        for text in lines {
            line(out, format_args!("* {text}"));
        }
    }
}

/// The kind first, then what holds for the attribute.
fn facts(ty: &ResourceType, ix: AttrIx, a: &Attribute) -> Vec<String> {
    let mut all = own_facts(a);
    if ty.argument(ix) {
        all[1] = if a.required { "required argument" } else { "argument" }.to_owned();
    } else if ty.data_only() {
        all[1] = "read".to_owned();
    } else if a.writable() {
        let change = if ty.updatable(ix) { "changed in place" } else { "a change replaces" };
        all.insert(2, change.to_owned());
    }
    all.extend(a.when.iter().map(|c| format!("only when {}", condition(&ty.attrs, c))));
    all
}

fn own_facts(a: &Attribute) -> Vec<String> {
    let need = match (a.required, a.computed, &a.since) {
        (true, _, Some(version)) => format!("required since server {version}"),
        (true, _, None) => "required".to_owned(),
        (_, true, _) => "computed".to_owned(),
        _ => "optional".to_owned(),
    };
    let mut all = vec![kind(&a.kind), need];
    all.extend(a.default.as_ref().map(|value| format!("default {value}")));
    if !a.values.is_empty() {
        let values: Vec<_> = a.values.iter().map(|(read, _)| &**read).collect();
        all.push(format!("one of {}", values.join(" | ")));
    }
    if let Some((low, high)) = a.range {
        let unit = match a.kind {
            Kind::Int => "",
            Kind::Bytes => " bytes",
            Kind::Set(_) | Kind::List(_) => " items",
            _ => " characters",
        };
        all.push(if low == high {
            format!("{low}{unit}")
        } else {
            format!("{low} to {high}{unit}")
        });
    }
    if a.sensitive {
        all.push("sensitive".to_owned());
    }
    if a.write_only {
        all.push("never read back".to_owned());
    }
    if a.read.is_some() {
        all.push("costs a request per object that sets it".to_owned());
    }
    let since = a.since.as_ref().filter(|_| !a.required);
    all.extend(since.map(|version| format!("since server {version}")));
    all
}

pub(super) fn kind(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Int => "int".to_owned(),
        Kind::Bool => "bool".to_owned(),
        Kind::Host => "host".to_owned(),
        Kind::Path => "path".to_owned(),
        Kind::Bytes => "bytes".to_owned(),
        Kind::Ref(name) => format!("ref({name})"),
        Kind::Set(item) => format!("set({})", self::kind(item)),
        Kind::List(item) => format!("list({})", self::kind(item)),
        Kind::Object(attrs) => {
            let names: Vec<_> = attrs.iter().map(|a| &*a.name).collect();
            format!("object({})", names.join(", "))
        }
    }
}

/// Everything but the attributes: title and lines; sections without a line are left out.
fn sections(ty: &ResourceType) -> Vec<(&'static str, Vec<String>)> {
    let mut all = vec![
        ("Attachments", ty.links.iter().map(|l| format!("`{}`: {}", l.name, side(l))).collect()),
        ("Parts", ty.parts.iter().flat_map(part).collect()),
        ("Identity", identity(ty)),
        ("Waits for", ty.after.iter().map(after).collect()),
        ("Deleting it takes with it", ty.cascade.iter().map(casualty).collect()),
        ("Actions", ty.actions.iter().flat_map(action::lines).collect()),
        ("Calls", calls(ty)),
    ];
    all.retain(|(_, lines)| !lines.is_empty());
    all
}

fn side(link: &super::model::Link) -> String {
    let mut text = match &link.side {
        Side::Owner { to, .. } => format!("set of `{to}`. "),
        Side::Other { owners } => {
            let names: Vec<_> = owners.iter().map(|(kind, _)| format!("`{kind}`")).collect();
            format!("set of {}. ", names.join(" or "))
        }
    };
    text.push_str(&link.doc);
    if let Side::Owner { detach, .. } = &link.side {
        for taken in &detach.cascade {
            let _ = write!(text, " Detaching: {}.", taken.label);
        }
    }
    text
}

fn part(part: &Part) -> Vec<String> {
    let what = if part.plain().is_some() { "list of values" } else { "list of tables" };
    let required = if part.required() { ", required" } else { "" };
    let count = part.range.map_or_else(String::new, |(least, most)| format!(", {least} to {most}"));
    let mut all = vec![format!("`{}`: {what}{required}{count}. {}", part.name, part.doc)];
    for attribute in part.attrs() {
        let facts = own_facts(attribute).join(", ");
        all.push(format!("`{}.{}`: {facts}. {}", part.name, attribute.name, attribute.doc));
    }
    all
}

fn identity(ty: &ResourceType) -> Vec<String> {
    let mut all = vec![match &ty.id {
        IdRule::Client { wire } => format!("the id is chosen before the create (`{wire}`)"),
        IdRule::Attr(ix) => format!("the id is `{}`", ty.attr(*ix).name),
        IdRule::Server { pointer } => format!("the id is assigned by the server (`{pointer}`)"),
        IdRule::Found => "discovered by the server, never created".to_owned(),
        IdRule::Row => "only looked up, as `[data.…]`; its rows have ids".to_owned(),
        IdRule::None => "only looked up, as `[data.…]`; it has no id".to_owned(),
        IdRule::Part => "known by its owner and its own key".to_owned(),
    }];
    for set in &ty.unique {
        let names: Vec<_> = set.iter().map(|item| format!("`{}`", unique(ty, item))).collect();
        all.push(format!("unique: {}", names.join(" with ")));
    }
    all
}

fn unique(ty: &ResourceType, item: &UniqueItem) -> String {
    match item {
        UniqueItem::Attr(ix) => ty.attr(*ix).name.to_string(),
        UniqueItem::Nested(ix, path) => format!("{}/{}", ty.attr(*ix).name, path.join("/")),
        UniqueItem::Part(ix) => ty.part(*ix).name.to_string(),
    }
}

fn after(after: &After) -> String {
    match after {
        After::Type(kind) => format!("every `{kind}` of the same scope"),
        After::Link { kind, link } => {
            format!("attachments `{kind}.{link}` of the same scope")
        }
    }
}

fn casualty(c: &Casualty) -> String {
    match &c.count {
        Count::Query(query) => format!("{}, counted by `{}`", c.label, target(query)),
        Count::Part(name) => format!("{}, counted by its `{name}`", c.label),
    }
}

fn calls(ty: &ResourceType) -> Vec<String> {
    let mut all = vec![format!("list: `{}`", target(&ty.read.target))];
    if let Some(send) = ty.read.send.as_ref().filter(|send| !send.is_empty()) {
        let sent: Vec<_> = send.iter().map(|s| &*s.wire).collect();
        let _ = write!(all[0], " ({})", sent.join(", "));
    }
    let mut add = |role: &str, call: &Call, attrs: &[Attribute]| {
        all.push(format!("{role}: {}", one_call(ty, attrs, call)));
    };
    let own = &ty.attrs;
    ty.create.iter().for_each(|call| add("create", call, own));
    ty.updates.iter().for_each(|call| add("update", call, own));
    ty.delete.iter().for_each(|call| add("delete", call, own));
    for link in &ty.links {
        if let Side::Owner { attach, detach, .. } = &link.side {
            add(&format!("attach `{}`", link.name), attach, own);
            add(&format!("detach `{}`", link.name), detach, own);
        }
    }
    for part in &ty.parts {
        let element = &part.element;
        for (role, call) in [
            ("add to", element.create.as_ref()),
            ("change", element.updates.first()),
            ("remove from", element.delete.as_ref()),
        ] {
            call.iter()
                .for_each(|call| add(&format!("{role} `{}`", part.name), call, &element.attrs));
        }
    }
    ty.actions.iter().for_each(|a| add(&format!("action `{}`", a.name), &a.call, own));
    all
}

/// `attrs` are what the call's conditions speak of: for a part its own.
fn one_call(ty: &ResourceType, attrs: &[Attribute], call: &Call) -> String {
    let mut text = format!("`{}`", target(&call.target));
    if let Some(body) = &call.body {
        let sent: Vec<_> = call.send.iter().map(|s| &*s.wire).collect();
        let _ = write!(text, " `{body}`");
        if !sent.is_empty() {
            let _ = write!(text, " ({})", sent.join(", "));
        }
    }
    for condition in &call.when {
        let _ = write!(text, ", for {}", self::condition(attrs, condition));
    }
    for action in &call.then {
        let _ = write!(text, ", then `{}`", ty.action(*action).name);
    }
    for taken in &call.cascade {
        let _ = write!(text, "; {}", taken.label);
    }
    text
}

fn condition(attrs: &[Attribute], c: &Condition) -> String {
    let name = attrs.get(usize::from(c.attr.0)).map_or("", |a| &a.name);
    format!("`{name}` {}", c.values.join(" or "))
}

fn target(t: &Target) -> String {
    let mut text = format!("{} ", t.method.as_str());
    pieces(&mut text, &t.path);
    for (at, (name, value)) in t.query.iter().enumerate() {
        let _ = write!(text, "{}{name}=", if at == 0 { '?' } else { '&' });
        pieces(&mut text, value);
    }
    text
}

fn pieces(text: &mut String, all: &[Piece]) {
    for piece in all {
        match piece {
            Piece::Lit(literal) => text.push_str(literal),
            Piece::Id => text.push_str("{id}"),
            Piece::To => text.push_str("{to}"),
            Piece::Field(name) => {
                let _ = write!(text, "{{{name}}}");
            }
        }
    }
}

/// Writing to a string cannot fail.
fn line(out: &mut String, text: std::fmt::Arguments<'_>) {
    let _ = writeln!(out, "{text}");
}
