//! The table held to its rules: order, filter, ghost, marks, ranges, columns.

use super::layout::{Placed, place};
use super::*;
use crate::config::Config;
use crate::keys::Keymap;
use crate::model::Fleet;
use crate::model::sample::ago;
use crate::store::Store;
use crate::theme::Theme;
use crate::verdict::Board;

/// Columns that are on show.
const OFFERED: &[&str] = &["NAME", "WEIGHT", "HEALTH"];

/// A row of a made-up list.
#[derive(Clone)]
struct Fruit {
    name: &'static str,
    weight: i64,
    health: Health,
}

fn fruit(name: &'static str, weight: i64) -> Fruit {
    Fruit { name, weight, health: Health::Ok }
}

const SPEC: TableSpec<Fruit> = TableSpec {
    name: "fruit",
    crumb: |_, _| String::new(),
    title: |_, _| String::new(),
    columns: COLUMNS,
    order: 0,
    wanted: |_, _, _, _, _| {},
    rows: |_, _| Vec::new(),
    id: |row| row.name.into(),
    health: Some(|row| row.health),
    haystack: |row| row.name.to_owned(),
    subject: |_, _, _| Subject::default(),
    enter: "fruit",
    preview: None,
    empty: |_, _| String::new(),
    sources: |_, _| Vec::new(),
    hints: &[],
};

const fn column(
    key: char,
    title: &'static str,
    width: Width,
    rank: u8,
    cell: for<'a> fn(&'a Fruit, &Cx<'a>) -> Cell<'a>,
    sort: fn(&Fruit, &Cx) -> Key,
) -> Column<Fruit> {
    Column { key, title, width, right: false, rank, cell, sort }
}

const COLUMNS: &[Column<Fruit>] = &[
    column('n', "NAME", Width::Fit(4, 40), 0, |row, _| plain(row.name), |row, _| Key::Text(row.name.into())),
    column('w', "WEIGHT", Width::Fixed(6), 1, |row, _| plain(row.weight.to_string()), |row, _| Key::Number(row.weight)),
    column('h', "HEALTH", Width::Fixed(6), 3, |row, _| plain(row.health.word()), |row, _| Key::Number(row.health as i64)),
    column('x', "EXTRA", Width::Fixed(5), 3, |_, _| plain("extra"), |_, _| Key::Number(0)),
    column('r', "REASON", Width::Fill(10), 2, |_, _| plain("because"), |_, _| Key::Number(0)),
];

/// What a table may look at: nothing here.
struct Nothing {
    store: Store,
    fleet: Fleet,
    theme: Theme,
    keys: Keymap,
    config: Config,
    board: Board,
    landings: crate::landing::Landings,
    shells: crate::exec::shells::Shells,
    zone: jiff::tz::TimeZone,
}

impl Nothing {
    fn new() -> Self {
        Nothing {
            store: Store::default(),
            fleet: Fleet::default(),
            theme: Theme::built_in("mono"),
            keys: Keymap::default(),
            config: Config::default(),
            board: Board::default(),
            landings: crate::landing::Landings::default(),
            shells: crate::exec::shells::Shells::default(),
            zone: jiff::tz::TimeZone::UTC,
        }
    }

    fn cx(&self) -> Cx<'_> {
        Cx {
            store: &self.store,
            fleet: &self.fleet,
            theme: &self.theme,
            keys: &self.keys,
            config: &self.config,
            board: &self.board,
            landings: &self.landings,
            shells: &self.shells,
            zone: &self.zone,
            now: ago(0),
        }
    }
}

fn basket() -> Vec<Fruit> {
    vec![fruit("pear", 3), fruit("apple", 5), fruit("quince", 1), fruit("fig", 3)]
}

/// A table that holds these rows, with nothing to look at.
fn table(rows: Vec<Fruit>) -> (Nothing, Rows<Fruit>) {
    let nothing = Nothing::new();
    let mut table = Rows::new(0);
    table.replace(&SPEC, rows, None, false, &nothing.cx());
    (nothing, table)
}

fn names(rows: &Rows<Fruit>) -> Vec<&'static str> {
    (0..rows.len()).filter_map(|n| rows.get(n)).map(|row| row.name).collect()
}

fn under_cursor(rows: &Rows<Fruit>) -> &'static str {
    rows.cursor().map_or("", |row| row.name)
}

fn marked(rows: &Rows<Fruit>) -> Vec<&'static str> {
    (0..rows.len()).filter(|n| rows.is_marked(*n)).filter_map(|n| rows.get(n)).map(|row| row.name).collect()
}

#[test]
fn rows_stand_in_the_order_of_a_column_equals_by_identity() {
    let (nothing, mut rows) = table(basket());
    assert_eq!(names(&rows), ["apple", "fig", "pear", "quince"]);
    rows.order_by(&SPEC, 1, &nothing.cx());
    assert_eq!(names(&rows), ["quince", "fig", "pear", "apple"]);
    rows.reverse(&SPEC, &nothing.cx());
    assert_eq!(names(&rows), ["apple", "fig", "pear", "quince"], "equals do not turn around");
    assert_eq!(rows.order(), (1, true));
}

#[test]
fn the_cursor_stays_on_top_until_a_row_is_chosen_and_then_on_that_row() {
    let (nothing, mut rows) = table(basket());
    let mut more = basket();
    more.push(fruit("almond", 1));
    rows.replace(&SPEC, more.clone(), None, false, &nothing.cx());
    assert_eq!(under_cursor(&rows), "almond");
    rows.go(3);
    assert_eq!(under_cursor(&rows), "pear");
    more.extend([fruit("banana", 2), fruit("cherry", 2)]);
    rows.replace(&SPEC, more, None, false, &nothing.cx());
    assert_eq!((under_cursor(&rows), rows.position()), ("pear", 5));
    rows.order_by(&SPEC, 1, &nothing.cx());
    assert_eq!(under_cursor(&rows), "pear");
}

#[test]
fn a_row_that_was_asked_for_before_it_came_is_under_the_cursor_when_it_comes() {
    let (nothing, mut rows) = table(Vec::new());
    rows.select("pear".into());
    rows.replace(&SPEC, Vec::new(), None, false, &nothing.cx());
    rows.replace(&SPEC, basket(), None, false, &nothing.cx());
    assert_eq!(under_cursor(&rows), "pear");
}

#[test]
fn a_row_that_vanished_under_the_cursor_stays_as_a_ghost_until_the_cursor_leaves_it() {
    let (nothing, mut rows) = table(basket());
    rows.go(1);
    let without: Vec<Fruit> = basket().into_iter().filter(|row| row.name != "fig").collect();
    rows.replace(&SPEC, without.clone(), None, false, &nothing.cx());
    assert_eq!(names(&rows), ["apple", "fig", "pear", "quince"]);
    assert_eq!((under_cursor(&rows), rows.on_ghost(), rows.total()), ("fig", true, 3));
    rows.replace(&SPEC, without, None, false, &nothing.cx());
    assert!(rows.on_ghost(), "it stays through more answers");
    rows.toggle_mark();
    assert_eq!(rows.marked(), 0, "what is gone cannot be marked");
    rows.go(2);
    assert_eq!((names(&rows), under_cursor(&rows)), (vec!["apple", "pear", "quince"], "pear"));
}

#[test]
fn a_ghost_that_comes_back_is_an_ordinary_row() {
    let (nothing, mut rows) = table(basket());
    rows.go(1);
    rows.replace(&SPEC, vec![fruit("apple", 1)], None, false, &nothing.cx());
    assert!(rows.on_ghost());
    rows.replace(&SPEC, basket(), None, false, &nothing.cx());
    assert_eq!((under_cursor(&rows), rows.on_ghost(), rows.len()), ("fig", false, 4));
}

#[test]
fn rows_keep_their_places_while_the_operator_is_at_work() {
    let (nothing, mut rows) = table(basket());
    rows.order_by(&SPEC, 1, &nothing.cx());
    rows.go(0);
    let mut heavier = basket();
    heavier[2].weight = 9;
    heavier.push(fruit("almond", 0));
    rows.replace(&SPEC, heavier.clone(), None, true, &nothing.cx());
    assert_eq!(names(&rows), ["quince", "fig", "pear", "apple", "almond"]);
    assert!(rows.held);
    rows.replace(&SPEC, heavier, None, false, &nothing.cx());
    assert_eq!((names(&rows), under_cursor(&rows)), (vec!["almond", "fig", "pear", "apple", "quince"], "quince"));
    assert!(!rows.held);
}

#[test]
fn a_filter_keeps_what_matches_and_a_wrong_one_says_so_and_changes_nothing() {
    let (nothing, mut rows) = table(basket());
    rows.filter(&SPEC, "weight>2 !pear", OFFERED, &nothing.cx()).unwrap();
    assert_eq!((names(&rows), rows.total()), (vec!["apple", "fig"], 4));
    assert!(rows.filter(&SPEC, "weihgt>2", OFFERED, &nothing.cx()).unwrap_err().contains("weight"));
    assert_eq!((names(&rows), rows.query_text()), (vec!["apple", "fig"], "weight>2 !pear"));
    rows.filter(&SPEC, "", OFFERED, &nothing.cx()).unwrap();
    assert_eq!(rows.len(), 4);
}

#[test]
fn a_filter_takes_a_ghost_away() {
    let (nothing, mut rows) = table(basket());
    rows.go(1);
    rows.replace(&SPEC, vec![fruit("apple", 1), fruit("pear", 3)], None, false, &nothing.cx());
    assert_eq!(names(&rows), ["apple", "fig", "pear"]);
    rows.filter(&SPEC, "p", OFFERED, &nothing.cx()).unwrap();
    assert_eq!((names(&rows), rows.on_ghost()), (vec!["apple", "pear"], false));
}

#[test]
fn problems_only_leaves_what_is_troubled() {
    let mut fruits = basket();
    (fruits[0].health, fruits[3].health) = (Health::Warn, Health::Fail);
    let (nothing, mut rows) = table(fruits);
    rows.toggle_problems(&SPEC, &nothing.cx());
    assert_eq!(names(&rows), ["fig", "pear"]);
    rows.toggle_problems(&SPEC, &nothing.cx());
    assert_eq!(rows.len(), 4);
}

#[test]
fn marks_are_of_rows_not_of_places() {
    let (nothing, mut rows) = table(basket());
    rows.go(2);
    rows.toggle_mark();
    rows.order_by(&SPEC, 1, &nothing.cx());
    assert_eq!(marked(&rows), ["pear"]);
    rows.replace(&SPEC, vec![fruit("almond", 0), fruit("pear", 3)], None, false, &nothing.cx());
    assert_eq!(marked(&rows), ["pear"]);
    rows.toggle_mark();
    assert_eq!(marked(&rows), [""; 0]);
}

#[test]
fn a_range_marks_from_where_it_began_to_wherever_the_cursor_goes() {
    let (_nothing, mut rows) = table(basket());
    rows.go(3);
    rows.toggle_range();
    rows.go(1);
    assert_eq!(marked(&rows), ["fig", "pear", "quince"]);
    rows.toggle_range();
    rows.go(0);
    assert_eq!(marked(&rows), ["fig", "pear", "quince"], "a range that has ended marks no more");
    rows.clear_marks();
    assert_eq!(rows.marked(), 0);
}

#[test]
fn a_range_that_begins_on_the_first_row_needs_no_move_before() {
    let (_nothing, mut rows) = table(basket());
    rows.toggle_range();
    rows.go(1);
    assert_eq!(marked(&rows), ["apple", "fig"]);
}

#[test]
fn escape_peels_range_marks_filter_and_problems_one_after_the_other() {
    let mut fruits = basket();
    fruits[0].health = Health::Fail;
    let (nothing, mut rows) = table(fruits);
    rows.toggle_problems(&SPEC, &nothing.cx());
    rows.filter(&SPEC, "p", OFFERED, &nothing.cx()).unwrap();
    rows.toggle_range();
    let mut left = Vec::new();
    while rows.peel(&SPEC, &nothing.cx()) {
        left.push((rows.marked(), rows.query_text().to_owned(), rows.problems_only()));
    }
    let states = [(1, "p", true), (0, "p", true), (0, "", true), (0, "", false)];
    assert_eq!(left, states.map(|(marked, query, problems)| (marked, query.to_owned(), problems)));
}

/// The titles that are drawn in so many cells, and where each begins and ends.
fn laid_out(available: u16, widest: &[u16], skipped: usize) -> (Vec<&'static str>, Vec<Placed>) {
    let columns: Vec<(usize, &Column<Fruit>)> = COLUMNS.iter().enumerate().collect();
    let placed = place(&columns, widest, available, skipped);
    (placed.iter().map(|p| COLUMNS[p.column].title).collect(), placed)
}

#[test]
fn columns_of_the_highest_rank_leave_first_and_of_equals_the_one_to_the_right() {
    let widest = [4, 6, 6, 5, 10];
    let titles = |available| laid_out(available, &widest, 0).0;
    assert_eq!(titles(39), ["NAME", "WEIGHT", "HEALTH", "EXTRA", "REASON"]);
    assert_eq!(titles(38), ["NAME", "WEIGHT", "HEALTH", "REASON"]);
    assert_eq!(titles(31), ["NAME", "WEIGHT", "REASON"]);
    assert_eq!(titles(23), ["NAME", "WEIGHT"]);
    assert_eq!(titles(11), ["NAME"]);
    assert_eq!(titles(2), ["NAME"], "the first column stays whatever happens");
}

#[test]
fn a_column_leaves_before_a_name_is_cut() {
    let titles = |name| laid_out(50, &[name, 6, 6, 5, 10], 0);
    assert_eq!(titles(15).0, ["NAME", "WEIGHT", "HEALTH", "EXTRA", "REASON"]);
    let (long, placed) = titles(20);
    assert_eq!((long, placed[0].width), (vec!["NAME", "WEIGHT", "HEALTH", "REASON"], 20));
    let (longer, placed) = titles(40);
    assert_eq!(longer, ["NAME", "WEIGHT", "REASON"], "an endless name does not empty the table");
    assert!(placed[0].width < 40);
}

#[test]
fn what_is_left_over_goes_to_the_column_that_fills_and_nothing_overlaps() {
    for available in 0..120 {
        let (titles, placed) = laid_out(available, &[9, 6, 6, 5, 10], 0);
        for pair in placed.windows(2) {
            assert_eq!(pair[0].x + pair[0].width + 2, pair[1].x, "{available}: {titles:?}");
        }
        let last = placed.last().unwrap();
        assert!(last.x + last.width <= available, "{available}: {placed:?}");
        let wasted = titles.contains(&"REASON") && last.x + last.width < available;
        assert!(!wasted, "{available}: room is left though a column fills: {placed:?}");
    }
}

#[test]
fn columns_scroll_away_behind_the_first_two() {
    let widest = [4, 6, 6, 5, 10];
    assert_eq!(laid_out(39, &widest, 1).0, ["NAME", "WEIGHT", "EXTRA", "REASON"]);
    assert_eq!(laid_out(39, &widest, 2).0, ["NAME", "WEIGHT", "REASON"]);
}

#[test]
fn rows_that_are_known_again_are_not_measured_and_all_others_are() {
    let (nothing, mut rows) = table(basket());
    let widest = |rows: &Rows<Fruit>| rows.widths[0];
    let before = widest(&rows);
    let mut longer = basket();
    longer[1] = fruit("pomegranate", 5);
    rows.replace(&SPEC, longer.clone(), Some(|_, _| true), false, &nothing.cx());
    assert_eq!(widest(&rows), before, "it was said that nothing changed");
    let same = Some((|a, b| a.name == b.name) as fn(&Fruit, &Fruit) -> bool);
    rows.replace(&SPEC, basket(), same, false, &nothing.cx());
    rows.replace(&SPEC, longer.clone(), same, false, &nothing.cx());
    assert_eq!(usize::from(widest(&rows)), "pomegranate".len());
    longer.insert(0, fruit("blackcurrant", 1));
    rows.replace(&SPEC, longer, same, false, &nothing.cx());
    assert_eq!(usize::from(widest(&rows)), "blackcurrant".len(), "rows that have moved are measured");
    rows.replace(&SPEC, basket(), same, false, &nothing.cx());
    assert_eq!(widest(&rows), before, "what is gone counts no more");
}
