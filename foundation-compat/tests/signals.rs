//! The signals that ask a program to end shut its instance down in order.
#![cfg(unix)]

use std::process::Command;
use std::time::Duration;

use foundation_compat::{Foundation, Namespace, Termination, TerminationSignals};

fn send(signal: &str) {
    let status = Command::new("kill").args([signal, &std::process::id().to_string()]).status();
    assert!(status.expect("kill can be started").success());
}

#[test]
fn each_signal_shuts_down_in_order_and_says_which_it_was() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        for (signal, expected, code) in [("-INT", Termination::Interrupt, 130), ("-TERM", Termination::Terminate, 143)]
        {
            let mut signals = TerminationSignals::listen().expect("the system lets us");
            let foundation = Foundation::builder().namespace(Namespace::test()).start().expect("every service starts");
            send(signal);
            let (termination, report) = foundation.shutdown_on(&mut signals, Duration::from_mins(1)).await;
            assert_eq!((termination, termination.exit_code()), (expected, code));
            assert!(report.is_clean() && !report.services.is_empty());
            assert!(!foundation.available());
        }
    });
}
