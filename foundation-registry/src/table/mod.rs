//! A hash table of shared nodes whose reads take no lock and write to no shared line.
//!
//! Writers of one shard are serialised by its mutex; readers walk an open-addressed array of tagged pointers under a
//! reclamation guard. A node is found with two dependent cache misses, the slot and the node, against two (table word and
//! bucket) plus a write to the lock's line in a table of locked shards.
//!
//! - Linear probing over `AtomicPtr`s, at most seven eighths full, tombstones counted. Nodes never move within an array;
//!   growth builds a new array and swings one pointer, so a reader that holds the old array sees the table as it was at
//!   that instant.
//! - Nodes are aligned to 16 bytes; the four free bits of a slot hold a tag from the hash, so that a probe follows a
//!   pointer to a foreign node once in 16 times only.
//! - The pointer to an array carries its size in its low bits, and the pointers of all shards stand together, so that a
//!   reader goes from the table to the slot in two steps.
//! - What a writer unlinks is handed to [`reclaim`], which frees it when no reader can hold it any more.
//!
//! This is the one module of the crate with unsafe code. It earns it: a table of `RwLock` shards costs two atomic
//! read-modify-writes on a shared line for each read, which on two threads is several times the whole read here (see
//! `benches/registry.rs`). The proof obligations are three, stated where they are met: pointers in slots are live or
//! retired under a guard ([`Table::get`]), each strong count in a slot is given back exactly once ([`Writer::unlink`],
//! `Drop`), and arrays are retired only after they are unreachable ([`Writer::rebuild`]). Readers, writers and growth are
//! model-checked under loom (`models.rs`) and stress-tested under the address sanitizer.

#![allow(unsafe_code)]

#[cfg(all(test, loom))]
mod models;
mod reclaim;
mod slots;
#[cfg(all(test, not(loom)))]
mod stress;

use std::ops::Deref;
use std::ptr;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

pub(crate) use self::reclaim::{Pin, Swap, pin};
use self::slots::{Line, Slots};
use crate::sync::{AtomicPtr, Mutex, MutexGuard, Ordering};

/// Bits of a node's address that its alignment leaves free.
const TAG_MASK: usize = 15;
/// The address that marks a slot whose node was removed. Never the address of a node, which is a multiple of 16.
const TOMBSTONE: usize = 1;

/// What the table asks of its nodes.
pub(crate) trait Node: Send + Sync + 'static {
    /// The full hash of the node's key; must never change.
    fn hash(&self) -> u64;
}

/// A sharded hash table of `Arc<N>`, with a `B` beside each shard under the lock of its writers.
pub(crate) struct Table<N: Node, B = ()> {
    /// The arrays of the shards. Null while a shard has never held anything, or holds nothing any more.
    arrays: Box<[AtomicPtr<Line<N>>]>,
    loads: Box<[CachePadded<Mutex<Load<B>>>]>,
    /// `64 - log2(shards)`: the top bits of a hash choose the shard, the low bits the slot.
    shift: u32,
}

/// How full the array of a shard is; guarded by the writer lock.
struct Load<B> {
    live: usize,
    tombstones: usize,
    beside: B,
}

impl<N: Node, B> Table<N, B> {
    const ALIGNED: () = assert!(align_of::<N>() > TAG_MASK, "nodes must leave room for the tag in their addresses");

    /// A table with `shards` shards, rounded up to a power of two.
    pub(crate) fn new(shards: usize, beside: impl Fn() -> B) -> Self {
        let () = Self::ALIGNED;
        let count = shards.max(2).next_power_of_two();
        let load = || CachePadded::new(Mutex::new(Load { live: 0, tombstones: 0, beside: beside() }));
        Self {
            arrays: (0..count).map(|_| AtomicPtr::new(ptr::null_mut())).collect(),
            loads: (0..count).map(|_| load()).collect(),
            shift: u64::BITS - count.trailing_zeros(),
        }
    }

    fn shard_of(&self, hash: u64) -> usize {
        // At least two shards keep the shift below 64.
        #[expect(clippy::cast_possible_truncation, reason = "fewer shards than addresses")]
        let shard = (hash >> self.shift) as usize;
        shard
    }

    /// The node with this hash for which `matches` holds. Takes no lock and writes nothing shared.
    #[inline]
    pub(crate) fn get<'p>(&self, pin: &'p Pin, hash: u64, matches: impl Fn(&N) -> bool) -> Option<&'p N> {
        // SAFETY: an array is retired after the shard points elsewhere, so the pin keeps this one.
        let slots = unsafe { Slots::borrow(pin.load(&self.arrays[self.shard_of(hash)])) }?;
        for number in slots.probe(hash) {
            let pointer = pin.load(slots.at(number));
            if pointer.is_null() {
                return None;
            }
            if is_candidate(pointer, hash) {
                // SAFETY: a slot holds a strong count of its node, which is retired after the slot lets go of it, so the
                // pin keeps the node for its own lifetime.
                let node: &'p N = unsafe { &*untagged(pointer) };
                if matches(node) {
                    return Some(node);
                }
            }
        }
        None
    }

    /// As [`get`](Self::get), with a share of the node.
    pub(crate) fn get_shared(&self, pin: &Pin, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        // SAFETY: `node` is the pointer of an `Arc` (see `Writer::put`) and the pin keeps its strong count above zero.
        self.get(pin, hash, matches).map(|node| unsafe { share(node) })
    }

    /// Locks the shard of a hash for writing.
    pub(crate) fn write(&self, hash: u64) -> Writer<'_, N, B> {
        self.writer(self.shard_of(hash))
    }

    /// Locks one shard after the other for writing.
    pub(crate) fn writers(&self) -> impl Iterator<Item = Writer<'_, N, B>> {
        (0..self.arrays.len()).map(|shard| self.writer(shard))
    }

    fn writer(&self, shard: usize) -> Writer<'_, N, B> {
        Writer { array: &self.arrays[shard], load: self.loads[shard].lock() }
    }
}

/// Four bits of a hash that neither the slot index of a shard below 2^40 entries nor the choice of the shard uses.
fn tag_of(hash: u64) -> usize {
    (hash >> 40) as usize & TAG_MASK
}

fn is_node<N>(pointer: *mut N) -> bool {
    pointer.addr() > TAG_MASK
}

fn is_candidate<N>(pointer: *mut N, hash: u64) -> bool {
    is_node(pointer) && pointer.addr() & TAG_MASK == tag_of(hash)
}

fn untagged<N>(pointer: *mut N) -> *mut N {
    pointer.map_addr(|address| address & !TAG_MASK)
}

/// What a slot holds of a node: its strong count.
fn tagged<N: Node>(node: Arc<N>) -> *mut N {
    let tag = tag_of(node.hash());
    Arc::into_raw(node).cast_mut().map_addr(|address| address | tag)
}

/// # Safety
/// `node` is the pointer of an `Arc` whose strong count is above zero for the duration of the call.
unsafe fn share<N>(node: *const N) -> Arc<N> {
    // SAFETY: the caller's promise.
    unsafe {
        Arc::increment_strong_count(node);
        Arc::from_raw(node)
    }
}

/// Exclusive access to one shard. Readers go on meanwhile.
pub(crate) struct Writer<'t, N: Node, B> {
    array: &'t AtomicPtr<Line<N>>,
    load: MutexGuard<'t, Load<B>>,
}

impl<N: Node, B> Deref for Writer<'_, N, B> {
    type Target = B;

    fn deref(&self) -> &B {
        &self.load.beside
    }
}

impl<'t, N: Node, B> Writer<'t, N, B> {
    /// What is kept beside the shard.
    pub(crate) fn beside(&mut self) -> &mut B {
        &mut self.load.beside
    }

    fn slots(&self) -> Option<Slots<'t, N>> {
        // Relaxed: only writers change it, and this is the writer.
        // SAFETY: only a writer retires the array, after replacing it; no borrow outlives the method that takes it.
        unsafe { Slots::borrow(self.array.load(Ordering::Relaxed)) }
    }

    fn len(&self) -> usize {
        self.slots().map_or(0, Slots::len)
    }

    /// The number of the slot, and the node, for which `matches` holds.
    fn find(slots: Slots<'t, N>, hash: u64, matches: impl Fn(&N) -> bool) -> Option<(usize, *const N)> {
        for number in slots.probe(hash) {
            let pointer = slots.at(number).load(Ordering::Relaxed);
            if pointer.is_null() {
                return None;
            }
            // SAFETY: the slot holds a strong count of the node, and only this writer takes it away.
            if is_candidate(pointer, hash) && matches(unsafe { &*untagged(pointer) }) {
                return Some((number, untagged(pointer)));
            }
        }
        None
    }

    /// A share of the node with this hash for which `matches` holds.
    pub(crate) fn get(&self, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        // SAFETY: as in `Table::get_shared`, with the writer lock in place of the pin.
        Self::find(self.slots()?, hash, matches).map(|(_, node)| unsafe { share(node) })
    }

    /// Puts `node` in the place of the one for which `matches` holds, which is returned, or adds it.
    pub(crate) fn put(&mut self, node: Arc<N>, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        if let Some(slots) = self.slots()
            && let Some((number, _)) = Self::find(slots, node.hash(), matches)
        {
            // AcqRel: publishes the node, and the writer that put the old one is this or an earlier holder of the lock.
            let old = slots.at(number).swap(tagged(node), Ordering::AcqRel);
            return Some(Self::unlink(old));
        }
        self.add(node);
        None
    }

    /// Adds a node whose key is not in the table.
    pub(crate) fn add(&mut self, node: Arc<N>) {
        let hash = node.hash();
        if (self.load.live + self.load.tombstones + 1) * 8 > self.len() * 7 {
            // Room for a quarter more at least, so that tombstones alone do not make it grow.
            self.rebuild((self.load.live + 1) * 3 / 2);
        }
        let slots = self.slots().expect("there is room for one more");
        let free = slots.probe(hash).map(|number| slots.at(number)).find(|slot| !is_node(slot.load(Ordering::Relaxed)));
        let free = free.expect("an endless probe finds one of the free slots");
        if free.load(Ordering::Relaxed).addr() == TOMBSTONE {
            self.load.tombstones -= 1;
        }
        self.load.live += 1;
        // Release: a reader that sees the pointer sees the node.
        free.store(tagged(node), Ordering::Release);
    }

    /// Takes out the node for which `matches` holds.
    pub(crate) fn remove(&mut self, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        let slots = self.slots()?;
        let (number, _) = Self::find(slots, hash, matches)?;
        let old = slots.at(number).swap(ptr::without_provenance_mut(TOMBSTONE), Ordering::AcqRel);
        self.load.live -= 1;
        self.load.tombstones += 1;
        self.clear_tombstones(slots, number);
        let node = Self::unlink(old);
        let len = self.len();
        if self.load.live == 0 || (len > slots::SMALL && self.load.live * 8 < len) {
            self.rebuild(self.load.live * 2);
        }
        Some(node)
    }

    /// Empties the tombstones up to slot `last` if the next slot is empty: then no probe goes on behind them, and a reader
    /// that stops at one of them has missed nothing.
    fn clear_tombstones(&mut self, slots: Slots<'t, N>, last: usize) {
        if !slots.at(last.wrapping_add(1)).load(Ordering::Relaxed).is_null() {
            return;
        }
        let mut number = last;
        while slots.at(number).load(Ordering::Relaxed).addr() == TOMBSTONE {
            slots.at(number).store(ptr::null_mut(), Ordering::Release);
            self.load.tombstones -= 1;
            number = number.wrapping_sub(1);
        }
    }

    /// Gives the count of a slot that no longer holds `pointer` to the reclaimer, and a share of the node to the caller.
    fn unlink(pointer: *mut N) -> Arc<N> {
        let node = untagged(pointer).cast_const();
        // SAFETY: the slot held one strong count. The caller's share is a second one, so the node outlives the reclamation
        // of the first; the first is retired once, here, after no new reader can find it.
        unsafe {
            let shared = share(node);
            reclaim::retire_shared(node);
            shared
        }
    }

    /// Replaces the array by one with room for `room` slots and without tombstones; by none if there is nothing to hold.
    fn rebuild(&mut self, room: usize) {
        let new: *mut Line<N> = if room == 0 { ptr::null_mut() } else { Slots::allocate(room) };
        // SAFETY: allocated above, and nobody else has it yet.
        if let Some(slots) = unsafe { Slots::borrow(new) } {
            let nodes = self.slots().into_iter().flat_map(Slots::iter).map(|slot| slot.load(Ordering::Relaxed));
            for pointer in nodes.filter(|pointer| is_node(*pointer)) {
                // SAFETY: the slot holds a strong count of the node, and only this writer takes it away.
                let hash = unsafe { (*untagged(pointer)).hash() };
                let mut probe = slots.probe(hash).map(|number| slots.at(number));
                let free = probe.find(|slot| slot.load(Ordering::Relaxed).is_null());
                // Relaxed: the array is published below.
                free.expect("the array has room for more than is live").store(pointer, Ordering::Relaxed);
            }
        }
        self.load.tombstones = 0;
        // AcqRel: a reader that sees the array sees its slots.
        let old = self.array.swap(new, Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: allocated by this method before, and unreachable for new readers since the swap. Its slots are plain
            // pointers: the strong counts moved to the new array.
            unsafe { reclaim::retire_slots(old) };
        }
    }
}

impl<N: Node, B> Drop for Table<N, B> {
    fn drop(&mut self) {
        for array in &self.arrays {
            let array = array.swap(ptr::null_mut(), Ordering::AcqRel);
            // SAFETY: `&mut self` means that no reader or writer is left.
            let Some(slots) = (unsafe { Slots::borrow(array) }) else { continue };
            for pointer in slots.iter().map(|slot| slot.load(Ordering::Relaxed)).filter(|pointer| is_node(*pointer)) {
                // SAFETY: the slot's strong count, given back once.
                drop(unsafe { Arc::from_raw(untagged(pointer).cast_const()) });
            }
            // SAFETY: allocated by `rebuild`, and nobody else has it any more.
            unsafe { Slots::free(array) };
        }
    }
}
