//! Things kept until removed, found again by number.

/// A slot of a [`Slots`]; the version tells apart successive users of one slot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlotId {
    index: u32,
    version: u32,
}

/// Insertion and removal in O(1); memory stays within twice the most things held since it was last empty.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    /// Versions grow over the life of the table, so a stale id never names a later thing.
    next_version: u32,
}

#[derive(Debug)]
struct Slot<T> {
    version: u32,
    thing: Option<T>,
}

impl<T> Slots<T> {
    pub(super) const fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), next_version: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    pub(super) fn insert(&mut self, thing: T) -> SlotId {
        let version = self.next_version;
        self.next_version = version.wrapping_add(1);
        let slot = Slot { version, thing: Some(thing) };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("fewer than 2^32 hooks or waiters fit into memory")
            }
        };
        SlotId { index, version }
    }

    pub(super) fn get_mut(&mut self, id: SlotId) -> Option<&mut T> {
        self.slots.get_mut(id.index as usize).filter(|slot| slot.version == id.version)?.thing.as_mut()
    }

    pub(super) fn remove(&mut self, id: SlotId) -> Option<T> {
        let slot = self.slots.get_mut(id.index as usize).filter(|slot| slot.version == id.version)?;
        let thing = slot.thing.take()?;
        self.free.push(id.index);
        if self.is_empty() {
            // Keeps the room of a few, so that a lone monitor taken again and again does not allocate each time.
            self.slots.clear();
            self.slots.shrink_to(4);
            self.free.clear();
            self.free.shrink_to(4);
        }
        Some(thing)
    }

    /// Removes and returns everything.
    pub(super) fn take(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.free = Vec::new();
        std::mem::take(&mut self.slots).into_iter().filter_map(|slot| slot.thing)
    }
}
