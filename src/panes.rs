//! The panes, one file each. A new pane is a file here and a line in the list below.

use crate::action::Action;
use crate::view::{Cx, Place, View};

/// Opens a pane at a place, or says in a sentence what it would need.
pub type Open = fn(&Place, &Cx) -> Result<Box<dyn View>, String>;

/// What opens at a place, by name.
pub struct Pane {
    /// Its word in the palette and in the configuration.
    pub name: &'static str,
    /// What it shows, for the palette.
    pub help: &'static str,
    /// The action that opens it for what the cursor is on.
    pub action: Option<Action>,
    /// Opens it.
    pub open: Open,
}

/// Declares the modules and the list from the same names, so that a pane is one line here.
macro_rules! panes {
    ($($name:ident),* $(,)?) => {
        $(pub mod $name;)*
        /// Every pane, in the order of the palette.
        pub const PANES: &[&Pane] = &[$(&$name::PANE),*];
    };
}

panes! {
    fleet, clusters, services, triage, tasks, targets, logs, events, timeline, deployments, watch, rollback, deploy, instances, images,
    scaling, alarms, session, sessions, forwards, describe, json, access, journal, messages,
}

/// The pane of that name.
#[must_use]
pub fn named(name: &str) -> Option<&'static Pane> {
    PANES.iter().find(|pane| pane.name == name).copied()
}

/// The pane that an action opens.
#[must_use]
pub fn opened_by(action: Action) -> Option<&'static Pane> {
    PANES.iter().find(|pane| pane.action == Some(action)).copied()
}
