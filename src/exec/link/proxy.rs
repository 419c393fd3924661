//! The way through a proxy of the environment: `HTTPS_PROXY`, `ALL_PROXY`, `NO_PROXY`, as curl reads them.

use super::{Failure, Wire, connect, secure};
use hyper_util::client::proxy::matcher::{Intercept, Matcher};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio_tungstenite::tungstenite::http::Uri;

/// The longest answer of a proxy that is read.
const LONGEST: usize = 8 << 10;

/// The proxy on the way to a channel, if there is one. This machine is never reached through a proxy.
pub(super) fn of(uri: &Uri) -> Result<Option<Intercept>, String> {
    if uri.scheme_str() != Some("wss") || !super::of_aws(&uri.host().unwrap_or_default().to_ascii_lowercase()) {
        return Ok(None);
    }
    choose(&Matcher::from_env(), uri)
}

fn choose(matcher: &Matcher, uri: &Uri) -> Result<Option<Intercept>, String> {
    // For a proxy an encrypted WebSocket is what any other encrypted connection is.
    let asked: Uri = format!("https://{}/", uri.host().unwrap_or_default()).parse().map_err(|_| "the host cannot be read".to_owned())?;
    let proxy = matcher.intercept(&asked);
    match proxy.as_ref().and_then(|proxy| proxy.uri().scheme_str()) {
        None | Some("http" | "https") => Ok(proxy),
        Some(other) => Err(format!(
            "the environment names a proxy by {other}, and neither the AWS SDK nor a session speaks that: name one by http or https"
        )),
    }
}

/// Asks a proxy for a connection.
pub(super) async fn tunnel(proxy: &Intercept, host: &str, port: u16) -> Result<Box<dyn Wire>, Failure> {
    let uri = proxy.uri();
    let encrypted = uri.scheme_str() == Some("https");
    let name = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let wire = connect(name, uri.port_u16().unwrap_or(if encrypted { 443 } else { 80 })).await?;
    let wire: Box<dyn Wire> = if encrypted { secure(name, Box::new(wire)).await? } else { Box::new(wire) };
    let login = proxy.basic_auth().and_then(|value| value.to_str().ok()).map(str::to_owned);
    ask(wire, name, host, port, login.as_deref()).await
}

async fn ask(mut wire: Box<dyn Wire>, proxy: &str, host: &str, port: u16, login: Option<&str>) -> Result<Box<dyn Wire>, Failure> {
    let broken = |error: std::io::Error| Failure::Passing(format!("the proxy {proxy} broke off: {error}"));
    let login = login.map_or(String::new(), |login| format!("Proxy-Authorization: {login}\r\n"));
    let request = format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{login}\r\n");
    wire.write_all(request.as_bytes()).await.map_err(broken)?;
    wire.flush().await.map_err(broken)?;
    let mut answer = Vec::new();
    // Byte by byte, for what follows the answer is TLS already.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST {
            return Err(Failure::Final(format!("the proxy {proxy} does not answer like one")));
        }
        answer.push(wire.read_u8().await.map_err(broken)?);
    }
    let first = String::from_utf8_lossy(&answer);
    let first = first.lines().next().unwrap_or_default();
    let status = first.split(' ').nth(1).and_then(|status| status.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(wire),
        Some(407) => Err(Failure::Final(format!("the proxy {proxy} wants a login: put it into the proxy's URL, http://USER:PASSWORD@…"))),
        Some(status @ 400..=499) => Err(Failure::Final(format!("the proxy {proxy} refuses {host}:{port} with {status}"))),
        _ => Err(Failure::Passing(format!("the proxy {proxy} does not reach {host}:{port}: {}", crate::text::clean(first)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn uri(text: &str) -> Uri {
        text.parse().unwrap()
    }

    #[test]
    fn the_environments_proxy_is_taken_unless_the_host_is_excepted() {
        let matcher = Matcher::builder().all("http://ann:s%40cret@proxy.corp:3128").no("vpce.amazonaws.com").build();
        let channel = uri("wss://ssmmessages.eu-west-1.amazonaws.com/v1/data-channel/s?role=publish_subscribe&cell-number=a+b/=");
        let proxy = choose(&matcher, &channel).unwrap().unwrap();
        assert_eq!((proxy.uri().host(), proxy.uri().port_u16()), (Some("proxy.corp"), Some(3128)));
        // ann:s@cret
        assert_eq!(proxy.basic_auth().unwrap(), "Basic YW5uOnNAY3JldA==");
        let private = uri("wss://vpce-1.ssmmessages.eu-west-1.vpce.amazonaws.com/v1/data-channel/s");
        assert!(choose(&matcher, &private).unwrap().is_none());
        let socks = Matcher::builder().all("socks5://proxy.corp:1080").build();
        assert!(choose(&socks, &channel).unwrap_err().contains("socks5"));
    }

    #[test]
    fn this_machine_is_reached_without_a_proxy() {
        assert!(of(&uri("ws://127.0.0.1:5000/v1/data-channel/s")).unwrap().is_none());
        assert!(of(&uri("wss://localhost:5000/v1/data-channel/s")).unwrap().is_none());
    }

    async fn answered(answer: &'static str) -> (Result<Box<dyn Wire>, Failure>, String) {
        let (ours, mut proxy) = tokio::io::duplex(4096);
        let asking = tokio::spawn(ask(Box::new(ours), "proxy.corp", "ssmmessages.x.amazonaws.com", 443, Some("Basic abc")));
        let mut asked = Vec::new();
        while !asked.ends_with(b"\r\n\r\n") {
            asked.push(proxy.read_u8().await.unwrap());
        }
        proxy.write_all(answer.as_bytes()).await.unwrap();
        let got = asking.await.unwrap();
        (got, String::from_utf8(asked).unwrap())
    }

    #[tokio::test]
    async fn a_proxy_is_asked_with_its_login_and_leaves_the_rest_of_the_bytes_alone() {
        let (wire, asked) = answered("HTTP/1.1 200 Connection established\r\nVia: x\r\n\r\nTLS").await;
        assert_eq!(
            asked,
            "CONNECT ssmmessages.x.amazonaws.com:443 HTTP/1.1\r\nHost: ssmmessages.x.amazonaws.com:443\r\nProxy-Authorization: Basic abc\r\n\r\n"
        );
        let mut rest = [0; 3];
        wire.ok().unwrap().read_exact(&mut rest).await.unwrap();
        assert_eq!(&rest, b"TLS");
    }

    #[tokio::test]
    async fn a_proxy_that_refuses_is_told_in_words() {
        let failure = |answer| async move { answered(answer).await.0.err().unwrap() };
        assert!(matches!(failure("HTTP/1.1 407 Login\r\n\r\n").await, Failure::Final(why) if why.contains("wants a login")));
        assert!(matches!(failure("HTTP/1.1 403 No\r\n\r\n").await, Failure::Final(why) if why.contains("refuses") && why.contains("403")));
        assert!(matches!(failure("HTTP/1.1 502 Bad gateway\r\n\r\n").await, Failure::Passing(why) if why.contains("502")));
    }
}
