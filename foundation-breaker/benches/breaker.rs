//! The breaker beside its peers.
//!
//! ```text
//! cargo bench -p foundation-breaker --bench breaker [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `xtask/bench-support/command.rs` tells the other arguments.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment. Every call runs the same operation,
//! which does nothing, and its result is looked at and dropped. Whoever breaks at failures in a row does so at the fifth; all
//! else is what the peer does unless told otherwise. Whatever is open stays open for an hour.

#[path = "../../xtask/bench-support/mod.rs"]
mod bench;
mod support;

use std::cell::OnceCell;
use std::process::ExitCode;

use bench::command::{self, Run, THREADS, on};
use support::instructions::LOOPS;
use support::set::{self, Hosts};
use support::{closed, refusal};

fn main() -> ExitCode {
    command::obey(&LOOPS, |run| {
        closed_calls(&run);
        scaling(&run);
        refusals(&run);
        set_lookups(&run);
    })
}

fn closed_calls(run: &Run) {
    let group = "call, closed";
    for threads in THREADS {
        let case = on(threads);
        if run.wants(group, case) {
            run.measure(group, case, threads, &closed::contenders(threads));
        }
    }
}

fn scaling(run: &Run) {
    let (group, case) = ("scaling of a closed call", "2 threads beside 1");
    if run.wants(group, case) {
        run.measure(group, case, 2, &closed::scaling());
    }
}

fn refusals(run: &Run) {
    let group = "refusal";
    for threads in THREADS {
        let case = on(threads);
        if run.wants(group, case) {
            run.measure(group, case, threads, &refusal::contenders(threads));
        }
    }
}

fn set_lookups(run: &Run) {
    let group = "look a breaker up and call";
    let hosts = OnceCell::new();
    for threads in THREADS {
        let case = format!("100k, {}", on(threads));
        if run.wants(group, &case) {
            let hosts = hosts.get_or_init(|| Hosts::new(100_000));
            run.measure(group, &case, threads, &set::contenders(hosts, threads));
        }
    }
}
