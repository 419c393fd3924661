//! Application Auto Scaling: once a minute, after the alarms were looked at, policies and schedules move the desired
//! counts of their services. Removing tasks is off while a service is being deployed, as in AWS.

use super::metrics::MINUTE;
use super::state::{
    Activity, ActivityStatus, Alarm, AlarmState, Comparison, Estate, Ms, Policy, PolicyKind, ScalableTarget, Schedule, Watched,
};
use super::timetable;
use crate::sim::rng::{hash, mix};
use crate::sim::scenario::schema as file;

/// Activities that are remembered.
const ACTIVITIES: usize = 2_000;
/// Minutes in a row above the target that add tasks, and below nine tenths of it that remove some.
const HIGH: u32 = 3;
const LOW: u32 = 15;

impl Estate {
    /// A scalable target of a scenario, with the alarms that its policies make.
    pub(super) fn build_scaling(&mut self, file: &file::Scaling, opened: Ms) {
        let service = self.service_named(file.cluster.get_ref(), file.service.get_ref());
        let created_at = opened - file.age.0;
        let policies = file.policy.iter().map(|policy| self.build_policy(service, policy, created_at + MINUTE)).collect();
        let has = |what| file.suspended.contains(&what);
        let schedule = |schedule: &file::Schedule| Schedule {
            name: schedule.name.clone(),
            id: steady_uuid(&format!("{}/{}/{}", self.account, file.service.get_ref(), schedule.name)),
            at: schedule.at.clone(),
            timezone: schedule.timezone.clone(),
            min: schedule.min,
            max: schedule.max,
            created_at,
        };
        let target = ScalableTarget {
            service,
            min: file.min,
            max: file.max,
            no_in: has(file::Suspension::In),
            no_out: has(file::Suspension::Out),
            no_schedule: has(file::Suspension::Scheduled),
            created_at,
            policies,
            schedules: file.schedule.iter().map(schedule).collect(),
            last_out: Ms::MIN / 2,
            last_in: Ms::MIN / 2,
        };
        self.watch.scaling.push(target);
    }

    fn build_policy(&mut self, service: usize, file: &file::Policy, at: Ms) -> Policy {
        use file::Metric as M;
        let (metric, stat) = self.metric_of(service, file.metric);
        let resource = self.resource_id(service);
        let word = match file.metric {
            M::Cpu => "cpu",
            M::Memory => "memory",
            M::Requests => "requests",
            M::Latency => "latency",
            M::LatencyP95 => "p95",
            M::Errors => "errors",
            M::UnhealthyHosts | M::HealthyHosts => "hosts",
            M::Queue => "queue",
        };
        let tracking = file.step.is_empty();
        let style = if tracking { "target-tracking" } else { "step" };
        let name = file.name.clone().unwrap_or_else(|| format!("{}-{word}-{style}", self.services[service].name));
        let id = steady_uuid(&format!("{}/{resource}/{name}", self.account));
        let kind = if tracking {
            let predefined = match file.metric {
                M::Cpu => Some("ECSServiceAverageCPUUtilization"),
                M::Memory => Some("ECSServiceAverageMemoryUtilization"),
                M::Requests => Some("ALBRequestCountPerTarget"),
                _ => None,
            };
            let values: Vec<&str> = metric.dimensions.iter().map(|(_, value)| value.as_str()).collect();
            let label = (file.metric == M::Requests).then(|| values.join("/"));
            PolicyKind::Tracking { target: file.target, predefined, label, disable_in: file.disable_scale_in }
        } else {
            PolicyKind::Step(file.step.iter().map(|step| (step.above, step.add)).collect())
        };
        let arn = self.policy_arn(&id, service, &name);
        let mut alarm = |suffix: &str, comparison, threshold: f64, periods: u32| {
            let alarm_name = if tracking {
                format!("TargetTracking-{resource}-Alarm{suffix}-{}", steady_uuid(&format!("{id}{suffix}")))
            } else {
                format!("{name}-alarm")
            };
            let about = if tracking {
                format!("DO NOT EDIT OR DELETE. For TargetTrackingScaling policy {arn}.")
            } else {
                format!("Triggers scaling policy {name}")
            };
            let watched = Watched::Metric {
                id: metric.clone(),
                stat: stat.to_owned(),
                threshold,
                comparison,
                periods,
                datapoints: periods,
                missing: "missing".to_owned(),
            };
            let mut made = Alarm::unchecked(alarm_name, about, watched, at);
            made.actions = vec![arn.clone()];
            self.watch.alarms.push(made);
            self.watch.alarms.len() - 1
        };
        let mut alarms = vec![alarm("High", Comparison::Greater, file.target, HIGH)];
        if tracking && !file.disable_scale_in {
            alarms.push(alarm("Low", Comparison::Less, file.target * 0.9, LOW));
        }
        Policy {
            name,
            id,
            kind,
            metric,
            stat: stat.to_owned(),
            alarms,
            cooldown_out: file.scale_out_cooldown.0,
            cooldown_in: file.scale_in_cooldown.0,
            created_at: at,
        }
    }

    /// `service/CLUSTER/SERVICE`.
    #[must_use]
    pub fn resource_id(&self, service: usize) -> String {
        let of = &self.services[service];
        format!("service/{}/{}", self.cluster_name(of.cluster), of.name)
    }

    /// ARN of a scaling policy.
    #[must_use]
    pub fn policy_arn(&self, id: &str, service: usize, name: &str) -> String {
        let resource = self.resource_id(service);
        self.arn("autoscaling", &format!("scalingPolicy:{id}:resource/ecs/{resource}:policyName/{name}"))
    }

    /// Sets the range, and brings the service into it; what is not given stays.
    pub fn register_range(&mut self, service: usize, min: Option<u32>, max: Option<u32>, suspend: [Option<bool>; 3]) -> usize {
        let now = self.now;
        let known = self.watch.scaling.iter().position(|target| target.service == service);
        let index = known.unwrap_or_else(|| {
            self.watch.scaling.push(ScalableTarget {
                service,
                min: min.unwrap_or(0),
                max: max.unwrap_or(0),
                no_in: false,
                no_out: false,
                no_schedule: false,
                created_at: now,
                policies: Vec::new(),
                schedules: Vec::new(),
                last_out: Ms::MIN / 2,
                last_in: Ms::MIN / 2,
            });
            self.watch.scaling.len() - 1
        });
        let target = &mut self.watch.scaling[index];
        target.min = min.unwrap_or(target.min);
        target.max = max.unwrap_or(target.max);
        target.no_in = suspend[0].unwrap_or(target.no_in);
        target.no_out = suspend[1].unwrap_or(target.no_out);
        target.no_schedule = suspend[2].unwrap_or(target.no_schedule);
        self.clamp(index);
        index
    }

    /// Brings a service into its range.
    fn clamp(&mut self, index: usize) {
        let target = &self.watch.scaling[index];
        let (service, min, max) = (target.service, target.min, target.max);
        let desired = self.services[service].desired;
        if desired < min {
            self.set_desired(index, min, format!("minimum capacity was set to {min}"));
        } else if desired > max {
            self.set_desired(index, max, format!("maximum capacity was set to {max}"));
        }
    }

    /// One look at every scalable target.
    pub(super) fn look_at_scaling(&mut self) {
        self.follow_activities();
        for index in 0..self.watch.scaling.len() {
            self.keep_timetable(index);
            self.follow_policies(index);
        }
    }

    fn keep_timetable(&mut self, index: usize) {
        let target = &self.watch.scaling[index];
        let minute = self.now.div_euclid(MINUTE) * MINUTE;
        let is_due = |s: &&Schedule| timetable::is_due(&s.at, s.timezone.as_deref(), s.created_at, minute);
        if target.no_schedule {
            return;
        }
        let due: Vec<(Option<u32>, Option<u32>)> = target.schedules.iter().filter(is_due).map(|s| (s.min, s.max)).collect();
        for (min, max) in due {
            let target = &mut self.watch.scaling[index];
            target.min = min.unwrap_or(target.min);
            target.max = max.unwrap_or(target.max).max(target.min);
            self.clamp(index);
        }
    }

    /// Of all policies the one that wants most tasks decides; tasks go only if every one can spare them.
    fn follow_policies(&mut self, index: usize) {
        let target = &self.watch.scaling[index];
        let now = self.now;
        let service = target.service;
        let current = self.services[service].desired;
        let mut out: Option<(u32, String)> = None;
        let mut fewer: Vec<Option<(u32, String)>> = Vec::new();
        for policy in &target.policies {
            let alarm = |at: usize| policy.alarms.get(at).map(|&alarm| &self.watch.alarms[alarm]);
            let rings = |at: usize| alarm(at).filter(|alarm| alarm.state == AlarmState::Alarm);
            let value = self.statistic(self.gauge(&policy.metric), &policy.stat, now.div_euclid(MINUTE) * MINUTE - MINUTE, MINUTE);
            if let (Some(alarm), Some(value)) = (rings(0), value)
                && now - target.last_out >= policy.cooldown_out
            {
                let wanted = match &policy.kind {
                    PolicyKind::Tracking { target: kept, .. } => proportional(current, value, *kept).max(current + 1),
                    PolicyKind::Step(steps) => current + step(steps, alarm, value),
                };
                if out.as_ref().is_none_or(|(most, _)| wanted > *most) {
                    out = Some((wanted, because(alarm, policy)));
                }
            }
            if let PolicyKind::Tracking { target: kept, disable_in: false, .. } = &policy.kind {
                let pause = now - target.last_in.max(target.last_out) < policy.cooldown_in;
                let spared = rings(1).zip(value).filter(|_| !pause);
                fewer.push(spared.map(|(alarm, value)| (proportional(current, value, *kept).min(current), because(alarm, policy))));
            }
        }
        let (min, max) = (target.min, target.max);
        if let Some((wanted, cause)) = out {
            if target.no_out {
                return;
            }
            // Out of the range, a scale-out brings a service up to the minimum, and leaves one above the maximum alone.
            let wanted = wanted.max(min).min(max);
            if wanted > current {
                self.watch.scaling[index].last_out = now;
                self.set_desired(index, wanted, cause);
            } else {
                self.note_not_scaled(index, "AlreadyAtMaxCapacity", &cause);
            }
            return;
        }
        if fewer.is_empty() || target.no_in || self.is_deploying(service) {
            return;
        }
        let all: Option<Vec<(u32, String)>> = fewer.into_iter().collect();
        let Some((wanted, cause)) = all.and_then(|all| all.into_iter().max_by_key(|(wanted, _)| *wanted)) else { return };
        // And a scale-in brings one down to the maximum.
        let wanted = wanted.max(min).min(max);
        if wanted < current {
            self.watch.scaling[index].last_in = now;
            self.set_desired(index, wanted, cause);
        } else if current == min {
            self.note_not_scaled(index, "AlreadyAtMinCapacity", &cause);
        }
    }

    /// Whether a service is in the middle of a deployment of whatever kind.
    pub(super) fn is_deploying(&self, service: usize) -> bool {
        self.services[service].under_way().is_some() || self.is_releasing(service)
    }

    fn set_desired(&mut self, index: usize, desired: u32, cause: String) {
        let service = self.watch.scaling[index].service;
        self.scale(service, desired);
        let id = self.activity_id(service);
        let message = format!("Successfully set desired count to {desired}. Waiting for change to be fulfilled by ecs.");
        self.push_activity(Activity {
            id,
            service,
            description: format!("Setting desired count to {desired}."),
            cause,
            started_at: self.now,
            ended_at: None,
            status: ActivityStatus::InProgress,
            message,
            desired: Some(desired),
            not_scaled: None,
        });
    }

    /// Said once, until something else happens to the target.
    fn note_not_scaled(&mut self, index: usize, code: &'static str, cause: &str) {
        let target = &self.watch.scaling[index];
        let (service, min, max) = (target.service, target.min, target.max);
        let last = self.watch.activities.iter().rev().find(|activity| activity.service == service);
        if last.is_some_and(|last| last.not_scaled.is_some_and(|(known, ..)| known == code) && last.cause == cause) {
            return;
        }
        let current = self.services[service].desired;
        let id = self.activity_id(service);
        let message = "The scaling activity was not performed.".to_owned();
        self.push_activity(Activity {
            id,
            service,
            description: "Attempting to scale due to alarm triggered".to_owned(),
            cause: cause.to_owned(),
            started_at: self.now,
            ended_at: Some(self.now),
            status: ActivityStatus::NotScaled,
            message,
            desired: None,
            not_scaled: Some((code, max, min, current)),
        });
    }

    fn push_activity(&mut self, activity: Activity) {
        let all = &mut self.watch.activities;
        if all.len() == ACTIVITIES {
            all.remove(0);
        }
        all.push(activity);
    }

    fn activity_id(&self, service: usize) -> String {
        steady_uuid(&format!("{}/{}/{}/{}", self.account, self.resource_id(service), self.now, self.watch.activities.len()))
    }

    /// Activities end when their service has got there, or when somebody else set another count.
    fn follow_activities(&mut self) {
        let now = self.now;
        for index in 0..self.watch.activities.len() {
            let activity = &self.watch.activities[index];
            let (Some(desired), ActivityStatus::InProgress) = (activity.desired, activity.status) else { continue };
            let is = self.services[activity.service].desired;
            let running = self.watch.services.get(activity.service).and_then(|all| all.back()).map_or(0, |sample| sample.running);
            let (status, message) = if is != desired {
                let words = format!("Successfully set desired count to {desired}. Found it was later changed to {is}.");
                (ActivityStatus::Overridden, words)
            } else if running == desired {
                let words = format!("Successfully set desired count to {desired}. Change successfully fulfilled by ecs.");
                (ActivityStatus::Successful, words)
            } else {
                continue;
            };
            let activity = &mut self.watch.activities[index];
            activity.status = status;
            activity.message = message;
            activity.ended_at = Some(now);
        }
    }
}

fn because(alarm: &Alarm, policy: &Policy) -> String {
    format!("monitor alarm {} in state ALARM triggered policy {}", alarm.name, policy.name)
}

/// As many tasks as bring the metric to its target.
fn proportional(current: u32, value: f64, target: f64) -> u32 {
    let wanted = (f64::from(current) * value / target.max(f64::MIN_POSITIVE)).ceil();
    // A quota of 5,000 tasks to a service bounds it anyway.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let wanted = wanted.clamp(0.0, 5_000.0) as u32;
    wanted
}

fn step(steps: &[(f64, u32)], alarm: &Alarm, value: f64) -> u32 {
    let Watched::Metric { threshold, .. } = alarm.watched else { return 0 };
    steps.iter().rev().find(|(above, _)| value >= threshold + above).map_or(0, |(_, add)| *add)
}

/// A UUID that is always the same for the same name.
pub(super) fn steady_uuid(name: &str) -> String {
    let high = hash(name);
    let text = format!("{high:016x}{:016x}", mix(high));
    format!("{}-{}-4{}-a{}-{}", &text[..8], &text[8..12], &text[13..16], &text[17..20], &text[20..])
}
