//! The tail of a scope's streams: the past by `FilterLogEvents`, then what comes, by asking again or by Live Tail.
//!
//! What to ask and when is decided by [`plan::Plan`], which has no clock and no network; here it is only carried out, each request
//! beside the others, so that a slow log group delays none but itself. It never gives up: it ends when nobody listens any more.

mod live;
mod plan;

use self::live::{Live, Session};
use self::plan::{Group, Plan, Request};
use crate::aws::{Api, AwsError, ErrorKind, LiveBatch, LiveTail, LogGroup, LogPage};
use crate::feed::{Outcome, TailState};
use crate::model::{LogLine, LogSources};
use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};

/// Streams that one tail reads, three calls to a poll: more would take a quarter of the region's rate for itself.
pub const MOST_STREAMS: usize = 300;

/// AWS speaks every second on a Live Tail; so much silence means that the connection is dead.
const SILENCE: Duration = Duration::from_secs(10);

/// What a request brought.
enum News {
    Page(u64, Result<LogPage, AwsError>),
    Described(Group, Result<LogGroup, AwsError>),
    Opened(Session, Result<LiveTail, AwsError>),
    Live(Session, Option<(LiveTail, LiveBatch)>),
}

type Pending = FuturesUnordered<Pin<Box<dyn Future<Output = News> + Send>>>;

/// Reads the streams of `sources` and sends what comes, until `send` says that nobody listens or `sources` is dropped. Every change of
/// `sources`, even to the same value, makes it ask at once.
pub async fn tail<S, F>(api: Api, mut sources: watch::Receiver<Arc<LogSources>>, send: S)
where
    S: Fn(Outcome) -> F + Send,
    F: Future<Output = bool> + Send,
{
    let start = Instant::now();
    let clock = || u64::try_from(start.elapsed().as_millis()).unwrap_or(u64::MAX);
    let mut tail = Tail { api, plan: Plan::default(), live: Live::default(), pending: FuturesUnordered::new(), told: None };
    tail.plan.take(&sources.borrow_and_update().clone(), clock());
    loop {
        tail.ask(clock());
        let due = tail.plan.next_due().map_or(Duration::from_mins(1), Duration::from_millis);
        let outcome = tokio::select! {
            changed = sources.changed() => {
                if changed.is_err() {
                    return;
                }
                tail.plan.take(&sources.borrow_and_update().clone(), clock());
                tail.plan.poke(clock());
                None
            }
            Some(news) = tail.pending.next() => tail.hear(news, clock()),
            () = sleep_until(start + due) => None,
        };
        if let Some(outcome) = outcome
            && !send(outcome).await
        {
            return;
        }
    }
}

/// A tail at work.
struct Tail {
    api: Api,
    plan: Plan,
    live: Live,
    pending: Pending,
    /// How it stood when it was last told; nothing after a failure.
    told: Option<TailState>,
}

impl Tail {
    /// Sends every request that is due.
    fn ask(&mut self, now: u64) {
        for request in self.plan.due(now) {
            let api = self.api.clone();
            self.pending.push(Box::pin(async move { News::Page(request.batch, read(&api, request).await) }));
        }
        for group in self.plan.undescribed() {
            let api = self.api.clone();
            self.pending.push(Box::pin(async move {
                let described = api.log_group(&group.region, &group.name).await;
                News::Described(group, described)
            }));
        }
        for group in self.live.release(&self.plan) {
            self.plan.release(&group, now);
        }
        for session in self.live.open(&self.plan, now) {
            let (api, streams, arn) = (self.api.clone(), self.plan.names(&session.group), self.plan.arn(&session.group));
            self.pending.push(Box::pin(async move {
                let opened = api.live_tail(&session.group.region, &arn, &streams).await;
                News::Opened(session, opened)
            }));
        }
    }

    /// Takes in what a request brought.
    fn hear(&mut self, news: News, now: u64) -> Option<Outcome> {
        match news {
            News::Page(batch, Ok(page)) => {
                let lines = self.plan.page(batch, page, now);
                Some(self.tell(lines))
            }
            News::Page(batch, Err(error)) => {
                if self.plan.failed(batch, &error, now) {
                    self.told = None;
                    return Some(Outcome::Failed(Arc::new(error)));
                }
                Some(self.tell(Vec::new()))
            }
            News::Described(group, described) => {
                self.plan.described(&group, described.ok());
                None
            }
            News::Opened(session, Ok(tail)) => {
                if self.live.opened(&session) {
                    self.plan.hold(&session.group, now);
                    self.listen(session, tail);
                }
                None
            }
            News::Opened(session, Err(error)) => {
                let forever = matches!(error.kind, ErrorKind::Denied | ErrorKind::Invalid | ErrorKind::NotFound);
                self.live.refused(&session, &error, forever, now);
                Some(self.tell(Vec::new()))
            }
            News::Live(session, Some((tail, batch))) => {
                if !self.live.current(&session) {
                    return None;
                }
                self.live.sampled = batch.sampled;
                let lines = self.plan.events(&session.group, batch.events);
                self.listen(session, tail);
                Some(self.tell(lines)).filter(|outcome| !matches!(outcome, Outcome::Same))
            }
            News::Live(session, None) => {
                if self.live.broken(&session, now) {
                    self.plan.release(&session.group, now);
                }
                None
            }
        }
    }

    fn listen(&self, session: Session, mut tail: LiveTail) {
        self.pending.push(Box::pin(async move {
            match timeout(SILENCE, tail.next()).await {
                Ok(Some(Ok(batch))) => News::Live(session, Some((tail, batch))),
                // AWS ended it, it broke, or it is silent: the gap is filled by asking, then a new one is opened.
                Ok(Some(Err(_)) | None) | Err(_) => News::Live(session, None),
            }
        }));
    }

    fn tell(&mut self, lines: Vec<LogLine>) -> Outcome {
        let mut state = self.plan.state();
        state.live = self.live.on();
        state.sampled = state.live && self.live.sampled;
        state.note = state.note.or_else(|| self.live.note.clone());
        if lines.is_empty() && self.told.as_ref() == Some(&state) {
            return Outcome::Same;
        }
        self.told = Some(state.clone());
        Outcome::Lines(lines, state)
    }
}

async fn read(api: &Api, request: Request) -> Result<LogPage, AwsError> {
    api.filter_log_events(&request.group.region, &request.group.name, &request.streams, request.start, request.end, request.token).await
}
