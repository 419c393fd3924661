//! Carries out what the operator confirmed: compare with a fresh reading, write the intent into the journal, send, write what came of it.
//!
//! Runs beside the loop, one task for each order, and is never aborted: what was begun is seen to its end.

use super::{Moved, Plan};
use crate::aws::AwsError;
use crate::model::Str;
use std::sync::Arc;

/// What the operator confirmed.
#[derive(Clone, Debug, PartialEq)]
pub struct Order {
    /// Names it in what is told of it.
    pub id: u64,
    /// One plan, or several of one kind, each on its own target.
    pub plans: Vec<Plan>,
    /// Whether the operator has seen what moved and wants it all the same.
    pub compared: bool,
}

/// How an order stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Progress {
    /// What the plans rest on is being read again.
    Checking,
    /// Something moved meanwhile: nothing was sent. The plans rest on what was read now, and can be confirmed again.
    Moved(Vec<Moved>, Vec<Plan>),
    /// A call is under way.
    Sending {
        /// Which plan, from zero.
        plan: usize,
        /// Which of its steps, from zero.
        step: usize,
    },
    /// A call was answered.
    Sent {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// AWS's request id.
        request_id: Option<Str>,
    },
    /// A call was refused; the plan ends there, the next one goes on.
    Failed {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// Why.
        error: Arc<AwsError>,
    },
    /// No answer came: the call may have been done all the same. The plan ends there.
    Unanswered {
        /// Which plan.
        plan: usize,
        /// Which step.
        step: usize,
        /// What reading told: whether it applies, or that it is not known.
        found: String,
    },
    /// Nothing was sent, and why.
    Refused(String),
    /// Over.
    Done,
}
