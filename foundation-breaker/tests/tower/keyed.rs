//! A breaker of each key.

use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use foundation_breaker::tower::{KeyedBreakerLayer, KeyedBreakerService, KeyedCallError, on_status};
use foundation_breaker::{
    AnyErr, BreakerSet, CallError, OpenFor, Options, Probe, Recovery, RejectReason, Rejected, SetFull, State,
    TripPolicy, WhenFull,
};
use foundation_types::error::{Classify, classification};
use foundation_types::{ManualClock, Name, NameError};
use tower::{Layer, Service};

use crate::support::{Answer, Ask, Backend, OPEN_FOR, Readiness, Then, now};

/// A request to one of many.
#[derive(Debug)]
struct To(&'static str, Ask);

/// Takes the ask out of a request.
#[derive(Clone, Debug, Default)]
struct Hosts(Backend);

impl Service<To> for Hosts {
    type Response = u16;
    type Error = &'static str;
    type Future = Answer;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, To(_, ask): To) -> Answer {
        self.0.call(ask)
    }
}

fn host(request: &To) -> Result<Name, NameError> {
    Name::new(request.0)
}

type Key = fn(&To) -> Result<Name, NameError>;
type Guarded = KeyedBreakerService<Hosts, Key, AnyErr, ManualClock>;

fn once() -> Options {
    let probe = Probe { open_for: OpenFor::Constant(OPEN_FOR), ..Probe::default() };
    Options::new(TripPolicy::ConsecutiveFailures { threshold: 1 }, Recovery::Probe(probe)).expect("in range")
}

fn service(limit: usize, when_full: WhenFull) -> (Arc<BreakerSet<ManualClock>>, Guarded) {
    let limit = NonZeroUsize::new(limit).expect("not zero");
    let set = Arc::new(BreakerSet::with_clock(ManualClock::new()).limit(limit, when_full));
    let service = KeyedBreakerLayer::new(Arc::clone(&set), host as Key).options(once()).layer(Hosts::default());
    (set, service)
}

fn state(set: &BreakerSet<ManualClock>, name: &str) -> State {
    set.get(name).expect("it was made").state()
}

#[test]
fn p19_a_failing_host_opens_its_own_circuit_and_no_other() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    assert_eq!(now(service.call(To("bad", Then::Fail.after(1)))), Err(KeyedCallError::Operation("failed")));
    let error = now(service.call(To("bad", Then::Answer(200).now()))).expect_err("open");
    let rejected = error.rejected().expect("refused");
    assert_eq!((rejected.breaker.as_str(), rejected.reason), ("bad", RejectReason::Open));
    assert_eq!(service.get_ref().0.called(), 1, "the refused call did not reach the service");
    assert_eq!(now(service.call(To("good", Then::Answer(200).now()))), Ok(200));
    assert_eq!((state(&set, "bad"), state(&set, "good")), (State::Open, State::Closed));

    set.get("bad").expect("it was made").reset();
    assert_eq!(now(service.clone().call(To("bad", Then::Answer(200).now()))), Ok(200));
}

#[test]
fn p18_a_request_that_names_no_breaker_is_refused_by_type_and_makes_none() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    let result = now(service.call(To("", Then::Answer(200).now())));
    assert_eq!(result, Err(KeyedCallError::InvalidKey(NameError::Empty)));
    let result = now(service.call(To("a\nb", Then::Answer(200).now())));
    assert_eq!(result, Err(KeyedCallError::InvalidKey(NameError::Control { at: 1 })));
    assert_eq!((service.get_ref().0.called(), set.len()), (0, 0));
}

#[test]
fn p18_a_new_key_is_refused_by_type_when_the_set_is_full_and_known_keys_go_on() {
    let (set, mut service) = service(1, WhenFull::Refuse);
    assert_eq!(now(service.call(To("known", Then::Answer(200).now()))), Ok(200));
    let result = now(service.call(To("new", Then::Answer(200).now())));
    let Err(KeyedCallError::Full(full)) = result else { panic!("full") };
    assert_eq!((full.limit, set.len(), service.get_ref().0.called()), (1, 1, 1));
    assert_eq!(now(service.call(To("known", Then::Answer(201).now()))), Ok(201));
}

#[test]
fn p11_a_probe_of_a_key_that_is_dropped_gives_its_place_back() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    assert!(now(service.call(To("host", Then::Fail.now()))).is_err());
    let breaker = set.get("host").expect("it was made");
    breaker.clock().advance(OPEN_FOR);
    let probe = service.call(To("host", Then::Answer(200).after(1)));
    let busy = now(service.call(To("host", Then::Answer(200).now()))).expect_err("the only place is taken");
    assert_eq!(busy.rejected().map(|rejected| rejected.reason), Some(RejectReason::HalfOpenBusy));
    drop(probe);
    assert_eq!(breaker.snapshot().probes.outstanding, 0);
    assert_eq!(now(service.call(To("host", Then::Answer(200).now()))), Ok(200));
    assert_eq!(breaker.state(), State::Closed);
}

#[test]
fn p17_a_panic_of_call_or_of_its_future_counts_as_one_failure_and_one_of_the_key_for_none() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    for (failures, then) in [(1, Then::PanicInCall), (2, Then::Panic)] {
        let call = || drop(now(service.call(To("host", then.now()))));
        assert!(catch_unwind(AssertUnwindSafe(call)).is_err());
        let breaker = set.get("host").expect("it was made");
        let totals = breaker.snapshot().totals;
        assert_eq!((breaker.state(), totals.failed, totals.outstanding()), (State::Open, failures, 0));
        breaker.reset();
    }

    let confused = |_: &To| -> Result<Name, NameError> { panic!("as asked") };
    let mut service = KeyedBreakerLayer::new(Arc::clone(&set), confused).layer(Hosts::default());
    assert!(catch_unwind(AssertUnwindSafe(|| drop(service.call(To("other", Then::Answer(200).now()))))).is_err());
    assert_eq!((set.len(), service.get_ref().0.called()), (1, 0));
}

#[test]
fn a_breaker_is_not_given_up_while_a_call_of_its_key_is_under_way() {
    let (set, mut service) = service(1, WhenFull::EvictIdle);
    let under_way = service.call(To("first", Then::Answer(200).after(1)));
    assert!(matches!(now(service.call(To("second", Then::Answer(200).now()))), Err(KeyedCallError::Full(_))));
    assert_eq!(now(under_way), Ok(200));
    assert_eq!(now(service.call(To("second", Then::Answer(200).now()))), Ok(200), "the first is idle now");
    assert_eq!(set.names(), [Name::from_static("second")]);
}

#[test]
fn keys_that_others_choose_do_not_grow_the_memory() {
    const LIMIT: usize = 8;
    let (set, mut service) = service(LIMIT, WhenFull::EvictIdle);
    assert!(now(service.call(To("bad", Then::Fail.now()))).is_err());
    let names: Vec<&'static str> = (0..1_000).map(|number| &*format!("host-{number}").leak()).collect();
    for name in names {
        assert_eq!(now(service.call(To(name, Then::Answer(200).now()))), Ok(200));
        assert!(set.len() <= LIMIT);
    }
    assert_eq!(state(&set, "bad"), State::Open, "what remembers something is not given up");
}

#[test]
fn a_key_that_was_installed_keeps_its_own_options() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    let tolerant = Options::new(TripPolicy::ConsecutiveFailures { threshold: 2 }, Recovery::Probe(Probe::default()));
    set.install(&Name::from_static("tolerant"), tolerant.expect("in range")).expect("there is room");
    for (name, expected) in [("tolerant", State::Closed), ("strict", State::Open)] {
        assert!(now(service.call(To(name, Then::Fail.now()))).is_err());
        assert_eq!(state(&set, name), expected, "{name}");
    }
}

#[test]
fn a_classifier_looks_at_the_responses_of_all_keys() {
    let (set, _) = service(10, WhenFull::Refuse);
    let layer = KeyedBreakerLayer::new(Arc::clone(&set), host).options(once());
    let layer = layer.classify(on_status(|status: &u16| *status));
    assert!(Arc::ptr_eq(layer.set(), &set));
    let mut service = layer.clone().layer(Hosts::default());
    assert_eq!(now(service.call(To("a", Then::Answer(502).now()))), Ok(502));
    assert_eq!(now(service.call(To("b", Then::Answer(403).now()))), Ok(403));
    assert_eq!((state(&set, "a"), state(&set, "b")), (State::Open, State::Closed));
}

#[test]
fn readiness_is_that_of_the_inner_service() {
    let (set, mut service) = service(10, WhenFull::Refuse);
    for (readiness, expected) in [
        (Readiness::Ready, Poll::Ready(Ok(()))),
        (Readiness::Busy, Poll::Pending),
        (Readiness::Broken, Poll::Ready(Err(KeyedCallError::Operation("broken")))),
    ] {
        service.get_ref().0.be(readiness);
        assert_eq!(service.poll_ready(&mut Context::from_waker(Waker::noop())), expected);
    }
    assert!(set.is_empty());
}

#[test]
fn errors_have_the_numbers_of_what_they_stand_for() {
    let rejected = Rejected::new(Name::from_static("a"), RejectReason::ForcedOpen, None);
    let full: SetFull = {
        let (_set, mut service) = service(1, WhenFull::Refuse);
        assert!(now(service.call(To("known", Then::Answer(200).now()))).is_ok());
        match now(service.call(To("new", Then::Answer(200).now()))) {
            Err(KeyedCallError::Full(full)) => full,
            other => panic!("{other:?}"),
        }
    };
    let errors: [KeyedCallError<&str>; 4] = [
        CallError::Rejected(rejected).into(),
        CallError::Operation("failed").into(),
        KeyedCallError::InvalidKey(NameError::Empty),
        KeyedCallError::Full(full),
    ];
    let table = classification(errors.iter().map(|error| ("error", error as &dyn Classify)));
    let expected = "\
error: breaker/circuit_breaker_blown 5004 medium external/availability fixed_delay
error: breaker/protected_operation_failed 5003 medium external/runtime no_retry
error: breaker/invalid_name 5015 medium data/validation no_retry
error: breaker/circuit_breaker_install_failed 5001 high system/initialization no_retry
";
    assert_eq!(table, expected);
    assert_eq!(errors.map(KeyedCallError::into_operation), [None, Some("failed"), None, None]);
}
