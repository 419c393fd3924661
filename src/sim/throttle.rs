//! The throttle buckets of an account in a region, at the rates that AWS documents.
//!
//! Sources: "Request throttling for the Amazon ECS API", the same page of Elastic Load Balancing, and the quotas of `CloudWatch`
//! Logs and ECR. Buckets run on the virtual clock: in a frozen world they refill only when it is stepped, so that a test can
//! say exactly which call is the first to be refused. It knows nothing of who calls.

use std::collections::HashMap;

/// One bucket: the calls that share it, how many may come at once, and how many are added in a second.
struct Rate {
    bucket: &'static str,
    service: &'static str,
    operations: &'static [&'static str],
    burst: f64,
    per_second: f64,
}

/// A later row never applies to an operation that an earlier row names; `*` takes what is left of a service.
#[rustfmt::skip] // A table reads by its rows.
const RATES: &[Rate] = &[
    rate("cluster-read", "ecs", &["ListClusters", "DescribeClusters"], 50.0, 20.0),
    rate("service-read", "ecs", &["ListServices", "DescribeServices"], 100.0, 20.0),
    rate("cluster-resource-read", "ecs",
        &["ListTasks", "DescribeTasks", "ListContainerInstances", "DescribeContainerInstances"], 100.0, 20.0),
    rate("cluster-resource-modify", "ecs", &["RunTask", "StopTask", "UpdateContainerInstancesState", "ExecuteCommand"], 100.0, 40.0),
    rate("service-modify", "ecs", &["UpdateService", "DeleteService"], 50.0, 5.0),
    rate("service-deployment", "ecs", &["ListServiceDeployments", "DescribeServiceDeployments"], 50.0, 20.0),
    rate("service-revision", "ecs", &["DescribeServiceRevisions"], 50.0, 20.0),
    rate("task-definition-read", "ecs",
        &["DescribeTaskDefinition", "ListTaskDefinitions", "ListTaskDefinitionFamilies"], 50.0, 20.0),
    rate("task-definition-modify", "ecs", &["RegisterTaskDefinition", "DeregisterTaskDefinition"], 20.0, 1.0),
    rate("capacity-provider-read", "ecs", &["DescribeCapacityProviders"], 50.0, 20.0),
    // Not in the published table; counted like other changes of a service.
    rate("service-deployment-modify", "ecs", &["StopServiceDeployment", "ContinueServiceDeployment"], 50.0, 5.0),
    rate("task-set-read", "ecs", &["DescribeTaskSets"], 50.0, 20.0),
    rate("task-set-modify", "ecs", &["CreateTaskSet", "UpdateTaskSet", "UpdateServicePrimaryTaskSet", "DeleteTaskSet"], 50.0, 5.0),
    rate("task-protection", "ecs", &["GetTaskProtection", "UpdateTaskProtection"], 200.0, 80.0),
    rate("other", "ecs", &["*"], 20.0, 1.0),
    rate("read", "elasticloadbalancing", &["*"], 40.0, 10.0),
    // CloudWatch Logs publishes rates that differ by region, and no bursts; these rates are those of the smaller regions.
    rate("filter-log-events", "logs", &["FilterLogEvents"], 25.0, 10.0),
    rate("get-log-events", "logs", &["GetLogEvents"], 25.0, 25.0),
    rate("describe-log-streams", "logs", &["DescribeLogStreams"], 25.0, 25.0),
    rate("describe-log-groups", "logs", &["DescribeLogGroups"], 10.0, 10.0),
    rate("start-live-tail", "logs", &["StartLiveTail"], 15.0, 5.0),
    rate("other", "logs", &["*"], 10.0, 5.0),
    rate("read", "ecr", &["*"], 200.0, 60.0),
    // The next three publish no rates of single calls; these are what clients commonly meet.
    rate("read", "application-autoscaling", &["*"], 20.0, 5.0),
    rate("modify", "application-autoscaling", &["RegisterScalableTarget"], 10.0, 2.0),
    rate("get-metric-data", "cloudwatch", &["GetMetricData"], 50.0, 50.0),
    rate("describe-alarms", "cloudwatch", &["DescribeAlarms"], 9.0, 9.0),
    rate("other", "cloudwatch", &["*"], 10.0, 3.0),
    rate("modify", "codedeploy", &["CreateDeployment", "StopDeployment", "ContinueDeployment"], 10.0, 2.0),
    rate("read", "codedeploy", &["*"], 20.0, 8.0),
    // 40 calls a second by default, and 40 of DescribeSecret, says the page of quotas of either.
    rate("read", "ssm", &["*"], 40.0, 40.0),
    rate("read", "secretsmanager", &["*"], 40.0, 40.0),
    // Cryptographic calls share 10,000 a second and more; data channels have no published rate.
    rate("symmetric", "kms", &["*"], 10_000.0, 10_000.0),
    rate("open", "ssmmessages", &["*"], 40.0, 40.0),
    rate("all", "sts", &["*"], 600.0, 600.0),
    // IAM publishes none; EC2's Describe actions without a filter of ids have a bucket of 50 that fills with 10 a second, the rest more.
    rate("read", "iam", &["*"], 40.0, 10.0),
    rate("describe", "ec2", &["*"], 50.0, 10.0),
];

const fn rate(bucket: &'static str, service: &'static str, operations: &'static [&'static str], burst: f64, per_second: f64) -> Rate {
    Rate { bucket, service, operations, burst, per_second }
}

#[derive(Debug)]
struct Level {
    tokens: f64,
    at_ms: i64,
}

/// The levels of every bucket that was used so far.
#[derive(Debug, Default)]
pub(super) struct Throttle {
    /// By account, region, service and bucket; an unused bucket is full.
    levels: HashMap<(String, String, &'static str, &'static str), Level>,
}

impl Throttle {
    /// Takes a token for one call; false is a refusal, which costs nothing.
    pub(super) fn admit(&mut self, account: &str, region: &str, service: &str, operation: &str, now_ms: i64) -> bool {
        let Some(rate) = rate_of(service, operation) else {
            return true;
        };
        let key = (account.to_owned(), region.to_owned(), rate.service, rate.bucket);
        let level = self.levels.entry(key).or_insert(Level { tokens: rate.burst, at_ms: now_ms });
        // A virtual day in milliseconds is far below what an f64 holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let elapsed = (now_ms - level.at_ms).max(0) as f64 / 1000.0;
        level.tokens = (level.tokens + elapsed * rate.per_second).min(rate.burst);
        level.at_ms = level.at_ms.max(now_ms);
        if level.tokens < 1.0 {
            return false;
        }
        level.tokens -= 1.0;
        true
    }
}

fn rate_of(service: &str, operation: &str) -> Option<&'static Rate> {
    let find = |wanted: &str| RATES.iter().find(|rate| rate.service == service && rate.operations.contains(&wanted));
    find(operation).or_else(|| find("*"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)] // A test that cannot go on fails.

    use super::*;

    fn admitted(throttle: &mut Throttle, region: &str, operation: &str, calls: usize, now_ms: i64) -> usize {
        (0..calls).filter(|_| throttle.admit("111122223333", region, "ecs", operation, now_ms)).count()
    }

    #[test]
    fn a_burst_passes_and_then_the_published_rate() {
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeServices", 150, 0), 100);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeServices", 150, 1_000), 20);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeServices", 150, 1_049), 0);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeServices", 150, 3_600_000), 100);
    }

    #[test]
    fn calls_of_one_bucket_share_it_and_regions_do_not() {
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, "eu-west-1", "ListServices", 200, 0), 100);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeServices", 1, 0), 0);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "DescribeTasks", 1, 0), 1);
        assert_eq!(admitted(&mut throttle, "us-east-1", "DescribeServices", 1, 0), 1);
    }

    #[test]
    fn every_call_has_one_bucket_and_registering_is_the_slow_one() {
        let bucket = |service: &str, operation: &str| rate_of(service, operation).map(|rate| rate.bucket);
        assert_eq!(bucket("ecs", "ListTasks"), Some("cluster-resource-read"));
        assert_eq!(bucket("ecs", "TagResource"), Some("other"));
        assert_eq!(bucket("elasticloadbalancing", "DescribeRules"), Some("read"));
        for action in super::super::wire::actions() {
            let (service, operation) = action.split_once(':').unwrap();
            assert!(bucket(service, operation).is_some(), "{action} has no bucket");
        }
        let mut throttle = Throttle::default();
        assert_eq!(admitted(&mut throttle, "eu-west-1", "RegisterTaskDefinition", 30, 0), 20);
        assert_eq!(admitted(&mut throttle, "eu-west-1", "RegisterTaskDefinition", 30, 2_000), 2);
    }
}
