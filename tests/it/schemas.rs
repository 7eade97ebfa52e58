//! The schema files against the language, and against facts written from the manual and the server
//! source rather than from the files themselves.

use rackform::schema;

#[test]
fn the_compiled_in_files_have_no_mistake() {
    if let Err((found, sources)) = schema::load() {
        let lines: Vec<_> = found
            .iter()
            .map(|d| {
                let place = d.labels.first().map(|l| sources.display(l.span));
                format!("{} {}: {}", place.unwrap_or_default(), d.code, d.summary)
            })
            .collect();
        panic!("{}", lines.join("\n"));
    }
}
