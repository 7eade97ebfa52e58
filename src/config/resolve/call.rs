//! `[module.NAME]`: calls of modules.
//!
//! In: a call. Out: an instance of the module for each instance of the call, and the values of its
//! outputs. The inputs are evaluated where the module's variables ask for them.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Work;
use super::instances::{Each, Instances, REPEAT};
use super::module::{
    Here, ModuleInstance, ModuleIx, Named, Once, Values, no_instance, no_instances, unknown,
    which_instance, whole,
};
use crate::address::{Address, ModuleStep};
use crate::config::expr::{Fault, Pick, Stop};
use crate::config::syntax::{Block, Call, Config, Module};
use crate::diag::{Diagnostic, nearest};
use crate::value::Value;

/// Arguments of a call that are no inputs.
const CALL: [&str; 3] = ["source", "provider", "depends_on"];

/// Modules within each other.
const DEEPEST: usize = 256;
/// Instances of modules altogether. A file that calls one file twice, which calls one twice, and so
/// on, would otherwise take all memory.
const MOST: usize = 100_000;

impl<'a> Work<'a> {
    /// The instances of a called module, made when they are asked for first.
    pub(super) fn called(&mut self, of: ModuleIx, name: &str) -> Option<Instances<ModuleIx>> {
        let call = self.module(of).call(name)?;
        let name = &call.block.label.text;
        let shown = format!("module.{name}");
        match self.module(of).calls.get(name) {
            Some(Once::Done(known)) => return Some(known.clone()),
            Some(Once::Busy) => {
                self.circle(&shown);
                return Some(Instances::Open);
            }
            Some(Once::Not) | None => {}
        }
        self.module_mut(of).calls.insert(name.clone(), Once::Busy);
        let block = &call.block;
        let on = Address::in_module(&self.module(of).path.clone(), &"module".into(), name);
        let span = block.get("for_each").or_else(|| block.get("count"));
        let frame = (shown, span.map_or(block.declared, |e| e.value.span));
        let found = self.at(Here::module(of), |work| {
            work.framed(frame, |work| work.instances(block, Some(&on)))
        });
        let config: &'a Config = self.config;
        let written = call.dir.as_ref().and_then(|dir| config.called.get(dir));
        let found = match written {
            Some(written) if self.modules_bear(of, &found, block) => {
                let providers = self.at(Here::module(of), |work| work.passed_providers(block));
                found.map(|each, ()| self.instantiate((of, block), written, each, &providers))
            }
            Some(_) => Instances::Open,
            None => Instances::Open,
        };
        self.module_mut(of).calls.insert(name.clone(), Once::Done(found.clone()));
        Some(found)
    }

    /// Whether there is room for these instances; said once if not.
    fn modules_bear(&mut self, of: ModuleIx, found: &Instances<()>, block: &Block) -> bool {
        let more = match found {
            Instances::One(()) => 1,
            Instances::Many(many) => many.list.len(),
            Instances::Open => 0,
        };
        let problem = if self.module(of).path.len() >= DEEPEST {
            format!("modules call each other {DEEPEST} deep here: that is too deep")
        } else if self.modules.len() + more > MOST {
            format!("there are more than {MOST} instances of modules")
        } else {
            return true;
        };
        if !self.crowded {
            let finding = Diagnostic::error("too_many_modules", problem)
                .at(block.declared, "one too many")
                .help("modules that call modules multiply: call fewer of them");
            self.findings.push(finding);
        }
        self.crowded = true;
        false
    }

    fn instantiate(
        &mut self,
        (of, block): (ModuleIx, &'a Block),
        written: &'a Module,
        each: &Each,
        providers: &[Arc<str>],
    ) -> ModuleIx {
        let step = ModuleStep { name: block.label.text.clone(), key: each.key().map(Into::into) };
        let path: Arc<[ModuleStep]> = self.module(of).path.iter().cloned().chain([step]).collect();
        let ix = ModuleIx::at(self.modules.len());
        let caller = Some((of, block, each.clone()));
        let mut module = ModuleInstance::new(written, path.clone(), caller, self.schemas);
        module.providers = providers.to_vec();
        self.modules.push(module);
        self.by_path.insert(path, ix);
        ix
    }

    /// The arguments of a call that its module does not declare, and the providers it names.
    pub(super) fn check_call(&mut self, call: &'a Call) {
        let config: &'a Config = self.config;
        let Some(written) = call.dir.as_ref().and_then(|dir| config.called.get(dir)) else {
            return;
        };
        let name = &call.block.label.text;
        for entry in &call.block.entries {
            let key = &*entry.key.text;
            if CALL.contains(&key) || REPEAT.contains(&key) {
                continue;
            }
            if !written.variables.iter().any(|v| v.label.text == entry.key.text) {
                let known = written.variables.iter().map(|v| &*v.label.text);
                let known = known.chain(CALL).chain(REPEAT);
                let problem = format!("the module `{name}` has no variable `{key}`");
                let finding = Diagnostic::error("unknown_attribute", problem)
                    .at(entry.key.span, "unknown")
                    .help(match nearest(key, known) {
                        Some(near) => format!("did you mean `{near}`?"),
                        None => format!("declare it in {}: [variable.{key}]", written.dir),
                    });
                self.findings.push(finding);
            }
        }
    }

    pub(super) fn unknown_module(&self, name: &str) -> Fault {
        let names = self.current().written.calls.iter().map(|c| &*c.block.label.text);
        unknown("missing_module", "module", name, names, &format!("[module.{name}]"))
    }

    /// The value of `module.NAME`, and then.
    pub(super) fn module_value(
        &mut self,
        name: &str,
        pick: Pick<'_>,
        output: Option<&str>,
    ) -> Named {
        let of = self.here.module;
        let Some(found) = self.called(of, name) else {
            return Err(self.unknown_module(name).into());
        };
        let shown = format!("module.{name}");
        match (found, pick) {
            (Instances::Open, _) => Err(Stop::Silent),
            (Instances::One(ix), Pick::Whole(_)) => match output {
                Some(output) => self.value(ix, Values::Output, &output.into()),
                None => Ok(self.outputs_of(ix, None)?.into()),
            },
            (Instances::One(ix), Pick::Every) => {
                Ok(Value::list(vec![self.outputs_of(ix, output)?]).into())
            }
            (Instances::One(_), Pick::Key(_)) => Err(no_instances(&shown).into()),
            (Instances::Many(many), Pick::Key(key)) => match many.get(key) {
                Some((_, ix)) => match output {
                    Some(output) => self.value(*ix, Values::Output, &output.into()),
                    None => Ok(self.outputs_of(*ix, None)?.into()),
                },
                None => Err(no_instance(&shown, key, &many).into()),
            },
            (Instances::Many(many), Pick::Every) => {
                let each = many.list.iter().map(|(_, ix)| self.outputs_of(*ix, output));
                Ok(Value::list(each.collect::<Result<_, _>>()?).into())
            }
            (Instances::Many(many), Pick::Whole(Some(_))) => {
                Err(which_instance(&shown, many.keys().next()).into())
            }
            (Instances::Many(many), Pick::Whole(None)) => {
                let mut all = Vec::with_capacity(many.list.len());
                for (each, ix) in &many.list {
                    all.push((
                        Arc::from(each.key().unwrap_or_default()),
                        self.outputs_of(*ix, None)?,
                    ));
                }
                Ok(whole(all, many.counted).into())
            }
        }
    }

    /// Outputs of a module instance as a map: all, or one.
    fn outputs_of(&mut self, ix: ModuleIx, only: Option<&str>) -> Result<Value, Stop> {
        let written: &'a Module = self.module(ix).written;
        let mut all = BTreeMap::new();
        if let Some(name) = only {
            let name: Arc<str> = name.into();
            let value = self.value(ix, Values::Output, &name)?.value;
            return Ok(Value::map(BTreeMap::from([(name, value)])));
        }
        for block in &written.outputs {
            let name = &block.label.text;
            all.insert(name.clone(), self.value(ix, Values::Output, name)?.value);
        }
        Ok(Value::map(all))
    }
}
