//! The only door to AWS: SDK replies become model values here, paging and batch limits live here, errors become one clear line here.
//!
//! It knows budgets, but not panes: what is asked, and how often, is the watcher's affair.

mod access;
mod api;
mod batch;
mod connect;
mod convert;
mod direct;
mod error;
mod exec;
mod failure;
mod http;
mod interceptors;
mod logs;
mod poll;
mod profile;
mod queue;
mod reread;
mod sign;
mod sweep;
mod target_groups;
mod unchanged;
mod write;

pub use api::{Api, Clients, connect};
pub use connect::ContextSpec;
pub use error::{AwsError, ErrorKind};
pub use logs::{LiveBatch, LiveTail, LogGroup, LogPage, RawEvent};
pub use poll::Poll;
pub use queue::Budget;
pub use sweep::Parts;
pub use write::Sent;
