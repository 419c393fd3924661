//! A task: where it is in its life, what its containers did, and what it runs.

use super::{revision, Page};
use crate::model::{Arn, Container, Ctx, Time};
use crate::theme::Role;
use crate::ui::age;
use crate::verdict;
use crate::view::Cx;

pub(super) fn describe(ctx: Ctx, cluster: &Arn, arn: &Arn, cx: &Cx, page: &mut Page) -> Option<()> {
    let t = cx.store.task(ctx, cluster, arn)?;
    let verdict = verdict::task(t, cx.now);
    page.heading(format!("Task {}", t.arn.name()));
    page.painted("state", format!("{} {} · {}", verdict.health.glyph(), t.status.as_str(), verdict.why), verdict.health.role());
    page.field("ARN", t.arn.as_str());
    page.field("group", &*t.group);
    page.field("started by", t.started_by.as_deref().unwrap_or(""));
    page.field("task definition", t.task_definition.name());
    page.field("health", &*t.health);
    page.field("launch type", t.launch_type.as_deref().unwrap_or(""));
    page.field("capacity provider", t.capacity_provider.as_deref().unwrap_or(""));
    page.field("platform version", t.platform_version.as_deref().unwrap_or(""));
    page.field("own task role", t.role.as_deref().unwrap_or(""));
    page.field("zone", t.zone.as_deref().unwrap_or(""));
    page.field("address", t.ip.as_deref().unwrap_or(""));
    page.field("subnet", t.subnet.as_deref().unwrap_or(""));
    page.field("instance", t.instance.as_ref().map_or("", |i| i.name()));
    page.field("ECS Exec", if t.exec_enabled { "started with it" } else { "not enabled" });
    page.tags(&t.tags);

    page.heading("Life");
    let step = |at: Option<Time>| at.map_or(String::new(), |at| format!("{} ({} ago)", age::clock(at, cx), age::since(Some(at), cx.now)));
    page.field("created", step(t.created_at));
    page.field("started", step(t.started_at));
    page.field("stopping", step(t.stopping_at));
    page.field("stopped", step(t.stopped_at));
    page.field("stop code", t.stop_code.as_deref().unwrap_or(""));
    page.painted("stopped reason", t.stopped_reason.as_deref().unwrap_or(""), if verdict::stopped_normally(t) { Role::Text } else { Role::Fail });

    page.heading("Containers");
    for c in &t.containers {
        let exit = c.exit_code.map_or(String::new(), |code| format!(" · exit {code}"));
        let failed = c.exit_code.is_some_and(|code| code != 0) && !verdict::stopped_normally(t);
        page.painted("", format!("{} {} · health {}{exit}", c.name, c.status, c.health), if failed { Role::Fail } else { Role::Text });
        page.field("  reason", c.reason.as_deref().unwrap_or(""));
        page.field("  image", &*c.image);
        page.field("  digest", c.digest.as_deref().unwrap_or(""));
        drift(ctx, &c.image, c.digest.as_deref(), cx, page);
        page.field("  ports", c.bindings.iter().map(|(port, host)| format!("{port} on host port {host}")).collect::<Vec<_>>().join(", "));
        page.field("  exec agent", agent(c, cx));
    }
    revision(ctx, &t.task_definition, cx, page);
    Some(())
}

/// The state of the agent of ECS Exec, since when, and what AWS says of it.
fn agent(container: &Container, cx: &Cx) -> String {
    let Some(state) = &container.exec_agent else { return String::new() };
    let since = container.exec_started_at.map_or(String::new(), |at| format!(" · started {} ago", age::since(Some(at), cx.now)));
    let why = container.exec_reason.as_deref().map_or(String::new(), |why| format!(" · {why}"));
    format!("{state}{since}{why}")
}

/// Whether the tag names another image now than the one that runs. An index and one of its platform images differ without drift,
/// so the words claim no more than what was compared.
fn drift(ctx: Ctx, image: &crate::model::Str, running: Option<&str>, cx: &Cx, page: &mut Page) {
    if let (Some(running), Some(now)) = (running, cx.store.image(ctx, image))
        && *running != *now.digest
    {
        page.painted("  ", "the tag names another digest in ECR now than the one that runs (or an index that holds it)", Role::Warn);
    }
}
