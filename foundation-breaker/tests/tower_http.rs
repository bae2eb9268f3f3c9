//! A breaker around a real HTTP client that speaks to real servers over loopback.

mod http;

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use foundation_breaker::tower::{BreakerLayer, KeyedBreakerLayer, KeyedCallError, on_status};
use foundation_breaker::{
    BreakerSet, Builder, CallError, CancelPolicy, CircuitBreaker, OpenFor, Options, Probe, Recovery, RejectReason,
    State, TripPolicy,
};
use foundation_types::{ManualClock, Name};
use hyper::body::Incoming;
use hyper::{Request, Response, StatusCode};
use tokio::net::TcpSocket;
use tower::{Layer, Service, ServiceExt};

use http::{Body, Client, Mode, Server, client, get, within_patience};

const OPEN_FOR: Duration = Duration::from_secs(30);
const TICK: Duration = Duration::from_nanos(1);
const THRESHOLD: u32 = 3;

fn policies() -> (TripPolicy, Recovery) {
    let probe = Probe { open_for: OpenFor::Constant(OPEN_FOR), ..Probe::default() };
    (TripPolicy::ConsecutiveFailures { threshold: THRESHOLD }, Recovery::Probe(probe))
}

fn builder(clock: &ManualClock) -> Builder<ManualClock> {
    let (trip, recovery) = policies();
    CircuitBreaker::builder(Name::from_static("server")).trip(trip).recovery(recovery).clock(clock.clone())
}

fn status(response: &Response<Incoming>) -> u16 {
    response.status().as_u16()
}

/// Asks; returns the status of the answer.
async fn ask<S, E>(service: &mut S, request: Request<Body>) -> Result<StatusCode, E>
where
    S: Service<Request<Body>, Response = Response<Incoming>, Error = E>,
{
    within_patience(async { Ok(service.ready().await?.call(request).await?.status()) }).await
}

/// The reason of a refusal; panics at anything else.
fn reason<T: std::fmt::Debug>(result: Result<T, CallError<hyper_util::client::legacy::Error>>) -> RejectReason {
    result.expect_err("refused").rejected().expect("refused").reason
}

#[tokio::test]
async fn a_server_that_answers_5xx_is_left_alone_until_a_probe_finds_it_well() {
    let (clock, server) = (ManualClock::new(), Server::start().await);
    let breaker = builder(&clock).build().expect("in range");
    let mut service = BreakerLayer::new(breaker.clone()).classify(on_status(status)).layer(client());

    server.be(Mode::Status(StatusCode::NOT_FOUND));
    assert_eq!(ask(&mut service, get(server.address())).await.ok(), Some(StatusCode::NOT_FOUND));
    assert_eq!(breaker.snapshot().totals.ignored, 1);
    server.be(Mode::Status(StatusCode::INTERNAL_SERVER_ERROR));
    for _ in 0..THRESHOLD {
        assert_eq!(breaker.state(), State::Closed);
        let answer = ask(&mut service, get(server.address())).await;
        assert_eq!(answer.ok(), Some(StatusCode::INTERNAL_SERVER_ERROR), "the response itself passes through");
    }
    assert_eq!((breaker.state(), server.requests()), (State::Open, 1 + u64::from(THRESHOLD)));

    server.be(Mode::Status(StatusCode::OK));
    for _ in 0..5 {
        assert_eq!(reason(ask(&mut service, get(server.address())).await), RejectReason::Open);
    }
    clock.advance(OPEN_FOR.saturating_sub(TICK));
    assert_eq!(reason(ask(&mut service, get(server.address())).await), RejectReason::Open);
    assert_eq!(server.requests(), 1 + u64::from(THRESHOLD), "no refused call reached the server");

    clock.advance(TICK);
    assert_eq!(breaker.state(), State::HalfOpen);
    assert_eq!(ask(&mut service, get(server.address())).await.ok(), Some(StatusCode::OK));
    assert_eq!((breaker.state(), server.requests()), (State::Closed, 2 + u64::from(THRESHOLD)));
}

#[tokio::test]
async fn a_probe_that_the_server_fails_opens_the_circuit_again() {
    let (clock, server) = (ManualClock::new(), Server::start().await);
    let breaker = builder(&clock).build().expect("in range");
    let mut service = BreakerLayer::new(breaker.clone()).classify(on_status(status)).layer(client());
    server.be(Mode::Status(StatusCode::BAD_GATEWAY));
    for _ in 0..THRESHOLD {
        assert!(ask(&mut service, get(server.address())).await.is_ok());
    }
    clock.advance(OPEN_FOR);
    assert_eq!(ask(&mut service, get(server.address())).await.ok(), Some(StatusCode::BAD_GATEWAY));
    let snapshot = breaker.snapshot();
    assert_eq!((snapshot.state, snapshot.opened_in_a_row, snapshot.retry_after), (State::Open, 2, Some(OPEN_FOR)));
}

#[tokio::test]
async fn a_call_to_a_hanging_server_that_is_dropped_gives_its_place_back() {
    for (policy, state) in [(CancelPolicy::Ignore, State::HalfOpen), (CancelPolicy::Failure, State::Open)] {
        let (clock, server) = (ManualClock::new(), Server::start().await);
        let breaker = builder(&clock).on_cancel(policy).build().expect("in range");
        let mut service = BreakerLayer::new(breaker.clone()).classify(on_status(status)).layer(client());
        (0..THRESHOLD).for_each(|_| breaker.melt());
        clock.advance(OPEN_FOR);
        assert_eq!(breaker.state(), State::HalfOpen);

        server.be(Mode::Hang);
        {
            let hanging = pin!(ask(&mut service, get(server.address())));
            let arrived = within_patience(server.arrived());
            tokio::select! {
                biased;
                answer = hanging => panic!("{answer:?}"),
                () = arrived => {}
            }
            let probes = breaker.snapshot().probes;
            assert_eq!((probes.outstanding, server.requests()), (1, 1), "the server has the probe");
        }
        assert_eq!((breaker.snapshot().probes.outstanding, breaker.state()), (0, state));

        breaker.reset();
        server.be(Mode::Status(StatusCode::OK));
        assert_eq!(ask(&mut service, get(server.address())).await.ok(), Some(StatusCode::OK));
    }
}

#[tokio::test]
async fn connections_that_are_refused_open_the_circuit() {
    // Bound and not listening, so that nobody else can have the port while connections to it are refused.
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind(([127, 0, 0, 1], 0).into()).expect("a free port");
    let address = socket.local_addr().expect("it is bound");
    let breaker = builder(&ManualClock::new()).build().expect("in range");
    let mut service = BreakerLayer::new(breaker.clone()).classify(on_status(status)).layer(client());
    for _ in 0..THRESHOLD {
        let error = ask(&mut service, get(address)).await.expect_err("nobody listens");
        assert!(error.into_operation().is_some_and(|error| error.is_connect()));
    }
    assert_eq!(breaker.state(), State::Open);
    assert_eq!(reason(ask(&mut service, get(address)).await), RejectReason::Open);
}

#[tokio::test]
async fn with_back_pressure_a_request_waits_for_the_half_open_instant_and_is_served() {
    let (clock, server) = (ManualClock::new(), Server::start().await);
    let breaker = builder(&clock).build().expect("in range");
    let layer = BreakerLayer::new(breaker.clone()).classify(on_status(status)).back_pressure();
    let mut service = layer.layer(client());
    server.be(Mode::Status(StatusCode::INTERNAL_SERVER_ERROR));
    for _ in 0..THRESHOLD {
        assert!(ask(&mut service, get(server.address())).await.is_ok());
    }
    server.be(Mode::Status(StatusCode::OK));

    let mut waiting = pin!(ask(&mut service, get(server.address())));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    clock.advance(OPEN_FOR.saturating_sub(TICK));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert_eq!(server.requests(), u64::from(THRESHOLD));
    // From another task than the one that waits.
    let (advance, answer) = tokio::join!(tokio::spawn(async move { clock.advance(TICK) }), waiting);
    advance.expect("it does not panic");
    assert_eq!(answer.ok(), Some(StatusCode::OK));
    let totals = breaker.snapshot().totals;
    assert_eq!((breaker.state(), totals.rejected), (State::Closed, 0), "nothing was refused");
}

#[tokio::test]
async fn an_operator_holds_traffic_back_and_lets_it_go() {
    let (clock, server) = (ManualClock::new(), Server::start().await);
    let breaker = builder(&clock).build().expect("in range");
    let mut service = BreakerLayer::new(breaker.clone()).back_pressure().layer(client());
    breaker.force_open();
    let mut waiting = pin!(ask(&mut service, get(server.address())));
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    clock.advance(2 * OPEN_FOR);
    assert!(waiting.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let operator = tokio::spawn(async move { breaker.lift() });
    assert_eq!(waiting.await.ok(), Some(StatusCode::OK));
    operator.await.expect("it does not panic");
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn each_host_has_a_circuit_of_its_own() {
    let (good, bad) = (Server::start().await, Server::start().await);
    bad.be(Mode::Status(StatusCode::SERVICE_UNAVAILABLE));
    let set = Arc::new(BreakerSet::with_clock(ManualClock::new()));
    let (trip, recovery) = policies();
    let authority = |request: &Request<Body>| Name::new(request.uri().authority().map_or("", |host| host.as_str()));
    let layer = KeyedBreakerLayer::new(Arc::clone(&set), authority)
        .options(Options::new(trip, recovery).expect("in range"))
        .classify(on_status(status));
    let mut service = layer.layer(client());
    for _ in 0..THRESHOLD {
        assert!(ask(&mut service, get(bad.address())).await.is_ok());
        assert!(ask(&mut service, get(good.address())).await.is_ok());
    }
    let refused = ask(&mut service, get(bad.address())).await.expect_err("open");
    assert_eq!(refused.rejected().map(|rejected| rejected.breaker.to_string()), Some(bad.address().to_string()));
    assert_eq!(ask(&mut service, get(good.address())).await.ok(), Some(StatusCode::OK));
    assert_eq!((bad.requests(), good.requests()), (u64::from(THRESHOLD), u64::from(THRESHOLD) + 1));

    let nowhere = Request::new(Body::default());
    assert!(matches!(ask(&mut service, nowhere).await, Err(KeyedCallError::InvalidKey(_))));
    assert_eq!(set.len(), 2);
}

#[tokio::test]
async fn many_at_once_stay_within_the_bound_of_probes() {
    const CALLERS: usize = 20;
    let (clock, server) = (ManualClock::new(), Server::start().await);
    let breaker = builder(&clock).build().expect("in range");
    let layer = BreakerLayer::new(breaker.clone()).classify(on_status(status));
    let service: foundation_breaker::tower::BreakerService<Client, _, _> = layer.layer(client());
    (0..THRESHOLD).for_each(|_| breaker.melt());
    clock.advance(OPEN_FOR);
    server.be(Mode::Hang);
    let mut calls: Vec<_> = (0..CALLERS)
        .map(|_| {
            let mut service = service.clone();
            let request = get(server.address());
            Box::pin(async move { ask(&mut service, request).await })
        })
        .collect();
    let mut context = Context::from_waker(Waker::noop());
    let mut refused = 0;
    for call in &mut calls {
        if let Poll::Ready(result) = call.as_mut().poll(&mut context) {
            assert_eq!(reason(result), RejectReason::HalfOpenBusy);
            refused += 1;
        }
    }
    assert_eq!(refused, CALLERS - 1);
    assert_eq!(breaker.snapshot().probes.outstanding, 1);
    drop(calls);
    assert_eq!(breaker.snapshot().probes.outstanding, 0);
}
