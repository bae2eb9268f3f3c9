//! Stack frames: structured where they are well formed, text where not.

use std::backtrace::{Backtrace, BacktraceStatus};
use std::fmt;
use std::sync::OnceLock;

use crate::{Metadata, Text, Value};

/// The most frames an error keeps.
pub const MAX_FRAMES: usize = 10;

/// One frame of a stack.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A call whose parts are known.
    Call {
        /// Where the function lives.
        module: Text,
        /// The function.
        function: Text,
        /// How many arguments it takes, if known.
        arity: Option<u32>,
        /// The source file, if known.
        file: Option<Text>,
        /// The line in it, if known.
        line: Option<u32>,
    },
    /// Anything else, as it was written.
    Text(Text),
}

impl Frame {
    /// The frame that a value describes. Never fails: a map with a text `module` and `function`, and `arity`, `line`
    /// (whole numbers from zero) and `file` (text) either absent, null or right, is a call; everything else is its
    /// text.
    pub fn from_value(value: &Value) -> Self {
        value.as_map().and_then(call).unwrap_or_else(|| match value {
            Value::Text(text) => Self::Text(text.clone()),
            other => Self::Text(other.to_string().into()),
        })
    }

    /// The frame as a value: a map with the five keys of a call (unknown parts null), or a text.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Call { module, function, arity, file, line } => Value::Map(
                Metadata::new()
                    .with("module", module.clone())
                    .with("function", function.clone())
                    .with("arity", *arity)
                    .with("file", file.clone())
                    .with("line", *line),
            ),
            Self::Text(text) => Value::Text(text.clone()),
        }
    }
}

impl fmt::Display for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => fmt::Display::fmt(text, f),
            Self::Call { module, function, arity, file, line } => {
                write!(f, "{module}::{function}")?;
                arity.map_or(Ok(()), |arity| write!(f, "/{arity}"))?;
                file.as_ref().map_or(Ok(()), |file| write!(f, " at {file}"))?;
                line.map_or(Ok(()), |line| write!(f, ":{line}"))
            }
        }
    }
}

fn call(map: &Metadata) -> Option<Frame> {
    let text = |key| match map.get(key) {
        None | Some(Value::Null) => Some(None),
        Some(Value::Text(text)) => Some(Some(text.clone())),
        Some(_) => None,
    };
    let number = |key| match map.get(key) {
        None | Some(Value::Null) => Some(None),
        Some(Value::Int(number)) => u32::try_from(*number).ok().map(Some),
        Some(_) => None,
    };
    Some(Frame::Call {
        module: text("module")??,
        function: text("function")??,
        arity: number("arity")?,
        file: text("file")?,
        line: number("line")?,
    })
}

/// A captured stack whose symbols are looked up when someone first asks for frames.
pub(super) struct Captured {
    backtrace: Backtrace,
    frames: OnceLock<Vec<Frame>>,
}

impl Captured {
    /// Captures the stack if the environment asks for backtraces.
    pub(super) fn if_enabled() -> Option<Self> {
        Self::of(Backtrace::capture())
    }

    /// Captures the stack.
    pub(super) fn always() -> Option<Self> {
        Self::of(Backtrace::force_capture())
    }

    fn of(backtrace: Backtrace) -> Option<Self> {
        (backtrace.status() == BacktraceStatus::Captured).then_some(Self { backtrace, frames: OnceLock::new() })
    }

    pub(super) fn frames(&self) -> &[Frame] {
        self.frames.get_or_init(|| parse(&self.backtrace.to_string()))
    }
}

/// Reads the text form of a backtrace: lines `N: path::function`, each with an optional line `at file:line:column`
/// below. The frames of the capture itself are left out.
fn parse(backtrace: &str) -> Vec<Frame> {
    const OWN: [&str; 3] = ["std::backtrace", "<std::backtrace", "foundation_types::error"];
    let mut frames: Vec<Frame> = Vec::new();
    let mut keeps = false;
    for line in backtrace.lines().map(str::trim) {
        if let Some(location) = line.strip_prefix("at ") {
            if let (true, Some(Frame::Call { file, line, .. })) = (keeps, frames.last_mut()) {
                let mut parts = location.rsplitn(3, ':');
                let (_column, number, path) = (parts.next(), parts.next(), parts.next());
                *line = number.and_then(|number| number.parse().ok());
                *file = Some(path.unwrap_or(location).into());
            }
            continue;
        }
        let Some((_, symbol)) = line.split_once(": ").filter(|(index, _)| index.parse::<u32>().is_ok()) else {
            continue;
        };
        keeps = !(frames.is_empty() && OWN.iter().any(|own| symbol.starts_with(own)));
        if !keeps {
            continue;
        }
        if frames.len() == MAX_FRAMES {
            break;
        }
        frames.push(match symbol.rsplit_once("::") {
            Some((module, function)) => {
                Frame::Call { module: module.into(), function: function.into(), arity: None, file: None, line: None }
            }
            None => Frame::Text(symbol.into()),
        });
    }
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_of_a_backtrace_becomes_frames_without_those_of_the_capture() {
        let text = "   0: std::backtrace::Backtrace::capture\n             at /rustc/x/backtrace.rs:1:2\n   \
                    1: foundation_types::error::frame::Captured::always\n   2: app::work::step\n             \
                    at ./src/work.rs:17:9\n   3: main\n";
        let step = Frame::Call {
            module: "app::work".into(),
            function: "step".into(),
            arity: None,
            file: Some("./src/work.rs".into()),
            line: Some(17),
        };
        assert_eq!(parse(text), [step, Frame::Text("main".into())]);
    }

    #[test]
    fn a_long_stack_is_cut() {
        let lines: Vec<_> = (0..40).map(|index| format!("  {index}: app::f{index}")).collect();
        let text = lines.join("\n");
        assert_eq!(parse(&text).len(), MAX_FRAMES);
    }
}
