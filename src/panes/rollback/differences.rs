//! What differs between a revision and what the service asks for, and what was checked before going back to it.

use super::Rollback;
use crate::change::plans;
use crate::change::{Weight, diff, revisions};
use crate::feed::Feed;
use crate::model::Arn;
use crate::text;
use crate::theme::Role;
use crate::ui::frame;
use crate::view::Cx;
use ratatui::text::{Line, Span};

impl Rollback {
    /// What differs from what the service asks for now, then what was checked.
    pub(super) fn differences(&self, room: usize, cx: &Cx) -> (String, Vec<Line<'static>>) {
        let Some(row) = self.table.row() else { return ("Differences".to_owned(), Vec::new()) };
        let facts = self.facts(cx);
        let Some(now) = self.newest(cx).filter(|now| *now != row.arn) else {
            return (format!("{} runs now", row.arn.name()), said("●", Role::Ok, "this is what the service asks for", room, cx));
        };
        // Between two sets of tasks the newest is on its way, and the other one serves.
        let between = row.current || revisions::history(&facts, &self.target.arn).iter().any(|other| other.current && other.arn != now);
        let newest = if between { "rolling out" } else { "now" };
        let serves = if row.current { " (serves)" } else { "" };
        let raw = |arn: &Arn| cx.store.raw_definition(facts.ctx, arn);
        let mut lines: Vec<Line<'static>> = Vec::new();
        // That a text is the same says little where its tags name other images by now: this stands first and is never cut away.
        let moved = plans::moved_tags(&facts, &self.target.arn, &row.arn);
        for note in &moved {
            lines.extend(said("▲", Role::Warn, &note.text, room, cx));
        }
        let title = if let (Some(old), Some(new)) = (raw(&now), raw(&row.arn)) {
            let found = diff::of(old, new);
            let width = found.iter().map(|line| text::width(&line.what)).max().unwrap_or(0).clamp(8, (room / 2).max(8));
            for line in &found {
                lines.extend(told(line, width, room, cx));
            }
            if found.is_empty() {
                let words = if moved.is_empty() { "the same text" } else { "the same text, other images: a tag has moved" };
                lines.extend(said("●", Role::Dim, words, room, cx));
            }
            let tags = if moved.is_empty() { "" } else { " · ▲ tags moved" };
            let differ = if found.len() == 1 { "differs" } else { "differ" };
            format!("{} ({newest}) → {}{serves} · {} {differ}{tags}", number(&now), row.revision, found.len())
        } else {
            let error = [&now, &row.arn].into_iter().find_map(|arn| cx.store.error(&Feed::RawDefinition(facts.ctx, arn.clone())));
            lines.extend(match error {
                Some(error) => said("?", Role::Stale, &error.what, room, cx),
                None => said("…", Role::Dim, "both revisions are being read", room, cx),
            });
            format!("{} ({newest}) → {}{serves}", number(&now), row.revision)
        };
        lines.push(Line::default());
        match self.plan(cx) {
            Some(Ok(plan)) => {
                for note in plan.notes.iter().filter(|note| !moved.contains(note)) {
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
pub(in crate::panes) fn told(line: &diff::DiffLine, width: usize, room: usize, cx: &Cx) -> Vec<Line<'static>> {
    let style = |role| cx.theme.style(role);
    let head = Span::styled(text::pad(&line.what, width) + " ", style(Role::Dim));
    let rest = room.saturating_sub(width + 1);
    let value = |sign: &str, value: &str, role| Span::styled(text::fit_middle(&format!("{sign}{value}"), rest).into_owned(), style(role));
    let images = line.before.as_deref().zip(line.after.as_deref()).filter(|_| line.what.starts_with("image "));
    let (before, after) = match images.and_then(|(before, after)| diff::of_one_repository(before, after)) {
        Some((before, after)) => (Some(before), Some(after)),
        None => (line.before.clone(), line.after.clone()),
    };
    match (&before, &after) {
        (Some(old), Some(new)) if text::width(old) + text::width(new) + 5 <= rest => {
            vec![Line::from(vec![
                head,
                Span::styled(format!("{old}  →  "), style(Role::Dim)),
                Span::styled(new.clone(), style(Role::Text)),
            ])]
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
