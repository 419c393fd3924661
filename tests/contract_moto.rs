//! The program against somebody else's fake AWS: what moto answers must come on screen, through the real binary and no code of ours
//! on the other side.
//!
//! moto is a check of serialisation only: it starts no tasks for services and moves nothing.

mod support;

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use support::python;
use support::terminal::{Launch, Terminal};

/// moto with a small fleet in it; ends when its standard input is closed.
struct Moto {
    process: Child,
    world: Value,
}

impl Moto {
    fn start() -> Self {
        let interpreter = python::environment("moto-requirements.txt");
        let mut process = Command::new(interpreter)
            .arg("-B")
            .arg(python::contract_folder().join("moto_world.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the environment's Python starts");
        let mut line = String::new();
        let output = process.stdout.take().expect("the output is piped");
        BufReader::new(output).read_line(&mut line).expect("moto says where it listens");
        let world = serde_json::from_str(&line).expect("moto describes its world in JSON");
        Self { process, world }
    }

    fn text(&self, key: &str) -> &str {
        self.world[key].as_str().expect("the world names it")
    }

    /// The values of `field` for one service.
    fn of_service(&self, list: &str, service: &str, field: &str) -> Vec<String> {
        let rows = self.world[list].as_array().expect("the world lists them");
        let own = rows.iter().filter(|row| row["service"] == service);
        own.map(|row| row[field].as_str().expect("the world names it").to_owned()).collect()
    }

    fn open(&self, args: &[&str]) -> Terminal {
        let home = tempdir();
        Launch::new(env!("CARGO_BIN_EXE_midwatch"))
            .args(["--endpoint-url", self.text("endpoint"), "--region", self.text("region")])
            .args(args)
            .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
            .env("AWS_SECRET_ACCESS_KEY", "moto")
            .env("HOME", home)
            .size(160, 45)
            .start()
    }
}

impl Drop for Moto {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        // It ends by itself; a failure here must not hide the test's own.
        let _ = self.process.wait();
    }
}

fn tempdir() -> std::path::PathBuf {
    let folder = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join("moto-home");
    std::fs::create_dir_all(&folder).expect("the build folder can be written");
    folder
}

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn what_moto_answers_comes_on_screen() {
    let moto = Moto::start();

    let mut fleet = moto.open(&[]);
    fleet.wait_for(moto.text("cluster"));

    let mut terminal = moto.open(&["--cluster", moto.text("cluster")]);
    terminal.wait_for("pilot");
    terminal.wait_for("lighthouse");
    terminal.send("/pilot");
    terminal.key("enter");
    terminal.wait_gone("lighthouse");

    terminal.key("h");
    for address in moto.of_service("targets", "pilot", "address") {
        terminal.wait_for(&address);
    }
    terminal.esc();
    terminal.wait_for("pilot");

    terminal.key("l");
    for line in moto.of_service("lines", "pilot", "text") {
        terminal.wait_for(&line);
    }
    terminal.esc();
    terminal.wait_for("pilot");

    terminal.key("enter");
    for id in moto.of_service("tasks", "pilot", "id") {
        terminal.wait_for(&id[..8]);
    }
}
