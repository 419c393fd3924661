//! Who may call what on what: the statements of a policy for each access key, and AWS's wording when none of them allows a call.
//!
//! Only identity policies that allow, with the one condition `iam:PassedToService`: enough to see a client without
//! `ecs:ListServices`, without Live Tail, or with two services and nothing else. It knows nothing of how the request came.

mod service;

pub(super) use service::{INSTANCE_ROLE, handle};

use super::scenario::schema::Statement;
use super::world::Estate;
use serde_json::Value;

/// Who ECS passes the roles of tasks to.
const PASSED_TO: &str = "ecs-tasks.amazonaws.com";
/// Who takes on the roles of load balancers and lifecycle hooks.
const ECS: &str = "ecs.amazonaws.com";

/// Actions that calls need beside their own, so that a fault rule can name them.
pub(super) const BESIDE: [&str; 4] =
    ["iam:PassRole", "ecs:TagResource", "codedeploy:GetDeploymentConfig", "codedeploy:RegisterApplicationRevision"];

/// Whether a statement allows `action` on `resource`; without a resource, only a statement on any resource does. As in IAM, the case
/// of actions does not matter.
pub(super) fn allows(policy: &[Statement], action: &str, resource: Option<&str>) -> bool {
    // "No permissions are required to perform this operation", says the reference of STS.
    action == "sts:GetCallerIdentity" || grants(policy, action, resource, PASSED_TO)
}

/// As [`allows`], when a role that is passed goes to this service.
fn grants(policy: &[Statement], action: &str, resource: Option<&str>, to: &str) -> bool {
    policy.iter().any(|statement| {
        statement.action.iter().any(|pattern| matches(pattern, action))
            && statement.resource.iter().any(|pattern| matches(pattern, resource.unwrap_or("*")))
            && statement.passed_to_service.as_deref().is_none_or(|service| action == "iam:PassRole" && service == to)
    })
}

/// A call, as far as policies care.
pub(super) struct Need<'a> {
    /// Signing name.
    pub(super) service: &'a str,
    pub(super) operation: &'a str,
    pub(super) region: &'a str,
    pub(super) account: &'a str,
    /// Parameters.
    pub(super) body: &'a Value,
    /// Where names are looked up; none if the account has nothing in the region.
    pub(super) estate: Option<&'a Estate>,
}

/// An action that is needed, and on what.
pub(super) type Demand = (String, Option<String>);

impl Need<'_> {
    /// The first action that the policy does not allow, and the resource that it names.
    pub(super) fn refused_by(&self, policy: &[Statement]) -> Option<Demand> {
        // CloudWatch is the one service that signs with another name than its policies use.
        let prefix = if self.service == "monitoring" { "cloudwatch" } else { self.service };
        let action = format!("{prefix}:{}", self.operation);
        let resources = self.resources();
        if resources.is_empty() && !allows(policy, &action, None) {
            return Some((action, None));
        }
        if let Some(refused) = resources.into_iter().find(|arn| !allows(policy, &action, Some(arn))) {
            return Some((action, Some(refused)));
        }
        let passed = self.roles_to_ecs().into_iter().find(|role| !grants(policy, "iam:PassRole", Some(role), ECS));
        let passed = passed.map(|role| ("iam:PassRole".to_owned(), Some(role)));
        passed.or_else(|| self.to_tasks_and_tags().into_iter().find(|(action, on)| !allows(policy, action, on.as_deref())))
    }

    /// What the call needs beside its own action.
    pub(super) fn beside(&self) -> Vec<Demand> {
        let passed = self.roles_to_ecs().into_iter().map(|role| ("iam:PassRole".to_owned(), Some(role)));
        passed.chain(self.to_tasks_and_tags()).collect()
    }

    /// Roles of load balancers and lifecycle hooks, which ECS itself takes on.
    fn roles_to_ecs(&self) -> Vec<String> {
        if (self.service, self.operation) != ("ecs", "UpdateService") {
            return Vec::new();
        }
        let list = |at: &str| self.body.pointer(at).and_then(Value::as_array).into_iter().flatten();
        let balancers = list("/loadBalancers").filter_map(|lb| lb.pointer("/advancedConfiguration/roleArn"));
        let hooks = list("/deploymentConfiguration/lifecycleHooks").filter_map(|hook| hook.get("roleArn"));
        balancers.chain(hooks).filter_map(Value::as_str).map(str::to_owned).collect()
    }

    fn to_tasks_and_tags(&self) -> Vec<Demand> {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str);
        let tagged = self.body.get("tags").and_then(Value::as_array).is_some_and(|tags| !tags.is_empty());
        let roles = |from: &Value| ["taskRoleArn", "executionRoleArn"].map(|key| from.get(key).and_then(Value::as_str).map(str::to_owned));
        let pass = |role: String| ("iam:PassRole".to_owned(), Some(role));
        let tag = |on: String| ("ecs:TagResource".to_owned(), Some(format!("arn:aws:ecs:{}:{}:{on}", self.region, self.account)));
        match (self.service, self.operation) {
            ("ecs", "RegisterTaskDefinition") => {
                let tags = tagged.then(|| tag(format!("task-definition/{}:*", text("family").unwrap_or("*"))));
                roles(self.body).into_iter().flatten().map(pass).chain(tags).collect()
            }
            ("ecs", "RunTask") => {
                let definition = self.estate.and_then(|estate| named_definition(estate, text("taskDefinition").unwrap_or_default()));
                let overridden = self.body.get("overrides").map_or([None, None], roles);
                let own = definition.as_ref().map_or([None, None], roles);
                let handed = overridden.into_iter().zip(own).filter_map(|(over, own)| over.or(own));
                // On the task that is to be: `task/CLUSTER/*`.
                let tags = tagged.then(|| tag(format!("task/{}/*", text("cluster").map_or("default", last))));
                handed.map(pass).chain(tags).collect()
            }
            // The policies of those who deploy with CI name these beside CreateDeployment.
            ("codedeploy", "CreateDeployment") => {
                let group = self.estate.and_then(|estate| {
                    let (application, group) = (text("applicationName")?, text("deploymentGroupName")?);
                    estate.code_deploy.groups.iter().find(|g| g.application == application && g.name == group)
                });
                let config = text("deploymentConfigName").or_else(|| group.map(|g| g.traffic.name.as_str())).unwrap_or("*");
                let of = |kind: &str, name: &str| Some(format!("arn:aws:codedeploy:{}:{}:{kind}:{name}", self.region, self.account));
                vec![
                    ("codedeploy:GetDeploymentConfig".to_owned(), of("deploymentconfig", config)),
                    ("codedeploy:RegisterApplicationRevision".to_owned(), of("application", text("applicationName").unwrap_or("*"))),
                ]
            }
            _ => Vec::new(),
        }
    }

    /// The resources that a call needs to be allowed on. AWS names the first that it refuses in its denial; for Elastic Load
    /// Balancing's Describe calls there are none, and for calls that have no resource of their own it says `*`.
    pub(super) fn resources(&self) -> Vec<String> {
        let key = match (self.service, self.operation) {
            ("ecs", "DescribeServices") => "services",
            ("ecs", "DescribeTasks" | "GetTaskProtection" | "UpdateTaskProtection") => "tasks",
            ("ecs", "DescribeClusters") => "clusters",
            ("ecs", "DescribeContainerInstances" | "UpdateContainerInstancesState") => "containerInstances",
            ("ecs", "DescribeServiceDeployments") => "serviceDeploymentArns",
            ("ecs", "DescribeServiceRevisions") => "serviceRevisionArns",
            ("ssm", "GetParameters") => "Names",
            ("ecs", "ExecuteCommand") => return self.of_session_in_task(),
            ("ssm", "StartSession") => return self.of_session_to_target(),
            _ => "",
        };
        let several = self.body.get(key).and_then(Value::as_array).filter(|all| all.len() > 1);
        let Some(several) = several else { return self.resource(self.body).into_iter().collect() };
        let one = |name: &Value| {
            let mut body = self.body.clone();
            body[key] = Value::Array(vec![name.clone()]);
            self.resource(&body)
        };
        several.iter().filter_map(one).collect()
    }
}

impl Need<'_> {
    /// A session needs its task and its cluster.
    fn of_session_in_task(&self) -> Vec<String> {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str).map(last);
        let cluster = text("cluster").unwrap_or("default");
        let on = |rest: String| format!("arn:aws:ecs:{}:{}:{rest}", self.region, self.account);
        vec![on(format!("task/{cluster}/{}", text("task").unwrap_or("*"))), on(format!("cluster/{cluster}"))]
    }
}

impl Need<'_> {
    /// A session to a target needs the task that the target means, and the document.
    fn of_session_to_target(&self) -> Vec<String> {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str);
        let target = text("Target").and_then(|target| target.strip_prefix("ecs:")).unwrap_or("*");
        let mut parts = target.rsplitn(3, '_');
        let (_, task, cluster) = (parts.next(), parts.next().unwrap_or("*"), parts.next().unwrap_or("*"));
        let document = text("DocumentName").unwrap_or("SSM-SessionManagerRunShell");
        vec![
            format!("arn:aws:ecs:{}:{}:task/{cluster}/{task}", self.region, self.account),
            format!("arn:aws:ssm:{}::document/{document}", self.region),
        ]
    }
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or_default()
}

/// The document of the task definition that a request means.
fn named_definition(estate: &Estate, name: &str) -> Option<Value> {
    let definition = match last(name).split_once(':') {
        Some((family, revision)) => revision.parse().ok().and_then(|revision| estate.definition(family, revision)),
        None => estate.newest(last(name)),
    };
    serde_json::from_str(&definition?.document).ok()
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

impl Need<'_> {
    fn resource(&self, body: &Value) -> Option<String> {
        let Self { service, operation, region, account, .. } = *self;
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let first = |key: &str| body.get(key).and_then(|names| names.get(0)).and_then(Value::as_str);
        match service {
            "ecs" => self.ecs_resource(body).map(|rest| match rest {
                rest if rest == "*" || rest.starts_with("arn:") => rest,
                rest => format!("arn:aws:ecs:{region}:{account}:{rest}"),
            }),
            "logs" if operation == "DescribeLogGroups" => Some(format!("arn:aws:logs:{region}:{account}:log-group::log-stream:")),
            "logs" => {
                let listed = first("logGroupIdentifiers");
                let group = text("logGroupName").or_else(|| text("logGroupIdentifier")).or(listed).unwrap_or("*");
                let name = group.split(":log-group:").last().unwrap_or(group);
                Some(format!("arn:aws:logs:{region}:{account}:log-group:{name}:log-stream:"))
            }
            "ecr" => Some(format!("arn:aws:ecr:{region}:{account}:repository/{}", text("repositoryName").unwrap_or("*"))),
            "application-autoscaling" if operation == "RegisterScalableTarget" => {
                Some(format!("arn:aws:application-autoscaling:{region}:{account}:scalable-target/*"))
            }
            "codedeploy" => self.code_deploy_resource().map(|rest| format!("arn:aws:codedeploy:{region}:{account}:{rest}")),
            "monitoring" if operation != "GetMetricData" => {
                let name = first("AlarmNames").or_else(|| text("AlarmName"));
                Some(format!("arn:aws:cloudwatch:{region}:{account}:alarm:{}", name.unwrap_or("*")))
            }
            "kms" => {
                let id = text("KeyId").map_or("*", |key| key.rsplit('/').next().unwrap_or(key));
                Some(format!("arn:aws:kms:{region}:{account}:key/{id}"))
            }
            "ssm" if operation.ends_with("Session") => {
                Some(format!("arn:aws:ssm:{region}:{account}:session/{}", text("SessionId").unwrap_or("*")))
            }
            "ssmmessages" => Some(format!("arn:aws:ssm:{region}:{account}:session/{}", text("session").unwrap_or("*"))),
            "ssm" => {
                let name = first("Names").unwrap_or("*");
                let name = name.rsplit_once(":parameter/").map_or(name, |(_, name)| name);
                Some(format!("arn:aws:ssm:{region}:{account}:parameter/{}", name.trim_start_matches('/')))
            }
            "secretsmanager" => text("SecretId").map(str::to_owned),
            "iam" => {
                let on = |kind: &str, name: &str| Some(format!("arn:aws:iam::{account}:{kind}/{name}"));
                match operation {
                    "SimulatePrincipalPolicy" => text("PolicySourceArn").map(str::to_owned),
                    "GetRole" => on("role", text("RoleName").unwrap_or("*")),
                    _ => on("instance-profile", text("InstanceProfileName").unwrap_or("*")),
                }
            }
            _ => None,
        }
    }

    /// What follows the account in the ARN, a whole ARN, or `*`.
    fn ecs_resource(&self, body: &Value) -> Option<String> {
        let text = |key: &str| body.get(key).and_then(Value::as_str);
        let first = |key: &str| body.get(key).and_then(|names| names.get(0)).and_then(Value::as_str);
        let cluster = text("cluster").map_or("default", last);
        let of_cluster = |kind: &str, name: Option<&str>| Some(format!("{kind}/{cluster}/{}", name.map_or("*", last)));
        match self.operation {
            "DescribeClusters" => Some(format!("cluster/{}", first("clusters").map_or("default", last))),
            "ListContainerInstances" => Some(format!("cluster/{cluster}")),
            "ListServices" => of_cluster("service", None),
            "ListTasks" => of_cluster("task", None),
            "DescribeServices" => of_cluster("service", first("services")),
            "UpdateService" | "DeleteService" | "UpdateServicePrimaryTaskSet" => of_cluster("service", text("service")),
            "ListServiceDeployments" => {
                // A service ARN names its cluster as well.
                let service = text("service").filter(|name| name.starts_with("arn:"));
                service.map(str::to_owned).or_else(|| of_cluster("service", text("service")))
            }
            "DescribeTasks" | "GetTaskProtection" | "UpdateTaskProtection" => of_cluster("task", first("tasks")),
            "StopTask" => of_cluster("task", text("task")),
            "DescribeContainerInstances" | "UpdateContainerInstancesState" => of_cluster("container-instance", first("containerInstances")),
            "StopServiceDeployment" | "ContinueServiceDeployment" => Some(text("serviceDeploymentArn").unwrap_or("*").to_owned()),
            "DescribeServiceDeployments" => Some(first("serviceDeploymentArns").unwrap_or("*").to_owned()),
            "DescribeServiceRevisions" => Some(first("serviceRevisionArns").unwrap_or("*").to_owned()),
            "CreateTaskSet" | "UpdateTaskSet" | "DeleteTaskSet" | "DescribeTaskSets" => {
                let service = text("service").map_or("*", last);
                let set = text("taskSet").or_else(|| first("taskSets")).map_or("*", last);
                Some(format!("task-set/{cluster}/{service}/{}", set.trim_start_matches("ecs-svc/")))
            }
            "RegisterTaskDefinition" => Some(format!("task-definition/{}:*", text("family").unwrap_or("*"))),
            // A family alone stands there as it was sent.
            "RunTask" => Some(format!("task-definition/{}", text("taskDefinition").map_or("*", last))),
            // The reference lists no resource for it, yet policies name task definitions here; those are taken at their word.
            "DescribeTaskDefinition" => {
                let wanted = text("taskDefinition").map_or("*", last);
                Some(if wanted.contains(':') { format!("task-definition/{wanted}") } else { format!("task-definition/{wanted}:*") })
            }
            _ => Some("*".to_owned()),
        }
    }

    fn code_deploy_resource(&self) -> Option<String> {
        let text = |key: &str| self.body.get(key).and_then(Value::as_str);
        let application = text("applicationName").unwrap_or("*");
        match self.operation {
            "ListApplications" | "ListDeploymentConfigs" => None,
            "GetDeploymentConfig" => Some(format!("deploymentconfig:{}", text("deploymentConfigName").unwrap_or("*"))),
            "GetApplication" | "BatchGetApplications" | "ListDeploymentGroups" => Some(format!("application:{application}")),
            _ => {
                // A deployment belongs to its group.
                let of_id = text("deploymentId").and_then(|id| {
                    let releases = &self.estate?.code_deploy;
                    let release = releases.releases.iter().find(|r| r.id == id)?;
                    releases.groups.get(release.group).map(|g| (g.application.as_str(), g.name.as_str()))
                });
                let (application, group) = of_id.unwrap_or((application, text("deploymentGroupName").unwrap_or("*")));
                Some(format!("deploymentgroup:{application}/{group}"))
            }
        }
    }
}

#[cfg(test)]
mod tests;
