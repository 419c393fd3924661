//! Who calls: the context behind an access key, and every way in which credentials can be wrong, in each protocol's words.

use super::State;
use super::call::Request;
use super::reply::refuse;
use super::route::Route;
use crate::sim::ecs::ApiError;
use crate::sim::sigv4::{self, Claim, Refusal};
use crate::sim::world::Context;
use std::time::Duration;

/// A signature that leads to a shell is good for so long.
const FRESH: Duration = Duration::from_mins(5);

/// The commercial regions where ECS is, as of November 2026; a scenario may add its own.
#[rustfmt::skip] // A table reads by its rows.
const REGIONS: [&str; 34] = [
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3",
    "ap-south-1", "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3",
    "ap-southeast-4", "ap-southeast-5", "ap-southeast-6", "ap-southeast-7", "ca-central-1",
    "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2",
    "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
];

impl State {
    /// The context of an access key, be it of the scenario or given out by `AssumeRole`.
    pub(super) fn context(&self, access_key: &str) -> Option<&Context> {
        self.world.contexts.iter().find(|context| context.access_key == access_key).or_else(|| self.roles.context(access_key))
    }

    /// The proven claim of a request and its context. `query` chooses the words.
    pub(super) fn authenticate(&self, request: &Request, route: Route, query: bool) -> Result<(Claim, Context), ApiError> {
        let claim = request.claim.as_ref().map_err(|refusal| unsigned(refusal, query))?;
        let unknown = || {
            let (status, code) = if query { (403, "InvalidClientTokenId") } else { (400, "UnrecognizedClientException") };
            refuse(status, code, "The security token included in the request is invalid.")
        };
        let context = self.context(&claim.access_key).ok_or_else(unknown)?;
        // Keys that are not temporary come without a token, temporary ones with theirs.
        if request.header("x-amz-security-token") != context.session_token.as_deref() {
            return Err(unknown());
        }
        if context.expires_at.is_some_and(|end| end <= self.world.now()) {
            return Err(expired(query));
        }
        sigv4::verify(claim, request.signed(), &context.secret_key).map_err(|refusal| unsigned(&refusal, query))?;
        if route.is_door() && !request.header("x-amz-date").is_some_and(|date| is_fresh(date, self.world.now())) {
            return Err(refuse(400, "InvalidSignatureException", "Signature expired: it is older or newer than 5 min."));
        }
        if claim.service != route.service.name {
            let (status, code) = mismatch(query);
            return Err(refuse(status, code, format!("Credential should be scoped to correct service: '{}'.", route.service.name)));
        }
        let spelled = REGIONS.contains(&claim.region.as_str());
        if !spelled && !self.world.contexts.iter().any(|known| known.region == claim.region) {
            let (status, code) = mismatch(query);
            return Err(refuse(status, code, "Credential should be scoped to a valid region."));
        }
        Ok((claim.clone(), context.clone()))
    }
}

/// Whether a signature was made just now: by the real clock, or by the world's, which every reply tells and SDKs sign by once they know it.
fn is_fresh(amz_date: &str, world: i64) -> bool {
    let signed = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", amz_date).and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
    let clocks = [jiff::Timestamp::now(), jiff::Timestamp::from_millisecond(world).unwrap_or_default()];
    signed.is_ok_and(|at| clocks.iter().any(|clock| at.timestamp().duration_since(*clock).unsigned_abs() <= FRESH))
}

fn unsigned(refusal: &Refusal, query: bool) -> ApiError {
    match refusal {
        Refusal::Missing if query => refuse(403, "MissingAuthenticationToken", "Request is missing Authentication Token"),
        Refusal::Missing => refuse(400, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        Refusal::Incomplete(text) if query => refuse(400, "IncompleteSignature", text.clone()),
        Refusal::Incomplete(text) => refuse(400, "IncompleteSignatureException", text.clone()),
        Refusal::Mismatch => {
            let (status, code) = mismatch(query);
            refuse(
                status,
                code,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
                 and signing method. Consult the service documentation for details.",
            )
        }
    }
}

fn mismatch(query: bool) -> (u16, &'static str) {
    if query { (403, "SignatureDoesNotMatch") } else { (400, "InvalidSignatureException") }
}

pub(super) fn expired(query: bool) -> ApiError {
    let (status, code) = if query { (403, "ExpiredToken") } else { (400, "ExpiredTokenException") };
    refuse(status, code, "The security token included in the request is expired")
}
