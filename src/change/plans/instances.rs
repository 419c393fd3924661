//! Container instances: emptied of service tasks, or open for tasks again.

use super::{Facts, change, counted, listed, step, tasks_of};
use crate::change::{Basis, Call, Inverse, Level, Note, Plan, Verb};
use crate::feed::Feed;
use crate::model::{Arn, ContainerInstance};
use std::sync::Arc;

/// `UpdateContainerInstancesState` takes at most so many.
const TOGETHER: usize = 10;

/// Drains container instances, or activates them.
///
/// # Errors
/// One line: what is not known yet, or that they are so already.
pub fn instances(facts: &Facts, instances: &[Arn], drain: bool) -> Result<Plan, String> {
    let word = if drain { "DRAINING" } else { "ACTIVE" };
    let all = facts.store.instances(facts.ctx, facts.cluster).ok_or_else(|| {
        let error = facts.store.error(&Feed::Instances(facts.ctx, facts.cluster.clone()));
        error.map_or("still reading the instances".to_owned(), |error| error.what.to_string())
    })?;
    let find = |arn: &Arn| all.iter().find(|i| i.arn == *arn).ok_or_else(|| format!("instance {} is gone", arn.name()));
    let found: Vec<&Arc<ContainerInstance>> = instances.iter().map(find).collect::<Result<_, _>>()?;
    let chosen: Vec<&Arc<ContainerInstance>> = found.into_iter().filter(|i| &*i.status != word).collect();
    if chosen.is_empty() {
        return Err(format!("{} {word} already", if instances.len() == 1 { "it is" } else { "they are" }));
    }
    let arns: Vec<Arn> = chosen.iter().map(|i| i.arn.clone()).collect();
    let mut plan = facts.plan(if drain { Verb::Drain } else { Verb::Activate }, arns.clone());
    plan.level = if chosen.len() == 1 { Level::Plain } else { Level::Grave };
    plan.inverse = Ok(Box::new(Inverse::Instances { instances: arns.clone(), drain: !drain }));
    for i in &chosen {
        plan.changes.push(change(&format!("instance {}", name(i)), &i.status, &word));
        plan.basis.push(Basis::Instance { arn: i.arn.clone(), status: i.status.clone() });
        if !matches!(&*i.status, "ACTIVE" | "DRAINING") {
            plan.notes.push(Note::blocker(format!("{} is {}: AWS changes only ACTIVE and DRAINING instances", name(i), i.status)));
        }
    }
    if drain {
        draining(facts, &mut plan, &chosen, all);
    } else if let Some(lost) = chosen.iter().find(|i| !i.agent_connected) {
        plan.notes.push(Note::warning(format!("the agent of {} is not connected: nothing is placed on it", name(lost))));
    }
    for some in arns.chunks(TOGETHER) {
        let call = Call::UpdateContainerInstancesState { cluster: facts.cluster.clone(), instances: some.to_vec(), drain };
        plan.steps.push(step(call, format!("{} {}", plan.verb.word(), counted(some.len(), "instance"))));
    }
    Ok(plan)
}

fn draining(facts: &Facts, plan: &mut Plan, chosen: &[&Arc<ContainerInstance>], all: &[Arc<ContainerInstance>]) {
    let ours = |arn: &Arn| chosen.iter().any(|i| i.arn == *arn);
    let tasks = facts.store.tasks(facts.ctx, facts.cluster).unwrap_or_default();
    let here = || tasks.iter().filter(|task| !task.stopped() && task.instance.as_ref().is_some_and(ours));
    let mut services: Vec<&str> = here().filter_map(|task| task.service()).collect();
    let (moved, alone) = (services.len(), here().filter(|task| task.service().is_none()).count());
    services.sort_unstable();
    services.dedup();
    if facts.store.tasks(facts.ctx, facts.cluster).is_none() {
        let running: u32 = chosen.iter().map(|i| i.running + i.pending).sum();
        plan.notes.push(Note::info(format!("{} on it, which have not been read", tasks_of(running as usize))));
    } else if moved > 0 {
        plan.notes.push(Note::info(format!(
            "{} of {} {} replaced elsewhere, by the services' min and max percent",
            tasks_of(moved),
            listed(&services),
            if moved == 1 { "is" } else { "are" }
        )));
    } else {
        plan.notes.push(Note::info("no service runs a task on it".to_owned()));
    }
    if alone > 0 {
        plan.notes.push(Note::warning(format!("{} of no service stay until they end or are stopped", tasks_of(alone))));
    }
    let open: Vec<&Arc<ContainerInstance>> = all.iter().filter(|i| !ours(&i.arn) && &*i.status == "ACTIVE" && i.agent_connected).collect();
    if open.is_empty() {
        plan.notes.push(Note::warning("no other instance takes tasks: what is replaced finds no place".to_owned()));
        plan.level = Level::Grave;
        return;
    }
    let used = |of: fn(&ContainerInstance) -> (u32, u32)| chosen.iter().map(|i| u64::from(of(i).1.saturating_sub(of(i).0))).sum::<u64>();
    let left = |of: fn(&ContainerInstance) -> (u32, u32)| open.iter().map(|i| u64::from(of(i).0)).sum::<u64>();
    for (word, of) in [("CPU units", (|i| i.cpu) as fn(&ContainerInstance) -> (u32, u32)), ("MiB of memory", |i| i.memory)] {
        if used(of) > left(of) {
            plan.notes.push(Note::warning(format!(
                "{} {word} are in use on it, and the {} have {} left",
                used(of),
                counted(open.len(), "other instance"),
                left(of)
            )));
        }
    }
}

fn name(i: &ContainerInstance) -> &str {
    i.ec2_instance.as_deref().unwrap_or_else(|| i.arn.name())
}
