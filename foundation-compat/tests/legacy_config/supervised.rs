//! The service as a part of an application.

use std::sync::mpsc;
use std::time::Duration;

use foundation_compat::config_server::{ConfigServer, ConfigService};
use foundation_compat::{Foundation, Health, Namespace, ServiceName};

#[test]
fn a_supervised_service_is_started_again_when_it_is_stopped() {
    let foundation = Foundation::builder().namespace(Namespace::test()).start().expect("it starts");
    let supervisor = foundation.supervisor().expect("it runs");
    let name = ServiceName::new(ConfigService::NAME).expect("a name");
    let config = foundation.config();
    config.update("interface.max_results", 5).expect("it may change");
    let before = supervisor.pid(&name).expect("it runs");
    let (died, death) = mpsc::channel();
    let hook = before.on_exit(Box::new(move |_| died.send(()).expect("the test waits"))).ok().expect("it is alive");

    ConfigServer::from(&foundation).stop();
    death.recv_timeout(Duration::from_secs(30)).expect("a stop ends the run");
    hook.keep();
    while supervisor.pid(&name).map_or(true, |now| now == before) {
        std::thread::yield_now();
    }
    assert!(config.available());
    assert_eq!(config.get_as("interface.max_results").ok(), Some(5));
    assert_eq!(supervisor.health_check().overall_health, Health::Healthy);
    foundation.shutdown();
    assert!(!config.available());
}

#[test]
fn a_service_that_its_supervisor_stops_stays_stopped() {
    let foundation = Foundation::builder().namespace(Namespace::test()).start().expect("it starts");
    foundation.shutdown();
    assert!(!foundation.config().available());
    assert_eq!(foundation.config().get_as("interface.max_results").ok(), Some(1000));
}
