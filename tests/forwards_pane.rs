//! The pane of port forwards: asked for in a line, held by the gate, told of as it stands, and ended.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "stage/mod.rs"]
mod stage;

use midwatch::app::{Effect, Event};
use midwatch::exec::forwards::{Heard, State, Status};
use stage::{Stage, sim};

/// The tasks of a service that has exec, the pane of forwards opened on the first of them.
fn on_a_task() -> Stage {
    let mut stage = Stage::cluster(sim("small"), "acme-prod", "payments-prod");
    stage.settle();
    stage.find("checkout");
    stage.press("enter");
    stage.settle();
    stage.press("F");
    stage.settle();
    stage
}

fn ask(stage: &mut Stage, ports: &str) -> Vec<Effect> {
    stage.press("F");
    stage.take_effects();
    stage.write(ports);
    stage.press("enter");
    stage.take_effects()
}

fn tell(stage: &mut Stage, heard: Heard) {
    let now = stage.now();
    stage.app.update(Event::Forward(1, heard), now);
}

#[track_caller]
fn shows(stage: &mut Stage, words: &[&str]) {
    let screen = stage.screen(120, 35);
    for word in words {
        assert!(screen.contains(word), "{word} is not on\n{screen}");
    }
}

#[test]
fn a_forward_into_production_waits_until_it_is_armed_and_then_tells_how_it_stands_until_it_is_let_go() {
    let mut stage = on_a_task();
    shows(&mut stage, &["Forwards", "nothing is forwarded"]);
    assert!(ask(&mut stage, "8080:18080").is_empty());
    shows(&mut stage, &["forward: ", "production is locked"]);
    let now = stage.now();
    stage.gate().arm(midwatch::model::Ctx(0), std::time::Duration::from_mins(15), now).unwrap();
    stage.refresh_quietly();
    let effects = ask(&mut stage, "8080:18080");
    let [Effect::Forward(order)] = effects.as_slice() else { panic!("{effects:?}") };
    let target = &order.target;
    assert_eq!((target.ports.remote, target.ports.local, &*target.container), (8080, 18080, "app"));
    assert!(target.id.starts_with("ecs:payments-prod_") && target.task.as_str().contains(":task/payments-prod/"), "{target:?}");
    shows(&mut stage, &["opening", "port 8080"]);
    tell(&mut stage, Heard::Listening(18080));
    let open =
        Status { state: State::Open { single: false }, open: 2, connections: 7, sent: 1_200, received: 31_000_000, ..Status::default() };
    tell(&mut stage, Heard::Status(open));
    shows(&mut stage, &["127.0.0.1:18080", "1200 B", "31 MB", "● open", "leads to"]);
    let resting = State::Resting("Your session timed out due to inactivity and has been terminated.".to_owned());
    tell(&mut stage, Heard::Status(Status { state: resting, connections: 7, ..Status::default() }));
    shows(&mut stage, &["127.0.0.1:18080", "opens again when used"]);
    stage.press("enter");
    shows(&mut stage, &["copy 127.0.0.1:18080", "end it"]);
    stage.press("e");
    assert_eq!(stage.take_effects(), [Effect::EndForward(1)]);
    tell(&mut stage, Heard::Status(Status { state: State::Ended("ended here".to_owned()), ..Status::default() }));
    shows(&mut stage, &["over: ended here"]);
    stage.press("enter");
    stage.press("e");
    shows(&mut stage, &["nothing is forwarded"]);
}

#[test]
fn quitting_with_a_forward_open_asks_as_it_does_with_a_session() {
    let mut stage = on_a_task();
    let now = stage.now();
    stage.gate().arm(midwatch::model::Ctx(0), std::time::Duration::from_mins(15), now).unwrap();
    stage.refresh_quietly();
    ask(&mut stage, "8080:18080");
    for quits in [false, true] {
        stage.press(":");
        stage.write("quit");
        stage.press("enter");
        assert_eq!(stage.app.quitting(), quits);
    }
    shows(&mut stage, &["again quits and ends a forward"]);
    tell(&mut stage, Heard::Refused("no".to_owned()));
    let mut stage = on_a_task();
    stage.press(":");
    stage.write("quit");
    stage.press("enter");
    assert!(stage.app.quitting(), "nothing is open");
}

#[test]
fn ports_that_are_none_are_refused_with_the_form() {
    let mut stage = on_a_task();
    assert!(ask(&mut stage, "http").is_empty());
    shows(&mut stage, &["5432:15432 db.internal"]);
    assert!(stage.screen(120, 35).contains("forward: http"), "what was typed is there to be mended");
}
