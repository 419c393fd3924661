//! Who calls: the context behind an access key, and every way in which credentials can be wrong, in each protocol's words.

use super::State;
use super::call::Request;
use super::reply::refuse;
use super::route::Route;
use crate::sim::ecs::ApiError;
use crate::sim::sigv4::{self, Claim, Refusal};
use crate::sim::world::Context;

impl State {
    /// The context of an access key, be it of the scenario or given out by `AssumeRole`.
    pub(super) fn context(&self, access_key: &str) -> Option<&Context> {
        self.world
            .contexts
            .iter()
            .find(|context| context.access_key == access_key)
            .or_else(|| self.roles.context(access_key))
    }

    /// The proven claim of a request and its context. `query` chooses the words.
    pub(super) fn authenticate(
        &self,
        request: &Request,
        route: Route,
        query: bool,
    ) -> Result<(Claim, Context), ApiError> {
        let claim = request
            .claim
            .as_ref()
            .map_err(|refusal| unsigned(refusal, query))?;
        let unknown = || {
            let (status, code) = if query {
                (403, "InvalidClientTokenId")
            } else {
                (400, "UnrecognizedClientException")
            };
            refuse(
                status,
                code,
                "The security token included in the request is invalid.",
            )
        };
        let context = self.context(&claim.access_key).ok_or_else(unknown)?;
        // Keys that are not temporary come without a token, temporary ones with theirs.
        if request.header("x-amz-security-token") != context.session_token.as_deref() {
            return Err(unknown());
        }
        if context
            .expires_at
            .is_some_and(|end| end <= self.world.now())
        {
            return Err(expired(query));
        }
        sigv4::verify(claim, request.signed(), &context.secret_key)
            .map_err(|refusal| unsigned(&refusal, query))?;
        if claim.service != route.service.name {
            let (status, code) = mismatch(query);
            return Err(refuse(
                status,
                code,
                format!(
                    "Credential should be scoped to correct service: '{}'.",
                    route.service.name
                ),
            ));
        }
        Ok((claim.clone(), context.clone()))
    }
}

fn unsigned(refusal: &Refusal, query: bool) -> ApiError {
    match refusal {
        Refusal::Missing if query => refuse(
            403,
            "MissingAuthenticationToken",
            "Request is missing Authentication Token",
        ),
        Refusal::Missing => refuse(
            400,
            "MissingAuthenticationTokenException",
            "Missing Authentication Token",
        ),
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
    if query {
        (403, "SignatureDoesNotMatch")
    } else {
        (400, "InvalidSignatureException")
    }
}

pub(super) fn expired(query: bool) -> ApiError {
    let (status, code) = if query {
        (403, "ExpiredToken")
    } else {
        (400, "ExpiredTokenException")
    };
    refuse(
        status,
        code,
        "The security token included in the request is expired",
    )
}
