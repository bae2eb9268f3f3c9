//! The original's `PoolWorkers.HttpWorker`: a worker that sends HTTP requests to one server.
//!
//! The original simulates the network. Here the transport is the program's: [`HttpTransport`] takes a request that is checked
//! and complete.
//!
//! ```
//! use std::convert::Infallible;
//! use foundation_compat::infrastructure::pool_workers::http::{
//!     HttpConfigError, HttpRequest, HttpResponse, HttpTransport, HttpWorker, HttpWorkerConfig, RequestOptions,
//! };
//!
//! struct Echo;
//!
//! impl HttpTransport for Echo {
//!     type Error = Infallible;
//!
//!     fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Infallible> {
//!         Ok(HttpResponse { status: 200, body: request.url.clone().into_bytes(), ..HttpResponse::default() })
//!     }
//! }
//!
//! let mut worker = HttpWorker::start(HttpWorkerConfig::new("https://api.example/")?, Echo);
//! let answer = worker.get("/users", &RequestOptions::new().param("name", "Ada L")).expect("it never fails");
//! assert_eq!(answer.body, b"https://api.example/users?name=Ada+L");
//! assert_eq!(worker.get_status().stats.requests_made, 1);
//! # Ok::<(), HttpConfigError>(())
//! ```

mod config;
mod text;
mod transport;
mod worker;

pub use self::config::{DEFAULT_MAX_REDIRECTS, DEFAULT_TIMEOUT, HttpConfigError, HttpWorkerConfig};
pub use self::text::HeaderError;
pub use self::transport::{HttpMethod, HttpRequest, HttpResponse, HttpTransport};
pub use self::worker::{HttpError, HttpStats, HttpWorker, HttpWorkerStatus, RequestOptions};
