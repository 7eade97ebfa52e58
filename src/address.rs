//! Names of things: `host.kvm["01"]`, `module.hall.zone.east`, and for attachments and parts
//! `local_primary_storage.scratch.clusters["cluster.a"]`.
//!
//! In: text or pieces. Out: [`Address`], cheap to clone, ordered by its text. Knows nothing of
//! schemas: whether a type or label exists is decided by `config::resolve`.

pub mod prefix;

use std::fmt;
use std::sync::Arc;

/// Where an object stands in the configuration and the state. Two addresses are equal exactly
/// when their canonical texts are; the text is what people see, what is stored and what is hashed.
#[derive(Clone)]
pub struct Address(Arc<Inner>);

struct Inner {
    text: Box<str>,
    modules: Arc<[ModuleStep]>,
    kind: Arc<str>,
    label: Arc<str>,
    key: Option<Arc<str>>,
    member: Option<Member>,
}

/// One `module.NAME` or `module.NAME["key"]` in front of a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ModuleStep {
    pub name: Arc<str>,
    pub key: Option<Arc<str>>,
}

/// The attachment or part of a resource: `.clusters["cluster.a"]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Member {
    /// Name of the link or part, as the owner's schema has it.
    pub name: Arc<str>,
    /// Address of the other end (of a link), its id when that is foreign, or the key of a part.
    pub key: Arc<str>,
}

/// Why a text is no address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address: {reason}")]
pub struct AddressError {
    pub text: String,
    pub reason: &'static str,
}

impl Address {
    /// `TYPE.LABEL` in the root module.
    pub fn new(kind: &str, label: &str) -> Self {
        Self::build(Arc::default(), kind.into(), label.into(), None, None)
    }

    /// `TYPE.LABEL` in the module at this path.
    pub fn in_module(path: &Arc<[ModuleStep]>, kind: &Arc<str>, label: &Arc<str>) -> Self {
        Self::build(path.clone(), kind.clone(), label.clone(), None, None)
    }

    /// The instance `TYPE.LABEL["key"]` of this resource.
    pub fn instance(&self, key: &str) -> Self {
        let i = &self.0;
        Self::build(i.modules.clone(), i.kind.clone(), i.label.clone(), Some(key.into()), None)
    }

    /// The attachment or part `NAME["key"]` of this resource.
    pub fn member(&self, name: &str, key: &str) -> Self {
        let i = &self.0;
        let member = Member { name: name.into(), key: key.into() };
        Self::build(i.modules.clone(), i.kind.clone(), i.label.clone(), i.key.clone(), Some(member))
    }

    /// The same name one module further in, seen from outside.
    pub fn within(&self, step: ModuleStep) -> Self {
        let i = &self.0;
        let modules = std::iter::once(step).chain(i.modules.iter().cloned()).collect();
        Self::build(modules, i.kind.clone(), i.label.clone(), i.key.clone(), i.member.clone())
    }

    /// The resource that an attachment or part belongs to; a resource is its own owner.
    pub fn owner(&self) -> Self {
        let i = &self.0;
        if i.member.is_none() {
            return self.clone();
        }
        Self::build(i.modules.clone(), i.kind.clone(), i.label.clone(), i.key.clone(), None)
    }

    /// The resource without its instance key: what one block declares.
    pub fn block(&self) -> Self {
        let i = &self.0;
        Self::build(i.modules.clone(), i.kind.clone(), i.label.clone(), None, None)
    }

    fn build(
        modules: Arc<[ModuleStep]>,
        kind: Arc<str>,
        label: Arc<str>,
        key: Option<Arc<str>>,
        member: Option<Member>,
    ) -> Self {
        let mut text = String::with_capacity(kind.len() + label.len() + 16);
        for step in modules.iter() {
            text.push_str("module.");
            text.push_str(&step.name);
            push_key(&mut text, step.key.as_deref());
            text.push('.');
        }
        text.push_str(&kind);
        text.push('.');
        text.push_str(&label);
        push_key(&mut text, key.as_deref());
        if let Some(m) = &member {
            text.push('.');
            text.push_str(&m.name);
            push_key(&mut text, Some(&m.key));
        }
        Self(Arc::new(Inner { text: text.into(), modules, kind, label, key, member }))
    }

    /// The canonical text.
    pub fn as_str(&self) -> &str {
        &self.0.text
    }
    /// The resource type (`host`), for a member that of its owner.
    pub fn kind(&self) -> &str {
        &self.0.kind
    }
    pub fn label(&self) -> &str {
        &self.0.label
    }
    /// The instance key, if the block has `for_each` or `count`.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }
    pub fn member_of(&self) -> Option<&Member> {
        self.0.member.as_ref()
    }
    /// What an object is called where nobody names it: the label, for an instance LABEL-KEY.
    pub fn default_name(&self) -> String {
        match self.key() {
            Some(key) => format!("{}-{key}", self.label()),
            None => self.label().to_owned(),
        }
    }
    pub fn modules(&self) -> &[ModuleStep] {
        &self.0.modules
    }

    /// Reads an address: the inverse of its text. Keys may be written `["k"]`, `['k']` or as a
    /// bare number `[3]`.
    ///
    /// # Errors
    /// [`AddressError`] with what was expected.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fail = |reason| AddressError { text: text.to_owned(), reason };
        let mut parts = split(text).map_err(fail)?.into_iter().peekable();
        let mut modules = Vec::new();
        while parts.peek().is_some_and(|p| p.name == "module") {
            let word = parts.next().ok_or_else(|| fail("empty"))?;
            let name = parts.next().ok_or_else(|| fail("a module name must follow `module.`"))?;
            if word.key.is_some() {
                return Err(fail("`module` takes no key; its name does"));
            }
            modules.push(ModuleStep { name: name.name.into(), key: name.key.map(Into::into) });
        }
        let kind = parts.next().ok_or_else(|| fail("expected TYPE.LABEL"))?;
        let label = parts.next().ok_or_else(|| fail("expected TYPE.LABEL, found no `.`"))?;
        if kind.key.is_some() {
            return Err(fail("a key stands after the label: TYPE.LABEL[\"key\"]"));
        }
        let member = match parts.next() {
            None => None,
            Some(p) => {
                let key =
                    p.key.ok_or_else(|| fail("an attachment or part needs a key: .NAME[\"…\"]"))?;
                Some(Member { name: p.name.into(), key: key.into() })
            }
        };
        if parts.next().is_some() {
            return Err(fail("too many parts"));
        }
        Ok(Self::build(
            modules.into(),
            kind.name.into(),
            label.name.into(),
            label.key.map(Into::into),
            member,
        ))
    }
}

/// Whether a text can be a type, label, variable or module name: a letter or `_`, then letters,
/// digits, `_` or `-`. Letters of every script count.
pub fn is_identifier(text: &str) -> bool {
    let mut chars = text.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_' || c == '-')
}

struct Piece<'a> {
    name: &'a str,
    key: Option<String>,
}

fn split(text: &str) -> Result<Vec<Piece<'_>>, &'static str> {
    let mut pieces = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let name = &rest[..end];
        if !is_identifier(name) {
            return Err("names are letters, digits, `_` and `-`, and start with a letter");
        }
        rest = &rest[end..];
        let key = if rest.starts_with('[') {
            let (key, after) = read_key(rest)?;
            rest = after;
            Some(key)
        } else {
            None
        };
        pieces.push(Piece { name, key });
        match rest.strip_prefix('.') {
            Some(more) => rest = more,
            None if rest.is_empty() => return Ok(pieces),
            None => return Err("expected `.` or `[` after a name"),
        }
    }
}

fn read_key(text: &str) -> Result<(String, &str), &'static str> {
    const OPEN: &str = "a key is written [\"…\"]";
    let inner = text.strip_prefix('[').ok_or(OPEN)?;
    let quote = inner.chars().next().ok_or(OPEN)?;
    if quote != '"' && quote != '\'' {
        let end = inner.find(']').ok_or("missing `]`")?;
        let digits = &inner[..end];
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(OPEN);
        }
        return Ok((digits.to_owned(), &inner[end + 1..]));
    }
    let mut key = String::new();
    let mut chars = inner.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        if c == quote {
            let rest = inner[at + 1..].strip_prefix(']').ok_or("missing `]` after the key")?;
            return Ok((key, rest));
        }
        key.push(match c {
            '\\' if quote == '"' => match chars.next() {
                Some((_, 'n')) => '\n',
                Some((_, 't')) => '\t',
                Some((_, 'r')) => '\r',
                Some((_, other)) => other,
                None => return Err("the key is not closed"),
            },
            c => c,
        });
    }
    Err("the key is not closed")
}

fn push_key(text: &mut String, key: Option<&str>) {
    let Some(key) = key else { return };
    text.push_str("[\"");
    for c in key.chars() {
        match c {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\t' => text.push_str("\\t"),
            '\r' => text.push_str("\\r"),
            c => text.push(c),
        }
    }
    text.push_str("\"]");
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0.text)
    }
}
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.text)
    }
}
impl PartialEq for Address {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0) || self.0.text == other.0.text
    }
}
impl Eq for Address {}
impl std::hash::Hash for Address {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.0.text.hash(state);
    }
}
impl PartialOrd for Address {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Address {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.text.cmp(&other.0.text)
    }
}
impl std::str::FromStr for Address {
    type Err = AddressError;
    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text)
    }
}
impl serde::Serialize for Address {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&self.0.text)
    }
}
impl<'de> serde::Deserialize<'de> for Address {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_pieces_are_inverse() {
        for text in [
            "zone.east",
            "host.kvm[\"01\"]",
            "module.hall_a.host.kvm[\"01\"]",
            "module.hall[\"a b\"].zone.z",
            "local_primary_storage.scratch.clusters[\"cluster.rack[\\\"a\\\"]\"]",
            "zone.数据中心",
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!(address.as_str(), text);
            assert_eq!(Address::parse(address.as_str()), Ok(address));
        }
    }

    #[test]
    fn a_member_knows_its_owner_and_key() {
        let cluster = Address::new("cluster", "rack").instance("a");
        let link = Address::new("nfs_primary_storage", "s").member("clusters", cluster.as_str());
        let read = Address::parse(link.as_str()).expect("round trip");
        assert_eq!(read.owner().as_str(), "nfs_primary_storage.s");
        let key = &read.member_of().expect("member").key;
        assert_eq!(Address::parse(key), Ok(cluster));
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for text in [
            "",
            "zone",
            "zone.",
            ".east",
            "zone.east.",
            "a.b.c",
            "a.b[",
            "a.b[\"x]",
            "a.b[x]",
            "zone.e st",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }
}
