//! The public suite on both back-ends of this crate.
#![cfg(feature = "conformance")]

use std::num::NonZeroUsize;
use std::sync::Arc;

use foundation_registry::{Partitioned, Sharded, backend_conformance};

backend_conformance!(sharded, || Arc::new(Sharded::default()));
backend_conformance!(sharded_in_two, || {
    Arc::new(Sharded::with_partitions(NonZeroUsize::new(2).expect("not zero")))
});
backend_conformance!(partitioned, || Arc::new(Partitioned::default()));
