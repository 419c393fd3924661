//! What ECS is asked, and how much at a time.

use crate::aws::api::{Api, Call};
use crate::aws::connect::Sdk;
use crate::aws::failure::{Doing, failure};
use crate::aws::sweep::{Batch, Cursor, Described, Fetch, Parts, Rows, sweep};
use crate::aws::unchanged::{Digest, Unchanged};
use crate::aws::{AwsError, ErrorKind, convert};
use crate::budget::{Priority, Throttle};
use crate::feed::{Outcome, Value};
use crate::model::{Arn, Cluster, ContainerInstance, Service, ServiceDeployment, Task};
use aws_sdk_ecs::types as sdk;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Largest page of every list of ECS.
const PAGE: i32 = 100;

/// Batches of a list that share its priority, about a screenful; the rest is a sweep, behind which nothing that the operator
/// looks at has to queue.
const SCREENFUL: usize = 3;

/// Hands out priorities to the batches of one sweep.
struct Priorities(Priority, AtomicUsize);

impl Priorities {
    fn of(first: Priority) -> Self {
        Priorities(first, AtomicUsize::new(0))
    }

    fn next(&self) -> Priority {
        if self.1.fetch_add(1, Ordering::Relaxed) < SCREENFUL { self.0 } else { Priority::Sweep }
    }
}

/// All clusters; where listing is denied, those that the user named.
pub(super) async fn clusters(api: &Api, rows: &mut Rows<Cluster>, priority: Priority, parts: &mut Parts<'_>) -> Result<Outcome, AwsError> {
    let call = Call { throttle: Throttle::ClusterRead, priority, action: "ecs:ListClusters", what: "list the clusters" };
    let list = move |cursor: Cursor| {
        Box::pin(async move {
            let send = |sdk: Arc<Sdk>| sdk.ecs.list_clusters().max_results(PAGE).set_next_token(cursor.token.clone()).send();
            api.call(call, send).await.map(|page| (page.cluster_arns.unwrap_or_default(), page.next_token))
        }) as _
    };
    let describe =
        move |batch: Batch| Box::pin(async move { Ok(Described::Rows(describe_clusters(api, batch.arns, priority).await?, None)) }) as _;
    let swept = sweep(rows, &Fetch { lists: 1, list: Box::new(list), batch: 100, describe: Box::new(describe) }, parts).await;
    match swept {
        Err(error) if error.kind == ErrorKind::Denied && !api.named_clusters().is_empty() => {
            let described = describe_clusters(api, api.named_clusters().to_vec(), priority).await?;
            Ok(rows.replace(Described::Rows(described, None)))
        }
        swept => swept,
    }
}

async fn describe_clusters(api: &Api, names: Vec<String>, priority: Priority) -> Result<Vec<Cluster>, AwsError> {
    let call = Call { throttle: Throttle::ClusterRead, priority, action: "ecs:DescribeClusters", what: "describe the clusters" };
    let send = |client: Arc<Sdk>| {
        let ask = client.ecs.describe_clusters().set_clusters(Some(names.clone()));
        ask.include(sdk::ClusterField::Settings).include(sdk::ClusterField::Tags).include(sdk::ClusterField::Configurations).send()
    };
    Ok(api.call(call, send).await?.clusters().iter().map(convert::cluster).collect())
}

/// Services as they were known when a sweep began: their events are shared with the new rows.
pub(super) struct Known(HashMap<String, Arc<Service>>);

impl Known {
    pub(super) fn of(rows: &Rows<Service>) -> Arc<Self> {
        Arc::new(Known(rows.iter().map(|service| (service.arn.to_string(), Arc::clone(service))).collect()))
    }

    fn get(&self, arn: Option<&str>) -> Option<&Service> {
        self.0.get(arn?).map(|service| &**service)
    }
}

/// All services of a cluster.
pub(super) fn services<'a>(api: &'a Api, cluster: &'a Arn, priority: Priority, known: Arc<Known>) -> Fetch<'a, Service> {
    let list = move |cursor: Cursor| {
        Box::pin(async move {
            let what = format!("list the services of {}", cluster.name());
            let call = Call { throttle: Throttle::ServiceRead, priority, action: "ecs:ListServices", what: &what };
            // Without a size AWS answers ten at a time.
            let send = |sdk: Arc<Sdk>| {
                sdk.ecs.list_services().cluster(cluster.as_str()).max_results(PAGE).set_next_token(cursor.token.clone()).send()
            };
            api.call(call, send).await.map(|page| (page.service_arns.unwrap_or_default(), page.next_token))
        }) as _
    };
    let priorities = Priorities::of(priority);
    let describe = move |batch: Batch| {
        let (known, priority) = (Arc::clone(&known), priorities.next());
        Box::pin(async move { describe_services(api, cluster.as_str(), batch, priority, &known).await }) as _
    };
    // DescribeServices takes at most ten names; more is an error, not a page.
    Fetch { lists: 1, list: Box::new(list), batch: 10, describe: Box::new(describe) }
}

async fn describe_services(
    api: &Api,
    cluster: &str,
    Batch { arns, last: before }: Batch,
    priority: Priority,
    known: &Known,
) -> Result<Described<Service>, AwsError> {
    let what = match arns.as_slice() {
        [one] => format!("describe service {}", last(one)),
        _ => format!("describe the services of {}", last(cluster)),
    };
    let call = Call { throttle: Throttle::ServiceRead, priority, action: "ecs:DescribeServices", what: &what };
    let look = Unchanged::since(before);
    let send = |client: Arc<Sdk>| {
        let ask = client.ecs.describe_services().cluster(cluster).set_services(Some(arns.clone())).include(sdk::ServiceField::Tags);
        ask.customize().interceptor(look.clone()).send()
    };
    let answer = api.call(call, send).await?;
    if look.same() {
        return Ok(Described::Same);
    }
    // A service that was deleted is answered as INACTIVE for a while; the list has left it out already.
    let alive = answer.services().iter().filter(|service| service.status() != Some("INACTIVE"));
    let rows = alive.map(|service| convert::service(service, known.get(service.service_arn()))).collect();
    Ok(Described::Rows(rows, look.seen()))
}

/// One service, or none when it is gone.
pub(super) async fn service(
    api: &Api,
    arn: &Arn,
    priority: Priority,
    known: &Known,
    last: Option<Digest>,
) -> Result<Described<Service>, AwsError> {
    let Some(cluster) = arn.cluster_name() else {
        let what = format!("describe service {}", arn.name());
        let doing = Doing { action: "ecs:DescribeServices", what: &what, profile: None };
        return Err(failure(
            ErrorKind::Invalid,
            doing,
            "its ARN has the old format, without the cluster",
            "Open it from its cluster's list",
        ));
    };
    describe_services(api, cluster, Batch { arns: vec![arn.to_string()], last }, priority, known).await
}

/// All tasks of a cluster: those that should run, whatever their state, and those that stopped within about an hour.
pub(super) const ALL: [sdk::DesiredStatus; 2] = [sdk::DesiredStatus::Running, sdk::DesiredStatus::Stopped];

/// Those that stopped, or are to.
pub(super) const STOPPED: [sdk::DesiredStatus; 1] = [sdk::DesiredStatus::Stopped];

/// The tasks of a cluster that are desired to be so.
pub(super) fn tasks<'a>(api: &'a Api, cluster: &'a Arn, desired: &'static [sdk::DesiredStatus], priority: Priority) -> Fetch<'a, Task> {
    let list = move |cursor: Cursor| {
        Box::pin(async move {
            let what = format!("list the tasks of {}", cluster.name());
            let call = Call { throttle: Throttle::ClusterResourceRead, priority, action: "ecs:ListTasks", what: &what };
            // One call answers for one desired status only.
            let desired = desired[cursor.list].clone();
            let send = |sdk: Arc<Sdk>| {
                let ask = sdk.ecs.list_tasks().cluster(cluster.as_str()).desired_status(desired.clone()).max_results(PAGE);
                ask.set_next_token(cursor.token.clone()).send()
            };
            api.call(call, send).await.map(|page| (page.task_arns.unwrap_or_default(), page.next_token))
        }) as _
    };
    let priorities = Priorities::of(priority);
    let describe = move |Batch { arns, last }| {
        let priority = priorities.next();
        Box::pin(async move {
            let what = format!("describe the tasks of {}", cluster.name());
            let call = Call { throttle: Throttle::ClusterResourceRead, priority, action: "ecs:DescribeTasks", what: &what };
            let look = Unchanged::since(last);
            let send = |client: Arc<Sdk>| {
                let ask = client.ecs.describe_tasks().cluster(cluster.as_str()).set_tasks(Some(arns.clone())).include(sdk::TaskField::Tags);
                ask.customize().interceptor(look.clone()).send()
            };
            let answer = api.call(call, send).await?;
            let rows = || answer.tasks().iter().map(convert::task).collect();
            Ok(if look.same() { Described::Same } else { Described::Rows(rows(), look.seen()) })
        }) as _
    };
    Fetch { lists: desired.len(), list: Box::new(list), batch: 100, describe: Box::new(describe) }
}

/// The deployments of a service, as far back as AWS remembers (90 days).
pub(super) fn service_deployments<'a>(api: &'a Api, service: &'a Arn, priority: Priority) -> Fetch<'a, ServiceDeployment> {
    let list = move |cursor: Cursor| {
        Box::pin(async move {
            let what = format!("list the deployments of {}", service.name());
            let call = Call { throttle: Throttle::ServiceDeployment, priority, action: "ecs:ListServiceDeployments", what: &what };
            let cluster = service.cluster_name().map(str::to_owned);
            let send = |sdk: Arc<Sdk>| {
                let ask = sdk.ecs.list_service_deployments().service(service.as_str()).set_cluster(cluster.clone());
                ask.max_results(PAGE).set_next_token(cursor.token.clone()).send()
            };
            let page = api.call(call, send).await?;
            let arns = page.service_deployments.unwrap_or_default().into_iter().filter_map(|brief| brief.service_deployment_arn).collect();
            Ok((arns, page.next_token))
        }) as _
    };
    let priorities = Priorities::of(priority);
    let describe = move |Batch { arns, .. }| {
        let priority = priorities.next();
        Box::pin(async move {
            let what = format!("describe the deployments of {}", service.name());
            let call = Call { throttle: Throttle::ServiceDeployment, priority, action: "ecs:DescribeServiceDeployments", what: &what };
            let send = |sdk: Arc<Sdk>| sdk.ecs.describe_service_deployments().set_service_deployment_arns(Some(arns.clone())).send();
            let rows = api.call(call, send).await?.service_deployments().iter().map(convert::service_deployment).collect();
            Ok(Described::Rows(rows, None))
        }) as _
    };
    Fetch { lists: 1, list: Box::new(list), batch: 20, describe: Box::new(describe) }
}

/// The EC2 and external instances of a cluster.
pub(super) fn instances<'a>(api: &'a Api, cluster: &'a Arn, priority: Priority) -> Fetch<'a, ContainerInstance> {
    let list = move |cursor: Cursor| {
        Box::pin(async move {
            let what = format!("list the container instances of {}", cluster.name());
            let call = Call { throttle: Throttle::ClusterResourceRead, priority, action: "ecs:ListContainerInstances", what: &what };
            let send = |sdk: Arc<Sdk>| {
                let ask = sdk.ecs.list_container_instances().cluster(cluster.as_str()).max_results(PAGE);
                ask.set_next_token(cursor.token.clone()).send()
            };
            api.call(call, send).await.map(|page| (page.container_instance_arns.unwrap_or_default(), page.next_token))
        }) as _
    };
    let describe = move |Batch { arns, .. }| {
        Box::pin(async move {
            let what = format!("describe the container instances of {}", cluster.name());
            let call = Call { throttle: Throttle::ClusterResourceRead, priority, action: "ecs:DescribeContainerInstances", what: &what };
            let send = |sdk: Arc<Sdk>| {
                sdk.ecs.describe_container_instances().cluster(cluster.as_str()).set_container_instances(Some(arns.clone())).send()
            };
            let rows = api.call(call, send).await?.container_instances().iter().map(convert::container_instance).collect();
            Ok(Described::Rows(rows, None))
        }) as _
    };
    Fetch { lists: 1, list: Box::new(list), batch: 100, describe: Box::new(describe) }
}

/// A revision of a task definition.
pub(super) async fn task_definition(api: &Api, arn: &Arn, priority: Priority) -> Result<Value, AwsError> {
    let what = format!("describe task definition {}", arn.name());
    let action = "ecs:DescribeTaskDefinition";
    let call = Call { throttle: Throttle::TaskDefinitionRead, priority, action, what: &what };
    let send = |client: Arc<Sdk>| {
        client.ecs.describe_task_definition().task_definition(arn.as_str()).include(sdk::TaskDefinitionField::Tags).send()
    };
    let answer = api.call(call, send).await?;
    let missing = || failure(ErrorKind::Malformed, Doing { action, what: &what, profile: None }, "the reply names none", "Asking again");
    let definition = answer.task_definition().ok_or_else(missing)?;
    Ok(Value::TaskDefinition(Arc::new(convert::task_definition(definition, answer.tags.as_ref()))))
}

fn last(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}
