//! The user's configuration: one TOML file in the platform's directory, every key optional, every mistake refused with its place.
//!
//! ```toml
//! theme = "midwatch-light"   # an embedded theme, or themes/NAME.toml beside this file
//! refresh = "5s"             # pace of what is in view; lists that nobody looks at are asked less often
//! prod = ["*prod*", "live-?"] # contexts, profiles, accounts and clusters whose names match are marked as production
//! mouse = true               # wheel and click; false leaves the mouse to the terminal
//! clipboard = true           # copy by OSC 52; false only shows what would be copied
//! hints = true               # the line of keys at the bottom
//! read_only = false          # true: nothing is changed at AWS, in no context but those that say read_only = false
//! write = "15m"              # how long :write lets production be changed when it names no time
//!
//! [[context]]                # what opens when the command line names no profile and no region
//! profile = "payments"       # of ~/.aws/config; without it the default credentials
//! region = "eu-west-1"       # without it the profile's own
//! name = "payments-eu"       # shown instead of the profile's name
//! prod = true                # instead of what `prod` above would say
//! read_only = true           # instead of what `read_only` above says; --read-only and READ_ONLY=1 lock every context
//!
//! [logs]
//! range = "15m"              # how far back a tail reads at first
//! timestamps = "local"       # local, utc, relative, off
//! wrap = false
//! memory = 64                # MiB kept of one tail
//!
//! [watch]                    # when a release that is watched ends
//! bell = false               # ring the terminal's bell
//! notify = false             # tell the desktop, by OSC 9
//! title = false              # name the window after it: ◌ checkout 2/6
//!
//! [exec]                     # sessions inside containers
//! command = "sh -c '…'"       # what the dialog offers first; bash where there is one, else sh, without it
//! leader = "ctrl-]"          # the one key that does not go to the remote
//!
//! [keys.table]               # see keys.toml; also [keys.global] and [keys.text]
//! logs = ["l", "L"]
//! ```
//!
//! Knows no AWS: profiles and regions are names here.

mod places;

pub use places::Places;

use crate::cli;
use crate::duration;
use crate::keys::{Code, Key, Keymap};
use crate::settings::{self, Entry, Error, Section};
use std::path::Path;
use std::time::Duration;

/// What the user wants.
#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::struct_excessive_bools, reason = "each is a switch of its own in the file")]
pub struct Config {
    /// A theme's name.
    pub theme: Option<String>,
    /// Pace of what is in view.
    pub refresh: Duration,
    /// Patterns of production's names, with `*` and `?`.
    pub prod: Vec<String>,
    /// Whether clicks and the wheel are heard.
    pub mouse: bool,
    /// Whether OSC 52 may be sent.
    pub clipboard: bool,
    /// Whether the line of keys is shown.
    pub hints: bool,
    /// Whether nothing may be changed, unless a context says otherwise.
    pub read_only: bool,
    /// How long production is armed when nobody says.
    pub write: Duration,
    /// Contexts for when the command line names none.
    pub contexts: Vec<ContextEntry>,
    /// How log tails begin.
    pub logs: LogSettings,
    /// What the terminal does about releases that are watched.
    pub watch: WatchSettings,
    /// Sessions inside containers.
    pub exec: ExecSettings,
}

/// A context of the configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ContextEntry {
    /// Profile; the default credentials without.
    pub profile: Option<String>,
    /// Region; the profile's own without.
    pub region: Option<String>,
    /// Name to show.
    pub name: Option<String>,
    /// Whether it is production, whatever its name.
    pub prod: Option<bool>,
    /// Whether nothing may be changed in it, whatever the file says of all.
    pub read_only: Option<bool>,
}

/// What the terminal does about releases that are watched; nothing unless it is asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WatchSettings {
    /// Ring the bell when one ends.
    pub bell: bool,
    /// Tell the desktop when one ends (OSC 9).
    pub notify: bool,
    /// Name the window after the newest one.
    pub title: bool,
}

/// Sessions inside containers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExecSettings {
    /// What is run when nobody says something else: one command, because ECS runs it without a shell.
    pub command: String,
    /// The key that does not go to the remote.
    pub leader: Key,
}

/// `exec` of a shell that is not there would end the first one, so it is looked for before.
const SHELL: &str = "sh -c 'command -v bash >/dev/null 2>&1 && exec bash; exec sh'";

impl Default for ExecSettings {
    fn default() -> ExecSettings {
        ExecSettings { command: SHELL.to_owned(), leader: Key { ctrl: true, ..Key::plain(Code::Char(']')) } }
    }
}

/// How log tails begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogSettings {
    /// How far back to read.
    pub range: Duration,
    /// How times are shown.
    pub timestamps: Timestamps,
    /// Whether long lines are wrapped.
    pub wrap: bool,
    /// Bytes kept of one tail.
    pub memory: usize,
}

/// How times of log lines are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamps {
    /// In the local time zone.
    Local,
    /// In UTC.
    Utc,
    /// As ages.
    Relative,
    /// Not at all.
    Off,
}

const TIMESTAMPS: &[(&str, Timestamps)] =
    &[("local", Timestamps::Local), ("utc", Timestamps::Utc), ("relative", Timestamps::Relative), ("off", Timestamps::Off)];

impl Default for LogSettings {
    fn default() -> LogSettings {
        LogSettings { range: Duration::from_mins(15), timestamps: Timestamps::Local, wrap: false, memory: 64 << 20 }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            theme: None,
            refresh: Duration::from_secs(5),
            prod: vec!["*prod*".to_owned()],
            mouse: true,
            clipboard: true,
            hints: true,
            read_only: false,
            write: Duration::from_mins(15),
            contexts: Vec::new(),
            logs: LogSettings::default(),
            watch: WatchSettings::default(),
            exec: ExecSettings::default(),
        }
    }
}

impl Config {
    /// Whether a context, profile, account or cluster of that name is production. Case does not count.
    #[must_use]
    pub fn is_production(&self, name: &str) -> bool {
        let name = name.to_lowercase();
        self.prod.iter().any(|pattern| matches(&pattern.to_lowercase(), &name))
    }
}

/// Reads the configuration: `flag` if the command line named a file, else the usual one, which need not be there.
///
/// # Errors
/// One line: a file that cannot be read, or what is wrong in it and where.
pub fn load(flag: Option<&Path>, places: &Places) -> Result<(Config, Keymap), String> {
    let path = match (flag, places.config()) {
        (Some(path), _) => path.to_owned(),
        (None, Some(directory)) => directory.join("config.toml"),
        (None, None) => return Ok((Config::default(), Keymap::default())),
    };
    let shown = path.display().to_string();
    let text = match settings::load(&path) {
        Ok(text) => text,
        Err(error) if flag.is_none() && error.kind() == std::io::ErrorKind::NotFound => return Ok((Config::default(), Keymap::default())),
        Err(error) => return Err(format!("cannot read the configuration {shown}: {error}")),
    };
    parse(&shown, &text).map_err(|error| error.to_string())
}

/// Reads the text of a configuration. `file` is its name in errors.
///
/// # Errors
/// The first mistake and its place.
pub fn parse(file: &str, text: &str) -> Result<(Config, Keymap), Error> {
    settings::read(file, text, |top| {
        top.only(&[
            "theme",
            "refresh",
            "prod",
            "mouse",
            "clipboard",
            "hints",
            "read_only",
            "write",
            "context",
            "logs",
            "watch",
            "exec",
            "keys",
        ])?;
        let mut config = Config::default();
        if let Some(entry) = top.get("theme") {
            config.theme = Some(entry.string()?.to_owned());
        }
        if let Some(entry) = top.get("refresh") {
            config.refresh = span(&entry, Duration::from_secs(1), Duration::from_mins(10))?;
        }
        if let Some(entry) = top.get("prod") {
            config.prod = entry.elements().iter().map(|pattern| Ok(pattern.string()?.to_owned())).collect::<Result<_, Error>>()?;
        }
        let switches = [
            ("mouse", &mut config.mouse),
            ("clipboard", &mut config.clipboard),
            ("hints", &mut config.hints),
            ("read_only", &mut config.read_only),
        ];
        for (name, switch) in switches {
            if let Some(entry) = top.get(name) {
                *switch = entry.boolean()?;
            }
        }
        if let Some(entry) = top.get("write") {
            config.write = span(&entry, Duration::from_mins(1), Duration::from_hours(8))?;
        }
        if let Some(entry) = top.get("context") {
            config.contexts = entry.elements().iter().map(|element| context(&element.section()?)).collect::<Result<_, Error>>()?;
        }
        if let Some(entry) = top.get("logs") {
            logs(&entry.section()?, &mut config.logs)?;
        }
        if let Some(entry) = top.get("watch") {
            watch(&entry.section()?, &mut config.watch)?;
        }
        if let Some(entry) = top.get("exec") {
            exec(&entry.section()?, &mut config.exec)?;
        }
        let keys = match top.get("keys") {
            Some(entry) => Keymap::default().patched(&entry.section()?)?,
            None => Keymap::default(),
        };
        Ok((config, keys))
    })
}

fn context(section: &Section<'_>) -> Result<ContextEntry, Error> {
    section.only(&["profile", "region", "name", "prod", "read_only"])?;
    let text = |name: &str| section.get(name).map(|entry| Ok(entry.string()?.to_owned())).transpose();
    if let Some(entry) = section.get("region") {
        cli::check_region(entry.string()?).map_err(|what| entry.error(format!("not a region: {what}")))?;
    }
    let switch = |name: &str| section.get(name).map(|entry| entry.boolean()).transpose();
    let (prod, read_only) = (switch("prod")?, switch("read_only")?);
    Ok(ContextEntry { profile: text("profile")?, region: text("region")?, name: text("name")?, prod, read_only })
}

fn exec(section: &Section<'_>, exec: &mut ExecSettings) -> Result<(), Error> {
    section.only(&["command", "leader"])?;
    if let Some(entry) = section.get("command") {
        entry.string()?.trim().clone_into(&mut exec.command);
        if exec.command.is_empty() {
            return Err(entry.error("a command is needed: ECS runs nothing else".to_owned()));
        }
    }
    if let Some(entry) = section.get("leader") {
        let key: Key = entry.string()?.parse().map_err(|why| entry.error(why))?;
        // A letter alone, or Enter, could then no longer be typed in a shell.
        if !key.ctrl && !key.alt && !matches!(key.code, Code::F(_)) {
            return Err(entry.error(format!("{key} is needed inside the session: take one with ctrl or alt, or f1 to f12")));
        }
        exec.leader = key;
    }
    Ok(())
}

fn watch(section: &Section<'_>, watch: &mut WatchSettings) -> Result<(), Error> {
    section.only(&["bell", "notify", "title"])?;
    for (name, switch) in [("bell", &mut watch.bell), ("notify", &mut watch.notify), ("title", &mut watch.title)] {
        if let Some(entry) = section.get(name) {
            *switch = entry.boolean()?;
        }
    }
    Ok(())
}

fn logs(section: &Section<'_>, logs: &mut LogSettings) -> Result<(), Error> {
    section.only(&["range", "timestamps", "wrap", "memory"])?;
    if let Some(entry) = section.get("range") {
        logs.range = span(&entry, Duration::from_secs(1), Duration::from_hours(24 * 30))?;
    }
    if let Some(entry) = section.get("timestamps") {
        let name = entry.string()?;
        let found = TIMESTAMPS.iter().find(|(known, _)| *known == name);
        logs.timestamps = found.ok_or_else(|| entry.unknown_value("way to show times", TIMESTAMPS.iter().map(|(name, _)| *name)))?.1;
    }
    if let Some(entry) = section.get("wrap") {
        logs.wrap = entry.boolean()?;
    }
    if let Some(entry) = section.get("memory") {
        logs.memory = usize::try_from(entry.number(1..=4096)?).unwrap_or(64) << 20;
    }
    Ok(())
}

fn span(entry: &Entry<'_>, least: Duration, most: Duration) -> Result<Duration, Error> {
    let parsed = duration::parse(entry.string()?);
    parsed.filter(|span| (least..=most).contains(span)).ok_or_else(|| {
        let seconds = |span: Duration| duration::short(span.as_secs().cast_signed());
        entry.error(format!("{} wants a time such as \"5s\" or \"1m30s\", from {} to {}", entry.name, seconds(least), seconds(most)))
    })
}

/// Whether `name` is what `pattern` means: `*` is any text, `?` any one character.
fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where the last star was, and how much of the name it took; going back there only makes the search linear in both.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match (pattern.get(p), star) {
            (Some('*'), _) => {
                star = Some((p, n));
                p += 1;
            }
            (Some(c), _) if *c == '?' || *c == name[n] => {
                p += 1;
                n += 1;
            }
            (_, Some((at, taken))) => {
                star = Some((at, taken + 1));
                p = at + 1;
                n = taken + 1;
            }
            (_, None) => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

#[cfg(test)]
mod tests;
