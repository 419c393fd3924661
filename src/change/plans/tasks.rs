//! Tasks: stopped, started one off, protected.

use super::{Facts, change, counted, images, listed, serving, step, tasks_of, vault};
use crate::change::{Basis, Call, Inverse, Level, Note, Plan, Verb};
use crate::feed::Feed;
use crate::model::{Arn, Protected, Service, Str, Task};
use std::sync::Arc;

/// `UpdateTaskProtection` takes at most so many.
const TOGETHER: usize = 10;

/// Longest protection, in minutes: two days.
const LONGEST: u32 = 2880;

/// What becomes a stopped task's `stoppedReason`.
const REASON: &str = "Stopped by hand with Midwatch";

fn known<'a>(facts: &Facts<'a>, arn: &Arn) -> Result<&'a Arc<Task>, String> {
    facts.store.task(facts.ctx, facts.cluster, arn).ok_or_else(|| match facts.store.error(&Feed::Tasks(facts.ctx, facts.cluster.clone())) {
        Some(error) => format!("task {} cannot be read: {}", short(arn), error.came()),
        None if facts.store.tasks(facts.ctx, facts.cluster).is_none() => "still reading the tasks".to_owned(),
        None => format!("task {} is gone", short(arn)),
    })
}

/// Enough of an id to find it in AWS's texts.
fn short(arn: &Arn) -> &str {
    arn.name().get(..8).unwrap_or(arn.name())
}

fn alive(task: &Task) -> bool {
    !task.stopped() && &*task.desired == "RUNNING"
}

/// Stops tasks. What a service started, ECS replaces.
///
/// # Errors
/// One line: what is not known yet, or that no task is left to stop.
pub fn stop_tasks(facts: &Facts, tasks: &[Arn]) -> Result<Plan, String> {
    let found: Vec<&Arc<Task>> = tasks.iter().map(|arn| known(facts, arn)).collect::<Result<_, _>>()?;
    let (live, over): (Vec<&Arc<Task>>, Vec<&Arc<Task>>) = found.into_iter().partition(|task| alive(task));
    if live.is_empty() {
        return Err(if tasks.len() == 1 {
            "the task has stopped, or is on its way"
        } else {
            "all these tasks have stopped, or are on their way"
        }
        .to_owned());
    }
    let mut plan = facts.plan(Verb::StopTasks, live.iter().map(|task| task.arn.clone()).collect());
    plan.inverse = Err("a stopped task cannot be started again");
    plan.level = if live.len() == 1 { Level::Plain } else { Level::Grave };
    if !over.is_empty() {
        let names: Vec<&str> = over.iter().map(|task| short(&task.arn)).collect();
        plan.notes.push(Note::info(format!("left out, for they stop already: {}", listed(&names))));
    }
    for task in &live {
        plan.changes.push(change(
            &format!("task {} of {}", short(&task.arn), task.task_definition.name()),
            &task.status.as_str(),
            &"STOPPED",
        ));
        plan.basis.push(Basis::Task { arn: task.arn.clone(), alive: true });
        let call = Call::StopTask { cluster: facts.cluster.clone(), task: task.arn.clone(), reason: REASON.to_owned() };
        plan.steps.push(step(call, format!("stop task {}", short(&task.arn))));
    }
    let mut services: Vec<&str> = live.iter().filter_map(|task| task.service()).collect();
    services.sort_unstable();
    services.dedup();
    for name in &services {
        plan.notes.extend(left(facts, name, &live));
    }
    let alone = live.iter().filter(|task| task.service().is_none()).count();
    if alone > 0 {
        plan.notes.push(Note::warning(format!(
            "{} no service started: nothing replaces {}",
            of_which(alone),
            if alone == 1 { "it" } else { "them" }
        )));
    }
    if !services.is_empty() {
        plan.notes.extend(protection_note(facts, tasks));
    }
    if let [name] = services.as_slice() {
        plan.watch = service_named(facts, name).map(|service| service.arn.clone());
    }
    Ok(plan)
}

/// What is known of the protection of these tasks: the protected ones, or why that is not known.
fn protected<'a>(facts: &Facts<'a>, tasks: &[Arn]) -> Result<&'a [Protected], String> {
    let tasks: Arc<[Arn]> = tasks.into();
    facts.store.protection(facts.ctx, facts.cluster, &tasks).ok_or_else(|| {
        let error = facts.store.error(&Feed::Protection(facts.ctx, facts.cluster.clone(), tasks.clone()));
        error.map_or("AWS has not answered yet".to_owned(), |error| error.came().to_owned())
    })
}

/// `StopTask` asks no protection: whoever protected the task thought otherwise.
fn protection_note(facts: &Facts, tasks: &[Arn]) -> Option<Note> {
    match protected(facts, tasks) {
        Ok([]) => None,
        Ok(all) => {
            let one = |own: &Protected| match own.until {
                Some(at) => format!("{} until {}", short(&own.task), at.strftime("%H:%M UTC")),
                None => short(&own.task).to_owned(),
            };
            let names: Vec<String> = all.iter().map(one).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Some(Note::warning(format!("protected: {}. It works on something: StopTask stops it all the same", listed(&names))))
        }
        Err(why) => Some(Note::info(format!("whether somebody has protected it is not known: {why}"))),
    }
}

fn of_which(n: usize) -> String {
    if n == 1 { "a task that".to_owned() } else { format!("{n} tasks that") }
}

fn service_named<'a>(facts: &Facts<'a>, name: &str) -> Option<&'a Arc<Service>> {
    facts.store.services(facts.ctx, facts.cluster)?.iter().find(|service| &*service.name == name)
}

/// What a service has left while ECS starts others.
fn left(facts: &Facts, name: &str, stopped: &[&Arc<Task>]) -> Vec<Note> {
    let running =
        facts.store.tasks_of(facts.ctx, facts.cluster, name).iter().filter(|task| alive(task) && task.status.as_str() == "RUNNING");
    let left = running.filter(|task| !stopped.iter().any(|own| own.arn == task.arn)).count();
    let wanted = service_named(facts, name).map_or(0, |service| service.desired as usize);
    let mut notes = vec![Note::info(format!("ECS starts others for {name}: StopTask does not wait for them"))];
    if left == 0 {
        notes.push(Note::warning(format!("no other task of {name} runs: it is out of service until a new one is healthy")));
    } else if wanted > 0 {
        notes.push(Note::info(format!("{left} of {} of {name} go on meanwhile", tasks_of(wanted))));
    }
    notes
}

/// Keeps tasks from being stopped by scaling in and by deployments, or lets them be stopped again.
///
/// # Errors
/// One line: what is not known yet, or that no task of a service is left.
pub fn protect(facts: &Facts, tasks: &[Arn], protect: bool, minutes: Option<u32>) -> Result<Plan, String> {
    let found: Vec<&Arc<Task>> = tasks.iter().map(|arn| known(facts, arn)).collect::<Result<_, _>>()?;
    let fit: Vec<Arn> = found.iter().filter(|task| alive(task) && task.service().is_some()).map(|task| task.arn.clone()).collect();
    if fit.is_empty() {
        return Err("only tasks that a service runs can be protected".to_owned());
    }
    let mut plan = facts.plan(if protect { Verb::Protect } else { Verb::Unprotect }, fit.clone());
    plan.level = if fit.len() == 1 { Level::Plain } else { Level::Grave };
    plan.inverse = Ok(Box::new(Inverse::Protection { tasks: fit.clone(), protect: !protect }));
    if fit.len() < tasks.len() {
        plan.notes.push(Note::info(format!("{} left out: stopping, or started by no service", tasks_of(tasks.len() - fit.len()))));
    }
    let until = minutes.map_or("2 hours, AWS's default".to_owned(), |minutes| counted(minutes as usize, "minute"));
    let after = if protect { format!("protected for {until}") } else { "not protected".to_owned() };
    let known = protected(facts, tasks);
    for arn in &fit {
        let before = match &known {
            Ok(all) => all.iter().find(|own| own.task == *arn).map_or("not protected".to_owned(), |own| {
                own.until.map_or("protected".to_owned(), |at| format!("protected until {}", at.strftime("%H:%M UTC")))
            }),
            Err(_) => "not known".to_owned(),
        };
        plan.changes.push(change(&format!("task {}", short(arn)), &before, &after));
        plan.basis.push(Basis::Task { arn: arn.clone(), alive: true });
    }
    if protect && minutes.is_some_and(|minutes| !(1..=LONGEST).contains(&minutes)) {
        plan.notes.push(Note::blocker(format!("AWS protects for 1 to {LONGEST} minutes")));
    }
    if protect {
        plan.notes.push(Note::warning("a deployment waits for protected tasks of the old revision until the protection ends".to_owned()));
    }
    for some in fit.chunks(TOGETHER) {
        let minutes = minutes.filter(|_| protect);
        let call = Call::UpdateTaskProtection { cluster: facts.cluster.clone(), tasks: some.to_vec(), protect, minutes };
        plan.steps.push(step(call, format!("{} {}", plan.verb.word(), tasks_of(some.len()))));
    }
    Ok(plan)
}

/// A one-off task of a revision, placed and connected as the service's own are.
///
/// # Errors
/// One line: what is not known yet.
pub fn run_task(facts: &Facts, service: &Arn, revision: &Arn, command: Option<(Str, Vec<String>)>) -> Result<Plan, String> {
    let known = facts.service(service)?;
    let mut plan = facts.plan(Verb::RunTask, vec![service.clone()]);
    plan.inverse = Err("a task that has run has run: stop it while it does");
    plan.basis.push(Basis::Revision { arn: revision.clone(), active: true });
    plan.changes.push(change("one-off task", &"none", &format!("1 of {}, of no service", revision.name())));
    let mut awsvpc = !known.subnets.is_empty();
    match facts.store.definition(facts.ctx, revision) {
        Some(definition) => {
            if &*definition.status != "ACTIVE" {
                plan.notes.push(Note::blocker(format!("{} is {}: AWS runs only ACTIVE revisions", definition.short(), definition.status)));
            }
            awsvpc = definition.network_mode.as_deref() == Some("awsvpc");
            if awsvpc && known.subnets.is_empty() {
                plan.notes.push(Note::blocker(format!("{} needs subnets and {} names none", definition.short(), known.name)));
            }
            if let Some((name, _)) = command.as_ref().filter(|(name, _)| !definition.containers.iter().any(|own| own.name == *name)) {
                plan.notes.push(Note::blocker(format!("{} has no container {name}", definition.short())));
            }
            plan.notes.extend(definition.containers.iter().filter_map(|own| images::tag_note(facts, &own.name, &own.image)));
            let runs = facts.store.definition(facts.ctx, serving(known));
            plan.notes.extend(vault::notes(facts, definition, runs.map(|runs| &**runs)));
            plan.basis.extend(images::bases(facts, definition));
            plan.basis.extend(vault::basis(facts, definition));
            let roles = [&definition.task_role, &definition.execution_role].into_iter().flatten().count();
            if roles > 0 {
                plan.notes.push(Note::info("running it needs iam:PassRole on its roles".to_owned()));
            }
        }
        None => plan.notes.push(match facts.store.error(&Feed::TaskDefinition(facts.ctx, revision.clone())) {
            Some(error) => Note::warning(format!("{} is not checked: {}", revision.name(), error.came())),
            None => Note::warning(format!("still reading {}: it is not checked yet", revision.name())),
        }),
    }
    match &command {
        Some((container, words)) if words.is_empty() => plan.notes.push(Note::blocker(format!("no command for {container}"))),
        Some((container, words)) => plan.changes.push(change(&format!("command of {container}"), &"its own", &words.join(" "))),
        None => {
            plan.notes.push(Note::warning("it runs the command of its definition: what serves requests does not end by itself".to_owned()));
        }
    }
    plan.notes.push(Note::info("it joins no target group, and nothing replaces it".to_owned()));
    let call = Call::RunTask {
        cluster: facts.cluster.clone(),
        revision: revision.clone(),
        launch_type: known.launch_type.clone().filter(|_| known.capacity_providers.is_empty()),
        capacity_providers: known.capacity_providers.clone(),
        network: awsvpc.then(|| (known.subnets.clone(), known.security_groups.clone(), known.public_ip.clone())),
        command,
        started_by: "midwatch".to_owned(),
        // The same plan sent twice starts one task; the next plan is another moment's.
        client_token: format!("midwatch-{}-{}", facts.now.as_millisecond(), known.name.chars().take(32).collect::<String>()),
    };
    plan.steps.push(step(call, format!("run a task of {}", revision.name())));
    Ok(plan)
}
