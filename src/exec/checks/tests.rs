//! The checks before a session, each in all that it can find, and the texts of refusals.

mod looked_at;

use super::*;
use crate::feed::{Outcome, Update, Value};
use crate::model::sample::{self, ago};
use crate::model::{ExecConfiguration, LogConfiguration, Look, Seen, TaskStatus};

const CTX: Ctx = Ctx(0);

/// A running Fargate task of a service with everything as it has to be.
fn well() -> Facts {
    let mut task = sample::task("0123456789abcdef", "RUNNING");
    task.exec_enabled = true;
    task.launch_type = Some("FARGATE".into());
    task.platform_version = Some("1.4.0".into());
    task.instance = None;
    for container in &mut task.containers {
        container.status = "RUNNING".into();
        container.exec_agent = Some("RUNNING".into());
    }
    let container = task.containers[0].name.clone();
    let definition = TaskDefinition {
        arn: task.task_definition.clone(),
        family: "api".into(),
        revision: 8,
        status: "ACTIVE".into(),
        cpu: None,
        memory: None,
        network_mode: Some("awsvpc".into()),
        pid_mode: None,
        task_role: Some("arn:aws:iam::123456789012:role/api".into()),
        execution_role: None,
        platform: None,
        registered_at: None,
        registered_by: None,
        containers: vec![ContainerDefinition { name: container.clone(), init_process: true, ..ContainerDefinition::default() }],
        volumes: Vec::new(),
        tags: Vec::new(),
    };
    let caller = Identity { account: "123456789012".into(), arn: "arn:aws:sts::123456789012:assumed-role/OnCall/maria".into() };
    Facts {
        task: Arc::new(task),
        container,
        caller: Known::Yes(Arc::new(caller)),
        cluster: Known::Yes(Arc::new(sample::cluster())),
        definition: Known::Yes(Arc::new(definition)),
        service: Known::Yes(Arc::new(sample::service("api"))),
        instance: Known::None,
        refused: Vec::new(),
        failure: None,
        looked: Looked::new(),
    }
}

/// Nobody could look: why, in words.
fn unseen(facts: Facts) -> Facts {
    seen(facts, |_| Known::Failed("no answer in 10 s".into()))
}

/// AWS refused every look.
fn refused(facts: Facts) -> Facts {
    seen(facts, |look| {
        Known::Denied(match look {
            Look::Rights(_) => "iam:SimulatePrincipalPolicy".into(),
            Look::Key(_) => "kms:DescribeKey".into(),
            _ => "ec2:DescribeSubnets".into(),
        })
    })
}

/// With the answers to all that is asked.
fn seen(mut facts: Facts, answer: impl Fn(&Look) -> Known<Arc<Seen>>) -> Facts {
    facts.looked.clear();
    looked::ask(&mut facts, &answer);
    facts
}

fn with_task(change: impl FnOnce(&mut Task)) -> Facts {
    let mut facts = well();
    change(Arc::make_mut(&mut facts.task));
    facts
}

fn with_definition(change: impl FnOnce(&mut TaskDefinition)) -> Facts {
    let mut facts = well();
    if let Known::Yes(definition) = &mut facts.definition {
        change(Arc::make_mut(definition));
    }
    facts
}

fn with_cluster(exec: ExecConfiguration) -> Facts {
    let mut facts = well();
    facts.cluster = Known::Yes(Arc::new(Cluster { exec, ..sample::cluster() }));
    facts
}

#[track_caller]
fn one(facts: &Facts, what: &str) -> Check {
    let found = checks(facts);
    found.iter().find(|check| check.what == what).unwrap_or_else(|| panic!("no check {what} in {found:#?}")).clone()
}

#[track_caller]
fn fails(facts: &Facts, what: &str, words: &[&str]) {
    let found = one(facts, what);
    assert!(found.failed(), "{found:?}");
    says(&found, words);
}

#[track_caller]
fn warns(facts: &Facts, what: &str, words: &[&str]) {
    let found = one(facts, what);
    assert!(matches!(found.result, Finding::Warn { .. }), "{found:?}");
    says(&found, words);
}

#[track_caller]
fn says(found: &Check, words: &[&str]) {
    let text = format!("{} {}", found.told, found.advice().unwrap_or_default());
    assert!(words.iter().all(|word| text.contains(word)), "{text}: {words:?}");
}

#[test]
fn a_task_that_is_as_it_should_be_fails_nothing_and_what_cannot_be_looked_at_is_not_called_passed() {
    let well = || unseen(well());
    let found = checks(&well());
    assert!(found.iter().all(|check| !check.failed() && !matches!(check.result, Finding::Warn { .. })), "{found:#?}");
    for what in ["caller's rights", "role's rights", "way to ssmmessages", "shell"] {
        assert!(matches!(one(&well(), what).result, Finding::Unknown { .. }), "{what}");
    }
    says(&one(&well(), "caller's rights"), &["simulate-principal-policy", "arn:aws:iam::123456789012:role/OnCall "]);
    says(&one(&well(), "role's rights"), &["role/api", "ssmmessages:CreateControlChannel"]);
    says(&one(&well(), "way to ssmmessages"), &["com.amazonaws.eu-west-1.ssmmessages"]);
}

#[test]
fn what_says_how_to_look_can_be_run_as_it_is() {
    let facts = unseen(well());
    let look = |what: &str| one(&facts, what).advice().unwrap_or_default();
    let (task, cluster) = (facts.task.arn.to_string(), facts.task.cluster.to_string());
    let rights = look("caller's rights");
    assert!(rights.contains(&format!("--action-names ecs:ExecuteCommand --resource-arns {task} {cluster} ")), "{rights}");
    assert!(rights.contains(":session/ecs-execute-command-0 "), "{rights}");
    for what in ["caller's rights", "role's rights", "way to ssmmessages"] {
        for line in look(what).split("aws ").skip(1) {
            let region = line.starts_with("iam ") || line.contains("--region eu-west-1 ");
            assert!(region && !line.contains("YOUR_"), "{what}: {line}");
        }
    }
}

#[test]
fn a_task_that_does_not_run_has_no_session() {
    let stopped = with_task(|task| {
        task.status = TaskStatus::Stopped;
        task.stopped_reason = Some("Scaling activity".into());
    });
    fails(&stopped, "task and container run", &["STOPPED", "Scaling activity"]);
    fails(&with_task(|task| task.status = TaskStatus::Stopping), "task and container run", &["STOPPING"]);
    warns(&with_task(|task| task.status = TaskStatus::Pending), "task and container run", &["PENDING", "wait"]);
    fails(&with_task(|task| task.containers[0].status = "STOPPED".into()), "task and container run", &["STOPPED"]);
    let mut elsewhere = well();
    elsewhere.container = "sidecar".into();
    fails(&elsewhere, "task and container run", &["no container sidecar"]);
}

#[test]
fn exec_that_is_off_names_the_way_to_have_it() {
    let mut off = with_task(|task| task.exec_enabled = false);
    fails(&off, "enableExecuteCommand", &["enable exec for", "redeploy"]);
    let mut service = sample::service("api");
    service.exec_enabled = true;
    off.service = Known::Yes(Arc::new(service));
    fails(&off, "enableExecuteCommand", &["this task is older"]);
    let alone = with_task(|task| {
        task.exec_enabled = false;
        task.group = "family:job".into();
    });
    fails(&alone, "enableExecuteCommand", &["--enable-execute-command"]);
}

#[test]
fn an_agent_that_stopped_is_told_with_its_reason_and_points_at_role_and_network() {
    let down = with_task(|task| {
        task.containers[0].exec_agent = Some("STOPPED".into());
        task.containers[0].exec_reason = Some("Unable to register: AccessDenied".into());
    });
    fails(&down, "ExecuteCommandAgent", &["STOPPED", "Unable to register"]);
    let down = refused(down);
    warns(&down, "way to ssmmessages", &["a likely cause", "describe-vpc-endpoints"]);
    warns(&down, "role's rights", &["a likely cause"]);
    warns(&with_task(|task| task.containers[0].exec_agent = Some("PENDING".into())), "ExecuteCommandAgent", &["wait"]);
    warns(&with_task(|task| task.containers[0].exec_agent = None), "ExecuteCommandAgent", &["none"]);
}

#[test]
fn a_refusal_makes_a_private_subnet_the_likely_cause() {
    let mut refused = well();
    let mut service = sample::service("api");
    service.public_ip = Some("DISABLED".into());
    refused.service = Known::Yes(Arc::new(service));
    let mut refused = unseen(refused);
    assert!(matches!(one(&refused, "way to ssmmessages").result, Finding::Unknown { .. }));
    refused.failure = Some("TargetNotConnectedException: The execute command failed due to an internal error. Try again later.".into());
    let refused = unseen(refused);
    warns(&refused, "way to ssmmessages", &["the likely cause", "no public address", "interface endpoint"]);
}

#[test]
fn an_old_platform_and_an_old_agent_do_not_know_exec() {
    fails(&with_task(|task| task.platform_version = Some("1.3.0".into())), "platform version", &["1.3.0", "1.4.0 or LATEST"]);
    assert_eq!(one(&with_task(|task| task.platform_version = Some("LATEST".into())), "platform version").result, Finding::Passed);
    let on_ec2 = |version: &str| {
        let mut facts = with_task(|task| {
            task.launch_type = Some("EC2".into());
            task.platform_version = None;
        });
        facts.instance = Known::Yes(Arc::new(ContainerInstance { agent_version: Some(version.into()), ..ContainerInstance::default() }));
        facts
    };
    fails(&on_ec2("1.50.1"), "ECS agent's version", &["1.50.1", "1.50.2"]);
    assert_eq!(one(&on_ec2("1.102.0"), "ECS agent's version").result, Finding::Passed);
    let mut refused = on_ec2("1.50.2");
    refused.instance = Known::Denied("ecs:DescribeContainerInstances".into());
    assert_eq!(
        one(&refused, "ECS agent's version").result,
        Finding::MayNotLook { action: "ecs:DescribeContainerInstances".into(), look: None }
    );
}

#[test]
fn a_task_without_a_role_fails_on_fargate_and_is_the_instance_s_on_ec2() {
    let bare = with_definition(|definition| definition.task_role = None);
    fails(&bare, "task role", &["taskRoleArn"]);
    let mut overridden = bare.clone();
    Arc::make_mut(&mut overridden.task).role = Some("arn:aws:iam::123456789012:role/other".into());
    says(&one(&overridden, "task role"), &["role/other"]);
    let mut on_ec2 = bare;
    Arc::make_mut(&mut on_ec2.task).launch_type = Some("EC2".into());
    assert!(matches!(one(&on_ec2, "task role").result, Finding::Unknown { .. }));
}

#[test]
fn what_the_definition_says_against_a_session_is_told() {
    fails(&with_definition(|definition| definition.containers[0].readonly_root = true), "root file system", &["readonlyRootFilesystem"]);
    warns(&with_definition(|definition| definition.containers[0].init_process = false), "init process", &["initProcessEnabled"]);
    let shared = with_definition(|definition| {
        definition.pid_mode = Some("task".into());
        definition.containers.push(ContainerDefinition { name: "envoy".into(), ..ContainerDefinition::default() });
    });
    warns(&shared, "process namespace", &["pidMode"]);
    let keys = with_definition(|definition| definition.containers[0].secrets = vec![("AWS_SECRET_ACCESS_KEY".into(), "arn:x".into())]);
    warns(&keys, "keys in the environment", &["AWS_SECRET_ACCESS_KEY", "instead of the task role"]);
}

#[test]
fn what_may_not_be_read_is_said_with_the_action() {
    let mut facts = well();
    facts.definition = Known::Denied("ecs:DescribeTaskDefinition".into());
    for what in ["task role", "root file system"] {
        assert_eq!(one(&facts, what).result, Finding::MayNotLook { action: "ecs:DescribeTaskDefinition".into(), look: None });
    }
    facts.cluster = Known::Denied("ecs:DescribeClusters".into());
    assert_eq!(one(&facts, "encryption").result, Finding::MayNotLook { action: "ecs:DescribeClusters".into(), look: None });
    assert!(audit(&facts).contains("ecs:DescribeClusters"));
    facts.refused = vec!["ecs:ExecuteCommand".into()];
    fails(&facts, "caller's rights", &["ask for ecs:ExecuteCommand"]);
}

#[test]
fn the_audit_line_says_where_a_session_is_recorded() {
    let logging = |word: &str| ExecConfiguration { logging: Some(word.into()), ..ExecConfiguration::default() };
    assert!(audit(&with_cluster(logging("NONE"))).contains("nowhere"));
    let places = ExecConfiguration {
        log_group: Some(("/ecs/exec".into(), true)),
        bucket: Some(("acme-exec/prod".into(), false)),
        ..logging("OVERRIDE")
    };
    let recorded = unseen(with_cluster(places));
    assert!(audit(&recorded).contains("log group /ecs/exec and s3://acme-exec/prod"), "{}", audit(&recorded));
    says(&one(&recorded, "session log"), &["logs:PutLogEvents", "s3:PutObject", "script and cat"]);
    assert!(audit(&well()).contains("no awslogs driver"), "{}", audit(&well()));
    let own = with_definition(|definition| {
        let options = vec![("awslogs-group".into(), "/ecs/api".into())];
        definition.containers[0].logs = Some(LogConfiguration { driver: "awslogs".into(), options });
    });
    assert!(audit(&own).contains("/ecs/api"));
}

#[test]
fn a_key_of_the_cluster_names_the_rights_of_both_ends() {
    let keyed = unseen(with_cluster(ExecConfiguration { key: Some("alias/exec".into()), ..ExecConfiguration::default() }));
    says(&one(&keyed, "encryption"), &["alias/exec", "kms:GenerateDataKey", "kms:Decrypt"]);
}

#[test]
fn every_known_text_of_a_refusal_is_explained() {
    for (text, cause, fix) in [
        (
            "InvalidParameterException: The execute command failed because execute command was not enabled when the task was run or the \
             execute command agent isn\u{2019}t running. Wait and try again or run a new task with execute command enabled and try again.",
            "without enableExecuteCommand",
            "redeploy",
        ),
        (
            "TargetNotConnectedException: The execute command failed due to an internal error. Try again later.",
            "not in contact with Session Manager",
            "interface endpoint for ssmmessages",
        ),
        ("TargetNotConnected: ecs:main_0123_0123-45 is not connected.", "not in contact", "ssmmessages"),
        (
            "----------ERROR-------\nUnable to start command: exec: \"bash\": executable file not found in $PATH",
            "does not have the command",
            "sh",
        ),
        ("Encountered error while initiating handshake. KMSEncryption failed on client with status 2 error: x", "KMS key", "kms:Decrypt"),
        ("Fetching data key failed: Unable to retrieve data key", "KMS key", "kms:GenerateDataKey"),
        (
            "We couldn't start the session because encryption is not set up on the selected CloudWatch Logs log group.",
            "encrypted log group",
            "logs:PutLogEvents",
        ),
        (
            "We couldn't start the session because encryption is not set up on the selected Amazon S3 bucket.",
            "encrypted bucket",
            "s3:PutObject",
        ),
        ("Plugin with name InteractiveCommands not found. Step name: InteractiveCommands", "full", "room"),
        ("Your session timed out due to inactivity and has been terminated.", "20 minutes", "new session"),
        ("Handshake timed out. Please ensure that you have the latest version of the session manager plugin.", "15 seconds", "KMS"),
        ("Forwarding to IP address 169.254.169.254 is forbidden.", "metadata", "host"),
        (
            "AccessDeniedException: User: arn:aws:sts::123456789012:assumed-role/OnCall/maria is not authorized to perform: \
             ecs:ExecuteCommand on resource: arn:aws:ecs:eu-west-1:123456789012:cluster/main",
            "your role may not do ecs:ExecuteCommand",
            "cluster",
        ),
        (
            "AccessDeniedException: User: x is not authorized to perform: ssm:StartSession on resource: y",
            "ssm:StartSession",
            "AWS-StartPortForwardingSession",
        ),
        ("the server refused the WebSocket: 403 Forbidden", "ssmmessages:OpenDataChannel", "log in again"),
    ] {
        let told = explain_failure(text).unwrap_or_else(|| panic!("{text} is not explained"));
        assert!(told.cause.contains(cause) && told.fix.contains(fix), "{text}: {told:?}");
    }
    assert_eq!(explain_failure("all is well"), None);
}

#[test]
fn facts_come_from_the_store_and_say_what_is_still_read() {
    let mut store = Store::default();
    let (cluster, task) = (sample::cluster(), sample::task("0123456789abcdef", "RUNNING"));
    assert!(Facts::of(&store, CTX, &cluster.arn, &task.arn, "app").is_none());
    let put = |store: &mut Store, feed: Feed, value: Value| {
        store.apply(Update { feed, epoch: 0, at: ago(1), outcome: Outcome::Whole(value) });
    };
    put(&mut store, Feed::Tasks(CTX, cluster.arn.clone()), Value::Tasks(vec![Arc::new(task.clone())]));
    let facts = Facts::of(&store, CTX, &cluster.arn, &task.arn, "app").unwrap();
    assert_eq!((&facts.cluster, &facts.definition), (&Known::Reading, &Known::Reading));
    assert_eq!(one(&facts, "task role").result, Finding::Reading);
    let wanted = feeds(&store, CTX, &cluster.arn, &task.arn);
    assert!(
        wanted.contains(&Feed::Clusters(CTX)) && wanted.contains(&Feed::TaskDefinition(CTX, task.task_definition.clone())),
        "{wanted:?}"
    );
    put(&mut store, Feed::Clusters(CTX), Value::Clusters(vec![Arc::new(cluster.clone())]));
    let facts = Facts::of(&store, CTX, &cluster.arn, &task.arn, "app").unwrap();
    assert!(matches!(facts.cluster, Known::Yes(_)));
}

#[test]
fn what_would_fail_once_exec_is_on_is_told_from_what_the_service_runs_now() {
    let mut store = Store::default();
    let cluster = sample::cluster();
    let mut task = sample::task("0123456789abcdef", "RUNNING");
    (task.launch_type, task.platform_version, task.instance) = (Some("FARGATE".into()), Some("1.4.0".into()), None);
    let mut service = sample::service("api");
    service.task_definition = task.task_definition.clone();
    let put = |store: &mut Store, feed: Feed, value: Value| {
        store.apply(Update { feed, epoch: 0, at: ago(1), outcome: Outcome::Whole(value) });
    };
    assert_eq!(once_enabled(&store, CTX, &cluster.arn, &service), None, "no task is known");
    put(&mut store, Feed::Tasks(CTX, cluster.arn.clone()), Value::Tasks(vec![Arc::new(task.clone())]));
    let Known::Yes(definition) = well().definition else { panic!("a definition") };
    let sealed =
        |name: &str| ContainerDefinition { name: name.into(), readonly_root: true, init_process: true, ..ContainerDefinition::default() };
    let definition = TaskDefinition { containers: vec![sealed("app"), sealed("side")], ..TaskDefinition::clone(&definition) };
    put(&mut store, Feed::TaskDefinition(CTX, service.task_definition.clone()), Value::TaskDefinition(Arc::new(definition)));
    let found = once_enabled(&store, CTX, &cluster.arn, &service).unwrap();
    let failed: Vec<(&str, &str)> = found.iter().filter(|(_, check)| check.failed()).map(|(name, check)| (&**name, check.what)).collect();
    assert_eq!(failed, [("app", "root file system")], "exec itself is on then, and the same is said once: {found:#?}");
}
