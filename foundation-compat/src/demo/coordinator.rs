//! The coordinator: hands work to whom the registry says can do it, and counts each result once.

use std::future::Future;
use std::path::Path;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossbeam_channel::{Receiver, bounded, never, select};
use foundation_config::{Delivery, Filter, Reader, Subscription};
use foundation_types::liveness::ShutdownSignal;
use foundation_types::{ExitReason, MonoTime, OwnerId, Wakeup};

use super::SurveyError;
use super::chaos::{Chaos, Fate};
use super::config::{DemoSettings, Journal, Opened};
use super::fleet::{Death, Fleet, News, ReportLines};
use super::ledger::{Blame, Demand, Ledger, Task};
use super::pulse::Bell;
use super::review::Chronicle;
use super::review::summary::ReviewTotals;
use super::roles::{Role, Site};
use super::script::Script;
use super::services;
use super::settings::STOP_GRACE;
use super::spectator::{Event, Phase, Progress};
use super::survey::{ChaosSummary, Left, LifecycleSummary, SkipReason, Survey};
use super::tally::Tally;
use super::task::{FileKind, Found, FoundKind, GivenBack, Job, Message, Outcome, Report, TaskId, Text};

/// Reports of readers and analysts that may wait for the coordinator; beyond that they do.
const RESULTS_WAITING: usize = 256;

/// The same for scouts, whose reports hold many entries each.
const FINDINGS_WAITING: usize = 8;

/// Reports that are taken before work is handed out again.
const REPORTS_AT_ONCE: usize = 256;

/// What a coordinator is given beside what it shares with the agents.
pub(super) struct Brief {
    pub(super) opened: Arc<Opened>,
    pub(super) chronicle: Arc<Chronicle>,
    pub(super) journal: Arc<Journal>,
    pub(super) chaos: Option<u64>,
    /// Raised to stop early.
    pub(super) stop: Option<ShutdownSignal>,
}

/// The coordinator of one survey.
pub(super) struct Coordinator {
    site: Arc<Site>,
    fleet: Fleet,
    ledger: Ledger,
    tally: Tally,
    settings: Reader<DemoSettings>,
    changes: Subscription<DemoSettings>,
    chronicle: Arc<Chronicle>,
    journal: Arc<Journal>,
    chaos: Option<Chaos>,
    script: Option<Script>,
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
    stop: Option<ShutdownSignal>,
    left: Option<Left>,
}

impl Coordinator {
    /// Registers and starts a fleet.
    pub(super) fn new(site: Arc<Site>, brief: Brief) -> Result<Self, SurveyError> {
        let Brief { opened, chronicle, journal, chaos, stop } = brief;
        let (findings_line, findings) = bounded(FINDINGS_WAITING);
        let (results_line, results) = bounded(RESULTS_WAITING);
        let (waker, bell) = Bell::hang();
        let lines = ReportLines { findings: findings_line, results: results_line };
        let mut settings = site.settings.reader();
        // From here on: the overrides of the file have been set before.
        let changes = site.settings.subscribe(Filter::any_agent()).expect("it is the first one");
        journal.begin_at(settings.snapshot().version().get());
        let (crew, top) = (settings.load().crew(), settings.load().report.top);
        let others = services::specs(&site, &opened, &chronicle);
        let fleet = Fleet::start(Arc::clone(&site), crew, &lines, waker.clone(), others)?;
        let mut coordinator = Self {
            site,
            fleet,
            ledger: Ledger::new(),
            tally: Tally::new(top),
            settings,
            changes,
            chronicle,
            journal,
            chaos: chaos.map(Chaos::new),
            script: chaos.map(|seed| Script::new(seed, crew.size(Role::Reader))),
            troubles: ChaosSummary { seed: chaos, ..ChaosSummary::default() },
            progress: Progress { listed: Phase { done: 0, known: 1 }, ..Progress::default() },
            findings,
            results,
            bell,
            waker,
            alarm: (MonoTime::NEVER, None),
            stop,
            left: None,
        };
        // Has the bell rung for changes, and for the request to stop.
        coordinator.note_changes();
        coordinator.is_told_to_stop();
        Ok(coordinator)
    }

    /// Works until every file is counted or skipped, or until told to stop.
    pub(super) fn run(mut self) -> Result<Survey, SurveyError> {
        let began = self.site.clock.mono();
        let end = self.work();
        let elapsed = self.site.clock.mono().saturating_since(began);
        self.note_changes();
        let left = self.left;
        let survey = end.map(|()| Survey {
            input: self.site.input.to_string_lossy().into_owned(),
            complete: self.tally.losses == 0 && self.tally.reviews.is_complete() && left.is_none(),
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
            limiters: vec![self.site.gateway.limiter(self.settings.load().review_quota()), self.site.reads()],
            pools: vec![self.site.gateway.pool()],
            agents: self.fleet.summaries(),
            elapsed_ms: milliseconds(elapsed),
            chaos: self.troubles,
            lifecycle: LifecycleSummary::default(),
            config: self.journal.sum_up(),
            left,
        });
        // Whoever still reports what nobody wants any more must not wait for us.
        drop((self.findings, self.results));
        let restarts = self.fleet.restarts();
        let report = self.fleet.dismiss();
        survey.map(|mut survey| {
            let abandoned = self.chronicle.abandoned();
            survey.lifecycle = LifecycleSummary { restarts, abandoned, ..LifecycleSummary::default() };
            survey.lifecycle.add(&report);
            survey
        })
    }

    fn work(&mut self) -> Result<(), SurveyError> {
        loop {
            if self.is_told_to_stop() {
                return self.wind_up();
            }
            self.hand_out()?;
            self.show_progress();
            // Whoever died on the way is back before the end, so that the report tells of every restart.
            if self.ledger.is_done() && self.fleet.is_whole() {
                return Ok(());
            }
            self.listen()?;
        }
    }

    fn is_told_to_stop(&mut self) -> bool {
        self.stop.as_mut().is_some_and(|stop| {
            stop.requested().is_some() || Pin::new(stop).poll(&mut Context::from_waker(&self.waker)).is_ready()
        })
    }

    /// Lets agents end what they are at, so that it counts, and leaves the rest.
    fn wind_up(&mut self) -> Result<(), SurveyError> {
        self.site.close();
        self.site.spectator.see(Event::Interrupted { busy: self.fleet.busy() });
        let deadline = self.site.clock.mono().saturating_add(STOP_GRACE);
        let _alarm = self.site.clock.wake_at(deadline, self.waker.clone());
        while self.fleet.busy() > 0 && self.site.clock.mono() < deadline {
            self.listen()?;
            self.show_progress();
        }
        self.left = (!self.ledger.is_done()).then(|| self.ledger.left());
        Ok(())
    }

    /// Waits for reports, a death, a change of settings or a deadline, and takes them in.
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
                let free = self.fleet.free(role).min(self.room_for(role));
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

    /// How many more agents of a role may be at work, however many are free.
    fn room_for(&mut self, role: Role) -> usize {
        match role {
            Role::Reader => self.settings.load().read.concurrency.saturating_sub(self.fleet.busy_in(role)),
            Role::Scout | Role::Analyst | Role::Reviewer => usize::MAX,
        }
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

    /// The bell rang: somebody died, was born, or may be overdue; or a setting was changed.
    fn look_around(&mut self) -> Result<(), SurveyError> {
        if self.alarm.1.is_some() && self.alarm.0 <= self.site.clock.mono() {
            let next = self.fleet.end_overdue();
            self.set_alarm(next);
        }
        for news in self.fleet.news() {
            match news {
                News::Died(death) => self.bury(&death),
                News::Back { agent, restarts } => {
                    self.site.spectator.see(Event::Restarted { agent: &agent, restarts });
                }
            }
        }
        self.note_changes();
        self.fleet.check()
    }

    /// Takes in which settings were changed. What depends on them asks for them each time.
    fn note_changes(&mut self) {
        let mut context = Context::from_waker(&self.waker);
        while let Poll::Ready(Some(delivery)) = pin!(self.changes.recv()).poll(&mut context) {
            // Only a coordinator that is stuck misses any, and then they are in force all the same.
            let Delivery::Change(change) = delivery else { continue };
            for change in self.journal.note(&change, self.site.clock.mono()) {
                self.site.spectator.see(Event::Setting { change: &change });
            }
        }
    }

    fn bury(&mut self, death: &Death) {
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
    }

    fn take(&mut self, Message { from, report }: Message) -> Result<(), SurveyError> {
        if !self.fleet.knows(from) {
            // Somebody new, or somebody dead.
            self.look_around()?;
        }
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

    /// Another task is done: lets chaos change a setting, if it is time.
    fn follow_script(&mut self) {
        let Some(refused) = self.script.as_mut().and_then(|script| script.go_on(&self.site.settings)) else { return };
        self.chronicle.refuse("runtime", &refused);
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
        self.follow_script();
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

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
