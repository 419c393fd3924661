//! Blue/green, linear and canary deployments by ECS itself: two revisions side by side, and traffic that moves between
//! their target groups in lifecycle stages, with hooks that may hold it up. It knows nothing of `CodeDeploy`.

use super::rollout::Cause;
use super::state::{Estate, Hook, HookRun, HookStatus, LoadBalancing, Ms, Rollout, Shift, Stage, TaskId, TaskStatus};
use crate::sim::scenario::Strategy;

/// The least time that a stage lasts, so that it can be seen.
const DWELL: Ms = 3_000;
/// How long a load balancer takes to change its weights.
const SHIFT: Ms = 5_000;
const MINUTE: Ms = 60_000;

impl Estate {
    /// Whether the traffic of a service shifts between two target groups.
    #[must_use]
    pub fn shifts(&self, service: usize) -> bool {
        let of = &self.services[service];
        of.plan.strategy != Strategy::Rolling
            && of.current_revision().is_some_and(|r| r.load_balancers.iter().any(|lb| lb.alternate.is_some()))
    }

    /// What a new revision's load balancers are: the idle side of each pair.
    pub(super) fn other_side(&self, service: usize, of: &[LoadBalancing]) -> Vec<LoadBalancing> {
        let service = &self.services[service];
        let serving = service.deployments.iter().find(|d| d.rollout == Rollout::Completed).or(service.deployments.last());
        let taken: Vec<usize> = serving
            .and_then(|d| service.revisions.get(d.revision))
            .map_or_else(Vec::new, |r| r.load_balancers.iter().map(|lb| lb.target_group).collect());
        let swap = |lb: &LoadBalancing| match lb.alternate {
            Some(other) if taken.contains(&lb.target_group) => {
                LoadBalancing { target_group: other, alternate: Some(lb.target_group), ..lb.clone() }
            }
            _ => lb.clone(),
        };
        of.iter().map(swap).collect()
    }

    /// One look at a service whose traffic shifts.
    pub(super) fn pass_shift(&mut self, service: usize) {
        let under_way = self.services[service].deployments[0].rollout == Rollout::InProgress;
        if under_way {
            self.drive(service);
        }
        let keeps = self.keeps_sources(service);
        let desired = self.services[service].desired as usize;
        let all: Vec<(u64, bool)> = self.services[service]
            .deployments
            .iter()
            .enumerate()
            .map(|(at, d)| (d.id, at == 0 || keeps && d.rollout == Rollout::Completed))
            .collect();
        let mut settled = true;
        for (id, kept) in all {
            settled &= self.pass_set(service, id, if kept { desired } else { 0 });
        }
        self.drop_empty_deployments(service);
        let done = self.services[service].deployments[0].rollout != Rollout::InProgress;
        if settled && done {
            self.settle(service);
        } else if self.services[service].pass_at.is_none() {
            self.wake(service, if done { 30_000 } else { 10_000 });
        }
    }

    /// Until the clean-up both revisions stay.
    fn keeps_sources(&self, service: usize) -> bool {
        let of = &self.services[service];
        let primary = &of.deployments[0];
        let history = &of.history[primary.history];
        let stage = history.shift.as_ref().map(|s| s.stage);
        primary.rollout == Rollout::InProgress && history.rollback.is_none() && stage.is_some_and(|stage| stage != Stage::CleanUp)
    }

    /// Moves the deployment under way on, as far as it can go now.
    fn drive(&mut self, service: usize) {
        let now = self.now;
        let history = self.services[service].deployments[0].history;
        let back = self.services[service].history[history].rollback.is_some();
        let Some(shift) = self.services[service].history[history].shift.clone() else {
            return self.begin_shift(service, history);
        };
        if !back && !self.hooks_are_done(service, history) {
            return;
        }
        let wait = shift.since + DWELL - now;
        if wait > 0 {
            return self.wake(service, wait);
        }
        if self.stage_is_done(service, history, &shift, back) {
            match shift.stage.next(back) {
                Some(next) => self.enter(service, history, next),
                None => self.complete(service),
            }
        }
    }

    /// The first stage of a deployment; whatever one before had of the traffic goes back.
    pub(super) fn begin_shift(&mut self, service: usize, history: usize) {
        let reconciles = self.services[service].deployments.len() > 2;
        self.enter(service, history, if reconciles { Stage::ReconcileService } else { Stage::PreScaleUp });
        self.move_traffic(service, history, Some(0.0), Some(0.0));
    }

    fn enter(&mut self, service: usize, history: usize, stage: Stage) {
        let now = self.now;
        let before = self.services[service].history[history].shift.take().unwrap_or_default();
        let hooks = self.start_hooks(service, &before.hooks, stage);
        let of = &mut self.services[service].history[history];
        of.updated_at = now;
        of.shift = Some(Shift { stage, since: now, hooks, ..before });
        let back = of.rollback.is_some();
        match stage {
            Stage::TestTrafficShift if !back => self.move_traffic(service, history, None, Some(100.0)),
            Stage::ProductionTrafficShift if back => self.move_traffic(service, history, Some(0.0), Some(0.0)),
            Stage::ProductionTrafficShift => {
                let plan = &self.services[service].plan;
                let first = if plan.strategy == Strategy::BlueGreen { 100.0 } else { plan.percent };
                self.move_traffic(service, history, Some(first), None);
            }
            _ => {}
        }
        self.wake(service, DWELL);
    }

    fn stage_is_done(&mut self, service: usize, history: usize, shift: &Shift, back: bool) -> bool {
        let now = self.now;
        let plan = self.services[service].plan.clone();
        match shift.stage {
            Stage::ScaleUp => {
                let id = self.services[service].deployments[0].id;
                self.well_of_set(service, id) >= self.services[service].desired as usize
            }
            Stage::TestTrafficShift => now - shift.since >= SHIFT,
            Stage::ProductionTrafficShift if back || shift.weight >= 100.0 => now - shift.moved_at >= SHIFT,
            Stage::ProductionTrafficShift => {
                let left = shift.moved_at + plan.step_bake * MINUTE - now;
                if left > 0 {
                    self.wake(service, left);
                    return false;
                }
                let next = if plan.strategy == Strategy::Linear { (shift.weight + plan.percent).min(100.0) } else { 100.0 };
                self.move_traffic(service, history, Some(next), None);
                self.wake(service, SHIFT);
                false
            }
            Stage::BakeTime => {
                let left = shift.since + plan.bake * MINUTE - now;
                if left > 0 {
                    self.wake(service, left);
                }
                left <= 0
            }
            Stage::CleanUp => {
                let primary = self.services[service].deployments[0].id;
                let mut tasks = self.services[service].tasks.iter().filter_map(|id| self.tasks.get(id));
                let gone = tasks.all(|t| t.deployment == primary || t.status == TaskStatus::Stopped);
                gone && self.well_of_set(service, primary) >= self.services[service].desired as usize
            }
            _ => true,
        }
    }

    /// Sets how much production and test traffic the target revision has, in percent, and the load balancers with it.
    fn move_traffic(&mut self, service: usize, history: usize, production: Option<f64>, test: Option<f64>) {
        let now = self.now;
        let of = &mut self.services[service];
        let target = of.history[history].target;
        let Some(shift) = of.history[history].shift.as_mut() else { return };
        shift.weight = production.unwrap_or(shift.weight);
        shift.test_weight = test.unwrap_or(shift.test_weight);
        shift.moved_at = now;
        let (weight, test_weight) = (shift.weight, shift.test_weight);
        let pairs: Vec<LoadBalancing> = of.revisions[target].load_balancers.iter().filter(|lb| lb.alternate.is_some()).cloned().collect();
        for lb in pairs {
            let Some(blue) = lb.alternate else { continue };
            if production.is_some() {
                self.weigh(&lb, blue, weight, false);
            }
            if test.is_some() {
                self.weigh(&lb, blue, test_weight, true);
            }
        }
        self.wake(service, SHIFT);
    }

    /// Writes the weights of a pair into the rules that lead to it, on the listeners for production or for tests.
    fn weigh(&mut self, lb: &LoadBalancing, blue: usize, percent: f64, test: bool) {
        let green = lb.target_group;
        // Whole percents, as rules have them; a canary of less than one shows as one.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let weight = if percent > 0.0 { (percent.round() as u32).clamp(1, 100) } else { 0 };
        let forward = [
            (blue.min(green), if blue < green { 100 - weight } else { weight }),
            (blue.max(green), if blue < green { weight } else { 100 - weight }),
        ];
        let ours = |to: &[(usize, u32)]| to.iter().any(|(group, _)| *group == blue || *group == green);
        for listener in self.load_balancers.iter_mut().flat_map(|lb| &mut lb.listeners) {
            if (Some(listener.port) == lb.test_port) != test {
                continue;
            }
            for rule in listener.rules.iter_mut().filter(|rule| ours(&rule.forward)) {
                rule.forward = forward.to_vec();
            }
            if ours(&listener.default) {
                listener.default = forward.to_vec();
            }
        }
    }

    /// The hooks of a stage begin; those of stages before keep what they came to.
    fn start_hooks(&mut self, service: usize, before: &[HookRun], stage: Stage) -> Vec<HookRun> {
        let now = self.now;
        let mut runs = before.to_vec();
        let hooks: Vec<(usize, Hook)> = self.services[service].plan.hooks.iter().cloned().enumerate().collect();
        for (index, hook) in hooks.into_iter().filter(|(_, hook)| hook.stages.iter().any(|s| stage.is_held_by(s))) {
            let pause = hook.function.is_none();
            runs.push(HookRun {
                id: format!("hook-{:017x}", self.rng.next() >> 4),
                hook: index,
                stage,
                status: if pause { HookStatus::AwaitingAction } else { HookStatus::InProgress },
                ends_at: (!pause).then_some(now + hook.takes),
                expires_at: now + hook.timeout * MINUTE,
            });
        }
        runs
    }

    /// Whether no hook of the present stage holds the deployment up; one that fails rolls it back.
    fn hooks_are_done(&mut self, service: usize, history: usize) -> bool {
        let now = self.now;
        let plan = self.services[service].plan.clone();
        let Some(shift) = self.services[service].history[history].shift.as_mut() else { return true };
        let stage = shift.stage;
        let (mut waits, mut failed) = (None, None);
        for run in shift.hooks.iter_mut().filter(|run| run.stage == stage) {
            let Some(hook) = plan.hooks.get(run.hook) else { continue };
            let open = matches!(run.status, HookStatus::AwaitingAction | HookStatus::InProgress);
            if open && run.ends_at.is_some_and(|end| end <= now) {
                let function = hook.function.as_deref().and_then(|arn| arn.rsplit(':').next()).unwrap_or_default();
                let fails = hook.fails || self.failing.contains(function);
                run.status = if fails { HookStatus::Failed } else { HookStatus::Succeeded };
            } else if open && run.expires_at <= now {
                run.status = HookStatus::TimedOut;
            }
            let target = hook.function.as_ref().map_or_else(|| format!("hook {}", run.id), |arn| format!("target {arn}"));
            failed = failed.or(match run.status {
                HookStatus::Failed if hook.function.is_some() => Some(format!("Lifecycle hook {target} returned FAILED status.")),
                // Not seen: the words of this and the next are ours.
                HookStatus::Failed => Some(format!("Lifecycle {target} was answered with ROLLBACK.")),
                HookStatus::TimedOut if !hook.timeout_continues => Some(format!("Lifecycle hook {target} timed out.")),
                _ => None,
            });
            if matches!(run.status, HookStatus::AwaitingAction | HookStatus::InProgress) {
                let due = run.ends_at.unwrap_or(run.expires_at).min(run.expires_at);
                waits = Some(waits.map_or(due, |other: Ms| other.min(due)));
            }
        }
        if let Some(what) = failed {
            self.fail(service, &Cause::Hook(stage.word(), what));
            return false;
        }
        if let Some(due) = waits {
            self.wake(service, due - now);
        }
        waits.is_none()
    }

    /// `ContinueServiceDeployment`: answers a hook that waits; false if there is none of this id that does.
    pub fn answer_hook(&mut self, service: usize, history: usize, hook: &str, go_on: bool) -> bool {
        let Some(shift) = self.services[service].history[history].shift.as_mut() else { return false };
        let waiting = |run: &&mut HookRun| run.id == hook && run.status == HookStatus::AwaitingAction;
        let Some(run) = shift.hooks.iter_mut().find(waiting) else { return false };
        run.status = if go_on { HookStatus::Succeeded } else { HookStatus::Failed };
        self.wake(service, 1_000);
        true
    }

    /// ARN of the rule, or on a network load balancer of the listener, that leads to a pair of target groups.
    #[must_use]
    pub fn leading_rule(&self, of: &LoadBalancing, test: bool) -> Option<String> {
        let ours = |to: &[(usize, u32)]| to.iter().any(|(group, _)| *group == of.target_group || Some(*group) == of.alternate);
        for (lb, balancer) in self.load_balancers.iter().enumerate() {
            for (at, listener) in balancer.listeners.iter().enumerate() {
                if (Some(listener.port) == of.test_port) != test {
                    continue;
                }
                if let Some(rule) = listener.rules.iter().position(|rule| ours(&rule.forward)) {
                    return Some(self.rule_arn(lb, at, rule));
                }
                if ours(&listener.default) {
                    let network = balancer.kind == "network";
                    return Some(if network { self.listener_arn(lb, at) } else { self.default_rule_arn(lb, at) });
                }
            }
        }
        None
    }

    /// Tasks of a deployment that nothing protects, among some.
    pub(super) fn unprotected(&self, tasks: &[TaskId]) -> Vec<TaskId> {
        tasks.iter().copied().filter(|id| self.protection(*id).is_none()).collect()
    }
}

impl Stage {
    const ORDER: [Self; 10] = [
        Self::ReconcileService,
        Self::PreScaleUp,
        Self::ScaleUp,
        Self::PostScaleUp,
        Self::TestTrafficShift,
        Self::PostTestTrafficShift,
        Self::ProductionTrafficShift,
        Self::PostProductionTrafficShift,
        Self::BakeTime,
        Self::CleanUp,
    ];

    /// The stage after this one. A rollback goes straight from the tasks to the traffic to the clean-up.
    fn next(self, back: bool) -> Option<Self> {
        if back {
            return match self {
                Self::CleanUp => None,
                Self::ProductionTrafficShift => Some(Self::CleanUp),
                _ => Some(Self::ProductionTrafficShift),
            };
        }
        let at = Self::ORDER.iter().position(|stage| *stage == self)?;
        Self::ORDER.get(at + 1).copied()
    }

    /// Whether a hook for a stage of AWS's is called in this one. The hook before the production shift has no stage of its own in the
    /// service deployment, so it runs at the end of the one before.
    fn is_held_by(self, name: &str) -> bool {
        name == self.word() || name == "PRE_PRODUCTION_TRAFFIC_SHIFT" && self == Self::PostTestTrafficShift
    }

    /// AWS's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::ReconcileService => "RECONCILE_SERVICE",
            Self::PreScaleUp => "PRE_SCALE_UP",
            Self::ScaleUp => "SCALE_UP",
            Self::PostScaleUp => "POST_SCALE_UP",
            Self::TestTrafficShift => "TEST_TRAFFIC_SHIFT",
            Self::PostTestTrafficShift => "POST_TEST_TRAFFIC_SHIFT",
            Self::ProductionTrafficShift => "PRODUCTION_TRAFFIC_SHIFT",
            Self::PostProductionTrafficShift => "POST_PRODUCTION_TRAFFIC_SHIFT",
            Self::BakeTime => "BAKE_TIME",
            Self::CleanUp => "CLEAN_UP",
        }
    }
}

impl HookStatus {
    /// AWS's word.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::AwaitingAction => "AWAITING_ACTION",
            Self::InProgress => "IN_PROGRESS",
            Self::Succeeded => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::TimedOut => "TIMED_OUT",
        }
    }
}
