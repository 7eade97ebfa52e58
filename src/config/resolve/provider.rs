//! `[provider.NAME]` → [`ProviderConfig`], and which one a resource uses.
//!
//! In: blocks; settings may use variables and `env()`, nothing else. Out: evaluated settings,
//! secret ones marked. Their names are checked here; what they may be, and which a dialect needs,
//! is checked where a connection is opened.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Work;
use super::attr::Shape;
use super::module::{Here, Stage};
use crate::address::Address;
use crate::config::ProviderConfig;
use crate::config::expr::unset;
use crate::config::secret_name::name_is_sensitive;
use crate::config::syntax::{Block, Literal};
use crate::diag::{Diagnostic, Span, nearest};
use crate::schema::ResourceType;
use crate::value::Value;

/// Code of the warning about a secret that stands in a file.
pub(super) const LITERAL_SECRET: &str = "literal_secret";

/// What can be set in `[provider.NAME]`.
const SETTINGS: [&str; 10] = [
    "type",
    "endpoint",
    "account",
    "password",
    "ca_file",
    "insecure_skip_verify",
    "timeout",
    "connect_timeout",
    "calls_at_once",
    "seed",
];

/// Settings by which a state knows its cloud.
const IN_STATE: [&str; 2] = ["endpoint", "account"];

/// The endpoint that stands for the built-in server.
const EMULATOR: &str = "emulator";

/// Whether nothing but the built-in server is configured. It is nobody's cloud, so what stands in
/// such a configuration opens nothing, and a warning about it would only teach people to overlook
/// warnings.
pub(super) fn only_the_emulator(providers: &[ProviderConfig]) -> bool {
    let built_in = |p: &ProviderConfig| {
        p.settings.get("endpoint").map(Value::reveal).and_then(Value::as_str) == Some(EMULATOR)
    };
    !providers.is_empty() && providers.iter().all(built_in)
}

impl Work<'_> {
    pub(super) fn providers(&mut self, blocks: &[Block]) -> Vec<ProviderConfig> {
        let here = Here { stage: Stage::Settings, ..Here::default() };
        self.at(here, |work| blocks.iter().map(|block| work.provider(block)).collect())
    }

    fn provider(&mut self, block: &Block) -> ProviderConfig {
        let name = block.label.text.clone();
        let (kind, kind_span) = match block.get("type").map(|e| &e.value) {
            None => (name.clone(), block.label.span),
            Some(node) => match &node.value {
                Literal::Str(text) => (text.text.clone(), node.span),
                _ => {
                    let problem = "`type` of a provider must be text";
                    self.findings
                        .push(Diagnostic::error("wrong_kind", problem).at(node.span, "here"));
                    (name.clone(), block.label.span)
                }
            },
        };
        self.known_provider(&kind, kind_span);
        let mut settings = BTreeMap::new();
        let mut spans = BTreeMap::new();
        for entry in block.entries.iter().filter(|e| &*e.key.text != "type") {
            let key = &entry.key.text;
            if !SETTINGS.contains(&&**key) {
                let of = format!("provider.{name}");
                self.unknown_attribute(&format!("`{of}`"), &entry.key, SETTINGS);
                continue;
            }
            spans.insert(key.clone(), entry.value.span);
            let Some(tree) = self.tree(&entry.value, None) else { continue };
            let secret = name_is_sensitive(key);
            if secret && tree.is_written_out() {
                self.literal_password(key, tree.span);
            }
            let variable = tree.unset.clone();
            let value = tree.into_value();
            if let Some(variable) = variable.filter(|_| value.is_null()) {
                let fault = unset(&variable);
                self.findings.push(fault.into_diagnostic(entry.value.span));
                continue;
            }
            if value.is_null() {
                continue;
            }
            if IN_STATE.contains(&&**key) && value.is_sensitive() {
                let problem =
                    format!("`{key}` cannot be a secret: the state keeps it and messages name it");
                let finding = Diagnostic::error("secret_key", problem);
                self.findings.push(finding.at(entry.value.span, "a secret"));
                continue;
            }
            settings.insert(key.clone(), if secret { value.sensitive() } else { value });
        }
        ProviderConfig { name, kind, settings, spans, declared: block.declared }
    }

    fn known_provider(&mut self, kind: &str, at: Span) {
        let known: BTreeSet<&str> = self.schemas.types.iter().map(|t| &*t.provider).collect();
        if known.contains(kind) {
            return;
        }
        let problem = format!("there is no provider `{kind}`");
        let finding = Diagnostic::error("unknown_provider", problem).at(at, "unknown");
        let help = match nearest(kind, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => {
                let names: Vec<_> = known.into_iter().collect();
                format!(
                    "this version has: {} (set `type` when the label differs)",
                    names.join(", ")
                )
            }
        };
        self.findings.push(finding.help(help));
    }

    fn literal_password(&mut self, key: &str, at: Span) {
        let problem = format!("`{key}` is a secret written into a file");
        let variable = key.to_uppercase();
        self.findings.push(
            Diagnostic::warning(LITERAL_SECRET, problem).at(at, "secret in clear").help(format!(
                "write {key} = '${{env(\"{variable}\")}}' or use a sensitive variable"
            )),
        );
    }

    /// The provider of a resource: the one it names, or the only one of its type's provider.
    pub(super) fn provider_of(
        &mut self,
        block: &Block,
        ty: &ResourceType,
        on: &Address,
    ) -> Arc<str> {
        let all = self.choice.by_kind.get(&ty.provider).cloned().unwrap_or_default();
        let Some(entry) = block.get("provider") else {
            let passed = self.current().providers.iter().find(|name| all.contains(name));
            return match (passed, &all[..]) {
                (Some(passed), _) => passed.clone(),
                (None, [only]) => only.clone(),
                (None, []) => {
                    let missing = &mut self.choice.missing;
                    missing.entry(ty.provider.clone()).or_insert((block.declared, 0)).1 += 1;
                    ty.provider.clone()
                }
                (None, [first, ..]) => {
                    let problem = format!("there are {} providers for `{}`", all.len(), ty.name);
                    let names: Vec<_> = all.iter().map(|n| format!("\"{n}\"")).collect();
                    let finding = Diagnostic::error("ambiguous_provider", problem)
                        .at(block.declared, "which one?")
                        .help(format!("write provider = {}", names.join(" or ")));
                    self.findings.push(finding.on(on));
                    first.clone()
                }
            };
        };
        let named = self.tree(&entry.value, Some(on)).map(|tree| match tree.shape {
            Shape::Leaf(value) => value.as_str().map(Arc::<str>::from),
            _ => None,
        });
        match named {
            Some(Some(name)) if all.contains(&name) => name,
            None => ty.provider.clone(),
            Some(name) => {
                let name = name.unwrap_or_default();
                let problem = match self.choice.all.get(&name) {
                    Some(kind) => {
                        format!(
                            "`{name}` is a provider for {kind}, and `{}` needs {}",
                            ty.name, ty.provider
                        )
                    }
                    None => format!("there is no provider named `{name}`"),
                };
                let finding =
                    Diagnostic::error("unknown_provider", problem).at(entry.value.span, "here");
                let finding = match nearest(&name, all.iter().map(|n| &**n)) {
                    Some(near) => finding.help(format!("did you mean \"{near}\"?")),
                    None => finding.help(format!(
                        "declare it: [provider.NAME] with type = \"{}\"",
                        ty.provider
                    )),
                };
                self.findings.push(finding.on(on));
                ty.provider.clone()
            }
        }
    }

    /// The providers that a call of a module names for what is in it; without a name those that its
    /// caller was given.
    pub(super) fn passed_providers(&mut self, block: &Block) -> Vec<Arc<str>> {
        let Some(entry) = block.get("provider") else { return self.current().providers.clone() };
        let Some(tree) = self.tree(&entry.value, None) else { return Vec::new() };
        let (span, value) = (tree.span, tree.into_value());
        let names: Vec<Arc<str>> = match &value {
            Value::Str(name) => vec![name.clone()],
            Value::List(items) => items.iter().filter_map(Value::as_str).map(Into::into).collect(),
            _ => Vec::new(),
        };
        let unknown = names.iter().find(|name| !self.choice.all.contains_key(*name));
        if let Some(name) = unknown {
            let problem = format!("there is no provider named `{name}`");
            let finding = Diagnostic::error("unknown_provider", problem).at(span, "here");
            let near = nearest(name, self.choice.all.keys().map(|n| &**n));
            self.findings.push(match near {
                Some(near) => finding.help(format!("did you mean \"{near}\"?")),
                None => finding.help("declare it in the root module: [provider.NAME]"),
            });
        } else if names.is_empty() {
            let problem = "`provider` must be the name of a provider, or a list of names";
            self.findings.push(Diagnostic::error("wrong_kind", problem).at(span, "here"));
        }
        names
    }

    /// One finding per provider that is used and not declared, not one per resource.
    pub(super) fn missing_providers(&mut self) {
        for (kind, (first, count)) in std::mem::take(&mut self.choice.missing) {
            let mut finding = Diagnostic::error(
                "missing_provider",
                format!("no provider `{kind}` is configured"),
            )
            .at(first, "the first resource that needs it")
            .help(format!("add a table [provider.{kind}]"));
            finding.count = count;
            self.findings.push(finding);
        }
    }
}

/// The declared providers, to choose from.
#[derive(Default)]
pub(super) struct Choice {
    by_kind: BTreeMap<Arc<str>, Vec<Arc<str>>>,
    all: BTreeMap<Arc<str>, Arc<str>>,
    /// Kinds that were needed and not there: the first place, and how often.
    missing: BTreeMap<Arc<str>, (Span, usize)>,
}

impl Choice {
    pub fn new(providers: &[ProviderConfig]) -> Self {
        Self::of(providers.iter().map(|p| (p.name.clone(), p.kind.clone())))
    }

    /// As written, without the settings.
    pub fn written(blocks: &[Block]) -> Self {
        Self::of(blocks.iter().map(|block| {
            let name = block.label.text.clone();
            match block.get("type").map(|entry| &entry.value.value) {
                Some(Literal::Str(kind)) => (name, kind.text.clone()),
                _ => (name.clone(), name),
            }
        }))
    }

    /// Of names and what they are.
    fn of(providers: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        let all: BTreeMap<Arc<str>, Arc<str>> = providers.collect();
        let mut by_kind: BTreeMap<Arc<str>, Vec<Arc<str>>> = BTreeMap::new();
        for (name, kind) in &all {
            by_kind.entry(kind.clone()).or_default().push(name.clone());
        }
        Self { by_kind, all, missing: BTreeMap::new() }
    }
}
