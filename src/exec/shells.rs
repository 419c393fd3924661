//! The sessions of this run as the screen knows them: what each is to, its terminal, how it stands, and since when nobody has typed.
//!
//! Pure: whoever runs the sessions tells of them by [`Heard`]. It knows no pane and no key.

use super::checks::explain_failure;
use super::term::Term;
use super::{End, IDLE, Said};
use crate::model::{Arn, Ctx, Str, Time};
use crate::text;
use std::collections::HashMap;
use std::time::Duration;

/// For so long a refusal is held to say something of the task.
const REFUSED_SECONDS: i64 = 600;

/// What a session is to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Context.
    pub ctx: Ctx,
    /// Cluster.
    pub cluster: Arn,
    /// The service whose task it is, where it is one's.
    pub service: Option<Arn>,
    /// Task.
    pub task: Arn,
    /// The task definition's family, by which the container is remembered.
    pub family: Str,
    /// Container.
    pub container: Str,
    /// What runs in it.
    pub command: String,
}

/// A session that is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// Names it in what is told of it.
    pub id: u64,
    /// To what.
    pub target: Target,
    /// Columns and rows of its terminal.
    pub size: (u16, u16),
}

/// What is told of a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// AWS opened it, with this id.
    Granted(Str),
    /// AWS did not, or the program may not.
    Refused(String),
    /// What came over it.
    Said(Said),
}

/// How a session stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum State {
    /// AWS has been asked for it.
    Opening,
    /// The connection is being made; what is typed is kept.
    Joining,
    /// What is typed arrives.
    Ready,
    /// The connection is lost and tried again.
    Lost {
        /// Which try.
        attempt: u32,
        /// Why.
        why: Str,
    },
    /// Over, and why, in words.
    Ended(Str),
}

/// A session.
pub struct Shell {
    /// Names it for as long as the program runs.
    pub id: u64,
    /// To what.
    pub target: Target,
    /// How it stands.
    pub state: State,
    /// Its terminal.
    pub term: Term,
    /// AWS's id, once it has one.
    pub session: Option<Str>,
    /// Whether its bytes are encrypted with a key of KMS, beside TLS.
    pub encrypted: bool,
    /// What the account's administrator wants users to read.
    pub message: Option<Str>,
    /// What is known of the end of its task, where that has begun.
    pub stopping: Option<Str>,
    /// Whether something came since it was last looked at.
    pub unseen: bool,
    /// When it was asked for.
    pub since: Time,
    typed_at: Time,
}

impl Shell {
    /// Whether it is over.
    #[must_use]
    pub fn over(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    /// Task and container in a few words: `41b0c2d3/app`.
    #[must_use]
    pub fn name(&self) -> String {
        let id = self.target.task.name();
        format!("{}/{}", id.get(..8).unwrap_or(id), self.target.container)
    }

    /// Time until ECS ends it, if nothing is typed.
    #[must_use]
    pub fn idle_left(&self, now: Time) -> Duration {
        let silent = u64::try_from(now.as_second() - self.typed_at.as_second()).unwrap_or(0);
        IDLE.saturating_sub(Duration::from_secs(silent))
    }

    /// Something was sent to it by the operator.
    pub fn typed(&mut self, now: Time) {
        self.typed_at = now;
    }
}

/// What the screen must do after something was heard.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct After {
    /// What the terminal answers the remote.
    pub reply: Vec<u8>,
    /// The bell rang.
    pub bell: bool,
    /// What is worth a line of the messages, and whether it is bad.
    pub said: Option<(bool, String)>,
    /// It takes input from now on.
    pub ready: bool,
}

/// All sessions.
#[derive(Default)]
pub struct Shells {
    all: Vec<Shell>,
    opened: u64,
    /// The container that was chosen last, by family.
    chosen: HashMap<Str, Str>,
    /// When and why none was opened the last time, by task and container.
    refused: HashMap<(Arn, Str), (Time, Str)>,
}

impl Shells {
    /// Notes a session that is to be opened.
    pub fn open(&mut self, target: Target, size: (u16, u16), now: Time) -> Order {
        self.opened += 1;
        self.chosen.insert(target.family.clone(), target.container.clone());
        let order = Order { id: self.opened, target: target.clone(), size };
        self.all.push(Shell {
            id: order.id,
            target,
            state: State::Opening,
            term: Term::new(size.0, size.1),
            session: None,
            encrypted: false,
            message: None,
            stopping: None,
            unseen: false,
            since: now,
            typed_at: now,
        });
        order
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Shell] {
        &self.all
    }

    /// Those that are not over.
    pub fn live(&self) -> impl Iterator<Item = &Shell> {
        self.all.iter().filter(|shell| !shell.over())
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Shell> {
        self.all.iter().find(|shell| shell.id == id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: u64) -> Option<&mut Shell> {
        self.all.iter_mut().find(|shell| shell.id == id)
    }

    /// All, to be changed.
    pub fn all_mut(&mut self) -> impl Iterator<Item = &mut Shell> {
        self.all.iter_mut()
    }

    /// Brings the terminals up to all that has come, before one is looked at.
    pub fn settle(&mut self) {
        self.all.iter_mut().for_each(|shell| shell.term.settle());
    }

    /// Forgets one.
    pub fn forget(&mut self, id: u64) {
        self.all.retain(|shell| shell.id != id);
    }

    /// The one after it, or before, around the end; none where it is the only one.
    #[must_use]
    pub fn beside(&self, id: u64, forward: bool) -> Option<u64> {
        let at = self.all.iter().position(|shell| shell.id == id)?;
        let count = self.all.len();
        let next = if forward { (at + 1) % count } else { (at + count - 1) % count };
        (next != at).then(|| self.all[next].id)
    }

    /// The container of a family that was chosen last.
    #[must_use]
    pub fn chosen(&self, family: &str) -> Option<&Str> {
        self.chosen.get(family)
    }

    /// Why no session to a container was opened the last time that one was asked for, if that was in the last minutes: what was in the
    /// way may be mended since.
    #[must_use]
    pub fn refused(&self, task: &Arn, container: &Str, now: Time) -> Option<&Str> {
        let (at, why) = self.refused.get(&(task.clone(), container.clone()))?;
        (now.as_second() - at.as_second() < REFUSED_SECONDS).then_some(why)
    }

    /// Takes in what was heard of a session.
    pub fn heard(&mut self, id: u64, heard: Heard) -> After {
        let Some(shell) = self.all.iter_mut().find(|shell| shell.id == id) else { return After::default() };
        let name = shell.name();
        let of = || (shell.target.task.clone(), shell.target.container.clone());
        match heard {
            Heard::Granted(session) => {
                self.refused.remove(&of());
                shell.session = Some(session);
                shell.state = State::Joining;
            }
            Heard::Refused(why) => {
                let why = text::clean(&why);
                self.refused.insert(of(), (shell.since, why.clone()));
                let why = explained(&why);
                shell.state = State::Ended(why.clone());
                return After { said: Some((true, format!("{name}: {why}"))), ..After::default() };
            }
            Heard::Said(Said::Ready { encrypted, message, .. }) => {
                shell.state = State::Ready;
                shell.encrypted = encrypted;
                shell.message = message.map(|message| text::clean(&message));
                let said = shell.message.as_ref().map(|message| (false, format!("{name}: {message}")));
                return After { ready: true, said, ..After::default() };
            }
            Heard::Said(Said::Output(bytes)) => {
                shell.term.feed(&bytes);
                shell.unseen = true;
                return After { reply: shell.term.take_replies(), bell: shell.term.rang(), ..After::default() };
            }
            Heard::Said(Said::Lost { attempt, why }) => {
                let why = text::clean(&why);
                let first = !matches!(shell.state, State::Lost { .. });
                let said = first.then(|| (true, format!("{name}: connection lost, trying again: {why}")));
                shell.state = State::Lost { attempt, why };
                return After { said, ..After::default() };
            }
            Heard::Said(Said::Resumed) => {
                shell.state = State::Ready;
                return After { said: Some((false, format!("{name}: the connection stands again"))), ..After::default() };
            }
            Heard::Said(Said::PortRefused) => {}
            Heard::Said(Said::Ended(end)) => {
                let (bad, why) = words(&end, shell.stopping.as_deref());
                let said = (end != End::Left).then(|| (bad, format!("{name}: {why}")));
                shell.state = State::Ended(why);
                return After { said, ..After::default() };
            }
        }
        After::default()
    }
}

/// Why a session ended, and whether that is bad news. What is known of its task says more than the channel does.
fn words(end: &End, stopping: Option<&str>) -> (bool, Str) {
    let why: Str = match (end, stopping) {
        (End::Left, _) => return (false, "you ended it".into()),
        (_, Some(stopping)) => stopping.into(),
        (End::Closed(None), None) => return (false, "the session has ended".into()),
        (End::Closed(Some(why)), None) => {
            // AWS puts a line of dashes around some of its reasons.
            let lines = why.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with("---"));
            explained(&text::clean(&lines.collect::<Vec<_>>().join(" ")))
        }
        (End::Lost(why), None) => text::clean(&format!("the connection is lost: {why}")),
        (End::Refused(why), None) => explained(&text::clean(why)),
    };
    (true, why)
}

/// AWS's words, with what they mean where that is known.
fn explained(why: &str) -> Str {
    match explain_failure(why) {
        Some(told) => format!("{why} · {} · {}", told.cause, told.fix).into(),
        None => why.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Time {
        Time::from_second(second).expect("in the calendar")
    }

    fn target(container: &str) -> Target {
        Target {
            ctx: Ctx(0),
            cluster: "arn:aws:ecs:eu-west-1:1:cluster/prod".into(),
            service: None,
            task: "arn:aws:ecs:eu-west-1:1:task/prod/0123456789abcdef".into(),
            family: "web".into(),
            container: container.into(),
            command: "sh".to_owned(),
        }
    }

    fn said(shells: &mut Shells, said: Said) -> After {
        shells.heard(1, Heard::Said(said))
    }

    fn open() -> Shells {
        let mut shells = Shells::default();
        let order = shells.open(target("app"), (80, 24), at(0));
        assert_eq!((order.id, order.size), (1, (80, 24)));
        shells
    }

    #[test]
    fn a_session_is_opened_used_lost_found_again_and_over() {
        let mut shells = open();
        assert_eq!(shells.get(1).map(|shell| shell.state.clone()), Some(State::Opening));
        shells.heard(1, Heard::Granted("ecs-execute-command-1".into()));
        assert!(said(&mut shells, Said::Ready { agent: None, encrypted: true, message: Some("be\x1b[31m kind".into()) }).ready);
        let shell = shells.get(1).expect("it is there");
        assert_eq!((shell.encrypted, shell.message.as_deref()), (true, Some("be␛[31m kind")));
        let after = said(&mut shells, Said::Output(b"hi\x07\x1b[6n".to_vec()));
        assert_eq!((after.reply.as_slice(), after.bell), (&b"\x1b[1;3R"[..], true));
        let lost = |n| Said::Lost { attempt: n, why: "reset".to_owned() };
        assert!(said(&mut shells, lost(1)).said.is_some());
        assert_eq!(said(&mut shells, lost(2)).said, None, "each try is no news of its own");
        assert!(said(&mut shells, Said::Resumed).said.is_some());
        said(&mut shells, Said::Ended(End::Closed(Some("\n----------ERROR-------\nUnable to start command: \"zsh\"\n".into()))));
        let Some(State::Ended(why)) = shells.get(1).map(|shell| shell.state.clone()) else { panic!("it is over") };
        assert!(why.starts_with("Unable to start command: \"zsh\" · the image does not have the command"), "{why}");
        assert_eq!(shells.live().count(), 0);
    }

    #[test]
    fn a_refusal_is_remembered_until_a_session_is_opened() {
        let mut shells = open();
        let of = |container: &str| (target("app").task, Str::from(container));
        let refused = |shells: &Shells, (task, container): (Arn, Str)| shells.refused(&task, &container, at(599)).cloned();
        shells.heard(1, Heard::Refused("TargetNotConnectedException: no".to_owned()));
        shells.forget(1);
        assert_eq!(refused(&shells, of("app")).as_deref(), Some("TargetNotConnectedException: no"));
        assert_eq!(refused(&shells, of("envoy")), None);
        let (task, container) = of("app");
        assert_eq!(shells.refused(&task, &container, at(600)), None, "it may be mended since");
        let order = shells.open(target("app"), (80, 24), at(0));
        shells.heard(order.id, Heard::Granted("ecs-execute-command-1".into()));
        assert_eq!(refused(&shells, of("app")), None);
    }

    #[test]
    fn a_task_that_stops_says_more_than_the_channel_that_closes() {
        let mut shells = open();
        shells.get_mut(1).expect("it is there").stopping = Some("task stopped: OutOfMemoryError".into());
        let after = said(&mut shells, Said::Ended(End::Lost("no frame for 75 s".to_owned())));
        assert_eq!(after.said, Some((true, "01234567/app: task stopped: OutOfMemoryError".to_owned())));
    }

    #[test]
    fn twenty_minutes_without_typing_are_counted_down() {
        let mut shells = open();
        let shell = shells.get_mut(1).expect("it is there");
        assert_eq!(shell.idle_left(at(16 * 60)), Duration::from_mins(4));
        shell.typed(at(1000));
        assert_eq!(shell.idle_left(at(1000)), IDLE);
        assert_eq!(shell.idle_left(at(9999)), Duration::ZERO);
        assert_eq!(shell.idle_left(at(0)), IDLE, "a clock that went back counts nothing");
    }

    #[test]
    fn tabs_go_around_and_the_container_is_remembered() {
        let mut shells = open();
        assert_eq!(shells.beside(1, true), None);
        shells.open(target("envoy"), (80, 24), at(0));
        shells.open(target("app"), (80, 24), at(0));
        assert_eq!((shells.beside(3, true), shells.beside(1, false), shells.beside(1, true)), (Some(1), Some(3), Some(2)));
        assert_eq!(shells.chosen("web").map(|name| &**name), Some("app"));
        shells.forget(2);
        assert_eq!(shells.beside(1, true), Some(3));
        assert_eq!(shells.heard(2, Heard::Granted("late".into())), After::default(), "what is forgotten hears nothing");
    }
}
