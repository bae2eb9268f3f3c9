//! The contract of the supervision engine, as properties over random graphs of scripted services. The numbers in the names are
//! those of the contract. No test waits for time to pass: the clock is moved by hand, or by the services themselves.

mod config_changes;
mod counters;
mod dependency_notices;
mod groups;
mod health;
mod intensity;
mod monitoring;
mod observed;
mod order;
mod plan;
mod probes;
mod restarts;
mod scripted;
mod shutdown;
mod switches;
mod tasks;
