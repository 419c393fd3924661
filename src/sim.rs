//! The embedded AWS: a loopback server that speaks what the SDKs speak, over a world that moves.
//!
//! `world` is the clockwork, `ecs`, `elbv2`, `logs`, `ecr`, `autoscaling`, `cloudwatch`,
//! `codedeploy`, `vault` and `sts` are the services on it, `wire` is HTTP in and out with
//! signatures, policies, throttles and faults; `exec` is what one can open inside its containers. It imports nothing from the rest of the crate, on purpose: a mistake that client
//! and simulator shared would cancel itself out. Scenarios are TOML, see [`scenario`]; fault rules see [`faults`].

mod autoscaling;
#[cfg(test)]
mod beside_tests;
pub mod clock;
mod cloudwatch;
mod codedeploy;
mod ec2;
mod ecr;
pub mod ecs;
mod elbv2;
mod eventstream;
pub mod exec;
pub mod faults;
mod iam;
mod kms;
mod logs;
pub mod rng;
pub mod scenario;
mod sigv4;
mod ssm;
mod sts;
mod throttle;
mod vault;
mod wait;
mod wire;
pub mod world;

use clock::Clock;
use exec::Sessions;
pub use exec::Shell;
use faults::Faults;
use serde::Serialize;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;
use tokio::sync::oneshot;
use wire::{Shared, State};
use world::World;

/// Stepping goes in bites, so that requests can come in between.
const BITE: Duration = Duration::from_secs(1);

/// What to serve, and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of an embedded scenario, or the path of a TOML file.
    pub scenario: String,
    /// Overrides of the scenario's parameters.
    pub set: Vec<(String, String)>,
    /// All chance comes from it.
    pub seed: u64,
    /// Virtual seconds in a real second; with 0, time moves by [`Sim::step`] alone, and throttle buckets refill
    /// only then.
    pub speed: f64,
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// What sessions inside containers talk to.
    pub shell: Shell,
    /// Keys that nobody can know but who asks [`Sim::contexts`], in place of the scenario's.
    pub fresh_keys: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            scenario: "small".to_owned(),
            set: Vec::new(),
            seed: 1,
            speed: 1.0,
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            shell: Shell::Builtin,
            fresh_keys: false,
        }
    }
}

/// One way into the world: what a client needs to sign requests.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContextInfo {
    /// Name, as of a profile.
    pub name: String,
    /// Home region.
    pub region: String,
    /// Twelve digits.
    pub account: String,
    /// Access key id.
    pub access_key: String,
    /// Secret access key.
    pub secret_key: String,
    /// Goes with the keys if they are temporary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_token: Option<String>,
    /// Clusters that one has to know by name, because the policy lets nobody list them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
}

/// A call that came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// Context that signed it; empty if nobody known did.
    pub context: Arc<str>,
    /// Signing name of the service, `ecs`; empty if it was for none of ours.
    pub service: &'static str,
    /// `DescribeServices`; empty if it was for none of ours.
    pub operation: &'static str,
    /// Virtual time of its arrival, in milliseconds since the epoch.
    pub at_ms: i64,
    /// HTTP status; 0 if a fault left it unanswered.
    pub status: u16,
    /// The error's code, or the fault that left it unanswered. After `lost_reply` and `cut_reply` it may have been done.
    pub error_code: Option<String>,
}

/// A call with all that it said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    /// When, for what, and what came of it.
    pub call: Call,
    /// Access key id of the signature; empty if there was none.
    pub access_key: String,
    /// The program that sent it, by its own account.
    pub user_agent: String,
    /// Parameters as JSON, whatever the protocol was; null if they could not be read. Out of a form, every value is a text.
    pub parameters: serde_json::Value,
}

/// Why there is no simulator, in one line.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The scenario or the fault rules cannot be used.
    #[error(transparent)]
    Scenario(#[from] scenario::Error),
    /// It would be open to the network.
    #[error("cannot listen on {0}: the embedded AWS serves this machine only; use 127.0.0.1:PORT")]
    NotLoopback(SocketAddr),
    /// The address cannot be bound.
    #[error("cannot listen on {addr}: {source}; choose another port, or 0 for a free one")]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// The system's word.
        source: std::io::Error,
    },
    /// No thread, no runtime.
    #[error("cannot start the embedded AWS: {0}; free some memory or threads and try again")]
    Thread(std::io::Error),
    /// A speed that is not a number of seconds.
    #[error("speed {0} makes no sense: give virtual seconds per real second, from 0 to 3600")]
    Speed(f64),
    /// A fault rule for nobody.
    #[error("a fault rule is for context `{name}`, which the scenario does not have; it has {known}")]
    FaultContext {
        /// What the rule says.
        name: String,
        /// What there is.
        known: String,
    },
}

/// The contexts of a scenario, without serving it.
///
/// # Errors
/// If the scenario cannot be read.
pub fn contexts(options: &Options) -> Result<Vec<ContextInfo>, Error> {
    Ok(infos(&scenario::load(&options.scenario, &options.set)?))
}

fn infos(scenario: &scenario::Scenario) -> Vec<ContextInfo> {
    let info = |context: &scenario::schema::Context| ContextInfo {
        name: context.name.clone(),
        region: context.region.clone(),
        account: context.account.clone(),
        access_key: context.access_key.clone(),
        secret_key: context.secret_key.clone(),
        session_token: context.session_token.clone(),
        clusters: context.clusters.clone(),
    };
    scenario.context.iter().map(info).collect()
}

/// Gives a context keys that nobody can guess.
fn renew(context: &mut scenario::schema::Context) {
    let fresh = exec::secret().to_uppercase();
    // Of the shape of real ones, for clients look at them.
    let kind = if context.session_token.is_some() { "ASIA" } else { "AKIA" };
    context.access_key = format!("{kind}{}", &fresh[..16]);
    exec::secret()[..40].clone_into(&mut context.secret_key);
    if let Some(token) = &mut context.session_token {
        *token = exec::secret();
    }
}

/// A running embedded AWS on a thread of its own; it ends when this is dropped.
#[derive(Debug)]
pub struct Sim {
    addr: SocketAddr,
    contexts: Vec<ContextInfo>,
    seed: u64,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Sim {
    /// Builds the world and listens; clients may connect as soon as this returns.
    ///
    /// # Errors
    /// See [`Error`].
    pub fn start(options: Options) -> Result<Self, Error> {
        let Options { scenario: name, set, seed, speed, listen, shell, fresh_keys } = options;
        if !(0.0..=3600.0).contains(&speed) {
            return Err(Error::Speed(speed));
        }
        if !listen.ip().is_loopback() {
            return Err(Error::NotLoopback(listen));
        }
        let mut scenario = scenario::load(&name, &set)?;
        if fresh_keys {
            scenario.context.iter_mut().for_each(renew);
        }
        let contexts = infos(&scenario);
        let listener = TcpListener::bind(listen).map_err(|source| Error::Listen { addr: listen, source })?;
        let bound = listener.local_addr().map_err(|source| Error::Listen { addr: listen, source })?;
        listener.set_nonblocking(true).map_err(Error::Thread)?;
        let clock = Clock::new(speed);
        let world = World::open(&scenario, seed, clock.start())?;
        let faults = faults(scenario.fault.clone(), seed, &contexts)?;
        let shared = Arc::new(Shared::new(clock, State::new(world, faults, Sessions::new(bound, shell, scenario.channel.clone()))));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Thread)?;
        let (stop, stopped) = oneshot::channel();
        let served = Arc::clone(&shared);
        let serve = move || {
            if shell == Shell::Real {
                exec::sweep();
            }
            runtime.block_on(wire::serve(served, listener, stopped));
            // Hung calls and live tails are cut, not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("embedded-aws".to_owned()).spawn(serve).map_err(Error::Thread)?;
        Ok(Self { addr: bound, contexts, seed, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    #[must_use]
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The endpoint URL for clients, `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Who may come in.
    #[must_use]
    pub fn contexts(&self) -> &[ContextInfo] {
        &self.contexts
    }

    /// Moves the virtual clock on; everything that is due by then has happened when this returns.
    pub fn step(&self, by: Duration) {
        let mut left = by;
        while !left.is_zero() {
            let bite = left.min(BITE);
            self.shared.step(bite);
            left -= bite;
        }
    }

    /// The virtual clock, in milliseconds since the epoch.
    #[must_use]
    pub fn now(&self) -> i64 {
        self.shared.now()
    }

    /// The troubles of the scenario that wait to be started: name, and what they are about.
    #[must_use]
    pub fn drills(&self) -> Vec<(String, String)> {
        self.shared.state().world.drills.iter().map(|d| (d.name.clone(), d.about.clone())).collect()
    }

    /// Starts a drill; what it does at once has happened when this returns.
    ///
    /// # Errors
    /// One line that names the nearest drill, or all of them, if there is none of this name.
    pub fn start_drill(&self, name: &str) -> Result<(), String> {
        self.shared.state().world.start_drill(name)
    }

    /// Replaces the fault rules, and the rules for data channels, those of the scenario included. An empty text ends all faults.
    ///
    /// # Errors
    /// If the text is not a list of `[[fault]]` tables, or names a context that is not there. The old rules stay then.
    pub fn set_faults(&self, toml: &str) -> Result<(), Error> {
        let file: faults::File = toml::from_str(toml).map_err(|error| scenario::refuse("faults", toml, &error))?;
        let faults = faults(file.fault, self.seed, &self.contexts)?;
        self.shared.set_faults(faults, file.channel);
        Ok(())
    }

    /// Calls since the start or the last [`Sim::take_calls`], oldest first; no more than the last 20,000.
    #[must_use]
    pub fn calls(&self) -> Vec<Call> {
        self.shared.calls()
    }

    /// The same, and forgets them.
    #[must_use]
    pub fn take_calls(&self) -> Vec<Call> {
        self.shared.take_calls()
    }

    /// Requests for operations that are served, with their parameters, oldest first; no more than the last 2,000.
    #[must_use]
    pub fn requests(&self) -> Vec<Received> {
        self.shared.requests()
    }

    /// The same, and forgets them.
    #[must_use]
    pub fn take_requests(&self) -> Vec<Received> {
        self.shared.take_requests()
    }

    /// Serves until the process is told to end, or the server has ended by itself. Sessions end with it, and what they have started.
    pub fn wait(self) {
        if let Some(thread) = &self.thread {
            wait::wait(&|| thread.is_finished());
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // The server may have ended by itself.
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            // A panic of the server has been reported on its own thread.
            let _ = thread.join();
        }
    }
}

fn faults(rules: Vec<faults::Rule>, seed: u64, contexts: &[ContextInfo]) -> Result<Faults, Error> {
    let known = |name: &str| contexts.iter().any(|context| context.name == name);
    if let Some(name) = rules.iter().filter_map(faults::Rule::context).find(|name| !known(name)) {
        let names: Vec<&str> = contexts.iter().map(|context| context.name.as_str()).collect();
        return Err(Error::FaultContext { name: name.to_owned(), known: names.join(", ") });
    }
    Ok(Faults::new(rules, seed))
}
