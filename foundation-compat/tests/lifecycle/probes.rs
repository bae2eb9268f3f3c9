//! Property 9: one bad check costs the others nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use foundation_compat::lifecycle::{
    BoxError, HealthReport, Service, ServiceContext, ServiceSpec, Supervisor, SupervisorBuilder,
};
use foundation_types::testing::check;
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
/// the time pass that one may take: if checks were made one after the other, the second would never begin.
struct Probed {
    kind: Kind,
    context: ServiceContext,
    clock: ManualClock,
    to_come: Arc<AtomicUsize>,
}

impl Service for Probed {
    fn check_health(&self) -> Result<HealthReport, BoxError> {
        match self.kind {
            Kind::Answers => {}
            Kind::Panics => panic!("told to panic"),
            Kind::Stuck => {
                if self.to_come.fetch_sub(1, Ordering::SeqCst) == 1 {
                    self.clock.advance(TIMEOUT);
                }
                self.context.shutdown().wait();
            }
        }
        Ok(HealthReport::of(Health::Healthy))
    }
}

fn name(index: usize) -> ServiceName {
    ServiceName::new(format!("s{index:02}")).expect("a valid name")
}

#[test]
fn p09_stuck_checks_cost_one_timeout_together_and_a_panic_ends_nothing() {
    let kinds = vec(select(vec![Kind::Answers, Kind::Panics, Kind::Stuck]), 0..12);
    check(64, kinds, |kinds| {
        let clock = ManualClock::new();
        let stuck = kinds.iter().filter(|&&kind| kind == Kind::Stuck).count();
        let to_come = Arc::new(AtomicUsize::new(stuck));
        let specs = kinds.iter().enumerate().map(|(index, &kind)| {
            let (clock, to_come) = (clock.clone(), Arc::clone(&to_come));
            ServiceSpec::new(name(index), move |context: &ServiceContext| {
                Ok(Probed { kind, context: context.clone(), clock: clock.clone(), to_come: Arc::clone(&to_come) })
            })
        });
        let builder: SupervisorBuilder = Supervisor::builder().clock(Arc::new(clock.clone())).driven_by_hand();
        let supervisor = builder.health_check_timeout(TIMEOUT).services(specs).start().expect("it starts");
        let pids: Vec<_> = (0..kinds.len()).map(|index| supervisor.pid(&name(index)).expect("it runs")).collect();

        let began = clock.mono();
        let found = supervisor.health_check();
        let took = clock.mono().saturating_since(began);
        assert_eq!(took, if stuck > 0 { TIMEOUT } else { Duration::ZERO });
        for (index, kind) in kinds.iter().enumerate() {
            let checked = &found.service_health[&name(index)];
            let expected = match kind {
                Kind::Answers => (Health::Healthy, "Health check successful"),
                Kind::Panics => (Health::Unhealthy, "Health check failed: told to panic"),
                Kind::Stuck => (Health::Degraded, "Health check timed out"),
            };
            assert_eq!((checked.health, checked.details.as_str()), expected);
        }
        assert_eq!(supervisor.run_due(), 0, "no service has ended");
        for (index, pid) in pids.iter().enumerate() {
            assert_eq!(supervisor.pid(&name(index)).ok().as_ref(), Some(pid));
        }
        assert!(supervisor.shutdown(Duration::MAX).is_clean(), "a stuck check does not keep a service from stopping");
    });
}
