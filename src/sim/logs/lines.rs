//! What a stream says: a pure function of the seed, the stream and the window, so that a million lines cost no memory.
//!
//! Time is cut into slots of five seconds, the same for all streams. A slot's lines are drawn from a generator that is seeded by
//! stream and slot; the voice words them. Start-up lines follow the container's start, last words come just before its end.

use super::voice::{self, Speaker};
use crate::sim::rng::{self, Rng};
use crate::sim::scenario::Voice;
use crate::sim::world::{LogStream, Ms};
use std::ops::Range;

/// Milliseconds.
pub(super) const SLOT: Ms = 5_000;
const SLOT_SECONDS: f64 = 5.0;
/// No line is ingested later than this after it was said, in milliseconds.
pub(super) const LATEST: Ms = 9_000;
/// The awslogs driver flushes a batch each second.
const BATCH: Ms = 1_000;
/// Between lines that belong together, in milliseconds.
const LINE_GAP: Ms = 15;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) timestamp: Ms,
    pub(super) ingestion: Ms,
    /// Orders lines of one timestamp: by stream, then as they were said.
    pub(super) id: u128,
    pub(super) message: String,
}

impl Line {
    /// Where the line stands among all of its group.
    pub(super) fn place(&self) -> (Ms, u128) {
        (self.timestamp, self.id)
    }

    /// 56 digits that grow with time, as AWS's do.
    pub(super) fn event_id(&self) -> String {
        // 76 bits times 10^15 fit into 128 bits, and have at most 38 digits.
        let tail = self.id * 1_000_000_000_000_000 + u128::from(rng::mix(self.timestamp.unsigned_abs()) % 1_000_000_000_000_000);
        format!("3{:014}{tail:041}", self.timestamp)
    }
}

/// The slot in which a time lies.
pub(super) fn slot(at: Ms) -> Ms {
    at.div_euclid(SLOT)
}

/// All lines of a stream in one slot, in order; those that are not yet ingested included.
pub(super) fn in_slot(seed: u64, name: &str, stream: &LogStream, slot: Ms) -> Vec<Line> {
    let container = &stream.definition.containers[stream.container];
    let (from, to) = (slot * SLOT, (slot + 1) * SLOT);
    let end = stream.ended_at.unwrap_or(Ms::MAX);
    if container.voice == Voice::Silent || to <= stream.started_at || from >= end {
        return Vec::new();
    }
    let key = rng::mix(seed ^ rng::hash(name));
    let speaker = Speaker::new(stream, name);
    // Wording these costs more than the rest of a slot, so only where they can fall.
    let stillborn = speaker.is_stillborn();
    let banner = if from < stream.started_at + SLOT && !stillborn { speaker.banner() } else { Vec::new() };
    let epilogue = if to > end.saturating_sub(SLOT) { speaker.epilogue() } else { Vec::new() };
    let ready = stream.started_at + LINE_GAP * 4 * length(&banner);
    let closing = end.saturating_sub(LINE_GAP * (length(&epilogue) + 1));
    let mut said = chatter(key, slot, if stillborn { 0.0 } else { container.rate }, &speaker, ready..closing);
    let mut told = spread(stream.started_at + LINE_GAP, LINE_GAP * 4, banner);
    told.retain(|(at, _)| *at < closing);
    told.extend(spread(closing, LINE_GAP, epilogue));
    // The awslogs driver sends no empty lines.
    said.extend(told.into_iter().filter(|(at, text)| (from..to).contains(at) && !text.is_empty()));
    said.sort_by_key(|(at, _)| *at);
    // 56 bits of the stream and 20 of the order, so that an event id has room for them.
    let stream_key = u128::from(key >> 8) << 20;
    let line = |(order, (timestamp, message)): (usize, (Ms, String))| Line {
        timestamp,
        ingestion: ingestion(key, timestamp),
        id: stream_key | order as u128,
        message,
    };
    said.into_iter().enumerate().map(line).collect()
}

/// The everyday lines of a slot: a Poisson-like number of utterances, with quiet minutes and bursts.
fn chatter(key: u64, slot: Ms, rate: f64, speaker: &Speaker<'_>, within: Range<Ms>) -> Vec<(Ms, String)> {
    let mut said = Vec::new();
    let mut rng = Rng::new(rng::mix(key ^ slot.unsigned_abs()), "slot");
    let minute = slot * SLOT / 60_000;
    let mood = rng::mix(key.rotate_left(17) ^ minute.unsigned_abs()) % 100;
    let factor = match mood {
        0..15 => 0.3,
        15..85 => 1.0,
        85..97 => 1.8,
        _ => 5.0,
    };
    // Thousandths of an utterance; a rate is a few lines a second, at most a few thousand.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let expected = (rate.clamp(0.0, 10_000.0) * factor * SLOT_SECONDS * 1000.0) as u64;
    let count = expected / 1000 + u64::from(rng.below(1000) < expected % 1000);
    let mut times: Vec<Ms> = (0..count).map(|_| slot * SLOT + rng.between(0, SLOT - 1)).collect();
    times.sort_unstable();
    for at in times {
        // Drawn all the same, so that the end of a container does not change what it said before.
        let lines = voice::utter(speaker, &mut rng, at);
        if !within.contains(&at) {
            continue;
        }
        for (nth, line) in lines.into_iter().enumerate() {
            // Lines of one trace share their millisecond, and stay in the slot that owns them.
            let later = Ms::try_from(nth / 8).unwrap_or_default();
            said.push(((at + later).min((slot + 1) * SLOT - 1).min(within.end - 1), line));
        }
    }
    said
}

fn spread(first: Ms, gap: Ms, texts: Vec<String>) -> Vec<(Ms, String)> {
    texts.into_iter().zip(0..).map(|(text, nth)| (first + gap * nth, text)).collect()
}

fn length(texts: &[String]) -> Ms {
    Ms::try_from(texts.len()).unwrap_or(Ms::MAX)
}

/// When a line can be read: after its batch was flushed, and in a bad minute of the agent some seconds later.
fn ingestion(key: u64, timestamp: Ms) -> Ms {
    let batch = timestamp.div_euclid(BATCH);
    let travel = 60 + rng::mix(key ^ batch.unsigned_abs().rotate_left(9)) % 600;
    let lag = if rng::mix(key ^ (batch / 60).unsigned_abs().rotate_left(31)) % 60 == 7 { 6_000 } else { 0 };
    (batch + 1) * BATCH + Ms::try_from(travel).unwrap_or_default() + lag
}

/// The last line that can be read now, if any was said in the last minute of the stream's life.
pub(super) fn last(seed: u64, name: &str, stream: &LogStream, now: Ms) -> Option<Line> {
    let end = stream.ended_at.unwrap_or(now).min(now);
    let first = slot(stream.started_at.max(end - 60_000));
    (first..=slot(end)).rev().find_map(|at| in_slot(seed, name, stream, at).into_iter().rev().find(|line| line.ingestion <= now))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;
    use crate::sim::clock::FIXED_START;
    use crate::sim::scenario;
    use crate::sim::world::World;
    use std::collections::HashSet;

    fn small() -> World {
        World::open(&scenario::load("small", &[]).unwrap(), 1, FIXED_START).unwrap()
    }

    fn streams(world: &World) -> impl Iterator<Item = (&String, &LogStream)> {
        world.estates.iter().flat_map(|estate| estate.log_groups.values().flat_map(|group| &group.streams))
    }

    /// The first and the last minute of a stream's life.
    fn ends(seed: u64, name: &str, stream: &LogStream) -> Vec<Line> {
        let (first, last) = (slot(stream.started_at), slot(stream.ended_at.unwrap_or(FIXED_START)));
        let slots: HashSet<Ms> = (first..=first + 12).chain(last - 12..=last).collect();
        let mut slots: Vec<Ms> = slots.into_iter().collect();
        slots.sort_unstable();
        slots.into_iter().flat_map(|slot| in_slot(seed, name, stream, slot)).collect()
    }

    #[test]
    fn a_stream_says_the_same_whenever_it_is_asked() {
        let world = small();
        for (name, stream) in streams(&world) {
            assert_eq!(ends(1, name, stream), ends(1, name, stream));
        }
        let (name, stream) = streams(&world).find(|(name, _)| name.starts_with("ecs/nginx/")).unwrap();
        assert_ne!(ends(1, name, stream), ends(2, name, stream));
    }

    #[test]
    fn lines_lie_within_the_life_of_their_container_and_come_in_a_little_later() {
        let world = small();
        let mut count = 0;
        for (name, stream) in streams(&world) {
            let lines = ends(1, name, stream);
            let places: HashSet<(Ms, u128)> = lines.iter().map(Line::place).collect();
            assert_eq!(places.len(), lines.len(), "{name}");
            for line in &lines {
                let delay = line.ingestion - line.timestamp;
                assert!(line.timestamp >= stream.started_at && stream.ended_at.is_none_or(|end| line.timestamp < end));
                assert!((1..=LATEST).contains(&delay), "{delay}");
                assert!(!line.message.is_empty() && !line.message.contains(['\u{1b}', '\n', '\r']), "{:?}", line.message);
                assert_eq!(line.event_id().len(), 56);
            }
            count += lines.len();
        }
        assert!(count > 5_000, "{count}");
    }

    #[test]
    fn a_container_that_ended_by_itself_has_the_last_word() {
        let world = small();
        let mut found = 0;
        for (name, stream) in streams(&world) {
            let tail = &stream.definition.behaviour.tail;
            let container = &stream.definition.containers[stream.container];
            if !stream.last_words || tail.is_empty() || container.voice == Voice::Silent {
                continue;
            }
            found += 1;
            let lines = ends(1, name, stream);
            let last: Vec<&String> = lines[lines.len() - tail.len()..].iter().map(|line| &line.message).collect();
            assert_eq!(last, tail.iter().collect::<Vec<_>>());
        }
        assert!(found > 0, "`small` has releases that die");
    }

    #[test]
    fn a_program_says_about_as_much_as_its_rate() {
        let world = small();
        let (name, stream) = streams(&world).find(|(name, _)| name.starts_with("ecs/nginx/")).unwrap();
        let rate = stream.definition.containers[stream.container].rate;
        let first = slot(stream.started_at) + 100;
        let hours = 720 * 2;
        let count: u32 = (first..first + hours).map(|at| u32::try_from(in_slot(1, name, stream, at).len()).unwrap()).sum();
        let seconds = f64::from(u32::try_from(hours).unwrap()) * SLOT_SECONDS;
        let measured = f64::from(count) / seconds;
        assert!((rate * 0.6..rate * 1.8).contains(&measured), "{measured} instead of {rate} lines a second");
    }
}
