//! Everything that happened to the services of a cluster, or to one, in one list by time: what the scheduler said, deployments, stops of
//! tasks, scaling. What happened before what is the first question of every post-mortem.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{scaling_resource, Arn, Ctx, Service, Str, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::{self, Health};
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "timeline",
    help: "Events, deployments, task stops and scaling, by time",
    action: Some(Action::Timeline),
    open: |place, _| TableView::of_cluster(&SPEC, place, "A timeline needs"),
};

/// What kind of thing happened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Event,
    Deploy,
    Stop,
    Scale,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Event => "event",
            Kind::Deploy => "deploy",
            Kind::Stop => "stop",
            Kind::Scale => "scaling",
        }
    }
}

/// Something that happened.
pub struct Happened {
    ctx: Ctx,
    cluster: Arn,
    id: Str,
    at: Option<Time>,
    kind: Kind,
    service: Arc<Service>,
    task: Option<Arn>,
    what: Str,
    health: Health,
}

const SPEC: TableSpec<Happened> = TableSpec {
    name: "timeline",
    crumb: |place, _| {
        let cluster = place.cluster.as_ref().map_or("?", Arn::name);
        place.service.as_ref().map_or_else(|| format!("{cluster} › timeline"), |s| format!("{cluster} › {} › timeline", s.name()))
    },
    title: |place, _| format!("Timeline {} · newest first ·", place.service.as_ref().or(place.cluster.as_ref()).map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted: |place, cx, _, _, out| {
        let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
        out.extend(feeds(ctx, cluster, place, cx).into_iter().map(|feed| Wanted::Poll { feed, focus: true }));
        // They never change, and one call answers for twenty.
        let services = cx.store.services(ctx, cluster).unwrap_or_default().iter().filter(|s| place.service.as_ref().is_none_or(|arn| *arn == s.arn));
        let records = services.filter_map(|s| cx.store.service_deployments(ctx, &s.arn)).flatten();
        let revisions = records.filter_map(|record| record.target_revision.clone());
        out.extend(revisions.map(|arn| Wanted::Poll { feed: Feed::ServiceRevision(ctx, arn), focus: false }));
    },
    rows,
    id: |row| row.id.clone(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {}", row.kind.word(), row.service.name, row.what),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), service: Some(row.service.arn.clone()), task: row.task.clone(), ..Place::default() },
        copies: vec![('n', "text", row.what.to_string()), ('a', "service ARN", row.service.arn.to_string())],
        ghost: false,
    },
    enter: "tasks",
    preview: Some(Preview {
        title: |row| format!("{} of {}", row.kind.word(), row.service.name),
        lines: |_, row, width, cx| {
            let role = if row.health.troubled() { row.health.role() } else { Role::Text };
            frame::wrapped(&row.what, width.saturating_sub(4)).into_iter().map(|part| Line::styled(part, cx.theme.style(role))).collect()
        },
    }),
    empty: |_, _| "nothing has happened that AWS still remembers".to_owned(),
    sources: |place, cx| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => feeds(ctx, cluster, place, cx),
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::Logs, Action::Deployments, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<Happened>] = &[
    Column { key: 't', title: "TIME", width: Width::Fixed(12), right: false, rank: 0, cell: |row, cx| dim(row.at.map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| newest_first(row) },
    Column { key: 'k', title: "KIND", width: Width::Fixed(7), right: false, rank: 1, cell: |row, _| dim(row.kind.word()), sort: |row, _| Key::Text(row.kind.word().into()) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(8, 28), right: false, rank: 1, cell: |row, _| dim(&*row.service.name).with_its_end(), sort: |row, _| Key::Text(row.service.name.clone()) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 3, cell: |row, cx| dim(age::since(row.at, cx.now)), sort: |row, _| newest_first(row) },
    Column { key: 'w', title: "WHAT", width: Width::Fill(20), right: false, rank: 0, cell: what, sort: |row, _| Key::Text(row.what.clone()) },
];

fn newest_first(row: &Happened) -> Key {
    Key::Both(-row.at.map_or(0, jiff::Timestamp::as_millisecond), row.id.clone())
}

fn what<'a>(row: &'a Happened, _: &Cx<'a>) -> Cell<'a> {
    let role = if row.health.troubled() { row.health.role() } else { Role::Text };
    painted(format!("{} {}", row.health.glyph(), row.what), role).with_its_end()
}

/// Deployments are asked for service by service, so a cluster's timeline has those that the services themselves tell.
fn feeds(ctx: Ctx, cluster: &Arn, place: &Place, _: &Cx) -> Vec<Feed> {
    match &place.service {
        Some(service) => vec![
            Feed::Service(ctx, service.clone()),
            Feed::Tasks(ctx, cluster.clone()),
            Feed::ServiceDeployments(ctx, service.clone()),
            Feed::ScalingActivities(ctx, Some(scaling_resource(service.cluster_name().unwrap_or(cluster.name()), service.name()).into())),
        ],
        None => vec![Feed::Services(ctx, cluster.clone()), Feed::Tasks(ctx, cluster.clone()), Feed::ScalingActivities(ctx, None)],
    }
}

fn rows(place: &Place, cx: &Cx) -> Vec<Happened> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let services: Vec<Arc<Service>> = match &place.service {
        Some(arn) => cx.store.service(ctx, cluster, arn).cloned().into_iter().collect(),
        None => cx.store.services(ctx, cluster).unwrap_or_default().to_vec(),
    };
    let mut rows = Vec::new();
    for service in &services {
        let of = Of { ctx, cluster, service };
        of.events(&mut rows);
        of.deployments(cx, &mut rows);
        of.stops(cx, &mut rows);
        of.scaling(place.service.is_some(), cx, &mut rows);
    }
    rows
}

/// Whose happenings are gathered.
struct Of<'a> {
    ctx: Ctx,
    cluster: &'a Arn,
    service: &'a Arc<Service>,
}

impl Of<'_> {
    fn row(&self, id: impl Into<Str>, at: Option<Time>, kind: Kind, what: impl Into<Str>, health: Health) -> Happened {
        Happened { ctx: self.ctx, cluster: self.cluster.clone(), id: id.into(), at, kind, service: self.service.clone(), task: None, what: what.into(), health }
    }

    fn events(&self, out: &mut Vec<Happened>) {
        for event in &self.service.events {
            let message = &event.message;
            // The service has a column of its own.
            out.push(self.row(event.id.clone(), event.at, Kind::Event, verdict::brief(message), verdict::event(message).health()));
        }
    }

    /// The beginning and the end of every deployment that is known.
    fn deployments(&self, cx: &Cx, out: &mut Vec<Happened>) {
        let service = self.service;
        let known = cx.store.service_deployments(self.ctx, &service.arn);
        for deployment in known.unwrap_or_default() {
            let revision = deployment.target_revision.as_ref().and_then(|arn| cx.store.service_revision(self.ctx, arn));
            // The service says itself what its present deployments bring, though the revision be not known.
            let present = || service.deployments.iter().find(|entry| super::deployments::is_record_of(service, entry, deployment));
            let to = revision.map(|revision| &revision.task_definition).or_else(|| present().map(|entry| &entry.task_definition));
            let to = to.map_or_else(String::new, |arn| format!(" of {}", arn.name()));
            let begin = deployment.started_at.or(deployment.created_at);
            out.push(self.row(format!("{} began", deployment.arn), begin, Kind::Deploy, format!("deployment{to} began"), Health::Roll));
            if let Some(rollback) = &deployment.rollback {
                let why = rollback.reason.as_deref().unwrap_or_default();
                out.push(self.row(format!("{} rolled back", deployment.arn), rollback.started_at, Kind::Deploy, format!("deployment{to} is rolled back: {why}"), Health::Fail));
            }
            if let Some(end) = deployment.finished_at.or(deployment.stopped_at) {
                let reason = deployment.reason.as_deref().map_or(String::new(), |reason| format!(" · {reason}"));
                let health = super::deployments::judge(&deployment.status);
                out.push(self.row(format!("{} ended", deployment.arn), Some(end), Kind::Deploy, format!("deployment{to} ended {}{reason}", deployment.status), health));
            }
        }
        if known.is_none() {
            for deployment in &service.deployments {
                let what = format!("deployment of {} began · {}", deployment.task_definition.name(), deployment.status);
                out.push(self.row(format!("{} began", deployment.id), deployment.created_at, Kind::Deploy, what, Health::Roll));
            }
        }
        for set in &service.task_sets {
            let by = set.external_id.as_deref().map_or(String::new(), |id| format!(" by {id}"));
            let what = format!("task set of {} made{by} · {}", set.task_definition.name(), set.status);
            out.push(self.row(format!("{} made", set.id), set.created_at, Kind::Deploy, what, Health::Roll));
        }
    }

    fn stops(&self, cx: &Cx, out: &mut Vec<Happened>) {
        for task in cx.store.tasks_of(self.ctx, self.cluster, &self.service.name).iter().filter(|task| task.stopped()) {
            let what = format!("task {} ({}) stopped: {}", super::tasks::short(&task.arn), task.task_definition.name(), verdict::stop_sentence(task));
            let health = verdict::task(task, cx.now).health;
            let row = self.row(task.arn.0.clone(), task.stopped_at.or(task.stopping_at), Kind::Stop, what, health);
            out.push(Happened { task: Some(task.arn.clone()), ..row });
        }
    }

    /// What scaling did; that it did nothing, and why, is the scaling pane's affair.
    fn scaling(&self, alone: bool, cx: &Cx, out: &mut Vec<Happened>) {
        let resource: Str = scaling_resource(self.service.cluster.name(), &self.service.name).into();
        let activities = cx.store.scaling_activities(self.ctx, alone.then_some(&resource)).unwrap_or_default();
        for activity in activities.iter().filter(|activity| activity.resource == resource && activity.not_scaled.is_empty()) {
            let health = match &*activity.status {
                "Failed" => Health::Fail,
                "Successful" => Health::Ok,
                _ => Health::Roll,
            };
            let cause = if activity.cause.is_empty() { String::new() } else { format!(" · {}", activity.cause) };
            out.push(self.row(activity.id.clone(), activity.started_at, Kind::Scale, format!("{}{cause}", activity.description), health));
        }
    }
}
