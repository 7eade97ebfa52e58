//! A wrong word in a schema cannot pass. The literal requests of `tests/resources/*.toml` were
//! written from the API's manual; here they are planned again without a server, once with the
//! schemas as they are (all must be equal) and once for every word altered or dropped (something
//! must differ).

use std::collections::BTreeSet;
use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Map, Value as Plain};
use toml::{Table, Value as Toml};

use super::world::{World, address, desired};
use crate::plan::Plan;
use crate::schema::{self, IdRule, Schemas};
use crate::wire::{Json, Part, RequestTemplate};

#[derive(Deserialize)]
struct Fixture {
    scenario: Vec<Scenario>,
}

#[derive(Deserialize)]
struct Scenario {
    #[serde(default)]
    needs: String,
    step: Vec<Step>,
}

#[derive(Deserialize)]
struct Step {
    name: String,
    config: Option<String>,
    #[serde(default)]
    by_hand: Vec<Toml>,
    #[serde(default)]
    flags: Vec<String>,
    #[serde(default)]
    plan: Vec<String>,
    #[serde(default)]
    sends: Vec<String>,
    refused: Option<Toml>,
}

fn fixture(kind: &str) -> Fixture {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/resources");
    let text = std::fs::read_to_string(folder.join(format!("{kind}.toml"))).expect("a fixture");
    toml::from_str(&text).expect("a fixture in TOML")
}

/// The first step whose planned requests are not the foretold ones, and how many were compared.
fn compare(schemas: &Schemas, fixture: &Fixture) -> (Option<String>, usize) {
    let mut compared = 0;
    for scenario in &fixture.scenario {
        let (mut before, mut wanted) = (scenario.needs.clone(), scenario.needs.clone());
        for step in &scenario.step {
            if let Some(config) = &step.config {
                wanted = format!("{}\n{config}", scenario.needs);
            }
            if step.refused.is_some() {
                continue;
            }
            // What was changed by hand, or forgotten and left, is not known here.
            let adopts = step.plan.iter().any(|change| change.starts_with("import "));
            if step.by_hand.is_empty() && !adopts {
                compared += 1;
                let planned = requests(schemas, (&before, &wanted), &step.flags);
                let foretold = step.sends.iter().map(|sent| normal(sent)).collect();
                if planned != foretold {
                    let told = format!("{}:\n{planned:#?}\n{foretold:#?}", step.name);
                    return (Some(told), compared);
                }
            }
            before.clone_from(&wanted);
        }
    }
    (None, compared)
}

fn requests(
    schemas: &Schemas,
    (before, wanted): (&str, &str),
    flags: &[String],
) -> BTreeSet<String> {
    let mut world = World::applied(schemas.clone(), before);
    for pair in flags.chunks(2).filter(|pair| pair[0] == "--replace") {
        world.options.replace.insert(address(&pair[1]));
    }
    let (old, new) = (desired(schemas, before), desired(schemas, wanted));
    for resource in &new.resources {
        // What is discovered is there before anybody declares it.
        if schemas.get(resource.ty).id == IdRule::Found && old.get(&resource.address).is_none() {
            world.discover(resource);
        }
    }
    new.links.iter().for_each(|link| world.provide(link));
    for resource in &new.resources {
        let ty = schemas.get(resource.ty);
        let Some(was) = old.get(&resource.address) else { continue };
        let pairs = resource.attrs.iter().zip(&was.attrs);
        let rotated = ty.attrs().zip(pairs).filter(|((_, attr), (now, was))| {
            attr.unread() && now.reveal() != was.reveal() && !now.is_null()
        });
        let names = rotated.map(|((_, attr), _)| attr.name.clone()).collect();
        world.rotated.insert(resource.address.clone(), names);
    }
    match world.plan_of(&new) {
        Ok(plan) => texts(&plan),
        Err(findings) => BTreeSet::from([super::world::findings_text(&findings)]),
    }
}

fn texts(plan: &Plan) -> BTreeSet<String> {
    plan.steps.iter().filter_map(|step| step.request.as_ref()).map(request).collect()
}

/// A template as the fixtures write requests.
fn request(template: &RequestTemplate) -> String {
    let path: Vec<String> = template.path.iter().map(|segment| text(segment)).collect();
    let path = path.join("/");
    let query: Vec<String> =
        template.query.iter().map(|(name, value)| format!("{name}={}", text(value))).collect();
    let query = if query.is_empty() { String::new() } else { format!("?{}", query.join("&")) };
    let slash = if path.starts_with('/') { "" } else { "/" };
    let body = template.body.as_ref().map(|body| format!(" {}", sorted(json(body))));
    format!("{} {slash}{path}{query}{}", template.method.as_str(), body.unwrap_or_default())
}

fn text(parts: &[Part]) -> String {
    let part = |part: &Part| match part {
        Part::Lit(text) => text.to_string(),
        Part::Id(of) => format!("{{{of}}}"),
        Part::Secret(..) => "***".to_owned(),
    };
    parts.iter().map(part).collect()
}

fn json(body: &Json) -> Plain {
    match body {
        Json::Null => Plain::Null,
        Json::Bool(b) => Plain::from(*b),
        Json::Int(n) => Plain::from(*n),
        Json::Float(n) => Plain::from(*n),
        Json::Text(parts) => Plain::from(text(parts)),
        Json::List(items) => items.iter().map(json).collect(),
        Json::Map(members) => members.iter().map(|(k, v)| (k.clone(), json(v))).collect(),
    }
}

/// A literal with the members of its body in one order; whether an id is the old one is left out.
fn normal(literal: &str) -> String {
    let literal = literal.replace("{old:", "{");
    let mut words = literal.splitn(3, ' ');
    let head = [words.next(), words.next()].map(Option::unwrap_or_default).join(" ");
    let body = words.next().map(|body| serde_json::from_str(body).expect("JSON"));
    body.map_or(head.clone(), |body| format!("{head} {}", sorted(body)))
}

fn sorted(value: Plain) -> Plain {
    match value {
        Plain::Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            members.sort_by(|a, b| a.0.cmp(&b.0));
            Plain::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Plain::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}

/// One alteration of one file.
struct Mutant {
    what: String,
    file: usize,
    text: String,
}

/// Every file with every word that reaches the wire altered or dropped in turn.
/// The files whose words can be sent: not those of types that are only looked up.
fn declared_files() -> impl Iterator<Item = (usize, &'static schema::File<'static>)> {
    let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    schema::FILES.iter().enumerate().filter(move |(_, (_, name, _))| {
        !schemas.by_name(name.trim_end_matches(".toml")).is_some_and(|ty| ty.data_only())
    })
}

fn mutants() -> Vec<Mutant> {
    let mut all = Vec::new();
    for (file, (_, name, text)) in declared_files() {
        let table: Table = toml::from_str(text).expect("a schema in TOML");
        let mut places = Vec::new();
        places_of(&Toml::Table(table.clone()), &mut Vec::new(), &mut places);
        places.retain(|(path, _)| path[0] != "action" || is_planned(text, &path[1]));
        // What stands in a path is sent there, and not under its name.
        let in_path = |name: &str| text.contains(&format!("/{{{name}}}/"));
        places.retain(|(path, edit)| !matches!(edit, Edit::Wire) || !in_path(&path[1]));
        // What a discovered object is looked up by is only read.
        let found = text.contains("\nid      = \"found\"");
        let key = |name: &str| found && text.contains(&format!("\"{name}\""));
        let unsent = |name: &str| key(name) && !is_sent(&table, name);
        places.retain(|(path, edit)| !matches!(edit, Edit::Wire) || !unsent(&path[1]));
        for (path, edit) in places {
            let mut changed = Toml::Table(table.clone());
            apply(&mut changed, &path, &edit);
            all.push(Mutant {
                what: format!("{name}: {} {edit:?}", path.join(".")),
                file,
                text: toml::to_string(&changed).expect("TOML"),
            });
        }
    }
    all
}

/// Whether an update sends this attribute.
fn is_sent(table: &Table, name: &str) -> bool {
    let updates = table.get("update").and_then(Toml::as_array).into_iter().flatten();
    let mut sent = updates.filter_map(|call| call.get("send")?.as_array()).flatten();
    sent.any(|item| item.as_str() == Some(name))
}

/// Whether an update runs this action. What only people run is in no plan: those requests are
/// compared with the manual's in `tests/it/schemas.rs`.
fn is_planned(text: &str, action: &str) -> bool {
    let named = format!("\"{action}\"");
    text.lines().any(|line| line.trim_start().starts_with("then") && line.contains(&named))
}

#[derive(Clone, Debug)]
enum Edit {
    /// The word becomes another.
    Alter,
    /// The element of the list goes.
    Drop(usize),
    /// The attribute gets this wire name.
    Wire,
    /// The value is sent as another word.
    Spell(usize),
}

/// Where a schema says what is sent: calls, wrappers, lists of what to send, wire names, words.
fn places_of(value: &Toml, path: &mut Vec<String>, out: &mut Vec<(Vec<String>, Edit)>) {
    let last = path.last().cloned().unwrap_or_default();
    let read = path.iter().any(|step| step == "read" || step == "cascade");
    match value {
        Toml::String(_) if matches!(last.as_str(), "call" | "body") && !read => {
            out.push((path.clone(), Edit::Alter));
        }
        Toml::Array(items) if last == "send" => {
            out.extend((0..items.len()).map(|ix| (path.clone(), Edit::Drop(ix))));
        }
        Toml::Array(items) if last == "values" => {
            out.extend((0..items.len()).map(|ix| (path.clone(), Edit::Spell(ix))));
        }
        Toml::Table(words) if last == "values" => {
            out.extend((0..words.len()).map(|ix| (path.clone(), Edit::Spell(ix))));
        }
        Toml::Table(table) => {
            let computed = table.get("is").is_some_and(|is| is.to_string().contains("computed"));
            if path.len() == 2 && path[0] == "attr" && !computed {
                out.push((path.clone(), Edit::Wire));
            }
            for (name, inner) in table {
                path.push(name.clone());
                places_of(inner, path, out);
                path.pop();
            }
        }
        Toml::Array(items) => {
            for (ix, inner) in items.iter().enumerate() {
                path.push(ix.to_string());
                places_of(inner, path, out);
                path.pop();
            }
        }
        _ => {}
    }
}

fn apply(value: &mut Toml, path: &[String], edit: &Edit) {
    if let Some((first, rest)) = path.split_first() {
        let inner = match value {
            Toml::Table(table) => table.get_mut(first),
            Toml::Array(items) => first.parse().ok().and_then(|ix: usize| items.get_mut(ix)),
            _ => None,
        };
        return apply(inner.expect("a place that was found"), rest, edit);
    }
    match (edit, value) {
        (Edit::Alter, Toml::String(text)) => match text.split_once('?') {
            Some((path, query)) => *text = format!("{path}?{query}x"),
            None => text.push('x'),
        },
        (Edit::Drop(ix), Toml::Array(items)) => {
            items.remove(*ix);
        }
        (Edit::Wire, Toml::Table(table)) => {
            let altered = match table.get("wire") {
                Some(Toml::Array(both)) => Toml::Array(vec![both[0].clone(), "mutant".into()]),
                _ => "mutant".into(),
            };
            table.insert("wire".into(), altered);
        }
        (Edit::Spell(ix), Toml::Table(words)) => {
            let word = words.iter_mut().nth(*ix).expect("a word").1;
            *word = "mutant".into();
        }
        (Edit::Spell(ix), values) => {
            let words = values.as_array().expect("a list of values").clone();
            let spelled = words.iter().enumerate().map(|(at, word)| {
                let read = word.as_str().expect("a word").to_owned();
                let sent = if at == *ix { "mutant" } else { &read };
                (read.clone(), Toml::from(sent))
            });
            *values = Toml::Table(spelled.collect());
        }
        (edit, value) => panic!("{edit:?} does not suit {value}"),
    }
}

#[test]
fn the_schemas_send_what_the_manual_says() {
    let schemas = schema::load().unwrap_or_else(|(found, _)| panic!("{found:?}"));
    let mut compared = 0;
    for ty in schemas.resources() {
        let (difference, count) = compare(&schemas, &fixture(&ty.name));
        assert_eq!(difference, None, "{}", ty.name);
        compared += count;
    }
    assert!(compared > 40, "only {compared} steps can be planned without a server");
}

/// The schemas with one file replaced, and the types to try; none if they do not load.
fn altered(mutant: &Mutant) -> Option<(Schemas, Vec<String>)> {
    let mut files = schema::FILES.to_vec();
    files[mutant.file].2 = &mutant.text;
    let schemas = schema::parse_texts(&files).ok()?;
    let own = schema::FILES[mutant.file].1.trim_end_matches(".toml");
    let types = schemas.resources().map(|ty| ty.name.to_string());
    // What all types share shows in some of them.
    let tried = types.filter(|name| own == "provider" || name == own).collect();
    Some((schemas, tried))
}

#[test]
fn no_wrong_word_in_a_schema_passes() {
    let mut loaded = 0;
    let mut alive = Vec::new();
    for mutant in mutants() {
        // A schema that does not load cannot send anything wrong.
        let Some((schemas, types)) = altered(&mutant) else { continue };
        if by_hand_only(&schemas, &mutant) {
            continue;
        }
        loaded += 1;
        if types.iter().all(|name| compare(&schemas, &fixture(name)).0.is_none()) {
            alive.push(mutant.what);
        }
    }
    assert!(loaded > 80, "only {loaded} altered schemas load");
    assert!(alive.is_empty(), "not noticed:\n{}", alive.join("\n"));
}

/// Whether the place is in an action that no update runs: a plan cannot notice it. Those are tried
/// one by one by the tests of `rackform action`.
fn by_hand_only(schemas: &Schemas, mutant: &Mutant) -> bool {
    let Some((_, place)) = mutant.what.split_once(": action.") else { return false };
    let name = place.split('.').next().unwrap_or_default();
    let used = |ty: &schema::ResourceType| {
        let then = ty.updates.iter().flat_map(|call| &call.then);
        then.map(|ix| ty.action(*ix)).any(|action| &*action.name == name)
    };
    let own = schema::FILES[mutant.file].1.trim_end_matches(".toml");
    schemas.by_name(own).is_some_and(|ty| !used(ty))
}

/// Writing a file anew alters nothing, so that what the test above sees is the alteration.
#[test]
fn a_schema_written_anew_sends_the_same() {
    for (file, (_, name, text)) in declared_files() {
        let table: Table = toml::from_str(text).expect("a schema in TOML");
        let text = toml::to_string(&table).expect("TOML");
        let same = Mutant { what: (*name).to_owned(), file, text };
        let (schemas, types) = altered(&same).expect("it loads");
        for ty in types {
            assert_eq!(compare(&schemas, &fixture(&ty)).0, None, "{name}: {ty}");
        }
    }
}
