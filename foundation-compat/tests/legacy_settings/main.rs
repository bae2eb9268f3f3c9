//! The settings of the original, what is valid, and what may change while running.

mod build;
mod diff;
mod model;
mod order;
mod profiles;
mod security;
mod trees;
mod types;
mod update;
mod validator;
