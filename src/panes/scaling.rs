//! Scaling: the range of every service and what drives it; of one service, its policies, schedules and what they did lately.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{scaling_resource, Arn, Ctx, ScalableTarget, ScalingActivity, ScalingPolicy, ScheduledAction, Service, Str, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{dim, health_if_any, painted, plain, Cell, Column, Key, Preview, TableSpec, TableView, Width};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "scaling",
    help: "Scaling ranges, policies, schedules and activities",
    action: Some(Action::Scaling),
    open: |place, _| match (place.ctx, &place.cluster, &place.service) {
        (Some(ctx), Some(cluster), None) => Ok(Box::new(TableView::open(&SPEC, Place { ctx: Some(ctx), cluster: Some(cluster.clone()), ..Place::default() }))),
        (Some(_), Some(_), Some(_)) => Ok(Box::new(TableView::open(&OF_ONE, Place { task: None, container: None, target_group: None, ..place.clone() }))),
        _ => Err("Scaling needs a cluster or a service: put the cursor on one".to_owned()),
    },
};

/// A service with what may scale it.
pub struct RangeRow {
    ctx: Ctx,
    cluster: Arn,
    service: Arc<Service>,
    range: Option<ScalableTarget>,
    drivers: Vec<String>,
    schedules: usize,
    last: Option<ScalingActivity>,
}

const SPEC: TableSpec<RangeRow> = TableSpec {
    name: "scaling",
    crumb: |place, _| format!("{} › scaling", place.cluster.as_ref().map_or("?", Arn::name)),
    title: |place, _| format!("Scaling {} ·", place.cluster.as_ref().map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
        out.push(Wanted::Poll { feed: Feed::Services(ctx, cluster.clone()), focus: true });
        for feed in [Feed::ScalableTargets(ctx), Feed::ScalingPolicies(ctx), Feed::ScheduledActions(ctx), Feed::ScalingActivities(ctx, None)] {
            out.push(Wanted::Poll { feed, focus: true });
        }
    },
    rows: ranges,
    id: |row| row.service.arn.0.clone(),
    health: Some(RangeRow::health),
    haystack: |row| format!("{} {}", row.service.name, row.drivers.join(" ")),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), service: Some(row.service.arn.clone()), ..Place::default() },
        copies: vec![('n', "name", row.service.name.to_string()), ('a', "ARN", row.service.arn.to_string())],
        ghost: false,
    },
    enter: "scaling",
    preview: Some(Preview { title: |row| row.service.name.to_string(), lines: |_, row, width, cx| range_preview(row, width, cx) }),
    empty: |_, _| "no services in this cluster".to_owned(),
    sources: |place, _| match (place.ctx, &place.cluster) {
        (Some(ctx), Some(cluster)) => vec![Feed::Services(ctx, cluster.clone()), Feed::ScalableTargets(ctx), Feed::ScalingPolicies(ctx), Feed::ScheduledActions(ctx), Feed::ScalingActivities(ctx, None)],
        _ => Vec::new(),
    },
    hints: &[Action::Open, Action::Tasks, Action::Events, Action::Describe, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<RangeRow>] = &[
    Column { key: 'n', title: "SERVICE", width: Width::Fit(10, 44), right: false, rank: 0, cell: |row, _| plain(&*row.service.name).with_its_end(), sort: |row, _| Key::Both(row.health() as i64, row.service.name.clone()) },
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 3, cell: |row, _| health_if_any(row.range.is_some().then(|| row.health())), sort: |row, _| Key::Number(row.health() as i64) },
    Column { key: 'w', title: "DESIRED", width: Width::Fixed(7), right: true, rank: 0, cell: |row, _| painted(row.service.desired.to_string(), if row.outside() { Role::Warn } else { Role::Text }), sort: |row, _| Key::Number(i64::from(row.service.desired)) },
    Column { key: 'r', title: "RANGE", width: Width::Fixed(8), right: false, rank: 0, cell: |row, _| row.range.as_ref().map_or_else(|| dim("-"), |range| plain(range_words(range))), sort: |row, _| Key::Number(row.range.as_ref().map_or(-1, |range| i64::from(range.max))) },
    Column { key: 'd', title: "DRIVEN BY", width: Width::Fit(9, 40), right: false, rank: 0, cell: |row, _| plain(row.drivers.join(" · ")), sort: |row, _| Key::Text(row.drivers.join(" ").into()) },
    Column { key: 's', title: "SUSPENDED", width: Width::Fit(9, 24), right: false, rank: 1, cell: |row, _| row.suspended().map_or_else(|| dim("-"), |words| painted(words, Role::Warn)), sort: |row, _| Key::Text(row.suspended().unwrap_or("").into()) },
    Column { key: 'k', title: "SCHED", width: Width::Fixed(5), right: true, rank: 5, cell: |row, _| if row.schedules == 0 { dim("-") } else { plain(row.schedules.to_string()) }, sort: |row, _| Key::Number(-i64::try_from(row.schedules).unwrap_or(0)) },
    Column { key: 'a', title: "LAST ACTIVITY", width: Width::Fill(20), right: false, rank: 2, cell: |row, cx| last(row, cx), sort: |row, _| Key::Number(-row.last.as_ref().and_then(|a| a.started_at).map_or(0, jiff::Timestamp::as_second)) },
];

impl RangeRow {
    /// The count that ECS was told lies outside the range: Application Auto Scaling will move it when it next acts.
    fn outside(&self) -> bool {
        self.range.as_ref().is_some_and(|range| self.service.desired < range.min || self.service.desired > range.max)
    }

    fn at_most(&self) -> bool {
        self.range.as_ref().is_some_and(|range| self.service.desired == range.max && range.max > range.min)
    }

    fn suspended(&self) -> Option<&'static str> {
        self.range.as_ref()?.suspended.words()
    }

    fn health(&self) -> Health {
        let failed = self.last.as_ref().is_some_and(|activity| &*activity.status == "Failed");
        match &self.range {
            None => Health::Idle,
            Some(_) if failed || self.outside() || self.at_most() || self.suspended().is_some() => Health::Warn,
            Some(_) => Health::Ok,
        }
    }
}

/// `2–15`.
#[must_use]
pub fn range_words(range: &ScalableTarget) -> String {
    format!("{}–{}", range.min, range.max)
}

/// The range of a service, as its cluster and name make its resource id.
#[must_use]
pub fn range_of<'a>(ctx: Ctx, service: &Service, cx: &Cx<'a>) -> Option<&'a ScalableTarget> {
    let targets = cx.store.scalable_targets(ctx).filter(|targets| !targets.is_empty())?;
    of_resource(targets, &scaling_resource(service.cluster.name(), &service.name), |target| &target.resource).first()
}

/// The policies of a service.
pub fn policies_of<'a>(ctx: Ctx, service: &Service, cx: &Cx<'a>) -> impl Iterator<Item = &'a ScalingPolicy> + use<'a> {
    let resource = scaling_resource(service.cluster.name(), &service.name);
    of_resource(cx.store.scaling_policies(ctx).unwrap_or_default(), &resource, |policy| &policy.resource).iter()
}

/// The rows of one resource: all lists of a context come sorted by resource, and this is asked for every row of a table.
fn of_resource<'a, R>(rows: &'a [R], resource: &str, of: fn(&R) -> &Str) -> &'a [R] {
    let from = rows.partition_point(|row| **of(row) < *resource);
    let rows = &rows[from..];
    &rows[..rows.partition_point(|row| **of(row) == *resource)]
}

fn last<'a>(row: &'a RangeRow, cx: &Cx<'a>) -> Cell<'a> {
    let Some(activity) = &row.last else { return dim("-") };
    let role = if &*activity.status == "Failed" { Role::Fail } else { Role::Dim };
    painted(format!("{} ago · {}", age::since(activity.started_at, cx.now), activity.description), role)
}

fn ranges(place: &Place, cx: &Cx) -> Vec<RangeRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let row = |service: &Arc<Service>| {
        let resource: Str = scaling_resource(service.cluster.name(), &service.name).into();
        let mut activities = cx.store.scaling_activities(ctx, None).unwrap_or_default().iter();
        RangeRow {
            ctx,
            cluster: cluster.clone(),
            range: range_of(ctx, service, cx).cloned(),
            drivers: policies_of(ctx, service, cx).map(ScalingPolicy::driver).collect(),
            schedules: of_resource(cx.store.scheduled_actions(ctx).unwrap_or_default(), &resource, |action| &action.resource).len(),
            last: activities.find(|activity| activity.resource == resource && activity.not_scaled.is_empty()).cloned(),
            service: service.clone(),
        }
    };
    cx.store.services(ctx, cluster).unwrap_or_default().iter().map(row).collect()
}

fn range_preview(row: &RangeRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let line = |label, text: &str, role| frame::field(label, text, width, role, cx.theme);
    let mut lines = Vec::new();
    let Some(range) = &row.range else {
        return vec![line("range", "none: nothing but its desired count decides", Role::Text)];
    };
    let words = range_words(range);
    let why = if row.outside() {
        Some(format!("desired {}, outside {words}: scaling will move it into the range when it next acts", row.service.desired))
    } else if row.at_most() {
        Some(format!("at its most: {} of {words}; more load finds no more tasks", row.service.desired))
    } else {
        None
    };
    lines.extend(why.map(|why| line("why", &why, Role::Warn)));
    lines.extend(row.suspended().map(|words| line("off", &format!("{words} suspended"), Role::Warn)));
    lines.push(line("range", &format!("{words} · driven by {}", if row.drivers.is_empty() { "nothing".to_owned() } else { row.drivers.join(" · ") }), Role::Text));
    if row.service.deployments.len() > 1 {
        lines.push(line("note", "scale-in is off while a deployment runs", Role::Dim));
    }
    lines.extend(row.last.as_ref().map(|activity| line("last", &format!("{} · {}", activity.description, activity.cause), Role::Dim)));
    lines
}

/// What scales one service: a policy, a schedule, or something that was done.
pub enum ScalerRow {
    /// A policy.
    Policy(ScalingPolicy),
    /// A schedule.
    Schedule(ScheduledAction),
    /// An activity.
    Activity(ScalingActivity),
}

const OF_ONE: TableSpec<ScalerRow> = TableSpec {
    name: "scaling",
    crumb: |place, _| format!("{} › {} › scaling", place.cluster.as_ref().map_or("?", Arn::name), place.service.as_ref().map_or("?", Arn::name)),
    title: one_title,
    columns: OF_ONE_COLUMNS,
    order: 0,
    wanted: |place, _, _, _, out| {
        let (Some(ctx), Some(service)) = (place.ctx, &place.service) else { return };
        for feed in of_one(ctx, service) {
            out.push(Wanted::Poll { feed, focus: true });
        }
        out.push(Wanted::Poll { feed: Feed::Service(ctx, service.clone()), focus: false });
    },
    rows: scalers,
    id: |row| match row {
        ScalerRow::Policy(policy) => policy.arn.clone(),
        ScalerRow::Schedule(action) => action.arn.clone(),
        ScalerRow::Activity(activity) => activity.id.clone(),
    },
    health: Some(ScalerRow::health),
    haystack: |row| format!("{} {}", row.kind(), row.what()),
    subject: |place, row, _| Subject { place: place.clone(), copies: vec![('n', "text", row.what()), ('w', "cause", row.why())], ghost: false },
    enter: "events",
    preview: Some(Preview {
        title: |row| row.title(),
        lines: |_, row, width, cx| {
            let room = width.saturating_sub(4).max(20);
            let mut lines: Vec<Line<'static>> = frame::wrapped(&row.what(), room).into_iter().map(|part| Line::styled(part, cx.theme.style(Role::Text))).collect();
            lines.extend(frame::wrapped(&row.why(), room).into_iter().map(|part| Line::styled(part, cx.theme.style(Role::Dim))));
            lines
        },
    }),
    empty: |_, _| "nothing scales this service: no policy, no schedule, no activity within six weeks".to_owned(),
    sources: |place, _| match (place.ctx, &place.service) {
        (Some(ctx), Some(service)) => of_one(ctx, service),
        _ => Vec::new(),
    },
    hints: &[Action::Events, Action::Tasks, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const OF_ONE_COLUMNS: &[Column<ScalerRow>] = &[
    Column { key: 'k', title: "KIND", width: Width::Fixed(8), right: false, rank: 0, cell: |row, _| dim(row.kind()), sort: |row, _| Key::Both(row.rank(), (i64::MAX - row.at().map_or(0, jiff::Timestamp::as_second)).to_string().into()) },
    Column { key: 't', title: "TIME", width: Width::Fixed(12), right: false, rank: 0, cell: |row, cx| dim(row.at().map_or(String::new(), |at| age::clock(at, cx))), sort: |row, _| Key::Number(-row.at().map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 's', title: "STATUS", width: Width::Fit(6, 14), right: false, rank: 1, cell: |row, _| painted(row.status(), row.health().role()), sort: |row, _| Key::Text(row.status().into()) },
    Column { key: 'w', title: "WHAT", width: Width::Fit(16, 48), right: false, rank: 0, cell: |row, _| plain(row.what()), sort: |row, _| Key::Text(row.what().into()) },
    Column { key: 'c', title: "CAUSE", width: Width::Fill(16), right: false, rank: 2, cell: |row, _| dim(row.why()), sort: |row, _| Key::Text(row.why().into()) },
];

impl ScalerRow {
    fn title(&self) -> String {
        match self {
            ScalerRow::Policy(policy) => format!("policy {}", policy.name),
            ScalerRow::Schedule(action) => format!("schedule {}", action.name),
            ScalerRow::Activity(_) => "scaling activity".to_owned(),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            ScalerRow::Policy(_) => "policy",
            ScalerRow::Schedule(_) => "schedule",
            ScalerRow::Activity(_) => "activity",
        }
    }

    fn rank(&self) -> i64 {
        match self {
            ScalerRow::Policy(_) => 0,
            ScalerRow::Schedule(_) => 1,
            ScalerRow::Activity(_) => 2,
        }
    }

    fn at(&self) -> Option<Time> {
        if let ScalerRow::Activity(activity) = self { activity.started_at } else { None }
    }

    fn status(&self) -> String {
        match self {
            ScalerRow::Activity(activity) => activity.status.to_string(),
            ScalerRow::Policy(policy) if policy.never_in => "out only".to_owned(),
            _ => String::new(),
        }
    }

    fn health(&self) -> Health {
        match self {
            ScalerRow::Activity(activity) => match &*activity.status {
                "Successful" => Health::Ok,
                "Failed" => Health::Fail,
                "InProgress" | "Pending" => Health::Roll,
                _ => Health::Idle,
            },
            _ => Health::Idle,
        }
    }

    fn what(&self) -> String {
        match self {
            ScalerRow::Policy(policy) if policy.target.is_none() => format!("{} · {}", policy.name, policy.driver()),
            ScalerRow::Policy(policy) => format!("{} · keeps {}", policy.name, policy.driver()),
            ScalerRow::Schedule(action) => {
                let part = |word: &str, n: Option<u32>| n.map_or(String::new(), |n| format!(" {word} {n}"));
                format!("{} · {} {}{}{}", action.name, action.schedule, action.zone.as_deref().unwrap_or("UTC"), part("min", action.min), part("max", action.max))
            }
            ScalerRow::Activity(activity) => activity.description.to_string(),
        }
    }

    fn why(&self) -> String {
        match self {
            ScalerRow::Policy(policy) => {
                let seconds = |word: &str, n: Option<u32>| n.map_or(String::new(), |n| format!("{word} at most every {n}s · "));
                // Bounds of steps are told by AWS as distances from the alarm's threshold.
                let from = if policy.steps.iter().any(|step| step.contains(" from ")) { "from: beyond the alarm's threshold · " } else { "" };
                let alarms = if policy.alarms.is_empty() { "no alarm".to_owned() } else { format!("alarms {}", policy.alarms.join(" ")) };
                format!("{from}{}{}{alarms}", seconds("out", policy.cooldowns.0), seconds("in", policy.cooldowns.1))
            }
            ScalerRow::Schedule(_) => String::new(),
            ScalerRow::Activity(activity) => {
                let parts = [activity.not_scaled.join(", "), activity.cause.to_string(), activity.message.as_deref().unwrap_or_default().to_owned()];
                parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
            }
        }
    }
}

fn resource(service: &Arn) -> Str {
    scaling_resource(service.cluster_name().unwrap_or("default"), service.name()).into()
}

fn of_one(ctx: Ctx, service: &Arn) -> Vec<Feed> {
    vec![Feed::ScalingPolicies(ctx), Feed::ScheduledActions(ctx), Feed::ScalingActivities(ctx, Some(resource(service))), Feed::ScalableTargets(ctx)]
}

/// The range and what is off, for they concern every row.
fn one_title(place: &Place, cx: &Cx) -> String {
    let (Some(ctx), Some(cluster), Some(arn)) = (place.ctx, &place.cluster, &place.service) else { return "Scaling ·".to_owned() };
    let Some(service) = cx.store.service(ctx, cluster, arn) else { return format!("Scaling {} ·", arn.name()) };
    let range = match (cx.store.scalable_targets(ctx), range_of(ctx, service, cx)) {
        (_, Some(range)) => format!(" {}", range_words(range)),
        (Some(_), None) => " no range".to_owned(),
        (None, None) => String::new(),
    };
    let off = range_of(ctx, service, cx).and_then(|range| range.suspended.words()).map_or(String::new(), |words| format!(" · {words} suspended"));
    format!("Scaling {}{range} · desired {}{off} ·", arn.name(), service.desired)
}

fn scalers(place: &Place, cx: &Cx) -> Vec<ScalerRow> {
    let (Some(ctx), Some(arn)) = (place.ctx, &place.service) else { return Vec::new() };
    let resource = resource(arn);
    let policies = cx.store.scaling_policies(ctx).unwrap_or_default().iter().filter(|policy| policy.resource == resource);
    let schedules = cx.store.scheduled_actions(ctx).unwrap_or_default().iter().filter(|action| action.resource == resource);
    let activities = cx.store.scaling_activities(ctx, Some(&resource)).unwrap_or_default().iter();
    let policies = policies.cloned().map(ScalerRow::Policy);
    policies.chain(schedules.cloned().map(ScalerRow::Schedule)).chain(activities.cloned().map(ScalerRow::Activity)).collect()
}
