//! The book of tasks: what waits, who holds what, and what counts.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::path::Path;
use std::sync::Arc;

use foundation_types::OwnerId;

use super::chaos::{Chaos, Fate};
use super::language::Language;
use super::settings::{BYTES_IN_FLIGHT, INLINE_LIMIT, MAX_ATTEMPTS, MAX_BATCH, MAX_BATCH_BYTES, MAX_WAITING_FILES};
use super::survey::Left;
use super::task::{Assignment, Batch, Contents, FileRecord, Job, TaskId, Text};

/// A task in the book.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) path: Arc<Path>,
    pub(super) job: Job,
    /// How many agents died of it, as it seems, or gave it back for what is in it.
    pub(super) attempts: u8,
    /// Whether chaos has had its chance with it.
    is_dealt: bool,
}

impl Task {
    fn new(id: TaskId, path: Arc<Path>, job: Job) -> Self {
        Self { id, path, job, attempts: 0, is_dealt: false }
    }

    /// The bytes of contents it holds, or will hold as soon as it is handed out.
    fn weight(&self) -> u64 {
        match &self.job {
            Job::Scan => 0,
            Job::Read { size } => (*size).min(INLINE_LIMIT),
            Job::Count { text, .. } => text.contents().map_or(0, |contents| contents.len() as u64),
            Job::Review { text } => text.len() as u64,
        }
    }
}

/// A kind of work that some agent is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Demand {
    Scan,
    Read,
    Count(Language),
    Review,
}

/// Whether it may be for the task itself that it was not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The agent panicked, or hung; or the reviewing service answered, with anything but a review.
    Task,
    /// The agent was killed from outside; or it gave the task back for another reason.
    Nobody,
}

/// A batch for one agent.
pub(super) struct Handout {
    pub(super) batch: Batch,
    /// What chaos does to the agent.
    pub(super) fate: Option<Fate>,
}

/// Every task is in one place: waiting, or held by one life of one agent. A result counts only if it comes from the holder,
/// and takes the task out of the book; so a file counts once, whoever reports it how often. Tasks of dead agents go back to
/// the front of the queue.
///
/// It forgets what is done, so it does not grow with the number of files.
#[derive(Default)]
pub(super) struct Ledger {
    /// The newest first, which keeps the front of the walk narrow.
    scans: Vec<Task>,
    reads: VecDeque<Task>,
    counts: BTreeMap<Language, VecDeque<Task>>,
    /// Files to be counted from their path, one at a time.
    large: VecDeque<Task>,
    large_is_out: bool,
    reviews: VecDeque<Task>,
    held: HashMap<TaskId, (OwnerId, Task)>,
    hands: HashMap<OwnerId, VecDeque<TaskId>>,
    /// What was found in each directory that is being listed, so that a second listing adds nothing twice.
    open: HashMap<TaskId, HashSet<TaskId>>,
    /// Files that wait or are held.
    files: usize,
    bytes_in_flight: u64,
}

impl Ledger {
    /// A book with one task: to list the input.
    pub(super) fn new() -> Self {
        let mut ledger = Self::default();
        ledger.add_directory(Path::new("").into());
        ledger
    }

    /// Whether nothing is left to do.
    pub(super) fn is_done(&self) -> bool {
        self.scans.is_empty() && self.files == 0 && self.held.is_empty()
    }

    /// What is left to do, as far as is known.
    pub(super) fn left(&self) -> Left {
        let mut left = Left {
            directories: self.scans.len() as u64,
            unread: self.reads.len() as u64,
            uncounted: (self.large.len() + self.counts.values().map(VecDeque::len).sum::<usize>()) as u64,
            unreviewed: self.reviews.len() as u64,
        };
        for (_, task) in self.held.values() {
            match task.job {
                Job::Scan => left.directories += 1,
                Job::Read { .. } => left.unread += 1,
                Job::Count { .. } => left.uncounted += 1,
                Job::Review { .. } => left.unreviewed += 1,
            }
        }
        left
    }

    /// Whether scouts may report more files.
    pub(super) fn has_room(&self) -> bool {
        self.files < MAX_WAITING_FILES
    }

    /// The kinds of work that wait: reviewing before counting before reading before listing, so that what has begun ends first.
    pub(super) fn demands(&self) -> Vec<Demand> {
        let mut languages: Vec<_> = self.counts.iter().map(|(language, tasks)| (tasks.len(), *language)).collect();
        languages.sort_unstable_by(|a, b| b.cmp(a));
        let reviewing = (!self.reviews.is_empty()).then_some(Demand::Review);
        let counting = languages.into_iter().map(|(_, language)| Demand::Count(language));
        let mut demands: Vec<_> = reviewing.into_iter().chain(counting).collect();
        if let (false, Some(Job::Count { language, .. })) =
            (self.large_is_out, self.large.front().map(|task| &task.job))
            && !demands.contains(&Demand::Count(*language))
        {
            demands.push(Demand::Count(*language));
        }
        if self.reads.front().is_some_and(|task| self.admits(task)) {
            demands.push(Demand::Read);
        }
        if !self.scans.is_empty() && self.has_room() {
            demands.push(Demand::Scan);
        }
        demands
    }

    /// The next tasks of a kind, for `agent`, which becomes their holder; no more than its share if `hands` agents are to
    /// have work. Empty if there is nothing to do.
    pub(super) fn hand_out(
        &mut self,
        demand: Demand,
        agent: OwnerId,
        hands: usize,
        mut chaos: Option<&mut Chaos>,
    ) -> Handout {
        let tasks = self.take(demand, hands.max(1));
        let mut handout = Handout { batch: Batch::with_capacity(tasks.len()), fate: None };
        let hand = self.hands.entry(agent).or_default();
        for mut task in tasks {
            let mut fate = None;
            // One misfortune a batch: an agent dies but once.
            if let Some(chaos) = &mut chaos
                && !task.is_dealt
                && handout.fate.is_none()
            {
                task.is_dealt = true;
                fate = chaos.deal();
                handout.fate = fate;
            }
            let (id, path, job) = (task.id, Arc::clone(&task.path), task.job.clone());
            hand.push_back(id);
            self.held.insert(id, (agent, task));
            handout.batch.push(Assignment { id, path, job, fate });
        }
        handout
    }

    fn take(&mut self, demand: Demand, hands: usize) -> Vec<Task> {
        let share = |waiting: usize| waiting.div_ceil(hands).min(MAX_BATCH);
        match demand {
            Demand::Scan => {
                let rest = self.scans.len() - share(self.scans.len());
                self.scans.split_off(rest)
            }
            Demand::Read => {
                let limit = share(self.reads.len());
                let mut tasks = Vec::with_capacity(limit);
                let mut bytes = 0;
                while tasks.len() < limit
                    && let Some(task) =
                        self.reads.pop_front_if(|task| admits(self.bytes_in_flight, task) && fits(bytes, task))
                {
                    bytes += task.weight();
                    self.bytes_in_flight += task.weight();
                    tasks.push(task);
                }
                tasks
            }
            Demand::Count(language) => self.take_counts(language, share),
            Demand::Review => {
                let limit = share(self.reviews.len());
                take_front(&mut self.reviews, limit)
            }
        }
    }

    fn take_counts(&mut self, language: Language, share: impl Fn(usize) -> usize) -> Vec<Task> {
        if !self.large_is_out
            && let Some(task) =
                self.large.pop_front_if(|task| matches!(&task.job, Job::Count { language: of, .. } if *of == language))
        {
            self.large_is_out = true;
            return vec![task];
        }
        let Some(waiting) = self.counts.get_mut(&language) else { return Vec::new() };
        let limit = share(waiting.len());
        let tasks = take_front(waiting, limit);
        if waiting.is_empty() {
            self.counts.remove(&language);
        }
        tasks
    }

    fn admits(&self, task: &Task) -> bool {
        admits(self.bytes_in_flight, task)
    }

    /// Takes the task that `agent` has finished out of the book; `None` if the agent does not hold it, any more perhaps.
    pub(super) fn finish(&mut self, agent: OwnerId, id: TaskId) -> Option<Task> {
        if self.held.get(&id).is_none_or(|(holder, _)| *holder != agent) {
            return None;
        }
        let (_, task) = self.held.remove(&id)?;
        if let Some(hand) = self.hands.get_mut(&agent)
            && let Some(at) = hand.iter().position(|held| *held == id)
        {
            hand.remove(at);
        }
        self.close(&task);
        Some(task)
    }

    /// What follows from a task leaving the book.
    fn close(&mut self, task: &Task) {
        match &task.job {
            Job::Scan => {
                self.open.remove(&task.id);
            }
            Job::Read { .. } | Job::Review { .. } => {
                self.files -= 1;
                self.bytes_in_flight -= task.weight();
            }
            Job::Count { text, .. } => {
                self.files -= 1;
                self.bytes_in_flight -= task.weight();
                self.large_is_out &= text.contents().is_some();
            }
        }
    }

    /// Takes all tasks from an agent that died. They wait again, but for the one it was at if it has been the death of too
    /// many: that is given back, for good. Returns how many wait again.
    pub(super) fn bury(&mut self, agent: OwnerId, blame: Blame) -> (usize, Option<Task>) {
        let hand = self.hands.remove(&agent).unwrap_or_default();
        let mut given_up = None;
        let mut waiting = 0;
        for (place, id) in hand.into_iter().enumerate().rev() {
            let Some((_, mut task)) = self.held.remove(&id) else { continue };
            // Agents work in order, so the first task without a result is the one it was at.
            task.attempts += u8::from(place == 0 && blame == Blame::Task);
            if task.attempts >= MAX_ATTEMPTS {
                self.close(&task);
                given_up = Some(task);
            } else {
                self.put_back(task);
                waiting += 1;
            }
        }
        (waiting, given_up)
    }

    fn put_back(&mut self, task: Task) {
        match &task.job {
            Job::Scan => self.scans.push(task),
            Job::Read { .. } => {
                self.bytes_in_flight -= task.weight();
                self.reads.push_front(task);
            }
            Job::Count { language, text: Text::Here(_), .. } => {
                self.counts.entry(*language).or_default().push_front(task);
            }
            Job::Count { text: Text::Large | Text::Wide, .. } => {
                self.large_is_out = false;
                self.large.push_front(task);
            }
            Job::Review { .. } => self.reviews.push_front(task),
        }
    }

    /// Whether `agent` holds the task.
    pub(super) fn holds(&self, agent: OwnerId, id: TaskId) -> bool {
        self.held.get(&id).is_some_and(|(holder, _)| *holder == agent)
    }

    /// Notes that something was found in a directory that is being listed; `false` if it was found before.
    pub(super) fn note_found(&mut self, directory: TaskId, found: TaskId) -> bool {
        self.open.entry(directory).or_default().insert(found)
    }

    pub(super) fn add_directory(&mut self, path: Arc<Path>) {
        self.scans.push(Task::new(TaskId::of_directory(&path), path, Job::Scan));
    }

    pub(super) fn add_file(&mut self, path: Arc<Path>, size: u64) {
        self.files += 1;
        self.reads.push_back(Task::new(TaskId::of_file(&path), path, Job::Read { size }));
    }

    /// A file was read, and its lines are to be counted.
    pub(super) fn add_count(&mut self, path: Arc<Path>, language: Language, text: Text, record: FileRecord) {
        let is_large = text.contents().is_none();
        let task = Task::new(TaskId::of_file(&path), path, Job::Count { language, text, record });
        self.files += 1;
        self.bytes_in_flight += task.weight();
        if is_large {
            self.large.push_back(task);
        } else {
            self.counts.entry(language).or_default().push_back(task);
        }
    }

    /// A file was counted, and its text is to be reviewed.
    pub(super) fn add_review(&mut self, path: Arc<Path>, text: Contents) {
        self.queue_review(Task::new(TaskId::of_file(&path), path, Job::Review { text }));
    }

    /// Has a review that an agent gave back wait again, behind all others; or gives it back, for good, if too many agents did
    /// because of the task.
    pub(super) fn review_again(&mut self, mut task: Task, blame: Blame) -> Option<Task> {
        task.attempts += u8::from(blame == Blame::Task);
        if task.attempts >= MAX_ATTEMPTS {
            return Some(task);
        }
        self.queue_review(task);
        None
    }

    fn queue_review(&mut self, task: Task) {
        self.files += 1;
        self.bytes_in_flight += task.weight();
        self.reviews.push_back(task);
    }

    /// Takes all reviews that wait out of the book.
    pub(super) fn drop_reviews(&mut self) -> Vec<Task> {
        let dropped: Vec<_> = self.reviews.drain(..).collect();
        for task in &dropped {
            self.close(task);
        }
        dropped
    }
}

/// As many tasks as `limit`, and as belong into one batch.
fn take_front(waiting: &mut VecDeque<Task>, limit: usize) -> Vec<Task> {
    let mut tasks = Vec::with_capacity(limit);
    let mut bytes = 0;
    while tasks.len() < limit
        && let Some(task) = waiting.pop_front_if(|task| fits(bytes, task))
    {
        bytes += task.weight();
        tasks.push(task);
    }
    tasks
}

/// Whether the contents of the file may be held besides `in_flight` bytes of others.
fn admits(in_flight: u64, task: &Task) -> bool {
    in_flight == 0 || in_flight + task.weight() <= BYTES_IN_FLIGHT
}

/// Whether the file belongs into a batch of so many bytes.
fn fits(batch: u64, task: &Task) -> bool {
    batch == 0 || batch + task.weight() <= MAX_BATCH_BYTES
}

#[cfg(test)]
mod tests;
