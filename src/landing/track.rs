//! A release that is followed from one look to the next: what was seen to change, told once, and the end, told once.

use super::news::{Kind, News, differences};
use super::{Aim, End, Followed, Landing, Moment, Seen, What, Whole, follow, moments, side};
use crate::feed::Wanted;
use crate::model::{Arn, Ctx, Str, TargetState, TaskStatus, Time};
use crate::store::Store;
use crate::verdict::Health;
use std::collections::{HashMap, HashSet};

/// Releases that are followed at once; beyond them one that is over makes room.
const FOLLOWED: usize = 8;

/// Seconds for which one that is over stays in the status line when nobody looks at it.
const OVER_STAYS_SECONDS: i64 = 600;

/// Seconds within which an end is news though it came before the first look: a short release ends while its screen opens.
const JUST_SECONDS: i64 = 120;

/// What was seen of a release that AWS does not date.
#[derive(Clone, Debug, Default)]
pub struct Observed {
    steps: HashMap<Arn, Vec<(TaskStatus, Time)>>,
    health: HashMap<Arn, (TargetState, Option<Time>)>,
    stages: Vec<(Str, Time)>,
    moments: Vec<Moment>,
    progress_at: Option<Time>,
    ended_at: Option<Time>,
    /// Seconds that it has been on its way, as they were told last.
    elapsed: i64,
}

impl Observed {
    /// States that a task was seen in, with the time that it was first seen so.
    pub(super) fn steps_of(&self, task: &Arn) -> &[(TaskStatus, Time)] {
        self.steps.get(task).map_or(&[], Vec::as_slice)
    }

    /// Since when a task's target is so, if it was seen to become so.
    pub(super) fn health_since(&self, task: &Arn, state: &TargetState) -> Option<Time> {
        self.health.get(task).filter(|(is, _)| is == state).and_then(|(_, at)| *at)
    }

    /// When a stage was seen to begin.
    pub(super) fn stage_since(&self, stage: &str) -> Option<Time> {
        // The first one was there when the watch began.
        self.stages.iter().skip(1).rev().find(|(name, _)| &**name == stage).map(|(_, at)| *at)
    }

    pub(super) fn moments(&self) -> &[Moment] {
        &self.moments
    }

    pub(super) fn progress_at(&self) -> Option<Time> {
        self.progress_at
    }

    pub(super) fn elapsed(&self) -> i64 {
        self.elapsed
    }

    pub(super) fn ended_at(&self) -> Option<Time> {
        self.ended_at
    }

    /// Takes in tasks and targets.
    fn see_tasks(&mut self, seen: &Seen, followed: &Followed) {
        let tasks = seen.tasks.unwrap_or_default();
        for task in tasks {
            let steps = self.steps.entry(task.arn.clone()).or_default();
            if steps.last().is_none_or(|(status, _)| *status != task.status) {
                steps.push((task.status.clone(), seen.now));
            }
            let target = side::target_of(task, seen).filter(|_| task.status == TaskStatus::Running);
            let Some(state) = target.map(|target| target.state.clone()) else { continue };
            let before = self.health.get(&task.arn).map(|(state, _)| state.clone());
            if before.as_ref() == Some(&state) {
                continue;
            }
            // Of a task that ran before it was watched nobody knows since when its target is as it is.
            let young = steps.first().is_some_and(|(status, _)| *status < TaskStatus::Running);
            let since = (before.is_some() || young).then_some(seen.now);
            if since.is_some() {
                self.moments.extend(told(task, &state, side::is_new(task, followed), seen.now));
            }
            self.health.insert(task.arn.clone(), (state, since));
        }
        let alive: HashSet<&Arn> = tasks.iter().map(|task| &task.arn).collect();
        self.steps.retain(|task, _| alive.contains(task));
        self.health.retain(|task, _| alive.contains(task));
    }
}

fn told(task: &crate::model::Task, state: &TargetState, fresh: bool, now: Time) -> Option<Moment> {
    let id = task.arn.name();
    let id = id.get(..8).unwrap_or(id);
    let side = if fresh { "new" } else { "old" };
    let (health, words) = match state {
        TargetState::Healthy => {
            let after = task
                .started_at
                .map_or(String::new(), |at| format!(", {} after its start", crate::duration::short(now.as_second() - at.as_second())));
            (Health::Ok, format!("{side} task {id} is healthy in its target group{after}"))
        }
        TargetState::Unhealthy => (Health::Warn, format!("{side} task {id} is unhealthy in its target group")),
        TargetState::Draining | TargetState::UnhealthyDraining => (Health::Idle, format!("{side} task {id} drains")),
        _ => return None,
    };
    Some(Moment { task: Some(task.arn.clone()), ..Moment::new(now, What::Task, health, words) })
}

/// A service whose newest release, or one release, is followed.
#[derive(Clone, Debug)]
pub struct Track {
    /// Where.
    pub whole: Whole,
    followed: Option<Followed>,
    /// Whether a newer release ends this one, instead of being followed in its place.
    only: bool,
    observed: Observed,
    landing: Option<Landing>,
    /// When the end was told.
    told_end: Option<Time>,
    /// Whether it was seen on its way.
    ran: bool,
    /// What is followed in place of the deployment itself.
    aim: Option<Aim>,
}

impl Track {
    /// Follows the newest release of a service, whichever it is.
    #[must_use]
    pub fn newest(whole: Whole) -> Track {
        Track { whole, followed: None, only: false, observed: Observed::default(), landing: None, told_end: None, ran: false, aim: None }
    }

    /// Follows one release to its end: the one with this id of `CodeDeploy`, or the one that is the newest at the first look.
    #[must_use]
    pub fn only(whole: Whole, code: Option<&str>) -> Track {
        Track { only: true, followed: code.map(Followed::of_code), ..Track::newest(whole) }
    }

    /// The release as it stood at the last look.
    #[must_use]
    pub fn landing(&self) -> Option<&Landing> {
        self.landing.as_ref()
    }

    /// Follows what a change is to end in, from now on. A deployment that is under way stays what is followed: how it ends is the greater news.
    fn aim_at(&mut self, aim: Aim) {
        if self.aim.is_none() && self.landing.as_ref().is_some_and(|landing| landing.end().is_none()) {
            return;
        }
        self.aim = Some(aim);
        (self.landing, self.told_end, self.ran) = (None, None, false);
        (self.observed.ended_at, self.observed.progress_at) = (None, None);
    }

    /// The names of what is followed, as far as they are known.
    #[must_use]
    pub fn followed(&self) -> Option<&Followed> {
        self.followed.as_ref()
    }

    /// Whether it is still on its way, or not even known.
    #[must_use]
    pub fn runs(&self) -> bool {
        self.landing.as_ref().is_none_or(|landing| landing.end().is_none())
    }

    /// Whether how it ended is news to somebody who watches: a release that was over long before is history.
    #[must_use]
    pub fn is_news(&self, now: Time) -> bool {
        let ended = self.landing.as_ref().and_then(|landing| Some(landing.followed.began?.as_second() + landing.pace.took?));
        self.ran || ended.is_some_and(|ended| now.as_second() - ended < JUST_SECONDS)
    }

    /// Looks again, and tells what is new.
    pub fn see(&mut self, store: &Store, now: Time) -> Vec<News> {
        let whole = self.whole.clone();
        if let Some(news) = whole.look(store, now, |seen| self.take(seen)) {
            return news;
        }
        Vec::new()
    }

    /// The same on facts that are at hand.
    ///
    /// # Panics
    /// Never: what it expects it has just put there.
    pub fn take(&mut self, seen: &Seen) -> Vec<News> {
        let mut news = Vec::new();
        let newest = Followed::newest(seen);
        match (&mut self.followed, newest) {
            (Some(followed), Some(newest)) if followed.is(&newest) => followed.merge(newest),
            (Some(followed), Some(newest)) if !self.only && newest.began > followed.began => {
                if self.told_end.is_none() {
                    let old = followed.revision.as_ref().map_or("the release", Arn::name);
                    let text = format!("{old} did not end: a newer deployment took its place");
                    news.push(News { at: seen.now, kind: Kind::End, health: End::Superseded.health(), text });
                }
                *followed = newest;
                (self.observed, self.landing, self.told_end) = (Observed::default(), None, None);
            }
            (Some(_), _) => {}
            (followed @ None, newest) => *followed = newest,
        }
        let Some(followed) = &mut self.followed else { return news };
        followed.learn(seen);
        self.observed.see_tasks(seen, followed);
        // A deployment that begins after it takes its place.
        self.aim.take_if(|aim| followed.began.is_some_and(|began| began > aim.since));
        let mut landing = Landing::of(seen, followed, &self.observed);
        // So does one that is under way already, as far as whoever deploys has told.
        let told = followed.code.as_ref().is_none_or(|id| (seen.code)(id).is_some());
        self.aim.take_if(|_| told && landing.end().is_none());
        if let Some(aim) = &self.aim {
            aim.judge(&mut landing, seen);
        }
        self.observed.take(&landing, self.landing.as_ref(), seen.now);
        // What was just seen belongs to the picture.
        self.ran |= landing.end().is_none();
        landing.moments =
            moments::of(seen, followed, followed.record_in(seen), followed.code.as_ref().and_then(|id| (seen.code)(id)), &self.observed);
        if let Some(aim) = &self.aim {
            aim.cut(&mut landing);
        }
        let before = self.landing.replace(landing);
        let after = self.landing.as_ref().expect("it has just been put there");
        differences(before.as_ref(), after, seen.now, &mut news);
        if after.end().is_none() {
            // A deployment that CodeDeploy calls failed may yet be rolled back.
            self.told_end = None;
        } else if self.told_end.is_none() {
            self.told_end = Some(seen.now);
            // Of what was over before anybody looked AWS tells the time.
            let over = after.followed.began.zip(after.pace.took).filter(|_| !self.ran);
            let at = over.and_then(|(began, took)| began.checked_add(jiff::SignedDuration::from_secs(took)).ok()).unwrap_or(seen.now);
            news.push(News { at, kind: Kind::End, health: after.health, text: after.why.clone() });
        }
        news
    }
}

impl Followed {
    fn merge(&mut self, newer: Followed) {
        self.record = self.record.take().or(newer.record);
        self.code = self.code.take().or(newer.code);
        self.set = self.set.take().or(newer.set);
        self.revision = self.revision.take().or(newer.revision);
        self.before = self.before.take().or(newer.before);
        self.began = follow::earlier(self.began, newer.began);
    }
}

impl Observed {
    /// Takes in what is different since the last look.
    fn take(&mut self, after: &Landing, before: Option<&Landing>, now: Time) {
        if let Some(stage) = after.stage.name.as_ref().filter(|stage| self.stages.last().is_none_or(|(last, _)| last != *stage)) {
            if before.is_some() && after.stage.events.is_empty() {
                self.moments.push(Moment::new(now, What::Deployment, Health::Roll, format!("stage {stage}")));
            }
            self.stages.push((stage.clone(), now));
        }
        if after.end().is_some() {
            self.ended_at = self.ended_at.or(Some(now));
        } else {
            self.elapsed = after.pace.elapsed.unwrap_or(0);
        }
        let Some(before) = before else { return };
        let got_on = after.new.healthy > before.new.healthy
            || after.old.left() < before.old.left()
            || after.new.weight != before.new.weight
            || after.stage.name != before.stage.name;
        if got_on {
            self.progress_at = Some(now);
        }
        if let (Some(was), Some(is)) = (before.new.weight, after.new.weight)
            && (was - is).abs() > f64::EPSILON
        {
            let text = format!("{} gets {is}% of the traffic, {was}% before", after.brings());
            self.moments.push(Moment::new(now, What::Deployment, Health::Roll, text));
        }
    }
}

/// All releases that are followed, the one that was opened last at the end.
#[derive(Clone, Debug, Default)]
pub struct Landings {
    tracks: Vec<Track>,
}

impl Landings {
    /// Follows the newest release of a service from now on, unless it is followed already.
    pub fn follow(&mut self, whole: &Whole) {
        let known = self.tracks.iter_mut().find(|track| track.whole.ctx == whole.ctx && track.whole.service == whole.service);
        if let Some(track) = known {
            // Whoever opens the watch after the end of another change wants the deployment.
            if track.told_end.is_some() && track.aim.take().is_some() {
                (track.landing, track.told_end, track.ran) = (None, None, false);
            }
            return;
        }
        self.add(whole);
    }

    /// Follows what a change that begins no deployment is to end in.
    pub fn aim(&mut self, whole: &Whole, aim: Aim) {
        if self.of(whole.ctx, &whole.service).is_none() {
            self.add(whole);
        }
        let known = self.tracks.iter_mut().find(|track| track.whole.ctx == whole.ctx && track.whole.service == whole.service);
        if let Some(track) = known {
            track.aim_at(aim);
        }
    }

    /// Whether one more can be followed without giving up one that is on its way.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.tracks.len() < FOLLOWED || self.tracks.iter().any(|track| !track.runs())
    }

    fn add(&mut self, whole: &Whole) {
        if self.tracks.len() >= FOLLOWED {
            let over = self.tracks.iter().position(|track| !track.runs()).unwrap_or(0);
            self.tracks.remove(over);
        }
        self.tracks.push(Track::newest(whole.clone()));
    }

    /// What is followed of a service.
    #[must_use]
    pub fn of(&self, ctx: Ctx, service: &Arn) -> Option<&Track> {
        self.tracks.iter().find(|track| track.whole.ctx == ctx && track.whole.service == *service)
    }

    /// All, in the order in which they were opened.
    pub fn all(&self) -> impl Iterator<Item = &Track> {
        self.tracks.iter()
    }

    /// Looks again at all of them. Returns the news of each, with its service; `shown` is the one on screen, which stays though it be over.
    pub fn see(&mut self, store: &Store, shown: Option<(Ctx, &Arn)>, now: Time) -> Vec<(Whole, News)> {
        let mut news = Vec::new();
        for track in &mut self.tracks {
            news.extend(track.see(store, now).into_iter().map(|of| (track.whole.clone(), of)));
        }
        let old = |track: &Track| track.told_end.is_some_and(|at| now.as_second() - at.as_second() > OVER_STAYS_SECONDS);
        let on_screen = |track: &Track| shown.is_some_and(|(ctx, service)| track.whole.ctx == ctx && track.whole.service == *service);
        self.tracks.retain(|track| on_screen(track) || !old(track));
        news
    }

    /// Names the feeds of those that nobody looks at but that are still on their way.
    pub fn want(&self, store: &Store, shown: Option<(Ctx, &Arn)>, out: &mut Vec<Wanted>) {
        let on_screen = |track: &&Track| shown.is_some_and(|(ctx, service)| track.whole.ctx == ctx && track.whole.service == *service);
        for track in self.tracks.iter().filter(|track| track.runs() && !on_screen(track)) {
            track.whole.want(store, track.followed(), false, out);
        }
    }
}
