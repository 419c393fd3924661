//! What a refusal of ECS, or the text with which a session ended, means. The texts are AWS's; the first row that fits speaks.
//!
//! Sources: documentation of `ExecuteCommand` and of ECS Exec's troubleshooting, the texts of the SSM agent, and issues of its clients.

/// What a text means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explained {
    /// The cause, one clause.
    pub cause: String,
    /// What to do, one clause.
    pub fix: String,
}

/// One meaning: any of the fragments is in the text, which is compared in small letters, with straight apostrophes.
struct Row {
    any: &'static [&'static str],
    cause: &'static str,
    fix: &'static str,
}

const ROWS: &[Row] = &[
    Row {
        any: &["execute command was not enabled", "execute command agent isn't running", "execute command agent is not running"],
        cause: "the task was started without enableExecuteCommand, or its ExecuteCommandAgent does not run",
        fix: "enable exec on the service and redeploy; if it was enabled, look at the agent's state and reason, and wait if the task is young",
    },
    Row {
        any: &[
            "kmsencryption failed",
            "fetching data key failed",
            "error while initiating handshake",
            "kms:decrypt",
            "kms:generatedatakey",
        ],
        cause: "the session is to be encrypted with the cluster's KMS key, and one end may not use it",
        fix: "you need kms:GenerateDataKey on the key, the task role kms:Decrypt; both need a way to KMS",
    },
    Row {
        any: &["encryption is not set up on the selected cloudwatch logs log group", "cloudwatch logs log group"],
        cause: "the cluster wants sessions recorded in an encrypted log group, and the group is not encrypted or the task role may not look",
        fix: "encrypt the group or clear cloudWatchEncryptionEnabled; the task role needs logs:DescribeLogGroups, logs:CreateLogStream, logs:DescribeLogStreams and logs:PutLogEvents",
    },
    Row {
        any: &["encryption is not set up on the selected amazon s3 bucket", "amazon s3 bucket"],
        cause: "the cluster wants sessions recorded in an encrypted bucket, and the bucket is not encrypted or the task role may not look",
        fix: "encrypt the bucket or clear s3EncryptionEnabled; the task role needs s3:GetEncryptionConfiguration, s3:GetBucketLocation and s3:PutObject",
    },
    Row {
        any: &["plugin with name interactivecommands not found", "no space left on device"],
        cause: "the agent could not write its files: /tmp or the disk of the container is full, or its root file system is read-only",
        fix: "make room in the container, or start a new task without readonlyRootFilesystem",
    },
    Row {
        any: &["unable to start command", "executable file not found", "no such file or directory"],
        cause: "the image does not have the command that was to be run",
        fix: "try sh, or a command that the image has; images made from scratch or distroless have no shell at all",
    },
    Row {
        any: &["timed out waiting for encryption challenge", "handshake timed out"],
        cause: "the handshake of an encrypted session took the agent more than 15 seconds",
        fix: "try again; if it stays so, look at the way from the task to KMS",
    },
    Row {
        any: &["timed out due to inactivity"],
        cause: "AWS ends a session after 20 minutes without a byte; the command may still run in the container",
        fix: "open a new session; for long work use something that goes on without one",
    },
    Row {
        any: &["maximum number of sessions", "session limit", "concurrent sessions", "too many sessions"],
        cause: "the container has as many sessions as the agent allows, two unless it is configured otherwise",
        fix: "end one; a session whose client vanished holds its place until it has idled for 20 minutes",
    },
    Row {
        any: &["forwarding to ip address"],
        cause: "the agent never forwards to the metadata service and to addresses that AWS reserves",
        fix: "choose a host of your own network",
    },
    Row {
        any: &["connection to destination port failed", "connect to port", "connection refused"],
        cause: "nothing listens on that port, or a security group keeps the task from the host",
        fix: "check that the process listens on this port inside the task",
    },
    Row {
        any: &["no execute command agent", "agent version", "platform version"],
        cause: "the agent or the platform is too old for ECS Exec",
        fix: "Fargate needs platform version 1.4.0 or later, EC2 an ECS agent 1.50.2 or later",
    },
    Row {
        any: &["targetnotconnected", "due to an internal error", "is not connected"],
        cause: "the agent in the task is not in contact with Session Manager: role, network or the agent itself",
        fix: "the task role needs the four ssmmessages actions, and the subnet a NAT gateway or an interface endpoint for ssmmessages; a task that has just started often recovers in 10 seconds",
    },
    Row {
        any: &["clusternotfound", "cluster not found"],
        cause: "AWS knows no such cluster in this account and region",
        fix: "check account and region",
    },
    Row {
        any: &[
            "task not found",
            "referenced task was not found",
            "invalid identifier: unexpected number of separators",
            "task was not found",
        ],
        cause: "AWS knows no such task any more",
        fix: "choose a task that runs",
    },
    Row {
        any: &["task is stopped", "task is not running", "task has stopped", "is not in running", "container is not running"],
        cause: "the task or the container does not run",
        fix: "choose a task that runs",
    },
    Row {
        any: &["container not found", "container name", "no container"],
        cause: "the task has no container of that name",
        fix: "choose one of the task's containers",
    },
    Row {
        any: &["throttling", "rate exceeded", "too many requests"],
        cause: "AWS has had too many calls from this account",
        fix: "wait some seconds and try again",
    },
    Row {
        any: &["expiredtoken", "token has expired", "credentials have expired", "security token included in the request is expired"],
        cause: "your credentials have expired",
        fix: "log in again",
    },
    Row {
        any: &["read-only", "readonly"],
        cause: "the root file system is read-only, and the agent must write its files",
        fix: "register a revision without readonlyRootFilesystem and deploy that",
    },
];

/// What a text of ECS or of the channel means; nothing when it is none of those that are known.
#[must_use]
pub fn explain_failure(text: &str) -> Option<Explained> {
    let text = text.to_lowercase().replace(['\u{2019}', '\u{02bc}'], "'");
    if let Some(denied) = denied(&text) {
        return Some(denied);
    }
    let row = ROWS.iter().find(|row| row.any.iter().any(|fragment| text.contains(fragment)))?;
    Some(Explained { cause: row.cause.to_owned(), fix: row.fix.to_owned() })
}

/// A right that is missing, with whose it is: the agent's own are the task role's.
fn denied(text: &str) -> Option<Explained> {
    let refused = ["accessdenied", "not authorized to perform", "access denied", "403"].iter().any(|word| text.contains(word));
    if !refused {
        return None;
    }
    let after =
        text.split_once("not authorized to perform: ").or_else(|| text.split_once("not authorized to perform ")).map(|(_, rest)| rest);
    let action: String = after.unwrap_or_default().chars().take_while(|c| c.is_alphanumeric() || matches!(c, ':' | '-' | '*')).collect();
    // AWS spells actions in camel case; the text was made small to be compared.
    let known = [
        "ecs:ExecuteCommand",
        "ssm:StartSession",
        "ssm:ResumeSession",
        "ssm:TerminateSession",
        "ssmmessages:OpenDataChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:OpenControlChannel",
        "kms:GenerateDataKey",
        "kms:Decrypt",
        "logs:DescribeLogGroups",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
    ];
    let spelled = known.into_iter().find(|known| known.eq_ignore_ascii_case(&action) || text.contains(&known.to_lowercase()));
    let cause = |who: &str, action: &str| format!("{who} may not do {action}");
    let explained = |cause: String, fix: &str| Some(Explained { cause, fix: fix.to_owned() });
    match spelled {
        Some(action @ "ecs:ExecuteCommand") => explained(
            cause("your role", action),
            "ask for it on the task and on the cluster; a condition on ecs:container-name or on a tag may be what refuses",
        ),
        Some(action @ "ssm:StartSession") => explained(
            cause("your role", action),
            "port forwarding needs it on the task and on the document AWS-StartPortForwardingSession; many organisations refuse it on purpose",
        ),
        Some(
            action @ ("kms:Decrypt" | "logs:DescribeLogGroups" | "logs:CreateLogStream" | "logs:DescribeLogStreams" | "logs:PutLogEvents"),
        ) => explained(cause("the task role", action), "give it to the task role"),
        Some(action @ ("ssmmessages:CreateDataChannel" | "ssmmessages:CreateControlChannel" | "ssmmessages:OpenControlChannel")) => {
            explained(cause("the task role", action), "give the task role the four ssmmessages actions, then start a new task")
        }
        Some(action @ "ssmmessages:OpenDataChannel") => {
            explained(cause("your role", action), "ask for it on arn:aws:ssm:*:*:session/ecs-execute-command-*")
        }
        Some(action) => explained(cause("your role", action), "ask for it"),
        // The upgrade of the channel says no more than its number.
        None if text.contains("403") && !text.contains("accessdenied") => explained(
            "AWS refused the data channel: your role may lack ssmmessages:OpenDataChannel, or the credentials have expired".to_owned(),
            "ask for it on arn:aws:ssm:*:*:session/ecs-execute-command-*, or log in again",
        ),
        None if action.is_empty() => explained("your role may not do this".to_owned(), "ask for the action that the text names"),
        None => explained(cause("your role", &action), "ask for it"),
    }
}
