//! Rust source with everything that is not code blanked out.

/// Replaces the contents of comments, strings and character literals by spaces, keeping every line where it was, so
/// that a search of the result finds code only.
pub(crate) fn code_only(source: &str) -> String {
    Scanner { rest: source, code: String::with_capacity(source.len()), previous: ' ' }.run()
}

struct Scanner<'a> {
    rest: &'a str,
    code: String,
    /// The last character of code, to tell a raw string's `r` from the end of a name.
    previous: char,
}

impl Scanner<'_> {
    fn run(mut self) -> String {
        while let Some(c) = self.rest.chars().next() {
            let length = if self.rest.starts_with("//") {
                self.rest.find('\n').unwrap_or(self.rest.len())
            } else if self.rest.starts_with("/*") {
                block_comment(self.rest)
            } else if let Some(length) = self.raw_string() {
                length
            } else if c == '"' {
                string(self.rest)
            } else if let Some(length) = character(self.rest) {
                length
            } else {
                self.code.push(c);
                self.previous = c;
                self.rest = &self.rest[c.len_utf8()..];
                continue;
            };
            self.blank(length);
        }
        self.code
    }

    fn blank(&mut self, length: usize) {
        let (gone, rest) = self.rest.split_at(length);
        self.code.extend(gone.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        self.previous = ' ';
        self.rest = rest;
    }

    /// The length of the raw string (`r"…"`, `br#"…"#`) that begins here.
    fn raw_string(&self) -> Option<usize> {
        if self.previous.is_alphanumeric() || self.previous == '_' {
            return None;
        }
        let after_prefix = ["r", "br", "cr"].iter().find_map(|prefix| self.rest.strip_prefix(prefix))?;
        let hashes = after_prefix.len() - after_prefix.trim_start_matches('#').len();
        let body = after_prefix[hashes..].strip_prefix('"')?;
        let end = format!("\"{}", "#".repeat(hashes));
        let opened = self.rest.len() - body.len();
        Some(body.find(&end).map_or(self.rest.len(), |at| opened + at + end.len()))
    }
}

fn block_comment(text: &str) -> usize {
    let mut depth = 0_u32;
    let mut at = 0;
    while at < text.len() {
        let rest = &text[at..];
        if rest.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if rest.starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += rest.chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of the character literal that begins here; a lifetime is none.
fn character(text: &str) -> Option<usize> {
    let body = text.strip_prefix('\'')?;
    let first = body.chars().next()?;
    if first == '\\' {
        let escape = body[1..].chars().next()?.len_utf8();
        return body[1 + escape..].find('\'').map(|at| 1 + 1 + escape + at + 1);
    }
    body[first.len_utf8()..].starts_with('\'').then(|| 1 + first.len_utf8() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(source: &str) -> Vec<String> {
        let code = code_only(source);
        assert_eq!(code.lines().count(), source.lines().count(), "lines moved");
        code.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn comments_are_blanked_nested_ones_too() {
        assert_eq!(words("a // b\nc /* d /* e */ f */ g\n/// h\ni"), ["a", "c", "g", "i"]);
    }

    #[test]
    fn strings_are_blanked_with_their_escapes() {
        assert_eq!(words(r#"a("b \" c", d)"#), ["a(", ",", "d)"]);
        assert_eq!(words("a \"b\nc\" d"), ["a", "d"]);
    }

    #[test]
    fn raw_strings_end_at_their_own_number_of_hashes() {
        assert_eq!(words(r###"a r#"b " c"# d br##"e"# f"## g r"\" h"###), ["a", "d", "g", "h"]);
        assert_eq!(words(r#"var"x" y"#), ["var", "y"]);
    }

    #[test]
    fn characters_are_blanked_and_lifetimes_are_not() {
        assert_eq!(words(r"a '\'' b '\u{1F600}' c '/' d '\\' e"), ["a", "b", "c", "d", "e"]);
        assert_eq!(words("fn f<'a>(x: &'a str, y: '\"') {}"), ["fn", "f<'a>(x:", "&'a", "str,", "y:", ")", "{}"]);
    }

    #[test]
    fn unfinished_literals_end_with_the_source() {
        assert_eq!(words("a \"b c"), ["a"]);
        assert_eq!(words("a /* b"), ["a"]);
        assert_eq!(words("a r#\"b"), ["a"]);
    }
}
