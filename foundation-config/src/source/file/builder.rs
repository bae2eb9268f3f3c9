//! Trees of values that know where they stand, built within limits.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use foundation_types::{Text, Value};

use super::position::Located;
use super::{MAX_FILE_DEPTH, MAX_FILE_VALUES};
use crate::path::{MAX_COMPONENT_LEN, Path};
use crate::source::{Origin, SourceError};

/// A value, and the byte at which it stands.
pub(super) struct Spanned {
    pub(super) at: usize,
    pub(super) content: Content,
}

pub(super) enum Content {
    Scalar(Value),
    List(Vec<Spanned>),
    Map(Entries),
}

/// The entries of a map; beside each value, the byte at which its key stands.
pub(super) type Entries = BTreeMap<Text, (usize, Spanned)>;

/// How many values may still be read.
pub(super) struct Budget(usize);

impl Budget {
    pub(super) const fn new() -> Self {
        Self(MAX_FILE_VALUES)
    }
}

/// Puts together what a parser finds, in the order of the text, and refuses what is too deep, too much or there twice.
/// A parser calls [`key`](Self::key) before each value in a map, and [`end`](Self::end) once for each list and map.
pub(super) struct Builder<'p, 't> {
    located: &'p Located<'t>,
    budget: &'p mut Budget,
    /// The lists and maps that have not ended, the outermost first.
    open: Vec<Open>,
    root: Option<Spanned>,
}

struct Open {
    at: usize,
    content: Content,
    /// In a map, the key whose value comes next.
    key: Option<(Text, usize)>,
}

impl<'p, 't> Builder<'p, 't> {
    pub(super) const fn new(located: &'p Located<'t>, budget: &'p mut Budget) -> Self {
        Self { located, budget, open: Vec::new(), root: None }
    }

    pub(super) fn scalar(&mut self, at: usize, value: Value) -> Result<(), SourceError> {
        self.admit(at)?;
        self.put(Spanned { at, content: Content::Scalar(value) });
        Ok(())
    }

    /// A scalar, or what is wrong with it.
    pub(super) fn parsed(&mut self, at: usize, value: Result<Value, &'static str>) -> Result<(), SourceError> {
        match value {
            Ok(value) => self.scalar(at, value),
            Err(message) => Err(self.invalid(at, message)),
        }
    }

    pub(super) fn begin_list(&mut self, at: usize) -> Result<(), SourceError> {
        self.begin(at, Content::List(Vec::new()))
    }

    pub(super) fn begin_map(&mut self, at: usize) -> Result<(), SourceError> {
        self.begin(at, Content::Map(BTreeMap::new()))
    }

    fn begin(&mut self, at: usize, content: Content) -> Result<(), SourceError> {
        self.admit(at)?;
        self.open.push(Open { at, content, key: None });
        Ok(())
    }

    /// The key of the value that comes next.
    pub(super) fn key(&mut self, at: usize, key: impl Into<Text>) -> Result<(), SourceError> {
        let key = key.into();
        let Some(Open { content: Content::Map(entries), key: next, .. }) = self.open.last_mut() else { return Ok(()) };
        *next = Some((key.clone(), at));
        let Some((first, _)) = entries.get(&key) else { return Ok(()) };
        let (origin, other) = (self.located.origin(at), self.located.origin(*first));
        Err(SourceError::SetTwice { origin, path: self.path(), other })
    }

    /// Ends the innermost list or map.
    pub(super) fn end(&mut self) {
        if let Some(Open { at, content, .. }) = self.open.pop() {
            self.put(Spanned { at, content });
        }
    }

    /// Whether the next scalar is the key of a map.
    #[cfg(feature = "yaml")]
    pub(super) fn expects_key(&self) -> bool {
        matches!(self.open.last(), Some(Open { content: Content::Map(_), key: None, .. }))
    }

    /// Whether nothing has been found.
    #[cfg(feature = "yaml")]
    pub(super) const fn is_empty(&self) -> bool {
        self.root.is_none() && self.open.is_empty()
    }

    pub(super) fn finish(self) -> Option<Spanned> {
        self.root
    }

    pub(super) fn syntax(&self, at: usize, message: impl Into<Text>) -> SourceError {
        SourceError::Syntax { origin: self.located.origin(at), message: message.into() }
    }

    /// An error of the value that comes next.
    pub(super) fn invalid(&self, at: usize, message: impl Into<Text>) -> SourceError {
        invalid(self.located.origin(at), self.path(), message)
    }

    /// Refuses a value that is too deep, or one too many.
    fn admit(&mut self, at: usize) -> Result<(), SourceError> {
        if self.open.len() > MAX_FILE_DEPTH {
            return Err(SourceError::TooDeep { origin: self.located.origin(at), max: MAX_FILE_DEPTH });
        }
        self.budget.0 = self.budget.0.checked_sub(1).ok_or_else(|| SourceError::TooMany {
            origin: self.located.origin(at),
            what: "values",
            max: MAX_FILE_VALUES,
        })?;
        Ok(())
    }

    fn put(&mut self, value: Spanned) {
        match self.open.last_mut() {
            None => self.root = Some(value),
            Some(Open { content: Content::List(items), .. }) => items.push(value),
            Some(Open { content: Content::Map(entries), key, .. }) => {
                if let Some((key, at)) = key.take()
                    && let Entry::Vacant(entry) = entries.entry(key)
                {
                    entry.insert((at, value));
                }
            }
            Some(_) => {}
        }
    }

    /// The path to the value that comes next, up to the first list on the way.
    fn path(&self) -> Path {
        let maps = self.open.iter().map_while(|open| open.key.as_ref().map(|(key, _)| key));
        Path::from_checked(maps.take_while(|key| key.len() <= MAX_COMPONENT_LEN).cloned())
    }
}

/// The error of a value; of the tree as a whole there is no path to name.
pub(super) fn invalid(origin: Origin, path: Path, message: impl Into<Text>) -> SourceError {
    let message = message.into();
    if path.is_root() {
        return SourceError::Syntax { origin, message };
    }
    SourceError::Invalid { origin, path, message }
}

/// What a value is, for messages.
pub(super) const fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a truth value",
        Value::Int(_) => "an integer",
        Value::Float(_) => "a float",
        Value::Text(_) => "a text",
        Value::Time(_) => "a time",
        Value::List(_) => "a list",
        Value::Map(_) => "a map",
    }
}
