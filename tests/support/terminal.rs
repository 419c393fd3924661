//! A terminal for tests, benches and pictures: runs a program in a pseudo-terminal and reads what a person would see.
//!
//! Everything waits on the program's output with a deadline; nothing sleeps. Knows nothing of the program.

#![allow(dead_code, reason = "each test, bench and example uses its own part")]

use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, TryRecvError};
use std::thread;
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{LocalModes, tcgetattr};

/// How long a test waits for what must come; generous, since only a failure waits this long.
pub const PATIENCE: Duration = Duration::from_mins(5);

/// What to start, and in what surroundings.
///
/// The environment is empty but for a terminal's own variables: neither the keys nor the profile of whoever runs the tests get in.
#[derive(Clone)]
pub struct Launch {
    command: CommandBuilder,
    columns: u16,
    rows: u16,
}

impl Launch {
    /// A program by its path, in a terminal of 120x35.
    pub fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = CommandBuilder::new(program);
        // Else it would start in the home folder.
        command.cwd(std::env::current_dir().expect("the tests run somewhere"));
        command.env_clear();
        for (key, value) in [
            ("TERM", "xterm-256color"),
            ("COLORTERM", "truecolor"),
            ("LANG", "C.UTF-8"),
            // Without this the SDK looks for an EC2 host for seconds.
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ] {
            command.env(key, value);
        }
        for key in ["PATH", "TMPDIR"] {
            if let Some(value) = std::env::var_os(key) {
                command.env(key, value);
            }
        }
        Self { command, columns: 120, rows: 35 }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets one variable of the environment.
    #[must_use]
    pub fn env(mut self, key: impl AsRef<OsStr>, value: impl Into<OsString>) -> Self {
        self.command.env(key, value.into());
        self
    }

    /// Sets the size of the terminal.
    #[must_use]
    pub fn size(mut self, columns: u16, rows: u16) -> Self {
        (self.columns, self.rows) = (columns, rows);
        self
    }

    /// Starts the program.
    pub fn start(self) -> Terminal {
        let size = PtySize { rows: self.rows, cols: self.columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("the system has pseudo-terminals");
        let mut reader = pair.master.try_clone_reader().expect("the terminal can be read");
        let keyboard = pair.master.take_writer().expect("the terminal can be typed on");
        let started = Instant::now();
        let mut child = pair.slave.spawn_command(self.command).expect("the program can be started");
        drop(pair.slave);
        let pid = child.process_id().expect("a running program has an id");
        let (to_output, output) = mpsc::channel();
        thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok(size @ 1..) = reader.read(&mut buffer) {
                let chunk = Chunk { at: Instant::now(), bytes: buffer[..size].to_vec() };
                if to_output.send(chunk).is_err() {
                    break;
                }
            }
        });
        let (to_status, status) = mpsc::channel();
        thread::spawn(move || {
            // The terminal may be dropped before the program ends; then nobody asks.
            let _ = to_status.send(child.wait().expect("a started program can be waited for"));
        });
        Terminal {
            parser: vt100::Parser::new_with_callbacks(self.rows, self.columns, 0, Extras::default()),
            tty: pair.master.tty_name().expect("a pseudo-terminal has a name"),
            master: pair.master,
            keyboard: Some(keyboard),
            output,
            status,
            ended: None,
            pid,
            started,
            first_byte: None,
            raw: Vec::new(),
        }
    }
}

/// What the program wrote at once, and when it arrived.
struct Chunk {
    at: Instant,
    bytes: Vec<u8>,
}

/// Modes that the screen parser does not follow, and questions that programs ask of a terminal.
#[derive(Default)]
pub struct Extras {
    /// DEC private modes now set, beyond those the parser knows (1004 = focus events, 2026 = synchronised output).
    pub modes: BTreeSet<u16>,
    /// Keyboard enhancements pushed and not popped.
    pub keyboard_pushes: i32,
    /// What was copied to the clipboard by OSC 52, still in base64.
    pub clipboard: Vec<Vec<u8>>,
    /// The window's title.
    pub title: String,
    /// The cursor's shape, 0 = the terminal's own.
    pub cursor_shape: u16,
    bells: usize,
    answers: Vec<u8>,
}

impl vt100::Callbacks for Extras {
    fn audible_bell(&mut self, _: &mut vt100::Screen) {
        self.bells += 1;
    }

    fn set_window_title(&mut self, _: &mut vt100::Screen, title: &[u8]) {
        self.title = String::from_utf8_lossy(title).into_owned();
    }

    fn copy_to_clipboard(&mut self, _: &mut vt100::Screen, _: &[u8], data: &[u8]) {
        self.clipboard.push(data.to_vec());
    }

    fn unhandled_csi(&mut self, screen: &mut vt100::Screen, first: Option<u8>, second: Option<u8>, params: &[&[u16]], end: char) {
        let number = params.first().and_then(|p| p.first()).copied().unwrap_or(0);
        match (first, second, end) {
            (Some(b'?'), None, 'h') => self.modes.extend(params.iter().flat_map(|p| p.iter())),
            (Some(b'?'), None, 'l') => self.modes.retain(|mode| !params.iter().any(|p| p.contains(mode))),
            (Some(b'>'), None, 'u') => self.keyboard_pushes += 1,
            (Some(b'<'), None, 'u') => self.keyboard_pushes -= i32::from(number.max(1)),
            (Some(b' '), None, 'q') => self.cursor_shape = number,
            (None, None, 'n') if number == 6 => {
                let (row, column) = screen.cursor_position();
                self.answers.extend(format!("\x1b[{};{}R", row + 1, column + 1).into_bytes());
            }
            (None, None, 'c') => self.answers.extend(b"\x1b[?62;c"),
            _ => {}
        }
    }
}

/// A program running in a terminal. Dropping it kills the program.
pub struct Terminal {
    parser: vt100::Parser<Extras>,
    master: Box<dyn MasterPty + Send>,
    tty: PathBuf,
    keyboard: Option<Box<dyn Write + Send>>,
    output: Receiver<Chunk>,
    status: Receiver<ExitStatus>,
    ended: Option<ExitStatus>,
    pid: u32,
    /// When the program was started.
    pub started: Instant,
    /// When its first byte came.
    pub first_byte: Option<Instant>,
    /// Every byte that it wrote so far.
    pub raw: Vec<u8>,
}

impl Terminal {
    /// The program's process id.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// The screen as last read.
    pub fn screen(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// What the screen parser itself does not follow.
    pub fn extras(&self) -> &Extras {
        self.parser.callbacks()
    }

    /// The screen as text, one line for each row, without blanks at the end.
    pub fn text(&self) -> String {
        let (_, columns) = self.screen().size();
        let rows: Vec<String> = self.screen().rows(0, columns).map(|row| row.trim_end().to_owned()).collect();
        rows.join("\n")
    }

    /// Types bytes.
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let keyboard = self.keyboard.as_mut().expect("the keyboard is there until hang_up");
        keyboard.write_all(bytes.as_ref()).expect("a terminal takes keys while its program runs");
        keyboard.flush().expect("a terminal takes keys while its program runs");
    }

    /// Types a key by its name: `enter`, `esc`, `tab`, `up`, `down`, `pgdn`, `pgup`, `ctrl-z`, or a text as it is.
    pub fn key(&mut self, name: &str) {
        self.send(key_bytes(name));
    }

    /// Types Esc, and nothing else for as long as a program may wait to tell it from the start of an Alt key.
    pub fn esc(&mut self) {
        self.key("esc");
        self.drain(Duration::from_millis(100));
    }

    /// Changes the size of the terminal; the program is told by the system.
    pub fn resize(&mut self, columns: u16, rows: u16) {
        self.parser.screen_mut().set_size(rows, columns);
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).expect("a terminal can be resized");
    }

    /// Sends a signal to the program.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("a process id is a positive number");
        kill_process(pid, signal).expect("the program runs");
    }

    /// Reads what comes until `deadline`; false once there is nothing more to come by then. Returns at each piece of output.
    fn read(&mut self, deadline: Instant) -> Option<Instant> {
        let chunk = match self.output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(chunk) => chunk,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
        };
        self.first_byte.get_or_insert(chunk.at);
        self.parser.process(&chunk.bytes);
        self.raw.extend(&chunk.bytes);
        let answers = std::mem::take(&mut self.parser.callbacks_mut().answers);
        if let (Some(keyboard), false) = (self.keyboard.as_mut(), answers.is_empty()) {
            // A program that asked and left no longer wants the answer.
            let _ = keyboard.write_all(&answers).and_then(|()| keyboard.flush());
        }
        Some(chunk.at)
    }

    /// Waits until the question is true of the screen; the moment when the bytes that made it so came.
    pub fn until(&mut self, within: Duration, mut question: impl FnMut(&Self) -> bool) -> Option<Instant> {
        let deadline = Instant::now() + within;
        let mut at = Instant::now();
        loop {
            if question(self) {
                return Some(at);
            }
            at = self.read(deadline)?;
        }
    }

    /// Waits until the text is on the screen; panics with the screen if it does not come.
    pub fn wait_for(&mut self, text: &str) {
        let seen = self.until(PATIENCE, |terminal| terminal.text().contains(text));
        assert!(seen.is_some(), "{text:?} never came on screen, which shows:\n{}", self.text());
    }

    /// Waits until the text has left the screen; panics with the screen if it stays.
    pub fn wait_gone(&mut self, text: &str) {
        let gone = self.until(PATIENCE, |terminal| !terminal.text().contains(text));
        assert!(gone.is_some(), "{text:?} never left the screen, which shows:\n{}", self.text());
    }

    /// Reads for so long; the number of bytes that came.
    pub fn drain(&mut self, time: Duration) -> usize {
        let (deadline, before) = (Instant::now() + time, self.raw.len());
        while self.read(deadline).is_some() {}
        self.raw.len() - before
    }

    /// Reads until nothing has come for so long; when the last byte came, if any did within `within`. A program that never falls silent
    /// is read for that time.
    pub fn burst(&mut self, within: Duration, silence: Duration) -> Option<(Instant, Instant)> {
        let end = Instant::now() + within;
        let first = self.read(end)?;
        let mut last = first;
        while Instant::now() < end
            && let Some(at) = self.read(Instant::now() + silence)
        {
            last = at;
        }
        Some((first, last))
    }

    /// Waits for the program's end and reads its last words.
    pub fn exit(&mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        while self.read(deadline).is_some() {}
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_secs(1));
        let status = self.status.recv_timeout(left);
        let status = status.unwrap_or_else(|_| panic!("the program did not end; its screen shows:\n{}", self.text()));
        self.ended = Some(status.clone());
        status
    }

    /// True while the program has not ended.
    pub fn runs(&mut self) -> bool {
        match self.status.try_recv() {
            Ok(status) => self.ended = Some(status),
            Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
        }
        self.ended.is_none()
    }

    /// Panics unless the program has left the screen as it found it: main screen, cursor shown, no mode left on.
    pub fn assert_clean_screen(&self) {
        let screen = self.screen();
        // 7 is line wrap, which is on in every terminal.
        let modes = self.extras().modes.iter().any(|mode| *mode != 7);
        let coloured = [screen.fgcolor(), screen.bgcolor()] != [vt100::Color::Default; 2];
        self.assert_no_fault(&[
            (screen.alternate_screen(), "the alternate screen is still shown"),
            (screen.hide_cursor(), "the cursor is hidden"),
            (screen.bracketed_paste(), "bracketed paste is on"),
            (screen.application_cursor(), "application cursor keys are on"),
            (screen.application_keypad(), "the application keypad is on"),
            (screen.mouse_protocol_mode() != vt100::MouseProtocolMode::None, "the mouse is captured"),
            (modes, "private modes are set"),
            (self.extras().keyboard_pushes != 0, "keyboard enhancements are pushed"),
            (self.extras().cursor_shape != 0, "the cursor has another shape"),
            (coloured, "a colour is set"),
        ]);
    }

    /// As [`Self::assert_clean_screen`], and lines are edited and echoed again.
    pub fn assert_clean(&self) {
        self.assert_clean_screen();
        let device = std::fs::File::open(&self.tty).expect("the terminal still has its device");
        let modes = tcgetattr(device).expect("the device is a terminal").local_modes;
        self.assert_no_fault(&[
            (!modes.contains(LocalModes::ICANON), "lines are not edited (raw mode)"),
            (!modes.contains(LocalModes::ECHO), "keys are not echoed"),
            (!modes.contains(LocalModes::ISIG), "Ctrl-C sends no signal"),
        ]);
    }

    fn assert_no_fault(&self, faults: &[(bool, &str)]) {
        let found: Vec<&str> = faults.iter().filter(|(wrong, _)| *wrong).map(|(_, text)| *text).collect();
        let modes = &self.extras().modes;
        assert!(found.is_empty(), "the terminal is left dirty: {found:?} {modes:?}; it shows:\n{}", self.text());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        if self.runs() {
            let pid = i32::try_from(self.pid).ok().and_then(Pid::from_raw).expect("a process id is a positive number");
            // It may have ended in this instant.
            let _ = kill_process(pid, Signal::KILL);
        }
    }
}

/// The bytes a terminal sends for a key.
pub fn key_bytes(name: &str) -> Vec<u8> {
    match name {
        "enter" => b"\r".to_vec(),
        "esc" => b"\x1b".to_vec(),
        "tab" => b"\t".to_vec(),
        "backspace" => b"\x7f".to_vec(),
        "up" => b"\x1b[A".to_vec(),
        "down" => b"\x1b[B".to_vec(),
        "right" => b"\x1b[C".to_vec(),
        "left" => b"\x1b[D".to_vec(),
        "pgup" => b"\x1b[5~".to_vec(),
        "pgdn" => b"\x1b[6~".to_vec(),
        "home" => b"\x1b[H".to_vec(),
        "end" => b"\x1b[F".to_vec(),
        _ => match name.strip_prefix("ctrl-").map(str::as_bytes) {
            Some([letter]) => vec![letter & 0x1f],
            _ => name.as_bytes().to_vec(),
        },
    }
}
