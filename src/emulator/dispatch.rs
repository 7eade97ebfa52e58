//! The emulator's own copy of the API table and the server's dispatch (`RestServer.build`,
//! `handle`, `handleNonUniqueApi`). In: a method, a path, a body. Out: the API that the real
//! server would run. Must not know what the APIs do.

use std::collections::HashMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::ServerVersion;

/// One parameter with its @APIParam annotation.
#[derive(Debug, Clone, Deserialize)]
pub struct Param {
    pub name: String,
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub required: bool,
    pub max_length: Option<usize>,
    #[serde(default)]
    pub values: Vec<String>,
    pub range: Option<(i64, i64)>,
    pub default: Option<String>,
    #[serde(default)]
    pub nonempty: bool,
    /// `path` for a variable of the URL.
    #[serde(rename = "in")]
    pub place: Option<String>,
    /// Set where 5.2 checks a name against its regular expression.
    #[serde(default)]
    pub regex_note: bool,
}

#[derive(Debug, Deserialize)]
struct Change {
    delta: String,
    #[serde(flatten)]
    param: Param,
}

/// One API of the table.
#[derive(Debug, Deserialize)]
pub struct Api {
    #[serde(rename = "api")]
    pub name: String,
    pub method: String,
    pub path: String,
    /// The JSON member that holds the parameters; the action's name for PUT.
    pub wrapper: Option<String>,
    #[serde(rename = "async")]
    pub asynchronous: bool,
    by_uuid_path: Option<String>,
    session: Option<bool>,
    since_version: Option<String>,
    #[serde(default)]
    pub params: Vec<Param>,
    #[serde(default)]
    changes_5_2: Vec<Change>,
}

impl Api {
    /// A Query* API (section 1.7).
    pub fn is_query(&self) -> bool {
        self.name.starts_with("Query")
    }

    /// Whether `Authorization` is demanded (no @SuppressCredentialCheck).
    pub fn needs_session(&self) -> bool {
        self.session != Some(false)
    }

    /// The Java class that error texts name.
    pub fn java_class(&self) -> String {
        format!("{}.API{}Msg", java_package(&self.name, &self.path), self.name)
    }

    fn apply_5_2(&mut self) {
        for change in std::mem::take(&mut self.changes_5_2) {
            let place = self.params.iter().position(|p| p.name == change.param.name);
            match (change.delta.as_str(), place) {
                ("removed", Some(at)) => {
                    self.params.remove(at);
                }
                (_, Some(at)) => {
                    let old = self.params[at].place.clone();
                    self.params[at] = Param { place: old, ..change.param };
                }
                (_, None) => self.params.push(change.param),
            }
        }
    }
}

/// Packages of the open source; where a class is closed, the package of its open neighbours stands
/// in (no evidence; only texts that no client may parse depend on it).
fn java_package(name: &str, path: &str) -> &'static str {
    match path {
        p if p.starts_with("/accounts") => "org.zstack.header.identity",
        p if p.starts_with("/zones") && !p.contains("backup-storage") => "org.zstack.header.zone",
        p if p.contains("/storage-devices") => "org.zstack.header.storageDevice",
        p if p.contains("l2-networks") => "org.zstack.header.network.l2",
        p if p.starts_with("/clusters") && !p.contains("primary-storage") => {
            "org.zstack.header.cluster"
        }
        p if p.starts_with("/hosts/kvm") => "org.zstack.kvm",
        p if p.starts_with("/hosts/simulators") => "org.zstack.header.simulator",
        p if p.starts_with("/hosts") => "org.zstack.header.host",
        p if p.starts_with("/primary-storage/local-storage") => "org.zstack.storage.primary.local",
        p if p.starts_with("/primary-storage/nfs") => "org.zstack.storage.primary.nfs",
        p if p.starts_with("/primary-storage/smp") => "org.zstack.storage.primary.smp",
        p if p.starts_with("/primary-storage/ceph") => "org.zstack.storage.ceph.primary",
        p if p.starts_with("/backup-storage/ceph") => "org.zstack.storage.ceph.backup",
        p if p.contains("primary-storage") => "org.zstack.header.storage.primary",
        p if p.contains("backup-storage") => "org.zstack.header.storage.backup",
        p if p.contains("tags") => "org.zstack.header.tag",
        p if p.starts_with("/volumes") => "org.zstack.header.volume",
        p if p.starts_with("/vm-instances") => "org.zstack.header.vm",
        _ if name.contains("LongJob") => "org.zstack.header.longjob",
        _ => "org.zstack.header",
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Segment {
    Literal(String),
    Variable(String),
}

#[derive(Debug)]
struct Owner {
    api: Arc<Api>,
    pattern: Vec<Segment>,
}

/// Where a request goes.
#[derive(Debug)]
pub enum Routed {
    /// An API, the variables of its path, and the member of the body that holds its parameters.
    Api { api: Arc<Api>, variables: Vec<(String, String)> },
    /// A reply of the framework itself, as plain text.
    Text(u16, String),
}

/// The routes of one server version.
#[derive(Debug)]
pub struct Routes {
    /// Normalised path (`/zones/{}`) → its owners.
    by_path: HashMap<String, Vec<Owner>>,
    /// The normalised paths with variables, in table order, for the ant match.
    patterns: Vec<(Vec<Segment>, String)>,
}

impl Routes {
    /// Reads the table that is built into the binary.
    pub fn load(version: ServerVersion) -> Result<Self, serde_json::Error> {
        let mut apis: Vec<Api> = serde_json::from_str(include_str!("zstack/apis.json"))?;
        match version {
            ServerVersion::V3_0 => apis.retain(|api| api.since_version.is_none()),
            ServerVersion::V5_2 => apis.iter_mut().for_each(Api::apply_5_2),
        }
        let mut routes = Routes { by_path: HashMap::new(), patterns: Vec::new() };
        for api in apis.into_iter().map(Arc::new) {
            routes.add(&api, &api.path);
            if let Some(path) = &api.by_uuid_path {
                routes.add(&api, path);
            }
        }
        Ok(routes)
    }

    fn add(&mut self, api: &Arc<Api>, path: &str) {
        let pattern = segments(path);
        let key = normalised(&pattern);
        let owners = self.by_path.entry(key.clone()).or_default();
        if owners.is_empty() {
            self.patterns.push((pattern.clone(), key));
        }
        owners.push(Owner { api: api.clone(), pattern });
    }

    /// The API of this name.
    pub fn by_name(&self, name: &str) -> Option<Arc<Api>> {
        let mut owners = self.by_path.values().flatten();
        owners.find(|owner| owner.api.name == name).map(|owner| owner.api.clone())
    }

    /// `path` without `/zstack/v1`, decoded; `uri` as it stands in messages.
    pub fn dispatch(&self, method: &str, path: &str, body: &Body) -> Routed {
        let owners = match self.by_path.get(path) {
            Some(owners) => owners,
            None => {
                match self.patterns.iter().find(|(pattern, _)| capture(pattern, path).is_some()) {
                    Some((_, key)) => &self.by_path[key],
                    None => return Routed::Text(404, format!("no api mapping to /v1{path}")),
                }
            }
        };
        let owner = match owners.as_slice() {
            // handleUniqueApi: the method is never looked at.
            [only] => only,
            several => match shared(several, method, path, body) {
                Ok(owner) => owner,
                Err((status, text)) => return Routed::Text(status, text),
            },
        };
        let variables = capture(&owner.pattern, path).unwrap_or_default();
        Routed::Api { api: owner.api.clone(), variables }
    }
}

/// A request body: the real server parses it before anything else looks at it.
#[derive(Debug, Clone, PartialEq)]
pub enum Body {
    Empty,
    Object(Map<String, Value>),
    Malformed(String),
}

impl Body {
    /// Parses the bytes; an empty body is none.
    pub fn parse(bytes: &[u8]) -> Self {
        if bytes.iter().all(u8::is_ascii_whitespace) {
            return Body::Empty;
        }
        match serde_json::from_slice(bytes) {
            Ok(Value::Object(members)) => Body::Object(members),
            Ok(Value::Null) => Body::Empty,
            Ok(_) => Body::Malformed("Expected BEGIN_OBJECT".into()),
            Err(error) => Body::Malformed(error.to_string()),
        }
    }

    /// A member of the body.
    pub fn get(&self, name: &str) -> Option<&Value> {
        match self {
            Body::Object(members) => members.get(name).filter(|v| !v.is_null()),
            _ => None,
        }
    }
}

fn shared<'a>(
    owners: &'a [Owner],
    method: &str,
    path: &str,
    body: &Body,
) -> Result<&'a Owner, (u16, String)> {
    let by_method = |wanted: &str, kind: &str| {
        owners
            .iter()
            .find(|owner| owner.api.method == wanted)
            .ok_or_else(|| (500, format!("No {kind} API found for the path[/zstack/v1{path}]")))
    };
    match method {
        "POST" => by_method("POST", "creational"),
        "GET" => by_method("GET", "query"),
        "DELETE" => by_method("DELETE", "delete"),
        // A PUT without a body dereferences null in the real server.
        "PUT" if *body == Body::Empty => Err((500, "null".into())),
        "PUT" => owners
            .iter()
            .find(|owner| {
                owner.api.method == "PUT"
                    && owner.api.wrapper.as_deref().is_some_and(|name| match body {
                        Body::Object(members) => members.contains_key(name),
                        _ => false,
                    })
            })
            .ok_or_else(|| {
                (400, format!("the body doesn't contain action mapping to the URL[/v1{path}]"))
            }),
        _ => Err((
            405,
            format!("The method[{method}] is not allowed for the path[/zstack/v1{path}]"),
        )),
    }
}

fn segments(path: &str) -> Vec<Segment> {
    path.trim_start_matches('/')
        .split('/')
        .map(|part| match part.strip_prefix('{').and_then(|p| p.strip_suffix('}')) {
            Some(name) => Segment::Variable(name.to_owned()),
            None => Segment::Literal(part.to_owned()),
        })
        .collect()
}

fn normalised(pattern: &[Segment]) -> String {
    pattern.iter().fold(String::new(), |mut path, segment| {
        path.push('/');
        path.push_str(match segment {
            Segment::Literal(text) => text,
            Segment::Variable(_) => "{}",
        });
        path
    })
}

fn capture(pattern: &[Segment], path: &str) -> Option<Vec<(String, String)>> {
    let mut variables = Vec::new();
    let mut parts = path.trim_start_matches('/').split('/');
    for segment in pattern {
        let part = parts.next()?;
        match segment {
            Segment::Literal(text) if text == part => {}
            Segment::Variable(name) if !part.is_empty() => {
                variables.push((name.clone(), part.to_owned()));
            }
            _ => return None,
        }
    }
    parts.next().is_none().then_some(variables)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(method: &str, path: &str, body: &str) -> String {
        let routes = Routes::load(ServerVersion::V3_0).expect("the built-in table parses");
        match routes.dispatch(method, path, &Body::parse(body.as_bytes())) {
            Routed::Api { api, .. } => api.name.clone(),
            Routed::Text(status, _) => status.to_string(),
        }
    }

    #[test]
    fn a_unique_path_ignores_the_verb() {
        assert_eq!(name("GET", "/primary-storage/u", ""), "DeletePrimaryStorage");
        assert_eq!(name("PATCH", "/hosts/kvm", ""), "AddKVMHost");
    }

    #[test]
    fn a_shared_path_goes_by_verb_and_action() {
        assert_eq!(name("GET", "/zones/u", ""), "QueryZone");
        assert_eq!(name("DELETE", "/zones/u", ""), "DeleteZone");
        assert_eq!(name("POST", "/zones/u", ""), "500");
        assert_eq!(name("PATCH", "/zones/u", ""), "405");
        assert_eq!(name("PUT", "/zones/u/actions", r#"{"foo":{}}"#), "400");
        assert_eq!(name("PUT", "/zones/u/actions", ""), "500");
        assert_eq!(name("PUT", "/zones/u/actions", r#"{"updateZone":{}}"#), "UpdateZone");
        assert_eq!(name("GET", "/nope", ""), "404");
    }

    #[test]
    fn differently_named_variables_share_an_entry() {
        let sync = r#"{"syncPrimaryStorageCapacity":{}}"#;
        assert_eq!(name("PUT", "/primary-storage/u/actions", sync), "SyncPrimaryStorageCapacity");
    }

    #[test]
    fn version_5_2_adds_apis_and_parameters() {
        let routes = Routes::load(ServerVersion::V5_2).expect("the built-in table parses");
        match routes.dispatch("POST", "/zones", &Body::Empty) {
            Routed::Api { api, .. } => assert!(api.params.iter().any(|p| p.name == "isDefault")),
            Routed::Text(..) => panic!("no CreateZone"),
        }
        assert_eq!(name("POST", "/accesskeys", "{}"), "404");
    }
}
