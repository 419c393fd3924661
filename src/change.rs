//! The one way to change anything at AWS: a plan is made from what the store holds, shown, confirmed, compared with a fresh reading,
//! written into the journal, sent, and written into the journal again.
//!
//! Here is what a plan is. It knows neither the screen nor the SDK: planners make it out of plain values, `aws` sends its calls, and
//! whatever passes the gate is in the journal.

pub mod app_spec;
pub mod apply;
pub mod ask;
pub mod call;
pub mod cli_lines;
pub mod compare;
pub mod diff;
pub mod gate;
pub mod inverse;
pub mod journal;
pub mod plans;
pub mod revisions;
#[cfg(test)]
pub mod sample;
pub mod trace;

use crate::model::{Arn, Ctx, Held, Str, Suspended};
pub use ask::{Target, Way, Wish};
pub use call::{Call, Register, Revision, ServiceChange};
pub use inverse::Inverse;
use std::sync::Arc;

/// What the operator wants done. The word of the palette, of the journal and of the dialog's title.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verb {
    /// Start the same revision anew.
    Redeploy,
    /// Another desired count.
    Scale,
    /// Back to an earlier revision, or out of a deployment under way.
    RollBack,
    /// Another image in a clone of the running revision.
    DeployImage,
    /// Stop tasks.
    StopTasks,
    /// Let new tasks have the agent of ECS Exec.
    EnableExec,
    /// Take service tasks off a container instance.
    Drain,
    /// Let a container instance take tasks again.
    Activate,
    /// Run a one-off task of a revision.
    RunTask,
    /// Another range for Application Auto Scaling, or parts of it suspended.
    ScalingRange,
    /// Let a paused deployment go on.
    Continue,
    /// Keep tasks from being stopped by scaling in and deployments.
    Protect,
    /// Let them be stopped again.
    Unprotect,
}

/// How much care a change takes, as the table of `ux.md` section 3 grades it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Exec and what costs a little: `y`.
    Light = 1,
    /// One service or one task: a dialog and `y`; in production the name is typed.
    Plain = 2,
    /// An older revision, a count outside the range, more than one target: the name is typed; of several targets their number.
    Grave = 3,
    /// Zero tasks, suspended scaling, a target that moved meanwhile: the name and a word are typed.
    Drastic = 4,
}

/// A change, complete: what is shown before it is confirmed and all that is sent after.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What.
    pub verb: Verb,
    /// Where: context, account and region, which are shown and kept in the journal.
    pub ctx: Ctx,
    /// Account number; empty while it is not known, which counts as production.
    pub account: Str,
    /// Region.
    pub region: Str,
    /// Profile, for the lines of AWS's own tool.
    pub profile: Option<Str>,
    /// Cluster.
    pub cluster: Arn,
    /// The service, tasks or instances that it acts on.
    pub targets: Vec<Arn>,
    /// What is different afterwards.
    pub changes: Vec<Change>,
    /// What to know before.
    pub notes: Vec<Note>,
    /// How much care it takes.
    pub level: Level,
    /// A word to type beside the name, as `zero`; for [`Level::Drastic`].
    pub word: Option<&'static str>,
    /// The calls, in order; the first that fails ends the plan.
    pub steps: Vec<Step>,
    /// What it rests on, to be read again before the first call.
    pub basis: Vec<Basis>,
    /// The way back, or why there is none.
    pub inverse: Result<Box<Inverse>, &'static str>,
    /// The service to watch afterwards.
    pub watch: Option<Arn>,
    /// The journal's id of the call that it takes back, where it takes one back.
    pub undoes: Option<Str>,
}

/// One line of what changes: `desired 6 → 20`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What, in AWS's word.
    pub what: String,
    /// As it is.
    pub before: String,
    /// As it will be.
    pub after: String,
}

/// How a note is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Weight {
    /// AWS would refuse, or it would do harm for sure: the plan cannot be confirmed.
    Blocker,
    /// May go wrong.
    Warning,
    /// Checked and good, or good to know.
    Info,
}

/// Something to know before confirming.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    /// How it is meant.
    pub weight: Weight,
    /// One sentence.
    pub text: String,
}

/// One call with the words for it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is sent.
    pub call: Call,
    /// To follow "Cannot", as `start a deployment of checkout:411`.
    pub what: String,
}

/// Something that a plan rests on, as it was when the plan was made.
#[derive(Clone, Debug, PartialEq)]
pub enum Basis {
    /// A service: what it wants, what it runs, and which deployment is under way.
    Service {
        /// Which.
        arn: Arn,
        /// `ACTIVE` …
        status: Str,
        /// Tasks wanted.
        desired: u32,
        /// Revision that it asks for.
        revision: Arn,
        /// Its newest deployment or task set.
        deployment: Str,
        /// How that stands: the rollout state, or the task set's status.
        state: Str,
    },
    /// How few and how many tasks of a service run during a deployment, where the preview told.
    Bounds {
        /// Which service.
        arn: Arn,
        /// `minimumHealthyPercent`.
        min: Option<u32>,
        /// `maximumPercent`.
        max: Option<u32>,
    },
    /// An image that new tasks pull.
    Image {
        /// As the task definition writes it.
        reference: Str,
        /// What it names; nothing when it names nothing any more.
        digest: Option<Str>,
    },
    /// Parameters and secrets that new tasks read.
    Vault {
        /// Their `valueFrom`s.
        from: Arc<[Str]>,
        /// Whether each is there.
        held: Vec<Held>,
    },
    /// A task.
    Task {
        /// Which.
        arn: Arn,
        /// Whether it is still to run.
        alive: bool,
    },
    /// A range of Application Auto Scaling.
    Range {
        /// `service/CLUSTER/SERVICE`.
        resource: Str,
        /// Fewest and most tasks; nothing when it is not registered.
        range: Option<(u32, u32)>,
        /// What is switched off.
        suspended: Suspended,
    },
    /// A container instance.
    Instance {
        /// Which.
        arn: Arn,
        /// `ACTIVE`, `DRAINING` …
        status: Str,
    },
    /// A service deployment.
    Deployment {
        /// Which.
        arn: Arn,
        /// `IN_PROGRESS` …
        status: Str,
    },
    /// A deployment of CodeDeploy.
    Code {
        /// Its id.
        id: Str,
        /// `InProgress` …
        status: Str,
    },
    /// A revision that is deployed: it must be there still.
    Revision {
        /// Which.
        arn: Arn,
        /// Whether it is `ACTIVE`.
        active: bool,
    },
}

/// What the re-reading found different: was, and now. What the plan wants is in its changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moved {
    /// Which target, by name.
    pub target: String,
    /// What of it.
    pub what: &'static str,
    /// When the plan was made.
    pub was: String,
    /// As AWS says now.
    pub now: String,
}

impl Verb {
    /// All of them.
    pub const ALL: [Verb; 13] = [
        Verb::Redeploy,
        Verb::Scale,
        Verb::RollBack,
        Verb::DeployImage,
        Verb::StopTasks,
        Verb::EnableExec,
        Verb::Drain,
        Verb::Activate,
        Verb::RunTask,
        Verb::ScalingRange,
        Verb::Continue,
        Verb::Protect,
        Verb::Unprotect,
    ];

    /// Whether it begins or moves a deployment, so that there is something to watch.
    #[must_use]
    pub fn deploys(self) -> bool {
        matches!(self, Verb::Redeploy | Verb::RollBack | Verb::DeployImage | Verb::Continue)
    }

    /// The word for it in titles, the palette and the journal.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Verb::Redeploy => "redeploy",
            Verb::Scale => "scale",
            Verb::RollBack => "roll back",
            Verb::DeployImage => "deploy image",
            Verb::StopTasks => "stop tasks",
            Verb::EnableExec => "enable exec",
            Verb::Drain => "drain",
            Verb::Activate => "activate",
            Verb::RunTask => "run task",
            Verb::ScalingRange => "scaling range",
            Verb::Continue => "continue",
            Verb::Protect => "protect",
            Verb::Unprotect => "unprotect",
        }
    }
}

impl Note {
    /// AWS would refuse, or it would do harm.
    pub fn blocker(text: impl Into<String>) -> Note {
        Note { weight: Weight::Blocker, text: text.into() }
    }

    /// It may go wrong.
    pub fn warning(text: impl Into<String>) -> Note {
        Note { weight: Weight::Warning, text: text.into() }
    }

    /// Good to know.
    pub fn info(text: impl Into<String>) -> Note {
        Note { weight: Weight::Info, text: text.into() }
    }
}

impl Plan {
    /// Whether something forbids it.
    #[must_use]
    pub fn blocked(&self) -> bool {
        self.notes.iter().any(|note| note.weight == Weight::Blocker)
    }
}
