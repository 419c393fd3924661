//! The one HTTP client of the process. Plain connections need no certificates, so these are read only when the first
//! `https` request comes, away from the threads that answer keys.

use aws_sdk_sts::config::RuntimeComponents;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Connector, ConnectorBuilder};
use aws_smithy_runtime_api::client::http::{HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::OnceCell;

/// Time in which a connection must stand.
const CONNECT: Duration = Duration::from_secs(3);

/// Makes the client. `HTTPS_PROXY`, `HTTP_PROXY`, `NO_PROXY` and `AWS_CA_BUNDLE` are honoured.
pub fn client() -> Client {
    Client::default()
}

/// Connectors by the timeouts that the SDK asks for: connections are shared by everything that asks for the same ones. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Client {
    routes: Arc<Mutex<HashMap<Timeouts, Arc<Routes>>>>,
}

impl Client {
    /// For requests that no SDK client makes.
    pub(super) fn connector(&self) -> SharedHttpConnector {
        self.with(&HttpConnectorSettings::builder().connect_timeout(CONNECT).build())
    }

    fn with(&self, settings: &HttpConnectorSettings) -> SharedHttpConnector {
        let key = (settings.connect_timeout(), settings.read_timeout());
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        SharedHttpConnector::new(Shared(Arc::clone(routes.entry(key).or_insert_with(|| Arc::new(Routes::new(settings))))))
    }
}

/// Connect and read timeout.
type Timeouts = (Option<Duration>, Option<Duration>);

impl HttpClient for Client {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        self.with(settings)
    }
}

#[derive(Debug)]
struct Shared(Arc<Routes>);

impl HttpConnector for Shared {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let routes = Arc::clone(&self.0);
        let authority = authority(request.uri()).to_owned();
        HttpConnectorFuture::new(async move {
            let direct = plain(request.uri());
            let answer = if direct { routes.direct.call(request).await } else { routes.proxied().await?.call(request).await };
            answer.map_err(|error| unreached(error, authority))
        })
    }
}

/// A connection that failed, with the host and port that it was meant for: the SDK's own errors do not name it.
#[derive(Debug, thiserror::Error)]
#[error("{authority}")]
pub struct Unreached {
    /// Host and port.
    pub authority: String,
    source: ConnectorError,
}

/// Names the host, and leaves the kind of the failure as it is.
fn unreached(source: ConnectorError, authority: String) -> ConnectorError {
    let (timeout, user, io) = (source.is_timeout(), source.is_user(), source.is_io());
    let named = Unreached { authority, source }.into();
    match () {
        () if timeout => ConnectorError::timeout(named),
        () if user => ConnectorError::user(named),
        () if io => ConnectorError::io(named),
        () => ConnectorError::other(named, None),
    }
}

fn authority(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    rest.split(['/', '?']).next().unwrap_or(rest)
}

/// The two ways out: straight, for plain HTTP to this machine and the link-local metadata services, which no proxy can reach;
/// and through TLS and the proxy of the environment for everything else.
#[derive(Debug)]
struct Routes {
    settings: HttpConnectorSettings,
    direct: Connector,
    proxied: OnceCell<Arc<Connector>>,
}

impl Routes {
    fn new(settings: &HttpConnectorSettings) -> Self {
        let mut timeouts =
            HttpConnectorSettings::builder().connect_timeout(settings.connect_timeout().map_or(CONNECT, |time| time.min(CONNECT)));
        timeouts.set_read_timeout(settings.read_timeout());
        let settings = timeouts.build();
        Routes { direct: builder(&settings).build_http(), proxied: OnceCell::new(), settings }
    }

    async fn proxied(&self) -> Result<Arc<Connector>, ConnectorError> {
        let build = || async {
            let settings = self.settings.clone();
            // Reading and parsing the system's certificates takes tens of milliseconds.
            let built = tokio::task::spawn_blocking(move || encrypted(&settings)).await;
            built.map_err(|error| ConnectorError::other(error.into(), None))?.map(Arc::new)
        };
        self.proxied.get_or_try_init(build).await.cloned()
    }
}

fn builder(settings: &HttpConnectorSettings) -> ConnectorBuilder {
    Connector::builder().connector_settings(settings.clone()).enable_tcp_nodelay(true)
}

fn encrypted(settings: &HttpConnectorSettings) -> Result<Connector, ConnectorError> {
    let mut trust = TrustStore::default().with_native_roots(true);
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let named = |error: std::io::Error| format!("cannot read AWS_CA_BUNDLE {}: {error}", path.to_string_lossy());
        let pem = std::fs::read(&path).map_err(|error| ConnectorError::user(named(error).into()))?;
        trust = trust.with_pem_certificate(pem);
    }
    let context = TlsContext::builder().with_trust_store(trust).build().map_err(|error| ConnectorError::other(error.into(), None))?;
    let secure = builder(settings).proxy_config(ProxyConfig::from_env()).tls_provider(Provider::Rustls(CryptoMode::Ring));
    Ok(secure.tls_context(context).build())
}

fn plain(uri: &str) -> bool {
    if !uri.starts_with("http://") {
        return false;
    }
    let authority = authority(uri);
    let host = match authority.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or(v6),
        None => authority.split(':').next().unwrap_or(authority),
    };
    let near = |address: IpAddr| match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_link_local(),
        // The metadata services of EC2 and EKS have unique local addresses in fd00:ec2::/32.
        IpAddr::V6(v6) => v6.is_loopback() || v6.segments()[..2] == [0xfd00, 0xec2],
    };
    let no_proxy_at_all = ["HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"].iter().all(|name| std::env::var_os(name).is_none());
    no_proxy_at_all || host == "localhost" || host.parse().is_ok_and(near)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_requests_go_without_certificates() {
        assert!(plain("http://127.0.0.1:5000/"));
        assert!(plain("http://localhost:4566/x"));
        assert!(plain("http://[::1]:5000/"));
        assert!(plain("http://169.254.170.2/v2/credentials"));
        assert!(!plain("https://ecs.eu-west-1.amazonaws.com/"));
        assert!(!plain("https://127.0.0.1:5000/"));
    }
}
