//! Reviewers have texts reviewed.

use std::time::Duration;

use bytes::Bytes;

use super::super::config::DemoSettings;
use super::super::ledger::Blame;
use super::super::spectator::Event;
use super::super::task::{GivenBack, Outcome};
use super::{Desk, Quit};

/// Has a text reviewed, or gives it back with the reason.
pub(super) fn review(desk: &Desk<'_>, text: &Bytes) -> Result<Outcome, Quit> {
    let gateway = &desk.agent.site.gateway;
    while let Err(pause) = gateway.admit(desk.setting(DemoSettings::review_quota)) {
        desk.pause(pause)?;
    }
    let mut tries = gateway.tries();
    let outcome = loop {
        if !gateway.is_open() {
            break Outcome::Returned(GivenBack { reason: gateway.why_gone(), blame: Blame::Nobody });
        }
        let limit = gateway.time_limit();
        desk.carry_on_within(limit)?;
        tries.begin();
        let answer = {
            let _calling = Calling::begin(desk, limit);
            gateway.call(text.clone(), limit)
        };
        let failed = match answer {
            Ok(findings) => break Outcome::Reviewed(findings),
            Err(failed) => failed,
        };
        match gateway.next(&mut tries, &failed) {
            Ok(delay) => desk.pause(delay)?,
            Err(given_back) => break Outcome::Returned(given_back),
        }
    };
    desk.carry_on(0)?;
    // Whoever dies now takes an answer along: another one asks again, and only that review counts.
    desk.suffer()?;
    Ok(outcome)
}

/// Tells the spectator that a call is under way, until it is dropped.
struct Calling<'d>(&'d Desk<'d>);

impl<'d> Calling<'d> {
    fn begin(desk: &'d Desk<'d>, limit: Duration) -> Self {
        let site = &desk.agent.site;
        site.spectator.see(Event::Calling { agent: &desk.agent.id, limit });
        Self(desk)
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let agent = self.0.agent;
        agent.site.spectator.see(Event::Called { agent: &agent.id });
    }
}
