//! Object pools and bulkheads.
