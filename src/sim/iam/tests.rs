//! Policies, what calls need, and the words of a denial.

use super::*;
use serde_json::json;

#[test]
fn patterns_match_as_in_a_policy() {
    let list = |patterns: &[&str]| [statement(patterns, &["*"])];
    assert!(allows(&list(&["*"]), "ecs:ListServices", None));
    assert!(allows(&list(&["logs:*", "ECS:describe*"]), "ecs:DescribeTasks", None));
    assert!(allows(&list(&["ecs:*Task?"]), "ecs:ListTasks", None));
    assert!(!allows(&list(&["ecs:Describe*", "ecs:List"]), "ecs:ListTasks", None));
    assert!(!allows(&[], "ecs:ListTasks", None));
    assert!(allows(&[], "sts:GetCallerIdentity", None));
}

fn statement(actions: &[&str], resources: &[&str]) -> Statement {
    let owned = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect();
    Statement { action: owned(actions), resource: owned(resources), passed_to_service: None }
}

#[test]
fn a_statement_holds_for_its_resources_alone() {
    let own = "arn:aws:ecs:eu-west-2:111122223333:service/main/api";
    let policy = [statement(&["ecs:UpdateService"], &["arn:aws:ecs:*:111122223333:service/main/a*"])];
    assert!(allows(&policy, "ecs:UpdateService", Some(own)));
    assert!(!allows(&policy, "ecs:UpdateService", Some("arn:aws:ecs:eu-west-2:111122223333:service/main/cms")));
    assert!(!allows(&policy, "ecs:ListClusters", Some("*")));
    assert!(!allows(&policy, "ecs:UpdateService", None), "what has no resource needs a statement on any");
}

fn need<'a>(service: &'a str, operation: &'a str, body: &'a Value, estate: Option<&'a Estate>) -> Need<'a> {
    Need { service, operation, region: "eu-west-2", account: "1", body, estate }
}

#[test]
fn each_of_several_services_must_be_allowed() {
    let body = json!({"cluster": "main", "services": ["api", "cms"]});
    let names = need("ecs", "DescribeServices", &body, None).resources();
    assert_eq!(names, ["arn:aws:ecs:eu-west-2:1:service/main/api", "arn:aws:ecs:eu-west-2:1:service/main/cms"]);
}

#[test]
fn a_role_that_may_not_be_passed_is_named() {
    let estate = Estate::new("111122223333", "eu-west-2", 1, 0);
    let mut pass = statement(&["iam:PassRole"], &["arn:aws:iam::111122223333:role/api-task-role"]);
    pass.passed_to_service = Some("ecs-tasks.amazonaws.com".to_owned());
    let mut policy = vec![statement(&["ecs:RegisterTaskDefinition"], &["*"]), pass.clone()];
    let refused = |policy: &[Statement], execution: &str| {
        let body = json!({"family": "api", "taskRoleArn": "arn:aws:iam::111122223333:role/api-task-role", "executionRoleArn": execution});
        need("ecs", "RegisterTaskDefinition", &body, Some(&estate)).refused_by(policy)
    };
    let other = "arn:aws:iam::111122223333:role/ecsTaskExecutionRole";
    assert_eq!(refused(&policy, "arn:aws:iam::111122223333:role/api-task-role"), None);
    assert_eq!(refused(&policy, other), Some(("iam:PassRole".to_owned(), Some(other.to_owned()))));
    policy[1].passed_to_service = Some("lambda.amazonaws.com".to_owned());
    assert!(refused(&policy, "arn:aws:iam::111122223333:role/api-task-role").is_some());
}

#[test]
fn tags_and_the_roles_of_a_load_balancer_need_actions_of_their_own() {
    let policy = [statement(&["ecs:RegisterTaskDefinition", "ecs:UpdateService"], &["*"])];
    let tagged = json!({"family": "api", "tags": [{"key": "team", "value": "shop"}]});
    let on = "arn:aws:ecs:eu-west-2:1:task-definition/api:*".to_owned();
    let refused = need("ecs", "RegisterTaskDefinition", &tagged, None).refused_by(&policy);
    assert_eq!(refused, Some(("ecs:TagResource".to_owned(), Some(on))));
    let scaled = json!({"service": "api", "desiredCount": 3});
    assert_eq!(need("ecs", "UpdateService", &scaled, None).refused_by(&policy), None, "scaling passes no role");
    let role = "arn:aws:iam::1:role/ecs-elb";
    let balanced = json!({"service": "api", "loadBalancers": [{"advancedConfiguration": {"roleArn": role}}]});
    let refused = need("ecs", "UpdateService", &balanced, None).refused_by(&policy);
    assert_eq!(refused, Some(("iam:PassRole".to_owned(), Some(role.to_owned()))));
}

#[test]
fn each_write_is_allowed_on_what_it_changes() {
    let of = |service: &str, operation: &str, body: Value| need(service, operation, &body, None).resources().join(" ");
    let arn = "arn:aws:ecs:eu-west-2:1:service-deployment/main/api/abc";
    assert_eq!(of("ecs", "StopServiceDeployment", json!({"serviceDeploymentArn": arn})), arn);
    assert_eq!(of("ecs", "StopTask", json!({"cluster": "main", "task": "0a1b"})), "arn:aws:ecs:eu-west-2:1:task/main/0a1b");
    assert_eq!(of("ecs", "RunTask", json!({"taskDefinition": "job"})), "arn:aws:ecs:eu-west-2:1:task-definition/job");
    let hosts = json!({"cluster": "main", "containerInstances": ["0c", "0d"]});
    let found = of("ecs", "UpdateContainerInstancesState", hosts);
    assert_eq!(found, "arn:aws:ecs:eu-west-2:1:container-instance/main/0c arn:aws:ecs:eu-west-2:1:container-instance/main/0d");
    let names = json!({"Names": ["/app/KEY", "arn:aws:ssm:eu-west-2:1:parameter/app/OTHER"]});
    assert_eq!(of("ssm", "GetParameters", names), "arn:aws:ssm:eu-west-2:1:parameter/app/KEY arn:aws:ssm:eu-west-2:1:parameter/app/OTHER");
    assert_eq!(of("ecs", "DeregisterTaskDefinition", json!({"taskDefinition": "job:1"})), "*");
}

#[test]
fn a_denial_reads_as_awss_own() {
    let resource = need("ecs", "ListServices", &json!({"cluster": "edge"}), None).resources().pop();
    assert_eq!(
        denial("arn:aws:sts::111122223333:assumed-role/oncall/night", "ecs:ListServices", resource.as_deref()),
        "User: arn:aws:sts::111122223333:assumed-role/oncall/night is not authorized to perform: ecs:ListServices on resource: \
         arn:aws:ecs:eu-west-2:1:service/edge/* because no identity-based policy allows the ecs:ListServices action"
    );
}

#[test]
fn a_denial_of_logs_names_the_group() {
    let body = json!({"logGroupIdentifiers": ["arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/api"]});
    let arn = need("logs", "StartLiveTail", &body, None).resources().pop();
    assert_eq!(arn.as_deref(), Some("arn:aws:logs:eu-west-2:1:log-group:/ecs/api:log-stream:"));
    assert!(need("elasticloadbalancing", "DescribeRules", &json!({}), None).resources().is_empty());
}
