//! The query string of a Query API. In: decoded pairs. Out: conditions, page, order. Must not know
//! rows.

/// A condition's operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Eq,
    NotEq,
    Gt,
    GtEq,
    Lt,
    LtEq,
    In,
    NotIn,
    Like,
    NotLike,
    IsNull,
    NotNull,
}

/// In the order in which the server searches the condition for them: the first one that occurs
/// anywhere wins, even within the value (`RestServer.QUERY_OP_MAPPING`).
const OPERATORS: [(&str, Operator); 12] = [
    ("!=", Operator::NotEq),
    (">=", Operator::GtEq),
    ("<=", Operator::LtEq),
    ("!?=", Operator::NotIn),
    ("!~=", Operator::NotLike),
    ("~=", Operator::Like),
    ("?=", Operator::In),
    ("=", Operator::Eq),
    (">", Operator::Gt),
    ("<", Operator::Lt),
    ("is null", Operator::IsNull),
    ("not null", Operator::NotNull),
];

/// One `q`.
#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub name: String,
    pub operator: Operator,
    pub value: String,
}

/// A whole query.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    pub conditions: Vec<Condition>,
    pub limit: usize,
    pub start: usize,
    pub count: bool,
    pub reply_with_count: bool,
    /// Member and whether descending.
    pub sort: Option<(String, bool)>,
    pub fields: Option<Vec<String>>,
    /// Parameters that the server ignores.
    pub unknown: Vec<String>,
}

impl Default for Spec {
    fn default() -> Self {
        Spec {
            conditions: Vec::new(),
            // APIQueryMessage.limit
            limit: 1000,
            start: 0,
            count: false,
            reply_with_count: false,
            sort: None,
            fields: None,
            unknown: Vec::new(),
        }
    }
}

impl Spec {
    /// `GET /res/{uuid}`: the variable of the path alone, all parameters ignored.
    pub fn by_member(name: &str, value: &str) -> Self {
        let condition =
            Condition { name: name.to_owned(), operator: Operator::Eq, value: value.to_owned() };
        Spec { conditions: vec![condition], ..Spec::default() }
    }
}

/// Reads the parameters. Errors are the texts of a 400.
pub fn parse(pairs: &[(String, String)]) -> Result<Spec, String> {
    let mut spec = Spec::default();
    let mut seen: Vec<&str> = Vec::new();
    for (name, value) in pairs {
        let name = name.trim();
        // `"q".startsWith(name)`: the empty name is a condition too.
        if name == "q" || name.is_empty() {
            spec.conditions.push(condition(value)?);
            continue;
        }
        // Of other parameters only the first value is used.
        if seen.contains(&name) {
            continue;
        }
        seen.push(name);
        let value = value.trim();
        match name {
            "limit" => spec.limit = number(name, value)?,
            "start" => spec.start = number(name, value)?,
            "count" => spec.count = value.eq_ignore_ascii_case("true"),
            "replyWithCount" => spec.reply_with_count = value.eq_ignore_ascii_case("true"),
            "sort" => spec.sort = Some(sort(value)),
            "fields" => {
                spec.fields = Some(value.split(',').map(|f| f.trim().to_owned()).collect());
            }
            "groupBy" | "filterName" => {}
            other => spec.unknown.push(other.to_owned()),
        }
    }
    Ok(spec)
}

/// Negative numbers parse in Java and then break in SQL; none of our business, they are refused.
fn number(name: &str, value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("Invalid query parameter. '{name}' must be an integer"))
}

fn sort(value: &str) -> (String, bool) {
    match value.strip_prefix('-') {
        Some(_) => (value.trim_start_matches('-').to_owned(), true),
        None => (value.trim_start_matches('+').to_owned(), false),
    }
}

fn condition(text: &str) -> Result<Condition, String> {
    let found = OPERATORS.iter().find_map(|(symbol, operator)| {
        text.split_once(symbol).map(|(name, value)| (*operator, name, value))
    });
    let Some((operator, name, value)) = found else {
        let symbols: Vec<&str> = OPERATORS.iter().map(|(symbol, _)| *symbol).collect();
        return Err(format!(
            "Invalid query parameter. The '{text}' in the parameter[q] doesn't contain any query operator. \
             Valid query operators are [{}]",
            symbols.join(", ")
        ));
    };
    Ok(Condition { name: name.trim().to_owned(), operator, value: value.to_owned() })
}
