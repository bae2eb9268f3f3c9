//! What puts the breakers of a set around a service.

use std::fmt;
use std::sync::Arc;

use foundation_types::SystemClock;
use tower_layer::Layer;

use super::service::KeyedBreakerService;
use crate::classify::AnyErr;
use crate::options::Options;
use crate::set::BreakerSet;

/// Puts the breakers of a [`BreakerSet`] around services: each request goes through the one that its key names, which is made
/// when the key first occurs.
///
/// The set bounds the memory, and is the handle to observe and to operate the circuits with. Keys that others choose, such as
/// the host of a URL, can fill it; a set of [`WhenFull::EvictIdle`](crate::WhenFull::EvictIdle) then gives up breakers that
/// nobody would miss, and refuses new keys only if it finds none.
///
/// There is no back-pressure by key: which circuit a call has to wait for is not known before the call.
///
/// ```
/// use std::num::NonZeroUsize;
/// use std::sync::Arc;
/// use foundation_breaker::tower::{KeyedBreakerLayer, KeyedCallError};
/// use foundation_breaker::{BreakerSet, Options, Recovery, TripPolicy, WhenFull};
/// use foundation_types::Name;
/// use tower::{Layer, Service, ServiceExt, service_fn};
///
/// struct Request { host: &'static str }
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let set = BreakerSet::new().limit(NonZeroUsize::new(1_000).expect("not zero"), WhenFull::EvictIdle);
/// let hosts = Arc::new(set);
/// let options = Options::new(TripPolicy::ConsecutiveFailures { threshold: 1 }, Recovery::Probe(Default::default()))?;
/// let layer = KeyedBreakerLayer::new(Arc::clone(&hosts), |request: &Request| Name::new(request.host)).options(options);
/// let mut service = layer.layer(service_fn(|request: Request| async move {
///     if request.host == "bad.example" { Err("unreachable") } else { Ok(()) }
/// }));
///
/// let mut ask = async |host| service.ready().await?.call(Request { host }).await;
/// assert_eq!(ask("bad.example").await, Err(KeyedCallError::Operation("unreachable")));
/// assert!(matches!(ask("bad.example").await, Err(KeyedCallError::Rejected(_))));
/// assert_eq!(ask("good.example").await, Ok(()));
/// assert!(matches!(ask("").await, Err(KeyedCallError::InvalidKey(_))));
/// hosts.get("bad.example").expect("it is there since its first call").reset();
/// # Ok::<_, Box<dyn std::error::Error>>(()) })?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub struct KeyedBreakerLayer<N, K = AnyErr, C = SystemClock> {
    set: Arc<BreakerSet<C>>,
    name: N,
    options: Options,
    classify: K,
}

impl<N, C> KeyedBreakerLayer<N, AnyErr, C> {
    /// A layer whose services send each request through the breaker of `set` that `name`, a
    /// [`BreakerKey`](super::BreakerKey), finds for it. Errors are failures, and new breakers have the default [`Options`].
    pub fn new(set: Arc<BreakerSet<C>>, name: N) -> Self {
        Self { set, name, options: Options::default(), classify: AnyErr }
    }
}

impl<N, K, C> KeyedBreakerLayer<N, K, C> {
    /// With `options` for new breakers. Those that the set has already, for example because a key was
    /// [installed](BreakerSet::install) with options of its own, stay as they are.
    pub fn options(mut self, options: Options) -> Self {
        self.options = options;
        self
    }

    /// With `classify` to say what results mean: a [`FailureClassifier`](crate::FailureClassifier) of
    /// `Result<S::Response, S::Error>`, for example [`on_status`](crate::tower::on_status) or a function.
    ///
    /// Each call that is let through has a clone of it; where that is costly, have it behind an `Arc`.
    pub fn classify<L>(self, classify: L) -> KeyedBreakerLayer<N, L, C> {
        KeyedBreakerLayer { set: self.set, name: self.name, options: self.options, classify }
    }

    /// The breakers.
    pub const fn set(&self) -> &Arc<BreakerSet<C>> {
        &self.set
    }
}

impl<S, N: Clone, K: Clone, C> Layer<S> for KeyedBreakerLayer<N, K, C> {
    type Service = KeyedBreakerService<S, N, K, C>;

    fn layer(&self, inner: S) -> Self::Service {
        KeyedBreakerService {
            inner,
            set: Arc::clone(&self.set),
            name: self.name.clone(),
            options: self.options.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<N: Clone, K: Clone, C> Clone for KeyedBreakerLayer<N, K, C> {
    fn clone(&self) -> Self {
        Self {
            set: Arc::clone(&self.set),
            name: self.name.clone(),
            options: self.options.clone(),
            classify: self.classify.clone(),
        }
    }
}

impl<N, K, C> fmt::Debug for KeyedBreakerLayer<N, K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyedBreakerLayer").field("options", &self.options).finish_non_exhaustive()
    }
}
