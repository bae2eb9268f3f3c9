//! A tour of the registry in the names of the Elixir library Foundation. Each step shows the call in Elixir, and what it
//! gives, there and here.

#[path = "support/elixir.rs"]
mod elixir;

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use elixir::{Term, answer, atom, bare, found, list, map, ok, tuple};
use foundation_compat::application::{AgentFeatures, set_agent_features_enabled};
use foundation_compat::foundation_types::{Ratio, ResourceKind};
use foundation_compat::process_registry::agent;
use foundation_compat::process_registry::backend::BackendModule;
use foundation_compat::process_registry::{self, backend_monitor};
use foundation_compat::service_registry::{self, HealthCheckOptions};
use foundation_compat::{
    AgentId, AgentState, Capability, ErrorKind, Health, Metadata, MetadataView, Namespace, Owner, ServiceName, Value,
    agent_registry, error, foundation_types::TestRef,
};

#[cfg_attr(test, expect(dead_code, reason = "tests call the tour"))]
fn main() -> io::Result<()> {
    tour(&mut io::stdout().lock())
}

/// Walks through everything, and writes what it sees.
pub(crate) fn tour(out: &mut dyn Write) -> io::Result<()> {
    registration(out)?;
    metadata(out)?;
    enumeration(out)?;
    indexing(out)?;
    via(out)?;
    backends(out)?;
    services(out)?;
    agents(out)?;
    processes(out)?;
    rollback(out)?;
    errors(out)?;
    cleanup(out)
}

/// One step: the call in Elixir, and its result.
fn step(out: &mut dyn Write, call: &str, result: impl Into<Term>) -> io::Result<()> {
    writeln!(out, "iex> {call}\n{}", result.into())
}

fn part(out: &mut dyn Write, title: &str) -> io::Result<()> {
    writeln!(out, "\n# {title}\n")
}

const PRODUCTION: Namespace = Namespace::Production;
const CONFIG: ServiceName = ServiceName::from_static("config_server");
const EVENTS: ServiceName = ServiceName::from_static("event_store");

fn registration(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Register and look up")?;
    let (config, other) = (Owner::new(), Owner::new());
    let meta = || Metadata::new().with("type", "config");
    let result = process_registry::register(&PRODUCTION, &CONFIG, &config.pid(), meta());
    step(out, "ProcessRegistry.register(:production, :config_server, pid, %{type: :config})", ok(result))?;
    let result = process_registry::register_3(&PRODUCTION, &CONFIG, &config.pid());
    step(out, "ProcessRegistry.register(:production, :config_server, pid)", ok(result))?;
    let result = process_registry::register_3(&PRODUCTION, &CONFIG, &other.pid());
    step(out, "ProcessRegistry.register(:production, :config_server, other)", ok(result))?;

    let result = process_registry::lookup(&PRODUCTION, &CONFIG);
    step(out, "ProcessRegistry.lookup(:production, :config_server)", found(result))?;
    let result = process_registry::lookup(&PRODUCTION, &EVENTS);
    step(out, "ProcessRegistry.lookup(:production, :event_store)", found(result))?;
    let result = process_registry::registered(&PRODUCTION, &CONFIG);
    step(out, "ProcessRegistry.registered?(:production, :config_server)", bare(result))?;

    drop(config);
    let result = process_registry::lookup(&PRODUCTION, &CONFIG);
    step(out, "Process.exit(pid, :kill); ProcessRegistry.lookup(:production, :config_server)", found(result))?;
    let result = process_registry::unregister(&PRODUCTION, &CONFIG);
    step(out, "ProcessRegistry.unregister(:production, :config_server)", ok(result))
}

fn metadata(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Metadata")?;
    let config = Owner::new();
    let meta = Metadata::new().with("type", "config").with("priority", 1);
    let result = process_registry::register(&PRODUCTION, &CONFIG, &config.pid(), meta);
    step(out, "ProcessRegistry.register(:production, :config_server, pid, %{type: :config, priority: 1})", ok(result))?;
    let result = process_registry::get_metadata(&PRODUCTION, &CONFIG);
    step(out, "ProcessRegistry.get_metadata(:production, :config_server)", answer(result))?;
    let result = process_registry::get_metadata(&PRODUCTION, &EVENTS);
    step(out, "ProcessRegistry.get_metadata(:production, :event_store)", answer(result))?;
    let result = process_registry::update_metadata(&PRODUCTION, &CONFIG, Metadata::new().with("tier", "hot"));
    step(out, "ProcessRegistry.update_metadata(:production, :config_server, %{tier: :hot})", ok(result))?;
    let result = process_registry::lookup_with_metadata(&PRODUCTION, &CONFIG);
    step(out, "ProcessRegistry.lookup_with_metadata(:production, :config_server)", found(result))?;
    let result = process_registry::update_metadata(&PRODUCTION, &EVENTS, Metadata::new());
    step(out, "ProcessRegistry.update_metadata(:production, :event_store, %{})", ok(result))
}

fn enumeration(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Lists and searches")?;
    let (config, events) = (Owner::new(), Owner::new());
    let here = Namespace::test();
    bare(process_registry::register(&here, &CONFIG, &config.pid(), Metadata::new().with("load", 3)));
    bare(process_registry::register(&here, &EVENTS, &events.pid(), Metadata::new().with("load", 9)));
    step(out, "namespace = {:test, make_ref()}", &here)?;
    let result = process_registry::list_services(&here);
    step(out, "ProcessRegistry.list_services(namespace)", list(bare(result)))?;
    let result = process_registry::get_all_services(&here);
    step(out, "ProcessRegistry.get_all_services(namespace)", bare(result))?;
    let result = process_registry::list_services_with_metadata(&here);
    step(out, "ProcessRegistry.list_services_with_metadata(namespace)", bare(result))?;
    let result = process_registry::count_services(&here);
    step(out, "ProcessRegistry.count_services(namespace)", bare(result))?;
    let busy = |meta: &Metadata| meta.get("load").and_then(Value::as_i64) > Some(5);
    let result = process_registry::find_services_by_metadata(&here, busy);
    step(out, "ProcessRegistry.find_services_by_metadata(namespace, &(&1.load > 5))", list(bare(result)))?;
    let stats = bare(process_registry::stats());
    let shown = map([
        ("total_services", stats.total_services),
        ("production_services", stats.production_services),
        ("test_namespaces", stats.test_namespaces),
    ]);
    step(out, "ProcessRegistry.stats() |> Map.take([:total_services, :production_services, :test_namespaces])", shown)
}

fn indexing(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Indexing and bulk registration")?;
    let here = Namespace::test();
    let owners = [Owner::new(), Owner::new(), Owner::new()];
    let names = ["one", "two", "three"].map(ServiceName::from_static);
    let worker = |priority| Metadata::new().with("type", "worker").with("capabilities", priority);
    let result = process_registry::register_with_indexing(&here, &names[0], &owners[0].pid(), worker(vec!["read"]));
    step(
        out,
        "ProcessRegistry.register_with_indexing(namespace, :one, pid, %{type: :worker, capabilities: [:read]})",
        ok(result),
    )?;
    let result = process_registry::find_by_indexed_metadata(&here, "type", &Value::from("worker"));
    step(out, "ProcessRegistry.find_by_indexed_metadata(namespace, :type, :worker)", list(bare(result)))?;
    let result = process_registry::cached_lookup(&here, &names[0]);
    step(out, "ProcessRegistry.cached_lookup(namespace, :one)", found(result))?;

    let items = [
        (here.clone(), names[1].clone(), owners[1].pid(), worker(vec!["read", "write"])),
        (here.clone(), names[0].clone(), owners[2].pid(), worker(vec!["read"])),
        (here.clone(), names[2].clone(), owners[2].pid(), worker(vec!["write"])),
    ];
    let results = process_registry::bulk_register(items);
    let results = results.into_iter().map(|(result, name)| tuple([ok(result), name.into()])).collect();
    step(
        out,
        "ProcessRegistry.bulk_register([{namespace, :two, …}, {namespace, :one, …}, {namespace, :three, …}])",
        Term::List(results),
    )?;
    let result = process_registry::find_by_indexed_metadata(&here, "capabilities", &Value::from("write"));
    let names: Vec<_> = bare(result).into_iter().map(|(name, _, _)| name).collect();
    step(out, "ProcessRegistry.find_by_indexed_metadata(namespace, :capabilities, :write) |> names()", list(names))?;
    let stats = process_registry::get_optimization_stats();
    let rate = stats.cache_hit_rate.map_or(atom("nil"), Term::from);
    let shown = map([
        ("metadata_index_size", stats.metadata_index_size.into()),
        ("cache_size", stats.cache_size.into()),
        ("cache_hit_rate", rate),
    ]);
    step(out, "ProcessRegistry.get_optimization_stats()", shown)?;
    step(out, "ProcessRegistry.cleanup_optimizations()", ok(process_registry::cleanup_optimizations()))?;
    let result = process_registry::find_by_indexed_metadata(&here, "type", &Value::from("worker"));
    step(out, "ProcessRegistry.find_by_indexed_metadata(namespace, :type, :worker)", list(bare(result)))?;
    step(out, "Optimizations.initialize_optimizations()", ok(process_registry::initialize_optimizations()))?;
    let result = process_registry::find_by_indexed_metadata(&here, "type", &Value::from("worker"));
    step(out, "ProcessRegistry.find_by_indexed_metadata(namespace, :type, :worker) |> length()", bare(result).len())
}

fn via(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Via")?;
    let (owner, other) = (Owner::new(), Owner::new());
    let via = process_registry::via_tuple(&PRODUCTION, &EVENTS);
    step(out, "via = ProcessRegistry.via_tuple(:production, :event_store)", via.clone())?;
    step(out, "GenServer.start_link(EventStore, [], name: via)", found(via.claim(&owner).map(|_| owner.pid())))?;
    step(
        out,
        "ProcessRegistry.lookup(:production, :event_store)",
        found(process_registry::lookup(&PRODUCTION, &EVENTS)),
    )?;
    let result = process_registry::register_3(&PRODUCTION, &EVENTS, &other.pid());
    step(out, "ProcessRegistry.register(:production, :event_store, other)", ok(result))?;
    let same = via == service_registry::via_tuple(&PRODUCTION, &EVENTS);
    step(out, "via == ServiceRegistry.via_tuple(:production, :event_store)", same)
}

fn backends(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Back-ends")?;
    let owner = Owner::new();
    bare(process_registry::register_3(&PRODUCTION, &CONFIG, &owner.pid()));
    let active = || backend_monitor::get_active_backend().map_or(atom("nil"), |backend| atom(backend.as_str()));
    step(out, "BackendMonitor.get_active_backend()", active())?;
    step(
        out,
        "BackendMonitor.switch_backend(:registry)",
        ok(backend_monitor::switch_backend(BackendModule::Registry)),
    )?;
    step(out, "BackendMonitor.get_active_backend()", active())?;
    step(
        out,
        "ProcessRegistry.lookup(:production, :config_server)",
        found(process_registry::lookup(&PRODUCTION, &CONFIG)),
    )?;
    step(out, "BackendMonitor.switch_backend(:horde)", ok(backend_monitor::switch_backend(BackendModule::Horde)))?;
    step(out, "BackendMonitor.switch_backend(:ets)", ok(backend_monitor::switch_backend(BackendModule::Ets)))?;
    let status = bare(backend_monitor::health_check()).status;
    step(out, "{:ok, health} = BackendMonitor.health_check(); health.status", status)
}

fn services(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Services")?;
    let here = Namespace::test();
    let config = Owner::new();
    let pid = config.pid();
    step(
        out,
        "ServiceRegistry.register(namespace, :config_server, pid)",
        ok(service_registry::register(&here, &CONFIG, &pid)),
    )?;
    step(out, "ServiceRegistry.lookup(namespace, :config_server)", answer(service_registry::lookup(&here, &CONFIG)))?;
    step(out, "ServiceRegistry.lookup(namespace, :event_store)", answer(service_registry::lookup(&here, &EVENTS)))?;
    step(out, "ServiceRegistry.list_services(namespace)", list(bare(service_registry::list_services(&here))))?;

    let check = |options| service_registry::health_check(&here, &CONFIG, options);
    let options = HealthCheckOptions::new;
    step(
        out,
        "ServiceRegistry.health_check(namespace, :config_server)",
        answer(service_registry::health_check_2(&here, &CONFIG)),
    )?;
    let result = check(options().check(|pid| pid.is_alive()));
    step(
        out,
        "ServiceRegistry.health_check(namespace, :config_server, health_check: &Process.alive?/1)",
        answer(result),
    )?;
    let result = check(options().check(|_| false));
    step(
        out,
        "ServiceRegistry.health_check(namespace, :config_server, health_check: fn _ -> false end)",
        answer(result),
    )?;
    let result = check(options().check(|_| Err::<(), _>("disk full")));
    step(
        out,
        "ServiceRegistry.health_check(namespace, :config_server, health_check: fn _ -> :\"disk full\" end)",
        answer(result),
    )?;
    let (_never, silence) = mpsc::channel::<()>();
    let hangs = move |_| silence.recv().is_ok();
    let result = check(options().check(hangs).timeout(Duration::from_millis(20)));
    step(
        out,
        "ServiceRegistry.health_check(namespace, :config_server, health_check: hang, timeout: 20)",
        answer(result),
    )?;

    let result = service_registry::wait_for_service(&here, &EVENTS, Duration::ZERO);
    step(out, "ServiceRegistry.wait_for_service(namespace, :event_store, 0)", answer(result))?;
    let events = Owner::new();
    let (late, pid) = (here.clone(), events.pid());
    let starting = thread::spawn(move || service_registry::register(&late, &EVENTS, &pid));
    let result = service_registry::wait_for_service_2(&here, &EVENTS);
    step(
        out,
        "spawn(&start_event_store/0); ServiceRegistry.wait_for_service(namespace, :event_store)",
        answer(result),
    )?;
    bare(starting.join().expect("registers"));

    let info = bare(service_registry::get_service_info(&here));
    let counts = map([("total_services", info.total_services), ("healthy_services", info.healthy_services)]);
    step(
        out,
        "info = ServiceRegistry.get_service_info(namespace); Map.take(info, [:total_services, :healthy_services])",
        counts,
    )?;
    let alive = info.services.into_iter().map(|(name, service)| (name, service.alive));
    step(
        out,
        "Map.new(info.services, fn {name, service} -> {name, service.alive} end)",
        alive.collect::<std::collections::BTreeMap<_, _>>(),
    )?;
    step(out, "ServiceRegistry.unregister(namespace, :event_store)", ok(service_registry::unregister(&here, &EVENTS)))
}

const SCOUT: AgentId = AgentId::from_static("scout");
const READER: AgentId = AgentId::from_static("reader");
const SCAN: Capability = Capability::from_static("scan");
const READ: Capability = Capability::from_static("read");

/// Two agents, alive as long as their owners.
fn two_agents(here: &Namespace) -> [Owner; 2] {
    let owners = [Owner::new(), Owner::new()];
    let usage = Metadata::new().with("memory", Ratio::saturating(0.9));
    let scout = Metadata::new().with("type", "ml_agent").with("capabilities", vec!["scan"]);
    let reader = Metadata::new().with("capabilities", vec!["read", "scan"]).with("resource_usage", usage);
    bare(agent::register_agent(here, &SCOUT, &owners[0].pid(), &scout));
    bare(agent::register_agent(here, &READER, &owners[1].pid(), &reader.with("health", "degraded")));
    owners
}

fn ids(agents: Result<Vec<agent::AgentTriple>, agent_registry::AgentError>) -> Term {
    list(bare(agents).into_iter().map(|(id, _, _)| id))
}

fn agents(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Agents")?;
    let here = Namespace::test();
    let [scout, _reader] = two_agents(&here);
    step(out, "ProcessRegistry.list_agents(namespace) |> ids()", ids(agent::list_agents(&here)))?;
    let again = agent::register_agent(&here, &SCOUT, &scout.pid(), &Metadata::new());
    step(out, "ProcessRegistry.register_agent(namespace, :scout, pid, %{})", ok(again))?;
    let wrong = Metadata::new().with("capabilities", "scan");
    let result = agent::register_agent(&here, &AgentId::from_static("third"), &scout.pid(), &wrong);
    step(out, "ProcessRegistry.register_agent(namespace, :third, pid, %{capabilities: :scan})", ok(result))?;
    let result = agent::lookup_agent(&here, &SCOUT).map(|(pid, info)| {
        let capabilities = list(info.capabilities());
        tuple([pid.into(), map([("health", info.health().overall_health.into()), ("capabilities", capabilities)])])
    });
    step(out, "ProcessRegistry.lookup_agent(namespace, :scout)", answer(result))?;
    let result = process_registry::get_metadata(&here, &ServiceName::agent(&SCOUT));
    step(out, "ProcessRegistry.get_metadata(namespace, {:agent, :scout})", answer(result))?;
    let count = bare(process_registry::count_services(&here));
    step(out, "ProcessRegistry.count_services(namespace)", count)?;

    let by =
        |out: &mut dyn Write, call: &str, agents| step(out, &format!("ProcessRegistry.{call} |> ids()"), ids(agents));
    by(out, "lookup_agents_by_capability(namespace, :scan)", agent::lookup_agents_by_capability(&here, &SCAN))?;
    let both = agent::lookup_agents_by_capabilities(&here, &[READ, SCAN]);
    by(out, "lookup_agents_by_capabilities(namespace, [:read, :scan])", both)?;
    let healthy = agent::lookup_healthy_agents_by_capability(&here, &SCAN);
    by(out, "lookup_healthy_agents_by_capability(namespace, :scan)", healthy)?;
    by(out, "lookup_agents_by_health(namespace, :degraded)", agent::lookup_agents_by_health(&here, Health::Degraded))?;
    let threshold = Ratio::saturating(0.8).into();
    let busy = agent::lookup_agents_by_resource_usage(&here, ResourceKind::Memory, threshold);
    by(out, "lookup_agents_by_resource_usage(namespace, :memory, 0.8)", busy)?;
    by(out, "lookup_agents_in_coordination(namespace)", agent::lookup_agents_in_coordination(&here))?;

    let result = agent::transition_agent(&here, &SCOUT, AgentState::Ready);
    step(out, "ProcessRegistry.transition_agent(namespace, :scout, :ready)", ok(result))?;
    let result = agent::transition_agent(&here, &SCOUT, AgentState::Stopped);
    step(out, "ProcessRegistry.transition_agent(namespace, :scout, :stopped)", ok(result))?;
    let before = agent::update_agent_health(&here, &SCOUT, Health::Unhealthy);
    step(out, "ProcessRegistry.update_agent_health(namespace, :scout, :unhealthy)", answer(before))?;
    let history = bare(agent::get_agent_health_history(&here, &SCOUT));
    let history = history.into_iter().map(|change| change.to.into()).collect();
    step(out, "ProcessRegistry.get_agent_health_history(namespace, :scout) |> Enum.map(& &1.to)", Term::List(history))?;
    let overview = bare(agent::get_system_health_overview(&here));
    let shown = map([
        ("total_agents", Term::from(overview.total_agents)),
        ("healthy_count", overview.healthy_count.into()),
        ("degraded_count", overview.degraded_count.into()),
        ("unhealthy_count", overview.unhealthy_count.into()),
        ("health_percentage", overview.health_percentage.get().into()),
    ]);
    step(out, "ProcessRegistry.get_system_health_overview(namespace)", shown)?;
    let stats = bare(agent::get_agent_stats(&here)).capability_distribution;
    let stats = stats.iter().map(|(capability, count)| (Term::from(capability), *count));
    step(
        out,
        "ProcessRegistry.get_agent_stats(namespace).capability_distribution",
        stats.collect::<std::collections::BTreeMap<_, _>>(),
    )?;
    drop(scout);
    step(
        out,
        "Process.exit(scout, :kill); ProcessRegistry.list_agents(namespace) |> ids()",
        ids(agent::list_agents(&here)),
    )
}

fn processes(out: &mut dyn Write) -> io::Result<()> {
    part(out, "The agent-aware registry")?;
    let owner = Owner::new();
    let config = Metadata::new().with("capabilities", vec!["scan"]);
    let result = agent_registry::register_agent_3(&SCOUT, &owner.pid(), &config);
    step(out, "ProcessRegistry.register_agent(:scout, pid, %{capabilities: [:scan]})", ok(result))?;
    let result = agent_registry::find_by_capability(&SCAN).map(|found| list(found.into_iter().map(|(pid, _)| pid)));
    step(out, "ProcessRegistry.find_by_capability(:scan) |> pids()", answer(result))?;
    let result = agent_registry::update_agent_health(&SCOUT, Health::Degraded);
    step(out, "ProcessRegistry.update_agent_health(:scout, :degraded)", ok(result))?;
    let result = agent_registry::get_agent_metadata(&SCOUT).map(|info| info.health().overall_health);
    step(out, "{:ok, metadata} = ProcessRegistry.get_agent_metadata(:scout); metadata.health_status", bare(result))?;
    let result = agent_registry::unregister_local_1(&SCOUT);
    step(out, "ProcessRegistry.unregister_local(:scout)", ok(result))?;
    let result = agent_registry::lookup_local_1(&SCOUT).map(|(pid, _)| pid);
    step(out, "ProcessRegistry.lookup_local(:scout)", found(result))
}

fn rollback(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Rollback")?;
    let here = Namespace::test();
    let _owners = two_agents(&here);
    let by_scan = || agent::lookup_agents_by_capability(&here, &SCAN).map(|agents| ids(Ok(agents)));
    let name = ServiceName::agent(&SCOUT);

    let before = process_registry::configure_metadata_mode(MetadataView::Basic);
    step(out, "ProcessRegistry.configure_metadata_mode(:basic)", before)?;
    let result = process_registry::get_metadata(&here, &name);
    step(out, "ProcessRegistry.get_metadata(namespace, {:agent, :scout})", answer(result))?;
    step(out, "ProcessRegistry.lookup_agents_by_capability(namespace, :scan) |> ids()", answer(by_scan()))?;
    let before = process_registry::configure_metadata_mode(MetadataView::Enhanced);
    step(out, "ProcessRegistry.configure_metadata_mode(:enhanced)", before)?;
    step(out, "ProcessRegistry.lookup_agents_by_capability(namespace, :scan) |> ids()", answer(by_scan()))?;

    set_agent_features_enabled(AgentFeatures::Disabled);
    step(out, "Application.put_env(:foundation, :agent_features_enabled, false)", "ok")?;
    step(out, "ProcessRegistry.lookup_agents_by_capability(namespace, :scan) |> ids()", answer(by_scan()))?;
    let result = process_registry::registered(&here, &name);
    step(out, "ProcessRegistry.registered?(namespace, {:agent, :scout})", bare(result))?;
    set_agent_features_enabled(AgentFeatures::Enabled);
    step(out, "Application.put_env(:foundation, :agent_features_enabled, true)", "ok")?;
    step(out, "ProcessRegistry.lookup_agents_by_capability(namespace, :scan) |> ids()", answer(by_scan()))
}

fn errors(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Errors")?;
    let timeout = error::new_2(ErrorKind::Timeout, Some("no answer"));
    step(
        out,
        "Error.new(:timeout, \"no answer\") |> Error.to_string()",
        Term::Other(format!("{:?}", error::to_string(&timeout))),
    )?;
    step(out, "Error.retryable?(error)", error::retryable(&timeout))?;
    let delays = (0..4).map(|attempt| match error::retry_delay(&timeout, attempt).duration() {
        Some(delay) => Term::Other(delay.as_millis().to_string()),
        None => atom("infinity"),
    });
    step(out, "Enum.map(0..3, &Error.retry_delay(error, &1))", Term::List(delays.collect()))?;
    let wrapped = error::wrap_error_3(Err::<(), _>(timeout), ErrorKind::ServiceUnavailable, Some("config is away"));
    step(out, "Error.wrap_error({:error, error}, :service_unavailable, \"config is away\")", ok(wrapped))
}

fn cleanup(out: &mut dyn Write) -> io::Result<()> {
    part(out, "Cleanup")?;
    let test = TestRef::new();
    let here = Namespace::Test(test);
    let polite = Owner::new();
    let stubborn = Owner::new();
    bare(process_registry::register_3(&here, &CONFIG, &polite.pid()));
    bare(process_registry::register_3(&here, &EVENTS, &stubborn.pid()));
    let pids = [polite.pid(), stubborn.pid()];
    let stopping = thread::spawn(move || {
        let asked = polite.on_shutdown().wait();
        polite.exit(asked);
    });
    step(out, "ProcessRegistry.cleanup_test_namespace(ref)", ok(process_registry::cleanup_test_namespace(test)))?;
    stopping.join().expect("stops when asked");
    let alive = pids.map(|pid| pid.is_alive().into());
    step(out, "Enum.map([polite, stubborn], &Process.alive?/1)", Term::List(alive.to_vec()))?;
    let result = process_registry::count_services(&here);
    step(out, "ProcessRegistry.count_services({:test, ref})", bare(result))
}
