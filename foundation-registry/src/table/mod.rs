//! A hash table of shared nodes whose reads take no lock and write to no shared line.
//!
//! Writers of one shard are serialised by its mutex; readers walk an open-addressed array of tagged pointers under a
//! reclamation guard. A node is found with two dependent cache misses, the slot and the node, against two (table word and
//! bucket) plus a write to the lock's line in a table of locked shards.
//!
//! - Linear probing over `AtomicPtr`s, at most three quarters full, tombstones counted. Nodes never move within an array;
//!   growth builds a new array and swings one pointer, so a reader that holds the old array sees the table as it was at
//!   that instant.
//! - Nodes are aligned to 64 bytes; the six free bits of a slot hold a tag from the hash, so that a probe follows a
//!   pointer to a foreign node once in 64 times only.
//! - What a writer unlinks is handed to [`reclaim`], which frees it when no reader can hold it any more.
//!
//! This is the one module of the crate with unsafe code. It earns it: a table of `RwLock` shards costs two atomic
//! read-modify-writes on a shared line for each read, which on two threads is several times the whole read here (see
//! `benches/registry.rs`). The proof obligations are three, stated where they are met: pointers in slots are live or
//! retired under a guard ([`Shard::find`]), each strong count in a slot is given back exactly once
//! ([`Shard::unlink`], `Drop`), and arrays are retired only after they are unreachable ([`Shard::rebuild`]). Readers,
//! writers and growth are model-checked under loom (`models.rs`) and stress-tested under the address sanitizer.

#![allow(unsafe_code)]

#[cfg(all(test, loom))]
mod models;
mod reclaim;

use std::ptr;
use std::sync::Arc;

use crossbeam_utils::CachePadded;

pub(crate) use self::reclaim::{Pin, Swap, pin};
use crate::sync::{AtomicPtr, Mutex, MutexGuard, Ordering};

/// Bits of a node's address that its alignment leaves free.
const TAG_MASK: usize = 63;
/// The address that marks a slot whose node was removed. Never the address of a node, which is a multiple of 64.
const TOMBSTONE: usize = 1;
/// The smallest array.
const MIN_SLOTS: usize = 8;

/// What the table asks of its nodes.
pub(crate) trait Node: Send + Sync + 'static {
    /// The full hash of the node's key; must never change.
    fn hash(&self) -> u64;
}

/// A sharded hash table of `Arc<N>`.
pub(crate) struct Table<N: Node> {
    shards: Box<[CachePadded<Shard<N>>]>,
    /// `64 - log2(shards)`: the top bits of a hash choose the shard, the low bits the slot.
    shift: u32,
}

impl<N: Node> Table<N> {
    /// Six tag bits need nodes aligned to 64 bytes.
    const ALIGNED: () = assert!(align_of::<N>() > TAG_MASK, "nodes must be aligned to 64 bytes");

    /// A table with `shards` shards, rounded up to a power of two.
    pub(crate) fn new(shards: usize) -> Self {
        let () = Self::ALIGNED;
        let count = shards.max(2).next_power_of_two();
        let shards = (0..count).map(|_| CachePadded::new(Shard::new())).collect();
        Self { shards, shift: u64::BITS - count.trailing_zeros() }
    }

    /// The number of shards.
    pub(crate) fn shard_count(&self) -> usize {
        self.shards.len()
    }

    /// The shard of a hash, by number.
    pub(crate) fn shard_of(&self, hash: u64) -> usize {
        // At least two shards keep the shift below 64.
        usize::try_from(hash >> self.shift).expect("fewer shards than addresses")
    }

    /// The node with this hash for which `matches` holds. Takes no lock and writes nothing shared.
    #[inline]
    pub(crate) fn get<'p>(&self, pin: &'p Pin, hash: u64, matches: impl Fn(&N) -> bool) -> Option<&'p N> {
        self.shards[self.shard_of(hash)].find(pin, hash, matches)
    }

    /// As [`get`](Self::get), with a share of the node.
    pub(crate) fn get_shared(&self, pin: &Pin, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        self.get(pin, hash, matches).map(|node| {
            let node = ptr::from_ref(node);
            // SAFETY: `node` is the pointer of an `Arc` (see `Writer::put`) and the pin keeps its strong count above zero.
            unsafe {
                Arc::increment_strong_count(node);
                Arc::from_raw(node)
            }
        })
    }

    /// Locks one shard for writing.
    pub(crate) fn write(&self, shard: usize) -> Writer<'_, N> {
        let shard = &*self.shards[shard];
        Writer { shard, load: shard.load.lock() }
    }
}

struct Shard<N: Node> {
    /// Null while the shard has never held anything, or holds nothing any more.
    slots: AtomicPtr<Slots<N>>,
    load: Mutex<Load>,
}

/// How full the array is; guarded by the writer lock.
struct Load {
    live: usize,
    tombstones: usize,
}

struct Slots<N> {
    mask: usize,
    slots: Box<[AtomicPtr<N>]>,
}

impl<N> Slots<N> {
    fn new(len: usize) -> Self {
        debug_assert!(len.is_power_of_two());
        Self { mask: len - 1, slots: (0..len).map(|_| AtomicPtr::new(ptr::null_mut())).collect() }
    }

    /// The slots to look at for a hash, in order; endless, as there is always an empty one to stop at.
    fn probe(&self, hash: u64) -> impl Iterator<Item = &AtomicPtr<N>> {
        #[expect(clippy::cast_possible_truncation, reason = "the low bits are what is wanted")]
        let mut index = hash as usize & self.mask;
        std::iter::repeat_with(move || {
            let slot = &self.slots[index];
            index = (index + 1) & self.mask;
            slot
        })
    }
}

fn tag_of(hash: u64) -> usize {
    // Bits that neither the slot index of a table below 2^32 entries nor the shard uses.
    #[expect(clippy::cast_possible_truncation, reason = "six bits are wanted")]
    let tag = (hash >> 40) as usize & TAG_MASK;
    tag
}

fn is_node<N>(pointer: *mut N) -> bool {
    pointer.addr() > TAG_MASK
}

fn untagged<N>(pointer: *mut N) -> *mut N {
    pointer.map_addr(|address| address & !TAG_MASK)
}

impl<N: Node> Shard<N> {
    fn new() -> Self {
        Self { slots: AtomicPtr::new(ptr::null_mut()), load: Mutex::new(Load { live: 0, tombstones: 0 }) }
    }

    #[inline]
    fn find<'p>(&self, pin: &'p Pin, hash: u64, matches: impl Fn(&N) -> bool) -> Option<&'p N> {
        let slots = pin.load(&self.slots);
        // SAFETY: arrays are retired after `slots` points elsewhere, so the pin keeps this one.
        let slots = unsafe { slots.as_ref() }?;
        let tag = tag_of(hash);
        for slot in slots.probe(hash) {
            let pointer = pin.load(slot);
            if pointer.is_null() {
                return None;
            }
            if is_node(pointer) && pointer.addr() & TAG_MASK == tag {
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
}

/// Exclusive access to one shard. Readers go on meanwhile.
pub(crate) struct Writer<'t, N: Node> {
    shard: &'t Shard<N>,
    load: MutexGuard<'t, Load>,
}

impl<'t, N: Node> Writer<'t, N> {
    fn slots(&self) -> Option<&'t Slots<N>> {
        // Relaxed: only writers change it, and this is the writer.
        let slots = self.shard.slots.load(Ordering::Relaxed);
        // SAFETY: only a writer retires the array, after replacing it; the borrow ends before that in each method.
        unsafe { slots.as_ref() }
    }

    fn slot_of(&self, hash: u64, matches: impl Fn(&N) -> bool) -> Option<(&'t AtomicPtr<N>, &'t N)> {
        let tag = tag_of(hash);
        for slot in self.slots()?.probe(hash) {
            let pointer = slot.load(Ordering::Relaxed);
            if pointer.is_null() {
                return None;
            }
            if is_node(pointer) && pointer.addr() & TAG_MASK == tag {
                // SAFETY: the slot holds a strong count of the node, and only this writer takes it away.
                let node = unsafe { &*untagged(pointer) };
                if matches(node) {
                    return Some((slot, node));
                }
            }
        }
        None
    }

    /// A share of the node with this hash for which `matches` holds.
    pub(crate) fn get(&self, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        self.slot_of(hash, matches).map(|(_, node)| {
            let node = ptr::from_ref(node);
            // SAFETY: as in `Table::get_shared`, with the writer lock in place of the pin.
            unsafe {
                Arc::increment_strong_count(node);
                Arc::from_raw(node)
            }
        })
    }

    /// Puts `node` in the place of the one for which `matches` holds, which is returned, or adds it.
    pub(crate) fn put(&mut self, node: Arc<N>, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        let hash = node.hash();
        let tagged = |node: Arc<N>| Arc::into_raw(node).cast_mut().map_addr(|address| address | tag_of(hash));
        if let Some((slot, _)) = self.slot_of(hash, matches) {
            // AcqRel: publishes the node, and the writer that put the old one is this or an earlier holder of the lock.
            let old = slot.swap(tagged(node), Ordering::AcqRel);
            return Some(self.unlink(old));
        }
        self.reserve_one();
        let slots = self.slots().expect("a place was reserved");
        let free = slots.probe(hash).find(|slot| !is_node(slot.load(Ordering::Relaxed)));
        let free = free.expect("an endless probe finds one of the free slots");
        if free.load(Ordering::Relaxed).addr() == TOMBSTONE {
            self.load.tombstones -= 1;
        }
        self.load.live += 1;
        // Release: a reader that sees the pointer sees the node.
        free.store(tagged(node), Ordering::Release);
        None
    }

    /// Takes out the node for which `matches` holds.
    pub(crate) fn remove(&mut self, hash: u64, matches: impl Fn(&N) -> bool) -> Option<Arc<N>> {
        let (slot, _) = self.slot_of(hash, matches)?;
        let old = slot.swap(ptr::without_provenance_mut(TOMBSTONE), Ordering::AcqRel);
        self.load.live -= 1;
        self.load.tombstones += 1;
        let node = self.unlink(old);
        let len = self.slots().map_or(0, |slots| slots.slots.len());
        if self.load.live == 0 || (len > 4 * MIN_SLOTS && self.load.live * 8 < len) {
            self.rebuild(self.load.live * 2);
        }
        Some(node)
    }

    /// Gives the count of a slot that no longer holds `pointer` to the reclaimer, and a share of the node to the caller.
    fn unlink(&self, pointer: *mut N) -> Arc<N> {
        let node = untagged(pointer).cast_const();
        // SAFETY: the slot held one strong count. The caller's share is a second one, so the node outlives the reclamation
        // of the first; the first is retired once, here, after no new reader can find it.
        unsafe {
            Arc::increment_strong_count(node);
            reclaim::retire_shared(node);
            Arc::from_raw(node)
        }
    }

    fn reserve_one(&mut self) {
        let len = self.slots().map_or(0, |slots| slots.slots.len());
        if (self.load.live + self.load.tombstones + 1) * 4 > len * 3 {
            self.rebuild((self.load.live + 1) * 2);
        }
    }

    /// Replaces the array by one with room for `room` slots and without tombstones; by none if there is nothing to hold.
    fn rebuild(&mut self, room: usize) {
        let new = if room == 0 {
            ptr::null_mut()
        } else {
            let new: Slots<N> = Slots::new(room.next_power_of_two().max(MIN_SLOTS));
            let nodes = self.slots().into_iter().flat_map(|old| old.slots.iter());
            for pointer in nodes.map(|slot| slot.load(Ordering::Relaxed)).filter(|pointer| is_node(*pointer)) {
                // SAFETY: the slot holds a strong count of the node, and only this writer takes it away.
                let hash = unsafe { (*untagged(pointer)).hash() };
                let free = new.probe(hash).find(|slot| slot.load(Ordering::Relaxed).is_null());
                // Relaxed: the array is published below.
                free.expect("the array is at most half full").store(pointer, Ordering::Relaxed);
            }
            Box::into_raw(Box::new(new))
        };
        self.load.tombstones = 0;
        // Release: a reader that sees the array sees its slots.
        let old = self.shard.slots.swap(new, Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: made by `Box::into_raw` above, and unreachable for new readers since the swap. Its slots are plain
            // pointers: the strong counts moved to the new array.
            unsafe { reclaim::retire_box(old) };
        }
    }
}

impl<N: Node> Drop for Table<N> {
    fn drop(&mut self) {
        for shard in &self.shards {
            let slots = shard.slots.swap(ptr::null_mut(), Ordering::AcqRel);
            if slots.is_null() {
                continue;
            }
            // SAFETY: `&mut self` means that no reader or writer is left; the array came from `Box::into_raw`.
            let slots = unsafe { Box::from_raw(slots) };
            for slot in &slots.slots {
                let pointer = slot.load(Ordering::Relaxed);
                if is_node(pointer) {
                    // SAFETY: the slot's strong count, given back once.
                    drop(unsafe { Arc::from_raw(untagged(pointer).cast_const()) });
                }
            }
        }
    }
}
