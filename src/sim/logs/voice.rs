//! What programs say: requests, work, warnings and trouble, drawn from a generator and worded in the manner of a language.
//!
//! First a meaning is drawn, then the voice of the container puts it into lines. What is going wrong with a sick task shows in
//! its lines before it shows anywhere else. Nothing here knows how lines are stored, ordered or paged.

mod documents;
mod scripts;
mod servers;

use super::Ms;
use crate::sim::rng::{self, Rng};
use crate::sim::scenario::Voice;
use crate::sim::scenario::schema::Fate;
use crate::sim::world::{ContainerDefinition, LogStream, TaskDefinition};
use jiff::Timestamp;

/// Who speaks: one container of one task.
pub(super) struct Speaker<'a> {
    stream: &'a LogStream,
    container: &'a ContainerDefinition,
    definition: &'a TaskDefinition,
    /// The thing that the program deals with: `checkout` for family `checkout-api`.
    noun: &'a str,
    /// Where it stands in its first few lines.
    host: String,
}

/// What is to be said.
enum Meaning {
    Request(Request),
    Work(String),
    Warning(String),
    Trouble(&'static Trouble, Request),
}

/// A request that was answered.
struct Request {
    method: &'static str,
    path: String,
    status: u16,
    millis: u64,
    bytes: u64,
    client: String,
    id: u64,
}

/// Something that went wrong, in the words of several languages.
struct Trouble {
    /// In plain words.
    text: &'static str,
    java: &'static str,
    cause: &'static str,
    python: &'static str,
}

const TROUBLES: [Trouble; 5] = [
    Trouble {
        text: "query timed out after 5000 ms",
        java: "org.springframework.dao.QueryTimeoutException: PreparedStatementCallback; SQL timed out",
        cause: "java.net.SocketTimeoutException: Read timed out",
        python: "sqlalchemy.exc.OperationalError: (psycopg2.errors.QueryCanceled) canceling statement due to statement timeout",
    },
    Trouble {
        text: "connection refused by inventory.internal:8443",
        java: "org.springframework.web.client.ResourceAccessException: I/O error on GET request for \"https://inventory.internal:8443\"",
        cause: "java.net.ConnectException: Connection refused",
        python: "requests.exceptions.ConnectionError: HTTPSConnectionPool(host='inventory.internal', port=8443): Max retries exceeded",
    },
    Trouble {
        text: "connection pool exhausted: 20 of 20 in use, 37 waiting",
        java: "org.springframework.jdbc.CannotGetJdbcConnectionException: Failed to obtain JDBC Connection",
        cause: "java.sql.SQLTransientConnectionException: HikariPool-1 - Connection is not available, request timed out after 30000ms",
        python: "sqlalchemy.exc.TimeoutError: QueuePool limit of size 20 overflow 10 reached, connection timed out, timeout 30.00",
    },
    Trouble {
        text: "cannot decode upstream reply: unexpected end of input at byte 4096",
        java: "org.springframework.http.converter.HttpMessageNotReadableException: JSON parse error: Unexpected end-of-input",
        cause: "com.fasterxml.jackson.core.io.JsonEOFException: Unexpected end-of-input: expected close marker for Object",
        python: "json.decoder.JSONDecodeError: Unterminated string starting at: line 1 column 4081 (char 4080)",
    },
    Trouble {
        text: "redis: MOVED to a node that does not answer",
        java: "org.springframework.data.redis.RedisConnectionFailureException: Unable to connect to Redis",
        cause: "io.lettuce.core.RedisConnectionException: Unable to connect to cache.internal/<unresolved>:6379",
        python: "redis.exceptions.ConnectionError: Error 111 connecting to cache.internal:6379. Connection refused.",
    },
];

/// `#` becomes a number.
const WORK: [&str; 12] = [
    "cache refreshed, # entries",
    "published # messages to the outbox topic",
    "feature flags reloaded, # flags",
    "token for payments.internal renewed, valid for # s",
    "batch of # rows written",
    "scheduled job price-sync finished in # ms",
    "lease # renewed",
    "configuration version # unchanged",
    "consumer lag is # messages",
    "compacted # segments",
    "session store swept, # sessions expired",
    "webhook # delivered",
];

const WARNINGS: [&str; 6] = [
    "slow query: # ms",
    "retrying inventory.internal after # ms, attempt 2 of 3",
    "rate limit of client # reached, answering 429",
    "deprecated field `legacy_id` used by client #",
    "pool usage above 80 percent for # ms",
    "clock of the peer differs by # ms",
];

impl<'a> Speaker<'a> {
    pub(super) fn new(stream: &'a LogStream, name: &str) -> Self {
        let definition: &TaskDefinition = &stream.definition;
        let family = definition.family.as_str();
        let noun = family.split('-').next().unwrap_or(family);
        let key = rng::hash(name);
        let host = format!("ip-10-0-{}-{}", key % 64, key / 64 % 250 + 4);
        Self { stream, container: &definition.containers[stream.container], definition, noun, host }
    }

    /// A program that ends before it comes to its work: it has no more to say than its last words.
    pub(super) fn is_stillborn(&self) -> bool {
        let behaviour = &self.stream.behaviour;
        let soon = behaviour.after.is_some_and(|after| after.0 <= 30_000) && behaviour.fate == Fate::Exits;
        soon && self.stream.sick && self.stream.container == self.definition.culprit(behaviour)
    }

    /// The lines of a program that starts.
    pub(super) fn banner(&self) -> Vec<String> {
        let at = |nth: Ms| self.stream.started_at + 15 + nth * 60;
        let version = self.container.image.rsplit([':', '@']).next().unwrap_or("latest");
        match self.container.voice {
            Voice::Java => scripts::java_banner(self, at(0), version),
            Voice::Php => scripts::php_banner(at(0)),
            Voice::Python => scripts::python_banner(at(0)),
            Voice::Nginx => servers::nginx_banner(at(0)),
            Voice::Envoy => servers::envoy_banner(at(0)),
            Voice::Fluentbit => servers::fluentbit_banner(at(0)),
            Voice::Silent => Vec::new(),
            voice => [
                format!("starting {} {version}", self.noun),
                "configuration loaded from the environment, 23 keys".to_owned(),
                "connected to postgres at db.internal:5432".to_owned(),
                format!("listening on 0.0.0.0:{}", self.container.ports.first().map_or(8080, |port| port.0)),
            ]
            .iter()
            .zip(0..)
            .map(|(text, nth)| self.remark(voice, at(nth), "info", text))
            .collect(),
        }
    }

    /// The lines of a program that ends: its last words if it ended by itself, else a farewell after SIGTERM.
    pub(super) fn epilogue(&self) -> Vec<String> {
        let tail = &self.stream.behaviour.tail;
        let end = self.stream.ended_at.unwrap_or(self.stream.started_at);
        if self.stream.last_words && !tail.is_empty() {
            return tail.clone();
        }
        let voice = self.container.voice;
        if self.stream.last_words {
            return match self.stream.behaviour.fate {
                // The kernel kills without warning.
                Fate::Oom => {
                    vec![self.remark(voice, end - 30, "warn", "heap usage 97 percent, collecting")]
                }
                Fate::Ends => vec![self.remark(voice, end - 30, "info", "all work done, bye")],
                _ => vec![self.remark(voice, end - 30, "fatal", "cannot go on, exiting")],
            };
        }
        match voice {
            Voice::Nginx => servers::nginx_farewell(end - 60),
            Voice::Silent => Vec::new(),
            _ => [(45, "SIGTERM received, draining connections"), (30, "drained, shutting down")]
                .iter()
                .map(|(before, text)| self.remark(voice, end - before, "info", text))
                .collect(),
        }
    }

    /// A free text at a level, in the container's manner.
    fn remark(&self, voice: Voice, at: Ms, level: &'static str, text: &str) -> String {
        match voice {
            Voice::Json => documents::json_remark(self, at, level, text),
            Voice::Node => documents::pino_remark(self, at, level, text),
            Voice::Go => format!("time={} level={} msg={text:?} service={}", iso(at), level.to_uppercase(), self.noun),
            Voice::Java => scripts::java_remark(self, at, level, "main", "Application", text),
            Voice::Php => format!("[{}] app.{}: {text} [] []", when(at, "%Y-%m-%dT%H:%M:%S.%6f+00:00"), level.to_uppercase()),
            Voice::Python => scripts::python_remark(at, level, text),
            Voice::Nginx => format!("{} [{}] 1#1: {text}", when(at, "%Y/%m/%d %H:%M:%S"), servers::nginx_level(level)),
            Voice::Envoy => format!("[{}][1][{}][main] {text}", when(at, "%Y-%m-%d %H:%M:%S.%3f"), servers::envoy_level(level)),
            Voice::Fluentbit => format!("[{}] [{:>5}] [engine] {text}", when(at, "%Y/%m/%d %H:%M:%S"), level),
            Voice::Plain | Voice::Silent => format!("{} {:<5} {}: {text}", iso(at), level.to_uppercase(), self.noun),
        }
    }
}

/// One utterance at a time: one line, or several that belong together.
pub(super) fn utter(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms) -> Vec<String> {
    let voice = speaker.container.voice;
    if let Some(symptom) = symptom(speaker, rng, at) {
        let level = if rng.chance(400) { "error" } else { "warn" };
        return vec![speaker.remark(voice, at, level, &symptom)];
    }
    let meaning = meaning(speaker, rng);
    match voice {
        Voice::Json | Voice::Node => documents::say(speaker, rng, at, &meaning),
        Voice::Java | Voice::Php | Voice::Python => scripts::say(speaker, rng, at, &meaning),
        Voice::Nginx | Voice::Envoy | Voice::Fluentbit => servers::say(speaker, rng, at, &meaning),
        Voice::Go | Voice::Plain => servers::program(speaker, rng, at, &meaning),
        Voice::Silent => Vec::new(),
    }
}

/// What a sick task says of its sickness, now and then.
fn symptom(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms) -> Option<String> {
    if !speaker.stream.sick || !rng.chance(120) {
        return None;
    }
    let age = (at - speaker.stream.started_at).max(0) / 1000;
    let status = speaker.stream.behaviour.status.unwrap_or(503);
    match speaker.stream.behaviour.fate {
        Fate::Oom => Some(format!("heap usage {} percent after {age} s", (55 + age).min(97))),
        Fate::Unhealthy => Some(format!("health check answers {status}: replica of postgres is 912 s behind")),
        Fate::ContainerUnhealthy => Some("health probe failed: worker heartbeat is 47 s old".to_owned()),
        Fate::SlowStart => Some(format!("warming up, {} percent of the index loaded", (age * 100 / 90).min(99))),
        Fate::Exits => Some("migration lock is held by another task, waiting".to_owned()),
        _ => None,
    }
}

fn meaning(speaker: &Speaker<'_>, rng: &mut Rng) -> Meaning {
    let pick = |rng: &mut Rng, length: usize| usize::try_from(rng.below(length as u64)).unwrap_or_default();
    let voice = speaker.container.voice;
    let proxy = matches!(voice, Voice::Nginx | Voice::Envoy);
    let serves = proxy || voice == Voice::Php || !speaker.container.ports.is_empty();
    // A proxy has little to say beside its access log.
    let requests_to = if proxy { 996 } else { 850 };
    match rng.below(1000) {
        0..12 => {
            let trouble = &TROUBLES[pick(rng, TROUBLES.len())];
            let mut request = request(speaker, rng);
            request.status = if rng.chance(500) { 500 } else { 504 };
            request.millis += 5000;
            Meaning::Trouble(trouble, request)
        }
        12..20 => Meaning::Warning(numbered(rng, &WARNINGS)),
        20..50 if !proxy => Meaning::Warning(numbered(rng, &WARNINGS)),
        roll if serves && roll < requests_to => Meaning::Request(request(speaker, rng)),
        _ => Meaning::Work(numbered(rng, &WORK)),
    }
}

fn numbered(rng: &mut Rng, texts: &[&str]) -> String {
    let text = texts[usize::try_from(rng.below(texts.len() as u64)).unwrap_or_default()];
    let bound = if rng.chance(500) { 60 } else { 4000 };
    text.replace('#', &(2 + rng.below(bound)).to_string())
}

fn request(speaker: &Speaker<'_>, rng: &mut Rng) -> Request {
    let noun = speaker.noun;
    let number = 1000 + rng.below(90_000);
    let (method, path) = match rng.below(20) {
        0..3 => ("GET", "/healthz".to_owned()),
        3..9 => ("GET", format!("/api/{noun}/{number}")),
        9..12 => ("GET", format!("/api/{noun}?page={}", rng.below(40))),
        12..15 => ("POST", format!("/api/{noun}")),
        15..17 => ("PUT", format!("/api/{noun}/{number}")),
        17 => ("DELETE", format!("/api/{noun}/{number}")),
        _ => ("GET", format!("/api/{noun}/{number}/items")),
    };
    let status = match rng.below(200) {
        0 => 502,
        1..4 => 404,
        4..6 => 400,
        6 => 429,
        _ if method == "POST" => 201,
        _ => 200,
    };
    // Most answers are quick, a few are very slow.
    let millis = 2 + rng.below(30) + if rng.chance(60) { rng.below(900) } else { 0 };
    let client = format!("10.0.{}.{}", rng.below(64), 4 + rng.below(250));
    Request { method, path, status, millis, bytes: 120 + rng.below(9000), client, id: rng.next() }
}

fn when(at: Ms, format: &str) -> String {
    Timestamp::from_millisecond(at).unwrap_or_default().strftime(format).to_string()
}

fn iso(at: Ms) -> String {
    when(at, "%Y-%m-%dT%H:%M:%S.%3fZ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;
    use crate::sim::clock::FIXED_START;
    use crate::sim::scenario;
    use crate::sim::world::World;
    use std::collections::HashMap;

    #[test]
    fn every_voice_of_the_demo_sounds_like_its_program() {
        let world = World::open(&scenario::load("small", &[]).unwrap(), 1, FIXED_START).unwrap();
        let mut spoken: HashMap<String, Vec<String>> = HashMap::new();
        let groups = world.estates.iter().flat_map(|estate| estate.log_groups.values());
        for (name, stream) in groups.flat_map(|group| &group.streams) {
            let speaker = Speaker::new(stream, name);
            let voice = format!("{:?}", speaker.container.voice);
            let mut rng = Rng::new(rng::hash(name), "voice");
            let lines = spoken.entry(voice).or_default();
            lines.extend(speaker.banner());
            lines.extend((0..400).flat_map(|_| utter(&speaker, &mut rng, FIXED_START)));
        }
        let says = |voice: &str, part: &str| {
            let lines = spoken.get(voice).unwrap_or_else(|| panic!("nobody speaks {voice}"));
            assert!(lines.iter().any(|line| line.contains(part)), "{voice} never says {part}");
        };
        says("Java", " ERROR 1 --- [");
        says("Java", "\tat org.springframework");
        says("Java", "Caused by: ");
        says("Go", "level=INFO msg=request method=");
        says("Nginx", "HTTP/1.1\" 200 ");
        says("Nginx", "upstream timed out");
        says("Php", "app.WARNING: ");
        says("Python", "Traceback (most recent call last):");
        says("Envoy", "\" 200 - 0 ");
        says("Fluentbit", "[output:cloudwatch_logs:");
        let json = &spoken["Json"];
        assert!(json.iter().all(|line| { serde_json::from_str::<serde_json::Value>(line).is_ok_and(|value| value["level"].is_string()) }));
    }
}
