//! A small client for services of which only a handful of calls is used: a signed form goes to IAM and EC2 and XML comes back; JSON goes to
//! Systems Manager, KMS and Secrets Manager and JSON comes back.
//!
//! Their SDK crates would double the cold build and the program's size. Budget, words of failures and the count of calls are
//! [`Api::call`](super::api::Api::call)'s as for every other client; it knows nothing of what is asked.

mod endpoint;
mod json;
mod xml;

pub(super) use endpoint::Service;
pub(super) use xml::Element;

use super::connect::ATTEMPT;
use super::interceptors::Clock;
use super::{http, sign};
use crate::model::Time;
use aws_config::SdkConfig;
use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ErrorMetadata, ProvideErrorMetadata, SdkError};
use aws_smithy_runtime_api::client::http::{HttpConnector as _, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;
use zeroize::Zeroizing;

/// The longest reply that is read; the longest that is sent, by IAM's simulator, has some kilobytes.
const LONGEST: usize = 4 << 20;

/// What AWS refused with.
#[derive(Debug)]
pub(super) struct Refused(ErrorMetadata);

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::error::Error for Refused {}

impl ProvideErrorMetadata for Refused {
    fn meta(&self) -> &ErrorMetadata {
        &self.0
    }
}

/// How a call failed.
pub(super) type Failure = SdkError<Refused, HttpResponse>;

/// The client of one context.
#[derive(Debug)]
pub(super) struct Direct {
    config: Arc<SdkConfig>,
    provider: SharedCredentialsProvider,
    connector: SharedHttpConnector,
    clock: Clock,
}

impl Direct {
    pub(super) fn new(config: &Arc<SdkConfig>, provider: &SharedCredentialsProvider, http: &http::Client, clock: &Clock) -> Self {
        Direct { config: Arc::clone(config), provider: provider.clone(), connector: http.connector(), clock: clock.clone() }
    }

    /// Makes one call of the Query protocol; the answer is the element that holds the result.
    pub(super) async fn query(&self, service: Service, action: &str, parameters: &[(String, String)]) -> Result<Element, Failure> {
        let region = self.config.region().map_or("", AsRef::as_ref);
        let headers = [("content-type", "application/x-www-form-urlencoded; charset=utf-8")];
        let (raw, reply) = self.post(service, region, &headers, form(service, action, parameters)).await?;
        read(raw.status().is_success(), &String::from_utf8_lossy(&reply)).map_err(|fault| fault.of(raw))
    }

    /// Makes one call of the JSON protocol, in a region that need not be the context's. The reply is wiped from memory once `T` is read
    /// from it: some hold keys and values of parameters.
    pub(super) async fn json<T: DeserializeOwned>(
        &self,
        service: Service,
        region: &str,
        operation: &str,
        members: &impl Serialize,
    ) -> Result<T, Failure> {
        let target = format!("{}.{operation}", service.target());
        let headers = [("content-type", "application/x-amz-json-1.1"), ("x-amz-target", &*target)];
        let body = serde_json::to_string(members).map_err(SdkError::construction_failure)?;
        let (raw, reply) = self.post(service, region, &headers, body).await?;
        let code = raw.headers().get("x-amzn-errortype");
        json::read(raw.status().is_success(), code, &reply).map_err(|fault| fault.of(raw))
    }

    async fn post(
        &self,
        service: Service,
        region: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<(HttpResponse, Zeroizing<Vec<u8>>), Failure> {
        // A task definition may name the region; a host that is made of it must still be AWS's.
        if !endpoint::is_region(region) {
            return Err(SdkError::construction_failure(format!("{region:?} is no region")));
        }
        let place = endpoint::of(&self.config, service, region);
        let credentials = self.provider.provide_credentials().await.map_err(SdkError::construction_failure)?;
        let now = Time::now();
        let now = now.checked_add(SignedDuration::from_millis(self.clock.skew_ms())).unwrap_or(now);
        let signed = sign::post(&place.url, service.signing_name(), &place.scope, credentials, now, headers, body.as_bytes());
        let signed = signed.map_err(SdkError::construction_failure)?;
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method("POST").map_err(SdkError::construction_failure)?;
        request.set_uri(place.url.as_str()).map_err(SdkError::construction_failure)?;
        for (name, value) in headers {
            request.headers_mut().insert((*name).to_owned(), (*value).to_owned());
        }
        for (name, value) in signed {
            request.headers_mut().insert(name, value);
        }
        request.headers_mut().insert("user-agent", concat!("midwatch/", env!("CARGO_PKG_VERSION")));
        let answered = match tokio::time::timeout(ATTEMPT, self.answered(request)).await {
            Ok(answered) => answered?,
            Err(late) => return Err(SdkError::timeout_error(late)),
        };
        if let Some(date) = answered.0.headers().get("date") {
            self.clock.learn(date, Timestamp::now());
        }
        Ok(answered)
    }

    async fn answered(&self, request: HttpRequest) -> Result<(HttpResponse, Zeroizing<Vec<u8>>), Failure> {
        let mut raw = self.connector.call(request).await.map_err(SdkError::dispatch_failure)?;
        let mut body = ByteStream::new(raw.take_body());
        // Room for all of it at once: a vector that grows leaves copies behind that nobody wipes.
        let length = raw.headers().get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut bytes = Zeroizing::new(Vec::with_capacity(usize::min(length, LONGEST)));
        loop {
            match body.try_next().await {
                Ok(Some(chunk)) if bytes.len() + chunk.len() <= LONGEST => bytes.extend_from_slice(&chunk),
                Ok(Some(_)) => return Err(SdkError::response_error("the reply is too long", raw)),
                Ok(None) => break,
                Err(error) => return Err(SdkError::response_error(error, raw)),
            }
        }
        Ok((raw, bytes))
    }
}

/// The form of a call. Names come from this program; values are escaped to the last letter.
fn form(service: Service, action: &str, parameters: &[(String, String)]) -> String {
    let mut out = format!("Action={action}&Version={}", service.version());
    for (name, value) in parameters {
        let _ = write!(out, "&{name}=");
        for byte in value.bytes() {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                other => drop(write!(out, "%{other:02X}")),
            }
        }
    }
    out
}

/// Why a reply holds no result.
#[derive(Debug)]
enum Fault {
    Refused(Refused),
    Unreadable(String),
}

impl Fault {
    fn of(self, raw: HttpResponse) -> Failure {
        match self {
            Fault::Refused(refused) => SdkError::service_error(refused, raw),
            Fault::Unreadable(why) => SdkError::response_error(why, raw),
        }
    }
}

/// Takes a reply of the Query protocol apart: IAM wraps its results and its errors in one way, EC2 in another.
fn read(success: bool, text: &str) -> Result<Element, Fault> {
    let root = xml::read(text).map_err(Fault::Unreadable)?;
    if success {
        let result = root.name.strip_suffix("Response").and_then(|call| root.child(&format!("{call}Result"))).cloned();
        return Ok(result.unwrap_or(root));
    }
    let error = root.child("Error").or_else(|| root.child("Errors")?.child("Error"));
    let code = error.and_then(|error| error.text("Code")).ok_or_else(no_error)?;
    Err(refused(code, error.and_then(|error| error.text("Message")).unwrap_or_default()))
}

fn refused(code: &str, message: &str) -> Fault {
    Fault::Refused(Refused(ErrorMetadata::builder().code(code).message(message).build()))
}

/// A gateway in between may refuse in words of its own.
fn no_error() -> Fault {
    Fault::Unreadable("no error of AWS".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_is_escaped_to_the_last_letter() {
        let parameters =
            [("PolicySourceArn".to_owned(), "arn:aws:iam::1:role/a+b c".to_owned()), ("X.member.1".to_owned(), "é".to_owned())];
        let form = form(Service::Iam, "SimulatePrincipalPolicy", &parameters);
        let expected =
            "Action=SimulatePrincipalPolicy&Version=2010-05-08&PolicySourceArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%2Bb%20c&X.member.1=%C3%A9";
        assert_eq!(form, expected);
    }

    #[test]
    fn results_are_unwrapped_and_errors_of_both_shapes_are_read() {
        let iam = read(
            true,
            "<GetRoleResponse xmlns=\"x\"><GetRoleResult><Role><Arn>a&amp;b</Arn></Role></GetRoleResult><ResponseMetadata/></GetRoleResponse>",
        );
        assert_eq!(iam.unwrap().child("Role").unwrap().text("Arn"), Some("a&b"));
        let ec2 = read(true, "<DescribeSubnetsResponse><requestId>r</requestId><subnetSet><item/></subnetSet></DescribeSubnetsResponse>");
        assert_eq!(ec2.unwrap().list("subnetSet").count(), 1);
        for refusal in [
            "<ErrorResponse><Error><Type>Sender</Type><Code>NoSuchEntity</Code><Message>m</Message></Error></ErrorResponse>",
            "<?xml version=\"1.0\"?><Response><Errors><Error><Code>NoSuchEntity</Code><Message>m</Message></Error></Errors></Response>",
        ] {
            let Err(Fault::Refused(refused)) = read(false, refusal) else { panic!("it is refused: {refusal}") };
            assert_eq!((refused.code(), refused.message()), (Some("NoSuchEntity"), Some("m")));
        }
    }

    #[test]
    fn rubbish_is_no_answer_and_no_error_of_aws() {
        let gateway = "<html><body>Bad gateway</body></html>";
        for (success, text) in [(true, ""), (true, "<a><b></a>"), (true, "<a>"), (false, gateway), (true, "{}"), (false, "")] {
            assert!(matches!(read(success, text), Err(Fault::Unreadable(_))), "{text}");
        }
    }
}
