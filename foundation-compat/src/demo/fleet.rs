//! The fleet: who works, found through the registry, and under a supervisor that starts again who dies.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, unbounded};
use foundation_registry::{AgentEntry, AgentError, AgentQuery};
use foundation_types::agent::{CapabilitySet, LoadLevel, PerformancePatch};
use foundation_types::{
    AgentId, AgentInfo, AgentState, AgentType, Capability, ExitReason, FiniteF64, Health, Monitor, MonoTime, Owner,
    OwnerId, Pid, Ratio,
};

use super::SurveyError;
use super::language::Language;
use super::pulse::Pulse;
use super::roles::{Role, Site};
use super::seat::{Arrival, AtWork, Record, Seat, lock};
use super::settings::{Crew, MAX_RESTARTS, RESTARTS_WITHIN, SHUTDOWN_GRACE};
use super::spectator::Attendance;
use super::survey::AgentSummary;
use super::task::{Batch, Message};
use crate::lifecycle::{Intensity, MAX_SERVICE_DURATION, ServiceSpec, ShutdownReport, Supervisor};

/// Threads, for each agent, that may be stuck in a task before the survey is given up: the input is on a disk or a server
/// that does not answer.
const MAX_STUCK_PER_AGENT: usize = 4;

/// The name of the coordinator.
const COORDINATOR: AgentId = AgentId::from_static("coordinator");

/// An agent, over all its lives.
struct Member {
    id: AgentId,
    role: Role,
    capabilities: CapabilitySet,
    tasks: u64,
    worked: Duration,
    restarts: u64,
    life: Option<Life>,
    seat: Arc<Seat>,
}

/// One life of it.
struct Life {
    pid: Pid,
    /// Rings the bell when it ends.
    _monitor: Monitor,
    pulse: Arc<Pulse>,
    inbox: Sender<Batch>,
    state: LifeState,
    was_hung: bool,
}

/// What an agent is at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LifeState {
    /// It has not been heard of.
    Newborn,
    Free,
    Busy,
}

/// What became of somebody.
pub(super) enum News {
    Died(Death),
    /// It was started again under its name.
    Back {
        agent: AgentId,
        restarts: u64,
    },
}

/// Somebody who died.
pub(super) struct Death {
    pub(super) owner: OwnerId,
    pub(super) agent: AgentId,
    pub(super) reason: ExitReason,
    pub(super) was_hung: bool,
}

/// Where agents of a role send their reports.
pub(super) struct ReportLines {
    pub(super) findings: Sender<Message>,
    pub(super) results: Sender<Message>,
}

/// All agents of a survey, under a supervisor. The coordinator's thread has it to itself.
pub(super) struct Fleet {
    site: Arc<Site>,
    bell: Waker,
    members: Vec<Member>,
    /// Members by their present life.
    alive: HashMap<OwnerId, usize>,
    arrivals: Receiver<Arrival>,
    /// The coordinator's own life.
    coordinator: Owner,
    /// Threads that run, also those of the dead that have not noticed.
    threads: Arc<AtomicUsize>,
    supervisor: Supervisor,
    /// Rings the bell if the supervisor has given up.
    given_up: Monitor,
}

impl Fleet {
    /// Registers the coordinator, and starts `others`, and then a crew. `bell` is rung when somebody dies or is born, and when
    /// the supervisor gives up.
    pub(super) fn start(
        site: Arc<Site>,
        crew: Crew,
        lines: &ReportLines,
        bell: Waker,
        others: Vec<ServiceSpec>,
    ) -> Result<Self, SurveyError> {
        let coordinator = Owner::named(COORDINATOR.into());
        let info = AgentInfo::builder(COORDINATOR)
            .agent_type(AgentType::Coordinator)
            .capability(Capability::from_static("coordinate"))
            .state(AgentState::Active)
            .build(&*site.clock);
        site.registry.agents().register(&site.namespace, &COORDINATOR, &coordinator.pid(), info)?;
        let (arrivals_line, arrivals) = unbounded();
        let threads = Arc::<AtomicUsize>::default();
        let mut members = Vec::with_capacity(crew.total());
        for role in Role::ALL {
            for number in 1..=crew.size(role) {
                let seat = Seat {
                    site: Arc::clone(&site),
                    place: members.len(),
                    id: AgentId::new(format!("{}-{number}", role.as_str())).expect("short and printable"),
                    reports: match role {
                        Role::Scout => lines.findings.clone(),
                        Role::Reader | Role::Analyst | Role::Reviewer => lines.results.clone(),
                    },
                    arrivals: arrivals_line.clone(),
                    bell: bell.clone(),
                    lives: AtomicU64::new(0),
                    threads: Arc::clone(&threads),
                    record: Mutex::new(Record::of(role)),
                };
                members.push(Member::new(role, seat));
            }
        }
        let alive = HashMap::with_capacity(members.len());
        let supervisor = Supervisor::builder()
            .services(line_up(&members, others))
            // Nobody waits for anything while starting, so only a clock that jumps can make a start late.
            .start_timeout(MAX_SERVICE_DURATION)
            .intensity(Intensity { max_restarts: MAX_RESTARTS, within: RESTARTS_WITHIN })
            .clock(Arc::clone(&site.clock))
            .emitter(site.emitter.clone())
            .namespace(site.namespace.clone())
            .start()?;
        let given_up = supervisor.exited();
        Ok(Self { site, bell, members, alive, arrivals, coordinator, threads, supervisor, given_up })
    }

    /// Who died, and who was born again, since the last look, in an order in which that can have happened.
    pub(super) fn news(&mut self) -> Vec<News> {
        let mut news: Vec<News> =
            (0..self.members.len()).filter_map(|place| self.take_death(place)).map(News::Died).collect();
        while let Ok(Arrival { place, life_number, pid, pulse, inbox }) = self.arrivals.try_recv() {
            // Whoever is born again has died before.
            news.extend(self.take_death(place).map(News::Died));
            let mut monitor = pid.monitor();
            if Pin::new(&mut monitor).poll(&mut Context::from_waker(&self.bell)).is_ready() {
                // It died at once; the next look finds it, as if the bell had been rung later.
                self.bell.wake_by_ref();
            }
            self.alive.insert(pid.id(), place);
            let member = &mut self.members[place];
            let (state, was_hung) = (LifeState::Newborn, false);
            member.life = Some(Life { pid, _monitor: monitor, pulse, inbox, state, was_hung });
            member.restarts = life_number;
            if life_number > 0 {
                news.push(News::Back { agent: member.id.clone(), restarts: life_number });
            }
        }
        news
    }

    /// The death of a member that is dead, once. It counts from its first instant on, when those who watch may not have been
    /// told yet.
    fn take_death(&mut self, place: usize) -> Option<Death> {
        let member = &mut self.members[place];
        let reason = member.life.as_ref()?.pid.exit_reason()?;
        let life = member.life.take()?;
        let owner = life.pid.id();
        self.alive.remove(&owner);
        Some(Death { owner, agent: member.id.clone(), reason, was_hung: life.was_hung })
    }

    /// Whether this life is known.
    pub(super) fn knows(&self, owner: OwnerId) -> bool {
        self.alive.contains_key(&owner)
    }

    /// Whether everybody lives, as far as is known.
    pub(super) fn is_whole(&self) -> bool {
        self.members.iter().all(|member| member.life.as_ref().is_some_and(|life| life.pid.is_alive()))
    }

    /// How many are at work.
    pub(super) fn busy(&self) -> usize {
        self.members.iter().filter(|member| member.is_busy()).count()
    }

    /// How many of a role are at work.
    pub(super) fn busy_in(&self, role: Role) -> usize {
        self.members.iter().filter(|member| member.role == role && member.is_busy()).count()
    }

    /// Whether the fleet can go on.
    ///
    /// # Errors
    /// If agents die too often, or too many threads are stuck.
    pub(super) fn check(&mut self) -> Result<(), SurveyError> {
        if let Poll::Ready(reason) = Pin::new(&mut self.given_up).poll(&mut Context::from_waker(&self.bell)) {
            self.given_up = self.supervisor.exited();
            return Err(SurveyError::KeepsDying { reason });
        }
        if self.stuck() > self.members.len() * MAX_STUCK_PER_AGENT {
            return Err(SurveyError::Stuck { threads: self.stuck() });
        }
        Ok(())
    }

    /// Whether agents of a role are free, and how many.
    pub(super) fn free(&self, role: Role) -> usize {
        self.members.iter().filter(|member| member.role == role && member.is_free()).count()
    }

    /// Of the free agents that the registry knows as capable, healthy and ready for work, the one that is busy least.
    pub(super) fn find(&self, capability: &Capability) -> Result<Option<OwnerId>, SurveyError> {
        let query = AgentQuery::new().capability(capability.clone()).health(Health::Healthy);
        let capable = self.site.registry.agents().query(&self.site.namespace, &query)?;
        let free = capable.into_iter().filter(|agent| agent.info.is_available() && self.is_free(agent));
        Ok(free.min_by_key(load).map(|agent| agent.pid.id()))
    }

    /// An agent for a language: one that knows it, otherwise a free analyst, which learns it.
    pub(super) fn find_analyst(&mut self, language: Language) -> Result<Option<OwnerId>, SurveyError> {
        let capability = language.capability();
        if let Some(found) = self.find(&capability)? {
            return Ok(Some(found));
        }
        let Some(found) = self.find(&Role::Analyst.capability())? else { return Ok(None) };
        let Some(member) = self.alive.get(&found).map(|&index| &mut self.members[index]) else { return Ok(None) };
        let Site { registry, namespace, clock, .. } = &*self.site;
        let learnt = registry.agents().modify(namespace, &member.id, |info| {
            info.add_capability(capability.clone(), clock.wall());
        });
        match learnt {
            Ok(()) => {
                member.capabilities.insert(capability);
                member.keep_record();
                Ok(Some(found))
            }
            // It has died since; its successor may be asked again.
            Err(AgentError::NotFound) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    fn is_free(&self, agent: &AgentEntry) -> bool {
        self.alive.get(&agent.pid.id()).is_some_and(|&index| self.members[index].is_free())
    }

    fn living(&mut self, owner: OwnerId) -> Option<&mut Life> {
        let member = &mut self.members[*self.alive.get(&owner)?];
        member.life.as_mut().filter(|life| life.pid.id() == owner)
    }

    /// Gives an agent that is free a batch.
    pub(super) fn hand(&mut self, owner: OwnerId, batch: Batch) {
        let due = self.site.due(0);
        if let Some(life) = self.living(owner) {
            life.state = LifeState::Busy;
            life.pulse.expect_by(due);
            // An agent that has died since does not read it; its death will be seen, and the tasks taken back.
            let _ = life.inbox.try_send(batch);
        }
    }

    /// Kills an agent.
    pub(super) fn kill(&mut self, owner: OwnerId) {
        if let Some(life) = self.living(owner) {
            life.pid.kill();
        }
    }

    /// An agent says that it is idle, after so much work.
    pub(super) fn note_ready(&mut self, owner: OwnerId, worked: Duration) -> Result<(), SurveyError> {
        let Some(&index) = self.alive.get(&owner) else { return Ok(()) };
        let member = &mut self.members[index];
        if let Some(life) = &mut member.life {
            life.state = LifeState::Free;
        }
        member.worked += worked;
        member.keep_record();
        let Site { registry, namespace, clock, .. } = &*self.site;
        let performance = member.performance();
        match registry
            .agents()
            .modify(namespace, &member.id, |info| info.update_performance(&performance, clock.wall()))
        {
            // It has died since; its successor begins with the same figures.
            Ok(()) | Err(AgentError::NotFound) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// A result was taken from an agent.
    pub(super) fn credit(&mut self, owner: OwnerId) {
        if let Some(&index) = self.alive.get(&owner) {
            self.members[index].tasks += 1;
        }
    }

    /// Ends every agent that is overdue. Returns when the next one may be.
    pub(super) fn end_overdue(&mut self) -> MonoTime {
        let now = self.site.clock.mono();
        // An agent with work that waits for the coordinator just now may go on and hang any moment.
        let soonest = now.saturating_add(self.site.task_timeout());
        let mut next = MonoTime::NEVER;
        for life in self
            .members
            .iter_mut()
            .filter_map(|member| member.life.as_mut())
            .filter(|life| life.state == LifeState::Busy)
        {
            let due = life.pulse.due();
            if due > now {
                next = next.min(due).min(soonest);
            } else if life.pid.is_alive() {
                life.was_hung = true;
                // Its monitor rings the bell.
                life.pid.kill();
            }
        }
        next
    }

    /// Threads of agents that are dead and have not noticed.
    fn stuck(&self) -> usize {
        self.threads.load(Ordering::Relaxed).saturating_sub(self.alive.len())
    }

    /// How many agents of each role are at work.
    pub(super) fn attendance(&self) -> [Attendance; Role::ALL.len()] {
        Role::ALL.map(|role| {
            let of_role = self.members.iter().filter(|member| member.role == role);
            let busy = of_role.clone().filter(|member| member.is_busy()).count();
            Attendance { busy, all: of_role.count() }
        })
    }

    pub(super) fn restarts(&self) -> u64 {
        self.members.iter().map(|member| member.restarts).sum()
    }

    pub(super) fn summaries(&self) -> Vec<AgentSummary> {
        self.members.iter().map(Member::summary).collect()
    }

    /// Stops everybody in order, scouts first, and waits for them, but not for long: those that are stuck are left behind.
    pub(super) fn dismiss(self) -> ShutdownReport {
        let report = self.supervisor.shutdown(SHUTDOWN_GRACE);
        self.coordinator.exit(ExitReason::Normal);
        report
    }
}

/// The services in the order of their start: `others`, then reviewers, analysts, readers and scouts, so that they are stopped
/// the other way round, and what was begun can be ended. Each depends on the one before it, which is what the supervisor
/// orders them by.
fn line_up(members: &[Member], others: Vec<ServiceSpec>) -> Vec<ServiceSpec> {
    let agents = members.iter().rev().map(|member| AtWork::spec(&member.seat));
    let mut line: Vec<ServiceSpec> = Vec::with_capacity(members.len() + others.len());
    for spec in others.into_iter().chain(agents) {
        line.push(match line.last() {
            Some(before) => spec.depends_on(before.name().clone()),
            None => spec,
        });
    }
    line
}

/// Least first: how busy an agent says it is, then how much it has done.
fn load(agent: &AgentEntry) -> (LoadLevel, Option<Ratio>, u64) {
    let info = &agent.info;
    (info.load(), info.resource_usage().cpu, info.performance().tasks_completed)
}

impl Member {
    fn new(role: Role, seat: Seat) -> Self {
        let capabilities = CapabilitySet::from_iter([role.capability()]);
        let (tasks, worked, restarts) = (0, Duration::ZERO, 0);
        Self { id: seat.id.clone(), role, capabilities, tasks, worked, restarts, life: None, seat: Arc::new(seat) }
    }

    /// What the next life is to begin with.
    fn keep_record(&self) {
        let (capabilities, performance) = (self.capabilities.clone(), self.performance());
        *lock(&self.seat.record) = Record { capabilities, performance };
    }

    fn is_busy(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.state == LifeState::Busy)
    }

    fn is_free(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.state == LifeState::Free)
    }

    fn performance(&self) -> PerformancePatch {
        let seconds = self.worked.as_secs_f64();
        let rate = |numerator: f64, denominator: f64| FiniteF64::new(numerator / denominator).ok();
        PerformancePatch {
            tasks_completed: Some(self.tasks),
            tasks_failed: Some(self.restarts),
            average_task_duration: rate(seconds * 1000.0, self.tasks as f64),
            throughput_per_second: rate(self.tasks as f64, seconds),
            ..PerformancePatch::default()
        }
    }

    fn summary(&self) -> AgentSummary {
        AgentSummary {
            id: self.id.to_string(),
            capabilities: self.capabilities.iter().map(ToString::to_string).collect(),
            tasks: self.tasks,
            restarts: self.restarts,
        }
    }
}
