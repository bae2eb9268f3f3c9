//! Pools by name.

mod support;

use std::panic::{AssertUnwindSafe, catch_unwind};

use foundation_resources::pool::{
    AddError, AsyncFactory, CheckoutError, FindError, Pool, PoolSet, StartError, StartInError,
};
use foundation_types::{Name, SystemClock};
use support::{Refused, Worker, Workers, now, poll};

const DB: Name = Name::from_static("db");

#[test]
fn a_name_has_one_pool_and_a_duplicate_makes_no_worker() {
    let (set, workers) = (PoolSet::new(), Workers::new());
    set.start(DB, Pool::builder(workers.clone()).size(2)).expect("free");
    let again = set.start(DB, Pool::builder(workers.clone()).size(2)).map(drop);
    assert_eq!(again, Err(StartInError::Add(AddError::AlreadyExists { name: DB })));
    assert_eq!(workers.made(), 2);
    let running = Pool::builder(workers.clone()).size(0).build().expect("starts");
    assert_eq!(set.add(DB, running.clone()), Err(AddError::AlreadyExists { name: DB }));
    assert_eq!(set.add(Name::from_static("more"), running), Ok(()));
    assert_eq!(set.names(), [DB, Name::from_static("more")]);
    assert!(PoolSet::new().names().is_empty(), "names are the set's own");
}

#[test]
fn a_failed_start_leaves_the_name_free_and_other_pools_alone() {
    let (set, workers) = (PoolSet::new(), Workers::new());
    let other = set.start(Name::from_static("other"), Pool::builder(Workers::new()).size(1)).expect("free");
    workers.refuse(true);
    let failed = set.start(DB, Pool::builder(workers.clone()).size(1)).map(drop);
    assert_eq!(failed, Err(StartInError::Start(StartError::Create(Refused))));
    workers.refuse(false);
    workers.panic_on_create(true);
    let start = AssertUnwindSafe(|| set.start(DB, Pool::builder(workers.clone()).size(1)).map(drop));
    assert!(catch_unwind(start).is_err());
    workers.panic_on_create(false);
    assert!(now(set.start_async(DB, Pool::builder(workers.clone()).size(1))).is_ok());
    assert!(other.try_checkout().is_ok());
}

#[test]
fn a_name_is_taken_while_its_pool_starts_and_free_when_the_start_is_dropped() {
    struct NeverConnects;
    impl AsyncFactory for NeverConnects {
        type Item = Worker;
        type Error = Refused;

        async fn create(&self) -> Result<Worker, Refused> {
            std::future::pending().await
        }
    }
    let set = PoolSet::new();
    let mut starting = Box::pin(set.start_async(DB, Pool::builder(NeverConnects).size(1)));
    assert!(poll(&mut starting).is_pending());
    let taken = set.start(DB, Pool::builder(Workers::new()).size(0)).map(drop);
    assert_eq!(taken, Err(StartInError::Add(AddError::AlreadyExists { name: DB })));
    let not_there = Err(FindError::NotFound { name: DB });
    assert_eq!((set.remove(&DB), set.names()), (not_there, vec![]));
    assert_eq!(set.remove_all(), 0);
    drop(starting);
    assert!(set.start(DB, Pool::builder(Workers::new()).size(0)).is_ok());
}

#[test]
fn a_pool_is_found_by_its_type_alone() {
    let set = PoolSet::new();
    set.start(DB, Pool::builder(Workers::new()).size(1)).expect("free");
    let found = set.get::<Workers, SystemClock>(&DB).expect("there");
    let worker = found.try_checkout().expect("idle");
    assert_eq!(set.status(&DB).expect("there").checked_out, 1, "the same pool");
    drop(worker);
    let wrong = set.get::<std::sync::Arc<Workers>, SystemClock>(&DB).map(drop);
    assert!(matches!(wrong, Err(FindError::WrongType { .. })), "{wrong:?}");
    let nobody = Name::from_static("nobody");
    assert_eq!(set.status(&nobody), Err(FindError::NotFound { name: nobody }));
}

#[test]
fn a_removed_pool_is_closed_and_its_name_free_at_once() {
    let (set, workers) = (PoolSet::new(), Workers::new());
    let pool = set.start(DB, Pool::builder(workers.clone()).size(2)).expect("free");
    let worker = pool.try_checkout().expect("idle");
    set.remove(&DB).expect("there");
    assert_eq!(set.remove(&DB), Err(FindError::NotFound { name: DB }));
    assert_eq!(pool.try_checkout().map(drop), Err(CheckoutError::Closed));
    let successor = set.start(DB, Pool::builder(Workers::new()).size(1)).expect("free at once");
    drop(worker);
    assert_eq!((workers.retired(), successor.status().idle), (2, 1));
    assert_eq!((set.remove_all(), set.statuses()), (1, vec![]));
    assert_eq!(successor.try_checkout().map(drop), Err(CheckoutError::Closed));
}
