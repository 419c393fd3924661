//! Midwatch.

pub mod sim;
