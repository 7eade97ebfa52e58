//! Outputs before × outputs after → what changes among them.
//!
//! In: the outputs of the state, and what those of the configuration come to once the plan is
//! carried out. Out: one [`OutputChange`] each, by name, and what the state will hold. Secrets are
//! neither compared nor kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::config::OutputValue;
use crate::plan::Plan;
use crate::state::{Output, State};
use crate::value::Value;

/// One output.
#[derive(Clone, Debug, PartialEq)]
pub struct OutputChange {
    pub name: Arc<str>,
    pub before: OutputSide,
    pub after: OutputSide,
}

/// An output before or after.
#[derive(Clone, Debug, PartialEq)]
pub enum OutputSide {
    Absent,
    /// Ids and objects in it are known only after apply.
    Value(Value),
    /// Known only after apply.
    Unknown,
    /// There is one, and it is a secret.
    Secret,
}

/// What happens to an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputAction {
    Keep,
    Create,
    Update,
    Delete,
}

impl OutputChange {
    pub fn action(&self) -> OutputAction {
        match (&self.before, &self.after) {
            (OutputSide::Absent, OutputSide::Absent) => OutputAction::Keep,
            (OutputSide::Absent, _) => OutputAction::Create,
            (_, OutputSide::Absent) => OutputAction::Delete,
            (before, after) if before == after && *after != OutputSide::Unknown => {
                OutputAction::Keep
            }
            _ => OutputAction::Update,
        }
    }

    /// Whether it is a secret at either side.
    pub fn is_sensitive(&self) -> bool {
        self.before == OutputSide::Secret || self.after == OutputSide::Secret
    }
}

/// The outputs that change or stay, by name.
pub fn changes(state: &State, concluded: &BTreeMap<Arc<str>, OutputValue>) -> Vec<OutputChange> {
    let mut names: Vec<&Arc<str>> = state.outputs.keys().chain(concluded.keys()).collect();
    names.sort();
    names.dedup();
    let change = |name: &Arc<str>| {
        let before = state.outputs.get(name).map_or(OutputSide::Absent, stored);
        let after = match concluded.get(name) {
            // It has no value, and never gets this one: it stays as it is.
            Some(output) if output.refused && output.value.is_none() => before.clone(),
            Some(output) => foreseen(output),
            None => OutputSide::Absent,
        };
        OutputChange { name: name.clone(), before, after }
    };
    names.into_iter().map(change).collect()
}

fn stored(output: &Output) -> OutputSide {
    match &output.value {
        _ if output.sensitive => OutputSide::Secret,
        Some(value) => OutputSide::Value(value.clone()),
        None => OutputSide::Secret,
    }
}

fn foreseen(output: &OutputValue) -> OutputSide {
    match &output.value {
        _ if output.sensitive => OutputSide::Secret,
        Some(Value::Id(_) | Value::Object(_)) | None => OutputSide::Unknown,
        Some(value) => OutputSide::Value(value.clone()),
    }
}

/// What the state holds from now on. An output that is not known, because the apply failed, or that
/// a precondition refuses keeps what it had.
pub fn kept(
    state: &State,
    concluded: &BTreeMap<Arc<str>, OutputValue>,
) -> BTreeMap<Arc<str>, Output> {
    let keep = |(name, output): (&Arc<str>, &OutputValue)| {
        let known = match &output.value {
            _ if output.refused => state.outputs.get(name).cloned(),
            _ if output.sensitive => Some(Output { sensitive: true, value: None }),
            Some(value) if is_known(value) => {
                Some(Output { sensitive: false, value: Some(value.clone()) })
            }
            _ => state.outputs.get(name).cloned(),
        };
        Some((name.clone(), known?))
    };
    concluded.iter().filter_map(keep).collect()
}

/// Whether nothing in a value is known only after apply.
pub fn is_known(value: &Value) -> bool {
    match value {
        Value::Object(_) | Value::Id(_) => false,
        Value::List(items) => items.iter().all(is_known),
        Value::Map(items) => items.values().all(is_known),
        Value::Sensitive(inner) => is_known(inner),
        _ => true,
    }
}

impl Plan {
    /// Whether an apply of it would change an output in the state.
    pub fn changes_outputs(&self) -> bool {
        self.outputs.iter().any(|output| output.action() != OutputAction::Keep)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(outputs: &[(&str, Output)]) -> State {
        let outputs = outputs.iter().map(|(name, output)| ((*name).into(), output.clone()));
        State { outputs: outputs.collect(), ..State::default() }
    }

    fn plain(text: &str) -> OutputValue {
        OutputValue { value: Some(Value::str(text)), sensitive: false, refused: false }
    }

    fn kept_plain(text: &str) -> Output {
        Output { sensitive: false, value: Some(Value::str(text)) }
    }

    #[test]
    fn outputs_come_stay_change_and_go() {
        let secret = Output { sensitive: true, value: None };
        let before = state(&[
            ("gone", kept_plain("a")),
            ("other", kept_plain("a")),
            ("pass", secret.clone()),
            ("same", kept_plain("a")),
        ]);
        let hidden = OutputValue {
            value: Some(Value::str("hunter2").sensitive()),
            sensitive: true,
            refused: false,
        };
        let unknown = OutputValue { value: None, sensitive: false, refused: false };
        let after: BTreeMap<Arc<str>, OutputValue> = [
            ("later", unknown),
            ("new", plain("a")),
            ("other", plain("b")),
            ("pass", hidden),
            ("same", plain("a")),
        ]
        .map(|(name, value)| (name.into(), value))
        .into();
        let found: Vec<_> =
            changes(&before, &after).iter().map(|c| (c.name.to_string(), c.action())).collect();
        use OutputAction::{Create, Delete, Keep, Update};
        let expected = [
            ("gone", Delete),
            ("later", Create),
            ("new", Create),
            ("other", Update),
            ("pass", Keep),
            ("same", Keep),
        ];
        assert_eq!(found, expected.map(|(name, action)| (name.to_owned(), action)));
        let kept = kept(&before, &after);
        let names: Vec<_> = kept.keys().map(|name| &**name).collect();
        assert_eq!(names, ["new", "other", "pass", "same"]);
        assert_eq!(kept["pass"], secret);
    }

    #[test]
    fn what_a_precondition_refuses_is_shown_and_not_kept() {
        let before = state(&[("id", kept_plain("a")), ("none", kept_plain("a"))]);
        let after = BTreeMap::from([
            ("id".into(), OutputValue { refused: true, ..plain("b") }),
            ("none".into(), OutputValue { value: None, sensitive: false, refused: true }),
        ]);
        let found = changes(&before, &after);
        assert_eq!(found[0].after, OutputSide::Value(Value::str("b")));
        assert_eq!(found[1].action(), OutputAction::Keep);
        assert_eq!(kept(&before, &after), before.outputs);
    }

    #[test]
    fn what_is_not_known_keeps_what_the_state_has() {
        let before = state(&[("id", kept_plain("a"))]);
        let unknown = OutputValue { value: None, sensitive: false, refused: false };
        let kept = kept(&before, &BTreeMap::from([("id".into(), unknown)]));
        assert_eq!(kept["id"], kept_plain("a"));
    }
}
