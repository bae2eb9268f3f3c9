//! Writing, whether the service runs or not.

use foundation_config::{Committed, IntoPath, Path, path};
use foundation_types::error::Error;
use serde::Serialize;

use super::Instance;
use crate::config::{TARGET, events};
use crate::logic::config_logic::{secure_path, settable};
use crate::validation::record::{self, Later};

impl Instance {
    /// Writes a setting, or queues the write while the service is stopped.
    pub(crate) fn update(&self, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        let updated = settable(path, value).and_then(|(path, value)| {
            if !self.is_running() {
                self.pending.enqueue(&path, value).map_err(record::refused)?;
                tracing::warn!(target: TARGET, %path, "the configuration service is stopped, the update waits");
                return Err(record::service_unavailable(Later::Queued));
            }
            let committed = self.store.update(&path, value).map_err(record::refused)?;
            self.pending.discard(&path);
            self.note_update(&path, &committed);
            Ok(())
        });
        updated.map_err(|error| self.at_now(error))
    }

    /// As [`update`](Self::update), but says of four paths that they are protected.
    pub(crate) fn safe_update(&self, path: impl IntoPath, value: impl Serialize) -> Result<(), Error> {
        let path = secure_path(path).map_err(|error| self.at_now(error))?;
        let protected: [Path; 4] = [
            path!(ai.api_key: ()).into(),
            path!(storage.encryption_key: ()).into(),
            path!(security: ()).into(),
            path!(system.node_name: ()).into(),
        ];
        if protected.contains(&path) {
            return Err(self.at_now(record::protected(&path)));
        }
        self.update(path, value)
    }

    /// Takes back all that was written while running.
    pub(crate) fn reset(&self) -> Result<(), Error> {
        self.check_running()?;
        self.store.reset().map_err(|error| self.at_now(record::refused(error)))?;
        let updates = self.state().updates;
        events::reset(&self.emitter, self.clock.mono(), updates);
        Ok(())
    }

    /// Counts and tells a write that was made through the legacy functions.
    pub(super) fn note_update(&self, path: &Path, committed: &Committed) {
        let now = self.clock.mono();
        {
            let mut state = self.state();
            state.updates += 1;
            state.last_update = Some(now);
        }
        if self.emitter.is_installed() {
            let (old, new) = committed.change.value_at(path);
            events::updated(&self.emitter, now, path, old.as_ref(), new.as_ref());
        }
    }
}
