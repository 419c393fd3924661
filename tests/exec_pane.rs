//! Sessions inside containers on the screen: the dialog, the terminal with its frame, keys and the mouse, tabs, and every way that a session
//! ends. The whole program but its terminal and the remote, which is played here.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "stage/mod.rs"]
mod stage;

use midwatch::app::{Effect, Event};
use midwatch::exec::shells::{Heard, Order};
use midwatch::exec::term::Mouse;
use midwatch::exec::{Ask, End, Said};
use midwatch::feed::Feed;
use midwatch::keys::{Button, Pointed, Pointing};
use stage::shots::shots;
use stage::{Stage, sim};

/// The cursor on a service in the list of its cluster, everything read.
fn service(cluster: &str, name: &str) -> Stage {
    let mut stage = Stage::open(sim("small"));
    resize(&mut stage, 120, 35);
    stage.settle();
    stage.press(":");
    stage.write(&format!("cluster {cluster}"));
    stage.press("enter");
    stage.screen(120, 35);
    stage.settle();
    stage.find(name);
    stage.screen(120, 35);
    stage.settle();
    stage
}

fn event(stage: &mut Stage, event: Event) -> Vec<Effect> {
    let now = stage.now();
    let effects = stage.app.update(event, now);
    stage.app.settle();
    effects
}

fn resize(stage: &mut Stage, columns: u16, rows: u16) -> Vec<Effect> {
    event(stage, Event::Resize(columns, rows))
}

fn heard(stage: &mut Stage, id: u64, heard: Heard) -> Vec<Effect> {
    event(stage, Event::Session(id, heard))
}

fn output(stage: &mut Stage, id: u64, bytes: &[u8]) -> Vec<Effect> {
    heard(stage, id, Heard::Said(Said::Output(bytes.to_vec())))
}

/// What was to be opened since the last look.
fn orders(stage: &mut Stage) -> Vec<Order> {
    let effects = stage.take_effects().into_iter();
    effects.filter_map(|effect| if let Effect::Session(order) = effect { Some(*order) } else { None }).collect()
}

/// What a session was told since the last look.
fn told(stage: &mut Stage) -> Vec<Ask> {
    let effects = stage.take_effects().into_iter();
    effects.filter_map(|effect| if let Effect::Tell(_, ask) = effect { Some(ask) } else { None }).collect()
}

fn typed(bytes: &[u8]) -> Vec<Ask> {
    vec![Ask::Input(bytes.to_vec())]
}

#[track_caller]
fn shows(stage: &mut Stage, texts: &[&str]) {
    let screen = stage.screen(120, 35);
    for text in texts {
        assert!(screen.contains(text), "no {text}\n{screen}");
    }
}

/// A dialog on checkout, which takes sessions.
fn dialog() -> Stage {
    dialog_on("checkout")
}

fn dialog_on(name: &str) -> Stage {
    let mut stage = service("payments-prod", name);
    stage.press(":");
    stage.write("write 15m");
    stage.press("enter");
    stage.press("s");
    stage.screen(120, 35);
    stage.settle();
    stage
}

/// A session to checkout that is open and has shown its prompt.
fn session() -> Stage {
    opened(dialog())
}

fn opened(mut stage: Stage) -> Stage {
    stage.press("x");
    assert_eq!(orders(&mut stage).len(), 1);
    ready(&mut stage, 1);
    stage.settle();
    stage
}

fn ready(stage: &mut Stage, id: u64) {
    heard(stage, id, Heard::Granted("ecs-execute-command-0a1b2c".into()));
    heard(stage, id, Heard::Said(Said::Ready { agent: None, encrypted: false, message: None }));
    output(stage, id, b"\x1b[1;32mroot@41b0\x1b[0m:/app# ");
}

#[test]
fn the_dialog_says_where_what_and_whether_it_can_be() {
    let mut stage = dialog();
    shows(
        &mut stage,
        &["Exec into payments-prod/checkout", "▌PROD▐", "app", "envoy", "aws ecs execute-command --cluster payments-prod", "x opens it"],
    );
    shots!(stage, "exec_dialog");
}

/// The dialog on checkout where IAM and EC2 do not answer as they should.
fn dialog_where(fault: &str, hangs: impl Fn(&Feed) -> bool) -> Stage {
    let mut stage = service("payments-prod", "checkout");
    let of = |operation: &str| format!("[[fault]]\noperation = '{operation}'\nkind = '{fault}'\n");
    stage.fault(&["iam:SimulatePrincipalPolicy", "ec2:DescribeSubnets"].map(of).concat());
    stage.press(":");
    stage.write("write 15m");
    stage.press("enter");
    stage.press("s");
    stage.screen(120, 35);
    stage.settle_but(hangs);
    stage
}

#[test]
fn a_session_opens_without_waiting_for_what_iam_and_ec2_say() {
    let mut stage = dialog_where("hang", |feed| matches!(feed, Feed::Look(..)));
    shows(&mut stage, &["x opens it"]);
    stage.press("x");
    assert_eq!(orders(&mut stage).len(), 1);
}

#[test]
fn what_may_not_be_looked_at_is_a_line_for_each_right_that_is_missing_and_keeps_nobody_out() {
    let mut stage = dialog_where("deny", |_| false);
    // The dialog breaks its lines between words.
    shows(
        &mut stage,
        &[
            "? caller's rights, role's rights, session log: may not look",
            "iam:SimulatePrincipalPolicy",
            "? way to ssmmessages: may not look",
            "x opens it",
        ],
    );
    stage.press("x");
    assert_eq!(orders(&mut stage).len(), 1);
}

#[test]
fn enter_does_not_open_and_keys_that_come_at_once_do_not() {
    let mut stage = dialog();
    stage.press("enter");
    assert_eq!(orders(&mut stage), []);
    assert!(!stage.screen(120, 35).contains("Exec into"), "Cancel has the focus at first");
    let mut stage = dialog();
    let now = stage.now();
    let mut effects = Vec::new();
    for key in ["tab", "x"] {
        effects.extend(stage.app.update(Event::Key(key.parse().unwrap()), now));
    }
    effects.extend(stage.app.update(Event::Rest, now));
    assert!(!effects.iter().any(|effect| matches!(effect, Effect::Session(_))), "{effects:?}");
    shows(&mut stage, &["confirm nothing"]);
    stage.press("x");
    assert_eq!(orders(&mut stage).len(), 1);
}

#[test]
fn task_container_and_command_are_chosen_and_the_container_is_remembered() {
    let mut stage = dialog();
    stage.keys("tab tab right tab right right tab");
    stage.write("cat /proc/1/status");
    stage.keys("tab x");
    let order = orders(&mut stage).remove(0);
    assert_eq!((&*order.target.container, order.target.command.as_str()), ("envoy", "cat /proc/1/status"));
    assert_eq!(&*order.target.family, "checkout");
    // The same family again: the container of the last time.
    ready(&mut stage, 1);
    stage.keys("ctrl-] d s");
    stage.screen(120, 35);
    stage.settle();
    shows(&mut stage, &["> envoy"]);
    stage.press("x");
    let order = orders(&mut stage).remove(0);
    assert_eq!(&*order.target.container, "envoy");
    assert!(order.target.command.starts_with("sh -c "), "{}", order.target.command);
}

#[test]
fn nothing_is_opened_where_the_gate_is_shut() {
    let mut stage = service("payments-prod", "checkout");
    stage.press("s");
    stage.screen(120, 35);
    stage.settle();
    shows(&mut stage, &["production is locked until :write 15m arms it", "cannot be opened"]);
    stage.press("x");
    assert_eq!(orders(&mut stage), []);
}

#[test]
fn a_service_without_exec_says_so_and_offers_to_switch_it_on() {
    let mut stage = service("web-stage", "storefront");
    stage.press("s");
    stage.screen(120, 35);
    stage.settle();
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("x opens it"), "the test needs a service without exec\n{screen}");
    shows(&mut stage, &["the task was started without it", "e enables exec"]);
    stage.press("x");
    assert_eq!(orders(&mut stage), []);
    stage.press("e");
    shows(&mut stage, &["Enable exec", "--enable-execute-command"]);
}

#[test]
fn a_session_is_a_terminal_with_its_frame_and_the_logs_below() {
    let mut stage = session();
    output(&mut stage, 1, b"ls\r\nCargo.toml  src\r\nroot@41b0:/app# ");
    shows(&mut stage, &["exec checkout", "▌PROD▐", "Ctrl-] for commands", "Cargo.toml  src", "Logs"]);
    resize(&mut stage, 120, 35);
    shots!(stage, "session");
}

#[test]
fn every_key_goes_to_the_remote_but_the_leader() {
    let mut stage = session();
    for (key, bytes) in [
        ("q", &b"q"[..]),
        (":", b":"),
        ("?", b"?"),
        ("esc", b"\x1b"),
        ("ctrl-c", b"\x03"),
        ("ctrl-z", b"\x1a"),
        ("ctrl-\\", b"\x1c"),
        ("ctrl-4", b"\x1c"),
        ("ctrl-d", b"\x04"),
        ("ctrl-l", b"\x0c"),
        ("tab", b"\t"),
        ("enter", b"\r"),
        ("up", b"\x1b[A"),
    ] {
        stage.press(key);
        assert_eq!(told(&mut stage), typed(bytes), "{key}");
    }
    stage.press("ctrl-]");
    assert_eq!(told(&mut stage), []);
    shows(&mut stage, &["e end", "Ctrl-] sends itself"]);
    stage.press("ctrl-]");
    assert_eq!(told(&mut stage), typed(b"\x1d"));
    assert!(stage.app.takes_all() && stage.app.typing(), "a burst of keys is text here");
}

#[test]
fn modes_of_the_remote_change_what_is_sent() {
    let mut stage = session();
    let effects = event(&mut stage, Event::Paste("a\nb".to_owned()));
    assert_eq!(effects, [Effect::Tell(1, Ask::Input(b"a\rb".to_vec()))]);
    output(&mut stage, 1, b"\x1b[?2004h\x1b[?1h\x1b[?1004h");
    let effects = event(&mut stage, Event::Paste("a".to_owned()));
    assert_eq!(effects, [Effect::Tell(1, Ask::Input(b"\x1b[200~a\x1b[201~".to_vec()))]);
    stage.press("up");
    assert_eq!(told(&mut stage), typed(b"\x1bOA"));
    let effects = event(&mut stage, Event::Focus(false));
    assert!(effects.contains(&Effect::Tell(1, Ask::Input(b"\x1b[O".to_vec()))), "{effects:?}");
}

#[test]
fn what_the_remote_asks_is_answered_and_its_bell_is_heard() {
    let mut stage = session();
    let effects = output(&mut stage, 1, b"\x1b[c\x07");
    assert!(effects.contains(&Effect::Tell(1, Ask::Input(b"\x1b[?62;22c".to_vec()))), "{effects:?}");
    assert!(effects.contains(&Effect::Ring { bell: true, notify: None }), "{effects:?}");
}

#[test]
fn the_terminal_follows_the_size_of_its_place() {
    let mut stage = session();
    let size = |effects: Vec<Effect>| {
        effects.into_iter().find_map(|effect| match effect {
            Effect::Tell(1, Ask::Size { columns, rows }) => Some((columns, rows)),
            _ => None,
        })
    };
    assert_eq!(size(resize(&mut stage, 100, 40)), Some((98, 24)), "the logs have three tenths of the rows");
    assert_eq!(size(resize(&mut stage, 100, 40)), None, "the same size is told once");
    stage.screen(100, 40);
    stage.keys("ctrl-] z");
    assert_eq!(told(&mut stage).last(), Some(&Ask::Size { columns: 98, rows: 34 }));
    stage.keys("ctrl-] p");
    assert_eq!(told(&mut stage).last(), Some(&Ask::Size { columns: 100, rows: 40 }));
    let screen = stage.screen(100, 40);
    assert!(screen.starts_with("root@41b0:/app#") && !screen.contains('┌'), "the remote has all of it\n{screen}");
    assert_eq!(size(resize(&mut stage, 200, 50)), Some((200, 50)));
}

#[test]
fn the_mouse_is_the_remotes_when_it_asks_and_marks_text_when_it_does_not() {
    let mut stage = session();
    output(&mut stage, 1, b"\r\nmark this line");
    stage.screen(120, 35);
    let at = |what, column, row| Event::Pointed(Pointed { what, column, row, shift: false, alt: false, ctrl: false });
    // The frame's border and the header lie before the first cell.
    event(&mut stage, at(Pointing::Press(Button::Left), 6, 4));
    event(&mut stage, at(Pointing::Drag(Button::Left), 9, 4));
    let effects = event(&mut stage, at(Pointing::Release(Button::Left), 9, 4));
    assert_eq!(effects, [Effect::Copy("this".to_owned(), "the text".to_owned())]);
    let effects = output(&mut stage, 1, b"\x1b[?1003h\x1b[?1006h");
    assert_eq!(effects, [Effect::Mouse(Mouse::Moves)]);
    let effects = event(&mut stage, at(Pointing::Press(Button::Left), 6, 4));
    assert_eq!(effects, [Effect::Tell(1, Ask::Input(b"\x1b[<0;6;2M".to_vec()))]);
    let effects = event(&mut stage, at(Pointing::WheelUp, 6, 4));
    assert_eq!(effects, [Effect::Tell(1, Ask::Input(b"\x1b[<64;6;2M".to_vec()))]);
    stage.keys("ctrl-] d");
    assert!(stage.take_effects().contains(&Effect::Mouse(Mouse::Clicks)));
}

#[test]
fn what_has_scrolled_away_is_looked_at_marked_and_copied_while_the_session_goes_on() {
    let mut stage = session();
    for n in 0..200 {
        output(&mut stage, 1, format!("\r\nline {n}").as_bytes());
    }
    stage.keys("ctrl-] c ctrl-b ctrl-b");
    output(&mut stage, 1, b"\r\nlater");
    let screen = stage.screen(120, 35);
    assert!(screen.contains("looking back") && screen.contains("line 160") && !screen.contains("later"), "{screen}");
    stage.keys("/ 4 2 enter V j y");
    let copied = stage.take_effects();
    assert!(copied.contains(&Effect::Copy("line 142\nline 143".to_owned(), "2 lines".to_owned())), "{copied:?}");
    shows(&mut stage, &["later"]);
    assert!(!copied.iter().any(|effect| matches!(effect, Effect::Tell(_, Ask::Input(_)))), "none of it was typed");
}

#[test]
fn the_leader_and_page_up_look_back_by_a_page_at_once() {
    let mut stage = session();
    for n in 0..200 {
        output(&mut stage, 1, format!("\r\nline {n}").as_bytes());
    }
    stage.keys("ctrl-] pgup");
    let screen = stage.screen(120, 35);
    assert!(screen.contains("looking back") && !screen.contains("line 199"), "{screen}");
    assert_eq!(told(&mut stage), [], "none of it goes to the remote");
    stage.keys("esc");
    shows(&mut stage, &["line 199"]);
}

#[test]
fn zoom_is_offered_where_there_are_logs_to_hide() {
    let mut stage = session();
    resize(&mut stage, 120, 35);
    stage.screen(120, 35);
    stage.keys("ctrl-]");
    shows(&mut stage, &["z zoom"]);
    stage.keys("esc");
    resize(&mut stage, 80, 24);
    stage.screen(80, 24);
    stage.keys("ctrl-]");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("e end") && !screen.contains("z zoom"), "{screen}");
    stage.keys("z");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("no logs are shown"), "{screen}");
}

#[test]
fn sessions_are_tabs_and_go_on_when_they_are_left() {
    let mut stage = session();
    stage.keys("ctrl-] d");
    assert_eq!(told(&mut stage), [], "it is left, not ended");
    shows(&mut stage, &["exec", "/app"]);
    stage.press("s");
    stage.screen(120, 35);
    stage.settle();
    stage.press("x");
    ready(&mut stage, 2);
    output(&mut stage, 1, b"\r\nfrom the first");
    shows(&mut stage, &["[2 ●", "1 ●", "*"]);
    stage.keys("ctrl-] n");
    shows(&mut stage, &["[1 ●", "from the first"]);
    stage.press("a");
    assert!(stage.take_effects().contains(&Effect::Tell(1, Ask::Input(b"a".to_vec()))));
    stage.keys("ctrl-] e");
    assert!(stage.take_effects().contains(&Effect::Tell(1, Ask::Leave)));
    stage.screen(120, 35);
    stage.keys("ctrl-] e");
    assert!(stage.take_effects().contains(&Effect::Tell(2, Ask::Leave)));
    shows(&mut stage, &["Services"]);
}

#[test]
fn the_list_of_sessions_leads_back_to_each() {
    let mut stage = session();
    stage.keys("ctrl-] d :");
    stage.write("sessions");
    stage.press("enter");
    shows(&mut stage, &["Sessions", "checkout", "● open"]);
    shots!(stage, "sessions");
    stage.press("enter");
    shows(&mut stage, &["exec checkout"]);
}

#[test]
fn an_end_is_said_and_the_last_screen_stays_until_it_is_read() {
    let mut stage = session();
    output(&mut stage, 1, b"\r\nlast words");
    heard(&mut stage, 1, Heard::Said(Said::Ended(End::Closed(Some("\n----------ERROR-------\nUnable to start command".into())))));
    shows(&mut stage, &["last words", "Unable to start command", "r opens it again"]);
    stage.press("x");
    assert_eq!(told(&mut stage), [], "there is nobody to send it to");
    stage.press("r");
    shows(&mut stage, &["Exec into payments-prod/checkout"]);
    stage.press("esc");
    stage.press("enter");
    shows(&mut stage, &["Services"]);
}

#[test]
fn a_refusal_is_told_in_awss_words() {
    let mut stage = dialog();
    stage.press("x");
    shows(&mut stage, &["asking ECS for the session"]);
    heard(&mut stage, 1, Heard::Refused("Cannot open a session: TargetNotConnectedException".to_owned()));
    shows(&mut stage, &["TargetNotConnectedException", "r opens it again"]);
}

#[test]
fn the_dialog_after_a_refusal_names_the_likely_cause() {
    let mut stage = dialog_where("deny", |_| false);
    assert!(!stage.screen(120, 35).contains("likely cause"));
    stage.press("x");
    heard(&mut stage, 1, Heard::Refused("TargetNotConnectedException: The execute command failed due to an internal error.".to_owned()));
    stage.press("r");
    shows(&mut stage, &["Exec into payments-prod/checkout", "▲ way to ssmmessages: ", "likely cause"]);
}

#[test]
fn a_connection_that_is_lost_and_found_says_both() {
    let mut stage = session();
    heard(&mut stage, 1, Heard::Said(Said::Lost { attempt: 2, why: "connection reset".to_owned() }));
    shows(&mut stage, &["connection lost, try 2: connection reset"]);
    stage.press("a");
    assert_eq!(told(&mut stage), typed(b"a"), "it is kept until the connection stands again");
    heard(&mut stage, 1, Heard::Said(Said::Resumed));
    shows(&mut stage, &["the connection stands again"]);
}

#[test]
fn the_last_five_minutes_of_an_idle_session_are_counted_down() {
    let mut stage = opened(dialog_on("ledger-api"));
    stage.step(14 * 60);
    event(&mut stage, Event::Tick);
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("ECS ends it in"), "{screen}");
    stage.step(3 * 60 + 30);
    event(&mut stage, Event::Tick);
    shows(&mut stage, &["ECS ends it in 2:30 unless you type"]);
    stage.press("a");
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("ECS ends it in"), "{screen}");
}

#[test]
fn a_task_that_stops_ends_its_session_with_the_reason() {
    let mut stage = session();
    let task = {
        let screen = stage.screen(120, 35);
        let at = screen.find("exec checkout ").unwrap() + "exec checkout ".len();
        screen[at..at + 8].to_owned()
    };
    // Another hand stops it.
    stage.keys("ctrl-] d");
    stage.press("T");
    stage.screen(120, 35);
    stage.settle();
    stage.find(&task);
    stage.press("X");
    stage.screen(120, 35);
    stage.settle();
    stage.press("tab");
    stage.write("checkout");
    stage.press("enter");
    stage.until("the task is told to stop", |stage| stage.screen(120, 35).contains("the task is"));
    for _ in 0..8 {
        stage.step(30);
        stage.refresh_quietly();
    }
    stage.press(":");
    stage.write("session");
    stage.press("enter");
    shows(&mut stage, &["the task has stopped"]);
    stage.press("a");
    assert_eq!(told(&mut stage), [], "there is nobody to send it to");
}

#[test]
fn quitting_with_a_session_open_asks_though_the_word_was_typed_out() {
    let mut stage = session();
    stage.keys("ctrl-] d :");
    stage.write("quit");
    stage.press("enter");
    assert!(!stage.app.quitting());
    shows(&mut stage, &["again quits and ends a session"]);
    stage.press(":");
    stage.write("quit");
    stage.press("enter");
    assert!(stage.app.quitting());
}

#[test]
fn the_logs_below_take_the_keys_and_give_them_back() {
    let mut stage = session();
    stage.screen(120, 35);
    stage.settle();
    stage.keys("ctrl-] tab");
    assert!(!stage.app.takes_all());
    stage.press("w");
    assert_eq!(told(&mut stage), [], "it wraps the logs' lines");
    stage.press("esc");
    assert!(stage.app.takes_all());
    stage.press("w");
    assert_eq!(told(&mut stage), typed(b"w"));
}
