//! What comes from the terminal: keys, pasted text, clicks, a new size, focus. One stream with one owner.

use crate::keys::{Button, Key, Pointed, Pointing};
use crossterm::event::{Event, EventStream, KeyModifiers, MouseButton, MouseEventKind};
use futures_util::StreamExt;
use std::io;
use std::time::Duration;

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
    /// It asks the reader that is behind the stream: the stream itself would set its thread to wait for the next key, which wakes that
    /// thread, while this key's frame has not been drawn.
    pub fn ready(&mut self) -> Option<TerminalEvent> {
        // The next call of `next` meets an error or the end again and says so.
        while let Ok(true) = crossterm::event::poll(Duration::ZERO) {
            if let Some(event) = translated(crossterm::event::read().ok()?) {
                return Some(event);
            }
        }
        None
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
