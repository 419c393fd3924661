//! The way back: of one change, of a bulk, of what was done of a change that failed, and of the way back itself.

use super::{command, confirm, done, keys, landed, sent, shows, storefront, yes};
use crate::stage::Stage;
use midwatch::change::apply::Progress;

/// Services and the counts that were asked for, oldest first.
fn counts(stage: &Stage) -> Vec<(String, u64)> {
    let of = |(operation, parameters): (String, serde_json::Value)| {
        assert_eq!(operation, "UpdateService");
        let name = parameters["service"].as_str().unwrap().rsplit('/').next().unwrap().to_owned();
        (name, parameters["desiredCount"].as_u64().unwrap())
    };
    sent(stage).into_iter().map(of).collect()
}

/// Scales three services by one more each, as one order.
fn bulk() -> Stage {
    let mut stage = storefront();
    keys(&mut stage, "g space space space S +");
    confirm(&mut stage, "scale 3");
    assert_eq!(landed(&mut stage), Progress::Done);
    assert_eq!(counts(&stage).len(), 3);
    stage.refresh_quietly();
    stage
}

#[test]
fn a_bulk_is_taken_back_in_one_dialog_with_the_same_count() {
    let mut stage = bulk();
    let there: Vec<(String, u64)> = counts(&stage);
    command(&mut stage, "undo");
    shows(&mut stage, &["Take back · 3 targets", "type  scale 3  then ⏎"]);
    confirm(&mut stage, "scale 3");
    assert_eq!(landed(&mut stage), Progress::Done);
    let back: Vec<(String, u64)> = counts(&stage).split_off(3);
    let former: Vec<(String, u64)> = there.into_iter().map(|(name, count)| (name, count - 1)).collect();
    assert_eq!(back, former, "each has its own count again");
    stage.refresh_quietly();
    command(&mut stage, "undo");
    shows(&mut stage, &["is taken back · :redo does the last of it once more"]);
    assert_eq!(counts(&stage).len(), 6, "it does not go back and forth");
}

#[test]
fn undo_goes_on_to_the_change_before_and_redo_comes_back() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    yes(&mut stage);
    stage.step(6);
    command(&mut stage, "cluster web-stage");
    stage.find("storefront");
    stage.refresh_quietly();
    keys(&mut stage, "S 5");
    yes(&mut stage);
    for count in [3, 2] {
        stage.step(6);
        stage.refresh_quietly();
        command(&mut stage, "undo");
        shows(&mut stage, &["Take back web-stage/storefront", &format!("--desired-count {count}"), ":redo does it once more"]);
        yes(&mut stage);
    }
    for count in [3, 5] {
        stage.step(6);
        stage.refresh_quietly();
        command(&mut stage, "redo");
        shows(&mut stage, &["Redo: scale web-stage/storefront", &format!("--desired-count {count}")]);
        yes(&mut stage);
    }
    stage.step(6);
    stage.refresh_quietly();
    command(&mut stage, "redo");
    shows(&mut stage, &["nothing was taken back since the last change"]);
    let all: Vec<u64> = counts(&stage).into_iter().map(|(_, count)| count).collect();
    assert_eq!(all, [3, 5, 3, 2, 3, 5]);
    // In the journal each is told by what it is.
    command(&mut stage, "journal");
    shows(&mut stage, &["redo scale", "undo scale"]);
}

#[test]
fn what_was_taken_back_is_not_brought_again_after_another_change() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    done(&mut stage);
    command(&mut stage, "undo");
    yes(&mut stage);
    stage.step(6);
    command(&mut stage, "cluster web-stage");
    stage.find("storefront");
    stage.refresh_quietly();
    keys(&mut stage, "S 4");
    yes(&mut stage);
    command(&mut stage, "redo");
    shows(&mut stage, &["nothing was taken back since the last change"]);
}

#[test]
fn of_a_bulk_that_failed_in_part_what_was_done_is_taken_back() {
    let mut stage = storefront();
    keys(&mut stage, "g space space space S +");
    stage.fault(
        "[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = 'error'\ncode = 'InvalidParameterException'\nmessage = 'no'\n",
    );
    confirm(&mut stage, "scale 3");
    assert_eq!(landed(&mut stage), Progress::Done);
    shows(&mut stage, &["it did not all work", ":undo offers the way back from what was done"]);
    keys(&mut stage, "esc");
    stage.refresh_quietly();
    command(&mut stage, "undo");
    shows(&mut stage, &["Take back · 2 targets", "type  scale 2  then ⏎"]);
}

#[test]
fn what_applies_though_no_answer_came_is_taken_back_and_what_does_not_is_not_offered() {
    for (kind, offered) in [("cut_reply", true), ("reset", false)] {
        let mut stage = storefront();
        keys(&mut stage, "S 3");
        stage.fault(&format!("[[fault]]\noperation = 'ecs:UpdateService'\ntimes = 1\nkind = '{kind}'\n"));
        stage.press("y");
        assert_eq!(landed(&mut stage), Progress::Done);
        keys(&mut stage, "esc");
        stage.refresh_quietly();
        command(&mut stage, "undo");
        let words = if offered { "Take back web-stage/storefront" } else { "nothing was changed in the last 30 minutes" };
        shows(&mut stage, &[words]);
    }
}
