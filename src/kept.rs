//! Stopped tasks that outlive AWS's memory. ECS forgets a stopped task after an hour, and with it why it died; what was seen once is kept
//! here for a day, and by [`crate::run`] in a file, so that a restart of the program does not lose the evidence.
//!
//! Pure: it knows neither the file nor the clock of the machine. One task is one line of JSON.

use crate::model::{Arn, Container, Str, Task, Time};
use crate::text;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

/// Tasks kept of one cluster; the oldest go first.
const MOST: usize = 500;

/// Seconds after its stop for which a task is kept.
const SECONDS: i64 = 86_400;

/// Bytes above which the file is written anew with what is worth keeping.
pub const FILE_BYTES: usize = 1 << 20;

/// The file's name in the state directory.
pub const FILE: &str = "stopped-tasks.jsonl";

/// What is kept, by cluster.
#[derive(Default)]
pub struct Kept {
    gone: HashMap<Arn, VecDeque<Arc<Task>>>,
    /// Tasks that are known already, with their stop: as long as they are worth keeping.
    seen: HashMap<Arn, Option<Time>>,
    fresh: Vec<Arc<Task>>,
}

impl Kept {
    /// Compares two answers for a cluster: what stopped lately is new evidence, what is no longer listed is kept.
    pub fn saw(&mut self, old: &[Arc<Task>], new: &[Arc<Task>], now: Time) {
        for task in new.iter().filter(|task| task.stopped() && worth(task, now)) {
            if self.seen.insert(task.arn.clone(), task.stopped_at).is_none() {
                self.fresh.push(task.clone());
            }
        }
        let listed: HashSet<&Arn> = new.iter().filter(|task| task.stopped()).map(|task| &task.arn).collect();
        let forgotten: Vec<Arc<Task>> = old.iter().filter(|task| task.stopped() && !listed.contains(&task.arn)).cloned().collect();
        for gone in self.gone.values_mut() {
            gone.retain(|task| !listed.contains(&task.arn));
        }
        for task in forgotten {
            self.keep(task);
        }
        self.forget(now);
    }

    /// Takes back what an earlier run had seen.
    pub fn recall(&mut self, tasks: Vec<Task>, now: Time) {
        for task in tasks {
            if self.seen.insert(task.arn.clone(), task.stopped_at).is_none() {
                self.keep(Arc::new(task));
            }
        }
        self.forget(now);
    }

    fn keep(&mut self, task: Arc<Task>) {
        let gone = self.gone.entry(task.cluster.clone()).or_default();
        if gone.iter().any(|kept| kept.arn == task.arn) {
            return;
        }
        let place = gone.partition_point(|kept| kept.stopped_at <= task.stopped_at);
        gone.insert(place, task);
        if gone.len() > MOST {
            gone.pop_front();
        }
    }

    fn forget(&mut self, now: Time) {
        self.seen.retain(|_, stopped| recent(*stopped, now));
        for gone in self.gone.values_mut() {
            while gone.front().is_some_and(|task| !worth(task, now)) {
                gone.pop_front();
            }
        }
    }

    /// Tasks of a cluster that AWS no longer lists, oldest first. A cluster that is known by its name alone has those of its namesakes.
    pub fn of<'a>(&'a self, cluster: &Arn) -> impl Iterator<Item = &'a Arc<Task>> + use<'a> {
        let whole = cluster.as_str().starts_with("arn:");
        let cluster = cluster.clone();
        self.gone
            .iter()
            .filter(move |(arn, _)| if whole { **arn == cluster } else { arn.name() == cluster.name() })
            .flat_map(|(_, tasks)| tasks)
    }

    /// Tasks seen to be stopped since the last call.
    pub fn take_fresh(&mut self) -> Vec<Arc<Task>> {
        std::mem::take(&mut self.fresh)
    }
}

/// Whether a task stopped so lately that it is still evidence. Without a time of its stop it is of no use.
#[must_use]
pub fn worth(task: &Task, now: Time) -> bool {
    recent(task.stopped_at, now)
}

fn recent(stopped: Option<Time>, now: Time) -> bool {
    stopped.is_some_and(|at| now.as_second() - at.as_second() < SECONDS)
}

/// The tasks as lines of the file.
#[must_use]
pub fn lines<'a>(tasks: impl IntoIterator<Item = &'a Task>) -> String {
    let mut text = String::new();
    for task in tasks {
        // A value of these types has no key that JSON could not write.
        if let Ok(line) = serde_json::to_string(task) {
            text.push_str(&line);
            text.push('\n');
        }
    }
    text
}

/// The tasks of a file. A line that is not one, as of a version to come or of a write that was cut, is passed over.
#[must_use]
pub fn read(file: &str) -> Vec<Task> {
    file.lines().filter_map(|line| serde_json::from_str(line).ok()).map(cleaned).collect()
}

/// Whoever may write the file must not be able to write to the terminal.
fn cleaned(task: Task) -> Task {
    let clean = |text: &Str| text::clean(text);
    let arn = |arn: &Arn| Arn(text::clean(&arn.0));
    let containers = task.containers.iter().map(|c| Container {
        name: clean(&c.name),
        image: clean(&c.image),
        status: clean(&c.status),
        health: clean(&c.health),
        reason: c.reason.as_ref().map(clean),
        digest: c.digest.as_ref().map(clean),
        runtime_id: c.runtime_id.as_ref().map(clean),
        exec_agent: c.exec_agent.as_ref().map(clean),
        exec_reason: c.exec_reason.as_ref().map(clean),
        ..c.clone()
    });
    Task {
        arn: arn(&task.arn),
        cluster: arn(&task.cluster),
        group: clean(&task.group),
        started_by: task.started_by.as_ref().map(clean),
        desired: clean(&task.desired),
        health: clean(&task.health),
        task_definition: arn(&task.task_definition),
        launch_type: task.launch_type.as_ref().map(clean),
        capacity_provider: task.capacity_provider.as_ref().map(clean),
        zone: task.zone.as_ref().map(clean),
        instance: task.instance.as_ref().map(arn),
        ip: task.ip.as_ref().map(clean),
        platform_version: task.platform_version.as_ref().map(clean),
        role: task.role.as_ref().map(clean),
        subnet: task.subnet.as_ref().map(clean),
        cpu: task.cpu.as_ref().map(clean),
        memory: task.memory.as_ref().map(clean),
        stop_code: task.stop_code.as_ref().map(clean),
        stopped_reason: task.stopped_reason.as_ref().map(clean),
        tags: task.tags.iter().map(|(key, value)| (clean(key), clean(value))).collect(),
        containers: containers.collect(),
        ..task
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::sample::{NOW, ago, task};

    fn now() -> Time {
        Time::from_second(NOW).expect("a time of this era")
    }

    fn stopped(id: &str, seconds: i64) -> Arc<Task> {
        let mut task = task(id, "STOPPED");
        task.stopped_at = Some(ago(seconds));
        task.stopped_reason = Some("Essential container in task exited".into());
        Arc::new(task)
    }

    fn names(kept: &Kept, cluster: &Arn) -> Vec<String> {
        kept.of(cluster).map(|task| task.arn.name().to_owned()).collect()
    }

    #[test]
    fn a_stopped_task_that_aws_forgets_is_kept_and_one_that_comes_back_is_not_there_twice() {
        let (a, b) = (stopped("a", 4000), stopped("b", 30));
        let cluster = a.cluster.clone();
        let mut kept = Kept::default();
        kept.saw(&[], &[a.clone(), b.clone()], now());
        assert!(names(&kept, &cluster).is_empty());
        assert_eq!(kept.take_fresh().len(), 2);
        kept.saw(&[a.clone(), b.clone()], std::slice::from_ref(&b), now());
        assert_eq!(names(&kept, &cluster), ["a"]);
        assert_eq!(names(&kept, &Arn::from(cluster.name())), ["a"]);
        assert!(names(&kept, &Arn::from("arn:aws:ecs:eu-west-1:999999999999:cluster/main")).is_empty());
        assert!(kept.take_fresh().is_empty(), "nothing stopped since");
        kept.saw(std::slice::from_ref(&b), &[a, b.clone()], now());
        assert!(names(&kept, &cluster).is_empty());
    }

    #[test]
    fn a_day_and_so_many_tasks_are_enough() {
        let cluster = stopped("a", 1).cluster.clone();
        let mut kept = Kept::default();
        let many: Vec<Arc<Task>> = (0..i64::try_from(MOST).unwrap_or(0) + 5).map(|n| stopped(&format!("t{n}"), 9000 - n)).collect();
        kept.saw(&many, &[stopped("old", 2)], now());
        assert_eq!(names(&kept, &cluster).len(), MOST);
        assert_eq!(names(&kept, &cluster)[0], "t5", "the oldest go first");
        let tomorrow = Time::from_second(NOW + SECONDS).expect("a time of this era");
        kept.saw(&[], &[], tomorrow);
        assert!(names(&kept, &cluster).is_empty());
        assert!(kept.seen.is_empty(), "nor is it remembered that they were seen");
    }

    #[test]
    fn what_one_run_saw_the_next_one_knows() {
        let task = stopped("a", 60);
        let file = lines([&*task]) + "{\"arn\": cut in the mid";
        let back = read(&file);
        assert_eq!(back, [(*task).clone()]);
        let mut kept = Kept::default();
        kept.recall(back, now());
        assert_eq!(names(&kept, &task.cluster), ["a"]);
        assert!(kept.take_fresh().is_empty(), "what comes from the file is not written again");
    }

    #[test]
    fn a_line_of_the_file_cannot_write_to_the_terminal() {
        let mut task = (*stopped("a", 60)).clone();
        task.stopped_reason = Some("\u{1b}]52;c;aGk=\u{7}\u{202e}".into());
        let back = read(&lines([&task]));
        let reason = back[0].stopped_reason.as_deref().unwrap_or("");
        assert!(!reason.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{reason:?}");
    }
}
