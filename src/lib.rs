//! Midwatch: the map of the house.
//!
//! Feeds fill a store, panes read the store, keys become actions, actions become effects, and one function performs effects.

pub mod action;
pub mod app;
pub mod aws;
pub mod budget;
pub mod cli;
pub mod config;
pub mod duration;
pub mod feed;
pub mod filter;
pub mod keys;
pub mod logs;
pub mod model;
pub mod nearest;
pub mod panes;
pub mod retry;
pub mod run;
pub mod settings;
pub mod sim;
pub mod store;
pub mod terminal;
pub mod text;
pub mod theme;
pub mod ui;
pub mod verdict;
pub mod view;
pub mod watch;
