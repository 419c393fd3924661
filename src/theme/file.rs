//! Theme files: a background, hues for series, and a style for each role. A user's file is a patch over an embedded theme.
//!
//! ```toml
//! base = "midwatch-light"            # which theme it changes; midwatch-dark if not said
//! background = "#fbfbf8"             # what the colours were chosen for
//! series = ["#005f87", "#86198f"]    # hues for tasks in logs
//! [roles]                            # see ROLES
//! ok = "#1f6a2b"                     # short for { fg = "#1f6a2b" }
//! fail = { fg = "#a81616", bg = "#ffffff", bold = true, italic = false, underline = false, reverse = false }
//! ```

use super::{BUILT_IN, Depth, ROLES, Theme};
use crate::settings::{self, Entry, Error, Section};
use ratatui::style::{Color, Modifier, Style};

const MODIFIERS: &[(&str, Modifier)] =
    &[("bold", Modifier::BOLD), ("italic", Modifier::ITALIC), ("underline", Modifier::UNDERLINED), ("reverse", Modifier::REVERSED)];

/// Reads a theme. With `patch`, roles that the file leaves out come from its base theme; without, all must be there.
pub(super) fn read(name: &str, file: &str, text: &str, patch: Option<&str>) -> Result<Theme, Error> {
    settings::read(file, text, |top| {
        top.only(&["base", "background", "series", "roles"])?;
        let mut theme = match patch {
            Some(own) => base(&top, own)?,
            None => {
                Theme { name: String::new(), depth: Depth::True, background: None, styles: [Style::new(); ROLES.len()], series: Vec::new() }
            }
        };
        name.clone_into(&mut theme.name);
        if let Some(entry) = top.get("background") {
            theme.background = Some(colour(&entry)?);
        }
        if let Some(entry) = top.get("series") {
            theme.series = entry.elements().iter().map(|hue| Ok(Style::new().fg(colour(hue)?))).collect::<Result<_, Error>>()?;
        }
        let roles = top.get("roles").map(|entry| entry.section()).transpose()?;
        for entry in roles.iter().flat_map(Section::entries) {
            let Some(row) = ROLES.iter().find(|row| row.name == entry.name) else {
                return Err(entry.unknown("role", ROLES.iter().map(|row| row.name)));
            };
            theme.styles[row.role as usize] = style(&entry)?;
        }
        let missing = ROLES.iter().find(|row| roles.as_ref().is_none_or(|roles| roles.get(row.name).is_none()));
        match (patch, missing) {
            (None, Some(row)) => Err(top.error(format!("the role {} is missing", row.name))),
            _ => Ok(theme),
        }
    })
}

fn base(top: &Section<'_>, own: &str) -> Result<Theme, Error> {
    let known = || BUILT_IN.iter().map(|(name, _)| *name);
    let name = match top.get("base") {
        Some(entry) => {
            let name = entry.string()?;
            known().find(|known| *known == name).ok_or_else(|| entry.unknown_value("theme", BUILT_IN.iter().map(|(name, _)| *name)))?
        }
        None => known().find(|known| *known == own).unwrap_or("midwatch-dark"),
    };
    Ok(Theme::built_in(name))
}

fn style(entry: &Entry<'_>) -> Result<Style, Error> {
    if entry.is_string() {
        return Ok(Style::new().fg(colour(entry)?));
    }
    let section = entry.section()?;
    section.only(&["fg", "bg", "bold", "italic", "underline", "reverse"])?;
    let mut style = Style::new();
    if let Some(fg) = section.get("fg") {
        style = style.fg(colour(&fg)?);
    }
    if let Some(bg) = section.get("bg") {
        style = style.bg(colour(&bg)?);
    }
    for (name, modifier) in MODIFIERS {
        if section.get(name).map_or(Ok(false), |entry| entry.boolean())? {
            style = style.add_modifier(*modifier);
        }
    }
    Ok(style)
}

fn colour(entry: &Entry<'_>) -> Result<Color, Error> {
    let text = entry.string()?;
    let hex = text.strip_prefix('#').filter(|hex| hex.len() == 6).and_then(|hex| u32::from_str_radix(hex, 16).ok());
    let Some(hex) = hex else {
        return Err(entry.error("a colour is written as \"#rrggbb\", red, green and blue in hexadecimal"));
    };
    let [_, r, g, b] = hex.to_be_bytes();
    Ok(Color::Rgb(r, g, b))
}
