//! The fleet: who works, found through the registry, and started again after death.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, Sender, bounded};
use foundation_registry::{AgentEntry, AgentError, AgentQuery};
use foundation_types::agent::{CapabilitySet, LoadLevel, PerformancePatch};
use foundation_types::{
    AgentId, AgentInfo, AgentState, AgentType, Capability, ExitReason, FiniteF64, Health, Metadata, Monitor, MonoTime,
    Owner, OwnerId, Pid, Ratio,
};

use super::SurveyError;
use super::language::Language;
use super::pulse::Pulse;
use super::roles::{Agent, LIFE, Role, Site};
use super::settings::{Crew, SHUTDOWN_GRACE};
use super::spectator::Attendance;
use super::survey::AgentSummary;
use super::task::{Batch, Message};

/// Deaths of an agent in a row, without a single result in between, after which the survey is given up.
const MAX_FRUITLESS_LIVES: u32 = 16;

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
    fruitless: u32,
    life: Option<Life>,
}

/// One life of it.
struct Life {
    pid: Pid,
    monitor: Monitor,
    pulse: Arc<Pulse>,
    inbox: Sender<Batch>,
    is_free: bool,
    was_hung: bool,
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

/// All agents of a survey. The coordinator's thread has it to itself.
pub(super) struct Fleet {
    site: Arc<Site>,
    lines: ReportLines,
    bell: Waker,
    members: Vec<Member>,
    /// Members by their present life.
    alive: HashMap<OwnerId, usize>,
    /// The coordinator's own life.
    coordinator: Owner,
    /// Threads that run, also those of the dead that have not noticed.
    threads: Arc<AtomicUsize>,
}

impl Fleet {
    /// Registers the coordinator and starts a crew. `bell` is rung when somebody dies.
    pub(super) fn start(site: Arc<Site>, crew: Crew, lines: ReportLines, bell: Waker) -> Result<Self, SurveyError> {
        let coordinator = Owner::named(COORDINATOR.into());
        let info = AgentInfo::builder(COORDINATOR)
            .agent_type(AgentType::Coordinator)
            .capability(Capability::from_static("coordinate"))
            .state(AgentState::Active)
            .build(&*site.clock);
        site.registry.agents().register(&site.namespace, &COORDINATOR, &coordinator.pid(), info)?;
        let mut members = Vec::with_capacity(crew.total());
        for role in Role::ALL {
            members.extend((1..=crew.size(role)).map(|number| Member::new(role, number)));
        }
        let alive = HashMap::with_capacity(members.len());
        let mut fleet = Self { site, lines, bell, members, alive, coordinator, threads: Arc::default() };
        for index in 0..fleet.members.len() {
            fleet.bring_to_life(index)?;
        }
        Ok(fleet)
    }

    fn bring_to_life(&mut self, index: usize) -> Result<(), SurveyError> {
        let member = &mut self.members[index];
        let site = &self.site;
        let owner = Owner::named(member.id.clone().into());
        let pid = owner.pid();
        let info = AgentInfo::builder(member.id.clone())
            .capabilities(member.capabilities.clone())
            .performance(member.performance())
            .metadata(Metadata::new().with(LIFE, member.life_number()))
            .build(&*site.clock);
        site.registry.agents().register(&site.namespace, &member.id, &pid, info)?;
        let pulse = Arc::new(Pulse::at_rest());
        // An agent is given a batch only when it has none.
        let (inbox, batches) = bounded(1);
        let agent = Agent {
            owner,
            id: member.id.clone(),
            life: member.life_number(),
            site: Arc::clone(site),
            pulse: Arc::clone(&pulse),
            reports: match member.role {
                Role::Scout => self.lines.findings.clone(),
                Role::Reader | Role::Analyst | Role::Reviewer => self.lines.results.clone(),
            },
        };
        let counted = ThreadCount::enter(&self.threads, &self.bell);
        thread::Builder::new()
            .name(member.id.to_string())
            .spawn(move || {
                agent.live(&batches);
                drop(counted);
            })
            .map_err(|error| SurveyError::Thread { agent: member.id.clone(), error })?;
        let mut monitor = pid.monitor();
        if Pin::new(&mut monitor).poll(&mut Context::from_waker(&self.bell)).is_ready() {
            // It died at once; the next look finds it, as if the bell had been rung later.
            monitor = pid.monitor();
            self.bell.wake_by_ref();
        }
        self.alive.insert(pid.id(), index);
        member.life = Some(Life { pid, monitor, pulse, inbox, is_free: false, was_hung: false });
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
            life.is_free = false;
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
            life.is_free = true;
        }
        member.worked += worked;
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
            self.members[index].fruitless = 0;
        }
    }

    /// Ends every agent that is overdue. Returns when the next one may be.
    pub(super) fn end_overdue(&mut self) -> MonoTime {
        let now = self.site.clock.mono();
        // An agent with work that waits for the coordinator just now may go on and hang any moment.
        let soonest = now.saturating_add(self.site.task_timeout);
        let mut next = MonoTime::NEVER;
        for life in self.members.iter_mut().filter_map(|member| member.life.as_mut()).filter(|life| !life.is_free) {
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

    /// The agents that died since the last look.
    pub(super) fn deaths(&mut self) -> Vec<Death> {
        let mut deaths = Vec::new();
        let mut context = Context::from_waker(&self.bell);
        for member in &mut self.members {
            let Some(life) = &mut member.life else { continue };
            if let Poll::Ready(reason) = Pin::new(&mut life.monitor).poll(&mut context) {
                let owner = life.pid.id();
                deaths.push(Death { owner, agent: member.id.clone(), reason, was_hung: life.was_hung });
                member.life = None;
            }
        }
        deaths
    }

    /// Starts an agent again under its name. Returns how often that has happened to it.
    pub(super) fn restart(&mut self, death: &Death) -> Result<u64, SurveyError> {
        let Some(index) = self.alive.remove(&death.owner) else { return Ok(0) };
        if self.stuck() > self.members.len() * MAX_STUCK_PER_AGENT {
            return Err(SurveyError::Stuck { threads: self.stuck() });
        }
        let member = &mut self.members[index];
        member.restarts += 1;
        member.fruitless += 1;
        let restarts = member.restarts;
        if member.fruitless > MAX_FRUITLESS_LIVES {
            return Err(SurveyError::KeepsDying { agent: member.id.clone(), reason: death.reason.clone() });
        }
        self.bring_to_life(index)?;
        Ok(restarts)
    }

    /// Threads of agents that are dead and have not noticed.
    fn stuck(&self) -> usize {
        self.threads.load(Ordering::Acquire).saturating_sub(self.alive.len())
    }

    /// How many agents of each role are at work.
    pub(super) fn attendance(&self) -> [Attendance; Role::ALL.len()] {
        Role::ALL.map(|role| {
            let of_role = self.members.iter().filter(|member| member.role == role);
            let busy = of_role.clone().filter(|member| member.life.as_ref().is_some_and(|life| !life.is_free)).count();
            Attendance { busy, all: of_role.count() }
        })
    }

    pub(super) fn restarts(&self) -> u64 {
        self.members.iter().map(|member| member.restarts).sum()
    }

    pub(super) fn summaries(&self) -> Vec<AgentSummary> {
        self.members.iter().map(Member::summary).collect()
    }

    /// Sends everybody home, and waits for them, but not for long: those that are stuck are left behind. `bell` is what the
    /// fleet's bell is heard on.
    pub(super) fn dismiss(mut self, bell: &Receiver<()>) {
        // Without their inboxes agents end; without anyone to report to, also those that work on what nobody wants any more.
        for member in &mut self.members {
            member.life = None;
        }
        let deadline = self.site.clock.mono().saturating_add(SHUTDOWN_GRACE);
        let _alarm = self.site.clock.wake_at(deadline, self.bell.clone());
        while self.threads.load(Ordering::Acquire) > 0 && self.site.clock.mono() < deadline {
            // We hold the bell ourselves, so this fails only if it cannot ring any more.
            if bell.recv().is_err() {
                break;
            }
        }
        self.coordinator.exit(ExitReason::Normal);
    }
}

/// Counts a thread from before it starts until it ends.
struct ThreadCount {
    threads: Arc<AtomicUsize>,
    bell: Waker,
}

impl ThreadCount {
    fn enter(threads: &Arc<AtomicUsize>, bell: &Waker) -> Self {
        threads.fetch_add(1, Ordering::Relaxed);
        Self { threads: Arc::clone(threads), bell: bell.clone() }
    }
}

impl Drop for ThreadCount {
    fn drop(&mut self) {
        // Release: whoever reads zero finds done what the threads did.
        self.threads.fetch_sub(1, Ordering::Release);
        self.bell.wake_by_ref();
    }
}

/// Least first: how busy an agent says it is, then how much it has done.
fn load(agent: &AgentEntry) -> (LoadLevel, Option<Ratio>, u64) {
    let info = &agent.info;
    (info.load(), info.resource_usage().cpu, info.performance().tasks_completed)
}

impl Member {
    fn new(role: Role, number: usize) -> Self {
        let id = AgentId::new(format!("{}-{number}", role.as_str())).expect("short and printable");
        let capabilities = CapabilitySet::from_iter([role.capability()]);
        let (tasks, worked, restarts, fruitless) = (0, Duration::ZERO, 0, 0);
        Self { id, role, capabilities, tasks, worked, restarts, fruitless, life: None }
    }

    fn is_free(&self) -> bool {
        self.life.as_ref().is_some_and(|life| life.is_free)
    }

    fn life_number(&self) -> i64 {
        i64::try_from(self.restarts).unwrap_or(i64::MAX)
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
