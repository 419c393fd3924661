//! Another count, and the range within which Application Auto Scaling moves it.

use super::{Controller, Facts, capacity, change, express, step, tasks_of, under_way};
use crate::change::{Basis, Call, Inverse, Level, Note, Plan, ServiceChange, Verb};
use crate::feed::Feed;
use crate::model::{Arn, ScalableTarget, ScalingPolicy, Service, Str, Suspended, scaling_resource};

/// AWS's quota of tasks for one service.
const QUOTA: u32 = 5000;

/// How the words for a count end that is none other than before.
const AS_IT_IS: &str = " already";

/// The wire carries a signed number.
const LARGEST: u32 = i32::MAX.unsigned_abs();

/// What to do with the range when a count is outside it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RangeChoice {
    /// The range stays; scaling brings the count back when it next acts.
    Once,
    /// The range grows so that it holds the count.
    ChangeRange,
    /// Scaling is switched off; whoever switches it on again brings the count back.
    Suspend,
}

pub(super) fn resource(service: &Service) -> Str {
    scaling_resource(service.cluster.name(), &service.name).into()
}

pub(super) fn target<'a>(facts: &Facts<'a>, service: &Service) -> Option<&'a ScalableTarget> {
    let resource = resource(service);
    facts.store.scalable_targets(facts.ctx)?.iter().find(|target| target.resource == resource)
}

pub(super) fn basis(target: &ScalableTarget) -> Basis {
    Basis::Range { resource: target.resource.clone(), range: Some((target.min, target.max)), suspended: target.suspended }
}

fn range(target: &ScalableTarget) -> String {
    format!("{}-{}", target.min, target.max)
}

/// The range that holds the count as well.
fn widened(target: &ScalableTarget, desired: u32) -> (u32, u32) {
    (target.min.min(desired), target.max.max(desired))
}

/// What can be done about a count outside the range, in words; empty inside it, and where nothing scales the service.
#[must_use]
pub fn range_choices(facts: &Facts, service: &Arn, desired: u32) -> Vec<(RangeChoice, String)> {
    let Ok(known) = facts.service(service) else { return Vec::new() };
    let Some(target) = target(facts, known).filter(|target| desired < target.min || desired > target.max) else { return Vec::new() };
    let (min, max) = widened(target, desired);
    let bound = if desired > target.max { format!("raise the maximum to {max} too") } else { format!("lower the minimum to {min} too") };
    let back = desired.clamp(target.min, target.max);
    vec![
        (RangeChoice::Once, format!("set {desired} once, leave {}: scaling brings it back to {back}", range(target))),
        (RangeChoice::ChangeRange, format!("{bound} and set {desired}")),
        (RangeChoice::Suspend, format!("suspend scaling and set {desired}")),
    ]
}

/// The count of a service with so many more or fewer, and never below none.
fn counted_from(service: &Service, by: i32) -> u32 {
    service.desired.saturating_add_signed(by)
}

/// What can be done about a count that is so many more or fewer; see [`range_choices`].
#[must_use]
pub fn range_choices_by(facts: &Facts, service: &Arn, by: i32) -> Vec<(RangeChoice, String)> {
    facts.service(service).map_or_else(|_| Vec::new(), |known| range_choices(facts, service, counted_from(known, by)))
}

/// So many tasks more or fewer than it wants.
///
/// # Errors
/// One line: what is not known yet.
pub fn scale_by(facts: &Facts, service: &Arn, by: i32, choice: RangeChoice) -> Result<Plan, String> {
    let desired = counted_from(facts.service(service)?, by);
    scale(facts, service, desired, choice)
}

/// Another count.
///
/// # Errors
/// One line: what is not known yet.
pub fn scale(facts: &Facts, service: &Arn, desired: u32, choice: RangeChoice) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let mut plan = facts.plan_for(Verb::Scale, known);
    plan.changes.push(change("desired", &known.desired, &desired));
    plan.notes.push(Note::info(format!("{} run, {} pending", known.running, known.pending)));
    let former = Inverse::Scale { service: service.clone(), desired: known.desired };
    plan.inverse = Ok(Box::new(former.clone()));
    refusals(facts, &mut plan, known, desired);
    plan.notes.extend(express(known));
    match target(facts, known) {
        Some(target) => ranged(facts, &mut plan, known, target, (desired, choice), &former),
        None => unranged(facts, &mut plan, known),
    }
    if desired == 0 && known.desired > 0 {
        plan.notes.push(Note::warning(format!("no task is left: {} is out of service", known.name)));
        (plan.level, plan.word) = (Level::Drastic, Some("zero"));
    }
    if let Some((fits, short)) = capacity::room(facts, known).filter(|(fits, _)| desired.saturating_sub(known.desired) > *fits) {
        let more = desired.saturating_sub(known.desired);
        plan.notes.push(Note::warning(format!("only {fits} of the {more} more find room on the instances, for lack of {short}")));
    }
    // While tasks are replaced more run than are wanted: those go anyway.
    let runs = known.running.min(known.desired);
    if desired < runs && !plan.blocked() {
        plan.notes.push(Note::info(format!("{} stop, those without protection first", tasks_of((runs - desired) as usize))));
    }
    let set = ServiceChange { desired: Some(desired), ..ServiceChange::default() };
    let call = Call::UpdateService { cluster: known.cluster.clone(), service: known.arn.clone(), set };
    plan.steps.push(step(call, format!("scale {} to {desired}", known.name)));
    Ok(plan)
}

/// Whether a blocker says no more than that the count is what it was: nobody has done anything wrong yet.
#[must_use]
pub fn is_as_it_is(note: &Note) -> bool {
    note.text.ends_with(AS_IT_IS)
}

/// What AWS would refuse, said before the call.
fn refusals(facts: &Facts, plan: &mut Plan, service: &Service, desired: u32) {
    if &*service.scheduling == "DAEMON" {
        plan.notes.push(Note::blocker(format!("{} is a DAEMON: it runs one task on each instance, and AWS refuses a count", service.name)));
    } else if desired == service.desired {
        plan.notes.push(Note::blocker(format!("{} wants {}{AS_IT_IS}", service.name, tasks_of(desired as usize))));
    }
    if Controller::of(service) == Controller::CodeDeploy
        && let Some((id, known)) = facts.code_under_way(service)
    {
        plan.notes.push(Note::blocker(format!("AWS refuses another count while CodeDeploy deployment {id} is under way")));
        plan.basis.extend(known.map(|code| Basis::Code { id: id.clone(), status: code.status.clone() }));
    }
    if desired > LARGEST {
        plan.notes.push(Note::blocker(format!("{desired} is more than AWS can count")));
    } else if desired > QUOTA {
        plan.notes.push(Note::warning(format!("AWS's quota is {QUOTA} tasks for one service unless it was raised")));
    }
}

fn unranged(facts: &Facts, plan: &mut Plan, service: &Service) {
    let feed = Feed::ScalableTargets(facts.ctx);
    if facts.store.scalable_targets(facts.ctx).is_some() {
        // A range that somebody registers meanwhile moves the count.
        plan.basis.push(Basis::range(&resource(service), None));
    }
    if let Some(error) = facts.store.error(&feed) {
        plan.notes.push(Note::warning(format!("whether something scales {} is not known: {}", service.name, error.what)));
    } else if facts.store.scalable_targets(facts.ctx).is_none() {
        plan.notes
            .push(Note::warning(format!("whether something scales {} is not known yet: still reading the scaling ranges", service.name)));
    }
}

fn ranged(
    facts: &Facts,
    plan: &mut Plan,
    service: &Service,
    target: &ScalableTarget,
    (desired, choice): (u32, RangeChoice),
    former: &Inverse,
) {
    plan.basis.push(basis(target));
    let policies = facts.store.scaling_policies(facts.ctx).unwrap_or_default();
    let drivers: Vec<String> = policies.iter().filter(|policy| policy.resource == target.resource).map(ScalingPolicy::driver).collect();
    let by = if drivers.is_empty() { String::new() } else { format!(" by {}", drivers.join(", ")) };
    let owns = match target.suspended.words() {
        None => format!("Application Auto Scaling moves it between {} and {}{by}", target.min, target.max),
        // What is switched off moves nothing.
        Some("all scaling") => format!("all scaling is suspended; its range is {}{by}", range(target)),
        Some(words) => format!("Application Auto Scaling moves it between {} and {}{by}, but {words} is suspended", target.min, target.max),
    };
    if under_way(service).is_some() {
        plan.notes.push(Note::info("scale-in is paused until the deployment ends".to_owned()));
    }
    if (target.min..=target.max).contains(&desired) {
        let back = if drivers.is_empty() || target.suspended.words().is_some() { "" } else { ": it may do so again within minutes" };
        plan.notes.push(Note::info(format!("{owns}{back}")));
        return;
    }
    plan.level = Level::Grave;
    let bound = if desired > target.max {
        format!("{desired} is above the maximum of {}", target.max)
    } else {
        format!("{desired} is below the minimum of {}", target.min)
    };
    plan.notes.push(Note::warning(format!("{owns}: {bound}")));
    let mut register = |min: Option<u32>, max: Option<u32>, suspended: Option<Suspended>, what: String| {
        let call = Call::RegisterScalableTarget { resource: target.resource.clone(), min, max, suspended };
        plan.steps.push(step(call, what));
        let range = Inverse::Range { resource: target.resource.clone(), range: (target.min, target.max), suspended: target.suspended };
        // The range first: registering it moves a count outside it.
        plan.inverse = Ok(Box::new(Inverse::Several(vec![range, former.clone()])));
    };
    match choice {
        RangeChoice::Once => {
            let back = desired.clamp(target.min, target.max);
            plan.notes.push(Note::warning(format!("the range stays: when scaling next acts it brings the count back to {back}")));
        }
        RangeChoice::ChangeRange => {
            let (min, max) = widened(target, desired);
            let changed = |new: u32, old: u32| (new != old).then_some(new);
            register(
                changed(min, target.min),
                changed(max, target.max),
                None,
                format!("change the range of {} to {min}-{max}", service.name),
            );
            plan.changes.push(change("range", &range(target), &format!("{min}-{max}")));
        }
        RangeChoice::Suspend => {
            let all = Suspended { scale_in: true, scale_out: true, scheduled: true };
            register(None, None, Some(all), format!("suspend the scaling of {}", service.name));
            plan.changes.push(change("suspended", &target.suspended.words().unwrap_or("nothing"), &"all scaling"));
            plan.notes.push(Note::warning("nothing scales it until somebody resumes it".to_owned()));
            (plan.level, plan.word) = (Level::Drastic, Some("force"));
        }
    }
}

/// Another range, or parts of scaling switched on or off.
///
/// # Errors
/// One line: what is not known yet, or that nothing scales the service.
pub fn scaling_range(facts: &Facts, service: &Arn, min: u32, max: u32, suspended: Suspended) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let target = target(facts, known).ok_or_else(|| match facts.store.error(&Feed::ScalableTargets(facts.ctx)) {
        Some(error) => error.what.to_string(),
        None if facts.store.scalable_targets(facts.ctx).is_none() => "still reading the scaling ranges".to_owned(),
        None => format!("Application Auto Scaling does not scale {}", known.name),
    })?;
    let mut plan = facts.plan_for(Verb::ScalingRange, known);
    plan.basis.push(basis(target));
    plan.inverse =
        Ok(Box::new(Inverse::Range { resource: target.resource.clone(), range: (target.min, target.max), suspended: target.suspended }));
    if (min, max) != (target.min, target.max) {
        plan.changes.push(change("range", &range(target), &format!("{min}-{max}")));
    }
    if suspended != target.suspended {
        plan.changes.push(change("suspended", &target.suspended.words().unwrap_or("nothing"), &suspended.words().unwrap_or("nothing")));
    }
    if plan.changes.is_empty() {
        plan.notes.push(Note::blocker("nothing is different".to_owned()));
    }
    if min > max || max > LARGEST {
        plan.notes.push(Note::blocker(format!("{min}-{max} is no range")));
    } else {
        let moved = known.desired.clamp(min, max);
        if moved != known.desired {
            plan.notes.push(Note::warning(format!("AWS moves the count from {} to {moved} at once", known.desired)));
            plan.level = Level::Grave;
        }
        if moved == 0 && known.desired > 0 {
            (plan.level, plan.word) = (Level::Drastic, Some("zero"));
        }
    }
    let more = |now: bool, before: bool| now && !before;
    let before = target.suspended;
    if more(suspended.scale_in, before.scale_in)
        || more(suspended.scale_out, before.scale_out)
        || more(suspended.scheduled, before.scheduled)
    {
        plan.notes.push(Note::warning("nothing of what is suspended scales it until somebody resumes it".to_owned()));
        plan.level = Level::Drastic;
        plan.word = plan.word.or(Some("force"));
    }
    let changed = |new: u32, old: u32| (new != old).then_some(new);
    let call = Call::RegisterScalableTarget {
        resource: target.resource.clone(),
        min: changed(min, target.min),
        max: changed(max, target.max),
        suspended: (suspended != before).then_some(suspended),
    };
    plan.steps.push(step(call, format!("change the range of {}", known.name)));
    Ok(plan)
}
