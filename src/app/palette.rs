//! The palette: everywhere one can go and everything one can do, by name. A pasted ARN goes straight there.

use super::{App, Effect};
use crate::action::{ACTIONS, Action, Risk, Scope};
use crate::filter::Query;
use crate::keys::{Code, Key};
use crate::model::Arn;
use crate::panes::{self, PANES};
use crate::text;
use crate::theme::{Role, Theme};
use crate::ui::frame;
use crate::ui::input::Input;
use crate::view::{Place, Tone};
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::widgets::{Clear, Widget};

/// Rows of the list.
const ROWS: usize = 14;

/// What choosing an entry does.
#[derive(Clone)]
enum Go {
    Pane(&'static str, Place),
    Here(&'static str),
    Act(crate::action::Action),
    Theme(String),
    Drill(String),
    Write(String),
    Quit,
}

/// A line of the palette.
struct Entry {
    kind: &'static str,
    name: String,
    about: String,
    go: Go,
}

/// The open palette.
pub struct Palette {
    input: Input,
    entries: Vec<Entry>,
    shown: Vec<usize>,
    cursor: usize,
}

impl Palette {
    pub fn paste(&mut self, text: &str) {
        self.input.paste(text);
        self.find();
    }

    /// What is called just so first, then the best match; without a query, the order of the entries.
    fn find(&mut self) {
        self.cursor = 0;
        let text = self.input.text().trim();
        let Ok(query) = Query::parse(text, &[]) else { return };
        self.shown = self.scored(text, |entry| query.score(&format!("{} {}", entry.kind, entry.name)));
        // What is called so may be something else than it is said to be.
        if let Some((_, name)) = said(text).filter(|_| self.shown.is_empty())
            && let Ok(query) = Query::parse(name, &[])
        {
            self.shown = self.scored(name, |entry| query.score(&entry.name));
        }
    }

    fn scored(&self, text: &str, score: impl Fn(&Entry) -> Option<i64>) -> Vec<usize> {
        let found = |(n, entry): (usize, &Entry)| score(entry).map(|score| (entry.name != text, -score, n));
        let mut scored: Vec<(bool, i64, usize)> = self.entries.iter().enumerate().filter_map(found).collect();
        scored.sort_unstable();
        scored.into_iter().map(|(_, _, n)| n).collect()
    }

    pub fn draw(&self, screen: Rect, buf: &mut Buffer, theme: &Theme) -> Position {
        let width = screen.width.min(90);
        let height = u16::try_from(ROWS + 3).unwrap_or(u16::MAX).min(screen.height);
        let area = Rect { x: screen.x + (screen.width - width) / 2, y: screen.y + (screen.height - height) / 4, width, height };
        Clear.render(area, buf);
        buf.set_style(area, theme.base());
        let remark = format!("{} of {} · ↑↓ choose · ⏎ go · esc closes", self.shown.len(), self.entries.len());
        frame::draw(area, buf, theme, "go to, or do", &(remark, Role::Dim));
        let room = usize::from(width.saturating_sub(4));
        buf.set_string(area.x + 2, area.y + 1, ":", theme.style(Role::Accent));
        let cursor = self.input.draw(Rect { x: area.x + 4, y: area.y + 1, width: width.saturating_sub(6), height: 1 }, buf, theme);
        let rows = usize::from(height.saturating_sub(3));
        let top = (self.cursor + 1).saturating_sub(rows);
        if self.shown.is_empty() {
            let none = "nothing is called so; names of services and tasks are known once their cluster was read";
            buf.set_stringn(area.x + 2, area.y + 2, text::fit(none, room), room, theme.style(Role::Dim));
        }
        let names: Vec<&str> = self.shown.iter().skip(top).take(rows).map(|n| self.entries[*n].name.as_str()).collect();
        let differences = text::differences(&names);
        for (line, n) in self.shown.iter().skip(top).take(rows).enumerate() {
            let (entry, chosen) = (&self.entries[*n], line + top == self.cursor);
            let y = area.y + 2 + u16::try_from(line).unwrap_or(0);
            if chosen {
                buf.set_style(Rect { x: area.x + 1, y, width: width.saturating_sub(2), height: 1 }, theme.style(Role::Selection));
            }
            let name = format!("{:<10}{:<34}", entry.kind, text::fit_apart(&entry.name, &differences[line], 33));
            buf.set_stringn(area.x + 2, y, &name, room, theme.style(Role::Text));
            let rest = room.saturating_sub(44);
            buf.set_stringn(area.x + 46, y, text::fit(&entry.about, rest), rest, theme.style(Role::Dim));
        }
        cursor
    }
}

/// What kind of thing was said to be meant, and its name.
fn said(text: &str) -> Option<(&str, &str)> {
    const KINDS: [&str; 8] = ["pane", "ctx", "context", "profile", "cluster", "service", "task", "theme"];
    let (kind, name) = text.split_once(' ')?;
    KINDS.contains(&kind).then(|| (kind, name.trim())).filter(|(_, name)| !name.is_empty())
}

/// A kind of thing in a whole word.
fn what(kind: &str) -> &str {
    if matches!(kind, "ctx" | "profile") { "context" } else { kind }
}

impl App {
    pub(super) fn palette(&self) -> Palette {
        let mut entries = self.commands();
        self.places(&mut entries);
        let shown = (0..entries.len()).collect();
        Palette { input: Input::new(""), entries, shown, cursor: 0 }
    }

    fn commands(&self) -> Vec<Entry> {
        let entry = |kind, name: &str, about: &str, go| Entry { kind, name: name.to_owned(), about: about.to_owned(), go };
        let mut entries: Vec<Entry> = PANES.iter().map(|pane| entry("pane", pane.name, pane.help, Go::Here(pane.name))).collect();
        for ctx in self.shared.fleet.all() {
            let context = self.shared.fleet.context(ctx);
            let place = Place { ctx: Some(ctx), ..Place::default() };
            entries.push(entry("ctx", &context.name, &format!("only this context, {}", context.region), Go::Pane("fleet", place)));
        }
        entries.extend(self.themes.iter().map(|name| entry("theme", name, "change the colours", Go::Theme(name.clone()))));
        entries.extend(self.drills.iter().map(|(name, about)| entry("drill", name, about, Go::Drill(name.clone()))));
        // Quit is a key that asks; the word quits.
        let named = |action| !matches!(action, crate::action::Action::Pane(_) | crate::action::Action::Quit);
        let global = ACTIONS.iter().filter(|row| row.scope == Scope::Global && named(row.action));
        entries.extend(global.map(|row| entry("do", row.name, row.help, Go::Act(row.action))));
        // A word that is not there is taken for another one: these say themselves that there is nothing to take back.
        let back = |action| matches!(action, Action::Undo | Action::Redo);
        let here = self.here();
        let changes = ACTIONS.iter().filter(|row| row.risk != Risk::Read && (back(row.action) || self.works(row.action, &here)));
        entries.extend(changes.map(|row| entry("do", row.name, row.help, Go::Act(row.action))));
        let write = [("15m", "Let this context's production be changed for 15 minutes"), ("off", "Lock this context's production again")];
        entries.extend(write.map(|(time, about)| entry("do", &format!("write {time}"), about, Go::Write(time.to_owned()))));
        entries.extend(["q", "quit"].map(|word| entry("do", word, "Quit from anywhere, without being asked", Go::Quit)));
        entries
    }

    fn places(&self, entries: &mut Vec<Entry>) {
        let store = &self.shared.store;
        for ctx in self.shared.fleet.all() {
            let context = &self.shared.fleet.context(ctx).name;
            for cluster in store.clusters(ctx).unwrap_or_default() {
                let place = Place { ctx: Some(ctx), cluster: Some(cluster.arn.clone()), ..Place::default() };
                entries.push(Entry {
                    kind: "cluster",
                    name: cluster.name.to_string(),
                    about: context.to_string(),
                    go: Go::Pane("services", place.clone()),
                });
                for task in store.tasks(ctx, &cluster.arn).unwrap_or_default() {
                    let place = Place { task: Some(task.arn.clone()), ..place.clone() };
                    let about = format!("{} {}", task.group, task.status.as_str());
                    entries.push(Entry { kind: "task", name: task.arn.name().to_owned(), about, go: Go::Pane("describe", place) });
                }
            }
        }
        for row in self.shared.board.all() {
            let place = Place {
                ctx: Some(row.ctx),
                cluster: Some(row.cluster.clone()),
                service: Some(row.service.arn.clone()),
                ..Place::default()
            };
            let about = format!("{} {} {}", row.verdict.health.glyph(), row.cluster.name(), row.verdict.why);
            entries.push(Entry { kind: "service", name: row.service.name.to_string(), about, go: Go::Pane("tasks", place) });
        }
    }

    pub(super) fn palette_key(&mut self, mut palette: Palette, key: Key) -> Vec<Effect> {
        let last = palette.shown.len().saturating_sub(1);
        match key.code {
            Code::Enter => return self.palette_choose(&palette),
            Code::Up => palette.cursor = palette.cursor.saturating_sub(1),
            Code::Down => palette.cursor = (palette.cursor + 1).min(last),
            Code::Char('p') if key.ctrl => palette.cursor = palette.cursor.saturating_sub(1),
            Code::Char('n') if key.ctrl => palette.cursor = (palette.cursor + 1).min(last),
            _ => {
                if palette.input.key(key) {
                    palette.find();
                }
            }
        }
        self.overlay = Some(super::Overlay::Palette(palette));
        Vec::new()
    }

    fn palette_choose(&mut self, palette: &Palette) -> Vec<Effect> {
        let typed = palette.input.text().trim();
        if typed.starts_with("arn:") {
            match self.place_of(&Arn::from(typed)) {
                Ok((pane, place)) => self.open_named(pane, place),
                Err(why) => self.tell(Tone::Warn, why),
            }
            return Vec::new();
        }
        if let Some(words) = typed.strip_prefix("write").filter(|words| words.is_empty() || words.starts_with(' ')) {
            return self.write(words);
        }
        if typed == "drill" && !self.drills.is_empty() {
            let names: Vec<&str> = self.drills.iter().map(|(name, _)| name.as_str()).collect();
            self.tell(Tone::Info, format!("say which, as in :drill {}: {}", names[0], names.join(" ")));
            return Vec::new();
        }
        let Some(entry) = palette.shown.get(palette.cursor).map(|n| &palette.entries[*n]) else {
            self.tell(Tone::Warn, format!("nothing is called {typed}"));
            return Vec::new();
        };
        let other = said(typed).filter(|(kind, _)| what(kind) != what(entry.kind) && !entry.name.starts_with(kind));
        let remark = other.map(|(kind, _)| format!("{} is a {}, not a {}", entry.name, what(entry.kind), what(kind)));
        match entry.go.clone() {
            Go::Pane(name, place) => {
                self.open_named(name, place);
                if let Some(remark) = remark {
                    self.tell(Tone::Info, remark);
                }
            }
            Go::Here(name) => {
                if let Some(pane) = panes::named(name) {
                    // These two show all contexts, wherever the cursor is.
                    let everywhere = matches!(name, "fleet" | "clusters").then(Place::default);
                    self.go(pane, everywhere);
                }
            }
            Go::Act(action) => return self.act(action),
            Go::Theme(name) => return vec![Effect::Theme(name)],
            Go::Drill(name) => return vec![Effect::Drill(name)],
            Go::Write(words) => return self.write(&words),
            // The word quits without being asked, unless that ends what somebody may be in the middle of.
            Go::Quit if self.what_is_open().is_some() => self.ask_to_quit("q"),
            Go::Quit => self.quitting = true,
        }
        Vec::new()
    }

    fn open_named(&mut self, name: &str, place: Place) {
        if let Some(pane) = panes::named(name) {
            self.go(pane, Some(place));
        }
    }

    /// Where a pasted ARN leads.
    fn place_of(&self, arn: &Arn) -> Result<(&'static str, Place), String> {
        let fits = |ctx: &crate::model::Ctx| {
            let region = &*self.shared.fleet.context(*ctx).region == arn.region();
            region && self.shared.store.identity(*ctx).is_none_or(|id| &*id.account == arn.account())
        };
        let ctx = self.shared.fleet.all().find(fits);
        let Some(ctx) = ctx else { return Err(format!("no open context is account {} in {}", arn.account(), arn.region())) };
        let kind = arn.as_str().rsplit(':').next().unwrap_or("").split('/').next().unwrap_or("").to_owned();
        let cluster = |name: &str| Arn(format!("arn:aws:ecs:{}:{}:cluster/{name}", arn.region(), arn.account()).into());
        let place = Place { ctx: Some(ctx), cluster: arn.cluster_name().map(cluster), ..Place::default() };
        match kind.as_str() {
            "cluster" => Ok(("services", Place { cluster: Some(arn.clone()), ..place })),
            "service" => Ok(("tasks", Place { service: Some(arn.clone()), ..place })),
            "task" => Ok(("describe", Place { task: Some(arn.clone()), ..place })),
            "targetgroup" => Ok(("describe", Place { target_group: Some(arn.clone()), cluster: None, ..place })),
            _ => Err(format!("an ARN of a {kind} leads to no pane")),
        }
    }
}
