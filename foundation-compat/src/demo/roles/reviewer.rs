//! Reviewers have texts reviewed.

use bytes::Bytes;

use super::super::spectator::Event;
use super::super::task::Outcome;
use super::{Desk, Quit};

/// Has a text reviewed, or gives it back with the reason.
pub(super) fn review(desk: &Desk<'_>, text: &Bytes) -> Result<Outcome, Quit> {
    let gateway = &desk.agent.site.gateway;
    while let Err(pause) = gateway.admit() {
        desk.pause(pause)?;
    }
    let mut tries = gateway.tries();
    let outcome = loop {
        if !gateway.is_open() {
            break Outcome::Returned(gateway.why_gone());
        }
        desk.carry_on_within(gateway.time_limit())?;
        tries.begin();
        let answer = {
            let _calling = Calling::begin(desk);
            gateway.call(text.clone())
        };
        let failed = match answer {
            Ok(findings) => break Outcome::Reviewed(findings),
            Err(failed) => failed,
        };
        match gateway.next(&mut tries, &failed) {
            Ok(delay) => desk.pause(delay)?,
            Err(reason) => break Outcome::Returned(reason),
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
    fn begin(desk: &'d Desk<'d>) -> Self {
        let site = &desk.agent.site;
        site.spectator.see(Event::Calling { agent: &desk.agent.id });
        Self(desk)
    }
}

impl Drop for Calling<'_> {
    fn drop(&mut self) {
        let agent = self.0.agent;
        agent.site.spectator.see(Event::Called { agent: &agent.id });
    }
}
