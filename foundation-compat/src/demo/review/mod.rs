//! Reviews: a service on the loopback interface, and what stands between it and those who call it.

mod chronicle;
mod client;
mod faults;
mod gateway;
mod outage;
pub(super) mod score;
mod service;
pub(super) mod summary;
mod tally;

pub(super) use chronicle::Chronicle;
pub(super) use gateway::Gateway;
pub(super) use tally::ReviewTally;
