//! The names that a text carries, read with the table of `patterns`, and what it says behind its usual beginnings.
//!
//! Knows no rule. What is no name of something (request ids, accounts) is not read.

use super::patterns::{KINDS, Kind, spelled};
use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Hir, HirKind};
use std::sync::{LazyLock, OnceLock};

/// One expression of the table. It is compiled when a text first holds what it cannot match without: a run meets few of them, and to compile
/// takes far longer than to search.
struct Way {
    kind: &'static Kind,
    expression: String,
    /// In lower case; one of them stands in every text that matches. Empty where nothing must.
    needed: Vec<String>,
    compiled: OnceLock<Regex>,
}

impl Way {
    fn new(kind: &'static Kind, way: &str) -> Way {
        let expression = spelled(way);
        let parsed = ParserBuilder::new().unicode(false).utf8(false).build().parse(&expression);
        let parsed = parsed.expect("every expression is parsed by the tests");
        let needed = needed(&parsed).unwrap_or_default().into_iter().map(|literal| literal.to_ascii_lowercase()).collect();
        Way { kind, expression, needed, compiled: OnceLock::new() }
    }

    /// Whether it could match a text, given in lower case.
    fn may_match(&self, lower: &str) -> bool {
        self.needed.is_empty() || self.needed.iter().any(|literal| lower.contains(literal.as_str()))
    }

    /// One by one, for as a `RegexSet` they take ten times as long: its automaton outgrows its cache on every text.
    fn regex(&self) -> &Regex {
        self.compiled.get_or_init(|| compiled(&self.expression))
    }
}

/// The expressions in the order of the table.
static WAYS: LazyLock<Vec<Way>> =
    LazyLock::new(|| KINDS.iter().flat_map(|kind| kind.ways.iter().map(move |way| Way::new(kind, way))).collect());

/// Literals of which one stands in whatever matches; of several such sets the one whose shortest is longest.
fn needed(hir: &Hir) -> Option<Vec<String>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![str::from_utf8(&literal.0).ok()?.to_owned()]),
        HirKind::Capture(capture) => needed(&capture.sub),
        HirKind::Repetition(repeated) if repeated.min > 0 => needed(&repeated.sub),
        HirKind::Concat(parts) => parts.iter().filter_map(needed).max_by_key(|any| any.iter().map(String::len).min()),
        HirKind::Alternation(ways) => Some(ways.iter().map(needed).collect::<Option<Vec<_>>>()?.concat()),
        _ => None,
    }
}

/// An expression over bytes: AWS's names hold ASCII alone, and Unicode's classes and cases take most of the time and memory of compiling.
fn compiled(expression: &str) -> Regex {
    let built = RegexBuilder::new(expression).case_insensitive(true).unicode(false).build();
    built.expect("every expression is compiled by the tests")
}

/// How many names that a sentence leaves out are listed behind it.
const LISTED: usize = 5;

/// Names that are in nearly every text and told elsewhere, so never listed.
const SILENT: &[&str] =
    &["detail", "protected", "why", "service", "task", "deployment", "backto", "tasks", "targets", "answer", "desired", "spread"];

/// Beginnings that AWS puts before what went wrong, peeled off one after the other.
const PREFIXES: &[&str] = &[
    r"STOPPED \(",
    r"\w+(?:Error|Exception)\b:?",
    r"(?:TaskFailedToStart|EssentialContainerExited|ServiceSchedulerInitiated):",
    r"(?:\(service [^)]*\)|service \S+) (?:was unable to place a task\. Reason:|failed to launch a task with \(error)",
    r"(?:\(service [^)]*\)|service [\w-]+ )(?: ?\((?:deployment|task) [^)]*\))*",
    r"(?:docker: )?Error response from daemon:",
    r"API error(?: \(\d+\))?:",
    r"unable to pull secrets or registry auth:",
    r"execution resource retrieval failed:",
    r"(?:\w+ ){0,3}(?:has|have) been retried \d+ times?(?:\(s\))?:",
    r"failed to invoke EFS utils commands to set up EFS volumes:",
    r"failed to validate logger args:",
    r"resource cannot be initialized for task \S+:",
    r"failed to create task for container:",
    r"failed to create new container runtime task:",
    r"failed to create shim task:",
    r"OCI runtime create failed:",
    r"runc create failed:",
    r"(?:container|process)_linux\.go:\d+:",
    r"(?:starting container process|container init) caused:?",
    r"unable to start container process:",
    r"error during container init:",
    r"error running (?:\w+ )?hook(?: #\d+)?:",
    r"exit status \d+, stdout: [^,]*,",
    r"stderr:",
];

static PREFIX: LazyLock<Regex> = LazyLock::new(|| compiled(&format!(r"^(?:{})\s*", PREFIXES.join("|"))));

/// Longest quotation of a text, in characters, and how many of them are its beginning: what went wrong last stands at the end.
const QUOTED: (usize, usize) = (240, 100);

/// What a text says behind its usual beginnings, cut in the middle where it gets long.
fn detail(text: &str) -> String {
    let mut rest = text.trim();
    while let Some(found) = PREFIX.find(rest.as_bytes()).filter(|found| found.end() > 0 && found.end() < rest.len()) {
        let Some(behind) = rest.get(found.end()..) else { break };
        rest = behind.trim_start();
    }
    let rest = rest.split_once(" For more information").map_or(rest, |(told, _)| told).trim_end_matches(['.', ' ']);
    let (longest, head) = QUOTED;
    let chars: Vec<char> = rest.chars().collect();
    if chars.len() <= longest {
        return rest.to_owned();
    }
    let tail: String = chars[chars.len() - (longest - head)..].iter().collect();
    let head: String = chars[..head].iter().collect();
    let head = head.rsplit_once(' ').map_or(&*head, |(whole, _)| whole);
    let tail = tail.split_once(' ').map_or(&*tail, |(_, whole)| whole);
    format!("{head} … {tail}")
}

/// The names of one text.
#[derive(Default)]
pub(super) struct Names(Vec<(&'static str, &'static str, String)>);

impl Names {
    /// Reads them.
    pub fn of(text: &str) -> Names {
        let mut found: Vec<(&'static str, &'static str, String)> = Vec::new();
        let lower = text.to_ascii_lowercase();
        for way in WAYS.iter() {
            let kind = way.kind;
            if found.iter().any(|(name, ..)| *name == kind.name) || !way.may_match(&lower) {
                continue;
            }
            if let Some(captures) = way.regex().captures(text.as_bytes()) {
                let part = |n: usize| captures.get(n).and_then(|part| str::from_utf8(part.as_bytes()).ok()).unwrap_or("");
                let value = match (part(2), part(3)) {
                    ("", _) => part(1).to_owned(),
                    (name, "") => format!("{}/{name}", part(1)),
                    (name, tag) => format!("{}/{name}{}{tag}", part(1), if tag.starts_with("sha256:") { '@' } else { ':' }),
                };
                let value = value.trim_end_matches(['.', ',', ':', ';', '\'', '"']);
                // Where the registry's interface begins is no image.
                let door = kind.name == "image" && value.trim_end_matches('/').ends_with("/v2");
                if !value.is_empty() && !door {
                    found.push((kind.name, kind.label, value.to_owned()));
                }
            }
        }
        let detail = detail(text);
        if !detail.is_empty() {
            found.push(("detail", "", detail));
        }
        Names(found)
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(own, ..)| *own == name).map(|(.., value)| value.as_str())
    }

    /// Those that a sentence does not hold yet, each after its label.
    pub fn unmentioned(&self, says: &str) -> Vec<String> {
        let mut told = says.to_owned();
        let mut left = Vec::new();
        for (name, label, value) in &self.0 {
            if left.len() < LISTED && !SILENT.contains(name) && !told.contains(value.as_str()) {
                told.push_str(value);
                left.push(format!("{label} {value}"));
            }
        }
        left
    }
}

/// Whether there is such a name.
#[cfg(test)]
pub(super) fn known(name: &str) -> bool {
    name == "detail" || KINDS.iter().any(|kind| kind.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The texts of `tests/causes`.
    fn texts() -> Vec<String> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causes");
        let read = |file: std::fs::DirEntry| -> toml::Table { toml::from_str(&std::fs::read_to_string(file.path()).unwrap()).unwrap() };
        let tables = std::fs::read_dir(folder).unwrap().map(|file| read(file.unwrap()));
        let texts = tables.flat_map(|table| table["text"].as_array().unwrap().clone());
        texts.map(|case| case["text"].as_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn no_expression_is_passed_over_that_would_match() {
        let (mut matched, mut passed) = (0, 0);
        for text in texts() {
            let lower = text.to_ascii_lowercase();
            for way in WAYS.iter() {
                let may = way.may_match(&lower);
                assert!(may || !way.regex().is_match(text.as_bytes()), "{} in {text}", way.expression);
                matched += usize::from(may);
                passed += usize::from(!may);
            }
        }
        assert!(matched > 0 && passed > 5 * matched, "{matched} tried, {passed} passed over");
    }

    #[test]
    fn what_a_match_needs_is_told_by_the_expression() {
        let told = |expression: &str| needed(&regex_syntax::parse(expression).unwrap());
        assert_eq!(told("a+bcd?"), Some(vec!["bc".to_owned()]));
        assert_eq!(told("(one|two):"), Some(vec!["one".to_owned(), "two".to_owned()]));
        assert_eq!(told("(one|two)?: x"), Some(vec![": x".to_owned()]));
        assert_eq!((told("[a-z]+"), told("(?:ab)*"), told("a|[0-9]")), (None, None, None));
    }
}
