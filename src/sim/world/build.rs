//! From a scenario to a world: clusters, instances, load balancers, task
//! definitions and services as they stood when the played past began.

mod balancers;
mod registration;

use serde_json::json;

use super::metrics::MINUTE;
use super::past::Past;
use super::queue::Due;
use super::state::{
    Actor, Breaker, CapacityProvider, Cluster, ContainerInstance, Context, Controller, Early, Estate, Hook, InstanceStatus, Launch,
    LoadBalancing, Ms, Plan, Scheduling, Service, ServiceRevision, TaskDefinition,
};
use super::{World, fleet};
use crate::sim::scenario::schema as file;
use crate::sim::scenario::{Error, LaunchType, Scenario};
use std::sync::Arc;

/// The platform version that LATEST stands for.
pub const PLATFORM: &str = "1.4.0";

pub(super) fn context(context: &file::Context, opened: Ms) -> Context {
    Context {
        name: context.name.clone(),
        region: context.region.clone(),
        account: context.account.clone(),
        access_key: context.access_key.clone(),
        secret_key: context.secret_key.clone(),
        session_token: context.session_token.clone(),
        expires_at: context.expires.map(|span| opened + span.0),
        role: context.role.clone(),
        role_path: context.role_path.clone(),
        session: context.session.clone(),
        policy: policy(context),
    }
}

/// The allow-list as a statement like any other, and the statements.
fn policy(context: &file::Context) -> Vec<file::Statement> {
    let everything = context.statement.is_empty().then(|| vec!["*".to_owned()]);
    let listed = context.allow.clone().or(everything);
    let listed = listed.map(|action| file::Statement { action, resource: vec!["*".to_owned()], passed_to_service: None });
    listed.into_iter().chain(context.statement.iter().cloned()).collect()
}

/// Builds everything; the estates stand at the world's time.
pub(super) fn build(world: &mut World, scenario: &Scenario) -> Result<(), Error> {
    for context in &scenario.context {
        world.estate_mut(&context.account, &context.region);
    }
    for cluster in &scenario.cluster {
        estate_of(world, scenario, cluster.context.get_ref()).build_cluster(cluster);
    }
    let opened = world.opened;
    for repository in &scenario.repository {
        estate_of(world, scenario, repository.context.get_ref()).build_repository(repository, opened);
    }
    for service in &scenario.service {
        let context = scenario.cluster.iter().find(|c| c.name == *service.cluster.get_ref());
        let context = context.map_or("", |c| c.context.get_ref().as_str());
        estate_of(world, scenario, context).build_service(service)?;
    }
    watch(world, scenario);
    for actor in &scenario.actor {
        let context = scenario.cluster.iter().find(|c| c.name == *actor.cluster.get_ref());
        let context = context.map_or("", |c| c.context.get_ref().as_str());
        estate_of(world, scenario, context).build_actor(actor, opened);
    }
    if let Some(of) = &scenario.fleet {
        let estate = estate_of(world, scenario, of.context.get_ref());
        fleet::build(estate, scenario, of, opened)?;
    }
    Ok(())
}

/// Loads, scaling and alarms, and the first minute.
fn watch(world: &mut World, scenario: &Scenario) {
    let opened = world.opened;
    let of_cluster = |cluster: &str| scenario.cluster.iter().find(|c| c.name == cluster).map_or("", |c| c.context.get_ref().as_str());
    for group in &scenario.code_deploy {
        estate_of(world, scenario, of_cluster(group.cluster.get_ref())).build_code_deploy(group, opened);
    }
    for load in &scenario.load {
        estate_of(world, scenario, of_cluster(load.cluster.get_ref())).build_load(load, opened);
    }
    for scaling in &scenario.scaling {
        estate_of(world, scenario, of_cluster(scaling.cluster.get_ref())).build_scaling(scaling, opened);
    }
    for alarm in &scenario.alarm {
        estate_of(world, scenario, alarm.context.get_ref()).build_alarm(alarm, opened);
    }
    for estate in &mut world.estates {
        // Whole minutes, for metrics are counted in them.
        let next = (estate.now.div_euclid(MINUTE) + 1) * MINUTE;
        estate.queue.set(next, Due::Minute);
    }
}

fn estate_of<'a>(world: &'a mut World, scenario: &Scenario, context: &str) -> &'a mut Estate {
    let context = scenario.context.iter().find(|c| c.name == context);
    let context = context.expect("a scenario that was read names known contexts only");
    world.estate_mut(&context.account, &context.region)
}

impl Estate {
    pub(super) fn build_cluster(&mut self, file: &file::Cluster) {
        let mut providers = vec!["FARGATE".to_owned(), "FARGATE_SPOT".to_owned()];
        for provider in &file.capacity_provider {
            providers.push(provider.name.clone());
            self.capacity_providers
                .push(CapacityProvider { name: provider.name.clone(), auto_scaling_group: provider.auto_scaling_group.clone() });
        }
        self.clusters.push(Cluster {
            name: file.name.clone(),
            capacity_providers: providers,
            container_insights: file.container_insights.clone(),
            tags: pairs(&file.tags),
            exec: file.exec.clone(),
            services: std::collections::BTreeMap::new(),
            tasks: std::collections::BTreeSet::new(),
        });
        let cluster = self.clusters.len() - 1;
        for group in &file.instances {
            for nth in 0..group.count as usize {
                self.build_instance(cluster, group, nth);
            }
        }
    }

    fn build_instance(&mut self, cluster: usize, file: &file::Instances, nth: usize) {
        let zone = self.zones()[self.instances.len() % 3].clone();
        let given = file.ids.get(nth).cloned();
        let ip = self.attach_eni(&zone, true).ip;
        let invented = format!("i-0{}", self.rng.hex(16));
        let ec2_instance_id = given.unwrap_or(invented);
        self.instances.push(ContainerInstance {
            id: self.rng.wide(),
            cluster,
            ec2_instance_id,
            instance_type: file.kind.clone(),
            architecture: file.architecture.clone(),
            zone,
            ip,
            cpu: file.cpu,
            memory: file.memory,
            cpu_left: file.cpu,
            memory_left: file.memory,
            // What the agent reserves for SSH, Docker and itself.
            ports: [22, 2375, 2376, 51678, 51679].into(),
            status: if file.draining { InstanceStatus::Draining } else { InstanceStatus::Active },
            agent_connected: file.agent_connected,
            capacity_provider: file.capacity_provider.as_ref().map(|name| name.get_ref().clone()),
            gone: false,
            registered_at: self.now - file.age.0,
        });
    }

    fn build_service(&mut self, file: &file::Service) -> Result<(), Error> {
        let known = self.clusters.iter().position(|c| c.name == *file.cluster.get_ref());
        let cluster = known.expect("a scenario that was read names known clusters only");
        let balancing = file.load_balancer.as_ref().map(|lb| self.build_balancing(file, lb));
        let definitions = self.build_definitions(file);
        let service = self.add_service(file, cluster, &definitions, balancing);
        Past { deployed: file.deployed.0, age: file.age.0, definitions: &definitions }.lay_down(self, service)?;
        if let Some(current) = definitions.last().filter(|_| file.deregistered) {
            // Known to be there: it has just been registered.
            let _ = self.deregister_definition(current);
        }
        Ok(())
    }

    /// The service without deployments, which its past brings.
    pub(super) fn add_service(
        &mut self,
        file: &file::Service,
        cluster: usize,
        definitions: &[Arc<TaskDefinition>],
        balancing: Option<LoadBalancing>,
    ) -> usize {
        let definition = definitions.last().expect("at least the current revision was built");
        let awsvpc = definition.network == super::NetworkMode::Awsvpc;
        let launch = match file.launch {
            LaunchType::Fargate => Launch::Fargate,
            LaunchType::Ec2 => Launch::Ec2,
            LaunchType::FargateSpot => Launch::Providers(vec![("FARGATE".to_owned(), 1, 1), ("FARGATE_SPOT".to_owned(), 1, 0)]),
        };
        let capacity: Vec<_> = file.capacity.iter().map(|c| (c.provider.clone(), c.weight, c.base)).collect();
        let launch = if capacity.is_empty() { launch } else { Launch::Providers(capacity) };
        let network = awsvpc.then(|| {
            json!({"awsvpcConfiguration": {
                "subnets": self.subnets_of(file.exec_agent.reachable)[..file.zones.clamp(1, 3)],
                "securityGroups": [self.security_group(&file.name)],
                "assignPublicIp": "DISABLED",
            }})
        });
        let revision = ServiceRevision {
            id: 0,
            definition: Arc::clone(definition),
            launch,
            platform_version: if awsvpc { PLATFORM.to_owned() } else { String::new() },
            network,
            load_balancers: balancing.into_iter().collect(),
            digests: Vec::new(),
            created_at: self.now,
        };
        let mut echo = serde_json::Map::new();
        if !awsvpc && !file.daemon {
            let spread = json!([
                {"type": "spread", "field": "attribute:ecs.availability-zone"},
                {"type": "binpack", "field": "MEMORY"},
            ]);
            echo.insert("placementStrategy".to_owned(), spread);
        }
        self.services.push(Service {
            name: file.name.clone(),
            cluster,
            desired: file.desired,
            created_at: self.now - file.age.0,
            created_by: self.role_arn("terraform"),
            scheduling: if file.daemon { Scheduling::Daemon } else { Scheduling::Replica },
            controller: match file.controller {
                file::Controller::Ecs => Controller::Ecs,
                file::Controller::CodeDeploy => Controller::CodeDeploy,
                file::Controller::External => Controller::External,
            },
            minimum: file.minimum,
            maximum: file.maximum,
            breaker: Breaker { enable: file.breaker != file::Breaker::Off, rollback: file.breaker == file::Breaker::Rollback },
            plan: plan(self, &file.rollout),
            express: file.express,
            zones: file.zones,
            grace: file.grace.as_seconds(),
            exec: file.exec,
            exec_agent: file.exec_agent.clone(),
            tags: pairs(&file.tags),
            echo,
            deployments: Vec::new(),
            revisions: vec![revision],
            history: Vec::new(),
            events: std::collections::VecDeque::new(),
            tasks: std::collections::BTreeSet::new(),
            steady: true,
            pass_at: None,
            stalled: 0,
            unregistered: Vec::new(),
            deleted: false,
        });
        let index = self.services.len() - 1;
        self.clusters[cluster].services.insert(file.name.clone(), index);
        index
    }

    /// An actor of the scenario, which may act before it opens.
    fn build_actor(&mut self, file: &file::Actor, opened: Ms) {
        let due = match file.every {
            Some(every) => {
                let first = opened + file.first.unwrap_or(every).0;
                first - (first - self.now).div_euclid(every.0) * every.0
            }
            None => opened + file.first.unwrap_or_default().0,
        };
        self.enlist(file, due);
    }

    /// Lets an actor act for the first time at a certain time.
    pub(super) fn enlist(&mut self, file: &file::Actor, due: Ms) {
        let cluster = self.clusters.iter().position(|c| c.name == *file.cluster.get_ref());
        let cluster = cluster.expect("a scenario that was read names known clusters only");
        let service = file.service.as_ref().and_then(|name| self.clusters[cluster].services.get(name.get_ref())).copied();
        self.actors.push(Actor { script: file.clone(), cluster, service, round: 0 });
        self.queue.set(due, Due::Act(self.actors.len() - 1));
    }
}

fn plan(estate: &Estate, file: &file::Rollout) -> Plan {
    let minutes = |span: crate::sim::scenario::Span| span.0 / 60_000;
    let canary = file.strategy == file::Strategy::Canary;
    let hook = |hook: &file::Hook| Hook {
        function: hook.function.as_ref().map(|name| estate.arn("lambda", &format!("function:{name}"))),
        role: hook.function.is_some().then(|| estate.role_arn("ecs-lifecycle-hooks")),
        stages: hook.stages.clone(),
        takes: hook.takes.map_or(20_000, |span| span.0),
        fails: hook.fails,
        // A day, as AWS has it.
        timeout: hook.timeout.map_or(1440, minutes),
        timeout_continues: hook.timeout_continues,
    };
    Plan {
        strategy: file.strategy,
        bake: minutes(file.bake),
        percent: file.percent.unwrap_or(if canary { 5.0 } else { 10.0 }),
        step_bake: file.step_bake.map_or(if canary { 10 } else { 6 }, minutes),
        hooks: file.hook.iter().map(hook).collect(),
        alarms: file.alarms.clone(),
        alarm_rollback: file.alarm_rollback,
        threshold: file.threshold.unwrap_or(file::Threshold { kind: file::ThresholdKind::BoundedPercent, value: 50 }),
        reset_on_healthy_task: file.reset_on_healthy_task.unwrap_or(true),
        early: file.early.map(|early| Early { percent: early.percent, deferred: early.deferred }),
    }
}

pub(super) fn pairs(tags: &std::collections::BTreeMap<String, String>) -> Vec<(String, String)> {
    tags.iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}
