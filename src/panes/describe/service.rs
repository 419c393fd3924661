//! A service: its verdict, how it is deployed and reached, and what it runs.

use super::{revision, Page};
use crate::model::{Arn, Ctx, Service, TargetState};
use crate::theme::Role;
use crate::ui::age;
use crate::view::Cx;

pub(super) fn describe(ctx: Ctx, cluster: &Arn, arn: &Arn, cx: &Cx, page: &mut Page) -> Option<()> {
    let s = cx.store.service(ctx, cluster, arn)?;
    page.heading(format!("Service {}", s.name));
    if let Some(verdict) = cx.board.verdict(ctx, cluster, arn) {
        page.painted("health", format!("{} {} · {}", verdict.health.glyph(), verdict.health.word(), verdict.why), verdict.health.role());
        page.field("next", verdict.next_line());
        if verdict.health.troubled() {
            let sure = verdict.confidence.map_or("", |confidence| confidence.word());
            page.field("cause", verdict.cause.map_or(String::new(), |cause| format!("{} ({sure} confidence)", cause.word())));
        }
        for (n, evidence) in verdict.evidence.iter().enumerate() {
            let at = evidence.at.map_or(String::new(), |at| format!("{} ", age::clock(at, cx)));
            page.field(if n == 0 { "evidence" } else { "" }, format!("{at}{}", evidence.text));
        }
        if let Some(until) = verdict.grace_until {
            page.painted("grace", format!("unhealthy targets are in grace until {}", age::clock(until, cx)), Role::Busy);
        }
    }
    page.field("ARN", arn.as_str());
    page.field("status", &*s.status);
    page.field("tasks", format!("{} desired, {} running, {} pending", s.desired, s.running, s.pending));
    page.field("launch type", s.launch_type.as_deref().unwrap_or(""));
    let providers = s.capacity_providers.iter().map(|(name, base, weight)| format!("{name} (base {base}, weight {weight})"));
    page.field("capacity", providers.collect::<Vec<_>>().join(", "));
    page.field("platform version", s.platform_version.as_deref().unwrap_or(""));
    page.field("scheduling", &*s.scheduling);
    page.field("ECS Exec", if s.exec_enabled { "enabled for new tasks" } else { "not enabled" });
    page.field("created", s.created_at.map_or(String::new(), |at| format!("{} ({} ago)", age::clock(at, cx), age::since(Some(at), cx.now))));
    page.field("created by", s.created_by.as_deref().unwrap_or(""));
    page.tags(&s.tags);
    deployments(ctx, s, cx, page);
    network(ctx, s, cx, page);
    revision(ctx, &s.task_definition, cx, page);
    page.heading("Events");
    for event in s.events.iter().take(15) {
        page.text(format!("{}  {}", event.at.map_or(String::new(), |at| age::clock(at, cx)), event.message), Role::Text);
    }
    if s.events.len() > 15 {
        page.text(format!("… {} more: e", s.events.len() - 15), Role::Dim);
    }
    Some(())
}

fn deployments(ctx: Ctx, s: &Service, cx: &Cx, page: &mut Page) {
    page.heading("Deployments");
    page.field("controller", &*s.controller);
    page.field("strategy", s.strategy.as_deref().unwrap_or(""));
    if let (Some(min), Some(max)) = (s.min_percent, s.max_percent) {
        page.field("capacity", format!("min {min}% · max {max}% of desired"));
    }
    let breaker = s.circuit_breaker.map_or("not configured", |b| match (b.enabled, b.rollback) {
        (true, true) => "on, rolls back",
        (true, false) => "on, does not roll back",
        (false, _) => "off",
    });
    page.field("circuit breaker", breaker);
    for d in &s.deployments {
        let state = d.rollout_state.as_deref().unwrap_or("");
        let failed = if d.failed > 0 { format!(" · {} failed", d.failed) } else { String::new() };
        let role = if d.failed > 0 || state == "FAILED" { Role::Fail } else { Role::Text };
        let since = age::since(d.created_at, cx.now);
        page.painted("", format!("{} {state} {} · {}/{} running, {} pending{failed} · {since}", d.status, d.task_definition.name(), d.running, d.desired, d.pending), role);
        if let Some(reason) = &d.rollout_reason {
            page.painted("", format!("  {reason}"), Role::Dim);
        }
    }
    for set in &s.task_sets {
        let id = set.external_id.as_deref().unwrap_or(&set.id);
        page.field("task set", format!("{} {id} {} · {}/{} running", set.status, set.task_definition.name(), set.running, set.desired));
    }
    for d in cx.store.service_deployments(ctx, &s.arn).unwrap_or_default().iter().take(5) {
        let failures = d.failures.map_or(String::new(), |(n, threshold)| format!(" · {n} of {threshold} failures"));
        let at = d.started_at.or(d.created_at).map_or(String::new(), |at| age::clock(at, cx));
        page.field("past", format!("{at} {}{failures}{}", d.status, d.reason.as_deref().map_or(String::new(), |r| format!(" · {r}"))));
    }
}

fn network(ctx: Ctx, s: &Service, cx: &Cx, page: &mut Page) {
    page.heading("Load balancing and network");
    if s.load_balancers.is_empty() {
        page.field("target group", "no target group");
    }
    for lb in &s.load_balancers {
        let Some(arn) = &lb.target_group else {
            page.field("load balancer", format!("Classic, to {} port {}", lb.container, lb.port));
            continue;
        };
        page.field("target group", format!("{} to {} port {}", arn.target_group_name(), lb.container, lb.port));
        if let Some(g) = cx.store.target_group(ctx, arn) {
            page.field("health check", format!("{} {} every {}s, {}s timeout", g.protocol.as_deref().unwrap_or("?"), g.check_path.as_deref().unwrap_or(""), g.interval_seconds, g.timeout_seconds));
        }
        let targets = cx.store.targets(ctx, arn).unwrap_or_default();
        let healthy = targets.iter().filter(|t| t.state == TargetState::Healthy).count();
        if !targets.is_empty() {
            page.painted("targets", format!("{healthy} of {} healthy", targets.len()), if healthy == targets.len() { Role::Ok } else { Role::Warn });
        }
    }
    page.field("grace period", if s.grace_seconds > 0 { format!("{}s", s.grace_seconds) } else { String::new() });
    page.field("subnets", s.subnets.iter().map(|v| &**v).collect::<Vec<_>>().join(", "));
    page.field("security groups", s.security_groups.iter().map(|v| &**v).collect::<Vec<_>>().join(", "));
    page.field("public IP", s.public_ip.as_deref().unwrap_or(""));
}
