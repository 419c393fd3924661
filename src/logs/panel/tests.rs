//! The panel on buffers filled by hand.

use super::*;
use crate::feed::TailState;
use crate::logs::sample::{line, stream};
use crate::logs::{Look, Paint};
use crate::model::{Arn, LogLine, Time};
use proptest::prelude::*;
use ratatui::buffer::Buffer as Screen;
use ratatui::layout::Rect;

/// 2026-11-21 03:11:38 UTC.
const START: i64 = 1_795_230_698_000;

fn tasks() -> Vec<Arn> {
    ["70cc", "41b0", "9e01", "77aa"].iter().map(|id| stream(id, "app").task.clone()).collect()
}

fn shop() -> Vec<LogLine> {
    let source = |task, container| stream(task, container);
    vec![
        line(
            &source("70cc", "app"),
            START + 20,
            r#"{"level":"info","msg":"request completed","path":"/v1/pay","status":200,"dur_ms":41,"trace":"9c1f0a"}"#,
        ),
        line(&source("41b0", "app"), START + 311, "2026-11-21T03:11:38.311Z WARN  gc pause 2.41s pool=old"),
        line(&source("9e01", "envoy"), START + 1_004, r#"[2026-11-21T03:11:39.004Z] "GET /v1/pay HTTP/1.1" 503 UF 0 91 5001"#),
        line(&source("77aa", "app"), START + 1_880, "WARN heap 96% used=494MiB max=512MiB"),
        line(&source("77aa", "app"), START + 2_102, "ERROR heap exhausted: java.lang.OutOfMemoryError: Java heap space order=88213"),
        line(
            &source("77aa", "app"),
            START + 2_103,
            "    at com.acme.checkout.Basket.load(Basket.java:118)\n    at com.acme.checkout.Pay.run(Pay.java:41)",
        ),
        line(&source("77aa", "app"), START + 2_104, "Caused by: java.lang.Error"),
        line(&source("41b0", "app"), START + 2_377, "WARN upstream ledger-api 503 retry=2"),
        line(&source("70cc", "app"), START + 3_000, "INFO ␛[31mraw escape shown as text␛[0m, never executed"),
        line(&source("70cc", "app"), START + 3_200, "支払い completed 🚀 naïve"),
    ]
}

fn filled() -> (Buffer, Panel) {
    let mut buffer = Buffer::default();
    buffer.push(shop(), TailState { caught_up: true, ..TailState::default() });
    let mut panel = Panel::new(TimeZone::UTC);
    panel.sync(&buffer);
    (buffer, panel)
}

fn numbered(count: i64) -> (Buffer, Panel) {
    let source = stream("aaaa", "app");
    let mut buffer = Buffer::default();
    buffer.push((0..count).map(|n| line(&source, START + n * 100, &format!("line {n}."))).collect(), TailState::default());
    let mut panel = Panel::new(TimeZone::UTC);
    panel.sync(&buffer);
    (buffer, panel)
}

fn screen(panel: &mut Panel, buffer: &Buffer, (width, height): (u16, u16)) -> String {
    let paint = Paint::default();
    let title = ["Logs checkout", "4 tasks merged by time", "last 15m", "/ecs/checkout"].map(str::to_owned);
    let look = Look {
        paint: &paint,
        now: Time::from_millisecond(START + 60_000).unwrap(),
        title: &title,
        banner: None,
        reading: true,
        ended: None,
        empty: &["no log lines in the last 15m".to_owned()],
        tasks: &tasks(),
        container: 5,
        lag: Some(1_130),
        keys: ["⏎", "F", "n", "N"],
    };
    let area = Rect::new(0, 0, width, height);
    let mut screen = Screen::empty(area);
    panel.draw(area, &mut screen, buffer, &look);
    let mut rows = Vec::new();
    for y in 0..height {
        let mut skip = 0;
        let mut row = String::new();
        for x in 0..width {
            let symbol = screen[(x, y)].symbol();
            if skip == 0 {
                row.push_str(symbol);
                skip = crate::text::width(symbol);
            }
            skip = skip.saturating_sub(1);
        }
        rows.push(row.trim_end().to_owned());
    }
    rows.join("\n")
}

fn row_of(picture: &str, text: &str) -> Option<usize> {
    picture.lines().position(|row| row.contains(text))
}

#[test]
fn lines_of_a_service_at_three_sizes() {
    for size in [(120, 35), (80, 24), (60, 15)] {
        let (buffer, mut panel) = filled();
        insta::assert_snapshot!(format!("service_{}x{}", size.0, size.1), screen(&mut panel, &buffer, size));
    }
}

#[test]
fn an_opened_line_shows_its_stack_trace_and_a_search_its_matches() {
    let (buffer, mut panel) = filled();
    panel.set_search("re:OutOfMemory|503", false, &buffer).unwrap();
    panel.go(Move::Match(true), &buffer);
    panel.toggle_open(&buffer);
    panel.toggle_mark();
    insta::assert_snapshot!(screen(&mut panel, &buffer, (100, 20)));
}

#[test]
fn a_search_finds_what_the_rows_of_json_lines_show_and_not_what_they_are_made_of() {
    let (buffer, mut panel) = filled();
    let hits = |panel: &mut Panel, what: &str| {
        panel.set_search(what, false, &buffer).unwrap();
        panel.lens().hit_number(None).1
    };
    assert_eq!([r#""msg""#, r#""status":200"#, "dur_ms=41", "request completed"].map(|what| hits(&mut panel, what)), [0, 0, 1, 1]);
    assert_eq!(hits(&mut panel, "INFO"), 2, "levels have a column, whether a line says its own in JSON or not");
    panel.cycle_json(&buffer);
    assert_eq!(hits(&mut panel, "re:^status +200$"), 1, "a field a row");
    panel.cycle_json(&buffer);
    assert_eq!([r#""status":200"#, "dur_ms=41"].map(|what| hits(&mut panel, what)), [1, 0], "as they came");
    panel.cycle_json(&buffer);
    panel.set_filter("status=200", false, &buffer).unwrap();
    assert_eq!(panel.lens().len(), 1, "what is read off the screen keeps its line");
}

#[test]
fn a_search_goes_to_the_nearest_match_up_from_the_newest_line_and_on_from_any_other() {
    let (buffer, mut panel) = numbered(30);
    let at = |panel: &Panel| panel.cursor().map(|key| key.id);
    panel.set_search("3.", false, &buffer).unwrap();
    panel.go_to_match(&buffer);
    assert_eq!((at(&panel), panel.follows()), (Some(23), false));
    panel.go(Move::Match(true), &buffer);
    assert_eq!(at(&panel), Some(13), "the next one is the next one up");
    panel.go(Move::Match(false), &buffer);
    assert_eq!(at(&panel), Some(23));
    panel.go_to(START + 1_000, &buffer);
    panel.go_to_match(&buffer);
    assert_eq!(at(&panel), Some(13), "from the tenth line on");
    panel.go(Move::Match(true), &buffer);
    assert_eq!(at(&panel), Some(23));
    panel.go_to(START + 2_500, &buffer);
    panel.go_to_match(&buffer);
    assert_eq!(at(&panel), Some(23), "none is ahead");
    panel.set_follow(true, &buffer);
    panel.set_search("nowhere", false, &buffer).unwrap();
    panel.go_to_match(&buffer);
    assert!(panel.follows(), "what is nowhere leaves everything as it is");
}

#[test]
fn a_match_beyond_the_edge_is_moved_into_view() {
    let source = stream("aaaa", "app");
    let mut buffer = Buffer::default();
    let long = format!("{} needle {}", "hay ".repeat(40), "hay ".repeat(40));
    buffer.push(vec![line(&source, START, "a needle"), line(&source, START + 1, &long)], TailState::default());
    let mut panel = Panel::new(TimeZone::UTC);
    panel.sync(&buffer);
    screen(&mut panel, &buffer, (80, 10));
    panel.set_search("needle", false, &buffer).unwrap();
    panel.go_to_match(&buffer);
    assert!(row_of(&screen(&mut panel, &buffer, (80, 10)), "hay needle hay").is_some());
    panel.go(Move::Match(true), &buffer);
    assert!(row_of(&screen(&mut panel, &buffer, (80, 10)), " a needle").is_some(), "and back");
}

#[test]
fn pretty_json_and_wrapped_lines() {
    let (buffer, mut panel) = filled();
    panel.cycle_json(&buffer);
    panel.toggle_wrap();
    panel.cycle_stamps();
    panel.go(Move::Top, &buffer);
    insta::assert_snapshot!(screen(&mut panel, &buffer, (60, 24)));
}

#[test]
fn a_filter_with_context_shows_where_it_skips() {
    let (buffer, mut panel) = numbered(40);
    panel.set_filter("re:line (7|30)\\.", false, &buffer).unwrap();
    panel.toggle_context(&buffer);
    insta::assert_snapshot!(screen(&mut panel, &buffer, (80, 26)));
}

#[test]
fn an_empty_panel_says_why() {
    let buffer = Buffer::default();
    let mut panel = Panel::new(TimeZone::UTC);
    assert!(screen(&mut panel, &buffer, (60, 9)).contains("no log lines in the last 15m"));
}

#[test]
fn the_cursor_stays_on_its_line_and_its_row_when_lines_arrive() {
    let (mut buffer, mut panel) = numbered(100);
    screen(&mut panel, &buffer, (80, 24));
    panel.go(Move::Half(false), &buffer);
    panel.go(Move::Line(false), &buffer);
    let before = screen(&mut panel, &buffer, (80, 24));
    let cursor = panel.cursor();
    let (early, late) = (stream("bbbb", "app"), stream("cccc", "app"));
    buffer.push((0..30).map(|n| line(&early, START + n * 7, "early")).collect(), TailState::default());
    buffer.push((0..30).map(|n| line(&late, START + 20_000 + n, "late")).collect(), TailState::default());
    panel.sync(&buffer);
    let after = screen(&mut panel, &buffer, (80, 24));
    assert_eq!(panel.cursor(), cursor);
    assert_eq!(row_of(&before, ">"), row_of(&after, ">"));
    assert!(after.contains("PAUSED 30 new"), "{after}");
}

#[test]
fn the_newest_line_stays_in_view_while_following() {
    let (mut buffer, mut panel) = numbered(100);
    assert!(screen(&mut panel, &buffer, (80, 12)).contains("line 99."));
    buffer.push(vec![line(&stream("aaaa", "app"), START + 60_000, "newest")], TailState::default());
    panel.sync(&buffer);
    let picture = screen(&mut panel, &buffer, (80, 12));
    assert_eq!(row_of(&picture, "newest"), Some(10));
    panel.go(Move::Line(true), &buffer);
    assert!(panel.follows());
    panel.go(Move::Line(false), &buffer);
    assert!(!panel.follows());
    panel.go(Move::Bottom, &buffer);
    assert!(panel.follows());
}

#[test]
fn half_pages_go_through_all_lines_and_back() {
    let (buffer, mut panel) = numbered(100);
    screen(&mut panel, &buffer, (80, 12));
    panel.go(Move::Top, &buffer);
    let mut seen = Vec::new();
    for _ in 0..30 {
        let picture = screen(&mut panel, &buffer, (80, 12));
        seen.extend(picture.lines().filter_map(|row| row.split("line ").nth(1)?.split('.').next()?.parse::<u32>().ok()));
        panel.go(Move::Half(true), &buffer);
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (0..100).collect::<Vec<_>>());
    assert_eq!(panel.cursor(), panel.lens().last(&buffer));
    (0..30).for_each(|_| panel.go(Move::Half(false), &buffer));
    assert_eq!(panel.cursor(), panel.lens().first(&buffer));
}

#[test]
fn a_line_higher_than_the_screen_is_read_row_by_row() {
    let source = stream("aaaa", "app");
    let mut buffer = Buffer::default();
    let long = (0..40).map(|n| format!("row {n}.")).collect::<Vec<_>>().join("\n");
    buffer.push(vec![line(&source, START, &long), line(&source, START + 1, "after")], TailState::default());
    let mut panel = Panel::new(TimeZone::UTC);
    panel.sync(&buffer);
    screen(&mut panel, &buffer, (80, 12));
    panel.go(Move::Top, &buffer);
    panel.toggle_open(&buffer);
    assert!(screen(&mut panel, &buffer, (80, 12)).contains("row 0."));
    let mut rows = 0;
    while panel.cursor() == panel.lens().first(&buffer) {
        panel.go(Move::Line(true), &buffer);
        rows += 1;
        assert!(rows < 60);
    }
    assert!(screen(&mut panel, &buffer, (80, 12)).contains("after"));
    assert!(rows > 30);
}

#[test]
fn marks_and_ranges_choose_what_is_copied() {
    let (buffer, mut panel) = numbered(20);
    screen(&mut panel, &buffer, (80, 12));
    panel.go(Move::Top, &buffer);
    panel.toggle_range(&buffer);
    panel.go(Move::Line(true), &buffer);
    panel.go(Move::Line(true), &buffer);
    assert_eq!(panel.chosen().iter().map(|key| key.id).collect::<Vec<_>>(), [0, 1, 2]);
    panel.toggle_range(&buffer);
    panel.go(Move::Line(true), &buffer);
    panel.go(Move::Line(true), &buffer);
    panel.toggle_mark();
    assert_eq!(panel.chosen().iter().map(|key| key.id).collect::<Vec<_>>(), [0, 1, 2, 4]);
    assert!(panel.peel(&buffer) && panel.chosen().len() == 1);
}

#[test]
fn peeling_takes_one_layer_at_a_time() {
    let (buffer, mut panel) = filled();
    panel.set_filter("heap", false, &buffer).unwrap();
    panel.set_search("heap", false, &buffer).unwrap();
    panel.toggle_open(&buffer);
    panel.toggle_mark();
    let mut layers = 0;
    while panel.peel(&buffer) {
        layers += 1;
    }
    assert_eq!((layers, panel.filter(), panel.search(), panel.lens().len()), (4, "", "", 8));
}

#[test]
fn giving_up_a_filter_while_typing_brings_back_the_one_before() {
    let (buffer, mut panel) = numbered(5_000);
    panel.set_filter("7.", false, &buffer).unwrap();
    let before = panel.lens().len();
    panel.set_filter("77.", true, &buffer).unwrap();
    assert!(panel.lens().previews() && panel.lens().len() < before);
    panel.set_filter("7.", true, &buffer).unwrap();
    assert_eq!((panel.lens().previews(), panel.lens().len()), (false, before));
}

#[test]
fn errors_are_found_in_both_directions() {
    let (buffer, mut panel) = filled();
    panel.go(Move::Top, &buffer);
    let text = |panel: &Panel| panel.cursor().and_then(|key| buffer.get(key.id)).map(|line| line.log.text[..5].to_owned());
    panel.go(Move::Error(true), &buffer);
    assert_eq!(text(&panel).as_deref(), Some("[2026"));
    panel.go(Move::Error(true), &buffer);
    assert_eq!(text(&panel).as_deref(), Some("ERROR"));
    panel.go(Move::Error(true), &buffer);
    assert_eq!(text(&panel).as_deref(), Some("ERROR"));
    panel.go(Move::Error(false), &buffer);
    assert_eq!(text(&panel).as_deref(), Some("[2026"));
}

#[derive(Clone, Debug)]
enum Deed {
    Go(Move),
    Lines(i64, u8),
    Filter(&'static str, bool),
    Search(&'static str, bool),
    Level,
    Context,
    Wrap,
    Json,
    Open,
    Range,
    Shift(isize),
    Peel,
    Since(i64),
    Click(usize),
    Size(u16, u16),
}

fn deeds() -> impl Strategy<Value = Vec<Deed>> {
    let moves = prop_oneof![
        any::<bool>().prop_map(Move::Line),
        any::<bool>().prop_map(Move::Half),
        any::<bool>().prop_map(Move::Page),
        any::<bool>().prop_map(Move::Match),
        any::<bool>().prop_map(Move::Error),
        Just(Move::Top),
        Just(Move::Bottom),
    ];
    let deed = prop_oneof![
        8 => moves.prop_map(Deed::Go),
        4 => (0_i64..5_000, any::<u8>()).prop_map(|(at, many)| Deed::Lines(at, many)),
        1 => (prop::sample::select(vec!["", "a", "re:[0-3]", "!7"]), any::<bool>()).prop_map(|(text, typing)| Deed::Filter(text, typing)),
        1 => (prop::sample::select(vec!["", "trace", "5"]), any::<bool>()).prop_map(|(text, typing)| Deed::Search(text, typing)),
        1 => prop::sample::select(vec![Deed::Level, Deed::Context, Deed::Wrap, Deed::Json, Deed::Open, Deed::Range, Deed::Peel]),
        1 => (-90_isize..90).prop_map(Deed::Shift),
        1 => (0_i64..5_000).prop_map(Deed::Since),
        1 => (0_usize..30).prop_map(Deed::Click),
        2 => (1_u16..130, 1_u16..40).prop_map(|(width, height)| Deed::Size(width, height)),
    ];
    prop::collection::vec(deed, 0..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn whatever_is_done_the_cursor_is_on_a_line_that_is_shown_and_on_the_screen(deeds in deeds()) {
        let streams = [stream("70cc", "app"), stream("41b0", "envoy")];
        let mut buffer = Buffer::new(30_000);
        let mut panel = Panel::new(TimeZone::UTC);
        let mut size = (80, 24);
        for (n, deed) in deeds.into_iter().enumerate() {
            match deed {
                Deed::Go(to) => panel.go(to, &buffer),
                Deed::Lines(at, many) => {
                    let text = |i: u8| match i % 4 {
                        0 => format!("ERROR {n} a very long line {}", "a7 ".repeat(60)),
                        1 => format!("   trace {n} {i}"),
                        2 => format!("{{\"level\":\"warn\",\"msg\":\"{n}\",\"i\":{i}}}"),
                        _ => format!("plain {n} {i}\n  two\n  three"),
                    };
                    buffer.push((0..many).map(|i| line(&streams[usize::from(i % 2)], START + at + i64::from(i), &text(i))).collect(), TailState::default());
                    panel.sync(&buffer);
                }
                Deed::Filter(text, typing) => panel.set_filter(text, typing, &buffer).unwrap(),
                Deed::Search(text, typing) => panel.set_search(text, typing, &buffer).unwrap(),
                Deed::Level => panel.cycle_level(&buffer),
                Deed::Context => panel.toggle_context(&buffer),
                Deed::Wrap => panel.toggle_wrap(),
                Deed::Json => panel.cycle_json(&buffer),
                Deed::Open => panel.toggle_open(&buffer),
                Deed::Range => panel.toggle_range(&buffer),
                Deed::Shift(cells) => panel.shift_by(cells),
                Deed::Peel => drop(panel.peel(&buffer)),
                Deed::Since(since) => panel.set_since(START + since, &buffer),
                Deed::Click(row) => drop(panel.click(row, &buffer)),
                Deed::Size(width, height) => size = (width, height),
            }
            let picture = screen(&mut panel, &buffer, size);
            if panel.lens().is_empty() {
                continue;
            }
            let cursor = panel.cursor();
            prop_assert_eq!(cursor.and_then(|key| panel.lens().nearest(&buffer, key)), cursor);
            let rows = panel.visible(&buffer);
            prop_assert!(rows.iter().any(|(key, ..)| Some(*key) == cursor), "{picture}");
        }
    }
}
