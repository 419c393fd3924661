//! The panel's picture: a frame that says what is shown and how, and the visible lines.

use super::stamps::age;
use super::{Panel, Stamps};
use crate::logs::fields::{Json, Rich, Tint};
use crate::logs::{Buffer, Key, Line, Paint};
use crate::model::{Arn, Time};
use crate::text::{end_at, fit, fit_middle, pad, width};
use ratatui::buffer::Buffer as Screen;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::Line as Words;
use ratatui::widgets::{Block, Widget};

/// Cells from which on there is room for milliseconds, the words of levels and whole container names.
const WIDE: u16 = 100;

/// Letters of a container's name that are shown when there is more than one.
const CONTAINER: usize = 12;

/// What the panel cannot know of itself.
#[derive(Clone, Copy, Debug)]
pub struct Look<'a> {
    /// Colours.
    pub paint: &'a Paint,
    /// AWS's time now.
    pub now: Time,
    /// What is shown, for the top of the frame, the most important first; what does not fit is left out.
    pub title: &'a [String],
    /// A failure or a note, shown above lines that are kept; the first says whether it is a failure.
    pub banner: Option<(bool, &'a str)>,
    /// Whether there is anything to read: a stream, and no refusal to read it.
    pub reading: bool,
    /// That what wrote the lines has stopped, and when: no more will come.
    pub ended: Option<&'a str>,
    /// What to say when there is no line.
    pub empty: &'a [String],
    /// All tasks, in the order of their hues.
    pub tasks: &'a [Arn],
    /// Cells of the longest container name; none when there is only one container.
    pub container: usize,
    /// Milliseconds between the writing of the newest line and its arrival here.
    pub lag: Option<i64>,
    /// The keys for opening, following, the next and previous match.
    pub keys: [&'a str; 4],
}

/// Columns before the text.
struct Columns {
    stamp: usize,
    day: bool,
    fine: bool,
    task: usize,
    container: usize,
    level: usize,
}

impl Columns {
    fn width(&self) -> usize {
        let column = |cells: usize| if cells == 0 { 0 } else { cells + 1 };
        1 + column(self.stamp) + column(self.task) + column(self.container) + column(self.level)
    }
}

impl Panel {
    /// Draws into the area: what is visible and nothing else.
    pub fn draw(&mut self, area: Rect, screen: &mut Screen, buffer: &Buffer, look: &Look) {
        let framed = area.height >= 5 && area.width >= 20;
        let inner = if framed { Rect::new(area.x + 1, area.y + 1, area.width - 2, area.height - 2) } else { area };
        let inner = banner(inner, screen, look);
        let columns = self.columns(inner, look);
        self.resize(usize::from(inner.width).saturating_sub(columns.width()).max(8), usize::from(inner.height));
        self.settle(buffer);
        if framed {
            let foot = self.foot(buffer, look, usize::from(area.width) - 4);
            let title = self.title(buffer, look, usize::from(area.width) - 4);
            Block::bordered()
                .border_style(look.paint.border)
                .title_top(Words::styled(title, look.paint.title))
                .title_bottom(Words::styled(foot, look.paint.dim))
                .render(area, screen);
        }
        let lines = self.visible(buffer);
        if lines.is_empty() {
            empty(inner, screen, look);
        }
        let chosen = self.range.map(|start| (start.min(self.cursor.unwrap_or(start)), start.max(self.cursor.unwrap_or(start))));
        let offset = self.top.map_or(0, |(_, rows)| rows);
        for (n, (key, start, _)) in lines.into_iter().enumerate() {
            let skip = if n == 0 { offset } else { 0 };
            let marked = self.marks.contains(&key) || chosen.is_some_and(|(from, to)| (from..=to).contains(&key));
            self.line(key, (start, skip), marked, inner, screen, buffer, &columns, look);
        }
    }

    /// Whether what is drawn changes by itself.
    #[must_use]
    pub fn ages(&self) -> bool {
        self.stamps == Stamps::Age && !self.lens().is_empty()
    }

    /// The row of the panel that a row of its area is, below frame and banner.
    #[must_use]
    pub fn row_at(&self, row: u16, area: Rect, look_has_banner: bool) -> Option<usize> {
        let framed = area.height >= 5 && area.width >= 20;
        usize::from(row).checked_sub(usize::from(framed) + usize::from(look_has_banner)).filter(|row| *row < self.size.1)
    }

    fn columns(&self, area: Rect, look: &Look) -> Columns {
        let wide = area.width + 2 >= WIDE;
        let today = |at: i64| {
            let at = Time::from_millisecond(at).unwrap_or(look.now);
            self.zone.to_datetime(at).date() == self.zone.to_datetime(look.now).date()
        };
        let day = self.top.is_some_and(|(key, _)| !today(key.at));
        let narrow = area.width < 50;
        Columns {
            stamp: self.stamps.width(day && !narrow, wide),
            day: day && !narrow,
            fine: wide,
            task: if look.tasks.len() > 1 { 4 } else { 0 },
            container: look.container.min(if wide { CONTAINER } else { CONTAINER / 2 }),
            level: if wide { 7 } else { 1 },
        }
    }

    #[allow(clippy::too_many_arguments, reason = "one line, its place, and the four things that a picture needs")]
    fn line(
        &mut self,
        key: Key,
        (start, skip): (usize, usize),
        marked: bool,
        area: Rect,
        screen: &mut Screen,
        buffer: &Buffer,
        columns: &Columns,
        look: &Look,
    ) {
        let Some(line) = buffer.get(key.id) else { return };
        let (item, gap) = (self.item(buffer, key), self.gap(buffer, key));
        let selected = self.cursor == Some(key);
        let aside = self.lens.context() && !self.lens.keeps(key);
        let found = self.found_aside(key, &item, buffer);
        let paint = look.paint;
        for row in skip..item.rows.len() + usize::from(gap) {
            let Some(y) = u16::try_from(start + row - skip).ok().filter(|y| *y < area.height).map(|y| area.y + y) else { break };
            if gap && row == 0 {
                screen.set_stringn(area.x, y, "┈".repeat(usize::from(area.width)), usize::from(area.width), paint.dim);
                continue;
            }
            let row = row - usize::from(gap);
            if selected {
                screen.set_style(Rect { y, height: 1, ..area }, paint.selection);
            }
            let mut x = area.x;
            if row == 0 {
                x = self.prefix(line, key, (selected, marked, aside, found && item.more == 0), area, y, screen, columns, look);
            } else {
                x += u16::try_from(columns.width()).unwrap_or(u16::MAX).min(area.width);
            }
            let room = usize::from(area.right().saturating_sub(x));
            let more = if row + 1 == item.rows.len() && item.more > 0 {
                format!(" +{} line{} {}", item.more, if item.more == 1 { "" } else { "s" }, look.keys[0])
            } else {
                String::new()
            };
            let tail = width(&more).min(room / 2);
            self.text(&item.rows[row], aside, (x, y), room - tail, screen, paint);
            if tail > 0 {
                let at = area.right() - u16::try_from(tail).unwrap_or(0);
                screen.set_stringn(at, y, fit(&more, tail), tail, if found { paint.dim.patch(paint.found) } else { paint.dim });
            }
        }
    }

    /// The columns before the text. Returns where the text starts.
    #[allow(clippy::too_many_arguments, reason = "one line, its place, and the three things that a picture needs")]
    fn prefix(
        &self,
        line: &Line,
        key: Key,
        (selected, marked, aside, found): (bool, bool, bool, bool),
        area: Rect,
        y: u16,
        screen: &mut Screen,
        columns: &Columns,
        look: &Look,
    ) -> u16 {
        let (paint, mut x) = (look.paint, area.x);
        let mark = match (selected, marked) {
            (true, true) => "»",
            (true, false) => ">",
            (false, true) => "+",
            (false, false) => " ",
        };
        let right = area.right();
        let mut put = |text: &str, style: Style| {
            let room = usize::from(right.saturating_sub(x));
            x = screen.set_stringn(x, y, text, room, if aside { paint.dim } else { style }).0;
        };
        put(mark, paint.accent);
        if columns.stamp > 0 {
            let stamp = self.stamps.show(key.at, look.now, &self.zone, columns.day, columns.fine);
            put(&stamp, paint.dim);
            put(" ", paint.dim);
        }
        let source = &line.log.source;
        if columns.task > 0 {
            let hue = look.tasks.iter().position(|task| *task == source.task).unwrap_or(0);
            put(&pad(short(source.task.name()), columns.task), paint.task(hue));
            put(" ", paint.dim);
        }
        if columns.container > 0 {
            put(&pad(&fit_middle(&source.container, columns.container), columns.container), paint.dim);
            put(" ", paint.dim);
        }
        let level = if found { paint.level(line.level).patch(paint.found) } else { paint.level(line.level) };
        if columns.level > 1 {
            let word = line.level.map_or(String::new(), |level| format!("{} {}", level.glyph(), level.word()));
            put(&pad(&word, columns.level), level);
        } else {
            put(&line.level.map_or(' ', crate::logs::Level::glyph).to_string(), level);
        }
        put(" ", paint.dim);
        x
    }

    /// A row of text with what the search found in it.
    fn text(&self, row: &Rich, aside: bool, (x, y): (u16, u16), room: usize, screen: &mut Screen, paint: &Paint) {
        let found = self.lens.query().search.as_ref().map_or(Vec::new(), |search| search.ranges(&row.text));
        let from = if self.shift == 0 { 0 } else { end_at(&row.text, self.shift).unwrap_or(row.text.len()) };
        let rest = &row.text[from..];
        let cut = end_at(rest, room).is_some();
        let end = from + if cut { end_at(rest, room.saturating_sub(1)).unwrap_or(0) } else { rest.len() };
        let (mut x, limit) = (x, x + u16::try_from(room).unwrap_or(u16::MAX));
        let mut start = 0;
        for (piece_end, tint) in &row.pieces {
            let style = match tint {
                Tint::Plain if !aside => paint.text,
                _ => paint.dim,
            };
            let mut at = start.max(from);
            let stop = (*piece_end).min(end);
            while at < stop {
                let inside = found.iter().find(|range| range.end > at && range.start < stop);
                let (next, style) = match inside {
                    Some(range) if range.start <= at => (range.end.min(stop), style.patch(paint.found)),
                    Some(range) => (range.start, style),
                    None => (stop, style),
                };
                x = screen.set_stringn(x, y, &row.text[at..next], usize::from(limit - x), style).0;
                at = next;
            }
            start = *piece_end;
        }
        if cut && x < limit {
            screen.set_stringn(x, y, "…", 1, paint.dim);
        }
    }

    /// The top of the frame: whether it follows is said first when there is little room, so it never falls off.
    fn title(&self, buffer: &Buffer, look: &Look, room: usize) -> String {
        let state = if let Some(ended) = look.ended.filter(|_| buffer.state().caught_up || !look.reading) {
            ended.to_owned()
        } else if self.follow {
            match (buffer.state().caught_up, buffer.state().live) {
                (false, _) if !look.reading => String::new(),
                (false, _) => "READING".to_owned(),
                (true, false) => "FOLLOW".to_owned(),
                (true, true) => "LIVE TAIL".to_owned(),
            }
        } else {
            match self.unseen() {
                0 => format!("PAUSED · {} follows", look.keys[1]),
                new => format!("PAUSED {} new ▼ {} follows", grouped(new), look.keys[1]),
            }
        };
        let mut parts = look.title.to_vec();
        while parts.len() > 1 && width(&parts.join(" · ")) + width(&state) + 5 > room {
            parts.pop();
        }
        parts.extend((!state.is_empty()).then_some(state));
        let text = parts.join(" · ");
        format!(" {} ", fit(&text, room.saturating_sub(2)))
    }

    /// The foot of the frame; what does not fit is left out, the least important first.
    fn foot(&self, buffer: &Buffer, look: &Look, room: usize) -> String {
        let mut parts = Vec::new();
        if !self.search().is_empty() {
            let place = match self.lens.hit_number(self.cursor) {
                (_, 0) => "no match".to_owned(),
                (Some(number), all) => format!("match {}/{}", grouped(number), grouped(all)),
                (None, all) => format!("{} matches", grouped(all)),
            };
            parts.push(format!("{place} {} {}", look.keys[2], look.keys[3]));
        }
        if self.marked() > 0 {
            parts.push(format!("{} marked", grouped(self.marked())));
        }
        parts.push(format!("min {}", self.lens.query().level.map_or("ALL", crate::logs::Level::word)));
        let (shown, all) = (self.lens.len(), buffer.heads().len());
        parts.push(if shown == all {
            format!("{} lines", compact(buffer.len()))
        } else {
            format!("{} of {} lines", compact(shown), compact(all))
        });
        if self.lens.previews() {
            parts.push(format!("typing: newest {} only", grouped(usize::try_from(crate::logs::lens::PREVIEW).unwrap_or(usize::MAX))));
        }
        if buffer.evicted() > 0 {
            parts.push(format!("{} oldest dropped", grouped(usize::try_from(buffer.evicted()).unwrap_or(usize::MAX))));
        }
        if let Some(days) = buffer.state().retention_days {
            parts.push(format!("kept {days} day{}", if days == 1 { "" } else { "s" }));
        }
        // What has ended has no pace.
        parts.extend(pace(buffer, look).filter(|_| look.ended.is_none()));
        parts.push(format!("{} of {} MiB", buffer.bytes() >> 20, buffer.budget() >> 20));
        let mode = match self.json {
            Json::Columns => "",
            Json::Pretty => "pretty",
            Json::Raw => "raw",
        };
        let wrap = if self.wrap { "wrap" } else { "" };
        if self.shift > 0 {
            parts.push(format!("→ {}", self.shift));
        }
        parts.extend([mode, wrap, self.stamps.word()].into_iter().filter(|word| !word.is_empty()).map(str::to_owned));
        while parts.len() > 1 && width(&parts.join(" │ ")) + 2 > room {
            parts.pop();
        }
        format!(" {} ", fit(&parts.join(" │ "), room.saturating_sub(2)))
    }
}

/// A failure never takes the place of lines: it stands above them.
fn banner(area: Rect, screen: &mut Screen, look: &Look) -> Rect {
    let Some((failure, text)) = look.banner.filter(|_| area.height > 2) else { return area };
    let (glyph, style) = if failure { ("✖ ", look.paint.fail) } else { ("· ", look.paint.warn) };
    let room = usize::from(area.width);
    screen.set_stringn(area.x, area.y, fit(&format!("{glyph}{text}"), room), room, style);
    Rect { y: area.y + 1, height: area.height - 1, ..area }
}

/// How many lines a second there are, and how far behind they come; sampled lines are admitted.
fn pace(buffer: &Buffer, look: &Look) -> Option<String> {
    // Ten seconds.
    const SPAN: i64 = 10_000;
    let newest = buffer.heads().back()?.at;
    let recent = buffer.heads().len() - buffer.heads().partition_point(|key| key.at <= newest - SPAN);
    let rate = if recent < 100 { format!("{}.{}", recent / 10, recent % 10) } else { (recent / 10).to_string() };
    let sampled = if buffer.state().sampled { " sampled" } else { "" };
    let lag = look.lag.map_or(String::new(), |lag| {
        if lag < 60_000 { format!(" lag {}.{}s", lag / 1000, lag % 1000 / 100) } else { format!(" lag {}", age(lag)) }
    });
    Some(format!("{rate}/s{sampled}{lag}"))
}

/// The beginning of a task's id: enough to tell tasks apart by.
pub fn short(id: &str) -> &str {
    &id[..id.floor_char_boundary(4)]
}

fn empty(area: Rect, screen: &mut Screen, look: &Look) {
    let top = area.y + area.height.saturating_sub(u16::try_from(look.empty.len()).unwrap_or(0)) / 2;
    for (n, text) in (0..).zip(look.empty) {
        let y = top + n;
        if y >= area.bottom() {
            break;
        }
        let text = fit(text, usize::from(area.width));
        let blank = usize::from(area.width).saturating_sub(width(&text)) / 2;
        screen.set_stringn(area.x + u16::try_from(blank).unwrap_or(0), y, &text, usize::from(area.width), look.paint.dim);
    }
}

/// A number with its thousands set apart.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number in at most five letters from a hundred thousand on.
fn compact(number: usize) -> String {
    if number < 100_000 { grouped(number) } else { format!("{}k", number / 1000) }
}
