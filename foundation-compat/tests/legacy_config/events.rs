//! What is told of writes.

use std::sync::{Arc, Mutex};

use foundation_compat::foundation_types::{EventName, Measurements, Observer};
use foundation_compat::{Foundation, Metadata, Value};

use crate::session::{Session, code, map};

#[test]
fn an_update_has_a_counter_and_an_event_for_the_log() {
    let session = Session::new();
    session.advance_secs(2);
    session.config.update("interface.max_results", 5).expect("it may change");
    let path = Value::from(vec!["interface", "max_results"]);
    assert_eq!(session.events("foundation.config_updates"), [Metadata::new().with("path", path.clone())]);
    let logged = session.observer.events_named("foundation.config.config_updated");
    assert_eq!(logged.len(), 1);
    let data = Metadata::new().with("path", path).with("new_value", 5).with("previous_value", 1000);
    assert_eq!(logged[0].metadata, data);
    assert_eq!(logged[0].measurements, Measurements::new().with("timestamp", 2_000));

    session.config.update("infrastructure.protection.a.b", 1).expect("it may change");
    let first = session.events("foundation.config.config_updated").pop().expect("it was told");
    assert!(!first.contains_key("previous_value"), "there was none");
}

#[test]
fn a_reset_has_a_counter_and_an_event_for_the_log() {
    let session = Session::new();
    session.config.update("interface.max_results", 5).expect("it may change");
    session.config.reset().expect("the defaults are valid");
    let data = Metadata::new().with("reset_from_updates_count", 1);
    assert_eq!(session.events("foundation.config_resets"), std::slice::from_ref(&data));
    assert_eq!(session.events("foundation.config.config_reset"), [data]);
}

#[test]
fn p23_no_event_has_a_secret_in_it() {
    let session = Session::new();
    let secret = map(r#"{"mail":{"password":"hunter1","nested":{"token":["hunter1"]}}}"#);
    session.config.update("infrastructure.protection", secret).expect("it may change");
    session.config.update("infrastructure.protection.mail.password", "hunter2").expect("it may change");
    let mut changes = session.config.subscribe().expect("it runs");
    session.config.update("infrastructure.protection.mail.password", "hunter3").expect("it may change");
    let notification = changes.try_recv().expect("it was told");
    assert!(!format!("{notification:?}").contains("hunter"));
    let told = format!("{:?}", session.observer.events());
    assert!(told.contains("[redacted]"));
    assert!(!told.contains("hunter"), "{told}");
}

/// Writes a setting whenever it hears of one, once.
struct Echo(Mutex<Option<Foundation>>);

impl Observer for Echo {
    fn emit(&self, name: &EventName, _: &Measurements, _: &Metadata) {
        let heard = name.as_str() == "foundation.config_updates";
        let foundation = if heard { self.0.lock().expect("not poisoned").take() } else { None };
        if let Some(foundation) = foundation {
            foundation.config().update("dev.verbose_logging", true).expect("it may change");
            panic!("observers may do that");
        }
    }
}

#[test]
fn p22_an_observer_may_write_and_panic() {
    let echo = Arc::new(Echo(Mutex::default()));
    let foundation = Foundation::builder().observer(echo.clone()).build().expect("in range");
    *echo.0.lock().expect("not poisoned") = Some(foundation.clone());
    assert_eq!(code(foundation.config().update("dev.debug_mode", true)), None);
    let settings = foundation.settings().load();
    assert!(settings.dev.debug_mode && settings.dev.verbose_logging);
}
