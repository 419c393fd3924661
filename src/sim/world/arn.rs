//! ARNs and network ids of an estate. One place, so that no service spells
//! an ARN in its own way.

use super::state::{ContainerInstance, Estate, Service, Task, TaskDefinition};
use crate::sim::rng;

impl Estate {
    /// `arn:aws:SERVICE:REGION:ACCOUNT:REST`.
    #[must_use]
    pub fn arn(&self, service: &str, rest: &str) -> String {
        format!("arn:aws:{service}:{}:{}:{rest}", self.region, self.account)
    }

    /// ARN of a cluster by name.
    #[must_use]
    pub fn cluster_arn(&self, name: &str) -> String {
        self.arn("ecs", &format!("cluster/{name}"))
    }

    /// Name of the cluster with an index.
    #[must_use]
    pub fn cluster_name(&self, cluster: usize) -> &str {
        &self.clusters[cluster].name
    }

    /// ARN of a service.
    #[must_use]
    pub fn service_arn(&self, service: &Service) -> String {
        self.arn("ecs", &format!("service/{}/{}", self.cluster_name(service.cluster), service.name))
    }

    /// ARN of a service revision by its number.
    #[must_use]
    pub fn revision_arn(&self, service: &Service, id: u64) -> String {
        let cluster = self.cluster_name(service.cluster);
        self.arn("ecs", &format!("service-revision/{cluster}/{}/{id}", service.name))
    }

    /// ARN of a service deployment by its id.
    #[must_use]
    pub fn service_deployment_arn(&self, service: &Service, id: &str) -> String {
        let cluster = self.cluster_name(service.cluster);
        self.arn("ecs", &format!("service-deployment/{cluster}/{}/{id}", service.name))
    }

    /// ARN of a task.
    #[must_use]
    pub fn task_arn(&self, task: &Task) -> String {
        self.arn("ecs", &format!("task/{}/{}", self.cluster_name(task.cluster), task.id))
    }

    /// ARN of a container instance.
    #[must_use]
    pub fn instance_arn(&self, instance: &ContainerInstance) -> String {
        let cluster = self.cluster_name(instance.cluster);
        self.arn("ecs", &format!("container-instance/{cluster}/{:032x}", instance.id))
    }

    /// ARN of a task definition.
    #[must_use]
    pub fn definition_arn(&self, definition: &TaskDefinition) -> String {
        self.arn("ecs", &format!("task-definition/{}:{}", definition.family, definition.revision))
    }

    /// ARN of a target group by index.
    #[must_use]
    pub fn target_group_arn(&self, target_group: usize) -> String {
        let group = &self.target_groups[target_group];
        self.arn("elasticloadbalancing", &format!("targetgroup/{}/{}", group.name, group.id))
    }

    /// ARN of a load balancer by index.
    #[must_use]
    pub fn load_balancer_arn(&self, load_balancer: usize) -> String {
        self.arn("elasticloadbalancing", &format!("loadbalancer/{}", self.load_balancer_path(load_balancer)))
    }

    /// ARN of a listener by indices.
    #[must_use]
    pub fn listener_arn(&self, load_balancer: usize, listener: usize) -> String {
        let id = &self.load_balancers[load_balancer].listeners[listener].id;
        let path = self.load_balancer_path(load_balancer);
        self.arn("elasticloadbalancing", &format!("listener/{path}/{id}"))
    }

    /// ARN of a listener rule by indices.
    #[must_use]
    pub fn rule_arn(&self, load_balancer: usize, listener: usize, rule: usize) -> String {
        let listener = &self.load_balancers[load_balancer].listeners[listener];
        let path = self.load_balancer_path(load_balancer);
        let rule = &listener.rules[rule].id;
        self.arn("elasticloadbalancing", &format!("listener-rule/{path}/{}/{rule}", listener.id))
    }

    /// ARN of a listener's default rule, which has an id of its own and no place in the world.
    #[must_use]
    pub fn default_rule_arn(&self, load_balancer: usize, listener: usize) -> String {
        let id = rng::hash(&self.load_balancers[load_balancer].listeners[listener].id);
        format!("{}/{id:016x}", self.listener_arn(load_balancer, listener).replacen(":listener/", ":listener-rule/", 1))
    }

    /// `app/NAME/ID` or `net/NAME/ID`.
    fn load_balancer_path(&self, load_balancer: usize) -> String {
        let balancer = &self.load_balancers[load_balancer];
        let kind = if balancer.kind == "network" { "net" } else { "app" };
        format!("{kind}/{}/{}", balancer.name, balancer.id)
    }

    /// ARN of a log group, without the trailing `:*`.
    #[must_use]
    pub fn log_group_arn(&self, name: &str) -> String {
        self.arn("logs", &format!("log-group:{name}"))
    }

    /// ARN of an ECR repository.
    #[must_use]
    pub fn repository_arn(&self, name: &str) -> String {
        self.arn("ecr", &format!("repository/{name}"))
    }

    /// Host of the account's private registry in this region.
    #[must_use]
    pub fn registry(&self) -> String {
        format!("{}.dkr.ecr.{}.amazonaws.com", self.account, self.region)
    }

    /// ARN of an IAM role.
    #[must_use]
    pub fn role_arn(&self, name: &str) -> String {
        format!("arn:aws:iam::{}:role/{name}", self.account)
    }

    /// The estate's VPC.
    #[must_use]
    pub fn vpc(&self) -> String {
        self.network_id("vpc", "vpc")
    }

    /// A second VPC, without a way out and without an endpoint of `ssmmessages`.
    #[must_use]
    pub fn sealed_vpc(&self) -> String {
        self.network_id("vpc", "sealed vpc")
    }

    /// An id of EC2: `rtb-0…` and its like.
    #[must_use]
    pub fn network_id(&self, kind: &str, name: &str) -> String {
        format!("{kind}-{}", self.fixed_id(name))
    }

    /// The three availability zones.
    #[must_use]
    pub fn zones(&self) -> [String; 3] {
        ["a", "b", "c"].map(|zone| format!("{}{zone}", self.region))
    }

    /// One subnet to each availability zone.
    #[must_use]
    pub fn subnets(&self) -> [String; 3] {
        ["a", "b", "c"].map(|zone| self.network_id("subnet", zone))
    }

    /// One subnet to each zone in the sealed VPC.
    #[must_use]
    pub fn sealed_subnets(&self) -> [String; 3] {
        ["a", "b", "c"].map(|zone| self.network_id("subnet", &format!("sealed {zone}")))
    }

    /// The subnets of those who have a way to `ssmmessages`, or of those who have none.
    #[must_use]
    pub fn subnets_of(&self, reachable: bool) -> [String; 3] {
        if reachable { self.subnets() } else { self.sealed_subnets() }
    }

    /// Security group of a service.
    #[must_use]
    pub fn security_group(&self, service: &str) -> String {
        format!("sg-{}", self.fixed_id(&format!("sg {service}")))
    }

    /// 17 hex digits that a name has in this account and region for ever.
    fn fixed_id(&self, name: &str) -> String {
        let key = format!("{}/{}/{name}", self.account, self.region);
        format!("0{:016x}", rng::hash(&key))
    }
}
