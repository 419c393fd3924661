//! CloudWatch alarms of a context or of one service: state, what they compare, and whether they fail deployments or scale.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Alarm, Arn, Ctx, Service, Str};
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
    name: "alarms",
    help: "CloudWatch alarms of a context, a cluster or a service",
    action: Some(Action::Alarms),
    open: |place, cx| match place.ctx.or(if cx.fleet.0.len() == 1 { Some(Ctx(0)) } else { None }) {
        Some(ctx) => {
            let place = Place { ctx: Some(ctx), task: None, container: None, target_group: None, ..place.clone() };
            let one = place.service.is_some();
            let table = TableView::open(&SPEC, place);
            Ok(Box::new(if one { table.without("SERVICE") } else { table }))
        }
        None => Err("Alarms need a context: put the cursor on a cluster or a service of it".to_owned()),
    },
};

/// An alarm with what it is for.
pub struct AlarmRow {
    alarm: Alarm,
    /// Service that it is about, when it names one.
    service: Option<Str>,
    purpose: Purpose,
    health: Health,
}

/// What an alarm sets off, as far as services tell.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Deployment,
    ScaleOut,
    ScaleIn,
    Other,
}

impl Purpose {
    fn word(self) -> &'static str {
        match self {
            Purpose::Deployment => "deployments",
            Purpose::ScaleOut => "scaling out",
            Purpose::ScaleIn => "scaling in",
            Purpose::Other => "",
        }
    }
}

const SPEC: TableSpec<AlarmRow> = TableSpec {
    name: "alarms",
    crumb: |place, cx| {
        let scope: Vec<&str> = [place.cluster.as_ref(), place.service.as_ref()].into_iter().flatten().map(Arn::name).collect();
        if scope.is_empty() { format!("{} › alarms", place.ctx.map_or("?", |ctx| &cx.fleet.context(ctx).name)) } else { format!("{} › alarms", scope.join(" › ")) }
    },
    title: |place, cx| {
        let scope = place.service.as_ref().or(place.cluster.as_ref()).map_or_else(|| place.ctx.map_or("?", |ctx| &cx.fleet.context(ctx).name), |arn| arn.name());
        format!("Alarms {scope} ·")
    },
    columns: COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        let Some(ctx) = place.ctx else { return };
        out.push(Wanted::Poll { feed: all(ctx), focus: true });
        if let Some(cluster) = &place.cluster {
            out.push(Wanted::Poll { feed: Feed::Services(ctx, cluster.clone()), focus: false });
            out.push(Wanted::Poll { feed: Feed::ScalingPolicies(ctx), focus: false });
        }
    },
    rows,
    // An alarm's ARN ends in its name, slashes and all.
    id: |row| row.alarm.arn.clone(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {}", row.alarm.name, row.alarm.rule, row.service.as_deref().unwrap_or("")),
    subject: |place, row, _| Subject { place: place.clone(), copies: vec![('n', "name", row.alarm.name.to_string()), ('a', "ARN", row.alarm.arn.to_string())], ghost: false },
    enter: "events",
    preview: Some(Preview { title: |row| format!("alarm {}", row.alarm.name), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |place, _| match &place.service {
        Some(service) => format!("no alarm names {}: neither by its dimensions, nor its deployments, nor its scaling policies", service.name()),
        None => "no alarms here".to_owned(),
    },
    sources: |place, _| place.ctx.map(all).into_iter().collect(),
    hints: &[Action::Filter, Action::ProblemsOnly, Action::Order, Action::Copy],
};

const COLUMNS: &[Column<AlarmRow>] = &[
    Column { key: 'h', title: "STATE", width: Width::Fit(8, 19), right: false, rank: 0, cell: |row, _| painted(format!("{} {}", row.health.glyph(), row.alarm.state), row.health.role()), sort: |row, _| Key::Both(row.health as i64, row.alarm.name.clone()) },
    Column { key: 'n', title: "ALARM", width: Width::Fit(12, 56), right: false, rank: 0, cell: |row, _| plain(shown(&row.alarm.name)).with_its_end(), sort: |row, _| Key::Text(row.alarm.name.clone()) },
    Column { key: 'a', title: "SINCE", width: Width::Fixed(6), right: true, rank: 1, cell: |row, cx| dim(age::since(row.alarm.since, cx.now)), sort: |row, _| Key::Number(-row.alarm.since.map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(8, 30), right: false, rank: 3, cell: |row, _| dim(row.service.as_deref().unwrap_or("-")).with_its_end(), sort: |row, _| Key::Text(row.service.clone().unwrap_or_default()) },
    Column { key: 'p', title: "FOR", width: Width::Fixed(11), right: false, rank: 2, cell: purpose, sort: |row, _| Key::Text(row.purpose.word().into()) },
    Column { key: 'r', title: "COMPARES", width: Width::Fill(20), right: false, rank: 2, cell: |row, _| dim(&*row.alarm.rule), sort: |row, _| Key::Text(row.alarm.rule.clone()) },
];

/// The feed of all alarms of a context.
fn all(ctx: Ctx) -> Feed {
    Feed::Alarms(ctx, Arc::from([]))
}

/// The name without the 36 digits that target tracking ends its alarms' names with: what tells them apart stands before.
fn shown(name: &str) -> &str {
    let cut = name.len().checked_sub(37).filter(|_| name.starts_with("TargetTracking-"));
    let end = cut.and_then(|at| name.split_at_checked(at)).filter(|(_, end)| end.bytes().enumerate().all(|(n, b)| if matches!(n, 0 | 9 | 14 | 19 | 24) { b == b'-' } else { b.is_ascii_hexdigit() }));
    end.map_or(name, |(head, _)| head)
}

fn purpose<'a>(row: &'a AlarmRow, _: &Cx<'a>) -> Cell<'a> {
    match row.purpose {
        _ if !row.alarm.actions_enabled => painted("actions off", Role::Warn),
        Purpose::Deployment => painted(row.purpose.word(), Role::Text),
        other => dim(other.word()),
    }
}

fn rows(place: &Place, cx: &Cx) -> Vec<AlarmRow> {
    let Some(ctx) = place.ctx else { return Vec::new() };
    let services: &[Arc<Service>] = place.cluster.as_ref().and_then(|cluster| cx.store.services(ctx, cluster)).unwrap_or_default();
    let alarms = cx.store.alarms(ctx, &Arc::from([])).unwrap_or_default().iter();
    let row = |alarm: &Alarm| {
        let (service, purpose) = about(ctx, alarm, services, cx);
        AlarmRow { health: judge(alarm, purpose), alarm: alarm.clone(), service, purpose }
    };
    let fits = |row: &AlarmRow| match (&place.service, &place.cluster) {
        (Some(service), _) => row.service.as_deref() == Some(service.name()) && in_cluster(&row.alarm, place),
        (None, Some(_)) => row.alarm.dimension("ClusterName").is_some_and(|_| in_cluster(&row.alarm, place)) || row.service.is_some(),
        (None, None) => true,
    };
    alarms.map(row).filter(fits).collect()
}

fn in_cluster(alarm: &Alarm, place: &Place) -> bool {
    alarm.dimension("ClusterName").is_none_or(|name| place.cluster.as_ref().is_none_or(|cluster| cluster.name() == name))
}

/// The service that an alarm is about, and what it sets off: by the service's own words, its policies', the alarm's dimensions.
fn about(ctx: Ctx, alarm: &Alarm, services: &[Arc<Service>], cx: &Cx) -> (Option<Str>, Purpose) {
    let wired = services.iter().find(|service| service.alarms.contains(&alarm.name));
    if let Some(service) = wired {
        return (Some(service.name.clone()), Purpose::Deployment);
    }
    let policy = cx.store.scaling_policies(ctx).unwrap_or_default().iter().find(|policy| policy.alarms.contains(&alarm.name));
    if let Some(policy) = policy {
        // Target tracking makes two alarms, and the lower one is in ALARM whenever there is little to do.
        let purpose = if alarm.name.contains("AlarmLow") || alarm.rule.contains(" < ") || alarm.rule.contains(" <= ") { Purpose::ScaleIn } else { Purpose::ScaleOut };
        return (policy.resource.rsplit('/').next().map(Str::from), purpose);
    }
    let group = alarm.dimension("TargetGroup");
    let behind = group.and_then(|group| services.iter().find(|service| service.target_groups().iter().any(|arn| arn.as_str().ends_with(group))));
    (alarm.dimension("ServiceName").map(Str::from).or(behind.map(|service| service.name.clone())), Purpose::Other)
}

/// An alarm that scales is at work, not a failure.
fn judge(alarm: &Alarm, purpose: Purpose) -> Health {
    match (&*alarm.state, purpose) {
        ("OK", _) => Health::Ok,
        ("ALARM", Purpose::ScaleIn) | ("INSUFFICIENT_DATA", _) => Health::Idle,
        ("ALARM", Purpose::ScaleOut) => Health::Roll,
        ("ALARM", _) => Health::Fail,
        _ => Health::Unknown,
    }
}

fn preview(row: &AlarmRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let line = |label, text: &str, role| frame::field(label, text, width, role, cx.theme);
    let mut lines = frame::labelled(frame::label("why", cx.theme), row.alarm.reason.as_deref().unwrap_or("no reason told"), width, Role::Text, cx.theme);
    lines.push(line("rule", &row.alarm.rule, Role::Text));
    let dimensions: Vec<String> = row.alarm.dimensions.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let note = match (row.purpose, &*row.alarm.state) {
        (Purpose::Deployment, _) => format!("it fails deployments of {}", row.service.as_deref().unwrap_or("its service")),
        (Purpose::ScaleIn, "ALARM") => "little to do: normal for an alarm that takes tasks away".to_owned(),
        _ => dimensions.join(" "),
    };
    lines.push(line("of", &note, Role::Dim));
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_of_target_tracking_is_shown_without_its_digits() {
        let name = "TargetTracking-service/shop/catalogue-AlarmHigh-0e8f2b1c-5d3e-4a1d-a1dd-2289143a579b";
        assert_eq!(shown(name), "TargetTracking-service/shop/catalogue-AlarmHigh");
        for own in ["TargetTracking-mine", "catalogue-busy-0e8f2b1c-5d3e-4a1d-a1dd-2289143a579b", ""] {
            assert_eq!(shown(own), own);
        }
    }
}
