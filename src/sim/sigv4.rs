//! Signature Version 4 in its header form: takes an `Authorization` header apart and proves the signature.
//!
//! Source: "Create a signed AWS API request" in the IAM user guide. It knows neither accounts nor policies. One leniency:
//! `X-Amz-Date` is not held against a clock, because clients sign with the real time and the world runs on a virtual one.

use hmac::{Hmac, Mac};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The one algorithm that AWS services accept for header signatures of the classic kind.
const ALGORITHM: &str = "AWS4-HMAC-SHA256";

/// What an `Authorization` header claims.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) access_key: String,
    /// `YYYYMMDD`.
    pub(super) date: String,
    pub(super) region: String,
    /// The signing name, as in `elasticloadbalancing`.
    pub(super) service: String,
    signed_headers: String,
    signature: String,
}

/// The parts of a request that a signature covers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signed<'a> {
    pub(super) method: &'a str,
    pub(super) path: &'a str,
    pub(super) query: &'a str,
    /// Names in lower case, in the order in which they came.
    pub(super) headers: &'a [(String, String)],
    pub(super) body: &'a [u8],
}

/// Why a claim does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// There is no `Authorization` header.
    Missing,
    /// The header is there but cannot be read; the text is AWS's.
    Incomplete(String),
    /// Another secret key, or a request that was changed on its way.
    Mismatch,
}

/// Reads the `Authorization` header.
///
/// # Errors
/// [`Refusal::Missing`] without one, [`Refusal::Incomplete`] if a part of it is absent or malformed.
pub(super) fn claim(authorization: Option<&str>) -> Result<Claim, Refusal> {
    let text = authorization.ok_or(Refusal::Missing)?.trim();
    let Some(rest) = text.strip_prefix(ALGORITHM) else {
        return Err(Refusal::Incomplete(format!("Unsupported AWS 'algorithm': '{}'.", text.split(' ').next().unwrap_or_default())));
    };
    let part = |name: &str| {
        rest.split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.trim().to_owned())
    };
    let (credential, signed_headers, signature) = (part("Credential"), part("SignedHeaders"), part("Signature"));
    let (Some(credential), Some(signed_headers), Some(signature)) = (credential.as_ref(), signed_headers.as_ref(), signature.as_ref())
    else {
        let missing: String = [("Credential", &credential), ("Signature", &signature), ("SignedHeaders", &signed_headers)]
            .iter()
            .filter(|(_, value)| value.is_none())
            .fold(String::new(), |all, (name, _)| all + &format!("Authorization header requires '{name}' parameter. "));
        return Err(Refusal::Incomplete(format!("{missing}Authorization={text}")));
    };
    let scope: Vec<&str> = credential.split('/').collect();
    let [access_key, date, region, service, "aws4_request"] = scope[..] else {
        return Err(Refusal::Incomplete(format!(
            "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '{credential}'"
        )));
    };
    Ok(Claim {
        access_key: access_key.to_owned(),
        date: date.to_owned(),
        region: region.to_owned(),
        service: service.to_owned(),
        signed_headers: signed_headers.clone(),
        signature: signature.clone(),
    })
}

/// Proves that `request` was signed with `secret` and not changed since.
///
/// # Errors
/// [`Refusal::Mismatch`] if not, [`Refusal::Incomplete`] without an `X-Amz-Date` header.
pub(super) fn verify(claim: &Claim, request: Signed<'_>, secret: &str) -> Result<(), Refusal> {
    let amz_date = header(request.headers, "x-amz-date").ok_or_else(|| {
        Refusal::Incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.".to_owned())
    })?;
    // `host` must be signed, or a proxy could send the request elsewhere.
    if !amz_date.starts_with(&claim.date) || !claim.signed_headers.split(';').any(|name| name == "host") {
        return Err(Refusal::Mismatch);
    }
    let scope = format!("{}/{}/{}/aws4_request", claim.date, claim.region, claim.service);
    let key = [claim.region.as_str(), &claim.service, "aws4_request"]
        .iter()
        .fold(hmac(format!("AWS4{secret}").as_bytes(), claim.date.as_bytes()), |key, part| hmac(&key, part.as_bytes()));
    // Signers disagree on a query with characters that need no escape, so either form counts.
    let holds = [query_as_sent(request.query), query_encoded(request.query)].iter().any(|query| {
        let canonical = hex(&Sha256::digest(canonical_request(request, query, &claim.signed_headers)));
        let to_sign = format!("{ALGORITHM}\n{amz_date}\n{scope}\n{canonical}");
        is_same(&hex(&hmac(&key, to_sign.as_bytes())), &claim.signature)
    });
    if holds { Ok(()) } else { Err(Refusal::Mismatch) }
}

/// Compares in a time that tells nothing of where they differ.
fn is_same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

fn query_as_sent(query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    pairs.join("&")
}

/// Read as a form and written again with every escape that the rules ask for.
fn query_encoded(query: &str) -> String {
    let decoded = |text: &str| {
        let (bytes, mut out, mut at) = (text.as_bytes(), Vec::new(), 0);
        while at < bytes.len() {
            let escape =
                bytes.get(at + 1..at + 3).and_then(|hex| std::str::from_utf8(hex).ok()).and_then(|hex| u8::from_str_radix(hex, 16).ok());
            match (bytes[at], escape) {
                (b'%', Some(byte)) => {
                    out.push(byte);
                    at += 3;
                    continue;
                }
                (b'+', _) => out.push(b' '),
                (byte, _) => out.push(byte),
            }
            at += 1;
        }
        out
    };
    let encoded = |text: &str| {
        decoded(text).into_iter().fold(String::new(), |mut out, byte| {
            match byte {
                b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
                _ => write!(out, "%{byte:02X}").expect("a String takes every write"),
            }
            out
        })
    };
    let mut pairs: Vec<String> = query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            pair.split_once('=').map_or_else(|| encoded(pair) + "=", |(name, value)| format!("{}={}", encoded(name), encoded(value)))
        })
        .collect();
    pairs.sort_unstable();
    pairs.join("&")
}

fn canonical_request(request: Signed<'_>, query: &str, signed_headers: &str) -> String {
    let mut text = format!("{}\n{}\n{query}\n", request.method, encoded_path(request.path));
    for name in signed_headers.split(';') {
        let values: Vec<String> = request
            .headers
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        writeln!(text, "{name}:{}", values.join(",")).expect("a String takes every write");
    }
    write!(text, "\n{signed_headers}\n{}", hex(&Sha256::digest(request.body))).expect("a String takes every write");
    text
}

/// Every service but S3 encodes the path once more than it stands in the request line.
fn encoded_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len().max(1));
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            _ => write!(out, "%{byte:02X}").expect("a String takes every write"),
        }
    }
    if out.is_empty() { "/".to_owned() } else { out }
}

fn header<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

fn hmac(key: &[u8], text: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(text);
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes every write");
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    const SECRET: &str = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY";

    /// The example of the IAM user guide and of the signature test suite: `ListUsers` on 30 August 2015.
    fn example() -> (Claim, Vec<(String, String)>) {
        let text = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, \
                    Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7";
        let headers = [
            ("content-type", "application/x-www-form-urlencoded; charset=utf-8"),
            ("host", "iam.amazonaws.com"),
            ("x-amz-date", "20150830T123600Z"),
        ];
        (claim(Some(text)).unwrap(), headers.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec())
    }

    fn request(headers: &[(String, String)]) -> Signed<'_> {
        Signed { method: "GET", path: "/", query: "Version=2010-05-08&Action=ListUsers", headers, body: b"" }
    }

    #[test]
    fn the_published_example_verifies() {
        let (claim, headers) = example();
        assert_eq!(claim.access_key, "AKIDEXAMPLE");
        assert_eq!((claim.region.as_str(), claim.service.as_str()), ("us-east-1", "iam"));
        assert_eq!(verify(&claim, request(&headers), SECRET), Ok(()));
    }

    #[test]
    fn a_wrong_secret_a_changed_header_and_a_changed_body_are_refused() {
        let (claim, mut headers) = example();
        assert_eq!(verify(&claim, request(&headers), "another"), Err(Refusal::Mismatch));
        assert_eq!(verify(&claim, Signed { body: b"x", ..request(&headers) }, SECRET), Err(Refusal::Mismatch));
        headers[1].1 = "iam.example.com".to_owned();
        assert_eq!(verify(&claim, request(&headers), SECRET), Err(Refusal::Mismatch));
    }

    #[test]
    fn headers_that_cannot_be_read_say_why() {
        assert_eq!(claim(None), Err(Refusal::Missing));
        let Err(Refusal::Incomplete(text)) = claim(Some("AWS4-HMAC-SHA256 Credential=a/b")) else { panic!("must be refused") };
        assert!(text.contains("requires 'Signature' parameter"), "{text}");
        let Err(Refusal::Incomplete(text)) = claim(Some("AWS4-HMAC-SHA256 Credential=a/b,SignedHeaders=host,Signature=0")) else {
            panic!("must be refused")
        };
        assert!(text.contains("exactly 5 slash-delimited"), "{text}");
        assert!(matches!(claim(Some("Basic abc")), Err(Refusal::Incomplete(_))));
    }
}
