//! What agents work with, as services that are started before them and stopped after them.

use std::sync::{Arc, Mutex, PoisonError};

use foundation_config::watch::FileWatcher;
use foundation_types::ExitReason;

use super::config::Opened;
use super::review::Chronicle;
use super::roles::Site;
use crate::lifecycle::{BoxError, Service, ServiceContext, ServiceSpec};

/// The services, in the order in which they are to be started.
pub(super) fn specs(site: &Arc<Site>, opened: &Arc<Opened>, chronicle: &Arc<Chronicle>) -> Vec<ServiceSpec> {
    let (opened, chronicle) = (Arc::clone(opened), Arc::clone(chronicle));
    let settings = move |_: &ServiceContext| {
        let (opened, chronicle) = (Arc::clone(&opened), Arc::clone(&chronicle));
        Ok(Settings { opened, chronicle, watcher: Mutex::default() })
    };
    let site = Arc::clone(site);
    let reviews = move |_: &ServiceContext| Ok(Reviews { site: Arc::clone(&site) });
    vec![ServiceSpec::new("settings", settings), ServiceSpec::new("reviews", reviews)]
}

/// Watches the file of the settings.
struct Settings {
    opened: Arc<Opened>,
    chronicle: Arc<Chronicle>,
    /// Held to put it there, and to take it out.
    watcher: Mutex<Option<FileWatcher>>,
}

impl Settings {
    fn replace(&self, watcher: Option<FileWatcher>) -> Option<FileWatcher> {
        std::mem::replace(&mut *self.watcher.lock().unwrap_or_else(PoisonError::into_inner), watcher)
    }
}

impl Service for Settings {
    /// Where files cannot be watched they stay what they were when the survey began, and the report says so.
    fn start(&self, _: &ServiceContext) -> Result<(), BoxError> {
        let chronicle = Arc::clone(&self.chronicle);
        match self.opened.watch(move |reason| chronicle.refuse("file", &reason)) {
            Ok(watcher) => drop(self.replace(watcher)),
            Err(error) => self.chronicle.refuse("file", &error.to_string()),
        }
        Ok(())
    }

    fn stop(&self, _: &ExitReason) {
        drop(self.replace(None));
    }
}

/// The way to the reviewing service.
struct Reviews {
    site: Arc<Site>,
}

impl Service for Reviews {
    fn stop(&self, _: &ExitReason) {
        self.site.gateway.close();
    }
}
