//! The common error record, its vocabulary, and the contexts errors arise in.
//!
//! Crates keep narrow error types of their own; an [`Error`] is for boundaries, logs, storage and wires. [`Classify`]
//! leads from the one to the other.
//!
//! | to | use |
//! |---|---|
//! | make an error | [`Error::new`] and its `with_…` methods |
//! | decide what to do about one | [`Error::kind`], [`Error::severity`], [`Error::retry_advice`] |
//! | say more on its way up | [`ResultExt::wrap`], [`Error::caused_by`], [`ErrorContext::enhance`] |
//! | know what was going on | [`ErrorContext::scope`], [`ErrorContext::catch`], [`ErrorContext::instrument`] |
//! | store or send it | [`Error::to_json`], [`Error::from_json`] |

#[cfg(feature = "agent")]
mod agent;
mod agent_data;
mod breadcrumb;
mod build;
mod cause;
mod classify;
mod context;
mod correlation;
mod decode;
mod definition;
mod distributed;
mod enhance;
mod exception;
mod frame;
mod json;
mod kind;
mod metrics;
mod ranges;
mod record;
mod recovery;
mod redact;
mod retry;
mod scope;
mod text;
mod vocabulary;
mod wrap;

#[cfg(feature = "agent")]
pub use agent::{ErrorGroup, RecoveryPlan, correlate, recovery_plan, recovery_plan_gated};
pub use breadcrumb::{Breadcrumb, DEFAULT_BREADCRUMBS};
pub use cause::{Cause, MAX_CHAIN};
pub use classify::{Classify, classification};
pub use context::{ErrorContext, OperationId};
pub use correlation::CorrelationId;
pub use decode::DecodeError;
pub use definition::{Definition, Entry, UNKNOWN_CODE};
pub use distributed::DistributedContext;
pub use enhance::add_context;
pub use frame::{Frame, MAX_FRAMES};
pub use kind::{ErrorKind, OtherKind};
pub use metrics::collect_error_metrics;
pub use ranges::{CodeRange, category_of, is_in_category};
pub use record::Error;
pub use retry::{RetryAdvice, RetryDelay, RetryStrategy};
pub use scope::{ContextGuard, Instrumented};
pub use vocabulary::{
    Category, Domain, OtherCategory, OtherDomain, OtherSubcategory, Severity, Subcategory, UnknownWord,
};
pub use wrap::{ResultExt, Wrap, WrapOpts};
