//! The real binary in a terminal: starts, walks, is resized, suspended, killed and misused, and leaves the terminal clean.
//!
//! What the panes show in which state is tested without a terminal; here is only what needs one.

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::Duration;

use rustix::process::Signal;
use support::terminal::{Launch, PATIENCE, Terminal};

/// A home folder of its own, so that nobody's configuration gets in.
fn home(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home").join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

fn midwatch(name: &str, args: &[&str]) -> Launch {
    Launch::new(env!("CARGO_BIN_EXE_midwatch")).args(args).env("HOME", home(name))
}

/// The demo with its first screen up.
fn demo(name: &str) -> Terminal {
    let mut terminal = midwatch(name, &["--demo", "small", "--seed", "7"]).start();
    terminal.wait_for("payments-prod");
    terminal.wait_for("web-stage");
    terminal
}

fn quit(terminal: &mut Terminal) {
    terminal.send(":q");
    terminal.key("enter");
}

/// The program without a terminal, to its end.
fn piped(name: &str, args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_midwatch"))
        .args(args)
        .env_clear()
        .env("HOME", home(name))
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .stdin(Stdio::null())
        .output()
        .expect("the program starts")
}

/// One line on standard error, nothing on standard output, that exit code, and every word of `wanted`.
fn assert_one_line(name: &str, args: &[&str], code: i32, wanted: &[&str]) {
    let output = piped(name, args);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{args:?} said: {said}");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "", "{args:?} wrote to standard output");
    assert_eq!(said.trim_end().lines().count(), 1, "{args:?} said more than a line: {said}");
    for word in wanted {
        assert!(said.contains(word), "{args:?}: {word:?} is not in: {said}");
    }
}

#[test]
fn the_operator_walks_from_clusters_to_logs_and_target_health() {
    let mut terminal = demo("walk");
    terminal.send(":clusters");
    terminal.key("enter");
    terminal.wait_gone("Problems");
    terminal.send("/payments");
    terminal.key("enter");
    terminal.key("enter");
    terminal.wait_for("payments-prod › services");
    terminal.wait_for("ledger-api");
    terminal.wait_for("checkout");
    terminal.send("/ledger");
    terminal.key("enter");
    terminal.wait_gone("checkout");
    terminal.key("h");
    terminal.wait_for("ledger-api › targets");
    terminal.wait_for("unhealthy");
    terminal.wait_for("10.");
    terminal.esc();
    terminal.wait_for("payments-prod › services");
    terminal.key("enter");
    terminal.wait_for("ledger-api › tasks");
    terminal.wait_for("RUNNING");
    terminal.key("l");
    terminal.wait_for("› logs");
    terminal.wait_for("INFO");
    terminal.esc();
    terminal.wait_for("ledger-api › tasks");
    quit(&mut terminal);
    assert!(terminal.exit().success());
}

#[test]
fn help_lists_the_keys_and_esc_closes_it() {
    let mut terminal = demo("help");
    terminal.key("?");
    terminal.wait_for("Ask AWS again now");
    terminal.esc();
    terminal.wait_gone("Ask AWS again now");
    terminal.wait_for("payments-prod");
}

#[test]
fn quitting_leaves_the_terminal_clean() {
    let mut terminal = demo("quit");
    assert!(terminal.screen().alternate_screen());
    quit(&mut terminal);
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

#[test]
fn q_at_the_first_view_asks_once() {
    let mut terminal = demo("ask");
    terminal.key("q");
    let asked = terminal.until(PATIENCE, |t| t.text().to_lowercase().contains("quit"));
    assert!(asked.is_some(), "nothing was asked:\n{}", terminal.text());
    assert!(terminal.runs());
    terminal.key("q");
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

#[test]
fn esc_never_quits() {
    let mut terminal = demo("esc");
    for _ in 0..5 {
        terminal.esc();
    }
    // Where the machine is slow, the first of these is read together with an Esc, which makes another key of both.
    let helps = |terminal: &mut Terminal| {
        terminal.key("?");
        terminal.until(Duration::from_secs(5), |t| t.text().contains("Ask AWS again now")).is_some()
    };
    assert!((0..20).any(|_| helps(&mut terminal)), "{}", terminal.text());
    assert!(terminal.runs());
}

#[test]
fn a_terminal_of_any_size_is_survived() {
    let mut terminal = demo("resize");
    for (columns, rows) in [(40, 8), (20, 4), (1, 1), (2, 40), (300, 3), (60, 15), (80, 24)] {
        terminal.resize(columns, rows);
        // No letters: many at once look like text for another window, and would be dropped.
        terminal.key("down");
        terminal.key("up");
        assert!(terminal.runs(), "{columns}x{rows} ended the program");
    }
    terminal.resize(120, 35);
    terminal.key("ctrl-l");
    terminal.wait_for("payments-prod");
    terminal.resize(40, 8);
    // crossterm may leave keys that come together with a resize unread until the next key: the resize is heard when something is drawn.
    assert!(terminal.burst(PATIENCE, Duration::from_millis(300)).is_some(), "nothing was drawn for 40x8");
    terminal.key("ctrl-l");
    let shown = terminal.until(PATIENCE, |t| t.text().contains("payments") || t.text().contains("small"));
    assert!(shown.is_some(), "40x8 shows:\n{}", terminal.text());
    quit(&mut terminal);
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

#[test]
fn a_program_started_in_the_smallest_terminal_runs() {
    let mut terminal = midwatch("tiny", &["--demo", "small"]).size(1, 1).start();
    let entered = terminal.until(PATIENCE, |t| t.screen().alternate_screen());
    assert!(entered.is_some());
    terminal.resize(100, 30);
    terminal.wait_for("payments-prod");
}

#[test]
fn signals_that_end_the_program_leave_the_terminal_clean() {
    for (name, signal) in [("term", Signal::TERM), ("hup", Signal::HUP)] {
        let mut terminal = demo(name);
        terminal.signal(signal);
        terminal.exit();
        terminal.assert_clean();
    }
}

#[test]
fn ctrl_z_gives_the_shell_back_and_fg_returns() {
    // A shell with job control is needed: without a parent in the session nothing may be suspended.
    let mut terminal = Launch::new("/bin/sh").args(["-i"]).env("PS1", "shell> ").env("HOME", home("suspend")).start();
    terminal.wait_for("shell>");
    terminal.send(format!("{} --demo small --seed 7\r", env!("CARGO_BIN_EXE_midwatch")));
    terminal.wait_for("payments-prod");
    assert!(terminal.screen().alternate_screen());
    terminal.key("ctrl-z");
    let back = terminal.until(PATIENCE, |t| !t.screen().alternate_screen() && t.text().trim_end().ends_with("shell>"));
    assert!(back.is_some(), "the shell is not back:\n{}", terminal.text());
    terminal.assert_clean_screen();
    terminal.send("echo the shell $((20 + 3)) answers\r");
    terminal.wait_for("the shell 23 answers");
    terminal.send("fg\r");
    let returned = terminal.until(PATIENCE, |t| t.screen().alternate_screen() && t.text().contains("payments-prod"));
    assert!(returned.is_some(), "fg shows:\n{}", terminal.text());
    // Like a person: crossterm 0.29 leaves a key that comes in the instant of its own waking unread until the next one.
    terminal.drain(Duration::from_millis(300));
    quit(&mut terminal);
    let left = terminal.until(PATIENCE, |t| !t.screen().alternate_screen() && t.text().trim_end().ends_with("shell>"));
    assert!(left.is_some(), "after quitting the shell shows:\n{}", terminal.text());
    terminal.send("exit\r");
    terminal.exit();
    terminal.assert_clean();
}

#[test]
fn without_a_terminal_one_line_says_so() {
    assert_one_line("pipe", &["--demo"], 1, &["terminal"]);
    assert_one_line("pipe", &["--region", "eu-west-1"], 1, &["terminal"]);
}

#[test]
fn wrong_usage_is_one_line_and_exit_code_2() {
    assert_one_line("usage", &["--dmeo"], 2, &["--dmeo", "--demo"]);
    assert_one_line("usage", &["--demo", "--theme", "midwatch-drak"], 2, &["midwatch-drak", "midwatch-dark"]);
    assert_one_line("usage", &["--demo", "smal"], 2, &["smal", "small"]);
    assert_one_line("usage", &["sim", "--scenario", "lagre"], 2, &["lagre", "large"]);
    assert_one_line("usage", &["sim", "--scenario", "large", "--set", "service=3"], 2, &["service", "services"]);
    assert_one_line("usage", &["sim", "--listen", "0.0.0.0:0"], 2, &["0.0.0.0"]);
    assert_one_line("usage", &["--region", "eu-wset-1"], 2, &["eu-wset-1", "eu-west-1"]);
    assert_one_line("usage", &["--endpoint-url", "nonsense"], 2, &["nonsense"]);
    assert_one_line("usage", &["--profile", "no-such-profile"], 2, &["no-such-profile"]);
}

#[test]
fn an_unknown_key_in_the_configuration_is_refused_where_it_stands() {
    let file = home("config").join("midwatch.toml");
    fs::write(&file, "# mine\n[keys.global]\nqiut = \"Q\"\n").expect("the build folder can be written");
    let path = file.to_str().expect("the build folder has a plain name");
    assert_one_line("config", &["--demo", "--config", path], 2, &["midwatch.toml:3", "qiut", "quit"]);
    fs::write(&file, "tehme = \"mono\"\n").expect("the build folder can be written");
    assert_one_line("config", &["--demo", "--config", path], 2, &["midwatch.toml:1", "tehme", "theme"]);
    let gone = file.with_file_name("gone.toml");
    let gone = gone.to_str().expect("the build folder has a plain name");
    assert_one_line("config", &["--demo", "--config", gone], 2, &["gone.toml"]);
}

#[test]
fn without_a_region_one_line_says_how_to_name_one() {
    assert_one_line("region", &["--endpoint-url", "http://127.0.0.1:9"], 2, &["region", "--region"]);
}

#[test]
fn an_endpoint_where_nobody_listens_is_named_on_screen_and_keys_answer() {
    let mut terminal = midwatch("refused", &["--endpoint-url", "http://127.0.0.1:9", "--region", "eu-west-1"])
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .start();
    terminal.wait_for("127.0.0.1:9");
    terminal.key("?");
    terminal.wait_for("Ask AWS again now");
    terminal.esc();
    quit(&mut terminal);
    assert!(terminal.exit().success());
    terminal.assert_clean();
}

#[test]
fn help_and_version_go_to_standard_output() {
    let help = piped("help-flag", &["--help"]);
    assert!(help.status.success());
    let text = String::from_utf8_lossy(&help.stdout).into_owned();
    for word in ["--demo", "--profile", "--region", "--cluster", "sim"] {
        assert!(text.contains(word), "--help does not say {word}:\n{text}");
    }
    let version = piped("help-flag", &["--version"]);
    assert_eq!(String::from_utf8_lossy(&version.stdout).trim(), concat!("midwatch ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn sim_lists_its_contexts_as_json() {
    let output = piped("list", &["sim", "--list"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let contexts: serde_json::Value = serde_json::from_slice(&output.stdout).expect("--list prints JSON");
    let contexts = contexts.as_array().expect("--list prints an array");
    assert_eq!(contexts.len(), 7);
    for context in contexts {
        for key in ["name", "region", "account", "access_key", "secret_key"] {
            assert!(context[key].is_string(), "{key} of {context}");
        }
    }
}
