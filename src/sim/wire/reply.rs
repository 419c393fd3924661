//! What goes back over the wire: bodies, the shapes of an error, request ids and dates.

use super::cbor::{self, as_time, seconds};
use super::query;
use super::route::{Protocol, Route};
use crate::sim::ecs::ApiError;
use crate::sim::exec::door::Visitor;
use crate::sim::rng;
use hyper::body::{Bytes, Frame, SizeHint};
use hyper::header::{CONNECTION, CONTENT_TYPE, DATE, HeaderValue, UPGRADE};
use hyper::{Response, StatusCode};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::sync::mpsc::Receiver;

/// A body that is there, or one that is still being made.
pub(crate) enum Body {
    /// All of it; none once it is sent.
    Whole(Option<Bytes>),
    /// Chunk by chunk until the sender is dropped.
    Stream(Receiver<Bytes>),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Stream(chunks) => chunks.poll_recv(context).map(|chunk| chunk.map(|bytes| Ok(Frame::data(bytes)))),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64)),
            Self::Stream(_) => SizeHint::default(),
        }
    }
}

/// The shape in which a client expects its errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Json,
    Json10,
    Xml(&'static str),
    Ec2,
    Cbor,
}

impl Shape {
    pub(super) fn of(route: Route) -> Self {
        match route.service.protocol {
            _ if route.cbor => Self::Cbor,
            Protocol::Json(_) | Protocol::Socket => Self::Json,
            Protocol::Query { namespace, .. } => Self::Xml(namespace),
            Protocol::Ec2 { .. } => Self::Ec2,
            Protocol::Json10(_) => Self::Json10,
        }
    }
}

/// Identifies a reply: its request id and its time.
pub(super) struct Stamp {
    pub(super) request_id: String,
    pub(super) now: i64,
}

impl Stamp {
    /// A successful answer of a service.
    pub(super) fn success(&self, route: Route, value: &Value) -> Response<Body> {
        match route.service.protocol {
            _ if route.cbor => self.cbor(200, cbor::write(value)),
            spoken @ (Protocol::Json(_) | Protocol::Json10(_) | Protocol::Socket) => {
                self.whole(200, spoken.content_type(), without_nulls(value).to_string())
            }
            Protocol::Query { namespace, .. } => {
                self.whole(200, "text/xml", query::reply(namespace, route.operation, value, &self.request_id))
            }
            Protocol::Ec2 { namespace, .. } => {
                self.whole(200, "text/xml;charset=UTF-8", query::ec2_reply(namespace, route.operation, value, &self.request_id))
            }
        }
    }

    /// An error in the shape that the client can read.
    pub(super) fn failure(&self, shape: Shape, status: u16, code: &str, message: &str) -> Response<Body> {
        match shape {
            Shape::Json => self.whole(status, "application/x-amz-json-1.1", json!({"__type": code, "message": message}).to_string()),
            Shape::Json10 => {
                let body = json!({"__type": code, "message": message}).to_string();
                with_old_code(self.whole(status, "application/x-amz-json-1.0", body), status, code)
            }
            Shape::Xml(namespace) => self.whole(status, "text/xml", query::error(namespace, status, code, message, &self.request_id)),
            Shape::Ec2 => self.whole(status, "text/xml;charset=UTF-8", query::ec2_error(code, message, &self.request_id)),
            Shape::Cbor => with_old_code(self.cbor(status, cbor::write(&json!({"__type": code, "message": message}))), status, code),
        }
    }

    /// Status 200 and a body that breaks off.
    pub(super) fn malformed(&self, route: Route) -> Response<Body> {
        match route.service.protocol {
            _ if route.cbor => self.cbor(200, vec![0xbf, 0x69, b'n', b'e']),
            spoken @ (Protocol::Json(_) | Protocol::Json10(_) | Protocol::Socket) => {
                self.whole(200, spoken.content_type(), "{\"nextToken\": \"AAAA")
            }
            Protocol::Query { .. } | Protocol::Ec2 { .. } => {
                self.whole(200, "text/xml", format!("<{0}Response><{0}Result><mem", route.operation))
            }
        }
    }

    /// From here on the connection is a WebSocket, for this visitor.
    pub(super) fn switch(&self, accept: &str, visitor: Visitor) -> Response<Body> {
        let mut response = self.response(101, "application/json", Body::Whole(None));
        let headers = response.headers_mut();
        headers.remove(CONTENT_TYPE);
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert("sec-websocket-accept", HeaderValue::from_str(accept).expect("Base64 is plain ASCII"));
        response.extensions_mut().insert(visitor);
        response
    }

    /// An event stream that the sender of `chunks` goes on writing.
    pub(super) fn stream(&self, chunks: Receiver<Bytes>) -> Response<Body> {
        self.response(200, "application/vnd.amazon.eventstream", Body::Stream(chunks))
    }

    fn cbor(&self, status: u16, body: Vec<u8>) -> Response<Body> {
        let mut reply = self.whole(status, "application/cbor", body);
        reply.headers_mut().insert("smithy-protocol", HeaderValue::from_static("rpc-v2-cbor"));
        reply
    }

    fn whole(&self, status: u16, content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
        self.response(status, content_type, Body::Whole(Some(body.into())))
    }

    fn response(&self, status: u16, content_type: &'static str, body: Body) -> Response<Body> {
        let mut response = Response::new(body);
        *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        let text = |text: &str| HeaderValue::from_str(text).expect("ids and dates are plain ASCII");
        headers.insert("x-amzn-requestid", text(&self.request_id));
        headers.insert(DATE, text(&moment(self.now).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()));
        response
    }
}

/// What a code was called before a service left the query protocol; clients that know the old names read it.
fn with_old_code(mut reply: Response<Body>, status: u16, code: &str) -> Response<Body> {
    let old = match code {
        "MissingRequiredParameterException" => "MissingParameter",
        "AccessDeniedException" => "AccessDenied",
        "ThrottlingException" => "Throttling",
        other => other.strip_suffix("Exception").unwrap_or(other),
    };
    let whose = if status < 500 { "Sender" } else { "Receiver" };
    let value = HeaderValue::from_str(&format!("{old};{whose}")).expect("codes are plain ASCII");
    reply.headers_mut().insert("x-amzn-query-error", value);
    reply
}

/// An error of a service.
pub(crate) fn refuse(status: u16, code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError { status, code, message: message.into() }
}

/// `2026-11-21T03:11:00.000Z`, the timestamp of the query protocol.
pub(crate) fn iso(ms: i64) -> String {
    moment(ms).strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}

/// A UUID that is always the same for the same pair.
pub(crate) fn uuid(seed: u64, number: u64) -> String {
    let high = rng::mix(rng::mix(seed) ^ number);
    let text = format!("{high:016x}{:016x}", rng::mix(high ^ number));
    // Version 4, variant 1, as a random one has it.
    format!("{}-{}-4{}-a{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..])
}

fn moment(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

/// AWS leaves members out that are not set.
fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            if let Some(ms) = as_time(map) {
                return json!(seconds(ms));
            }
            map.iter().filter(|(_, value)| !value.is_null()).map(|(key, value)| (key.clone(), without_nulls(value))).collect()
        }
        Value::Array(values) => values.iter().map(without_nulls).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_aws_writes_them() {
        assert_eq!(iso(1_795_230_660_007), "2026-11-21T03:11:00.007Z");
        let stamp = Stamp { request_id: uuid(1, 1), now: 1_795_230_660_000 };
        let reply = stamp.failure(Shape::Json, 400, "ServerException", "x");
        assert_eq!(reply.headers()[DATE], "Sat, 21 Nov 2026 03:11:00 GMT");
        assert_eq!(reply.headers()["x-amzn-requestid"].len(), 36);
    }

    #[test]
    fn request_ids_differ_and_repeat_with_the_seed() {
        assert_ne!(uuid(1, 1), uuid(1, 2));
        assert_eq!(uuid(1, 2), uuid(1, 2));
        assert_ne!(uuid(1, 1), uuid(2, 1));
    }

    #[test]
    fn members_that_are_not_set_are_left_out() {
        let value = json!({"a": null, "b": [{"c": null, "d": 1}]});
        assert_eq!(without_nulls(&value), json!({"b": [{"d": 1}]}));
    }
}
