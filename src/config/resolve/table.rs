//! A `[data.TYPE.LABEL]` table as expressions see it.
//!
//! In: what is done with it next. Out: its value as far as it is known; or what is wrong with that,
//! which its type tells whether it is known or not. Must not know how a table is looked up.

use std::sync::Arc;

use crate::config::expr::{Fault, ID, Next, Stop};
use crate::diag::nearest;
use crate::schema::{IdRule, ResourceType, Side};
use crate::value::{Found, Value};

/// A declared table, as far as it is known.
#[derive(Clone)]
pub(super) struct DataTable {
    /// `None`: its type is unknown, which has been reported.
    pub ty: Option<Arc<ResourceType>>,
    /// Whether it is a list of all matches.
    pub all: bool,
    pub state: Looked,
}

/// How far a look-up is.
#[derive(Clone)]
pub(super) enum Looked {
    /// Asked for, or only judged.
    Open,
    /// There will be no value; that has been reported, or hangs on something open.
    Broken,
    Known(Value),
}

impl DataTable {
    /// The value, if what is done with it next suits the type.
    pub fn value(&self, address: &str, next: &Next<'_>) -> Result<Value, Stop> {
        let Some(ty) = &self.ty else { return Err(Stop::Silent) };
        if let Some(name) = next.attribute {
            if self.all && !next.element {
                let problem = format!("`{address}` is a list: its table has `all = true`");
                let fault = Fault::new("unknown_attribute", problem).label("a list");
                let help = format!("write {address}[*].{name} for all, or {address}[0].{name}");
                return Err(fault.help(help).into());
            }
            readable(ty, name)?;
        }
        match &self.state {
            Looked::Known(value) => Ok(value.clone()),
            Looked::Open | Looked::Broken if !self.all => {
                let (kind, id) = (ty.name.clone(), "".into());
                Ok(Value::Found(Arc::new(Found { kind, id, attrs: None })))
            }
            Looked::Open | Looked::Broken => Err(Stop::Silent),
        }
    }
}

/// Refuses an attribute that a looked-up object does not have.
fn readable(ty: &ResourceType, name: &str) -> Result<(), Fault> {
    let kind = &ty.name;
    if let Some(attr) = ty.attrs.iter().find(|a| &*a.name == name) {
        if attr.sensitive || attr.write_only {
            let problem = format!("`{name}` of a {kind} is never read from a cloud");
            return Err(Fault::new("unknown_attribute", problem).label("sensitive or write-only"));
        }
        return Ok(());
    }
    let id = ID.contains(&name) && ty.id != IdRule::None;
    if id || ty.find_link(name).is_some_and(|ix| is_owner(&ty.link(ix).side)) {
        return Ok(());
    }
    let fault = Fault::new("unknown_attribute", format!("`{kind}` has no attribute `{name}`"));
    Err(match nearest(name, ty.attrs.iter().map(|a| &*a.name)) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("`rackform schema {kind}` lists its attributes")),
    })
}

/// Whether rows of this side list the other ends.
pub(super) fn is_owner(side: &Side) -> bool {
    matches!(side, Side::Owner { .. })
}

/// Type and label of `data.TYPE.LABEL`, as a reference writes it.
pub(super) fn written(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix("data.")?.split_once('.')
}
