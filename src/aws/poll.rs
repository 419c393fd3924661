//! One answer to one feed. A poll remembers its last answer, so that it can say "the same".

mod app_spec;
mod cloudwatch;
mod codedeploy;
mod definitions;
mod ecs;
pub(super) mod images;
mod look;
mod protection;
mod raw;
mod revisions;
mod routes;
mod scaling;
pub(super) mod vault;

pub(super) use cloudwatch::Figures;

use super::api::{Api, Call};
use super::sweep::{Parts, Row, Rows, sweep};
use super::{AwsError, convert, target_groups};
use crate::budget::{Priority, Throttle};
use crate::feed::{Feed, Learnt, Outcome, Value};
use crate::model::{Arn, Cluster, ContainerInstance, Identity, Service, ServiceDeployment, Target, Task, Time};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A feed's poll with what it knows from its last answer.
#[derive(Debug)]
pub struct Poll {
    api: Api,
    feed: Feed,
    memory: Memory,
    answered: Option<(Time, Instant)>,
}

#[derive(Debug)]
enum Memory {
    Clusters(Rows<Cluster>),
    Services(Rows<Service>),
    Tasks(Rows<Task>),
    Deployments(Rows<ServiceDeployment>),
    Instances(Rows<ContainerInstance>),
    /// The last answer of a feed that is no list.
    One(Option<Value>),
}

impl Poll {
    /// A poll that knows nothing yet.
    #[must_use]
    pub fn new(api: Api, feed: Feed) -> Self {
        let memory = match feed {
            Feed::Clusters(_) => Memory::Clusters(Rows::default()),
            Feed::Services(..) | Feed::Service(..) => Memory::Services(Rows::default()),
            Feed::Tasks(..) | Feed::Stopped(..) => Memory::Tasks(Rows::default()),
            Feed::ServiceDeployments(..) => Memory::Deployments(Rows::default()),
            Feed::Instances(..) => Memory::Instances(Rows::default()),
            _ => Memory::One(None),
        };
        Poll { api, feed, memory, answered: None }
    }

    /// Rows of the last answer.
    #[must_use]
    pub fn rows(&self) -> usize {
        match &self.memory {
            Memory::Clusters(rows) => rows.len(),
            Memory::Services(rows) => rows.len(),
            Memory::Tasks(rows) => rows.len(),
            Memory::Deployments(rows) => rows.len(),
            Memory::Instances(rows) => rows.len(),
            Memory::One(_) => 1,
        }
    }

    /// The last whole answer, when it came, and how long ago that is.
    #[must_use]
    pub fn recall(&self) -> Option<(Outcome, Time, Duration)> {
        let (at, instant) = self.answered?;
        let value = match &self.memory {
            Memory::Clusters(rows) => rows.recall(),
            Memory::Services(rows) => rows.recall(),
            Memory::Tasks(rows) => rows.recall(),
            Memory::Deployments(rows) => rows.recall(),
            Memory::Instances(rows) => rows.recall(),
            Memory::One(value) => value.clone()?,
        };
        Some((Outcome::Whole(value), at, instant.elapsed()))
    }

    /// Asks AWS once. Rows of long lists go to `parts` as they come, a few answers together.
    ///
    /// # Errors
    /// What went wrong, in words. What came before it went wrong is remembered.
    pub async fn ask(&mut self, priority: Priority, parts: &mut Parts<'_>) -> Result<Outcome, AwsError> {
        let outcome = self.answer(priority, parts).await?;
        self.answered = Some((Time::now(), Instant::now()));
        Ok(outcome)
    }

    /// What answers have told about the rights of the context's role, once.
    #[must_use]
    pub fn learnt(&self) -> Vec<Learnt> {
        self.api.learnt()
    }

    async fn answer(&mut self, priority: Priority, parts: &mut Parts<'_>) -> Result<Outcome, AwsError> {
        let api = &self.api;
        let one = match (&self.feed, &mut self.memory) {
            (_, Memory::Clusters(rows)) => return ecs::clusters(api, rows, priority, parts).await,
            (Feed::Services(_, cluster), Memory::Services(rows)) => {
                let known = ecs::Known::of(rows);
                return sweep(rows, &ecs::services(api, cluster, priority, known), parts).await;
            }
            (Feed::Service(_, arn), Memory::Services(rows)) => {
                let known = ecs::Known::of(rows);
                let described = ecs::service(api, arn, priority, &known, rows.last()).await?;
                return Ok(rows.replace(described));
            }
            (Feed::Tasks(_, cluster), Memory::Tasks(rows)) => {
                return sweep(rows, &ecs::tasks(api, cluster, &ecs::ALL, priority), parts).await;
            }
            (Feed::Stopped(_, cluster), Memory::Tasks(rows)) => {
                return sweep(rows, &ecs::tasks(api, cluster, &ecs::STOPPED, priority), parts).await;
            }
            (Feed::ServiceDeployments(_, service), Memory::Deployments(rows)) => {
                return sweep(rows, &ecs::service_deployments(api, service, priority), parts).await;
            }
            (Feed::Instances(_, cluster), Memory::Instances(rows)) => {
                return sweep(rows, &ecs::instances(api, cluster, priority), parts).await;
            }
            (Feed::Identity(_), _) => identity(api, priority).await?,
            (Feed::TaskDefinition(_, arn), _) => ecs::task_definition(api, arn, priority).await?,
            (Feed::RawDefinition(_, arn), _) => definitions::raw(api, arn, priority).await?,
            (Feed::Revisions(_, family), _) => definitions::revisions(api, family, priority).await?,
            (Feed::CodeDeployments(_, application, group), _) => app_spec::releases(api, application, group, priority).await?,
            (Feed::AppSpec(_, service), _) => app_spec::app_spec(api, service, priority).await?,
            (Feed::TargetGroup(_, arn), _) => Value::TargetGroup(Arc::new(target_groups::target_group(api, arn, priority).await?)),
            (Feed::Targets(_, arn), _) => targets(api, arn, priority).await?,
            (Feed::Image(_, reference), _) => images::image(api, reference, priority).await?,
            (Feed::ImageIndex(_, reference), _) => images::index(api, reference, priority).await?,
            (Feed::RepositoryImages(_, name), _) => images::repository(api, name, priority).await?,
            (Feed::Protection(_, cluster, tasks), _) => protection::protection(api, cluster, tasks, priority).await?,
            (Feed::Vault(_, from), _) => vault::vault(api, from, priority).await?,
            (Feed::ServiceRevision(_, arn), _) => revisions::revision(api, arn, priority).await?,
            (Feed::CodeDeployment(_, service, id), Memory::One(last)) => {
                let before = if let Some(Value::CodeDeployment(before)) = last { Some(&**before) } else { None };
                codedeploy::deployment(api, service, id, before, priority).await?
            }
            (Feed::Routes(_, load_balancer), _) => routes::routes(api, load_balancer, priority).await?,
            (Feed::ScalableTargets(_), _) => scaling::targets(api, priority).await?,
            (Feed::ScalingPolicies(_), _) => scaling::policies(api, priority).await?,
            (Feed::ScheduledActions(_), _) => scaling::scheduled(api, priority).await?,
            (Feed::ScalingActivities(_, resource), _) => scaling::activities(api, resource.as_ref(), priority).await?,
            (Feed::Alarms(_, names), _) => cloudwatch::alarms(api, names, priority).await?,
            (Feed::Metrics(_, service), _) => cloudwatch::metrics(api, service, priority).await?,
            (Feed::Raw(_, of), _) => raw::raw(api, of).await?,
            (Feed::Look(_, look), _) => Value::Seen(Arc::new(look::look(api, look, priority).await?)),
            (Feed::Logs(..), _) => unreachable!("logs are tailed, not polled"),
            (feed, _) => unreachable!("{feed:?} has a memory of its own kind"),
        };
        let Memory::One(last) = &mut self.memory else { unreachable!("lists have returned") };
        if last.as_ref() == Some(&one) {
            return Ok(Outcome::Same);
        }
        *last = Some(one.clone());
        Ok(Outcome::Whole(one))
    }
}

async fn identity(api: &Api, priority: Priority) -> Result<Value, AwsError> {
    let call = Call { throttle: Throttle::Identity, priority, action: "sts:GetCallerIdentity", what: "learn who you are" };
    let answer = api.call(call, |sdk| sdk.sts.get_caller_identity().send()).await?;
    let text = |text: Option<&str>| convert::clean(text.unwrap_or_default());
    let identity = Arc::new(Identity { account: text(answer.account()), arn: text(answer.arn()) });
    api.gate().learn_identity(api.ctx(), &identity);
    Ok(Value::Identity(identity))
}

async fn targets(api: &Api, group: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let what = format!("read the target health of {}", group.target_group_name());
    let call = Call { throttle: Throttle::LoadBalancing, priority, action: "elasticloadbalancing:DescribeTargetHealth", what: &what };
    let answer = api.call(call, |sdk| sdk.elb.describe_target_health().target_group_arn(group.as_str()).send()).await?;
    let mut targets: Vec<Target> = answer.target_health_descriptions().iter().map(convert::target).collect();
    // AWS orders them at random; what did not change must look unchanged.
    targets.sort_by(|a, b| (&a.id, a.port).cmp(&(&b.id, b.port)));
    Ok(Value::Targets(Arc::new(targets)))
}

impl Row for Cluster {
    fn arn(&self) -> &Arn {
        &self.arn
    }

    fn settled(&self) -> bool {
        false
    }

    fn value(rows: Vec<Arc<Self>>) -> Value {
        Value::Clusters(rows)
    }
}

impl Row for Service {
    fn arn(&self) -> &Arn {
        &self.arn
    }

    fn settled(&self) -> bool {
        false
    }

    fn value(rows: Vec<Arc<Self>>) -> Value {
        Value::Services(rows)
    }
}

impl Row for Task {
    fn arn(&self) -> &Arn {
        &self.arn
    }

    fn settled(&self) -> bool {
        self.stopped()
    }

    fn value(rows: Vec<Arc<Self>>) -> Value {
        Value::Tasks(rows)
    }
}

impl Row for ServiceDeployment {
    fn arn(&self) -> &Arn {
        &self.arn
    }

    fn settled(&self) -> bool {
        matches!(&*self.status, "SUCCESSFUL" | "STOPPED" | "ROLLBACK_SUCCESSFUL" | "ROLLBACK_FAILED")
    }

    fn value(mut rows: Vec<Arc<Self>>) -> Value {
        rows.sort_by_key(|row| std::cmp::Reverse(row.created_at));
        Value::ServiceDeployments(rows)
    }
}

impl Row for ContainerInstance {
    fn arn(&self) -> &Arn {
        &self.arn
    }

    fn settled(&self) -> bool {
        false
    }

    fn value(rows: Vec<Arc<Self>>) -> Value {
        Value::Instances(rows)
    }
}
