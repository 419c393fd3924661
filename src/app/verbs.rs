//! The menu of changes: every verb with its letter, and beside one that does not apply here the reason. Also `:write` and `:undo`,
//! which are words of the palette.

use super::changes::{named, verb};
use super::menu::{Menu, Purpose};
use super::{App, Effect, Overlay};
use crate::action::Action;
use crate::change::gate::{Asked, LONGEST, Standing};
use crate::change::{Target, Verb};
use crate::duration;
use crate::keys::Key;
use crate::model::{Ctx, scaling_resource};
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
        let mut faint: Vec<char> = Vec::new();
        let here = self.here();
        for (letter, action) in LETTERS {
            let row = action.row();
            let word = row.name.replace('-', " ");
            if let Some(service) = self.tasks_to_choose(&here).filter(|_| *action == Action::StopTasks).and_then(|place| place.service) {
                first.push((*letter, format!("{word:<15}{} · chosen in its list of tasks", service.name())));
                continue;
            }
            match verb(*action).map_or(Err(String::new()), |verb| self.targets(verb, &here)) {
                Ok(targets) => {
                    let denied = self.denied(*action, &targets);
                    faint.extend(denied.is_some().then_some(*letter));
                    let why = denied.or_else(|| self.hindrance(*action, &targets)).map_or(String::new(), |why| format!(" · {why}"));
                    first.push((*letter, format!("{word:<15}{}{why}", named(&targets))));
                }
                Err(why) => {
                    faint.push(*letter);
                    rest.push((*letter, format!("{word:<15}– {why}")));
                }
            }
        }
        first.append(&mut rest);
        self.overlay = Some(Overlay::Menu(Menu { title: "change", entries: first, faint, purpose: Purpose::Change }));
    }

    /// What AWS refused lately of what an action would send for these targets.
    fn denied(&self, action: Action, targets: &[Target]) -> Option<String> {
        let store = &self.shared.store;
        let by_ecs = |of: &Target| store.service(of.ctx, &of.cluster, &of.arn).is_some_and(|service| &*service.controller == "ECS");
        let refused = |target: &Target| {
            let (asks, on) = match verb(action)? {
                Verb::Scale | Verb::EnableExec => ("ecs:UpdateService", target.arn.to_string()),
                Verb::Redeploy | Verb::DeployImage if by_ecs(target) => ("ecs:UpdateService", target.arn.to_string()),
                Verb::StopTasks => ("ecs:StopTask", target.cluster.to_string()),
                Verb::Drain | Verb::Activate => ("ecs:UpdateContainerInstancesState", target.cluster.to_string()),
                Verb::Protect | Verb::Unprotect => ("ecs:UpdateTaskProtection", target.cluster.to_string()),
                Verb::ScalingRange => {
                    ("application-autoscaling:RegisterScalableTarget", scaling_resource(target.cluster.name(), target.arn.name()))
                }
                // What these send is known to their plans alone; the dialog says it.
                Verb::Redeploy | Verb::RollBack | Verb::DeployImage | Verb::RunTask | Verb::Continue => return None,
            };
            let asked = Asked { ctx: target.ctx, cluster: Some(&target.cluster), action: asks, target: &on };
            self.rules.refused(asked, self.shared.now).map(|said| format!("AWS has just refused it: {said}"))
        };
        let all: Vec<Option<String>> = targets.iter().map(refused).collect();
        if all.iter().all(Option::is_some) { all.into_iter().flatten().next() } else { None }
    }

    /// What the role may not do here, as AWS has said lately; empty where nothing was refused.
    pub(super) fn may_not(&self, ctx: Ctx) -> String {
        let denied = self.rules.denied(ctx, self.shared.now);
        let names: Vec<&str> = denied.iter().map(|action| action.split_once(':').map_or(*action, |(_, name)| name)).collect();
        match names.as_slice() {
            [] => String::new(),
            [one] => format!("may not: {one}  "),
            [one, rest @ ..] => format!("may not: {one} +{}  ", rest.len()),
        }
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
