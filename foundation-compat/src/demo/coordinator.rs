//! The coordinator: hands work to whom the registry says can do it, and counts each result once.

use std::path::Path;
use std::sync::Arc;
use std::task::Waker;

use crossbeam_channel::{Receiver, bounded, never, select};
use foundation_types::{ExitReason, MonoTime, OwnerId, Wakeup};

use super::SurveyError;
use super::chaos::{Chaos, Fate};
use super::fleet::{Death, Fleet, ReportLines};
use super::ledger::{Blame, Demand, Ledger, Task};
use super::pulse::Bell;
use super::review::summary::ReviewTotals;
use super::roles::{Role, Site};
use super::settings::SurveySettings;
use super::spectator::{Event, Phase, Progress};
use super::survey::{ChaosSummary, SkipReason, Survey};
use super::tally::Tally;
use super::task::{FileKind, Found, FoundKind, GivenBack, Job, Message, Outcome, Report, TaskId, Text};

/// Reports of readers and analysts that may wait for the coordinator; beyond that they do.
const RESULTS_WAITING: usize = 256;

/// The same for scouts, whose reports hold many entries each.
const FINDINGS_WAITING: usize = 8;

/// Reports that are taken before work is handed out again.
const REPORTS_AT_ONCE: usize = 256;

/// The coordinator of one survey.
pub(super) struct Coordinator {
    site: Arc<Site>,
    fleet: Fleet,
    ledger: Ledger,
    tally: Tally,
    chaos: Option<Chaos>,
    troubles: ChaosSummary,
    progress: Progress,
    /// What scouts say. It is not listened to while there is no room for more files, which makes them wait.
    findings: Receiver<Message>,
    /// What the others say.
    results: Receiver<Message>,
    bell: Receiver<()>,
    waker: Waker,
    /// When the next agent will be overdue, if it is known, and the timer for it.
    alarm: (MonoTime, Option<Wakeup>),
}

impl Coordinator {
    /// Registers and starts a fleet.
    pub(super) fn new(site: Arc<Site>, settings: &SurveySettings) -> Result<Self, SurveyError> {
        let (findings_line, findings) = bounded(FINDINGS_WAITING);
        let (results_line, results) = bounded(RESULTS_WAITING);
        let (waker, bell) = Bell::hang();
        let lines = ReportLines { findings: findings_line, results: results_line };
        let fleet = Fleet::start(Arc::clone(&site), settings.crew, lines, waker.clone())?;
        Ok(Self {
            site,
            fleet,
            ledger: Ledger::new(),
            tally: Tally::new(settings.top),
            chaos: settings.chaos.map(Chaos::new),
            troubles: ChaosSummary { seed: settings.chaos, ..ChaosSummary::default() },
            progress: Progress { listed: Phase { done: 0, known: 1 }, ..Progress::default() },
            findings,
            results,
            bell,
            waker,
            alarm: (MonoTime::NEVER, None),
        })
    }

    /// Works until every file is counted or skipped.
    pub(super) fn run(mut self) -> Result<Survey, SurveyError> {
        let began = self.site.clock.mono();
        let end = self.work();
        let elapsed = self.site.clock.mono().saturating_since(began);
        let survey = end.map(|()| Survey {
            input: self.site.input.to_string_lossy().into_owned(),
            complete: self.tally.losses == 0 && self.tally.reviews.is_complete(),
            directories: self.tally.directories,
            files: self.tally.files,
            bytes: self.tally.bytes,
            top_files: self.tally.top_files(),
            skipped: self.tally.skipped(),
            skipped_count: self.tally.skipped_count,
            digest: self.tally.digest,
            other: self.tally.other,
            languages: std::mem::take(&mut self.tally.languages),
            reviews: self.reviews(),
            breakers: vec![self.site.gateway.breaker()],
            limiters: vec![self.site.gateway.limiter()],
            pools: vec![self.site.gateway.pool()],
            agents: self.fleet.summaries(),
            elapsed_ms: u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX),
            chaos: self.troubles,
        });
        // Whoever still reports what nobody wants any more must not wait for us.
        drop((self.findings, self.results));
        self.fleet.dismiss(&self.bell);
        survey
    }

    fn work(&mut self) -> Result<(), SurveyError> {
        loop {
            self.hand_out()?;
            self.show_progress();
            if self.ledger.is_done() {
                return Ok(());
            }
            self.listen()?;
        }
    }

    /// Waits for reports, a death or a deadline, and takes them in.
    fn listen(&mut self) -> Result<(), SurveyError> {
        let nothing = never();
        let has_room = self.ledger.has_room();
        let findings = if has_room { &self.findings } else { &nothing };
        select! {
            recv(self.results) -> message => self.take(message.map_err(|_| SurveyError::Deserted)?)?,
            recv(findings) -> message => self.take(message.map_err(|_| SurveyError::Deserted)?)?,
            recv(self.bell) -> _ => self.look_around()?,
        }
        for _ in 0..REPORTS_AT_ONCE {
            let Ok(message) = self.results.try_recv() else { break };
            self.take(message)?;
        }
        Ok(())
    }

    /// Hands waiting work to free agents, as far as there are any.
    fn hand_out(&mut self) -> Result<(), SurveyError> {
        for demand in self.ledger.demands() {
            let role = match demand {
                Demand::Scan => Role::Scout,
                Demand::Read => Role::Reader,
                Demand::Count(_) => Role::Analyst,
                Demand::Review => Role::Reviewer,
            };
            loop {
                let free = self.fleet.free(role);
                if free == 0 {
                    break;
                }
                let found = match demand {
                    Demand::Scan | Demand::Read | Demand::Review => self.fleet.find(&role.capability())?,
                    Demand::Count(language) => self.fleet.find_analyst(language)?,
                };
                let Some(agent) = found else { break };
                let handout = self.ledger.hand_out(demand, agent, free, self.chaos.as_mut());
                if handout.batch.is_empty() {
                    break;
                }
                // Before the agent begins, so that the bell rings however soon it hangs.
                self.expect_progress();
                self.fleet.hand(agent, handout.batch);
                match handout.fate {
                    Some(Fate::Kill) => {
                        self.fleet.kill(agent);
                        self.look_around()?;
                    }
                    Some(Fate::Slow) => self.troubles.slowed += 1,
                    // The agent sees to these itself; they are counted when they are noticed.
                    Some(Fate::Panic | Fate::Hang) | None => {}
                }
            }
        }
        Ok(())
    }

    /// Sees to it that the bell rings when the agent that was given work would be overdue.
    fn expect_progress(&mut self) {
        if self.alarm.1.is_none() {
            self.set_alarm(self.site.due(0));
        }
    }

    fn set_alarm(&mut self, at: MonoTime) {
        let wakeup = (at < MonoTime::NEVER).then(|| self.site.clock.wake_at(at, self.waker.clone()));
        self.alarm = (at, wakeup);
    }

    /// The bell rang: somebody died, or may be overdue.
    fn look_around(&mut self) -> Result<(), SurveyError> {
        if self.alarm.1.is_some() && self.alarm.0 <= self.site.clock.mono() {
            let next = self.fleet.end_overdue();
            self.set_alarm(next);
        }
        for death in self.fleet.deaths() {
            self.bury(&death)?;
        }
        Ok(())
    }

    fn bury(&mut self, death: &Death) -> Result<(), SurveyError> {
        let blame = match &death.reason {
            ExitReason::Killed if !death.was_hung => Blame::Nobody,
            _ => Blame::Task,
        };
        let (reassigned, given_up) = self.ledger.bury(death.owner, blame);
        if let Some(task) = given_up {
            let reason = SkipReason::GivenUp { attempts: task.attempts };
            match task.job {
                // The file itself is counted.
                Job::Review { .. } => self.tally.reviews.fail(&task.path, reason.to_string()),
                Job::Scan | Job::Read { .. } | Job::Count { .. } => self.tally.skip(&task.path, reason),
            }
        }
        self.troubles.reassigned += reassigned as u64;
        match &death.reason {
            _ if death.was_hung => self.troubles.hung += 1,
            ExitReason::Killed => self.troubles.killed += 1,
            ExitReason::Panic(_) => self.troubles.panicked += 1,
            _ => {}
        }
        let Death { agent, reason, was_hung, .. } = death;
        self.site.spectator.see(Event::Died { agent, reason, was_hung: *was_hung, reassigned });
        let restarts = self.fleet.restart(death)?;
        self.site.spectator.see(Event::Restarted { agent, restarts });
        Ok(())
    }

    fn take(&mut self, Message { from, report }: Message) -> Result<(), SurveyError> {
        match report {
            Report::Ready { worked } => self.fleet.note_ready(from, worked)?,
            Report::Found { directory, entries } if self.ledger.holds(from, directory) => {
                for entry in entries {
                    self.take_entry(directory, entry);
                }
            }
            Report::Found { .. } => self.troubles.discarded += 1,
            Report::Finished { task, outcome } => self.take_outcome(from, task, outcome),
        }
        Ok(())
    }

    fn take_entry(&mut self, directory: TaskId, Found { path, kind }: Found) {
        let id = match kind {
            FoundKind::Directory => TaskId::of_directory(&path),
            FoundKind::File { .. } | FoundKind::Skipped(_) => TaskId::of_file(&path),
        };
        if !self.ledger.note_found(directory, id) {
            return;
        }
        match kind {
            FoundKind::Directory => {
                self.progress.listed.known += 1;
                self.ledger.add_directory(path);
            }
            FoundKind::File { size } => {
                self.progress.read.known += 1;
                self.ledger.add_file(path, size);
            }
            FoundKind::Skipped(reason) => self.tally.skip(&path, reason),
        }
    }

    fn take_outcome(&mut self, from: OwnerId, id: TaskId, outcome: Outcome) {
        let Some(task) = self.ledger.finish(from, id) else {
            self.troubles.discarded += 1;
            return;
        };
        self.fleet.credit(from);
        let (outcome, task) = match outcome {
            Outcome::Returned(given_back) => return self.take_back(task, given_back),
            outcome => (outcome, task),
        };
        let path = &task.path;
        match task.job {
            Job::Scan => self.progress.listed.done += 1,
            Job::Read { .. } => self.progress.read.done += 1,
            Job::Count { .. } => self.progress.counted.done += 1,
            Job::Review { .. } => self.progress.reviewed.done += 1,
        }
        match (outcome, task.job) {
            (Outcome::Scanned, Job::Scan) => self.tally.directories += 1,
            (Outcome::Read(file), Job::Read { .. }) => {
                self.progress.bytes += file.record.bytes;
                match file.kind {
                    FileKind::Source { language, text } => {
                        self.progress.counted.known += 1;
                        self.ledger.add_count(Arc::clone(path), language, text, file.record);
                    }
                    FileKind::Other { text } => {
                        self.tally.add_other(path, &file.record, false);
                        self.send_for_review(path, text);
                    }
                    FileKind::Binary => {
                        self.tally.add_other(path, &file.record, true);
                        self.tally.reviews.leave_out_binary();
                    }
                }
            }
            (Outcome::Counted(lines), Job::Count { language, text, record }) => {
                self.tally.add_source(path, &record, language, lines);
                self.send_for_review(path, text);
            }
            (Outcome::Reviewed(findings), Job::Review { .. }) => {
                self.tally.reviews.add(path, findings);
            }
            (Outcome::Skipped(reason), _) => self.tally.skip(path, reason),
            (outcome, job) => unreachable!("no agent answers {job:?} with {outcome:?}"),
        }
    }

    /// A file was counted: what is to be reviewed of it.
    fn send_for_review(&mut self, path: &Arc<Path>, text: Text) {
        match text {
            Text::Here(text) if self.site.gateway.is_open() => {
                self.progress.reviewed.known += 1;
                self.ledger.add_review(Arc::clone(path), text);
            }
            Text::Here(_) => self.tally.reviews.fail(path, self.site.gateway.why_gone()),
            Text::Large | Text::Wide => self.tally.reviews.leave_out(&text),
        }
    }

    /// A reviewer gave a text back, for another one to try later, unless the service is gone.
    fn take_back(&mut self, task: Task, GivenBack { reason, blame }: GivenBack) {
        self.tally.reviews.note_returned();
        let given_up = if self.site.gateway.is_open() {
            self.ledger.review_again(task, blame)
        } else {
            for waiting in self.ledger.drop_reviews() {
                self.tally.reviews.fail(&waiting.path, self.site.gateway.why_gone());
            }
            Some(task)
        };
        if let Some(task) = given_up {
            self.tally.reviews.fail(&task.path, reason);
        }
    }

    fn reviews(&self) -> ReviewTotals {
        let mut totals = self.tally.reviews.totals();
        self.site.gateway.sum_up(&mut totals);
        totals
    }

    fn show_progress(&mut self) {
        self.progress.agents = self.fleet.attendance();
        self.progress.restarts = self.fleet.restarts();
        self.progress.reassigned = self.troubles.reassigned;
        self.site.spectator.see(Event::Progress(&self.progress));
    }
}
