//! The journal of all changes: one record of intent before each call and one of its outcome after it, a line of JSON each, append-only.
//!
//! Pure: it knows neither the file (see [`crate::config::Places`]) nor who writes it. What is read back is cleaned like any text from
//! outside.

use super::trace::Trace;
use crate::model::{Arn, Str, Time};
use crate::text::clean;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;

/// The file's name in the state directory.
pub const FILE: &str = "journal.jsonl";

/// Records of earlier runs that are shown.
pub const SHOWN: usize = 500;

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "phase", rename_all = "snake_case")]
pub enum Phase {
    /// A call is about to be sent.
    Intent {
        /// What will be seen if it is done.
        trace: Trace,
    },
    /// It would have been sent, but for the dry run.
    DryRun,
    /// AWS did it.
    Done {
        /// AWS's request id.
        request_id: Option<Str>,
        /// The revision, deployment or task that it made.
        made: Option<Str>,
    },
    /// AWS refused it, or it never left.
    Failed {
        /// AWS's request id.
        request_id: Option<Str>,
        /// Why, in words.
        error: Str,
    },
    /// No answer came.
    Unanswered {
        /// What failed.
        error: Str,
        /// What reading told.
        found: Str,
        /// Whether it is known by now; where it is not, the next start looks again.
        known: bool,
    },
    /// A session inside a container began. What is typed in it is nowhere.
    Opened {
        /// AWS's id of it.
        session: Str,
    },
    /// It ended.
    Ended {
        /// AWS's id of it.
        session: Str,
        /// How, in words.
        how: Str,
    },
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The same for an intent and its outcome.
    pub id: Str,
    /// When, by AWS's clock.
    pub time: Time,
    /// The process that wrote it.
    pub process: u32,
    /// Who was logged in at this machine.
    pub user: Str,
    /// The caller's ARN; empty when AWS did not tell.
    pub caller: Str,
    /// Account.
    pub account: Str,
    /// Region.
    pub region: Str,
    /// Context.
    pub context: Str,
    /// Cluster.
    pub cluster: Arn,
    /// What for, as the palette calls it.
    pub verb: Str,
    /// The call, in IAM's words.
    pub action: Str,
    /// What it does, to follow "Cannot".
    pub what: Str,
    /// What it acts on.
    pub targets: Vec<Arn>,
    /// As things were, `desired 6`.
    pub before: Vec<Str>,
    /// As they will be.
    pub after: Vec<Str>,
    /// The same with the AWS CLI.
    pub cli: Vec<Str>,
    /// Whether the operator had seen that something moved meanwhile.
    pub compared: bool,
    /// The id of the call that it takes back, where it takes one back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undoes: Option<Str>,
    /// What happened.
    #[serde(flatten)]
    pub phase: Phase,
}

impl Record {
    /// The outcome of an intent.
    #[must_use]
    pub fn outcome(&self, time: Time, phase: Phase) -> Record {
        Record { time, phase, ..self.clone() }
    }

    /// Whether it ends what an intent began.
    #[must_use]
    pub fn ends(&self) -> bool {
        !matches!(self.phase, Phase::Intent { .. } | Phase::Unanswered { known: false, .. })
    }

    /// What came of it, in words.
    #[must_use]
    pub fn result(&self) -> String {
        match &self.phase {
            Phase::Intent { .. } => "no outcome is known".to_owned(),
            Phase::DryRun => "dry run: not sent".to_owned(),
            Phase::Done { made: Some(made), .. } => self.done(made.rsplit('/').next().unwrap_or(made)),
            Phase::Done { made: None, .. } => "done".to_owned(),
            Phase::Failed { error, .. } => error.to_string(),
            Phase::Unanswered { found, .. } => format!("no answer: {found}"),
            Phase::Opened { .. } => "session opened".to_owned(),
            Phase::Ended { how, .. } => format!("session ended: {how}"),
        }
    }

    /// What a call made, in words. A new count is answered with the deployment that there was before: that one was not made.
    fn done(&self, made: &str) -> String {
        match (&*self.action, &*self.verb) {
            ("ecs:RegisterTaskDefinition", _) => format!("done: registered {made}"),
            ("ecs:RunTask", _) => format!("done: started task {made}"),
            ("codedeploy:CreateDeployment", _) => format!("done: began CodeDeploy deployment {made}"),
            ("ecs:UpdateService", "redeploy" | "roll back" | "deploy image") => format!("done: began deployment {made}"),
            _ => "done".to_owned(),
        }
    }

    /// AWS's request id.
    #[must_use]
    pub fn request_id(&self) -> Option<&str> {
        match &self.phase {
            Phase::Done { request_id, .. } | Phase::Failed { request_id, .. } => request_id.as_deref(),
            _ => None,
        }
    }
}

/// The record as a line of the file.
#[must_use]
pub fn line(record: &Record) -> String {
    // A value of these types has no key that JSON could not write.
    serde_json::to_string(record).map_or_else(|_| String::new(), |line| line + "\n")
}

/// The records of a file, oldest first. A line that is not one, as of a version to come or of a write that was cut, is passed over.
#[must_use]
pub fn read(file: &str) -> Vec<Record> {
    file.lines().filter_map(|line| serde_json::from_str(line).ok()).map(cleaned).collect()
}

/// Intents without an outcome, oldest first.
#[must_use]
pub fn open(records: &[Record]) -> Vec<&Record> {
    let ended: HashSet<&Str> = records.iter().filter(|record| record.ends()).map(|record| &record.id).collect();
    let intent = |record: &&Record| matches!(record.phase, Phase::Intent { .. }) && !ended.contains(&record.id);
    records.iter().filter(intent).collect()
}

/// Whoever may write the file must not be able to write to the terminal.
fn cleaned(record: Record) -> Record {
    let all = |texts: Vec<Str>| texts.iter().map(|text| clean(text)).collect();
    let phase = match record.phase {
        Phase::Done { request_id, made } => {
            Phase::Done { request_id: request_id.map(|text| clean(&text)), made: made.map(|text| clean(&text)) }
        }
        Phase::Failed { request_id, error } => Phase::Failed { request_id: request_id.map(|text| clean(&text)), error: clean(&error) },
        Phase::Unanswered { error, found, known } => Phase::Unanswered { error: clean(&error), found: clean(&found), known },
        Phase::Opened { session } => Phase::Opened { session: clean(&session) },
        Phase::Ended { session, how } => Phase::Ended { session: clean(&session), how: clean(&how) },
        phase @ (Phase::Intent { .. } | Phase::DryRun) => phase,
    };
    Record {
        id: clean(&record.id),
        user: clean(&record.user),
        caller: clean(&record.caller),
        account: clean(&record.account),
        region: clean(&record.region),
        context: clean(&record.context),
        cluster: Arn(clean(&record.cluster.0)),
        verb: clean(&record.verb),
        action: clean(&record.action),
        what: clean(&record.what),
        targets: record.targets.iter().map(|target| Arn(clean(&target.0))).collect(),
        before: all(record.before),
        after: all(record.after),
        cli: all(record.cli),
        undoes: record.undoes.map(|id| clean(&id)),
        phase,
        ..record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(id: &str, phase: Phase) -> Record {
        Record {
            id: id.into(),
            time: Time::UNIX_EPOCH,
            process: 7,
            user: "ann".into(),
            caller: "arn:aws:sts::1:assumed-role/oncall/ann".into(),
            account: "1".into(),
            region: "eu-west-1".into(),
            context: "shop".into(),
            cluster: "c".into(),
            verb: "scale".into(),
            action: "ecs:UpdateService".into(),
            what: "scale web to 20".into(),
            targets: vec!["web".into()],
            before: vec!["desired 6".into()],
            after: vec!["desired 20".into()],
            cli: Vec::new(),
            compared: false,
            undoes: None,
            phase,
        }
    }

    fn intent(id: &str) -> Record {
        record(id, Phase::Intent { trace: Trace::TaskStopped { task: "t".into() } })
    }

    #[test]
    fn what_was_written_is_read_again_and_a_line_that_was_cut_is_passed_over() {
        let records = [
            intent("a"),
            record("a", Phase::Done { request_id: Some("r-1".into()), made: None }),
            record("b", Phase::DryRun),
            record("c", Phase::Failed { request_id: None, error: "no".into() }),
            record("d", Phase::Unanswered { error: "no answer".into(), found: "it applies".into(), known: true }),
            record("e", Phase::Opened { session: "s-1".into() }),
            record("e", Phase::Ended { session: "s-1".into(), how: "left".into() }),
            Record { undoes: Some("a".into()), ..record("f", Phase::DryRun) },
        ];
        let file: String = records.iter().map(line).collect();
        assert_eq!(file.lines().count(), 8, "a record is a line");
        assert_eq!(file.matches("undoes").count(), 1, "what takes nothing back is written as before");
        assert_eq!(read(&(file + "{\"id\":\"cut in the mid")), records);
    }

    #[test]
    fn what_came_of_a_call_is_said_in_words() {
        let done = |action: &str, verb: &str, made: &str| {
            let phase = Phase::Done { request_id: None, made: Some(made.into()) };
            Record { action: action.into(), verb: verb.into(), ..record("a", phase) }.result()
        };
        assert_eq!(done("ecs:UpdateService", "redeploy", "ecs-svc/8"), "done: began deployment 8");
        assert_eq!(done("ecs:RegisterTaskDefinition", "deploy image", "task-definition/web:9"), "done: registered web:9");
        assert_eq!(done("ecs:UpdateService", "scale", "ecs-svc/8"), "done", "the deployment was there before");
    }

    #[test]
    fn intents_without_an_outcome_are_found() {
        let unknown = Phase::Unanswered { error: "no answer".into(), found: "not known".into(), known: false };
        let records = [
            intent("a"),
            intent("b"),
            record("a", Phase::Done { request_id: None, made: None }),
            intent("c"),
            record("c", unknown.clone()),
            record("d", Phase::DryRun),
        ];
        let ids: Vec<&str> = open(&records).iter().map(|record| &*record.id).collect();
        assert_eq!(ids, ["b", "c"]);
    }

    #[test]
    fn a_line_of_the_file_cannot_write_to_the_terminal() {
        let mut bad = record("a", Phase::Failed { request_id: None, error: "\u{1b}]52;c;aGk=\u{7}".into() });
        bad.what = "\u{1b}[31mred\u{202e}".into();
        let back = &read(&line(&bad))[0];
        assert!(!back.what.contains(['\u{1b}', '\u{202e}']) && !back.result().contains(['\u{1b}', '\u{7}']), "{back:?}");
    }
}
