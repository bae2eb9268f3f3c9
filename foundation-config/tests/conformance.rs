//! The public suite on the stores of this crate: one without rules, and one with rules of every kind.
#![cfg(feature = "conformance")]

#[cfg(feature = "agent")]
use foundation_config::agent_config_conformance;
use foundation_config::conformance::Fleet;
use foundation_config::{Dynamic, Store, config_conformance};

config_conformance!(dynamic, |setup| Store::<Dynamic>::from(setup));
config_conformance!(fleet, |setup| Store::<Fleet>::from(setup));
#[cfg(feature = "agent")]
agent_config_conformance!(agents_dynamic, |setup| Store::<Dynamic>::from(setup));
#[cfg(feature = "agent")]
agent_config_conformance!(agents_fleet, |setup| Store::<Fleet>::from(setup));
