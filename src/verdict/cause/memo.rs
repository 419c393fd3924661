//! Explanations that were made before. AWS repeats its texts from task to task and from poll to poll, and to read one takes longer than
//! everything else in a verdict.

use super::{Explanation, Stop, event, stopped};
use std::borrow::Borrow;
use std::cell::Cell;
use std::collections::HashMap;
use std::hash::Hash;
use std::rc::Rc;

/// Explanations of one kind that are kept; then they are forgotten all at once, and those still needed are made again.
const MOST: usize = 2_000;

/// Taken out while it is looked into, and put back: a verdict is judged by one at a time.
type Known<K> = Cell<HashMap<K, Rc<Explanation>>>;

/// What is remembered.
#[derive(Default)]
pub struct Memo {
    stops: Known<Stop>,
    events: Known<String>,
}

impl Memo {
    /// As [`stopped`] explains it.
    #[must_use]
    pub fn stopped(&self, stop: &Stop) -> Rc<Explanation> {
        remembered(&self.stops, stop, stopped)
    }

    /// As [`event`] explains it.
    #[must_use]
    pub fn event(&self, text: &str) -> Rc<Explanation> {
        remembered(&self.events, text, event)
    }
}

fn remembered<K, Q>(remembered: &Known<K>, of: &Q, explain: fn(&Q) -> Explanation) -> Rc<Explanation>
where
    K: Borrow<Q> + Hash + Eq,
    Q: Hash + Eq + ToOwned<Owned = K> + ?Sized,
{
    let mut known = remembered.take();
    if known.len() > MOST {
        known.clear();
    }
    let explained = match known.get(of) {
        Some(explained) => Rc::clone(explained),
        None => Rc::clone(known.entry(of.to_owned()).or_insert_with(|| Rc::new(explain(of)))),
    };
    remembered.set(known);
    explained
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_what_would_be_said() {
        let memo = Memo::default();
        let stop = Stop { reason: "OutOfMemoryError: Container killed due to memory usage".to_owned(), ..Stop::default() };
        let told = "(service api) has reached a steady state.";
        for _ in 0..2 {
            assert_eq!((&*memo.stopped(&stop), &*memo.event(told)), (&stopped(&stop), &event(told)));
        }
        assert!(Rc::ptr_eq(&memo.event(told), &memo.event(told)));
    }

    #[test]
    fn it_does_not_grow_for_ever() {
        let memo = Memo::default();
        for n in 0..MOST + 2 {
            let _ = memo.event(&format!("sentence {n}"));
        }
        assert_eq!(memo.events.take().len(), 1);
    }
}
