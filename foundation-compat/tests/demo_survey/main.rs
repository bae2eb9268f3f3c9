//! The survey of a source tree by a fleet of agents: its totals are those of an independent count, whatever dies.

#![cfg(feature = "cli")]

mod chaos;
#[cfg(target_os = "linux")]
mod deep;
mod direct;
mod live;
mod oddities;
mod reviewer;
mod reviews;
mod totals;
mod tree;
mod watcher;

use std::path::Path;

use foundation_compat::demo::{Crew, Survey, SurveySettings, Surveyor};

fn settings(input: &Path) -> SurveySettings {
    SurveySettings::new(input)
}

fn survey(settings: SurveySettings) -> Survey {
    Surveyor::new(settings).run().expect("the survey can be done")
}

fn crew(total: usize) -> Crew {
    Crew::of(total).expect("in range")
}
