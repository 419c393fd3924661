//! What a pane is once it is open: it names the feeds it wants, follows the store, answers actions and draws itself.
//!
//! A view never waits and never does anything to the world: what it wants done it returns as a [`Reaction`].

use crate::action::Action;
pub use crate::action::Kind;
use crate::change::{Target, Wish};
use crate::config::Config;
use crate::exec::shells::Shells;
use crate::feed::{Feed, Wanted};
use crate::keys::{Key, Keymap, Pointed};
use crate::landing::Landings;
use crate::model::{Arn, Ctx, Fleet, Str, Time};
use crate::store::Store;
use crate::theme::Theme;
use crate::verdict::Board;
use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use std::borrow::Cow;

/// What a view may look at while it works.
#[derive(Clone, Copy)]
pub struct Cx<'a> {
    /// All answers so far.
    pub store: &'a Store,
    /// The contexts.
    pub fleet: &'a Fleet,
    /// Colours.
    pub theme: &'a Theme,
    /// Keys, for hints that are true.
    pub keys: &'a Keymap,
    /// The user's configuration.
    pub config: &'a Config,
    /// All verdicts.
    pub board: &'a Board,
    /// The releases that are followed.
    pub landings: &'a Landings,
    /// The sessions inside containers.
    pub shells: &'a Shells,
    /// The operator's time zone.
    pub zone: &'a jiff::tz::TimeZone,
    /// AWS's time now: the local clock corrected by what AWS's replies say.
    pub now: Time,
}

/// Whether something is production.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Production {
    /// Neither the configuration nor a name says so, and the account is known.
    No,
    /// The configuration says so, or a name or the account fits its patterns.
    Yes,
    /// The account is not known, so it counts as production.
    Unknown,
}

impl Cx<'_> {
    /// Whether a context, or a cluster in it, is production. The word of the configuration about the context comes first, then its patterns
    /// over context, account and cluster.
    #[must_use]
    pub fn production(&self, ctx: Ctx, cluster: Option<&Arn>) -> Production {
        let context = self.fleet.context(ctx);
        if let Some(told) = context.production {
            return if told { Production::Yes } else { Production::No };
        }
        let account = self.account(ctx).or(cluster.map(Arn::account).filter(|account| !account.is_empty()));
        let names = [Some(&*context.name), account, cluster.map(Arn::name)];
        if names.into_iter().flatten().any(|name| self.config.is_production(name)) {
            return Production::Yes;
        }
        if account.is_some() { Production::No } else { Production::Unknown }
    }

    /// The account of a context: who asks knows it, and so does any cluster's ARN.
    #[must_use]
    pub fn account(&self, ctx: Ctx) -> Option<&str> {
        let listed = || self.store.clusters(ctx)?.first().map(|cluster| cluster.arn.account());
        self.store.identity(ctx).map(|identity| &*identity.account).or_else(listed).filter(|account| !account.is_empty())
    }
}

/// Where in the fleet something is, as far as it is known. A pane opens at a place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Context.
    pub ctx: Option<Ctx>,
    /// Cluster.
    pub cluster: Option<Arn>,
    /// Service.
    pub service: Option<Arn>,
    /// Task.
    pub task: Option<Arn>,
    /// Container's name.
    pub container: Option<Str>,
    /// Target group.
    pub target_group: Option<Arn>,
    /// Container instance, by its ARN.
    pub instance: Option<Arn>,
}

/// What the cursor is on: the subject of logs, describe, copy and the rest.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Subject {
    /// Where it is.
    pub place: Place,
    /// Texts for the copy menu: key, label, text.
    pub copies: Vec<(char, &'static str, String)>,
    /// Whether the row is gone from AWS's answers: shown as a ghost, its actions off.
    pub ghost: bool,
}

/// A line of input that a view can take: the prompt is drawn and edited by the app, the view hears every change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// Keep what matches (`/` in tables, `&` in text).
    Filter,
    /// Go to what matches (`/` in text).
    Search,
    /// Go to a time (`T` in logs).
    Time,
    /// A file to save to.
    Save,
    /// A tag or an image to deploy.
    Image,
    /// A task definition, by family and revision.
    Family,
    /// Ports to forward.
    Forward,
}

/// What a view hears that takes everything: a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Raw {
    /// A key, whatever the keymap says of it.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// The mouse, told from the corner of the screen.
    Pointed(Pointed),
    /// The window is looked at, or is not any more.
    Focus(bool),
}

/// What a view wants done after an action.
pub enum Reaction {
    /// The action means nothing here.
    Ignored,
    /// Something changed; draw.
    Redraw,
    /// The cursor is on another row and nothing else changed: what [`View::redraw`] draws is enough.
    Moved,
    /// Put another view on top.
    Open(Box<dyn View>),
    /// Open the pane of that name at what the cursor is on.
    Go(&'static str),
    /// Offer a choice: a title, and letters with their words; the letter comes back through [`View::choose`].
    Choose(&'static str, Vec<(char, String)>),
    /// Leave this view.
    Leave,
    /// Say something in the status line.
    Notice(Notice),
    /// Put text on the clipboard; the label says what it is.
    Copy(String, Cow<'static, str>),
    /// Ask for a line of input, starting with this text.
    Ask(Prompt, String),
    /// Write a text file; the app says how it went.
    Save(std::path::PathBuf, String),
    /// What was typed cannot be taken, and why: the line stays open with it, and what was applied before it was typed holds.
    Refuse(String),
    /// Ask the feeds of this view again at once.
    Refresh,
    /// Open the dialog of a change.
    Change(Vec<Target>, Box<Wish>),
    /// Forward a port.
    Forward(Box<crate::exec::forwards::Target>),
    /// End a forward, or forget it when it is over.
    EndForward(u64),
    /// Send bytes to a session: what the operator typed.
    Send(u64, Vec<u8>),
    /// End a session, or forget it when it is over, and leave its view when there is no other.
    EndSession(u64),
    /// Open the dialog of a session to where this one was.
    SessionAgain(u64),
}

/// A sentence for the status line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// How it is meant.
    pub tone: Tone,
    /// One line.
    pub text: String,
}

/// How a sentence is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Done, or good to know.
    Info,
    /// Worth a look.
    Warn,
    /// It did not work.
    Fail,
}

/// An open pane.
pub trait View {
    /// The pane's name: the word of the palette and of the configuration.
    fn name(&self) -> &'static str;

    /// Which keymap it answers to.
    fn kind(&self) -> Kind;

    /// Its step in the breadcrumb, such as `checkout › tasks`; shown after the fleet's and the cluster's.
    fn crumb(&self, cx: &Cx) -> String;

    /// What it wants watched while it is visible. Called after every change; cheap.
    fn wanted(&self, cx: &Cx, out: &mut Vec<Wanted>);

    /// Follows the store after `changed` feeds brought news; an empty list means that anything may be different.
    fn sync(&mut self, cx: &Cx, changed: &[Feed]);

    /// Answers an action.
    fn act(&mut self, action: Action, cx: &Cx) -> Reaction;

    /// Hears the line of input after every key, and with `done` when the operator presses Enter.
    fn input(&mut self, prompt: Prompt, text: &str, done: bool, cx: &Cx) -> Reaction;

    /// What its filter understands, in words for the line below it.
    fn filter_words(&self) -> String {
        String::new()
    }

    /// Columns that its filter may name.
    fn columns(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Hears a letter of the menu that it offered by [`Reaction::Choose`].
    fn choose(&mut self, _title: &'static str, _letter: char, _cx: &Cx) -> Reaction {
        Reaction::Ignored
    }

    /// Esc: peels one layer (marks, filter, selection …). Returns false when there is none left and the view may be left.
    fn peel(&mut self, cx: &Cx) -> bool;

    /// What the cursor is on.
    fn subject(&self, cx: &Cx) -> Subject;

    /// What the marked rows are the subjects of, and the identities of marked rows that AWS no longer lists.
    fn marked(&self, _cx: &Cx) -> (Vec<Subject>, Vec<Str>) {
        (Vec::new(), Vec::new())
    }

    /// Seconds after which what is drawn will look different though nothing was heard (ages, spinners); `None` when it will not.
    fn ages(&self, cx: &Cx) -> Option<u32>;

    /// Time has passed without a key or news. Returns whether something is different now.
    fn tick(&mut self, _cx: &Cx) -> bool {
        false
    }

    /// Draws into the area; draws what is visible and nothing else.
    fn draw(&mut self, area: Rect, buf: &mut Buffer, cx: &Cx);

    /// Draws over the last frame what [`Reaction::Moved`] changed, and returns the rows of the terminal that it touched. Nothing when all
    /// must be drawn.
    fn redraw(&mut self, _area: Rect, _buf: &mut Buffer, _cx: &Cx) -> Option<Vec<u16>> {
        None
    }

    /// Rows or columns of the terminal that a click or the wheel hit, relative to the last drawn area. Returns whether something moved.
    fn click(&mut self, _column: u16, _row: u16, _cx: &Cx) -> bool {
        false
    }

    /// Whether every key, paste and turn of the mouse is its own, as in a terminal. Then no keymap is asked, and the way out is its own too.
    fn takes_all(&self) -> bool {
        false
    }

    /// Hears what it takes.
    fn hear(&mut self, _raw: Raw, _cx: &Cx) -> Reaction {
        Reaction::Ignored
    }

    /// Where the terminal's cursor belongs, as it was drawn last.
    fn cursor(&self) -> Option<Position> {
        None
    }

    /// Whether it is drawn over the whole screen, without header and footer.
    fn whole_screen(&self) -> bool {
        false
    }

    /// The session whose terminal it shows, and the columns and rows that this has in such an area.
    fn terminal(&self, _area: Rect, _cx: &Cx) -> Option<(u64, (u16, u16))> {
        None
    }

    /// The line of keys, where they are not those of the keymap.
    fn keys_line(&self, _cx: &Cx) -> Option<Vec<(String, &'static str)>> {
        None
    }

    /// For the right end of the breadcrumb line: filter, order, and the like.
    fn status(&self, cx: &Cx) -> String;

    /// The actions to offer in the line of hints, most useful first; those that do nothing now are left out by whoever shows them.
    fn hints(&self) -> &'static [Action];

    /// Whether an action would do something here now, for the keys that are offered; `None` for one that the view leaves to the program.
    /// [`Action::Back`] is about peeling a layer, not about leaving.
    fn can(&self, action: Action, cx: &Cx) -> Option<bool>;
}
