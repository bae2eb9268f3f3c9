//! Rust results as Elixir would print them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use foundation_compat::foundation_registry::{
    AgentError, HealthCheckError, LookupError, RegistryError, Via, WaitError,
};
use foundation_compat::foundation_types::AgentInfoError;
use foundation_compat::process_registry::{RegisterError, UpdateError, backend_monitor::SwitchError};
use foundation_compat::{
    AgentId, Capability, Error, ExitReason, Health, Metadata, MetadataView, Namespace, Pid, ServiceName, Value,
    agent_registry,
};

/// An Elixir term.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Term {
    Atom(String),
    Other(String),
    Tuple(Vec<Term>),
    List(Vec<Term>),
    Map(Vec<(Term, Term)>),
}

pub(crate) fn atom(text: impl Into<String>) -> Term {
    Term::Atom(text.into())
}

pub(crate) fn tuple(terms: impl IntoIterator<Item = Term>) -> Term {
    Term::Tuple(terms.into_iter().collect())
}

/// A list whose order says nothing, sorted.
pub(crate) fn list<T: Into<Term>>(terms: impl IntoIterator<Item = T>) -> Term {
    let mut terms: Vec<Term> = terms.into_iter().map(Into::into).collect();
    terms.sort();
    Term::List(terms)
}

pub(crate) fn map<V: Into<Term>>(entries: impl IntoIterator<Item = (&'static str, V)>) -> Term {
    Term::Map(entries.into_iter().map(|(key, value)| (atom(key), value.into())).collect())
}

/// `:ok` or `{:error, reason}`.
pub(crate) fn ok<E: Into<Term>>(result: Result<(), E>) -> Term {
    result.map_or_else(|reason| error(reason), |()| atom("ok"))
}

/// `{:ok, found}` or `{:error, reason}`.
pub(crate) fn answer<T: Into<Term>, E: Into<Term>>(result: Result<T, E>) -> Term {
    result.map_or_else(|reason| error(reason), |found| tuple([atom("ok"), found.into()]))
}

/// `{:ok, found}` or `:error`.
pub(crate) fn found<T: Into<Term>, E>(result: Result<T, E>) -> Term {
    result.map_or_else(|_| atom("error"), |found| tuple([atom("ok"), found.into()]))
}

/// What a function gives that never fails while the registry is up.
pub(crate) fn bare<T, E: fmt::Display>(result: Result<T, E>) -> T {
    result.unwrap_or_else(|error| panic!("the registry is down: {error}"))
}

fn error(reason: impl Into<Term>) -> Term {
    tuple([atom("error"), reason.into()])
}

/// The number of something that has no name, in order of appearance.
fn number_of(thing: String) -> usize {
    thread_local! {
        static SEEN: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    }
    SEEN.with_borrow_mut(|seen| {
        seen.iter().position(|other| *other == thing).unwrap_or_else(|| {
            seen.push(thing);
            seen.len() - 1
        })
    })
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let separated = |f: &mut fmt::Formatter<'_>, terms: &[Self]| {
            terms.iter().enumerate().try_for_each(|(at, term)| write!(f, "{}{term}", if at > 0 { ", " } else { "" }))
        };
        match self {
            Self::Atom(text) if text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => match text.as_str() {
                "true" | "false" | "nil" => f.write_str(text),
                _ => write!(f, ":{text}"),
            },
            Self::Atom(text) => write!(f, ":{text:?}"),
            Self::Other(text) => f.write_str(text),
            Self::Tuple(terms) => {
                f.write_str("{")?;
                separated(f, terms)?;
                f.write_str("}")
            }
            Self::List(terms) => {
                f.write_str("[")?;
                separated(f, terms)?;
                f.write_str("]")
            }
            Self::Map(entries) => {
                f.write_str("%{")?;
                for (at, (key, value)) in entries.iter().enumerate() {
                    let comma = if at > 0 { ", " } else { "" };
                    match key {
                        Self::Atom(key) => write!(f, "{comma}{key}: {value}")?,
                        key => write!(f, "{comma}{key} => {value}")?,
                    }
                }
                f.write_str("}")
            }
        }
    }
}

impl From<&'static str> for Term {
    fn from(text: &'static str) -> Self {
        atom(text)
    }
}

impl From<bool> for Term {
    fn from(bool: bool) -> Self {
        atom(bool.to_string())
    }
}

impl From<usize> for Term {
    fn from(number: usize) -> Self {
        Self::Other(number.to_string())
    }
}

impl From<f64> for Term {
    fn from(number: f64) -> Self {
        Self::Other(format!("{number:?}"))
    }
}

impl From<Pid> for Term {
    fn from(pid: Pid) -> Self {
        Self::Other(format!("#PID<0.{}.0>", 101 + number_of(pid.to_string())))
    }
}

impl From<&Namespace> for Term {
    fn from(namespace: &Namespace) -> Self {
        match namespace {
            Namespace::Test(test) => {
                tuple([atom("test"), Self::Other(format!("#Reference<0.0.0.{}>", 101 + number_of(test.to_string())))])
            }
            other => atom(other.to_string()),
        }
    }
}

impl From<ServiceName> for Term {
    fn from(name: ServiceName) -> Self {
        match name.scope().as_str() {
            "plain" => atom(name.name().as_str()),
            scope => tuple([atom(scope), atom(name.name().as_str())]),
        }
    }
}

impl From<AgentId> for Term {
    fn from(id: AgentId) -> Self {
        atom(id.as_str())
    }
}

impl From<&Capability> for Term {
    fn from(capability: &Capability) -> Self {
        atom(capability.as_str())
    }
}

impl From<Health> for Term {
    fn from(health: Health) -> Self {
        atom(health.as_str())
    }
}

impl From<MetadataView> for Term {
    fn from(view: MetadataView) -> Self {
        atom(view.as_str())
    }
}

impl From<&Value> for Term {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => atom("nil"),
            Value::Text(text) => atom(text.as_str()),
            Value::List(items) => Self::List(items.iter().map(Self::from).collect()),
            Value::Map(map) => Self::from(map),
            // The hour of a tour is another one each time.
            Value::Time(_) => Self::Other("~U[…]".to_owned()),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<&Metadata> for Term {
    fn from(metadata: &Metadata) -> Self {
        Self::Map(metadata.iter().map(|(key, value)| (atom(key.as_str()), value.into())).collect())
    }
}

impl From<Arc<Metadata>> for Term {
    fn from(metadata: Arc<Metadata>) -> Self {
        Self::from(&*metadata)
    }
}

impl<A: Into<Self>, B: Into<Self>> From<(A, B)> for Term {
    fn from((a, b): (A, B)) -> Self {
        tuple([a.into(), b.into()])
    }
}

impl<A: Into<Self>, B: Into<Self>, C: Into<Self>> From<(A, B, C)> for Term {
    fn from((a, b, c): (A, B, C)) -> Self {
        tuple([a.into(), b.into(), c.into()])
    }
}

impl<K: Into<Self>, V: Into<Self>> From<BTreeMap<K, V>> for Term {
    fn from(map: BTreeMap<K, V>) -> Self {
        Self::Map(map.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl From<Via> for Term {
    fn from(via: Via) -> Self {
        let key = via.key();
        let name = tuple([Self::from(&key.namespace), key.name.clone().into()]);
        let registry = Self::Other("Foundation.ProcessRegistry".to_owned());
        tuple([atom("via"), Self::Other("Registry".to_owned()), tuple([registry, name])])
    }
}

impl From<RegisterError> for Term {
    fn from(error: RegisterError) -> Self {
        match error {
            RegisterError::AlreadyRegistered { holder } => tuple([atom("already_registered"), holder.into()]),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<LookupError> for Term {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::NotFound => atom("not_found"),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<UpdateError> for Term {
    fn from(error: UpdateError) -> Self {
        match error {
            UpdateError::NotFound => atom("not_found"),
            UpdateError::InvalidMetadata => atom("invalid_metadata"),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<RegistryError> for Term {
    fn from(error: RegistryError) -> Self {
        Self::Other(error.to_string())
    }
}

impl From<WaitError> for Term {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Timeout => atom("timeout"),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<HealthCheckError> for Term {
    fn from(error: HealthCheckError) -> Self {
        match error {
            HealthCheckError::NotFound(record) => record.into(),
            HealthCheckError::ProcessDead => atom("process_dead"),
            HealthCheckError::Timeout => atom("health_check_timeout"),
            HealthCheckError::Failed(value) => tuple([atom("health_check_failed"), Self::from(&value)]),
            HealthCheckError::Errored(message) => {
                tuple([atom("health_check_error"), Self::Other(format!("%RuntimeError{{message: {message:?}}}"))])
            }
            HealthCheckError::Crashed(reason) => tuple([atom("health_check_crashed"), reason.into()]),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<ExitReason> for Term {
    fn from(reason: ExitReason) -> Self {
        atom(reason.to_string())
    }
}

impl From<SwitchError> for Term {
    fn from(error: SwitchError) -> Self {
        match error {
            SwitchError::BackendNotAvailable => atom("backend_not_available"),
            other => Self::Other(other.to_string()),
        }
    }
}

impl From<AgentError> for Term {
    fn from(error: AgentError) -> Self {
        match error {
            AgentError::AlreadyRegistered { holder } => tuple([atom("already_registered"), holder.into()]),
            AgentError::Invalid(AgentInfoError::InvalidStateTransition { from, to }) => {
                tuple([atom("invalid_state_transition"), atom(from.as_str()), atom(to.as_str())])
            }
            other => atom(agent_registry::reason(&other)),
        }
    }
}

impl From<Error> for Term {
    fn from(error: Error) -> Self {
        let context = error.context();
        // The namespace of a test is another one each time.
        let keys = list(context.iter().map(|(key, _)| atom(key.as_str())));
        Self::Other(format!(
            "%Foundation.Types.Error{{code: {}, error_type: {}, severity: {}, context keys: {keys}}}",
            error.code(),
            atom(error.kind().as_str()),
            atom(error.severity().as_str()),
        ))
    }
}
