//! Sources that fail.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use foundation_types::{Clock, MonoTime};
use parking_lot::RwLock;

use super::Inner;
use crate::content::Content;
use crate::error::ConfigError;
use crate::path::{IntoPath, Path};
use crate::schema::Schema;

/// For how long what a source held last is served while it fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StalePolicy {
    /// For ever.
    #[default]
    ServeForever,
    /// Until this long after it first failed, inclusive. Afterwards reads of paths that it decides fail. Typed reads of the
    /// whole ([`Store::load`](super::Store::load), snapshots) go on.
    ErrorAfter(Duration),
}

/// How current what a source holds is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceState {
    /// It was loaded and accepted when it was last asked, or it was never asked.
    Fresh,
    /// It has failed since then.
    Stale {
        /// For how long.
        age: Duration,
    },
    /// It has failed for longer than its policy bears.
    Expired {
        /// For how long.
        age: Duration,
    },
}

/// Which sources fail, and since when.
pub(crate) struct Staleness {
    /// Whether any source fails whose policy limits that, so that reads need not look.
    is_limited: AtomicBool,
    sources: RwLock<Vec<Standing>>,
}

struct Standing {
    policy: StalePolicy,
    failing_since: Option<MonoTime>,
}

impl Staleness {
    pub(crate) fn new(policies: impl Iterator<Item = StalePolicy>) -> Self {
        let sources = policies.map(|policy| Standing { policy, failing_since: None }).collect();
        Self { is_limited: AtomicBool::new(false), sources: RwLock::new(sources) }
    }

    pub(super) fn note(&self, index: usize, is_failing: bool, now: MonoTime) {
        let mut sources = self.sources.write();
        let since = &mut sources[index].failing_since;
        *since = if is_failing { since.or(Some(now)) } else { None };
        let limited =
            |standing: &Standing| standing.failing_since.is_some() && standing.policy != StalePolicy::ServeForever;
        // Relaxed: a reader that synchronises with the end of the reload sees it; others may read a moment before.
        self.is_limited.store(sources.iter().any(limited), Ordering::Relaxed);
    }

    pub(crate) fn state(&self, index: usize, now: MonoTime) -> SourceState {
        let sources = self.sources.read();
        let Standing { policy, failing_since } = &sources[index];
        let Some(since) = failing_since else { return SourceState::Fresh };
        let age = now.saturating_since(*since);
        match policy {
            StalePolicy::ErrorAfter(limit) if age > *limit => SourceState::Expired { age },
            _ => SourceState::Stale { age },
        }
    }
}

impl<S: Schema> Inner<S> {
    /// Refuses a read of what a source decides that has been failing for too long.
    #[inline]
    pub(crate) fn check_fresh(&self, content: &Content, path: &impl IntoPath) -> Result<(), ConfigError> {
        if !self.staleness.is_limited.load(Ordering::Relaxed) {
            return Ok(());
        }
        let mut components = Vec::new();
        path.visit(|component| {
            components.push(component.to_owned());
            Ok(())
        })?;
        self.check_expired(content, &Path::new(components)?)
    }

    #[cold]
    fn check_expired(&self, content: &Content, path: &Path) -> Result<(), ConfigError> {
        let now = self.clock().mono();
        for index in 0..self.sources.len() {
            if let SourceState::Expired { age } = self.staleness.state(index, now)
                && decides(content, index, path)
            {
                return Err(ConfigError::Unavailable { path: path.clone(), age });
            }
        }
        Ok(())
    }
}

/// Whether what shows at `path` comes from this source, or a part of it may.
fn decides(content: &Content, index: usize, path: &Path) -> bool {
    let layers = &content.layers;
    let Some(Some(own)) = layers.documents.get(index) else { return false };
    let Some(at) = own.node.at(path.texts()) else { return false };
    let later = layers.documents_of(own.layer).filter(|(other, _)| *other > index).map(|(_, loaded)| &loaded.node);
    at.shows_below(later.chain(layers.above(own.layer)), path.texts())
}
