//! Widgets: they know the theme and model values, never AWS.

pub mod age;
pub(crate) mod cells;
pub mod frame;
pub mod help;
pub mod input;
pub mod table;
pub mod text_view;
