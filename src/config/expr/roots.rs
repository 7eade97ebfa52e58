//! Which looked-up objects a template speaks of, without evaluating it.
//!
//! In: a template. Out: `TYPE.LABEL` of each `data.TYPE.LABEL` in it, so that tables can be looked
//! up in an order in which each finds what it needs.

use hcl_edit::expr::{Expression, Traversal, TraversalOperator};
use hcl_edit::template::Template;
use hcl_edit::visit::{Visit, visit_traversal};

/// Types and labels of the `data` tables that a template names; none if it cannot be parsed, which
/// its evaluation reports.
pub fn data_tables(text: &str) -> Vec<(String, String)> {
    let mut found = Tables::default();
    if let Ok(template) = text.parse::<Template>() {
        found.visit_template(&template);
    }
    found.0
}

#[derive(Default)]
struct Tables(Vec<(String, String)>);

impl Visit for Tables {
    fn visit_traversal(&mut self, node: &Traversal) {
        let root = matches!(&node.expr, Expression::Variable(root) if root.as_str() == "data");
        let mut words = node.operators.iter().map(|operator| match operator.value() {
            TraversalOperator::GetAttr(name) => Some(name.as_str().to_owned()),
            _ => None,
        });
        if root && let (Some(Some(kind)), Some(Some(label))) = (words.next(), words.next()) {
            self.0.push((kind, label));
        }
        visit_traversal(self, node);
    }
}
