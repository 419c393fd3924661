//! The configuration held to its schema and to the place of every mistake.

use super::*;
use crate::action::{Action, Kind};
use std::path::PathBuf;

fn directory(name: &str) -> PathBuf {
    let directory = std::env::temp_dir().join(format!("midwatch-config-{}-{name}", std::process::id()));
    std::fs::create_dir_all(&directory).expect("a writable temporary directory");
    directory
}

fn config(text: &str) -> Config {
    parse("config.toml", text).map_or_else(|error| panic!("{error}"), |(config, _)| config)
}

#[test]
fn an_empty_file_changes_nothing() {
    assert_eq!(config(""), Config::default());
}

#[test]
fn every_key_of_the_schema_is_read() {
    let text = r#"
theme = "midwatch-light"
refresh = "10s"
prod = ["live-*", "?rod"]
mouse = false
clipboard = false
hints = false
read_only = true
write = "5m"

[[context]]
profile = "payments"
region = "eu-west-1"
name = "payments-eu"
prod = true
read_only = false

[[context]]
profile = "sandbox"

[logs]
range = "1h"
timestamps = "utc"
wrap = true
memory = 128

[watch]
bell = true
notify = true
title = true

[exec]
command = "zsh -l"
leader = "ctrl-g"

[keys.table]
logs = "L"
"#;
    let (config, keys) = parse("config.toml", text).unwrap_or_else(|error| panic!("{error}"));
    let wanted = Config {
        theme: Some("midwatch-light".to_owned()),
        refresh: Duration::from_secs(10),
        prod: vec!["live-*".to_owned(), "?rod".to_owned()],
        mouse: false,
        clipboard: false,
        hints: false,
        read_only: true,
        write: Duration::from_mins(5),
        contexts: vec![
            ContextEntry {
                profile: Some("payments".to_owned()),
                region: Some("eu-west-1".to_owned()),
                name: Some("payments-eu".to_owned()),
                prod: Some(true),
                read_only: Some(false),
            },
            ContextEntry { profile: Some("sandbox".to_owned()), ..ContextEntry::default() },
        ],
        logs: LogSettings { range: Duration::from_hours(1), timestamps: Timestamps::Utc, wrap: true, memory: 128 << 20 },
        watch: WatchSettings { bell: true, notify: true, title: true },
        exec: ExecSettings { command: "zsh -l".to_owned(), leader: "ctrl-g".parse().unwrap() },
    };
    assert_eq!(config, wanted);
    assert_eq!(keys.keys_of(Action::Logs, Kind::Table), ["L"]);
}

#[test]
fn mistakes_are_refused_with_file_line_column_and_the_nearest_right_name() {
    for (text, wanted) in [
        ("theme = \"x\"\nmuose = true\n", "c.toml:2:1: unknown key \"muose\": did you mean \"mouse\"?"),
        ("refresh = \"5\"\n", "c.toml:1:11: refresh wants a time such as \"5s\" or \"1m30s\", from 1s to 10m00s"),
        ("refresh = 5\n", "c.toml:1:11: refresh wants a string in quotes, not an integer"),
        ("[[context]]\nregoin = \"eu-west-1\"\n", "c.toml:2:1: unknown key \"regoin\": did you mean \"region\"?"),
        ("[[context]]\nregion = \"eu-wset-1\"\n", "c.toml:2:10: not a region: did you mean eu-west-1?"),
        ("[logs]\ntimestamps = \"UCT\"\n", "c.toml:2:14: unknown way to show times \"UCT\": did you mean \"utc\"?"),
        ("[exec]\nleader = \"q\"\n", "c.toml:2:10: q is needed inside the session: take one with ctrl or alt, or f1 to f12"),
        ("[exec]\ncommand = \"\"\n", "c.toml:2:11: a command is needed: ECS runs nothing else"),
        ("[logs]\nmemory = 0\n", "c.toml:2:10: memory wants a whole number from 1 to 4096"),
        ("[keys.table]\nlogs = \"e\"\n", "c.toml:2:8: e is already events: give events another key, or none with events = []"),
        ("write = \"1d\"\n", "c.toml:1:9: write wants a time such as \"5s\" or \"1m30s\", from 1m00s to 8h00m"),
        ("[[context]]\nread_only = \"yes\"\n", "c.toml:2:13: read_only wants true or false, not a string"),
        ("context = 3\n", "c.toml:1:11: context wants a table, not an integer"),
    ] {
        let error = parse("c.toml", text).map(|_| ()).expect_err("a mistake");
        assert_eq!(error.to_string(), wanted, "{text}");
    }
}

#[test]
fn production_is_told_by_name() {
    let plain = Config::default();
    for (name, wanted) in [("payments-prod", true), ("PROD", true), ("acme-production-eu", true), ("stage", false), ("", false)] {
        assert_eq!(plain.is_production(name), wanted, "{name}");
    }
    let own = config("prod = [\"live-*-eu\", \"?rd\"]");
    for (name, wanted) in [("live-a-eu", true), ("live-a-us", false), ("prd", true), ("pprd", false), ("live--eu", true)] {
        assert_eq!(own.is_production(name), wanted, "{name}");
    }
}

#[test]
fn a_pattern_of_many_stars_ends() {
    let name = "a".repeat(5_000);
    assert!(!matches(&("*a".repeat(200) + "b"), &name));
}

#[test]
fn a_missing_usual_file_is_fine_and_a_missing_named_one_is_not() {
    let places = Places::below(&directory("missing"));
    assert_eq!(load(None, &places).map(|(config, _)| config), Ok(Config::default()));
    let error = load(Some(Path::new("no-such.toml")), &places).map(|_| ()).expect_err("no such file");
    assert!(error.starts_with("cannot read the configuration no-such.toml: "), "{error}");
}

#[test]
fn what_is_no_configuration_is_refused_in_one_line() {
    let root = directory("strange");
    let places = Places::below(&root);
    for (name, bytes, wanted) in
        [("latin1", b"theme = \"\xe9\"".to_vec(), "not UTF-8 text"), ("huge", vec![b'#'; (1 << 20) + 1], "larger than 1 MiB")]
    {
        let path = root.join(name);
        std::fs::write(&path, bytes).expect("a writable temporary directory");
        let error = load(Some(&path), &places).map(|_| ()).expect_err("no configuration");
        assert!(error.contains(wanted) && !error.contains('\n'), "{error}");
    }
    assert!(load(Some(&root), &places).is_err());
}

#[test]
fn what_is_remembered_is_recalled() {
    let places = Places::below(&directory("state"));
    places.remember("bookmarks.json", "[1]").expect("a writable temporary directory");
    assert_eq!(places.recall("bookmarks.json"), Ok(Some("[1]".to_owned())));
    assert_eq!(places.recall("never"), Ok(None));
}

#[test]
fn a_directory_that_cannot_be_written_is_one_line() {
    let root = directory("blocked");
    std::fs::write(root.join("state"), "a file where the directory should be").expect("a writable temporary directory");
    let error = Places::below(&root).remember("bookmarks.json", "[]").expect_err("no directory");
    assert!(error.starts_with("cannot keep ") && !error.contains('\n'), "{error}");
}
