//! Resource types as data: `schemas/<provider>/<type>.toml` → [`Schemas`].
//!
//! `model` holds the types, `parse` reads one file, `check` has the rules across files, and
//! `reference`/`json_schema` write what people and editors read. The files are compiled in
//! (`src/build.rs`), so that adding a type edits no Rust. Knows no resource by name.
//!
//! # The language of the files
//!
//! | where | key | meaning |
//! |---|---|---|
//! | type | `version`, `doc` | version of what the state keeps of it; one line for people |
//! | | `id` | `client:WIRE` (computed by us, sent as WIRE), `attr:NAME`, `server:POINTER`, `found`; `row` or none: only looked up |
//! | | `wire` | the API's name of the type: `{type}` in calls |
//! | | `unique` | sets of attributes that identify an object |
//! | | `after` | types, or links `TYPE.LINK`, whose steps come first where no reference says so |
//! | | `cascade` | what a delete takes with it: label → query that counts it |
//! | tables | `attr`, `link`, `part`, `action` | attributes; attachments; lists inside; day-two calls |
//! | attribute | `kind` | text, int, bool, host, path, bytes, `ref(T)`, `set(K)`, `list(K)`, object |
//! | | `is` | required, computed, sensitive, `write_only` |
//! | | `wire` | the API's name, or `[read, sent]`; camelCase of the attribute when absent |
//! | | `default`, `range` | desired when absent; bounds of a number, a length or a count |
//! | | `values` | what may be written; as a table: read spelling → sent one |
//! | | `when`, `since` | only for these values of another attribute, `[]`: for any; first server version that has it (if required: that requires it) |
//! | | `read` | `{ call, reply }`: not in the list; asked per object whose configuration sets it |
//! | | `quirk` | what the language cannot say, by name, in Rust ([`Quirk`]); also on an action |
//! | action | `attr` | its parameters, written as attributes are |
//! | calls | `create`, `read`, `update`, `delete` | an attribute can change in place if an `update` sends it |
//! | in a call | `call`, `body`, `reply` | method and path; member that wraps the parameters; where the row is |
//! | | `send` | attributes (of an action: parameters), or wire name → source; when absent all that fits the call |
//! | | | sources: a name; a text with placeholders; `"[{id}]"` the ids of all objects it is for |
//! | | `then`, `wait` | actions once after it; `{ attr = [values] }` or `"gone"` until it counts as done |
//! | part | `format` | how one element is sent as a text; absent where it has one attribute |
//! | | `read`, `wire` | a list of its own, and the member there that names the owner |
//!
//! A type without `id`, or with `id = "row"`, is only looked up (`[data.TYPE.LABEL]`): it has
//! attributes and a `read`. That is a query, unless it has `send`, a `{name}` in its path or
//! `reply = "."` (the reply is the row): then one plain request, and what it takes are arguments.
//!
//! What a `create` does not send and an `update` does is sent by that update right after it. An
//! attribute of `provider.toml` that a type lacks is written `false` in the type's `attr`.

mod check;
mod json_schema;
pub mod model;
mod parse;
mod reference;
mod version;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diag::{Diagnostics, FileId, Sources};

pub use json_schema::json_schema;
pub use model::*;
pub use reference::{actions, actions_json, readme, terminal};
pub use version::Version;

/// A schema file: provider, file name, text.
pub type File<'a> = (&'a str, &'a str, &'a str);

/// The files of `schemas/`, sorted by path.
pub const FILES: &[File<'static>] = include!(concat!(env!("OUT_DIR"), "/schemas.rs"));

/// Reads the schema files of this build.
///
/// # Errors
/// Every mistake in them, with the files; a test keeps the committed ones free of any.
pub fn load() -> Result<Schemas, (Diagnostics, Sources)> {
    parse_texts(FILES)
}

/// Reads schema files. `provider.toml` holds what the provider's types share; the name of any
/// other file is the name of its type.
///
/// # Errors
/// Every mistake in the files, and the files for showing the places.
pub fn parse_texts(files: &[File<'_>]) -> Result<Schemas, (Diagnostics, Sources)> {
    let mut found = Diagnostics::default();
    let mut shared = BTreeMap::new();
    for (file, (provider, name, text)) in ids().zip(files) {
        if *name == PROVIDER_FILE {
            let (read, findings) = parse::shared(text, file);
            shared.insert(*provider, read);
            found.extend(findings);
        }
    }
    let mut parsed = Vec::new();
    for (file, (provider, name, text)) in ids().zip(files) {
        if *name != PROVIDER_FILE {
            let shared = shared.entry(provider).or_default();
            let name = name.strip_suffix(".toml").unwrap_or(name);
            let (ty, findings) = parse::resource_type((provider, name), text, file, shared);
            parsed.extend(ty);
            found.extend(findings);
        }
    }
    // A file that could not be read would make every mention of its type a second finding.
    if !found.has_errors() {
        found.extend(check::all(&parsed));
    }
    if found.has_errors() {
        return Err((found, sources(files)));
    }
    let providers = shared.into_iter().map(|(name, s)| (name.into(), s.provider)).collect();
    let mut types: Vec<_> = parsed.into_iter().map(|p| Arc::new(p.ty)).collect();
    let elements = types.iter().flat_map(|ty| ty.parts.iter().map(|p| p.element.clone()));
    let elements: Vec<_> = elements.collect();
    types.extend(elements);
    let by_name = (0..).map(TypeIx).zip(&types).map(|(ix, ty)| (ty.name.clone(), ix)).collect();
    Ok(Schemas { types, by_name, providers })
}

const PROVIDER_FILE: &str = "provider.toml";

fn ids() -> impl Iterator<Item = FileId> {
    (0..).map(FileId)
}

fn sources(files: &[File<'_>]) -> Sources {
    let mut sources = Sources::default();
    for (provider, name, text) in files {
        sources.add(format!("schemas/{provider}/{name}"), *text);
    }
    sources
}
