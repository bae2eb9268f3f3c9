//! Child processes: shown as a line to copy, run with their output passed on and kept.

use std::ffi::OsStr;
use std::io::{self, IsTerminal, Read, Write};
use std::process::{Command, Stdio};
use std::thread;

use anyhow::{Context, Result};

/// What a finished child left behind.
#[derive(Debug)]
pub(crate) struct Finished {
    /// Whether it exited with code 0.
    pub(crate) success: bool,
    /// Everything it wrote: standard output, then standard error.
    pub(crate) output: String,
}

/// The command as a line a POSIX shell runs unchanged, with the environment variables it sets.
pub(crate) fn line(command: &Command) -> String {
    let assignments = command
        .get_envs()
        .filter_map(|(name, value)| Some(format!("{}={}", name.to_string_lossy(), quoted(value?))))
        .collect::<Vec<_>>();
    let words = std::iter::once(command.get_program()).chain(command.get_args()).map(quoted);
    assignments.into_iter().chain(words).collect::<Vec<_>>().join(" ")
}

/// Runs `command`, passing its output on as it comes and keeping a copy.
pub(crate) fn run(mut command: Command) -> Result<Finished> {
    let shown = line(&command);
    // Behind a pipe cargo and the test runners would fall back to plain text.
    if io::stderr().is_terminal() && command.get_envs().all(|(name, _)| name != "CARGO_TERM_COLOR") {
        command.env("CARGO_TERM_COLOR", "always");
    }
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start `{shown}`"))?;
    let stdout = child.stdout.take().context("the child's standard output was not captured")?;
    let stderr = child.stderr.take().context("the child's standard error was not captured")?;
    let (out, err) = thread::scope(|scope| {
        let err = scope.spawn(|| pass_on(stderr, io::stderr()));
        let out = pass_on(stdout, io::stdout());
        let err = err.join().unwrap_or_else(|_| Err(io::Error::other("the reader of standard error panicked")));
        (out, err)
    });
    let status = child.wait().with_context(|| format!("cannot wait for `{shown}`"))?;
    let mut output = out.with_context(|| format!("cannot read the output of `{shown}`"))?;
    output.extend(b"\n");
    output.extend(err.with_context(|| format!("cannot read the errors of `{shown}`"))?);
    Ok(Finished { success: status.success(), output: String::from_utf8_lossy(&output).into_owned() })
}

fn pass_on(mut from: impl Read, mut to: impl Write) -> io::Result<Vec<u8>> {
    let mut kept = Vec::new();
    let mut buffer = [0; 8192];
    loop {
        let read = match from.read(&mut buffer) {
            Ok(0) => return Ok(kept),
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        kept.extend_from_slice(&buffer[..read]);
        to.write_all(&buffer[..read])?;
        to.flush()?;
    }
}

fn quoted(word: &OsStr) -> String {
    let word = word.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_=./:,+@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.into_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_quotes_what_a_shell_would_split_or_expand() {
        let mut command = Command::new("cargo");
        command.args(["test", "--test", "loom_*", "it's"]).env("RUSTFLAGS", "--cfg loom");
        assert_eq!(line(&command), r"RUSTFLAGS='--cfg loom' cargo test --test 'loom_*' 'it'\''s'");
    }

    #[test]
    fn a_line_of_plain_words_stays_plain() {
        let mut command = Command::new("cargo");
        command.args(["check", "-p", "foundation-types", "--features=agent,tokio"]);
        assert_eq!(line(&command), "cargo check -p foundation-types --features=agent,tokio");
    }

    #[test]
    fn output_of_both_streams_is_kept_and_the_exit_code_read() {
        let mut command = Command::new(env!("CARGO"));
        command.arg("--version");
        let finished = run(command).unwrap();
        assert!(finished.success);
        assert!(finished.output.starts_with("cargo "), "{}", finished.output);

        let mut command = Command::new(env!("CARGO"));
        command.arg("no-such-command-of-cargo");
        let finished = run(command).unwrap();
        assert!(!finished.success);
        assert!(finished.output.contains("no-such-command-of-cargo"), "{}", finished.output);
    }
}
