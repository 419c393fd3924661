//! What goes over the terminal: lines, the file as text in them, and its checksum.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// Characters of base64 in a line that is sent: a terminal that is not raw takes no more than 4,095.
const WIDTH: usize = 1020;

/// Bytes in such a line.
pub(super) const PER_LINE: usize = WIDTH / 4 * 3;

/// Longest line that is read; nothing that is meant for us is longer.
const LONGEST: usize = 64 * 1024;

/// Takes bytes apart at line ends, however they come.
#[derive(Debug, Default)]
pub(super) struct Lines {
    bytes: Vec<u8>,
    at: usize,
}

impl Lines {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.bytes.drain(..self.at);
        self.at = 0;
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > LONGEST && !self.bytes.contains(&b'\n') {
            self.bytes.clear();
        }
    }

    /// The next whole line, without its end.
    pub(super) fn next(&mut self) -> Option<String> {
        let length = memchr::memchr(b'\n', &self.bytes[self.at..])?;
        let line = &self.bytes[self.at..self.at + length];
        self.at += length + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Some(String::from_utf8_lossy(line).into_owned())
    }
}

/// How a file's bytes are written as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coded {
    /// Both ways.
    Base64,
    /// `od`'s hexadecimal numbers, out of the container.
    Numbers,
    /// Octal escapes for the shell's own `printf`, into it.
    Escapes,
}

impl Coded {
    /// By the letter that the script says.
    pub(super) fn named(letter: &str) -> Option<Coded> {
        Some(match letter {
            "b" => Coded::Base64,
            "o" => Coded::Numbers,
            "p" => Coded::Escapes,
            _ => return None,
        })
    }

    /// The bytes of a line that came; nothing when it is no such line.
    pub(super) fn decode(self, line: &str) -> Option<Vec<u8>> {
        match self {
            Coded::Base64 => STANDARD.decode(line.trim()).ok(),
            Coded::Numbers => line.split_ascii_whitespace().map(|two| u8::from_str_radix(two, 16).ok()).collect(),
            Coded::Escapes => None,
        }
    }

    /// Lines that carry bytes. Only the last piece of a file may be no multiple of [`PER_LINE`] long.
    pub(super) fn encode(self, bytes: &[u8]) -> Vec<u8> {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(bytes.len() * 4 + bytes.len() / 64 + 8);
        match self {
            Coded::Base64 => {
                for line in bytes.chunks(PER_LINE) {
                    STANDARD.encode_string(line, &mut text);
                    text.push('\n');
                }
            }
            Coded::Numbers | Coded::Escapes => {
                for line in bytes.chunks(WIDTH / 4) {
                    for byte in line {
                        // Writing into a string cannot fail.
                        let _ = write!(text, "\\{byte:03o}");
                    }
                    text.push('\n');
                }
            }
        }
        text.into_bytes()
    }

    /// What says that the file is over, where its length does not.
    pub(super) fn end(self) -> &'static [u8] {
        if self == Coded::Escapes { b".\n" } else { b"" }
    }
}

/// Bytes that a file takes in base64, with its line ends.
pub(super) fn coded_length(bytes: u64) -> u64 {
    bytes.div_ceil(3) * 4 + bytes.div_ceil(PER_LINE as u64)
}

/// A file's checksums as it goes by.
#[derive(Debug, Default)]
pub(super) struct Sum {
    sha: Sha256,
    crc: u32,
    length: u64,
}

/// How two checksums compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Summed {
    /// Equal, by this.
    Same(&'static str),
    /// Not equal, by this.
    Other(&'static str),
    /// The container has no program for it.
    Unknown,
}

impl Sum {
    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.sha.update(bytes);
        self.crc = crc(self.crc, bytes);
        self.length += bytes.len() as u64;
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Compares with `sha256 …` or `cksum …`.
    pub(super) fn compare(&self, told: &str) -> Summed {
        use std::fmt::Write as _;
        let (by, mine) = match told.split_once(' ') {
            Some(("sha256", _)) => {
                let mut hex = String::new();
                for byte in self.sha.clone().finalize() {
                    // Writing into a string cannot fail.
                    let _ = write!(hex, "{byte:02x}");
                }
                ("SHA-256", hex)
            }
            Some(("cksum", _)) => {
                let length: Vec<u8> = self.length.to_le_bytes().into_iter().take(8 - self.length.leading_zeros() as usize / 8).collect();
                ("CRC", (!crc(self.crc, &length)).to_string())
            }
            _ => return Summed::Unknown,
        };
        if told.ends_with(&format!(" {mine}")) { Summed::Same(by) } else { Summed::Other(by) }
    }
}

/// The CRC of POSIX's `cksum`: most significant bit first, unlike zlib's.
fn crc(start: u32, bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    bytes.iter().fold(start, |crc, byte| crc << 8 ^ TABLE[(crc >> 24) as usize ^ usize::from(*byte)])
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut n: u32 = 0;
    while n < 256 {
        let mut crc = n << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000_0000 == 0 { crc << 1 } else { crc << 1 ^ 0x04c1_1db7 };
            bit += 1;
        }
        table[n as usize] = crc;
        n += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn checksums_are_those_of_the_programs() {
        let mut sum = Sum::default();
        assert_eq!(sum.compare("cksum 4294967295"), Summed::Same("CRC"));
        sum.take(b"123");
        sum.take(b"456789");
        // printf 123456789 | cksum, and | sha256sum
        assert_eq!(sum.compare("cksum 930766865"), Summed::Same("CRC"));
        assert_eq!(sum.compare("sha256 15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"), Summed::Same("SHA-256"));
        assert_eq!(sum.compare("sha256 15e2"), Summed::Other("SHA-256"));
        assert_eq!(sum.compare("none"), Summed::Unknown);
    }

    proptest! {
        #[test]
        fn base64_comes_back_and_is_as_long_as_was_told(bytes in proptest::collection::vec(any::<u8>(), 0..10_000)) {
            let wire = Coded::Base64.encode(&bytes);
            prop_assert_eq!(wire.len() as u64, coded_length(bytes.len() as u64));
            let mut lines = Lines::default();
            let mut back = Vec::new();
            for piece in wire.chunks(7) {
                lines.take(piece);
                while let Some(line) = lines.next() {
                    back.extend(Coded::Base64.decode(&line).unwrap());
                }
            }
            prop_assert_eq!(back, bytes);
        }

        #[test]
        fn no_output_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2000)) {
            let mut lines = Lines::default();
            lines.take(&bytes);
            while let Some(line) = lines.next() {
                let _ = (Coded::Base64.decode(&line), Coded::Numbers.decode(&line));
            }
        }
    }
}
