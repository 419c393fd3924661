//! Whether what new tasks read at their start is there: a task that misses one of its parameters or secrets does not start.

use super::{Facts, counted, listed};
use crate::change::{Basis, Note};
use crate::feed::Feed;
use crate::model::{Held, Kept, Str, TaskDefinition};
use std::sync::Arc;

/// The `valueFrom`s of a revision, each once; nothing where it reads none.
pub(super) fn sources(definition: &TaskDefinition) -> Option<Arc<[Str]>> {
    let mut all: Vec<Str> = definition.containers.iter().flat_map(|own| &own.secrets).map(|(_, from)| from.clone()).collect();
    all.sort_unstable();
    all.dedup();
    (!all.is_empty()).then(|| all.into())
}

/// What a plan rests on of the parameters and secrets of a revision, where it is known whether they are there.
pub(super) fn basis(facts: &Facts, definition: &TaskDefinition) -> Option<Basis> {
    let from = sources(definition)?;
    facts.store.vault(facts.ctx, &from).map(|held| Basis::vault(&from, held))
}

/// What is known of the parameters and secrets of a revision. Values are never fetched.
pub(super) fn notes(facts: &Facts, definition: &TaskDefinition, running: Option<&TaskDefinition>) -> Vec<Note> {
    let Some(from) = sources(definition) else { return Vec::new() };
    let Some(held) = facts.store.vault(facts.ctx, &from) else {
        let error = facts.store.error(&Feed::Vault(facts.ctx, from.clone()));
        let why = error.map_or("AWS has not answered yet".to_owned(), |error| error.came().to_owned());
        return vec![untold(&from.iter().collect::<Vec<_>>(), &why, running)];
    };
    let with = |wanted: fn(&Held) -> Option<&Str>| from.iter().zip(held).filter_map(move |(from, held)| Some((from, wanted(held)?)));
    let gone = with(|held| if let Held::Gone(why) = held { Some(why) } else { None });
    // What both revisions read is no reason for going back, and none against it alone: neither could start a task.
    let other = running.filter(|running| running.arn != definition.arn);
    let both = |from: &Str| other.filter(|running| sources(running).is_some_and(|now| now.contains(from)));
    let mut notes: Vec<Note> = gone
        .map(|(from, why)| {
            let too = both(from).map_or(String::new(), |running| {
                format!("; the running revision {} reads it as well: it is missing for both", running.short())
            });
            Note::blocker(format!("{}: {why}: no new task could start{too}", Kept::parse(from).name()))
        })
        .collect();
    let mut whys: Vec<(&Str, Vec<&Str>)> = Vec::new();
    for (from, why) in with(|held| if let Held::Untold(why) = held { Some(why) } else { None }) {
        match whys.iter_mut().find(|(known, _)| *known == why) {
            Some((_, all)) => all.push(from),
            None => whys.push((why, vec![from])),
        }
    }
    notes.extend(whys.iter().map(|(why, all)| untold(all, why, running)));
    let there = held.iter().filter(|held| **held == Held::There).count();
    if there > 0 {
        let all = if there == from.len() && there > 1 { "all " } else { "" };
        notes.push(Note::info(format!("{all}{} that it reads {} there", counted(there, "secret"), if there == 1 { "is" } else { "are" })));
    }
    notes
}

/// What may not be read is likely there where the running revision reads it as well.
fn untold(from: &[&Str], why: &str, running: Option<&TaskDefinition>) -> Note {
    let now = running.and_then(sources).unwrap_or_default();
    let other: Vec<&str> = from.iter().filter(|from| !now.contains(from)).map(|from| Kept::parse(from).name()).collect();
    match (other.is_empty(), running) {
        (true, Some(_)) => Note::info(format!(
            "{} that it reads are those of the running revision; whether they are still there is not known: {why}",
            counted(from.len(), "secret")
        )),
        _ => Note::warning(format!(
            "whether {} {} still there is not known: {why}",
            listed(&other),
            if other.len() == 1 { "is" } else { "are" }
        )),
    }
}
