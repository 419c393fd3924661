//! The first screen: what is broken anywhere, worst first, and below it the clusters of all contexts.

pub(in crate::panes) mod evidence;

use super::clusters::{self, ClusterRow};
use super::services::{subject, target_groups};
use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Ctx, Str};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, health, painted, plain, Cell, Column, Key, TableSpec, TableView, Width};
use crate::verdict::{Health, Judged};
use crate::view::{Cx, Kind, Place, Production, Prompt, Reaction, Subject, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use evidence::Hurry;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane { name: "fleet", help: "Problems of all contexts, and their clusters", action: None, open: |place, _| Ok(Box::new(Fleet::open(place))) };

const PROBLEMS: TableSpec<Arc<Judged>> = TableSpec {
    name: "problems",
    crumb: |_, _| "problems".to_owned(),
    title: problems_title,
    columns: COLUMNS,
    order: 0,
    wanted: |_, _, _, _, _| {},
    rows: |place, cx| cx.board.all().filter(|row| row.verdict.health.troubled() && !cx.board.undecided(row) && place.ctx.is_none_or(|ctx| ctx == row.ctx)).cloned().collect(),
    // Two contexts may look into one account.
    id: |row| format!("{}@{}", row.service.arn, row.ctx.0).into(),
    health: Some(|row| row.verdict.health),
    haystack: |row| format!("{} {} {}", row.cluster.name(), row.service.name, row.verdict.why),
    subject: |_, row, _| subject(row),
    enter: "triage",
    preview: None,
    empty: |place, cx| {
        let (seen, _) = size(place.ctx, cx);
        let listed: u32 = cx.fleet.all().filter(|ctx| place.ctx.is_none_or(|own| own == *ctx)).flat_map(|ctx| cx.store.clusters(ctx).unwrap_or_default()).map(|cluster| cluster.services).sum();
        let awaited = cx.board.all().filter(|row| cx.board.undecided(row)).count();
        if awaited > 0 {
            return format!("reading the tasks of {awaited} service{} before judging {}", if awaited == 1 { "" } else { "s" }, if awaited == 1 { "it" } else { "them" });
        }
        let (read, asked, _) = targets_read(place, cx);
        let unread = asked - read;
        // What was not read may be broken: only a complete look can say that nothing is.
        match (seen, (listed as usize).saturating_sub(seen)) {
            (0, 0) => "no services seen yet".to_owned(),
            (seen, left) if left > 0 => format!("no problems in {seen} services so far · {left} not read yet"),
            (seen, _) if unread > 0 => format!("no problems in {seen} services so far · targets of {unread} not read yet"),
            (1, _) => "● no problems in 1 service".to_owned(),
            (seen, _) => format!("● no problems in {seen} services"),
        }
    },
    sources: |_, _| Vec::new(),
    hints: &[Action::Open, Action::Logs, Action::Events, Action::Targets, Action::Describe, Action::Json],
};

const COLUMNS: &[Column<Arc<Judged>>] = &[
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(6), right: false, rank: 0, cell: |row, _| health(row.verdict.health), sort: |row, _| severity(row) },
    Column { key: 'n', title: "SERVICE", width: Width::Fit(14, 44), right: false, rank: 0, cell: name, sort: |row, _| Key::Text(row.service.name.clone()) },
    Column { key: 'w', title: "WHY", width: Width::Fill(28), right: false, rank: 0, cell: |row, _| plain(&*row.verdict.why), sort: |row, _| Key::Text(row.verdict.why.as_str().into()) },
    Column { key: 'a', title: "SINCE", width: Width::Fixed(6), right: true, rank: 1, cell: |row, cx| dim(row.verdict.since.map_or("-".to_owned(), |at| age::since(Some(at), cx.now))), sort: |row, _| Key::Number(-row.verdict.since.map_or(0, jiff::Timestamp::as_second)) },
];

/// Services judged and tasks running, of one context or of all.
fn size(ctx: Option<Ctx>, cx: &Cx) -> (usize, u32) {
    let Some(ctx) = ctx else { return cx.board.size() };
    let of = cx.board.all().filter(|row| row.ctx == ctx);
    of.fold((0, 0), |(services, tasks), row| (services + 1, tasks + row.service.running))
}

/// Worst first; equals by name, so that the order does not move while it is read.
fn severity(row: &Judged) -> Key {
    Key::Both(row.verdict.health as i64, format!("{}/{}", row.cluster.name(), row.service.name).into())
}

fn name<'a>(row: &'a Arc<Judged>, cx: &Cx<'a>) -> Cell<'a> {
    let role = if cx.production(row.ctx, Some(&row.cluster)) == Production::Yes { Role::Prod } else { Role::Text };
    painted(format!("{}/{}", row.cluster.name(), row.service.name), role).with_its_end()
}

/// Says so when targets are not looked at everywhere: no problem found is not no problem.
fn problems_title(place: &Place, cx: &Cx) -> String {
    let (checked, _, all) = targets_read(place, cx);
    if checked < all { format!("Problems · worst first · targets of {checked} of {all} services checked ·") } else { "Problems · worst first ·".to_owned() }
}

/// Services whose targets are known, those whose targets are asked for, and those that have any.
fn targets_read(place: &Place, cx: &Cx) -> (usize, usize, usize) {
    let (checked, all) = cx.board.checked(place.ctx);
    let known = |row: &Arc<Judged>| target_groups(&row.service).all(|group| cx.store.targets(row.ctx, group).is_some());
    let (asked, known) = checked.fold((0, 0), |(asked, read), row| (asked + 1, read + usize::from(known(row))));
    (known, asked, all)
}

/// Which half has the cursor.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Half {
    Problems,
    Clusters,
}

/// Rows of the box about the problem under the cursor, and the rows below the problems from which there is room for it.
const PREVIEW: u16 = 6;
const ROOM_FOR_PREVIEW: u16 = 12;
/// Height of the fleet from which the box has two rows more.
const HIGH: u16 = 28;
/// Rows below which one table is better than two.
const ROOM_FOR_BOTH: u16 = 10;

struct Fleet {
    place: Place,
    problems: TableView<Arc<Judged>>,
    clusters: TableView<ClusterRow>,
    half: Half,
    /// The operator has chosen a half; until then the cursor follows the trouble.
    chosen: bool,
    split: u16,
}

impl Fleet {
    fn open(place: &Place) -> Self {
        let place = Place { ctx: place.ctx, ..Place::default() };
        Fleet {
            problems: TableView::open(&PROBLEMS, place.clone()),
            clusters: TableView::open(&clusters::SPEC, place.clone()),
            place,
            half: Half::Clusters,
            chosen: false,
            split: 0,
        }
    }

    fn focused(&mut self) -> &mut dyn View {
        match self.half {
            Half::Problems => &mut self.problems,
            Half::Clusters => &mut self.clusters,
        }
    }

    fn focused_ref(&self) -> &dyn View {
        match self.half {
            Half::Problems => &self.problems,
            Half::Clusters => &self.clusters,
        }
    }

    /// The lower end of one half leads to the other, as if they were one list.
    fn cross(&mut self, action: Action) -> bool {
        let to = match (self.half, action) {
            (Half::Problems, Action::Down) if self.problems.position() + 1 >= self.problems.shown() => Half::Clusters,
            (Half::Clusters, Action::Up) if self.clusters.position() == 0 && self.problems.shown() > 0 => Half::Problems,
            (Half::Problems, Action::NextPane | Action::PreviousPane | Action::Pane(2)) => Half::Clusters,
            (Half::Clusters, Action::NextPane | Action::PreviousPane | Action::Pane(1)) => Half::Problems,
            _ => return false,
        };
        self.half = to;
        true
    }
}

impl View for Fleet {
    fn name(&self) -> &'static str {
        "fleet"
    }

    fn kind(&self) -> Kind {
        Kind::Table
    }

    fn crumb(&self, cx: &Cx) -> String {
        let (services, tasks) = size(self.place.ctx, cx);
        let context = self.place.ctx.map_or(String::new(), |ctx| format!(" {}", cx.fleet.context(ctx).name));
        format!("Fleet{context}   {services} services · {tasks} tasks")
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        self.clusters.wanted(cx, out);
        // Tasks only where something is wrong or moves: those that stopped say why, and healthy services need no why. What else runs there
        // can wait.
        let clusters = |of: &dyn Fn(Health) -> bool| {
            cx.board.all().filter(|row| of(row.verdict.health)).map(|row| (row.ctx, row.cluster.clone())).collect::<BTreeSet<_>>()
        };
        let troubled = clusters(&Health::troubled);
        let moving = clusters(&|health| health.troubled() || health == Health::Roll);
        out.extend(troubled.into_iter().map(|(ctx, cluster)| Wanted::Poll { feed: Feed::Stopped(ctx, cluster), focus: false }));
        let excused = cx.board.all().filter(|row| cx.board.may_be_excused(row)).map(|row| (row.ctx, row.cluster.clone())).collect::<BTreeSet<_>>();
        out.extend(excused.into_iter().map(|(ctx, cluster)| Wanted::Poll { feed: Feed::Tasks(ctx, cluster), focus: false }));
        out.extend(moving.into_iter().map(|(ctx, cluster)| Wanted::Trickle { feed: Feed::Tasks(ctx, cluster) }));
        let mut troubled: Vec<_> = cx.board.all().filter(|row| row.verdict.health.troubled()).collect();
        troubled.sort_by_key(|row| severity(row));
        let mut tails = evidence::TAILS;
        for row in troubled.into_iter().take(evidence::TROUBLED) {
            evidence::want(row, cx, &mut tails, Hurry::CanWait, out);
        }
        for row in cx.board.checked(self.place.ctx).0 {
            let groups = target_groups(&row.service);
            out.extend(groups.map(|group| Wanted::Trickle { feed: Feed::Targets(row.ctx, group.clone()) }));
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        self.problems.sync(cx, changed);
        self.clusters.sync(cx, changed);
        if !self.chosen {
            self.half = if self.problems.shown() > 0 { Half::Problems } else { Half::Clusters };
        } else if self.problems.shown() == 0 {
            self.half = Half::Clusters;
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        self.chosen = true;
        if self.cross(action) {
            return Reaction::Redraw;
        }
        self.focused().act(action, cx)
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        self.focused().choose(title, letter, cx)
    }

    fn filter_words(&self) -> String {
        self.problems.filter_words()
    }

    fn columns(&self) -> Vec<&'static str> {
        self.problems.columns()
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        // A filter on the fleet is for both halves: whoever types a name wants it wherever it is.
        let problems = self.problems.input(prompt, text, done, cx);
        let clusters = self.clusters.input(prompt, text, done, cx);
        // A column that only one half has filters that half.
        match (problems, clusters) {
            (Reaction::Refuse(_), Reaction::Redraw) => {
                self.problems.input(prompt, "", done, cx);
                Reaction::Redraw
            }
            (Reaction::Redraw, Reaction::Refuse(_)) => {
                self.clusters.input(prompt, "", done, cx);
                Reaction::Redraw
            }
            (reaction, _) => reaction,
        }
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        let problems = self.problems.peel(cx);
        self.clusters.peel(cx) || problems
    }

    fn subject(&self, cx: &Cx) -> Subject {
        self.focused_ref().subject(cx)
    }

    fn marked(&self, cx: &Cx) -> (Vec<Subject>, Vec<Str>) {
        self.focused_ref().marked(cx)
    }

    fn ages(&self, cx: &Cx) -> Option<u32> {
        self.focused_ref().ages(cx)
    }

    fn tick(&mut self, cx: &Cx) -> bool {
        self.problems.tick(cx) | self.clusters.tick(cx)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        let wish = u16::try_from(self.problems.shown()).unwrap_or(u16::MAX).saturating_add(3).max(4);
        self.split = match self.half {
            // Too low for two tables with rows in them: the half that has the keys takes it all, Tab shows the other.
            Half::Problems if area.height < ROOM_FOR_BOTH => area.height,
            Half::Clusters if area.height < ROOM_FOR_BOTH => 0,
            _ => wish.min(area.height.saturating_mul(3) / 5),
        };
        let (upper, lower) = (Rect { height: self.split, ..area }, Rect { y: area.y + self.split, height: area.height - self.split, ..area });
        let preview = if self.half == Half::Problems { self.problems.row() } else { None };
        let lower = match preview.filter(|_| lower.height >= ROOM_FOR_PREVIEW) {
            Some(row) => {
                let wish = PREVIEW + if area.height >= HIGH { 2 } else { 0 };
                let height = lower.height - wish;
                let below = Rect { y: lower.y + height, height: wish, ..lower };
                frame::preview(below, buf, cx.theme, &row.service.name, super::services::preview(row, usize::from(below.width), cx));
                Rect { height, ..lower }
            }
            None => lower,
        };
        self.problems.focus(self.half == Half::Problems);
        self.clusters.focus(self.half == Half::Clusters);
        self.problems.draw(upper, buf, cx);
        self.clusters.draw(lower, buf, cx);
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        self.chosen = true;
        self.half = if row < self.split { Half::Problems } else { Half::Clusters };
        let row = if self.half == Half::Problems { row } else { row - self.split };
        self.focused().click(column, row, cx)
    }

    fn status(&self, cx: &Cx) -> String {
        self.focused_ref().status(cx)
    }

    fn hints(&self) -> &'static [Action] {
        self.focused_ref().hints()
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        match action {
            Action::NextPane | Action::PreviousPane | Action::Pane(1 | 2) => Some(self.problems.shown() > 0),
            // A filter is for both halves.
            Action::Back | Action::Filter => Some([&self.problems as &dyn View, &self.clusters].iter().any(|half| half.can(action, cx) == Some(true))),
            action => self.focused_ref().can(action, cx),
        }
    }
}
