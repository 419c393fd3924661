//! What a view may look at.

use crate::config::Config;
use crate::exec::shells::Shells;
use crate::keys::Keymap;
use crate::landing::Landings;
use crate::model::{Fleet, Time};
use crate::store::Store;
use crate::theme::Theme;
use crate::verdict::Board;
use crate::view::Cx;

/// Everything that views may look at; apart from the views, so that one of them can work while it looks.
pub struct Shared {
    /// All answers.
    pub store: Store,
    /// All verdicts.
    pub board: Board,
    /// The releases that are followed.
    pub landings: Landings,
    /// The sessions inside containers.
    pub shells: Shells,
    /// The contexts.
    pub fleet: Fleet,
    /// Colours.
    pub theme: Theme,
    /// Keys.
    pub keys: Keymap,
    /// The user's configuration.
    pub config: Config,
    /// The operator's time zone.
    pub zone: jiff::tz::TimeZone,
    /// AWS's time.
    pub now: Time,
}

impl Shared {
    /// Nothing known yet, the keys as they come, and the time of no place in particular.
    #[must_use]
    pub fn new(fleet: Fleet, config: Config, theme: Theme, now: Time) -> Shared {
        Shared {
            store: Store::default(),
            board: Board::default(),
            landings: Landings::default(),
            shells: Shells::default(),
            fleet,
            theme,
            keys: Keymap::default(),
            config,
            zone: jiff::tz::TimeZone::UTC,
            now,
        }
    }

    /// What a view may look at.
    #[must_use]
    pub fn cx(&self) -> Cx<'_> {
        Cx {
            store: &self.store,
            fleet: &self.fleet,
            theme: &self.theme,
            keys: &self.keys,
            config: &self.config,
            board: &self.board,
            landings: &self.landings,
            shells: &self.shells,
            zone: &self.zone,
            now: self.now,
        }
    }
}
