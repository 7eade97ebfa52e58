//! What names in expressions stand for.
//!
//! In: a name, and where it is used. Out: its value, evaluated when it is asked for first; or what
//! was probably meant. Knows every kind of name; how each is evaluated, others know.

use std::sync::Arc;

use super::Work;
use super::instances::{Each, Instances};
use super::kind::Target;
use super::module::{
    Here, ModuleIx, Once, Stage, Values, no_instance, no_instances, which_instance, whole,
};
use crate::address::Address;
use crate::config::Need;
use crate::config::expr::{Evaluated, Fault, Name, Next, Outside, Parsed, Pick, Scope, Stop};
use crate::config::syntax::Block;
use crate::diag::nearest;
use crate::schema::{AttrIx, Attribute, ResourceType};
use crate::value::Value;

/// Code of the fault for an attribute that nobody sets.
pub(super) const UNMANAGED: &str = "unmanaged_attribute";

impl Scope for Work<'_> {
    fn name(&mut self, name: &Name<'_>) -> Result<Evaluated, Stop> {
        self.may_be_named(name)?;
        let of = self.here.module;
        match *name {
            Name::Variable(name) => self.value(of, Values::Variable, &name.into()),
            Name::Local(name) => self.value(of, Values::Local, &name.into()),
            Name::Each(member) => self.each(member).map(Into::into),
            Name::Count(member) => self.count_index(member).map(Into::into),
            Name::Path(member) => self.path(member).map(Into::into),
            Name::This => match &self.here.this {
                Some(address) => Ok(Value::Object(address.clone()).into()),
                None => Err(Fault::new("not_here", "`self` is not known here")
                    .help("`self` is the object that a postcondition is about")
                    .into()),
            },
            Name::Object { kind, label, pick } => self.object(kind, label, pick).map(Into::into),
            Name::Data { kind, label, next } => {
                self.looked_up_table(kind, label, &next).map(Into::into)
            }
            Name::Module { name, pick, output } => self.module_value(name, pick, output),
        }
    }

    fn attribute(&mut self, of: &Address, name: &str) -> Result<Value, Stop> {
        self.attribute_of(of, name)
    }

    fn id(&mut self, of: &Address) -> Option<Arc<str>> {
        self.objects.and_then(|objects| objects.id(of))
    }

    fn outside(&mut self, need: Need) -> Result<Outside, Stop> {
        let known = match &need {
            Need::Env(name) => self.facts.env.get(name).map(|value| match value {
                Some(text) => Some(Outside::Text(text.as_str().into())),
                None if self.judging => None,
                None => Some(Outside::Nothing),
            }),
            other => self.facts.files.get(other).cloned().map(Some),
        };
        match known {
            Some(Some(answer)) => Ok(answer),
            Some(None) => Err(Stop::Silent),
            None => {
                self.needs.insert(need);
                Err(Stop::Silent)
            }
        }
    }

    fn file_of(&mut self, text: &Arc<str>) -> Option<String> {
        self.facts.files.iter().find_map(|(need, answer)| match (need, answer) {
            (Need::File(path), Outside::Text(own)) if Arc::ptr_eq(own, text) => Some(path.clone()),
            _ => None,
        })
    }

    fn parsed(&mut self, text: &Arc<str>) -> Result<Arc<Parsed>, Stop> {
        self.templates.get(text)
    }

    fn depth(&mut self) -> &mut u32 {
        &mut self.depth
    }
}

impl<'a> Work<'a> {
    /// Whether the place of an expression is evaluated after what it names.
    fn may_be_named(&self, name: &Name<'_>) -> Result<(), Fault> {
        let what = match name {
            Name::Object { .. } => "resources",
            Name::Data { .. } => "`data`",
            Name::Module { .. } => "modules",
            Name::Variable(_) => "variables",
            Name::Local(_) => "locals",
            Name::Each(_) | Name::Count(_) | Name::Path(_) | Name::This => return Ok(()),
        };
        let value = matches!(name, Name::Variable(_) | Name::Local(_));
        match self.here.stage {
            Stage::All => Ok(()),
            Stage::Settings if value => Ok(()),
            Stage::Settings | Stage::Nothing => Err(not_here(what)),
        }
    }

    fn each(&self, member: &str) -> Result<Value, Stop> {
        match (&self.here.each, member) {
            (Each::Key(key, _), "key") => Ok(Value::Str(key.clone())),
            (Each::Key(_, value), "value") => Ok(value.clone()),
            (Each::Open, "key" | "value") => Err(Stop::Silent),
            (_, "key" | "value") => {
                let fault = Fault::new("not_here", "`each` is known only where `for_each` is");
                Err(fault.help("give the block a `for_each`").into())
            }
            _ => Err(Fault::new("unknown_name", format!("there is no `each.{member}`"))
                .help("there are each.key and each.value")
                .into()),
        }
    }

    fn count_index(&self, member: &str) -> Result<Value, Stop> {
        match (&self.here.each, member) {
            (Each::Index(_, n), "index") => Ok(Value::Int(*n)),
            (Each::Open, "index") => Err(Stop::Silent),
            (_, "index") => {
                let fault = Fault::new("not_here", "`count` is known only where `count` is given");
                Err(fault.help("give the block a `count`").into())
            }
            _ => Err(Fault::new("unknown_name", format!("there is no `count.{member}`"))
                .help("there is count.index")
                .into()),
        }
    }

    fn path(&self, member: &str) -> Result<Value, Stop> {
        match member {
            "module" => Ok(Value::Str(self.current().written.dir.clone())),
            "root" => Ok(Value::str(crate::config::ROOT)),
            _ => Err(Fault::new("unknown_name", format!("there is no `path.{member}`"))
                .help(
                    "there are path.module and path.root; relative paths start at the root module",
                )
                .into()),
        }
    }

    fn object(&mut self, kind: &str, label: &str, pick: Pick<'_>) -> Result<Value, Stop> {
        let of = self.here.module;
        let Some(found) = self.addresses(of, (kind, label)) else {
            return Err(self.missing_object(kind, label, &[]).into());
        };
        let shown = |work: &Self| {
            let block = work.module(of).block(kind, label);
            block.map_or_else(String::new, |state| state.block.name())
        };
        match (found, pick) {
            (Instances::Open, _) => Err(Stop::Silent),
            (Instances::One(address), Pick::Whole(_)) => Ok(Value::Object(address)),
            (Instances::One(address), Pick::Every) => Ok(Value::list(vec![Value::Object(address)])),
            (Instances::One(_), Pick::Key(_)) => Err(no_instances(&shown(self)).into()),
            (Instances::Many(many), Pick::Key(key)) => match many.get(key) {
                Some((_, address)) => Ok(Value::Object(address.clone())),
                None => Err(no_instance(&shown(self), key, &many).into()),
            },
            (Instances::Many(many), Pick::Every) => {
                Ok(Value::list(many.list.iter().map(|(_, a)| Value::Object(a.clone())).collect()))
            }
            (Instances::Many(many), Pick::Whole(Some(_))) => {
                Err(which_instance(&shown(self), many.keys().next()).into())
            }
            (Instances::Many(many), Pick::Whole(None)) => {
                let pair = |(each, address): &(Each, Address)| {
                    (each.key().unwrap_or_default().into(), Value::Object(address.clone()))
                };
                Ok(whole(many.list.iter().map(pair).collect(), many.counted))
            }
        }
    }

    /// The fault for an object that is not declared, with what was probably meant.
    pub(super) fn missing_object(&self, kind: &str, label: &str, wanted: &[&Arc<str>]) -> Fault {
        let problem = format!("there is no `{kind}.{label}` in this {}", self.module_word());
        let fault = Fault::new("missing_object", problem).label("not declared");
        match self.near(kind, label, wanted) {
            Some(near) => fault.help(format!("did you mean `{near}`?")),
            None => fault.help("an object that is not declared here is given by id: \"id:UUID\""),
        }
    }

    fn module_word(&self) -> &'static str {
        if self.current().path.is_empty() { "configuration" } else { "module" }
    }

    /// `data.TYPE.LABEL`: declared here, and then as far as it is known.
    pub(super) fn looked_up_table(
        &mut self,
        kind: &str,
        label: &str,
        next: &Next<'_>,
    ) -> Result<Value, Stop> {
        let address = format!("data.{kind}.{label}");
        let tables = &self.current().written.data;
        let found = tables
            .binary_search_by(|block| (&*block.kind.text, &*block.label.text).cmp(&(kind, label)));
        let Ok(at) = found else {
            let problem = format!("there is no `{address}` in this {}", self.module_word());
            let fault = Fault::new("missing_data", problem).label("not declared");
            let labels = tables.iter().filter(|b| *b.kind.text == *kind);
            return Err(match nearest(label, labels.map(|b| &*b.label.text)) {
                Some(near) => fault.help(format!("did you mean `data.{kind}.{near}`?")),
                None => fault.help(format!("declare it: [{address}]")),
            }
            .into());
        };
        match self.tables(self.here.module, at) {
            Instances::Open => Err(Stop::Silent),
            Instances::One(table) => table.value(&address, next),
            Instances::Many(many) => {
                if let Some(name) = next.attribute.filter(|_| !next.element) {
                    let fault = which_instance(&address, many.keys().next());
                    return Err(fault.help(format!("write {address}[*].{name} for all")).into());
                }
                let inner = Next { element: false, splat: false, attribute: next.attribute };
                let mut all = Vec::with_capacity(many.list.len());
                for (each, table) in &many.list {
                    // Its attribute is judged only where a single object is meant.
                    let inner = if table.all { Next::default() } else { inner };
                    all.push((
                        each.key().unwrap_or_default().into(),
                        table.value(&address, &inner)?,
                    ));
                }
                if next.splat {
                    return Ok(Value::list(all.into_iter().map(|(_, value)| value).collect()));
                }
                Ok(whole(all, many.counted))
            }
        }
    }

    /// An attribute of an object, as the configuration has it; after an apply as the state has it.
    pub(super) fn attribute_of(&mut self, of: &Address, name: &str) -> Result<Value, Stop> {
        let Some((module, block, each)) = self.declared_at(of) else { return Err(Stop::Silent) };
        let Some(ty) = self.schemas.by_name(&block.kind.text).cloned() else {
            return Err(Stop::Silent);
        };
        let Some(ix) = ty.find_attr(name) else {
            let attrs = ty.attrs.iter().map(|a| &*a.name);
            let problem = format!("`{}` has no attribute `{name}`", ty.name);
            let fault = Fault::new("unknown_attribute", problem);
            return Err(match nearest(name, attrs) {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help(format!("`rackform schema {}` lists its attributes", ty.name)),
            }
            .into());
        };
        let seen = self.seen(of, ty.attr(ix));
        if let Some(seen) = &seen
            && ty.attr(ix).computed
        {
            return Ok(seen.clone());
        }
        let declared = self.declared_once((module, block, each), &ty, (of, ix));
        // The state has what is set and what the server computes, so that null says nothing here.
        match (seen.filter(|seen| !seen.is_null()), &declared) {
            // A value that the configuration computes from a secret stays one.
            (Some(seen), Ok(value)) if value.is_sensitive() => Ok(seen.sensitive()),
            // A reference leads on to what it refers to; its id does not.
            (Some(_), Ok(Value::Object(_))) | (None, _) => declared,
            (Some(seen), _) => Ok(seen),
        }
    }

    /// An attribute as it was last seen; never what messages and states must not hold.
    fn seen(&self, of: &Address, attr: &Attribute) -> Option<Value> {
        let objects = self.objects.filter(|_| !attr.unread())?;
        objects.attribute(of, &attr.name)
    }

    fn declared_once(
        &mut self,
        (module, block, each): (ModuleIx, &'a Block, Each),
        ty: &ResourceType,
        (of, ix): (&Address, AttrIx),
    ) -> Result<Value, Stop> {
        let name = &ty.attr(ix).name;
        let key = (of.clone(), ix);
        match self.attributes.get(&key) {
            Some(Once::Done(known)) => return known.clone(),
            Some(Once::Busy) => {
                self.circle(&format!("{of}.{name}"));
                return Err(Stop::Silent);
            }
            Some(Once::Not) | None => {}
        }
        self.attributes.insert(key.clone(), Once::Busy);
        let here = Here { each, ..Here::module(module) };
        let value = self.at(here, |work| work.declared_attribute(block, ty, (of, ix)));
        self.attributes.insert(key, Once::Done(value.clone()));
        value
    }

    fn declared_attribute(
        &mut self,
        block: &Block,
        ty: &ResourceType,
        (of, ix): (&Address, AttrIx),
    ) -> Result<Value, Stop> {
        let attr = ty.attr(ix);
        let name = &attr.name;
        if let Some(entry) = block.get(name).filter(|_| !attr.computed) {
            let frame = (format!("{of}.{name}"), entry.value.span);
            let value = self.framed(frame, |work| {
                let tree = work.tree(&entry.value, Some(of))?;
                work.convert(tree, Target { on: of, attr, kind: &attr.kind })
            });
            let value = value.ok_or(Stop::Silent)?;
            if !value.is_null() {
                return Ok(value);
            }
        }
        if &**name == "name" && ty.create.is_some() {
            return Ok(Value::str(&of.default_name()));
        }
        match &attr.default {
            Some(default) if attr.when.is_empty() => Ok(default.clone()),
            _ if !attr.computed => {
                Err(Fault::new(UNMANAGED, format!("`{of}` does not set `{name}`"))
                    .label("not managed")
                    .help("set it there to read it here: nobody watches what is not set")
                    .into())
            }
            _ => Err(Fault::new("not_yet_known", format!("`{of}.{name}` is not yet known"))
                .label("known only after apply")
                .help(
                    "what the configuration sets can be read here, the rest in outputs and checks",
                )
                .into()),
        }
    }

    /// Where an object is declared.
    fn declared_at(&mut self, of: &Address) -> Option<(ModuleIx, &'a Block, Each)> {
        let module = if of.modules().is_empty() {
            ModuleIx::ROOT
        } else {
            *self.by_path.get(of.modules())?
        };
        let block = self.module(module).block(of.kind(), of.label())?.block;
        let each = match (self.addresses(module, (of.kind(), of.label()))?, of.key()) {
            (Instances::Many(many), Some(key)) => many.get(key)?.0.clone(),
            (Instances::One(_), None) => Each::None,
            _ => return None,
        };
        Some((module, block, each))
    }

    /// The variable of a module: given by its caller or from outside, or its default.
    pub(super) fn variable_of(
        &mut self,
        of: ModuleIx,
        name: &str,
        shown: String,
    ) -> Result<Evaluated, Stop> {
        let blocks: &'a [Block] = &self.module(of).written.variables;
        let Ok(at) = blocks.binary_search_by(|block| (*block.label.text).cmp(name)) else {
            let names = blocks.iter().map(|block| &*block.label.text);
            let near = nearest(name, names).map(|near| format!("did you mean `var.{near}`?"));
            let fault = Fault::new("unknown_variable", format!("there is no variable `{name}`"));
            let help = near.unwrap_or_else(|| format!("declare it: [variable.{name}]"));
            return Err(fault.help(help).into());
        };
        let block = &blocks[at];
        let facts = self.facts;
        let given = match self.module(of).caller.clone() {
            None => match facts.variables.get(name) {
                Some(input) => super::variable::Given::Input(input),
                None => super::variable::Given::Nothing,
            },
            Some((caller, call, each)) => match call.get(name) {
                None => super::variable::Given::Nothing,
                Some(entry) => {
                    let here = Here { each, ..Here::module(caller) };
                    let frame = (shown.clone(), entry.value.span);
                    let tree = self
                        .at(here, |work| work.framed(frame, |work| work.tree(&entry.value, None)));
                    super::variable::Given::Argument(tree.ok_or(Stop::Silent)?, &entry.value)
                }
            },
        };
        let here = Here { stage: Stage::Nothing, ..Here::module(of) };
        let value = self.at(here, |work| {
            work.framed((shown, block.declared), |work| work.variable(block, given))
        });
        value.map(Into::into).ok_or(Stop::Silent)
    }
}

/// The fault for a name in a place that is evaluated before it is known.
pub(super) fn not_here(what: &str) -> Fault {
    Fault::new("not_here", format!("{what} cannot be used here"))
        .help("variables take literals and env(), providers also variables and locals")
}
