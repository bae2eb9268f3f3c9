//! From what stands in a file to what it means: references and escapes.

use std::ffi::OsStr;

use foundation_types::{Metadata, Text, Timestamp, Value};

use super::builder::{self, Content, Entries, Spanned, invalid};
use super::position::Located;
use crate::path::Path;
use crate::source::{Document, Origin, SourceError, Variables, env, scalar};

/// The key of a reference to an environment variable.
const ENV: &str = "$env";
/// The key beside it of what holds if the variable is not set.
const DEFAULT: &str = "default";
/// The key of a time.
const TIME: &str = "$time";
/// The key of the files that a file includes.
const INCLUDE: &str = "include";

/// A file that another includes: its path as it stands there, and where.
pub(super) struct Include {
    pub(super) path: Text,
    pub(super) origin: Origin,
}

/// The includes of a file, and all else that it says.
pub(super) fn resolve(
    root: Spanned,
    located: &Located<'_>,
    variables: &Variables,
) -> Result<(Vec<Include>, Document), SourceError> {
    let Content::Map(mut entries) = root.content else {
        let found = kind_of(&root.content);
        let message = format!("expected a map at the top, found {found}").into();
        return Err(SourceError::Syntax { origin: located.origin(root.at), message });
    };
    let includes = entries.remove(INCLUDE).map_or_else(|| Ok(Vec::new()), |(_, list)| includes(list, located))?;
    let mut resolver = Resolver { located, variables, origins: Vec::new() };
    let tree = resolver.entries(entries, Some(&Path::ROOT))?;
    let mut document = Document::new(tree);
    document.set_origin(Path::ROOT, Origin::new(located.place().clone()));
    for (path, origin) in resolver.origins {
        document.set_origin(path, origin);
    }
    Ok((includes, document))
}

fn includes(list: Spanned, located: &Located<'_>) -> Result<Vec<Include>, SourceError> {
    let refused = |at: usize, found: &Content| {
        let message = format!("expected a list of paths, found {}", kind_of(found));
        invalid(located.origin(at), Path::from_checked([INCLUDE.into()]), message)
    };
    let Content::List(items) = list.content else { return Err(refused(list.at, &list.content)) };
    let items = items.into_iter().map(|item| match item.content {
        Content::Scalar(Value::Text(path)) => Ok(Include { path, origin: located.origin(item.at) }),
        other => Err(refused(item.at, &other)),
    });
    items.collect()
}

struct Resolver<'r, 't> {
    located: &'r Located<'t>,
    variables: &'r Variables,
    origins: Vec<(Path, Origin)>,
}

impl Resolver<'_, '_> {
    /// The value at `path`; `None` for what lies in a list, where no path leads.
    fn value(&mut self, spanned: Spanned, path: Option<&Path>) -> Result<Value, SourceError> {
        if let Some(path) = path {
            self.origins.push((path.clone(), self.located.origin(spanned.at)));
        }
        match spanned.content {
            Content::Scalar(value) => Ok(value),
            Content::List(items) => {
                items.into_iter().map(|item| self.value(item, None)).collect::<Result<_, _>>().map(Value::List)
            }
            Content::Map(mut entries) => match (entries.remove(ENV), entries.remove(TIME)) {
                (None, None) => self.entries(entries, path).map(Value::Map),
                (Some((_, name)), None) => self.reference(spanned.at, &name, entries, path),
                (None, Some((_, time))) => self.time(&time, &entries, path),
                (Some((at, _)), Some(_)) => {
                    Err(self.refused(at, path, "expected one of `$env` and `$time`, found both"))
                }
            },
        }
    }

    fn entries(&mut self, entries: Entries, path: Option<&Path>) -> Result<Metadata, SourceError> {
        let mut map = Metadata::new();
        for (key, (at, value)) in entries {
            let key = match key.strip_prefix('$') {
                None => key,
                Some(escaped) if escaped.starts_with('$') => escaped.into(),
                Some(_) => {
                    let message =
                        "expected `$env`, `$time` or a key that begins with `$$` for `$`, found another with `$`";
                    return Err(self.refused(at, path, message));
                }
            };
            let below = path.map(|path| path.join(key.clone())).transpose();
            let below = below.map_err(|error| {
                let message = error.to_string().into();
                SourceError::Syntax { origin: self.located.origin(at), message }
            })?;
            let value = self.value(value, below.as_ref())?;
            map.insert(key, value);
        }
        Ok(map)
    }

    /// `{"$env": "NAME"}` and `{"$env": "NAME", "default": value}`.
    fn reference(
        &mut self,
        at: usize,
        name: &Spanned,
        mut others: Entries,
        path: Option<&Path>,
    ) -> Result<Value, SourceError> {
        let Content::Scalar(Value::Text(variable)) = &name.content else {
            let message = format!("expected the name of a variable in `$env`, found {}", kind_of(&name.content));
            return Err(self.refused(name.at, path, message));
        };
        let default = others.remove(DEFAULT);
        if let Some((at, _)) = others.into_values().next() {
            return Err(self.refused(at, path, "expected nothing but `default` beside `$env`, found another key"));
        }
        if let Some(value) = self.variables.get(&**variable) {
            let Some(value) = value.to_str() else {
                return Err(SourceError::NotUtf8 { origin: env::origin(OsStr::new(&**variable)) });
            };
            return scalar::from_plain(value)
                .map_err(|message| self.refused(name.at, path, format!("environment variable {variable}: {message}")));
        }
        match default {
            Some((_, default)) => self.value(default, path),
            None => Err(SourceError::MissingVariable {
                origin: self.located.origin(at),
                path: path.cloned().unwrap_or_default(),
                variable: variable.clone(),
            }),
        }
    }

    /// `{"$time": "1970-01-01T00:00:00Z"}`.
    fn time(&self, time: &Spanned, others: &Entries, path: Option<&Path>) -> Result<Value, SourceError> {
        if let Some((at, _)) = others.values().next() {
            return Err(self.refused(*at, path, "expected nothing beside `$time`, found another key"));
        }
        match &time.content {
            Content::Scalar(Value::Time(time)) => Ok((*time).into()),
            Content::Scalar(Value::Text(text)) => text.parse::<Timestamp>().map(Value::Time).map_err(|error| {
                self.refused(
                    time.at,
                    path,
                    format!("expected an RFC 3339 time in `$time`, found another text: {error}"),
                )
            }),
            other => {
                let message = format!("expected an RFC 3339 time in `$time`, found {}", kind_of(other));
                Err(self.refused(time.at, path, message))
            }
        }
    }

    fn refused(&self, at: usize, path: Option<&Path>, message: impl Into<Text>) -> SourceError {
        invalid(self.located.origin(at), path.cloned().unwrap_or_default(), message)
    }
}

const fn kind_of(content: &Content) -> &'static str {
    match content {
        Content::Scalar(value) => builder::kind_of(value),
        Content::List(_) => "a list",
        Content::Map(_) => "a map",
    }
}
