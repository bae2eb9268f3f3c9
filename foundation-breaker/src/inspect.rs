//! What breakers show to dashboards.

use foundation_types::inspect::{Gauge, Inspect, Section, Table};
use foundation_types::{Clock, Health};

use crate::breaker::CircuitBreaker;
use crate::set::BreakerSet;
use crate::snapshot::{Snapshot, State};

const COLUMNS: [&str; 11] = [
    "name",
    "state",
    "retry after",
    "failures in window",
    "admitted",
    "rejected",
    "succeeded",
    "failed",
    "ignored",
    "slow",
    "opened",
];

fn table(snapshots: impl IntoIterator<Item = Snapshot>) -> Table {
    let rows = snapshots.into_iter().map(|Snapshot { name, state, retry_after, window, totals, .. }| {
        (
            name,
            state.as_str(),
            retry_after,
            window.failures,
            totals.admitted,
            totals.rejected,
            totals.succeeded,
            totals.failed,
            totals.ignored,
            totals.slow,
            totals.opened,
        )
    });
    Table::new("breakers", COLUMNS, rows)
}

const fn health(state: State) -> Health {
    match state {
        State::Closed => Health::Healthy,
        State::HalfOpen => Health::Degraded,
        State::Open | State::ForcedOpen => Health::Unhealthy,
    }
}

impl<C: Clock> Inspect for CircuitBreaker<C> {
    /// One row: state, window and totals. Healthy while it is closed.
    fn inspect(&self) -> Section {
        let snapshot = self.snapshot();
        Section::new("circuit breaker", health(snapshot.state)).table(table([snapshot]))
    }
}

impl<C: Clock> Inspect for BreakerSet<C> {
    /// A row for each breaker: those that are not closed first, then those that refused most. Degraded while any is not
    /// closed. O(breakers × log breakers).
    fn inspect(&self) -> Section {
        let mut snapshots: Vec<_> = self.all().iter().map(CircuitBreaker::snapshot).collect();
        snapshots.sort_by(|one, two| {
            let rank = |snapshot: &Snapshot| (snapshot.state == State::Closed, u64::MAX - snapshot.totals.rejected);
            rank(one).cmp(&rank(two)).then_with(|| one.name.cmp(&two.name))
        });
        let not_closed = snapshots.iter().filter(|snapshot| snapshot.state != State::Closed).count();
        let status = if not_closed == 0 { Health::Healthy } else { Health::Degraded };
        Section::new("circuit breakers", status)
            .gauge(Gauge::new("breakers", snapshots.len()))
            .gauge(Gauge::new("not closed", not_closed))
            .table(table(snapshots))
    }
}

#[cfg(test)]
mod tests {
    use foundation_types::Name;
    use foundation_types::inspect::Cell;

    use super::*;
    use crate::options::Options;

    #[test]
    fn breakers_that_are_not_closed_come_first() {
        let set = BreakerSet::new();
        for name in ["a", "b", "c"] {
            let name = Name::new(name).expect("valid");
            set.install(&name, Options::default()).expect("room");
        }
        assert_eq!(set.inspect().status(), Health::Healthy);
        let breaker = set.get("b").expect("installed");
        breaker.force_open();
        assert_eq!(breaker.inspect().status(), Health::Unhealthy);
        let section = set.inspect();
        assert_eq!(section.status(), Health::Degraded);
        let names: Vec<_> = section.tables()[0].rows().iter().map(|row| row[0].clone()).collect();
        assert_eq!(names, ["b", "a", "c"].map(|name| Cell::Text(name.into())));
    }
}
