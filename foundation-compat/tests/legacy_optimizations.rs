//! The optimized functions of the original answer as the plain ones do.

use foundation_compat::process_registry::ProcessRegistry;
use foundation_compat::{Foundation, Metadata, Namespace, Owner, ServiceName, Value};
use proptest::prelude::*;

const NAMES: usize = 3;
const OWNERS: usize = 2;

#[derive(Clone, Debug)]
enum Op {
    Register { name: usize, owner: usize, indexed: bool, tier: i64 },
    Unregister { name: usize },
    Die { owner: usize },
    Cleanup,
    Initialize,
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => (0..NAMES, 0..OWNERS, any::<bool>(), 0..3_i64)
            .prop_map(|(name, owner, indexed, tier)| Op::Register { name, owner, indexed, tier }),
        2 => (0..NAMES).prop_map(|name| Op::Unregister { name }),
        1 => (0..OWNERS).prop_map(|owner| Op::Die { owner }),
        1 => Just(Op::Cleanup),
        1 => Just(Op::Initialize),
    ];
    prop::collection::vec(op, 1..40)
}

fn fresh() -> (ProcessRegistry, Namespace) {
    let foundation = Foundation::isolated();
    (ProcessRegistry::from(&foundation), foundation.namespace().clone())
}

fn name(number: usize) -> ServiceName {
    ServiceName::new(format!("service-{number}")).expect("a valid name")
}

proptest! {
    #[test]
    fn r13_a_cached_lookup_is_a_lookup_at_every_point_of_any_history(ops in ops()) {
        let (process, here) = fresh();
        let mut owners: Vec<_> = (0..OWNERS).map(|_| Owner::new()).collect();
        for op in ops {
            match op {
                Op::Register { name: number, owner, indexed, tier } => {
                    let (pid, metadata) = (owners[owner].pid(), Metadata::new().with("tier", tier));
                    let _ = if indexed {
                        process.register_with_indexing(&here, &name(number), &pid, metadata)
                    } else {
                        process.register(&here, &name(number), &pid, metadata)
                    };
                }
                Op::Unregister { name: number } => process.unregister(&here, &name(number)).expect("open"),
                Op::Die { owner } => owners[owner] = Owner::new(),
                Op::Cleanup => process.cleanup_optimizations().expect("open"),
                Op::Initialize => process.initialize_optimizations().expect("open"),
            }
            for number in 0..NAMES {
                let plain = process.lookup(&here, &name(number));
                prop_assert_eq!(process.cached_lookup(&here, &name(number)), plain);
            }
        }
    }

    #[test]
    fn r13_a_bulk_registration_is_the_fold_of_single_ones(
        items in prop::collection::vec((0..NAMES, 0..OWNERS, 0..3_i64), 0..12)
    ) {
        let owners: Vec<_> = (0..OWNERS).map(|_| Owner::new()).collect();
        let ((bulk, there), (single, here)) = (fresh(), fresh());
        let item = |namespace: &Namespace, &(number, owner, tier): &(usize, usize, i64)| {
            (namespace.clone(), name(number), owners[owner].pid(), Metadata::new().with("tier", tier))
        };
        let results = bulk.bulk_register(items.iter().map(|new| item(&there, new)));
        let one_by_one: Vec<_> = items
            .iter()
            .map(|new| {
                let (namespace, name, pid, metadata) = item(&here, new);
                (single.register_with_indexing(&namespace, &name, &pid, metadata), name)
            })
            .collect();
        prop_assert_eq!(results, one_by_one);
        for tier in 0..3 {
            let names = |process: &ProcessRegistry, namespace: &Namespace| {
                let found = process.find_by_indexed_metadata(namespace, "tier", &Value::Int(tier)).expect("open");
                let mut names: Vec<_> = found.into_iter().map(|(name, pid, _)| (name, pid)).collect();
                names.sort();
                names
            };
            prop_assert_eq!(names(&bulk, &there), names(&single, &here));
        }
    }
}
