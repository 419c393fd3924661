//! The members of a request: typed, with AWS's refusals for the wrong type, and pages.

use serde_json::{Value, json};

use super::{ApiError, Reply};

/// The body of a request; a JSON object.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body<'a>(pub &'a Value);

impl<'a> Body<'a> {
    /// A member that is there and not null.
    pub(super) fn get(self, key: &str) -> Option<&'a Value> {
        self.0.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn text(self, key: &str) -> Result<Option<&'a str>, ApiError> {
        self.get(key).map(|v| v.as_str().ok_or_else(|| wrong_type(v, "String"))).transpose()
    }

    pub(super) fn needed(self, key: &str, message: &str) -> Result<&'a str, ApiError> {
        self.text(key)?.filter(|t| !t.is_empty()).ok_or_else(|| ApiError::parameter(message))
    }

    pub(super) fn whole(self, key: &str) -> Result<Option<i64>, ApiError> {
        self.get(key).map(|v| v.as_i64().ok_or_else(|| wrong_type(v, "Integer"))).transpose()
    }

    pub(super) fn flag(self, key: &str) -> Result<Option<bool>, ApiError> {
        self.get(key).map(|v| v.as_bool().ok_or_else(|| wrong_type(v, "Boolean"))).transpose()
    }

    pub(super) fn list(self, key: &str) -> Result<Option<&'a Vec<Value>>, ApiError> {
        self.get(key).map(|v| v.as_array().ok_or_else(|| wrong_type(v, "List"))).transpose()
    }

    pub(super) fn texts(self, key: &str) -> Result<Vec<&'a str>, ApiError> {
        let list = self.list(key)?.map_or(&[][..], Vec::as_slice);
        list.iter().map(|v| v.as_str().ok_or_else(|| wrong_type(v, "String"))).collect()
    }

    /// A structure, as a body of its own.
    pub(super) fn part(self, key: &str) -> Result<Option<Body<'a>>, ApiError> {
        let part = self.get(key).map(|v| v.is_object().then_some(Body(v)).ok_or_else(|| wrong_type(v, "Structure")));
        part.transpose()
    }

    /// A text out of a fixed set.
    pub(super) fn one_of(self, key: &str, allowed: &[&str]) -> Result<Option<&'a str>, ApiError> {
        let text = self.text(key)?;
        match text {
            Some(text) if !allowed.contains(&text) => {
                Err(ApiError::parameter(format!("Invalid value for {key}: {text}. Valid values: {}", allowed.join(", "))))
            }
            other => Ok(other),
        }
    }

    /// Whether `include` asks for something.
    pub(super) fn includes(self, what: &str) -> Result<bool, ApiError> {
        Ok(self.texts("include")?.contains(&what))
    }
}

fn wrong_type(found: &Value, wanted: &str) -> ApiError {
    let found = match found {
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::String(_) => "STRING_VALUE",
        _ => return ApiError::client("SerializationException", "Start of structure or map found where not expected."),
    };
    ApiError::client("SerializationException", format!("{found} can not be converted to a {wanted}"))
}

/// One page of a list of sorted, distinct keys, under `key` in the reply. The
/// token is the last key that was given, so that pages stay right while the
/// list changes.
pub(super) fn page(body: Body<'_>, key: &str, size: (usize, usize), all: &[String]) -> Reply {
    let (default, most) = size;
    let wanted = match body.whole("maxResults")? {
        None => default,
        Some(n) => usize::try_from(n)
            .ok()
            .filter(|n| (1..=most).contains(n))
            .ok_or_else(|| ApiError::parameter(format!("maxResults must be between 1 and {most}, inclusive.")))?,
    };
    let start = match body.text("nextToken")? {
        None | Some("") => 0,
        Some(token) => {
            let last = open_token(token).ok_or_else(|| ApiError::parameter("Invalid token"))?;
            all.iter().position(|k| *k == last).map_or_else(|| after(all, &last), |i| i + 1)
        }
    };
    let rest = all.get(start..).unwrap_or_default();
    let shown = &rest[..rest.len().min(wanted)];
    let mut reply = json!({ key: shown });
    if shown.len() < rest.len()
        && let Some(last) = shown.last()
    {
        reply["nextToken"] = json!(close_token(last));
    }
    Ok(reply)
}

/// Where to go on when the last key has gone: behind all that sort before it.
fn after(all: &[String], last: &str) -> usize {
    let descending = all.first() > all.last();
    all.iter().position(|k| if descending { k.as_str() < last } else { k.as_str() > last }).unwrap_or(all.len())
}

fn close_token(last: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(format!("1:{last}"))
}

fn open_token(token: &str) -> Option<String> {
    use base64::Engine as _;
    let bytes = base64::engine::general_purpose::STANDARD.decode(token).ok()?;
    String::from_utf8(bytes).ok()?.strip_prefix("1:").map(str::to_owned)
}
