//! What became of the calls of a run that ended before it heard of them: told at the next start, found out by reading.

use super::{Desk, Told};
use crate::change::journal::{self, Phase, Record};
use crate::change::trace::Found;
use crate::model::{Ctx, Time};

/// Calls that are looked into at one start; there is one at most for each change that was under way.
const MOST: usize = 20;

/// Seconds after which no window waits for an outcome any more.
const LONGEST_SECONDS: i64 = 120;

impl Desk {
    /// Reads what earlier runs left open in the journal and tells what became of it.
    pub async fn take_up(&self, records: &[Record], tell: impl Fn(Told) + Send + Sync) {
        let open = journal::open(records);
        for intent in open.iter().rev().take(MOST).rev().filter(|record| !under_way(record)) {
            self.take_up_one(intent, &tell).await;
        }
    }

    async fn take_up_one(&self, intent: &Record, tell: &(impl Fn(Told) + Send + Sync)) {
        let Phase::Intent { trace } = &intent.phase else { return };
        let head = format!("{} {} was begun and its outcome never heard", intent.what, at(intent));
        let known = self.fleet.all().find(|ctx: &Ctx| {
            let context = self.fleet.context(*ctx);
            context.name == intent.context && context.region == intent.region
        });
        let Some(ctx) = known else {
            let wanted = format!("open context {} in {} to find out", intent.context, intent.region);
            return tell(Told::Said(format!("{head} · {wanted}")));
        };
        let api = self.clients.api(ctx);
        let (found, applies) = match api.look(trace).await {
            Ok(Found::Applies(text)) => (text, true),
            Ok(Found::Absent(text)) => (text, false),
            Err(error) => return tell(Told::Said(format!("{head} · {}", error.what))),
        };
        let found = format!("{}: {found}", if applies { "it applies" } else { "it does not apply" });
        let phase =
            Phase::Unanswered { error: "the program ended before an answer came".into(), found: found.as_str().into(), known: true };
        if let Err(why) = self.write(&intent.outcome(api.now(), phase), tell).await {
            tell(Told::Said(why));
        }
        tell(Told::Said(format!("{head} · {found}")));
    }
}

fn at(record: &Record) -> String {
    record.time.strftime("on %d %b at %H:%M:%S UTC").to_string()
}

/// Whether another window of the program is at it, which hears of the outcome itself. No call takes so long; a number that lives longer
/// belongs to somebody else by now.
fn under_way(record: &Record) -> bool {
    Time::now().as_second() - record.time.as_second() < LONGEST_SECONDS && runs(record.process)
}

/// Whether a process of that id runs.
#[cfg(unix)]
fn runs(process: u32) -> bool {
    let pid = i32::try_from(process).ok().and_then(rustix::process::Pid::from_raw);
    process != std::process::id() && pid.is_some_and(|pid| rustix::process::test_kill_process(pid).is_ok())
}

#[cfg(not(unix))]
fn runs(_: u32) -> bool {
    false
}
