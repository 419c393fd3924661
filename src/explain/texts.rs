//! Single texts of one incident: a task's reason, a container's, an event, a target's.
//!
//! Texts come from a command line and may hold anything, so they are cleaned here before they are judged and printed.

use super::input;
use crate::cli::Texts;
use crate::text;
use crate::verdict::cause::{self, Cause, Ended, Explanation, Stop};
use serde_json::json;

/// Stop codes as AWS spells them, for those who write them in their own way.
const STOP_CODES: &[&str] = &[
    "TaskFailedToStart",
    "EssentialContainerExited",
    "UserInitiated",
    "ServiceSchedulerInitiated",
    "SpotInterruption",
    "TerminationNotice",
    "InfrastructureHealth",
];

/// What the texts mean together: the stop that they tell of, else the event, else the target; what is known comes before what is not.
pub(super) fn judge(texts: &Texts) -> Explanation {
    let of_a_stop = texts.reason.is_some() || texts.container_reason.is_some() || texts.exit_code.is_some() || texts.stop_code.is_some();
    let told = [
        of_a_stop.then(|| cause::stopped(&stop(texts))),
        texts.event.as_deref().map(|event| cause::event(&cleaned(event))),
        texts.target.as_deref().map(|target| cause::target(&cleaned(target))),
    ];
    let told: Vec<Explanation> = told.into_iter().flatten().collect();
    let evidence = told.iter().flat_map(|told| told.evidence.clone()).collect();
    // A failure says more than normal life, and that more than nothing.
    let best = told.into_iter().rev().max_by_key(|told| (told.cause != Cause::Other, !told.cause.normal()));
    Explanation { evidence, ..best.unwrap_or_else(|| cause::event("")) }
}

fn stop(texts: &Texts) -> Stop {
    let of = |text: &Option<String>| text.as_deref().map(cleaned).unwrap_or_default();
    let code = of(&texts.stop_code);
    let spelled = STOP_CODES.iter().find(|known| known.eq_ignore_ascii_case(&code));
    let container = Ended { reason: of(&texts.container_reason), exit_code: texts.exit_code, ..Ended::default() };
    Stop {
        reason: of(&texts.reason),
        stop_code: spelled.map_or(code, |known| (*known).to_owned()),
        containers: if container == Ended::default() { Vec::new() } else { vec![container] },
        of_service: None,
    }
}

/// A text that may be printed. AWS's are at most a few thousand characters; what is far longer is cut.
fn cleaned(text: &str) -> String {
    const LONGEST: usize = 16 * 1024;
    let end = text.char_indices().nth(LONGEST).map_or(text.len(), |(at, _)| at);
    text::clean_multiline(&input::unquoted(&input::uncoloured(&text[..end]))).trim().to_owned()
}

/// The explanation for a reader.
pub(super) fn words(told: &Explanation) -> String {
    let mut lines = vec![told.says.clone(), format!("cause: {} ({} confidence)", told.cause.word(), told.confidence.word())];
    if !told.next_check.is_empty() {
        lines.push(format!("next: {}", told.next_check));
    }
    if !told.evidence.is_empty() {
        lines.push("evidence:".to_owned());
        lines.extend(told.evidence.iter().map(|line| format!("  {line}")));
    }
    lines.join("\n")
}

/// The explanation for a script.
pub(super) fn json(told: &Explanation) -> String {
    let object = json!({
        "cause": told.cause.word(),
        "says": told.says,
        "evidence": told.evidence,
        "next_check": told.next_check,
        "confidence": told.confidence.word(),
    });
    format!("{object:#}")
}
