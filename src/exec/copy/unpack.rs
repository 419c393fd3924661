//! An archive of the container becomes a directory of this machine: read as it comes, made under a name of its own beside the target, and
//! moved there when it is whole.
//!
//! What sends it is not trusted. No name may lead out; links are made last, so that nothing is ever written through one, and only those
//! that stay inside. Owners, devices, set-user-id bits and the like are not taken over.

mod header;

use super::Left;
use super::files::{fresh, set_mode, set_mode_at};
use super::pack::BLOCK;
use crate::text;
use header::{Header, Meta};
use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Component, Path, PathBuf};

/// Most bytes of a name or of the words about one.
const WORDS: u64 = 64 << 10;

/// Where a body's bytes go.
enum Goes {
    File(BufWriter<File>, u32),
    /// Words about the next entry.
    Words(Meta, Vec<u8>),
    Nothing,
}

enum State {
    Header,
    Body { left: u64, padding: u64, into: Goes },
    Over,
}

/// A directory that has not got its name yet; dropped before, it leaves nothing behind.
pub(super) struct Unpack {
    /// Where it is made, and where it will be.
    at: PathBuf,
    to: PathBuf,
    state: State,
    /// What has come of a header.
    block: Vec<u8>,
    zeros: u32,
    /// What the next entry is called, and leads to, and how long it is, where its header is too small to say so.
    header: Header,
    /// Directories with their permission bits.
    folders: BTreeMap<PathBuf, u32>,
    files: BTreeSet<PathBuf>,
    links: Vec<(PathBuf, PathBuf)>,
    bytes: u64,
    left: Left,
}

impl Unpack {
    pub(super) fn begin(to: &Path, nonce: &str) -> Result<Unpack, String> {
        let cannot = |error: io::Error| format!("cannot write {}: {error}", to.display());
        let name = to.file_name().ok_or_else(|| format!("{} is no name for a directory", to.display()))?;
        match fs::symlink_metadata(to) {
            Ok(meta) if meta.is_symlink() => return Err(format!("{} is a link: name what it leads to", to.display())),
            Ok(meta) if !meta.is_dir() => return Err(format!("{} is no directory", to.display())),
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(cannot(error)),
        }
        let at = to.with_file_name(format!(".{}.{nonce}", name.to_string_lossy()));
        make(&at).map_err(cannot)?;
        Ok(Unpack {
            at,
            to: to.to_owned(),
            state: State::Header,
            block: Vec::with_capacity(BLOCK),
            zeros: 0,
            header: Header::default(),
            folders: BTreeMap::new(),
            files: BTreeSet::new(),
            links: Vec::new(),
            bytes: 0,
            left: Left::default(),
        })
    }

    /// Whether the archive's end has come.
    pub(super) fn is_whole(&self) -> bool {
        matches!(self.state, State::Over)
    }

    /// Bytes of all files, and how many they are.
    pub(super) fn counts(&self) -> (u64, u64) {
        (self.bytes, self.files.len() as u64)
    }

    /// Takes in a piece of the archive.
    pub(super) fn take(&mut self, mut bytes: &[u8]) -> Result<(), String> {
        while !bytes.is_empty() {
            match &mut self.state {
                State::Over => return Ok(()),
                State::Header => {
                    let (now, rest) = bytes.split_at(bytes.len().min(BLOCK - self.block.len()));
                    self.block.extend_from_slice(now);
                    bytes = rest;
                    if self.block.len() == BLOCK {
                        self.header()?;
                        self.block.clear();
                    }
                }
                State::Body { left, padding, into } => {
                    let most = usize::try_from(*left).unwrap_or(usize::MAX);
                    let (now, rest) = bytes.split_at(bytes.len().min(most));
                    match into {
                        Goes::File(file, _) => {
                            file.write_all(now).map_err(|error| format!("cannot write {}: {error}", self.to.display()))?;
                        }
                        Goes::Words(_, words) => words.extend_from_slice(now),
                        Goes::Nothing => {}
                    }
                    *left -= now.len() as u64;
                    let skipped = if *left == 0 { rest.len().min(usize::try_from(*padding).unwrap_or(0)) } else { 0 };
                    *padding -= skipped as u64;
                    bytes = &rest[skipped..];
                    if *left == 0 && *padding == 0 {
                        self.end_body()?;
                    }
                }
            }
        }
        Ok(())
    }

    fn header(&mut self) -> Result<(), String> {
        if self.block.iter().all(|byte| *byte == 0) {
            self.zeros += 1;
            if self.zeros == 2 {
                self.state = State::Over;
            }
            return Ok(());
        }
        self.zeros = 0;
        let garbled = || "the archive that the container sent cannot be read: nothing was kept".to_owned();
        let read = std::mem::take(&mut self.header).read(&self.block).ok_or_else(garbled)?;
        if let Some(meta) = read.meta {
            if read.size > WORDS {
                return Err(garbled());
            }
            self.header = read.kept;
            return self.body(read.size, Goes::Words(meta, Vec::new()));
        }
        let shown = text::clean(&String::from_utf8_lossy(&read.name)).to_string();
        let name =
            inside(&read.name).ok_or_else(|| format!("the archive names {shown}, which leads out of the directory: nothing was kept"))?;
        let cannot = |error: io::Error| format!("cannot write {}: {error}", self.to.join(&name).display());
        if let Some(parent) = name.parent() {
            fs::create_dir_all(self.at.join(parent)).map_err(cannot)?;
        }
        let into = match read.kind {
            // A trailing slash is how the oldest archives told a directory.
            b'5' | b'0' | 0 if read.kind == b'5' || read.name.ends_with(b"/") => {
                fs::create_dir_all(self.at.join(&name)).map_err(cannot)?;
                self.folders.insert(name, read.mode);
                Goes::Nothing
            }
            b'0' | b'7' | 0 => {
                let file = fresh(&self.at.join(&name)).map_err(cannot)?;
                self.files.insert(name);
                self.bytes += read.size;
                Goes::File(BufWriter::with_capacity(1 << 16, file), read.mode)
            }
            b'1' => {
                match inside(&read.link).filter(|to| self.files.contains(to)) {
                    Some(to) => {
                        fs::hard_link(self.at.join(to), self.at.join(&name)).map_err(cannot)?;
                        self.files.insert(name);
                    }
                    None => self.left.add(format!("{shown} is a link to what is not a file in it")),
                }
                Goes::Nothing
            }
            b'2' => {
                if let Some(to) = stays(&name, &read.link) {
                    self.links.push((name, to));
                } else {
                    let to = text::clean(&String::from_utf8_lossy(&read.link));
                    self.left.add(format!("{shown} is a link that leads out, to {to}"));
                }
                Goes::Nothing
            }
            _ => {
                self.left.add(format!("{shown} is no file"));
                Goes::Nothing
            }
        };
        // Only files have a body, whatever a header says; of others it is passed over.
        let size = if matches!(read.kind, b'1' | b'2' | b'5') { 0 } else { read.size };
        self.body(size, into)
    }

    fn body(&mut self, size: u64, into: Goes) -> Result<(), String> {
        self.state = State::Body { left: size, padding: size.wrapping_neg() % BLOCK as u64, into };
        if size == 0 { self.end_body() } else { Ok(()) }
    }

    fn end_body(&mut self) -> Result<(), String> {
        let State::Body { into, .. } = std::mem::replace(&mut self.state, State::Header) else { return Ok(()) };
        match into {
            Goes::File(file, mode) => {
                let done = file.into_inner().map_err(io::IntoInnerError::into_error).and_then(|file| set_mode(&file, mode));
                done.map_err(|error| format!("cannot write {}: {error}", self.to.display()))?;
            }
            Goes::Words(meta, words) => self.header.note(meta, &words),
            Goes::Nothing => {}
        }
        Ok(())
    }

    /// Gives it its name, and tells what was left out.
    pub(super) fn finish(mut self) -> Result<Vec<String>, String> {
        let cannot = |at: &Path, error: io::Error| format!("cannot write {}: {error}", at.display());
        for (name, to) in std::mem::take(&mut self.links) {
            if !link(&to, &self.at.join(&name)).map_err(|error| cannot(&self.to.join(&name), error))? {
                self.left.add(format!("{} is a link, which this system does not have", name.display()));
            }
        }
        let mut there = BTreeSet::new();
        if self.to.exists() {
            check(&self.at, &self.to)?;
            merge(&self.at, &self.to, Path::new(""), &mut there).map_err(|error| cannot(&self.to, error))?;
        } else {
            fs::rename(&self.at, &self.to).map_err(|error| cannot(&self.to, error))?;
        }
        // The innermost first: one that may not be entered comes after what is in it. Those that were there stay as they were.
        for (name, mode) in std::mem::take(&mut self.folders).into_iter().rev().filter(|(name, _)| !there.contains(name)) {
            let at = if name.as_os_str().is_empty() { self.to.clone() } else { self.to.join(&name) };
            set_mode_at(&at, mode).map_err(|error| cannot(&at, error))?;
        }
        Ok(std::mem::take(&mut self.left).all())
    }
}

impl Drop for Unpack {
    fn drop(&mut self) {
        // After its end there is nothing under this name, or only directories whose content has moved.
        let _ = fs::remove_dir_all(&self.at);
    }
}

/// A name as a path below the directory; nothing where it leads elsewhere.
fn inside(name: &[u8]) -> Option<PathBuf> {
    let path = path_of(name)?;
    let mut inside = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(part) => inside.push(part),
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(inside)
}

/// Where a link leads, if that stays inside: steps up only at its beginning, where the way is known, and no more than there are. A step up
/// behind another link would start from wherever that one leads.
fn stays(name: &Path, to: &[u8]) -> Option<PathBuf> {
    let path = path_of(to).filter(|path| !path.as_os_str().is_empty())?;
    let mut depth = name.components().count().checked_sub(1)?;
    let mut climbing = true;
    for part in path.components() {
        match part {
            Component::ParentDir if climbing => depth = depth.checked_sub(1)?,
            Component::Normal(_) => climbing = false,
            Component::CurDir => {}
            Component::ParentDir | Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(path)
}

/// Whether a directory can be put over one that is there: a directory only over a directory, and nothing through a link.
fn check(from: &Path, to: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("cannot write {}: {error}", to.display());
    for entry in fs::read_dir(from).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let Ok(meta) = fs::symlink_metadata(&to) else { continue };
        let directory = entry.file_type().map_err(cannot)?.is_dir();
        if directory && meta.is_symlink() {
            return Err(format!("{} is a link, and in the container a directory: nothing was kept", to.display()));
        }
        if directory != meta.is_dir() {
            let there =
                if directory { "no directory, and in the container it is one" } else { "a directory, and in the container it is none" };
            return Err(format!("{} is {there}: nothing was kept", to.display()));
        }
        if directory {
            check(&from, &to)?;
        }
    }
    Ok(())
}

/// Moves all of it; `there` gets the directories that were there already.
fn merge(from: &Path, to: &Path, name: &Path, there: &mut BTreeSet<PathBuf>) -> io::Result<()> {
    there.insert(name.to_owned());
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to, name) = (entry.path(), to.join(entry.file_name()), name.join(entry.file_name()));
        if entry.file_type()?.is_dir() && to.is_dir() {
            merge(&from, &to, &name, there)?;
        } else {
            fs::rename(&from, &to)?;
        }
    }
    Ok(())
}

/// A directory that was not there, for nobody else until it is whole.
fn make(at: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(at)
}

#[cfg(unix)]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStrExt;
    (!name.contains(&0)).then(|| PathBuf::from(std::ffi::OsStr::from_bytes(name)))
}

#[cfg(not(unix))]
fn path_of(name: &[u8]) -> Option<PathBuf> {
    // Characters that mean something else in names of Windows, streams among them.
    let name = std::str::from_utf8(name).ok()?;
    (!name.contains(['\0', '\\', ':', '*', '?', '"', '<', '>', '|'])).then(|| PathBuf::from(name))
}

/// Makes a link; false where this system has none that anybody may make.
#[cfg(unix)]
fn link(to: &Path, at: &Path) -> io::Result<bool> {
    std::os::unix::fs::symlink(to, at).map(|()| true)
}

#[cfg(not(unix))]
fn link(_: &Path, _: &Path) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests;
