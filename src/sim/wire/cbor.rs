//! Smithy RPC v2 CBOR: a request's body as a JSON value, a reply's value as CBOR.
//!
//! CBOR tells times from numbers, JSON does not: [`time`] marks a time in a reply, and each protocol writes it in its
//! own way. In a request a time is a number of seconds in either protocol.

use ciborium::Value as Cbor;
use serde_json::{Map, Number, Value, json};

/// Member of the one-member object that stands for a time.
const TIME: &str = "\u{0}time";
/// CBOR's tag for seconds since the epoch.
const EPOCH: u64 = 1;

/// A time in a reply, in milliseconds since the epoch.
pub(crate) fn time(ms: i64) -> Value {
    json!({ TIME: ms })
}

/// The milliseconds of a value that [`time`] made.
pub(super) fn as_time(members: &Map<String, Value>) -> Option<i64> {
    members.get(TIME).and_then(Value::as_i64)
}

/// Seconds with a fraction, as every protocol writes times.
pub(super) fn seconds(ms: i64) -> f64 {
    // Exact: milliseconds of this century have 41 bits.
    #[allow(clippy::cast_precision_loss)]
    let ms = ms as f64;
    ms / 1000.0
}

/// A request's body; an empty one is an empty map. None if it is no CBOR.
pub(super) fn read(body: &[u8]) -> Option<Value> {
    if body.is_empty() {
        return Some(json!({}));
    }
    value(&ciborium::from_reader(body).ok()?)
}

fn value(cbor: &Cbor) -> Option<Value> {
    Some(match cbor {
        Cbor::Null => Value::Null,
        Cbor::Bool(flag) => Value::Bool(*flag),
        Cbor::Text(text) => Value::String(text.clone()),
        Cbor::Integer(number) => {
            let number = i128::from(*number);
            i64::try_from(number).map_or_else(|_| u64::try_from(number).map_or(Value::Null, Value::from), Value::from)
        }
        Cbor::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Cbor::Tag(_, inner) => value(inner)?,
        Cbor::Array(items) => Value::Array(items.iter().map(value).collect::<Option<_>>()?),
        Cbor::Map(members) => {
            let member = |(key, item): &(Cbor, Cbor)| Some((key.as_text()?.to_owned(), value(item)?));
            Value::Object(members.iter().map(member).collect::<Option<_>>()?)
        }
        // No operation that is served takes bytes.
        _ => return None,
    })
}

/// A reply's body; members that are null are left out, as AWS does.
pub(super) fn write(value: &Value) -> Vec<u8> {
    let mut out = Vec::new();
    ciborium::into_writer(&cbor(value), &mut out).expect("a Vec takes every write");
    out
}

fn cbor(value: &Value) -> Cbor {
    match value {
        Value::Null => Cbor::Null,
        Value::Bool(flag) => Cbor::Bool(*flag),
        Value::String(text) => Cbor::Text(text.clone()),
        Value::Number(number) => match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => Cbor::Integer(whole.into()),
            (None, float) => Cbor::Float(float.unwrap_or(f64::NAN)),
        },
        Value::Array(items) => Cbor::Array(items.iter().map(cbor).collect()),
        Value::Object(members) => {
            if let Some(ms) = as_time(members) {
                return Cbor::Tag(EPOCH, Box::new(Cbor::Float(seconds(ms))));
            }
            let set = members.iter().filter(|(_, item)| !item.is_null());
            Cbor::Map(set.map(|(key, item)| (Cbor::Text(key.clone()), cbor(item))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_reads_back_as_it_was_but_for_nulls_and_times() {
        let reply = json!({"a": [1, 2.5, "x", true], "b": {"c": null, "at": time(1_795_230_660_500)}});
        let bytes = write(&reply);
        assert_eq!(read(&bytes), Some(json!({"a": [1, 2.5, "x", true], "b": {"at": 1_795_230_660.5}})));
    }

    #[test]
    fn a_time_is_tagged_as_seconds_since_the_epoch() {
        assert_eq!(write(&time(1_000))[..2], [0xc1, 0xf9], "tag 1 and a float");
    }

    #[test]
    fn an_indefinite_map_with_a_tagged_time_is_read() {
        // {_ "StartTime": 1(1000), "Ids": [_ "a"]}
        let mut body = vec![0xbf, 0x69];
        body.extend_from_slice(b"StartTime");
        body.extend_from_slice(&[0xc1, 0x19, 0x03, 0xe8, 0x63]);
        body.extend_from_slice(b"Ids");
        body.extend_from_slice(&[0x9f, 0x61, b'a', 0xff, 0xff]);
        assert_eq!(read(&body), Some(json!({"StartTime": 1000, "Ids": ["a"]})));
        assert_eq!(read(&[0xbf, 0x61]), None);
        assert_eq!(read(&[]), Some(json!({})));
    }
}
