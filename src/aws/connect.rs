//! Contexts become SDK clients here: profile, region, endpoint and credentials, by the rules that other AWS tools follow.
//!
//! Nothing is asked of AWS before somebody wants an answer. Credentials are kept here rather than by each SDK client, so that
//! a `credential_process` or an SSO login serves all services of a context at once.

use super::direct::Direct;
use super::failure::{self, Doing};
use super::interceptors::{Clock, StreamHost};
use super::{AwsError, ErrorKind, http, profile};
use crate::model::Str;
use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::imds;
use aws_config::profile::ProfileFileCredentialsProvider;
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{AppName, BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

/// Time in which one request must be answered.
pub const ATTEMPT: Duration = Duration::from_secs(10);

/// What the user said about a context.
#[derive(Clone, Debug, Default)]
pub struct ContextSpec {
    /// How the context is called.
    pub name: String,
    /// Profile to use, and no other credentials; without it the chain that all AWS tools follow.
    pub profile: Option<String>,
    /// Region; without it `AWS_REGION`, `AWS_DEFAULT_REGION`, the profile's, the instance's.
    pub region: Option<String>,
    /// Endpoint of every service; without it what the environment and the profile configure.
    pub endpoint_url: Option<String>,
    /// Access key and secret key, for the demo.
    pub keys: Option<(String, String)>,
    /// Session token that goes with the keys, when they are temporary.
    pub session_token: Option<String>,
    /// Clusters that the user named: described where `ListClusters` is denied.
    pub clusters: Vec<String>,
}

impl ContextSpec {
    /// Whether somebody else than AWS may answer: then a data channel may be on this machine.
    pub(super) fn own_endpoint(&self) -> bool {
        let names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_ECS", "AWS_ENDPOINT_URL_SSM"];
        self.endpoint_url.is_some() || names.iter().any(|name| variable(name).is_some())
    }

    /// The profile that AWS tools would choose: the one named here, else `AWS_PROFILE`.
    pub(super) fn chosen_profile(&self) -> Option<String> {
        if self.keys.is_some() {
            return None;
        }
        self.profile.clone().or_else(|| variable("AWS_PROFILE"))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Checks the profile and finds the region of a context. An error here is the user's to mend before the program can start.
pub(super) async fn settle(spec: &ContextSpec, http: &http::Client) -> Result<Str, AwsError> {
    if spec.keys.is_some()
        && let Some(region) = &spec.region
    {
        return Ok(region.as_str().into());
    }
    let profiles = profile::load().await?;
    let chosen = match spec.chosen_profile() {
        // The default profile need not exist.
        Some(name) if name == "default" => profiles.get_profile("default"),
        Some(name) => Some(profile::find(&profiles, &name)?),
        None => profiles.get_profile("default"),
    };
    let region = spec
        .region
        .clone()
        .or_else(|| variable("AWS_REGION"))
        .or_else(|| variable("AWS_DEFAULT_REGION"))
        .or_else(|| chosen.and_then(|profile| profile.get("region")).map(str::to_owned));
    let region = match region {
        Some(region) => Some(region),
        None => instance_region(http).await,
    };
    region.map(|region| region.as_str().into()).ok_or_else(|| {
        let (config, _) = profile::files();
        let what = format!("start in context {}", spec.name);
        let doing = Doing { action: "sts:GetCallerIdentity", what: &what, profile: None };
        let hint = format!("Name one with --region or AWS_REGION, or put it into {config}");
        failure::failure(ErrorKind::Invalid, doing, "no region", hint)
    })
}

/// The region of the EC2 instance that the program runs on, if it does.
async fn instance_region(http: &http::Client) -> Option<String> {
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true")) {
        return None;
    }
    let provider = imds::region::ImdsRegionProvider::builder().imds_client(metadata(http)).build();
    provider.region().await.map(|region| region.to_string())
}

/// The metadata service answers at once or is not there: one short attempt, for most machines are not instances.
fn metadata(http: &http::Client) -> imds::Client {
    let config = ProviderConfig::without_region().with_http_client(http.clone());
    imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(Duration::from_millis(500))
        .read_timeout(Duration::from_secs(1))
        .build()
}

/// A client that is built when it is first asked something: most of a context's are not, before the first frame.
type Later<C> = LazyLock<C, Box<dyn FnOnce() -> C + Send>>;

/// The clients of one context, built from the files and the environment as they were at that moment.
#[derive(Debug)]
pub(super) struct Sdk {
    config: Arc<SdkConfig>,
    clock: Clock,
    pub(super) provider: SharedCredentialsProvider,
    pub(super) ecs: Later<aws_sdk_ecs::Client>,
    pub(super) elb: Later<aws_sdk_elasticloadbalancingv2::Client>,
    pub(super) sts: Later<aws_sdk_sts::Client>,
    pub(super) scaling: Later<aws_sdk_applicationautoscaling::Client>,
    pub(super) cloudwatch: Later<aws_sdk_cloudwatch::Client>,
    pub(super) codedeploy: Later<aws_sdk_codedeploy::Client>,
    pub(super) direct: Direct,
    logs: Mutex<HashMap<Str, aws_sdk_cloudwatchlogs::Client>>,
    ecr: Mutex<HashMap<Str, aws_sdk_ecr::Client>>,
}

/// A client in the context's own region.
macro_rules! later {
    ($sdk:ident, $config:expr, $clock:expr) => {{
        let (config, clock): (Arc<SdkConfig>, Clock) = ($config.clone(), $clock.clone());
        let build = move || $sdk::Client::from_conf($sdk::config::Builder::from(&*config).interceptor(clock).build());
        LazyLock::new(Box::new(build) as Box<dyn FnOnce() -> $sdk::Client + Send>)
    }};
}

impl Sdk {
    pub(super) async fn build(spec: &ContextSpec, region: &str, http: &http::Client, clock: &Clock) -> Result<Self, AwsError> {
        let region = Region::new(region.to_owned());
        let provider = SharedCredentialsProvider::new(Kept::new(provider(spec, &region, http).await?));
        let timeouts = TimeoutConfig::builder().operation_attempt_timeout(ATTEMPT).connect_timeout(Duration::from_secs(3)).build();
        let mut loader = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(http.clone())
            .region(region)
            // The pollers ask again themselves; a retry behind their back would cost the budget a call that it does not see.
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts)
            .app_name(AppName::new("midwatch").expect("letters only"))
            .credentials_provider(provider.clone());
        if let Some(url) = &spec.endpoint_url {
            loader = loader.endpoint_url(url);
        }
        if let Some(name) = &spec.profile {
            loader = loader.profile_name(name);
        }
        let config = Arc::new(loader.load().await);
        Ok(Sdk {
            ecs: later!(aws_sdk_ecs, config, clock),
            elb: later!(aws_sdk_elasticloadbalancingv2, config, clock),
            sts: later!(aws_sdk_sts, config, clock),
            scaling: later!(aws_sdk_applicationautoscaling, config, clock),
            cloudwatch: later!(aws_sdk_cloudwatch, config, clock),
            codedeploy: later!(aws_sdk_codedeploy, config, clock),
            direct: Direct::new(&config, &provider, http, clock),
            logs: Mutex::default(),
            ecr: Mutex::default(),
            clock: clock.clone(),
            provider,
            config,
        })
    }

    /// The log service in a region, which need not be the context's.
    pub(super) fn logs(&self, region: &str) -> aws_sdk_cloudwatchlogs::Client {
        let mut clients = self.logs.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || {
            let config = aws_sdk_cloudwatchlogs::config::Builder::from(&*self.config).region(Region::new(region.to_owned()));
            aws_sdk_cloudwatchlogs::Client::from_conf(config.interceptor(StreamHost).interceptor(self.clock.clone()).build())
        };
        clients.entry(region.into()).or_insert_with(build).clone()
    }

    /// ECR in a region, which need not be the context's.
    pub(super) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        let mut clients = self.ecr.lock().unwrap_or_else(PoisonError::into_inner);
        let build = || {
            let config = aws_sdk_ecr::config::Builder::from(&*self.config).region(Region::new(region.to_owned()));
            aws_sdk_ecr::Client::from_conf(config.interceptor(self.clock.clone()).build())
        };
        clients.entry(region.into()).or_insert_with(build).clone()
    }
}

/// An explicit profile is the only source, lest stale keys in the environment win; otherwise the default chain.
async fn provider(spec: &ContextSpec, region: &Region, http: &http::Client) -> Result<SharedCredentialsProvider, AwsError> {
    if let Some((access, secret)) = &spec.keys {
        return Ok(SharedCredentialsProvider::new(Credentials::new(access, secret, spec.session_token.clone(), None, "demo")));
    }
    if let Some(name) = spec.chosen_profile() {
        let profiles = profile::load().await?;
        let environment = spec.profile.is_none() && variable("AWS_ACCESS_KEY_ID").is_some();
        if !environment && (name != "default" || profiles.get_profile("default").is_some()) {
            profile::refuse_mfa(&profiles, profile::find(&profiles, &name)?)?;
        }
    }
    let config = ProviderConfig::without_region().with_http_client(http.clone()).with_region(Some(region.clone()));
    if let Some(name) = &spec.profile {
        let only = ProfileFileCredentialsProvider::builder().configure(&config).profile_name(name);
        return Ok(SharedCredentialsProvider::new(only.build()));
    }
    let chain = DefaultCredentialsChain::builder().configure(config).region(region.clone()).imds_client(metadata(http));
    Ok(SharedCredentialsProvider::new(chain.build().await))
}

/// Keeps credentials until shortly before they expire. One load at a time: whoever else asks waits for it.
#[derive(Debug)]
struct Kept {
    from: SharedCredentialsProvider,
    known: tokio::sync::Mutex<Option<Credentials>>,
}

impl Kept {
    /// Time before its end at which a credential counts as expired: a request and its retries must fit in.
    const EARLY: Duration = Duration::from_mins(1);

    fn new(from: SharedCredentialsProvider) -> Self {
        Kept { from, known: tokio::sync::Mutex::default() }
    }

    fn good(credentials: &Credentials) -> bool {
        credentials.expiry().is_none_or(|end| SystemTime::now() + Self::EARLY < end)
    }
}

impl ProvideCredentials for Kept {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let mut known = self.known.lock().await;
            if let Some(known) = known.as_ref().filter(|known| Self::good(known)) {
                return Ok(known.clone());
            }
            let fresh = self.from.provide_credentials().await?;
            *known = Some(fresh.clone());
            Ok(fresh)
        })
    }
}

/// Tells what a credentials provider said.
pub(super) fn unresolved(error: &(dyn std::error::Error + 'static), spec: &ContextSpec) -> AwsError {
    let profile = spec.chosen_profile();
    let what = match &profile {
        Some(name) => format!("use profile {name}"),
        None => format!("log in to context {}", spec.name),
    };
    let doing = Doing { action: "sts:GetCallerIdentity", what: &what, profile: profile.as_deref() };
    failure::credentials(error, doing).unwrap_or_else(|| failure::failure(ErrorKind::NoCredentials, doing, &error.to_string(), ""))
}

/// Makes the HTTP client that all contexts share.
pub(super) fn http_client() -> http::Client {
    http::client()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU32, Ordering};

    #[derive(Debug)]
    struct Lender(AtomicU32, Option<Duration>);

    impl ProvideCredentials for Lender {
        fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
        where
            Self: 'a,
        {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            let end = self.1.map(|time| SystemTime::now() + time);
            future::ProvideCredentials::ready(Ok(Credentials::new(format!("key{n}"), "secret", None, end, "test")))
        }
    }

    async fn keys(lasting: Option<Duration>) -> Vec<String> {
        let kept = Kept::new(SharedCredentialsProvider::new(Lender(AtomicU32::new(0), lasting)));
        let mut keys = Vec::new();
        for _ in 0..2 {
            keys.push(kept.provide_credentials().await.unwrap().access_key_id().to_owned());
        }
        keys
    }

    #[tokio::test]
    async fn credentials_are_asked_for_once_until_they_are_about_to_expire() {
        assert_eq!(keys(None).await, ["key0", "key0"]);
        assert_eq!(keys(Some(Duration::from_hours(1))).await, ["key0", "key0"]);
        assert_eq!(keys(Some(Duration::from_secs(30))).await, ["key0", "key1"]);
    }

    #[tokio::test]
    async fn the_demo_needs_no_file_and_no_network() {
        let spec = ContextSpec {
            name: "demo".into(),
            region: Some("eu-west-1".into()),
            keys: Some(("a".into(), "b".into())),
            ..ContextSpec::default()
        };
        let region = settle(&spec, &http_client()).await.unwrap();
        let sdk = Sdk::build(&spec, &region, &http_client(), &Clock::default()).await.unwrap();
        assert_eq!(sdk.provider.provide_credentials().await.unwrap().access_key_id(), "a");
    }
}
