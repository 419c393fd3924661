//! The tasks of a service or of a whole cluster, running and stopped together, with the reason of every stop.

use super::services::{want_all_targets, want_service};
use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Target, TargetState, Task, TaskStatus};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, Preview, COUNT, TableSpec, TableView, Width};
use crate::verdict::{self, exit_codes, Health};
use crate::view::{Cx, Place, Subject};
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "tasks",
    help: "Tasks of a service or a cluster, running and stopped",
    action: Some(Action::Tasks),
    open: |place, _| match (&place.ctx, &place.cluster) {
        (Some(_), Some(_)) => {
            let place = Place { task: None, container: None, ..place.clone() };
            let of_one_service = place.service.is_some();
            let table = TableView::open(&SPEC, place);
            // Targets are asked for service by service, so a list of all of them has none to show.
            Ok(Box::new(table.without(if of_one_service { "SERVICE" } else { "TARGET" })))
        }
        _ => Err("Tasks need a service or a cluster: put the cursor on one".to_owned()),
    },
};

/// A task with what is known about it elsewhere.
pub struct TaskRow {
    ctx: Ctx,
    task: Arc<Task>,
    health: Health,
    /// With its group.
    target: Option<(Arn, Target)>,
    /// Whether the service has several groups, so that it matters which.
    sides: bool,
    newest: bool,
    /// AWS has forgotten it.
    kept: bool,
}

pub(super) const SPEC: TableSpec<TaskRow> = TableSpec {
    name: "tasks",
    crumb: |place, cx| scope(place, " › ", cx) + " › tasks",
    title: |place, cx| {
        let kept = match kept(place, cx).count() {
            0 => String::new(),
            n => format!(" · {n} of them kept"),
        };
        format!("Tasks {} · {COUNT}{kept}", scope(place, "/", cx))
    },
    columns: COLUMNS,
    order: 0,
    wanted,
    rows,
    id: |row| row.task.arn.0.clone(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {} {}", row.task.arn.name(), row.task.group, row.task.task_definition.name(), row.task.ip.as_deref().unwrap_or("")),
    subject: |place, row, _| subject(place, row),
    enter: "logs",
    preview: Some(Preview { title: |row| format!("task {} of {}", short(&row.task.arn), row.task.task_definition.name()), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |place, cx| empty(place, cx),
    sources: |place, _| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => vec![Feed::Tasks(ctx, cluster.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::ActionMenu, Action::Exec, Action::Targets, Action::Events, Action::Describe, Action::Json, Action::Copy, Action::ProblemsOnly],
};

const COLUMNS: &[Column<TaskRow>] = &[
    Column { key: 's', title: "STATE", width: Width::Fit(9, 18), right: false, rank: 0, cell: state, sort: |row, _| Key::Number(order(row)) },
    Column { key: 'i', title: "TASK", width: Width::Fixed(8), right: false, rank: 0, cell: |row, _| plain(short(&row.task.arn)), sort: |row, _| Key::Text(row.task.arn.name().into()) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(8, 28), right: false, rank: 6, cell: |row, _| plain(row.task.service().unwrap_or(&row.task.group)).with_its_end(), sort: |row, _| Key::Text(row.task.group.clone()) },
    Column { key: 'r', title: "REV", width: Width::Fixed(5), right: true, rank: 1, cell: |row, _| revision(row), sort: |row, _| Key::Number(-revision_number(&row.task)) },
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 4, cell: |row, _| container_health(&row.task), sort: |row, _| Key::Text(row.task.health.clone()) },
    Column { key: 'l', title: "TARGET", width: Width::Fit(7, 11), right: false, rank: 3, cell: |row, _| target(row), sort: |row, _| Key::Text(target(row).text.into()) },
    Column { key: 'z', title: "AZ", width: Width::Fixed(2), right: false, rank: 7, cell: |row, _| dim(zone(row.task.zone.as_deref())), sort: |row, _| Key::Text(zone(row.task.zone.as_deref()).into()) },
    Column { key: 'p', title: "IP", width: Width::Fixed(15), right: false, rank: 8, cell: |row, _| dim(row.task.ip.as_deref().unwrap_or("-")), sort: |row, _| Key::Text(row.task.ip.clone().unwrap_or_default()) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 2, cell: age, sort: |row, _| Key::Number(-moment(&row.task).map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'e', title: "EXIT", width: Width::Fixed(4), right: true, rank: 2, cell: |row, _| exit(row), sort: |row, _| Key::Text(exit_codes(&row.task).into()) },
    Column { key: 'w', title: "STOP REASON", width: Width::Fill(20), right: false, rank: 1, cell: |row, _| reason(row), sort: |row, _| Key::Text(row.task.stopped_reason.clone().unwrap_or_default()) },
];

fn scope(place: &Place, between: &str, cx: &Cx) -> String {
    let cluster = place.cluster.as_ref().map_or("?", Arn::name);
    match (&place.service, &place.instance) {
        (Some(service), _) => format!("{cluster}{between}{}", service.name()),
        (None, Some(arn)) => {
            let instances = place.ctx.zip(place.cluster.as_ref()).and_then(|(ctx, cluster)| cx.store.instances(ctx, cluster));
            let known = instances.unwrap_or_default().iter().find(|instance| instance.arn == *arn);
            format!("{cluster}{between}{}", known.and_then(|instance| instance.ec2_instance.as_deref()).unwrap_or_else(|| arn.name()))
        }
        (None, None) => cluster.to_owned(),
    }
}

/// The first eight characters of a task's id: enough to tell tasks apart, few enough to say aloud.
#[must_use]
pub fn short(task: &Arn) -> &str {
    let id = task.name();
    id.get(..8).unwrap_or(id)
}

fn moment(task: &Task) -> Option<crate::model::Time> {
    task.stopped_at.or(task.started_at).or(task.created_at)
}

/// Running first, then what is starting or leaving, then the stopped, newest first.
fn order(row: &TaskRow) -> i64 {
    let group = match row.task.status {
        TaskStatus::Stopped => 3,
        TaskStatus::Running => 1,
        _ if row.health == Health::Roll => 0,
        _ => 2,
    };
    // Epoch seconds stay below 2^33 for centuries.
    (group << 34) - moment(&row.task).map_or(0, jiff::Timestamp::as_second)
}

/// The status, of a stopped task with how long ago it stopped: its age would say something else than that of the others.
fn state<'a>(row: &'a TaskRow, cx: &Cx<'a>) -> Cell<'a> {
    let ago = row.task.stopped_at.filter(|_| row.task.stopped()).map_or(String::new(), |at| format!(" {}", age::since(Some(at), cx.now)));
    painted(format!("{} {}{ago}", row.health.glyph(), row.task.status.as_str()), row.health.role())
}

/// Since the start, or since it was made while it starts.
fn age<'a>(row: &'a TaskRow, cx: &Cx<'a>) -> Cell<'a> {
    let began = row.task.started_at.or(row.task.created_at).filter(|_| !row.task.stopped());
    dim(began.map_or("-".to_owned(), |at| age::since(Some(at), cx.now)))
}

fn revision_number(task: &Task) -> i64 {
    task.task_definition.name().rsplit(':').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

/// An older revision than the service asks for is dimmed: it is on its way out, or was.
fn revision(row: &TaskRow) -> Cell<'_> {
    let number = row.task.task_definition.name().rsplit(':').next().unwrap_or("?");
    if row.newest { plain(number) } else { dim(number) }
}

fn container_health(task: &Task) -> Cell<'_> {
    match &*task.health {
        // AWS keeps the last word on a container that is gone.
        _ if task.stopped() => dim("-"),
        "HEALTHY" => painted("healthy", Role::Ok),
        "UNHEALTHY" => painted("unhealthy", Role::Fail),
        // UNKNOWN is normal where no health check is defined.
        _ => dim("-"),
    }
}

fn target(row: &TaskRow) -> Cell<'_> {
    match &row.target {
        Some((_, t)) => painted(t.state.as_str(), verdict::target(t, None).health.role()),
        None => dim("-"),
    }
}

fn zone(zone: Option<&str>) -> &str {
    zone.and_then(|z| z.get(z.len().saturating_sub(1)..)).unwrap_or("-")
}

fn exit(row: &TaskRow) -> Cell<'_> {
    // Of several containers the code of the one that ended the task: the others were only told to stop.
    let worst = verdict::culprit(&row.task, None).and_then(|c| c.exit_code);
    let role = if row.health == Health::Fail { Role::Fail } else { Role::Dim };
    worst.map_or_else(|| dim(""), |code| painted(code.to_string(), role))
}

fn reason(row: &TaskRow) -> Cell<'_> {
    if row.task.stopped_reason.is_none() && row.task.stopping_at.is_none() && !row.task.stopped() {
        return dim("");
    }
    let role = if row.health == Health::Fail { Role::Text } else { Role::Dim };
    let told = verdict::stop_sentence(&row.task);
    // Errors within errors tell the cause last.
    let nested = told.matches(": ").count() > 1;
    let cell = painted(if row.kept { format!("kept, AWS lists it no more · {told}") } else { told }, role);
    if nested { cell.with_its_end() } else { cell }
}

fn rows(place: &Place, cx: &Cx) -> Vec<TaskRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let service = place.service.as_ref().and_then(|arn| cx.store.service(ctx, cluster, arn));
    let tasks = match &place.service {
        Some(service) => cx.store.tasks_of(ctx, cluster, service.name()),
        None => cx.store.tasks(ctx, cluster).unwrap_or_default(),
    };
    let groups = service.map(|s| s.target_groups()).unwrap_or_default();
    let row = |task: &Arc<Task>| TaskRow {
        ctx,
        health: verdict::task(task, cx.now).health,
        // A dead task has no target: whoever has its address now is another.
        target: if task.stopped() { None } else { super::targets::target_of(ctx, cluster, task, &groups, cx) },
        newest: service.is_none_or(|s| s.task_definition == task.task_definition),
        sides: groups.len() > 1,
        task: task.clone(),
        kept: false,
    };
    let kept = kept(place, cx).map(|task| TaskRow { kept: true, ..row(task) });
    let on_it = |row: &TaskRow| place.instance.is_none() || row.task.instance == place.instance;
    tasks.iter().map(row).chain(kept).filter(on_it).collect()
}

/// Stopped tasks of the place that AWS has forgotten.
fn kept<'a>(place: &'a Place, cx: &Cx<'a>) -> impl Iterator<Item = &'a Arc<Task>> + use<'a> {
    let (name, instance) = (place.service.as_ref().map(Arn::name), place.instance.as_ref());
    let all = place.cluster.as_ref().into_iter().flat_map(|cluster| cx.store.kept(cluster));
    all.filter(move |task| (name.is_none() || task.service() == name) && (instance.is_none() || task.instance.as_ref() == instance))
}

fn subject(place: &Place, row: &TaskRow) -> Subject {
    let task = &row.task;
    let cluster = place.cluster.clone().unwrap_or_else(|| task.cluster.clone());
    let service = place.service.clone().or_else(|| task.service().map(|name| service_arn(&task.arn, &cluster, name)));
    let cli = format!("aws ecs describe-tasks --region {} --cluster {} --tasks {}", task.arn.region(), cluster.name(), task.arn.name());
    let mut copies = vec![('n', "id", task.arn.name().to_owned()), ('a', "ARN", task.arn.to_string()), ('t', "task definition", task.task_definition.to_string()), ('c', "AWS CLI line", cli)];
    if let Some(ip) = &task.ip {
        copies.push(('p', "IP address", ip.to_string()));
    }
    if let Some(reason) = &task.stopped_reason {
        copies.push(('r', "stop reason", reason.to_string()));
    }
    Subject { place: Place { ctx: Some(row.ctx), cluster: Some(cluster), service, task: Some(task.arn.clone()), ..Place::default() }, copies, ghost: false }
}

/// The service's ARN from its task's: same partition, region and account.
fn service_arn(task: &Arn, cluster: &Arn, name: &str) -> Arn {
    let head = task.as_str().split(":task/").next().unwrap_or_default();
    Arn(format!("{head}:service/{}/{name}", cluster.name()).into())
}

fn empty(place: &Place, cx: &Cx) -> String {
    let wanted = place.ctx.zip(place.cluster.as_ref()).zip(place.service.as_ref()).and_then(|((ctx, cluster), s)| cx.store.service(ctx, cluster, s)).map(|s| s.desired);
    match wanted {
        Some(0) => "no tasks: the desired count is 0".to_owned(),
        Some(n) => format!("no tasks, though {n} are desired; stopped ones are forgotten by AWS after an hour · e events says why"),
        None => "no tasks".to_owned(),
    }
}

fn wanted(place: &Place, cx: &Cx, _: &[&TaskRow], _: Option<&TaskRow>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
    out.push(Wanted::Poll { feed: Feed::Tasks(ctx, cluster.clone()), focus: true });
    if let Some(arn) = &place.service {
        out.push(Wanted::Poll { feed: Feed::Service(ctx, arn.clone()), focus: true });
        if let Some(service) = cx.store.service(ctx, cluster, arn) {
            want_service(ctx, service, true, out);
            want_all_targets(ctx, service, true, out);
            super::targets::want_instances(ctx, cluster, service, cx, out);
        }
    }
}

fn preview(row: &TaskRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let task = &row.task;
    let label = |word: &'static str| Span::styled(format!("{word:<7}"), cx.theme.style(Role::Dim));
    let verdict = verdict::task(task, cx.now);
    let mut lines = frame::why(label("why"), &verdict, width, cx.theme);
    let containers = task.containers.iter().map(|c| {
        let exit = c.exit_code.map_or(String::new(), |code| format!(" exit {code}"));
        format!("{} {}{exit}", c.name, c.status.to_lowercase())
    });
    lines.push(Line::from(vec![label("holds"), Span::styled(containers.collect::<Vec<_>>().join(" · "), cx.theme.style(Role::Text))]));
    if let Some((group, t)) = row.target.as_ref().filter(|(_, t)| row.sides || t.state != TargetState::Healthy) {
        let of = if row.sides { format!(" in {}", group.target_group_name()) } else { String::new() };
        let role = if t.state == TargetState::Healthy { Role::Text } else { Role::Warn };
        let told = format!("{}:{}{of} {} {}", t.id, t.port, t.state.as_str(), verdict::target(t, None).why);
        lines.extend(frame::labelled(label("target"), &told, width, role, cx.theme));
    } else if let Some(at) = task.started_at {
        lines.push(Line::from(vec![label("since"), Span::styled(format!("started {}", age::clock(at, cx)), cx.theme.style(Role::Dim))]));
    }
    lines
}
