//! Kinds that few real types have, tried on an invented one.

use super::kind::{bytes, is_host};
use crate::address::Address;
use crate::config::{DesiredResource, Facts, SourceFile, expand, load};
use crate::diag::Diagnostics;
use crate::schema::{Schemas, parse_texts};
use crate::value::Value;

const BOX: &str = r#"
version = 1
doc = "An invented box"
id = "server:/id"
[read]
call = "GET /boxes"
reply = "boxes"
[create]
call = "POST /boxes"
body = "params"
reply = "box"
[attr]
os_type = { kind = "text", values = ["LINUX", "WINDOWS"], default = "LINUX", doc = "System." }
key     = { kind = "text", when = { os_type = ["LINUX"] }, doc = "Key." }
size    = { kind = "bytes", range = [1024, 1099511627776], doc = "Size." }
tags    = { kind = "set(text)", doc = "Tags." }
order   = { kind = "list(int)", doc = "Order." }
pair    = { kind = "list(text)", range = [1, 2], doc = "One or two." }
colours = { kind = "set(text)", range = [2, 3], doc = "Two or three." }
[attr.login]
kind = "object"
doc  = "Login."
[attr.login.attr]
user     = { kind = "text", is = ["required"], doc = "User." }
password = { kind = "text", is = ["sensitive", "write_only"], doc = "Password." }
port     = { kind = "int", default = 22, doc = "Port." }
"#;

fn schemas() -> Schemas {
    parse_texts(&[("inv", "box.toml", BOX)]).unwrap_or_else(|(found, _)| panic!("{found:#?}"))
}

fn run(body: &str) -> Result<DesiredResource, Diagnostics> {
    let schemas = schemas();
    let text = format!("[provider.inv]\n[box.b]\n{body}");
    let file = SourceFile { name: "main.rack.toml".into(), bytes: text.into() };
    let loaded = load(vec![file], &schemas);
    let (desired, _) = expand(&loaded.config?, &schemas, &Facts::default(), &loaded.sources)?;
    Ok(desired.get(&Address::new("box", "b")).expect("the box").clone())
}

fn value(body: &str, name: &str) -> Value {
    let row = run(body).unwrap_or_else(|found| panic!("{body}: {found:#?}")).attrs;
    let ix = schemas().types[0].find_attr(name).expect(name);
    row[usize::from(ix.0)].clone()
}

fn codes(body: &str) -> Vec<&'static str> {
    run(body).err().map(|found| found.iter().map(|d| d.code).collect()).unwrap_or_default()
}

fn texts(items: &[&str]) -> Value {
    Value::list(items.iter().map(|i| Value::str(i)).collect())
}

#[test]
fn a_set_has_an_order_of_its_own_and_a_list_keeps_the_written_one() {
    assert_eq!(value("tags = ['b', 'a', 'b']", "tags"), texts(&["a", "b"]));
    assert_eq!(value("tags = '${[\"b\", \"a\"]}'", "tags"), texts(&["a", "b"]));
    assert_eq!(value("tags = []", "tags"), Value::list(vec![]));
    assert_eq!(value("tags = '${null}'", "tags"), Value::Null);
    let list = Value::list(vec![Value::Int(2), Value::Int(1), Value::Int(2)]);
    assert_eq!(value("order = [2, 1, 2]", "order"), list);
    assert_eq!(codes("tags = 'a'\norder = ['x', 'y']"), ["wrong_kind"; 3]);
}

#[test]
fn the_range_of_a_list_or_a_set_counts_its_items() {
    assert_eq!(value("pair = ['long enough']", "pair"), texts(&["long enough"]));
    assert_eq!(codes("pair = ['a', 'b', 'c']"), ["out_of_range"]);
    assert_eq!(codes("pair = []"), ["out_of_range"]);
    assert_eq!(value("colours = ['b', 'a', 'b']", "colours"), texts(&["a", "b"]));
    // The same one twice is one.
    assert_eq!(codes("colours = ['a', 'a']"), ["out_of_range"]);
    let found = run("pair = ['a', 'b', 'c']").expect_err("too many");
    let text = found.iter().map(|d| d.summary.clone()).collect::<Vec<_>>();
    assert_eq!(text, ["`pair` must have between 1 and 2 items"]);
}

#[test]
fn a_condition_decides_what_may_be_written() {
    assert_eq!(value("key = 'k'", "key"), Value::str("k"));
    assert_eq!(value("", "os_type"), Value::str("LINUX"));
    assert_eq!(codes("os_type = 'WINDOWS'\nkey = 'k'"), ["not_applicable"]);
    assert_eq!(codes("os_type = 'windows'\nkey = 'k'"), ["bad_value"]);
}

#[test]
fn an_object_has_attributes_with_their_own_rules() {
    let login = value("login = { user = 'u', password = '${\"p\"}' }", "login");
    let Value::Map(login) = login else { panic!("{login}") };
    assert_eq!(login["port"], Value::Int(22));
    assert_eq!(login["password"], Value::str("p").sensitive());
    assert_eq!(codes("login = { password = 'p' }"), ["missing_attribute", "literal_secret"]);
    assert_eq!(codes("login = { user = 1 }"), ["wrong_kind"]);
    assert_eq!(codes("login = { user = 'u', usr = 'u' }"), ["unknown_attribute"]);
    assert_eq!(codes("login = 'u'"), ["wrong_kind"]);
}

#[test]
fn sizes_have_units() {
    for (text, expected) in [
        ("10G", Some(10 << 30)),
        ("512 MiB", Some(512 << 20)),
        ("2kb", Some(2048)),
        ("7", Some(7)),
        ("10X", None),
        ("-1G", None),
        ("G", None),
        ("", None),
        ("9E9", None),
        ("99999999999E", None),
    ] {
        assert_eq!(bytes(&Value::str(text)), expected, "{text}");
    }
    assert_eq!(value("size = '1G'", "size"), Value::Int(1 << 30));
    assert_eq!(value("size = 2048", "size"), Value::Int(2048));
    assert_eq!(codes("size = '1'"), ["out_of_range"]);
    assert_eq!(codes("size = true"), ["bad_bytes"]);
}

#[test]
fn hosts_are_addresses_or_names() {
    for good in ["10.0.0.1", "node-1.example.com", "a", "3com.example.com"] {
        assert!(is_host(good), "{good}");
    }
    for bad in
        ["", "10.0.0", "10.0.0.256", "1.2.3.4.5", "-a.example.com", "a_b", "a..b", "a b", "é"]
    {
        assert!(!is_host(bad), "{bad}");
    }
}
