//! Every write that an operator can send, through the real SDK against the embedded AWS: what it moves, what refuses it, and what
//! goes wrong on the way.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

#[path = "support/clients.rs"]
mod clients;
#[path = "sim_writes/code_deploy.rs"]
mod code_deploy;
#[path = "sim_writes/faults.rs"]
mod faults;
#[path = "sim_writes/services.rs"]
mod services;
#[path = "sim_writes/tasks.rs"]
mod tasks;

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use midwatch::sim::{Options, Sim};
use std::fmt::Debug;
use std::time::Duration;

/// A scenario at a standstill, so that only steps move it: an embedded one, or a file of the contract tests.
fn world(name: &str) -> Sim {
    let file = format!("{}/tests/contract/{name}", env!("CARGO_MANIFEST_DIR"));
    let scenario = if name.contains('.') { file } else { name.to_owned() };
    Sim::start(Options { scenario, speed: 0.0, ..Options::default() }).unwrap()
}

/// Code and words of a refusal.
fn refusal<T: Debug, E: ProvideErrorMetadata + Debug, R: Debug>(answer: Result<T, SdkError<E, R>>) -> (String, String) {
    let error = answer.expect_err("AWS refuses this");
    (error.code().unwrap_or_default().to_owned(), error.message().unwrap_or_default().to_owned())
}

async fn described(ecs: &aws_sdk_ecs::Client, cluster: &str, service: &str) -> aws_sdk_ecs::types::Service {
    ecs.describe_services().cluster(cluster).services(service).send().await.unwrap().services.unwrap().remove(0)
}

/// Steps by seconds until something is so; panics after ten minutes.
async fn until(sim: &Sim, what: &str, mut so: impl AsyncFnMut() -> bool) {
    for _ in 0..120 {
        if so().await {
            return;
        }
        sim.step(Duration::from_secs(5));
    }
    panic!("not within ten minutes: {what}");
}
