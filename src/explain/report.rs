//! What the judged documents are told as: a text for a reader, an object for a script.

use crate::model::{Arn, ServiceEvent, Str, Target, TargetState, Task, TaskDefinition, Time};
use crate::text::clean;
use crate::verdict::cause::{self, Cause, Confidence};
use crate::verdict::{self, Began, Evidence, Health, Judged, State, Verdict};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::sync::Arc;

/// What the documents held.
pub struct Read {
    /// How many they were.
    pub documents: usize,
    /// How many held nothing that is known here.
    pub unknown: usize,
    /// Replies that held names alone: of what, and how many.
    pub names: Vec<(&'static str, usize)>,
    /// Rows by kind.
    pub rows: Vec<(&'static str, usize)>,
}

/// An entry of a reply's `failures`: what AWS does not have, or could not do.
#[derive(PartialEq)]
pub struct Failure {
    /// Of what; may be empty.
    pub arn: Arn,
    /// AWS's word for it, such as MISSING.
    pub reason: Str,
    /// What else it says; may be empty.
    pub detail: Str,
}

/// One judged thing.
pub struct Subject {
    /// A service's name, a task's id, a target: what it is called.
    pub name: String,
    /// What kind of thing it is.
    pub kind: &'static str,
    /// Its cluster, where it has one.
    pub cluster: Option<String>,
    /// The service that a task is of, where that was not read itself.
    pub service: Option<String>,
    /// How many alike it stands for.
    pub count: usize,
    /// The verdict, complete with a cause.
    pub verdict: Verdict,
    cause: Cause,
    confidence: Confidence,
}

/// Everything that was judged, the worst first.
pub struct Report {
    /// What was judged.
    pub subjects: Vec<Subject>,
    /// What was read.
    pub read: Read,
    /// The time that it was judged at.
    pub now: Time,
    /// Whether the documents or the user told that time; else it is the moment of the judgement.
    pub dated: bool,
    /// Whether tasks of services were read, and no service.
    pub tasks_alone: bool,
}

impl Subject {
    fn new(kind: &'static str, name: String, verdict: Verdict) -> Self {
        // Where nothing went wrong the cause is normal life.
        let normal = match verdict.state {
            State::Steady | State::Idle => (Cause::SteadyState, Confidence::High),
            State::Rolling => (Cause::TasksStarted, Confidence::Medium),
            State::Stuck | State::Failing | State::Unknown => (Cause::Other, Confidence::Low),
        };
        let (cause, confidence) = (verdict.cause.unwrap_or(normal.0), verdict.confidence.unwrap_or(normal.1));
        Subject { name, kind, cluster: None, service: None, count: 1, verdict, cause, confidence }
    }

    pub(super) fn of_service(row: &Judged) -> Self {
        let mut subject = Subject::new("service", row.service.name.to_string(), row.verdict.clone());
        subject.cluster = Some(row.cluster.name().to_owned());
        subject
    }

    /// Tasks of no service; those that died of the same count as one.
    pub(super) fn of_tasks(tasks: &[Arc<Task>], definitions: &[Arc<TaskDefinition>], now: Time) -> Vec<Self> {
        let mut all: Vec<Subject> = Vec::new();
        for task in tasks {
            let definition = definitions.iter().find(|d| d.arn == task.task_definition).map(|d| &**d);
            let verdict = verdict::lone_task(task, definition, now);
            let service = task.service().map(str::to_owned);
            let alone = |known: &Subject| service.is_none() && known.name != task.arn.name();
            let alike = |known: &&mut Subject| known.service == service && !alone(known) && known.verdict.why == verdict.why;
            if let Some(known) = all.iter_mut().find(alike) {
                known.count += 1;
                continue;
            }
            let mut subject = Subject::new("task", task.arn.name().to_owned(), verdict);
            subject.cluster = Some(task.cluster.name().to_owned()).filter(|name| !name.is_empty());
            subject.service = service;
            all.push(subject);
        }
        all
    }

    /// Targets of no service that was read.
    pub(super) fn of_targets(targets: &[Target]) -> Vec<Self> {
        let judged = |target: &Target| {
            let both = [target.reason.as_deref(), target.description.as_deref()];
            let explained = cause::target(&both.into_iter().flatten().collect::<Vec<_>>().join(": "));
            let mut verdict = verdict::target(target, None);
            if target.state == TargetState::Healthy {
                return Subject::new("target", format!("{}:{}", target.id, target.port), verdict);
            }
            verdict.why = format!("{}: {}", target.state.as_str(), verdict.why);
            verdict.explain(&explained);
            Subject::new("target", format!("{}:{}", target.id, target.port), verdict)
        };
        targets.iter().map(judged).collect()
    }

    /// Events without their service: each different one, newest first.
    pub(super) fn of_events(events: &[ServiceEvent]) -> Vec<Self> {
        let mut all: Vec<Subject> = Vec::new();
        for event in events {
            let mut verdict = verdict::lone_event(&event.message);
            verdict.since = event.at;
            verdict.evidence = vec![Evidence { at: event.at, text: event.message.to_string() }];
            if let Some(known) = all.iter_mut().find(|known| known.verdict.why == verdict.why) {
                known.count += 1;
                continue;
            }
            let kind = if event.message.contains("service ") { "event" } else { "text" };
            all.push(Subject::new(kind, service_of(&event.message), verdict));
        }
        all
    }

    /// What AWS did not find or could not do.
    pub(super) fn of_failure(failure: &Failure) -> Self {
        let resource = failure.arn.as_str().splitn(6, ':').nth(5).unwrap_or_default();
        let kind = match resource.split('/').next() {
            Some("service") => "service",
            Some("task") => "task",
            Some("container-instance") => "instance",
            Some("cluster") => "cluster",
            _ => "failure",
        };
        let mut verdict = verdict::lone_event(&failure.reason);
        if &*failure.reason == "MISSING" {
            let (what, next) = match kind {
                "service" => ("ECS has no such service", "name, cluster and region: a deleted service is forgotten after a while"),
                "task" => ("ECS has no such task", "cluster and region; ECS forgets a stopped task after about an hour"),
                "instance" => ("no such container instance is registered", "cluster and region, and the instance in EC2"),
                "cluster" => ("ECS has no such cluster", "name and region"),
                _ => ("ECS does not have what was asked for", "name, cluster and region"),
            };
            verdict.why = format!("{what}: {}", failure.reason);
            verdict.next = format!("check {next}");
            verdict.confidence = Some(Confidence::High);
        }
        let detail = if failure.detail.is_empty() { String::new() } else { format!(": {}", failure.detail) };
        let text = format!("failures: {} {}{detail}", failure.arn, failure.reason);
        verdict.evidence = vec![Evidence { at: None, text }];
        let name = if failure.arn.as_str().is_empty() { "?" } else { failure.arn.name() };
        let mut subject = Subject::new(kind, name.to_owned(), verdict);
        subject.cluster = failure.arn.cluster_name().filter(|_| kind != "cluster").map(str::to_owned);
        subject
    }

    /// Where it stands in the list: the worst first.
    pub(super) fn rank(&self) -> (Health, String, String) {
        (self.verdict.health, self.cluster.clone().unwrap_or_default(), self.name.clone())
    }

    fn json(&self) -> Value {
        let v = &self.verdict;
        let mut object = json!({
            self.kind: self.name,
            "verdict": v.state.word(),
            "health": v.health.word(),
            "cause": self.cause.word(),
            "says": v.why,
            "evidence": v.evidence.iter().map(shown).collect::<Vec<_>>(),
            "next_check": v.next,
            "confidence": self.confidence.word(),
            "since": v.since.map(|at| at.to_string()),
            "began": v.began.map(|began| match began { Began::Before => "before the newest deployment", Began::After => "with or after the newest deployment" }),
        });
        let mut add = |name: &str, value: Option<Value>| {
            if let (Some(value), Some(fields)) = (value, object.as_object_mut()) {
                fields.insert(name.to_owned(), value);
            }
        };
        add("service", self.service.as_ref().map(|name| json!(name)));
        add("cluster", self.cluster.as_ref().map(|name| json!(name)));
        add("count", (self.count > 1).then(|| json!(self.count)));
        add("progress", v.progress.map(|(up, wanted)| json!({ "running": up, "desired": wanted })));
        add("grace_until", v.grace_until.map(|at| json!(at.to_string())));
        object
    }

    fn text(&self, out: &mut String) {
        let v = &self.verdict;
        let place = self.cluster.as_ref().map_or_else(|| self.name.clone(), |cluster| format!("{cluster}/{}", self.name));
        let of = self.service.as_ref().map_or(String::new(), |service| format!(" of service {service}"));
        let times = if self.count > 1 { format!(" ×{}", self.count) } else { String::new() };
        let _ = writeln!(out, "{} {:<7} {} {place}{of}{times}: {}", v.health.glyph(), v.state.word(), self.kind, v.why);
        let mut field = |name: &str, text: &str| {
            if !text.is_empty() {
                let _ = writeln!(out, "  {name:<11}{text}");
            }
        };
        field("cause", &format!("{} ({} confidence)", self.cause.word(), self.confidence.word()));
        field("since", &v.since.map_or(String::new(), |at| at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string()));
        for (n, evidence) in v.evidence.iter().enumerate() {
            field(if n == 0 { "evidence" } else { "" }, &shown(evidence));
        }
        field("next", &v.next);
    }
}

/// Evidence in one line, its time first.
fn shown(evidence: &Evidence) -> String {
    evidence.at.map_or_else(|| evidence.text.clone(), |at| format!("{} {}", at.strftime("%Y-%m-%dT%H:%M:%SZ"), evidence.text))
}

/// `(service NAME) …` names whose event it is.
fn service_of(message: &str) -> String {
    let named = message.strip_prefix("(service ").and_then(|rest| rest.split([')', ',']).next());
    clean(named.unwrap_or("?")).to_string()
}

impl Read {
    /// What was read, in words.
    #[must_use]
    pub fn words(&self) -> String {
        let counted = |(kind, n): &(&str, usize)| if *n == 1 { format!("1 {kind}") } else { format!("{n} {kind}s") };
        let rows = self.rows.iter().filter(|(_, n)| *n > 0).map(counted);
        let rows: Vec<String> = rows.chain(self.names.iter().map(|names| format!("names of {}", counted(names)))).collect();
        let documents = if self.documents == 1 { "1 document".to_owned() } else { format!("{} documents", self.documents) };
        let unknown = if self.unknown > 0 { format!(", {} of a kind not known here", self.unknown) } else { String::new() };
        let held = if rows.is_empty() { "nothing that can be judged".to_owned() } else { rows.join(", ") };
        format!("read {documents}{unknown}: {held}")
    }
}

impl Report {
    /// Whether there was anything to judge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.subjects.is_empty()
    }

    /// What the reader should know of what is missing.
    fn note(&self) -> Option<String> {
        if self.is_empty() {
            let names = self.read.names.first().map(|(kind, _)| match *kind {
                "task" => "these are names alone: pass them to aws ecs describe-tasks --tasks",
                "service" => "these are names alone: pass them to aws ecs describe-services --services",
                _ => "these are names alone: describe them",
            });
            return Some(names.unwrap_or("give the replies of describe-services and describe-tasks, at best both").to_owned());
        }
        let alone = "these tasks alone were judged, not their service: give the reply of describe-services too";
        self.tasks_alone.then(|| alone.to_owned())
    }

    /// For a script: the worst one's cause on top, all of them below.
    #[must_use]
    pub fn json(&self) -> Value {
        let verdicts: Vec<Value> = self.subjects.iter().map(Subject::json).collect();
        let top = |name: &str| verdicts.first().and_then(|worst| worst.get(name)).cloned().unwrap_or(Value::Null);
        json!({
            "verdict": top("verdict"),
            "cause": top("cause"),
            "says": top("says"),
            "evidence": if self.is_empty() { json!([]) } else { top("evidence") },
            "next_check": top("next_check"),
            "confidence": top("confidence"),
            "now": self.now.to_string(),
            "read": self.read.words(),
            "note": self.note(),
            "verdicts": verdicts,
        })
    }

    /// For a reader.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = String::new();
        for subject in &self.subjects {
            subject.text(&mut out);
            out.push('\n');
        }
        let _ = write!(out, "{}", self.read.words());
        if !self.is_empty() {
            let at = self.now.strftime("%Y-%m-%d %H:%M:%S UTC");
            let undated = if self.dated { "" } else { " (now: the documents tell no time)" };
            let _ = write!(out, ", judged as of {at}{undated}");
        }
        if let Some(note) = self.note() {
            let _ = write!(out, "; {note}");
        }
        out
    }
}
