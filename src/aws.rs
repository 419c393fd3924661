//! The only door to AWS: SDK replies become model values here, paging and batch limits live here, errors become one clear line here.

mod error;

pub use error::{AwsError, ErrorKind};
