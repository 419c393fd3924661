//! What passes the gate, for how long, and what it remembers.

use super::*;
use crate::model::Context;

const HOUR: Duration = Duration::from_hours(1);

fn at(second: i64) -> Time {
    Time::from_second(second).unwrap()
}

fn gate(name: &str, production: Option<bool>, read_only: bool) -> Gate {
    let fleet = Fleet(vec![Context { name: name.into(), region: "eu-west-1".into(), profile: None, production }]);
    let gate = Gate::default();
    gate.set(Rules::new(&Config::default(), &fleet, &[read_only]));
    gate
}

fn known(gate: &Gate) {
    gate.learn_identity(Ctx(0), &Arc::new(Identity { account: "111122223333".into(), arn: "arn:aws:sts::1:ann".into() }));
}

fn asked(target: &str) -> Asked<'_> {
    Asked { ctx: Ctx(0), cluster: None, action: "ecs:UpdateService", target }
}

#[test]
fn nothing_passes_before_it_is_said_what_may() {
    assert_eq!(Gate::default().state(Ctx(0), at(0)), Standing::Locked { why: Why::Unsettled });
    assert!(Gate::default().check(asked("web"), at(0)).is_err());
}

#[test]
fn a_context_is_open_once_its_account_is_known() {
    let gate = gate("staging", None, false);
    assert_eq!(gate.state(Ctx(0), at(0)), Standing::Locked { why: Why::UnknownAccount });
    known(&gate);
    assert_eq!(gate.state(Ctx(0), at(0)), Standing::Open);
    assert!(gate.check(asked("web"), at(0)).is_ok());
    let prod = Arn::from("arn:aws:ecs:eu-west-1:111122223333:cluster/web-prod");
    let in_prod = Asked { cluster: Some(&prod), ..asked("web") };
    assert!(gate.check(in_prod, at(0)).unwrap_err().contains("production is locked"));
}

#[test]
fn production_is_armed_for_a_while_and_locks_itself_again() {
    let gate = gate("shop-production", None, false);
    known(&gate);
    assert_eq!(gate.state(Ctx(0), at(0)), Standing::Locked { why: Why::Production });
    let before = gate.version();
    assert_eq!(gate.arm(Ctx(0), HOUR, at(0)), Ok(Standing::Armed { until: at(3600) }));
    assert!(gate.version() > before);
    assert!(gate.check(asked("web"), at(3599)).is_ok());
    assert!(gate.check(asked("web"), at(3600)).is_err(), "the time is over");
    assert_eq!(gate.arm(Ctx(0), HOUR * 1000, at(0)), Ok(Standing::Armed { until: at(8 * 3600) }), "a day is not a while");
    assert_eq!(gate.arm(Ctx(0), Duration::ZERO, at(1)), Ok(Standing::Locked { why: Why::Production }));
}

#[test]
fn what_is_read_only_cannot_be_armed() {
    let configured = gate("staging", Some(false), true);
    assert_eq!(configured.arm(Ctx(0), HOUR, at(0)), Err("the configuration says read_only".to_owned()));
    let flagged = gate("staging", Some(false), false);
    let rules = flagged.rules().0.locked(Some(Why::Flag));
    flagged.set(rules);
    assert!(flagged.arm(Ctx(0), HOUR, at(0)).is_err());
    assert!(flagged.check(asked("web"), at(1)).unwrap_err().contains("--read-only"));
}

#[test]
fn what_aws_refused_is_not_asked_again_until_the_operator_wants_it() {
    let gate = gate("staging", Some(false), false);
    gate.learn_refusal(asked("web"), &"AccessDenied for ecs:UpdateService".into(), at(0));
    assert!(gate.check(asked("web"), at(599)).unwrap_err().contains("AccessDenied for ecs:UpdateService"));
    assert!(gate.check(asked("api"), at(1)).is_ok(), "a policy may name the one service and not the other");
    assert!(gate.check(asked("web"), at(600)).is_ok());
    gate.learn_refusal(asked("web"), &"no".into(), at(0));
    gate.arm(Ctx(0), HOUR, at(1)).unwrap();
    assert!(gate.check(asked("web"), at(1)).is_ok());
}

#[test]
fn a_dry_run_lets_nothing_out() {
    let gate = gate("staging", Some(false), false);
    let rules = gate.rules().0.dry(true);
    gate.set(rules);
    assert_eq!(gate.state(Ctx(0), at(0)), Standing::Open, "so that plans can be made and confirmed");
    assert_eq!(gate.check(asked("web"), at(0)), Err("dry run: nothing is sent".to_owned()));
}

#[test]
fn what_aws_refused_lately_is_told_by_its_action_once() {
    let gate = gate("staging", Some(false), false);
    gate.learn_refusal(asked("web"), &"no".into(), at(0));
    gate.learn_refusal(asked("api"), &"no".into(), at(10));
    gate.learn_refusal(Asked { action: "ecs:StopTask", ..asked("main") }, &"no".into(), at(10));
    let rules = gate.rules().0;
    assert_eq!(rules.denied(Ctx(0), at(20)), ["ecs:StopTask", "ecs:UpdateService"]);
    assert!(rules.denied(Ctx(1), at(20)).is_empty() && rules.denied(Ctx(0), at(700)).is_empty());
}
