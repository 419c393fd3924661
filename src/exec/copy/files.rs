//! Files of this machine: one that gets its name only when it is whole, and permission bits.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// A file that has not got its name yet; dropped before, it leaves nothing behind.
pub(super) struct Partial {
    file: Option<BufWriter<File>>,
    at: PathBuf,
    to: PathBuf,
}

impl Partial {
    pub(super) fn begin(to: &Path, nonce: &str) -> Result<Partial, String> {
        let name = to.file_name().ok_or_else(|| format!("{} is no name for a file", to.display()))?;
        let at = to.with_file_name(format!(".{}.{nonce}", name.to_string_lossy()));
        let file = fresh(&at).map_err(|error| format!("cannot write {}: {error}", to.display()))?;
        Ok(Partial { file: Some(BufWriter::with_capacity(1 << 18, file)), at, to: to.to_owned() })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), String> {
        let Some(file) = &mut self.file else { return Ok(()) };
        file.write_all(bytes).map_err(|error| format!("cannot write {}: {error}", self.to.display()))
    }

    pub(super) fn finish(mut self, mode: Option<u32>) -> Result<PathBuf, String> {
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

/// A file that was not there; nobody else reads it before its permissions are known.
pub(super) fn fresh(at: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(at)
}

/// The permission bits of `-rwxr-x---`; what else a mode can say (set-user-id, sticky) is not taken over.
pub(super) fn permissions(mode: &str) -> Option<u32> {
    let bits: Vec<char> = mode.chars().skip(1).take(9).collect();
    if bits.len() != 9 {
        return None;
    }
    Some(bits.iter().fold(0, |mode, c| mode << 1 | u32::from(matches!(c, 'r' | 'w' | 'x' | 's' | 't'))))
}

#[cfg(unix)]
pub(super) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn set_mode(_: &File, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
pub(super) fn mode_of(meta: &fs::Metadata) -> u32 {
    use std::os::unix::fs::PermissionsExt;
    meta.permissions().mode() & 0o777
}

#[cfg(not(unix))]
pub(super) fn mode_of(_: &fs::Metadata) -> u32 {
    0o644
}

/// The same for a directory, which cannot be opened for it everywhere.
#[cfg(unix)]
pub(super) fn set_mode_at(at: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(at, fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
pub(super) fn set_mode_at(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}
