//! A server for tests: real HTTP on loopback, one connection after the other.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// `/echo` answers with the request, `/status/N` with that status, `/redirect/N` leads to `/redirect/N-1`, and from 0 on to
/// `/echo`. It ends when dropped.
pub(crate) struct Server {
    address: SocketAddr,
    ends: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it is bound");
        let ends = Arc::new(AtomicBool::new(false));
        let thread = thread::spawn({
            let ends = Arc::clone(&ends);
            move || {
                for stream in listener.incoming() {
                    if ends.load(Ordering::SeqCst) {
                        return;
                    }
                    // A client that goes away half way is its own affair.
                    let _ = stream.and_then(serve);
                }
            }
        });
        Self { address, ends, thread: Some(thread) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        // Wakes the thread, which waits for a connection.
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server does not panic");
        }
    }
}

fn serve(stream: TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let start = head.len();
        if reader.read_line(&mut head)? == 0 {
            return Ok(());
        }
        let line = head[start..].to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap_or(0);
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;

    let path = head.split(' ').nth(1).unwrap_or_default();
    let number = |prefix: &str| path.strip_prefix(prefix).and_then(|number| number.parse::<u32>().ok());
    let (status, location) = match (number("/status/"), number("/redirect/")) {
        (Some(status), _) => (status, None),
        (_, Some(0)) => (200, None),
        (_, Some(more)) => (302, Some(format!("Location: /redirect/{}\r\n", more - 1))),
        _ => (200, None),
    };
    let location = location.unwrap_or_default();
    let answer = [head.as_bytes(), &body].concat();
    let mut stream = stream;
    write!(stream, "HTTP/1.1 {status} X\r\n{location}Content-Length: {}\r\nConnection: close\r\n\r\n", answer.len())?;
    stream.write_all(&answer)
}
