//! The legacy functions act on the instance that was installed, and each does what its method does.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use foundation_compat::error::{self, Options};
use foundation_compat::foundation_registry::MonitorOptions;
use foundation_compat::foundation_types::testing::RecordingObserver;
use foundation_compat::foundation_types::{Clock, ManualClock, Timestamp};
use foundation_compat::process_registry::backend::{BackendModule, ets, horde, registry};
use foundation_compat::process_registry::backend_monitor::{self, StartError};
use foundation_compat::process_registry::{self, ChildKind, ProcessRegistry, Restart};
use foundation_compat::{
    ErrorKind, Foundation, Health, Metadata, Namespace, NodeId, Owner, ServiceName, error_context, global,
    service_registry,
};

struct Installed {
    clock: ManualClock,
    observer: Arc<RecordingObserver>,
}

/// The global instance of this program. The first test to come installs it.
static INSTALLED: LazyLock<Installed> = LazyLock::new(|| {
    let (clock, observer) = (ManualClock::new(), Arc::new(RecordingObserver::new()));
    clock.set_wall("2026-01-01T00:00:00Z".parse().expect("a time"));
    let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
    let foundation = builder.build().expect("in range");
    global::install(foundation).expect("no call has made one");
    assert_eq!(global::install(Foundation::new()), Err(global::AlreadyInstalled));
    Installed { clock, observer }
});

const NAME: ServiceName = ServiceName::from_static("indexer");

#[test]
fn functions_act_on_the_installed_instance() {
    LazyLock::force(&INSTALLED);
    let here = Namespace::test();
    let owner = Owner::new();
    process_registry::register(&here, &NAME, &owner.pid(), Metadata::new().with("tier", "hot")).expect("free");
    assert_eq!(global::get().registry().lookup(&here, &NAME), Ok(owner.pid()));
    assert_eq!(ProcessRegistry::from(&global::get()).lookup(&here, &NAME), Ok(owner.pid()));
    assert!(process_registry::start(&Metadata::new()).registry().is_same(global::get().registry()));
    assert_eq!(service_registry::list_services(&here), Ok(vec![NAME]));
    assert_eq!(
        horde::get_metadata(&here, &NAME).expect("registered").get("tier").and_then(|v| v.as_str()),
        Some("hot")
    );
    let found = horde::find_services_by_metadata(&here, |metadata| !metadata.is_empty()).expect("open");
    assert_eq!(found.len(), 1);
}

#[test]
fn errors_and_contexts_use_its_clock_and_its_observer() {
    let Installed { clock, observer } = &*INSTALLED;
    let year: Timestamp = "2027-01-01T00:00:00Z".parse().expect("a time");
    let stamped = error::new(ErrorKind::Timeout, None, Options::new());
    assert!(stamped.timestamp() < year && stamped.timestamp() <= clock.wall());
    error::collect_error_metrics(&stamped);
    assert_eq!(observer.events_named("foundation.errors.external.timeout").len(), 1);

    let context = error_context::new_2("Loader", "load");
    let loaded = error_context::with_context(&context, || Ok::<_, foundation_compat::Error>(7));
    assert_eq!(loaded, Ok(7));
    let durations = observer.events_named("foundation.operations.duration");
    assert_eq!(durations.len(), 1);
    assert_eq!(durations[0].metadata.get("function").and_then(|v| v.as_str()), Some("load"));
}

#[test]
fn the_monitor_of_the_global_instance_runs_once() {
    LazyLock::force(&INSTALLED);
    assert_eq!(backend_monitor::health_check().expect("in memory").status, Health::Healthy);
    let running = backend_monitor::start_0().expect("none runs");
    let second = backend_monitor::start(MonitorOptions::default());
    assert!(matches!(second.map(drop), Err(StartError::AlreadyStarted(pid)) if pid == running.pid()));
    backend_monitor::record_metric("lookup", Duration::from_millis(2), true);
    let metrics = backend_monitor::get_performance_metrics();
    assert_eq!((metrics.total_operations, metrics.error_count), (1, 0));

    let (here, owner) = (Namespace::test(), Owner::new());
    process_registry::register_3(&here, &NAME, &owner.pid()).expect("free");
    backend_monitor::switch_backend(BackendModule::Registry).expect("in reserve");
    assert_eq!(backend_monitor::get_active_backend(), Some(BackendModule::Registry));
    assert_eq!(process_registry::lookup(&here, &NAME), Ok(owner.pid()));
    backend_monitor::switch_backend(BackendModule::Ets).expect("it was there before");
    assert_eq!(backend_monitor::get_active_backend(), Some(BackendModule::Ets));
    running.stop();

    let options = MonitorOptions { check_interval: Duration::ZERO, ..MonitorOptions::default() };
    assert!(matches!(backend_monitor::start(options).map(drop), Err(StartError::Options(_))));
    backend_monitor::start_0().expect("the one before was stopped, the refused one never ran").stop();
    let spec = backend_monitor::child_spec(MonitorOptions::default());
    assert_eq!(
        (spec.kind, spec.restart, spec.shutdown),
        (ChildKind::Worker, Restart::Permanent, Some(Duration::from_secs(5)))
    );
}

#[test]
fn the_cluster_is_this_node() {
    LazyLock::force(&INSTALLED);
    let local = NodeId::local();
    let topology = horde::cluster_topology();
    assert_eq!((&topology.local_node, topology.nodes.as_slice()), (local, std::slice::from_ref(local)));
    assert!(horde::join_cluster(&topology.nodes).is_err() && horde::leave_cluster().is_err());
    assert!(horde::migrate_process(&NAME, local).is_err());
    assert_eq!(horde::process_distribution().expect("open").keys().collect::<Vec<_>>(), [local]);
    assert_eq!(process_registry::child_spec(&Metadata::new()).shutdown, None);
}

#[test]
fn backends_tell_what_they_hold() {
    let backend = registry::Partitions::default();
    assert_eq!(process_registry::backend::validate(&backend), Ok(()));
    assert_eq!(process_registry::backend::default_config().backend, BackendModule::Ets);
    assert_eq!(ets::get_statistics(&backend).expect("in memory").average_metadata_size_bytes, 0);

    let foundation = Foundation::builder().registry_backend(Arc::new(backend)).build().expect("in range");
    let process = ProcessRegistry::from(&foundation);
    let backend = Arc::new(ets::Ets::default());
    process.registry().switch_backend(backend.clone()).expect("empty");
    let (owner, here) = (Owner::new(), Namespace::Production);
    process.register(&here, &NAME, &owner.pid(), Metadata::new().with("a", 1)).expect("free");
    process.register_3(&here, &ServiceName::from_static("other"), &owner.pid()).expect("free");

    let statistics = ets::get_statistics(&*backend).expect("in memory");
    assert_eq!((statistics.total_registrations, statistics.alive_processes, statistics.dead_processes), (2, 2, 0));
    assert_eq!(statistics.average_metadata_size_bytes, r#"{"a":1}{}"#.len() / 2);
    let info = registry::get_registry_info(&*backend).expect("in memory");
    assert_eq!((info.registrations_count, info.duplicate_keys, info.status), (2, 0, Health::Healthy));
    let stats = registry::get_partition_stats(&*backend);
    assert_eq!((stats.distribution.iter().sum::<usize>(), stats.total_registrations), (2, 2));
    assert_eq!(stats.distribution.len(), stats.total_partitions);
    drop(owner);
    assert_eq!(ets::cleanup_dead_processes(&*backend), Ok(0), "removed at the death");
}

/// The layers of the installed instance.
mod layers {
    use std::convert::Infallible;
    use std::time::Duration;

    use foundation_compat::foundation_resources::pool::from_fn;
    use foundation_compat::foundation_resources::rate_limit::Quota;
    use foundation_compat::infrastructure::circuit_breaker::{self, FuseRun, FuseStatus};
    use foundation_compat::infrastructure::connection_manager::{self, PoolConfig};
    use foundation_compat::infrastructure::rate_limiter::{self, RateState};
    use foundation_compat::infrastructure::{self, ProtectedOptions};

    use super::*;

    #[test]
    fn breakers_are_those_of_the_installed_instance() {
        LazyLock::force(&INSTALLED);
        circuit_breaker::start_fuse_instance_1("global").expect("in range");
        assert!(global::get().breakers().get("global").is_some());
        assert_eq!(circuit_breaker::execute_2("global", || Ok::<_, Infallible>(1)), Ok(1));
        assert_eq!(circuit_breaker::run("global", || FuseRun::Ok(2)), Ok(2));
        circuit_breaker::melt("global");
        circuit_breaker::circuit_disable("global").expect("installed");
        assert_eq!(circuit_breaker::get_status("global"), Ok(FuseStatus::Blown));
        circuit_breaker::circuit_enable("global").expect("installed");
        circuit_breaker::reset("global").expect("installed");
        circuit_breaker::remove("global").expect("installed");
        infrastructure::initialize_circuit_breaker_1("global").expect("removed before");
    }

    #[test]
    fn limits_and_pools_are_those_of_the_installed_instance() {
        LazyLock::force(&INSTALLED);
        let run = || Ok::<_, Infallible>(());
        rate_limiter::execute_with_limit_5("global", "op", 1, Duration::from_hours(1), run).expect("the first");
        let status = rate_limiter::get_status("global", "op").expect("has a text");
        assert_eq!(status.status, RateState::RateLimited);
        rate_limiter::reset("global", "op").expect("has a text");
        rate_limiter::check_rate_4("global", "op", 1, Duration::from_hours(1)).expect("reset");
        assert!(rate_limiter::backend::hit_3("global", Quota::per_hour(1)).is_allowed());

        assert!(connection_manager::start_0().list_pools().is_empty());
        let numbers = PoolConfig::new(from_fn(|| Ok::<_, Infallible>(7_u32)));
        connection_manager::start_pool("global", &numbers).expect("starts");
        let number = connection_manager::with_connection_2("global", |number: &mut u32| Ok::<_, Infallible>(*number));
        assert_eq!(number, Ok(7));
        let options = ProtectedOptions::new().connection_pool("global");
        let number = infrastructure::execute_protected_with_connection("key", &options, |number: &mut u32| {
            Ok::<_, Infallible>(*number)
        });
        assert_eq!(number, Ok(7));
        assert_eq!(connection_manager::list_pools(), global::get().pools().names());
        connection_manager::stop_pool("global").expect("started");
    }

    #[test]
    fn protection_is_that_of_the_installed_instance() {
        LazyLock::force(&INSTALLED);
        infrastructure::initialize_all_infra_components().expect("not shut down");
        let refused = infrastructure::configure_protection("key", Metadata::new()).expect_err("no sections");
        assert_eq!(refused.kind().as_str(), "missing_required_keys");
        assert!(infrastructure::get_protection_config("key").is_err());
        assert!(infrastructure::get_protection_status("key").is_err());
        assert!(infrastructure::list_protection_keys().is_empty());
        assert_eq!(
            infrastructure::execute_protected("key", &ProtectedOptions::new(), || Ok::<_, Infallible>(1)),
            Ok(1)
        );
    }
}
