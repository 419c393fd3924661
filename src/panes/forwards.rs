//! The port forwards of this program: where each leads, how it stands, what went through it; those that are over until they are let go.

use super::Pane;
use crate::action::Action;
use crate::exec::forwards::{Forward, Ports, State, Target};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Container, Task, TaskStatus};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::table::{of_table, COUNT, Cell, Column, Key, TableSpec, TableView, Width, dim, painted, plain};
use crate::verdict::Health;
use crate::view::{Cx, Notice, Place, Prompt, Reaction, Subject, Tone, View};
use std::sync::Arc;

/// The pane.
pub const PANE: Pane = Pane {
    name: "forwards",
    help: "Ports of this machine that lead into containers",
    action: Some(Action::Forwards),
    open: |place, _| Ok(Box::new(ForwardsView { table: TableView::open(&SPEC, Place::default()), place: place.clone() })),
};

/// What Enter offers.
const MENU: &str = "this forward";

/// The table, and the place that a new forward would be to.
struct ForwardsView {
    table: TableView<Forward>,
    place: Place,
}

const SPEC: TableSpec<Forward> = TableSpec {
    name: "forwards",
    crumb: |_, _| "forwards".to_owned(),
    title: |_, _| format!("Forwards · {COUNT}"),
    columns: COLUMNS,
    order: 0,
    wanted: |_, cx, _, _, out| {
        for forward in cx.store.forwards().live() {
            out.push(Wanted::Poll { feed: Feed::Tasks(forward.target.ctx, forward.target.cluster.clone()), focus: false });
        }
    },
    rows: |_, cx| cx.store.forwards().all().to_vec(),
    id: |row| row.id.to_string().into(),
    health: Some(health),
    haystack: |row| format!("{} {} {}", row.address(), row.leads(), row.target.cluster.name()),
    // No task: a key that changes one must not reach it from here.
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.target.ctx), cluster: Some(row.target.cluster.clone()), ..Place::default() },
        copies: vec![('n', "address", row.address()), ('a', "task ARN", row.target.task.to_string())],
        ghost: false,
    },
    enter: "tasks",
    preview: None,
    empty: |_, _| "nothing is forwarded · open this pane on a task and press its key again to forward a port".to_owned(),
    sources: |_, _| Vec::new(),
    hints: &[Action::Open, Action::Forwards, Action::Copy],
};

const COLUMNS: &[Column<Forward>] = &[
    Column { key: 'n', title: "HERE", width: Width::Fit(9, 15), right: false, rank: 0, cell: |row, _| plain(row.address()), sort: |row, _| Key::Number(i64::try_from(row.id).unwrap_or(0)) },
    Column { key: 't', title: "LEADS TO", width: Width::Fit(12, 44), right: false, rank: 0, cell: |row, _| plain(row.leads()), sort: |row, _| Key::Text(row.leads().into()) },
    Column { key: 'c', title: "CLUSTER", width: Width::Fit(7, 24), right: false, rank: 4, cell: |row, _| dim(row.target.cluster.name()), sort: |row, _| Key::Text(row.target.cluster.name().into()) },
    Column { key: 'o', title: "OPEN", width: Width::Fixed(5), right: true, rank: 1, cell: |row, _| plain(row.status.open.to_string()), sort: |row, _| Key::Number(-i64::from(row.status.open)) },
    Column { key: 'k', title: "CONNS", width: Width::Fixed(6), right: true, rank: 3, cell: |row, _| plain(row.status.connections.to_string()), sort: |row, _| descending(row.status.connections) },
    Column { key: 'u', title: "SENT", width: Width::Fixed(8), right: true, rank: 3, cell: |row, _| plain(bytes(row.status.sent)), sort: |row, _| descending(row.status.sent) },
    Column { key: 'd', title: "RECEIVED", width: Width::Fixed(8), right: true, rank: 2, cell: |row, _| plain(bytes(row.status.received)), sort: |row, _| descending(row.status.received) },
    Column { key: 'r', title: "REFUSED", width: Width::Fixed(7), right: true, rank: 4, cell: refused, sort: |row, _| descending(row.status.refused) },
    Column { key: 'a', title: "AGE", width: Width::Fixed(6), right: true, rank: 4, cell: |row, cx| dim(age::since(Some(row.since), cx.now)), sort: |row, _| Key::Number(-row.since.as_second()) },
    Column { key: 's', title: "STATE", width: Width::Fill(14), right: false, rank: 0, cell: state, sort: |row, _| Key::Text(words(row).into()) },
];

fn descending(count: u64) -> Key {
    Key::Number(i64::try_from(count).map_or(i64::MIN, |count| -count))
}

fn refused<'a>(row: &'a Forward, _: &Cx<'a>) -> Cell<'a> {
    let count = row.status.refused;
    if count == 0 { dim("0") } else { painted(count.to_string(), Role::Warn) }
}

fn health(row: &Forward) -> Health {
    match &row.status.state {
        State::Opening => Health::Roll,
        State::Open { .. } => Health::Ok,
        State::Lost(_) => Health::Warn,
        State::Resting(_) | State::Ended(_) => Health::Idle,
    }
}

fn words(row: &Forward) -> String {
    match &row.status.state {
        State::Opening => "opening".to_owned(),
        State::Open { single: false } => "open".to_owned(),
        State::Open { single: true } => "open, one connection at a time: the agent is old".to_owned(),
        State::Lost(why) => format!("connection lost, tried again: {why}"),
        State::Resting(why) => format!("opens again when used: {why}"),
        State::Ended(why) => format!("over: {why}"),
    }
}

fn state<'a>(row: &'a Forward, _: &Cx<'a>) -> Cell<'a> {
    let health = health(row);
    painted(format!("{} {}", health.glyph(), words(row)), if health == Health::Idle { Role::Dim } else { health.role() })
}

/// Bytes in at most seven cells.
fn bytes(count: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if count < 10_000 {
        return format!("{count} B");
    }
    let (mut scaled, mut unit) = (count / 1000, 0);
    while scaled >= 10_000 && unit + 1 < UNITS.len() {
        scaled /= 1000;
        unit += 1;
    }
    format!("{scaled} {}", UNITS[unit])
}

impl ForwardsView {
    /// The task that a new forward would go through: the one that the pane was opened on, or the newest running one of its service.
    fn task(&self, cx: &Cx) -> Result<Arc<Task>, String> {
        let nowhere = || "a forward goes through a task: open this pane with the cursor on one".to_owned();
        let (ctx, cluster) = self.place.ctx.zip(self.place.cluster.as_ref()).ok_or_else(nowhere)?;
        if let Some(arn) = &self.place.task {
            let task = cx.store.task(ctx, cluster, arn).ok_or("this task is not known any more")?;
            return if task.stopped() { Err("this task has stopped: choose one that runs".to_owned()) } else { Ok(Arc::clone(task)) };
        }
        let service = self.place.service.as_ref().ok_or_else(nowhere)?;
        let running = cx.store.tasks_of(ctx, cluster, service.name()).iter().filter(|task| task.status == TaskStatus::Running);
        running.max_by_key(|task| task.started_at).cloned().ok_or_else(|| format!("{} has no running task", service.name()))
    }

    /// Where a new forward leads. All containers of a task with `awsvpc` share one network, so that any of them that has an agent will do.
    fn target(&self, ports: Ports, cx: &Cx) -> Result<Target, String> {
        let task = self.task(cx)?;
        let (ctx, cluster) = self.place.ctx.zip(self.place.cluster.clone()).ok_or("this place has no cluster")?;
        let named = |container: &&Container| self.place.container.as_ref().is_none_or(|name| *name == container.name);
        let agent = |container: &&Container| container.exec_agent.as_deref() == Some("RUNNING");
        let candidates = || task.containers.iter().filter(named).filter(|container| container.runtime_id.is_some());
        let container = candidates().find(agent).or_else(|| candidates().next());
        let container = container.ok_or("no container of this task runs")?;
        if !task.exec_enabled {
            return Err("this task was started without enableExecuteCommand: no session can be opened to it".to_owned());
        }
        let id = format!("ecs:{}_{}_{}", task.cluster.name(), task.arn.name(), container.runtime_id.as_deref().unwrap_or_default());
        let service = task.service().and_then(|name| {
            let (head, _) = task.arn.as_str().split_once(":task/")?;
            Some(Arn(format!("{head}:service/{}/{name}", task.cluster.name()).into()))
        });
        Ok(Target { ctx, cluster, service, task: task.arn.clone(), container: container.name.clone(), id, ports })
    }
}

impl View for ForwardsView {
    of_table!(sync, peel, draw, click, status);

    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>) {
        self.table.wanted(cx, out);
        if let (Some(ctx), Some(cluster)) = (self.place.ctx, &self.place.cluster) {
            out.push(Wanted::Poll { feed: Feed::Tasks(ctx, cluster.clone()), focus: true });
        }
    }

    fn act(&mut self, action: Action, cx: &Cx) -> Reaction {
        if action == Action::Forwards {
            return match self.task(cx) {
                Ok(_) => Reaction::Ask(Prompt::Forward, String::new()),
                Err(why) => Reaction::Notice(Notice { tone: Tone::Warn, text: why }),
            };
        }
        let Some(row) = self.table.row().filter(|_| action == Action::Open) else { return self.table.act(action, cx) };
        let menu = if row.over() {
            vec![('e', "let it go: it is over".to_owned())]
        } else {
            vec![('c', format!("copy {}", row.address())), ('e', "end it: its connections are closed".to_owned())]
        };
        Reaction::Choose(MENU, menu)
    }

    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction {
        if prompt != Prompt::Forward {
            return self.table.input(prompt, text, done, cx);
        }
        if !done {
            return Reaction::Ignored;
        }
        match Ports::parse(text).and_then(|ports| self.target(ports, cx)) {
            Ok(target) => Reaction::Forward(Box::new(target)),
            Err(why) => Reaction::Refuse(why),
        }
    }

    fn choose(&mut self, title: &'static str, letter: char, cx: &Cx) -> Reaction {
        match (self.table.row().filter(|_| title == MENU), letter) {
            (Some(row), 'e') => Reaction::EndForward(row.id),
            (Some(row), 'c') => Reaction::Copy(row.address(), "address".into()),
            _ => self.table.choose(title, letter, cx),
        }
    }

    fn can(&self, action: Action, cx: &Cx) -> Option<bool> {
        match action {
            Action::Open => Some(self.table.row().is_some()),
            Action::Forwards => Some(self.task(cx).is_ok()),
            action => self.table.can(action, cx),
        }
    }
}
