//! The pane on a store filled by hand.

use super::*;
use crate::aws::{AwsError, ErrorKind};
use crate::config::Config;
use crate::feed::{Outcome, TailState, Update, Value};
use crate::keys::Keymap;
use crate::logs::sample::{definition, line, task};
use crate::model::{Fleet, LogLine, Str, TaskDefinition, TaskStatus};
use crate::store::Store;
use crate::theme::Theme;
use crate::verdict::Board;

/// 2026-11-21 03:11:38 UTC.
const START: i64 = 1_795_230_698_000;

static UTC: jiff::tz::TimeZone = jiff::tz::TimeZone::UTC;

struct World {
    store: Store,
    fleet: Fleet,
    theme: Theme,
    keys: Keymap,
    config: Config,
    board: Board,
    landings: crate::landing::Landings,
    shells: crate::exec::shells::Shells,
    now: i64,
}

impl World {
    fn new() -> Self {
        let (fleet, theme, keys, config) = (Fleet::default(), Theme::built_in("mono"), Keymap::default(), Config::default());
        let landings = crate::landing::Landings::default();
        World {
            store: Store::default(),
            fleet,
            theme,
            keys,
            config,
            board: Board::default(),
            landings,
            shells: crate::exec::shells::Shells::default(),
            now: START + 60_000,
        }
    }

    fn cx(&self) -> Cx<'_> {
        let now = Time::from_millisecond(self.now).unwrap();
        Cx {
            store: &self.store,
            fleet: &self.fleet,
            theme: &self.theme,
            keys: &self.keys,
            config: &self.config,
            board: &self.board,
            landings: &self.landings,
            shells: &self.shells,
            zone: &UTC,
            now,
        }
    }

    fn hear(&mut self, view: &mut LogView, feed: Feed, outcome: Outcome) {
        let at = Time::from_millisecond(self.now).unwrap();
        let changed = self.store.apply(Update { feed, epoch: 0, at, outcome });
        view.sync(&self.cx(), &changed);
    }

    fn tasks(&mut self, view: &mut LogView, tasks: Vec<Task>) {
        let rows = tasks.into_iter().map(Arc::new).collect();
        self.hear(view, Feed::Tasks(Ctx(0), cluster()), Outcome::Whole(Value::Tasks(rows)));
    }

    fn definition(&mut self, view: &mut LogView, definition: TaskDefinition) {
        let feed = Feed::TaskDefinition(Ctx(0), definition.arn.clone());
        self.hear(view, feed, Outcome::Whole(Value::TaskDefinition(Arc::new(definition))));
    }

    fn lines(&mut self, view: &mut LogView, lines: Vec<LogLine>, state: TailState) {
        let feed = view.feed();
        self.hear(view, feed, Outcome::Lines(lines, state));
    }
}

fn cluster() -> Arn {
    Arn::from("arn:aws:ecs:eu-west-1:123456789012:cluster/payments-prod")
}

fn service_logs() -> LogView {
    let service = Arn::from("arn:aws:ecs:eu-west-1:123456789012:service/payments-prod/checkout");
    LogView::new(Ctx(0), cluster(), LogScope::Service(service), TimeZone::UTC)
}

fn awslogs() -> TaskDefinition {
    definition("awslogs", &[("awslogs-group", "/ecs/checkout"), ("awslogs-region", "eu-west-1"), ("awslogs-stream-prefix", "ecs")])
}

fn task_named(id: &str, status: &str) -> Task {
    let arn = format!("arn:aws:ecs:eu-west-1:123456789012:task/payments-prod/{id}0000000000000000000000000000");
    Task { arn: Arn::from(&*arn), ..task(status) }
}

fn caught_up() -> TailState {
    TailState { caught_up: true, retention_days: Some(7), ..TailState::default() }
}

fn picture(view: &mut LogView, world: &World, (width, height): (u16, u16)) -> String {
    let area = Rect::new(0, 0, width, height);
    let mut screen = Screen::empty(area);
    view.draw(area, &mut screen, &world.cx());
    let row = |y| (0..width).map(|x| screen[(x, y)].symbol()).collect::<String>().trim_end().to_owned();
    (0..height).map(row).collect::<Vec<_>>().join("\n")
}

fn logs_wanted(view: &LogView, world: &World) -> Option<Arc<LogSources>> {
    let mut wanted = Vec::new();
    view.wanted(&world.cx(), &mut wanted);
    wanted.into_iter().find_map(|want| match want {
        Wanted::Logs { sources, .. } => Some(sources),
        Wanted::Poll { .. } | Wanted::Gently { .. } | Wanted::Trickle { .. } => None,
    })
}

fn said(view: &LogView, index: usize, at: i64, text: &str) -> LogLine {
    line(&Arc::new(view.streams[index].clone()), START + at, text)
}

/// A service with three tasks, one stopped, that has spoken.
fn speaking() -> (World, LogView) {
    let (mut world, mut view) = (World::new(), service_logs());
    view.sync(&world.cx(), &[]);
    let stopped = Task {
        stopped_at: Time::from_millisecond(START).ok(),
        started_at: Time::from_millisecond(START - 60_000).ok(),
        ..task_named("77aa", "STOPPED")
    };
    world.tasks(&mut view, vec![task_named("70cc", "RUNNING"), task_named("41b0", "RUNNING"), stopped]);
    world.definition(&mut view, awslogs());
    let lines = vec![
        said(&view, 0, 20, r#"{"level":"info","msg":"request completed","path":"/v1/pay","status":200}"#),
        said(&view, 1, 311, "WARN gc pause 2.41s pool=old"),
        said(&view, 2, 1_000, "ERROR heap exhausted: java.lang.OutOfMemoryError"),
        said(&view, 2, 1_001, "    at com.acme.checkout.Basket.load(Basket.java:118)"),
        said(&view, 0, 2_000, "INFO request completed"),
    ];
    world.lines(&mut view, lines, caught_up());
    (world, view)
}

#[test]
fn a_service_that_speaks() {
    for (width, height) in [(120, 35), (80, 24), (60, 15)] {
        let (world, mut view) = speaking();
        insta::assert_snapshot!(format!("speaking_{width}x{height}"), picture(&mut view, &world, (width, height)));
    }
}

#[test]
fn an_error_stands_beside_the_lines_that_are_kept() {
    let (mut world, mut view) = speaking();
    let what: Str = "Cannot read the log group /ecs/checkout: AccessDenied for logs:FilterLogEvents".into();
    let error = AwsError {
        kind: ErrorKind::Denied,
        action: "logs:FilterLogEvents".into(),
        what,
        hint: "Ask for it".into(),
        code: None,
        request_id: None,
    };
    let feed = view.feed();
    world.hear(&mut view, feed, Outcome::Failed(Arc::new(error)));
    let shown = picture(&mut view, &world, (100, 12));
    assert!(shown.contains("✖ Cannot read the log group /ecs/checkout: AccessDenied for logs:FilterLogEvents · Ask for it"), "{shown}");
    assert!(shown.contains("heap exhausted"), "{shown}");
}

#[test]
fn an_empty_pane_says_what_it_waits_for() {
    let (mut world, mut view) = (World::new(), service_logs());
    view.sync(&world.cx(), &[]);
    assert!(picture(&mut view, &world, (80, 10)).contains("reading the tasks of payments-prod"));
    world.tasks(&mut view, vec![]);
    assert!(picture(&mut view, &world, (80, 10)).contains("service checkout has no tasks"));
    world.tasks(&mut view, vec![task_named("70cc", "PENDING")]);
    assert!(picture(&mut view, &world, (80, 10)).contains("reading task definition checkout:412"));
    world.definition(&mut view, awslogs());
    assert!(picture(&mut view, &world, (80, 10)).contains("70cc app: no stream yet, task is PENDING"));
    assert_eq!(logs_wanted(&view, &world), None);
    world.tasks(&mut view, vec![task_named("70cc", "RUNNING")]);
    assert!(picture(&mut view, &world, (80, 10)).contains("reading since 02:57:38"));
    world.lines(&mut view, vec![], TailState { waiting: 1, ..caught_up() });
    let shown = picture(&mut view, &world, (100, 10));
    assert!(shown.contains("no log lines since 02:57:38 (15m) · kept 7 days · 1 stream not there yet"), "{shown}");
}

#[test]
fn another_log_driver_is_named_with_its_options() {
    let (mut world, mut view) = (World::new(), service_logs());
    view.sync(&world.cx(), &[]);
    world.tasks(&mut view, vec![task_named("70cc", "RUNNING")]);
    world.definition(&mut view, definition("awsfirelens", &[("Name", "datadog"), ("apikey", "s3cret")]));
    let shown = picture(&mut view, &world, (80, 10));
    assert!(shown.contains("container app logs by awsfirelens: Name=datadog apikey=••••"), "{shown}");
}

#[test]
fn a_task_that_starts_joins_and_one_that_is_gone_stays() {
    let (mut world, mut view) = speaking();
    let names =
        |sources: &LogSources| sources.streams.iter().map(|stream| (stream.task.name()[..4].to_owned(), stream.ended)).collect::<Vec<_>>();
    let before = logs_wanted(&view, &world).unwrap();
    assert_eq!(names(&before), [("70cc".to_owned(), false), ("41b0".to_owned(), false), ("77aa".to_owned(), true)]);
    world.tasks(&mut view, vec![task_named("41b0", "RUNNING"), task_named("9e01", "RUNNING")]);
    let after = logs_wanted(&view, &world).unwrap();
    assert_eq!(
        names(&after),
        [("70cc".to_owned(), true), ("41b0".to_owned(), false), ("77aa".to_owned(), true), ("9e01".to_owned(), false)]
    );
    world.tasks(&mut view, vec![task_named("41b0", "RUNNING"), task_named("9e01", "RUNNING")]);
    assert!(Arc::ptr_eq(&after, &logs_wanted(&view, &world).unwrap()), "the same tasks are no reason to ask anew");
}

#[test]
fn a_task_that_stopped_long_ago_is_read_from_its_start() {
    let (mut world, stopped) = (World::new(), task_named("77aa", "STOPPED"));
    let at = |minutes: i64| Time::from_millisecond(START - minutes * 60_000).ok();
    let stopped = Task { status: TaskStatus::Stopped, created_at: at(50), started_at: at(49), stopped_at: at(40), ..stopped };
    let mut view = LogView::new(Ctx(0), cluster(), LogScope::Task(stopped.arn.clone()), TimeZone::UTC);
    view.sync(&world.cx(), &[]);
    world.tasks(&mut view, vec![stopped]);
    world.definition(&mut view, awslogs());
    assert_eq!(logs_wanted(&view, &world).map(|sources| sources.since), at(50));
}

#[test]
fn ranges_reach_back_and_a_time_is_gone_to() {
    let (world, mut view) = speaking();
    let since = |view: &LogView| logs_wanted(view, &world).map(|sources| world.now - sources.since.as_millisecond());
    assert_eq!(since(&view), Some(900_000));
    view.act(Action::Range(6), &world.cx());
    assert_eq!(since(&view), Some(3_600_000));
    view.act(Action::Range(0), &world.cx());
    assert_eq!((since(&view), view.panel.lens().len()), (Some(0), 0));
    assert!(matches!(view.input(Prompt::Time, "03:11:39", true, &world.cx()), Reaction::Redraw));
    assert_eq!(view.panel.cursor().map(|key| key.at), Some(START + 1_000));
    assert!(!view.panel.follows());
    assert!(matches!(view.input(Prompt::Time, "later", true, &world.cx()), Reaction::Refuse(_)));
}

#[test]
fn a_stack_trace_is_copied_whole_and_saved_with_time_and_source() {
    let (world, mut view) = speaking();
    view.act(Action::Top, &world.cx());
    view.act(Action::NextError, &world.cx());
    let Reaction::Copy(text, _) = view.act(Action::Copy, &world.cx()) else { panic!("a copy") };
    assert_eq!(text, "ERROR heap exhausted: java.lang.OutOfMemoryError\n    at com.acme.checkout.Basket.load(Basket.java:118)");
    let Reaction::Ask(Prompt::Save, name) = view.act(Action::Save, &world.cx()) else { panic!("a question") };
    assert_eq!(name, "checkout-20261121-031238.log");
    let Reaction::Save(path, text) = view.input(Prompt::Save, "out.log", true, &world.cx()) else { panic!("a file") };
    assert_eq!((path.to_str(), text.lines().count()), (Some("out.log"), 5));
    assert!(text.contains("2026-11-21T03:11:38.311Z 41b00000000000000000000000000000/app WARN gc pause 2.41s pool=old\n"), "{text}");
}

#[test]
fn filter_and_search_follow_the_typing_and_a_mistake_is_told_at_the_end() {
    let (world, mut view) = speaking();
    assert!(matches!(view.input(Prompt::Filter, "re:heap|gc", false, &world.cx()), Reaction::Redraw));
    assert_eq!((view.panel.lens().len(), view.status(&world.cx())), (2, "&re:heap|gc".to_owned()));
    assert!(matches!(view.input(Prompt::Filter, "re:(", false, &world.cx()), Reaction::Redraw));
    assert!(matches!(view.input(Prompt::Filter, "re:(", true, &world.cx()), Reaction::Refuse(_)));
    assert_eq!(view.panel.lens().len(), 2, "a mistake changes nothing");
    assert!(matches!(view.input(Prompt::Search, "nowhere", true, &world.cx()), Reaction::Notice(Notice { tone: Tone::Info, .. })));
    assert!(view.peel(&world.cx()) && view.peel(&world.cx()) && !view.peel(&world.cx()));
    view.input(Prompt::Filter, "nothing has this", true, &world.cx());
    assert!(picture(&mut view, &world, (80, 10)).contains("none of 4 lines is shown with & nothing has this"));
}

#[test]
fn nothing_is_drawn_outside_the_area() {
    let (world, mut view) = speaking();
    for (width, height) in [(1, 1), (8, 2), (20, 5), (39, 7), (60, 12)] {
        let whole = Rect::new(0, 0, 80, 30);
        let mut screen = Screen::empty(whole);
        let area = Rect::new(7, 5, width, height);
        view.draw(area, &mut screen, &world.cx());
        let outside = whole.positions().filter(|at| !area.contains(*at));
        assert!(outside.map(|at| screen[at].symbol()).all(|symbol| symbol == " "), "{width}x{height}");
    }
}
