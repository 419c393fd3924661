//! Makes the running polls equal to the feeds that are wanted: starts what is missing, drops what is not, and never gives up.
//!
//! One poll is in flight per feed. What the answers mean is the store's affair; what a feed asks is `aws`'s.

mod pace;
mod passing;

pub use pace::Pace;

use crate::aws::{Clients, Poll};
use crate::budget::{Meter, Priority};
use crate::feed::{Feed, Outcome, Update, Wanted};
use crate::logs::source::tail;
use crate::model::{Ctx, LogSources, Time};
use pace::{Rest, Tempo};
use passing::Passing;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, mpsc, watch};
use tokio::task::JoinHandle;

/// Time within which the feeds of a context that can wait are asked for the first time.
pub const SPREAD: Duration = Duration::from_secs(20);

/// Time after which a poll whose task has died is started again.
const REVIVE: Duration = Duration::from_secs(5);

/// The usual time between two questions of what is wanted; nothing for what is asked once, and for logs.
#[must_use]
pub fn every(want: &Wanted) -> Option<Duration> {
    let answered = Rest::Answered { rows: 1 };
    let once = matches!(want, Wanted::Logs { .. });
    if once { None } else { pace::interval(want.feed(), answered, Care::of(want), Tempo::default()) }
}

/// The running polls.
#[derive(Debug)]
pub struct Watcher {
    clients: Clients,
    tx: mpsc::Sender<Update>,
    epoch: u32,
    tempo: Tempo,
    round: u64,
    running: HashMap<Feed, Running>,
    parked: Parked,
    passing: Passing,
}

/// A poll that runs. Dropping it ends it, wherever it stands.
#[derive(Debug)]
struct Running {
    task: JoinHandle<()>,
    started: Instant,
    control: watch::Sender<Control>,
    sources: Option<watch::Sender<Arc<LogSources>>>,
    poll: Option<Arc<Mutex<Poll>>>,
    round: u64,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// How much a feed matters. The greater, the more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Care {
    /// It can wait.
    Trickle,
    /// It costs much, and others tell the news.
    Gentle,
    /// A verdict or a count hangs on it.
    Beside,
    /// The operator looks at it.
    Focus,
}

impl Care {
    fn of(want: &Wanted) -> Self {
        match want {
            Wanted::Poll { focus: true, .. } => Care::Focus,
            Wanted::Poll { focus: false, .. } | Wanted::Logs { .. } => Care::Beside,
            Wanted::Gently { .. } => Care::Gentle,
            Wanted::Trickle { .. } => Care::Trickle,
        }
    }
}

/// What a poll must know while it runs.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Control {
    care: Care,
    tempo: Tempo,
    pokes: u64,
}

/// Where the updates of one feed go.
#[derive(Clone, Debug)]
struct Outbox {
    tx: mpsc::Sender<Update>,
    feed: Feed,
    epoch: u32,
}

impl Outbox {
    /// Sends, and waits while the channel is full. Returns whether anybody still listens.
    async fn send(self, outcome: Outcome) -> bool {
        self.tx.send(self.update(outcome)).await.is_ok()
    }

    /// Sends what the next whole answer will repeat: without room it is left out.
    fn offer(&self, outcome: Outcome) {
        let _ = self.tx.try_send(self.update(outcome));
    }

    fn update(&self, outcome: Outcome) -> Update {
        self.dated(outcome, Time::now())
    }

    fn dated(&self, outcome: Outcome, at: Time) -> Update {
        Update { feed: self.feed.clone(), epoch: self.epoch, at, outcome }
    }
}

impl Watcher {
    /// Watches nothing yet. Must be called, like [`Watcher::reconcile`], where a tokio runtime is at hand.
    #[must_use]
    pub fn new(clients: Clients, tx: mpsc::Sender<Update>) -> Self {
        let (tempo, running, parked, passing) = (Tempo::default(), HashMap::new(), Parked::default(), Passing::default());
        Watcher { clients, tx, epoch: 0, tempo, round: 0, running, parked, passing }
    }

    /// Makes the running polls equal to `wanted`. Cheap when nothing changed, so that it can follow every update.
    pub fn reconcile(&mut self, wanted: &[Wanted]) {
        self.round += 1;
        let mut trickles = Trickles::of(wanted, self.tempo);
        for want in wanted {
            let care = Care::of(want);
            let delay = trickles.next(want);
            match self.running.get_mut(want.feed()) {
                Some(running) if !running.task.is_finished() || running.started.elapsed() < REVIVE => {
                    // A feed may be wanted by two panes; who looks at it most decides.
                    let care = if running.round == self.round { care.max(running.control.borrow().care) } else { care };
                    running.round = self.round;
                    steer(&running.control, |control| control.care = care);
                    if let (Wanted::Logs { sources, .. }, Some(known)) = (want, &running.sources) {
                        known.send_if_modified(|known| (**known != **sources).then(|| *known = Arc::clone(sources)).is_some());
                    }
                }
                _ => {
                    let delay = delay.max(self.passing.delay(want.feed(), Instant::now()));
                    let running = self.start(want, care, delay);
                    self.running.insert(want.feed().clone(), running);
                }
            }
        }
        let round = self.round;
        for (feed, running) in self.running.extract_if(|_, running| running.round != round) {
            self.passing.dropped(&feed, running.started, Instant::now());
            self.parked.park(feed, &running);
        }
    }

    /// Asks these feeds again at once, as far as they run. Pokes that come while a poll is in flight make one more poll.
    pub fn poke(&mut self, feeds: &[Feed]) {
        for running in feeds.iter().filter_map(|feed| self.running.get(feed)) {
            match &running.sources {
                // A tail asks again whenever it hears of its sources, the same ones too.
                Some(sources) => sources.send_modify(|_| {}),
                None => steer(&running.control, |control| control.pokes += 1),
            }
        }
    }

    /// Drops all polls: updates that are still under way carry the old epoch, the next reconcile starts anew with this one.
    pub fn set_epoch(&mut self, epoch: u32) {
        if self.epoch != epoch {
            self.epoch = epoch;
            for (feed, running) in self.running.drain() {
                self.parked.park(feed, &running);
            }
        }
    }

    /// Polls at the usual pace, or slowly while nobody looks at the terminal.
    pub fn set_pace(&mut self, pace: Pace) {
        self.retime(Tempo { pace, ..self.tempo });
    }

    /// Stretches or shrinks all intervals; 1 is the built-in pace.
    pub fn set_refresh(&mut self, factor: f64) {
        self.retime(Tempo { factor, ..self.tempo });
    }

    /// The program's calls to AWS.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.clients.meter()
    }

    fn retime(&mut self, tempo: Tempo) {
        self.tempo = tempo;
        for running in self.running.values() {
            steer(&running.control, |control| control.tempo = tempo);
        }
    }

    fn start(&mut self, want: &Wanted, care: Care, delay: Duration) -> Running {
        let feed = want.feed().clone();
        let api = self.clients.api(feed.ctx()).clone();
        let outbox = Outbox { tx: self.tx.clone(), feed: feed.clone(), epoch: self.epoch };
        let (control, heard) = watch::channel(Control { care, tempo: self.tempo, pokes: 0 });
        let (task, sources, poll) = match want {
            Wanted::Poll { .. } | Wanted::Gently { .. } | Wanted::Trickle { .. } => {
                let poll = self.parked.take(&feed).unwrap_or_else(|| Arc::new(Mutex::new(Poll::new(api, feed))));
                (tokio::spawn(keep_polling(Arc::clone(&poll), outbox, delay, heard)), None, Some(poll))
            }
            Wanted::Logs { sources, .. } => {
                let (sources, streams) = watch::channel(Arc::clone(sources));
                (tokio::spawn(tail(api, streams, move |outcome| outbox.clone().send(outcome))), Some(sources), None)
            }
        };
        Running { task, started: Instant::now(), control, sources, poll, round: self.round }
    }
}

/// Gives each feed that can wait its time in the spread of its context.
struct Trickles(HashMap<Ctx, (u32, u32)>, f64);

impl Trickles {
    fn of(wanted: &[Wanted], tempo: Tempo) -> Self {
        let mut counts: HashMap<Ctx, (u32, u32)> = HashMap::new();
        for want in wanted.iter().filter(|want| matches!(want, Wanted::Trickle { .. })) {
            counts.entry(want.feed().ctx()).or_default().1 += 1;
        }
        Trickles(counts, tempo.factor.clamp(0.2, 100.0))
    }

    /// How long to wait before the first question.
    fn next(&mut self, want: &Wanted) -> Duration {
        let (Wanted::Trickle { feed }, counts) = (want, &mut self.0) else { return Duration::ZERO };
        let (before, all) = counts.entry(feed.ctx()).or_default();
        *before += 1;
        (SPREAD * *before / (*all).max(1)).mul_f64(self.1)
    }
}

/// Changes what a poll must know, and wakes it only if that is something new.
fn steer(control: &watch::Sender<Control>, change: impl FnOnce(&mut Control)) {
    control.send_if_modified(|control| {
        let before = *control;
        change(control);
        *control != before
    });
}

/// What polls knew when they were dropped: who comes back to a pane sees at once what it showed, dated as it was, and asks
/// only what has become old. What never changes is never asked again.
#[derive(Debug, Default)]
struct Parked(HashMap<Feed, (Arc<Mutex<Poll>>, Instant)>);

impl Parked {
    /// Polls that are remembered; the longest forgotten one makes room.
    const ROOM: usize = 1000;

    fn park(&mut self, feed: Feed, running: &Running) {
        // Who the caller is may be another after the next login.
        if matches!(feed, Feed::Identity(_)) {
            return;
        }
        let Some(poll) = running.poll.as_ref().filter(|_| !matches!(feed, Feed::Raw(..) | Feed::Look(..))) else { return };
        if self.0.len() >= Self::ROOM {
            let oldest = self.0.iter().min_by_key(|(_, (_, since))| *since).map(|(feed, _)| feed.clone());
            oldest.and_then(|feed| self.0.remove(&feed));
        }
        self.0.insert(feed, (Arc::clone(poll), Instant::now()));
    }

    fn take(&mut self, feed: &Feed) -> Option<Arc<Mutex<Poll>>> {
        self.0.remove(feed).map(|(poll, _)| poll)
    }
}

/// Polls until it is dropped.
async fn keep_polling(poll: Arc<Mutex<Poll>>, outbox: Outbox, delay: Duration, mut heard: watch::Receiver<Control>) {
    // The poll may still be in the hands of a task that was dropped a moment ago.
    let mut poll = poll.lock_owned().await;
    if let Some((outcome, at, ago)) = poll.recall() {
        let outcome = if let Outcome::Whole(value) = outcome { Outcome::Recalled(value) } else { outcome };
        let _ = outbox.tx.send(outbox.dated(outcome, at)).await;
        let rest = Rest::Recalled { rows: poll.rows() };
        wait(&outbox.feed, rest, ago, 0, &mut heard).await;
    } else {
        // Whoever needs it sooner ends the wait.
        let care = heard.borrow().care;
        let urgent = heard.wait_for(|control| control.care > care || control.pokes > 0);
        let _ = tokio::time::timeout(delay, urgent).await;
    }
    let mut failures = 0;
    // A request is only shown as such when somebody waits for it; a glyph that blinks at every poll says nothing.
    let mut awaited = true;
    loop {
        let control = *heard.borrow_and_update();
        if awaited {
            outbox.clone().send(Outcome::Busy).await;
        }
        let priority = if control.care == Care::Focus { Priority::Focus } else { Priority::Sweep };
        let asked = tokio::time::Instant::now();
        let answer = poll.ask(priority, &mut |rows, of| outbox.offer(Outcome::Part(rows, of))).await;
        let learnt = poll.learnt();
        if !learnt.is_empty() {
            outbox.clone().send(Outcome::Learnt(learnt)).await;
        }
        let rest = match answer {
            Ok(outcome) => {
                failures = 0;
                outbox.clone().send(outcome).await;
                Rest::Answered { rows: poll.rows() }
            }
            Err(error) => {
                failures += 1;
                let rest = Rest::Failed { kind: error.kind, failures };
                outbox.clone().send(Outcome::Failed(Arc::new(error))).await;
                rest
            }
        };
        awaited = wait(&outbox.feed, rest, asked.elapsed(), control.pokes, &mut heard).await;
    }
}

/// Waits until it is time to ask again, or somebody asks for it: then it returns true. `ago` is how long it is since the last question.
async fn wait(feed: &Feed, rest: Rest, ago: Duration, pokes: u64, heard: &mut watch::Receiver<Control>) -> bool {
    let (since, chance) = (tokio::time::Instant::now(), crate::retry::chance());
    loop {
        let control = *heard.borrow_and_update();
        if control.pokes != pokes {
            return true;
        }
        let due = async {
            match pace::interval(feed, rest, control.care, control.tempo) {
                Some(time) => tokio::time::sleep_until(since + pace::left(time, rest, control.care, ago, chance)).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => return false,
            // The watcher is gone, and this task with it at its next await.
            changed = heard.changed() => if changed.is_err() { std::future::pending::<()>().await },
        }
    }
}
