//! What the tests that start processes share: a terminal to run programs in, and Python environments for other people's clients.

pub mod python;
pub mod terminal;
