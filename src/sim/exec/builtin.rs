//! The small shell of this program's own: a made-up container that one can look around in, and that touches nothing of the machine.
//!
//! This file is its terminal: echo, editing of a line, Ctrl-C and Ctrl-D, and what a program does that takes its time. What commands mean
//! is `script`; what there is to see is `files`.

mod commands;
mod files;
mod script;

use super::Order;
use super::remote::{Given, Program, Remote, Said};
use bytes::Bytes;
use script::{Shell, Step};
use std::collections::VecDeque;
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};

/// A piece of what never ends, or is long.
const FLOOD: usize = 16 * 1024;

/// What a command does that is not done at once.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Lasting {
    /// `sleep`.
    Sleep(Duration),
    /// `cat` without a file: says what it is told.
    Echo,
    /// So many bytes of a text again and again; without a number for ever.
    Flood(Vec<u8>, Option<usize>),
}

/// Starts the shell, or one command of it.
///
/// # Errors
/// If there is no such program.
pub(super) fn start(words: &[String], order: &Order, size: (u16, u16)) -> Result<Remote, String> {
    let name = words.first().map_or("", String::as_str);
    let base = name.rsplit('/').next().unwrap_or(name);
    if !script::has(base) {
        return Err(match name.contains('/') {
            true => format!("fork/exec {name}: no such file or directory"),
            false => format!("exec: \"{name}\": executable file not found in $PATH"),
        });
    }
    let mut shell = Shell::new(&order.environment, &order.place.container_name, size);
    let interactive = base == "sh" && !words.iter().skip(1).any(|word| word == "-c");
    match words {
        [_, flag, script, ..] if base == "sh" && flag == "-c" => shell.queue(script),
        _ if interactive => {}
        words => shell.queue_words(words),
    }
    let (input, from_client) = mpsc::channel(64);
    let (to_client, output) = mpsc::channel(2);
    let terminal = Terminal { shell, out: to_client, line: Vec::new(), interactive };
    tokio::spawn(terminal.run(from_client));
    Ok(Remote { input, output, program: Program::Task })
}

/// What is typed.
async fn typed_bytes(keys: &mut Receiver<Given>) -> Option<Bytes> {
    loop {
        match keys.recv().await? {
            Given::Bytes(bytes) => return Some(bytes),
            // A shell minds no flags.
            Given::Flag(_) => {}
        }
    }
}

struct Terminal {
    shell: Shell,
    out: Sender<Said>,
    /// What is typed and not entered yet.
    line: Vec<u8>,
    interactive: bool,
}

/// What came of reading a line.
enum Typed {
    Line(String),
    Interrupted,
    /// Ctrl-D.
    End,
    /// The session is gone.
    Gone,
}

/// Why a program stopped.
enum Ended {
    Done,
    Interrupted,
    /// The session is gone.
    Gone,
}

impl Terminal {
    async fn run(mut self, mut keys: Receiver<Given>) {
        let mut typed: VecDeque<u8> = VecDeque::new();
        if self.interactive {
            let told = "This is the small shell built into the simulator: nothing here is real, and no program of this machine runs.\n\
                        `help` lists what it knows.\n";
            if !self.say(told.as_bytes()).await {
                return;
            }
        }
        loop {
            // Everything that is queued, one command after the other.
            while let Some(step) = self.shell.step() {
                match step {
                    Step::Said(text) => {
                        if !self.say(&text).await {
                            return;
                        }
                    }
                    Step::Lasting(lasting) => match self.last(lasting, &mut keys, &mut typed).await {
                        Ended::Done => {}
                        Ended::Interrupted => {
                            self.shell.interrupted();
                            if !self.say(b"^C\n").await {
                                return;
                            }
                        }
                        Ended::Gone => return,
                    },
                    Step::Interactive => self.interactive = true,
                }
            }
            if self.shell.over() || !self.interactive {
                return;
            }
            let prompt = self.shell.prompt();
            if !self.say(prompt.as_bytes()).await {
                return;
            }
            match self.read_line(&mut keys, &mut typed).await {
                Typed::Line(line) => self.shell.queue(&line),
                Typed::Interrupted => self.shell.interrupted(),
                Typed::End | Typed::Gone => return,
            }
        }
    }

    /// Writes as a terminal does: a line feed returns as well.
    async fn say(&self, text: &[u8]) -> bool {
        let mut out = Vec::with_capacity(text.len() + 16);
        for byte in text {
            if *byte == b'\n' && !self.shell.raw {
                out.push(b'\r');
            }
            out.push(*byte);
        }
        out.is_empty() || self.out.send(Said::Bytes(out.into())).await.is_ok()
    }

    /// A line as it was entered.
    async fn read_line(&mut self, keys: &mut Receiver<Given>, typed: &mut VecDeque<u8>) -> Typed {
        loop {
            while let Some(key) = typed.pop_front() {
                match key {
                    b'\r' | b'\n' => {
                        self.echo(b"\n").await;
                        let line = std::mem::take(&mut self.line);
                        return Typed::Line(String::from_utf8_lossy(&line).into_owned());
                    }
                    3 => {
                        self.line.clear();
                        self.echo(b"^C\n").await;
                        return Typed::Interrupted;
                    }
                    4 if self.line.is_empty() => {
                        self.echo(b"\n").await;
                        return Typed::End;
                    }
                    8 | 127 => {
                        // A character is its first byte and those that go on from it.
                        while let Some(byte) = self.line.pop() {
                            if byte & 0xc0 != 0x80 {
                                self.echo(b"\x08 \x08").await;
                                break;
                            }
                        }
                    }
                    21 => {
                        let shown = String::from_utf8_lossy(&self.line).chars().count();
                        self.line.clear();
                        self.echo(&b"\x08 \x08".repeat(shown)).await;
                    }
                    12 => {
                        let text = format!("\x1b[H\x1b[2J{}{}", self.shell.prompt(), String::from_utf8_lossy(&self.line));
                        self.echo(text.as_bytes()).await;
                    }
                    // An arrow or a function key: nothing here can be done with it.
                    27 => typed.clear(),
                    0..32 => {}
                    key => {
                        self.line.push(key);
                        self.echo(&[key]).await;
                    }
                }
            }
            match typed_bytes(keys).await {
                Some(keys) => typed.extend(keys),
                None => return Typed::Gone,
            }
        }
    }

    async fn echo(&self, text: &[u8]) {
        if self.shell.echo {
            // If nobody is there any more, reading the next key says so.
            self.say(text).await;
        }
    }

    /// Goes on until the program is done, or Ctrl-C. What is typed meanwhile is for the next line.
    async fn last(&mut self, what: Lasting, keys: &mut Receiver<Given>, typed: &mut VecDeque<u8>) -> Ended {
        match what {
            Lasting::Sleep(time) => {
                let until = tokio::time::Instant::now() + time;
                loop {
                    tokio::select! {
                        () = tokio::time::sleep_until(until) => return Ended::Done,
                        keys = typed_bytes(keys) => match keys {
                            None => return Ended::Gone,
                            Some(keys) if keys.contains(&3) => return Ended::Interrupted,
                            Some(keys) => typed.extend(keys),
                        },
                    }
                }
            }
            Lasting::Echo => loop {
                match self.read_line(keys, typed).await {
                    Typed::Gone => return Ended::Gone,
                    Typed::End => return Ended::Done,
                    // It has been shown already.
                    Typed::Interrupted => {
                        self.shell.interrupted();
                        return Ended::Done;
                    }
                    Typed::Line(line) => {
                        if !self.say(format!("{line}\n").as_bytes()).await {
                            return Ended::Gone;
                        }
                    }
                }
            },
            Lasting::Flood(text, bytes) => {
                let mut left = bytes.unwrap_or(usize::MAX);
                let piece: Vec<u8> = text.iter().copied().cycle().take(FLOOD / text.len().max(1) * text.len()).collect();
                while left > 0 {
                    let now = &piece[..piece.len().min(left)];
                    tokio::select! {
                        biased;
                        keys = typed_bytes(keys) => match keys {
                            None => return Ended::Gone,
                            Some(keys) if keys.contains(&3) => return Ended::Interrupted,
                            Some(keys) => typed.extend(keys),
                        },
                        sent = self.out.send(Said::Bytes(Bytes::copy_from_slice(now))) => {
                            if sent.is_err() {
                                return Ended::Gone;
                            }
                            left -= now.len();
                        }
                    }
                }
                Ended::Done
            }
        }
    }
}
