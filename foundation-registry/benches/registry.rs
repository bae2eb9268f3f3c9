//! The registry beside its peers: the concurrent maps that it could be made of, and the registries of actor frameworks.
//!
//! ```text
//! cargo bench -p foundation-registry --features agent --bench registry [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `xtask/bench-support/command.rs` tells the other arguments.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment. Raw maps have keys and values of the
//! same types as the registry's, the same hash function, and one owner a name; keys are visited in one random order. What
//! the registry does beyond a map is in its times: the owner's liveness, generations, exit hooks, lists by namespace.

#[path = "../../xtask/bench-support/mod.rs"]
mod bench;
mod support;

use std::cell::OnceCell;
use std::process::ExitCode;

use bench::command::{self, Run, THREADS, on};
use support::capability::{self, Agents, Which};
use support::churn::{self, Newcomers};
use support::death::{self, Mortals};
use support::enumeration::{self, Corner};
use support::fleet::Fleet;
use support::frameworks::{self, Troupe};
use support::instructions::LOOPS;
use support::lookup::{self, Take};

fn main() -> ExitCode {
    command::obey(&LOOPS, |run| {
        let mut cases = Cases { run, fleets: Default::default() };
        cases.lookups();
        cases.churn();
        cases.deaths();
        cases.enumerations();
        cases.capabilities();
        // A million of everything takes gigabytes, and there is as much to come.
        cases.fleets = Default::default();
        cases.actors();
    })
}

/// How many entries there are.
#[derive(Clone, Copy, Debug)]
enum Size {
    Thousand,
    HundredThousand,
    Million,
}

impl Size {
    const ALL: [Self; 3] = [Self::Thousand, Self::HundredThousand, Self::Million];

    fn entries(self) -> usize {
        match self {
            Self::Thousand => 1_000,
            Self::HundredThousand => 100_000,
            Self::Million => 1_000_000,
        }
    }

    fn label(self) -> &'static str {
        match self {
            Self::Thousand => "1k",
            Self::HundredThousand => "100k",
            Self::Million => "1M",
        }
    }
}

/// What is measured.
struct Cases {
    run: Run,
    /// By [`Size`], each made when first wanted.
    fleets: [OnceCell<Fleet>; Size::ALL.len()],
}

impl Cases {
    fn fleet(&self, size: Size) -> &Fleet {
        self.fleets[size as usize].get_or_init(|| Fleet::new(size.entries()))
    }

    /// Runs `each` for the sizes and numbers of threads whose case is wanted.
    fn each(&self, group: &str, detail: &str, mut each: impl FnMut(Size, usize, &str)) {
        for size in Size::ALL {
            for threads in THREADS {
                let case = format!("{}{detail}, {}", size.label(), on(threads));
                if self.run.wants(group, &case) {
                    each(size, threads, &case);
                }
            }
        }
    }

    fn lookups(&self) {
        for take in Take::ALL {
            let group = take.group();
            self.each(group, "", |size, threads, case| {
                self.run.measure(group, case, threads, &lookup::contenders(self.fleet(size), threads, take));
            });
        }
    }

    fn churn(&self) {
        let group = "register+unregister";
        self.each(group, "", |size, threads, case| {
            let newcomers = Newcomers::new(threads);
            self.run.measure(group, case, threads, &churn::contenders(self.fleet(size), &newcomers));
        });
    }

    fn deaths(&self) {
        let group = "owner death, a name";
        for (names, detail) in [(1, ", 1 name each"), (100, ", 100 names each")] {
            self.each(group, detail, |size, threads, case| {
                let mortals = Mortals::new(threads, names);
                self.run.measure(group, case, threads, &death::contenders(self.fleet(size), &mortals));
            });
        }
    }

    fn enumerations(&self) {
        let group = "services of a namespace";
        for threads in THREADS {
            let case = format!("100 beside 100k, {}", on(threads));
            if self.run.wants(group, &case) {
                let registry = &self.fleet(Size::HundredThousand).registry;
                let corner = Corner::new(registry, 100);
                self.run.measure(group, &case, threads, &enumeration::contenders(registry, &corner));
            }
        }
    }

    fn capabilities(&self) {
        let group = "capability query";
        let agents = OnceCell::new();
        for which in [Which::Same, Which::InTurn] {
            for threads in THREADS {
                let case = format!("10 of 100k, {}, {}", which.label(), on(threads));
                if self.run.wants(group, &case) {
                    let agents = agents.get_or_init(|| Agents::new(Size::HundredThousand.entries()));
                    self.run.measure(group, &case, threads, &capability::contenders(agents, which));
                }
            }
        }
    }

    fn actors(&self) {
        let group = "lookup beside actors";
        let mut troupe = Troupe::new();
        self.each(group, "", |size, threads, case| {
            troupe.grow_to(size.entries());
            self.run.measure(group, case, threads, &frameworks::contenders(&troupe, threads));
        });
    }
}
