//! Property 9: one bad check costs the others nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use foundation_compat::lifecycle::{
    BoxError, HEALTH_CHECK_EVENT, HealthReport, Service, ServiceContext, ServiceSpec, Supervisor,
};
use foundation_types::testing::{RecordingObserver, check};
use foundation_types::{Clock, Health, ManualClock, ServiceName};
use proptest::collection::vec;
use proptest::sample::select;

const TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Answers,
    Panics,
    Stuck,
}

/// A service whose check, if it is stuck, is so until the service is stopped. The last of all stuck checks that begins makes
/// the time pass that one may take, once all others have been told of: if checks were made one after the other, the second would
/// never begin.
struct Probed {
    kind: Kind,
    context: ServiceContext,
    scene: Scene,
}

#[derive(Clone)]
struct Scene {
    clock: ManualClock,
    stuck_to_come: Arc<AtomicUsize>,
    others: usize,
    told: Arc<RecordingObserver>,
}

impl Service for Probed {
    fn check_health(&self) -> Result<HealthReport, BoxError> {
        match self.kind {
            Kind::Answers => {}
            Kind::Panics => panic!("told to panic"),
            Kind::Stuck => {
                if self.scene.stuck_to_come.fetch_sub(1, Ordering::SeqCst) == 1 {
                    while self.scene.told.events_named(HEALTH_CHECK_EVENT.as_str()).len() < self.scene.others {
                        thread::yield_now();
                    }
                    self.scene.clock.advance(TIMEOUT);
                }
                self.context.shutdown().wait();
            }
        }
        Ok(HealthReport::of(Health::Healthy))
    }
}

/// Names in the order of which those that are not stuck are waited for first.
fn name(index: usize, kind: Kind) -> ServiceName {
    let first = if kind == Kind::Stuck { "stuck" } else { "quick" };
    ServiceName::new(format!("{first}{index:02}")).expect("a valid name")
}

#[test]
fn p09_stuck_checks_cost_one_timeout_together_and_a_panic_ends_nothing() {
    let kinds = vec(select(vec![Kind::Answers, Kind::Panics, Kind::Stuck]), 0..12);
    check(64, kinds, |kinds| {
        let clock = ManualClock::new();
        let stuck = kinds.iter().filter(|&&kind| kind == Kind::Stuck).count();
        let scene = Scene {
            clock: clock.clone(),
            stuck_to_come: Arc::new(AtomicUsize::new(stuck)),
            others: kinds.len() - stuck,
            told: Arc::new(RecordingObserver::new()),
        };
        let names: Vec<ServiceName> = kinds.iter().enumerate().map(|(index, &kind)| name(index, kind)).collect();
        let specs = names.iter().zip(&kinds).map(|(name, &kind)| {
            let scene = scene.clone();
            ServiceSpec::new(name.clone(), move |context: &ServiceContext| {
                Ok(Probed { kind, context: context.clone(), scene: scene.clone() })
            })
        });
        let builder = Supervisor::builder().clock(Arc::new(clock.clone())).driven_by_hand().services(specs);
        let builder = builder.observer(Arc::<RecordingObserver>::clone(&scene.told)).health_check_timeout(TIMEOUT);
        let supervisor = builder.start().expect("it starts");
        let pids: Vec<_> = names.iter().map(|name| supervisor.pid(name).expect("it runs")).collect();

        let began = clock.mono();
        let found = supervisor.health_check();
        let took = clock.mono().saturating_since(began);
        assert_eq!(took, if stuck > 0 { TIMEOUT } else { Duration::ZERO });
        for (name, kind) in names.iter().zip(&kinds) {
            let checked = &found.service_health[name];
            let expected = match kind {
                Kind::Answers => (Health::Healthy, "Health check successful"),
                Kind::Panics => (Health::Unhealthy, "Health check failed: told to panic"),
                Kind::Stuck => (Health::Degraded, "Health check timed out"),
            };
            assert_eq!((checked.health, checked.details.as_str()), expected);
        }
        assert_eq!(supervisor.run_due(), 0, "no service has ended");
        for (name, pid) in names.iter().zip(&pids) {
            assert_eq!(supervisor.pid(name).ok().as_ref(), Some(pid));
        }
        assert!(supervisor.shutdown(Duration::MAX).is_clean(), "a stuck check does not keep a service from stopping");
    });
}
