//! What the command line asks for: which action of which type, with which parameters.
//!
//! In: schemas and arguments. Out: an [`Order`], or every mistake in it. Looks at no state.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::address::Address;
use crate::cli::args::{Action, ObjectName, ParamText};
use crate::cli::failure::Failure;
use crate::config;
use crate::diag::{Diagnostic, Diagnostics, Sources, nearest};
use crate::schema::{ActionDef, Attribute, Quirk, ResourceType, Schemas};
use crate::value::Value;

/// An action and its parameters.
pub struct Order<'a> {
    pub ty: &'a Arc<ResourceType>,
    pub action: &'a ActionDef,
    /// Values of the parameters in their order; `Null` where not given.
    pub params: Vec<Value>,
    /// Whether each was given, not taken from its default.
    pub given: Vec<bool>,
}

/// The type of an object.
pub fn type_of<'a>(
    schemas: &'a Schemas,
    object: &ObjectName,
) -> Result<&'a Arc<ResourceType>, Diagnostic> {
    let kind = object.kind();
    schemas.by_name(kind).ok_or_else(|| {
        let finding = Diagnostic::error("unknown_type", format!("there is no type `{kind}`"));
        let near = nearest(kind, schemas.resources().map(|ty| &*ty.name));
        finding.help(near.map_or_else(
            || "`rackform schema` lists all types".to_owned(),
            |near| format!("did you mean `{near}`?"),
        ))
    })
}

impl<'a> Order<'a> {
    /// Reads the arguments.
    pub fn read(schemas: &'a Schemas, args: &Action, dir: &Path) -> Result<Self, Failure> {
        // Without `--list`, clap demands a name and at least one object.
        let (Some(name), Some(first)) = (&args.name, args.objects.first()) else {
            let finding = Diagnostic::error("no_action", "no action is named");
            return Err(finding.help("`rackform action --help` shows examples").into());
        };
        let ty = type_of(schemas, first)?;
        if let Some(other) = args.objects.iter().find(|o| o.kind() != &*ty.name) {
            let text = format!("{first} and {other} are not of one type");
            return Err(Diagnostic::error("two_types", text)
                .help("run the action for each type")
                .into());
        }
        let action = find(ty, name)?;
        if args.objects.len() > 1 && !action.takes_many() {
            let text = format!("{name} takes one object, not {}", args.objects.len());
            let help = "run it once for each object";
            return Err(Diagnostic::error("too_many_objects", text).help(help).into());
        }
        if args.follow.is_some() {
            if action.quirk != Some(Quirk::LongJob) {
                let text = format!("{name} starts no long job that could be followed");
                return Err(Diagnostic::error("no_long_job", text).into());
            }
            return Ok(Self { ty, action, params: Vec::new(), given: Vec::new() });
        }
        let (params, given) = parameters(action, &args.param, (dir, &on(first)))?;
        Ok(Self { ty, action, params, given })
    }

    /// Addresses that parameters refer to.
    pub fn references(&self) -> impl Iterator<Item = &Address> {
        fn of<'v>(value: &'v Value, all: &mut Vec<&'v Address>) {
            match value.reveal() {
                Value::Object(address) => all.push(address),
                Value::List(items) => items.iter().for_each(|item| of(item, all)),
                _ => {}
            }
        }
        let mut all = Vec::new();
        self.params.iter().for_each(|value| of(value, &mut all));
        all.into_iter()
    }
}

/// What messages of parameters are about.
pub fn on(object: &ObjectName) -> Address {
    match object {
        ObjectName::Address(address) => address.clone(),
        ObjectName::Id { kind, id } => Address::new(kind, &format!("id:{id}")),
    }
}

fn find<'a>(ty: &'a ResourceType, name: &str) -> Result<&'a ActionDef, Diagnostic> {
    if let Some(ix) = ty.find_action(name) {
        return Ok(ty.action(ix));
    }
    let names: Vec<&str> = ty.actions.iter().map(|a| &*a.name).collect();
    let text = format!("type {} has no action `{name}`", ty.name);
    let help = match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it has no actions at all".to_owned(),
        None => format!("it has: {}", names.join(", ")),
    };
    Err(Diagnostic::error("unknown_action", text).help(help))
}

type Params = (Vec<Value>, Vec<bool>);

fn parameters(
    action: &ActionDef,
    words: &[String],
    (dir, on): (&Path, &Address),
) -> Result<Params, Failure> {
    let mut findings = Diagnostics::default();
    let mut given: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for word in words {
        match split(action, word, dir) {
            Ok((param, text)) => given.entry(&param.name).or_default().push(text),
            Err(finding) => findings.push(finding),
        }
    }
    let mut values = Vec::with_capacity(action.params.len());
    for param in &action.params {
        let texts = given.get(&*param.name);
        let texts: Vec<&str> = texts.into_iter().flatten().map(String::as_str).collect();
        let value = match (&param.default, texts.is_empty()) {
            (_, false) => config::parameter(param, &texts, on),
            (Some(default), true) => Ok(default.clone()),
            (None, true) if param.required => Err(missing(action, param)),
            (None, true) => Ok(Value::Null),
        };
        match value {
            Ok(value) => values.push(value),
            Err(finding) => findings.push(finding),
        }
    }
    if !findings.is_empty() {
        return Err(Failure::findings(findings, &Sources::default()));
    }
    let given = action.params.iter().map(|param| given.contains_key(&*param.name)).collect();
    Ok((values, given))
}

/// `NAME=VALUE` or `NAME=@FILE`, the file relative to the configuration. A message never repeats
/// what stands behind a `=`: it may be a secret.
fn split<'a>(
    action: &'a ActionDef,
    word: &str,
    dir: &Path,
) -> Result<(&'a Attribute, String), Diagnostic> {
    let Some((name, text)) = word.split_once('=') else {
        let finding = Diagnostic::error("bad_param", format!("`--param {word}` has no `=`"));
        return Err(finding.help("write --param NAME=VALUE"));
    };
    let Some(param) = action.params.iter().find(|p| &*p.name == name) else {
        return Err(unknown(action, name));
    };
    match ParamText::read(text) {
        ParamText::Here(text) => Ok((param, text)),
        ParamText::File(path) => {
            let text = std::fs::read_to_string(dir.join(&path)).map_err(|error| {
                let text = format!("cannot read `{}`: {error}", path.display());
                Diagnostic::error("unreadable", text)
                    .help("a value that starts with @ itself is written @@…")
            })?;
            Ok((param, text.strip_suffix('\n').map_or(text.clone(), str::to_owned)))
        }
    }
}

fn unknown(action: &ActionDef, name: &str) -> Diagnostic {
    let names: Vec<&str> = action.params.iter().map(|p| &*p.name).collect();
    let text = format!("{} has no parameter `{name}`", action.name);
    Diagnostic::error("unknown_parameter", text).help(match nearest(name, names.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if names.is_empty() => "it takes no parameters".to_owned(),
        None => format!("it takes: {}", names.join(", ")),
    })
}

fn missing(action: &ActionDef, param: &Attribute) -> Diagnostic {
    let text = format!("{} needs the parameter `{}`", action.name, param.name);
    let about = param.doc.trim_end_matches('.');
    Diagnostic::error("missing_parameter", text)
        .help(format!("write --param {}=… ({about})", param.name))
}
