//! A log line in rows of the screen: one when it is summarised, as many as it takes when it is wrapped or opened.
//!
//! Works on one line at a time, so that only what is visible is ever laid out.

use super::fields::{Json, Rich, Tint, is_json, lines, summary, whole};
use super::{Buffer, Level, Line};
use crate::text::{end_at, fit, width};

/// Rows that one line may take; whoever needs more copies or saves it.
const ROWS: usize = 2_000;

/// Cells kept for ` +1234 lines ⏎`.
pub const MORE: usize = 14;

/// How lines are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Form {
    /// Cells for the text.
    pub width: usize,
    /// Break long rows rather than cut them.
    pub wrap: bool,
    /// How JSON is shown.
    pub json: Json,
    /// Whether the line is opened.
    pub open: bool,
    /// Rows in which an error is shown in full with what continues it, though nobody opened it; none where it is folded.
    pub errors: usize,
}

/// A line laid out.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// Rows of text, at least one. Without wrapping the only row may be longer than the screen.
    pub rows: Vec<Rich>,
    /// Lines of text that are not shown.
    pub more: usize,
}

/// Lays a line out with those that continue it.
#[must_use]
pub fn lay_out(buffer: &Buffer, head: u64, form: Form) -> Item {
    let Some(line) = buffer.get(head) else { return Item { rows: vec![Rich::default()], more: 0 } };
    let text = &line.log.text;
    if form.open || (form.json == Json::Pretty && is_json(text)) {
        return opened(buffer, head, form);
    }
    if form.errors > 1 && line.level >= Some(Level::Error) {
        return unfolded(buffer, head, form);
    }
    let more = lines(text) - 1 + buffer.group(head).skip(1).map(|line| lines(&line.log.text)).sum::<usize>();
    let row = summary(text, line.level, form.json);
    let mut rows = if form.wrap { wrap(&row, form.width) } else { vec![row] };
    // The count of folded lines stands at the end of the last row; wrapped text must not lose anything to it.
    if form.wrap && more > 0 && rows.last().is_some_and(|last| width(&last.text) + MORE > form.width) {
        rows.push(Rich::default());
    }
    Item { rows, more }
}

/// The summary of a line and what continues it, wrapped, as far as there is room.
fn unfolded(buffer: &Buffer, head: u64, form: Form) -> Item {
    let mut rows: Vec<Rich> = Vec::new();
    let (mut more, mut head_rows) = (0, 0);
    let mut put = |parts: Vec<Rich>| {
        if more == 0 && rows.len() + parts.len() <= form.errors {
            if rows.is_empty() {
                head_rows = parts.len();
            }
            rows.extend(parts);
        } else if rows.is_empty() {
            rows.extend(parts.into_iter().take(form.errors));
            if let Some(last) = rows.last_mut() {
                *last = Rich::new(&format!("{} …", fit(&last.text, form.width.saturating_sub(2))), Tint::Plain);
            }
        } else {
            more += 1;
        }
    };
    for (n, line) in buffer.group(head).enumerate() {
        let text = &line.log.text;
        if n == 0 {
            put(wrap(&summary(text, line.level, form.json), form.width));
        }
        text.lines().skip(usize::from(n == 0)).for_each(|line| put(wrap(&Rich::new(line, Tint::Plain), form.width)));
    }
    // Its count stands at the end of the last row; the line itself must not lose anything to it.
    if more > 0 && rows.len() > head_rows && rows.last().is_some_and(|last| width(&last.text) + MORE > form.width) {
        rows.pop();
        more += 1;
    }
    Item { rows, more }
}

fn opened(buffer: &Buffer, head: u64, form: Form) -> Item {
    let mut rows = Vec::new();
    for line in buffer.group(head) {
        for row in whole(&line.log.text, form.json) {
            rows.extend(wrap(&row, form.width));
            if rows.len() >= ROWS {
                rows.truncate(ROWS);
                rows.push(Rich::new("… the rest is too long to show; copy or save it", Tint::Dim));
                break;
            }
        }
    }
    if let Some(line) = buffer.get(head).filter(|_| form.open) {
        rows.push(Rich::new(&fit(&origin(line), form.width), Tint::Dim));
    }
    if rows.is_empty() {
        rows.push(Rich::default());
    }
    Item { rows, more: 0 }
}

/// Where a line came from.
fn origin(line: &Line) -> String {
    let log = &line.log;
    let delay = log.ingested.as_millisecond() - log.at.as_millisecond();
    let taken = if delay > 0 {
        format!(" · taken in after {:.1} s", std::time::Duration::from_millis(delay.unsigned_abs()).as_secs_f64())
    } else {
        String::new()
    };
    format!("└ {} · task {} · container {} · stream {}{taken}", log.at, log.source.task.name(), log.source.container, log.source.stream)
}

/// Breaks a row at the width.
fn wrap(row: &Rich, width: usize) -> Vec<Rich> {
    let mut rows = Vec::new();
    let mut from = 0;
    while let Some(end) = end_at(&row.text[from..], width.max(2)) {
        // A character wider than the screen still has to go somewhere.
        let end = from + end.max(row.text[from..].chars().next().map_or(1, char::len_utf8));
        rows.push(row.slice(from, end));
        from = end;
        if rows.len() >= ROWS {
            return rows;
        }
    }
    if from == 0 {
        rows.push(row.clone());
    } else if from < row.text.len() {
        rows.push(row.slice(from, row.text.len()));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::super::sample::{line, stream};
    use super::*;
    use crate::feed::TailState;
    use crate::text::clean;
    use proptest::prelude::*;

    const FORM: Form = Form { width: 20, wrap: false, json: Json::Columns, open: false, errors: 0 };

    fn rows(texts: &[&str], form: Form) -> (Vec<String>, usize) {
        let source = stream("aaaa", "app");
        let mut buffer = Buffer::default();
        buffer.push(
            texts.iter().enumerate().map(|(n, text)| line(&source, i64::try_from(n).expect("few"), text)).collect(),
            TailState::default(),
        );
        let item = lay_out(&buffer, 0, form);
        (item.rows.into_iter().map(|row| row.text).collect(), item.more)
    }

    #[test]
    fn a_stack_trace_is_folded_under_its_line_and_opens() {
        let texts = ["ERROR boom\n  at a\n  at b", "  at c"];
        assert_eq!(rows(&texts, FORM), (vec!["boom".to_owned()], 3));
        let (open, more) = rows(&texts, Form { open: true, ..FORM });
        assert_eq!((&open[..4], more), (&["ERROR boom", "  at a", "  at b", "  at c"].map(str::to_owned)[..], 0));
        assert!(open[4].starts_with("└ 1970-01-01T00:00"));
    }

    #[test]
    fn an_error_of_a_dead_container_is_shown_in_full_as_far_as_there_is_room() {
        let texts = ["ERROR SQLSTATE unknown column tutor_timezone\n  at a\n  at b", "  at c"];
        let shown = |errors| rows(&texts, Form { errors, ..FORM });
        let (all, more) = shown(9);
        assert_eq!((all.concat().contains("tutor_timezone"), all.last().map(String::as_str), more), (true, Some("  at c"), 0));
        let (few, more) = shown(4);
        assert!(few.len() <= 4 && few.concat().contains("tutor_timezone") && more == 1, "{few:?} {more}");
        let (cut, more) = shown(2);
        assert!(cut.len() == 2 && cut[1] == "umn tutor_timezone" && more == 3, "{cut:?} {more}");
        assert_eq!(rows(&["INFO all is well\n  at a"], Form { errors: 9, ..FORM }).1, 1, "what is no error stays folded");
    }

    #[test]
    fn wrapped_text_leaves_room_for_the_count_of_folded_lines() {
        let (rows, more) = rows(&["ERROR a message of more than twenty", "  at a"], Form { wrap: true, ..FORM });
        assert_eq!((rows.concat().as_str(), rows.last().map(String::as_str), more), ("a message of more than twenty", Some(""), 1));
    }

    #[test]
    fn pretty_json_takes_a_row_for_each_field() {
        let (rows, _) = rows(&[r#"{"msg":"hi","order":1}"#], Form { json: Json::Pretty, ..FORM });
        assert_eq!(rows, ["msg    hi", "order  1"]);
    }

    proptest! {
        #[test]
        fn a_wrapped_row_keeps_its_text_and_the_width(text in any::<String>(), room in 2_usize..30) {
            let text = clean(&text);
            let rows = wrap(&Rich::new(&text, Tint::Plain), room);
            prop_assert_eq!(rows.iter().map(|row| row.text.as_str()).collect::<String>(), &*text);
            prop_assert!(rows.iter().all(|row| width(&row.text) <= room));
        }
    }
}
