//! Models of the claim-and-death protocol on the registry itself: every interleaving of its locks and of the owner's.
#![cfg(loom)]

use foundation_registry::{RegisterError, Registry};
use foundation_types::{Metadata, Namespace, Owner, ServiceName};
use loom::thread;

const NAME: ServiceName = ServiceName::from_static("x");

fn model(run: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    // Three switches away from a runnable thread find every known kind of race; without a bound the locks of one
    // registration alone give millions of schedules.
    model.preemption_bound = Some(3);
    model.max_branches = 10_000;
    model.check(run);
}

fn claim(registry: &Registry, owner: &Owner) -> Result<(), RegisterError> {
    registry.register(&Namespace::Production, &NAME, &owner.pid(), Metadata::new()).map(drop)
}

#[test]
fn loom_r06_a_claim_that_races_with_the_death_of_its_owner_leaves_nothing() {
    model(|| {
        let registry = Registry::new();
        let owner = Owner::new();
        let pid = owner.pid();
        let killer = {
            let pid = pid.clone();
            thread::spawn(move || pid.kill())
        };
        let claimed = claim(&registry, &owner);
        killer.join().expect("no panic");
        drop(owner);
        assert!(matches!(claimed, Ok(()) | Err(RegisterError::DeadProcess { .. })), "{claimed:?}");
        assert!(registry.lookup(&Namespace::Production, &NAME).is_err());
        assert_eq!(registry.count(&Namespace::Production), Ok(0));
        assert_eq!(pid.held().0, 0);
    });
}

#[test]
fn loom_r02_of_two_claims_of_one_name_one_wins_and_the_other_learns_who() {
    model(|| {
        let registry = Registry::new();
        let (first, second) = (Owner::new(), Owner::new());
        let (first_pid, second_pid) = (first.pid(), second.pid());
        let other = {
            let registry = registry.clone();
            thread::spawn(move || {
                let result = claim(&registry, &second);
                (result, second)
            })
        };
        let ours = claim(&registry, &first);
        let (theirs, _second) = other.join().expect("no panic");
        match (ours, theirs) {
            (Ok(()), Err(RegisterError::AlreadyRegistered { holder })) => assert_eq!(holder, first_pid),
            (Err(RegisterError::AlreadyRegistered { holder }), Ok(())) => assert_eq!(holder, second_pid),
            results => panic!("{results:?}"),
        }
    });
}

#[test]
fn loom_r05_the_death_of_a_former_holder_does_not_touch_its_successor() {
    model(|| {
        let registry = Registry::new();
        let (first, second) = (Owner::new(), Owner::new());
        claim(&registry, &first).expect("the name is free");
        let dying = thread::spawn(move || drop(first));
        let claimed = claim(&registry, &second);
        dying.join().expect("no panic");
        let holder = registry.lookup(&Namespace::Production, &NAME).ok();
        assert_eq!(holder, claimed.is_ok().then(|| second.pid()));
    });
}

#[test]
fn loom_r04_whoever_saw_the_owner_dead_does_not_find_its_name() {
    model(|| {
        let registry = Registry::new();
        let owner = Owner::new();
        let pid = owner.pid();
        claim(&registry, &owner).expect("the name is free");
        let dying = thread::spawn(move || drop(owner));
        if !pid.is_alive() {
            assert!(registry.lookup(&Namespace::Production, &NAME).is_err());
        }
        dying.join().expect("no panic");
    });
}
