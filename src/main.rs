//! The binary: reads what is asked for, picks AWS or the embedded one, runs, and reports errors once the screen is given back.

use anyhow::Context as _;
use jiff::tz::TimeZone;
use midwatch::app::{App, Shared};
use midwatch::aws::{self, Clients, ContextSpec};
use midwatch::change::gate::{self, Rules, Why};
use midwatch::cli::{self, Open, Request, World};
use midwatch::config::{self, Config, ContextEntry, Places};
use midwatch::exec::forwards::Ports;
use midwatch::exec::notes::Notes;
use midwatch::finding::Sought;
use midwatch::model::{Arn, Context, Ctx, Fleet, Time};
use midwatch::sim;
use midwatch::theme::{self, Surroundings, Theme};
use midwatch::view::Place;
use midwatch::{copying, doctor, executing, forwarding, panes, run, terminal, watching};
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

/// How long a context may take to find credentials before the screen opens without it.
const PATIENCE: Duration = Duration::from_secs(20);

/// How long that may go on without a word.
const SILENCE: Duration = Duration::from_secs(1);

/// What `sim --shell` opens.
const DOOR: &str = "midwatch: --shell: sessions in containers are real shells of this machine with all your rights. Whoever of this machine \
    knows the keys that --list prints can open one. Without --shell they are a small built-in shell that touches nothing";

/// A mistake of the user's: exit code 2.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Usage(String);

fn main() -> ExitCode {
    let request = match cli::parse(std::env::args_os()) {
        Ok(request) => request,
        Err(stop) => {
            say(&stop.text, stop.code == 0);
            return ExitCode::from(stop.code);
        }
    };
    let done = match request {
        Request::Open(open) => open_screen(&open),
        Request::Sim(sim) => serve(&sim),
        Request::Explain(asked) => explain(&asked),
        Request::Watch(asked) => match watch(&asked) {
            Ok(went) => return ExitCode::from(went as u8),
            Err(error) => Err(error),
        },
        Request::Doctor(asked) => match examine(&asked) {
            Ok(went) => return ExitCode::from(went as u8),
            Err(error) => Err(error),
        },
        Request::Copy(asked) => copy(&asked),
        Request::Forward(asked) => forward(&asked),
        Request::Exec(asked) => match exec(&asked) {
            Ok(code) => return ExitCode::from(code),
            Err(error) => Err(error),
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("midwatch: {error:#}"), false);
            ExitCode::from(if error.is::<Usage>() { 2 } else { 1 })
        }
    }
}

/// Prints a line; a reader that has gone away is no reason to complain.
fn say(text: &str, good: bool) {
    let _ = if good { writeln!(std::io::stdout(), "{text}") } else { writeln!(std::io::stderr(), "{text}") };
}

fn explain(asked: &cli::Explain) -> anyhow::Result<()> {
    let told = midwatch::explain::answer(asked).map_err(Usage)?;
    say(&told, true);
    Ok(())
}

/// Follows a release to its end.
fn watch(of: &cli::Watch) -> anyhow::Result<watching::Went> {
    let asked = watching::Asked {
        service: of.service.clone(),
        cluster: of.at.cluster.clone(),
        deployment: of.deployment.clone(),
        timeout: of.timeout,
        json: of.json,
    };
    with_clients(&of.at, async |clients| {
        let went =
            watching::watch(&clients, &asked, &mut |line| say(line, true), &mut |line| say(&format!("midwatch: {line}"), false)).await;
        went.map_err(|what| Usage(what).into())
    })
}

/// Opens a session in a container and stays until it ends.
fn exec(of: &cli::Exec) -> anyhow::Result<u8> {
    let asked = executing::Asked {
        sought: Sought { task: of.task.clone(), cluster: of.at.cluster.clone() },
        container: of.at.container.clone(),
        command: of.command.clone(),
    };
    beside(&of.at, of.config.as_deref(), async |clients, notes| {
        let mut complain = |line: &str| {
            // The terminal may be raw, where a line feed alone stays in its column.
            let _ = write!(std::io::stderr(), "\rmidwatch: {line}\r\n");
        };
        executing::execute(&clients, &asked, &notes, &mut complain).await.map_err(|what| Usage(what).into())
    })
}

/// Runs a command without a screen: with a runtime and clients of one context, its credentials asked for.
fn with_clients<T>(at: &cli::At, work: impl AsyncFnOnce(Clients) -> anyhow::Result<T>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().context("cannot start the runtime")?;
    let demo = at.demo.as_ref().map(own_world).transpose()?;
    let spec = match &demo {
        Some(demo) => demo_spec(demo, at.profile.as_deref())?,
        None => spec(&named(at), at.profile.as_deref(), at.region.as_deref(), None),
    };
    let done = runtime.block_on(async {
        let clients = aws::connect(vec![spec]).await.map_err(|e| usage_of(&e))?;
        log_in(&clients).await;
        work(clients).await
    });
    // A request that hangs must not keep the shell or the pipeline waiting.
    runtime.shutdown_background();
    done
}

/// Only what a command names counts: the contexts of the configuration are those of the screen.
fn named(at: &cli::At) -> Open {
    Open {
        profiles: at.profile.clone().into_iter().collect(),
        regions: at.region.clone().into_iter().collect(),
        cluster: at.cluster.clone(),
        endpoint_url: at.endpoint_url.clone(),
        ..Open::default()
    }
}

/// The same for a command about a container: the gate and the journal are told as well.
fn beside<T>(
    at: &cli::At,
    config: Option<&std::path::Path>,
    work: impl AsyncFnOnce(Clients, Notes) -> anyhow::Result<T>,
) -> anyhow::Result<T> {
    let places = if at.demo.is_some() { Places::of_platform().forgetful() } else { Places::of_platform() };
    let (config, _) = config::load(config, &places).map_err(Usage)?;
    with_clients(at, async |clients| {
        let fleet = Fleet(clients.contexts().map(|(name, region)| Context { production: None, profile: None, name, region }).collect());
        clients.gate().set(rules(&config, &fleet, &named(at)));
        // Whoever writes the whole command means it: production need not be armed first. What is read-only stays so.
        let _ = clients.gate().arm(Ctx(0), gate::LONGEST, clients.api(Ctx(0)).now());
        let context = fleet.0.first().map(|context| context.name.clone()).unwrap_or_default();
        work(clients, Notes { places, user: run::user(), context }).await
    })
}

/// Copies a file or a directory into a container, or out of one.
fn copy(of: &cli::Copy) -> anyhow::Result<()> {
    let asked =
        copying::Asked { from: of.from.clone(), to: of.to.clone(), cluster: of.at.cluster.clone(), container: of.at.container.clone() };
    beside(&of.at, of.config.as_deref(), async |clients, notes| {
        let mut meter = Progress::new(of.quiet);
        let copied = copying::copy(&clients, &asked, &notes, &mut |done, whole| meter.show(done, whole)).await;
        meter.clear();
        let copied = copied.map_err(anyhow::Error::msg)?;
        if !of.quiet {
            say(&copied.line(), true);
        }
        // Whoever asked for silence still has to know what is not there.
        for left in &copied.left {
            let _ = writeln!(std::io::stderr(), "midwatch: left out: {left}");
        }
        Ok(())
    })
}

/// Shows how far a copy is, on a terminal alone.
struct Progress {
    shown: bool,
    began: std::time::Instant,
    next: std::time::Instant,
}

impl Progress {
    fn new(quiet: bool) -> Self {
        let now = std::time::Instant::now();
        Progress { shown: !quiet && std::io::IsTerminal::is_terminal(&std::io::stderr()), began: now, next: now }
    }

    fn show(&mut self, done: u64, whole: u64) {
        let now = std::time::Instant::now();
        if !self.shown || now < self.next {
            return;
        }
        self.next = now + Duration::from_millis(200);
        let a_second = u128::from(done) * 1000 / now.duration_since(self.began).as_millis().max(1);
        let how_far = match done.saturating_mul(100).checked_div(whole) {
            Some(percent) => format!("{percent} % of {whole} bytes"),
            // Of a directory in a container nobody knows how much it will be.
            None => format!("{done} bytes"),
        };
        // A terminal that has gone away is no reason to stop.
        let _ = write!(std::io::stderr(), "\r\x1b[K{how_far} · {} kB/s", a_second / 1000);
        let _ = std::io::stderr().flush();
    }

    fn clear(&self) {
        if self.shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K");
        }
    }
}

/// Forwards a port until it is interrupted.
fn forward(of: &cli::Forward) -> anyhow::Result<()> {
    let asked = forwarding::Asked {
        sought: Sought { task: of.task.clone(), cluster: of.at.cluster.clone() },
        container: of.at.container.clone(),
        ports: Ports { remote: of.port, local: of.local, host: of.host.clone() },
    };
    beside(&of.at, of.config.as_deref(), async |clients, notes| {
        let over = async {
            // Without a handler the system's own would end the program, and leave the session open at AWS.
            let _ = tokio::signal::ctrl_c().await;
        };
        forwarding::forward(&clients, &asked, &notes, &mut |line| say(line, true), over).await.map_err(anyhow::Error::msg)
    })
}

/// Says what keeps a session out of a container.
fn examine(of: &cli::Doctor) -> anyhow::Result<doctor::Went> {
    let sought = Sought { task: of.task.clone(), cluster: of.at.cluster.clone() };
    let asked = doctor::Asked { sought, container: of.at.container.clone(), json: of.json };
    beside(&of.at, None, async |clients, _| {
        doctor::examine(&clients, &asked, &mut |line| say(line, true)).await.map_err(|what| Usage(what).into())
    })
}

/// The context of that name in the embedded AWS, or its first.
fn demo_spec(demo: &sim::Sim, name: Option<&str>) -> anyhow::Result<ContextSpec> {
    let specs = demo_specs(demo);
    let known: Vec<String> = specs.iter().map(|spec| spec.name.clone()).collect();
    let found = specs.into_iter().find(|spec| name.is_none_or(|name| spec.name == name));
    found.ok_or_else(|| Usage(format!("the embedded AWS has no context {}; it has {}", name.unwrap_or_default(), known.join(", "))).into())
}

fn options(world: &World, listen: SocketAddr, shell: sim::Shell) -> sim::Options {
    let (scenario, set) = (world.scenario.clone(), world.set.clone());
    sim::Options { scenario, set, seed: world.seed, speed: world.speed, listen, shell, fresh_keys: false }
}

/// An embedded AWS for this process alone: nobody else can know its keys, so a session in it is a real shell.
fn own_world(world: &World) -> Result<sim::Sim, Usage> {
    let options = options(world, SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), sim::Shell::Real);
    sim::Sim::start(sim::Options { fresh_keys: true, ..options }).map_err(|e| Usage(e.to_string()))
}

fn serve(request: &cli::Sim) -> anyhow::Result<()> {
    let shell = if request.shell { sim::Shell::Real } else { sim::Shell::Builtin };
    let options = options(&request.world, request.listen, shell);
    if request.list {
        let contexts = sim::contexts(&options).map_err(|e| Usage(e.to_string()))?;
        say(&serde_json::to_string_pretty(&contexts)?, true);
        return Ok(());
    }
    // What is wrong with the scenario is the user's to mend; a port that is taken is the machine's.
    sim::contexts(&options).map_err(|e| Usage(e.to_string()))?;
    let sim = sim::Sim::start(options)?;
    say(&format!("listening on {}", sim.endpoint()), true);
    if request.shell {
        say(DOOR, false);
    }
    std::io::stdout().flush()?;
    sim.wait();
    Ok(())
}

fn open_screen(open: &Open) -> anyhow::Result<()> {
    let places = if open.demo.is_some() { Places::of_platform().forgetful() } else { Places::of_platform() };
    let (config, keys) = config::load(open.config.as_deref(), &places).map_err(Usage)?;
    let theme = Theme::choose(open.theme.as_deref(), config.theme.as_deref(), places.themes().as_deref(), &Surroundings::from_env())
        .map_err(Usage)?;
    let _log = log_to(open)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .on_thread_start(step_back)
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    // The embedded AWS runs on a thread of its own and dies with this value.
    let demo = open.demo.as_ref().map(own_world).transpose()?;
    let demo = demo.map(Rc::new);
    let specs = demo.as_ref().map_or_else(|| specs(open, &config), |demo| demo_specs(demo));
    terminal::install_panic_hook();
    let done = runtime.block_on(async {
        let clients = aws::connect(specs).await.map_err(|e| usage_of(&e))?;
        // Only now: what is wrong with the words of the command is said first, terminal or not.
        terminal::require().map_err(anyhow::Error::msg)?;
        // Whatever asks for a password or prints a line does so before the screen is taken.
        log_in(&clients).await;
        let fleet = fleet(&clients, &config, open);
        clients.gate().set(rules(&config, &fleet, open));
        let refresh = config.refresh.as_secs_f64() / Config::default().refresh.as_secs_f64();
        let mouse = config.mouse;
        let memory = config.logs.memory;
        let mut shared = Shared { keys, zone: TimeZone::system(), ..Shared::new(fleet, config, theme, Time::now()) };
        shared.store.set_tail_bytes(memory);
        let (pane, place) = first(open)?;
        let pane = panes::named(pane).context("the first pane is in the list")?;
        let mut app = App::open(shared, pane, &place, theme::names(places.themes().as_deref())).map_err(anyhow::Error::msg)?;
        if let Some(service) = &open.service {
            app.find_service(Ctx(0), service);
        }
        let drills = demo.map(|demo| {
            app.offer_drills(demo.drills());
            Box::new(move |name: &str| demo.start_drill(name)) as run::StartDrill
        });
        run::run(app, clients, places, mouse, refresh, drills).await.context("the terminal cannot be used")
    });
    terminal::restore();
    // A request that hangs must not keep the shell waiting.
    runtime.shutdown_background();
    if let Some(panic) = terminal::background_panic() {
        anyhow::bail!("{panic}");
    }
    done
}

/// Profiles and regions that do not exist are the user's to mend; anything else is not.
fn usage_of(error: &aws::AwsError) -> anyhow::Error {
    let text = if error.hint.is_empty() { error.what.to_string() } else { format!("{}. {}", error.what, error.hint) };
    Usage(text).into()
}

/// A profile in each region; without either, what the configuration lists; without that, the default credentials.
fn specs(open: &Open, config: &Config) -> Vec<ContextSpec> {
    let spec = |profile: Option<&str>, region: Option<&str>, name: Option<&str>| spec(open, profile, region, name);
    if open.profiles.is_empty() && open.regions.is_empty() && !config.contexts.is_empty() {
        let of = |entry: &ContextEntry| spec(entry.profile.as_deref(), entry.region.as_deref(), entry.name.as_deref());
        return config.contexts.iter().map(of).collect();
    }
    let profiles: Vec<Option<&str>> =
        if open.profiles.is_empty() { vec![None] } else { open.profiles.iter().map(|p| Some(p.as_str())).collect() };
    let regions: Vec<Option<&str>> =
        if open.regions.is_empty() { vec![None] } else { open.regions.iter().map(|r| Some(r.as_str())).collect() };
    profiles.iter().flat_map(|profile| regions.iter().map(|region| spec(*profile, *region, None))).collect()
}

fn spec(open: &Open, profile: Option<&str>, region: Option<&str>, name: Option<&str>) -> ContextSpec {
    ContextSpec {
        name: name.or(profile).map_or_else(|| std::env::var("AWS_PROFILE").unwrap_or_else(|_| "default".to_owned()), str::to_owned),
        profile: profile.map(str::to_owned),
        region: region.map(str::to_owned),
        endpoint_url: open.endpoint_url.clone(),
        keys: None,
        session_token: None,
        clusters: open.cluster.clone().into_iter().collect(),
    }
}

fn demo_specs(demo: &sim::Sim) -> Vec<ContextSpec> {
    let spec = |context: &sim::ContextInfo| ContextSpec {
        name: context.name.clone(),
        profile: None,
        region: Some(context.region.clone()),
        endpoint_url: Some(demo.endpoint()),
        keys: Some((context.access_key.clone(), context.secret_key.clone())),
        session_token: context.session_token.clone(),
        clusters: context.clusters.clone(),
    };
    demo.contexts().iter().map(spec).collect()
}

fn fleet(clients: &Clients, config: &Config, open: &Open) -> Fleet {
    let listed = open.profiles.is_empty() && open.regions.is_empty();
    let context = |(n, ((name, region), profile)): (usize, ((midwatch::model::Str, midwatch::model::Str), _))| {
        let entry = config.contexts.get(n).filter(|_| listed && open.demo.is_none());
        // A context may hide its profile behind a name of its own.
        let by_profile = entry.and_then(|entry| entry.profile.as_deref()).filter(|profile| config.is_production(profile));
        Context { production: entry.and_then(|entry| entry.prod).or(by_profile.map(|_| true)), name, region, profile }
    };
    Fleet(clients.contexts().zip(clients.profiles()).enumerate().map(context).collect())
}

/// What the gate for writes goes by. The command line comes before the environment, that before a context of the configuration, and that
/// before what the configuration says of all.
fn rules(config: &Config, fleet: &Fleet, open: &Open) -> Rules {
    let listed = open.profiles.is_empty() && open.regions.is_empty() && open.demo.is_none();
    let of = |n: usize| config.contexts.get(n).filter(|_| listed).and_then(|entry| entry.read_only).unwrap_or(config.read_only);
    let read_only: Vec<bool> = (0..fleet.0.len()).map(of).collect();
    let environment = std::env::var("READ_ONLY").is_ok_and(|value| !matches!(value.to_lowercase().as_str(), "" | "0" | "false" | "no"));
    let forced = if open.read_only { Some(Why::Flag) } else { environment.then_some(Why::Environment) };
    Rules::new(config, fleet, &read_only).locked(forced).dry(open.dry_run)
}

/// The screen that the command line asks for.
fn first(open: &Open) -> anyhow::Result<(&'static str, Place)> {
    let cluster = open.cluster.as_deref().map(Arn::from);
    // A service is found by its name once its cluster's list is there; see `App::find_service`.
    if open.service.is_some() && cluster.is_none() {
        return Err(Usage("--service needs --cluster: services of different clusters may share a name".to_owned()).into());
    }
    let place = Place { ctx: cluster.is_some().then_some(Ctx(0)), cluster, ..Place::default() };
    Ok((if place.cluster.is_some() { "services" } else { "fleet" }, place))
}

/// Logging goes to a file or nowhere: the screen is taken.
fn log_to(open: &Open) -> anyhow::Result<Option<tracing_appender::non_blocking::WorkerGuard>> {
    let Some(path) = &open.log_file else { return Ok(None) };
    let file = std::fs::File::options()
        .create(true)
        .append(true)
        .open(path)
        .with_context(|| format!("cannot write the log file {}", path.display()))?;
    let (writer, guard) = tracing_appender::non_blocking(file);
    let level = tracing_subscriber::EnvFilter::try_from_env("MIDWATCH_LOG").unwrap_or_else(|_| "midwatch=debug".into());
    tracing_subscriber::fmt().with_writer(writer).with_ansi(false).with_env_filter(level).init();
    Ok(Some(guard))
}

/// Lets the screen's thread go first: polls and their parsing are never as urgent as a key. On Linux a thread has a niceness of its own;
/// elsewhere the whole process would step back, so there nothing is done.
fn step_back() {
    #[cfg(target_os = "linux")]
    {
        // A system that refuses leaves everything as it was.
        let _ = rustix::process::nice(5);
    }
}

/// Waits for the credentials of every context, and says so when that takes longer than a moment.
async fn log_in(clients: &Clients) {
    let resolved = clients.resolve(PATIENCE);
    tokio::pin!(resolved);
    // What failed is told on the screen, by context, and tried again there.
    if tokio::time::timeout(SILENCE, &mut resolved).await.is_err() {
        say("midwatch: waiting for credentials …", false);
        resolved.await;
    }
}
