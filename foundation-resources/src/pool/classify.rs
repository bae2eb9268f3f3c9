//! What the errors of pools are in the common vocabulary.

use foundation_types::Metadata;
use foundation_types::error::{Classify, Domain, ErrorKind};

use super::error::{AddError, CheckoutError, FindError, OptionsError, StartError, StartInError};

macro_rules! classify {
    ($([$($generic:ident)?] $error:ty: |$this:ident| $kind:expr $(, $context:expr)?;)*) => {
        $(impl$(<$generic>)? Classify for $error {
            fn kind(&self) -> ErrorKind {
                let $this = self;
                // Not every error needs to be looked at.
                let _ = $this;
                $kind
            }

            fn domain(&self) -> Domain {
                Domain::Infrastructure
            }

            $(fn context(&self) -> Metadata {
                let $this = self;
                $context
            })?
        })*
    };
}

classify! {
    [E] CheckoutError<E>: |error| match error {
        CheckoutError::Full { .. } | CheckoutError::TooManyWaiting { .. } => ErrorKind::PoolFull,
        CheckoutError::Timeout { .. } => ErrorKind::CheckoutTimeout,
        CheckoutError::Closed => ErrorKind::PoolClosed,
        CheckoutError::Create(_) => ErrorKind::WorkerStartFailed,
    }, match error {
        CheckoutError::Full { capacity } => Metadata::new().with("capacity", number(*capacity)),
        CheckoutError::TooManyWaiting { limit } => Metadata::new().with("limit", number(*limit)),
        CheckoutError::Timeout { waited } => {
            Metadata::new().with("timeout", i64::try_from(waited.as_millis()).unwrap_or(i64::MAX))
        }
        CheckoutError::Closed | CheckoutError::Create(_) => Metadata::new(),
    };
    [E] StartError<E>: |error| match error {
        StartError::Options(error) => error.kind(),
        StartError::Create(_) => ErrorKind::WorkerStartFailed,
    }, match error {
        StartError::Options(error) => error.context(),
        StartError::Create(_) => Metadata::new(),
    };
    [] OptionsError: |error| ErrorKind::InvalidConfig, match *error {
        OptionsError::Size { size } => Metadata::new().with("size", number(size)),
        OptionsError::Overflow { max_overflow } => Metadata::new().with("max_overflow", number(max_overflow)),
        OptionsError::Total { size, max_overflow } => {
            Metadata::new().with("size", number(size)).with("max_overflow", number(max_overflow))
        }
        OptionsError::Waiting { max_waiting } => Metadata::new().with("max_waiting", number(max_waiting)),
    };
    [] AddError: |error| match error {
        AddError::AlreadyExists { .. } => ErrorKind::AlreadyExists,
        AddError::TooManyPools => ErrorKind::PoolFull,
    }, match error {
        AddError::AlreadyExists { name } => Metadata::new().with("pool_name", name.clone()),
        AddError::TooManyPools => Metadata::new(),
    };
    [E] StartInError<E>: |error| match error {
        StartInError::Add(error) => error.kind(),
        StartInError::Start(error) => error.kind(),
    }, match error {
        StartInError::Add(error) => error.context(),
        StartInError::Start(error) => error.context(),
    };
    [] FindError: |error| match error {
        FindError::NotFound { .. } => ErrorKind::PoolNotFound,
        FindError::WrongType { .. } => ErrorKind::InvalidWorkerModule,
    }, match error {
        FindError::NotFound { name } => Metadata::new().with("pool_name", name.clone()),
        FindError::WrongType { name, stored, wanted } => {
            Metadata::new().with("pool_name", name.clone()).with("stored", *stored).with("wanted", *wanted)
        }
    };
}

fn number(size: usize) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::fmt;
    use std::time::Duration;

    use foundation_types::error::classification;
    use foundation_types::{Error, Name};

    use super::*;

    #[test]
    fn every_error_has_a_number_that_stays() {
        let name = Name::from_static("db");
        let second = Duration::from_secs(1);
        let checkout = [
            CheckoutError::Full { capacity: 3 },
            CheckoutError::TooManyWaiting { limit: 9 },
            CheckoutError::Timeout { waited: second },
            CheckoutError::Closed,
            CheckoutError::Create(fmt::Error),
        ];
        let start: [StartInError<fmt::Error>; 4] = [
            AddError::AlreadyExists { name: name.clone() }.into(),
            AddError::TooManyPools.into(),
            StartError::Create(fmt::Error).into(),
            StartError::Options(OptionsError::Total { size: 1_048_576, max_overflow: 1 }).into(),
        ];
        let find = [
            FindError::NotFound { name: name.clone() },
            FindError::WrongType { name, stored: "Pool<A>", wanted: "Pool<B>" },
        ];
        let label = |error: &dyn std::error::Error| error.to_string();
        let mut errors: Vec<(String, &dyn Classify)> = Vec::new();
        errors.extend(checkout.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.extend(start.iter().map(|error| (label(error), error as &dyn Classify)));
        errors.extend(find.iter().map(|error| (label(error), error as &dyn Classify)));
        let table = classification(errors.iter().map(|(label, error)| (label.as_str(), *error)));
        let expected = "\
pool is full: all 3 workers are out: infrastructure/pool_full 9999 medium system/resources fixed_delay
pool is full and 9 wait already, the limit: infrastructure/pool_full 9999 medium system/resources fixed_delay
no worker became free within 1s: infrastructure/checkout_timeout 9999 medium system/timeout fixed_delay
pool is closed: infrastructure/pool_closed 9999 medium system/lifecycle no_retry
a worker could not be started: infrastructure/worker_start_failed 9999 medium external/initialization no_retry
there is a pool called db already: infrastructure/already_exists 9999 medium service/registration no_retry
the set holds 10000 pools, its limit: infrastructure/pool_full 9999 medium system/resources fixed_delay
a worker could not be started: infrastructure/worker_start_failed 9999 medium external/initialization no_retry
size 1048576 and max_overflow 1 are together above the limit 1048576: infrastructure/invalid_config 9999 medium config/validation no_retry
there is no pool called db: infrastructure/pool_not_found 9999 medium system/not_found no_retry
pool db is a Pool<A>, not a Pool<B>: infrastructure/invalid_worker_module 9999 medium config/validation no_retry
";
        assert_eq!(table, expected);
    }

    #[test]
    fn a_record_tells_the_circumstances_and_keeps_the_cause() {
        let record = Error::from(CheckoutError::<fmt::Error>::Timeout { waited: Duration::from_millis(250) });
        assert_eq!(record.context(), &Metadata::new().with("timeout", 250));
        assert!(record.is_retryable());
        let record = Error::from(CheckoutError::Create(fmt::Error));
        let cause = std::error::Error::source(&record).and_then(std::error::Error::source);
        assert_eq!(cause.map(ToString::to_string), Some(fmt::Error.to_string()));
    }
}
