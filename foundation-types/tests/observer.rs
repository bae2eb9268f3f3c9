//! The observation seam: who hears what, and what a broken observer can do.
#![cfg(feature = "test-util")]

use std::sync::Arc;

use foundation_types::testing::RecordingObserver;
use foundation_types::{Emitter, EventName, Measurements, Metadata, Observer, event_name};

const HEARD: EventName = event_name!("app.heard");
const IGNORED: EventName = event_name!("app.ignored");

fn payload() -> (Measurements, Metadata) {
    (Measurements::one(), Metadata::new().with("key", "x"))
}

#[test]
fn events_arrive_in_order_with_what_they_carry() {
    let observer = Arc::new(RecordingObserver::new());
    let emitter = Emitter::new(observer.clone());
    emitter.emit(&HEARD, payload);
    emitter.emit(&IGNORED, || (Measurements::new(), Metadata::new()));
    assert_eq!(observer.names(), [HEARD, IGNORED]);
    let heard = observer.events_named("app.heard");
    assert_eq!(heard.len(), 1);
    assert_eq!((heard[0].measurements.clone(), heard[0].metadata.clone()), payload());
    assert_eq!(observer.take().len(), 2);
    assert!(observer.events().is_empty());
}

#[test]
fn an_event_that_nobody_hears_is_not_built() {
    let unheard = || unreachable!("nothing listens to this event");
    Emitter::none().emit(&HEARD, unheard);
    Emitter::from(None).emit(&HEARD, unheard);

    let observer = Arc::new(RecordingObserver::listening_to([HEARD]));
    assert!(observer.enabled(&HEARD) && !observer.enabled(&IGNORED));
    let emitter = Emitter::new(observer.clone());
    emitter.emit(&IGNORED, unheard);
    emitter.emit(&HEARD, payload);
    assert_eq!(observer.names(), [HEARD]);
}

#[test]
fn a_panicking_observer_does_not_reach_the_emitter() {
    let observer = Arc::new(RecordingObserver::new());
    let emitter = Emitter::new(observer.clone());
    observer.start_panicking();
    emitter.emit(&HEARD, payload);
    emitter.emit(&HEARD, payload);
    observer.stop_panicking();
    emitter.emit(&HEARD, payload);
    assert_eq!(observer.events().len(), 3);
}
