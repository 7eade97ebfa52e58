//! Which rows a query finds. In: conditions. Out: a page. Conditions on uuid, indexed members and
//! relations become sets of uuids; the smallest drives, the rest filters, so that a page of many
//! rows costs what the page costs. Must not know how rows are shown.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::Value;

use super::super::ServerVersion;
use super::super::clock::sql_date;
use super::super::errors::ApiError;
use super::super::store::{Relation, Row, Store, Table};
use super::parse::{Condition, Operator, Spec};
use super::{Child, DATES, View, Views};

type Uuids = BTreeSet<Arc<str>>;

/// The rows of one page; `total` counts all matches when the query asked for it.
pub struct Page<'a> {
    pub rows: Vec<&'a Row>,
    pub total: usize,
    pub child: Option<&'a Child>,
}

/// A condition ready to be tried.
enum Filter<'a> {
    Set(Cow<'a, Uuids>),
    Test(&'a Condition),
}

struct Matcher<'a> {
    store: &'a Store,
    view: &'a View,
    table: &'a Table,
    sets: Vec<Cow<'a, Uuids>>,
    tests: Vec<&'a Condition>,
}

/// Runs the query.
pub fn select<'a>(
    store: &'a Store,
    views: &Views,
    view: &'a View,
    spec: &'a Spec,
) -> Result<Page<'a>, ApiError> {
    let child = child(view, &spec.conditions);
    let named = spec.fields.iter().flatten().chain(spec.sort.iter().map(|(name, _)| name));
    for name in named {
        known(views.version, view, child, name)?;
    }
    let table = store.table(view.family.name);
    let mut matcher = Matcher { store, view, table, sets: Vec::new(), tests: Vec::new() };
    if let Some((member, value)) = view.only {
        matcher.sets.push(indexed(table, member, value));
    }
    for condition in &spec.conditions {
        match filter(store, views, view, child, condition)? {
            Filter::Set(set) => matcher.sets.push(set),
            Filter::Test(condition) => matcher.tests.push(condition),
        }
    }
    matcher.sets.sort_by_key(|set| set.len());
    let (rows, total) = matcher.page(spec);
    Ok(Page { rows, total, child })
}

impl<'a> Matcher<'a> {
    fn page(&self, spec: &Spec) -> (Vec<&'a Row>, usize) {
        let by_uuid = spec.sort.as_ref().is_none_or(|(name, _)| name == "uuid");
        if by_uuid && self.tests.is_empty() && self.sets.len() <= 1 {
            return self.slice(spec);
        }
        match spec.sort.as_ref().map(|(name, down)| (name.as_str(), *down)) {
            None | Some(("uuid", false)) => self.take(self.candidates(), spec),
            Some(("uuid", true)) => self.take(self.candidates().rev(), spec),
            Some((name, down)) => {
                let mut rows: Vec<&Row> = self
                    .candidates()
                    .filter(|(u, row)| self.fits(u, row))
                    .map(|(_, r)| r)
                    .collect();
                rows.sort_by(|a, b| {
                    let order = compare(a.get(name), b.get(name));
                    if down { order.reverse() } else { order }
                });
                let total = rows.len();
                (rows.into_iter().skip(spec.start).take(spec.limit).collect(), total)
            }
        }
    }

    /// A page of one set or of the whole table: rows before it are not looked at.
    fn slice(&self, spec: &Spec) -> (Vec<&'a Row>, usize) {
        let rows = self.table.rows();
        let (keys, total): (Box<dyn DoubleEndedIterator<Item = &Arc<str>>>, usize) =
            match self.sets.first() {
                None => (Box::new(rows.keys()), rows.len()),
                Some(set) => (Box::new(set.iter()), set.len()),
            };
        let found = |uuid: &Arc<str>| rows.get(uuid).map(|row| &**row);
        let down = spec.sort.as_ref().is_some_and(|(_, down)| *down);
        let page: Vec<&Row> = if down {
            keys.rev().skip(spec.start).take(spec.limit).filter_map(found).collect()
        } else {
            keys.skip(spec.start).take(spec.limit).filter_map(found).collect()
        };
        (page, total)
    }

    fn take(
        &self,
        candidates: impl Iterator<Item = (&'a Arc<str>, &'a Row)>,
        spec: &Spec,
    ) -> (Vec<&'a Row>, usize) {
        let counting = spec.count || spec.reply_with_count;
        let mut rows = Vec::new();
        let mut total = 0;
        for (uuid, row) in candidates {
            if !self.fits(uuid, row) {
                continue;
            }
            if total >= spec.start && rows.len() < spec.limit {
                rows.push(row);
            }
            total += 1;
            if !counting && rows.len() == spec.limit {
                break;
            }
        }
        (rows, total)
    }

    fn candidates(&self) -> Box<dyn DoubleEndedIterator<Item = (&'a Arc<str>, &'a Row)> + '_> {
        let rows = self.table.rows();
        match self.sets.first() {
            None => Box::new(rows.iter().map(|(uuid, row)| (uuid, &**row))),
            Some(set) => Box::new(
                set.iter()
                    .filter_map(move |uuid| rows.get_key_value(uuid))
                    .map(|(uuid, row)| (uuid, &**row)),
            ),
        }
    }

    fn fits(&self, uuid: &str, row: &Row) -> bool {
        self.sets.iter().skip(1).all(|set| set.contains(uuid))
            && self.tests.iter().all(|test| {
                if self.view.derived.contains(&test.name.as_str()) {
                    let mut computed = Row::new();
                    (self.view.derive)(self.store, row, &mut computed);
                    holds(test, computed.get(&test.name))
                } else {
                    holds(test, row.get(&test.name))
                }
            })
    }
}

/// `getQueryTargetInventoryClass`: an equality on the type switches to the sub-type.
fn child<'a>(view: &'a View, conditions: &[Condition]) -> Option<&'a Child> {
    let asked = |child: &&Child| {
        view.only == Some((child.member, child.value))
            || conditions.iter().any(|c| {
                c.operator == Operator::Eq && c.name == child.member && c.value == child.value
            })
    };
    view.children.iter().find(asked)
}

fn known(
    version: ServerVersion,
    view: &View,
    child: Option<&Child>,
    name: &str,
) -> Result<(), ApiError> {
    if view.has(version, child, name) {
        return Ok(());
    }
    let class = child.map_or(view.class, |c| c.class);
    Err(ApiError::internal(format!("inventory class[{class}] has no field[{name}]")))
}

fn filter<'a>(
    store: &'a Store,
    views: &Views,
    view: &'a View,
    child: Option<&Child>,
    condition: &'a Condition,
) -> Result<Filter<'a>, ApiError> {
    if condition.name.starts_with("__") {
        return super::super::zstack::tagged(store, view, condition)
            .map(|s| Filter::Set(Cow::Owned(s)));
    }
    if let Some((relation, rest)) = condition.name.split_once('.') {
        let rest = Condition { name: rest.to_owned(), ..condition.clone() };
        return nested(store, views, view, (relation, &rest))
            .map(|set| Filter::Set(Cow::Owned(set)));
    }
    known(views.version, view, child, &condition.name)?;
    let table = store.table(view.family.name);
    let name = condition.name.as_str();
    let by_key = name == "uuid" || (table.is_indexed(name) && !view.derived.contains(&name));
    Ok(match condition.operator {
        Operator::Eq if by_key => Filter::Set(indexed(table, name, &condition.value)),
        Operator::In if by_key => {
            let values = condition.value.split(',');
            Filter::Set(Cow::Owned(
                values.flat_map(|v| indexed(table, name, v).into_owned()).collect(),
            ))
        }
        _ => Filter::Test(condition),
    })
}

fn indexed<'a>(table: &'a Table, member: &str, value: &str) -> Cow<'a, Uuids> {
    if member == "uuid" {
        return Cow::Owned(table.key(value).cloned().into_iter().collect());
    }
    match table.with(member, value) {
        Some(set) => Cow::Borrowed(set),
        None => Cow::Owned(Uuids::new()),
    }
}

/// A condition over a relation: the matching rows of the other family, joined back.
fn nested(
    store: &Store,
    views: &Views,
    view: &View,
    (name, rest): (&str, &Condition),
) -> Result<Uuids, ApiError> {
    let no_field =
        || ApiError::internal(format!("inventory class[{}] has no field[{name}]", view.class));
    let relation = view.family.relations.iter().find(|(n, _)| *n == name).ok_or_else(no_field)?.1;
    let (Relation::One { family, .. }
    | Relation::Many { family, .. }
    | Relation::Through { family, .. }) = relation;
    let target = views.of_family(family).ok_or_else(no_field)?;
    let conditions = std::slice::from_ref(rest);
    let spec = Spec { conditions: conditions.to_vec(), limit: usize::MAX, ..Spec::default() };
    let found = select(store, views, target, &spec)?.rows;
    let ours = store.table(view.family.name);
    let text = |row: &Row, member: &str| super::super::store::text(row, member);
    Ok(match relation {
        Relation::One { member, .. } => found
            .iter()
            .filter_map(|row| text(row, "uuid"))
            .flat_map(|uuid| ours.with(member, &uuid).into_iter().flatten().cloned())
            .collect(),
        Relation::Many { member, .. } => found
            .iter()
            .filter_map(|row| text(row, member))
            .filter_map(|uuid| ours.key(&uuid).cloned())
            .collect(),
        Relation::Through { links, near, far, .. } => found
            .iter()
            .filter_map(|row| text(row, "uuid"))
            .flat_map(|uuid| store.table(links).find(far, &uuid).collect::<Vec<_>>())
            .filter_map(|link| text(link, near))
            .filter_map(|uuid| ours.key(&uuid).cloned())
            .collect(),
    })
}

/// SQL's three-valued logic: null fits nothing but `is null`. A list fits if one of its elements
/// does. Equality is exact; MySQL's default collation would also ignore case (not observed, and no
/// client should lean on it).
fn holds(condition: &Condition, value: Option<&Value>) -> bool {
    let value = value.filter(|v| !v.is_null());
    match (condition.operator, value) {
        (Operator::IsNull, _) => value.is_none(),
        (Operator::NotNull, _) => value.is_some(),
        (_, None) => false,
        (_, Some(Value::Array(items))) => items.iter().any(|item| holds(condition, Some(item))),
        (operator, Some(value)) => {
            let is = |text: &str| against(condition, value, text) == Ordering::Equal;
            match operator {
                Operator::In => condition.value.split(',').any(is),
                Operator::NotIn => !condition.value.split(',').any(is),
                Operator::Like => like(&condition.value, &plain(condition, value)),
                Operator::NotLike => !like(&condition.value, &plain(condition, value)),
                other => {
                    let order = against(condition, value, &condition.value);
                    match other {
                        Operator::Eq => order == Ordering::Equal,
                        Operator::NotEq => order != Ordering::Equal,
                        Operator::Gt => order == Ordering::Greater,
                        Operator::GtEq => order != Ordering::Less,
                        Operator::Lt => order == Ordering::Less,
                        _ => order != Ordering::Greater,
                    }
                }
            }
        }
    }
}

fn plain(condition: &Condition, value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if DATES.contains(&condition.name.as_str()) => {
            sql_date(number.as_i64().unwrap_or_default())
        }
        other => other.to_string(),
    }
}

fn against(condition: &Condition, value: &Value, text: &str) -> Ordering {
    match (value, text.trim().parse::<f64>()) {
        (Value::String(ours), _) => ours.as_str().cmp(text),
        (Value::Number(number), Ok(theirs)) => {
            number.as_f64().and_then(|ours| ours.partial_cmp(&theirs)).unwrap_or(Ordering::Less)
        }
        _ => plain(condition, value).as_str().cmp(text),
    }
}

/// SQL `like`: `%` any run, `_` one character.
pub fn like(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let (mut p, mut t, mut retry) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some('%') => {
                retry = Some((p + 1, t));
                p += 1;
            }
            Some(c) if *c == '_' || *c == text[t] => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((after, from)) => {
                    retry = Some((after, from + 1));
                    (p, t) = (after, from + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|c| *c == '%')
}

fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a, b) {
        (Some(Value::String(a)), Some(Value::String(b))) => a.cmp(b),
        (Some(Value::Number(a)), Some(Value::Number(b))) => {
            a.as_f64().partial_cmp(&b.as_f64()).unwrap_or(Ordering::Equal)
        }
        (None, None) => Ordering::Equal,
        (None, _) => Ordering::Less,
        (_, None) => Ordering::Greater,
        (Some(a), Some(b)) => a.to_string().cmp(&b.to_string()),
    }
}
