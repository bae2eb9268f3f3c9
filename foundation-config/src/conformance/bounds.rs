//! What is refused before anybody looks at what it means, and in which order.

use std::num::NonZeroUsize;
use std::time::Duration;

use foundation_types::{ManualClock, Metadata, Value};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::backend::{Backend, Pending};
use super::schema::Ruled;
use super::setup::Setup;
use super::trees::{at, path};
use super::{Factory, check};
use crate::error::ConfigError;
use crate::layer::Version;
use crate::limits::{Limit, ValueFault};
use crate::path::{MAX_COMPONENT_LEN, MAX_PATH_COMPONENTS, Path, PathError};
use crate::schema::ViolationKind;

// What a store with the default limits takes at most.
const DEEPEST: usize = 20;
const LONGEST: usize = 1_000_000;
const MOST: usize = 100_000;

/// P6: no path and no value panics or hangs, and the limits decide to the byte what is accepted.
pub fn p06_totality<B: Backend>(make: Factory<'_, B>) {
    let component = prop_oneof![
        4 => any::<String>(),
        2 => Just("labels".to_owned()),
        1 => select(vec![0, 1, 254, 255, 256, 257, 1_000]).prop_map(|len| "k".repeat(len)),
        1 => select(vec![127, 128]).prop_map(|len| "é".repeat(len)),
    ];
    let components = prop_oneof![
        vec(component.clone(), 0..6),
        (vec(component, 0..3), select(vec![0_usize, 46, 47, 48, 49, 50, 51, 52, 198]))
            .prop_map(|(few, more)| few.into_iter().chain(std::iter::repeat_n("a".to_owned(), more)).collect()),
    ];
    check(150, (components, any::<String>(), 0..=40_usize, any::<u64>()), |(components, dotted, depth, shape)| {
        let store = make(Setup::new(&ManualClock::new()));
        paths(&store, &components, &dotted);
        let value = wrapped(depth, shape);
        let written = store.update("labels.deep", value.clone());
        let fault = ValueFault::TooDeep { max: DEEPEST };
        if depth > DEEPEST {
            assert_eq!(written, Err(ConfigError::InvalidValue { path: path("labels.deep"), fault }));
        } else {
            written.expect("not too deep");
            assert_eq!(store.value("labels.deep"), Ok(value));
        }
    });
    boundaries(&make(Setup::new(&ManualClock::new())));
}

/// Does everything with paths of these components and of this text, which are refused exactly if they are no paths.
fn paths<B: Backend>(store: &B, components: &[String], dotted: &str) {
    let long = components
        .iter()
        .enumerate()
        .find(|(index, component)| *index >= MAX_PATH_COMPONENTS || component.len() > MAX_COMPONENT_LEN);
    let error = long.map(|(index, component)| match index {
        MAX_PATH_COMPONENTS.. => PathError::TooManyComponents,
        _ => PathError::ComponentTooLong { index, len: component.len() },
    });
    let tree = store.value(Path::ROOT).expect("there is a root");
    let found = Path::new(components.iter().map(String::as_str)).ok().and_then(|path| at(&tree, &path).cloned());
    match &error {
        None => assert_eq!(store.value(components).ok(), found),
        Some(error) => {
            let error = ConfigError::InvalidPath(error.clone());
            assert_eq!(store.value(components).as_ref(), Err(&error));
            assert_eq!(store.get_as::<i64>(components).as_ref(), Err(&error));
            assert_eq!(store.update(components, 1.into()).as_ref(), Err(&error));
            assert_eq!(store.update_if(Version::FIRST, components, 1.into()).as_ref(), Err(&error));
            assert_eq!(store.unset(components).as_ref(), Err(&error));
            assert_eq!(store.explain(components).as_ref(), Err(&error));
            assert_eq!(Path::new(components.iter().map(String::as_str)).map_err(ConfigError::InvalidPath), Err(error));
        }
    }
    if error.is_none() {
        let is_bad_path = |result: Result<_, ConfigError>| matches!(result, Err(ConfigError::InvalidPath(_)));
        assert!(!is_bad_path(store.update(components, 1.into())) && !is_bad_path(store.unset(components)));
        let path = Path::new(components.iter().map(String::as_str)).expect("no error was found");
        assert_eq!(path.to_string().parse(), Ok(path));
    }
    let parsed = Path::parse_dotted(dotted);
    assert_eq!(matches!(store.value(dotted), Err(ConfigError::InvalidPath(_))), parsed.is_err());
    assert_eq!(matches!(store.unset(dotted), Err(ConfigError::InvalidPath(_))), parsed.is_err());
    assert_eq!(matches!(store.update(dotted, 1.into()), Err(ConfigError::InvalidPath(_))), parsed.is_err());
}

/// A scalar in this many maps and lists, whose kinds the bits of `shape` say.
fn wrapped(depth: usize, shape: u64) -> Value {
    (0..depth).fold(Value::from(1), |value, level| {
        if shape >> (level % 64) & 1 == 0 { Value::List(vec![value]) } else { Metadata::new().with("k", value).into() }
    })
}

fn boundaries<B: Backend>(store: &B) {
    let long = |len| Value::from("x".repeat(len));
    let keyed = |len| Value::from(Metadata::new().with("k".repeat(len), 1));
    let listed = |nodes: usize| Value::List(vec![Value::Null; nodes - 1]);
    let mapped =
        |nodes: usize| Value::from((1..nodes).map(|index| (index.to_string(), Value::Null)).collect::<Metadata>());
    let fault = |fault| Err(ConfigError::InvalidValue { path: path("labels.v"), fault });
    let limit = Err(ConfigError::LimitExceeded { what: Limit::ValueNodes, max: MOST });
    let write = |value| store.update("labels.v", value).map(drop);
    assert_eq!(write(long(LONGEST)), Ok(()));
    assert_eq!(write(long(LONGEST + 1)), fault(ValueFault::TextTooLong { max: LONGEST }));
    let wide = "é".repeat(LONGEST / 2);
    assert_eq!(write(wide.as_str().into()), Ok(()));
    assert_eq!(write(format!("{wide}x").into()), fault(ValueFault::TextTooLong { max: LONGEST }));
    assert_eq!(write(long(2_000_000)), fault(ValueFault::TextTooLong { max: LONGEST }));
    assert_eq!(write(Value::List(vec![long(LONGEST + 1)])), fault(ValueFault::TextTooLong { max: LONGEST }));
    assert_eq!(write(keyed(LONGEST)), Ok(()));
    assert_eq!(write(keyed(LONGEST + 1)), fault(ValueFault::TextTooLong { max: LONGEST }));
    for shape in [0, u64::MAX, 0x5555_5555_5555_5555] {
        assert_eq!(write(wrapped(DEEPEST, shape)), Ok(()));
        assert_eq!(write(wrapped(DEEPEST + 1, shape)), fault(ValueFault::TooDeep { max: DEEPEST }));
    }
    for size in [listed, mapped] {
        assert_eq!(write(size(MOST)), Ok(()));
        assert_eq!(write(size(MOST + 1)), limit);
    }
    let below_labels =
        |len: usize| std::iter::once("labels").chain(std::iter::repeat_n("a", len - 1)).collect::<Vec<_>>();
    assert_eq!(store.update(&below_labels(MAX_PATH_COMPONENTS), 1.into()).map(drop), Ok(()));
    let refused = store.update(&below_labels(MAX_PATH_COMPONENTS + 1), 1.into());
    assert_eq!(refused, Err(ConfigError::InvalidPath(PathError::TooManyComponents)));
    let widest = "w".repeat(MAX_COMPONENT_LEN);
    assert_eq!(store.update(["labels", widest.as_str()], 1.into()).map(drop), Ok(()));
    assert_eq!(store.value(["labels", widest.as_str()]), Ok(1.into()));
    let wider = "w".repeat(MAX_COMPONENT_LEN + 1);
    let error = PathError::ComponentTooLong { index: 1, len: MAX_COMPONENT_LEN + 1 };
    assert_eq!(store.update(["labels", wider.as_str()], 1.into()), Err(ConfigError::InvalidPath(error)));
}

/// P7: of all that is wrong with a write, what is told first is the path, then the value, then that it may not be written,
/// then that another version is current, then that the configuration would not be valid, of which the order is its own.
pub fn p07_check_order<B: Backend>(make: Factory<'_, B>) {
    check(200, any::<[bool; 5]>(), |[bad_path, bad_value, is_forbidden, is_late, is_invalid]| {
        let store = make(Setup::new(&ManualClock::new()));
        store.update("labels.wall", 1.into()).expect("labels are free");
        let current = Version::FIRST.next();
        let forbidden = path("mode.x");
        let is_forbidden = is_forbidden && !B::Schema::may_write(&forbidden);
        let target = match (is_forbidden, is_invalid) {
            (true, _) => forbidden,
            (false, true) => path("labels.wall.x"),
            (false, false) => path("labels.x"),
        };
        let mut components: Vec<String> = target.components().map(ToOwned::to_owned).collect();
        if bad_path {
            components.push("k".repeat(MAX_COMPONENT_LEN + 1));
        }
        let value = if bad_value { wrapped(DEEPEST + 1, 7) } else { 1.into() };
        let is_first = |error: &ConfigError, may_be_late: bool| match error {
            _ if bad_path => matches!(error, ConfigError::InvalidPath(PathError::ComponentTooLong { .. })),
            ConfigError::InvalidValue { path, .. } if bad_value => *path == target,
            _ if bad_value => false,
            ConfigError::UpdateForbidden { path, allowed } if is_forbidden => *path == target && !allowed.is_empty(),
            _ if is_forbidden => false,
            ConfigError::VersionConflict { expected, actual } if is_late && may_be_late => {
                (*expected, *actual) == (Version::FIRST, current)
            }
            _ if is_late && may_be_late => false,
            ConfigError::Invalid(violations) if is_invalid => violations
                .first()
                .is_some_and(|first| (&first.path, first.kind) == (&path("labels.wall"), ViolationKind::Shape)),
            _ => false,
        };
        let judge = |result: Result<(), ConfigError>, may_be_late: bool| match result {
            Ok(()) => assert!(!(bad_path || bad_value || is_forbidden || is_invalid || is_late && may_be_late)),
            Err(error) => assert!(is_first(&error, may_be_late), "{error:?}"),
        };
        let expected = if is_late { Version::FIRST } else { current };
        judge(store.update_if(expected, &components, value.clone()).map(drop), true);
        judge(store.update(&components, value.clone()).map(drop), false);
        if let Ok(path) = Path::new(components.iter().map(String::as_str)) {
            judge(store.transaction(&mut |draft| draft.set(&path, value.clone())).map(drop), false);
            let queue = store.pending(Duration::from_secs(1), NonZeroUsize::MIN);
            judge(queue.enqueue(&path, value), false);
        }
    });
}
