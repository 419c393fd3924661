//! Makes the pictures in `screenshots/` from the real binary on the demo, as a terminal would show it.
//!
//! `cargo run --release --example screenshots` makes them all, `-- fleet logs` only those. The pictures are SVG: text stays text,
//! lines and blocks are drawn as shapes, so that they join whatever font the reader has.

#[path = "../tests/support/terminal.rs"]
mod terminal;

#[path = "screenshots/svg.rs"]
mod svg;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;
use std::{env, fs};

use terminal::{Launch, Terminal};

/// One thing done at the terminal before the picture is taken.
enum Step {
    /// A key by its name, or a text to type.
    Key(&'static str),
    /// Wait until the text is on screen.
    Wait(&'static str),
}

use Step::{Key, Wait};

/// One picture.
struct Picture {
    name: &'static str,
    columns: u16,
    rows: u16,
    theme: &'static str,
    scenario: &'static str,
    steps: &'static [Step],
}

const WIDE: (u16, u16) = (120, 35);
const SMALL: (u16, u16) = (80, 24);
const DARK: &str = "midwatch-dark";
const LIGHT: &str = "midwatch-light";
const MONO: &str = "mono";

const fn picture(name: &'static str, (columns, rows): (u16, u16), theme: &'static str, steps: &'static [Step]) -> Picture {
    Picture { name, columns, rows, theme, scenario: "small", steps }
}

/// The same on the five systems that the demo opens on.
const fn of_seeds(name: &'static str, size: (u16, u16), theme: &'static str, steps: &'static [Step]) -> Picture {
    Picture { scenario: "seeds", ..picture(name, size, theme, steps) }
}

/// The first screen with every cluster's figures.
const FLEET: &[Step] = &[Wait("learning-platform-staging-cluster1"), Wait("tutorbloc/staging")];
/// A release whose migration fails.
const TRIAGE: &[Step] = &[
    Wait("tutorbloc/staging"),
    Wait("tutorbloc/production"),
    Key("/tutorbloc/production"),
    Key("enter"),
    Wait("SQLSTATE"),
    Key("enter"),
    Wait("Running migrations"),
];
const SERVICES: &[Step] =
    &[Wait("web-stage"), Key(":payments-prod"), Key("enter"), Wait("payments-prod › services"), Wait("ledger-api"), Wait("risk-scorer")];
const TASKS: &[Step] = &[
    Wait("web-stage"),
    Key(":payments-prod"),
    Key("enter"),
    Wait("payments-prod › services"),
    Wait("ledger-api"),
    Key("/checkout"),
    Key("enter"),
    Key("enter"),
    Wait("RUNNING"),
];
const LOGS: &[Step] = &[
    Wait("web-stage"),
    Key(":payments-prod"),
    Key("enter"),
    Wait("payments-prod › services"),
    Wait("ledger-api"),
    Key("/checkout"),
    Key("enter"),
    Key("l"),
    Wait("INFO"),
];
const TARGETS: &[Step] = &[
    Wait("web-stage"),
    Key(":payments-prod"),
    Key("enter"),
    Wait("payments-prod › services"),
    Wait("ledger-api"),
    Key("/ledger"),
    Key("enter"),
    Key("h"),
    Wait("unhealthy"),
];
const EVENTS: &[Step] = &[
    Wait("web-stage"),
    Key(":payments-prod"),
    Key("enter"),
    Wait("payments-prod › services"),
    Wait("ledger-api"),
    Key("/checkout"),
    Key("enter"),
    Key("e"),
    Wait("has started"),
];
const DESCRIBE: &[Step] = &[
    Wait("web-stage"),
    Key(":payments-prod"),
    Key("enter"),
    Wait("payments-prod › services"),
    Wait("ledger-api"),
    Key("/ledger"),
    Key("enter"),
    Key("d"),
    Wait("arn:aws"),
];
const HELP: &[Step] = &[Wait("web-stage"), Key("?"), Wait("Ask AWS again now")];

const PICTURES: &[Picture] = &[
    of_seeds("fleet", WIDE, DARK, FLEET),
    of_seeds("fleet-80x24", SMALL, DARK, FLEET),
    of_seeds("fleet-light", WIDE, LIGHT, FLEET),
    of_seeds("triage", WIDE, DARK, TRIAGE),
    picture("services", WIDE, DARK, SERVICES),
    picture("services-80x24", SMALL, DARK, SERVICES),
    picture("services-mono", WIDE, MONO, SERVICES),
    picture("tasks", WIDE, DARK, TASKS),
    picture("logs", WIDE, DARK, LOGS),
    picture("logs-light", WIDE, LIGHT, LOGS),
    picture("targets", WIDE, DARK, TARGETS),
    picture("events", WIDE, DARK, EVENTS),
    picture("describe", WIDE, DARK, DESCRIBE),
    picture("help", WIDE, DARK, HELP),
];

fn main() {
    let wanted: Vec<String> = env::args().skip(1).collect();
    let binary = build();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("screenshots");
    fs::create_dir_all(&folder).expect("the repository can be written");
    for picture in PICTURES.iter().filter(|picture| wanted.is_empty() || wanted.iter().any(|name| name == picture.name)) {
        let mut terminal = Launch::new(&binary)
            .args(["--demo", picture.scenario, "--seed", "7", "--theme", picture.theme])
            .env("HOME", env::temp_dir().join("midwatch-screenshots"))
            .size(picture.columns, picture.rows)
            .start();
        for step in picture.steps {
            match step {
                // What comes all at once opens no line of input: it may be pasted.
                Key(text) if text.len() > 1 && text.starts_with([':', '/']) => {
                    terminal.key(&text[..1]);
                    terminal.drain(Duration::from_millis(300));
                    terminal.key(&text[1..]);
                }
                Key(name) => terminal.key(name),
                Wait(text) => terminal.wait_for(text),
            }
        }
        settle(&mut terminal);
        let ground = if picture.theme == LIGHT { svg::PAPER } else { svg::NIGHT };
        let file = folder.join(picture.name).with_extension("svg");
        fs::write(&file, svg::draw(terminal.screen(), ground)).expect("the folder was made above");
        eprintln!("{}", file.display());
    }
}

/// Until the first wave of answers has been drawn.
fn settle(terminal: &mut Terminal) {
    terminal.drain(Duration::from_secs(4));
}

/// The release binary, built now: `cargo run --example` builds the example and the library only.
fn build() -> PathBuf {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--bin", "midwatch", "--manifest-path"])
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
        .status();
    assert!(built.expect("cargo runs").success(), "the binary does not build");
    let example = env::current_exe().expect("a running program has a path");
    let profile = example.parent().and_then(Path::parent).expect("examples stand two folders below the profile's parent");
    profile.with_file_name("release").join("midwatch")
}
