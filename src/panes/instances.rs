//! The container instances of a cluster: what is left on each, whether its agent answers, and whose tasks it runs.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, ContainerInstance, Ctx, Task};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "instances",
    help: "Container instances: agent, free CPU and memory, ports",
    action: Some(Action::Instances),
    open: |place, _| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => Ok(Box::new(TableView::open(&SPEC, Place { ctx: Some(ctx), cluster: Some(cluster.clone()), ..Place::default() }))),
        _ => Err("Container instances need a cluster: put the cursor on one".to_owned()),
    },
};

/// An instance with the tasks that run on it.
pub struct InstanceRow {
    ctx: Ctx,
    cluster: Arn,
    instance: Arc<ContainerInstance>,
    tasks: Vec<Arc<Task>>,
    health: Health,
}

const SPEC: TableSpec<InstanceRow> = TableSpec {
    name: "instances",
    crumb: |place, _| format!("{} › instances", place.cluster.as_ref().map_or("?", Arn::name)),
    title: |place, _| format!("Container instances {} ·", place.cluster.as_ref().map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
        out.push(Wanted::Poll { feed: Feed::Instances(ctx, cluster.clone()), focus: true });
        out.push(Wanted::Poll { feed: Feed::Tasks(ctx, cluster.clone()), focus: false });
    },
    rows,
    id: |row| row.instance.arn.0.clone(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {}", name(&row.instance), row.instance.arn.name(), services(row).join(" ")),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), instance: Some(row.instance.arn.clone()), ..Place::default() },
        copies: vec![('n', "instance id", name(&row.instance).to_owned()), ('a', "ARN", row.instance.arn.to_string())],
        ghost: false,
    },
    enter: "tasks",
    preview: Some(Preview { title: |row| format!("instance {}", name(&row.instance)), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |_, _| "no container instances: the tasks of this cluster run on Fargate, or nowhere".to_owned(),
    sources: |place, _| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => vec![Feed::Instances(ctx, cluster.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::ActionMenu, Action::Tasks, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<InstanceRow>] = &[
    Column { key: 's', title: "STATUS", width: Width::Fit(8, 24), right: false, rank: 0, cell: status, sort: |row, _| Key::Both(row.health as i64, name(&row.instance).into()) },
    Column { key: 'n', title: "INSTANCE", width: Width::Fit(10, 24), right: false, rank: 0, cell: |row, _| plain(name(&row.instance)), sort: |row, _| Key::Text(name(&row.instance).into()) },
    Column { key: 'g', title: "AGENT", width: Width::Fit(5, 12), right: false, rank: 1, cell: agent, sort: |row, _| Key::Number(i64::from(row.instance.agent_connected)) },
    Column { key: 'k', title: "TASKS", width: Width::Fit(5, 9), right: true, rank: 1, cell: tasks, sort: |row, _| Key::Number(-i64::from(row.instance.running)) },
    Column { key: 'c', title: "CPU FREE", width: Width::Fit(8, 13), right: true, rank: 0, cell: |row, _| left(row.instance.cpu), sort: |row, _| Key::Number(i64::from(row.instance.cpu.0)) },
    Column { key: 'm', title: "MEM FREE", width: Width::Fit(8, 15), right: true, rank: 0, cell: |row, _| left(row.instance.memory), sort: |row, _| Key::Number(i64::from(row.instance.memory.0)) },
    Column { key: 'p', title: "PORTS TAKEN", width: Width::Fit(11, 28), right: false, rank: 2, cell: |row, _| ports(row), sort: |row, _| Key::Number(i64::try_from(row.instance.ports.len()).unwrap_or(0)) },
    Column { key: 'z', title: "AZ", width: Width::Fit(2, 12), right: false, rank: 3, cell: |row, _| dim(row.instance.zone.as_deref().unwrap_or("-")), sort: |row, _| Key::Text(row.instance.zone.clone().unwrap_or_default()) },
    Column { key: 't', title: "TYPE", width: Width::Fit(4, 14), right: false, rank: 4, cell: |row, _| dim(row.instance.instance_type.as_deref().unwrap_or("-")), sort: |row, _| Key::Text(row.instance.instance_type.clone().unwrap_or_default()) },
    Column { key: 'v', title: "PROVIDER", width: Width::Fit(8, 20), right: false, rank: 5, cell: |row, _| dim(row.instance.capacity_provider.as_deref().unwrap_or("-")), sort: |row, _| Key::Text(row.instance.capacity_provider.clone().unwrap_or_default()) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 6, cell: |row, cx| dim(age::since(row.instance.registered_at, cx.now)), sort: |row, _| Key::Number(-row.instance.registered_at.map_or(0, jiff::Timestamp::as_second)) },
];

/// Ports that the ECS agent and SSH hold on every instance: they say nothing about tasks.
const OF_THE_AGENT: [u16; 5] = [22, 2375, 2376, 51678, 51679];

/// The EC2 id; an external instance has none and goes by its container instance's id.
fn name(instance: &ContainerInstance) -> &str {
    instance.ec2_instance.as_deref().unwrap_or_else(|| instance.arn.name())
}

fn status<'a>(row: &'a InstanceRow, _: &Cx<'a>) -> Cell<'a> {
    painted(format!("{} {}", row.health.glyph(), row.instance.status), row.health.role())
}

fn agent<'a>(row: &'a InstanceRow, _: &Cx<'a>) -> Cell<'a> {
    if !row.instance.agent_connected {
        return painted("disconnected", Role::Fail);
    }
    dim(row.instance.agent_version.as_deref().unwrap_or("connected"))
}

fn tasks<'a>(row: &'a InstanceRow, _: &Cx<'a>) -> Cell<'a> {
    match row.instance.pending {
        0 => plain(row.instance.running.to_string()),
        pending => painted(format!("{} +{pending}", row.instance.running), Role::Busy),
    }
}

/// What is left of what there is; nearly nothing is a reason why tasks are not placed.
fn left((free, all): (u32, u32)) -> Cell<'static> {
    let role = if all > 0 && u64::from(free) * 10 < u64::from(all) { Role::Warn } else { Role::Text };
    painted(format!("{free}/{all}"), role)
}

fn taken(row: &InstanceRow) -> impl Iterator<Item = u16> + '_ {
    row.instance.ports.iter().copied().filter(|port| !OF_THE_AGENT.contains(port))
}

fn ports(row: &InstanceRow) -> Cell<'static> {
    let ports: Vec<String> = taken(row).map(|port| port.to_string()).collect();
    if ports.is_empty() { dim("-") } else { plain(ports.join(" ")) }
}

/// The services whose tasks it runs, with how many.
fn services(row: &InstanceRow) -> Vec<String> {
    let mut names: Vec<(&str, usize)> = Vec::new();
    for task in &row.tasks {
        let name = task.service().unwrap_or(&task.group);
        match names.iter_mut().find(|(known, _)| *known == name) {
            Some((_, n)) => *n += 1,
            None => names.push((name, 1)),
        }
    }
    names.sort_unstable();
    names.into_iter().map(|(name, n)| if n == 1 { name.to_owned() } else { format!("{name} ×{n}") }).collect()
}

fn judge(instance: &ContainerInstance) -> Health {
    match &*instance.status {
        _ if !instance.agent_connected => Health::Fail,
        "ACTIVE" if instance.health.as_deref() == Some("IMPAIRED") => Health::Warn,
        "ACTIVE" => Health::Ok,
        "DRAINING" | "REGISTERING" | "DEREGISTERING" => Health::Warn,
        "REGISTRATION_FAILED" => Health::Fail,
        _ => Health::Unknown,
    }
}

fn rows(place: &Place, cx: &Cx) -> Vec<InstanceRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let tasks = cx.store.tasks(ctx, cluster).unwrap_or_default();
    let row = |instance: &Arc<ContainerInstance>| InstanceRow {
        ctx,
        cluster: cluster.clone(),
        tasks: tasks.iter().filter(|task| !task.stopped() && task.instance.as_ref() == Some(&instance.arn)).cloned().collect(),
        health: judge(instance),
        instance: instance.clone(),
    };
    cx.store.instances(ctx, cluster).unwrap_or_default().iter().map(row).collect()
}

fn preview(row: &InstanceRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let instance = &row.instance;
    let line = |label, text: &str, role| frame::field(label, text, width, role, cx.theme);
    let mut lines = Vec::new();
    let why = match &*instance.status {
        _ if !instance.agent_connected => "the ECS agent is not in contact: nothing is placed here, and what runs is not watched".to_owned(),
        "DRAINING" => format!("DRAINING: nothing is placed here, its service tasks move away · {} still run", instance.running),
        _ => instance.status_reason.as_deref().unwrap_or_default().to_owned(),
    };
    if !why.is_empty() {
        lines.extend(frame::labelled(frame::label("why", cx.theme), &why, width, row.health.role(), cx.theme));
    }
    let services = services(row);
    lines.push(line("runs", &if services.is_empty() { "nothing".to_owned() } else { services.join(" · ") }, Role::Text));
    let bound: Vec<String> = row
        .tasks
        .iter()
        .flat_map(|task| task.containers.iter().flat_map(move |c| c.bindings.iter().map(move |(inside, host)| (*host, task.service().unwrap_or(&task.group), &c.name, *inside))))
        .map(|(host, service, container, inside)| format!("{host} → {service}/{container}:{inside}"))
        .collect();
    if !bound.is_empty() {
        lines.push(line("ports", &bound.join(" · "), Role::Text));
    }
    let versions = format!("agent {} · Docker {}", instance.agent_version.as_deref().unwrap_or("?"), instance.docker_version.as_deref().unwrap_or("?"));
    lines.push(line("runtime", &versions, Role::Dim));
    lines
}
