//! The settings that everybody keeps.

pub(crate) mod instructions;
pub(crate) mod notify;
pub(crate) mod paths;
pub(crate) mod typed;

use foundation_config::{Schema, Store, TypedPath, UpdatePolicy, path};
use foundation_types::{Metadata, Value};
use serde::{Deserialize, Serialize};

/// Operations that are timed as a whole.
pub(crate) const RUN: usize = 1_000;

/// A configuration of a few sections.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) server: Server,
    pub(crate) limits: Limits,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Server {
    pub(crate) name: String,
    pub(crate) pool: Pool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Pool {
    pub(crate) size: u32,
    pub(crate) spare: u32,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Limits {
    pub(crate) requests: u32,
    pub(crate) bytes: u64,
}

pub(crate) const SIZE: TypedPath<u32> = path!(server.pool.size: u32);

impl Settings {
    pub(crate) fn new() -> Self {
        let server = Server { name: "a server".to_owned(), pool: Pool { size: 8, spare: 2 } };
        Self { server, limits: Limits { requests: 100, bytes: 1 << 20 } }
    }
}

impl Schema for Settings {
    fn defaults() -> Value {
        let pool = Metadata::new().with("size", 8).with("spare", 2);
        let server = Metadata::new().with("name", "a server").with("pool", pool);
        let limits = Metadata::new().with("requests", 100).with("bytes", 1 << 20);
        Metadata::new().with("server", server).with("limits", limits).into()
    }

    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::allow_all()
    }
}

pub(crate) fn store() -> Store<Settings> {
    Store::builder().build().expect("the defaults are valid")
}
