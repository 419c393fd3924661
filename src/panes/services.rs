//! The services of a cluster: how each is, what it runs, how its targets are, with the reason below.

mod metrics;

use super::Pane;
use super::fleet::evidence::Hurry;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, ImageUri, Service, Str, Target, TargetState};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, health, painted, plain, Cell, Column, Key, Preview, TableSpec, Width};
use crate::verdict::{Began, Health, Judged, Verdict};
use crate::view::{Cx, Place, Subject};
use ratatui::text::{Line, Span};
use std::fmt::Write as _;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "services",
    help: "The services of a cluster",
    action: None,
    open: |place, _| match (&place.ctx, &place.cluster) {
        (Some(_), Some(_)) => Ok(Box::new(metrics::Services::open(Place { service: None, task: None, ..place.clone() }))),
        _ => Err("Services need a cluster: put the cursor on one".to_owned()),
    },
};

const SPEC: TableSpec<Arc<Judged>> = TableSpec {
    name: "services",
    crumb: |place, _| format!("{} › services", place.cluster.as_ref().map_or("?", Arn::name)),
    title: |place, _| format!("Services {} ·", place.cluster.as_ref().map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted,
    rows: |place, cx| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => cx.board.of(ctx, cluster).to_vec(),
        _ => Vec::new(),
    },
    id: |row| row.service.arn.0.clone(),
    health: Some(|row| row.verdict.health),
    haystack: |row| format!("{} {}", row.service.name, row.service.task_definition.name()),
    subject: |_, row, _| subject(row),
    enter: "tasks",
    preview: Some(Preview { title: |row| row.service.name.to_string(), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |_, _| "no services in this cluster".to_owned(),
    sources: |place, _| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => vec![Feed::Services(ctx, cluster.clone())],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::ActionMenu, Action::Logs, Action::Exec, Action::Events, Action::Targets, Action::Describe, Action::Json, Action::ProblemsOnly, Action::Metrics],
};

const COLUMNS: &[Column<Arc<Judged>>] = &[
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 0, cell: judged, sort: |row, _| Key::Both(row.verdict.health as i64, row.service.name.clone()) },
    Column { key: 'n', title: "SERVICE", width: Width::Fit(10, 48), right: false, rank: 0, cell: |row, _| plain(&*row.service.name).with_its_end(), sort: |row, _| Key::Text(row.service.name.clone()) },
    Column { key: 'r', title: "RUN/DES", width: Width::Fixed(8), right: true, rank: 0, cell: |row, _| running(&row.service), sort: |row, _| Key::Number(i64::from(row.service.running) - i64::from(row.service.desired)) },
    Column { key: 'p', title: "PEND", width: Width::Fixed(4), right: true, rank: 5, cell: |row, _| if row.service.pending == 0 { dim("0") } else { painted(row.service.pending.to_string(), Role::Busy) }, sort: |row, _| Key::Number(-i64::from(row.service.pending)) },
    Column { key: 'g', title: "TARGETS", width: Width::Fixed(9), right: false, rank: 1, cell: |row, cx| targets(row, cx), sort: |row, cx| Key::Text(targets(row, cx).text.into()) },
    Column { key: 'd', title: "DEPLOYMENT", width: Width::Fit(12, 22), right: false, rank: 1, cell: |row, cx| deployment(&row.service, cx), sort: |row, _| Key::Number(-newest(&row.service)) },
    Column { key: 't', title: "TASKDEF", width: Width::Fit(10, 40), right: false, rank: 3, cell: |row, _| plain(row.service.task_definition.name()).with_its_end(), sort: |row, _| Key::Text(row.service.task_definition.name().into()) },
    Column { key: 'i', title: "IMAGE TAG", width: Width::Fixed(14), right: false, rank: 6, cell: |row, cx| image_tag(row, cx), sort: |row, cx| Key::Text(image_tag(row, cx).text.into()) },
    Column { key: 'c', title: metrics::CPU, width: Width::Fixed(14), right: false, rank: 0, cell: |row, cx| metrics::cell(row, cx, |m| &m.cpu), sort: |row, cx| metrics::sort(row, cx, |m| &m.cpu) },
    Column { key: 'm', title: metrics::MEMORY, width: Width::Fixed(14), right: false, rank: 0, cell: |row, cx| metrics::cell(row, cx, |m| &m.memory), sort: |row, cx| metrics::sort(row, cx, |m| &m.memory) },
    Column { key: 'k', title: "SCALING", width: Width::Fit(7, 22), right: false, rank: 9, cell: scaling, sort: |row, cx| Key::Text(scaling(row, cx).text.into()) },
    Column { key: 'z', title: "AZ", width: Width::Fit(4, 16), right: false, rank: 9, cell: zones, sort: |row, cx| Key::Text(zones(row, cx).text.into()) },
    Column { key: 'l', title: "LAUNCH", width: Width::Fixed(12), right: false, rank: 8, cell: |row, _| dim(launch(&row.service)), sort: |row, _| Key::Text(launch(&row.service).into()) },
    Column { key: 'a', title: "AGE", width: Width::Fill(6), right: false, rank: 7, cell: |row, cx| dim(age::since(row.service.deployments.first().and_then(|d| d.created_at).or(row.service.created_at), cx.now)), sort: |row, _| Key::Number(-newest(&row.service)) },
];

fn newest(service: &Service) -> i64 {
    service.deployments.first().and_then(|d| d.created_at).or(service.created_at).map_or(0, jiff::Timestamp::as_second)
}

/// What the cursor is on, for every pane that lists services.
#[must_use]
pub fn subject(row: &Judged) -> Subject {
    let s = &row.service;
    let cli = format!("aws ecs describe-services --region {} --cluster {} --services {}", s.arn.region(), row.cluster.name(), s.name);
    Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), service: Some(s.arn.clone()), ..Place::default() },
        copies: vec![('n', "name", s.name.to_string()), ('a', "ARN", s.arn.to_string()), ('t', "task definition", s.task_definition.to_string()), ('c', "AWS CLI line", cli)],
        ghost: false,
    }
}

/// The verdict in a word, once it can be told.
fn judged<'a>(row: &'a Arc<Judged>, cx: &Cx<'a>) -> Cell<'a> {
    if cx.board.undecided(row) { dim("… loading") } else { health(row.verdict.health) }
}

fn running(service: &Service) -> Cell<'static> {
    let role = if service.running < service.desired { Role::Warn } else { Role::Text };
    painted(format!("{}/{}", service.running, service.desired), role)
}

fn launch(service: &Service) -> &str {
    service.launch_type.as_deref().or(service.capacity_providers.first().map(|(name, ..)| &**name)).unwrap_or("-")
}

/// Unhealthy, starting and healthy targets of all groups; `-` without a group, `…` while not asked.
fn targets<'a>(row: &'a Judged, cx: &Cx<'a>) -> Cell<'a> {
    let groups = row.service.target_groups();
    if groups.is_empty() {
        return dim("-");
    }
    let known: Vec<&[Target]> = groups.iter().filter_map(|group| cx.store.targets(row.ctx, group)).collect();
    let counts = counted(known.iter().copied().flatten());
    if known.is_empty() {
        let denied = groups.iter().any(|group| cx.store.error(&Feed::Targets(row.ctx, (*group).clone())).is_some());
        return if denied { painted("?", Role::Stale) } else { dim("…") };
    }
    let text = in_signs(counts);
    let role = if counts[0] > 0 { Role::Fail } else if counts[1] > 0 { Role::Busy } else { Role::Ok };
    if text.is_empty() { painted("none", Role::Warn) } else { painted(text, role) }
}

/// Unhealthy, starting and healthy ones; the idle side of a pair and what leaves count as none of them.
fn counted<'a>(targets: impl Iterator<Item = &'a Target>) -> [usize; 3] {
    let mut counts = [0; 3];
    for target in targets {
        match target.state {
            TargetState::Unhealthy => counts[0] += 1,
            TargetState::Initial => counts[1] += 1,
            TargetState::Healthy => counts[2] += 1,
            _ => {}
        }
    }
    counts
}

/// `2✖ 4●`.
fn in_signs(counts: [usize; 3]) -> String {
    let told = counts.iter().zip(["✖", "◌", "●"]).filter(|(n, _)| **n > 0);
    told.map(|(n, sign)| format!("{n}{sign}")).collect::<Vec<_>>().join(" ")
}

/// Which group has how many of which, where targets of more than one count: the sides of a pair differ while traffic moves.
fn by_group(row: &Judged, cx: &Cx) -> Option<String> {
    let groups = row.service.target_groups();
    let told = groups.iter().filter_map(|group| {
        let signs = in_signs(counted(cx.store.targets(row.ctx, group)?.iter()));
        (!signs.is_empty()).then(|| format!("{} {signs}", group.target_group_name()))
    });
    let told: Vec<String> = told.collect();
    (told.len() > 1).then(|| told.join(" · "))
}

/// Cells of a progress bar.
const BAR: u32 = 7;

/// Progress of a deployment as a bar, or `steady`.
fn deployment<'a>(service: &'a Service, cx: &Cx<'a>) -> Cell<'a> {
    let Some(d) = service.deployments.first() else {
        return task_sets(service, cx);
    };
    let state = d.rollout_state.as_deref().unwrap_or("");
    if state == "FAILED" {
        return painted(format!("{} failed", Health::Fail.glyph()), Role::Fail);
    }
    if state != "IN_PROGRESS" && service.deployments.len() == 1 {
        return painted(format!("{} steady", Health::Ok.glyph()), Role::Ok);
    }
    let full = (d.running * BAR).checked_div(d.desired).unwrap_or(BAR).min(BAR);
    let bar: String = (0..BAR).map(|n| if n < full { '▓' } else { '░' }).collect();
    let since = age::since(d.created_at, cx.now);
    painted(format!("{} {bar} {}/{} {since}", Health::Roll.glyph(), d.running, d.desired), if d.failed > 0 { Role::Fail } else { Role::Busy })
}

/// What another controller makes of the service: steady on one task set, or two of them, with the newer one's part of the traffic.
fn task_sets(service: &Service, cx: &Cx) -> Cell<'static> {
    let newest = service.task_sets.iter().max_by_key(|set| set.created_at);
    match (service.task_sets.len(), newest) {
        (0, _) | (_, None) => dim("-"),
        (1, Some(set)) if set.stability.as_deref() == Some("STEADY_STATE") => painted(format!("{} steady", Health::Ok.glyph()), Role::Ok),
        (1, Some(_)) => plain("1 task set"),
        (n, Some(set)) => {
            let code = set.external_id.as_ref().and_then(|id| cx.fleet.all().find_map(|ctx| cx.store.code_deployment(ctx, &service.arn, id)));
            let weight = code.and_then(|code| code.weight(&set.id)).map(|weight| format!("{weight}% traffic "));
            let words = weight.unwrap_or_else(|| format!("{n} task sets "));
            painted(format!("{} {words}{}", Health::Roll.glyph(), age::since(set.created_at, cx.now)), Role::Busy)
        }
    }
}

/// Tag of the first essential container's image; known once the task definition is.
fn image_tag<'a>(row: &'a Judged, cx: &Cx<'a>) -> Cell<'a> {
    let Some(definition) = cx.store.definition(row.ctx, &row.service.task_definition) else { return dim("…") };
    let container = definition.containers.iter().find(|c| c.essential).or(definition.containers.first());
    container.map_or_else(|| dim("-"), |c| plain(ImageUri::parse(&c.image).short().to_owned()))
}

/// The range within which it scales and what drives it; a count outside of the range, or scaling that is off, is marked.
fn scaling<'a>(row: &'a Arc<Judged>, cx: &Cx<'a>) -> Cell<'a> {
    let Some(range) = super::scaling::range_of(row.ctx, &row.service, cx) else {
        let feed = Feed::ScalableTargets(row.ctx);
        return if cx.store.error(&feed).is_some() { painted("?", Role::Stale) } else if cx.store.scalable_targets(row.ctx).is_none() { dim("…") } else { dim("-") };
    };
    let drivers: Vec<String> = super::scaling::policies_of(row.ctx, &row.service, cx).map(crate::model::ScalingPolicy::driver).collect();
    let off = if range.suspended.words().is_some() { " off" } else { "" };
    let outside = row.service.desired < range.min || row.service.desired > range.max;
    let text = format!("{}{off} {}", super::scaling::range_words(range), drivers.join(" ")).trim_end().to_owned();
    painted(text, if outside || !off.is_empty() { Role::Warn } else { Role::Text })
}

/// Running tasks by availability zone, as the last letter and a count. A zone where other tasks of the cluster run and none of these is
/// marked, unless there are fewer tasks wanted than zones.
fn zones<'a>(row: &'a Arc<Judged>, cx: &Cx<'a>) -> Cell<'a> {
    let zones = cx.store.zones(row.ctx, &row.cluster);
    if zones.is_empty() {
        return dim("-");
    }
    let tasks = cx.store.tasks_of(row.ctx, &row.cluster, &row.service.name);
    let in_zone = |zone: &Str| tasks.iter().filter(|task| !task.stopped() && task.zone.as_ref() == Some(zone)).count();
    let lacks = row.service.desired as usize >= zones.len() && zones.iter().any(|zone| in_zone(zone) == 0);
    let mut text = String::with_capacity(zones.len() * 4);
    for zone in zones {
        let (n, letter) = (in_zone(zone), zone.get(zone.len().saturating_sub(1)..).unwrap_or(zone));
        let sign = if lacks && n == 0 { Health::Warn.glyph() } else { "" };
        let blank = if text.is_empty() { "" } else { " " };
        // A string takes all that is written to it.
        let _ = write!(text, "{blank}{letter}{n}{sign}");
    }
    painted(text, if lacks { Role::Warn } else { Role::Text })
}

fn wanted(place: &Place, cx: &Cx, visible: &[&Arc<Judged>], cursor: Option<&Arc<Judged>>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
    out.push(Wanted::Poll { feed: Feed::Identity(ctx), focus: false });
    out.push(Wanted::Poll { feed: Feed::Services(ctx, cluster.clone()), focus: true });
    out.push(Wanted::Poll { feed: Feed::Tasks(ctx, cluster.clone()), focus: false });
    // A call or two every other minute for the whole context.
    out.push(Wanted::Poll { feed: Feed::ScalableTargets(ctx), focus: false });
    out.push(Wanted::Poll { feed: Feed::ScalingPolicies(ctx), focus: false });
    if let Some(row) = cursor {
        want_service(ctx, &row.service, true, out);
        super::fleet::evidence::want(row, cx, &mut 1, Hurry::Now, out);
    }
    // Target health costs one call a group, so it is asked for what is on screen and no more.
    let mut often = often(visible.iter().map(|row| row.service.target_groups().len()).sum());
    let mut often_too = |row: &Judged| {
        let groups = row.service.target_groups().len();
        let affordable = groups <= often;
        often -= if affordable { groups } else { 0 };
        affordable
    };
    let at_cursor = |row: &Judged| cursor.is_some_and(|c| c.service.arn == row.service.arn);
    // After the cursor's come those where something happens.
    let mut nearest: Vec<&&Arc<Judged>> = visible.iter().collect();
    nearest.sort_by_key(|row| (!at_cursor(row), matches!(row.verdict.health, Health::Ok | Health::Idle)));
    for row in nearest {
        let focus = often_too(row) || at_cursor(row);
        want_all_targets(ctx, &row.service, focus, out);
        if row.service.task_sets.len() > 1 {
            out.extend(super::deployments::code_feeds(ctx, &row.service).into_iter().map(|feed| Wanted::Poll { feed, focus: false }));
        }
        if cx.store.definition(ctx, &row.service.task_definition).is_none() {
            out.push(Wanted::Poll { feed: Feed::TaskDefinition(ctx, row.service.task_definition.clone()), focus: false });
        }
    }
}

/// Of so many target groups on screen, how many may be asked for as often as what is looked at: every four seconds instead of every fifteen.
/// All of them together make 1.6 calls a second at most, up to two dozen groups; what is left of two is for listeners and rules.
fn often(groups: usize) -> usize {
    // In calls a minute: a group takes 4 of the 96 in any case, and 11 more when it is asked often.
    96_usize.saturating_sub(groups * 4) / 11
}

/// Asks for one service oftener than its list.
pub fn want_service(ctx: Ctx, service: &Service, focus: bool, out: &mut Vec<Wanted>) {
    out.push(Wanted::Poll { feed: Feed::Service(ctx, service.arn.clone()), focus });
}

/// Asks for the health of a service's targets.
pub fn want_targets(ctx: Ctx, service: &Service, focus: bool, out: &mut Vec<Wanted>) {
    for group in target_groups(service) {
        out.push(Wanted::Poll { feed: Feed::Targets(ctx, group.clone()), focus });
    }
}

/// The target groups that a service names itself.
pub fn target_groups(service: &Service) -> impl Iterator<Item = &Arn> {
    service.load_balancers.iter().filter_map(|lb| lb.target_group.as_ref())
}

/// The same of both sides of its pairs, and of its task sets.
pub fn want_all_targets(ctx: Ctx, service: &Service, focus: bool, out: &mut Vec<Wanted>) {
    for group in service.target_groups() {
        out.push(Wanted::Poll { feed: Feed::Targets(ctx, group.clone()), focus });
    }
}

/// Whether trouble is older than the newest deployment, where that can be told.
fn began(verdict: &Verdict) -> &'static str {
    match verdict.began.filter(|_| verdict.health.troubled()) {
        Some(Began::Before) => ", before the newest deployment",
        Some(Began::After) => ", with the newest deployment",
        None => "",
    }
}

/// Why the service is as it is, what to look at next, and the last thing that ECS said of it.
#[must_use]
pub fn preview(row: &Judged, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    const LABEL: usize = 7;
    // The next check must find its place in the lowest box.
    const WHY: usize = 3;
    let verdict = &row.verdict;
    let label = |word: &'static str| Span::styled(format!("{word:<LABEL$}"), cx.theme.style(Role::Dim));
    let grace = verdict.grace_until.map_or(String::new(), |at| format!(" · in grace until {}", age::clock(at, cx)));
    let since = verdict.since.map_or(String::new(), |at| format!(" · since {}", age::clock(at, cx)));
    let since = format!("{grace}{since}{}", began(verdict));
    let room = width.saturating_sub(LABEL + 6).max(20);
    let mut lines = Vec::new();
    if cx.board.undecided(row) {
        return vec![Line::from(vec![label("why"), Span::styled("… its tasks are being read", cx.theme.style(Role::Dim))])];
    }
    for (n, part) in frame::cut(&format!("{}{since}", verdict.why), room, WHY).into_iter().enumerate() {
        let glyph = if n == 0 { format!("{} ", verdict.health.glyph()) } else { "  ".to_owned() };
        let first = if n == 0 { "why" } else { "" };
        lines.push(Line::from(vec![label(first), Span::styled(glyph, cx.theme.style(verdict.health.role())), Span::styled(part, cx.theme.style(Role::Text))]));
    }
    let next = verdict.next_line();
    // The keys stand in the last line of the screen too.
    let next = if crate::text::width(&next) > room && !verdict.next.is_empty() { verdict.next.clone() } else { next };
    if !next.is_empty() {
        lines.extend(frame::labelled(label("next"), &next, width, Role::Text, cx.theme));
    }
    if let Some(groups) = by_group(row, cx) {
        lines.extend(frame::labelled(label("groups"), &groups, width, Role::Text, cx.theme));
    }
    if let Some(event) = row.service.events.first() {
        let at = event.at.map_or(String::new(), |at| age::clock(at, cx));
        lines.extend(frame::labelled(label("last"), &format!("{at} {}", event.message), width, Role::Dim, cx.theme));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_target_groups_are_asked_every_four_seconds_and_many_never_cost_two_calls_a_second() {
        for groups in 0..=24_usize {
            // In calls a minute.
            let calls = often(groups) * 15 + groups.saturating_sub(often(groups)) * 4;
            assert!(often(groups) >= groups || calls <= 100, "{groups}: {calls}");
        }
        assert_eq!([1, 6, 10, 20, 24, 40].map(often), [8, 6, 5, 1, 0, 0]);
    }
}
