//! What people read about actions: in the reference of a type, and as `rackform action --list`.

use serde_json::{Value as Json, json};

use super::{line, own_facts};
use crate::schema::model::{ActionDef, Attribute, ResourceType};

/// One action in the reference: itself, then its parameters.
pub(super) fn lines(action: &ActionDef) -> Vec<String> {
    let mut all = vec![format!("`{}`: {}", action.name, about(action))];
    for param in &action.params {
        all.push(format!("`{}`, parameter `{}`: {}", action.name, param.name, parameter(param)));
    }
    all
}

/// The actions of a type, for a terminal.
pub fn actions(ty: &ResourceType) -> String {
    let mut out = String::new();
    for action in &ty.actions {
        line(&mut out, format_args!("{}", action.name));
        line(&mut out, format_args!("    {}", about(action).replace('`', "")));
        for param in &action.params {
            let text = parameter(param).replace('`', "");
            line(&mut out, format_args!("    --param {}=…  {text}", param.name));
        }
    }
    out
}

/// The actions of a type, for programs.
pub fn actions_json(ty: &ResourceType) -> Json {
    let labels = |a: &ActionDef| -> Vec<Json> {
        a.call.cascade.iter().map(|c| Json::from(c.label.as_str())).collect()
    };
    let one = |a: &ActionDef| {
        json!({
            "action": &*a.name,
            "description": a.doc,
            "disruptive": a.disrupts(),
            "takes_down": labels(a),
            "many_addresses": a.takes_many(),
            "parameters": a.params.iter().map(parameter_json).collect::<Vec<_>>(),
        })
    };
    Json::Array(ty.actions.iter().map(one).collect())
}

fn parameter_json(param: &Attribute) -> Json {
    let values: Vec<&str> = param.values.iter().map(|(value, _)| &**value).collect();
    json!({
        "name": &*param.name,
        "description": param.doc,
        "kind": super::kind(&param.kind),
        "required": param.required,
        "sensitive": param.sensitive,
        "values": values,
        "since": param.since,
    })
}

fn about(action: &ActionDef) -> String {
    let mut text = action.doc.clone();
    if action.takes_many() {
        text.push_str(" Takes several addresses.");
    }
    if action.disrupts() {
        let labels: Vec<&str> = action.call.cascade.iter().map(|c| c.label.as_str()).collect();
        text.push_str(&format!(" Disruptive: counts and asks ({}).", labels.join(", ")));
    }
    text
}

fn parameter(param: &Attribute) -> String {
    let facts = own_facts(param).join(", ");
    if param.doc.is_empty() { facts } else { format!("{facts}. {}", param.doc) }
}
