//! Filter patterns, the part of `CloudWatch`'s syntax that people type: terms, phrases, `-not`, `?either ?or`, `%regex%`, and JSON
//! selectors such as `{ $.level = "ERROR" && $.status >= 500 }`. Space-delimited `[a, b]` patterns are refused as invalid.

use regex::Regex;
use serde_json::Value;

/// A pattern that was understood.
#[derive(Debug)]
pub(super) enum Pattern {
    Everything,
    Terms {
        all: Vec<String>,
        any: Vec<String>,
        none: Vec<String>,
    },
    Regex(Regex),
    /// Any of these, each all of those.
    Json(Vec<Vec<Test>>),
}

/// `$.path op value`.
#[derive(Debug)]
pub(super) struct Test {
    path: Vec<String>,
    compare: Compare,
    value: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Compare {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Exists,
}

/// In the order in which they are looked for: longer ones first.
const COMPARISONS: [(&str, Compare); 6] = [
    ("!=", Compare::Unequal),
    ("<=", Compare::AtMost),
    (">=", Compare::AtLeast),
    ("=", Compare::Equal),
    ("<", Compare::Less),
    (">", Compare::Greater),
];

/// Understands a pattern; none if its syntax is wrong.
pub(super) fn parse(text: &str) -> Option<Pattern> {
    let text = text.trim();
    if text.is_empty() {
        return Some(Pattern::Everything);
    }
    if let Some(inner) = text.strip_prefix('%').and_then(|rest| rest.strip_suffix('%')).filter(|inner| !inner.is_empty()) {
        return Regex::new(inner).ok().map(Pattern::Regex);
    }
    if let Some(inner) = text.strip_prefix('{') {
        let inner = inner.strip_suffix('}')?;
        return inner.split("||").map(|all| all.split("&&").map(test).collect()).collect::<Option<_>>().map(Pattern::Json);
    }
    terms(text)
}

impl Pattern {
    /// True if a message is selected.
    pub(super) fn matches(&self, message: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Regex(regex) => regex.is_match(message),
            Self::Terms { all, any, none } => {
                all.iter().all(|term| message.contains(term.as_str()))
                    && (any.is_empty() || any.iter().any(|term| message.contains(term.as_str())))
                    && !none.iter().any(|term| message.contains(term.as_str()))
            }
            Self::Json(any) => {
                serde_json::from_str(message).is_ok_and(|value: Value| any.iter().any(|all| all.iter().all(|test| test.holds(&value))))
            }
        }
    }
}

fn terms(text: &str) -> Option<Pattern> {
    let (mut all, mut any, mut none) = (Vec::new(), Vec::new(), Vec::new());
    let mut rest = text;
    while !rest.is_empty() {
        let into = match rest.as_bytes()[0] {
            b'?' => &mut any,
            b'-' => &mut none,
            _ => &mut all,
        };
        let body = rest.strip_prefix(['?', '-']).unwrap_or(rest);
        let (term, after) = if let Some(quoted) = body.strip_prefix('"') {
            quoted.split_once('"')?
        } else {
            body.split_once(char::is_whitespace).unwrap_or((body, ""))
        };
        // Anything but letters, digits and underscores has to be quoted.
        let bare = !body.starts_with('"');
        if term.is_empty() || bare && !term.chars().all(|c| c.is_alphanumeric() || c == '_') {
            return None;
        }
        into.push(term.to_owned());
        rest = after.trim_start();
    }
    Some(Pattern::Terms { all, any, none })
}

fn test(text: &str) -> Option<Test> {
    let text = text.trim();
    let text = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')).unwrap_or(text).trim();
    let path = |name: &str| {
        let parts: Vec<String> = name.trim().strip_prefix("$.")?.split('.').map(str::to_owned).collect();
        parts.iter().all(|part| !part.is_empty() && !part.contains(char::is_whitespace)).then_some(parts)
    };
    if let Some(name) = text.strip_suffix("EXISTS").map(str::trim) {
        return Some(Test { path: path(name)?, compare: Compare::Exists, value: String::new() });
    }
    let (name, compare, value) =
        COMPARISONS.iter().find_map(|(sign, compare)| text.split_once(sign).map(|(name, value)| (name, *compare, value.trim())))?;
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    (!value.is_empty()).then_some(Test { path: path(name)?, compare, value: value.to_owned() })
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        let Some(found) = self.path.iter().try_fold(value, |value, part| value.get(part)) else {
            return false;
        };
        let text = match found {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let order = || found.as_f64().and_then(|found| found.partial_cmp(&self.value.parse::<f64>().ok()?));
        match self.compare {
            Compare::Exists => true,
            Compare::Equal => wild(&self.value, &text),
            Compare::Unequal => !wild(&self.value, &text),
            Compare::Less => order().is_some_and(std::cmp::Ordering::is_lt),
            Compare::AtMost => order().is_some_and(std::cmp::Ordering::is_le),
            Compare::Greater => order().is_some_and(std::cmp::Ordering::is_gt),
            Compare::AtLeast => order().is_some_and(std::cmp::Ordering::is_ge),
        }
    }
}

/// `*` stands for anything, at either end.
fn wild(pattern: &str, text: &str) -> bool {
    match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
        (Some(_), Some(_)) => text.contains(pattern.trim_matches('*')),
        (Some(end), None) => text.ends_with(end),
        (None, Some(start)) => text.starts_with(start),
        (None, None) => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    fn matches(pattern: &str, message: &str) -> bool {
        parse(pattern).unwrap().matches(message)
    }

    #[test]
    fn terms_are_all_any_or_none_and_mind_their_case() {
        assert!(matches("", "anything"));
        assert!(matches("ERROR timeout", "ERROR: a timeout"));
        assert!(!matches("ERROR timeout", "ERROR: refused"));
        assert!(!matches("error", "ERROR"));
        assert!(matches("?WARN ?ERROR", "a WARN line"));
        assert!(!matches("ERROR -health", "ERROR in health check"));
        assert!(matches("\"GET /health\"", "1 GET /health 200"));
        assert!(matches("%5\\d\\d%", "status 503"));
    }

    #[test]
    fn json_selectors_compare_texts_and_numbers() {
        let line = r#"{"level":"error","status":503,"http":{"path":"/api/cart"}}"#;
        assert!(matches("{ $.level = \"error\" }", line));
        assert!(matches("{ $.status >= 500 && $.http.path = \"/api/*\" }", line));
        assert!(matches("{ ($.status = 200) || ($.level = error) }", line));
        assert!(!matches("{ $.status < 500 }", line));
        assert!(!matches("{ $.gone = 1 }", line));
        assert!(!matches("{ $.level = \"error\" }", "not json"));
    }

    #[test]
    fn wrong_syntax_is_not_understood() {
        for text in ["{ $.level = ", "[ip, user]", "\"open", "a.b", "{ level = 1 }", "%(%"] {
            assert!(parse(text).is_none(), "{text}");
        }
    }
}
