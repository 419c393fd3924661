//! What the operator asks for, before it is a plan: a wish and what it is for. Out of it a plan is made again with every news, until the
//! plan is confirmed. Knows neither the keys that ask nor the dialog that shows the plan.

use super::plans::{self, Facts, RangeChoice, RollBack};
use super::{Call, Inverse, Plan, Verb};
use crate::model::{Arn, Ctx, Str, Suspended};

/// What a change is for: a service, a task or a container instance, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Context.
    pub ctx: Ctx,
    /// Cluster.
    pub cluster: Arn,
    /// Which.
    pub arn: Arn,
}

/// A plan, or why there is none, behind the name that the operator knows its target by.
pub type Planned = (String, Result<Plan, String>);

/// A planner of one service, and one of several tasks or instances.
type One<'a> = &'a dyn Fn(&Facts, &Arn) -> Result<Plan, String>;
type Several<'a> = &'a dyn Fn(&Facts, &[Arn]) -> Result<Plan, String>;

/// What is to become of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Wish {
    /// See [`Verb::Redeploy`].
    Redeploy,
    /// So many tasks, and what becomes of the range when they are outside of it.
    Scale(u32, RangeChoice),
    /// So many tasks more or fewer than each wants now.
    ScaleBy(i32, RangeChoice),
    /// See [`Verb::RollBack`].
    RollBack(RollBack),
    /// Containers and their new images.
    DeployImage(Vec<(Str, Str)>),
    /// The same in a clone of a task definition that the operator names, for a role that may not read what runs.
    DeployClone {
        /// A revision, or a family, which means its newest.
        base: Arn,
        /// Containers and their new images.
        images: Vec<(Str, Str)>,
    },
    /// See [`Verb::StopTasks`].
    StopTasks,
    /// See [`Verb::EnableExec`].
    EnableExec,
    /// See [`Verb::Drain`].
    Drain,
    /// See [`Verb::Activate`].
    Activate,
    /// A task of a revision, with a container and the command that it runs in place of its own.
    RunTask(Arn, Option<(Str, Vec<String>)>),
    /// Fewest, most, and what is switched off.
    ScalingRange(u32, u32, Suspended),
    /// Let a paused deployment go on, or roll it back.
    AnswerHook {
        /// Instead of going on.
        roll_back: bool,
    },
    /// For so many minutes; AWS's two hours when none are said.
    Protect(Option<u32>),
    /// See [`Verb::Unprotect`].
    Unprotect,
    /// The ways back from an earlier change, one for each target in their order.
    Undo(Vec<Way>),
    /// What was taken back once more: the ways back from that.
    Redo(Vec<Way>),
}

/// A way back from a change, and the journal's id of that one.
#[derive(Clone, Debug, PartialEq)]
pub struct Way {
    /// What is done.
    pub inverse: Inverse,
    /// The call that it takes back.
    pub of: Option<Str>,
}

impl Wish {
    /// The plans for all targets, each with the name that the operator knows it by: one for each service, one for all tasks or
    /// instances of a cluster. What cannot be planned says why.
    #[must_use]
    pub fn plans<'a>(&self, targets: &'a [Target], facts: impl Fn(&'a Target) -> Facts<'a>) -> Vec<Planned> {
        let each = |make: One| {
            let plan = |target: &'a Target| (target.arn.name().to_owned(), make(&facts(target), &target.arn));
            targets.iter().map(plan).collect::<Vec<_>>()
        };
        let together = |make: Several| {
            let of = |group: Vec<&'a Target>| {
                let arns: Vec<Arn> = group.iter().map(|target| target.arn.clone()).collect();
                let name = arns.iter().map(short).collect::<Vec<_>>().join(" ");
                (name, make(&facts(group[0]), &arns))
            };
            by_cluster(targets).into_iter().map(of).collect::<Vec<_>>()
        };
        match self {
            Wish::Redeploy => each(&|facts, service| plans::redeploy(facts, service)),
            Wish::Scale(desired, choice) => each(&|facts, service| plans::scale(facts, service, *desired, *choice)),
            Wish::ScaleBy(by, choice) => each(&|facts, service| plans::scale_by(facts, service, *by, *choice)),
            Wish::RollBack(how) => each(&|facts, service| plans::roll_back(facts, service, how)),
            Wish::DeployImage(images) => each(&|facts, service| plans::deploy_image(facts, service, images)),
            Wish::DeployClone { base, images } => each(&|facts, service| plans::deploy_image_of(facts, service, Some(base), images)),
            Wish::StopTasks => together(&|facts, tasks| plans::stop_tasks(facts, tasks)),
            Wish::EnableExec => each(&|facts, service| plans::enable_exec(facts, service)),
            Wish::Drain => together(&|facts, instances| plans::instances(facts, instances, true)),
            Wish::Activate => together(&|facts, instances| plans::instances(facts, instances, false)),
            Wish::RunTask(revision, command) => each(&|facts, service| plans::run_task(facts, service, revision, command.clone())),
            Wish::ScalingRange(min, max, off) => each(&|facts, service| plans::scaling_range(facts, service, *min, *max, *off)),
            Wish::AnswerHook { roll_back } => each(&|facts, service| plans::answer_hook(facts, service, *roll_back)),
            Wish::Protect(minutes) => together(&|facts, tasks| plans::protect(facts, tasks, true, *minutes)),
            Wish::Unprotect => together(&|facts, tasks| plans::protect(facts, tasks, false, None)),
            Wish::Undo(ways) | Wish::Redo(ways) => {
                let back = |(target, way): (&'a Target, &Way)| {
                    let plan = plans::undo(&facts(target), &way.inverse).map(|plan| Plan { undoes: way.of.clone(), ..plan });
                    (target.arn.name().to_owned(), plan)
                };
                targets.iter().zip(ways).map(back).collect()
            }
        }
    }

    /// The verb, for titles and for the feeds that a preview needs.
    #[must_use]
    pub fn verb(&self) -> Verb {
        match self {
            Wish::Redeploy => Verb::Redeploy,
            Wish::Scale(..) | Wish::ScaleBy(..) => Verb::Scale,
            Wish::RollBack(_) => Verb::RollBack,
            Wish::DeployImage(_) | Wish::DeployClone { .. } => Verb::DeployImage,
            Wish::StopTasks => Verb::StopTasks,
            Wish::EnableExec => Verb::EnableExec,
            Wish::Drain => Verb::Drain,
            Wish::Activate => Verb::Activate,
            Wish::RunTask(..) => Verb::RunTask,
            Wish::ScalingRange(..) => Verb::ScalingRange,
            Wish::AnswerHook { .. } => Verb::Continue,
            Wish::Protect(_) => Verb::Protect,
            Wish::Unprotect => Verb::Unprotect,
            Wish::Undo(ways) | Wish::Redo(ways) => ways.first().map_or(Verb::Scale, |way| back(&way.inverse)),
        }
    }
}

fn back(inverse: &Inverse) -> Verb {
    match inverse {
        Inverse::Scale { .. } => Verb::Scale,
        Inverse::Revision { .. } => Verb::RollBack,
        Inverse::Range { .. } => Verb::ScalingRange,
        Inverse::Instances { drain: true, .. } => Verb::Drain,
        Inverse::Instances { drain: false, .. } => Verb::Activate,
        Inverse::Protection { protect: true, .. } => Verb::Protect,
        Inverse::Protection { protect: false, .. } => Verb::Unprotect,
        Inverse::Exec { .. } => Verb::EnableExec,
        Inverse::Several(all) => all.first().map_or(Verb::ScalingRange, back),
    }
}

/// Targets of one cluster together, in the order in which the clusters come first.
fn by_cluster(targets: &[Target]) -> Vec<Vec<&Target>> {
    let mut groups: Vec<Vec<&Target>> = Vec::new();
    for target in targets {
        match groups.iter_mut().find(|group| (group[0].ctx, &group[0].cluster) == (target.ctx, &target.cluster)) {
            Some(group) => group.push(target),
            None => groups.push(vec![target]),
        }
    }
    groups
}

/// The name of a service, the first eight characters of what AWS gave a generated id.
#[must_use]
pub fn short(arn: &Arn) -> &str {
    let generated = arn.as_str().contains(":task/") || arn.as_str().contains(":container-instance/");
    let name = arn.name();
    if generated { name.get(..8).unwrap_or(name) } else { name }
}

/// Cuts a plan for several tasks, each stopped by a call of its own, into one plan for each, so that a call that fails does not keep the
/// others from being made. What was shown and confirmed is the whole.
#[must_use]
pub fn apart(plan: Plan) -> Vec<Plan> {
    let stops = |plan: &Plan| plan.steps.iter().all(|step| matches!(step.call, Call::StopTask { .. }));
    if plan.steps.len() < 2 || !stops(&plan) {
        return vec![plan];
    }
    let of = |step: &super::Step| {
        let Call::StopTask { task, .. } = &step.call else { return plan.clone() };
        let about = |basis: &&super::Basis| !matches!(basis, super::Basis::Task { arn, .. } if arn != task);
        Plan {
            targets: vec![task.clone()],
            steps: vec![step.clone()],
            basis: plan.basis.iter().filter(about).cloned().collect(),
            ..plan.clone()
        }
    };
    plan.steps.iter().map(of).collect()
}
