//! The current context, panics, and the events of operations.

use std::any::Any;
use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use foundation_types::error::{
    Category, CorrelationId, Error, ErrorContext, ErrorKind, RetryStrategy, Severity, collect_error_metrics,
};
use foundation_types::testing::RecordingObserver;
use foundation_types::testing::strategies::{metadata, text};
use foundation_types::{Clock, Emitter, ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use tokio::task::yield_now;

use crate::strategies::error;

/// Unwinds as a panic does, without the message of the panic hook.
fn panic_with(payload: impl Any + Send) -> ! {
    resume_unwind(Box::new(payload))
}

/// Something that enters a context, does the steps inside, and leaves in some way.
#[derive(Clone, Debug)]
enum Step {
    Enter(Vec<Step>, Exit),
    Scope(Vec<Step>, Exit),
    Catch(Vec<Step>, Exit),
    Instrument(Vec<Step>, Exit),
    /// A future that is dropped before it is done.
    Cancel(Vec<Step>),
}

#[derive(Clone, Copy, Debug)]
enum Exit {
    Return,
    Fail,
    Panic,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let exit = prop_oneof![Just(Exit::Return), Just(Exit::Fail), Just(Exit::Panic)];
    let leaf = Just(Vec::new());
    leaf.prop_recursive(4, 40, 4, move |inner| {
        let step = (0..5, inner, exit.clone()).prop_map(|(how, inner, exit)| match how {
            0 => Step::Enter(inner, exit),
            1 => Step::Scope(inner, exit),
            2 => Step::Catch(inner, exit),
            3 => Step::Instrument(inner, exit),
            _ => Step::Cancel(inner),
        });
        vec(step, 0..4)
    })
}

fn leave(exit: Exit) -> Result<(), Error> {
    match exit {
        Exit::Return => Ok(()),
        Exit::Fail => Err(Error::new(ErrorKind::Timeout)),
        Exit::Panic => panic_with("step"),
    }
}

/// Does the steps; after each the current context must be the one before it. Returns how many were done.
fn run(steps: &[Step]) -> usize {
    let before = ErrorContext::current();
    let mut done = 0;
    for step in steps {
        let own = ErrorContext::new("test", "step");
        let inside = |steps: &[Step]| {
            assert_eq!(ErrorContext::current().as_ref(), Some(&own));
            run(steps)
        };
        match step {
            Step::Enter(inner, exit) => {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    let _guard = own.enter();
                    done += inside(inner);
                    leave(*exit)
                }));
            }
            Step::Scope(inner, exit) => {
                let _ = catch_unwind(AssertUnwindSafe(|| {
                    own.scope(|| {
                        done += inside(inner);
                        leave(*exit)
                    })
                }));
            }
            Step::Catch(inner, exit) => {
                let result = own.catch(AssertUnwindSafe(|| {
                    done += inside(inner);
                    leave(*exit)
                }));
                assert_eq!(result.is_ok(), matches!(exit, Exit::Return));
            }
            Step::Instrument(inner, exit) => {
                let future = own.instrument(async {
                    done += inside(inner);
                    leave(*exit)
                });
                let _ = catch_unwind(AssertUnwindSafe(|| poll_once(pin!(future))));
            }
            Step::Cancel(inner) => {
                let mut future = Box::pin(own.instrument(async {
                    done += inside(inner);
                    let _on_drop = OnDrop(own.clone());
                    pending::<()>().await;
                }));
                assert!(poll_once(future.as_mut()).is_pending());
                assert_eq!(ErrorContext::current(), before, "between polls");
                drop(future);
            }
        }
        done += 1;
        assert_eq!(ErrorContext::current(), before);
    }
    done
}

/// Checks when dropped that the context is current.
struct OnDrop(ErrorContext);

impl Drop for OnDrop {
    fn drop(&mut self) {
        assert_eq!(ErrorContext::current().as_ref(), Some(&self.0), "a future is dropped within its context");
    }
}

fn poll_once<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

fn count(steps: &[Step]) -> usize {
    steps.iter().fold(0, |sum, step| {
        let (Step::Enter(inner, _)
        | Step::Scope(inner, _)
        | Step::Catch(inner, _)
        | Step::Instrument(inner, _)
        | Step::Cancel(inner)) = step;
        sum + 1 + count(inner)
    })
}

proptest! {
    #[test]
    fn e14_every_way_out_restores_the_context_before(steps in steps()) {
        prop_assert_eq!(ErrorContext::current(), None);
        prop_assert_eq!(run(&steps), count(&steps));
        prop_assert_eq!(ErrorContext::current(), None);

        let outer = ErrorContext::new("test", "outer");
        let done = outer.scope(|| run(&steps));
        prop_assert_eq!(done, count(&steps));
        prop_assert_eq!(ErrorContext::current(), None);
    }

    #[test]
    fn e15_catch_returns_what_the_closure_returns(error in error(), value: u32) {
        let context = ErrorContext::new("app", "run");
        prop_assert_eq!(context.catch(AssertUnwindSafe(|| Ok::<_, Error>(value))), Ok(value));
        prop_assert_eq!(context.catch(AssertUnwindSafe(|| Err::<u32, _>(error.clone()))), Err(error));
    }

    #[test]
    fn e15_catch_turns_a_panic_into_an_internal_error(message in text(), metadata in metadata(), id in text()) {
        let clock = ManualClock::new();
        let context = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "run")
            .with_metadata_map(metadata.clone())
            .with_correlation_id(id.as_str());
        let payload = message.to_string();
        let result = context.catch(move || -> Result<(), Error> {
            clock.advance(Duration::from_millis(3));
            panic_with(payload)
        });
        let error = result.expect_err("it panicked");

        prop_assert_eq!((error.kind(), error.code()), (&ErrorKind::InternalError, 2401));
        prop_assert_eq!((error.severity(), error.retry_strategy()), (Severity::Critical, RetryStrategy::NoRetry));
        prop_assert_eq!(error.message(), format!("Exception in operation: {message}"));
        prop_assert_eq!(error.correlation_id().map(CorrelationId::as_str), Some(id.as_str()));
        let keys: Vec<_> = error.context().iter().map(|(key, _)| key.as_str()).collect();
        prop_assert_eq!(keys, ["exception_message", "exception_type", "operation_context"]);
        prop_assert_eq!(error.context().get("exception_message"), Some(&Value::from(message)));
        let operation = |key| error.context().get_path(["operation_context", key]);
        let number = i64::try_from(context.operation_id().get()).expect("a small number");
        prop_assert_eq!(operation("operation_id"), Some(&Value::Int(number)));
        prop_assert_eq!(operation("correlation_id"), Some(&Value::from(id)));
        prop_assert_eq!(operation("duration_ns"), Some(&Value::Int(3_000_000)));
        prop_assert_eq!(operation("metadata"), Some(&Value::Map(metadata)));
        prop_assert!(error.frames().is_none_or(|frames| frames.len() <= 10));
    }
}

#[test]
fn e14_guards_may_be_dropped_in_any_order() {
    let (outer, inner) = (ErrorContext::new("test", "outer"), ErrorContext::new("test", "inner"));
    let outer_guard = outer.enter();
    let inner_guard = inner.enter();
    drop(outer_guard);
    assert_eq!(ErrorContext::current(), Some(inner));
    drop(inner_guard);
    assert_eq!(ErrorContext::current(), None);
}

#[test]
fn e14_threads_never_see_each_others_contexts() {
    let here = ErrorContext::new("test", "here");
    let _guard = here.enter();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(ErrorContext::current(), None);
                let there = ErrorContext::new("test", "there");
                there.scope(|| assert_eq!(ErrorContext::current(), Some(there.clone())));
            });
        }
    });
    assert_eq!(ErrorContext::current(), Some(here.clone()));
}

#[test]
fn e14_interleaved_tasks_never_see_each_others_contexts() {
    let contexts = [ErrorContext::new("test", "one"), ErrorContext::new("test", "two")];
    let tasks = contexts.each_ref().map(|context| {
        Box::pin(context.instrument(async move {
            let mut seen = 0;
            for _ in 0..3 {
                assert_eq!(ErrorContext::current().as_ref(), Some(context));
                seen += 1;
                yield_now().await;
            }
            seen
        }))
    });
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime without drivers");
    let [one, two] = tasks;
    let seen = runtime.block_on(async { tokio::join!(one, two) });
    assert_eq!(seen, (3, 3));
    assert_eq!(ErrorContext::current(), None);
}

#[test]
fn e14_spawned_tasks_carry_only_the_context_they_are_instrumented_with() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().expect("a runtime");
    let outer = ErrorContext::new("test", "outer");
    let seen = runtime.block_on(outer.instrument(async {
        let bare = tokio::spawn(async {
            yield_now().await;
            ErrorContext::current()
        });
        let own = ErrorContext::new("test", "own");
        let instrumented = tokio::spawn(own.instrument(async {
            yield_now().await;
            ErrorContext::current()
        }));
        (bare.await, instrumented.await, own)
    }));
    let (bare, instrumented, own) = seen;
    assert_eq!(bare.expect("it ran"), None);
    assert_eq!(instrumented.expect("it ran"), Some(own));
}

#[test]
fn e15_panics_without_text_are_caught_too() {
    let result = ErrorContext::new("app", "run").catch(|| -> Result<(), Error> { panic_with(17_u8) });
    let error = result.expect_err("it panicked");
    assert_eq!(error.message(), "Exception in operation: panic payload is not text");
}

fn observed() -> (Arc<RecordingObserver>, ManualClock, ErrorContext) {
    let (observer, clock) = (Arc::new(RecordingObserver::new()), ManualClock::new());
    let context = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "run")
        .with_emitter(Emitter::new(observer.clone()))
        .with_correlation_id("c-1");
    (observer, clock, context)
}

#[test]
fn operations_that_end_without_panic_tell_their_duration() {
    let (observer, clock, context) = observed();
    context.scope(|| clock.advance(Duration::from_nanos(7)));
    let _ = context.catch(AssertUnwindSafe(|| Err::<(), _>(Error::new(ErrorKind::Timeout))));
    assert_eq!(poll_once(pin!(context.instrument(async { 1 }))), Poll::Ready(1));
    let child = context.child("app", "part");
    child.scope(|| ());

    let events = observer.take();
    assert_eq!(events.len(), 4);
    assert!(events.iter().all(|event| event.name.as_str() == "foundation.operations.duration"));
    assert_eq!(events[0].measurements.get("gauge"), Some(&Value::Int(7)));
    let metadata = Metadata::new().with("module", "app").with("function", "run").with("correlation_id", "c-1");
    assert_eq!(events[0].metadata, metadata);
    assert_eq!(events[3].metadata.get("function"), Some(&Value::from("part")));
}

#[test]
fn caught_panics_are_counted_as_errors() {
    let (observer, _, context) = observed();
    let _ = context.catch(|| -> Result<(), Error> { panic_with("x") });
    let events = observer.take();
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].name.as_str(), "foundation.errors.system.runtime");
    assert_eq!(events[0].measurements.get("counter"), Some(&Value::Int(1)));
    let metadata = Metadata::new().with("error_type", "internal_error").with("severity", "critical").with("code", 2401);
    assert_eq!(events[0].metadata, metadata);
}

#[test]
fn an_interrupted_operation_tells_nothing() {
    let (observer, _, context) = observed();
    let _ = catch_unwind(AssertUnwindSafe(|| context.scope(|| panic_with("x"))));
    let mut future = Box::pin(context.instrument(pending::<()>()));
    assert!(poll_once(future.as_mut()).is_pending());
    drop(future);
    drop(context.enter());
    assert!(observer.take().is_empty());
}

proptest! {
    #[test]
    fn error_metrics_have_a_bounded_name(error in error(), class in text()) {
        let observer = Arc::new(RecordingObserver::new());
        let emitter = Emitter::new(observer.clone());
        collect_error_metrics(&error, &emitter);
        collect_error_metrics(&error.clone().with_category(class.as_str(), class.as_str()), &emitter);
        collect_error_metrics(&error, &Emitter::none());
        let events = observer.take();
        prop_assert_eq!(events.len(), 2);
        for event in events {
            let segments: Vec<_> = event.name.segments().collect();
            prop_assert_eq!(&segments[..2], ["foundation", "errors"]);
            prop_assert!(segments[2] == "other" || Category::KNOWN.iter().any(|known| known.as_str() == segments[2]));
            prop_assert_eq!(event.metadata.get("code"), Some(&Value::from(error.code())));
        }
    }
}

#[test]
fn a_panic_is_stamped_by_the_clock_of_the_context() {
    let clock = ManualClock::new();
    let context = ErrorContext::timed_by(Arc::new(clock.clone()), "app", "run");
    let error = context.catch(|| -> Result<(), Error> { panic_with("x") }).expect_err("it panicked");
    assert_eq!(error.timestamp(), clock.wall());
}
