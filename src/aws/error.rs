//! What went wrong at AWS, said once for all panes.

use crate::model::Str;

/// A failed call in words for the operator.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{what}")]
pub struct AwsError {
    /// What kind of failure it is; decides what the program does next.
    pub kind: ErrorKind,
    /// The action in IAM's words, `ecs:ListServices`.
    pub action: Str,
    /// One line: what was being done, and what came back. Cleaned.
    pub what: Str,
    /// What to do next; empty when there is nothing sensible to say.
    pub hint: Str,
    /// AWS's error code, when there was one.
    pub code: Option<Str>,
    /// AWS's request id, when there was one.
    pub request_id: Option<Str>,
}

impl AwsError {
    /// What came back, without what was being done: for where that is plain or of no matter.
    #[must_use]
    pub fn came(&self) -> &str {
        self.what.split_once(": ").map_or(&self.what, |(_, came)| came)
    }

    /// Whether the request may have been done although it failed: it was on its way, and no answer says that it was refused.
    #[must_use]
    pub fn may_apply(&self) -> bool {
        let code = self.code.as_deref().unwrap_or_default();
        match self.kind {
            // Where not even a connection came about nothing was sent.
            ErrorKind::Timeout => !self.what.contains("no connection to"),
            ErrorKind::Network => self.what.contains("broke off"),
            ErrorKind::Malformed => self.what.contains("could not be read"),
            ErrorKind::Other => {
                matches!(code, "ServerException" | "InternalError" | "InternalFailure" | "ServiceUnavailable")
                    || self.what.contains("AWS is in trouble")
            }
            _ => false,
        }
    }
}

/// Kinds of failure, each with its own treatment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The role may not do this; asked again seldom.
    Denied,
    /// Too many calls; the budget slows down.
    Throttled,
    /// Credentials have expired; rows stay, a banner says how to log in.
    Expired,
    /// No usable credentials were found.
    NoCredentials,
    /// No connection.
    Network,
    /// No answer in time.
    Timeout,
    /// The thing does not exist.
    NotFound,
    /// AWS refuses the request as such.
    Invalid,
    /// The answer could not be read.
    Malformed,
    /// The gate for writes kept it: nothing was sent.
    Locked,
    /// Anything else, in AWS's words.
    Other,
}
