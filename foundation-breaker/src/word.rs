//! What a caller has to know of a breaker before it calls, in one word.

use crate::snapshot::State;

/// State, flags and generation, published under the machine's lock and read without it.
///
/// The generation grows with every change of the state, so two equal words mean that nothing changed between. Its 56 bits
/// last for a thousand years at two changes a microsecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word(u64);

/// What a call has to do besides looking at the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flags(u64);

impl Flags {
    pub(crate) const NONE: Self = Self(0);
    /// The duration of calls matters.
    pub(crate) const TIMED: Self = Self(1 << 2);
    /// Some calls are refused on purpose.
    pub(crate) const FAULTS: Self = Self(1 << 3);
    /// Calls are told to an observer.
    pub(crate) const OBSERVED: Self = Self(1 << 4);
    /// A success has to be told to the machine.
    pub(crate) const SUCCESS_COUNTS: Self = Self(1 << 5);
    /// It may have to be when it comes, so look again then.
    pub(crate) const SUCCESS_MAY_COUNT: Self = Self(1 << 6);

    pub(crate) const fn set_if(&mut self, flag: Self, condition: bool) {
        if condition {
            self.0 |= flag.0;
        }
    }
}

const STATE: u64 = 0b11;
const GENERATION: u32 = 8;

impl Word {
    pub(crate) const fn new(state: State, flags: Flags, generation: u64) -> Self {
        let state = match state {
            State::Closed => 0,
            State::Open => 1,
            State::HalfOpen => 2,
            State::ForcedOpen => 3,
        };
        Self(generation << GENERATION | flags.0 | state)
    }

    pub(crate) const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    pub(crate) const fn bits(self) -> u64 {
        self.0
    }

    pub(crate) const fn state(self) -> State {
        match self.0 & STATE {
            0 => State::Closed,
            1 => State::Open,
            2 => State::HalfOpen,
            _ => State::ForcedOpen,
        }
    }

    pub(crate) const fn generation(self) -> u64 {
        self.0 >> GENERATION
    }

    pub(crate) const fn has(self, flag: Flags) -> bool {
        self.0 & flag.0 != 0
    }

    /// Whether a call may go through at once: the circuit is closed, and nothing has to be drawn, timed or told.
    #[inline]
    pub(crate) const fn is_plain(self) -> bool {
        self.0 & (STATE | Flags::TIMED.0 | Flags::FAULTS.0 | Flags::OBSERVED.0) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_gives_back_what_was_put_in() {
        for state in [State::Closed, State::Open, State::HalfOpen, State::ForcedOpen] {
            for flag in [Flags::NONE, Flags::TIMED, Flags::FAULTS, Flags::OBSERVED, Flags::SUCCESS_COUNTS] {
                let word = Word::new(state, flag, 7);
                assert_eq!((word.state(), word.generation()), (state, 7));
                assert_eq!(word.has(flag), flag != Flags::NONE);
                let plain = state == State::Closed && [Flags::NONE, Flags::SUCCESS_COUNTS].contains(&flag);
                assert_eq!(word.is_plain(), plain, "{word:?}");
            }
        }
    }
}
