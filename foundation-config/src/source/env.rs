//! Settings in environment variables.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};

use foundation_types::{Metadata, Text, Value};

use super::{Document, Origin, Source, SourceError, Variables, scalar};
use crate::layer::Layer;
use crate::path::Path;

/// What separates the components of a path in the name of a variable.
const SEPARATOR: &str = "__";

/// Settings in environment variables whose names begin with a prefix.
///
/// What follows the prefix is the path: components are separated by `__` and put into lower case, so that with the prefix
/// `APP_` the variable `APP_DEV__DEBUG_MODE` sets `dev.debug_mode`. A component cannot be empty.
///
/// A value that is a JSON scalar is that scalar: an integer (`-17`), a float (`0.5`, `1.0`, `1e3`), `true`, `false`,
/// `null`, or a text in double quotes with the escapes of JSON. Everything else is a text as it stands, the empty one and
/// those with white space around them included; lists and maps cannot be written. Quotes force a text: `"8080"` is one,
/// `8080` is an integer.
///
/// The environment is read when the source is loaded and at no other time.
///
/// ```
/// use foundation_config::source::Variables;
/// use foundation_config::{EnvSource, Source};
///
/// let variables: Variables = [("APP_DEV__DEBUG_MODE", "true"), ("HOME", "/root")].into_iter().collect();
/// let document = EnvSource::new("APP_").variables(variables).load()?;
/// assert_eq!(document.to_value().to_string(), r#"{"dev":{"debug_mode":true}}"#);
/// # Ok::<(), foundation_config::SourceError>(())
/// ```
#[derive(Clone, Debug)]
pub struct EnvSource {
    name: Text,
    prefix: Text,
    layer: Layer,
    except: BTreeSet<OsString>,
    variables: Variables,
}

impl EnvSource {
    /// The variables of the process whose names begin with `prefix`, case included; all there are, if it is empty. In the
    /// layer [`Layer::Env`].
    pub fn new(prefix: impl Into<Text>) -> Self {
        let prefix = prefix.into();
        Self {
            name: format!("environment variables {prefix}*").into(),
            prefix,
            layer: Layer::Env,
            except: BTreeSet::new(),
            variables: Variables::of_process(),
        }
    }

    /// The same in another layer.
    #[must_use]
    pub const fn in_layer(mut self, layer: Layer) -> Self {
        self.layer = layer;
        self
    }

    /// The same without the variables of these full names, which are for somebody else.
    #[must_use]
    pub fn except<N: Into<OsString>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.except.extend(names.into_iter().map(Into::into));
        self
    }

    /// The same, but looking into these variables.
    #[must_use]
    pub fn variables(mut self, variables: Variables) -> Self {
        self.variables = variables;
        self
    }

    /// The setting that a variable is; `None` if it is none of this source.
    fn setting(&self, name: &OsStr, value: &OsStr) -> Result<Option<(Path, Setting)>, SourceError> {
        if !name.as_encoded_bytes().starts_with(self.prefix.as_bytes()) || self.except.contains(name) {
            return Ok(None);
        }
        let origin = origin(name);
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            return Err(SourceError::NotUtf8 { origin });
        };
        let path = path(&name[self.prefix.len()..])
            .map_err(|message| SourceError::Syntax { origin: origin.clone(), message })?;
        match scalar::from_plain(value) {
            Ok(value) => Ok(Some((path, Setting { origin, value }))),
            Err(message) => Err(SourceError::Invalid { origin, path, message: message.into() }),
        }
    }
}

struct Setting {
    origin: Origin,
    value: Value,
}

impl Source for EnvSource {
    fn name(&self) -> &str {
        &self.name
    }

    fn layer(&self) -> Layer {
        self.layer
    }

    /// # Errors
    /// [`SourceError::NotUtf8`], [`SourceError::Syntax`] of a name, [`SourceError::Invalid`] of a value, or
    /// [`SourceError::SetTwice`] if two variables set one path, or one sets a value where another sets one below it.
    fn load(&self) -> Result<Document, SourceError> {
        let mut settings: BTreeMap<Path, Setting> = BTreeMap::new();
        for (name, value) in self.variables.all() {
            let Some((path, setting)) = self.setting(&name, &value)? else { continue };
            if let Some(first) = settings.get(&path) {
                return Err(SourceError::SetTwice { origin: setting.origin, path, other: first.origin.clone() });
            }
            settings.insert(path, setting);
        }
        refuse_nested(&settings)?;
        let mut tree = Metadata::new();
        let mut origins = Vec::with_capacity(settings.len());
        for (path, setting) in settings {
            insert(&mut tree, path.texts(), setting.value);
            origins.push((path, setting.origin));
        }
        let mut document = Document::new(tree);
        for (path, origin) in origins {
            document.set_origin(path, origin);
        }
        Ok(document)
    }
}

/// Where the value of a variable stands.
pub(super) fn origin(variable: &OsStr) -> Origin {
    Origin::new(format!("environment variable {}", variable.display()))
}

fn path(name: &str) -> Result<Path, Text> {
    if name.split(SEPARATOR).any(str::is_empty) {
        return Err("expected components separated by `__` after the prefix, found an empty one".into());
    }
    Path::new(name.split(SEPARATOR).map(str::to_lowercase)).map_err(|error| error.to_string().into())
}

/// Refuses a setting below another. Paths below one follow it directly in their order.
fn refuse_nested(settings: &BTreeMap<Path, Setting>) -> Result<(), SourceError> {
    let pairs = settings.iter().zip(settings.iter().skip(1));
    match pairs.into_iter().find(|((above, _), (below, _))| below.starts_with(above)) {
        Some(((path, above), (_, below))) => {
            let (origin, other) = (below.origin.clone(), above.origin.clone());
            Err(SourceError::SetTwice { origin, path: path.clone(), other })
        }
        None => Ok(()),
    }
}

/// Puts a value at a path, above and below which there is none.
pub(super) fn insert(tree: &mut Metadata, path: &[Text], value: Value) {
    let Some((key, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        tree.insert(key.clone(), value);
        return;
    }
    if !tree.contains_key(key) {
        tree.insert(key.clone(), Metadata::new());
    }
    if let Some(Value::Map(below)) = tree.get_mut(key) {
        insert(below, rest, value);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn load(variables: &[(&str, &str)]) -> Result<Document, SourceError> {
        EnvSource::new("APP_").variables(variables.iter().copied().collect()).load()
    }

    fn error(variables: &[(&str, &str)]) -> String {
        load(variables).expect_err("refused").to_string()
    }

    #[test]
    fn variables_with_the_prefix_are_settings_and_others_are_not() {
        let variables =
            [("APP_DEV__DEBUG_MODE", "true"), ("APP_Name", "x"), ("app_a", "1"), ("XAPP_B", "1"), ("APP", "1")];
        let document = load(&variables).expect("valid");
        assert_eq!(document.to_value().to_string(), r#"{"dev":{"debug_mode":true},"name":"x"}"#);
        let origin = document.origin(&"dev.debug_mode".parse().expect("a path")).expect("known");
        assert_eq!(origin.to_string(), "environment variable APP_DEV__DEBUG_MODE");
    }

    #[test]
    fn names_that_are_excepted_are_left_out() {
        let source = EnvSource::new("APP_").except(["APP_HOME"]).in_layer(Layer::Namespace);
        let source = source.variables([("APP_HOME", "1"), ("APP_HOMES", "2")].into_iter().collect());
        assert_eq!(source.load().expect("valid").to_value().to_string(), r#"{"homes":2}"#);
        assert_eq!((source.name(), source.layer()), ("environment variables APP_*", Layer::Namespace));
    }

    #[test]
    fn a_single_underscore_belongs_to_the_component() {
        let document = load(&[("APP_A_B__C_D", "1"), ("APP__X", "2")]).expect("valid");
        assert_eq!(document.to_value().to_string(), r#"{"_x":2,"a_b":{"c_d":1}}"#);
    }

    #[test]
    fn a_value_above_another_is_refused_with_both_names() {
        assert_eq!(
            error(&[("APP_A", "1"), ("APP_A__B", "2")]),
            "environment variable APP_A__B: a: already set at environment variable APP_A"
        );
        assert_eq!(
            error(&[("APP_A", "1"), ("APP_A_B", "3"), ("APP_A__B__C", "2"), ("APP_AA", "3")]),
            "environment variable APP_A__B__C: a: already set at environment variable APP_A"
        );
    }

    #[test]
    fn two_names_of_one_path_are_refused_with_both() {
        assert_eq!(
            error(&[("APP_A__B", "1"), ("APP_a__b", "1")]),
            "environment variable APP_a__b: a.b: already set at environment variable APP_A__B"
        );
    }

    #[test]
    fn a_name_that_is_no_path_is_refused() {
        for name in ["APP_", "APP___A", "APP_A__", "APP_A____B"] {
            assert_eq!(
                error(&[(name, "1")]),
                format!(
                    "environment variable {name}: expected components separated by `__` after the prefix, found an empty one"
                )
            );
        }
        let long = format!("APP_{}", "X".repeat(256));
        assert_eq!(
            error(&[(&long, "1")]),
            format!("environment variable {long}: component 0 of the path is 256 bytes, limit 255")
        );
        let deep = format!("APP_{}", vec!["A"; 51].join("__"));
        assert_eq!(error(&[(&deep, "1")]), format!("environment variable {deep}: path has more than 50 components"));
    }

    #[test]
    fn a_value_that_cannot_be_is_refused_without_showing_it() {
        assert_eq!(
            error(&[("APP_A__TOKEN", "99999999999999999999")]),
            "environment variable APP_A__TOKEN: a.token: expected an integer from -2^63 to 2^63 - 1, found one beyond"
        );
    }

    #[cfg(unix)]
    #[test]
    fn what_is_not_utf_8_is_refused_if_it_has_the_prefix() {
        use std::os::unix::ffi::OsStrExt as _;

        let bad = OsStr::from_bytes(b"\xff");
        let load = |name: &OsStr, value: &OsStr| {
            EnvSource::new("APP_").variables([(name, value)].into_iter().collect()).load()
        };
        assert!(load(OsStr::new("OTHER"), bad).expect("not ours").tree().is_empty());
        assert_eq!(
            load(OsStr::new("APP_A"), bad).expect_err("not UTF-8").to_string(),
            "environment variable APP_A: not UTF-8"
        );
        assert_eq!(
            load(OsStr::from_bytes(b"APP_\xff"), OsStr::new("1")).expect_err("not UTF-8").to_string(),
            "environment variable APP_\u{fffd}: not UTF-8"
        );
    }

    proptest! {
        #[test]
        fn settings_written_as_variables_read_back(
            settings in prop::collection::btree_map(prop::collection::vec("[a-z]{1,3}", 1..4), any::<i64>(), 0..6),
        ) {
            let apart = |a: &[String]| settings.keys().all(|b| b == a || !b.starts_with(a));
            prop_assume!(settings.keys().all(|path| apart(path)));
            let name = |path: &[String]| format!("APP_{}", path.join("__").to_uppercase());
            let variables = settings.iter().map(|(path, value)| (name(path), value.to_string())).collect();
            let document = EnvSource::new("APP_").variables(variables).load().expect("no conflicts");
            prop_assert_eq!(document.origins().count(), settings.len());
            for (path, value) in &settings {
                prop_assert_eq!(document.tree().get_path(path.iter().map(String::as_str)), Some(&Value::from(*value)));
                let origin = document.origin(&Path::new(path.iter().map(String::as_str)).expect("short")).expect("known");
                prop_assert_eq!(origin.place(), format!("environment variable {}", name(path)));
            }
        }
    }
}
