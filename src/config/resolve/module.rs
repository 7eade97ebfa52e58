//! Module instances: the root, and every one of those that it calls.
//!
//! In: the configuration as written. Out: for each its names, with what has been evaluated of them
//! so far. Values are made on demand and once; a value that asks for itself is reported as
//! a circle.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::Work;
use super::instances::{Each, Instances, Many};
use super::table::DataTable;
use crate::address::{Address, ModuleStep};
use crate::config::expr::{CROSSING, Evaluated, Fault, Stop, keys_of};
use crate::config::syntax::{Block, Call, Entry, Module, Node};
use crate::diag::{Diagnostic, Span, nearest};
use crate::schema::Schemas;
use crate::value::Value;

/// Number of a module instance; the root is the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct ModuleIx(u32);

impl ModuleIx {
    pub const ROOT: Self = Self(0);

    /// The one at a position of the list.
    pub fn at(position: usize) -> Self {
        Self(u32::try_from(position).unwrap_or(u32::MAX))
    }
}

/// What is evaluated at most once.
#[derive(Clone, Default)]
pub(super) enum Once<T> {
    #[default]
    Not,
    /// It is being evaluated: who asks for it now asks in a circle.
    Busy,
    Done(T),
}

/// Lists and maps within each other that a named value may hold. Values are made of others step by
/// step, so that no single expression shows how deep one is.
const DEEPEST: u32 = 200;
/// Values in one value: a local that holds another twice, that one a third twice, and so on, would
/// otherwise take for ever to walk over.
const LARGEST: u64 = 5_000_000;

/// Resources, and where it is written that they come first.
pub(super) type Before = Arc<[(Address, Span)]>;

/// A named value: there, or why not.
pub(super) type Named = Result<Evaluated, Stop>;

/// Members of a circle that a message shows.
const SHOWN: usize = 10;

/// The resource blocks of a module by type and label.
type Blocks<'c> = BTreeMap<Arc<str>, BTreeMap<Arc<str>, BlockState<'c>>>;

/// Of a `[data.TYPE.LABEL]`.
type TypeAndLabel = (Arc<str>, Arc<str>);

/// One instance of a module.
pub(super) struct ModuleInstance<'c> {
    pub written: &'c Module,
    pub path: Arc<[ModuleStep]>,
    /// The module that calls it, by which block and for which instance of that.
    pub caller: Option<(ModuleIx, &'c Block, Each)>,
    /// Providers that its resources use where they name none.
    pub providers: Vec<Arc<str>>,
    /// What everything in it waits for.
    pub before: Once<Before>,
    pub values: HashMap<(Values, Arc<str>), Once<Named>>,
    pub blocks: Blocks<'c>,
    pub data: HashMap<TypeAndLabel, Once<Instances<DataTable>>>,
    pub calls: HashMap<Arc<str>, Once<Instances<ModuleIx>>>,
}

/// The kinds of named values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Values {
    Variable,
    Local,
    Output,
}

/// A resource block, and its instances once they are known.
pub(super) struct BlockState<'c> {
    pub block: &'c Block,
    /// Without a key.
    pub address: Address,
    pub instances: Once<Instances<Address>>,
}

impl<'c> ModuleInstance<'c> {
    pub fn new(
        written: &'c Module,
        path: Arc<[ModuleStep]>,
        caller: Option<(ModuleIx, &'c Block, Each)>,
        schemas: &Schemas,
    ) -> Self {
        let mut blocks: Blocks<'c> = BTreeMap::new();
        for block in &written.resources {
            // Those of unknown types are known too: they are reported as such, and not once more by
            // each reference.
            let kind = match schemas.by_name(&block.kind.text) {
                Some(ty) => ty.name.clone(),
                None => block.kind.text.clone(),
            };
            let address = Address::in_module(&path, &kind, &block.label.text);
            let state = BlockState { block, address, instances: Once::Not };
            blocks.entry(kind).or_default().insert(block.label.text.clone(), state);
        }
        let (values, data, calls) = (HashMap::new(), HashMap::new(), HashMap::new());
        let (providers, before) = (Vec::new(), Once::Not);
        Self { written, path, caller, providers, before, values, blocks, data, calls }
    }

    pub fn block(&self, kind: &str, label: &str) -> Option<&BlockState<'c>> {
        self.blocks.get(kind)?.get(label)
    }
    pub fn call(&self, name: &str) -> Option<&'c Call> {
        let calls: &'c [Call] = &self.written.calls;
        let at = calls.binary_search_by(|c| (*c.block.label.text).cmp(name)).ok()?;
        calls.get(at)
    }
    /// `module.a.module.b`, for messages; nothing for the root.
    pub fn shown(&self) -> String {
        let member = Address::in_module(&self.path, &"".into(), &"".into());
        member.as_str().trim_end_matches('.').to_owned()
    }
}

/// Where an expression stands.
#[derive(Clone, Default)]
pub(super) struct Here {
    pub module: ModuleIx,
    pub each: Each,
    /// The object that `self` means.
    pub this: Option<Address>,
    pub stage: Stage,
}

/// What may be named: values are evaluated in this order.
#[derive(Clone, Copy, Default, PartialEq)]
pub(super) enum Stage {
    /// In a variable's default.
    Nothing,
    /// In provider settings.
    Settings,
    #[default]
    All,
}

impl Here {
    pub fn module(module: ModuleIx) -> Self {
        Self { module, ..Self::default() }
    }
}

/// A value that is being evaluated because another asked for it.
pub(super) struct Frame {
    pub name: String,
    pub span: Span,
}

impl<'a> Work<'a> {
    pub(super) fn module(&self, ix: ModuleIx) -> &ModuleInstance<'a> {
        &self.modules[ix.0 as usize]
    }
    pub(super) fn module_mut(&mut self, ix: ModuleIx) -> &mut ModuleInstance<'a> {
        &mut self.modules[ix.0 as usize]
    }
    pub(super) fn module_numbers(&self) -> impl Iterator<Item = ModuleIx> + use<> {
        (0..u32::try_from(self.modules.len()).unwrap_or(u32::MAX)).map(ModuleIx)
    }
    /// The module that is being evaluated.
    pub(super) fn current(&self) -> &ModuleInstance<'a> {
        self.module(self.here.module)
    }

    /// Evaluates elsewhere.
    pub(super) fn at<T>(&mut self, here: Here, run: impl FnOnce(&mut Self) -> T) -> T {
        let before = std::mem::replace(&mut self.here, here);
        let result = run(self);
        self.here = before;
        result
    }

    /// Evaluates for something that has a name and a place; they are told when it turns out to ask
    /// for itself.
    pub(super) fn framed<T>(
        &mut self,
        (name, span): (String, Span),
        run: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.frames.push(Frame { name, span });
        self.depth += CROSSING;
        let result = run(self);
        self.depth -= CROSSING;
        self.frames.pop();
        result
    }

    /// Reports that what is being evaluated needs itself.
    pub(super) fn circle(&mut self, name: &str) {
        let start = self.frames.iter().position(|frame| frame.name == name).unwrap_or(0);
        let ring = &self.frames[start..];
        let next = ring.iter().skip(1).map(|f| &*f.name).chain([name]);
        let mut finding = Diagnostic::error("cycle", "values depend on each other in a circle");
        for (frame, next) in ring.iter().zip(next).take(SHOWN) {
            finding = finding.at(frame.span, format!("`{}` needs `{next}`", frame.name));
        }
        if let Some(more) = ring.len().checked_sub(SHOWN).filter(|more| *more > 0) {
            finding = finding.detail(format!("The circle goes on through {more} more values."));
        }
        self.findings.push(finding.help("remove one of these references"));
    }

    /// A local, variable or output of a module.
    pub(super) fn value(&mut self, of: ModuleIx, what: Values, name: &Arc<str>) -> Named {
        let key = (what, name.clone());
        let found = match self.module(of).values.get(&key) {
            Some(Once::Done(known)) => return known.clone(),
            Some(Once::Busy) => None,
            Some(Once::Not) | None => Some(()),
        };
        let module = self.module(of);
        let prefix = match &*module.shown() {
            "" => String::new(),
            path => format!("{path}."),
        };
        let word = match what {
            Values::Variable => "var",
            Values::Local => "local",
            Values::Output => "output",
        };
        let shown = format!("{prefix}{word}.{name}");
        if found.is_none() {
            self.circle(&shown);
            return Err(Stop::Silent);
        }
        self.module_mut(of).values.insert(key.clone(), Once::Busy);
        let value = match what {
            Values::Variable => self.variable_of(of, name, shown).and_then(not_too_deep),
            Values::Local => self.local(of, name, shown),
            Values::Output => self.output(of, name, shown),
        };
        self.module_mut(of).values.insert(key, Once::Done(value.clone()));
        value
    }

    fn local(&mut self, of: ModuleIx, name: &str, shown: String) -> Named {
        let entries = &self.module(of).written.locals;
        let Ok(at) = entries.binary_search_by(|entry| (*entry.key.text).cmp(name)) else {
            let names = entries.iter().map(|entry| &*entry.key.text);
            return Err(unknown("unknown_local", "local", name, names, "[locals]").into());
        };
        let written: &'a Module = self.module(of).written;
        let entry = &written.locals[at];
        // What a setting may not name, a local cannot carry to it.
        let here = Here { stage: self.here.stage, ..Here::module(of) };
        self.at(here, |work| {
            work.framed((shown, entry.value.span), |work| work.written_value(&entry.value))
        })
    }

    fn output(&mut self, of: ModuleIx, name: &str, shown: String) -> Named {
        let written: &'a Module = self.module(of).written;
        let found = written.outputs.binary_search_by(|block| (*block.label.text).cmp(name));
        let Ok(at) = found else {
            let names = written.outputs.iter().map(|block| &*block.label.text);
            let table = format!("[output.{name}]");
            return Err(unknown("unknown_output", "output", name, names, &table).into());
        };
        let block = &written.outputs[at];
        let Some(entry) = block.get("value") else {
            self.findings.push(
                Diagnostic::error(
                    "missing_attribute",
                    format!("the output `{name}` has no `value`"),
                )
                .at(block.declared, "here"),
            );
            return Err(Stop::Silent);
        };
        let secret = block.get("sensitive").is_some_and(is_true);
        let here = Here::module(of);
        let value = self.at(here, |work| {
            work.framed((shown, entry.value.span), |work| work.written_value(&entry.value))
        })?;
        Ok(if secret { Evaluated { value: value.value.sensitive(), ..value } } else { value })
    }

    /// A written value; what is wrong with it is reported here, once.
    fn written_value(&mut self, node: &Node) -> Named {
        let tree = self.tree(node, None).ok_or(Stop::Silent)?;
        let unset = tree.unset.clone();
        let value = tree.into_value();
        if value.exceeds(DEEPEST, LARGEST) {
            let problem = "this value is nested too deeply, or too large";
            let label =
                format!("{DEEPEST} levels of lists and maps and {LARGEST} values are possible");
            self.findings.push(Diagnostic::error("too_deep", problem).at(node.span, label));
            return Err(Stop::Silent);
        }
        Ok(Evaluated { value, unset })
    }

    /// The instances of a resource block.
    pub(super) fn addresses(
        &mut self,
        of: ModuleIx,
        (kind, label): (&str, &str),
    ) -> Option<Instances<Address>> {
        let state = self.module(of).block(kind, label)?;
        let (block, address) = (state.block, state.address.clone());
        match &state.instances {
            Once::Done(known) => return Some(known.clone()),
            Once::Busy => {
                self.circle(address.as_str());
                return Some(Instances::Open);
            }
            Once::Not => {}
        }
        self.put_addresses(of, &address, Once::Busy);
        let span = block.get("for_each").or_else(|| block.get("count"));
        let frame = (address.to_string(), span.map_or(block.declared, |e| e.value.span));
        let found = self.at(Here::module(of), |work| {
            work.framed(frame, |work| work.instances(block, Some(&address)))
        });
        let found = found.map(|each, ()| match each.key() {
            Some(key) => address.instance(key),
            None => address.clone(),
        });
        self.put_addresses(of, &address, Once::Done(found.clone()));
        Some(found)
    }

    fn put_addresses(&mut self, of: ModuleIx, block: &Address, state: Once<Instances<Address>>) {
        let labels = self.module_mut(of).blocks.get_mut(block.kind());
        if let Some(found) = labels.and_then(|labels| labels.get_mut(block.label())) {
            found.instances = state;
        }
    }
}

/// What modules hand on may grow with each.
fn not_too_deep(given: Evaluated) -> Named {
    if given.value.exceeds(DEEPEST, LARGEST) {
        let problem = "this value is nested too deeply, or too large";
        return Err(Fault::new("too_deep", problem).into());
    }
    Ok(given)
}

pub(super) fn is_true(entry: &Entry) -> bool {
    matches!(entry.value.value, crate::config::syntax::Literal::Bool(true))
}

/// All instances as one value: by key, with `count` as a list.
pub(super) fn whole(all: Vec<(Arc<str>, Value)>, counted: bool) -> Value {
    if counted {
        return Value::list(all.into_iter().map(|(_, value)| value).collect());
    }
    Value::map(all.into_iter().collect())
}

/// The fault for a name that nothing has.
pub(super) fn unknown<'n>(
    code: &'static str,
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'n str>,
    table: &str,
) -> Fault {
    let fault = Fault::new(code, format!("there is no {what} `{name}`"));
    match nearest(name, known) {
        Some(near) => fault.help(format!("did you mean `{near}`?")),
        None => fault.help(format!("declare it: {table}")),
    }
}

pub(super) fn no_instances(block: &str) -> Fault {
    Fault::new("missing_object", format!("`{block}` has no instances"))
        .label("not declared")
        .help(format!("write `{block}`"))
}

pub(super) fn no_instance<T>(block: &str, key: &str, among: &Many<T>) -> Fault {
    let fault = Fault::new("missing_object", format!("`{block}` has no instance {key:?}"));
    let fault = fault.label("not declared");
    // Looking for what was meant among many, for each of many, would be quadratic.
    const SEARCHED: usize = 200;
    let count = among.list.len();
    match nearest(key, among.keys().take(SEARCHED)) {
        Some(near) => fault.help(format!("did you mean {near:?}?")),
        None => fault.help(keys_of(among.keys(), count)),
    }
}

pub(super) fn which_instance(block: &str, first: Option<&str>) -> Fault {
    let fault =
        Fault::new("which_instance", format!("`{block}` has instances")).label("which one?");
    let key = first.unwrap_or("KEY");
    fault.help(format!("write {block}[{key:?}] for one, or {block}[*] for all"))
}
