//! Servers and plain programs: nginx, Envoy, Fluent Bit, Go with logfmt, and text with a level in front.

use super::{Meaning, Ms, Request, Speaker, iso, when};
use crate::sim::rng::Rng;
use crate::sim::scenario::Voice;

const AGENTS: [&str; 4] = [
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "okhttp/4.12.0",
    "ELB-HealthChecker/2.0",
];

/// Puts a meaning into lines of nginx, Envoy or Fluent Bit.
pub(super) fn say(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    match speaker.container.voice {
        Voice::Nginx => nginx(speaker, rng, at, meaning),
        Voice::Envoy => envoy(speaker, rng, at, meaning),
        _ => fluentbit(speaker, rng, at, meaning),
    }
}

/// Puts a meaning into lines of a program without a framework.
pub(super) fn program(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let voice = speaker.container.voice;
    match meaning {
        Meaning::Request(request) if voice == Voice::Go => vec![format!(
            "time={} level={} msg=request method={} path={} status={} dur={}ms bytes={} id={:x}",
            iso(at),
            if request.status >= 500 { "ERROR" } else { "INFO" },
            request.method,
            request.path,
            request.status,
            request.millis,
            request.bytes,
            request.id
        )],
        Meaning::Request(request) => {
            let text = format!("{} {} {} {} ms from {}", request.method, request.path, request.status, request.millis, request.client);
            vec![speaker.remark(voice, at, if request.status >= 500 { "error" } else { "info" }, &text)]
        }
        Meaning::Work(text) => vec![speaker.remark(voice, at, if rng.chance(250) { "debug" } else { "info" }, text)],
        Meaning::Warning(text) => vec![speaker.remark(voice, at, "warn", text)],
        Meaning::Trouble(trouble, request) => {
            let mut lines = vec![speaker.remark(voice, at, "error", &format!("{} {}: {}", request.method, request.path, trouble.text))];
            if voice == Voice::Go && rng.chance(400) {
                lines.push(format!("goroutine {} [running]:", 100 + rng.below(9000)));
                lines.push(format!("acme.dev/{0}/store.(*Store).Load(0xc000{1:06x}, {{0x1, 0x2}})", speaker.noun, rng.below(0xff_ffff)));
                lines.push(format!("\t/src/store/store.go:{} +0x{:x}", 20 + rng.below(300), rng.below(0xfff)));
                lines.push("net/http.HandlerFunc.ServeHTTP(...)".to_owned());
                lines.push("\t/usr/local/go/src/net/http/server.go:2322".to_owned());
            }
            lines
        }
    }
}

fn agent(rng: &mut Rng, request: &Request) -> &'static str {
    if request.path == "/healthz" { AGENTS[3] } else { AGENTS[usize::try_from(rng.below(3)).unwrap_or_default()] }
}

fn nginx(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let error = |level: &str, text: &str| format!("{} [{level}] 29#29: {text}", when(at, "%Y/%m/%d %H:%M:%S"));
    let access = |rng: &mut Rng, request: &Request| {
        format!(
            "{} - - [{}] \"{} {} HTTP/1.1\" {} {} \"-\" \"{}\" rt={}.{:03}",
            request.client,
            when(at, "%d/%b/%Y:%H:%M:%S +0000"),
            request.method,
            request.path,
            request.status,
            request.bytes,
            agent(rng, request),
            request.millis / 1000,
            request.millis % 1000
        )
    };
    match meaning {
        Meaning::Request(request) => vec![access(rng, request)],
        Meaning::Work(_) => vec![error("notice", "signal 17 (SIGCHLD) received from 31")],
        Meaning::Warning(_) => vec![error(
            "warn",
            &format!(
                "*{} a client request body is buffered to a temporary file /var/cache/nginx/client_temp/{:010}",
                rng.below(90_000),
                rng.below(9_000)
            ),
        )],
        Meaning::Trouble(_, request) => vec![
            error(
                "error",
                &format!(
                    "*{} upstream timed out (110: Connection timed out) while reading response header from upstream, client: {}, \
                     server: _, request: \"{} {} HTTP/1.1\", upstream: \"http://127.0.0.1:8080{}\", host: \"{}.acme.example\"",
                    rng.below(90_000),
                    request.client,
                    request.method,
                    request.path,
                    request.path,
                    speaker.noun
                ),
            ),
            access(rng, request),
        ],
    }
}

pub(super) fn nginx_banner(at: Ms) -> Vec<String> {
    let line = |text: &str| format!("{} [notice] 1#1: {text}", when(at, "%Y/%m/%d %H:%M:%S"));
    vec![
        "/docker-entrypoint.sh: Configuration complete; ready for start up".to_owned(),
        line("using the \"epoll\" event method"),
        line("nginx/1.29.3"),
        line("start worker processes"),
        line("start worker process 29"),
    ]
}

pub(super) fn nginx_farewell(at: Ms) -> Vec<String> {
    let line = |pid: u32, text: &str| format!("{} [notice] {pid}#{pid}: {text}", when(at, "%Y/%m/%d %H:%M:%S"));
    vec![line(1, "signal 3 (SIGQUIT) received, shutting down"), line(29, "gracefully shutting down"), line(1, "exit")]
}

pub(super) fn nginx_level(level: &str) -> &str {
    match level {
        "info" => "notice",
        "fatal" => "emerg",
        other => other,
    }
}

fn envoy(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let access = |rng: &mut Rng, request: &Request, flags: &str| {
        format!(
            "[{}] \"{} {} HTTP/1.1\" {} {flags} 0 {} {} {} \"{}\" \"{}\" \"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}\" \"{}.internal\" \"127.0.0.1:8080\"",
            iso(at),
            request.method,
            request.path,
            request.status,
            request.bytes,
            request.millis,
            request.millis.saturating_sub(1),
            request.client,
            agent(rng, request),
            rng.below(1 << 32),
            rng.below(1 << 16),
            rng.below(1 << 12),
            rng.below(1 << 12),
            rng.below(1 << 48),
            speaker.noun
        )
    };
    let remark = |level: &str, text: &str| format!("[{}][1][{level}][main] {text}", when(at, "%Y-%m-%d %H:%M:%S.%3f"));
    match meaning {
        Meaning::Request(request) => vec![access(rng, request, if request.status >= 500 { "UF" } else { "-" })],
        Meaning::Work(_) => vec![remark("info", "[source/server/drain_manager_impl.cc:207] shutting down parent after drain")],
        Meaning::Warning(_) => {
            vec![remark("warning", "[source/common/config/grpc_stream.h:155] StreamAggregatedResources gRPC config stream closed: 13")]
        }
        Meaning::Trouble(_, request) => vec![access(rng, request, "UT")],
    }
}

pub(super) fn envoy_banner(at: Ms) -> Vec<String> {
    let line = |text: &str| format!("[{}][1][info][main] {text}", when(at, "%Y-%m-%d %H:%M:%S.%3f"));
    vec![
        line("[source/server/server.cc:430] initializing epoch 0 (base id=0, hot restart version=11.120)"),
        line("[source/server/server.cc:859] runtime: {}"),
        line("[source/server/server.cc:978] all clusters initialized. initializing init manager"),
        line("[source/server/server.cc:1036] starting main dispatch loop"),
    ]
}

pub(super) fn envoy_level(level: &str) -> &str {
    match level {
        "warn" => "warning",
        "fatal" => "critical",
        other => other,
    }
}

fn fluentbit(speaker: &Speaker<'_>, rng: &mut Rng, at: Ms, meaning: &Meaning) -> Vec<String> {
    let line = |level: &str, text: &str| vec![format!("[{}] [{level:>5}] {text}", when(at, "%Y/%m/%d %H:%M:%S"))];
    match meaning {
        Meaning::Trouble(..) => {
            line("error", "[output:cloudwatch_logs:cloudwatch_logs.0] PutLogEvents API responded with error='ThrottlingException'")
        }
        Meaning::Warning(_) => {
            line("warn", &format!("[engine] failed to flush chunk '1-{}.flb', retry in 9 seconds: task_id={}", at, rng.below(64)))
        }
        Meaning::Request(_) | Meaning::Work(_) => {
            line("info", &format!("[output:cloudwatch_logs:cloudwatch_logs.0] Sent {} events to {}", 1 + rng.below(400), speaker.noun))
        }
    }
}

pub(super) fn fluentbit_banner(at: Ms) -> Vec<String> {
    let line = |text: &str| format!("[{}] [ info] {text}", when(at, "%Y/%m/%d %H:%M:%S"));
    vec![
        "Fluent Bit v4.1.1".to_owned(),
        line("[fluent bit] version=4.1.1, commit=, pid=1"),
        line("[storage] ver=1.5.3, type=memory, sync=normal, checksum=off, max_chunks_up=128"),
        line("[input:forward:forward.0] listening on unix:///var/run/fluent.sock"),
        line("[sp] stream processor started"),
    ]
}
