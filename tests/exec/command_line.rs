//! `midwatch exec` as somebody runs it: in a pipe, and on a terminal.

use super::World;
use super::terminal::Launch;
use midwatch::sim::{ContextInfo, Shell};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::Duration;

const PROGRAM: &str = env!("CARGO_BIN_EXE_midwatch");

/// A home of its own.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Home {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("exec-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Home(path)
    }

    fn journal(&self) -> String {
        std::fs::read_to_string(self.0.join("state/midwatch/journal.jsonl")).unwrap_or_default()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        // What is left over is in the target folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn environment(home: &Home, keys: &ContextInfo, endpoint: &str) -> Vec<(&'static str, String)> {
    let home = home.0.to_str().unwrap();
    let mut all = vec![
        ("HOME", home.to_owned()),
        ("XDG_STATE_HOME", format!("{home}/state")),
        ("XDG_CONFIG_HOME", format!("{home}/config")),
        ("AWS_ACCESS_KEY_ID", keys.access_key.clone()),
        ("AWS_SECRET_ACCESS_KEY", keys.secret_key.clone()),
        ("AWS_REGION", keys.region.clone()),
        ("AWS_ENDPOINT_URL", endpoint.to_owned()),
        ("AWS_EC2_METADATA_DISABLED", "true".to_owned()),
        ("USER", "ann".to_owned()),
    ];
    all.extend(keys.session_token.clone().map(|token| ("AWS_SESSION_TOKEN", token)));
    all
}

struct Place {
    world: World,
    keys: ContextInfo,
    task: String,
}

/// A task of the embedded AWS with a real shell, for programs that are started beside this one.
fn place() -> Place {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::start(Shell::Real));
    let task = runtime.block_on(world.task("checkout")).arn.name().to_owned();
    let keys = world.sim.contexts().iter().find(|context| context.name == "acme-prod").unwrap().clone();
    Place { world, keys, task }
}

impl Place {
    fn run(&self, home: &Home, arguments: &[&str], input: Option<&[u8]>) -> Output {
        let mut command = Command::new(PROGRAM);
        let task = &self.task[..8];
        command.arg("exec").arg(task).args(arguments).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        command.envs(environment(home, &self.keys, &self.world.sim.endpoint()));
        command.stdin(if input.is_some() { Stdio::piped() } else { Stdio::null() }).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        if let Some(input) = input {
            let mut stdin = child.stdin.take().unwrap();
            let input = input.to_vec();
            std::thread::spawn(move || stdin.write_all(&input));
        }
        child.wait_with_output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn a_command_gives_its_output_and_its_exit_code() {
    let (place, home) = (place(), Home::new("code"));
    let told = place.run(&home, &["-c", "payments-prod", "-n", "app", "--", "echo out; echo 'in  two'; exit 7"], None);
    assert_eq!((told.status.code(), &*text(&told.stdout)), (Some(7), "out\nin  two\n"), "{}", text(&told.stderr));
    let told = place.run(&home, &["-n", "app", "--", "printf", "%s|", "a b", "$HOME"], None);
    assert_eq!((told.status.code(), &*text(&told.stdout)), (Some(0), "a b|$HOME|"), "{}", text(&told.stderr));
    let journal = home.journal();
    let lines: Vec<&str> = journal.lines().collect();
    assert_eq!(lines.len(), 4, "{journal}");
    assert!(
        lines[0].contains(r#""phase":"opened""#) && lines[0].contains(r#""user":"ann""#) && lines[0].contains(&place.task),
        "{journal}"
    );
    assert!(lines[1].contains(r#""phase":"ended""#), "{journal}");
    assert!(!journal.contains("in  two"), "what was run stays out of it: {journal}");
}

#[test]
fn standard_input_of_any_bytes_reaches_the_command() {
    let (place, home) = (place(), Home::new("input"));
    let bytes: Vec<u8> = (0..300_000_u32).map(|n| u8::try_from(n * 31 % 256).unwrap()).collect();
    let told = place.run(&home, &["-n", "app", "--", "cksum"], Some(&bytes));
    let mut child = Command::new("cksum").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&bytes).unwrap();
    let expected = child.wait_with_output().unwrap();
    assert_eq!((told.status.code(), text(&told.stdout)), (Some(0), text(&expected.stdout)), "{}", text(&told.stderr));
    let told = place.run(&home, &["-n", "app"], Some(b"echo from-a-script\nexit 3\n"));
    assert_eq!((told.status.code(), &*text(&told.stdout)), (Some(3), "from-a-script\n"), "{}", text(&told.stderr));
}

#[test]
fn mistakes_are_told_in_a_line_with_code_2() {
    let (place, home) = (place(), Home::new("mistakes"));
    for (arguments, words) in [
        (&["--", "true"][..], "the task has several containers: choose one of app, envoy with --container"),
        (&["-n", "nginx", "--", "true"], "has no container nginx; it has app, envoy"),
        (&["-c", "nowhere", "-n", "app", "--", "true"], "there is no cluster nowhere"),
    ] {
        let told = place.run(&home, arguments, None);
        assert_eq!((told.status.code(), told.stdout.is_empty()), (Some(2), true), "{}", text(&told.stderr));
        assert!(text(&told.stderr).contains(words), "{}", text(&told.stderr));
    }
    let told = place.run(&home, &["-n", "app", "--", "true"], None);
    assert_eq!(told.status.code(), Some(0));
}

#[test]
fn what_is_read_only_stays_so() {
    let (place, home) = (place(), Home::new("locked"));
    std::fs::create_dir_all(home.0.join("config/midwatch")).unwrap();
    std::fs::write(home.0.join("config/midwatch/config.toml"), "read_only = true\n").unwrap();
    let told = place.run(&home, &["-n", "app", "--", "true"], None);
    assert_eq!(told.status.code(), Some(255));
    assert!(text(&told.stderr).contains("read-only"), "{}", text(&told.stderr));
    assert_eq!(home.journal(), "");
}

#[test]
fn on_a_terminal_every_key_goes_to_the_remote_and_enter_tilde_dot_leaves() {
    let (place, home) = (place(), Home::new("terminal"));
    let mut launch = Launch::new(PROGRAM).args(["exec", &place.task, "-c", "payments-prod", "--container", "app"]).size(100, 30);
    for (name, value) in environment(&home, &place.keys, &place.world.sim.endpoint()) {
        launch = launch.env(name, value);
    }
    let mut terminal = launch.start();
    terminal.send("PS1='ready> '; stty size; echo he''re\r");
    terminal.wait_for("30 100");
    terminal.wait_for("here");
    terminal.send("sh -c 'trap \"echo it-was-\"INT INT; echo wai\"\"ting; while :; do sleep 0.05; done'\r");
    terminal.wait_for("waiting");
    terminal.send("\x03");
    terminal.wait_for("it-was-INT");
    terminal.send("\x1c");
    terminal.resize(90, 25);
    // What is typed right after a signal the shell throws away, so it is typed until it is heard.
    let resized = (0..60).any(|_| {
        terminal.send("while [ \"$(stty size)\" != '25 90' ]; do :; done; echo resi''zed\r");
        terminal.until(Duration::from_secs(2), |terminal| terminal.text().contains("resized")).is_some()
    });
    assert!(resized, "{}", terminal.text());
    terminal.send("printf '\\033[?1049h\\033[?2004h\\033[?25lin-an-ed''itor'\r");
    terminal.wait_for("in-an-editor");
    terminal.send("\r~.");
    let status = terminal.exit();
    assert_eq!(status.exit_code(), 255);
    terminal.assert_clean();
}

#[test]
fn the_exit_of_the_shell_is_the_end_of_the_program() {
    let (place, home) = (place(), Home::new("exit"));
    let mut launch = Launch::new(PROGRAM).args(["exec", &place.task, "-c", "payments-prod", "--container", "app"]);
    for (name, value) in environment(&home, &place.keys, &place.world.sim.endpoint()) {
        launch = launch.env(name, value);
    }
    let mut terminal = launch.start();
    terminal.send("echo he''re\r");
    terminal.wait_for("here");
    terminal.send("exit\r");
    assert_eq!(terminal.exit().exit_code(), 0);
    terminal.assert_clean();
}
