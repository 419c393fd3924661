//! The plans that a dialog shows: what they need to be known, made again with every news, and after a second reading from that alone.

use super::{Dialog, Form, Phase, facts, judged};
use crate::change::ask::Planned;
use crate::change::compare::moved;
use crate::change::plans::{self, RollBack};
use crate::change::{Basis, Inverse, Plan, Target, Wish};
use crate::feed::{Feed, Wanted};
use crate::view::Cx;

impl Dialog {
    /// What its preview needs to be watched.
    pub fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        if !matches!(self.phase, Phase::Asking) {
            return;
        }
        let mut rest: Vec<&Target> = self.targets.iter().collect();
        while let Some(first) = rest.first().copied() {
            let same = |target: &&Target| (target.ctx, &target.cluster) == (first.ctx, &first.cluster);
            let arns: Vec<_> = rest.iter().filter(|target| same(target)).map(|target| target.arn.clone()).collect();
            plans::wanted(self.form.verb(), &facts(first, cx), &arns, out);
            rest.retain(|target| !same(target));
        }
        self.wanted_for_choice(cx, out);
        for plan in self.plans.iter().filter_map(|(_, plan)| plan.as_ref().ok()) {
            judged::exec_wanted(plan, cx, out);
        }
    }

    /// What was picked is known to the wish alone: the revision to go back to, and the images that are to be pulled.
    fn wanted_for_choice(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        let (Ok(wish), Some(target)) = (self.form.wish(), self.targets.first()) else { return };
        let facts = facts(target, cx);
        match &wish {
            Wish::DeployImage(images) => {
                for (_, image) in images {
                    plans::wanted_of_image(&facts, image, out);
                }
            }
            Wish::DeployClone { base, images } => {
                out.push(Wanted::Poll { feed: Feed::RawDefinition(target.ctx, base.clone()), focus: true });
                for (_, image) in images {
                    plans::wanted_of_image(&facts, image, out);
                }
            }
            Wish::RollBack(RollBack::Revision(revision)) => plans::wanted_of_revision(&facts, &target.arn, revision, out),
            Wish::Undo(ways) | Wish::Redo(ways) => {
                for (target, way) in self.targets.iter().zip(ways) {
                    if let Inverse::Revision { revision, .. } = &way.inverse {
                        plans::wanted_of_revision(&self::facts(target, cx), &target.arn, revision, out);
                    }
                }
            }
            Wish::RollBack(RollBack::Pinned(revision, images)) => {
                plans::wanted_of_revision(&facts, &target.arn, revision, out);
                for (_, image) in images {
                    plans::wanted_of_image(&facts, image, out);
                }
            }
            _ => {}
        }
    }

    /// Makes the plans anew from what is known now, unless they are confirmed. After something moved what is known has to be as new as the
    /// second reading: until then the plans of that reading stay, with a word about it.
    pub fn plan(&mut self, cx: &Cx) {
        if !matches!(self.phase, Phase::Asking) {
            return;
        }
        if let Form::Unread(action) = self.form {
            match crate::app::changes::form_of(action, &self.targets, cx.store) {
                Ok(form) => self.form = form,
                Err(why) => {
                    self.plans = vec![(self.names(), Err(why))];
                    return self.weigh(cx);
                }
            }
        }
        self.offer(cx);
        let fresh = self.planned(cx);
        // A range that was typed is whole: planned anew it would put back what somebody else has changed of it meanwhile.
        let typed = matches!(self.form, Form::Range { .. });
        if !self.moved.is_empty() && (typed || !self.as_read_again(&fresh)) {
            return self.weigh(cx);
        }
        self.pins = match (&self.form, self.targets.first()) {
            (Form::Fixed(Wish::RollBack(RollBack::Revision(revision))), Some(target)) => {
                plans::pins(&facts(target, cx), &target.arn, revision)
            }
            _ => Vec::new(),
        };
        if !same(&self.plans, &fresh) {
            // Another plan than the one that was seen: a key that is already on its way was meant for that one.
            // Where none could be confirmed yet, there is none that a key could have been meant for.
            self.changed_at = if self.seen && self.keys == 0 && self.hindered().is_none() { Some(cx.now) } else { None };
            self.seen = false;
            self.again = false;
        }
        self.plans = fresh;
        self.weigh(cx);
    }

    fn planned(&self, cx: &Cx) -> Vec<Planned> {
        let mut fresh = match self.form.wish() {
            Ok(wish) => wish.plans(&self.targets, |target| facts(target, cx)),
            Err(why) => vec![(self.names(), Err(why))],
        };
        for plan in fresh.iter_mut().filter_map(|(_, plan)| plan.as_mut().ok()) {
            plan.notes.extend(judged::note(plan, cx));
            plan.notes.extend(judged::exec_notes(plan, cx));
        }
        fresh
    }

    /// Whether these plans rest on what the second reading found, each on something of it and on nothing older.
    fn as_read_again(&self, fresh: &[Planned]) -> bool {
        let agrees = |plan: &Plan| {
            let read: Vec<Basis> = self.read_again.iter().filter(|(ctx, _)| *ctx == plan.ctx).map(|(_, basis)| basis.clone()).collect();
            plan.basis.iter().any(|basis| read.iter().any(|read| read.same(basis))) && moved(&read, &plan.basis).is_empty()
        };
        fresh.iter().all(|(_, plan)| plan.as_ref().is_ok_and(agrees))
    }

    fn offer(&mut self, cx: &Cx) {
        if !matches!(self.form, Form::Count { .. }) {
            return;
        }
        let choices = self.targets.iter().map(|target| match self.form.wish() {
            Ok(Wish::Scale(desired, _)) => plans::range_choices(&facts(target, cx), &target.arn, desired),
            Ok(Wish::ScaleBy(by, _)) => plans::range_choices_by(&facts(target, cx), &target.arn, by),
            _ => Vec::new(),
        });
        let offered = choices.into_iter().find(|choices| !choices.is_empty()).unwrap_or_default();
        self.form.offer(offered);
    }
}

/// Whether two plans would send the same and say the same of what forbids it; a figure in a remark may differ.
fn same(old: &[Planned], new: &[Planned]) -> bool {
    let alike = |(old, new): (&Planned, &Planned)| match (&old.1, &new.1) {
        (Ok(old), Ok(new)) => {
            old.steps == new.steps
                && old.changes == new.changes
                && (old.level, old.word, old.blocked()) == (new.level, new.word, new.blocked())
        }
        (Err(_), Err(_)) => true,
        _ => false,
    };
    old.len() == new.len() && old.iter().zip(new).all(alike)
}
