//! What a template speaks of, without evaluating it.
//!
//! In: a template. Out: whether it depends on the instance, and the names of environment variables
//! and files in it as far as they are written out, so that all can be asked for at once.

use hcl_edit::expr::{Expression, FuncCall, Traversal};
use hcl_edit::template::Template;
use hcl_edit::visit::{Visit, visit_func_call, visit_traversal};

use super::Need;

/// Something that a template speaks of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Root {
    /// What differs from instance to instance: `each`, `count`, `self`.
    Instance,
    /// `env("NAME")` or `file("PATH")`, with the name written out.
    Outside(Need),
}

pub(super) fn roots_of(template: &Template) -> impl Iterator<Item = Root> {
    let mut found = Found::default();
    found.visit_template(template);
    found.0.into_iter()
}

#[derive(Default)]
struct Found(Vec<Root>);

impl Visit for Found {
    fn visit_traversal(&mut self, node: &Traversal) {
        if matches!(&node.expr, Expression::Variable(root) if matches!(root.as_str(), "each" | "count"))
        {
            self.0.push(Root::Instance);
        }
        visit_traversal(self, node);
    }

    fn visit_expr(&mut self, node: &Expression) {
        if matches!(node, Expression::Variable(name) if name.as_str() == "self") {
            self.0.push(Root::Instance);
        }
        hcl_edit::visit::visit_expr(self, node);
    }

    fn visit_func_call(&mut self, node: &FuncCall) {
        if let (false, Some(Expression::String(text))) =
            (node.name.is_namespaced(), node.args.iter().next())
        {
            let name = text.value().clone();
            match node.name.name.as_str() {
                "env" => self.0.push(Root::Outside(Need::Env(name))),
                "file" => self.0.push(Root::Outside(Need::File(name))),
                _ => {}
            }
        }
        visit_func_call(self, node);
    }
}
