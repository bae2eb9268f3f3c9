//! Configuration without a type.

use std::ops::Deref;

use foundation_types::{Metadata, Value};
use serde::{Deserialize, Serialize};

use super::{Schema, UnknownKeys, UpdatePolicy, Violations};
use crate::tree::Tree;

/// Any tree, without rules: everything may be in it, and everything may be changed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Dynamic(Tree);

impl Schema for Dynamic {
    fn defaults() -> Value {
        Metadata::new().into()
    }

    fn update_policy() -> UpdatePolicy {
        UpdatePolicy::allow_all()
    }

    fn unknown_keys() -> UnknownKeys {
        UnknownKeys::Keep
    }

    fn build(tree: &Tree) -> Result<Self, Violations> {
        Ok(Self(tree.clone()))
    }
}

impl Deref for Dynamic {
    type Target = Tree;

    fn deref(&self) -> &Tree {
        &self.0
    }
}
