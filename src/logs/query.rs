//! What the operator asks of the lines: terms to keep or leave out, a least level, something to look for.
//!
//! A query judges one line at a time and remembers nothing; [`super::Lens`] sees to it that no line is judged twice.

use super::fields::Json;
use super::{Level, Line, seen};
use memchr::memmem::Finder;
use regex::{Regex, RegexBuilder};
use std::ops::Range;

/// Terms that one filter may have: their verdicts share a word of 32 bits with the search.
const TERMS: usize = 31;

/// Bytes that a compiled expression may take, so that a nested repetition cannot eat the memory.
const COMPILED: usize = 4 << 20;

/// The bit of a line's verdict that stands for the search.
const FOUND: u32 = 1 << 31;

/// What is looked for in a text: plain text, or an expression after `re:`. Capitals make it exact.
#[derive(Clone, Debug)]
pub struct Pattern {
    test: Test,
    /// The longest word of plain text: wherever the whole stands, it stands too, however it is dressed.
    word: Option<Test>,
}

#[derive(Clone, Debug)]
enum Test {
    /// Plain text with capitals.
    Exact(Box<Finder<'static>>),
    /// An expression, or plain text in any case.
    Regex(Regex),
}

impl Test {
    fn plain(source: &str, exact: bool) -> Result<Test, String> {
        if exact {
            return Ok(Test::Exact(Box::new(Finder::new(source).into_owned())));
        }
        Test::expression(&regex::escape(source), exact)
    }

    fn expression(source: &str, exact: bool) -> Result<Test, String> {
        let regex = RegexBuilder::new(source).case_insensitive(!exact).size_limit(COMPILED).build();
        regex.map(Test::Regex).map_err(|error| complaint(&error))
    }

    fn matches(&self, text: &str) -> bool {
        match self {
            Test::Exact(finder) => finder.find(text.as_bytes()).is_some(),
            Test::Regex(regex) => regex.is_match(text),
        }
    }
}

impl Pattern {
    /// Reads what was typed; nothing typed is no pattern.
    ///
    /// # Errors
    /// One line that says what is wrong with the expression.
    pub fn parse(text: &str) -> Result<Option<Pattern>, String> {
        let (expression, source) = match text.strip_prefix("re:") {
            Some(expression) => (true, expression),
            None => (false, text),
        };
        if source.is_empty() {
            return Ok(None);
        }
        let exact = source.chars().any(char::is_uppercase);
        if expression {
            return Ok(Some(Pattern { test: Test::expression(source, exact)?, word: None }));
        }
        let words = source.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
        let word = words.max_by_key(|word| word.len()).map(|word| Test::plain(word, exact)).transpose()?;
        Ok(Some(Pattern { test: Test::plain(source, exact)?, word }))
    }

    /// Whether a text has it.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        self.test.matches(text)
    }

    /// Whether what a text is made into could have it.
    #[must_use]
    pub fn may_be_in(&self, text: &str) -> bool {
        self.word.as_ref().is_none_or(|word| word.matches(text))
    }

    /// Whether it is an expression.
    #[must_use]
    pub fn is_expression(&self) -> bool {
        self.word.is_none() && matches!(self.test, Test::Regex(_))
    }

    /// Where a text has it, as ranges of bytes; empty matches are none.
    #[must_use]
    pub fn ranges(&self, text: &str) -> Vec<Range<usize>> {
        match &self.test {
            Test::Exact(finder) => finder.find_iter(text.as_bytes()).map(|at| at..at + finder.needle().len()).collect(),
            Test::Regex(regex) => regex.find_iter(text).map(|found| found.range()).filter(|range| !range.is_empty()).collect(),
        }
    }
}

/// The one line of a regex error that says what is wrong.
fn complaint(error: &regex::Error) -> String {
    let text = error.to_string();
    let what = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it does not parse");
    format!("not an expression: {}", what.trim().trim_start_matches("error: "))
}

/// One term of a filter.
#[derive(Clone, Debug)]
pub struct Term {
    /// Whether lines with it are left out rather than kept.
    exclude: bool,
    what: What,
}

#[derive(Clone, Debug)]
enum What {
    Text(Pattern),
    /// Beginning of the task's id.
    Task(String),
    /// The container's name.
    Container(String),
}

impl Term {
    /// Reads a filter: terms joined by `&`, each plain text or `re:…`, `task:…`, `container:…`, left out with a leading `!`. `\&` is the character.
    ///
    /// # Errors
    /// One line that says which term is wrong and why.
    pub fn parse_all(text: &str) -> Result<Vec<Term>, String> {
        let mut terms = Vec::new();
        for part in split(text) {
            let part = part.trim();
            let (exclude, part) = part.strip_prefix('!').map_or((false, part), |rest| (true, rest.trim_start()));
            let what = if let Some(id) = part.strip_prefix("task:") {
                What::Task(id.to_owned())
            } else if let Some(name) = part.strip_prefix("container:") {
                What::Container(name.to_owned())
            } else {
                match Pattern::parse(part)? {
                    Some(pattern) => What::Text(pattern),
                    None => continue,
                }
            };
            terms.push(Term { exclude, what });
        }
        if terms.len() > TERMS { Err(format!("at most {TERMS} terms")) } else { Ok(terms) }
    }

    fn matches(&self, line: &Line, json: Json) -> bool {
        match &self.what {
            // What stands on the screen is what is typed from it; an expression is for lines as they came.
            What::Text(pattern) => {
                pattern.matches(&line.log.text) || (!pattern.is_expression() && seen::in_json(line, pattern, json) == Some(true))
            }
            What::Task(id) => line.log.source.task.name().starts_with(id.as_str()),
            What::Container(name) => &*line.log.source.container == name.as_str(),
        }
    }
}

/// Parts between `&` that are not escaped.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.peek() == Some(&'&') => parts.last_mut().expect("there is always a part").extend(chars.next()),
            '&' => parts.push(String::new()),
            c => parts.last_mut().expect("there is always a part").push(c),
        }
    }
    parts
}

/// Everything that is asked of the lines at one time.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Terms that must all agree.
    pub terms: Vec<Term>,
    /// Least level; a line that names none counts as INFO.
    pub level: Option<Level>,
    /// What to find among the lines that are kept.
    pub search: Option<Pattern>,
    /// How JSON is shown: a search is for what is seen.
    pub json: Json,
}

impl Query {
    /// What one line has: a bit for each term, and one for the search. The verdicts of a stack trace's lines are joined by `|`.
    #[must_use]
    pub fn verdict(&self, line: &Line) -> u32 {
        let terms = self.terms.iter().enumerate().filter(|(_, term)| term.matches(line, self.json)).fold(0, |bits, (at, _)| bits | 1 << at);
        let found = self.search.as_ref().is_some_and(|search| seen::shows(line, search, self.json));
        terms | if found { FOUND } else { 0 }
    }

    /// Whether a line with this verdict and level is kept.
    #[must_use]
    pub fn keeps(&self, verdict: u32, level: Option<Level>) -> bool {
        self.level.is_none_or(|least| level.unwrap_or(Level::Info) >= least)
            && self.terms.iter().enumerate().all(|(at, term)| (verdict & 1 << at != 0) != term.exclude)
    }

    /// Whether a verdict says that the search was found.
    #[must_use]
    pub fn finds(verdict: u32) -> bool {
        verdict & FOUND != 0
    }

    /// Whether every line is kept.
    #[must_use]
    pub fn keeps_all(&self) -> bool {
        self.terms.is_empty() && self.level.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found(pattern: &str, text: &str) -> bool {
        Pattern::parse(pattern).expect("a good pattern").is_some_and(|pattern| pattern.matches(text))
    }

    #[test]
    fn small_letters_match_any_case_and_capitals_only_themselves() {
        assert!(found("outofmemory", "OutOfMemoryError") && found("OutOfMemory", "OutOfMemoryError"));
        assert!(!found("OutofMemory", "OutOfMemoryError"));
        assert!(found("straße", "STRASSE straße") && found("é", "É"));
    }

    #[test]
    fn plain_text_is_no_expression_and_re_makes_it_one() {
        assert!(found("a.b", "a.b") && !found("a.b", "axb") && found("re:a.b", "axb"));
        assert!(found(r"re:5\d\d$", "status 503"));
    }

    #[test]
    fn a_wrong_expression_is_one_line_that_says_why() {
        let error = Pattern::parse("re:(").expect_err("an open bracket");
        assert_eq!(error, "not an expression: unclosed group");
        assert!(!Term::parse_all("x & re:[").expect_err("an open class").contains('\n'));
    }

    #[test]
    fn terms_are_joined_by_and_and_left_out_by_a_mark() {
        let terms = Term::parse_all(r"timeout & !healthz & !task:9f & a\&b &").expect("good terms");
        assert_eq!(terms.iter().map(|term| term.exclude).collect::<Vec<_>>(), [false, true, true, false]);
        let query = Query { terms, ..Query::default() };
        assert!(query.keeps(0b1001, None));
        assert!(!query.keeps(0b1011, None) && !query.keeps(0b0001, None) && !query.keeps(0b1101, None));
    }

    #[test]
    fn a_least_level_hides_what_is_below_and_takes_the_unknown_for_info() {
        let query = Query { level: Some(Level::Warn), ..Query::default() };
        assert!(query.keeps(0, Some(Level::Error)) && !query.keeps(0, Some(Level::Info)) && !query.keeps(0, None));
    }

    proptest! {
        #[test]
        fn no_input_panics_and_no_range_splits_a_character(pattern in ".{0,12}", text in any::<String>()) {
            for pattern in [pattern.clone(), format!("re:{pattern}")] {
                if let Ok(Some(pattern)) = Pattern::parse(&pattern) {
                    let ranges = pattern.ranges(&text);
                    prop_assert!(ranges.iter().all(|range| text.get(range.clone()).is_some_and(|found| !found.is_empty())));
                    if !ranges.is_empty() { prop_assert!(pattern.matches(&text)); }
                }
            }
            drop(Term::parse_all(&pattern));
        }

        #[test]
        fn a_text_finds_itself(text in "[^&!\\\\]{1,20}") {
            prop_assume!(!text.starts_with("re:"));
            let around = format!("before {text} after");
            prop_assert!(found(&text, &around));
        }
    }
}
