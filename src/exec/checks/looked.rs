//! What IAM, EC2 and KMS are asked about a session, and what they have said. Pure: the questions follow from what is known, and each answer
//! may lead to the next one.

use super::{Facts, Known, known};
use crate::feed::{Feed, Value};
use crate::model::{Ctx, Decision, Ec2Instance, Endpoint, KmsKey, Look, Right, RightsAsked, Seen, Str, Subnet, WayOut};
use crate::store::Store;
use std::sync::Arc;

/// The rights that the agent in the task needs. Source: "ECS Exec prerequisites".
pub(super) const AGENT: [&str; 4] =
    ["ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel"];

/// The rights that the agent needs to record a session in a log group; the first is on any group.
pub(super) const LOGS: [&str; 4] = ["logs:DescribeLogGroups", "logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"];

/// The rights that the agent needs to record a session in a bucket; the first is on what is in it.
pub(super) const BUCKET: [&str; 3] = ["s3:PutObject", "s3:GetBucketLocation", "s3:GetEncryptionConfiguration"];

/// Questions in a row, each from the answer to the one before: an instance, its subnet, what is around that.
const DEPTH: usize = 5;

/// Answers by question.
pub(super) type Looked = Vec<(Look, Known<Arc<Seen>>)>;

/// Takes in what the store knows.
pub(super) fn take_in(facts: &mut Facts, store: &Store, ctx: Ctx) {
    ask(facts, &|look| {
        let slot = store.slot(&Feed::Look(ctx, look.clone()));
        let value = slot.and_then(|slot| if let Some(Value::Seen(seen)) = &slot.value { Some(seen) } else { None });
        known(value, slot)
    });
}

/// Question after question, as far as the answers lead.
pub(super) fn ask(facts: &mut Facts, answer: &dyn Fn(&Look) -> Known<Arc<Seen>>) {
    for _ in 0..DEPTH {
        let new: Vec<Look> = wanted(facts).into_iter().filter(|look| !facts.looked.iter().any(|(known, _)| known == look)).collect();
        if new.is_empty() {
            return;
        }
        for look in new {
            let told = answer(&look);
            facts.looked.push((look, told));
        }
    }
}

/// The questions that what is known leads to.
fn wanted(facts: &Facts) -> Vec<Look> {
    let mut looks: Vec<Look> = rights(facts).into_iter().map(|asked| Look::Rights(Arc::new(asked))).collect();
    looks.extend(host(facts).map(Look::Instance));
    if facts.own_role().is_none()
        && let Known::Yes(Ec2Instance { profile: Some(profile), .. }) = facts.host()
    {
        looks.push(Look::Profile(profile));
    }
    if let Some(subnet) = facts.subnet() {
        looks.push(Look::Subnet(subnet.clone()));
        if let Known::Yes(found) = facts.subnet_seen()
            && &*found.owner == facts.task.arn.account()
        {
            looks.push(Look::Endpoints(found.vpc.clone()));
            looks.push(Look::Routes { subnet, vpc: found.vpc });
        }
    }
    looks.extend(facts.key().cloned().map(Look::Key));
    looks
}

/// The EC2 instance whose role or subnet the task uses.
fn host(facts: &Facts) -> Option<Str> {
    let known = facts.definition.yes().is_some() && !facts.fargate();
    let needed = facts.own_role().is_none() || facts.task.subnet.is_none();
    let id = facts.instance.yes().filter(|_| known && needed)?.ec2_instance.clone()?;
    // What was registered from outside of AWS is no instance of EC2.
    id.starts_with("i-").then_some(id)
}

/// Every question to IAM's simulator.
fn rights(facts: &Facts) -> Vec<RightsAsked> {
    let caller = [facts.asks_exec(), facts.asks_session(), facts.asks_forward(), facts.asks_data_key()];
    let agent = [facts.asks_agent(), facts.asks_decrypt()];
    caller.into_iter().chain(agent).flatten().chain(facts.asks_recording()).collect()
}

/// Whom IAM can be asked about.
pub(super) enum Caller {
    /// A user or a role, by ARN; a role's path may be missing.
    Principal(Str),
    /// The account's root, who may do everything that the organisation lets it.
    Root,
    /// Nobody that IAM knows: a federated user.
    Unknown,
}

/// The role of a session of that role: what IAM simulates is the role.
pub(super) fn principal(arn: &str) -> Caller {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts.as_slice() {
        [a, partition, "sts", _, account, path] => {
            let role = path.strip_prefix("assumed-role/").and_then(|path| path.split('/').next());
            role.map_or(Caller::Unknown, |role| Caller::Principal(format!("{a}:{partition}:iam::{account}:role/{role}").into()))
        }
        [.., "root"] => Caller::Root,
        [_, _, "iam", _, _, path] if path.starts_with("user/") || path.starts_with("role/") => Caller::Principal(arn.into()),
        _ => Caller::Unknown,
    }
}

impl Facts {
    fn seen<T>(&self, look: &Look, take: impl Fn(&Seen) -> Option<T>) -> Known<T> {
        match self.looked.iter().find(|(known, _)| known == look).map(|(_, seen)| seen) {
            None | Some(Known::Reading) => Known::Reading,
            Some(Known::Yes(seen)) => take(seen).map_or(Known::None, Known::Yes),
            Some(Known::Denied(action)) => Known::Denied(action.clone()),
            Some(Known::Failed(why)) => Known::Failed(why.clone()),
            Some(Known::None) => Known::None,
        }
    }

    /// The EC2 instance under the task; none where it does not matter.
    pub(super) fn host(&self) -> Known<Ec2Instance> {
        let Some(id) = host(self) else { return Known::None };
        self.seen(&Look::Instance(id), |seen| if let Seen::Instance(found) = seen { Some(found.clone()) } else { None })
    }

    /// The role that the agent acts as: the task's, else the instance's.
    pub(super) fn agent_role(&self) -> Known<Str> {
        if let Some(role) = self.own_role() {
            return Known::Yes(role.clone());
        }
        if self.definition.yes().is_none() {
            return self.definition.same();
        }
        if self.fargate() {
            return Known::None;
        }
        match (&self.instance, self.host()) {
            (Known::Yes(_), Known::Yes(Ec2Instance { profile: Some(profile), .. })) => {
                self.seen(&Look::Profile(profile), |seen| if let Seen::Profile(role) = seen { role.clone() } else { None })
            }
            (Known::Yes(_), host) => host.same(),
            (instance, _) => instance.same(),
        }
    }

    /// The subnet that the agent's packets leave from.
    pub(super) fn subnet(&self) -> Option<Str> {
        self.task.subnet.clone().or_else(|| self.host().yes()?.subnet.clone())
    }

    pub(super) fn subnet_seen(&self) -> Known<Subnet> {
        let Some(subnet) = self.subnet() else { return self.host().same() };
        self.seen(&Look::Subnet(subnet), |seen| if let Seen::Subnet(found) = seen { Some(found.clone()) } else { None })
    }

    pub(super) fn endpoints(&self, vpc: &Str) -> Known<Vec<Endpoint>> {
        self.seen(&Look::Endpoints(vpc.clone()), |seen| if let Seen::Endpoints(found) = seen { Some(found.clone()) } else { None })
    }

    pub(super) fn routes(&self, vpc: &Str) -> Known<Vec<WayOut>> {
        let Some(subnet) = self.subnet() else { return Known::None };
        let look = Look::Routes { subnet, vpc: vpc.clone() };
        self.seen(&look, |seen| if let Seen::Routes(found) = seen { Some(found.clone()) } else { None })
    }

    /// The key that the cluster names.
    pub(super) fn key(&self) -> Option<&Str> {
        self.cluster.yes()?.exec.key.as_ref()
    }

    pub(super) fn key_seen(&self) -> Known<KmsKey> {
        let Some(key) = self.key() else { return Known::None };
        self.seen(&Look::Key(key.clone()), |seen| if let Seen::Key(found) = seen { Some(found.clone()) } else { None })
    }

    /// The key's ARN, which is all that policies name; nothing while it hides behind an alias.
    fn key_arn(&self) -> Option<Str> {
        let key = self.key()?;
        if let Known::Yes(found) = self.key_seen() {
            return Some(found.arn);
        }
        if key.starts_with("arn:") && key.contains(":key/") {
            return Some(key.clone());
        }
        // While the answer is on its way, the question must not be asked with a guess.
        let told = !matches!(self.key_seen(), Known::Reading) && !key.contains("alias/") && !key.starts_with("arn:");
        told.then(|| format!("arn:{}:kms:{}:{}:key/{key}", self.partition(), self.task.arn.region(), self.task.arn.account()).into())
    }

    pub(super) fn partition(&self) -> &str {
        self.task.arn.as_str().split(':').nth(1).unwrap_or("aws")
    }

    /// Who asks, as IAM can be asked about it.
    fn who(&self) -> Option<Str> {
        match principal(&self.caller.yes()?.arn) {
            Caller::Principal(arn) => Some(arn),
            Caller::Root | Caller::Unknown => None,
        }
    }

    /// A question, with the region, on which many policies hang.
    fn asked(&self, who: &str, actions: &[&str], resources: &[&str]) -> RightsAsked {
        let texts = |texts: &[&str]| texts.iter().map(|text| Str::from(*text)).collect();
        let context = vec![("aws:RequestedRegion".into(), self.task.arn.region().into())];
        RightsAsked { who: who.into(), actions: texts(actions), resources: texts(resources), context }
    }

    /// May the caller open a session in this container of this task?
    pub(super) fn asks_exec(&self) -> Option<RightsAsked> {
        let mut asked = self.asked(&self.who()?, &["ecs:ExecuteCommand"], &[self.task.arn.as_str(), self.task.cluster.as_str()]);
        asked.context.extend([
            ("ecs:container-name".into(), self.container.clone()),
            ("ecs:cluster".into(), self.task.cluster.0.clone()),
            ("ecs:task".into(), self.task.arn.0.clone()),
        ]);
        Some(asked)
    }

    /// May the caller open the channel of a session that ECS made, take it up again and end it?
    pub(super) fn asks_session(&self) -> Option<RightsAsked> {
        let actions = ["ssmmessages:OpenDataChannel", "ssm:ResumeSession", "ssm:TerminateSession"];
        Some(self.asked(&self.who()?, &actions, &[&self.session()]))
    }

    /// An example of a session of exec as policies name it.
    pub(super) fn session(&self) -> String {
        let task = &self.task.arn;
        format!("arn:{}:ssm:{}:{}:session/ecs-execute-command-0", self.partition(), task.region(), task.account())
    }

    /// May the caller forward ports through the task?
    pub(super) fn asks_forward(&self) -> Option<RightsAsked> {
        let document = format!("arn:{}:ssm:{}::document/AWS-StartPortForwardingSession", self.partition(), self.task.arn.region());
        Some(self.asked(&self.who()?, &["ssm:StartSession"], &[self.task.arn.as_str(), &document]))
    }

    /// May the caller make a data key?
    pub(super) fn asks_data_key(&self) -> Option<RightsAsked> {
        Some(self.asked(&self.who()?, &["kms:GenerateDataKey"], &[&self.key_arn()?]))
    }

    /// May the agent register?
    pub(super) fn asks_agent(&self) -> Option<RightsAsked> {
        Some(self.asked(self.agent_role().yes()?, &AGENT, &[]))
    }

    /// May the agent open a data key?
    pub(super) fn asks_decrypt(&self) -> Option<RightsAsked> {
        Some(self.asked(self.agent_role().yes()?, &["kms:Decrypt"], &[&self.key_arn()?]))
    }

    /// The log group that a session is recorded in, and its region: the one that the cluster names, else the container's own.
    pub(super) fn recorded_in(&self) -> Option<(Str, Str)> {
        let exec = &self.cluster.yes()?.exec;
        let here = || Str::from(self.task.arn.region());
        match exec.logging.as_deref() {
            Some("NONE") => None,
            Some("OVERRIDE") => exec.log_group.as_ref().map(|(group, _)| (group.clone(), here())),
            _ => {
                let logs = self.defined()?.logs.as_ref().filter(|logs| &*logs.driver == "awslogs")?;
                let region = logs.option("awslogs-region").cloned().unwrap_or_else(here);
                Some((logs.option("awslogs-group")?.clone(), region))
            }
        }
    }

    /// May the agent write where sessions are recorded?
    pub(super) fn asks_recording(&self) -> Vec<RightsAsked> {
        let role = self.agent_role();
        let (Some(role), Some(cluster)) = (role.yes(), self.cluster.yes()) else { return Vec::new() };
        let exec = &cluster.exec;
        let (partition, account) = (self.partition(), self.task.arn.account());
        let mut all = Vec::new();
        if let Some((group, region)) = self.recorded_in() {
            let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{group}:log-stream:ecs-execute-command-0");
            all.extend([self.asked(role, &LOGS[..1], &[]), self.asked(role, &LOGS[1..], &[&arn])]);
        }
        if exec.logging.as_deref() != Some("OVERRIDE") {
            return all;
        }
        if let Some((bucket, _)) = &exec.bucket {
            let (name, prefix) = bucket.split_once('/').unwrap_or((bucket, ""));
            let prefix = if prefix.is_empty() { String::new() } else { format!("{}/", prefix.trim_end_matches('/')) };
            let inside = format!("arn:{partition}:s3:::{name}/{prefix}ecs-execute-command-0");
            all.extend([
                self.asked(role, &BUCKET[..1], &[&inside]),
                self.asked(role, &BUCKET[1..], &[&format!("arn:{partition}:s3:::{name}")]),
            ]);
        }
        all
    }

    /// The answer to a question.
    pub(super) fn answer(&self, asked: &RightsAsked) -> Known<Vec<Right>> {
        // Questions are few; a look at each is cheaper than a second key.
        let found = self.looked.iter().find(|(look, _)| matches!(look, Look::Rights(own) if **own == *asked));
        let Some((look, _)) = found else { return Known::Reading };
        self.seen(look, |seen| if let Seen::Rights(rights) = seen { Some(rights.clone()) } else { None })
    }
}

/// Whether a right is there.
pub(super) fn allowed(right: &Right) -> bool {
    right.decision == Decision::Allowed && !right.by_organization && !right.by_boundary
}
