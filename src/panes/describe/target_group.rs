//! A target group: how it checks, and what it found.

use super::Page;
use crate::model::{Arn, Ctx};
use crate::verdict;
use crate::view::Cx;

pub(super) fn describe(ctx: Ctx, arn: &Arn, cx: &Cx, page: &mut Page) -> Option<()> {
    let g = cx.store.target_group(ctx, arn)?;
    page.heading(format!("Target group {}", g.name));
    page.field("ARN", arn.as_str());
    page.field("target type", &*g.target_type);
    page.field("traffic", format!("{} port {}", g.protocol.as_deref().unwrap_or("?"), g.port.map_or_else(|| "?".to_owned(), |p| p.to_string())));
    page.field("health check", format!("{} on {}", g.check_path.as_deref().unwrap_or("no path"), g.check_port.as_deref().unwrap_or("?")));
    page.field("codes", g.matcher.as_deref().unwrap_or(""));
    page.field("interval", format!("{}s, timeout {}s", g.interval_seconds, g.timeout_seconds));
    page.field("thresholds", format!("{} good to be healthy, {} bad to be unhealthy", g.healthy_threshold, g.unhealthy_threshold));
    for lb in &g.load_balancers {
        page.field("load balancer", lb.as_str());
    }
    if g.load_balancers.is_empty() {
        page.field("load balancer", "none uses this group, so nothing is checked");
    }
    page.heading("Targets");
    for t in cx.store.targets(ctx, arn).unwrap_or_default() {
        let verdict = verdict::target(t, None);
        page.text(format!("{} {}:{}  {}  {}", verdict.health.glyph(), t.id, t.port, t.state.as_str(), verdict.why), verdict.health.role());
    }
    Some(())
}
