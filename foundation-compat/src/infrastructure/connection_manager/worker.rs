//! Workers whose type is known only to who uses them.

use std::any::{Any, type_name};
use std::fmt;
use std::sync::Arc;

use foundation_resources::pool::Factory;
use foundation_types::error::Cause;
use foundation_types::{Text, contain};

/// A worker of any type.
pub type Worker = Box<dyn Any + Send>;

/// A factory of workers of any type, for the pools of an instance, which are found by name alone.
#[derive(Clone)]
pub struct Workers(Arc<dyn AnyFactory>);

/// A factory whose type is not known here.
trait AnyFactory: Send + Sync {
    fn create(&self) -> Result<Worker, Cause>;
    fn is_usable(&self, worker: &mut Worker) -> bool;
    fn retire(&self, worker: Worker);
    fn worker_type(&self) -> &'static str;
}

impl Workers {
    /// The workers that `factory` makes.
    pub fn new<F>(factory: F) -> Self
    where
        F: Factory<Item: 'static, Error: Into<Cause>> + 'static,
    {
        Self(Arc::new(factory))
    }

    /// The name of the type of the workers, for people.
    pub fn worker_type(&self) -> &'static str {
        self.0.worker_type()
    }
}

impl<F> AnyFactory for F
where
    F: Factory<Item: 'static, Error: Into<Cause>>,
{
    fn create(&self) -> Result<Worker, Cause> {
        match contain(|| Factory::create(self).map_err(Into::into)) {
            Ok(Ok(worker)) => Ok(Box::new(worker)),
            Ok(Err(cause)) => Err(cause),
            Err(message) => Err(WorkerPanicked { message }.into()),
        }
    }

    fn is_usable(&self, worker: &mut Worker) -> bool {
        worker.downcast_mut().is_some_and(|worker| Factory::is_usable(self, worker))
    }

    fn retire(&self, worker: Worker) {
        if let Ok(worker) = worker.downcast() {
            Factory::retire(self, *worker);
        }
    }

    fn worker_type(&self) -> &'static str {
        type_name::<F::Item>()
    }
}

impl Factory for Workers {
    type Item = Worker;
    type Error = Cause;

    fn create(&self) -> Result<Worker, Cause> {
        self.0.create()
    }

    fn is_usable(&self, worker: &mut Worker) -> bool {
        self.0.is_usable(worker)
    }

    fn retire(&self, worker: Worker) {
        self.0.retire(worker);
    }
}

impl fmt::Debug for Workers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Workers").field(&self.worker_type()).finish()
    }
}

/// A factory panicked while it made a worker.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the factory panicked: {message}")]
#[non_exhaustive]
pub struct WorkerPanicked {
    /// The message of the panic.
    pub message: Text,
}
