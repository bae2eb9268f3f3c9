//! The reviewing service: HTTP/1.1 on a port of the loopback interface.
//!
//! `POST /reviews` with a text as its body, of at most [`MAX_TEXT`] bytes, is answered with 200 and its [`Findings`] as JSON;
//! a larger one with 413. Reviewing the same text again gives the same answer and changes nothing, so that it is safe to ask
//! again when an answer was lost.

use std::convert::Infallible;
use std::future::pending;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use foundation_types::{Clock, sleep_until};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::super::settings::MAX_TEXT;
use super::super::spectator::{Event, Spectator};
use super::faults::{Fault, Faults};
use super::score::Findings;

/// The path that texts are sent to.
pub(super) const PATH: &str = "/reviews";

/// How long the service refuses connections after it has hung up.
const DOWN_FOR: Duration = Duration::from_millis(80);

/// Connections that the operating system holds until they are accepted.
const BACKLOG: u32 = 128;

/// How long to wait for a connection after one could not be accepted, for want of file descriptors for example.
const ACCEPT_AGAIN: Duration = Duration::from_millis(20);

/// The service. Clones are the same one.
#[derive(Clone)]
pub(super) struct Service(Arc<Shared>);

struct Shared {
    clock: Arc<dyn Clock>,
    spectator: Arc<dyn Spectator>,
    /// Held for one decision.
    faults: Option<Mutex<Faults>>,
    hang_up: Notify,
}

impl Service {
    /// A service that answers, or that suffers as `faults` decide.
    pub(super) fn new(clock: Arc<dyn Clock>, spectator: Arc<dyn Spectator>, faults: Option<Faults>) -> Self {
        Self(Arc::new(Shared { clock, spectator, faults: faults.map(Mutex::new), hang_up: Notify::new() }))
    }

    /// Starts the service on a free port, which it returns. It runs until the runtime ends.
    ///
    /// # Errors
    /// If the operating system gives no port.
    pub(super) fn start(self, runtime: &Handle) -> io::Result<SocketAddr> {
        let _context = runtime.enter();
        let mut port = Port::reserve()?;
        let (address, listener) = (port.address, port.listen()?);
        runtime.spawn(self.run(port, listener));
        Ok(address)
    }

    async fn run(self, mut port: Port, mut listener: TcpListener) {
        loop {
            let connections = self.serve(&listener).await;
            listener = self.stay_down(&mut port, listener, connections).await;
        }
    }

    /// Closes everything, and listens again after a while, or after another one if that fails. Those who call meanwhile find
    /// nobody there.
    async fn stay_down(&self, port: &mut Port, listener: TcpListener, mut connections: JoinSet<()>) -> TcpListener {
        let Shared { clock, spectator, .. } = &*self.0;
        let mut until = clock.mono().saturating_add(DOWN_FOR);
        // Before anybody is refused: a spectator that moves the clock must not let time pass as long as we take to come back.
        spectator.see(Event::Down { until });
        // Before the connections are, so that whoever loses one and comes back is refused.
        drop(listener);
        connections.shutdown().await;
        loop {
            sleep_until(clock, until).await;
            match port.listen() {
                Ok(listener) => {
                    spectator.see(Event::Up);
                    return listener;
                }
                Err(error) => tracing::warn!(address = %port.address, %error, "the reviewing service cannot listen"),
            }
            until = clock.mono().saturating_add(DOWN_FOR);
            spectator.see(Event::Down { until });
        }
    }

    /// Serves until it hangs up, which is left to be done.
    async fn serve(&self, listener: &TcpListener) -> JoinSet<()> {
        let mut connections = JoinSet::new();
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    Ok((stream, _)) => {
                        connections.spawn(self.clone().converse(stream));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "a connection was not accepted");
                        let Shared { clock, spectator, .. } = &*self.0;
                        let until = clock.mono().saturating_add(ACCEPT_AGAIN);
                        // Those who wait to be accepted cannot end this wait, and others might wait for them.
                        spectator.see(Event::Down { until });
                        sleep_until(clock, until).await;
                        spectator.see(Event::Up);
                    }
                },
                Some(_) = connections.join_next() => {}
                () = self.0.hang_up.notified() => return connections,
            }
        }
    }

    /// Serves one connection. That it breaks is the caller's business.
    async fn converse(self, stream: TcpStream) {
        // Only a matter of speed.
        let _ = stream.set_nodelay(true);
        let answer = service_fn(|request| {
            let service = self.clone();
            async move { Ok::<_, Infallible>(service.respond(request).await) }
        });
        let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), answer).await;
    }

    async fn respond(&self, request: Request<Incoming>) -> Response<Full<Bytes>> {
        if request.uri().path() != PATH {
            return refuse(StatusCode::NOT_FOUND, "there is nothing but /reviews");
        }
        if request.method() != Method::POST {
            return refuse(StatusCode::METHOD_NOT_ALLOWED, "POST a text");
        }
        let text = match Limited::new(request.into_body(), MAX_TEXT).collect().await {
            Ok(body) => body.to_bytes(),
            Err(error) if error.is::<LengthLimitError>() => {
                return refuse(StatusCode::PAYLOAD_TOO_LARGE, "the text is too large");
            }
            Err(_) => return refuse(StatusCode::BAD_REQUEST, "the text is cut short"),
        };
        match self.next_fault() {
            None => review(&text),
            Some(Fault::Fail) => refuse(StatusCode::SERVICE_UNAVAILABLE, "out of order"),
            Some(Fault::Stall) => {
                self.0.spectator.see(Event::Stalling);
                // Until the caller gives up, which ends the connection.
                pending().await
            }
            Some(Fault::HangUp) => {
                self.0.hang_up.notify_one();
                // Until this connection goes with the others.
                pending().await
            }
        }
    }

    fn next_fault(&self) -> Option<Fault> {
        self.0.faults.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner).next()
    }
}

fn review(text: &[u8]) -> Response<Full<Bytes>> {
    let body = serde_json::to_vec(&Findings::of(text)).expect("numbers under names are JSON");
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

fn refuse(status: StatusCode, why: &'static str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(why));
    *response.status_mut() = status;
    response
}

/// A port of the loopback interface that stays ours while nobody listens on it.
struct Port {
    address: SocketAddr,
    /// Bound and never listening, so that connections are refused and nobody else gets the port.
    reserved: Option<TcpSocket>,
}

impl Port {
    fn reserve() -> io::Result<Self> {
        let socket = bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
        Ok(Self { address: socket.local_addr()?, reserved: Some(socket) })
    }

    fn listen(&mut self) -> io::Result<TcpListener> {
        let socket = match bind(self.address) {
            Err(_) if self.reserved.take().is_some() => {
                // Not every system lets a port be reserved and listened on.
                bind(self.address)
            }
            bound => bound,
        };
        socket?.listen(BACKLOG)
    }
}

fn bind(address: SocketAddr) -> io::Result<TcpSocket> {
    let socket = TcpSocket::new_v4()?;
    // Elsewhere it would let others take the port.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;
    use std::sync::OnceLock;

    use crossbeam_channel::{Sender, unbounded};
    use foundation_types::ManualClock;
    use tokio::runtime;

    use super::*;

    /// Lets time pass when the service is down, and knocks whenever that changes.
    struct Knocking {
        clock: ManualClock,
        address: OnceLock<SocketAddr>,
        heard: Sender<(&'static str, bool)>,
    }

    impl Knocking {
        fn knock(&self, at: &'static str) {
            let address = self.address.get().expect("it is known before the service hangs up");
            // The test waits for it.
            let _ = self.heard.send((at, TcpStream::connect(address).is_ok()));
        }
    }

    impl Spectator for Knocking {
        fn see(&self, event: Event<'_>) {
            match event {
                Event::Down { until } => {
                    self.knock("down");
                    self.clock.advance(until.saturating_since(self.clock.mono()));
                }
                Event::Up => self.knock("up"),
                _ => {}
            }
        }
    }

    #[test]
    fn whoever_is_refused_was_told_that_the_service_is_down() {
        let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_io().build().unwrap();
        let (clock, (heard, hear)) = (ManualClock::new(), unbounded());
        let knocking = Arc::new(Knocking { clock: clock.clone(), address: OnceLock::new(), heard });
        let service = Service::new(Arc::new(clock), Arc::clone(&knocking) as _, None);
        let address = service.clone().start(runtime.handle()).unwrap();
        knocking.address.set(address).unwrap();
        for _ in 0..3 {
            service.0.hang_up.notify_one();
            assert_eq!(hear.recv(), Ok(("down", true)), "it is not yet");
            assert_eq!(hear.recv(), Ok(("up", true)), "it is already");
        }
    }
}
