//! `SigV4` for requests that no SDK client makes: the upgrade of a data channel, and the posts of the small client.

use crate::model::Time;
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use aws_smithy_runtime_api::client::identity::Identity;
use std::time::SystemTime;

/// Query keys that say that a URL is signed already.
const SIGNED: [&str; 7] = [
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-signedheaders",
    "x-amz-signature",
    "x-amz-security-token",
];

/// Headers that sign a GET without a body. Only `host` and what is added here is signed, so the rest of the upgrade may be anything.
pub(super) fn headers(
    url: &str,
    service: &str,
    region: &str,
    credentials: Credentials,
    now: Time,
) -> Result<Vec<(String, String)>, String> {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    if query.split('&').any(|pair| SIGNED.contains(&pair.split('=').next().unwrap_or_default().to_ascii_lowercase().as_str())) {
        return Ok(Vec::new());
    }
    // The scheme is not signed, but only those of HTTP have a default port that `host` leaves out.
    let url = url.strip_prefix("ws").map_or_else(|| url.to_owned(), |rest| format!("http{rest}"));
    let request = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(b""));
    signed(request.map_err(|error| error.to_string())?, service, region, credentials, now)
}

/// Headers that sign a POST with its body and the headers that it has.
pub(super) fn post(
    url: &str,
    service: &str,
    region: &str,
    credentials: Credentials,
    now: Time,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Vec<(String, String)>, String> {
    let request = SignableRequest::new("POST", url, headers.iter().copied(), SignableBody::Bytes(body));
    signed(request.map_err(|error| error.to_string())?, service, region, credentials, now)
}

fn signed(
    request: SignableRequest<'_>,
    service: &str,
    region: &str,
    credentials: Credentials,
    now: Time,
) -> Result<Vec<(String, String)>, String> {
    let identity: Identity = credentials.into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name(service)
        .time(SystemTime::from(now))
        .settings(SigningSettings::default())
        .build()
        .map_err(|error| error.to_string())?;
    let signed = sign(request, &parameters.into()).map_err(|error| error.to_string())?;
    let (instructions, _) = signed.into_parts();
    Ok(instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/ecs-execute-command-1?role=publish_subscribe";

    fn signed(url: &str, token: Option<&str>) -> Vec<(String, String)> {
        let credentials = Credentials::new("AKID", "secret", token.map(str::to_owned), None, "test");
        headers(url, "ssmmessages", "eu-west-1", credentials, "2026-11-21T08:00:00Z".parse().unwrap()).unwrap()
    }

    fn value<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
        headers.iter().find(|header| header.0.eq_ignore_ascii_case(name)).map(|header| &*header.1)
    }

    #[test]
    fn only_the_host_and_the_added_headers_are_signed() {
        let plain = signed(URL, None);
        assert_eq!(value(&plain, "x-amz-date"), Some("20261121T080000Z"));
        let authorization = value(&plain, "authorization").unwrap();
        assert!(authorization.contains("Credential=AKID/20261121/eu-west-1/ssmmessages/aws4_request"), "{authorization}");
        assert!(authorization.contains("SignedHeaders=host;x-amz-date,"), "{authorization}");
        let temporary = signed(URL, Some("token"));
        assert_eq!(value(&temporary, "x-amz-security-token"), Some("token"));
        assert!(value(&temporary, "authorization").unwrap().contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"));
    }

    #[test]
    fn a_url_that_is_signed_already_is_left_alone() {
        assert_eq!(signed(&format!("{URL}&X-Amz-Signature=ab"), None), []);
        assert!(!signed(&format!("{URL}&cell-number=a+b/c="), None).is_empty());
    }
}
