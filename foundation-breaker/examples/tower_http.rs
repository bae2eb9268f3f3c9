//! An HTTP client with a circuit breaker, and a server that has a bad day: a story in seven parts, told within a second.
//!
//! ```text
//! cargo run -p foundation-breaker --example tower_http --features tower
//! ```

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use foundation_breaker::tower::{BreakerLayer, KeyedBreakerLayer, KeyedCallError, on_status};
use foundation_breaker::{BreakerSet, CircuitBreaker, OpenFor, Options, Probe, Recovery, TripPolicy};
use foundation_types::Name;
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::client::{self, legacy::Client};
use hyper_util::rt::{TokioExecutor, TokioIo};
use tokio::net::{TcpListener, TcpSocket};
use tokio::task::JoinSet;
use tower::{Layer, Service, ServiceExt};

type Body = Empty<Bytes>;

/// How long the circuit stays open before it probes.
const OPEN_FOR: Duration = Duration::from_millis(300);
/// How many failures in a row open it.
const THRESHOLD: u32 = 3;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let server = Server::start().await?;
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    let probe = Probe { open_for: OpenFor::Constant(OPEN_FOR), ..Probe::default() };
    let options = Options::new(TripPolicy::ConsecutiveFailures { threshold: THRESHOLD }, Recovery::Probe(probe))?;
    let breaker = CircuitBreaker::builder(Name::from_static("api")).options(options.clone()).build()?;
    let status = |response: &Response<Incoming>| response.status().as_u16();
    let layer = BreakerLayer::new(breaker.clone()).classify(on_status(status));
    let mut api = layer.layer(client.clone());
    let tell = |what: &str, answer: &str| {
        println!("   {what:<28} {answer:<44} circuit {}, server saw {}", breaker.state(), server.requests());
    };

    println!("1. The server is well. What it says of the caller's mistakes is not held against it.");
    tell("GET /", &ask(&mut api, server.get("/")).await);
    tell("GET /nowhere", &ask(&mut api, server.get("/nowhere")).await);

    println!("2. It fails. Its answers pass through, and the third in a row opens the circuit.");
    server.answer(StatusCode::INTERNAL_SERVER_ERROR);
    for _ in 0..THRESHOLD {
        tell("GET /", &ask(&mut api, server.get("/")).await);
    }

    println!("3. It is left alone: requests are refused without being sent.");
    for _ in 0..2 {
        tell("GET /", &ask(&mut api, server.get("/")).await);
    }

    println!("4. The time is over, one request probes, and the server fails that too.");
    breaker.ready().await;
    tell("(waited)", "");
    tell("GET /", &ask(&mut api, server.get("/")).await);

    println!("5. With back-pressure requests wait instead. The server recovers meanwhile; none of them is lost.");
    server.answer(StatusCode::OK);
    let mut waiting = JoinSet::new();
    for _ in 0..4 {
        let (mut patient, request) = (layer.clone().back_pressure().layer(client.clone()), server.get("/"));
        waiting.spawn(async move {
            // All wake at once, and one may probe. The others are refused, and wait until it is back.
            loop {
                match patient.ready().await?.call(request.clone()).await {
                    Err(error) if error.rejected().is_some() => {}
                    answer => return answer.map(|response| response.status()),
                }
            }
        });
    }
    tokio::task::yield_now().await;
    tell("4 x GET /", "waiting");
    let mut successes = 0;
    while let Some(answer) = waiting.join_next().await {
        successes += u32::from(answer?? == StatusCode::OK);
    }
    tell("", &format!("{successes} served"));

    println!("6. An operator takes the server out of service by the handle, and back.");
    breaker.force_open();
    tell("GET /", &ask(&mut api, server.get("/")).await);
    breaker.lift();
    tell("GET /", &ask(&mut api, server.get("/")).await);

    println!("7. A breaker for each host: one that is down does not take another with it.");
    // Bound and not listening, so that connections to it are refused.
    let down = TcpSocket::new_v4()?;
    down.bind(([127, 0, 0, 1], 0).into())?;
    let down_at = down.local_addr()?;
    let hosts = Arc::new(BreakerSet::new());
    let host = |request: &Request<Body>| Name::new(request.uri().authority().map_or("", |host| host.as_str()));
    let layer = KeyedBreakerLayer::new(Arc::clone(&hosts), host).options(options).classify(on_status(status));
    let mut any_host = layer.layer(client);
    let state = |address: SocketAddr| hosts.get(&address.to_string()).map_or("unknown", |host| host.state().as_str());
    for _ in 0..=THRESHOLD {
        let answer = ask(&mut any_host, get(down_at, "/")).await;
        println!("   {:<28} {answer:<44} circuit {}", "GET / of the one", state(down_at));
    }
    let answer = ask(&mut any_host, server.get("/")).await;
    println!("   {:<28} {answer:<44} circuit {}", "GET / of the other", state(server.address));

    let totals = breaker.snapshot().totals;
    println!(
        "\nBreaker \"{}\": {} let through ({} succeeded, {} failed, {} ignored); opened {} times.",
        breaker.name(),
        totals.admitted,
        totals.succeeded,
        totals.failed,
        totals.ignored,
        totals.opened
    );
    Ok(())
}

/// Sends a request when the service is ready; returns in words what came of it.
async fn ask<S, E>(service: &mut S, request: Request<Body>) -> String
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error = E>,
    E: Into<KeyedCallError<client::legacy::Error>>,
{
    let answer = async { service.ready().await?.call(request).await };
    match answer.await.map_err(Into::into) {
        Ok(response) => response.status().to_string(),
        Err(KeyedCallError::Rejected(rejected)) => format!("refused: {}", rejected.reason),
        Err(error) => format!("failed: {error}"),
    }
}

fn get(address: SocketAddr, path: &str) -> Request<Body> {
    Request::get(format!("http://{address}{path}")).body(Body::new()).expect("an address and a path make a valid URL")
}

/// A server on loopback until it is dropped. It knows the path `/`.
struct Server {
    address: SocketAddr,
    shared: Arc<Shared>,
    _task: JoinSet<()>,
}

struct Shared {
    status: AtomicU16,
    requests: AtomicU64,
}

impl Server {
    async fn start() -> std::io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { status: AtomicU16::new(200), requests: AtomicU64::new(0) });
        let mut task = JoinSet::new();
        task.spawn(serve(listener, Arc::clone(&shared)));
        Ok(Self { address, shared, _task: task })
    }

    /// Answers requests for `/` so from now on.
    fn answer(&self, status: StatusCode) {
        self.shared.status.store(status.as_u16(), Ordering::Relaxed);
    }

    fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    fn get(&self, path: &str) -> Request<Body> {
        get(self.address, path)
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    let mut connections = JoinSet::new();
    while let Ok((stream, _)) = listener.accept().await {
        let shared = Arc::clone(&shared);
        let service = service_fn(move |request: Request<Incoming>| {
            shared.requests.fetch_add(1, Ordering::Relaxed);
            let status = if request.uri().path() == "/" { shared.status.load(Ordering::Relaxed) } else { 404 };
            async move {
                let mut response = Response::new(Body::new());
                *response.status_mut() = StatusCode::from_u16(status).expect("it was one");
                Ok::<_, Infallible>(response)
            }
        });
        connections.spawn(async move {
            // A client that goes away is no concern of the server.
            let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}
