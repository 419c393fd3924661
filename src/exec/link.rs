//! The way to a data channel: which hosts may be dialled, proxy, TLS, the signed upgrade, and a socket that reads and writes at once.
//!
//! Knows nothing of what the messages mean.

mod proxy;

use super::frame::Frame;
use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use rustls::pki_types::ServerName;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::OnceCell;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::http::{HeaderName, HeaderValue, Uri};
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, WebSocketConfig};
use tokio_tungstenite::tungstenite::{Error, Message};

/// Time in which a channel must stand, from the first packet to the upgrade.
const DIAL: Duration = Duration::from_secs(10);

/// The largest message that is read. Agents send about a kilobyte.
const LARGEST: usize = 1 << 20;

/// Messages that one look at the socket brings at most: between two looks the owner is heard.
const LOOK: usize = 256;

/// Domains of AWS in its partitions.
const DOMAINS: [&str; 5] = ["amazonaws.com", "amazonaws.com.cn", "amazonaws.eu", "api.aws", "api.amazonwebservices.com.cn"];

/// Which hosts may be dialled: whoever answers for AWS names the host, and the channel's token goes there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// AWS's own hosts of the service, encrypted.
    Aws,
    /// This machine too, unencrypted: the context's endpoint is not AWS's.
    LoopbackToo,
}

impl Trust {
    /// What a context of this kind may dial.
    #[must_use]
    pub fn of(api: &crate::aws::Api) -> Trust {
        if api.own_endpoint() { Trust::LoopbackToo } else { Trust::Aws }
    }

    /// Whether a URL may be dialled.
    fn check(self, url: &Uri) -> Result<(), String> {
        let host = url.host().unwrap_or_default().trim_matches(['[', ']']).to_ascii_lowercase();
        let here = host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback());
        let user = url.authority().is_some_and(|authority| authority.as_str().contains('@'));
        match url.scheme_str() {
            _ if user => Err("its URL has a user in it".to_owned()),
            Some("ws" | "wss") if here && self == Trust::LoopbackToo => Ok(()),
            Some("wss") if of_aws(&host) => Ok(()),
            Some("wss") => Err(format!("{host} is no host of AWS's ssmmessages")),
            _ => Err(format!("{host} is not reached by wss")),
        }
    }
}

/// `ssmmessages.REGION.amazonaws.com`, and the names of private endpoints, `vpce-….ssmmessages.REGION.vpce.amazonaws.com`.
fn of_aws(host: &str) -> bool {
    let Some(labels) = DOMAINS.iter().find_map(|domain| host.strip_suffix(domain)?.strip_suffix('.')) else { return false };
    let labels: Vec<&str> = labels.split('.').collect();
    let service = |label: &str| matches!(label, "ssmmessages" | "ssmmessages-fips");
    match labels.as_slice() {
        [name, region] => service(name) && !region.is_empty(),
        [endpoint, name, region, "vpce"] => endpoint.starts_with("vpce-") && service(name) && !region.is_empty(),
        _ => false,
    }
}

/// Why there is no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// It makes no sense to try again.
    #[error("{0}")]
    Final(String),
    /// It may go better next time.
    #[error("{0}")]
    Passing(String),
}

/// Whatever carries bytes both ways: TCP, TLS, TLS within TLS.
pub(super) trait Wire: AsyncRead + AsyncWrite + Unpin + Send {}

impl<T: AsyncRead + AsyncWrite + Unpin + Send> Wire for T {}

/// Dials a channel. `headers` sign the upgrade.
///
/// # Errors
/// Why it does not stand.
pub async fn dial(url: &str, headers: &[(String, String)], trust: Trust) -> Result<Link, Failure> {
    let uri: Uri = url.parse().map_err(|_| Failure::Final("the channel's URL cannot be read".to_owned()))?;
    trust.check(&uri).map_err(|why| Failure::Final(format!("the channel is not dialled: {why}")))?;
    let dialling = async {
        let wire = reach(&uri).await?;
        upgrade(&uri, headers, wire).await
    };
    tokio::time::timeout(DIAL, dialling)
        .await
        .unwrap_or_else(|_| Err(Failure::Passing(format!("no answer of {} in {} s", uri.host().unwrap_or_default(), DIAL.as_secs()))))
}

async fn reach(uri: &Uri) -> Result<Box<dyn Wire>, Failure> {
    let encrypted = uri.scheme_str() == Some("wss");
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let port = uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 });
    let wire = match proxy::of(uri).map_err(Failure::Final)? {
        Some(proxy) => proxy::tunnel(&proxy, host, port).await?,
        None => Box::new(connect(host, port).await?),
    };
    if encrypted { secure(host, wire).await } else { Ok(wire) }
}

async fn connect(host: &str, port: u16) -> Result<TcpStream, Failure> {
    let unreached = |error: std::io::Error| Failure::Passing(format!("no connection to {host}:{port}: {error}"));
    let stream = TcpStream::connect((host, port)).await.map_err(unreached)?;
    // A keystroke is a small packet that must not wait for another one.
    stream.set_nodelay(true).map_err(unreached)?;
    Ok(stream)
}

/// Puts TLS around a wire.
async fn secure(host: &str, wire: Box<dyn Wire>) -> Result<Box<dyn Wire>, Failure> {
    let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Final(format!("{host} is no name for TLS")))?;
    let connector = TlsConnector::from(certificates().await?);
    let wire = connector.connect(name, wire).await.map_err(|error| Failure::Passing(format!("no TLS with {host}: {error}")))?;
    Ok(Box::new(wire))
}

/// The system's certificates, and those of `AWS_CA_BUNDLE`, read once.
async fn certificates() -> Result<Arc<rustls::ClientConfig>, Failure> {
    static CONFIG: OnceCell<Arc<rustls::ClientConfig>> = OnceCell::const_new();
    let read = || async {
        // Reading and parsing them takes tens of milliseconds.
        let read = tokio::task::spawn_blocking(configure).await;
        read.map_err(|error| Failure::Passing(error.to_string()))?.map(Arc::new).map_err(Failure::Final)
    };
    CONFIG.get_or_try_init(read).await.cloned()
}

fn configure() -> Result<rustls::ClientConfig, String> {
    use rustls::pki_types::pem::PemObject as _;
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let wrong = |error: &dyn std::fmt::Display| format!("cannot read AWS_CA_BUNDLE {}: {error}", path.to_string_lossy());
        let read = rustls::pki_types::CertificateDer::pem_file_iter(&path).map_err(|error| wrong(&error))?;
        for certificate in read {
            roots.add(certificate.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = config.map_err(|error| error.to_string())?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

async fn upgrade(uri: &Uri, headers: &[(String, String)], wire: Box<dyn Wire>) -> Result<Link, Failure> {
    let wrong = || Failure::Final("the upgrade cannot be written".to_owned());
    let mut request = uri.into_client_request().map_err(|_| wrong())?;
    for (name, value) in headers {
        let name = HeaderName::try_from(name).map_err(|_| wrong())?;
        request.headers_mut().insert(name, HeaderValue::try_from(value).map_err(|_| wrong())?);
    }
    let config = WebSocketConfig::default().max_message_size(Some(LARGEST)).max_frame_size(Some(LARGEST));
    match tokio_tungstenite::client_async_with_config(request, wire, Some(config)).await {
        Ok((socket, _)) => Ok(Link { socket, unsent: 0, gone: None }),
        Err(Error::Http(answer)) => {
            let status = answer.status();
            let words = answer.body().as_deref().map(String::from_utf8_lossy).unwrap_or_default();
            let words = crate::text::clean(words.trim());
            let words = if words.is_empty() { String::new() } else { format!(": {words}") };
            let told = format!("the data channel was refused with {status}{words}");
            Err(if status.is_client_error() { Failure::Final(told) } else { Failure::Passing(told) })
        }
        Err(error) => Err(Failure::Passing(format!("no data channel: {error}"))),
    }
}

/// A standing channel.
pub struct Link {
    socket: WebSocketStream<Box<dyn Wire>>,
    /// Bytes that were given to the socket since it last had sent everything.
    unsent: usize,
    /// How it went, once it has gone.
    gone: Option<(bool, String)>,
}

/// What a look at the socket brings.
#[derive(Debug)]
pub enum Heard {
    /// Messages; rubbish among them is left out. Empty when there was only something that shows life.
    Frames(Vec<Frame>),
    /// The other end has closed, in good order or not, and why.
    Gone {
        /// Whether it is the service's hourly goodbye, which only asks to come again.
        bye: bool,
        /// In words.
        why: String,
    },
}

impl std::fmt::Debug for Link {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Link").field("unsent", &self.unsent).finish_non_exhaustive()
    }
}

impl Link {
    /// Gives a message to the socket; [`Link::turn`] sends it.
    pub fn send(&mut self, bytes: Bytes) {
        self.write(bytes.len(), Message::Binary(bytes));
    }

    /// Gives the text that opens a channel to the socket.
    pub fn open(&mut self, text: String) {
        self.write(text.len(), Message::Text(text.into()));
    }

    /// Asks for a sign of life.
    pub fn ping(&mut self) {
        self.write(9, Message::Ping(Bytes::from_static(b"keepalive")));
    }

    fn write(&mut self, length: usize, message: Message) {
        self.unsent += length;
        // What is wrong with the socket shows in the next look at it.
        let _ = Pin::new(&mut self.socket).start_send(message);
    }

    /// Bytes that wait for the network.
    #[must_use]
    pub fn unsent(&self) -> usize {
        self.unsent
    }

    /// Sends what waits and looks what came, at the same time: neither waits for the other. Without `read` it only sends.
    pub async fn turn(&mut self, read: bool) -> Heard {
        std::future::poll_fn(|cx| self.poll_turn(cx, read)).await
    }

    fn poll_turn(&mut self, cx: &mut Context<'_>, read: bool) -> Poll<Heard> {
        if self.unsent > 0 && self.gone.is_none() {
            match Pin::new(&mut self.socket).poll_flush(cx) {
                Poll::Ready(Ok(())) => self.unsent = 0,
                // What came before is still to be read; if it is this that ended the connection, reading says it too.
                Poll::Ready(Err(error)) if !read => self.gone = Some((false, error.to_string())),
                Poll::Ready(Err(_)) | Poll::Pending => {}
            }
        }
        let (mut frames, mut alive) = (Vec::new(), false);
        while read && self.gone.is_none() && frames.len() < LOOK {
            match Pin::new(&mut self.socket).poll_next(cx) {
                Poll::Ready(Some(Ok(message))) => {
                    alive = true;
                    let bytes = match message {
                        Message::Binary(bytes) => bytes,
                        Message::Text(text) => text.into(),
                        Message::Close(told) => {
                            self.gone = Some(goodbye(told));
                            break;
                        }
                        Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
                    };
                    match Frame::read(&bytes) {
                        Ok(frame) => frames.push(frame),
                        Err(error) => tracing::debug!(%error, "a message of the data channel was passed over"),
                    }
                }
                Poll::Ready(Some(Err(error))) => self.gone = Some((false, error.to_string())),
                Poll::Ready(None) => self.gone = Some((false, "the connection was closed".to_owned())),
                Poll::Pending => break,
            }
        }
        match &self.gone {
            Some((bye, why)) if frames.is_empty() => Poll::Ready(Heard::Gone { bye: *bye, why: why.clone() }),
            _ if alive || !frames.is_empty() => Poll::Ready(Heard::Frames(frames)),
            _ => Poll::Pending,
        }
    }

    /// Sends what waits, and says goodbye.
    pub async fn close(mut self) {
        // The session is over: whether the goodbye arrives does not matter any more.
        let _ = std::future::poll_fn(|cx| Pin::new(&mut self.socket).poll_flush(cx)).await;
        let _ = self.socket.close(None).await;
    }
}

/// What a close says, and whether it is the hourly one.
fn goodbye(told: Option<CloseFrame>) -> (bool, String) {
    let Some(CloseFrame { code, reason }) = told else { return (false, "the connection was closed".to_owned()) };
    let bye = code == CloseCode::Normal && reason.trim().eq_ignore_ascii_case("bye");
    let reason = crate::text::clean(reason.trim());
    (bye, format!("the connection was closed with {}{}{reason}", u16::from(code), if reason.is_empty() { "" } else { ": " }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_aws_is_dialled_and_this_machine_where_the_endpoint_is_not_awss() {
        let check = |url: &str, trust: Trust| trust.check(&url.parse().unwrap());
        for good in [
            "wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s?role=publish_subscribe&cell-number=a+b/c=",
            "wss://ssmmessages-fips.us-gov-west-1.amazonaws.com/v1/data-channel/s",
            "wss://ssmmessages.cn-north-1.amazonaws.com.cn/v1/data-channel/s",
            "wss://ssmmessages.us-east-1.api.aws/v1/data-channel/s",
            "wss://vpce-0a1b-c2d3.ssmmessages.eu-west-1.vpce.amazonaws.com/v1/data-channel/s",
        ] {
            assert_eq!(check(good, Trust::Aws), Ok(()), "{good}");
        }
        for bad in [
            "ws://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s",
            "wss://ssmmessages.eu-west-1.amazonaws.com.evil.example/v1/data-channel/s",
            "wss://ssmmessages.evilamazonaws.com/v1/data-channel/s",
            "wss://s3.eu-west-1.amazonaws.com/v1/data-channel/s",
            "wss://bucket.ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s",
            "wss://user@ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s",
            "wss://10.0.0.1/v1/data-channel/s",
            "https://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s",
        ] {
            assert!(check(bad, Trust::Aws).is_err(), "{bad}");
            assert!(check(bad, Trust::LoopbackToo).is_err(), "{bad}");
        }
        for here in ["ws://127.0.0.1:5000/v1/data-channel/s", "ws://[::1]:5000/s", "wss://localhost:5000/s"] {
            assert!(check(here, Trust::Aws).is_err(), "{here}");
            assert_eq!(check(here, Trust::LoopbackToo), Ok(()), "{here}");
        }
        assert!(check("ws://localhost.evil.example/s", Trust::LoopbackToo).is_err());
    }

    #[test]
    fn the_hourly_goodbye_is_told_from_others() {
        let close = |code: CloseCode, reason: &str| goodbye(Some(CloseFrame { code, reason: reason.to_owned().into() }));
        assert!(close(CloseCode::Normal, "Bye").0);
        assert!(!close(CloseCode::Normal, "over").0);
        assert_eq!(close(CloseCode::Error, "Bye"), (false, "the connection was closed with 1011: Bye".to_owned()));
        assert!(!goodbye(None).0);
    }
}
