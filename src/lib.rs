//! Midwatch: the map of the house.
//!
//! Feeds fill a store, panes read the store, keys become actions, actions become effects, and one function performs effects.

pub mod aws;
pub mod budget;
pub mod feed;
pub mod model;
pub mod retry;
pub mod sim;
pub mod text;
pub mod watch;
