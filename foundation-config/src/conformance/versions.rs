//! Going back to versions, and comparing them.

use std::collections::BTreeMap;

use foundation_types::Value;
use proptest::prelude::*;

use super::backend::{Backend, Snapshot};
use super::command::{Command, Did, Pair, bases, commands};
use super::trees::differences;
use super::{Factory, check};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::path::Path;

/// Runs the commands, and gives the tree of every version there was.
fn trees<B: Backend>(pair: &mut Pair<B>, commands: &[Command]) -> BTreeMap<Version, Value> {
    let mut trees = BTreeMap::new();
    let note = |pair: &Pair<B>, trees: &mut BTreeMap<_, _>| {
        let snapshot = pair.store.snapshot();
        trees.insert(snapshot.version(), snapshot.value(Path::ROOT).expect("there is a root"));
    };
    note(pair, &mut trees);
    for command in commands {
        pair.run(command);
        note(pair, &mut trees);
    }
    trees
}

/// P17: going back publishes a tree equal to the earlier one as a new version, whatever sources did since; what is no longer
/// kept is refused; and going forward again restores what was before.
pub fn p17_rollback<B: Backend>(make: Factory<'_, B>) {
    check(150, (bases::<B::Schema>(), commands::<B::Schema>(), 0..8_u64), |(base, commands, age)| {
        let mut pair = Pair::new(make, &base);
        let trees = trees(&mut pair, &commands);
        let (current, target) = (pair.older(0), pair.older(age));
        let did = pair.run(&Command::Rollback(age));
        let is_kept = target.get() > 0 && current.get() - target.get() < base.versions as u64;
        if !is_kept {
            assert_eq!(did, Did::Refuse);
            assert_eq!(pair.store.rollback_to(target), Err(ConfigError::VersionEvicted(target)));
            return;
        }
        assert_eq!(pair.store.snapshot().version(), current.next());
        assert_eq!(pair.store.value(Path::ROOT).as_ref(), Ok(&trees[&target]));
        // A source that says what it said does not undo it.
        let before = pair.model.state.documents.clone();
        pair.run(&Command::Reload);
        if pair.model.state.documents == before {
            assert_eq!(pair.store.value(Path::ROOT).as_ref(), Ok(&trees[&target]));
        }
        let gone = pair.store.snapshot().version().get() - current.get();
        if gone < base.versions as u64 {
            pair.store.rollback_to(current).expect("kept, and valid");
            assert_eq!(pair.store.value(Path::ROOT).as_ref(), Ok(&trees[&current]));
        }
    });
}

/// P18: the difference of two versions makes the newer tree of the older one, and is empty exactly if they are equal.
pub fn p18_diff<B: Backend>(make: Factory<'_, B>) {
    check(150, (bases::<B::Schema>(), commands::<B::Schema>(), any::<(u8, u8)>()), |(base, commands, picks)| {
        let mut pair = Pair::new(make, &base);
        let trees = trees(&mut pair, &commands);
        let pick = |pick: u8| *trees.keys().nth(usize::from(pick) % trees.len()).expect("less than there are");
        let (old, new) = (pick(picks.0), pick(picks.1));
        let oldest = old.min(new);
        if pair.older(0).get() - oldest.get() >= base.versions as u64 {
            let evicted =
                [old, new].into_iter().find(|version| pair.older(0).get() - version.get() >= base.versions as u64);
            let error = Err(ConfigError::VersionEvicted(evicted.expect("the oldest is")));
            assert_eq!(pair.store.diff(old, new), error);
            return;
        }
        let diff = pair.store.diff(old, new).expect("both are kept");
        assert_eq!(diff, differences(&trees[&old], &trees[&new]));
        assert_eq!(diff.is_empty(), trees[&old] == trees[&new]);
        assert_eq!(pair.store.patch(old, new, &trees[&old]).as_ref(), Ok(&trees[&new]));
    });
}
