//! From crate errors to records.

use std::error::Error as _;

use foundation_types::error::{Classify, Domain, Error, ErrorKind, classification};
use foundation_types::{Metadata, Value};

#[derive(Debug, PartialEq, thiserror::Error)]
enum StoreError {
    #[error("{name} is registered already")]
    Taken { name: String },
    #[error("no answer")]
    Timeout,
    #[error("closed")]
    Closed,
    #[error("the disk is on fire")]
    Fire,
}

impl Classify for StoreError {
    fn kind(&self) -> ErrorKind {
        match self {
            Self::Taken { .. } => ErrorKind::AlreadyRegistered,
            Self::Timeout => ErrorKind::Timeout,
            Self::Closed => ErrorKind::Closed,
            Self::Fire => "fire".into(),
        }
    }

    fn domain(&self) -> Domain {
        Domain::Registry
    }

    fn context(&self) -> Metadata {
        match self {
            Self::Taken { name } => Metadata::new().with("name", name.as_str()),
            _ => Metadata::new(),
        }
    }
}

#[test]
fn e19_the_classification_of_an_enum_is_a_snapshot() {
    let taken = StoreError::Taken { name: "a".into() };
    let table = classification([
        ("Taken", &taken as &dyn Classify),
        ("Timeout", &StoreError::Timeout),
        ("Closed", &StoreError::Closed),
        ("Fire", &StoreError::Fire),
    ]);
    assert_eq!(
        table,
        "Taken: registry/already_registered 7101 medium service/registration no_retry\n\
         Timeout: registry/timeout 4301 medium external/timeout exponential_backoff\n\
         Closed: registry/closed 7106 high system/lifecycle no_retry\n\
         Fire: registry/fire undefined\n"
    );
}

#[test]
fn a_classified_error_becomes_a_record_that_keeps_it_as_source() {
    fn fails() -> Result<(), Error> {
        Err(StoreError::Taken { name: "search".into() })?
    }
    let error = fails().expect_err("it fails");
    assert_eq!((error.domain(), error.kind()), (&Domain::Registry, &ErrorKind::AlreadyRegistered));
    assert_eq!(error.message(), "search is registered already");
    assert_eq!(error.context().get("name"), Some(&Value::from("search")));
    let source = error.source().and_then(|source| source.downcast_ref::<StoreError>());
    assert_eq!(source, Some(&StoreError::Taken { name: "search".into() }));
}
