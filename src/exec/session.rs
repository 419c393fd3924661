//! One session: dials, keeps the channel alive, dials again when it is lost, and ends it when its owner leaves.
//!
//! A task of its own. What the bytes mean it does not know; what is on the wire is `channel`'s affair, how to get there `link`'s.

mod clock;
mod dialling;

use super::channel::{Act, Channel, Names};
use super::crypt::DataKey;
use super::link::{Heard, Link, Trust};
use super::{Ask, End, Grant, Said};
use crate::aws::Api;
use clock::Clock;
use dialling::{Dialled, Dialling};
use std::collections::VecDeque;
use std::pin::Pin;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::time::Instant;
use uuid::Uuid;

/// What the owner may ask before it waits.
const ASKS: usize = 64;

/// What may be said before the remote waits.
const SAID: usize = 256;

/// Of that, what may be said before no more is read: an owner that shows half a megabyte late shows a Ctrl-C late.
const UNHEARD: usize = 64;

/// Bytes of output that are said together.
pub const TOGETHER: usize = 8 << 10;

/// Bytes that may wait for the network before nothing more is read: what is read must be acknowledged.
const UNSENT: usize = 4 << 20;

/// How a connection is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Pace {
    /// Time between two pings.
    ping: Duration,
    /// Silence after which a connection counts as dead.
    dead: Duration,
}

/// Two pings without an answer.
const PACE: Pace = Pace { ping: Duration::from_secs(30), dead: Duration::from_secs(75) };

/// What ending a session at AWS may take. Nobody waits for it.
const FAREWELL: Duration = Duration::from_secs(3);

/// The two ends of a session that its owner holds. Dropping them leaves the session; so does [`Ask::Leave`]. After [`Said::Ended`] the
/// channel `said` closes once everything is tidied up at AWS too: whoever can wait for that may, and nobody has to.
#[derive(Debug)]
pub struct Session {
    /// What the owner wants.
    pub asks: mpsc::Sender<Ask>,
    /// What it hears.
    pub said: mpsc::Receiver<Said>,
}

/// How a session is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Columns and rows of the terminal.
    pub size: (u16, u16),
    /// Which hosts may be dialled.
    pub trust: Trust,
}

/// Opens the channel of a grant. Must be called within a runtime.
#[must_use]
pub fn open(api: Api, grant: Grant, options: Options) -> Session {
    begin(api, grant, options, (PACE, Clock::default()))
}

fn begin(api: Api, grant: Grant, options: Options, time: (Pace, Clock)) -> Session {
    let (asks, wanted) = mpsc::channel(ASKS);
    let (saying, said) = mpsc::channel(SAID);
    tokio::spawn(Desk::new(api, grant, options, time, (wanted, saying)).run());
    Session { asks, said }
}

type Keying = Pin<Box<dyn Future<Output = Result<DataKey, String>> + Send>>;

/// How the channel is connected.
enum Line {
    Up(Box<Link>),
    Down(Dialling),
}

struct Desk {
    api: Api,
    session: String,
    /// The same on every connection.
    client: Uuid,
    trust: Trust,
    pace: Pace,
    clock: Clock,
    /// Where the channel is.
    url: String,
    token: String,
    channel: Channel,
    began: Instant,
    asks: mpsc::Receiver<Ask>,
    said: mpsc::Sender<Said>,
    /// What the owner has not been told yet.
    untold: VecDeque<Said>,
    keying: Option<Keying>,
    /// When the other end last showed life, and when it was last asked for it.
    alive: Instant,
    pinged: Instant,
    /// Whether the owner knows that the connection is lost.
    told_lost: bool,
    end: Option<End>,
}

/// What woke the desk.
enum Woken {
    Asked(Option<Ask>),
    Heard(Heard),
    Dialled(Dialled),
    Keyed(Result<DataKey, String>),
    Told,
    Time,
}

impl Desk {
    fn new(
        api: Api,
        grant: Grant,
        options: Options,
        (pace, clock): (Pace, Clock),
        (asks, said): (mpsc::Receiver<Ask>, mpsc::Sender<Said>),
    ) -> Desk {
        let Grant { session, stream_url: url, token, target, carries } = grant;
        let names = Names { session: session.clone(), target, carries };
        let born = u64::try_from(api.now().as_millisecond()).unwrap_or(1);
        let now = clock.now();
        Desk {
            channel: Channel::new(names, options.size, born),
            api,
            session,
            client: Uuid::new_v4(),
            trust: options.trust,
            pace,
            clock,
            url,
            token,
            began: now,
            asks,
            said,
            untold: VecDeque::new(),
            keying: None,
            alive: now,
            pinged: now,
            told_lost: false,
            end: None,
        }
    }

    async fn run(mut self) {
        let way = self.way();
        let mut line = Line::Down(Dialling::first(way, (self.url.clone(), self.token.clone())));
        loop {
            self.act(&mut line);
            self.tell();
            if let Some(end) = self.end.take() {
                return Box::pin(self.finish(line, end)).await;
            }
            let woken = self.wait(&mut line).await;
            let now = self.elapsed();
            match woken {
                Woken::Asked(None | Some(Ask::Leave)) => {
                    self.channel.leave(now);
                    self.act(&mut line);
                    self.untold.clear();
                    return Box::pin(self.finish(line, End::Left)).await;
                }
                Woken::Asked(Some(ask)) => self.channel.ask(ask, now),
                Woken::Heard(Heard::Frames(frames)) => {
                    self.alive = self.clock.now();
                    for frame in frames {
                        self.channel.heard(frame, now);
                    }
                }
                Woken::Heard(Heard::Gone { bye, why }) => line = self.lost(bye, why),
                Woken::Dialled(dialled) => self.dialled(&mut line, dialled),
                Woken::Keyed(key) => {
                    self.keying = None;
                    self.channel.key(key, now);
                }
                Woken::Told => {}
                Woken::Time => self.look_at_the_time(&mut line),
            }
        }
    }

    async fn wait(&mut self, line: &mut Line) -> Woken {
        let unsent = if let Line::Up(link) = line { link.unsent() } else { 0 };
        let behind = !self.untold.is_empty() || self.said.capacity() < SAID - UNHEARD;
        let reads = !behind && unsent < UNSENT;
        if !reads {
            // Who does not listen cannot say that nothing is said.
            self.alive = self.clock.now();
        }
        let wake = self.wake(line);
        let takes = self.channel.room() && unsent < UNSENT;
        let Desk { asks, said, keying, clock, .. } = self;
        let connected = async {
            match line {
                Line::Up(up) => Woken::Heard(up.turn(reads).await),
                Line::Down(dialling) => Woken::Dialled(dialling.done().await),
            }
        };
        let keyed = async {
            match keying {
                Some(keying) => keying.await,
                None => std::future::pending().await,
            }
        };
        let time = async {
            match wake {
                Some(wake) => clock.until(wake).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = said.closed() => Woken::Asked(None),
            ask = asks.recv(), if takes => Woken::Asked(ask),
            woken = connected => woken,
            key = keyed => Woken::Keyed(key),
            _ = said.reserve_many(SAID - UNHEARD), if behind => Woken::Told,
            () = time => Woken::Time,
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now() - self.began
    }

    /// When the time is to be looked at again.
    fn wake(&self, line: &Line) -> Option<Instant> {
        let Line::Up(_) = line else { return None };
        let channel = self.channel.wake().map(|at| self.began + at);
        [Some(self.pinged + self.pace.ping), Some(self.alive + self.pace.dead), channel].into_iter().flatten().min()
    }

    fn look_at_the_time(&mut self, line: &mut Line) {
        let now = self.clock.now();
        self.channel.tick(self.elapsed());
        let Line::Up(up) = line else { return };
        if self.alive + self.pace.dead <= now {
            *line = self.lost(false, format!("nothing was heard for {} s", self.pace.dead.as_secs()));
        } else if self.pinged + self.pace.ping <= now {
            self.pinged = now;
            up.ping();
        }
    }

    /// Does what the channel wants done.
    fn act(&mut self, line: &mut Line) {
        while let Some(act) = self.channel.act() {
            match act {
                Act::Send(bytes) => {
                    // Without a connection it waits in the channel, which sends it again.
                    if let Line::Up(link) = line {
                        link.send(bytes);
                    }
                }
                Act::Say(said) => self.say(said),
                Act::Key { id, context } => {
                    let api = self.api.clone();
                    self.keying = Some(Box::pin(async move {
                        let context: Vec<(&str, &str)> = context.iter().map(|(name, value)| (&**name, &**value)).collect();
                        api.data_key(&id, &context).await.map_err(|error| dialling::words(&error))
                    }));
                }
                Act::End(end) => self.end = Some(end),
            }
        }
    }

    fn say(&mut self, said: Said) {
        if let (Said::Output(more), Some(Said::Output(last))) = (&said, self.untold.back_mut())
            && last.len() + more.len() <= TOGETHER
        {
            last.extend_from_slice(more);
            return;
        }
        self.untold.push_back(said);
    }

    /// Tells the owner as much as it takes now.
    fn tell(&mut self) {
        while !self.untold.is_empty() {
            let Ok(place) = self.said.try_reserve() else { return };
            if let Some(said) = self.untold.pop_front() {
                place.send(said);
            }
        }
    }

    fn way(&self) -> dialling::Way {
        dialling::Way { api: self.api.clone(), session: self.session.clone(), trust: self.trust, url: self.url.clone() }
    }

    /// The connection is gone. The service closes each of them about once an hour, which is no news.
    fn lost(&mut self, bye: bool, why: String) -> Line {
        self.channel.lost();
        tracing::debug!(session = self.session, bye, why, "the data channel is lost");
        if !bye {
            self.told_lost = true;
            self.say(Said::Lost { attempt: 1, why });
        }
        Line::Down(Dialling::again(self.way()))
    }

    fn dialled(&mut self, line: &mut Line, dialled: Dialled) {
        let Line::Down(dialling) = line else { return };
        match dialled {
            Dialled::Up { mut link, url, token } => {
                (self.url, self.token) = (url, token);
                link.open(dialling::opening(&self.token, self.client));
                (self.alive, self.pinged) = (self.clock.now(), self.clock.now());
                link.ping();
                *line = Line::Up(link);
                self.channel.opened(self.elapsed());
                if std::mem::take(&mut self.told_lost) {
                    self.say(Said::Resumed);
                }
            }
            Dialled::Failed { attempt, why } => {
                tracing::debug!(session = self.session, attempt, why, "the data channel is not reached");
                if dialling.resumes() {
                    self.told_lost = true;
                    self.say(Said::Lost { attempt: attempt + 1, why });
                }
            }
            Dialled::Over(end) => self.end = Some(end),
        }
    }

    /// Says how it ended, and tidies up at AWS at the same time.
    async fn finish(mut self, line: Line, end: End) {
        let terminate = !matches!(end, End::Closed(_));
        let left = end == End::Left;
        self.untold.push_back(Said::Ended(end));
        let Desk { said, untold, api, session, .. } = self;
        let telling = async {
            for last in untold {
                // Who has gone hears nothing.
                let _ = said.send(last).await;
            }
        };
        // Whoever left need not take the last word.
        let telling = async { if left { drop(tokio::time::timeout(FAREWELL, telling).await) } else { telling.await } };
        let ending = async {
            if terminate && let Ok(Err(error)) = tokio::time::timeout(FAREWELL, api.terminate_session(&session)).await {
                tracing::debug!(%error, "the session could not be ended at AWS");
            }
        };
        let closing = async {
            if let Line::Up(link) = line {
                drop(tokio::time::timeout(FAREWELL, link.close()).await);
            }
        };
        tokio::join!(telling, ending, closing);
    }
}

#[cfg(test)]
mod tests;
