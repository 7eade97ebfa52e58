//! `rackform graph`: who depends on whom, as a picture for other tools.

use std::path::Path;

use crate::cli::args::{Graph, GraphFormat};
use crate::cli::failure::{Exit, Failure};
use crate::cli::output::Output;
use crate::cli::planning::Clouds;
use crate::cli::session::Session;
use crate::cli::{lookups, signals};
use crate::config::{self, End};
use crate::render::graph::{self, Edge, Format, Node, Picture};
use crate::store::LocalStore;

pub fn run(dir: &Path, args: &Graph, output: &mut Output) -> Result<Exit, Failure> {
    let mut session = Session::open(dir, &args.vars, output)?;
    if session.is_open() {
        let state = LocalStore::open(dir).read()?.state;
        signals::block_on(async {
            let clouds = Clouds::open(&session, &state).await?;
            let found = lookups::complete(&mut session, &state, &clouds, output).await;
            clouds.close().await;
            found.map(|()| Exit::Done)
        })?;
    }
    let format = match args.format {
        GraphFormat::Dot => Format::Dot,
        GraphFormat::Mermaid => Format::Mermaid,
        GraphFormat::Json => Format::Json,
    };
    output.data(&graph::text(picture(&session), format));
    Ok(Exit::Done)
}

fn picture(session: &Session) -> Picture {
    let desired = &session.desired;
    let mut picture = Picture { nodes: Vec::new(), edges: Vec::new() };
    for resource in &desired.resources {
        let kind = session.schemas.get(resource.ty).name.clone();
        picture.nodes.push(Node { address: resource.address.clone(), kind: kind.to_string() });
    }
    for (dependent, dependency, _) in config::edges(desired) {
        picture.edges.push(Edge { from: dependent, to: dependency, why: "reference".to_owned() });
    }
    for link in &desired.links {
        picture.nodes.push(Node { address: link.address.clone(), kind: "attachment".to_owned() });
        for end in [&link.owner, &link.to] {
            if let End::Ours(address) = end {
                picture.edges.push(Edge {
                    from: link.address.clone(),
                    to: address.clone(),
                    why: "attaches".to_owned(),
                });
            }
        }
    }
    picture
}
