//! The gate, whatever the screen let through: it is shut behind the operator's confirmation, and every change of the table comes to it.

use super::trouble::{commanded, deploy, drained, ranged, walked};
use super::verbs::{paused, without_exec};
use super::{changes, command, confirm, done, keys, shows, storefront, yes};
use crate::stage::Stage;
use midwatch::action::{ACTIONS, Action, Risk};
use midwatch::aws::ErrorKind;
use midwatch::change::apply::Progress;

/// The dialog of an action, filled in, and what confirms it there: a text, or `y` where there is none. Nothing for what is no change.
fn ready(action: Action) -> Option<(Stage, &'static str)> {
    Some(match action {
        Action::Redeploy => (walked(storefront(), "R"), ""),
        Action::Scale => (walked(storefront(), "S 3"), ""),
        Action::RollBack => (walked(storefront(), "B enter"), "storefront"),
        Action::StopTasks => (walked(storefront(), "T X"), ""),
        Action::DeployImage => (deploy(), ""),
        Action::EnableExec => (commanded(without_exec(), "", "enable-exec"), ""),
        Action::RunTask => (commanded(storefront(), "", "run-task"), ""),
        Action::ScalingRange => (ranged(), ""),
        Action::Continue => (commanded(paused(), "", "continue"), ""),
        Action::Abandon => (commanded(paused(), "", "abandon"), ""),
        Action::Protect => (commanded(storefront(), "T", "protect"), ""),
        Action::Unprotect => (commanded(storefront(), "T", "unprotect"), ""),
        Action::Drain => (drained(), ""),
        Action::Activate => {
            let mut stage = drained();
            yes(&mut stage);
            stage.refresh_quietly();
            (commanded(stage, "", "activate"), "")
        }
        Action::Undo | Action::Redo => {
            let mut stage = storefront();
            keys(&mut stage, "S 3");
            done(&mut stage);
            command(&mut stage, "undo");
            if action == Action::Redo {
                done(&mut stage);
                command(&mut stage, "redo");
            }
            (stage, "")
        }
        // A session inside a container is no change of a plan: tests/exec_door holds its own door.
        Action::Exec => return None,
        new => panic!("{new:?} changes something: say here how its dialog is reached and confirmed"),
    })
}

#[test]
fn every_change_in_the_table_is_stopped_at_the_gate() {
    for row in ACTIONS.iter().filter(|row| row.risk != Risk::Read) {
        let Some((mut stage, text)) = ready(row.action) else { continue };
        // The answers that came last have been looked at.
        stage.step(3);
        let before = changes(&stage).len();
        stage.progress.clear();
        stage.lock_while_reading = true;
        if text.is_empty() {
            stage.press("y");
        } else {
            confirm(&mut stage, text);
        }
        let over =
            |stage: &mut Stage| matches!(stage.progress.last(), Some((_, Progress::Done | Progress::Moved(..) | Progress::Refused(_))));
        stage.until(&format!("{} has landed", row.name), over);
        let kept = |progress: &Progress| match progress {
            Progress::Failed { error, .. } => {
                error.kind == ErrorKind::Locked && error.what.contains("read-only: the program was started with --read-only")
            }
            _ => false,
        };
        let screen = stage.screen(120, 35);
        assert!(stage.progress.iter().any(|(_, progress)| kept(progress)), "{}: {:?}\n{screen}", row.name, stage.progress);
        assert_eq!(changes(&stage).len(), before, "{} reached AWS", row.name);
    }
}

#[test]
fn what_a_role_may_not_is_told_by_the_header_and_the_menu() {
    let mut stage = storefront();
    keys(&mut stage, "S 3");
    stage.fault("[[fault]]\noperation = 'ecs:UpdateService'\nkind = 'deny'\n");
    stage.press("y");
    super::landed(&mut stage);
    keys(&mut stage, "esc");
    for (width, height) in super::SIZES {
        let screen = stage.screen(width, height);
        assert!(screen.lines().next().unwrap().contains("may not: UpdateService"), "{width}x{height}\n{screen}");
    }
    keys(&mut stage, "a");
    let screen = stage.screen(120, 35);
    for word in ["redeploy", "scale ", "deploy image"] {
        let line =
            screen.lines().find(|line| line.contains(word) && line.contains("storefront")).unwrap_or_else(|| panic!("{word}\n{screen}"));
        assert!(line.contains("AWS has just refused it: AccessDenied"), "{line}");
    }
    // The dialog says it before anything is typed.
    keys(&mut stage, "esc R");
    shows(&mut stage, &["AWS has just refused ecs:UpdateService", ":write tries again"]);
    keys(&mut stage, "y esc");
    assert_eq!(changes(&stage).len(), 1);
    stage.fault("");
    command(&mut stage, "write 15m");
    assert!(!stage.screen(120, 35).contains("may not"), "{}", stage.screen(120, 35));
    keys(&mut stage, "R");
    yes(&mut stage);
}

#[test]
fn a_dry_run_is_no_failure() {
    let mut stage = storefront();
    let rules = stage.gate().rules().0.dry(true);
    stage.gate().set(rules);
    keys(&mut stage, "S 3");
    stage.press("y");
    assert!(matches!(super::landed(&mut stage), Progress::Rehearsed(_)));
    shows(&mut stage, &["○ dry run: the call is in the journal, nothing was sent", "a dry run: it would have been sent as it was shown"]);
    assert!(!stage.screen(120, 35).contains("✖ not sent") && !stage.screen(120, 35).contains("✖ dry run"), "{}", stage.screen(120, 35));
    assert_eq!(changes(&stage).len(), 0);
    keys(&mut stage, "esc");
    command(&mut stage, "journal");
    shows(&mut stage, &["○ dry run: not sent"]);
}
