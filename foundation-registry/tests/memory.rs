//! A million cycles leave memory where it was.
#![expect(unsafe_code, reason = "a counting allocator is unsafe to implement; it passes everything on")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicIsize, Ordering};

use foundation_registry::{NewEntry, Registry};
use foundation_types::{Metadata, Namespace, Owner, ServiceName};

struct Counting;

static LIVE_BYTES: AtomicIsize = AtomicIsize::new(0);

// SAFETY: every call is passed on unchanged to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE_BYTES.fetch_add(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE_BYTES.fetch_sub(layout.size().cast_signed(), Ordering::Relaxed);
        // SAFETY: as promised by the caller.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Entries that wait to be freed: two batches of 512 of one thread, of less than a kilobyte each, and the tables' slack.
const SLACK: isize = 2 * 512 * 1024;

fn cycle(registry: &Registry, here: &Namespace, round: u32) {
    let owner = Owner::new();
    let name =
        ServiceName::new(format!("a service with a name that lives on the heap {}", round % 1_000)).expect("valid");
    if round.is_multiple_of(2) {
        let metadata = Metadata::new().with("type", "worker").with("priority", i64::from(round % 10));
        registry.register_with(NewEntry::new(here, &name, &owner.pid()).metadata(metadata).indexed()).expect("free");
    } else {
        registry.register(here, &name, &owner.pid(), Metadata::new()).expect("free");
    }
    if round.is_multiple_of(3) {
        assert_eq!(registry.unregister(here, &name), Ok(true));
    }
    drop(owner);
    assert!(registry.lookup(here, &name).is_err());
}

#[test]
fn r17_a_million_register_and_drop_cycles_leave_memory_where_it_was() {
    let registry = Registry::new();
    let here = Namespace::Production;
    for round in 0..10_000 {
        cycle(&registry, &here, round);
    }
    let before = LIVE_BYTES.load(Ordering::Relaxed);
    for round in 0..1_000_000 {
        cycle(&registry, &here, round);
    }
    let grown = LIVE_BYTES.load(Ordering::Relaxed) - before;
    assert!(grown < SLACK, "{grown} bytes more than before");
    assert_eq!(registry.count(&here), Ok(0));
}
