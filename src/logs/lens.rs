//! Which lines are shown: a query applied to a buffer, kept up to date line by line.
//!
//! Each line is judged once per query. What is asked here costs a search in sorted keys, however many lines there are.

use super::query::{Pattern, Query};
use super::store::merge;
use super::{Buffer, Key};
use std::collections::VecDeque;

/// Lines of context before and after a line that is kept.
const CONTEXT: usize = 5;

/// Lines that are judged while a query is being typed.
pub const PREVIEW: u64 = 4_000;

/// A query's view of a buffer. Steps and counts go over the lines that stand for themselves; those of a stack trace come with theirs.
#[derive(Debug, Default)]
pub struct Lens {
    /// The buffer that was followed last.
    buffer: Option<u64>,
    query: Query,
    /// Verdicts by number, from `base` on.
    verdicts: VecDeque<u32>,
    base: u64,
    /// Lines kept, by time.
    shown: VecDeque<Key>,
    /// Lines kept in which the search was found.
    hits: VecDeque<Key>,
    /// Show lines around those that are kept.
    context: bool,
    /// Milliseconds since the epoch; older lines are not shown.
    since: i64,
    /// Lines below this number are not judged: the query is only being typed.
    floor: u64,
}

impl Lens {
    /// Asks something else; all lines are judged again by the next [`Lens::follow`].
    pub fn set(&mut self, query: Query) {
        let (buffer, context, since) = (self.buffer, self.context, self.since);
        *self = Lens { buffer, query, context, since, ..Lens::default() };
    }

    /// Asks something that is still being typed: only the newest lines are judged, so that a letter costs the same however many there are.
    pub fn preview(&mut self, query: Query, buffer: &Buffer) {
        self.set(query);
        self.buffer = Some(buffer.number());
        self.floor = buffer.next_id().saturating_sub(PREVIEW);
    }

    /// Whether older lines were left out because the query is still being typed.
    #[must_use]
    pub fn previews(&self) -> bool {
        self.floor > 0
    }

    /// Shows where something is found, and judges no line for it.
    pub fn highlight(&mut self, search: Option<Pattern>) {
        self.query.search = search;
    }

    /// The query.
    #[must_use]
    pub fn query(&self) -> &Query {
        &self.query
    }

    /// Shows lines around those that are kept, or not.
    pub fn set_context(&mut self, context: bool) {
        self.context = context;
    }

    /// Whether lines around those that are kept are shown.
    #[must_use]
    pub fn context(&self) -> bool {
        self.context && !self.query.keeps_all()
    }

    /// Hides lines older than a time in milliseconds since the epoch.
    pub fn set_since(&mut self, since: i64) {
        self.since = since;
    }

    /// Judges the lines that are new, and forgets those that are gone. Returns whether it is another buffer than before.
    pub fn follow(&mut self, buffer: &Buffer) -> bool {
        let another = self.buffer != Some(buffer.number());
        if another {
            let query = std::mem::take(&mut self.query);
            self.set(query);
            self.buffer = Some(buffer.number());
        }
        for keys in [&mut self.shown, &mut self.hits] {
            while keys.front().is_some_and(|key| buffer.get(key.id).is_none()) {
                keys.pop_front();
            }
        }
        if self.base < buffer.first_id() {
            let gone = usize::try_from(buffer.first_id() - self.base).unwrap_or(usize::MAX);
            self.verdicts.drain(..gone.min(self.verdicts.len()));
            self.base = buffer.first_id();
        }
        let (mut shown, mut hits) = (Vec::new(), Vec::new());
        for id in self.base + self.verdicts.len() as u64..buffer.next_id() {
            if id < self.floor {
                self.verdicts.push_back(0);
                continue;
            }
            let verdict = buffer.get(id).map_or(0, |line| self.query.verdict(line));
            self.verdicts.push_back(verdict);
            let Some(line) = buffer.get(id) else { continue };
            if line.head != id {
                self.join(buffer, line.head, verdict, &mut shown, &mut hits);
                continue;
            }
            let key = Key { at: line.log.at.as_millisecond(), id };
            if self.query.keeps(verdict, line.level) {
                shown.push(key);
                if Query::finds(verdict) {
                    hits.push(key);
                }
            }
        }
        for (keys, new) in [(&mut self.shown, &mut shown), (&mut self.hits, &mut hits)] {
            new.sort_unstable();
            merge(keys, new);
        }
        another
    }

    /// A line of a stack trace may bring what its first line lacked, or what it must not have.
    fn join(&mut self, buffer: &Buffer, head: u64, verdict: u32, shown: &mut Vec<Key>, hits: &mut Vec<Key>) {
        if head < self.floor {
            return;
        }
        let (Some(line), Some(at)) = (buffer.get(head), head.checked_sub(self.base).and_then(|at| usize::try_from(at).ok())) else {
            return;
        };
        let key = Key { at: line.log.at.as_millisecond(), id: head };
        let before = self.verdicts[at];
        let now = before | verdict;
        self.verdicts[at] = now;
        let (kept, keep) = (self.query.keeps(before, line.level), self.query.keeps(now, line.level));
        change(&mut self.shown, shown, key, kept, keep);
        change(&mut self.hits, hits, key, kept && Query::finds(before), keep && Query::finds(now));
    }

    /// Lines that are kept, context aside.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shown.len() - self.floor()
    }

    /// Whether none is kept.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Lines kept that come after a place.
    #[must_use]
    pub fn after(&self, key: Key) -> usize {
        self.shown.len() - self.shown.partition_point(|shown| *shown <= key).max(self.floor())
    }

    /// Whether a line is kept for its own sake, not for context.
    #[must_use]
    pub fn keeps(&self, key: Key) -> bool {
        self.shown.binary_search(&key).is_ok()
    }

    /// Lines kept, by time.
    #[must_use]
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Key> {
        self.shown.range(self.floor()..).copied()
    }

    /// Lines kept from one place to another, both included.
    #[must_use]
    pub fn between(&self, from: Key, to: Key) -> impl ExactSizeIterator<Item = Key> + '_ {
        let start = self.shown.partition_point(|key| *key < from).max(self.floor());
        let end = self.shown.partition_point(|key| *key <= to).max(start);
        self.shown.range(start..end).copied()
    }

    /// The next or previous line kept for which something holds.
    pub fn find(&self, from: Key, forward: bool, holds: impl Fn(Key) -> bool) -> Option<Key> {
        if forward {
            let start = self.shown.partition_point(|key| *key <= from).max(self.floor());
            return self.shown.range(start..).copied().find(|key| holds(*key));
        }
        let end = self.shown.partition_point(|key| *key < from).max(self.floor());
        self.shown.range(self.floor()..end).rev().copied().find(|key| holds(*key))
    }

    /// The first line shown.
    #[must_use]
    pub fn first(&self, buffer: &Buffer) -> Option<Key> {
        let first = *self.shown.get(self.floor())?;
        if !self.context() {
            return Some(first);
        }
        let heads = buffer.heads();
        let from = position(heads, first).saturating_sub(CONTEXT).max(heads.partition_point(|key| key.at < self.since));
        heads.get(from).copied()
    }

    /// The last line shown.
    #[must_use]
    pub fn last(&self, buffer: &Buffer) -> Option<Key> {
        let last = *self.shown.back().filter(|key| key.at >= self.since)?;
        if !self.context() {
            return Some(last);
        }
        let heads = buffer.heads();
        heads.get((position(heads, last) + CONTEXT).min(heads.len() - 1)).copied()
    }

    /// The line shown after this one, and whether lines between the two are left out.
    #[must_use]
    pub fn next(&self, buffer: &Buffer, key: Key) -> Option<(Key, bool)> {
        if !self.context() {
            return self.shown.get(self.shown.partition_point(|shown| *shown <= key).max(self.floor())).map(|next| (*next, false));
        }
        let heads = buffer.heads();
        let at = heads.partition_point(|head| *head <= key);
        let (candidate, after) = (*heads.get(at)?, self.shown.partition_point(|shown| *shown < *heads.get(at).unwrap_or(&key)));
        let behind = after.checked_sub(1).is_some_and(|last| at - position(heads, self.shown[last]) <= CONTEXT);
        if behind {
            return Some((candidate, false));
        }
        let ahead = position(heads, *self.shown.get(after)?).saturating_sub(CONTEXT);
        if ahead <= at { Some((candidate, false)) } else { heads.get(ahead).map(|key| (*key, true)) }
    }

    /// The line shown before this one, and whether lines between the two are left out.
    #[must_use]
    pub fn previous(&self, buffer: &Buffer, key: Key) -> Option<(Key, bool)> {
        if !self.context() {
            let at = self.shown.partition_point(|shown| *shown < key).checked_sub(1)?;
            return self.shown.get(at).filter(|key| key.at >= self.since).map(|previous| (*previous, false));
        }
        let heads = buffer.heads();
        let at = heads.partition_point(|head| *head < key).checked_sub(1)?;
        let candidate = Some(heads[at]).filter(|key| key.at >= self.since)?;
        let before = self.shown.partition_point(|shown| *shown <= candidate);
        let ahead = self.shown.get(before).is_some_and(|next| position(heads, *next) - at <= CONTEXT);
        if ahead {
            return Some((candidate, false));
        }
        let behind = position(heads, self.shown[before.checked_sub(1)?]) + CONTEXT;
        if behind >= at { Some((candidate, false)) } else { heads.get(behind).filter(|key| key.at >= self.since).map(|key| (*key, true)) }
    }

    /// The line shown at this place or the next one after it, else the last.
    #[must_use]
    pub fn nearest(&self, buffer: &Buffer, key: Key) -> Option<Key> {
        if self.context() {
            let before = key.id.checked_sub(1).map_or(Key { at: key.at - 1, id: u64::MAX }, |id| Key { id, ..key });
            return self.next(buffer, before).map(|(key, _)| key).or_else(|| self.last(buffer));
        }
        let at = self.shown.partition_point(|shown| *shown < key).max(self.floor());
        self.shown.get(at).copied().or_else(|| self.last(buffer))
    }

    /// The next or previous line in which the search was found, going round at the ends.
    #[must_use]
    pub fn hit(&self, from: Option<Key>, forward: bool) -> Option<Key> {
        let hits = self.hits.range(self.hits.partition_point(|key| key.at < self.since)..);
        let (mut rest, mut all) = (hits.clone(), hits);
        match (from, forward) {
            (Some(from), true) => rest.find(|key| **key > from).or_else(|| all.next()),
            (Some(from), false) => {
                let at = self.hits.partition_point(|key| *key < from).checked_sub(1).and_then(|at| self.hits.get(at));
                at.filter(|key| key.at >= self.since).or_else(|| all.next_back())
            }
            (None, true) => all.next(),
            (None, false) => all.next_back(),
        }
        .copied()
    }

    /// Which match a line is, counted from one, and how many there are.
    #[must_use]
    pub fn hit_number(&self, key: Option<Key>) -> (Option<usize>, usize) {
        let floor = self.hits.partition_point(|key| key.at < self.since);
        let number = key.and_then(|key| self.hits.binary_search(&key).ok()).and_then(|at| (at + 1).checked_sub(floor));
        (number, self.hits.len() - floor)
    }

    /// Position of the first line that is not too old.
    fn floor(&self) -> usize {
        self.shown.partition_point(|key| key.at < self.since)
    }
}

/// Where a line stands among all; where it would stand if it is gone.
fn position(heads: &VecDeque<Key>, key: Key) -> usize {
    heads.partition_point(|head| *head < key)
}

/// Puts a key into a list or takes it out; `fresh` is what will be merged into the list.
fn change(list: &mut VecDeque<Key>, fresh: &mut Vec<Key>, key: Key, was: bool, is: bool) {
    match (was, is) {
        (false, true) => fresh.push(key),
        (true, false) => {
            fresh.retain(|new| *new != key);
            if let Ok(at) = list.binary_search(&key) {
                list.remove(at);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{line, stream};
    use super::super::{Level, Term};
    use super::*;
    use crate::feed::TailState;
    use proptest::prelude::*;

    fn numbered(count: i64) -> Buffer {
        let source = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        buffer.push((0..count).map(|n| line(&source, n * 1_000, &format!("line {n}."))).collect(), TailState::default());
        buffer
    }

    fn lens(buffer: &Buffer, filter: &str, search: &str) -> Lens {
        let mut lens = Lens::default();
        let terms = Term::parse_all(filter).expect("a good filter");
        lens.set(Query { terms, search: Pattern::parse(search).expect("a good pattern"), ..Query::default() });
        lens.follow(buffer);
        lens
    }

    fn walk(lens: &Lens, buffer: &Buffer) -> Vec<u64> {
        std::iter::successors(lens.first(buffer), |key| lens.next(buffer, *key).map(|(key, _)| key)).map(|key| key.id).collect()
    }

    #[test]
    fn lines_that_match_are_shown_and_matches_are_found_round_the_end() {
        let buffer = numbered(30);
        let lens = lens(&buffer, "3.", "23.");
        assert_eq!(walk(&lens, &buffer), [3, 13, 23]);
        let hit = lens.hit(None, true);
        assert_eq!(hit.map(|key| key.id), Some(23));
        assert_eq!(lens.hit(hit, true), hit);
        assert_eq!(lens.hit_number(hit), (Some(1), 1));
    }

    #[test]
    fn context_shows_five_lines_on_both_sides_and_says_where_it_skips() {
        let buffer = numbered(60);
        let mut lens = lens(&buffer, "re:line (10|18|40)\\.", "");
        lens.set_context(true);
        assert_eq!(walk(&lens, &buffer), (5..=23).chain(35..=45).collect::<Vec<_>>());
        let at = |id| buffer.heads()[id];
        assert_eq!(lens.next(&buffer, at(23)), Some((at(35), true)));
        assert_eq!(lens.previous(&buffer, at(35)), Some((at(23), true)));
        assert_eq!((lens.last(&buffer), lens.keeps(at(45))), (Some(at(45)), false));
    }

    #[test]
    fn a_match_inside_a_stack_trace_shows_its_line_even_when_it_comes_later() {
        let source = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        buffer.push(vec![line(&source, 1_000, "ERROR boom"), line(&source, 1_100, "fine")], TailState::default());
        let mut kept = lens(&buffer, "Basket", "Basket");
        let mut left_out = lens(&buffer, "!Basket", "");
        assert_eq!((walk(&kept, &buffer), walk(&left_out, &buffer)), (vec![], vec![0, 1]));
        buffer.push(vec![line(&source, 1_050, "    at Basket.load")], TailState::default());
        kept.follow(&buffer);
        left_out.follow(&buffer);
        assert_eq!((walk(&kept, &buffer), walk(&left_out, &buffer)), (vec![0], vec![1]));
        assert_eq!(kept.hit_number(kept.first(&buffer)), (Some(1), 1));
    }

    #[test]
    fn a_query_that_is_being_typed_looks_at_the_newest_lines_only() {
        let buffer = numbered(i64::try_from(PREVIEW).expect("small") + 100);
        let mut lens = Lens::default();
        lens.preview(Query { terms: Term::parse_all("9.").expect("a good filter"), ..Query::default() }, &buffer);
        lens.follow(&buffer);
        assert_eq!((lens.previews(), lens.first(&buffer).map(|key| key.id), lens.len()), (true, Some(109), 400));
        lens.set(lens.query().clone());
        lens.follow(&buffer);
        assert_eq!((lens.previews(), lens.len()), (false, 410));
    }

    #[test]
    fn lines_older_than_the_range_are_not_shown() {
        let buffer = numbered(10);
        let mut lens = lens(&buffer, "", "line");
        lens.set_since(7_000);
        assert_eq!((walk(&lens, &buffer), lens.len()), (vec![7, 8, 9], 3));
        assert_eq!(lens.hit(lens.first(&buffer), false).map(|key| key.id), Some(9));
        assert_eq!(lens.previous(&buffer, buffer.heads()[7]), None);
    }

    #[test]
    fn levels_hide_lines() {
        let source = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        buffer.push(vec![line(&source, 1, "INFO a"), line(&source, 2, "WARN b"), line(&source, 3, "c")], TailState::default());
        let mut lens = Lens::default();
        lens.set(Query { level: Some(Level::Warn), ..Query::default() });
        lens.follow(&buffer);
        assert_eq!(walk(&lens, &buffer), [1]);
    }

    proptest! {
        #[test]
        fn following_line_by_line_shows_what_judging_at_once_shows(
            lines in prop::collection::vec((0_i64..3_000, 0_usize..2, 0_usize..4), 0..60), cuts in 1_usize..9, budget in 500_usize..20_000, context in any::<bool>()
        ) {
            let streams = [stream("aaaa", "app"), stream("bbbb", "app")];
            let texts = ["keep", "  keep", "  drop", "other"];
            let mut buffer = Buffer::new(budget);
            let (mut live, filter) = (Lens::default(), "keep & !drop");
            live.set(Query { terms: Term::parse_all(filter).expect("a good filter"), ..Query::default() });
            live.set_context(context);
            for batch in lines.chunks(cuts) {
                buffer.push(batch.iter().enumerate().map(|(n, (at, who, what))| line(&streams[*who], *at, &format!("{}{n}", texts[*what]))).collect(), TailState::default());
                live.follow(&buffer);
            }
            let mut fresh = lens(&buffer, filter, "");
            fresh.set_context(context);
            let forward = walk(&live, &buffer);
            prop_assert_eq!(&forward, &walk(&fresh, &buffer));
            let mut back: Vec<u64> = std::iter::successors(live.last(&buffer), |key| live.previous(&buffer, *key).map(|(key, _)| key)).map(|key| key.id).collect();
            back.reverse();
            prop_assert_eq!(forward, back);
        }
    }
}
