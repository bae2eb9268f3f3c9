//! Deferred freeing: what readers may still hold is freed when the last of them lets go.
//!
//! One domain per process, the Hyaline scheme of the `seize` crate: entering it is a store to a line of the thread's own,
//! leaving it a swap there. Freed memory is given back in batches, so up to [`BATCH`] retired nodes per thread wait; what
//! they own that costs or has code of the user's is taken out of them before they are retired.

use std::ptr;
use std::sync::Arc;

use super::slots::{Line, Slots};
use crate::sync::{AtomicPtr, Ordering};

#[cfg(not(loom))]
mod domain {
    use std::sync::LazyLock;

    use seize::{Collector, Guard, LocalGuard};

    /// How many nodes a thread retires before it tries to free them: one memory barrier across all cores a batch.
    pub(crate) const BATCH: usize = 512;

    static COLLECTOR: LazyLock<Collector> = LazyLock::new(|| Collector::new().batch_size(BATCH));

    pub(crate) struct Pin(LocalGuard<'static>);

    #[inline]
    pub(crate) fn pin() -> Pin {
        Pin(COLLECTOR.enter())
    }

    impl Pin {
        #[inline]
        pub(crate) fn load<T>(&self, pointer: &super::AtomicPtr<T>) -> *mut T {
            self.0.protect(pointer, super::Ordering::Acquire)
        }
    }

    /// Runs `free` on `pointer` when every pin that exists now is gone.
    ///
    /// # Safety
    /// `pointer` must not be reachable for pins taken from now on, and must be valid for `free` until then.
    pub(super) unsafe fn retire<T>(pointer: *mut T, free: unsafe fn(*mut T, &Collector)) {
        // SAFETY: the caller's promise. A guard of this very thread delays the freeing as well.
        unsafe { COLLECTOR.enter().defer_retire(pointer, free) }
    }

    pub(super) type FreeContext = Collector;
}

#[cfg(loom)]
mod domain {
    //! For the models: nothing is ever freed, so that every interleaving of accesses may be explored.

    pub(crate) struct Pin;
    pub(crate) fn pin() -> Pin {
        Pin
    }

    impl Pin {
        pub(crate) fn load<T>(&self, pointer: &super::AtomicPtr<T>) -> *mut T {
            pointer.load(super::Ordering::Acquire)
        }
    }

    pub(super) unsafe fn retire<T>(_: *mut T, _: unsafe fn(*mut T, &())) {}

    pub(super) type FreeContext = ();
}

#[cfg(all(test, not(loom)))]
pub(super) use domain::BATCH;
pub(crate) use domain::{Pin, pin};

unsafe fn free_shared<T>(pointer: *mut T, _: &domain::FreeContext) {
    // SAFETY: `retire_shared` was given a strong count.
    drop(unsafe { Arc::from_raw(pointer.cast_const()) });
}

unsafe fn free_slots<N>(array: *mut Line<N>, _: &domain::FreeContext) {
    // SAFETY: `retire_slots` was given an array.
    unsafe { Slots::free(array) }
}

/// Gives back one strong count of an `Arc` when no pin of now is left.
///
/// # Safety
/// `pointer` comes from `Arc::into_raw` and carries a strong count that is the caller's to give; pins taken from now on
/// cannot reach it through what held that count.
pub(super) unsafe fn retire_shared<T>(pointer: *const T) {
    // SAFETY: passed on.
    unsafe { domain::retire(pointer.cast_mut(), free_shared::<T>) }
}

/// Frees an array of slots when no pin of now is left.
///
/// # Safety
/// `array` comes from `Slots::allocate`, is the caller's to free, and pins taken from now on cannot reach it.
pub(super) unsafe fn retire_slots<N>(array: *mut Line<N>) {
    // SAFETY: passed on.
    unsafe { domain::retire(array, free_slots::<N>) }
}

/// A shared value that can be replaced while others read it without a lock.
pub(crate) struct Swap<T>(AtomicPtr<T>);

impl<T: Send + Sync + 'static> Swap<T> {
    pub(crate) fn new(value: Arc<T>) -> Self {
        Self(AtomicPtr::new(Arc::into_raw(value).cast_mut()))
    }

    /// The value of now, for as long as the pin lasts.
    #[inline]
    pub(crate) fn get<'p>(&self, pin: &'p Pin) -> &'p T {
        // SAFETY: never null; holds a strong count that is retired only after it is replaced, so the pin keeps it.
        unsafe { &*pin.load(&self.0) }
    }

    /// A share of the value of now.
    pub(crate) fn get_shared(&self) -> Arc<T> {
        let pin = pin();
        let value = ptr::from_ref(self.get(&pin));
        // SAFETY: the pointer of an `Arc` whose strong count the pin keeps above zero.
        unsafe {
            Arc::increment_strong_count(value);
            Arc::from_raw(value)
        }
    }

    /// A share of the value of now, if `wanted` says so of it.
    #[cfg(feature = "agent")]
    #[inline]
    pub(crate) fn get_if(&self, pin: &Pin, wanted: impl FnOnce(&T) -> bool) -> Option<Arc<T>> {
        let value = self.get(pin);
        wanted(value).then(|| {
            let value = ptr::from_ref(value);
            // SAFETY: as in `get_shared`.
            unsafe {
                Arc::increment_strong_count(value);
                Arc::from_raw(value)
            }
        })
    }

    /// Replaces the value. The old one is given up when no reader of now is left.
    pub(crate) fn set(&self, value: Arc<T>) {
        let old = self.0.swap(Arc::into_raw(value).cast_mut(), Ordering::AcqRel);
        // SAFETY: the cell's strong count of the old value, unreachable through the cell since the swap.
        unsafe { retire_shared(old.cast_const()) };
    }
}

impl<T> Drop for Swap<T> {
    fn drop(&mut self) {
        // SAFETY: `&mut self` means that nobody reads; the cell's strong count is given back once.
        drop(unsafe { Arc::from_raw(self.0.load(Ordering::Relaxed).cast_const()) });
    }
}
