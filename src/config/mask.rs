//! Literal secrets out of the texts that messages quote.
//!
//! In: the texts and what was parsed from them. Out: [`Sources`] in which every literal secret is
//! overwritten with `*`, byte for byte, so that spans keep their meaning. A secret is a literal
//! given to an attribute that a schema calls sensitive, to anything named like one (a misspelt
//! `pasword` must not show either), or to a sensitive variable, by its default or by the call of its
//! module. What could not be parsed is masked by line.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, FuncCall};
use hcl_edit::template::{Element, Template};
use hcl_edit::visit::{Visit, visit_expr, visit_func_call};
use rayon::prelude::*;

use super::parse::{Parsed, opening};
use super::secret_name::{name_is_sensitive, secret_start};
use super::source::SourceText;
use super::syntax::{Block, Entry, Literal, Node, Text};
use crate::diag::{Sources, nearest};
use crate::schema::{Attribute, Kind, Schemas};

/// The masked copies, numbered as the texts are.
pub fn sources(texts: Vec<SourceText>, parsed: &[Parsed], schemas: &Schemas) -> Sources {
    let variables: HashSet<Arc<str>> = parsed.iter().flat_map(sensitive_variables).collect();
    let masked: Vec<(String, String)> = texts
        .into_par_iter()
        .zip(parsed)
        .map(|(text, parsed)| (text.name, masked(text.text, parsed, (schemas, &variables))))
        .collect();
    let mut sources = Sources::default();
    for (name, text) in masked {
        sources.add(name, text);
    }
    sources
}

/// Which module a call means is not known yet: a variable of any may be meant.
fn sensitive_variables(file: &Parsed) -> impl Iterator<Item = Arc<str>> {
    let variables = file.blocks.iter().filter(|block| &*block.kind.text == "variable");
    variables.filter(|block| is_sensitive(block)).map(|block| block.label.text.clone())
}

fn is_sensitive(variable: &Block) -> bool {
    let is_true = |e: &Entry| matches!(e.value.value, Literal::Bool(true));
    variable.get("sensitive").is_some_and(is_true) || name_is_sensitive(&variable.label.text)
}

fn masked(
    text: String,
    parsed: &Parsed,
    (schemas, variables): (&Schemas, &HashSet<Arc<str>>),
) -> String {
    let mut mask = Mask { bytes: text.into_bytes(), schemas, variables, names: HashMap::new() };
    if parsed.syntax.is_empty() {
        parsed.blocks.iter().chain(&parsed.data).for_each(|block| mask.block(block));
        parsed.locals.iter().for_each(|entry| mask.entry(entry, false));
    }
    if !parsed.syntax.is_empty() || !parsed.mistakes.is_empty() {
        // Of a broken file no line says whether its variable is sensitive.
        mask.lines(!parsed.syntax.is_empty());
    }
    // Only whole characters are overwritten, by ASCII: it stays UTF-8. Were it not so, the
    // replacement would only shift snippets.
    String::from_utf8_lossy(&mask.bytes).into_owned()
}

struct Mask<'a> {
    bytes: Vec<u8>,
    schemas: &'a Schemas,
    /// Names of sensitive variables.
    variables: &'a HashSet<Arc<str>>,
    /// Whether a name alone is sensitive: the same few stand in thousands of blocks.
    names: HashMap<Arc<str>, bool>,
}

impl Mask<'_> {
    fn block(&mut self, block: &Block) {
        let schemas = self.schemas;
        if &*block.kind.text == "variable" {
            let secret = is_sensitive(block);
            return block
                .entries
                .iter()
                .for_each(|e| self.entry(e, secret && &*e.key.text == "default"));
        }
        if &*block.kind.text == "module" {
            let variables = self.variables;
            return block
                .entries
                .iter()
                .for_each(|e| self.entry(e, variables.contains(&e.key.text)));
        }
        let Some(ty) = schemas.by_name(&block.kind.text) else {
            return block.entries.iter().for_each(|e| self.entry(e, false));
        };
        for entry in &block.entries {
            let part = ty.parts.iter().find(|p| p.name == entry.key.text);
            match part {
                Some(part) => self.nested(&entry.value, part.attrs()),
                None => self.attribute(entry, &ty.attrs),
            }
        }
    }

    fn attribute(&mut self, entry: &Entry, attrs: &[Attribute]) {
        match attrs.iter().find(|a| a.name == entry.key.text) {
            Some(attr) if attr.sensitive => self.node(&entry.value),
            Some(attr) => match inner(&attr.kind) {
                Some(attrs) => self.nested(&entry.value, attrs),
                None => self.entry(entry, false),
            },
            None => {
                let near = nearest(&entry.key.text, attrs.iter().map(|a| &*a.name));
                let secret = |name| attrs.iter().any(|a| a.sensitive && &*a.name == name);
                self.entry(entry, near.is_some_and(secret));
            }
        }
    }

    fn nested(&mut self, node: &Node, attrs: &[Attribute]) {
        match &node.value {
            Literal::List(items) => items.iter().for_each(|item| self.nested(item, attrs)),
            Literal::Table(entries) => entries.iter().for_each(|e| self.attribute(e, attrs)),
            // A part may be written in its `format`, with the password inside.
            Literal::Str(_) if attrs.iter().any(|a| a.sensitive) => self.node(node),
            _ => {}
        }
    }

    fn entry(&mut self, entry: &Entry, secret: bool) {
        if secret || self.is_sensitive(&entry.key.text) {
            return self.node(&entry.value);
        }
        match &entry.value.value {
            Literal::Table(entries) => entries.iter().for_each(|e| self.entry(e, false)),
            Literal::List(items) => items.iter().for_each(|item| {
                if let Literal::Table(entries) = &item.value {
                    entries.iter().for_each(|e| self.entry(e, false));
                }
            }),
            _ => {}
        }
    }

    fn is_sensitive(&mut self, name: &Arc<str>) -> bool {
        if let Some(known) = self.names.get(name) {
            return *known;
        }
        let sensitive = name_is_sensitive(name);
        self.names.insert(name.clone(), sensitive);
        sensitive
    }

    /// Overwrites all literals of a value.
    fn node(&mut self, node: &Node) {
        match &node.value {
            Literal::Bool(_) => {}
            Literal::Int(_) | Literal::Float(_) | Literal::Invalid => {
                self.overwrite(node.span.start, node.span.end);
            }
            Literal::List(items) => items.iter().for_each(|item| self.node(item)),
            Literal::Table(entries) => entries.iter().for_each(|e| self.node(&e.value)),
            Literal::Str(text) => match text.text.parse::<Template>() {
                Ok(template) if text.is_template() => self.template(text, &template),
                _ => self.whole(node),
            },
        }
    }

    fn whole(&mut self, node: &Node) {
        let range = node.span.start as usize..node.span.end as usize;
        let raw =
            std::str::from_utf8(self.bytes.get(range).unwrap_or_default()).unwrap_or_default();
        let (quotes, _) = opening(raw);
        let quotes = u32::try_from(quotes).unwrap_or(1);
        self.overwrite(node.span.start + quotes, node.span.end.saturating_sub(quotes));
    }

    /// Of a template everything but the expressions, and in these every string that is not the
    /// name of a variable or file.
    fn template(&mut self, text: &Text, template: &Template) {
        let mut found = Literals::default();
        found.visit_template(template);
        for range in found.0 {
            self.overwrite(text.place.find(range.start), text.place.find(range.end));
        }
    }

    fn overwrite(&mut self, start: u32, end: u32) {
        for byte in self.bytes.iter_mut().take(end as usize).skip(start as usize) {
            if !matches!(byte, b'\n' | b'\r') {
                *byte = b'*';
            }
        }
    }

    /// Where there is no parsed value to go by: from the `=` of a sensitive name to the end of the
    /// line, or of the multi-line string that starts there.
    fn lines(&mut self, defaults: bool) {
        let text = String::from_utf8_lossy(&self.bytes).into_owned();
        let mut at = 0;
        while at < text.len() {
            let line = &text[at..text[at..].find('\n').map_or(text.len(), |n| at + n)];
            let end = at + line.len();
            if let Some(start) = secret_start(line, defaults) {
                let end = multi_line_end(&text, at + start).unwrap_or(end).max(end);
                let narrow = |n| u32::try_from(n).unwrap_or(u32::MAX);
                self.overwrite(narrow(at + start), narrow(end));
                at = end + 1;
            } else {
                at = end + 1;
            }
            while !text.is_char_boundary(at.min(text.len())) {
                at += 1;
            }
        }
    }
}

fn multi_line_end(text: &str, value: usize) -> Option<usize> {
    let rest = &text[value..];
    let trimmed = rest.trim_start_matches([' ', '\t']);
    let start = value + rest.len() - trimmed.len();
    let quotes = ["\"\"\"", "'''"].into_iter().find(|q| trimmed.starts_with(q))?;
    Some(trimmed[3..].find(quotes).map_or(text.len(), |n| start + 3 + n))
}

fn inner(kind: &Kind) -> Option<&[Attribute]> {
    match kind {
        Kind::Object(attrs) => Some(attrs),
        Kind::Set(kind) | Kind::List(kind) => inner(kind),
        _ => None,
    }
}

/// Collects the literals of a template.
#[derive(Default)]
struct Literals(Vec<std::ops::Range<usize>>);

impl Visit for Literals {
    fn visit_element(&mut self, node: &Element) {
        match node {
            Element::Literal(text) => self.0.extend(text.span()),
            _ => hcl_edit::visit::visit_element(self, node),
        }
    }
    fn visit_expr(&mut self, node: &Expression) {
        match node {
            Expression::String(_) | Expression::Number(_) => self.0.extend(node.span()),
            _ => visit_expr(self, node),
        }
    }
    fn visit_func_call(&mut self, node: &FuncCall) {
        // `env("X")` and `file("x")` name where a secret comes from, and are none.
        if !matches!(node.name.name.as_str(), "env" | "file") {
            visit_func_call(self, node);
        }
    }
}
