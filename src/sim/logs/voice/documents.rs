//! Programs that write one JSON object per line: structured services, and Node.js with pino.

use super::{Meaning, Ms, Request, Speaker, iso};
use crate::sim::rng::Rng;
use crate::sim::scenario::Voice;
use serde_json::{Value, json};

/// Puts a meaning into lines.
pub(super) fn say(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    if speaker.container.voice == Voice::Node {
        return pino(speaker, rng, at, meaning);
    }
    let mut line = match meaning {
        Meaning::Request(request) => {
            let level = if request.status >= 500 { "error" } else { "info" };
            with_request(frame(speaker, at, level, "request completed"), request)
        }
        Meaning::Work(text) => frame(speaker, at, if rng.chance(300) { "debug" } else { "info" }, text),
        Meaning::Warning(text) => frame(speaker, at, "warn", text),
        Meaning::Trouble(trouble, request) => {
            let mut line = with_request(frame(speaker, at, "error", "request failed"), request);
            line["error"] = json!({"message": trouble.text, "stack": format!("{}\n    at handler ({}.go:{})", trouble.text, speaker.noun, 40 + rng.below(300))});
            line
        }
    };
    line["trace_id"] = json!(format!("{:016x}{:016x}", rng.next(), rng.next()));
    vec![line.to_string()]
}

pub(super) fn json_remark(speaker: &Speaker<'_>, at: Ms, level: &str, text: &str) -> String {
    frame(speaker, at, level, text).to_string()
}

fn frame(speaker: &Speaker<'_>, at: Ms, level: &str, text: &str) -> Value {
    json!({"ts": iso(at), "level": level, "service": speaker.noun, "msg": text})
}

fn with_request(mut line: Value, request: &Request) -> Value {
    line["http"] = json!({"method": request.method, "path": request.path, "status": request.status, "client": request.client});
    line["duration_ms"] = json!(request.millis);
    line["request_id"] = json!(format!("{:016x}", request.id));
    line
}

fn pino(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let call = |request: &Request, level: u8, text: &str| {
        json!({
            "level": level, "time": at, "pid": 1, "hostname": speaker.host,
            "reqId": format!("req-{:x}", request.id % 0xff_ffff),
            "req": {"method": request.method, "url": request.path, "remoteAddress": request.client},
            "res": {"statusCode": request.status}, "responseTime": request.millis, "msg": text,
        })
        .to_string()
    };
    match meaning {
        Meaning::Request(request) => vec![call(request, if request.status >= 500 { 50 } else { 30 }, "request completed")],
        Meaning::Work(text) => vec![pino_remark(speaker, at, "info", text)],
        Meaning::Warning(text) => vec![pino_remark(speaker, at, "warn", text)],
        Meaning::Trouble(trouble, request) => {
            // What is not caught goes to stderr as it is, line by line.
            let line = 20 + rng.below(300);
            vec![
                call(request, 50, "request errored"),
                format!("Error: {}", trouble.text),
                format!("    at {}Repository.find (/app/dist/{}/repository.js:{line}:17)", speaker.noun, speaker.noun),
                "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)".to_owned(),
                format!("    at async handler (/app/dist/routes/{}.js:{}:20)", speaker.noun, line / 3),
            ]
        }
    }
}

pub(super) fn pino_remark(speaker: &Speaker<'_>, at: Ms, level: &str, text: &str) -> String {
    let number = match level {
        "debug" => 20,
        "warn" => 40,
        "error" => 50,
        "fatal" => 60,
        _ => 30,
    };
    json!({"level": number, "time": at, "pid": 1, "hostname": speaker.host, "msg": text}).to_string()
}
