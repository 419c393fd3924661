//! Which log groups have a Live Tail session, and when one is opened again.

use super::plan::{Group, Plan};
use crate::aws::AwsError;
use crate::model::Str;
use std::collections::HashMap;

/// Streams that one session takes.
const STREAMS: usize = 100;

/// Sessions of one tail: an account has fifteen in all, and others want some.
const SESSIONS: usize = 4;

/// Milliseconds before a session that broke or could not be had is opened again.
const PAUSE: u64 = 5_000;

/// A session, told apart from earlier ones of the same group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its log group.
    pub group: Group,
    number: u64,
}

#[derive(Debug, PartialEq)]
enum Standing {
    Opening(u64),
    On(u64),
    /// Not before this time.
    Off(u64),
    Refused,
}

/// The sessions of one tail.
#[derive(Debug, Default)]
pub struct Live {
    /// Whether AWS left lines out lately.
    pub sampled: bool,
    /// Why a group is not followed by Live Tail.
    pub note: Option<Str>,
    groups: HashMap<Group, (Standing, Vec<Str>)>,
    last: u64,
}

impl Live {
    /// Sessions to open now: for groups that are read up to now and have none.
    pub fn open(&mut self, plan: &Plan, now: u64) -> Vec<Session> {
        if !plan.live() {
            return Vec::new();
        }
        let mut sessions = Vec::new();
        for group in plan.caught_up() {
            let names = plan.names(&group);
            let wait = match self.groups.get(&group) {
                Some((Standing::Opening(_) | Standing::On(_) | Standing::Refused, _)) => continue,
                Some((Standing::Off(until), _)) => *until > now,
                None => self.groups.len() >= SESSIONS,
            };
            if wait || names.is_empty() {
                continue;
            }
            if names.len() > STREAMS {
                self.note = Some(format!("Live Tail takes at most {STREAMS} streams; {} is polled", group.name).into());
                continue;
            }
            self.last += 1;
            self.groups.insert(group.clone(), (Standing::Opening(self.last), names));
            sessions.push(Session { group, number: self.last });
        }
        sessions
    }

    /// Ends sessions that are no longer wanted or lack a stream. Returns their groups, which must be polled again.
    pub fn release(&mut self, plan: &Plan) -> Vec<Group> {
        let stale =
            |(group, (_, names)): (&Group, &(Standing, Vec<Str>))| (!plan.live() || plan.names(group) != *names).then(|| group.clone());
        let gone: Vec<Group> = self.groups.iter().filter_map(stale).collect();
        for group in &gone {
            self.groups.remove(group);
        }
        if !plan.live() {
            self.note = None;
        }
        gone
    }

    /// A session is open. Returns whether it is still wanted.
    pub fn opened(&mut self, session: &Session) -> bool {
        match self.groups.get_mut(&session.group) {
            Some((standing, _)) if *standing == Standing::Opening(session.number) => {
                *standing = Standing::On(session.number);
                self.note = None;
                true
            }
            _ => false,
        }
    }

    /// A session could not be had; `forever` when asking again is no use.
    pub fn refused(&mut self, session: &Session, error: &AwsError, forever: bool, now: u64) {
        if let Some((standing, _)) =
            self.groups.get_mut(&session.group).filter(|(standing, _)| *standing == Standing::Opening(session.number))
        {
            *standing = if forever { Standing::Refused } else { Standing::Off(now + 6 * PAUSE) };
            self.note = Some(format!("{error}; polling instead").into());
        }
    }

    /// Whether this session is the one that its group has.
    #[must_use]
    pub fn current(&self, session: &Session) -> bool {
        self.groups.get(&session.group).is_some_and(|(standing, _)| *standing == Standing::On(session.number))
    }

    /// A session ended or fell silent. Returns whether its group must be polled again.
    pub fn broken(&mut self, session: &Session, now: u64) -> bool {
        let current = self.current(session);
        if let Some((standing, _)) = self.groups.get_mut(&session.group).filter(|_| current) {
            *standing = Standing::Off(now + PAUSE);
            self.note = Some("Live Tail broke off; reading what it missed".into());
        }
        current
    }

    /// Whether any group is followed by Live Tail.
    #[must_use]
    pub fn on(&self) -> bool {
        self.groups.values().any(|(standing, _)| matches!(standing, Standing::On(_)))
    }
}
