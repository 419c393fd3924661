//! Where the platform wants configuration and state: the only place that knows, and the only place that writes there.

use crate::settings;
use directories::ProjectDirs;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// The program's directories; none where the platform has no home for the user.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Places {
    config: Option<PathBuf>,
    state: Option<PathBuf>,
}

impl Places {
    /// The platform's, such as `~/.config/midwatch` and `~/.local/state/midwatch`.
    #[must_use]
    pub fn of_platform() -> Places {
        let directories = ProjectDirs::from("", "", "midwatch");
        Places {
            config: directories.as_ref().map(|directories| directories.config_dir().to_owned()),
            state: directories.as_ref().map(|directories| directories.state_dir().unwrap_or(directories.data_local_dir()).to_owned()),
        }
    }

    /// The same without a memory: a demo leaves no trace.
    #[must_use]
    pub fn forgetful(self) -> Places {
        Places { state: None, ..self }
    }

    /// Whether anything can be remembered.
    #[must_use]
    pub fn remembers(&self) -> bool {
        self.state.is_some()
    }

    /// All of them below one directory, for tests.
    #[must_use]
    pub fn below(root: &Path) -> Places {
        Places { config: Some(root.join("config")), state: Some(root.join("state")) }
    }

    /// Where `config.toml` is.
    #[must_use]
    pub fn config(&self) -> Option<&Path> {
        self.config.as_deref()
    }

    /// Where the user's themes are.
    #[must_use]
    pub fn themes(&self) -> Option<PathBuf> {
        self.config.as_ref().map(|config| config.join("themes"))
    }

    /// Where a file of the program's own memory is, such as bookmarks.
    #[must_use]
    pub fn state(&self, name: &str) -> Option<PathBuf> {
        self.state.as_ref().map(|state| state.join(name))
    }

    /// What the program remembered under that name; nothing when it was never written.
    ///
    /// # Errors
    /// One line; the program goes on without.
    pub fn recall(&self, name: &str) -> Result<Option<String>, String> {
        let Some(path) = self.state(name) else { return Ok(None) };
        match settings::load(&path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    /// Adds lines to what is remembered under that name.
    ///
    /// # Errors
    /// One line; a warning, because nothing that matters now is lost.
    pub fn append(&self, name: &str, lines: &str) -> Result<(), String> {
        let Some(path) = self.state(name) else { return Err(format!("cannot keep {name}: there is no home directory")) };
        let write = || {
            std::fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))?;
            // One write of whole lines at the end: several runs may add to one file.
            private(std::fs::File::options().create(true).append(true)).open(&path)?.write_all(lines.as_bytes())
        };
        write().map_err(|error| format!("cannot keep {}: {error}", path.display()))
    }

    /// Adds lines to what is kept under that name, and returns once they are on the disk.
    ///
    /// # Errors
    /// One line; what was to be noted first must not be done.
    pub fn append_synced(&self, name: &str, lines: &str) -> Result<(), String> {
        let Some(path) = self.state(name) else { return Err(format!("cannot keep {name}: there is no home directory")) };
        let write = || {
            let directory = path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(directory)?;
            let new = !path.exists();
            let mut file = private(std::fs::File::options().create(true).append(true)).open(&path)?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()?;
            // A new file is found again only once its directory is on the disk.
            if new && cfg!(unix) { std::fs::File::open(directory)?.sync_all() } else { Ok(()) }
        };
        write().map_err(|error| format!("cannot write {}: {error}", path.display()))
    }

    /// The last part of what is kept under that name, in whole lines and no more than so many bytes; nothing when there is none.
    ///
    /// # Errors
    /// One line; the program goes on without.
    pub fn tail(&self, name: &str, bytes: u64) -> Result<String, String> {
        let Some(path) = self.state(name) else { return Ok(String::new()) };
        let read = || {
            let mut file = std::fs::File::open(&path)?;
            let skipped = file.metadata()?.len().saturating_sub(bytes);
            file.seek(SeekFrom::Start(skipped))?;
            let mut tail = Vec::new();
            file.take(bytes).read_to_end(&mut tail)?;
            let text = String::from_utf8_lossy(&tail).into_owned();
            // The first line may have lost its beginning.
            Ok(if skipped > 0 { text.split_once('\n').map_or(String::new(), |(_, rest)| rest.to_owned()) } else { text })
        };
        match read() {
            Ok(text) => Ok(text),
            Err(error) if std::io::Error::kind(&error) == std::io::ErrorKind::NotFound => Ok(String::new()),
            Err(error) => Err(format!("cannot read {}: {error}", path.display())),
        }
    }

    /// Remembers a text under that name: whole or not at all.
    ///
    /// # Errors
    /// One line; a warning, because nothing that matters now is lost.
    pub fn remember(&self, name: &str, text: &str) -> Result<(), String> {
        let Some(path) = self.state(name) else { return Err(format!("cannot keep {name}: there is no home directory")) };
        let write = || {
            let directory = path.parent().unwrap_or(Path::new("."));
            std::fs::create_dir_all(directory)?;
            let temporary = path.with_extension(format!("tmp{}", std::process::id()));
            let mut file = private(std::fs::File::options().create(true).write(true).truncate(true)).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            std::fs::rename(&temporary, &path)
        };
        write().map_err(|error| format!("cannot keep {}: {error}", path.display()))
    }
}

/// What the program remembers names accounts and may quote their errors: it is for the user's eyes alone.
fn private(options: &mut std::fs::OpenOptions) -> &mut std::fs::OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}
