//! The entries of a shard by namespace, so that listing one costs what it holds.

use std::hash::Hash;
use std::sync::Arc;

use foldhash::fast::RandomState;
use foundation_types::{Metadata, Namespace, Value};
use hashbrown::{Equivalent, HashMap};

use crate::entry::{EntryKind, StoredEntry};

/// Guarded by the lock of the shard it belongs to. Insertion and removal are O(1).
pub(super) struct Rooms {
    /// By number; empty places are named in `free`.
    list: Vec<Option<Room>>,
    free: Vec<u32>,
    numbers: HashMap<(Namespace, EntryKind), u32, RandomState>,
    /// The room of the last insertion: most follow each other into the same one, which saves hashing the namespace.
    last: u32,
    len: usize,
}

struct Room {
    namespace: Namespace,
    kind: EntryKind,
    entries: Vec<Arc<StoredEntry>>,
}

impl Rooms {
    pub(super) fn new() -> Self {
        let numbers = HashMap::with_hasher(RandomState::default());
        Self { list: Vec::new(), free: Vec::new(), numbers, last: 0, len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    fn room(&self, number: u32) -> Option<&Room> {
        self.list.get(number as usize)?.as_ref()
    }

    /// The number of the room of an entry, which is made if there is none.
    fn number_for(&mut self, entry: &StoredEntry) -> u32 {
        let (namespace, kind) = (&entry.key().namespace, entry.kind());
        if self.room(self.last).is_some_and(|room| room.kind == kind && room.namespace == *namespace) {
            return self.last;
        }
        if let Some(number) = self.numbers.get(&NamespaceKind(namespace, kind)) {
            return *number;
        }
        let room = Some(Room { namespace: namespace.clone(), kind, entries: Vec::new() });
        let number = if let Some(number) = self.free.pop() {
            self.list[number as usize] = room;
            number
        } else {
            self.list.push(room);
            number_of(self.list.len() - 1)
        };
        self.numbers.insert((namespace.clone(), kind), number);
        number
    }

    pub(super) fn insert(&mut self, entry: Arc<StoredEntry>) {
        let number = self.number_for(&entry);
        self.last = number;
        let room = self.list[number as usize].as_mut().expect("the number is of a room that is there");
        entry.set_place(number, number_of(room.entries.len()));
        room.entries.push(entry);
        self.len += 1;
    }

    /// Takes out an entry that is in here.
    pub(super) fn remove(&mut self, entry: &Arc<StoredEntry>) {
        let (number, place) = entry.place();
        let Some(Some(room)) = self.list.get_mut(number as usize) else { return };
        debug_assert!(room.entries.get(place as usize).is_some_and(|there| Arc::ptr_eq(there, entry)));
        room.entries.swap_remove(place as usize);
        if let Some(moved) = room.entries.get(place as usize) {
            moved.set_place(number, place);
        }
        if room.entries.is_empty() {
            self.numbers.remove(&NamespaceKind(&entry.key().namespace, entry.kind()));
            self.list[number as usize] = None;
            self.free.push(number);
        } else if room.entries.capacity() > 4 * room.entries.len() {
            room.entries.shrink_to(2 * room.entries.len());
        }
        self.len -= 1;
        if self.len == 0 {
            *self = Self { numbers: std::mem::take(&mut self.numbers), ..Self::new() };
            self.numbers.shrink_to_fit();
        }
    }

    pub(super) fn of(&self, namespace: &Namespace, kind: EntryKind) -> &[Arc<StoredEntry>] {
        let number = self.numbers.get(&NamespaceKind(namespace, kind));
        number.and_then(|number| self.room(*number)).map_or(&[], |room| &room.entries)
    }

    /// All entries of the kind.
    pub(super) fn all(&self, kind: EntryKind) -> impl Iterator<Item = &Arc<StoredEntry>> {
        self.list.iter().flatten().filter(move |room| room.kind == kind).flat_map(|room| &room.entries)
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<StoredEntry>> {
        self.list.iter().flatten().flat_map(|room| &room.entries)
    }
}

fn number_of(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 entries and namespaces fit into a shard")
}

/// Looks a room up without cloning the namespace.
#[derive(Hash)]
struct NamespaceKind<'k>(&'k Namespace, EntryKind);

impl Equivalent<(Namespace, EntryKind)> for NamespaceKind<'_> {
    fn equivalent(&self, key: &(Namespace, EntryKind)) -> bool {
        self.1 == key.1 && *self.0 == key.0
    }
}

/// An estimate of the memory of an entry: the allocation, its place in table and room, and its metadata.
pub(crate) fn estimated_bytes(entry: &StoredEntry) -> usize {
    const COUNTERS: usize = 64;
    let metadata = entry.metadata();
    size_of::<StoredEntry>() + COUNTERS + 2 * size_of::<usize>() + metadata_bytes(&metadata)
}

fn metadata_bytes(metadata: &Metadata) -> usize {
    metadata.iter().map(|(key, value)| text_bytes(key) + size_of::<(u128, u128)>() + value_bytes(value)).sum()
}

fn value_bytes(value: &Value) -> usize {
    size_of::<Value>()
        + match value {
            Value::Text(text) => text_bytes(text),
            Value::List(items) => items.iter().map(value_bytes).sum(),
            Value::Map(map) => metadata_bytes(map),
            _ => 0,
        }
}

/// Texts of up to 23 bytes are part of what holds them.
fn text_bytes(text: &str) -> usize {
    if text.len() > 23 { text.len() } else { 0 }
}
