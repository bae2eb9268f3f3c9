//! The texts that requests are made of.

use std::fmt::{self, Write};

/// A header that could change the meaning of a request, so that nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("header {name:?} has a character that headers may not have")]
#[non_exhaustive]
pub struct HeaderError {
    /// The name of the header.
    pub name: String,
}

/// Shows the names of headers only: their values may be secrets.
pub(super) struct Names<'h>(pub(super) &'h [(String, String)]);

impl fmt::Debug for Names<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

/// Names are tokens of RFC 9110, section 5.6.2; values have no control character but the tab.
pub(super) fn check_header(name: &str, value: &str) -> Result<(), HeaderError> {
    let is_token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_fine =
        !name.is_empty() && name.chars().all(is_token) && !value.contains(|c: char| c.is_control() && c != '\t');
    if is_fine { Ok(()) } else { Err(HeaderError { name: name.to_owned() }) }
}

/// The base without slashes at its end, one slash, the path without slashes at its beginning, and the query.
pub(super) fn url(base: &str, path: &str, params: &[(String, String)]) -> String {
    let mut url = format!("{}/{}", base.trim_end_matches('/'), path.trim_start_matches('/'));
    for (number, (key, value)) in params.iter().enumerate() {
        url.push(if number == 0 && !url.contains('?') { '?' } else { '&' });
        encode(&mut url, key);
        url.push('=');
        encode(&mut url, value);
    }
    url
}

/// The encoding of forms: <https://url.spec.whatwg.org/#application/x-www-form-urlencoded>.
fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            // Writing to a text cannot fail.
            other => drop(write!(out, "%{other:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn base_and_path_meet_at_one_slash() {
        for (base, path) in [("http://a", "x"), ("http://a/", "/x"), ("http://a", "/x"), ("http://a//", "//x")] {
            assert_eq!(url(base, path, &[]), "http://a/x");
        }
        assert_eq!(url("http://a/v1/", "", &[]), "http://a/v1/");
    }

    #[test]
    fn a_query_is_begun_or_continued_and_encoded() {
        let query = params(&[("q", "a b&c=é"), ("page", "2")]);
        assert_eq!(url("http://a", "s", &query), "http://a/s?q=a+b%26c%3D%C3%A9&page=2");
        assert_eq!(url("http://a", "s?x=1", &query[1..]), "http://a/s?x=1&page=2");
    }

    #[test]
    fn headers_cannot_smuggle_lines() {
        assert_eq!(check_header("X-Trace", "a\tb ü"), Ok(()));
        for (name, value) in [("", "v"), ("X Y", "v"), ("X:", "v"), ("X", "a\r\nY: b"), ("X", "a\0")] {
            assert_eq!(check_header(name, value), Err(HeaderError { name: name.to_owned() }), "{name:?} {value:?}");
        }
    }
}
