//! What a store holds, and what it says.

use std::collections::BTreeMap;

use foundation_types::engine::{Change, Key, Revision, WatchEvent};
use foundation_types::{Metadata, Text, Value};

use super::key::path_of;
use super::{MAX_REMOTE_BYTES, MAX_REMOTE_KEYS};
use crate::path::Path;
use crate::source::{Document, Origin, SourceError, env};

/// The keys under a prefix as of one revision.
#[derive(Clone, Default)]
pub(super) struct Content {
    revision: Revision,
    records: BTreeMap<Key, Record>,
    /// The bytes of all keys and values.
    bytes: usize,
}

/// What stands at a key.
#[derive(Clone)]
pub(super) struct Record {
    /// How long it is.
    bytes: usize,
    revision: Revision,
    value: Result<Value, Text>,
}

impl Record {
    pub(super) fn of(text: &[u8], revision: Revision) -> Self {
        let value = match std::str::from_utf8(text) {
            // The reason says what was expected and where, but not what stands there.
            Ok(json) => Value::from_json_str(json)
                .map_err(|error| format!("expected the JSON form of a value, found none: {error}").into()),
            Err(_) => Err("expected UTF-8, found other bytes".into()),
        };
        Self { bytes: text.len(), revision, value }
    }
}

impl Content {
    pub(super) fn new(revision: Revision) -> Self {
        Self { revision, ..Self::default() }
    }

    pub(super) const fn revision(&self) -> Revision {
        self.revision
    }

    pub(super) fn put(&mut self, key: Key, record: Record) {
        let key_bytes = key.as_bytes().len();
        self.bytes += key_bytes + record.bytes;
        if let Some(old) = self.records.insert(key, record) {
            self.bytes -= key_bytes + old.bytes;
        }
    }

    fn delete(&mut self, key: &Key) {
        if let Some(old) = self.records.remove(key) {
            self.bytes -= key.as_bytes().len() + old.bytes;
        }
    }

    /// Takes what one revision changed, and says whether that is news.
    pub(super) fn apply(&mut self, event: WatchEvent) -> bool {
        if event.revision <= self.revision {
            return false;
        }
        self.revision = event.revision;
        for change in event.changes {
            match change {
                Change::Put(kv) => self.put(kv.key, Record::of(&kv.value, kv.mod_revision)),
                Change::Delete(key) => self.delete(&key),
                _ => {}
            }
        }
        true
    }

    pub(super) fn check_size(&self, place: &Text) -> Result<(), SourceError> {
        let too_many = |what, max| Err(SourceError::TooMany { origin: Origin::new(place.clone()), what, max });
        if self.records.len() > MAX_REMOTE_KEYS {
            return too_many("keys", MAX_REMOTE_KEYS);
        }
        if self.bytes > MAX_REMOTE_BYTES {
            return too_many("bytes", MAX_REMOTE_BYTES);
        }
        Ok(())
    }

    /// What the keys say, or the first of them that is wrong.
    pub(super) fn document(&self, prefix: &Key) -> Result<Document, SourceError> {
        let mut settings: BTreeMap<Path, (Origin, &Value)> = BTreeMap::new();
        for (key, record) in &self.records {
            let origin = Origin::new(format!("key {key} at revision {}", record.revision));
            let path = path_of(key.strip_prefix(prefix).unwrap_or_default()).map_err(|message| {
                let message = message.into();
                SourceError::Syntax { origin: origin.clone(), message }
            })?;
            let value = record.value.as_ref().map_err(|message| SourceError::Invalid {
                origin: origin.clone(),
                path: path.clone(),
                message: message.clone(),
            })?;
            settings.insert(path, (origin, value));
        }
        let pairs = settings.iter().zip(settings.iter().skip(1));
        for ((above, (other, _)), (below, (origin, _))) in pairs {
            if below.starts_with(above) {
                let (origin, path, other) = (origin.clone(), above.clone(), other.clone());
                return Err(SourceError::SetTwice { origin, path, other });
            }
        }
        let mut tree = Metadata::new();
        for (path, (_, value)) in &settings {
            env::insert(&mut tree, path.texts(), (*value).clone());
        }
        let mut document = Document::new(tree);
        for (path, (origin, _)) in settings {
            document.set_origin(path, origin);
        }
        Ok(document)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(number: usize) -> Key {
        Key::new(format!("c/{number}")).expect("short")
    }

    fn record(text: &[u8]) -> Record {
        Record::of(text, Revision::new(1))
    }

    #[test]
    fn the_number_of_keys_is_limited_at_its_exact_bound() {
        let mut content = Content::new(Revision::new(1));
        for number in 0..MAX_REMOTE_KEYS {
            content.put(key(number), record(b"1"));
        }
        assert!(content.check_size(&"c".into()).is_ok());
        content.put(key(0), record(b"2"));
        assert!(content.check_size(&"c".into()).is_ok());
        content.put(key(MAX_REMOTE_KEYS), record(b"1"));
        let error = content.check_size(&"c".into()).expect_err("one too many");
        assert_eq!(error.to_string(), "c: more than 100000 keys");
    }

    #[test]
    fn the_number_of_bytes_is_limited_at_its_exact_bound() {
        let mut content = Content::new(Revision::new(1));
        content.put(key(0), record(&vec![b'1'; MAX_REMOTE_BYTES - 3]));
        assert!(content.check_size(&"c".into()).is_ok());
        content.put(key(0), record(&vec![b'1'; MAX_REMOTE_BYTES - 2]));
        let error = content.check_size(&"c".into()).expect_err("one too many");
        assert_eq!(error.to_string(), "c: more than 16777216 bytes");
        content.delete(&key(0));
        content.delete(&key(0));
        assert_eq!(content.bytes, 0);
    }
}
