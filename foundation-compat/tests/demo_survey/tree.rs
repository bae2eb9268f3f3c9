//! Trees to survey.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

/// Writes a file, and the directories it is in.
pub(crate) fn put(root: &Path, path: &str, contents: impl AsRef<[u8]>) {
    let file = root.join(path);
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(file, contents).unwrap();
}

/// A repository with several languages at several depths, ignore files that contradict each other, and files of all sizes.
pub(crate) fn repository() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    fs::create_dir(root.join(".git")).unwrap();
    put(root, ".gitignore", "target/\n*.log\n/docs/private\n");
    put(root, "target/debug/generated.rs", "fn ignored() {}\n");
    put(root, "run.log", "ignored\n");
    put(root, "docs/private/secret.md", "ignored\n");
    put(root, "docs/guide.md", "# Guide\n\nText.\n\n```rust\nfn main() {\n}\n```\n");
    put(root, "docs/logs/.gitignore", "!kept.log\n");
    put(root, "docs/logs/kept.log", "kept against the rule above\n");
    put(root, "docs/logs/dropped.log", "ignored\n");
    put(root, ".hidden.rs", "fn ignored() {}\n");
    put(root, "empty.rs", "");
    put(root, "no_line_feed.py", "x = 1\n# note\n\ny = 2");
    put(root, "tool", "#!/bin/bash\n\n# Runs.\necho ok\n");
    put(root, "LICENSE", "text without a language\n");
    put(root, "unknown.zzz", "text\n");
    put(root, "picture.png", b"\x89PNG\r\n\x1a\n\x00\x00\x00");
    put(root, "movie.ts", b"G\x40\x00\x10\x00\x00".repeat(100));
    put(root, "wide.cs", wide("// Note.\nclass C {\n}\n\n"));
    put(root, "large.rs", large(40_000));
    put(root, "untidy.rs", untidy());
    put(root, "notes.zzz", format!("{}\r\nTODO later, XXX\r\n\tover \r\nTODOS\r\n", "é".repeat(121)));
    for package in 0..6 {
        for depth in 0..5 {
            let folder = format!("packages/p{package}/{}", "nested/".repeat(depth));
            for number in 0..5 {
                let lines = 1 + 7 * number + depth;
                put(root, &format!("{folder}module_{number}.rs"), rust(lines, package));
                put(
                    root,
                    &format!("{folder}script_{number}.py"),
                    "def f():\n    '''Doc.'''\n    return 1\n\n".repeat(lines),
                );
            }
            put(root, &format!("{folder}native.c"), "/* Block\n   comment. */\nint x;\n\n".repeat(depth + 1));
            put(root, &format!("{folder}settings.toml"), "[a]\n# note\nb = 1\n");
            put(root, &format!("{folder}.ignore"), "/local.rs\n");
            put(root, &format!("{folder}local.rs"), "fn ignored() {}\n");
        }
    }
    folder
}

fn rust(lines: usize, salt: usize) -> String {
    let body = (0..lines)
        .map(|line| format!("    // Line {line}.\n    let x{line} = {salt};\n\n"))
        .collect::<Vec<_>>()
        .concat();
    format!("//! Module docs.\n\n/// Item docs.\nfn f() {{\n{body}}}\n")
}

/// Lines that reviews find something in, and lines that they nearly do.
fn untidy() -> String {
    let deep = (3..8)
        .map(|depth| format!("{}let deep = {depth};\n{}let tabs = 0;\n", "    ".repeat(depth), "\t".repeat(depth)));
    let long = (115..125).map(|width| format!("//{}\n", "w".repeat(width)));
    let lines: String = deep.chain(long).collect();
    format!("fn f() {{\n{lines}    // FIXME: now\n    let HACK = 1; // HACKY\n    let trailing = 2; \n    \n}}\t")
}

/// More than what is handed from agent to agent as contents.
fn large(lines: usize) -> String {
    let text =
        (0..lines).map(|line| format!("static X{line}: u32 = {line}; // trailing\n")).collect::<Vec<_>>().concat();
    assert!(text.len() as u64 > foundation_compat::demo::settings::INLINE_LIMIT);
    text
}

/// Text in UTF-16 with a byte order mark.
fn wide(text: &str) -> Vec<u8> {
    std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()
}

/// Many small files in one directory.
pub(crate) fn flat(files: usize) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("flat");
    fs::create_dir(&directory).unwrap();
    for number in 0..files {
        let extension = ["rs", "py", "txt", "zzz"][number % 4];
        fs::write(directory.join(format!("file_{number}.{extension}")), format!("// {number}\n\nx\n")).unwrap();
    }
    folder
}
