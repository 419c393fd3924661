//! The plan against answers made by hand.

use super::*;
use crate::logs::sample::stream;
use crate::model::Ctx;

const SINCE: i64 = 1_000_000;

fn sources(names: &[&str]) -> LogSources {
    let streams = names.iter().map(|name| LogStream::clone(&stream(name, "app"))).collect();
    LogSources { ctx: Ctx(0), streams, since: Time::from_millisecond(SINCE).unwrap(), live: false, glance: false }
}

fn event(task: &str, at: i64, text: &str) -> RawEvent {
    RawEvent { at_ms: at, ingested_ms: at + 500, stream: stream(task, "app").stream.clone(), id: "".into(), text: text.to_owned() }
}

fn page(events: Vec<RawEvent>, next: Option<&str>) -> LogPage {
    LogPage { events, next: next.map(str::to_owned) }
}

fn error(kind: ErrorKind, what: &str) -> AwsError {
    AwsError { kind, action: "logs:FilterLogEvents".into(), what: what.into(), hint: "".into(), code: None, request_id: None }
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| &*line.text).collect()
}

fn started(names: &[&str]) -> Plan {
    let mut plan = Plan::default();
    plan.take(&sources(names), 0);
    plan
}

#[test]
fn the_past_is_read_page_by_page_and_an_empty_page_is_no_end() {
    let mut plan = started(&["aaaa", "bbbb"]);
    let first = plan.due(0);
    assert_eq!((first.len(), first[0].start, first[0].streams.len()), (1, SINCE, 2));
    assert!(plan.due(0).is_empty(), "a batch has one request at a time");
    assert!(plan.page(first[0].batch, page(vec![], Some("more")), 10).is_empty());
    assert!(!plan.state().caught_up);
    let second = plan.due(10);
    assert_eq!(second[0].token.as_deref(), Some("more"));
    let lines = plan.page(second[0].batch, page(vec![event("aaaa", SINCE + 1, "one"), event("bbbb", SINCE + 2, "two")], None), 20);
    assert_eq!(texts(&lines), ["one", "two"]);
    assert!(plan.state().caught_up);
    assert_eq!(plan.next_due(), Some(20 + POLL));
}

#[test]
fn a_poll_reads_ten_seconds_again_and_sends_only_what_is_new() {
    let mut plan = started(&["aaaa"]);
    let id = plan.due(0)[0].batch;
    plan.page(id, page(vec![event("aaaa", SINCE + 60_000, "one")], None), 0);
    let poll = plan.due(POLL);
    assert_eq!(poll[0].start, SINCE + 60_000 - OVERLAP);
    let again = vec![event("aaaa", SINCE + 55_000, "late"), event("aaaa", SINCE + 60_000, "one"), event("aaaa", SINCE + 61_000, "two")];
    assert_eq!(texts(&plan.page(poll[0].batch, page(again, None), POLL)), ["late", "two"]);
}

#[test]
fn equal_lines_of_one_millisecond_are_all_kept_and_none_twice() {
    let mut plan = started(&["aaaa"]);
    let twice = || vec![event("aaaa", SINCE, "tick"), event("aaaa", SINCE, "tick")];
    let id = plan.due(0)[0].batch;
    assert_eq!(plan.page(id, page(twice(), None), 0).len(), 2);
    let id = plan.due(POLL)[0].batch;
    assert_eq!(plan.page(id, page(twice(), None), POLL).len(), 0);
    let group = plan.caught_up().remove(0);
    assert_eq!(plan.events(&group, twice()).len(), 0, "Live Tail repeats what was polled");
}

#[test]
fn polls_grow_rare_when_it_is_quiet_and_frequent_when_lines_come() {
    let mut plan = started(&["aaaa"]);
    let mut now = 0;
    let mut pauses = Vec::new();
    for _ in 0..12 {
        let id = plan.due(now)[0].batch;
        plan.page(id, LogPage::default(), now);
        pauses.push(plan.next_due().unwrap() - now);
        now = plan.next_due().unwrap();
    }
    assert_eq!((pauses[0], pauses[1], *pauses.last().unwrap()), (2_000, 3_000, QUIET));
    let id = plan.due(now)[0].batch;
    plan.page(id, page(vec![event("aaaa", SINCE + 1, "x")], None), now);
    assert_eq!(plan.next_due(), Some(now + POLL));
}

#[test]
fn a_missing_stream_waits_alone_and_the_others_are_read() {
    let names: Vec<String> = (0..8).map(|n| format!("{n:04}")).collect();
    let mut plan = started(&names.iter().map(String::as_str).collect::<Vec<_>>());
    let missing = stream("0005", "app").stream.clone();
    let mut read = HashSet::new();
    for _ in 0..8 {
        for request in plan.due(0) {
            if request.streams.contains(&missing) {
                assert!(!plan.failed(
                    request.batch,
                    &error(ErrorKind::NotFound, "Cannot read the log group /ecs/checkout: The specified log stream does not exist."),
                    0
                ));
            } else {
                read.extend(request.streams.clone());
                plan.page(request.batch, LogPage::default(), 0);
            }
        }
    }
    assert_eq!((read.len(), plan.state().waiting, plan.state().caught_up), (7, 1, true));
    assert_eq!(plan.due(POLL).iter().map(|request| request.streams.len()).collect::<HashSet<_>>(), HashSet::from([7, 1]));
}

#[test]
fn a_missing_log_group_is_said_and_waited_for() {
    let mut plan = started(&["aaaa", "bbbb"]);
    let id = plan.due(0)[0].batch;
    assert!(!plan.failed(
        id,
        &error(ErrorKind::NotFound, "Cannot read the log group /ecs/checkout: The specified log group does not exist."),
        0
    ));
    assert!(plan.state().note.is_some_and(|note| note.contains("/ecs/checkout does not exist")));
    let again = plan.due(2_000);
    assert_eq!(again[0].streams.len(), 2);
    plan.page(again[0].batch, LogPage::default(), 2_000);
    assert_eq!((plan.state().note, plan.state().waiting), (None, 0));
}

#[test]
fn a_failure_is_told_and_tried_again_ever_more_seldom_and_a_denial_seldom() {
    let mut plan = started(&["aaaa"]);
    let mut now = 0;
    for wait in [2_000, 4_000, 8_000, 15_000, 15_000] {
        let id = plan.due(now)[0].batch;
        assert!(plan.failed(id, &error(ErrorKind::Network, "no connection"), now));
        assert_eq!(plan.next_due(), Some(now + wait));
        now += wait;
    }
    let id = plan.due(now)[0].batch;
    assert!(plan.failed(id, &error(ErrorKind::Denied, "denied"), now));
    assert_eq!(plan.next_due(), Some(now + DENIED));
    plan.poke(now + 5);
    assert_eq!(plan.due(now + 5).len(), 1);
}

#[test]
fn a_task_that_joins_is_read_from_the_start_of_the_range_then_with_the_others() {
    let mut plan = started(&["aaaa"]);
    let id = plan.due(0)[0].batch;
    plan.page(id, page(vec![event("aaaa", SINCE + 90_000, "x")], None), 0);
    plan.take(&sources(&["aaaa", "bbbb"]), 100);
    let joined = plan.due(100);
    assert_eq!((joined.len(), joined[0].start, joined[0].streams.len()), (1, SINCE, 1));
    plan.page(joined[0].batch, page(vec![event("bbbb", SINCE + 91_000, "y")], None), 100);
    let together = plan.due(10_000);
    assert_eq!((together.len(), together[0].streams.len(), together[0].start), (1, 2, SINCE + 91_000 - OVERLAP));
}

#[test]
fn an_earlier_start_reads_the_time_before_and_nothing_twice() {
    let mut plan = started(&["aaaa"]);
    let id = plan.due(0)[0].batch;
    plan.page(id, page(vec![event("aaaa", SINCE, "x")], None), 0);
    let mut earlier = sources(&["aaaa"]);
    earlier.since = Time::from_millisecond(SINCE - 5_000).unwrap();
    plan.take(&earlier, 1);
    let past = plan.due(1);
    assert_eq!((past.len(), past[0].start, past[0].end), (1, SINCE - 5_000, Some(SINCE)));
    let lines = plan.page(past[0].batch, page(vec![event("aaaa", SINCE - 1, "before"), event("aaaa", SINCE, "x")], None), 1);
    assert_eq!(texts(&lines), ["before"]);
    assert_eq!(plan.due(POLL).len(), 1);
}

#[test]
fn a_stopped_stream_is_read_to_its_end_and_then_left_alone() {
    let mut plan = started(&["aaaa", "bbbb"]);
    let mut stopped = sources(&["aaaa", "bbbb"]);
    stopped.streams[0].ended = true;
    let mut now = 0;
    let id = plan.due(now)[0].batch;
    plan.page(id, LogPage::default(), now);
    plan.take(&stopped, now);
    for _ in 0..LAST_POLLS {
        now += QUIET;
        let request = plan.due(now).remove(0);
        assert_eq!(request.streams.len(), 2);
        plan.page(request.batch, LogPage::default(), now);
    }
    assert_eq!(plan.due(now + QUIET)[0].streams.len(), 1);
    plan.take(&sources(&["bbbb"]), now);
    assert_eq!(plan.batches.len(), 1);
}

#[test]
fn more_than_a_hundred_streams_take_several_calls() {
    let names: Vec<String> = (0..250).map(|n| format!("{n:04}")).collect();
    let mut plan = started(&names.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(plan.due(0).iter().map(|request| request.streams.len()).collect::<Vec<_>>(), [100, 100, 50]);
}

#[test]
fn a_group_on_live_tail_is_not_polled_but_for_the_gap() {
    let mut plan = started(&["aaaa"]);
    let id = plan.due(0)[0].batch;
    plan.page(id, LogPage::default(), 0);
    let group = plan.caught_up().remove(0);
    assert_eq!(&*plan.arn(&group), "arn:aws:logs:eu-west-1:123456789012:log-group:/ecs/checkout");
    plan.hold(&group, 10);
    let gap = plan.due(10).remove(0);
    plan.page(gap.batch, LogPage::default(), 20);
    assert_eq!((plan.next_due(), plan.due(1_000_000).len()), (None, 0));
    assert_eq!(texts(&plan.events(&group, vec![event("aaaa", SINCE + 70_000, "live")])), ["live"]);
    plan.release(&group, 30);
    assert_eq!(plan.due(30)[0].start, SINCE + 70_000 - OVERLAP);
}

#[test]
fn text_is_cleaned_on_its_way_in() {
    let mut plan = started(&["aaaa"]);
    let id = plan.due(0)[0].batch;
    let lines = plan.page(id, page(vec![event("aaaa", SINCE, "\u{1b}[31mred\r\n\tat x\u{202e}")], None), 0);
    assert_eq!(texts(&lines), ["␛[31mred\n    at x\\u{202e}"]);
}
