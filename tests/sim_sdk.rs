//! The real SDK clients against the embedded AWS, over real sockets: what they sign it verifies, what it answers they parse.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "support/clients.rs"]
mod clients;

use aws_sdk_cloudwatchlogs::types::StartLiveTailResponseStream;
use aws_sdk_ecs::config::Credentials;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use aws_smithy_types::timeout::TimeoutConfig;
use clients::config;
use midwatch::sim::{Options, Sim};
use std::collections::HashSet;
use std::time::Duration;

const PROD: usize = 0;

/// The `small` world at a standstill, so that only steps move it.
fn small() -> Sim {
    Sim::start(Options { speed: 0.0, ..Options::default() }).unwrap()
}

fn ecs(sim: &Sim) -> aws_sdk_ecs::Client {
    aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, sim.contexts()[PROD]).build())
}

fn elb(sim: &Sim) -> aws_sdk_elasticloadbalancingv2::Client {
    let config = config!(aws_sdk_elasticloadbalancingv2, sim, sim.contexts()[PROD]).build();
    aws_sdk_elasticloadbalancingv2::Client::from_conf(config)
}

fn logs(sim: &Sim) -> aws_sdk_cloudwatchlogs::Client {
    let config = config!(aws_sdk_cloudwatchlogs, sim, sim.contexts()[PROD]).interceptor(Unprefixed);
    aws_sdk_cloudwatchlogs::Client::from_conf(config.build())
}

/// The SDK glues `stream-` to the host of Live Tail, on a custom endpoint too.
#[derive(Debug)]
struct Unprefixed;

impl Intercept for Unprefixed {
    fn name(&self) -> &'static str {
        "Unprefixed"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        let uri = request.uri().replacen("://stream-", "://", 1);
        request.set_uri(uri)?;
        Ok(())
    }
}

#[tokio::test]
async fn the_ecs_client_walks_from_clusters_to_tasks() {
    let sim = small();
    let ecs = ecs(&sim);
    let clusters = ecs.list_clusters().send().await.unwrap();
    let described = ecs.describe_clusters().set_clusters(clusters.cluster_arns).send().await.unwrap();
    assert_eq!(described.clusters().len(), 2, "acme-prod has two of the three clusters");
    let mut running = 0;
    for cluster in described.clusters() {
        let arn = cluster.cluster_arn().unwrap();
        let services = ecs.list_services().cluster(arn).max_results(100).send().await.unwrap();
        for batch in services.service_arns().chunks(10) {
            let services = ecs.describe_services().cluster(arn).set_services(Some(batch.to_vec())).send().await.unwrap();
            assert_eq!(services.services().len(), batch.len());
            assert!(services.failures().is_empty());
            // CodeDeploy's and external services have task sets instead.
            let by_ecs =
                |service: &&aws_sdk_ecs::types::Service| service.deployment_controller().is_none_or(|it| it.r#type().as_str() == "ECS");
            let own = services.services().iter().filter(by_ecs);
            assert!(own.clone().count() > 0);
            assert!(own.into_iter().all(|service| !service.deployments().is_empty()));
        }
        let tasks = ecs.list_tasks().cluster(arn).send().await.unwrap();
        let described = ecs.describe_tasks().cluster(arn).set_tasks(tasks.task_arns).send().await.unwrap();
        running += described.tasks().iter().filter(|task| task.last_status() == Some("RUNNING")).count();
        for task in described.tasks() {
            assert!(!task.containers().is_empty());
            assert!(task.created_at().is_some_and(|at| at.secs() * 1000 <= sim.now()));
        }
    }
    assert!(running > 10, "{running} tasks run");
    let calls = sim.take_calls();
    assert!(calls.iter().all(|call| call.status == 200 && &*call.context == "acme-prod" && call.service == "ecs"));
    assert!(sim.calls().is_empty());
}

#[tokio::test]
async fn eleven_services_in_one_call_are_refused_as_aws_refuses_them() {
    let sim = small();
    let names = (0..11).map(|at| format!("service-{at}")).collect();
    let cluster = ecs(&sim).list_clusters().send().await.unwrap().cluster_arns.unwrap().remove(0);
    let error = ecs(&sim).describe_services().cluster(cluster).set_services(Some(names)).send().await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");
    assert_eq!(sim.calls().last().unwrap().error_code.as_deref(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn the_sick_target_of_the_ledger_is_one_of_its_tasks() {
    let sim = small();
    let elb = elb(&sim);
    let groups = elb.describe_target_groups().send().await.unwrap();
    assert!(!groups.target_groups().is_empty());
    let mut unhealthy = Vec::new();
    for group in groups.target_groups() {
        let health = elb.describe_target_health().target_group_arn(group.target_group_arn().unwrap()).send().await.unwrap();
        for target in health.target_health_descriptions() {
            let health = target.target_health().unwrap();
            if health.state().unwrap().as_str() == "unhealthy" {
                assert_eq!(health.reason().unwrap().as_str(), "Target.ResponseCodeMismatch");
                unhealthy.push((group.target_group_name().unwrap().to_owned(), target.target().unwrap().id().unwrap().to_owned()));
            }
        }
        let balancer = group.load_balancer_arns().first().expect("every group of `small` is in use");
        let listeners = elb.describe_listeners().load_balancer_arn(balancer).send().await.unwrap();
        let mut forwards = HashSet::new();
        for listener in listeners.listeners() {
            let rules = elb.describe_rules().listener_arn(listener.listener_arn().unwrap()).send().await.unwrap();
            assert!(rules.rules().iter().any(|rule| rule.is_default() == Some(true)));
            for action in rules.rules().iter().flat_map(aws_sdk_elasticloadbalancingv2::types::Rule::actions) {
                forwards.extend(action.target_group_arn().map(str::to_owned));
            }
        }
        assert!(forwards.contains(group.target_group_arn().unwrap()), "{forwards:?}");
    }
    let ledger: Vec<_> = unhealthy.iter().filter(|(group, _)| group.contains("ledger")).collect();
    assert_eq!(ledger.len(), 1, "{unhealthy:?}");
    let ecs = ecs(&sim);
    let tasks = ecs.list_tasks().cluster("payments-prod").service_name("ledger-api").send().await.unwrap();
    let tasks = ecs.describe_tasks().cluster("payments-prod").set_tasks(tasks.task_arns).send().await.unwrap();
    let addresses: Vec<&str> = tasks
        .tasks()
        .iter()
        .flat_map(aws_sdk_ecs::types::Task::containers)
        .flat_map(aws_sdk_ecs::types::Container::network_interfaces)
        .filter_map(|interface| interface.private_ipv4_address())
        .collect();
    assert!(addresses.contains(&ledger[0].1.as_str()), "{addresses:?}");
    let unknown = "arn:aws:elasticloadbalancing:eu-west-1:219087346512:targetgroup/gone/0123456789abcdef";
    let error = elb.describe_target_health().target_group_arn(unknown).send().await.unwrap_err().into_service_error();
    assert!(error.is_target_group_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn pages_of_target_groups_add_up() {
    let sim = small();
    let elb = elb(&sim);
    let whole = elb.describe_target_groups().send().await.unwrap();
    assert!(whole.next_marker().is_none());
    let mut pages = elb.describe_target_groups().page_size(3).into_paginator().send();
    let mut collected = Vec::new();
    while let Some(page) = pages.next().await {
        collected.extend(page.unwrap().target_groups.unwrap());
    }
    assert_eq!(collected, whole.target_groups());
    let error = elb.describe_target_groups().page_size(401).send().await.unwrap_err();
    assert_eq!(error.code(), Some("ValidationError"));
}

#[tokio::test]
async fn the_registry_knows_what_a_task_runs() {
    let sim = small();
    let ecs = ecs(&sim);
    let registry = aws_sdk_ecr::Client::from_conf(config!(aws_sdk_ecr, sim, sim.contexts()[PROD]).build());
    let tasks = ecs.list_tasks().cluster("payments-prod").service_name("ledger-api").send().await.unwrap();
    let tasks = ecs.describe_tasks().cluster("payments-prod").set_tasks(tasks.task_arns).send().await.unwrap();
    let container = &tasks.tasks()[0].containers()[0];
    let (path, tag) = container.image().unwrap().rsplit_once(':').unwrap();
    let repository = path.split_once('/').unwrap().1;
    let by_tag = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag(tag).build();
    let images = registry.describe_images().repository_name(repository).image_ids(by_tag.clone()).send().await.unwrap();
    assert_eq!(images.image_details()[0].image_digest(), container.image_digest());
    let manifest = registry.batch_get_image().repository_name(repository).image_ids(by_tag).send().await.unwrap();
    assert!(manifest.images()[0].image_manifest().unwrap().contains("schemaVersion"));
    let gone = aws_sdk_ecr::types::ImageIdentifier::builder().image_tag("never-pushed").build();
    let error = registry.describe_images().repository_name(repository).image_ids(gone).send().await.unwrap_err().into_service_error();
    assert!(error.is_image_not_found_exception(), "{error:?}");
    let error = registry.describe_images().repository_name("nobody").send().await.unwrap_err().into_service_error();
    assert!(error.is_repository_not_found_exception(), "{error:?}");
}

#[tokio::test]
async fn pages_of_log_events_hold_every_line_once_and_in_order() {
    let sim = small();
    let logs = logs(&sim);
    let groups = logs.describe_log_groups().send().await.unwrap();
    let group = groups.log_groups().iter().find(|group| group.log_group_name().unwrap().contains("checkout")).unwrap();
    let name = group.log_group_name().unwrap();
    let since = sim.now() - 20 * 60_000;
    let read = async |limit: i32| {
        let mut pages = logs.filter_log_events().log_group_name(name).start_time(since).limit(limit).into_paginator().send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.unwrap();
            assert!(page.events().len() <= usize::try_from(limit).unwrap());
            events.extend(page.events.unwrap_or_default());
            // The bucket of FilterLogEvents is small; time has to pass for many pages.
            sim.step(Duration::from_millis(100));
        }
        events
    };
    // A long page first: nothing moves while it is read. Then the same in small pages, up to where the first one ended.
    let whole = read(10_000).await;
    let until = whole.last().unwrap().timestamp().unwrap() - 10_000;
    let whole: Vec<_> = whole.into_iter().filter(|event| event.timestamp().unwrap() < until).collect();
    let small: Vec<_> = read(300).await.into_iter().filter(|event| event.timestamp().unwrap() < until).collect();
    assert!(whole.len() > 1000, "{} lines", whole.len());
    assert_eq!(whole, small);
    assert!(whole.windows(2).all(|pair| pair[0].timestamp() <= pair[1].timestamp()));
    let ids: HashSet<&str> = whole.iter().map(|event| event.event_id().unwrap()).collect();
    assert_eq!(ids.len(), whole.len());
    assert!(ids.iter().all(|id| id.len() == 56 && id.bytes().all(|digit| digit.is_ascii_digit())));
    assert!(whole.iter().all(|event| event.ingestion_time() > event.timestamp()));
}

#[tokio::test]
async fn newest_first_is_oldest_first_turned_round() {
    let sim = small();
    let logs = logs(&sim);
    let read = async |head: bool| {
        let filter = logs.filter_log_events().log_group_name("/ecs/ledger").filter_pattern("ERROR").start_from_head(head);
        let mut pages = filter.start_time(sim.now() - 3_600_000).into_paginator().send();
        let mut events = Vec::new();
        while let Some(page) = pages.next().await {
            events.extend(page.unwrap().events.unwrap_or_default());
        }
        events
    };
    let (mut newest_first, oldest_first) = (read(false).await, read(true).await);
    assert!(oldest_first.len() > 20 && oldest_first.iter().all(|event| event.message().unwrap().contains("ERROR")));
    newest_first.reverse();
    assert_eq!(newest_first, oldest_first);
    let long_ago = logs.filter_log_events().log_group_name("/ecs/ledger").start_from_head(false).start_time(1);
    assert_eq!(long_ago.send().await.unwrap_err().code(), Some("InvalidParameterException"));
}

#[tokio::test]
async fn nothing_is_older_than_the_retention() {
    let sim = small();
    let logs = logs(&sim);
    let groups = logs.describe_log_groups().send().await.unwrap();
    let group = groups.log_groups().iter().find(|group| group.retention_in_days().is_some()).unwrap();
    let oldest = sim.now() - i64::from(group.retention_in_days().unwrap()) * 86_400_000;
    let filter = logs.filter_log_events().log_group_name(group.log_group_name().unwrap()).start_time(0);
    let mut pages = filter.into_paginator().send();
    let mut seen = 0;
    // The first pages are the oldest.
    while let (Some(page), true) = (pages.next().await, seen == 0) {
        let page = page.unwrap();
        seen += page.events().len();
        assert!(page.events().iter().all(|event| event.timestamp().unwrap() >= oldest));
        sim.step(Duration::from_millis(100));
    }
}

#[tokio::test]
async fn a_stream_is_read_backwards_and_then_followed() {
    let sim = small();
    let logs = logs(&sim);
    let streams = logs.describe_log_streams().log_group_name("/ecs/ledger").order_by("LastEventTime".into()).descending(true);
    let streams = streams.send().await.unwrap();
    let stream = streams.log_streams().first().unwrap().log_stream_name().unwrap();
    let get = || logs.get_log_events().log_group_name("/ecs/ledger").log_stream_name(stream);
    let newest = get().limit(50).send().await.unwrap();
    assert_eq!(newest.events().len(), 50);
    let older = get().limit(50).next_token(newest.next_backward_token().unwrap()).send().await.unwrap();
    assert_eq!(older.events().len(), 50);
    assert!(older.events().last().unwrap().timestamp() <= newest.events()[0].timestamp());
    let forward = newest.next_forward_token().unwrap();
    let caught_up = get().next_token(forward).send().await.unwrap();
    assert!(caught_up.events().is_empty());
    assert_eq!(caught_up.next_forward_token(), Some(forward), "the same token means: caught up");
    sim.step(Duration::from_mins(1));
    let followed = get().next_token(forward).send().await.unwrap();
    assert!(!followed.events().is_empty());
    assert!(followed.events()[0].timestamp() >= newest.events()[49].timestamp());
}

#[tokio::test]
async fn a_live_tail_starts_at_once_and_speaks_each_second() {
    let sim = small();
    let tail = logs(&sim)
        .start_live_tail()
        .log_group_identifiers("arn:aws:logs:eu-west-1:219087346512:log-group:/ecs/ledger")
        .log_event_filter_pattern("");
    let mut stream = tail.send().await.unwrap().response_stream;
    let Some(StartLiveTailResponseStream::SessionStart(start)) = stream.recv().await.unwrap() else { panic!("no sessionStart") };
    assert_eq!(start.log_group_identifiers().len(), 1);
    sim.step(Duration::from_secs(30));
    let Some(StartLiveTailResponseStream::SessionUpdate(update)) = stream.recv().await.unwrap() else { panic!("no update") };
    assert!(!update.session_results().is_empty());
    assert!(update.session_results().iter().all(|line| line.log_group_identifier() == Some("219087346512:/ecs/ledger")));
    // Time stands still, so the next update is empty, and comes all the same.
    let Some(StartLiveTailResponseStream::SessionUpdate(update)) = stream.recv().await.unwrap() else { panic!("no update") };
    assert!(update.session_results().is_empty());
    sim.step(Duration::from_hours(3));
    let mut end = stream.recv().await;
    while end.as_ref().is_ok_and(Option::is_some) {
        end = stream.recv().await;
    }
    let error = end.unwrap_err().into_service_error();
    assert!(error.is_session_timeout_exception(), "{error:?}");
}

#[tokio::test]
async fn the_sixteenth_live_tail_is_one_too_many() {
    let sim = small();
    let logs = logs(&sim);
    let open = async || {
        let arn = "arn:aws:logs:eu-west-1:219087346512:log-group:/ecs/ledger";
        logs.start_live_tail().log_group_identifiers(arn).send().await.map_err(SdkError::into_service_error)
    };
    let mut sessions = Vec::new();
    for _ in 0..15 {
        sessions.push(open().await.unwrap());
    }
    sim.step(Duration::from_mins(1));
    let error = open().await.unwrap_err();
    assert!(error.is_limit_exceeded_exception(), "{error:?}");
    let error = logs.start_live_tail().log_group_identifiers("/ecs/ledger").send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");
}

#[tokio::test]
async fn keys_that_nobody_has_and_secrets_that_are_wrong_are_refused() {
    let sim = small();
    let mut stranger = sim.contexts()[PROD].clone();
    stranger.access_key = "AKIANOBODY".to_owned();
    let client = aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, stranger).build());
    let error = client.list_clusters().send().await.unwrap_err();
    assert_eq!(error.code(), Some("UnrecognizedClientException"));
    let mut forger = sim.contexts()[PROD].clone();
    forger.secret_key = "guessed".to_owned();
    let client = aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, forger).build());
    assert_eq!(client.list_clusters().send().await.unwrap_err().code(), Some("InvalidSignatureException"));
    let client = aws_sdk_sts::Client::from_conf(config!(aws_sdk_sts, sim, forger).build());
    assert_eq!(client.get_caller_identity().send().await.unwrap_err().code(), Some("SignatureDoesNotMatch"));
}

#[tokio::test]
async fn another_region_is_empty_and_one_that_is_none_is_refused() {
    let sim = small();
    let mut context = sim.contexts()[PROD].clone();
    context.region = "ap-south-1".to_owned();
    let client = aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, context).build());
    assert!(client.list_clusters().send().await.unwrap().cluster_arns().is_empty());
    context.region = "eu-wset-1".to_owned();
    let client = aws_sdk_ecs::Client::from_conf(config!(aws_sdk_ecs, sim, context).build());
    let error = client.list_clusters().send().await.unwrap_err();
    assert_eq!(error.code(), Some("InvalidSignatureException"));
    assert_eq!(error.message(), Some("Credential should be scoped to a valid region."));
}

#[tokio::test]
async fn an_assumed_role_works_until_it_expires() {
    let sim = small();
    let context = &sim.contexts()[PROD];
    let sts = aws_sdk_sts::Client::from_conf(config!(aws_sdk_sts, sim, context).build());
    let role = format!("arn:aws:iam::{}:role/OnCallOps", context.account);
    let given = sts.assume_role().role_arn(role).role_session_name("night").duration_seconds(900).send().await.unwrap();
    let keys = given.credentials().unwrap();
    let credentials = Credentials::new(keys.access_key_id(), keys.secret_access_key(), Some(keys.session_token().to_owned()), None, "test");
    let assumed = config!(aws_sdk_sts, sim, context).credentials_provider(credentials.clone()).build();
    let who = aws_sdk_sts::Client::from_conf(assumed).get_caller_identity().send().await.unwrap();
    assert!(who.arn().unwrap().ends_with(":assumed-role/OnCallOps/night"), "{who:?}");
    let config = config!(aws_sdk_ecs, sim, context).credentials_provider(credentials).build();
    let ecs = aws_sdk_ecs::Client::from_conf(config);
    ecs.list_clusters().send().await.unwrap();
    sim.step(Duration::from_secs(901));
    assert_eq!(ecs.list_clusters().send().await.unwrap_err().code(), Some("ExpiredTokenException"));
    let missing = format!("arn:aws:iam::{}:role/Nobody", context.account);
    let error = sts.assume_role().role_arn(missing).role_session_name("night").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
}

#[tokio::test]
async fn a_burst_is_throttled_and_time_refills_the_bucket() {
    let sim = small();
    let elb = elb(&sim);
    let mut answers = Vec::new();
    for _ in 0..41 {
        answers.push(elb.describe_load_balancers().send().await);
    }
    let error = answers.pop().unwrap().unwrap_err();
    assert_eq!(error.code(), Some("Throttling"));
    assert!(answers.iter().all(Result::is_ok));
    sim.step(Duration::from_secs(1));
    elb.describe_load_balancers().send().await.unwrap();
}

#[tokio::test]
async fn fault_rules_strike_and_can_be_lifted() {
    let sim = small();
    let ecs = ecs(&sim);
    let code = async || ecs.list_clusters().send().await.err().and_then(|error| error.code().map(str::to_owned));
    sim.set_faults("[[fault]]\noperation = 'ecs:ListClusters'\nevery = 2\nkind = 'throttle'\n").unwrap();
    assert_eq!([code().await, code().await, code().await], [None, Some("ThrottlingException".to_owned()), None]);
    sim.set_faults("[[fault]]\nkind = 'deny'\n").unwrap();
    let error = ecs.list_clusters().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    let arn = format!("arn:aws:sts::{}:assumed-role/", sim.contexts()[PROD].account);
    assert!(error.message().unwrap().contains(&arn) && error.message().unwrap().contains("perform: ecs:ListClusters"), "{error:?}");
    sim.set_faults("[[fault]]\nkind = 'expired_token'\n").unwrap();
    assert_eq!(code().await.as_deref(), Some("ExpiredTokenException"));
    sim.set_faults("[[fault]]\nkind = 'error'\ncode = 'ServerException'\nstatus = 500\n").unwrap();
    assert_eq!(code().await.as_deref(), Some("ServerException"));
    sim.set_faults("[[fault]]\nkind = 'malformed'\n").unwrap();
    assert!(matches!(ecs.list_clusters().send().await.unwrap_err(), SdkError::ResponseError(_)));
    sim.set_faults("[[fault]]\nkind = 'reset'\n").unwrap();
    assert!(matches!(ecs.list_clusters().send().await.unwrap_err(), SdkError::DispatchFailure(_)));
    sim.set_faults("[[fault]]\nkind = 'hang'\ncontext = 'acme-prod'\n").unwrap();
    let impatient = config!(aws_sdk_ecs, sim, sim.contexts()[PROD])
        .timeout_config(TimeoutConfig::builder().operation_attempt_timeout(Duration::from_millis(300)).build());
    let error = aws_sdk_ecs::Client::from_conf(impatient.build()).list_clusters().send().await.unwrap_err();
    assert!(matches!(error, SdkError::TimeoutError(_)), "{error:?}");
    sim.set_faults("").unwrap();
    assert_eq!(code().await, None);
}

#[test]
fn fault_rules_that_cannot_be_used_are_refused_in_one_line() {
    let sim = small();
    let refusal = |toml: &str| sim.set_faults(toml).unwrap_err().to_string();
    assert!(refusal("[[fault]]\nkind = 'hang'\nevry = 2\n").starts_with("faults:3:1: unknown field `evry`"));
    assert!(refusal("[[fault]]\nkind = 'hang'\nevry = 2\n").ends_with("did you mean `every`?"));
    let text = refusal("[[fault]]\nkind = 'hang'\ncontext = 'acme-pord'\n");
    assert!(text.contains("acme-pord") && text.contains("acme-prod, acme-stage"), "{text}");
}

#[test]
fn what_cannot_be_served_is_refused_in_one_line() {
    let refusal = |options: Options| Sim::start(options).unwrap_err().to_string();
    let open = refusal(Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() });
    assert!(open.contains("0.0.0.0:0") && open.contains("127.0.0.1"), "{open}");
    let sim = small();
    let taken = refusal(Options { listen: sim.addr(), ..Options::default() });
    assert!(taken.contains(&sim.addr().to_string()) && taken.contains("another port"), "{taken}");
    assert!(refusal(Options { speed: -1.0, ..Options::default() }).contains("speed -1"));
    assert!(refusal(Options { scenario: "smal".to_owned(), ..Options::default() }).contains("did you mean `small`?"));
}

/// A narrow policy and credentials that end after ten minutes, in a scenario file of its own.
const NARROW: &str = r#"
about = "One cluster, two ways in"

[[context]]
name = "narrow"
region = "eu-west-1"
account = "111122223333"
access_key = "AKIANARROW"
secret_key = "narrow-secret"
role = "ReadSome"
session = "night"
allow = ["ecs:List*", "logs:DescribeLogGroups"]

[[context]]
name = "brief"
region = "eu-west-1"
account = "111122223333"
access_key = "ASIABRIEF"
secret_key = "brief-secret"
session_token = "brief-token"
expires = "10m"

[[cluster]]
name = "edge"
context = "narrow"
"#;

fn narrow(name: &str) -> Sim {
    let path = std::env::temp_dir().join(format!("midwatch-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, NARROW).unwrap();
    let scenario = path.to_str().unwrap().to_owned();
    let sim = Sim::start(Options { scenario, speed: 0.0, ..Options::default() }).unwrap();
    std::fs::remove_file(path).unwrap();
    sim
}

#[tokio::test]
async fn what_a_policy_does_not_allow_is_denied_in_awss_words() {
    let sim = narrow("policy");
    let ecs = ecs(&sim);
    assert_eq!(ecs.list_clusters().send().await.unwrap().cluster_arns().len(), 1);
    let error = ecs.describe_clusters().clusters("edge").send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDeniedException"));
    assert_eq!(
        error.message().unwrap(),
        "User: arn:aws:sts::111122223333:assumed-role/ReadSome/night is not authorized to perform: ecs:DescribeClusters on resource: \
         arn:aws:ecs:eu-west-1:111122223333:cluster/edge because no identity-based policy allows the ecs:DescribeClusters action"
    );
    let error = elb(&sim).describe_target_groups().send().await.unwrap_err();
    assert_eq!(error.code(), Some("AccessDenied"));
    assert_eq!(error.raw_response().unwrap().status().as_u16(), 403);
    let sts = aws_sdk_sts::Client::from_conf(config!(aws_sdk_sts, sim, sim.contexts()[0]).build());
    let who = sts.get_caller_identity().send().await.unwrap();
    assert_eq!(who.arn(), Some("arn:aws:sts::111122223333:assumed-role/ReadSome/night"));
}

#[tokio::test]
async fn temporary_credentials_need_their_token_and_end_in_time() {
    let sim = narrow("token");
    let brief = &sim.contexts()[1];
    let client = async |token: Option<&str>| {
        let keys = Credentials::new(&brief.access_key, &brief.secret_key, token.map(str::to_owned), None, "test");
        let config = config!(aws_sdk_ecs, sim, brief).credentials_provider(keys).build();
        aws_sdk_ecs::Client::from_conf(config).list_clusters().send().await.err().and_then(|error| error.code().map(str::to_owned))
    };
    assert_eq!(brief.session_token.as_deref(), Some("brief-token"));
    assert_eq!(client(Some("brief-token")).await, None);
    assert_eq!(client(None).await.as_deref(), Some("UnrecognizedClientException"));
    sim.step(Duration::from_mins(10));
    assert_eq!(client(Some("brief-token")).await.as_deref(), Some("ExpiredTokenException"));
}

/// Sends a body that is not what the operation takes, properly signed.
#[derive(Debug)]
struct Body(&'static str);

impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let request = context.request_mut();
        request.headers_mut().insert("content-length", self.0.len().to_string());
        *request.body_mut() = self.0.into();
        Ok(())
    }
}

#[tokio::test]
async fn bodies_that_cannot_be_read_are_serialization_errors() {
    let sim = small();
    for body in ["{\"cluster\":", "[]", "nonsense"] {
        let config = config!(aws_sdk_ecs, sim, sim.contexts()[PROD]).interceptor(Body(body)).build();
        let error = aws_sdk_ecs::Client::from_conf(config).list_clusters().send().await.unwrap_err();
        assert_eq!(error.code(), Some("SerializationException"), "{body}");
    }
}

/// What a client without an SDK gets: the head and the body of one answer.
async fn raw(sim: &Sim, request: &[u8]) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let mut stream = tokio::net::TcpStream::connect(sim.addr()).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn requests_that_are_no_aws_calls_get_a_proper_error() {
    let sim = small();
    let plain = raw(&sim, b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").await;
    assert!(plain.starts_with("HTTP/1.1 400") && plain.contains("<Code>MissingAction</Code>"), "{plain}");
    assert!(plain.contains("x-amzn-requestid: ") && plain.contains("date: Sat, 21 Nov 2026 03:11:00 GMT"), "{plain}");
    let unsigned = b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonEC2ContainerServiceV20141113.ListClusters\r\n\
                     content-type: application/x-amz-json-1.1\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}";
    assert!(raw(&sim, unsigned).await.contains("\"__type\":\"MissingAuthenticationTokenException\""));
    let unknown = b"POST / HTTP/1.1\r\nhost: x\r\nx-amz-target: AmazonSSM.GetParameter\r\n\
                    content-length: 2\r\nconnection: close\r\n\r\n{}";
    assert!(raw(&sim, unknown).await.contains("UnknownOperationException"));
    let cbor = b"POST /service/GraniteServiceVersion20100801/operation/GetMetricData HTTP/1.1\r\nhost: x\r\n\
                 content-length: 0\r\nconnection: close\r\n\r\n";
    assert!(raw(&sim, cbor).await.contains("smithy-protocol: rpc-v2-cbor"));
    let mut large = b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 1048577\r\nconnection: close\r\n\r\n".to_vec();
    large.resize(large.len() + 1_048_577, b'a');
    assert!(raw(&sim, &large).await.starts_with("HTTP/1.1 413"));
}

/// The scenario of the contract tests that has everything beside its services.
fn beside() -> Sim {
    let scenario = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/contract/beside.toml").to_owned();
    Sim::start(Options { scenario, speed: 0.0, ..Options::default() }).unwrap()
}

#[tokio::test]
async fn the_scaling_client_reads_targets_and_a_new_minimum_moves_the_service() {
    use aws_sdk_applicationautoscaling::types::{ScalableDimension, ScalingActivityStatusCode, ServiceNamespace};
    let sim = beside();
    let config = config!(aws_sdk_applicationautoscaling, sim, sim.contexts()[PROD]).build();
    let scaling = aws_sdk_applicationautoscaling::Client::from_conf(config);
    let targets = scaling.describe_scalable_targets().service_namespace(ServiceNamespace::Ecs).send().await.unwrap();
    let ranges: Vec<(&str, i32, i32)> =
        targets.scalable_targets().iter().map(|t| (t.resource_id(), t.min_capacity(), t.max_capacity())).collect();
    assert_eq!(ranges, [("service/shop/front", 2, 8), ("service/shop/orders", 1, 5)]);
    let register = scaling.register_scalable_target().service_namespace(ServiceNamespace::Ecs).resource_id("service/shop/front");
    register.scalable_dimension(ScalableDimension::EcsServiceDesiredCount).min_capacity(4).send().await.unwrap();
    sim.step(Duration::from_mins(3));
    let activities = scaling.describe_scaling_activities().service_namespace(ServiceNamespace::Ecs).send().await.unwrap();
    let newest = &activities.scaling_activities()[0];
    assert_eq!(newest.cause(), "minimum capacity was set to 4");
    assert_eq!(newest.status_code(), &ScalingActivityStatusCode::Successful);
    let policies = scaling.describe_scaling_policies().service_namespace(ServiceNamespace::Ecs).send().await.unwrap();
    assert_eq!(policies.scaling_policies().len(), 3);
}

#[tokio::test]
async fn the_cloudwatch_client_reads_metrics_alarms_and_errors_in_cbor() {
    use aws_sdk_cloudwatch::primitives::DateTime;
    use aws_sdk_cloudwatch::types::{Dimension, Metric, MetricDataQuery, MetricStat, StatusCode};
    let sim = beside();
    let client = |context: usize| {
        let config = config!(aws_sdk_cloudwatch, sim, sim.contexts()[context]).build();
        aws_sdk_cloudwatch::Client::from_conf(config)
    };
    let metric = ["ClusterName", "ServiceName"]
        .into_iter()
        .zip(["shop", "front"])
        .fold(Metric::builder().namespace("AWS/ECS").metric_name("CPUUtilization"), |metric, (name, value)| {
            metric.dimensions(Dimension::builder().name(name).value(value).build())
        });
    let stat = MetricStat::builder().metric(metric.build()).period(60).stat("Average").build();
    let query = MetricDataQuery::builder().id("cpu").metric_stat(stat).build();
    let (from, until) = (DateTime::from_millis(sim.now() - 600_000), DateTime::from_millis(sim.now()));
    let asked = client(PROD).get_metric_data().metric_data_queries(query).start_time(from).end_time(until);
    let data = asked.clone().send().await.unwrap();
    let result = &data.metric_data_results()[0];
    assert_eq!(result.status_code(), Some(&StatusCode::Complete));
    assert!((9..=10).contains(&result.values().len()), "{:?}", result.values());
    assert!(result.timestamps().iter().all(|at| at.secs() % 60 == 0));
    let alarms = client(PROD).describe_alarms().send().await.unwrap();
    let slow = alarms.metric_alarms().iter().find(|alarm| alarm.alarm_name() == Some("front-slow")).unwrap();
    assert_eq!(slow.threshold(), Some(1.0));
    let denied = client(1).describe_alarms().send().await.unwrap_err();
    assert_eq!(denied.code(), Some("AccessDenied"));
    assert!(denied.message().unwrap().contains("is not authorized to perform: cloudwatch:DescribeAlarms"));
    let invalid = asked.end_time(from).send().await.unwrap_err();
    assert_eq!(invalid.code(), Some("InvalidParameterValue"));
}

#[tokio::test]
async fn the_codedeploy_client_speaks_json_and_watches_a_canary() {
    use aws_sdk_codedeploy::types::{AppSpecContent, DeploymentStatus, RevisionLocation, RevisionLocationType};
    let sim = beside();
    let config = config!(aws_sdk_codedeploy, sim, sim.contexts()[PROD]).build();
    let client = aws_sdk_codedeploy::Client::from_conf(config);
    let spec = "version: 0.0\nResources:\n  - TargetService:\n      Type: AWS::ECS::Service\n      Properties:\n        \
                TaskDefinition: pay:17\n        LoadBalancerInfo:\n          ContainerName: api\n          ContainerPort: 3000\n";
    let content = AppSpecContent::builder().content(spec).build();
    let revision = RevisionLocation::builder().revision_type(RevisionLocationType::AppSpecContent).app_spec_content(content).build();
    let create = client.create_deployment().application_name("shop-pay").deployment_group_name("shop-pay-production").revision(revision);
    let id = create.clone().send().await.unwrap().deployment_id.unwrap();
    let busy = create.send().await.unwrap_err();
    assert_eq!(busy.code(), Some("DeploymentLimitExceededException"));
    let mut weights = Vec::new();
    for _ in 0..40 {
        sim.step(Duration::from_secs(10));
        let asked = client.get_deployment_target().deployment_id(&id).target_id("shop:pay").send().await.unwrap();
        let target = asked.deployment_target().unwrap().ecs_target().unwrap().clone();
        weights = target.task_sets_info().iter().map(|set| set.traffic_weight().to_string()).collect();
        if weights == ["90", "10"] {
            break;
        }
    }
    assert_eq!(weights, ["90", "10"]);
    let stopped = client.stop_deployment().deployment_id(&id).auto_rollback_enabled(true).send().await.unwrap();
    assert_eq!(stopped.status().map(aws_sdk_codedeploy::types::StopStatus::as_str), Some("Pending"));
    let info = client.get_deployment().deployment_id(&id).send().await.unwrap().deployment_info.unwrap();
    assert_eq!(info.status(), Some(&DeploymentStatus::Stopped));
    let back = info.rollback_info().unwrap().rollback_deployment_id().unwrap().to_owned();
    sim.step(Duration::from_mins(2));
    let info = client.get_deployment().deployment_id(back).send().await.unwrap().deployment_info.unwrap();
    assert_eq!(info.status(), Some(&DeploymentStatus::Succeeded));
}
