//! The tour of the registry prints what it should, every time.

#![cfg(feature = "agent")]

#[path = "../examples/legacy_registry.rs"]
mod legacy_registry;

#[test]
fn the_tour_prints_what_the_original_prints() {
    let mut printed = Vec::new();
    legacy_registry::tour(&mut printed).expect("memory takes all that is written");
    let printed = String::from_utf8(printed).expect("the tour prints text");
    let expected = include_str!("snapshots/legacy_registry.txt");
    for (number, (printed, expected)) in printed.lines().zip(expected.lines()).enumerate() {
        assert_eq!(printed, expected, "line {}", number + 1);
    }
    assert_eq!(printed.lines().count(), expected.lines().count());
    assert!(expected.lines().count() > 200, "the whole tour is there");
}
