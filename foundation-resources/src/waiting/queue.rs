//! The line itself: first come, first served, and every operation O(1).

use std::task::{Poll, Waker};

/// A place in line, good until its holder [leaves](Queue::leave).
#[derive(Debug)]
#[must_use = "a ticket that is lost blocks the line"]
pub(crate) struct Ticket(usize);

/// The line is empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NobodyWaits;

/// Waiters in order of arrival, linked through the slots of a vector, and grants that their waiters have not fetched yet.
///
/// Slots are reused, so memory is bounded by the most waiters there ever were at once. The queue is kept under the lock
/// of what is waited for; it calls no foreign code: wakers come in as clones and go out to be woken or dropped.
#[derive(Debug)]
pub(crate) struct Queue<G> {
    slots: Vec<Slot<G>>,
    first: Option<usize>,
    last: Option<usize>,
    free: Option<usize>,
    len: usize,
    is_closed: bool,
}

#[derive(Debug)]
enum Slot<G> {
    Free {
        next: Option<usize>,
    },
    Waiting {
        previous: Option<usize>,
        next: Option<usize>,
        /// `None` until the first poll.
        waker: Option<Waker>,
    },
    Granted(G),
    /// Sent away because the queue was closed.
    SentAway,
}

impl<G> Queue<G> {
    pub(crate) const fn new() -> Self {
        Self { slots: Vec::new(), first: None, last: None, free: None, len: 0, is_closed: false }
    }

    /// How many wait, those with a grant not counted.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Joins the end of the line.
    pub(crate) fn join(&mut self) -> Ticket {
        let slot = Slot::Waiting { previous: self.last, next: None, waker: None };
        let index = if let Some(index) = self.free {
            let Slot::Free { next } = self.slots[index] else { unreachable!("the free list holds free slots") };
            self.free = next;
            self.slots[index] = slot;
            index
        } else {
            self.slots.push(slot);
            self.slots.len() - 1
        };
        match self.last {
            Some(last) => self.set_next(last, Some(index)),
            None => self.first = Some(index),
        }
        self.last = Some(index);
        self.len += 1;
        Ticket(index)
    }

    /// Gives `grant` to the first in line. The waker, if there is one yet, is to be woken when the lock is released.
    ///
    /// # Errors
    /// The grant, if nobody waits.
    pub(crate) fn grant(&mut self, grant: G) -> Result<Option<Waker>, G> {
        let Some(first) = self.first else { return Err(grant) };
        self.unlink(first);
        let Slot::Waiting { waker, .. } = std::mem::replace(&mut self.slots[first], Slot::Granted(grant)) else {
            unreachable!("the line links slots that wait")
        };
        Ok(waker)
    }

    /// What has become of the wait: a grant, `None` if the queue was closed first, or else pending, with `waker` left to be
    /// woken; what comes out in its place is to be dropped when the lock is released.
    ///
    /// A ticket that gave a ready answer must still [leave](Self::leave).
    pub(crate) fn poll(&mut self, ticket: &Ticket, waker: &mut Option<Waker>) -> Poll<Option<G>> {
        let slot = &mut self.slots[ticket.0];
        match slot {
            Slot::Waiting { waker: kept, .. } if !self.is_closed => {
                std::mem::swap(kept, waker);
                Poll::Pending
            }
            Slot::Granted(_) => {
                let Slot::Granted(grant) = std::mem::replace(slot, Slot::SentAway) else { unreachable!("matched") };
                Poll::Ready(Some(grant))
            }
            Slot::Waiting { .. } | Slot::SentAway => Poll::Ready(None),
            Slot::Free { .. } => unreachable!("a ticket keeps its slot"),
        }
    }

    /// Gives up the ticket: what was granted and not fetched comes out, and so does the waker, to be dropped when the lock
    /// is released.
    #[expect(clippy::needless_pass_by_value, reason = "a ticket is used up")]
    pub(crate) fn leave(&mut self, ticket: Ticket) -> (Option<G>, Option<Waker>) {
        let Ticket(index) = ticket;
        if matches!(self.slots[index], Slot::Waiting { .. }) {
            self.unlink(index);
        }
        let slot = std::mem::replace(&mut self.slots[index], Slot::Free { next: self.free });
        self.free = Some(index);
        match slot {
            Slot::Granted(grant) => (Some(grant), None),
            Slot::Waiting { waker, .. } => (None, waker),
            Slot::SentAway | Slot::Free { .. } => (None, None),
        }
    }

    /// From now on nobody waits: who does so still learns at the next poll that the queue is closed.
    /// [`send_away`](Self::send_away) then wakes them one by one.
    pub(crate) const fn close(&mut self) {
        self.is_closed = true;
    }

    /// Takes the first out of line without a grant. The waker, if there is one yet, is to be woken when the lock is
    /// released.
    ///
    /// # Errors
    /// If nobody waits.
    pub(crate) fn send_away(&mut self) -> Result<Option<Waker>, NobodyWaits> {
        let first = self.first.ok_or(NobodyWaits)?;
        self.unlink(first);
        match std::mem::replace(&mut self.slots[first], Slot::SentAway) {
            Slot::Waiting { waker, .. } => Ok(waker),
            _ => unreachable!("the line links slots that wait"),
        }
    }

    fn unlink(&mut self, index: usize) {
        let Slot::Waiting { previous, next, .. } = self.slots[index] else {
            unreachable!("only slots that wait are linked")
        };
        match previous {
            Some(previous) => self.set_next(previous, next),
            None => self.first = next,
        }
        match next {
            Some(next) => {
                if let Slot::Waiting { previous: of_next, .. } = &mut self.slots[next] {
                    *of_next = previous;
                }
            }
            None => self.last = previous,
        }
        self.len -= 1;
    }

    fn set_next(&mut self, index: usize, to: Option<usize>) {
        if let Slot::Waiting { next, .. } = &mut self.slots[index] {
            *next = to;
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use std::collections::VecDeque;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Copy, Debug)]
    enum Op {
        Join,
        Grant,
        Leave(usize),
    }

    fn ops() -> impl Strategy<Value = Vec<Op>> {
        let op = prop_oneof![Just(Op::Join), Just(Op::Grant), (0..16_usize).prop_map(Op::Leave)];
        prop::collection::vec(op, 0..200)
    }

    proptest! {
        /// The reference is a queue of numbers, each waiter's own.
        #[test]
        fn the_line_serves_in_order_of_arrival_whoever_leaves(ops in ops()) {
            let mut queue = Queue::new();
            let mut line: VecDeque<usize> = VecDeque::new();
            let mut held: Vec<(usize, Ticket, Option<usize>)> = Vec::new();
            let mut most = 0;
            for (number, op) in ops.into_iter().enumerate() {
                match op {
                    Op::Join => {
                        held.push((number, queue.join(), None));
                        line.push_back(number);
                    }
                    Op::Grant => {
                        let first = line.pop_front();
                        let refused = queue.grant(number).err();
                        prop_assert_eq!(refused, if first.is_some() { None } else { Some(number) });
                        if let Some((.., granted)) = held.iter_mut().find(|(waiter, ..)| Some(*waiter) == first) {
                            *granted = Some(number);
                        }
                    }
                    Op::Leave(which) if !held.is_empty() => {
                        let (waiter, ticket, granted) = held.swap_remove(which % held.len());
                        line.retain(|other| *other != waiter);
                        prop_assert_eq!(queue.leave(ticket).0, granted);
                    }
                    Op::Leave(_) => {}
                }
                most = most.max(held.len());
                prop_assert_eq!(queue.len(), line.len());
                prop_assert!(queue.slots.len() <= most, "slots are reused");
            }
            for (_, ticket, granted) in &held {
                let expected = granted.map_or(Poll::Pending, |number| Poll::Ready(Some(number)));
                prop_assert_eq!(queue.poll(ticket, &mut None), expected);
            }
        }
    }

    #[test]
    fn a_closed_queue_sends_everybody_away_and_keeps_what_was_granted() {
        let mut queue = Queue::new();
        let (served, first, second) = (queue.join(), queue.join(), queue.join());
        assert!(queue.grant("worker").is_ok());
        queue.close();
        assert_eq!(queue.poll(&first, &mut None), Poll::Ready(None), "also before it is sent away");
        let sent_away = std::iter::from_fn(|| queue.send_away().ok()).count();
        assert_eq!((sent_away, queue.len()), (2, 0));
        assert_eq!(queue.poll(&second, &mut None), Poll::Ready(None));
        assert_eq!(queue.poll(&served, &mut None), Poll::Ready(Some("worker")));
        for ticket in [served, first, second] {
            assert_eq!(queue.leave(ticket).0, None);
        }
    }
}
