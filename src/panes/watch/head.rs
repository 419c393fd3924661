//! The upper part of a watch: how far, how long, what it waits for, and what to think of it.

use crate::duration;
use crate::landing::{Landing, Side, Standing, Track};
use crate::text;
use crate::theme::Role;
use crate::ui::{age, frame};
use crate::verdict::Health;
use crate::view::Cx;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

/// Cells of a bar.
const BAR: usize = 24;

/// Rows that the parts below keep at least, where there are so many: a side and the timeline.
const BELOW: u16 = 11;

/// Draws the head and returns what is left below it.
pub(super) fn draw(track: &Track, landing: &Landing, area: Rect, buf: &mut Buffer, cx: &Cx) -> Rect {
    let room = usize::from(area.width.saturating_sub(4));
    let mut lines = lines(track, landing, room, area.height >= 20, cx);
    let most = usize::from(area.height.saturating_sub(2 + if area.height > BELOW + 6 { BELOW } else { area.height / 3 }));
    lines.truncate(most.max(1));
    let height = u16::try_from(lines.len()).unwrap_or(0) + 2;
    let own = Rect { height: height.min(area.height), ..area };
    let started = landing.followed.began.map_or(String::new(), |at| format!(" · began {}", age::clock(at, cx)));
    let title = format!("{} · {} · {} · {}{started}", landing.service, landing.id(), landing.status, landing.strategy);
    frame::draw(own, buf, cx.theme, &title, &(String::new(), Role::Dim));
    for (n, line) in lines.iter().enumerate() {
        let y = own.y + 1 + u16::try_from(n).unwrap_or(0);
        if y + 1 < own.bottom() {
            buf.set_line(own.x + 2, y, line, own.width.saturating_sub(4));
        }
    }
    Rect { y: own.bottom(), height: area.height.saturating_sub(own.height), ..area }
}

fn lines(track: &Track, landing: &Landing, room: usize, roomy: bool, cx: &Cx) -> Vec<Line<'static>> {
    let mut lines = Vec::new();
    let label = |word: &str| Span::styled(format!("{word:<9}"), cx.theme.style(Role::Dim));
    let mut put = |word: &str, sentence: String, role: Role, most: usize| {
        for (n, part) in frame::cut(&sentence, room.saturating_sub(9).max(20), most).into_iter().enumerate() {
            let head = if n == 0 { label(word) } else { label("") };
            lines.push(Line::from(vec![head, Span::styled(part, cx.theme.style(role))]));
        }
    };
    let sentence = format!("{} {}", landing.health.glyph(), landing.why);
    put(word(landing), sentence, landing.health.role(), if roomy { 3 } else { 2 });
    put("NEW", side(&landing.new, room), Role::Text, 1);
    // Once it is gone there is nothing to count.
    if landing.old.revision.is_some() || landing.old.wanted > 0 || landing.old.left() > 0 {
        put("OLD", side(&landing.old, room), Role::Dim, 1);
    }
    if let Some(line) = traffic(landing) {
        put("traffic", line, Role::Text, 1);
    }
    if let Some((line, role)) = stage(landing, cx) {
        put("stage", line, role, 1);
    }
    if let Some((line, role)) = failures(landing) {
        put("breaker", line, role, 1);
    }
    let (line, role) = pace(landing);
    put(if landing.end().is_some() { "took" } else { "elapsed" }, line, role, 1);
    if let Some(line) = capacity(landing) {
        put("capacity", line, Role::Dim, 1);
    }
    if let Some((line, role)) = alarms(landing) {
        put("alarms", line, role, 1);
    }
    if track.whole.gone(cx.store) {
        put("gone", "AWS knows no such service any more: this is how it was".to_owned(), Role::Warn, 1);
    }
    for (what, error) in unread(track, cx) {
        // Which action is missing stands at its end.
        put("unread", format!("{what}{error}"), Role::Stale, if roomy { 2 } else { 1 });
    }
    if let Some(missing) = &landing.stage.missing {
        put("missing", missing.to_string(), Role::Warn, 1);
    }
    if roomy {
        for (n, evidence) in landing.evidence.iter().filter(|evidence| !landing.why.contains(evidence.as_str())).take(2).enumerate() {
            put(if n == 0 { "seen" } else { "" }, text::fit_middle(&crate::verdict::brief(evidence), room.saturating_sub(9)).into_owned(), Role::Dim, 1);
        }
    }
    if !landing.next.is_empty() {
        put("next", landing.next.clone(), Role::Text, 1);
    }
    lines
}

/// What could not be read last time, the service itself first: what is above may be old.
fn unread(track: &Track, cx: &Cx) -> Vec<(String, String)> {
    let mut wanted = Vec::new();
    track.whole.want(cx.store, track.followed(), true, &mut wanted);
    let failed = |want: &crate::feed::Wanted| {
        let slot = cx.store.slot(want.feed())?;
        let error = slot.error.as_ref()?;
        let old = slot.at.map_or(String::new(), |at| format!("as of {}: ", age::clock(at, cx)));
        Some((old, error.what.to_string()))
    };
    let mut failed: Vec<(String, String)> = wanted.iter().filter_map(failed).collect();
    failed.dedup();
    failed.truncate(2);
    failed
}

fn word(landing: &Landing) -> &'static str {
    match &landing.standing {
        Standing::UnderWay if landing.pace.stuck().is_some() => "stuck",
        Standing::UnderWay => "now",
        Standing::GoingBack(_) => "back",
        Standing::Over(_) => "end",
    }
}

/// Revision, bar, counts.
fn side(side: &Side, room: usize) -> String {
    let name = side.revision.as_ref().map_or("?", crate::model::Arn::name);
    let filled = if side.wanted == 0 { 0 } else { (BAR * side.healthy.min(side.wanted) as usize).div_ceil(side.wanted as usize) };
    let bar = if room > 90 && (side.wanted > 0 || side.healthy > 0) { format!("{}{} ", "▓".repeat(filled), "░".repeat(BAR - filled)) } else { String::new() };
    format!("{:<24} {bar}{}", text::fit_middle(name, 24), side.counts())
}

fn traffic(landing: &Landing) -> Option<String> {
    let new = landing.new.weight?;
    let old = landing.old.weight.map_or(String::new(), |weight| format!(" · old {weight}%"));
    let test =
        landing.new.test_weight.filter(|weight| *weight > 0.0).map_or(String::new(), |weight| format!(" · {weight}% of the test traffic"));
    Some(format!("new {new}%{old}{test}"))
}

/// The stage, how long it bakes, its hooks, and last how many lifecycle events are done: what is cut off is what matters least.
fn stage(landing: &Landing, cx: &Cx) -> Option<(String, Role)> {
    let stage = &landing.stage;
    let mut parts = Vec::new();
    if stage.events.is_empty() {
        parts.extend(stage.name.as_ref().map(ToString::to_string));
    } else {
        // Names for those that matter: their whole row would not fit.
        let matters = stage.events.iter().filter(|(name, status)| &**status == "Failed" || Some(name) == stage.name.as_ref());
        parts.extend(matters.map(|(name, status)| format!("{name} {status}")));
    }
    if let Some(bake) = &stage.bake {
        let left =
            bake.until.map_or(format!("{} min", bake.minutes), |until| duration::short((until.as_second() - cx.now.as_second()).max(0)));
        parts.push(format!("{left} left, then {}", bake.then));
    }
    let hook = |hook: &crate::model::LifecycleHook| {
        let until = hook.expires_at.map_or(String::new(), |at| format!(" until {}", age::clock(at, cx)));
        let then = hook.on_timeout.as_deref().map_or(String::new(), |then| format!(", then {then}"));
        format!("{} hook {}{until}{then}", hook.kind, hook.status)
    };
    parts.extend(stage.hooks.iter().map(hook));
    if !stage.events.is_empty() {
        let done = stage.events.iter().filter(|(_, status)| matches!(&**status, "Succeeded" | "Skipped")).count();
        parts.push(format!("{done} of {} lifecycle events done", stage.events.len()));
    }
    let role = if stage.waits().is_some() { Role::Warn } else { Role::Busy };
    (!parts.is_empty()).then(|| (parts.join(" · "), role))
}

/// Failures against the threshold that ECS reports.
fn failures(landing: &Landing) -> Option<(String, Role)> {
    let state = landing.breaker.as_deref().map_or(String::new(), |state| format!(" · {state}"));
    let (failures, threshold) = landing.failures?;
    let signs = "✖".repeat(failures.min(10) as usize);
    let role = if failures > 0 { Health::Fail.role() } else { Role::Dim };
    Some((format!("{signs}{}{failures} of {threshold} failures{state}", if failures > 0 { " " } else { "" }), role))
}

fn pace(landing: &Landing) -> (String, Role) {
    let pace = &landing.pace;
    let mut parts = vec![pace.elapsed.map_or("?".to_owned(), duration::short)];
    let past = pace.past.map(|past| match past.count {
        1 => format!("the one before took {}", duration::short(past.p50)),
        count => format!("before ({count}): usually {}, up to {}", duration::short(past.p50), duration::short(past.p95)),
    });
    // While it bakes the time that is left is told by the stage.
    let bakes = landing.stage.bake.is_some() && pace.left.is_none() && pace.stuck().is_none();
    if landing.end().is_none() && !bakes {
        parts.push(match (pace.left, pace.stuck()) {
            (_, Some(still)) => format!("ETA none: no progress for {}", duration::short(still)),
            (Some(left), None) => format!("ETA about {}", duration::short(left)),
            (None, None) => "ETA none".to_owned(),
        });
    }
    // Last, because a narrow screen cuts it off.
    parts.extend(past.or_else(|| (!bakes).then(|| "no past deployment is known".to_owned())));
    let role = if pace.stuck().is_some() { Role::Warn } else { Role::Text };
    (parts.join(" · "), role)
}

fn capacity(landing: &Landing) -> Option<String> {
    let capacity = landing.capacity?;
    let ((min, least), (max, most)) = (capacity.min, capacity.max);
    Some(format!("min {min}% ({least}) ── now {} of {} ── max {max}% ({most})", capacity.now, capacity.desired))
}

fn alarms(landing: &Landing) -> Option<(String, Role)> {
    if landing.alarms.is_empty() {
        return None;
    }
    let sign = |state: Option<&str>| match state {
        Some("ALARM") => "✖",
        Some("OK") => "●",
        _ => "?",
    };
    let alarm = |alarm: &crate::landing::Wired| {
        let off = if alarm.triggered { " went off" } else { "" };
        format!("{} {} {}{off}", sign(alarm.state.as_deref()), alarm.name, alarm.state.as_deref().unwrap_or("not known"))
    };
    let bad = landing.alarms.iter().any(|alarm| alarm.triggered || alarm.state.as_deref() == Some("ALARM"));
    let role = if bad { Role::Fail } else { Role::Dim };
    Some((landing.alarms.iter().map(alarm).collect::<Vec<_>>().join(" · "), role))
}
