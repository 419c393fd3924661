//! The tail engine: where a task's lines are (`streams`), how they arrive (`source`), where they are kept (`store`), which of them are
//! shown (`query`, `lens`) and how (`fields`, `layout`, `panel`, `view`).
//!
//! Lines are known by identity: they arrive late and out of order, are merged by time, and nothing that an operator looks at may slide away for it.
//! Only `source` knows that lines come over a network, only `view` that there is an application around.

mod fields;
mod layout;
mod lens;
mod level;
mod paint;
mod panel;
mod query;
#[cfg(test)]
pub mod sample;
mod seen;
pub mod source;
mod store;
mod streams;
mod view;

pub use lens::Lens;
pub use level::Level;
pub use paint::Paint;
pub use panel::{Look, Panel};
pub use query::{Pattern, Query, Term};
pub use store::{Buffer, Key, Line};
pub use streams::{Whereabouts, in_scope, whereabouts};
pub use view::LogView;
