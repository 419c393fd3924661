//! Back to an earlier revision: all of them with what became of each, beside it how it differs from what runs, below it what would be sent.
//!
//! Enter opens the dialog; nothing is sent from here. A deployment under way is stopped first of all ways: whoever deploys goes back by itself.

use super::Pane;
use crate::action::Action;
use crate::change::plans::{self, Facts, RollBack};
use crate::change::revisions::{self, Ended, Row};
use crate::change::{Plan, Target, Weight, Wish, cli_lines, diff};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, ImageUri, Str};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, TableSpec, TableView, Width};
use crate::view::{Cx, Kind, Notice, Place, Prompt, Reaction, Subject, Tone, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// The pane.
pub const PANE: Pane = Pane {
    name: "rollback",
    help: "Revisions of a service to go back to, and what differs",
    action: None,
    open: |place, _| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => {
            let target = Target { ctx, cluster: cluster.clone(), arn: service.clone() };
            let place = Place { task: None, container: None, target_group: None, instance: None, ..place.clone() };
            Ok(Box::new(Rollback { table: TableView::open(&SPEC, place), target, chosen: false, whole: None }))
        }
        _ => Err("Rolling back needs a service: put the cursor on one".to_owned()),
    },
};

/// Narrower than this, the differences stand below the revisions.
const ROOM_FOR_BOTH: u16 = 100;

/// The revisions with what is under the cursor.
struct Rollback {
    table: TableView<Row>,
    target: Target,
    /// The cursor was put on the last good one, or moved by the operator.
    chosen: bool,
    /// The differences have the whole screen, from this line on.
    whole: Option<usize>,
}

const SPEC: TableSpec<Row> = TableSpec {
    name: "rollback",
    crumb: |place, _| {
        let name = |arn: &Option<Arn>| arn.as_ref().map_or("?".to_owned(), |arn| arn.name().to_owned());
        format!("{} › {} › roll back", name(&place.cluster), name(&place.service))
    },
    title: |_, _| "Revisions ·".to_owned(),
    columns: COLUMNS,
    order: 0,
    wanted: |_, _, _, _, _| {},
    rows: |place, cx| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => revisions::history(&facts(ctx, cluster, cx), service),
        _ => Vec::new(),
    },
    id: |row| row.arn.0.clone(),
    health: None,
    haystack: |row| format!("{} {}", row.arn.name(), images(row)),
    subject: |place, row, _| Subject {
        place: place.clone(),
        copies: vec![('n', "revision", row.arn.name().to_owned()), ('a', "ARN", row.arn.to_string()), ('i', "images", images(row))],
        ghost: false,
    },
    enter: "rollback",
    preview: None,
    empty: |place, cx| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => match plans::may_not_be_read(&facts(ctx, cluster, cx), service) {
            Some(action) => format!("what {} runs may not be read ({action}): ⏎ names the revision to go back to", service.name()),
            None => "the revisions are still being read".to_owned(),
        },
        _ => "the revisions are still being read".to_owned(),
    },
    sources: |place, _| match (place.ctx, &place.service) {
        (Some(ctx), Some(service)) => vec![Feed::Service(ctx, service.clone()), Feed::ServiceDeployments(ctx, service.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::Zoom, Action::Filter, Action::Copy],
};

const COLUMNS: &[Column<Row>] = &[
    Column { key: 'r', title: "REV", width: Width::Fit(4, 8), right: true, rank: 0, cell: |row, _| revision(row), sort: |row, _| Key::Number(-i64::from(row.revision)) },
    Column { key: 'd', title: "DEPLOYED", width: Width::Fit(8, 12), right: false, rank: 1, cell: |row, cx| dim(row.deployed_at.map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| Key::Number(-row.deployed_at.map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'f', title: "RAN FOR", width: Width::Fixed(7), right: true, rank: 2, cell: |row, _| dim(row.ran.map_or(String::new(), age::short)), sort: |row, _| Key::Number(-row.ran.unwrap_or(0)) },
    Column { key: 's', title: "RESULT", width: Width::Fit(10, 22), right: false, rank: 0, cell: |row, _| result(row), sort: |row, _| Key::Text(result(row).text.into()) },
    Column { key: 'i', title: "IMAGE", width: Width::Fill(10), right: false, rank: 1, cell: |row, _| plain(images(row)), sort: |row, _| Key::Text(images(row).into()) },
];

fn facts<'a>(ctx: Ctx, cluster: &'a Arn, cx: &Cx<'a>) -> Facts<'a> {
    Facts { store: cx.store, fleet: cx.fleet, config: cx.config, ctx, cluster, now: cx.now }
}

fn revision(row: &Row) -> Cell<'_> {
    let inactive = row.status.as_deref().is_some_and(|status| status != "ACTIVE");
    let role = if inactive { Role::Dim } else { Role::Text };
    painted(format!("{}{}", row.revision, if row.last_good { " ★" } else { "" }), role)
}

fn result(row: &Row) -> Cell<'static> {
    let word = |word: &str| word.to_lowercase().replace('_', " ");
    match (&row.ended, row.status.as_deref()) {
        (Ended::Running, _) => painted("◌ rolling out", Role::Busy),
        (Ended::Badly(how), _) => painted(format!("✖ {}", word(how)), Role::Fail),
        _ if row.current => painted("● runs now", Role::Ok),
        (_, Some(status)) if status != "ACTIVE" => dim(format!("○ {}", word(status))),
        (Ended::Successful, _) if row.last_good => painted("● last good", Role::Ok),
        (Ended::Successful, _) => painted("● completed", Role::Text),
        (Ended::Never, _) => dim("○ not used"),
    }
}

/// Tags of the images, or the digests that ran where a tag says nothing.
fn images(row: &Row) -> String {
    let one = |(container, image, _): &(Str, Str, Option<Str>)| {
        let short = ImageUri::parse(image).short().to_owned();
        if row.images.len() > 1 { format!("{container} {short}") } else { short }
    };
    row.images.iter().map(one).collect::<Vec<_>>().join(" · ")
}

impl Rollback {
    fn facts<'a>(&'a self, cx: &Cx<'a>) -> Facts<'a> {
        facts(self.target.ctx, &self.target.cluster, cx)
    }

    /// The images to pin, where a tag of the revision names another image now than it did when it ran.
    fn pins(&self, row: &Row, cx: &Cx) -> Vec<(Str, Str)> {
        plans::pins(&self.facts(cx), &self.target.arn, &row.arn)
    }

    fn plan(&self, cx: &Cx) -> Option<Result<Plan, String>> {
        let row = self.table.row()?;
        let runs = row.current && !matches!(row.ended, Ended::Running);
        (!runs).then(|| plans::roll_back(&self.facts(cx), &self.target.arn, &RollBack::Revision(row.arn.clone())))
    }

    /// Whether the role may not read what the service runs, so that there is nothing to list.
    fn hidden(&self, cx: &Cx) -> bool {
        plans::may_not_be_read(&self.facts(cx), &self.target.arn).is_some()
    }

    fn dialog(&self, how: RollBack) -> Reaction {
        Reaction::Change(vec![self.target.clone()], Box::new(Wish::RollBack(how)))
    }

    /// 1, 2 and 3: stop the deployment, go to the revision, go to it with its images pinned.
    fn way(&self, n: u8, cx: &Cx) -> Reaction {
        let Some(row) = self.table.row() else { return Reaction::Ignored };
        match n {
            1 if plans::way_out(&self.facts(cx), &self.target.arn).is_some() => self.dialog(RollBack::StopDeployment),
            1 => say("no deployment is under way that could be stopped".to_owned()),
            2 => self.dialog(RollBack::Revision(row.arn.clone())),
            3 => match self.pins(row, cx) {
                pins if pins.is_empty() => say("every tag of this revision names what it ran, or cannot be compared: nothing to pin".to_owned()),
                pins => self.dialog(RollBack::Pinned(row.arn.clone(), pins)),
            },
            _ => Reaction::Ignored,
        }
    }

    /// What differs from what the service asks for now, then what was checked.
    fn differences(&self, room: usize, cx: &Cx) -> (String, Vec<Line<'static>>) {
        let Some(row) = self.table.row() else { return ("Differences".to_owned(), Vec::new()) };
        let facts = self.facts(cx);
        let now = cx.store.service(facts.ctx, facts.cluster, &self.target.arn).map(|service| service.task_definition.clone());
        let Some(now) = now.filter(|now| *now != row.arn) else {
            return (format!("{} runs now", row.arn.name()), said("●", Role::Ok, "this is what the service asks for", room, cx));
        };
        let raw = |arn: &Arn| cx.store.raw_definition(facts.ctx, arn);
        let mut lines: Vec<Line<'static>> = Vec::new();
        let title = if let (Some(old), Some(new)) = (raw(&now), raw(&row.arn)) {
            let found = diff::of(old, new);
            let width = found.iter().map(|line| text::width(&line.what)).max().unwrap_or(0).clamp(8, (room / 2).max(8));
            for line in &found {
                lines.extend(told(line, width, room, cx));
            }
            if found.is_empty() {
                lines.extend(said("●", Role::Dim, "they run the same", room, cx));
            }
            format!("{} (now) → {} · {} differ", number(&now), row.revision, found.len())
        } else {
            let error = [&now, &row.arn].into_iter().find_map(|arn| cx.store.error(&Feed::RawDefinition(facts.ctx, arn.clone())));
            lines.extend(match error {
                Some(error) => said("?", Role::Stale, &error.what, room, cx),
                None => said("…", Role::Dim, "both revisions are being read", room, cx),
            });
            format!("{} (now) → {}", number(&now), row.revision)
        };
        lines.push(Line::default());
        match self.plan(cx) {
            Some(Ok(plan)) => {
                for note in &plan.notes {
                    let (sign, role) = match note.weight {
                        Weight::Blocker => ("✖", Role::Fail),
                        Weight::Warning => ("▲", Role::Warn),
                        Weight::Info => ("●", Role::Ok),
                    };
                    lines.extend(said(sign, role, &note.text, room, cx));
                }
            }
            Some(Err(why)) => lines.extend(said("…", Role::Dim, &why, room, cx)),
            None => {}
        }
        (title, lines)
    }

    /// What each way would send.
    fn ways(&self, room: usize, cx: &Cx) -> Vec<Line<'static>> {
        let mut lines = Vec::new();
        let style = |role| cx.theme.style(role);
        let mut way = |n: u8, what: String, plan: Option<&Plan>| {
            lines.push(Line::from(vec![Span::styled(format!("{n} "), style(Role::Accent)), Span::styled(text::fit(&what, room - 2).into_owned(), style(Role::Text))]));
            for command in plan.into_iter().flat_map(cli_lines::lines) {
                lines.push(Line::styled(format!("  {}", text::fit(&command, room - 2)), style(Role::Dim)));
            }
        };
        if let Some(what) = plans::way_out(&self.facts(cx), &self.target.arn) {
            let plan = plans::roll_back(&self.facts(cx), &self.target.arn, &RollBack::StopDeployment).ok();
            way(1, format!("stop it and roll back, the quickest: {what}"), plan.as_ref());
        }
        if let (Some(row), Some(plan)) = (self.table.row(), self.plan(cx)) {
            way(2, format!("deploy {}", row.arn.name()), plan.as_ref().ok());
            let pins = self.pins(row, cx);
            if !pins.is_empty() {
                way(3, format!("deploy a clone of {} with the images pinned that it ran: a tag has moved since", row.arn.name()), None);
            }
        }
        lines
    }
}

fn say(text: String) -> Reaction {
    Reaction::Notice(Notice { tone: Tone::Warn, text })
}

fn number(arn: &Arn) -> &str {
    arn.name().rsplit(':').next().unwrap_or_default()
}

/// A sentence behind a sign, in so many rows as it takes.
fn said(sign: &str, role: Role, text: &str, room: usize, cx: &Cx) -> Vec<Line<'static>> {
    let parts = frame::wrapped(text, room.saturating_sub(2).max(8));
    let line = |(n, part): (usize, String)| {
        let head = if n == 0 { format!("{sign} ") } else { "  ".to_owned() };
        Line::from(vec![Span::styled(head, cx.theme.style(role)), Span::styled(part, cx.theme.style(Role::Text))])
    };
    parts.into_iter().enumerate().map(line).collect()
}

/// A difference: in one row where both values fit, else one below the other.
pub(super) fn told(line: &diff::DiffLine, width: usize, room: usize, cx: &Cx) -> Vec<Line<'static>> {
    let style = |role| cx.theme.style(role);
    let head = Span::styled(text::pad(&line.what, width) + " ", style(Role::Dim));
    let rest = room.saturating_sub(width + 1);
    let value = |sign: &str, value: &str, role| Span::styled(text::fit_middle(&format!("{sign}{value}"), rest).into_owned(), style(role));
    let (before, after) = (line.before.as_deref(), line.after.as_deref());
    // Of two images of one repository only the end differs.
    let own = |text: &str| if line.what.starts_with("image ") { Some(ImageUri::parse(text)) } else { None };
    let (before, after) = match (before, after, before.and_then(own), after.and_then(own)) {
        (Some(_), Some(_), Some(old), Some(new)) if old.name() == new.name() && old.short() != new.short() => {
            (Some(format!("{}:{}", old.repository, old.short())), Some(new.short().to_owned()))
        }
        _ => (before.map(str::to_owned), after.map(str::to_owned)),
    };
    match (&before, &after) {
        (Some(old), Some(new)) if text::width(old) + text::width(new) + 5 <= rest => {
            vec![Line::from(vec![head, Span::styled(format!("{old}  →  "), style(Role::Dim)), Span::styled(new.clone(), style(Role::Text))])]
        }
        (Some(old), Some(new)) => {
            let below = Span::raw(" ".repeat(width + 1));
            vec![Line::from(vec![head, value("- ", old, Role::Dim)]), Line::from(vec![below, value("+ ", new, Role::Text)])]
        }
        (Some(old), None) => vec![Line::from(vec![head, value("- ", old, Role::Dim)])],
        (None, Some(new)) => vec![Line::from(vec![head, value("+ ", new, Role::Text)])],
        (None, None) => Vec::new(),
    }
}

/// Draws lines into a frame, from `top` on; says how many it had no room for, and `how` to see them.
fn page(area: Rect, buf: &mut Buffer, title: &str, (lines, top): (&[Line<'static>], usize), how: &str, cx: &Cx) {
    let rows = usize::from(area.height.saturating_sub(2));
    let below = lines.len().saturating_sub(top + rows);
    let corner = if below > 0 { format!("{below} more{how}") } else { String::new() };
    frame::draw_with(area, buf, cx.theme, title, &(String::new(), Role::Dim), &corner);
    for (n, line) in lines.iter().skip(top).take(rows).enumerate() {
        buf.set_line(area.x + 2, area.y + 1 + u16::try_from(n).unwrap_or(0), line, area.width.saturating_sub(4));
    }
}

impl View for Rollback {
    fn name(&self) -> &'static str {
        self.table.name()
    }

    fn kind(&self) -> Kind {
        self.table.kind()
    }

    fn crumb(&self, cx: &Cx) -> String {
        self.table.crumb(cx)
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        let facts = self.facts(cx);
        plans::wanted(crate::change::Verb::RollBack, &facts, std::slice::from_ref(&self.target.arn), out);
        // What stands in the rows on screen, then what is compared.
        for row in self.table.visible() {
            out.push(Wanted::Poll { feed: Feed::TaskDefinition(self.target.ctx, row.arn.clone()), focus: false });
        }
        if let Some(row) = self.table.row() {
            plans::wanted_of_revision(&facts, &self.target.arn, &row.arn, out);
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        self.table.sync(cx, changed);
        if !self.chosen {
            let rows = revisions::history(&self.facts(cx), &self.target.arn);
            if let Some(good) = rows.iter().find(|row| row.last_good) {
                self.table.select(good.arn.0.clone());
                self.table.sync(cx, changed);
            }
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        self.chosen = true;
        if let Some(top) = self.whole {
            let by = match action {
                Action::Down => 1,
                Action::Up => -1,
                Action::PageDown | Action::HalfPageDown => 10,
                Action::PageUp | Action::HalfPageUp => -10,
                Action::Top => -100_000,
                Action::Bottom => 100_000,
                _ => 0,
            };
            if by != 0 {
                self.whole = Some(top.saturating_add_signed(by));
                return Reaction::Redraw;
            }
        }
        match action {
            Action::Zoom => {
                self.whole = if self.whole.is_some() { None } else { Some(0) };
                Reaction::Redraw
            }
            Action::Pane(n @ 1..=3) => self.way(n, cx),
            Action::Open => match self.table.row() {
                Some(row) if row.current && !matches!(row.ended, Ended::Running) => {
                    Reaction::Notice(Notice { tone: Tone::Info, text: format!("{} is what the service runs", row.arn.name()) })
                }
                Some(_) => self.way(2, cx),
                None if self.hidden(cx) => Reaction::Ask(Prompt::Family, String::new()),
                None => Reaction::Ignored,
            },
            Action::Mark | Action::MarkRange => Reaction::Ignored,
            _ => self.table.act(action, cx),
        }
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        self.table.choose(title, letter, cx)
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        if prompt != Prompt::Family {
            return self.table.input(prompt, text, done, cx);
        }
        if !done || text.trim().is_empty() {
            return Reaction::Redraw;
        }
        match super::deploy::definition_named(&self.target.arn, text) {
            Ok(revision) if revision.name().contains(':') => self.dialog(RollBack::Revision(revision)),
            // The newest of a family is nothing to go back to.
            Ok(family) => say(format!("name the revision as well, as in {}:7", family.name())),
            Err(why) => say(why),
        }
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        self.whole.take().is_some() || self.table.peel(cx)
    }

    fn subject(&self, cx: &Cx) -> Subject {
        self.table.subject(cx)
    }

    fn ages(&self, cx: &Cx) -> Option<u32> {
        self.table.ages(cx)
    }

    fn tick(&mut self, cx: &Cx) -> bool {
        self.table.tick(cx)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        if let Some(top) = self.whole {
            let (title, lines) = self.differences(usize::from(area.width.saturating_sub(4)).max(8), cx);
            let top = top.min(lines.len().saturating_sub(usize::from(area.height.saturating_sub(2))));
            self.whole = Some(top);
            return page(area, buf, &title, (&lines, top), " ↓", cx);
        }
        let ways = self.ways(usize::from(area.width.saturating_sub(4)).max(8), cx);
        let below = u16::try_from(ways.len() + 2).unwrap_or(u16::MAX).min(area.height / 3).max(3);
        let upper = Rect { height: area.height.saturating_sub(below), ..area };
        let (left, right) = if area.width >= ROOM_FOR_BOTH {
            let half = area.width * 11 / 24;
            (Rect { width: half, ..upper }, Rect { x: area.x + half, width: area.width - half, ..upper })
        } else {
            let half = upper.height.div_ceil(2);
            (Rect { height: half, ..upper }, Rect { y: upper.y + half, height: upper.height - half, ..upper })
        };
        self.table.draw(left, buf, cx);
        if right.height >= 3 {
            let (title, lines) = self.differences(usize::from(right.width.saturating_sub(4)).max(8), cx);
            let zoom = cx.keys.key_of(Action::Zoom, Kind::Table).map_or(String::new(), |key| format!(": {key} shows all"));
            page(right, buf, &title, (&lines, 0), &zoom, cx);
        }
        page(Rect { y: upper.bottom(), height: below, ..area }, buf, "Ways back · a digit or ⏎ opens the dialog", (&ways, 0), "", cx);
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        self.chosen = true;
        self.whole.is_none() && self.table.click(column, row, cx)
    }

    fn status(&self, cx: &Cx) -> String {
        let first = plans::way_out(&self.facts(cx), &self.target.arn).map_or("", |_| "1 stop and roll back   ");
        format!("{first}2 deploy the revision")
    }

    fn hints(&self) -> &'static [Action] {
        self.table.hints()
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        match action {
            Action::Pane(n) => Some((1..=3).contains(&n)),
            Action::Zoom => Some(true),
            Action::Back if self.whole.is_some() => Some(true),
            Action::Mark | Action::MarkRange | Action::Unmark => Some(false),
            _ => self.table.can(action, cx),
        }
    }
}
