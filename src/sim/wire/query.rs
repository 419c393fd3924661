//! The query protocol: a form becomes the same kind of value that JSON services take, and a value becomes XML.
//!
//! With this the services need not know which protocol they speak. `A.member.1.B=x` is `{"A": [{"B": "x"}]}` and back again
//! `<A><member><B>x</B></member></A>`. Everything that comes in is text, as on the wire.

use quick_xml::escape::escape;
use serde_json::{Map, Value};
use std::fmt::Write as _;

/// Lists are numbered by the client; more than any call accepts is not worth a vector.
const LONGEST_LIST: usize = 10_000;

/// Reads `application/x-www-form-urlencoded`. Names without a value are empty texts; a list with holes closes them.
pub(super) fn form(body: &[u8]) -> Value {
    let mut root = Map::new();
    for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
        let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
        let (name, value) = (decoded(&pair[..at]), decoded(pair.get(at + 1..).unwrap_or_default()));
        let parts: Vec<&str> = name.split('.').filter(|part| *part != "member").collect();
        insert(&mut root, &parts, value);
    }
    lists(Value::Object(root))
}

fn insert(into: &mut Map<String, Value>, parts: &[&str], value: String) {
    match parts {
        [] => {}
        [last] => {
            into.insert((*last).to_owned(), Value::String(value));
        }
        [first, rest @ ..] => {
            let slot = into.entry((*first).to_owned()).or_insert_with(|| Value::Object(Map::new()));
            if !slot.is_object() {
                *slot = Value::Object(Map::new());
            }
            insert(slot.as_object_mut().expect("it was just made an object"), rest, value);
        }
    }
}

/// Turns objects whose keys are all numbers into lists in the order of the numbers.
fn lists(value: Value) -> Value {
    let Value::Object(map) = value else {
        return value;
    };
    let numbers: Option<Vec<usize>> = map.keys().map(|key| key.parse().ok()).collect();
    match numbers {
        Some(numbers) if !numbers.is_empty() && numbers.len() <= LONGEST_LIST => {
            let mut members: Vec<(usize, Value)> = numbers.into_iter().zip(map.into_iter().map(|(_, value)| lists(value))).collect();
            members.sort_by_key(|(at, _)| *at);
            Value::Array(members.into_iter().map(|(_, value)| value).collect())
        }
        _ => Value::Object(map.into_iter().map(|(key, value)| (key, lists(value))).collect()),
    }
}

fn decoded(text: &[u8]) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut at = 0;
    while at < text.len() {
        let byte = match text[at] {
            b'+' => b' ',
            b'%' => {
                let hex = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
                match hex.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
                    Some(byte) => {
                        at += 2;
                        byte
                    }
                    None => b'%',
                }
            }
            other => other,
        };
        out.push(byte);
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A whole reply: `OPResponse` round `OPResult` and the request id.
pub(super) fn reply(namespace: &str, operation: &str, result: &Value, request_id: &str) -> String {
    let mut out = format!("<{operation}Response xmlns=\"{namespace}\"><{operation}Result>");
    write(&mut out, result, "member");
    write!(out, "</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>")
        .expect("a String takes every write");
    out
}

/// A whole reply of EC2: no `OPResult`, and lists of `item`.
pub(super) fn ec2_reply(namespace: &str, operation: &str, result: &Value, request_id: &str) -> String {
    let mut out = format!("<{operation}Response xmlns=\"{namespace}\"><requestId>{request_id}</requestId>");
    write(&mut out, result, "item");
    write!(out, "</{operation}Response>").expect("a String takes every write");
    out
}

/// A whole error of EC2.
pub(super) fn ec2_error(code: &str, message: &str, request_id: &str) -> String {
    let (code, message) = (escape(code), escape(message));
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Response><Errors><Error><Code>{code}</Code><Message>{message}</Message></Error></Errors>\
         <RequestID>{request_id}</RequestID></Response>"
    )
}

/// A whole error.
pub(super) fn error(namespace: &str, status: u16, code: &str, message: &str, request_id: &str) -> String {
    let blame = if status < 500 { "Sender" } else { "Receiver" };
    let (code, message) = (escape(code), escape(message));
    format!(
        "<ErrorResponse xmlns=\"{namespace}\"><Error><Type>{blame}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>{request_id}</RequestId></ErrorResponse>"
    )
}

/// `member` is the name of what a list holds.
fn write(out: &mut String, value: &Value, member: &str) {
    match value {
        Value::Null => {}
        Value::Object(map) => {
            for (key, value) in map.iter().filter(|(_, value)| !value.is_null()) {
                element(out, key, value, member);
            }
        }
        Value::Array(values) => {
            for value in values {
                element(out, member, value, member);
            }
        }
        Value::String(text) => out.push_str(&escape(text.as_str())),
        Value::Bool(_) | Value::Number(_) => {
            write!(out, "{value}").expect("a String takes every write");
        }
    }
}

fn element(out: &mut String, name: &str, value: &Value, member: &str) {
    write!(out, "<{name}>").expect("a String takes every write");
    write(out, value, member);
    write!(out, "</{name}>").expect("a String takes every write");
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_form_becomes_lists_and_structures() {
        let value = form(b"Action=X&Arns.member.2=b&Arns.member.1=a%3Ab+c&Targets.member.1.Id=10.0.0.1&Targets.member.1.Port=80&Empty=");
        assert_eq!(value, json!({"Action": "X", "Arns": ["a:b c", "b"], "Targets": [{"Id": "10.0.0.1", "Port": "80"}], "Empty": ""}));
    }

    #[test]
    fn a_form_that_contradicts_itself_or_breaks_off_is_still_read() {
        assert_eq!(form(b"A=1&A.member.1=2&%zz=%4"), json!({"A": ["2"], "%zz": "%4"}));
        assert_eq!(form(b""), json!({}));
    }

    #[test]
    fn a_reply_is_escaped_and_skips_what_is_absent() {
        let xml = reply("urn:x", "Get", &json!({"Names": ["a<b", "c"], "Gone": null, "On": true, "N": 3}), "id-1");
        assert_eq!(
            xml,
            "<GetResponse xmlns=\"urn:x\"><GetResult><Names><member>a&lt;b</member><member>c</member></Names><On>true</On><N>3</N>\
             </GetResult><ResponseMetadata><RequestId>id-1</RequestId></ResponseMetadata></GetResponse>"
        );
        let ec2 = ec2_reply("urn:x", "Get", &json!({"set": [{"a": "b&"}]}), "id-1");
        assert_eq!(ec2, "<GetResponse xmlns=\"urn:x\"><requestId>id-1</requestId><set><item><a>b&amp;</a></item></set></GetResponse>");
        assert!(error("urn:x", 503, "Slow&Down", "", "i").contains("<Type>Receiver</Type><Code>Slow&amp;Down</Code>"));
    }
}
