//! What each colour means: sixteen roles, each with its job, filled by a theme file and fitted to what the terminal can show.
//!
//! A theme states its own background, so that contrast is a fact and not a hope. Knows no pane and no AWS word.

mod contrast;
mod depth;
mod file;

pub use contrast::{Faint, contrast};
pub use depth::{Depth, Surroundings};

use crate::settings;
use ratatui::style::{Color, Style};
use std::path::Path;

/// What a colour is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the row of `ROLES` says what each role paints")]
pub enum Role {
    Text,
    Dim,
    Accent,
    Border,
    BorderFocus,
    Selection,
    Header,
    Ok,
    Warn,
    Fail,
    Busy,
    Idle,
    Stale,
    Prod,
    Match,
    Link,
}

/// One row of the table of roles.
#[derive(Clone, Copy, Debug)]
pub struct RoleRow {
    /// The role.
    pub role: Role,
    /// Its name in theme files.
    pub name: &'static str,
    /// What it paints.
    pub paints: &'static str,
    /// On what it is painted.
    pub ground: Ground,
}

/// On what a role is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ground {
    /// On the theme's background, on the selection and on the header: it must be readable on all three.
    Any,
    /// On its own background.
    Own,
    /// It is a background: what lies on it keeps its colour.
    Under,
}

const fn role(role: Role, name: &'static str, ground: Ground, paints: &'static str) -> RoleRow {
    RoleRow { role, name, paints, ground }
}

/// Every role, in the order of [`Role`].
pub const ROLES: &[RoleRow] = &[
    role(Role::Text, "text", Ground::Any, "ordinary text"),
    role(Role::Dim, "dim", Ground::Any, "text that steps back: units, hints, column titles"),
    role(Role::Accent, "accent", Ground::Any, "the cursor, marks, keys in hints"),
    role(Role::Border, "border", Ground::Any, "frames of panes"),
    role(Role::BorderFocus, "border-focus", Ground::Any, "the frame of the pane that hears the keys"),
    role(Role::Selection, "selection", Ground::Under, "the row under the cursor"),
    role(Role::Header, "header", Ground::Own, "the first line: where am I, how fresh is it"),
    role(Role::Ok, "ok", Ground::Any, "healthy, steady, done"),
    role(Role::Warn, "warn", Ground::Any, "degraded, stuck, warnings in logs"),
    role(Role::Fail, "fail", Ground::Any, "failing, unhealthy, errors in logs"),
    role(Role::Busy, "busy", Ground::Any, "moving: rolling, pending, draining, loading"),
    role(Role::Idle, "idle", Ground::Any, "meant to do nothing: zero tasks, stopped on purpose"),
    role(Role::Stale, "stale", Ground::Any, "old or unknown data"),
    role(Role::Prod, "prod", Ground::Own, "the tag and the frames of production"),
    role(Role::Match, "match", Ground::Own, "what a search found"),
    role(Role::Link, "link", Ground::Any, "what Enter would open"),
];

/// The embedded themes: name and file.
const BUILT_IN: &[(&str, &str)] = &[
    ("midwatch-dark", include_str!("../themes/midwatch-dark.toml")),
    ("midwatch-light", include_str!("../themes/midwatch-light.toml")),
    ("mono", include_str!("../themes/mono.toml")),
];

/// A theme, fitted to the terminal.
#[derive(Clone, Debug, PartialEq)]
pub struct Theme {
    /// Its name.
    pub name: String,
    /// What the terminal shows of it.
    pub depth: Depth,
    background: Option<Color>,
    styles: [Style; ROLES.len()],
    series: Vec<Style>,
}

impl Theme {
    /// The style of a role. It sets no background unless the role has one, so it may be painted over a selected row.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// The style that the whole screen starts with.
    #[must_use]
    pub fn base(&self) -> Style {
        match self.background {
            Some(background) => self.style(Role::Text).bg(background),
            None => self.style(Role::Text),
        }
    }

    /// A hue for the `index`-th of many like things, such as the tasks of a log. Hues repeat.
    #[must_use]
    pub fn series(&self, index: usize) -> Style {
        if self.series.is_empty() { self.style(Role::Text) } else { self.series[index % self.series.len()] }
    }

    /// How many hues there are before they repeat; at least one.
    #[must_use]
    pub fn hues(&self) -> usize {
        self.series.len().max(1)
    }

    /// An embedded theme in full colour.
    ///
    /// # Panics
    /// For a name that is not embedded.
    #[must_use]
    pub fn built_in(name: &str) -> Theme {
        let (name, text) = BUILT_IN.iter().find(|(known, _)| *known == name).expect("only names of embedded themes are asked for");
        file::read(name, &format!("{name}.toml"), text, None).expect("the embedded themes are sound; a test reads them")
    }

    /// The theme to start with: what the command line says, else what the surroundings demand, else the configuration, else what fits the terminal.
    ///
    /// `NO_COLOR` beats the configuration and is beaten by the command line, as <https://no-color.org> has it for flags; a dumb terminal beats all.
    ///
    /// # Errors
    /// One line: an unknown theme with the names to choose from, or what is wrong with the user's file and where.
    pub fn choose(flag: Option<&str>, configured: Option<&str>, directory: Option<&Path>, around: &Surroundings) -> Result<Theme, String> {
        let name = match (flag, configured) {
            (Some(flag), _) => flag,
            (None, _) if around.depth() == Depth::Mono => "mono",
            (None, Some(configured)) => configured,
            (None, None) if around.light() => "midwatch-light",
            (None, None) => "midwatch-dark",
        };
        // The name is checked even where colour is impossible: a mistake should not wait for a better terminal.
        let theme = Theme::named(name, directory)?;
        if around.dumb() {
            return Ok(Theme::built_in("mono"));
        }
        let depth = if flag.is_some() { around.possible() } else { around.depth() };
        Ok(theme.fitted(depth))
    }

    fn named(name: &str, directory: Option<&Path>) -> Result<Theme, String> {
        let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
        if let Some(path) = directory.filter(|_| plain).map(|directory| directory.join(format!("{name}.toml")))
            && let Some(text) = read_text(&path)?
        {
            let shown = path.display().to_string();
            return file::read(name, &shown, &text, Some(name)).map_err(|error| error.to_string());
        }
        if BUILT_IN.iter().any(|(known, _)| *known == name) {
            return Ok(Theme::built_in(name));
        }
        let names = names(directory);
        let shown: String = name.chars().take(60).flat_map(char::escape_debug).collect();
        let near = crate::nearest::nearest(name, names.iter().map(String::as_str))
            .map(|near| format!(": did you mean \"{near}\"?"))
            .unwrap_or_default();
        let place = directory.map(|directory| format!(" (your own go to {})", directory.display())).unwrap_or_default();
        Err(format!("unknown theme \"{shown}\"{near}; themes are {}{place}", names.join(", ")))
    }
}

/// All themes that can be named: the embedded ones, then the user's.
#[must_use]
pub fn names(directory: Option<&Path>) -> Vec<String> {
    let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).to_owned()).collect();
    let files = directory.and_then(|directory| std::fs::read_dir(directory).ok()).into_iter().flatten().flatten();
    let mut own: Vec<String> = files
        .filter_map(|file| file.file_name().to_str()?.strip_suffix(".toml").map(str::to_owned))
        .filter(|name| !names.contains(name))
        .collect();
    own.sort();
    names.extend(own);
    names
}

fn read_text(path: &Path) -> Result<Option<String>, String> {
    match settings::load(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(format!("cannot read theme {}: {error}", path.display())),
    }
}

#[cfg(test)]
mod tests;
