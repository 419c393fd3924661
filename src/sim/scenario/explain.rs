//! Refusals of scenario and fault files: file, line, column, what is wrong
//! and the nearest right name.

use std::ops::Range;

/// Why a scenario or a fault file was refused; one line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// Turns an error of the TOML reader into one line with the nearest right name.
#[must_use]
pub fn refuse(file: &str, text: &str, error: &toml::de::Error) -> Error {
    let message = error.message().replace('\n', " ");
    let mut quoted = message.split('`').skip(1).step_by(2);
    let unknown = message.starts_with("unknown ");
    let hint = quoted
        .next()
        .filter(|_| unknown)
        .and_then(|word| nearest(word, quoted))
        .map_or_else(String::new, |name| format!("; did you mean `{name}`?"));
    at(file, text, error.span(), &format!("{message}{hint}"))
}

/// A refusal at a place in a file.
#[must_use]
pub fn at(file: &str, text: &str, span: Option<Range<usize>>, message: &str) -> Error {
    let Some(before) = span.and_then(|s| text.get(..s.start)) else {
        return Error(format!("{file}: {message}"));
    };
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().map_or(0, |last| last.chars().count()) + 1;
    Error(format!("{file}:{line}:{column}: {message}"))
}

/// "no cluster `x`; did you mean `y`?" at the place where the name stands.
#[must_use]
pub fn unknown<'a>(
    (file, text): (&str, &str),
    kind: &str,
    name: &toml::Spanned<String>,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Error {
    let hint = match nearest(name.get_ref(), known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => match known.into_iter().collect::<Vec<_>>().join(", ") {
            all if all.is_empty() => "there is none".to_owned(),
            all => format!("there are {all}"),
        },
    };
    at(file, text, Some(name.span()), &format!("no {kind} `{}`; {hint}", name.get_ref()))
}

/// The name that is most like a word, unless none is.
#[must_use]
pub fn nearest<'a>(word: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    names
        .into_iter()
        .map(|name| (distance(word, name), name))
        .filter(|(d, name)| *d <= name.chars().count().max(3) / 2)
        .min()
        .map(|(_, name)| name)
}

/// Edit distance in which the swap of two neighbours counts as one.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = usize::from(a[i - 1] != b[j - 1]);
            let mut least = (rows[i - 1][j] + 1).min(row[j - 1] + 1).min(rows[i - 1][j - 1] + change);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = least.min(rows[i - 2][j - 2] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_name_forgives_typing_but_not_everything() {
        let names = ["cluster", "desired", "launch"];
        assert_eq!(nearest("desried", names), Some("desired"));
        assert_eq!(nearest("clusters", names), Some("cluster"));
        assert_eq!(nearest("zzzzzz", names), None);
    }

    #[test]
    fn a_place_is_counted_in_lines_and_characters_from_one() {
        assert_eq!(at("f", "a\nbé c", Some(6..7), "odd").0, "f:2:4: odd");
        assert_eq!(at("f", "", None, "odd").0, "f: odd");
    }
}
