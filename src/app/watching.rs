//! Releases that are followed though nobody looks: whoever opened a watch is told how it ended, wherever he is by then.

use super::{App, Effect, Event};
use crate::landing::{Kind, Landing, Track, Whole};
use crate::model::{Arn, Ctx};
use crate::theme::Role;
use crate::view::Tone;

impl App {
    /// The service whose watch is on screen.
    pub(super) fn watched(&self) -> Option<Whole> {
        let view = self.views.last().filter(|view| view.name() == "watch")?;
        let place = view.subject(&self.shared.cx()).place;
        Some(Whole { ctx: place.ctx?, cluster: place.cluster?, service: place.service? })
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
