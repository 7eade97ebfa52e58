//! Nodes and edges → DOT, Mermaid or JSON.
//!
//! In: a [`Picture`]: addresses with their kind, and which depends on which and why. Out: text,
//! sorted, so that two runs can be compared. DOT is the simplified dialect that `terraform graph`
//! writes: an edge points from the dependent to what it depends on. Knows no plan.

use std::fmt::Write;

use serde::Serialize;

use crate::address::Address;

use super::{clean, json_text};

/// What is drawn.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Picture {
    pub nodes: Vec<Node>,
    pub edges: Vec<Edge>,
}

/// An object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Node {
    pub address: Address,
    /// Resource type.
    pub kind: String,
}

/// A dependency.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Edge {
    /// The one that depends.
    pub from: Address,
    /// What it depends on.
    pub to: Address,
    /// The attribute or rule that says so; empty when nothing needs saying.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub why: String,
}

/// A way to write a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Dot,
    Mermaid,
    Json,
}

/// The picture as text. Sorts it; the same node or edge twice is drawn once.
pub fn text(mut picture: Picture, format: Format) -> String {
    picture.nodes.sort();
    picture.nodes.dedup();
    picture.edges.sort();
    picture.edges.dedup();
    match format {
        Format::Dot => dot(&picture),
        Format::Mermaid => mermaid(&picture),
        Format::Json => json_text::line(&picture) + "\n",
    }
}

/// What people read: the address; of an attachment to an object of the picture both ends, because
/// an address within an address has its quotes escaped.
fn label(picture: &Picture, node: &Node) -> String {
    let ends = node.address.member_of().and_then(|member| {
        let to = Address::parse(&member.key).ok()?;
        picture.nodes.binary_search_by(|n| n.address.cmp(&to)).ok()?;
        Some(format!("{}.{} → {to}", node.address.owner(), member.name))
    });
    ends.unwrap_or_else(|| node.address.to_string())
}

// Writing into a String does not fail.
fn dot(picture: &Picture) -> String {
    let mut out = String::from(
        "digraph G {\n  rankdir = \"RL\";\n  node [shape = rect, fontname = \"sans-serif\"];\n",
    );
    for node in &picture.nodes {
        let (name, label) = (dot_text(node.address.as_str()), dot_text(&label(picture, node)));
        let _ = writeln!(out, "  {name} [label={label}];");
    }
    for edge in &picture.edges {
        let (from, to) = (dot_text(edge.from.as_str()), dot_text(edge.to.as_str()));
        let _ = writeln!(out, "  {from} -> {to};");
    }
    out.push_str("}\n");
    out
}

/// Quotes are escaped; backslashes are doubled, because labels take `\n` and `\N` for commands.
fn dot_text(text: &str) -> String {
    let text = clean(text).to_string();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn mermaid(picture: &Picture) -> String {
    let mut out = String::from("flowchart RL\n");
    // Addresses are no Mermaid ids: nodes are numbered, edges look their ends up.
    let number = |address: &Address| picture.nodes.binary_search_by(|n| n.address.cmp(address));
    for (at, node) in picture.nodes.iter().enumerate() {
        let _ = writeln!(out, "  n{at}[\"{}\"]", mermaid_text(&label(picture, node)));
    }
    for edge in &picture.edges {
        // An end that is no node (an object of somebody else) cannot be drawn.
        let (Ok(from), Ok(to)) = (number(&edge.from), number(&edge.to)) else { continue };
        let why = mermaid_text(&edge.why);
        let arrow = if why.is_empty() { "-->".to_owned() } else { format!("-->|\"{why}\"|") };
        let _ = writeln!(out, "  n{from} {arrow} n{to}");
    }
    out
}

/// Mermaid reads HTML entities in quoted texts, written with `#`.
fn mermaid_text(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).to_string().chars() {
        match c {
            '"' => out.push_str("#quot;"),
            '#' => out.push_str("#35;"),
            '<' => out.push_str("#lt;"),
            '>' => out.push_str("#gt;"),
            '&' => out.push_str("#amp;"),
            '`' => out.push_str("#96;"),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::samples::address;

    fn picture() -> Picture {
        let node = |text: &str| {
            let address = address(text);
            Node { kind: address.kind().to_owned(), address }
        };
        let edge = |from: &str, to: &str, why: &str| Edge {
            from: address(from),
            to: address(to),
            why: why.to_owned(),
        };
        Picture {
            nodes: vec![node("zone.east"), node("host.kvm[\"0\\1\"]"), node("cluster.rack")],
            edges: vec![
                edge("host.kvm[\"0\\1\"]", "cluster.rack", "cluster"),
                edge("cluster.rack", "zone.east", ""),
                edge("cluster.rack", "zone.east", ""),
            ],
        }
    }

    #[test]
    fn dot_is_sorted_and_quoted() {
        insta::assert_snapshot!(text(picture(), Format::Dot), @r#"
        digraph G {
          rankdir = "RL";
          node [shape = rect, fontname = "sans-serif"];
          "cluster.rack" [label="cluster.rack"];
          "host.kvm[\"01\"]" [label="host.kvm[\"01\"]"];
          "zone.east" [label="zone.east"];
          "cluster.rack" -> "zone.east";
          "host.kvm[\"01\"]" -> "cluster.rack";
        }
        "#);
    }

    #[test]
    fn mermaid_numbers_its_nodes() {
        insta::assert_snapshot!(text(picture(), Format::Mermaid), @r#"
        flowchart RL
          n0["cluster.rack"]
          n1["host.kvm[#quot;01#quot;]"]
          n2["zone.east"]
          n0 --> n2
          n1 -->|"cluster"| n0
        "#);
    }

    #[test]
    fn json_says_why() {
        insta::assert_snapshot!(text(picture(), Format::Json), @r#"{"nodes":[{"address":"cluster.rack","kind":"cluster"},{"address":"host.kvm[\"01\"]","kind":"host"},{"address":"zone.east","kind":"zone"}],"edges":[{"from":"cluster.rack","to":"zone.east"},{"from":"host.kvm[\"01\"]","to":"cluster.rack","why":"cluster"}]}"#);
    }

    #[test]
    fn attachments_show_both_ends() {
        let storage = r#"nfs_primary_storage.s.clusters["cluster.rack[\"a\"]"]"#;
        let nodes = [storage, "cluster.rack[\"a\"]", "ceph_primary_storage.c.mons[\"10.0.0.1\"]"];
        let nodes = nodes.map(address);
        let nodes = nodes.map(|address| Node { kind: address.kind().to_owned(), address });
        let picture = Picture { nodes: nodes.to_vec(), edges: Vec::new() };
        insta::assert_snapshot!(text(picture, Format::Mermaid), @r#"
        flowchart RL
          n0["ceph_primary_storage.c.mons[#quot;10.0.0.1#quot;]"]
          n1["cluster.rack[#quot;a#quot;]"]
          n2["nfs_primary_storage.s.clusters → cluster.rack[#quot;a#quot;]"]
        "#);
    }

    #[test]
    fn an_edge_to_nowhere_does_no_harm() {
        let mut odd = picture();
        odd.nodes.clear();
        assert_eq!(text(odd, Format::Mermaid), "flowchart RL\n");
    }
}
