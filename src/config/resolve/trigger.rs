//! `replace_triggered_by`: what stands in it → [`Trigger`]s.
//!
//! In: the list as written, for one instance of a block. Out: resources of the same module,
//! instances or attributes of them, all declared.

use std::sync::Arc;

use super::Work;
use super::attr::{Shape, Tree};
use super::block::Common;
use super::instances::Instances;
use super::module::{no_instance, no_instances};
use crate::address::prefix::Prefix;
use crate::address::{Address, is_identifier};
use crate::config::Trigger;
use crate::config::expr::Fault;
use crate::config::syntax::{Block, Literal, Node};
use crate::diag::nearest;
use crate::value::Value;

/// Why a text triggers nothing; `None`: that has been said elsewhere.
type No = Option<Fault>;

impl Work<'_> {
    /// The triggers of an instance; those that are the same for all are read once.
    pub(super) fn triggers_once(
        &mut self,
        common: &mut Common<'_>,
        on: &Address,
    ) -> Arc<[Trigger]> {
        if let Some(known) = &common.replaced_by {
            return known.clone();
        }
        let Some(node) = written(common.block) else {
            return common.replaced_by.insert(Arc::default()).clone();
        };
        let found: Arc<[Trigger]> = self.triggers(node, on).into();
        if !self.varies(node) {
            common.replaced_by = Some(found.clone());
        }
        found
    }

    fn triggers(&mut self, node: &Node, on: &Address) -> Vec<Trigger> {
        let Some(tree) = self.tree(node, Some(on)) else { return Vec::new() };
        let items = match tree.items() {
            Ok(items) => items,
            Err(Tree { shape: Shape::Leaf(value), .. }) if value.is_null() => Vec::new(),
            Err(tree) => {
                let problem = "`replace_triggered_by` must be a list of references";
                let fault = Fault::new("wrong_kind", problem);
                let fault = fault.help("put it in brackets: [\"cluster.rack\"]");
                self.findings.push(fault.into_diagnostic(tree.span).on(on));
                Vec::new()
            }
        };
        let mut all = Vec::with_capacity(items.len());
        for item in items {
            match self.trigger(&item) {
                Ok((of, attr)) => all.push(Trigger { of, attr, span: item.span }),
                Err(None) => {}
                Err(Some(fault)) => self.findings.push(fault.into_diagnostic(item.span).on(on)),
            }
        }
        all
    }

    fn trigger(&mut self, item: &Tree) -> Result<(Prefix, Option<Arc<str>>), No> {
        let text = match &item.shape {
            Shape::Leaf(Value::Object(of) | Value::Id(of)) => {
                return Ok((Prefix::resource(of), None));
            }
            Shape::Leaf(Value::Str(text)) => &**text,
            _ => "",
        };
        let Some((of, attr)) = read(text) else {
            let help = "write \"cluster.rack\", 'host.kvm[\"01\"]' or \"zone.east.description\"";
            return Err(Some(
                Fault::new("bad_reference", "this names no resource of this module")
                    .label("not a resource, instance or attribute")
                    .help(help),
            ));
        };
        let (kind, label) = (of.kind(), of.label());
        let block = format!("{kind}.{label}");
        match (self.addresses(self.here.module, (kind, label)), of.key()) {
            (None, _) => return Err(Some(self.missing_object(kind, label, &[]))),
            (Some(Instances::Open), _) => return Err(None),
            (Some(Instances::One(_)), Some(_)) => return Err(Some(no_instances(&block))),
            (Some(Instances::Many(many)), Some(key)) if many.get(key).is_none() => {
                return Err(Some(no_instance(&block, key, &many)));
            }
            (Some(_), _) => {}
        }
        // A block of an unknown type is reported as such.
        let ty = self.schemas.by_name(kind).ok_or(None)?;
        if let Some(attr) = attr.as_ref().filter(|attr| ty.find_attr(attr).is_none()) {
            let fault =
                Fault::new("unknown_attribute", format!("`{kind}` has no attribute `{attr}`"));
            let near = nearest(attr, ty.attrs.iter().map(|a| &*a.name));
            return Err(Some(match near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault,
            }));
        }
        Ok((Prefix::resource(&of).within(&self.current().path), attr))
    }
}

/// The list in `lifecycle`.
fn written(block: &Block) -> Option<&Node> {
    match &block.get("lifecycle")?.value.value {
        Literal::Table(entries) => {
            entries.iter().find(|e| &*e.key.text == "replace_triggered_by").map(|e| &e.value)
        }
        _ => None,
    }
}

/// A resource or instance of this module, perhaps with an attribute.
fn read(text: &str) -> Option<(Address, Option<Arc<str>>)> {
    let resource = |text: &str| {
        let of = Address::parse(text).ok()?;
        (of.modules().is_empty() && of.member_of().is_none()).then_some(of)
    };
    if let Some(of) = resource(text) {
        return Some((of, None));
    }
    let (of, attr) = text.rsplit_once('.')?;
    Some((resource(of)?, Some(attr.into()))).filter(|_| is_identifier(attr))
}
