//! The worker.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use foundation_types::{Clock, MonoTime, SystemClock, Text, Timestamp, contain};

use super::config::HttpWorkerConfig;
use super::text::{HeaderError, Names, check_header, url};
use super::transport::{HttpMethod, HttpRequest, HttpResponse, HttpTransport};

/// Sends requests to one server, and counts them.
///
/// Make a pool of them with [`PoolConfig::new`](crate::infrastructure::connection_manager::PoolConfig::new) and a factory that
/// starts one.
pub struct HttpWorker<T> {
    config: HttpWorkerConfig,
    transport: T,
    clock: Arc<dyn Clock>,
    started: MonoTime,
    stats: HttpStats,
}

/// What a worker has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpStats {
    /// How many requests were made, whatever came of them.
    pub requests_made: u64,
    /// When the last one was.
    pub last_request_at: Option<Timestamp>,
    /// How many had no answer. An answer with an error status is an answer.
    pub errors: u64,
}

/// What a worker tells of itself. The values of its headers may be secrets, and show in no debug output.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpWorkerStatus {
    /// The URL that paths are appended to.
    pub base_url: String,
    /// How long a request may take.
    pub timeout: Duration,
    /// The headers of every request.
    pub headers: Vec<(String, String)>,
    /// What it has done.
    pub stats: HttpStats,
    /// For how long it has existed.
    pub uptime: Duration,
}

impl fmt::Debug for HttpWorkerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWorkerStatus")
            .field("base_url", &self.base_url)
            .field("timeout", &self.timeout)
            .field("headers", &Names(&self.headers))
            .field("stats", &self.stats)
            .field("uptime", &self.uptime)
            .finish()
    }
}

/// What a single request has beside its path.
#[derive(Clone, Default, PartialEq, Eq)]
#[must_use]
pub struct RequestOptions {
    params: Vec<(String, String)>,
    headers: Vec<(String, String)>,
}

impl RequestOptions {
    /// Nothing.
    pub const fn new() -> Self {
        Self { params: Vec::new(), headers: Vec::new() }
    }

    /// One more parameter of the query, encoded as forms are.
    pub fn param(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.params.push((key.into(), value.into()));
        self
    }

    /// One more header, in place of one of exactly the same name.
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }
}

impl fmt::Debug for RequestOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RequestOptions")
            .field("params", &Names(&self.params))
            .field("headers", &Names(&self.headers))
            .finish()
    }
}

impl<T: HttpTransport> HttpWorker<T> {
    /// A worker that sends through `transport`, on the system's clock.
    pub fn start(config: HttpWorkerConfig, transport: T) -> Self {
        Self::start_with_clock(config, transport, Arc::new(SystemClock))
    }

    /// A worker that sends through `transport`, on another clock.
    pub fn start_with_clock(config: HttpWorkerConfig, transport: T, clock: Arc<dyn Clock>) -> Self {
        let started = clock.mono();
        Self { config, transport, clock, started, stats: HttpStats::default() }
    }

    /// Gets what is at a path.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn get(&mut self, path: &str, options: &RequestOptions) -> Result<HttpResponse, HttpError<T::Error>> {
        self.send(HttpMethod::Get, path, Vec::new(), options)
    }

    /// As [`get`](Self::get) without options.
    ///
    /// # Errors
    /// As there.
    pub fn get_2(&mut self, path: &str) -> Result<HttpResponse, HttpError<T::Error>> {
        self.get(path, &RequestOptions::new())
    }

    /// Posts a body to a path.
    ///
    /// # Errors
    /// [`HttpError`].
    pub fn post(
        &mut self,
        path: &str,
        body: impl Into<Vec<u8>>,
        options: &RequestOptions,
    ) -> Result<HttpResponse, HttpError<T::Error>> {
        self.send(HttpMethod::Post, path, body.into(), options)
    }

    /// As [`post`](Self::post) without options.
    ///
    /// # Errors
    /// As there.
    pub fn post_3(&mut self, path: &str, body: impl Into<Vec<u8>>) -> Result<HttpResponse, HttpError<T::Error>> {
        self.post(path, body, &RequestOptions::new())
    }

    /// What it is and has done.
    pub fn get_status(&self) -> HttpWorkerStatus {
        HttpWorkerStatus {
            base_url: self.config.base_url().to_owned(),
            timeout: self.config.timeout(),
            headers: self.config.headers().to_vec(),
            stats: self.stats,
            uptime: self.clock.mono().saturating_since(self.started),
        }
    }

    fn send(
        &mut self,
        method: HttpMethod,
        path: &str,
        body: Vec<u8>,
        options: &RequestOptions,
    ) -> Result<HttpResponse, HttpError<T::Error>> {
        let request = self.request(method, path, body, options)?;
        self.stats.requests_made += 1;
        self.stats.last_request_at = Some(self.clock.wall());
        let transport = &mut self.transport;
        let sent = match contain(|| transport.send(&request)) {
            Ok(Ok(response)) => return Ok(response),
            Ok(Err(error)) => HttpError::Transport(error),
            Err(message) => HttpError::Panicked { message },
        };
        self.stats.errors += 1;
        Err(sent)
    }

    fn request(
        &self,
        method: HttpMethod,
        path: &str,
        body: Vec<u8>,
        options: &RequestOptions,
    ) -> Result<HttpRequest, HttpError<T::Error>> {
        if path.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(HttpError::InvalidPath);
        }
        let mut headers = self.config.headers().to_vec();
        for (name, value) in &options.headers {
            check_header(name, value)?;
            headers.retain(|(default, _)| default != name);
            headers.push((name.clone(), value.clone()));
        }
        Ok(HttpRequest {
            method,
            url: url(self.config.base_url(), path, &options.params),
            headers,
            body,
            timeout: self.config.timeout(),
            max_redirects: self.config.max_redirects(),
        })
    }
}

impl<T> fmt::Debug for HttpWorker<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpWorker")
            .field("base_url", &self.config.base_url())
            .field("stats", &self.stats)
            .finish_non_exhaustive()
    }
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpError<E> {
    /// The path has a blank or a control character in it. Nothing was sent or counted.
    #[error("the path has a blank or a control character in it")]
    InvalidPath,
    /// A header could change the meaning of the request. Nothing was sent or counted.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The transport failed.
    #[error("no answer: {0}")]
    Transport(#[source] E),
    /// The transport panicked.
    #[error("the transport panicked: {message}")]
    Panicked {
        /// The message of the panic.
        message: Text,
    },
}
