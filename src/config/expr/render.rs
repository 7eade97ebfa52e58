//! Templates → text: literals, `${…}`, and the directives `%{if …}` and `%{for …}`.
//!
//! In: a template's tree. Out: one value: a text, or whatever its only interpolation yields.

use std::sync::Arc;

use hcl_edit::Span as _;
use hcl_edit::template::{Directive, Element, ForDirective, IfDirective, Interpolation, Template};

use super::Stop;
use super::evaluation::Evaluation;
use super::known::{text, unset};
use crate::value::Value;

/// A text while it is put together.
#[derive(Default)]
struct Output {
    text: String,
    secret: bool,
    /// Whether blanks at the start of the next literal are dropped (`~}`).
    strip: bool,
}

/// Texts that a template makes are kept in memory whole.
const LONGEST: usize = 64 << 20;

impl Evaluation<'_> {
    pub fn template(&mut self, template: &Template) -> Result<Value, Stop> {
        if let Some(Element::Interpolation(only)) = template.as_single_element() {
            return self.eval(&only.expr);
        }
        let mut output = Output::default();
        self.render(template, false, &mut output)?;
        let value = Value::Str(output.text.into());
        Ok(if output.secret { value.sensitive() } else { value })
    }

    /// `strip`: whether blanks at the end of the last literal are dropped.
    fn render(&mut self, template: &Template, strip: bool, to: &mut Output) -> Result<(), Stop> {
        self.deeper(|own| own.elements(template, strip, to))
    }

    fn elements(&mut self, template: &Template, strip: bool, to: &mut Output) -> Result<(), Stop> {
        let elements: Vec<&Element> = template.iter().collect();
        for (at, element) in elements.iter().enumerate() {
            match element {
                Element::Literal(text) => {
                    let next = elements.get(at + 1);
                    let mut text = text.as_str();
                    if to.strip {
                        text = text.trim_start();
                    }
                    if next.map_or(strip, |next| strips_before(next)) {
                        text = text.trim_end();
                    }
                    to.text.push_str(text);
                    to.strip = false;
                }
                Element::Interpolation(part) => {
                    to.strip = part.strip.strip_end();
                    self.interpolate(part, to)?;
                }
                Element::Directive(directive) => match &**directive {
                    Directive::If(choice) => self.render_if(choice, to)?,
                    Directive::For(each) => self.render_for(each, to)?,
                },
            }
        }
        Ok(())
    }

    /// Appends a value.
    fn interpolate(&mut self, part: &Interpolation, to: &mut Output) -> Result<(), Stop> {
        let value = self.eval(&part.expr)?;
        if value.is_null()
            && let Some(name) = &self.unset
        {
            return Err(unset(name).at(part.expr.span()).into());
        }
        let text = text(value.reveal()).map_err(|stop| stop.at(part.expr.span()))?;
        if to.text.len() + text.len() > LONGEST {
            let fault = super::Fault::new("too_large", "this text becomes longer than 64 MiB");
            return Err(fault.at(part.expr.span()).into());
        }
        to.text.push_str(&text);
        to.secret |= value.is_sensitive();
        Ok(())
    }

    fn render_if(&mut self, choice: &IfDirective, to: &mut Output) -> Result<(), Stop> {
        let condition = self.eval(&choice.if_expr.cond_expr)?;
        let yes = self.decide(&condition, &choice.if_expr.cond_expr)?;
        to.secret |= condition.is_sensitive();
        let end = &choice.endif_expr.strip;
        match (yes, &choice.else_expr) {
            (true, other) => {
                to.strip = choice.if_expr.strip.strip_end();
                let strip = other.as_ref().map_or(end.strip_start(), |e| e.strip.strip_start());
                self.render(&choice.if_expr.template, strip, to)?;
            }
            (false, Some(other)) => {
                to.strip = other.strip.strip_end();
                self.render(&other.template, end.strip_start(), to)?;
            }
            (false, None) => {}
        }
        to.strip = end.strip_end();
        Ok(())
    }

    fn render_for(&mut self, each: &ForDirective, to: &mut Output) -> Result<(), Stop> {
        let node = &each.for_expr.collection_expr;
        let collection = self.eval(node)?;
        let items = self.pairs(&collection, node)?;
        to.secret |= matches!(collection, Value::Sensitive(_));
        let key_name: Option<Arc<str>> =
            each.for_expr.key_var.as_ref().map(|name| name.as_str().into());
        let value_name: Arc<str> = each.for_expr.value_var.as_str().into();
        for (key, value) in items {
            let depth = self.bound.len();
            self.bound.extend(key_name.clone().map(|name| (name, key)));
            self.bound.push((value_name.clone(), value));
            to.strip = each.for_expr.strip.strip_end();
            let strip = each.endfor_expr.strip.strip_start();
            let rendered = self.render(&each.for_expr.template, strip, to);
            self.bound.truncate(depth);
            rendered?;
        }
        to.strip = each.endfor_expr.strip.strip_end();
        Ok(())
    }
}

/// Whether an element drops the blanks before it (`${~`).
fn strips_before(element: &Element) -> bool {
    match element {
        Element::Interpolation(part) => part.strip.strip_start(),
        Element::Directive(directive) => match &**directive {
            Directive::If(choice) => choice.if_expr.strip.strip_start(),
            Directive::For(each) => each.for_expr.strip.strip_start(),
        },
        Element::Literal(_) => false,
    }
}
