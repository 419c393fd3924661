//! Rows that the cursor only passes are not asked for: a held key would spend the budget on what nobody looks at.

use crate::feed::Feed;
use std::collections::HashMap;
use std::mem::{Discriminant, discriminant};
use std::time::{Duration, Instant};

/// Shorter than anybody reads a row, longer than a held key stays on one.
const PASSING: Duration = Duration::from_millis(150);

/// When a feed of each kind was last let go as soon as it was wanted.
#[derive(Debug, Default)]
pub(super) struct Passing(HashMap<Discriminant<Feed>, Instant>);

impl Passing {
    /// A feed is no longer wanted, that had been since `started`. One that is asked for once is dropped when it is answered.
    pub fn dropped(&mut self, feed: &Feed, started: Instant, now: Instant) {
        if !feed.lasts() && now.duration_since(started) < PASSING {
            self.0.insert(discriminant(feed), now);
        }
    }

    /// How long to wait with the first question: while feeds of its kind come and go, until this one stays.
    pub fn delay(&self, feed: &Feed, now: Instant) -> Duration {
        let passing = self.0.get(&discriminant(feed)).is_some_and(|last| now.duration_since(*last) < PASSING);
        if passing { PASSING } else { Duration::ZERO }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Arn, Ctx};

    #[test]
    fn only_what_comes_and_goes_waits() {
        let arn = |name: &str| Arn(format!("arn:aws:ecs:eu-west-1:1:service/prod/{name}").as_str().into());
        let service = |name: &str| Feed::Service(Ctx(0), arn(name));
        let (mut passing, start) = (Passing::default(), Instant::now());
        let at = |ms: u64| start + Duration::from_millis(ms);
        assert_eq!(passing.delay(&service("a"), at(0)), Duration::ZERO, "the first one is asked for at once");
        passing.dropped(&service("a"), at(0), at(200));
        assert_eq!(passing.delay(&service("b"), at(200)), Duration::ZERO, "somebody looked at the one before");
        passing.dropped(&service("b"), at(200), at(233));
        assert_eq!(passing.delay(&service("c"), at(233)), PASSING);
        assert_eq!(passing.delay(&Feed::Tasks(Ctx(0), arn("c")), at(233)), Duration::ZERO, "another pane is no row that is passed");
        assert_eq!(passing.delay(&service("d"), at(400)), Duration::ZERO, "the key was let go");
        let once = Feed::TaskDefinition(Ctx(0), arn("a"));
        passing.dropped(&once, at(400), at(403));
        assert_eq!(passing.delay(&once, at(403)), Duration::ZERO, "it was answered");
    }
}
