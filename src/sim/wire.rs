//! HTTP in and out: accepts connections on loopback, reads a request, finds its service, proves who calls, asks the policies,
//! buckets and fault rules, lets the service answer, and writes the answer in the service's protocol.
//!
//! One lock holds the world; it is taken per request and never across an await. Answers carry the virtual time as `Date`.

mod auth;
mod call;
mod cbor;
mod query;
mod reply;
mod route;

pub(super) use cbor::time;
pub(super) use reply::{iso, refuse, uuid};
pub(super) use route::actions;

use super::clock::Clock;
use super::exec::Sessions;
use super::exec::door::{self, Visitor};
use super::exec::trouble::Rule;
use super::faults::{Faults, Kind};
use super::sts::Roles;
use super::throttle::Throttle;
use super::world::World;
use super::{Call, Received};
use call::{Kept, Request};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use reply::Body;
use std::collections::{HashMap, VecDeque};
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

/// Larger bodies are refused; the largest request of a real client is a task definition of 64 KB.
const LARGEST_BODY: usize = 1 << 20;
/// A client that announces a body has to send it.
const BODY_DEADLINE: Duration = Duration::from_secs(20);
/// Calls that are remembered for tests; a demo that runs for days must not grow.
const REMEMBERED: usize = 20_000;
/// Requests that are remembered with all that they said; a megabyte or two.
const KEPT: usize = 2_000;
/// The world is advanced at least this often, so that nobody has to catch up with an hour of it.
const LONGEST_NAP: Duration = Duration::from_secs(5);
const SHORTEST_NAP: Duration = Duration::from_millis(100);

/// Everything that changes.
#[derive(Debug)]
pub(super) struct State {
    pub(super) world: World,
    pub(super) faults: Faults,
    pub(super) throttle: Throttle,
    /// Credentials that `AssumeRole` has given out.
    pub(super) roles: Roles,
    /// Sessions inside containers.
    pub(super) sessions: Sessions,
    /// Live tails that are open, by account and region.
    pub(super) tails: HashMap<(String, String), usize>,
    calls: VecDeque<Call>,
    kept: VecDeque<Kept>,
    requests: u64,
}

impl State {
    pub(super) fn new(world: World, faults: Faults, sessions: Sessions) -> Self {
        Self {
            world,
            faults,
            throttle: Throttle::default(),
            roles: Roles::default(),
            sessions,
            tails: HashMap::new(),
            calls: VecDeque::new(),
            kept: VecDeque::new(),
            requests: 0,
        }
    }

    /// The id of the next request, as a UUID.
    fn request_id(&mut self) -> String {
        self.requests += 1;
        reply::uuid(self.world.seed, self.requests)
    }

    fn remember(&mut self, call: Call) {
        if self.calls.len() == REMEMBERED {
            self.calls.pop_front();
        }
        self.calls.push_back(call);
    }

    /// As [`State::remember`], with what was asked for.
    fn keep(&mut self, call: Call, request: &Request) {
        if let Ok(kept) = request.kept(&call) {
            if self.kept.len() == KEPT {
                self.kept.pop_front();
            }
            self.kept.push_back(kept);
        }
        self.remember(call);
    }
}

/// The world and its clock, shared by connections, live tails and the owner of the simulator.
#[derive(Debug)]
pub(super) struct Shared {
    clock: Clock,
    state: Mutex<State>,
}

impl Shared {
    pub(super) fn new(clock: Clock, state: State) -> Self {
        Self { clock, state: Mutex::new(state) }
    }

    pub(super) fn now(&self) -> i64 {
        self.clock.now()
    }

    /// The state, played up to now.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        // After a panic in one request the others go on with what there is.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let now = self.clock.now();
        state.world.advance_to(now);
        state
    }

    pub(super) fn step(&self, by: Duration) {
        self.clock.step(by);
        drop(self.state());
    }

    pub(super) fn set_faults(&self, faults: Faults, channel: Vec<Rule>) {
        let mut state = self.state();
        state.faults = faults;
        state.sessions.rules = channel.into();
    }

    pub(super) fn calls(&self) -> Vec<Call> {
        self.state().calls.iter().cloned().collect()
    }

    pub(super) fn take_calls(&self) -> Vec<Call> {
        self.state().calls.drain(..).collect()
    }

    pub(super) fn requests(&self) -> Vec<Received> {
        // Reading bodies does not need the world.
        let kept: Vec<Kept> = self.state().kept.iter().cloned().collect();
        kept.iter().map(Kept::read).collect()
    }

    pub(super) fn take_requests(&self) -> Vec<Received> {
        let kept: Vec<Kept> = self.state().kept.drain(..).collect();
        kept.iter().map(Kept::read).collect()
    }

    /// How long nothing can happen, in real time; none if time stands still.
    fn nap(&self) -> Option<Duration> {
        let speed = self.clock.speed();
        if speed <= 0.0 {
            return None;
        }
        let state = self.state();
        let due = state.world.next_due().map_or(LONGEST_NAP, |due| {
            let wait = u64::try_from(due - state.world.now()).unwrap_or_default();
            Duration::from_millis(wait).div_f64(speed)
        });
        Some(due.clamp(SHORTEST_NAP, LONGEST_NAP))
    }
}

/// Serves until `stop` speaks or is dropped.
pub(super) async fn serve(shared: Arc<Shared>, listener: TcpListener, stop: oneshot::Receiver<()>) {
    let listener = match tokio::net::TcpListener::from_std(listener) {
        Ok(listener) => listener,
        Err(error) => {
            tracing::error!(%error, "the embedded AWS cannot listen");
            return;
        }
    };
    let clockwork = Arc::clone(&shared);
    tokio::spawn(async move {
        while let Some(nap) = clockwork.nap() {
            tokio::time::sleep(nap).await;
        }
    });
    tokio::pin!(stop);
    loop {
        tokio::select! {
            _ = &mut stop => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    tokio::spawn(connection(Arc::clone(&shared), stream));
                }
                Err(error) => {
                    // Out of file descriptors, most likely: those in use are given back in a while.
                    tracing::warn!(%error, "the embedded AWS cannot accept a connection");
                    tokio::time::sleep(SHORTEST_NAP).await;
                }
            },
        }
    }
}

/// A fault wants the connection reset.
#[derive(Debug, thiserror::Error)]
#[error("the connection is reset by a fault rule")]
struct Reset;

async fn connection(shared: Arc<Shared>, stream: TcpStream) {
    // Answers are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let (admit, admitted) = mpsc::channel();
    let serving = Arc::clone(&shared);
    let service = service_fn(move |request| Box::pin(answer(Arc::clone(&serving), request, admit.clone())));
    let mut connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    let ended = std::future::poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let parts = connection.into_parts();
    let stream = parts.io.into_inner();
    if ended.as_ref().is_err_and(hyper::Error::is_user) {
        // Closing with unsent data discarded makes the system send RST instead of FIN.
        let _ = stream.set_zero_linger();
    } else if let (Ok(()), Ok(visitor)) = (ended, admitted.try_recv()) {
        door::enter(shared, visitor, stream, parts.read_buf).await;
    }
}

async fn answer(
    shared: Arc<Shared>,
    request: hyper::Request<Incoming>,
    admit: mpsc::Sender<Visitor>,
) -> Result<hyper::Response<Body>, Reset> {
    let (head, body) = request.into_parts();
    let read = tokio::time::timeout(BODY_DEADLINE, Limited::new(body, LARGEST_BODY).collect()).await;
    let request = match read {
        Ok(Ok(body)) => Request::new(&head, body.to_bytes()),
        Ok(Err(_)) => {
            return Ok(shared.unread(&head, 413, "RequestEntityTooLargeException", "Request body is larger than 1048576 bytes"));
        }
        Err(_) => {
            return Ok(shared.unread(&head, 408, "RequestTimeoutException", "The request body did not arrive in time"));
        }
    };
    let triage = shared.triage(&request);
    tokio::time::sleep(triage.faults.delay).await;
    match triage.faults.strike {
        Some(Kind::Hang) => std::future::pending().await,
        Some(Kind::Reset) => Err(Reset),
        Some(Kind::LostReply) => {
            drop(shared.perform(&request, triage));
            std::future::pending().await
        }
        Some(Kind::CutReply) => {
            drop(shared.perform(&request, triage));
            Err(Reset)
        }
        _ => {
            let mut response = shared.perform(&request, triage);
            if let Some(visitor) = response.extensions_mut().remove() {
                // The connection waits for it.
                let _ = admit.send(visitor);
            }
            Ok(response)
        }
    }
}
