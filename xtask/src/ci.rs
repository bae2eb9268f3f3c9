//! `cargo xtask ci`: everything a change has to pass, each step once and none built twice.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::metadata::{Metadata, Package};
use crate::step::{Failure, Outcome, Report, Step, execute};
use crate::{house, rules};

/// The version of the licence checker that is installed where there is none.
const CARGO_DENY: &str = "0.20.2";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Leave out what the inner loop can wait for: feature matrix, models, documentation, licences, packages
    #[arg(long)]
    quick: bool,
    /// Run this step alone; may be given several times
    #[arg(long, value_name = "STEP", value_parser = clap::builder::PossibleValuesParser::new(STEPS.iter().map(|(step, _)| step.name)))]
    only: Vec<String>,
}

/// Whether a step is part of `--quick`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Loop {
    Inner,
    Full,
}

/// What all steps share.
struct Workspace {
    sh: Shell,
    metadata: Metadata,
    /// Runs tests in parallel processes where it is installed; cargo test does otherwise.
    has_nextest: bool,
}

const STEPS: &[(Step<Workspace>, Loop)] = &[
    (Step { name: "format", about: "rustfmt", run: format }, Loop::Inner),
    (Step { name: "rules", about: "shape of the workspace and house rules", run: check_rules }, Loop::Inner),
    (Step { name: "lints", about: "clippy, all targets and features", run: lints }, Loop::Inner),
    (Step { name: "features", about: "every crate with no, each and all features", run: features }, Loop::Full),
    (Step { name: "build", about: "everything that tests need", run: build }, Loop::Full),
    (Step { name: "tests", about: "unit, integration and conformance tests", run: tests }, Loop::Inner),
    (Step { name: "bare-tests", about: "the same with no feature compiled in", run: bare_tests }, Loop::Full),
    (Step { name: "doctests", about: "examples in the documentation", run: doctests }, Loop::Inner),
    (Step { name: "models", about: "all interleavings, under loom", run: models }, Loop::Full),
    (Step { name: "sanitizer", about: "unsafe code, under the address sanitizer", run: sanitizer }, Loop::Full),
    (Step { name: "docs", about: "rustdoc without warnings", run: docs }, Loop::Full),
    (Step { name: "licences", about: "licences, bans and sources", run: licences }, Loop::Full),
    (Step { name: "packages", about: "what would be published", run: packages }, Loop::Full),
];

pub(crate) fn run(sh: &Shell, args: &Args) -> Result<ExitCode> {
    let workspace = Workspace {
        sh: sh.clone(),
        metadata: Metadata::read(sh)?,
        has_nextest: answers("cargo", &["nextest", "--version"]),
    };
    let wanted = |step: &Step<_>, part: Loop| {
        if args.only.is_empty() {
            !args.quick || part == Loop::Inner
        } else {
            args.only.iter().any(|name| name == step.name)
        }
    };
    let steps: Vec<_> = STEPS.iter().filter(|(step, part)| wanted(step, *part)).map(|(step, _)| step).collect();
    if steps.is_empty() {
        bail!("no step is left to run");
    }
    let report = Report::of(&steps, &workspace);
    println!("\n{}\n{}", report.table(), report.totals());
    Ok(if report.failed() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn format(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    execute(cmd!(sh, "cargo fmt --all --check"))?;
    // The fuzz targets are no member: they need a nightly compiler.
    let fuzz: Vec<PathBuf> = rust_files(&workspace.metadata.workspace_root.join("fuzz"))?;
    if !fuzz.is_empty() {
        execute(cmd!(sh, "rustfmt --check --edition 2024 {fuzz...}"))?;
    }
    Ok(Outcome::CLEAN)
}

fn check_rules(workspace: &Workspace) -> Result<Outcome, Failure> {
    let metadata = &workspace.metadata;
    let root = &metadata.workspace_root;
    let mut found = rules::dependencies(metadata);
    found.extend(rules::features(metadata));
    found.extend(rules::publication(metadata));
    found.extend(rules::duplicates(metadata));
    for package in metadata.members() {
        let manifest = workspace.sh.read_file(&package.manifest_path).context("cannot read a manifest")?;
        found.extend(rules::inheritance(&package.name, &manifest));
    }
    found.extend(rules::root_names(metadata, root_entries(&workspace.sh)?.iter().map(String::as_str)));
    for folder in metadata.members().map(Package::root).chain([root.join("fuzz").as_path()]) {
        for file in rust_files(folder)? {
            let source = workspace.sh.read_file(&file).context("cannot read a source file")?;
            found.extend(house::breaches(file.strip_prefix(root).unwrap_or(&file), &source));
        }
    }
    Failure::unless_empty(found)
}

fn lints(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    execute(cmd!(sh, "cargo clippy --locked --workspace --all-targets --all-features -- -D warnings"))?;
    Ok(Outcome::CLEAN)
}

/// Through clippy, not check: the warnings of a build without some feature are errors too, and the artifacts of the
/// dependencies are those of the step `lints`.
fn features(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    for package in workspace.metadata.published() {
        let name = &package.name;
        for features in feature_sets(package) {
            execute(cmd!(sh, "cargo clippy --quiet --locked -p {name} {features...} -- -D warnings"))?;
        }
    }
    Ok(Outcome::CLEAN)
}

/// The arguments that select no feature, the default ones where there are any, each alone, and all.
fn feature_sets(package: &Package) -> Vec<Vec<String>> {
    let no_default = "--no-default-features".to_owned();
    let mut sets = vec![vec![no_default.clone()]];
    if package.features.get("default").is_some_and(|default| !default.is_empty()) {
        sets.push(Vec::new());
    }
    let each = package.features.keys().filter(|feature| *feature != "default");
    sets.extend(each.map(|feature| vec![no_default.clone(), format!("--features={feature}")]));
    sets.push(vec!["--all-features".to_owned()]);
    sets
}

/// With the selection of targets that the tests have: with another one cargo would resolve other features and build
/// the dependencies a second time.
fn build(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    execute(cmd!(sh, "cargo build --locked --workspace --all-features --lib --bins --examples --tests"))?;
    Ok(Outcome::CLEAN)
}

fn tests(workspace: &Workspace) -> Result<Outcome, Failure> {
    execute(test_command(workspace, &["--all-features"])).map(Outcome::Passed)
}

/// What is switched off must be off: the tests that need no feature pass without any.
fn bare_tests(workspace: &Workspace) -> Result<Outcome, Failure> {
    execute(test_command(workspace, &["--no-default-features", "--exclude=xtask"])).map(Outcome::Passed)
}

fn test_command<'a>(workspace: &'a Workspace, selection: &[&str]) -> Cmd<'a> {
    let sh = &workspace.sh;
    if workspace.has_nextest {
        cmd!(sh, "cargo nextest run --locked --profile ci --workspace {selection...}")
    } else {
        cmd!(sh, "cargo test --locked --workspace {selection...} --lib --bins --examples --tests --no-fail-fast")
    }
}

fn doctests(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    execute(cmd!(sh, "cargo test --locked --workspace --all-features --doc --no-fail-fast")).map(Outcome::Passed)
}

/// The models are the tests called `loom_*`: in integration tests of such a name, and beside the private kernels of the
/// crates that have one. Their flag changes every artifact, so they have a target directory of their own; no other step
/// sees code under that flag, so warnings are errors here.
fn models(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    let selection = model_selection(workspace.metadata.members());
    if selection.is_empty() {
        return Ok(Outcome::LeftOut("no crate has a test called `loom_*`".into()));
    }
    let target = workspace.metadata.target_directory.join("loom");
    let run =
        cmd!(sh, "cargo test --locked --profile loom --target-dir {target} {selection...} --no-fail-fast -- loom_");
    let totals = execute(run.env("RUSTFLAGS", "--cfg loom -D warnings"))?;
    if totals.any() {
        Ok(Outcome::Passed(totals))
    } else {
        Err(Failure::from(anyhow::anyhow!("no model was run, though there are tests called `loom_*`")))
    }
}

fn model_selection<'a>(members: impl Iterator<Item = &'a Package>) -> Vec<String> {
    let mut packages = Vec::new();
    let mut features = Vec::new();
    for package in members {
        let models: Vec<_> = package.targets_of_kind("test").filter(|test| test.name.starts_with("loom_")).collect();
        if !models.is_empty() {
            packages.push(format!("--package={}", package.name));
        }
        let needed = models.iter().flat_map(|model| &model.required_features);
        features.extend(needed.map(|feature| format!("--features={}/{feature}", package.name)));
    }
    if packages.is_empty() {
        return packages;
    }
    features.sort_unstable();
    features.dedup();
    packages.extend(features);
    packages.extend(["--lib".into(), "--test=loom_*".into()]);
    packages
}

/// The stress tests beside unsafe code are called `stress`. The sanitizer needs a nightly compiler, which not everyone has,
/// and a target directory of its own.
fn sanitizer(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    if !answers("cargo", &["+nightly", "--version"]) {
        let missing = "no nightly compiler; `rustup toolchain install nightly` installs one";
        return Ok(Outcome::LeftOut(missing.into()));
    }
    let version = cmd!(sh, "rustc -vV").quiet().read().map_err(anyhow::Error::from)?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).context("rustc names no host")?;
    let target = workspace.metadata.target_directory.join("sanitizer");
    let run = cmd!(
        sh,
        "cargo +nightly test --locked --target-dir {target} --target {host} -p foundation-registry --features test-util --lib -- stress"
    );
    let totals = execute(run.env("RUSTFLAGS", "-Zsanitizer=address"))?;
    if totals.any() { Ok(Outcome::Passed(totals)) } else { Err(anyhow::anyhow!("no stress test was run").into()) }
}

fn docs(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    let run = cmd!(sh, "cargo doc --locked --workspace --exclude xtask --no-deps --all-features");
    execute(run.env("RUSTDOCFLAGS", "-D warnings"))?;
    Ok(Outcome::CLEAN)
}

/// The checker is installed once, beside the build output, where there is none: an own copy of a fixed version, so that
/// nothing of the machine changes.
fn licences(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    let check = ["--locked", "--all-features", "check", "bans", "licenses", "sources"];
    if answers("cargo", &["deny", "--version"]) {
        execute(cmd!(sh, "cargo deny {check...}"))?;
        return Ok(Outcome::CLEAN);
    }
    let tools = workspace.metadata.target_directory.join("tools");
    let checker = tools.join("bin").join(format!("cargo-deny{}", env::consts::EXE_SUFFIX));
    if !checker.exists() {
        execute(cmd!(sh, "cargo install --quiet --locked --root {tools} --version {CARGO_DENY} cargo-deny"))?;
    }
    execute(cmd!(sh, "{checker} {check...}"))?;
    Ok(Outcome::CLEAN)
}

/// Each package is built from what it holds alone, against packages of the others, as after publication.
///
/// Cargo takes a package for the one of the same version that it has seen before, and a crate would be built against what the
/// others once were. So what it has unpacked and built of earlier packages goes first, in a folder of their own.
fn packages(workspace: &Workspace) -> Result<Outcome, Failure> {
    let sh = &workspace.sh;
    let target = workspace.metadata.target_directory.join("packages");
    let home = env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cargo")));
    // A registry in a folder has no host to be named after.
    let is_local = |folder: &Path| folder.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"-"));
    let unpacked = home.map(|home| folders(sh, &home.join("registry/src"))).transpose()?.unwrap_or_default();
    for folder in unpacked.into_iter().filter(|folder| is_local(folder)) {
        for member in workspace.metadata.members() {
            sh.remove_path(folder.join(format!("{}-{}", member.name, member.version)))
                .context("cannot forget a package")?;
        }
    }
    for built in folders(sh, &target.join("debug/.fingerprint"))? {
        let name = built.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let of_member = |member: &Package| name.strip_prefix(&member.name).is_some_and(|rest| rest.starts_with('-'));
        if workspace.metadata.members().any(of_member) {
            sh.remove_path(&built).context("cannot forget what was built")?;
        }
    }
    execute(cmd!(sh, "cargo package --locked --workspace --exclude xtask --allow-dirty --target-dir {target}"))?;
    Ok(Outcome::CLEAN)
}

/// What is in a folder; nothing if there is none.
fn folders(sh: &Shell, folder: &Path) -> Result<Vec<PathBuf>> {
    if !folder.is_dir() {
        return Ok(Vec::new());
    }
    sh.read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))
}

/// Whether a program is there and answers.
fn answers(program: &str, args: &[&str]) -> bool {
    let quiet = Command::new(program).args(args).stdout(Stdio::null()).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

/// The names in the root that are under version control; all but build output where git is not in use.
fn root_entries(sh: &Shell) -> Result<Vec<String>> {
    let listed = cmd!(sh, "git ls-files").quiet().ignore_stderr().read();
    if let Ok(listed) = listed {
        return Ok(listed.lines().filter_map(|path| path.split('/').next()).map(str::to_owned).collect());
    }
    let entries = sh.read_dir(sh.current_dir()).context("cannot list the root of the workspace")?;
    let names = entries.iter().filter_map(|path| path.file_name()?.to_str());
    Ok(names.filter(|name| !matches!(*name, "target" | ".git")).map(str::to_owned).collect())
}

/// All Rust sources below `folder`, build output aside, in a fixed order.
fn rust_files(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder) = open.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error).with_context(|| format!("cannot list {}", folder.display())),
        };
        for entry in entries {
            let entry = entry.with_context(|| format!("cannot list {}", folder.display()))?;
            let path = entry.path();
            if entry.file_type().with_context(|| format!("cannot read {}", path.display()))?.is_dir() {
                if entry.file_name() != "target" {
                    open.push(path);
                }
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn package(features: &serde_json::Value, tests: &serde_json::Value) -> Package {
        serde_json::from_value(json!({
            "id": "x", "name": "x", "version": "0.1.0", "manifest_path": "/w/x/Cargo.toml", "publish": null,
            "features": features, "targets": tests,
        }))
        .unwrap()
    }

    #[test]
    fn the_matrix_has_no_feature_each_alone_and_all() {
        let package = package(&json!({ "default": [], "agent": [], "tokio": ["dep:tokio"] }), &json!([]));
        let sets: Vec<String> = feature_sets(&package).iter().map(|set| set.join(" ")).collect();
        let expected = [
            "--no-default-features",
            "--no-default-features --features=agent",
            "--no-default-features --features=tokio",
            "--all-features",
        ];
        assert_eq!(sets, expected);
    }

    #[test]
    fn a_default_that_is_not_empty_is_a_set_of_its_own() {
        let package = package(&json!({ "default": ["agent"], "agent": [] }), &json!([]));
        assert!(feature_sets(&package).contains(&Vec::new()));
    }

    #[test]
    fn models_are_selected_by_name_with_the_features_they_require() {
        let tests = json!([
            { "name": "loom_claim", "kind": ["test"], "required-features": ["agent"] },
            { "name": "loom_death", "kind": ["test"], "required-features": ["agent"] },
            { "name": "names", "kind": ["test"] },
        ]);
        let with_models = package(&json!({}), &tests);
        let without = package(&json!({}), &json!([{ "name": "x", "kind": ["lib"] }]));
        let selection = model_selection([&with_models, &without].into_iter());
        assert_eq!(selection, ["--package=x", "--features=x/agent", "--lib", "--test=loom_*"]);
        assert!(model_selection([&without].into_iter()).is_empty());
    }

    #[test]
    fn the_only_steps_that_may_be_skipped_are_the_slow_ones() {
        let inner: Vec<_> = STEPS.iter().filter(|(_, part)| *part == Loop::Inner).map(|(step, _)| step.name).collect();
        assert_eq!(inner, ["format", "rules", "lints", "tests", "doctests"]);
    }

    #[test]
    fn sources_are_found_in_order_and_build_output_is_not() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let files = rust_files(root).unwrap();
        assert!(files.contains(&root.join("src/main.rs")));
        assert!(files.is_sorted());
        assert!(rust_files(&root.join("no-such-folder")).unwrap().is_empty());
    }
}
