//! Readers read and hash files.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use bytes::Bytes;

use super::super::language::Language;
use super::super::settings::INLINE_LIMIT;
use super::super::survey::SkipReason;
use super::super::task::{FileKind, FileRecord, Outcome, ReadFile, Text};
use super::{Desk, Quit};

/// Bytes at the beginning of a file that decide whether it is binary, as with git.
const PROBE: usize = 8000;

/// Byte order marks of UTF-16 and UTF-32: text in spite of its zeros.
const WIDE_MARKS: [&[u8]; 3] = [b"\xFE\xFF", b"\xFF\xFE", b"\x00\x00\xFE\xFF"];

/// Bytes of a large file that are read and hashed between two signs of progress.
const CHUNK: usize = 256 << 10;

/// Reads a file as a whole if it is small, otherwise piece by piece.
pub(super) fn read(desk: &Desk<'_>, path: &Path, size: u64) -> Result<Outcome, Quit> {
    let begun = File::open(path).and_then(|file| {
        if !file.metadata()?.is_file() {
            return Ok(None);
        }
        let mut head = Vec::with_capacity(usize::try_from(size.min(INLINE_LIMIT)).map_or(0, |size| size + 1));
        // One byte more than is kept shows that there is more.
        (&file).take(INLINE_LIMIT + 1).read_to_end(&mut head)?;
        Ok(Some((file, head)))
    });
    let (file, head) = match begun {
        Ok(Some(begun)) => begun,
        Ok(None) => return Ok(Outcome::Skipped(SkipReason::NotRegular)),
        Err(error) => return Ok(Outcome::Skipped(SkipReason::of(&error))),
    };
    desk.suffer()?;
    let is_binary = is_binary(&head);
    let is_small = head.len() as u64 <= INLINE_LIMIT;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&head);
    let mut bytes = head.len() as u64;
    let mut contents = Some(head);
    if !is_small && let Some(mut buffer) = contents.take() {
        buffer.resize(CHUNK, 0);
        match hash_rest(desk, file, &mut hasher, &mut buffer)? {
            Ok(rest) => bytes += rest,
            Err(error) => return Ok(Outcome::Skipped(SkipReason::of(&error))),
        }
    }
    let kind = if is_binary {
        FileKind::Binary
    } else {
        let text = contents.map_or(Text::Large, text_of);
        match Language::of_path(path) {
            Some(language) => FileKind::Source { language, text },
            None => FileKind::Other { text },
        }
    };
    Ok(Outcome::Read(ReadFile { record: FileRecord { bytes, hash: *hasher.finalize().as_bytes() }, kind }))
}

fn hash_rest(
    desk: &Desk<'_>,
    mut file: File,
    hasher: &mut blake3::Hasher,
    buffer: &mut [u8],
) -> Result<io::Result<u64>, Quit> {
    let mut bytes = 0;
    loop {
        desk.carry_on(0)?;
        match file.read(buffer) {
            Ok(0) => return Ok(Ok(bytes)),
            Ok(read) => {
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Ok(Err(error)),
        }
    }
}

fn is_binary(head: &[u8]) -> bool {
    !is_wide(head) && head[..head.len().min(PROBE)].contains(&0)
}

fn is_wide(head: &[u8]) -> bool {
    WIDE_MARKS.iter().any(|mark| head.starts_with(mark))
}

/// The contents, if they can be worked on as they are; wide ones are counted from their path, where they are decoded.
fn text_of(contents: Vec<u8>) -> Text {
    if is_wide(&contents) { Text::Wide } else { Text::Here(Bytes::from(contents)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zero_early_on_makes_a_file_binary_unless_it_is_wide_text() {
        assert!(is_binary(b"\x7FELF\x00"));
        assert!(!is_binary(b"text"));
        assert!(!is_binary(b""));
        assert!(!is_binary(b"\xFF\xFEf\x00n\x00"));
        let mut late = vec![b'x'; PROBE];
        late.push(0);
        assert!(!is_binary(&late));
        late[PROBE - 1] = 0;
        assert!(is_binary(&late));
    }

    #[test]
    fn wide_text_is_not_handed_on_undecoded() {
        assert!(matches!(text_of(b"\xFE\xFF\x00f".to_vec()), Text::Wide));
        assert!(matches!(text_of(b"fn".to_vec()), Text::Here(text) if text == "fn"));
    }
}
