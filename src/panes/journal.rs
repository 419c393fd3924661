//! The journal: every change that this program was told to make, by whom, with what came of it. What has no outcome says so.

use super::Pane;
use crate::action::Action;
use crate::change::ask;
use crate::change::journal::{Phase, Record};
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Str};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::ui::table::{Cell, Column, Key, Preview, TableSpec, TableView, Width, dim, painted, plain};
use crate::verdict::Health;
use crate::view::{Cx, Place, Subject};
use ratatui::text::Line;
use std::collections::HashMap;

/// The pane.
pub const PANE: Pane = Pane {
    name: "journal",
    help: "Every change made from here, and what came of it",
    action: Some(Action::Journal),
    open: |_, _| Ok(Box::new(TableView::open(&SPEC, Place::default()))),
};

/// A call with its newest record.
pub struct Entry {
    record: Record,
    ctx: Option<Ctx>,
    /// What for; of the way back from a change, that it is one.
    verb: String,
    names: String,
    change: String,
    result: String,
    /// What it takes back, and what has taken it back, where that is so.
    undoes: Option<String>,
    undone: Option<String>,
}

const SPEC: TableSpec<Entry> = TableSpec {
    name: "journal",
    crumb: |_, _| "journal".to_owned(),
    title: |_, _| "Journal · newest first ·".to_owned(),
    columns: COLUMNS,
    order: 0,
    wanted: |_, cx, _, _, out| out.extend(cx.fleet.all().map(|ctx| Wanted::Poll { feed: Feed::Identity(ctx), focus: false })),
    rows,
    id: |row| row.record.id.clone(),
    health: Some(Entry::health),
    haystack: |row| {
        let record = &row.record;
        let who = [&*record.user, &*record.caller, &*record.account].join(" ");
        format!("{} {} {} {} {} {who}", record.context, row.verb, row.names, row.change, row.result)
    },
    subject,
    enter: "tasks",
    preview: Some(Preview { title: |row| format!("{} {}", row.verb, row.names), lines: preview }),
    empty: |_, _| "nothing has been changed from here: every change leaves a record before it is sent and one after".to_owned(),
    sources: |_, _| Vec::new(),
    hints: &[Action::Open, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<Entry>] = &[
    Column {
        key: 't',
        title: "TIME",
        width: Width::Fixed(12),
        right: false,
        rank: 0,
        cell: |row, cx| dim(age::clock(row.record.time, cx)),
        sort: |row, _| Key::Both(-row.record.time.as_millisecond(), row.record.id.clone()),
    },
    Column {
        key: 'k',
        title: "CHANGE",
        width: Width::Fit(8, 18),
        right: false,
        rank: 0,
        cell: |row, _| plain(&*row.verb),
        sort: |row, _| Key::Text(row.verb.as_str().into()),
    },
    Column {
        key: 'n',
        title: "TARGET",
        width: Width::Fit(8, 30),
        right: false,
        rank: 0,
        cell: |row, _| plain(&*row.names).with_its_end(),
        sort: |row, _| Key::Text(row.names.as_str().into()),
    },
    Column {
        key: 'f',
        title: "FROM → TO",
        width: Width::Fit(9, 40),
        right: false,
        rank: 2,
        cell: |row, _| dim(&*row.change).with_its_end(),
        sort: |row, _| Key::Text(row.change.as_str().into()),
    },
    Column {
        key: 'c',
        title: "CONTEXT",
        width: Width::Fit(8, 24),
        right: false,
        rank: 1,
        cell: |row, _| dim(&*row.record.context),
        sort: |row, _| Key::Text(row.record.context.clone()),
    },
    Column {
        key: 'u',
        title: "BY",
        width: Width::Fit(4, 12),
        right: false,
        rank: 3,
        cell: |row, _| dim(by(&row.record)),
        sort: |row, _| Key::Text(by(&row.record).into()),
    },
    Column {
        key: 'r',
        title: "RESULT",
        width: Width::Fill(12),
        right: false,
        rank: 0,
        cell: result,
        sort: |row, _| Key::Both(row.health() as i64, row.result.as_str().into()),
    },
];

impl Entry {
    fn health(&self) -> Health {
        match &self.record.phase {
            Phase::Done { .. } | Phase::Opened { .. } => Health::Ok,
            Phase::DryRun | Phase::Ended { .. } => Health::Idle,
            Phase::Failed { .. } => Health::Fail,
            Phase::Intent { .. } | Phase::Unanswered { .. } => Health::Warn,
        }
    }
}

/// Who it was: the name at this machine, else that of AWS's session.
fn by(record: &Record) -> &str {
    let session = record.caller.rsplit('/').next().filter(|name| !name.is_empty()).unwrap_or("?");
    if record.user.trim().is_empty() { session } else { &record.user }
}

fn result<'a>(row: &'a Entry, _: &Cx<'a>) -> Cell<'a> {
    painted(format!("{} {}", row.health().glyph(), row.result), row.health().role())
}

/// One row for each call: an outcome takes the place of its intent.
fn rows(_: &Place, cx: &Cx) -> Vec<Entry> {
    let mut newest: HashMap<&Str, &Record> = HashMap::new();
    for record in cx.store.journal() {
        newest.insert(&record.id, record);
    }
    let done = |record: &Record| matches!(record.phase, Phase::Done { .. });
    // What took several calls is taken back when all of them are done, which is when the last one is.
    let mut undone: HashMap<&Str, &Record> = HashMap::new();
    for record in newest.values() {
        let Some(of) = &record.undoes else { continue };
        let by = undone.entry(of).or_insert(record);
        if done(by) && (!done(record) || record.time > by.time) {
            *by = record;
        }
    }
    let row = |record: &&Record| {
        let of = record.undoes.as_ref().and_then(|id| newest.get(id));
        let undoes = of.map(|of| about(of, cx));
        let undone = undone.get(&record.id).filter(|by| done(by)).map(|by| age::clock(by.time, cx));
        let own = entry(record, cx);
        let again = undoings(record, &newest).is_multiple_of(2) && of.is_some();
        let verb = if again { format!("redo {}", record.verb) } else { own.verb };
        Entry { verb, undoes, undone, ..own }
    };
    newest.values().map(row).collect()
}

/// How many changes stand behind one another in what it takes back: an undo has one, a redo two, the undo of that three. A file that was
/// tampered with may lead in a circle.
fn undoings(record: &Record, all: &HashMap<&Str, &Record>) -> usize {
    let of = |record: &&Record| record.undoes.as_ref().and_then(|id| all.get(id)).copied();
    std::iter::successors(of(&record), of).take(100).count()
}

/// What a call was for and when, in one line.
fn about(record: &Record, cx: &Cx) -> String {
    format!("{} of {}", record.what, age::clock(record.time, cx))
}

fn entry(record: &Record, cx: &Cx) -> Entry {
    let here = |ctx: &Ctx| {
        let context = cx.fleet.context(*ctx);
        context.name == record.context && context.region == record.region
    };
    let names = match &record.targets[..] {
        [] => record.what.to_string(),
        [one] => ask::short(one).to_owned(),
        [one, more @ ..] => format!("{} and {} more", ask::short(one), more.len()),
    };
    // Each side names what it is about; once is enough.
    let pairs = record.before.iter().zip(&record.after).map(|(before, after)| {
        let shared = before.split(' ').zip(after.split(' ')).take_while(|(a, b)| a == b).map(|(word, _)| word.len() + 1).sum::<usize>();
        format!("{before} → {}", after.get(shared..).filter(|rest| !rest.is_empty()).unwrap_or(after))
    });
    Entry {
        verb: if record.undoes.is_some() { format!("undo {}", record.verb) } else { record.verb.to_string() },
        record: record.clone(),
        ctx: cx.fleet.all().find(here),
        names,
        change: pairs.collect::<Vec<_>>().join(", "),
        result: record.result(),
        undoes: None,
        undone: None,
    }
}

fn subject(_: &Place, row: &Entry, _: &Cx) -> Subject {
    let record = &row.record;
    let target = record.targets.first();
    let service = target.filter(|arn| arn.as_str().contains(":service/")).cloned();
    let task = target.filter(|arn| arn.as_str().contains(":task/")).cloned();
    let cluster = Some(record.cluster.clone()).filter(|arn| !arn.as_str().is_empty());
    let mut copies = vec![('n', "change", format!("{} {}", row.verb, row.names))];
    copies.extend(target.map(|arn| ('a', "target ARN", arn.to_string())));
    copies.extend(record.request_id().map(|id| ('i', "request id", id.to_owned())));
    if !record.cli.is_empty() {
        copies.push(('c', "AWS CLI", record.cli.join("\n")));
    }
    // Of a context that is not open there is nothing to open.
    let place = row.ctx.map(|ctx| Place { ctx: Some(ctx), cluster, service, task, ..Place::default() });
    Subject { place: place.unwrap_or_default(), copies, ghost: false }
}

fn preview(_: &Place, row: &Entry, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let record = &row.record;
    let (room, style) = (width.saturating_sub(4), |role| cx.theme.style(role));
    let mut lines = Vec::new();
    let mut say = |text: &str, role: Role| {
        lines.extend(frame::wrapped(text, room).into_iter().map(|part| Line::styled(part, style(role))));
    };
    let id = record.request_id().map_or(String::new(), |id| format!(" · request id {id}"));
    say(&format!("{}{id}", row.result), if row.health().troubled() { row.health().role() } else { Role::Text });
    if record.undoes.is_some() {
        let of = row.undoes.as_deref().unwrap_or("a change that is no longer in the journal");
        say(&format!("takes back: {of}"), Role::Text);
    }
    if let Some(when) = &row.undone {
        say(&format!("taken back at {when}"), Role::Text);
    }
    for command in &record.cli {
        say(command, Role::Text);
    }
    let caller = if record.caller.is_empty() { "a caller that AWS has not named" } else { &record.caller };
    let cluster = Arn::name(&record.cluster);
    let compared = if record.compared { " · confirmed again after it had moved" } else { "" };
    let whole = format!(
        "{} by {} as {caller} · {} · account {} · {} · cluster {cluster}{compared}",
        record.action,
        by(record),
        record.context,
        record.account,
        record.region
    );
    say(&whole, Role::Dim);
    lines
}
