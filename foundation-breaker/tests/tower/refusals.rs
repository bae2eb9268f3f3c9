//! Refusing, counting and passing through.

use std::task::Poll;

use foundation_breaker::tower::{BreakerLayer, on_response, on_status};
use foundation_breaker::{CallError, Outcome, RejectReason, State};
use tower::{Layer, Service};

use crate::support::{Bench, OPEN_FOR, Readiness, Then, now, poll, poll_ready};

/// The reason of a refusal; panics at anything else.
fn reason<T: std::fmt::Debug>(result: Result<T, CallError<&'static str>>) -> RejectReason {
    result.expect_err("refused").rejected().expect("refused").reason
}

#[test]
fn a_service_that_is_ready_and_never_called_holds_no_place() {
    let bench = Bench::new();
    bench.half_open();
    let (mut one, mut other) = (bench.refusing(), bench.waiting());
    let mut clone = other.clone();
    for service in [&mut one, &mut other, &mut clone] {
        assert_eq!(poll_ready(service), Poll::Ready(Ok(())));
    }
    assert_eq!((bench.outstanding(), bench.breaker.snapshot().totals.admitted), (0, 0));
    assert!(bench.breaker.try_acquire().is_ok_and(|permit| permit.is_probe()), "the only place is free");
}

#[test]
fn p18_a_refused_call_is_ready_at_once_and_never_touches_the_inner_service() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    let mut refused = |expected| {
        assert_eq!(poll_ready(&mut service), Poll::Ready(Ok(())), "it does not wait");
        let Poll::Ready(result) = poll(&mut service.call(Then::Answer(200).now())) else { panic!("ready at once") };
        assert_eq!(reason(result), expected);
    };
    bench.open();
    refused(RejectReason::Open);
    bench.clock.advance(OPEN_FOR);
    let probe = bench.breaker.try_acquire().expect("half-open");
    refused(RejectReason::HalfOpenBusy);
    bench.breaker.force_open();
    refused(RejectReason::ForcedOpen);
    drop(probe);
    assert_eq!((bench.backend.called(), bench.breaker.snapshot().totals.rejected), (0, 3));
}

#[test]
fn p18_a_refusal_tells_how_long_the_circuit_stays_open() {
    let bench = Bench::new();
    bench.open();
    bench.clock.advance(OPEN_FOR / 3);
    let error = now(bench.refusing().call(Then::Answer(200).now())).expect_err("refused");
    assert_eq!(error.rejected().and_then(|rejected| rejected.retry_after), Some(OPEN_FOR / 3 * 2));
    assert_eq!(error.to_string(), "circuit breaker backend refused the call: the circuit is open");
}

#[test]
fn being_ready_is_the_inner_services_to_say_and_counts_for_nothing() {
    let bench = Bench::new();
    for mut service in [bench.refusing(), bench.waiting()] {
        bench.backend.be(Readiness::Busy);
        assert_eq!(poll_ready(&mut service), Poll::Pending);
        bench.backend.be(Readiness::Broken);
        assert_eq!(poll_ready(&mut service), Poll::Ready(Err(CallError::Operation("broken"))));
    }
    assert_eq!((bench.backend.readied(), bench.breaker.state()), (4, State::Closed));
    assert_eq!(bench.breaker.snapshot().totals.failed, 0);
}

#[test]
fn results_pass_through_unchanged_and_errors_are_failures() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    assert_eq!(now(service.call(Then::Answer(503).after(2))), Ok(503));
    assert_eq!(bench.breaker.state(), State::Closed);
    assert_eq!(now(service.call(Then::Fail.after(1))), Err(CallError::Operation("failed")));
    assert_eq!(bench.breaker.state(), State::Open);
    let totals = bench.breaker.snapshot().totals;
    assert_eq!((totals.admitted, totals.succeeded, totals.failed), (2, 1, 1));
}

#[test]
fn a_classifier_decides_what_a_response_says() {
    let bench = Bench::new();
    let layer = BreakerLayer::new(bench.breaker.clone());
    let mut by_status = layer.clone().classify(on_status(|status: &u16| *status)).layer(bench.backend.clone());
    for (then, state) in [
        (Then::Answer(200), State::Closed),
        (Then::Answer(404), State::Closed),
        (Then::Answer(599), State::Open),
        (Then::Fail, State::Open),
    ] {
        let result = now(by_status.call(then.now()));
        assert_eq!((result.ok(), bench.breaker.state()), (then.status(), state), "{then:?}");
        bench.breaker.reset();
    }
    let totals = bench.breaker.snapshot().totals;
    assert_eq!((totals.succeeded, totals.ignored, totals.failed), (1, 1, 2));

    let teapots = on_response(|status: &u16| if *status == 418 { Outcome::Failure } else { Outcome::Success });
    let mut no_teapots = layer.clone().classify(teapots).layer(bench.backend.clone());
    assert_eq!(now(no_teapots.call(Then::Answer(503).now())), Ok(503));
    assert_eq!(bench.breaker.state(), State::Closed);
    assert_eq!(now(no_teapots.call(Then::Answer(418).now())), Ok(418));
    assert_eq!(bench.breaker.state(), State::Open);
    bench.breaker.reset();

    let forgiving = |result: &Result<u16, &'static str>| match result {
        Ok(_) => Outcome::Success,
        Err(_) => Outcome::Ignored,
    };
    let mut forgiving = layer.classify(forgiving).layer(bench.backend.clone());
    assert_eq!(now(forgiving.call(Then::Fail.now())), Err(CallError::Operation("failed")));
    assert_eq!(bench.breaker.state(), State::Closed);
}

#[test]
fn an_ignored_probe_gives_its_place_back_and_decides_nothing() {
    let bench = Bench::new();
    let layer = BreakerLayer::new(bench.breaker.clone()).classify(on_status(|status: &u16| *status));
    let mut service = layer.layer(bench.backend.clone());
    bench.half_open();
    assert_eq!(now(service.call(Then::Answer(404).now())), Ok(404));
    assert_eq!((bench.breaker.state(), bench.outstanding()), (State::HalfOpen, 0));
    assert_eq!(now(service.call(Then::Answer(204).now())), Ok(204));
    assert_eq!(bench.breaker.state(), State::Closed);
}

#[test]
fn clones_and_all_services_of_a_layer_go_through_one_circuit() {
    let bench = Bench::new();
    let layer = BreakerLayer::new(bench.breaker.clone());
    let mut one = layer.layer(bench.backend.clone());
    let (mut clone, mut other) = (one.clone(), layer.clone().layer(bench.backend.clone()));
    assert!(now(one.call(Then::Fail.now())).is_err());
    drop(one);
    assert_eq!(reason(now(clone.call(Then::Answer(200).now()))), RejectReason::Open);
    assert_eq!(reason(now(other.call(Then::Answer(200).now()))), RejectReason::Open);
    assert!(layer.breaker().is_same(other.breaker()));
}

#[test]
fn the_handle_outlives_layers_services_and_calls() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    let under_way = service.call(Then::Fail.now());
    drop(service);
    assert_eq!(now(under_way), Err(CallError::Operation("failed")));
    let handle = bench.breaker.clone();
    assert_eq!((handle.state(), handle.snapshot().totals.failed), (State::Open, 1));

    handle.force_open();
    let mut next = bench.refusing();
    assert_eq!(reason(now(next.call(Then::Answer(200).now()))), RejectReason::ForcedOpen);
    handle.lift();
    assert_eq!(now(next.call(Then::Answer(200).now())), Ok(200));
}

#[test]
fn the_inner_service_can_be_reached_past_the_breaker() {
    let bench = Bench::new();
    let mut service = bench.refusing();
    bench.open();
    assert_eq!(now(service.get_mut().call(Then::Answer(200).now())), Ok(200));
    assert_eq!((service.get_ref().called(), service.into_inner().called()), (1, 1));
}

impl Then {
    fn status(self) -> Option<u16> {
        if let Self::Answer(status) = self { Some(status) } else { None }
    }
}
