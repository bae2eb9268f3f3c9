//! The properties of the error system. The number in a test's name is that of the property it checks.
#![cfg(feature = "test-util")]

#[cfg(feature = "agent")]
mod agent;
mod classify;
mod context;
mod enhance;
mod json;
mod record;
mod retry;
mod scope;
mod strategies;
mod table;
mod text;
mod wrap;
