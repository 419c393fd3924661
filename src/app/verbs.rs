//! The menu of changes: every verb with its letter, and beside one that does not apply here the reason. Also `:write` and `:undo`,
//! which are words of the palette.

use super::changes::{named, verb};
use super::menu::{Menu, Purpose};
use super::{App, Effect, Overlay};
use crate::action::Action;
use crate::change::gate::{LONGEST, Standing};
use crate::duration;
use crate::keys::Key;
use crate::model::Ctx;
use crate::ui::age;
use crate::view::Tone;
use std::time::Duration;

/// The letters of the menu; those of the keys where there is one. None is the letter that confirms.
const LETTERS: &[(char, Action)] = &[
    ('R', Action::Redeploy),
    ('S', Action::Scale),
    ('B', Action::RollBack),
    ('i', Action::DeployImage),
    ('X', Action::StopTasks),
    ('e', Action::EnableExec),
    ('t', Action::RunTask),
    ('g', Action::ScalingRange),
    ('c', Action::Continue),
    ('b', Action::Abandon),
    ('p', Action::Protect),
    ('u', Action::Unprotect),
    ('d', Action::Drain),
    ('a', Action::Activate),
];

/// How long production is armed when no time is said.
const ARMED: Duration = Duration::from_mins(15);

impl App {
    /// Opens the menu of changes for what the cursor is on.
    pub(super) fn action_menu(&mut self) {
        let mut first: Vec<(char, String)> = Vec::new();
        let mut rest: Vec<(char, String)> = Vec::new();
        for (letter, action) in LETTERS {
            let row = action.row();
            let word = row.name.replace('-', " ");
            match verb(*action).map_or(Err(String::new()), |verb| self.targets(verb)) {
                Ok((targets, _)) => {
                    let why = self.hindrance(*action, &targets).map_or(String::new(), |why| format!(" · {why}"));
                    first.push((*letter, format!("{word:<15}{}{why}", named(&targets))));
                }
                Err(why) => rest.push((*letter, format!("{word:<15}– {why}"))),
            }
        }
        first.append(&mut rest);
        self.overlay = Some(Overlay::Menu(Menu { title: "change", entries: first, purpose: Purpose::Change }));
    }

    /// Does what a letter of the menu means.
    pub(super) fn action_chosen(&mut self, letter: char) {
        match LETTERS.iter().find(|(known, _)| *known == letter) {
            Some((_, action)) => self.change(*action, letter.to_string().parse::<Key>().ok()),
            None => self.tell(Tone::Info, format!("{letter} is not in the menu")),
        }
    }

    /// `write 15m` arms the context that the screen is about, `write off` locks it again.
    pub(super) fn write(&mut self, words: &str) -> Vec<Effect> {
        let time = match words.trim() {
            "" => Some(ARMED),
            "off" => Some(Duration::ZERO),
            text => duration::parse(text),
        };
        let Some(time) = time else {
            self.tell(Tone::Warn, format!("write {}: say how long, as in  write 15m  or  write off", words.trim()));
            return Vec::new();
        };
        if time > LONGEST {
            self.tell(Tone::Warn, format!("write {}: {}h is the longest", words.trim(), LONGEST.as_secs() / 3600));
            return Vec::new();
        }
        if let Some(ctx) = self.context() {
            return vec![Effect::Arm(ctx, time)];
        }
        self.tell(Tone::Warn, "write: open a cluster first, so that it is clear which context is meant");
        Vec::new()
    }

    /// How a context stands at the gate, for the header: RW, RO, or how long it is armed.
    pub(super) fn standing(&self, ctx: Ctx) -> (String, crate::theme::Role) {
        use crate::theme::Role;
        let cluster = self.subject().place.cluster;
        match self.rules.standing(ctx, cluster.as_ref(), self.shared.now) {
            _ if self.rules.dry_run() => ("DRY".to_owned(), Role::Dim),
            Standing::Open => ("RW".to_owned(), Role::Text),
            Standing::Armed { until } => {
                let left = until.as_second().saturating_sub(self.shared.now.as_second());
                let left = match left {
                    ..60 => age::short(left),
                    60..3600 => format!("{}m{:02}s", left / 60, left % 60),
                    _ => format!("{}h{:02}m", left / 3600, left % 3600 / 60),
                };
                (format!("ARMED {left}"), Role::Warn)
            }
            Standing::Locked { .. } => ("RO".to_owned(), Role::Dim),
        }
    }

    /// Whether the header counts down.
    pub(super) fn counts_down(&self) -> bool {
        let ctx = self.context();
        let cluster = self.subject().place.cluster;
        ctx.is_some_and(|ctx| matches!(self.rules.standing(ctx, cluster.as_ref(), self.shared.now), Standing::Armed { .. }))
    }
}
