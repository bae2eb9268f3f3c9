//! Middleware for `tower`: requests are counted before the service is called.
//!
//! [`RateLimitLayer`] refuses what does not fit, [`ThrottleLayer`] lets it wait. Both take a [`Policy`], which says what a request
//! counts against: an `Arc` of a [`Limiter`](super::Limiter) for all requests together, or [`ByKey`] for each caller apart.
//!
//! ```
//! use std::convert::Infallible;
//! use std::sync::Arc;
//! use foundation_resources::rate_limit::tower::{ByKey, RateLimitError, RateLimitLayer};
//! use foundation_resources::rate_limit::{Quota, RateLimiter, SlidingWindow};
//! use tower::{Layer, ServiceExt, service_fn};
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let limiter: Arc<RateLimiter<String, SlidingWindow>> = Arc::default();
//! let by_user = ByKey::new(limiter, Quota::per_minute(1), |user: &String| user.clone());
//! let greet = service_fn(|user: String| async move { Ok::<_, Infallible>(format!("hello {user}")) });
//! let service = RateLimitLayer::new(by_user).layer(greet);
//!
//! assert_eq!(service.clone().oneshot("alice".to_owned()).await, Ok("hello alice".to_owned()));
//! let error = service.clone().oneshot("alice".to_owned()).await.expect_err("one a minute");
//! assert!(matches!(error, RateLimitError::Denied(denial) if denial.retry_after.is_some()));
//! assert!(service.oneshot("bob".to_owned()).await.is_ok());
//! # }
//! ```
//!
//! A request is counted when the service is called, not when it is asked whether it is ready: readiness that nobody uses spends
//! nothing.

mod error;
mod policy;
mod refuse;
mod throttle;

pub use self::error::RateLimitError;
pub use self::policy::{ByKey, Policy, Wait};
pub use self::refuse::{RateLimitFuture, RateLimitLayer, RateLimitService};
pub use self::throttle::{ThrottleFuture, ThrottleLayer, ThrottleService};
