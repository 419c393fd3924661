//! The images of a cluster: which service runs which tag and digest, and whether the tag still names what runs.

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, Ctx, Holds, Image, ImageUri, Service, Str, Task, index_of};
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
    name: "images",
    help: "Which service runs which image; tags that have moved",
    action: Some(Action::Images),
    open: |place, _| TableView::of_cluster(&SPEC, place, "Images need"),
};

/// A container of a service with the image that its tasks run.
pub struct ImageRow {
    ctx: Ctx,
    cluster: Arn,
    service: Arc<Service>,
    container: Str,
    /// As the task definition writes it.
    reference: Str,
    uri: ImageUri,
    /// What runs, when something does and tells.
    digest: Option<Str>,
    tasks: usize,
    /// What the reference names in ECR now.
    named: Option<Arc<Image>>,
    state: State,
}

/// How what runs compares with what the tag names now.
enum State {
    /// The same.
    Current,
    /// The tag names an index, and one of its platforms runs.
    CurrentOfIndex(Str),
    /// The reference names a digest: it cannot move.
    Pinned,
    /// The tag names something else now.
    Moved,
    /// No registry of AWS's: nobody to ask.
    Elsewhere(Str),
    /// ECR has no such image (any more).
    Gone(Str),
    /// Archived: it cannot be pulled.
    Archived,
    /// Nothing runs, so there is nothing to compare.
    NothingRuns,
    /// Cannot be told, and why.
    Unknown(Str),
    /// ECR has not answered yet.
    Asking,
}

const SPEC: TableSpec<ImageRow> = TableSpec {
    name: "images",
    crumb: |place, _| {
        let cluster = place.cluster.as_ref().map_or("?", Arn::name);
        place.service.as_ref().map_or_else(|| format!("{cluster} › images"), |s| format!("{cluster} › {} › images", s.name()))
    },
    title: |place, _| format!("Images {} ·", place.service.as_ref().or(place.cluster.as_ref()).map_or("?", Arn::name)),
    columns: COLUMNS,
    order: 0,
    wanted,
    rows,
    id: |row| format!("{}@{}/{}", row.service.arn, row.digest.as_deref().unwrap_or(""), row.container).into(),
    health: Some(ImageRow::health),
    haystack: |row| format!("{} {} {} {}", row.service.name, row.container, row.reference, row.digest.as_deref().unwrap_or("")),
    subject: |_, row, _| Subject {
        place: Place { ctx: Some(row.ctx), cluster: Some(row.cluster.clone()), service: Some(row.service.arn.clone()), container: Some(row.container.clone()), ..Place::default() },
        copies: vec![
            ('n', "image", row.reference.to_string()),
            ('g', "running digest", row.digest.as_deref().unwrap_or_default().to_owned()),
            ('p', "pinned reference", row.pinned().unwrap_or_default()),
        ],
        ghost: false,
    },
    enter: "tasks",
    preview: Some(Preview { title: |row| format!("{} of {}", row.container, row.service.name), lines: |_, row, width, cx| preview(row, width, cx) }),
    empty: |_, _| "no images: no service, or no task definition that can be read".to_owned(),
    sources: |place, cx| {
        let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
        let mut sources = vec![Feed::Services(ctx, cluster.clone()), Feed::Tasks(ctx, cluster.clone())];
        // What ECR says of one image stands in its row; that it may not be asked at all concerns every row.
        let denied = |feed: &&Feed| cx.store.error(feed).and_then(|error| error.code.as_deref()).is_some_and(|code| code.starts_with("AccessDenied"));
        let about_images = |feed: &&Feed| matches!(feed, Feed::Image(..) | Feed::TaskDefinition(..));
        sources.extend(cx.store.slots_of(ctx).map(|(feed, _)| feed).filter(about_images).find(denied).cloned());
        sources
    },
    hints: &[Action::Open, Action::Logs, Action::Deployments, Action::Filter, Action::ProblemsOnly, Action::Copy],
};

const COLUMNS: &[Column<ImageRow>] = &[
    Column { key: 'h', title: "HEALTH", width: Width::Fixed(9), right: false, rank: 0, cell: |row, _| health_if_any(row.judged()), sort: |row, _| Key::Both(row.health() as i64, format!("{}/{}", row.service.name, row.container).into()) },
    Column { key: 'v', title: "SERVICE", width: Width::Fit(8, 30), right: false, rank: 0, cell: |row, _| plain(&*row.service.name).with_its_end(), sort: |row, _| Key::Text(row.service.name.clone()) },
    Column { key: 'c', title: "CONTAINER", width: Width::Fit(6, 20), right: false, rank: 3, cell: |row, _| plain(&*row.container), sort: |row, _| Key::Text(row.container.clone()) },
    Column { key: 'i', title: "IMAGE", width: Width::Fit(10, 44), right: false, rank: 0, cell: |row, _| plain(shown(row)), sort: |row, _| Key::Text(row.reference.clone()) },
    Column { key: 'r', title: "RUNS", width: Width::Fixed(12), right: false, rank: 1, cell: |row, _| row.digest.as_deref().map_or_else(|| dim("-"), |digest| plain(short(digest).to_owned())), sort: |row, _| Key::Text(row.digest.clone().unwrap_or_default()) },
    Column { key: 'k', title: "TASKS", width: Width::Fixed(5), right: true, rank: 4, cell: |row, _| plain(row.tasks.to_string()), sort: |row, _| Key::Number(-i64::try_from(row.tasks).unwrap_or(0)) },
    Column { key: 'p', title: "PUSHED", width: Width::Fixed(6), right: true, rank: 5, cell: |row, cx| dim(age::since(row.named.as_ref().and_then(|image| image.pushed_at), cx.now)), sort: |row, _| Key::Number(-row.named.as_ref().and_then(|image| image.pushed_at).map_or(0, jiff::Timestamp::as_second)) },
    Column { key: 'f', title: "SCAN", width: Width::Fit(4, 18), right: false, rank: 6, cell: |row, _| findings(row), sort: |row, _| Key::Text(findings(row).text.into()) },
    Column { key: 's', title: "TAG NOW", width: Width::Fill(18), right: false, rank: 0, cell: |row, _| painted(row.says(), row.role()), sort: |row, _| Key::Text(row.says().into()) },
];

impl ImageRow {
    fn health(&self) -> Health {
        match &self.state {
            State::Current | State::CurrentOfIndex(_) | State::Pinned => Health::Ok,
            State::Elsewhere(_) | State::NothingRuns => Health::Idle,
            State::Moved | State::Archived => Health::Warn,
            State::Gone(_) => Health::Fail,
            State::Unknown(_) | State::Asking => Health::Unknown,
        }
    }

    /// Its health, where there is an image of ECR's and something that runs to hold against it.
    fn judged(&self) -> Option<Health> {
        (!matches!(self.state, State::Elsewhere(_) | State::NothingRuns | State::Asking)).then(|| self.health())
    }

    fn role(&self) -> Role {
        match &self.state {
            State::Current | State::CurrentOfIndex(_) | State::Pinned | State::Elsewhere(_) | State::NothingRuns | State::Asking => Role::Dim,
            _ => self.health().role(),
        }
    }

    fn says(&self) -> String {
        match &self.state {
            State::Current => "what runs".to_owned(),
            State::CurrentOfIndex(platform) => format!("what runs, {platform} of an index"),
            State::Pinned => "pinned by digest".to_owned(),
            State::Moved => format!("moved to {}: the next deployment starts another image", self.named.as_ref().map_or("another", |image| short(&image.digest))),
            State::Elsewhere(registry) => format!("not in ECR ({registry})"),
            State::Gone(what) => what.to_string(),
            State::Archived => "archived: it cannot be pulled".to_owned(),
            State::NothingRuns => "nothing runs".to_owned(),
            State::Unknown(why) => why.to_string(),
            State::Asking => "…".to_owned(),
        }
    }

    /// The reference by which exactly what runs can be had again.
    fn pinned(&self) -> Option<String> {
        self.digest.as_ref().map(|digest| format!("{}@{digest}", self.uri.name()))
    }

    /// The reference of the index behind the tag, where only its platforms can tell whether it is what runs.
    fn index(&self) -> Option<Str> {
        let image = self.named.as_ref().filter(|image| self.digest.as_ref() != Some(&image.digest))?;
        index_of(&self.uri.name(), image)
    }
}

/// Twelve digits of a digest, as everybody writes it.
fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix("sha256:").unwrap_or(digest);
    hex.get(..12).unwrap_or(hex)
}

/// Repository and tag; the registry's long name is the same in every row.
fn shown(row: &ImageRow) -> String {
    format!("{}:{}", row.uri.repository, row.uri.short())
}

fn findings(row: &ImageRow) -> Cell<'static> {
    let Some(image) = &row.named else { return dim("-") };
    let worst: Vec<String> = image.findings.iter().take(2).map(|(severity, n)| format!("{n} {}", severity.to_lowercase())).collect();
    let bad = image.findings.iter().any(|(severity, _)| matches!(&**severity, "CRITICAL" | "HIGH"));
    if worst.is_empty() { dim("-") } else { painted(worst.join(" "), if bad { Role::Warn } else { Role::Dim }) }
}

/// What the containers of tasks run: name, reference as written, digest; how many tasks.
fn running(tasks: &[Arc<Task>]) -> Vec<(Str, Str, Option<Str>, usize)> {
    let mut found: Vec<(Str, Str, Option<Str>, usize)> = Vec::new();
    // A task that failed to start holds no image; one that stops runs what is being replaced.
    for task in tasks.iter().filter(|task| !task.stopped() && &*task.desired == "RUNNING") {
        for container in &task.containers {
            match found.iter_mut().find(|(name, image, digest, _)| *name == container.name && *image == container.image && *digest == container.digest) {
                Some((.., n)) => *n += 1,
                None => found.push((container.name.clone(), container.image.clone(), container.digest.clone(), 1)),
            }
        }
    }
    found
}

fn rows(place: &Place, cx: &Cx) -> Vec<ImageRow> {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return Vec::new() };
    let services: Vec<Arc<Service>> = match &place.service {
        Some(arn) => cx.store.service(ctx, cluster, arn).cloned().into_iter().collect(),
        None => cx.store.services(ctx, cluster).unwrap_or_default().to_vec(),
    };
    services.iter().flat_map(|service| rows_of(ctx, cluster, service, cx)).collect()
}

fn rows_of(ctx: Ctx, cluster: &Arn, service: &Arc<Service>, cx: &Cx) -> Vec<ImageRow> {
    let mut found = running(cx.store.tasks_of(ctx, cluster, &service.name));
    // What the service asks for now, though nothing runs it: its next task needs it.
    if let Some(definition) = cx.store.definition(ctx, &service.task_definition) {
        for container in &definition.containers {
            if !found.iter().any(|(name, image, ..)| *name == container.name && *image == container.image) {
                found.push((container.name.clone(), container.image.clone(), None, 0));
            }
        }
    }
    let row = |(container, reference, digest, tasks): (Str, Str, Option<Str>, usize)| {
        let uri = ImageUri::parse(&reference);
        let named = cx.store.image(ctx, &reference).cloned();
        let mut row = ImageRow { ctx, cluster: cluster.clone(), service: service.clone(), container, reference, uri, digest, tasks, named, state: State::Asking };
        row.state = judge(&row, cx);
        row
    };
    found.into_iter().map(row).collect()
}

fn judge(row: &ImageRow, cx: &Cx) -> State {
    if row.uri.ecr().is_none() {
        return State::Elsewhere(row.uri.registry_name().into());
    }
    let Some(image) = &row.named else {
        return match cx.store.error(&Feed::Image(row.ctx, row.reference.clone())) {
            None => State::Asking,
            Some(error) if error.code.as_deref() == Some("ImageNotFoundException") => {
                State::Gone(format!("ECR has no {} any more: expired or deleted, no new task can start", row.uri.short()).into())
            }
            Some(error) if error.code.as_deref() == Some("RepositoryNotFoundException") => State::Gone("ECR has no such repository".into()),
            Some(error) => State::Unknown(error.came().into()),
        };
    };
    if image.status.as_deref() == Some("ARCHIVED") {
        return State::Archived;
    }
    match &row.digest {
        _ if row.uri.digest.is_some() => State::Pinned,
        None => State::NothingRuns,
        Some(digest) => match cx.store.holds(row.ctx, &row.uri.name(), image, digest) {
            Holds::Itself => State::Current,
            Holds::Platform(platform) => State::CurrentOfIndex(platform.unwrap_or_else(|| "one platform".into())),
            Holds::No => State::Moved,
            Holds::Unread => unread(row, cx),
        },
    }
}

/// A tag that names an index whose platforms are not known.
fn unread(row: &ImageRow, cx: &Cx) -> State {
    let error = row.index().and_then(|reference| cx.store.error(&Feed::ImageIndex(row.ctx, reference)));
    error.map_or(State::Asking, |error| State::Unknown(format!("an index whose platforms are not known: {}", error.came()).into()))
}

fn wanted(place: &Place, cx: &Cx, visible: &[&ImageRow], cursor: Option<&ImageRow>, out: &mut Vec<Wanted>) {
    let (Some(ctx), Some(cluster)) = (place.ctx, &place.cluster) else { return };
    let mut want = |feed: Feed, focus: bool| out.push(Wanted::Poll { feed, focus });
    want(Feed::Services(ctx, cluster.clone()), true);
    want(Feed::Tasks(ctx, cluster.clone()), true);
    for service in cx.store.services(ctx, cluster).unwrap_or_default() {
        if place.service.as_ref().is_none_or(|arn| *arn == service.arn) {
            want(Feed::TaskDefinition(ctx, service.task_definition.clone()), false);
        }
    }
    // One call a reference: for what is on screen, each once.
    let mut asked: Vec<&Str> = Vec::new();
    for row in visible.iter().filter(|row| row.uri.ecr().is_some()) {
        if !asked.contains(&&row.reference) {
            asked.push(&row.reference);
            want(Feed::Image(ctx, row.reference.clone()), true);
        }
        if let Some(index) = row.index() {
            want(Feed::ImageIndex(ctx, index), true);
        }
    }
    if let Some(row) = cursor.filter(|row| row.uri.ecr().is_some()) {
        want(Feed::RepositoryImages(ctx, row.uri.name().into()), false);
    }
}

fn preview(row: &ImageRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let line = |label, text: String, role| frame::field(label, &text, width, role, cx.theme);
    let mut lines = vec![line("image", row.reference.to_string(), Role::Text)];
    if let Some(digest) = &row.digest {
        lines.push(line("runs", format!("{digest} · {} task{}", row.tasks, if row.tasks == 1 { "" } else { "s" }), Role::Text));
    }
    match &row.named {
        Some(image) if !matches!(row.state, State::Pinned | State::Current) => {
            let pushed = image.pushed_at.map_or(String::new(), |at| format!(" · pushed {}", age::clock(at, cx)));
            let told = format!("{} · {}{pushed}", row.says(), image.digest);
            lines.extend(frame::labelled(frame::label("tag now", cx.theme), &told, width, row.role(), cx.theme));
        }
        _ => lines.push(line("tag now", row.says(), row.role())),
    }
    if row.uri.ecr().is_some() {
        let name: Str = row.uri.name().into();
        if let Some(images) = cx.store.repository_images(row.ctx, &name) {
            let newest: Vec<&str> = images.images.iter().flat_map(|image| image.tags.iter().map(|tag| &**tag)).take(6).collect();
            let mutability = images.mutability.as_deref().map_or(String::new(), |word| format!("{word} · "));
            let cut = if images.cut { " of those read" } else { "" };
            lines.push(line("newest", format!("{mutability}{}{cut}", newest.join(" ")), Role::Dim));
        } else if let Some(error) = cx.store.error(&Feed::RepositoryImages(row.ctx, name)) {
            lines.push(line("newest", error.came().to_owned(), Role::Dim));
        }
    }
    lines
}
