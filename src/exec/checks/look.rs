//! Lines for the AWS CLI that look at what this program may not, or does not, look at itself: whole, to be copied and run.

use super::{Facts, Known};

/// Whether a role may do something; resources as IAM wants them, none for all.
pub(super) fn may(role: &str, actions: &str, resources: &[String]) -> String {
    // Identity Center's roles have a path, which the ARN of their sessions does not show.
    let role = match role.rsplit_once(":role/") {
        Some((_, name)) if permission_set(name).is_some() => {
            format!("\"$(aws iam get-role --role-name {name} --query Role.Arn --output text)\"")
        }
        _ => role.to_owned(),
    };
    let on = if resources.is_empty() { String::new() } else { format!(" --resource-arns {}", resources.join(" ")) };
    format!(
        "aws iam simulate-principal-policy --policy-source-arn {role} --action-names {actions}{on} \
         --query 'EvaluationResults[].[EvalActionName,EvalDecision]' --output text"
    )
}

/// The permission set of IAM Identity Center that a role was made from.
pub(super) fn permission_set(role: &str) -> Option<&str> {
    Some(role.strip_prefix("AWSReservedSSO_")?.rsplit_once('_')?.0)
}

/// The key of a cluster, which it may name by id or alias too: IAM knows only its ARN.
pub(super) fn key(facts: &Facts, key: &str) -> String {
    if key.starts_with("arn:") && key.contains(":key/") {
        return key.to_owned();
    }
    format!("$(aws kms describe-key --region {} --key-id {key} --query KeyMetadata.Arn --output text)", facts.task.arn.region())
}

/// Something that `DescribeTasks` tells.
pub(super) fn task(facts: &Facts, what: &str) -> String {
    let task = &facts.task;
    let (region, cluster, name) = (task.arn.region(), task.cluster.name(), task.arn.name());
    format!("aws ecs describe-tasks --region {region} --cluster {cluster} --tasks {name} --query 'tasks[].{what}' --output text")
}

/// The version of the agent on the task's instance.
pub(super) fn agent(facts: &Facts) -> String {
    let Known::Yes(instance) = &facts.instance else { return task(facts, "containerInstanceArn") };
    let (region, cluster) = (facts.task.arn.region(), facts.task.cluster.name());
    format!(
        "aws ecs describe-container-instances --region {region} --cluster {cluster} --container-instances {} \
         --query 'containerInstances[].versionInfo.agentVersion' --output text",
        instance.arn.name()
    )
}

/// The profile of the task's instance, whose role the agent acts as.
pub(super) fn profile(facts: &Facts) -> String {
    let Some(instance) = facts.instance.yes().and_then(|instance| instance.ec2_instance.as_deref()) else {
        return task(facts, "containerInstanceArn");
    };
    format!(
        "aws ec2 describe-instances --region {} --instance-ids {instance} \
         --query 'Reservations[].Instances[].IamInstanceProfile.Arn' --output text",
        facts.task.arn.region()
    )
}

/// An interface endpoint in the subnet's VPC, and the subnet's routes.
pub(super) fn way(facts: &Facts, subnet: Option<&str>) -> String {
    let region = facts.task.arn.region();
    let endpoints =
        format!("aws ec2 describe-vpc-endpoints --region {region} --filters Name=service-name,Values=com.amazonaws.{region}.ssmmessages");
    let Some(subnet) = subnet else { return endpoints };
    let vpc = format!("$(aws ec2 describe-subnets --region {region} --subnet-ids {subnet} --query 'Subnets[].VpcId' --output text)");
    format!(
        "{endpoints} Name=vpc-id,Values={vpc}, and a route out: \
         aws ec2 describe-route-tables --region {region} --filters Name=association.subnet-id,Values={subnet} \
         (none: the VPC's main table, Name=association.main,Values=true Name=vpc-id,Values={vpc})"
    )
}
