//! Keys.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

/// The longest key, in bytes.
pub const MAX_KEY_LEN: usize = 4096;

/// A key: 1 to [`MAX_KEY_LEN`] bytes, ordered byte by byte. Cloning is O(1).
///
/// ```
/// use foundation_types::engine::Key;
///
/// let locks = Key::new("locks/")?;
/// let index = locks.join("index")?;
/// assert!(index.starts_with(&locks));
/// # Ok::<(), foundation_types::engine::KeyError>(())
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(Arc<[u8]>);

impl Key {
    /// Checks the length of `bytes` and makes them a key.
    ///
    /// # Errors
    /// [`KeyError::Empty`] or [`KeyError::TooLong`].
    pub fn new(bytes: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let bytes = bytes.as_ref();
        check(bytes.len())?;
        Ok(Self(bytes.into()))
    }

    /// This key with `suffix` after it.
    ///
    /// # Errors
    /// [`KeyError::TooLong`].
    pub fn join(&self, suffix: impl AsRef<[u8]>) -> Result<Self, KeyError> {
        let suffix = suffix.as_ref();
        check(self.0.len() + suffix.len())?;
        Ok(Self([&self.0, suffix].concat().into()))
    }

    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Whether this key begins with `prefix`.
    pub fn starts_with(&self, prefix: &Self) -> bool {
        self.0.starts_with(&prefix.0)
    }

    /// What follows `prefix`, if this key begins with it.
    pub fn strip_prefix(&self, prefix: &Self) -> Option<&[u8]> {
        self.0.strip_prefix(&*prefix.0)
    }

    /// The first key after all keys that begin with this one; `None` if there is no such key, as this one has only bytes
    /// `0xFF`.
    pub fn prefix_end(&self) -> Option<Self> {
        let last = self.0.iter().rposition(|&byte| byte < u8::MAX)?;
        let mut end = self.0[..=last].to_vec();
        end[last] += 1;
        Some(Self(end.into()))
    }
}

const fn check(len: usize) -> Result<(), KeyError> {
    match len {
        0 => Err(KeyError::Empty),
        len if len > MAX_KEY_LEN => Err(KeyError::TooLong { len }),
        _ => Ok(()),
    }
}

impl AsRef<[u8]> for Key {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Borrow<[u8]> for Key {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&str> for Key {
    type Error = KeyError;

    fn try_from(text: &str) -> Result<Self, KeyError> {
        Self::new(text)
    }
}

impl fmt::Display for Key {
    /// Printable ASCII as it is, other bytes escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0.escape_ascii(), f)
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

/// Why some bytes are not a [`Key`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// There are none.
    #[error("key is empty")]
    Empty,
    /// There are more than [`MAX_KEY_LEN`].
    #[error("key is {len} bytes, limit {MAX_KEY_LEN}")]
    TooLong {
        /// How many there are.
        len: usize,
    },
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn key(bytes: impl AsRef<[u8]>) -> Key {
        Key::new(bytes).expect("a valid length")
    }

    #[test]
    fn only_lengths_in_the_range_are_keys() {
        assert_eq!(Key::new(""), Err(KeyError::Empty));
        assert!(Key::new([0; MAX_KEY_LEN]).is_ok());
        assert_eq!(Key::new([0; MAX_KEY_LEN + 1]), Err(KeyError::TooLong { len: MAX_KEY_LEN + 1 }));
        assert_eq!(key([7; MAX_KEY_LEN]).join("x"), Err(KeyError::TooLong { len: MAX_KEY_LEN + 1 }));
    }

    #[test]
    fn the_end_of_a_prefix_without_a_successor_is_none() {
        assert_eq!(key([0xFF, 0xFF]).prefix_end(), None);
        assert_eq!(key([b'a', 0xFF]).prefix_end(), Some(key("b")));
    }

    proptest! {
        #[test]
        fn a_key_lies_between_a_prefix_and_its_end_iff_it_begins_with_it(
            prefix in vec(any::<u8>(), 1..4), other in vec(any::<u8>(), 1..6), glue in any::<bool>(),
        ) {
            let prefix = key(prefix);
            let other = if glue { prefix.join(other).expect("short") } else { key(other) };
            let inside = other >= prefix && prefix.prefix_end().is_none_or(|end| other < end);
            prop_assert_eq!(inside, other.starts_with(&prefix));
        }
    }
}
