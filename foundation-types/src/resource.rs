//! Resources: how much of what is used, and the seams through which crates tell each other.

mod ratio;
mod usage;
mod view;

pub use ratio::{Ratio, RatioError};
pub use usage::{CustomResource, InvalidResourceValue, ResourceKind, ResourceUsage, ResourceValue};
pub use view::{HealthSink, ResourceLevel, ResourceReading, ResourceView, Subject, UnknownResourceLevel};
