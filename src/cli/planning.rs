//! From a session to a weighed plan: connect, refresh, plan, count casualties.
//!
//! Shared by `plan` and `apply`. In: a session, a snapshot of the state. Out: a [`Planned`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::address::Address;
use crate::cli::args::Planning;
use crate::cli::failure::Failure;
use crate::cli::foresee;
use crate::cli::imports;
use crate::cli::outlook;
use crate::cli::secrets;
use crate::cli::session::Session;
use crate::cli::wanted;
use crate::config::{Conclusion, ProviderConfig};
use crate::diag::{Diagnostic, Diagnostics};
use crate::emulator::{self, Embedded};
use crate::inventory::Inventory;
use crate::observe::{casualties, inventory};
use crate::plan::guard::{self, Consent, Question, Refusal};
use crate::plan::outputs;
use crate::plan::version::{self, Server};
use crate::plan::{self, Inputs, Note, Options, Plan};
use crate::provider::{Connection, ProviderError, Settings};
use crate::state::moved::{self, Previous};
use crate::state::{Cloud, State};
use crate::store::Snapshot;
use crate::value::Value;

/// Endpoint that means the built-in server.
const EMULATOR: &str = "emulator";

/// Open connections, and the built-in server if this process runs it.
pub struct Clouds {
    pub connections: HashMap<Arc<str>, Connection>,
    /// What the state is to remember of each.
    pub clouds: BTreeMap<Arc<str>, Cloud>,
    embedded: Vec<Embedded>,
}

/// How long a logout may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// A plan, and what it took.
pub struct Planned {
    pub plan: Plan,
    pub requests: u64,
    /// What outputs, postconditions and checks come to, as far as that is known.
    pub concluded: Conclusion,
}

impl Clouds {
    /// Logs in to every provider that the configuration or the state needs.
    pub async fn open(session: &Session, state: &State) -> Result<Self, Failure> {
        let mut clouds =
            Self { connections: HashMap::new(), clouds: BTreeMap::new(), embedded: Vec::new() };
        for config in &session.desired.providers {
            clouds.connect(session, config).await?;
        }
        let used = state.entries.values().map(|e| &e.provider);
        let used: BTreeSet<&Arc<str>> =
            used.chain(state.pending.values().map(|p| &p.provider)).collect();
        for name in used {
            if !clouds.connections.contains_key(name) {
                return Err(missing_provider(name).into());
            }
        }
        clouds.check_identity(session, state)?;
        Ok(clouds)
    }

    async fn connect(&mut self, session: &Session, config: &ProviderConfig) -> Result<(), Failure> {
        let mut values = config.settings.clone();
        let endpoint = text(&values, "endpoint");
        let seed = match values.remove("seed") {
            Some(seed) => {
                let seed = read_seed(&session.dir, (&config.name, endpoint.as_deref()), &seed);
                Some(seed.map_err(|finding| at(session, config, finding))?)
            }
            None => None,
        };
        if endpoint.as_deref() == Some(EMULATOR) {
            let embedded = emulator::embedded(&session.dir, seed).await.map_err(|error| {
                at(session, config, Diagnostic::error("emulator", error.to_string()))
            })?;
            values.insert("endpoint".into(), Value::str(&embedded.url));
            values.entry("account".into()).or_insert_with(|| Value::str("admin"));
            values.entry("password".into()).or_insert_with(|| Value::str("password").sensitive());
            self.embedded.push(embedded);
        }
        let failed = |error: ProviderError| {
            let finding = Diagnostic::error("provider", error.to_string());
            let finding = match error.help() {
                Some(help) => finding.help(help),
                None => finding,
            };
            at(session, config, finding)
        };
        let settings = Settings::from_values(&config.name, &config.kind, &values, &session.dir);
        let connection = Connection::open(&settings.map_err(failed)?).await.map_err(failed)?;
        let account_id = connection.account_id().await.ok().flatten();
        let cloud = Cloud {
            kind: config.kind.clone(),
            endpoint: endpoint.unwrap_or_default(),
            account: text(&values, "account").unwrap_or_default(),
            account_id,
        };
        self.clouds.insert(config.name.clone(), cloud);
        self.connections.insert(config.name.clone(), connection);
        Ok(())
    }

    /// A state belongs to one account of one cloud; in another everything would look gone.
    fn check_identity(&self, session: &Session, state: &State) -> Result<(), Failure> {
        for (name, known) in &state.clouds {
            let Some(found) = self.clouds.get(name) else { continue };
            let has_objects = state.entries.values().any(|e| e.provider == *name);
            if has_objects && known.account_id.is_some() && known.account_id != found.account_id {
                let finding = Diagnostic::error(
                    "other_account",
                    format!("provider.{name} logs in to another account than the one this state belongs to"),
                )
                .detail(format!(
                    "The state was made with {}; this is {}.",
                    known.sentence(),
                    found.sentence()
                ))
                .help("correct the provider's settings; for another cloud use another directory");
                return Err(Failure::refused(finding.into(), &session.sources));
            }
        }
        Ok(())
    }

    /// Logs out, and ends the built-in server if it is ours.
    pub async fn close(self) {
        for connection in self.connections.values() {
            // A server that has gone silent keeps nobody.
            let _ = tokio::time::timeout(FAREWELL, connection.close()).await;
        }
        for embedded in self.embedded {
            if let Some(server) = embedded.server {
                server.stop().await;
            }
        }
    }

    pub fn requests(&self) -> u64 {
        self.connections.values().map(Connection::requests).sum()
    }
}

fn text(values: &BTreeMap<Arc<str>, Value>, name: &str) -> Option<String> {
    values.get(name).and_then(|v| v.reveal().as_str()).map(str::to_owned)
}

/// The file of `seed`, a setting of the built-in server alone: what hosts and targets there have by
/// themselves. Relative to the directory of the configuration.
fn read_seed(
    dir: &Path,
    (provider, endpoint): (&str, Option<&str>),
    setting: &Value,
) -> Result<serde_json::Value, Diagnostic> {
    let refuse =
        |text: String| Diagnostic::error("bad_seed", format!("provider.{provider}: {text}"));
    if endpoint != Some(EMULATOR) {
        return Err(refuse("`seed` goes only with endpoint = \"emulator\"".to_owned())
            .help("a real cloud finds its devices itself: remove `seed`"));
    }
    let Value::Str(name) = setting.reveal() else {
        return Err(refuse("`seed` must be a string".to_owned())
            .help("name a TOML or JSON file: seed = \"devices.toml\""));
    };
    let path = dir.join(&**name);
    let text = std::fs::read_to_string(&path)
        .map_err(|error| refuse(format!("{} cannot be read: {error}", path.display())))?;
    emulator::read_seed(&path, &text)
        .map_err(|error| refuse(format!("{} is not a seed: {error}", path.display())))
}

fn at(session: &Session, config: &ProviderConfig, finding: Diagnostic) -> Failure {
    Failure::findings(finding.at(config.declared, "this provider").into(), &session.sources)
}

fn missing_provider(name: &str) -> Diagnostic {
    Diagnostic::error(
        "no_provider",
        format!("the state has objects of provider.{name}, which is not configured"),
    )
    .help(format!("put `[provider.{name}]` back; its objects cannot be looked at without it"))
}

/// Gives what the state has the addresses that the configuration says, and tells them where they
/// were. The state is written with the next apply. What is destroyed keeps its old address.
pub fn rename(
    session: &Session,
    snapshot: &mut Snapshot,
    destroy: bool,
) -> Result<Previous, Failure> {
    if destroy {
        return Ok(Previous::new());
    }
    let moved = moved::apply(&session.desired, &mut snapshot.state)
        .map_err(|findings| Failure::findings(findings, &session.sources))?;
    let now: HashMap<&Address, &Address> = moved.iter().map(|(to, from)| (from, to)).collect();
    for intent in &mut snapshot.unfinished {
        if let Some(to) = now.get(&intent.address) {
            intent.address = (*to).clone();
        }
    }
    Ok(moved)
}

/// Makes a plan of the session against this state and weighs it. `moved`: what [`rename`] said.
pub async fn make(
    session: &Session,
    state: &State,
    clouds: &Clouds,
    (args, destroy, moved): (&Planning, bool, &Previous),
) -> Result<Planned, Failure> {
    let refused = &session.desired.refused;
    if refused.has_errors() && !destroy {
        return Err(Failure::findings(refused.clone(), &session.sources));
    }
    let before = clouds.requests();
    let notes = if destroy { Vec::new() } else { versions(session, clouds).await? };
    let live = if args.refresh { Some(refresh(session, state, clouds).await?) } else { None };
    let rotated = secrets::rotated(&session.desired, &session.schemas, state)?;
    let replace = args.replace.iter().cloned().collect();
    let options = Options { destroy, replace, preview: false };
    let inputs = Inputs {
        desired: &session.desired,
        state,
        live: live.as_ref(),
        schemas: &session.schemas,
        rotated: &rotated,
        moved,
        options: &options,
    };
    imports::check(session, &clouds.connections, &inputs).await?;
    let mut plan =
        plan::plan(&inputs).map_err(|findings| Failure::findings(findings, &session.sources))?;
    plan.notes.extend(notes);
    foresee::check(session, &clouds.connections, &inputs, &plan).await?;
    unknown_replace(session, state, args)?;
    weigh(session, clouds, &mut plan).await?;
    let concluded =
        if destroy { Conclusion::default() } else { outlook::planned(session, state, &plan) };
    plan.outputs = outputs::changes(state, &concluded.outputs);
    let requests = clouds.requests() - before + session.asked;
    Ok(Planned { plan, requests, concluded })
}

/// Compares what the configuration demands of a server's version with what the server is. Asks
/// only where there is a demand.
async fn versions(session: &Session, clouds: &Clouds) -> Result<Vec<Note>, Failure> {
    let demands = version::demands(&session.desired, &session.schemas);
    let (mut notes, mut findings) = (Vec::new(), Diagnostics::default());
    let providers: BTreeSet<&Arc<str>> = demands.iter().map(|d| &d.provider).collect();
    for provider in providers {
        let Some(connection) = clouds.connections.get(provider) else { continue };
        let version = connection.version().await.map_err(|fault| {
            let text = format!("cannot ask provider.{provider} for its version: {fault}");
            Diagnostic::error("unknown_version", text)
                .help("nothing was changed; run it again when the server answers")
        })?;
        let endpoint = clouds.clouds.get(provider).map_or("", |cloud| &cloud.endpoint);
        match version::judge(&demands, Server { provider, endpoint, version }) {
            Ok(note) => notes.extend(note),
            Err(found) => findings.extend(found),
        }
    }
    if findings.is_empty() { Ok(notes) } else { Err(Failure::findings(findings, &session.sources)) }
}

fn unknown_replace(session: &Session, state: &State, args: &Planning) -> Result<(), Failure> {
    for address in &args.replace {
        if let Some(member) = address.member_of() {
            let text = format!("--replace {address}: an attachment is not replaced by itself");
            let help = format!(
                "replace {} or the other end; or take it out of `{}`, apply, and put it back",
                address.owner(),
                member.name
            );
            return Err(Diagnostic::error("replace_attachment", text).help(help).into());
        }
        if session.desired.get(address).is_none() && !state.entries.contains_key(address) {
            let names = session.desired.resources.iter().map(|r| r.address.as_str());
            let near = crate::diag::nearest(address.as_str(), names);
            let finding = Diagnostic::error(
                "unknown_address",
                format!("--replace {address}: there is no such object"),
            );
            let help = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => "`rackform state list` shows what there is".to_owned(),
            };
            return Err(finding.help(help).into());
        }
    }
    Ok(())
}

/// Counts live what the plan would take with it, and enters it into the plan.
pub async fn weigh(session: &Session, clouds: &Clouds, plan: &mut Plan) -> Result<(), Failure> {
    let questions = guard::questions(plan, &session.schemas);
    let mut answers = vec![BTreeSet::new(); questions.len()];
    for (name, connection) in &clouds.connections {
        let mine: Vec<(usize, &Question)> =
            questions.iter().enumerate().filter(|(_, q)| q.provider == *name).collect();
        let asked: Vec<casualties::Question<'_>> = mine
            .iter()
            .map(|(_, q)| casualties::Question {
                target: &q.target,
                id: q.id.clone(),
                to: q.to.clone(),
            })
            .collect();
        let counted = casualties::count(connection, &asked).await.map_err(|fault| {
            Diagnostic::error(
                "uncounted",
                format!("cannot count what the plan would destroy: {fault}"),
            )
            .help("nothing was changed; run it again when the server answers")
        })?;
        for ((at, _), ids) in mine.into_iter().zip(counted) {
            answers[at] = ids;
        }
    }
    guard::weigh(plan, &questions, &answers);
    Ok(())
}

/// What there is, as far as a plan of the session has to know it.
pub async fn refresh(
    session: &Session,
    state: &State,
    clouds: &Clouds,
) -> Result<Inventory, Failure> {
    let mut all = Inventory::default();
    for (name, connection) in &clouds.connections {
        let want = wanted::wanted(session, state, name);
        let found = inventory::refresh(connection, &session.schemas, &want).await;
        let found = found.map_err(|error| {
            let finding = Diagnostic::error("refresh_failed", error.to_string());
            let help = error.fault.help.clone().unwrap_or_else(|| {
                "nothing was changed; run it again, or plan against the state: --refresh=false"
                    .to_owned()
            });
            finding.help(help)
        })?;
        all.tables.extend(found.tables);
        all.requests += found.requests;
    }
    Ok(all)
}

/// What the command line allows.
pub fn consent(args: &Planning) -> Consent {
    Consent {
        destroy: args.allow_destroy.clone(),
        delete: args.allow_delete.iter().cloned().collect(),
        missing: args.allow_missing.iter().cloned().collect(),
    }
}

/// Refusals as findings.
pub fn refused(refusals: &[Refusal]) -> Diagnostics {
    let mut findings = Diagnostics::default();
    for refusal in refusals {
        let finding = Diagnostic::error("refused", refusal.text.clone());
        findings.push(finding.help(format!("if that is what you want: {}", refusal.flag)));
    }
    findings
}

/// Missing objects.
pub fn missing_refusals(
    planned: &Plan,
    snapshot: &Snapshot,
    session: &Session,
    consent: &Consent,
) -> Vec<Refusal> {
    let consent = (consent, elsewhere(session, &snapshot.state));
    guard::missing_refused(planned, &snapshot.state, &snapshot.unfinished, consent)
}

/// Whether a provider has another endpoint than when the state was written. A single object that
/// is missing there is then no chance.
fn elsewhere(session: &Session, state: &State) -> bool {
    session.desired.providers.iter().any(|provider| {
        let known = state.clouds.get(&provider.name);
        let now = text(&provider.settings, "endpoint");
        known.zip(now).is_some_and(|(known, now)| known.endpoint != now)
    })
}

/// What `apply` will refuse to delete, as warnings: a plan only shows it.
pub fn over_budget(
    planned: &Plan,
    state: &State,
    session: &Session,
    consent: &Consent,
) -> Diagnostics {
    let mut warnings = Diagnostics::default();
    for refusal in guard::budget_refused(planned, state, &session.desired.settings, consent) {
        let warning = Diagnostic::warning("over_budget", refusal.text);
        warnings.push(warning.help(format!("apply will ask for {}", refusal.flag)));
    }
    warnings
}

/// Budget and missing objects: what no confirmation on a terminal can lift.
pub fn hard_refusals(
    planned: &Plan,
    snapshot: &Snapshot,
    session: &Session,
    consent: &Consent,
) -> Vec<Refusal> {
    let state = &snapshot.state;
    let mut refusals = missing_refusals(planned, snapshot, session, consent);
    refusals.extend(guard::budget_refused(planned, state, &session.desired.settings, consent));
    refusals
}
