//! Measuring several ways of doing one thing side by side, so that their ratios mean something on a machine that is not
//! quiet.
//!
//! Time is cut into beats of a millisecond. A beat in which the scheduler kept one of the threads waiting is thrown away,
//! where the system tells (Linux does). A turn is a few beats of one contender; contenders take turns, round after round,
//! so that a slow minute of the machine hits all of them; the result is the median over the rounds.

use std::hint::spin_loop;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const BEAT: Duration = Duration::from_millis(1);
const WARM_UP_BEATS: usize = 2;
const BEATS: usize = 4;
/// Beats of a turn, disturbed ones included, before it makes do with what it has.
const MOST_BEATS: usize = 16;
const ROUNDS: usize = 25;
/// The share of a beat that a thread may have waited for a processor, or begun later than another.
const DISTURBED: f64 = 0.03;

/// A number of operations and the time that they took, preparations not counted.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sample {
    pub(crate) operations: u64,
    pub(crate) time: Duration,
}

/// What thread number `thread` does in one go. It keeps its place in a `cursor` of its own, which starts at zero.
pub(crate) type Work<'a> = Box<dyn Fn(usize, &mut usize) -> Sample + Sync + 'a>;

/// One way of doing what a case is about.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    pub(crate) standing: Standing,
    pub(crate) note: Option<String>,
    pub(crate) work: Work<'a>,
}

/// Whose implementation a contender is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Standing {
    /// Ours; at most so many times the fastest peer's time is good enough.
    Ours {
        target: Option<f64>,
    },
    Peer,
}

impl<'a> Contender<'a> {
    pub(crate) fn ours(name: &'static str, target: impl Into<Option<f64>>, work: Work<'a>) -> Self {
        Self { name, standing: Standing::Ours { target: target.into() }, note: None, work }
    }

    pub(crate) fn peer(name: &'static str, work: Work<'a>) -> Self {
        Self { name, standing: Standing::Peer, note: None, work }
    }

    pub(crate) fn note(mut self, note: impl Into<String>) -> Self {
        self.note = Some(note.into());
        self
    }
}

/// Work that times a run of `operations` calls of `operation` as a whole.
pub(crate) fn timed<'a>(operations: usize, operation: impl Fn(usize, usize) + Sync + 'a) -> Work<'a> {
    Box::new(move |thread, cursor| {
        let start = Instant::now();
        for number in *cursor..*cursor + operations {
            operation(thread, number);
        }
        let time = start.elapsed();
        *cursor += operations;
        Sample { operations: operations as u64, time }
    })
}

/// What a contender took.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Nanoseconds an operation.
    pub(crate) ns: f64,
    /// The share of its turns in which no beat went undisturbed.
    pub(crate) disturbed: f64,
}

/// What each contender took, on so many threads at once.
pub(crate) fn measure(contenders: &[Contender<'_>], threads: usize) -> Vec<Measured> {
    let meeting = Meeting::new(threads);
    thread::scope(|scope| {
        for thread in 1..threads {
            let meeting = &meeting;
            scope.spawn(move || take_turns(contenders, meeting, thread));
        }
        take_turns(contenders, &meeting, 0)
    })
}

/// Every thread runs the same schedule and comes to the same conclusions.
fn take_turns(contenders: &[Contender<'_>], meeting: &Meeting, thread: usize) -> Vec<Measured> {
    let mut cursors = vec![0; contenders.len()];
    let mut rounds = vec![Vec::with_capacity(ROUNDS); contenders.len()];
    for _ in 0..ROUNDS {
        for ((contender, cursor), rounds) in contenders.iter().zip(&mut cursors).zip(&mut rounds) {
            rounds.push(turn(contender, cursor, meeting, thread));
        }
    }
    rounds.into_iter().map(median).collect()
}

/// The undisturbed beats of one turn, or else the least disturbed one.
fn turn(contender: &Contender<'_>, cursor: &mut usize, meeting: &Meeting, thread: usize) -> Beat {
    let mut good = Beat::default();
    let mut number_of_good = 0;
    let mut least_disturbed = Beat { waited: f64::INFINITY, ..Beat::default() };
    for number in 0..WARM_UP_BEATS + MOST_BEATS {
        let beat = meeting.hold(thread, |start| beat(contender, cursor, thread, start));
        if number < WARM_UP_BEATS {
            continue;
        }
        if beat.waited < least_disturbed.waited {
            least_disturbed = beat;
        }
        if beat.waited <= DISTURBED {
            good = Beat { operations: good.operations + beat.operations, ns: good.ns + beat.ns, waited: 0.0 };
            number_of_good += 1;
        }
        if number_of_good == BEATS {
            break;
        }
    }
    if number_of_good == 0 { least_disturbed } else { good }
}

/// What one thread, or all of them, did in a beat.
#[derive(Clone, Copy, Debug, Default)]
struct Beat {
    operations: f64,
    ns: f64,
    /// The longest share of the beat that a thread was kept waiting for a processor, or began later than another.
    waited: f64,
}

fn beat(contender: &Contender<'_>, cursor: &mut usize, thread: usize, start: Instant) -> Beat {
    let delay_before = run_delay();
    let mut beat = Beat::default();
    let mut elapsed = Duration::ZERO;
    while elapsed < BEAT {
        let sample = (contender.work)(thread, cursor);
        beat.operations += sample.operations as f64;
        beat.ns += sample.time.as_nanos() as f64;
        elapsed = start.elapsed();
    }
    beat.waited = (run_delay() - delay_before) as f64 / elapsed.as_nanos() as f64;
    beat
}

/// How long this thread has been ready to run without a processor, in nanoseconds; always 0 where the system does not say.
fn run_delay() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat");
    stat.ok().and_then(|stat| stat.split_whitespace().nth(1)?.parse().ok()).unwrap_or(0)
}

fn median(turns: Vec<Beat>) -> Measured {
    let disturbed = turns.iter().filter(|turn| turn.waited > DISTURBED).count() as f64 / turns.len() as f64;
    let mut times: Vec<f64> = turns.into_iter().map(|turn| turn.ns / turn.operations).collect();
    times.sort_by(f64::total_cmp);
    Measured { ns: times[times.len() / 2], disturbed }
}

/// Where threads meet before and after a beat, and exchange what they did in it.
struct Meeting {
    epoch: Instant,
    arrived: AtomicUsize,
    beats: Vec<[AtomicU64; 4]>,
}

impl Meeting {
    fn new(threads: usize) -> Self {
        let beats = (0..threads).map(|_| Default::default()).collect();
        Self { epoch: Instant::now(), arrived: AtomicUsize::new(0), beats }
    }

    /// Runs `beat` on all threads at once and returns the sum of them to each.
    fn hold(&self, thread: usize, beat: impl FnOnce(Instant) -> Beat) -> Beat {
        self.wait();
        let start = Instant::now();
        let own = beat(start);
        let started = (start - self.epoch).as_nanos() as f64;
        for (cell, value) in self.beats[thread].iter().zip([own.operations, own.ns, own.waited, started]) {
            cell.store(value.to_bits(), Ordering::Relaxed);
        }
        self.wait();
        let (mut sum, mut first, mut last) = (Beat::default(), f64::INFINITY, 0.0_f64);
        for cells in &self.beats {
            let [operations, ns, waited, started] =
                [0, 1, 2, 3].map(|cell| f64::from_bits(cells[cell].load(Ordering::Relaxed)));
            sum = Beat { operations: sum.operations + operations, ns: sum.ns + ns, waited: sum.waited.max(waited) };
            (first, last) = (first.min(started), last.max(started));
        }
        // A thread that got its processor late let the others run alone meanwhile, though nobody waited in a beat.
        sum.waited = sum.waited.max((last - first) / BEAT.as_nanos() as f64);
        sum
    }

    /// Spins, so that no thread starts late for having to be woken.
    fn wait(&self) {
        let threads = self.beats.len();
        let ticket = self.arrived.fetch_add(1, Ordering::AcqRel);
        let full = (ticket / threads + 1) * threads;
        let mut spins = 0_u32;
        while self.arrived.load(Ordering::Acquire) < full {
            spins += 1;
            if spins.is_multiple_of(1 << 12) { thread::yield_now() } else { spin_loop() }
        }
    }
}
