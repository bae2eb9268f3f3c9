//! What pools show to dashboards.

use foundation_types::inspect::{Gauge, Inspect, Section, Table};
use foundation_types::{Clock, Health, Ratio, Text};

use super::{AsyncFactory, Pool, PoolSet, PoolState, PoolStatus};

impl PoolStatus {
    /// How well a pool serves: degraded while callers have to wait, unknown when it is closed.
    fn health(&self) -> Health {
        match self.state {
            PoolState::Closed => Health::Unknown,
            _ if self.waiting > 0 => Health::Degraded,
            _ => Health::Healthy,
        }
    }

    /// The share of the workers it may have that are not to be had. A pool that may have none is used up.
    fn utilisation(&self) -> Ratio {
        match self.size + self.max_overflow {
            0 => Ratio::ONE,
            capacity => Ratio::saturating((self.checked_out + self.in_transition) as f64 / capacity as f64),
        }
    }
}

impl<F: AsyncFactory, C: Clock> Inspect for Pool<F, C> {
    /// Its figures. O(1); shows nothing of the workers.
    fn inspect(&self) -> Section {
        let status = self.status();
        let title = self.name().map_or(Text::from_static("pool"), |name| Text::from(format!("pool {name}")));
        Section::new(title, status.health())
            .gauge(Gauge::new("state", status.state.as_str()))
            .gauge(Gauge::new("utilisation", status.utilisation()))
            .gauge(Gauge::new("checked out", status.checked_out))
            .gauge(Gauge::new("idle", status.idle))
            .gauge(Gauge::new("waiting", status.waiting))
            .gauge(Gauge::new("overflow", status.overflow))
            .gauge(Gauge::new("size", status.size))
            .gauge(Gauge::new("max overflow", status.max_overflow))
    }
}

impl Inspect for PoolSet {
    /// The figures of each pool, those in which most callers wait first. O(pools).
    fn inspect(&self) -> Section {
        let mut pools = self.statuses();
        pools.sort_by_key(|(_, status)| std::cmp::Reverse((status.waiting, status.checked_out)));
        let waiting: usize = pools.iter().map(|(_, status)| status.waiting).sum();
        let checked_out: usize = pools.iter().map(|(_, status)| status.checked_out).sum();
        let health = if waiting > 0 { Health::Degraded } else { Health::Healthy };
        Section::new("pools", health)
            .gauge(Gauge::new("pools", pools.len()))
            .gauge(Gauge::new("checked out", checked_out))
            .gauge(Gauge::new("waiting", waiting))
            .table(Table::new(
                "pools",
                ["pool", "state", "utilisation", "checked out", "idle", "waiting", "overflow", "size", "max overflow"],
                pools.into_iter().map(|(name, status)| {
                    (
                        name,
                        status.state.as_str(),
                        status.utilisation(),
                        status.checked_out,
                        status.idle,
                        status.waiting,
                        status.overflow,
                        status.size,
                        status.max_overflow,
                    )
                }),
            ))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::convert::Infallible;

    use foundation_types::Name;
    use foundation_types::inspect::Cell;

    use super::*;
    use crate::pool::from_fn;

    #[test]
    fn a_pool_and_a_set_show_figures_and_are_degraded_while_somebody_waits() {
        let set = PoolSet::new();
        let create = || Ok::<_, Infallible>(());
        let name = Name::from_static("db");
        let pool = set.start(name, Pool::builder(from_fn(create)).size(1).max_overflow(0)).expect("starts");
        set.start(Name::from_static("idle"), Pool::builder(from_fn(create)).size(2)).expect("starts");
        assert_eq!((pool.inspect().title(), pool.inspect().status()), ("pool db", Health::Healthy));

        let _worker = pool.try_checkout().expect("idle");
        let mut waiting = Box::pin(pool.checkout());
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        assert!(waiting.as_mut().poll(&mut context).is_pending());
        let section = pool.inspect();
        assert_eq!(section.status(), Health::Degraded);
        let gauge = |title: &str| section.gauges().iter().find(|gauge| gauge.name() == title).expect("there").value();
        assert_eq!((gauge("waiting"), gauge("utilisation")), (&Cell::Count(1), &Cell::Ratio(Ratio::ONE)));

        let section = set.inspect();
        let first: Vec<_> = section.tables()[0].rows().iter().map(|row| row[0].clone()).collect();
        assert_eq!(first, [Cell::Text("db".into()), Cell::Text("idle".into())]);
        pool.close();
        assert_eq!(pool.inspect().status(), Health::Unknown);
    }
}
