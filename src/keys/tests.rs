//! The keymap held to keys that every terminal delivers, each with one meaning.

use super::*;
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::time::Duration;

fn patch(text: &str) -> Result<Keymap, String> {
    settings::read("config.toml", text, |top| Keymap::default().patched(&top)).map_err(|error| error.to_string())
}

fn refused(text: &str) -> String {
    patch(text).err().unwrap_or_else(|| "accepted".to_owned())
}

fn key(name: &str) -> Key {
    name.parse().unwrap_or_else(|what| panic!("{what}"))
}

#[test]
fn every_action_has_a_default_key_wherever_it_works() {
    let keys = Keymap::default();
    for row in ACTIONS {
        for kind in [Kind::Table, Kind::Text] {
            // In text the digits up to 6 are ranges.
            let hidden = kind == Kind::Text && matches!(row.action, Action::Pane(1..=6));
            assert_eq!(keys.keys_of(row.action, kind).is_empty(), !row.scope.covers(kind) || hidden, "{} in {kind:?}", row.name);
        }
    }
}

#[test]
fn every_default_action_has_a_key_that_all_terminals_deliver() {
    // Flow control, SIGQUIT, the prefixes of tmux and screen, zellij's modes, and what only some terminals send.
    let shy = |key: &Key| {
        key.alt
            || matches!(key.code, Code::F(_))
            || (key.shift && key.code != Code::Tab)
            || (key.ctrl
                && matches!(key.code, Code::Char('s' | 'q' | '\\' | ' ' | 'b' | 'a' | 'i' | 'm' | '[' | 'g' | 'p' | 't' | 'n' | 'h' | 'o')))
            || (key.ctrl && !matches!(key.code, Code::Char(_)))
    };
    for ((place, action), keys) in &Keymap::default().bound {
        assert!(keys.iter().any(|key| !shy(key)), "{action:?} in {place:?}: {keys:?}");
    }
}

#[test]
fn no_key_of_the_file_means_two_things() {
    let mut seen = HashMap::new();
    for ((place, action), keys) in &Keymap::default().bound {
        for key in keys {
            assert_eq!(seen.insert((*place, *key), *action), None, "{key}");
        }
    }
}

#[test]
fn the_kind_of_view_decides_what_a_letter_means() {
    let keys = Keymap::default();
    assert_eq!(keys.action(Kind::Table, key("e")), Some(Action::Events));
    assert_eq!(keys.action(Kind::Text, key("e")), Some(Action::NextError));
    assert_eq!(keys.action(Kind::Table, key("1")), Some(Action::Pane(1)));
    assert_eq!(keys.action(Kind::Text, key("1")), Some(Action::Range(1)));
    assert_eq!(keys.action(Kind::Text, key("7")), Some(Action::Pane(7)));
    assert_eq!(keys.action(Kind::Text, key("q")), Some(Action::Quit));
    assert_eq!(keys.action(Kind::Text, key("X")), None);
}

#[test]
fn four_capitals_change_something_in_tables_one_letter_opens_a_session_and_no_other_key_does() {
    let keys = Keymap::default();
    let changing = |kind: Kind| -> Vec<Key> {
        let mut bound: Vec<Key> = keys.of(kind).iter().filter(|(_, action)| action.row().risk != Risk::Read).map(|(key, _)| *key).collect();
        bound.sort_unstable();
        bound
    };
    assert_eq!(changing(Kind::Table), ["B", "R", "S", "X", "s"].map(key));
    assert_eq!(changing(Kind::Text), ["s"].map(key));
    assert_eq!(keys.action(Kind::Table, key("s")), Some(Action::Exec));
}

#[test]
fn events_of_the_terminal_become_keys() {
    let from = |code, modifiers| Key::from_event(&KeyEvent::new(code, modifiers)).map(|key| key.to_string());
    assert_eq!(from(KeyCode::Char('G'), KeyModifiers::SHIFT).as_deref(), Some("G"));
    assert_eq!(from(KeyCode::Char('D'), KeyModifiers::CONTROL).as_deref(), Some("ctrl-d"));
    assert_eq!(from(KeyCode::BackTab, KeyModifiers::SHIFT).as_deref(), Some("shift-tab"));
    assert_eq!(from(KeyCode::BackTab, KeyModifiers::NONE).as_deref(), Some("shift-tab"));
    assert_eq!(from(KeyCode::Char(' '), KeyModifiers::NONE).as_deref(), Some("space"));
    assert_eq!(from(KeyCode::CapsLock, KeyModifiers::NONE), None);
    let mut release = KeyEvent::new(KeyCode::Char('x'), KeyModifiers::NONE);
    release.kind = crossterm::event::KeyEventKind::Release;
    assert_eq!(Key::from_event(&release), None);
}

#[test]
fn names_of_keys_read_back() {
    for name in ["g", "G", "ctrl-d", "enter", "f5", "space", "-", "ctrl--", "alt-x", "shift-left", "pgup", "'", "é"] {
        assert_eq!(key(name).to_string(), name);
    }
    assert_eq!(key("Ctrl-D"), key("ctrl-d"));
    assert_eq!(key("PageUp"), key("pgup"));
    assert_eq!(key("minus"), key("-"));
    assert_eq!(key("shift-tab").label(), "S-Tab");
    assert_eq!(key("enter").label(), "⏎");
    assert_eq!(key("ctrl-l").label(), "Ctrl-l");
}

#[test]
fn a_patch_replaces_the_keys_of_the_actions_that_it_names() {
    let keys = patch("[table]\nlogs = [\"L\", \"f6\"]\n").expect("a sound patch");
    assert_eq!(keys.action(Kind::Table, key("L")), Some(Action::Logs));
    assert_eq!(keys.action(Kind::Table, key("l")), None);
    assert_eq!(keys.action(Kind::Text, key("l")), Some(Action::Logs));
    assert_eq!(keys.keys_of(Action::Logs, Kind::Table), ["L", "F6"]);
    assert_eq!(keys.action(Kind::Table, key("e")), Some(Action::Events));
}

#[test]
fn two_actions_may_change_places() {
    let keys = patch("[table]\nlogs = \"e\"\nevents = \"l\"\n").expect("a sound patch");
    assert_eq!(keys.action(Kind::Table, key("e")), Some(Action::Logs));
    assert_eq!(keys.action(Kind::Table, key("l")), Some(Action::Events));
}

#[test]
fn an_action_may_lose_its_keys_but_not_the_way_out() {
    let keys = patch("[table]\nlogs = []\n").expect("a sound patch");
    assert_eq!(keys.key_of(Action::Logs, Kind::Table), None);
    assert_eq!(refused("[global]\nquit = []\n"), "config.toml:2:8: quit must keep a key");
}

#[test]
fn mistakes_in_a_patch_are_refused_with_their_place() {
    for (text, wanted) in [
        ("[table]\nlogz = \"l\"\n", "config.toml:2:1: unknown action \"logz\": did you mean \"logs\"?"),
        ("[tabel]\n", "config.toml:1:2: unknown table of keys \"tabel\": did you mean \"table\"?"),
        ("[table]\nlogs = \"entr\"\n", "config.toml:2:8: unknown key \"entr\": did you mean \"enter\"?"),
        ("[table]\nlogs = \"ctrl-i\"\n", "config.toml:2:8: terminals send tab for \"ctrl-i\": use another key"),
        ("[table]\nlogs = \"shift-l\"\n", "config.toml:2:8: write \"L\" instead of \"shift-l\""),
        ("[table]\nwrap = \"W\"\n", "config.toml:2:8: wrap belongs in [keys.text]"),
        ("[table]\nlogs = 5\n", "config.toml:2:8: logs wants a string in quotes, not an integer"),
        ("[table]\nlogs = \"e\"\n", "config.toml:2:8: e is already events: give events another key, or none with events = []"),
        ("[table]\nlogs = \"r\"\n", "config.toml:2:8: r is already refresh: give refresh another key, or none with refresh = []"),
        ("[global]\nrefresh = \"l\"\n", "config.toml:2:11: l is already logs: give logs another key, or none with logs = []"),
        ("[table]\nlogs = \"W\"\nevents = \"W\"\n", "config.toml:3:10: W is bound twice: it is also logs"),
    ] {
        assert_eq!(refused(text), wanted, "{text}");
    }
}

#[test]
fn a_burst_of_letters_is_no_typing_but_a_held_key_is() {
    let ms = Duration::from_millis;
    let mut burst = Burst::default();
    assert!((0..50).all(|i| burst.judge(key("j"), ms(1000 + i)) == Verdict::Typed));
    let mut burst = Burst::default();
    let verdicts: Vec<Verdict> = "restart now".chars().map(|c| burst.judge(Key::plain(Code::Char(c)), ms(5000))).collect();
    assert_eq!(verdicts[7], Verdict::Typed);
    assert_eq!(verdicts[8..], [Verdict::BurstBegins, Verdict::Burst, Verdict::Burst]);
    assert_eq!(burst.judge(key("x"), ms(5060)), Verdict::Burst);
    assert_eq!(burst.judge(key("x"), ms(5200)), Verdict::Typed);
}
