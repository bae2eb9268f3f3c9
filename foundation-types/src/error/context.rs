//! What an operation is doing, for the errors that arise in it.

use std::fmt;
use std::num::NonZeroUsize;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use super::breadcrumb::{Breadcrumb, Path};
use super::correlation::CorrelationId;
use super::redact::Redacted;
use crate::{Clock, Emitter, Metadata, MonoTime, SystemClock, Text, Timestamp, Value, format};

static NEXT_OPERATION: AtomicU64 = AtomicU64::new(1);

/// Tells one operation from every other in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OperationId(u64);

impl OperationId {
    fn next() -> Self {
        // Only distinctness matters, and the counter publishes no other memory.
        Self(NEXT_OPERATION.fetch_add(1, Ordering::Relaxed))
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

/// An operation: which function, since when, for which request, over which path, with what metadata.
///
/// Make it current for a thread with [`enter`](Self::enter), [`scope`](Self::scope) or [`catch`](Self::catch), for a
/// future with [`instrument`](Self::instrument), and lay it over errors with [`enhance`](Self::enhance). Cloning is
/// O(1) and gives the same operation.
///
/// ```
/// use foundation_types::error_context;
///
/// fn load() {
///     let context = error_context!().with_metadata("file", "fleet.toml");
///     assert_eq!(context.function(), "load");
///     context.scope(|| { /* work; ErrorContext::current() is this context */ });
/// }
/// # load();
/// ```
#[derive(Clone)]
pub struct ErrorContext(Arc<Operation>);

// A context never changes once made, so a panic while one is in use leaves nothing half-done in it.
impl UnwindSafe for ErrorContext {}
impl RefUnwindSafe for ErrorContext {}

#[derive(Clone)]
struct Operation {
    id: OperationId,
    module: Text,
    function: Text,
    correlation_id: CorrelationId,
    started: MonoTime,
    start_time: Timestamp,
    metadata: Metadata,
    path: Path,
    parent: Option<ErrorContext>,
    clock: Arc<dyn Clock>,
    emitter: Emitter,
}

impl ErrorContext {
    /// An operation that starts now on [`SystemClock`], with a fresh correlation id.
    pub fn new(module: impl Into<Text>, function: impl Into<Text>) -> Self {
        Self::timed_by(Arc::new(SystemClock), module, function)
    }

    /// An operation that starts now on `clock`, with a fresh correlation id.
    pub fn timed_by(clock: Arc<dyn Clock>, module: impl Into<Text>, function: impl Into<Text>) -> Self {
        let step = step(&*clock, module.into(), function.into(), Metadata::new());
        Self(Arc::new(Operation {
            id: OperationId::next(),
            module: step.module.clone(),
            function: step.function.clone(),
            correlation_id: CorrelationId::fresh(),
            started: step.at,
            start_time: step.timestamp,
            metadata: Metadata::new(),
            path: Path::new(step),
            parent: None,
            clock,
            emitter: Emitter::none(),
        }))
    }

    /// The context of the function that `marker` is an item of; called by [`error_context!`](crate::error_context).
    #[doc(hidden)]
    pub fn of_function<F>(module: &'static str, _marker: F) -> Self {
        let path = std::any::type_name::<F>();
        let path = path.rsplit_once("::").map_or(path, |(function, _marker)| function);
        // Inside a closure the path ends in `{{closure}}`, once per level.
        let path = path.trim_end_matches("::{{closure}}");
        Self::new(module, path.rsplit_once("::").map_or(path, |(_, function)| function))
    }

    /// An operation within this one: its own id and start, the same correlation id, clock and emitter, the metadata and
    /// path of this one to begin with.
    pub fn child(&self, module: impl Into<Text>, function: impl Into<Text>) -> Self {
        self.child_with(module, function, Metadata::new())
    }

    /// As [`child`](Self::child), with metadata laid over that of this operation.
    pub fn child_with(&self, module: impl Into<Text>, function: impl Into<Text>, metadata: Metadata) -> Self {
        let parent = &*self.0;
        let step = step(&*parent.clock, module.into(), function.into(), metadata.clone());
        let mut all_metadata = parent.metadata.clone();
        all_metadata.extend(metadata);
        let (module, function, started, start_time) =
            (step.module.clone(), step.function.clone(), step.at, step.timestamp);
        let mut path = parent.path.clone();
        path.push(step);
        Self(Arc::new(Operation {
            id: OperationId::next(),
            module,
            function,
            correlation_id: parent.correlation_id.clone(),
            started,
            start_time,
            metadata: all_metadata,
            path,
            parent: Some(self.clone()),
            clock: Arc::clone(&parent.clock),
            emitter: parent.emitter.clone(),
        }))
    }

    /// This operation with one more step on its path. O(1) amortised unless the context was cloned before.
    #[must_use]
    pub fn breadcrumb(mut self, module: impl Into<Text>, function: impl Into<Text>, metadata: Metadata) -> Self {
        let operation = self.make_mut();
        let step = step(&*operation.clock, module.into(), function.into(), metadata);
        operation.path.push(step);
        self
    }

    /// This operation with one entry of metadata set.
    #[must_use]
    pub fn with_metadata(mut self, key: impl Into<Text>, value: impl Into<Value>) -> Self {
        self.make_mut().metadata.insert(key, value);
        self
    }

    /// This operation with `entries` laid over its metadata.
    #[must_use]
    pub fn with_metadata_map(mut self, entries: Metadata) -> Self {
        self.make_mut().metadata.extend(entries);
        self
    }

    /// This operation as part of the request `id`.
    #[must_use]
    pub fn with_correlation_id(mut self, id: impl Into<CorrelationId>) -> Self {
        self.make_mut().correlation_id = id.into();
        self
    }

    /// This operation as part of `parent`, without taking anything over from it.
    #[must_use]
    pub fn with_parent(mut self, parent: Self) -> Self {
        self.make_mut().parent = Some(parent);
        self
    }

    /// This operation with at most `limit` steps on its path (100 unless told otherwise): the first always stays, of
    /// the others the latest.
    #[must_use]
    pub fn with_breadcrumb_limit(mut self, limit: NonZeroUsize) -> Self {
        self.make_mut().path.set_limit(limit);
        self
    }

    /// This operation with a place to emit its events; children inherit it.
    ///
    /// [`scope`](Self::scope), [`catch`](Self::catch) and [`instrument`](Self::instrument) then emit
    /// `foundation.operations.duration` when they end without a panic, and `catch` counts the panics it catches.
    #[must_use]
    pub fn with_emitter(mut self, emitter: Emitter) -> Self {
        self.make_mut().emitter = emitter;
        self
    }

    fn make_mut(&mut self) -> &mut Operation {
        Arc::make_mut(&mut self.0)
    }

    /// What tells this operation from others. Builders keep it, children have their own.
    pub fn operation_id(&self) -> OperationId {
        self.0.id
    }

    /// Where the operation is implemented.
    pub fn module(&self) -> &str {
        &self.0.module
    }

    /// What implements it.
    pub fn function(&self) -> &str {
        &self.0.function
    }

    /// Which request it belongs to.
    pub fn correlation_id(&self) -> &CorrelationId {
        &self.0.correlation_id
    }

    /// When it started, in wall time.
    pub fn start_time(&self) -> Timestamp {
        self.0.start_time
    }

    /// What is known about it.
    pub fn metadata(&self) -> &Metadata {
        &self.0.metadata
    }

    /// The operation it is part of.
    pub fn parent(&self) -> Option<&Self> {
        self.0.parent.as_ref()
    }

    /// The path so far, oldest first; at least the step of the operation that began it.
    pub fn breadcrumbs(&self) -> impl Iterator<Item = &Breadcrumb> {
        self.0.path.iter()
    }

    /// How many steps the limit of the path cost.
    pub fn dropped_breadcrumbs(&self) -> u64 {
        self.0.path.dropped()
    }

    /// How long the operation has been running, by its monotonic clock.
    pub fn elapsed(&self) -> Duration {
        self.0.clock.mono().saturating_since(self.0.started)
    }

    /// The path as one line: `module.function (D ago)`, joined with ` -> `.
    pub fn format_breadcrumbs(&self) -> String {
        let now = self.0.clock.mono();
        let steps = self.breadcrumbs().map(|step| {
            format!("{}.{} ({} ago)", step.module, step.function, format::duration(now.saturating_since(step.at)))
        });
        steps.collect::<Vec<_>>().join(" -> ")
    }

    /// What errors keep of the operation: `operation_id`, `correlation_id`, `breadcrumbs`, `duration_ns`, `metadata`.
    pub fn operation_context(&self) -> Metadata {
        Metadata::new()
            .with("operation_id", i64::try_from(self.0.id.get()).unwrap_or(i64::MAX))
            .with("correlation_id", self.0.correlation_id.clone())
            .with("breadcrumbs", Value::List(self.breadcrumbs().map(Breadcrumb::to_value).collect()))
            .with("duration_ns", i64::try_from(self.elapsed().as_nanos()).unwrap_or(i64::MAX))
            .with("metadata", self.0.metadata.clone())
    }

    pub(super) fn emitter(&self) -> &Emitter {
        &self.0.emitter
    }

    pub(super) fn clock(&self) -> &dyn Clock {
        &*self.0.clock
    }
}

fn step(clock: &dyn Clock, module: Text, function: Text, metadata: Metadata) -> Breadcrumb {
    Breadcrumb { module, function, timestamp: clock.wall(), at: clock.mono(), metadata }
}

impl Drop for Operation {
    /// Unlinks the parents one by one: a long line of descent must not take a stack frame per generation.
    fn drop(&mut self) {
        let mut next = self.parent.take();
        while let Some(ErrorContext(operation)) = next {
            next = Arc::into_inner(operation).and_then(|mut operation| operation.parent.take());
        }
    }
}

impl PartialEq for ErrorContext {
    /// Whether both are the same operation in the same state.
    fn eq(&self, other: &Self) -> bool {
        let (one, two) = (&*self.0, &*other.0);
        Arc::ptr_eq(&self.0, &other.0)
            || (one.id == two.id
                && one.correlation_id == two.correlation_id
                && one.metadata == two.metadata
                && one.path.dropped() == two.path.dropped()
                && one.path.iter().eq(two.path.iter()))
    }
}

impl fmt::Debug for ErrorContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ErrorContext")
            .field("operation_id", &self.0.id.get())
            .field("module", &self.0.module)
            .field("function", &self.0.function)
            .field("correlation_id", &self.0.correlation_id)
            .field("start_time", &self.0.start_time)
            .field("metadata", &Redacted::whole(&self.0.metadata))
            .field("breadcrumbs", &self.format_breadcrumbs())
            .finish_non_exhaustive()
    }
}

/// An [`ErrorContext`] for the function it stands in, that starts now.
///
/// ```
/// fn connect() -> foundation_types::ErrorContext {
///     foundation_types::error_context!()
/// }
/// assert_eq!(connect().function(), "connect");
/// ```
#[macro_export]
macro_rules! error_context {
    () => {{
        fn marker() {}
        $crate::error::ErrorContext::of_function(::core::module_path!(), marker)
    }};
}
