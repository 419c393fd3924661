//! What to check where a text tells more than its cause: the certificate behind a network that fails, the policy behind a refusal, the kind
//! of volume.
//!
//! Rows never change a cause. The first that fits takes the place of what the rule would have said, so the closest come first.

use super::super::Cause as C;
use super::super::fragments::{self, NO_REGION};
use super::super::rule::Check;

const UNREACHED: &[C] = &[C::ImagePullNetwork, C::SecretNetwork, C::LogNetwork, C::EnvFileUnavailable, C::ExecAgent, C::VolumeMount];
const REFUSED: &[C] = &[
    C::ImagePullDenied,
    C::SecretDenied,
    C::LogDriverDenied,
    C::EnvFileUnavailable,
    C::VolumeMount,
    C::RoleUnassumable,
    C::RollingBack,
    C::ExecAgent,
    C::NetworkInterface,
    C::Other,
];
const VOLUME: &[C] = &[C::VolumeMount];
const INTERFACE: &[C] = &[C::NetworkInterface];
const LOG_DENIED: &[C] = &[C::LogDriverDenied];

pub(super) const fn check(
    of: &'static [C],
    all: &'static [&'static [&'static str]],
    none: &'static [&'static str],
    next: &'static str,
) -> Check {
    Check { of, all, none, next }
}

/// All rows.
pub(super) const ALL: &[Check] = &[
    // Who refuses. Source: IAM's guide, "Troubleshoot access denied error messages".
    check(
        REFUSED,
        &[&["service control policy"]],
        &[],
        "the organization's service control policy[: what it says of {action}]; what the role[ {role}] allows does not count against it",
    ),
    check(
        REFUSED,
        &[&["resource control policy"]],
        &[],
        "the organization's resource control policy[: what it says of {action}]; what the role[ {role}] allows does not count against it",
    ),
    check(
        REFUSED,
        &[&["permissions boundary"]],
        &[],
        "the permissions boundary of the role[ {role}][: that it allows {action}]; the role's own policies cannot exceed it",
    ),
    check(REFUSED, &[&["session policy"]], &[], "the session policy that the role[ {role}] was assumed with[: that it allows {action}]"),
    check(REFUSED, &[&["vpc endpoint policy"]], &[], "the policy of the VPC endpoint[: that it allows {action}][ for role {role}]"),
    check(
        REFUSED,
        &[&["explicit deny in a resource-based policy", "explicit deny in the resource-based policy"]],
        &[],
        "the policy of the thing itself (secret, key, repository, bucket, file system): a statement there denies[ {action}], whatever the role allows",
    ),
    check(
        REFUSED,
        &[&["no resource-based policy allows"]],
        &[],
        "the policy of the thing itself (secret, key, repository, bucket, file system)[: that it allows {action}][ for role {role}]",
    ),
    check(
        REFUSED,
        &[&["explicit deny in an identity-based policy"]],
        &[],
        "the policies of the role[ {role}] and its groups: one denies[ {action}] outright, and what others allow does not count against it",
    ),
    // Who may assume a role that ECS uses for itself. Source: the guide's pages on the infrastructure role and on lifecycle hooks.
    check(
        &[C::RoleUnassumable],
        &[&["infrastructure role", "lifecycle hook", "networking configuration"]],
        &[],
        "that the role[ {role}] exists, that ecs.amazonaws.com may assume it (trust policy; ecs-tasks.amazonaws.com does not count here), and iam:PassRole of whoever named it",
    ),
    // What stands between.
    check(
        UNREACHED,
        &[&["proxyconnect", "proxy authentication", "proxy error"]],
        &[],
        "the proxy[ {proxy}]: that it runs and lets this host through; HTTP_PROXY and NO_PROXY of docker and of the agent",
    ),
    check(
        UNREACHED,
        &[&["x509:", "certificate", "unknown authority", "tls: bad", "tls: unknown"]],
        &[],
        "the certificate[ of {host}]: its dates against the clock here, its names, and that its authority is known here; a firewall or proxy may put its own in its place",
    ),
    check(
        UNREACHED,
        &[&["http response to https"]],
        &[],
        "whether the registry[ at {host}] speaks TLS on this port; if not, insecure-registries of docker",
    ),
    // Logs.
    check(&[C::LogNetwork], &[NO_REGION], &[], "awslogs-region of the task definition: that it is set and there is such a region"),
    check(
        LOG_DENIED,
        &[&["imds role", "ec2imds", "nocredentialproviders", "no valid providers", "refresh cached credentials"]],
        &[],
        "the credentials that docker has on this host: the instance role and its metadata service; outside EC2 ECS_ENABLE_AWSLOGS_EXECUTIONROLE_OVERRIDE",
    ),
    check(
        LOG_DENIED,
        &[&["failed to initialize logging driver"], &["cannotstartcontainer", "response from daemon"]],
        &["resourceinitializationerror"],
        "logs:CreateLogStream and logs:PutLogEvents (logs:CreateLogGroup with awslogs-create-group) of the instance role, by which docker writes logs on an instance",
    ),
    check(
        &[C::LogNetwork],
        &[&["fluentd", "24224", "gelf", "splunk", "syslog", "1514", "failed to initialize logging driver: dial"]],
        &["cloudwatch"],
        "the log server[ {host}] (fluentd, FireLens, GELF, Splunk, syslog): its address in logConfiguration, and that it runs before this container starts (dependsOn)",
    ),
    // Volumes by their kind.
    check(
        VOLUME,
        &[&["s3files", "s3 files"]],
        &[],
        "S3 Files: the kind of volume in the task definition, mount target in the task's zone, port 2049, rights of the task role",
    ),
    check(
        VOLUME,
        &[&["fsx"], &["describefilesystems", "describing filesystem"], &["denied", "not authorized"]],
        &[],
        "fsx:DescribeFileSystems of the execution role[ {role}], by which the agent looks for the file system",
    ),
    check(
        VOLUME,
        &[&["fsx"], &["describefilesystems", "describing filesystem"], fragments::UNREACHED],
        &[],
        "the instance's route to the API of FSx, by which the agent looks for the file system: NAT or an endpoint, security groups, DNS",
    ),
    check(
        VOLUME,
        &[&["fsx", "credentialsparameter"]],
        &[],
        "FSx: its credentials (a secret or parameter that the execution role may read), domain and DNS, port 445, and that the instance runs Windows",
    ),
    check(
        VOLUME,
        &[&["mount.nfs", "efs ", "efs:", "elasticfilesystem"], &["no such file or directory"]],
        &[],
        "EFS: that the root directory exists in the file system, for only an access point makes one",
    ),
    check(
        VOLUME,
        &[&["mount.nfs", "efs ", "efs:", "elasticfilesystem"], &["access denied", "not authorized", "accessdenied"]],
        &[],
        "EFS: the file system's policy, elasticfilesystem:ClientMount of the task role, IAM authorization with transit encryption, the access point",
    ),
    check(
        VOLUME,
        &[&["mount.nfs", "efs ", "efs:", "elasticfilesystem"], &["failed to resolve", "name or service not known", "no such host"]],
        &[],
        "EFS: a mount target in the task's zone, DNS resolution and hostnames of the VPC, and the resolver of the instance",
    ),
    check(
        VOLUME,
        &[&["mount.nfs", "efs ", "efs:", "elasticfilesystem", ".efs.", "fs-0"]],
        &[],
        "EFS: mount target in the task's zone, port 2049 from the task's security group, DNS, access point, IAM",
    ),
    check(
        VOLUME,
        &[&["volume plugin", "volumedriver", "plugin \""]],
        &[],
        "the volume's driver: that its plugin is installed and enabled on this instance, and its log",
    ),
    check(
        VOLUME,
        &[&["chown", "operation not permitted"]],
        &[],
        "who may own the files: an access point's POSIX user keeps docker from giving them another owner; users and paths of the image",
    ),
    check(
        VOLUME,
        &[&["volumelimit", "snapshotlimit", "storage limit"]],
        &[],
        "Service Quotas of EBS: storage of that type in this region, and volumes that nothing uses",
    ),
    // Source: the guide's page on EBS volumes, where only file systems are behind this text.
    check(
        VOLUME,
        &[&["ebs "], &["timed out while configuring"]],
        &[],
        "EBS: filesystemType against the task's operating system (xfs, ext4 and ext3 on Linux, NTFS on Windows) and against the snapshot's; on EC2 the agent's log",
    ),
    check(
        VOLUME,
        &[&["ebs ", "ebs-", "createvolume", "attachvolume", "snapshot", "vol-"]],
        &[],
        "EBS: rights of the infrastructure role, quota of storage, KMS key, snapshot, and the zone",
    ),
    check(
        VOLUME,
        &[&["no such volume", "autoprovision", "volume referenced", "invalidvolume", "duplicate mount point"]],
        &[],
        "volumes and mountPoints of the task definition: that each name is declared once; a docker volume must be on the instance or have autoprovision",
    ),
    check(
        VOLUME,
        &[&["volume target not available", "volume source container"]],
        &[],
        "volumesFrom of the task definition: that the container it names is there",
    ),
    check(
        VOLUME,
        &[&["bind source", "mount source", "bind mount", "error mounting", "type \"bind\"", "not a directory"]],
        &[],
        "the bind mount: that the path is on the host, a file where the container wants a file and a folder where it wants a folder; what is mounted there on the host itself",
    ),
    // The network interface and the load balancer.
    check(
        INTERFACE,
        &[&["launch instance"], &["free addresses", "insufficientfreeaddresses"]],
        &[],
        "free addresses of the subnet[ {subnet}]: the capacity provider[ {provider}] needs a larger one or another beside it",
    ),
    check(
        INTERFACE,
        &[&["free addresses", "free ip addresses", "insufficientfreeaddresses"]],
        &[],
        "free addresses of the subnet[ {subnet}]: a larger one or another beside it, and interfaces that nothing uses",
    ),
    // What the agent builds on the instance, behind an interface that is there.
    check(
        INTERFACE,
        &[&["ipv6-only", "ipv6 subnet"]],
        &[],
        "the IPv6 gateway of the subnet[ {subnet}]: a task with IPv6 alone needs one; the agent's log on the instance",
    ),
    check(
        INTERFACE,
        &[&[" hns", "hcn", "hnsendpoint"]],
        &[],
        "the host network service (HNS) of the Windows instance, the agent's log and its CNI plugins; a restart of the instance frees what hangs",
    ),
    check(
        INTERFACE,
        &[&["network namespace", "cni plugin", "cni configuration", "cni setup", "ecscni", "containernetworking"]],
        &[],
        "the agent's log and the CNI plugins on the instance (/var/log/ecs); replace the instance if it is the only one that fails so",
    ),
    check(
        INTERFACE,
        &[&["does not exist", "notfound", "not found"]],
        &["launch instance", "device name"],
        "networkConfiguration of the service: that[ {subnet}][ {securitygroup}] still exists, in this VPC; a new deployment with another, if not",
    ),
    check(
        INTERFACE,
        &[&["tagpolicyviolation"]],
        &[],
        "the organization's tag policy against the tags of the service (propagateTags, enableECSManagedTags)",
    ),
    check(
        INTERFACE,
        &[&["authfailure", "not authorized", "unauthorizedoperation"]],
        &[],
        "AWSServiceRoleForECS: that it exists and may make interfaces; a shared subnet's or security group's owner; it may pass by itself",
    ),
    check(
        &[C::ElbHealthCheck],
        &[&["not enabled for the load balancer"]],
        &[],
        "the load balancer's Availability Zones: enable the task's zone there, or take its subnet out of the service",
    ),
    check(
        &[C::ElbHealthCheck],
        &[&["target group is not found", "target is not found"]],
        &[],
        "that the target group[ {group}] still exists and the service names it, and that the task is registered there",
    ),
    check(
        INTERFACE,
        &[&["resource:eni"]],
        &[],
        "interfaces of the instances, of which each awsvpc task takes one: ENI trunking (awsvpcTrunking), larger instances, or more of them",
    ),
    // Placement.
    check(
        &[C::PlacementAttribute],
        &[&["gpu"]],
        &[],
        "GPUs: what the task asks for (resourceRequirements) against what the instances have and other tasks hold; an old task holds its own until it stops",
    ),
    check(
        &[C::PlacementAttribute],
        &[&["distinctinstance"]],
        &[],
        "distinctInstance: it takes one instance for each task, those of a deployment under way too",
    ),
    check(
        &[C::QuotaReached],
        &[&["vcpulimit", "instance bucket"]],
        &[],
        "EC2's quota of vCPUs for such instances in Service Quotas (Running On-Demand or Spot instances; it is not the one of Fargate), and what else uses it",
    ),
    check(
        &[C::HostTerminated],
        &[&["deregistration forced"]],
        &[],
        "who took the instance out of the cluster: CloudTrail DeregisterContainerInstance (with force)",
    ),
    check(
        &[C::ExecAgent],
        &[&["read-only file system"]],
        &[],
        "readonlyRootFilesystem of the container: ECS Exec writes there, so it does not work with it",
    ),
    // Deployments that went back.
    check(
        &[C::RollingBack],
        &[&["pause hook timed out"]],
        &[],
        "who was to call ContinueServiceDeployment, and did not in time; the hook's timeoutInMinutes, and timeoutConfiguration.action if it is to go on by itself",
    ),
    check(&[C::RollingBack], &[&["lambda:invokefunction"]], &[], "lambda:InvokeFunction of the hook's role[ {role}][ for {function}]"),
    check(
        &[C::RollingBack],
        &[&["returned failed", "parse the response", "hook target", "hookstatus"]],
        &[],
        "the hook's function[ {function}]: its log, and that it answers with a hookStatus in time",
    ),
    // Source: the guide's page on blue/green trouble, which means the trust policy by this text.
    check(
        &[C::RollingBack],
        &[&["missing permissions on ecs infrastructure role"]],
        &[],
        "that ecs.amazonaws.com may assume the role[ {role}] (trust policy), then that its policies allow what ECS does on the load balancer",
    ),
    check(
        &[C::RollingBack],
        &[&["not authorized to perform", "missing permissions"]],
        &[],
        "the policies of the role[ {role}] that ECS uses on the load balancer[: that they allow {action}]",
    ),
    check(
        &[C::RollingBack],
        &[&["listener", "target group", "targetgroup", "rules not found"]],
        &[],
        "the listener rules: that production and test rule are there and route to the service's two target groups[ ({group})], one of them with the traffic",
    ),
];
