//! Models of the table under loom: every interleaving of a reader with writers, and of growth.

use std::sync::Arc;

use loom::thread;

use super::{Node, Table, pin};

#[repr(align(64))]
struct Cell {
    hash: u64,
    value: u64,
}

impl Node for Cell {
    fn hash(&self) -> u64 {
        self.hash
    }
}

fn put(table: &Table<Cell>, hash: u64, value: u64) {
    let node = Arc::new(Cell { hash, value });
    table.write(hash).put(node, |cell| cell.hash == hash);
}

fn get(table: &Table<Cell>, hash: u64) -> Option<u64> {
    table.get(&pin(), hash, |cell| cell.hash == hash).map(|cell| cell.value)
}

#[test]
fn loom_reader_sees_old_or_new_while_a_node_is_replaced() {
    loom::model(|| {
        let table = Arc::new(Table::new(2, || ()));
        put(&table, 1, 10);
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || put(&table, 1, 11))
        };
        let seen = get(&table, 1);
        assert!(matches!(seen, Some(10 | 11)), "{seen:?}");
        writer.join().expect("no panic");
        assert_eq!(get(&table, 1), Some(11));
    });
}

#[test]
fn loom_reader_never_misses_a_key_while_the_array_grows() {
    loom::model(|| {
        let table = Arc::new(Table::new(2, || ()));
        // Six nodes fill an array of eight to its limit; the seventh makes it grow.
        for hash in 0..6 {
            put(&table, hash, hash);
        }
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || put(&table, 6, 6))
        };
        assert_eq!(get(&table, 3), Some(3));
        assert!(matches!(get(&table, 6), None | Some(6)));
        writer.join().expect("no panic");
        assert_eq!(get(&table, 6), Some(6));
    });
}

#[test]
fn loom_removal_and_insertion_behind_it_do_not_hide_a_third_key() {
    loom::model(|| {
        let table = Arc::new(Table::new(2, || ()));
        // All three probe from slot 1.
        for (hash, value) in [(1, 1), (9, 9), (17, 17)] {
            put(&table, hash, value);
        }
        let writer = {
            let table = Arc::clone(&table);
            thread::spawn(move || {
                let removed = table.write(1).remove(1, |cell| cell.hash == 1);
                assert!(removed.is_some_and(|cell| cell.value == 1));
                put(&table, 25, 25);
            })
        };
        assert_eq!(get(&table, 17), Some(17));
        assert!(matches!(get(&table, 1), None | Some(1)));
        writer.join().expect("no panic");
        assert_eq!((get(&table, 1), get(&table, 25), get(&table, 17)), (None, Some(25), Some(17)));
    });
}

#[test]
fn loom_two_writers_of_one_shard_both_take_effect() {
    loom::model(|| {
        let table = Arc::new(Table::new(2, || ()));
        let writers: Vec<_> = (0..2)
            .map(|hash| {
                let table = Arc::clone(&table);
                thread::spawn(move || put(&table, hash, hash))
            })
            .collect();
        for writer in writers {
            writer.join().expect("no panic");
        }
        assert_eq!((get(&table, 0), get(&table, 1)), (Some(0), Some(1)));
    });
}
