//! Profiles, keys, regions and endpoints as other AWS tools understand them. Each case runs in a process of its own, with an
//! environment and a home of its own, against the embedded AWS.

#![allow(clippy::unwrap_used)] // A test that cannot go on fails.

use midwatch::aws::{Clients, ContextSpec, Poll, connect};
use midwatch::budget::Priority;
use midwatch::feed::{Feed, Outcome};
use midwatch::model::Ctx;
use midwatch::sim::{Options, Sim};
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

/// What the inner process does: makes a context from `MW_PROFILE` and `MW_REGION`, and tells on its last lines what came of it.
#[tokio::test]
#[ignore = "runs inside the other tests, with an environment of its own"]
async fn inner() {
    let variable = |name| std::env::var(name).ok();
    let spec =
        ContextSpec { name: "test".to_owned(), profile: variable("MW_PROFILE"), region: variable("MW_REGION"), ..ContextSpec::default() };
    let clients = match connect(vec![spec]).await {
        Ok(clients) => clients,
        Err(error) => return tell("connect", &format!("{} | {}", error.what, error.hint)),
    };
    let (_, region) = clients.contexts().next().unwrap();
    tell("region", &region);
    match &clients.resolve(Duration::from_secs(20)).await[0] {
        Ok(()) => tell("resolve", "ok"),
        Err(error) => tell("resolve", &format!("{:?} | {} | {}", error.kind, error.what, error.hint)),
    }
    tell("identity", &asked(&clients, Feed::Identity(Ctx(0))).await);
    tell("clusters", &asked(&clients, Feed::Clusters(Ctx(0))).await);
    if let Some(mended) = variable("MW_MENDED") {
        std::fs::write(variable("AWS_SHARED_CREDENTIALS_FILE").unwrap(), mended).unwrap();
        let mut poll = Poll::new(clients.api(Ctx(0)).clone(), Feed::Identity(Ctx(0)));
        let login = async {
            while poll.ask(Priority::Focus, &mut |_, _| {}).await.is_err() {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        };
        tell("mended", if tokio::time::timeout(Duration::from_mins(5), login).await.is_ok() { "ok" } else { "never" });
    }
}

async fn asked(clients: &Clients, feed: Feed) -> String {
    match Poll::new(clients.api(Ctx(0)).clone(), feed).ask(Priority::Focus, &mut |_, _| {}).await {
        Ok(Outcome::Whole(value)) => format!("{value:?}"),
        Ok(other) => format!("{other:?}"),
        Err(error) => format!("{:?} | {} | {}", error.kind, error.what, error.hint),
    }
}

fn tell(what: &str, text: &str) {
    let mut out = std::io::stdout();
    writeln!(out, "\n=={what}: {text}").unwrap();
}

/// A home and an environment for one inner process.
struct Home {
    sim: Sim,
    dir: PathBuf,
    env: Vec<(String, String)>,
}

impl Home {
    fn new(name: &str, config: &str, credentials: &str) -> Self {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("config"), config).unwrap();
        std::fs::write(dir.join("credentials"), credentials).unwrap();
        let sim = Sim::start(Options::default()).unwrap();
        let path = |file: &str| dir.join(file).to_str().unwrap().to_owned();
        let env = [("AWS_CONFIG_FILE", path("config")), ("AWS_SHARED_CREDENTIALS_FILE", path("credentials"))];
        let env = env.map(|(name, value)| (name.to_owned(), value)).to_vec();
        Home { sim, dir, env }.with("AWS_EC2_METADATA_DISABLED", "true")
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn facing_the_sim(self) -> Self {
        let endpoint = self.sim.endpoint();
        self.with("AWS_ENDPOINT_URL", &endpoint)
    }

    /// Keys of a context of the simulator, as lines of a profile.
    fn keys(sim: &Sim, context: usize) -> String {
        let info = &sim.contexts()[context];
        format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", info.access_key, info.secret_key)
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.dir.join(file), text).unwrap();
    }

    fn run(&self) -> Told {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "inner", "--ignored", "--nocapture"]).env_clear();
        command.env("HOME", &self.dir).env("PATH", std::env::var_os("PATH").unwrap()).envs(self.env.iter().cloned());
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
        Told(text)
    }

    fn account(&self, context: usize) -> &str {
        &self.sim.contexts()[context].account
    }
}

struct Told(String);

impl Told {
    fn line(&self, what: &str) -> &str {
        let mark = format!("=={what}: ");
        self.0.lines().find_map(|line| line.strip_prefix(&mark)).unwrap_or_else(|| panic!("no {what} in {}", self.0))
    }
}

fn with_profile(name: &str, profile: &str, more: &str) -> Home {
    let home = Home::new(name, "", "").facing_the_sim();
    let keys = Home::keys(&home.sim, 0);
    home.write("config", &format!("[profile {profile}]\nregion = eu-west-1\n{keys}{more}"));
    home
}

#[test]
fn an_explicit_profile_beats_stale_keys_in_the_environment() {
    let home = with_profile("stale", "acme", "").with("AWS_ACCESS_KEY_ID", "AKIASTALE").with("AWS_SECRET_ACCESS_KEY", "stale");
    let home = home.with("AWS_SESSION_TOKEN", "stale").with("MW_PROFILE", "acme");
    let told = home.run();
    assert_eq!((told.line("region"), told.line("resolve")), ("eu-west-1", "ok"));
    assert!(told.line("identity").contains(home.account(0)), "{}", told.line("identity"));
}

#[test]
fn without_an_explicit_profile_keys_in_the_environment_come_first() {
    let home = with_profile("environment", "acme", "").with("AWS_PROFILE", "acme");
    let other = home.sim.contexts()[1].clone();
    let home = home.with("AWS_ACCESS_KEY_ID", &other.access_key).with("AWS_SECRET_ACCESS_KEY", &other.secret_key);
    let told = home.run();
    assert!(told.line("identity").contains(&other.account), "{}", told.line("identity"));
    assert_eq!(told.line("region"), "eu-west-1", "the region is the profile's all the same");
}

#[test]
fn the_region_of_the_environment_goes_before_the_profiles() {
    let home = with_profile("region", "acme", "").with("MW_PROFILE", "acme").with("AWS_REGION", "us-east-2");
    assert_eq!(home.run().line("region"), "us-east-2");
    let home = home.with("MW_REGION", "ap-south-1");
    assert_eq!(home.run().line("region"), "ap-south-1");
}

#[test]
fn an_unknown_profile_and_no_region_are_told_before_anything_starts() {
    let home = with_profile("unknown", "acme-prod", "").with("MW_PROFILE", "acme-prd");
    let told = home.run();
    let line = told.line("connect");
    assert!(line.starts_with("Cannot use profile acme-prd: it is neither in ") && line.ends_with("Did you mean acme-prod?"), "{line}");
    let home = Home::new("nowhere", "", "").facing_the_sim();
    let told = home.run();
    assert!(
        told.line("connect").starts_with("Cannot start in context test: no region | Name one with --region"),
        "{}",
        told.line("connect")
    );
}

#[test]
fn a_role_that_asks_for_mfa_is_named() {
    let more = "[profile admin]\nregion = eu-west-1\nrole_arn = arn:aws:iam::1:role/admin\nsource_profile = acme\nmfa_serial = arn:aws:iam::1:mfa/ann\n";
    let home = with_profile("mfa", "acme", more).with("MW_PROFILE", "admin");
    let told = home.run();
    let line = told.line("resolve");
    assert!(line.starts_with("NoCredentials | Cannot use profile admin: it asks for an MFA code (mfa_serial = "), "{line}");
    assert!(line.contains("aws configure export-credentials --profile admin"), "{line}");
    assert!(told.line("identity").contains("it asks for an MFA code"), "{}", told.line("identity"));
}

#[test]
fn nothing_found_and_an_expired_login_say_what_to_run() {
    let home = Home::new("nothing", "", "").facing_the_sim().with("MW_REGION", "eu-west-1");
    let told = home.run();
    let line = told.line("resolve");
    assert!(line.starts_with("NoCredentials | Cannot log in to context test: no credentials found | "), "{line}");
    assert!(
        told.line("clusters").starts_with("NoCredentials | Cannot list the clusters: no credentials found"),
        "{}",
        told.line("clusters")
    );
    let sso = "[profile sso]\nregion = eu-west-1\nsso_start_url = https://x.awsapps.com/start\nsso_region = eu-west-1\nsso_account_id = 111111111111\nsso_role_name = dev\n";
    let home = Home::new("sso", sso, "").facing_the_sim().with("MW_PROFILE", "sso");
    let told = home.run();
    let line = told.line("resolve");
    assert_eq!(line, "Expired | Cannot use profile sso: the SSO login has expired | run: aws sso login --profile sso");
    let line = told.line("clusters");
    assert_eq!(line, "Expired | Cannot list the clusters: the SSO login has expired | run: aws sso login --profile sso");
}

#[test]
fn a_profile_of_aws_login_without_a_login_says_what_to_run() {
    let home = Home::new("login", "[profile dev]\nregion = eu-west-1\nlogin_session = arn:aws:iam::1:user/ann\n", "");
    let told = home.facing_the_sim().with("MW_PROFILE", "dev").run();
    let line = told.line("resolve");
    assert!(line.starts_with("Expired | Cannot use profile dev: the console login has expired | run: aws login --profile dev"), "{line}");
}

#[test]
fn a_credential_process_runs_once_for_all_services() {
    let home = Home::new("process", "", "").facing_the_sim().with("MW_PROFILE", "acme");
    let info = home.sim.contexts()[0].clone();
    let json = format!(r#"{{"Version": 1, "AccessKeyId": "{}", "SecretAccessKey": "{}"}}"#, info.access_key, info.secret_key);
    home.write("answer.json", &json);
    home.write("runs", "");
    let (answer, runs) = (home.dir.join("answer.json"), home.dir.join("runs"));
    home.write("process.sh", &format!("echo run >> {}\ncat {}\n", runs.display(), answer.display()));
    let script = home.dir.join("process.sh");
    home.write("config", &format!("[profile acme]\nregion = eu-west-1\ncredential_process = sh {}\n", script.display()));
    let told = home.run();
    assert!(told.line("identity").contains(&*info.account), "{}", told.0);
    assert!(told.line("clusters").starts_with("Clusters("), "{}", told.line("clusters"));
    assert_eq!(std::fs::read_to_string(runs).unwrap(), "run\n");
}

#[test]
fn a_role_is_assumed_from_its_source_profile() {
    let home = with_profile("role", "acme", "");
    let keys = Home::keys(&home.sim, 0);
    let config = |role: &str| {
        let role = format!("arn:aws:iam::{}:role/{role}", home.account(1));
        format!("[profile acme]\n{keys}[profile stage]\nregion = eu-west-1\nrole_arn = {role}\nsource_profile = acme\n")
    };
    home.write("config", &config("Developer"));
    let home = home.with("MW_PROFILE", "stage");
    let told = home.run();
    assert_eq!(told.line("resolve"), "ok", "{}", told.0);
    assert!(told.line("identity").contains(home.account(1)), "{}", told.line("identity"));
    assert_eq!(home.sim.calls().iter().filter(|call| call.operation == "AssumeRole").count(), 1);
}

#[test]
fn a_role_that_may_not_be_assumed_is_told_in_iams_words() {
    let role = "role_arn = arn:aws:iam::111111111111:role/nobody\nsource_profile = acme\n";
    let home = with_profile("refused", "acme", &format!("[profile nobody]\nregion = eu-west-1\n{role}")).with("MW_PROFILE", "nobody");
    let told = home.run();
    let line = told.line("clusters");
    assert_eq!(
        line,
        "NoCredentials | Cannot list the clusters: AccessDenied for sts:AssumeRole | Profile nobody may not assume its role; ask for sts:AssumeRole"
    );
}

#[test]
fn endpoints_come_from_the_environment_and_the_profile_by_service() {
    let home = Home::new("endpoints", "", "").with("MW_PROFILE", "acme").with("AWS_ENDPOINT_URL", "http://127.0.0.1:9");
    let (endpoint, keys) = (home.sim.endpoint(), Home::keys(&home.sim, 0));
    home.write("config", &format!("[profile acme]\nregion = eu-west-1\n{keys}"));
    let home = home.with("AWS_ENDPOINT_URL_ECS", &endpoint);
    let told = home.run();
    assert!(told.line("clusters").starts_with("Clusters("), "{}", told.line("clusters"));
    assert!(told.line("identity").contains("127.0.0.1:9 refuses the connection"), "{}", told.line("identity"));

    let home = Home::new("services", "", "").with("MW_PROFILE", "acme");
    let (endpoint, keys) = (home.sim.endpoint(), Home::keys(&home.sim, 0));
    let services = format!("[services local]\nsts =\n  endpoint_url = {endpoint}\necs =\n  endpoint_url = {endpoint}\n");
    home.write("config", &format!("[profile acme]\nregion = eu-west-1\nservices = local\n{keys}{services}"));
    let told = home.run();
    assert!(told.line("identity").contains(home.account(0)) && told.line("clusters").starts_with("Clusters("), "{}", told.0);
}

#[test]
fn a_login_that_is_mended_in_the_files_is_found_without_a_restart() {
    let home =
        Home::new("mended", "[profile acme]\nregion = eu-west-1\n", "[acme]\naws_access_key_id = AKIAOLD\naws_secret_access_key = old\n");
    let mended = format!("[acme]\n{}", Home::keys(&home.sim, 0));
    let home = home.facing_the_sim().with("MW_PROFILE", "acme").with("MW_MENDED", &mended);
    let told = home.run();
    assert!(told.line("identity").starts_with("Expired | "), "{}", told.line("identity"));
    assert_eq!(told.line("mended"), "ok");
}

#[test]
fn container_credentials_are_fetched_without_a_proxy() {
    let home = Home::new("container", "", "").facing_the_sim().with("MW_REGION", "eu-west-1").with("HTTP_PROXY", "http://127.0.0.1:9");
    let info = home.sim.contexts()[0].clone();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let home = home.with("AWS_CONTAINER_CREDENTIALS_FULL_URI", &format!("http://{address}/credentials"));
    let serve = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = stream.read(&mut [0; 4096]).unwrap();
        let body = format!(
            r#"{{"AccessKeyId": "{}", "SecretAccessKey": "{}", "Token": "", "Expiration": "2099-01-01T00:00:00Z"}}"#,
            info.access_key, info.secret_key
        );
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
    });
    let told = home.run();
    assert_eq!(told.line("resolve"), "ok", "{}", told.0);
    serve.join().unwrap();
}
