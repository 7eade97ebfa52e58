//! `rackform fmt`: what it does to files, what it says, and that values never change.

mod commands;
mod files;
mod values;

/// Asserts what holds for every formatted text; returns it.
#[track_caller]
fn formatted(text: &str) -> String {
    let once = rackform::config::write::format(text);
    let value = |text: &str| {
        text.parse::<toml::Table>().unwrap_or_else(|error| panic!("{error}\n--- text\n{text}"))
    };
    assert_eq!(value(&once), value(text), "the value changes\n--- before\n{text}--- after\n{once}");
    let twice = rackform::config::write::format(&once);
    assert_eq!(twice, once, "twice is not once\n--- before\n{text}");
    once
}
