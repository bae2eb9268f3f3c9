//! Identifiers: who and where.

use std::fmt;
use std::sync::OnceLock;

use serde::de::{self, MapAccess, Visitor};
use serde::ser::SerializeStruct;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::name::name_newtype;
use crate::{Name, NameError, Namespace};

name_newtype! {
    /// The id of an agent, unique within a namespace.
    pub struct AgentId;
}

name_newtype! {
    /// Something an agent can do, such as `scan` or `analyze:rust`.
    pub struct Capability;
}

name_newtype! {
    /// The node (operating-system process, usually one per machine) that something runs on.
    pub struct NodeId;
}

static LOCAL_NODE: OnceLock<NodeId> = OnceLock::new();

impl NodeId {
    /// The name of a node that was given none.
    pub const NONODE: Self = Self::from_static("nonode@nohost");

    /// The local node: what [`NodeId::set_local`] set, or [`NodeId::NONODE`]. The first call fixes it.
    pub fn local() -> &'static Self {
        LOCAL_NODE.get_or_init(|| Self::NONODE)
    }

    /// Names the local node. Possible once, before the first call of [`NodeId::local`].
    ///
    /// # Errors
    /// The node name in force, if it is fixed already and is another one.
    pub fn set_local(node: Self) -> Result<(), &'static Self> {
        let wanted = node.clone();
        let fixed = LOCAL_NODE.get_or_init(|| node);
        if *fixed == wanted { Ok(()) } else { Err(fixed) }
    }
}

/// Which family a [`ServiceName`] belongs to. The same name in two scopes is two services.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[non_exhaustive]
pub enum Scope {
    /// An ordinary service; the scope is not written.
    #[default]
    Plain,
    /// An agent.
    Agent,
    /// A service of the multi-agent coordination layer.
    Mabeam,
    /// The supervisor of a group.
    EcosystemSupervisor,
    /// A family of the user's own; make one with [`Scope::other`].
    Other(OtherScope),
}

/// The name of a scope of the user's own: never the text of one of the named scopes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OtherScope(Name);

impl OtherScope {
    /// The name.
    pub const fn as_name(&self) -> &Name {
        &self.0
    }
}

impl Scope {
    /// The scope of this text: one of the named scopes, or a family of the caller's own.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn other(text: impl AsRef<str>) -> Result<Self, NameError> {
        let text = text.as_ref();
        Ok(match text {
            "plain" => Self::Plain,
            "agent" => Self::Agent,
            "mabeam" => Self::Mabeam,
            "ecosystem_supervisor" => Self::EcosystemSupervisor,
            other => Self::Other(OtherScope(Name::new(other)?)),
        })
    }

    /// The text of the scope in snake case.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Plain => "plain",
            Self::Agent => "agent",
            Self::Mabeam => "mabeam",
            Self::EcosystemSupervisor => "ecosystem_supervisor",
            Self::Other(scope) => scope.0.as_str(),
        }
    }
}

/// The second half of every registry key: a scope and a name in it.
///
/// It displays as `name` or `scope:name`; its serialised form is a string for plain names and `{"scope", "name"}` for the
/// others, so that a plain name with a colon in it stays unambiguous.
///
/// ```
/// use foundation_types::{AgentId, ServiceName};
///
/// let agent = ServiceName::agent(&AgentId::new("scout-1")?);
/// assert_eq!(agent.to_string(), "agent:scout-1");
/// assert_ne!(agent, ServiceName::new("scout-1")?);
/// # Ok::<(), foundation_types::NameError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServiceName {
    scope: Scope,
    name: Name,
}

impl ServiceName {
    /// A plain service name from text.
    ///
    /// # Errors
    /// As [`Name::new`].
    pub fn new(text: impl AsRef<str>) -> Result<Self, NameError> {
        Name::new(text).map(Self::plain)
    }

    /// A plain service name from static text, checked at compile time in const position.
    ///
    /// # Panics
    /// If the text is not a valid name; in a `const` that is a compile error.
    pub const fn from_static(text: &'static str) -> Self {
        Self::plain(Name::from_static(text))
    }

    /// A plain service name.
    pub const fn plain(name: Name) -> Self {
        Self { scope: Scope::Plain, name }
    }

    /// The key under which the agent `id` is registered.
    pub fn agent(id: &AgentId) -> Self {
        Self { scope: Scope::Agent, name: id.as_name().clone() }
    }

    /// A name in a scope.
    pub const fn scoped(scope: Scope, name: Name) -> Self {
        Self { scope, name }
    }

    /// The scope.
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The name inside the scope.
    pub const fn name(&self) -> &Name {
        &self.name
    }
}

impl From<Name> for ServiceName {
    fn from(name: Name) -> Self {
        Self::plain(name)
    }
}

impl From<&'static str> for ServiceName {
    /// A plain name, for literals.
    ///
    /// # Panics
    /// If the text is not a valid name. For text that is not a literal use [`ServiceName::new`].
    fn from(text: &'static str) -> Self {
        Self::from_static(text)
    }
}

impl fmt::Display for ServiceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.scope {
            Scope::Plain => fmt::Display::fmt(&self.name, f),
            scope => write!(f, "{}:{}", scope.as_str(), self.name),
        }
    }
}

impl Serialize for ServiceName {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.scope == Scope::Plain {
            return self.name.serialize(serializer);
        }
        let mut pair = serializer.serialize_struct("ServiceName", 2)?;
        pair.serialize_field("scope", self.scope.as_str())?;
        pair.serialize_field("name", &self.name)?;
        pair.end()
    }
}

impl<'de> Deserialize<'de> for ServiceName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ServiceNameVisitor;

        impl<'de> Visitor<'de> for ServiceNameVisitor {
            type Value = ServiceName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a name, or an object with scope and name")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<ServiceName, E> {
                ServiceName::new(text).map_err(E::custom)
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<ServiceName, A::Error> {
                let (mut scope, mut name) = (None, None);
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "scope" => {
                            let text: String = map.next_value()?;
                            scope = Some(Scope::other(text).map_err(de::Error::custom)?);
                        }
                        "name" => name = Some(map.next_value()?),
                        _ => {
                            map.next_value::<de::IgnoredAny>()?;
                        }
                    }
                }
                Ok(ServiceName {
                    scope: scope.ok_or_else(|| de::Error::missing_field("scope"))?,
                    name: name.ok_or_else(|| de::Error::missing_field("name"))?,
                })
            }
        }

        deserializer.deserialize_any(ServiceNameVisitor)
    }
}

/// The id of a process in a cluster: namespace, node and service name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ProcessId {
    /// The namespace.
    pub namespace: Namespace,
    /// The node it runs on.
    pub node: NodeId,
    /// Its name there.
    pub name: ServiceName,
}

/// Tells one claim of a name from every other, for the life of a registry. Later claims of a key have higher generations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Generation(u64);

impl Generation {
    /// The generation with this number.
    pub const fn new(number: u64) -> Self {
        Self(number)
    }

    /// Its number.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}
