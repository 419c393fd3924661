//! What is asked of services: the declared load, its waves and peaks, and the samples at the end of each minute.

use super::{KEPT, KEPT_OF_MANY, MANY, MINUTE, unit};
use crate::sim::rng::{hash, mix};
use crate::sim::scenario::{Fate, schema as file};
use crate::sim::world::state::{Estate, GroupSample, Load, Ms, Peak, ServiceSample, TargetState, TaskStatus, WorkQueue};

impl Estate {
    /// The load of a scenario on a service that has been built.
    pub(in crate::sim::world) fn build_load(&mut self, file: &file::Load, opened: Ms) {
        let service = self.service_named(file.cluster.get_ref(), file.service.get_ref());
        let queue = file.queue.as_ref().map(|queue| WorkQueue {
            name: queue.name.clone(),
            arriving: queue.arriving,
            worked: queue.worked,
            waiting: queue.waiting,
        });
        let peak = |peak: &file::Peak| Peak {
            at: opened + peak.first.0,
            every: peak.every.map(|every| every.0.max(MINUTE)),
            lasts: peak.lasts.0,
            times: peak.times,
        };
        let load = Load {
            cpu: file.cpu,
            memory: file.memory,
            requests: file.requests,
            latency: file.latency,
            errors: file.errors,
            swing: (file.swing, file.period.0),
            tasks: f64::from(self.services[service].desired.max(1)),
            queue,
            peaks: file.peak.iter().map(peak).collect(),
        };
        self.watch.loads.insert(service, load);
    }

    /// Adds a time of more load to a service from now on.
    pub fn raise_load(&mut self, service: usize, times: f64, lasts: Ms) {
        let mut load = self.load(service);
        load.peaks.push(Peak { at: self.now, every: None, lasts, times });
        self.watch.loads.insert(service, load);
    }

    /// The load of a service: the declared one, or a quiet one that its name decides.
    pub(in crate::sim::world) fn load(&self, service: usize) -> Load {
        if let Some(load) = self.watch.loads.get(&service) {
            return load.clone();
        }
        let of = &self.services[service];
        let key = hash(&format!("{}/{}", self.cluster_name(of.cluster), of.name));
        let between = |part: u32, low: f64, high: f64| low + (high - low) * unit(mix(key ^ u64::from(part)));
        Load {
            cpu: between(1, 12.0, 48.0),
            memory: between(2, 35.0, 72.0),
            requests: between(3, 200.0, 4000.0),
            latency: between(4, 15.0, 240.0),
            errors: 0.0,
            swing: (0.15, 24 * 60 * MINUTE),
            tasks: f64::from(of.desired.max(1)),
            queue: None,
            peaks: Vec::new(),
        }
    }

    /// Takes the samples of the minute that ends now.
    pub(in crate::sim::world) fn take_samples(&mut self) {
        let at = self.now - MINUTE;
        let kept = if self.services.len() > MANY { KEPT_OF_MANY } else { KEPT };
        self.watch.services.resize_with(self.services.len(), Default::default);
        self.watch.groups.resize_with(self.target_groups.len(), Default::default);
        for service in 0..self.services.len() {
            let sample = self.sample_service(service, at);
            let all = &mut self.watch.services[service];
            all.push_back(sample);
            if all.len() > kept {
                all.pop_front();
            }
        }
        let shares = self.shares();
        for (group, share) in shares.into_iter().enumerate() {
            let targets = &self.target_groups[group].targets;
            let count = |state| u32::try_from(targets.iter().filter(|t| t.state == state).count()).unwrap_or(u32::MAX);
            let sample = GroupSample { at, healthy: count(TargetState::Healthy), unhealthy: count(TargetState::Unhealthy), share };
            let all = &mut self.watch.groups[group];
            all.push_back(sample);
            if all.len() > kept {
                all.pop_front();
            }
        }
    }

    fn sample_service(&mut self, service: usize, at: Ms) -> ServiceSample {
        let desired = u32::try_from(self.wanted(service)).unwrap_or(u32::MAX);
        let mut sample = ServiceSample { at, desired, ..ServiceSample::default() };
        for task in self.services[service].tasks.iter().filter_map(|id| self.tasks.get(id)) {
            match task.status {
                TaskStatus::Running => {
                    sample.running += 1;
                    sample.swollen += u32::from(task.sick && task.behaviour.fate == Fate::Oom);
                }
                TaskStatus::Provisioning | TaskStatus::Pending | TaskStatus::Activating => sample.pending += 1,
                _ => {}
            }
        }
        if self.watch.loads.get(&service).is_some_and(|load| load.queue.is_some()) {
            let wave = self.wave(service, &self.load(service), at);
            if let Some(queue) = self.watch.loads.get_mut(&service).and_then(|load| load.queue.as_mut()) {
                queue.waiting = (queue.waiting + queue.arriving * wave - queue.worked * f64::from(sample.running)).max(0.0);
                sample.waiting = queue.waiting.round();
            }
        }
        sample
    }

    /// The part of its listener's traffic that each target group gets.
    fn shares(&self) -> Vec<f64> {
        let mut shares = vec![0.0_f64; self.target_groups.len()];
        for listener in self.load_balancers.iter().flat_map(|lb| &lb.listeners) {
            for forward in listener.rules.iter().map(|rule| &rule.forward).chain([&listener.default]) {
                let total: u32 = forward.iter().map(|(_, weight)| weight).sum();
                for (group, weight) in forward {
                    shares[*group] = shares[*group].max(f64::from(*weight) / f64::from(total.max(1)));
                }
            }
        }
        shares
    }

    /// How load stands to its average in a minute.
    pub(super) fn wave(&self, service: usize, load: &Load, minute: Ms) -> f64 {
        let key = hash(&self.services[service].name) ^ self.watch.seed;
        let (swing, period) = load.swing;
        // Far below what an f64 holds exactly.
        #[allow(clippy::cast_precision_loss)]
        let turn = minute.rem_euclid(period) as f64 / period as f64 + unit(mix(key));
        let mut wave = 1.0 + swing * (turn * std::f64::consts::TAU).sin() + 0.04 * self.noise(key, minute);
        for peak in &load.peaks {
            let since = minute + MINUTE - 1 - peak.at;
            let since = peak.every.map_or(since, |every| since.rem_euclid(every));
            if (0..peak.lasts).contains(&since) {
                wave *= peak.times;
            }
        }
        wave.max(0.0)
    }

    /// From -1 to 1, always the same for the same minute.
    pub(super) fn noise(&self, key: u64, minute: Ms) -> f64 {
        unit(mix(self.watch.seed ^ mix(key ^ minute.unsigned_abs()))) * 2.0 - 1.0
    }
}
