//! Templates and targets → requests: substitutes holes and encodes, and decides nothing.
//!
//! In: a [`RequestTemplate`] and what fills its holes, or a schema's target and ids. Out: a
//! [`Request`]. Paths and query values are percent-encoded whole but for unreserved characters:
//! the server decodes `+` to a space and takes `%` as a wildcard (manual 1.7).

use std::fmt::Write as _;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::{Fill, FillError, Json, Part, Request, RequestTemplate, Text};
use crate::schema::Piece;

/// Everything but the unreserved characters of RFC 3986.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// Fills a template.
///
/// # Errors
/// [`FillError`] naming the hole that nothing fills.
pub fn fill(template: &RequestTemplate, holes: &dyn Fill) -> Result<Request, FillError> {
    let mut path = Path::default();
    for segment in &template.path {
        path.segment(&text(segment, holes)?)?;
    }
    for (name, value) in &template.query {
        path.query(name, &text(value, holes)?);
    }
    let body = template.body.as_ref().map(|body| json(body, holes)).transpose()?;
    Ok(Request { method: template.method, path: path.finish(), body })
}

fn text(parts: &Text, holes: &dyn Fill) -> Result<String, FillError> {
    let mut out = String::new();
    for part in parts {
        match part {
            Part::Lit(lit) => out.push_str(lit),
            Part::Id(address) => {
                let id = holes.id(address).ok_or_else(|| FillError::Id(address.clone()))?;
                out.push_str(&id);
            }
            Part::Secret(address, attr) => {
                let secret = holes
                    .secret(address, attr)
                    .ok_or_else(|| FillError::Secret(address.clone(), attr.clone()))?;
                out.push_str(&secret);
            }
        }
    }
    Ok(out)
}

fn json(body: &Json, holes: &dyn Fill) -> Result<serde_json::Value, FillError> {
    use serde_json::Value;
    Ok(match body {
        Json::Null => Value::Null,
        Json::Bool(b) => (*b).into(),
        Json::Int(n) => (*n).into(),
        // Not a number and infinity have no JSON form; they become null.
        Json::Float(n) => (*n).into(),
        Json::Text(parts) => text(parts, holes)?.into(),
        Json::List(items) => {
            items.iter().map(|i| json(i, holes)).collect::<Result<Vec<_>, _>>()?.into()
        }
        Json::Map(items) => Value::Object(
            items
                .iter()
                .map(|(k, v)| Ok((k.clone(), json(v, holes)?)))
                .collect::<Result<_, FillError>>()?,
        ),
    })
}

/// A path and query under construction.
#[derive(Clone, Debug, Default)]
pub struct Path {
    text: String,
    queried: bool,
}

impl Path {
    /// A path from the pieces of a schema's target, with its own slashes; holes are encoded.
    ///
    /// # Errors
    /// [`FillError::Segment`] when a hole would change which object is addressed.
    pub fn from_pieces(
        pieces: &[Piece],
        hole: impl Fn(&Piece) -> Option<String>,
    ) -> Result<Self, FillError> {
        let mut path = Self::default();
        for piece in pieces {
            match piece {
                Piece::Lit(lit) => path.text.push_str(lit),
                other => path.push(&hole(other).unwrap_or_default())?,
            }
        }
        Ok(path)
    }
    /// Adds `/` and a segment.
    ///
    /// # Errors
    /// [`FillError::Segment`] for one that is empty, `.` or `..`: the path would lead elsewhere,
    /// and encoding does not help (RFC 3986, 6.2.2.3).
    pub fn segment(&mut self, segment: &str) -> Result<(), FillError> {
        self.text.push('/');
        self.push(segment)
    }
    fn push(&mut self, segment: &str) -> Result<(), FillError> {
        if matches!(segment, "" | "." | "..") {
            return Err(FillError::Segment(segment.to_owned()));
        }
        // Writing to a string cannot fail.
        let _ = write!(self.text, "{}", utf8_percent_encode(segment, RESERVED));
        Ok(())
    }
    /// Adds a query parameter; a name may come again.
    pub fn query(&mut self, name: &str, value: &str) {
        self.text.push(if self.queried { '&' } else { '?' });
        self.queried = true;
        let (name, value) =
            (utf8_percent_encode(name, RESERVED), utf8_percent_encode(value, RESERVED));
        let _ = write!(self.text, "{name}={value}");
    }
    pub fn finish(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::address::Address;
    use crate::wire::Method;

    struct Known;
    impl Fill for Known {
        fn id(&self, address: &Address) -> Option<Arc<str>> {
            (address.as_str() == "zone.east").then(|| "a/b c".into())
        }
        fn secret(&self, _: &Address, attr: &str) -> Option<Arc<str>> {
            (attr == "password").then(|| "p@:/\"\\ü".into())
        }
    }

    fn lit(text: &str) -> Text {
        vec![Part::Lit(text.into())]
    }

    fn template(hole: Part) -> RequestTemplate {
        RequestTemplate {
            method: Method::Put,
            path: vec![lit("hosts"), vec![hole.clone()], lit("actions")],
            query: vec![("q".into(), vec![Part::Lit("name~=50% + ".into()), hole.clone()])],
            body: Some(Json::Map(vec![
                ("first".into(), Json::Text(vec![hole])),
                ("again".into(), Json::List(vec![Json::Int(3), Json::Float(f64::NAN)])),
            ])),
        }
    }

    #[test]
    fn holes_are_encoded_where_they_stand() {
        let request = fill(&template(Part::Id(Address::new("zone", "east"))), &Known);
        let Ok(request) = request else { panic!("all holes are known") };
        assert_eq!(request.path, "/hosts/a%2Fb%20c/actions?q=name~%3D50%25%20%2B%20a%2Fb%20c");
        let body = request.body.expect("a body").to_string();
        assert_eq!(body, r#"{"first":"a/b c","again":[3,null]}"#);
    }

    #[test]
    fn a_secret_alone_stays_a_json_string() {
        let secret = Part::Secret(Address::new("host", "a"), "password".into());
        let Ok(request) = fill(&template(secret), &Known) else { panic!("all holes are known") };
        let body = request.body.expect("a body");
        assert_eq!(body["first"], serde_json::json!("p@:/\"\\ü"));
    }

    #[test]
    fn an_unfilled_hole_is_named() {
        let west = Address::new("zone", "west");
        let result = fill(&template(Part::Id(west.clone())), &Known).err();
        assert_eq!(result, Some(FillError::Id(west.clone())));
        let secret = Part::Secret(west.clone(), "other".into());
        let result = fill(&template(secret), &Known).err();
        assert_eq!(result, Some(FillError::Secret(west, "other".into())));
    }

    #[test]
    fn a_segment_cannot_lead_elsewhere() {
        for bad in ["", ".", ".."] {
            let mut path = Path::default();
            assert_eq!(path.segment(bad), Err(FillError::Segment(bad.to_owned())));
        }
    }
}
