//! Look-ups of `[data.TYPE.LABEL]` tables: many tables, few requests.
//!
//! In: what was asked. Out: for each the rows among which are all that it means; whoever asked
//! judges them, because a server compares loosely. A condition goes to the server only where its
//! text cannot be read as another operator (ZStack looks for one anywhere in a condition,
//! reference 1.7). Tables of one type share a query where one attribute tells them apart, and one
//! list when any of them needs it or their conditions are too many.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::ObserveError;
use super::inventory::whole;
use super::reader::{Reader, all};
use crate::config::{Lookup, Term};
use crate::inventory::LiveObject;
use crate::provider::{Ask, Connection, Fault, FaultKind};
use crate::schema::{
    AttrIx, IdRule, Kind, Piece, ResourceType, Schemas, Target, TypeIx, UniqueItem,
};

/// Rows for each look-up; those of one request are shared.
pub type Answers = BTreeMap<Lookup, Arc<Vec<LiveObject>>>;

/// Answers the look-ups that are for this connection's provider.
///
/// # Errors
/// The first failed request in the order of types: then nothing is to be believed.
pub async fn look_up(
    connection: &Connection,
    schemas: &Schemas,
    asked: &BTreeSet<Lookup>,
) -> Result<Answers, ObserveError> {
    let mut by_type: BTreeMap<TypeIx, Vec<&Lookup>> = BTreeMap::new();
    for lookup in asked.iter().filter(|l| l.provider == *connection.name()) {
        by_type.entry(lookup.ty).or_default().push(lookup);
    }
    let mut answers = Answers::new();
    for (ix, lookups) in by_type {
        let ty = schemas.get(ix);
        let failed = |fault| ObserveError {
            provider: connection.name().clone(),
            kind: ty.name.clone(),
            fault,
        };
        let work = requests(connection, ty, &lookups).map_err(failed)?;
        let work = work.into_iter().map(|request| request.answer(connection.clone(), ty.clone()));
        for (lookups, rows) in all(work).await.map_err(failed)? {
            answers.extend(lookups.into_iter().map(|lookup| (lookup, rows.clone())));
        }
    }
    Ok(answers)
}

/// One request, perhaps of many pages or batches of ids, and whom it answers.
struct Request {
    lookups: Vec<Lookup>,
    what: What,
}

enum What {
    /// A query with these conditions on top of the type's own; none: the whole list.
    Query(Vec<String>),
    Ids(BTreeSet<Arc<str>>),
    /// A call that is no query.
    Plain(Target),
}

impl Request {
    async fn answer(
        self,
        connection: Connection,
        ty: Arc<ResourceType>,
    ) -> Result<(Vec<Lookup>, Arc<Vec<LiveObject>>), Fault> {
        let reader = Reader::new(&connection, &ty);
        let rows = match self.what {
            What::Ids(ids) => reader.by_ids(&ids).await?,
            What::Plain(target) => reader.at(target).ask(&[], Ask::Plain).await?.rows,
            What::Query(conditions) => {
                let mut target = ty.read.target.clone();
                let condition = |text: String| (QUERY.to_owned(), vec![Piece::Lit(text.into())]);
                target.query.extend(conditions.into_iter().map(condition));
                whole(&reader.at(target), ty.id != IdRule::None).await?
            }
        };
        Ok((self.lookups, Arc::new(rows)))
    }
}

/// The parameter of a condition.
const QUERY: &str = "q";

fn requests(
    connection: &Connection,
    ty: &ResourceType,
    lookups: &[&Lookup],
) -> Result<Vec<Request>, Fault> {
    if ty.read.send.is_some() {
        return plain(connection, ty, lookups);
    }
    let keys: Vec<(&Lookup, Key)> = lookups.iter().map(|l| (*l, key(ty, l))).collect();
    if listed(keys.iter().map(|(_, key)| key), connection.limits().ids) {
        let lookups = lookups.iter().copied().cloned().collect();
        return Ok(vec![Request { lookups, what: What::Query(Vec::new()) }]);
    }
    let mut grouped: BTreeMap<Key, Vec<&Lookup>> = BTreeMap::new();
    for (lookup, key) in keys {
        grouped.entry(key).or_default().push(lookup);
    }
    Ok(grouped.into_iter().flat_map(|(key, group)| of_key(connection, ty, key, &group)).collect())
}

/// What look-ups can share a request by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Id,
    /// The values of this attribute.
    Attr(AttrIx),
    /// Conditions of its own.
    Own(Vec<String>),
    /// Nothing can be said to the server.
    None,
}

/// Whether one list of everything answers all: a table needs it anyway, or there are so many
/// conditions of their own that a request each would be the more expensive way.
fn listed<'k>(keys: impl Iterator<Item = &'k Key>, most: usize) -> bool {
    let mut own = BTreeSet::new();
    for key in keys {
        match key {
            Key::None => return true,
            Key::Own(conditions) => _ = own.insert(conditions),
            Key::Id | Key::Attr(_) => {}
        }
    }
    own.len() > most
}

fn key(ty: &ResourceType, lookup: &Lookup) -> Key {
    if lookup.id.is_some() {
        return Key::Id;
    }
    let safe = |(ix, term): &(AttrIx, Term)| condition(ty, *ix, term);
    let unique = ty.unique.iter().filter_map(|set| match set[..] {
        [UniqueItem::Attr(ix)] => Some(ix),
        _ => None,
    });
    let by = ty.find_attr("name").into_iter().chain(unique).find(|ix| {
        lookup.term(*ix).is_some_and(|term| condition(ty, *ix, term).is_some() && listable(term))
    });
    match by {
        Some(ix) => Key::Attr(ix),
        None => {
            let own: Vec<String> = lookup.filters.iter().filter_map(safe).collect();
            if own.is_empty() { Key::None } else { Key::Own(own) }
        }
    }
}

fn of_key(connection: &Connection, ty: &ResourceType, key: Key, group: &[&Lookup]) -> Vec<Request> {
    let cloned = |group: &[&Lookup]| group.iter().copied().cloned().collect();
    match key {
        Key::Id => {
            let ids = group.iter().filter_map(|l| l.id.clone()).collect();
            vec![Request { lookups: cloned(group), what: What::Ids(ids) }]
        }
        Key::Attr(ix) => {
            let wire = &ty.attr(ix).wire_read;
            batches(connection, ix, group)
                .into_iter()
                .map(|(lookups, values)| {
                    let operator = if values.len() == 1 { "=" } else { "?=" };
                    let values: Vec<&str> = values.iter().map(|v| &**v).collect();
                    let condition = format!("{wire}{operator}{}", values.join(","));
                    Request { lookups, what: What::Query(vec![condition]) }
                })
                .collect()
        }
        Key::Own(conditions) => {
            vec![Request { lookups: cloned(group), what: What::Query(conditions) }]
        }
        Key::None => Vec::new(),
    }
}

/// Room for values in a request line: it stays below 8 KiB with every byte encoded as three.
const ROOM: usize = 2000;

/// Look-ups by the values of one attribute, as many as one query bears.
fn batches(
    connection: &Connection,
    ix: AttrIx,
    group: &[&Lookup],
) -> Vec<(Vec<Lookup>, BTreeSet<Arc<str>>)> {
    let most = connection.limits().ids;
    let mut all: Vec<(Vec<Lookup>, BTreeSet<Arc<str>>)> = Vec::new();
    let mut used = usize::MAX;
    for lookup in group {
        let value = lookup.term(ix).and_then(|t| t.texts().into_iter().next()).unwrap_or_default();
        let fits = used.saturating_add(value.len()) <= ROOM;
        match all.last_mut() {
            Some((lookups, values)) if fits && values.len() < most => {
                lookups.push((*lookup).clone());
                used += value.len() + 1;
                values.insert(value);
            }
            _ => {
                used = value.len();
                all.push((vec![(*lookup).clone()], BTreeSet::from([value])));
            }
        }
    }
    all
}

/// The condition `WIRE=VALUE`, if no server can misread it: one plain value, and none of the
/// characters that operators, quotes and wildcards are made of.
fn condition(ty: &ResourceType, ix: AttrIx, term: &Term) -> Option<String> {
    let attr = ty.attr(ix);
    // An older server refuses a condition on a member that it does not have.
    let plain = attr.since.is_none()
        && !matches!(attr.kind, Kind::Set(_) | Kind::List(_) | Kind::Object(_));
    let [value] = &term.texts()[..] else { return None };
    let odd = |c: char| "=<>!~?'\"\\%".contains(c) || c.is_control();
    let word = value.contains("is null") || value.contains("not null");
    let blank = value.is_empty() || value.trim() != &**value;
    (plain && !value.contains(odd) && !word && !blank)
        .then(|| format!("{}={value}", attr.wire_read))
}

/// Whether a value can stand in a list of values, which is split at every comma.
fn listable(term: &Term) -> bool {
    term.texts().iter().all(|text| !text.contains(','))
}

/// Calls that are no queries: one per set of arguments, whatever else is filtered by.
fn plain(
    connection: &Connection,
    ty: &ResourceType,
    lookups: &[&Lookup],
) -> Result<Vec<Request>, Fault> {
    let mut grouped: BTreeMap<Vec<&(AttrIx, Term)>, Vec<Lookup>> = BTreeMap::new();
    for lookup in lookups {
        let arguments = lookup.filters.iter().filter(|(ix, _)| ty.argument(*ix)).collect();
        grouped.entry(arguments).or_default().push((*lookup).clone());
    }
    let made = grouped.into_iter().map(|(arguments, lookups)| {
        Ok(Request { lookups, what: What::Plain(target(connection, ty, &arguments)?) })
    });
    made.collect()
}

/// The call with its arguments filled in.
fn target(
    connection: &Connection,
    ty: &ResourceType,
    arguments: &[&(AttrIx, Term)],
) -> Result<Target, Fault> {
    let given = |name: &str| -> Vec<Arc<str>> {
        let of = |(ix, _): &&&(AttrIx, Term)| &*ty.attr(*ix).name == name;
        arguments.iter().find(of).map_or_else(Vec::new, |(_, term)| term.texts())
    };
    let mut target = ty.read.target.clone();
    for piece in &mut target.path {
        let Piece::Field(name) = piece else { continue };
        // Another text could address something else.
        let id = given(name).into_iter().find(|id| connection.is_id(id)).ok_or_else(|| {
            Fault::new(FaultKind::Invalid, format!("`{name}` of the table is no id"))
        })?;
        *piece = Piece::Lit(id);
    }
    for item in ty.read.send.iter().flatten() {
        let crate::schema::SendSource::Attr(ix) = item.source else { continue };
        let values = given(&ty.attr(ix).name).into_iter();
        let pair = |value| (item.wire.to_string(), vec![Piece::Lit(value)]);
        target.query.extend(values.map(pair));
    }
    Ok(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::load;

    fn host() -> Arc<ResourceType> {
        let schemas = load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
        schemas.by_name("host").expect("host").clone()
    }

    fn lookup(ty: &ResourceType, filters: &[(&str, &str)]) -> Lookup {
        let of = |(name, value): &(&str, &str)| {
            (ty.find_attr(name).expect(name), Term::Text((*value).into()))
        };
        let filters = filters.iter().map(of).collect();
        Lookup { provider: "zstack".into(), ty: TypeIx(0), id: None, filters }
    }

    /// Every operator of reference 1.7, quotes and wildcards stay with us.
    #[test]
    fn only_what_cannot_be_misread_is_asked() {
        let ty = host();
        let name = ty.find_attr("name").expect("name");
        let asked = |value: &str| condition(&ty, name, &Term::Text(value.into()));
        assert_eq!(asked("kvm01").as_deref(), Some("name=kvm01"));
        assert_eq!(asked("机房 a,b").as_deref(), Some("name=机房 a,b"));
        let misread = [
            "a=b", "a!=b", "a>=b", "a<=b", "a!?=b", "a!~=b", "a~=b", "a?=b", "a>b", "a<b",
            "is null", "not null", "it's", "\"", "\\", "50%", "", " a", "a ", "a\nb",
        ];
        for value in misread {
            assert_eq!(asked(value), None, "{value:?}");
        }
        let ip = ty.find_attr("management_ip").expect("management_ip");
        let term = Term::Text("10.0.0.1".into());
        assert_eq!(condition(&ty, ip, &term).as_deref(), Some("managementIp=10.0.0.1"));
    }

    #[test]
    fn many_conditions_of_their_own_are_one_list() {
        let own = |n: usize| Key::Own(vec![format!("status={n}")]);
        let few: Vec<Key> = (0..100).map(own).chain([own(7), Key::Id]).collect();
        assert!(!listed(few.iter(), 100));
        assert!(listed(few.iter().chain([&own(100)]), 100));
        assert!(listed([own(1), Key::None].iter(), 100));
    }

    #[test]
    fn names_and_unique_keys_share_requests() {
        let ty = host();
        let key = |filters: &[(&str, &str)]| key(&ty, &lookup(&ty, filters));
        let at = |name: &str| Key::Attr(ty.find_attr(name).expect(name));
        assert_eq!(key(&[("name", "a"), ("status", "Connected")]), at("name"));
        assert_eq!(key(&[("management_ip", "10.0.0.1")]), at("management_ip"));
        assert_eq!(key(&[("name", "a,b"), ("management_ip", "10.0.0.1")]), at("management_ip"));
        assert_eq!(key(&[("status", "Connected")]), Key::Own(vec!["status=Connected".to_owned()]));
        assert_eq!(key(&[("name", "a=b")]), Key::None);
        assert_eq!(key(&[]), Key::None);
        assert_eq!(key(&[("name", "a,b")]), Key::Own(vec!["name=a,b".to_owned()]));
        let by_id = Lookup { id: Some("1".into()), ..lookup(&ty, &[("name", "a")]) };
        assert_eq!(super::key(&ty, &by_id), Key::Id);
    }
}
