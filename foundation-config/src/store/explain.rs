//! Where a value comes from.

use foundation_types::Value;

use super::Store;
use super::reload::Slot;
use crate::change::Scope;
use crate::content::{Content, Loaded};
use crate::error::ConfigError;
use crate::layer::Layer;
use crate::path::{IntoPath, Path};
use crate::schema::Schema;
use crate::secret::redacted;
use crate::snapshot::walk;
use crate::source::Origin;
use crate::tree::Node;

/// What one layer, or one source of it, says at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Explained {
    /// The layer, or the agent whose override it is.
    pub scope: Scope,
    /// Where in the source it stands, if it is from one.
    pub origin: Option<Origin>,
    /// What it says, with secrets withheld.
    pub value: Value,
    /// Whether what shows comes from here, at least in part.
    pub decides: bool,
}

impl<S: Schema> Store<S> {
    /// What each layer and source says at a path, the highest first; those that say nothing are left out. O(layers x depth and
    /// size of the values).
    ///
    /// # Errors
    /// [`ConfigError::InvalidPath`].
    pub fn explain(&self, path: impl IntoPath) -> Result<Vec<Explained>, ConfigError> {
        walk(&path, self.0.allows_key, |_| ())?;
        Ok(self.explain_in(&self.content(), None, &path.into_path()?))
    }

    /// What the layers say, with `overlay` over them all.
    pub(crate) fn explain_in(&self, content: &Content, overlay: Option<&Node>, path: &Path) -> Vec<Explained> {
        let layers = &content.layers;
        let mut explained = Vec::new();
        for layer in Layer::ALL.into_iter().rev() {
            let mut above: Vec<&Node> = layers.above(layer).chain(overlay).collect();
            let mut say = |node: &'_ Node, above: &[&Node], origin: Option<Origin>| {
                if let Some(at) = node.at(path.texts()) {
                    let value = redacted(path, &at.to_value(), S::secret);
                    let decides = at.shows_below(above.iter().copied(), path.texts());
                    explained.push(Explained { scope: Scope::Layer(layer), origin, value, decides });
                }
            };
            for (index, loaded) in layers.documents_of(layer) {
                say(&loaded.node, &above, Some(newest(loaded, &self.0.sources[index], path)));
                above.push(&loaded.node);
            }
            match layer {
                Layer::Defaults | Layer::Runtime => say(layers.get(layer), &above, None),
                Layer::Namespace => say(&self.0.namespace, &above, None),
                _ => {}
            }
        }
        explained
    }
}

/// Where the value stands now: places move without a change of the values.
fn newest(loaded: &Loaded, slot: &Slot, path: &Path) -> Origin {
    match &slot.last.lock().accepted {
        Some(accepted) if accepted.node == loaded.node => accepted.origin(path),
        _ => loaded.origin(path),
    }
}
