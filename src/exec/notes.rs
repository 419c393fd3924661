//! What the journal says of sessions: who opened which to what, and when and how it ended. Never what was typed, nor what was shown.

use super::{Carries, End, Grant};
use crate::aws::Api;
use crate::change::journal::{self, Phase, Record};
use crate::config::Places;
use crate::model::{Arn, Str, Time};

/// Where sessions are noted, and what is known of whoever opens them.
#[derive(Clone, Debug)]
pub struct Notes {
    /// Where the journal is; without a memory nothing is written.
    pub places: Places,
    /// Who is logged in at this machine.
    pub user: Str,
    /// The context's name.
    pub context: Str,
}

/// What a session is opened to.
#[derive(Clone, Debug)]
pub struct To {
    /// The cluster.
    pub cluster: Arn,
    /// The task.
    pub task: Arn,
    /// In words, `open a shell in app of checkout`.
    pub what: Str,
    /// The same with the AWS CLI.
    pub cli: Str,
}

impl Notes {
    /// Notes that a session is open, and gives the record back for [`Notes::ended`].
    ///
    /// # Errors
    /// One line, with the record: it could not be written.
    pub async fn opened(&self, api: &Api, grant: &Grant, to: &To) -> Result<Record, (Record, String)> {
        let record = self.record(api, grant, to);
        match self.write(&record).await {
            Ok(()) => Ok(record),
            Err(why) => Err((record, why)),
        }
    }

    /// Notes how it ended, and gives that record.
    ///
    /// # Errors
    /// One line, with the record: it could not be written.
    pub async fn ended(&self, opened: &Record, at: Time, end: &End) -> Result<Record, (Record, String)> {
        let Phase::Opened { session } = &opened.phase else { return Ok(opened.clone()) };
        let record = opened.outcome(at, Phase::Ended { session: session.clone(), how: how(end) });
        match self.write(&record).await {
            Ok(()) => Ok(record),
            Err(why) => Err((record, why)),
        }
    }

    fn record(&self, api: &Api, grant: &Grant, to: &To) -> Record {
        let (verb, action) = match grant.carries {
            Carries::Terminal => ("exec", "ecs:ExecuteCommand"),
            Carries::Port => ("forward", "ssm:StartSession"),
        };
        let rules = api.gate().rules().0;
        let identity = rules.identity(api.ctx());
        Record {
            // The session's id is AWS's, and so the only one of its kind.
            id: grant.session.as_str().into(),
            time: api.now(),
            process: std::process::id(),
            user: self.user.clone(),
            caller: identity.map_or_else(Str::default, |identity| identity.arn.clone()),
            account: identity.map_or_else(|| to.task.account().into(), |identity| identity.account.clone()),
            region: api.region().clone(),
            context: self.context.clone(),
            cluster: to.cluster.clone(),
            verb: verb.into(),
            action: action.into(),
            what: to.what.clone(),
            targets: vec![to.task.clone()],
            before: Vec::new(),
            after: Vec::new(),
            cli: vec![to.cli.clone()],
            compared: false,
            undoes: None,
            phase: Phase::Opened { session: grant.session.as_str().into() },
        }
    }

    async fn write(&self, record: &Record) -> Result<(), String> {
        if !self.places.remembers() {
            return Ok(());
        }
        let (places, line) = (self.places.clone(), journal::line(record));
        let written = tokio::task::spawn_blocking(move || places.append_synced(journal::FILE, &line)).await;
        written.map_err(|error| format!("the journal cannot be written: {error}"))?
    }
}

/// How it ended, in a line.
#[must_use]
pub fn how(end: &End) -> Str {
    match end {
        End::Left => "left".into(),
        End::Closed(None) => "the remote ended it".into(),
        End::Closed(Some(why)) => {
            crate::text::clean(&format!("the remote ended it: {}", why.split_whitespace().collect::<Vec<_>>().join(" ")))
        }
        End::Lost(why) => crate::text::clean(&format!("the connection was lost: {why}")),
        End::Refused(why) => crate::text::clean(&format!("it never began: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::{self, ContextSpec};
    use crate::model::Ctx;

    #[tokio::test]
    async fn the_journal_says_who_opened_what_and_how_it_ended_and_nothing_else() {
        let spec = ContextSpec {
            name: "demo".into(),
            region: Some("eu-west-1".into()),
            keys: Some(("a".into(), "b".into())),
            ..ContextSpec::default()
        };
        let clients = aws::connect(vec![spec]).await.unwrap();
        let root = std::env::temp_dir().join(format!("midwatch-notes-{}", std::process::id()));
        let places = Places::below(&root);
        let notes = Notes { places: places.clone(), user: "ann".into(), context: "demo".into() };
        let grant = Grant {
            session: "ecs-execute-command-1".into(),
            stream_url: "wss://host/".into(),
            token: "secret-token".into(),
            target: "ecs:c_t_r".into(),
            carries: Carries::Terminal,
        };
        let to = To {
            cluster: "arn:aws:ecs:eu-west-1:111122223333:cluster/c".into(),
            task: "arn:aws:ecs:eu-west-1:111122223333:task/c/t".into(),
            what: "open a shell in app".into(),
            cli: "aws ecs execute-command".into(),
        };
        let api = clients.api(Ctx(0));
        let opened = notes.opened(api, &grant, &to).await.unwrap();
        let end = End::Closed(Some("Unable to start\ncommand".into()));
        notes.ended(&opened, api.now(), &end).await.unwrap();
        let file = places.tail(journal::FILE, 1 << 20).unwrap();
        std::fs::remove_dir_all(&root).unwrap();
        assert!(!file.contains("secret-token"));
        let records = journal::read(&file);
        let told: Vec<String> = records.iter().map(Record::result).collect();
        assert_eq!(told, ["session opened", "session ended: the remote ended it: Unable to start command"]);
        assert!(
            records
                .iter()
                .all(|record| record.id == "ecs-execute-command-1".into() && &*record.user == "ann" && &*record.account == "111122223333")
        );
        assert!(journal::open(&records).is_empty(), "nothing is looked for at the next start");
    }
}
