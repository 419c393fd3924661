//! Files of the AWS CLI's JSON, judged as the screen would judge them: the documents fill a store, and the same board reads it.
//!
//! A file may hold one document or several behind each other, of any kind and in any order. Nothing is asked of AWS, and the time is the
//! newest one that the documents tell, so that an incident saved last year is judged as it was; where they tell none it is now.

use super::input;
use super::json::{self, Of};
use super::report::{Failure, Read, Report, Subject};
use crate::feed::{Feed, Outcome, Update, Value as Answer};
use crate::model::{
    Arn, ContainerInstance, Context, Ctx, Fleet, LoadBalancer, Service, ServiceDeployment, ServiceEvent, Str, Target, Task, TaskDefinition,
    Time,
};
use crate::store::Store;
use crate::text::clean;
use crate::verdict::Board;
use serde_json::Value;
use std::collections::HashMap;
use std::sync::Arc;

/// The documents belong to one account and region, or are judged as if they did.
const CTX: Ctx = Ctx(0);

/// Everything that was found in the documents.
#[derive(Default)]
pub struct Documents {
    services: Vec<Arc<Service>>,
    tasks: Vec<Arc<Task>>,
    deployments: HashMap<Arn, Vec<Arc<ServiceDeployment>>>,
    definitions: Vec<Arc<TaskDefinition>>,
    instances: Vec<Arc<ContainerInstance>>,
    /// Each reply of `describe-target-health`, with its group where the document names one.
    targets: Vec<(Option<Arn>, Vec<Target>)>,
    /// Events that stand outside of a service.
    events: Vec<ServiceEvent>,
    /// What AWS said that it does not have, or could not do.
    failures: Vec<Failure>,
    /// Replies that hold names alone: of what, and how many.
    names: Vec<(&'static str, usize)>,
    newest: Option<Time>,
    count: usize,
    unknown: usize,
}

impl Documents {
    /// Reads the documents of one text; `name` is what it is called in a complaint.
    ///
    /// # Errors
    /// One line with file, line and column for what is no JSON.
    pub fn read(&mut self, name: &str, text: &str) -> Result<(), String> {
        let text = input::uncoloured(text);
        for document in serde_json::Deserializer::from_str(&text).into_iter::<Value>() {
            let document = document.map_err(|error| format!("{}{}", complaint(name, &error), input::advice(&text)))?;
            self.count += 1;
            self.newest = self.newest.max(newest(&document, 0));
            if !self.take(Of(&document)) {
                self.unknown += 1;
            }
        }
        Ok(())
    }

    /// Whether nothing was read at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Takes what a document holds. A list of rows, as `--query` leaves it, is taken row by row.
    fn take(&mut self, from: Of) -> bool {
        if let Value::Array(rows) = from.0 {
            return rows.iter().filter(|row| self.take(Of(row))).count() > 0;
        }
        if let Value::String(text) = from.0 {
            return self.take_text(text);
        }
        let mut known = false;
        for row in from.list("failures").filter(|row| row.has("reason")) {
            let failure = Failure { arn: row.arn("arn"), reason: row.text("reason"), detail: row.text("detail") };
            if !self.failures.contains(&failure) {
                self.failures.push(failure);
            }
            known = true;
        }
        for row in from.list("services") {
            known |= self.take_service(row);
        }
        for row in from.list("tasks") {
            known |= self.take_task(row);
        }
        for row in from.list("serviceDeployments") {
            known |= self.take_deployment(row);
        }
        for row in from.list("containerInstances") {
            self.instances.push(Arc::new(json::container_instance(row)));
            known = true;
        }
        if from.has("TargetHealthDescriptions") {
            let targets = from.list("TargetHealthDescriptions").map(json::target).collect();
            self.targets.push((from.maybe("TargetGroupArn").map(Arn), targets));
            known = true;
        }
        if from.has("taskDefinition") && from.at("taskDefinition").has("containerDefinitions") {
            self.definitions.push(Arc::new(json::task_definition(from.at("taskDefinition"))));
            known = true;
        }
        // EventBridge wraps a task, or a word about a deployment, in `detail`.
        if from.at("detail").has("taskArn") {
            known |= self.take_task(from.at("detail"));
        } else if from.at("detail").has("reason") {
            let at = from.at("detail").time("updatedAt").or(from.time("time"));
            self.events.push(ServiceEvent { id: from.text("id"), at, message: from.at("detail").text("reason") });
            known = true;
        }
        known || self.take_row(from)
    }

    /// A sentence that `--query` took out of its row. A name is none: it has no blank.
    fn take_text(&mut self, text: &str) -> bool {
        let message = clean(text.trim());
        let told = message.contains(' ');
        if told {
            self.events.push(ServiceEvent { id: "".into(), at: None, message });
        }
        told
    }

    /// A row that stands alone, without the list around it.
    fn take_row(&mut self, from: Of) -> bool {
        if from.has("taskArn") {
            self.take_task(from)
        } else if from.has("serviceDeploymentArn") {
            self.take_deployment(from)
        } else if from.has("serviceName") || from.has("serviceArn") {
            self.take_service(from)
        } else if from.has("containerInstanceArn") {
            self.instances.push(Arc::new(json::container_instance(from)));
            true
        } else if from.has("containerDefinitions") {
            self.definitions.push(Arc::new(json::task_definition(from)));
            true
        } else if from.has("TargetHealth") {
            self.targets.push((None, vec![json::target(from)]));
            true
        } else if from.has("events") {
            let before = self.events.len();
            self.events.extend(json::events(from).into_iter().filter(|event| !event.message.is_empty()));
            self.events.len() > before
        } else if from.has("message") {
            self.events.push(ServiceEvent { id: from.text("id"), at: from.time("createdAt"), message: from.text("message") });
            true
        } else {
            let lists = [
                ("taskArns", "task"),
                ("serviceArns", "service"),
                ("containerInstanceArns", "container instance"),
                ("clusterArns", "cluster"),
            ];
            if let Some((key, kind)) = lists.iter().find(|(key, _)| from.has(key)) {
                self.names.push((*kind, from.0.get(key).and_then(Value::as_array).map_or(0, Vec::len)));
                return true;
            }
            // An empty list is an answer too: nothing is there.
            ["services", "tasks", "serviceDeployments", "failures"].iter().any(|key| from.has(key))
        }
    }

    /// The last word on a service is the one that counts.
    fn take_service(&mut self, from: Of) -> bool {
        if from.0.as_object().is_none() {
            return false;
        }
        let service = Arc::new(json::service(from));
        self.services.retain(|known| known.arn != service.arn);
        self.services.push(service);
        true
    }

    fn take_task(&mut self, from: Of) -> bool {
        if from.0.as_object().is_none() {
            return false;
        }
        let task = Arc::new(json::task(from));
        self.tasks.retain(|known| known.arn != task.arn || task.arn.as_str().is_empty());
        self.tasks.push(task);
        true
    }

    fn take_deployment(&mut self, from: Of) -> bool {
        let deployment = Arc::new(json::service_deployment(from));
        // `…:service-deployment/CLUSTER/SERVICE/ID` names the service where the field does not.
        let named = deployment.arn.as_str().replacen(":service-deployment/", ":service/", 1);
        let service = from.maybe("serviceArn").map(Arn).or_else(|| named.rsplit_once('/').map(|(service, _)| Arn::from(service)));
        let Some(service) = service else { return false };
        let known = self.deployments.entry(service).or_default();
        known.retain(|old| old.arn != deployment.arn);
        known.push(deployment);
        known.sort_by_key(|d| std::cmp::Reverse(d.created_at));
        true
    }

    /// Judges what was read. `now` stands in for the newest time in the documents; where those tell none it is this moment.
    #[must_use]
    pub fn judge(mut self, now: Option<Time>) -> Report {
        let dated = now.or(self.newest);
        let now = dated.unwrap_or_else(Time::now);
        let read = self.counts();
        self.settle();
        let left = self.assign_targets();
        let store = self.store(now);
        let mut board = Board::default();
        let fleet = Fleet(vec![Context { name: "documents".into(), region: "".into(), profile: None, production: Some(false) }]);
        board.refresh(&store, &fleet, now);
        let mut subjects: Vec<Subject> = board.all().map(|row| Subject::of_service(row)).collect();
        subjects.extend(Subject::of_tasks(&self.strays(), &self.definitions, now));
        subjects.extend(Subject::of_targets(&left));
        subjects.extend(self.failures.iter().map(Subject::of_failure));
        if subjects.is_empty() {
            subjects.extend(Subject::of_events(&self.events));
        }
        subjects.sort_by_key(Subject::rank);
        let tasks_alone = self.services.is_empty() && self.tasks.iter().any(|task| task.service().is_some());
        Report { subjects, read, now, dated: dated.is_some(), tasks_alone }
    }

    fn counts(&self) -> Read {
        let targets = self.targets.iter().map(|(_, targets)| targets.len()).sum();
        let deployments = self.deployments.values().map(Vec::len).sum();
        Read {
            documents: self.count,
            unknown: self.unknown,
            names: self.names.clone(),
            rows: vec![
                ("service", self.services.len()),
                ("task", self.tasks.len()),
                ("service deployment", deployments),
                ("target", targets),
                ("task definition", self.definitions.len()),
                ("container instance", self.instances.len()),
                ("event", self.events.len()),
                ("failure", self.failures.len()),
            ],
        }
    }

    /// Brings cluster names that differ only in their form to one: a task names its cluster by ARN, a short ARN by nothing at all.
    fn settle(&mut self) {
        let known: HashMap<String, Arn> = self.services.iter().map(|s| (s.cluster.name().to_owned(), s.cluster.clone())).collect();
        let only = self.services.first().map(|s| s.cluster.clone()).filter(|only| self.services.iter().all(|s| s.cluster == *only));
        let services: HashMap<Str, Arc<Service>> = self.services.iter().map(|s| (s.name.clone(), s.clone())).collect();
        for task in &mut self.tasks {
            let mut own = (**task).clone();
            own.cluster = known
                .get(own.cluster.name())
                .cloned()
                .or_else(|| only.clone().filter(|_| own.cluster.name() == "default"))
                .unwrap_or(own.cluster);
            // A task that `--query` left without its group is known by the deployment that started it, else by its family.
            if own.group.is_empty() {
                let starter = |s: &Arc<Service>| s.deployments.iter().any(|d| Some(&d.id) == own.started_by.as_ref() && !d.id.is_empty());
                let family = |s: &Arc<Service>| {
                    !own.task_definition.as_str().is_empty() && family(&s.task_definition) == family(&own.task_definition)
                };
                let mut fits = services.values().filter(|s| starter(s)).chain(services.values().filter(|s| family(s)));
                let alone = (services.len() == 1 && own.task_definition.as_str().is_empty()).then(|| services.values().next()).flatten();
                if let Some(service) = fits.next().or(alone) {
                    own.group = format!("service:{}", service.name).into();
                }
            }
            *task = Arc::new(own);
        }
    }

    /// Gives each reply of target health to the group of a service that it is about; what fits none is returned.
    fn assign_targets(&mut self) -> Vec<Target> {
        let mut left = Vec::new();
        for at in 0..self.targets.len() {
            if self.targets[at].0.is_some() {
                continue;
            }
            let found = self.group_of(&self.targets[at].1);
            match found {
                Some(group) => self.targets[at].0 = Some(group),
                None => left.extend(self.targets[at].1.iter().cloned()),
            }
        }
        left
    }

    fn group_of(&self, targets: &[Target]) -> Option<Arn> {
        let taken = |group: &Arn| self.targets.iter().any(|(known, _)| known.as_ref() == Some(group));
        let groups = |service: &Service| -> Vec<Arn> {
            let sets = service.task_sets.iter().flat_map(|set| &set.load_balancers);
            let all =
                service.load_balancers.iter().chain(sets).flat_map(|lb: &LoadBalancer| [&lb.target_group, &lb.alternate_target_group]);
            all.flatten().filter(|group| !taken(group)).cloned().collect()
        };
        let behind = |service: &&Arc<Service>| {
            let own = |t: &&Arc<Task>| t.service() == Some(&*service.name);
            let ips: Vec<&Str> = self.tasks.iter().filter(own).filter_map(|t| t.ip.as_ref()).collect();
            targets.iter().any(|target| ips.contains(&&target.id))
        };
        let by_address = self.services.iter().find(|s| behind(s) && !groups(s).is_empty());
        let with_groups: Vec<&Arc<Service>> = self.services.iter().filter(|s| !groups(s).is_empty()).collect();
        let only = if let [only] = with_groups.as_slice() { Some(*only) } else { None };
        groups(by_address.or(only)?).into_iter().next()
    }

    fn store(&self, now: Time) -> Store {
        let mut store = Store::default();
        let mut put = |feed: Feed, value: Answer| drop(store.apply(Update { feed, epoch: 0, at: now, outcome: Outcome::Whole(value) }));
        let mut clusters: Vec<&Arn> = self.services.iter().map(|s| &s.cluster).collect();
        clusters.sort();
        clusters.dedup();
        for cluster in clusters {
            let services = self.services.iter().filter(|s| s.cluster == *cluster).cloned().collect();
            put(Feed::Services(CTX, cluster.clone()), Answer::Services(services));
            let tasks = self.tasks.iter().filter(|t| t.cluster == *cluster).cloned().collect();
            put(Feed::Tasks(CTX, cluster.clone()), Answer::Tasks(tasks));
            // A short ARN of an instance does not name its cluster; then it counts for every one.
            let own = |i: &&Arc<ContainerInstance>| i.arn.cluster_name().is_none_or(|name| name == cluster.name());
            let instances: Vec<Arc<ContainerInstance>> = self.instances.iter().filter(own).cloned().collect();
            put(Feed::Instances(CTX, cluster.clone()), Answer::Instances(instances));
        }
        for definition in &self.definitions {
            put(Feed::TaskDefinition(CTX, definition.arn.clone()), Answer::TaskDefinition(definition.clone()));
        }
        for (service, deployments) in &self.deployments {
            put(Feed::ServiceDeployments(CTX, service.clone()), Answer::ServiceDeployments(deployments.clone()));
        }
        for (group, targets) in &self.targets {
            if let Some(group) = group {
                put(Feed::Targets(CTX, group.clone()), Answer::Targets(Arc::new(targets.clone())));
            }
        }
        store
    }

    /// Tasks of no service that was read.
    fn strays(&self) -> Vec<Arc<Task>> {
        let known = |t: &&Arc<Task>| self.services.iter().any(|s| t.service() == Some(&*s.name) && t.cluster == s.cluster);
        self.tasks.iter().filter(|t| !known(t)).cloned().collect()
    }
}

fn family(definition: &Arn) -> &str {
    definition.name().split(':').next().unwrap_or_default()
}

/// The newest time anywhere in a document, by the fields that hold one. Times that lie ahead by nature are not among them.
fn newest(value: &Value, depth: usize) -> Option<Time> {
    const DEEP: usize = 8;
    match value {
        Value::Object(fields) if depth < DEEP => {
            let own = |(name, value): (&String, &Value)| match name.as_str() {
                "expiresAt" | "executionStoppedAt" => None,
                name if name.ends_with("At") || name == "time" => json::time(value),
                _ => newest(value, depth + 1),
            };
            fields.iter().filter_map(own).max()
        }
        Value::Array(rows) if depth < DEEP => rows.iter().filter_map(|row| newest(row, depth + 1)).max(),
        _ => None,
    }
}

/// What is wrong with a text that is no JSON, where, and nothing of the text itself.
fn complaint(name: &str, error: &serde_json::Error) -> String {
    let told = error.to_string();
    let what = told.split(" at line ").next().unwrap_or(&told);
    format!("{name}:{}:{}: no JSON: {what}", error.line(), error.column())
}
