//! The lines of one tail: merged by time, without repeats, within a budget of bytes.
//!
//! Every line gets a number when it arrives and keeps it; the order by time is kept beside the lines, so that a late one
//! costs a search and not a shuffle. Lines of a stack trace hang under the line that they belong to. The store knows no query and no screen.

use super::Level;
use crate::feed::TailState;
use crate::model::{LogLine, LogStream};
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Bytes of lines that one tail keeps, overhead included; the oldest go first.
pub const BYTES: usize = 64 << 20;

/// Milliseconds after which an indented line no longer belongs to the one before.
const TRACE_PAUSE: i64 = 2_000;

/// Lines that are looked through for the owner of a late line of a stack trace.
const TRACE_REACH: usize = 64;

/// A line's place in time, and its identity: milliseconds since the epoch, then order of arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Milliseconds since the epoch.
    pub at: i64,
    /// Number by arrival.
    pub id: u64,
}

/// A line as it is kept.
#[derive(Debug)]
pub struct Line {
    /// What arrived.
    pub log: LogLine,
    /// How serious it is.
    pub level: Option<Level>,
    /// The line that it continues; its own number when it stands for itself.
    pub head: u64,
    /// Lines that continue this one.
    pub followers: u32,
    /// The next line of the same stack trace.
    next: Option<u64>,
    /// The last line of the stack trace that starts here.
    last: u64,
}

/// The lines of one tail.
#[derive(Debug)]
pub struct Buffer {
    /// Tells one buffer from the next, whose lines have the same numbers.
    number: u64,
    lines: VecDeque<Option<Line>>,
    /// Number of the first of `lines`.
    base: u64,
    /// Lines that stand for themselves, by time.
    heads: VecDeque<Key>,
    /// What repeats are known by.
    known: HashSet<u64>,
    /// The newest line of each stream that stands for itself.
    open: HashMap<Arc<LogStream>, Key>,
    bytes: usize,
    budget: usize,
    evicted: u64,
    state: TailState,
}

impl Default for Buffer {
    fn default() -> Self {
        Buffer::new(BYTES)
    }
}

impl Buffer {
    /// An empty buffer with a budget of bytes.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        static NUMBERS: AtomicU64 = AtomicU64::new(0);
        Buffer {
            number: NUMBERS.fetch_add(1, Ordering::Relaxed),
            lines: VecDeque::new(),
            base: 0,
            heads: VecDeque::new(),
            known: HashSet::new(),
            open: HashMap::new(),
            bytes: 0,
            budget,
            evicted: 0,
            state: TailState::default(),
        }
    }

    /// Adds lines and takes over how the tail stands. Lines that are known already are left out. Returns whether anything is different.
    pub fn push(&mut self, mut lines: Vec<LogLine>, state: TailState) -> bool {
        let before = (self.next_id(), self.state != state);
        self.state = state;
        if !lines.is_sorted_by_key(|line| line.at) {
            lines.sort_by_key(|line| line.at);
        }
        let mut heads = Vec::with_capacity(lines.len());
        for line in lines {
            if self.known.insert(line.key) {
                heads.extend(self.add(line, &heads));
            }
        }
        merge(&mut self.heads, &heads);
        self.evict();
        before != (self.next_id(), false)
    }

    /// A number that no other buffer of this run has.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How the tail stands.
    #[must_use]
    pub fn state(&self) -> &TailState {
        &self.state
    }

    /// A line by its number, unless it is gone.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Line> {
        self.lines.get(usize::try_from(id.checked_sub(self.base)?).ok()?)?.as_ref()
    }

    /// The line and those that continue it, in order.
    pub fn group(&self, head: u64) -> impl Iterator<Item = &Line> {
        std::iter::successors(self.get(head), |line| line.next.and_then(|id| self.get(id)))
    }

    /// The number that the next line will get: everything below it has arrived.
    #[must_use]
    pub fn next_id(&self) -> u64 {
        self.base + self.lines.len() as u64
    }

    /// The lowest number that may still be there.
    #[must_use]
    pub fn first_id(&self) -> u64 {
        self.base
    }

    /// Lines that stand for themselves, by time.
    #[must_use]
    pub fn heads(&self) -> &VecDeque<Key> {
        &self.heads
    }

    /// Lines that are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes in use.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes that may be used.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// Lines that had to go for newer ones.
    #[must_use]
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Keeps a line. Returns its key when it stands for itself; `fresh` are such keys of the same batch, not merged yet.
    fn add(&mut self, log: LogLine, fresh: &[Key]) -> Option<Key> {
        let key = Key { at: log.at.as_millisecond(), id: self.next_id() };
        let owner = match continues(&log.text) {
            Continues::Nothing => None,
            Continues::Any => self.owner(&log, key.at, fresh),
            Continues::Trouble => {
                self.owner(&log, key.at, fresh).filter(|id| self.get(*id).is_some_and(|line| line.level >= Some(Level::Error)))
            }
        };
        self.bytes += cost(&log);
        if owner.is_none() {
            match self.open.get_mut(&log.source) {
                Some(open) => *open = key.max(*open),
                None => drop(self.open.insert(log.source.clone(), key)),
            }
        }
        let level = Level::of(&log.text);
        self.lines.push_back(Some(Line { log, level, head: owner.unwrap_or(key.id), followers: 0, next: None, last: key.id }));
        let Some(owner) = owner else { return Some(key) };
        let head = self.line_mut(owner);
        head.followers += 1;
        let last = std::mem::replace(&mut head.last, key.id);
        self.line_mut(last).next = Some(key.id);
        None
    }

    /// The line that a line of a stack trace belongs to: the last one of the same stream before it.
    fn owner(&self, log: &LogLine, at: i64, fresh: &[Key]) -> Option<u64> {
        let near = |key: &Key| key.at <= at && at - key.at <= TRACE_PAUSE;
        let open = self.open.get(&log.source)?;
        if open.at <= at {
            return Some(open).filter(|key| near(key)).map(|key| key.id);
        }
        let kept = self.heads.range(..self.heads.partition_point(|key| key.at <= at)).rev().take(TRACE_REACH);
        fresh
            .iter()
            .rev()
            .take(TRACE_REACH)
            .chain(kept)
            .filter(|key| near(key))
            .find(|key| self.get(key.id).is_some_and(|line| line.log.source == log.source))
            .map(|key| key.id)
    }

    fn line_mut(&mut self, id: u64) -> &mut Line {
        let at = usize::try_from(id - self.base).expect("a line's number lies within the lines that are kept");
        self.lines[at].as_mut().expect("the owner and the last line of a stack trace leave together")
    }

    fn evict(&mut self) {
        while self.bytes > self.budget && self.heads.len() > 1 {
            let Some(head) = self.heads.pop_front() else { break };
            let mut next = Some(head.id);
            while let Some(line) = next.and_then(|id| self.lines[usize::try_from(id - self.base).expect("a kept line's number")].take()) {
                self.known.remove(&line.log.key);
                self.bytes -= cost(&line.log);
                self.evicted += 1;
                if self.open.get(&line.log.source).is_some_and(|open| open.id == line.head) {
                    self.open.remove(&line.log.source);
                }
                next = line.next;
            }
        }
        while let Some(None) = self.lines.front() {
            self.lines.pop_front();
            self.base += 1;
        }
    }
}

/// Merges keys, sorted by time, into keys that are sorted too. What belongs at the end, as most does, costs nothing beyond itself.
pub(super) fn merge(into: &mut VecDeque<Key>, new: &[Key]) {
    let Some(first) = new.first() else { return };
    let at = into.partition_point(|key| key < first);
    let mut rest = into.split_off(at).into_iter().peekable();
    for key in new {
        while let Some(old) = rest.next_if(|old| old < key) {
            into.push_back(old);
        }
        into.push_back(*key);
    }
    into.extend(rest);
}

/// Whether a line continues another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Continues {
    /// Indented, or in the words that only stack traces have.
    Any,
    /// It names an exception or a place in the code: it belongs to the error that was told just before, if one was.
    Trouble,
    /// It stands for itself.
    Nothing,
}

fn continues(text: &str) -> Continues {
    let starts = |words: &[&str]| words.iter().any(|word| text.starts_with(word));
    if text.is_empty()
        || text.starts_with([' ', ')', '}'])
        || starts(&["Caused by: ", "... ", "at ", "Suppressed: ", "The above exception was"])
    {
        return Continues::Any;
    }
    let first = text.split([' ', ':']).next().unwrap_or(text);
    let named = first.len() < text.len().max(1)
        && ["Exception", "Error", "Throwable"].iter().any(|end| first.ends_with(end) && first.len() > end.len());
    let numbered = text.strip_prefix('#').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let called = text.ends_with(')') && !text.contains(' ') && text.contains('(');
    if named
        || numbered
        || called
        || starts(&["Traceback (most recent call last)", "goroutine ", "Stack trace:", "[stacktrace]", "During handling of the above"])
    {
        return Continues::Trouble;
    }
    Continues::Nothing
}

/// Bytes that a line takes: its text and what is kept beside it.
fn cost(log: &LogLine) -> usize {
    log.text.len() + size_of::<Option<Line>>() + 2 * size_of::<Key>() + 3 * size_of::<u64>()
}

#[cfg(test)]
mod tests {
    use super::super::sample::{line, stream};
    use super::*;
    use proptest::prelude::*;

    fn texts(buffer: &Buffer) -> Vec<String> {
        buffer.heads().iter().map(|key| buffer.group(key.id).map(|line| &*line.log.text).collect::<Vec<_>>().join("|")).collect()
    }

    fn push(buffer: &mut Buffer, lines: Vec<LogLine>) -> bool {
        buffer.push(lines, TailState::default())
    }

    #[test]
    fn lines_of_several_tasks_are_merged_by_time() {
        let (a, b) = (stream("aaaa", "app"), stream("bbbb", "app"));
        let mut buffer = Buffer::default();
        assert!(push(&mut buffer, vec![line(&a, 1_000, "a1"), line(&a, 3_000, "a3"), line(&a, 5_000, "a5")]));
        assert!(push(&mut buffer, vec![line(&b, 2_000, "b2"), line(&b, 4_000, "b4"), line(&b, 6_000, "b6")]));
        assert_eq!(texts(&buffer), ["a1", "b2", "a3", "b4", "a5", "b6"]);
    }

    #[test]
    fn a_line_that_is_known_is_not_kept_twice() {
        let a = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        push(&mut buffer, vec![line(&a, 1_000, "once")]);
        assert!(!push(&mut buffer, vec![line(&a, 1_000, "once")]));
        assert_eq!(buffer.len(), 1);
    }

    #[test]
    fn a_stack_trace_hangs_under_its_line_though_another_task_speaks_in_between() {
        let (a, b) = (stream("aaaa", "app"), stream("bbbb", "app"));
        let mut buffer = Buffer::default();
        push(&mut buffer, vec![line(&a, 1_000, "ERROR boom"), line(&b, 1_001, "fine"), line(&a, 1_002, "    at com.acme.Basket.load")]);
        push(&mut buffer, vec![line(&a, 1_003, "Caused by: java.io.IOException"), line(&a, 60_000, "    an indented line of its own")]);
        assert_eq!(
            texts(&buffer),
            ["ERROR boom|    at com.acme.Basket.load|Caused by: java.io.IOException", "fine", "    an indented line of its own"]
        );
        assert_eq!(buffer.get(0).map(|line| line.followers), Some(2));
    }

    #[test]
    fn an_exception_belongs_to_the_error_just_before_and_stands_alone_without_one() {
        let a = stream("aaaa", "app");
        for (told, follows) in [
            ("ERROR request failed", "java.lang.IllegalStateException: no"),
            ("ERROR request failed", "Traceback (most recent call last):"),
            ("Traceback (most recent call last):", "ValueError: bad"),
            ("panic: nil map", "goroutine 1 [running]:"),
            ("panic: nil map", "main.(*Server).handle(0xc000)"),
            ("PHP Fatal error:  Uncaught PDOException", "#0 /var/www/app.php(12): run()"),
        ] {
            let mut buffer = Buffer::default();
            push(
                &mut buffer,
                vec![line(&a, 1_000, "INFO fine"), line(&a, 1_001, follows), line(&a, 2_000, told), line(&a, 2_001, follows)],
            );
            assert_eq!(texts(&buffer), ["INFO fine".to_owned(), follows.to_owned(), format!("{told}|{follows}")], "{follows}");
        }
    }

    #[test]
    fn a_late_line_of_a_stack_trace_finds_its_owner() {
        let a = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        push(&mut buffer, vec![line(&a, 1_000, "ERROR boom"), line(&a, 5_000, "later")]);
        push(&mut buffer, vec![line(&a, 1_001, "    at late")]);
        assert_eq!(texts(&buffer), ["ERROR boom|    at late", "later"]);
    }

    #[test]
    fn the_oldest_lines_go_when_the_budget_is_spent_and_are_counted() {
        let a = stream("aaaa", "app");
        let mut buffer = Buffer::new(100 * (cost(&line(&a, 0, "0000"))));
        for n in 0..1_000 {
            push(&mut buffer, vec![line(&a, n * 10, &format!("{n:04}"))]);
        }
        assert_eq!((buffer.len(), buffer.evicted()), (100, 900));
        assert_eq!(texts(&buffer).first().map(String::as_str), Some("0900"));
        assert!(buffer.get(0).is_none() && buffer.bytes() <= buffer.budget());
    }

    proptest! {
        #[test]
        fn any_arrival_gives_one_order_by_time(batches in prop::collection::vec(prop::collection::vec((0_i64..500, 0_usize..3, any::<bool>()), 0..20), 0..12), budget in 1_usize..20_000) {
            let streams = [stream("aaaa", "app"), stream("bbbb", "app"), stream("cccc", "envoy")];
            let mut buffer = Buffer::new(budget);
            for (n, batch) in batches.iter().enumerate() {
                let lines = batch.iter().enumerate().map(|(i, (at, who, trace))| line(&streams[*who], *at, &format!("{}{n}.{i}", if *trace { "  " } else { "" }))).collect();
                push(&mut buffer, lines);
                prop_assert!(buffer.heads().iter().is_sorted());
                let kept: usize = buffer.heads().iter().map(|key| buffer.group(key.id).count()).sum();
                prop_assert_eq!(kept, buffer.len());
                prop_assert!(buffer.heads().iter().all(|key| buffer.get(key.id).is_some_and(|line| line.head == key.id)));
            }
        }
    }
}
