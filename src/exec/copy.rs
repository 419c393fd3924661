//! Files in and out of a container, over the channel of a shell: nothing but `sh` and a few of its usual neighbours is needed there.
//!
//! A session of exec is a terminal, so bytes travel as base64, or as numbers where the image has no base64. A file gets its name only when
//! it is whole and its checksum is right; a directory is an archive on its way, and gets its name likewise. It speaks to a session and opens
//! none.

mod files;
mod heard;
mod lines;
mod pack;
mod script;
mod unpack;

use crate::exec::session::Session;
use crate::text;
use files::{Partial, mode_of, permissions};
use heard::{Heard, Line};
use lines::{Coded, Sum, Summed};
use pack::Pack;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;
use unpack::Unpack;

pub use script::{get, put};

/// How long the container's shell may take to answer at first; its agent starts it a second after the channel.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes of a file that are encoded and handed to the session at once: whole lines.
const READ: usize = 16 * lines::PER_LINE;

/// Where a file is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On this machine.
    Here(PathBuf),
    /// In a container of a task: the task by id or ARN, and the path.
    There(String, String),
}

impl Place {
    /// Reads `TASK:PATH` or a path of this machine, which is one with a `/` before its first colon, or without a colon.
    #[must_use]
    pub fn parse(text: &str) -> Place {
        let arn = text.starts_with("arn:").then(|| text.find(":task/").map(|at| at + ":task/".len())).flatten();
        let colon = text[arn.unwrap_or(0)..].find(':').map(|at| at + arn.unwrap_or(0));
        match colon {
            // One letter is a drive of Windows.
            Some(at) if at > 1 && (arn.is_some() || !text[..at].contains(['/', '\\'])) => {
                Place::There(text[..at].to_owned(), text[at + 1..].to_owned())
            }
            _ => Place::Here(text.into()),
        }
    }
}

/// What was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Copied {
    /// Bytes of the file, or of all files of a directory.
    pub bytes: u64,
    /// How many files a directory had; nothing for a file alone.
    pub files: Option<u64>,
    /// Where it is now.
    pub to: String,
    /// How it was proven to be the same at both ends; nothing where the image has no program for it.
    pub proven: Option<&'static str>,
    /// What was left out of a directory, and what `tar` complained of.
    pub left: Vec<String>,
}

impl Copied {
    /// What was copied, in a line.
    #[must_use]
    pub fn line(&self) -> String {
        let what = match self.files {
            Some(1) => "1 file, ".to_owned(),
            Some(files) => format!("{files} files, "),
            None => String::new(),
        };
        let proven = match (self.proven, self.files) {
            (Some(by), _) => format!("{by} is the same at both ends"),
            (None, None) => "only its size was compared: the image has no program for a checksum".to_owned(),
            (None, Some(_)) => "not proven by a checksum: the image has no program for it".to_owned(),
        };
        format!("{what}{} bytes to {} · {proven}", self.bytes, self.to)
    }
}

/// Notes of this kind that are kept; what is more is counted.
const NOTES: usize = 5;

/// Keeps the first notes, and counts the others.
#[derive(Debug, Default)]
struct Left {
    notes: Vec<String>,
    more: u64,
}

impl Left {
    fn add(&mut self, note: String) {
        if self.notes.len() < NOTES {
            self.notes.push(note);
        } else {
            self.more += 1;
        }
    }

    fn all(mut self) -> Vec<String> {
        if self.more > 0 {
            self.notes.push(format!("{} more", self.more));
        }
        self.notes
    }
}

/// What is to be copied in.
#[derive(Debug)]
pub struct Source {
    at: PathBuf,
    /// Bytes that go over the session: more than `bytes`, where it is an archive.
    wire: u64,
    bytes: u64,
    mode: u32,
    pack: Option<Pack>,
    left: Vec<String>,
}

impl Source {
    fn is_directory(&self) -> bool {
        self.pack.is_some()
    }
}

/// Looks at a file or a directory that is to be copied in.
///
/// # Errors
/// One line.
pub fn measure(from: &Path) -> Result<Source, String> {
    let meta = fs::metadata(from).map_err(|error| format!("cannot read {}: {error}", from.display()))?;
    let (at, mode) = (from.to_owned(), mode_of(&meta));
    if meta.is_dir() {
        let mut left = Left::default();
        let pack = Pack::of(from, &mut left)?;
        return Ok(Source { at, wire: pack.length(), bytes: pack.content(), mode, pack: Some(pack), left: left.all() });
    }
    if !meta.is_file() {
        return Err(format!("{} is neither a file nor a directory", from.display()));
    }
    Ok(Source { at, wire: meta.len(), bytes: meta.len(), mode, pack: None, left: Vec::new() })
}

/// Copies a file or a directory out of the container. The session must run the command of [`get`] with the same nonce. `progress` hears
/// bytes and how many there will be, or nought for that where nobody knows.
///
/// # Errors
/// One line: what is missing in the container or on this machine, or how the session ended.
pub async fn download(
    wire: &mut Session,
    nonce: &str,
    to: &Path,
    name: &str,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Copied, String> {
    let mut heard = Heard::new(wire, nonce);
    let head = heard.control(PATIENCE).await?;
    let to = if to.is_dir() { to.join(name) } else { to.to_owned() };
    let coding =
        |letter: &str| Coded::named(letter).ok_or_else(|| format!("the container's answer could not be read: {}", text::clean(&head)));
    match head.split(' ').collect::<Vec<_>>()[..] {
        ["H", letter, size, mode] => {
            let size: u64 = size.parse().map_err(|_| format!("the container tells no size: {}", text::clean(&head)))?;
            let mut file = Partial::begin(&to, nonce)?;
            let (sum, told) = receive(&mut heard, coding(letter)?, size, progress, &mut |bytes| file.write(bytes)).await?;
            let proven = same(&sum, size, &told)?;
            let to = file.finish(permissions(mode))?;
            Ok(Copied { bytes: size, files: None, to: to.display().to_string(), proven, left: Vec::new() })
        }
        ["D", letter] => {
            let mut all = Unpack::begin(&to, nonce)?;
            let (sum, told) = receive(&mut heard, coding(letter)?, 0, progress, &mut |bytes| all.take(bytes)).await?;
            let Archived { proven, code, words } = archived(&sum, &told)?;
            if !all.is_whole() {
                return Err(format!("the container's tar ended with {code}{words} before the archive was whole: nothing was kept"));
            }
            let (bytes, files) = all.counts();
            let mut left = all.finish()?;
            if code != 0 {
                left.push(format!("tar ended with {code}{words}"));
            }
            Ok(Copied { bytes, files: Some(files), to: to.display().to_string(), proven, left })
        }
        _ => Err(refusal(&head)),
    }
}

/// Takes in what the container sends until its script says something: the sum of it, and what was said.
async fn receive(
    heard: &mut Heard<'_>,
    coded: Coded,
    size: u64,
    progress: &mut dyn FnMut(u64, u64),
    take: &mut dyn FnMut(&[u8]) -> Result<(), String>,
) -> Result<(Sum, String), String> {
    let mut sum = Sum::default();
    progress(0, size);
    loop {
        match heard.line(None).await? {
            Line::Body(line) => {
                let bytes = coded.decode(&line).ok_or("the container sent what is neither the file nor an answer")?;
                sum.take(&bytes);
                take(&bytes)?;
                progress(if size == 0 { sum.length() } else { sum.length().min(size) }, size);
            }
            Line::Control(line) => {
                return line.strip_prefix("E ").map(|told| (sum, told.to_owned())).ok_or_else(|| refusal(&line));
            }
        }
    }
}

/// Copies a file or a directory into the container. The session must run the command of [`put`] for it with the same nonce.
///
/// # Errors
/// One line: what is missing in the container or on this machine, or how the session ended.
pub async fn upload(wire: &mut Session, nonce: &str, source: Source, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, String> {
    let Source { at, wire: size, bytes, pack, left, .. } = source;
    let cannot = |error: io::Error| format!("cannot read {}: {error}", at.display());
    let files = pack.as_ref().map(Pack::files);
    let mut from: Box<dyn Read + Send> = match pack {
        Some(pack) => Box::new(pack),
        None => Box::new(BufReader::with_capacity(READ, File::open(&at).map_err(cannot)?)),
    };
    let mut heard = Heard::new(wire, nonce);
    let head = heard.control(PATIENCE).await?;
    let coded = head.strip_prefix("R ").and_then(Coded::named).ok_or_else(|| refusal(&head))?;
    let (mut sum, mut buffer) = (Sum::default(), vec![0; READ]);
    progress(0, size);
    loop {
        let n = fill(&mut from, &mut buffer).map_err(cannot)?;
        if n == 0 {
            break;
        }
        sum.take(&buffer[..n]);
        heard.send(coded.encode(&buffer[..n])).await?;
        progress(sum.length().min(size), size);
    }
    if sum.length() != size {
        return Err(format!("{} changed while it was copied: nothing was kept", at.display()));
    }
    heard.send(coded.end().to_vec()).await?;
    let tail = heard.control(Duration::MAX).await?;
    let Some(told) = tail.strip_prefix("E ") else { return Err(refusal(&tail)) };
    let proven = if files.is_some() {
        let Archived { proven, code, words } = archived(&sum, told)?;
        if code != 0 {
            return Err(format!("the container's tar ended with {code}{words}: nothing was kept"));
        }
        proven
    } else {
        same(&sum, size, told)?
    };
    // Only now it gets its name.
    heard.send(b"y\n".to_vec()).await?;
    let kept = heard.control(Duration::MAX).await?;
    let to = kept.strip_prefix("K ").ok_or_else(|| refusal(&kept))?;
    Ok(Copied { bytes, files, to: text::clean(to).to_string(), proven, left })
}

/// How the container's `tar` ended.
struct Archived {
    proven: Option<&'static str>,
    code: u8,
    /// What it complained of, to be put behind the code.
    words: String,
}

/// What the container says of an archive: complaints, `t` with the exit code, and the checksum, against what came or went.
fn archived(sum: &Sum, told: &str) -> Result<Archived, String> {
    let words: Vec<&str> = told.split(' ').collect();
    let exit = |word: &&str| word.strip_prefix('t').and_then(|code| code.parse().ok());
    let at = words.iter().rposition(|word| exit(word).is_some());
    let (at, code) = at.and_then(|at| Some((at, exit(&words[at])?))).ok_or_else(|| refusal(told))?;
    let proven = match sum.compare(&words[at + 1..].join(" ")) {
        Summed::Same(by) => Some(by),
        // What it did not take it did not sum up: that it failed says more.
        Summed::Other(_) if code != 0 => None,
        Summed::Other(by) => return Err(format!("the copy differs from the directory by {by}: nothing was kept")),
        Summed::Unknown => None,
    };
    let complaint = text::clean(&words[..at].join(" "));
    Ok(Archived { proven, code, words: if complaint.is_empty() { String::new() } else { format!(" ({complaint})") } })
}

/// What the container says of the file against what came or went.
fn same(sum: &Sum, size: u64, told: &str) -> Result<Option<&'static str>, String> {
    if sum.length() != size {
        return Err(format!("{} of {size} bytes arrived: nothing was kept", sum.length()));
    }
    match sum.compare(told) {
        Summed::Same(by) => Ok(Some(by)),
        Summed::Other(by) => Err(format!("the copy differs from the file by {by}: nothing was kept")),
        Summed::Unknown => Ok(None),
    }
}

/// Why the container's end gave up, in its own words.
fn refusal(line: &str) -> String {
    match line.strip_prefix("X ") {
        Some(why) => text::clean(why).to_string(),
        None => format!("the container's answer could not be read: {}", text::clean(line)),
    }
}

/// Reads until the buffer is full or the file ends: only the last piece of base64 may be short.
fn fill(file: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut have = 0;
    while have < buffer.len() {
        match file.read(&mut buffer[have..]) {
            Ok(0) => break,
            Ok(n) => have += n,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(have)
}

#[cfg(test)]
mod tests;
