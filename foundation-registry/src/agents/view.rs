//! How much of agents readers see.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use foundation_types::MetadataView;

use super::reads::AgentEntry;
use super::{AgentsState, events};
use crate::entry::{EntrySnapshot, StoredEntry};
use crate::registry::Registry;

impl Registry {
    /// How much of agents readers see.
    pub fn metadata_view(&self) -> MetadataView {
        self.core.agents.view_in_force()
    }

    /// Sets how much of agents readers see, and returns what it was; [`MetadataView::Enhanced`] at first.
    ///
    /// In the basic view every read of an agent, from lookups to directories, gives a record with id, type, overall health
    /// and stamps only, and queries find agents by these only. Writes are stored in full, and nothing stored changes: back
    /// in the enhanced view everything is visible. Holds for every call that starts afterwards. Services notice nothing.
    #[expect(clippy::must_use_candidate, reason = "the previous view is seldom needed")]
    pub fn configure_metadata_mode(&self, view: MetadataView) -> MetadataView {
        let basic = view == MetadataView::Basic;
        // Relaxed: the flag guards no other memory, and coherence shows it to every call that starts after this one.
        let before = view_of(self.core.agents.basic.swap(basic, Ordering::Relaxed));
        if before != view && self.core.agents.is_on() {
            events::metadata_mode_changed(&self.core, before, view);
        }
        before
    }
}

const fn view_of(basic: bool) -> MetadataView {
    if basic { MetadataView::Basic } else { MetadataView::Enhanced }
}

impl AgentsState {
    pub(super) fn view_in_force(&self) -> MetadataView {
        view_of(self.basic.load(Ordering::Relaxed))
    }

    /// A snapshot with the record as metadata; the basic view of it while the agent features are off. `None` for an agent
    /// that was withdrawn.
    pub(crate) fn view(&self, entry: &StoredEntry) -> Option<EntrySnapshot> {
        let view = if self.is_on() { self.view_in_force() } else { MetadataView::Basic };
        let info = entry.agent()?.info();
        let mut snapshot = entry.snapshot();
        snapshot.metadata = Arc::new(info.view(view));
        Some(snapshot)
    }
}

impl AgentEntry {
    /// What readers of `view` see.
    pub(super) fn in_view(mut self, view: MetadataView) -> Self {
        if view == MetadataView::Basic {
            self.info = Arc::new(self.info.basic_projection());
        }
        self
    }
}
