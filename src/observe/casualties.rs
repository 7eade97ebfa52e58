//! Casualties: which live objects a call takes with it.
//!
//! In: count queries of schemas with the ids to fill in. Out: ids per question, so that a plan
//! can subtract the objects that it deletes itself. Batched: one count per hundred questions, and
//! only where that is not zero, the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::lookup::all;
use crate::provider::{Ask, Connection, Fault, FaultKind, List};
use crate::schema::{Piece, Target};

/// "How many rows has this query for this object?"
#[derive(Clone, Debug, PartialEq)]
pub struct Question<'a> {
    pub target: &'a Target,
    /// For `{id}`.
    pub id: Arc<str>,
    /// For `{to}`: the other end of a link.
    pub to: Option<Arc<str>>,
}

/// Answers in the order of the questions: ids of the objects that would go down.
///
/// # Errors
/// A query failed: nothing may be destroyed on a guess.
pub async fn count(
    connection: &Connection,
    questions: &[Question<'_>],
) -> Result<Vec<BTreeSet<Arc<str>>>, Fault> {
    let mut answers = vec![BTreeSet::new(); questions.len()];
    let mut work = Vec::new();
    let groups = group(connection, questions);
    for group in &groups {
        let asker = Arc::new(Asker {
            connection: connection.clone(),
            target: group.question.target.clone(),
            to: group.question.to.clone(),
        });
        let size = if batches(group.question.target) { connection.limits().ids } else { 1 };
        let ids: Vec<_> = group.asked.keys().cloned().collect();
        work.extend(ids.chunks(size).map(|chunk| asker.clone().answer(group.at, chunk.to_vec())));
    }
    for (at, found) in all(work).await? {
        for (id, objects) in found {
            for question in groups[at].asked.get(&id).into_iter().flatten() {
                answers[*question].extend(objects.iter().cloned());
            }
        }
    }
    Ok(answers)
}

/// Questions that differ in nothing but `{id}`.
struct Group<'a> {
    at: usize,
    question: &'a Question<'a>,
    /// Positions of the questions, by id.
    asked: BTreeMap<Arc<str>, Vec<usize>>,
}

fn group<'a>(connection: &Connection, questions: &'a [Question<'a>]) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut index: HashMap<(String, Option<&Arc<str>>), usize> = HashMap::new();
    for (position, question) in questions.iter().enumerate() {
        // On a text that can be no id nothing hangs.
        if connection.is_id(&question.id) {
            let key = (text(question.target), question.to.as_ref());
            let at = *index.entry(key).or_insert(groups.len());
            if at == groups.len() {
                groups.push(Group { at, question, asked: BTreeMap::new() });
            }
            groups[at].asked.entry(question.id.clone()).or_default().push(position);
        }
    }
    groups
}

/// A target as text, with its holes: equal texts are equal targets.
fn text(target: &Target) -> String {
    let mut out = String::new();
    let values = target.query.iter().map(|(name, value)| (name.as_str(), value));
    for (name, pieces) in std::iter::once(("", &target.path)).chain(values) {
        out.push_str(name);
        for piece in pieces {
            match piece {
                Piece::Lit(lit) => out.push_str(lit),
                Piece::Id => out.push_str("{id}"),
                Piece::To => out.push_str("{to}"),
                Piece::Field(field) => out.extend(["{", field, "}"]),
            }
        }
        out.push('\n');
    }
    out
}

/// Whether several ids can stand for `{id}`: it is the whole value of one condition.
fn batches(target: &Target) -> bool {
    condition(target).is_some()
        && !target.path.contains(&Piece::Id)
        && target.query.iter().flat_map(|(_, v)| v).filter(|p| **p == Piece::Id).count() == 1
}

/// The field of the condition `FIELD={id}`.
fn condition(target: &Target) -> Option<&str> {
    target.query.iter().find_map(|(_, value)| match &value[..] {
        [Piece::Lit(lit), Piece::Id] => lit.strip_suffix('='),
        _ => None,
    })
}

struct Asker {
    connection: Connection,
    target: Target,
    to: Option<Arc<str>>,
}

type Found = Vec<(Arc<str>, BTreeSet<Arc<str>>)>;

impl Asker {
    /// The rows of each id that has any, with the group they belong to.
    async fn answer(
        self: Arc<Self>,
        group: usize,
        ids: Vec<Arc<str>>,
    ) -> Result<(usize, Found), Fault> {
        let mut found = Vec::new();
        // Halving finds the few among a hundred; a stack instead of recursion.
        let mut open = vec![&ids[..]];
        while let Some(part) = open.pop() {
            if self.connection.count(&self.list(part, Ask::Count)).await? == 0 {
                continue;
            }
            // A field of the row itself tells which id a row belongs to; a path through other
            // objects (`cluster.zone.uuid`) does not.
            let own = condition(&self.target).filter(|f| !f.contains('.') && part.len() > 1);
            match (part, own) {
                ([], _) => {}
                ([id], _) => found.push((id.clone(), self.rows(part, None).await?.1)),
                (_, Some(field)) => found.extend(self.rows(part, Some(field)).await?.0),
                (_, None) => {
                    let (left, right) = part.split_at(part.len() / 2);
                    open.extend([right, left]);
                }
            }
        }
        Ok((group, found))
    }

    fn list<'a>(&'a self, id: &'a [Arc<str>], ask: Ask<'a>) -> List<'a> {
        List { target: &self.target, id, to: self.to.as_deref(), only: &[], ask }
    }

    /// Ids of all rows: by the value of `field`, and all together.
    async fn rows(
        &self,
        ids: &[Arc<str>],
        field: Option<&str>,
    ) -> Result<(Found, BTreeSet<Arc<str>>), Fault> {
        let limit = self.connection.limits().page;
        let row_id = self.connection.row_id(&self.target);
        let members: Vec<&str> = std::iter::once(row_id).chain(field).collect();
        let (mut by_field, mut every) = (BTreeMap::<Arc<str>, BTreeSet<_>>::new(), BTreeSet::new());
        let mut start = 0;
        loop {
            let ask = Ask::Members { start, limit, members: &members };
            let rows = self.connection.rows(&self.list(ids, ask)).await?;
            for row in &rows {
                let text = |name: &str| row.get(name).and_then(serde_json::Value::as_str);
                let id: Arc<str> = text(row_id)
                    .ok_or_else(|| Fault::new(FaultKind::Invalid, "a row has no id"))?
                    .into();
                if let Some(owner) = field.and_then(text) {
                    by_field.entry(owner.into()).or_default().insert(id.clone());
                }
                every.insert(id);
            }
            start += limit;
            if (rows.len() as u64) < limit {
                return Ok((by_field.into_iter().collect(), every));
            }
        }
    }
}
