//! What a rule of the table is, how it fits a text, and how its sentences are filled with the names found there. What to check may be told
//! more closely by a table of its own.
//!
//! Knows no rule and no name of its own.

use super::names::Names;
use super::plain::plain;
use super::rules;
use super::{Cause, Confidence, one_line};
use aho_corasick::AhoCorasick;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Where texts stand, as bits: a rule may hold for several.
pub(super) type Field = u8;
/// A task's `stoppedReason`, or the reason of a `failures[]` of `RunTask`.
pub(super) const REASON: Field = 1;
/// A container's `reason`.
pub(super) const CONTAINER: Field = 2;
/// A service event, or the reason of a deployment's state.
pub(super) const EVENT: Field = 4;
/// A target's reason code or description.
pub(super) const TARGET: Field = 8;

/// A row of the table: what texts it is about, what they mean, and the sentences to say.
pub(super) struct Rule {
    /// Fields whose texts it reads.
    pub on: Field,
    /// Fragments in lower case; one behind `=` is the whole text, one behind `^` its beginning. Of each group one must occur.
    pub all: &'static [&'static [&'static str]],
    /// Fragments that must not occur.
    pub none: &'static [&'static str],
    pub cause: Cause,
    pub sure: Confidence,
    /// One sentence. `{name}` is filled from the text; a part in `[…]` is left out unless all its names were found.
    pub says: &'static str,
    /// What to look at; filled in the same way.
    pub next: &'static str,
}

/// What to check first, where a text names more than its cause: that it was a certificate, a policy, a kind of volume.
pub(super) struct Check {
    /// Causes that it is for.
    pub of: &'static [Cause],
    /// As of a rule.
    pub all: &'static [&'static [&'static str]],
    /// As of a rule.
    pub none: &'static [&'static str],
    /// As of a rule, in whose place it is said.
    pub next: &'static str,
}

impl Rule {
    /// What it says of the text, and what to check. Names that the sentence does not mention follow in brackets.
    pub fn sentences(&self, read: &Read) -> (String, String) {
        let text = one_line(read.told);
        let names = Names::of(&text);
        let says = fill(self.says, &names);
        let left = names.unmentioned(&says);
        let says = match names.get("detail") {
            _ if !left.is_empty() => format!("{says} ({})", left.join(", ")),
            // A sentence that repeats nothing of what failed quotes it.
            Some(detail) if !self.cause.normal() && says == fill(self.says, &Names::default()) => format!("{says}: {detail}"),
            _ => says,
        };
        (says, to_check(&fill(read.check(self.cause).unwrap_or(self.next), &names)))
    }
}

/// What to check, as a clause that starts with its verb. The tables name the things alone, but for those that are no things to check.
pub fn to_check(next: &str) -> String {
    const WHOLE: &[&str] = &["CloudTrail StopTask tells", "log in", "nothing", "try"];
    match next {
        "" => String::new(),
        _ if WHOLE.iter().any(|verb| next.starts_with(verb)) => next.to_owned(),
        _ => format!("check {next}"),
    }
}

/// Where in a text a fragment must stand.
#[derive(Clone, Copy)]
enum Place {
    Anywhere,
    Beginning,
    Whole,
}

/// A fragment without its mark, and the place that the mark demands.
fn marked(fragment: &'static str) -> (&'static str, Place) {
    match fragment.as_bytes().first() {
        Some(b'=') => (&fragment[1..], Place::Whole),
        Some(b'^') => (&fragment[1..], Place::Beginning),
        _ => (fragment, Place::Anywhere),
    }
}

/// The fragments of all rules as one automaton, so that a text is read once and not once for each of a thousand fragments.
struct Index {
    automaton: AhoCorasick,
    /// The fragments by their numbers in the automaton.
    fragments: Vec<&'static str>,
    /// Which of them are single words that stand alone where AWS says them.
    words: Vec<bool>,
    /// The rules with their fragments by number, in the order of the table.
    rules: Vec<Numbered<Rule>>,
    /// The same of what to check.
    checks: Vec<Numbered<Check>>,
}

/// A row's fragments by their numbers: one of each group; then those that must not occur.
struct Numbered<T: 'static> {
    row: &'static T,
    all: Vec<Vec<(usize, Place)>>,
    none: Vec<usize>,
}

static INDEX: LazyLock<Index> = LazyLock::new(|| {
    let (mut numbers, mut fragments) = (HashMap::new(), Vec::new());
    let mut number = |fragment: &'static str| {
        let (fragment, place) = marked(fragment);
        let number = *numbers.entry(fragment).or_insert_with(|| {
            fragments.push(fragment);
            fragments.len() - 1
        });
        (number, place)
    };
    let rules = rules::all().map(|rule| numbered(rule, rule.all, rule.none, &mut number)).collect();
    let checks = rules::checks().map(|check| numbered(check, check.all, check.none, &mut number)).collect();
    let automaton = AhoCorasick::new(&fragments).expect("a thousand short fragments are no size for an automaton");
    let word = |fragment: &&str| fragment.bytes().all(|byte| byte.is_ascii_alphanumeric()) && !rules::COMPOUNDED.contains(fragment);
    let words = fragments.iter().map(word).collect();
    Index { automaton, fragments, words, rules, checks }
});

fn numbered<T>(
    row: &'static T,
    all: &'static [&'static [&'static str]],
    none: &'static [&'static str],
    number: &mut impl FnMut(&'static str) -> (usize, Place),
) -> Numbered<T> {
    let all = all.iter().map(|any| any.iter().map(|fragment| number(fragment)).collect()).collect();
    Numbered { row, all, none: none.iter().map(|fragment| number(fragment).0).collect() }
}

/// A text and which of the fragments it holds, read once for all that is asked of it.
pub(super) struct Read<'t> {
    /// As it came.
    pub told: &'t str,
    plain: String,
    there: Vec<bool>,
}

impl<'t> Read<'t> {
    /// Reads it.
    pub fn of(told: &'t str) -> Read<'t> {
        let plain = plain(told);
        let mut there = vec![false; INDEX.fragments.len()];
        for found in INDEX.automaton.find_overlapping_iter(&plain) {
            let number = found.pattern().as_usize();
            there[number] = there[number] || !(INDEX.words[number] && compounded(&plain, found.range()));
        }
        Read { told, plain, there }
    }

    /// The first rule for such a field that fits, in the order of the table; for a cut text, if none fits it as it is or only a guess does,
    /// the first that fits what may have followed.
    pub fn rule(&self, field: Field) -> Option<&'static Rule> {
        let asked = |rule: &Rule| rule.on & field != 0;
        let whole = self.first(&INDEX.rules, asked);
        if whole.is_some_and(|rule| rule.sure != Confidence::Low) {
            return whole;
        }
        let followed = || {
            let told = self.plain.strip_suffix("...").or_else(|| self.plain.strip_suffix('\u{2026}'))?;
            let may_be = |(there, fragment): (&bool, &&str)| *there || begins_at_the_end(told, fragment);
            let there = self.there.iter().zip(&INDEX.fragments).map(may_be).collect();
            Read { told: self.told, plain: self.plain.clone(), there }.first(&INDEX.rules, asked)
        };
        followed().or(whole)
    }

    /// What to check for such a cause, where the text tells more than the cause does.
    fn check(&self, cause: Cause) -> Option<&'static str> {
        self.first(&INDEX.checks, |check| check.of.contains(&cause)).map(|check| check.next)
    }

    /// The first row that fits, of those that are asked.
    fn first<T>(&self, rows: &[Numbered<T>], asked: impl Fn(&T) -> bool) -> Option<&'static T> {
        let holds = |(number, place): &(usize, Place)| {
            self.there[*number]
                && match place {
                    Place::Anywhere => true,
                    Place::Beginning => self.plain.starts_with(INDEX.fragments[*number]),
                    Place::Whole => self.plain == INDEX.fragments[*number],
                }
        };
        let fits = |known: &&Numbered<T>| {
            asked(known.row) && known.all.iter().all(|any| any.iter().any(holds)) && !known.none.iter().any(|number| self.there[*number])
        };
        rows.iter().find(fits).map(|known| known.row)
    }
}

/// Whether a word stands within a longer one that hyphens hold together: people name things so ("throttled-worker"), AWS does not.
fn compounded(text: &str, found: Range<usize>) -> bool {
    let joined = |around: &mut dyn Iterator<Item = &u8>| {
        let mut around = around.skip_while(|byte| byte.is_ascii_alphanumeric());
        around.next().is_some_and(|byte| matches!(byte, b'-' | b'_')) && around.next().is_some_and(u8::is_ascii_alphanumeric)
    };
    let text = text.as_bytes();
    joined(&mut text[found.end..].iter()) || joined(&mut text[..found.start].iter().rev())
}

/// Whether a text was cut within a fragment. Less than a word, or than half of the fragment, is no sign; nor is half a number.
fn begins_at_the_end(told: &str, fragment: &str) -> bool {
    const LEAST: usize = 5;
    if fragment.bytes().any(|byte| byte.is_ascii_digit()) {
        return false;
    }
    // Half of a longer word is none of its own.
    let apart = |before: &str| !before.ends_with(|c: char| c.is_ascii_alphanumeric());
    let mut parts = (LEAST.max(fragment.len() / 2)..fragment.len()).filter_map(|end| fragment.get(..end));
    parts.any(|part| told.strip_suffix(part).is_some_and(apart))
}

/// A template with its names filled in.
fn fill(template: &str, names: &Names) -> String {
    let mut out = String::new();
    let mut rest = template;
    while let Some(open) = rest.find('[') {
        let close = rest[open..].find(']').map_or(rest.len(), |at| open + at);
        out.push_str(&fill_part(&rest[..open], names).0);
        let (part, whole) = fill_part(&rest[open + 1..close], names);
        if whole {
            out.push_str(&part);
        }
        rest = rest.get(close + 1..).unwrap_or("");
    }
    out.push_str(&fill_part(rest, names).0);
    out
}

/// A part without brackets, and whether all its names were known.
fn fill_part(template: &str, names: &Names) -> (String, bool) {
    let (mut out, mut whole, mut rest) = (String::new(), true, template);
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}').unwrap_or((after, ""));
        out.push_str(before);
        match names.get(name) {
            Some(value) => out.push_str(value),
            None => whole = false,
        }
        rest = behind;
    }
    out.push_str(rest);
    (out, whole)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_in_brackets_is_left_out_without_its_names() {
        let names = Names::of("(port 8080) is unhealthy in (target-group web-tg)");
        assert_eq!(fill("port {port}[ of {group}][ on {instance}] fails", &names), "port 8080 of web-tg fails");
        assert_eq!(fill("nothing", &names), "nothing");
    }

    #[test]
    fn a_cut_text_is_read_to_its_end_and_a_whole_one_is_not_guessed_at() {
        let cause = |text: &str| Read::of(text).rule(CONTAINER).map(|rule| rule.cause);
        let pull = "CannotPullContainerError: failed to resolve ref docker.io/acme/api:v7: docker.io/acme/api:v7: not fo";
        assert_eq!(cause(&format!("{pull}...")), Some(Cause::ImageNotFound));
        assert_eq!(cause(&format!("{pull}\u{2026}")), Some(Cause::ImageNotFound));
        assert_eq!(cause(pull), None);
        assert_eq!(cause("We will try agai..."), None);
        // Half of a number, or of a longer word, is no sign.
        assert_eq!(
            cause("failed to resolve ref docker.io/acme/api:v7: unexpected status from HEAD request: 40..."),
            Some(Cause::ImagePullDenied)
        );
        assert_eq!(cause("the secret could not be had: RequestError..."), None);
        // What only a guess fits may have said more.
        let log = "ResourceInitializationError: failed to validate logger args: api error ResourceNotFou";
        assert_eq!(Read::of(&format!("{log}...")).rule(REASON).map(|rule| rule.cause), Some(Cause::LogGroupMissing));
    }

    #[test]
    fn a_word_within_a_longer_one_with_hyphens_is_part_of_a_name() {
        let cause = |text: &str| Read::of(text).rule(REASON).map(|rule| rule.cause);
        assert_eq!(cause("the call was throttled"), Some(Cause::Throttled));
        assert_eq!(cause("the call was throttled - try later"), Some(Cause::Throttled));
        for name in ["throttled-worker", "un-throttled", "not_throttled", "throttled2_b"] {
            assert_eq!(cause(&format!("the call of {name} was odd")), None, "{name}");
        }
    }

    #[test]
    fn a_fragment_may_have_to_be_the_beginning_or_the_whole() {
        let cause = |text: &str| Read::of(text).rule(REASON).map(|rule| rule.cause);
        assert_eq!(cause("Stopped by the release tool"), Some(Cause::UserStopped));
        assert_eq!(cause("It was stopped by the release tool"), None);
        assert_eq!(cause("LOCATION"), Some(Cause::PlacementAttribute));
        assert_eq!(cause("LOCATION of the party"), None);
    }

    #[test]
    fn every_rule_is_written_in_lower_case_and_names_only_known_names() {
        let checks = rules::checks().map(|check| (check.all, check.none, "", check.next));
        for (all, none, says, next) in rules::all().map(|rule| (rule.all, rule.none, rule.says, rule.next)).chain(checks) {
            for fragment in all.iter().copied().flatten().chain(none) {
                assert_eq!(fragment.to_lowercase(), **fragment, "{says}{next}");
                assert!(!fragment.is_empty());
            }
            for template in [says, next] {
                for name in template.split('{').skip(1).filter_map(|part| part.split('}').next()) {
                    assert!(super::super::names::known(name), "{name} in {template}");
                }
                let outside: String = template
                    .split('[')
                    .enumerate()
                    .map(|(n, part)| if n == 0 { part } else { part.split(']').nth(1).unwrap_or("") })
                    .collect();
                assert!(!outside.contains('{'), "a name outside brackets leaves a hole where it is not found: {template}");
            }
        }
    }
}
