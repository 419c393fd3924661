//! Contrast as WCAG 2.2 defines it, and the roles of a theme that fall short of it.

use super::{Ground, ROLES, Role, Theme};
use ratatui::style::Color;

/// The least contrast of text, by WCAG 2.2 level AA.
const LEAST: f64 = 4.5;

/// A colour that is hard to read on a ground where it is painted.
#[derive(Clone, Debug, PartialEq)]
pub struct Faint {
    /// The role, or `series 3`.
    pub what: String,
    /// On what: `background`, `selection`, `header`, or `its own`.
    pub ground: &'static str,
    /// From 1 to 21.
    pub contrast: f64,
}

impl Theme {
    /// Every colour that falls short of a contrast of 4.5:1. What the terminal's own colours decide cannot be computed and is left out.
    #[must_use]
    pub fn faint(&self) -> Vec<Faint> {
        let own = |role| self.style(role).bg;
        let grounds = [("background", self.background), ("selection", own(Role::Selection)), ("header", own(Role::Header))];
        let roles = ROLES.iter().filter(|row| row.ground == Ground::Any).map(|row| (row.name.to_owned(), self.style(row.role).fg));
        let hues = self.series.iter().enumerate().map(|(i, hue)| (format!("series {i}"), hue.fg));
        let mut faint = Vec::new();
        for (what, fg) in roles.chain(hues) {
            faint.extend(grounds.iter().filter_map(|(ground, bg)| judge(&what, fg, ground, *bg)));
        }
        for row in ROLES.iter().filter(|row| row.ground == Ground::Own) {
            let style = self.style(row.role);
            faint.extend(judge(row.name, style.fg, "its own", style.bg));
        }
        faint
    }
}

fn judge(what: &str, fg: Option<Color>, ground: &'static str, bg: Option<Color>) -> Option<Faint> {
    let contrast = contrast(fg?, bg?)?;
    (contrast < LEAST).then(|| Faint { what: what.to_owned(), ground, contrast })
}

/// Contrast of two colours, from 1 to 21; `None` where the terminal decides what they look like.
#[must_use]
pub fn contrast(a: Color, b: Color) -> Option<f64> {
    let (a, b) = (luminance(a)?, luminance(b)?);
    Some((a.max(b) + 0.05) / (a.min(b) + 0.05))
}

fn luminance(colour: Color) -> Option<f64> {
    let (r, g, b) = super::depth::rgb(colour)?;
    let linear = |channel: u8| {
        let value = f64::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    };
    Some(0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b))
}
