//! Texts of AWS, as `tests/causes/*.toml` holds them, against the causes that `midwatch explain` gives.
//!
//! The formats are AWS's, docker's and containerd's, each with the place where it was seen; the names in them are invented. To teach the
//! program a text, add it there first. `MIDWATCH_CAUSES` names another folder, to hold the rules against texts that they have not seen.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use midwatch::cli::{Explain, Texts};
use midwatch::explain;
use midwatch::verdict::cause::{Cause, of_event};
use serde::Deserialize;
use serde_json::Value;
use std::collections::HashSet;
use std::path::Path;
use std::process::Command;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    text: Vec<Case>,
}

/// A text with what it means.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// Where it stands: reason, `container_reason`, event or target.
    field: String,
    text: String,
    container_reason: Option<String>,
    exit_code: Option<i64>,
    stop_code: Option<String>,
    cause: String,
    /// What the sentence must repeat.
    #[serde(default)]
    repeats: Vec<String>,
    /// What the next check must name.
    #[serde(default)]
    next: Vec<String>,
    /// Where the format was seen.
    seen: String,
}

impl Case {
    fn texts(&self) -> Texts {
        let of = |field: &str| (self.field == field).then(|| self.text.clone());
        Texts {
            reason: of("reason"),
            container_reason: of("container_reason").or_else(|| self.container_reason.clone()),
            event: of("event"),
            target: of("target"),
            exit_code: self.exit_code,
            stop_code: self.stop_code.clone(),
        }
    }

    fn explained(&self) -> Value {
        let told = explain::answer(&Explain { texts: self.texts(), files: Vec::new(), json: true, ..Explain::default() }).unwrap();
        serde_json::from_str(&told).unwrap()
    }
}

fn cases() -> Vec<Case> {
    let folder = std::env::var("MIDWATCH_CAUSES").map_or_else(|_| Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/causes"), Into::into);
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    let read = |path: &std::path::PathBuf| -> Vec<Case> {
        let table: Table = toml::from_str(&std::fs::read_to_string(path).unwrap()).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        table.text
    };
    files.iter().flat_map(read).collect()
}

#[test]
fn every_text_of_the_table_gets_its_cause_and_repeats_what_matters() {
    let cases = cases();
    let mut wrong = Vec::new();
    for case in &cases {
        let told = case.explained();
        let (cause, says) = (told["cause"].as_str().unwrap(), told["says"].as_str().unwrap());
        let missing: Vec<&String> = case.repeats.iter().filter(|word| !says.contains(word.as_str())).collect();
        let next = told["next_check"].as_str().unwrap();
        let missing: Vec<&String> = missing.into_iter().chain(case.next.iter().filter(|word| !next.contains(word.as_str()))).collect();
        if cause != case.cause || !missing.is_empty() {
            wrong.push(format!(
                "{} is {cause}, should be {}; missing {missing:?}\n  {}\n  {says}\n  {next}",
                case.field, case.cause, case.text
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {} are wrong:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

/// What a service, an image, a secret or a volume may well be called.
const TRAPS: &[&str] = &[
    "throttled-worker",
    "throttled",
    "oom-killer",
    "out-of-memory",
    "no-space-left",
    "not-found",
    "access-denied",
    "unauthorized",
    "timeout-svc",
    "i-o-timeout",
    "unhealthy",
    "health-check",
    "quota-limit",
    "limit-exceeded",
    "rate-exceeded",
    "toomanyrequests",
    "spot-interrupted",
    "rolling-back",
    "circuit-breaker",
    "az-rebalance",
    "steady-state",
    "scale-in-protected",
    "draining",
    "terminated",
    "stopped",
    "port-in-use",
    "exec-format-error",
    "execute-command",
    "assume-role",
    "service-connect",
    "appnet",
    "envoy",
    "eni",
    "network-interface",
    "x509",
    "log-group",
    "awslogs",
    "firelens",
    "s3-env",
    "efs-mount",
    "nfs4",
    "ebs",
    "volume",
    "image-pull",
    "docker-login",
    "registry-auth",
    "secret-manager",
    "ssm-parameter",
    "kms-decrypt",
    "lifecycle-hook",
    "container-instance",
    "agent-disconnected",
    "capacity-unavailable",
    "memory",
    "cpu",
    "gpu",
    "signal",
    "essential",
];

#[test]
fn what_people_call_their_things_never_changes_a_cause() {
    let named: Vec<Case> = cases().into_iter().filter(|case| case.text.contains("ledger")).collect();
    assert!(named.len() >= 50, "{} texts with a name to put another in its place", named.len());
    let mut wrong = Vec::new();
    // Every name in some of the texts, and every text with some of the names: all with all takes too long without optimization.
    for (n, case) in named.iter().enumerate() {
        let cause = of_event(&case.text);
        for trap in TRAPS.iter().skip(n % 4).step_by(4) {
            let text = case.text.replace("ledger", trap);
            let led = of_event(&text);
            if led != cause {
                wrong.push(format!("{} instead of {}: {text}", led.word(), cause.word()));
            }
        }
    }
    assert!(wrong.is_empty(), "{} names decide:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_table_is_broad_and_every_text_says_where_it_was_seen() {
    let cases = cases();
    assert!(cases.len() >= 800, "{} texts", cases.len());
    let texts: HashSet<String> = cases.iter().map(|c| format!("{:?}", c.texts())).collect();
    assert_eq!(texts.len(), cases.len(), "a text stands twice");
    for case in &cases {
        assert!(["reason", "container_reason", "event", "target"].contains(&&*case.field), "{}", case.field);
        assert!(!case.seen.is_empty(), "{}", case.text);
    }
    let named: HashSet<&str> = cases.iter().map(|c| c.cause.as_str()).collect();
    let untested: Vec<&str> = Cause::all().map(Cause::word).filter(|word| !named.contains(word)).collect();
    // ECS says "Scaling activity" of both kinds of meant stops, so this word comes only from what knows the deployment.
    assert_eq!(untested, ["normal_deployment_replace"]);
    let unknown: Vec<&&str> = named.iter().filter(|word| Cause::of_word(word).is_none()).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn every_explanation_has_evidence_and_a_failure_has_a_next_check() {
    for case in cases() {
        let told = case.explained();
        let evidence = told["evidence"].as_array().unwrap();
        assert!(!evidence.is_empty(), "{}", case.text);
        let text: String = case.text.split_whitespace().collect();
        assert!(evidence.iter().any(|line| line.as_str().unwrap().split_whitespace().collect::<String>().contains(&text)), "{}", case.text);
        let normal = Cause::of_word(told["cause"].as_str().unwrap()).unwrap().normal();
        assert!(normal || !told["next_check"].as_str().unwrap().is_empty(), "{}", case.text);
        assert!(["low", "medium", "high"].contains(&told["confidence"].as_str().unwrap()));
    }
}

fn run(arguments: &[&str]) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_midwatch")).arg("explain").args(arguments).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (done.status.code().unwrap(), text(done.stdout), text(done.stderr))
}

#[test]
fn the_command_explains_in_words_and_in_json_and_always_the_same() {
    let (code, words, errors) = run(&["--reason", "Essential container in task exited", "--exit-code", "137"]);
    assert_eq!((code, errors.as_str()), (0, ""));
    assert_eq!(
        words,
        "the container exited with code 137: SIGKILL, without a word of memory: killed after the stop timeout, or by a signal\n\
         cause: signal_kill_timeout (medium confidence)\n\
         next: check stopTimeout, whether the program ends on SIGTERM, and the memory metric around that time\n\
         evidence:\n\
         \x20 stoppedReason: Essential container in task exited\n\
         \x20 container: exit 137 (SIGKILL)\n"
    );
    let arguments = [
        "--reason",
        "Essential container in task exited",
        "--container-reason",
        "OutOfMemoryError: Container killed due to memory usage",
        "--exit-code",
        "137",
        "--json",
    ];
    let (code, json, _) = run(&arguments);
    let told: Value = serde_json::from_str(&json).unwrap();
    assert_eq!((code, told["cause"].as_str()), (0, Some("out_of_memory")));
    let keys: Vec<&String> = told.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["cause", "says", "evidence", "next_check", "confidence"]);
    assert_eq!(run(&arguments).1, json);
}

#[test]
fn the_command_takes_a_code_alone_and_what_another_shell_would_call_an_option() {
    for (arguments, cause) in [
        (&["--exit-code", "139"][..], "segfault"),
        (&["--exit-code", "143", "--stop-code", "UserInitiated"], "user_stopped"),
        (&["--exit-code", "0xC0000005"], "segfault"),
        (&["--exit-code", "-1073741819"], "segfault"),
        (&["--stop-code", "spotinterruption"], "spot_interruption"),
        (&["--event", "-- (service a) has reached a steady state."], "steady_state"),
        (&["--event", "(service a) has reached a steady state.", "--target", "Target.Timeout"], "elb_health_check"),
        (&["--reason", ""], "other"),
        (&["--reason", "\"Task failed ELB health checks in (elb shop)\""], "elb_health_check"),
        (&["--reason", "'Your Spot Task was interrupted.'"], "spot_interruption"),
        (&["--reason", "\"stoppedReason\": \"Your Spot Task was interrupted.\","], "spot_interruption"),
        (&["--event", "\u{1b}[31m(service a) has reached a steady state.\u{1b}[0m\r\n"], "steady_state"),
        (&["--exit-code", "3221225786"], "signal_kill_timeout"),
    ] {
        let (code, json, errors) = run(&[arguments, &["--json"]].concat());
        let told: Value = serde_json::from_str(&json).unwrap_or_else(|_| panic!("{arguments:?}: {errors}"));
        assert_eq!((code, told["cause"].as_str().unwrap()), (0, cause), "{arguments:?}");
    }
}

#[test]
fn bad_usage_is_one_line_and_code_2() {
    for arguments in [
        &["--exit-code", "many"][..],
        &["--exit-code", "99999999999"],
        &["--exit-code", "99999"],
        &["--reasons", "x"],
        &["--reason"],
        &["a.json", "--reason", "x"],
    ] {
        let (code, told, errors) = run(arguments);
        assert_eq!((code, told.as_str(), errors.lines().count()), (2, "", 1), "{arguments:?}: {errors}");
        assert!(errors.starts_with("midwatch: "), "{errors}");
    }
}

#[test]
fn what_a_terminal_would_obey_is_printed_as_text() {
    let (_, words, _) = run(&["--reason", "stopped \u{1b}]52;c;ZXZpbA==\u{7} \u{1b}[31m\u{202e}gnp.exe"]);
    assert!(!words.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{words:?}");
}
