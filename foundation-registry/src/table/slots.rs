//! Arrays of slots, behind pointers that carry their size.

use std::ptr;

use crate::sync::AtomicPtr;

/// Slots of one line.
const PER_LINE: usize = 8;
/// The low bits of an array's address that its alignment leaves free: they hold the logarithm of the number of lines.
const SIZE_MASK: usize = 63;
/// Arrays of so many slots are not made smaller.
pub(super) const SMALL: usize = 4 * PER_LINE;

/// A cache line of slots, on most machines. An array is named by the address of its first line with its size in the low
/// bits; that pointer must not be followed, only [borrowed](Slots::borrow).
#[repr(align(64))]
pub(super) struct Line<N>([AtomicPtr<N>; PER_LINE]);

/// A borrowed array: a power of two of slots.
pub(super) struct Slots<'a, N>(&'a [Line<N>]);

impl<N> Clone for Slots<'_, N> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<N> Copy for Slots<'_, N> {}

impl<'a, N> Slots<'a, N> {
    /// A new array of at least `room` empty slots.
    pub(super) fn allocate(room: usize) -> *mut Line<N> {
        let lines = room.div_ceil(PER_LINE).next_power_of_two();
        let empty = || Line(std::array::from_fn(|_| AtomicPtr::new(ptr::null_mut())));
        let array: Box<[Line<N>]> = (0..lines).map(|_| empty()).collect();
        Box::into_raw(array).cast::<Line<N>>().map_addr(|address| address | lines.trailing_zeros() as usize)
    }

    /// # Safety
    /// `array` is null, or comes from [`allocate`](Self::allocate) and is not freed during `'a`.
    #[inline]
    pub(super) unsafe fn borrow(array: *mut Line<N>) -> Option<Self> {
        if array.is_null() {
            return None;
        }
        let first = array.map_addr(|address| address & !SIZE_MASK);
        // SAFETY: `allocate` made so many lines, and tagged their address with the logarithm of the number.
        Some(Self(unsafe { std::slice::from_raw_parts(first, 1 << (array.addr() & SIZE_MASK)) }))
    }

    /// # Safety
    /// `array` comes from [`allocate`](Self::allocate), is not null, is freed once, and nobody borrows it.
    pub(super) unsafe fn free(array: *mut Line<N>) {
        let first = array.map_addr(|address| address & !SIZE_MASK);
        let lines = ptr::slice_from_raw_parts_mut(first, 1 << (array.addr() & SIZE_MASK));
        // SAFETY: the very box that `allocate` took apart.
        drop(unsafe { Box::from_raw(lines) });
    }

    pub(super) fn len(self) -> usize {
        self.0.len() * PER_LINE
    }

    pub(super) fn iter(self) -> impl Iterator<Item = &'a AtomicPtr<N>> {
        self.0.iter().flat_map(|line| &line.0)
    }

    /// The slot of a number, counted round and round.
    #[inline]
    pub(super) fn at(self, number: usize) -> &'a AtomicPtr<N> {
        let number = number & (self.len() - 1);
        &self.0[number / PER_LINE].0[number % PER_LINE]
    }

    /// The numbers of the slots to look at for a hash, in order; endless, as there is always an empty one to stop at.
    #[inline]
    pub(super) fn probe(self, hash: u64) -> impl Iterator<Item = usize> {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let first = hash as usize & (self.len() - 1);
        first..
    }
}
