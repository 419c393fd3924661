//! The passage of time in an estate: what is due is done, in order. The
//! modules beside this one say what each thing due means.

use super::metrics::MINUTE;
use super::queue::Due;
use super::state::{Estate, Ms, ServiceEvent, TaskId};
use super::{EVENTS_KEPT, STEADY_AGAIN};

impl Estate {
    /// Plays everything that is due by `until`.
    pub fn advance_to(&mut self, until: Ms) {
        while let Some((at, due)) = self.queue.pop(until) {
            self.now = self.now.max(at);
            self.run(due);
        }
        self.now = self.now.max(until);
    }

    fn run(&mut self, due: Due) {
        match due {
            Due::Step(task) => self.step_task(task),
            Due::Fate(task) => self.meet_fate(task),
            Due::Checked(task, group, healthy) => self.check_target(task, group, healthy),
            Due::Registered(task, group) => self.target_is_in(task, group),
            Due::Drained(task, group) => self.drop_target(task, group),
            Due::Probed(task, healthy) => self.probe_containers(task, healthy),
            Due::Forget(task) => self.forget(task),
            Due::Pass(service) => self.pass(service),
            Due::StillSteady(service) => self.still_steady(service),
            Due::Act(actor) => self.act(actor),
            Due::Release(release) => self.step_release(release),
            Due::Minute => self.end_minute(),
        }
    }

    /// Looks at what watches services, and again in a minute.
    fn end_minute(&mut self) {
        self.take_samples();
        self.look_at_alarms();
        self.look_at_scaling();
        self.after(MINUTE, Due::Minute);
    }

    /// Sets something `delay` ms from now.
    pub(super) fn after(&mut self, delay: Ms, due: Due) {
        self.queue.set(self.now + delay.max(0), due);
    }

    /// Lets the scheduler look at a service within `delay` ms.
    pub(super) fn wake(&mut self, service: usize, delay: Ms) {
        let at = self.now + delay.max(0);
        let service_of = &mut self.services[service];
        if service_of.pass_at.is_none_or(|set| at < set) {
            service_of.pass_at = Some(at);
            self.queue.set(at, Due::Pass(service));
        }
    }

    /// Adds a line to a service's events: `(service NAME) TEXT`.
    pub(super) fn event(&mut self, service: usize, text: &str) {
        let message = format!("(service {}) {text}", self.services[service].name);
        self.raw_event(service, self.now, message);
    }

    /// Adds a line as it stands.
    pub(super) fn raw_event(&mut self, service: usize, at: Ms, message: String) {
        let id = self.rng.wide();
        let events = &mut self.services[service].events;
        events.push_front(ServiceEvent { id, at, message });
        events.truncate(EVENTS_KEPT);
    }

    fn still_steady(&mut self, service: usize) {
        if self.services[service].steady {
            self.event(service, "has reached a steady state.");
        }
        self.after(STEADY_AGAIN, Due::StillSteady(service));
    }

    fn forget(&mut self, id: TaskId) {
        if let Some(task) = self.tasks.remove(&id) {
            self.clusters[task.cluster].tasks.remove(&id);
            if let Some(service) = task.service {
                self.services[service].tasks.remove(&id);
            }
        }
    }
}

/// `(task A) (task B)`, as AWS lists tasks in events.
pub(super) fn listed(tasks: &[TaskId]) -> String {
    tasks.iter().map(|id| format!("(task {id})")).collect::<Vec<_>>().join(" ")
}
