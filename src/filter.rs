//! What an operator types to keep some rows: words found fuzzily, `re:regex`, `!not`, `column:value`, `age<10m`. All of them must hold.
//!
//! | Term | Keeps the rows where |
//! |---|---|
//! | `chkt` | the letters follow each other closely enough; a capital makes case count |
//! | `"two words"` | the text stands, blanks and all |
//! | `re:^pay` | the regular expression finds something |
//! | `image:3f9` | the column's text holds the value; `image:re:…` and `image:"…"` work too |
//! | `status=RUNNING` | the column's text is the value |
//! | `age<10m`, `cpu>=80` | the column's amount compares so |
//! | `!term` | the term does not hold |
//!
//! Wraps fuzzy-matcher for the whole program. Knows columns by name only.

mod parse;

pub use parse::typed;

use fuzzy_matcher::FuzzyMatcher;
use fuzzy_matcher::skim::SkimMatcherV2;
use regex::Regex;
use std::sync::LazyLock;

/// The matcher keeps its scratch space per thread, so one serves all.
static MATCHER: LazyLock<SkimMatcherV2> = LazyLock::new(SkimMatcherV2::default);

/// Points per letter below which a fuzzy match is an accident. A run of letters earns 20 each, a gap costs 3 and 1 more for each letter skipped.
const LEAST_PER_LETTER: i64 = 18;

/// Stretches of a text that are looked at before it is given up.
const WINDOWS: usize = 16;

/// Points by which an estimate may be wrong: what one word's beginning is worth.
const DOUBT: i64 = 8;

/// A filter, read once and asked of every row.
#[derive(Clone, Debug, Default)]
pub struct Query {
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Clone, Debug)]
enum Test {
    Fuzzy(Word),
    Text(Finder),
    Column(String, Finder),
    Equals(String, String),
    Compares(String, Comparison, f64),
}

#[derive(Clone, Debug)]
enum Finder {
    Word(Word),
    Regex(Regex),
}

/// A word and whether its case counts, which it does when it has a capital.
#[derive(Clone, Debug)]
struct Word {
    text: String,
    exact: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Comparison {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

impl Query {
    /// Reads a filter. `columns` are the names that a term may use; case, blanks and signs in them do not count, and a beginning is enough.
    /// A term that is still being typed holds for every row.
    ///
    /// # Errors
    /// One line for the prompt: what cannot be read, and what would be right.
    pub fn parse(text: &str, columns: &[&str]) -> Result<Query, String> {
        Query::parse_in(text, columns, columns)
    }

    /// The same where some of the columns are not on show: those that are `offered` are named when a name is wrong.
    ///
    /// # Errors
    /// As [`Query::parse`].
    pub fn parse_in(text: &str, columns: &[&str], offered: &[&str]) -> Result<Query, String> {
        parse::terms(text, columns, offered).map(|terms| Query { terms })
    }

    /// Whether every row is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a row is kept. `text` is what words are looked for in; `cell` gives a column's text.
    #[must_use]
    pub fn matches(&self, text: &str, cell: &dyn Fn(&str) -> Option<String>) -> bool {
        self.terms.iter().all(|term| term.test.holds(text, cell) != term.negated)
    }

    /// How well a text fits, for a list with the best first; `None` when it does not. Here a loose match counts, because it ends up last.
    #[must_use]
    pub fn score(&self, text: &str) -> Option<i64> {
        self.terms.iter().try_fold(0, |total, term| {
            let score = match &term.test {
                Test::Fuzzy(word) => word.score(text),
                other => other.holds(text, &|_| None).then_some(0),
            };
            match (score, term.negated) {
                (Some(score), false) => Some(total + score),
                (None, true) => Some(total),
                (Some(_), true) | (None, false) => None,
            }
        })
    }
}

impl Test {
    fn holds(&self, text: &str, cell: &dyn Fn(&str) -> Option<String>) -> bool {
        match self {
            Test::Fuzzy(word) => word.resembles(text),
            Test::Text(finder) => finder.finds(text),
            Test::Column(name, finder) => cell(name).is_some_and(|cell| finder.finds(&cell)),
            Test::Equals(name, value) => cell(name).is_some_and(|cell| cell.trim().to_lowercase() == *value),
            Test::Compares(name, comparison, wanted) => {
                cell(name).and_then(|cell| crate::duration::amount(&cell)).is_some_and(|amount| comparison.holds(amount, *wanted))
            }
        }
    }
}

impl Comparison {
    fn holds(self, amount: f64, wanted: f64) -> bool {
        match self {
            Comparison::Less => amount < wanted,
            Comparison::LessOrEqual => amount <= wanted,
            Comparison::More => amount > wanted,
            Comparison::MoreOrEqual => amount >= wanted,
        }
    }
}

impl Finder {
    fn finds(&self, text: &str) -> bool {
        match self {
            Finder::Word(word) => word.is_in(text),
            Finder::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Word {
    fn new(text: &str) -> Word {
        let exact = text.chars().any(char::is_uppercase);
        Word { text: if exact { text.to_owned() } else { text.to_lowercase() }, exact }
    }

    fn is_in(&self, text: &str) -> bool {
        if self.exact || !text.chars().any(char::is_uppercase) {
            return text.contains(&self.text);
        }
        text.to_lowercase().contains(&self.text)
    }

    /// Whether the word is meant by somebody who types in a hurry.
    fn resembles(&self, text: &str) -> bool {
        let letters = self.text.chars().count();
        let least = i64::try_from(letters).unwrap_or(i64::MAX).saturating_mul(LEAST_PER_LETTER);
        let enough = |part: &str| self.score(part).is_some_and(|score| score >= least);
        if !self.text.is_ascii() || !text.is_ascii() {
            return self.is_in(text) || enough(text);
        }
        // The matcher fills a table of letters by text. That is a microsecond or more a row, so it decides only what is in doubt,
        // and is shown only the stretch that holds the letters.
        let mut from = 0;
        for _ in 0..WINDOWS {
            let Some((start, end)) = self.window(text.as_bytes(), from) else { return false };
            let points = self.estimate(&text.as_bytes()[..end], start);
            let meant = match points - least {
                _ if end - start == letters => true,
                // The letter before tells whether a word begins here.
                doubt if doubt.abs() < DOUBT => enough(&text[start.saturating_sub(1)..end]),
                doubt => doubt > 0,
            };
            if meant {
                return true;
            }
            from = start + 1;
        }
        false
    }

    /// About what the matcher would say of the letters from `start` on, each taken where it comes first.
    fn estimate(&self, text: &[u8], start: usize) -> i64 {
        let begins = |at: usize| at == 0 || !text[at - 1].is_ascii_alphanumeric();
        let mut points = if begins(start) { 30 } else { 16 };
        let mut last = start;
        for wanted in self.text.bytes().skip(1) {
            let Some(gap) = text[last + 1..].iter().position(|byte| self.is_same(*byte, wanted)) else { return 0 };
            last += gap + 1;
            points += match gap {
                0 => 20,
                _ if begins(last) => 20 - i64::try_from(gap).unwrap_or(i64::MAX),
                _ => 13 - i64::try_from(gap).unwrap_or(i64::MAX),
            };
        }
        points
    }

    fn is_same(&self, byte: u8, wanted: u8) -> bool {
        if self.exact { byte == wanted } else { byte.eq_ignore_ascii_case(&wanted) }
    }

    /// The next stretch that holds all letters in their order, without one to spare at its beginning.
    fn window(&self, text: &[u8], from: usize) -> Option<(usize, usize)> {
        let mut end = from;
        for wanted in self.text.bytes() {
            end += text.get(end..)?.iter().position(|byte| self.is_same(*byte, wanted))? + 1;
        }
        let mut start = end;
        for wanted in self.text.bytes().rev() {
            start = text[..start].iter().rposition(|byte| self.is_same(*byte, wanted))?;
        }
        Some((start, end))
    }

    fn score(&self, text: &str) -> Option<i64> {
        MATCHER.fuzzy_match(text, &self.text)
    }
}

#[cfg(test)]
mod tests;
