//! `midwatch doctor`: what keeps a session out of a container, each thing with its fix, without a screen.
//!
//! The checks are [`crate::exec::checks`]'s; here are the questions, the lines and the exit code.

use crate::aws::Clients;
use crate::exec::checks::{self, Check, Facts, Finding};
use crate::finding::{self, CTX, Found, Sought};
use crate::model::Str;
use crate::store::Store;
use serde_json::{Value, json};

/// Columns of what was looked at.
const WHAT: usize = 24;

/// What is to be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The task.
    pub sought: Sought,
    /// One of its containers; all of them without.
    pub container: Option<String>,
    /// JSON instead of text.
    pub json: bool,
}

/// How it came out; the number is the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Went {
    /// Nothing that could be looked at stands against a session.
    Well = 0,
    /// Something does.
    Badly = 1,
}

/// Looks, and tells line by line.
///
/// # Errors
/// One line about what the user must mend.
pub async fn examine(clients: &Clients, asked: &Asked, say: &mut dyn FnMut(&str)) -> Result<Went, String> {
    let mut store = Store::default();
    let found = finding::find(clients, &mut store, &asked.sought).await?;
    let containers: Vec<Str> = match &asked.container {
        Some(named) => vec![found.container(Some(named))?],
        None => found.task.containers.iter().map(|container| container.name.clone()).collect(),
    };
    let (cluster, task) = (&found.cluster, &found.task.arn);
    let feeds = |store: &Store| {
        let looks = containers.iter().flat_map(|name| checks::looks(store, CTX, cluster, task, name));
        let mut feeds = checks::feeds(store, CTX, cluster, task);
        for look in looks {
            // Most of what is asked is the same for all containers.
            if !feeds.contains(&look) {
                feeds.push(look);
            }
        }
        feeds
    };
    finding::ask(clients, &mut store, &feeds).await;
    let of = |container: &Str| Facts::of(&store, CTX, cluster, task, container).map(|facts| (container.clone(), facts));
    let facts: Vec<(Str, Facts)> = containers.iter().filter_map(of).collect();
    let examined: Vec<Examined> =
        facts.iter().map(|(name, facts)| Examined { name, checks: checks::checks(facts), audit: checks::audit(facts) }).collect();
    let went = if examined.iter().flat_map(|one| &one.checks).any(Check::failed) { Went::Badly } else { Went::Well };
    if asked.json {
        say(&as_json(&found, &examined, went).to_string());
    } else {
        for line in lines(&found, &examined) {
            say(&line);
        }
    }
    Ok(went)
}

/// One container.
struct Examined<'a> {
    name: &'a Str,
    checks: Vec<Check>,
    audit: String,
}

fn lines(found: &Found, examined: &[Examined]) -> Vec<String> {
    let task = &found.task;
    let of = task.service().map_or_else(|| task.group.to_string(), |service| format!("service {service}"));
    let mut lines = vec![format!("task {} of {of} in {} ({})", task.arn.name(), task.cluster.name(), task.arn.region())];
    let first = examined.first().map(|one| one.checks.as_slice()).unwrap_or_default();
    let shared = |check: &&Check| examined.iter().all(|one| one.checks.contains(check));
    lines.extend(first.iter().filter(shared).flat_map(line));
    for one in examined {
        let own: Vec<String> = one.checks.iter().filter(|check| !shared(check)).flat_map(line).collect();
        if examined.len() > 1 && !own.is_empty() {
            lines.push(format!("container {}", one.name));
        }
        lines.extend(own);
    }
    for (n, one) in examined.iter().enumerate() {
        if examined[..n].iter().all(|before| before.audit != one.audit) {
            lines.push(format!("  {}", one.audit));
        }
    }
    lines.push(summary(examined));
    lines
}

fn line(check: &Check) -> Vec<String> {
    let first = format!("{} {:<WHAT$} {}", check.glyph(), check.what, check.told);
    let advice = check.advice().map(|advice| {
        let word = match check.result {
            Finding::Unknown { .. } => "look",
            Finding::MayNotLook { .. } => "then",
            _ => "fix",
        };
        format!("  {:<WHAT$} {word}: {advice}", "")
    });
    std::iter::once(first).chain(advice).collect()
}

fn summary(examined: &[Examined]) -> String {
    let mut distinct: Vec<&Check> = Vec::new();
    for check in examined.iter().flat_map(|one| &one.checks) {
        if !distinct.contains(&check) {
            distinct.push(check);
        }
    }
    let count = |of: fn(&Finding) -> bool| distinct.iter().filter(|check| of(&check.result)).count();
    let (failed, warned) = (count(|found| matches!(found, Finding::Failed { .. })), count(|found| matches!(found, Finding::Warn { .. })));
    let unknown = count(|found| matches!(found, Finding::Unknown { .. } | Finding::MayNotLook { .. } | Finding::Reading));
    let passed = count(|found| matches!(found, Finding::Passed));
    let verdict = match failed {
        0 => "nothing that could be looked at stands against a session",
        _ if distinct.iter().any(|check| check.failed() && !check.surmise) => "no session can be opened",
        // What a simulator and a table say is a good guess.
        _ => "a session is not likely to open",
    };
    format!("{verdict}: {failed} failed, {warned} to mind, {passed} passed, {unknown} could not be looked at")
}

fn as_json(found: &Found, examined: &[Examined], went: Went) -> Value {
    let check = |check: &Check| json!({ "check": check.what, "result": check.word().replace(' ', "_"), "told": check.told, "guess": check.surmise, "advice": check.advice() });
    let container = |one: &Examined| json!({ "container": &**one.name, "checks": one.checks.iter().map(check).collect::<Vec<_>>(), "audit": one.audit });
    json!({
        "task": found.task.arn.as_str(),
        "cluster": found.task.cluster.as_str(),
        "ok": went == Went::Well,
        "containers": examined.iter().map(container).collect::<Vec<_>>(),
    })
}
