//! The observation seam: how crates tell the world what happened.

use std::fmt;
use std::sync::Arc;

use crate::{EventName, Measurements, Metadata, contain};

/// Hears what the crates of the workspace do.
///
/// An observer is called synchronously on the thread that did the work, after the work took effect and outside every lock,
/// so it may call back into the crate that emitted. A panic in it is caught and changes nothing.
pub trait Observer: Send + Sync {
    /// Whether anything listens to `name`. `false` lets the caller skip building the event.
    fn enabled(&self, name: &EventName) -> bool {
        let _ = name;
        true
    }

    /// One event.
    fn emit(&self, name: &EventName, measurements: &Measurements, metadata: &Metadata);
}

/// Where a component emits its events: an [`Observer`], or nowhere.
///
/// Without an observer an emission is one test of a pointer and builds nothing.
#[derive(Clone, Default)]
pub struct Emitter(Option<Arc<dyn Observer>>);

impl Emitter {
    /// Emits nowhere.
    pub const fn none() -> Self {
        Self(None)
    }

    /// Emits to `observer`.
    pub fn new(observer: Arc<dyn Observer>) -> Self {
        Self(Some(observer))
    }

    /// Whether there is an observer at all.
    pub const fn is_installed(&self) -> bool {
        self.0.is_some()
    }

    /// Emits the event that `build` makes, which runs only if something listens to `name`.
    ///
    /// A panic of the observer is caught and dropped; one in `build` is the caller's.
    pub fn emit(&self, name: &EventName, build: impl FnOnce() -> (Measurements, Metadata)) {
        let Some(observer) = &self.0 else { return };
        let listens = contain(|| observer.enabled(name)).unwrap_or(false);
        if !listens {
            return;
        }
        let (measurements, metadata) = build();
        // The panic hook has reported it; the result of the operation must not change.
        let _ = contain(|| observer.emit(name, &measurements, &metadata));
    }
}

impl From<Option<Arc<dyn Observer>>> for Emitter {
    fn from(observer: Option<Arc<dyn Observer>>) -> Self {
        Self(observer)
    }
}

impl fmt::Debug for Emitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_installed() { "Emitter(installed)" } else { "Emitter(none)" })
    }
}
