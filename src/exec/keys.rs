//! From keys, pasted text and the mouse to the bytes that a remote terminal is sent, by what the remote has switched on.
//!
//! The bytes are xterm's, because `TERM` is `xterm-256color` there. It knows no session and no pane.

use super::term::{Modes, Mouse, MouseForm};
use crate::keys::{Button, Code, Key, Pointed, Pointing};

/// A key.
#[must_use]
pub fn key(key: Key, modes: Modes) -> Vec<u8> {
    let mut out = Vec::with_capacity(8);
    let with = u8::from(key.shift) + 2 * u8::from(key.alt) + 4 * u8::from(key.ctrl);
    match key.code {
        Code::Char(c) => {
            if key.alt {
                out.push(0x1b);
            }
            match control(c).filter(|_| key.ctrl) {
                Some(byte) => out.push(byte),
                None => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        // Carriage return: what a terminal sends, and the only thing that Windows takes.
        Code::Enter => simple(&mut out, key.alt, b"\r"),
        Code::Esc => simple(&mut out, key.alt, b"\x1b"),
        Code::Backspace => simple(&mut out, key.alt, if key.ctrl { b"\x08" } else { b"\x7f" }),
        Code::Tab if key.shift => out.extend_from_slice(b"\x1b[Z"),
        Code::Tab => simple(&mut out, key.alt, b"\t"),
        Code::Up => letter(&mut out, b'A', with, modes),
        Code::Down => letter(&mut out, b'B', with, modes),
        Code::Right => letter(&mut out, b'C', with, modes),
        Code::Left => letter(&mut out, b'D', with, modes),
        Code::Home => letter(&mut out, b'H', with, modes),
        Code::End => letter(&mut out, b'F', with, modes),
        Code::Insert => tilde(&mut out, 2, with),
        Code::Delete => tilde(&mut out, 3, with),
        Code::PageUp => tilde(&mut out, 5, with),
        Code::PageDown => tilde(&mut out, 6, with),
        Code::F(n @ 1..=4) if with == 0 => out.extend_from_slice(&[0x1b, b'O', b'P' + n - 1]),
        Code::F(n @ 1..=4) => out.extend_from_slice(format!("\x1b[1;{}{}", with + 1, char::from(b'P' + n - 1)).as_bytes()),
        Code::F(n) => {
            // Gaps where the VT220 had none of these keys.
            const NUMBERS: [u8; 8] = [15, 17, 18, 19, 20, 21, 23, 24];
            if let Some(number) = n.checked_sub(5).and_then(|at| NUMBERS.get(usize::from(at))) {
                tilde(&mut out, *number, with);
            }
        }
    }
    out
}

fn simple(out: &mut Vec<u8>, alt: bool, bytes: &[u8]) {
    if alt {
        out.push(0x1b);
    }
    out.extend_from_slice(bytes);
}

fn letter(out: &mut Vec<u8>, last: u8, with: u8, modes: Modes) {
    match with {
        0 if modes.application_cursor => out.extend_from_slice(&[0x1b, b'O', last]),
        0 => out.extend_from_slice(&[0x1b, b'[', last]),
        with => out.extend_from_slice(format!("\x1b[1;{}{}", with + 1, char::from(last)).as_bytes()),
    }
}

fn tilde(out: &mut Vec<u8>, number: u8, with: u8) {
    let text = if with == 0 { format!("\x1b[{number}~") } else { format!("\x1b[{number};{}~", with + 1) };
    out.extend_from_slice(text.as_bytes());
}

/// The control character of a key with Ctrl. Terminals send the digits 2 to 8 for those without a letter, and crossterm reports
/// 4 to 7 for the bytes of Ctrl-\ to Ctrl-_.
fn control(c: char) -> Option<u8> {
    Some(match c {
        'a'..='z' => u8::try_from(c).ok()? - b'a' + 1,
        'A'..='Z' => u8::try_from(c).ok()? - b'A' + 1,
        ' ' | '@' | '2' => 0,
        '[' | '3' => 0x1b,
        '\\' | '4' => 0x1c,
        ']' | '5' => 0x1d,
        '^' | '6' => 0x1e,
        '_' | '/' | '7' => 0x1f,
        '?' | '8' => 0x7f,
        _ => return None,
    })
}

/// Whether two keys are the same to a remote: Ctrl-] comes as Ctrl-5 from terminals that know no better.
#[must_use]
pub fn same(one: Key, other: Key) -> bool {
    one == other || (one.ctrl && other.ctrl && key(one, Modes::default()) == key(other, Modes::default()))
}

/// Pasted text. Line ends become those of a keyboard, and nothing in it can end the paste or be taken for a key.
#[must_use]
pub fn paste(text: &str, modes: Modes) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + 12);
    if modes.bracketed_paste {
        out.extend_from_slice(b"\x1b[200~");
    }
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' | '\n' => out.push(b'\r'),
            '\t' => out.push(b'\t'),
            c if c.is_control() => {}
            c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    if modes.bracketed_paste {
        out.extend_from_slice(b"\x1b[201~");
    }
    out
}

/// The mouse, where the remote wants to hear of that; nothing else.
#[must_use]
pub fn mouse(pointed: Pointed, modes: Modes) -> Option<Vec<u8>> {
    let wanted = match pointed.what {
        Pointing::Press(_) | Pointing::WheelUp | Pointing::WheelDown => Mouse::Press,
        Pointing::Release(_) => Mouse::Clicks,
        Pointing::Drag(_) => Mouse::Drags,
        Pointing::Move => Mouse::Moves,
    };
    if modes.mouse < wanted {
        return None;
    }
    let number = |button| match button {
        Button::Left => 0,
        Button::Middle => 1,
        Button::Right => 2,
    };
    let sgr = modes.mouse_form == MouseForm::Sgr;
    let base = match pointed.what {
        Pointing::Press(button) => number(button),
        // Without numbers nobody can say which button it was.
        Pointing::Release(button) => {
            if sgr {
                number(button)
            } else {
                3
            }
        }
        Pointing::Drag(button) => 32 + number(button),
        Pointing::Move => 35,
        Pointing::WheelUp => 64,
        Pointing::WheelDown => 65,
    };
    // The oldest protocol tells presses alone.
    let with = if modes.mouse == Mouse::Press {
        0
    } else {
        4 * u16::from(pointed.shift) + 8 * u16::from(pointed.alt) + 16 * u16::from(pointed.ctrl)
    };
    let (code, column, row) = (base + with, pointed.column.saturating_add(1), pointed.row.saturating_add(1));
    if sgr {
        let last = if matches!(pointed.what, Pointing::Release(_)) { 'm' } else { 'M' };
        return Some(format!("\x1b[<{code};{column};{row}{last}").into_bytes());
    }
    let mut out = b"\x1b[M".to_vec();
    for value in [code, column, row] {
        match (modes.mouse_form, u8::try_from(value + 32)) {
            (MouseForm::Utf8, _) => out.extend_from_slice(char::from_u32(u32::from(value) + 32)?.encode_utf8(&mut [0; 4]).as_bytes()),
            // A place beyond what a byte can say is not told at all.
            (_, byte) => out.push(byte.ok()?),
        }
    }
    Some(out)
}

/// What a wheel means to a program that has the screen and no mouse: arrow keys, as in xterm.
#[must_use]
pub fn wheel_as_keys(up: bool, modes: Modes) -> Vec<u8> {
    key(Key::plain(if up { Code::Up } else { Code::Down }), modes).repeat(3)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(name: &str, modes: Modes) -> Vec<u8> {
        key(name.parse().expect("a key"), modes)
    }

    #[test]
    fn keys_are_those_of_xterm() {
        for (name, bytes) in [
            ("a", &b"a"[..]),
            ("é", "é".as_bytes()),
            ("enter", b"\r"),
            ("esc", b"\x1b"),
            ("tab", b"\t"),
            ("shift-tab", b"\x1b[Z"),
            ("backspace", b"\x7f"),
            ("alt-backspace", b"\x1b\x7f"),
            ("ctrl-c", b"\x03"),
            ("ctrl-d", b"\x04"),
            ("ctrl-z", b"\x1a"),
            ("ctrl-\\", b"\x1c"),
            ("ctrl-4", b"\x1c"),
            ("ctrl-]", b"\x1d"),
            ("ctrl-space", b"\0"),
            ("alt-b", b"\x1bb"),
            ("up", b"\x1b[A"),
            ("ctrl-right", b"\x1b[1;5C"),
            ("shift-left", b"\x1b[1;2D"),
            ("home", b"\x1b[H"),
            ("delete", b"\x1b[3~"),
            ("pgdn", b"\x1b[6~"),
            ("ctrl-pgdn", b"\x1b[6;5~"),
            ("f1", b"\x1bOP"),
            ("shift-f1", b"\x1b[1;2P"),
            ("f5", b"\x1b[15~"),
            ("f11", b"\x1b[23~"),
            ("f12", b"\x1b[24~"),
        ] {
            assert_eq!(sent(name, Modes::default()), bytes, "{name}");
        }
    }

    #[test]
    fn arrows_change_with_the_mode_that_vim_asks_for() {
        let modes = Modes { application_cursor: true, ..Modes::default() };
        assert_eq!(sent("up", modes), b"\x1bOA");
        assert_eq!(sent("end", modes), b"\x1bOF");
        assert_eq!(sent("ctrl-up", modes), b"\x1b[1;5A", "with a modifier there is one form alone");
    }

    #[test]
    fn the_leader_is_known_in_both_of_its_forms() {
        let leader: Key = "ctrl-]".parse().unwrap();
        assert!(same(leader, "ctrl-5".parse().unwrap()));
        assert!(!same(leader, "]".parse().unwrap()) && !same(leader, "5".parse().unwrap()));
        assert!(!same("a".parse().unwrap(), "ctrl-a".parse().unwrap()));
    }

    #[test]
    fn pasted_text_is_marked_only_when_the_remote_asked() {
        assert_eq!(paste("ls\nid\r\n", Modes::default()), b"ls\rid\r");
        let modes = Modes { bracketed_paste: true, ..Modes::default() };
        assert_eq!(paste("ls\n", modes), b"\x1b[200~ls\r\x1b[201~");
    }

    #[test]
    fn nothing_pasted_can_end_the_paste() {
        let modes = Modes { bracketed_paste: true, ..Modes::default() };
        let bytes = paste("a\x1b[201~rm -rf /\x03\u{9b}201~", modes);
        assert_eq!(bytes, b"\x1b[200~a[201~rm -rf /201~\x1b[201~");
    }

    #[test]
    fn the_mouse_is_told_only_when_the_remote_asked_and_in_its_form() {
        let at = |what| Pointed { what, column: 9, row: 4, shift: false, alt: false, ctrl: false };
        let press = at(Pointing::Press(Button::Left));
        assert_eq!(mouse(press, Modes::default()), None);
        let clicks = Modes { mouse: Mouse::Clicks, ..Modes::default() };
        assert_eq!(mouse(press, clicks).as_deref(), Some(&b"\x1b[M\x20\x2a\x25"[..]));
        assert_eq!(mouse(at(Pointing::Drag(Button::Left)), clicks), None);
        let sgr = Modes { mouse: Mouse::Drags, mouse_form: MouseForm::Sgr, ..Modes::default() };
        assert_eq!(mouse(press, sgr).as_deref(), Some(&b"\x1b[<0;10;5M"[..]));
        assert_eq!(mouse(at(Pointing::Release(Button::Right)), sgr).as_deref(), Some(&b"\x1b[<2;10;5m"[..]));
        assert_eq!(mouse(at(Pointing::Drag(Button::Left)), sgr).as_deref(), Some(&b"\x1b[<32;10;5M"[..]));
        assert_eq!(mouse(at(Pointing::WheelDown), sgr).as_deref(), Some(&b"\x1b[<65;10;5M"[..]));
        assert_eq!(mouse(Pointed { ctrl: true, ..press }, sgr).as_deref(), Some(&b"\x1b[<16;10;5M"[..]));
        let far = Pointed { column: 300, ..press };
        assert_eq!(mouse(far, clicks), None, "a byte cannot say it");
        assert!(mouse(far, Modes { mouse_form: MouseForm::Utf8, ..clicks }).is_some());
    }
}
