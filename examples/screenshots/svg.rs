//! A terminal's screen as SVG. Knows nothing of the program that drew it.

use std::collections::HashMap;
use std::fmt::Write;

use vt100::{Cell, Color, Screen};

/// Width of a cell in pixels; 0.6 em, as in nearly every monospaced font.
const WIDTH: f64 = 8.4;
/// Height of a cell in pixels.
const HEIGHT: f64 = 18.0;
const FONT_SIZE: f64 = 14.0;
/// From a cell's top to the line on which its letters stand.
const BASELINE: f64 = 13.5;
const MARGIN: f64 = 12.0;

/// Colours of a terminal's own text and background.
#[derive(Clone, Copy)]
pub struct Ground {
    text: (u8, u8, u8),
    back: (u8, u8, u8),
}

/// A dark terminal.
pub const NIGHT: Ground = Ground { text: (0xd0, 0xd4, 0xda), back: (0x10, 0x12, 0x16) };
/// A light terminal.
pub const PAPER: Ground = Ground { text: (0x24, 0x29, 0x2f), back: (0xff, 0xff, 0xff) };

/// The sixteen colours that a terminal has by number.
const NAMED: [(u8, u8, u8); 16] = [
    (0x1d, 0x1f, 0x21),
    (0xcc, 0x66, 0x66),
    (0xb5, 0xbd, 0x68),
    (0xf0, 0xc6, 0x74),
    (0x81, 0xa2, 0xbe),
    (0xb2, 0x94, 0xbb),
    (0x8a, 0xbe, 0xb7),
    (0xc5, 0xc8, 0xc6),
    (0x66, 0x66, 0x66),
    (0xd5, 0x4e, 0x53),
    (0xb9, 0xca, 0x4a),
    (0xe7, 0xc5, 0x47),
    (0x7a, 0xa6, 0xda),
    (0xc3, 0x97, 0xd8),
    (0x70, 0xc0, 0xb1),
    (0xea, 0xea, 0xea),
];

/// The screen as an SVG document.
pub fn draw(screen: &Screen, ground: Ground) -> String {
    let (rows, columns) = screen.size();
    let ground = Ground { back: most_frequent_background(screen, ground), ..ground };
    let (width, height) = (f64::from(columns) * WIDTH + 2.0 * MARGIN, f64::from(rows) * HEIGHT + 2.0 * MARGIN);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" viewBox=\"0 0 {width:.1} {height:.1}\" \
         font-family=\"ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace\" font-size=\"{FONT_SIZE}\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"6\" fill=\"{}\"/>\n<g transform=\"translate({MARGIN} {MARGIN})\">\n",
        hex(ground.back)
    );
    for row in 0..rows {
        let runs = runs(screen, row, columns, ground);
        for run in &runs {
            run.background(&mut svg, row, ground);
        }
        for run in &runs {
            run.text(&mut svg, row);
        }
    }
    svg.push_str("</g>\n</svg>\n");
    svg
}

/// A program that paints its own background everywhere would otherwise cost a rectangle for every word.
fn most_frequent_background(screen: &Screen, ground: Ground) -> (u8, u8, u8) {
    let (rows, columns) = screen.size();
    let mut counts: HashMap<(u8, u8, u8), usize> = HashMap::new();
    for (row, column) in (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column))) {
        let cell = screen.cell(row, column).expect("the cell is on the screen");
        *counts.entry(rgb(cell.bgcolor(), ground.back)).or_default() += 1;
    }
    counts.into_iter().max_by_key(|(_, count)| *count).map_or(ground.back, |(colour, _)| colour)
}

/// How a cell's contents get on the picture.
#[derive(Clone, Copy, PartialEq)]
enum Face {
    Letters,
    Shape,
}

/// How a cell looks.
#[derive(Clone, Copy, PartialEq)]
struct Look {
    text: (u8, u8, u8),
    back: (u8, u8, u8),
    bold: bool,
    italic: bool,
    underline: bool,
    face: Face,
}

impl Look {
    fn of(cell: &Cell, ground: Ground) -> Self {
        let (mut text, mut back) = (rgb(cell.fgcolor(), ground.text), rgb(cell.bgcolor(), ground.back));
        if cell.inverse() {
            (text, back) = (back, text);
        }
        if cell.dim() {
            text = between(text, back);
        }
        let drawn = cell.contents().chars().next().is_some_and(|c| arms(c).is_some() || block(c).is_some());
        let face = if drawn { Face::Shape } else { Face::Letters };
        Self { text, back, bold: cell.bold(), italic: cell.italic(), underline: cell.underline(), face }
    }
}

/// Neighbouring cells of one look.
struct Run {
    column: u16,
    cells: u16,
    text: String,
    look: Look,
}

fn runs(screen: &Screen, row: u16, columns: u16, ground: Ground) -> Vec<Run> {
    let mut runs: Vec<Run> = Vec::new();
    for column in 0..columns {
        let cell = screen.cell(row, column).expect("the column is on the screen");
        if cell.is_wide_continuation() {
            if let Some(run) = runs.last_mut() {
                run.cells += 1;
            }
            continue;
        }
        let (look, contents) = (Look::of(cell, ground), cell.contents());
        let text = if contents.is_empty() { " " } else { contents };
        match runs.last_mut() {
            Some(run) if run.look == look => {
                run.cells += 1;
                run.text.push_str(text);
            }
            _ => runs.push(Run { column, cells: 1, text: text.to_owned(), look }),
        }
    }
    runs
}

impl Run {
    fn background(&self, svg: &mut String, row: u16, ground: Ground) {
        if self.look.back != ground.back {
            let (x, y) = (f64::from(self.column) * WIDTH, f64::from(row) * HEIGHT);
            let width = f64::from(self.cells) * WIDTH;
            rectangle(svg, [x, y, width, HEIGHT], self.look.back, 1.0);
        }
    }

    fn text(&self, svg: &mut String, row: u16) {
        let y = f64::from(row) * HEIGHT;
        if self.look.face == Face::Shape {
            self.shapes(svg, y);
            return;
        }
        // Blanks at both ends need no letters, and a run of them none at all.
        let letters = self.text.trim();
        if letters.is_empty() {
            return;
        }
        let before = self.text.chars().take_while(|c| *c == ' ').count();
        let after = self.text.chars().rev().take_while(|c| *c == ' ').count();
        #[expect(clippy::cast_precision_loss, reason = "a row has at most 65,535 cells")]
        let (before, after) = (before as f64, after as f64);
        let x = (f64::from(self.column) + before) * WIDTH;
        let length = (f64::from(self.cells) - before - after) * WIDTH;
        let mut style = String::new();
        for (on, attribute) in [
            (self.look.bold, " font-weight=\"bold\""),
            (self.look.italic, " font-style=\"italic\""),
            (self.look.underline, " text-decoration=\"underline\""),
        ] {
            if on {
                style.push_str(attribute);
            }
        }
        // textLength keeps the columns straight in any font.
        let _ = writeln!(
            svg,
            "<text x=\"{x:.1}\" y=\"{:.1}\" textLength=\"{length:.1}\" lengthAdjust=\"spacingAndGlyphs\" fill=\"{}\"{style} xml:space=\"preserve\">{}</text>",
            y + BASELINE,
            hex(self.look.text),
            escaped(letters)
        );
    }

    fn shapes(&self, svg: &mut String, y: f64) {
        let mut path = String::new();
        let mut cells = self.text.chars().peekable();
        let mut x = f64::from(self.column) * WIDTH;
        while let Some(c) = cells.next() {
            let start = x;
            x += WIDTH;
            if c == '─' {
                // A long line is one stroke.
                while cells.next_if_eq(&'─').is_some() {
                    x += WIDTH;
                }
                let centre = y + HEIGHT / 2.0;
                let _ = write!(path, "M{start:.1} {centre:.1}H{x:.1}");
            } else if let Some(present) = arms(c) {
                strokes(&mut path, present, start, y);
            } else if let Some([left, top, width, height, density]) = block(c) {
                let place = [start + left * WIDTH, y + top * HEIGHT, width * WIDTH, height * HEIGHT];
                rectangle(svg, place, self.look.text, density);
            }
        }
        if !path.is_empty() {
            let colour = hex(self.look.text);
            let _ = writeln!(svg, "<path d=\"{path}\" stroke=\"{colour}\" stroke-linecap=\"square\"/>");
        }
    }
}

/// Which arms a box-drawing character has: up, down, left, right.
fn arms(c: char) -> Option<[bool; 4]> {
    let arms = match c {
        '─' | '━' => "lr",
        '│' | '┃' => "ud",
        '┌' | '╭' => "dr",
        '┐' | '╮' => "dl",
        '└' | '╰' => "ur",
        '┘' | '╯' => "ul",
        '├' => "udr",
        '┤' => "udl",
        '┬' => "dlr",
        '┴' => "ulr",
        '┼' => "udlr",
        _ => return None,
    };
    Some(['u', 'd', 'l', 'r'].map(|arm| arms.contains(arm)))
}

/// What part of a cell a block character fills: left, top, width, height as shares of the cell, and how densely.
fn block(c: char) -> Option<[f64; 5]> {
    Some(match c {
        '▁'..='█' => {
            let eighths = f64::from(u32::from(c) - u32::from('▁') + 1) / 8.0;
            [0.0, 1.0 - eighths, 1.0, eighths, 1.0]
        }
        '▉'..='▏' => [0.0, 0.0, f64::from(8 - (u32::from(c) - u32::from('█'))) / 8.0, 1.0, 1.0],
        '▀' => [0.0, 0.0, 1.0, 0.5, 1.0],
        '▐' => [0.5, 0.0, 0.5, 1.0, 1.0],
        '░' => [0.0, 0.0, 1.0, 1.0, 0.25],
        '▒' => [0.0, 0.0, 1.0, 1.0, 0.5],
        '▓' => [0.0, 0.0, 1.0, 1.0, 0.75],
        _ => return None,
    })
}

/// The arms of one box-drawing character, from the middle of its cell.
fn strokes(path: &mut String, [up, down, left, right]: [bool; 4], x: f64, y: f64) {
    let (middle, centre) = (x + WIDTH / 2.0, y + HEIGHT / 2.0);
    let ends = [(up, middle, y), (down, middle, y + HEIGHT), (left, x, centre), (right, x + WIDTH, centre)];
    for (_, end_x, end_y) in ends.into_iter().filter(|(present, ..)| *present) {
        let _ = write!(path, "M{middle:.1} {centre:.1}L{end_x:.1} {end_y:.1}");
    }
}

fn rectangle(svg: &mut String, [x, y, width, height]: [f64; 4], colour: (u8, u8, u8), opacity: f64) {
    let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() };
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{}\"{opacity} shape-rendering=\"crispEdges\"/>",
        hex(colour)
    );
}

fn rgb(colour: Color, default: (u8, u8, u8)) -> (u8, u8, u8) {
    match colour {
        Color::Default => default,
        Color::Rgb(red, green, blue) => (red, green, blue),
        Color::Idx(number @ 0..=15) => NAMED[usize::from(number)],
        Color::Idx(number @ 16..=231) => {
            // A cube of six steps a side.
            let step = |n: u8| if n == 0 { 0 } else { 55 + 40 * n };
            let number = number - 16;
            (step(number / 36), step(number / 6 % 6), step(number % 6))
        }
        Color::Idx(number) => {
            let grey = 8 + 10 * (number - 232);
            (grey, grey, grey)
        }
    }
}

fn between(a: (u8, u8, u8), b: (u8, u8, u8)) -> (u8, u8, u8) {
    (a.0.midpoint(b.0), a.1.midpoint(b.1), a.2.midpoint(b.2))
}

fn hex((red, green, blue): (u8, u8, u8)) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
