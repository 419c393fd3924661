//! Releases that are followed though nobody looks: whoever opened a watch is told how it ended, wherever he is by then.

use super::dialog::Flight;
use super::{App, Effect, Event};
use crate::change::{Call, Verb};
use crate::landing::{Aim, Kind, Landing, Track, Whole};
use crate::model::{Arn, Ctx, Time};
use crate::panes;
use crate::theme::Role;
use crate::view::{Place, Tone};

impl App {
    /// The service whose watch is on screen.
    fn watched(&self) -> Option<Whole> {
        let view = self.views.last().filter(|view| view.name() == "watch")?;
        let place = view.subject(&self.shared.cx()).place;
        Some(Whole { ctx: place.ctx?, cluster: place.cluster?, service: place.service? })
    }

    /// Follows what the services make of the changes that were taken: one in its watch, several in the status line.
    pub(super) fn watch_what_was_done(&mut self, flight: &Flight, well: bool) {
        let now = self.shared.now;
        let mut followed: Vec<Whole> = Vec::new();
        let mut left_out = 0;
        for (n, plan) in flight.plans.iter().enumerate().filter(|(n, _)| flight.done(*n)) {
            let Some(service) = plan.watch.as_ref().filter(|_| plan.verb.deploys() || aims(plan.verb)) else { continue };
            let whole = Whole { ctx: plan.ctx, cluster: plan.cluster.clone(), service: service.clone() };
            if followed.contains(&whole) {
                continue;
            }
            let landings = &self.shared.landings;
            if landings.of(whole.ctx, &whole.service).is_none() && !landings.has_room() {
                left_out += 1;
                continue;
            }
            if aims(plan.verb) {
                let aim = aim(flight, n, now);
                self.shared.landings.aim(&whole, aim);
            } else {
                self.shared.landings.follow(&whole);
            }
            followed.push(whole);
        }
        let said = self.notice.clone();
        match (followed.as_slice(), panes::named("watch")) {
            ([one], Some(pane)) if well && left_out == 0 => {
                let place = Place {
                    ctx: Some(one.ctx),
                    cluster: Some(one.cluster.clone()),
                    service: Some(one.service.clone()),
                    ..Place::default()
                };
                // The watch that is open already is not opened once more.
                let shown = self.watched();
                if shown.as_ref() != Some(one) {
                    self.go(pane, Some(place));
                }
                self.notice = self.notice.take().or(said);
            }
            (several, _) if several.len() + left_out > 1 => {
                let more = if left_out > 0 { format!(", {left_out} more are not") } else { String::new() };
                let taken = if well { format!("{} changes: AWS has taken all of them · ", flight.plans.len()) } else { String::new() };
                self.tell(Tone::Info, format!("{taken}{} watched{more} · how each ends is said here", several.len()));
            }
            _ => {}
        }
    }

    /// A watch that comes on screen is followed from then on.
    pub(super) fn follow_shown(&mut self) {
        if let Some(whole) = self.watched() {
            self.shared.landings.follow(&whole);
            // What is known already is no news to anybody.
            let (store, now) = (&self.shared.store, self.shared.now);
            self.shared.landings.see(store, Some((whole.ctx, &whole.service)), now);
        }
    }

    /// Looks again at what is followed; tells of ends, and what the terminal is to do about them.
    pub(super) fn see_landings(&mut self) -> Vec<Effect> {
        if self.shared.landings.all().next().is_none() {
            return Vec::new();
        }
        let shown = self.watched();
        let shown: Option<(Ctx, &Arn)> = shown.as_ref().map(|whole| (whole.ctx, &whole.service));
        let (store, now) = (&self.shared.store, self.shared.now);
        let news = self.shared.landings.see(store, shown, now);
        self.dirty |= !news.is_empty();
        let mut effects = Vec::new();
        // What was over before anybody watched it is no news.
        let landings = &self.shared.landings;
        let fresh = |whole: &Whole| landings.of(whole.ctx, &whole.service).is_none_or(|track| track.is_news(now));
        let ends: Vec<_> = news.into_iter().filter(|(whole, news)| news.kind == Kind::End && fresh(whole)).collect();
        for (whole, news) in ends {
            let tone = if news.health.troubled() { Tone::Fail } else { Tone::Info };
            let text = format!("{} {}: {}", news.health.glyph(), whole.service.name(), news.text);
            let asked = &self.shared.config.watch;
            if asked.bell || asked.notify {
                effects.push(Effect::Ring { bell: asked.bell, notify: asked.notify.then(|| text.clone()) });
            }
            self.tell(tone, text);
        }
        if self.shared.config.watch.title {
            let tag = self.shared.landings.all().filter(|track| track.is_news(now)).filter_map(Track::landing).last().map(Landing::tag);
            let title = tag.unwrap_or_else(|| "midwatch".to_owned());
            if title != self.title {
                self.title.clone_from(&title);
                if self.session_title.is_none() {
                    effects.push(Effect::Title(title));
                }
            }
        }
        effects
    }

    /// Adds the feeds of what is followed to those of the view.
    pub(super) fn want_landings(&mut self) {
        let shown = self.watched();
        let shown: Option<(Ctx, &Arn)> = shown.as_ref().map(|whole| (whole.ctx, &whole.service));
        self.shared.landings.want(&self.shared.store, shown, &mut self.wanted);
    }

    /// Whether an event may tell of a release.
    pub(super) fn tells_of_landings(event: &Event) -> bool {
        matches!(event, Event::Update(_) | Event::Tick)
    }

    /// The followed releases that are not on screen, for the status line.
    pub(super) fn landings_line(&self) -> Vec<(String, Role)> {
        let shown = self.watched();
        let news = |track: &&Track| track.landing().is_none() || track.is_news(self.shared.now);
        let hidden = self.shared.landings.all().filter(|track| shown.as_ref() != Some(&track.whole)).filter(news);
        let spans: Vec<(String, Role)> = hidden
            .map(|track| match track.landing() {
                Some(landing) => (format!("{}  ", landing.tag()), landing.health.role()),
                None => (format!("… {}  ", track.whole.service.name()), Role::Dim),
            })
            .collect();
        let head = match spans.len() {
            0 => return spans,
            1 => " watching ".to_owned(),
            // Where they do not all fit, it is still said how many there are.
            several => format!(" {several} watched  "),
        };
        std::iter::once((head, Role::Dim)).chain(spans).collect()
    }
}

/// Whether a change begins no deployment, and ends in tasks that run all the same.
fn aims(verb: Verb) -> bool {
    matches!(verb, Verb::Scale | Verb::StopTasks)
}

/// What a change of a service is to end in; tasks that were stopped one by one are one change of theirs.
fn aim(flight: &Flight, n: usize, since: Time) -> Aim {
    let plan = &flight.plans[n];
    let of_it = || flight.plans.iter().enumerate().filter(|(n, other)| other.watch == plan.watch && flight.done(*n)).map(|(_, plan)| plan);
    let calls = || of_it().flat_map(|plan| &plan.steps).map(|step| &step.call);
    let desired = calls().find_map(|call| if let Call::UpdateService { set, .. } = call { set.desired } else { None });
    let gone: Vec<Arn> =
        calls().filter_map(|call| if let Call::StopTask { task, .. } = call { Some(task.clone()) } else { None }).collect();
    let what = match (desired, gone.len()) {
        (Some(desired), _) => format!("scale to {desired}"),
        (None, 1) => "1 task stopped".to_owned(),
        (None, stopped) => format!("{stopped} tasks stopped"),
    };
    Aim { what, desired, gone, since }
}
