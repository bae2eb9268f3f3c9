use foundation_types::SystemClock;
use tower_layer::Layer;

use super::BulkheadService;
use crate::bulkhead::Bulkhead;

/// What a service does with a request when every permit is out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum WhenFull {
    /// It is ready all the same, and the call is rejected. Nothing waits.
    #[default]
    Reject,
    /// It is not ready until a permit is handed to it: back-pressure. A wait that the bulkhead bounds, or does not take
    /// into the line, ends in readiness and a call that is rejected.
    Wait,
}

/// Puts a [`Bulkhead`] in front of a service. All services made by clones of one layer share it.
///
/// ```
/// use foundation_resources::bulkhead::{Bulkhead, BulkheadLayer, WhenFull};
/// # use tower::{Layer, service_fn};
/// # async fn search(query: String) -> Result<Vec<String>, std::io::Error> { Ok(vec![query]) }
///
/// let bulkhead = Bulkhead::builder(16).max_waiting(64).build()?;
/// let service = BulkheadLayer::new(bulkhead.clone()).when_full(WhenFull::Wait).layer(service_fn(search));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct BulkheadLayer<C: foundation_types::Clock = SystemClock> {
    bulkhead: Bulkhead<C>,
    when_full: WhenFull,
}

impl<C: foundation_types::Clock> BulkheadLayer<C> {
    /// A layer with this bulkhead, which rejects calls while it is full.
    pub const fn new(bulkhead: Bulkhead<C>) -> Self {
        Self { bulkhead, when_full: WhenFull::Reject }
    }

    /// What its services do when every permit is out.
    #[must_use]
    pub const fn when_full(mut self, when_full: WhenFull) -> Self {
        self.when_full = when_full;
        self
    }
}

impl<S, C: foundation_types::Clock + Clone> Layer<S> for BulkheadLayer<C> {
    type Service = BulkheadService<S, C>;

    fn layer(&self, inner: S) -> Self::Service {
        BulkheadService::new(inner, self.bulkhead.clone(), self.when_full)
    }
}
