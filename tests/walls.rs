//! The walls of the house: which module may name which, which may name the outside world, and which may wait.
//!
//! Reads the sources as text, without comments and unit tests. A module is a file or folder directly in `src`, or a part of one that
//! [`OWN`] names.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use std::fs;
use std::path::Path;

/// What each module may name of the crate. What is missing here is a wall: think before adding a name, then add it.
const MAY_NAME: &[(&str, &[&str])] = &[
    ("action", &[]),
    (
        "app",
        &[
            "action", "aws", "budget", "change", "config", "duration", "exec", "feed", "filter", "keys", "landing", "model", "panes",
            "store", "text", "theme", "ui", "verdict", "view",
        ],
    ),
    ("aws", &["budget", "change", "exec", "feed", "model", "nearest", "text"]),
    ("budget", &[]),
    ("change", &["aws", "config", "duration", "feed", "model", "store", "text"]),
    ("change/apply", &["aws", "change", "config", "feed", "model"]),
    ("change/gate", &["config", "model"]),
    ("cli", &["duration", "nearest"]),
    ("config", &["cli", "duration", "keys", "settings"]),
    ("copying", &["aws", "change", "exec", "finding", "store", "text"]),
    ("doctor", &["aws", "exec", "finding", "model", "store"]),
    ("duration", &[]),
    ("exec", &["aws", "change", "config", "duration", "model", "retry", "text"]),
    ("exec/channel", &["exec", "text"]),
    ("exec/checks", &["aws", "feed", "model", "store", "text"]),
    ("exec/crypt", &[]),
    ("exec/forwards", &["model"]),
    ("exec/frame", &[]),
    ("exec/handshake", &["exec"]),
    ("exec/keys", &["exec", "keys"]),
    ("exec/rtt", &[]),
    ("exec/shells", &["exec", "model", "text"]),
    ("exec/term", &["exec", "model", "text"]),
    ("exec/smux", &[]),
    ("executing", &["aws", "change", "config", "exec", "finding", "model", "store", "terminal", "text"]),
    ("explain", &["cli", "feed", "model", "store", "text", "verdict"]),
    ("feed", &["aws", "model"]),
    ("filter", &["duration", "nearest"]),
    ("finding", &["aws", "feed", "model", "store", "watch"]),
    ("forwarding", &["aws", "exec", "finding", "store", "text"]),
    ("kept", &["model", "text"]),
    ("keys", &["action", "nearest", "settings"]),
    ("landing", &["duration", "feed", "model", "store", "verdict"]),
    ("logs", &["action", "config", "duration", "feed", "model", "text", "theme", "view"]),
    ("logs/source", &["aws", "feed", "logs", "model", "text"]),
    ("model", &["text"]),
    ("nearest", &[]),
    (
        "panes",
        &["action", "change", "duration", "exec", "feed", "keys", "landing", "logs", "model", "text", "theme", "ui", "verdict", "view"],
    ),
    ("retry", &[]),
    ("run", &["app", "aws", "change", "config", "exec", "feed", "kept", "keys", "model", "terminal", "text", "theme", "view", "watch"]),
    ("settings", &["nearest"]),
    // A mistake that client and simulator shared would cancel itself out.
    ("sim", &[]),
    ("store", &["aws", "change", "exec", "feed", "kept", "logs", "model", "view"]),
    ("terminal", &["keys"]),
    ("text", &["model"]),
    ("theme", &["nearest", "settings"]),
    ("ui", &["action", "feed", "filter", "keys", "model", "text", "theme", "verdict", "view"]),
    ("verdict", &["feed", "logs", "model", "store", "text", "theme"]),
    ("view", &["action", "change", "config", "exec", "feed", "keys", "landing", "model", "store", "theme", "verdict"]),
    ("watch", &["aws", "budget", "feed", "logs", "model", "retry"]),
    ("watching", &["aws", "duration", "feed", "landing", "model", "store", "verdict", "watch"]),
];

/// Parts of a module that count as modules of their own: they wait, or have a lock, and the rest of theirs does not; or the other way round.
const OWN: &[&str] = &[
    "change/apply",
    "change/gate",
    "exec/channel",
    "exec/checks",
    "exec/crypt",
    "exec/forwards",
    "exec/frame",
    "exec/handshake",
    "exec/keys",
    "exec/rtt",
    "exec/shells",
    "exec/term",
    "exec/smux",
    "logs/source",
];

/// The modules that may wait, and so name the runtime.
const MAY_WAIT: &[&str] = &[
    "run",
    "watch",
    "watching",
    "budget",
    "aws",
    "change/apply",
    "copying",
    "doctor",
    "exec",
    "executing",
    "finding",
    "forwarding",
    "logs/source",
    "sim",
    "main",
    "terminal",
];

/// The modules that are pure: an event comes in, the state changes, nothing is asked of the machine.
const PURE: &[&str] = &[
    "action",
    "app",
    "change",
    "exec/channel",
    "exec/checks",
    "exec/crypt",
    "exec/forwards",
    "exec/frame",
    "exec/handshake",
    "exec/keys",
    "exec/rtt",
    "exec/shells",
    "exec/term",
    "exec/smux",
    "feed",
    "filter",
    "kept",
    "landing",
    "logs",
    "model",
    "panes",
    "store",
    "text",
    "ui",
    "verdict",
    "view",
];

/// A word of the outside world and the modules that may use it.
struct Word {
    spelled: &'static [&'static str],
    may: May,
    why: &'static str,
}

enum May {
    Only(&'static [&'static str]),
    AllBut(&'static [&'static str]),
}

const WORDS: &[Word] = &[
    Word {
        spelled: &["aws_sdk_", "aws_config", "aws_smithy_", "aws_types", "aws_runtime", "aws_credential_types"],
        may: May::Only(&["aws"]),
        why: "only aws knows the SDK",
    },
    Word { spelled: &["crossterm"], may: May::Only(&["terminal", "keys", "run"]), why: "one owner of the terminal" },
    Word {
        spelled: &["tokio::", "tokio_"],
        may: May::Only(&[
            "run",
            "watch",
            "watching",
            "budget",
            "aws",
            "change/apply",
            "copying",
            "exec",
            "executing",
            "finding",
            "forwarding",
            "logs/source",
            "sim",
            "main",
        ]),
        why: "only what polls or loops knows the runtime",
    },
    Word { spelled: &[".await", "async fn", "async {", "async move"], may: May::Only(MAY_WAIT), why: "the screen never waits" },
    Word { spelled: &["block_on", "thread::sleep", ".join()"], may: May::AllBut(PURE), why: "the screen never waits" },
    Word { spelled: &["Mutex", "RwLock", "RefCell", "Condvar"], may: May::AllBut(PURE), why: "one owner of state, no lock in the UI" },
    Word {
        spelled: &["Time::now(", "Timestamp::now(", "Instant", "SystemTime"],
        may: May::AllBut(PURE),
        why: "the time comes in with the event",
    },
    Word {
        spelled: &["std::fs", "std::net", "std::process", "std::env", "env!("],
        may: May::AllBut(PURE),
        why: "effects are performed by run",
    },
    Word {
        spelled: &["crate::sim", "midwatch::sim", "sim::Sim"],
        may: May::Only(&["main", "sim"]),
        why: "only main starts the embedded AWS",
    },
];

/// A source file without what does not count, line breaks kept.
fn code(text: &str) -> String {
    let own = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    let line = |line: &str| {
        let code = if line.trim_start().starts_with("//") { "" } else { line.split(" //").next().unwrap_or(line) };
        format!("{code}\n")
    };
    own.lines().map(line).collect()
}

/// The module that a file belongs to, by its path in `src`.
fn module(path: &str) -> &str {
    for own in OWN {
        if path.strip_prefix(own).is_some_and(|rest| rest == ".rs" || rest.starts_with('/')) {
            return own;
        }
    }
    path.split('/').next().unwrap_or(path).trim_end_matches(".rs")
}

/// The modules that a text names after `crate::`, with the line of each.
fn named(code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        let line = code[..at].matches('\n').count() + 1;
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => found.extend(top_of_group(group).into_iter().map(|name| (line, name))),
            None => found.push((line, word(rest))),
        }
    }
    found
}

fn word(text: &str) -> String {
    text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The first words of the paths in a `{…}` of a `use`.
fn top_of_group(group: &str) -> Vec<String> {
    let (mut depth, mut begins, mut names) = (0, true, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && !c.is_whitespace() => {
                names.push(word(&group[at..]));
                begins = false;
            }
            _ => {}
        }
    }
    names
}

/// The breaches of one file: place, what it names, and why it may not.
fn breaches(path: &str, text: &str) -> Vec<String> {
    let (code, module) = (code(text), module(path));
    let mut found = Vec::new();
    if !matches!(module, "lib" | "main") {
        let may = MAY_NAME.iter().find(|(name, _)| *name == module).map(|(_, may)| *may);
        let Some(may) = may else { return vec![format!("src/{path}: module {module} has no row in the table of walls")] };
        for (line, name) in named(&code) {
            if name != module && !module.starts_with(&format!("{name}/")) && !may.contains(&&*name) {
                found.push(format!("src/{path}:{line}: {module} may not name {name}"));
            }
        }
    }
    for word in WORDS {
        let allowed = match word.may {
            May::Only(list) => list.contains(&module),
            May::AllBut(list) => !list.contains(&module),
        };
        // lib.rs says which modules there are, and nothing else.
        if allowed || module == "lib" {
            continue;
        }
        for (n, line) in code.lines().enumerate() {
            if let Some(spelled) = word.spelled.iter().find(|spelled| line.contains(**spelled)) {
                found.push(format!("src/{path}:{}: {module} may not use `{spelled}`: {}", n + 1, word.why));
            }
        }
    }
    found
}

/// Every source file with its path in `src`; files of unit tests may name what they like.
fn sources() -> Vec<(String, String)> {
    fn walk(folder: &Path, root: &Path, out: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, out);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
                if !name.ends_with("/tests.rs") && !name.contains("/tests/") {
                    out.push((name, fs::read_to_string(&path).unwrap()));
                }
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut out = Vec::new();
    walk(&root, &root, &mut out);
    out.sort();
    out
}

#[test]
fn no_module_reaches_through_a_wall() {
    let sources = sources();
    assert!(sources.len() > 100, "only {} files were read", sources.len());
    let found: Vec<String> = sources.iter().flat_map(|(path, text)| breaches(path, text)).collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn the_table_has_no_wall_around_nothing() {
    let sources = sources();
    let unknown: Vec<&str> =
        MAY_NAME.iter().map(|(name, _)| *name).filter(|name| !sources.iter().any(|(path, _)| module(path) == *name)).collect();
    assert!(unknown.is_empty(), "{unknown:?} are no modules");
}

#[test]
fn a_breach_is_caught_whatever_its_form() {
    for (path, text, breach) in [
        ("sim/ecs.rs", "use crate::model::Arn;", "sim may not name model"),
        ("sim.rs", "fn f() -> crate::model::Arn {}", "sim may not name model"),
        ("panes/tasks.rs", "use crate::{\n    action::{Action, self},\n    aws::Api,\n};", "panes may not name aws"),
        ("ui/table.rs", "use crate::store::Store;", "ui may not name store"),
        ("panes/tasks.rs", "use aws_sdk_ecs::Client;", "only aws knows the SDK"),
        ("panes/tasks.rs", "let key = crossterm::event::read();", "one owner of the terminal"),
        ("app.rs", "use tokio::sync::mpsc;", "only what polls or loops knows the runtime"),
        ("view.rs", "let answer = call().await;", "the screen never waits"),
        ("store.rs", "slots: Arc<Mutex<Slots>>,", "no lock in the UI"),
        ("ui/age.rs", "let now = Time::now();", "the time comes in with the event"),
        ("panes/json.rs", "std::fs::write(path, text)", "effects are performed by run"),
        ("watch.rs", "use crate::sim::Sim;", "only main starts the embedded AWS"),
        ("novelty.rs", "", "no row in the table of walls"),
    ] {
        let found = breaches(path, text);
        assert!(found.iter().any(|told| told.contains(breach) && told.starts_with(&format!("src/{path}"))), "{path}: {text}: {found:?}");
    }
    for (path, text) in [
        ("sim/ecs.rs", "use crate::sim::world::World; use std::sync::Mutex;"),
        ("ui/table.rs", "//! See [`crate::store`] and .await\nlet x = 1; // crate::aws\n"),
        ("ui/table.rs", "struct X;\n#[cfg(test)]\nmod tests {\n    use crate::store::Store;\n}\n"),
        ("logs/source/live.rs", "use crate::aws::Api; use tokio::time; page.await;"),
        ("main.rs", "use midwatch::sim; runtime.block_on(async {});"),
    ] {
        assert_eq!(breaches(path, text), Vec::<String>::new());
    }
}
