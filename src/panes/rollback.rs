//! Back to an earlier revision: all of them with what became of each, beside it how it differs from what runs, below it what would be sent.
//!
//! Enter opens the dialog; nothing is sent from here. A deployment under way is stopped first of all ways: whoever deploys goes back by itself.

mod differences;
mod ways;

pub(super) use differences::told;

use super::Pane;
use crate::action::Action;
use crate::change::plans::{self, Facts, RollBack};
use crate::change::revisions::{self, Ended, Row};
use crate::change::{Plan, Target, Wish};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, ImageUri, Str};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{of_table, dim, painted, plain, Cell, Column, Key, TableSpec, TableView, Width};
use crate::view::{Cx, Kind, Notice, Place, Prompt, Reaction, Subject, Tone, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;

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
    sources,
    hints: &[Action::Open, Action::Zoom, Action::Filter, Action::Copy],
};

const COLUMNS: &[Column<Row>] = &[
    Column { key: 'r', title: "REV", width: Width::Fit(4, 8), right: true, rank: 0, cell: |row, _| revision(row), sort: |row, _| Key::Number(-i64::from(row.revision)) },
    Column { key: 'd', title: "DEPLOYED", width: Width::Fit(8, 12), right: false, rank: 1, cell: |row, cx| dim(row.deployed_at.map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| Key::Number(-row.deployed_at.map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'f', title: "RAN FOR", width: Width::Fixed(7), right: true, rank: 1, cell: |row, _| dim(row.ran.map_or(String::new(), age::short)), sort: |row, _| Key::Number(-row.ran.unwrap_or(0)) },
    Column { key: 's', title: "RESULT", width: Width::Fit(10, 22), right: false, rank: 0, cell: |row, _| result(row), sort: |row, _| Key::Text(result(row).text.into()) },
    Column { key: 'i', title: "IMAGE", width: Width::Fill(10), right: false, rank: 2, cell: |row, _| plain(images(row)), sort: |row, _| Key::Text(images(row).into()) },
];

/// What the list is made of: the past is ECS's to tell, or CodeDeploy's, whichever deploys the service.
fn sources(place: &Place, cx: &Cx) -> Vec<Feed> {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return Vec::new() };
    let mut feeds = vec![Feed::Service(ctx, arn.clone())];
    match cx.store.service(ctx, cluster, arn).map(|service| &*service.controller) {
        Some("ECS") => feeds.push(Feed::ServiceDeployments(ctx, arn.clone())),
        Some("CODE_DEPLOY") => {
            feeds.push(Feed::AppSpec(ctx, arn.clone()));
            let spec = cx.store.app_spec(ctx, arn);
            feeds.extend(spec.map(|spec| Feed::CodeDeployments(ctx, spec.application.clone(), spec.group.clone())));
        }
        _ => {}
    }
    feeds
}

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
        _ if row.current && row.last_good => painted("● serves now", Role::Ok),
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

    /// The revision to go back to unless the operator wants another one: what runs before a release in progress, else the last good one.
    fn goal(&self, cx: &Cx) -> Option<Arn> {
        let facts = self.facts(cx);
        let rows = revisions::history(&facts, &self.target.arn);
        let newest = self.newest(cx).filter(|_| plans::way_out(&facts, &self.target.arn).is_some());
        // Traffic moves between two sets of tasks: the set that still serves is no longer the newest.
        let serves = rows.iter().find(|row| row.current && newest.as_ref().is_some_and(|newest| *newest != row.arn));
        serves.or_else(|| rows.iter().find(|row| row.last_good)).map(|row| row.arn.clone())
    }

    /// What a revision is held against: what is being rolled out, else what the service asks for.
    fn newest(&self, cx: &Cx) -> Option<Arn> {
        let facts = self.facts(cx);
        let service = cx.store.service(facts.ctx, facts.cluster, &self.target.arn)?;
        let sets = service.task_sets.iter().filter(|set| &*set.status == "ACTIVE").max_by_key(|set| set.created_at);
        Some(sets.map_or(&service.task_definition, |set| &set.task_definition).clone()).filter(|arn| !arn.as_str().is_empty())
    }

}

fn say(text: String) -> Reaction {
    Reaction::Notice(Notice { tone: Tone::Warn, text })
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
    of_table!(choose);

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
        let newest = self.newest(cx).map(|newest| Feed::RawDefinition(self.target.ctx, newest));
        if let Some(feed) = newest.filter(|feed| !out.iter().any(|wanted| wanted.feed() == feed)) {
            out.push(Wanted::Poll { feed, focus: true });
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        self.table.sync(cx, changed);
        if !self.chosen
            && let Some(goal) = self.goal(cx)
        {
            self.table.select(goal.0.clone());
            self.table.sync(cx, changed);
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
            Action::Open => match (self.recommended(cx), self.table.row()) {
                (Some(n), _) => self.way(n, cx),
                (None, Some(row)) => Reaction::Notice(Notice { tone: Tone::Info, text: format!("{} is what the service runs", row.arn.name()) }),
                (None, None) if self.hidden(cx) => Reaction::Ask(Prompt::Family, String::new()),
                (None, None) => Reaction::Ignored,
            },
            Action::Mark | Action::MarkRange => Reaction::Ignored,
            _ => self.table.act(action, cx),
        }
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
            Ok(family) => Reaction::Refuse(format!("name the revision as well, as in {}:7", family.name())),
            Err(why) => Reaction::Refuse(why),
        }
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        self.whole.take().is_some() || self.table.peel(cx)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        if let Some(top) = self.whole {
            let (title, lines) = self.differences(usize::from(area.width.saturating_sub(4)).max(8), cx);
            let top = top.min(lines.len().saturating_sub(usize::from(area.height.saturating_sub(2))));
            self.whole = Some(top);
            return page(area, buf, &title, (&lines, top), " ↓", cx);
        }
        let ways = self.listed(usize::from(area.width.saturating_sub(4)).max(8), usize::from(area.height / 3).saturating_sub(2), cx);
        // All of them are seen on every screen: what differs can be zoomed, a way back cannot be guessed.
        let below = u16::try_from(ways.len() + 2).unwrap_or(u16::MAX).min(area.height);
        let upper = Rect { height: area.height.saturating_sub(below), ..area };
        let (left, right) = if area.width >= ROOM_FOR_BOTH {
            let half = area.width / 2;
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
        page(Rect { y: upper.bottom(), height: below, ..area }, buf, "Ways back · a digit opens the dialog, ⏎ the one marked", (&ways, 0), "", cx);
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        self.chosen = true;
        self.whole.is_none() && self.table.click(column, row, cx)
    }

    fn status(&self, cx: &Cx) -> String {
        let words = ["1 stop and roll back", "2 deploy the revision", "3 deploy it pinned"];
        let ways = self.ways(cx);
        let there: Vec<&str> = ways.iter().zip(words).filter(|((.., how), _)| how.is_ok()).map(|(_, words)| words).collect();
        there.join("   ")
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
