//! What people copy from here is formatted: the examples and the README.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::readme::blocks;

#[test]
fn the_examples_are_formatted() {
    let output = Command::new(env!("CARGO_BIN_EXE_rackform"))
        .args(["-C", "examples", "fmt", "--check", "--diff", "--recursive"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("it runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn so_are_the_other_toml_files_of_the_examples() {
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")).expect("it") {
        for file in fs::read_dir(entry.expect("an entry").path()).into_iter().flatten() {
            let path = file.expect("a file").path();
            if path.extension().is_some_and(|e| e == "toml") {
                let text = fs::read_to_string(&path).expect("a text");
                assert_eq!(rackform::config::write::format(&text), text, "{}", path.display());
            }
        }
    }
}

#[test]
fn so_are_the_blocks_of_the_readme() {
    for block in blocks("toml") {
        assert_eq!(rackform::config::write::format(&block), block);
    }
}
