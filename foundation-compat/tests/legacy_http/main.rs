//! The HTTP worker by its old name, over real HTTP on loopback.

mod client;
mod server;

use std::time::Duration;

use foundation_compat::foundation_resources::pool::from_fn;
use foundation_compat::foundation_types::ManualClock;
use foundation_compat::infrastructure::circuit_breaker::{CircuitBreakers, FuseOptions, FuseStatus};
use foundation_compat::infrastructure::connection_manager::{ConnectionManager, PoolConfig};
use foundation_compat::infrastructure::pool_workers::http::{
    HttpConfigError, HttpError, HttpMethod, HttpRequest, HttpResponse, HttpTransport, HttpWorker, HttpWorkerConfig,
    RequestOptions,
};
use foundation_compat::infrastructure::{Infrastructure, ProtectedOptions};
use foundation_compat::{Error, Foundation, Metadata, Value};

use self::client::{ClientError, Loopback};
use self::server::Server;

fn worker(server: &Server) -> HttpWorker<Loopback> {
    HttpWorker::start(HttpWorkerConfig::new(server.url()).expect("valid"), Loopback)
}

fn text(response: &HttpResponse) -> String {
    String::from_utf8(response.body.clone()).expect("text")
}

#[test]
fn requests_reach_the_server_and_answers_come_back() {
    let server = Server::start();
    let mut worker = worker(&server);
    let options = RequestOptions::new().param("q", "a b").header("X-Trace", "7");
    let answer = worker.get("/echo", &options).expect("it answers");
    assert_eq!(answer.status, 200);
    let echoed = text(&answer);
    assert!(echoed.starts_with("GET /echo?q=a+b HTTP/1.1\r\n"), "{echoed}");
    assert!(echoed.contains("User-Agent: Foundation/1.0\r\n") && echoed.contains("X-Trace: 7\r\n"), "{echoed}");

    let posted = worker.post_3("echo", "body").expect("it answers");
    let echoed = text(&posted);
    assert!(echoed.starts_with("POST /echo HTTP/1.1\r\n") && echoed.ends_with("\r\n\r\nbody"), "{echoed}");
}

#[test]
fn a_header_of_the_request_replaces_the_default_of_exactly_the_same_name() {
    let server = Server::start();
    let mut worker = worker(&server);
    let echoed = text(&worker.get("echo", &RequestOptions::new().header("User-Agent", "mine")).expect("it answers"));
    assert!(echoed.contains("User-Agent: mine\r\n") && !echoed.contains("Foundation/1.0"), "{echoed}");
    let echoed = text(&worker.get("echo", &RequestOptions::new().header("user-agent", "mine")).expect("it answers"));
    assert!(echoed.contains("user-agent: mine\r\n") && echoed.contains("User-Agent: Foundation/1.0\r\n"), "{echoed}");
}

#[test]
fn an_error_status_is_an_answer_and_no_connection_is_an_error() {
    let server = Server::start();
    let clock = ManualClock::new();
    let config = HttpWorkerConfig::new(server.url()).expect("valid");
    let mut worker = HttpWorker::start_with_clock(config, Loopback, std::sync::Arc::new(clock.clone()));
    assert_eq!(worker.get_status().stats.last_request_at, None);
    clock.advance(Duration::from_secs(3));
    for status in [404, 500] {
        assert_eq!(worker.get_2(&format!("status/{status}")).expect("it answers").status, status);
    }
    let done = worker.get_status().stats;
    assert_eq!((done.requests_made, done.errors), (2, 0));
    drop(server);
    assert!(matches!(worker.get_2("echo"), Err(HttpError::Transport(ClientError::Io(_)))));
    let status = worker.get_status();
    assert_eq!((status.stats.requests_made, status.stats.errors), (3, 1));
    assert!(status.stats.last_request_at.is_some());
    assert_eq!((status.uptime, status.timeout), (Duration::from_secs(3), Duration::from_secs(30)));
}

#[test]
fn redirects_are_followed_as_often_as_the_configuration_says() {
    let server = Server::start();
    let config = |most| HttpWorkerConfig::new(server.url()).expect("valid").with_max_redirects(most);
    let mut patient = HttpWorker::start(config(3), Loopback);
    assert_eq!(patient.get_2("redirect/3").expect("three are allowed").status, 200);
    let mut hasty = HttpWorker::start(config(2), Loopback);
    assert!(matches!(hasty.get_2("redirect/3"), Err(HttpError::Transport(ClientError::TooManyRedirects))));
}

#[test]
fn configurations_are_checked_in_the_order_of_the_original() {
    let read = |config: Metadata| HttpWorkerConfig::from_metadata(&config);
    let with = |url: Value| Metadata::new().with("base_url", url);
    let reason = |config: Metadata| read(config).expect_err("invalid").reason();
    assert_eq!(reason(Metadata::new()), Some("missing_base_url"));
    assert_eq!(reason(with("".into())), Some("empty_base_url"));
    assert_eq!(reason(with(7.into())), Some("invalid_base_url_type"));
    assert_eq!(reason(with("ftp://a".into())), Some("invalid_scheme"));
    assert_eq!(read(with("http://a\r\nX: b".into())), Err(HttpConfigError::InvalidBaseUrl));
    assert_eq!(Error::from(HttpConfigError::MissingBaseUrl).kind().as_str(), "invalid_config");

    let defaults = read(with("https://a/".into())).expect("valid");
    assert_eq!(
        (defaults.base_url(), defaults.timeout(), defaults.max_redirects()),
        ("https://a/", Duration::from_secs(30), 5)
    );
    let headers = Value::List(vec![Value::from(vec!["Accept", "text/plain"])]);
    let full = with("http://a".into()).with("timeout", 250).with("max_redirects", 0).with("headers", headers);
    let full = read(full).expect("valid");
    assert_eq!((full.timeout(), full.max_redirects()), (Duration::from_millis(250), 0));
    assert_eq!(full.headers(), [("Accept".to_owned(), "text/plain".to_owned())]);
    for (option, value) in
        [("timeout", Value::from(-1)), ("max_redirects", "5".into()), ("headers", vec!["Accept"].into())]
    {
        assert_eq!(read(with("http://a".into()).with(option, value)), Err(HttpConfigError::InvalidOption { option }));
    }
}

#[test]
fn what_could_change_the_meaning_of_a_request_is_not_sent() {
    let server = Server::start();
    let mut worker = worker(&server);
    assert!(matches!(worker.get_2("a HTTP/1.1\r\nX: b"), Err(HttpError::InvalidPath)));
    let smuggled = RequestOptions::new().header("X", "a\r\nY: b");
    assert!(matches!(worker.get("echo", &smuggled), Err(HttpError::Header(_))));
    assert_eq!(worker.get_status().stats.requests_made, 0);
}

#[test]
fn a_transport_that_panics_is_an_error() {
    struct Bang;
    impl HttpTransport for Bang {
        type Error = std::fmt::Error;

        fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, std::fmt::Error> {
            assert_eq!(request.method, HttpMethod::Post, "bang");
            Err(std::fmt::Error)
        }
    }
    let mut worker = HttpWorker::start(HttpWorkerConfig::new("http://a").expect("valid"), Bang);
    assert!(matches!(worker.get_2("x"), Err(HttpError::Panicked { .. })));
    assert!(matches!(worker.post_3("x", ""), Err(HttpError::Transport(std::fmt::Error))));
    assert_eq!(worker.get_status().stats.errors, 2);
}

#[test]
fn workers_in_a_pool_behind_a_breaker_stop_calling_a_service_that_is_gone() {
    let server = Server::start();
    let foundation = Foundation::builder().clock(std::sync::Arc::new(ManualClock::new())).build().expect("in range");
    let config = HttpWorkerConfig::new(server.url()).expect("valid");
    let workers = from_fn(move || Ok::<_, HttpConfigError>(HttpWorker::start(config.clone(), Loopback)));
    let pool = PoolConfig::new(workers).size(2).max_overflow(0);
    ConnectionManager::from(&foundation).start_pool("reviews", &pool).expect("starts");
    let breakers = CircuitBreakers::from(&foundation);
    breakers.start_fuse_instance("reviews", FuseOptions { tolerance: 1, ..FuseOptions::default() }).expect("in range");
    let options = ProtectedOptions::new().circuit_breaker("reviews").connection_pool("reviews");
    let infrastructure = Infrastructure::from(&foundation);
    let ask = || {
        infrastructure.execute_protected_with_connection("reviews", &options, |worker: &mut HttpWorker<Loopback>| {
            worker.get_2("echo").map(|answer| answer.status)
        })
    };
    assert_eq!(ask().expect("it answers"), 200);
    drop(server);
    for _ in 0..2 {
        ask().expect_err("gone");
    }
    assert_eq!(breakers.get_status("reviews"), Ok(FuseStatus::Blown));
    let made = foundation.breakers().get("reviews").expect("installed").snapshot().totals.admitted;
    ask().expect_err("refused");
    assert_eq!(foundation.breakers().get("reviews").expect("installed").snapshot().totals.admitted, made);
}
