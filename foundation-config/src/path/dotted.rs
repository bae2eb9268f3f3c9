//! The text form of a path.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use foundation_types::Text;

use super::{Path, PathError, check_component};

pub(super) fn parse(text: &str) -> Result<Path, PathError> {
    let mut components = Vec::new();
    visit(text, |component| {
        check_component(components.len(), component)?;
        components.push(Text::from(component));
        Ok(())
    })?;
    Ok(Path::from_checked(components))
}

/// Gives each component of the text form to `each`, in order; stops at the first error. Allocates only for components with
/// an escape.
pub(super) fn visit(text: &str, mut each: impl FnMut(&str) -> Result<(), PathError>) -> Result<(), PathError> {
    if text.is_empty() {
        return Ok(());
    }
    let mut at = 0;
    loop {
        let end = if text[at..].starts_with('"') {
            let (component, end) = quoted(text, at + 1)?;
            each(&component)?;
            end
        } else {
            let end = text[at..].find('.').map_or(text.len(), |dot| at + dot);
            let component = &text[at..end];
            if component.is_empty() {
                return Err(PathError::Syntax { at, expected: "a component; an empty one is written \"\"" });
            }
            if let Some((bad, _)) = component.char_indices().find(|(_, c)| needs_quotes(*c)) {
                return Err(PathError::Syntax { at: at + bad, expected: "a character that needs no quotes" });
            }
            each(component)?;
            end
        };
        if end == text.len() {
            return Ok(());
        }
        if !text[end..].starts_with('.') {
            return Err(PathError::Syntax { at: end, expected: "a dot or the end" });
        }
        at = end + 1;
    }
}

/// The component whose opening quote is just before `start`, and where it ends.
fn quoted(text: &str, start: usize) -> Result<(Cow<'_, str>, usize), PathError> {
    let unclosed = PathError::Syntax { at: text.len(), expected: "a closing quote" };
    let Some(plain) = text[start..].find(['"', '\\']).map(|len| start + len) else { return Err(unclosed) };
    if text[plain..].starts_with('"') {
        return Ok((Cow::Borrowed(&text[start..plain]), plain + 1));
    }
    let mut component = text[start..plain].to_owned();
    let mut rest = text[plain..].char_indices().map(|(at, c)| (plain + at, c));
    while let Some((at, c)) = rest.next() {
        match c {
            '"' => return Ok((Cow::Owned(component), at + 1)),
            '\\' => {
                let escape = PathError::Syntax { at, expected: "one of the escapes \\\", \\\\ and \\u{..}" };
                match rest.next() {
                    Some((_, c @ ('"' | '\\'))) => component.push(c),
                    Some((_, 'u')) => component.push(unicode(&mut rest).ok_or(escape)?),
                    _ => return Err(escape),
                }
            }
            c => component.push(c),
        }
    }
    Err(unclosed)
}

/// What stands in braces: 1 to 6 hexadecimal digits.
fn unicode(rest: &mut impl Iterator<Item = (usize, char)>) -> Option<char> {
    let mut next = || rest.next().map(|(_, c)| c);
    if next()? != '{' {
        return None;
    }
    let (mut code, mut digits) = (0, 0);
    loop {
        match next()? {
            '}' if digits > 0 => return char::from_u32(code),
            c if digits < 6 => code = code * 16 + c.to_digit(16)?,
            _ => return None,
        }
        digits += 1;
    }
}

fn needs_quotes(c: char) -> bool {
    matches!(c, '.' | '"' | '\\') || c.is_whitespace() || c.is_control()
}

pub(super) fn write_component(f: &mut fmt::Formatter<'_>, component: &str) -> fmt::Result {
    if !component.is_empty() && !component.chars().any(needs_quotes) {
        return f.write_str(component);
    }
    f.write_char('"')?;
    for c in component.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            c if c.is_control() || (c.is_whitespace() && c != ' ') => write!(f, "{}", c.escape_unicode())?,
            c => f.write_char(c)?,
        }
    }
    f.write_char('"')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(text: &str) -> usize {
        match parse(text) {
            Err(PathError::Syntax { at, .. }) => at,
            other => panic!("{text:?} gave {other:?}"),
        }
    }

    #[test]
    fn the_empty_text_is_the_root_and_an_empty_component_is_quoted() {
        assert_eq!(parse(""), Ok(Path::ROOT));
        assert_eq!(parse("\"\""), Path::new([""]));
        assert_eq!(Path::new([""]).expect("short").to_string(), "\"\"");
    }

    #[test]
    fn a_malformed_text_says_where() {
        assert_eq!([at("."), at("a."), at("a..b"), at("a b"), at("a\"b")], [0, 2, 2, 1, 1]);
        assert_eq!([at("\"a"), at("\"a\\"), at("\"a\\n\""), at("\"a\"b")], [2, 2, 2, 3]);
        assert_eq!([at("\"\\u{}\""), at("\"\\u{d800}\""), at("\"\\u{1234567}\"")], [1, 1, 1]);
    }

    proptest! {
        #[test]
        fn parsing_is_the_inverse_of_writing(components in prop::collection::vec("[\\PC\\s.\"\\\\\u{0}-\u{1f}]{0,12}", 0..8)) {
            let path = Path::new(components).expect("within the limits");
            prop_assert_eq!(parse(&path.to_string()), Ok(path));
        }

        #[test]
        fn whatever_parses_is_written_so_that_it_parses_to_the_same(text in "[a-c.\"\\\\u{}1 ]{0,16}") {
            if let Ok(path) = parse(&text) {
                prop_assert_eq!(parse(&path.to_string()), Ok(path));
            }
        }
    }
}
