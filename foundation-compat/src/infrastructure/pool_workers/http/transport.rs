//! What sends requests.

use std::fmt;
use std::time::Duration;

use super::text::Names;

/// Sends requests and gives answers. The library has none: a program brings its client.
///
/// Calls may block; they run on the thread that uses the worker. A panic counts as a failure.
pub trait HttpTransport {
    /// Why there is no answer.
    type Error: std::error::Error + Send + Sync + 'static;

    /// Sends a request, within its time limit, and follows as many redirects as it says. An answer with an error status is an
    /// answer.
    ///
    /// # Errors
    /// Whatever kept it from getting an answer.
    fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, Self::Error>;
}

/// A request, complete. Debug output shows neither the query, the values of headers nor the body: they may be secrets.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct HttpRequest {
    /// What is to be done.
    pub method: HttpMethod,
    /// Where, query included. Without control characters and blanks.
    pub url: String,
    /// The headers, of which no two have the same name, and none could be taken for several.
    pub headers: Vec<(String, String)>,
    /// What is sent along.
    pub body: Vec<u8>,
    /// How long it may take.
    pub timeout: Duration,
    /// How many redirects to follow.
    pub max_redirects: u32,
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpRequest")
            .field("method", &self.method)
            .field("url", &self.url.split('?').next())
            .field("headers", &Names(&self.headers))
            .field("body", &self.body.len())
            .field("timeout", &self.timeout)
            .field("max_redirects", &self.max_redirects)
            .finish()
    }
}

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HttpMethod {
    /// `GET`.
    Get,
    /// `POST`.
    Post,
}

impl HttpMethod {
    /// The word in the request.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// An answer, whatever its status.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HttpResponse {
    /// The status code.
    pub status: u16,
    /// The headers, in their order.
    pub headers: Vec<(String, String)>,
    /// What came along.
    pub body: Vec<u8>,
}
