//! A directory of this machine as a ustar archive, made while it is read: its length is known beforehand, because the container is told it.
//!
//! Names longer than a header holds go as GNU's, which GNU tar, busybox and bsdtar read. Owners stay behind: there they are root's.

use super::Left;
use super::files::mode_of;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// What headers and bodies are multiples of.
pub(super) const BLOCK: usize = 512;

/// Longest name that a header holds.
const NAME: usize = 100;

#[derive(Debug)]
enum What {
    Folder,
    File(u64),
    /// Where it leads, as it is written.
    Link(Vec<u8>),
}

#[derive(Debug)]
struct Entry {
    at: PathBuf,
    name: Vec<u8>,
    mode: u32,
    seconds: u64,
    what: What,
}

/// The archive, which is read from its beginning to its end.
#[derive(Debug, Default)]
pub(super) struct Pack {
    entries: Vec<Entry>,
    next: usize,
    /// Headers and padding that go out before anything else.
    out: Vec<u8>,
    at: usize,
    /// The file that is read, and how much of it is still to come.
    body: Option<(File, u64)>,
    padding: usize,
    ended: bool,
}

impl Pack {
    /// Looks through a directory. What is neither file, directory nor link stays behind and is noted.
    pub(super) fn of(root: &Path, left: &mut Left) -> Result<Pack, String> {
        let mut pack = Pack::default();
        pack.folder(root, b"./", left)?;
        Ok(pack)
    }

    fn folder(&mut self, at: &Path, name: &[u8], left: &mut Left) -> Result<(), String> {
        let cannot = |error: io::Error| format!("cannot read {}: {error}", at.display());
        let meta = fs::metadata(at).map_err(cannot)?;
        self.add(at, name.to_vec(), &meta, What::Folder);
        let entries: Result<Vec<fs::DirEntry>, io::Error> = fs::read_dir(at).map_err(cannot)?.collect();
        let mut entries = entries.map_err(cannot)?;
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            let at = entry.path();
            let cannot = |error: io::Error| format!("cannot read {}: {error}", at.display());
            let meta = entry.metadata().map_err(cannot)?;
            let mut name = [name, &bytes_of(Path::new(&entry.file_name()))].concat();
            if meta.is_dir() {
                name.push(b'/');
                self.folder(&at, &name, left)?;
            } else if meta.is_file() {
                self.add(&at, name, &meta, What::File(meta.len()));
            } else if meta.is_symlink() {
                let to = fs::read_link(&at).map_err(cannot)?;
                self.add(&at, name, &meta, What::Link(bytes_of(&to)));
            } else {
                left.add(format!("{} is no file", at.display()));
            }
        }
        Ok(())
    }

    fn add(&mut self, at: &Path, name: Vec<u8>, meta: &fs::Metadata, what: What) {
        let seconds = meta.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |since| since.as_secs());
        self.entries.push(Entry { at: at.to_owned(), name, mode: mode_of(meta), seconds, what });
    }

    /// Bytes of all files.
    pub(super) fn content(&self) -> u64 {
        self.entries.iter().map(|entry| if let What::File(size) = entry.what { size } else { 0 }).sum()
    }

    /// How many files there are.
    pub(super) fn files(&self) -> u64 {
        self.entries.iter().filter(|entry| matches!(entry.what, What::File(_))).count() as u64
    }

    /// Bytes of the archive.
    pub(super) fn length(&self) -> u64 {
        let entry = |entry: &Entry| {
            let body = if let What::File(size) = entry.what { size.next_multiple_of(BLOCK as u64) } else { 0 };
            headers(entry).len() as u64 + body
        };
        self.entries.iter().map(entry).sum::<u64>() + 2 * BLOCK as u64
    }

    /// Makes the next bytes that are no file's; false at the end.
    fn advance(&mut self) -> io::Result<bool> {
        (self.out, self.at) = (vec![0; std::mem::take(&mut self.padding)], 0);
        if !self.out.is_empty() {
            return Ok(true);
        }
        let Some(entry) = self.entries.get(self.next) else {
            if self.ended {
                return Ok(false);
            }
            self.ended = true;
            self.out = vec![0; 2 * BLOCK];
            return Ok(true);
        };
        self.next += 1;
        self.out = headers(entry);
        if let What::File(size) = entry.what {
            self.body = Some((File::open(&entry.at)?, size));
            let over = usize::try_from(size % BLOCK as u64).unwrap_or(0);
            self.padding = (BLOCK - over) % BLOCK;
        }
        Ok(true)
    }
}

impl Read for Pack {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.at < self.out.len() {
                let n = buffer.len().min(self.out.len() - self.at);
                buffer[..n].copy_from_slice(&self.out[self.at..self.at + n]);
                self.at += n;
                return Ok(n);
            }
            match &mut self.body {
                // What a file has grown by is left out, as `tar` does it; one that shrank would shift everything behind it.
                Some((file, left)) if *left > 0 => {
                    let most = buffer.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                    let n = file.read(&mut buffer[..most])?;
                    if n == 0 {
                        return Err(io::Error::other("a file in it became shorter while it was copied"));
                    }
                    *left -= n as u64;
                    return Ok(n);
                }
                _ => {
                    self.body = None;
                    if !self.advance()? {
                        return Ok(0);
                    }
                }
            }
        }
    }
}

/// The headers of an entry: one more, with a body of its own, for each name that is too long.
fn headers(entry: &Entry) -> Vec<u8> {
    let mut out = Vec::with_capacity(BLOCK);
    let (kind, size, link): (u8, u64, &[u8]) = match &entry.what {
        What::Folder => (b'5', 0, b""),
        What::File(size) => (b'0', *size, b""),
        What::Link(to) => (b'2', 0, to),
    };
    for (kind, long) in [(b'L', &entry.name[..]), (b'K', link)] {
        if long.len() > NAME {
            let length = long.len() + 1;
            out.extend(header(b"././@LongLink", kind, 0o644, length as u64, 0, b""));
            out.extend_from_slice(long);
            out.resize(out.len() + length.next_multiple_of(BLOCK) - long.len(), 0);
        }
    }
    out.extend(header(&entry.name, kind, entry.mode, size, entry.seconds, link));
    out
}

fn header(name: &[u8], kind: u8, mode: u32, size: u64, seconds: u64, link: &[u8]) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let mut put = |at: usize, room: usize, bytes: &[u8]| {
        let n = bytes.len().min(room);
        block[at..at + n].copy_from_slice(&bytes[..n]);
    };
    put(0, NAME, name);
    put(100, 8, format!("{mode:07o}\0").as_bytes());
    put(108, 8, b"0000000\0");
    put(116, 8, b"0000000\0");
    if size < 1 << 33 {
        put(124, 12, format!("{size:011o}\0").as_bytes());
    } else {
        // More than eleven octal digits hold: GNU's form, marked by its first bit.
        put(124, 4, &[0x80, 0, 0, 0]);
        put(128, 8, &size.to_be_bytes());
    }
    put(136, 12, format!("{:011o}\0", seconds.min((1 << 33) - 1)).as_bytes());
    put(148, 8, b"        ");
    put(156, 1, &[kind]);
    put(157, NAME, link);
    put(257, 8, b"ustar\x0000");
    let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
    block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    block
}

#[cfg(unix)]
fn bytes_of(path: &Path) -> Vec<u8> {
    std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()
}

#[cfg(not(unix))]
fn bytes_of(path: &Path) -> Vec<u8> {
    path.to_string_lossy().replace('\\', "/").into_bytes()
}
