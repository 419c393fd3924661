//! Who may call what: an allow-list of actions for each access key, and AWS's wording when an action is not on it.
//!
//! Only identity policies without conditions or resources: enough to see a client without `ecs:ListServices`, or without
//! Live Tail. It knows nothing of how the request came.

use serde_json::Value;

/// True if a pattern like `ecs:Describe*` or `*` names `action`; as in IAM, case does not matter.
pub(super) fn allows(patterns: &[String], action: &str) -> bool {
    // "No permissions are required to perform this operation", says the reference of STS.
    action == "sts:GetCallerIdentity" || patterns.iter().any(|pattern| matches(pattern, action))
}

/// IAM's wildcards: `*` for any run of characters, `?` for one; without regard to case.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    // Where to take up again when the last `*` has to swallow one character more.
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p + 1, t));
                p += 1;
            }
            Some(wanted) if *wanted == b'?' || wanted.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((after, from)) => {
                    star = Some((after, from + 1));
                    p = after;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|rest| *rest == b'*')
}

/// The message of an `AccessDenied`: it names the caller, the action and, where the action has one, the resource.
pub(super) fn denial(caller_arn: &str, action: &str, resource: Option<&str>) -> String {
    let on = resource.map(|arn| format!(" on resource: {arn}")).unwrap_or_default();
    format!("User: {caller_arn} is not authorized to perform: {action}{on} because no identity-based policy allows the {action} action")
}

/// The resource that AWS names when it denies an ECS or a Logs call; Elastic Load Balancing names none for its Describe calls.
pub(super) fn resource(service: &str, operation: &str, region: &str, account: &str, body: &Value) -> Option<String> {
    let text = |key: &str| body.get(key).and_then(Value::as_str);
    let last = |arn: &str| arn.rsplit('/').next().unwrap_or_default().to_owned();
    let ecs = |rest: String| Some(format!("arn:aws:ecs:{region}:{account}:{rest}"));
    let cluster = text("cluster").map_or_else(|| "default".to_owned(), last);
    match (service, operation) {
        ("ecs", "DescribeClusters") => {
            let name =
                body.get("clusters").and_then(|names| names.get(0)).and_then(Value::as_str).map_or_else(|| "default".to_owned(), last);
            ecs(format!("cluster/{name}"))
        }
        ("ecs", "ListServices" | "ListTasks" | "ListContainerInstances") => {
            let kind = match operation {
                "ListServices" => "service",
                "ListTasks" => "task",
                _ => return ecs(format!("cluster/{cluster}")),
            };
            ecs(format!("{kind}/{cluster}/*"))
        }
        ("ecs", "DescribeServices" | "UpdateService") => {
            let first = body.get("services").and_then(|names| names.get(0)).and_then(Value::as_str);
            ecs(format!("service/{cluster}/{}", last(first.or_else(|| text("service")).unwrap_or("*"))))
        }
        ("ecs", "DescribeTasks" | "StopTask") => {
            let first = body.get("tasks").and_then(|names| names.get(0)).and_then(Value::as_str);
            ecs(format!("task/{cluster}/{}", last(first.or_else(|| text("task")).unwrap_or("*"))))
        }
        ("logs", "DescribeLogGroups") => Some(format!("arn:aws:logs:{region}:{account}:log-group::log-stream:")),
        ("logs", _) => {
            let listed = body.get("logGroupIdentifiers").and_then(|names| names.get(0)).and_then(Value::as_str);
            let group = text("logGroupName").or_else(|| text("logGroupIdentifier")).or(listed).unwrap_or("*");
            let name = group.split(":log-group:").last().unwrap_or(group);
            Some(format!("arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:"))
        }
        ("ecr", _) => {
            let name = text("repositoryName").unwrap_or("*");
            Some(format!("arn:aws:ecr:{region}:{account}:repository/{name}"))
        }
        ("application-autoscaling", "RegisterScalableTarget") => {
            Some(format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/*"))
        }
        ("codedeploy", _) => {
            let application = text("applicationName").unwrap_or("*");
            let group = text("deploymentGroupName").or_else(|| text("currentDeploymentGroupName"));
            match (operation, group) {
                ("ListApplications" | "ListDeploymentConfigs", _) => None,
                ("GetDeploymentConfig", _) => {
                    Some(format!("arn:aws:codedeploy:{region}:{account}:deploymentconfig:{}", text("deploymentConfigName").unwrap_or("*")))
                }
                ("GetApplication" | "BatchGetApplications" | "ListDeploymentGroups", _) => {
                    Some(format!("arn:aws:codedeploy:{region}:{account}:application:{application}"))
                }
                (_, group) => Some(format!("arn:aws:codedeploy:{region}:{account}:deploymentgroup:{application}/{}", group.unwrap_or("*"))),
            }
        }
        ("monitoring", "DescribeAlarms" | "SetAlarmState") => {
            let name = body.get("AlarmNames").and_then(|names| names.get(0)).and_then(Value::as_str).or_else(|| text("AlarmName"));
            Some(format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", name.unwrap_or("*")))
        }
        ("ecs", _) => Some("*".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn patterns_match_as_in_a_policy() {
        let list = |patterns: &[&str]| patterns.iter().map(|p| (*p).to_owned()).collect::<Vec<_>>();
        assert!(allows(&list(&["*"]), "ecs:ListServices"));
        assert!(allows(&list(&["logs:*", "ECS:describe*"]), "ecs:DescribeTasks"));
        assert!(allows(&list(&["ecs:*Task?"]), "ecs:ListTasks"));
        assert!(!allows(&list(&["ecs:Describe*", "ecs:List"]), "ecs:ListTasks"));
        assert!(!allows(&[], "ecs:ListTasks"));
        assert!(allows(&[], "sts:GetCallerIdentity"));
    }

    #[test]
    fn a_denial_reads_as_awss_own() {
        let resource = resource("ecs", "ListServices", "eu-west-1", "111122223333", &json!({"cluster": "edge"}));
        assert_eq!(
            denial("arn:aws:sts::111122223333:assumed-role/oncall/night", "ecs:ListServices", resource.as_deref()),
            "User: arn:aws:sts::111122223333:assumed-role/oncall/night is not authorized to perform: ecs:ListServices on resource: \
             arn:aws:ecs:eu-west-1:111122223333:service/edge/* because no identity-based policy allows the ecs:ListServices action"
        );
    }

    #[test]
    fn a_denial_of_logs_names_the_group() {
        let body = json!({"logGroupIdentifiers": ["arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/api"]});
        let arn = resource("logs", "StartLiveTail", "eu-west-1", "111122223333", &body);
        assert_eq!(arn.as_deref(), Some("arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/api:log-stream:"));
        assert_eq!(resource("elasticloadbalancing", "DescribeRules", "eu-west-1", "1", &json!({})), None);
    }
}
