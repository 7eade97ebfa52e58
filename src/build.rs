//! Compiles the schema files in: `schemas/<provider>/*.toml` → one list of `include_str!`.
//!
//! Out: `$OUT_DIR/schemas.rs`, an expression of type `&[(provider, file name, text)]` sorted by
//! path. Must not know what is in the files: reading them is `schema::parse`.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

fn main() -> io::Result<()> {
    let root = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("schemas");
    println!("cargo::rerun-if-changed=src/build.rs");
    println!("cargo::rerun-if-changed={}", root.display());
    let mut list = String::from("&[\n");
    for provider in sorted(&root)?.iter().filter(|path| path.is_dir()) {
        println!("cargo::rerun-if-changed={}", provider.display());
        for file in sorted(provider)?.iter().filter(|p| p.extension().is_some_and(|e| e == "toml"))
        {
            println!("cargo::rerun-if-changed={}", file.display());
            let entry = (name(provider)?, name(file)?, file.display().to_string());
            writeln!(list, "    ({:?}, {:?}, include_str!({:?})),", entry.0, entry.1, entry.2)
                .map_err(io::Error::other)?;
        }
    }
    list.push(']');
    fs::write(PathBuf::from(variable("OUT_DIR")?).join("schemas.rs"), list)
}

fn variable(name: &str) -> io::Result<String> {
    env::var(name).map_err(|e| io::Error::other(format!("{name}: {e}")))
}

/// The entries of a directory in the order of their names, so that builds are equal everywhere.
fn sorted(dir: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths =
        fs::read_dir(dir)?.map(|e| e.map(|e| e.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> io::Result<&str> {
    path.file_name()
        .and_then(|n| n.to_str())
        .ok_or_else(|| io::Error::other(format!("{}: the name is not UTF-8", path.display())))
}
