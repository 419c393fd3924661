//! A plan for tests, which say of it what they are about.

use super::{Level, Plan, Step, Verb};
use crate::model::{Arn, Ctx};

/// A scaling of nothing outside production, with the calls `steps` and no way back.
#[must_use]
pub fn plan(steps: Vec<Step>) -> Plan {
    Plan {
        verb: Verb::Scale,
        ctx: Ctx(0),
        account: "123456789012".into(),
        region: "eu-west-1".into(),
        profile: None,
        cluster: Arn::default(),
        targets: Vec::new(),
        changes: Vec::new(),
        notes: Vec::new(),
        level: Level::Plain,
        word: None,
        steps,
        basis: Vec::new(),
        inverse: Err("a test"),
        watch: None,
        undoes: None,
    }
}
