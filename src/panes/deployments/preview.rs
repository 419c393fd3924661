//! What stands below the list of deployments about the one under the cursor: the whole reason, traffic and steps, images by digest.

use super::{reason, DeploymentRow};
use crate::model::{CodeDeployment, RevisionShare, ServiceDeployment};
use crate::theme::Role;
use crate::ui::age;
use crate::ui::frame;
use crate::view::Cx;
use ratatui::text::{Line, Span};

pub(super) fn lines(row: &DeploymentRow, width: usize, cx: &Cx) -> Vec<Line<'static>> {
    let room = width.saturating_sub(14).max(20);
    let mut lines = Vec::new();
    let mut put = |label: &str, text: &str, most: usize, role: Role| {
        for (n, part) in frame::wrapped(text, room).into_iter().take(most).enumerate().filter(|_| !text.is_empty()) {
            let label = Span::styled(format!("{:<9}", if n == 0 { label } else { "" }), cx.theme.style(Role::Dim));
            lines.push(Line::from(vec![label, Span::styled(part, cx.theme.style(role))]));
        }
    };
    let role = if row.health.troubled() { row.health.role() } else { Role::Text };
    put("why", &reason(row, cx), 2, role);
    if let Some(code) = &row.code {
        put("traffic", &traffic(code), 1, Role::Text);
        put("steps", &steps(code), 1, Role::Text);
        put("plan", &plan(code), 1, Role::Dim);
        put("missing", code.target_missing.as_deref().unwrap_or_default(), 1, Role::Warn);
    }
    if let Some(record) = &row.record {
        put("shares", &shares(row, record, cx), 1, Role::Text);
        put("waits", &waits(record, cx), 1, Role::Warn);
    }
    if let Some(revision) = &row.revision {
        let image = |(container, image, digest): &(crate::model::Str, crate::model::Str, Option<crate::model::Str>)| {
            let digest = digest.as_deref().map_or(String::new(), |digest| format!(" {}", digest.get(..19).unwrap_or(digest)));
            format!("{container} {}{digest}", image.rsplit('/').next().unwrap_or(image))
        };
        put("images", &revision.images.iter().map(image).collect::<Vec<_>>().join(" · "), 1, Role::Dim);
    } else if let Some(revision) = row.record.as_ref().and_then(|record| record.target_revision.as_ref()) {
        let why = cx.store.error(&crate::feed::Feed::ServiceRevision(row.ctx, revision.clone()));
        put("revision", why.map_or_else(|| revision.name().to_owned(), |error| error.what.to_string()).as_str(), 1, Role::Dim);
    }
    lines
}

/// `Blue 90% PRIMARY 3/3 · Green 10% ACTIVE 3/3`.
fn traffic(code: &CodeDeployment) -> String {
    let share = |share: &crate::model::TrafficShare| {
        let (wanted, running, _) = share.counts;
        format!("{} {}% {} {running}/{wanted}", share.label.as_deref().unwrap_or("?"), share.weight, share.status)
    };
    code.task_sets.iter().map(share).collect::<Vec<_>>().join(" · ")
}

/// The steps of the deployment with their signs: done, under way, failed, to come.
fn steps(code: &CodeDeployment) -> String {
    let sign = |status: &str| match status {
        "Succeeded" => "●",
        "InProgress" => "◌",
        "Failed" => "✖",
        "Skipped" => "○",
        _ => "·",
    };
    code.events.iter().map(|event| format!("{} {}", sign(&event.status), event.name)).collect::<Vec<_>>().join("  ")
}

/// What was planned: how traffic moves, and how long the old tasks stay.
fn plan(code: &CodeDeployment) -> String {
    let shift = code.shift.map(|shift| {
        if shift.linear { format!("{}% every {}m", shift.percent, shift.minutes) } else { format!("{}%, then all after {}m", shift.percent, shift.minutes) }
    });
    let after = code.waits.0.filter(|minutes| *minutes > 0).map(|minutes| format!("old tasks stay {minutes}m"));
    let parts = [Some(code.id.to_string()), Some(code.config.to_string()), shift, after, code.rollback.as_ref().map(ToString::to_string)];
    parts.into_iter().flatten().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" · ")
}

/// What each side has of tasks and, in native blue/green, of traffic.
fn shares(row: &DeploymentRow, record: &ServiceDeployment, cx: &Cx) -> String {
    if row.present.is_none() {
        return String::new();
    }
    let share = |word: &str, share: &RevisionShare| {
        let name = cx.store.service_revision(row.ctx, &share.arn).map_or(String::new(), |revision| format!(" {}", revision.task_definition.name()));
        let weight = share.production_weight.filter(|_| row.shifts()).map_or(String::new(), |weight| format!(" {weight}% of traffic"));
        let test = share.test_weight.filter(|weight| *weight > 0.0).map_or(String::new(), |weight| format!(" {weight}% of test"));
        format!("{word}{name} {}/{}{weight}{test}", share.running, share.requested)
    };
    let new = record.target.iter().map(|target| share("new", target));
    let bake = record.bake_minutes.filter(|minutes| *minutes > 0).map(|minutes| format!("bakes {minutes}m"));
    new.chain(record.sources.iter().map(|source| share("old", source))).chain(bake).collect::<Vec<_>>().join(" · ")
}

/// Hooks that wait for somebody, with what happens when nobody answers.
fn waits(record: &ServiceDeployment, cx: &Cx) -> String {
    let waits = record.hooks.iter().filter(|hook| &*hook.status == "AWAITING_ACTION");
    let hook = |hook: &crate::model::LifecycleHook| {
        let until = hook.expires_at.map_or(String::new(), |at| format!(" until {}", age::clock(at, cx)));
        let then = hook.on_timeout.as_deref().map_or(String::new(), |action| format!(", then {action}"));
        format!("{} hook waits for an answer{until}{then}", hook.kind)
    };
    waits.map(hook).collect::<Vec<_>>().join(" · ")
}
