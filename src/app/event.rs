//! What comes into the program's state, and what goes out of it.

use crate::budget::Meter;
use crate::change::apply::{Order, Progress};
use crate::change::gate::Rules;
use crate::change::journal::Record;
use crate::exec::Ask;
use crate::exec::shells::{self, Heard};
use crate::exec::term::Mouse;
use crate::feed::{Feed, Update};
use crate::keys::{Key, Pointed};
use crate::model::{Ctx, Task};
use crate::theme::Theme;
use crate::view::Notice;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// What can happen.
#[derive(Debug)]
pub enum Event {
    /// A key was pressed.
    Key(Key),
    /// Text was pasted; it is never a command.
    Paste(String),
    /// Text came as keys, faster than anybody types: the rest of it is dropped.
    Burst,
    /// The terminal has this size now, columns and rows.
    Resize(u16, u16),
    /// The terminal gained or lost the focus.
    Focus(bool),
    /// A click at a column and row of the screen.
    Click(u16, u16),
    /// The wheel turned by so many lines; negative is up.
    Scroll(i32),
    /// The mouse, for a view that takes all of it; see [`super::App::takes_all`].
    Pointed(Pointed),
    /// A session inside a container has something to say.
    Session(u64, Heard),
    /// A poll has something to say.
    Update(Box<Update>),
    /// No more keys wait to be heard: what a key confirmed counts only now, for keys that come all at once confirm nothing.
    Rest,
    /// Time has passed.
    Tick,
    /// The budget's figures for the header.
    Meter(Meter),
    /// Something that an effect did, or failed to do, in a sentence.
    Said(Notice),
    /// Other colours.
    Theme(Box<Theme>),
    /// Stopped tasks that an earlier run had seen.
    Recalled(Vec<Task>),
    /// How an order stands.
    Progress(u64, Progress),
    /// What the gate for writes goes by now.
    Gate(Box<Rules>),
    /// Records of the journal: those of earlier runs when the program starts, then each as it is written.
    Journal(Vec<Record>),
    /// What was told of a port forward.
    Forward(u64, crate::exec::forwards::Heard),
    /// The system wants the program to end.
    Terminate,
}

/// What the loop must do to the world.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Put text on the clipboard; the label says what it is.
    Copy(String, String),
    /// Write a file.
    Save(PathBuf, String),
    /// Ask these feeds again at once.
    Poke(Vec<Feed>),
    /// Give the terminal back to the shell until the shell gives it back.
    Suspend,
    /// Draw every cell anew.
    Repaint,
    /// Read the theme of that name and bring it by [`Event::Theme`].
    Theme(String),
    /// Write these stopped tasks where the next run finds them.
    Keep(Vec<Arc<Task>>),
    /// Poll slowly, because nobody looks, or at the usual pace.
    Focused(bool),
    /// Start the trouble of that name in the embedded AWS.
    Drill(String),
    /// Carry out what the operator confirmed, and tell of it by [`Event::Progress`].
    Apply(Box<Order>),
    /// Let a context's production be written to for a while, or lock it again when no time is given; [`Event::Gate`] tells how it stands.
    Arm(Ctx, Duration),
    /// A release that is watched has ended: ring, and tell the desktop.
    Ring {
        /// Ring the terminal's bell.
        bell: bool,
        /// What the desktop is to show.
        notify: Option<String>,
    },
    /// Name the terminal's window.
    Title(String),
    /// Open a port forward, and tell of it by [`Event::Forward`].
    Forward(Box<crate::exec::forwards::Order>),
    /// End a port forward.
    EndForward(u64),
    /// Open a session inside a container, and tell of it by [`Event::Session`].
    Session(Box<shells::Order>),
    /// Tell a session something.
    Tell(u64, Ask),
    /// Hear so much of the mouse from now on; never less than clicks.
    Mouse(Mouse),
}
