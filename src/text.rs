//! The one gate for text from outside: names, tags, events, log lines. What passes it may be drawn as it is.
//!
//! Nothing that a terminal obeys or that a reader cannot see gets through: escape sequences, control characters, bidi controls and
//! invisible characters become visible text. It knows no screen; widths are cells as ratatui counts them, so that what is measured is what is drawn.

mod apart;
mod cells;
pub mod secret;

pub use apart::{differences, fit_apart};
pub(crate) use cells::{alone, end_at};
pub use cells::{fit, fit_middle, pad, pad_left, width};

use crate::model::Str;
use unicode_width::UnicodeWidthChar;

/// Longest single-line text in characters. AWS's own names end at 255; what is longer is an accident or an attack.
pub const LONGEST: usize = 1024;

/// Columns between two tab stops in log lines: half a terminal's, because lines are already indented by their columns.
const TAB: usize = 4;

/// Combining marks that one character may carry; more is decoration that hides its neighbours.
const MARKS: usize = 4;

/// A text of one line: line breaks and controls become glyphs, tabs blanks, and what follows [`LONGEST`] characters an ellipsis.
#[must_use]
pub fn clean(text: &str) -> Str {
    if text.len() <= LONGEST && plain(text) {
        return text.into();
    }
    let mut out = Cleaner::new(text.len().min(LONGEST));
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => out.put('\u{2424}'),
            '\t' => out.put(' '),
            c => out.take(c),
        }
        if out.chars > LONGEST {
            return cut(&out.text, LONGEST).into();
        }
    }
    out.text.into()
}

/// A text of several lines: `\n` and `\r\n` stay line breaks, tabs become blanks up to the next tab stop, nothing is cut.
#[must_use]
pub fn clean_multiline(text: &str) -> Box<str> {
    if text.split('\n').all(plain) {
        return text.into();
    }
    let mut out = Cleaner::new(text.len() + text.len() / 8);
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => out.line_break(),
            '\t' => (0..TAB - out.column % TAB).for_each(|_| out.put(' ')),
            c => out.take(c),
        }
    }
    out.text.into()
}

/// Whether nothing needs a second look: printable ASCII, which nearly all text is.
fn plain(text: &str) -> bool {
    text.bytes().all(|b| (0x20..0x7f).contains(&b))
}

/// The first characters of a text that is too long, with an ellipsis as the last.
fn cut(text: &str, chars: usize) -> String {
    let mut short: String = text.chars().take(chars - 1).collect();
    short.push('…');
    short
}

/// Text under construction.
struct Cleaner {
    text: String,
    /// Characters so far.
    chars: usize,
    /// Characters in the current line.
    column: usize,
    /// Combining marks since the last character that has a width.
    marks: usize,
    /// The last character taken, before it was rewritten.
    last: char,
}

impl Cleaner {
    fn new(capacity: usize) -> Self {
        Cleaner { text: String::with_capacity(capacity), chars: 0, column: 0, marks: 0, last: '\0' }
    }

    fn put(&mut self, c: char) {
        self.text.push(c);
        self.chars += 1;
        self.column += 1;
    }

    fn line_break(&mut self) {
        self.put('\n');
        self.column = 0;
        self.marks = 0;
    }

    /// Adds one character in the form that may be shown.
    fn take(&mut self, c: char) {
        let last = std::mem::replace(&mut self.last, c);
        match c {
            ' '..='~' => self.base(c),
            // The control pictures mirror C0 one to one.
            '\0'..='\x1f' => self.base(char::from_u32(0x2400 + u32::from(c)).expect("U+2400 to U+241F are assigned")),
            '\x7f' => self.base('\u{2421}'),
            // Emoji and text style selectors, and joiners between emoji, only choose a picture; terminals disagree about its width.
            '\u{fe0e}' | '\u{fe0f}' if self.column > 0 => self.last = last,
            '\u{200d}' if pictograph(last) => {}
            c if invisible(c) => self.escape(c),
            c => match c.width() {
                None => self.escape(c),
                Some(0) => self.mark(c),
                Some(_) => self.base(c),
            },
        }
    }

    fn base(&mut self, c: char) {
        self.put(c);
        self.marks = 0;
    }

    /// A combining mark needs something of its own line to stand on, or it would change a neighbour's text.
    fn mark(&mut self, c: char) {
        if self.column == 0 {
            self.base('◌');
        }
        if self.marks < MARKS {
            self.put(c);
            self.marks += 1;
        } else {
            self.escape(c);
        }
    }

    fn escape(&mut self, c: char) {
        c.escape_unicode().for_each(|c| self.base(c));
    }
}

/// Whether a character may not stand in a cell: a terminal obeys it, or a reader cannot see it.
#[must_use]
pub fn unseen(c: char) -> bool {
    c.is_control() || invisible(c)
}

fn pictograph(c: char) -> bool {
    matches!(c, '\u{2190}'..='\u{2bff}' | '\u{1f000}'..='\u{1faff}')
}

/// Characters that take part in the text unseen: bidi controls, zero-width characters, fillers, tags, line separators. The list is Unicode's
/// `Default_Ignorable_Code_Point` plus the separators and the annotation and format controls that it leaves out.
fn invisible(c: char) -> bool {
    matches!(
        c,
        '\u{80}'..='\u{9f}'
            | '\u{ad}'
            | '\u{34f}'
            | '\u{600}'..='\u{605}'
            | '\u{61c}'
            | '\u{6dd}'
            | '\u{70f}'
            | '\u{890}'..='\u{891}'
            | '\u{8e2}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}'
            | '\u{110cd}'
            | '\u{13430}'..='\u{1345f}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Strings in which the dangerous characters are as frequent as the harmless ones.
    fn wild() -> impl Strategy<Value = String> {
        let character = prop_oneof![
            any::<char>(),
            prop::char::range('\0', '\u{ff}'),
            prop::char::range('\u{300}', '\u{36f}'),
            prop::char::range('\u{2000}', '\u{206f}'),
            prop::char::range('\u{fe00}', '\u{ffff}'),
            prop::char::range('\u{1f300}', '\u{1faff}'),
            prop::sample::select(vec!['\n', '\r', '\t', '\u{1b}', '\u{200d}', '\u{fe0f}', '漢', 'é', '\u{e0041}']),
        ];
        prop::collection::vec(character, 0..60).prop_map(String::from_iter)
    }

    fn harmless(c: char) -> bool {
        !c.is_control() && !invisible(c)
    }

    proptest! {
        #[test]
        fn nothing_that_a_terminal_obeys_gets_through(text in wild()) {
            prop_assert!(clean(&text).chars().all(harmless));
            prop_assert!(clean_multiline(&text).chars().all(|c| c == '\n' || harmless(c)));
        }

        #[test]
        fn clean_text_stays_as_it_is(text in wild()) {
            let once = clean(&text);
            prop_assert_eq!(&clean(&once), &once);
            let lines = clean_multiline(&text);
            prop_assert_eq!(&clean_multiline(&lines), &lines);
        }

        #[test]
        fn every_line_is_visible_from_its_first_cell(text in wild()) {
            for line in clean_multiline(&text).split('\n').filter(|line| !line.is_empty()) {
                prop_assert!(line.chars().next().and_then(char::width) > Some(0), "{line:?}");
            }
        }

        #[test]
        fn printable_ascii_is_not_touched(text in "[ -~]{0,80}") {
            prop_assert_eq!(&*clean(&text), &*text);
            prop_assert_eq!(&*clean_multiline(&text), &*text);
        }
    }

    #[test]
    fn escape_sequences_are_shown_not_obeyed() {
        assert_eq!(&*clean("\x1b[31mred\x1b[0m\x07\u{9b}2J"), "␛[31mred␛[0m␇\\u{9b}2J");
    }

    #[test]
    fn bidi_and_zero_width_characters_are_spelled_out() {
        assert_eq!(&*clean("pay\u{202e}stnem"), "pay\\u{202e}stnem");
        assert_eq!(&*clean("a\u{200b}b\u{feff}"), "a\\u{200b}b\\u{feff}");
    }

    #[test]
    fn a_name_keeps_to_one_line_and_a_log_line_keeps_its_breaks() {
        assert_eq!(&*clean("one\r\ntwo\tthree\r"), "one␤two three␍");
        assert_eq!(&*clean_multiline("one\r\n\ttwo\na\tb\r"), "one\n    two\na   b␍");
    }

    #[test]
    fn letters_of_all_scripts_and_emoji_stay() {
        for text in ["naïve", "支払い", "e\u{301}", "한국", "пример", "🚀 up"] {
            assert_eq!(&*clean(text), text);
        }
        assert_eq!(&*clean("⚠\u{fe0f} 👨\u{200d}👩"), "⚠ 👨👩");
    }

    #[test]
    fn a_name_of_a_megabyte_is_cut() {
        assert_eq!(clean(&"x".repeat(1 << 20)).chars().count(), LONGEST);
        assert!(clean(&"\u{202e}".repeat(1 << 20)).ends_with('…'));
    }

    #[test]
    fn marks_are_not_piled_up() {
        let zalgo = format!("h{}", "\u{301}".repeat(50));
        let longest = clean(&zalgo).split(|c| c != '\u{301}').map(|run| run.chars().count()).max();
        assert_eq!(longest, Some(MARKS));
    }
}
