//! Settings that several machines share, in a store behind an engine.

mod content;
mod follow;
mod key;

use std::fmt;
use std::num::NonZeroU64;
use std::sync::Arc;

use foundation_types::engine::{EngineError, Key, KeyError, KeySelector, RangeQuery, Revision};
use foundation_types::{Engine, Text};
use parking_lot::Mutex;

use self::content::{Content, Record};
pub use self::key::remote_key;
use super::{Document, Source, SourceError};
use crate::layer::Layer;

/// The most keys that are read.
pub const MAX_REMOTE_KEYS: usize = 100_000;
/// The most bytes that all keys and values together have.
pub const MAX_REMOTE_BYTES: usize = 16 << 20;
/// How many keys are asked for at a time.
const PAGE: NonZeroU64 = NonZeroU64::new(1_000).expect("not zero");
/// How often reading begins anew if the revision that is being read is compacted away.
const MAX_READS: usize = 8;

/// What [`RemoteSource::load`](Source::load) gives while the engine cannot be reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LostEngine {
    /// What was read last, as if it still held.
    #[default]
    ServeLast,
    /// An error, so that a store counts the source as failing. The store goes on serving what it loaded last, according to
    /// its [`StalePolicy`](crate::StalePolicy).
    Fail,
}

/// Settings under a prefix of the keys of an [`Engine`], in the layer [`Layer::Remote`].
///
/// There is one key for each leaf. It is the prefix followed by the components of the path, separated by `/`, in which `%`
/// and `/` stand as `%25` and `%2F`; [`remote_key`] makes it. The value is the JSON form of a
/// [`Value`](foundation_types::Value), as [`to_json_string`](foundation_types::Value::to_json_string) writes it. It may be
/// a map, with all that is below it, but a key may not lie below another. Writing several settings in one transaction
/// changes them together. Deleting a key removes the setting, so that what a lower layer says shows; the value `null` hides
/// it.
///
/// Nothing is read by itself: [`refresh`](Self::refresh) reads all, and [`follow`](Self::follow) keeps up with what changes,
/// on whatever runtime polls it. [`load`](Source::load) never waits: it gives what was read last. If that cannot be, it is
/// an error, and a store keeps what it loaded before.
///
/// ```
/// use foundation_config::source::remote_key;
/// use foundation_types::engine::{Key, Op, Txn};
/// use foundation_types::Value;
///
/// let prefix = Key::new("config/")?;
/// let key = remote_key(&prefix, &"hosts.\"db/1\".port".parse()?)?;
/// assert_eq!(key.to_string(), "config/hosts/db%2F1/port");
/// let write = Txn::always(Op::put(key, Value::from(5432).to_json_string().into_bytes())).build()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct RemoteSource<E: ?Sized> {
    name: Text,
    prefix: Key,
    layer: Layer,
    lost: LostEngine,
    state: Mutex<State>,
    engine: Arc<E>,
}

/// What is known of the store.
#[derive(Default)]
struct State {
    /// What was read last; `None` before the first read.
    content: Option<Content>,
    /// What the content says, or what is wrong with it; `None` if nobody has asked since it changed.
    document: Option<Result<Document, SourceError>>,
    /// Why there is newer content that is not read.
    unread: Option<SourceError>,
    /// Why the engine could not be reached when it was last tried.
    unreachable: Option<Text>,
}

impl State {
    fn revision(&self) -> Option<Revision> {
        self.content.as_ref().map(Content::revision)
    }

    /// What was read last says; `None` before the first read.
    fn document(&mut self, prefix: &Key) -> Option<&Result<Document, SourceError>> {
        let content = self.content.as_ref()?;
        Some(self.document.get_or_insert_with(|| content.document(prefix)))
    }
}

impl<E: Engine + ?Sized> RemoteSource<E> {
    /// The settings under this prefix, which is taken as it is: `config/`, say.
    ///
    /// # Errors
    /// [`KeyError`] if the prefix is no key.
    pub fn new(engine: Arc<E>, prefix: impl AsRef<str>) -> Result<Self, KeyError> {
        let prefix = Key::new(prefix.as_ref())?;
        Ok(Self {
            name: format!("keys {prefix}*").into(),
            prefix,
            layer: Layer::Remote,
            lost: LostEngine::default(),
            state: Mutex::default(),
            engine,
        })
    }

    /// The same in another layer.
    #[must_use]
    pub fn in_layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// The same, but this is what it gives while the engine cannot be reached.
    #[must_use]
    pub fn when_lost(mut self, lost: LostEngine) -> Self {
        self.lost = lost;
        self
    }

    /// The revision of the store that was read last; `None` before the first read.
    pub fn revision(&self) -> Option<Revision> {
        self.state.lock().revision()
    }

    /// Reads all settings as of one revision, and gives it. They are what [`load`](Source::load) gives from then on, unless
    /// something newer has been read meanwhile. O(keys).
    ///
    /// # Errors
    /// [`SourceError::Unavailable`] if the engine does not answer. Otherwise what is wrong with the settings, which is then
    /// also what `load` gives.
    ///
    /// # Cancel safety
    /// Dropping the future changes nothing.
    pub async fn refresh(&self) -> Result<Revision, SourceError> {
        match self.read_all().await {
            Ok(read) => read,
            Err(error) => {
                self.lose(&error);
                Err(self.unavailable(error))
            }
        }
    }

    /// Reads all; what is wrong with the settings is not an error of the engine.
    async fn read_all(&self) -> Result<Result<Revision, SourceError>, EngineError> {
        let read = self.read().await?;
        let mut state = self.state.lock();
        state.unreachable = None;
        let content = match read {
            Ok(content) => content,
            Err(error) => {
                state.unread = Some(error.clone());
                return Ok(Err(error));
            }
        };
        state.unread = None;
        if state.revision().is_none_or(|known| known <= content.revision()) {
            state.content = Some(content);
            state.document = None;
        }
        let revision = state.revision().unwrap_or_default();
        Ok(match state.document(&self.prefix) {
            Some(Err(error)) => Err(error.clone()),
            _ => Ok(revision),
        })
    }

    /// Everything under the prefix at one revision, unless it is too much.
    async fn read(&self) -> Result<Result<Content, SourceError>, EngineError> {
        for _ in 1..MAX_READS {
            match self.read_once().await {
                // Between two pages.
                Err(EngineError::Compacted(_)) => {}
                read => return read,
            }
        }
        self.read_once().await
    }

    async fn read_once(&self) -> Result<Result<Content, SourceError>, EngineError> {
        let mut reply = self.engine.range(RangeQuery::prefix(self.prefix.clone()).limit(PAGE)).await?;
        let mut content = Content::new(reply.revision);
        loop {
            let last = reply.kvs.last().map(|kv| kv.key.clone());
            for kv in reply.kvs {
                content.put(kv.key, Record::of(&kv.value, kv.mod_revision));
                if let Err(error) = content.check_size(&self.name) {
                    return Ok(Err(error));
                }
            }
            let (true, Some(last)) = (reply.more, last) else { return Ok(Ok(content)) };
            // The first key after the last. A longest key has none after it that is longer; the next of its length serves.
            let start = last.join([0]).ok().or_else(|| last.prefix_end());
            // The prefix is a text, which has no byte 0xFF, so there is a key after all that begin with it.
            let (Some(start), Some(end)) = (start, self.prefix.prefix_end()) else { return Ok(Ok(content)) };
            let query = RangeQuery::new(KeySelector::Span { start, end }).limit(PAGE).at(content.revision());
            reply = self.engine.range(query).await?;
        }
    }

    fn unavailable(&self, reason: impl fmt::Display) -> SourceError {
        SourceError::Unavailable { place: self.name.clone(), reason: reason.to_string().into() }
    }

    /// Notes that the engine cannot be reached, and says whether that makes a difference to what is loaded.
    fn lose(&self, error: &EngineError) -> bool {
        let was_reachable = self.state.lock().unreachable.replace(error.to_string().into()).is_none();
        was_reachable && self.lost == LostEngine::Fail
    }

    /// Notes that the engine can be reached, and says whether that makes a difference to what is loaded.
    fn find(&self) -> bool {
        let was_unreachable = self.state.lock().unreachable.take().is_some();
        was_unreachable && self.lost == LostEngine::Fail
    }
}

impl<E: Engine + ?Sized> Source for RemoteSource<E> {
    fn name(&self) -> &str {
        &self.name
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    /// # Errors
    /// [`SourceError::Unavailable`] before the first read, and with [`LostEngine::Fail`] while the engine cannot be reached.
    /// [`SourceError::TooMany`], [`SourceError::Syntax`] of a key, [`SourceError::Invalid`] of a value, and
    /// [`SourceError::SetTwice`] if a key is below another, if that is what is wrong with what was read last.
    fn load(&self) -> Result<Document, SourceError> {
        let mut state = self.state.lock();
        if let Some(reason) = &state.unreachable
            && (self.lost == LostEngine::Fail || state.content.is_none())
        {
            return Err(self.unavailable(reason));
        }
        if let Some(error) = &state.unread {
            return Err(error.clone());
        }
        state.document(&self.prefix).cloned().unwrap_or_else(|| Err(self.unavailable("nothing has been read yet")))
    }
}

impl<E: ?Sized> fmt::Debug for RemoteSource<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteSource").field("prefix", &self.prefix).field("layer", &self.layer).finish_non_exhaustive()
    }
}
