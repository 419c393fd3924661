//! The screen: where one is and how fresh it is on top, the view in the middle, a sentence and the keys below.

use super::{App, Overlay};
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Ctx, Time};
use crate::text;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::cells;
use crate::ui::frame;
use crate::verdict::Health;
use crate::view::{Place, Production, Prompt, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

/// Smallest terminal that can be worked in.
const SMALLEST: (u16, u16) = (40, 8);

/// Rows below which notice and keys share one line and the breadcrumb is left out.
const SHORT: u16 = 18;

/// Age from which an answer is old though nothing has failed yet: a little more than the longest sweep takes within the budget.
const OLD_SECONDS: i64 = 90;

/// What changes a service, offered behind a view's own keys where there is room.
const CHANGES: &[Action] = &[Action::ActionMenu, Action::RollBack, Action::Redeploy, Action::Scale, Action::Watch];

/// Keys that always stand in the footer, so that everybody finds the way; the first one in tables only.
const ALWAYS: &[Action] = &[Action::Filter, Action::Palette, Action::Back, Action::Help];

/// Between two steps of the path to what is shown.
const STEP: &str = " › ";

/// Stands for the first steps of a path, where there is no room for them.
const CUT: &str = " … › ";

/// A row of spans that are dropped from the back when they do not fit.
type Spans = Vec<(String, Role)>;

impl App {
    /// Draws what was settled. Where `kept` says that the cells are those of the last frame and only the cursor has moved since, no more
    /// is drawn than that changed. Returns where the terminal's cursor belongs, and the rows that were touched if that was not all of them.
    pub fn draw_over(&mut self, buf: &mut Buffer, kept: bool) -> (Option<Position>, Option<Vec<u16>>) {
        // Ages are told by the second.
        let moved = self.moved == Some(self.shared.now.as_second()) && self.size == (buf.area.width, buf.area.height);
        let plain = self.overlay.is_none() && self.prompt.is_none() && !self.whole_screen() && !small(buf.area);
        match if kept && moved && plain { self.draw_step(buf) } else { None } {
            Some(rows) => (None, Some(rows)),
            None => (self.draw(buf), None),
        }
    }

    /// Draws a step of the cursor, and what stands on the screen about the row that it is on. Returns the rows that it touched.
    fn draw_step(&mut self, buf: &mut Buffer) -> Option<Vec<u16>> {
        self.shared.shells.settle();
        let (screen, base, body) = (buf.area, self.shared.theme.base(), self.view_area());
        let mut rows = self.views.last_mut()?.redraw(body, buf, &self.shared.cx())?;
        let spare = screen.height >= SHORT;
        let around = [Some(0), spare.then_some(1), spare.then(|| screen.height - 2), Some(screen.height - 1)];
        for y in around.into_iter().flatten() {
            cells::clear(buf, Rect { y: screen.y + y, height: 1, ..screen }, base);
            rows.push(screen.y + y);
        }
        self.draw_header(Rect { height: 1, ..screen }, buf);
        if spare {
            self.draw_crumb(Rect { y: screen.y + 1, height: 1, ..screen }, buf);
        }
        self.draw_footer(buf);
        (self.dirty, self.moved) = (false, Some(self.shared.now.as_second()));
        Some(rows)
    }

    /// Draws everything that was settled; returns where the terminal's cursor belongs, when something is being typed.
    pub fn draw(&mut self, buf: &mut Buffer) -> Option<Position> {
        self.shared.shells.settle();
        (self.dirty, self.moved) = (false, Some(self.shared.now.as_second()));
        let screen = buf.area;
        self.size = (screen.width, screen.height);
        cells::clear(buf, screen, self.shared.theme.base());
        if small(screen) {
            let text = format!("{}x{} needed, here {}x{}", SMALLEST.0, SMALLEST.1, screen.width, screen.height);
            buf.set_stringn(screen.x, screen.y, text, usize::from(screen.width), self.shared.theme.style(Role::Warn));
            return None;
        }
        let whole = self.whole_screen();
        if !whole {
            self.draw_header(Rect { height: 1, ..screen }, buf);
            self.draw_banner(buf);
        }
        let body = self.view_area();
        let mut views = std::mem::take(&mut self.views);
        if let Some(view) = views.last_mut() {
            view.draw(body, buf, &self.shared.cx());
        }
        self.views = views;
        // After the view, which learns its size by being drawn.
        if screen.height >= SHORT && !whole {
            self.draw_crumb(Rect { y: screen.y + 1, height: 1, ..screen }, buf);
        }
        let cursor = if whole { None } else { self.draw_footer(buf) };
        // Under an overlay nobody types into the view.
        let own = self.views.last().filter(|_| self.overlay.is_none()).and_then(|view| view.cursor());
        self.draw_overlay(buf).or(cursor).or(own)
    }

    /// Whether the view has the whole screen; what has to be filled in is never hidden by that.
    fn whole_screen(&self) -> bool {
        self.prompt.is_none() && self.views.last().is_some_and(|view| view.whole_screen())
    }

    /// Where the view is drawn.
    pub(super) fn view_area(&self) -> Rect {
        if self.whole_screen() { Rect { x: 0, y: 0, width: self.size.0, height: self.size.1 } } else { self.body() }
    }

    /// The view's area.
    pub(super) fn body(&self) -> Rect {
        let (width, height) = self.size;
        let above = if height >= SHORT { 2 } else { 1 } + self.banner_height();
        let below = if height >= SHORT { 2 } else { 1 };
        Rect { x: 0, y: above, width, height: height.saturating_sub(above + below) }
    }

    /// The context that the visible view is about; none on a fleet of several.
    pub(super) fn context(&self) -> Option<Ctx> {
        self.context_of(&self.subject().place)
    }

    fn context_of(&self, place: &Place) -> Option<Ctx> {
        if self.shared.fleet.0.len() == 1 {
            return Some(Ctx(0));
        }
        if self.views.last()?.name() == "fleet" { None } else { place.ctx }
    }

    fn draw_header(&self, line: Rect, buf: &mut Buffer) {
        buf.set_style(line, self.shared.theme.style(Role::Header));
        let wide = line.width >= 100;
        let mut left: Spans = Vec::new();
        let place = self.subject().place;
        match self.context_of(&place) {
            Some(ctx) => {
                let context = self.shared.fleet.context(ctx);
                left.push((format!(" {} ", context.name), Role::Header));
                let cx = self.shared.cx();
                // A cluster may say by its name what the context does not.
                let mark = match cx.production(ctx, place.cluster.as_ref()) {
                    Production::No => "",
                    Production::Yes => "▌PROD▐ ",
                    Production::Unknown => "▌PROD?▐ ",
                };
                left.push((mark.to_owned(), Role::Prod));
                // Before what a narrow screen cuts off: whether a key can change anything here.
                let (standing, role) = self.standing(ctx);
                left.push((format!("{standing}  "), role));
                left.push((self.may_not(ctx), Role::Warn));
                // Who is asking is known only where it was asked.
                let identity = self.shared.store.identity(ctx);
                if let Some(account) = cx.account(ctx) {
                    let account = account.get(account.len().saturating_sub(4)..).unwrap_or(account);
                    left.push((format!("acct …{account}  "), Role::Text));
                }
                left.push((format!("{}  ", context.region), Role::Text));
                if let Some(identity) = identity {
                    left.push((who(&identity.arn).to_owned(), Role::Dim));
                }
            }
            None => left.push((format!(" midwatch  {} contexts", self.shared.fleet.0.len()), Role::Header)),
        }
        let mut right: Spans = vec![self.freshness()];
        if self.meter.throttled_recently > 0 {
            right.push((format!("  throttled {}×, slowed down", self.meter.throttled_recently), Role::Warn));
        }
        if wide {
            right.push((format!("  api {:.0}/s", self.meter.calls_per_second), Role::Dim));
        }
        let (fails, warns) = (self.shared.board.count(Health::Fail), self.shared.board.count(Health::Warn));
        right.push((format!("  ✖{fails}"), if fails > 0 { Role::Fail } else { Role::Dim }));
        right.push((format!(" ▲{warns} "), if warns > 0 { Role::Warn } else { Role::Dim }));
        self.put_both(line, buf, left, right);
    }

    /// How true the screen is: live, loading, or how old.
    pub(super) fn freshness(&self) -> (String, Role) {
        // What is asked for once says nothing about how live the rest is.
        let slots = self.wanted.iter().filter(|w| !w.feed().beside() && !self.waits(w));
        let (mut oldest, mut newest): (Option<Time>, Option<Time>) = (None, None);
        let (mut failed, mut loading, mut live) = (false, 0_usize, false);
        for slot in slots.map(|wanted| self.shared.store.slot(wanted.feed())) {
            match slot {
                Some(slot) if slot.error.is_some() => {
                    failed = true;
                    oldest = [oldest, slot.at].into_iter().flatten().min();
                    newest = newest.max(slot.at);
                }
                Some(slot) if slot.at.is_some_and(|at| self.shared.now.as_second() - at.as_second() > OLD_SECONDS) => {
                    failed = true;
                    oldest = [oldest, slot.at].into_iter().flatten().min();
                    newest = newest.max(slot.at);
                }
                Some(slot) if slot.at.is_some() => live = true,
                _ => loading += 1,
            }
        }
        match (failed, loading, live) {
            (true, ..) => {
                // What was never answered is not old: it is missing.
                let [told, least] = [oldest, newest].map(|at| age::since(at, self.shared.now));
                // Each part says how old it is; this is the oldest of them.
                let most = if told == least { "" } else { "up to " };
                (oldest.map_or("? incomplete".to_owned(), |_| format!("? stale {most}{told}")), Role::Stale)
            }
            (false, 0, false) => (String::new(), Role::Dim),
            (false, _, false) => ("◌ loading".to_owned(), Role::Busy),
            (false, 0, true) => ("● live".to_owned(), Role::Ok),
            (false, n, true) => (format!("● live, {n} loading"), Role::Busy),
        }
    }

    /// What can wait is neither loading nor old while it waits; only that it fails is worth a word.
    fn waits(&self, wanted: &Wanted) -> bool {
        let listed = |cluster: Option<&str>| {
            let mut lists =
                self.wanted.iter().filter(|wanted| matches!(wanted.feed(), Feed::Services(_, arn) if Some(arn.name()) == cluster));
            lists.any(|list| self.shared.store.slot(list.feed()).is_some_and(|slot| slot.at.is_some()))
        };
        match wanted.feed() {
            // Asked beside its list, which shows it already, to be fresher still.
            Feed::Service(_, arn) => {
                self.shared.store.slot(wanted.feed()).is_none_or(|slot| slot.at.is_none() && slot.error.is_none())
                    && listed(arn.cluster_name())
            }
            feed => matches!(wanted, Wanted::Trickle { .. }) && self.shared.store.error(feed).is_none(),
        }
    }

    fn draw_crumb(&self, line: Rect, buf: &mut Buffer) {
        let Some(view) = self.views.last() else { return };
        let cx = self.shared.cx();
        let home = if view.name() == "fleet" { " " } else { " Fleet › " };
        let (crumb, status) = (view.crumb(&cx), format!("{} ", view.status(&cx)));
        let room = usize::from(line.width).saturating_sub(text::width(&status).min(usize::from(line.width)) + 1);
        let left = match shortened(&crumb, text::width(home), room) {
            Some(short) => vec![(CUT.to_owned(), Role::Dim), (short.to_owned(), Role::Text)],
            None => vec![(home.to_owned(), Role::Dim), (crumb, Role::Text)],
        };
        self.put_both(line, buf, left, vec![(status, Role::Dim)]);
    }

    /// Writes one row from both ends; what stands to the right wins, the left is cut.
    fn put_both(&self, line: Rect, buf: &mut Buffer, left: Spans, right: Spans) {
        let width = |spans: &Spans| spans.iter().map(|(text, _)| text::width(text)).sum::<usize>();
        let right_width = width(&right).min(usize::from(line.width));
        let mut room = usize::from(line.width).saturating_sub(right_width + 1);
        let mut x = line.x;
        for (part, role) in left {
            let fitted = text::fit(&part, room);
            let used = text::width(&fitted);
            x = cells::write(buf, x, line.y, &fitted, used, self.shared.theme.style(role));
            room = room.saturating_sub(used);
        }
        let mut x = line.right().saturating_sub(u16::try_from(right_width).unwrap_or(0));
        for (part, role) in right {
            x = cells::write(buf, x, line.y, &part, usize::from(line.right().saturating_sub(x)), self.shared.theme.style(role));
        }
    }

    fn banner_height(&self) -> u16 {
        let locked = u16::try_from(self.locked_out().len()).unwrap_or(u16::MAX);
        if locked == 0 || self.size.1 < SHORT { locked.min(1) } else { locked.min(2) + 2 }
    }

    /// Contexts whose credentials do not work: what is below is old, and how to log in.
    fn draw_banner(&self, buf: &mut Buffer) {
        let (locked, height) = (self.locked_out(), self.banner_height());
        if height == 0 {
            return;
        }
        let area = Rect { x: 0, y: if self.size.1 >= SHORT { 2 } else { 1 }, width: self.size.0, height };
        let theme = &self.shared.theme;
        let line = |(ctx, why): &(Ctx, std::borrow::Cow<str>)| format!("✖ {}: {why}", self.shared.fleet.context(*ctx).name);
        if height == 1 {
            buf.set_stringn(
                0,
                area.y,
                text::fit(&line(&locked[0]), usize::from(area.width)),
                usize::from(area.width),
                theme.style(Role::Fail),
            );
            return;
        }
        let more = if locked.len() > 2 { format!(" · and {} contexts more", locked.len() - 2) } else { String::new() };
        let remark = (format!("rows stay as they were; everything goes on by itself once it works again{more}"), Role::Dim);
        frame::draw(area, buf, theme, "Credentials", &remark);
        for (n, entry) in locked.iter().take(2).enumerate() {
            let room = usize::from(area.width.saturating_sub(4));
            buf.set_stringn(2, area.y + 1 + u16::try_from(n).unwrap_or(0), text::fit(&line(entry), room), room, theme.style(Role::Fail));
        }
    }

    fn draw_footer(&mut self, buf: &mut Buffer) -> Option<Position> {
        let screen = buf.area;
        let keys = Rect { y: screen.bottom() - 1, height: 1, ..screen };
        let message = if screen.height >= SHORT { Rect { y: screen.bottom() - 2, height: 1, ..screen } } else { keys };
        let shared_line = message.y == keys.y;
        if let Some(prompt) = &self.prompt {
            let theme = &self.shared.theme;
            buf.set_style(message, theme.style(Role::Text));
            let label = prompt.label();
            buf.set_string(message.x + 1, message.y, label, theme.style(Role::Accent));
            let x = message.x + 1 + u16::try_from(label.len()).unwrap_or(0);
            let field = Rect { x, y: message.y, width: message.width.saturating_sub(x + 1), height: 1 };
            let cursor = prompt.input.draw(field, buf, theme);
            // Where there is no line to spare, a fault is worth the view's last one.
            let below = if shared_line { Rect { y: keys.y - 1, ..keys } } else { keys };
            let room = usize::from(below.width.saturating_sub(2));
            let told = match (&prompt.fault, self.views.last()) {
                (Some(fault), _) => Some((format!("▲ {fault}"), Role::Warn)),
                (None, Some(view)) if prompt.prompt == Prompt::Filter && !shared_line => {
                    Some((format!("{} · {}", prompt.hint(), view.filter_words()), Role::Dim))
                }
                (None, _) => (!shared_line).then(|| (prompt.hint().to_owned(), Role::Dim)),
            };
            if let Some((told, role)) = told {
                buf.set_stringn(below.x + 1, below.y, text::pad(&told, room), room, theme.style(role));
            }
            return Some(cursor);
        }
        if let Some(overlay) = &self.overlay {
            // The view's keys do not work now.
            let hint = match overlay {
                Overlay::Dialog(_) | Overlay::Exec(_) => return None,
                Overlay::Help(_) => "type to search · ↑↓ scroll · esc closes",
                Overlay::Menu(_) => "a letter chooses · esc closes",
                Overlay::Palette(_) => "type to find · ↑↓ choose · ⏎ go · esc closes",
            };
            buf.set_stringn(keys.x + 1, keys.y, hint, usize::from(keys.width.saturating_sub(2)), self.shared.theme.style(Role::Dim));
            return None;
        }
        let noticed = self.notice.is_some();
        if let Some((notice, _)) = &self.notice {
            let role = match notice.tone {
                Tone::Info => Role::Text,
                Tone::Warn => Role::Warn,
                Tone::Fail => Role::Fail,
            };
            let room = usize::from(message.width.saturating_sub(2));
            buf.set_stringn(message.x + 1, message.y, text::fit(&notice.text, room), room, self.shared.theme.style(role));
        }
        if !noticed && !shared_line {
            let mut spans = self.landings_line();
            spans.extend(self.sessions_line());
            self.put_both(message, buf, spans, Vec::new());
        }
        if !(noticed && shared_line) {
            self.draw_keys(keys, buf);
        }
        None
    }

    /// The keys that work here, read from the live keymap.
    fn draw_keys(&self, line: Rect, buf: &mut Buffer) {
        if !self.shared.config.hints {
            return;
        }
        let Some(view) = self.views.last() else { return };
        if let Some(keys) = view.keys_line(&self.shared.cx()) {
            return self.draw_own_keys(&keys, line, buf);
        }
        let (kind, here) = (view.kind(), self.here());
        let always = if kind == crate::action::Kind::Table { ALWAYS } else { &ALWAYS[1..] };
        let mut x = line.x + 1;
        let hint = |action: &Action| self.shared.keys.key_of(*action, kind).map(|key| (key, action.row().hint));
        // The last ones always stand there, or nobody finds the way out.
        let tail: Vec<(String, &str)> = always.iter().filter(|action| self.works(**action, &here)).filter_map(hint).collect();
        let tail_width: usize = tail.iter().map(|(key, word)| text::width(key) + word.len() + 3).sum();
        let end = usize::from(line.width).saturating_sub(tail_width + 2);
        let theme = &self.shared.theme;
        let mut put = |key: &str, word: &str, x: &mut u16| {
            *x = cells::write(buf, *x, line.y, key, usize::MAX, theme.style(Role::Accent)) + 1;
            *x = cells::write(buf, *x, line.y, word, usize::MAX, theme.style(Role::Dim)) + 2;
        };
        let further = CHANGES.iter().filter(|action| !view.hints().contains(action));
        let offered = view.hints().iter().chain(further).filter(|action| !always.contains(action) && self.works(**action, &here));
        for (key, word) in offered.filter_map(hint) {
            if usize::from(x) + text::width(&key) + word.len() + 1 > end {
                break;
            }
            put(&key, word, &mut x);
        }
        for (key, word) in &tail {
            if usize::from(x) + text::width(key) + word.len() < usize::from(line.width) {
                put(key, word, &mut x);
            }
        }
    }

    /// The keys of a view that asks no keymap.
    fn draw_own_keys(&self, keys: &[(String, &'static str)], line: Rect, buf: &mut Buffer) {
        let theme = &self.shared.theme;
        let mut x = line.x + 1;
        for (key, word) in keys {
            let wide = u16::try_from(text::width(key) + word.len() + 3).unwrap_or(u16::MAX);
            if x.saturating_add(wide) > line.right() {
                break;
            }
            buf.set_string(x, line.y, key, theme.style(Role::Accent));
            buf.set_string(x + u16::try_from(text::width(key)).unwrap_or(0) + 1, line.y, word, theme.style(Role::Dim));
            x += wide;
        }
    }

    fn draw_overlay(&mut self, buf: &mut Buffer) -> Option<Position> {
        let screen = buf.area;
        let kind = self.kind();
        let (shared, rules) = (&self.shared, &self.rules);
        match self.overlay.as_mut()? {
            Overlay::Dialog(dialog) => {
                dialog.heed(rules, shared.now);
                dialog.draw(screen, buf, &shared.cx())
            }
            Overlay::Exec(dialog) => dialog.draw(screen, buf, &shared.cx()),
            Overlay::Help(help) => {
                let area = Rect { x: screen.x, y: screen.y + 1, width: screen.width, height: screen.height.saturating_sub(2) };
                Clear.render(area, buf);
                buf.set_style(area, shared.theme.base());
                help.draw(area, buf, &shared.theme, &shared.keys, kind)
            }
            Overlay::Menu(menu) => {
                menu.draw(screen, buf, &shared.theme);
                None
            }
            Overlay::Palette(palette) => Some(palette.draw(screen, buf, &shared.theme)),
        }
    }
}

/// Whether nothing can be worked with on such a screen.
fn small(screen: Rect) -> bool {
    screen.width < SMALLEST.0 || screen.height < SMALLEST.1
}

/// The role's or user's name inside a caller's ARN: `assumed-role/OnCall/maria` is `OnCall/maria`.
fn who(arn: &str) -> &str {
    let resource = arn.rsplit(':').next().unwrap_or(arn);
    resource.split_once('/').map_or(resource, |(_, name)| name)
}

/// The last steps of a path that there is room for, where there is not for all of it: where one is says more than how one came there.
fn shortened(crumb: &str, home: usize, room: usize) -> Option<&str> {
    if home + text::width(crumb) <= room {
        return None;
    }
    let starts = crumb.match_indices(STEP).map(|(at, step)| at + step.len());
    let fits = |at: usize| text::width(CUT) + text::width(&crumb[at..]) <= room;
    let at = starts.clone().find(|at| fits(*at)).or(starts.last());
    Some(&crumb[at.unwrap_or(0)..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_without_room_keeps_its_last_steps() {
        let path = "payments-prod › checkout › tasks";
        assert_eq!(shortened(path, 9, 41), None);
        assert_eq!(shortened(path, 9, 40), Some("checkout › tasks"));
        assert_eq!(shortened(path, 9, 21), Some("checkout › tasks"));
        assert_eq!(shortened(path, 9, 20), Some("tasks"));
        assert_eq!(shortened(path, 9, 4), Some("tasks"), "cut by whoever draws it");
        assert_eq!(shortened("clusters", 9, 8), Some("clusters"));
    }
}
