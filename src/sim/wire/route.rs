//! Which service and which operation a request is for: `X-Amz-Target`, else the path, else the form's `Action`.
//!
//! The table is the whole of what this AWS can do; anything else gets the error that AWS gives for an unknown operation.

use crate::sim::exec::door;
use serde_json::Value;

/// How a service speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// `application/x-amz-json-1.1`; the operation stands behind this prefix in `X-Amz-Target`.
    Json(&'static str),
    /// A form in, XML out; the version selects the namespace of the reply.
    Query {
        /// As the client names it in `Version`.
        version: &'static str,
        /// `xmlns` of every reply.
        namespace: &'static str,
    },
    /// The same as `application/x-amz-json-1.0`, with the error codes of the query protocol in a header.
    Json10(&'static str),
    /// As [`Protocol::Query`] in EC2's own dialect.
    Ec2 {
        /// As the client names it in `Version`.
        version: &'static str,
        /// `xmlns` of every reply.
        namespace: &'static str,
    },
    /// A WebSocket; what comes before it is a `GET` of a path.
    Socket,
}

impl Protocol {
    /// Of a request and of its reply.
    pub(crate) fn content_type(self) -> &'static str {
        match self {
            Self::Json(_) | Self::Socket => "application/x-amz-json-1.1",
            Self::Json10(_) => "application/x-amz-json-1.0",
            Self::Query { .. } | Self::Ec2 { .. } => "text/xml",
        }
    }
}

/// One AWS service.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Service {
    /// Signing name.
    pub(crate) name: &'static str,
    /// Prefix of its IAM actions.
    pub(crate) iam: &'static str,
    pub(crate) protocol: Protocol,
    /// Its name in paths of RPC v2 CBOR, if it speaks that.
    pub(crate) cbor: Option<&'static str>,
    pub(crate) operations: &'static [&'static str],
}

/// Everything that is served.
pub(crate) const SERVICES: &[Service] = &[
    Service {
        name: "ecs",
        iam: "ecs",
        protocol: Protocol::Json("AmazonEC2ContainerServiceV20141113"),
        cbor: None,
        operations: &[
            "ListClusters",
            "DescribeClusters",
            "ListServices",
            "DescribeServices",
            "ListTasks",
            "DescribeTasks",
            "ListTaskDefinitions",
            "ListTaskDefinitionFamilies",
            "DescribeTaskDefinition",
            "ListContainerInstances",
            "DescribeContainerInstances",
            "DescribeCapacityProviders",
            "ListServiceDeployments",
            "DescribeServiceDeployments",
            "DescribeServiceRevisions",
            "RegisterTaskDefinition",
            "UpdateService",
            "DeleteService",
            "StopTask",
            "RunTask",
            "StopServiceDeployment",
            "ContinueServiceDeployment",
            "UpdateContainerInstancesState",
            "GetTaskProtection",
            "UpdateTaskProtection",
            "DescribeTaskSets",
            "CreateTaskSet",
            "UpdateTaskSet",
            "UpdateServicePrimaryTaskSet",
            "DeleteTaskSet",
            "DeregisterTaskDefinition",
            "ExecuteCommand",
        ],
    },
    Service {
        name: "logs",
        iam: "logs",
        protocol: Protocol::Json("Logs_20140328"),
        cbor: None,
        operations: &["DescribeLogGroups", "DescribeLogStreams", "FilterLogEvents", "GetLogEvents", "StartLiveTail"],
    },
    Service {
        name: "ecr",
        iam: "ecr",
        protocol: Protocol::Json("AmazonEC2ContainerRegistry_V20150921"),
        cbor: None,
        operations: &["DescribeRepositories", "DescribeImages", "ListImages", "BatchGetImage"],
    },
    Service {
        name: "elasticloadbalancing",
        iam: "elasticloadbalancing",
        protocol: Protocol::Query { version: "2015-12-01", namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/" },
        cbor: None,
        operations: &["DescribeTargetGroups", "DescribeTargetHealth", "DescribeLoadBalancers", "DescribeListeners", "DescribeRules"],
    },
    Service {
        name: "sts",
        iam: "sts",
        protocol: Protocol::Query { version: "2011-06-15", namespace: "https://sts.amazonaws.com/doc/2011-06-15/" },
        cbor: None,
        operations: &["GetCallerIdentity", "AssumeRole"],
    },
    Service {
        name: "iam",
        iam: "iam",
        protocol: Protocol::Query { version: "2010-05-08", namespace: "https://iam.amazonaws.com/doc/2010-05-08/" },
        cbor: None,
        operations: &["SimulatePrincipalPolicy", "GetRole", "GetInstanceProfile"],
    },
    Service {
        name: "ec2",
        iam: "ec2",
        protocol: Protocol::Ec2 { version: "2016-11-15", namespace: "http://ec2.amazonaws.com/doc/2016-11-15/" },
        cbor: None,
        operations: &["DescribeInstances", "DescribeSubnets", "DescribeVpcEndpoints", "DescribeRouteTables"],
    },
    Service {
        name: "application-autoscaling",
        iam: "application-autoscaling",
        protocol: Protocol::Json("AnyScaleFrontendService"),
        cbor: None,
        operations: &[
            "DescribeScalableTargets",
            "DescribeScalingPolicies",
            "DescribeScalingActivities",
            "DescribeScheduledActions",
            "RegisterScalableTarget",
        ],
    },
    Service {
        name: "monitoring",
        iam: "cloudwatch",
        protocol: Protocol::Json10("GraniteServiceVersion20100801"),
        cbor: Some("GraniteServiceVersion20100801"),
        operations: &["GetMetricData", "DescribeAlarms", "SetAlarmState"],
    },
    Service {
        name: "codedeploy",
        iam: "codedeploy",
        protocol: Protocol::Json("CodeDeploy_20141006"),
        cbor: Some("CodeDeploy_20141006"),
        operations: &[
            "ListApplications",
            "GetApplication",
            "BatchGetApplications",
            "ListDeploymentGroups",
            "GetDeploymentGroup",
            "BatchGetDeploymentGroups",
            "GetDeploymentConfig",
            "ListDeploymentConfigs",
            "CreateDeployment",
            "GetDeployment",
            "BatchGetDeployments",
            "ListDeployments",
            "ListDeploymentTargets",
            "GetDeploymentTarget",
            "BatchGetDeploymentTargets",
            "StopDeployment",
            "ContinueDeployment",
        ],
    },
    Service {
        name: "ssm",
        iam: "ssm",
        protocol: Protocol::Json("AmazonSSM"),
        cbor: None,
        operations: &["GetParameters", "StartSession", "ResumeSession", "TerminateSession"],
    },
    Service {
        name: "secretsmanager",
        iam: "secretsmanager",
        protocol: Protocol::Json("secretsmanager"),
        cbor: None,
        operations: &["DescribeSecret"],
    },
    Service {
        name: "kms",
        iam: "kms",
        protocol: Protocol::Json("TrentService"),
        cbor: None,
        operations: &["GenerateDataKey", "Decrypt", "DescribeKey"],
    },
    Service { name: "ssmmessages", iam: "ssmmessages", protocol: Protocol::Socket, cbor: None, operations: &["OpenDataChannel"] },
];

/// Where a request goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) service: &'static Service,
    pub(crate) operation: &'static str,
    /// The request came in CBOR, and so goes the reply.
    pub(crate) cbor: bool,
}

impl Route {
    /// In IAM's spelling, `ecs:ListServices`.
    pub(crate) fn action(self) -> String {
        format!("{}:{}", self.service.iam, self.operation)
    }

    /// Whether it leads to a shell: such a request must be fresh, for whoever has an old one has no key.
    pub(crate) fn is_door(self) -> bool {
        let name = (self.service.name, self.operation);
        matches!(name, ("ecs", "ExecuteCommand") | ("ssm", "StartSession" | "ResumeSession" | "TerminateSession") | ("ssmmessages", _))
    }

    /// Whether its errors have the codes of the query protocol.
    pub(crate) fn is_query(self) -> bool {
        matches!(self.service.protocol, Protocol::Query { .. } | Protocol::Ec2 { .. })
    }
}

/// Why a request goes nowhere.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Lost {
    /// `X-Amz-Target` names no operation of ours.
    Target,
    /// A path of the CBOR protocol for no operation of ours.
    Cbor,
    /// A form with an `Action` that the version does not have.
    Action { namespace: &'static str, message: String },
    /// A form without `Action`.
    NoAction,
}

/// Finds the operation. `form` is the body if it is a form, `scope` the service that the signature names.
///
/// # Errors
/// See [`Lost`].
pub(crate) fn route(target: Option<&str>, path: &str, form: &Value, scope: Option<&str>) -> Result<Route, Lost> {
    if let Some(target) = target {
        return by_target(target).ok_or(Lost::Target);
    }
    if path.starts_with(door::PATH) {
        let socket = SERVICES.iter().find(|service| service.protocol == Protocol::Socket).ok_or(Lost::Target)?;
        return Ok(Route { service: socket, operation: socket.operations[0], cbor: false });
    }
    if let Some(rest) = path.strip_prefix("/service/") {
        return by_path(rest).ok_or(Lost::Cbor);
    }
    let text = |key: &str| form.get(key).and_then(Value::as_str);
    let Some(action) = text("Action") else {
        return Err(Lost::NoAction);
    };
    let version = text("Version").unwrap_or_default();
    let mut near = "";
    for service in SERVICES {
        let (Protocol::Query { version: spoken, namespace } | Protocol::Ec2 { version: spoken, namespace }) = service.protocol else {
            continue;
        };
        // The version tells the services apart; without one the scope of the signature does.
        if version != spoken && !(version.is_empty() && scope == Some(service.name)) {
            continue;
        }
        near = namespace;
        if let Some(operation) = service.operations.iter().find(|operation| **operation == action) {
            return Ok(Route { service, operation, cbor: false });
        }
    }
    Err(Lost::Action { namespace: near, message: format!("Could not find operation {action} for version {version}") })
}

fn by_target(target: &str) -> Option<Route> {
    let (prefix, name) = target.split_once('.')?;
    let service =
        SERVICES.iter().find(|service| matches!(service.protocol, Protocol::Json(own) | Protocol::Json10(own) if own == prefix))?;
    let operation = service.operations.iter().find(|operation| **operation == name)?;
    Some(Route { service, operation, cbor: false })
}

/// `NAME/operation/OPERATION`.
fn by_path(rest: &str) -> Option<Route> {
    let (spoken, name) = rest.split_once("/operation/")?;
    let service = SERVICES.iter().find(|service| service.cbor == Some(spoken))?;
    let operation = service.operations.iter().find(|operation| **operation == name)?;
    Some(Route { service, operation, cbor: true })
}

/// Every action in IAM's spelling, `ecs:ListServices`.
pub(crate) fn actions() -> impl Iterator<Item = String> {
    SERVICES.iter().flat_map(|service| service.operations.iter().map(|operation| format!("{}:{operation}", service.iam)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn name(found: Result<Route, Lost>) -> Result<String, Lost> {
        found.map(|route| format!("{}:{}", route.service.name, route.operation))
    }

    #[test]
    fn the_target_header_comes_first_then_the_path_then_the_form() {
        let form = json!({"Action": "DescribeRules", "Version": "2015-12-01"});
        let ecs = Some("AmazonEC2ContainerServiceV20141113.ListClusters");
        assert_eq!(name(route(ecs, "/", &form, None)), Ok("ecs:ListClusters".to_owned()));
        let path = "/service/GraniteServiceVersion20100801/operation/GetMetricData";
        assert_eq!(name(route(None, path, &form, None)), Ok("monitoring:GetMetricData".to_owned()));
        assert_eq!(name(route(None, "/", &form, None)), Ok("elasticloadbalancing:DescribeRules".to_owned()));
        let bare = json!({"Action": "GetCallerIdentity"});
        assert_eq!(name(route(None, "/", &bare, Some("sts"))), Ok("sts:GetCallerIdentity".to_owned()));
    }

    #[test]
    fn codedeploy_speaks_json_and_cbor_and_metrics_are_cloudwatchs_to_iam() {
        let json = route(Some("CodeDeploy_20141006.GetDeployment"), "/", &json!({}), None);
        assert_eq!(json.map(|route| (route.action(), route.cbor)), Ok(("codedeploy:GetDeployment".to_owned(), false)));
        let cbor = route(None, "/service/CodeDeploy_20141006/operation/GetDeployment", &json!({}), None);
        assert_eq!(cbor.map(|route| (route.action(), route.cbor)), Ok(("codedeploy:GetDeployment".to_owned(), true)));
        let path = "/service/GraniteServiceVersion20100801/operation/DescribeAlarms";
        assert_eq!(route(None, path, &json!({}), None).map(Route::action), Ok("cloudwatch:DescribeAlarms".to_owned()));
    }

    #[test]
    fn what_is_not_served_is_named_unknown() {
        assert_eq!(route(Some("AmazonEC2ContainerServiceV20141113.CreateCluster"), "/", &json!({}), None), Err(Lost::Target));
        assert_eq!(route(Some("CloudTrail_20131101.LookupEvents"), "/", &json!({}), None), Err(Lost::Target));
        assert_eq!(route(None, "/service/Granite/operation/GetMetricData", &json!({}), None), Err(Lost::Cbor));
        assert_eq!(route(None, "/service/CodeDeploy_20141006/operation/DeleteApplication", &json!({}), None), Err(Lost::Cbor));
        assert_eq!(route(None, "/", &json!({}), None), Err(Lost::NoAction));
        let gone = route(None, "/", &json!({"Action": "DescribeStars", "Version": "2015-12-01"}), None);
        let Err(Lost::Action { namespace, message }) = gone else { panic!("must be unknown") };
        assert_eq!(message, "Could not find operation DescribeStars for version 2015-12-01");
        assert!(namespace.contains("elasticloadbalancing"));
    }
}
