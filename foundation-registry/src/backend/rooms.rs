//! The entries of a shard by namespace, so that listing one costs what it holds.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use foldhash::fast::RandomState;
use foundation_types::{Metadata, Namespace, Value};
use hashbrown::hash_map::EntryRef;
use hashbrown::{Equivalent, HashMap};

use crate::entry::{EntryKind, PLACE, StoredEntry};

/// Guarded by the lock of the shard it belongs to. Insertion and removal are O(1).
pub(super) struct Rooms {
    rooms: HashMap<(Namespace, EntryKind), Vec<Arc<StoredEntry>>, RandomState>,
    len: usize,
}

impl Rooms {
    pub(super) fn new() -> Self {
        Self { rooms: HashMap::with_hasher(RandomState::default()), len: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn insert(&mut self, entry: Arc<StoredEntry>) {
        let room = match self.rooms.entry_ref(&RoomOf(&entry)) {
            EntryRef::Occupied(room) => room.into_mut(),
            EntryRef::Vacant(vacant) => {
                vacant.insert_with_key((entry.key().namespace.clone(), entry.kind()), Vec::new())
            }
        };
        let place = u32::try_from(room.len()).expect("fewer than 2^32 entries of a namespace fit into a shard");
        entry.place().store(place, PLACE);
        room.push(entry);
        self.len += 1;
    }

    /// Takes out an entry that is in here.
    pub(super) fn remove(&mut self, entry: &Arc<StoredEntry>) {
        let EntryRef::Occupied(mut room) = self.rooms.entry_ref(&RoomOf(entry)) else {
            return;
        };
        let place = entry.place().load(PLACE) as usize;
        let entries = room.get_mut();
        debug_assert!(entries.get(place).is_some_and(|there| Arc::ptr_eq(there, entry)));
        entries.swap_remove(place);
        if let Some(moved) = entries.get(place) {
            moved.place().store(entry.place().load(PLACE), PLACE);
        }
        if entries.is_empty() {
            room.remove();
        } else if entries.capacity() > 4 * entries.len() {
            entries.shrink_to(2 * entries.len());
        }
        self.len -= 1;
        if self.len == 0 {
            self.rooms.shrink_to_fit();
        }
    }

    pub(super) fn of(&self, namespace: &Namespace, kind: EntryKind) -> &[Arc<StoredEntry>] {
        self.rooms.get(&NamespaceKind(namespace, kind)).map_or(&[], Vec::as_slice)
    }

    /// All entries of the kind.
    pub(super) fn all(&self, kind: EntryKind) -> impl Iterator<Item = &Arc<StoredEntry>> {
        self.rooms.iter().filter(move |((_, of), _)| *of == kind).flat_map(|(_, room)| room)
    }

    /// All entries.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<StoredEntry>> {
        self.rooms.values().flatten()
    }
}

/// Looks a room up without cloning the namespace.
#[derive(Hash)]
struct NamespaceKind<'k>(&'k Namespace, EntryKind);

impl Equivalent<(Namespace, EntryKind)> for NamespaceKind<'_> {
    fn equivalent(&self, key: &(Namespace, EntryKind)) -> bool {
        self.1 == key.1 && *self.0 == key.0
    }
}

/// The room of an entry.
struct RoomOf<'e>(&'e StoredEntry);

impl RoomOf<'_> {
    fn key(&self) -> NamespaceKind<'_> {
        NamespaceKind(&self.0.key().namespace, self.0.kind())
    }
}

impl Hash for RoomOf<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

impl Equivalent<(Namespace, EntryKind)> for RoomOf<'_> {
    fn equivalent(&self, key: &(Namespace, EntryKind)) -> bool {
        self.key().equivalent(key)
    }
}

/// An estimate of the memory of an entry: the allocation, its place in table and room, and its metadata.
pub(super) fn estimated_bytes(entry: &StoredEntry) -> usize {
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
