//! The rules of the settings, as the table has them.

use foundation_config::{Path, Violation, ViolationKind, Violations, default_secret};
use foundation_types::{Metadata, Value};

use super::super::settings::Crew;
use super::is_agent;
use super::table::{Kind, Reach, SETTINGS, Setting};

/// The table of the file that holds what single agents are to use.
pub(super) const AGENTS: &str = "agents";

/// Characters of a text that a message quotes.
const QUOTED: usize = 40;

/// What all settings are by default.
pub(super) fn defaults() -> Value {
    let mut tree = Metadata::new();
    for setting in SETTINGS {
        let value = match setting.kind {
            Kind::Integer { default, .. } => Value::Int(default),
            Kind::Text { default, .. } => Value::from(default),
        };
        if !tree.contains_key(setting.section) {
            tree.insert(setting.section, Metadata::new());
        }
        if let Some(Value::Map(section)) = tree.get_mut(setting.section) {
            section.insert(setting.key, value);
        }
    }
    tree.into()
}

/// Reports everything that is no setting, or none that there can be.
pub(super) fn check(tree: &Value, out: &mut Violations) {
    for (section, value) in tree.as_map().into_iter().flatten() {
        let path = [section.as_str()];
        if section.as_str() == AGENTS {
            check_agents(value, out);
        } else if SETTINGS.iter().any(|setting| setting.section == section.as_str()) {
            check_section(&path, value, |_| true, out);
        } else {
            report(out, &path, ViolationKind::Shape, unknown("table", sections(|_| true).chain([AGENTS])));
        }
    }
}

/// The settings of a crew that is too large together.
pub(super) fn check_crew(crew: Crew, out: &mut Violations) {
    if crew.total() > Crew::MAX {
        let message = format!("expected at most {} agents in all, found {}", Crew::MAX, crew.total());
        report(out, &["crew"], ViolationKind::Constraint, message);
    }
}

fn check_agents(value: &Value, out: &mut Violations) {
    let Some(agents) = map(&[AGENTS], value, out) else { return };
    let is_own = |setting: &Setting| setting.reach == Reach::EachAgent;
    for (agent, value) in agents {
        let path = [AGENTS, agent.as_str()];
        if !is_agent(agent) {
            let message = "expected the name of an agent, such as reader-1, found another".to_owned();
            report(out, &path, ViolationKind::NotInEnum, message);
            continue;
        }
        let Some(tables) = map(&path, value, out) else { continue };
        for (section, value) in tables {
            let path = [AGENTS, agent.as_str(), section.as_str()];
            if sections(is_own).any(|own| own == section.as_str()) {
                check_section(&path, value, is_own, out);
            } else {
                let message = unknown("table of an agent", sections(is_own));
                report(out, &path, ViolationKind::Shape, message);
            }
        }
    }
}

/// The settings of the table whose path ends with its name.
fn check_section(path: &[&str], value: &Value, has: impl Fn(&Setting) -> bool, out: &mut Violations) {
    let Some(settings) = map(path, value, out) else { return };
    let section = path.last().copied().unwrap_or_default();
    for (key, value) in settings {
        let path: Vec<&str> = path.iter().copied().chain([key.as_str()]).collect();
        if let Some(setting) = Setting::find(section, key).filter(|setting| has(setting)) {
            check_value(setting, &path, value, out);
        } else {
            let known = SETTINGS.iter().filter(|setting| setting.section == section && has(setting));
            report(out, &path, ViolationKind::Shape, unknown("key", known.map(|setting| setting.key)));
        }
    }
}

fn check_value(setting: &Setting, path: &[&str], value: &Value, out: &mut Violations) {
    let kind = match (setting.kind, value) {
        (Kind::Integer { min, max, .. }, Value::Int(number)) if (min..=max).contains(number) => return,
        (Kind::Integer { .. }, Value::Int(_)) => ViolationKind::Range,
        (Kind::Text { max, .. }, Value::Text(text)) => {
            if text.len() <= max && text.bytes().all(|byte| byte.is_ascii_graphic()) {
                return;
            }
            ViolationKind::Constraint
        }
        _ => ViolationKind::Shape,
    };
    let is_secret = Path::new(path.iter().copied()).is_ok_and(|path| default_secret(&path));
    let found = if is_secret { "another value".to_owned() } else { describe(value) };
    report(out, path, kind, format!("expected {}, found {found}", setting.range()));
}

fn map<'v>(path: &[&str], value: &'v Value, out: &mut Violations) -> Option<&'v Metadata> {
    let map = value.as_map();
    if map.is_none() {
        report(out, path, ViolationKind::Shape, format!("expected a table, found {}", describe(value)));
    }
    map
}

fn report(out: &mut Violations, path: &[&str], kind: ViolationKind, message: String) {
    // Sources have no longer paths than there can be.
    out.push(Violation::new(Path::new(path.iter().copied()).unwrap_or_default(), kind, message));
}

/// The tables that have such a setting, in order.
fn sections(has: impl Fn(&Setting) -> bool) -> impl Iterator<Item = &'static str> {
    let mut last = "";
    SETTINGS.iter().filter(move |setting| has(setting)).filter_map(move |setting| {
        let is_new = last != setting.section;
        last = setting.section;
        is_new.then_some(last)
    })
}

fn unknown(what: &str, known: impl Iterator<Item = &'static str>) -> String {
    format!("unknown {what}; expected one of {}", known.collect::<Vec<_>>().join(", "))
}

/// A value as messages name it.
fn describe(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(is_true) => is_true.to_string(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("the float {number}"),
        Value::Text(text) if text.chars().count() > QUOTED => {
            format!("the text {:?}...", text.chars().take(QUOTED).collect::<String>())
        }
        Value::Text(text) => format!("the text {:?}", text.as_str()),
        Value::Time(_) => "a time".to_owned(),
        Value::List(_) => "a list".to_owned(),
        Value::Map(_) => "a table".to_owned(),
    }
}
