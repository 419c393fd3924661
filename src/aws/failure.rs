//! From what the SDK says when a call fails to one line for the operator: what was being done, what came back, what to do.

use super::convert::clean;
use super::http::Unreached;
use super::{AwsError, ErrorKind};
use crate::model::Str;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use std::error::Error;

/// What was being done when it failed.
#[derive(Clone, Copy, Debug)]
pub struct Doing<'a> {
    /// The action in IAM's words, `ecs:ListServices`.
    pub action: &'a str,
    /// The same in the operator's words, to follow "Cannot": `list the services of payments`.
    pub what: &'a str,
    /// Profile, when one was named: hints name it.
    pub profile: Option<&'a str>,
}

/// Codes that AWS's services use for the same thing. The first match counts, by the whole code.
const CODES: [(ErrorKind, &[&str]); 5] = [
    (ErrorKind::Denied, &["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation", "NotAuthorized"]),
    (
        ErrorKind::Throttled,
        &[
            "ThrottlingException",
            "Throttling",
            "ThrottledException",
            "RequestThrottled",
            "RequestThrottledException",
            "TooManyRequestsException",
            "RequestLimitExceeded",
            "SlowDown",
            "BandwidthLimitExceeded",
            "TransactionInProgressException",
            "PriorRequestNotComplete",
        ],
    ),
    (
        ErrorKind::Expired,
        &[
            "ExpiredTokenException",
            "ExpiredToken",
            "TokenRefreshRequired",
            "UnrecognizedClientException",
            "InvalidClientTokenId",
            "InvalidToken",
            "RequestExpired",
        ],
    ),
    (
        ErrorKind::NoCredentials,
        &[
            "InvalidSignatureException",
            "SignatureDoesNotMatch",
            "IncompleteSignature",
            "IncompleteSignatureException",
            "MissingAuthenticationToken",
            "MissingAuthenticationTokenException",
            "OptInRequired",
            "InvalidAccessKeyId",
            "AuthFailure",
        ],
    ),
    (
        ErrorKind::Invalid,
        &["InvalidParameterException", "ClientException", "ValidationError", "ValidationException", "InvalidParameterValue"],
    ),
];

/// Tells a failed SDK call.
pub fn explain<E>(error: &SdkError<E, HttpResponse>, doing: Doing) -> AwsError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let request_id = error.raw_response().and_then(|raw| raw.headers().get("x-amzn-requestid")).map(clean);
    let mut told = match error {
        SdkError::ServiceError(service) => match service.err().code() {
            Some(code) => refused(code, service.err().message().unwrap_or_default(), doing),
            None => unreadable(service.raw().status().as_u16(), doing),
        },
        SdkError::ResponseError(response) => unreadable(response.raw().status().as_u16(), doing),
        SdkError::TimeoutError(_) => late(doing),
        other => disconnected(other, doing),
    };
    told.request_id = request_id;
    told
}

/// A failure that is not an SDK call's: `came` follows the colon.
pub fn failure(kind: ErrorKind, doing: Doing, came: &str, hint: impl Into<Str>) -> AwsError {
    let what = clean(&format!("Cannot {}: {came}", doing.what));
    AwsError { kind, action: doing.action.into(), what, hint: hint.into(), code: None, request_id: None }
}

/// No answer in time.
pub fn late(doing: Doing) -> AwsError {
    failure(ErrorKind::Timeout, doing, "no answer in 10 s", "Asking again")
}

/// AWS answered, in the negative.
fn refused(code: &str, message: &str, doing: Doing) -> AwsError {
    let kind = classify(code, message);
    let (came, hint) = match kind {
        ErrorKind::Denied => {
            let action = denied_action(message).unwrap_or(doing.action);
            let more = if writes(action) { who_on_what(action, message) } else { String::new() };
            (format!("AccessDenied for {action}{more}"), format!("{}, or use another profile", way_on(action)))
        }
        ErrorKind::Throttled => ("AWS throttles these calls".to_owned(), "Asking more slowly".to_owned()),
        ErrorKind::Expired => {
            // The query services call it so, the JSON services by a longer name; it is one thing, and the banner does not change with who says it.
            let code = if code == "ExpiredTokenException" { "ExpiredToken" } else { code };
            (format!("the credentials have expired ({code})"), login(doing.profile))
        }
        ErrorKind::NoCredentials => {
            (format!("AWS does not accept the credentials ({code})"), "Check the keys and the clock of this machine".to_owned())
        }
        _ => (with_message(code, message), String::new()),
    };
    let mut told = failure(kind, doing, &came, hint);
    if kind == ErrorKind::Denied {
        told.action = clean(denied_action(message).unwrap_or(doing.action));
    }
    told.code = Some(clean(code));
    told
}

/// What a role that may not list can still do: what it may see is named to it.
fn way_on(action: &str) -> String {
    match action {
        "ecs:ListClusters" | "ecs:DescribeClusters" => format!("Name what it may see with --cluster and --service, ask for {action}"),
        "ecs:ListServices" => format!("Name the service with --cluster and --service, ask for {action}"),
        _ => format!("Ask for {action}"),
    }
}

fn classify(code: &str, message: &str) -> ErrorKind {
    if let Some((kind, _)) = CODES.iter().find(|(_, codes)| codes.contains(&code)) {
        // ECS says ClientException both for a wrong request and for one that it would not allow.
        return if *kind == ErrorKind::Invalid && denied_action(message).is_some() { ErrorKind::Denied } else { *kind };
    }
    match code {
        "NoSuchEntity" => ErrorKind::NotFound,
        _ if code.ends_with("NotFoundException") || code.ends_with("NotFound") => ErrorKind::NotFound,
        _ if message == "Rate exceeded" => ErrorKind::Throttled,
        _ if denied_action(message).is_some() => ErrorKind::Denied,
        _ => ErrorKind::Other,
    }
}

/// The action that AWS names in `User: … is not authorized to perform: ecs:ListServices on resource: …`.
fn denied_action(message: &str) -> Option<&str> {
    let (_, rest) = message.split_once("not authorized to perform: ")?;
    rest.split_whitespace().next().map(|word| word.trim_end_matches([',', '.']))
}

/// Whether an action changes something. Of those it matters who asked, and on what: another role may do it.
fn writes(action: &str) -> bool {
    let verb = action.split_once(':').map_or(action, |(_, verb)| verb);
    !["Describe", "List", "Get", "BatchGet", "Filter", "StartLiveTail"].iter().any(|read| verb.starts_with(read))
}

/// The role that may not be passed, and who asked, from `User: … is not authorized to perform: … on resource: …`.
fn who_on_what(action: &str, message: &str) -> String {
    let after = |mark: &str| message.split_once(mark).and_then(|(_, rest)| rest.split_whitespace().next());
    let last = |arn: &str| arn.trim_end_matches([',', '.']).rsplit(':').next().unwrap_or_default().to_owned();
    let on = after("on resource: ").filter(|_| action == "iam:PassRole").map(|arn| format!(" on {}", last(arn)));
    let who = after("User: ").map(|arn| format!(" as {}", last(arn)));
    format!("{}{}", on.unwrap_or_default(), who.unwrap_or_default())
}

fn with_message(code: &str, message: &str) -> String {
    let message = message.trim().trim_end_matches('.');
    if message.is_empty() { code.to_owned() } else { format!("{code}: {message}") }
}

fn unreadable(status: u16, doing: Doing) -> AwsError {
    match status {
        200..300 => failure(ErrorKind::Malformed, doing, "the reply could not be read", "Asking again; is a proxy in between?"),
        500.. => failure(ErrorKind::Other, doing, &format!("AWS is in trouble (HTTP {status})"), "Asking again"),
        _ => failure(
            ErrorKind::Malformed,
            doing,
            &format!("HTTP {status} with a body that is not AWS's"),
            "Is a proxy in between, or a wrong endpoint?",
        ),
    }
}

/// The call never reached AWS: no credentials, no name, no connection, no TLS.
fn disconnected(error: &dyn Error, doing: Doing) -> AwsError {
    if let Some(told) = credentials(error, doing) {
        return told;
    }
    let chain = chain(error);
    // Refused by this program before anything was sent, see [`super::direct`]; first, for the name may hold any of the words below.
    if let Some(refused) = chain.last().filter(|deepest| deepest.ends_with(" is no region")) {
        return failure(ErrorKind::Invalid, doing, refused, "");
    }
    let low = chain.join(": ").to_lowercase();
    let has = |fragments: &[&str]| fragments.iter().any(|fragment| low.contains(fragment));
    let place = place(error);
    let place = place.as_deref().unwrap_or("the endpoint");
    let (kind, came, hint) = if has(&["connection refused"]) {
        (ErrorKind::Network, format!("{place} refuses the connection"), "Is the address right, and does it run?")
    } else if has(&["dns error", "failed to lookup address", "name or service not known"]) {
        (ErrorKind::Network, format!("the name of {place} is not known"), "Is the network up, and the region right?")
    } else if has(&["certificate", "tls", "handshake", "invalid peer"]) {
        (ErrorKind::Network, format!("no TLS connection to {place}"), "A proxy in between? AWS_CA_BUNDLE names its certificate")
    } else if has(&["timed out", "timeout"]) {
        (ErrorKind::Timeout, format!("no connection to {place} in 3 s"), "Is the network up? A VPN or proxy missing?")
    } else if has(&["connection reset", "broken pipe", "closed before message", "incomplete", "connection closed", "unexpected eof"]) {
        (ErrorKind::Network, format!("the connection to {place} broke off"), "Asking again")
    } else if has(&["missing region", "a region must be set"]) {
        (ErrorKind::Invalid, "no region".to_owned(), "Name one with --region")
    } else {
        let deepest = chain.last().map_or("", String::as_str);
        return failure(ErrorKind::Network, doing, deepest, "Asking again");
    };
    failure(kind, doing, &came, hint)
}

/// Host and port that could not be reached.
fn place(error: &dyn Error) -> Option<String> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(unreached) = error.downcast_ref::<Unreached>() {
            return Some(unreached.authority.clone());
        }
        cause = error.source();
    }
    None
}

/// Tells what is wrong with the credentials, when that is why a call failed.
pub fn credentials(error: &dyn Error, doing: Doing) -> Option<AwsError> {
    let chain = chain(error);
    let low = chain.join(": ").to_lowercase().replace('\\', "/");
    let at = |fragments: &[&str]| fragments.iter().any(|fragment| low.contains(fragment));
    if !at(&["loading credentials", "credentials provider", "no providers in chain", "credential", "sso token", "identity"]) {
        return None;
    }
    if at(&[
        "sso token has expired",
        "cached sso token",
        "sso/cache",
        "sso session",
        "unauthorizedexception",
        "session token not found or invalid",
    ]) {
        return Some(failure(ErrorKind::Expired, doing, "the SSO login has expired", login(doing.profile)));
    }
    if at(&["login/cache", "login session", "login_session", "login token", "signin"]) {
        return Some(failure(
            ErrorKind::Expired,
            doing,
            "the console login has expired",
            format!("run: aws login{}", profile_flag(doing.profile)),
        ));
    }
    if at(&["expiredtoken"]) {
        return Some(failure(ErrorKind::Expired, doing, "the credentials have expired", login(doing.profile)));
    }
    if at(&[
        "no providers in chain",
        "did not provide credentials",
        "credentials were not loaded",
        "no credentials",
        "was not enabled",
        "not loaded",
    ]) && !at(&["error from service", "service error"])
    {
        return Some(failure(ErrorKind::NoCredentials, doing, "no credentials found", nothing_found(doing.profile)));
    }
    let deepest = chain.last().map_or("", String::as_str);
    if let Some(action) = denied_action(deepest) {
        let hint = format!("Profile {} may not assume its role; ask for {action}", doing.profile.unwrap_or("default"));
        return Some(failure(ErrorKind::NoCredentials, doing, &format!("AccessDenied for {action}"), clean(&hint)));
    }
    tracing::debug!(?chain, "no credentials");
    let from = place(error).map_or_else(String::new, |place| format!(" from {place}"));
    Some(failure(ErrorKind::NoCredentials, doing, &format!("no credentials{from}: {deepest}"), nothing_found(doing.profile)))
}

fn nothing_found(profile: Option<&str>) -> String {
    match profile {
        Some(name) => format!("Profile {name} has none that work; run: aws configure list --profile {name}"),
        None => "Name a profile with --profile, or run: aws configure sso".to_owned(),
    }
}

fn login(profile: Option<&str>) -> String {
    format!("run: aws sso login{}", profile_flag(profile))
}

fn profile_flag(profile: Option<&str>) -> String {
    profile.map_or_else(String::new, |name| format!(" --profile {name}"))
}

/// The error and its causes, outermost first, each without what its cause repeats.
fn chain(error: &dyn Error) -> Vec<String> {
    let mut told = vec![error.to_string()];
    let mut cause = error.source();
    while let Some(error) = cause {
        told.push(error.to_string());
        cause = error.source();
    }
    told.retain(|text| !text.is_empty());
    told
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
    use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_types::body::SdkBody;
    use aws_smithy_types::error::ErrorMetadata;

    const DOING: Doing = Doing { action: "ecs:ListServices", what: "list the services of payments", profile: Some("acme") };

    fn answered(status: u16, code: Option<&str>, message: &str) -> AwsError {
        let mut meta = ErrorMetadata::builder();
        if let Some(code) = code {
            meta = meta.code(code).message(message);
        }
        let raw = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
        explain(&SdkError::service_error(GetCallerIdentityError::generic(meta.build()), raw), DOING)
    }

    #[test]
    fn every_kind_of_refusal_is_told_in_its_own_words() {
        let denied = "User: arn:aws:sts::1:assumed-role/dev/ann is not authorized to perform: ecs:DescribeServices on resource: * because no identity-based policy allows it";
        #[rustfmt::skip]
        let table = [
            (400, "AccessDeniedException", denied, ErrorKind::Denied, "AccessDenied for ecs:DescribeServices", "Ask for ecs:DescribeServices, or use another profile"),
            (403, "AccessDenied", "no", ErrorKind::Denied, "AccessDenied for ecs:ListServices", "Name the service with --cluster and --service, ask for ecs:ListServices, or use another profile"),
            (400, "ThrottlingException", "Rate exceeded", ErrorKind::Throttled, "AWS throttles these calls", "Asking more slowly"),
            (400, "Throttling", "Rate exceeded", ErrorKind::Throttled, "AWS throttles these calls", "Asking more slowly"),
            (400, "ExpiredTokenException", "x", ErrorKind::Expired, "the credentials have expired (ExpiredToken)", "run: aws sso login --profile acme"),
            (403, "ExpiredToken", "x", ErrorKind::Expired, "the credentials have expired (ExpiredToken)", "run: aws sso login --profile acme"),
            (400, "UnrecognizedClientException", "x", ErrorKind::Expired, "the credentials have expired (UnrecognizedClientException)", "run: aws sso login --profile acme"),
            (403, "SignatureDoesNotMatch", "x", ErrorKind::NoCredentials, "AWS does not accept the credentials (SignatureDoesNotMatch)", "Check the keys and the clock of this machine"),
            (400, "ClusterNotFoundException", "Cluster not found.", ErrorKind::NotFound, "ClusterNotFoundException: Cluster not found", ""),
            (400, "TargetGroupNotFound", "gone", ErrorKind::NotFound, "TargetGroupNotFound: gone", ""),
            (400, "InvalidParameterException", "bad\x1b[31m", ErrorKind::Invalid, "InvalidParameterException: bad", ""),
            (500, "ServerException", "oops", ErrorKind::Other, "ServerException: oops", ""),
        ];
        for (status, code, message, kind, came, hint) in table {
            let told = answered(status, Some(code), message);
            assert_eq!(told.kind, kind, "{code}");
            assert!(told.what.starts_with(&format!("Cannot list the services of payments: {came}")), "{}", told.what);
            assert!(!told.what.contains('\x1b'));
            assert_eq!(&*told.hint, hint, "{code}");
            assert_eq!(told.code.as_deref(), Some(code));
        }
        assert_eq!(&*answered(400, Some("AccessDeniedException"), denied).action, "ecs:DescribeServices");
    }

    #[test]
    fn an_answer_that_is_not_awss_is_malformed() {
        assert_eq!(answered(200, None, "").kind, ErrorKind::Malformed);
        assert_eq!(&*answered(502, None, "").what, "Cannot list the services of payments: AWS is in trouble (HTTP 502)");
        assert_eq!(answered(404, None, "").kind, ErrorKind::Malformed);
    }

    #[test]
    fn a_region_that_is_none_is_nothing_to_ask_again() {
        let refused = SdkError::<GetCallerIdentityError, HttpResponse>::construction_failure("\"evil-tls.example/\" is no region");
        let told = explain(&refused, DOING);
        assert_eq!((told.kind, told.came()), (ErrorKind::Invalid, "\"evil-tls.example/\" is no region"));
    }

    fn unsent(text: &str) -> AwsError {
        let error = SdkError::<GetCallerIdentityError, HttpResponse>::dispatch_failure(ConnectorError::io(text.to_owned().into()));
        explain(&error, DOING)
    }

    #[test]
    fn a_connection_that_failed_says_why() {
        #[rustfmt::skip]
        let table = [
            ("error trying to connect: tcp connect error: Connection refused (os error 111)", ErrorKind::Network, "the endpoint refuses the connection"),
            ("client error (Connect): dns error: failed to lookup address information", ErrorKind::Network, "the name of the endpoint is not known"),
            ("invalid peer certificate: UnknownIssuer", ErrorKind::Network, "no TLS connection to the endpoint"),
            ("HTTP connect timeout occurred after 3s", ErrorKind::Timeout, "no connection to the endpoint in 3 s"),
            ("connection closed before message completed", ErrorKind::Network, "the connection to the endpoint broke off"),
            ("an error occurred while loading credentials: the SSO token has expired and cannot be refreshed", ErrorKind::Expired, "the SSO login has expired"),
            ("no providers in chain provided credentials", ErrorKind::NoCredentials, "no credentials found"),
        ];
        for (text, kind, came) in table {
            let told = unsent(text);
            assert_eq!((told.kind, &*told.what), (kind, &*format!("Cannot list the services of payments: {came}")), "{text}");
            assert!(!told.hint.is_empty());
        }
        assert_eq!(&*unsent("the SSO token has expired").hint, "run: aws sso login --profile acme");
    }

    #[test]
    fn silence_is_told_as_such() {
        let error = SdkError::<GetCallerIdentityError, HttpResponse>::timeout_error("x");
        let told = explain(&error, DOING);
        assert_eq!((told.kind, &*told.what), (ErrorKind::Timeout, "Cannot list the services of payments: no answer in 10 s"));
    }
}
