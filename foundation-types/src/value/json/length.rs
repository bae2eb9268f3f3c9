//! How long the JSON form is, without writing it.

use std::collections::btree_map;
use std::io;
use std::slice;

use serde::Serialize;

use super::TIME_KEY;
use crate::value::{Metadata, Text, Value};

/// What is left to be counted of a list or map.
enum Rest<'v> {
    Items(slice::Iter<'v, Value>),
    Entries(btree_map::Iter<'v, Text, Value>),
}

impl<'v> Rest<'v> {
    /// The next value, if any, with the length of the key before it.
    fn next(&mut self) -> Option<(usize, &'v Value)> {
        match self {
            Self::Items(items) => Some((0, items.next()?)),
            Self::Entries(entries) => {
                let (key, value) = entries.next()?;
                // The dollar that escapes a key, and the colon.
                Some((usize::from(key.starts_with('$')) + written(key) + 1, value))
            }
        }
    }
}

impl Value {
    /// The length in bytes of what [`to_json_string`](Self::to_json_string) would give, without building it.
    ///
    /// O(size of the value); the stack does not grow with the depth.
    ///
    /// ```
    /// use foundation_types::{Metadata, Value};
    ///
    /// let value = Value::from(Metadata::new().with("name", "x").with("sizes", vec![1, 20]));
    /// assert_eq!(value.json_len(), value.to_json_string().len());
    /// ```
    pub fn json_len(&self) -> usize {
        let mut length = 0;
        let mut open = Vec::new();
        let mut next = Some((0, self));
        loop {
            if let Some((key, value)) = next {
                length += key;
                match value {
                    Self::List(items) => open.push(begin(&mut length, items.len(), Rest::Items(items.iter()))),
                    Self::Map(map) => open.push(begin(&mut length, map.len(), Rest::Entries(map.iter()))),
                    // Braces, quotes and colon around the time.
                    Self::Time(time) => length += 2 + TIME_KEY.len() + 3 + written(time),
                    scalar => length += written(scalar),
                }
            } else {
                open.pop();
            }
            let Some(innermost) = open.last_mut() else { return length };
            next = innermost.next();
        }
    }
}

impl Metadata {
    /// The length in bytes of what [`to_json_string`](Self::to_json_string) would give, as [`Value::json_len`].
    pub fn json_len(&self) -> usize {
        let mut length = 0;
        let mut entries = begin(&mut length, self.len(), Rest::Entries(self.iter()));
        while let Some((key, value)) = entries.next() {
            length += key + value.json_len();
        }
        length
    }
}

/// Counts what a list or map of so many has beside them: brackets, and commas between.
fn begin<'v>(length: &mut usize, count: usize, rest: Rest<'v>) -> Rest<'v> {
    *length += 2 + count.saturating_sub(1);
    rest
}

/// The length of the JSON form of something that holds nothing else.
fn written(scalar: &impl Serialize) -> usize {
    let mut count = Count(0);
    serde_json::to_writer(&mut count, scalar).expect("counting does not fail, and scalars have a JSON form");
    count.0
}

/// Counts what is written to it.
struct Count(usize);

impl io::Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
