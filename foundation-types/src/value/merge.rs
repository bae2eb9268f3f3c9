//! Laying trees of values over each other.

use super::{Metadata, Text, Value};

/// A map that is being merged, and where it goes when it is done.
struct Level {
    merged: Metadata,
    over: <Metadata as IntoIterator>::IntoIter,
    key_above: Text,
}

impl Value {
    /// This value with `over` laid over it: maps are merged key by key at every depth, and in every other case what lies
    /// above wins, also null, and whole lists.
    ///
    /// Merging is associative as long as no key has a map in one operand and something else in another. It takes one look-up
    /// for each key of `over`, and its stack does not grow with the depth.
    ///
    /// ```
    /// use foundation_types::{Metadata, Value};
    ///
    /// let base = Value::from(Metadata::new().with("log", Metadata::new().with("level", "info").with("color", true)));
    /// let over = Value::from(Metadata::new().with("log", Metadata::new().with("level", "debug")));
    /// assert_eq!(base.deep_merge(over).to_string(), r#"{"log":{"color":true,"level":"debug"}}"#);
    /// ```
    #[must_use]
    pub fn deep_merge(self, over: Self) -> Self {
        match (self, over) {
            (Self::Map(base), Self::Map(over)) => Self::Map(base.deep_merge(over)),
            (base, over) => {
                base.dismantle();
                over
            }
        }
    }
}

impl Metadata {
    /// This map with `over` laid over it, as [`Value::deep_merge`]. [`Metadata::overlay`] replaces nested maps instead.
    #[must_use]
    pub fn deep_merge(self, over: Self) -> Self {
        let mut above: Vec<Level> = Vec::new();
        // The key of the whole is never used.
        let mut level = Level { merged: self, over: over.into_iter(), key_above: Text::default() };
        loop {
            let Some((key, value)) = level.over.next() else {
                let Some(mut outer) = above.pop() else { return level.merged };
                outer.merged.insert(level.key_above, Value::Map(level.merged));
                level = outer;
                continue;
            };
            match (level.merged.get_mut(&key), value) {
                (Some(Value::Map(base)), Value::Map(over)) => {
                    // Emptied and left in place, so that its entry need not be made again.
                    let merged = std::mem::take(base);
                    above.push(level);
                    level = Level { merged, over: over.into_iter(), key_above: key };
                }
                (Some(replaced), value) => std::mem::replace(replaced, value).dismantle(),
                (None, value) => {
                    level.merged.insert(key, value);
                }
            }
        }
    }
}
