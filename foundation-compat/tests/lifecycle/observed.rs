//! What is told of services.

use std::sync::Arc;

use foundation_compat::lifecycle::{ServiceConfig, Toggle};
use foundation_types::testing::RecordingObserver;
use foundation_types::{ExitReason, Metadata, Namespace, ServiceName};

use crate::scripted::{Stage, end};

#[test]
fn starts_stops_and_restarts_are_told_unless_a_service_wants_none() {
    let stage = Stage::new();
    let observer = Arc::new(RecordingObserver::new());
    let [loud, quiet] = ["loud", "quiet"].map(ServiceName::from_static);
    stage.script_config(&quiet, ServiceConfig { telemetry: Toggle::Off, ..ServiceConfig::default() });
    let namespace = Namespace::test();
    let builder = stage.builder().services([stage.spec(&loud), stage.spec(&quiet)]).namespace(namespace.clone());
    let supervisor = builder.observer(Arc::<RecordingObserver>::clone(&observer)).start().expect("it starts");
    let told = || observer.take().into_iter().map(|event| (event.name.to_string(), event.metadata)).collect::<Vec<_>>();
    let about = |status: &str| {
        Metadata::new().with("service", "loud").with("health_status", status).with("namespace", namespace.to_string())
    };
    let event = |name: &str, metadata: Metadata| (format!("foundation.{name}"), metadata);
    assert_eq!(told(), [event("service.started", about("starting"))]);

    end(&supervisor.pid(&loud).expect("it runs"), &ExitReason::error("told to"));
    supervisor.run_due();
    let restarted =
        Metadata::new().with("service", "loud").with("reason", "error: told to").with("restarts_in_window", 1);
    assert_eq!(
        told(),
        [
            event("service.stopping", about("stopping")),
            event("service.stopped", about("stopping").with("reason", "error: told to")),
            event("service.started", about("starting")),
            event("application.service_restarted", restarted),
        ]
    );

    drop(supervisor);
    assert_eq!(
        told(),
        [
            event("service.stopping", about("stopping")),
            event("service.stopped", about("stopping").with("reason", "shutdown")),
        ]
    );
}
