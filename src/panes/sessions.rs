//! The sessions inside containers that this program has open, with those that are over and not yet closed.

use super::Pane;
use crate::action::Action;
use crate::exec::shells::{Shell, State};
use crate::model::{Arn, Ctx, Str};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{COUNT, Cell, Column, Key, TableSpec, TableView, Width, dim, painted, plain};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};

/// The pane.
pub const PANE: Pane = Pane {
    name: "sessions",
    help: "The sessions inside containers",
    action: None,
    open: |_, _| Ok(Box::new(TableView::open(&SPEC, Place::default()))),
};

/// A session.
pub struct Row {
    id: u64,
    ctx: Ctx,
    cluster: Arn,
    service: Option<Arn>,
    task: Arn,
    container: Str,
    name: String,
    command: String,
    state: String,
    health: Health,
    since: i64,
    idle: String,
}

const SPEC: TableSpec<Row> = TableSpec {
    name: "sessions",
    crumb: |_, _| "sessions".to_owned(),
    title: |_, _| format!("Sessions · {COUNT}"),
    columns: COLUMNS,
    order: 0,
    wanted: |_, _, _, _, _| {},
    rows: |_, cx| cx.shells.all().iter().map(|shell| row(shell, cx)).collect(),
    id: |row| row.id.to_string().into(),
    health: Some(|row| row.health),
    haystack: |row| format!("{} {} {} {}", row.name, row.cluster.name(), row.service.as_ref().map_or("", |arn| arn.name()), row.command),
    subject: |_, row, _| Subject {
        place: Place {
            ctx: Some(row.ctx),
            cluster: Some(row.cluster.clone()),
            service: row.service.clone(),
            task: Some(row.task.clone()),
            container: Some(row.container.clone()),
            ..Place::default()
        },
        copies: vec![('i', "task id", row.task.name().to_owned()), ('a', "task ARN", row.task.to_string()), ('m', "command", row.command.clone())],
        ghost: false,
    },
    enter: "session",
    preview: None,
    empty: |_, _| "no session is open · exec on a task, a container or a service opens one".to_owned(),
    sources: |_, _| Vec::new(),
    hints: &[Action::Open, Action::Exec, Action::Logs, Action::Describe, Action::Copy],
};

const COLUMNS: &[Column<Row>] = &[
    Column { key: 'n', title: "SESSION", width: Width::Fit(10, 30), right: false, rank: 0, cell: |row, _| plain(&*row.name), sort: |row, _| Key::Number(i64::try_from(row.id).unwrap_or(0)) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(7, 24), right: false, rank: 1, cell: |row, _| plain(row.service.as_ref().map_or("-", |arn| arn.name())).with_its_end(), sort: |row, _| Key::Text(row.service.as_ref().map_or("", |arn| arn.name()).into()) },
    Column { key: 'c', title: "CLUSTER", width: Width::Fit(7, 24), right: false, rank: 2, cell: |row, _| dim(row.cluster.name()), sort: |row, _| Key::Text(row.cluster.name().into()) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 3, cell: |row, cx| dim(age::short(cx.now.as_second() - row.since)), sort: |row, _| Key::Number(-row.since) },
    Column { key: 'i', title: "IDLE LEFT", width: Width::Fixed(9), right: true, rank: 4, cell: |row, _| dim(&*row.idle), sort: |row, _| Key::Text(row.idle.as_str().into()) },
    Column { key: 's', title: "STATE", width: Width::Fill(16), right: false, rank: 0, cell: state, sort: |row, _| Key::Text(row.state.as_str().into()) },
];

fn state<'a>(row: &'a Row, _: &Cx<'a>) -> Cell<'a> {
    let role = if row.health == Health::Idle { Role::Dim } else { row.health.role() };
    painted(format!("{} {}", row.health.glyph(), row.state), role)
}

fn row(shell: &Shell, cx: &Cx) -> Row {
    let (state, health) = match (&shell.state, &shell.stopping) {
        (State::Ended(why), _) => (why.to_string(), Health::Idle),
        (_, Some(stopping)) => (stopping.to_string(), Health::Warn),
        (State::Opening, _) => ("asking ECS for it".to_owned(), Health::Roll),
        (State::Joining, _) => ("connecting".to_owned(), Health::Roll),
        (State::Ready, _) if shell.unseen => ("open, with something new".to_owned(), Health::Ok),
        (State::Ready, _) => ("open".to_owned(), Health::Ok),
        (State::Lost { attempt, why }, _) => (format!("connection lost, try {attempt}: {why}"), Health::Warn),
    };
    let left = shell.idle_left(cx.now).as_secs();
    Row {
        id: shell.id,
        ctx: shell.target.ctx,
        cluster: shell.target.cluster.clone(),
        service: shell.target.service.clone(),
        task: shell.target.task.clone(),
        container: shell.target.container.clone(),
        name: shell.name(),
        command: shell.target.command.clone(),
        state,
        health,
        since: shell.since.as_second(),
        idle: if shell.over() { "-".to_owned() } else { format!("{}m", left.div_ceil(60)) },
    }
}
