//! The dialog on the screen: over the view, as high as what it has to say, its last line and the way out always in sight.

use super::{COUNT, Demand, Dialog, Focus, Form, Phase};
use crate::change::ask::Planned;
use crate::change::{Level, Note, Weight, Wish, diff, plans};
use crate::model::Fleet;
use crate::text;
use crate::theme::{Role, Theme};
use crate::ui::frame;
use crate::view::{Cx, Production};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Clear, Widget};

/// Widest dialog: a line of prose is read across no more.
const WIDEST: u16 = 96;

/// Cells of a label.
const LABEL: usize = 10;

/// Rows that one command may take: a whole task definition says less than what is different in it, which stands above.
const MOST: usize = 6;

/// What turns while something is under way.
const TURNING: [&str; 4] = ["◐", "◓", "◑", "◒"];

impl Dialog {
    /// Draws over the screen and returns where the cursor is while a line is filled in.
    pub fn draw(&mut self, screen: Rect, buf: &mut Buffer, cx: &Cx) -> Option<Position> {
        let width = screen.width.saturating_sub(2).min(WIDEST);
        let room = usize::from(width.saturating_sub(4));
        let page = self.body(room, cx);
        let (body, form_row) = (page.lines, page.form_row);
        // A blank line, then the line that confirms, with Cancel.
        let wish = u16::try_from(body.len()).unwrap_or(u16::MAX).saturating_add(4);
        let height = wish.min(screen.height.saturating_sub(2)).max(5);
        let area = Rect { x: (screen.width - width) / 2, y: (screen.height.saturating_sub(height)) / 2, width, height };
        Clear.render(area, buf);
        buf.set_style(area, cx.theme.base());
        let rows = usize::from(height.saturating_sub(4));
        self.scroll = self.scroll.min(body.len().saturating_sub(rows));
        let below = body.len().saturating_sub(self.scroll + rows);
        let corner = if below > 0 { format!("{below} more line{} below ↓", if below == 1 { "" } else { "s" }) } else { String::new() };
        let remark = if self.said.is_empty() { (self.keys_remark(), Role::Dim) } else { (self.said.clone(), Role::Warn) };
        frame::draw_with(area, buf, cx.theme, &self.title(cx), &remark, &corner);
        self.mark(area, buf, cx);
        let mut cursor = None;
        for (n, line) in body.iter().enumerate().skip(self.scroll).take(rows) {
            let y = area.y + 1 + u16::try_from(n - self.scroll).unwrap_or(0);
            buf.set_line(area.x + 2, y, line, width.saturating_sub(4));
            if n >= form_row {
                cursor = cursor.or_else(|| self.cursor_in_form(n - form_row, Rect { x: area.x + 2, y, width, height: 1 }, buf, cx.theme));
            }
        }
        let last = Rect { x: area.x + 2, y: area.bottom() - 2, width: width.saturating_sub(4), height: 1 };
        let typed = self.last_line(last, buf, cx);
        // All of it was on the screen, or could be scrolled to.
        self.seen = true;
        typed.or(cursor)
    }

    fn title(&self, cx: &Cx) -> String {
        let verb = self.form.verb().word();
        let verb: String = verb.chars().take(1).flat_map(char::to_uppercase).chain(verb.chars().skip(1)).collect();
        let verb = match &self.form {
            Form::Fixed(Wish::Undo(_)) => "Take back".to_owned(),
            Form::Fixed(Wish::Redo(_)) => format!("Redo: {}", verb.to_lowercase()),
            _ => verb,
        };
        match self.targets.as_slice() {
            [one] => {
                // An instance is known by the id that EC2 gave it.
                let instances = cx.store.instances(one.ctx, &one.cluster).unwrap_or_default();
                let id = instances.iter().find(|instance| instance.arn == one.arn).and_then(|instance| instance.ec2_instance.as_deref());
                format!("{verb} {}/{}", one.cluster.name(), id.unwrap_or_else(|| super::ask::short(&one.arn)))
            }
            many => format!("{verb} · {} targets{}", many.len(), if cx.fleet.0.len() > 1 { " in the fleet" } else { "" }),
        }
    }

    /// The tag of production in the title's line, where it cannot be overlooked.
    fn mark(&self, area: Rect, buf: &mut Buffer, cx: &Cx) {
        let tag = match self.production {
            Production::No => return,
            Production::Yes => "▌PROD▐",
            Production::Unknown => "▌PROD?▐",
        };
        let x = area.right().saturating_sub(u16::try_from(text::width(tag)).unwrap_or(0) + 2).max(area.x + 1);
        buf.set_stringn(x, area.y, tag, usize::from(area.right().saturating_sub(x + 1)), cx.theme.style(Role::Prod));
    }

    fn keys_remark(&self) -> String {
        match &self.phase {
            Phase::Sending(flight) if !flight.begun() => "nothing was sent yet · ctrl-c stops waiting, not the change".to_owned(),
            Phase::Sending(_) => "ctrl-c stops waiting: the request may still apply".to_owned(),
            Phase::Ended(flight) if flight.refused.is_some() || flight.rehearsed.is_some() => "⏎ or esc closes".to_owned(),
            Phase::Ended(_) => "⏎ or esc closes · @ keeps what was sent".to_owned(),
            Phase::Asking => {
                let typed = self.typed() && self.hindered().is_none();
                let next = if typed || !self.lines().is_empty() { "⇥ next field · " } else { "" };
                let pin = if self.pins.is_empty() { "" } else { "p pins the images · " };
                format!("{next}{pin}c copies the lines · esc leaves it")
            }
        }
    }

    fn body<'a>(&self, room: usize, cx: &Cx<'a>) -> Page<'a> {
        let mut page = Page { lines: Vec::new(), form_row: usize::MAX, room, label: LABEL, theme: cx.theme };
        self.place(&mut page, cx.fleet);
        match &self.phase {
            Phase::Ended(flight) => {
                page.gap();
                for (well, line) in flight.lines() {
                    let sign = match (well, &flight.rehearsed) {
                        (_, Some(_)) => ("○", Role::Dim),
                        (true, None) => ("●", Role::Ok),
                        (false, None) => ("✖", Role::Fail),
                    };
                    page.sign(sign, &line);
                }
                if flight.has_a_way_back() {
                    page.gap();
                    let back = if matches!(self.form, Form::Fixed(Wish::Undo(_))) {
                        ":undo offers once more what is not taken back, :redo what was"
                    } else {
                        ":undo offers the way back from what was done, or may have been, for 30 minutes"
                    };
                    page.labelled("way back", back, Role::Dim);
                }
                return page;
            }
            Phase::Sending(flight) if flight.plans.len() > 1 => {
                page.gap();
                for (well, line) in flight.lines() {
                    page.sign(if well { ("●", Role::Ok) } else { ("◌", Role::Dim) }, &line);
                }
                return page;
            }
            Phase::Sending(_) | Phase::Asking => {}
        }
        self.fill_in(&mut page);
        self.changes(&mut page);
        self.what_moved(&mut page);
        self.notes(&mut page);
        self.run(&mut page);
        page
    }

    /// Where it is: the account in full, because that is what one looks for before a change.
    fn place(&self, page: &mut Page, fleet: &Fleet) {
        let mut seen: Vec<String> = Vec::new();
        for target in &self.targets {
            let context = fleet.context(target.ctx);
            let account = Some(target.cluster.account()).filter(|account| !account.is_empty()).unwrap_or("not known");
            let text = format!("{} · account {account} · {} · cluster {}", context.name, context.region, target.cluster.name());
            if !seen.contains(&text) {
                page.labelled("in", &text, Role::Dim);
                seen.push(text);
            }
        }
    }

    fn fill_in(&self, page: &mut Page) {
        let lines = self.lines();
        if lines.is_empty() {
            return;
        }
        page.gap();
        page.form_row = page.lines.len();
        for (n, line) in lines.iter().enumerate() {
            let chosen = self.focus == Focus::Line(n);
            let role = if chosen { Role::Accent } else { Role::Text };
            let head = format!("{:<LABEL$}", line.label);
            let before = self.before_line();
            let value = format!("[ {} ]", line.input.text());
            let hint = if line.digits && self.targets.len() > 1 {
                "   + - of each, digits for all"
            } else if line.digits {
                "   - +"
            } else {
                "   empty: its own · quotes as in a shell"
            };
            page.lines.push(Line::from(vec![
                page.span(head, Role::Dim),
                page.span(before, Role::Text),
                page.span(value, role),
                page.span(hint.to_owned(), Role::Dim),
            ]));
        }
        let presets: Vec<String> = self.form.presets().into_iter().map(|(letter, word)| format!("{letter} {word}")).collect();
        if !presets.is_empty() {
            page.labelled("", &presets.join(" · "), Role::Dim);
        }
        for (letter, chosen, words) in self.form.choices() {
            let role = if chosen { Role::Accent } else { Role::Text };
            page.labelled("", &format!("({}) {letter} {words}", if chosen { '•' } else { ' ' }), role);
        }
    }

    /// Where the cursor is in the n-th line to fill in.
    fn cursor_in_form(&self, n: usize, row: Rect, buf: &mut Buffer, theme: &Theme) -> Option<Position> {
        if self.focus != Focus::Line(n) || !matches!(self.phase, Phase::Asking) {
            return None;
        }
        let line = *self.lines().get(n)?;
        let left = u16::try_from(LABEL + text::width(&self.before_line()) + 2).unwrap_or(0);
        // Draws the text once more where it stands, for the cursor's place.
        Some(line.input.draw(Rect { x: row.x + left, width: row.width.saturating_sub(left + 6), ..row }, buf, theme))
    }

    /// What stands before a line to fill in: the count as it is.
    fn before_line(&self) -> String {
        match &self.form {
            // Each of several has a count of its own, which stands below.
            Form::Count { now, .. } if self.targets.len() == 1 => format!("{now}  →  "),
            _ => String::new(),
        }
    }

    fn changes(&self, page: &mut Page) {
        page.gap();
        let many = self.plans.len() > 1;
        let all = self.plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()).flat_map(|plan| &plan.changes);
        let widest = all.map(|change| text::width(&change.what) + 1).max().unwrap_or(LABEL);
        page.label = widest.clamp(LABEL, (page.room * 2 / 3).max(LABEL));
        for (name, plan) in &self.plans {
            match plan {
                Ok(plan) => {
                    let out = plan.blocked() && many && !self.untouched();
                    if many {
                        let word = if out { "left out" } else { "" };
                        page.sign(if out { ("✖", Role::Fail) } else { ("›", Role::Accent) }, &format!("{name}  {word}"));
                    }
                    for change in plan.changes.iter().filter(|_| !out) {
                        page.change(change);
                    }
                }
                Err(why) if many => page.sign(("✖", Role::Fail), &format!("{name}  left out: {why}")),
                Err(why) if why.starts_with("still reading") || why.contains(": type ") => page.sign(("…", Role::Dim), why),
                Err(why) => page.sign(("✖", Role::Fail), why),
            }
        }
        if !self.gone.is_empty() {
            let names: Vec<&str> = self.gone.iter().map(|id| id.rsplit(['/', ':']).next().unwrap_or(id)).collect();
            page.sign(("▲", Role::Warn), &format!("marked, but gone from AWS's answer and left out: {}", names.join(" ")));
        }
    }

    /// What the re-reading found: was, now, and what this plan wants.
    fn what_moved(&self, page: &mut Page) {
        if self.moved.is_empty() {
            return;
        }
        page.gap();
        page.sign(("▲", Role::Warn), "AWS says something else now than when you confirmed: nothing was sent");
        for moved in &self.moved {
            let named = |what: &str| match moved.what {
                "task definition" => what == "runs" || what == "revision",
                "scaling range" => what == "range",
                own => what == own,
            };
            let yours = self.ready().flat_map(|plan| &plan.changes).find(|change| named(&change.what));
            let yours = match (yours, moved.what) {
                (Some(change), _) => &change.after,
                (None, "digest") => "starts what it names then",
                (None, "secret") => "reads it",
                (None, _) => "stays",
            };
            page.labelled(
                "",
                &format!("{} {}: was {} · now {} · yours {yours}", moved.target, moved.what, moved.was, moved.now),
                Role::Warn,
            );
        }
    }

    fn notes(&self, page: &mut Page) {
        let (many, untouched) = (self.plans.len() > 1, self.untouched());
        let of = |(name, plan): &Planned| {
            let plan = plan.as_ref().ok();
            let text = |text: &str| if many { format!("{name}: {text}") } else { text.to_owned() };
            // That nothing was typed yet is no trouble.
            let told = |note: &&Note| !(untouched && note.weight == Weight::Blocker && plans::is_as_it_is(note));
            let notes = plan.into_iter().flat_map(|plan| &plan.notes).filter(told);
            notes.map(|note| (note.weight, text(&note.text))).collect::<Vec<_>>()
        };
        let locked = self.locked.iter().map(|why| (Weight::Blocker, why.clone()));
        let mut notes: Vec<(Weight, String)> = locked.chain(self.plans.iter().flat_map(of)).collect();
        // What forbids it first; among equals the order of whoever planned.
        notes.sort_by_key(|(weight, _)| *weight);
        if !notes.is_empty() {
            page.gap();
        }
        for (weight, text) in notes {
            let sign = match weight {
                Weight::Blocker => ("✖", Role::Fail),
                Weight::Warning => ("▲", Role::Warn),
                Weight::Info => ("●", Role::Dim),
            };
            page.sign(sign, &text);
        }
    }

    /// The lines of AWS's own tool, and the way back.
    fn run(&self, page: &mut Page) {
        let lines = self.cli();
        if !lines.is_empty() {
            page.gap();
        }
        for (n, line) in lines.iter().enumerate() {
            let label = if n == 0 { "will run" } else { "" };
            let mut parts = broken(line, page.room.saturating_sub(LABEL));
            if parts.len() > MOST {
                let more = parts.split_off(MOST - 1).len();
                parts.push(format!("… {more} more rows of this command · c copies all of it"));
            }
            for (part, text) in parts.into_iter().enumerate() {
                page.lines.push(Line::from(vec![
                    page.span(format!("{:<LABEL$}", if part == 0 { label } else { "" }), Role::Dim),
                    page.span(text, Role::Text),
                ]));
            }
        }
        page.gap();
        let mut ready = self.ready();
        match (ready.next(), ready.next()) {
            (Some(_), _) if matches!(self.form, Form::Fixed(Wish::Undo(_))) => {
                page.labelled("way back", ":redo does it once more, until something else is changed", Role::Dim);
            }
            (Some(plan), None) => {
                let back = match &plan.inverse {
                    Ok(_) => ":undo offers the way back for 30 minutes".to_owned(),
                    Err(why) => format!("none: {why}"),
                };
                page.labelled("way back", &back, Role::Dim);
            }
            (Some(_), Some(_)) => {
                page.labelled("way back", ":undo offers that of all that have one, in one dialog, for 30 minutes", Role::Dim);
            }
            (None, _) => {}
        }
    }

    /// What confirms, and the way out.
    fn last_line(&mut self, line: Rect, buf: &mut Buffer, cx: &Cx) -> Option<Position> {
        let theme = cx.theme;
        let room = usize::from(line.width);
        if let Phase::Sending(flight) = &self.phase {
            let turn = usize::try_from(cx.now.as_second().rem_euclid(4)).unwrap_or(0);
            let seconds = cx.now.as_second().saturating_sub(flight.since.as_second());
            let text = format!("{} {} · {seconds}s", TURNING[turn], flight.word());
            buf.set_stringn(line.x, line.y, text::fit(&text, room), room, theme.style(Role::Busy));
            return None;
        }
        if let Phase::Ended(flight) = &self.phase {
            let (text, role) = match (&flight.refused, &flight.rehearsed) {
                (_, Some(_)) => ("a dry run: it would have been sent as it was shown", Role::Accent),
                (Some(_), None) => ("nothing was sent", Role::Fail),
                (None, None) => ("it did not all work: see above", Role::Fail),
            };
            buf.set_stringn(line.x, line.y, text, room, theme.style(role));
            return None;
        }
        let cancel = if self.focus == Focus::Cancel { "[ Cancel ]" } else { "  Cancel  " };
        let wide = u16::try_from(text::width(cancel)).unwrap_or(0);
        let at = line.right().saturating_sub(wide);
        let style = if self.focus == Focus::Cancel { theme.style(Role::Selection) } else { theme.style(Role::Dim) };
        buf.set_string(at, line.y, cancel, style);
        let left = Rect { width: line.width.saturating_sub(wide + 1), ..line };
        let room = usize::from(left.width);
        if self.locked.is_none() && self.untouched() {
            buf.set_stringn(left.x, left.y, COUNT, room, theme.style(Role::Accent));
            return None;
        }
        if let Some(why) = self.hindered() {
            buf.set_stringn(left.x, left.y, text::fit(&format!("cannot be done: {why}"), room), room, theme.style(Role::Fail));
            return None;
        }
        match self.demand() {
            Demand::Key(key) => {
                let text = format!("{key} does it · ⏎ does not");
                buf.set_stringn(left.x, left.y, text, room, theme.style(Role::Accent));
                None
            }
            Demand::Typed(wanted) => {
                let wait = if self.held(cx) { ", two seconds from now" } else { "" };
                let ask = format!("type  {wanted}  then ⏎{wait}: ");
                let role = if self.level() == Level::Drastic { Role::Warn } else { Role::Accent };
                let (x, _) = buf.set_stringn(left.x, left.y, text::fit(&ask, room), room, theme.style(role));
                let field = Rect { x, width: left.right().saturating_sub(x), ..left };
                let cursor = self.confirm.draw(field, buf, theme);
                (self.focus == Focus::Confirm).then_some(cursor)
            }
        }
    }
}

/// Lines being written.
struct Page<'a> {
    lines: Vec<Line<'static>>,
    /// Where the first line to fill in stands; past the end where there is none.
    form_row: usize,
    room: usize,
    /// Cells of what is different, so that the values stand below each other.
    label: usize,
    theme: &'a Theme,
}

impl Page<'_> {
    fn span(&self, text: String, role: Role) -> Span<'static> {
        Span::styled(text, self.theme.style(role))
    }

    fn gap(&mut self) {
        if self.lines.last().is_some_and(|line| line.width() > 0) {
            self.lines.push(Line::default());
        }
    }

    fn labelled(&mut self, label: &str, text: &str, role: Role) {
        let head = self.span(format!("{label:<LABEL$}"), Role::Dim);
        self.hanging(head, text, role);
    }

    fn sign(&mut self, (sign, role): (&str, Role), text: &str) {
        let head = self.span(format!("{sign} "), role);
        let paint = if matches!(role, Role::Fail | Role::Warn) { Role::Text } else { Role::Dim };
        self.hanging(head, text, if role == Role::Accent { Role::Text } else { paint });
    }

    fn change(&mut self, change: &crate::change::Change) {
        // The command below names both in full.
        let images = if change.what.starts_with("image ") { diff::of_one_repository(&change.before, &change.after) } else { None };
        let (before, after) = images.unwrap_or_else(|| (change.before.clone(), change.after.clone()));
        let text = if before.is_empty() { after } else { format!("{before}  →  {after}") };
        let head = self.span(text::pad(&text::fit_middle(&change.what, self.label - 1), self.label), Role::Dim);
        self.hanging(head, &text, Role::Text);
    }

    /// A text behind its head; what does not fit goes on below it.
    fn hanging(&mut self, head: Span<'static>, text: &str, role: Role) {
        let indent = head.width();
        let mut heads = std::iter::once(head).chain(std::iter::repeat(Span::raw(" ".repeat(indent))));
        for part in broken(text, self.room.saturating_sub(indent)) {
            let head = heads.next().unwrap_or_default();
            let part = self.span(part, role);
            self.lines.push(Line::from(vec![head, part]));
        }
    }
}

/// Breaks a line at blanks, and a word that is longer than the room behind a sign that parts an ARN or an image, else wherever the room
/// ends: nothing of a command is left out.
fn broken(line: &str, room: usize) -> Vec<String> {
    let room = room.max(8);
    let (mut lines, mut last) = (Vec::new(), String::new());
    for word in line.split(' ') {
        let mut word = word;
        if !last.is_empty() && text::width(&last) + 1 + text::width(word) > room {
            lines.push(std::mem::take(&mut last));
        } else if !last.is_empty() {
            last.push(' ');
        }
        while text::width(word) > room {
            // The room is at least eight cells, and no character takes more than two.
            let end = text::end_at(word, room).unwrap_or(word.len());
            let end = word[..end].rfind(['/', ':', '@', ',']).map(|at| at + 1).filter(|at| *at > end / 2).unwrap_or(end);
            lines.push(word[..end].to_owned());
            word = &word[end..];
        }
        last.push_str(word);
    }
    lines.push(last);
    lines
}

#[cfg(test)]
mod tests {
    use super::broken;

    #[test]
    fn nothing_of_a_command_is_left_out() {
        let line = "aws ecs update-service --service arn:aws:ecs:eu-west-1:123456789012:service/payments-prod/checkout --desired-count 3";
        for room in 8..60 {
            let parts = broken(line, room);
            assert!(parts.iter().all(|part| part.chars().count() <= room), "{parts:?}");
            assert_eq!(parts.concat().replace(' ', ""), line.replace(' ', ""), "{room}");
        }
        assert_eq!(broken("one two three", 8), ["one two", "three"]);
    }
}
