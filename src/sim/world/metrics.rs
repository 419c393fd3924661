//! Metrics: samples of services and target groups at the end of each minute, and the values that follow from them,
//! the declared load and the seed. Nothing is drawn from the estate's stream of chance: looking changes nothing.

mod load;

use super::state::{Estate, GroupSample, Load, MetricId, Ms, ServiceSample};
use crate::sim::rng::hash;
use crate::sim::scenario::schema as file;

/// A minute in ms, the shortest period of these metrics.
pub const MINUTE: Ms = 60_000;
/// Minutes that are remembered; what is asked about before them was as it is at their beginning.
const KEPT: usize = 240;
/// The same in an estate of very many services, where memory is the limit.
const KEPT_OF_MANY: usize = 30;
const MANY: usize = 500;

/// What was measured in a minute.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Datum {
    /// Average.
    pub mean: f64,
    /// Least and greatest.
    pub range: (f64, f64),
    /// Number of observations.
    pub count: f64,
    /// Their sum.
    pub sum: f64,
}

impl Datum {
    /// A gauge that is read once.
    fn once(value: f64) -> Self {
        Self { mean: value, range: (value, value), count: 1.0, sum: value }
    }

    fn spread(mean: f64, count: f64, (low, high): (f64, f64)) -> Self {
        Self { mean, range: (mean * low, mean * high), count, sum: mean * count }
    }

    /// The value at a percentile: steep towards the end, as response times are.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> f64 {
        let (low, high) = self.range;
        let middle = low + (self.mean - low) * 0.9;
        let part = (percent / 100.0).clamp(0.0, 1.0);
        if part < 0.5 { low + (middle - low) * part * 2.0 } else { middle + (high - middle) * ((part - 0.5) * 2.0).powi(13) }
    }
}

/// A metric that is measured here, found once and asked often.
#[derive(Debug, Clone, Copy)]
pub struct Gauge<'a> {
    source: Source,
    name: &'a str,
}

/// What a metric is about.
#[derive(Debug, Clone, Copy)]
enum Source {
    Service(usize),
    Cluster(usize),
    /// And the service whose tasks stand in it.
    Group(usize, Option<usize>),
    Balancer(usize),
    Queue(usize),
}

impl Estate {
    /// A service that the scenario names.
    pub(super) fn service_named(&self, cluster: &str, service: &str) -> usize {
        let of = self.clusters.iter().find(|c| c.name == cluster).and_then(|c| c.services.get(service));
        *of.expect("a scenario that was read names known services only")
    }

    fn service_sample(&self, service: usize, minute: Ms) -> Option<ServiceSample> {
        sample_at(self.watch.services.get(service)?, minute, |sample| sample.at)
    }

    fn group_sample(&self, group: usize, minute: Ms) -> Option<GroupSample> {
        sample_at(self.watch.groups.get(group)?, minute, |sample| sample.at)
    }

    /// The gauge of a metric, if it is measured here.
    #[must_use]
    pub fn gauge<'a>(&self, id: &'a MetricId) -> Option<Gauge<'a>> {
        Some(Gauge { source: self.source(id)?, name: &id.name })
    }

    /// What a metric said in the minute that began at a time; none where nothing was measured, or not yet.
    fn measure(&self, gauge: Gauge<'_>, minute: Ms) -> Option<Datum> {
        match gauge.source {
            Source::Service(service) => self.measure_service(service, gauge.name, minute),
            Source::Cluster(cluster) => {
                let of = self.clusters[cluster].services.values();
                let name = gauge.name.replace("Reservation", "Utilization");
                let all: Vec<Datum> = of.filter_map(|&service| self.measure_service(service, &name, minute)).collect();
                let count: f64 = all.iter().map(|d| d.count).sum();
                let sum: f64 = all.iter().map(|d| d.sum).sum();
                let low = all.iter().map(|d| d.range.0).reduce(f64::min)?;
                let high = all.iter().map(|d| d.range.1).reduce(f64::max)?;
                Some(Datum { mean: sum / count, range: (low, high), count, sum })
            }
            Source::Group(group, service) => self.measure_group(group, service, gauge.name, minute),
            Source::Balancer(balancer) => {
                let groups = (0..self.target_groups.len()).filter(|&g| self.target_groups[g].load_balancer == Some(balancer));
                let all: Vec<Datum> = groups.filter_map(|group| self.measure_group(group, self.owner(group), gauge.name, minute)).collect();
                let count: f64 = all.iter().map(|d| d.count).sum();
                let sum: f64 = all.iter().map(|d| d.sum).sum();
                let high = all.iter().map(|d| d.range.1).reduce(f64::max)?;
                Some(Datum { mean: sum / count.max(1.0), range: (0.0, high), count, sum })
            }
            Source::Queue(service) => Some(Datum::once(self.service_sample(service, minute)?.waiting)),
        }
    }

    fn measure_service(&self, service: usize, name: &str, minute: Ms) -> Option<Datum> {
        let sample = self.service_sample(service, minute)?;
        let running = f64::from(sample.running);
        let count = |n: u32| Some(Datum::once(f64::from(n)));
        match name {
            "RunningTaskCount" => return count(sample.running),
            "PendingTaskCount" => return count(sample.pending),
            "DesiredTaskCount" => return count(sample.desired),
            _ if sample.running == 0 => return None,
            _ => {}
        }
        let load = self.load(service);
        let size = self.services[service].current_revision().map_or((0, 0), |r| (r.definition.cpu, r.definition.memory));
        match name {
            "CPUUtilization" | "CpuUtilized" => {
                let percent = self.cpu(service, &load, running, minute);
                let datum = Datum::spread(percent, running, (0.6, 1.5));
                let high = datum.range.1.min(100.0);
                Some(if name == "CPUUtilization" {
                    Datum { range: (datum.range.0, high), ..datum }
                } else {
                    Datum::once(percent / 100.0 * f64::from(size.0) * running)
                })
            }
            "MemoryUtilization" | "MemoryUtilized" => {
                let key = hash(&self.services[service].name) ^ 1;
                let calm = load.memory * (1.0 + 0.02 * self.noise(key, minute));
                let swollen = f64::from(sample.swollen) / running;
                let percent = calm + (97.0 - calm) * swollen;
                Some(if name == "MemoryUtilization" {
                    Datum::spread(percent, running, (0.95, 1.04))
                } else {
                    Datum::once(percent / 100.0 * f64::from(size.1) * running)
                })
            }
            "CpuReserved" => Some(Datum::once(f64::from(size.0) * running)),
            "MemoryReserved" => Some(Datum::once(f64::from(size.1) * running)),
            _ => None,
        }
    }

    fn cpu(&self, service: usize, load: &Load, running: f64, minute: Ms) -> f64 {
        (load.cpu * load.tasks * self.wave(service, load, minute) / running.max(1.0)).min(100.0)
    }

    /// The service whose tasks stand in a target group.
    fn owner(&self, group: usize) -> Option<usize> {
        let leads = |lb: &super::state::LoadBalancing| lb.target_group == group;
        let running = |s: &super::state::Service| s.current_revision().is_some_and(|r| r.load_balancers.iter().any(leads));
        let ever = |s: &super::state::Service| s.revisions.iter().any(|r| r.load_balancers.iter().any(leads));
        self.services.iter().position(running).or_else(|| self.services.iter().position(ever))
    }

    fn measure_group(&self, group: usize, service: Option<usize>, name: &str, minute: Ms) -> Option<Datum> {
        let sample = self.group_sample(group, minute)?;
        let (healthy, unhealthy) = (f64::from(sample.healthy), f64::from(sample.unhealthy));
        match name {
            "HealthyHostCount" => return Some(Datum::once(healthy)),
            "UnHealthyHostCount" => return Some(Datum::once(unhealthy)),
            _ => {}
        }
        let service = service?;
        let load = self.load(service);
        let requests = (load.requests * sample.share * self.wave(service, &load, minute)).round();
        // With no healthy target the load balancer sends to all of them.
        let failing_open = sample.healthy == 0;
        let targets = if failing_open { unhealthy } else { healthy };
        if targets < 1.0 || requests < 1.0 {
            return None;
        }
        let bad = if failing_open { requests } else { (requests * load.errors / 1000.0).round() };
        let some = |n: f64| (n >= 1.0).then_some(Datum { mean: 1.0, range: (1.0, 1.0), count: n, sum: n });
        match name {
            "RequestCount" => some(requests),
            "RequestCountPerTarget" => {
                Some(Datum { mean: requests / targets, range: (0.0, requests), count: targets, sum: (requests / targets).round() })
            }
            // AWS publishes no zero.
            "HTTPCode_Target_5XX_Count" => some(bad),
            "HTTPCode_Target_2XX_Count" => some(requests - bad),
            "TargetResponseTime" => {
                let running = f64::from(self.service_sample(service, minute).map_or(1, |s| s.running));
                let short = ((self.cpu(service, &load, running, minute) - 70.0) / 30.0).max(0.0);
                let key = hash(&self.services[service].name) ^ 2;
                let mean = load.latency / 1000.0 * (1.0 + 4.0 * short) * (1.0 + 0.08 * self.noise(key, minute));
                Some(Datum::spread(mean, requests, (0.3, 7.0)))
            }
            _ => None,
        }
    }

    /// What a metric is about, if anything here is.
    fn source(&self, id: &MetricId) -> Option<Source> {
        let dimension = |name: &str| id.dimensions.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let cluster = dimension("ClusterName").and_then(|name| self.clusters.iter().position(|c| c.name == name));
        let count = id.dimensions.len();
        match id.namespace.as_str() {
            "AWS/ECS" | "ECS/ContainerInsights" => {
                let own = ["CPUUtilization", "MemoryUtilization", "CPUReservation", "MemoryReservation"].contains(&id.name.as_str());
                let insights = id.namespace != "AWS/ECS";
                let cluster = cluster.filter(|&c| !insights || self.clusters[c].container_insights != "disabled")?;
                if own == insights {
                    return None;
                }
                match dimension("ServiceName") {
                    Some(name) if count == 2 => self.clusters[cluster].services.get(name).map(|&service| Source::Service(service)),
                    None if count == 1 => Some(Source::Cluster(cluster)),
                    _ => None,
                }
            }
            "AWS/ApplicationELB" | "AWS/NetworkELB" => {
                let path = |arn: String, kind: &str| arn.split_once(kind).map(|(_, path)| path.to_owned());
                let balancer = dimension("LoadBalancer").map(|name| {
                    (0..self.load_balancers.len()).find(|&lb| path(self.load_balancer_arn(lb), ":loadbalancer/").as_deref() == Some(name))
                });
                match (dimension("TargetGroup"), balancer) {
                    (Some(name), of) => {
                        let named = |&g: &usize| self.target_group_arn(g).rsplit(':').next() == Some(name);
                        let group = (0..self.target_groups.len()).find(named)?;
                        let fits = of.is_none_or(|of| of.is_some() && of == self.target_groups[group].load_balancer);
                        fits.then(|| Source::Group(group, self.owner(group)))
                    }
                    (None, Some(Some(balancer))) if count == 1 => Some(Source::Balancer(balancer)),
                    _ => None,
                }
            }
            "AWS/SQS" if id.name == "ApproximateNumberOfMessagesVisible" => {
                let name = dimension("QueueName")?;
                let has = |(_, load): &(&usize, &Load)| load.queue.as_ref().is_some_and(|queue| queue.name == name);
                self.watch.loads.iter().find(has).map(|(&service, _)| Source::Queue(service))
            }
            _ => None,
        }
    }

    /// The metric of a scenario's word for a service, with the statistic that goes with it.
    pub(super) fn metric_of(&self, service: usize, metric: file::Metric) -> (MetricId, &'static str) {
        use file::Metric as M;
        let of = &self.services[service];
        let own = |name: &str| MetricId {
            namespace: "AWS/ECS".to_owned(),
            name: name.to_owned(),
            dimensions: vec![
                ("ClusterName".to_owned(), self.cluster_name(of.cluster).to_owned()),
                ("ServiceName".to_owned(), of.name.clone()),
            ],
        };
        let elb = |name: &str| {
            let group = of.current_revision().and_then(|r| r.load_balancers.first()).map(|lb| lb.target_group);
            let balancer = group.and_then(|g| self.target_groups[g].load_balancer);
            let after = |arn: String, kind: &str| arn.split_once(kind).map_or_else(String::new, |(_, path)| path.to_owned());
            let load_balancer = balancer.map(|lb| after(self.load_balancer_arn(lb), ":loadbalancer/")).unwrap_or_default();
            let target_group =
                group.map(|g| self.target_group_arn(g).rsplit(':').next().unwrap_or_default().to_owned()).unwrap_or_default();
            MetricId {
                namespace: "AWS/ApplicationELB".to_owned(),
                name: name.to_owned(),
                dimensions: vec![("LoadBalancer".to_owned(), load_balancer), ("TargetGroup".to_owned(), target_group)],
            }
        };
        match metric {
            M::Cpu => (own("CPUUtilization"), "Average"),
            M::Memory => (own("MemoryUtilization"), "Average"),
            M::Requests => (elb("RequestCountPerTarget"), "Sum"),
            M::Latency => (elb("TargetResponseTime"), "Average"),
            M::LatencyP95 => (elb("TargetResponseTime"), "p95"),
            M::Errors => (elb("HTTPCode_Target_5XX_Count"), "Sum"),
            M::UnhealthyHosts => (elb("UnHealthyHostCount"), "Maximum"),
            M::HealthyHosts => (elb("HealthyHostCount"), "Minimum"),
            M::Queue => {
                let queue = self.watch.loads.get(&service).and_then(|load| load.queue.as_ref());
                let name = queue.map(|queue| queue.name.clone()).unwrap_or_default();
                let id = MetricId {
                    namespace: "AWS/SQS".to_owned(),
                    name: "ApproximateNumberOfMessagesVisible".to_owned(),
                    dimensions: vec![("QueueName".to_owned(), name)],
                };
                (id, "Average")
            }
        }
    }

    /// A statistic of a metric over a period that begins at a time; none where nothing was measured.
    #[must_use]
    pub fn statistic(&self, gauge: Option<Gauge<'_>>, stat: &str, begin: Ms, period: Ms) -> Option<f64> {
        let gauge = gauge?;
        let minutes = (period / MINUTE).max(1);
        let all: Vec<Datum> = (0..minutes).filter_map(|at| self.measure(gauge, begin + at * MINUTE)).collect();
        if all.is_empty() {
            return None;
        }
        let count: f64 = all.iter().map(|d| d.count).sum();
        let sum: f64 = all.iter().map(|d| d.sum).sum();
        let whole = Datum {
            mean: sum / count,
            range: (
                all.iter().map(|d| d.range.0).fold(f64::INFINITY, f64::min),
                all.iter().map(|d| d.range.1).fold(f64::NEG_INFINITY, f64::max),
            ),
            count,
            sum,
        };
        Some(match stat {
            "Sum" => whole.sum,
            "Minimum" => whole.range.0,
            "Maximum" => whole.range.1,
            "SampleCount" => whole.count,
            "Average" => whole.mean,
            percentile => whole.percentile(percentile.strip_prefix('p')?.parse().ok()?),
        })
    }
}

/// The sample of a minute. What was before the first is as the first, what is after the last is not there yet.
fn sample_at<T: Copy>(all: &std::collections::VecDeque<T>, minute: Ms, at: fn(&T) -> Ms) -> Option<T> {
    let last = all.back()?;
    if at(last) < minute {
        return None;
    }
    let index = all.partition_point(|sample| at(sample) <= minute);
    all.get(index.saturating_sub(1)).copied()
}

/// A number from 0 up to but not 1.
fn unit(bits: u64) -> f64 {
    f64::from(u32::try_from(bits >> 32).expect("half of the bits are left")) / 4_294_967_296.0
}
