//! Typed lookup: from a name to a service's client handle.

use std::any::type_name;
use std::fmt;
use std::marker::PhantomData;
use std::ops::Deref;
use std::sync::Arc;

use foundation_types::liveness::Locality;
use foundation_types::{Namespace, Pid, ServiceName};

use crate::entry::{NewEntry, Payload, StoredEntry};
use crate::error::{GetError, LookupError, RegisterError};
use crate::registry::{Registered, Registry};

/// A service name that says which type of client handle the service provides.
///
/// ```
/// use foundation_registry::ServiceKey;
/// use foundation_types::ServiceName;
///
/// trait Clock: Send + Sync {}
/// const CLOCK: ServiceKey<dyn Clock> = ServiceKey::new(ServiceName::from_static("clock"));
/// assert_eq!(CLOCK.name(), &ServiceName::from_static("clock"));
/// ```
pub struct ServiceKey<T: ?Sized> {
    name: ServiceName,
    handle: PhantomData<fn() -> T>,
}

impl<T: ?Sized> ServiceKey<T> {
    /// The key of the service with this name.
    pub const fn new(name: ServiceName) -> Self {
        Self { name, handle: PhantomData }
    }

    /// The name.
    pub const fn name(&self) -> &ServiceName {
        &self.name
    }
}

impl<T: ?Sized> Clone for ServiceKey<T> {
    fn clone(&self) -> Self {
        Self::new(self.name.clone())
    }
}

impl<T: ?Sized> PartialEq for ServiceKey<T> {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl<T: ?Sized> Eq for ServiceKey<T> {}

impl<T: ?Sized> fmt::Debug for ServiceKey<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ServiceKey<{}>({})", type_name::<T>(), self.name)
    }
}

/// A service's client handle and the pid of who provides it; made by [`Registry::get`].
///
/// It shares the handle, so it works for as long as it is held, also after the service died; ask
/// [`is_alive`](Self::is_alive).
pub struct Handle<T: ?Sized> {
    pid: Pid,
    value: Arc<T>,
}

impl<T: ?Sized> Handle<T> {
    /// Who provides it.
    pub fn pid(&self) -> &Pid {
        &self.pid
    }

    /// Whether the provider is alive.
    pub fn is_alive(&self) -> bool {
        self.pid.is_alive()
    }

    /// The handle as it was provided.
    pub fn into_inner(self) -> Arc<T> {
        self.value
    }
}

impl<T: ?Sized> Deref for Handle<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: ?Sized> Clone for Handle<T> {
    fn clone(&self) -> Self {
        Self { pid: self.pid.clone(), value: Arc::clone(&self.value) }
    }
}

impl<T: ?Sized> fmt::Debug for Handle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Handle<{}>({:?})", type_name::<T>(), self.pid)
    }
}

impl Registry {
    /// Claims a name for a service and leaves its client handle there, for [`get`](Self::get).
    ///
    /// If the same owner holds the name already, this succeeds and changes nothing, as
    /// [`register`](Self::register) does: the first handle stays. The handle is given up when the name is, and dropped
    /// outside every lock.
    ///
    /// # Errors
    /// As [`register`](Self::register).
    pub fn provide<T: ?Sized + Send + Sync + 'static>(
        &self,
        namespace: &Namespace,
        key: &ServiceKey<T>,
        owner: &Pid,
        value: Arc<T>,
    ) -> Result<Registered, RegisterError> {
        self.register_with(NewEntry::new(namespace, &key.name, owner).payload(Payload::new(value)))
    }

    /// The client handle of a service: the very `Arc` that was provided.
    ///
    /// A lookup and one uncontended lock of the entry itself, held for the clone of an `Arc`; nobody runs foreign code
    /// under it.
    ///
    /// # Errors
    /// [`GetError::NotFound`] if no live owner holds the name, [`GetError::NoPayload`] if it provides no handle,
    /// [`GetError::WrongType`] if it provides one of another type, [`GetError::Remote`] if the service lives on another
    /// node; [`GetError::Closed`], [`GetError::Backend`].
    pub fn get<T: ?Sized + Send + Sync + 'static>(
        &self,
        namespace: &Namespace,
        key: &ServiceKey<T>,
    ) -> Result<Handle<T>, GetError> {
        loop {
            match self.with(namespace, &key.name, handle_of) {
                // It was given up between being found and being read: what holds the name now counts.
                Ok(None) => {}
                Ok(Some(result)) => return result,
                Err(LookupError::NotFound) => return Err(GetError::NotFound),
                Err(LookupError::Closed) => return Err(GetError::Closed),
                Err(LookupError::Backend(error)) => return Err(GetError::Backend(error)),
            }
        }
    }
}

/// The handle of an entry; `None` if the entry has left the registry.
fn handle_of<T: ?Sized + Send + Sync + 'static>(entry: &StoredEntry) -> Option<Result<Handle<T>, GetError>> {
    if let Locality::Remote { node, .. } = entry.pid().locality() {
        return Some(Err(GetError::Remote { node: node.clone() }));
    }
    let body = entry.body();
    if entry.is_withdrawn() {
        return None;
    }
    let value = match &body.payload {
        Some(payload) => payload.get::<T>().map_err(|stored| GetError::WrongType { stored }),
        None => Err(GetError::NoPayload),
    };
    drop(body);
    Some(value.map(|value| Handle { pid: entry.pid().clone(), value }))
}
