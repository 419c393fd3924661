//! Deployments of a service: those that run, as the service and ECS tell them together; task sets of other controllers; those past.

mod preview;

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, CodeDeployment, Ctx, Deployment, Service, ServiceDeployment, ServiceRevision, Str, TargetState, TaskSet, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
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

/// A deployment as far as AWS tells it: the service's own word, ECS's record of it, or a task set of another controller.
pub struct DeploymentRow {
    ctx: Ctx,
    service: Arc<Service>,
    /// Place in `service.deployments`.
    present: Option<usize>,
    /// Place in `service.task_sets`.
    set: Option<usize>,
    record: Option<Arc<ServiceDeployment>>,
    revision: Option<Arc<ServiceRevision>>,
    code: Option<Arc<CodeDeployment>>,
    /// Healthy targets, and all, of a task set's groups.
    targets: Option<(usize, usize)>,
    health: Health,
}

impl DeploymentRow {
    fn present(&self) -> Option<&Deployment> {
        self.service.deployments.get(self.present?)
    }

    /// Whether traffic is moved between two target groups; a rolling deployment has no weights and its stages say nothing.
    fn shifts(&self) -> bool {
        self.service.strategy.as_deref().is_some_and(|strategy| strategy != "ROLLING")
    }

    fn set(&self) -> Option<&TaskSet> {
        self.service.task_sets.get(self.set?)
    }

    /// The record's id where there is one, so that a deployment stays the same row when it ends.
    fn id(&self) -> Str {
        let own = || self.present().map(|d| d.id.clone()).or(self.set().map(|set| set.id.clone()));
        self.record.as_ref().map(|record| record.arn.0.clone()).or_else(own).unwrap_or_default()
    }

    fn started(&self) -> Option<Time> {
        let record = self.record.as_ref().and_then(|d| d.started_at.or(d.created_at));
        record.or_else(|| self.present().and_then(|d| d.created_at)).or_else(|| self.set().and_then(|set| set.created_at))
    }

    fn running(&self) -> bool {
        self.present.is_some() || self.set.is_some()
    }

    /// `family:revision`, as soon as the revision is known.
    fn runs(&self) -> Option<&Arn> {
        let own = self.present().map(|d| &d.task_definition).or(self.set().map(|set| &set.task_definition));
        own.or_else(|| self.revision.as_ref().map(|revision| &revision.task_definition))
    }
}

pub(super) const SPEC: TableSpec<DeploymentRow> = TableSpec {
    name: "deployments",
    crumb: |place, _| format!("{} › {} › deployments", place.cluster.as_ref().map_or("?", Arn::name), place.service.as_ref().map_or("?", Arn::name)),
    title: |place, cx| {
        let service = place.ctx.zip(place.cluster.as_ref()).zip(place.service.as_ref()).and_then(|((ctx, cluster), arn)| cx.store.service(ctx, cluster, arn));
        let by = service.filter(|s| &*s.controller != "ECS").map_or(String::new(), |s| format!(" by {}", s.controller));
        let strategy = service.and_then(|s| s.strategy.as_deref()).filter(|word| *word != "ROLLING").map_or(String::new(), |word| format!(" {word}"));
        format!("Deployments {}{by}{strategy} ·", place.service.as_ref().map_or("?", Arn::name))
    },
    columns: COLUMNS,
    order: 3,
    wanted,
    rows,
    id: DeploymentRow::id,
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {}", row.id(), status(row).text, row.runs().map_or("", Arn::name)),
    subject: |place, row, _| {
        let mut copies = vec![('n', "id", row.id().to_string())];
        copies.extend(row.runs().map(|arn| ('t', "task definition", arn.to_string())));
        copies.extend(row.code.as_ref().map(|code| ('d', "CodeDeploy deployment", code.id.to_string())));
        Subject { place: place.clone(), copies, ghost: false }
    },
    enter: "tasks",
    preview: Some(Preview { title: named, lines: |_, row, width, cx| preview::lines(row, width, cx) }),
    empty: |_, _| "no deployments: none runs, and AWS remembers none".to_owned(),
    sources: |place, cx| {
        let (Some(ctx), Some(arn)) = (place.ctx, &place.service) else { return Vec::new() };
        let mut sources = vec![Feed::Service(ctx, arn.clone()), Feed::ServiceDeployments(ctx, arn.clone())];
        if let Some(service) = place.cluster.as_ref().and_then(|cluster| cx.store.service(ctx, cluster, arn)) {
            // ECS keeps no record of what other controllers deploy.
            if &*service.controller != "ECS" {
                sources.pop();
            }
            sources.extend(code_feeds(ctx, service));
        }
        // Revisions are asked for one by one and refused together.
        let refused = |feed: &&Feed| matches!(feed, Feed::ServiceRevision(..)) && cx.store.error(feed).and_then(|e| e.code.as_deref()).is_some_and(|code| code.starts_with("AccessDenied"));
        sources.extend(cx.store.slots_of(ctx).map(|(feed, _)| feed).find(refused).cloned());
        sources
    },
    hints: &[Action::Open, Action::Events, Action::Timeline, Action::Logs, Action::Describe, Action::Copy],
};

const COLUMNS: &[Column<DeploymentRow>] = &[
    Column { key: 's', title: "STATUS", width: Width::Fit(12, 24), right: false, rank: 0, cell: |row, _| status(row), sort: |row, _| Key::Number(row.health as i64) },
    Column { key: 'r', title: "REVISION", width: Width::Fit(8, 40), right: false, rank: 0, cell: |row, _| revision(row), sort: |row, _| Key::Text(revision(row).text.into()) },
    Column { key: 'u', title: "RUN/DES", width: Width::Fixed(8), right: true, rank: 1, cell: |row, _| run_of(row), sort: |row, _| Key::Text(run_of(row).text.into()) },
    Column { key: 't', title: "STARTED", width: Width::Fixed(12), right: false, rank: 2, cell: |row, cx| dim(row.started().map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| Key::Both(i64::from(!row.running()), (i64::MAX - row.started().map_or(0, jiff::Timestamp::as_millisecond)).to_string().into()) },
    Column { key: 'p', title: "TRAFFIC", width: Width::Fixed(7), right: true, rank: 3, cell: |row, _| traffic(row).map_or_else(|| dim("-"), |weight| plain(format!("{weight}%"))), sort: |row, _| Key::Text(traffic(row).map_or(String::new(), |weight| weight.to_string()).into()) },
    Column { key: 'f', title: "FAILED", width: Width::Fixed(8), right: true, rank: 3, cell: failed, sort: |row, cx| Key::Text(failed(row, cx).text.into()) },
    Column { key: 'd', title: "TOOK", width: Width::Fixed(7), right: true, rank: 4, cell: |row, cx| dim(took(row, cx)), sort: |row, _| Key::Number(row.started().map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'w', title: "REASON", width: Width::Fill(20), right: false, rank: 0, cell: |row, cx| plain(brief(&reason(row, cx))), sort: |row, cx| Key::Text(reason(row, cx).into()) },
];

fn status(row: &DeploymentRow) -> Cell<'_> {
    let words = match (&row.record, row.present(), row.set()) {
        // What ECS says of the whole says more than the service's word about one side of it.
        (Some(record), ..) => record.status.to_string(),
        (None, Some(d), _) => format!("{} {}", d.status, d.rollout_state.as_deref().unwrap_or("")).trim_end().to_owned(),
        (None, None, Some(set)) => match label(row) {
            Some(label) => format!("{} {}", set.status, label.to_lowercase()),
            None => set.status.to_string(),
        },
        _ => String::new(),
    };
    painted(format!("{} {words}", row.health.glyph()), row.health.role())
}

/// CodeDeploy's word for the side that a task set is.
fn label(row: &DeploymentRow) -> Option<&str> {
    let set = row.set()?;
    row.code.as_ref()?.task_sets.iter().find(|share| share.task_set == set.id)?.label.as_deref()
}

/// What the box below is about: the word, what it brings, and enough of the id to find it in AWS's texts.
fn named(row: &DeploymentRow) -> String {
    let word = if row.set.is_some() { "task set" } else { "deployment" };
    let of = row.runs().map_or(String::new(), |arn| format!(" of {}", arn.name()));
    let id = row.id();
    let id = id.rsplit('/').next().unwrap_or_default();
    format!("{word}{of} · {}", id.get(..12).unwrap_or(id))
}

fn revision(row: &DeploymentRow) -> Cell<'_> {
    match row.runs() {
        Some(arn) if row.running() => plain(arn.name()).with_its_end(),
        Some(arn) => dim(arn.name()).with_its_end(),
        // Nineteen digits tell nobody anything.
        None => dim("…"),
    }
}

fn run_of(row: &DeploymentRow) -> Cell<'_> {
    let counts = row.present().map(|d| (d.running, d.desired)).or(row.set().map(|set| (set.running, set.desired)));
    counts.map_or_else(|| dim("-"), |(running, wanted)| painted(format!("{running}/{wanted}"), if running < wanted { Role::Busy } else { Role::Text }))
}

/// Percent of the production traffic: as CodeDeploy moves it, or as native blue/green asks for it.
fn traffic(row: &DeploymentRow) -> Option<f64> {
    if let Some(set) = row.set() {
        return row.code.as_ref()?.weight(&set.id);
    }
    row.record.as_ref()?.target.as_ref()?.production_weight.filter(|_| row.present.is_some() && row.shifts())
}

/// Failures against the threshold that ECS itself reports; never computed here.
fn failed<'a>(row: &'a DeploymentRow, _: &Cx<'a>) -> Cell<'a> {
    let (count, text) = match (row.record.as_ref().and_then(|d| d.failures), row.present()) {
        (Some((count, threshold)), _) => (count, format!("{count} of {threshold}")),
        (None, Some(d)) => (d.failed, d.failed.to_string()),
        (None, None) => return dim("-"),
    };
    if count > 0 { painted(text, Role::Fail) } else { dim(text) }
}

fn took(row: &DeploymentRow, cx: &Cx) -> String {
    let end = match (&row.record, row.present()) {
        (Some(record), _) => record.finished_at.or(record.stopped_at).or(Some(cx.now)),
        (None, Some(d)) if d.rollout_state.as_deref() == Some("IN_PROGRESS") => Some(cx.now),
        _ => row.code.as_ref().filter(|_| row.set().is_some_and(|set| &*set.status == "ACTIVE")).map(|code| code.completed_at.unwrap_or(cx.now)),
    };
    match (row.started(), end) {
        (Some(from), Some(to)) => age::short(to.as_second() - from.as_second()),
        _ => String::new(),
    }
}

/// What AWS says of it, the stage and what it waits for in front.
fn reason(row: &DeploymentRow, cx: &Cx) -> String {
    if row.set.is_some() {
        return set_reason(row, cx);
    }
    let record = row.record.as_ref();
    let stage = record.and_then(|d| d.lifecycle_stage.as_deref()).filter(|_| row.present.is_some() && row.shifts()).map(str::to_owned);
    let waits = record.into_iter().flat_map(|d| &d.hooks).find(|hook| &*hook.status == "AWAITING_ACTION").map(|hook| format!("{} waits for an answer", if hook.kind.is_empty() { "a hook" } else { &hook.kind }));
    let alarms = record.map(|d| &d.alarms.1).filter(|names| !names.is_empty()).map(|names| format!("alarm {}", names.join(" ")));
    let rolled = record.and_then(|d| d.rollback.as_ref()).and_then(|rollback| rollback.reason.as_deref());
    let told = record.and_then(|d| d.reason.as_deref()).or(row.present().and_then(|d| d.rollout_reason.as_deref()));
    // A rollback's reason is the release's failure; AWS says it in one place or in the other.
    let both = [rolled, told.filter(|told| rolled.is_none_or(|rolled| !told.contains(rolled) && !rolled.contains(told)))];
    let parts: Vec<String> = [waits, stage, alarms].into_iter().flatten().chain(both.into_iter().flatten().map(str::to_owned)).collect();
    parts.join(" · ")
}

/// The reason without what the status beside it says already: AWS begins most of them with the same words.
fn brief(reason: &str) -> String {
    let part = |part: &str| {
        let own = part.strip_prefix("ECS deployment ecs-svc/").and_then(|rest| rest.split_once(' ')).map_or(part, |(_, rest)| rest);
        let own = own.strip_prefix("Service deployment rolled back because ").unwrap_or(own);
        // The state in other words, with nothing to it.
        if matches!(own, "in progress." | "completed.") { String::new() } else { own.to_owned() }
    };
    reason.split(" · ").map(part).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

fn set_reason(row: &DeploymentRow, cx: &Cx) -> String {
    let Some(set) = row.set() else { return String::new() };
    let mut parts = Vec::new();
    if let Some(code) = row.code.as_ref().filter(|code| Some(&code.id) == set.external_id.as_ref()) {
        if let Some(until) = code.bakes_until() {
            let left = age::short(until.as_second() - cx.now.as_second());
            parts.push(format!("bakes {left} more"));
        }
        parts.push(match code.current_event() {
            Some(event) if !code.over() => format!("{} {}", code.status, event.name),
            _ => code.status.to_string(),
        });
        parts.extend(code.error.as_ref().map(ToString::to_string));
    }
    if let Some((healthy, all)) = row.targets {
        parts.push(format!("{healthy} of {all} targets healthy"));
    }
    if let Some(stability) = &set.stability {
        parts.push(stability.to_string());
    }
    if row.code.is_none() {
        parts.extend(set.external_id.as_ref().map(ToString::to_string));
        parts.extend(set.scale.map(|scale| format!("scale {scale}%")));
    }
    parts.join(" · ")
}

/// AWS's status words, judged. A rollback that succeeded is a release that failed.
pub(super) fn judge(word: &str) -> Health {
    match word {
        "SUCCESSFUL" | "COMPLETED" => Health::Ok,
        "IN_PROGRESS" | "PENDING" => Health::Roll,
        "STOPPED" | "STOP_REQUESTED" => Health::Warn,
        word if word.starts_with("ROLLBACK") || word == "FAILED" => Health::Fail,
        _ => Health::Unknown,
    }
}

fn judge_set(set: &TaskSet, code: Option<&CodeDeployment>) -> Health {
    match (&*set.status, code.map(|code| &*code.status)) {
        ("ACTIVE", Some("Failed" | "Stopped")) => Health::Fail,
        ("PRIMARY", _) if set.stability.as_deref() == Some("STEADY_STATE") => Health::Ok,
        ("PRIMARY" | "ACTIVE", _) => Health::Roll,
        ("DRAINING", _) => Health::Idle,
        _ => Health::Unknown,
    }
}

fn service_of<'a>(place: &Place, cx: &Cx<'a>) -> Option<(Ctx, &'a Arc<Service>)> {
    let (ctx, cluster, arn) = (place.ctx?, place.cluster.as_ref()?, place.service.as_ref()?);
    cx.store.service(ctx, cluster, arn).map(|service| (ctx, service))
}

/// The feeds of the CodeDeploy deployments whose task sets are there, each once.
pub(super) fn code_feeds(ctx: Ctx, service: &Service) -> Vec<Feed> {
    if &*service.controller != "CODE_DEPLOY" {
        return Vec::new();
    }
    let mut ids: Vec<&Str> = service.task_sets.iter().filter_map(|set| set.external_id.as_ref()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter().map(|id| Feed::CodeDeployment(ctx, service.arn.clone(), id.clone())).collect()
}

fn rows(place: &Place, cx: &Cx) -> Vec<DeploymentRow> {
    let Some((ctx, service)) = service_of(place, cx) else { return Vec::new() };
    let records = cx.store.service_deployments(ctx, &service.arn).unwrap_or_default();
    let mut told = vec![false; records.len()];
    let base = || DeploymentRow { ctx, service: service.clone(), present: None, set: None, record: None, revision: None, code: None, targets: None, health: Health::Unknown };
    let revision = |record: &ServiceDeployment| record.target_revision.as_ref().and_then(|arn| cx.store.service_revision(ctx, arn)).cloned();
    let mut rows = Vec::new();
    for (n, deployment) in service.deployments.iter().enumerate() {
        let record = records.iter().position(|record| is_record_of(service, deployment, record)).filter(|n| !std::mem::replace(&mut told[*n], true));
        let record = record.map(|n| records[n].clone());
        let word = record.as_ref().map_or(deployment.rollout_state.as_deref().unwrap_or(""), |record| &*record.status);
        rows.push(DeploymentRow { present: Some(n), health: judge(word), revision: record.as_deref().and_then(revision), record, ..base() });
    }
    for (n, set) in service.task_sets.iter().enumerate() {
        let code = code_of(ctx, service, set, cx);
        rows.push(DeploymentRow { set: Some(n), health: judge_set(set, code.as_deref()), targets: targets_of(ctx, set, cx), code, ..base() });
    }
    for (record, _) in records.iter().zip(told).filter(|(_, told)| !told) {
        rows.push(DeploymentRow { health: judge(&record.status), revision: revision(record), record: Some(record.clone()), ..base() });
    }
    rows
}

/// Whether ECS's record is about that entry of the service: they began together, or it is the one in progress and the entry the primary
/// one. In a rollback the primary entry is already the way back, and the record is about the release that failed.
pub(super) fn is_record_of(service: &Service, deployment: &Deployment, record: &ServiceDeployment) -> bool {
    let primary = &*deployment.status == "PRIMARY";
    let goes_back = record.status.starts_with("ROLLBACK_") && &*record.status != "ROLLBACK_REQUESTED";
    if primary && goes_back {
        return false;
    }
    let near = |a: Time, b: Time| (a.as_second() - b.as_second()).abs() <= 60;
    let mut began = [record.created_at, record.started_at].into_iter().flatten();
    (primary && service.current_deployment.as_ref() == Some(&record.arn)) || deployment.created_at.is_some_and(|at| began.any(|began| near(at, began)))
}

/// The CodeDeploy deployment that tells most about a task set: the one that made it, or the one that replaces it.
fn code_of(ctx: Ctx, service: &Service, set: &TaskSet, cx: &Cx) -> Option<Arc<CodeDeployment>> {
    let of = |set: &TaskSet| set.external_id.as_ref().and_then(|id| cx.store.code_deployment(ctx, &service.arn, id));
    let known: Vec<&Arc<CodeDeployment>> = service.task_sets.iter().filter_map(of).collect();
    let names = |code: &&&Arc<CodeDeployment>| code.task_sets.iter().any(|share| share.task_set == set.id);
    known.iter().find(|code| !code.over() && names(code)).copied().or_else(|| of(set)).cloned()
}

fn targets_of(ctx: Ctx, set: &TaskSet, cx: &Cx) -> Option<(usize, usize)> {
    let groups = set.load_balancers.iter().filter_map(|lb| lb.target_group.as_ref());
    let known: Vec<_> = groups.filter_map(|group| cx.store.targets(ctx, group)).flatten().collect();
    let healthy = known.iter().filter(|target| target.state == TargetState::Healthy).count();
    (!known.is_empty()).then_some((healthy, known.len()))
}

fn wanted(place: &Place, cx: &Cx, visible: &[&DeploymentRow], _: Option<&DeploymentRow>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(arn)) = (place.ctx, &place.service) else { return };
    let mut want = |feed: Feed| out.push(Wanted::Poll { feed, focus: true });
    want(Feed::Service(ctx, arn.clone()));
    let service = service_of(place, cx).map(|(_, service)| service);
    if service.is_none_or(|service| &*service.controller == "ECS") {
        want(Feed::ServiceDeployments(ctx, arn.clone()));
    }
    for feed in service.into_iter().flat_map(|service| code_feeds(ctx, service)) {
        want(feed);
    }
    for group in service.into_iter().flat_map(|s| &s.task_sets).flat_map(|set| &set.load_balancers).filter_map(|lb| lb.target_group.as_ref()) {
        want(Feed::Targets(ctx, group.clone()));
    }
    // They never change, and one call answers for a screenful.
    for row in visible {
        if let Some(revision) = row.record.as_ref().and_then(|record| record.target_revision.as_ref()) {
            want(Feed::ServiceRevision(ctx, revision.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample;

    #[test]
    fn a_brief_reason_leaves_out_what_the_status_says() {
        assert_eq!(brief("SCALE_UP · ECS deployment ecs-svc/512 in progress."), "SCALE_UP");
        assert_eq!(brief("ECS deployment circuit breaker: tasks failed to start."), "ECS deployment circuit breaker: tasks failed to start.");
        assert_eq!(brief("Service deployment rolled back because the circuit breaker threshold was exceeded."), "the circuit breaker threshold was exceeded.");
    }

    fn record(status: &str, began: i64) -> ServiceDeployment {
        ServiceDeployment { arn: "record".into(), status: status.into(), created_at: Some(sample::ago(began)), ..ServiceDeployment::default() }
    }

    #[test]
    fn the_way_back_is_not_the_release_that_failed() {
        let service = Service { current_deployment: Some("record".into()), ..sample::service("api") };
        let entry = |status: &str, began: i64| Deployment { status: status.into(), created_at: Some(sample::ago(began)), ..sample::deployment(7, "PRIMARY", "IN_PROGRESS") };
        let failing = record("ROLLBACK_IN_PROGRESS", 600);
        assert!(!is_record_of(&service, &entry("PRIMARY", 100), &failing));
        assert!(is_record_of(&service, &entry("ACTIVE", 600), &failing));
        assert!(is_record_of(&service, &entry("PRIMARY", 100), &record("IN_PROGRESS", 600)));
        assert!(!is_record_of(&sample::service("api"), &entry("PRIMARY", 100), &record("SUCCESSFUL", 600)));
    }
}
