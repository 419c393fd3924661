//! The ways back from changes, as data: what undoes a plan, or as much of it as was done.
//!
//! Knows no store and no dialog: a way back is planned anew by [`super::plans::undo`] when it is asked for.

use super::{Call, Plan};
use crate::model::{Arn, Str, Suspended};

/// The way back from a change that AWS can take back. It is planned anew when it is asked for: what was true then need not be now.
#[derive(Clone, Debug, PartialEq)]
pub enum Inverse {
    /// The former count.
    Scale {
        /// Service.
        service: Arn,
        /// Count.
        desired: u32,
    },
    /// The former revision.
    Revision {
        /// Service.
        service: Arn,
        /// Revision.
        revision: Arn,
    },
    /// The former range, and what was suspended.
    Range {
        /// `service/CLUSTER/SERVICE`.
        resource: Str,
        /// Fewest and most.
        range: (u32, u32),
        /// What was switched off.
        suspended: Suspended,
    },
    /// The other state of container instances.
    Instances {
        /// Which.
        instances: Vec<Arn>,
        /// Whether they are drained again.
        drain: bool,
    },
    /// The other protection.
    Protection {
        /// Which tasks.
        tasks: Vec<Arn>,
        /// Whether they are protected again.
        protect: bool,
    },
    /// Several, in order.
    Several(Vec<Inverse>),
    /// The former setting of ECS Exec.
    Exec {
        /// Service.
        service: Arn,
        /// Whether new tasks had the agent.
        enabled: bool,
    },
}

/// Said of what was done of a plan that ended in the middle, where nothing of it has a way back.
const NOTHING_DONE: &str = "what was done of it has no way back";

impl Plan {
    /// The way back from the steps that were done, which may be fewer than all.
    ///
    /// # Errors
    /// Why there is none.
    pub fn inverse_of(&self, done: &[usize]) -> Result<Inverse, &'static str> {
        let whole = self.inverse.as_deref().map_err(|why| *why)?;
        if (0..self.steps.len()).all(|step| done.contains(&step)) {
            return Ok(whole.clone());
        }
        let calls: Vec<&Call> = done.iter().filter_map(|step| self.steps.get(*step)).map(|step| &step.call).collect();
        whole.of_calls(&calls).ok_or(NOTHING_DONE)
    }
}

impl Inverse {
    /// As much of it as takes back these calls.
    fn of_calls(&self, calls: &[&Call]) -> Option<Inverse> {
        let any = |is: &dyn Fn(&Call) -> bool| calls.iter().any(|call| is(call)).then(|| self.clone());
        match self {
            Inverse::Scale { service, .. } => {
                any(&|call| matches!(call, Call::UpdateService { service: of, set, .. } if of == service && set.desired.is_some()))
            }
            Inverse::Exec { service, .. } => {
                any(&|call| matches!(call, Call::UpdateService { service: of, set, .. } if of == service && set.exec.is_some()))
            }
            // A revision that is only registered changes nothing.
            Inverse::Revision { service, .. } => any(&|call| match call {
                Call::UpdateService { service: of, set, .. } => of == service && set.revision.is_some(),
                Call::UpdateServicePrimaryTaskSet { service: of, .. } => of == service,
                Call::CreateDeployment { .. } => true,
                _ => false,
            }),
            Inverse::Range { resource, .. } => {
                any(&|call| matches!(call, Call::RegisterScalableTarget { resource: of, .. } if of == resource))
            }
            Inverse::Instances { instances, drain } => {
                let named = |arn: &&Arn| {
                    calls
                        .iter()
                        .any(|call| matches!(call, Call::UpdateContainerInstancesState { instances, .. } if instances.contains(arn)))
                };
                let instances: Vec<Arn> = instances.iter().filter(named).cloned().collect();
                (!instances.is_empty()).then_some(Inverse::Instances { instances, drain: *drain })
            }
            Inverse::Protection { tasks, protect } => {
                let named =
                    |arn: &&Arn| calls.iter().any(|call| matches!(call, Call::UpdateTaskProtection { tasks, .. } if tasks.contains(arn)));
                let tasks: Vec<Arn> = tasks.iter().filter(named).cloned().collect();
                (!tasks.is_empty()).then_some(Inverse::Protection { tasks, protect: *protect })
            }
            Inverse::Several(all) => {
                let mut all: Vec<Inverse> = all.iter().filter_map(|one| one.of_calls(calls)).collect();
                if all.len() > 1 { Some(Inverse::Several(all)) } else { all.pop() }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::{ServiceChange, Step, sample};

    fn plan(steps: Vec<Call>, inverse: Inverse) -> Plan {
        let steps = steps.into_iter().map(|call| Step { call, what: String::new() }).collect();
        Plan { targets: vec!["web".into()], inverse: Ok(Box::new(inverse)), ..sample::plan(steps) }
    }

    #[test]
    fn what_was_done_of_a_plan_is_all_that_is_taken_back() {
        let range = || Inverse::Range { resource: "service/c/web".into(), range: (2, 15), suspended: Suspended::default() };
        let count = || Inverse::Scale { service: "web".into(), desired: 6 };
        let register = Call::RegisterScalableTarget { resource: "service/c/web".into(), min: None, max: Some(20), suspended: None };
        let set = ServiceChange { desired: Some(20), ..ServiceChange::default() };
        let update = Call::UpdateService { cluster: "c".into(), service: "web".into(), set };
        let plan = plan(vec![register, update], Inverse::Several(vec![range(), count()]));
        assert_eq!(plan.inverse_of(&[0, 1]), Ok(Inverse::Several(vec![range(), count()])));
        assert_eq!(plan.inverse_of(&[0]), Ok(range()));
        assert_eq!(plan.inverse_of(&[1]), Ok(count()));
        assert_eq!(plan.inverse_of(&[]), Err(NOTHING_DONE));
    }

    #[test]
    fn a_revision_that_was_only_registered_needs_no_way_back() {
        let register = super::super::Register { base: "web:7".into(), images: Vec::new(), request: std::sync::Arc::default() };
        let set = ServiceChange { revision: Some(super::super::Revision::Registered), ..ServiceChange::default() };
        let steps =
            vec![Call::RegisterTaskDefinition(Box::new(register)), Call::UpdateService { cluster: "c".into(), service: "web".into(), set }];
        let plan = plan(steps, Inverse::Revision { service: "web".into(), revision: "web:7".into() });
        assert_eq!(plan.inverse_of(&[0]), Err(NOTHING_DONE));
        assert!(plan.inverse_of(&[0, 1]).is_ok());
    }

    #[test]
    fn of_many_tasks_those_are_taken_back_that_a_call_named() {
        let protect = |tasks: &[&str]| Call::UpdateTaskProtection {
            cluster: "c".into(),
            tasks: tasks.iter().map(|task| Arn::from(*task)).collect(),
            protect: true,
            minutes: None,
        };
        let all = Inverse::Protection { tasks: vec!["a".into(), "b".into(), "c".into()], protect: false };
        let plan = plan(vec![protect(&["a", "b"]), protect(&["c"])], all);
        assert_eq!(plan.inverse_of(&[1]), Ok(Inverse::Protection { tasks: vec!["c".into()], protect: false }));
    }
}
