//! Running what users give us, so that nothing of it gets past but its result.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use foundation_types::{Text, contain};

/// Why an operation gave no result.
pub(crate) enum Failure<E> {
    /// It said so.
    Error(E),
    /// It panicked, with this message.
    Panic(Text),
}

/// Runs an operation.
pub(crate) fn run<T, E>(operation: impl FnOnce() -> Result<T, E>) -> Result<T, Failure<E>> {
    flat(contain(operation))
}

/// Makes the future of an operation and runs it.
pub(crate) async fn run_async<T, E, F>(operation: impl FnOnce() -> F) -> Result<T, Failure<E>>
where
    F: Future<Output = Result<T, E>>,
{
    match contain(operation) {
        Ok(future) => flat(polled(future).await),
        Err(message) => Err(Failure::Panic(message)),
    }
}

/// The output of a future, or the message of the panic in one of its polls. Nor does a panic get past when the future is dropped
/// after that.
pub(crate) async fn polled<F: Future>(future: F) -> Result<F::Output, Text> {
    let mut future = pin!(Some(future));
    poll_fn(|context| {
        let polled = contain(|| match future.as_mut().as_pin_mut() {
            Some(future) => future.poll(context),
            None => Poll::Pending,
        });
        let ended = match polled {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(output)) => Ok(output),
            Err(message) => Err(message),
        };
        // The panic hook has reported it, and what the future came to stands.
        let _ = contain(|| future.set(None));
        Poll::Ready(ended)
    })
    .await
}

fn flat<T, E>(result: Result<Result<T, E>, Text>) -> Result<T, Failure<E>> {
    match result {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(Failure::Error(error)),
        Err(message) => Err(Failure::Panic(message)),
    }
}

/// The text of something of a user's, or what became of the attempt to get it.
pub(crate) fn text(value: &(impl fmt::Display + ?Sized)) -> Text {
    contain(|| Text::from(value.to_string())).unwrap_or_else(|message| message)
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    /// Panics when it is polled, if told to, and when it is dropped.
    struct Bomb(bool);

    impl Future for Bomb {
        type Output = u32;

        fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<u32> {
            assert!(!self.0, "poll");
            Poll::Ready(7)
        }
    }

    impl Drop for Bomb {
        fn drop(&mut self) {
            panic!("drop");
        }
    }

    #[test]
    fn a_future_that_panics_also_when_it_is_dropped_lets_nothing_past() {
        let mut context = Context::from_waker(Waker::noop());
        let poll = |bomb, context: &mut Context<'_>| pin!(polled(bomb)).poll(context);
        assert_eq!(poll(Bomb(false), &mut context), Poll::Ready(Ok(7)), "what it came to stands");
        assert_eq!(poll(Bomb(true), &mut context), Poll::Ready(Err("poll".into())));
    }

    #[test]
    fn a_text_form_that_panics_is_the_message_of_the_panic() {
        struct Mute;
        impl fmt::Display for Mute {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("no text")
            }
        }
        assert_eq!((text(&Mute), text(&7)), ("no text".into(), "7".into()));
    }
}
