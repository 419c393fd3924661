//! What answers behind every port: a small web server to whoever speaks HTTP first, and to all others an echo.
//!
//! `GET /` says where one is, `GET /bytes/N` gives so many bytes, anything with a body gets the body's length and SHA-256 back.

use bytes::BytesMut;
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

/// A request's head is no longer than this.
const HEAD: usize = 16 * 1024;
/// The bytes of `/bytes/N`, again and again.
const TEXT: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\n";
const METHODS: [&[u8]; 7] = [b"GET ", b"HEAD ", b"POST ", b"PUT ", b"DELETE ", b"PATCH ", b"OPTIONS "];

/// Serves one connection until it ends.
pub(super) async fn answer(mut stream: DuplexStream, about: String) {
    // Whoever goes away needs no answer.
    let _ = serve(&mut stream, &about).await;
    let _ = stream.shutdown().await;
}

async fn serve(stream: &mut DuplexStream, about: &str) -> std::io::Result<()> {
    let mut bytes = BytesMut::with_capacity(HEAD);
    loop {
        let begins = |method: &&[u8]| method.starts_with(&bytes[..bytes.len().min(method.len())]);
        if bytes.is_empty() || METHODS.iter().any(begins) {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                let head = String::from_utf8_lossy(&bytes.split_to(end + 4)).into_owned();
                if !request(stream, about, &head, &mut bytes).await? {
                    return Ok(());
                }
                continue;
            }
            if bytes.len() > HEAD || stream.read_buf(&mut bytes).await? == 0 {
                return Ok(());
            }
        } else {
            stream.write_all(&bytes).await?;
            bytes.clear();
            let mut buffer = vec![0; 32 * 1024];
            loop {
                let read = stream.read(&mut buffer).await?;
                if read == 0 {
                    return Ok(());
                }
                stream.write_all(&buffer[..read]).await?;
            }
        }
    }
}

/// Answers one request; false if the connection ends with it.
async fn request(stream: &mut DuplexStream, about: &str, head: &str, rest: &mut BytesMut) -> std::io::Result<bool> {
    let mut words = head.split_whitespace();
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or("/"));
    let header = |name: &str| {
        let line = head.lines().filter_map(|line| line.split_once(':')).find(|(known, _)| known.eq_ignore_ascii_case(name));
        line.map(|(_, value)| value.trim().to_owned())
    };
    let mut left: usize = header("content-length").and_then(|length| length.parse().ok()).unwrap_or_default();
    let (length, mut digest) = (left, Sha256::new());
    while left > 0 {
        if rest.is_empty() && stream.read_buf(rest).await? == 0 {
            return Ok(false);
        }
        let piece = rest.split_to(rest.len().min(left));
        left -= piece.len();
        digest.update(&piece);
    }
    let keeps = !header("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    if let Some(count) = path.strip_prefix("/bytes/").and_then(|count| count.parse::<usize>().ok()) {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {count}\r\n\r\n");
        stream.write_all(head.as_bytes()).await?;
        let piece: Vec<u8> = TEXT.iter().copied().cycle().take(TEXT.len() * 256).collect();
        let mut left = if method == "HEAD" { 0 } else { count };
        while left > 0 {
            let now = left.min(piece.len());
            stream.write_all(&piece[..now]).await?;
            left -= now;
        }
        return Ok(keeps);
    }
    let mut body = format!("{about}\n");
    if length > 0 {
        let hex = digest.finalize().iter().fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").expect("a String takes every write");
            text
        });
        writeln!(body, "{length} bytes, sha256 {hex}").expect("a String takes every write");
    }
    let said = if method == "HEAD" { "" } else { &body };
    let answer = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n{said}", body.len());
    stream.write_all(answer.as_bytes()).await?;
    Ok(keeps)
}
