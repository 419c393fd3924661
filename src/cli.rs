//! The command line: what may be asked for, checked as far as it can be without asking anybody, and refused in one line.
//!
//! Knows neither AWS nor the scenarios; names of those are checked where they live.

mod container;
mod region;

use crate::duration;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, Parser, Subcommand};
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

pub use container::{At, Copy, Doctor, Exec, Forward};
pub use region::check as check_region;

/// What the command line asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// The terminal UI.
    Open(Open),
    /// The embedded AWS for other clients.
    Sim(Sim),
    /// A judgement without an account.
    Explain(Explain),
    /// A release followed to its end, without a screen.
    Watch(Watch),
    /// A session inside a container, without a screen.
    Exec(Exec),
    /// What keeps a session out of a container.
    Doctor(Doctor),
    /// A file into a container, or out of one.
    Copy(Copy),
    /// A port of a container, or of a host that it reaches, on this machine.
    Forward(Forward),
}

/// The terminal UI, and where it opens.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Open {
    /// Profiles, in order, without repeats.
    pub profiles: Vec<String>,
    /// Regions, in order, without repeats. Each profile is opened in each.
    pub regions: Vec<String>,
    /// A cluster's name or ARN.
    pub cluster: Option<String>,
    /// A service's name or ARN.
    pub service: Option<String>,
    /// Change nothing, whatever is asked.
    pub read_only: bool,
    /// Write changes into the journal instead of sending them.
    pub dry_run: bool,
    /// Where AWS answers, instead of AWS's own addresses.
    pub endpoint_url: Option<String>,
    /// A theme's name.
    pub theme: Option<String>,
    /// The configuration file, instead of the usual one.
    pub config: Option<PathBuf>,
    /// Where to log.
    pub log_file: Option<PathBuf>,
    /// The embedded AWS instead of AWS.
    pub demo: Option<World>,
}

/// A world of the embedded AWS.
#[derive(Clone, Debug, PartialEq)]
pub struct World {
    /// An embedded scenario's name, or a file.
    pub scenario: String,
    /// Parameters of the scenario.
    pub set: Vec<(String, String)>,
    /// The seed that everything random comes from.
    pub seed: u64,
    /// Virtual seconds in a second.
    pub speed: f64,
}

/// `midwatch sim`.
#[derive(Clone, Debug, PartialEq)]
pub struct Sim {
    /// What to serve.
    pub world: World,
    /// Where; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Print the contexts as JSON instead of serving.
    pub list: bool,
    /// Real shells behind sessions in containers.
    pub shell: bool,
}

/// `midwatch explain`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explain {
    /// Single texts of AWS, judged together.
    pub texts: Texts,
    /// What the AWS CLI printed; without any and without texts, standard input.
    pub files: Vec<PathBuf>,
    /// The time that files are judged at, instead of the newest one in them.
    pub now: Option<jiff::Timestamp>,
    /// Print JSON.
    pub json: bool,
}

/// `midwatch watch`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Watch {
    /// A service's name or ARN.
    pub service: String,
    /// A deployment of `CodeDeploy` by its id.
    pub deployment: Option<String>,
    /// When to give up.
    pub timeout: Option<Duration>,
    /// Print JSON lines.
    pub json: bool,
    /// Where.
    pub at: At,
}

/// Texts of one incident, as AWS shows them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Texts {
    /// A task's `stoppedReason`.
    pub reason: Option<String>,
    /// A container's `reason`.
    pub container_reason: Option<String>,
    /// A service event, or the reason of a deployment's state.
    pub event: Option<String>,
    /// A target's reason code or description.
    pub target: Option<String>,
    /// A container's exit code.
    pub exit_code: Option<i64>,
    /// A task's `stopCode`.
    pub stop_code: Option<String>,
}

/// Why there is nothing to run: a text for standard output with code 0, or a line for standard error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stop {
    /// What to print, without the last newline.
    pub text: String,
    /// The exit code.
    pub code: u8,
}

const DEFAULT_SCENARIO: &str = "seeds";

#[derive(Parser)]
#[command(
    name = "midwatch",
    version,
    about = "A terminal UI for on-call engineers when an Amazon ECS service misbehaves.\n\
        Opens on the account of AWS_PROFILE or the default credentials. It changes nothing at AWS without asking.",
    after_help = EXAMPLES,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    max_term_width = 110
)]
struct Line {
    #[command(subcommand)]
    command: Option<Verb>,
    #[command(flatten)]
    open: OpenArgs,
}

const EXAMPLES: &str = "\
Examples:
  midwatch                                         what your default credentials show
  midwatch --profile prod --profile stage          two accounts in one fleet
  midwatch --profile prod --region eu-west-1 --region us-east-1
                                                   one account in two regions
  midwatch --profile prod --cluster payments --service checkout
                                                   straight to the service that pages you
  midwatch --demo                                  a living fleet without AWS; :drill starts more troubles
  midwatch --demo large --set services=500         a big one
  midwatch sim --listen 127.0.0.1:4566             the same fleet for the AWS CLI and other clients
  midwatch watch checkout --cluster payments --timeout 15m
                                                   wait in a pipeline until a release is out, or is not
  midwatch exec 0d7c1f --cluster payments -- cat /etc/os-release
                                                   run a command in a task; without one, a shell
  midwatch explain --reason 'Essential container in task exited' --exit-code 137
                                                   what a saved text means, without an account

Environment:
  AWS_PROFILE, AWS_REGION, AWS_ENDPOINT_URL and the rest work as in other AWS tools.
  NO_COLOR turns colours off. READ_ONLY=1 keeps it from changing anything.

In the program, ? shows the keys.";

#[derive(Subcommand)]
enum Verb {
    /// Open a shell in a container of a task, or run a command there: exit code that of the command, 255 when there is no session
    Exec(container::ExecArgs),
    /// Say why a task, service or target is in trouble, from AWS's own words, without an account
    Explain(ExplainArgs),
    /// Serve the embedded AWS to any AWS client, on this machine only
    Sim(SimArgs),
    /// Follow a service's newest deployment to its end: exit code 0 released, 1 failed or rolled back, 3 timed out
    Watch(WatchArgs),
    /// Say what keeps a session out of a task's containers, and what mends it: exit code 0 nothing found, 1 something is wrong
    Doctor(container::DoctorArgs),
    /// Copy a file or a directory into a container or out of one; either side is TASK:PATH. The container needs a shell
    Cp(container::CopyArgs),
    /// Forward a port of this machine to a container, or through it to another host
    Forward(container::ForwardArgs),
}

#[derive(Args)]
struct OpenArgs {
    /// Profile of ~/.aws/config; give it again for more accounts
    #[arg(long, short = 'p', value_name = "P", help_heading = "Where to look", value_parser = word)]
    profile: Vec<String>,
    /// Region; give it again for more. Every profile is opened in every region
    #[arg(long, short = 'r', value_name = "R", help_heading = "Where to look", value_parser = region::check)]
    region: Vec<String>,
    /// Open this cluster, by name or ARN
    #[arg(long, short = 'c', value_name = "C", help_heading = "Where to look", value_parser = word)]
    cluster: Option<String>,
    /// Open this service, by name or ARN
    #[arg(long, short = 's', value_name = "S", help_heading = "Where to look", value_parser = word)]
    service: Option<String>,
    /// Ask this address instead of AWS's own
    #[arg(long, value_name = "URL", help_heading = "Where to look", value_parser = url)]
    endpoint_url: Option<String>,
    /// Change nothing at AWS, whatever is asked
    #[arg(long, help_heading = "What it may change")]
    read_only: bool,
    /// Write changes into the journal and send nothing
    #[arg(long, help_heading = "What it may change")]
    dry_run: bool,
    /// Theme: midwatch-dark, midwatch-light, mono, or one of your own
    #[arg(long, value_name = "T", help_heading = "How it looks and works", value_parser = word)]
    theme: Option<String>,
    /// Configuration file, instead of the usual one
    #[arg(long, value_name = "FILE", help_heading = "How it looks and works")]
    config: Option<PathBuf>,
    /// Write a log of what the program does
    #[arg(long, value_name = "FILE", help_heading = "How it looks and works")]
    log_file: Option<PathBuf>,
    /// Show an embedded fleet instead of AWS: seeds, small, large, or a scenario file
    #[arg(
        long,
        value_name = "SCENARIO",
        num_args = 0..=1,
        default_missing_value = DEFAULT_SCENARIO,
        conflicts_with_all = ["profile", "region", "endpoint_url"],
        help_heading = "The embedded AWS",
        value_parser = word
    )]
    demo: Option<String>,
    #[command(flatten)]
    world: WorldArgs,
}

#[derive(Args)]
struct SimArgs {
    /// Address on this machine
    #[arg(long, value_name = "127.0.0.1:PORT", default_value = "127.0.0.1:0", hide_default_value = true, value_parser = loopback)]
    listen: SocketAddr,
    /// What to serve: seeds, small, large, or a scenario file
    #[arg(long, value_name = "NAME|FILE", default_value = DEFAULT_SCENARIO, value_parser = word)]
    scenario: String,
    #[command(flatten)]
    world: WorldArgs,
    /// Print the contexts, with their keys, as JSON and exit
    #[arg(long)]
    list: bool,
    /// Let sessions in containers be real shells of this machine, with your rights, for whoever knows the keys
    #[arg(long)]
    shell: bool,
}

#[derive(Args)]
struct WatchArgs {
    /// The service, by name or ARN
    #[arg(value_name = "SERVICE", value_parser = word)]
    service: String,
    /// A deployment of CodeDeploy by its id, as `aws deploy create-deployment` printed it a step before in the pipeline, instead of
    /// the newest one that the service shows
    #[arg(long, value_name = "D-ID", value_parser = word)]
    deployment: Option<String>,
    /// Give up after this time, such as 15m; without it never
    #[arg(long, value_name = "TIME", value_parser = patience)]
    timeout: Option<Duration>,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    whom: container::WhomArgs,
}

#[derive(Args)]
#[command(group = clap::ArgGroup::new("texts").multiple(true))]
struct ExplainArgs {
    /// JSON that the AWS CLI prints: describe-services, describe-tasks, describe-service-deployments, describe-target-health,
    /// describe-task-definition, describe-container-instances; - or none reads standard input
    #[arg(value_name = "FILE", conflicts_with = "texts")]
    files: Vec<PathBuf>,
    /// Judge files as of this time [default: the newest one in them]
    #[arg(long, value_name = "TIME", conflicts_with = "texts", value_parser = time)]
    now: Option<jiff::Timestamp>,
    /// A task's stoppedReason
    #[arg(long, value_name = "TEXT", group = "texts", allow_hyphen_values = true, help_heading = "Single texts, judged together")]
    reason: Option<String>,
    /// A container's reason
    #[arg(long, value_name = "TEXT", group = "texts", allow_hyphen_values = true, help_heading = "Single texts, judged together")]
    container_reason: Option<String>,
    /// A service event, or the reason of a deployment's state
    #[arg(long, value_name = "TEXT", group = "texts", allow_hyphen_values = true, help_heading = "Single texts, judged together")]
    event: Option<String>,
    /// A target's reason code or description
    #[arg(long, value_name = "TEXT", group = "texts", allow_hyphen_values = true, help_heading = "Single texts, judged together")]
    target: Option<String>,
    /// A container's exit code
    #[arg(
        long,
        value_name = "N",
        group = "texts",
        allow_hyphen_values = true,
        help_heading = "Single texts, judged together",
        value_parser = exit_code
    )]
    exit_code: Option<i64>,
    /// A task's stop code, as its stopCode says it
    #[arg(long, value_name = "C", group = "texts", help_heading = "Single texts, judged together", value_parser = word)]
    stop_code: Option<String>,
    /// Print JSON: the cause in one word, a sentence, the evidence, the next check, the confidence
    #[arg(long)]
    json: bool,
}

impl WatchArgs {
    fn request(self) -> Result<Request, Stop> {
        let WatchArgs { service, deployment, timeout, json, whom } = self;
        Ok(Request::Watch(Watch { service, deployment, timeout, json, at: whom.at()? }))
    }
}

impl From<ExplainArgs> for Explain {
    fn from(args: ExplainArgs) -> Explain {
        let ExplainArgs { files, now, reason, container_reason, event, target, exit_code, stop_code, json } = args;
        Explain { texts: Texts { reason, container_reason, event, target, exit_code, stop_code }, files, now, json }
    }
}

#[derive(Args)]
#[command(next_help_heading = "The embedded AWS")]
struct WorldArgs {
    /// Parameters of the scenario, such as services=500,tasks=2500
    #[arg(long, value_name = "K=V,…", value_delimiter = ',', value_parser = pair)]
    set: Vec<(String, String)>,
    /// Everything random comes from it [default: 1]
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,
    /// Times real time that the world moves; 0 stands still [default: 1]
    #[arg(long, value_name = "X", value_parser = speed)]
    speed: Option<f64>,
}

impl WorldArgs {
    fn world(self, scenario: String) -> World {
        World { scenario, set: self.set, seed: self.seed.unwrap_or(1), speed: self.speed.unwrap_or(1.0) }
    }

    fn first(&self) -> Option<&'static str> {
        let given = [("--set", !self.set.is_empty()), ("--seed", self.seed.is_some()), ("--speed", self.speed.is_some())];
        given.iter().find(|(_, given)| *given).map(|(name, _)| *name)
    }
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// The help or the version with code 0; anything wrong as one line with code 2.
pub fn parse<I, T>(arguments: I) -> Result<Request, Stop>
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let Line { command, open } = Line::try_parse_from(arguments).map_err(|error| stop(&error))?;
    match command {
        Some(Verb::Sim(sim)) => {
            let SimArgs { listen, scenario, world, list, shell } = sim;
            return Ok(Request::Sim(Sim { world: world.world(scenario), listen, list, shell }));
        }
        Some(Verb::Explain(explain)) => return Ok(Request::Explain(explain.into())),
        Some(Verb::Watch(watch)) => return watch.request(),
        Some(Verb::Exec(exec)) => return exec.request(),
        Some(Verb::Doctor(doctor)) => return doctor.request(),
        Some(Verb::Cp(copy)) => return copy.request(),
        Some(Verb::Forward(forward)) => return forward.request(),
        None => {}
    }
    check_world(open.demo.as_ref(), &open.world)?;
    Ok(Request::Open(Open {
        profiles: distinct(open.profile),
        regions: distinct(open.region),
        cluster: open.cluster,
        service: open.service,
        read_only: open.read_only,
        dry_run: open.dry_run,
        endpoint_url: open.endpoint_url,
        theme: open.theme,
        config: open.config,
        log_file: open.log_file,
        demo: open.demo.map(|scenario| open.world.world(scenario)),
    }))
}

fn check_world(demo: Option<&String>, world: &WorldArgs) -> Result<(), Stop> {
    match (demo, world.first()) {
        (None, Some(option)) => Err(usage(&format!("{option} is about the embedded AWS: use it with --demo or with midwatch sim"))),
        _ => Ok(()),
    }
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut out: Vec<String> = Vec::with_capacity(names.len());
    for name in names {
        if !out.contains(&name) {
            out.push(name);
        }
    }
    out
}

fn stop(error: &clap::Error) -> Stop {
    let text = error.render().to_string();
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return Stop { text: text.trim_end().to_owned(), code: 0 };
    }
    if let (ErrorKind::InvalidSubcommand, Some(ContextValue::String(name))) = (error.kind(), error.get(ContextKind::InvalidSubcommand)) {
        return usage(&format!(
            "unknown command '{name}'; there are exec, cp, forward, doctor, watch, explain and sim, and a cluster is opened with --cluster"
        ));
    }
    // clap says it in paragraphs: the complaint, then tips, then the usage, which --help has as well.
    let mut complaint = text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more")).map(str::trim);
    let first = complaint.next().unwrap_or_default().trim_start_matches("error: ");
    let rest = complaint.filter(|line| !line.is_empty()).map(|line| line.trim_start_matches("tip: "));
    let line = std::iter::once(first).chain(rest).collect::<Vec<_>>().join("; ");
    usage(&line.replace(":; ", ": "))
}

fn usage(what: &str) -> Stop {
    // An argument may hold anything, a megabyte or an escape sequence included.
    let mut shown: String =
        what.chars().take(400).flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect();
    if what.chars().nth(400).is_some() {
        shown.push('…');
    }
    Stop { text: format!("midwatch: {shown} (midwatch --help explains)"), code: 2 }
}

fn word(text: &str) -> Result<String, String> {
    match text.trim() {
        "" => Err("a name is needed, not an empty text".to_owned()),
        _ if text.chars().any(char::is_control) => Err("a name has no control characters".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn pair(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.trim().is_empty() && !value.trim().is_empty() => Ok((name.trim().to_owned(), value.trim().to_owned())),
        _ => Err("write NAME=VALUE, as in services=500".to_owned()),
    }
}

fn time(text: &str) -> Result<jiff::Timestamp, String> {
    text.parse().map_err(|_| "a time is needed, such as 2026-11-21T03:11:40Z".to_owned())
}

fn patience(text: &str) -> Result<Duration, String> {
    let wrong = || "write a time such as 15m or 90s".to_owned();
    // A number alone would be seconds to some and minutes to others.
    duration::parse(text).filter(|time| (Duration::from_secs(1)..=Duration::from_hours(24 * 7)).contains(time)).ok_or_else(wrong)
}

fn seed(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "a whole number is needed, such as 7".to_owned())
}

fn exit_code(text: &str) -> Result<i64, String> {
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")).and_then(|hex| i64::from_str_radix(hex, 16).ok());
    let number = hex.or_else(|| text.trim().parse().ok());
    let number = number.ok_or_else(|| "a whole number is needed, such as 137".to_owned())?;
    // Linux keeps eight bits. Windows has its system error codes, and status codes of 32 bits, which are printed signed or not.
    let windows = (256..=15_999).contains(&number)
        || (0x4000_0000..=i64::from(u32::MAX)).contains(&number)
        || (i64::from(i32::MIN)..0).contains(&number);
    let fits = (0..=255).contains(&number) || windows;
    let wrong = "no system ends a program with this code: Linux knows 0 to 255, Windows also up to 15999 and 32-bit status codes";
    if fits { Ok(number) } else { Err(wrong.to_owned()) }
}

fn speed(text: &str) -> Result<f64, String> {
    let number: f64 = text.strip_suffix('x').unwrap_or(text).parse().map_err(|_| "a number is needed, such as 10".to_owned())?;
    // Beyond this a step of the clock is longer than the life of a task.
    if (0.0..=3600.0).contains(&number) { Ok(number) } else { Err("from 0 (stands still) to 3600".to_owned()) }
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let text = text.strip_prefix("http://").unwrap_or(text);
    let text = text.strip_prefix("localhost").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1{port}"));
    let address: SocketAddr = text.parse().map_err(|_| "write 127.0.0.1:PORT, as in 127.0.0.1:4566".to_owned())?;
    // It hands out keys and does what anyone asks, so it is for this machine alone.
    if address.ip().is_loopback() { Ok(address) } else { Err("only an address of this machine, such as 127.0.0.1:4566".to_owned()) }
}

fn url(text: &str) -> Result<String, String> {
    let wrong = || "write it like http://127.0.0.1:4566 or https://vpce-1.ecs.eu-west-1.vpce.amazonaws.com".to_owned();
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).ok_or_else(wrong)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let (host, port) = match authority.rsplit_once(':') {
        // The colons of an IPv6 address stand inside brackets.
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (authority, None),
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._[]:".contains(c);
    let fine = !host.is_empty() && host.chars().all(plain) && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0));
    let clean = !text.chars().any(|c| c.is_whitespace() || c.is_control());
    if fine && clean { Ok(text.trim_end_matches('/').to_owned()) } else { Err(wrong()) }
}

#[cfg(test)]
mod tests;
