//! Where a blue/green, linear or canary deployment stands.

use super::Ms;

/// lifecycleStage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Stage {
    /// Sorts out revisions of a deployment that was superseded.
    ReconcileService,
    /// Nothing new runs yet.
    #[default]
    PreScaleUp,
    /// The new tasks start.
    ScaleUp,
    /// They stand.
    PostScaleUp,
    /// Test traffic goes to them.
    TestTrafficShift,
    /// And has gone.
    PostTestTrafficShift,
    /// Production traffic goes to them.
    ProductionTrafficShift,
    /// And has gone.
    PostProductionTrafficShift,
    /// Both stay for a while.
    BakeTime,
    /// The old tasks stop.
    CleanUp,
}

/// A blue/green, linear or canary deployment under way or done.
#[derive(Debug, Clone, Default)]
pub struct Shift {
    /// The stage that it is in.
    pub stage: Stage,
    /// Since when.
    pub since: Ms,
    /// Percent of production traffic at the target revision.
    pub weight: f64,
    /// Percent of test traffic at the target revision.
    pub test_weight: f64,
    /// When traffic last moved.
    pub moved_at: Ms,
    /// Hooks that were called.
    pub hooks: Vec<HookRun>,
}

/// status of a lifecycle hook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookStatus {
    /// A PAUSE that waits for somebody.
    AwaitingAction,
    /// The function runs.
    InProgress,
    /// It may go on.
    Succeeded,
    /// It may not.
    Failed,
    /// Nobody answered in time.
    TimedOut,
}

/// A lifecycle hook that was called.
#[derive(Debug, Clone)]
pub struct HookRun {
    /// hookId.
    pub id: String,
    /// Index into the hooks of the service's plan.
    pub hook: usize,
    /// The stage that it holds up.
    pub stage: Stage,
    /// How it stands.
    pub status: HookStatus,
    /// When the function answers; a PAUSE has none.
    pub ends_at: Option<Ms>,
    /// expiresAt.
    pub expires_at: Ms,
}
