//! The rules of the middleware, one by one.

mod back_pressure;
mod keyed;
mod permits;
mod refusals;
mod support;
