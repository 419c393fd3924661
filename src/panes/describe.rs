//! Anything, readable: what an operator asks about a service, task, cluster or target group, in sections.

mod cluster;
mod service;
mod task;
mod target_group;

use super::Pane;
use crate::action::Action;
use crate::feed::{Feed, Wanted};
use crate::model::{Arn, ContainerDefinition, Ctx, ImageUri, Str, TaskDefinition};
use crate::text::secret;
use crate::theme::Role;
use crate::ui::age;
use crate::ui::text_view::{TextLine, TextSpec, TextView};
use crate::verdict::Health;
use crate::view::{Cx, Place};
use std::borrow::Cow;

/// The pane.
pub const PANE: Pane = Pane {
    name: "describe",
    help: "What the cursor is on, readable",
    action: Some(Action::Describe),
    open: |place, _| match subject(place) {
        Some(_) => Ok(Box::new(TextView::open(&SPEC, place.clone()))),
        None => Err("Describe needs a cluster, service, task or target group: put the cursor on one".to_owned()),
    },
};

const SPEC: TextSpec = TextSpec { name: "describe", crumb: |place, _| crumb(place, "describe"), wanted, lines, sources, wrap: true, hints };

/// A cluster and a target group have no logs.
fn hints(place: &Place) -> &'static [Action] {
    if place.target_group.is_none() && (place.service.is_some() || place.task.is_some()) {
        &[Action::Search, Action::Wrap, Action::Copy, Action::Save, Action::Json, Action::Logs]
    } else {
        &[Action::Search, Action::Wrap, Action::Copy, Action::Save, Action::Json]
    }
}

/// What a place is about: a target group where one is named, else the most particular thing.
enum Of<'a> {
    Cluster(Ctx, &'a Arn),
    Service(Ctx, &'a Arn, &'a Arn),
    Task(Ctx, &'a Arn, &'a Arn),
    TargetGroup(Ctx, &'a Arn),
}

fn subject(place: &Place) -> Option<Of<'_>> {
    let ctx = place.ctx?;
    Some(match (&place.task, &place.service, &place.cluster, &place.target_group) {
        (_, _, _, Some(group)) => Of::TargetGroup(ctx, group),
        (Some(task), _, Some(cluster), _) => Of::Task(ctx, cluster, task),
        (None, Some(service), Some(cluster), _) => Of::Service(ctx, cluster, service),
        (None, None, Some(cluster), None) => Of::Cluster(ctx, cluster),
        _ => return None,
    })
}

/// `cluster › service › task › what`, as far as the place is known.
#[must_use]
pub fn crumb(place: &Place, what: &str) -> String {
    // The task behind a target is not what the target's group is about.
    let task = place.task.as_ref().filter(|_| place.target_group.is_none());
    let parts = [
        place.cluster.as_ref().map(|c| c.name().to_owned()),
        place.service.as_ref().map(|s| s.name().to_owned()),
        task.map(|t| super::tasks::short(t).to_owned()),
        place.target_group.as_ref().map(|g| g.target_group_name().to_owned()),
        Some(what.to_owned()),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(" › ")
}

fn wanted(place: &Place, cx: &Cx, out: &mut Vec<Wanted>) {
    let mut want = |feed: Feed| out.push(Wanted::Poll { feed, focus: true });
    match subject(place) {
        Some(Of::Cluster(ctx, cluster)) => {
            want(Feed::Clusters(ctx));
            want(Feed::Services(ctx, cluster.clone()));
            want(Feed::Instances(ctx, cluster.clone()));
        }
        Some(Of::Service(ctx, cluster, service)) => {
            want(Feed::Service(ctx, service.clone()));
            want(Feed::Tasks(ctx, cluster.clone()));
            want(Feed::ServiceDeployments(ctx, service.clone()));
            if let Some(s) = cx.store.service(ctx, cluster, service) {
                for group in s.load_balancers.iter().filter_map(|lb| lb.target_group.clone()) {
                    want(Feed::Targets(ctx, group.clone()));
                    want(Feed::TargetGroup(ctx, group));
                }
                want_definition(ctx, &s.task_definition, cx, out);
            }
        }
        Some(Of::Task(ctx, cluster, task)) => {
            want(Feed::Tasks(ctx, cluster.clone()));
            if let Some(t) = cx.store.task(ctx, cluster, task) {
                want_definition(ctx, &t.task_definition, cx, out);
            }
        }
        Some(Of::TargetGroup(ctx, group)) => {
            want(Feed::TargetGroup(ctx, group.clone()));
            want(Feed::Targets(ctx, group.clone()));
        }
        None => {}
    }
}

/// The definition, and what ECR says of its images: neither changes often, both are asked for once.
fn want_definition(ctx: Ctx, arn: &Arn, cx: &Cx, out: &mut Vec<Wanted>) {
    out.push(Wanted::Poll { feed: Feed::TaskDefinition(ctx, arn.clone()), focus: true });
    let Some(definition) = cx.store.definition(ctx, arn) else { return };
    for container in definition.containers.iter().filter(|c| ImageUri::parse(&c.image).ecr().is_some()) {
        out.push(Wanted::Poll { feed: Feed::Image(ctx, container.image.clone()), focus: false });
    }
}

fn sources(place: &Place, cx: &Cx) -> Vec<Feed> {
    match subject(place) {
        Some(Of::Cluster(ctx, _)) => vec![Feed::Clusters(ctx)],
        // The cluster's list may hold the service before it was ever asked for alone.
        Some(Of::Service(ctx, cluster, service)) => match cx.store.slot(&Feed::Service(ctx, service.clone())) {
            Some(_) => vec![Feed::Service(ctx, service.clone())],
            None => vec![Feed::Services(ctx, cluster.clone())],
        },
        Some(Of::Task(ctx, cluster, _)) => vec![Feed::Tasks(ctx, cluster.clone())],
        Some(Of::TargetGroup(ctx, group)) => vec![Feed::TargetGroup(ctx, group.clone())],
        None => Vec::new(),
    }
}

fn lines(place: &Place, cx: &Cx) -> Option<Vec<TextLine>> {
    let mut page = Page::default();
    match subject(place)? {
        Of::Cluster(ctx, cluster) => cluster::describe(ctx, cluster, cx, &mut page)?,
        Of::Service(ctx, cluster, service) => service::describe(ctx, cluster, service, cx, &mut page)?,
        Of::Task(ctx, cluster, task) => task::describe(ctx, cluster, task, cx, &mut page)?,
        Of::TargetGroup(ctx, group) => target_group::describe(ctx, group, cx, &mut page)?,
    }
    Some(page.lines)
}

/// Lines under construction: headings, and fields whose names stand in one column.
#[derive(Default)]
struct Page {
    lines: Vec<TextLine>,
}

impl Page {
    fn heading(&mut self, text: impl Into<Cow<'static, str>>) {
        if !self.lines.is_empty() {
            self.lines.push(Vec::new());
        }
        self.lines.push(vec![(text.into(), Role::Accent)]);
    }

    fn field(&mut self, name: &'static str, value: impl Into<String>) {
        self.painted(name, value, Role::Text);
    }

    fn painted(&mut self, name: &'static str, value: impl Into<String>, role: Role) {
        let value = value.into();
        if !value.is_empty() {
            self.lines.push(vec![(format!("  {name:<18}").into(), Role::Dim), (value.into(), role)]);
        }
    }

    fn text(&mut self, text: impl Into<String>, role: Role) {
        self.lines.push(vec![("  ".into(), Role::Text), (text.into().into(), role)]);
    }

    fn tags(&mut self, tags: &[(Str, Str)]) {
        for (n, (key, value)) in tags.iter().enumerate() {
            self.field(if n == 0 { "tags" } else { "" }, format!("{key} = {value}"));
        }
    }
}

fn shown_value(name: &str, value: &str) -> String {
    if secret::looks_secret(name, value) { format!("{} (not shown)", secret::MASK) } else { value.to_owned() }
}

/// The revision that a service or a task runs, or why there is nothing to tell of it.
fn revision(ctx: Ctx, arn: &Arn, cx: &Cx, page: &mut Page) {
    if let Some(known) = cx.store.definition(ctx, arn) {
        return definition(ctx, known, cx, page);
    }
    page.heading(format!("Task definition {}", arn.name()));
    match cx.store.error(&Feed::TaskDefinition(ctx, arn.clone())) {
        Some(error) => page.text(format!("{} {} · {}", Health::Warn.glyph(), error.what, error.hint), Role::Warn),
        None => page.text("loading …", Role::Dim),
    }
}

fn definition(ctx: Ctx, definition: &TaskDefinition, cx: &Cx, page: &mut Page) {
    page.heading(format!("Task definition {}", definition.short()));
    page.field("status", &*definition.status);
    page.field("registered", definition.registered_at.map_or(String::new(), |at| format!("{} ({} ago)", age::clock(at, cx), age::since(Some(at), cx.now))));
    page.field("registered by", definition.registered_by.as_deref().unwrap_or(""));
    let size = |v: &Option<Str>, unit: &str| v.as_ref().map(|v| format!("{v} {unit}"));
    let sizes: Vec<String> = [size(&definition.cpu, "CPU units"), size(&definition.memory, "MiB")].into_iter().flatten().collect();
    page.field("size", sizes.join(", "));
    page.field("platform", definition.platform.as_deref().unwrap_or(""));
    page.field("network mode", definition.network_mode.as_deref().unwrap_or(""));
    page.field("process namespace", definition.pid_mode.as_deref().unwrap_or(""));
    page.field("task role", definition.task_role.as_deref().unwrap_or(""));
    page.field("execution role", definition.execution_role.as_deref().unwrap_or(""));
    page.field("volumes", definition.volumes.iter().map(|v| &**v).collect::<Vec<_>>().join(", "));
    page.tags(&definition.tags);
    for container in &definition.containers {
        describe_container(ctx, container, cx, page);
    }
}

fn describe_container(ctx: Ctx, c: &ContainerDefinition, cx: &Cx, page: &mut Page) {
    let essential = if c.essential { "essential" } else { "not essential: its end does not end the task" };
    page.heading(format!("Container {} ({essential})", c.name));
    page.field("image", &*c.image);
    image(ctx, &c.image, cx, page);
    let limits = [
        (c.cpu > 0).then(|| format!("{} CPU units", c.cpu)),
        c.memory.map(|m| format!("{m} MiB hard")),
        c.memory_reservation.map(|m| format!("{m} MiB soft")),
    ];
    page.field("limits", limits.into_iter().flatten().collect::<Vec<_>>().join(", "));
    let port = |p: &crate::model::PortMapping| {
        let host = if p.host == 0 || p.host == p.container { String::new() } else { format!(" on host port {}", p.host) };
        format!("{}/{}{host}", p.container, p.protocol)
    };
    page.field("ports", c.ports.iter().map(port).collect::<Vec<_>>().join(", "));
    page.field("root file system", if c.readonly_root { "read-only: ECS Exec cannot work" } else { "" });
    page.field("init process", if c.init_process { "enabled" } else { "" });
    page.field("entry point", c.entry_point.iter().map(|w| &**w).collect::<Vec<_>>().join(" "));
    page.field("command", c.command.iter().map(|w| &**w).collect::<Vec<_>>().join(" "));
    page.field("health check", c.health_check.as_deref().unwrap_or("none defined"));
    page.field("waits for", c.depends_on.iter().map(|(name, condition)| format!("{name} {condition}")).collect::<Vec<_>>().join(", "));
    match &c.logs {
        Some(logs) => {
            page.field("log driver", &*logs.driver);
            for (name, value) in &logs.options {
                page.field("", format!("{name} = {}", shown_value(name, value)));
            }
        }
        None => page.field("log driver", "none: its output is not kept"),
    }
    for (n, (name, value)) in c.environment.iter().enumerate() {
        page.field(if n == 0 { "environment" } else { "" }, format!("{name} = {}", shown_value(name, value)));
    }
    for (n, file) in c.environment_files.iter().enumerate() {
        page.field(if n == 0 { "environment file" } else { "" }, &**file);
    }
    for (n, (name, from)) in c.secrets.iter().enumerate() {
        page.field(if n == 0 { "secrets" } else { "" }, format!("{name} from {from}"));
    }
}

/// What ECR says of the image: a tag that moved since the tasks started is the first question of many an incident.
fn image(ctx: Ctx, uri: &Str, cx: &Cx, page: &mut Page) {
    let feed = Feed::Image(ctx, uri.clone());
    if let Some(image) = cx.store.image(ctx, uri) {
        let pushed = image.pushed_at.map_or(String::new(), |at| format!("pushed {} ago · ", age::since(Some(at), cx.now)));
        let size = image.size.map_or(String::new(), |bytes| format!(" · {} MB", bytes / 1_000_000));
        page.field("in ECR", format!("{pushed}{}{size}", image.digest));
        page.field("tags", image.tags.iter().map(|t| &**t).collect::<Vec<_>>().join(", "));
        page.painted("findings", image.findings.iter().map(|(severity, n)| format!("{n} {severity}")).collect::<Vec<_>>().join(", "), Role::Warn);
    } else if let Some(error) = cx.store.error(&feed) {
        page.painted("in ECR", error.what.to_string(), Role::Warn);
    } else if ImageUri::parse(uri).ecr().is_none() {
        page.painted("in ECR", "not an ECR image", Role::Dim);
    }
}
