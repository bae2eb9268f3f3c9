//! What a write changes and what it leaves, and which layer shows.

use foundation_types::{Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;

use super::backend::Backend;
use super::command::{Base, Command, Did, Pair, bases, commands, nested, plain};
use super::schema::{Ruled, map};
use super::setup::Script;
use super::trees::{at, empty, hides, merge, path, paths, paths_around, take};
use super::{Factory, check};
use crate::layer::Layer;
use crate::path::Path;

/// P4: what was written is what is read, and no path changes that is neither above nor below the one that was written.
pub fn p04_locality<B: Backend>(make: Factory<'_, B>) {
    let inputs = (bases::<B::Schema>(), commands::<B::Schema>(), vec(B::Schema::writes(), 1..6));
    check(150, inputs, |(base, commands, writes)| {
        let mut pair = Pair::new(make, &base);
        pair.run_all(&commands);
        for (path, value) in writes {
            let before = pair.store.value(Path::ROOT).expect("there is a root");
            if pair.run(&Command::Update(path.clone(), value.clone())) == Did::Refuse {
                continue;
            }
            assert_eq!(pair.store.value(&path), Ok(value));
            let after = pair.store.value(Path::ROOT).expect("there is a root");
            for other in paths_around([&before, &after]).iter().filter(|other| !other.overlaps(&path)) {
                assert_eq!(pair.store.value(other).ok().as_ref(), at(&before, other), "at {other}");
            }
        }
    });
}

/// P8: a leaf comes from the highest layer that sets it, or that sets something else than a map above it; without that entry
/// the next shows; and the explanation lists those that set it.
pub fn p08_precedence<B: Backend>(make: Factory<'_, B>) {
    let layers = [Layer::File, Layer::Env, Layer::Remote, Layer::Namespace];
    let documents = vec(B::Schema::documents(), layers.len());
    check(150, (documents, vec(B::Schema::writes(), 0..4)), |(documents, writes)| {
        let sources = layers.into_iter().zip(documents).collect();
        let mut pair = Pair::new(make, &Base { sources, ..plain() });
        let mut above = Vec::new();
        for (path, value) in writes {
            if pair.run(&Command::Update(path.clone(), value)) != Did::Refuse {
                above.push(path);
            }
        }
        let mut trees = vec![(Layer::Defaults, B::Schema::given())];
        let held = pair.model.state.documents.iter().map(|held| held.clone().expect("loaded"));
        trees.extend(layers.into_iter().zip(held));
        let known = paths_around(trees.iter().map(|(_, tree)| tree));
        // Nothing of the layers below shows where something was written at run time.
        for place in known.into_iter().filter(|place| !above.iter().any(|above| above.overlaps(place))) {
            let deciding = trees.iter().rev().find(|(_, tree)| at(tree, &place).is_some() || hides(tree, &place));
            let shown = deciding.and_then(|(_, tree)| at(tree, &place));
            if shown.is_some_and(|shown| shown.as_map().is_some()) {
                continue;
            }
            assert_eq!(pair.store.value(&place).ok().as_ref(), shown, "at {place}");
            let explained = pair.store.explain(&place).expect("a path");
            let says: Vec<_> = explained.iter().map(|says| says.scope.clone()).collect();
            let sets = trees.iter().rev().filter(|(_, tree)| at(tree, &place).is_some());
            assert_eq!(says, sets.map(|(layer, _)| crate::Scope::Layer(*layer)).collect::<Vec<_>>());
            let decides: Vec<_> = explained.iter().map(|says| says.decides).collect();
            let is_first = |index| index == 0 && shown.is_some();
            assert_eq!(decides, (0..decides.len()).map(is_first).collect::<Vec<_>>(), "at {place}");
        }
        reveal(&mut pair, &trees, &above);
    });
}

/// Takes the deciding entry of a leaf out of its source, and looks for the next.
fn reveal<B: Backend>(pair: &mut Pair<B>, trees: &[(Layer, Value)], above: &[Path]) {
    for (index, (_, tree)) in trees.iter().enumerate().skip(1) {
        let is_leaf = |place: &Path| at(tree, place).is_some_and(|value| value.as_map().is_none());
        let is_free = |place: &Path| !above.iter().any(|above| above.overlaps(place));
        let Some(place) = paths(tree).into_iter().find(|place| is_leaf(place) && is_free(place)) else { continue };
        let mut without = tree.clone();
        take(&mut without, &place).expect("it is there");
        let Value::Map(document) = without.clone() else { unreachable!("documents are maps") };
        pair.run(&Command::Script(index - 1, Script::Holds(document)));
        if pair.run(&Command::Reload) == Did::Refuse {
            continue;
        }
        let others = trees.iter().enumerate().map(|(other, (_, tree))| if other == index { &without } else { tree });
        let shown = others.fold(empty(), |below, tree| merge(&below, tree));
        assert_eq!(pair.store.value(&place).ok().as_ref(), at(&shown, &place), "at {place}");
        let Value::Map(document) = tree.clone() else { unreachable!("documents are maps") };
        pair.run(&Command::Script(index - 1, Script::Holds(document)));
        pair.run(&Command::Reload);
    }
}

/// P9: the merge of layers has the empty map as neutral element, is idempotent, and is associative where no path is a map on
/// one side and something else on another.
pub fn p09_merge_laws<B: Backend>(make: Factory<'_, B>) {
    let shown = |layers: &[(Layer, &Metadata)]| {
        let labels = |tree: &Metadata| match nested(&path("labels"), tree.clone().into()) {
            Value::Map(map) => map,
            _ => unreachable!("nested in a map"),
        };
        let sources = layers.iter().map(|(layer, tree)| (*layer, labels(tree))).collect();
        Pair::new(make, &Base { sources, ..plain() }).store.value("labels").expect("a source sets it")
    };
    check(150, (map(), map(), map()), |(a, b, c)| {
        use Layer::{Env, File};
        let nothing = Metadata::new();
        assert_eq!(shown(&[(File, &a), (Env, &nothing)]), Value::from(a.clone()));
        assert_eq!(shown(&[(File, &nothing), (Env, &a)]), Value::from(a.clone()));
        assert_eq!(shown(&[(File, &a), (Env, &a)]), Value::from(a.clone()));
        let trees: [Value; 3] = [a.clone().into(), b.clone().into(), c.clone().into()];
        let are_alike = |place: &Path| {
            let kinds: Vec<_> = trees.iter().filter_map(|tree| Some(at(tree, place)?.as_map().is_some())).collect();
            kinds.windows(2).all(|pair| pair[0] == pair[1])
        };
        // Sources of one layer are merged before they lie over those below.
        let (left, right) = ([(File, &a), (File, &b), (Env, &c)], [(File, &a), (Env, &b), (Env, &c)]);
        if trees.iter().flat_map(paths).all(|place| are_alike(&place)) {
            assert_eq!(shown(&left), shown(&right));
        }
        assert_eq!(shown(&left), merge(&merge(&trees[0], &trees[1]), &trees[2]));
        assert_eq!(shown(&right), merge(&trees[0], &merge(&trees[1], &trees[2])));
    });
}

/// P10: a reset leaves what the layers below that of run time show, and without any the defaults of the schema.
pub fn p10_reset<B: Backend>(make: Factory<'_, B>) {
    check(150, (bases::<B::Schema>(), commands::<B::Schema>(), any::<bool>()), |(base, commands, is_alone)| {
        let base = if is_alone { plain() } else { base };
        let mut pair = Pair::new(make, &base);
        pair.run_all(&commands);
        let subscriptions = pair.store.subscriptions();
        if pair.run(&Command::Reset) == Did::Refuse {
            return;
        }
        let documents = pair.model.state.documents.clone();
        let mut below = B::Schema::given();
        for layer in [Layer::File, Layer::Env, Layer::Remote, Layer::Namespace] {
            let own = base.sources.iter().zip(&documents).filter(|((of, _), _)| *of == layer);
            let start = if layer == Layer::Namespace { pair.namespace.clone().into() } else { empty() };
            let content = own.filter_map(|(_, held)| held.as_ref()).fold(start, |below, held| merge(&below, held));
            below = merge(&below, &content);
        }
        let tree = pair.store.value(Path::ROOT);
        if is_alone {
            assert_eq!(tree.as_ref(), Ok(&B::Schema::given()));
        }
        assert_eq!(tree, Ok(below));
        assert_eq!(pair.store.subscriptions(), subscriptions);
    });
}
