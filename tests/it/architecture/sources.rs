//! The crate's own sources as data. In: `src/`. Out: one [`Module`] per file, with the paths that
//! it names outside of tests. Follows the `mod` lines from `lib.rs`, as the compiler does, so that
//! a file for tests only is known as such. Knows no rule.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};

/// One file of the library.
pub struct Module {
    /// `plan::diff`; empty for `lib.rs`.
    pub name: String,
    /// Relative to the crate, with `/`.
    pub path: String,
    pub text: String,
    /// Compiled for tests only.
    pub for_tests: bool,
    /// Names of the modules declared in it.
    pub children: BTreeSet<String>,
    /// Paths of two or more segments that its code names, tests left out: `std::fs::read`,
    /// `serde::Serialize`, `crate::value::Value`. `self` and `super` are resolved.
    pub paths: BTreeSet<String>,
    /// Macros that its code calls, tests left out: `println`.
    pub macros: BTreeSet<String>,
}

impl Module {
    /// The module directly under the crate that this file belongs to; empty for `lib.rs`.
    pub fn top(&self) -> &str {
        self.name.split("::").next().unwrap_or_default()
    }

    /// Whether this is the module `name` or inside it.
    pub fn is_in(&self, name: &str) -> bool {
        within(&self.name, name)
    }
}

/// Whether `path` is `prefix` or continues it.
pub fn within(path: &str, prefix: &str) -> bool {
    path.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

/// The directory of `Cargo.toml`.
pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// All `.rs` files under a directory of the crate, relative to the crate, in order.
pub fn files_under(directory: &str) -> Vec<String> {
    let mut open = vec![root().join(directory)];
    let mut found = Vec::new();
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory).expect("a readable directory") {
            let path = entry.expect("a readable entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                found.push(relative(&path));
            }
        }
    }
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    let path = path.strip_prefix(root()).expect("a path inside the crate");
    path.components().map(|c| c.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// The library, module by module, as `lib.rs` and the files under it declare them.
pub fn library() -> BTreeMap<String, Module> {
    let mut all = BTreeMap::new();
    let mut open = vec![(String::new(), root().join("src/lib.rs"), false)];
    while let Some((name, path, for_tests)) = open.pop() {
        let text = fs::read_to_string(&path).expect("a readable source");
        let found = Found::in_file(&name, &text);
        for (child, child_for_tests) in &found.modules {
            let full = if name.is_empty() { child.clone() } else { format!("{name}::{child}") };
            let path = file_of(&path, child);
            open.push((full, path, for_tests || *child_for_tests));
        }
        let children = found.modules.into_keys().collect();
        let Found { paths, macros, .. } = found;
        let path = relative(&path);
        let module = Module { name, path, text, for_tests, children, paths, macros };
        all.insert(module.name.clone(), module);
    }
    all
}

/// Where `mod child;` in the file `parent` is found.
fn file_of(parent: &Path, child: &str) -> PathBuf {
    let stem = parent.file_stem().expect("a file has a name");
    let directory = match stem.to_string_lossy().as_ref() {
        "lib" | "mod" => parent.with_file_name(""),
        _ => parent.with_extension(""),
    };
    let flat = directory.join(format!("{child}.rs"));
    if flat.exists() { flat } else { directory.join(child).join("mod.rs") }
}

/// What the walk through one file has met.
#[derive(Default)]
struct Found {
    name: String,
    /// Declared modules, and whether each is for tests only.
    modules: BTreeMap<String, bool>,
    paths: BTreeSet<String>,
    macros: BTreeSet<String>,
}

impl Found {
    fn in_file(name: &str, text: &str) -> Self {
        let file = syn::parse_file(text).expect("sources that compile can be parsed");
        let mut found = Self { name: name.to_owned(), ..Self::default() };
        found.visit_file(&file);
        found
    }

    fn path(&mut self, segments: &[String]) {
        if segments.len() > 1 {
            self.paths.insert(self.resolved(segments));
        }
    }

    /// The path with `self` and `super` replaced by what they mean in this file.
    fn resolved(&self, segments: &[String]) -> String {
        let mut base: Vec<&str> = vec!["crate"];
        base.extend(self.name.split("::").filter(|part| !part.is_empty()));
        let ups = segments.iter().take_while(|s| *s == "super").count();
        let from_self = usize::from(segments[0] == "self");
        if ups + from_self == 0 {
            return segments.join("::");
        }
        base.truncate(base.len().saturating_sub(ups).max(1));
        base.extend(segments[ups + from_self..].iter().map(String::as_str));
        base.join("::")
    }

    fn tree(&mut self, tree: &syn::UseTree, before: &mut Vec<String>) {
        match tree {
            syn::UseTree::Path(path) => {
                before.push(path.ident.to_string());
                self.tree(&path.tree, before);
                before.pop();
            }
            syn::UseTree::Name(syn::UseName { ident })
            | syn::UseTree::Rename(syn::UseRename { ident, .. }) => {
                let mut whole = before.clone();
                if ident != "self" {
                    whole.push(ident.to_string());
                }
                self.path(&whole);
            }
            syn::UseTree::Glob(_) => self.path(before),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.tree(item, before));
            }
        }
    }

    /// Paths in the arguments of macros and attributes, which `syn` leaves as tokens.
    fn tokens(&mut self, tokens: &str) {
        let joined = tokens.replace(" :: ", "::");
        let in_path = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
        // What is between quotes is text, not code.
        for code in joined.split('"').step_by(2) {
            for word in code.split(|c| !in_path(c)) {
                let segments: Vec<String> =
                    word.split("::").filter(|s| !s.is_empty()).map(str::to_owned).collect();
                self.path(&segments);
            }
        }
    }
}

impl<'ast> Visit<'ast> for Found {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        let for_tests = attributes(item).iter().any(is_test);
        if let syn::Item::Mod(module) = item
            && module.content.is_none()
        {
            self.modules.insert(module.ident.to_string(), for_tests);
        }
        if !for_tests {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.tree(&item.tree, &mut Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let segments: Vec<String> = path.segments.iter().map(|s| s.ident.to_string()).collect();
        self.path(&segments);
        visit::visit_path(self, path);
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if let Some(name) = call.path.segments.last() {
            self.macros.insert(name.ident.to_string());
        }
        self.tokens(&call.tokens.to_string());
        visit::visit_macro(self, call);
    }

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if let syn::Meta::List(list) = &attribute.meta {
            self.tokens(&list.tokens.to_string());
        }
        visit::visit_attribute(self, attribute);
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Const(item) => &item.attrs,
        _ => &[],
    }
}

/// `#[cfg(test)]` or `#[test]`.
fn is_test(attribute: &syn::Attribute) -> bool {
    match &attribute.meta {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        syn::Meta::NameValue(_) => false,
    }
}

#[test]
fn nothing_that_a_file_names_is_overlooked() {
    let text = r#"
        use std::{fs, io::Write as _};
        use super::{diff, known::{self, Known}};
        #[derive(serde::Serialize)]
        struct S { at: std::time::Instant }
        fn f(value: &dyn axum::Trait) -> crate::value::Value {
            println!("crate::not::code {}", toml::to_string(&value));
            matches!(value, petgraph::Graph { .. });
            self::inner::g()
        }
        mod inner;
        #[cfg(test)]
        mod tests { use reqwest::Client; }
        #[cfg(test)]
        mod more_tests;
        #[test]
        fn t() { rand::random() }
    "#;
    let found = Found::in_file("plan::decide", text);
    let paths: Vec<&str> = found.paths.iter().map(String::as_str).collect();
    assert_eq!(
        paths,
        [
            "axum::Trait",
            "crate::plan::decide::inner::g",
            "crate::plan::diff",
            "crate::plan::known",
            "crate::plan::known::Known",
            "crate::value::Value",
            "petgraph::Graph",
            "serde::Serialize",
            "std::fs",
            "std::io::Write",
            "std::time::Instant",
            "toml::to_string",
        ]
    );
    assert_eq!(
        found.modules,
        BTreeMap::from([("inner".into(), false), ("more_tests".into(), true)])
    );
    assert!(found.macros.contains("println"));
}
