//! Changes from the confirmed plan to AWS and into the journal: compared, sent through the real SDK, found out about when no answer
//! comes, kept at the gate where nothing may be changed.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "changes_send/applying.rs"]
mod applying;
#[path = "changes_send/calls.rs"]
mod calls;
#[path = "support/clients.rs"]
mod clients;
#[path = "changes_send/gate.rs"]
mod gate;
#[path = "changes_send/least.rs"]
mod least;
#[path = "changes_send/lost.rs"]
mod lost;
#[path = "changes_send/pane.rs"]
mod pane;
#[path = "changes_send/registering.rs"]
mod registering;
mod stage;

use midwatch::aws::{self, Clients, ContextSpec};
use midwatch::change::apply::{Desk, Order, Progress, Told};
use midwatch::change::gate::Rules;
use midwatch::change::journal::Record;
use midwatch::change::{Basis, Call, Level, Plan, ServiceChange, Step, Verb};
use midwatch::config::{Config, Places};
use midwatch::model::{Arn, Context, Ctx, Fleet};
use midwatch::sim::{Options, Sim};
use serde_json::Value;
use std::sync::{Arc, Mutex};

/// A world at a standstill with the program's doors to all its contexts.
struct World {
    sim: Sim,
    clients: Clients,
    desk: Desk,
}

/// What an order told.
#[derive(Default)]
struct Heard {
    progress: Vec<Progress>,
    records: Vec<Record>,
    said: Vec<String>,
}

fn scenario(name: &str) -> Sim {
    Sim::start(Options { scenario: name.to_owned(), speed: 0.0, ..Options::default() }).unwrap()
}

impl World {
    async fn open(scenario_name: &str) -> World {
        World::of(scenario(scenario_name)).await
    }

    /// Every context open, as no context of a test is anybody's production.
    async fn of(sim: Sim) -> World {
        let spec = |info: &midwatch::sim::ContextInfo| ContextSpec {
            name: info.name.clone(),
            region: Some(info.region.clone()),
            endpoint_url: Some(sim.endpoint()),
            keys: Some((info.access_key.clone(), info.secret_key.clone())),
            session_token: info.session_token.clone(),
            clusters: info.clusters.clone(),
            ..ContextSpec::default()
        };
        let clients = aws::connect(sim.contexts().iter().map(spec).collect()).await.unwrap();
        let context = |(name, region)| Context { production: Some(false), profile: None, name, region };
        let fleet = Fleet(clients.contexts().map(context).collect());
        clients.gate().set(Rules::new(&Config::default(), &fleet, &[]));
        let desk = Desk {
            clients: clients.clone(),
            places: Places::default(),
            user: "ann".into(),
            fleet,
            cli: |plan| vec![format!("aws {}", plan.verb.word())],
        };
        World { sim, clients, desk }
    }

    fn ctx(&self, name: &str) -> Ctx {
        self.desk.fleet.all().find(|ctx| &*self.desk.fleet.context(*ctx).name == name).unwrap()
    }

    fn fault(&self, toml: &str) {
        self.sim.set_faults(toml).unwrap();
    }

    /// What was sent of an operation, since the log was last taken.
    fn sent(&self, operation: &str) -> Vec<Value> {
        self.sim.requests().into_iter().filter(|sent| sent.call.operation == operation).map(|sent| sent.parameters).collect()
    }

    async fn service(&self, name: &str, cluster: &str, service: &str) -> aws_sdk_ecs::types::Service {
        let ecs = clients::ecs(&self.sim, name);
        ecs.describe_services().cluster(cluster).services(service).send().await.unwrap().services.unwrap().remove(0)
    }

    /// What a plan about a service rests on now.
    async fn basis(&self, ctx: Ctx, service: &Arn) -> Basis {
        let unknown = Basis::Service {
            arn: service.clone(),
            status: "".into(),
            desired: 0,
            revision: Arn::default(),
            deployment: "".into(),
            state: "".into(),
        };
        self.clients.api(ctx).reread(&[unknown]).await.remove(0).unwrap()
    }

    async fn carry_out(&self, plans: Vec<Plan>) -> Heard {
        self.carry_out_order(Order { id: 1, plans, compared: false }).await
    }

    async fn carry_out_order(&self, order: Order) -> Heard {
        let heard = Arc::new(Mutex::new(Heard::default()));
        let into = Arc::clone(&heard);
        let tell = move |told: Told| {
            let mut heard = into.lock().unwrap();
            match told {
                Told::Progress(progress) => heard.progress.push(progress),
                Told::Record(record) => heard.records.push(*record),
                Told::Said(text) => heard.said.push(text),
                Told::Service(..) | Told::Poke(_) => {}
            }
        };
        self.desk.carry_out(order, tell).await;
        Arc::into_inner(heard).unwrap().into_inner().unwrap()
    }

    /// Scaling one service, as a plan made from what is there now.
    async fn scaling(&self, name: &str, service: &Arn, desired: u32) -> Plan {
        let ctx = self.ctx(name);
        let set = ServiceChange { desired: Some(desired), ..ServiceChange::default() };
        let basis = vec![self.basis(ctx, service).await];
        plan(Verb::Scale, ctx, service, Call::UpdateService { cluster: cluster_of(service), service: service.clone(), set }, basis)
    }
}

/// A world of the contract tests.
async fn contract(file: &str) -> World {
    World::open(&format!("{}/tests/contract/{file}", env!("CARGO_MANIFEST_DIR"))).await
}

/// Steps by seconds until something can be told; panics after ten minutes.
async fn until<T>(world: &World, what: &str, mut told: impl AsyncFnMut() -> Option<T>) -> T {
    for _ in 0..120 {
        if let Some(told) = told().await {
            return told;
        }
        world.sim.step(std::time::Duration::from_secs(5));
    }
    panic!("not within ten minutes: {what}");
}

/// A canary that waits for an answer: its service, its deployment and the hook.
async fn paused(world: &World) -> (Arn, Arn, String) {
    let ecs = clients::ecs(&world.sim, "shifts");
    let update = ecs.update_service().cluster("main").service("web").force_new_deployment(true).send().await.unwrap();
    let service = Arn::from(update.service().unwrap().service_arn().unwrap());
    let waiting = async || {
        let listed = ecs.list_service_deployments().cluster("main").service("web").send().await.unwrap();
        let newest = listed.service_deployments()[0].service_deployment_arn().unwrap();
        let described = ecs.describe_service_deployments().service_deployment_arns(newest).send().await.unwrap();
        let hooks = described.service_deployments()[0].lifecycle_hook_details();
        let waits = hooks.iter().find(|hook| hook.status().is_some_and(|status| status.as_str() == "AWAITING_ACTION"))?;
        Some((Arn::from(newest), waits.hook_id().unwrap().to_owned()))
    };
    let (deployment, hook) = until(world, "a hook waits", waiting).await;
    (service, deployment, hook)
}

/// An external service with a second task set beside the one that serves: the service, and the new set's id.
async fn two_sets(world: &World) -> (Arn, String) {
    let ecs = clients::ecs(&world.sim, "shifts");
    let batch = world.service("shifts", "main", "batch").await;
    let runs = batch.task_sets()[0].task_definition().unwrap();
    let network = batch.task_sets()[0].network_configuration().cloned();
    let create = ecs.create_task_set().cluster("main").service("batch").task_definition(runs).set_network_configuration(network);
    let answer = create.launch_type(aws_sdk_ecs::types::LaunchType::Fargate).send().await.unwrap();
    (Arn::from(batch.service_arn().unwrap()), answer.task_set().unwrap().id().unwrap().to_owned())
}

/// A release of the group that waits to be told before its traffic moves: the service, and the deployment's id.
async fn ready(world: &World) -> (Arn, String) {
    let code = clients::code_deploy(&world.sim, "shop");
    let (application, group) = ("AppECS-shop-edge", "DgpECS-shop-edge");
    let listed = code.list_deployments().application_name(application).deployment_group_name(group).send().await.unwrap();
    let last = code.get_deployment().deployment_id(&listed.deployments()[0]).send().await.unwrap().deployment_info.unwrap();
    let create = code.create_deployment().application_name(application).deployment_group_name(group);
    let id = create.set_revision(last.revision().cloned()).send().await.unwrap().deployment_id.unwrap();
    let waits = async || {
        let now = code.get_deployment().deployment_id(&id).send().await.unwrap().deployment_info.unwrap();
        now.status().is_some_and(|status| status.as_str() == "Ready").then_some(())
    };
    until(world, "it is ready", waits).await;
    (Arn::from(world.service("shop", "shop", "edge").await.service_arn().unwrap()), id)
}

fn cluster_of(service: &Arn) -> Arn {
    let head = service.as_str().split(":service/").next().unwrap();
    Arn::from(&*format!("{head}:cluster/{}", service.cluster_name().unwrap()))
}

fn plan(verb: Verb, ctx: Ctx, target: &Arn, call: Call, basis: Vec<Basis>) -> Plan {
    Plan {
        verb,
        ctx,
        account: target.account().into(),
        region: target.region().into(),
        profile: None,
        cluster: target.cluster_name().map_or_else(Arn::default, |_| cluster_of_any(target)),
        targets: vec![target.clone()],
        changes: Vec::new(),
        notes: Vec::new(),
        level: Level::Plain,
        word: None,
        steps: vec![Step { what: format!("{} {}", verb.word(), target.name()), call }],
        basis,
        inverse: Err("not in a test"),
        watch: None,
        undoes: None,
    }
}

/// The cluster of a service, a task or an instance.
fn cluster_of_any(arn: &Arn) -> Arn {
    let (head, path) = arn.as_str().rsplit_once(':').unwrap();
    Arn::from(&*format!("{head}:cluster/{}", path.split('/').nth(1).unwrap()))
}
