//! Many alike services by numbers: `[fleet]` of a scenario.

use super::past::Past;
use super::queue::Due;
use super::state::{Actor, Estate, Ms};
use crate::sim::scenario::schema::{
    Actor as Script, Breaker, Cluster, Container, Controller, Exec, ExecAgent, LoadBalancer, Network, Rollout, Service,
};
use crate::sim::scenario::{Act, Behaviour, Error, Fate, Fleet, LaunchType, LogDriver, Scenario, Span, Voice};
use std::collections::BTreeMap;
use toml::Spanned;

const PLACES: [&str; 6] = ["core", "edge", "data", "web", "jobs", "apps"];
const FIELDS: [&str; 16] = [
    "orders", "billing", "catalog", "search", "media", "profile", "shipping", "quotes", "fraud", "email", "geo", "stock", "pricing",
    "reviews", "loyalty", "ledger",
];
const ROLES: [&str; 8] = ["api", "worker", "web", "sync", "stream", "gateway", "cache", "index"];
const VOICES: [Voice; 6] = [Voice::Json, Voice::Java, Voice::Go, Voice::Node, Voice::Python, Voice::Plain];
/// Pause between two of the fleet's deployments.
const PACE: Ms = 60_000;

/// Builds the fleet.
pub(super) fn build(estate: &mut Estate, scenario: &Scenario, fleet: &Fleet, opened: Ms) -> Result<(), Error> {
    let number = |count: &Spanned<_>| scenario.count(count.get_ref());
    let (clusters, services, tasks) = (number(&fleet.clusters), number(&fleet.services), number(&fleet.tasks));
    let unhealthy = fleet.unhealthy.as_ref().map_or(0, number);
    let rolling = fleet.rolling.as_ref().map_or(0, number);
    let first_cluster = estate.clusters.len();
    for index in 0..clusters {
        estate.build_cluster(&cluster(index, fleet));
    }
    for index in 0..services {
        let at = first_cluster + (index % clusters) as usize;
        // The remainder goes to the first services, one task each.
        let desired = tasks / services + u32::from(index < tasks % services);
        let mut file = service(estate, index, &estate.clusters[at].name.clone(), desired);
        if index < unhealthy && desired > 0 {
            file.grace = Span(30 * super::past::DAY);
            file.behaviour = sick();
        }
        let balancing = file.load_balancer.clone().map(|lb| estate.build_balancing(&file, &lb));
        let tags = vec![file.container[0].tag.clone()];
        let registered = estate.now - file.deployed.0 - 90_000;
        let definitions = vec![estate.build_definition(&file, file.revision, registered, &tags)];
        let built = estate.add_service(&file, at, &definitions, balancing);
        Past { deployed: file.deployed.0, age: file.age.0, definitions: &definitions }.lay_down(estate, built)?;
    }
    let end = estate.services.len();
    for turn in 0..rolling.min(services) {
        // From the end of the list, where nothing is sick.
        roll(estate, end - 1 - turn as usize, turn, rolling, opened);
    }
    Ok(())
}

fn roll(estate: &mut Estate, service: usize, turn: u32, of: u32, opened: Ms) {
    let every = (PACE * Ms::from(of)).max(8 * PACE);
    let of = &estate.services[service];
    let cluster = of.cluster;
    let names = [estate.clusters[cluster].name.clone(), of.name.clone()];
    let [cluster_name, service_name] = names.map(unplaced);
    let script = Script {
        name: "ci-bot".to_owned(),
        cluster: cluster_name,
        service: Some(service_name),
        every: Some(Span(every)),
        first: None,
        act: Act::Redeploy,
        behaviour: Behaviour::default(),
        desired: Vec::new(),
        tag: None,
        parameter: None,
        image: None,
        alarm: None,
        instance: None,
        leave: None,
        address: None,
        reason: None,
        function: None,
    };
    estate.actors.push(Actor { script, cluster, service: Some(service), round: 0 });
    let first = opened + PACE / 2 + PACE * Ms::from(turn);
    let periods = (first - estate.now).div_euclid(every);
    estate.queue.set(first - periods * every, Due::Act(estate.actors.len() - 1));
}

fn sick() -> Behaviour {
    Behaviour { fate: Fate::Unhealthy, after: Some(Span::minutes(40)), at_most: Some(1), ..Behaviour::default() }
}

fn unplaced<T>(value: T) -> Spanned<T> {
    Spanned::new(0..0, value)
}

fn cluster(index: u32, fleet: &Fleet) -> Cluster {
    let place = PLACES[index as usize % PLACES.len()];
    Cluster {
        name: format!("{place}-{:02}", index + 1),
        context: fleet.context.clone(),
        container_insights: "disabled".to_owned(),
        tags: BTreeMap::new(),
        instances: Vec::new(),
        capacity_provider: Vec::new(),
        exec: Exec::default(),
    }
}

fn service(estate: &mut Estate, index: u32, cluster: &str, desired: u32) -> Service {
    let n = index as usize;
    let (field, role) = (FIELDS[n % FIELDS.len()], ROLES[n / FIELDS.len() % ROLES.len()]);
    let name = match n / (FIELDS.len() * ROLES.len()) {
        0 => format!("{field}-{role}"),
        again => format!("{field}-{role}-{}", again + 1),
    };
    let rng = &mut estate.rng;
    let deployed = rng.between(2, 24 * 20) * 3_600_000;
    let age = deployed + rng.between(10, 700) * super::past::DAY;
    let revision = u32::try_from(rng.between(2, 400)).unwrap_or(2);
    let balanced = role != "worker" && role != "sync";
    let load_balancer = balanced.then(|| LoadBalancer {
        // A listener holds 100 rules.
        name: format!("fleet-{}", n / 90 + 1),
        network: false,
        internal: n / 90 % 2 == 1,
        dns_number: None,
        target_group: None,
        target_group_id: None,
        pair: false,
        test_port: None,
        default: false,
        host: Some(format!("{name}.acme.example")),
        hosts: Vec::new(),
        paths: Vec::new(),
        container: None,
        port: 8080,
        path: "/healthz".to_owned(),
        interval: Span::seconds(15),
        timeout: Span::seconds(5),
        healthy: 3,
        unhealthy: 2,
        matcher: "200".to_owned(),
        drain: Span::seconds(60),
    });
    Service {
        container: vec![container(&name, VOICES[n % VOICES.len()], revision)],
        name,
        cluster: unplaced(cluster.to_owned()),
        desired,
        launch: LaunchType::Fargate,
        capacity: Vec::new(),
        network: Network::Bridge,
        zones: 3,
        daemon: false,
        controller: Controller::Ecs,
        family: None,
        revision,
        age: Span(age),
        deployed: Span(deployed),
        minimum: 100,
        maximum: 200,
        future: std::collections::BTreeMap::new(),
        breaker: Breaker::Rollback,
        rollout: Rollout::default(),
        express: false,
        deregistered: false,
        grace: Span::seconds(60),
        exec: false,
        exec_agent: ExecAgent::default(),
        shared_pids: false,
        cpu: 256,
        memory: 512,
        task_memory: None,
        architecture: "ARM64".to_owned(),
        tags: BTreeMap::from([("team".to_owned(), field.to_owned())]),
        task_role: None,
        execution_role: None,
        log_group: None,
        log_retention: None,
        load_balancer,
        behaviour: Behaviour::default(),
    }
}

fn container(image: &str, voice: Voice, revision: u32) -> Container {
    Container {
        name: "app".to_owned(),
        image: image.to_owned(),
        tag: format!("v1.{}.{}", revision / 10, revision % 10),
        hub: false,
        essential: true,
        cpu: 0,
        memory: 0,
        memory_reservation: 0,
        ports: vec![8080],
        host_ports: Vec::new(),
        moving: false,
        depends_on: BTreeMap::new(),
        stops_with: None,
        environment: BTreeMap::from([("LOG_LEVEL".to_owned(), "info".to_owned())]),
        secrets: BTreeMap::new(),
        parameters: BTreeMap::new(),
        environment_files: Vec::new(),
        command: Vec::new(),
        read_only: false,
        init: false,
        health_check: None,
        log_driver: LogDriver::Awslogs,
        log_prefix: None,
        voice,
        rate: 0.2,
    }
}
