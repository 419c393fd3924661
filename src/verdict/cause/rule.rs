//! What a rule of the table is, how it fits a text, and how its sentences are filled with the names found there.
//!
//! Knows no rule and no name of its own.

use super::names::Names;
use super::plain::plain;
use super::rules;
use super::{Cause, Confidence, one_line};

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
    /// Whether it reads such a field and its fragments are in the text as it is compared, by the given sense of "in".
    fn fits(&self, text: &str, field: Field, holds: fn(&str, &str) -> bool) -> bool {
        self.on & field != 0
            && self.all.iter().all(|any| any.iter().any(|fragment| holds(text, fragment)))
            && !self.none.iter().any(|fragment| text.contains(fragment))
    }

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

fn holds(text: &str, fragment: &str) -> bool {
    match fragment.as_bytes().first() {
        Some(b'=') => text == &fragment[1..],
        Some(b'^') => text.starts_with(&fragment[1..]),
        _ => text.contains(fragment),
    }
}

/// The same for a text that was cut, which AWS shows by dots: the fragment may begin where the text ends. Less than a word, or than half
/// of the fragment, is no sign.
fn holds_or_begins(text: &str, fragment: &str) -> bool {
    const LEAST: usize = 5;
    let cut = text.strip_suffix("...").or_else(|| text.strip_suffix('\u{2026}'));
    let begins = |told: &str| {
        let parts = (LEAST.max(fragment.len() / 2)..fragment.len()).filter_map(|end| fragment.get(..end));
        parts.into_iter().any(|part| told.ends_with(part))
    };
    holds(text, fragment) || cut.is_some_and(begins)
}

/// The first rule that fits, in the order of the table; for a cut text, if none fits it as it is, the first that fits what may have followed.
pub(super) fn first(text: &str, field: Field) -> Option<&'static Rule> {
    let plain = plain(text);
    let of = |holds| rules::all().find(|rule| rule.fits(&plain, field, holds));
    of(holds).or_else(|| of(holds_or_begins))
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
