//! What an error stems from.

use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::iter;
use std::sync::Arc;

use super::record::Error;
use crate::{Text, Value};

/// The longest chain of causes, the outermost error included.
pub const MAX_CHAIN: usize = 64;
/// How far a foreign chain is followed to find its root.
const MAX_WALK: usize = 4096;

/// What an error stems from: another error record, or anything else that failed.
///
/// Made from every `std` error (an [`Error`] is recognised and stays a record), and from a [`Value`] where a failure is
/// described by data. Cloning is O(1).
#[derive(Clone)]
pub struct Cause(pub(super) Repr);

#[derive(Clone)]
pub(super) enum Repr {
    Record(Arc<Error>),
    Foreign { error: Arc<dyn StdError + Send + Sync>, reason: Option<Value> },
}

impl Cause {
    /// The cause in a box.
    pub fn from_box(error: Box<dyn StdError + Send + Sync>) -> Self {
        match error.downcast::<Error>() {
            Ok(record) => Self::from(*record),
            Err(foreign) => Self(Repr::Foreign { error: foreign.into(), reason: None }),
        }
    }

    /// The cause as an error.
    pub fn as_error(&self) -> &(dyn StdError + 'static) {
        match &self.0 {
            Repr::Record(record) => &**record,
            Repr::Foreign { error, .. } => &**error,
        }
    }

    /// The error record, if the cause is one.
    pub fn as_record(&self) -> Option<&Error> {
        if let Repr::Record(record) = &self.0 { Some(record) } else { None }
    }

    /// The error record, or this cause back.
    pub(super) fn into_record(self) -> Result<Error, Self> {
        match self.0 {
            Repr::Record(record) => Ok(Arc::unwrap_or_clone(record)),
            foreign @ Repr::Foreign { .. } => Err(Self(foreign)),
        }
    }

    /// What is kept as `original_reason`: the value the cause was made from, or its text.
    pub(super) fn reason(&self) -> Value {
        match &self.0 {
            Repr::Foreign { reason: Some(reason), .. } => reason.clone(),
            _ => Value::Text(self.as_error().to_string().into()),
        }
    }

    /// A foreign cause of which only the text is left.
    pub(super) fn text(message: impl Into<Text>, source: Option<Self>) -> Self {
        Self(Repr::Foreign { error: Arc::new(TextError { message: message.into(), source }), reason: None })
    }
}

impl<E: StdError + Send + Sync + 'static> From<E> for Cause {
    fn from(error: E) -> Self {
        let mut slot = Some(error);
        if let Some(record) = (&mut slot as &mut dyn Any).downcast_mut::<Option<Error>>().and_then(Option::take) {
            return Self(Repr::Record(Arc::new(record)));
        }
        let foreign = slot.expect("the slot is emptied only if it holds a record");
        Self(Repr::Foreign { error: Arc::new(foreign), reason: None })
    }
}

impl From<Value> for Cause {
    /// A failure described by data: its text is the text inside, or compact JSON.
    fn from(reason: Value) -> Self {
        let message = match &reason {
            Value::Text(text) => text.clone(),
            other => other.to_string().into(),
        };
        Self(Repr::Foreign { error: Arc::new(TextError { message, source: None }), reason: Some(reason) })
    }
}

impl PartialEq for Cause {
    fn eq(&self, other: &Self) -> bool {
        says_the_same(self.as_error(), other.as_error())
    }
}

impl Eq for Cause {}

impl fmt::Debug for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Repr::Record(record) => fmt::Debug::fmt(record, f),
            // The `Debug` of a foreign error may print what its text leaves out on purpose.
            Repr::Foreign { error, .. } => f.debug_tuple("Foreign").field(&format_args!("{error}")).finish(),
        }
    }
}

/// Whether two errors are equal records, or foreign errors with equal texts along their chains.
fn says_the_same(one: &(dyn StdError + 'static), two: &(dyn StdError + 'static)) -> bool {
    let mut pairs = chain(one).map(Some).chain(iter::repeat(None)).zip(chain(two).map(Some).chain(iter::repeat(None)));
    loop {
        match pairs.next() {
            Some((None, None)) | None => return true,
            Some((Some(one), Some(two))) => match (one.downcast_ref::<Error>(), two.downcast_ref::<Error>()) {
                (Some(one), Some(two)) => return one == two,
                (None, None) if one.to_string() == two.to_string() => {}
                _ => return false,
            },
            Some(_) => return false,
        }
    }
}

fn chain<'e>(error: &'e (dyn StdError + 'static)) -> impl Iterator<Item = &'e (dyn StdError + 'static)> {
    iter::successors(Some(error), |&error| error.source()).take(MAX_WALK)
}

impl Error {
    /// Links this error to what it stems from, replacing an earlier link.
    ///
    /// If the chain then is longer than [`MAX_CHAIN`], its middle is dropped: the outermost and the innermost 32 stay,
    /// and [`Error::dropped_causes`] counts the rest. Foreign errors of so long a chain are kept as text.
    #[must_use]
    pub fn caused_by(mut self, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        // The nearest record knows what was dropped beneath it.
        let nearest = chain(cause.as_error()).find_map(|error| error.downcast_ref::<Self>());
        let dropped_before = nearest.map_or(0, Self::dropped_causes);
        let length = chain(cause.as_error()).count();
        let excess = length.saturating_sub(MAX_CHAIN - 1);
        self.0.cause = if excess == 0 { Some(cause) } else { without_middle(&cause, excess) };
        self.0.dropped_causes = dropped_before.saturating_add(u32::try_from(excess).unwrap_or(u32::MAX));
        self
    }

    /// The link to what this error stems from.
    pub fn cause(&self) -> Option<&Cause> {
        self.0.cause.as_ref()
    }

    /// How many errors were dropped from the chain beneath this one because it had grown too long.
    pub fn dropped_causes(&self) -> u32 {
        self.0.dropped_causes
    }

    /// This error and what it stems from, from outermost to root; at most [`MAX_CHAIN`].
    pub fn chain(&self) -> impl Iterator<Item = &(dyn StdError + 'static)> {
        chain(self).take(MAX_CHAIN)
    }

    pub(super) fn chain_exceeds_limit(&self) -> bool {
        chain(self).nth(MAX_CHAIN).is_some()
    }
}

/// Builds the chain of `cause` again without `excess` of its links.
fn without_middle(cause: &Cause, excess: usize) -> Option<Cause> {
    // The error that the chain is for is the first of the outer half.
    let first_dropped = MAX_CHAIN / 2 - 1;
    let links: Vec<_> = chain(cause.as_error()).collect();
    let kept = links
        .iter()
        .enumerate()
        .filter(|(index, _)| !(first_dropped..first_dropped + excess).contains(index))
        .map(|(_, link)| *link);
    kept.collect::<Vec<_>>().into_iter().rfold(None, |source, link| {
        Some(match link.downcast_ref::<Error>() {
            Some(record) => {
                let mut record = record.clone();
                record.0.cause = source;
                Cause(Repr::Record(Arc::new(record)))
            }
            None => Cause::text(link.to_string(), source),
        })
    })
}

/// An error of which only the text is left.
#[derive(Debug)]
struct TextError {
    message: Text,
    source: Option<Cause>,
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl StdError for TextError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_ref().map(Cause::as_error)
    }
}
