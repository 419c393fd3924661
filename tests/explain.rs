//! `midwatch explain FILE`: documents of the AWS CLI, judged without an account, held to what the screen would say.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use midwatch::explain::documents::Documents;
use midwatch::explain::report::Report;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::io::Write as _;
use std::process::{Command, Stdio};

const SERVICE: &str = "arn:aws:ecs:eu-west-1:111122223333:service/north/tide";
const CLUSTER: &str = "arn:aws:ecs:eu-west-1:111122223333:cluster/north";
const GROUP: &str = "arn:aws:elasticloadbalancing:eu-west-1:111122223333:targetgroup/tide/0123456789abcdef";

fn judged(documents: &[Value]) -> Report {
    let mut read = Documents::default();
    for document in documents {
        read.read("a test", &document.to_string()).unwrap();
    }
    read.judge(None)
}

/// The JSON object that a script gets.
fn told(documents: &[Value]) -> Value {
    judged(documents).json()
}

fn definition(revision: u32) -> String {
    format!("arn:aws:ecs:eu-west-1:111122223333:task-definition/tide:{revision}")
}

/// A service that wants three tasks and has them, deployed at nine.
fn service() -> Value {
    json!({
        "serviceArn": SERVICE, "serviceName": "tide", "clusterArn": CLUSTER, "status": "ACTIVE",
        "desiredCount": 3, "runningCount": 3, "pendingCount": 0, "taskDefinition": definition(9),
        "loadBalancers": [{ "targetGroupArn": GROUP, "containerName": "web", "containerPort": 8080 }],
        "deployments": [{
            "id": "ecs-svc/9", "status": "PRIMARY", "taskDefinition": definition(9), "desiredCount": 3, "runningCount": 3,
            "pendingCount": 0, "failedTasks": 0, "rolloutState": "COMPLETED",
            "createdAt": "2026-11-20T09:00:00+00:00", "updatedAt": "2026-11-20T09:05:00+00:00"
        }],
        "events": [{ "id": "1", "createdAt": "2026-11-20T09:05:00+00:00", "message": "(service tide) has reached a steady state." }]
    })
}

fn with(mut of: Value, fields: Value) -> Value {
    let Value::Object(fields) = fields else { panic!("fields are an object") };
    for (name, value) in fields {
        of[&name] = value;
    }
    of
}

fn event(at: &str, message: &str) -> Value {
    json!([{ "id": at, "createdAt": at, "message": format!("(service tide) {message}") }])
}

fn task(id: &str, fields: Value) -> Value {
    let own = json!({
        "taskArn": format!("arn:aws:ecs:eu-west-1:111122223333:task/north/{id}"), "clusterArn": CLUSTER, "group": "service:tide",
        "startedBy": "ecs-svc/9", "taskDefinitionArn": definition(9), "lastStatus": "STOPPED", "desiredStatus": "STOPPED",
        "createdAt": "2026-11-20T09:10:00+00:00", "stoppedAt": "2026-11-20T09:10:30+00:00",
        "containers": [{ "name": "web", "lastStatus": "STOPPED" }]
    });
    with(own, fields)
}

fn services(of: Value) -> Value {
    json!({ "services": Value::Array(vec![of]), "failures": [] })
}

#[test]
fn a_failed_migration_saved_from_three_commands_is_told_as_on_screen() {
    let text = std::fs::read_to_string("tests/explain/migration.json").unwrap();
    let mut documents = Documents::default();
    documents.read("migration.json", &text).unwrap();
    let report = documents.judge(None);
    let told = report.json();
    assert_eq!((&told["verdict"], &told["cause"], &told["confidence"]), (&json!("Failing"), &json!("app_exit"), &json!("high")));
    let says = told["says"].as_str().unwrap();
    assert!(says.starts_with("tasks die at start ×2: container app exits 1; web and probe only followed · shelf:42 0/2 up"), "{says}");
    assert!(says.ends_with("3 of 5 failures"), "the breaker's count is AWS's: {says}");
    assert_eq!(told["verdicts"][0]["service"], json!("shelf"));
    assert_eq!(told["verdicts"][0]["cluster"], json!("bookshop"));
    assert_eq!(told["verdicts"][0]["began"], json!("with or after the newest deployment"));
    assert_eq!(told["read"], json!("read 3 documents: 1 service, 2 tasks, 1 service deployment"));
    assert!(
        told["evidence"].as_array().unwrap().iter().any(|line| line.as_str().unwrap().contains("app exit 1 · web exit 0 · probe exit 137"))
    );
    let text = report.text();
    assert!(text.starts_with("✖ Failing service bookshop/shelf: tasks die at start ×2"), "{text}");
    for line in ["  cause      app_exit (high confidence)", "  next       check ", "  evidence   2026-11-20T09:03:10Z exit 1 ×2 · shelf:42"]
    {
        assert!(text.contains(line), "{line} in {text}");
    }
}

#[test]
fn a_service_that_is_well_is_steady_and_one_that_wants_nothing_is_idle() {
    let steady = told(&[services(service())]);
    assert_eq!(
        (&steady["verdict"], &steady["cause"], &steady["says"]),
        (&json!("Steady"), &json!("steady_state"), &json!("steady on tide:9"))
    );
    let idle = told(&[services(with(service(), json!({ "desiredCount": 0, "runningCount": 0 })))]);
    assert_eq!((&idle["verdict"], &idle["cause"]), (&json!("Idle"), &json!("steady_state")));
}

#[test]
fn a_service_of_which_nothing_is_told_is_unknown_and_never_well() {
    let bare = told(&[services(json!({ "serviceName": "tide" }))]);
    assert_eq!((&bare["verdict"], &bare["cause"], &bare["confidence"]), (&json!("Unknown"), &json!("other"), &json!("low")));
}

#[test]
fn a_placement_failure_is_counted_from_instances_and_task_definition() {
    let message = "was unable to place a task because no container instance met all of its requirements. The closest matching \
        (container-instance 00112233445566778899aabbccddeeff) has insufficient memory available.";
    let short = with(service(), json!({ "runningCount": 2, "events": event("2026-11-20T10:00:00+00:00", message) }));
    let alone = told(&[services(short.clone())]);
    assert_eq!((&alone["verdict"], &alone["cause"]), (&json!("Stuck"), &json!("placement_memory")));
    let instance = json!({ "containerInstances": [{
        "containerInstanceArn": "arn:aws:ecs:eu-west-1:111122223333:container-instance/north/00112233445566778899aabbccddeeff",
        "ec2InstanceId": "i-0123456789abcdef0", "status": "ACTIVE", "agentConnected": true,
        "registeredResources": [{ "name": "MEMORY", "type": "INTEGER", "integerValue": 1900 }],
        "remainingResources": [{ "name": "CPU", "type": "INTEGER", "integerValue": 1024 }, { "name": "MEMORY", "type": "INTEGER", "integerValue": 300 }]
    }]});
    let revision = json!({ "taskDefinition": { "taskDefinitionArn": definition(9), "family": "tide", "revision": 9, "networkMode": "bridge",
        "containerDefinitions": [{ "name": "web", "memory": 512, "essential": true }] } });
    let counted = told(&[instance, revision, services(short)]);
    let says = counted["says"].as_str().unwrap();
    assert!(says.contains("needs 512 MiB of memory: i-0123456789abcdef0 has 300 left, 212 short"), "{says}");
}

#[test]
fn target_health_is_joined_by_the_address_of_a_task_and_by_being_the_only_group() {
    let health = json!({ "TargetHealthDescriptions": [
        { "Target": { "Id": "10.1.2.3", "Port": 8080 }, "TargetHealth": { "State": "unhealthy", "Reason": "Target.ResponseCodeMismatch",
            "Description": "Health checks failed with these codes: [502]" } },
        { "Target": { "Id": "10.1.2.4", "Port": 8080 }, "TargetHealth": { "State": "healthy" } }
    ]});
    let only = told(&[services(service()), health.clone()]);
    assert_eq!((&only["cause"], &only["verdicts"][0]["health"]), (&json!("elb_health_check"), &json!("WARN")));
    assert!(only["says"].as_str().unwrap().starts_with("1/2 targets unhealthy · Target.ResponseCodeMismatch"), "{}", only["says"]);

    let other = with(
        service(),
        json!({
            "serviceArn": "arn:aws:ecs:eu-west-1:111122223333:service/north/ebb", "serviceName": "ebb",
            "loadBalancers": [{ "targetGroupArn": GROUP.replace("tide", "ebb"), "containerName": "web", "containerPort": 8080 }]
        }),
    );
    let running = task(
        "a",
        json!({ "lastStatus": "RUNNING", "group": "service:ebb", "stoppedAt": null,
        "attachments": [{ "type": "ElasticNetworkInterface", "details": [{ "name": "privateIPv4Address", "value": "10.1.2.3" }] }] }),
    );
    let both = told(&[json!({ "services": [service(), other] }), json!({ "tasks": [running] }), health.clone()]);
    let names: Vec<&Value> = both["verdicts"].as_array().unwrap().iter().map(|v| &v["service"]).collect();
    assert_eq!(names, [&json!("ebb"), &json!("tide")], "the troubled one comes first");

    let alone = told(&[health]);
    assert_eq!((&alone["cause"], &alone["verdicts"][0]["target"]), (&json!("elb_health_check"), &json!("10.1.2.3:8080")));
}

#[test]
fn tasks_without_their_service_are_judged_and_those_that_died_alike_are_counted() {
    let pull = json!({ "stopCode": "TaskFailedToStart", "stoppedReason": "CannotPullContainerError: pull image manifest has been retried 5 \
        time(s): failed to resolve ref docker.io/library/tide:v3: docker.io/library/tide:v3: not found" });
    let told = told(&[json!({ "tasks": [task("a", pull.clone()), task("b", pull)] })]);
    assert_eq!(
        (&told["cause"], &told["verdicts"][0]["count"], &told["verdicts"][0]["service"]),
        (&json!("image_not_found"), &json!(2), &json!("tide"))
    );
}

#[test]
fn a_scale_in_and_a_stop_by_hand_are_no_failures() {
    let scaled = json!({ "stopCode": "ServiceSchedulerInitiated", "stoppedReason": "Scaling activity initiated by (deployment ecs-svc/9)",
        "containers": [{ "name": "web", "exitCode": 137 }] });
    let told = told(&[json!({ "tasks": [task("a", scaled)] })]);
    assert_eq!((&told["verdict"], &told["cause"]), (&json!("Idle"), &json!("normal_scale_in")));
}

#[test]
fn a_task_that_eventbridge_delivered_and_a_bare_row_are_understood() {
    let stop = json!({ "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "containers": [{ "name": "web", "exitCode": 139 }] });
    let delivered = json!({ "detail-type": "ECS Task State Change", "source": "aws.ecs", "time": "2026-11-20T09:10:31Z", "detail": task("a", stop.clone()) });
    for document in [delivered, task("a", stop.clone()), json!([task("a", stop)])] {
        assert_eq!(told(&[document])["cause"], json!("segfault"));
    }
}

#[test]
fn events_alone_are_judged_and_a_steady_one_is_no_trouble() {
    let bad =
        told(&[json!({ "events": event("2026-11-20T10:00:00+00:00", "operations are being throttled on elb. Will try again later.") })]);
    assert_eq!((&bad["cause"], &bad["verdicts"][0]["event"]), (&json!("throttled"), &json!("tide")));
    let good = told(&[json!({ "events": event("2026-11-20T10:00:00+00:00", "has reached a steady state.") })]);
    assert_eq!((&good["verdict"], &good["cause"]), (&json!("Steady"), &json!("steady_state")));
}

#[test]
fn an_incident_of_long_ago_is_judged_as_of_its_own_time() {
    let unhealthy = "(port 8080) is unhealthy in (target-group tide) due to (reason Health checks failed with these codes: [500]).";
    let old = with(
        service(),
        json!({ "events": event("2019-03-01T10:00:00+00:00", unhealthy),
        "deployments": [{ "id": "ecs-svc/9", "status": "PRIMARY", "desiredCount": 3, "runningCount": 3, "taskDefinition": definition(9),
            "createdAt": "2019-02-01T10:00:00+00:00" }] }),
    );
    let told = told(&[services(old)]);
    assert_eq!((&told["cause"], &told["now"]), (&json!("elb_health_check"), &json!("2019-03-01T10:00:00Z")));
}

#[test]
fn words_of_tomorrow_and_missing_fields_survive() {
    let strange = with(
        service(),
        json!({
            "status": "ACTIVE", "schedulingStrategy": "SWARM", "deploymentController": { "type": "ORACLE" }, "launchType": "MOON",
            "deployments": [{ "status": "PRIMARY", "rolloutState": "PONDERING" }], "events": [{}], "loadBalancers": [{}], "quantum": [1, { "a": null }]
        }),
    );
    let tasks =
        json!({ "tasks": [task("a", json!({ "lastStatus": "HIBERNATING", "stopCode": "MoonPhase", "containers": [{}] })), {}, "no task"] });
    let told = told(&[services(strange), tasks]);
    assert!(told["verdict"].is_string() && told["cause"].is_string(), "{told}");
}

#[test]
fn what_is_of_no_known_kind_is_said_to_have_been_read() {
    let report = judged(&[json!({ "Buckets": [] })]);
    assert!(report.is_empty());
    assert!(report.text().starts_with("read 1 document, 1 of a kind not known here: nothing that can be judged"), "{}", report.text());
    assert_eq!((&report.json()["verdicts"], &report.json()["evidence"]), (&json!([]), &json!([])));
}

/// Runs the program with these arguments and this input.
fn run(arguments: &[&str], input: &str) -> (String, String, i32) {
    let mut program = Command::new(env!("CARGO_BIN_EXE_midwatch"));
    program.arg("explain").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = program.spawn().unwrap();
    // A program that needs no input may be gone before it is written.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    let done = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (text(done.stdout), text(done.stderr), done.status.code().unwrap())
}

#[test]
fn the_program_reads_files_and_standard_input_and_prints_text_or_json() {
    let (text, complaint, code) = run(&["tests/explain/migration.json"], "");
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert!(text.contains("Failing service bookshop/shelf") && text.contains("judged as of 2026-11-20 09:04:00 UTC"), "{text}");
    let (json, _, code) = run(&["--json"], &services(service()).to_string());
    assert_eq!(code, 0);
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["verdict"], json!("Steady"));
    let (json, _, _) = run(&["--json", "-", "--now", "2026-11-20T09:30:00Z"], &services(service()).to_string());
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["now"], json!("2026-11-20T09:30:00Z"));
}

#[test]
fn bad_json_is_one_line_with_file_line_and_column() {
    let (text, complaint, code) = run(&["-"], "{\n  \"services\": [\n    {oops}\n  ]\n}");
    assert_eq!((code, text.as_str()), (2, ""));
    assert!(complaint.starts_with("midwatch: standard input:3:6: no JSON: "), "{complaint}");
    assert_eq!(complaint.trim_end().lines().count(), 1, "{complaint}");
    let (_, complaint, code) = run(&["/nowhere/at/all.json"], "");
    assert_eq!(code, 2);
    assert!(complaint.starts_with("midwatch: cannot read /nowhere/at/all.json: "), "{complaint}");
    let (_, complaint, code) = run(&[], "  \n");
    assert_eq!((code, complaint.trim_end()), (2, "midwatch: nothing to explain: the input is empty"));
}

#[test]
fn what_aws_does_not_have_is_said_in_words() {
    let missing = |resource: &str| json!({ "arn": format!("arn:aws:ecs:eu-west-1:111122223333:{resource}"), "reason": "MISSING" });
    let told = told(&[json!({ "services": [], "failures": [missing("service/north/tide")] })]);
    assert_eq!((&told["verdict"], &told["cause"], &told["confidence"]), (&json!("Unknown"), &json!("other"), &json!("high")));
    assert_eq!((&told["says"], &told["verdicts"][0]["service"]), (&json!("ECS has no such service: MISSING"), &json!("tide")));
    let report = judged(&[services(service()), json!({ "tasks": [], "failures": [missing("task/north/a1")] })]);
    let text = report.text();
    assert!(text.contains("Unknown task north/a1: ECS has no such task: MISSING"), "{text}");
    assert!(text.contains("forgets a stopped task") && text.contains("1 failure"), "{text}");
    let short = json!({ "tasks": [], "failures": [{ "arn": "arn:aws:ecs:eu-west-1:111122223333:container-instance/north/b2", "reason": "RESOURCE:MEMORY" }] });
    let told = self::told(&[short]);
    assert_eq!((&told["cause"], &told["verdicts"][0]["instance"]), (&json!("placement_memory"), &json!("b2")));
}

#[test]
fn tasks_alone_are_told_as_tasks_and_that_their_service_was_not_given() {
    let stop = json!({ "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "containers": [{ "name": "web", "exitCode": 1 }] });
    let report = judged(&[json!({ "tasks": [task("a", stop.clone()), task("b", stop.clone())] })]);
    let (text, told) = (report.text(), report.json());
    assert!(text.starts_with("✖ Failing task north/a of service tide ×2: container web exited with code 1"), "{text}");
    assert!(text.ends_with("these tasks alone were judged, not their service: give the reply of describe-services too"), "{text}");
    assert_eq!((&told["verdicts"][0]["task"], &told["verdicts"][0]["service"]), (&json!("a"), &json!("tide")));
    assert!(told["note"].as_str().unwrap().starts_with("these tasks alone"), "{told}");
    let whole = self::told(&[services(service()), json!({ "tasks": [task("a", stop)] })]);
    assert_eq!(whole["note"], Value::Null);
}

#[test]
fn documents_without_a_time_are_judged_now_and_never_in_1970() {
    let timeless = json!({ "tasks": [{ "taskArn": "arn:aws:ecs:eu-west-1:111122223333:task/north/a", "lastStatus": "STOPPED", "stoppedAt": 0,
        "stoppedReason": "Your Spot Task was interrupted." }] });
    let report = judged(&[timeless]);
    let text = report.text();
    assert!(text.contains("(now: the documents tell no time)") && !text.contains("1970"), "{text}");
    assert!(!report.json().to_string().contains("1970"), "{}", report.json());
    assert!(!judged(&[json!({})]).json().to_string().contains("1970"));
    let (text, _, _) = run(&["-", "--now", "2026-11-20T09:30:00Z"], "{\"taskArn\":\"x\",\"lastStatus\":\"STOPPED\"}");
    assert!(text.contains("judged as of 2026-11-20 09:30:00 UTC") && !text.contains("(now:"), "{text}");
}

#[test]
fn marks_colours_and_powershell_s_encoding_are_no_hindrance() {
    let plain = services(service()).to_string();
    let coloured = plain.replace('"', "\u{1b}[32m\"\u{1b}[0m").replace('{', "\u{1b}[1;39m{\u{1b}[0m");
    for text in [format!("\u{feff}{plain}"), plain.replace(',', ",\r\n"), coloured, format!("[{plain}]")] {
        let mut documents = Documents::default();
        documents.read("a test", &text).unwrap();
        assert_eq!(documents.judge(None).json()["verdict"], json!("Steady"), "{text}");
    }
    let file = tempfile();
    let units = std::iter::once(0xFEFF).chain(plain.encode_utf16());
    std::fs::write(&file, units.flat_map(u16::to_le_bytes).collect::<Vec<u8>>()).unwrap();
    let (json, complaint, code) = run(&["--json", file.to_str().unwrap()], "");
    std::fs::remove_file(&file).unwrap();
    assert_eq!((code, complaint.as_str()), (0, ""));
    assert_eq!(serde_json::from_str::<Value>(&json).unwrap()["verdict"], json!("Steady"));
}

fn tempfile() -> std::path::PathBuf {
    std::env::temp_dir().join(format!("midwatch-explain-{}.json", std::process::id()))
}

#[test]
fn other_formats_of_the_cli_are_named_with_the_option_that_helps() {
    for (input, says) in [
        ("services:\n- serviceName: tide\n", "it looks like YAML: ask the AWS CLI for --output json"),
        ("- serviceName: tide\n", "it looks like YAML"),
        ("----------\n|  DescribeServices  |\n", "it looks like a table"),
        ("TASKS\tarn:aws:ecs:eu-west-1:1:task/a\n", "it looks like the text output"),
        ("CannotPullContainerError: no basic auth credentials\n", "a single text goes with --reason"),
    ] {
        let (_, complaint, code) = run(&[], input);
        assert_eq!((code, complaint.trim_end().lines().count()), (2, 1), "{complaint}");
        assert!(complaint.contains(says), "{complaint}");
    }
    let (text, _, code) = run(&[], "{\"taskArns\": [\"arn:aws:ecs:eu-west-1:1:task/north/a\", \"arn:aws:ecs:eu-west-1:1:task/north/b\"]}");
    assert_eq!(
        (code, text.trim_end()),
        (0, "read 1 document: names of 2 tasks; these are names alone: pass them to aws ecs describe-tasks --tasks")
    );
}

#[test]
fn sentences_that_a_query_took_out_of_their_rows_are_judged() {
    let events = told(&[json!(["(service tide) has reached a steady state.", "(service tide) operations are being throttled on elb."])]);
    assert_eq!((&events["cause"], &events["verdicts"].as_array().unwrap().len()), (&json!("throttled"), &2));
    let reason = told(&[json!("CannotPullContainerError: no basic auth credentials")]);
    assert_eq!(reason["cause"], json!("image_pull_denied"));
    assert!(judged(&[json!(["arn:aws:ecs:eu-west-1:1:task/north/a"])]).is_empty());
}

/// Any JSON with the names that AWS uses, in any place.
fn anything() -> impl Strategy<Value = Value> {
    const NAMES: &[&str] = &[
        "services",
        "tasks",
        "serviceDeployments",
        "TargetHealthDescriptions",
        "containerInstances",
        "taskDefinition",
        "events",
        "detail",
        "deployments",
        "taskSets",
        "containers",
        "serviceArn",
        "serviceName",
        "clusterArn",
        "taskArn",
        "group",
        "status",
        "lastStatus",
        "stoppedReason",
        "stopCode",
        "exitCode",
        "desiredCount",
        "runningCount",
        "createdAt",
        "stoppedAt",
        "startedAt",
        "message",
        "rolloutState",
        "failedTasks",
        "TargetHealth",
        "Target",
        "State",
        "Id",
        "Port",
        "loadBalancers",
        "targetGroupArn",
        "containerDefinitions",
        "id",
        "name",
        "reason",
        "taskDefinitionArn",
    ];
    const TEXTS: &[&str] = &[
        "ACTIVE",
        "PRIMARY",
        "STOPPED",
        "RUNNING",
        "FAILED",
        "IN_PROGRESS",
        "service:tide",
        "tide",
        "unhealthy",
        "",
        "2026-11-20T09:00:00Z",
        "Essential container in task exited",
        "EssentialContainerExited",
        "(service tide) was unable to place a task",
        "\u{1b}[31m\u{202e}é",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop::sample::select(TEXTS).prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 120, 10, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..10)
                .prop_map(|fields| Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_document_breaks_the_judge_and_nothing_that_a_terminal_obeys_gets_through(document in anything(), rows in prop::collection::vec(anything(), 0..3)) {
        let report = judged(&[document, json!({ "services": rows.clone() }), json!({ "tasks": rows })]);
        let (text, json) = (report.text(), report.json().to_string());
        prop_assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{}", text);
        prop_assert!(json.contains("\"verdicts\""));
    }
}
