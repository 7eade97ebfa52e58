//! Casualties: which live objects a call takes with it.
//!
//! In: count queries of schemas with the ids to fill in. Out: ids per question, so that a plan
//! can subtract the objects that it deletes itself. Batched: one count per hundred questions, and
//! only where that is not zero, the rows.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::reader::all;
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
    for (at, group) in groups.iter().enumerate() {
        let asker = Arc::new(Asker {
            connection: connection.clone(),
            target: group.target.clone(),
            varying: group.varying,
            fixed: group.fixed.iter().cloned().collect(),
        });
        let batched = condition(group.target, group.varying).is_some();
        let size = if batched { connection.limits().ids } else { 1 };
        let ids: Vec<_> = group.asked.keys().cloned().collect();
        work.extend(ids.chunks(size).map(|chunk| asker.clone().answer(at, chunk.to_vec())));
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

/// A hole of a target that a batch fills with many ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hole {
    Id,
    To,
}

/// Questions that differ in one hole only.
struct Group<'a> {
    target: &'a Target,
    varying: Hole,
    /// What fills the other hole.
    fixed: Option<Arc<str>>,
    /// Positions of the questions, by what fills the varying one.
    asked: BTreeMap<Arc<str>, Vec<usize>>,
}

fn group<'a>(connection: &Connection, questions: &'a [Question<'a>]) -> Vec<Group<'a>> {
    // On a text that can be no id nothing hangs.
    let possible = |q: &Question<'_>| {
        connection.is_id(&q.id) && q.to.as_ref().is_none_or(|to| connection.is_id(to))
    };
    let asked = questions.iter().enumerate().filter(|(_, q)| possible(q));
    let asked: Vec<(usize, &Question<'_>, String)> =
        asked.map(|(at, question)| (at, question, text(question.target))).collect();
    let mut different: HashMap<&str, (HashSet<&str>, HashSet<&str>)> = HashMap::new();
    for (_, question, text) in &asked {
        let (ids, tos) = different.entry(text).or_default();
        ids.insert(&question.id);
        tos.extend(question.to.as_deref());
    }
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut index: HashMap<(&str, Option<&Arc<str>>), usize> = HashMap::new();
    for (position, question, text) in &asked {
        // A storage that is detached from many clusters is one batch, not one per cluster.
        let more_tos = different.get(text.as_str()).is_some_and(|(ids, tos)| tos.len() > ids.len());
        let (varying, value, fixed) = match &question.to {
            Some(to) if more_tos => (Hole::To, to, Some(&question.id)),
            to => (Hole::Id, &question.id, to.as_ref()),
        };
        let at = *index.entry((text, fixed)).or_insert(groups.len());
        if at == groups.len() {
            let (target, fixed) = (question.target, fixed.cloned());
            groups.push(Group { target, varying, fixed, asked: BTreeMap::new() });
        }
        groups[at].asked.entry(value.clone()).or_default().push(*position);
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

/// The field of the condition `FIELD={id}`, if the hole stands nowhere else: then several ids can
/// stand for it.
fn condition(target: &Target, hole: Hole) -> Option<&str> {
    let hole = match hole {
        Hole::Id => Piece::Id,
        Hole::To => Piece::To,
    };
    let pieces = target.query.iter().flat_map(|(_, value)| value).chain(&target.path);
    if pieces.filter(|p| **p == hole).count() != 1 {
        return None;
    }
    target.query.iter().find_map(|(_, value)| match &value[..] {
        [Piece::Lit(lit), piece] if *piece == hole => lit.strip_suffix('='),
        _ => None,
    })
}

struct Asker {
    connection: Connection,
    target: Target,
    varying: Hole,
    /// One id or none.
    fixed: Vec<Arc<str>>,
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
            let own = condition(&self.target, self.varying)
                .filter(|f| !f.contains('.') && part.len() > 1);
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

    fn list<'a>(&'a self, ids: &'a [Arc<str>], ask: Ask<'a>) -> List<'a> {
        let (id, to) = match self.varying {
            Hole::Id => (ids, &self.fixed[..]),
            Hole::To => (&self.fixed[..], ids),
        };
        List { target: &self.target, id, to, only: &[], ask }
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
