//! Confirmed plans under way: how far each is, told row by row, and what is to be said at the end.

use crate::change::apply::Progress;
use crate::change::{Plan, ask};
use crate::model::Time;

/// How one plan stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Its turn has not come.
    Waiting,
    /// A call of it is under way.
    Sending(usize),
    /// So many of its calls were answered, the last with this request id.
    Sent(usize, Option<String>),
    /// AWS refused, or nothing came through.
    Failed(String),
    /// No answer came; what reading has found instead.
    Unanswered(String),
}

/// An order under way.
pub struct Flight {
    pub id: u64,
    pub plans: Vec<Plan>,
    pub rows: Vec<Row>,
    /// Steps of each plan that were done, or may have been.
    did: Vec<Vec<usize>>,
    pub since: Time,
    /// Why the whole was not sent.
    pub refused: Option<String>,
    /// What is said of a dry run.
    pub rehearsed: Option<String>,
}

impl Flight {
    pub fn new(id: u64, plans: Vec<Plan>, since: Time) -> Flight {
        let (rows, did) = (vec![Row::Waiting; plans.len()], vec![Vec::new(); plans.len()]);
        Flight { id, plans, rows, did, since, refused: None, rehearsed: None }
    }

    /// Takes in how far it is. What moved and the end are for whoever asked.
    pub fn heard(&mut self, progress: &Progress) {
        if let Progress::Sent { plan, step, .. } | Progress::Unanswered { plan, step, applies: Some(true) | None, .. } = progress
            && let Some(did) = self.did.get_mut(*plan)
        {
            did.push(*step);
        }
        let (at, row) = match progress {
            Progress::Checking | Progress::Moved(..) | Progress::Done => return,
            Progress::Refused(why) => {
                self.refused = Some(why.clone());
                return;
            }
            Progress::Rehearsed(what) => {
                self.rehearsed = Some(what.clone());
                return;
            }
            Progress::Sending { plan, step } => (*plan, Row::Sending(*step)),
            Progress::Sent { plan, step, request_id } => (*plan, Row::Sent(*step + 1, request_id.as_ref().map(ToString::to_string))),
            Progress::Failed { plan, error, .. } => {
                let hint = if error.hint.is_empty() { String::new() } else { format!(" · {}", error.hint) };
                (*plan, Row::Failed(format!("{}{hint}", error.what)))
            }
            Progress::Unanswered { plan, found, .. } => (*plan, Row::Unanswered(found.clone())),
        };
        // Calls for tasks or instances one by one go on after one that failed; that one failed is what stays to be told.
        if let Some(old) = self.rows.get_mut(at).filter(|old| !matches!(old, Row::Failed(_) | Row::Unanswered(_))) {
            *old = row;
        }
    }

    /// Whether a call was made, so that something may apply.
    pub fn begun(&self) -> bool {
        self.rows.iter().any(|row| *row != Row::Waiting)
    }

    /// Whether all calls of a plan were answered with yes.
    pub fn done(&self, plan: usize) -> bool {
        matches!((&self.rows.get(plan), self.plans.get(plan)), (Some(Row::Sent(steps, _)), Some(plan)) if *steps == plan.steps.len())
    }

    /// Steps of a plan that AWS has taken, or that may apply though no answer came.
    pub fn did(&self, plan: usize) -> &[usize] {
        self.did.get(plan).map_or(&[], Vec::as_slice)
    }

    /// Whether something of it can be taken back.
    pub fn has_a_way_back(&self) -> bool {
        self.plans.iter().enumerate().any(|(n, plan)| !self.did(n).is_empty() && plan.inverse_of(self.did(n)).is_ok())
    }

    /// Whether everything was.
    pub fn all_done(&self) -> bool {
        self.refused.is_none() && (0..self.plans.len()).all(|plan| self.done(plan))
    }

    /// Targets of a plan, as the operator knows them.
    pub fn name(&self, plan: usize) -> String {
        let Some(plan) = self.plans.get(plan) else { return String::new() };
        // An instance is known by the id that EC2 gave it, which its change names.
        let given = |n: usize| plan.changes.get(n).and_then(|change| change.what.strip_prefix("instance "));
        plan.targets.iter().enumerate().map(|(n, arn)| given(n).unwrap_or_else(|| ask::short(arn))).collect::<Vec<_>>().join(" ")
    }

    /// What is going on now, in a word.
    pub fn word(&self) -> String {
        let sending = self.rows.iter().enumerate().find_map(|(n, row)| if let Row::Sending(step) = row { Some((n, *step)) } else { None });
        match sending {
            Some((n, step)) => {
                let what = self.plans.get(n).and_then(|plan| plan.steps.get(step)).map_or("", |step| &step.what);
                let of = if self.plans.len() > 1 { format!(" ({} of {})", n + 1, self.plans.len()) } else { String::new() };
                format!("sending{of}: {what}")
            }
            None if self.rows.iter().all(|row| *row == Row::Waiting) => "reading again what it rests on".to_owned(),
            None => "waiting for the rest".to_owned(),
        }
    }

    /// How each plan ended: whether it is well, and a line about it.
    pub fn lines(&self) -> Vec<(bool, String)> {
        if let Some(what) = &self.rehearsed {
            return vec![(true, what.clone())];
        }
        if let Some(why) = &self.refused {
            return vec![(false, format!("not sent: {}", why.trim_end_matches(" · nothing was sent")))];
        }
        let line = |n: usize| {
            let name = self.name(n);
            let verb = self.plans.get(n).map_or("", |plan| plan.verb.word());
            match &self.rows[n] {
                Row::Sent(_, id) if self.done(n) => {
                    let id = id.as_ref().map_or(String::new(), |id| format!(" · request {id}"));
                    (true, format!("{verb} {name}: AWS has taken it{id}"))
                }
                Row::Sent(steps, _) => (false, format!("{verb} {name}: only {steps} of {} calls were made", self.plans[n].steps.len())),
                Row::Failed(why) => (false, format!("{verb} {name}: {why}")),
                Row::Unanswered(found) => (false, format!("{verb} {name}: no answer came, the request may still apply · {found}")),
                Row::Waiting | Row::Sending(_) => (false, format!("{verb} {name}: not sent")),
            }
        };
        (0..self.plans.len()).map(line).collect()
    }
}
