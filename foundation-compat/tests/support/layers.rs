//! Traces of legacy calls to breakers, limits, pools and the facade.

use std::convert::Infallible;
use std::fmt::Debug;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use foundation_compat::foundation_resources::pool::{Order, from_fn};
use foundation_compat::foundation_resources::rate_limit::Quota;
use foundation_compat::foundation_types::ManualClock;
use foundation_compat::foundation_types::testing::{RecordedEvent, RecordingObserver};
use foundation_compat::infrastructure::circuit_breaker::{CircuitBreakers, FuseOptions, FuseRun};
use foundation_compat::infrastructure::connection_manager::{ConnectionManager, PoolConfig};
use foundation_compat::infrastructure::rate_limiter::RateLimiter;
use foundation_compat::infrastructure::{BreakerConfig, Infrastructure, ProtectedOptions};
use foundation_compat::{Error, Foundation, FoundationBuilder, Metadata};

use super::Code;

/// How many kinds of calls there are.
const CALLS: u32 = 26;

/// An instance whose calls a trace makes.
pub(crate) struct LayerSession {
    pub(crate) foundation: Foundation,
    observer: Arc<RecordingObserver>,
    clock: ManualClock,
    breakers: CircuitBreakers,
    limiter: RateLimiter,
    pools: ConnectionManager,
    infrastructure: Infrastructure,
}

impl LayerSession {
    pub(crate) fn new(options: impl FnOnce(FoundationBuilder) -> FoundationBuilder) -> Self {
        let observer = Arc::new(RecordingObserver::new());
        let clock = ManualClock::new();
        let builder = Foundation::builder().clock(Arc::new(clock.clone())).observer(observer.clone());
        let foundation = options(builder).build().expect("the options are in range");
        Self {
            breakers: CircuitBreakers::from(&foundation),
            limiter: RateLimiter::from(&foundation),
            pools: ConnectionManager::from(&foundation),
            infrastructure: Infrastructure::from(&foundation),
            foundation,
            observer,
            clock,
        }
    }

    /// Makes the calls and gives their answers.
    pub(crate) fn run(&self, codes: &[u32]) -> Vec<String> {
        codes.iter().map(|code| self.step(*code)).collect()
    }

    /// The events of the original's infrastructure so far, as text.
    pub(crate) fn events(&self) -> Vec<String> {
        let is_legacy = |event: &RecordedEvent| event.name.as_str().starts_with("foundation.foundation.");
        let text = |event: &RecordedEvent| format!("{} {:?} {:?}", event.name, event.measurements, event.metadata);
        self.observer.events().iter().filter(|event| is_legacy(event)).map(text).collect()
    }

    /// How many events there were.
    pub(crate) fn event_count(&self) -> usize {
        self.observer.events().len()
    }

    /// Makes one call and gives its answer.
    pub(crate) fn step(&self, code: u32) -> String {
        let mut code = Code(code);
        let call = code.take(CALLS);
        let name = ["db", "search", "nobody", ""][code.take(4) as usize];
        let key = ["a", "b"][code.take(2) as usize];
        let number = code.take(4);
        let metadata = Metadata::new().with("request", number);
        let answer = match call {
            0..7 => self.breaker_call(call, name, number, metadata),
            7..12 => self.rare_breaker_call(call, name, number),
            12..17 => self.limiter_call(call, key, number, metadata),
            17..21 => self.pool_call(call, name, number),
            _ => self.facade_call(call, name, key, number),
        };
        format!("{call} {name:?} {key} {number}: {answer}")
    }

    fn breaker_call(&self, call: u32, name: &str, number: u32, metadata: Metadata) -> String {
        let breakers = &self.breakers;
        match call {
            0 => {
                let options =
                    FuseOptions { tolerance: number, refresh: Duration::from_secs(10), ..FuseOptions::default() };
                plain(breakers.start_fuse_instance(name, options))
            }
            1 | 2 => plain(breakers.execute(name, || Ok::<_, Infallible>(number), metadata)),
            3..5 => plain(breakers.execute(name, || Err::<(), _>(std::fmt::Error), metadata)),
            5 => plain(breakers.get_status(name)),
            _ => plain(breakers.reset(name)),
        }
    }

    fn rare_breaker_call(&self, call: u32, name: &str, number: u32) -> String {
        let breakers = &self.breakers;
        match call {
            7 => {
                breakers.melt(name);
                String::new()
            }
            8 if number == 0 => plain(breakers.remove(name)),
            8 => plain(breakers.run(name, || FuseRun::Melt(number))),
            9 => plain(breakers.circuit_disable(name)),
            10 => plain(breakers.circuit_enable(name)),
            _ => {
                let config = BreakerConfig { failure_threshold: number, recovery_time: Duration::from_secs(5) };
                plain(self.infrastructure.initialize_circuit_breaker(name, config))
            }
        }
    }

    fn limiter_call(&self, call: u32, key: &str, number: u32, metadata: Metadata) -> String {
        let window = Duration::from_secs(u64::from(number) * 5);
        match call {
            12 => plain(self.limiter.check_rate(key, "op", number + 1, window, metadata)),
            13 => plain(self.limiter.get_status(key, "op")),
            14 => plain(self.limiter.reset(key, "op")),
            15 => {
                let run = || if number == 1 { Err(std::fmt::Error) } else { Ok(number) };
                plain(self.limiter.execute_with_limit(key, "op", 2, Duration::from_secs(30), run, metadata))
            }
            _ => {
                let increment = NonZeroU32::new(number + 1).expect("above zero");
                show(&self.limiter.backend_hit(key, Quota::per_minute(5), increment))
            }
        }
    }

    fn pool_call(&self, call: u32, name: &str, number: u32) -> String {
        match call {
            17 => {
                let size = number as usize;
                let strategy = if number.is_multiple_of(2) { Order::Lifo } else { Order::Fifo };
                let pool = PoolConfig::new(from_fn(|| Ok::<_, Infallible>(3_u32)));
                show(&self.pools.start_pool(name, &pool.size(size).max_overflow(1).strategy(strategy)).map(drop))
            }
            18 => show(&self.pools.stop_pool(name)),
            19 => {
                let run = |worker: &mut u32| {
                    *worker += number;
                    if number == 3 { Err("no") } else { Ok(*worker) }
                };
                show(&self.pools.with_connection(name, run, Duration::ZERO))
            }
            _ => show(&(self.pools.get_pool_status(name), self.pools.list_pools())),
        }
    }

    fn facade_call(&self, call: u32, name: &str, key: &str, number: u32) -> String {
        let infrastructure = &self.infrastructure;
        match call {
            21 | 22 => {
                let options = ProtectedOptions::new().timeout(Duration::ZERO);
                let options = if number > 0 { options.rate_limiter("rule", key) } else { options };
                let options = if number > 1 { options.circuit_breaker(name) } else { options };
                let options = if number > 2 { options.connection_pool(name) } else { options };
                let run = || if call == 21 { Ok(number) } else { Err("no") };
                show(&infrastructure.execute_protected(key, &options, run).map_err(|error| error.to_string()))
            }
            23 => {
                let config = Metadata::new()
                    .with("circuit_breaker", Metadata::new().with("failure_threshold", 1).with("recovery_time", 1))
                    .with("rate_limiter", Metadata::new().with("scale", 60_000).with("limit", number))
                    .with("connection_pool", Metadata::new().with("size", 1).with("max_overflow", 0));
                let configured = infrastructure.configure_protection(key, config);
                let keys = infrastructure.list_protection_keys();
                format!("{} {keys:?} {}", plain(configured), plain(infrastructure.get_protection_config(key)))
            }
            24 => {
                let status = infrastructure.get_protection_status(key);
                format!("{} {:?}", plain(status), infrastructure.get_infrastructure_status())
            }
            _ => {
                self.clock.advance(Duration::from_secs(u64::from(number) * 4));
                String::new()
            }
        }
    }
}

fn show(answer: &impl Debug) -> String {
    format!("{answer:?}")
}

/// A record in the parts that do not depend on how it came to be.
fn plain<T: Debug>(answer: Result<T, Error>) -> String {
    let parts = |error: Error| {
        let (code, severity, retry) = (error.code(), error.severity(), error.retry_delay(0));
        format!("{code} {} {severity} {retry:?} {:?}", error.kind(), error.context())
    };
    show(&answer.map_err(parts))
}
