//! What moved between two readings, and the plan that rests on the second.

use super::*;
use crate::change::{Change, Step, sample};
use crate::model::Suspended;

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
        targets: vec!["a".into(), "b".into()],
        changes: vec![Change { what: "desired".into(), before: "6".into(), after: "20".into() }],
        basis,
        inverse: Ok(Box::new(Inverse::Scale { service: "arn:aws:ecs:eu-west-1:1:service/main/web".into(), desired: 6 })),
        ..sample::plan(steps)
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
    let old = plan(vec![web(6, "x:task-definition/web:7", "ecs-svc/1")], vec![step]);
    let old = Plan { targets: vec!["arn:aws:ecs:eu-west-1:1:service/main/web".into()], ..old };
    let plan = rest_on(old, std::slice::from_ref(&fresh));
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

#[test]
fn what_new_tasks_need_and_the_bounds_of_a_deployment_are_compared_too() {
    let bounds = |min| Basis::Bounds { arn: "arn:aws:ecs:eu-west-1:1:service/main/web".into(), min, max: Some(200) };
    assert_eq!(told(&moved(&[bounds(Some(100))], &[bounds(Some(50))])), ["web minimumHealthyPercent 100 % -> 50 %"]);
    let image = |digest: Option<&str>| Basis::Image { reference: "r.example/web:v7".into(), digest: digest.map(Str::from) };
    let one = [image(Some("sha256:0123456789abcdef"))];
    assert_eq!(told(&moved(&one, &[image(Some("sha256:fedcba9876543210"))])), ["web:v7 digest 0123456789ab -> fedcba987654"]);
    assert!(rest_on(plan(one.to_vec(), vec![stop("t")]), &[image(None)]).blocked(), "what is gone cannot be pulled");
    let from: Arc<[Str]> = vec!["PASSWORD".into(), "TOKEN".into()].into();
    let vault = |second: Held| Basis::Vault { from: from.clone(), held: vec![Held::There, second] };
    assert_eq!(
        told(&moved(&[vault(Held::There)], &[vault(Held::Gone("no such parameter".into()))])),
        ["TOKEN secret there -> no such parameter"]
    );
    assert!(moved(&[vault(Held::There)], &[vault(Held::Untold("denied".into()))]).is_empty(), "what nobody may tell has not moved");
}
