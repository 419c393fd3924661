//! One context's door: every call waits for its budget, is bounded in time, and fails in words.

use super::access::Ledger;
use super::batch::Batch;
use super::connect::{self, ContextSpec, Sdk};
use super::failure::{self, Doing};
use super::interceptors::Clock;
use super::poll::Figures;
use super::queue::Budget;
use super::{AwsError, ErrorKind, http, sign};
use crate::budget::{Counter, Meter, Priority, Throttle};
use crate::change::gate::Gate;
use crate::feed::Learnt;
use crate::model::{Ctx, ServiceRevision, Str, TargetGroup, Time};
use aws_credential_types::provider::ProvideCredentials;
use aws_sdk_sts::config::http::HttpResponse;
use aws_sdk_sts::error::{ProvideErrorMetadata, SdkError};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;

/// Times that a call is sent again because AWS throttled it; each waits for a budget that has become slower.
const THROTTLED_AGAIN: u32 = 3;

/// Time for which clients are kept though their credentials fail: files are not read again more often.
const REBUILD: Duration = Duration::from_secs(3);

/// One context: its clients, its budget. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Api(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    ctx: Ctx,
    spec: ContextSpec,
    region: Str,
    http: http::Client,
    clock: Clock,
    budget: Budget,
    sdk: Mutex<Option<(Arc<Sdk>, Instant)>>,
    target_groups: Batch<TargetGroup>,
    revisions: Batch<ServiceRevision>,
    figures: Figures,
    access: Ledger,
    gate: Gate,
    roles: Mutex<HashMap<Str, Str>>,
}

/// What a call is, for its budget and for the words of its failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) throttle: Throttle,
    pub(super) priority: Priority,
    /// In IAM's words.
    pub(super) action: &'a str,
    /// To follow "Cannot".
    pub(super) what: &'a str,
}

impl Api {
    /// The context.
    #[must_use]
    pub fn ctx(&self) -> Ctx {
        self.0.ctx
    }

    /// The context's region.
    #[must_use]
    pub fn region(&self) -> &Str {
        &self.0.region
    }

    /// The budget that its calls wait for.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.0.budget
    }

    /// Clusters that the user named.
    pub(super) fn named_clusters(&self) -> &[String] {
        &self.0.spec.clusters
    }

    pub(super) fn target_groups(&self) -> &Batch<TargetGroup> {
        &self.0.target_groups
    }

    pub(super) fn revisions(&self) -> &Batch<ServiceRevision> {
        &self.0.revisions
    }

    pub(super) fn figures(&self) -> &Figures {
        &self.0.figures
    }

    /// ARNs of roles by what they are without the path. A path never changes.
    pub(super) fn roles(&self) -> &Mutex<HashMap<Str, Str>> {
        &self.0.roles
    }

    /// The gate that its writes pass.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.0.gate
    }

    /// The time by AWS's clock.
    #[must_use]
    pub fn now(&self) -> Time {
        let skew = jiff::SignedDuration::from_millis(self.0.clock.skew_ms());
        let local = Time::now();
        local.checked_add(skew).unwrap_or(local)
    }

    /// Whether the context has an endpoint of its own, on this machine perhaps.
    #[must_use]
    pub fn own_endpoint(&self) -> bool {
        self.0.spec.own_endpoint()
    }

    /// Headers that sign a request without a body, for a service that no SDK speaks to.
    pub(super) async fn sign(&self, url: &str, service: &str, doing: Doing<'_>) -> Result<Vec<(String, String)>, AwsError> {
        let sdk = self.sdk().await?;
        let loading = tokio::time::timeout(connect::ATTEMPT, sdk.provider.provide_credentials());
        let credentials = match loading.await {
            Ok(Ok(credentials)) => credentials,
            Ok(Err(error)) => {
                self.forget(&sdk).await;
                return Err(connect::unresolved(&error, &self.0.spec));
            }
            Err(_) => return Err(failure::late(doing)),
        };
        sign::headers(url, service, self.region(), credentials, self.now())
            .map_err(|error| failure::failure(ErrorKind::Invalid, doing, &error, ""))
    }

    /// What answers have told about the role's rights since this was last asked.
    #[must_use]
    pub fn learnt(&self) -> Vec<Learnt> {
        self.0.access.news()
    }

    /// Sends a call when its budget allows, and again when AWS throttles it.
    pub(super) async fn call<T, E, F>(&self, call: Call<'_>, send: impl Fn(Arc<Sdk>) -> F) -> Result<T, AwsError>
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        F: Future<Output = Result<T, SdkError<E, HttpResponse>>>,
    {
        let mut throttled = 0;
        loop {
            let sdk = self.sdk().await?;
            self.0.budget.wait(call.throttle, call.priority).await;
            let profile = self.0.spec.chosen_profile();
            let doing = Doing { action: call.action, what: call.what, profile: profile.as_deref() };
            let asked = Instant::now();
            // The SDK bounds an attempt, but not the loading of credentials before it.
            let answer = tokio::time::timeout(connect::ATTEMPT + Duration::from_secs(2), send(Arc::clone(&sdk))).await;
            let error = match answer {
                Ok(Ok(answer)) => {
                    tracing::debug!(ctx = self.0.ctx.0, action = call.action, ms = asked.elapsed().as_millis(), "answered");
                    self.0.access.allowed(call.action);
                    return Ok(answer);
                }
                Ok(Err(error)) => failure::explain(&error, doing),
                Err(_) => failure::late(doing),
            };
            tracing::debug!(ctx = self.0.ctx.0, action = call.action, ms = asked.elapsed().as_millis(), %error, code = error.code.as_deref(), "failed");
            match error.kind {
                ErrorKind::Throttled => {
                    self.0.budget.throttled(call.throttle);
                    throttled += 1;
                    if throttled <= THROTTLED_AGAIN {
                        continue;
                    }
                }
                ErrorKind::Denied => self.0.access.denied(&error),
                ErrorKind::Expired | ErrorKind::NoCredentials => self.forget(&sdk).await,
                _ => {}
            }
            return Err(error);
        }
    }

    async fn sdk(&self) -> Result<Arc<Sdk>, AwsError> {
        let mut kept = self.0.sdk.lock().await;
        if let Some((sdk, _)) = &*kept {
            return Ok(Arc::clone(sdk));
        }
        let sdk = Arc::new(Sdk::build(&self.0.spec, &self.0.region, &self.0.http, &self.0.clock).await?);
        *kept = Some((Arc::clone(&sdk), Instant::now()));
        Ok(sdk)
    }

    /// Drops clients whose credentials failed. A provider reads its files once, so only new clients see a new login.
    async fn forget(&self, failed: &Arc<Sdk>) {
        let mut kept = self.0.sdk.lock().await;
        if kept.as_ref().is_some_and(|(sdk, built)| Arc::ptr_eq(sdk, failed) && built.elapsed() >= REBUILD) {
            *kept = None;
            self.0.access.forget();
            self.0.gate.forget(self.0.ctx);
        }
    }

    async fn resolve(&self) -> Result<(), AwsError> {
        let sdk = self.sdk().await?;
        let resolved = sdk.provider.provide_credentials().await;
        if let Err(error) = resolved {
            self.forget(&sdk).await;
            return Err(connect::unresolved(&error, &self.0.spec));
        }
        Ok(())
    }
}

/// All contexts of the run. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Clients {
    apis: Arc<[Api]>,
    counter: Counter,
    clock: Clock,
    gate: Gate,
}

/// Checks profiles and regions and makes the contexts; asks nothing of AWS.
///
/// # Errors
/// The first thing that the user must mend: an unknown profile, no region, an unreadable configuration file.
///
/// # Panics
/// With more than 65,535 contexts.
pub async fn connect(specs: Vec<ContextSpec>) -> Result<Clients, AwsError> {
    let (http, clock, counter, gate) = (connect::http_client(), Clock::default(), Counter::default(), Gate::default());
    let mut apis = Vec::with_capacity(specs.len());
    for (index, spec) in specs.into_iter().enumerate() {
        let region = connect::settle(&spec, &http).await?;
        apis.push(Api(Arc::new(Inner {
            ctx: Ctx(u16::try_from(index).expect("a command line names fewer contexts")),
            spec,
            region,
            http: http.clone(),
            clock: clock.clone(),
            budget: Budget::new(counter.clone()),
            sdk: Mutex::default(),
            target_groups: Batch::default(),
            revisions: Batch::default(),
            figures: Figures::default(),
            access: Ledger::default(),
            gate: gate.clone(),
            roles: Mutex::default(),
        })));
    }
    Ok(Clients { apis: apis.into(), counter, clock, gate })
}

impl Clients {
    /// Name and region of every context, in order.
    pub fn contexts(&self) -> impl Iterator<Item = (Str, Str)> + '_ {
        self.apis.iter().map(|api| (crate::text::clean(&api.0.spec.name), Str::clone(&api.0.region)))
    }

    /// The profile of every context, in order, where it has one.
    pub fn profiles(&self) -> impl Iterator<Item = Option<Str>> + '_ {
        self.apis.iter().map(|api| api.0.spec.chosen_profile().map(|profile| crate::text::clean(&profile)))
    }

    /// The gate that all writes pass; it is locked until it is told by which rules it goes.
    #[must_use]
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// The door of a context.
    ///
    /// # Panics
    /// Never for a context of these clients.
    #[must_use]
    pub fn api(&self, ctx: Ctx) -> &Api {
        &self.apis[usize::from(ctx.0)]
    }

    /// Loads the credentials of every context at the same time, so that whatever prompts does so before the screen is taken.
    /// A failure is not the end: the context goes on trying.
    pub async fn resolve(&self, patience: Duration) -> Vec<Result<(), AwsError>> {
        let resolve = |api: &Api| {
            let api = api.clone();
            async move {
                tokio::time::timeout(patience, api.resolve()).await.unwrap_or_else(|_| {
                    let what = format!("log in to context {}", api.0.spec.name);
                    let doing = Doing { action: "sts:GetCallerIdentity", what: &what, profile: None };
                    let came = format!("no credentials within {} s", patience.as_secs());
                    Err(failure::failure(ErrorKind::Timeout, doing, &came, "Asking again"))
                })
            }
        };
        futures_util::future::join_all(self.apis.iter().map(resolve)).await
    }

    /// What to add to the local clock to get AWS's, in milliseconds, as far as replies have told.
    #[must_use]
    pub fn clock_skew_ms(&self) -> i64 {
        self.clock.skew_ms()
    }

    /// The program's calls.
    #[must_use]
    pub fn meter(&self) -> Meter {
        self.counter.meter()
    }
}
