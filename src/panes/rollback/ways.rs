//! The ways back with their numbers: stop the deployment, go to the revision, go to it with its images pinned.
//!
//! Which of them goes is told by the plans; nothing is sent from here.

use super::{Rollback, say};
use crate::change::cli_lines;
use crate::change::plans::{self, RollBack};
use crate::change::revisions::{Ended, Row};
use crate::text;
use crate::theme::Role;
use crate::view::{Cx, Reaction};
use ratatui::text::{Line, Span};

impl Rollback {
    /// The ways back with their numbers, which never change their meaning: stop the deployment, go to the revision, go to it with its
    /// images pinned. Each with its words and how it goes, or why it does not.
    pub(super) fn ways(&self, cx: &Cx) -> [(u8, String, Result<RollBack, &'static str>); 3] {
        let stop = plans::way_out(&self.facts(cx), &self.target.arn);
        let stop = match stop {
            Some(what) => (1, format!("stop it and roll back, the quickest: {what}"), Ok(RollBack::StopDeployment)),
            None => (1, "stop a deployment".to_owned(), Err("none is under way")),
        };
        let Some(row) = self.table.row() else {
            let none = |n: u8, what: &str| (n, what.to_owned(), Err("no revision is chosen"));
            return [stop, none(2, "deploy a revision"), none(3, "deploy it pinned")];
        };
        let name = row.arn.name();
        let runs = row.current && !matches!(row.ended, Ended::Running);
        let plain = if runs && stop.2.is_err() { Err("it runs now") } else { Ok(RollBack::Revision(row.arn.clone())) };
        let pins = if runs { Vec::new() } else { self.pins(row, cx) };
        let pinned = if pins.is_empty() {
            (3, format!("deploy a clone of {name}, pinned"), Err("no tag is known to have moved"))
        } else {
            let words = format!("deploy a clone of {name} with the images pinned that it ran: a tag has moved since");
            (3, words, Ok(RollBack::Pinned(row.arn.clone(), pins)))
        };
        [stop, (2, format!("deploy {name}"), plain), pinned]
    }

    /// The way that Enter takes: out of the deployment under way unless the operator went to another row, else the one that brings back
    /// what ran.
    pub(super) fn recommended(&self, cx: &Cx) -> Option<u8> {
        let ways = self.ways(cx);
        let there = |n: usize| ways[n].2.is_ok();
        let other = || {
            let past = |row: &&Row| !row.current && !matches!(row.ended, Ended::Running);
            self.table.row().filter(past).is_some_and(|row| self.goal(cx).as_ref() != Some(&row.arn))
        };
        match (there(0), there(1), there(2)) {
            (true, ..) if !other() => Some(1),
            (_, _, true) => Some(3),
            (_, true, _) => Some(2),
            _ => None,
        }
    }

    pub(super) fn way(&self, n: u8, cx: &Cx) -> Reaction {
        match self.ways(cx).into_iter().find(|(own, ..)| *own == n) {
            Some((.., Ok(how))) => self.dialog(how),
            Some((_, what, Err(why))) => say(format!("{n} {what}: {why}")),
            None => Reaction::Ignored,
        }
    }

    /// The lines of the ways: each in a row of its own, with what it would send where there are rows for that. None is ever left out.
    pub(super) fn listed(&self, room: usize, rows: usize, cx: &Cx) -> Vec<Line<'static>> {
        let style = |role| cx.theme.style(role);
        let (first, ways) = (self.recommended(cx), self.ways(cx));
        let commands = |how: &RollBack| {
            let plan = plans::roll_back(&self.facts(cx), &self.target.arn, how).ok();
            // Of a clone the difference says more than its whole definition.
            plan.filter(|_| !matches!(how, RollBack::Pinned(..))).map_or_else(Vec::new, |plan| cli_lines::lines(&plan))
        };
        let sent: Vec<Vec<String>> = ways.iter().map(|(.., how)| how.as_ref().map_or_else(|_| Vec::new(), commands)).collect();
        let roomy = ways.len() + sent.iter().map(Vec::len).sum::<usize>() <= rows;
        let mut lines = Vec::new();
        for ((n, what, how), sent) in ways.iter().zip(sent) {
            let (what, role) = match how {
                Ok(_) => (what.clone(), Role::Text),
                Err(why) => (format!("{what}: {why}"), Role::Dim),
            };
            let key = if Some(*n) == first { "⏎ " } else { "  " };
            let head = Span::styled(format!("{key}{n} "), style(if how.is_ok() { Role::Accent } else { Role::Dim }));
            lines.push(Line::from(vec![head, Span::styled(text::fit(&what, room.saturating_sub(4)).into_owned(), style(role))]));
            for command in sent.iter().filter(|_| roomy) {
                lines.push(Line::styled(format!("    {}", text::fit(command, room.saturating_sub(4))), style(Role::Dim)));
            }
        }
        lines
    }
}
