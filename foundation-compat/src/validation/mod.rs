//! The original's `Foundation.Validation`.

pub mod config_validator;
pub(crate) mod record;
