//! A session inside a container measured from outside: the release binary in a terminal, its own embedded AWS at the other end.
//!
//! `cargo bench --bench exec` prints the rows of README. `-- --program PATH` measures another build. Nothing here is asserted: the figures
//! depend on the machine.

#[path = "../tests/support/terminal.rs"]
mod terminal;

use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs, io};
use terminal::{Launch, Terminal};

/// Keys to a line, which is then taken back.
const LINE: usize = 60;
const PATIENCE: Duration = Duration::from_mins(2);
/// Keys whose echo is timed.
const KEYS: usize = 300;
/// Bytes of the flood.
const FLOOD: u32 = 40_000_000;

fn main() {
    let mut arguments = env::args().skip(1);
    let mut program = env!("CARGO_BIN_EXE_midwatch").to_owned();
    while let Some(argument) = arguments.next() {
        if argument == "--program" {
            program = arguments.next().expect("--program takes a path");
        }
    }
    let mut terminal = session(&program);
    echo(&mut terminal);
    flood(&mut terminal);
    interrupted(&mut terminal);
}

fn session(program: &str) -> Terminal {
    let home = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("exec-bench");
    fs::create_dir_all(&home).expect("the build folder can be written");
    let mut terminal = Launch::new(program).args(["--demo", "small", "--seed", "7"]).env("HOME", home).size(120, 40).start();
    for (keys, shown) in [
        ("", "payments-prod"),
        (":cluster payments-prod\r", "payments-prod › services"),
        ("", "ledger-api"),
        (":write 15m\r", "ARMED"),
        ("/ledger\r", "ledger-api"),
        ("s", "x opens it"),
        ("x", "for commands"),
    ] {
        terminal.send(keys);
        terminal.wait_for(shown);
        terminal.drain(Duration::from_millis(300));
    }
    terminal.drain(Duration::from_secs(3));
    terminal.send("PS1='$ '; echo rea''dy\r");
    terminal.wait_for("ready");
    terminal
}

/// From a key to its echo on the screen.
fn echo(terminal: &mut Terminal) {
    terminal.drain(Duration::from_secs(2));
    let mut times = Vec::new();
    for n in 0..KEYS {
        let typed = format!("$ {} ", "a".repeat(n % LINE + 1));
        let pressed = Instant::now();
        terminal.send("a");
        times.extend(terminal.until(Duration::from_secs(1), |t| t.text().contains(&typed)).map(|at| milliseconds(at - pressed)));
        if n % LINE == LINE - 1 {
            terminal.send("\u{15}");
            terminal.drain(Duration::from_millis(100));
        }
    }
    times.sort_by(f64::total_cmp);
    terminal.send("\u{15}");
    say(&format!("echo of a key, ms: p50 {:.2} p99 {:.2} of {}", times[times.len() / 2], times[times.len() * 99 / 100], times.len()));
}

/// How long a flood takes through the pane, and how late the leader key is answered meanwhile.
fn flood(terminal: &mut Terminal) {
    terminal.send(format!("yes | head -c {FLOOD}; echo flood''-over\r"));
    let began = Instant::now();
    let mut answers = Vec::new();
    while !terminal.text().contains("flood-over") && began.elapsed() < PATIENCE {
        let pressed = Instant::now();
        // The leader shows what it offers, any key that it does not know takes that away.
        terminal.send("\u{1d}");
        answers.extend(terminal.until(Duration::from_secs(5), |t| t.text().contains("sends itself")).map(|at| milliseconds(at - pressed)));
        terminal.key("esc");
        terminal.until(Duration::from_secs(5), |t| !t.text().contains("sends itself"));
        terminal.drain(Duration::from_millis(30));
    }
    let took = began.elapsed().as_secs_f64();
    answers.sort_by(f64::total_cmp);
    let worst = answers.last().copied().unwrap_or_default();
    let median = answers.get(answers.len() / 2).copied().unwrap_or_default();
    say(&format!(
        "{FLOOD} bytes through the pane: {took:.1} s, {:.1} MB/s; the leader key answered in p50 {median:.1} worst {worst:.1} ms of {}",
        f64::from(FLOOD) / 1e6 / took,
        answers.len()
    ));
}

/// From Ctrl-C in the middle of a flood to the shell's next word.
fn interrupted(terminal: &mut Terminal) {
    let mut times = Vec::new();
    for n in 0..5 {
        terminal.send("yes\r");
        terminal.drain(Duration::from_secs(1));
        let pressed = Instant::now();
        terminal.send("\u{3}");
        terminal.until(PATIENCE, |t| t.text().lines().any(|line| line.contains("^C") || line.trim_matches(['│', ' ']) == "$"));
        times.push(milliseconds(pressed.elapsed()));
        terminal.send(format!("echo sto''pped-{n}\r"));
        terminal.wait_for(&format!("stopped-{n}"));
    }
    times.sort_by(f64::total_cmp);
    say(&format!("Ctrl-C stops a flood after {:.0} to {:.0} ms", times[0], times[times.len() - 1]));
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

fn say(line: &str) {
    let _ = writeln!(io::stdout(), "{line}");
}
