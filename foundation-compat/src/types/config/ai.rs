//! The section `ai`.

use foundation_config::Secret;

use super::setting::{settings, words};

settings! {
    /// Who answers questions about code, and what an answer may cost.
    #[derive(Debug)]
    pub struct AiConfig {
        /// Who answers.
        pub provider: Provider = Provider::Mock,
        /// What the provider knows the program by. Shows nowhere a person could read it.
        pub api_key: Option<Secret<String>> = None,
        /// The model to ask.
        pub model: String = "gpt-4".to_owned(),
        /// Limits of an analysis.
        pub analysis: AnalysisConfig = AnalysisConfig::default(),
        /// How work is planned.
        pub planning: PlanningConfig = PlanningConfig::default(),
    }
}

settings! {
    /// Limits of an analysis.
    #[derive(Debug, Eq)]
    pub struct AnalysisConfig {
        /// The largest file, in bytes; at least 1.
        pub max_file_size: u64 = 1_000_000,
        /// The longest time, in milliseconds; at least 1.
        pub timeout: u64 = 30_000,
        /// For how long a result is kept, in seconds; at least 1.
        pub cache_ttl: u64 = 3600,
    }
}

settings! {
    /// How work is planned.
    #[derive(Debug)]
    pub struct PlanningConfig {
        /// What is weighed against what.
        pub default_strategy: Strategy = Strategy::Balanced,
        /// The share of the time that observing may cost; at least 0.
        pub performance_target: f64 = 0.01,
        /// The share of what happens that is observed; 0 to 1.
        pub sampling_rate: f64 = 1.0,
    }
}

words! {
    /// Who answers questions about code.
    pub enum Provider {
        /// Nobody: fixed answers.
        Mock = "mock",
        /// OpenAI.
        Openai = "openai",
        /// Anthropic.
        Anthropic = "anthropic",
        /// Google Gemini.
        Gemini = "gemini",
    }
}

words! {
    /// What planning weighs against what.
    pub enum Strategy {
        /// Speed before everything.
        Fast = "fast",
        /// Both alike.
        Balanced = "balanced",
        /// Completeness before everything.
        Thorough = "thorough",
    }
}
