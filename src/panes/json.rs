//! Anything as AWS sent it.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, RawOf, Wanted};
use crate::theme::Role;
use crate::ui::text_view::{TextLine, TextSpec, TextView};
use crate::view::Place;
use std::borrow::Cow;

/// The pane.
pub const PANE: Pane = Pane {
    name: "json",
    help: "What the cursor is on, as AWS sent it; secret-looking values are masked",
    action: Some(Action::Json),
    open: |place, _| match feed(place) {
        Some(_) => Ok(Box::new(TextView::open(&SPEC, place.clone()))),
        None => Err("JSON needs a cluster, service, task or target group: put the cursor on one".to_owned()),
    },
};

const SPEC: TextSpec = TextSpec {
    name: "json",
    crumb: |place, _| super::describe::crumb(place, "json"),
    wanted: |place, _, out| out.extend(feed(place).map(|feed| Wanted::Poll { feed, focus: true })),
    lines: |place, cx| Some(paint(cx.store.raw(&feed(place)?)?)),
    sources: |place, _| feed(place).into_iter().collect(),
    wrap: false,
    hints: |_| &[Action::Search, Action::Wrap, Action::Copy, Action::Save, Action::Describe],
};

/// The target group where one is named, else the most particular thing.
fn feed(place: &Place) -> Option<Feed> {
    let ctx = place.ctx?;
    let raw = match (&place.task, &place.service, &place.cluster, &place.target_group) {
        (_, _, _, Some(group)) => RawOf::Targets(group.clone()),
        (Some(task), _, Some(cluster), _) => RawOf::Task(cluster.clone(), task.clone()),
        (None, Some(service), Some(cluster), _) => RawOf::Service(cluster.clone(), service.clone()),
        (None, None, Some(cluster), None) => RawOf::Cluster(cluster.clone()),
        _ => return None,
    };
    Some(Feed::Raw(ctx, raw))
}

/// Keys apart from values, line by line; pretty-printed JSON has at most one key on a line.
fn paint(json: &str) -> Vec<TextLine> {
    json.lines().map(paint_line).collect()
}

fn paint_line(line: &str) -> TextLine {
    let own = |text: &str| Cow::Owned(text.to_owned());
    let indent = line.len() - line.trim_start().len();
    match line[indent..].strip_prefix('"').and_then(|rest| rest.split_once("\": ")) {
        Some((key, value)) => vec![(own(&line[..indent]), Role::Text), (own(&format!("\"{key}\"")), Role::Accent), (own(": "), Role::Dim), (own(value), value_role(value))],
        None => vec![(own(line), value_role(line.trim()))],
    }
}

fn value_role(value: &str) -> Role {
    if value.starts_with(['{', '}', '[', ']']) { Role::Dim } else { Role::Text }
}
