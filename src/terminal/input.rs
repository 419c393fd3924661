//! What comes from the terminal: keys, pasted text, clicks, a new size, focus. One stream with one owner.

use crate::keys::{Button, Key, Pointed, Pointing};
use crossterm::event::{Event, EventStream, KeyModifiers, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use std::future::poll_fn;
use std::io;
use std::task::Poll;

/// Something that the operator did, or the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TerminalEvent {
    /// A key press.
    Key(Key),
    /// Text that was pasted: never a command.
    Paste(String),
    /// The mouse.
    Mouse(Pointed),
    /// The screen has another size.
    Resize,
    /// The terminal's window is looked at, or is not any more.
    Focus(bool),
}

/// The stream of events; reads the terminal as long as it lives.
pub struct Input {
    events: EventStream,
}

impl Default for Input {
    fn default() -> Input {
        Input::new()
    }
}

impl Input {
    /// Starts to read.
    #[must_use]
    pub fn new() -> Input {
        Input { events: EventStream::new() }
    }

    /// The next event; `None` when the terminal is gone. Nothing is lost when the future is dropped.
    ///
    /// # Errors
    /// When the terminal cannot be read.
    pub async fn next(&mut self) -> Option<io::Result<TerminalEvent>> {
        loop {
            match self.events.next().await? {
                Ok(event) => {
                    if let Some(event) = translated(event) {
                        return Some(Ok(event));
                    }
                }
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// The next event if it is here already, to drain what queued up before a frame is drawn. Never waits.
    ///
    /// It looks with the caller's own waker: the stream wakes whoever looked first in vain, and a look with a waker that wakes nobody
    /// would leave the next key lying until something else happens.
    pub async fn ready(&mut self) -> Option<TerminalEvent> {
        loop {
            match poll_fn(|cx| Poll::Ready(self.events.poll_next_unpin(cx))).await {
                Poll::Ready(Some(Ok(event))) => {
                    if let Some(event) = translated(event) {
                        return Some(event);
                    }
                }
                // The next call of `next` meets an error or the end again and says so.
                Poll::Ready(Some(Err(_)) | None) | Poll::Pending => return None,
            }
        }
    }
}

fn translated(event: Event) -> Option<TerminalEvent> {
    match event {
        Event::Key(key) => Key::from_event(&key).map(TerminalEvent::Key),
        Event::Paste(text) => Some(TerminalEvent::Paste(text)),
        Event::Resize(..) => Some(TerminalEvent::Resize),
        Event::FocusGained => Some(TerminalEvent::Focus(true)),
        Event::FocusLost => Some(TerminalEvent::Focus(false)),
        Event::Mouse(mouse) => {
            let what = match mouse.kind {
                MouseEventKind::Down(which) => Pointing::Press(button(which)),
                MouseEventKind::Up(which) => Pointing::Release(button(which)),
                MouseEventKind::Drag(which) => Pointing::Drag(button(which)),
                MouseEventKind::Moved => Pointing::Move,
                MouseEventKind::ScrollUp => Pointing::WheelUp,
                MouseEventKind::ScrollDown => Pointing::WheelDown,
                MouseEventKind::ScrollLeft | MouseEventKind::ScrollRight => return None,
            };
            let with = |modifier| mouse.modifiers.contains(modifier);
            let (shift, alt, ctrl) = (with(KeyModifiers::SHIFT), with(KeyModifiers::ALT), with(KeyModifiers::CONTROL));
            Some(TerminalEvent::Mouse(Pointed { what, column: mouse.column, row: mouse.row, shift, alt, ctrl }))
        }
    }
}

fn button(button: MouseButton) -> Button {
    match button {
        MouseButton::Left => Button::Left,
        MouseButton::Middle => Button::Middle,
        MouseButton::Right => Button::Right,
    }
}
