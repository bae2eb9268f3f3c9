//! Rate limiters beside `governor`.
//!
//! ```text
//! cargo bench -p foundation-resources --features limiter --bench limiter [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `xtask/bench-support/command.rs` tells the other arguments.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment. All read the monotonic clock of the operating
//! system at each check. Keys are texts, visited in one random order. Hits never use their quota up, denials never see it renewed.
//! `governor` hashes keys with the hash function of the standard library, which is ours only where that is said.

#[path = "../../xtask/bench-support/mod.rs"]
mod bench;
#[path = "limiter/contenders.rs"]
mod contenders;
#[path = "limiter/instructions.rs"]
mod instructions;

use std::process::ExitCode;

use bench::command::{self, Run, THREADS, on};
use bench::measure::Contender;
use contenders::{Keyed, Single};
use instructions::LOOPS;

fn main() -> ExitCode {
    command::obey(&LOOPS, |run| {
        for threads in THREADS {
            let on = on(threads);
            case(&run, "hit", &format!("one key, {on}"), threads, || Keyed::open(1).hits());
            case(&run, "hit", &format!("100k keys, {on}"), threads, || Keyed::open(100_000).hits());
            case(&run, "denial", &format!("one key, {on}"), threads, || Keyed::closed(1).denials());
            case(&run, "denial", &format!("100k keys, {on}"), threads, || Keyed::closed(100_000).denials());
            case(&run, "hit", &format!("without a key, {on}"), threads, || Single::open().hits());
        }
        case(&run, "first hit of a key", "1 thread", 1, contenders::first_hits);
    })
}

fn case(run: &Run, group: &str, case: &str, threads: usize, contenders: impl FnOnce() -> Vec<Contender<'static>>) {
    if run.wants(group, case) {
        run.measure(group, case, threads, &contenders());
    }
}
