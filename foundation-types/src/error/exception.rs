//! Records of foreign errors and of panics, classified by type.

use std::any::{Any, type_name};
use std::error::Error as StdError;
use std::io;

use super::kind::ErrorKind;
use super::record::Error;
use super::vocabulary::Domain;
use crate::{InvalidEventName, NameError, NotFinite, TimestampError, ValueDecodeError};

/// `EMFILE` and `ENFILE` on Unix systems: too many open files in the process, in the system.
#[cfg(unix)]
const TOO_MANY_OPEN_FILES: [i32; 2] = [24, 23];
/// `ERROR_TOO_MANY_OPEN_FILES` on Windows.
#[cfg(not(unix))]
const TOO_MANY_OPEN_FILES: [i32; 1] = [4];

impl Error {
    /// The record of a foreign error, which stays reachable as its source. A record comes back as it is.
    ///
    /// The kind follows from the type: parse, conversion and invalid-argument errors are `invalid_argument` (1002), out
    /// of memory and too many open files `system_limit_exceeded` (9002), other I/O errors `erlang_error` (9003), the
    /// rest `unknown_exception` (9999); the severity is high. The context has `exception_type`.
    pub fn from_std<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        let record = Self::from_exception(&error);
        if (&error as &dyn Any).is::<Self>() {
            return record;
        }
        record.with_context("exception_type", type_name::<E>()).caused_by(error)
    }

    /// As [`Error::from_std`], for an error that is only borrowed: the record has its text and not the error itself.
    /// The `exception_type` is `unknown` where the type is not one this crate knows.
    pub fn from_exception(error: &(dyn StdError + 'static)) -> Self {
        if let Some(record) = error.downcast_ref::<Self>() {
            return record.clone();
        }
        let (kind, type_name) = class(error);
        exception(kind, error.to_string(), type_name)
    }

    /// The record of a panic, from the payload that [`std::panic::catch_unwind`] or a thread's `join` gave: kind
    /// `runtime_error` (9001) with the panic message if the payload is text, else `unknown_exception` (9999). A record
    /// as payload comes back as it is.
    pub fn from_panic(payload: &(dyn Any + Send)) -> Self {
        if let Some(record) = payload.downcast_ref::<Self>() {
            return record.clone();
        }
        let kind = if text_of(payload).is_some() { ErrorKind::RuntimeError } else { ErrorKind::UnknownException };
        exception(kind, payload_text(payload), "panic")
    }
}

fn exception(kind: ErrorKind, message: String, type_name: &str) -> Error {
    Error::new(kind).with_domain(Domain::Exception).with_message(message).with_context("exception_type", type_name)
}

fn class(error: &(dyn StdError + 'static)) -> (ErrorKind, &'static str) {
    macro_rules! known {
        ($($kind:ident: $($type:ty),+;)+) => {
            $($(if error.is::<$type>() {
                return (ErrorKind::$kind, type_name::<$type>());
            })+)+
        };
    }
    if let Some(error) = error.downcast_ref::<io::Error>() {
        return (io_class(error), type_name::<io::Error>());
    }
    known! {
        InvalidArgument: std::num::ParseIntError, std::num::ParseFloatError, std::num::TryFromIntError,
            std::str::ParseBoolError, std::str::Utf8Error, std::string::FromUtf8Error, std::string::FromUtf16Error,
            std::char::ParseCharError, std::char::CharTryFromError, std::char::TryFromCharError,
            std::array::TryFromSliceError, std::net::AddrParseError, std::ffi::NulError, std::ffi::FromBytesWithNulError,
            serde_json::Error, uuid::Error, NameError, NotFinite, TimestampError, InvalidEventName, ValueDecodeError;
        SystemLimitExceeded: std::collections::TryReserveError;
    }
    (ErrorKind::UnknownException, "unknown")
}

fn io_class(error: &io::Error) -> ErrorKind {
    match error.kind() {
        io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData => ErrorKind::InvalidArgument,
        io::ErrorKind::OutOfMemory => ErrorKind::SystemLimitExceeded,
        _ if error.raw_os_error().is_some_and(|number| TOO_MANY_OPEN_FILES.contains(&number)) => {
            ErrorKind::SystemLimitExceeded
        }
        _ => ErrorKind::ErlangError,
    }
}

fn text_of(payload: &(dyn Any + Send)) -> Option<&str> {
    payload.downcast_ref::<&'static str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str))
}

/// The message of a panic.
pub(super) fn payload_text(payload: &(dyn Any + Send)) -> String {
    text_of(payload).unwrap_or("panic payload is not text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_follow_the_type() {
        let parse = "x".parse::<u8>().expect_err("no number");
        let record = Error::from_std(parse.clone());
        assert_eq!((record.kind(), record.code()), (&ErrorKind::InvalidArgument, 1002));
        assert_eq!(record.message(), parse.to_string());
        assert!(StdError::source(&record).is_some_and(<dyn StdError>::is::<std::num::ParseIntError>));

        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(Error::from_exception(&denied).code(), 9003);
        assert_eq!(Error::from_std(io::Error::from(io::ErrorKind::OutOfMemory)).code(), 9002);
        let files = io::Error::from_raw_os_error(TOO_MANY_OPEN_FILES[0]);
        assert_eq!(Error::from_std(files).kind(), &ErrorKind::SystemLimitExceeded);
        assert_eq!(Error::from_exception(&std::fmt::Error).code(), 9999);
    }

    #[test]
    fn a_record_is_not_classified_again() {
        let record = Error::new(ErrorKind::Timeout);
        assert_eq!(Error::from_std(record.clone()), record);
        assert_eq!(Error::from_exception(&record), record);
        assert_eq!(Error::from_panic(&record.clone()), record);
    }

    #[test]
    fn panics_with_text_are_runtime_errors() {
        let text = Error::from_panic(&"broken".to_owned());
        assert_eq!((text.code(), text.message()), (9001, "broken"));
        assert_eq!(Error::from_panic(&17_u8).kind(), &ErrorKind::UnknownException);
    }
}
