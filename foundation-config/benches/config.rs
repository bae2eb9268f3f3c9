//! Settings beside what else keeps them.
//!
//! ```text
//! cargo bench -p foundation-config --bench config [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `xtask/bench-support/command.rs` tells the other arguments.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment.

#[path = "../../xtask/bench-support/mod.rs"]
mod bench;
mod support;

use std::process::ExitCode;

use bench::command::{self, Run, THREADS, on};
use bench::measure::Contender;
use support::instructions::LOOPS;
use support::{notify, paths, typed};

fn main() -> ExitCode {
    command::obey(&LOOPS, |run| {
        for threads in THREADS {
            measure(&run, "typed read, kept handle", on(threads), threads, typed::kept);
            measure(&run, "typed read, handle of the moment", on(threads), threads, typed::of_the_moment);
        }
        measure(&run, "scaling of a typed read", "2 threads beside 1", 2, typed::scaling);
        measure(&run, "typed read", "while 1,000 updates a second are published", 1, typed::while_writing);
        for threads in THREADS {
            measure(&run, "read by path, depth 3", on(threads), threads, paths::contenders);
        }
        measure(&run, "update and wake", "1,000 subscribers", 1, || notify::contenders(1_000));
        measure(&run, "update and wake", "nobody", 1, || notify::contenders(0));
    })
}

fn measure<'a>(run: &Run, group: &str, case: &str, threads: usize, contenders: impl FnOnce() -> Vec<Contender<'a>>) {
    if run.wants(group, case) {
        run.measure(group, case, threads, &contenders());
    }
}
