//! Permission for one call.

use std::fmt;

use foundation_types::{Clock, SystemClock};

use super::CircuitBreaker;
use super::shared::Ticket;
use crate::classify::Outcome;

/// How far the call of a permit has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    UnderWay,
    Reported,
}

macro_rules! permit {
    ($(#[$doc:meta])* $name:ident <$($life:lifetime,)? C> holds $held:ty) => {
        $(#[$doc])*
        #[must_use = "dropping a permit without a report gives the call up"]
        pub struct $name<$($life,)? C: Clock = SystemClock> {
            breaker: $held,
            /// Stays where it is when it is reported, for it is large beside what a report needs of it.
            ticket: Ticket,
            stage: Stage,
        }

        impl<$($life,)? C: Clock> $name<$($life,)? C> {
            #[inline]
            pub(super) fn new(breaker: $held, ticket: Ticket) -> Self {
                Self { breaker, ticket, stage: Stage::UnderWay }
            }

            /// The breaker that gave it.
            pub fn breaker(&self) -> &CircuitBreaker<C> {
                &self.breaker
            }

            /// Whether the call is a probe of a half-open circuit, whose outcome decides.
            pub fn is_probe(&self) -> bool {
                self.ticket.is_probe()
            }

            /// The call succeeded.
            #[inline]
            pub fn success(self) {
                self.report(Outcome::Success);
            }

            /// The call failed.
            #[inline]
            pub fn failure(self) {
                self.report(Outcome::Failure);
            }

            /// The call says nothing about what is protected: the caller's own mistake, for example.
            #[inline]
            pub fn ignore(self) {
                self.report(Outcome::Ignored);
            }

            /// Reports how the call ended.
            #[inline]
            pub fn report(mut self, outcome: Outcome) {
                self.stage = Stage::Reported;
                self.breaker.shared.report(&self.ticket, outcome);
            }
        }

        impl<$($life,)? C: Clock> Drop for $name<$($life,)? C> {
            /// Gives the call up: see [`CancelPolicy`](crate::CancelPolicy). While the thread unwinds from a panic that
            /// began after the permit was given, the call counts as failed.
            #[inline]
            fn drop(&mut self) {
                if self.stage == Stage::UnderWay {
                    self.breaker.shared.abandon(&self.ticket);
                }
            }
        }

        impl<$($life,)? C: Clock> fmt::Debug for $name<$($life,)? C> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name))
                    .field("breaker", self.breaker.name())
                    .field("is_probe", &self.is_probe())
                    .finish()
            }
        }
    };
}

permit! {
    /// Permission for one call, borrowed from the breaker. It is reported once, by a method that takes it.
    Permit<'b, C> holds &'b CircuitBreaker<C>
}

permit! {
    /// Permission for one call that keeps the breaker alive. It is reported once, by a method that takes it.
    OwnedPermit<C> holds CircuitBreaker<C>
}

impl<C: Clock> Permit<'_, C> {
    /// Takes the present for the time of its issue, as far as panics go: for a permit that moves between polls.
    pub(super) fn note_unwinding(&mut self) {
        self.ticket.note_unwinding();
    }

    /// Has a failure of this call open a closed circuit at once.
    #[cfg(feature = "agent")]
    pub(crate) fn make_vital(&mut self) {
        self.ticket.make_vital();
    }
}

#[cfg(feature = "tower")]
impl<C: Clock> OwnedPermit<C> {
    /// As [`Permit::note_unwinding`].
    pub(crate) fn note_unwinding(&mut self) {
        self.ticket.note_unwinding();
    }
}
