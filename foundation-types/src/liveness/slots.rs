//! Things kept until removed, found again by number.

/// A slot of a [`Slots`]; the version tells apart successive users of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId {
    version: u64,
    index: u32,
}

/// Insertion and removal in O(1); memory stays within twice the most things held since it was last empty.
#[derive(Debug)]
pub(super) struct Slots<T> {
    all: Vec<Slot<T>>,
    free: Vec<u32>,
    /// Versions grow over the life of the table, so a stale id never names a later thing.
    next_version: u64,
}

#[derive(Debug)]
struct Slot<T> {
    version: u64,
    thing: Option<T>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { all: Vec::new(), free: Vec::new(), next_version: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.all.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, thing: T) -> SlotId {
        let version = self.next_version;
        self.next_version += 1;
        let slot = Slot { version, thing: Some(thing) };
        let index = if let Some(index) = self.free.pop() {
            self.all[index as usize] = slot;
            index
        } else {
            self.all.push(slot);
            u32::try_from(self.all.len() - 1).expect("fewer than 2^32 hooks or waiters fit into memory")
        };
        SlotId { version, index }
    }

    pub(super) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        self.all.get_mut(id.index as usize).filter(|slot| slot.version == id.version)?.thing.as_mut()
    }

    pub(super) fn remove(&mut self, id: SlotId) -> Option<T> {
        let slot = self.all.get_mut(id.index as usize).filter(|slot| slot.version == id.version)?;
        let thing = slot.thing.take()?;
        self.free.push(id.index);
        if self.is_empty() {
            // Keeps the room of a few, so that a lone monitor taken again and again does not allocate each time.
            self.all.clear();
            self.all.shrink_to(4);
            self.free.clear();
            self.free.shrink_to(4);
        }
        Some(thing)
    }

    /// Removes and returns everything.
    pub(super) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.free = Vec::new();
        std::mem::take(&mut self.all).into_iter().filter_map(|slot| slot.thing)
    }
}
