//! Events of the service scheduler: of one service, or of all services of a cluster merged by time.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Service, ServiceEvent};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::{self, brief};
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "events",
    help: "Events of a service, or of all services of a cluster",
    action: Some(Action::Events),
    open: |place, _| TableView::of_cluster(&SPEC, place, "Events need"),
};

/// An event with the service that it belongs to. Events are shared with the service, never copied.
pub struct EventRow {
    ctx: Ctx,
    cluster: Arn,
    service: Arc<Service>,
    index: usize,
}

impl EventRow {
    fn event(&self) -> &ServiceEvent {
        &self.service.events[self.index]
    }
}

pub(super) const SPEC: TableSpec<EventRow> = TableSpec {
    name: "events",
    crumb: |place, _| {
        let cluster = place.cluster.as_ref().map_or("?", Arn::name);
        place.service.as_ref().map_or_else(|| format!("{cluster} › events"), |s| format!("{cluster} › {} › events", s.name()))
    },
    title: |place, _| format!("Events {} · AWS keeps 100 a service ·", place.service.as_ref().or(place.cluster.as_ref()).map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
        out.push(Wanted::Poll {
            feed: match &place.service {
                Some(service) => Feed::Service(ctx, service.clone()),
                None => Feed::Services(ctx, cluster.clone()),
            },
            focus: true,
        });
    },
    rows,
    id: |row| row.event().id.clone(),
    health: Some(|row| verdict::event(&row.event().message).health()),
    haystack: |row| row.event().message.to_string(),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), service: Some(row.service.arn.clone()), ..Place::default() },
        copies: vec![('n', "message", row.event().message.to_string()), ('a', "service ARN", row.service.arn.to_string())],
        ghost: false,
    },
    enter: "tasks",
    preview: Some(Preview { title: |row| format!("event of {}", row.service.name), lines: |_, row, width, _| frame::wrapped(&row.event().message, width.saturating_sub(4)).into_iter().map(Line::from).collect() }),
    empty: |_, _| "no events: nothing has happened to this service that ECS would tell".to_owned(),
    sources: |place, _| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), None) => vec![Feed::Services(ctx, cluster.clone())],
        (Some(ctx), _, Some(service)) => vec![Feed::Service(ctx, service.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::Logs, Action::Targets, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<EventRow>] = &[
    Column { key: 't', title: "TIME", width: Width::Fixed(12), right: false, rank: 0, cell: |row, cx| dim(row.event().at.map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| newest_first(row) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 2, cell: |row, cx| dim(age::since(row.event().at, cx.now)), sort: |row, _| newest_first(row) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(8, 28), right: false, rank: 1, cell: |row, _| dim(&*row.service.name).with_its_end(), sort: |row, _| Key::Text(row.service.name.clone()) },
    Column { key: 'm', title: "MESSAGE", width: Width::Fill(20), right: false, rank: 0, cell: message, sort: |row, _| Key::Text(row.event().message.clone()) },
];

fn newest_first(row: &EventRow) -> Key {
    Key::Number(-row.event().at.map_or(0, jiff::Timestamp::as_millisecond))
}

fn message<'a>(row: &'a EventRow, _: &Cx<'a>) -> Cell<'a> {
    let message = &row.event().message;
    let health = verdict::event(message).health();
    let role = if health.troubled() { health.role() } else { Role::Text };
    painted(format!("{} {}", health.glyph(), brief(message)), role).with_its_end()
}

fn rows(place: &Place, cx: &Cx) -> Vec<EventRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let services: Vec<Arc<Service>> = match &place.service {
        Some(arn) => cx.store.service(ctx, cluster, arn).cloned().into_iter().collect(),
        None => cx.store.services(ctx, cluster).unwrap_or_default().to_vec(),
    };
    let of = |service: Arc<Service>| {
        let cluster = cluster.clone();
        (0..service.events.len()).map(move |index| EventRow { ctx, cluster: cluster.clone(), service: service.clone(), index })
    };
    services.into_iter().flat_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brief_message_names_groups_and_begins_ids() {
        let group = "arn:aws:elasticloadbalancing:eu-west-2:170904582664:targetgroup/tutorbloc-production/9ff74268782eb886";
        let told = format!("(service production) registered 1 targets in (target-group {group})");
        assert_eq!(brief(&told), "registered 1 targets in (target-group tutorbloc-production)");
        assert_eq!(
            brief("(service api) has started 2 tasks: (task a45c11f70266e5212e0dde9d1d847d3e) (task 1b64ce6572fe86a7a2370861ad11f70f)."),
            "has started 2 tasks: (task a45c11f7) (task 1b64ce65)."
        );
        let manual = "For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.";
        assert_eq!(brief(&format!("(service api) is unable to start tasks. {manual}")), "is unable to start tasks.");
        assert_eq!(brief("has reached a steady state."), "has reached a steady state.");
    }
}
