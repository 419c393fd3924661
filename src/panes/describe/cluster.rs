//! A cluster: counts, capacity, instances.

use super::Page;
use crate::model::{Arn, Ctx};
use crate::theme::Role;
use crate::verdict::Health;
use crate::view::Cx;

pub(super) fn describe(ctx: Ctx, arn: &Arn, cx: &Cx, page: &mut Page) -> Option<()> {
    let cluster = cx.store.clusters(ctx)?.iter().find(|c| c.arn == *arn)?;
    page.heading(format!("Cluster {}", cluster.name));
    page.field("ARN", arn.as_str());
    page.field("status", &*cluster.status);
    page.field("services", cluster.services.to_string());
    page.field("tasks", format!("{} running, {} pending", cluster.running, cluster.pending));
    page.field("instances", cluster.instances.to_string());
    page.field("capacity", cluster.capacity_providers.iter().map(|p| &**p).collect::<Vec<_>>().join(", "));
    for (name, value) in &cluster.settings {
        page.field("setting", format!("{name} = {value}"));
    }
    page.field("exec encryption", cluster.exec.key.as_deref().map(|key| format!("KMS key {key}")).unwrap_or_default());
    page.field("exec logging", cluster.exec.logging.as_deref().unwrap_or(""));
    page.field("exec log group", cluster.exec.log_group.as_ref().map_or("", |(group, _)| group));
    page.field("exec bucket", cluster.exec.bucket.as_ref().map(|(bucket, _)| format!("s3://{bucket}")).unwrap_or_default());
    page.tags(&cluster.tags);
    let judged = cx.board.of(ctx, arn);
    if !judged.is_empty() {
        page.heading("Services");
        let mut rows: Vec<_> = judged.iter().collect();
        rows.sort_by_key(|row| (row.verdict.health, row.service.name.clone()));
        for row in rows {
            let health = row.verdict.health;
            page.text(format!("{} {:<8}{:<28}{}", health.glyph(), health.word(), row.service.name, row.verdict.why), health.role());
        }
    }
    let instances = cx.store.instances(ctx, arn).unwrap_or_default();
    if !instances.is_empty() {
        page.heading("Container instances");
    }
    for i in instances {
        let id = i.ec2_instance.as_deref().unwrap_or(i.arn.name());
        let health = if i.agent_connected && &*i.status == "ACTIVE" { Health::Ok } else { Health::Warn };
        let agent = if i.agent_connected { "" } else { " · agent not connected" };
        let left = format!("{} of {} CPU units, {} of {} MiB left", i.cpu.0, i.cpu.1, i.memory.0, i.memory.1);
        page.text(format!("{} {id:<20} {:<9} {} running, {} pending · {left}{agent}", health.glyph(), i.status, i.running, i.pending), if health == Health::Ok { Role::Text } else { Role::Warn });
    }
    Some(())
}
