//! The way back from a change, planned anew: what was true when it was made need not be now.

use super::{Facts, RangeChoice, RollBack, instances, protect, roll_back, scale, scaling_range, service};
use crate::change::{Inverse, Note, Plan};
use crate::model::{Arn, Str};

/// Plans the inverse of a change.
///
/// # Errors
/// One line: what is not known yet, or that it is so already.
pub fn undo(facts: &Facts, inverse: &Inverse) -> Result<Plan, String> {
    match inverse {
        Inverse::Scale { service, desired } => scale(facts, service, *desired, RangeChoice::Once),
        Inverse::Revision { service, revision } => roll_back(facts, service, &RollBack::Revision(revision.clone())),
        Inverse::Range { resource, range, suspended } => scaling_range(facts, &service_of(facts, resource)?, range.0, range.1, *suspended),
        Inverse::Instances { instances: which, drain } => instances(facts, which, *drain),
        Inverse::Protection { tasks, protect: on } => protect(facts, tasks, *on, None),
        Inverse::Exec { service: which, enabled } => service::set_exec(facts, which, *enabled),
        Inverse::Several(all) => {
            let mut plans = all.iter().map(|one| undo(facts, one)).collect::<Result<Vec<Plan>, String>>()?;
            // Of what was taken back in part the rest is left.
            if !plans.iter().all(is_so) {
                plans.retain(|plan| !is_so(plan));
            }
            let mut plans = plans.into_iter();
            let first = plans.next().ok_or("there is nothing to take back")?;
            Ok(plans.fold(first, join))
        }
    }
}

/// Whether a plan changes nothing.
fn is_so(plan: &Plan) -> bool {
    plan.changes.iter().all(|change| change.before == change.after)
}

/// Two plans for the same target, one after the other.
fn join(mut first: Plan, then: Plan) -> Plan {
    first.verb = then.verb;
    first.changes.extend(then.changes);
    // What the first changes makes the second's word about it untrue.
    first.notes.extend(then.notes.into_iter().filter(|note: &Note| !note.text.contains("the range stays")));
    first.notes.dedup();
    if then.level > first.level {
        (first.level, first.word) = (then.level, then.word);
    }
    first.steps.extend(then.steps);
    for basis in then.basis {
        if !first.basis.contains(&basis) {
            first.basis.push(basis);
        }
    }
    first.inverse = match (first.inverse, then.inverse) {
        (Ok(first), Ok(then)) => Ok(Box::new(Inverse::Several(vec![*first, *then]))),
        (Err(why), _) | (_, Err(why)) => Err(why),
    };
    first.watch = first.watch.or(then.watch);
    first
}

/// The service behind `service/CLUSTER/SERVICE`.
fn service_of(facts: &Facts, resource: &Str) -> Result<Arn, String> {
    let services = facts.store.services(facts.ctx, facts.cluster).unwrap_or_default();
    let found = services.iter().find(|service| super::scale::resource(service) == *resource);
    found.map(|service| service.arn.clone()).ok_or_else(|| format!("still reading {resource}"))
}
