//! The commands about one service, one task or one of its containers: what they take, and what is wrong with it without asking anybody.

use super::{DEFAULT_SCENARIO, Request, Stop, World, WorldArgs, check_world, region, url, usage, word};
use clap::Args;
use std::path::PathBuf;

/// Whom to ask, and about which container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct At {
    /// A cluster's name or ARN.
    pub cluster: Option<String>,
    /// A container's name; none where the command is about a service.
    pub container: Option<String>,
    /// Profile; a context's name in the embedded AWS.
    pub profile: Option<String>,
    /// Region.
    pub region: Option<String>,
    /// Where AWS answers, instead of AWS's own addresses.
    pub endpoint_url: Option<String>,
    /// The embedded AWS instead of AWS.
    pub demo: Option<World>,
}

/// `midwatch exec`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Exec {
    /// The task.
    pub task: String,
    /// What to run; a shell without.
    pub command: Vec<String>,
    /// Where.
    pub at: At,
    /// The configuration file, instead of the usual one.
    pub config: Option<PathBuf>,
}

/// `midwatch doctor`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Doctor {
    /// The task.
    pub task: String,
    /// Where.
    pub at: At,
    /// Print JSON.
    pub json: bool,
}

/// `midwatch cp`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Copy {
    /// What is copied, as it was typed.
    pub from: String,
    /// Where to, as it was typed.
    pub to: String,
    /// Where.
    pub at: At,
    /// Say nothing while it goes well.
    pub quiet: bool,
    /// The configuration file, instead of the usual one.
    pub config: Option<PathBuf>,
}

/// `midwatch forward`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Forward {
    /// The task.
    pub task: String,
    /// Port of the container, or of the host.
    pub port: u16,
    /// Port of this machine; 0 takes a free one.
    pub local: u16,
    /// A host that the task reaches, instead of the container itself.
    pub host: Option<String>,
    /// Where.
    pub at: At,
    /// The configuration file, instead of the usual one.
    pub config: Option<PathBuf>,
}

#[derive(Args)]
pub(super) struct WhomArgs {
    /// Its cluster, by name or ARN; without it the ARN's, or all clusters are searched
    #[arg(long, short = 'c', value_name = "C", value_parser = word)]
    cluster: Option<String>,
    /// Profile of ~/.aws/config; with --demo a context's name
    #[arg(long, short = 'p', value_name = "P", value_parser = word)]
    profile: Option<String>,
    /// Region
    #[arg(long, short = 'r', value_name = "R", value_parser = region::check)]
    region: Option<String>,
    /// Ask this address instead of AWS's own
    #[arg(long, value_name = "URL", value_parser = url)]
    endpoint_url: Option<String>,
    /// Ask an embedded fleet instead of AWS: seeds, small, large, or a scenario file
    #[arg(
        long,
        value_name = "SCENARIO",
        num_args = 0..=1,
        default_missing_value = DEFAULT_SCENARIO,
        conflicts_with_all = ["region", "endpoint_url"],
        help_heading = "The embedded AWS",
        value_parser = word
    )]
    demo: Option<String>,
    #[command(flatten)]
    world: WorldArgs,
}

impl WhomArgs {
    pub(super) fn at(self) -> Result<At, Stop> {
        check_world(self.demo.as_ref(), &self.world)?;
        let WhomArgs { cluster, profile, region, endpoint_url, demo, world } = self;
        Ok(At { cluster, container: None, profile, region, endpoint_url, demo: demo.map(|scenario| world.world(scenario)) })
    }
}

#[derive(Args)]
struct AtArgs {
    /// One of its containers, where it has several
    #[arg(long, short = 'n', value_name = "N", value_parser = word)]
    container: Option<String>,
    #[command(flatten)]
    whom: WhomArgs,
}

impl AtArgs {
    fn at(self) -> Result<At, Stop> {
        Ok(At { container: self.container, ..self.whom.at()? })
    }
}

#[derive(Args)]
pub(super) struct ExecArgs {
    /// The task: its id, the beginning of it, or its ARN
    #[arg(value_name = "TASK", value_parser = word)]
    task: String,
    /// What to run: one word is a line of shell, several are a program and its arguments; without it a shell.
    /// Enter ~ . ends a session that hangs
    #[arg(value_name = "CMD", last = true)]
    command: Vec<String>,
    /// Configuration file, instead of the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    at: AtArgs,
}

impl ExecArgs {
    pub(super) fn request(self) -> Result<Request, Stop> {
        let ExecArgs { task, command, config, at } = self;
        let at = at.at()?;
        if command.iter().all(|word| word.trim().is_empty()) && !command.is_empty() {
            return Err(usage("after -- comes what to run, not an empty text"));
        }
        Ok(Request::Exec(Exec { task, command, at, config }))
    }
}

#[derive(Args)]
pub(super) struct DoctorArgs {
    /// The task: its id, the beginning of it, or its ARN
    #[arg(value_name = "TASK", value_parser = word)]
    task: String,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: AtArgs,
}

impl DoctorArgs {
    pub(super) fn request(self) -> Result<Request, Stop> {
        Ok(Request::Doctor(Doctor { task: self.task, json: self.json, at: self.at.at()? }))
    }
}

#[derive(Args)]
pub(super) struct CopyArgs {
    /// A file or a directory, or TASK:PATH in a container
    #[arg(value_name = "SRC", value_parser = word)]
    from: String,
    /// Where to: a file or directory, or TASK:PATH in a container
    #[arg(value_name = "DST", value_parser = word)]
    to: String,
    /// Say nothing while it goes well
    #[arg(long, short = 'q')]
    quiet: bool,
    /// Configuration file, instead of the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    at: AtArgs,
}

impl CopyArgs {
    pub(super) fn request(self) -> Result<Request, Stop> {
        let CopyArgs { from, to, quiet, config, at } = self;
        Ok(Request::Copy(Copy { from, to, quiet, config, at: at.at()? }))
    }
}

#[derive(Args)]
pub(super) struct ForwardArgs {
    /// The task: its id, the beginning of it, or its ARN
    #[arg(value_name = "TASK", value_parser = word)]
    task: String,
    /// A port of the container, and the port of this machine that leads to it [default: a free one]
    #[arg(value_name = "PORT[:LOCAL]", value_parser = ports)]
    ports: (u16, u16),
    /// A host that the task reaches, such as a database: the port is its
    #[arg(long, value_name = "H", value_parser = word)]
    host: Option<String>,
    /// Configuration file, instead of the usual one
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(flatten)]
    at: AtArgs,
}

impl ForwardArgs {
    pub(super) fn request(self) -> Result<Request, Stop> {
        let ForwardArgs { task, ports: (port, local), host, config, at } = self;
        if host.as_deref().is_some_and(|host| host.chars().any(|c| c.is_whitespace() || c == '/')) {
            return Err(usage("--host takes a name or an address, without scheme and path"));
        }
        Ok(Request::Forward(Forward { task, port, local, host, config, at: at.at()? }))
    }
}

/// `80` or `80:8080`: the remote port, then the local one.
fn ports(text: &str) -> Result<(u16, u16), String> {
    let port = |text: &str| text.parse::<u16>().ok().filter(|port| *port > 0);
    let read = match text.split_once(':') {
        None => port(text).map(|port| (port, 0)),
        Some((remote, local)) => port(remote).zip(port(local)),
    };
    read.ok_or_else(|| "a port is 1 to 65535, two are PORT:LOCAL as in 80:8080".to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::parse;
    use super::*;

    #[test]
    fn a_forward_has_a_remote_port_and_perhaps_a_local_one() {
        assert_eq!(ports("80"), Ok((80, 0)));
        assert_eq!(ports("5432:15432"), Ok((5432, 15432)));
        for wrong in ["0", "80:0", "http", "80:", ":80", "70000", "1:2:3"] {
            assert!(ports(wrong).is_err(), "{wrong}");
        }
        let read = parse(["midwatch", "forward", "0123abcd", "5432:15432", "--host", "db.internal", "-c", "main"]).unwrap();
        let at = At { cluster: Some("main".to_owned()), ..At::default() };
        let host = Some("db.internal".to_owned());
        assert_eq!(read, Request::Forward(Forward { task: "0123abcd".to_owned(), port: 5432, local: 15432, host, at, config: None }));
        assert_eq!(parse(["midwatch", "forward", "0123abcd", "80", "--host", "http://db"]).unwrap_err().code, 2);
    }

    #[test]
    fn the_commands_about_a_container_say_where_it_is() {
        let at = At { container: Some("app".to_owned()), profile: Some("prod".to_owned()), ..At::default() };
        let read = parse(["midwatch", "doctor", "0123abcd", "-n", "app", "-p", "prod", "--json"]).unwrap();
        assert_eq!(read, Request::Doctor(Doctor { task: "0123abcd".to_owned(), at: at.clone(), json: true }));
        let read = parse(["midwatch", "cp", "-q", "0123abcd:/etc/hosts", ".", "--container", "app", "-p", "prod"]).unwrap();
        let copy = Copy { from: "0123abcd:/etc/hosts".to_owned(), to: ".".to_owned(), at, quiet: true, config: None };
        assert_eq!(read, Request::Copy(copy));
        assert_eq!(parse(["midwatch", "doctor", "0123abcd", "--seed", "2"]).unwrap_err().code, 2);
    }
}
