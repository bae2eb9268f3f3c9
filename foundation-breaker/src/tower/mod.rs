//! Middleware for [tower](https://docs.rs/tower): a breaker around a service, or one for each key of its requests.
//!
//! | layer | breaker | while the circuit is open |
//! |---|---|---|
//! | [`BreakerLayer`] | one | `call` is refused at once, without touching the service |
//! | [`BreakerLayer::back_pressure`] | one | `poll_ready` waits, and wakes the task when it may go on |
//! | [`KeyedBreakerLayer`] | one of each key, such as the host | `call` is refused at once, for that key |
//!
//! The breaker is a handle of its own: it observes the circuit, and holds it open or lifts it, while services come and go.
//!
//! ```
//! use std::convert::Infallible;
//! use foundation_breaker::{CallError, CircuitBreaker, Outcome, TripPolicy};
//! use foundation_breaker::tower::{BreakerLayer, on_response};
//! use foundation_types::Name;
//! use tower::{Service, ServiceBuilder, ServiceExt, service_fn};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! let breaker = CircuitBreaker::builder(Name::from_static("search"))
//!     .trip(TripPolicy::ConsecutiveFailures { threshold: 1 })
//!     .build()?;
//! let not_5xx = on_response(|status: &u16| if *status < 500 { Outcome::Success } else { Outcome::Failure });
//! let mut service = ServiceBuilder::new()
//!     .layer(BreakerLayer::new(breaker.clone()).classify(not_5xx))
//!     .service(service_fn(|status: u16| async move { Ok::<_, Infallible>(status) }));
//!
//! assert!(matches!(service.ready().await?.call(503).await, Ok(503)), "the response itself passes through");
//! assert!(matches!(service.ready().await?.call(200).await, Err(CallError::Rejected(_))), "never made");
//! breaker.reset();
//! assert!(matches!(service.ready().await?.call(200).await, Ok(200)));
//! # Ok::<_, Box<dyn std::error::Error>>(()) })?;
//! # Ok::<_, Box<dyn std::error::Error>>(())
//! ```
//!
//! # What counts
//! A call counts when the future of the service is ready, by its [`FailureClassifier`](crate::FailureClassifier):
//! [`AnyErr`](crate::AnyErr) unless another is given. [`on_status`] and [`on_response`] look at responses without
//! asking for a crate of HTTP types. What happens after the response, such as an error in the stream of its body, and errors
//! of the service's own `poll_ready`, count for nothing; report them with [`CircuitBreaker::melt`](crate::CircuitBreaker::melt)
//! where they should.
//!
//! # Time limits
//! A limit *outside* the breaker drops the call, which counts as the [`CancelPolicy`](crate::CancelPolicy) says, by default
//! as nothing. Put it *inside*, below the breaker, for a service that hangs to count as failing:
//!
//! ```
//! # use std::time::Duration;
//! # use foundation_breaker::{CircuitBreaker, tower::BreakerLayer};
//! # use foundation_types::Name;
//! # use tower::{ServiceBuilder, timeout::TimeoutLayer};
//! # let breaker = CircuitBreaker::builder(Name::from_static("search")).build()?;
//! let stack = ServiceBuilder::new().layer(BreakerLayer::new(breaker)).layer(TimeoutLayer::new(Duration::from_secs(5)));
//! # Ok::<_, foundation_breaker::OptionsError>(())
//! ```
//!
//! # Why this shape
//! Being ready takes no permit, so that a service that is ready and never called takes no place from the probes of a half-open
//! circuit. The price is that readiness promises nothing: who was ready may still be refused, when others came first or the
//! circuit opened in between.

mod classify;
mod future;
mod keyed;
mod layer;
mod service;

pub use self::classify::{OnResponse, OnStatus, on_response, on_status};
pub use self::future::ResponseFuture;
pub use self::keyed::{BreakerKey, KeyedBreakerLayer, KeyedBreakerService, KeyedCallError};
pub use self::layer::BreakerLayer;
pub use self::service::BreakerService;
