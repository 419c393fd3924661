//! What a rule of the table is, how it fits a text, and how its sentences are filled with the names found there.
//!
//! Knows no rule and no name of its own.

use super::names::Names;
use super::plain::plain;
use super::rules;
use super::{Cause, Confidence, one_line};
use aho_corasick::AhoCorasick;
use std::collections::HashMap;
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

impl Rule {
    /// What it says of the text, and what to check. Names that the sentence does not mention follow in brackets.
    pub fn sentences(&self, text: &str) -> (String, String) {
        let text = one_line(text);
        let names = Names::of(&text);
        let says = fill(self.says, &names);
        let left = names.unmentioned(&says);
        let says = match names.get("detail") {
            _ if !left.is_empty() => format!("{says} ({})", left.join(", ")),
            // A sentence that repeats nothing of what failed quotes it.
            Some(detail) if !self.cause.normal() && says == fill(self.says, &Names::default()) => format!("{says}: {detail}"),
            _ => says,
        };
        (says, to_check(&fill(self.next, &names)))
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
    /// The rules with their fragments by number, in the order of the table.
    rules: Vec<Numbered>,
}

/// A rule's fragments by their numbers: one of each group; then those that must not occur.
struct Numbered {
    rule: &'static Rule,
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
    let of = |rule: &'static Rule| Numbered {
        rule,
        all: rule.all.iter().map(|any| any.iter().map(|fragment| number(fragment)).collect()).collect(),
        none: rule.none.iter().map(|fragment| number(fragment).0).collect(),
    };
    let rules = rules::all().map(of).collect();
    let automaton = AhoCorasick::new(&fragments).expect("a thousand short fragments are no size for an automaton");
    Index { automaton, fragments, rules }
});

/// The first rule for such a field that fits, in the order of the table; for a cut text, if none fits it as it is, the first that fits what
/// may have followed.
pub(super) fn first(text: &str, field: Field) -> Option<&'static Rule> {
    let text = plain(text);
    let mut there = vec![false; INDEX.fragments.len()];
    for found in INDEX.automaton.find_overlapping_iter(&text) {
        there[found.pattern().as_usize()] = true;
    }
    let find = |there: &[bool]| {
        let holds = |(number, place): &(usize, Place)| {
            there[*number]
                && match place {
                    Place::Anywhere => true,
                    Place::Beginning => text.starts_with(INDEX.fragments[*number]),
                    Place::Whole => text == INDEX.fragments[*number],
                }
        };
        let fits = |known: &&Numbered| {
            known.rule.on & field != 0
                && known.all.iter().all(|any| any.iter().any(holds))
                && !known.none.iter().any(|number| there[*number])
        };
        INDEX.rules.iter().find(fits).map(|known| known.rule)
    };
    find(&there).or_else(|| {
        let told = text.strip_suffix("...").or_else(|| text.strip_suffix('\u{2026}'))?;
        for (there, fragment) in there.iter_mut().zip(&INDEX.fragments) {
            *there |= begins_at_the_end(told, fragment);
        }
        find(&there)
    })
}

/// Whether a text was cut within a fragment. Less than a word, or than half of the fragment, is no sign.
fn begins_at_the_end(told: &str, fragment: &str) -> bool {
    const LEAST: usize = 5;
    let mut parts = (LEAST.max(fragment.len() / 2)..fragment.len()).filter_map(|end| fragment.get(..end));
    parts.any(|part| told.ends_with(part))
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
        let cause = |text: &str| first(text, CONTAINER).map(|rule| rule.cause);
        let pull = "CannotPullContainerError: failed to resolve ref docker.io/acme/api:v7: docker.io/acme/api:v7: not fo";
        assert_eq!(cause(&format!("{pull}...")), Some(Cause::ImageNotFound));
        assert_eq!(cause(&format!("{pull}\u{2026}")), Some(Cause::ImageNotFound));
        assert_eq!(cause(pull), None);
        assert_eq!(cause("We will try agai..."), None);
    }

    #[test]
    fn a_fragment_may_have_to_be_the_beginning_or_the_whole() {
        let cause = |text: &str| first(text, REASON).map(|rule| rule.cause);
        assert_eq!(cause("Stopped by the release tool"), Some(Cause::UserStopped));
        assert_eq!(cause("It was stopped by the release tool"), None);
        assert_eq!(cause("LOCATION"), Some(Cause::PlacementAttribute));
        assert_eq!(cause("LOCATION of the party"), None);
    }

    #[test]
    fn every_rule_is_written_in_lower_case_and_names_only_known_names() {
        for rule in rules::all() {
            for fragment in rule.all.iter().copied().flatten().chain(rule.none) {
                assert_eq!(fragment.to_lowercase(), **fragment, "{}", rule.says);
                assert!(!fragment.is_empty());
            }
            for template in [rule.says, rule.next] {
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
