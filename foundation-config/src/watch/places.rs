//! Where the content of a file can change.

use std::collections::{BTreeSet, VecDeque};
use std::ffi::OsString;
use std::fs;
use std::path::{self, Component, Path, PathBuf};

/// The most symbolic links on the way to a file that are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// The entries of folders that decide what some paths lead to: an entry that is made, removed, replaced or written makes a
/// difference, others do not. Folders are real ones, with no link on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Places {
    entries: BTreeSet<PathBuf>,
    folders: BTreeSet<PathBuf>,
}

impl Places {
    /// Those of these paths, relative ones from the working directory on.
    pub(super) fn of<P: AsRef<Path>>(files: impl IntoIterator<Item = P>) -> Self {
        let mut places = Self::default();
        for file in files {
            if let Ok(file) = path::absolute(file) {
                places.follow(&file);
            }
        }
        places
    }

    /// The folders to watch.
    pub(super) fn folders(&self) -> impl Iterator<Item = &Path> {
        self.folders.iter().map(PathBuf::as_path)
    }

    /// Whether what happened at this path makes a difference.
    pub(super) fn concern(&self, path: &Path) -> bool {
        self.entries.contains(path)
    }

    /// Walks an absolute path as the system does, as far as it leads.
    fn follow(&mut self, file: &Path) {
        let mut links = 0;
        let mut here = PathBuf::new();
        let mut ahead: VecDeque<Step> = steps(file).collect();
        while let Some(step) = ahead.pop_front() {
            match step {
                Step::Root(root) => here = root,
                Step::Up => {
                    here.pop();
                }
                Step::Down(name) => {
                    self.folders.insert(here.clone());
                    let entry = here.join(name);
                    self.entries.insert(entry.clone());
                    // What is not there leads no further.
                    let Ok(found) = fs::symlink_metadata(&entry) else { return };
                    if !found.is_symlink() {
                        here = entry;
                        continue;
                    }
                    links += 1;
                    let Ok(target) = fs::read_link(&entry) else { return };
                    if links > MAX_LINKS {
                        return;
                    }
                    for step in steps(&target).collect::<Vec<_>>().into_iter().rev() {
                        ahead.push_front(step);
                    }
                }
            }
        }
    }
}

enum Step {
    Root(PathBuf),
    Up,
    Down(OsString),
}

fn steps(path: &Path) -> impl Iterator<Item = Step> {
    path.components().filter_map(|component| match component {
        Component::Prefix(_) | Component::RootDir => Some(Step::Root(component.as_os_str().into())),
        Component::CurDir => None,
        Component::ParentDir => Some(Step::Up),
        Component::Normal(name) => Some(Step::Down(name.to_owned())),
    })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    /// A folder whose path has no links in it.
    fn folder() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let real = fs::canonicalize(folder.path()).expect("it exists");
        (folder, real)
    }

    /// The places below `root`, and the number of those above.
    fn places(root: &Path, file: &str) -> (Vec<String>, Vec<String>) {
        let places = Places::of([root.join(file)]);
        let below = |paths: &BTreeSet<PathBuf>| {
            let below = paths.iter().filter_map(|path| path.strip_prefix(root).ok());
            below.map(|path| path.display().to_string()).filter(|path| !path.is_empty()).collect()
        };
        for above in root.ancestors().skip(1) {
            assert!(places.folders.contains(above), "{} is watched", above.display());
        }
        (below(&places.entries), below(&places.folders))
    }

    #[test]
    fn every_folder_on_the_way_is_watched_for_the_next_step() {
        let (_guard, root) = folder();
        fs::create_dir_all(root.join("a/b")).expect("folders");
        fs::write(root.join("a/b/c"), "").expect("a file");
        assert_eq!(places(&root, "a/./b/../b/c"), (strings(&["a", "a/b", "a/b/c"]), strings(&["a", "a/b"])));
        let places = Places::of([root.join("a/b/c")]);
        assert!(places.concern(&root.join("a/b/c")) && places.concern(&root.join("a")) && places.concern(&root));
        assert!(!places.concern(&root.join("a/b/d")) && !places.concern(&root.join("b")));
    }

    #[test]
    fn what_is_not_there_is_awaited_where_it_would_be() {
        let (_guard, root) = folder();
        assert_eq!(places(&root, "a/b/c"), (strings(&["a"]), strings(&[])));
        fs::create_dir(root.join("a")).expect("a folder");
        assert_eq!(places(&root, "a/b/c"), (strings(&["a", "a/b"]), strings(&["a"])));
        symlink("a/x", root.join("l")).expect("a link");
        assert_eq!(places(&root, "l"), (strings(&["a", "a/x", "l"]), strings(&["a"])));
    }

    #[test]
    fn links_are_followed_to_where_they_lead() {
        let (_guard, root) = folder();
        fs::create_dir_all(root.join("v/..1")).expect("folders");
        fs::write(root.join("v/..1/app"), "").expect("a file");
        symlink("..1", root.join("v/..data")).expect("a link");
        symlink("..data/app", root.join("v/app")).expect("a link");
        symlink(root.join("v"), root.join("conf")).expect("a link");
        assert_eq!(
            places(&root, "conf/app"),
            (strings(&["conf", "v", "v/..1", "v/..1/app", "v/..data", "v/app"]), strings(&["v", "v/..1"]))
        );
    }

    #[test]
    fn links_in_a_circle_end() {
        let (_guard, root) = folder();
        symlink("b", root.join("a")).expect("a link");
        symlink("a", root.join("b")).expect("a link");
        assert_eq!(places(&root, "a"), (strings(&["a", "b"]), strings(&[])));
    }

    fn strings(paths: &[&str]) -> Vec<String> {
        paths.iter().map(ToString::to_string).collect()
    }
}
