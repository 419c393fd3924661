//! The store held to its rules by hand-made updates.

use super::*;
use crate::aws::ErrorKind;
use crate::feed::TailState;
use crate::logs::sample::{line, stream};
use crate::model::LogScope;
use crate::model::sample::{ago, service, stopped, task};
use crate::view::Tone;

const CTX: Ctx = Ctx(0);

fn main() -> Arn {
    service("api").cluster
}

fn services() -> Feed {
    Feed::Services(CTX, main())
}

fn tasks() -> Feed {
    Feed::Tasks(CTX, main())
}

fn rows(names: &[&str]) -> Value {
    Value::Services(names.iter().map(|name| Arc::new(service(name))).collect())
}

/// Hears an answer that came so many seconds ago.
fn hear(store: &mut Store, feed: Feed, seconds: i64, outcome: Outcome) -> Vec<Feed> {
    store.apply(Update { feed, epoch: 0, at: ago(seconds), outcome })
}

fn names(store: &Store) -> Vec<&str> {
    store.services(CTX, &main()).unwrap_or_default().iter().map(|row| &*row.name).collect()
}

fn error(what: &str) -> Arc<AwsError> {
    Arc::new(AwsError { kind: ErrorKind::Timeout, action: "".into(), what: what.into(), hint: "".into(), code: None, request_id: None })
}

#[test]
fn parts_of_a_list_add_up_and_replace_what_they_repeat() {
    let mut store = Store::default();
    assert_eq!(hear(&mut store, services(), 9, Outcome::Part(rows(&["a", "b"]), 4)), [services()]);
    let slot = store.slot(&services()).unwrap();
    assert_eq!((slot.expected, slot.busy), (Some(4), true));
    let newer = Value::Services(vec![Arc::new(Service { running: 0, ..service("b") }), Arc::new(service("c"))]);
    hear(&mut store, services(), 8, Outcome::Part(newer, 4));
    assert_eq!(names(&store), ["a", "b", "c"]);
    assert_eq!(store.services(CTX, &main()).unwrap()[1].running, 0);
    hear(&mut store, services(), 7, Outcome::Whole(rows(&["b", "c", "d"])));
    assert_eq!(names(&store), ["b", "c", "d"], "a whole answer forgets what is gone");
    let slot = store.slot(&services()).unwrap();
    assert_eq!((slot.expected, slot.busy, slot.at), (None, false, Some(ago(7))));
}

#[test]
fn only_a_first_request_is_news() {
    let mut store = Store::default();
    assert_eq!(hear(&mut store, services(), 9, Outcome::Busy), [services()]);
    assert_eq!(hear(&mut store, services(), 9, Outcome::Busy), []);
    hear(&mut store, services(), 8, Outcome::Whole(rows(&["a"])));
    assert_eq!(hear(&mut store, services(), 7, Outcome::Busy), []);
    assert!(store.slot(&services()).unwrap().busy);
}

#[test]
fn the_same_answer_is_fresh_and_changes_nothing() {
    let mut store = Store::default();
    hear(&mut store, services(), 9, Outcome::Whole(rows(&["a"])));
    let before = (store.revision(&services()), store.services(CTX, &main()).unwrap()[0].clone());
    assert_eq!(hear(&mut store, services(), 4, Outcome::Same), []);
    assert_eq!(store.slot(&services()).unwrap().at, Some(ago(4)));
    assert_eq!(store.revision(&services()), before.0);
    assert!(Arc::ptr_eq(&store.services(CTX, &main()).unwrap()[0], &before.1));
}

#[test]
fn a_failed_poll_keeps_the_value_and_its_age_until_an_answer_takes_the_error_away() {
    let mut store = Store::default();
    hear(&mut store, services(), 90, Outcome::Whole(rows(&["a"])));
    assert_eq!(hear(&mut store, services(), 5, Outcome::Failed(error("late"))), [services()]);
    let slot = store.slot(&services()).unwrap();
    assert_eq!((names(&store), slot.at, slot.busy), (vec!["a"], Some(ago(90)), false));
    assert_eq!(store.error(&services()).map(|error| &*error.what), Some("late"));
    assert_eq!(hear(&mut store, services(), 4, Outcome::Failed(error("late"))), [], "the same failure is no news");
    assert_eq!(hear(&mut store, services(), 3, Outcome::Failed(error("denied"))), [services()]);
    assert_eq!(hear(&mut store, services(), 2, Outcome::Same), [services()]);
    assert!(store.error(&services()).is_none());
    assert_eq!(store.slot(&services()).unwrap().at, Some(ago(2)));
}

#[test]
fn an_answer_that_is_only_repeated_is_no_sign_that_anything_works() {
    let mut store = Store::default();
    hear(&mut store, services(), 30, Outcome::Whole(rows(&["a", "b"])));
    hear(&mut store, services(), 20, Outcome::Failed(error("late")));
    assert_eq!(hear(&mut store, services(), 31, Outcome::Recalled(rows(&["a"]))), []);
    assert_eq!((names(&store), store.error(&services()).is_some()), (vec!["a", "b"], true));
}

#[test]
fn an_answer_that_is_as_old_as_its_last_part_is_an_answer() {
    let mut store = Store::default();
    hear(&mut store, services(), 5, Outcome::Part(rows(&["a"]), 2));
    hear(&mut store, services(), 5, Outcome::Whole(rows(&["a", "b"])));
    assert_eq!((names(&store), store.slot(&services()).unwrap().expected), (vec!["a", "b"], None));
}

#[test]
fn a_part_after_a_failure_keeps_the_rows_that_were_known() {
    let mut store = Store::default();
    hear(&mut store, services(), 90, Outcome::Whole(rows(&["a", "b"])));
    hear(&mut store, services(), 50, Outcome::Failed(error("late")));
    hear(&mut store, services(), 40, Outcome::Part(rows(&["b"]), 2));
    assert_eq!(names(&store), ["a", "b"]);
}

#[test]
fn a_service_that_was_asked_for_alone_corrects_its_row_in_the_list() {
    let mut store = Store::default();
    hear(&mut store, services(), 9, Outcome::Whole(rows(&["a", "b"])));
    let alone = Feed::Service(CTX, service("b").arn);
    let moved = Value::Services(vec![Arc::new(Service { running: 1, ..service("b") })]);
    let before = store.revision(&services());
    let changed = hear(&mut store, alone.clone(), 5, Outcome::Whole(moved));
    assert_eq!(changed, [alone.clone(), services()]);
    assert_eq!(store.service(CTX, &main(), &service("b").arn).unwrap().running, 1);
    assert!(store.revision(&services()) > before);
    assert_eq!(store.slot(&services()).unwrap().at, Some(ago(9)), "the list as such is as old as it was");
    let again = Value::Services(vec![Arc::new(Service { running: 1, ..service("b") })]);
    assert_eq!(hear(&mut store, alone, 4, Outcome::Whole(again)), [Feed::Service(CTX, service("b").arn)]);
}

#[test]
fn a_service_of_a_list_that_was_asked_for_by_the_cluster_s_name_is_corrected_too() {
    let mut store = Store::default();
    let by_name = Feed::Services(CTX, Arn::from("main"));
    hear(&mut store, by_name.clone(), 9, Outcome::Whole(rows(&["a"])));
    let alone = Feed::Service(CTX, service("a").arn);
    let changed =
        hear(&mut store, alone.clone(), 5, Outcome::Whole(Value::Services(vec![Arc::new(Service { running: 0, ..service("a") })])));
    assert_eq!(changed, [alone, by_name]);
}

#[test]
fn a_service_that_no_list_holds_is_found_by_its_own_answer() {
    let mut store = Store::default();
    let lone = service("lone");
    assert!(store.service(CTX, &main(), &lone.arn).is_none());
    hear(&mut store, Feed::Service(CTX, lone.arn.clone()), 5, Outcome::Whole(rows(&["lone"])));
    assert_eq!(&*store.service(CTX, &main(), &lone.arn).unwrap().name, "lone");
}

#[test]
fn tasks_are_known_by_service_and_a_service_whose_tasks_did_not_change_keeps_its_revision() {
    let mut store = Store::default();
    let of = |name: &str, id: &str| Arc::new(Task { group: format!("service:{name}").into(), ..task(id, "RUNNING") });
    let (a, b, once) = (of("a", "1"), of("b", "2"), Arc::new(Task { group: "family:job".into(), ..task("3", "RUNNING") }));
    hear(&mut store, tasks(), 9, Outcome::Whole(Value::Tasks(vec![a.clone(), b.clone(), once])));
    assert_eq!(store.tasks_of(CTX, &main(), "a").len(), 1);
    assert_eq!(store.tasks(CTX, &main()).unwrap().len(), 3);
    let revision = |store: &Store, service: &str| store.tasks_revisions(CTX, &main())(service);
    let before = (revision(&store, "a"), revision(&store, "b"));
    let dead = Arc::new(Task { group: "service:b".into(), ..stopped("2", 1, "UserInitiated", "", Some(0)) });
    hear(&mut store, tasks(), 5, Outcome::Whole(Value::Tasks(vec![a, dead])));
    assert_eq!(revision(&store, "a"), before.0);
    assert!(revision(&store, "b") > before.1);
    assert!(store.task(CTX, &main(), &task("3", "RUNNING").arn).is_none());
    assert!(store.tasks_of(CTX, &main(), "nobody").is_empty());
}

#[test]
fn contexts_do_not_mix() {
    let mut store = Store::default();
    hear(&mut store, services(), 9, Outcome::Whole(rows(&["a"])));
    assert!(store.services(Ctx(1), &main()).is_none());
    assert_eq!(store.slots_of(Ctx(1)).count(), 0);
    assert_eq!(store.slots_of(CTX).count(), 1);
}

fn tail_of(n: usize) -> Feed {
    Feed::Logs(CTX, LogScope::Service(service(&format!("s{n}")).arn))
}

#[test]
fn the_tails_seen_last_are_kept_and_the_others_go() {
    let mut store = Store::default();
    let say = |store: &mut Store, n: usize| {
        let lines = vec![line(&stream("aaaa", "app"), i64::try_from(n).unwrap(), "a line")];
        hear(store, tail_of(n), 1, Outcome::Lines(lines, TailState::default()));
    };
    (0..TAILS_KEPT).for_each(|n| say(&mut store, n));
    say(&mut store, 0);
    say(&mut store, TAILS_KEPT);
    let kept: Vec<usize> = (0..=TAILS_KEPT).filter(|n| store.tail(&tail_of(*n)).is_some()).collect();
    assert_eq!(kept, [0, 2, 3, 4], "the one that spoke longest ago went");
}

#[test]
fn a_tail_that_failed_keeps_its_lines_and_lines_take_the_error_away() {
    let mut store = Store::default();
    let lines = || vec![line(&stream("aaaa", "app"), 1, "a line")];
    hear(&mut store, tail_of(0), 9, Outcome::Lines(lines(), TailState::default()));
    hear(&mut store, tail_of(0), 8, Outcome::Failed(error("late")));
    assert_eq!((store.tail(&tail_of(0)).unwrap().len(), store.error(&tail_of(0)).is_some()), (1, true));
    hear(&mut store, tail_of(0), 7, Outcome::Lines(lines(), TailState::default()));
    assert_eq!((store.tail(&tail_of(0)).unwrap().len(), store.error(&tail_of(0)).is_some()), (1, false), "repeats are known");
}

#[test]
fn the_last_messages_are_kept() {
    let mut store = Store::default();
    for n in 0..MESSAGES_KEPT + 3 {
        store.say(ago(0), Notice { tone: Tone::Info, text: n.to_string() });
    }
    assert_eq!(store.messages().len(), MESSAGES_KEPT);
    assert_eq!(store.messages()[0].1.text, "3");
}
