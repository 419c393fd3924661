//! The way in: what a request for a data channel must show before it becomes a connection, and what the connection must say first.
//!
//! Signature and policy are `wire`'s and have been proven before this is asked. A page in a browser can reach a loopback port, so whoever
//! names another host or an origin is sent away.

use super::Told;
use super::session::Link;
use super::ws::{self, Frames, Heard};
use crate::sim::wire::Shared;
use bytes::BytesMut;
use hyper::body::Bytes;
use serde::Deserialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

/// Where data channels are.
pub(in crate::sim) const PATH: &str = "/v1/data-channel/";
/// The first word has to come by then.
const PATIENCE: Duration = Duration::from_secs(10);

/// A request that was let in, until its connection is a WebSocket.
#[derive(Debug, Clone)]
pub(in crate::sim) struct Visitor {
    pub(in crate::sim) session: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Opening {
    message_schema_version: String,
    request_id: String,
    token_value: String,
    client_id: String,
}

/// Whether a request comes from a program of this machine rather than from a page in a browser.
pub(in crate::sim) fn is_local(host: Option<&str>, origin: Option<&str>, port: u16) -> bool {
    let known = ["127.0.0.1", "localhost", "[::1]"];
    let named = host.is_some_and(|host| known.iter().any(|name| host.strip_prefix(name) == Some(&format!(":{port}"))));
    named && origin.is_none()
}

/// The answer to the key of a handshake, if all of it is there.
pub(in crate::sim) fn accept(header: impl Fn(&str) -> Option<String>) -> Option<String> {
    let says =
        |name: &str, word: &str| header(name).is_some_and(|value| value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word)));
    let agreed = says("upgrade", "websocket") && says("connection", "upgrade") && header("sec-websocket-version").as_deref() == Some("13");
    let key = header("sec-websocket-key").filter(|_| agreed)?;
    Some(tokio_tungstenite::tungstenite::handshake::derive_accept_key(key.as_bytes()))
}

/// Hears the first word of a connection and hands it to its session, or closes it.
pub(in crate::sim) async fn enter(shared: Arc<Shared>, visitor: Visitor, stream: TcpStream, begun: Bytes) {
    let (mut read, mut write) = stream.into_split();
    let mut frames = Frames::default();
    frames.bytes.extend_from_slice(&begun);
    let first = async {
        loop {
            match frames.next() {
                Ok(Some(Heard::Text(text))) => return serde_json::from_slice::<Opening>(&text).ok(),
                Ok(Some(Heard::Ping(_))) => {}
                Ok(None) => {
                    if !matches!(read.read_buf(&mut frames.bytes).await, Ok(1..)) {
                        return None;
                    }
                }
                Ok(Some(_)) | Err(_) => return None,
            }
        }
    };
    let opening = tokio::time::timeout(PATIENCE, first).await.ok().flatten();
    let complete =
        |opening: &Opening| opening.message_schema_version == "1.0" && !opening.request_id.is_empty() && !opening.client_id.is_empty();
    let told = opening.filter(complete).and_then(|opening| shared.state().sessions.redeem(&visitor.session, &opening.token_value));
    if let Some(told) = told {
        // A session that has ended meanwhile needs no connection.
        let _ = told.send(Told::Connected(Box::new(Link { read, write, frames })));
    } else {
        let mut bye = BytesMut::new();
        ws::close(&mut bye, 1008, "Invalid token");
        // Whoever has no token may be gone before hearing so.
        let _ = write.write_all(&bye).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_in_a_browser_are_no_programs_of_this_machine() {
        assert!(is_local(Some("127.0.0.1:4566"), None, 4566));
        assert!(is_local(Some("localhost:4566"), None, 4566));
        assert!(!is_local(Some("127.0.0.1:4567"), None, 4566));
        assert!(!is_local(Some("rebound.example:4566"), None, 4566));
        assert!(!is_local(Some("127.0.0.1:4566.rebound.example"), None, 4566));
        assert!(!is_local(Some("127.0.0.1:4566"), Some("http://127.0.0.1:4566"), 4566));
        assert!(!is_local(None, None, 4566));
    }

    #[test]
    fn a_handshake_is_answered_as_the_standard_says() {
        let header = |name: &str| {
            let value = match name {
                "upgrade" => "websocket",
                "connection" => "keep-alive, Upgrade",
                "sec-websocket-version" => "13",
                // The example of RFC 6455.
                "sec-websocket-key" => "dGhlIHNhbXBsZSBub25jZQ==",
                _ => return None,
            };
            Some(value.to_owned())
        };
        assert_eq!(accept(header).as_deref(), Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
        assert_eq!(accept(|name| header(name).filter(|_| name != "upgrade")), None);
    }
}
