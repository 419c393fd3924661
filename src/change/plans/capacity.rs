//! What a deployment does to the tasks that serve: how few and how many run meanwhile, and whether there is room for the next one.

use super::{Controller, Facts, counted, shifts, tasks_of};
use crate::change::{Basis, Note, Plan};
use crate::feed::Feed;
use crate::model::{Arn, ContainerInstance, Service};

/// How few and how many tasks run during a rolling deployment. A `DAEMON` stops before it starts.
pub(super) fn bounds(service: &Service) -> (u64, u64) {
    let daemon = &*service.scheduling == "DAEMON";
    let desired = u64::from(service.desired);
    let (least, most) = if daemon { (0, 100) } else { (100, 200) };
    let most = if daemon { most } else { service.max_percent.unwrap_or(most) };
    // AWS rounds the lower bound up and the upper one down.
    ((desired * u64::from(service.min_percent.unwrap_or(least))).div_ceil(100), desired * u64::from(most) / 100)
}

/// Puts what a new deployment of `revision` does to capacity into its plan, with what that rests on.
pub(super) fn tell(facts: &Facts, plan: &mut Plan, service: &Service, revision: &Arn) {
    plan.notes.extend(notes(facts, service, revision));
    if Controller::of(service) == Controller::Ecs && !shifts(service) {
        plan.basis.push(Basis::bounds(service));
    }
}

/// What a new deployment of `revision` does to capacity, and whether its tasks find a place.
fn notes(facts: &Facts, service: &Service, revision: &Arn) -> Vec<Note> {
    let wants = service.desired as usize;
    if wants == 0 {
        return vec![Note::info(format!("{} wants no tasks: none is started", service.name))];
    }
    if Controller::of(service) != Controller::Ecs || shifts(service) {
        return vec![Note::info(format!(
            "a second set of {} starts beside the old one, which keeps the traffic until it moves",
            tasks_of(wants)
        ))];
    }
    let (lower, upper) = bounds(service);
    let percent = |percent: Option<u32>| percent.map_or("default".to_owned(), |percent| format!("{percent} %"));
    let set = format!("min {}, max {}", percent(service.min_percent), percent(service.max_percent));
    let mut notes = Vec::new();
    if lower >= u64::from(service.desired) && upper <= u64::from(service.desired) {
        notes.push(Note::warning(format!(
            "no task may stop before another starts, and none may start before one stops: the deployment hangs ({set})"
        )));
    } else if &*service.scheduling == "DAEMON" {
        notes.push(Note::warning(format!("a DAEMON stops the old task of an instance before it starts the new one ({set})")));
    } else if lower == 0 {
        notes.push(Note::warning(format!("all {} may stop before a new one runs ({set})", tasks_of(wants))));
    } else if lower < u64::from(service.desired) {
        notes.push(Note::warning(format!("capacity drops: as few as {lower} of {wants} tasks run meanwhile, at most {upper} ({set})")));
    } else {
        notes.push(Note::info(format!("never fewer than {lower} of {} run, at most {upper} ({set})", tasks_of(wants))));
    }
    let fixed = ports(facts, service, revision, lower);
    notes.extend(fixed.or_else(|| space(facts, service, lower)));
    notes.extend(breaker(service));
    notes
}

/// Without room for one more task nothing new starts before something old stops.
fn space(facts: &Facts, service: &Service, lower: u64) -> Option<Note> {
    let (_, short) = room(facts, service).filter(|(fits, _)| *fits == 0)?;
    if lower >= u64::from(service.running.min(service.desired)) {
        let least = service.min_percent.unwrap_or(100);
        return Some(Note::warning(format!(
            "no instance has room for another task ({short}): with min {least} % no old task may stop first, so the deployment waits for room"
        )));
    }
    Some(Note::info(format!("no instance has room for another task ({short}): each new one waits until an old one has stopped")))
}

/// Who takes a deployment back that fails.
fn breaker(service: &Service) -> Option<Note> {
    let words = match service.circuit_breaker {
        Some(breaker) if breaker.enabled && breaker.rollback => return None,
        Some(breaker) if breaker.enabled => "the circuit breaker stops a deployment that fails but does not roll it back",
        _ if !service.alarms.is_empty() => return None,
        _ => "no circuit breaker: a deployment that fails goes on trying until somebody stops it",
    };
    Some(Note::info(words.to_owned()))
}

/// A fixed port of the host makes room for one task on each instance.
fn ports(facts: &Facts, service: &Service, revision: &Arn, lower: u64) -> Option<Note> {
    let definition = facts.store.definition(facts.ctx, revision).or_else(|| facts.store.definition(facts.ctx, &service.task_definition));
    let Some(definition) = definition else {
        let why = facts.store.error(&Feed::TaskDefinition(facts.ctx, revision.clone()));
        let why = why.map_or("still reading its task definition".to_owned(), |error| error.what.to_string());
        return Some(Note::info(format!("fixed host ports are not checked: {why}")));
    };
    let ports = definition.needs().ports;
    if ports.is_empty() || service.launch_type.as_deref() == Some("FARGATE") {
        return None;
    }
    let names: Vec<String> = ports.iter().map(u16::to_string).collect();
    let fixed = format!("host {} {} fixed, so one task per instance", if names.len() == 1 { "port" } else { "ports" }, is(&names));
    let Some(instances) = facts.store.instances(facts.ctx, facts.cluster) else {
        return Some(Note::warning(format!("{fixed}; whether an instance is free is not known: the instances have not been read")));
    };
    let open: Vec<&ContainerInstance> = instances.iter().map(|i| &**i).filter(|i| &*i.status == "ACTIVE" && i.agent_connected).collect();
    let free = open.iter().filter(|i| !i.ports.iter().any(|port| ports.contains(port))).count();
    if free > 0 {
        return Some(Note::info(format!("{fixed}; {} of {} is free", free, counted(open.len(), "instance"))));
    }
    let all = if open.len() == 1 { "the 1 instance is".to_owned() } else { format!("all {} instances are", open.len()) };
    let taken = format!("{fixed}, and {all} taken");
    if lower >= u64::from(service.running.min(service.desired)) {
        let least = service.min_percent.unwrap_or(100);
        return Some(Note::warning(format!(
            "{taken}: with min {least} % no old task may stop first, so the deployment cannot place its next task (\"is already using a port required by your task\")"
        )));
    }
    Some(Note::info(format!("{taken}: each new task waits until an old one has stopped")))
}

fn is(names: &[String]) -> String {
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    format!("{} {}", super::listed(&names), if names.len() == 1 { "is" } else { "are" })
}

/// How many more tasks the instances have room for, and what runs out first; nothing where no instance is asked or not all is known.
pub(super) fn room(facts: &Facts, service: &Service) -> Option<(u32, &'static str)> {
    let fargate = service.launch_type.as_deref() == Some("FARGATE")
        || service.capacity_providers.iter().any(|(name, ..)| name.starts_with("FARGATE"));
    let definition = facts.store.definition(facts.ctx, &service.task_definition).filter(|_| !fargate)?;
    let instances = facts.store.instances(facts.ctx, facts.cluster).filter(|instances| !instances.is_empty())?;
    let needs = definition.needs();
    let of = |have: u32, need: u32| have.checked_div(need).unwrap_or(u32::MAX);
    let mut least: [u64; 3] = [0; 3];
    let mut fits = 0_u64;
    for i in instances.iter().filter(|i| &*i.status == "ACTIVE" && i.agent_connected) {
        let taken = i.ports.iter().any(|port| needs.ports.contains(port));
        let port = if needs.ports.is_empty() { u32::MAX } else { u32::from(!taken) };
        let each = [of(i.cpu.0, needs.cpu), of(i.memory.0, needs.memory), port];
        fits += u64::from(each.into_iter().min().unwrap_or(0));
        for (sum, own) in least.iter_mut().zip(each) {
            *sum += u64::from(own);
        }
    }
    let first = (0..3).min_by_key(|n| least[*n]).map_or("memory", |n| ["CPU", "memory", "host ports"][n]);
    (fits < u64::from(u32::MAX)).then(|| (u32::try_from(fits).unwrap_or(u32::MAX), first))
}
