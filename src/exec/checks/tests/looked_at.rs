//! What IAM, EC2 and KMS say of a session: passed, failed with the fix, and may not look.

use super::{fails, one, refused, says, seen, warns, well, with_cluster, with_definition, with_task};
use crate::exec::checks::looked::AGENT;
use crate::exec::checks::{Facts, Finding, Known};
use crate::model::{
    ContainerInstance, Decision, Ec2Instance, Endpoint, ExecConfiguration, KmsKey, Look, Right, RightsAsked, Seen, Service, Str, Subnet,
    WayOut, sample,
};
use std::sync::Arc;

const ACCOUNT: &str = "123456789012";

fn right(action: &str, resource: &str, decision: Decision) -> Right {
    Right { action: action.into(), resource: resource.into(), decision, missing: Vec::new(), by_organization: false, by_boundary: false }
}

/// What the simulator answers when all but these actions are allowed.
fn simulated(asked: &RightsAsked, denied: &dyn Fn(&str) -> Option<Right>) -> Seen {
    let resources: Vec<Str> = if asked.resources.is_empty() { vec!["*".into()] } else { asked.resources.clone() };
    let all = asked.actions.iter().flat_map(|action| resources.iter().map(move |on| (action, on)));
    Seen::Rights(all.map(|(action, on)| denied(action).unwrap_or_else(|| right(action, on, Decision::Allowed))).collect())
}

fn nat() -> Vec<WayOut> {
    vec![WayOut { to: "0.0.0.0/0".into(), through: "nat-0a1b".into(), works: true }]
}

/// A network, and rights of which some are missing.
struct Account<'a> {
    routes: Vec<WayOut>,
    endpoints: Vec<Endpoint>,
    owner: &'a str,
    key: &'a str,
    denied: &'a dyn Fn(&str) -> Option<Right>,
}

impl Default for Account<'_> {
    fn default() -> Self {
        Account { routes: nat(), endpoints: Vec::new(), owner: ACCOUNT, key: "Enabled", denied: &|_| None }
    }
}

impl Account<'_> {
    fn answers(&self, facts: Facts) -> Facts {
        seen(facts, |look| {
            Known::Yes(Arc::new(match look {
                Look::Rights(asked) => simulated(asked, self.denied),
                Look::Instance(_) => Seen::Instance(Ec2Instance {
                    profile: Some("ecsInstanceRole".into()),
                    subnet: Some("subnet-host".into()),
                    public: false,
                }),
                Look::Profile(_) => Seen::Profile(Some("arn:aws:iam::123456789012:role/ecsInstanceRole".into())),
                Look::Subnet(_) => Seen::Subnet(Subnet { vpc: "vpc-1".into(), owner: self.owner.into() }),
                Look::Endpoints(_) => Seen::Endpoints(self.endpoints.clone()),
                Look::Routes { .. } => Seen::Routes(self.routes.clone()),
                Look::Key(_) => Seen::Key(KmsKey { arn: "arn:aws:kms:eu-west-1:123456789012:key/11111111".into(), state: self.key.into() }),
            }))
        })
    }
}

fn endpoint(service: &str, state: &str, private_dns: bool) -> Endpoint {
    let service = format!("com.amazonaws.eu-west-1.{service}").into();
    Endpoint { id: "vpce-1".into(), service, kind: "Interface".into(), state: state.into(), private_dns }
}

/// A Fargate task in a subnet, without a public address.
fn placed() -> Facts {
    let mut facts = with_task(|task| task.subnet = Some("subnet-1".into()));
    facts.service = Known::Yes(Arc::new(Service { public_ip: Some("DISABLED".into()), ..sample::service("api") }));
    facts
}

fn keyed() -> Facts {
    let mut facts = with_cluster(ExecConfiguration { key: Some("alias/exec".into()), ..ExecConfiguration::default() });
    facts.task = placed().task;
    facts
}

fn refuse(actions: &'static [&'static str], decision: Decision) -> impl Fn(&str) -> Option<Right> {
    move |action| actions.contains(&action).then(|| right(action, "*", decision))
}

fn with_rights(facts: Facts, denied: &dyn Fn(&str) -> Option<Right>) -> Facts {
    Account { denied, ..Account::default() }.answers(facts)
}

fn passes(facts: &Facts, what: &str, words: &[&str]) {
    let found = one(facts, what);
    assert_eq!(found.result, Finding::Passed, "{found:?}");
    says(&found, words);
}

#[test]
fn where_everything_is_allowed_all_checks_pass() {
    let facts = Account::default().answers(placed());
    passes(&facts, "caller's rights", &["ecs:ExecuteCommand", "ssmmessages:OpenDataChannel"]);
    passes(&facts, "role's rights", &["four actions"]);
    passes(&facts, "way to ssmmessages", &["subnet-1", "nat-0a1b"]);
    passes(&facts, "port forwarding", &["ssm:StartSession"]);
    passes(&Account::default().answers(keyed()), "encryption", &["alias/exec", "kms:GenerateDataKey", "kms:Decrypt"]);
}

#[test]
fn the_callers_missing_right_is_failed_with_the_statement_to_add_and_keeps_nobody_from_trying() {
    let exec = refuse(&["ecs:ExecuteCommand"], Decision::ImplicitDeny);
    let facts = with_rights(placed(), &exec);
    let statement = "\"Action\": [\"ecs:ExecuteCommand\"]";
    fails(&facts, "caller's rights", &["no statement allows it", "add to OnCall", statement, ":task/", ":cluster/"]);
    assert!(one(&facts, "caller's rights").surmise);
    let channel = refuse(&["ssmmessages:OpenDataChannel"], Decision::ExplicitDeny);
    let words = ["a statement denies it", "arn:aws:ssm:*:*:session/ecs-execute-command-*"];
    fails(&with_rights(placed(), &channel), "caller's rights", &words);
    let resume = refuse(&["ssm:ResumeSession"], Decision::ImplicitDeny);
    warns(&with_rights(placed(), &resume), "caller's rights", &["cannot be resumed", "ssm:ResumeSession"]);
}

#[test]
fn who_comes_from_identity_center_is_sent_to_the_permission_set_and_looked_for_under_the_roles_path() {
    let of_center = |facts: Facts| {
        let mut caller = facts.caller.yes().unwrap().as_ref().clone();
        caller.arn = "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_On_Call_0123456789abcdef/maria".into();
        Facts { caller: Known::Yes(Arc::new(caller)), ..facts }
    };
    let exec = refuse(&["ecs:ExecuteCommand"], Decision::ImplicitDeny);
    fails(&with_rights(of_center(placed()), &exec), "caller's rights", &["add to the permission set On_Call of IAM Identity Center: {"]);
    let role =
        "--policy-source-arn \"$(aws iam get-role --role-name AWSReservedSSO_On_Call_0123456789abcdef --query Role.Arn --output text)\"";
    says(&one(&refused(of_center(placed())), "caller's rights"), &[role]);
}

#[test]
fn a_right_that_hangs_on_a_condition_is_a_warning_and_one_on_the_callers_name_never_fits() {
    let missing = |key: &'static str, action: &'static str| {
        move |asked: &str| (asked == action).then(|| Right { missing: vec![key.into()], ..right(action, "*", Decision::ImplicitDeny) })
    };
    let tagged = missing("aws:ResourceTag/team", "ecs:ExecuteCommand");
    warns(&with_rights(placed(), &tagged), "caller's rights", &["depends on aws:ResourceTag/team"]);
    let named = missing("aws:userid", "ssmmessages:OpenDataChannel");
    fails(&with_rights(placed(), &named), "caller's rights", &["called by the user", "ecs-execute-command-*"]);
    let organization = |action: &str| {
        (action == "ecs:ExecuteCommand").then(|| Right { by_organization: true, ..right(action, "*", Decision::ImplicitDeny) })
    };
    warns(
        &with_rights(placed(), &organization),
        "caller's rights",
        &["the organisation's policies do not allow it", "if it fails, ask whoever"],
    );
}

#[test]
fn what_may_not_be_looked_at_says_so_with_the_line_for_somebody_who_may() {
    let facts = refused(placed());
    for (what, action) in [
        ("caller's rights", "iam:SimulatePrincipalPolicy"),
        ("role's rights", "iam:SimulatePrincipalPolicy"),
        ("way to ssmmessages", "ec2:DescribeSubnets"),
    ] {
        let found = one(&facts, what);
        let Finding::MayNotLook { action: told, look } = &found.result else { panic!("{found:?}") };
        assert_eq!(&**told, action);
        assert!(look.as_ref().is_some_and(|look| look.contains("aws ")), "{found:?}");
        says(&found, &[&format!("may not look: AccessDenied for {action}")]);
    }
    let hidden = one(&refused(keyed()), "encryption");
    assert!(matches!(&hidden.result, Finding::MayNotLook { action, .. } if &**action == "kms:DescribeKey"), "behind an alias: {hidden:?}");
    for (what, word) in [("encryption", "kms:GenerateDataKey"), ("session log", "script and cat")] {
        let mut facts = keyed();
        if let Known::Yes(cluster) = &mut facts.cluster {
            let exec = &mut Arc::make_mut(cluster).exec;
            (exec.logging, exec.log_group) = (Some("OVERRIDE".into()), Some(("/exec".into(), false)));
            exec.key = Some("arn:aws:kms:eu-west-1:123456789012:key/1".into());
        }
        let found = one(&refused(facts), what);
        assert!(matches!(found.result, Finding::MayNotLook { .. }), "{found:?}");
        says(&found, &[word]);
    }
}

#[test]
fn the_task_roles_missing_right_is_failed_with_the_statement_to_add() {
    let denied = refuse(&["ssmmessages:OpenDataChannel", "ssmmessages:CreateDataChannel"], Decision::ImplicitDeny);
    let facts = with_rights(placed(), &denied);
    let both = "\"ssmmessages:CreateDataChannel\", \"ssmmessages:OpenDataChannel\"";
    fails(&facts, "role's rights", &["add to api: ", both, "then start a new task"]);
    let none = with_rights(placed(), &refuse(&AGENT, Decision::ImplicitDeny));
    fails(&none, "role's rights", &["the four actions of ssmmessages: no statement allows it"]);
}

#[test]
fn on_ec2_the_instances_role_stands_in_for_a_task_role_and_its_subnet_for_the_tasks() {
    let mut facts = with_definition(|definition| definition.task_role = None);
    let task = Arc::make_mut(&mut facts.task);
    (task.launch_type, task.subnet, task.capacity_provider) = (Some("EC2".into()), None, None);
    let instance =
        ContainerInstance { ec2_instance: Some("i-0a1b".into()), agent_version: Some("1.102.0".into()), ..ContainerInstance::default() };
    facts.instance = Known::Yes(Arc::new(instance));
    let answered = Account::default().answers(facts.clone());
    passes(&answered, "task role", &["the instance's", "ecsInstanceRole"]);
    passes(&answered, "role's rights", &[]);
    passes(&answered, "way to ssmmessages", &["subnet-host"]);
    let bare = seen(facts.clone(), |look| match look {
        Look::Instance(_) => {
            Known::Yes(Arc::new(Seen::Instance(Ec2Instance { subnet: Some("subnet-host".into()), ..Ec2Instance::default() })))
        }
        _ => Known::Reading,
    });
    fails(&bare, "task role", &["its instance has no role either", "taskRoleArn"]);
    let found = one(&refused(facts), "task role");
    assert!(matches!(found.result, Finding::MayNotLook { .. }), "{found:?}");
}

#[test]
fn without_a_route_or_an_endpoint_the_way_is_failed_with_the_endpoint_to_create() {
    let sealed = Account { routes: Vec::new(), endpoints: vec![endpoint("ecs", "available", true)], ..Account::default() };
    let create = "aws ec2 create-vpc-endpoint --region eu-west-1 --vpc-id vpc-1";
    fails(
        &sealed.answers(placed()),
        "way to ssmmessages",
        &["subnet-1 has no route out", "no interface endpoint", create, ".ssmmessages "],
    );
    let hole = WayOut { works: false, ..nat().remove(0) };
    let gone = Account { routes: vec![hole], ..Account::default() };
    fails(&gone.answers(placed()), "way to ssmmessages", &["nat-0a1b", "which is gone"]);
    let gateway = WayOut { through: "igw-1".into(), ..nat().remove(0) };
    let public = Account { routes: vec![gateway], ..Account::default() };
    fails(&public.answers(placed()), "way to ssmmessages", &["takes only public addresses"]);
    let mut open = placed();
    open.service = Known::Yes(Arc::new(Service { public_ip: Some("ENABLED".into()), ..sample::service("api") }));
    passes(&public.answers(open), "way to ssmmessages", &["igw-1", "public address"]);
    let elsewhere = WayOut { through: "tgw-1".into(), ..nat().remove(0) };
    let transit = Account { routes: vec![elsewhere], ..Account::default() };
    let found = one(&transit.answers(placed()), "way to ssmmessages");
    assert!(matches!(&found.result, Finding::Unknown { look } if look.contains("tgw-1")), "{found:?}");
}

#[test]
fn an_interface_endpoint_is_a_way_as_long_as_it_works() {
    let by = |endpoints: &[Endpoint], facts: Facts| {
        Account { routes: Vec::new(), endpoints: endpoints.to_vec(), ..Account::default() }.answers(facts)
    };
    let good = endpoint("ssmmessages", "available", true);
    passes(&by(std::slice::from_ref(&good), placed()), "way to ssmmessages", &["vpce-1", "vpc-1"]);
    fails(&by(&[endpoint("ssmmessages", "pending", true)], placed()), "way to ssmmessages", &["vpce-1 is pending"]);
    warns(&by(&[endpoint("ssmmessages", "available", false)], placed()), "way to ssmmessages", &["private DNS"]);
    fails(&by(std::slice::from_ref(&good), keyed()), "way to ssmmessages", &["none for kms", "com.amazonaws.eu-west-1.kms "]);
    passes(&by(&[good, endpoint("kms", "available", true)], keyed()), "way to ssmmessages", &[]);
    // Where a route leads out, an endpoint that does not work is no matter.
    let beside = Account { endpoints: vec![endpoint("ssmmessages", "deleted", true)], ..Account::default() };
    passes(&beside.answers(placed()), "way to ssmmessages", &["nat-0a1b"]);
}

#[test]
fn a_subnet_that_another_account_shares_is_not_judged() {
    let shared = Account { owner: "999988887777", routes: Vec::new(), ..Account::default() };
    let found = one(&shared.answers(placed()), "way to ssmmessages");
    assert!(matches!(found.result, Finding::Unknown { .. }), "{found:?}");
    says(&found, &["999988887777", "shares it"]);
}

#[test]
fn a_key_that_is_disabled_or_not_allowed_is_told() {
    let off = Account { key: "PendingDeletion", ..Account::default() };
    fails(&off.answers(keyed()), "encryption", &["PendingDeletion"]);
    passes(&Account { key: "Updating", ..Account::default() }.answers(keyed()), "encryption", &["kms:Decrypt"]);
    let decrypt = refuse(&["kms:Decrypt"], Decision::ImplicitDeny);
    let facts = with_rights(keyed(), &decrypt);
    warns(&facts, "encryption", &["kms:Decrypt: no statement allows it", "the key's own policy may", "add to api"]);
    let deny = refuse(&["kms:GenerateDataKey"], Decision::ExplicitDeny);
    fails(&with_rights(keyed(), &deny), "encryption", &["a statement denies it", "OnCall"]);
}

#[test]
fn a_log_that_the_role_may_not_write_is_failed_and_a_bucket_is_a_warning() {
    let recorded = || {
        let exec = ExecConfiguration {
            logging: Some("OVERRIDE".into()),
            log_group: Some(("/exec".into(), false)),
            bucket: Some(("audit/prod".into(), false)),
            ..ExecConfiguration::default()
        };
        with_cluster(exec)
    };
    passes(&with_rights(recorded(), &|_| None), "session log", &["write there", "script and cat"]);
    let logs = refuse(&["logs:PutLogEvents"], Decision::ImplicitDeny);
    fails(&with_rights(recorded(), &logs), "session log", &["logs:PutLogEvents: no statement allows it", "add to api"]);
    let bucket = refuse(&["s3:PutObject"], Decision::ImplicitDeny);
    warns(&with_rights(recorded(), &bucket), "session log", &["s3:PutObject"]);
}

#[test]
fn forwarding_that_is_not_allowed_is_an_aside_and_no_warning() {
    let denied = refuse(&["ssm:StartSession"], Decision::ImplicitDeny);
    let found = one(&with_rights(placed(), &denied), "port forwarding");
    assert_eq!((found.result.clone(), found.word()), (Finding::Aside, "aside"));
    says(&found, &["a shell does not need it"]);
}

#[test]
fn a_question_is_asked_once_and_names_whom_iam_knows() {
    let facts = Account::default().answers(keyed());
    let rights: Vec<&RightsAsked> =
        facts.looked.iter().filter_map(|(look, _)| if let Look::Rights(asked) = look { Some(&**asked) } else { None }).collect();
    assert_eq!(rights.len(), 6, "two of a session, forwarding, a data key, the agent, decrypting: {rights:#?}");
    assert!(rights.iter().all(|asked| asked.who.starts_with("arn:aws:iam::123456789012:role/")), "{rights:#?}");
    let exec = rights.iter().find(|asked| asked.actions == ["ecs:ExecuteCommand".into()]).unwrap();
    let told = |key: &str| exec.context.iter().find(|(known, _)| &**known == key).map(|(_, value)| value.clone());
    assert_eq!(told("ecs:container-name"), Some(well().container));
    assert_eq!(told("aws:RequestedRegion").as_deref(), Some("eu-west-1"));
    assert!(told("ecs:cluster").is_some_and(|cluster| cluster.ends_with(":cluster/main")), "{exec:?}");
}
