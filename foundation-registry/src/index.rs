//! Secondary indexes: entries by an attribute, at the cost of the result.

use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::sync::RwLock;
use crossbeam_utils::CachePadded;
use foldhash::fast::RandomState;
use foundation_types::{Metadata, Namespace, Text, Value};
use hashbrown::hash_map::Values;
use hashbrown::hash_table::Entry;
use hashbrown::{HashMap, HashTable};

use crate::entry::StoredEntry;
use crate::key::hash_one;

/// Parts of an index that lock apart.
const PARTS: usize = if cfg!(loom) { 1 } else { 16 };

/// What an index is about.
pub(crate) trait Indexed {
    fn namespace(&self) -> &Namespace;

    /// Tells it from all others that are in the index at the same time.
    fn number(&self) -> u64;
}

impl Indexed for StoredEntry {
    fn namespace(&self) -> &Namespace {
        &self.key().namespace
    }

    fn number(&self) -> u64 {
        self.generation().get()
    }
}

/// Entries by namespace and attribute.
///
/// Rows are put in before an entry is visible and taken out after it is gone, so a row may name an entry that does not, or
/// not any more, have the attribute: who asks must test each candidate against the entry as it is. Then a query misses
/// nothing and invents nothing.
pub(crate) struct Index<A, E> {
    parts: Box<[Locked<Part<A, E>>]>,
    rows: AtomicUsize,
}

type Locked<T> = CachePadded<RwLock<T>>;

/// By the hash of namespace and attribute, which also chooses the part.
type Part<A, E> = HashTable<Row<A, E>>;

struct Row<A, E> {
    namespace: Namespace,
    attribute: A,
    entries: HashMap<u64, Arc<E>, RandomState>,
}

impl<A: Hash + Eq, E: Indexed> Row<A, E> {
    fn is(&self, namespace: &Namespace, attribute: &A) -> bool {
        self.attribute == *attribute && self.namespace == *namespace
    }

    fn hash(&self) -> u64 {
        hash_one((&self.namespace, &self.attribute))
    }
}

impl<A: Hash + Eq, E: Indexed> Index<A, E> {
    pub(crate) fn new() -> Self {
        let part = || CachePadded::new(RwLock::new(Part::new()));
        Self { parts: (0..PARTS).map(|_| part()).collect(), rows: AtomicUsize::new(0) }
    }

    fn part(&self, hash: u64) -> &RwLock<Part<A, E>> {
        // Bits between those that the table inside uses, the top seven and the low ones.
        &self.parts[(hash >> 32) as usize % PARTS]
    }

    /// Shows the row of an attribute under its lock: an entry that leaves it meanwhile waits.
    pub(crate) fn visit<R>(
        &self,
        namespace: &Namespace,
        attribute: &A,
        visit: impl FnOnce(Values<'_, u64, Arc<E>>) -> R,
    ) -> Option<R> {
        let hash = hash_one((namespace, attribute));
        let part = self.part(hash).read();
        part.find(hash, |row| row.is(namespace, attribute)).map(|row| visit(row.entries.values()))
    }

    pub(crate) fn insert(&self, attribute: A, entry: &Arc<E>) {
        let namespace = entry.namespace();
        let hash = hash_one((namespace, &attribute));
        let mut part = self.part(hash).write();
        let row = match part.entry(hash, |row| row.is(namespace, &attribute), Row::hash) {
            Entry::Occupied(row) => row.into_mut(),
            Entry::Vacant(place) => {
                let row = Row { namespace: namespace.clone(), attribute, entries: HashMap::default() };
                place.insert(row).into_mut()
            }
        };
        if row.entries.insert(entry.number(), Arc::clone(entry)).is_none() {
            // Relaxed: a count for people.
            self.rows.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn remove(&self, attribute: &A, entry: &E) {
        let namespace = entry.namespace();
        let hash = hash_one((namespace, attribute));
        let mut part = self.part(hash).write();
        let Ok(mut row) = part.find_entry(hash, |row| row.is(namespace, attribute)) else { return };
        let entries = &mut row.get_mut().entries;
        if entries.remove(&entry.number()).is_some() {
            self.rows.fetch_sub(1, Ordering::Relaxed);
        }
        if entries.is_empty() {
            row.remove();
            if part.len() * 8 < part.capacity() {
                let len = part.len();
                part.shrink_to(2 * len, Row::hash);
            }
        } else if entries.len() * 8 < entries.capacity() {
            entries.shrink_to(2 * entries.len());
        }
    }

    /// Entries that had the attribute a moment ago.
    pub(crate) fn candidates(&self, namespace: &Namespace, attribute: &A) -> Vec<Arc<E>> {
        self.visit(namespace, attribute, |row| row.cloned().collect()).unwrap_or_default()
    }

    /// How many entries a row names.
    #[cfg(feature = "agent")]
    pub(crate) fn row_len(&self, namespace: &Namespace, attribute: &A) -> usize {
        self.visit(namespace, attribute, |row| row.len()).unwrap_or(0)
    }

    pub(crate) fn clear(&self) {
        for part in &self.parts {
            let old = std::mem::take(&mut *part.write());
            self.rows.fetch_sub(old.iter().map(|row| row.entries.len()).sum(), Ordering::Relaxed);
        }
    }

    /// How many pairs of attribute and entry there are.
    pub(crate) fn len(&self) -> usize {
        self.rows.load(Ordering::Relaxed)
    }
}

/// The index over the metadata of services that were registered with indexing.
pub(crate) struct MetadataIndex {
    fields: Box<[Text]>,
    enabled: AtomicBool,
    index: Index<(usize, Value), StoredEntry>,
}

impl MetadataIndex {
    pub(crate) fn new(fields: Vec<Text>) -> Self {
        Self { fields: fields.into(), enabled: AtomicBool::new(true), index: Index::new() }
    }

    fn is_enabled(&self) -> bool {
        // Acquire: pairs with `enable`, which fills the index first.
        self.enabled.load(Ordering::Acquire)
    }

    /// What a map of metadata is indexed under, each once.
    fn attributes(&self, metadata: &Metadata) -> Vec<(usize, Value)> {
        let mut attributes = Vec::new();
        for (number, field) in self.fields.iter().enumerate() {
            let items = match metadata.get(field.as_str()) {
                None | Some(Value::Null) => continue,
                Some(Value::List(items)) => items.as_slice(),
                Some(value) => std::slice::from_ref(value),
            };
            let start = attributes.len();
            for item in items {
                let attribute = (number, item.clone());
                if !attributes[start..].contains(&attribute) {
                    attributes.push(attribute);
                }
            }
        }
        attributes
    }

    pub(crate) fn insert(&self, entry: &Arc<StoredEntry>) {
        self.insert_for(entry, &entry.metadata());
    }

    /// Puts in the rows that an entry has with this metadata.
    pub(crate) fn insert_for(&self, entry: &Arc<StoredEntry>, metadata: &Metadata) {
        if self.is_enabled() {
            for attribute in self.attributes(metadata) {
                self.index.insert(attribute, entry);
            }
        }
    }

    /// Takes out the rows that an entry had with `before` and does not have with `now`.
    pub(crate) fn remove_stale(&self, entry: &StoredEntry, before: &Metadata, now: &Metadata) {
        let kept = self.attributes(now);
        for attribute in self.attributes(before) {
            if !kept.contains(&attribute) {
                self.index.remove(&attribute, entry);
            }
        }
    }

    pub(crate) fn remove(&self, entry: &StoredEntry) {
        self.remove_stale(entry, &entry.metadata(), &Metadata::new());
    }

    /// Entries that had the value in the field a moment ago, or are about to be put in place with it.
    pub(crate) fn candidates(&self, namespace: &Namespace, field: &str, value: &Value) -> Vec<Arc<StoredEntry>> {
        match self.fields.iter().position(|there| *there == field) {
            Some(number) if !value.is_null() => self.index.candidates(namespace, &(number, value.clone())),
            _ => Vec::new(),
        }
    }

    /// Whether metadata has the value in the field, itself or in a list.
    pub(crate) fn is_match(metadata: &Metadata, field: &str, value: &Value) -> bool {
        match metadata.get(field) {
            Some(Value::List(items)) => items.contains(value),
            there => there == Some(value),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    /// Fills an index that was off from `entries`. Nothing may change meanwhile.
    pub(crate) fn enable(&self, entries: &[Arc<StoredEntry>]) {
        if !self.is_enabled() {
            self.enabled.store(true, Ordering::Release);
            self.fill(entries);
        }
    }

    pub(crate) fn disable(&self) {
        self.enabled.store(false, Ordering::Release);
        self.index.clear();
    }

    /// Puts entries in, in the place of those with the same generations. Nothing may change meanwhile.
    pub(crate) fn fill(&self, entries: &[Arc<StoredEntry>]) {
        for entry in entries.iter().filter(|entry| entry.is_indexed()) {
            self.insert(entry);
        }
    }
}
