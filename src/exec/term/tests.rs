//! The emulator with what programs send, and with what nobody should.

use super::*;
use proptest::prelude::*;
use ratatui::style::Color;

fn fed(bytes: &[u8]) -> Term {
    let mut term = Term::new(40, 6);
    term.feed(bytes);
    term.settle();
    term
}

fn seen(term: &mut Term) -> String {
    term.settle();
    term.text()
}

fn screen(bytes: &[u8]) -> String {
    fed(bytes).text()
}

#[test]
fn text_colours_and_the_cursor_are_where_the_remote_puts_them() {
    let term = fed(b"one\r\n\x1b[31mtwo\x1b[0m \x1b[38;2;1;2;3mtrue\x1b[38:2::4:5:6mcolon");
    assert_eq!(term.text(), "one\ntwo truecolon");
    assert_eq!(term.cursor(), Some((13, 1)));
    let mut buf = Buffer::empty(Rect::new(0, 0, 40, 6));
    term.draw(buf.area, &mut buf);
    assert_eq!(buf[(0, 1)].fg, Color::Indexed(1));
    assert_eq!(buf[(4, 1)].fg, Color::Rgb(1, 2, 3));
    assert_eq!(buf[(8, 1)].fg, Color::Rgb(4, 5, 6));
}

#[test]
fn what_terminfo_promises_of_xterm_is_kept() {
    assert_eq!(screen(b"a\x1b[4bz"), "aaaaaz", "a character is repeated");
    assert_eq!(screen("é\x1b[2b".as_bytes()), "ééé");
    assert_eq!(screen(b"\x1b(0lqk\x1b(B lqk"), "┌─┐ lqk", "line drawing");
    assert_eq!(screen(b"\x1b)0\x0ex\x0fx"), "│x", "and by shifting");
    assert_eq!(screen(b"0123456789\x1b[ZX"), "01234567X9", "a tab back");
    assert_eq!(screen(b"ab\x1b[2`X\x1b[3fY"), "aX\n\nY");
    assert_eq!(screen(b"a\x1bDb\x1bEc"), "a\n b\nc", "index and next line");
}

#[test]
fn the_remote_gets_answers_to_what_programs_ask() {
    let mut term = fed(b"ab\x1b[6n\x1b[c\x1b[>c\x1b[5n\x1b[?2026$p");
    assert_eq!(term.take_replies(), b"\x1b[1;3R\x1b[?62;22c\x1b[>0;277;0c\x1b[0n\x1b[?2026;0$y");
    assert!(term.take_replies().is_empty());
    for _ in 0..10_000 {
        term.feed(b"\x1b[6n");
    }
    assert!(term.take_replies().len() <= REPLIES, "a flood of questions is not answered for ever");
}

#[test]
fn modes_are_those_that_the_remote_switched_on() {
    let mut term = fed(b"\x1b[?1h\x1b[?2004h\x1b[?1002;1006h\x1b[?1004h\x1b[?1049h");
    let wanted = Modes {
        application_cursor: true,
        bracketed_paste: true,
        focus: true,
        mouse: Mouse::Drags,
        mouse_form: MouseForm::Sgr,
        alternate: true,
    };
    assert_eq!(term.modes(), wanted);
    term.feed(b"\x1bc");
    assert_eq!(term.modes(), Modes::default());
}

#[test]
fn a_string_of_the_remote_reaches_neither_the_cells_nor_the_terminal() {
    let mut term = fed(b"a\x1b]52;c;aGk=\x07b\x1bP+q544e\x1b\\c\x1b]0;ti\x1b\\d\x1b_x\x1b\\e");
    assert_eq!((term.text().as_str(), term.title()), ("abcde", Some("ti")));
    term.feed(b"\x1b]2;\xe2\x80\xaeevil\x07");
    assert_eq!(term.title(), Some("\\u{202e}evil"), "a title is text from outside");
    // Without an end it is held back, not kept.
    term.feed(&[b"\x1b]0;".as_slice(), &vec![b'x'; 1 << 20]].concat());
    term.feed(b"\x07!");
    assert_eq!(seen(&mut term), "abcde!");
}

#[test]
fn what_a_reader_cannot_see_is_not_drawn() {
    let term = fed("a\u{202e}b\u{200b}c e\u{301}".as_bytes());
    let mut buf = Buffer::empty(Rect::new(0, 0, 40, 6));
    term.draw(buf.area, &mut buf);
    let row: String = (0..6).map(|x| buf[(x, 0)].symbol().to_owned()).collect();
    assert_eq!(row.trim_end(), "abc e\u{301}");
}

/// vte 0.15 forgets the letter here when it gets the pieces as they come.
#[test]
fn a_character_that_comes_in_pieces_loses_nothing_behind_it() {
    let mut term = Term::new(40, 6);
    for piece in [&b"x\xc3"[..], b"\xa9a\xc3", b"\xa9", b"\xf0\x9f", b"\x9a", b"\x80!", b"\xe6\x97", b"\x1b[31m.", b"\xe6", b"b"] {
        term.feed(piece);
    }
    assert_eq!(seen(&mut term), "xéaé🚀!.b");
}

#[test]
fn a_wide_character_at_the_new_edge_is_no_trouble() {
    let mut term = Term::new(10, 3);
    term.feed("日日日日日\x1b[?1049h日日日日日".as_bytes());
    for columns in [9, 7, 12, 5, 4] {
        assert!(term.resize(columns, 3));
        term.feed("\x1b[2P\x1b[1;1H\x1b[@日\x1b[K\x1b[?47l\x1b[3P日\x1b[2;9H\x1b[1K\x1b[?47h".as_bytes());
    }
}

#[test]
fn a_snapshot_is_looked_around_in_while_the_session_goes_on() {
    let mut term = Term::new(20, 4);
    for n in 0..100 {
        term.feed(format!("line {n}\r\n").as_bytes());
    }
    term.settle();
    let mut snapshot = term.snapshot();
    term.feed(b"later\r\n");
    assert_eq!(snapshot.lines(), 101);
    snapshot.go(Move::Top);
    assert_eq!(snapshot.text(), "line 0");
    snapshot.mark(true);
    snapshot.go(Move::Lines(2));
    assert_eq!(snapshot.text(), "line 0\nline 1\nline 2");
    assert!(snapshot.unmark() && !snapshot.unmark());
    assert!(snapshot.find("LINE 57", true));
    assert_eq!(snapshot.text(), "line 57");
    snapshot.mark(false);
    snapshot.go(Move::Lines(1));
    snapshot.go(Move::End);
    assert_eq!(snapshot.text(), "line 57\nline 58");
    assert!(!snapshot.find("later", true), "it came after");
    snapshot.go(Move::Bottom);
    assert_eq!(snapshot.below(), 0);
}

#[test]
fn a_line_that_the_terminal_broke_is_copied_as_one() {
    let mut term = Term::new(10, 4);
    term.feed(b"0123456789abcdef\r\nnext");
    term.settle();
    let mut snapshot = term.snapshot();
    snapshot.go(Move::Top);
    snapshot.mark(true);
    snapshot.go(Move::Lines(2));
    assert_eq!(snapshot.text(), "0123456789abcdef\nnext");
}

#[test]
fn no_number_makes_the_emulator_work_for_long() {
    let mut term = Term::new(120, 35);
    // Each of these would cost the emulator seconds with the number as it is sent.
    for last in *b"@LMPSTXb" {
        term.feed(format!("x\x1b[99999999999{}", char::from(last)).as_bytes());
    }
    term.feed(b"\x1b[65535;65535H\x1b[65535A\x1b[65535r\x1b[8;9999;9999t");
    assert_eq!(term.size(), (120, 35));
}

/// What scrolled out of sight unseen leaves the same cells, the same column and the same lines above as if it had been put into them.
#[test]
fn a_flood_of_which_most_is_never_seen_ends_as_if_all_of_it_had_been() {
    let flood: Vec<u8> = (0..60_000).flat_map(|n| format!("line {n}\r\n{}", if n % 7 == 0 { "half\n" } else { "" }).into_bytes()).collect();
    let (mut lazy, mut eager) = (Term::new(30, 8), Term::new(30, 8));
    for term in [&mut lazy, &mut eager] {
        term.feed(b"$ flood\x1b[31m");
    }
    for piece in flood.chunks(8000) {
        lazy.feed(piece);
        eager.feed(piece);
        eager.settle();
    }
    assert!(lazy.inner.waiting.len() <= WAITING);
    for term in [&mut lazy, &mut eager] {
        term.feed(b"end");
        term.settle();
    }
    assert_eq!((lazy.text(), lazy.cursor()), (eager.text(), eager.cursor()));
    let (mut one, mut other) = (lazy.snapshot(), eager.snapshot());
    assert_eq!(one.lines(), other.lines());
    for snapshot in [&mut one, &mut other] {
        snapshot.go(Move::Top);
        snapshot.mark(true);
        snapshot.go(Move::Bottom);
    }
    assert_eq!(one.text(), other.text());
}

#[test]
fn a_flood_in_colours_ends_as_if_all_of_it_had_been_seen() {
    // One that ends its colours at each line, one that never does, and one that leaves a background on.
    let floods: [fn(u32) -> String; 3] = [
        |n| format!("\x1b[01;3{}mline\x1b[0m {n}\r\n", n % 8),
        |n| format!("\x1b[38;5;{}m\x1b[{}mline {n}\r\n", n % 256, if n % 5 == 0 { 1 } else { 22 }),
        |n| format!("\x1b[4{}m{n}\x1b[K\r\n{}", n % 8, if n == 9 { "\x1b[0;3m" } else { "" }),
    ];
    for line in floods {
        let flood: Vec<u8> = (0..40_000).flat_map(|n| line(n).into_bytes()).collect();
        let (mut lazy, mut eager) = (Term::new(30, 8), Term::new(30, 8));
        for piece in flood.chunks(8000) {
            lazy.feed(piece);
            eager.feed(piece);
            eager.settle();
        }
        assert!(lazy.inner.waiting.len() <= WAITING);
        for term in [&mut lazy, &mut eager] {
            term.feed(b"end");
            term.settle();
        }
        let drawn = |term: &Term| {
            let area = Rect::new(0, 0, 30, 8);
            let mut buffer = Buffer::empty(area);
            term.draw(area, &mut buffer);
            buffer
        };
        assert_eq!(drawn(&lazy), drawn(&eager));
        assert_eq!(lazy.snapshot().lines(), eager.snapshot().lines());
    }
}

#[test]
fn whoever_looks_in_the_middle_of_a_flood_waits_for_no_more_lines_than_are_kept() {
    for line in ["y\r\n", "\x1b[32my\x1b[0m\r\n"] {
        let mut term = Term::new(30, 8);
        term.feed(line.repeat(WAITING / 2 / line.len()).as_bytes());
        assert!(term.inner.waiting.len() > WAITING / 4, "nothing was done about it so far");
        term.inner.forget_unseen();
        let ends = memchr::memchr_iter(b'\n', &term.inner.waiting).count();
        assert!(ends <= SCROLLBACK + 2 * 8 + 2, "{ends} lines would be put into cells");
    }
}

#[test]
fn lines_that_scroll_in_a_part_of_the_screen_are_never_left_out() {
    let (mut lazy, mut eager) = (Term::new(30, 8), Term::new(30, 8));
    for term in [&mut lazy, &mut eager] {
        term.feed(b"top\x1b[2;6r\x1b[8;1Hbottom\x1b[6;1H");
    }
    let flood = b"y\r\n".repeat(200_000);
    lazy.feed(&flood);
    for piece in flood.chunks(9) {
        eager.feed(piece);
        eager.settle();
    }
    assert_eq!(seen(&mut lazy), seen(&mut eager));
    assert!(lazy.text().starts_with("top") && lazy.text().ends_with("bottom"));
}

/// What a program might send, in pieces that make sense and in pieces that do not.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let csi = (0..200u32, 0..200u32, prop::sample::select(b"@ABCDEFGHIJKLMPSTXZ`abcdefghlmnprstu".to_vec()));
    let piece = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..12),
        "[a-z日é\u{301}\u{200d}🚀 ]{0,12}".prop_map(String::into_bytes),
        any::<char>().prop_map(|c| c.to_string().into_bytes()),
        csi.prop_map(|(a, b, last)| format!("\x1b[{a};{b}{}", char::from(last)).into_bytes()),
        prop::sample::select(vec![
            "\x1b[?1049h",
            "\x1b[?1049l",
            "\x1b[?47h",
            "\x1b[?47l",
            "\x1b[?6h",
            "\x1b[?6l",
            "\x1b7",
            "\x1b8",
            "\x1bM",
            "\x1bc",
            "\r\n",
            "\n",
            "\x08",
            "\t"
        ])
        .prop_map(|text| text.as_bytes().to_vec()),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

#[test]
fn bytes_that_are_no_character_leave_nothing_however_they_are_cut() {
    for bytes in [&b"a\xc2\xc2\x0e\xa0b"[..], b"a\xe2\x80\x1b[mb", b"a\xf0\x9f\x98b", b"a\xe0\x80\x80b", b"a\xffb\x80"] {
        let mut whole = Term::new(20, 5);
        whole.feed(bytes);
        whole.settle();
        assert_eq!(whole.text(), "ab", "{bytes:x?}");
        for cut in 1..4 {
            let mut cut_up = Term::new(20, 5);
            bytes.chunks(cut).for_each(|piece| cut_up.feed(piece));
            cut_up.settle();
            assert_eq!(whole.text(), cut_up.text(), "{bytes:x?} in pieces of {cut}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Whatever comes, in whatever pieces, at whatever sizes: no panic, and only text in the cells.
    #[test]
    fn any_bytes_at_any_size_are_survived(steps in prop::collection::vec((pieces(), 1..60u16, 1..12u16), 1..8)) {
        let mut term = Term::new(20, 5);
        for (bytes, columns, rows) in steps {
            term.feed(&bytes);
            term.resize(columns, rows);
            term.settle();
            let mut buf = Buffer::empty(Rect::new(0, 0, 30, 8));
            term.draw(buf.area, &mut buf);
            for cell in &buf.content {
                prop_assert!(!cell.symbol().contains(crate::text::unseen), "{:?}", cell.symbol());
            }
            let mut snapshot = term.snapshot();
            snapshot.go(Move::Lines(-3));
            snapshot.mark(false);
            snapshot.go(Move::Top);
            prop_assert!(!snapshot.text().chars().any(|c| c != '\n' && crate::text::unseen(c)));
            snapshot.draw(buf.area, &mut buf);
        }
    }

    /// The same bytes mean the same however they are cut.
    #[test]
    fn how_the_bytes_are_cut_does_not_matter(bytes in pieces(), cut in 1..7usize) {
        let mut whole = Term::new(20, 5);
        whole.feed(&bytes);
        let mut cut_up = Term::new(20, 5);
        bytes.chunks(cut).for_each(|piece| cut_up.feed(piece));
        prop_assert_eq!(seen(&mut whole), seen(&mut cut_up));
        prop_assert_eq!(whole.modes(), cut_up.modes());
        prop_assert_eq!(whole.take_replies(), cut_up.take_replies());
    }
}
