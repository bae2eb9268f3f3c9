//! The service of the settings: reads, writes, subscribers, and what happens while it is stopped.

#[cfg(feature = "agent")]
mod agents;
mod events;
mod facade;
mod fixed;
#[cfg(feature = "agent")]
mod off;
mod session;
mod stopped;
mod subscribers;
mod supervised;
mod trace;
