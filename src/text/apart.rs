//! Names that begin alike, cut so that one can still tell them apart: where all of `project-api-…` and `project-cms-…` has no room, what
//! goes first is what they have in common, for it stands elsewhere on the screen.

use super::cells::{end_at, fit, fit_middle, width};
use std::borrow::Cow;
use std::ops::Range;

/// Letters that names must have in common before any of them is worth leaving out.
const ALIKE: usize = 6;

/// Cells of the first difference that are to be seen.
const TOLD: usize = 10;

/// Where each name first differs from those that begin as it does, as a range of bytes; empty where none does.
#[must_use]
pub fn differences(names: &[&str]) -> Vec<Range<usize>> {
    let mut order: Vec<usize> = (0..names.len()).collect();
    order.sort_unstable_by_key(|n| names[*n]);
    // Neighbours in this order have the most in common, so that a family is a run of them.
    let alike = |a: usize, b: usize| if names[a] == names[b] { usize::MAX } else { common(names[a], names[b]) };
    let mut out = vec![0..0; names.len()];
    let mut from = 0;
    while from < order.len() {
        let (mut to, mut shared) = (from + 1, usize::MAX);
        while to < order.len() && alike(order[to - 1], order[to]) >= ALIKE {
            shared = shared.min(alike(order[to - 1], order[to]));
            to += 1;
        }
        if shared != usize::MAX {
            for n in &order[from..to] {
                let rest = &names[*n][shared..];
                let end = rest.find(separates).filter(|end| *end > 0).unwrap_or(rest.len());
                out[*n] = shared..shared + end_at(&rest[..end], TOLD).unwrap_or(end);
            }
        }
        from = to;
    }
    out
}

/// As [`fit_middle`], but what a name differs in is seen: parts that it shares with others leave from its front until it is.
#[must_use]
pub fn fit_apart<'a>(name: &'a str, difference: &Range<usize>, room: usize) -> Cow<'a, str> {
    let told = name.get(difference.clone()).is_some_and(|told| !told.is_empty());
    if end_at(name, room).is_none() || !told || room < 8 {
        return fit_middle(name, room);
    }
    // What a cut in the middle leaves of both ends.
    let (head, tail) = ((room - 1) / 2, room - 1 - (room - 1) / 2);
    let seen = |cut: usize, head: usize| width(&name[cut..difference.end]) <= head;
    if seen(0, head) || width(&name[difference.start..]) <= tail {
        return fit_middle(name, room);
    }
    let cuts =
        || name.char_indices().map(|(at, c)| at + c.len_utf8()).filter(|at| *at <= difference.start && name[..*at].ends_with(separates));
    let whole = cuts().find(|cut| width(&name[*cut..]) < room);
    let cut = whole.or_else(|| cuts().find(|cut| seen(*cut, (room - 2) / 2))).unwrap_or(difference.start);
    Cow::Owned(format!("…{}", if whole.is_some() { fit(&name[cut..], room - 1) } else { fit_middle(&name[cut..], room - 1) }))
}

/// Bytes that two names have in common, up to the end of a part.
fn common(a: &str, b: &str) -> usize {
    let same: usize = a.chars().zip(b.chars()).take_while(|(a, b)| a == b).map(|(c, _)| c.len_utf8()).sum();
    a[..same].rfind(separates).map_or(0, |at| at + 1)
}

/// What stands between the parts of a name; each takes one byte.
fn separates(c: char) -> bool {
    matches!(c, '-' | '_' | '/' | '.' | ':' | ' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(names: &[&str], room: usize) -> Vec<String> {
        let differences = differences(names);
        names.iter().zip(&differences).map(|(name, difference)| fit_apart(name, difference, room).into_owned()).collect()
    }

    #[test]
    fn long_names_that_begin_alike_show_where_they_differ() {
        let names = ["project-oky-ecs-api-task-service-1lehr9r5", "project-oky-ecs-cms-task-service-smibyuqs"];
        assert_eq!(cut(&names, 26), ["…api-task-service-1lehr9r5", "…cms-task-service-smibyuqs"]);
        assert_eq!(cut(&names, 20), ["…ecs-api-t…-1lehr9r5", "…ecs-cms-t…-smibyuqs"]);
        assert_eq!(cut(&names, 30), ["…ecs-api-task-service-1lehr9r5", "…ecs-cms-task-service-smibyuqs"]);
        assert_eq!(cut(&names, 41), names);
    }

    #[test]
    fn names_of_different_families_and_lone_ones_are_cut_in_the_middle() {
        let names = ["strong-dolphin-cluster-backend", "learning-platform-production-api", "tutorbloc"];
        assert_eq!(cut(&names, 15), ["strong-…backend", "learnin…ion-api", "tutorbloc"]);
        assert_eq!(cut(&["a-name-that-is-twice", "a-name-that-is-twice"], 11), ["a-nam…twice"; 2]);
    }

    #[test]
    fn a_difference_that_is_seen_anyway_costs_nothing() {
        let names = ["orders-table-scaling-alarm-high", "orders-table-scaling-alarm-low"];
        assert_eq!(cut(&names, 16), ["orders-…arm-high", "orders-…larm-low"]);
    }

    proptest! {
        #[test]
        fn no_cut_is_wider_than_its_room_and_what_fits_is_whole(names in prop::collection::vec("([a-c]{1,3}[-/]){1,5}[a-z界é]{0,9}", 1..6), room in 0_usize..30) {
            let all: Vec<&str> = names.iter().map(String::as_str).collect();
            for (name, shown) in all.iter().zip(cut(&all, room)) {
                prop_assert!(width(&shown) <= room, "{shown} in {room}");
                prop_assert!(width(name) > room || shown == **name);
            }
        }
    }
}
