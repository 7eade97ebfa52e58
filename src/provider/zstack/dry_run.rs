//! ZStack's dry run: the ephemeral system tag `validationOnly` (reference 1.4, class
//! `ApiMediatorImpl.dispatchMessage`). The server runs its interceptors and answers success with
//! an empty result. A GET or DELETE has no body that could carry the tag and would be carried out.

use serde_json::{Value, json};

use super::ZStack;
use crate::provider::{Dialect, DryRun};
use crate::wire::{Method, Request};

const TAGS: &str = "systemTags";
const VALIDATION_ONLY: &str = "validationOnly";

/// See [`DryRun`].
pub(super) struct Validation;

impl DryRun for Validation {
    fn mark(&self, mut request: Request) -> Option<Request> {
        if !matches!(request.method, Method::Post | Method::Put) {
            return None;
        }
        let Some(Value::Object(body)) = &mut request.body else { return None };
        // Tags at the top level replace those among the parameters: they are to be checked too.
        let inside = body.values().filter_map(|m| m.get(TAGS)?.as_array()).flatten().cloned();
        let mut tags: Vec<Value> = inside.collect();
        if let Some(Value::Array(top)) = body.get(TAGS) {
            tags.clone_from(top);
        }
        tags.push(VALIDATION_ONLY.into());
        body.insert(TAGS.to_owned(), tags.into());
        Some(request)
    }

    fn noun(&self) -> &'static str {
        "zone"
    }

    fn subject(&self) -> Request {
        // One row is enough, and always the same one.
        let path = "/zones?limit=1&sort=%2Buuid&fields=uuid%2Cname".to_owned();
        Request { method: Method::Get, path, body: None }
    }

    fn proof(&self, answer: &Value) -> Option<Request> {
        let zone = answer.get("inventories")?.get(0)?;
        let (id, name) = (zone.get("uuid")?.as_str()?, zone.get("name")?.as_str()?);
        let body = Some(json!({ "updateZone": { "name": name } }));
        let path = format!("/zones/{id}/actions");
        let update = Request { method: Method::Put, path, body };
        if ZStack.is_id(id) { self.mark(update) } else { None }
    }

    fn proven(&self, result: &Value) -> bool {
        result.get("inventory").is_none_or(Value::is_null)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(method: Method, body: Option<Value>) -> Request {
        Request { method, path: "/zones".to_owned(), body }
    }

    fn marked(body: Value) -> Value {
        let marked = Validation.mark(request(Method::Post, Some(body)));
        marked.and_then(|request| request.body).expect("it can be marked")
    }

    #[test]
    fn the_tag_stands_at_the_top_level_beside_others() {
        assert_eq!(
            marked(json!({"params": {"name": "a"}})),
            json!({"params": {"name": "a"}, "systemTags": ["validationOnly"]})
        );
        assert_eq!(
            marked(json!({"params": {}, "systemTags": ["a::b"]}))["systemTags"],
            json!(["a::b", "validationOnly"])
        );
        assert_eq!(
            marked(json!({"params": {"systemTags": ["a::b"]}}))["systemTags"],
            json!(["a::b", "validationOnly"])
        );
    }

    #[test]
    fn what_would_be_carried_out_is_not_marked() {
        assert!(Validation.mark(request(Method::Delete, Some(json!({})))).is_none());
        assert!(Validation.mark(request(Method::Get, None)).is_none());
        assert!(Validation.mark(request(Method::Post, None)).is_none());
    }

    #[test]
    fn a_zone_is_updated_with_its_own_name_and_must_not_come_back() {
        let id = "0".repeat(32);
        let proof = Validation.proof(&json!({"inventories": [{"uuid": id, "name": "öst \"1\""}]}));
        let proof = proof.expect("a zone to prove it on");
        assert_eq!(proof.path, format!("/zones/{id}/actions"));
        let body = json!({"updateZone": {"name": "öst \"1\""}, "systemTags": ["validationOnly"]});
        assert_eq!(proof.body, Some(body));
        assert!(Validation.proof(&json!({"inventories": []})).is_none());
        let strange = json!({"inventories": [{"uuid": "../x", "name": "n"}]});
        assert!(Validation.proof(&strange).is_none());
        assert!(Validation.proven(&Value::Null) && Validation.proven(&json!({})));
        assert!(!Validation.proven(&json!({"inventory": {"name": "n"}})));
    }
}
