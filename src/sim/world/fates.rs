//! Why a task never starts, in AWS's words: what it needs and cannot have, and what its revision holds for it.
//!
//! One table of texts; when they come is told in `lifecycle`.

use super::secrets::secret_name;
use super::state::{Estate, Stop, Task, TaskDefinition, TaskId};
use crate::sim::scenario::{Behaviour, Fate};

/// What befalls a task before its containers run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lack {
    Missing,
    Denied,
    Unreachable,
}

impl Estate {
    /// Why the containers of a task cannot be given what they want before their images are pulled.
    pub(super) fn lacks_resources(&self, id: TaskId) -> Option<Stop> {
        let task = self.tasks.get(&id)?;
        let fate = if task.sick { task.behaviour.fate } else { Fate::Healthy };
        let failed = |reason: String| Some(Stop { code: "TaskFailedToStart", reason });
        match fate {
            Fate::NetworkInterface => {
                return failed("Timeout waiting for network interface provisioning to complete.".to_owned());
            }
            Fate::EnvironmentFileDenied => return failed(self.environment_file(task)),
            Fate::LogGroupMissing => return failed(log_group_missing(task)),
            _ => {}
        }
        let (secret, lack) = self.lacking_secret(task, fate)?;
        failed(if secret.contains(":secretsmanager:") { self.no_secret(task, secret, lack) } else { self.no_parameter(task, secret, lack) })
    }

    /// The secret or parameter that a task cannot have: by its fate, or because the estate does not hold it.
    fn lacking_secret<'a>(&self, task: &'a Task, fate: Fate) -> Option<(&'a str, Lack)> {
        let lack = match fate {
            Fate::SecretMissing => Some(Lack::Missing),
            Fate::SecretDenied => Some(Lack::Denied),
            Fate::SecretUnreachable => Some(Lack::Unreachable),
            _ => None,
        };
        let mut all = task.definition.containers.iter().flat_map(|c| &c.secrets);
        if let Some(lack) = lack {
            let wanted = task.behaviour.secret.as_deref();
            let named = all.clone().find(|(name, _)| wanted.is_some_and(|w| w == name));
            return named.or_else(|| all.next()).map(|(_, from)| (from.as_str(), lack));
        }
        all.find_map(|(_, from)| {
            let name = secret_name(from);
            let lack = self.absent.contains(name).then_some(Lack::Missing);
            let lack = lack.or_else(|| self.denied.contains(name).then_some(Lack::Denied))?;
            Some((from.as_str(), lack))
        })
    }

    /// The session of the task execution role, as IAM names it.
    fn execution_session(&self, task: &Task) -> String {
        let role = task.definition.document.split("\"executionRoleArn\":\"").nth(1).and_then(|rest| rest.split('"').next());
        let role = role.and_then(|arn| arn.rsplit('/').next()).unwrap_or("ecs-task-execution");
        format!("arn:aws:sts::{}:assumed-role/{role}/{}", self.account, task.id)
    }

    fn no_parameter(&self, task: &Task, parameter: &str, lack: Lack) -> String {
        let name = secret_name(parameter);
        let name = if name.contains('/') { format!("/{}", name.trim_start_matches('/')) } else { name.to_owned() };
        let request = crate::sim::ecs::uuid(task.id.0 ^ 0x5353_4d00);
        let on_fargate = task.on_fargate();
        let words = match lack {
            Lack::Missing if on_fargate => format!("invalid ssm parameters: {name}"),
            Lack::Missing => format!("invalid parameters: {name}"),
            Lack::Denied => format!(
                "operation error SSM: GetParameters, https response error StatusCode: 400, RequestID: {request}, api error \
                 AccessDeniedException: User: {} is not authorized to perform: ssm:GetParameters on resource: {parameter} because no \
                 identity-based policy allows the ssm:GetParameters action",
                self.execution_session(task)
            ),
            Lack::Unreachable => {
                let deadline = "operation error SSM: GetParameters, https response error StatusCode: 0, RequestID: , canceled, context deadline exceeded";
                if on_fargate {
                    return format!(
                        "ResourceInitializationError: unable to pull secrets or registry auth: unable to retrieve secrets from ssm: The task cannot \
                         pull secrets from AWS Systems Manager. There is a connection issue between the task and AWS Systems Manager Parameter Store. \
                         Check your task network configuration. {deadline}"
                    );
                }
                deadline.to_owned()
            }
        };
        if !on_fargate {
            return format!("Fetching secret data from SSM Parameter Store in {}: {words}", self.region);
        }
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
             retrieve secrets from ssm: service call has been retried 1 time(s): {words}"
        )
    }

    fn no_secret(&self, task: &Task, secret: &str, lack: Lack) -> String {
        let region = &self.region;
        let words = match lack {
            Lack::Missing => format!(
                "failed to fetch secret {secret} from secrets manager: ResourceNotFoundException: Secrets Manager can't find the specified secret."
            ),
            Lack::Denied => format!(
                "failed to fetch secret {secret} from secrets manager: AccessDeniedException: User: {} is not authorized to perform: \
                 secretsmanager:GetSecretValue on resource: {secret} because no identity-based policy allows the \
                 secretsmanager:GetSecretValue action",
                self.execution_session(task)
            ),
            Lack::Unreachable => format!(
                "failed to fetch secret {secret} from secrets manager: RequestCanceled: request context canceled caused by: context deadline \
                 exceeded: Post \"https://secretsmanager.{region}.amazonaws.com/\": dial tcp 52.94.49.20:443: i/o timeout. Please check your task \
                 network configuration."
            ),
        };
        if !task.on_fargate() {
            return format!("Fetching secret data from AWS Secrets Manager in region {region}: secret {secret}: {words}");
        }
        format!(
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to \
             retrieve secret from asm: service call has been retried 1 time(s): {words}"
        )
    }

    fn environment_file(&self, task: &Task) -> String {
        let file = task.definition.containers.iter().find_map(|c| c.environment_files.first());
        let path = file.and_then(|arn| arn.strip_prefix("arn:aws:s3:::")).unwrap_or("config/.env");
        let (bucket, key) = path.split_once('/').unwrap_or((path, ".env"));
        format!(
            "ResourceInitializationError: failed to download env files: file download command: non empty error stream: service call has been \
             retried 1 time(s): failed to download file {key} from S3 bucket {bucket}: AccessDenied: User: {} is not authorized to perform: \
             s3:GetObject on resource: \"arn:aws:s3:::{bucket}/{key}\" because no identity-based policy allows the s3:GetObject action status \
             code: 403",
            self.execution_session(task)
        )
    }

    /// Why the containers of a task cannot be made or started: the images, then the runtime. The container says it as well.
    pub(super) fn fails_to_start(&mut self, id: TaskId) -> Option<Stop> {
        let task = self.tasks.get(&id)?;
        let fate = if task.sick { task.behaviour.fate } else { Fate::Healthy };
        let unresolved = task.digests.iter().zip(&task.definition.containers).position(|(d, c)| !self.can_pull(&c.image, d));
        let culprit = task.definition.culprit(&task.behaviour);
        let (container, reason) = match (unresolved, fate) {
            (Some(container), _) => (container, cannot_pull(task, container, Fate::PullFails)),
            (None, Fate::PullFails | Fate::PullDenied | Fate::PullLimited | Fate::PullUnreachable) => {
                (culprit, cannot_pull(task, culprit, fate))
            }
            (None, Fate::StartFails) => {
                let program = task.behaviour.error.clone().unwrap_or_else(|| {
                    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to \
                     start container process: exec: \"./start.sh\": stat ./start.sh: no such file or directory: unknown"
                        .to_owned()
                });
                (culprit, format!("CannotStartContainerError: Error response from daemon: {program}"))
            }
            _ => return None,
        };
        let task = self.tasks.get_mut(&id)?;
        task.containers[container].reason = Some(reason.clone());
        // Only Fargate repeats the container's words as the task's.
        let own = if task.on_fargate() { reason } else { "Task failed to start".to_owned() };
        Some(Stop { code: "TaskFailedToStart", reason: own })
    }
}

impl TaskDefinition {
    /// The container that a fate befalls: the one that it names, else the first essential one.
    #[must_use]
    pub fn culprit(&self, behaviour: &Behaviour) -> usize {
        let named = behaviour.container.as_ref().and_then(|name| self.containers.iter().position(|c| c.name == *name));
        named.or_else(|| self.containers.iter().position(|c| c.essential)).unwrap_or(0)
    }
}

fn log_group_missing(task: &Task) -> String {
    let group = task.definition.containers.iter().find_map(|c| c.log.as_ref()).map_or("/ecs/app", |log| log.group.as_str());
    format!(
        "ResourceInitializationError: failed to validate logger args: create stream has been retried 1 times: failed to create Cloudwatch log \
         stream: ResourceNotFoundException: The specified log group does not exist. (log group {group}) : exit status 1"
    )
}

fn cannot_pull(task: &Task, container: usize, fate: Fate) -> String {
    let image = &task.definition.containers[container].image;
    let host = image.split('/').next().filter(|h| h.contains('.')).unwrap_or("registry-1.docker.io");
    let reference = if image.contains('.') { image.clone() } else { format!("docker.io/library/{image}") };
    let (path, tag) =
        reference.split_once('/').map_or((&*reference, "latest"), |(_, rest)| rest.rsplit_once(':').unwrap_or((rest, "latest")));
    let retried = "pull image manifest has been retried 7 time(s): failed to resolve ref";
    let words = task.behaviour.error.clone().filter(|_| task.sick).unwrap_or_else(|| match fate {
        Fate::PullDenied => format!(
            "{retried} {reference}: unexpected status from HEAD request to https://{host}/v2/: 403 Forbidden: denied: User: the task execution role \
             is not authorized to perform: ecr:BatchGetImage because no identity-based policy allows the ecr:BatchGetImage action"
        ),
        Fate::PullLimited => format!(
            "pull image manifest has been retried 7 time(s): httpReadSeeker: failed open: unexpected status code https://{host}/v2/{path}/manifests/{tag}: 429 \
             Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. \
             https://www.docker.com/increase-rate-limit"
        ),
        Fate::PullUnreachable => format!(
            "{retried} {reference}: failed to do request: Head \"https://{host}/v2/\": dial tcp 52.95.150.30:443: i/o timeout"
        ),
        _ => format!("{retried} {reference}: {reference}: not found"),
    });
    format!("CannotPullContainerError: {words}")
}
