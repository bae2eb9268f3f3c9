//! The registry beside its peers: the concurrent maps that it could be made of, and the registries of actor frameworks.
//!
//! ```text
//! cargo bench -p foundation-registry --features agent --bench registry [-- [--json] [TEXT]...]
//! ```
//!
//! measures the cases whose group and case contain each TEXT; `--json` prints one object for each measurement.
//! `--list-instructions` and `--instructions NAME` serve instruction counters: see `support/instructions.rs`.
//!
//! Only the ratios within one run mean anything beyond the machine and the moment. Raw maps have keys and values of the
//! same types as the registry's, the same hash function, and one owner a name; keys are visited in one random order. What
//! the registry does beyond a map is in its times: the owner's liveness, generations, exit hooks, lists by namespace.

mod support;

use std::cell::OnceCell;
use std::env;
use std::process::ExitCode;

use support::capability::{self, Agents, Which};
use support::churn::{self, Newcomers};
use support::death::{self, Mortals};
use support::enumeration::{self, Corner};
use support::fleet::Fleet;
use support::frameworks::{self, Troupe};
use support::instructions;
use support::lookup::{self, Take};
use support::measure::{Contender, measure};
use support::report::{self, Format};

const THREADS: [usize; 2] = [1, 2];

fn main() -> ExitCode {
    let mut run = Run::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // What cargo hands to every benchmark.
            "--bench" => {}
            "--json" => run.format = Format::Json,
            "--list-instructions" => {
                instructions::list();
                return ExitCode::SUCCESS;
            }
            "--instructions" => {
                let name = arguments.next().unwrap_or_default();
                if instructions::run(&name) {
                    return ExitCode::SUCCESS;
                }
                return refuse(&format!("no loop is called `{name}`; --list-instructions prints those there are"));
            }
            option if option.starts_with('-') => {
                return refuse(&format!("there is no option {option}; the head of the program tells those there are"));
            }
            text => run.filter.push(text.to_owned()),
        }
    }
    run.lookups();
    run.churn();
    run.deaths();
    run.enumerations();
    run.capabilities();
    // A million of everything takes gigabytes, and there is as much to come.
    run.fleets = Default::default();
    run.actors();
    ExitCode::SUCCESS
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
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

fn on(threads: usize) -> &'static str {
    if threads == 1 { "1 thread" } else { "2 threads" }
}

/// Which cases are measured, and how they are shown.
#[derive(Default)]
struct Run {
    format: Format,
    filter: Vec<String>,
    /// By [`Size`], each made when first wanted.
    fleets: [OnceCell<Fleet>; Size::ALL.len()],
}

impl Run {
    fn fleet(&self, size: Size) -> &Fleet {
        self.fleets[size as usize].get_or_init(|| Fleet::new(size.entries()))
    }

    fn wants(&self, group: &str, case: &str) -> bool {
        let name = format!("{group}: {case}");
        self.filter.iter().all(|text| name.contains(text.as_str()))
    }

    fn measure(&self, group: &str, case: &str, threads: usize, contenders: &[Contender<'_>]) {
        report::print(self.format, group, case, contenders, &measure(contenders, threads));
    }

    /// Runs `each` for the sizes and numbers of threads whose case is wanted.
    fn cases(&self, group: &str, detail: &str, mut each: impl FnMut(Size, usize, &str)) {
        for size in Size::ALL {
            for threads in THREADS {
                let case = format!("{}{detail}, {}", size.label(), on(threads));
                if self.wants(group, &case) {
                    each(size, threads, &case);
                }
            }
        }
    }

    fn lookups(&self) {
        for take in Take::ALL {
            let group = take.group();
            self.cases(group, "", |size, threads, case| {
                self.measure(group, case, threads, &lookup::contenders(self.fleet(size), threads, take));
            });
        }
    }

    fn churn(&self) {
        let group = "register+unregister";
        self.cases(group, "", |size, threads, case| {
            let newcomers = Newcomers::new(threads);
            self.measure(group, case, threads, &churn::contenders(self.fleet(size), &newcomers));
        });
    }

    fn deaths(&self) {
        let group = "owner death, a name";
        for (names, detail) in [(1, ", 1 name each"), (100, ", 100 names each")] {
            self.cases(group, detail, |size, threads, case| {
                let mortals = Mortals::new(threads, names);
                self.measure(group, case, threads, &death::contenders(self.fleet(size), &mortals));
            });
        }
    }

    fn enumerations(&self) {
        let group = "services of a namespace";
        for threads in THREADS {
            let case = format!("100 beside 100k, {}", on(threads));
            if self.wants(group, &case) {
                let registry = &self.fleet(Size::HundredThousand).registry;
                let corner = Corner::new(registry, 100);
                self.measure(group, &case, threads, &enumeration::contenders(registry, &corner));
            }
        }
    }

    fn capabilities(&self) {
        let group = "capability query";
        let agents = OnceCell::new();
        for which in [Which::Same, Which::InTurn] {
            for threads in THREADS {
                let case = format!("10 of 100k, {}, {}", which.label(), on(threads));
                if self.wants(group, &case) {
                    let agents = agents.get_or_init(|| Agents::new(Size::HundredThousand.entries()));
                    self.measure(group, &case, threads, &capability::contenders(agents, which));
                }
            }
        }
    }

    fn actors(&self) {
        let group = "lookup beside actors";
        let mut troupe = Troupe::new();
        self.cases(group, "", |size, threads, case| {
            troupe.grow_to(size.entries());
            self.measure(group, case, threads, &frameworks::contenders(&troupe, threads));
        });
    }
}
