//! A directory that cannot be opened, whoever tries.

use std::fs;
use std::path::{Path, PathBuf};

/// Below `root`, makes a directory deeper than Linux takes a path (4096 bytes): each half can be made, and one moved into the
/// other, but the whole cannot be walked by path.
pub(crate) fn bury(root: &Path) {
    let half = |name: &str| -> PathBuf {
        let names = std::iter::repeat_n("d".repeat(200), 12);
        root.join(name).join(names.collect::<PathBuf>())
    };
    let (upper, lower) = (half("upper"), half("lower"));
    fs::create_dir_all(&upper).unwrap();
    fs::create_dir_all(lower).unwrap();
    fs::rename(root.join("lower"), upper.join("lower")).unwrap();
}
