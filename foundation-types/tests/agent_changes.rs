//! Streams of changes among agents, and the directory seams.
#![cfg(feature = "agent")]

use std::collections::VecDeque;
use std::num::NonZeroUsize;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;

use foundation_types::agent::{AgentChange, AgentChangeFeed, AgentChanges, Removal};
use foundation_types::{
    AgentDirectory, AgentId, AgentInfo, AgentState, AgentStatus, AgentStatusSource, AgentType, AgentView, Capability,
    Clock, ExitReason, Health, ResourceUsage, SystemClock,
};
use futures_core::Stream;
use proptest::collection::vec;
use proptest::prelude::*;

fn change(number: u64) -> AgentChange {
    AgentChange::Registered { agent: AgentId::new(format!("agent-{number}")).expect("a name"), health: Health::Healthy }
}

fn capacity(capacity: usize) -> NonZeroUsize {
    NonZeroUsize::new(capacity).expect("not zero")
}

/// Counts how often it was woken.
#[derive(Default)]
struct CountingWaker(AtomicUsize);

impl Wake for CountingWaker {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

fn poll(changes: &mut AgentChanges, waker: &Arc<CountingWaker>) -> Poll<Option<AgentChange>> {
    let waker = Waker::from(Arc::clone(waker));
    Pin::new(changes).poll_next(&mut Context::from_waker(&waker))
}

#[test]
fn a_subscriber_gets_what_is_published_after_it_subscribed() {
    let feed = AgentChangeFeed::new();
    feed.publish(&change(0));
    let mut changes = feed.subscribe();
    feed.publish(&change(1));
    feed.publish(&change(2));
    assert_eq!(changes.try_next(), Some(change(1)));
    assert_eq!(changes.try_next(), Some(change(2)));
    assert_eq!(changes.try_next(), None);
    assert!(!changes.is_ended());
}

#[test]
fn a_full_queue_drops_its_oldest_and_says_how_many() {
    let feed = AgentChangeFeed::new();
    let mut slow = feed.subscribe_with_capacity(capacity(2));
    let mut quick = feed.subscribe();
    (0..5).for_each(|number| feed.publish(&change(number)));
    assert_eq!(slow.try_next(), Some(AgentChange::Lagged { missed: 3 }));
    assert_eq!(slow.try_next(), Some(change(3)));
    assert_eq!(slow.try_next(), Some(change(4)));
    assert_eq!(slow.try_next(), None);
    assert_eq!(quick.try_next(), Some(change(0)), "one slow subscriber does not hurt another");
}

#[test]
fn a_stream_ends_after_it_is_drained_when_the_feed_is_gone() {
    let feed = AgentChangeFeed::new();
    let mut changes = feed.subscribe_with_capacity(capacity(1));
    feed.publish(&change(0));
    feed.publish(&change(1));
    drop(feed);
    assert!(!changes.is_ended());
    assert_eq!(changes.next_blocking(), Some(AgentChange::Lagged { missed: 1 }));
    assert_eq!(changes.next_blocking(), Some(change(1)));
    assert!(changes.is_ended());
    assert_eq!(changes.next_blocking(), None);
}

#[test]
fn a_dropped_subscription_leaves_nothing_behind() {
    let feed = AgentChangeFeed::new();
    let kept = feed.subscribe();
    for _ in 0..1000 {
        drop(feed.subscribe());
    }
    assert_eq!(feed.subscribers(), 1);
    drop(kept);
    assert_eq!(feed.subscribers(), 0);
    feed.publish(&change(0));
}

#[test]
fn a_pending_poll_is_woken_by_the_next_change_and_by_the_end() {
    let feed = AgentChangeFeed::new();
    let mut changes = feed.subscribe();
    let waker = Arc::new(CountingWaker::default());
    assert_eq!(poll(&mut changes, &waker), Poll::Pending);
    assert_eq!(waker.0.load(Ordering::SeqCst), 0);
    feed.publish(&change(1));
    feed.publish(&change(2));
    assert_eq!(waker.0.load(Ordering::SeqCst), 1, "woken once per pending poll");
    assert_eq!(poll(&mut changes, &waker), Poll::Ready(Some(change(1))));
    assert_eq!(poll(&mut changes, &waker), Poll::Ready(Some(change(2))));
    assert_eq!(poll(&mut changes, &waker), Poll::Pending);
    drop(feed);
    assert_eq!(waker.0.load(Ordering::SeqCst), 2);
    assert_eq!(poll(&mut changes, &waker), Poll::Ready(None));
}

#[test]
fn only_the_latest_waker_is_called() {
    let feed = AgentChangeFeed::new();
    let mut changes = feed.subscribe();
    let (old, new) = (Arc::new(CountingWaker::default()), Arc::new(CountingWaker::default()));
    assert_eq!(poll(&mut changes, &old), Poll::Pending);
    assert_eq!(Arc::strong_count(&old), 2, "the stream holds it");
    assert_eq!(poll(&mut changes, &new), Poll::Pending);
    assert_eq!(Arc::strong_count(&old), 1, "and lets go of it");
    feed.publish(&change(1));
    assert_eq!((old.0.load(Ordering::SeqCst), new.0.load(Ordering::SeqCst)), (0, 1));
}

#[test]
fn a_waker_may_use_the_feed_and_drop_subscriptions() {
    struct Busy(AgentChangeFeed);

    impl Wake for Busy {
        fn wake(self: Arc<Self>) {
            drop(self.0.subscribe());
            self.0.publish(&change(9));
        }
    }

    let feed = AgentChangeFeed::new();
    let mut changes = feed.subscribe();
    let busy = Arc::new(Busy(feed));
    let waker = Waker::from(Arc::clone(&busy));
    assert_eq!(Pin::new(&mut changes).poll_next(&mut Context::from_waker(&waker)), Poll::Pending);
    busy.0.publish(&change(1));
    assert_eq!(changes.try_next(), Some(change(1)));
    assert_eq!(changes.try_next(), Some(change(9)));
}

#[test]
fn all_subscribers_see_one_order_and_lose_nothing_uncounted() {
    const PUBLISHERS: u64 = 4;
    const EACH: u64 = 500;

    let feed = AgentChangeFeed::new();
    let everything = capacity(usize::MAX);
    let (first, second) = (feed.subscribe_with_capacity(everything), feed.subscribe_with_capacity(everything));
    let narrow = feed.subscribe_with_capacity(capacity(3));
    let drain = |mut changes: AgentChanges| {
        thread::spawn(move || std::iter::from_fn(|| changes.next_blocking()).collect::<Vec<_>>())
    };
    let drained = [drain(first), drain(second), drain(narrow)];
    thread::scope(|scope| {
        for publisher in 0..PUBLISHERS {
            let feed = &feed;
            scope.spawn(move || (0..EACH).for_each(|number| feed.publish(&change(publisher * EACH + number))));
        }
    });
    drop(feed);
    let [first, second, narrow] = drained.map(|thread| thread.join().expect("draining does not panic"));
    assert_eq!(first.len() as u64, PUBLISHERS * EACH);
    assert_eq!(first, second);
    let counts = narrow.iter().map(|change| if let AgentChange::Lagged { missed } = change { *missed } else { 1 });
    assert_eq!(counts.sum::<u64>(), PUBLISHERS * EACH);
}

#[tokio::test]
async fn next_can_be_awaited_and_dropped_without_loss() {
    let feed = AgentChangeFeed::new();
    let mut changes = feed.subscribe();
    {
        let mut next = std::pin::pin!(changes.next());
        let waker = Waker::noop();
        assert!(next.as_mut().poll(&mut Context::from_waker(waker)).is_pending());
        feed.publish(&change(1));
    }
    assert_eq!(changes.next().await, Some(change(1)));
}

#[test]
fn changes_have_a_form_for_logs() {
    let removed = AgentChange::Removed {
        agent: AgentId::from_static("scout"),
        reason: Removal::Died(ExitReason::Panic("index out of range".into())),
    };
    let json = serde_json::to_value(&removed).expect("serialises");
    let expected = serde_json::json!({
        "removed": { "agent": "scout", "reason": { "died": { "panic": "index out of range" } } },
    });
    assert_eq!(json, expected);
    assert_eq!(Removal::Died(ExitReason::Killed).to_string(), "died: killed");
}

/// A directory of one agent.
struct OneAgent {
    info: AgentInfo,
    feed: AgentChangeFeed,
}

impl AgentStatusSource for OneAgent {
    fn status(&self, agent: &AgentId) -> Option<AgentStatus> {
        (agent == self.info.agent_id()).then(|| AgentStatus::from(&self.info))
    }
}

impl AgentDirectory for OneAgent {
    fn snapshot(&self, ids: &[AgentId]) -> Vec<Option<AgentView>> {
        ids.iter().map(|id| (id == self.info.agent_id()).then(|| AgentView::from(&self.info))).collect()
    }

    fn all(&self) -> Vec<AgentView> {
        vec![AgentView::from(&self.info)]
    }

    fn changes(&self) -> AgentChanges {
        self.feed.subscribe()
    }
}

#[test]
fn a_directory_can_be_shared_as_an_object_and_tells_what_the_record_says() {
    let scan = Capability::from_static("scan");
    let info = AgentInfo::builder(AgentId::from_static("scout"))
        .capability(scan.clone())
        .health(Health::Degraded)
        .state(AgentState::Ready)
        .resource_usage(ResourceUsage::new().with_network(3))
        .build(&SystemClock);
    let shared: Arc<dyn AgentDirectory> = Arc::new(OneAgent { info: info.clone(), feed: AgentChangeFeed::new() });
    let status = shared.status(info.agent_id()).expect("known");
    let expected =
        AgentStatus::new(Health::Degraded).with_capabilities([scan]).with_usage(ResourceUsage::new().with_network(3));
    assert_eq!(status, expected);
    let views = shared.snapshot(&[AgentId::from_static("nobody"), info.agent_id().clone()]);
    assert_eq!(views, [None, Some(AgentView::from(&info))]);
    let view = &shared.all()[0];
    assert_eq!((view.state, view.alive), (Some(AgentState::Ready), true));
    assert_eq!(shared.changes().try_next(), None);
}

#[test]
fn a_stopped_agent_is_not_alive_and_a_basic_view_tells_type_and_health() {
    let mut info = AgentInfo::builder(AgentId::from_static("scout"))
        .agent_type(AgentType::Coordinator)
        .capability(Capability::from_static("scan"))
        .health(Health::Healthy)
        .build(&SystemClock);
    let basic = AgentView::basic(&info);
    assert_eq!((&basic.agent_type, basic.health, basic.state), (&AgentType::Coordinator, Health::Healthy, None));
    assert!(basic.capabilities.is_empty() && basic.alive);
    info.mark_terminated(SystemClock.wall());
    assert!(!AgentView::from(&info).alive);
}

proptest! {
    #[test]
    fn a_subscriber_equals_a_bounded_queue_that_counts_what_it_drops(
        room in 1_usize..5, steps in vec(any::<bool>(), 0..60),
    ) {
        let feed = AgentChangeFeed::new();
        let mut changes = feed.subscribe_with_capacity(capacity(room));
        let (mut model, mut missed, mut number) = (VecDeque::new(), 0, 0);
        for publishes in steps {
            if publishes {
                number += 1;
                feed.publish(&change(number));
                if model.len() == room {
                    model.pop_front();
                    missed += 1;
                }
                model.push_back(change(number));
            } else if missed > 0 {
                prop_assert_eq!(changes.try_next(), Some(AgentChange::Lagged { missed }));
                missed = 0;
            } else {
                prop_assert_eq!(changes.try_next(), model.pop_front());
            }
        }
    }
}
