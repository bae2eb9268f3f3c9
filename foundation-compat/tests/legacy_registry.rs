//! The process and service registries by their old names: what the facade adds to the registry below.

use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_registry::{HealthCheckError, LookupError, RegistryError, WaitError};
use foundation_compat::foundation_types::TestRef;
use foundation_compat::process_registry::backend::BackendModule;
use foundation_compat::process_registry::backend_monitor::{BackendMonitor, MonitorError, MonitorOptions, SwitchError};
use foundation_compat::process_registry::{ProcessRegistry, RegisterError, UpdateError};
use foundation_compat::service_registry::{HealthCheckOptions, ServiceRegistry};
use foundation_compat::{ErrorKind, Foundation, Health, Metadata, Namespace, Owner, Pid, ServiceName, Value};

const NAME: ServiceName = ServiceName::from_static("indexer");
const OTHER: ServiceName = ServiceName::from_static("other");

fn fresh() -> (ProcessRegistry, ServiceRegistry, Namespace) {
    let foundation = Foundation::isolated();
    (ProcessRegistry::from(&foundation), ServiceRegistry::from(&foundation), foundation.namespace().clone())
}

fn dead() -> Pid {
    Owner::new().pid()
}

#[test]
fn d01_via_and_direct_names_are_one_store() {
    let (process, services, here) = fresh();
    let (owner, other) = (Owner::new(), Owner::new());
    let via = process.via_tuple(&here, &NAME);
    assert_eq!(via, services.via_tuple(&here, &NAME));
    via.claim(&owner).expect("free");
    assert_eq!(process.get_metadata(&here, &NAME), Ok(Arc::new(Metadata::new())));
    assert_eq!(process.update_metadata(&here, &NAME, [("a", 1)].into()), Ok(()));
    assert_eq!(process.lookup_with_metadata(&here, &NAME), Ok((owner.pid(), Arc::new([("a", 1)].into()))));
    let taken = process.register_3(&here, &NAME, &other.pid());
    assert_eq!(taken, Err(RegisterError::AlreadyRegistered { holder: owner.pid() }));
    assert!(process.list_services_with_metadata(&here).expect("open").contains_key(&NAME));
}

#[test]
fn d04_unregister_works_for_via_names_and_is_idempotent() {
    let (process, services, here) = fresh();
    let owner = Owner::new();
    process.via_tuple(&here, &NAME).claim(&owner).expect("free");
    assert_eq!((process.unregister(&here, &NAME), process.unregister(&here, &NAME)), (Ok(()), Ok(())));
    assert_eq!(process.lookup(&here, &NAME), Err(LookupError::NotFound));
    assert_eq!(services.unregister(&here, &NAME), Ok(()));
}

#[test]
fn d05_the_index_follows_and_a_repeat_with_indexing_replaces() {
    let (process, _, here) = fresh();
    let owner = Owner::new();
    let find = |tier: &str| {
        let found = process.find_by_indexed_metadata(&here, "tier", &Value::from(tier)).expect("open");
        found.into_iter().map(|(name, pid, _)| (name, pid)).collect::<Vec<_>>()
    };
    process.register_with_indexing(&here, &NAME, &owner.pid(), [("tier", "hot")].into()).expect("free");
    process.register_with_indexing(&here, &NAME, &owner.pid(), [("tier", "cold")].into()).expect("its own");
    assert_eq!((find("hot"), find("cold")), (vec![], vec![(NAME, owner.pid())]));
    assert_eq!(process.get_optimization_stats().metadata_index_size, 1);
    process.cleanup_optimizations().expect("open");
    assert_eq!(find("cold"), []);
    assert_eq!(process.cached_lookup(&here, &NAME), Ok(owner.pid()), "nothing else is affected");
    process.initialize_optimizations().expect("open");
    process.initialize_optimizations().expect("open");
    assert_eq!(find("cold"), [(NAME, owner.pid())]);
    process.unregister(&here, &NAME).expect("open");
    assert_eq!((find("cold"), process.get_optimization_stats().metadata_index_size), (vec![], 0));
    process.register_with_indexing_3(&here, &OTHER, &owner.pid()).expect("free");
    assert_eq!(process.get_metadata(&here, &OTHER), Ok(Arc::new(Metadata::new())));
}

#[test]
fn d06_stats_count_every_namespace() {
    let (process, _, here) = fresh();
    let owner = Owner::new();
    let staging = Namespace::custom("staging").expect("valid");
    for namespace in [&Namespace::Production, &here, &Namespace::test(), &staging] {
        process.register_3(namespace, &NAME, &owner.pid()).expect("free");
    }
    process.register_3(&here, &OTHER, &owner.pid()).expect("free");
    let stats = process.stats().expect("open");
    assert_eq!((stats.total_services, stats.production_services), (5, 1));
    assert_eq!((stats.custom_namespace_services, stats.test_namespaces), (1, 2));
    assert_eq!(stats.partitions, stats.partition_count);
    assert!(stats.ets_table_info.backup_table_exists);
    assert_eq!(stats.ets_table_info.table_size, 5);
    assert!(stats.memory_usage_bytes > 0 && stats.ets_table_info.memory_words * 8 >= stats.memory_usage_bytes);
    drop(owner);
    assert_eq!(process.stats().expect("open").total_services, 0, "the living only");
}

#[test]
fn d07_waits_and_checks_tell_what_happened() {
    let (_, services, here) = fresh();
    let owner = Owner::new();
    assert_eq!(services.wait_for_service(&here, &NAME, Duration::ZERO), Err(WaitError::Timeout));
    let missing = services.lookup(&here, &NAME).expect_err("nobody");
    assert_eq!((missing.kind(), missing.code()), (&ErrorKind::ServiceNotFound, 5001));
    assert!(
        matches!(services.health_check_2(&here, &NAME), Err(HealthCheckError::NotFound(error)) if error.code() == 5001)
    );

    services.register(&here, &NAME, &owner.pid()).expect("free");
    assert_eq!(services.wait_for_service_2(&here, &NAME), Ok(owner.pid()));
    let check = |options| services.health_check(&here, &NAME, options);
    assert_eq!(check(HealthCheckOptions::new()), Ok(owner.pid()));
    assert_eq!(check(HealthCheckOptions::new().check(|_| ()).debug_health_check()), Ok(owner.pid()));
    assert_eq!(check(HealthCheckOptions::new().check(|_| true)), Ok(owner.pid()));
    let failed = check(HealthCheckOptions::new().check(|_| Err::<(), _>("disk full")));
    assert_eq!(failed, Err(HealthCheckError::Failed(Value::from("disk full"))));
    let failed = check(HealthCheckOptions::new().check(|_| false));
    assert_eq!(failed, Err(HealthCheckError::Failed(Value::Bool(false))));
    let raised = check(HealthCheckOptions::new().check(|_| -> bool { panic!("out of luck") }));
    assert_eq!(raised, Err(HealthCheckError::Errored("out of luck".into())));
    let (never, silence) = std::sync::mpsc::channel::<()>();
    let hangs = HealthCheckOptions::new().check(move |_| silence.recv().is_ok()).timeout(Duration::ZERO);
    assert_eq!(check(hangs), Err(HealthCheckError::Timeout));
    drop(never);
    let info = services.get_service_info(&here).expect("open");
    assert_eq!((info.total_services, info.healthy_services, info.services.len()), (1, 1, 1));
}

#[test]
fn d08_cleanup_leaves_nothing_and_nobody_behind() {
    for through_services in [false, true] {
        let (process, services, _) = fresh();
        let test = TestRef::new();
        let (here, elsewhere) = (Namespace::Test(test), Namespace::Production);
        let (direct, via, survivor) = (Owner::new(), Owner::new(), Owner::new());
        process.register_3(&here, &NAME, &direct.pid()).expect("free");
        process.via_tuple(&here, &OTHER).claim(&via).expect("free");
        process.register_3(&elsewhere, &NAME, &survivor.pid()).expect("free");
        let cleaned =
            if through_services { services.cleanup_test_namespace(test) } else { process.cleanup_test_namespace(test) };
        assert_eq!(cleaned, Ok(()));
        assert_eq!(process.count_services(&here), Ok(0));
        assert!([&direct, &via].iter().all(|owner| !owner.pid().is_alive()));
        assert_eq!(process.lookup(&elsewhere, &NAME), Ok(survivor.pid()));
    }
}

#[test]
fn d09_registering_a_dead_process_succeeds_and_stores_nothing() {
    let (process, services, here) = fresh();
    assert_eq!(process.register(&here, &NAME, &dead(), [("a", 1)].into()), Ok(()));
    assert_eq!(process.register_with_indexing(&here, &NAME, &dead(), [("tier", "hot")].into()), Ok(()));
    assert_eq!(services.register(&here, &NAME, &dead()), Ok(()));
    let bulk = process.bulk_register([(here.clone(), NAME, dead(), Metadata::new())]);
    assert_eq!(bulk, [(Ok(()), NAME)]);
    assert_eq!(process.registered(&here, &NAME), Ok(false));
    assert_eq!(process.count_services(&here), Ok(0));
    assert_eq!(process.get_optimization_stats().metadata_index_size, 0);

    let holder = Owner::new();
    process.register_3(&here, &NAME, &holder.pid()).expect("free");
    let taken = process.register_3(&here, &NAME, &dead());
    assert_eq!(taken, Err(RegisterError::AlreadyRegistered { holder: holder.pid() }), "the holder comes first");
}

#[test]
fn the_first_metadata_of_an_owner_stays() {
    let (process, services, here) = fresh();
    let owner = Owner::new();
    assert_eq!(process.register(&here, &NAME, &owner.pid(), [("a", 1)].into()), Ok(()));
    assert_eq!(process.register(&here, &NAME, &owner.pid(), [("a", 2)].into()), Ok(()));
    assert_eq!(services.register(&here, &NAME, &owner.pid()), Ok(()));
    assert_eq!(process.get_metadata(&here, &NAME), Ok(Arc::new([("a", 1)].into())));
}

#[test]
fn a_bulk_is_the_fold_of_its_items() {
    let (process, _, here) = fresh();
    let (one, two) = (Owner::new(), Owner::new());
    let item = |name: &ServiceName, owner: &Owner| (here.clone(), name.clone(), owner.pid(), Metadata::new());
    let results = process.bulk_register([item(&NAME, &one), item(&NAME, &two), item(&OTHER, &two)]);
    let taken = Err(RegisterError::AlreadyRegistered { holder: one.pid() });
    assert_eq!(results, [(Ok(()), NAME), (taken, NAME), (Ok(()), OTHER)]);
}

#[test]
fn a_predicate_may_call_the_registry() {
    let (process, _, here) = fresh();
    let owner = Owner::new();
    process.register(&here, &NAME, &owner.pid(), [("load", 9)].into()).expect("free");
    let found = process.find_services_by_metadata(&here, |metadata| {
        metadata.contains_key("load") && process.registered(&here, &NAME) == Ok(true)
    });
    assert_eq!(found, Ok(vec![(NAME, owner.pid(), Arc::new([("load", 9)].into()))]));
}

#[test]
fn d10_the_monitor_moves_the_registry_with_all_it_holds() {
    let (process, _, here) = fresh();
    let owner = Owner::new();
    process.register(&here, &NAME, &owner.pid(), [("a", 1)].into()).expect("free");
    let monitor = BackendMonitor::new(process.registry(), MonitorOptions::default()).expect("in range");
    for backend in [BackendModule::Registry, BackendModule::Registry, BackendModule::Ets] {
        assert_eq!(monitor.switch_backend(backend), Ok(()));
        assert_eq!(monitor.get_active_backend(), Some(backend));
        assert_eq!(process.lookup_with_metadata(&here, &NAME), Ok((owner.pid(), Arc::new([("a", 1)].into()))));
    }
    assert_eq!(monitor.switch_backend(BackendModule::Horde), Err(SwitchError::BackendNotAvailable));
    assert_eq!(monitor.health_check().expect("in memory").status, Health::Healthy);
    process.registry().shutdown();
    assert_eq!(monitor.health_check(), Err(MonitorError::Registry(RegistryError::Closed)));
    assert_eq!(monitor.switch_backend(BackendModule::Registry), Err(SwitchError::Registry(RegistryError::Closed)));
}

#[test]
fn a_failing_backend_is_a_failed_check_until_another_takes_over() {
    use foundation_compat::foundation_registry::{BackendOperation, Fault, FaultyBackend, backend::Sharded};

    let faulty = Arc::new(FaultyBackend::new(Arc::new(Sharded::default())));
    let foundation = Foundation::builder().registry_backend(faulty.clone()).build().expect("in range");
    let monitor = BackendMonitor::new(foundation.registry(), MonitorOptions::default()).expect("in range");
    assert!(monitor.health_check().is_ok());
    faulty.fail_always(BackendOperation::Health, Fault::Panic);
    for _ in 0..2 {
        assert!(
            matches!(monitor.health_check(), Err(MonitorError::Failed(report)) if report.status == Health::Degraded)
        );
    }
    let report = monitor.health_check().expect("another took over");
    assert!(report.failover.is_some());
    assert!(monitor.health_check().is_ok());
}

#[test]
fn d13_after_a_shutdown_everything_says_so() {
    let (process, services, here) = fresh();
    let owner = Owner::new();
    process.registry().shutdown();
    assert_eq!(process.register_3(&here, &NAME, &owner.pid()), Err(RegisterError::Closed));
    assert_eq!(process.lookup(&here, &NAME), Err(LookupError::Closed));
    assert_eq!(process.update_metadata(&here, &NAME, Metadata::new()), Err(UpdateError::Closed));
    assert_eq!(process.unregister(&here, &NAME), Err(RegistryError::Closed));
    assert_eq!(process.stats().map(drop), Err(RegistryError::Closed));
    assert_eq!(services.lookup(&here, &NAME).expect_err("closed").kind(), &ErrorKind::Closed);
}
