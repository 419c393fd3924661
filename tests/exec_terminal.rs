//! A session in a real terminal: the binary, its embedded AWS, a real shell behind that, and programs that take the whole screen.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use midwatch::sim::{Options, Sim};
use support::terminal::{Launch, PATIENCE, Terminal};

/// A home folder of its own, so that nobody's configuration gets in.
fn home(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home").join(format!("exec-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

/// The dialog of a session to a task of ledger-api, which takes sessions.
fn dialog(name: &str, args: &[&str]) -> Terminal {
    let mut terminal = Launch::new(env!("CARGO_BIN_EXE_midwatch")).args(args).env("HOME", home(name)).start();
    to_dialog(&mut terminal);
    terminal
}

fn to_dialog(terminal: &mut Terminal) {
    terminal.wait_for("payments-prod");
    terminal.send(":cluster payments-prod");
    terminal.key("enter");
    terminal.wait_for("payments-prod › services");
    terminal.wait_for("ledger-api");
    terminal.send(":write 15m");
    terminal.key("enter");
    terminal.wait_for("ARMED");
    terminal.send("/ledger");
    terminal.key("enter");
    terminal.wait_gone("checkout");
    terminal.key("s");
    terminal.wait_for("Exec into payments-prod/ledger-api");
    terminal.wait_for("x opens it");
}

/// The same with its session open, and a shell that answers.
fn session(name: &str) -> Terminal {
    let mut terminal = dialog(name, &["--demo", "small", "--seed", "7"]);
    terminal.key("x");
    terminal.wait_for("for commands");
    prompt(&mut terminal);
    answers(&mut terminal, "one");
    terminal
}

/// Waits until the shell waits: what is typed before that may be thrown away with a signal, or go to the program before.
fn prompt(terminal: &mut Terminal) {
    let waits = |terminal: &Terminal| {
        let text = terminal.text();
        let rows = text.lines().skip(3).take_while(|line| !line.starts_with('└')).map(|line| line.trim_matches(['│', ' ']).to_owned());
        rows.filter(|line| !line.is_empty()).last().is_some_and(|line| line.ends_with(['#', '$']))
    };
    assert!(terminal.until(PATIENCE, waits).is_some(), "the shell does not wait:\n{}", terminal.text());
}

/// Has the shell say something that stands in no line that was typed.
fn answers(terminal: &mut Terminal, word: &str) {
    terminal.send(format!("echo said-{word}''-now\r"));
    terminal.wait_for(&format!("said-{word}-now"));
}

fn leave(terminal: &mut Terminal) {
    terminal.send("\x1d");
    terminal.wait_for("sends itself");
    terminal.send("e");
    terminal.wait_gone("for commands");
    terminal.send(":q");
    terminal.key("enter");
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

#[test]
fn a_file_is_written_in_vim_and_the_screen_is_as_before_it() {
    let mut terminal = session("vim");
    if !Path::new("/usr/bin/vim").exists() {
        // Without an editor there is nothing to see here; less and the rest are tested below.
        return leave(&mut terminal);
    }
    terminal.send("vim -u NONE -N note.txt\r");
    terminal.wait_for("[New]");
    terminal.send("ifirst line\rsecond 日本");
    terminal.wait_for("second 日本");
    terminal.esc();
    terminal.send("gg");
    terminal.key("down");
    terminal.send("A end");
    terminal.wait_for("second 日本 end");
    terminal.esc();
    terminal.send(":wq\r");
    prompt(&mut terminal);
    answers(&mut terminal, "after");
    terminal.send("wc -l note.txt; head -c 5 note.txt; echo ''\r");
    terminal.wait_for("2 note.txt");
    leave(&mut terminal);
}

#[test]
fn the_remote_terminal_has_the_size_of_its_place_and_follows_it() {
    let mut terminal = session("size");
    terminal.send("stty size\r");
    // 35 rows: header, crumb and two rows below; the logs have nine of the rest, and the frame has two.
    terminal.wait_for("20 118");
    terminal.resize(100, 30);
    let drawn = |t: &Terminal| t.text().lines().nth(2).is_some_and(|line| line.trim_end().chars().count() == 100 && line.contains('┐'));
    assert!(terminal.until(PATIENCE, drawn).is_some(), "{}", terminal.text());
    // The remote hears of the size a moment after the screen has it.
    let told = (0..60).any(|_| {
        terminal.send("stty size\r");
        terminal.until(Duration::from_secs(1), |t| t.text().contains("17 98")).is_some()
    });
    assert!(told, "{}", terminal.text());
    leave(&mut terminal);
}

/// Starts a program that answers in other words than it was given, so that what the terminal echoes is not taken for its answer; and has
/// it answer, so that it is there. What is typed before it is may be lost when the shell hands the terminal over.
fn repeats(terminal: &mut Terminal, word: &str) {
    terminal.send(format!("echo {word}''-begins; sed -u s/typed/repeated/\r"));
    terminal.wait_for(&format!("{word}-begins"));
    terminal.send(format!("{word} typed\r"));
    terminal.wait_for(&format!("{word} repeated"));
}

#[test]
fn interrupt_stop_and_quit_reach_the_remote() {
    let mut terminal = session("signals");
    repeats(&mut terminal, "first");
    terminal.key("ctrl-c");
    prompt(&mut terminal);
    answers(&mut terminal, "interrupted");
    prompt(&mut terminal);
    repeats(&mut terminal, "again");
    terminal.send([0x1c]);
    prompt(&mut terminal);
    answers(&mut terminal, "quit");
    terminal.send("set -m\r");
    prompt(&mut terminal);
    repeats(&mut terminal, "third");
    terminal.key("ctrl-z");
    prompt(&mut terminal);
    answers(&mut terminal, "stopped");
    terminal.send("jobs; kill %1; echo listed''-jobs\r");
    terminal.wait_for("listed-jobs");
    assert!(terminal.text().contains("Stopped"), "{}", terminal.text());
    leave(&mut terminal);
}

#[test]
fn a_flood_is_stopped_by_a_key() {
    let mut terminal = session("flood");
    terminal.send("yes a-line-of-a-flood\r");
    terminal.wait_for("│a-line-of-a-flood ");
    terminal.key("ctrl-c");
    prompt(&mut terminal);
    answers(&mut terminal, "dry");
    leave(&mut terminal);
}

#[test]
fn a_session_that_is_open_is_not_quit_by_accident() {
    let mut terminal = session("quit");
    terminal.send("\x1dd");
    terminal.wait_for("payments-prod › services");
    terminal.send(":q");
    terminal.key("enter");
    terminal.wait_for("again quits and ends a session");
    assert!(terminal.runs());
    terminal.send(":q");
    terminal.key("enter");
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

/// A session to an AWS of this process's own, so that the journal is kept; it has a small shell of its own.
fn beside(sim: &Sim, home: &Path) -> Terminal {
    let contexts = sim.contexts();
    let keys = contexts.iter().find(|context| context.name == "acme-prod").expect("the scenario has this context");
    let mut terminal = Launch::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(["--region", &keys.region, "--endpoint-url", &sim.endpoint()])
        .env("HOME", home)
        .env("AWS_ACCESS_KEY_ID", keys.access_key.clone())
        .env("AWS_SECRET_ACCESS_KEY", keys.secret_key.clone())
        .start();
    to_dialog(&mut terminal);
    terminal.key("x");
    terminal.wait_for("for commands");
    prompt(&mut terminal);
    terminal.send("echo said-here\r");
    terminal.wait_for("│said-here");
    terminal
}

fn small() -> Sim {
    Sim::start(Options { scenario: "small".to_owned(), seed: 7, ..Options::default() }).expect("the embedded AWS starts")
}

#[test]
fn the_journal_has_the_session_and_nothing_of_what_was_typed() {
    let (sim, home) = (small(), home("journal"));
    let mut terminal = beside(&sim, &home);
    leave(&mut terminal);
    let journal = home.join(".local/state/midwatch/journal.jsonl");
    let text = fs::read_to_string(&journal).expect("the journal is where the platform wants it");
    let phases: Vec<bool> = ["opened", "ended"].iter().map(|phase| text.contains(&format!("\"phase\":\"{phase}\""))).collect();
    assert_eq!(phases, [true, true], "{text}");
    assert!(text.contains("ecs:ExecuteCommand") && !text.contains("said-here"), "{text}");
}

/// AWS goes away under an open session: the pane says so and answers keys, and the terminal is left as it was found.
#[test]
fn a_remote_that_is_gone_leaves_a_clean_pane_and_a_clean_terminal() {
    let sim = small();
    let mut terminal = beside(&sim, &home("gone"));
    drop(sim);
    terminal.wait_for("connection lost");
    terminal.send("\x1d");
    terminal.wait_for("sends itself");
    terminal.send("d");
    terminal.wait_for("payments-prod › services");
    terminal.send(":q");
    terminal.key("enter");
    terminal.wait_for("again quits and ends a session");
    terminal.send(":q");
    terminal.key("enter");
    assert!(terminal.exit().success());
    terminal.assert_clean();
}
