//! Which columns fit, and how wide each is. Columns of high rank leave first; the leftover goes where text is long.

use super::{Column, Width};

/// Blank cells between two columns.
const GAP: u16 = 2;

/// So few columns stay though names are cut.
const NAMES_FIRST: usize = 3;

/// So few columns stay though a sentence has the least room that it may have.
const ROOMY: usize = 6;

/// Cells up to which a text pushes other columns out; a longer one is cut.
const PUSHES: u16 = 28;

/// A column that is drawn: its place in the spec, where it begins and how wide it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placed {
    pub column: usize,
    pub x: u16,
    pub width: u16,
}

/// Lays out the columns in `available` cells. `widest` is what each column's rows need; `skipped` columns after the first have been scrolled away.
pub fn place<R>(columns: &[(usize, &Column<R>)], widest: &[u16], available: u16, skipped: usize) -> Vec<Placed> {
    let mut kept: Vec<(usize, &Column<R>)> =
        columns.iter().enumerate().filter(|(n, _)| *n < 2 || *n >= 2 + skipped).map(|(_, c)| *c).collect();
    // A text that is cut says less than a column that is left out and named on the border.
    let cut = |kept: &[_]| kept.len() > NAMES_FIRST && wish(kept, widest, kept.len() > ROOMY) > available;
    while kept.len() > 1 && (least(&kept) > available || cut(&kept)) {
        // With equal rank the one to the right leaves.
        let leaves = (1..kept.len()).max_by_key(|n| (kept[*n].1.rank, *n)).unwrap_or(kept.len() - 1);
        kept.remove(leaves);
    }
    let mut widths: Vec<u16> = kept.iter().map(|(_, column)| minimum(column)).collect();
    let mut spare = available.saturating_sub(least(&kept));
    for (n, (place, column)) in kept.iter().enumerate() {
        if let Width::Fit(..) = column.width {
            let wish = widest.get(*place).copied().unwrap_or(0).max(title_width(column));
            let more = wish.saturating_sub(widths[n]).min(spare);
            widths[n] += more;
            spare -= more;
        }
    }
    if let Some(n) = kept.iter().rposition(|(_, column)| matches!(column.width, Width::Fill(_))) {
        widths[n] += spare;
    }
    let mut x = 0;
    kept.iter()
        .zip(widths)
        .map(|((column, _), width)| {
            let placed = Placed { column: *column, x, width: width.min(available.saturating_sub(x)) };
            x += width + GAP;
            placed
        })
        .collect()
}

/// What the columns would take with their names uncut, and half as much again for a sentence.
fn wish<R>(columns: &[(usize, &Column<R>)], widest: &[u16], sentence: bool) -> u16 {
    let more = |(place, column): &(usize, &Column<R>)| match column.width {
        Width::Fit(..) => widest.get(*place).map_or(0, |widest| (*widest).min(PUSHES).saturating_sub(minimum(column))),
        Width::Fill(n) if sentence => n / 2,
        Width::Fixed(_) | Width::Fill(_) => 0,
    };
    least(columns).saturating_add(columns.iter().map(more).sum())
}

fn title_width<R>(column: &Column<R>) -> u16 {
    u16::try_from(column.title.len()).unwrap_or(u16::MAX)
}

fn minimum<R>(column: &Column<R>) -> u16 {
    match column.width {
        Width::Fixed(n) | Width::Fill(n) | Width::Fit(n, _) => n.max(title_width(column)),
    }
}

fn least<R>(columns: &[(usize, &Column<R>)]) -> u16 {
    let gaps = GAP * u16::try_from(columns.len().saturating_sub(1)).unwrap_or(u16::MAX);
    columns.iter().map(|(_, column)| minimum(column)).sum::<u16>().saturating_add(gaps)
}
