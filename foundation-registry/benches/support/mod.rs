//! What the benchmarks of the registry are made of.

pub(crate) mod capability;
pub(crate) mod churn;
pub(crate) mod death;
pub(crate) mod enumeration;
pub(crate) mod fleet;
pub(crate) mod frameworks;
pub(crate) mod instructions;
pub(crate) mod lookup;
pub(crate) mod maps;
