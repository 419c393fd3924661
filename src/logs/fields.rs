//! A log line's text as it is shown: JSON taken apart into message and fields, a plain line without the time and level that have their
//! own columns, or everything as it came.
//!
//! It knows neither widths nor colours; it says of each piece of text what it is.

use super::Level;
use super::level::is_level_field;
use crate::text::{clean, clean_multiline};
use regex::Regex;
use serde_json::{Map, Value};
use std::sync::LazyLock;

/// Bytes up to which a line is read as JSON; beyond it, it is text.
const JSON_BYTES: usize = 64 << 10;

/// Fields that hold the message, the likeliest first.
const MESSAGE: &[&str] = &["msg", "message", "@m", "@mt", "event", "text", "log", "body"];

/// Fields that repeat the time of the line.
const TIME: &[&str] = &["time", "timestamp", "ts", "@timestamp", "@t", "datetime", "asctime", "date"];

/// Fields that say what went wrong: they come right after the message.
const TROUBLE: &[&str] = &["error", "err", "exception", "reason", "cause"];

/// The time at the start of a plain line, as programs write it.
static STAMP: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^\[?(?:[0-9]{4}[-/][0-9]{2}[-/][0-9]{2}[T ])?[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.,][0-9]{1,9})?(?: ?(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2}))?\]?:?[ |-]*")
        .expect("the expression is a constant")
});

/// A level that stands alone before the text.
static WORD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?:(?:\[[0-9]+\])?\[([A-Za-z]{3,11})\]:?|[<(|]?([A-Za-z]{3,11})[>)|]?:?(?: [|-])? ) *")
        .expect("the expression is a constant")
});

/// What Spring Boot puts between level and logger: process, application, thread.
static SPRING: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[0-9]+ --- (?:\[[^\]]*\] )+").expect("the expression is a constant"));

/// Blanks that align what no longer stands in columns.
static BLANKS: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\b {2,}").expect("the expression is a constant"));

/// A colour sequence whose escape character was made visible.
static ESCAPE: LazyLock<Regex> = LazyLock::new(|| Regex::new("␛\\[[0-9;:?]*[A-Za-z]").expect("the expression is a constant"));

/// How JSON lines are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Json {
    /// Message first, then the fields.
    #[default]
    Columns,
    /// One field per row.
    Pretty,
    /// As they came; plain lines keep their own time and level too.
    Raw,
}

/// What a piece of text is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tint {
    /// The text itself.
    Plain,
    /// A field's name, or what is merely noted.
    Dim,
}

/// A text in pieces.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rich {
    /// The whole.
    pub text: String,
    /// Where each piece ends, and what it is.
    pub pieces: Vec<(usize, Tint)>,
}

impl Rich {
    /// A text of one piece.
    pub fn new(text: &str, tint: Tint) -> Self {
        let mut rich = Rich::default();
        rich.push(text, tint);
        rich
    }

    /// Adds a piece.
    pub fn push(&mut self, text: &str, tint: Tint) {
        if text.is_empty() {
            return;
        }
        self.text.push_str(text);
        match self.pieces.last_mut() {
            Some((end, last)) if *last == tint => *end = self.text.len(),
            _ => self.pieces.push((self.text.len(), tint)),
        }
    }

    /// Adds text from a program; its colour sequences, which were made visible, recede.
    fn push_plain(&mut self, text: &str) {
        let mut from = 0;
        if text.contains('␛') {
            for escape in ESCAPE.find_iter(text) {
                self.push(&text[from..escape.start()], Tint::Plain);
                self.push(escape.as_str(), Tint::Dim);
                from = escape.end();
            }
        }
        self.push(&text[from..], Tint::Plain);
    }

    /// The part between two places.
    pub fn slice(&self, from: usize, to: usize) -> Rich {
        let mut part = Rich::default();
        let mut start = 0;
        for (end, tint) in &self.pieces {
            let (a, b) = (start.max(from), (*end).min(to));
            if a < b {
                part.push(&self.text[a..b], *tint);
            }
            start = *end;
        }
        part
    }
}

/// The one row that stands for a line: its first line of text, or the message and fields of its JSON.
#[must_use]
pub fn summary(text: &str, level: Option<Level>, json: Json) -> Rich {
    let mut out = Rich::default();
    if let Some(object) = object(text).filter(|_| json != Json::Raw) {
        summarise(&object, &mut out);
    } else {
        let first = first_line(text);
        if json == Json::Raw {
            out.push_plain(first);
        } else {
            out.push_plain(&BLANKS.replace_all(bare(first, level), " "));
        }
    }
    out
}

/// The rows that a JSON object is shown as while nobody opens it; nothing of a line that is none.
#[must_use]
pub fn rows_of_json(text: &str, json: Json) -> Option<Vec<Rich>> {
    let object = object(text).filter(|_| json != Json::Raw)?;
    if json == Json::Pretty {
        return Some(whole(text, json));
    }
    let mut row = Rich::default();
    summarise(&object, &mut row);
    Some(vec![row])
}

/// Everything that a line says, row by row: fields by name, or the lines of its text.
#[must_use]
pub fn whole(text: &str, json: Json) -> Vec<Rich> {
    let Some(object) = object(text).filter(|_| json != Json::Raw) else {
        return text.lines().map(plain).collect();
    };
    let room = object.keys().map(|name| crate::text::width(&clean(name))).max().unwrap_or(0).min(20);
    let mut rows = Vec::new();
    for (name, value) in &object {
        let value = clean_multiline(&shown(value));
        let mut lines = value.lines();
        let mut row = Rich::new(&crate::text::pad(&clean(name), room), Tint::Dim);
        row.push("  ", Tint::Dim);
        row.push_plain(lines.next().unwrap_or(""));
        rows.push(row);
        rows.extend(lines.map(|line| {
            let mut row = Rich::new(&" ".repeat(room + 2), Tint::Dim);
            row.push_plain(line);
            row
        }));
    }
    rows
}

/// Whether a line is a JSON object.
#[must_use]
pub fn is_json(text: &str) -> bool {
    object(text).is_some()
}

/// Lines of text in a line of the log: at least one.
#[must_use]
pub fn lines(text: &str) -> usize {
    memchr::memchr_iter(b'\n', text.trim_end_matches('\n').as_bytes()).count() + 1
}

fn plain(line: &str) -> Rich {
    let mut row = Rich::default();
    row.push_plain(line);
    row
}

fn first_line(text: &str) -> &str {
    let end = memchr::memchr(b'\n', text.as_bytes()).unwrap_or(text.len());
    &text[..text.floor_char_boundary(end.min(JSON_BYTES))]
}

fn object(text: &str) -> Option<Map<String, Value>> {
    let text = text.trim_ascii();
    if !text.starts_with('{') || !text.ends_with('}') || text.len() > JSON_BYTES {
        return None;
    }
    serde_json::from_str(text).ok().filter(|object: &Map<String, Value>| !object.is_empty())
}

fn summarise(object: &Map<String, Value>, out: &mut Rich) {
    let message = MESSAGE.iter().find(|name| object.contains_key(**name)).copied();
    if let Some(value) = message.and_then(|name| object.get(name)) {
        out.push_plain(&clean(&shown(value)));
    }
    let aside = |name: &str| Some(name) == message || TIME.contains(&name) || is_level_field(name);
    let (trouble, rest): (Vec<_>, Vec<_>) =
        object.iter().filter(|(name, _)| !aside(name)).partition(|(name, _)| TROUBLE.contains(&name.as_str()));
    for (name, value) in trouble.into_iter().chain(rest) {
        if !out.text.is_empty() {
            out.push(" ", Tint::Plain);
        }
        out.push(&clean(name), Tint::Dim);
        out.push("=", Tint::Dim);
        out.push_plain(&clean(&shown(value)));
    }
}

/// A value without the quotes of a string.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A plain line without the time and the level at its start, which have their own columns.
fn bare(text: &str, level: Option<Level>) -> &str {
    let rest = STAMP.find(text).map_or(text, |stamp| &text[stamp.end()..]);
    let word = level.and_then(|level| {
        WORD.captures(rest).filter(|found| found.get(1).or(found.get(2)).and_then(|word| Level::parse(word.as_str())) == Some(level))
    });
    let rest = word.map_or(rest, |found| &rest[found.get(0).map_or(0, |all| all.end())..]);
    let rest = SPRING.find(rest).map_or(rest, |spring| &rest[spring.end()..]);
    if rest.trim().is_empty() { text } else { rest }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn summary_of(text: &str) -> String {
        summary(text, Level::of(text), Json::Columns).text
    }

    #[test]
    fn a_json_line_shows_its_message_then_what_went_wrong_then_its_fields() {
        let line = r#"{"time":"2026-11-21T03:11:38Z","level":"error","order":88213,"msg":"cannot pay","error":"timeout","ctx":{"a":1}}"#;
        assert_eq!(summary_of(line), r#"cannot pay error=timeout order=88213 ctx={"a":1}"#);
        assert_eq!(summary(line, None, Json::Raw).text, line);
    }

    #[test]
    fn a_plain_line_does_not_repeat_the_columns_before_it() {
        for (line, shown) in [
            ("2026-11-21T03:11:38.020Z INFO request completed", "request completed"),
            ("2026-11-21 03:11:38,020 [main] WARN  c.a.Basket - slow", "[main] WARN c.a.Basket - slow"),
            ("[2026-11-21 03:11:38 +0000] [INFO] Booting worker", "Booting worker"),
            ("2026/11/21 03:11:38 [error] 31#31: *1 connect() failed", "31#31: *1 connect() failed"),
            ("WARN: disk", "disk"),
            ("[2026-11-21 09:52:18.133][1][error][main] heap usage", "[main] heap usage"),
            ("2026-11-21T09:52:18.896Z ERROR 1 --- [checkout] [           main] c.a.Pay             : no", "c.a.Pay : no"),
            ("took 5  s:  fine", "took 5 s:  fine"),
            ("Information wants to be free", "Information wants to be free"),
            ("2026-11-21T03:11:38Z ", "2026-11-21T03:11:38Z "),
        ] {
            assert_eq!(summary_of(line), shown);
        }
    }

    #[test]
    fn escapes_hidden_in_json_strings_are_shown_and_never_obeyed() {
        let line = r#"{"msg":"a\u001b[31mred\u001b[0m\u202eb","stack":"x\n\ty"}"#;
        assert_eq!(summary_of(line), "a␛[31mred␛[0m\\u{202e}b stack=x␤ y");
        let rows = whole(line, Json::Columns);
        assert_eq!(
            rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(),
            ["msg    a␛[31mred␛[0m\\u{202e}b", "stack  x", "           y"]
        );
    }

    #[test]
    fn colour_sequences_recede() {
        let row = summary("␛[31mred␛[0m text", None, Json::Columns);
        assert_eq!(row.pieces.iter().map(|(_, tint)| *tint).collect::<Vec<_>>(), [Tint::Dim, Tint::Plain, Tint::Dim, Tint::Plain]);
    }

    #[test]
    fn half_a_json_object_is_text() {
        assert_eq!(summary_of(r#"{"msg":"cut"#), r#"{"msg":"cut"#);
        assert!(!is_json("{}") && is_json(r#" {"a":1} "#));
    }

    proptest! {
        #[test]
        fn any_line_has_a_row_of_one_line_whose_pieces_cover_it(text in any::<String>(), json in prop::sample::select(vec![Json::Columns, Json::Pretty, Json::Raw])) {
            let text = clean_multiline(&text);
            let row = summary(&text, Level::of(&text), json);
            prop_assert!(!row.text.contains('\n'));
            prop_assert_eq!(row.pieces.last().map_or(0, |(end, _)| *end), row.text.len());
            prop_assert!(whole(&text, json).len() <= lines(&text).max(1));
        }

        #[test]
        fn text_from_json_is_clean(value in any::<String>()) {
            let line = serde_json::json!({ "msg": value, "k": [value] }).to_string();
            let clean = |text: &str| text.chars().all(|c| !c.is_control());
            prop_assert!(clean(&summary(&line, None, Json::Columns).text));
            prop_assert!(whole(&line, Json::Pretty).iter().all(|row| clean(&row.text)));
        }
    }
}
