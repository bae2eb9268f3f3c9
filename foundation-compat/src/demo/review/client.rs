//! Asking the service: connections, one request on one of them, and what can go wrong.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use foundation_breaker::Outcome;
use foundation_breaker::retry::RetryVerdict;
use foundation_resources::pool::AsyncFactory;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::super::settings::MAX_LATENESS;
use super::outage::Evidence;
use super::score::Findings;
use super::service::PATH;

/// The most bytes of an answer.
const MAX_ANSWER: usize = 4096;

/// A connection to the service, on which one request is made at a time.
pub(super) type Connection = SendRequest<Full<Bytes>>;

/// Why there is no review.
#[derive(Debug, thiserror::Error)]
pub(in super::super) enum ReviewError {
    /// The service takes no connection.
    #[error("cannot connect to {address}: {error}")]
    Connect { address: SocketAddr, error: io::Error },
    /// The connection broke.
    #[error("the connection broke: {0}")]
    Broken(#[from] hyper::Error),
    /// There was no answer in time.
    #[error("no answer within {limit:?}")]
    TimedOut { limit: Duration },
    /// There may have been one: nobody looked for long after the time was over.
    #[error("{late:?} passed at once after the {limit:?} for an answer: the clock jumped, or the machine stood still")]
    Overslept { limit: Duration, late: Duration },
    /// The service refused, or failed.
    #[error("it answered {0}")]
    Status(StatusCode),
    /// The answer is no review of the text.
    #[error("its answer is no review: {0}")]
    Nonsense(String),
    /// All connections were with other reviewers.
    #[error("no connection became free within {wait:?}")]
    NoConnection { wait: Duration },
}

impl ReviewError {
    /// There was no answer within `limit`, which was noticed so `late`.
    pub(super) fn timed_out(limit: Duration, late: Duration) -> Self {
        if late > MAX_LATENESS { Self::Overslept { limit, late } } else { Self::TimedOut { limit } }
    }

    /// What it says about the service to the breaker.
    pub(super) fn outcome(&self) -> Outcome {
        match self {
            Self::NoConnection { .. } | Self::Overslept { .. } => Outcome::Ignored,
            Self::Status(status) if status.is_client_error() => Outcome::Ignored,
            _ => Outcome::Failure,
        }
    }

    /// What it says about whether the service is gone. One that refuses every text is of no more use than one that is not there.
    pub(super) const fn evidence(&self) -> Evidence {
        match self {
            Self::NoConnection { .. } | Self::Overslept { .. } => Evidence::None,
            Self::TimedOut { .. } => Evidence::Silence,
            Self::Connect { .. } | Self::Broken(_) | Self::Status(_) | Self::Nonsense(_) => Evidence::Failure,
        }
    }

    /// Whether it is what the service thinks of the text, as far as it thinks.
    pub(super) const fn is_answer(&self) -> bool {
        matches!(self, Self::Status(_) | Self::Nonsense(_))
    }

    /// Whether it is worth asking again. A review changes nothing, so it may be asked for twice.
    pub(super) fn verdict(&self) -> RetryVerdict {
        match self {
            Self::NoConnection { .. } => RetryVerdict::Refused { retry_after: None },
            Self::Status(status) if status.is_client_error() => RetryVerdict::GiveUp,
            _ => RetryVerdict::Retry,
        }
    }
}

/// Makes connections to the service.
#[derive(Clone, Copy, Debug)]
pub(super) struct Connections(pub(super) SocketAddr);

impl AsyncFactory for Connections {
    type Item = Connection;
    type Error = ReviewError;

    /// Within a runtime of tokio, on which the connection runs until the item is dropped.
    async fn create(&self) -> Result<Connection, ReviewError> {
        let address = self.0;
        let stream = TcpStream::connect(address).await.map_err(|error| ReviewError::Connect { address, error })?;
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        let (connection, driver) = handshake(TokioIo::new(stream)).await?;
        // Whoever makes a request on it hears of its errors.
        tokio::spawn(async { driver.await.ok() });
        Ok(connection)
    }

    fn is_usable(&self, connection: &mut Connection) -> bool {
        !connection.is_closed()
    }
}

/// Has a text reviewed over a connection.
///
/// # Cancel safety
/// None: the connection of a future that was dropped is of no more use.
pub(super) async fn ask(
    connection: &mut Connection,
    address: SocketAddr,
    token: Option<HeaderValue>,
    text: Bytes,
) -> Result<Findings, ReviewError> {
    let bytes = text.len() as u64;
    let mut request = Request::post(PATH)
        .header(HOST, address.to_string())
        .header(CONTENT_TYPE, "application/octet-stream")
        .body(Full::new(text))
        .expect("path and headers are well-formed");
    if let Some(token) = token {
        request.headers_mut().insert(AUTHORIZATION, token);
    }
    connection.ready().await?;
    let response = connection.send_request(request).await?;
    let status = response.status();
    let answer = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
    if status != StatusCode::OK {
        return Err(ReviewError::Status(status));
    }
    let answer = answer.map_err(|error| match error.downcast::<hyper::Error>() {
        Ok(error) => ReviewError::Broken(*error),
        Err(error) => ReviewError::Nonsense(error.to_string()),
    })?;
    let findings: Findings =
        serde_json::from_slice(&answer.to_bytes()).map_err(|error| ReviewError::Nonsense(error.to_string()))?;
    if findings.bytes == bytes {
        Ok(findings)
    } else {
        Err(ReviewError::Nonsense(format!("it is of {} bytes instead of {bytes}", findings.bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_timeout_that_is_noticed_in_time_says_something_about_the_service() {
        let limit = Duration::from_millis(100);
        let said = |late| {
            let error = ReviewError::timed_out(limit, late);
            (error.outcome(), error.evidence())
        };
        assert_eq!(said(MAX_LATENESS), (Outcome::Failure, Evidence::Silence));
        assert_eq!(said(MAX_LATENESS + Duration::from_nanos(1)), (Outcome::Ignored, Evidence::None));
    }
}
