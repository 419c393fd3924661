//! A deployment that CodeDeploy runs on a service, with what its two task sets get of the traffic.

use super::{Arn, Str, Time};

/// `GetDeployment` together with `GetDeploymentTarget`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CodeDeployment {
    /// `d-…`, the external id of its task sets.
    pub id: Str,
    /// Application.
    pub application: Str,
    /// Deployment group.
    pub group: Str,
    /// How traffic moves, as in `CodeDeployDefault.ECSCanary10Percent5Minutes`.
    pub config: Str,
    /// The config in figures, when known.
    pub shift: Option<Shift>,
    /// `Created`, `InProgress`, `Baking`, `Ready`, `Succeeded`, `Failed`, `Stopped`, …
    pub status: Str,
    /// Error in AWS's words, code first.
    pub error: Option<Str>,
    /// What was rolled back, and why.
    pub rollback: Option<Str>,
    /// What is said of its status beside: `waiting for …`.
    pub messages: Vec<Str>,
    /// Creation.
    pub created_at: Option<Time>,
    /// Start.
    pub started_at: Option<Time>,
    /// End.
    pub completed_at: Option<Time>,
    /// Minutes that the old tasks stay after the shift, and that it waits for the traffic to be told to move.
    pub waits: (Option<u32>, Option<u32>),
    /// In their order: `BeforeInstall`, `Install`, `AfterInstall`, …
    pub events: Vec<LifecycleEvent>,
    /// Blue and green.
    pub task_sets: Vec<TrafficShare>,
    /// Why the part about the target is missing, in words, when it is.
    pub target_missing: Option<Str>,
}

impl CodeDeployment {
    /// Whether it is over.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(&*self.status, "Succeeded" | "Failed" | "Stopped")
    }

    /// The lifecycle event under way, else the last one that has begun.
    #[must_use]
    pub fn current_event(&self) -> Option<&LifecycleEvent> {
        let under_way = self.events.iter().find(|event| &*event.status == "InProgress");
        under_way.or_else(|| self.events.iter().rev().find(|event| event.started_at.is_some()))
    }

    /// When the part of the traffic that was moved has been tried long enough, while it is being tried.
    #[must_use]
    pub fn bakes_until(&self) -> Option<Time> {
        let event = self.events.iter().find(|event| &*event.name == "AllowTraffic" && &*event.status == "InProgress")?;
        let shift = self.shift.filter(|shift| !shift.linear)?;
        event.started_at?.checked_add(jiff::SignedDuration::from_mins(i64::from(shift.minutes))).ok()
    }

    /// Percent of the production traffic that a task set gets, by its id.
    #[must_use]
    pub fn weight(&self, task_set: &str) -> Option<f64> {
        self.task_sets.iter().find(|share| &*share.task_set == task_set).map(|share| share.weight)
    }
}

/// How traffic moves: so many percent, then the rest after so many minutes; or again and again so many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shift {
    /// Percent of a step.
    pub percent: u32,
    /// Minutes between two steps.
    pub minutes: u32,
    /// Equal steps until all is moved; else one step, then all.
    pub linear: bool,
}

impl Shift {
    /// Reads the name of one of AWS's own configs, `CodeDeployDefault.ECSCanary10Percent5Minutes`.
    #[must_use]
    pub fn of_name(name: &str) -> Option<Shift> {
        let (linear, rest) = match name.split_once("Canary") {
            Some((_, rest)) => (false, rest),
            None => (true, name.split_once("Linear")?.1),
        };
        let (percent, rest) = rest.split_once("Percent")?;
        let minutes =
            rest.trim_start_matches("Every").strip_suffix("Minutes").or_else(|| rest.trim_start_matches("Every").strip_suffix("Minute"))?;
        Some(Shift { percent: percent.parse().ok()?, minutes: minutes.parse().ok()?, linear })
    }
}

/// A step of the deployment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LifecycleEvent {
    /// `BeforeInstall`, `AllowTraffic`, …
    pub name: Str,
    /// `Pending`, `InProgress`, `Succeeded`, `Failed`, `Skipped`, `Unknown`.
    pub status: Str,
    /// What a hook said of its failure.
    pub message: Option<Str>,
    /// Start.
    pub started_at: Option<Time>,
    /// End.
    pub ended_at: Option<Time>,
}

/// Where `CodeDeploy` deploys a service, and the `AppSpec` of the deployment that brought what serves now.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AppSpec {
    /// Application.
    pub application: Str,
    /// Deployment group.
    pub group: Str,
    /// JSON or YAML, exactly as it was sent: it is sent again but for the task definition. Not cleaned, so never drawn as it is.
    pub content: std::sync::Arc<str>,
    /// The deployment that it is from.
    pub deployment: Str,
}

/// A deployment of a group, as far as a list tells it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Release {
    /// `d-…`.
    pub id: Str,
    /// Task definition that its `AppSpec` names, when that is an ARN.
    pub revision: Option<Arn>,
    /// `InProgress`, `Succeeded`, `Failed`, `Stopped` …
    pub status: Str,
    /// Error, or what was rolled back, in AWS's words.
    pub reason: Option<Str>,
    /// Creation.
    pub created_at: Option<Time>,
    /// End.
    pub completed_at: Option<Time>,
}

/// What a task set gets of the traffic.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TrafficShare {
    /// `ecs-svc/…`.
    pub task_set: Str,
    /// `Blue` or `Green`.
    pub label: Option<Str>,
    /// `PRIMARY`, `ACTIVE`, …
    pub status: Str,
    /// Percent.
    pub weight: f64,
    /// Target group's name.
    pub target_group: Option<Str>,
    /// Tasks wanted, running, pending.
    pub counts: (u32, u32, u32),
}

/// A service revision: what a deployment ran in full, images by digest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ServiceRevision {
    /// Identity.
    pub arn: Arn,
    /// Task definition.
    pub task_definition: Arn,
    /// Creation.
    pub created_at: Option<Time>,
    /// Container, image as written, digest that the tag was resolved to.
    pub images: Vec<(Str, Str, Option<Str>)>,
    /// Target group in use with the rule that leads to it, where ECS resolved them.
    pub load_balancers: Vec<(Arn, Option<Arn>)>,
    /// Platform version.
    pub platform_version: Option<Str>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_awss_own_configs_tell_their_figures() {
        let read = |name| Shift::of_name(name).map(|shift| (shift.percent, shift.minutes, shift.linear));
        assert_eq!(read("CodeDeployDefault.ECSCanary10Percent15Minutes"), Some((10, 15, false)));
        assert_eq!(read("CodeDeployDefault.ECSLinear10PercentEvery3Minutes"), Some((10, 3, true)));
        assert_eq!(read("CodeDeployDefault.ECSLinear10PercentEvery1Minutes"), Some((10, 1, true)));
        assert_eq!((read("CodeDeployDefault.ECSAllAtOnce"), read("ours-Canary")), (None, None));
    }

    #[test]
    fn a_canary_bakes_from_the_moment_that_traffic_moved() {
        let at = Time::from_second(1000).unwrap();
        let event = |status: &str| LifecycleEvent {
            name: "AllowTraffic".into(),
            status: status.into(),
            started_at: Some(at),
            ..LifecycleEvent::default()
        };
        let shift = Some(Shift { percent: 10, minutes: 10, linear: false });
        let baking = CodeDeployment { shift, events: vec![event("InProgress")], ..CodeDeployment::default() };
        assert_eq!(baking.bakes_until(), Some(Time::from_second(1600).unwrap()));
        assert_eq!(CodeDeployment { events: vec![event("Succeeded")], ..baking }.bakes_until(), None);
    }
}
