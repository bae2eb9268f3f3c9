//! Running foreign code that may panic.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::Text;

/// Runs foreign code so that no panic of it gets past, be it of the code or of the destructor of its panic payload.
///
/// The panic needs no report here: the panic hook has made one. What the code left half-done is its own; call this only
/// where nothing of the caller's can be seen in between.
///
/// # Errors
/// The message of the panic, where its payload is text.
pub fn contain<T>(code: impl FnOnce() -> T) -> Result<T, Text> {
    catch_unwind(AssertUnwindSafe(code)).map_err(|payload| {
        let message = panic_message(&*payload);
        drop_contained(payload);
        message
    })
}

/// The message of a panic payload, where it is text.
pub(crate) fn panic_message(payload: &(dyn Any + Send)) -> Text {
    let message = payload.downcast_ref::<&str>().map(|text| Text::from(*text));
    let message = message.or_else(|| payload.downcast_ref::<String>().map(|text| Text::from(text.as_str())));
    message.unwrap_or_else(|| Text::from_static("payload is not text"))
}

/// Drops a panic payload, whose destructor may panic as well.
pub(crate) fn drop_contained(payload: Box<dyn Any + Send>) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        // And so on; leaking it ends the chain.
        std::mem::forget(second);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bomb;

    impl Drop for Bomb {
        fn drop(&mut self) {
            std::panic::panic_any(Bomb);
        }
    }

    #[test]
    fn the_message_of_a_panic_is_returned_and_a_payload_that_panics_in_turn_is_contained() {
        assert_eq!(contain(|| 1), Ok(1));
        assert_eq!(contain(|| panic!("{} bottles", 99)), Err::<(), _>(Text::from("99 bottles")));
        assert_eq!(contain(|| std::panic::panic_any(Bomb)), Err::<(), _>(Text::from("payload is not text")));
    }
}
