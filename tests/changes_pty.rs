//! Changes by the real binary in a terminal: from the keys to the screen that says how it ended, against an embedded AWS whose time runs
//! fast. What AWS received is asked of it; nothing here goes by the time that passes.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

mod support;

use midwatch::sim::{Options, Sim};
use rustix::process::Signal;
use serde_json::{Value, json};
use std::path::Path;
use std::time::Duration;
use support::terminal::{Launch, PATIENCE, Terminal};

/// AWS's seconds in one of the test's: a release of some minutes in some seconds.
const SPEED: f64 = 20.0;

/// Longer than the slowest release takes, on a machine that is busy with other things.
const LANDING: Duration = Duration::from_mins(4);

/// What a dialog says that wants the key once more.
const AGAIN: [&str; 2] = ["look again", "once more"];

/// Times that a confirming key is pressed again where the dialog asks to look again.
const TRIES: usize = 20;

struct Desk {
    sim: Sim,
    terminal: Terminal,
    /// The same program once more, with the same memory.
    launch: Launch,
}

impl Desk {
    /// The program in a context of a scenario, with more arguments.
    fn open(scenario: &str, context: &str, args: &[&str]) -> Desk {
        let sim = Sim::start(Options { scenario: scenario.to_owned(), speed: SPEED, ..Options::default() }).unwrap();
        let info = sim.contexts().iter().find(|info| info.name == context).unwrap().clone();
        let name = format!("change-{}-{}", std::process::id(), sim.endpoint().rsplit(':').next().unwrap());
        let home = Path::new(env!("CARGO_TARGET_TMPDIR")).join("home").join(name);
        std::fs::create_dir_all(&home).unwrap();
        let endpoint = sim.endpoint();
        let launch = Launch::new(env!("CARGO_BIN_EXE_midwatch")).args(["--endpoint-url", &*endpoint, "--region", &*info.region]).args(args);
        let launch = launch.env("HOME", home).env("AWS_ACCESS_KEY_ID", info.access_key).env("AWS_SECRET_ACCESS_KEY", info.secret_key);
        Desk { sim, terminal: launch.clone().start(), launch }
    }

    /// The cursor on the staging storefront.
    fn storefront() -> Desk {
        let mut desk = Desk::open("small", "acme-stage", &["--cluster", "web-stage"]);
        desk.terminal.wait_for("web-stage › services");
        desk.terminal.wait_for("storefront");
        desk.terminal.send("/storefront");
        desk.terminal.key("enter");
        desk.terminal.wait_gone("mailer");
        desk
    }

    /// Presses a key that confirms until the dialog has taken it: it asks to look again where news came in between.
    fn confirm(&mut self, key: &str) {
        for _ in 0..TRIES {
            self.terminal.key(key);
            let answered = |t: &Terminal| {
                !t.text().contains("[ Cancel ]") && !t.text().contains("  Cancel  ") || AGAIN.iter().any(|a| t.text().contains(a))
            };
            assert!(self.terminal.until(PATIENCE, answered).is_some(), "{key} has no answer:\n{}", self.terminal.text());
            if !AGAIN.iter().any(|a| self.terminal.text().contains(a)) {
                return;
            }
        }
        panic!("{key} is not taken:\n{}", self.terminal.text());
    }

    /// Types the text that the dialog wants into its line, letter by letter as a hand does, and confirms.
    fn type_and_confirm(&mut self, text: &str) {
        self.type_in(text);
        self.confirm("enter");
    }

    fn type_in(&mut self, text: &str) {
        self.terminal.wait_for(&format!("type  {text}  then ⏎:"));
        self.terminal.key("tab");
        for end in 1..=text.len() {
            self.terminal.send(&text[end - 1..end]);
            // A long one scrolls in its line: its end is seen.
            let tail = &text[end.saturating_sub(4)..end];
            let typed =
                |t: &Terminal| t.text().lines().any(|line| line.split_once("then ⏎: ").is_some_and(|(_, typed)| typed.contains(tail)));
            assert!(self.terminal.until(PATIENCE, typed).is_some(), "{tail} of {text} never came:\n{}", self.terminal.text());
        }
    }

    /// Waits for the end of a release in the watch.
    fn lands(&mut self, words: &str) {
        self.terminal.wait_for("› watch");
        let seen = self.terminal.until(LANDING, |t| t.text().contains(words));
        assert!(seen.is_some(), "{words:?} never came on screen, which shows:\n{}", self.terminal.text());
    }

    /// What changed something, as AWS received it.
    fn sent(&self) -> Vec<(&'static str, Value)> {
        let reads = ["Describe", "List", "Get", "BatchGet", "Filter", "StartLive"];
        let writes = self.sim.requests().into_iter().filter(|sent| !reads.iter().any(|read| sent.call.operation.starts_with(read)));
        writes.map(|sent| (sent.call.operation, sent.parameters)).collect()
    }

    fn quit(mut self) {
        self.terminal.send(":q");
        self.terminal.key("enter");
        assert!(self.terminal.exit().success());
        self.terminal.assert_clean();
    }
}

#[test]
fn a_redeploy_is_confirmed_and_watched_until_it_is_released() {
    let mut desk = Desk::storefront();
    desk.terminal.key("R");
    desk.terminal.wait_for("Redeploy web-stage/storefront");
    desk.terminal.wait_for("--force-new-deployment");
    desk.terminal.wait_for("y does it");
    // Enter is Cancel.
    desk.terminal.key("enter");
    desk.terminal.wait_gone("--force-new-deployment");
    assert_eq!(desk.sent(), []);
    desk.terminal.key("R");
    desk.terminal.wait_for("y does it");
    desk.confirm("y");
    desk.lands("storefront:1204 is released after");
    let [("UpdateService", parameters)] = &desk.sent()[..] else { panic!("{:?}", desk.sent()) };
    assert_eq!((&parameters["forceNewDeployment"], parameters.as_object().unwrap().len()), (&json!(true), 3));
    desk.terminal.key("@");
    desk.terminal.wait_for("Journal · newest first");
    desk.terminal.wait_for("redeploy");
    desk.quit();
}

#[test]
fn a_service_is_scaled_until_the_list_shows_its_tasks() {
    let mut desk = Desk::storefront();
    desk.terminal.wait_for("2/2");
    desk.terminal.key("S");
    desk.terminal.wait_for("Scale web-stage/storefront");
    desk.terminal.key("3");
    desk.terminal.wait_for("[ 3 ]");
    desk.terminal.wait_for("--desired-count 3");
    desk.confirm("y");
    let seen = desk.terminal.until(LANDING, |t| t.text().contains("3/3"));
    assert!(seen.is_some(), "the third task never came:\n{}", desk.terminal.text());
    let [("UpdateService", parameters)] = &desk.sent()[..] else { panic!("{:?}", desk.sent()) };
    assert_eq!((&parameters["desiredCount"], parameters.as_object().unwrap().len()), (&json!(3), 3));
    desk.quit();
}

#[test]
fn a_roll_back_is_picked_typed_and_watched_until_the_old_revision_is_out() {
    let mut desk = Desk::storefront();
    desk.terminal.key("B");
    desk.terminal.wait_for("› roll back");
    desk.terminal.wait_for("1204 (now) → 1203");
    desk.terminal.wait_for("storefront:1203 is ACTIVE");
    desk.terminal.key("enter");
    desk.terminal.wait_for("Roll back web-stage/storefront");
    desk.type_and_confirm("storefront");
    desk.lands("storefront:1203 is released after");
    let [("UpdateService", parameters)] = &desk.sent()[..] else { panic!("{:?}", desk.sent()) };
    assert!(parameters["taskDefinition"].as_str().unwrap().ends_with(":task-definition/storefront:1203"), "{parameters}");
    desk.quit();
}

#[test]
fn a_role_that_may_update_and_not_read_deploys_an_image_and_goes_back() {
    let (cluster, service, family) = ("project-oky-ecs-cluster", "project-oky-ecs-api-task-service-1lehr9r5", "project-oky-ecs-api-task");
    let mut desk = Desk::open("seeds", "oky-updater", &["--cluster", cluster, "--service", service]);
    desk.terminal.wait_for("AccessDenied for ecs:ListTasks");
    desk.terminal.key("a");
    desk.terminal.wait_for("deploy image");
    desk.terminal.key("i");
    desk.terminal.wait_for("names the task definition to clone");
    desk.terminal.key("enter");
    desk.terminal.wait_for("task definition:");
    desk.terminal.send(family);
    desk.terminal.key("enter");
    desk.terminal.wait_for("types the image to run instead");
    desk.terminal.key("enter");
    desk.terminal.wait_for("image:");
    desk.terminal.key("ctrl-u");
    desk.terminal.send("2025_06");
    desk.terminal.wait_for("image: 2025_06");
    desk.terminal.key("enter");
    desk.terminal.wait_for("register-task-definition");
    desk.terminal.wait_for("y does it");
    desk.confirm("y");
    desk.terminal.wait_for("› watch");
    // What UpdateService answered is all that it may see.
    desk.terminal.wait_for("unread   as of");
    desk.terminal.wait_for("ecs:DescribeServices");
    let [("RegisterTaskDefinition", registered), ("UpdateService", updated)] = &desk.sent()[..] else { panic!("{:?}", desk.sent()) };
    assert!(registered["containerDefinitions"][0]["image"].as_str().unwrap().ends_with("/oky/api_en:2025_06"), "{registered}");
    let new = updated["taskDefinition"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
    let number: u32 = new.rsplit(':').next().unwrap().parse().unwrap();
    desk.terminal.wait_for(&format!("-api-task:{number} "));
    // The same answer names what was replaced, which is the way back.
    desk.terminal.key("B");
    desk.terminal.wait_for("Revisions ·");
    desk.terminal.wait_for(&format!(" {} ", number - 1));
    desk.terminal.key("down");
    desk.terminal.wait_for(&format!("{number} (now) → {}", number - 1));
    desk.terminal.key("enter");
    desk.terminal.wait_for("Roll back ");
    desk.type_and_confirm(service);
    desk.terminal.wait_for("› watch");
    desk.terminal.wait_for(&format!("-api-task:{} ", number - 1));
    let sent = desk.sent();
    let (_, back) = sent.last().unwrap();
    assert_eq!(sent.len(), 3, "{sent:?}");
    assert!(back["taskDefinition"].as_str().unwrap().ends_with(&format!("/{family}:{}", number - 1)), "{back}");
    desk.quit();
}

#[test]
fn x6_a_roll_back_whose_program_is_killed_is_told_of_at_the_next_start() {
    let mut desk = Desk::storefront();
    desk.terminal.key("B");
    desk.terminal.wait_for("storefront:1203 is ACTIVE");
    desk.terminal.key("enter");
    desk.terminal.wait_for("Roll back web-stage/storefront");
    // It is done, and nobody is told: between the intent and the outcome the program is killed.
    desk.sim.set_faults("[[fault]]\noperation = 'ecs:UpdateService'\nkind = 'lost_reply'\n").unwrap();
    desk.type_in("storefront");
    let sent = |desk: &Desk| desk.sent().iter().any(|(operation, _)| *operation == "UpdateService");
    for _ in 0..TRIES {
        desk.terminal.key("enter");
        let sim = &desk.sim;
        let answered = |t: &Terminal| {
            AGAIN.iter().any(|again| t.text().contains(again)) || sim.requests().iter().any(|sent| sent.call.operation == "UpdateService")
        };
        assert!(desk.terminal.until(PATIENCE, answered).is_some(), "{}", desk.terminal.text());
        if sent(&desk) {
            break;
        }
    }
    assert!(sent(&desk), "{}", desk.terminal.text());
    desk.terminal.signal(Signal::KILL);
    assert!(!desk.terminal.exit().success());
    desk.sim.set_faults("").unwrap();
    desk.terminal = desk.launch.clone().start();
    desk.terminal.wait_for("web-stage › services");
    // The sentence goes by; the list of messages keeps it, and so does the journal.
    desk.terminal.send(":messages");
    desk.terminal.key("enter");
    desk.terminal.wait_for("was begun and its outcome never heard");
    desk.terminal.key("@");
    desk.terminal.wait_for("Journal · newest first");
    desk.terminal.wait_for("no answer: it applies");
    desk.quit();
}

#[test]
fn a_text_that_is_pasted_into_the_line_that_confirms_leaves_it_empty_and_says_so() {
    let mut desk = Desk::storefront();
    desk.terminal.key("B");
    desk.terminal.wait_for("storefront:1203 is ACTIVE");
    desk.terminal.key("enter");
    desk.terminal.wait_for("then ⏎:");
    desk.terminal.key("tab");
    // A terminal may hand the keys over in parts: then once more.
    let refused = |t: &Terminal| t.text().contains("pasted text does not confirm");
    let told = (0..TRIES).any(|_| {
        desk.terminal.send("storefront\r");
        desk.terminal.until(Duration::from_secs(5), refused).is_some()
    });
    assert!(told, "{}", desk.terminal.text());
    desk.terminal.send("\u{1b}[200~storefront\u{1b}[201~");
    desk.terminal.wait_for("pasted text does not confirm");
    assert_eq!(desk.sent(), []);
    // What comes right after a text that came all at once is taken for more of it: no word ends the program here.
    desk.terminal.signal(Signal::KILL);
    assert!(!desk.terminal.exit().success());
}
