//! The instance that the functions of the legacy facade act on.
//!
//! It is the only process-wide state of this crate. It comes into being with the first call that needs it, or before that
//! by [`install`]. Nothing takes it down but its own [`shutdown`](Foundation::shutdown), after which [`install`] puts
//! another one in its place.

use std::sync::{Arc, PoisonError, RwLock};

use foundation_types::{Clock, SystemClock};

use crate::foundation::Foundation;

static GLOBAL: RwLock<Option<Foundation>> = RwLock::new(None);

/// The global instance; a call that finds none makes one with [`Foundation::new`].
pub fn get() -> Foundation {
    if let Some(foundation) = current() {
        return foundation;
    }
    let made = Foundation::new();
    let mut global = GLOBAL.write().unwrap_or_else(PoisonError::into_inner);
    global.get_or_insert(made).clone()
}

/// Makes `foundation` the global instance: call it first thing in `main`, to give the legacy functions an observer, a
/// back-end or limits.
///
/// # Errors
/// [`AlreadyInstalled`] if there is a global instance that has not been shut down, whether installed or made by a first call.
/// It stays.
pub fn install(foundation: Foundation) -> Result<(), AlreadyInstalled> {
    let former = {
        let mut global = GLOBAL.write().unwrap_or_else(PoisonError::into_inner);
        if global.as_ref().is_some_and(|global| !global.is_shut_down()) {
            return Err(AlreadyInstalled);
        }
        global.replace(foundation)
    };
    // It may be the last handle of services of the program's own.
    drop(former);
    Ok(())
}

/// The global instance, if there is one; makes none.
pub(crate) fn current() -> Option<Foundation> {
    GLOBAL.read().unwrap_or_else(PoisonError::into_inner).clone()
}

/// The clock of the global instance; that of the operating system while there is none. Makes none.
pub(crate) fn clock() -> Arc<dyn Clock> {
    current().map_or_else(|| Arc::new(SystemClock) as Arc<dyn Clock>, |global| Arc::clone(global.clock()))
}

/// There is a global instance already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a global instance exists already")]
pub struct AlreadyInstalled;

/// Defines functions that call the methods of the same names on a part of the global instance.
macro_rules! on_global {
    ($part:ident($get:expr): $(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)+) => {
        $(
            #[doc = concat!("As [`", stringify!($part), "::", stringify!($name), "`], errors included, on the global instance.")]
            pub fn $name($($argument: $type),*) $(-> $result)? {
                $get.$name($($argument),*)
            }
        )+
    };
}

pub(crate) use on_global;
