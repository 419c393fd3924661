//! What a plan rests on, made from plain values, and what of it is different when it is read again. Pure.

use super::{Basis, Call, Inverse, Moved, Note, Plan};
use crate::model::{Arn, CodeDeployment, ContainerInstance, ScalableTarget, Service, ServiceDeployment, Str, Task, TaskDefinition};

/// Said of what AWS no longer names.
pub const MISSING: &str = "MISSING";

impl Basis {
    /// What a plan about a service rests on.
    #[must_use]
    pub fn service(of: &Service) -> Basis {
        let primary = of.deployments.iter().find(|deployment| &*deployment.status == "PRIMARY").or(of.deployments.first());
        let newest = of.task_sets.iter().max_by_key(|set| (set.created_at, &*set.status == "PRIMARY"));
        let (deployment, state) = match (primary, newest) {
            (Some(primary), _) => (primary.id.clone(), primary.rollout_state.clone().unwrap_or_default()),
            (None, Some(set)) => (set.id.clone(), set.status.clone()),
            (None, None) => Default::default(),
        };
        Basis::Service {
            arn: of.arn.clone(),
            status: of.status.clone(),
            desired: of.desired,
            revision: of.task_definition.clone(),
            deployment,
            state,
        }
    }

    /// A task: whether it is still to run.
    #[must_use]
    pub fn task(of: &Task) -> Basis {
        Basis::Task { arn: of.arn.clone(), alive: &*of.desired != "STOPPED" && !of.stopped() }
    }

    /// The range of a service's scaling, as listed; nothing when it is not registered.
    #[must_use]
    pub fn range(resource: &Str, of: Option<&ScalableTarget>) -> Basis {
        let suspended = of.map(|target| target.suspended).unwrap_or_default();
        Basis::Range { resource: resource.clone(), range: of.map(|target| (target.min, target.max)), suspended }
    }

    /// A container instance.
    #[must_use]
    pub fn instance(of: &ContainerInstance) -> Basis {
        Basis::Instance { arn: of.arn.clone(), status: of.status.clone() }
    }

    /// A service deployment.
    #[must_use]
    pub fn deployment(of: &ServiceDeployment) -> Basis {
        Basis::Deployment { arn: of.arn.clone(), status: of.status.clone() }
    }

    /// A deployment of CodeDeploy.
    #[must_use]
    pub fn code(of: &CodeDeployment) -> Basis {
        Basis::Code { id: of.id.clone(), status: of.status.clone() }
    }

    /// A revision of a task definition.
    #[must_use]
    pub fn revision(of: &TaskDefinition) -> Basis {
        Basis::Revision { arn: of.arn.clone(), active: &*of.status == "ACTIVE" }
    }

    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Basis::Service { arn, .. }
            | Basis::Task { arn, .. }
            | Basis::Instance { arn, .. }
            | Basis::Deployment { arn, .. }
            | Basis::Revision { arn, .. } => arn.name(),
            Basis::Range { resource, .. } => resource.rsplit('/').next().unwrap_or(resource),
            Basis::Code { id, .. } => id,
        }
    }

    /// Whether both are about the same thing.
    #[must_use]
    pub fn same(&self, other: &Basis) -> bool {
        match (self, other) {
            (Basis::Range { resource: a, .. }, Basis::Range { resource: b, .. })
            | (Basis::Code { id: a, .. }, Basis::Code { id: b, .. }) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other) && self.arn() == other.arn(),
        }
    }

    fn arn(&self) -> Option<&Arn> {
        match self {
            Basis::Service { arn, .. }
            | Basis::Task { arn, .. }
            | Basis::Instance { arn, .. }
            | Basis::Deployment { arn, .. }
            | Basis::Revision { arn, .. } => Some(arn),
            Basis::Range { .. } | Basis::Code { .. } => None,
        }
    }
}

/// What is different in `now`, in the order of `was`. What could not be read again does not count as moved.
#[must_use]
pub fn moved(was: &[Basis], now: &[Basis]) -> Vec<Moved> {
    let pairs = was.iter().filter_map(|was| Some((was, now.iter().find(|now| was.same(now))?)));
    let mut found = Vec::new();
    for (was, now) in pairs {
        let mut note = |what: &'static str, before: String, after: String| {
            if before != after {
                found.push(Moved { target: was.name().to_owned(), what, was: before, now: after });
            }
        };
        match (was, now) {
            (
                Basis::Service { status, desired, revision, deployment, state, .. },
                Basis::Service { status: status_now, desired: count, revision: runs, deployment: newest, state: rollout, .. },
            ) => {
                note("status", status.to_string(), status_now.to_string());
                // What is gone has nothing else to tell.
                if &**status_now != MISSING {
                    note("desired", desired.to_string(), count.to_string());
                    note("task definition", revision.name().to_owned(), runs.name().to_owned());
                    note("deployment", deployment.to_string(), newest.to_string());
                    note("rollout", state.to_string(), rollout.to_string());
                }
            }
            (Basis::Task { alive, .. }, Basis::Task { alive: now, .. }) => note("task", life(*alive), life(*now)),
            (Basis::Range { range, suspended, .. }, Basis::Range { range: r, suspended: s, .. }) => {
                note("scaling range", shown(*range), shown(*r));
                let words = |suspended: crate::model::Suspended| suspended.words().unwrap_or("nothing").to_owned();
                note("suspended", words(*suspended), words(*s));
            }
            (Basis::Instance { status, .. }, Basis::Instance { status: now, .. })
            | (Basis::Deployment { status, .. }, Basis::Deployment { status: now, .. })
            | (Basis::Code { status, .. }, Basis::Code { status: now, .. }) => note("status", status.to_string(), now.to_string()),
            (Basis::Revision { active, .. }, Basis::Revision { active: now, .. }) => note("status", activity(*active), activity(*now)),
            _ => {}
        }
    }
    found
}

fn life(alive: bool) -> String {
    if alive { "runs" } else { "stopped" }.to_owned()
}

fn activity(active: bool) -> String {
    if active { "ACTIVE" } else { "INACTIVE" }.to_owned()
}

fn shown(range: Option<(u32, u32)>) -> String {
    range.map_or_else(|| "none".to_owned(), |(min, max)| format!("{min} to {max}"))
}

/// The plan resting on what was read now: its way back is the way back from there, tasks that have ended are left out, and what makes
/// it senseless blocks it.
#[must_use]
pub fn rest_on(mut plan: Plan, now: &[Basis]) -> Plan {
    for known in &mut plan.basis {
        let Some(fresh) = now.iter().find(|fresh| known.same(fresh)) else { continue };
        if let Ok(inverse) = &mut plan.inverse {
            turn(inverse, fresh);
        }
        let name = fresh.name().to_owned();
        match fresh {
            Basis::Service { status, .. } if &**status == MISSING => {
                plan.notes.insert(0, Note::blocker(format!("service {name} has been deleted")));
            }
            Basis::Service { status, .. } if &**status != "ACTIVE" => {
                plan.notes.insert(0, Note::blocker(format!("service {name} is {status}")));
            }
            Basis::Revision { active: false, .. } => {
                plan.notes.insert(0, Note::blocker(format!("{name} has been deregistered")));
            }
            Basis::Task { arn, alive: false } if leave_out(&mut plan.steps, arn) => {
                plan.targets.retain(|target| target != arn);
                plan.notes.push(Note::warning(format!("task {name} has stopped meanwhile and is left out")));
            }
            Basis::Instance { status, .. } if &**status == MISSING => {
                plan.notes.insert(0, Note::blocker(format!("container instance {name} has left the cluster")));
            }
            _ => {}
        }
        *known = fresh.clone();
    }
    if plan.steps.is_empty() {
        plan.notes.insert(0, Note::blocker("nothing is left to do"));
    }
    for change in &mut plan.changes {
        let fresh = moved_to(&change.what, now);
        if let Some(fresh) = fresh.filter(|_| plan.basis.len() == 1) {
            change.before = fresh;
        }
    }
    plan
}

/// The value that a line of the plan names, as it is now.
fn moved_to(what: &str, now: &[Basis]) -> Option<String> {
    now.iter().find_map(|basis| match (what, basis) {
        ("desired", Basis::Service { desired, .. }) => Some(desired.to_string()),
        ("task definition", Basis::Service { revision, .. }) => Some(revision.name().to_owned()),
        _ => None,
    })
}

fn turn(inverse: &mut Inverse, now: &Basis) {
    match (inverse, now) {
        (Inverse::Scale { service, desired }, Basis::Service { arn, desired: now, .. }) if service == arn => *desired = *now,
        (Inverse::Revision { service, revision }, Basis::Service { arn, revision: now, .. }) if service == arn => *revision = now.clone(),
        (Inverse::Range { resource, range, suspended }, Basis::Range { resource: of, range: Some(now), suspended: off })
            if resource == of =>
        {
            *range = *now;
            *suspended = *off;
        }
        (Inverse::Several(all), now) => all.iter_mut().for_each(|one| turn(one, now)),
        _ => {}
    }
}

/// Takes a task out of the calls; says whether any named it.
fn leave_out(steps: &mut Vec<super::Step>, task: &Arn) -> bool {
    let before = steps.len();
    let mut named = false;
    steps.retain_mut(|step| match &mut step.call {
        Call::StopTask { task: of, .. } => of != task,
        Call::UpdateTaskProtection { tasks, .. } => {
            let all = tasks.len();
            tasks.retain(|of| of != task);
            named |= tasks.len() < all;
            !tasks.is_empty()
        }
        _ => true,
    });
    named || steps.len() < before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{Change, Level, Step, Verb};
    use crate::model::{Ctx, Suspended};

    fn web(desired: u32, revision: &str, deployment: &str) -> Basis {
        Basis::Service {
            arn: "arn:aws:ecs:eu-west-1:1:service/main/web".into(),
            status: "ACTIVE".into(),
            desired,
            revision: revision.into(),
            deployment: deployment.into(),
            state: "COMPLETED".into(),
        }
    }

    fn stop(task: &str) -> Step {
        let call = Call::StopTask { cluster: "c".into(), task: task.into(), reason: String::new() };
        Step { call, what: format!("stop {task}") }
    }

    fn plan(basis: Vec<Basis>, steps: Vec<Step>) -> Plan {
        Plan {
            verb: Verb::Scale,
            ctx: Ctx(0),
            account: "1".into(),
            region: "eu-west-1".into(),
            profile: None,
            cluster: "c".into(),
            targets: vec!["a".into(), "b".into()],
            changes: vec![Change { what: "desired".into(), before: "6".into(), after: "20".into() }],
            notes: Vec::new(),
            level: Level::Plain,
            word: None,
            steps,
            basis,
            inverse: Ok(Box::new(Inverse::Scale { service: "arn:aws:ecs:eu-west-1:1:service/main/web".into(), desired: 6 })),
            watch: None,
            undoes: None,
        }
    }

    fn told(moved: &[Moved]) -> Vec<String> {
        moved.iter().map(|m| format!("{} {} {} -> {}", m.target, m.what, m.was, m.now)).collect()
    }

    #[test]
    fn what_somebody_else_did_is_told_by_field() {
        let was = [web(6, "x:task-definition/web:7", "ecs-svc/1")];
        assert!(moved(&was, &was).is_empty());
        let now = [web(8, "x:task-definition/web:8", "ecs-svc/2")];
        let expected = ["web desired 6 -> 8", "web task definition web:7 -> web:8", "web deployment ecs-svc/1 -> ecs-svc/2"];
        assert_eq!(told(&moved(&was, &now)), expected);
        assert!(moved(&was, &[]).is_empty(), "what could not be read has not moved");
    }

    #[test]
    fn a_range_that_was_suspended_meanwhile_has_moved() {
        let of = |range, scale_in| Basis::Range {
            resource: "service/main/web".into(),
            range,
            suspended: Suspended { scale_in, ..Suspended::default() },
        };
        let found = moved(&[of(Some((2, 15)), false)], &[of(None, true)]);
        assert_eq!(told(&found), ["web scaling range 2 to 15 -> none", "web suspended nothing -> scale-in"]);
    }

    #[test]
    fn the_way_back_is_the_way_back_to_what_is_there_now() {
        let fresh = web(8, "x:task-definition/web:7", "ecs-svc/1");
        let step = stop("t");
        let plan = rest_on(plan(vec![web(6, "x:task-definition/web:7", "ecs-svc/1")], vec![step]), std::slice::from_ref(&fresh));
        assert_eq!(plan.basis, [fresh]);
        assert_eq!(plan.changes[0].before, "8");
        assert!(matches!(plan.inverse.as_deref(), Ok(Inverse::Scale { desired: 8, .. })));
        assert!(!plan.blocked());
    }

    #[test]
    fn a_task_that_has_ended_is_left_out_and_named() {
        let task = |arn: &str, alive| Basis::Task { arn: arn.into(), alive };
        let two = plan(vec![task("a", true), task("b", true)], vec![stop("a"), stop("b")]);
        let one = rest_on(two.clone(), &[task("a", false), task("b", true)]);
        assert_eq!((one.steps.len(), one.targets.len(), one.blocked()), (1, 1, false));
        assert_eq!(one.notes[0].text, "task a has stopped meanwhile and is left out");
        let none = rest_on(two, &[task("a", false), task("b", false)]);
        assert!(none.blocked() && none.steps.is_empty());
    }

    #[test]
    fn what_is_gone_blocks_the_plan() {
        let revision = |active| Basis::Revision { arn: "x:task-definition/web:7".into(), active };
        let gone = rest_on(plan(vec![revision(true)], vec![stop("t")]), &[revision(false)]);
        assert_eq!(gone.notes[0], Note::blocker("web:7 has been deregistered"));
        let Basis::Service { arn, desired, revision, deployment, state, .. } = web(6, "r", "d") else { unreachable!() };
        let deleted = Basis::Service { arn, desired, revision, deployment, state, status: MISSING.into() };
        assert_eq!(told(&moved(&[web(6, "r", "d")], std::slice::from_ref(&deleted))), ["web status ACTIVE -> MISSING"]);
        assert!(rest_on(plan(vec![web(6, "r", "d")], vec![stop("t")]), &[deleted]).blocked());
    }
}
