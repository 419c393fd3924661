//! The commands that a plan prints, run by a shell with AWS's own CLI against the embedded AWS: what arrives is what the plan says.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

mod change;
mod support;

use change::{World, text};
use midwatch::change::plans::{self, RangeChoice, RollBack};
use midwatch::change::{Call, Level, Plan, Register, ServiceChange, Step, Verb, cli_lines};
use midwatch::feed::Feed;
use midwatch::model::{Arn, Ctx, Suspended};
use midwatch::sim::Received;
use serde_json::json;
use std::process::Command;
use std::sync::Arc;
use support::python;

/// Runs the lines as an operator would who pasted them, and returns what arrived.
fn pasted(world: &World, context: &str, plan: &Plan, variables: &[(&str, &str)]) -> Vec<Received> {
    let (received, told) = run_lines(world, context, plan, variables);
    assert_eq!(received.len(), plan.steps.len(), "{told}");
    received
}

/// What arrived, and the script with what it said.
fn run_lines(world: &World, context: &str, plan: &Plan, variables: &[(&str, &str)]) -> (Vec<Received>, String) {
    let interpreter = python::environment("cli-requirements.txt");
    let bin = interpreter.parent().unwrap().display().to_string();
    let info = world.sim.contexts().iter().find(|info| info.name == context).unwrap();
    let _ = world.sim.take_requests();
    let script = cli_lines::lines(plan).join("\n");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script]).env_clear().env("PATH", format!("{bin}:/usr/bin:/bin")).envs(variables.iter().copied());
    shell.env("AWS_ENDPOINT_URL", world.sim.endpoint()).env("AWS_ACCESS_KEY_ID", &info.access_key);
    shell
        .env("AWS_SECRET_ACCESS_KEY", &info.secret_key)
        .env("AWS_CONFIG_FILE", "/dev/null")
        .env("AWS_SHARED_CREDENTIALS_FILE", "/dev/null");
    shell.env("AWS_MAX_ATTEMPTS", "1").env("AWS_EC2_METADATA_DISABLED", "true").env("AWS_PAGER", "");
    let output = shell.output().unwrap();
    (world.sim.take_requests(), format!("{script}\n{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr)))
}

/// Fails unless the printed lines send just what the program itself sends for the plan.
#[track_caller]
fn equal(world: &mut World, context: &str, plan: &Plan) {
    let lines = cli_lines::lines(plan);
    let received = pasted(world, context, plan, &[]);
    // The revision that the first line registered is by now the newest of its family.
    let registered = match received[0].call.operation {
        "RegisterTaskDefinition" => {
            let family = text(received[0].parameters["family"].as_str().unwrap());
            world.ask(Feed::Revisions(Ctx(0), family.clone()));
            world.store.revisions(Ctx(0), &family).unwrap().arns[0].to_string()
        }
        _ => String::new(),
    };
    for (step, received) in plan.steps.iter().zip(&received) {
        assert!(received.user_agent.contains("aws-cli/"), "{}", received.user_agent);
        // What the program itself would send, whether or not AWS still takes it now that the line has done it.
        let own = world.send(&step.call, (!registered.is_empty()).then(|| Arn::from(&*registered)).as_ref());
        let name = received.call.operation;
        let [own] = &own.iter().filter(|sent| sent.call.operation == name).collect::<Vec<_>>()[..] else { panic!("{name}: {own:#?}") };
        assert!(own.user_agent.contains("aws-sdk-rust/"), "{}", own.user_agent);
        assert_eq!((received.call.service, &received.parameters), (own.call.service, &own.parameters), "{lines:#?}");
    }
}

/// A plan of any calls, for those that no planner makes of this world.
fn by_hand(world: &World, calls: Vec<Call>) -> Plan {
    let steps = calls.into_iter().map(|call| Step { call, what: String::new() }).collect();
    Plan {
        verb: Verb::Redeploy,
        ctx: Ctx(0),
        account: world.cluster.account().into(),
        region: world.cluster.region().into(),
        profile: None,
        cluster: world.cluster.clone(),
        targets: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        level: Level::Plain,
        word: None,
        steps,
        basis: Vec::new(),
        inverse: Err("a test"),
        watch: None,
        undoes: None,
    }
}

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn the_printed_lines_send_what_plans_of_ecs_say() {
    let mut world = World::open("seeds", "oky-admin", "project-oky-ecs-cluster");
    let api = world.arn("project-oky-ecs-api-task-service-1lehr9r5");
    for verb in [Verb::Redeploy, Verb::Scale, Verb::DeployImage, Verb::RunTask] {
        world.preview(verb, std::slice::from_ref(&api));
    }
    world.ask(Feed::Tasks(Ctx(0), world.cluster.clone()));
    let base = world.service("project-oky-ecs-api-task-service-1lehr9r5").task_definition.clone();
    let image = text("637423184246.dkr.ecr.eu-west-2.amazonaws.com/oky/api_en:2025_06");
    let container = world.store.definition(Ctx(0), &base).unwrap().containers[0].name.clone();
    let deploy = plans::deploy_image(&world.facts(), &api, &[(container.clone(), image)]).unwrap();
    let scale = plans::scale(&world.facts(), &api, 2, RangeChoice::Once).unwrap();
    let redeploy = plans::redeploy(&world.facts(), &api).unwrap();
    let exec = plans::enable_exec(&world.facts(), &api).unwrap();
    let back = plans::roll_back(&world.facts(), &api, &RollBack::Revision(base.clone())).unwrap();
    let words = ["sh", "-c", "echo \"it's $HOME\" > /tmp/x; exit 3"].map(str::to_owned).to_vec();
    let one_off = plans::run_task(&world.facts(), &api, &base, Some((container, words))).unwrap();
    let task = world.store.tasks_of(Ctx(0), &world.cluster, "project-oky-ecs-api-task-service-1lehr9r5")[0].arn.clone();
    let protect = plans::protect(&world.facts(), std::slice::from_ref(&task), true, Some(45)).unwrap();
    let unprotect = plans::protect(&world.facts(), std::slice::from_ref(&task), false, None).unwrap();
    let stop = plans::stop_tasks(&world.facts(), &[task]).unwrap();
    for plan in [scale, redeploy, exec, one_off, protect, unprotect, stop, deploy, back] {
        equal(&mut world, "oky-admin", &plan);
    }
}

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn the_printed_lines_send_what_plans_of_codedeploy_and_scaling_say() {
    let mut world = World::open("seeds", "lomash-production", "lomash-production");
    let (auth, busy) = (world.arn("auth-service"), world.arn("order-payment-service"));
    for verb in [Verb::Redeploy, Verb::Scale, Verb::RollBack] {
        world.preview(verb, std::slice::from_ref(&auth));
        world.preview(verb, std::slice::from_ref(&busy));
    }
    let former = world.service("auth-service").task_sets[0].task_definition.clone();
    world.preview_revision(&auth, &former);
    let container = world.store.definition(Ctx(0), &former).unwrap().containers[0].name.clone();
    let pin = text(
        "111111111111.dkr.ecr.eu-west-2.amazonaws.com/lomash-wood/auth-service@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
    );
    let pinned = plans::roll_back(&world.facts(), &auth, &RollBack::Pinned(former, vec![(container, pin)])).unwrap();
    let stop = plans::roll_back(&world.facts(), &busy, &RollBack::StopDeployment).unwrap();
    let range = plans::scale(&world.facts(), &auth, 12, RangeChoice::ChangeRange).unwrap();
    let suspend = plans::scale(&world.facts(), &auth, 14, RangeChoice::Suspend).unwrap();
    for plan in [range, suspend, stop, pinned] {
        equal(&mut world, "lomash-production", &plan);
    }
}

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn the_printed_lines_of_the_other_calls_send_them_as_they_are() {
    let mut world = World::open("seeds", "tutorbloc", "tutorbloc");
    world.preview(Verb::Drain, &[]);
    let instances: Vec<Arn> = world.store.instances(Ctx(0), &world.cluster).unwrap().iter().map(|i| i.arn.clone()).collect();
    let drain = plans::instances(&world.facts(), &instances, true).unwrap();
    equal(&mut world, "tutorbloc", &drain);
    let (cluster, service) = (world.cluster.clone(), world.arn("production"));
    let deployment = Arn::from("arn:aws:ecs:eu-west-2:170904582664:service-deployment/tutorbloc/production/NCWGC2ZR-taawPAYrIaU5");
    let off = ServiceChange { exec: Some(false), ..ServiceChange::default() };
    let calls = vec![
        Call::StopServiceDeployment { deployment: deployment.clone() },
        Call::ContinueServiceDeployment { deployment: deployment.clone(), hook: text("it's-a hook"), roll_back: false },
        Call::ContinueServiceDeployment { deployment, hook: text("hook-2"), roll_back: true },
        Call::UpdateServicePrimaryTaskSet {
            cluster: cluster.clone(),
            service: service.clone(),
            task_set: text("ecs-svc/1234567890123456789"),
        },
        Call::UpdateService { cluster: cluster.clone(), service, set: off },
        Call::RunTask {
            cluster,
            revision: world.revision("production:57"),
            launch_type: None,
            capacity_providers: vec![(text("FARGATE_SPOT"), 0, 3), (text("FARGATE"), 1, 1)],
            network: Some((vec![text("subnet-1"), text("subnet-2")], Vec::new(), Some(text("DISABLED")))),
            command: None,
            started_by: "midwatch".to_owned(),
            client_token: "midwatch-1".to_owned(),
        },
        Call::RegisterScalableTarget {
            resource: text("service/tutorbloc/production"),
            min: Some(0),
            max: None,
            suspended: Some(Suspended { scale_in: true, ..Suspended::default() }),
        },
        Call::ContinueDeployment { id: text("d-ABCDEF123"), wait: "READY_WAIT" },
    ];
    let plan = by_hand(&world, calls);
    equal(&mut world, "tutorbloc", &plan);
}

#[test]
#[ignore = "needs Python and PyPI: run by .ci/run"]
fn a_value_that_looks_like_a_secret_is_left_to_the_shell_and_the_line_refuses_without_it() {
    let world = World::open("seeds", "tutorbloc", "tutorbloc");
    let request = json!({
        "family": "secretive",
        "containerDefinitions": [{"name": "app", "image": "busybox:1", "memory": 64, "essential": true, "environment": [
            {"name": "GREETING", "value": "it's \u{00fc}ber\u{202e} \"quoted\" \\ $HOME `x`"},
            {"name": "db.password", "value": "hunter2"},
        ]}],
    });
    let register = Register { base: world.revision("secretive:1"), images: Vec::new(), request: Arc::new(request) };
    let plan = by_hand(&world, vec![Call::RegisterTaskDefinition(Box::new(register))]);
    let lines = cli_lines::lines(&plan).join("\n");
    assert!(!lines.contains("hunter2") && lines.contains("${db_password:?}") && lines.is_ascii(), "{lines}");
    let Call::RegisterTaskDefinition(register) = &plan.steps[0].call else { panic!("{plan:?}") };
    let received = pasted(&world, "tutorbloc", &plan, &[("db_password", "hunter2")]);
    assert_eq!(received[0].parameters, *register.request, "{lines}");
    let (sent, told) = run_lines(&world, "tutorbloc", &plan, &[]);
    assert_eq!(sent, [], "nothing is registered with an empty password: {told}");
    assert!(told.contains("db_password"), "{told}");
}
