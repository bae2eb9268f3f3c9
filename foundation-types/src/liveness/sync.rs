//! The primitives of this module, exchanged for those of loom in its models.

#[cfg(loom)]
pub(super) use loom::{
    future::block_on,
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{ThreadId, current as current_thread},
};
#[cfg(not(loom))]
pub(super) use pollster::block_on;
#[cfg(not(loom))]
pub(super) use std::{
    sync::{
        Condvar, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    },
    thread::{ThreadId, current as current_thread},
};
