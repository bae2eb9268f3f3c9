//! The original's `Foundation.Services`.

pub mod service_behaviour;
