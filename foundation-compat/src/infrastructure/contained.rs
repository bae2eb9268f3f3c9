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

/// The output of a future, or the message of the panic in one of its polls.
pub(crate) async fn polled<F: Future>(future: F) -> Result<F::Output, Text> {
    let mut future = pin!(future);
    poll_fn(|context| match contain(|| future.as_mut().poll(context)) {
        Ok(Poll::Ready(output)) => Poll::Ready(Ok(output)),
        Ok(Poll::Pending) => Poll::Pending,
        Err(message) => Poll::Ready(Err(message)),
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
