//! What must hold when AWS does not: endpoints that hang, credentials that end, calls that are denied, throttled or garbled, rows that
//! vanish, and text that was made to do harm. The real SDK against the embedded AWS.

#[path = "stage/mod.rs"]
mod stage;

use midwatch::feed::Feed;
use midwatch::model::Ctx;
use stage::{Stage, scenario, sim};
use unicode_width::UnicodeWidthStr;

const PROD: Ctx = Ctx(0);
const STAGE: Ctx = Ctx(1);

/// The part of the screen that tables fill: neither header nor hints.
fn body(screen: &str) -> String {
    let lines: Vec<&str> = screen.lines().collect();
    lines[2..lines.len() - 2].join("\n")
}

/// The line of a screen that holds a text.
fn line<'a>(screen: &'a str, text: &str) -> &'a str {
    screen.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("no line shows {text}\n{screen}"))
}

/// The words of a screen without its frames, as if it were one long line.
fn words(screen: &str) -> String {
    screen.replace(['│', '─'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Opens the services of a cluster from the fleet.
fn open_cluster(stage: &mut Stage, cluster: &str) {
    stage.settle();
    // The fleet's cursor begins on the problems, if there are any; only the rows of clusters tell a region.
    if !stage.cursor_line(120, 35).contains("eu-west-1") {
        stage.press("tab");
    }
    stage.press("g");
    stage.find(cluster);
    stage.press("enter");
    stage.settle();
    assert!(stage.screen(120, 35).contains(&format!("Services {cluster}")), "{}", stage.screen(120, 35));
}

#[test]
fn a_hung_endpoint_never_delays_a_key() {
    let mut stage = Stage::small();
    stage.fault("[[fault]]\ncontext = 'acme-stage'\nkind = 'hang'\n");
    let services = |stage: &mut Stage| {
        let screen = stage.screen(120, 35);
        // The list of problems is not empty, so that every key has something to move.
        screen.contains("ledger-api")
            && ["payments-prod", "web-prod"]
                .iter()
                .all(|cluster| screen.lines().any(|line| line.contains(cluster) && line.contains("live")))
    };
    // Target health, which makes the problem, is among what can wait.
    stage.settle_but(|feed| feed.ctx() == STAGE);
    stage.until("the clusters of the other context are live", services);
    let hung = |stage: &Stage| stage.standing(&Feed::Clusters(STAGE));
    stage.until("the hung context has been asked", |stage| stage.standing(&Feed::Clusters(STAGE)).asked > 0);
    // From here on no update is heard: whatever the keys bring to the screen they bring without AWS.
    let mut before = stage.screen(120, 35);
    for key in ["j", "k", "?", "esc", ":", "esc", "tab", "enter", "j", "k", "esc", "/", "p", "esc"] {
        stage.press(key);
        let after = stage.screen(120, 35);
        assert_ne!(before, after, "{key} changed nothing");
        before = after;
    }
    assert_eq!(hung(&stage).answered, 0);
    assert!(hung(&stage).busy || hung(&stage).failed > 0, "{:?}", hung(&stage));
}

#[test]
fn a_context_that_hangs_leaves_the_others_live_and_says_so() {
    let mut stage = Stage::small();
    stage.settle();
    stage.fault("[[fault]]\ncontext = 'acme-stage'\nkind = 'hang'\n");
    stage.refresh();
    let screen = stage.screen(120, 35);
    assert!(line(&screen, "web-stage  ").contains("no answer in 10 s"), "{screen}");
    assert!(line(&screen, "payments-prod  ").contains("live"), "{screen}");
    let failed: Vec<_> = stage.standings(PROD).into_iter().filter(|(_, standing)| standing.failed > 0).collect();
    assert!(failed.is_empty(), "{failed:?}\n{screen}");
    stage.fault("");
    stage.until("the hung context is live again by itself", |stage| {
        let screen = stage.screen(120, 35);
        line(&screen, "web-stage  ").contains("live") && screen.contains("● live")
    });
}

#[test]
fn credentials_that_expire_mid_watch_keep_the_rows_and_come_back_by_themselves() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    let before = stage.screen(120, 35);
    assert!(before.contains("● live") && !before.contains("Credentials"), "{before}");
    stage.fault("[[fault]]\ncontext = 'acme-prod'\nkind = 'expired_token'\n");
    stage.step(40);
    stage.refresh();
    let expired = stage.screen(120, 35);
    assert!(expired.contains("? stale 40s"), "{expired}");
    assert!(line(&expired, "acme-prod: ").contains("run: aws sso login"), "{expired}");
    for service in ["checkout", "ledger-api", "payments-worker", "fx-rates", "risk-scorer"] {
        assert!(expired.contains(service), "{service} is gone\n{expired}");
    }
    // Every smaller screen says it too.
    for (width, height) in [(80, 24), (60, 15)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains("✖ acme-prod: ") && screen.contains("stale"), "{screen}");
    }
    stage.fault("");
    stage.until("everything is live again without a key", |stage| {
        let screen = stage.screen(120, 35);
        screen.contains("● live") && !screen.contains("Credentials")
    });
    assert!(body(&stage.screen(120, 35)).contains("checkout"));
}

#[test]
fn throttled_on_every_third_call_it_is_slower_says_so_and_loses_nothing() {
    let mut stage = Stage::small();
    stage.fault("[[fault]]\nevery = 3\nkind = 'throttle'\n");
    stage.settle();
    stage.meter();
    let fleet = stage.screen(120, 35);
    assert!(fleet.lines().next().unwrap().contains("throttled"), "{fleet}");
    assert!(stage.sim.calls().iter().filter(|call| call.error_code.as_deref().is_some_and(|code| code.contains("Throttl"))).count() > 2);
    for (cluster, services) in [("payments-prod", 5), ("web-prod", 6), ("web-stage", 3)] {
        let row = format!("{cluster}  ");
        let live = |stage: &mut Stage| stage.screen(120, 35).lines().any(|line| line.contains(&row) && line.contains("live"));
        stage.until("the cluster is live in spite of it", live);
        let screen = stage.screen(120, 35);
        let row: Vec<&str> = line(&screen, &row).split_whitespace().collect();
        assert!(row.contains(&services.to_string().as_str()), "{cluster}: {row:?}");
    }
}

#[test]
fn a_failed_poll_keeps_the_old_rows_and_says_their_age() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "web-prod");
    stage.fault("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'error'\ncode = 'ServerException'\nstatus = 500\n");
    stage.step(75);
    stage.refresh();
    let screen = stage.screen(120, 35);
    for service in ["storefront", "search", "cart", "host-metrics", "batch-reaper", "edge"] {
        assert!(screen.contains(service), "{service} is gone\n{screen}");
    }
    assert!(screen.contains("rows are 1m old") && screen.contains("ServerException"), "{screen}");
    assert!(screen.contains("? stale 1m"), "{screen}");
    // The reason is among the messages as well.
    stage.press(";");
    assert!(stage.screen(120, 35).contains("ServerException"), "{}", stage.screen(120, 35));
}

#[test]
fn a_malformed_reply_keeps_the_old_rows_and_says_what_it_was() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    stage.fault("[[fault]]\noperation = 'ecs:DescribeServices'\nkind = 'malformed'\n");
    stage.step(30);
    stage.refresh();
    let screen = stage.screen(120, 35);
    assert!(screen.contains("the reply could not be read") && screen.contains("rows are 30s old"), "{screen}");
    assert!(screen.contains("ledger-api"), "{screen}");
    stage.fault("");
    stage.refresh();
    assert!(stage.screen(120, 35).contains("● live"), "{}", stage.screen(120, 35));
}

#[test]
fn a_connection_that_breaks_off_is_said_and_passes() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    stage.fault("[[fault]]\nkind = 'reset'\n");
    stage.refresh();
    let screen = stage.screen(120, 35);
    assert!(screen.contains("broke off") && screen.contains("ledger-api"), "{screen}");
    stage.fault("");
    stage.until("it is live again by itself", |stage| stage.screen(120, 35).contains("● live"));
}

#[test]
fn a_denied_pane_names_the_missing_action_and_the_others_go_on() {
    let mut stage = Stage::small();
    stage.fault("[[fault]]\ncontext = 'acme-prod'\noperation = 'ecs:ListTasks'\nkind = 'deny'\n");
    open_cluster(&mut stage, "web-prod");
    stage.find("cart");
    stage.press("enter");
    stage.settle();
    for (width, height) in [(120, 35), (80, 24), (60, 15)] {
        let screen = stage.screen(width, height);
        assert!(words(&screen).contains("AccessDenied for ecs:ListTasks"), "{screen}");
        assert!(!screen.contains("· 0 "), "nothing known is not none\n{screen}");
    }
    let screen = stage.screen(120, 35);
    assert!(screen.contains("Ask for ecs:ListTasks") && !screen.contains("Credentials"), "{screen}");
    stage.press("e");
    stage.settle();
    let events = stage.screen(120, 35);
    assert!(events.contains("● live") && events.contains("steady state"), "{events}");
    stage.keys("esc esc");
    stage.settle();
    assert!(stage.screen(120, 35).contains("host-metrics"), "{}", stage.screen(120, 35));
}

#[test]
fn a_row_that_vanished_stays_as_a_ghost_until_the_cursor_leaves_it() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    stage.find("checkout");
    stage.press("h");
    stage.settle();
    stage.find("initial");
    // Until the operator has moved the cursor it is on whatever comes first.
    stage.keys("j k");
    let newest = stage.cursor_line(120, 35);
    let id = newest.split_whitespace().find(|word| word.ends_with(":8080")).unwrap().to_owned();
    // Its task runs out of memory, and a target of no task is not registered any more.
    stage.step(3700);
    stage.refresh();
    let ghost = stage.cursor_line(120, 35);
    assert!(ghost.contains(&id) && ghost.contains("gone"), "{ghost}\n{}", stage.screen(120, 35));
    stage.press("d");
    let told = stage.screen(120, 35);
    assert!(told.contains("this row is gone") && told.contains("Targets "), "{told}");
    stage.press("j");
    assert!(!body(&stage.screen(120, 35)).contains(&id), "{}", stage.screen(120, 35));
}

#[test]
fn the_cursor_holds_its_row_while_the_order_changes() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    stage.find("payments-worker");
    let places = |screen: &str| -> Vec<String> {
        let row = |line: &&str| {
            line.starts_with('│')
                && ["checkout", "ledger-api", "payments-worker", "fx-rates", "risk-scorer"].iter().any(|name| line.contains(name))
        };
        screen
            .lines()
            .take(20)
            .filter(row)
            .map(|line| line.split_whitespace().find(|word| word.contains('-') || *word == "checkout").unwrap().to_owned())
            .collect()
    };
    let before = places(&stage.screen(120, 35));
    assert_eq!(before.len(), 5, "{before:?}");
    let mut moved = 0;
    let mut last = before;
    // Rows hold still for a moment after a key; then they go where they belong.
    stage.step(10);
    for _ in 0..24 {
        stage.step(60);
        stage.refresh_quietly();
        assert!(stage.cursor_line(120, 35).contains("payments-worker"), "{}", stage.screen(120, 35));
        let now = places(&stage.screen(120, 35));
        moved += u32::from(now != last);
        last = now;
        if moved == 2 {
            break;
        }
    }
    assert!(moved > 0, "nothing moved in 24 minutes");
}

#[test]
fn rows_that_were_held_for_a_key_go_where_they_belong_by_time_alone() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "payments-prod");
    stage.keys("j k");
    let mut held = false;
    for _ in 0..30 {
        stage.step(30);
        stage.press("j");
        stage.refresh_quietly();
        held = stage.screen(120, 35).contains("order held");
        if held {
            break;
        }
    }
    assert!(held, "nothing moved in a quarter of an hour");
    stage.step(4);
    let screen = stage.screen(120, 35);
    assert!(!screen.contains("order held"), "{screen}");
}

/// Whether a terminal would obey it, or a reader be deceived by it.
fn harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{061c}' | '\u{00ad}' | '\u{e0000}'..='\u{e007f}')
}

/// Text that rings, recolours, writes to the clipboard, turns around and hides.
const HOSTILE: &str = r"a\u001b[31mb\u0007\u001b]52;c;cHduZWQ=\u0007\u202Egpj.exe\u2066\u200B\u009b2J\u001b]0;t\u001b\\c";

/// A world whose every text does harm, as far as AWS lets anybody choose it; `name` goes behind the names, which AWS does not.
fn hostile_world(name: &str) -> String {
    // A megabyte in one line, as a program writes that dumps a body.
    let long = "x\\u001b[2J".repeat(100_000);
    scenario(&format!(
        r#"
about = "names and lines made to do harm"
past = "14m"
[[context]]
name = "acme"
region = "eu-west-1"
account = "123456789012"
access_key = "AKIAEXAMPLE"
secret_key = "secret"
[[cluster]]
name = "main{name}"
context = "acme"
tags = {{ "key{HOSTILE}" = "value{HOSTILE}" }}
[[service]]
name = "api{name}"
cluster = "main{name}"
desired = 2
age = "90d"
deployed = "3h"
tags = {{ "team{HOSTILE}" = "{HOSTILE}" }}
[service.load_balancer]
name = "lb"
port = 80
path = "/"
[service.behaviour]
fate = "exits"
after = "4m"
tail = ["first {HOSTILE} first", "{long}", "last {HOSTILE} last"]
[[service.container]]
name = "app{name}"
image = "api{HOSTILE}"
tag = "v1{HOSTILE}"
ports = [80]
environment = {{ "NAME{HOSTILE}" = "{HOSTILE}" }}
command = ["{HOSTILE}"]
voice = "plain"
rate = 0.05
[[service]]
name = "web"
cluster = "main{name}"
desired = 1
age = "90d"
deployed = "3h"
[[service.container]]
name = "app"
image = "web"
tag = "v1"
voice = "plain"
"#
    ))
}

#[test]
fn no_control_and_no_bidi_character_reaches_a_cell_of_any_pane() {
    let mut stage = Stage::open(sim(&hostile_world("")));
    let mut seen = 0;
    let mut look = |stage: &mut Stage, what: &str| {
        stage.settle();
        for (width, height) in [(160, 45), (120, 35), (80, 24), (60, 15), (40, 8)] {
            let buffer = stage.draw(width, height);
            for cell in buffer.content() {
                assert!(!cell.symbol().chars().any(harmful), "{what} at {width}x{height} draws {:?}", cell.symbol());
                assert!(cell.symbol().width() <= 2, "{what} at {width}x{height} draws {:?} into one cell", cell.symbol());
            }
        }
        seen += 1;
        stage.screen(160, 45)
    };
    let fleet = look(&mut stage, "the fleet");
    assert!(fleet.contains("main"), "{fleet}");
    stage.keys("tab");
    stage.find("main");
    for (keys, what) in [("d", "describe of a cluster"), ("y", "json of a cluster"), ("e", "events of a cluster")] {
        stage.keys(keys);
        look(&mut stage, what);
        stage.keys("esc");
    }
    stage.press("enter");
    let services = look(&mut stage, "services");
    assert!(services.contains("api"), "{services}");
    stage.find("api");
    for (keys, what) in [
        ("d", "describe of a service"),
        ("y", "json of a service"),
        ("e", "events"),
        ("h", "targets"),
        ("D", "deployments"),
        ("c", "the copy menu"),
        (":", "the palette"),
        ("/ a enter", "a filter"),
    ] {
        stage.keys(keys);
        look(&mut stage, what);
        stage.keys("esc");
    }
    stage.press("l");
    look(&mut stage, "the service's logs");
    stage.keys("/");
    stage.write("last ");
    stage.press("enter");
    let logs = look(&mut stage, "what a task said last");
    // What a reader could not see is there to be seen.
    assert!(logs.contains("last a") && logs.contains("\\u{202e}gpj.exe"), "{logs}");
    for key in ["w", "J", "t", "enter", "c"] {
        stage.press(key);
        look(&mut stage, "the logs in another form");
    }
    stage.keys("esc esc esc");
    stage.settle();
    assert!(stage.screen(120, 35).contains("Services main"), "{}", stage.screen(120, 35));
    stage.press("enter");
    let tasks = look(&mut stage, "tasks");
    assert!(tasks.contains("STOPPED"), "{tasks}");
    for (keys, what) in [("d", "describe of a task"), ("y", "json of a task"), ("l", "a task's logs")] {
        stage.keys(keys);
        look(&mut stage, what);
        stage.keys("esc");
    }
    stage.press(";");
    look(&mut stage, "messages");
    assert!(seen > 20);
}

#[test]
fn names_that_aws_would_never_allow_are_shown_as_safely() {
    let mut stage = Stage::open(sim(&hostile_world(HOSTILE)));
    stage.settle();
    let safe = |stage: &mut Stage| {
        for (width, height) in [(160, 45), (80, 24), (40, 8)] {
            let buffer = stage.draw(width, height);
            let cell = buffer.content().iter().find(|cell| cell.symbol().chars().any(harmful));
            assert!(cell.is_none(), "{cell:?} is drawn\n{}", stage.screen(width, height));
        }
    };
    safe(&mut stage);
    stage.keys("tab");
    for key in ["enter", "T", "e", "c"] {
        stage.press(key);
        stage.settle();
        safe(&mut stage);
    }
}

#[test]
fn what_goes_to_the_clipboard_is_as_clean_as_what_is_shown() {
    let mut stage = Stage::open(sim(&hostile_world("")));
    stage.settle();
    stage.keys("tab");
    stage.find("main");
    stage.keys("enter");
    stage.settle();
    stage.find("api");
    for letter in ["n", "a", "t", "c"] {
        stage.keys("c");
        stage.press(letter);
    }
    stage.press("d");
    stage.settle();
    let told = stage.screen(120, 35);
    assert!(told.contains("\\u{202e}gpj.exe") && told.contains('␛'), "{told}");
    stage.keys("c esc y");
    stage.settle();
    stage.press("c");
    let copied: Vec<String> = stage
        .take_effects()
        .into_iter()
        .filter_map(|effect| match effect {
            midwatch::app::Effect::Copy(text, _) => Some(text),
            _ => None,
        })
        .collect();
    assert_eq!(copied.len(), 6);
    let harm = |text: &String| text.chars().any(|c| c != '\n' && harmful(c));
    assert!(!copied.iter().any(harm), "{copied:?}");
}

#[test]
fn a_filter_that_cannot_be_read_says_so_keeps_what_was_typed_and_changes_nothing() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "web-prod");
    stage.press("/");
    stage.write("search");
    stage.press("enter");
    let rows = |screen: &str| ["storefront", "search", "cart"].map(|name| body(screen).contains(&format!(" {name} ")));
    assert_eq!(rows(&stage.screen(120, 35)), [false, true, false], "{}", stage.screen(120, 35));
    stage.press("/");
    stage.keys("ctrl-u");
    stage.write("re:[[[");
    stage.press("enter");
    for (width, height) in [(120, 35), (80, 24), (60, 15)] {
        let screen = stage.screen(width, height);
        assert!(screen.contains("▲ not a regular expression: unclosed") && screen.contains("filter: re:[[["), "{screen}");
        assert!(screen.contains("filter search") && rows(&screen) == [false, true, false], "{screen}");
    }
    // It is mended where it stands.
    stage.keys("ctrl-u");
    stage.write("cart");
    assert!(!stage.screen(120, 35).contains('▲') || !stage.screen(120, 35).contains("not a regular"), "{}", stage.screen(120, 35));
    stage.press("enter");
    assert_eq!(rows(&stage.screen(120, 35)), [false, false, true]);
}

#[test]
fn the_line_below_a_filter_names_columns_of_this_pane_alone() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "web-prod");
    stage.press("/");
    let open = stage.screen(120, 35);
    let words = open.lines().last().unwrap_or_default();
    assert!(words.contains("health: service: run:") && !words.contains("cpu:") && !words.contains("weight:"), "{words}");
    stage.write("weight>5");
    stage.press("enter");
    let refused = stage.screen(120, 35);
    assert!(refused.contains("no column \"weight\"") && !refused.contains("cpu"), "{refused}");
    stage.keys("esc l");
    stage.settle();
    stage.press("&");
    let logs = stage.screen(120, 35);
    assert!(logs.contains("task:id") && !logs.contains("column:value"), "{logs}");
}

#[test]
fn a_context_that_is_called_a_cluster_is_found() {
    let mut stage = Stage::small();
    stage.settle();
    stage.press(":");
    stage.write("cluster acme-stage");
    assert!(stage.screen(80, 24).contains("only this context"), "{}", stage.screen(80, 24));
    stage.press("enter");
    let screen = stage.screen(80, 24);
    assert!(screen.contains("acme-stage is a context, not a cluster"), "{screen}");
    assert!(screen.contains("web-stage") && !screen.contains("payments-prod"), "{screen}");
}

#[test]
fn ages_of_different_parts_do_not_contradict_each_other() {
    let mut stage = Stage::small();
    open_cluster(&mut stage, "web-prod");
    stage.fault("[[fault]]\noperation = 'ecs:ListTasks'\nkind = 'error'\ncode = 'ServerException'\nstatus = 500\n");
    stage.step(200);
    stage.refresh();
    stage.fault("[[fault]]\nkind = 'error'\ncode = 'ServerException'\nstatus = 500\n");
    stage.step(75);
    stage.refresh();
    let screen = stage.screen(120, 35);
    assert!(screen.contains("rows are 1m old"), "{screen}");
    assert!(screen.contains("? stale up to 4m"), "{screen}");
}
