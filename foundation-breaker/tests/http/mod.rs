//! A server that answers as it is told and counts who asks, and a client to ask it with.

use std::convert::Infallible;
use std::future::{Future, pending};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Empty;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::TcpListener;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub(crate) type Body = Empty<Bytes>;
pub(crate) type Client = hyper_util::client::legacy::Client<HttpConnector, Body>;

/// How a server answers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mode {
    Status(StatusCode),
    /// Never.
    Hang,
}

/// A server on a free port of the loopback interface, until it is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    state: Arc<ServerState>,
    mode: watch::Sender<Mode>,
    /// Dropping it ends the server and its connections.
    _tasks: JoinSet<()>,
}

#[derive(Default)]
struct ServerState {
    requests: AtomicU64,
    arrived: Notify,
}

impl Server {
    /// A server that answers 200.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.expect("a free port");
        let address = listener.local_addr().expect("it is bound");
        let (state, (mode, answers)) = (Arc::<ServerState>::default(), watch::channel(Mode::Status(StatusCode::OK)));
        let mut tasks = JoinSet::new();
        tasks.spawn(serve(listener, Arc::clone(&state), answers));
        Self { address, state, mode, _tasks: tasks }
    }

    pub(crate) const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Answers so from the next request on.
    pub(crate) fn be(&self, mode: Mode) {
        self.mode.send_replace(mode);
    }

    /// How many requests reached it.
    pub(crate) fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::SeqCst)
    }

    /// Waits until a request reaches it.
    pub(crate) async fn arrived(&self) {
        self.state.arrived.notified().await;
    }
}

async fn serve(listener: TcpListener, state: Arc<ServerState>, mode: watch::Receiver<Mode>) {
    let mut connections = JoinSet::new();
    loop {
        let (stream, _) = listener.accept().await.expect("it listens");
        let (state, mode) = (Arc::clone(&state), mode.clone());
        let service = service_fn(move |_| answer(Arc::clone(&state), *mode.borrow()));
        connections.spawn(async move {
            // A client that goes away is no concern of the server.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

async fn answer(state: Arc<ServerState>, mode: Mode) -> Result<Response<Body>, Infallible> {
    state.requests.fetch_add(1, Ordering::SeqCst);
    state.arrived.notify_one();
    let Mode::Status(status) = mode else { return pending().await };
    let mut response = Response::new(Body::new());
    *response.status_mut() = status;
    Ok(response)
}

pub(crate) fn client() -> Client {
    hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build_http()
}

pub(crate) fn get(address: SocketAddr) -> Request<Body> {
    Request::get(format!("http://{address}/")).body(Body::new()).expect("a valid request")
}

/// The output of a future that waits for nothing but the loopback interface. Fails instead of hanging when a rule is broken.
pub(crate) async fn within_patience<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(30), future).await.expect("it ends by itself")
}
