//! Property 6: how many restarts are too many.

use std::time::Duration;

use foundation_compat::lifecycle::{ApplicationState, Intensity};
use foundation_types::testing::{RecordingObserver, check};
use foundation_types::{Clock, ExitReason, MonoTime, ServiceName};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use std::sync::Arc;

use crate::scripted::{Stage, end};

const WINDOW: Duration = Duration::from_secs(5);

/// What happens after a while.
#[derive(Clone, Debug)]
enum Step {
    Exit(Index),
    Restart(Index),
}

/// Waits chosen so that exits fall exactly on, right before and right after the edge of the window.
fn waits() -> impl Strategy<Value = Duration> {
    let nano = Duration::from_nanos(1);
    select(vec![
        Duration::ZERO,
        nano,
        Duration::from_secs(1),
        WINDOW / 2,
        WINDOW.saturating_sub(Duration::from_secs(1)),
        WINDOW.saturating_sub(nano),
        WINDOW,
        WINDOW + nano,
    ])
}

#[test]
fn p06_the_application_ends_at_exactly_the_exit_that_a_sliding_window_says() {
    let step = prop_oneof![3 => any::<Index>().prop_map(Step::Exit), 1 => any::<Index>().prop_map(Step::Restart)];
    check(128, (0..4_u32, vec((waits(), step), 1..40)), |(max_restarts, steps)| {
        let stage = Stage::new();
        let observer = Arc::new(RecordingObserver::new());
        let names = ["a", "b", "c"].map(ServiceName::from_static);
        let intensity = Intensity { max_restarts, within: WINDOW };
        let builder = stage.builder().services(names.iter().map(|name| stage.spec(name))).intensity(intensity);
        let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
        let mut counted: Vec<MonoTime> = Vec::new();
        for (wait, step) in steps {
            stage.clock.advance(wait);
            let now = stage.clock.mono();
            match step {
                Step::Restart(pick) => {
                    supervisor.restart_service(pick.get(&names)).expect("it has no dependencies");
                }
                Step::Exit(pick) => {
                    let name = pick.get(&names);
                    end(&supervisor.pid(name).expect("it runs"), &ExitReason::error("told to"));
                    supervisor.run_due();
                    counted.retain(|&at| now.saturating_since(at) < WINDOW);
                    counted.push(now);
                    if counted.len() > max_restarts as usize {
                        assert!(matches!(supervisor.status().state, ApplicationState::Failed(ExitReason::Error(_))));
                        assert!(!supervisor.available());
                        assert_eq!(observer.events_named("foundation.application.intensity_exceeded").len(), 1);
                        return;
                    }
                    let told = observer.events_named("foundation.application.service_restarted");
                    let in_window = told.last().and_then(|event| event.metadata.get("restarts_in_window")?.as_i64());
                    assert_eq!(in_window, i64::try_from(counted.len()).ok());
                }
            }
            assert_eq!(supervisor.status().state, ApplicationState::Running);
            assert!(supervisor.available());
        }
    });
}
