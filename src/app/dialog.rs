//! The dialog of a change: what it is for, what will be different, what could go wrong, the lines that AWS's own tool would take, and
//! what has to be typed. It makes its plan again with every news until it is confirmed; what is confirmed stays as it was shown.
//!
//! It knows no key that opens it and sends nothing: it hands over the plans that were confirmed.

mod draw;
mod flight;
mod form;
mod judged;
mod key;
mod preview;
mod words;

pub use flight::Flight;
pub use form::Form;

use super::changes::verb;
use crate::change::ask::Planned;
use crate::change::gate::{Rules, Standing, Why};
use crate::change::plans::{self, Facts};
use crate::change::{Basis, Level, Moved, Note, Plan, Target, Weight, Wish, ask, cli_lines};
use crate::feed::{Feed, Wanted};
use crate::model::{Ctx, Str, Time};
use crate::ui::input::Input;
use crate::view::{Cx, Production};

/// Milliseconds during which the gravest changes take no key that confirms, in production.
const HOLD_MS: i64 = 2000;

/// Milliseconds during which a plan that has just become another one is not confirmed by a key that was meant for the one before.
const CHANGED_MS: i64 = 700;

/// What a dialog of a count asks for before there is another one.
const COUNT: &str = "type how many, or + and -";

/// Where the keys go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Focus {
    Line(usize),
    Choice,
    Confirm,
    Cancel,
}

/// How far it is.
enum Phase {
    /// The operator looks and decides.
    Asking,
    /// Confirmed: under way.
    Sending(Flight),
    /// Over, with something that did not work.
    Ended(Flight),
}

/// What confirms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Demand {
    /// A key.
    Key(char),
    /// A text, to the letter.
    Typed(String),
}

/// What a key came to.
pub enum Answer {
    /// The dialog stays.
    Stay,
    /// It is left: nothing is sent, or nobody waits for what was.
    Close,
    /// Copy the lines of AWS's own tool.
    Copy(String),
    /// Ask whether a key that confirms came alone, and send if so.
    Sure,
}

/// An open dialog.
#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own about the last key or the last drawing")]
pub struct Dialog {
    targets: Vec<Target>,
    /// Marked rows that AWS no longer lists, left out.
    gone: Vec<Str>,
    form: Form,
    plans: Vec<Planned>,
    production: Production,
    confirm: Input,
    focus: Focus,
    opened_by: Option<char>,
    phase: Phase,
    /// What the second reading found different, and all that it found.
    moved: Vec<Moved>,
    read_again: Vec<(Ctx, Basis)>,
    /// The same was sent a moment ago: it is asked once more.
    again: bool,
    /// Since when it has been among the gravest.
    grave_since: Option<Time>,
    /// When the plan became another one under the operator's eyes.
    changed_at: Option<Time>,
    /// Whether the plans have been drawn as they are.
    seen: bool,
    /// The last key asked to send; whether it came alone shows when no more keys wait.
    sure: bool,
    /// Keys since the last rest.
    keys: usize,
    /// When the line that confirms took a key last, and when a text came into it all at once.
    last_typed_at: Option<Time>,
    pasted_at: Option<Time>,
    said: String,
    scroll: usize,
    /// AWS was asked again for what it shows.
    asked: bool,
    /// Why the gate would let nothing through, so that nobody fills in what cannot be sent.
    locked: Option<String>,
    /// The images that going back by tags would miss: a letter pins them.
    pins: Vec<(Str, Str)>,
}

impl Dialog {
    /// Opens it. `opened_by` is the letter that asked for it, which cannot be the one that confirms.
    pub fn open(targets: Vec<Target>, gone: Vec<Str>, form: Form, opened_by: Option<char>, cx: &Cx) -> Dialog {
        let mut dialog = Dialog {
            targets,
            gone,
            form,
            plans: Vec::new(),
            production: Production::Unknown,
            confirm: Input::default(),
            focus: Focus::Cancel,
            opened_by,
            phase: Phase::Asking,
            moved: Vec::new(),
            read_again: Vec::new(),
            again: false,
            grave_since: None,
            changed_at: None,
            seen: false,
            sure: false,
            keys: 0,
            last_typed_at: None,
            pasted_at: None,
            said: String::new(),
            scroll: 0,
            asked: false,
            locked: None,
            pins: Vec::new(),
        };
        dialog.plan(cx);
        dialog
    }

    /// Takes over what the gate would say now.
    pub fn heed(&mut self, rules: &Rules, now: Time) {
        let locked = |target: &Target| match rules.standing(target.ctx, Some(&target.cluster), now) {
            Standing::Locked { why: Why::Production } => Some("production is locked: :write 15m opens it".to_owned()),
            Standing::Locked { why: Why::UnknownAccount } => {
                Some("the account is not known, so it counts as production: :write 15m opens it".to_owned())
            }
            Standing::Locked { why } => Some(format!("read-only: {}", why.words())),
            Standing::Open | Standing::Armed { .. } => None,
        };
        let refused = |plan: &Plan| {
            plan.steps.iter().find_map(|step| {
                let said = rules.refused_call(plan.ctx, &step.call, now)?;
                Some(format!("AWS has just refused {}: {said} · :write tries again", step.call.action()))
            })
        };
        let refusals: Vec<Option<String>> = self.ready().map(refused).collect();
        // Of several the gate keeps the one and lets the other pass.
        let refused = if refusals.iter().all(Option::is_some) { refusals.into_iter().flatten().next() } else { None };
        self.locked = self.targets.iter().find_map(locked).or(refused);
        if self.locked.is_some() && self.focus == Focus::Confirm {
            self.focus = Focus::Cancel;
        }
    }

    fn weigh(&mut self, cx: &Cx) {
        let of = |target: &Target| cx.production(target.ctx, Some(&target.cluster));
        let all: Vec<Production> = self.targets.iter().map(of).collect();
        let any = |wanted| all.contains(&wanted).then_some(wanted);
        self.production = any(Production::Yes).or(any(Production::Unknown)).unwrap_or(Production::No);
        let gravest = self.level() == Level::Drastic && self.production != Production::No;
        self.grave_since = if gravest { self.grave_since.or(Some(cx.now)) } else { None };
    }

    /// The plans that can be made: what is blocked is left out and says why.
    fn ready(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()).filter(|plan| !plan.blocked())
    }

    /// Services, tasks or instances that would change.
    fn count(&self) -> usize {
        self.ready().map(|plan| plan.targets.len()).sum()
    }

    fn level(&self) -> Level {
        let asked = self.ready().map(|plan| plan.level).max().unwrap_or(Level::Plain);
        let many = if self.count() > 1 { Level::Grave } else { Level::Light };
        let moved = if self.moved.is_empty() { Level::Light } else { Level::Drastic };
        asked.max(many).max(moved)
    }

    /// What has to be typed or pressed.
    pub fn demand(&self) -> Demand {
        let (level, production) = (self.level(), self.production != Production::No);
        let count = self.count();
        let word = self.ready().find_map(|plan| plan.word).unwrap_or("force");
        let word = if level == Level::Drastic && production { format!(" {word}") } else { String::new() };
        if count > 1 {
            let verb = self.form.verb().word().split(' ').next().unwrap_or_default();
            return Demand::Typed(format!("{verb} {count}{word}"));
        }
        match level {
            Level::Plain if production => Demand::Typed(self.name()),
            // The key that opened it may be held down.
            Level::Light | Level::Plain => Demand::Key(if self.opened_by == Some('y') { 'Y' } else { 'y' }),
            Level::Grave | Level::Drastic => Demand::Typed(format!("{}{word}", self.name())),
        }
    }

    /// The name to type: of the service where there is one, else of the target.
    fn name(&self) -> String {
        let service = self.ready().find_map(|plan| plan.watch.as_ref());
        let target = self.ready().find_map(|plan| plan.targets.first());
        service.or(target).map_or_else(|| self.names(), |arn| ask::short(arn).to_owned())
    }

    fn names(&self) -> String {
        self.targets.iter().map(|target| ask::short(&target.arn)).collect::<Vec<_>>().join(" ")
    }

    fn typed(&self) -> bool {
        matches!(self.demand(), Demand::Typed(_))
    }

    /// Whether no more is wrong than that no other count was typed yet.
    fn untouched(&self) -> bool {
        let as_it_is = |plan: &Plan| {
            let mut blockers = plan.notes.iter().filter(|note| note.weight == Weight::Blocker).peekable();
            blockers.peek().is_some() && blockers.all(plans::is_as_it_is)
        };
        matches!(self.form, Form::Count { .. })
            && !self.plans.is_empty()
            && self.plans.iter().all(|(_, plan)| plan.as_ref().is_ok_and(as_it_is))
    }

    /// Why it cannot be confirmed at all.
    fn hindered(&self) -> Option<String> {
        if let Some(why) = &self.locked {
            return Some(why.clone());
        }
        if self.ready().next().is_some() {
            return None;
        }
        let why = self.plans.iter().find_map(|(_, plan)| match plan {
            Err(why) => Some(why.clone()),
            Ok(plan) => plan.notes.iter().find(|note| note.weight == Weight::Blocker).map(|note| note.text.clone()),
        });
        Some(why.unwrap_or_else(|| "there is nothing to send".to_owned()))
    }

    /// Under way from now on.
    pub fn send(&mut self, flight: Flight) {
        self.phase = Phase::Sending(flight);
        self.scroll = 0;
    }

    /// What the preview wants asked again when the dialog opens, so that it does not show what was true minutes ago.
    pub fn fresh(&mut self, cx: &Cx) -> Vec<Feed> {
        if std::mem::replace(&mut self.asked, true) {
            return Vec::new();
        }
        let mut wanted = Vec::new();
        self.wanted(cx, &mut wanted);
        wanted.iter().map(Wanted::feed).filter(|feed| !feed.lasts()).cloned().collect()
    }

    /// What is under way.
    pub fn flight(&mut self) -> Option<&mut Flight> {
        if let Phase::Sending(flight) = &mut self.phase { Some(flight) } else { None }
    }

    /// Whether something is under way, so that its seconds are counted.
    pub fn counts(&self) -> bool {
        matches!(self.phase, Phase::Sending(_)) || self.grave_since.is_some()
    }

    /// Takes out what is under way: it is over, or nobody waits for it here any more.
    pub fn take_flight(&mut self) -> Option<Flight> {
        match std::mem::replace(&mut self.phase, Phase::Asking) {
            Phase::Sending(flight) => Some(flight),
            Phase::Asking | Phase::Ended(_) => None,
        }
    }

    /// What did not work stays on screen until it is read.
    pub fn end(&mut self, flight: Flight) {
        self.phase = Phase::Ended(flight);
    }

    /// The re-reading found something different: asks again, with the plans of that reading.
    pub fn moved(&mut self, moved: Vec<Moved>, plans: Vec<Plan>, cx: &Cx) {
        self.phase = Phase::Asking;
        self.moved = moved;
        self.read_again = plans.iter().flat_map(|plan| plan.basis.iter().map(|basis| (plan.ctx, basis.clone()))).collect();
        let old = |mut plan: Plan| {
            // What was well before may not be well now.
            plan.notes.retain(|note| note.weight != Weight::Info);
            plan.notes.push(Note::info("the rest is being read again: warnings are those of the reading before"));
            (plan.targets.first().map_or("", |arn| ask::short(arn)).to_owned(), Ok(plan))
        };
        self.plans = plans.into_iter().map(old).collect();
        self.confirm.set("");
        self.focus = Focus::Cancel;
        (self.seen, self.changed_at, self.grave_since, self.scroll) = (false, None, None, 0);
        self.plan(cx);
    }

    /// Whether the operator has seen what moved.
    pub fn compared(&self) -> bool {
        !self.moved.is_empty()
    }

    /// Whether it is the way back from another change, which is no second time of that.
    pub fn takes_back(&self) -> bool {
        matches!(self.form, Form::Fixed(Wish::Undo(_) | Wish::Redo(_)))
    }

    fn cli(&self) -> Vec<String> {
        self.ready().flat_map(cli_lines::lines).collect()
    }
}

/// What a plan is made from.
pub fn facts<'a>(target: &'a Target, cx: &Cx<'a>) -> Facts<'a> {
    Facts { store: cx.store, fleet: cx.fleet, config: cx.config, ctx: target.ctx, cluster: &target.cluster, now: cx.now }
}

#[cfg(test)]
mod tests;
