//! The original's `Foundation` and `Foundation.Application`, on the global instance. One test, because there is one of it.

use foundation_compat::config::ConfigOptions;
use foundation_compat::lifecycle::{ApplicationState, LifecycleError, ServiceState};
use foundation_compat::{
    Foundation, Health, InitOptions, Metadata, ServiceName, application, available, config, global, health, initialize,
    initialize_0, shutdown, start_link_0, status, version,
};

const CONFIG: ServiceName = ServiceName::from_static("config_server");

#[test]
fn the_global_instance_starts_shows_restarts_stops_and_starts_again() {
    assert!(!available(), "there is none yet, and asking makes none");
    assert!(global::get().supervisor().is_none());
    assert!(matches!(application::health_check(), Err(LifecycleError::NotStarted)));
    assert!(global::get().shutdown().services.is_empty());

    let dev = Metadata::new().with("debug_mode", true);
    let options = InitOptions::new().config(ConfigOptions::new().options(Metadata::new().with("dev", dev)));
    initialize(&options).expect("it starts, in place of the one that was shut down");
    initialize_0().expect("it runs");
    assert!(available());
    assert_eq!(config::get_as::<bool>("dev.debug_mode"), Ok(true));
    assert_eq!((status().version, health().status), (version(), Health::Healthy));

    let before = application::get_application_status().expect("it runs");
    assert_eq!((before.state, before.status), (ApplicationState::Running, Health::Healthy));
    let old = before.services[&CONFIG].pid.clone().expect("it runs");
    let new = application::restart_service(&CONFIG).expect("it can be restarted");
    assert_ne!(old, new);
    assert_eq!(config::get_as::<bool>("dev.debug_mode"), Ok(true), "a restart forgets nothing");
    let unknown = ServiceName::from_static("nobody");
    assert!(matches!(application::restart_service(&unknown), Err(LifecycleError::UnknownService(_))));
    let core = application::disable_services(&[CONFIG]);
    assert!(matches!(core, Err(LifecycleError::NotOptional(_))));
    assert_eq!(application::health_check().expect("it runs").overall_health, Health::Healthy);
    assert_eq!(before.services[&CONFIG].status, ServiceState::Running);

    let first = global::get();
    assert!(application::start(Foundation::builder()).is_err(), "it runs");
    let report = shutdown().expect("there is one");
    assert!(report.is_clean() && !report.services.is_empty());
    assert!(!available());
    assert_eq!(health().status, Health::Degraded);
    assert!(config::get("dev.debug_mode").is_err() || !config::available());
    assert!(matches!(application::get_application_status(), Err(LifecycleError::Stopped)));

    let second = start_link_0().expect("another one");
    assert!(available() && !second.is_same(&first));
    assert_eq!(config::get_as::<bool>("dev.debug_mode"), Ok(false));
    assert!(application::stop(second).is_clean());
}
