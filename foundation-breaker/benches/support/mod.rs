//! What the benchmarks of the breaker are made of.

pub(crate) mod closed;
pub(crate) mod instructions;
pub(crate) mod ours;
pub(crate) mod peers;
pub(crate) mod refusal;
pub(crate) mod set;
