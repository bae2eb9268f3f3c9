//! The command line of a benchmark.
//!
//! Its arguments are texts: a case is measured if its group and name contain each. `--json` prints one object for each
//! measurement. `--list-instructions` and `--instructions NAME` serve instruction counters, which run loops that do the same
//! number of things in every run, on whatever machine.

use std::env;
use std::process::ExitCode;

use super::measure::{Contender, measure};
use super::report::{self, Format};

/// The numbers of threads that cases come in.
pub(crate) const THREADS: [usize; 2] = [1, 2];

/// How a case calls so many threads.
pub(crate) fn on(threads: usize) -> &'static str {
    if threads == 1 { "1 thread" } else { "2 threads" }
}

/// A loop whose instructions are counted.
pub(crate) struct Loop {
    pub(crate) name: &'static str,
    /// A pattern for the name of the function in which instructions count.
    pub(crate) pattern: &'static str,
    /// How often that function does what is counted.
    pub(crate) iterations: usize,
    pub(crate) run: fn(),
}

/// Which cases are measured, and how they are shown.
#[derive(Default)]
pub(crate) struct Run {
    format: Format,
    filter: Vec<String>,
}

impl Run {
    pub(crate) fn wants(&self, group: &str, case: &str) -> bool {
        let name = format!("{group}: {case}");
        self.filter.iter().all(|text| name.contains(text.as_str()))
    }

    pub(crate) fn measure(&self, group: &str, case: &str, threads: usize, contenders: &[Contender<'_>]) {
        report::print(self.format, group, case, contenders, &measure(contenders, threads));
    }
}

/// Does what the arguments of the program ask for: measures the cases, or runs or lists the loops.
pub(crate) fn obey(loops: &[Loop], measure_cases: impl FnOnce(Run)) -> ExitCode {
    let mut run = Run::default();
    let mut arguments = env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            // What cargo hands to every benchmark.
            "--bench" => {}
            "--json" => run.format = Format::Json,
            "--list-instructions" => {
                for Loop { name, pattern, iterations, .. } in loops {
                    println!("{name}\t{pattern}\t{iterations}");
                }
                return ExitCode::SUCCESS;
            }
            "--instructions" => {
                let name = arguments.next().unwrap_or_default();
                let Some(found) = loops.iter().find(|candidate| candidate.name == name) else {
                    return refuse(&format!("no loop is called `{name}`; --list-instructions prints those there are"));
                };
                (found.run)();
                return ExitCode::SUCCESS;
            }
            option if option.starts_with('-') => {
                return refuse(&format!("there is no option {option}; the head of the program tells those there are"));
            }
            text => run.filter.push(text.to_owned()),
        }
    }
    measure_cases(run);
    ExitCode::SUCCESS
}

fn refuse(why: &str) -> ExitCode {
    eprintln!("{why}");
    ExitCode::FAILURE
}
