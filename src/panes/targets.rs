//! Target health: every registered target beside the task that it is, and the targets that are no task at all.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Route, Service, Target, TargetState, Task, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::{self, Health, Verdict};
use crate::view::{Cx, Place, Subject};
use ratatui::text::{Line, Span};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "targets",
    help: "Health of a service's load balancer targets, joined to its tasks",
    action: Some(Action::Targets),
    open: |place, cx| {
        let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else {
            return Err("Target health needs a service: put the cursor on one".to_owned());
        };
        match cx.store.service(ctx, cluster, arn) {
            Some(s) if s.load_balancers.is_empty() && s.task_sets.is_empty() => Err(format!("{} has no target group", s.name)),
            service => {
                let table = TableView::open(&SPEC, Place { task: None, ..place.clone() });
                // The title names the group; a column that says it again in every row takes the room of the reason.
                let one = service.is_some_and(|s| s.task_sets.is_empty() && s.load_balancers.len() == 1);
                Ok(Box::new(if one { table.without("GROUP") } else { table }))
            }
        }
    },
};

/// A target with the task behind it.
pub struct TargetRow {
    ctx: Ctx,
    group: Arn,
    target: Target,
    task: Option<Arc<Task>>,
    /// Hosts and paths that lead to its group.
    from: String,
    grace_until: Option<Time>,
    verdict: Verdict,
}

pub(super) const SPEC: TableSpec<TargetRow> = TableSpec {
    name: "targets",
    crumb: |place, _| format!("{} › {} › targets", place.cluster.as_ref().map_or("?", Arn::name), place.service.as_ref().map_or("?", Arn::name)),
    title,
    columns: COLUMNS,
    order: 0,
    wanted,
    rows,
    id: |row| format!("{}/{}:{}", row.group, row.target.id, row.target.port).into(),
    health: Some(|row| row.verdict.health),
    haystack: |row| format!("{} {} {} {}", row.target.id, row.from, row.group.target_group_name(), row.task.as_ref().map_or("", |t| t.arn.name())),
    subject: |place, row, _| Subject {
        place: Place { ctx: Some(row.ctx), task: row.task.as_ref().map(|t| t.arn.clone()), target_group: Some(row.group.clone()), ..place.clone() },
        copies: vec![('n', "address", format!("{}:{}", row.target.id, row.target.port)), ('a', "target group ARN", row.group.to_string())],
        ghost: false,
    },
    enter: "logs",
    preview: Some(Preview { title: |row| format!("target {}:{}", row.target.id, row.target.port), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |place, cx| {
        let groups = groups(place, cx);
        if groups.is_empty() { "no target group".to_owned() } else { "no target is registered: no task is behind this load balancer".to_owned() }
    },
    sources: |place, cx| {
        let Some(ctx) = place.ctx else { return Vec::new() };
        let groups = groups(place, cx);
        let refused = groups.iter().flat_map(|group| load_balancers(ctx, group, cx)).map(|lb| Feed::Routes(ctx, lb)).filter(|feed| cx.store.error(feed).is_some());
        let routes: Vec<Feed> = refused.collect();
        groups.into_iter().map(|group| Feed::Targets(ctx, group)).chain(routes).collect()
    },
    hints: &[Action::Open, Action::Tasks, Action::Events, Action::Describe, Action::Json, Action::Copy],
};

const COLUMNS: &[Column<TargetRow>] = &[
    Column { key: 'h', title: "STATE", width: Width::Fixed(13), right: false, rank: 0, cell: |row, _| state(row), sort: |row, _| Key::Both(row.verdict.health as i64, row.target.id.clone()) },
    Column { key: 't', title: "TARGET", width: Width::Fit(14, 45), right: false, rank: 0, cell: |row, _| plain(format!("{}:{}", row.target.id, row.target.port)).with_its_end(), sort: |row, _| Key::Text(row.target.id.clone()) },
    Column { key: 'i', title: "TASK", width: Width::Fixed(8), right: false, rank: 2, cell: |row, _| row.task.as_ref().map_or_else(|| painted("no task", Role::Warn), |t| plain(super::tasks::short(&t.arn))), sort: |row, _| Key::Text(row.task.as_ref().map_or_else(|| "".into(), |t| t.arn.0.clone())) },
    Column { key: 'v', title: "REV", width: Width::Fixed(5), right: true, rank: 3, cell: |row, _| row.task.as_ref().map_or_else(|| dim("-"), |t| plain(t.task_definition.name().rsplit(':').next().unwrap_or("?"))), sort: |row, _| Key::Text(row.task.as_ref().map_or_else(|| "".into(), |t| t.task_definition.0.clone())) },
    Column { key: 'g', title: "GROUP", width: Width::Fit(8, 32), right: false, rank: 4, cell: |row, _| dim(row.group.target_group_name()), sort: |row, _| Key::Text(row.group.0.clone()) },
    Column { key: 'f', title: "FROM", width: Width::Fit(4, 40), right: false, rank: 6, cell: |row, _| dim(&*row.from), sort: |row, _| Key::Text(row.from.as_str().into()) },
    Column { key: 'z', title: "AZ", width: Width::Fixed(11), right: false, rank: 5, cell: |row, _| dim(row.target.zone.as_deref().unwrap_or("-")), sort: |row, _| Key::Text(row.target.zone.clone().unwrap_or_default()) },
    Column { key: 'u', title: "UP", width: Width::Fixed(6), right: true, rank: 4, cell: |row, cx| dim(age::since(row.task.as_ref().and_then(|t| t.started_at), cx.now)), sort: |row, _| Key::Number(-row.task.as_ref().and_then(|t| t.started_at).map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'r', title: "REASON", width: Width::Fill(20), right: false, rank: 1, cell: reason, sort: |row, _| Key::Text(row.target.reason.clone().unwrap_or_default()) },
];

fn state(row: &TargetRow) -> Cell<'_> {
    let health = row.verdict.health;
    painted(format!("{} {}", health.glyph(), row.target.state.as_str()), health.role())
}

fn reason<'a>(row: &'a TargetRow, cx: &Cx<'a>) -> Cell<'a> {
    if let Some(until) = row.grace_until.filter(|_| row.target.state == TargetState::Unhealthy) {
        return painted(format!("in grace until {} · {}", age::clock(until, cx), row.verdict.why), Role::Busy);
    }
    let role = if row.verdict.health == Health::Fail { Role::Text } else { Role::Dim };
    if row.task.is_none() {
        return painted(format!("{} · {}", nobody(&row.target), row.target.reason.as_deref().unwrap_or_default()).trim_end_matches(" · ").to_owned(), Role::Warn);
    }
    let told = row.target.reason.as_deref().unwrap_or("");
    match (&row.target.description, told) {
        (Some(description), "") => painted(&**description, role),
        (Some(description), _) => painted(format!("{told} · {description}"), role),
        (None, _) => painted(told, role),
    }
}

/// What a target is that belongs to no task: one that has just gone, or something that no service registered.
fn nobody(target: &Target) -> &'static str {
    match target.state {
        TargetState::Draining | TargetState::UnhealthyDraining => "of no task: what a task left behind, draining",
        _ => "of no task: registered by hand, or its task is gone",
    }
}

/// Load balancers in front of a group, once its settings are known.
fn load_balancers(ctx: Ctx, group: &Arn, cx: &Cx) -> Vec<Arn> {
    cx.store.target_group(ctx, group).map_or_else(Vec::new, |settings| settings.load_balancers.clone())
}

/// The rules that lead to a group; nothing while they are not known.
fn routes<'a>(ctx: Ctx, group: &Arn, cx: &Cx<'a>) -> Option<Vec<&'a Route>> {
    let settings = cx.store.target_group(ctx, group)?;
    let mut found = Vec::new();
    for load_balancer in &settings.load_balancers {
        found.extend(cx.store.routes(ctx, load_balancer)?.iter().filter(|route| route.share(group).is_some()));
    }
    Some(found)
}

/// The hosts and paths that lead to a group, with their share where it is not all.
#[must_use]
pub fn leads_to(ctx: Ctx, group: &Arn, cx: &Cx) -> Option<String> {
    let routes = routes(ctx, group, cx)?;
    let mut words: Vec<String> = Vec::new();
    for route in routes {
        let share = route.share(group).filter(|share| *share < 100).map_or(String::new(), |share| format!(" {share}%"));
        let word = format!("{}{share}", route.address());
        // The same host on 80 and on 443 is one address.
        if !words.contains(&word) {
            words.push(word);
        }
    }
    Some(if words.is_empty() { "nothing leads here".to_owned() } else { words.join(" · ") })
}

fn title(place: &Place, cx: &Cx) -> String {
    let checks = groups(place, cx).into_iter().map(|group| {
        let name = group.target_group_name().to_owned();
        let settings = place.ctx.and_then(|ctx| cx.store.target_group(ctx, &group));
        settings.map_or(name.clone(), |g| {
            let path = g.check_path.as_deref().map_or(String::new(), |path| format!(" {path}"));
            let from = place.ctx.and_then(|ctx| leads_to(ctx, &group, cx)).map_or(String::new(), |from| format!(" ← {from}"));
            format!("{name}{path} every {}s{from}", g.interval_seconds)
        })
    });
    format!("Targets {} ·", checks.collect::<Vec<_>>().join(" · "))
}

/// Target groups of the place's service, those of its task sets included.
fn groups(place: &Place, cx: &Cx) -> Vec<Arn> {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return Vec::new() };
    let Some(service) = cx.store.service(ctx, cluster, arn) else { return place.target_group.iter().cloned().collect() };
    service.target_groups().into_iter().cloned().collect()
}

fn rows(place: &Place, cx: &Cx) -> Vec<TargetRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let service = place.service.as_ref().and_then(|arn| cx.store.service(ctx, cluster, arn));
    let tasks = service.map_or(&[][..], |s| cx.store.tasks_of(ctx, cluster, &s.name));
    let mut rows = Vec::new();
    // A group may hold tasks that the service did not start: those of a twin, or run by hand.
    let others = cx.store.tasks(ctx, cluster).unwrap_or_default();
    for group in groups(place, cx) {
        let from = leads_to(ctx, &group, cx).unwrap_or_default();
        for target in cx.store.targets(ctx, &group).unwrap_or_default() {
            let behind = |tasks: &[Arc<Task>]| tasks.iter().filter(|t| is_behind(ctx, cluster, t, target, cx)).min_by_key(|t| t.stopped()).cloned();
            let task = behind(tasks).or_else(|| behind(others));
            let grace_until = service.and_then(|s| verdict::excused_until(s, task.as_deref(), cx.now));
            let verdict = verdict::target(target, grace_until);
            rows.push(TargetRow { ctx, group: group.clone(), target: target.clone(), task, from: from.clone(), grace_until, verdict });
        }
    }
    rows
}

/// Whether a target is this task: by its address in awsvpc, else by its instance and one of its host ports.
fn is_behind(ctx: Ctx, cluster: &Arn, task: &Task, target: &Target, cx: &Cx) -> bool {
    if task.ip.as_ref() == Some(&target.id) {
        return true;
    }
    let Some(instance) = &task.instance else { return false };
    let instances = cx.store.instances(ctx, cluster).unwrap_or_default();
    let on_it = instances.iter().any(|i| i.arn == *instance && i.ec2_instance.as_ref() == Some(&target.id));
    on_it && task.containers.iter().flat_map(|c| &c.bindings).any(|(_, host)| *host == target.port)
}

/// The target that a task is, with its group out of these; the worst one when it is several. Where it is in none that takes traffic, the
/// idle side of a pair says so.
#[must_use]
pub fn target_of(ctx: Ctx, cluster: &Arn, task: &Task, groups: &[&Arn], cx: &Cx) -> Option<(Arn, Target)> {
    let all = groups.iter().flat_map(|group| cx.store.targets(ctx, group).unwrap_or_default().iter().map(move |target| (*group, target)));
    let own = all.filter(|(_, target)| is_behind(ctx, cluster, task, target, cx));
    own.min_by_key(|(_, t)| verdict::target(t, None).health).map(|(group, target)| (group.clone(), target.clone()))
}

/// Instances are needed to join targets of type `instance`; asked for only where tasks run on instances.
pub fn want_instances(ctx: Ctx, cluster: &Arn, service: &Service, cx: &Cx, out: &mut Vec<Wanted>) {
    if cx.store.tasks_of(ctx, cluster, &service.name).iter().any(|t| t.instance.is_some()) {
        out.push(Wanted::Poll { feed: Feed::Instances(ctx, cluster.clone()), focus: false });
    }
}

fn wanted(place: &Place, cx: &Cx, _: &[&TargetRow], _: Option<&TargetRow>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return };
    out.push(Wanted::Poll { feed: Feed::Service(ctx, arn.clone()), focus: true });
    out.push(Wanted::Poll { feed: Feed::Tasks(ctx, cluster.clone()), focus: true });
    for group in groups(place, cx) {
        out.push(Wanted::Poll { feed: Feed::Targets(ctx, group.clone()), focus: true });
        for load_balancer in load_balancers(ctx, &group, cx) {
            let feed = Feed::Routes(ctx, load_balancer);
            if !out.iter().any(|wanted| *wanted.feed() == feed) {
                out.push(Wanted::Poll { feed, focus: true });
            }
        }
        out.push(Wanted::Poll { feed: Feed::TargetGroup(ctx, group), focus: true });
    }
    if let Some(service) = cx.store.service(ctx, cluster, arn) {
        want_instances(ctx, cluster, service, cx, out);
    }
}

fn preview(row: &TargetRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let text = |text: String, role| Span::styled(text, cx.theme.style(role));
    let label = |word: &'static str| text(format!("{word:<7}"), Role::Dim);
    let mut lines = frame::why(label("why"), &row.verdict, width, cx.theme);
    // What no task stands behind has no program that could be mended.
    let stray = row.task.is_none() && row.verdict.health.troubled();
    let next = if stray { "deregister it, or see who registered it: no task of the service is behind it".to_owned() } else { row.verdict.next_line() };
    if !next.is_empty() {
        lines.push(Line::from(vec![label("next"), text(next, Role::Text)]));
    }
    if let Some(found) = routes(row.ctx, &row.group, cx) {
        let told = |route: &&Route| format!("{} ({} {}:{} rule {})", route.address(), route.load_balancer, route.protocol, route.port, route.priority);
        let from = if found.is_empty() { "no rule of its load balancers leads here".to_owned() } else { found.iter().map(told).collect::<Vec<_>>().join(" · ") };
        let role = if found.is_empty() { Role::Warn } else { Role::Text };
        lines.push(Line::from(vec![label("from"), text(crate::text::fit(&from, width.saturating_sub(12)).into_owned(), role)]));
    }
    if let Some(g) = cx.store.target_group(row.ctx, &row.group) {
        let check = format!(
            "{} {}:{} every {}s, {}s timeout, {} good to be healthy, {} bad to be unhealthy, codes {}",
            g.protocol.as_deref().unwrap_or("?"),
            g.check_path.as_deref().unwrap_or(""),
            g.check_port.as_deref().unwrap_or("?"),
            g.interval_seconds,
            g.timeout_seconds,
            g.healthy_threshold,
            g.unhealthy_threshold,
            g.matcher.as_deref().unwrap_or("-"),
        );
        lines.push(Line::from(vec![label("check"), text(check, Role::Dim)]));
    }
    lines
}
