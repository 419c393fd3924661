//! Reads the remote's bytes before the emulator does: takes out what it cannot do or must not get, and puts what it can in its place.
//!
//! The emulator (vt100 on vte) repeats a sequence as often as a number in it says, keeps every string to its end, panics on some figures
//! and loses text behind a character that comes in two pieces. So no number reaches it that is greater than the screen, no string, no
//! part of a character, and nothing that it does not know. What xterm's terminfo promises
//! beyond that is put into words that it knows: repeated characters, line drawing, tabs back, colours with colons. It knows no cell.

/// Most bytes of a control sequence; longer ones are no sequence of any program.
const LONGEST_CSI: usize = 256;

/// Most bytes of a title.
const LONGEST_TITLE: usize = 1024;

/// Columns between two tab stops.
const TAB: u16 = 8;

/// DEC's special graphics, from `_` to `~`, as terminfo's `smacs` switches them on.
const GRAPHICS: [char; 32] = [
    ' ', '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─', '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤',
    '≥', 'π', '≠', '£', '·',
];

/// Private modes that the emulator knows.
const MODES: &[u16] = &[1, 6, 9, 25, 47, 1000, 1002, 1003, 1005, 1006, 1049, 2004];

/// What the emulator must do.
pub trait Emulator {
    /// Takes in a control.
    fn pass(&mut self, bytes: &[u8]);
    /// Takes in text, with controls of single bytes in it. `whole` says that it scrolls the whole screen.
    fn text(&mut self, bytes: &[u8], whole: bool);
    /// Takes in a control that sets colours and attributes and moves nothing.
    fn colour(&mut self, bytes: &[u8]);
    /// Where the cursor is, and the size: row, column, rows, columns; all from zero.
    fn at(&mut self) -> (u16, u16, u16, u16);
    /// The remote asked something; this is what it gets.
    fn reply(&mut self, text: &str);
    /// The remote names the window.
    fn title(&mut self, text: &str);
    /// The remote wants to know of the focus, or no longer.
    fn focus(&mut self, wanted: bool);
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `ESC` and an intermediate byte.
    Intermediate(u8),
    Csi,
    /// A control sequence that is too long or malformed: its end is waited for.
    Ignore,
    /// A string; the flag says whether it is kept, as a title.
    Text(bool),
    /// An `ESC` inside a string.
    TextEscape(bool),
}

/// Where the reading stands, from one piece of bytes to the next.
#[derive(Debug, Default)]
pub struct Scan {
    state: State,
    held: Vec<u8>,
    /// Whether the two sets of characters are line drawing, and which is on.
    graphics: [bool; 2],
    shifted: bool,
    /// Whether a part of the screen scrolls alone: on the first screen, on the other one, and which is shown.
    margins: [bool; 2],
    alternate: bool,
    /// The beginning of a character whose rest has not come.
    part: Vec<u8>,
    /// The last bytes of plain text, for what is to be repeated.
    tail: Vec<u8>,
}

impl Scan {
    /// Reads a piece.
    pub fn feed(&mut self, bytes: &[u8], to: &mut impl Emulator) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.state == State::Ground {
                rest = self.ground(rest, to);
            } else {
                self.step(rest[0], to);
                rest = &rest[1..];
            }
        }
    }

    /// Plain text up to the next byte that is none.
    fn ground<'a>(&mut self, bytes: &'a [u8], to: &mut impl Emulator) -> &'a [u8] {
        let end = memchr::memchr3(0x1b, 0x0e, 0x0f, bytes).unwrap_or(bytes.len());
        let (text, rest) = bytes.split_at(end);
        let text = self.complete(text, to);
        let (text, part) = text.split_at(text.len() - unfinished(text));
        if self.graphics[usize::from(self.shifted)] {
            self.text(&lines(text), to);
        } else {
            self.text(text, to);
        }
        self.part.extend_from_slice(part);
        // What is cut off by a control never was a character.
        if !rest.is_empty() {
            self.hand_on(to);
        }
        let Some(control) = rest.first() else { return rest };
        match control {
            0x0e => self.shifted = true,
            0x0f => self.shifted = false,
            _ => self.state = State::Escape,
        }
        &rest[1..]
    }

    /// Puts the rest of a character to its beginning; returns what comes after it.
    fn complete<'a>(&mut self, text: &'a [u8], to: &mut impl Emulator) -> &'a [u8] {
        if self.part.is_empty() {
            return text;
        }
        let wanted = length(self.part[0]) - self.part.len();
        let rest = text.iter().take(wanted).take_while(|byte| continues(**byte)).count();
        self.part.extend_from_slice(&text[..rest]);
        if rest == wanted || rest < text.len() {
            self.hand_on(to);
        }
        &text[rest..]
    }

    /// Hands on the beginning of a character with what has come of its rest, whether it is whole or never will be.
    fn hand_on(&mut self, to: &mut impl Emulator) {
        let part = std::mem::take(&mut self.part);
        self.text(&part, to);
    }

    fn text(&mut self, text: &[u8], to: &mut impl Emulator) {
        if text.is_empty() {
            return;
        }
        // Ill-formed bytes are told here: what the emulator makes of them depends on what comes next.
        let text = String::from_utf8_lossy(text);
        let text = text.as_bytes();
        to.text(text, !self.margins[usize::from(self.alternate)]);
        self.tail.extend_from_slice(&text[text.len().saturating_sub(4)..]);
        let more = self.tail.len().saturating_sub(4);
        self.tail.drain(..more);
    }

    fn step(&mut self, byte: u8, to: &mut impl Emulator) {
        match self.state {
            State::Ground => {}
            State::Escape => self.escape(byte, to),
            State::Intermediate(first) => self.intermediate(first, byte),
            State::Csi | State::Ignore => self.control(byte, to),
            State::Text(kept) => match byte {
                0x1b => self.state = State::TextEscape(kept),
                0x07 | 0x18 | 0x1a => self.end_text(kept && byte == 0x07, to),
                byte if kept && self.held.len() < LONGEST_TITLE => self.held.push(byte),
                _ => {}
            },
            State::TextEscape(kept) if byte == b'\\' => self.end_text(kept, to),
            // Another sequence begins: the string is over without an end of its own.
            State::TextEscape(_) => {
                self.state = State::Escape;
                self.escape(byte, to);
            }
        }
    }

    fn escape(&mut self, byte: u8, to: &mut impl Emulator) {
        self.held.clear();
        self.state = match byte {
            b'[' => State::Csi,
            b']' => State::Text(true),
            // DCS, SOS, PM, APC, and the title of GNU screen.
            b'P' | b'X' | b'^' | b'_' | b'k' => State::Text(false),
            0x20..=0x2f => State::Intermediate(byte),
            0x1b => State::Escape,
            _ => State::Ground,
        };
        match byte {
            b'7' | b'8' | b'=' | b'>' | b'M' => to.pass(&[0x1b, byte]),
            b'c' => {
                *self = Scan::default();
                to.focus(false);
                to.pass(b"\x1bc");
            }
            b'D' => to.pass(b"\n"),
            b'E' => to.pass(b"\r\n"),
            // Controls inside a sequence are obeyed, and end it here.
            0x07..=0x0d => to.pass(&[byte]),
            _ => {}
        }
    }

    fn intermediate(&mut self, first: u8, byte: u8) {
        if (0x20..=0x2f).contains(&byte) {
            return;
        }
        self.state = if byte == 0x1b { State::Escape } else { State::Ground };
        match first {
            b'(' => self.graphics[0] = byte == b'0',
            b')' => self.graphics[1] = byte == b'0',
            _ => {}
        }
    }

    fn control(&mut self, byte: u8, to: &mut impl Emulator) {
        match byte {
            0x20..=0x3f if self.held.len() < LONGEST_CSI => self.held.push(byte),
            0x20..=0x3f => self.state = State::Ignore,
            0x40..=0x7e => {
                let known = self.state == State::Csi;
                self.state = State::Ground;
                if known {
                    let held = std::mem::take(&mut self.held);
                    self.dispatch(&held, byte, to);
                    self.held = held;
                }
            }
            0x1b => self.state = State::Escape,
            0x18 | 0x1a => self.state = State::Ground,
            0x07..=0x0d => to.pass(&[byte]),
            _ => {}
        }
    }

    fn end_text(&mut self, kept: bool, to: &mut impl Emulator) {
        self.state = State::Ground;
        if kept
            && let Ok(text) = std::str::from_utf8(&self.held)
            && let Some(title) = text.strip_prefix("0;").or_else(|| text.strip_prefix("2;"))
        {
            to.title(title);
        }
        self.held.clear();
    }

    fn dispatch(&mut self, held: &[u8], last: u8, to: &mut impl Emulator) {
        let Ok(held) = std::str::from_utf8(held) else { return };
        match held.as_bytes().first() {
            Some(b'?') => self.private(&held[1..], last, to),
            Some(b'>') if last == b'c' => to.reply("\x1b[>0;277;0c"),
            Some(b'<'..=b'?') => {}
            Some(b'!') if last == b'p' => to.pass(b"\x1b[?1l\x1b[?25h\x1b[m\x1b>"),
            _ if held.bytes().any(|byte| (0x20..=0x2f).contains(&byte)) => {}
            _ => self.plain(held, last, to),
        }
    }

    fn plain(&mut self, held: &str, last: u8, to: &mut impl Emulator) {
        if last == b'm' {
            // Where the cursor is makes no difference, and to ask for it would end all putting off.
            return to.colour(&colours(held));
        }
        let (row, column, rows, columns) = to.at();
        let most = rows.max(columns);
        let first = number(held).unwrap_or(0).clamp(1, most);
        let mut put = |last: u8| to.pass(&sequence(held, last, most));
        match last {
            b'r' => {
                put(last);
                let bottom = held.split(';').nth(1).and_then(number).unwrap_or(0);
                self.margins[usize::from(self.alternate)] = first > 1 || (bottom > 0 && bottom < rows);
            }
            b'@'..=b'H' | b'J'..=b'M' | b'P' | b'S' | b'T' | b'X' | b'd' => put(last),
            b'f' => put(b'H'),
            b'`' => put(b'G'),
            b'a' => put(b'C'),
            b'e' => put(b'B'),
            b'b' => self.repeat(usize::from(first.min(columns)), to),
            b'I' => to.pass(&b"\t".repeat(usize::from(first.min(columns / TAB + 1)))),
            b'Z' => {
                let stop = column.saturating_sub(1) / TAB;
                let to_column = if column == 0 { 0 } else { stop.saturating_sub(first - 1) * TAB };
                to.pass(format!("\x1b[{}G", to_column + 1).as_bytes());
            }
            b's' if held.is_empty() => to.pass(b"\x1b7"),
            b'u' if held.is_empty() => to.pass(b"\x1b8"),
            b'c' if number(held).unwrap_or(0) == 0 => to.reply("\x1b[?62;22c"),
            b'n' if held == "5" => to.reply("\x1b[0n"),
            b'n' if held == "6" => to.reply(&format!("\x1b[{};{}R", row + 1, column.min(columns - 1) + 1)),
            _ => {}
        }
    }

    fn private(&mut self, held: &str, last: u8, to: &mut impl Emulator) {
        let numbers = held.split(';').filter_map(number);
        match last {
            b'h' | b'l' => {
                for mode in numbers.take(16) {
                    if matches!(mode, 47 | 1047 | 1049) {
                        self.alternate = last == b'h';
                        // Entering it by 1049 clears its margins; the other ways leave them.
                        self.margins[1] &= mode != 1049;
                    }
                    set(mode, last, to);
                }
            }
            b'J' | b'K' => to.pass(&sequence(held, last, 3)),
            b'n' if held == "6" => {
                let (row, column, _, columns) = to.at();
                to.reply(&format!("\x1b[?{};{}R", row + 1, column.min(columns - 1) + 1));
            }
            b'p' if held.ends_with('$') => {
                let mode = held.trim_end_matches('$');
                if mode.bytes().all(|byte| byte.is_ascii_digit()) && mode.len() < 6 {
                    to.reply(&format!("\x1b[?{mode};0$y"));
                }
            }
            _ => {}
        }
    }

    /// The last character once more, as terminfo's `rep` asks.
    fn repeat(&mut self, times: usize, to: &mut impl Emulator) {
        let begins = self.tail.iter().rposition(|byte| !continues(*byte)).unwrap_or(0);
        let last = std::str::from_utf8(&self.tail[begins..]).ok().filter(|text| !text.is_empty() && !text.contains(char::is_control));
        if let Some(last) = last {
            to.text(last.repeat(times).as_bytes(), false);
        }
    }
}

/// Bytes of the character that a byte begins; one where it begins none.
fn length(first: u8) -> usize {
    match first {
        0xc2..=0xdf => 2,
        0xe0..=0xef => 3,
        0xf0..=0xf4 => 4,
        _ => 1,
    }
}

fn continues(byte: u8) -> bool {
    byte & 0xc0 == 0x80
}

/// Bytes at the end that begin a character without ending it.
fn unfinished(text: &[u8]) -> usize {
    let back = text.iter().rev().take(3).position(|byte| !continues(*byte)).map_or(0, |at| at + 1);
    if back > 0 && length(text[text.len() - back]) > back { back } else { 0 }
}

/// Text in which letters are line drawing.
fn lines(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() * 3);
    for byte in text {
        match byte.checked_sub(b'_').and_then(|n| GRAPHICS.get(usize::from(n))) {
            Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            None => out.push(*byte),
        }
    }
    out
}

/// The first number of a sequence.
fn number(held: &str) -> Option<u16> {
    let digits = held.split(';').next()?;
    (!digits.is_empty()).then(|| digits.parse().unwrap_or(u16::MAX))
}

/// The same sequence with no number greater than `most`.
fn sequence(held: &str, last: u8, most: u16) -> Vec<u8> {
    let numbers: Vec<String> =
        held.split(';').take(4).map(|part| number(part).map_or(String::new(), |n| n.min(most).to_string())).collect();
    let mut out = format!("\x1b[{}", numbers.join(";")).into_bytes();
    out.push(last);
    out
}

/// Colours and attributes: colons become semicolons, and what the emulator has no word for is left out.
fn colours(held: &str) -> Vec<u8> {
    let mut parts: Vec<String> = Vec::new();
    for part in held.split(';') {
        let subs: Vec<&str> = part.split(':').collect();
        match subs.as_slice() {
            [one] => parts.push((*one).to_owned()),
            ["4", "0"] => parts.push("24".to_owned()),
            ["4", ..] => parts.push("4".to_owned()),
            [ground @ ("38" | "48"), "5", index] => parts.push(format!("{ground};5;{index}")),
            // With the colour space, which nobody fills in, and without.
            [ground @ ("38" | "48"), "2", r, g, b] | [ground @ ("38" | "48"), "2", _, r, g, b] => {
                parts.push(format!("{ground};2;{r};{g};{b}"));
            }
            _ => {}
        }
    }
    format!("\x1b[{}m", parts.join(";")).into_bytes()
}

fn set(mode: u16, last: u8, to: &mut impl Emulator) {
    let on = last == b'h';
    let mut pass = |mode: u16| {
        let mut sequence = format!("\x1b[?{mode}").into_bytes();
        sequence.push(last);
        to.pass(&sequence);
    };
    match mode {
        // The alternate screen in its older form.
        1047 => pass(47),
        1048 => to.pass(if on { b"\x1b7" } else { b"\x1b8" }),
        1004 => to.focus(on),
        mode if MODES.contains(&mode) => pass(mode),
        _ => {}
    }
}
