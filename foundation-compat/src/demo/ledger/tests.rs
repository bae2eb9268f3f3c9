use foundation_types::Owner;

use super::*;

fn owners<const N: usize>() -> [OwnerId; N] {
    std::array::from_fn(|_| Owner::new().pid().id())
}

fn path(text: &str) -> Arc<Path> {
    Path::new(text).into()
}

/// A book with the input listed, and in it these files.
fn ledger_of(files: impl IntoIterator<Item = (String, u64)>) -> Ledger {
    let [scout] = owners();
    let mut ledger = Ledger::new();
    let handout = ledger.hand_out(Demand::Scan, scout, 1, None);
    for (name, size) in files {
        ledger.add_file(path(&name), size);
    }
    assert!(ledger.finish(scout, handout.batch[0].id).is_some());
    ledger
}

fn named(count: usize, size: u64) -> impl Iterator<Item = (String, u64)> {
    (0..count).map(move |number| (format!("file-{number}"), size))
}

fn rust() -> Language {
    Language::of_path(Path::new("x.rs")).unwrap()
}

fn record(bytes: u64) -> FileRecord {
    FileRecord { bytes, hash: [0; 32] }
}

#[test]
fn only_the_holder_can_finish_a_task_and_only_once() {
    let [holder, stranger] = owners();
    let mut ledger = ledger_of(named(1, 10));
    let id = ledger.hand_out(Demand::Read, holder, 1, None).batch[0].id;
    assert!(ledger.finish(stranger, id).is_none());
    assert!(!ledger.is_done());
    assert!(ledger.finish(holder, id).is_some());
    assert!(ledger.finish(holder, id).is_none());
    assert!(ledger.is_done());
}

#[test]
fn a_task_of_the_dead_goes_to_another_and_the_late_result_is_nobodys() {
    let [dead, heir] = owners();
    let mut ledger = ledger_of(named(3, 10));
    let first = ledger.hand_out(Demand::Read, dead, 1, None).batch;
    assert_eq!(first.len(), 3);
    assert!(ledger.finish(dead, first[0].id).is_some());
    let (waiting, given_up) = ledger.bury(dead, Blame::Task);
    assert_eq!(waiting, 2);
    assert!(given_up.is_none());
    assert!(ledger.finish(dead, first[1].id).is_none());
    let second = ledger.hand_out(Demand::Read, heir, 1, None).batch;
    let ids = |batch: &[Assignment]| batch.iter().map(|assignment| assignment.id).collect::<Vec<_>>();
    assert_eq!(ids(&second), ids(&first[1..]), "in the old order");
    for assignment in second {
        assert!(ledger.finish(heir, assignment.id).is_some());
    }
    assert!(ledger.is_done());
}

#[test]
fn only_the_task_an_agent_was_at_is_blamed_and_given_up_in_the_end() {
    let mut ledger = ledger_of(named(2, 10));
    for attempt in 1..=MAX_ATTEMPTS {
        let [agent] = owners();
        assert_eq!(ledger.hand_out(Demand::Read, agent, 1, None).batch.len(), 2);
        let (waiting, given_up) = ledger.bury(agent, Blame::Task);
        if attempt < MAX_ATTEMPTS {
            assert_eq!((waiting, given_up.is_none()), (2, true));
        } else {
            let task = given_up.unwrap();
            assert_eq!((waiting, &*task.path, task.attempts), (1, Path::new("file-0"), MAX_ATTEMPTS));
        }
    }
    let [agent] = owners();
    let rest = ledger.hand_out(Demand::Read, agent, 1, None).batch;
    assert_eq!(&*rest[0].path, Path::new("file-1"));
    assert!(ledger.finish(agent, rest[0].id).is_some());
    assert!(ledger.is_done());
}

#[test]
fn a_task_is_not_blamed_for_agents_that_were_killed() {
    let mut ledger = ledger_of(named(1, 10));
    for _ in 0..=MAX_ATTEMPTS {
        let [agent] = owners();
        assert_eq!(ledger.hand_out(Demand::Read, agent, 1, None).batch.len(), 1);
        let (waiting, given_up) = ledger.bury(agent, Blame::Nobody);
        assert_eq!((waiting, given_up.is_none()), (1, true));
    }
}

#[test]
fn work_is_shared_among_those_who_are_free() {
    let [one, other] = owners();
    let mut ledger = ledger_of(named(10, 10));
    assert_eq!(ledger.hand_out(Demand::Read, one, 2, None).batch.len(), 5);
    assert_eq!(ledger.hand_out(Demand::Read, other, 1, None).batch.len(), 5);
    assert_eq!(ledger_of(named(1000, 10)).hand_out(Demand::Read, one, 2, None).batch.len(), MAX_BATCH);
}

#[test]
fn a_batch_is_bounded_in_bytes_unless_one_file_is_larger() {
    let [agent] = owners();
    let mut ledger = ledger_of(named(20, INLINE_LIMIT));
    let batch = ledger.hand_out(Demand::Read, agent, 1, None).batch;
    assert_eq!(batch.len() as u64, MAX_BATCH_BYTES / INLINE_LIMIT);
}

#[test]
fn no_more_is_read_than_may_be_in_flight() {
    let files = usize::try_from(2 * BYTES_IN_FLIGHT / INLINE_LIMIT).unwrap();
    let mut ledger = ledger_of(named(files, INLINE_LIMIT));
    let mut held = 0;
    while ledger.demands().contains(&Demand::Read) {
        let [agent] = owners();
        held += ledger.hand_out(Demand::Read, agent, 1, None).batch.len() as u64;
    }
    assert_eq!(held * INLINE_LIMIT, BYTES_IN_FLIGHT);
}

#[test]
fn contents_count_as_in_flight_until_they_are_counted() {
    let [reader, analyst] = owners();
    let mut ledger = ledger_of(named(1, 1000));
    let id = ledger.hand_out(Demand::Read, reader, 1, None).batch[0].id;
    assert_eq!(ledger.bytes_in_flight, 1000);
    let task = ledger.finish(reader, id).unwrap();
    assert_eq!(ledger.bytes_in_flight, 0);
    ledger.add_count(task.path, rust(), Text::Here(vec![0; 900].into()), record(900));
    assert_eq!(ledger.bytes_in_flight, 900);
    assert_eq!(ledger.demands(), [Demand::Count(rust())]);
    let handout = ledger.hand_out(Demand::Count(rust()), analyst, 1, None);
    assert_eq!(handout.batch[0].id, id, "a file keeps its id");
    ledger.bury(analyst, Blame::Task);
    assert_eq!(ledger.bytes_in_flight, 900);
    ledger.hand_out(Demand::Count(rust()), reader, 1, None);
    assert!(ledger.finish(reader, id).is_some());
    assert_eq!(ledger.bytes_in_flight, 0);
    assert!(ledger.is_done());
}

#[test]
fn texts_stay_in_flight_until_they_are_reviewed_and_reviews_come_first() {
    let [reader, reviewer, heir] = owners();
    let mut ledger = ledger_of(named(2, 1000));
    let id = ledger.hand_out(Demand::Read, reader, 2, None).batch[0].id;
    let task = ledger.finish(reader, id).unwrap();
    ledger.add_review(task.path, vec![0; 900].into());
    assert_eq!(ledger.demands(), [Demand::Review, Demand::Read]);
    assert_eq!(ledger.hand_out(Demand::Review, reviewer, 1, None).batch[0].id, id, "a file keeps its id");
    assert_eq!(ledger.bury(reviewer, Blame::Task).0, 1);
    assert_eq!(ledger.bytes_in_flight, 900);
    ledger.hand_out(Demand::Review, heir, 1, None);
    assert!(ledger.finish(reviewer, id).is_none(), "a late review is nobody's");
    assert!(ledger.finish(heir, id).is_some());
    assert_eq!((ledger.bytes_in_flight, ledger.files), (0, 1));
}

#[test]
fn a_review_that_is_given_back_waits_behind_the_others_and_not_for_ever() {
    let mut ledger = ledger_of([]);
    for name in ["first", "second"] {
        ledger.add_review(path(name), vec![0; 10].into());
    }
    let take = |ledger: &mut Ledger| {
        let [agent] = owners();
        let batch = ledger.hand_out(Demand::Review, agent, 2, None).batch;
        ledger.finish(agent, batch[0].id).unwrap()
    };
    for attempt in 1..=MAX_ATTEMPTS {
        let first = take(&mut ledger);
        assert_eq!(&*first.path, Path::new("first"));
        // However often somebody gives it back for other reasons.
        assert!(ledger.review_again(first, Blame::Nobody).is_none());
        let second = take(&mut ledger);
        assert!(ledger.review_again(second, Blame::Nobody).is_none());
        let first = take(&mut ledger);
        let given_up = ledger.review_again(first, Blame::Task);
        assert_eq!(given_up.is_some(), attempt == MAX_ATTEMPTS);
        let second = take(&mut ledger);
        assert_eq!(&*second.path, Path::new("second"));
        ledger.add_review(second.path, vec![0; 10].into());
    }
    assert_eq!((ledger.files, ledger.bytes_in_flight), (1, 10));
    assert_eq!(ledger.drop_reviews().len(), 1);
    assert!(ledger.is_done());
    assert_eq!(ledger.bytes_in_flight, 0);
}

#[test]
fn large_files_are_counted_one_at_a_time() {
    let [one, other] = owners();
    let mut ledger = ledger_of([]);
    for name in ["a.rs", "b.rs"] {
        ledger.add_count(path(name), rust(), Text::Large, record(1 << 30));
    }
    let demand = Demand::Count(rust());
    assert_eq!(ledger.demands(), [demand]);
    let first = ledger.hand_out(demand, one, 1, None).batch;
    assert_eq!(first.len(), 1);
    assert!(ledger.demands().is_empty());
    assert!(ledger.hand_out(demand, other, 1, None).batch.is_empty());
    ledger.bury(one, Blame::Task);
    let again = ledger.hand_out(demand, other, 1, None).batch;
    assert_eq!(again[0].id, first[0].id);
    assert!(ledger.finish(other, again[0].id).is_some());
    let second = ledger.hand_out(demand, other, 1, None).batch;
    assert!(ledger.finish(other, second[0].id).is_some());
    assert!(ledger.is_done());
}

#[test]
fn a_directory_listed_twice_adds_nothing_twice() {
    let [dead, heir] = owners();
    let mut ledger = Ledger::new();
    let directory = ledger.hand_out(Demand::Scan, dead, 1, None).batch[0].id;
    let file = TaskId::of_file(Path::new("a"));
    assert!(ledger.holds(dead, directory));
    assert!(ledger.note_found(directory, file));
    ledger.bury(dead, Blame::Task);
    assert!(!ledger.holds(dead, directory));
    assert_eq!(ledger.hand_out(Demand::Scan, heir, 1, None).batch[0].id, directory);
    assert!(!ledger.note_found(directory, file));
    assert!(ledger.finish(heir, directory).is_some());
    assert!(ledger.open.is_empty());
}

#[test]
fn scouts_stop_when_too_many_files_wait() {
    let mut ledger = ledger_of(named(MAX_WAITING_FILES - 1, 1));
    ledger.add_directory(path("more"));
    assert!(ledger.has_room());
    assert!(ledger.demands().contains(&Demand::Scan));
    ledger.add_file(path("last"), 1);
    assert!(!ledger.has_room());
    assert_eq!(ledger.demands(), [Demand::Read]);
}

#[test]
fn a_task_is_dealt_a_fate_once_and_a_batch_has_at_most_one() {
    let mut chaos = Chaos::new(7);
    let mut ledger = ledger_of(named(200, 1));
    let mut fates = Vec::new();
    loop {
        let [agent] = owners();
        let handout = ledger.hand_out(Demand::Read, agent, 20, Some(&mut chaos));
        if handout.batch.is_empty() {
            break;
        }
        assert!(handout.batch.iter().filter(|assignment| assignment.fate.is_some()).count() <= 1);
        fates.extend(handout.fate);
        let struck = handout.batch.iter().find(|assignment| assignment.fate.is_some()).map(|assignment| assignment.id);
        ledger.bury(agent, Blame::Task);
        let [heir] = owners();
        let again = ledger.hand_out(Demand::Read, heir, 20, Some(&mut chaos));
        assert!(again.batch.iter().all(|assignment| assignment.fate.is_none() || Some(assignment.id) != struck));
        fates.extend(again.fate);
        for assignment in again.batch {
            ledger.finish(heir, assignment.id);
        }
        ledger.bury(heir, Blame::Task);
    }
    for fate in [Fate::Panic, Fate::Hang, Fate::Kill, Fate::Slow] {
        assert!(fates.contains(&fate), "{fate:?}");
    }
}
