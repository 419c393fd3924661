//! Deployments of a service: those that run, as the service tells them, and those past, as ECS keeps them.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Deployment, Service, ServiceDeployment, Str, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{dim, health, painted, plain, Cell, Column, Key, TableSpec, TableView, Width};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "deployments",
    help: "Deployments of a service, present and past",
    action: Some(Action::Deployments),
    open: |place, _| match &place.service {
        Some(_) => Ok(Box::new(TableView::open(&SPEC, Place { task: None, container: None, target_group: None, ..place.clone() }))),
        None => Err("Deployments need a service: put the cursor on one".to_owned()),
    },
};

/// Either view that AWS gives of a deployment.
enum Shown {
    Present(Arc<Service>, usize),
    Past(Arc<ServiceDeployment>),
}

/// A deployment.
pub struct DeploymentRow {
    shown: Shown,
    health: Health,
}

impl DeploymentRow {
    fn present(&self) -> Option<&Deployment> {
        match &self.shown {
            Shown::Present(service, n) => service.deployments.get(*n),
            Shown::Past(_) => None,
        }
    }

    fn past(&self) -> Option<&ServiceDeployment> {
        match &self.shown {
            Shown::Present(..) => None,
            Shown::Past(deployment) => Some(deployment),
        }
    }

    fn id(&self) -> Str {
        match &self.shown {
            Shown::Present(service, n) => service.deployments[*n].id.clone(),
            Shown::Past(deployment) => deployment.arn.0.clone(),
        }
    }

    fn started(&self) -> Option<Time> {
        self.present().and_then(|d| d.created_at).or_else(|| self.past().and_then(|d| d.started_at.or(d.created_at)))
    }
}

pub(super) const SPEC: TableSpec<DeploymentRow> = TableSpec {
    name: "deployments",
    crumb: |place, _| format!("{} › {} › deployments", place.cluster.as_ref().map_or("?", Arn::name), place.service.as_ref().map_or("?", Arn::name)),
    title: |place, _| format!("Deployments {} ·", place.service.as_ref().map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        if let (Some(ctx), Some(service)) = (place.ctx, &place.service) {
            out.push(Wanted::Poll { feed: Feed::Service(ctx, service.clone()), focus: true });
            out.push(Wanted::Poll { feed: Feed::ServiceDeployments(ctx, service.clone()), focus: true });
        }
    },
    rows,
    id: DeploymentRow::id,
    health: Some(|row| row.health),
    haystack: |row| format!("{} {}", row.id(), status(row).text),
    subject: |place, row, _| Subject { place: place.clone(), copies: vec![('n', "id", row.id().to_string())], ghost: false },
    enter: "tasks",
    preview: None,
    empty: |_, _| "no deployments: this service is deployed by another controller".to_owned(),
    sources: |place, _| match (place.ctx, &place.service) {
        (Some(ctx), Some(service)) => vec![Feed::Service(ctx, service.clone()), Feed::ServiceDeployments(ctx, service.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::Events, Action::Logs, Action::Describe, Action::Copy],
};

const COLUMNS: &[Column<DeploymentRow>] = &[
    Column { key: 's', title: "STARTED", width: Width::Fixed(12), right: false, rank: 0, cell: |row, cx| dim(row.started().map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| Key::Both(i64::from(row.past().is_some()), (i64::MAX - row.started().map_or(0, jiff::Timestamp::as_millisecond)).to_string().into()) },
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 0, cell: |row, _| health(row.health), sort: |row, _| Key::Number(row.health as i64) },
    Column { key: 't', title: "STATUS", width: Width::Fit(12, 22), right: false, rank: 0, cell: |row, _| status(row), sort: |row, _| Key::Text(status(row).text.into()) },
    Column { key: 'r', title: "REVISION", width: Width::Fit(8, 40), right: false, rank: 2, cell: |row, _| revision(row), sort: |row, _| Key::Text(revision(row).text.into()) },
    Column { key: 'u', title: "RUN/WANT", width: Width::Fixed(8), right: true, rank: 1, cell: |row, _| row.present().map_or(dim("-"), |d| plain(format!("{}/{}", d.running, d.desired))), sort: |row, _| Key::Number(row.present().map_or(0, |d| i64::from(d.running))) },
    Column { key: 'f', title: "FAILED", width: Width::Fixed(8), right: true, rank: 1, cell: |row, _| failed(row), sort: |row, _| Key::Number(row.present().map_or(0, |d| -i64::from(d.failed))) },
    Column { key: 'd', title: "TOOK", width: Width::Fixed(7), right: true, rank: 3, cell: |row, cx| dim(took(row, cx)), sort: |row, _| Key::Number(row.started().map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'w', title: "REASON", width: Width::Fill(16), right: false, rank: 2, cell: |row, _| reason(row), sort: |row, _| Key::Text(reason(row).text.into()) },
];

fn status(row: &DeploymentRow) -> Cell<'_> {
    match (row.present(), row.past()) {
        (Some(d), _) => painted(format!("{} {}", d.status, d.rollout_state.as_deref().unwrap_or("")), row.health.role()),
        (_, Some(d)) => painted(&*d.status, row.health.role()),
        _ => dim(""),
    }
}

fn revision(row: &DeploymentRow) -> Cell<'_> {
    match (row.present(), row.past()) {
        (Some(d), _) => plain(d.task_definition.name()),
        (_, Some(d)) => dim(d.target_revision.as_ref().map_or("-", Arn::name)),
        _ => dim(""),
    }
}

/// Failures against the threshold that ECS itself reports; never computed here.
fn failed(row: &DeploymentRow) -> Cell<'_> {
    let (count, text) = match (row.present(), row.past().and_then(|d| d.failures)) {
        (Some(d), _) => (d.failed, d.failed.to_string()),
        (None, Some((count, threshold))) => (count, format!("{count} of {threshold}")),
        (None, None) => return dim("-"),
    };
    if count > 0 { painted(text, Role::Fail) } else { dim(text) }
}

fn took(row: &DeploymentRow, cx: &Cx) -> String {
    let end = row.past().map_or(Some(cx.now), |d| d.finished_at.or(Some(cx.now)));
    match (row.started(), end) {
        (Some(_), _) if row.present().is_some_and(|d| d.rollout_state.as_deref() != Some("IN_PROGRESS")) => String::new(),
        (Some(from), Some(to)) => age::short(to.as_second() - from.as_second()),
        _ => String::new(),
    }
}

fn reason(row: &DeploymentRow) -> Cell<'_> {
    let reason = row.present().and_then(|d| d.rollout_reason.as_deref()).or(row.past().and_then(|d| d.reason.as_deref()));
    plain(reason.unwrap_or(""))
}

/// AWS's status words, judged. A rollback that succeeded is a release that failed.
fn judge(word: &str) -> Health {
    match word {
        "SUCCESSFUL" | "COMPLETED" => Health::Ok,
        "IN_PROGRESS" | "PENDING" => Health::Roll,
        "STOPPED" | "STOP_REQUESTED" => Health::Warn,
        word if word.starts_with("ROLLBACK") || word == "FAILED" => Health::Fail,
        _ => Health::Unknown,
    }
}

fn rows(place: &Place, cx: &Cx) -> Vec<DeploymentRow> {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return Vec::new() };
    let service = cx.store.service(ctx, cluster, arn);
    let present = service.into_iter().flat_map(|s| {
        s.deployments.iter().enumerate().map(|(n, d)| DeploymentRow { health: judge(d.rollout_state.as_deref().unwrap_or("")), shown: Shown::Present(s.clone(), n) })
    });
    let past = cx.store.service_deployments(ctx, arn).unwrap_or_default();
    let past = past.iter().map(|d| DeploymentRow { health: judge(&d.status), shown: Shown::Past(d.clone()) });
    present.chain(past).collect()
}
