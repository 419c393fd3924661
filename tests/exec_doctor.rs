//! What IAM, EC2 and KMS say of a session, end to end: a service for each reason, callers with more and with fewer rights, and how many calls
//! it takes to know.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.
#![cfg(unix)]

use midwatch::aws::{self, Clients, ContextSpec, ErrorKind, Poll};
use midwatch::budget::Priority;
use midwatch::doctor::{self, Went};
use midwatch::feed::{Feed, Outcome, Value};
use midwatch::finding::{self, CTX, Sought};
use midwatch::model::{Arn, Look, RightsAsked, Seen, TaskStatus};
use midwatch::sim::{Options, Sim};
use midwatch::store::Store;
use std::sync::Arc;

/// The embedded AWS at a standstill, and clients of one of its contexts.
struct World {
    sim: Sim,
    clients: Clients,
}

async fn world(context: &str) -> World {
    let scenario = format!("{}/tests/sim_exec/reasons.toml", env!("CARGO_MANIFEST_DIR"));
    let sim = Sim::start(Options { scenario, speed: 0.0, ..Options::default() }).unwrap();
    let clients = clients(&sim, context).await;
    World { sim, clients }
}

async fn clients(sim: &Sim, context: &str) -> Clients {
    let info = sim.contexts().iter().find(|known| known.name == context).unwrap().clone();
    let spec = ContextSpec {
        name: info.name,
        region: Some(info.region),
        endpoint_url: Some(sim.endpoint()),
        keys: Some((info.access_key, info.secret_key)),
        session_token: info.session_token,
        ..ContextSpec::default()
    };
    aws::connect(vec![spec]).await.unwrap()
}

impl World {
    /// What the doctor says of a running task of a service.
    async fn examined(&self, cluster: &str, service: &str) -> (Went, Vec<String>) {
        let (mut store, cluster) = (Store::default(), Arn::from(cluster));
        finding::ask(&self.clients, &mut store, &|_| vec![Feed::Tasks(CTX, cluster.clone())]).await;
        let tasks = store.tasks(CTX, &cluster).unwrap();
        let task = tasks.iter().find(|task| task.service() == Some(service) && task.status == TaskStatus::Running).unwrap();
        let sought = Sought { task: task.arn.to_string(), cluster: None };
        let asked = doctor::Asked { sought, container: Some("app".to_owned()), json: false };
        let mut lines = Vec::new();
        let went = doctor::examine(&self.clients, &asked, &mut |line| lines.push(line.to_owned())).await.unwrap();
        (went, lines)
    }

    /// Calls by service and operation, for the operations that only a session's checks make.
    fn calls(&self, operation: &str) -> usize {
        self.sim.calls().iter().filter(|call| call.operation == operation).count()
    }
}

/// The line of a check, and what follows it.
#[track_caller]
fn line(lines: &[String], begins: &str, words: &[&str]) {
    let at = lines.iter().position(|line| line.starts_with(begins)).unwrap_or_else(|| panic!("no {begins} in {lines:#?}"));
    let whole = lines[at..(at + 2).min(lines.len())].join(" ");
    assert!(words.iter().all(|word| whole.contains(word)), "{words:?} in {whole}");
}

#[tokio::test]
async fn where_all_is_well_every_look_passes_and_each_is_made_once() {
    let world = world("acme").await;
    let (went, lines) = world.examined("main", "fine").await;
    assert_eq!(went, Went::Well, "{lines:#?}");
    line(&lines, "● caller's rights", &["ecs:ExecuteCommand"]);
    line(&lines, "● role's rights", &[]);
    line(&lines, "● way to ssmmessages", &["nat-"]);
    line(&lines, "● port forwarding", &["ssm:StartSession"]);
    assert!(!lines.iter().any(|line| line.starts_with('◌')), "{lines:#?}");
    assert_eq!(world.calls("SimulatePrincipalPolicy"), 6, "a session, its channel, forwarding, the agent, and twice its log");
    assert_eq!((world.calls("DescribeSubnets"), world.calls("DescribeVpcEndpoints")), (1, 1));
    assert!((1..=2).contains(&world.calls("DescribeRouteTables")), "its own table, else the main one");
    assert_eq!((world.calls("DescribeInstances"), world.calls("GetRole"), world.calls("DescribeKey")), (0, 0, 0));
}

#[tokio::test]
async fn the_role_and_the_network_that_keep_the_agent_away_are_found_with_the_fix() {
    let world = world("acme").await;
    let (went, lines) = world.examined("main", "role").await;
    assert_eq!(went, Went::Badly);
    line(&lines, "✖ role's rights", &["no statement allows it", "fix: add to role-task", "ssmmessages:CreateControlChannel"]);
    let (went, lines) = world.examined("main", "network").await;
    assert_eq!(went, Went::Badly);
    assert!(lines.last().unwrap().starts_with("a session is not likely to open: 1 failed"), "{lines:#?}");
    line(&lines, "✖ way to ssmmessages", &["has no route out", "create-vpc-endpoint", "com.amazonaws.eu-west-1.ssmmessages"]);
}

#[tokio::test]
async fn a_key_and_a_log_are_looked_at_with_both_ends_rights() {
    let world = world("acme").await;
    let (went, lines) = world.examined("sealed", "vault").await;
    assert_eq!(went, Went::Well, "{lines:#?}");
    line(&lines, "● encryption", &["kms:GenerateDataKey", "kms:Decrypt"]);
    line(&lines, "● session log", &["log group /exec and s3://exec-audit", "script and cat"]);
    assert_eq!((world.calls("DescribeKey"), world.calls("SimulatePrincipalPolicy")), (1, 10));
    let (_, lines) = world.examined("sealed", "vault-shut").await;
    line(&lines, "▲ encryption", &["kms:Decrypt: no statement allows it", "the key's own policy may"]);
    let (went, lines) = world.examined("sealed", "vault-mute").await;
    assert_eq!(went, Went::Badly);
    line(
        &lines,
        "✖ session log",
        &["logs:PutLogEvents", "no statement allows it", "fix: add to vault-mute-task", "log-group:/exec:*\"] }, {"],
    );
}

#[tokio::test]
async fn on_an_instance_its_profile_is_read_for_the_role_and_its_subnet_for_the_way() {
    let world = world("acme").await;
    let (_, lines) = world.examined("hosts", "borrowed").await;
    line(&lines, "● task role", &["the instance's", "role/ecsInstanceRole"]);
    line(&lines, "● role's rights", &[]);
    line(&lines, "● way to ssmmessages", &["nat-"]);
    assert_eq!((world.calls("DescribeInstances"), world.calls("GetInstanceProfile")), (1, 1));
}

#[tokio::test]
async fn a_caller_who_may_look_and_not_open_is_told_what_to_ask_for() {
    let (went, lines) = world("looker").await.examined("main", "fine").await;
    assert_eq!(went, Went::Badly);
    line(&lines, "✖ caller's rights", &["ecs:ExecuteCommand, ssmmessages:OpenDataChannel: no statement allows it", "fix: add to Looker"]);
    line(&lines, "· port forwarding", &["a shell does not need it"]);
}

#[tokio::test]
async fn a_caller_who_may_not_look_is_told_which_right_that_takes() {
    let (went, lines) = world("reader").await.examined("main", "fine").await;
    assert_eq!(went, Went::Well, "what is not known is no failure: {lines:#?}");
    line(&lines, "? caller's rights", &["AccessDenied for iam:SimulatePrincipalPolicy", "aws iam simulate-principal-policy"]);
    line(&lines, "? role's rights", &["AccessDenied for iam:SimulatePrincipalPolicy"]);
    line(&lines, "? way to ssmmessages", &["AccessDenied for ec2:DescribeSubnets", "aws ec2 describe-vpc-endpoints"]);
}

#[tokio::test]
async fn the_path_of_a_role_is_found_out_where_the_callers_arn_lacks_it() {
    for (context, refused) in [("center", 0..=0), ("nested", 1..=3)] {
        let world = world(context).await;
        let (_, lines) = world.examined("main", "fine").await;
        line(&lines, "● caller's rights", &[]);
        assert_eq!(world.calls("GetRole"), 1, "{context}");
        let unknown = world.sim.calls().iter().filter(|call| call.error_code.as_deref() == Some("NoSuchEntity")).count();
        assert!(refused.contains(&unknown), "{context}: {unknown} questions about a role without its path");
    }
}

/// One look, without the doctor.
async fn look(clients: &Clients, look: Look) -> Result<Seen, aws::AwsError> {
    let mut poll = Poll::new(clients.api(CTX).clone(), Feed::Look(CTX, look));
    let answer = poll.ask(Priority::Focus, &mut |_, _| {}).await?;
    let Outcome::Whole(Value::Seen(seen)) = answer else { panic!("{answer:?}") };
    Ok(Arc::unwrap_or_clone(seen))
}

#[tokio::test]
async fn what_the_query_services_refuse_is_told_as_any_other_refusal() {
    let world = world("reader").await;
    let denied = look(&world.clients, Look::Subnet("subnet-0".into())).await.unwrap_err();
    assert_eq!((denied.kind, &*denied.action), (ErrorKind::Denied, "ec2:DescribeSubnets"));
    assert_eq!(denied.code.as_deref(), Some("UnauthorizedOperation"));
    assert!(denied.request_id.is_some());
    let acme = clients(&world.sim, "acme").await;
    let gone = look(&acme, Look::Instance("i-0ffffffffffffffff".into())).await.unwrap_err();
    assert_eq!((gone.kind, gone.code.as_deref()), (ErrorKind::NotFound, Some("InvalidInstanceID.NotFound")));
    let nobody = RightsAsked {
        who: "arn:aws:iam::111122223333:role/nobody".into(),
        actions: vec!["ecs:ExecuteCommand".into()],
        resources: Vec::new(),
        context: Vec::new(),
    };
    let unknown = look(&acme, Look::Rights(Arc::new(nobody))).await.unwrap_err();
    assert_eq!((unknown.kind, unknown.code.as_deref()), (ErrorKind::NotFound, Some("NoSuchEntity")));
    world.sim.set_faults("fault = [{ operation = 'ec2:DescribeSubnets', kind = 'throttle', times = 1 }]").unwrap();
    let again = look(&acme, Look::Subnet("subnet-0".into())).await.unwrap_err();
    assert_eq!(again.code.as_deref(), Some("InvalidSubnetID.NotFound"), "it was asked again after the throttle");
    world.sim.set_faults("fault = [{ operation = 'iam:GetInstanceProfile', kind = 'malformed' }]").unwrap();
    let cut = look(&acme, Look::Profile("ecsInstanceRole".into())).await.unwrap_err();
    assert_eq!(cut.kind, ErrorKind::Malformed);
    assert!(acme.meter().calls >= 5, "calls are counted as all others");
}
