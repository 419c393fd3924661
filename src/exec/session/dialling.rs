//! How a session gets its connection: some tries with the grant at first, and later as many as two minutes take, each with a new token.

use crate::aws::{Api, AwsError, ErrorKind};
use crate::exec::End;
use crate::exec::handshake::CLIENT_VERSION;
use crate::exec::link::{Failure, Link, Trust, dial};
use crate::retry;
use serde_json::json;
use std::pin::Pin;
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

/// Tries with the first grant.
const TRIES: u32 = 3;

/// Time for which a lost connection is tried again. The official client gives up after some seconds, and so loses sessions of an hour.
const PATIENCE: Duration = Duration::from_secs(150);

/// What a dial needs.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) api: Api,
    pub(super) session: String,
    pub(super) trust: Trust,
    /// Where the channel was, for an answer that does not say where it is.
    pub(super) url: String,
}

/// What came of a try.
pub(super) enum Dialled {
    Up {
        link: Box<Link>,
        url: String,
        token: String,
    },
    /// The next try is under way.
    Failed {
        attempt: u32,
        why: String,
    },
    Over(End),
}

type Try = Pin<Box<dyn Future<Output = Result<(Link, String, String), NoLink>> + Send>>;

enum NoLink {
    /// The session has ended meanwhile.
    Ended,
    Failed(Failure),
}

/// Tries that are under way.
pub(super) struct Dialling {
    way: Way,
    /// URL and token that were never used.
    grant: Option<(String, String)>,
    attempt: u32,
    since: Instant,
    trying: Try,
}

impl Dialling {
    /// The first connection.
    pub(super) fn first(way: Way, grant: (String, String)) -> Dialling {
        let trying = Box::pin(attempt(way.clone(), Some(grant.clone()), Duration::ZERO));
        Dialling { way, grant: Some(grant), attempt: 1, since: Instant::now(), trying }
    }

    /// Another connection for the same session.
    pub(super) fn again(way: Way) -> Dialling {
        // Many sessions are closed at once when the service closes one.
        let wait = retry::jitter(Duration::from_millis(150), retry::chance());
        let trying = Box::pin(attempt(way.clone(), None, wait));
        Dialling { way, grant: None, attempt: 1, since: Instant::now(), trying }
    }

    /// Whether a connection stood before.
    pub(super) fn resumes(&self) -> bool {
        self.grant.is_none()
    }

    /// Waits for a try to end. May be dropped and asked again.
    pub(super) async fn done(&mut self) -> Dialled {
        let failure = match (&mut self.trying).await {
            Ok((link, url, token)) => return Dialled::Up { link: Box::new(link), url, token },
            Err(NoLink::Ended) => return Dialled::Over(End::Closed(Some("the session timed out and has been ended".into()))),
            Err(NoLink::Failed(failure)) => failure,
        };
        let late = if self.resumes() { self.since.elapsed() >= PATIENCE } else { self.attempt >= TRIES };
        match failure {
            Failure::Passing(why) if !late => {
                let wait = retry::back_off(self.attempt, retry::chance());
                self.trying = Box::pin(attempt(self.way.clone(), self.grant.clone(), wait));
                self.attempt += 1;
                Dialled::Failed { attempt: self.attempt - 1, why }
            }
            Failure::Passing(why) | Failure::Final(why) => {
                // Nobody may ask again: there is nothing that could end.
                self.trying = Box::pin(std::future::pending());
                Dialled::Over(if self.resumes() { End::Lost(why) } else { End::Refused(why) })
            }
        }
    }
}

/// One try: a new token unless there is one, a new signature, a dial.
async fn attempt(way: Way, grant: Option<(String, String)>, wait: Duration) -> Result<(Link, String, String), NoLink> {
    tokio::time::sleep(wait).await;
    let refused = |error: AwsError| NoLink::Failed(judge(&error));
    let (url, token) = match grant {
        Some(grant) => grant,
        None => way.api.resume_session(&way.session).await.map_err(refused)?,
    };
    if token.is_empty() {
        return Err(NoLink::Ended);
    }
    let url = if url.is_empty() { way.url } else { url };
    let headers = way.api.sign_channel(&url).await.map_err(refused)?;
    let link = dial(&url, &headers, way.trust).await.map_err(NoLink::Failed)?;
    Ok((link, url, token))
}

/// Whether a refusal of AWS may pass.
fn judge(error: &AwsError) -> Failure {
    let words = words(error);
    if error.code.as_deref() == Some("DoesNotExistException") {
        // The session has ended, and AWS has forgotten it.
        return Failure::Final(words);
    }
    match error.kind {
        ErrorKind::Denied | ErrorKind::NotFound | ErrorKind::Invalid | ErrorKind::Locked => Failure::Final(words),
        _ => Failure::Passing(words),
    }
}

/// An error with what to do about it.
pub(super) fn words(error: &AwsError) -> String {
    if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) }
}

/// The text that opens a channel.
pub(super) fn opening(token: &str, client: Uuid) -> String {
    let opening = json!({
        "MessageSchemaVersion": "1.0",
        "RequestId": Uuid::new_v4().to_string(),
        "TokenValue": token,
        "ClientId": client.to_string(),
        "ClientVersion": CLIENT_VERSION,
    });
    opening.to_string()
}
