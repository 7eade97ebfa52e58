//! What a `[[moved]]` or `[[removed]]` names: a module, a block or one instance, with all in it.
//!
//! In: text such as `module.hall`, `host.kvm` or `host.kvm["01"]`. Out: [`Prefix`], which says
//! whether an address is under it, and [`Renames`], which gives addresses other ones. Knows
//! neither configuration nor state.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use super::{Address, AddressError, ModuleStep, push_key, split};

/// The first part of addresses, up to a module, a block or an instance. Without a key at its end it
/// stands for all instances, or for the one that has no key: what it is used for decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prefix {
    modules: Vec<ModuleStep>,
    resource: Option<Resource>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Resource {
    kind: Arc<str>,
    label: Arc<str>,
    key: Option<Arc<str>>,
}

impl Prefix {
    /// Reads the text that [`fmt::Display`] writes.
    ///
    /// # Errors
    /// [`AddressError`]; also for an attachment or part, which follows its resource.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let fail = |reason| AddressError { text: text.to_owned(), reason };
        let mut pieces = split(text).map_err(fail)?.into_iter().peekable();
        let mut modules = Vec::new();
        while let Some(word) = pieces.next_if(|piece| piece.name == "module") {
            let name = pieces.next().ok_or_else(|| fail("a module name must follow `module.`"))?;
            if word.key.is_some() {
                return Err(fail("`module` takes no key; its name does"));
            }
            modules.push(ModuleStep { name: name.name.into(), key: name.key.map(Into::into) });
        }
        let Some(kind) = pieces.next() else { return Ok(Self { modules, resource: None }) };
        let label = pieces.next().ok_or_else(|| fail("expected TYPE.LABEL, found no `.`"))?;
        if kind.key.is_some() {
            return Err(fail("a key stands after the label: TYPE.LABEL[\"key\"]"));
        }
        if pieces.next().is_some() {
            return Err(fail("an attachment or part follows its resource: name that"));
        }
        let key = label.key.map(Into::into);
        let resource = Resource { kind: kind.name.into(), label: label.name.into(), key };
        Ok(Self { modules, resource: Some(resource) })
    }

    /// One resource, with what belongs to it.
    pub fn resource(address: &Address) -> Self {
        let i = &address.0;
        let resource =
            Resource { kind: i.kind.clone(), label: i.label.clone(), key: i.key.clone() };
        Self { modules: i.modules.to_vec(), resource: Some(resource) }
    }

    /// The first modules that an address is in.
    pub fn module(steps: &[ModuleStep]) -> Self {
        Self { modules: steps.to_vec(), resource: None }
    }

    /// The same seen from outside of these modules.
    #[must_use]
    pub fn within(mut self, outer: &[ModuleStep]) -> Self {
        self.modules.splice(0..0, outer.iter().cloned());
        self
    }

    /// The same without the key at its end.
    #[must_use]
    pub fn whole(mut self) -> Self {
        match (&mut self.resource, self.modules.last_mut()) {
            (Some(resource), _) => resource.key = None,
            (None, Some(module)) => module.key = None,
            (None, None) => {}
        }
        self
    }

    /// The resource type; `None` for a module.
    pub fn kind(&self) -> Option<&str> {
        self.resource.as_ref().map(|resource| &*resource.kind)
    }

    /// The key at its end.
    pub fn key(&self) -> Option<&str> {
        match &self.resource {
            Some(resource) => resource.key.as_deref(),
            None => self.modules.last()?.key.as_deref(),
        }
    }

    /// The address with this text; `None` for a module.
    pub fn address(&self) -> Option<Address> {
        let resource = self.resource.clone()?;
        let Resource { kind, label, key } = resource;
        Some(Address::build(self.modules.clone().into(), kind, label, key, None))
    }

    /// Whether an address is under it. Without a key at its end: `all` instances, or the one that
    /// has none.
    pub fn covers(&self, address: &Address, all: bool) -> bool {
        let i = &address.0;
        let depth = self.modules.len();
        let Some(modules) = i.modules.get(..depth) else { return false };
        let same_key = |mine: &Option<Arc<str>>, its: &Option<Arc<str>>| {
            mine == its || (all && mine.is_none())
        };
        let (inner, last) = match (&self.resource, self.modules.split_last()) {
            (None, Some((last, inner))) => (inner, Some(last)),
            _ => (&self.modules[..], None),
        };
        if modules.get(..inner.len()) != Some(inner) {
            return false;
        }
        if let Some((mine, its)) = last.zip(modules.last())
            && (mine.name != its.name || !same_key(&mine.key, &its.key))
        {
            return false;
        }
        self.resource.as_ref().is_none_or(|mine| {
            i.modules.len() == depth
                && mine.kind == i.kind
                && mine.label == i.label
                && same_key(&mine.key, &i.key)
        })
    }

    /// The address that one under this prefix has under another. `all`: keys at the end stay.
    fn exchanged(&self, address: &Address, to: &Self, all: bool) -> Address {
        let i = &address.0;
        let mut modules = to.modules.clone();
        let (kind, label, key) = match &to.resource {
            Some(to) => {
                let key = if all { i.key.clone() } else { to.key.clone() };
                (to.kind.clone(), to.label.clone(), key)
            }
            None => {
                if let (true, Some(last)) = (all, modules.last_mut()) {
                    let old = self.modules.len().checked_sub(1).and_then(|at| i.modules.get(at));
                    last.key = old.and_then(|step| step.key.clone());
                }
                modules.extend(i.modules.iter().skip(self.modules.len()).cloned());
                (i.kind.clone(), i.label.clone(), i.key.clone())
            }
        };
        Address::build(modules.into(), kind, label, key, i.member.clone())
    }
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::new();
        for step in &self.modules {
            text.push_str(if text.is_empty() { "module." } else { ".module." });
            text.push_str(&step.name);
            push_key(&mut text, step.key.as_deref());
        }
        if let Some(resource) = &self.resource {
            if !text.is_empty() {
                text.push('.');
            }
            text.push_str(&resource.kind);
            text.push('.');
            text.push_str(&resource.label);
            push_key(&mut text, resource.key.as_deref());
        }
        f.pad(&text)
    }
}

/// The same address with or without `["0"]` wherever `counted` says: of a module or block, named
/// without the key at its end, whether `count` gives it keys, or `None` if it has none by anything.
/// `None` if that changes nothing.
pub fn by_count(address: &Address, counted: impl Fn(&Prefix) -> Option<bool>) -> Option<Address> {
    let i = &address.0;
    let keys = i.modules.iter().map(|step| &step.key).chain([&i.key]);
    if !keys.clone().any(|key| key.as_deref().is_none_or(|key| key == FIRST)) {
        return None;
    }
    let exchanged =
        |prefix: &Prefix, key: &Option<Arc<str>>| match (key.as_deref(), counted(prefix)) {
            (None, Some(true)) => Some(FIRST.into()),
            (Some(FIRST), None) => None,
            _ => key.clone(),
        };
    let mut now = Prefix { modules: Vec::with_capacity(i.modules.len()), resource: None };
    for step in i.modules.iter() {
        now.modules.push(ModuleStep { name: step.name.clone(), key: None });
        let key = exchanged(&now, &step.key);
        if let Some(last) = now.modules.last_mut() {
            last.key = key;
        }
    }
    let (kind, label) = (i.kind.clone(), i.label.clone());
    now.resource = Some(Resource { kind, label, key: None });
    let key = exchanged(&now, &i.key);
    let modules: Arc<[ModuleStep]> = now.modules.into();
    let same = modules == i.modules && key == i.key;
    let (kind, label, member) = (i.kind.clone(), i.label.clone(), i.member.clone());
    (!same).then(|| Address::build(modules, kind, label, key, member))
}

/// The key of the first instance by `count`.
const FIRST: &str = "0";

/// Many renames, found by address in a few look-ups, whatever their number.
#[derive(Clone, Debug, Default)]
pub struct Renames {
    all: Vec<(Prefix, Prefix)>,
    /// By what they are from; with whether that stands for all instances.
    index: HashMap<(String, bool), usize>,
}

/// Why an address cannot be given another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ring {
    /// A rename that leads back to where it was.
    pub at: usize,
}

/// Whether a rename is of all instances: neither end has a key.
pub fn of_all(from: &Prefix, to: &Prefix) -> bool {
    from.key().is_none() && to.key().is_none()
}

impl Renames {
    /// Of two renames of the same thing the first counts.
    pub fn new(all: impl IntoIterator<Item = (Prefix, Prefix)>) -> Self {
        let all: Vec<_> = all.into_iter().collect();
        let mut index = HashMap::with_capacity(all.len());
        for (at, (from, to)) in all.iter().enumerate() {
            index.entry((from.to_string(), of_all(from, to))).or_insert(at);
        }
        Self { all, index }
    }

    /// Where an address ends up, with the last rename that moved it; `None` if none does. The most specific goes first: an instance, its block, its modules from the innermost
    /// outwards.
    ///
    /// # Errors
    /// [`Ring`].
    pub fn follow(&self, address: &Address) -> Result<Option<(Address, usize)>, Ring> {
        let mut now: Option<(Address, usize)> = None;
        let mut used = Vec::new();
        loop {
            let current = now.as_ref().map_or(address, |(address, _)| address);
            let Some(at) = self.find(current) else { return Ok(now) };
            if used.contains(&at) {
                return Err(Ring { at });
            }
            used.push(at);
            let (from, to) = &self.all[at];
            now = Some((from.exchanged(current, to, of_all(from, to)), at));
        }
    }

    fn find(&self, address: &Address) -> Option<usize> {
        names(address).find_map(|name| self.index.get(&name).copied())
    }
}

/// What an address is under: each prefix as text, and whether that stands for all instances. The
/// most specific first.
pub fn names(address: &Address) -> impl Iterator<Item = (String, bool)> {
    let steps = address.modules();
    let modules = (1..=steps.len()).rev().filter_map(|n| steps.get(..n)).map(Prefix::module);
    std::iter::once(Prefix::resource(address))
        .chain(modules)
        .flat_map(|prefix| [(prefix.to_string(), false), (prefix.whole().to_string(), true)])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Address {
        Address::parse(text).expect(text)
    }
    fn prefix(text: &str) -> Prefix {
        Prefix::parse(text).expect(text)
    }
    fn renames(all: &[(&str, &str)]) -> Renames {
        Renames::new(all.iter().map(|(from, to)| (prefix(from), prefix(to))))
    }
    fn follow(renames: &Renames, text: &str) -> Option<String> {
        let end = renames.follow(&address(text)).expect("no ring");
        end.map(|(to, ..)| to.to_string())
    }

    #[test]
    fn text_and_prefix_are_inverse() {
        for text in ["module.a", "module.a[\"x y\"].module.b", "host.kvm", "module.a.host.k[\"1\"]"]
        {
            assert_eq!(prefix(text).to_string(), text);
        }
        for text in ["", "module", "host", "host.a.b", "host.a.links[\"x\"]", "module[\"x\"].a"] {
            assert!(Prefix::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_prefix_covers_what_is_in_it() {
        let covers = |of: &str, text: &str| {
            let (prefix, address) = (prefix(of), address(text));
            (prefix.covers(&address, true), prefix.covers(&address, false))
        };
        assert_eq!(covers("host.kvm", "host.kvm"), (true, true));
        assert_eq!(covers("host.kvm", "host.kvm[\"01\"]"), (true, false));
        assert_eq!(covers("host.kvm[\"01\"]", "host.kvm[\"01\"].tags[\"x\"]"), (true, true));
        assert_eq!(covers("host.kvm[\"01\"]", "host.kvm[\"02\"]"), (false, false));
        assert_eq!(covers("host.kvm", "module.a.host.kvm"), (false, false));
        assert_eq!(covers("module.a", "module.a[\"x\"].host.kvm"), (true, false));
        assert_eq!(covers("module.a", "module.a.module.b.host.kvm"), (true, true));
        assert_eq!(covers("module.a.module.b", "module.a[\"1\"].module.b.z.z"), (false, false));
        assert_eq!(covers("module.a", "zone.a"), (false, false));
    }

    #[test]
    fn blocks_instances_and_modules_are_renamed_with_what_is_in_them() {
        let all = renames(&[
            ("host.kvm", "host.node"),
            ("host.kvm[\"01\"]", "host.first"),
            ("zone.a", "zone.all[\"a\"]"),
            ("module.old", "module.new"),
            ("module.one", "module.many[\"x\"]"),
            ("module.new.zone.z", "zone.z"),
        ]);
        assert_eq!(follow(&all, "host.kvm[\"02\"]").as_deref(), Some("host.node[\"02\"]"));
        assert_eq!(follow(&all, "host.kvm[\"01\"]").as_deref(), Some("host.first"));
        assert_eq!(
            follow(&all, "host.kvm[\"02\"].tags[\"t\"]").as_deref(),
            Some("host.node[\"02\"].tags[\"t\"]")
        );
        assert_eq!(follow(&all, "zone.a").as_deref(), Some("zone.all[\"a\"]"));
        assert_eq!(follow(&all, "zone.a[\"b\"]"), None);
        assert_eq!(
            follow(&all, "module.old[\"k\"].module.in.host.h[\"1\"]").as_deref(),
            Some("module.new[\"k\"].module.in.host.h[\"1\"]")
        );
        assert_eq!(follow(&all, "module.one.zone.q").as_deref(), Some("module.many[\"x\"].zone.q"));
        assert_eq!(follow(&all, "module.old.zone.z").as_deref(), Some("zone.z"), "a chain");
        assert_eq!(follow(&all, "zone.z"), None);
    }

    #[test]
    fn a_ring_is_noticed() {
        let all = renames(&[("zone.a", "zone.b"), ("zone.b", "zone.c"), ("zone.c", "zone.a")]);
        assert_eq!(all.follow(&address("zone.b")), Err(Ring { at: 1 }));
    }
}
