//! Encryption of a session's bytes with a data key of KMS: AES-256-GCM, one key for each direction.
//!
//! Knows neither KMS nor the channel. Keys are wiped from memory when they are dropped.

use aes_gcm::aead::Aead;
use aes_gcm::{Aes256Gcm, KeyInit, Nonce};
use zeroize::Zeroizing;

/// Bytes of a data key: two keys of AES-256.
pub const KEY: usize = 64;

const NONCE: usize = 12;

/// A data key as KMS gives it: the bytes, and the same encrypted for whoever may ask KMS to decrypt them.
pub struct DataKey {
    plain: Zeroizing<[u8; KEY]>,
    cipher_text: Vec<u8>,
}

impl DataKey {
    /// Takes a key over; nothing when it has not the length of two AES-256 keys.
    #[must_use]
    pub fn new(plain: &[u8], cipher_text: Vec<u8>) -> Option<DataKey> {
        let mut kept = Zeroizing::new([0; KEY]);
        if plain.len() != KEY {
            return None;
        }
        kept.copy_from_slice(plain);
        Some(DataKey { plain: kept, cipher_text })
    }

    /// The encrypted form, which the other end has decrypted.
    #[must_use]
    pub fn cipher_text(&self) -> &[u8] {
        &self.cipher_text
    }
}

impl std::fmt::Debug for DataKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DataKey").finish_non_exhaustive()
    }
}

/// Both directions of a session, from the client's side.
pub struct Cipher {
    hears: Aes256Gcm,
    says: Aes256Gcm,
    /// Random at first, then counted up: none is used twice with a key.
    nonce: [u8; NONCE],
}

impl std::fmt::Debug for Cipher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cipher").finish_non_exhaustive()
    }
}

impl Cipher {
    /// The first half of the key is for what the agent sends, the second for what it is sent.
    ///
    /// # Panics
    /// Never: half of a data key is a key of AES-256.
    #[must_use]
    pub fn new(key: &DataKey, nonce: [u8; NONCE]) -> Cipher {
        let (from_agent, to_agent) = key.plain.split_at(KEY / 2);
        let cipher = |half: &[u8]| Aes256Gcm::new_from_slice(half).expect("half of a data key is a key of AES-256");
        Cipher { hears: cipher(from_agent), says: cipher(to_agent), nonce }
    }

    /// Encrypts for the agent: nonce, cipher text, tag.
    ///
    /// # Panics
    /// With more than the 64 GiB that GCM takes.
    #[must_use]
    pub fn seal(&mut self, plain: &[u8]) -> Vec<u8> {
        for byte in &mut self.nonce {
            *byte = byte.wrapping_add(1);
            if *byte != 0 {
                break;
            }
        }
        let sealed = self.says.encrypt(&Nonce::from(self.nonce), plain).expect("a payload is far below the 64 GiB that GCM takes");
        let mut out = Vec::with_capacity(NONCE + sealed.len());
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Decrypts what the agent sent; nothing when it was not encrypted with this key, or was changed on its way.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>()?;
        self.hears.decrypt(&Nonce::from(*nonce), rest).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> DataKey {
        let plain: Vec<u8> = (0..64).collect();
        DataKey::new(&plain, b"sealed".to_vec()).unwrap()
    }

    /// The agent's side of the same key: the halves change places.
    fn agent() -> Cipher {
        let plain: Vec<u8> = (32..64).chain(0..32).collect();
        Cipher::new(&DataKey::new(&plain, Vec::new()).unwrap(), [7; NONCE])
    }

    #[test]
    fn both_directions_have_a_key_of_their_own() {
        let (mut client, mut agent) = (Cipher::new(&key(), [0xff; NONCE]), agent());
        let sealed = client.seal(b"ls\r");
        assert_eq!(sealed.len(), NONCE + 3 + 16);
        assert_eq!(sealed[..NONCE], [0; NONCE], "counted up as a little-endian number");
        assert_eq!(agent.open(&sealed).unwrap(), b"ls\r");
        assert_eq!(client.open(&sealed), None, "what one direction seals the other key does not open");
        assert_eq!(client.open(&agent.seal("grün".as_bytes())).unwrap(), "grün".as_bytes());
    }

    #[test]
    fn what_was_changed_or_cut_does_not_open() {
        let (client, mut agent) = (Cipher::new(&key(), [0; NONCE]), agent());
        let sealed = agent.seal(b"total 8");
        for cut in 0..sealed.len() {
            assert_eq!(client.open(&sealed[..cut]), None);
        }
        for at in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[at] ^= 1;
            assert_eq!(client.open(&changed), None);
        }
    }

    #[test]
    fn no_nonce_is_used_twice() {
        let mut client = Cipher::new(&key(), [0xfe; NONCE]);
        let nonces: std::collections::HashSet<Vec<u8>> = (0..1000).map(|_| client.seal(b"")[..NONCE].to_vec()).collect();
        assert_eq!(nonces.len(), 1000);
    }

    #[test]
    fn a_key_of_another_length_is_refused() {
        assert!(DataKey::new(&[0; 32], Vec::new()).is_none());
        assert!(DataKey::new(&[0; 65], Vec::new()).is_none());
        assert!(!format!("{:?}", key()).contains("1, 2"));
    }
}
