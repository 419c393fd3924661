//! One copy of every word that AWS repeats. A thousand tasks name the same cluster, the same image and the same states, and what did not
//! change is seen at once to be the same.

use crate::model::Str;
use crate::text::clean;
use foldhash::fast::RandomState;
use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

/// Bytes of the longest text that is worth looking for: an ARN, an image with its digest.
const LONGEST: usize = 256;

/// Words from which on those are looked for that nothing holds any more.
const MANY: usize = 4096;

thread_local! {
    // The runtime has one thread, which takes in all replies; a second one would only have copies of its own.
    static WORDS: RefCell<Words> = RefCell::default();
}

/// The text, cleaned, in the copy that is there already if there is one.
pub(super) fn word(text: &str) -> Str {
    if text.len() > LONGEST { clean(text) } else { WORDS.with_borrow_mut(|words| words.get(text)) }
}

#[derive(Default)]
struct Words {
    known: HashSet<Str, RandomState>,
    /// How many there may be before they are looked through.
    most: usize,
}

impl Words {
    fn get(&mut self, text: &str) -> Str {
        if let Some(known) = self.known.get(text) {
            return known.clone();
        }
        let word = clean(text);
        // What had to be cleaned would not be found again by what AWS sends.
        if *word == *text {
            if self.known.len() >= self.most.max(MANY) {
                self.known.retain(|word| Arc::strong_count(word) > 1);
                self.most = self.known.len() * 2;
            }
            self.known.insert(word.clone());
        }
        word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_repeated_is_one_and_what_nobody_holds_is_forgotten() {
        let mut words = Words::default();
        let held = words.get("RUNNING");
        assert!(Arc::ptr_eq(&held, &words.get("RUNNING")));
        assert_eq!(&*words.get("RUN\u{1b}NING"), &*clean("RUN\u{1b}NING"));
        (0..3 * MANY).for_each(|n| drop(words.get(&n.to_string())));
        assert!(words.known.len() <= MANY + 1, "{}", words.known.len());
        assert!(Arc::ptr_eq(&held, &words.get("RUNNING")));
    }
}
