//! AWS's own session-manager-plugin, started by AWS's own CLI, against the embedded AWS's end of a session: a witness that this end is
//! true, by a client which is not ours. It is built from its source, at the revision that `tests/contract/plugin/go.mod` pins.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.
#![cfg(unix)]

mod support;

use midwatch::sim::{ContextInfo, Options, Shell, Sim};
use serde_json::Value;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use support::python;
use support::terminal::{Launch, PATIENCE, Terminal};

/// The folder of the built plugin, which the CLI looks for on `PATH`.
fn plugin() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugin");
        let module = "github.com/aws/session-manager-plugin/src/sessionmanagerplugin-main";
        let mut go = Command::new("go");
        go.current_dir(python::contract_folder().join("plugin"))
            .args(["build", "-o"])
            .arg(folder.join("session-manager-plugin"))
            .arg(module);
        python::run(&mut go);
        folder
    })
}

/// The embedded AWS with real shells, at a standstill, and the CLI's environment.
struct World {
    sim: Sim,
    keys: ContextInfo,
    cluster: &'static str,
    python: PathBuf,
}

impl World {
    fn start(scenario: &str, context: &str, cluster: &'static str) -> World {
        let sim = Sim::start(Options { scenario: scenario.into(), speed: 0.0, shell: Shell::Real, ..Options::default() }).unwrap();
        let keys = sim.contexts().iter().find(|known| known.name == context).unwrap().clone();
        World { sim, keys, cluster, python: python::environment("cli-requirements.txt") }
    }

    fn small() -> World {
        World::start("small", "acme-prod", "payments-prod")
    }

    fn environment(&self) -> [(&'static str, String); 8] {
        let bin = self.python.parent().unwrap().display();
        [
            ("PATH", format!("{}:{bin}:/usr/bin:/bin", plugin().display())),
            ("AWS_ENDPOINT_URL", self.sim.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.keys.access_key.clone()),
            ("AWS_SECRET_ACCESS_KEY", self.keys.secret_key.clone()),
            ("AWS_DEFAULT_REGION", self.keys.region.clone()),
            ("AWS_CONFIG_FILE", "/dev/null".into()),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null".into()),
            ("AWS_EC2_METADATA_DISABLED", "true".into()),
        ]
    }

    fn cli(&self) -> PathBuf {
        self.python.with_file_name("aws")
    }

    fn asks(&self, arguments: &[&str]) -> Value {
        let output = Command::new(self.cli()).args(arguments).env_clear().envs(self.environment()).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn task(&self, service: &str) -> String {
        let listed = self.asks(&["ecs", "list-tasks", "--cluster", self.cluster, "--service-name", service]);
        listed["taskArns"][0].as_str().unwrap().to_owned()
    }

    fn opens(&self, arguments: &[&str]) -> Terminal {
        self.environment().into_iter().fold(Launch::new(self.cli()), |launch, (key, value)| launch.env(key, value)).args(arguments).start()
    }

    /// A shell in a container, by the CLI's command for it.
    fn shell(&self, service: &str) -> Terminal {
        let task = self.task(service);
        self.opens(
            &[
                &["ecs", "execute-command", "--interactive", "--cluster", self.cluster],
                &["--task", &*task, "--container", "app", "--command", "/bin/sh"][..],
            ]
            .concat(),
        )
    }
}

/// Waits for what nobody types among everything that was ever written.
fn comes(terminal: &mut Terminal, text: &str) {
    let mut from = 0;
    let came = terminal.until(PATIENCE, |terminal| {
        let new = std::mem::replace(&mut from, terminal.raw.len()).saturating_sub(text.len());
        terminal.raw[new..].windows(text.len()).any(|window| window == text.as_bytes())
    });
    assert!(came.is_some(), "{text:?} never came; the terminal shows:\n{}", terminal.text());
}

/// What a session must do whoever opens it: answer, know its size, hear Ctrl-C, lose nothing of a flood, and end.
fn works(mut terminal: Terminal) {
    terminal.send("echo ali''ve; stty size\r");
    comes(&mut terminal, "alive");
    comes(&mut terminal, "35 120");
    // The program itself says that it runs: until then the shell is what Ctrl-C reaches.
    terminal.send("sh -c \"echo sle''eps; exec sleep 1000\"\r");
    comes(&mut terminal, "sleeps");
    terminal.key("ctrl-c");
    comes(&mut terminal, "^C");
    terminal.send("seq 1000''000 1099''999; echo do''ne\r");
    comes(&mut terminal, "done");
    let shown = String::from_utf8_lossy(&terminal.raw).into_owned();
    let numbers: Vec<u32> =
        shown.split_ascii_whitespace().filter_map(|word| word.parse().ok()).filter(|number| *number >= 1_000_000).collect();
    assert!((1_000_000..1_100_000).eq(numbers), "a line is lost or came twice");
    terminal.send("exit\r");
    comes(&mut terminal, "Exiting session with sessionId");
    assert!(terminal.exit().success());
}

#[test]
#[ignore = "needs Go with its module proxy, Python and PyPI: run by .ci/run where Go is"]
fn the_official_plugin_has_a_shell() {
    let world = World::small();
    works(world.shell("checkout"));
}

#[test]
#[ignore = "as above"]
fn the_official_plugin_has_a_shell_under_a_key() {
    let scenario = format!("{}/tests/sim_exec/reasons.toml", env!("CARGO_MANIFEST_DIR"));
    let world = World::start(&scenario, "acme", "sealed");
    let mut terminal = world.shell("vault");
    comes(&mut terminal, "This session is encrypted using AWS KMS.");
    works(terminal);
}

#[test]
#[ignore = "as above"]
fn the_official_plugin_goes_on_through_losses_and_repetitions() {
    // No broken connections: the plugin does not acknowledge again what it has had, and the agent repeats its oldest message only. Once
    // an acknowledgement went down with a connection, the agent therefore repeats that one message for ever, and what is lost besides
    // never comes. Seen with `bye` and `cut`, now and then; Midwatch acknowledges again.
    let troubles = [("drop", 211), ("duplicate", 17), ("reorder", 13), ("nul_padding", 7), ("drop_input", 3), ("drop_ack", 5)];
    let rules = troubles.map(|(kind, every)| format!("[[channel]]\nkind = \"{kind}\"\nevery = {every}\n")).concat();
    let world = World::small();
    world.sim.set_faults(&rules).unwrap();
    works(world.shell("checkout"));
}

#[test]
#[ignore = "as above"]
fn the_official_plugin_forwards_a_port() {
    const COUNT: usize = 5_000_000;
    let world = World::small();
    let task = world.task("checkout");
    let described = world.asks(&["ecs", "describe-tasks", "--cluster", world.cluster, "--tasks", &task]);
    let containers = described["tasks"][0]["containers"].as_array().unwrap();
    let runtime = containers.iter().find(|container| container["name"] == "app").unwrap()["runtimeId"].as_str().unwrap();
    let target = format!("ecs:{}_{}_{runtime}", world.cluster, task.rsplit('/').next().unwrap());
    let document = ["--document-name", "AWS-StartPortForwardingSession", "--parameters", "portNumber=8080"];
    let mut terminal = world.opens(&[&["ssm", "start-session", "--target", &target][..], &document].concat());
    comes(&mut terminal, "Waiting for connections...");
    let said = terminal.text();
    let port: u16 = said.split("Port ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap().parse().unwrap();
    let fetched = move |count: usize| {
        let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
        connection.set_read_timeout(Some(PATIENCE)).unwrap();
        write!(connection, "GET /bytes/{count} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        let body = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
        answer.split_off(body)
    };
    let pattern = fetched(COUNT);
    assert_eq!(pattern.len(), COUNT);
    // The same 63 bytes again and again.
    assert!(pattern[63..] == pattern[..COUNT - 63]);
    let together: Vec<_> = (1..=20).map(|n| std::thread::spawn(move || (n * 1000, fetched(n * 1000)))).collect();
    for one in together {
        let (count, body) = one.join().unwrap();
        assert!(body == pattern[..count], "{count} bytes");
    }
    terminal.key("ctrl-c");
    comes(&mut terminal, "Exiting session with sessionId");
    assert!(terminal.exit().success());
}
