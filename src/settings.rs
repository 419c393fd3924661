//! TOML that a user wrote, read so that every complaint points at its place: file, line, column and the nearest right name.
//!
//! Knows the shape of TOML and nothing of what the keys mean.

use crate::nearest;
use std::io::Read;
use std::ops::Range;
use std::path::Path;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What is wrong with a file, and where; one line.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {what}")]
pub struct Error {
    /// The file as the user knows it.
    pub file: String,
    /// From one.
    pub line: usize,
    /// In characters, from one.
    pub column: usize,
    /// What is wrong and what would be right.
    pub what: String,
}

#[derive(Clone, Copy)]
struct Source<'a> {
    file: &'a str,
    text: &'a str,
}

impl Source<'_> {
    fn error(self, span: Range<usize>, what: impl Into<String>) -> Error {
        let before = self.text.get(..span.start).unwrap_or(self.text);
        let line_start = before.rfind('\n').map_or(0, |at| at + 1);
        Error {
            file: self.file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().count() + 1,
            what: what.into(),
        }
    }
}

/// More than anyone writes by hand; stops at a device or a wrong file.
const LARGEST: u64 = 1 << 20;

/// The text of a file that somebody wrote by hand.
///
/// # Errors
/// Those of the system, and what is too large or no text.
pub fn load(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(LARGEST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(std::io::Error::other("larger than 1 MiB, which nobody wrote by hand"));
    }
    String::from_utf8(bytes).map_err(|_| std::io::Error::other("not UTF-8 text"))
}

/// Parses `text` and hands its top table to `read`. `file` is only a name for errors.
///
/// # Errors
/// What the parser or `read` complains about first.
pub fn read<T>(file: &str, text: &str, read: impl FnOnce(Section<'_>) -> Result<T, Error>) -> Result<T, Error> {
    let source = Source { file, text };
    let table = DeTable::parse(text).map_err(|error| {
        let span = error.span().unwrap_or(0..0);
        source.error(span, error.message().lines().collect::<Vec<_>>().join("; "))
    })?;
    let span = table.span();
    read(Section { source, span, table: table.get_ref() })
}

/// A table of the file.
#[derive(Clone)]
pub struct Section<'a> {
    source: Source<'a>,
    span: Range<usize>,
    table: &'a DeTable<'a>,
}

impl<'a> Section<'a> {
    /// Refuses the first key that is not one of `known`.
    ///
    /// # Errors
    /// Names the key and the nearest known one.
    pub fn only(&self, known: &[&str]) -> Result<(), Error> {
        match self.entries().find(|entry| !known.contains(&entry.name)) {
            Some(entry) => Err(entry.unknown("key", known.iter().copied())),
            None => Ok(()),
        }
    }

    /// The entry of that key.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Entry<'a>> {
        self.entries().find(|entry| entry.name == name)
    }

    /// All entries, in the order of the file.
    pub fn entries(&self) -> impl Iterator<Item = Entry<'a>> + use<'a> {
        let source = self.source;
        let mut entries: Vec<Entry<'a>> =
            self.table.iter().map(|(key, value)| Entry { source, name: key.get_ref(), key: key.span(), value }).collect();
        entries.sort_by_key(|entry| entry.key.start);
        entries.into_iter()
    }

    /// A complaint about the table as a whole.
    #[must_use]
    pub fn error(&self, what: impl Into<String>) -> Error {
        self.source.error(self.span.clone(), what)
    }
}

/// A key with its value, or one element of a list.
#[derive(Clone)]
pub struct Entry<'a> {
    source: Source<'a>,
    /// The key; for an element, the key of its list.
    pub name: &'a str,
    key: Range<usize>,
    value: &'a Spanned<DeValue<'a>>,
}

impl<'a> Entry<'a> {
    /// A string.
    ///
    /// # Errors
    /// When it is something else.
    pub fn string(&self) -> Result<&'a str, Error> {
        match self.value.get_ref() {
            DeValue::String(text) => Ok(text),
            _ => Err(self.wants("a string in quotes")),
        }
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// When it is something else.
    pub fn boolean(&self) -> Result<bool, Error> {
        self.value.get_ref().as_bool().ok_or_else(|| self.wants("true or false"))
    }

    /// A whole number within `range`.
    ///
    /// # Errors
    /// When it is something else, or outside.
    pub fn number(&self, range: std::ops::RangeInclusive<u64>) -> Result<u64, Error> {
        let number = self.value.get_ref().as_integer().and_then(|n| u64::from_str_radix(n.as_str(), n.radix()).ok());
        match number {
            Some(number) if range.contains(&number) => Ok(number),
            _ if self.value.get_ref().is_integer() => {
                Err(self.error(format!("{} wants a whole number from {} to {}", self.name, range.start(), range.end())))
            }
            _ => Err(self.wants("a whole number")),
        }
    }

    /// The elements of a list; something that is not a list is a list of one.
    #[must_use]
    pub fn elements(&self) -> Vec<Entry<'a>> {
        match self.value.get_ref() {
            DeValue::Array(array) => {
                array.iter().map(|value| Entry { source: self.source, name: self.name, key: value.span(), value }).collect()
            }
            _ => vec![self.clone()],
        }
    }

    /// A table.
    ///
    /// # Errors
    /// When it is something else.
    pub fn section(&self) -> Result<Section<'a>, Error> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(Section { source: self.source, span: self.value.span(), table }),
            _ => Err(self.wants("a table")),
        }
    }

    /// Whether the value is a string, for keys that have a short and a long form.
    #[must_use]
    pub fn is_string(&self) -> bool {
        self.value.get_ref().is_str()
    }

    /// A complaint about the value.
    #[must_use]
    pub fn error(&self, what: impl Into<String>) -> Error {
        self.source.error(self.value.span(), what)
    }

    /// A complaint about the key, which is not one of the `known`.
    #[must_use]
    pub fn unknown<'k>(&self, what: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Error {
        self.source.error(self.key.clone(), format!("unknown {what} \"{}\"{}", shown(self.name), nearest::hint(self.name, known)))
    }

    /// A complaint about the value, which is not one of the `known`.
    #[must_use]
    pub fn unknown_value<'k>(&self, what: &str, known: impl IntoIterator<Item = &'k str> + Clone) -> Error {
        let value = self.value.get_ref().as_str().unwrap_or_default();
        self.error(format!("unknown {what} \"{}\"{}", shown(value), nearest::hint(value, known)))
    }

    fn wants(&self, what: &str) -> Error {
        self.error(format!("{} wants {what}, not {}", shown(self.name), article(self.value.get_ref().type_str())))
    }
}

/// A word from the file as an error line may show it: short, and nothing that a terminal obeys.
fn shown(text: &str) -> String {
    let mut out: String = text.chars().take(60).flat_map(char::escape_debug).collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'i']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused<T>(text: &str, f: impl FnOnce(Section<'_>) -> Result<T, Error>) -> String {
        read("config.toml", text, f).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
    }

    #[test]
    fn an_unknown_key_is_named_with_its_place_and_the_nearest_right_one() {
        assert_eq!(
            refused("mouse = true\n  theem = \"x\"\n", |top| top.only(&["theme", "mouse"])),
            "config.toml:2:3: unknown key \"theem\": did you mean \"theme\"?"
        );
    }

    #[test]
    fn the_first_mistake_in_the_file_is_the_one_named() {
        assert_eq!(refused("zz = 1\naa = 2\n", |top| top.only(&["theme"])), "config.toml:1:1: unknown key \"zz\"; known are theme");
    }

    #[test]
    fn a_value_of_the_wrong_kind_is_named_with_its_place() {
        let boolean = |top: Section<'_>| top.get("mouse").map_or(Ok(true), |entry| entry.boolean());
        assert_eq!(refused("mouse = \"on\"", boolean), "config.toml:1:9: mouse wants true or false, not a string");
        let number = |top: Section<'_>| top.get("n").map_or(Ok(0), |entry| entry.number(1..=9));
        assert_eq!(refused("n = 12", number), "config.toml:1:5: n wants a whole number from 1 to 9");
    }

    #[test]
    fn broken_toml_is_one_line_with_its_place() {
        let error = refused("theme = \"a\nmouse = true\n", |_| Ok(()));
        assert!(error.starts_with("config.toml:1:") && !error.contains('\n'), "{error}");
    }

    #[test]
    fn a_hostile_key_is_shown_escaped_and_short() {
        let text = format!("\"\\u001b[31m{}\" = 1", "x".repeat(100_000));
        let error = refused(&text, |top| top.only(&["theme"]));
        assert!(error.len() < 200 && !error.contains('\u{1b}'), "{error}");
    }
}
