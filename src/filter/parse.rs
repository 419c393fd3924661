//! The grammar of filters.

use super::{Comparison, Finder, Term, Test, Word};
use crate::{duration, nearest};
use regex::RegexBuilder;

/// Longest first, so that `<=` is not read as `<`.
const COMPARISONS: &[(&str, Comparison)] =
    &[("<=", Comparison::LessOrEqual), (">=", Comparison::MoreOrEqual), ("<", Comparison::Less), (">", Comparison::More)];

/// Bytes that a compiled expression may take: a filter typed by hand is far below.
const REGEX_SIZE: usize = 1 << 20;

pub(super) fn terms(text: &str, columns: &[&str], offered: &[&str]) -> Result<Vec<Term>, String> {
    let mut terms = Vec::new();
    for word in words(text) {
        let (negated, word) = match word.strip_prefix('!') {
            Some(rest) => (true, rest),
            None => (false, word.as_str()),
        };
        if let Some(test) = test(word, columns, offered)? {
            terms.push(Term { negated, test });
        }
    }
    Ok(terms)
}

/// Cuts at blanks that are not inside quotes. The quotes stay, because they say that a text is meant as it stands.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                word.push(c);
            }
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn test(word: &str, columns: &[&str], offered: &[&str]) -> Result<Option<Test>, String> {
    if word.is_empty() {
        return Ok(None);
    }
    if word.starts_with('"') || word.starts_with("re:") {
        return Ok(finder(word)?.map(Test::Text));
    }
    if let Some((name, sign, value)) = split(word) {
        match column(name, columns) {
            Some(column) => return on_column(column, sign, value),
            // An address or an ARN has colons too, so only a slip near a real name is worth an error.
            None if sign != ":" || nearest::nearest(name, offered.iter().copied()).is_some() => {
                return Err(unknown(name, offered));
            }
            None => {}
        }
    }
    Ok(Some(Test::Fuzzy(Word::new(word))))
}

/// A name, a sign and what follows, where a name is letters, digits, `-` and `_`.
fn split(word: &str) -> Option<(&str, &str, &str)> {
    let end = word.find(|c: char| !c.is_alphanumeric() && c != '-' && c != '_')?;
    let (name, rest) = word.split_at(end);
    let signs = COMPARISONS.iter().map(|(sign, _)| *sign).chain(["=", ":"]);
    let sign = signs.into_iter().find(|sign| rest.starts_with(sign))?;
    (!name.is_empty()).then(|| (name, sign, &rest[sign.len()..]))
}

fn on_column(column: &str, sign: &str, value: &str) -> Result<Option<Test>, String> {
    let name = column.to_owned();
    if value.is_empty() {
        return Ok(None);
    }
    if let Some((_, comparison)) = COMPARISONS.iter().find(|(known, _)| *known == sign) {
        let amount = duration::amount(value).ok_or_else(|| format!("{column}{sign} wants a number or a time, such as 80, 10m or 2d"))?;
        return Ok(Some(Test::Compares(name, *comparison, amount)));
    }
    if sign == "=" {
        return Ok(Some(Test::Equals(name, value.trim_matches('"').to_lowercase())));
    }
    Ok(finder(value)?.map(|finder| Test::Column(name, finder)))
}

fn finder(word: &str) -> Result<Option<Finder>, String> {
    let Some(pattern) = word.strip_prefix("re:") else {
        let text = word.trim_matches('"');
        return Ok((!text.is_empty()).then(|| Finder::Word(Word::new(text))));
    };
    let pattern = pattern.strip_prefix('"').map_or(pattern, |rest| rest.strip_suffix('"').unwrap_or(rest));
    if pattern.is_empty() {
        return Ok(None);
    }
    let exact = pattern.chars().any(char::is_uppercase);
    let regex = RegexBuilder::new(pattern).case_insensitive(!exact).size_limit(REGEX_SIZE).build();
    regex.map(|regex| Some(Finder::Regex(regex))).map_err(|error| {
        // The crate draws the place over several lines and says what is wrong in the last one.
        let error = error.to_string();
        let what = error.lines().last().unwrap_or_default().trim_start_matches("error: ");
        format!("not a regular expression: {what}")
    })
}

/// The column that a name means: the same letters, or else the first that begins so.
fn column<'c>(name: &str, columns: &[&'c str]) -> Option<&'c str> {
    let wanted = letters(name);
    let same = columns.iter().find(|column| letters(column) == wanted);
    same.or_else(|| columns.iter().find(|column| wanted.len() > 1 && letters(column).starts_with(&wanted))).copied()
}

fn letters(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A column as a filter names it: its first word, in small letters.
#[must_use]
pub fn typed(column: &str) -> String {
    column.chars().take_while(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn unknown(name: &str, columns: &[&str]) -> String {
    let typed: Vec<String> = columns.iter().map(|column| typed(column)).collect();
    format!("no column \"{name}\"{}", nearest::hint(name, typed.iter().map(String::as_str)))
}
