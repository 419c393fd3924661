//! What a reader sees of a line, for looking something up in it: the row that JSON was made into, and not the JSON.
//!
//! Folded lines count as seen: they are a key away, and a count stands where they are. So do time and level of a plain line, which have
//! columns of their own.

use super::Line;
use super::fields::{Json, rows_of_json};
use super::query::Pattern;

/// Whether a reader sees this in a line.
#[must_use]
pub fn shows(line: &Line, pattern: &Pattern, json: Json) -> bool {
    match in_json(line, pattern, json) {
        Some(shown) => shown || line.level.is_some_and(|level| pattern.matches(level.word())),
        None => pattern.matches(&line.log.text),
    }
}

/// The same of a line that is shown otherwise than it came; nothing where it is shown as it is.
#[must_use]
pub fn in_json(line: &Line, pattern: &Pattern, json: Json) -> Option<bool> {
    let text = &*line.log.text;
    if json == Json::Raw || !text.trim_ascii_start().starts_with('{') {
        return None;
    }
    // To take a line apart costs a microsecond or two: a line without the longest word is not looked at. An escaped letter could be any.
    if !pattern.may_be_in(text) && !text.contains('\\') {
        return Some(false);
    }
    rows_of_json(text, json).map(|rows| rows.iter().any(|row| pattern.matches(&row.text)))
}
