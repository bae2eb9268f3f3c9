//! The shape of the workspace as rules over `cargo metadata` and the manifests: who may depend on whom, which features
//! exist, where versions are written, what lies in the root. Every rule returns what breaks it, in sentences.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::metadata::{Metadata, Package};

/// The crate every subsystem stands on, and the only one it may know.
const TYPES: &str = "foundation-types";
/// The crate that composes the subsystems.
const COMPAT: &str = "foundation-compat";
/// The tasks of the workspace.
const XTASK: &str = "xtask";

/// What lies in the root of the repository besides the folders of the members.
const ROOT_NAMES: &[&str] = &[
    ".cargo",
    ".ci",
    ".config",
    ".github",
    ".gitignore",
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "README.md",
    "deny.toml",
    "docs",
    "fuzz",
    "rustfmt.toml",
];

/// Dependencies below which several versions of a crate are tolerated, and why.
const TOLERATED_TREES: &[(&str, &str)] = &[
    ("tokei", "counts lines for the demo alone, behind feature `cli`; its tree lags behind the rest"),
    (
        "tracing-attributes",
        "asked for only by the actor frameworks that benchmarks compare with; users build none of it",
    ),
];

/// A subsystem depends on `foundation-types` and on no other member, `foundation-types` on none; `foundation-compat`
/// may know all but `xtask`. Dev- and build-dependencies count; a dependency on oneself does not.
pub(crate) fn dependencies(metadata: &Metadata) -> Vec<String> {
    let members: BTreeSet<&str> = metadata.members().map(|package| package.name.as_str()).collect();
    let mut found = BTreeSet::new();
    for package in metadata.members() {
        let allowed = |other: &str| match package.name.as_str() {
            XTASK => true,
            COMPAT => other != XTASK,
            TYPES => false,
            _ => other == TYPES,
        };
        for dependency in &package.dependencies {
            let other = dependency.name.as_str();
            if members.contains(other) && other != package.name && !allowed(other) {
                found.insert(format!(
                    "{} depends on {other}: subsystems meet only through the traits of {TYPES}, and {COMPAT} composes them",
                    package.name
                ));
            }
        }
    }
    found.into_iter().collect()
}

/// Published crates other than `foundation-compat` have an empty default feature set, and a public test suite brings
/// the tools it needs.
pub(crate) fn features(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        let (name, features) = (&package.name, &package.features);
        if name != COMPAT && features.get("default").is_none_or(|default| !default.is_empty()) {
            found.push(format!("{name} must say `default = []`: whoever wants a feature asks for it"));
        }
        if features.contains_key("test-util")
            && features.contains_key("conformance")
            && !implies(features, "conformance", "test-util")
        {
            found.push(format!("feature `conformance` of {name} must imply its `test-util`"));
        }
    }
    found
}

fn implies(features: &BTreeMap<String, Vec<String>>, feature: &str, wanted: &str) -> bool {
    let mut open = vec![feature];
    let mut seen = BTreeSet::new();
    while let Some(feature) = open.pop() {
        if feature == wanted {
            return true;
        }
        if seen.insert(feature) {
            open.extend(features.get(feature).into_iter().flatten().map(String::as_str));
        }
    }
    false
}

/// A published crate says all that a registry and docs.rs want to know.
pub(crate) fn publication(metadata: &Metadata) -> Vec<String> {
    let mut found = Vec::new();
    for package in metadata.published() {
        let checks = [
            ("description", package.description.is_some()),
            ("license", package.license.is_some()),
            ("repository", package.repository.is_some()),
            ("readme", package.readme.is_some()),
            ("rust-version", package.rust_version.is_some()),
            ("keywords", !package.keywords.is_empty()),
            ("categories", !package.categories.is_empty()),
            ("metadata.docs.rs", package.metadata.pointer("/docs/rs").is_some()),
        ];
        found.extend(
            checks
                .iter()
                .filter(|(_, stated)| !stated)
                .map(|(what, _)| format!("the manifest of {} states no `{what}`", package.name)),
        );
    }
    found
}

/// In the graph that users of the published crates build (no dev-dependencies), each crate has one version.
pub(crate) fn duplicates(metadata: &Metadata) -> Vec<String> {
    let packages: HashMap<&str, &Package> = metadata.packages.iter().map(|p| (p.id.as_str(), p)).collect();
    let nodes: HashMap<_, _> = metadata.resolve.nodes.iter().map(|node| (node.id.as_str(), node)).collect();
    let mut open: Vec<&str> = metadata.published().map(|package| package.id.as_str()).collect();
    let mut users: HashMap<&str, BTreeSet<&str>> = HashMap::new();
    let mut reached: BTreeSet<&str> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        let (Some(package), Some(node)) = (packages.get(id), nodes.get(id)) else { continue };
        if TOLERATED_TREES.iter().any(|(name, _)| *name == package.name) {
            continue;
        }
        for edge in &node.deps {
            if edge.dep_kinds.iter().all(|kind| kind.kind.as_deref() == Some("dev")) {
                continue;
            }
            users.entry(&edge.pkg).or_default().insert(&package.name);
            if reached.insert(&edge.pkg) {
                open.push(&edge.pkg);
            }
        }
    }
    let mut versions: BTreeMap<&str, Vec<&Package>> = BTreeMap::new();
    for package in reached.iter().filter_map(|id| packages.get(id)) {
        versions.entry(&package.name).or_default().push(package);
    }
    versions.retain(|_, packages| packages.len() > 1);
    versions
        .into_iter()
        .map(|(name, packages)| {
            let each = packages.iter().map(|package| {
                let users = users.get(package.id.as_str()).into_iter().flatten().copied().collect::<Vec<_>>();
                format!("{} for {}", package.version, users.join(", "))
            });
            format!("{name} is built in {} versions: {}", packages.len(), each.collect::<Vec<_>>().join("; "))
        })
        .collect()
}

/// Every dependency in the manifest of `package` takes its version from the workspace, and so do the lints.
pub(crate) fn inheritance(package: &str, manifest: &str) -> Vec<String> {
    let manifest: toml::Table = match manifest.parse() {
        Ok(manifest) => manifest,
        Err(error) => return vec![format!("the manifest of {package} is not TOML: {error}")],
    };
    let mut found = Vec::new();
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let platforms = targets.into_iter().flat_map(toml::Table::values).filter_map(toml::Value::as_table);
    for table in std::iter::once(&manifest).chain(platforms) {
        for kind in ["dependencies", "dev-dependencies", "build-dependencies"] {
            let Some(dependencies) = table.get(kind).and_then(toml::Value::as_table) else { continue };
            for (name, _) in dependencies.iter().filter(|(_, declared)| !inherits(declared)) {
                found.push(format!(
                    "{package}: `{name}` in [{kind}] must say `workspace = true`; versions are in the root manifest"
                ));
            }
        }
    }
    if !manifest.get("lints").is_some_and(inherits) {
        found.push(format!("{package} must say `lints.workspace = true`"));
    }
    found
}

fn inherits(declared: &toml::Value) -> bool {
    declared.get("workspace").and_then(toml::Value::as_bool) == Some(true)
}

/// The root of the repository holds the known names and the folders of the members, and nothing else.
pub(crate) fn root_names<'a>(metadata: &Metadata, names: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let folders: BTreeSet<&str> = metadata
        .members()
        .filter_map(|package| package.root().strip_prefix(&metadata.workspace_root).ok()?.iter().next()?.to_str())
        .collect();
    let unknown: BTreeSet<&str> =
        names.into_iter().filter(|name| !folders.contains(name) && !ROOT_NAMES.contains(name)).collect();
    unknown
        .into_iter()
        .map(|name| format!("`{name}` in the root of the repository is not in the list of what belongs there"))
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    /// The edges of a package: to which, and of what kind.
    type Edges<'a> = &'a [(&'a str, Option<&'a str>)];

    /// A workspace in `/w` of members given as (name, dependencies), beside the packages and edges of `others`.
    fn workspace(members: &[(&str, &[&str])], others: &[(&str, &str, Edges<'_>)]) -> Metadata {
        let mut packages: Vec<Value> = members
            .iter()
            .map(|(name, dependencies)| {
                json!({
                    "id": name, "name": name, "version": "0.1.0", "manifest_path": format!("/w/{name}/Cargo.toml"),
                    "publish": if *name == XTASK { json!([]) } else { Value::Null },
                    "features": { "default": [] },
                    "dependencies": dependencies.iter().map(|name| json!({ "name": name })).collect::<Vec<_>>(),
                })
            })
            .collect();
        let mut nodes = Vec::new();
        for (id, name, edges) in others {
            if !members.iter().any(|(member, _)| member == id) {
                packages.push(json!({
                    "id": id, "name": name, "version": id.trim_start_matches(name).trim_start_matches('@'),
                    "manifest_path": format!("/registry/{id}/Cargo.toml"), "publish": null,
                }));
            }
            let deps = edges.iter().map(|(to, kind)| json!({ "pkg": to, "dep_kinds": [{ "kind": kind }] }));
            nodes.push(json!({ "id": id, "deps": deps.collect::<Vec<_>>() }));
        }
        serde_json::from_value(json!({
            "packages": packages,
            "workspace_members": members.iter().map(|(name, _)| *name).collect::<Vec<_>>(),
            "workspace_root": "/w", "target_directory": "/w/target",
            "resolve": { "nodes": nodes },
        }))
        .unwrap()
    }

    #[test]
    fn the_intended_shape_breaks_no_dependency_rule() {
        let metadata = workspace(
            &[
                (TYPES, &["serde", TYPES]),
                ("foundation-registry", &[TYPES, "serde"]),
                ("foundation-breaker", &[TYPES]),
                (COMPAT, &[TYPES, "foundation-registry", "foundation-breaker"]),
                (XTASK, &[COMPAT, TYPES]),
            ],
            &[],
        );
        assert_eq!(dependencies(&metadata), Vec::<String>::new());
    }

    #[test]
    fn subsystems_do_not_know_each_other() {
        let metadata = workspace(
            &[(TYPES, &[]), ("foundation-registry", &[TYPES]), ("foundation-breaker", &["foundation-registry"])],
            &[],
        );
        let found = dependencies(&metadata);
        assert_eq!(found.len(), 1);
        assert!(found[0].starts_with("foundation-breaker depends on foundation-registry"), "{}", found[0]);
    }

    #[test]
    fn types_knows_no_member_and_nobody_knows_the_tasks() {
        let metadata = workspace(
            &[(TYPES, &["foundation-registry"]), ("foundation-registry", &[]), (COMPAT, &[XTASK]), (XTASK, &[])],
            &[],
        );
        let found = dependencies(&metadata);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn default_features_are_stated_and_empty_except_in_compat() {
        let mut metadata = workspace(&[(TYPES, &[]), ("foundation-registry", &[]), (COMPAT, &[]), (XTASK, &[])], &[]);
        assert_eq!(features(&metadata), Vec::<String>::new());
        for package in &mut metadata.packages {
            package.features = BTreeMap::from([("default".to_owned(), vec!["agent".to_owned()])]);
        }
        assert_eq!(features(&metadata).len(), 2);
        for package in &mut metadata.packages {
            package.features.clear();
        }
        assert_eq!(features(&metadata).len(), 2);
    }

    #[test]
    fn a_conformance_feature_brings_the_test_tools_also_indirectly() {
        let mut metadata = workspace(&[(TYPES, &[])], &[]);
        let mut set = |conformance: &[&str]| {
            let conformance = conformance.iter().map(|&feature| feature.to_owned()).collect();
            let features = [("conformance", conformance), ("models", vec!["test-util".to_owned()])];
            let features = features.into_iter().chain([("default", vec![]), ("test-util", vec![])]);
            metadata.packages[0].features = features.map(|(name, implied)| (name.to_owned(), implied)).collect();
            super::features(&metadata)
        };
        assert_eq!(set(&["models"]), Vec::<String>::new());
        assert_eq!(set(&[]).len(), 1);
    }

    #[test]
    fn a_published_crate_without_its_metadata_is_named_and_a_private_one_is_not() {
        let metadata = workspace(&[(TYPES, &[]), (XTASK, &[])], &[]);
        let found = publication(&metadata);
        assert_eq!(found.len(), 8, "{found:?}");
        assert!(found.iter().all(|sentence| sentence.contains(TYPES)));
    }

    #[test]
    fn two_versions_of_a_crate_are_found_with_their_users() {
        let metadata = workspace(
            &[(TYPES, &[])],
            &[
                (TYPES, TYPES, &[("a@1", None), ("b@1", None)]),
                ("a@1", "a", &[("c@1", None)]),
                ("b@1", "b", &[("c@2", Some("build"))]),
                ("c@1", "c", &[]),
                ("c@2", "c", &[]),
            ],
        );
        assert_eq!(duplicates(&metadata), ["c is built in 2 versions: 1 for a; 2 for b"]);
    }

    #[test]
    fn dev_dependencies_and_tolerated_trees_may_bring_another_version() {
        let metadata = workspace(
            &[(COMPAT, &[])],
            &[
                (COMPAT, COMPAT, &[("c@1", None), ("c@2", Some("dev")), ("tokei@15", None)]),
                ("tokei@15", "tokei", &[("c@3", None)]),
                ("c@1", "c", &[]),
                ("c@2", "c", &[]),
                ("c@3", "c", &[]),
            ],
        );
        assert_eq!(duplicates(&metadata), Vec::<String>::new());
    }

    #[test]
    fn versions_are_inherited_in_every_table_of_a_manifest() {
        let manifest = r#"
            [dependencies]
            a.workspace = true
            b = { workspace = true, optional = true }
            c = "1"
            [dev-dependencies]
            d = { path = "../d" }
            [build-dependencies.e]
            workspace = true
            [target.'cfg(loom)'.dependencies]
            f = { version = "2" }
            [lints]
            workspace = true
        "#;
        let found = inheritance("x", manifest);
        let named = |name: &str| found.iter().any(|sentence| sentence.contains(&format!("`{name}`")));
        assert_eq!(found.len(), 3, "{found:?}");
        assert!(named("c") && named("d") && named("f"));
        assert_eq!(inheritance("x", "[dependencies]\n"), ["x must say `lints.workspace = true`"]);
    }

    #[test]
    fn the_root_holds_members_and_known_names_only() {
        let metadata = workspace(&[(TYPES, &[])], &[]);
        assert_eq!(root_names(&metadata, [TYPES, "README.md", "docs"]), Vec::<String>::new());
        assert_eq!(root_names(&metadata, ["notes.txt", "notes.txt"]).len(), 1);
    }
}
