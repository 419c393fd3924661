//! Triage: one service on one screen, in the order in which an operator asks. Is it down and since when, what changed, are the targets
//! healthy, why do tasks die, what did ECS say, what did the container say.
//!
//! It is put together from the tables of the other panes and from their logs; it judges nothing and knows no row.

use super::Pane;
use super::{deployments, events, targets, tasks};
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::logs::LogView;
use crate::model::{Arn, Ctx, LogScope, Str};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::TableView;
use crate::verdict::{self, Judged};
use crate::view::{Cx, Kind, Place, Prompt, Reaction, Subject, View};
use jiff::tz::TimeZone;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "triage",
    help: "Everything about one service on one screen",
    action: Some(Action::Triage),
    open: |place, cx| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => Ok(Box::new(Triage::open(ctx, cluster, service, cx.zone.clone()))),
        _ => Err("Triage needs a service: put the cursor on one".to_owned()),
    },
};

/// The parts, in the order of their numbers.
const PARTS: [&str; 5] = ["Deployments", "Targets", "Tasks", "Events", "Logs"];
const LOGS: usize = 4;

/// Rows and columns from which all parts fit at once; below, they take turns and the logs keep the rest.
const ROOM_FOR_ALL: (u16, u16) = (110, 26);
/// Rows below which only the chosen part is shown.
const ROOM_FOR_TWO: u16 = 15;

struct Triage {
    ctx: Ctx,
    cluster: Arn,
    service: Arn,
    /// The service with its verdict, as of the last change.
    judged: Option<Arc<Judged>>,
    deployments: TableView<deployments::DeploymentRow>,
    targets: TableView<targets::TargetRow>,
    tasks: TableView<tasks::TaskRow>,
    events: TableView<events::EventRow>,
    logs: Box<dyn View>,
    /// Whose logs are shown: the container that died last, else the whole service.
    scope: LogScope,
    focus: usize,
    zoomed: bool,
    /// Whether all parts were drawn at once, last time.
    all: bool,
    /// Where the view and its parts were drawn last.
    corner: (u16, u16),
    areas: [Rect; 5],
}

impl Triage {
    fn open(ctx: Ctx, cluster: &Arn, service: &Arn, zone: TimeZone) -> Self {
        let place = Place { ctx: Some(ctx), cluster: Some(cluster.clone()), service: Some(service.clone()), ..Place::default() };
        let scope = LogScope::Service(service.clone());
        Triage {
            ctx,
            cluster: cluster.clone(),
            service: service.clone(),
            judged: None,
            deployments: TableView::open(&deployments::SPEC, place.clone()).numbered(1).without("HEALTH"),
            targets: TableView::open(&targets::SPEC, place.clone()).numbered(2).without("GROUP").without("AZ").without("UP"),
            tasks: TableView::open(&tasks::SPEC, place.clone()).numbered(3).without("SERVICE").without("IP").ordered("AGE"),
            events: TableView::open(&events::SPEC, place).numbered(4).without("SERVICE"),
            logs: LogView::open_numbered(5, ctx, cluster.clone(), scope.clone(), zone),
            scope,
            focus: 2,
            zoomed: false,
            all: false,
            corner: (0, 0),
            areas: [Rect::default(); 5],
        }
    }

    fn part(&self, n: usize) -> &dyn View {
        match n {
            0 => &self.deployments,
            1 => &self.targets,
            2 => &self.tasks,
            3 => &self.events,
            _ => &*self.logs,
        }
    }

    fn part_mut(&mut self, n: usize) -> &mut dyn View {
        match n {
            0 => &mut self.deployments,
            1 => &mut self.targets,
            2 => &mut self.tasks,
            3 => &mut self.events,
            _ => &mut *self.logs,
        }
    }

    /// The logs that matter: of the container that ended the newest task that failed. They change under no one's eyes: not while the
    /// operator reads them.
    fn choose_logs(&mut self, cx: &Cx) {
        if self.focus == LOGS {
            return;
        }
        let tasks = cx.store.tasks_of(self.ctx, &self.cluster, self.service.name());
        let scope = match verdict::newest_failure(tasks) {
            Some(task) => match verdict::culprit(task, cx.store.definition(self.ctx, &task.task_definition).map(|d| &**d)) {
                Some(container) => LogScope::Container(task.arn.clone(), container.name.clone()),
                None => LogScope::Task(task.arn.clone()),
            },
            None => LogScope::Service(self.service.clone()),
        };
        if scope != self.scope {
            self.logs = LogView::open_numbered(5, self.ctx, self.cluster.clone(), scope.clone(), cx.zone.clone());
            self.scope = scope;
        }
    }

    /// The verdict: word and reason, what it rests on where there is room, then the next check.
    fn head(&self, width: usize, rows: usize, cx: &Cx) -> Vec<Line<'static>> {
        let style = |role| cx.theme.style(role);
        let Some(row) = &self.judged else {
            let why = cx.store.error(&Feed::Service(self.ctx, self.service.clone())).map_or("loading …".to_owned(), |e| e.what.to_string());
            return vec![Line::styled(format!(" {why}"), style(Role::Dim))];
        };
        if cx.board.undecided(row) {
            return vec![Line::styled(" … its tasks are being read", style(Role::Dim))];
        }
        let verdict = &row.verdict;
        let sign = format!(" {} {} ", verdict.health.glyph(), verdict.health.word());
        let indent = text::width(&sign);
        // In front of what may be cut: since when is the first question, and an operator who does not know of the grace reads unhealthy
        // targets as a failure.
        let since = verdict.since.map_or(String::new(), |at| format!("since {} · ", age::clock(at, cx)));
        let grace = verdict.grace_until.map_or(String::new(), |at| format!("health check grace until {} · ", age::clock(at, cx)));
        let room = width.saturating_sub(indent + 1).max(20);
        let next = if rows > 1 && !verdict.next.is_empty() { frame::cut(&verdict.next, room, if rows > 5 { 2 } else { 1 }) } else { Vec::new() };
        let why = frame::cut(&format!("{since}{grace}{}", verdict.why), room, (rows - next.len()).min(if rows > 5 { 3 } else { 2 }));
        let shown = verdict.evidence.iter().filter(|evidence| !verdict.why.contains(&evidence.text));
        let evidence: Vec<String> = shown
            .map(|evidence| {
                let at = evidence.at.map_or(String::new(), |at| format!("{} ", age::clock(at, cx)));
                // Its end is the reason, which where the manual is must not stand for.
                text::fit_middle(&format!("{at}{}", verdict::brief(&evidence.text)), room).into_owned()
            })
            .take(rows.saturating_sub(why.len() + next.len()))
            .collect();
        let label = |word: &str| Span::styled(format!(" {word:<0$}", indent - 1), style(Role::Dim));
        let mut lines: Vec<Line> = Vec::new();
        let mut put = |head: Span<'static>, parts: Vec<String>, role| {
            for (n, part) in parts.into_iter().enumerate() {
                let head = if n == 0 { head.clone() } else { Span::raw(" ".repeat(indent)) };
                lines.push(Line::from(vec![head, Span::styled(part, style(role))]));
            }
        };
        put(Span::styled(sign, style(verdict.health.role())), why, Role::Text);
        put(label("seen"), evidence, Role::Dim);
        put(label("next"), next, Role::Text);
        lines
    }

    /// All parts at once: what changed beside the targets, the tasks, the events, and the logs with what is left.
    fn all(&mut self, area: Rect) {
        let rest = area.height;
        let top = (rest * 7 / 30).max(6);
        let tasks = (rest * 9 / 30).max(6);
        let events = (rest * 5 / 30).max(5);
        let half = area.width / 2;
        let at = |x, y, width, height| Rect { x: area.x + x, y: area.y + y, width, height };
        self.areas = [
            at(0, 0, half, top),
            at(half, 0, area.width - half, top),
            at(0, top, area.width, tasks),
            at(0, top + tasks, area.width, events),
            at(0, top + tasks + events, area.width, rest - top - tasks - events),
        ];
    }

    /// One part, with the logs below it where there is room.
    fn turns(&mut self, area: Rect) {
        self.areas = [Rect::default(); 5];
        let two = area.height >= ROOM_FOR_TWO && self.focus != LOGS && !self.zoomed;
        let upper = if two { area.height.div_ceil(2) } else { area.height };
        self.areas[self.focus] = Rect { height: upper, ..area };
        if two {
            self.areas[LOGS] = Rect { y: area.y + upper, height: area.height - upper, ..area };
        }
    }

    fn tabs(&self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        let mut x = area.x + 1;
        for (n, name) in PARTS.iter().enumerate() {
            let (text, role) = if n == self.focus { (format!("[{} {name}]", n + 1), Role::Accent) } else { (format!(" {} {name} ", n + 1), Role::Dim) };
            let (after, _) = buf.set_stringn(x, area.y, text, usize::from(area.right().saturating_sub(x)), cx.theme.style(role));
            x = after;
        }
    }

    fn to(&mut self, part: usize) -> Reaction {
        self.focus = part;
        Reaction::Redraw
    }
}

/// Rows for the verdict in an area of that height: what it rests on is worth more than a row of tasks, not more than all of them.
fn head_rows(height: u16) -> u16 {
    match height {
        31.. => 7,
        26.. => 5,
        18.. => 4,
        _ => (height / 4).clamp(1, 3),
    }
}

impl View for Triage {
    fn name(&self) -> &'static str {
        "triage"
    }

    fn kind(&self) -> Kind {
        self.part(self.focus).kind()
    }

    fn crumb(&self, _cx: &Cx) -> String {
        format!("{} › {}", self.cluster.name(), self.service.name())
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        // The verdict comes from the cluster's list; without it a service that was named on the command line would have none.
        out.push(Wanted::Poll { feed: Feed::Services(self.ctx, self.cluster.clone()), focus: false });
        for n in 0..PARTS.len() {
            self.part(n).wanted(cx, out);
        }
    }

    fn sync(&mut self, cx: &Cx, changed: &[Feed]) {
        self.judged = cx.board.of(self.ctx, &self.cluster).iter().find(|row| row.service.arn == self.service).cloned();
        self.choose_logs(cx);
        for n in 0..PARTS.len() {
            self.part_mut(n).sync(cx, changed);
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        match action {
            Action::NextPane => return self.to((self.focus + 1) % PARTS.len()),
            Action::PreviousPane => return self.to((self.focus + PARTS.len() - 1) % PARTS.len()),
            Action::Pane(n) if usize::from(n) <= PARTS.len() => return self.to(usize::from(n) - 1),
            Action::Zoom => {
                self.zoomed = !self.zoomed;
                return Reaction::Redraw;
            }
            _ => {}
        }
        self.part_mut(self.focus).act(action, cx)
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        self.part_mut(self.focus).choose(title, letter, cx)
    }

    fn filter_words(&self) -> String {
        self.part(self.focus).filter_words()
    }

    fn columns(&self) -> Vec<&'static str> {
        self.part(self.focus).columns()
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        self.part_mut(self.focus).input(prompt, text, done, cx)
    }

    fn peel(&mut self, cx: &Cx) -> bool {
        self.part_mut(self.focus).peel(cx) || std::mem::take(&mut self.zoomed)
    }

    fn subject(&self, cx: &Cx) -> Subject {
        let mut subject = self.part(self.focus).subject(cx);
        let place = &mut subject.place;
        place.ctx.get_or_insert(self.ctx);
        place.cluster.get_or_insert_with(|| self.cluster.clone());
        place.service.get_or_insert_with(|| self.service.clone());
        subject
    }

    fn marked(&self, cx: &Cx) -> (Vec<Subject>, Vec<Str>) {
        self.part(self.focus).marked(cx)
    }

    fn ages(&self, cx: &Cx) -> Option<u32> {
        (0..PARTS.len()).filter_map(|n| self.part(n).ages(cx)).min()
    }

    fn tick(&mut self, cx: &Cx) -> bool {
        (0..PARTS.len()).fold(false, |changed, n| self.part_mut(n).tick(cx) | changed)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.corner = (area.x, area.y);
        let head = self.head(usize::from(area.width), usize::from(head_rows(area.height)), cx);
        for (y, line) in (area.y..).zip(&head) {
            buf.set_line(area.x, y, line, area.width);
        }
        let rows = u16::try_from(head.len()).unwrap_or(1);
        let mut below = Rect { y: area.y + rows, height: area.height.saturating_sub(rows), ..area };
        let all = !self.zoomed && area.width >= ROOM_FOR_ALL.0 && area.height >= ROOM_FOR_ALL.1;
        if std::mem::replace(&mut self.all, all) != all {
            // In half a screen the counts are worth more than a reason of three words, which the verdict tells anyway.
            self.deployments.show("REASON", !all);
        }
        if all {
            self.all(below);
        } else {
            self.tabs(Rect { height: 1, ..below }, buf, cx);
            below = Rect { y: below.y + 1, height: below.height.saturating_sub(1), ..below };
            self.turns(below);
        }
        self.deployments.focus(self.focus == 0);
        self.targets.focus(self.focus == 1);
        self.tasks.focus(self.focus == 2);
        self.events.focus(self.focus == 3);
        for n in 0..PARTS.len() {
            let area = self.areas[n];
            if area.height > 0 {
                self.part_mut(n).draw(area, buf, cx);
            }
        }
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        // Clicks are told from the view's own corner, the parts know where they were drawn.
        let (x, y) = (self.corner.0 + column, self.corner.1 + row);
        let Some(part) = self.areas.iter().position(|area| area.contains((x, y).into())) else { return false };
        self.focus = part;
        let area = self.areas[part];
        self.part_mut(part).click(x - area.x, y - area.y, cx);
        true
    }

    fn status(&self, _cx: &Cx) -> String {
        self.judged.as_ref().map_or(String::new(), |row| {
            let s = &row.service;
            // The counts of all deployments together: the verdict tells those of the newest.
            let pending = if s.pending > 0 { format!(" · {} pending", s.pending) } else { String::new() };
            format!("{} desired · {} running{pending}", s.desired, s.running)
        })
    }

    fn hints(&self) -> &'static [Action] {
        const HINTS: &[Action] = &[Action::NextPane, Action::Zoom, Action::Open, Action::Logs, Action::Exec, Action::Describe, Action::Json, Action::Copy];
        if self.focus == LOGS { self.logs.hints() } else { HINTS }
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        let own = self.part(self.focus).can(action, cx);
        match action {
            Action::NextPane | Action::PreviousPane | Action::Zoom => Some(true),
            Action::Pane(n) => Some(usize::from(n) <= PARTS.len()),
            Action::Back => Some(self.zoomed || own == Some(true)),
            _ => own,
        }
    }
}
