//! The formats that settings are written in.

use std::fmt;
use std::path::Path as FilePath;

use foundation_types::Text;

use super::MAX_FILE_BYTES;
use super::builder::{Budget, Builder, Content, Entries, Spanned};
use super::position::Located;
use super::resolve::{Include, resolve};
use crate::source::{Document, Origin, SourceError, Variables};

/// A format that settings are written in; each has a feature of its name.
///
/// All of them give the same trees, and what no setting can be is refused in all: keys that stand twice, integers beyond 64
/// bits, floats that are not finite. In each, a map with a key `$env` or `$time` means something else:
///
/// - `{"$env": "NAME"}` is the value of the environment variable `NAME`, read as [`EnvSource`](crate::EnvSource) reads it;
///   with `"default": value` beside it, that value if the variable is not set.
/// - `{"$time": "2026-01-31T12:00:00Z"}` is a time.
/// - A key that begins with `$` is written with one more `$`; other keys with `$` are refused.
///
/// So every map is written in JSON as [`Value::to_json_string`](foundation_types::Value::to_json_string) writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// TOML. A time with an offset is a time; one without, and a mere date or hour, are refused.
    #[cfg(feature = "toml")]
    Toml,
    /// YAML 1.2, one document, with the scalars of the core schema: `yes`, `no`, `on` and `off` are texts. Tags, anchors,
    /// aliases, merge keys and keys that are no texts are refused. A document of nothing is an empty map.
    #[cfg(feature = "yaml")]
    Yaml,
    /// JSON as in RFC 8259, without comments.
    #[cfg(feature = "json")]
    Json,
}

impl Format {
    /// All that are compiled in, with their extensions.
    const EXTENSIONS: &[(&'static str, Self)] = &[
        #[cfg(feature = "toml")]
        ("toml", Self::Toml),
        #[cfg(feature = "yaml")]
        ("yaml", Self::Yaml),
        #[cfg(feature = "yaml")]
        ("yml", Self::Yaml),
        #[cfg(feature = "json")]
        ("json", Self::Json),
    ];

    /// The format of files of this name: `.toml`, `.yaml`, `.yml`, `.json`, in any case; `None` if the extension is another or
    /// the feature of the format is off.
    pub fn of(path: impl AsRef<FilePath>) -> Option<Self> {
        let extension = path.as_ref().extension()?;
        let known = Self::EXTENSIONS.iter().find(|(known, _)| extension.eq_ignore_ascii_case(known));
        known.map(|(_, format)| *format)
    }

    /// Reads a text that is in no file. `place` is what errors and origins call it. Nothing can be included.
    ///
    /// ```
    /// # #[cfg(feature = "json")] {
    /// use foundation_config::source::{Format, Variables};
    ///
    /// let document = Format::Json.read("flags", br#"{"port": 8080}"#, &Variables::of_process())?;
    /// assert_eq!(document.to_value().to_string(), r#"{"port":8080}"#);
    /// # }
    /// # Ok::<(), foundation_config::SourceError>(())
    /// ```
    ///
    /// # Errors
    /// All [`SourceError`]s that [`FileSource`](super::FileSource) has, but those of files and includes.
    pub fn read(self, place: impl Into<Text>, text: &[u8], variables: &Variables) -> Result<Document, SourceError> {
        let (includes, document) = self.read_within(place.into(), text, variables, &mut Budget::new())?;
        match includes.into_iter().next() {
            None => Ok(document),
            Some(Include { origin, .. }) => {
                let message = "expected nothing to include, as this is no file, found a path".into();
                Err(SourceError::Syntax { origin, message })
            }
        }
    }

    /// Reads a text that has a part of the budget of several.
    pub(super) fn read_within(
        self,
        place: Text,
        text: &[u8],
        variables: &Variables,
        budget: &mut Budget,
    ) -> Result<(Vec<Include>, Document), SourceError> {
        if text.len() > MAX_FILE_BYTES {
            return Err(SourceError::TooLarge { origin: Origin::new(place), max: MAX_FILE_BYTES });
        }
        let text = match std::str::from_utf8(text) {
            Ok(text) => text,
            Err(error) => {
                let valid = str::from_utf8(&text[..error.valid_up_to()]).unwrap_or_default();
                return Err(SourceError::NotUtf8 { origin: Located::new(place, valid).origin(valid.len()) });
            }
        };
        let located = Located::new(place, text.strip_prefix('\u{feff}').unwrap_or(text));
        let mut builder = Builder::new(&located, budget);
        match self {
            #[cfg(feature = "toml")]
            Self::Toml => super::toml::read(&located, &mut builder)?,
            #[cfg(feature = "yaml")]
            Self::Yaml => super::yaml::read(&located, &mut builder)?,
            #[cfg(feature = "json")]
            Self::Json => super::json::read(&located, &mut builder)?,
        }
        let root = builder.finish().unwrap_or(Spanned { at: 0, content: Content::Map(Entries::new()) });
        resolve(root, &located, variables)
    }

    /// The extensions that are known, for messages.
    pub(super) fn known() -> Text {
        let known: Vec<_> = Self::EXTENSIONS.iter().map(|(extension, _)| format!(".{extension}")).collect();
        known.join(", ").into()
    }
}

impl fmt::Display for Format {
    /// `TOML`, `YAML` or `JSON`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            #[cfg(feature = "toml")]
            Self::Toml => "TOML",
            #[cfg(feature = "yaml")]
            Self::Yaml => "YAML",
            #[cfg(feature = "json")]
            Self::Json => "JSON",
        })
    }
}
