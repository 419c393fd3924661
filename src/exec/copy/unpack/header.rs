//! One header of an archive: ustar, what GNU added to it for long names and large files, and what POSIX did for the same.

use super::BLOCK;

/// Words about the next entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meta {
    /// GNU: its name.
    Name,
    /// GNU: where it leads.
    Link,
    /// POSIX: lines of keys and values.
    Pax,
    /// POSIX: such lines about all entries, of which none matters here.
    Global,
}

/// What is known of the next entry before its own header.
#[derive(Debug, Default)]
pub(super) struct Header {
    name: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

/// A header that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) name: Vec<u8>,
    pub(super) link: Vec<u8>,
    pub(super) kind: u8,
    pub(super) mode: u32,
    pub(super) size: u64,
    /// What it is instead of an entry.
    pub(super) meta: Option<Meta>,
    /// What goes on being known, if it is none.
    pub(super) kept: Header,
}

impl Header {
    /// Reads a block; nothing where it is no header.
    pub(super) fn read(self, block: &[u8]) -> Option<Read> {
        let told = octal(block.get(148..156)?)?;
        let sum: u64 =
            block[..BLOCK].iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u64::from(*byte) }).sum();
        if told != sum {
            return None;
        }
        let kind = block[156];
        let meta = match kind {
            b'L' => Some(Meta::Name),
            b'K' => Some(Meta::Link),
            b'x' => Some(Meta::Pax),
            b'g' => Some(Meta::Global),
            _ => None,
        };
        let size = number(&block[124..136])?;
        let mode = u32::try_from(octal(&block[100..108])? & 0o777).ok()?;
        if meta.is_some() {
            return Some(Read { name: Vec::new(), link: Vec::new(), kind, mode, size, meta, kept: self });
        }
        let Header { name, link, size: longer } = self;
        let name = name.unwrap_or_else(|| {
            // GNU has other things where POSIX has the beginning of a name.
            let prefix = if block[257..263] == *b"ustar\0" { text(&block[345..500]) } else { b"" };
            let name = text(&block[..100]);
            if prefix.is_empty() { name.to_vec() } else { [prefix, b"/", name].concat() }
        });
        let link = link.unwrap_or_else(|| text(&block[157..257]).to_vec());
        Some(Read { name, link, kind, mode, size: longer.unwrap_or(size), meta: None, kept: Header::default() })
    }

    /// Takes words about the next entry.
    pub(super) fn note(&mut self, meta: Meta, words: &[u8]) {
        match meta {
            Meta::Name => self.name = Some(text(words).to_vec()),
            Meta::Link => self.link = Some(text(words).to_vec()),
            Meta::Pax => self.lines(words),
            Meta::Global => {}
        }
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts all of the line.
    fn lines(&mut self, mut words: &[u8]) {
        while let Some(space) = memchr::memchr(b' ', words) {
            let length = std::str::from_utf8(&words[..space]).ok().and_then(|digits| digits.parse::<usize>().ok());
            let Some(line) = length.filter(|length| *length > space + 1).and_then(|length| words.get(space + 1..length)) else { return };
            words = &words[space + 1 + line.len()..];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            let Some(equals) = memchr::memchr(b'=', line) else { continue };
            let value = &line[equals + 1..];
            match &line[..equals] {
                b"path" => self.name = Some(value.to_vec()),
                b"linkpath" => self.link = Some(value.to_vec()),
                b"size" => self.size = std::str::from_utf8(value).ok().and_then(|digits| digits.parse().ok()),
                _ => {}
            }
        }
    }
}

/// A field up to its first nought.
fn text(field: &[u8]) -> &[u8] {
    &field[..memchr::memchr(0, field).unwrap_or(field.len())]
}

fn octal(field: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(text(field)).ok()?.trim_matches(' ');
    if digits.is_empty() { Some(0) } else { u64::from_str_radix(digits, 8).ok() }
}

/// Octal digits, or, marked by the first bit, the number itself.
fn number(field: &[u8]) -> Option<u64> {
    if field[0] & 0x80 == 0 {
        return octal(field);
    }
    let (high, low) = field.split_at(4);
    (high == [0x80, 0, 0, 0]).then(|| low.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
