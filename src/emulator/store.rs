//! The emulator's objects. In: rows put and deleted within a transaction. Out: rows by uuid, by
//! indexed member, in uuid order, and the log records of the transaction. Must not know HTTP or
//! what a row means.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use serde_json::{Map, Value, json};

/// The members of an object, under their wire names; dates are milliseconds.
pub type Row = Map<String, Value>;

/// How a family refers to another in nested query conditions (`cluster.zone.name=…`).
#[derive(Debug, Clone, Copy)]
pub enum Relation {
    /// A member of ours holds the uuid of a row of `family`.
    One { member: &'static str, family: &'static str },
    /// Rows of `family` hold our uuid in `member`.
    Many { family: &'static str, member: &'static str },
    /// A link family holds our uuid in `near` and the other's in `far`.
    Through { links: &'static str, near: &'static str, far: &'static str, family: &'static str },
}

/// A kind of row.
#[derive(Debug)]
pub struct Family {
    pub name: &'static str,
    /// The entity class that SYS.1003 names; empty for what is not a resource (`ResourceVO`), such
    /// as jobs, sessions and links: their keys do not collide with uuids of resources.
    pub vo: &'static str,
    /// Members by which rows are found at once.
    pub indexes: &'static [&'static str],
    /// Whether a deleted row's uuid stays taken (views over `*EO` tables).
    pub soft_delete: bool,
    pub relations: &'static [(&'static str, Relation)],
}

type Uuids = BTreeSet<Arc<str>>;

/// All rows of a family.
#[derive(Debug)]
pub struct Table {
    pub family: &'static Family,
    rows: BTreeMap<Arc<str>, Arc<Row>>,
    indexes: HashMap<&'static str, HashMap<String, Uuids>>,
}

impl Table {
    fn new(family: &'static Family) -> Self {
        let indexes = family.indexes.iter().map(|name| (*name, HashMap::new())).collect();
        Table { family, rows: BTreeMap::new(), indexes }
    }

    pub fn get(&self, uuid: &str) -> Option<&Arc<Row>> {
        self.rows.get(uuid)
    }

    pub fn key(&self, uuid: &str) -> Option<&Arc<str>> {
        self.rows.get_key_value(uuid).map(|(key, _)| key)
    }

    /// Rows in uuid order.
    pub fn rows(&self) -> &BTreeMap<Arc<str>, Arc<Row>> {
        &self.rows
    }

    pub fn is_indexed(&self, member: &str) -> bool {
        self.indexes.contains_key(member)
    }

    /// The uuids of the rows whose indexed `member` has this value.
    pub fn with(&self, member: &str, value: &str) -> Option<&Uuids> {
        self.indexes.get(member).and_then(|index| index.get(value))
    }

    /// The rows whose indexed `member` has this value.
    pub fn find(&self, member: &str, value: &str) -> impl Iterator<Item = &Arc<Row>> {
        self.with(member, value).into_iter().flatten().filter_map(|uuid| self.rows.get(uuid))
    }

    fn put(&mut self, uuid: &str, row: Row) {
        let key: Arc<str> = self.key(uuid).cloned().unwrap_or_else(|| Arc::from(uuid));
        let old = self.rows.get(&key).cloned();
        for (member, index) in &mut self.indexes {
            let (before, after) =
                (old.as_deref().and_then(|row| text(row, member)), text(&row, member));
            if before == after {
                continue;
            }
            if let Some(value) = before {
                forget(index, &value, &key);
            }
            if let Some(value) = after {
                index.entry(value).or_default().insert(key.clone());
            }
        }
        self.rows.insert(key, Arc::new(row));
    }

    fn delete(&mut self, uuid: &str) -> Option<Arc<Row>> {
        let row = self.rows.remove(uuid)?;
        for (member, index) in &mut self.indexes {
            if let Some(value) = text(&row, member) {
                forget(index, &value, uuid);
            }
        }
        Some(row)
    }
}

fn forget(index: &mut HashMap<String, Uuids>, value: &str, uuid: &str) {
    if let Some(uuids) = index.get_mut(value) {
        uuids.remove(uuid);
        if uuids.is_empty() {
            index.remove(value);
        }
    }
}

/// A member as index key; absent and null are not indexed. `a+b` is the key over two members:
/// `A/B`.
pub fn text(row: &Row, member: &str) -> Option<String> {
    if let Some((first, second)) = member.split_once('+') {
        return Some(format!("{}/{}", text(row, first)?, text(row, second)?));
    }
    match row.get(member)? {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A string member, empty if absent.
pub fn str_of<'a>(row: &'a Row, member: &str) -> &'a str {
    row.get(member).and_then(Value::as_str).unwrap_or("")
}

/// All tables.
#[derive(Debug)]
pub struct Store {
    tables: BTreeMap<&'static str, Table>,
    /// Uuids that no query shows and no create may use.
    taken: HashSet<String>,
}

impl Store {
    pub fn new(families: &[&'static Family]) -> Self {
        let tables = families.iter().map(|family| (family.name, Table::new(family))).collect();
        Store { tables, taken: HashSet::new() }
    }

    /// The table of a family that the program names; families come from one list, so that a missing
    /// one is a mistake in the program and not in any input.
    pub fn table(&self, family: &'static str) -> &Table {
        &self.tables[family]
    }

    /// The table of a family that a request names.
    pub fn lookup(&self, family: &str) -> Option<&Table> {
        self.tables.get(family)
    }

    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }

    pub fn get(&self, family: &'static str, uuid: &str) -> Option<&Arc<Row>> {
        self.table(family).get(uuid)
    }

    /// Whether a create with this uuid breaks on the primary key of `ResourceVO`.
    pub fn is_taken(&self, uuid: &str) -> bool {
        let mut resources = self.tables.values().filter(|table| !table.family.vo.is_empty());
        self.taken.contains(uuid) || resources.any(|table| table.get(uuid).is_some())
    }

    pub fn taken(&self) -> impl Iterator<Item = &String> {
        self.taken.iter()
    }

    /// Carries out one record of the log; unknown records (of a newer version) are passed over.
    pub fn replay(&mut self, record: &mut Value) {
        let Some(record) = record.as_object_mut() else { return };
        if let Some(Value::String(uuid)) = record.get("taken") {
            self.taken.insert(uuid.clone());
            return;
        }
        let named = |record: &Row, member: &str| {
            record.get(member).and_then(Value::as_str).map(str::to_owned).unwrap_or_default()
        };
        let (put, delete) = (named(record, "put"), named(record, "delete"));
        let uuid = named(record, "uuid");
        if let (Some(table), Some(Value::Object(row))) =
            (self.tables.get_mut(put.as_str()), record.get_mut("row"))
        {
            table.put(&uuid, std::mem::take(row));
        } else if let Some(table) = self.tables.get_mut(delete.as_str()) {
            table.delete(&uuid);
        }
    }
}

/// Members that the API returns in clear. They live in memory only: the log must hold no secret, so
/// that after a restart they are missing (a client drops them anyway).
const SECRETS: [&str; 2] = ["sshPassword", "chapUserPassword"];

/// A row as it may be logged.
pub fn without_secrets(row: &Row) -> Value {
    let keep = |(name, value): (&String, &Value)| {
        (!SECRETS.contains(&name.as_str())).then(|| (name.clone(), harmless(value)))
    };
    Value::Object(row.iter().filter_map(keep).collect())
}

fn harmless(value: &Value) -> Value {
    match value {
        Value::Object(members) => without_secrets(members),
        Value::Array(items) => Value::Array(items.iter().map(harmless).collect()),
        other => other.clone(),
    }
}

/// A group of changes that is logged as one line.
pub struct Tx<'a> {
    pub store: &'a mut Store,
    records: Vec<Value>,
    /// Milliseconds since 1970, for dates.
    pub now: i64,
}

impl<'a> Tx<'a> {
    pub fn new(store: &'a mut Store, now: i64) -> Self {
        Tx { store, records: Vec::new(), now }
    }

    /// What has been changed, to be logged.
    pub fn into_records(self) -> Vec<Value> {
        self.records
    }

    /// Writes a whole row.
    pub fn put(&mut self, family: &'static str, uuid: &str, row: Row) {
        self.records.push(json!({ "put": family, "uuid": uuid, "row": without_secrets(&row) }));
        if let Some(table) = self.store.tables.get_mut(family) {
            table.put(uuid, row);
        }
    }

    /// Changes some members (null removes) and `lastOpDate`. Returns the row as it is then.
    pub fn patch(
        &mut self,
        family: &'static str,
        uuid: &str,
        changes: &[(&str, Value)],
    ) -> Option<Arc<Row>> {
        let mut row = Row::clone(self.store.get(family, uuid)?);
        for (name, value) in changes {
            match value {
                Value::Null => row.shift_remove(*name),
                value => row.insert((*name).to_owned(), value.clone()),
            };
        }
        if row.contains_key("lastOpDate") {
            row.insert("lastOpDate".into(), json!(self.now));
        }
        self.put(family, uuid, row);
        self.store.get(family, uuid).cloned()
    }

    /// Removes a row with its tags (`TagManagerImpl` is a soft and hard delete extension point);
    /// its uuid stays taken where the family deletes softly.
    pub fn delete(&mut self, family: &'static str, uuid: &str) {
        let soft = self.store.table(family).family.soft_delete;
        self.erase(family, uuid);
        for tags in ["userTag", "systemTag"] {
            if !self.store.tables.contains_key(tags) {
                continue;
            }
            for tag in self.uuids(tags, "resourceUuid", uuid) {
                self.erase(tags, &tag);
            }
        }
        if soft {
            self.take(uuid);
        }
    }

    /// Removes a row and frees its uuid.
    pub fn erase(&mut self, family: &'static str, uuid: &str) {
        if let Some(table) = self.store.tables.get_mut(family)
            && table.delete(uuid).is_some()
        {
            self.records.push(json!({ "delete": family, "uuid": uuid }));
        }
    }

    /// Makes a uuid unusable.
    pub fn take(&mut self, uuid: &str) {
        if self.store.taken.insert(uuid.to_owned()) {
            self.records.push(json!({ "taken": uuid }));
        }
    }

    /// The uuids of the rows whose indexed member has this value (a copy, so that they may be
    /// changed one by one).
    pub fn uuids(&self, family: &'static str, member: &str, value: &str) -> Vec<Arc<str>> {
        self.store.table(family).with(member, value).into_iter().flatten().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static THING: Family = Family {
        name: "thing",
        vo: "ThingVO",
        indexes: &["colour"],
        soft_delete: true,
        relations: &[],
    };

    fn row(value: Value) -> Row {
        value.as_object().cloned().unwrap_or_default()
    }

    #[test]
    fn indexes_follow_changes_and_deletes() {
        let mut store = Store::new(&[&THING]);
        let mut tx = Tx::new(&mut store, 5);
        tx.put("thing", "a", row(json!({ "colour": "red", "lastOpDate": 1 })));
        tx.put("thing", "b", row(json!({ "colour": "red" })));
        tx.patch("thing", "a", &[("colour", json!("blue"))]);
        tx.delete("thing", "b");
        let mut records = tx.into_records();
        assert_eq!(store.table("thing").find("colour", "blue").count(), 1);
        assert_eq!(store.table("thing").find("colour", "red").count(), 0);
        assert_eq!(store.get("thing", "a").map(|r| r["lastOpDate"].clone()), Some(json!(5)));
        assert!(store.is_taken("b") && store.is_taken("a") && !store.is_taken("c"));

        let mut again = Store::new(&[&THING]);
        records.iter_mut().for_each(|record| again.replay(record));
        assert_eq!(again.table("thing").rows(), store.table("thing").rows());
        assert!(again.is_taken("b"));
    }
}
