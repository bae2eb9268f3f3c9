//! What holds of a breaker as a whole: it answers as the model does.

use proptest::collection::vec;

use super::command::{Command, Pair, commands, draws, options, options_with_faults, use_of_it};
use super::subject::Breaker;
use super::{Factory, check};

/// P1: breaker and model agree on every admission, refusal, time to come again, state and total.
pub fn p01_model_equality<B: Breaker>(make: Factory<'_, B>) {
    check(1_500, (options_with_faults(), draws(), commands()), |(options, draws, commands)| {
        let mut pair = Pair::new(make, options, &draws);
        pair.run_all(&commands);
        pair.agree();
    });
}

/// P7: looking at the state, at everything, and asking a breaker that refuses, at any time and how often ever, changes no
/// later answer.
pub fn p07_observation_independence<B: Breaker>(make: Factory<'_, B>) {
    // Bit 0: looks at the state; bit 1: at everything; bit 2: asks, if that is refused.
    let looks = vec(0_u8..8, 80);
    check(500, (options(), draws(), vec(use_of_it(), 1..80), looks), |(options, draws, commands, looks)| {
        let mut alone = Pair::new(make, options.clone(), &draws);
        let mut watched = Pair::new(make, options, &draws);
        let mut refused = 0;
        for (command, look) in commands.iter().zip(looks) {
            if look & 1 != 0 {
                watched.breaker.state();
            }
            if look & 2 != 0 {
                watched.breaker.view();
            }
            if look & 4 != 0 && watched.model.clone().acquire().is_err() {
                assert!(!watched.acquire());
                refused += 1;
            }
            alone.run(command);
            watched.run(command);
        }
        alone.agree();
        watched.agree();
        let (alone, mut watched) = (alone.breaker.view(), watched.breaker.view());
        watched.totals.rejected -= refused;
        assert_eq!(alone.comparable(), watched.comparable());
    });
}

/// P21: whatever happens, those let through are those that ended and those under way; each refusal is counted once.
pub fn p21_totals<B: Breaker>(make: Factory<'_, B>) {
    check(300, (options_with_faults(), draws(), commands()), |(options, draws, commands)| {
        let mut pair = Pair::new(make, options, &draws);
        let (mut admitted, mut refused) = (0_u64, 0_u64);
        for command in &commands {
            match command {
                Command::Acquire if pair.acquire() => admitted += 1,
                Command::Acquire => refused += 1,
                command => pair.run(command),
            }
            let totals = pair.breaker.view().totals;
            let ended = totals.succeeded + (totals.failed - totals.melted) + totals.ignored;
            assert_eq!(totals.admitted, admitted);
            assert_eq!(totals.admitted, ended + pair.held.len() as u64);
            assert_eq!(totals.outstanding(), pair.held.len() as u64);
            assert_eq!(totals.rejected + totals.injected, refused);
        }
    });
}
