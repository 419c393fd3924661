//! What the judge says of the service that a change would start tasks of: whoever starts more of what cannot start should know. And what
//! the checks of ECS Exec say of a service before exec is switched on.
//!
//! It judges nothing itself. Plans are made without the judge and the checks; this is added to what they say.

use crate::change::{Call, Note, Plan, Revision, Verb};
use crate::exec::checks;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Kept, Task, TaskDefinition};
use crate::verdict::cause::Cause;
use crate::verdict::{self, State, Verdict};
use crate::view::Cx;

/// A word about the tasks that fail now, where the change starts more like them.
pub fn note(plan: &Plan, cx: &Cx) -> Option<Note> {
    let service = plan.watch.as_ref()?;
    let verdict = cx.board.verdict(plan.ctx, &plan.cluster, service).filter(|verdict| verdict.state == State::Failing)?;
    let known = cx.store.service(plan.ctx, &plan.cluster, service)?;
    let dead = verdict::newest_failure(cx.store.tasks_of(plan.ctx, &plan.cluster, &known.name))?;
    let told = || told(dead, verdict);
    match plan.verb {
        Verb::Redeploy if dead.task_definition == known.task_definition => Some(Note::warning(told())),
        Verb::Scale if dead.task_definition == known.task_definition && grows(plan) => Some(Note::warning(told())),
        Verb::RollBack if verdict.cause == Some(Cause::SecretMissing) => {
            let of = |arn: &Arn| cx.store.definition(plan.ctx, arn).map(|definition| &**definition);
            let target = target(plan).filter(|target| **target != dead.task_definition)?;
            let both = shared(dead, of(&dead.task_definition)?, of(target)?)?;
            Some(Note::warning(format!("{}; {} reads {both} as well", told(), target.name())))
        }
        _ => None,
    }
}

/// What would still keep sessions from being once exec is on, or should be known of them.
pub fn exec_notes(plan: &Plan, cx: &Cx) -> Vec<Note> {
    let Some(known) = switched_on(plan).and_then(|service| cx.store.service(plan.ctx, &plan.cluster, service)) else { return Vec::new() };
    let Some(found) = checks::once_enabled(cx.store, plan.ctx, &plan.cluster, known) else {
        return vec![Note::info("no task of it runs: what else a session needs is checked when one is opened")];
    };
    // A task role that is missing is said by the plan, which AWS would refuse.
    let rest = found.into_iter().filter(|(_, check)| check.what != "task role");
    let note = |(container, check): (crate::model::Str, checks::Check)| {
        let words = format!("{}, container {container}: {}", check.what, check.told);
        let advice = check.advice().map_or(String::new(), |advice| format!(" · {advice}"));
        match (check.failed(), check.surmise) {
            (true, false) => Note::warning(format!("no session can be all the same: {words}{advice}")),
            (true, true) => Note::warning(format!("a session is not likely to open all the same: {words}{advice}")),
            (false, _) => Note::info(words),
        }
    };
    rest.map(note).collect()
}

/// The feeds that [`exec_notes`] goes by, beside what the plan itself needs.
pub fn exec_wanted(plan: &Plan, cx: &Cx, out: &mut Vec<Wanted>) {
    let Some(service) = switched_on(plan) else { return };
    let poll = |feed: Feed| Wanted::Poll { feed, focus: false };
    out.push(poll(Feed::Tasks(plan.ctx, plan.cluster.clone())));
    let tasks = cx.store.tasks_of(plan.ctx, &plan.cluster, service.name());
    if let Some(task) = tasks.iter().find(|task| !task.stopped()) {
        out.extend(checks::feeds(cx.store, plan.ctx, &plan.cluster, &task.arn).into_iter().map(poll));
    }
}

/// The service that exec is switched on for.
fn switched_on(plan: &Plan) -> Option<&Arn> {
    let on = |step: &crate::change::Step| matches!(&step.call, Call::UpdateService { set, .. } if set.exec == Some(true));
    plan.watch.as_ref().filter(|_| plan.steps.iter().any(on))
}

fn told(dead: &Task, verdict: &Verdict) -> String {
    let what = if dead.started_at.is_none() { "cannot start" } else { "fail" };
    format!("tasks of {} {what}: {}", dead.task_definition.name(), verdict.why)
}

fn grows(plan: &Plan) -> bool {
    let count = |text: &str| text.parse::<u32>().unwrap_or(0);
    plan.changes.iter().any(|change| change.what == "desired" && count(&change.after) > count(&change.before))
}

/// The revision that the plan goes back to, or clones.
fn target(plan: &Plan) -> Option<&Arn> {
    plan.steps.iter().find_map(|step| match &step.call {
        Call::RegisterTaskDefinition(register) => Some(&register.base),
        Call::UpdateService { set, .. } => match &set.revision {
            Some(Revision::Known(arn)) => Some(arn),
            _ => None,
        },
        _ => None,
    })
}

/// The secret that a task died for, where another revision reads it too.
fn shared(dead: &Task, of: &TaskDefinition, other: &TaskDefinition) -> Option<String> {
    let reason = dead.stopped_reason.as_deref()?;
    let read = |definition: &TaskDefinition| {
        definition.containers.iter().flat_map(|own| own.secrets.clone()).map(|(_, from)| from).collect::<Vec<_>>()
    };
    let others = read(other);
    let missing = read(of).into_iter().find(|from| reason.contains(Kept::parse(from).name()))?;
    others.contains(&missing).then(|| Kept::parse(&missing).name().to_owned())
}
