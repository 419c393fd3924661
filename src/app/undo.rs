//! The way back from changes: what AWS has taken is remembered for a while, and offered in the usual dialog, newest first.
//!
//! A bulk of changes is one entry and comes back as one. What was taken back is no longer offered; that it was taken back is an entry of its
//! own, which only `:redo` offers, until something else is changed.

use super::App;
use super::dialog::{Flight, Form};
use crate::change::{Inverse, Target, Way, Wish};
use crate::model::{Str, Time};
use crate::view::Tone;

/// Milliseconds during which a change can be taken back by `:undo`.
const UNDO_MS: i64 = 30 * 60 * 1000;

/// Changes that are remembered for `:undo`.
const REMEMBERED: usize = 50;

/// Names that a sentence holds.
const NAMED: usize = 3;

/// One target of a change that AWS has taken, with its way back.
struct Step {
    target: Target,
    back: Result<Inverse, &'static str>,
    /// The journal's id of its last call.
    record: Option<Str>,
}

/// A change that AWS has taken, on all its targets.
struct Taken {
    at: Time,
    what: String,
    steps: Vec<Step>,
    /// It took another one back.
    undo: bool,
}

/// What can be taken back, oldest first.
#[derive(Default)]
pub struct Past(Vec<Taken>);

impl Past {
    /// Whether there is nothing to take back, or nothing that was taken back.
    pub fn is_empty(&self, redo: bool) -> bool {
        !self.0.iter().any(|taken| taken.undo == redo)
    }

    /// Forgets what is too old, and what these calls have taken back: each with whether all of it is done for certain, since what was taken
    /// back in part can still be taken back. Returns whether they took a change back, rather than the undoing of one.
    fn take_out(&mut self, records: &[(&Str, bool)], now: Time) -> bool {
        let mut undo = false;
        for taken in &mut self.0 {
            let of = |step: &Step| records.iter().find(|(record, _)| step.record.as_ref() == Some(*record));
            undo |= !taken.undo && taken.steps.iter().any(|step| of(step).is_some());
            taken.steps.retain(|step| of(step).is_none_or(|(_, done)| !done));
        }
        self.0.retain(|taken| !taken.steps.is_empty());
        self.forget(now);
        undo
    }

    fn forget(&mut self, now: Time) {
        self.0.retain(|taken| now.as_millisecond() - taken.at.as_millisecond() < UNDO_MS);
        let more = self.0.len().saturating_sub(REMEMBERED);
        self.0.drain(..more);
    }
}

impl App {
    /// Keeps what was done of an order, or may have been, for the way back.
    pub(super) fn remember(&mut self, flight: &Flight) {
        let now = self.shared.now;
        let step = |n: usize| {
            let plan = flight.plans.get(n)?;
            let done = flight.did(n);
            let arn = plan.targets.first().filter(|_| !done.is_empty())?;
            let target = Target { ctx: plan.ctx, cluster: plan.cluster.clone(), arn: arn.clone() };
            Some((n, Step { target, back: plan.inverse_of(done), record: self.record_of(flight.id, n) }))
        };
        let (plans, steps): (Vec<usize>, Vec<Step>) = (0..flight.plans.len()).filter_map(step).unzip();
        let Some(first) = plans.first() else { return };
        let names: Vec<String> = plans.iter().map(|n| flight.name(*n)).collect();
        let names = if names.len() > NAMED { format!("{} targets", names.len()) } else { names.join(", ") };
        let taken_back: Vec<(&Str, bool)> =
            plans.iter().filter_map(|n| Some((flight.plans[*n].undoes.as_ref()?, flight.done(*n)))).collect();
        let past = &mut self.changes.past;
        let undo = past.take_out(&taken_back, now);
        if taken_back.is_empty() {
            // What was taken back before something else was changed belongs to another state of things.
            past.0.retain(|taken| !taken.undo);
        }
        past.0.push(Taken { at: now, what: format!("{} {names}", flight.plans[*first].verb.word()), steps, undo });
    }

    /// The journal's id of the last call of a plan of an order. Ids of earlier runs may end alike: the newest is ours.
    fn record_of(&self, order: u64, plan: usize) -> Option<Str> {
        let of = format!("-{order}.{plan}");
        let own = |id: &str| id.rsplit_once('.').is_some_and(|(head, _)| head.ends_with(&of));
        self.shared.store.journal().iter().rev().find(|record| own(&record.id)).map(|record| record.id.clone())
    }

    /// Offers the way back from the last change in its dialog, or says why there is none. Nothing is taken back without the dialog.
    pub(super) fn undo(&mut self) {
        self.offer_back(false);
    }

    /// Offers the last change that was taken back once more, unless something else was changed since.
    pub(super) fn redo(&mut self) {
        self.offer_back(true);
    }

    fn offer_back(&mut self, redo: bool) {
        let past = &mut self.changes.past;
        past.forget(self.shared.now);
        let Some(at) = past.0.iter().rposition(|taken| taken.undo == redo) else {
            let words = match (redo, past.is_empty(true)) {
                (true, _) => "nothing was taken back since the last change",
                (false, true) => "nothing was changed in the last 30 minutes",
                (false, false) => "all that was changed in the last 30 minutes is taken back · :redo does the last of it once more",
            };
            return self.tell(Tone::Info, words);
        };
        let taken = &past.0[at];
        let (mut targets, mut ways, mut none) = (Vec::new(), Vec::new(), Vec::new());
        for step in &taken.steps {
            match &step.back {
                Ok(inverse) => {
                    targets.push(step.target.clone());
                    ways.push(Way { inverse: inverse.clone(), of: step.record.clone() });
                }
                Err(why) => none.push(*why),
            }
        }
        let what = taken.what.clone();
        if ways.is_empty() {
            past.0.remove(at);
            let more = match redo {
                _ if past.is_empty(redo) => "",
                false => " · :undo again offers the change before it",
                true => " · :redo again offers the one before it",
            };
            let why = none.first().copied().unwrap_or_default();
            return self.tell(Tone::Warn, format!("{what} cannot be taken back: {why}{more}"));
        }
        let rest = if none.is_empty() { String::new() } else { format!(" · {} of it cannot: {}", none.len(), none[0]) };
        let wish = if redo { Wish::Redo(ways) } else { Wish::Undo(ways) };
        self.open_dialog(targets, Vec::new(), Form::Fixed(wish), None);
        let head = if redo { "redo, the undoing of an undo" } else { "the way back from" };
        self.tell(Tone::Info, format!("{head}: {what}{rest}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arn, Ctx};

    #[test]
    fn what_was_taken_back_in_part_stays_and_what_is_done_goes() {
        let now = Time::from_second(1_000_000).unwrap();
        let target = Target { ctx: Ctx(0), cluster: Arn("c".into()), arn: Arn("s".into()) };
        let step = |record: &str| Step { target: target.clone(), back: Err("none"), record: Some(record.into()) };
        let taken = |record, undo| Taken { at: now, what: "scale".to_owned(), steps: vec![step(record)], undo };
        let mut past = Past(vec![taken("a", false)]);
        let (change, undoing): (Str, Str) = ("a".into(), "b".into());
        assert!(past.take_out(&[(&change, false)], now), "it was a change that was taken back");
        assert!(!past.is_empty(false), "what is not back yet is offered again");
        assert!(past.take_out(&[(&change, true)], now));
        assert!(past.is_empty(false));
        past.0.push(taken("b", true));
        assert!(!past.take_out(&[(&undoing, true)], now), "it was the undoing that was taken back");
        assert!(past.is_empty(true));
    }
}
