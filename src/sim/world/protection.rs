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

    /// Tasks that should go may not: said once, and again ever more seldom.
    pub(super) fn say_protected(&mut self, service: usize, held: usize) {
        let of = &mut self.services[service];
        of.stalled += 1;
        let (times, name) = (of.stalled, of.name.clone());
        let set = of.deployments.first().map_or(0, |d| d.id);
        if times.is_power_of_two() {
            let text =
                format!("(service {name}, taskSet ecs-svc/{set}) was unable to scale in due to (reason {held} tasks under protection)");
            self.raw_event(service, self.now, text);
        }
        self.wake(service, (10_000_i64 << times.min(4)).min(120_000));
    }

    /// When the protection of a task ends, while it lasts.
    #[must_use]
    pub fn protection(&self, id: TaskId) -> Option<Ms> {
        self.tasks.get(&id).and_then(|t| t.protected_until).filter(|until| *until > self.now)
    }
}
