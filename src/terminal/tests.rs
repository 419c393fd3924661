//! These run this very test program again inside a pseudo-terminal, where the ignored test named `child` plays the program.

use super::*;
use portable_pty::{CommandBuilder, PtySize, native_pty_system};
use std::io::Read;
use std::time::{Duration, Instant};

const PLAY: &str = "MIDWATCH_TERMINAL_TEST";

/// What a terminal shows after the child is gone, and what the child wrote.
struct Aftermath {
    raw: String,
    screen: vt100::Parser,
    echoes: bool,
}

fn play(what: &str) -> Aftermath {
    let pty = native_pty_system().openpty(PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 }).expect("a pseudo-terminal");
    let mut command = CommandBuilder::new(std::env::current_exe().expect("this test program"));
    command.args(["--exact", "terminal::tests::child", "--ignored", "--nocapture", "--test-threads=1"]);
    command.env(PLAY, what);
    command.env("TERM", "xterm-256color");
    command.env_remove("RUST_BACKTRACE");
    let mut child = pty.slave.spawn_command(command).expect("this test program starts");
    let mut reader = pty.master.try_clone_reader().expect("the master side reads");
    let reading = std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // Linux ends the stream of a pseudo-terminal with an error instead of an end.
        let _ = reader.read_to_end(&mut bytes);
        bytes
    });
    let end = Instant::now() + Duration::from_secs(30);
    while child.try_wait().expect("the child is ours").is_none() {
        assert!(Instant::now() < end, "the child hangs");
        std::thread::yield_now();
    }
    let echoes = pty.master.get_termios().is_some_and(|termios| format!("{:?}", termios.local_flags).contains("ECHO"));
    drop(pty.slave);
    drop(pty.master);
    let bytes = reading.join().expect("the reader ends");
    let mut screen = vt100::Parser::new(24, 80, 0);
    screen.process(&bytes);
    Aftermath { raw: String::from_utf8_lossy(&bytes).into_owned(), screen, echoes }
}

impl Aftermath {
    fn is_clean(&self) {
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "alternate screen left on: {:?}", self.raw);
        assert!(!screen.hide_cursor(), "cursor left hidden: {:?}", self.raw);
        assert!(!screen.bracketed_paste(), "bracketed paste left on: {:?}", self.raw);
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(self.raw.contains("\x1b[?1004l") && self.raw.contains("\x1b[23;0t"));
        assert!(self.echoes, "raw mode left on");
    }
}

#[test]
#[ignore = "played by the other tests inside a pseudo-terminal"]
fn child() {
    let Ok(what) = std::env::var(PLAY) else { return };
    install_panic_hook();
    let mut screen = Screen::enter(true).expect("a terminal");
    let say = |screen: &mut Screen, text: &str| {
        let draw = |buffer: &mut Buffer, _| {
            buffer.reset();
            buffer.set_string(0, 0, text, ratatui::style::Style::new());
            (None, None)
        };
        screen.draw(draw).expect("a terminal");
    };
    let draw = |screen: &mut Screen| say(screen, "what-is-drawn");
    draw(&mut screen);
    match what.as_str() {
        "leave" => {
            let before = screen.written();
            draw(&mut screen);
            assert_eq!(screen.written(), before, "an unchanged frame wrote");
        }
        "panic" => panic!("the drawing\nbroke"),
        "elsewhere" => {
            let _ = std::thread::spawn(|| panic!("a poll broke")).join();
            let line = background_panic().expect("a note of it");
            say(&mut screen, &line.replace(' ', "_"));
        }
        "aside" => {
            let lent = screen.aside(|| std::io::stdout().write_all(b"the shell's turn\r\n").map(|()| 7)).expect("a terminal");
            assert_eq!(lent.ok(), Some(7));
            draw(&mut screen);
        }
        _ => panic!("an unknown part: {what}"),
    }
}

#[test]
fn leaving_gives_the_terminal_back() {
    let aftermath = play("leave");
    aftermath.is_clean();
    assert!(aftermath.raw.contains("what-is-drawn"));
    assert!(aftermath.raw.contains("test result: ok"), "{:?}", aftermath.raw);
}

#[test]
fn a_panic_gives_the_terminal_back_and_says_why_below() {
    let aftermath = play("panic");
    aftermath.is_clean();
    let contents = aftermath.screen.screen().contents();
    assert!(contents.contains("midwatch stopped because of a bug in it: the drawing broke (src/terminal/tests.rs:"), "{contents}");
    assert!(!contents.contains("what-is-drawn"), "{contents}");
}

#[test]
fn a_panic_elsewhere_leaves_the_screen_alone() {
    let aftermath = play("elsewhere");
    aftermath.is_clean();
    assert!(aftermath.raw.contains("a_poll_broke_(src/terminal/tests.rs:"), "{:?}", aftermath.raw);
    assert!(!aftermath.raw.contains("stopped because of a bug"));
}

#[test]
fn the_terminal_can_be_lent_and_everything_is_drawn_again_after() {
    let aftermath = play("aside");
    aftermath.is_clean();
    assert_eq!(aftermath.raw.matches("what-is-drawn").count(), 2);
    let lent = aftermath.raw.find("the shell's turn").expect("the borrower's words");
    assert!(aftermath.raw[..lent].contains("\x1b[?1049l") && aftermath.raw[lent..].contains("\x1b[?1049h"));
}

#[test]
fn without_a_terminal_the_refusal_is_one_line() {
    // The test program's own output is captured or piped; where it is a terminal there is nothing to refuse.
    if let Err(line) = require() {
        assert!(line.contains("is not a terminal") && !line.contains('\n'), "{line}");
    }
}
