//! The right name for a wrong one: what a typing mistake most likely meant.
//!
//! Knows nothing of what is named.

/// The candidate that is fewest edits away from `name`, if it is near enough to be meant. Case does not count.
#[must_use]
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A mistake changes about a third of a word; beyond that a guess misleads. Long input is no name at all.
    let name: Vec<char> = name.chars().take(64).flat_map(char::to_lowercase).collect();
    let limit = (name.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|candidate| (distance(&name, &candidate.to_lowercase().chars().collect::<Vec<_>>()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// A clause for an error line: `: did you mean "theme"?`, or the names to choose from.
#[must_use]
pub fn hint<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str> + Clone) -> String {
    if let Some(meant) = nearest(name, candidates.clone()) {
        return format!(": did you mean \"{meant}\"?");
    }
    let all: Vec<&str> = candidates.into_iter().collect();
    // More than a dozen names are a list to look up, not one to read in an error.
    if all.is_empty() || all.len() > 12 { String::new() } else { format!("; known are {}", all.join(", ")) }
}

/// Edits between two words, where two letters that changed places are one edit.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1; b.len() + 1];
        for (j, y) in b.iter().enumerate() {
            row[j + 1] = (last[j] + usize::from(x != y)).min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j] {
                row[j + 1] = row[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_the_name_that_was_meant() {
        let names = ["theme", "refresh", "mouse", "contexts"];
        assert_eq!(nearest("theem", names), Some("theme"));
        assert_eq!(nearest("Mouse", names), Some("mouse"));
        assert_eq!(nearest("context", names), Some("contexts"));
        assert_eq!(nearest("banana", names), None);
        assert_eq!(nearest("", names), None);
    }

    #[test]
    fn a_hint_names_one_or_lists_few() {
        assert_eq!(hint("theem", ["theme", "mouse"]), ": did you mean \"theme\"?");
        assert_eq!(hint("banana", ["theme", "mouse"]), "; known are theme, mouse");
        assert_eq!(hint("banana", []), "");
    }
}
