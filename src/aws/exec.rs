//! What a session inside a container needs of AWS: opening, resuming and ending it, a data key, and the signature of its channel.
//!
//! Knows nothing of what goes over the channel. Opening a session changes no service, but it is an operator's deed in a running system:
//! it passes the same gate as a change.

use super::api::{Api, Call};
use super::direct::Service;
use super::failure::{Doing, failure};
use super::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::change::gate::Asked;
use crate::exec::crypt::DataKey;
use crate::exec::{Carries, Grant};
use crate::model::{Arn, Time};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::time::Duration;
use zeroize::Zeroizing;

const EXECUTE: &str = "ecs:ExecuteCommand";
const START: &str = "ssm:StartSession";

/// Age of a task up to which a refusal may only mean that its agent is still coming up.
const YOUNG: Duration = Duration::from_mins(2);

/// Waits before a young task is asked again.
const AGAIN: [Duration; 3] = [Duration::from_secs(2), Duration::from_secs(3), Duration::from_secs(5)];

/// What `DescribeTasks` tells of a task that a session is to be opened in.
#[derive(Default)]
struct Seen {
    started: Option<Time>,
    /// Name and runtime id of each container.
    containers: Vec<(String, String)>,
}

/// What is read of the answers about a session.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Started {
    session_id: Option<String>,
    stream_url: Option<String>,
    token_value: Option<String>,
}

/// A new data key, in base64.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Made {
    plaintext: Option<Zeroizing<String>>,
    ciphertext_blob: Option<String>,
}

impl Api {
    /// Opens a session that runs `command` in a container; an empty name takes the only one. A task that has just started is asked again
    /// for some seconds: its agent may not be there yet.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when the gate keeps it, else what AWS said.
    pub async fn execute_command(&self, cluster: &Arn, task: &Arn, container: &str, command: &str) -> Result<Grant, AwsError> {
        let place = if container.is_empty() { "a container".to_owned() } else { format!("container {container}") };
        let what = format!("open a session in {place} of task {}", task.name());
        let asked = Asked { ctx: self.ctx(), cluster: Some(cluster), action: EXECUTE, target: task.as_str() };
        self.pass(asked, &what)?;
        let execute = async {
            let mut waits = AGAIN.iter();
            loop {
                let sent = self
                    .call(call(EXECUTE, &what), |sdk| {
                        let ask =
                            sdk.ecs.execute_command().cluster(cluster.as_str()).task(task.as_str()).command(command).interactive(true);
                        ask.set_container((!container.is_empty()).then(|| container.to_owned())).send()
                    })
                    .await;
                let Err(error) = &sent else { return sent };
                let Some(wait) = waits.next() else { return sent };
                if error.code.as_deref() != Some("TargetNotConnectedException") || !self.young(cluster, task).await {
                    return sent;
                }
                tokio::time::sleep(*wait).await;
            }
        };
        // Both ends of an encrypted session must name the same target, whose last part only DescribeTasks tells.
        let (sent, seen) = Box::pin(async { tokio::join!(execute, self.see(cluster, task)) }).await;
        let sent = self.learn(asked, sent)?;
        let named = sent.container_name().unwrap_or(container);
        let runtime = seen.unwrap_or_default().containers.into_iter().find(|(name, _)| name == named || named.is_empty());
        let runtime = runtime.map(|(_, runtime)| runtime).unwrap_or_default();
        let session = sent.session();
        let given = |text: Option<&str>| text.filter(|text| !text.is_empty()).map(str::to_owned);
        let grant = session.and_then(|session| {
            Some(Grant {
                session: convert::clean(session.session_id()?).to_string(),
                stream_url: given(session.stream_url())?,
                token: given(session.token_value())?,
                target: format!("ecs:{}_{}_{runtime}", cluster.name(), task.name()),
                carries: Carries::Terminal,
            })
        });
        grant.ok_or_else(|| incomplete(EXECUTE, &what))
    }

    /// Opens a session to a port of a container, or through it to a port of another host.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] when the gate keeps it, else what AWS said.
    pub async fn start_port_session(&self, target: &str, port: u16, host: Option<&str>) -> Result<Grant, AwsError> {
        let to = host.map_or_else(|| format!("port {port}"), |host| format!("{host}:{port}"));
        let what = format!("forward to {to} through {target}");
        let cluster = cluster_of(target);
        let asked = Asked { ctx: self.ctx(), cluster: cluster.as_ref(), action: START, target };
        self.pass(asked, &what)?;
        let document = if host.is_some() { "AWS-StartPortForwardingSessionToRemoteHost" } else { "AWS-StartPortForwardingSession" };
        let port = [port.to_string()];
        // The agent does not use the local port, but the document may ask for it.
        let mut parameters = json!({ "portNumber": port, "localPortNumber": port });
        if let Some(host) = host {
            parameters["host"] = json!([host]);
        }
        let members = &json!({ "Target": target, "DocumentName": document, "Parameters": parameters });
        let sent = self
            .call(call(START, &what), |sdk| async move {
                sdk.direct.json::<Started>(Service::Ssm, self.region(), "StartSession", members).await
            })
            .await;
        let sent = self.learn(asked, sent)?;
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        let (session, url, token) = (given(sent.session_id), given(sent.stream_url), given(sent.token_value));
        let (Some(session), Some(stream_url), Some(token)) = (session, url, token) else { return Err(incomplete(START, &what)) };
        let session = convert::clean(&session).to_string();
        Ok(Grant { session, stream_url, token, target: target.to_owned(), carries: Carries::Port })
    }

    /// Asks for a new channel of a session whose connection is lost: where it is, and its token, which is empty when the session is over.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn resume_session(&self, session: &str) -> Result<(String, String), AwsError> {
        let what = format!("resume the session {session}");
        let sent = self.ask_ssm("ssm:ResumeSession", &what, session).await?;
        Ok((sent.stream_url.unwrap_or_default(), sent.token_value.unwrap_or_default()))
    }

    /// Ends a session at the other end too. Without it the session goes on there, and keeps its place, until its idle timeout.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn terminate_session(&self, session: &str) -> Result<(), AwsError> {
        let what = format!("end the session {session}");
        self.ask_ssm("ssm:TerminateSession", &what, session).await.map(|_| ())
    }

    /// Asks something about a session that is open.
    async fn ask_ssm(&self, action: &str, what: &str, session: &str) -> Result<Started, AwsError> {
        let members = &json!({ "SessionId": session });
        let operation = action.trim_start_matches("ssm:");
        self.call(call(action, what), |sdk| async move { sdk.direct.json(Service::Ssm, self.region(), operation, members).await }).await
    }

    /// A new data key for a session; the agent can decrypt it only with the same context.
    ///
    /// # Errors
    /// What AWS said.
    pub async fn data_key(&self, key: &str, context: &[(&str, &str)]) -> Result<DataKey, AwsError> {
        const ACTION: &str = "kms:GenerateDataKey";
        let what = "encrypt the session";
        let context: HashMap<&str, &str> = context.iter().copied().collect();
        let members = &json!({ "KeyId": key, "NumberOfBytes": 64, "EncryptionContext": context });
        let sent: Made = self
            .call(call(ACTION, what), |sdk| async move { sdk.direct.json(Service::Kms, self.region(), "GenerateDataKey", members).await })
            .await?;
        let read = |text: &str| STANDARD.decode(text).map_err(|_| incomplete(ACTION, what));
        let plain = Zeroizing::new(read(&sent.plaintext.unwrap_or_default())?);
        let cipher_text = read(&sent.ciphertext_blob.unwrap_or_default())?;
        DataKey::new(&plain, cipher_text).ok_or_else(|| incomplete(ACTION, what))
    }

    /// Headers that sign the upgrade to a data channel. They are good for some minutes: each dial takes new ones.
    ///
    /// # Errors
    /// Why there are no credentials to sign with.
    pub async fn sign_channel(&self, url: &str) -> Result<Vec<(String, String)>, AwsError> {
        let doing = Doing { action: "ssmmessages:OpenDataChannel", what: "open the data channel", profile: None };
        self.sign(url, "ssmmessages", doing).await
    }

    fn pass(&self, asked: Asked<'_>, what: &str) -> Result<(), AwsError> {
        let doing = Doing { action: asked.action, what, profile: None };
        self.gate().check(asked, self.now()).map_err(|why| failure(ErrorKind::Locked, doing, &why, ""))
    }

    /// Remembers that AWS refused, as with a change.
    fn learn<T>(&self, asked: Asked<'_>, sent: Result<T, AwsError>) -> Result<T, AwsError> {
        if let Err(error) = &sent
            && error.kind == ErrorKind::Denied
            && *error.action == *asked.action
        {
            self.gate().learn_refusal(asked, &error.came().into(), self.now());
        }
        sent
    }

    async fn young(&self, cluster: &Arn, task: &Arn) -> bool {
        let Ok(seen) = self.see(cluster, task).await else { return false };
        seen.started.is_none_or(|started| self.now().duration_since(started).unsigned_abs() < YOUNG)
    }

    async fn see(&self, cluster: &Arn, task: &Arn) -> Result<Seen, AwsError> {
        let what = format!("describe task {}", task.name());
        let asking = Call { throttle: Throttle::ClusterResourceRead, ..call("ecs:DescribeTasks", &what) };
        let answer = self.call(asking, |sdk| sdk.ecs.describe_tasks().cluster(cluster.as_str()).tasks(task.as_str()).send()).await?;
        let Some(task) = answer.tasks().first() else { return Ok(Seen::default()) };
        let started = task.started_at().and_then(|at| Time::from_second(at.secs()).ok());
        let text = |text: Option<&str>| text.unwrap_or_default().to_owned();
        let containers = task.containers().iter().map(|container| (text(container.name()), text(container.runtime_id())));
        Ok(Seen { started, containers: containers.collect() })
    }
}

fn call<'a>(action: &'a str, what: &'a str) -> Call<'a> {
    Call { throttle: Throttle::Session, priority: Priority::Focus, action, what }
}

fn incomplete(action: &str, what: &str) -> AwsError {
    failure(ErrorKind::Malformed, Doing { action, what, profile: None }, "AWS's answer could not be read: something is missing in it", "")
}

/// The cluster's name in `ecs:CLUSTER_TASK_RUNTIME`; neither of the last two has an underscore.
fn cluster_of(target: &str) -> Option<Arn> {
    let mut parts = target.strip_prefix("ecs:")?.rsplitn(3, '_');
    parts.nth(2).map(Arn::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cluster_of_a_target_may_have_underscores() {
        assert_eq!(cluster_of("ecs:payments_prod_0123abcd_0123abcd-527074092").unwrap().as_str(), "payments_prod");
        assert_eq!(cluster_of("i-0123"), None);
    }
}
