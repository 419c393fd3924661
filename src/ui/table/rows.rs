//! The rows of a table in their order: sorted, filtered, marked, with the cursor on an identity.

use super::{Column, Key, TableSpec, Width};
use crate::filter::Query;
use crate::model::Str;
use crate::text;
use crate::view::Cx;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Rows with their order. `order` holds places in `data`; a ghost stands at the end of `data`, from `live` on.
pub struct Rows<R> {
    data: Vec<R>,
    ids: Vec<Str>,
    live: usize,
    order: Vec<u32>,
    column: usize,
    reversed: bool,
    /// The row that the operator, or whoever opened the table, has chosen. Until then it is the first one, whatever comes.
    cursor: Option<Str>,
    position: usize,
    marks: HashSet<Str>,
    range_from: Option<Str>,
    query: Query,
    query_text: String,
    problems_only: bool,
    /// Widest text of each column that fits its rows, measured once per change.
    pub widths: Vec<u16>,
    /// The same without the column's bounds.
    full: Vec<u16>,
    /// What each row needs in each column that fits its rows, by column and place in `data`.
    measured: Vec<Vec<u16>>,
    /// Where the names of a column differ, by place in `data`, for the columns whose names have been cut since the last change.
    apart: Vec<Option<Vec<Range<usize>>>>,
    /// Rows keep their places because the operator is at work.
    pub held: bool,
}

impl<R: 'static> Rows<R> {
    pub fn new(column: usize) -> Self {
        Rows {
            data: Vec::new(),
            ids: Vec::new(),
            live: 0,
            order: Vec::new(),
            column,
            reversed: false,
            cursor: None,
            position: 0,
            marks: HashSet::new(),
            range_from: None,
            query: Query::default(),
            query_text: String::new(),
            problems_only: false,
            widths: Vec::new(),
            full: Vec::new(),
            measured: Vec::new(),
            apart: Vec::new(),
            held: false,
        }
    }

    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Rows before filtering, ghosts not counted.
    pub fn total(&self) -> usize {
        self.live
    }

    /// Rows of a kind: after filtering, and before it.
    pub fn count(&self, of: fn(&R) -> bool) -> (usize, usize) {
        let shown = (0..self.len()).filter_map(|n| self.get(n)).filter(|row| of(row)).count();
        (shown, self.data[..self.live].iter().filter(|row| of(row)).count())
    }

    fn id(&self, n: usize) -> Option<&Str> {
        self.ids.get(*self.order.get(n)? as usize)
    }

    pub fn get(&self, n: usize) -> Option<&R> {
        self.data.get(*self.order.get(n)? as usize)
    }

    pub fn is_ghost(&self, n: usize) -> bool {
        self.order.get(n).is_some_and(|place| *place as usize >= self.live)
    }

    pub fn is_marked(&self, n: usize) -> bool {
        !self.marks.is_empty() && self.id(n).is_some_and(|id| self.marks.contains(id))
    }

    pub fn marked(&self) -> usize {
        self.marks.len()
    }

    /// The marked rows in the order of the data, whether the filter shows them or not, and the marks that no row bears any more.
    pub fn of_marks(&self) -> (Vec<&R>, Vec<Str>) {
        let marked: Vec<usize> = (0..self.live).filter(|n| self.marks.contains(&self.ids[*n])).collect();
        let mut gone: Vec<Str> = self.marks.iter().filter(|id| !marked.iter().any(|n| self.ids[*n] == **id)).cloned().collect();
        gone.sort_unstable();
        (marked.into_iter().map(|n| &self.data[n]).collect(), gone)
    }

    pub fn position(&self) -> usize {
        self.position
    }

    pub fn cursor(&self) -> Option<&R> {
        self.get(self.position)
    }

    pub fn on_ghost(&self) -> bool {
        self.is_ghost(self.position)
    }

    pub fn order(&self) -> (usize, bool) {
        (self.column, self.reversed)
    }

    pub fn query_text(&self) -> &str {
        &self.query_text
    }

    pub fn problems_only(&self) -> bool {
        self.problems_only
    }

    pub fn select(&mut self, id: Str) {
        self.cursor = Some(id);
        self.find_cursor();
    }

    pub fn go(&mut self, position: usize) {
        self.position = position.min(self.order.len().saturating_sub(1));
        self.cursor = self.id(self.position).cloned();
        if let Some(from) = &self.range_from {
            let from = (0..self.len()).find(|n| self.id(*n) == Some(from)).unwrap_or(self.position);
            let span = from.min(self.position)..=from.max(self.position);
            let ids: Vec<Str> = span.filter(|n| !self.is_ghost(*n)).filter_map(|n| self.id(n).cloned()).collect();
            self.marks.extend(ids);
        }
        self.drop_left_ghost();
    }

    /// A ghost stays only while the cursor is on it.
    fn drop_left_ghost(&mut self) {
        if self.data.len() == self.live || self.on_ghost() {
            return;
        }
        let live = self.live;
        self.order.retain(|place| (*place as usize) < live);
        self.data.truncate(live);
        self.ids.truncate(live);
        self.find_cursor();
    }

    /// Takes new rows; those that are the `same` as the old ones in their places need not be measured. The cursor stays on its identity;
    /// where that is gone, the old row stays as a ghost in its place.
    pub fn replace(&mut self, spec: &TableSpec<R>, rows: Vec<R>, same: Option<fn(&R, &R) -> bool>, held: bool, cx: &Cx) {
        // Lists keep their order between polls, so the same place is nearly always the same row.
        let same: Vec<bool> =
            same.map_or_else(Vec::new, |same| self.data[..self.live].iter().zip(&rows).map(|(old, new)| same(old, new)).collect());
        let ids: Vec<Str> = rows.iter().map(spec.id).collect();
        let gone = self.cursor.as_ref().is_some_and(|cursor| !ids.contains(cursor));
        let old_places = if held { self.places() } else { HashMap::new() };
        let ghost = if gone { self.take_cursor_row() } else { None };
        self.live = rows.len();
        (self.data, self.ids) = (rows, ids);
        self.sort(spec, &old_places, true, cx);
        self.held = !old_places.is_empty();
        self.measure(spec, &same, cx);
        // A filter that hides the row hides its ghost.
        if let Some((row, id)) = ghost.filter(|(row, _)| self.matches(spec, row, cx)) {
            self.order.insert(self.position.min(self.order.len()), u32::try_from(self.data.len()).expect("fewer than 2^32 rows"));
            self.data.push(row);
            self.ids.push(id);
        }
        self.find_cursor();
    }

    fn take_cursor_row(&mut self) -> Option<(R, Str)> {
        let place = *self.order.get(self.position)? as usize;
        (self.cursor.as_ref() == self.ids.get(place)).then(|| (self.data.swap_remove(place), self.ids.swap_remove(place)))
    }

    fn places(&self) -> HashMap<Str, usize> {
        (0..self.len()).filter_map(|n| self.id(n).map(|id| (id.clone(), n))).collect()
    }

    /// Puts the position where the cursor's identity is; where that is nowhere, the cursor takes the row at the position.
    fn find_cursor(&mut self) {
        let Some(cursor) = &self.cursor else {
            self.position = 0;
            return;
        };
        let here = |n: &usize| self.id(*n) == Some(cursor);
        // The usual case costs nothing: the row is where it was.
        match Some(self.position).filter(here).or_else(|| (0..self.len()).find(here)) {
            Some(position) => self.position = position,
            // A row that was asked for before it came keeps its claim while there are no rows at all.
            None if self.len() == 0 => self.position = 0,
            None => {
                self.position = self.position.min(self.len() - 1);
                self.cursor = self.id(self.position).cloned();
            }
        }
    }

    /// Filters and sorts. With `keep`, rows stay at their old places and new ones follow. With `spare`, the row under the cursor stays
    /// though the filter does not want it any more: only the operator's own typing takes it away, never a change of its data.
    fn sort(&mut self, spec: &TableSpec<R>, keep: &HashMap<Str, usize>, spare: bool, cx: &Cx) {
        let passes = |n: usize| {
            let row = &self.data[n];
            let wanted = !self.problems_only || spec.health.is_none_or(|health| health(row).troubled());
            (wanted && self.matches(spec, row, cx)) || (spare && self.cursor.as_ref() == Some(&self.ids[n]))
        };
        let mut order: Vec<u32> = (0..self.live).filter(|n| passes(*n)).filter_map(|n| u32::try_from(n).ok()).collect();
        if keep.is_empty() {
            let sort = spec.columns[self.column].sort;
            let keys: Vec<Key> = self.data[..self.live].iter().map(|row| sort(row, cx)).collect();
            order.sort_unstable_by(|a, b| {
                let by_key = keys[*a as usize].cmp(&keys[*b as usize]);
                let by_key = if self.reversed { by_key.reverse() } else { by_key };
                by_key.then_with(|| self.ids[*a as usize].cmp(&self.ids[*b as usize]))
            });
        } else {
            order.sort_by_key(|place| keep.get(&self.ids[*place as usize]).copied().unwrap_or(usize::MAX));
        }
        self.order = order;
    }

    fn matches(&self, spec: &TableSpec<R>, row: &R, cx: &Cx) -> bool {
        self.query_text.is_empty() || self.query.matches(&(spec.haystack)(row), &|name| cell_text(spec, row, name, cx))
    }

    /// Measures all rows but those that are the `same` as they were.
    fn measure(&mut self, spec: &TableSpec<R>, same: &[bool], cx: &Cx) {
        let rows = &self.data[..self.live];
        let mut before = std::mem::take(&mut self.measured);
        before.resize_with(spec.columns.len(), Vec::new);
        let measure = |(column, before): (&Column<R>, Vec<u16>)| {
            let Width::Fit(..) = column.width else { return Vec::new() };
            let known = |place: usize| before.get(place).copied().filter(|_| same.get(place).is_some_and(|same| *same));
            rows.iter().enumerate().map(|(place, row)| known(place).unwrap_or_else(|| needs(column, row, cx))).collect()
        };
        self.measured = spec.columns.iter().zip(before).map(measure).collect();
        let widest = |(column, rows): (&Column<R>, &Vec<u16>)| match column.width {
            Width::Fit(..) => rows.iter().copied().max().unwrap_or(0),
            Width::Fixed(n) | Width::Fill(n) => n,
        };
        self.full = spec.columns.iter().zip(&self.measured).map(widest).collect();
        let bounded = |(column, full): (&Column<R>, &u16)| match column.width {
            Width::Fit(_, most) => (*full).min(most),
            Width::Fixed(n) | Width::Fill(n) => n,
        };
        self.widths = spec.columns.iter().zip(&self.full).map(bounded).collect();
        self.apart = vec![None; spec.columns.len()];
    }

    /// Finds out where the names of a column differ, once per change, if they have to be cut to so many cells.
    pub fn tell_apart(&mut self, spec: &TableSpec<R>, column: usize, width: u16, cx: &Cx) {
        let fits = self.full.get(column).is_none_or(|full| *full <= width);
        let Some(known) = self.apart.get_mut(column).filter(|known| known.is_none() && !fits) else { return };
        let of = &spec.columns[column];
        // Sentences begin alike too, and are read from their beginning.
        if !matches!(of.width, Width::Fit(..)) {
            return;
        }
        let cells: Vec<_> = self.data[..self.live].iter().map(|row| (of.cell)(row, cx)).collect();
        let names: Vec<&str> = cells.iter().map(|cell| &*cell.text).collect();
        *known = Some(if cells.iter().any(|cell| cell.keeps_end) { text::differences(&names) } else { Vec::new() });
    }

    /// Where the name of a row differs from those that begin alike, if that has been found out.
    pub fn difference(&self, column: usize, n: usize) -> Range<usize> {
        let place = self.order.get(n).map(|place| *place as usize);
        let known = self.apart.get(column).and_then(Option::as_ref);
        place.and_then(|place| known?.get(place).cloned()).unwrap_or(0..0)
    }

    fn resort(&mut self, spec: &TableSpec<R>, cx: &Cx) {
        self.data.truncate(self.live);
        self.ids.truncate(self.live);
        self.sort(spec, &HashMap::new(), false, cx);
        self.held = false;
        self.find_cursor();
    }

    pub fn order_by(&mut self, spec: &TableSpec<R>, column: usize, cx: &Cx) {
        (self.column, self.reversed) = (column, false);
        self.resort(spec, cx);
    }

    pub fn reverse(&mut self, spec: &TableSpec<R>, cx: &Cx) {
        self.reversed = !self.reversed;
        self.resort(spec, cx);
    }

    /// Sets the filter. The old one stays when the new text cannot be read; the error says why.
    pub fn filter(&mut self, spec: &TableSpec<R>, text: &str, offered: &[&str], cx: &Cx) -> Result<(), String> {
        let columns: Vec<&str> = spec.columns.iter().map(|c| c.title).collect();
        self.query = Query::parse_in(text, &columns, offered)?;
        // What asks for nothing yet is no filter to show.
        if self.query.is_empty() { "" } else { text }.clone_into(&mut self.query_text);
        self.resort(spec, cx);
        Ok(())
    }

    pub fn toggle_problems(&mut self, spec: &TableSpec<R>, cx: &Cx) {
        self.problems_only = !self.problems_only;
        self.resort(spec, cx);
    }

    pub fn toggle_mark(&mut self) {
        if self.on_ghost() {
            return;
        }
        if let Some(id) = self.id(self.position).cloned()
            && !self.marks.remove(&id)
        {
            self.marks.insert(id);
        }
    }

    pub fn toggle_range(&mut self) {
        self.range_from = if self.range_from.is_some() { None } else { self.id(self.position).cloned() };
        self.go(self.position);
    }

    pub fn clear_marks(&mut self) {
        self.marks.clear();
        self.range_from = None;
    }

    /// Whether Esc has a layer to take away.
    pub fn peels(&self) -> bool {
        self.range_from.is_some() || !self.marks.is_empty() || !self.query_text.is_empty() || self.problems_only
    }

    /// Esc: the range, then the marks, then the filter, then `problems only`.
    pub fn peel(&mut self, spec: &TableSpec<R>, cx: &Cx) -> bool {
        if self.range_from.take().is_some() {
            return true;
        }
        if !self.marks.is_empty() {
            self.marks.clear();
            return true;
        }
        if !self.query_text.is_empty() {
            (self.query, self.query_text) = (Query::default(), String::new());
            self.resort(spec, cx);
            return true;
        }
        let on = self.problems_only;
        if on {
            self.toggle_problems(spec, cx);
        }
        on
    }
}

/// Cells that a row needs in a column.
fn needs<R>(column: &Column<R>, row: &R, cx: &Cx) -> u16 {
    u16::try_from(text::width(&(column.cell)(row, cx).text)).unwrap_or(u16::MAX)
}

fn cell_text<R>(spec: &TableSpec<R>, row: &R, name: &str, cx: &Cx) -> Option<String> {
    let column = spec.columns.iter().find(|c| c.title.eq_ignore_ascii_case(name))?;
    Some((column.cell)(row, cx).text.into_owned())
}
