//! Carries a fixture out. In: scenarios. Out: a panic that names the step and shows both sides.
//!
//! Every step: plan (as foretold), apply (exactly the foretold requests), a look at the cloud and
//! the state, and a plan again, which must be empty.

use std::collections::BTreeMap;
use std::time::Duration;

use rackform::emulator::Options;
use serde_json::{Value, json};

use super::fixture::{Fixture, Passes, Scenario, Step};
use crate::common::cloud::{Cloud, Mutation};
use crate::common::process::{Outcome, Rackform};
use crate::common::raw::is_uuid;

/// Runs all scenarios; all that fail are told.
pub fn all(fixture: &Fixture) {
    for scenario in &fixture.scenario {
        let mut runner = Runner::new(fixture, scenario);
        for step in &scenario.step {
            runner.step(step);
        }
        runner.cloud.assert_no_violations();
    }
}

/// One scenario under way.
struct Runner<'a> {
    scenario: &'a Scenario,
    cloud: Cloud,
    rackform: Rackform,
    config: String,
    /// Ids by address, before the step and now.
    old: BTreeMap<String, String>,
    ids: BTreeMap<String, String>,
    kind: &'a str,
    /// For messages.
    at: String,
}

impl<'a> Runner<'a> {
    fn new(fixture: &'a Fixture, scenario: &'a Scenario) -> Self {
        let options = Options {
            version: scenario.version(),
            seed: scenario.seed.clone(),
            job_latency: Duration::from_millis(scenario.job_latency),
            ..Options::default()
        };
        let mut runner = Runner {
            scenario,
            cloud: Cloud::start_with(options),
            rackform: Rackform::new(),
            config: String::new(),
            old: BTreeMap::new(),
            ids: BTreeMap::new(),
            kind: &fixture.kind,
            at: String::new(),
        };
        runner.write("");
        if !scenario.needs.is_empty() {
            runner.rackform.run(&["apply", "--auto-approve"]).expect(0);
            runner.remember();
        }
        runner
    }

    fn step(&mut self, step: &Step) {
        self.at = format!("{}: {}: {}\n", self.kind, self.scenario.name, step.name);
        if let Some(config) = &step.config {
            self.write(config);
        }
        for change in &step.by_hand {
            self.cloud.drift(self.with_ids(change));
        }
        self.cloud.reset();
        self.plan(step);
        match &step.refused {
            Some(refused) => {
                let outcome = self.run(&["apply", "--auto-approve"], step);
                assert_eq!(outcome.code, Some(refused.code), "{}{}", self.at, outcome.stderr);
                let told = unwrapped(&outcome.stderr).contains(&refused.says);
                assert!(told, "{}{:?} is not in:\n{}", self.at, refused.says, outcome.stderr);
                assert!(
                    self.cloud.mutations().is_empty(),
                    "{}: refused, so nothing is sent",
                    self.at
                );
            }
            None => self.apply(step),
        }
        self.cloud.assert_no_violations();
    }

    fn plan(&self, step: &Step) {
        let outcome = self.run(&["plan", "--json"], step);
        let lines: Vec<Value> = outcome.stdout.lines().map(parse).collect();
        if step.refused.is_none() {
            let seen = |kind: &str| -> Vec<String> {
                lines.iter().filter(|line| line["type"] == kind).map(change).collect()
            };
            assert_eq!(seen("planned_change"), step.plan, "{}{}", self.at, outcome.stdout);
            assert_eq!(seen("resource_drift"), step.drift, "{}{}", self.at, outcome.stdout);
        }
        if !step.says.is_empty() {
            let text = unwrapped(&self.run(&["plan"], step).stdout);
            for said in &step.says {
                assert!(text.contains(said), "{}{said:?} is not in:\n{text}", self.at);
            }
        }
    }

    fn apply(&mut self, step: &Step) {
        // One at a time, so that the order of the requests is the plan's.
        let args = ["apply", "--auto-approve", "--parallelism", "1"];
        let outcome = match &step.passes {
            Some(passes) => self.watched(&args, step, passes),
            None => self.run(&args, step),
        };
        assert_eq!(outcome.code, Some(0), "{}{}{}", self.at, outcome.stdout, outcome.stderr);
        self.remember();
        self.compare_requests(step);
        for (query, members) in &step.finds {
            let row = self.cloud.found(&self.fill(query));
            for (member, expected) in members {
                let expected = self.with_ids(expected);
                let same = covers(&row[member], &expected);
                assert!(same, "{}{query}: {member} of {row}\nis not {expected}", self.at);
            }
        }
        for query in &step.gone {
            let rows = self.cloud.rows(&self.fill(query));
            assert!(rows.is_empty(), "{}{query} finds {rows:?}", self.at);
        }
        self.compare_state(step);
        let again = self.rackform.run(&["plan", "--detailed-exitcode"]);
        assert_eq!(
            again.code,
            Some(0),
            "{}the plan after\n{}{}",
            self.at,
            again.stdout,
            again.stderr
        );
    }

    fn compare_requests(&self, step: &Step) {
        let sent = self.cloud.mutations();
        for mutation in &sent {
            let job = mutation.job.as_deref().unwrap_or_default();
            let hex = job.len() == 32 && job.bytes().all(|b| b.is_ascii_hexdigit());
            assert!(hex, "{}X-Job-UUID of {mutation:?}", self.at);
        }
        let seen: Vec<String> = sent.iter().map(|mutation| self.shown(mutation)).collect();
        let wanted: Vec<String> = step.sends.iter().map(|literal| normal(literal)).collect();
        assert_eq!(seen, wanted, "{}the requests that left are not the foretold ones", self.at);
    }

    fn compare_state(&self, step: &Step) {
        let state = self.state();
        for (address, attributes) in &step.remembers {
            let held = &state["entries"][address]["attributes"];
            for (name, expected) in attributes {
                let expected = self.with_ids(expected);
                assert_eq!(held[name], expected, "{}{address}.{name} in {held}", self.at);
            }
        }
        for address in &step.forgets {
            let held = &state["entries"][address];
            assert!(held.is_null(), "{}the state still has {address}: {held}", self.at);
        }
    }

    /// Runs while watching a row for a value that must show in between.
    fn watched(&self, args: &[&str], step: &Step, passes: &Passes) -> Outcome {
        let query = self.fill(&passes.query);
        std::thread::scope(|scope| {
            let run = scope.spawn(|| self.run(args, step));
            let mut seen = false;
            while !run.is_finished() {
                let rows = self.cloud.rows(&query);
                seen |= rows.iter().any(|row| row[&passes.member] == passes.value.as_str());
            }
            assert!(seen, "{}{} never was {}", self.at, passes.member, passes.value);
            run.join().expect("the run has not panicked")
        })
    }

    fn run(&self, args: &[&str], step: &Step) -> Outcome {
        let flags: Vec<String> = step.flags.iter().map(|flag| self.fill(flag)).collect();
        let args: Vec<&str> =
            args.iter().copied().chain(flags.iter().map(String::as_str)).collect();
        self.rackform.run(&args)
    }

    fn write(&mut self, config: &str) {
        config.clone_into(&mut self.config);
        let needs = &self.scenario.needs;
        let text = format!("{}{needs}\n{config}", self.cloud.provider());
        self.rackform.write("main.rack.toml", &text);
    }

    fn state(&self) -> Value {
        parse(&self.rackform.read("rackform.state.json"))
    }

    /// Learns the ids after an apply.
    fn remember(&mut self) {
        self.old.clone_from(&self.ids);
        let state = self.state();
        for (address, entry) in state["entries"].as_object().expect("entries") {
            let id = entry["id"].as_str().expect("an id");
            if is_uuid(id) && !address.contains("[\"") {
                self.ids.insert(address.clone(), id.to_owned());
            }
            // What the server chose for an element of a part is known by its attribute.
            let attributes = entry["attributes"].as_object().into_iter().flatten();
            for (name, value) in attributes.filter(|(name, _)| *name != "owner") {
                if let Some(id) = value.as_str().filter(|id| is_uuid(id) && address.contains("[\""))
                {
                    self.ids.insert(format!("{address}.{name}"), id.to_owned());
                }
            }
        }
    }

    /// `{zone.a}` → its id.
    fn fill(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for (address, id) in &self.ids {
            text = text.replace(&format!("{{{address}}}"), id);
        }
        for (address, id) in &self.old {
            text = text.replace(&format!("{{old:{address}}}"), id);
        }
        text
    }

    fn with_ids(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            Value::Array(items) => items.iter().map(|item| self.with_ids(item)).collect(),
            Value::Object(members) => {
                let members = members.iter().map(|(name, v)| (name.clone(), self.with_ids(v)));
                Value::Object(members.collect())
            }
            other => other.clone(),
        }
    }

    /// A request with placeholders for ids: those that the step has ended are `{old:…}`.
    fn shown(&self, mutation: &Mutation) -> String {
        let Mutation { method, path, query, body, .. } = mutation;
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        let body = if body.is_null() { String::new() } else { format!(" {}", sorted(body)) };
        let mut text = format!("{method} {path}{query}{body}");
        for (address, id) in &self.ids {
            text = text.replace(id, &format!("{{{address}}}"));
        }
        for (address, id) in &self.old {
            text = text.replace(id, &format!("{{old:{address}}}"));
        }
        text
    }
}

/// `METHOD PATH BODY` with the members of the body in one order.
fn normal(literal: &str) -> String {
    let mut words = literal.splitn(3, ' ');
    let head = [words.next(), words.next()].map(Option::unwrap_or_default).join(" ");
    match words.next() {
        Some(body) => format!("{head} {}", sorted(&parse(body))),
        None => head,
    }
}

/// JSON text with sorted members.
fn sorted(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let by_name: BTreeMap<&String, &Value> = members.iter().collect();
            let members = by_name.iter().map(|(k, v)| format!("{}:{}", json!(k), sorted(v)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => {
            format!("[{}]", items.iter().map(sorted).collect::<Vec<_>>().join(","))
        }
        other => other.to_string(),
    }
}

/// `ACTION ADDRESS` and the reason, if the stream tells one.
fn change(line: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let change = &line["change"];
    let mut said = format!("{} {}", text(&change["action"]), text(&change["resource"]["addr"]));
    if let Some(reason) = change["reason"].as_str() {
        said.push_str(&format!(" ({reason})"));
    }
    said
}

/// Whether a value is the expected one; objects may have more members.
fn covers(found: &Value, expected: &Value) -> bool {
    match (found, expected) {
        (Value::Object(found), Value::Object(expected)) => expected
            .iter()
            .all(|(name, wanted)| found.get(name).is_some_and(|found| covers(found, wanted))),
        (Value::Array(found), Value::Array(expected)) => {
            found.len() == expected.len()
                && found.iter().zip(expected).all(|(found, wanted)| covers(found, wanted))
        }
        (found, expected) => found == expected,
    }
}

/// Lines of a width that depends on the terminal, as one.
fn unwrapped(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn parse(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}
