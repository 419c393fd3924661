//! How many colours the terminal has, and themes fitted to it.
//!
//! Knows only what the environment says; nothing is asked of the terminal, because an answer may come late or never.

use super::{Role, Theme};
use ratatui::style::{Color, Modifier, Style};

/// How many colours a terminal shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Depth {
    /// None, or none wanted.
    Mono,
    /// Eight hues whose look is the terminal's affair, on the terminal's own background.
    Ansi16,
    /// xterm's 256.
    Ansi256,
    /// 24 bits.
    True,
}

/// What the environment says of the terminal.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// `TERM`.
    pub term: String,
    /// `COLORTERM`.
    pub colorterm: String,
    /// `COLORFGBG`, as rxvt, Konsole and others set it: `15;0`.
    pub colorfgbg: String,
    /// Whether `NO_COLOR` is there and not empty.
    pub no_color: bool,
}

impl Surroundings {
    /// As the environment of this process has them.
    #[must_use]
    pub fn from_env() -> Surroundings {
        let var = |name| std::env::var(name).unwrap_or_default();
        let modern = !var("WT_SESSION").is_empty();
        Surroundings {
            term: var("TERM"),
            // Windows Terminal has 24 bits and says so only this way.
            colorterm: if modern { "truecolor".to_owned() } else { var("COLORTERM") },
            colorfgbg: var("COLORFGBG"),
            no_color: !var("NO_COLOR").is_empty(),
        }
    }

    /// The colours to use.
    #[must_use]
    pub fn depth(&self) -> Depth {
        if self.no_color { Depth::Mono } else { self.possible() }
    }

    /// The colours that the terminal has, wanted or not.
    pub(super) fn possible(&self) -> Depth {
        const TRUE: &[&str] = &["direct", "kitty", "alacritty", "foot", "ghostty", "wezterm", "iterm2"];
        if self.dumb() {
            Depth::Mono
        } else if matches!(self.colorterm.as_str(), "truecolor" | "24bit") || TRUE.iter().any(|name| self.term.contains(name)) {
            Depth::True
        } else if self.term.contains("256") {
            Depth::Ansi256
        } else {
            Depth::Ansi16
        }
    }

    pub(super) fn dumb(&self) -> bool {
        self.term == "dumb"
    }

    /// Whether the terminal's background is known to be light.
    pub(super) fn light(&self) -> bool {
        // The last field is the background; 7 and 9 to 15 are the light ones of the sixteen.
        let background = self.colorfgbg.rsplit(';').next().and_then(|last| last.parse::<u8>().ok());
        matches!(background, Some(7 | 9..=15))
    }
}

impl Theme {
    /// This theme as a terminal of that depth can show it.
    #[must_use]
    pub fn fitted(mut self, depth: Depth) -> Theme {
        let fit: fn(Style) -> Style = match depth {
            Depth::True => |style| style,
            Depth::Ansi256 => |style| recoloured(style, ansi256),
            Depth::Ansi16 => ansi16_style,
            Depth::Mono => |style| Style { fg: None, bg: None, ..style },
        };
        self.background = match (depth, self.background) {
            (Depth::True, background) => background,
            (Depth::Ansi256, background) => background.map(ansi256),
            (Depth::Ansi16 | Depth::Mono, _) => None,
        };
        self.styles = self.styles.map(fit);
        self.series.iter_mut().for_each(|hue| *hue = fit(*hue));
        if depth == Depth::Mono {
            // Colour carried these; without it they need another way to stand out.
            for role in [Role::Selection, Role::Header, Role::Match, Role::Prod] {
                let style = &mut self.styles[role as usize];
                *style = style.add_modifier(Modifier::REVERSED);
            }
            self.series.clear();
        }
        self.depth = depth;
        self
    }
}

fn recoloured(style: Style, to: fn(Color) -> Color) -> Style {
    Style { fg: style.fg.map(to), bg: style.bg.map(to), ..style }
}

/// On sixteen colours nothing is known of how they look, so text keeps the terminal's own ground, and a ground of its own becomes reverse.
fn ansi16_style(style: Style) -> Style {
    let fg = style.fg.and_then(hue);
    match style.bg {
        Some(bg) => Style { fg: hue(bg), bg: None, ..style }.add_modifier(Modifier::REVERSED),
        None => Style { fg, ..style },
    }
}

/// The nearest of the six hues, or `None` for what is nearly grey.
fn hue(colour: Color) -> Option<Color> {
    let (r, g, b) = rgb(colour)?;
    let (r, g, b) = (i32::from(r), i32::from(g), i32::from(b));
    let (high, low) = (r.max(g).max(b), r.min(g).min(b));
    let chroma = high - low;
    if chroma < 48 {
        return None;
    }
    // Degrees of the colour wheel.
    let angle = if high == r {
        (60 * (g - b) / chroma).rem_euclid(360)
    } else if high == g {
        60 * (b - r) / chroma + 120
    } else {
        60 * (r - g) / chroma + 240
    };
    Some(match angle {
        20..70 => Color::Yellow,
        70..160 => Color::Green,
        160..200 => Color::Cyan,
        200..265 => Color::Blue,
        265..335 => Color::Magenta,
        _ => Color::Red,
    })
}

/// The nearest of xterm's cube and greys; the first sixteen are left out because terminals redefine them.
fn ansi256(colour: Color) -> Color {
    let Some(wanted) = rgb(colour) else { return colour };
    let distance = |index: u8| {
        let offered = indexed(index);
        let square = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
        // Weights of the eye's sensitivity, roughly.
        3 * square(wanted.0, offered.0) + 6 * square(wanted.1, offered.1) + 2 * square(wanted.2, offered.2)
    };
    Color::Indexed((16..=255).min_by_key(|index| distance(*index)).unwrap_or(16))
}

/// Red, green and blue of a colour whose look is known.
pub(super) fn rgb(colour: Color) -> Option<(u8, u8, u8)> {
    match colour {
        Color::Rgb(r, g, b) => Some((r, g, b)),
        Color::Indexed(index) if index >= 16 => Some(indexed(index)),
        _ => None,
    }
}

/// xterm's colours from 16 on: a cube of six steps, then 24 greys.
fn indexed(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let grey = 8 + 10 * (index - 232);
        return (grey, grey, grey);
    }
    let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
    let n = index.saturating_sub(16);
    (step(n / 36), step(n / 6 % 6), step(n % 6))
}
