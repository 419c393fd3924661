//! Midwatch.
