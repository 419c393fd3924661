//! CPU and memory beside the services: only when asked for, because AWS bills every figure, and the price is said before.

use super::SPEC;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{ServiceMetrics};
use crate::theme::Role;
use crate::ui::table::{of_table, dim, painted, Cell, Key, TableView};
use crate::verdict::Judged;
use crate::view::{Cx, Kind, Notice, Place, Reaction, Tone, View};
use std::sync::Arc;

/// Headings of the columns, by which they are shown and hidden.
pub const CPU: &str = "CPU%";
/// See [`CPU`].
pub const MEMORY: &str = "MEM%";

/// AWS's list price for a figure of `GetMetricData`: 0.01 USD a thousand, in millionths of a dollar.
const PRICE: usize = 10;

/// Cells of a sparkline.
const CELLS: usize = 9;

/// Percent from which a figure is painted as much, and as too much.
const MUCH: f64 = 80.0;
const TOO_MUCH: f64 = 95.0;

/// The services with their figures, once they are asked for.
pub struct Services {
    table: TableView<Arc<Judged>>,
    shown: Shown,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Shown {
    No,
    /// The price was said; the same key again means yes.
    Offered,
    Yes,
}

impl Services {
    /// Opens without figures.
    pub fn open(place: Place) -> Self {
        // A service whose tasks or targets changed is judged anew, and so is another row.
        let by = |feed: &Feed| matches!(feed, Feed::Services(..) | Feed::Service(..) | Feed::Targets(..) | Feed::ServiceDeployments(..));
        let table = TableView::open(&SPEC, place).without(CPU).without(MEMORY).knowing(Arc::ptr_eq, by);
        Services { table, shown: Shown::No }
    }

    fn toggle(&mut self, cx: &Cx) -> Reaction {
        match self.shown {
            Shown::No => {
                let services = self.table.visible().len();
                if services == 0 {
                    return Reaction::Notice(Notice { tone: Tone::Info, text: "no services to show metrics of".to_owned() });
                }
                self.shown = Shown::Offered;
                let key = cx.keys.key_of(Action::Metrics, Kind::Table).unwrap_or_default();
                Reaction::Notice(Notice { tone: Tone::Info, text: format!("CPU and memory of {} · {key} again shows them", price(services)) })
            }
            Shown::Offered => {
                self.shown = Shown::Yes;
                self.table.show(CPU, true);
                self.table.show(MEMORY, true);
                Reaction::Redraw
            }
            Shown::Yes => {
                self.shown = Shown::No;
                self.table.show(CPU, false);
                self.table.show(MEMORY, false);
                Reaction::Redraw
            }
        }
    }
}

/// `4 services: 8 figures a minute, about 0.0048 USD an hour`.
fn price(services: usize) -> String {
    let millionths = services * 2 * PRICE * 60;
    format!("{services} services on screen: {} figures a minute, about {}.{:04} USD an hour", services * 2, millionths / 1_000_000, millionths % 1_000_000 / 100)
}

/// The figures as a line of bars, the newest in percent behind it.
pub fn cell<'a>(row: &'a Arc<Judged>, cx: &Cx<'a>, of: fn(&ServiceMetrics) -> &Vec<f64>) -> Cell<'a> {
    let feed = Feed::Metrics(row.ctx, row.service.arn.clone());
    let Some(metrics) = cx.store.metrics(row.ctx, &row.service.arn) else {
        return if cx.store.error(&feed).is_some() { painted("?", Role::Stale) } else { dim("…") };
    };
    let points = of(metrics);
    let Some(newest) = points.last() else { return dim("no data") };
    let role = if *newest >= TOO_MUCH {
        Role::Fail
    } else if *newest >= MUCH {
        Role::Warn
    } else {
        Role::Text
    };
    painted(format!("{:>CELLS$} {newest:>3.0}", bars(points)), role)
}

/// The newest figure, the highest first.
pub fn sort(row: &Judged, cx: &Cx, of: fn(&ServiceMetrics) -> &Vec<f64>) -> Key {
    let newest = cx.store.metrics(row.ctx, &row.service.arn).and_then(|metrics| of(metrics).last().copied());
    #[expect(clippy::cast_possible_truncation, reason = "a percentage")]
    Key::Number(newest.map_or(1, |newest| -(newest * 100.0) as i64))
}

/// One bar for each stretch of time, as high as its highest point; full height is 100 %, or more where there is more.
fn bars(points: &[f64]) -> String {
    const BARS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let top = points.iter().copied().fold(100.0, f64::max);
    let stretch = points.len().div_ceil(CELLS).max(1);
    let bar = |stretch: &[f64]| {
        let high = stretch.iter().copied().fold(0.0, f64::max) / top * 7.0;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and 7")]
        BARS[(high.round().clamp(0.0, 7.0)) as usize]
    };
    points.rchunks(stretch).rev().map(bar).collect()
}

impl View for Services {
    of_table!(sync, choose, input, peel, draw, click);

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        self.table.wanted(cx, out);
        if self.shown == Shown::Yes {
            out.extend(self.table.visible().into_iter().map(|row| Wanted::Poll { feed: Feed::Metrics(row.ctx, row.service.arn.clone()), focus: true }));
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        if action == Action::Metrics {
            return self.toggle(cx);
        }
        if self.shown == Shown::Offered {
            self.shown = Shown::No;
        }
        self.table.act(action, cx)
    }

    fn status(&self, cx: &Cx) -> String {
        let denied = self.table.visible().into_iter().find_map(|row| cx.store.error(&Feed::Metrics(row.ctx, row.service.arn.clone()))).filter(|_| self.shown == Shown::Yes);
        denied.map_or_else(|| self.table.status(cx), |error| format!("{}   {}", error.what, self.table.status(cx)))
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        if action == Action::Metrics { Some(self.table.shown() > 0) } else { self.table.can(action, cx) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_as_high_as_the_highest_point_of_their_stretch() {
        assert_eq!(bars(&[0.0, 100.0, 50.0]), "▁█▅");
        assert_eq!(bars(&[200.0, 100.0]), "█▅");
        let half_an_hour: Vec<f64> = (0..30).map(|n| f64::from(n) * 3.0).collect();
        assert_eq!(bars(&half_an_hour).chars().count(), 8);
        assert_eq!(bars(&[]), "");
    }

    #[test]
    fn the_price_is_said_by_the_hour() {
        assert_eq!(price(4), "4 services on screen: 8 figures a minute, about 0.0048 USD an hour");
    }
}
