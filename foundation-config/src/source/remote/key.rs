//! Paths as keys.

use std::str;

use foundation_types::engine::{Key, KeyError};

use crate::path::Path;

/// What separates the components of a path in a key.
const SEPARATOR: char = '/';

/// The key of the setting at `path` in a store with this prefix: the components separated by `/`, in which `%` and `/` stand
/// as `%25` and `%2F`.
///
/// # Errors
/// [`KeyError::TooLong`].
pub fn remote_key(prefix: &Key, path: &Path) -> Result<Key, KeyError> {
    let components: Vec<_> =
        path.components().map(|component| component.replace('%', "%25").replace(SEPARATOR, "%2F")).collect();
    prefix.join(components.join("/"))
}

/// The path that a key stands for, given what follows the prefix; otherwise what is wrong with it.
pub(super) fn path_of(suffix: &[u8]) -> Result<Path, String> {
    let suffix = str::from_utf8(suffix).map_err(|_| "expected UTF-8 after the prefix, found other bytes".to_owned())?;
    let components = suffix.split(SEPARATOR).map(unescape);
    let components: Option<Vec<_>> = components.collect();
    let components = components.ok_or("expected `%25` or `%2F` wherever there is a `%`, found another")?;
    Path::new(components).map_err(|error| error.to_string())
}

fn unescape(component: &str) -> Option<String> {
    let mut pieces = component.split('%');
    let mut plain = pieces.next()?.to_owned();
    for piece in pieces {
        let (escaped, rest) = if let Some(rest) = piece.strip_prefix("25") {
            ('%', rest)
        } else {
            (SEPARATOR, piece.strip_prefix("2F")?)
        };
        plain.push(escaped);
        plain.push_str(rest);
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn prefix() -> Key {
        Key::new("c/").expect("short")
    }

    fn paths() -> impl Strategy<Value = Path> {
        prop::collection::vec("[ab%/\u{e9}2F5]{0,4}", 1..4).prop_map(|path| Path::new(path).expect("short"))
    }

    #[test]
    fn a_key_that_stands_for_no_path_says_why() {
        let escape = "expected `%25` or `%2F` wherever there is a `%`, found another";
        for key in ["%", "a%2", "%2f", "%20", "a/%"] {
            assert_eq!(path_of(key.as_bytes()), Err(escape.to_owned()), "{key}");
        }
        assert_eq!(path_of(b"\xff"), Err("expected UTF-8 after the prefix, found other bytes".to_owned()));
        assert_eq!(path_of(&[b'/'; 50]), Err("path has more than 50 components".to_owned()));
        assert_eq!(path_of(&[b'a'; 256]), Err("component 0 of the path is 256 bytes, limit 255".to_owned()));
    }

    #[test]
    fn a_path_may_be_too_long_for_a_key() {
        let long = Path::new(vec!["a".repeat(255); 17]).expect("within the limits");
        assert_eq!(remote_key(&prefix(), &long), Err(KeyError::TooLong { len: 2 + 17 * 256 - 1 }));
    }

    proptest! {
        #[test]
        fn keys_lead_back_to_their_paths_and_no_two_paths_share_one(paths in prop::collection::vec(paths(), 1..6)) {
            let mut keys = BTreeMap::new();
            for path in paths {
                let key = remote_key(&prefix(), &path).expect("short");
                prop_assert_eq!(path_of(key.strip_prefix(&prefix()).expect("it is one")), Ok(path.clone()));
                let other = keys.insert(key, path.clone());
                prop_assert!(other.is_none_or(|other| other == path));
            }
        }

        #[test]
        fn any_bytes_are_a_path_with_that_key_or_refused(suffix in prop::collection::vec(prop::sample::select(&b"a%25F/\xc3\xa9"[..]), 0..10)) {
            if let Ok(path) = path_of(&suffix) {
                let key = remote_key(&prefix(), &path).expect("short");
                prop_assert_eq!(key.strip_prefix(&prefix()), Some(&suffix[..]));
            }
        }
    }
}
