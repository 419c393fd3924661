//! Time as a session goes by it: the machine's, or, in tests that cannot wait, what they say has passed.

use tokio::time::{Instant, sleep_until};

#[derive(Clone, Default)]
pub(super) struct Clock {
    /// When counting began, and what has passed since.
    #[cfg(test)]
    pub(super) counted: Option<(Instant, tokio::sync::watch::Receiver<std::time::Duration>)>,
}

#[allow(clippy::unused_self, reason = "in tests it is used")]
impl Clock {
    pub(super) fn now(&self) -> Instant {
        #[cfg(test)]
        if let Some((began, passed)) = &self.counted {
            return *began + *passed.borrow();
        }
        Instant::now()
    }

    pub(super) async fn until(&self, at: Instant) {
        #[cfg(test)]
        if let Some((began, passed)) = &self.counted {
            let mut passed = passed.clone();
            // A test that is over lets no more time pass.
            let _ = passed.wait_for(|passed| *began + *passed >= at).await;
            return;
        }
        sleep_until(at).await;
    }
}
