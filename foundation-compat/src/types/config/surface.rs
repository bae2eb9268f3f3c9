//! The sections `interface` and `dev`.

use super::setting::settings;

settings! {
    /// What those who ask for records can get.
    #[derive(Debug, Eq)]
    pub struct InterfaceConfig {
        /// The longest time a question may take, in milliseconds; at least 1.
        pub query_timeout: u64 = 10_000,
        /// The most records of an answer; at least 1.
        pub max_results: u64 = 1000,
        /// Whether answers can come in pieces.
        pub enable_streaming: bool = true,
    }
}

settings! {
    /// What developers see.
    #[derive(Debug, Eq)]
    pub struct DevConfig {
        /// Whether checks are made that cost time.
        pub debug_mode: bool = false,
        /// Whether everything is logged.
        pub verbose_logging: bool = false,
        /// Whether the program measures itself.
        pub performance_monitoring: bool = true,
    }
}
