//! The section `storage`.

use foundation_types::{Metadata, Value, bridge};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::setting::{Setting, settings, words};

settings! {
    /// Where records are kept.
    #[derive(Debug, Eq)]
    pub struct StorageConfig {
        /// In memory.
        pub hot: HotStorageConfig = HotStorageConfig::default(),
        /// In files.
        pub warm: WarmStorageConfig = WarmStorageConfig::default(),
        /// Elsewhere.
        pub cold: ColdStorageConfig = ColdStorageConfig::default(),
    }
}

settings! {
    /// What is kept in memory.
    #[derive(Debug, Eq)]
    pub struct HotStorageConfig {
        /// The most records; at least 1.
        pub max_events: u64 = 100_000,
        /// For how long, in seconds; at least 1.
        pub max_age_seconds: u64 = 3600,
        /// How often what is older is removed, in milliseconds; at least 1.
        pub prune_interval: u64 = 60_000,
    }
}

/// What is kept in files. As long as it is off, what a tree says of the rest does not matter, and reads as the default where
/// it makes no sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WarmStorageConfig {
    /// Whether anything is.
    pub enable: bool,
    /// The directory.
    pub path: String,
    /// The most room, in megabytes; at least 1.
    pub max_size_mb: u64,
    /// How the files are compressed.
    pub compression: Compression,
}

impl Default for WarmStorageConfig {
    fn default() -> Self {
        Self { enable: false, path: "./foundation_data".to_owned(), max_size_mb: 100, compression: Compression::Zstd }
    }
}

impl Setting for WarmStorageConfig {
    fn to_setting(&self) -> Value {
        Metadata::new()
            .with("enable", self.enable)
            .with("path", self.path.as_str())
            .with("max_size_mb", self.max_size_mb.to_setting())
            .with("compression", self.compression.to_setting())
            .into()
    }
}

impl Serialize for WarmStorageConfig {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_setting().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for WarmStorageConfig {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tree = Metadata::deserialize(deserializer)?;
        let default = Self::default();
        let enable = tree.get("enable").map_or(Some(default.enable), Value::as_bool);
        let enable = enable.ok_or_else(|| D::Error::custom("enable: expected true or false"))?;
        Ok(Self {
            enable,
            path: part(&tree, "path", enable, default.path)?,
            max_size_mb: part(&tree, "max_size_mb", enable, default.max_size_mb)?,
            compression: part(&tree, "compression", enable, default.compression)?,
        })
    }
}

/// The setting of this key, or its default if there is none, or none that can be read and `matters` is false.
fn part<T: DeserializeOwned, E: serde::de::Error>(
    tree: &Metadata,
    key: &str,
    matters: bool,
    default: T,
) -> Result<T, E> {
    match tree.get(key).map(bridge::from_value) {
        Some(Ok(setting)) => Ok(setting),
        Some(Err(error)) if matters => Err(E::custom(format_args!("{key}: {error}"))),
        Some(Err(_)) | None => Ok(default),
    }
}

settings! {
    /// What is kept elsewhere: nothing so far.
    #[derive(Debug, Eq)]
    pub struct ColdStorageConfig {
        /// Whether anything is; has to be false.
        pub enable: bool = false,
    }
}

words! {
    /// How files are compressed.
    pub enum Compression {
        /// Not at all.
        None = "none",
        /// As gzip does.
        Gzip = "gzip",
        /// As Zstandard does.
        Zstd = "zstd",
    }
}
