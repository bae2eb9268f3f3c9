//! A transport for tests: HTTP/1.1 over the standard library, a connection for each request.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use foundation_compat::infrastructure::pool_workers::http::{HttpRequest, HttpResponse, HttpTransport};

pub(crate) struct Loopback;

#[derive(Debug, thiserror::Error)]
pub(crate) enum ClientError {
    #[error(transparent)]
    Io(#[from] std::io::Error),
    #[error("not an answer")]
    Malformed,
    #[error("too many redirects")]
    TooManyRedirects,
}

impl HttpTransport for Loopback {
    type Error = ClientError;

    fn send(&mut self, request: &HttpRequest) -> Result<HttpResponse, ClientError> {
        let rest = request.url.strip_prefix("http://").ok_or(ClientError::Malformed)?;
        let (host, path) = rest.split_once('/').ok_or(ClientError::Malformed)?;
        let mut path = format!("/{path}");
        for _ in 0..=request.max_redirects {
            let answer = exchange(host, &path, request)?;
            let location = answer.headers.iter().find(|(name, _)| name == "Location");
            match (answer.status, location) {
                (300..400, Some((_, location))) => path.clone_from(location),
                _ => return Ok(answer),
            }
        }
        Err(ClientError::TooManyRedirects)
    }
}

fn exchange(host: &str, path: &str, request: &HttpRequest) -> Result<HttpResponse, ClientError> {
    let address: SocketAddr = host.parse().map_err(|_| ClientError::Malformed)?;
    let mut stream = TcpStream::connect_timeout(&address, request.timeout)?;
    stream.set_read_timeout(Some(request.timeout))?;
    stream.set_write_timeout(Some(request.timeout))?;
    let mut head = format!("{} {path} HTTP/1.1\r\nHost: {host}\r\n", request.method.as_str());
    for (name, value) in &request.headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    write!(stream, "{head}Content-Length: {}\r\n\r\n", request.body.len())?;
    stream.write_all(&request.body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or(ClientError::Malformed)
}

fn parse(answer: &[u8]) -> Option<HttpResponse> {
    let end = answer.windows(4).position(|window| window == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..end]).ok()?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let header = |line: &str| line.split_once(": ").map(|(name, value)| (name.to_owned(), value.to_owned()));
    let headers = lines.map(header).collect::<Option<_>>()?;
    Some(HttpResponse { status, headers, body: answer[end + 4..].to_vec() })
}
