//! Pools and bulkheads beside their peers: `deadpool`, `bb8`, and the semaphore of `tokio`.
//!
//! ```text
//! cargo bench -p foundation-resources --features pool --bench pool [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `xtask/bench-support/command.rs` tells the other arguments.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment. Workers are empty boxes, which every
//! pool finds usable, so that what is measured is the pool. Where nobody has to wait, futures are polled once; where
//! borrowers take turns with one worker, all contenders run under the same executor, which parks the thread.

#[path = "../../xtask/bench-support/mod.rs"]
mod bench;
#[path = "pool/contenders.rs"]
mod contenders;
#[path = "pool/instructions.rs"]
mod instructions;

use std::process::ExitCode;

use bench::command::{self, Run, THREADS, on};
use bench::measure::Contender;
use contenders::{Bulkheads, Pools};
use instructions::LOOPS;

fn main() -> ExitCode {
    command::obey(&LOOPS, |run| {
        let group = "checkout+return";
        for threads in THREADS {
            case(&run, group, &format!("nobody waits, {}", on(threads)), threads, || Pools::of(4).at_once());
        }
        case(&run, group, "one worker in turn, 2 threads", 2, || Pools::of(1).in_turn());

        let group = "acquire+release";
        for threads in THREADS {
            case(&run, group, &format!("nobody waits, {}", on(threads)), threads, || Bulkheads::of(4).at_once());
        }
        case(&run, group, "one permit in turn, 2 threads", 2, || Bulkheads::of(1).in_turn());
    })
}

fn case(run: &Run, group: &str, case: &str, threads: usize, contenders: impl FnOnce() -> Vec<Contender<'static>>) {
    if run.wants(group, case) {
        run.measure(group, case, threads, &contenders());
    }
}
