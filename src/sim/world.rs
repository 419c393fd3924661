//! The world of the embedded AWS: a deterministic clockwork of clusters,
//! services, tasks and targets on virtual time. It knows no wire format, no
//! thread and no real clock; `advance_to` is the only way in which time passes.

pub mod queue;
pub mod state;

pub use state::*;

/// The whole world: the contexts and one estate for each account and region.
#[derive(Debug)]
pub struct World {
    /// Seed that all chance comes from.
    pub seed: u64,
    /// When the scenario opened (after its past was played).
    pub opened: Ms,
    /// Profiles.
    pub contexts: Vec<Context>,
    /// One for each account and region.
    pub estates: Vec<Estate>,
}
