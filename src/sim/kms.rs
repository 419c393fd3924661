//! KMS, as far as sessions need it: data keys, and what decrypts them again. The keys are those that clusters name.
//!
//! What encrypts data keys is random for each run, so that a key of yesterday opens nothing.

use super::ecs::ApiError;
use super::wire::refuse;
use super::world::Estate;
use aes_gcm::aead::{Aead as _, Payload};
use aes_gcm::{Aes256Gcm, KeyInit as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt;
use uuid::Uuid;

/// What goes with a data key and must come back as it was.
pub(super) type Context = BTreeMap<String, String>;

/// What encrypts data keys.
pub(super) struct Kms {
    cipher: Aes256Gcm,
}

impl fmt::Debug for Kms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kms")
    }
}

impl Default for Kms {
    fn default() -> Self {
        Self { cipher: Aes256Gcm::new(&random::<32>().into()) }
    }
}

/// Bytes that nobody can guess.
pub(super) fn random<const N: usize>() -> [u8; N] {
    let mut out = [0; N];
    for piece in out.chunks_mut(8) {
        // The last half of a UUID of version 4 has two bits that are not random; the first has six.
        let (a, b) = (Uuid::new_v4(), Uuid::new_v4());
        let mixed: Vec<u8> = a.as_bytes()[..8].iter().zip(&b.as_bytes()[8..]).map(|(a, b)| a ^ b).collect();
        piece.copy_from_slice(&mixed[..piece.len()]);
    }
    out
}

impl Kms {
    /// A data key that only this context opens.
    fn seal(&self, key: &str, context: &Context, plain: &[u8]) -> Vec<u8> {
        let nonce = random::<12>();
        let with = written(key, context);
        let sealed = self.cipher.encrypt(&nonce.into(), Payload { msg: plain, aad: &with }).expect("a key is not too long to encrypt");
        let length = u8::try_from(key.len()).expect("ids of keys are short");
        [&[1, length], key.as_bytes(), &nonce, &sealed].concat()
    }

    /// The key that something was encrypted with, and what it was, if this is its context.
    pub(super) fn open(&self, blob: &[u8], context: &Context) -> Option<(String, Vec<u8>)> {
        let [1, length, rest @ ..] = blob else { return None };
        let (key, rest) = rest.split_at_checked(usize::from(*length))?;
        let (nonce, sealed) = rest.split_first_chunk::<12>()?;
        let key = std::str::from_utf8(key).ok()?;
        let plain = self.cipher.decrypt(&(*nonce).into(), Payload { msg: sealed, aad: &written(key, context) }).ok()?;
        Some((key.to_owned(), plain))
    }
}

fn written(key: &str, context: &Context) -> Vec<u8> {
    json!([key, context]).to_string().into_bytes()
}

/// Answers one call.
///
/// # Errors
/// AWS's own, with AWS's texts.
pub(super) fn handle(kms: &Kms, estate: &Estate, operation: &str, body: &Value) -> Result<Value, ApiError> {
    let context: Context = match body.get("EncryptionContext") {
        None | Some(Value::Null) => Context::new(),
        Some(given) => serde_json::from_value(given.clone()).map_err(|_| invalid("Value at 'encryptionContext' is no map of texts"))?,
    };
    match operation {
        "GenerateDataKey" => {
            let named = body
                .get("KeyId")
                .and_then(Value::as_str)
                .filter(|id| !id.is_empty())
                .ok_or_else(|| invalid("Value null at 'keyId' failed to satisfy constraint: Member must not be null"))?;
            let key = known(estate, named)?;
            let number = body.get("NumberOfBytes").and_then(Value::as_u64);
            let bytes = match (number, body.get("KeySpec").and_then(Value::as_str)) {
                (Some(bytes @ 1..=1024), None) => usize::try_from(bytes).unwrap_or(32),
                (None, Some("AES_256")) => 32,
                (None, Some("AES_128")) => 16,
                _ => return Err(refuse(400, "ValidationException", "Please specify either number of bytes or key spec.")),
            };
            let plain = random::<1024>()[..bytes].to_vec();
            Ok(json!({
                "CiphertextBlob": STANDARD.encode(kms.seal(key, &context, &plain)),
                "KeyId": arn(estate, key),
                "Plaintext": STANDARD.encode(plain),
            }))
        }
        "Decrypt" => {
            let blob = body.get("CiphertextBlob").and_then(Value::as_str).and_then(|text| STANDARD.decode(text).ok());
            let opened = blob.and_then(|blob| kms.open(&blob, &context)).filter(|(key, _)| known(estate, key).is_ok());
            let (key, plain) = opened.ok_or_else(|| refuse(400, "InvalidCiphertextException", ""))?;
            Ok(json!({
                "EncryptionAlgorithm": "SYMMETRIC_DEFAULT",
                "KeyId": arn(estate, &key),
                "Plaintext": STANDARD.encode(plain),
            }))
        }
        "DescribeKey" => {
            let named = body.get("KeyId").and_then(Value::as_str).filter(|id| !id.is_empty());
            let named = named.ok_or_else(|| invalid("Value null at 'keyId' failed to satisfy constraint: Member must not be null"))?;
            let key = known(estate, named)?;
            Ok(json!({"KeyMetadata": {
                "AWSAccountId": estate.account,
                "Arn": arn(estate, key),
                "Enabled": true,
                "KeyId": key,
                "KeyManager": "CUSTOMER",
                "KeySpec": "SYMMETRIC_DEFAULT",
                "KeyState": "Enabled",
                "KeyUsage": "ENCRYPT_DECRYPT",
                "MultiRegion": false,
                "Origin": "AWS_KMS",
            }}))
        }
        _ => Err(refuse(400, "UnknownOperationException", "")),
    }
}

fn invalid(what: &str) -> ApiError {
    refuse(400, "ValidationException", format!("1 validation error detected: {what}"))
}

fn arn(estate: &Estate, key: &str) -> String {
    estate.arn("kms", &format!("key/{key}"))
}

/// The id of the key that an id or an ARN means.
fn known<'a>(estate: &'a Estate, named: &str) -> Result<&'a str, ApiError> {
    let mut keys = estate.clusters.iter().filter_map(|cluster| cluster.exec.kms_key.as_deref());
    let found = keys.find(|key| *key == named || arn(estate, key) == named);
    found.ok_or_else(|| {
        let full = if named.starts_with("arn:") { named.to_owned() } else { arn(estate, named) };
        refuse(400, "NotFoundException", format!("Key '{full}' does not exist"))
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    #[test]
    fn a_data_key_comes_back_with_its_context_alone() {
        let kms = Kms::default();
        let context = |target: &str| Context::from([("aws:ssm:TargetId".to_owned(), target.to_owned())]);
        let blob = kms.seal("k", &context("a"), b"secret");
        assert_eq!(kms.open(&blob, &context("a")), Some(("k".to_owned(), b"secret".to_vec())));
        assert_eq!(kms.open(&blob, &context("b")), None);
        assert_eq!(kms.open(&blob, &Context::new()), None);
        assert_eq!(Kms::default().open(&blob, &context("a")), None, "another run has another key");
        for end in 0..blob.len() {
            assert_eq!(kms.open(&blob[..end], &context("a")), None);
        }
    }
}
