//! How an operator walks: to a context, a cluster, a service, a pane, and what is read there.

use crate::stage::{Stage, sim};

/// The program on one context of the scenario, everything answered.
pub fn at(context: &str) -> Stage {
    let mut stage = Stage::only(sim("seeds"), context);
    rest(&mut stage);
    stage
}

/// Waits until nothing is open any more, and until rows are no longer held for a key.
pub fn rest(stage: &mut Stage) {
    // The desk shows the most rows, and rows in view are what targets and definitions are asked for.
    stage.screen(120, 35);
    stage.settle();
    stage.step(4);
    stage.refresh_quietly();
    stage.screen(120, 35);
    stage.settle();
}

/// Lets time pass, and reads what it brought.
pub fn later(stage: &mut Stage, seconds: u64) {
    stage.step(seconds);
    stage.refresh_quietly();
    rest(stage);
}

/// Goes anywhere by the palette.
pub fn go(stage: &mut Stage, name: &str) {
    stage.press(":");
    stage.write(name);
    stage.press("enter");
    stage.settle();
}

/// The cursor on a service in the list of its cluster.
pub fn service(stage: &mut Stage, cluster: &str, name: &str) {
    go(stage, &format!("cluster {cluster}"));
    stage.find(name);
    rest(stage);
    // Verdicts are judged again when what they rest on has come, or after ten seconds.
    later(stage, 11);
}

/// The words of a screen without its frames, as if it were one long line.
pub fn words(screen: &str) -> String {
    screen.replace(['│', '─', '┌', '┐', '└', '┘', '┤', '├'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Holds the desk's screen against words; frames and line breaks do not count.
pub fn shows(stage: &mut Stage, wanted: &[&str]) {
    let screen = stage.screen(120, 35);
    let read = words(&screen);
    for word in wanted {
        assert!(read.contains(word), "{word:?} is not on the screen\n{screen}");
    }
}

/// The opposite.
pub fn hides(stage: &mut Stage, unwanted: &[&str]) {
    let screen = stage.screen(120, 35);
    let read = words(&screen);
    for word in unwanted {
        assert!(!read.contains(word), "{word:?} is on the screen\n{screen}");
    }
}

/// The first line of the desk's screen that holds a text.
pub fn line(stage: &mut Stage, text: &str) -> String {
    let screen = stage.screen(120, 35);
    screen.lines().find(|line| line.contains(text)).unwrap_or_else(|| panic!("no line shows {text:?}\n{screen}")).to_owned()
}
