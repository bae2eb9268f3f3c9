//! What agents rely on, on both back-ends of this crate.
#![cfg(all(feature = "agent", feature = "conformance"))]

use std::num::NonZeroUsize;
use std::sync::Arc;

use foundation_registry::{Partitioned, Sharded, agent_conformance};

agent_conformance!(sharded, || Arc::new(Sharded::default()));
agent_conformance!(sharded_in_two, || Arc::new(Sharded::with_partitions(NonZeroUsize::new(2).expect("not zero"))));
agent_conformance!(partitioned, || Arc::new(Partitioned::default()));
