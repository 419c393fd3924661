//! What is done with the mouse: for panes and for the terminals of sessions alike.

/// Something done with the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pointed {
    /// What was done.
    pub what: Pointing,
    /// From zero.
    pub column: u16,
    /// From zero.
    pub row: u16,
    /// With Shift, which some terminals keep for themselves.
    pub shift: bool,
    /// With Alt.
    pub alt: bool,
    /// With Ctrl.
    pub ctrl: bool,
}

/// What was done with the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pointing {
    /// A button went down.
    Press(Button),
    /// A button went up.
    Release(Button),
    /// The mouse moved while a button was down.
    Drag(Button),
    /// The mouse moved.
    Move,
    /// The wheel turned up by one notch.
    WheelUp,
    /// The wheel turned down by one notch.
    WheelDown,
}

/// A button of the mouse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are where they are")]
pub enum Button {
    Left,
    Middle,
    Right,
}
