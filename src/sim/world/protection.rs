//! Task protection: what is protected is neither scaled in nor replaced by a deployment until the protection ends.

use super::state::{Estate, Ms, TaskId};

impl Estate {
    /// Protects a task until a time, or no longer.
    pub fn protect(&mut self, id: TaskId, until: Option<Ms>) {
        if let Some(task) = self.tasks.get_mut(&id) {
            task.protected_until = until;
        }
        self.wake_owner(id);
    }

    /// When the protection of a task ends, while it lasts.
    #[must_use]
    pub fn protection(&self, id: TaskId) -> Option<Ms> {
        self.tasks.get(&id).and_then(|t| t.protected_until).filter(|until| *until > self.now)
    }
}
