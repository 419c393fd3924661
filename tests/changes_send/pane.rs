//! The journal on screen.

use crate::stage::{self, Stage};
use midwatch::app::Event;
use midwatch::change::journal::{Phase, Record};
use midwatch::change::trace::Trace;
use midwatch::model::{Arn, Time};

fn record(stage: &Stage, id: &str, seconds: i64, phase: Phase) -> Record {
    let now = stage.now();
    Record {
        id: id.into(),
        time: Time::from_second(now.as_second() - seconds).unwrap(),
        process: 1,
        user: "ann".into(),
        caller: "arn:aws:sts::219087346512:assumed-role/oncall/ann".into(),
        account: "219087346512".into(),
        region: "eu-west-1".into(),
        context: "acme-prod".into(),
        cluster: Arn::from("arn:aws:ecs:eu-west-1:219087346512:cluster/web-prod"),
        verb: "scale".into(),
        action: "ecs:UpdateService".into(),
        what: "scale cart to 20".into(),
        targets: vec![Arn::from("arn:aws:ecs:eu-west-1:219087346512:service/web-prod/cart")],
        before: vec!["desired 6".into()],
        after: vec!["desired 20".into()],
        cli: vec!["aws ecs update-service --cluster web-prod --service cart --desired-count 20".into()],
        compared: false,
        undoes: None,
        phase,
    }
}

#[test]
fn an_undo_is_marked_as_one_and_names_the_change_that_it_takes_back() {
    let mut stage = Stage::open(stage::sim("small"));
    stage.press("@");
    let done = || Phase::Done { request_id: None, made: None };
    let first = record(&stage, "a", 60, done());
    let what = "scale cart to 6".to_owned();
    let back = Record { undoes: Some("a".into()), what: what.into(), ..record(&stage, "b", 30, done()) };
    let lost = Record { undoes: Some("of long ago".into()), ..record(&stage, "c", 10, done()) };
    let now = stage.now();
    stage.app.update(Event::Journal(vec![first, back, lost]), now);
    let screen = stage.screen(160, 35);
    assert_eq!(
        screen.lines().filter(|line| line.contains("undo scale") && line.contains("cart") && line.contains("done")).count(),
        2,
        "{screen}"
    );
    assert!(screen.contains("takes back: a change that is no longer in the journal"), "{screen}");
    stage.press("j");
    assert!(stage.screen(160, 35).contains("takes back: scale cart to 20 of "), "{}", stage.screen(160, 35));
    stage.press("j");
    assert!(stage.screen(160, 35).contains("taken back at "), "{}", stage.screen(160, 35));
}

#[test]
fn an_outcome_takes_the_place_of_its_intent_and_what_has_none_says_so() {
    let mut stage = Stage::open(stage::sim("small"));
    stage.press("@");
    assert!(stage.screen(120, 35).contains("nothing has been changed from here"), "{}", stage.screen(120, 35));
    let intent = || Phase::Intent { trace: Trace::TaskStopped { task: "t".into() } };
    let records = vec![
        record(&stage, "a", 60, intent()),
        record(&stage, "a", 59, Phase::Done { request_id: Some("req-1".into()), made: Some("ecs-svc/8".into()) }),
        record(&stage, "b", 50, intent()),
        record(&stage, "b", 49, Phase::Failed { request_id: None, error: "Cannot scale cart: AccessDenied for ecs:UpdateService".into() }),
        record(&stage, "c", 40, intent()),
        record(&stage, "d", 30, Phase::DryRun),
    ];
    let now = stage.now();
    stage.app.update(Event::Journal(records), now);
    let screen = stage.screen(160, 35);
    for words in [
        "scale",
        "cart",
        "desired 6 → 20",
        "acme-prod",
        "● OK",
        "done",
        "no outcome is known",
        "dry run: not sent",
        "AccessDenied for ecs:UpdateService",
    ] {
        let words = words.trim_start_matches("● OK");
        assert!(screen.contains(words), "{words} is not on\n{screen}");
    }
    assert_eq!(screen.lines().filter(|line| line.contains("desired 6 → 20")).count(), 4, "{screen}");
    stage.press("G");
    let screen = stage.screen(160, 35);
    for words in [
        "request id req-1",
        "aws ecs update-service --cluster web-prod",
        "as arn:aws:sts::219087346512:assumed-role/oncall/ann",
        "account 219087346512",
    ] {
        assert!(screen.contains(words), "{words} is not on\n{screen}");
    }
    for (width, height) in [(80, 24), (60, 15)] {
        let narrow = stage.screen(width, height);
        let row = narrow.lines().find(|line| line.contains("cart") && line.contains("done"));
        assert!(row.is_some(), "what came of it stands in its row\n{narrow}");
    }
}
