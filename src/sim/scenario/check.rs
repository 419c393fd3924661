//! What TOML and its types cannot check: names that refer to one another,
//! names given twice, numbers out of AWS's range.

use std::collections::BTreeSet;

use toml::Spanned;

use super::explain::{at, unknown};
use super::schema::{Act, Actor, Behaviour, Fate, LaunchType, LogDriver, Service, Strategy};
use super::{Count, Error, Scenario};

/// Refuses the first thing that is wrong.
pub fn check(file: &str, text: &str, scenario: &Scenario) -> Result<(), Error> {
    let place = (file, text);
    contexts(file, scenario)?;
    clusters(place, scenario)?;
    let names = scenario.cluster.iter().map(|c| c.name.as_str());
    let mut seen = BTreeSet::new();
    for service in &scenario.service {
        if !names.clone().any(|name| name == service.cluster.get_ref()) {
            return Err(unknown(place, "cluster", &service.cluster, names));
        }
        if !seen.insert((service.cluster.get_ref(), &service.name)) {
            let message = format!("service `{}` stands twice in its cluster", service.name);
            return Err(at(file, text, Some(service.cluster.span()), &message));
        }
        one_service(place, service)?;
    }
    for actor in &scenario.actor {
        self::actor(place, scenario, actor)?;
    }
    let mut names = BTreeSet::new();
    for drill in &scenario.drill {
        if drill.step.is_empty() {
            return Err(Error(format!("{file}: drill `{}` needs at least one [[drill.step]]", drill.name)));
        }
        if !names.insert(&drill.name) {
            return Err(Error(format!("{file}: drill `{}` stands twice", drill.name)));
        }
        for step in &drill.step {
            self::actor(place, scenario, step)?;
        }
    }
    super::beside::check(place, scenario)?;
    fleet(place, scenario)
}

fn contexts(file: &str, scenario: &Scenario) -> Result<(), Error> {
    let mut seen = BTreeSet::new();
    if scenario.context.is_empty() {
        return Err(Error(format!("{file}: a scenario needs at least one [[context]]")));
    }
    for context in &scenario.context {
        if context.account.len() != 12 || !context.account.bytes().all(|b| b.is_ascii_digit()) {
            let message = format!("account of context `{}` must have twelve digits", context.name);
            return Err(Error(format!("{file}: {message}")));
        }
        if !seen.insert(&context.access_key) {
            let message = format!("access key `{}` belongs to two contexts", context.access_key);
            return Err(Error(format!("{file}: {message}")));
        }
    }
    Ok(())
}

fn clusters(place: (&str, &str), scenario: &Scenario) -> Result<(), Error> {
    let contexts = scenario.context.iter().map(|c| c.name.as_str());
    let mut seen = BTreeSet::new();
    for cluster in &scenario.cluster {
        if !contexts.clone().any(|name| name == cluster.context.get_ref()) {
            return Err(unknown(place, "context", &cluster.context, contexts));
        }
        if !seen.insert(&cluster.name) {
            let message = format!("cluster `{}` stands twice", cluster.name);
            return Err(at(place.0, place.1, Some(cluster.context.span()), &message));
        }
        let providers = cluster.capacity_provider.iter().map(|p| p.name.as_str());
        for wanted in cluster.instances.iter().filter_map(|i| i.capacity_provider.as_ref()) {
            if !providers.clone().any(|name| name == wanted.get_ref()) {
                return Err(unknown(place, "capacity provider", wanted, providers));
            }
        }
    }
    Ok(())
}

fn one_service((file, text): (&str, &str), service: &Service) -> Result<(), Error> {
    let refused = |message: &str| {
        let message = format!("service `{}`: {message}", service.name);
        Err(at(file, text, Some(service.cluster.span()), &message))
    };
    if service.container.is_empty() {
        return refused("needs at least one [[service.container]]");
    }
    if !service.container.iter().any(|c| c.essential) {
        return refused("at least one container must be essential");
    }
    if service.daemon && service.launch != LaunchType::Ec2 {
        return refused("a daemon runs on container instances: launch = \"EC2\"");
    }
    if service.revision == 0 || service.minimum > service.maximum || service.maximum < 100 && !service.daemon {
        return refused("revision starts at 1, and minimum <= 100 <= maximum");
    }
    let routed = service.container.iter().any(|c| c.log_driver == LogDriver::Awsfirelens);
    if routed && !service.container.iter().any(|c| c.log_driver == LogDriver::Router) {
        return refused("log_driver `awsfirelens` needs a container with log_driver `router`");
    }
    if let Some(lacks) = unmet(service, service.behaviour.fate).or_else(|| unknown_container(service, &service.behaviour)) {
        return refused(lacks);
    }
    let pair = service.load_balancer.as_ref().is_some_and(|lb| lb.pair);
    if service.rollout.strategy != Strategy::Rolling && !pair {
        return refused("a strategy other than ROLLING needs a [service.load_balancer] with `pair = true`");
    }
    if !(1..=3).contains(&service.zones) {
        return refused("`zones` is 1, 2 or 3");
    }
    for container in &service.container {
        if let Some(odd) = container.depends_on.keys().find(|name| !service.container.iter().any(|c| c.name == **name)) {
            return refused(&format!("container `{}` depends on `{odd}`, which is not there", container.name));
        }
        if container.host_ports.len() > container.ports.len() {
            return refused(&format!("container `{}` has more host_ports than ports", container.name));
        }
    }
    let names = service.container.iter().map(|c| c.name.as_str());
    match service.load_balancer.as_ref().and_then(|lb| lb.container.as_ref()) {
        Some(wanted) if !names.clone().any(|name| name == wanted.get_ref()) => Err(unknown((file, text), "container", wanted, names)),
        _ => Ok(()),
    }
}

/// What a fate needs that a service does not have: without it, nothing would ever befall the tasks.
fn unmet(service: &Service, fate: Fate) -> Option<&'static str> {
    let checked = service.container.iter().any(|c| c.essential && c.health_check.is_some());
    match fate {
        Fate::Unhealthy | Fate::SlowStart if service.load_balancer.is_none() => {
            Some("fate `unhealthy` or `slow_start` needs a [service.load_balancer]")
        }
        Fate::SecretMissing | Fate::SecretDenied | Fate::SecretUnreachable
            if service.container.iter().all(|c| c.secrets.is_empty() && c.parameters.is_empty()) =>
        {
            Some("fate `secret_…` needs `secrets` or `parameters` on a container")
        }
        Fate::ContainerUnhealthy if !checked => Some("fate `container_unhealthy` needs a health_check on an essential container"),
        _ => None,
    }
}

fn actor(place: (&str, &str), scenario: &Scenario, actor: &Actor) -> Result<(), Error> {
    let clusters = scenario.cluster.iter().map(|c| c.name.as_str());
    if !clusters.clone().any(|name| name == actor.cluster.get_ref()) {
        return Err(unknown(place, "cluster", &actor.cluster, clusters));
    }
    let here = Some(actor.cluster.span());
    let lacks = |message: &str| Err(at(place.0, place.1, here.clone(), message));
    if actor.every.is_some_and(|every| every.0 < 1000) {
        return lacks("`every` must be at least one second");
    }
    if actor.act == Act::Scale && actor.desired.is_empty() {
        return lacks("act `scale` needs `desired = [ … ]`");
    }
    match actor.act {
        Act::DeleteParameter | Act::DenyParameter | Act::RestoreParameter if actor.parameter.is_none() => {
            return lacks("this act needs `parameter = \"NAME\"`");
        }
        Act::ExpireImage if actor.image.is_none() => return lacks("act `expire_image` needs `image = \"REPOSITORY:TAG\"`"),
        Act::FailFunction | Act::MendFunction if actor.function.is_none() => return lacks("this act needs `function = \"NAME\"`"),
        Act::Alarm if actor.alarm.is_none() => return lacks("act `alarm` needs `alarm = \"NAME\"`"),
        _ => {}
    }
    let Some(wanted) = &actor.service else {
        return if on_a_service(actor.act) { lacks("this act needs a `service`") } else { Ok(()) };
    };
    let of_cluster = |s: &&Service| s.cluster.get_ref() == actor.cluster.get_ref();
    let services = scenario.service.iter().filter(of_cluster);
    let Some(of) = services.clone().find(|s| s.name == *wanted.get_ref()) else {
        return Err(unknown(place, "service", wanted, services.map(|s| s.name.as_str())));
    };
    match unmet(of, actor.behaviour.fate).or_else(|| unknown_container(of, &actor.behaviour)) {
        Some(lacks) => Err(at(place.0, place.1, Some(wanted.span()), lacks)),
        None => Ok(()),
    }
}

/// Acts that mean nothing without a service.
fn on_a_service(act: Act) -> bool {
    !matches!(
        act,
        Act::DeleteParameter
            | Act::DenyParameter
            | Act::RestoreParameter
            | Act::ExpireImage
            | Act::Alarm
            | Act::FailFunction
            | Act::MendFunction
            | Act::Fill
            | Act::AgentDisconnect
            | Act::AgentConnect
            | Act::Drain
            | Act::Terminate
    )
}

fn unknown_container(service: &Service, behaviour: &Behaviour) -> Option<&'static str> {
    let named = behaviour.container.as_ref()?;
    (!service.container.iter().any(|c| c.name == *named)).then_some("the behaviour names a `container` that the service does not have")
}

fn fleet((file, text): (&str, &str), scenario: &Scenario) -> Result<(), Error> {
    let Some(fleet) = &scenario.fleet else { return Ok(()) };
    let contexts = scenario.context.iter().map(|c| c.name.as_str());
    if !contexts.clone().any(|name| name == fleet.context.get_ref()) {
        return Err(unknown((file, text), "context", &fleet.context, contexts));
    }
    let counts = [&fleet.clusters, &fleet.services, &fleet.tasks];
    for count in counts.into_iter().chain(&fleet.unhealthy).chain(&fleet.rolling) {
        if let Count::Parameter(name) = count.get_ref()
            && !scenario.parameters.contains_key(name)
        {
            let wanted = Spanned::new(count.span(), name.clone());
            let known = scenario.parameters.keys().map(String::as_str);
            return Err(unknown((file, text), "parameter", &wanted, known));
        }
    }
    let number = |count: &Spanned<Count>| scenario.count(count.get_ref());
    if number(&fleet.clusters) == 0 && number(&fleet.services) > 0 {
        return Err(Error(format!("{file}: services need at least one cluster")));
    }
    if number(&fleet.services) == 0 && number(&fleet.tasks) > 0 {
        return Err(Error(format!("{file}: tasks need at least one service")));
    }
    // AWS's quota is 10,000 clusters and 5,000 services to a cluster; memory is the limit here.
    if number(&fleet.clusters) > 10_000 || number(&fleet.services) > 50_000 || number(&fleet.tasks) > 200_000 {
        return Err(Error(format!("{file}: at most 10000 clusters, 50000 services and 200000 tasks")));
    }
    Ok(())
}
