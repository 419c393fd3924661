//! Tasks that died, grouped: which container did it, which only followed, what it wrote last, and how often it happened.
//!
//! What a text of AWS means is told by [`cause`]; here is what only the task, its definition and its last lines show.

use super::cause::{Cause, Explanation};
use super::facts::{Facts, ended_at};
use super::service::Found;
use super::{Evidence, task};
use crate::model::{Container, ContainerDefinition, Task, TaskDefinition, Time};
use crate::text;
use std::fmt::Write as _;
use std::rc::Rc;

/// Different deaths that are explained; the rest of an hour's stops rarely adds a further one.
const GROUPS: usize = 6;

/// Seconds of life below which a task died at its start.
const AT_START_SECONDS: i64 = 120;

/// Cells of a line or command inside a sentence.
const QUOTED: usize = 150;

/// Lines of a dead container that evidence shows.
const LINES: usize = 4;

/// Last lines that are looked through for what went wrong.
const LINES_READ: usize = 40;

/// Tasks of one revision that died of the same thing.
#[derive(Clone)]
pub(super) struct Stops<'a> {
    /// Newest death first; at least one.
    tasks: Vec<&'a Task>,
    /// What the texts of the newest mean.
    pub explained: Rc<Explanation>,
    culprit: Option<&'a Container>,
}

/// Groups tasks, newest death first, by what they died of.
pub(super) fn grouped<'a>(facts: &Facts<'a>, failures: &[&'a Task]) -> Vec<Stops<'a>> {
    let mut groups: Vec<Stops<'a>> = Vec::new();
    for task in failures {
        if let Some(group) = groups.iter_mut().find(|group| same(group.newest(), task)) {
            group.tasks.push(task);
            continue;
        }
        if groups.len() == GROUPS {
            break;
        }
        let definition = (facts.definition)(&task.task_definition);
        let (explained, culprit) = (facts.memo.stopped(&task::stop(task, definition)), task::culprit(task, definition));
        let alike = |group: &&mut Stops| {
            let key = |c: Option<&Container>| c.map(|c| (c.name.clone(), c.exit_code));
            group.newest().task_definition == task.task_definition
                && group.explained.cause == explained.cause
                && key(group.culprit) == key(culprit)
                && explained.cause != Cause::Other
        };
        match groups.iter_mut().find(alike) {
            Some(group) => group.tasks.push(task),
            None => groups.push(Stops { tasks: vec![task], explained, culprit }),
        }
    }
    groups
}

/// Whether two tasks of one revision died with the very same texts and codes.
fn same(a: &Task, b: &Task) -> bool {
    let ended = |(a, b): (&Container, &Container)| a.exit_code == b.exit_code && a.reason == b.reason;
    a.task_definition == b.task_definition
        && a.stopped_reason == b.stopped_reason
        && a.stop_code == b.stop_code
        && a.containers.len() == b.containers.len()
        && a.containers.iter().zip(&b.containers).all(ended)
}

impl<'a> Stops<'a> {
    /// The task that died last.
    pub(super) fn newest(&self) -> &'a Task {
        self.tasks[0]
    }

    /// When the first of them died.
    pub(super) fn since(&self) -> Option<Time> {
        self.tasks.iter().filter_map(|t| ended_at(t)).min()
    }

    /// How many they are.
    pub(super) fn count(&self) -> usize {
        self.tasks.len()
    }

    /// Those of them that count for a question, if any does.
    pub(super) fn only(&self, counts: impl Fn(&Task) -> bool) -> Option<Self> {
        let tasks: Vec<&Task> = self.tasks.iter().filter(|t| counts(t)).copied().collect();
        (!tasks.is_empty()).then(|| Stops { tasks, ..self.clone() })
    }

    /// Whether the ground went away: nothing that the service or its release did.
    pub(super) fn of_the_ground(&self) -> bool {
        use Cause::{HostTerminated, InstanceDraining, PlatformMaintenance, SpotInterruption};
        matches!(self.explained.cause, SpotInterruption | HostTerminated | InstanceDraining | PlatformMaintenance)
    }

    /// The sentence that a verdict begins with.
    pub(super) fn sentence(&self, facts: &Facts<'a>) -> String {
        let times = if self.count() > 1 { format!(" ×{}", self.count()) } else { String::new() };
        let Some(culprit) = self.culprit.filter(|_| self.by_its_own_end()) else {
            return match self.explained.cause {
                Cause::ElbHealthCheck => format!("tasks fail the load balancer's health check{times}{}", self.elb(facts)),
                Cause::ContainerHealthCheck => format!("tasks fail their container health check{times}{}", self.own_check(facts)),
                _ if self.of_the_ground() => self.ground(),
                _ if self.newest().started_at.is_none() => format!("tasks cannot start{times}: {}{}", self.says(), self.role(facts)),
                _ => format!("tasks stop{times}: {}", self.says()),
            };
        };
        let code = culprit.exit_code.map(|code| format!("{code}{}", task::exit_word(code)));
        let mut says = match (self.explained.cause, code) {
            (Cause::OutOfMemory, _) => {
                let code = culprit.exit_code.map_or(String::new(), |code| format!(" (exit {code})"));
                format!("out of memory {}{times}: container {}{code}", self.life(), culprit.name)
            }
            (_, Some(code)) => format!("tasks die {}{times}: container {} exits {code}", self.life(), culprit.name),
            (_, None) => {
                let reason = culprit.reason.as_deref().map_or(String::new(), |reason| format!(": {reason}"));
                format!("tasks die {}{times}: container {} ends{reason}", self.life(), culprit.name)
            }
        };
        let definition = self.definition_of(facts, culprit);
        let lines = self.lines(facts, culprit);
        let command = last_command(&lines).map(str::to_owned);
        match (command, definition.and_then(command_of)) {
            (Some(command), _) => drop(write!(says, " after `{}`", text::fit(&command, QUOTED))),
            (None, Some(command)) => drop(write!(says, " running `{}`", text::fit(&command, QUOTED))),
            (None, None) => {}
        }
        if let Some(line) = telling(&lines) {
            let _ = write!(says, ": {}", text::fit(line, QUOTED));
        }
        let followers = self.followers();
        if !followers.is_empty() {
            let _ = write!(says, "; {} only followed", listed(&followers));
        }
        says
    }

    /// Sends nobody to read what the verdict quotes already.
    pub(super) fn advise(&self, facts: &Facts<'a>, found: Found) -> Found {
        let quoted = || self.culprit.is_some_and(|culprit| complaint(&self.lines(facts, culprit)).is_some());
        if self.explained.cause != Cause::AppExit || !quoted() {
            return found;
        }
        found.next("mend what the line says, or go back to the revision before", "B the way back · l the lines around it")
    }

    /// The last lines of the container, of the newest task whose lines are known: all of them died of the same.
    fn lines(&self, facts: &Facts<'a>, culprit: &Container) -> Vec<&'a str> {
        self.tasks.iter().map(|task| (facts.lines)(task, &culprit.name)).find(|lines| !lines.is_empty()).unwrap_or_default()
    }

    /// Whether a container ended by itself, rather than was never started or was told to go.
    fn by_its_own_end(&self) -> bool {
        use Cause::{AppExit, OutOfMemory, Segfault, SignalKillTimeout};
        matches!(self.explained.cause, AppExit | OutOfMemory | Segfault | SignalKillTimeout) && self.culprit.is_some()
    }

    /// When in its life the task died.
    fn life(&self) -> String {
        let life = self.newest().started_at.zip(ended_at(self.newest())).map(|(from, to)| to.as_second() - from.as_second());
        match life {
            Some(seconds) if seconds >= AT_START_SECONDS => format!("after {}", long(seconds)),
            _ => "at start".to_owned(),
        }
    }

    /// What AWS's texts mean, images without the registry of ECR: it is long, and the evidence has it.
    fn says(&self) -> String {
        let words = self.explained.says.split(' ').map(|word| match word.split_once(".amazonaws.com/") {
            Some((registry, image)) if registry.contains(".dkr.ecr") => image,
            _ => word,
        });
        words.collect::<Vec<_>>().join(" ")
    }

    /// Where the load balancer's check fails and what it got, as the scheduler or the targets tell.
    fn elb(&self, facts: &Facts<'a>) -> String {
        let told = self.newest().stopped_reason.as_deref().unwrap_or("");
        let group = told
            .split_once(":targetgroup/")
            .and_then(|(_, rest)| rest.split('/').next())
            .map_or(String::new(), |name| format!(" in {name}"));
        let of_event = facts
            .service
            .events
            .iter()
            .find_map(|event| event.message.split_once("(reason "))
            .map(|(_, rest)| rest.trim_end_matches([')', '.']));
        let of_target = || facts.unhealthy().first().and_then(|(_, target)| target.description.as_deref().or(target.reason.as_deref()));
        let got = of_event.or_else(of_target).map_or(String::new(), |got| format!(": {got}"));
        format!("{group}{got}")
    }

    /// Which container fails its own check, and the check's command.
    fn own_check(&self, facts: &Facts<'a>) -> String {
        let sick = self.newest().containers.iter().find(|c| &*c.health == "UNHEALTHY");
        let definition = (facts.definition)(&self.newest().task_definition);
        let checked =
            definition.and_then(|d| d.containers.iter().find(|c| sick.map_or(c.health_check.is_some(), |sick| sick.name == c.name)));
        match (checked, sick) {
            (Some(c), _) => format!(
                ": container {}{}",
                c.name,
                c.health_check.as_deref().map_or(String::new(), |check| format!(" by `{}`", text::fit(check, QUOTED)))
            ),
            (None, Some(c)) => format!(": container {}", c.name),
            (None, None) => String::new(),
        }
    }

    /// What the execution role has to do with it: it pulls, reads secrets and writes logs, and AWS's texts do not always name it.
    fn role(&self, facts: &Facts<'a>) -> String {
        let word = match self.explained.cause {
            Cause::SecretMissing => "not found by",
            Cause::SecretDenied | Cause::ImagePullDenied | Cause::LogDriverDenied | Cause::EnvFileUnavailable => "denied to",
            _ => return String::new(),
        };
        let definition = (facts.definition)(&self.newest().task_definition);
        let role = definition.and_then(|d| d.execution_role.as_deref()).map(|arn| arn.rsplit('/').next().unwrap_or(arn));
        match role {
            Some(role) if !self.explained.says.contains(role) => format!(" ({word} execution role {role})"),
            Some(_) => String::new(),
            None if self.explained.cause == Cause::SecretMissing => " (not found)".to_owned(),
            None => " (denied)".to_owned(),
        }
    }

    fn ground(&self) -> String {
        let provider = self.newest().capacity_provider.as_deref().map_or(String::new(), |name| format!(" of {name}"));
        let tasks = if self.count() == 1 { "1 task".to_owned() } else { format!("{} tasks", self.count()) };
        match self.explained.cause {
            Cause::SpotInterruption => format!("Spot interruption took {tasks}{provider}"),
            _ => format!("{tasks}{provider} lost: {}", self.explained.says),
        }
    }

    fn definition_of(&self, facts: &Facts<'a>, culprit: &Container) -> Option<&'a ContainerDefinition> {
        let definition: &TaskDefinition = (facts.definition)(&self.newest().task_definition)?;
        definition.containers.iter().find(|c| c.name == culprit.name)
    }

    /// Containers that ended because the culprit did: without a code of their own, or by the signals of a stop.
    fn followers(&self) -> Vec<&'a str> {
        let of = |c: &&Container| self.culprit.is_none_or(|culprit| culprit.name != c.name);
        let followed = |c: &&Container| matches!(c.exit_code, None | Some(0 | 137 | 143)) && c.reason.is_none();
        self.newest().containers.iter().filter(of).filter(followed).map(|c| &*c.name).collect()
    }

    /// What shows it: AWS's sentence, the containers with their codes, and the last lines of the one that did it.
    pub(super) fn evidence(&self, facts: &Facts<'a>, out: &mut Vec<Evidence>) {
        let task = self.newest();
        let revision = task.task_definition.name();
        let exit = self.culprit.and_then(|c| c.exit_code).map_or(String::new(), |code| format!("exit {code}"));
        let head = if exit.is_empty() { self.explained.cause.word().replace('_', " ") } else { exit };
        let times = if self.count() > 1 { format!(" ×{}", self.count()) } else { String::new() };
        let text = format!("{head}{times} · {revision} · task {}: {}", short(task.arn.name()), task::stop_sentence(task));
        out.push(Evidence { at: ended_at(task), text });
        if task.containers.len() > 1 && self.by_its_own_end() {
            let codes: Vec<String> = task.containers.iter().map(code_of).collect();
            out.push(Evidence { at: None, text: codes.join(" · ") });
        }
        let Some(culprit) = self.culprit else { return };
        let lines = self.lines(facts, culprit);
        let told = complaint(&lines).or(telling(&lines));
        // Who was told to go had nothing to say about it at last; what it complained of before may be why.
        let last = if self.by_its_own_end() { lines.len().saturating_sub(LINES) } else { lines.len() };
        let shown = |n: usize, line: &str| n >= last || told == Some(line.trim()) && (last < lines.len() || complains(line));
        let kept = lines.iter().enumerate().filter(|(n, line)| shown(*n, line)).map(|(_, line)| line);
        // One line said a hundred times is said once.
        let kept = kept.rev().scan(Vec::new(), |seen: &mut Vec<&str>, line| {
            let new = !seen.contains(&line.trim());
            seen.push(line.trim());
            Some((new, line))
        });
        let mut kept: Vec<&&str> = kept.filter(|(new, _)| *new).map(|(_, line)| line).collect();
        kept.reverse();
        out.extend(
            kept.into_iter().map(|line| Evidence { at: None, text: format!("{} wrote: {}", culprit.name, text::fit(line, 2 * QUOTED)) }),
        );
    }
}

/// The first eight characters of a task's id.
pub(super) fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

fn code_of(container: &Container) -> String {
    container.exit_code.map_or_else(|| format!("{} no exit code", container.name), |code| format!("{} exit {code}", container.name))
}

/// Names as a sentence lists them.
pub(super) fn listed(names: &[&str]) -> String {
    match names {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

/// Seconds in the largest unit that says enough.
fn long(seconds: i64) -> String {
    match seconds {
        ..3600 => format!("{} min", seconds / 60),
        3600..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// What a container was told to run, without the shell around it.
fn command_of(container: &ContainerDefinition) -> Option<String> {
    let words = if container.command.is_empty() { &container.entry_point } else { &container.command };
    let words: Vec<&str> = words.iter().map(|word| &**word).collect();
    let shell = |word: &&str| matches!(word.rsplit('/').next(), Some("sh" | "bash" | "ash")) || matches!(*word, "-c" | "-lc" | "-ec");
    let told = words.into_iter().skip_while(shell).collect::<Vec<_>>().join(" ");
    (!told.trim().is_empty()).then_some(told)
}

/// What a shell says before a command: `set -x`, or a script that tells what it does.
const COMMAND_SIGNS: &[&str] = &["+ ", "++ ", "$ ", "> ", "Running: ", "running: ", "exec: "];

fn as_command(line: &str) -> Option<&str> {
    COMMAND_SIGNS.iter().find_map(|sign| line.strip_prefix(sign)).map(str::trim).filter(|rest| !rest.is_empty())
}

/// The last command that the lines name.
fn last_command<'l>(lines: &[&'l str]) -> Option<&'l str> {
    lines.iter().rev().take(LINES_READ).find_map(|line| as_command(line))
}

/// Words that a failing program writes, strongest first: those of the first row say what failed, those of the second that something did.
const TELLING: [&[&str]; 2] = [
    &["sqlstate", "exception", "panic", "fatal", "error:", "traceback", "unhandled", "segmentation fault"],
    &["error", "failed", "cannot", "could not", "unable", "denied", "refused", "not found", "no such", "missing", "invalid", "timed out"],
];

/// Whether a line says something of its own, rather than a command or the trace below an error.
fn said(line: &str) -> bool {
    let line = line.trim();
    !line.is_empty() && !line.starts_with('#') && !line.starts_with("at ") && as_command(line).is_none()
}

fn has_any(line: &str, words: &[&str]) -> bool {
    let line = line.to_lowercase();
    words.iter().any(|word| line.contains(word))
}

fn complains(line: &str) -> bool {
    TELLING.iter().any(|words| has_any(line, words))
}

/// The line that says what went wrong, strongest words first.
fn complaint<'l>(lines: &[&'l str]) -> Option<&'l str> {
    let last: Vec<&str> = lines.iter().rev().filter(|line| said(line)).copied().collect();
    // What stands at the margin is the program's own word; what is indented is mostly the trace below it.
    let (own, below): (Vec<&str>, Vec<&str>) = last.iter().partition(|line| !line.starts_with([' ', '\t']));
    let found = TELLING.iter().find_map(|words| {
        let tells = |line: &&&str| has_any(line, words);
        own.iter().find(tells).or_else(|| below.iter().find(tells))
    });
    found.map(|line| line.trim())
}

/// The line that says what went wrong, else the last one.
fn telling<'l>(lines: &[&'l str]) -> Option<&'l str> {
    let late = &lines[lines.len().saturating_sub(LINES_READ)..];
    let last = || late.iter().rev().filter(|line| said(line));
    let own = || last().find(|line| !line.starts_with([' ', '\t']));
    complaint(late).or_else(|| own().or_else(|| last().next()).map(|line| line.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_says_what_failed_is_found_before_the_stack_below_it() {
        let lines = [
            "+ php artisan migrate --force",
            "INFO  Running migrations.",
            "SQLSTATE[42S01]: Base table or view already exists: 1050 Table 'lessons' already exists",
            "  at vendor/laravel/framework/src/Illuminate/Database/Connection.php:829",
            "#1 {main}",
            "done",
        ];
        assert_eq!(telling(&lines), Some(lines[2]));
        assert_eq!(last_command(&lines), Some("php artisan migrate --force"));
        let framed =
            ["INFO  Running migrations.", "  add_timezone ..... 212.48ms FAIL", "   QueryException", "  SQLSTATE[42S22]: Column not found"];
        assert_eq!(telling(&framed), Some("SQLSTATE[42S22]: Column not found"));
        assert_eq!(telling(&["starting", "listening on 80", ""]), Some("listening on 80"));
        assert_eq!(telling(&["bind: permission denied", "bye"]), Some("bind: permission denied"));
        assert_eq!((telling(&[]), last_command(&[])), (None, None));
    }

    #[test]
    fn names_are_listed_as_in_a_sentence() {
        assert_eq!([listed(&[]), listed(&["a"]), listed(&["a", "b"]), listed(&["a", "b", "c"])], ["", "a", "a and b", "a, b and c"]);
    }

    #[test]
    fn a_command_is_told_without_its_shell() {
        let container = |command: &[&str], entry: &[&str]| {
            let words = |words: &[&str]| words.iter().map(|w| (*w).into()).collect();
            ContainerDefinition { command: words(command), entry_point: words(entry), ..ContainerDefinition::default() }
        };
        assert_eq!(command_of(&container(&["/bin/sh", "-c", "a && b"], &[])).as_deref(), Some("a && b"));
        assert_eq!(command_of(&container(&[], &["node", "server.js"])).as_deref(), Some("node server.js"));
        assert_eq!(command_of(&container(&[], &[])), None);
    }
}
