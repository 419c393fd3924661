//! Task definitions: what `RegisterTaskDefinition` is given becomes the document
//! that `DescribeTaskDefinition` answers, and the few facts the clockwork needs.
//! Scenarios register through here as well, so that both look alike.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::state::{AwsLogs, ContainerDefinition, Estate, LogGroup, Ms, NetworkMode, TaskDefinition};
use crate::sim::scenario::schema::Condition;
use crate::sim::scenario::{Behaviour, Fate, HealthCheck, Voice};

/// What a task definition cannot say of its containers.
#[derive(Debug, Clone)]
pub struct Flavour {
    /// What each container is like.
    pub traits: Vec<Trait>,
    /// How its tasks fare.
    pub behaviour: Arc<Behaviour>,
    /// Revision number; the next one by default.
    pub revision: Option<u32>,
    /// When, and by whose ARN.
    pub at: Ms,
    /// ARN of who registers.
    pub by: String,
}

/// What a container definition cannot say of its container.
#[derive(Debug, Clone)]
pub struct Trait {
    /// Container name.
    pub name: String,
    /// What its log lines look like.
    pub voice: Voice,
    /// Log lines per second.
    pub rate: f64,
    /// Exit code when it is told to stop; by default what programs of its voice do.
    pub stops_with: Option<i32>,
}

impl Trait {
    /// As the scenario has it.
    pub(super) fn of(file: &crate::sim::scenario::schema::Container) -> Self {
        Self { name: file.name.clone(), voice: file.voice, rate: file.rate, stops_with: file.stops_with }
    }
}

impl Estate {
    /// The newest ACTIVE revision of a family.
    #[must_use]
    pub fn newest(&self, family: &str) -> Option<&Arc<TaskDefinition>> {
        self.families.get(family)?.iter().rev().find(|d| d.active)
    }

    /// A revision of a family.
    #[must_use]
    pub fn definition(&self, family: &str, revision: u32) -> Option<&Arc<TaskDefinition>> {
        self.families.get(family)?.iter().find(|d| d.revision == revision)
    }

    /// What a revision registered by a client takes over from the one before.
    pub fn inherited_flavour(&self, input: &Value, by: &str) -> Flavour {
        let before = text(input, "family").and_then(|family| self.newest(family));
        let like = |c: &ContainerDefinition| Trait { name: c.name.clone(), voice: c.voice, rate: c.rate, stops_with: Some(c.stops_with) };
        let traits = before.map_or_else(Vec::new, |d| d.containers.iter().map(like).collect());
        let good = before.filter(|d| lasts(d)).map(|d| Arc::clone(&d.behaviour));
        let mut behaviour = good.unwrap_or_default();
        let missing = containers(input).find_map(|c| {
            let image = text(c, "image")?;
            self.image_digest(image, self.now).is_none().then_some(())
        });
        if missing.is_some() {
            behaviour = Arc::new(Behaviour { fate: Fate::PullFails, ..Behaviour::default() });
        }
        Flavour { traits, behaviour, revision: None, at: self.now, by: by.to_owned() }
    }

    /// Registers what a client sent: members that only a reply has are ignored, as the service ignores what it does not know.
    pub fn register_sent(&mut self, input: &Value, flavour: Flavour) -> Arc<TaskDefinition> {
        let mut input = input.clone();
        super::actors::drop_output(&mut input);
        self.register(&input, flavour)
    }

    /// Registers a task definition from the members of a `RegisterTaskDefinition` request that has been checked.
    pub fn register(&mut self, input: &Value, flavour: Flavour) -> Arc<TaskDefinition> {
        let family = text(input, "family").unwrap_or_default().to_owned();
        let last = self.families.get(&family).and_then(|all| all.last()).map_or(0, |d| d.revision);
        let revision = flavour.revision.unwrap_or(last + 1);
        let network = network_mode(input);
        let mut parsed: Vec<ContainerDefinition> = containers(input).map(|c| Self::container(c, &flavour)).collect();
        let order = containers(input).map(|c| dependencies(c, &parsed)).collect::<Vec<_>>();
        for (container, depends_on) in parsed.iter_mut().zip(order) {
            container.depends_on = depends_on;
        }
        for log in containers(input).filter_map(awslogs) {
            self.log_group(&log.group, flavour.at);
        }
        let size = |key: &str| text(input, key).and_then(|t| t.parse::<u32>().ok());
        let sum = |of: fn(&ContainerDefinition) -> u32| parsed.iter().map(of).sum::<u32>();
        let memory_of = |c: &ContainerDefinition| if c.memory > 0 { c.memory } else { c.memory_reservation };
        let mut definition = TaskDefinition {
            revision,
            document: String::new().into_boxed_str(),
            tags: tags(input),
            registered_at: flavour.at,
            active: true,
            network,
            cpu: size("cpu").unwrap_or_else(|| sum(|c| c.cpu)),
            memory: size("memory").unwrap_or_else(|| sum(memory_of)),
            task_size: size("cpu").is_some() && size("memory").is_some(),
            containers: parsed,
            behaviour: flavour.behaviour,
            family,
        };
        let arn = self.definition_arn(&definition);
        let document = document(input, &arn, &definition, &flavour.by);
        definition.document = document.to_string().into_boxed_str();
        let definition = Arc::new(definition);
        self.families.entry(definition.family.clone()).or_default().push(Arc::clone(&definition));
        definition
    }

    fn container(c: &Value, flavour: &Flavour) -> ContainerDefinition {
        let name = text(c, "name").unwrap_or_default().to_owned();
        let known = flavour.traits.iter().find(|t| t.name == name);
        let (voice, rate) = known.map_or((Voice::Plain, 1.0), |t| (t.voice, t.rate));
        let image = text(c, "image").unwrap_or_default().to_owned();
        ContainerDefinition {
            image,
            essential: c.get("essential").and_then(Value::as_bool).unwrap_or(true),
            cpu: number(c, "cpu"),
            memory: number(c, "memory"),
            memory_reservation: number(c, "memoryReservation"),
            ports: c.get("portMappings").and_then(Value::as_array).into_iter().flatten().map(port).collect(),
            health_check: c.get("healthCheck").map(health_check),
            stop_timeout: match number(c, "stopTimeout") {
                0 => 30,
                seconds => seconds,
            },
            log: awslogs(c),
            depends_on: Vec::new(),
            secrets: secrets(c),
            environment_files: environment_files(c),
            stops_with: known.and_then(|t| t.stops_with).unwrap_or_else(|| on_sigterm(voice)),
            voice,
            rate,
            name,
        }
    }

    /// The log group of a name, made when it is missing.
    pub(super) fn log_group(&mut self, name: &str, at: Ms) -> &mut LogGroup {
        self.log_groups.entry(name.to_owned()).or_insert_with(|| LogGroup {
            created_at: at,
            retention_days: Some(30),
            streams: std::collections::BTreeMap::new(),
        })
    }

    /// Makes a revision INACTIVE: what runs with it runs on, nothing new starts from it.
    pub fn deregister_definition(&mut self, definition: &TaskDefinition) -> Option<Arc<TaskDefinition>> {
        let at = crate::sim::ecs::seconds(self.now);
        let known = self.families.get_mut(&definition.family)?.iter_mut().find(|d| d.revision == definition.revision)?;
        let mut changed = TaskDefinition::clone(known);
        changed.active = false;
        let mut document: Value = serde_json::from_str(&changed.document).unwrap_or_default();
        document["status"] = json!("INACTIVE");
        document["deregisteredAt"] = at;
        changed.document = document.to_string().into_boxed_str();
        *known = Arc::new(changed);
        Some(Arc::clone(known))
    }
}

/// A revision whose tasks can live on, so that its successors may inherit its ways.
fn lasts(definition: &TaskDefinition) -> bool {
    let lasting = matches!(definition.behaviour.fate, Fate::Healthy | Fate::SlowStart);
    lasting || definition.behaviour.at_most.is_some()
}

/// The `taskDefinition` of a reply: the request's members and what AWS adds.
fn document(input: &Value, arn: &str, definition: &TaskDefinition, by: &str) -> Value {
    let mut out = Map::new();
    out.insert("taskDefinitionArn".to_owned(), json!(arn));
    for (key, value) in input.as_object().into_iter().flatten() {
        if key != "tags" && key != "containerDefinitions" {
            out.insert(key.clone(), value.clone());
        }
    }
    let all = containers(input).map(|c| with_defaults(c, definition.network)).collect();
    out.insert("containerDefinitions".to_owned(), Value::Array(all));
    out.insert("revision".to_owned(), json!(definition.revision));
    out.insert("status".to_owned(), json!("ACTIVE"));
    for key in ["volumes", "placementConstraints"] {
        out.entry(key).or_insert_with(|| json!([]));
    }
    out.insert("requiresAttributes".to_owned(), attributes(input, definition.network));
    let compatible = match definition.network {
        NetworkMode::Awsvpc if definition.task_size => json!(["EC2", "FARGATE"]),
        _ => json!(["EC2"]),
    };
    out.insert("compatibilities".to_owned(), compatible);
    out.insert("registeredAt".to_owned(), crate::sim::ecs::seconds(definition.registered_at));
    out.insert("registeredBy".to_owned(), json!(by));
    Value::Object(out)
}

/// A container definition with the members that AWS fills in.
fn with_defaults(container: &Value, network: NetworkMode) -> Value {
    let mut c = container.as_object().cloned().unwrap_or_default();
    for (key, value) in [("cpu", json!(0)), ("essential", json!(true))] {
        c.entry(key).or_insert(value);
    }
    for key in ["portMappings", "environment", "mountPoints", "volumesFrom", "systemControls"] {
        c.entry(key).or_insert_with(|| json!([]));
    }
    for mapping in c.get_mut("portMappings").and_then(Value::as_array_mut).into_iter().flatten() {
        let Some(members) = mapping.as_object_mut() else { continue };
        let port = members.get("containerPort").cloned().unwrap_or(json!(0));
        let host = if network == NetworkMode::Bridge { json!(0) } else { port };
        members.entry("hostPort").or_insert(host);
        members.entry("protocol").or_insert_with(|| json!("tcp"));
    }
    if let Some(check) = c.get_mut("healthCheck").and_then(Value::as_object_mut) {
        for (key, value) in [("interval", 30), ("timeout", 5), ("retries", 3)] {
            check.entry(key).or_insert(json!(value));
        }
    }
    Value::Object(c)
}

fn attributes(input: &Value, network: NetworkMode) -> Value {
    let mut names = vec!["com.amazonaws.ecs.capability.docker-remote-api.1.19"];
    let any = |test: fn(&Value) -> bool| containers(input).any(test);
    if any(|c| awslogs(c).is_some()) {
        names.push("com.amazonaws.ecs.capability.logging-driver.awslogs");
        names.push("ecs.capability.execution-role-awslogs");
    }
    if any(|c| text(c, "image").is_some_and(|i| i.contains(".dkr.ecr."))) {
        names.push("com.amazonaws.ecs.capability.ecr-auth");
        names.push("ecs.capability.execution-role-ecr-pull");
    }
    if any(|c| c.get("secrets").and_then(Value::as_array).is_some_and(|s| !s.is_empty())) {
        names.push("ecs.capability.secrets.asm.environment-variables");
    }
    if any(|c| c.get("healthCheck").is_some()) {
        names.push("ecs.capability.container-health-check");
    }
    if text(input, "taskRoleArn").is_some() {
        names.push("com.amazonaws.ecs.capability.task-iam-role");
    }
    if network == NetworkMode::Awsvpc {
        names.push("ecs.capability.task-eni");
    }
    names.into_iter().map(|name| json!({ "name": name })).collect()
}

fn containers(input: &Value) -> impl Iterator<Item = &Value> {
    input.get("containerDefinitions").and_then(Value::as_array).into_iter().flatten()
}

fn network_mode(input: &Value) -> NetworkMode {
    match text(input, "networkMode") {
        Some("awsvpc") => NetworkMode::Awsvpc,
        Some("host") => NetworkMode::Host,
        Some("none") => NetworkMode::None,
        _ => NetworkMode::Bridge,
    }
}

fn port(mapping: &Value) -> (u16, u16, String) {
    let of = |key| u16::try_from(number(mapping, key)).unwrap_or(0);
    let protocol = text(mapping, "protocol").unwrap_or("tcp").to_owned();
    (of("containerPort"), of("hostPort"), protocol)
}

fn health_check(check: &Value) -> HealthCheck {
    let or = |key, default| if check.get(key).is_some() { number(check, key) } else { default };
    HealthCheck {
        command: String::new(),
        interval: or("interval", 30),
        timeout: or("timeout", 5),
        retries: or("retries", 3),
        start_period: or("startPeriod", 0),
    }
}

/// Exit code of a program of this kind after SIGTERM: servers end well, runtimes without a handler by the signal, and a
/// shell as process 1 does not mind it until the SIGKILL.
fn on_sigterm(voice: Voice) -> i32 {
    match voice {
        Voice::Java | Voice::Node | Voice::Python | Voice::Plain | Voice::Json => 143,
        Voice::Silent => 137,
        Voice::Nginx | Voice::Php | Voice::Go | Voice::Envoy | Voice::Fluentbit => 0,
    }
}

fn dependencies(container: &Value, all: &[ContainerDefinition]) -> Vec<(usize, Condition)> {
    let given = container.get("dependsOn").and_then(Value::as_array).into_iter().flatten();
    let one = |value: &Value| {
        let index = all.iter().position(|c| Some(c.name.as_str()) == text(value, "containerName"))?;
        let condition = match text(value, "condition")? {
            "HEALTHY" => Condition::Healthy,
            "COMPLETE" => Condition::Complete,
            "SUCCESS" => Condition::Success,
            _ => Condition::Start,
        };
        Some((index, condition))
    };
    given.filter_map(one).collect()
}

fn secrets(container: &Value) -> Vec<(String, String)> {
    let given = container.get("secrets").and_then(Value::as_array).into_iter().flatten();
    given.filter_map(|s| Some((text(s, "name")?.to_owned(), text(s, "valueFrom")?.to_owned()))).collect()
}

fn environment_files(container: &Value) -> Vec<String> {
    let given = container.get("environmentFiles").and_then(Value::as_array).into_iter().flatten();
    given.filter_map(|f| text(f, "value").map(str::to_owned)).collect()
}

fn awslogs(container: &Value) -> Option<AwsLogs> {
    let log = container.get("logConfiguration")?;
    let options = log.get("options")?;
    (text(log, "logDriver")? == "awslogs").then_some(AwsLogs {
        group: text(options, "awslogs-group")?.to_owned(),
        region: text(options, "awslogs-region").unwrap_or_default().to_owned(),
        prefix: text(options, "awslogs-stream-prefix").map(str::to_owned),
    })
}

/// `tags: [{key, value}]` of a request as pairs.
pub fn tags(input: &Value) -> Vec<(String, String)> {
    let all = input.get("tags").and_then(Value::as_array).into_iter().flatten();
    all.filter_map(|t| Some((text(t, "key")?.to_owned(), text(t, "value").unwrap_or_default().to_owned()))).collect()
}

fn text<'a>(value: &'a Value, key: &str) -> Option<&'a str> {
    value.get(key).and_then(Value::as_str)
}

fn number(value: &Value, key: &str) -> u32 {
    value.get(key).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}
