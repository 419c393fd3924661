//! One session from its beginning to its end: the agent's behaviour between a program and whoever is connected.
//!
//! A task of its own. Connections come and go; numbers, unacknowledged messages and the program stay. Time on the wire is real; the idle
//! timeout and the hourly goodbye go by the virtual clock.

mod handshake;
mod intake;
mod output;
mod way;

use super::crypt::{self, Keys};
use super::frame::{self, holds};
use super::remote::{self, Given, Remote, Said};
use super::stream::{self, Streams};
use super::trouble::{Kind, Troubles};
use super::ws::Frames;
use super::{Order, Told, What};
use crate::sim::wire::Shared;
use bytes::{Buf as _, Bytes, BytesMut};
use serde_json::json;
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::mpsc::{Receiver, Sender, UnboundedReceiver};
use tokio::time::MissedTickBehavior;
use uuid::Uuid;

/// How often what is overdue is looked for.
const TICK: Duration = Duration::from_millis(100);
/// After a channel opens, input is acknowledged and thrown away until the agent has made up its mind that there is no handshake.
const SKIPPING: Duration = Duration::from_millis(150);
/// The agent streams nothing in the first second of a program.
const HOLDS_BACK: Duration = Duration::from_secs(1);
/// So long does the agent wait for acknowledgements that still come, when the program has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A program that is gone may have this long until its terminal ends as well.
const ORPHANED: Duration = Duration::from_millis(500);
/// More than this is not taken in while the other side reads nothing.
const MOST_UNSENT: usize = 1 << 20;
/// Virtual time that a client has for each of its answers in a handshake.
const ANSWERS_BY_MS: i64 = 15_000;
/// Virtual time without a byte after which a session of ECS ends.
const IDLE_MS: i64 = 20 * 60_000;
/// Virtual time after which the service closes a connection.
const HOUR_MS: i64 = 3_600_000;

const NO_ANSWER: &str = "Handshake timed out. Please ensure that you have the latest version of the session manager plugin.";
const NO_CHALLENGE: &str = "Timed out waiting for encryption challenge.";
const TIMED_OUT: &str = "Your session timed out due to inactivity and has been terminated.";

/// A connection that has shown its token.
#[derive(Debug)]
pub(in crate::sim) struct Link {
    pub(super) read: OwnedReadHalf,
    pub(super) write: OwnedWriteHalf,
    pub(super) frames: Frames,
}

#[derive(Debug)]
struct Ears {
    read: OwnedReadHalf,
    frames: Frames,
}

#[derive(Debug)]
struct Mouth {
    write: OwnedWriteHalf,
    unsent: BytesMut,
}

#[derive(Debug, Clone, PartialEq)]
enum Stage {
    /// Nobody has come yet.
    Alone,
    /// Input is acknowledged and thrown away.
    Skipping(Instant),
    /// The client is asked what it can do; since then, by the virtual clock.
    Asking(i64),
    /// It is asked to prove that it has the key, by repeating this.
    Challenging(i64, Box<[u8; 64]>),
    /// The program runs, but its output is not streamed yet.
    Quiet(Instant),
    /// Both ways are open.
    Open,
    /// The program has ended; what it said is on its way until then.
    Ending(Instant, String),
}

struct Session {
    shared: Arc<Shared>,
    id: String,
    order: Order,
    streams: Streams,
    ears: Option<Ears>,
    mouth: Option<Mouth>,
    stage: Stage,
    remote: Option<remote::Program>,
    input: Option<Sender<Given>>,
    output: Option<Receiver<Said>>,
    keys: Option<Keys>,
    /// What the client may bind its data key to.
    challenge: String,
    /// The version that the client gave itself.
    client: String,
    troubles: Troubles,
    /// A message that is to go out behind the next.
    late: Option<Bytes>,
    /// Publication has stopped until then.
    paused: Option<Instant>,
    /// This connection says and hears nothing any more.
    silent: bool,
    /// Output that is not sent yet.
    unsaid: BytesMut,
    size: (u16, u16),
    active_ms: i64,
    linked_ms: i64,
    /// When the program was first found to be gone, though its terminal is still held.
    orphaned: Option<Instant>,
    over: bool,
}

/// Lives a session.
pub(super) async fn run(shared: Arc<Shared>, id: String, order: Order, told: UnboundedReceiver<Told>) {
    let now = shared.now();
    let session = Session {
        shared,
        id,
        order,
        streams: Streams::default(),
        ears: None,
        mouth: None,
        stage: Stage::Alone,
        remote: None,
        input: None,
        output: None,
        keys: None,
        challenge: crypt::fresh_challenge(),
        client: String::new(),
        troubles: Troubles::default(),
        late: None,
        paused: None,
        silent: false,
        unsaid: BytesMut::new(),
        size: (80, 24),
        active_ms: now,
        linked_ms: now,
        orphaned: None,
        over: false,
    };
    session.live(told).await;
}

/// However a session ends, it is over, and its place in the container is free.
impl Drop for Session {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        let now = state.world.now();
        state.sessions.end(&self.id, now);
    }
}

async fn hear(ears: Option<&mut Ears>) -> io::Result<usize> {
    match ears {
        Some(ears) => ears.read.read_buf(&mut ears.frames.bytes).await,
        None => pending().await,
    }
}

async fn say(mouth: Option<&mut Mouth>) -> io::Result<()> {
    let Some(mouth) = mouth else { return pending().await };
    if mouth.unsent.is_empty() {
        return pending().await;
    }
    let wrote = mouth.write.write(&mouth.unsent).await?;
    mouth.unsent.advance(wrote);
    Ok(())
}

async fn listen(output: Option<&mut Receiver<Said>>) -> Option<Said> {
    match output {
        Some(output) => output.recv().await,
        None => pending().await,
    }
}

async fn room(input: Option<&Sender<Given>>) -> bool {
    match input {
        Some(input) => input.reserve().await.is_ok(),
        None => pending().await,
    }
}

impl Session {
    async fn live(mut self, mut told: UnboundedReceiver<Told>) {
        let mut ticks = tokio::time::interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while !self.over {
            tokio::select! {
                word = told.recv() => match word {
                    Some(Told::Connected(link)) => self.connect(*link),
                    Some(Told::Ended) => self.finish(String::new()),
                    None => return,
                },
                read = hear(self.ears.as_mut()), if self.takes_in() => match read {
                    Ok(1..) => self.heard(),
                    _ => self.disconnect(),
                },
                wrote = say(self.mouth.as_mut()) => if wrote.is_err() { self.disconnect() },
                bytes = listen(self.output.as_mut()), if self.wants_output() => match bytes {
                    Some(Said::Bytes(bytes)) => self.unsaid.extend_from_slice(&bytes),
                    Some(Said::Flag(flag)) => self.say(holds::FLAG, flag.to_be_bytes().to_vec().into()),
                    None => self.ended(),
                },
                fits = room(self.input.as_ref()), if self.streams.has_next() => if fits { self.take_held() } else { self.input = None },
                _ = ticks.tick() => self.tick(),
            }
            self.stream();
        }
    }

    fn takes_in(&self) -> bool {
        !self.silent && self.mouth.as_ref().is_some_and(|mouth| mouth.unsent.len() < MOST_UNSENT)
    }

    fn streams_output(&self) -> bool {
        matches!(self.stage, Stage::Open | Stage::Ending(..)) && self.paused.is_none()
    }

    /// Less than a character may be left over from before.
    fn wants_output(&self) -> bool {
        self.streams_output() && self.unsaid.len() < 4 && self.streams.room() > 0 && self.mouth.is_some()
    }

    fn connect(&mut self, link: Link) {
        let Link { read, write, frames } = link;
        self.ears = Some(Ears { read, frames });
        self.mouth = Some(Mouth { write, unsent: BytesMut::new() });
        self.linked_ms = self.shared.now();
        self.active_ms = self.linked_ms;
        (self.silent, self.paused, self.late) = (false, None, None);
        self.heed();
        self.post(&stream::plain(frame::START, 0, Bytes::new(), created()));
        if self.stage == Stage::Alone {
            let longer = self.troubles.strikes(Kind::DiscardInput).map_or(Duration::ZERO, |rule| Duration::from_millis(rule.ms));
            self.stage = Stage::Skipping(Instant::now() + SKIPPING + longer);
            if self.order.key.is_some() || matches!(self.order.what, What::Port { .. }) {
                self.ask();
            }
        }
        // It may have spoken together with its first word.
        self.heard();
    }

    fn disconnect(&mut self) {
        (self.ears, self.mouth) = (None, None);
    }

    fn tick(&mut self) {
        let now = Instant::now();
        self.heed();
        if self.paused.is_some_and(|until| now >= until) {
            self.resume_publication();
        }
        if let Some(late) = self.late.take() {
            self.wire(&late);
        }
        match self.stage.clone() {
            Stage::Skipping(until) if now >= until => self.start(),
            Stage::Quiet(until) if now >= until => self.stage = Stage::Open,
            Stage::Asking(since) if self.shared.now() - since >= ANSWERS_BY_MS => self.fail(NO_ANSWER),
            Stage::Challenging(since, _) if self.shared.now() - since >= ANSWERS_BY_MS => self.fail(NO_CHALLENGE),
            Stage::Ending(until, why) if now >= until || self.output.is_none() && self.unsaid.is_empty() && self.streams.is_quiet() => {
                self.close(&why);
            }
            _ => {}
        }
        if self.paused.is_none()
            && self.mouth.is_some()
            && let Some(again) = self.streams.overdue(now)
        {
            self.emit(&again);
        }
        self.watch(now);
    }

    /// Looks after what ends a session from outside: the clock, the task, a program that is gone.
    fn watch(&mut self, now: Instant) {
        if self.over || matches!(self.stage, Stage::Ending(..)) {
            return;
        }
        let virtual_now = self.shared.now();
        if virtual_now - self.active_ms >= IDLE_MS {
            return self.finish(TIMED_OUT.to_owned());
        }
        let alive = {
            let state = self.shared.state();
            let place = &self.order.place;
            state.world.estate(&place.account, &place.region).is_some_and(|estate| place.is_alive(estate))
        };
        if !alive {
            return self.finish(String::new());
        }
        if self.mouth.is_some() && virtual_now - self.linked_ms >= HOUR_MS {
            self.say_goodbye();
        }
        // A terminal that a process in the background holds has no end of its own.
        let said_all = self.stage == Stage::Open && self.unsaid.is_empty() && self.output.as_ref().is_some_and(Receiver::is_empty);
        if self.remote.as_mut().is_some_and(remote::Program::is_gone) && said_all {
            let since = *self.orphaned.get_or_insert(now);
            if now - since > ORPHANED {
                self.ended();
            }
        }
    }

    fn start(&mut self) {
        if let Some(why) = self.order.may_not_record {
            return self.fail(why);
        }
        let shell = self.shared.state().sessions.shell;
        match remote::start(&self.order, shell, self.size, &self.client) {
            Ok(Remote { input, output, program }) => {
                (self.input, self.output, self.remote) = (Some(input), Some(output), Some(program));
                self.stage = match self.order.what {
                    What::Command(_) => Stage::Quiet(Instant::now() + HOLDS_BACK),
                    What::Port { .. } => Stage::Open,
                };
            }
            Err(why) => self.fail(&why),
        }
    }

    /// Ends the session with the agent's words.
    fn fail(&mut self, why: &str) {
        self.finish(format!("\n----------ERROR-------\n{why}"));
    }

    /// The program has ended by itself.
    fn ended(&mut self) {
        self.output = None;
        // Half a character can never become a whole one.
        if self.unsaid.len() < 4 {
            self.unsaid.clear();
        }
        self.input = None;
        self.remote = None;
        self.stage = Stage::Ending(Instant::now() + LAST_WORDS, String::new());
    }

    /// Ends the program, and the session with it.
    fn finish(&mut self, why: String) {
        (self.output, self.input, self.remote) = (None, None, None);
        self.unsaid.clear();
        self.stage = Stage::Ending(Instant::now() + LAST_WORDS, why);
    }

    /// The service's last word.
    fn close(&mut self, why: &str) {
        let payload = json!({
            "MessageType": frame::CLOSED,
            "MessageId": Uuid::new_v4().to_string(),
            "DestinationId": self.order.place.target,
            "SessionId": self.id,
            "SchemaVersion": 1,
            "CreatedDate": jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string(),
            "Output": why,
        });
        self.post(&stream::plain(frame::CLOSED, 0, payload.to_string().into(), created()));
        self.part("");
        self.over = true;
    }
}

fn created() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| u64::try_from(since.as_millis()).unwrap_or(1))
}
