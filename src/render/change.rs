//! One change of a plan → its header, its attributes and what it takes with it.
//!
//! In: a `Change`, the sources. Out: lines. Knows nothing of the plan around it but how a change
//! of an attachment is told from one of a part ([`Shape`]).

use std::fmt::{self, Write};
use std::sync::Arc;

use crate::address::Address;
use crate::diag::{Sources, Span};
use crate::plan::guard;
use crate::plan::record::Last;
use crate::plan::{Action, AttrDiff, Change, Op, Plan, Reason, Shown};
use crate::value::Value;

use super::difference::Difference;
use super::texts::Block;
use super::{Ink, Style, clean, words};

/// Column at which attributes stand.
const INDENT: usize = 6;

/// What a change is a change of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// A resource, or a part of one.
    Object,
    /// A relation of two objects: shown on one line.
    Attachment,
}

/// The shape of every change of a plan, by index. Steps say it; of a change without steps
/// (adopted, forgotten) its record or its key does.
pub(super) fn shapes(plan: &Plan) -> Vec<Shape> {
    let mut shapes: Vec<Shape> = plan.changes.iter().map(guess).collect();
    for step in &plan.steps {
        let shape = match step.op {
            Op::Attach | Op::Detach => Shape::Attachment,
            Op::Create | Op::Delete => Shape::Object,
            // Either kind of change can have these.
            Op::Update(_) | Op::Action(_) => continue,
        };
        if let Some(known) = shapes.get_mut(step.change as usize) {
            *known = shape;
        }
    }
    shapes
}

fn guess(change: &Change) -> Shape {
    let Some(member) = change.address.member_of() else { return Shape::Object };
    if !change.is_attachment() {
        return Shape::Object;
    }
    // The other end of an attachment is an address, or the id of an object that is not ours.
    let other_end = Address::parse(&member.key).is_ok() || is_id(&member.key);
    let declared = change.record.declared_by.is_some() || change.owner_id.is_some();
    let attached = (declared || other_end) && change.diffs.is_empty();
    if attached { Shape::Attachment } else { Shape::Object }
}

/// Whether a key has the form of an id: 32 hex digits.
fn is_id(key: &str) -> bool {
    key.len() == 32 && key.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The sign in front of an address and its colour.
pub(super) fn symbol(action: Action) -> (&'static str, Ink) {
    match action {
        Action::Create => ("+", Ink::Add),
        Action::Update => ("~", Ink::Change),
        Action::Replace => ("-/+", Ink::Remove),
        Action::Delete => ("-", Ink::Remove),
        Action::Adopt => ("<=", Ink::Import),
        Action::Forget | Action::Record => (".", Ink::Dim),
    }
}

/// What the sign means.
pub(super) fn meaning(action: Action) -> &'static str {
    match action {
        Action::Create => "create",
        Action::Update => "update in place",
        Action::Replace => "replace",
        Action::Delete => "destroy",
        Action::Adopt => "import",
        Action::Forget | Action::Record => "state only",
    }
}

/// What happens, after the address: `will be created`.
pub(super) fn verb(action: Action) -> &'static str {
    match action {
        Action::Create => "will be created",
        Action::Update => "will be updated in place",
        Action::Replace => "must be replaced",
        Action::Delete => "will be destroyed",
        Action::Adopt => "will be imported",
        Action::Forget => "will be forgotten",
        Action::Record => "will change in the state only",
    }
}

/// Why, where the action alone does not say it.
pub(super) fn why(change: &Change) -> Option<String> {
    let text = match &change.reason {
        Reason::Differs if change.action == Action::Record => {
            "another block declares it now".to_owned()
        }
        Reason::New | Reason::Differs | Reason::Destroy | Reason::Imported => return None,
        Reason::Discovered => "the server discovers it; nothing is sent for that".to_owned(),
        Reason::Vanished => "it is gone from the cloud".to_owned(),
        Reason::Unfinished => "an earlier apply was cut off while it worked on it".to_owned(),
        Reason::Drifted => "it was changed outside of rackform".to_owned(),
        Reason::CannotUpdate(names) => {
            let names: Vec<_> = names.iter().map(clean).collect();
            format!("{} cannot be changed in place", words::list(&names))
        }
        Reason::Requested => "--replace names it".to_owned(),
        Reason::ParentReplaced(parent) => format!("{} is replaced", clean(parent)),
        Reason::Triggered(of, None) => {
            format!("its replace_triggered_by names {}, which changes", clean(of))
        }
        Reason::Triggered(of, Some(attr)) => {
            format!("its replace_triggered_by names {}.{}, which changes", clean(of), clean(attr))
        }
        Reason::NotInConfiguration => match change.address.member_of() {
            Some(member) if !change.is_attachment() => {
                format!("`{}` no longer has it", member.name)
            }
            _ => "no block declares it any more".to_owned(),
        },
        Reason::Removed if change.action == Action::Forget => {
            "a [[removed]] says so; it stays in the cloud".to_owned()
        }
        Reason::Removed => "a [[removed]] says so".to_owned(),
        Reason::KeyGone => "its key is gone from for_each or count".to_owned(),
        Reason::ModuleKeyGone(module) => {
            format!("its key is gone from the for_each or count of {}", clean(module))
        }
        Reason::Unmanaged => "its attribute was removed; the object stays".to_owned(),
        Reason::Protection => switched(change.record.prevent_destroy).to_owned(),
        Reason::Dependencies => "it depends on other objects now".to_owned(),
        Reason::Moved => "its address changes, and nothing else".to_owned(),
    };
    Some(text)
}

fn switched(on: bool) -> &'static str {
    if on { "prevent_destroy is on" } else { "prevent_destroy is off" }
}

/// That protection is switched, where the reason does not say it.
pub(super) fn protection(change: &Change) -> Option<&'static str> {
    change.protection.filter(|_| change.reason != Reason::Protection).map(switched)
}

/// Where to look: the attribute that decides, else the block.
pub(super) fn origin(change: &Change) -> Option<Span> {
    let diffs = || change.diffs.iter();
    let decides = match change.action {
        Action::Replace => diffs().find(|d| d.forces_replace).and_then(|d| d.origin),
        Action::Update => diffs().find_map(|d| d.origin),
        Action::Create | Action::Delete | Action::Adopt | Action::Forget | Action::Record => None,
    };
    decides.or(change.origin)
}

/// What goes with the attributes by which people know it.
fn telling(last: &Last) -> Vec<AttrDiff> {
    let gone = |name: &Arc<str>| {
        let (name, value) = last.attrs.iter().find(|(known, _)| known == name)?;
        let (name, before, after) = (name.clone(), Shown::Value(value.clone()), Shown::Absent);
        Some(AttrDiff { name, before, after, forces_replace: false, origin: None })
    };
    last.telling.iter().filter_map(gone).collect()
}

/// Writes changes of one plan.
pub(super) struct Changes<'a> {
    pub sources: &'a Sources,
    pub style: &'a Style,
}

impl Changes<'_> {
    pub fn write(&self, change: &Change, shape: Shape, out: &mut dyn Write) -> fmt::Result {
        match shape {
            Shape::Attachment => self.attachment(change, out)?,
            Shape::Object => self.object(change, out)?,
        }
        self.casualties(change, out)
    }

    fn object(&self, change: &Change, out: &mut dyn Write) -> fmt::Result {
        let (style, place) = (self.style, self.place(origin(change)));
        if let (Reason::Moved, Some(previous)) = (&change.reason, &change.previous) {
            let text = format!("# {} has moved to {}", clean(previous), clean(&change.address));
            return writeln!(out, "  {}", style.ink(Ink::Bold, text));
        }
        let mut header = format!("# {} {}", clean(&change.address), verb(change.action));
        if let Some(why) = why(change) {
            write!(header, ": {why}")?;
        }
        if let Some(place) = &place {
            write!(header, " ({place})")?;
        }
        writeln!(out, "  {}", style.ink(Ink::Bold, header))?;
        let (sign, ink) = symbol(change.action);
        if let Some(previous) = &change.previous {
            let text = format!("# (moved from {})", clean(previous));
            writeln!(out, "  {}", style.ink(Ink::Dim, text))?;
        }
        if let Some(text) = protection(change) {
            writeln!(out, "  {}", style.ink(Ink::Bold, format_args!("# {text}")))?;
        }
        if let Some(id) =
            change.id.as_ref().filter(|_| change.importing && change.action != Action::Adopt)
        {
            let text = format!("# (imported: {})", clean(id));
            writeln!(out, "  {}", style.ink(Ink::Dim, text))?;
        }
        let sign = style.ink(ink, format!("{sign:>3}"));
        write!(out, "{sign} {}", clean(&change.address))?;
        match change.id.as_ref().or(change.predicted.as_ref()) {
            // An element of a part is known by its key.
            Some(_) if change.address.member_of().is_some() => {}
            Some(id) => {
                write!(out, " {}", style.ink(Ink::Dim, format_args!("[id={}]", clean(id))))?
            }
            // A part is known by its key.
            None if change.action == Action::Create && change.address.member_of().is_none() => {
                write!(out, " {}", style.ink(Ink::Dim, "[id=(known after apply)]"))?;
            }
            None => {}
        }
        out.write_char('\n')?;
        self.attributes(change, place.as_deref(), out)
    }

    /// `+ attach A → B`, with the reason and place behind it.
    fn attachment(&self, change: &Change, out: &mut dyn Write) -> fmt::Result {
        let (sign, ink) = symbol(change.action);
        let word = match change.action {
            Action::Create | Action::Update => "attach",
            Action::Replace => "attach again",
            Action::Delete => "detach",
            Action::Adopt => "import attachment",
            Action::Forget => "forget attachment",
            Action::Record => "attachment",
        };
        let style = self.style;
        let owner = change.address.owner();
        let to = change.address.member_of().map_or("", |m| &*m.key);
        let sign = style.ink(ink, format!("{sign:>3}"));
        write!(out, "{sign} {word} {} {} {}", clean(owner), style.arrow(), clean(to))?;
        let notes: Vec<String> = why(change).into_iter().chain(self.place(change.origin)).collect();
        if !notes.is_empty() {
            write!(out, "  {}", style.ink(Ink::Dim, format_args!("# {}", notes.join(", "))))?;
        }
        out.write_char('\n')
    }

    fn attributes(&self, change: &Change, place: Option<&str>, out: &mut dyn Write) -> fmt::Result {
        let attributes = Attributes { changes: self, subject: &change.address, place };
        // On a create every attribute comes from the block that the header names.
        let told = change.action == Action::Create;
        attributes.write(&change.diffs, told, out)?;
        if change.action == Action::Delete && change.address.member_of().is_none() {
            attributes.write(&telling(&change.last), true, out)?;
        }
        Ok(())
    }

    fn casualties(&self, change: &Change, out: &mut dyn Write) -> fmt::Result {
        let lost = change.casualties.iter().filter(|(_, number)| *number > 0);
        let lost: Vec<String> = lost.map(|(label, n)| words::lost(*n, label)).collect();
        if lost.is_empty() {
            return Ok(());
        }
        let text = format!("! takes with it: {}", lost.join(", "));
        writeln!(out, "{:INDENT$}{}", "", self.style.ink(Ink::Alarm, text))?;
        let flag = clean(guard::allowing(change)).to_string();
        let text = format!("apply --auto-approve needs {flag}");
        writeln!(out, "{:INDENT$}  {}", "", self.style.ink(Ink::Dim, text))
    }

    pub fn place(&self, span: Option<Span>) -> Option<String> {
        let text = self.sources.display(span?);
        (!text.is_empty()).then(|| clean(text).to_string())
    }
}

/// Attributes of one change or drift, aligned.
pub(super) struct Attributes<'a> {
    pub changes: &'a Changes<'a>,
    /// The object that they belong to: its own id needs no address.
    pub subject: &'a Address,
    /// What the header says already.
    pub place: Option<&'a str>,
}

impl Attributes<'_> {
    /// `told`: places need not be repeated.
    pub fn write(&self, diffs: &[AttrDiff], told: bool, out: &mut dyn Write) -> fmt::Result {
        let pad = diffs.iter().map(|d| d.name.chars().count()).max().unwrap_or(0);
        for diff in diffs {
            let name = format!("{:pad$} =", clean(&diff.name).to_string());
            self.sign(diff, out)?;
            write!(out, " {name}")?;
            let mark = self.mark(diff, told);
            match self.long(diff) {
                None => self.short(diff, &mark, INDENT + 2 + pad, out)?,
                Some(long) => {
                    writeln!(out, "{mark}")?;
                    let style = self.changes.style;
                    let block = Block { style, indent: INDENT + 4 };
                    match long {
                        Long::Values(before, after) => {
                            Difference { style, indent: INDENT + 4 }.lines(before, after, out)?;
                        }
                        Long::Texts(before, after) => block.texts(before, after, out)?,
                        Long::Lists(before, after) => block.lists(before, after, out)?,
                    }
                }
            }
        }
        Ok(())
    }

    fn sign(&self, diff: &AttrDiff, out: &mut dyn Write) -> fmt::Result {
        let (sign, ink) = match (&diff.before, &diff.after) {
            (Shown::Absent, _) => ('+', Ink::Add),
            (_, Shown::Absent) => ('-', Ink::Remove),
            _ => ('~', Ink::Change),
        };
        write!(out, "{:INDENT$}{}", "", self.changes.style.ink(ink, sign))
    }

    /// `before → after` on one line, on two where it would not fit.
    fn short(&self, diff: &AttrDiff, mark: &str, pad: usize, out: &mut dyn Write) -> fmt::Result {
        let style = self.changes.style;
        let show = |shown| Text { shown, subject: self.subject }.to_string();
        let text = match (&diff.before, &diff.after) {
            (Shown::Absent, only) | (only, Shown::Absent) => {
                return writeln!(out, " {}{mark}", show(only));
            }
            (Shown::Sensitive, Shown::Sensitive) => {
                return writeln!(out, " (sensitive, changes){mark}");
            }
            (before, after) => (show(before), show(after)),
        };
        let arrow = style.ink(Ink::Change, style.arrow());
        let fits = pad + text.0.chars().count() + text.1.chars().count() + 6 <= style.width;
        if fits {
            writeln!(out, " {} {arrow} {}{mark}", text.0, text.1)
        } else {
            writeln!(out, " {}\n{:pad$} {arrow} {}{mark}", text.0, "", text.1)
        }
    }

    /// What stands behind the value: whether it forces a replacement, and its place where the
    /// header names another.
    fn mark(&self, diff: &AttrDiff, told: bool) -> String {
        let style = self.changes.style;
        let mut mark = String::new();
        if diff.forces_replace {
            mark = format!("  {}", style.ink(Ink::Remove, "# forces replacement"));
        }
        let place = if told { None } else { self.changes.place(diff.origin) };
        if let Some(place) = place.filter(|p| Some(p.as_str()) != self.place) {
            mark.push_str(&format!("  {}", style.ink(Ink::Dim, format_args!("# {place}"))));
        }
        mark
    }

    /// Whether a difference needs lines of its own.
    fn long<'d>(&self, diff: &'d AttrDiff) -> Option<Long<'d>> {
        let room = self.changes.style.width;
        let plain = |shown: &'d Shown| match shown {
            Shown::Value(value) if !value.is_sensitive() => Some(value),
            _ => None,
        };
        match (plain(&diff.before), plain(&diff.after)) {
            (Some(Value::Str(before)), Some(Value::Str(after))) => {
                let lines = before.contains('\n') || after.contains('\n');
                let wide = before.len().min(after.len()) > room;
                (lines || wide).then_some(Long::Texts(before, after))
            }
            (None, Some(Value::Str(after))) if matches!(diff.before, Shown::Absent) => {
                after.trim_end().contains('\n').then_some(Long::Texts("", after))
            }
            (Some(before), Some(after)) if has_keys(before) && has_keys(after) => {
                let length = |shown| Text { shown, subject: self.subject }.to_string().len();
                let wide = length(&diff.before) + length(&diff.after) > room;
                wide.then_some(Long::Values(before, after))
            }
            (Some(Value::List(before)), Some(Value::List(after))) => {
                let length = |shown| Text { shown, subject: self.subject }.to_string().len();
                let wide = length(&diff.before) + length(&diff.after) > room;
                wide.then_some(Long::Lists(before, after))
            }
            _ => None,
        }
    }
}

enum Long<'a> {
    /// What has keys: compared by them.
    Values(&'a Value, &'a Value),
    Texts(&'a str, &'a str),
    Lists(&'a [Value], &'a [Value]),
}

/// Whether it is a map, or a list with maps in it.
fn has_keys(value: &Value) -> bool {
    match value {
        Value::Map(_) => true,
        Value::List(items) => items.iter().any(|item| matches!(item, Value::Map(_))),
        _ => false,
    }
}

/// A value as a plan may show it, as text.
struct Text<'a> {
    shown: &'a Shown,
    /// Whose attribute it is.
    subject: &'a Address,
}

impl fmt::Display for Text<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shown {
            Shown::Value(value) => clean(value).fmt(f),
            Shown::AfterApply(of) if of == self.subject => f.write_str("(known after apply)"),
            Shown::AfterApply(of) => write!(f, "{} (known after apply)", clean(of)),
            Shown::Sensitive => f.write_str("(sensitive)"),
            Shown::Absent => f.write_str("null"),
        }
    }
}
