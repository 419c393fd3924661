//! Files in and out of a container, over the channel of a shell: nothing but `sh` and a few of its usual neighbours is needed there.
//!
//! A session of exec is a terminal, so bytes travel as base64, or as numbers where the image has no base64. A file gets its name only when
//! it is whole and its checksum is right. It speaks to a session by [`Ask`] and [`Said`] and opens none.

mod lines;
mod script;

use crate::exec::checks::explain_failure;
use crate::exec::session::Session;
use crate::exec::{Ask, End, Said, forward};
use crate::text;
use lines::{Coded, Lines, Sum, Summed};
use std::fs::{self, File};
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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
    /// Bytes.
    pub bytes: u64,
    /// Where it is now.
    pub to: String,
    /// How it was proven to be the same at both ends; nothing where the image has no program for it, and only its size was compared.
    pub proven: Option<&'static str>,
}

/// Copies a file out of the container. The session must run the command of [`get`] with the same nonce. `progress` hears bytes and how many
/// there will be.
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
    let ["H", coding, size, mode] = head.split(' ').collect::<Vec<_>>()[..] else { return Err(refusal(&head)) };
    let coded = Coded::named(coding).ok_or_else(|| format!("the container's answer could not be read: {}", text::clean(&head)))?;
    let size: u64 = size.parse().map_err(|_| format!("the container tells no size: {}", text::clean(&head)))?;
    let mut file = Partial::begin(&if to.is_dir() { to.join(name) } else { to.to_owned() }, nonce)?;
    let mut sum = Sum::default();
    progress(0, size);
    let tail = loop {
        match heard.line(None).await? {
            Line::Body(line) => {
                let bytes = coded.decode(&line).ok_or("the container sent what is neither the file nor an answer")?;
                sum.take(&bytes);
                file.write(&bytes)?;
                progress(sum.length().min(size), size);
            }
            Line::Control(line) => break line,
        }
    };
    let Some(told) = tail.strip_prefix("E ") else { return Err(refusal(&tail)) };
    let proven = same(&sum, size, told)?;
    let to = file.finish(permissions(mode))?;
    Ok(Copied { bytes: size, to: to.display().to_string(), proven })
}

/// Copies a file into the container. The session must run the command of [`put`] with the same nonce and the file's own size.
///
/// # Errors
/// One line: what is missing in the container or on this machine, or how the session ended.
pub async fn upload(wire: &mut Session, nonce: &str, from: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<Copied, String> {
    let cannot = |error: io::Error| format!("cannot read {}: {error}", from.display());
    let file = File::open(from).map_err(cannot)?;
    let size = file.metadata().map_err(cannot)?.len();
    let mut file = BufReader::with_capacity(READ, file);
    let mut heard = Heard::new(wire, nonce);
    let head = heard.control(PATIENCE).await?;
    let coded = head.strip_prefix("R ").and_then(Coded::named).ok_or_else(|| refusal(&head))?;
    let (mut sum, mut buffer) = (Sum::default(), vec![0; READ]);
    progress(0, size);
    loop {
        let n = fill(&mut file, &mut buffer).map_err(cannot)?;
        if n == 0 {
            break;
        }
        sum.take(&buffer[..n]);
        heard.send(coded.encode(&buffer[..n])).await?;
        progress(sum.length().min(size), size);
    }
    if sum.length() != size {
        return Err(format!("{} changed while it was copied: nothing was kept", from.display()));
    }
    heard.send(coded.end().to_vec()).await?;
    let tail = heard.control(Duration::MAX).await?;
    let Some(told) = tail.strip_prefix("E ") else { return Err(refusal(&tail)) };
    let proven = same(&sum, size, told)?;
    // Only now it gets its name.
    heard.send(b"y\n".to_vec()).await?;
    let kept = heard.control(PATIENCE).await?;
    let to = kept.strip_prefix("K ").ok_or_else(|| refusal(&kept))?;
    Ok(Copied { bytes: size, to: text::clean(to).to_string(), proven })
}

/// The size and the permission bits of a file that is to be copied in.
///
/// # Errors
/// One line.
pub fn measure(from: &Path) -> Result<(u64, u32), String> {
    let meta = fs::metadata(from).map_err(|error| format!("cannot read {}: {error}", from.display()))?;
    if meta.is_dir() {
        return Err(format!("{} is a directory: only files are copied; make an archive of it first", from.display()));
    }
    Ok((meta.len(), mode_of(&meta)))
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

/// A line of the container's end.
enum Line {
    /// Part of the file.
    Body(String),
    /// Of the script, without its mark.
    Control(String),
}

/// Reads what the session brings as lines, and sends while it does.
struct Heard<'a> {
    wire: &'a mut Session,
    lines: Lines,
    mark: String,
}

impl<'a> Heard<'a> {
    fn new(wire: &'a mut Session, nonce: &str) -> Self {
        Heard { wire, lines: Lines::default(), mark: format!("@{nonce} ") }
    }

    async fn line(&mut self, within: Option<Duration>) -> Result<Line, String> {
        loop {
            while let Some(line) = self.lines.next() {
                match line.strip_prefix(&self.mark) {
                    Some(control) => return Ok(Line::Control(control.to_owned())),
                    None if line.trim().is_empty() => {}
                    None => return Ok(Line::Body(line)),
                }
            }
            let said = match within {
                Some(within) => tokio::time::timeout(within, self.wire.said.recv()).await,
                None => Ok(self.wire.said.recv().await),
            };
            match said {
                Err(_) => return Err("the container's shell does not answer".to_owned()),
                Ok(said) => self.take(said)?,
            }
        }
    }

    /// The next line of the script; what else comes, an echo of the terminal, is passed over.
    async fn control(&mut self, within: Duration) -> Result<String, String> {
        let within = (within != Duration::MAX).then_some(within);
        let mut unread = String::new();
        loop {
            match self.line(within).await {
                Ok(Line::Control(line)) => return Ok(line),
                // What a shell that could not start says, if nothing else comes.
                Ok(Line::Body(line)) => unread = line,
                Err(why) => {
                    let known = explain_failure(&unread).map(|known| format!("{}: {}", known.cause, known.fix));
                    return Err(known.unwrap_or(why));
                }
            }
        }
    }

    fn take(&mut self, said: Option<Said>) -> Result<(), String> {
        match said {
            Some(Said::Output(bytes)) => {
                self.lines.take(&bytes);
                Ok(())
            }
            Some(Said::Ended(End::Closed(why))) => {
                let why = why.filter(|why| !why.trim().is_empty());
                let Some(why) = why else {
                    return Err("the container ended the session before the copy was whole: nothing was kept".to_owned());
                };
                let known = explain_failure(&why).map_or(String::new(), |known| format!(" · {}: {}", known.cause, known.fix));
                Err(format!("{}{known}", text::clean(why.trim())))
            }
            Some(Said::Ended(end)) => Err(forward::words(&end)),
            None => Err("the session is over".to_owned()),
            Some(Said::Ready { .. } | Said::Lost { .. } | Said::Resumed | Said::PortRefused) => Ok(()),
        }
    }

    /// Sends, and reads meanwhile: an end that is not read would stop reading too.
    async fn send(&mut self, bytes: Vec<u8>) -> Result<(), String> {
        loop {
            let said = tokio::select! {
                biased;
                place = self.wire.asks.reserve() => {
                    let place = place.map_err(|_| "the session is over".to_owned())?;
                    place.send(Ask::Input(bytes));
                    return Ok(());
                }
                said = self.wire.said.recv() => said,
            };
            self.take(said)?;
        }
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

/// A file that has not got its name yet; dropped before, it leaves nothing behind.
struct Partial {
    file: Option<BufWriter<File>>,
    at: PathBuf,
    to: PathBuf,
}

impl Partial {
    fn begin(to: &Path, nonce: &str) -> Result<Partial, String> {
        let name = to.file_name().ok_or_else(|| format!("{} is no name for a file", to.display()))?;
        let at = to.with_file_name(format!(".{}.{nonce}", name.to_string_lossy()));
        let mut options = File::options();
        options.write(true).create_new(true);
        // Nobody else reads it before its permissions are known.
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(&at).map_err(|error| format!("cannot write {}: {error}", to.display()))?;
        Ok(Partial { file: Some(BufWriter::with_capacity(1 << 18, file)), at, to: to.to_owned() })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| format!("cannot write {}: {error}", self.to.display()))
    }

    fn finish(mut self, mode: Option<u32>) -> Result<PathBuf, String> {
        let cannot = |error: io::Error| format!("cannot write {}: {error}", self.to.display());
        if let Some(file) = self.file.take() {
            let file = file.into_inner().map_err(|error| cannot(error.into_error()))?;
            file.sync_all().map_err(cannot)?;
            if let Some(mode) = mode {
                set_mode(&file, mode).map_err(cannot)?;
            }
        }
        fs::rename(&self.at, &self.to).map_err(cannot)?;
        Ok(self.to.clone())
    }
}

impl Drop for Partial {
    fn drop(&mut self) {
        // After its end there is nothing under this name.
        let _ = fs::remove_file(&self.at);
    }
}

/// The permission bits of `-rwxr-x---`; what else a mode can say (set-user-id, sticky) is not taken over.
fn permissions(mode: &str) -> Option<u32> {
    let bits: Vec<char> = mode.chars().skip(1).take(9).collect();
    if bits.len() != 9 {
        return None;
    }
    Some(bits.iter().fold(0, |mode, c| mode << 1 | u32::from(matches!(c, 'r' | 'w' | 'x' | 's' | 't'))))
}

#[cfg(unix)]
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn mode_of(meta: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o777
}

#[cfg(not(unix))]
fn mode_of(_: &fs::Metadata) -> u32 {
    0o644
}

#[cfg(test)]
mod tests;
