//! A release as it lands: old and new side by side, how far it is, what holds it up, and how it ended.
//!
//! It draws what [`crate::landing`] says of the service and judges nothing. Leaving it leaves the release followed; see `src/app/watching.rs`.

mod head;

use super::Pane;
use crate::action::Action;
use crate::change::diff::{self, DiffLine};
use crate::feed::{Feed, Wanted};
use crate::landing::{Landing, Line, Moment, Side, Whole};
use crate::model::{Arn, Ctx};
use crate::text;
use crate::theme::Role;
use crate::ui::{age, frame};
use crate::view::{Cx, Kind, Place, Prompt, Reaction, Subject, View};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

/// The pane.
pub const PANE: Pane = Pane {
    name: "watch",
    help: "The newest deployment of a service as it lands",
    action: Some(Action::Watch),
    open: |place, _| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), Some(service)) => Ok(Box::new(Watch::open(ctx, cluster, service))),
        _ => Err("A watch needs a service: put the cursor on one".to_owned()),
    },
};

/// The parts, in the order of their numbers.
const PARTS: [&str; 4] = ["New", "Old", "Timeline", "Differences"];
const TIMELINE: usize = 2;
/// Stands where the timeline does, when it is asked for.
const DIFFERENCES: usize = 3;

/// Columns from which the two sides fit beside each other.
const BESIDE: u16 = 100;

/// Rows below which one part is shown at a time.
const ROOM_FOR_ALL: u16 = 11;

struct Watch {
    whole: Whole,
    focus: usize,
    zoomed: bool,
    /// The task under the cursor on either side.
    cursor: [Option<Arn>; 2],
    /// First line of the timeline, or of the differences.
    top: usize,
    areas: [Rect; 4],
    corner: (u16, u16),
}

impl Watch {
    fn open(ctx: Ctx, cluster: &Arn, service: &Arn) -> Self {
        Watch {
            whole: Whole { ctx, cluster: cluster.clone(), service: service.clone() },
            focus: 0,
            zoomed: false,
            cursor: [None, None],
            top: 0,
            areas: [Rect::default(); 4],
            corner: (0, 0),
        }
    }

    fn landing<'a>(&self, cx: &Cx<'a>) -> Option<&'a Landing> {
        cx.landings.of(self.whole.ctx, &self.whole.service)?.landing()
    }

    fn side<'a>(&self, n: usize, cx: &Cx<'a>) -> Option<&'a Side> {
        let landing = self.landing(cx)?;
        Some(if n == 0 { &landing.new } else { &landing.old })
    }

    fn place(&self) -> Place {
        let Whole { ctx, cluster, service } = &self.whole;
        Place { ctx: Some(*ctx), cluster: Some(cluster.clone()), service: Some(service.clone()), ..Place::default() }
    }

    /// The task under the cursor; the first one until the operator chose another.
    fn chosen<'a>(&self, n: usize, cx: &Cx<'a>) -> Option<&'a Line> {
        let tasks = &self.side(n, cx)?.tasks;
        tasks.iter().find(|line| Some(&line.arn) == self.cursor[n].as_ref()).or(tasks.first())
    }

    fn turn_to(&mut self, part: usize) {
        (self.focus, self.top) = (part, 0);
    }

    fn move_by(&mut self, by: isize, cx: &Cx) -> Reaction {
        if self.focus >= TIMELINE {
            let lines =
                |landing: &Landing| if self.focus == TIMELINE { landing.moments.len() } else { differing(landing, &self.whole, cx).len() };
            let last = self.landing(cx).map_or(0, lines).saturating_sub(1);
            self.top = self.top.saturating_add_signed(by).min(last);
            return Reaction::Redraw;
        }
        let Some(tasks) = self.side(self.focus, cx).map(|side| &side.tasks).filter(|tasks| !tasks.is_empty()) else {
            return Reaction::Redraw;
        };
        let at = tasks.iter().position(|line| Some(&line.arn) == self.cursor[self.focus].as_ref()).unwrap_or(0);
        self.cursor[self.focus] = tasks.get(at.saturating_add_signed(by).min(tasks.len() - 1)).map(|line| line.arn.clone());
        Reaction::Redraw
    }

    fn lay_out(&mut self, area: Rect, tasks: usize) {
        self.areas = [Rect::default(); 4];
        if self.zoomed || area.height < ROOM_FOR_ALL {
            self.areas[self.focus] = area;
            return;
        }
        let beside = area.width >= BESIDE;
        let wanted = u16::try_from(tasks.max(1)).unwrap_or(u16::MAX).saturating_add(2);
        let upper = wanted.clamp(5, (area.height / 2).max(5));
        let at = |x, y, width, height| Rect { x: area.x + x, y: area.y + y, width, height };
        if beside {
            let half = area.width / 2;
            self.areas[0] = at(0, 0, half, upper);
            self.areas[1] = at(half, 0, area.width - half, upper);
        } else {
            // One side at a time; the other is a key away.
            self.areas[usize::from(self.focus == 1)] = at(0, 0, area.width, upper);
        }
        self.areas[self.focus.max(TIMELINE)] = at(0, upper, area.width, area.height - upper);
    }

    fn draw_side(&self, n: usize, side: &Side, buf: &mut Buffer, cx: &Cx) {
        let area = self.areas[n];
        let theme = cx.theme;
        let word = if n == 0 { "NEW" } else { "OLD" };
        let revision = side.revision.as_ref().map_or(String::new(), |arn| format!(" {}", arn.name()));
        let title = format!("{} {word}{revision} · {}", n + 1, side.counts());
        let remark = match side.targets {
            Some((healthy, all)) => (format!("{healthy} of {all} targets healthy"), Role::Dim),
            None => (String::new(), Role::Dim),
        };
        frame::draw(area, buf, theme, &title, &remark);
        if self.focus == n {
            border(area, buf, cx);
        }
        let rows = usize::from(area.height.saturating_sub(2));
        let room = usize::from(area.width.saturating_sub(4));
        let chosen = self.chosen(n, cx).map(|line| &line.arn);
        let at = side.tasks.iter().position(|line| Some(&line.arn) == chosen).unwrap_or(0);
        let first = (at + 1).saturating_sub(rows);
        if side.tasks.is_empty() {
            let words = if cx.store.tasks(self.whole.ctx, &self.whole.cluster).is_some() { "no task" } else { "its tasks are not known" };
            buf.set_stringn(area.x + 2, area.y + 1, words, room, theme.style(Role::Dim));
        }
        for (row, line) in side.tasks.iter().enumerate().skip(first).take(rows) {
            let y = area.y + 1 + u16::try_from(row - first).unwrap_or(0);
            if row == at && self.focus == n {
                buf.set_style(Rect { x: area.x + 1, y, width: area.width.saturating_sub(2), height: 1 }, theme.style(Role::Selection));
            }
            let role = line.health.role();
            let head = format!("{} {:<8} ", line.health.glyph(), line.short());
            let now = text::fit(&line.now, room * 2 / 5).into_owned();
            let way = text::fit(&line.way(), room.saturating_sub(text::width(&head) + text::width(&now) + 1)).into_owned();
            let right = area.right().saturating_sub(2 + u16::try_from(text::width(&now)).unwrap_or(0));
            buf.set_stringn(area.x + 2, y, &head, room, theme.style(role));
            let x = area.x + 2 + u16::try_from(text::width(&head)).unwrap_or(0);
            buf.set_stringn(x, y, &way, room, theme.style(if line.over { Role::Dim } else { Role::Text }));
            buf.set_stringn(right, y, &now, room, theme.style(role));
        }
        let hidden = side.tasks.len().saturating_sub(first + rows);
        if hidden > 0 && area.height > 3 {
            let more = format!(" {hidden} more ");
            let x = area.right().saturating_sub(2 + u16::try_from(more.len()).unwrap_or(0));
            buf.set_stringn(x, area.bottom() - 1, &more, room, theme.style(Role::Dim));
        }
    }

    fn draw_differences(&self, landing: &Landing, buf: &mut Buffer, cx: &Cx) {
        let area = self.areas[DIFFERENCES];
        let rows = usize::from(area.height.saturating_sub(2));
        let room = usize::from(area.width.saturating_sub(4));
        let found = differing(landing, &self.whole, cx);
        let unread = revisions(landing, &self.whole).find(|feed| cx.store.slot(feed).is_none_or(|slot| slot.value.is_none()));
        let both = landing.old.revision.is_some() && landing.new.revision.is_some();
        let words = match &unread {
            _ if !both => "there is no other revision to compare with".to_owned(),
            Some(feed) => cx.store.error(feed).map_or("both revisions are being read".to_owned(), |error| error.what.to_string()),
            None if landing.old.revision == landing.new.revision => {
                "the same revision: its tags may name other images than before".to_owned()
            }
            None => "the same text: tags in it may name other images than before".to_owned(),
        };
        let width = found.iter().map(|line| text::width(&line.what)).max().unwrap_or(0).clamp(8, (room / 2).max(8));
        let lines: Vec<_> = found.iter().flat_map(|line| super::rollback::told(line, width, room, cx)).collect();
        let top = self.top.min(lines.len().saturating_sub(rows));
        let hidden = lines.len().saturating_sub(top + rows);
        let remark = if hidden > 0 { (format!("{hidden} more below"), Role::Dim) } else { (String::new(), Role::Dim) };
        let title = format!("4 {} → {} · {} differ · 3 is the timeline", landing.replaces(), landing.brings(), found.len());
        frame::draw(area, buf, cx.theme, &title, &remark);
        border(area, buf, cx);
        if lines.is_empty() {
            buf.set_stringn(area.x + 2, area.y + 1, text::fit(&words, room), room, cx.theme.style(Role::Dim));
        }
        for (n, line) in lines.iter().skip(top).take(rows).enumerate() {
            buf.set_line(area.x + 2, area.y + 1 + u16::try_from(n).unwrap_or(0), line, area.width.saturating_sub(4));
        }
    }

    fn draw_timeline(&self, landing: &Landing, buf: &mut Buffer, cx: &Cx) {
        let area = self.areas[TIMELINE];
        let theme = cx.theme;
        let rows = usize::from(area.height.saturating_sub(2));
        let room = usize::from(area.width.saturating_sub(4));
        let top = self.top.min(landing.moments.len().saturating_sub(rows));
        let hidden = landing.moments.len().saturating_sub(top + rows);
        let remark = if hidden > 0 { (format!("{hidden} earlier"), Role::Dim) } else { (String::new(), Role::Dim) };
        let back = cx.keys.key_of(Action::RollBack, Kind::Table).map_or(String::new(), |key| format!(" · {key} rolls back"));
        frame::draw(area, buf, theme, &format!("3 Timeline · newest first · 4 shows what differs{back}"), &remark);
        if self.focus == TIMELINE {
            border(area, buf, cx);
        }
        let wide = landing.moments.iter().skip(top).take(rows).map(|moment| text::width(&age::clock(moment.at, cx))).max().unwrap_or(0);
        for (row, moment) in landing.moments.iter().skip(top).take(rows).enumerate() {
            let y = area.y + 1 + u16::try_from(row).unwrap_or(0);
            let after = landing.followed.began.map_or(String::new(), |began| offset(moment, began.as_second()));
            // Of another day the date stands before it: the signs stay below each other.
            let clock = age::clock(moment.at, cx);
            let head = format!("{clock:>wide$} {} ", moment.health.glyph());
            let role = if moment.health.troubled() { moment.health.role() } else { Role::Text };
            buf.set_stringn(area.x + 2, y, &head, room, theme.style(if moment.health.troubled() { role } else { Role::Dim }));
            let x = area.x + 2 + u16::try_from(text::width(&head)).unwrap_or(0);
            let words = text::fit(&moment.text, room.saturating_sub(text::width(&head) + text::width(&after) + 1)).into_owned();
            buf.set_stringn(x, y, &words, room, theme.style(role));
            let right = area.right().saturating_sub(2 + u16::try_from(text::width(&after)).unwrap_or(0));
            buf.set_stringn(right, y, &after, room, theme.style(Role::Dim));
        }
    }
}

/// What the new revision has that the old one has not, and the other way round; nothing while either is not known.
fn differing(landing: &Landing, whole: &Whole, cx: &Cx) -> Vec<DiffLine> {
    let raw = |side: &Side| cx.store.raw_definition(whole.ctx, side.revision.as_ref()?);
    raw(&landing.old).zip(raw(&landing.new)).map_or_else(Vec::new, |(old, new)| diff::of(old, new))
}

/// The sides' task definitions as AWS tells them, which their differences are told from.
fn revisions(landing: &Landing, whole: &Whole) -> impl Iterator<Item = Feed> {
    let sides = [landing.old.revision.clone(), landing.new.revision.clone()];
    let ctx = whole.ctx;
    sides.into_iter().flatten().map(move |revision| Feed::RawDefinition(ctx, revision))
}

/// `+3m49s` since the release began.
fn offset(moment: &Moment, began: i64) -> String {
    format!("+{}", crate::duration::short((moment.at.as_second() - began).max(0)))
}

/// The frame of the part that hears the keys.
fn border(area: Rect, buf: &mut Buffer, cx: &Cx) {
    let style = cx.theme.style(Role::BorderFocus);
    for y in area.y..area.bottom() {
        for x in [area.x, area.right().saturating_sub(1)] {
            buf[(x, y)].set_style(style);
        }
    }
}

impl View for Watch {
    fn name(&self) -> &'static str {
        "watch"
    }

    /// Its parts are lists of tasks, and whoever watches a release wants the keys that change it.
    fn kind(&self) -> Kind {
        Kind::Table
    }

    fn crumb(&self, _cx: &Cx) -> String {
        format!("{} › {} › watch", self.whole.cluster.name(), self.whole.service.name())
    }

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        let track = cx.landings.of(self.whole.ctx, &self.whole.service);
        let followed = track.and_then(|track| track.followed());
        // What is over is looked at like any other service.
        self.whole.want(cx.store, followed, track.is_none_or(crate::landing::Track::runs), out);
        if let Some(landing) = self.landing(cx).filter(|_| self.focus == DIFFERENCES) {
            out.extend(revisions(landing, &self.whole).map(|feed| Wanted::Poll { feed, focus: true }));
        }
    }

    fn sync(&mut self, cx: &Cx, _changed: &[Feed]) {
        // A cursor on a task that is gone stands on nothing: the next key starts at the top.
        for n in 0..2 {
            let gone = |arn: &Arn| self.side(n, cx).is_none_or(|side| side.tasks.iter().all(|line| line.arn != *arn));
            if self.cursor[n].as_ref().is_some_and(gone) {
                self.cursor[n] = None;
            }
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        match action {
            Action::NextPane => self.turn_to((self.focus + 1) % PARTS.len()),
            Action::PreviousPane => self.turn_to((self.focus + PARTS.len() - 1) % PARTS.len()),
            Action::Pane(n) if (1..=PARTS.len()).contains(&usize::from(n)) => self.turn_to(usize::from(n) - 1),
            Action::Zoom => self.zoomed = !self.zoomed,
            Action::Down => return self.move_by(1, cx),
            Action::Up => return self.move_by(-1, cx),
            Action::PageDown | Action::HalfPageDown => return self.move_by(10, cx),
            Action::PageUp | Action::HalfPageUp => return self.move_by(-10, cx),
            Action::Top => return self.move_by(-100_000, cx),
            Action::Bottom => return self.move_by(100_000, cx),
            // As everywhere: a verdict's next check names these keys.
            Action::Open => return Reaction::Go("tasks"),
            Action::Watch => return Reaction::Redraw,
            _ => return Reaction::Ignored,
        }
        Reaction::Redraw
    }

    fn input(&mut self, _prompt: Prompt, _text: &str, _done: bool, _cx: &Cx) -> Reaction {
        Reaction::Ignored
    }

    fn peel(&mut self, _cx: &Cx) -> bool {
        std::mem::take(&mut self.zoomed)
    }

    fn subject(&self, cx: &Cx) -> Subject {
        let mut place = self.place();
        let mut copies = vec![('a', "service ARN", self.whole.service.to_string())];
        if let Some(line) = (self.focus < TIMELINE).then(|| self.chosen(self.focus, cx)).flatten() {
            place.task = Some(line.arn.clone());
            copies.push(('t', "task ARN", line.arn.to_string()));
        }
        if let Some(landing) = self.landing(cx) {
            copies.push(('d', "deployment", landing.id().to_owned()));
            copies.push(('w', "what it says", landing.why.clone()));
        }
        Subject { place, copies, ghost: false }
    }

    fn ages(&self, _cx: &Cx) -> Option<u32> {
        Some(1)
    }

    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        self.corner = (area.x, area.y);
        let track = cx.landings.of(self.whole.ctx, &self.whole.service);
        let Some((track, landing)) = track.and_then(|track| Some((track, track.landing()?))) else {
            let error = cx.store.error(&Feed::Service(self.whole.ctx, self.whole.service.clone()));
            let words = match error {
                Some(error) if error.hint.is_empty() => error.what.to_string(),
                Some(error) => format!("{} · {}", error.what, error.hint),
                None if self.whole.gone(cx.store) => "AWS knows no such service any more".to_owned(),
                None => "loading the newest deployment …".to_owned(),
            };
            frame::draw(area, buf, cx.theme, self.whole.service.name(), &(String::new(), Role::Dim));
            let inner = Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(2) };
            frame::message(inner, buf, cx.theme, &[words]);
            return;
        };
        let rest = head::draw(track, landing, area, buf, cx);
        self.lay_out(rest, landing.new.tasks.len().max(landing.old.tasks.len()));
        if self.areas[0].height > 2 {
            self.draw_side(0, &landing.new, buf, cx);
        }
        if self.areas[1].height > 2 {
            self.draw_side(1, &landing.old, buf, cx);
        }
        if self.areas[TIMELINE].height > 2 {
            self.draw_timeline(landing, buf, cx);
        }
        if self.areas[DIFFERENCES].height > 2 {
            self.draw_differences(landing, buf, cx);
        }
    }

    fn click(&mut self, column: u16, row: u16, cx: &Cx) -> bool {
        let (x, y) = (self.corner.0 + column, self.corner.1 + row);
        let Some(part) = self.areas.iter().position(|area| area.contains((x, y).into())) else { return false };
        if part != self.focus {
            self.turn_to(part);
        }
        let line = usize::from(y.saturating_sub(self.areas[part].y + 1));
        if part < TIMELINE
            && let Some(task) = self.side(part, cx).and_then(|side| side.tasks.get(line))
        {
            self.cursor[part] = Some(task.arn.clone());
        }
        true
    }

    fn status(&self, cx: &Cx) -> String {
        let over = self.landing(cx).is_some_and(|landing| landing.end().is_some());
        if over { "over".to_owned() } else { "leaving keeps it watched".to_owned() }
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::RollBack, Action::Redeploy, Action::Scale, Action::NextPane, Action::Open, Action::Logs, Action::Events, Action::ActionMenu]
    }

    fn can(&self, action: Action, _cx: &Cx) -> Option<bool> {
        match action {
            Action::Open
            | Action::NextPane
            | Action::PreviousPane
            | Action::Zoom
            | Action::Up
            | Action::Down
            | Action::Top
            | Action::Bottom
            | Action::PageUp
            | Action::PageDown
            | Action::HalfPageUp
            | Action::HalfPageDown => Some(true),
            Action::Pane(n) => Some(usize::from(n) <= PARTS.len()),
            Action::Back => Some(self.zoomed),
            Action::Left | Action::Right | Action::HalfLeft | Action::HalfRight | Action::MarkRange | Action::Unmark | Action::Watch => {
                Some(false)
            }
            _ if crate::panes::opened_by(action).is_none() && action.row().scope == crate::action::Scope::Table => Some(false),
            _ => None,
        }
    }
}
