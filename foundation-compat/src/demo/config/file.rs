//! The commented file.

use std::fmt::Write as _;

use super::table::{Effect, Kind, Reach, SETTINGS, Setting};

const HEAD: &str = "\
# Settings of `foundation demo`, all at their defaults.
#
# Above this file lie environment variables, such as FOUNDATION__READ__CONCURRENCY=2, and flags of the command line.
# `foundation config explain read.concurrency` tells which of them decides. The file is watched while a survey runs.
# Other files of settings can be included: include = [\"more.toml\"]
";

const FOOT: &str = "
# What one agent alone is to use: settings that say above that one agent may have its own.
# [agents.\"reader-1\".read]
# files_per_second = 50
";

/// A file with every setting: its default, its unit, what it can be, and when a change takes effect.
pub fn template() -> String {
    let mut text = HEAD.to_owned();
    let mut section = "";
    for setting in SETTINGS {
        text.push('\n');
        if setting.section != section {
            section = setting.section;
            // Writing to a string does not fail.
            let _ = writeln!(text, "[{section}]");
        }
        text.push_str(&entry(setting));
    }
    text.push_str(FOOT);
    text
}

fn entry(setting: &Setting) -> String {
    let (what, value) = match setting.kind {
        Kind::Integer { default, unit, .. } => (format!("{}, in {unit}", setting.range()), default.to_string()),
        Kind::Text { default, .. } => (setting.range(), format!("{default:?}")),
    };
    let mut what = what;
    if let Some(first) = what.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    let effect = match setting.effect {
        Effect::AtOnce => "A change takes effect at once",
        Effect::NextRun => "A change takes effect with the next survey",
    };
    let reach = if setting.reach == Reach::EachAgent { "; one agent may have its own" } else { "" };
    format!("# {}\n# {what}; {value} by default. {effect}{reach}.\n{} = {value}\n", setting.about, setting.key)
}
