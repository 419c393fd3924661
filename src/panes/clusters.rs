//! Clusters of all contexts, or of one: counts, and how many of their services are in trouble.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Cluster, Ctx, Str};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{dim, health, painted, plain, Cell, Column, Key, TableSpec, TableView, Width};
use crate::verdict::Health;
use crate::view::{Cx, Place, Production, Subject};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "clusters",
    help: "All clusters of all contexts",
    action: None,
    open: |place, _| Ok(Box::new(TableView::open(&SPEC, Place { ctx: place.ctx, ..Place::default() }))),
};

/// A cluster of the fleet, or a context that cannot list its clusters.
pub struct ClusterRow {
    ctx: Ctx,
    context: Str,
    region: Str,
    account: Str,
    cluster: Arn,
    counts: Option<Arc<Cluster>>,
    health: Health,
    fails: usize,
    warns: usize,
    rolls: usize,
    wanted: u32,
    running: u32,
    pending: u32,
    services: Option<usize>,
    /// What its health rests on has not all been told yet.
    loading: bool,
    trouble: Option<Str>,
}

/// The table, shared with the fleet.
pub const SPEC: TableSpec<ClusterRow> = TableSpec {
    name: "clusters",
    crumb: |_, _| "clusters".to_owned(),
    title: |_, _| "Clusters ·".to_owned(),
    columns: COLUMNS,
    order: 0,
    wanted: |place, cx, visible, _, out| wanted(place, cx, visible, out),
    rows,
    // Two contexts may look into one account.
    id: |row| format!("{}@{}", row.cluster, row.ctx.0).into(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {} {}", row.cluster.name(), row.context, row.region, row.account),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), ..Place::default() },
        copies: vec![('n', "name", row.cluster.name().to_owned()), ('a', "ARN", row.cluster.to_string())],
        ghost: false,
    },
    enter: "services",
    preview: None,
    empty: |_, _| "no clusters here: the answer of AWS is an empty list".to_owned(),
    sources: |place, cx| contexts(place, cx).map(Feed::Clusters).collect(),
    hints: &[Action::Open, Action::Tasks, Action::Events, Action::Describe, Action::Json, Action::Copy],
};

const COLUMNS: &[Column<ClusterRow>] = &[
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 0, cell: |row, _| if row.loading { dim("… loading") } else { health(row.health) }, sort: |row, _| Key::Both(row.health as i64, row.cluster.name().into()) },
    Column { key: 'n', title: "CLUSTER", width: Width::Fit(12, 40), right: false, rank: 0, cell: name, sort: |row, _| Key::Text(row.cluster.name().into()) },
    Column { key: 'c', title: "CONTEXT", width: Width::Fit(8, 24), right: false, rank: 2, cell: |row, _| plain(&*row.context), sort: |row, _| Key::Text(row.context.clone()) },
    Column { key: 'a', title: "ACCOUNT", width: Width::Fixed(12), right: false, rank: 5, cell: |row, _| dim(&*row.account), sort: |row, _| Key::Text(row.account.clone()) },
    Column { key: 'g', title: "REGION", width: Width::Fit(9, 14), right: false, rank: 4, cell: |row, _| dim(&*row.region), sort: |row, _| Key::Text(row.region.clone()) },
    Column { key: 's', title: "SVC", width: Width::Fixed(5), right: true, rank: 1, cell: |row, _| services(row), sort: |row, _| Key::Number(i64::try_from(row.services.unwrap_or(0)).unwrap_or(0)) },
    Column { key: 'f', title: "✖", width: Width::Fixed(3), right: true, rank: 1, cell: |row, _| counted(row, row.fails, Role::Fail), sort: |row, _| Key::Number(-i64::try_from(row.fails).unwrap_or(0)) },
    Column { key: 'w', title: "▲", width: Width::Fixed(3), right: true, rank: 1, cell: |row, _| counted(row, row.warns, Role::Warn), sort: |row, _| Key::Number(-i64::try_from(row.warns).unwrap_or(0)) },
    Column { key: 'l', title: "◌", width: Width::Fixed(3), right: true, rank: 3, cell: |row, _| counted(row, row.rolls, Role::Busy), sort: |row, _| Key::Number(-i64::try_from(row.rolls).unwrap_or(0)) },
    Column { key: 'r', title: "RUN/DESIRED", width: Width::Fixed(11), right: true, rank: 1, cell: |row, _| running(row), sort: |row, _| Key::Number(i64::from(row.running)) },
    Column { key: 'p', title: "PEND", width: Width::Fixed(4), right: true, rank: 3, cell: |row, _| plain(row.pending.to_string()), sort: |row, _| Key::Number(-i64::from(row.pending)) },
    Column { key: 'i', title: "INST", width: Width::Fixed(4), right: true, rank: 6, cell: |row, _| row.counts.as_ref().map_or(dim("-"), |c| if c.instances == 0 { dim("-") } else { plain(c.instances.to_string()) }), sort: |row, _| Key::Number(row.counts.as_ref().map_or(0, |c| -i64::from(c.instances))) },
    Column { key: 'e', title: "SEEN", width: Width::Fit(6, 60), right: false, rank: 2, cell: seen, sort: |row, cx| Key::Number(cx.store.slot(&Feed::Services(row.ctx, row.cluster.clone())).and_then(|s| s.at).map_or(0, jiff::Timestamp::as_second)) },
];

fn name<'a>(row: &'a ClusterRow, cx: &Cx<'a>) -> Cell<'a> {
    let production = cx.production(row.ctx, Some(&row.cluster)) == Production::Yes;
    painted(row.cluster.name(), if production { Role::Prod } else { Role::Text })
}

fn services(row: &ClusterRow) -> Cell<'_> {
    row.services.map_or_else(|| dim("-"), |n| plain(n.to_string()))
}

/// Nothing was counted where nothing could be read.
fn counted(row: &ClusterRow, n: usize, role: Role) -> Cell<'static> {
    if row.services.is_none() { dim("-") } else { count(n, role) }
}

fn count(n: usize, role: Role) -> Cell<'static> {
    if n == 0 { dim("0") } else { painted(n.to_string(), role) }
}

fn running(row: &ClusterRow) -> Cell<'_> {
    match row.services {
        Some(_) => plain(format!("{}/{}", row.running, row.wanted)),
        None => row.counts.as_ref().map_or(dim("-/-"), |c| plain(format!("{}/?", c.running))),
    }
}

/// How fresh the row is, said only when it is not: a number that counts up every second says nothing.
fn seen<'a>(row: &'a ClusterRow, cx: &Cx<'a>) -> Cell<'a> {
    let slot = cx.store.slot(&Feed::Services(row.ctx, row.cluster.clone()));
    // A cluster without services is known from the list of clusters alone.
    let slot = slot.or_else(|| cx.store.slot(&Feed::Clusters(row.ctx)).filter(|_| row.services == Some(0)));
    match (&row.trouble, slot.and_then(|s| s.at)) {
        (Some(why), Some(at)) => painted(format!("{} ago · {why}", age::since(Some(at), cx.now)), Role::Warn),
        (Some(why), None) => painted(&**why, Role::Warn),
        (None, Some(_)) => dim("live"),
        (None, None) => dim("loading"),
    }
}

fn contexts(place: &Place, cx: &Cx) -> impl Iterator<Item = Ctx> + use<> {
    let only = place.ctx;
    cx.fleet.all().filter(move |ctx| only.is_none_or(|only| only == *ctx))
}

fn rows(place: &Place, cx: &Cx) -> Vec<ClusterRow> {
    contexts(place, cx).flat_map(|ctx| rows_of(ctx, cx)).collect()
}

fn rows_of(ctx: Ctx, cx: &Cx) -> Vec<ClusterRow> {
    let named: Vec<Arn> = cx.store.slots_of(ctx).filter_map(|(feed, _)| if let Feed::Services(_, arn) = feed { Some(arn.clone()) } else { None }).collect();
    let listed = cx.store.clusters(ctx).unwrap_or_default();
    let mut rows: Vec<ClusterRow> = listed.iter().map(|c| row(ctx, c.arn.clone(), Some(c.clone()), cx)).collect();
    for arn in named {
        if !listed.iter().any(|c| c.arn == arn || c.arn.name() == arn.as_str()) {
            rows.push(row(ctx, arn, None, cx));
        }
    }
    if rows.is_empty()
        && let Some(error) = cx.store.error(&Feed::Clusters(ctx))
    {
        let mut row = row(ctx, Arn::from("?"), None, cx);
        row.cluster = Arn(format!("{} (clusters unknown)", row.context).into());
        row.trouble = Some(error.came().into());
        row.health = Health::Unknown;
        rows.push(row);
    }
    rows
}

fn row(ctx: Ctx, cluster: Arn, counts: Option<Arc<Cluster>>, cx: &Cx) -> ClusterRow {
    let context = cx.fleet.context(ctx);
    let judged = cx.board.of(ctx, &cluster);
    let known = cx.store.services(ctx, &cluster).is_some();
    let told = || judged.iter().filter(|j| !cx.board.undecided(j));
    let of = |health: Health| told().filter(|j| j.verdict.health == health).count();
    let sum = |count: fn(&crate::model::Service) -> u32| judged.iter().map(|j| count(&j.service)).sum::<u32>();
    let slot = cx.store.slot(&Feed::Services(ctx, cluster.clone()));
    let trouble = slot.and_then(|s| s.error.as_ref()).or(cx.store.slot(&Feed::Clusters(ctx)).and_then(|s| s.error.as_ref())).map(|e| Str::from(e.came()));
    let worst = told().map(|j| j.verdict.health).min();
    let awaited = told().count() < judged.len() && worst.is_none_or(|worst| worst != Health::Fail);
    let none = counts.as_ref().is_some_and(|c| c.services == 0);
    let health = match worst {
        _ if !known => if trouble.is_some() { Health::Unknown } else if none { Health::Idle } else { Health::Unknown },
        Some(worst) => worst,
        None => Health::Idle,
    };
    let account = cx.store.identity(ctx).map_or_else(|| cluster.account().into(), |id| id.account.clone());
    ClusterRow {
        ctx,
        context: context.name.clone(),
        region: context.region.clone(),
        account,
        counts,
        health,
        fails: of(Health::Fail),
        warns: of(Health::Warn),
        rolls: of(Health::Roll),
        wanted: sum(|s| s.desired),
        running: sum(|s| s.running),
        pending: sum(|s| s.pending),
        loading: awaited || (!known && !none && trouble.is_none()),
        services: (known || none).then_some(judged.len()),
        trouble,
        cluster,
    }
}

/// Clusters, and the services of every cluster: the fleet's health is the sum of theirs.
pub fn wanted(place: &Place, cx: &Cx, visible: &[&ClusterRow], out: &mut Vec<Wanted>) {
    for ctx in contexts(place, cx) {
        out.push(Wanted::Poll { feed: Feed::Clusters(ctx), focus: true });
        // A cluster's ARN names the account; who asks is of interest where there is none, or nobody else on the header.
        let nameless = cx.store.error(&Feed::Clusters(ctx)).is_some() || cx.store.clusters(ctx).is_some_and(<[_]>::is_empty);
        if nameless || cx.fleet.0.len() == 1 {
            out.push(Wanted::Trickle { feed: Feed::Identity(ctx) });
        }
        for cluster in cx.store.clusters(ctx).unwrap_or_default().iter().filter(|c| c.services > 0) {
            let focus = visible.iter().any(|row| row.cluster == cluster.arn);
            out.push(Wanted::Poll { feed: Feed::Services(ctx, cluster.arn.clone()), focus });
        }
    }
}
