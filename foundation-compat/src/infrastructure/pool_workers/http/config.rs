//! What a worker is started with.

use std::fmt;
use std::time::Duration;

use foundation_types::error::{Classify, Domain, ErrorKind};
use foundation_types::{Metadata, Value};

use super::text::{HeaderError, Names, check_header};

/// How long a request may take unless told otherwise.
pub const DEFAULT_TIMEOUT: Duration = Duration::from_secs(30);
/// How many redirects are followed unless told otherwise.
pub const DEFAULT_MAX_REDIRECTS: u32 = 5;

/// A checked configuration of an [`HttpWorker`](super::HttpWorker). The values of its headers may be secrets, and show in no debug
/// output.
///
/// ```
/// use foundation_compat::infrastructure::pool_workers::http::{HttpConfigError, HttpWorkerConfig};
///
/// let config = HttpWorkerConfig::new("https://api.example/v1/")?;
/// assert_eq!(config.headers(), [("User-Agent".to_owned(), "Foundation/1.0".to_owned())]);
/// assert_eq!(HttpWorkerConfig::new("ftp://api.example").err(), Some(HttpConfigError::InvalidScheme));
/// # Ok::<(), HttpConfigError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct HttpWorkerConfig {
    base_url: String,
    timeout: Duration,
    headers: Vec<(String, String)>,
    max_redirects: u32,
}

impl HttpWorkerConfig {
    /// Requests under this URL, each with at most 30 seconds, 5 redirects, and the header `User-Agent: Foundation/1.0`.
    ///
    /// # Errors
    /// [`HttpConfigError::EmptyBaseUrl`]; [`HttpConfigError::InvalidScheme`] unless it begins with `http://` or `https://`;
    /// [`HttpConfigError::InvalidBaseUrl`] with a blank or a control character in it.
    pub fn new(base_url: impl Into<String>) -> Result<Self, HttpConfigError> {
        let base_url = base_url.into();
        if base_url.is_empty() {
            return Err(HttpConfigError::EmptyBaseUrl);
        }
        if !base_url.starts_with("http://") && !base_url.starts_with("https://") {
            return Err(HttpConfigError::InvalidScheme);
        }
        if base_url.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(HttpConfigError::InvalidBaseUrl);
        }
        Ok(Self {
            base_url,
            timeout: DEFAULT_TIMEOUT,
            headers: vec![("User-Agent".to_owned(), "Foundation/1.0".to_owned())],
            max_redirects: DEFAULT_MAX_REDIRECTS,
        })
    }

    /// Reads a configuration as the original has it: `base_url`, `timeout` in milliseconds, `headers` as a list of pairs,
    /// `max_redirects`.
    ///
    /// # Errors
    /// In this order: [`HttpConfigError::MissingBaseUrl`], [`HttpConfigError::EmptyBaseUrl`],
    /// [`HttpConfigError::InvalidBaseUrlType`], [`HttpConfigError::InvalidScheme`], and what [`new`](Self::new) and the setters
    /// refuse; [`HttpConfigError::InvalidOption`] for another option that is not what it should be.
    pub fn from_metadata(config: &Metadata) -> Result<Self, HttpConfigError> {
        let invalid = |option| HttpConfigError::InvalidOption { option };
        let mut checked = match config.get("base_url") {
            None | Some(Value::Null) => return Err(HttpConfigError::MissingBaseUrl),
            Some(Value::Text(url)) => Self::new(url.as_str())?,
            Some(_) => return Err(HttpConfigError::InvalidBaseUrlType),
        };
        if let Some(timeout) = config.get("timeout") {
            let millis = timeout.as_i64().and_then(|millis| u64::try_from(millis).ok()).ok_or(invalid("timeout"))?;
            checked = checked.with_timeout(Duration::from_millis(millis));
        }
        if let Some(most) = config.get("max_redirects") {
            let most = most.as_i64().and_then(|most| u32::try_from(most).ok()).ok_or(invalid("max_redirects"))?;
            checked = checked.with_max_redirects(most);
        }
        if let Some(headers) = config.get("headers") {
            let pair = |header: &Value| match header.as_list()? {
                [name, value] => Some((name.as_str()?.to_owned(), value.as_str()?.to_owned())),
                _ => None,
            };
            let headers: Option<Vec<_>> = headers.as_list().and_then(|list| list.iter().map(pair).collect());
            checked = checked.with_headers(headers.ok_or(invalid("headers"))?)?;
        }
        Ok(checked)
    }

    /// With another time limit for each request, which the transport keeps.
    #[must_use]
    pub const fn with_timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// With other headers for every request, in place of the default one.
    ///
    /// # Errors
    /// [`HttpConfigError::Header`].
    pub fn with_headers(
        mut self,
        headers: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, HttpConfigError> {
        self.headers = headers.into_iter().collect();
        self.headers.iter().try_for_each(|(name, value)| check_header(name, value))?;
        Ok(self)
    }

    /// With another number of redirects, which the transport follows.
    #[must_use]
    pub const fn with_max_redirects(mut self, most: u32) -> Self {
        self.max_redirects = most;
        self
    }

    /// The URL that paths are appended to, as it was given.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// How long a request may take.
    pub const fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The headers of every request.
    pub fn headers(&self) -> &[(String, String)] {
        &self.headers
    }

    /// How many redirects are followed.
    pub const fn max_redirects(&self) -> u32 {
        self.max_redirects
    }
}

impl fmt::Debug for HttpWorkerConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWorkerConfig")
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .field("headers", &Names(&self.headers))
            .field("max_redirects", &self.max_redirects)
            .finish()
    }
}

/// Why a worker cannot be started: `{:invalid_config, reason}`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpConfigError {
    /// There is no `base_url`: `missing_base_url`.
    #[error("base_url is missing")]
    MissingBaseUrl,
    /// It is the empty text: `empty_base_url`.
    #[error("base_url is empty")]
    EmptyBaseUrl,
    /// It is no text: `invalid_base_url_type`.
    #[error("base_url is no text")]
    InvalidBaseUrlType,
    /// It begins with neither `http://` nor `https://`: `invalid_scheme`.
    #[error("base_url begins with neither http:// nor https://")]
    InvalidScheme,
    /// It has a blank or a control character in it.
    #[error("base_url has a blank or a control character in it")]
    InvalidBaseUrl,
    /// A header could change the meaning of the request.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// Another option is not what it should be.
    #[error("{option} is not what it should be")]
    InvalidOption {
        /// Which.
        option: &'static str,
    },
}

impl HttpConfigError {
    /// The word of the original, where it has one.
    pub const fn reason(&self) -> Option<&'static str> {
        Some(match self {
            Self::MissingBaseUrl => "missing_base_url",
            Self::EmptyBaseUrl => "empty_base_url",
            Self::InvalidBaseUrlType => "invalid_base_url_type",
            Self::InvalidScheme => "invalid_scheme",
            Self::InvalidBaseUrl | Self::Header(_) | Self::InvalidOption { .. } => return None,
        })
    }
}

impl Classify for HttpConfigError {
    fn kind(&self) -> ErrorKind {
        ErrorKind::InvalidConfig
    }

    fn domain(&self) -> Domain {
        Domain::Infrastructure
    }

    fn context(&self) -> Metadata {
        self.reason().map_or_else(Metadata::new, |reason| Metadata::new().with("reason", reason))
    }
}
