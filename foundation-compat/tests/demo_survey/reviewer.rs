//! A reviewing service of our own: plain sockets, one thread a connection.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use foundation_compat::demo::{Event, Spectator};
use foundation_types::ManualClock;

use crate::direct::findings;
use crate::watcher::TimePasses;

/// What it does with a text.
pub(crate) enum Manner {
    /// It reviews all.
    Diligent,
    /// It reviews so many, then closes its connections and its door, and is never heard of again.
    Leaving { after: usize },
    /// It answers this.
    Answering { status: &'static str, body: &'static str },
    /// It answers this to so many requests, then reviews.
    Recovering { after: usize, status: &'static str },
    /// While it is at so many requests, the clock jumps; those it never answers. Then it reviews.
    Startled { after: usize, clock: ManualClock, by: Duration },
    /// It reads all, and says nothing until the caller has no more time.
    Silent { passes: Arc<TimePasses> },
}

/// The service. It ends when it is dropped.
pub(crate) struct OwnReviewer {
    pub(crate) address: SocketAddr,
    desk: Arc<Desk>,
}

struct Desk {
    manner: Manner,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    is_gone: bool,
    connections: Vec<TcpStream>,
    /// How often each text was reviewed.
    reviewed: HashMap<Vec<u8>, usize>,
    requests: usize,
}

impl OwnReviewer {
    pub(crate) fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let desk = Arc::new(Desk { manner, state: Mutex::default() });
        let at_door = Arc::clone(&desk);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if !at_door.welcome(&stream) {
                    return;
                }
                let desk = Arc::clone(&at_door);
                // That a connection breaks is expected.
                thread::spawn(move || desk.converse(&stream).ok());
            }
        });
        Self { address, desk }
    }

    /// How often it was asked for a review.
    pub(crate) fn requests(&self) -> usize {
        self.desk.state.lock().unwrap().requests
    }

    /// How many different texts it reviewed.
    pub(crate) fn texts(&self) -> usize {
        self.desk.state.lock().unwrap().reviewed.len()
    }
}

impl Drop for OwnReviewer {
    fn drop(&mut self) {
        self.desk.leave();
        // Whoever waits at the door sees that it is closed. Somebody else may have seen it before.
        let _ = TcpStream::connect(self.address);
    }
}

impl Desk {
    fn welcome(&self, stream: &TcpStream) -> bool {
        let mut state = self.state.lock().unwrap();
        if !state.is_gone {
            state.connections.push(stream.try_clone().unwrap());
        }
        !state.is_gone
    }

    fn leave(&self) {
        let mut state = self.state.lock().unwrap();
        state.is_gone = true;
        for connection in state.connections.drain(..) {
            // It may be closed already.
            let _ = connection.shutdown(Shutdown::Both);
        }
    }

    fn converse(&self, stream: &TcpStream) -> std::io::Result<()> {
        let mut input = BufReader::new(stream);
        let mut output = stream;
        loop {
            let mut head = String::new();
            while !head.ends_with("\r\n\r\n") {
                if input.read_line(&mut head)? == 0 {
                    return Ok(());
                }
            }
            assert!(head.starts_with("POST /reviews HTTP/1.1\r\n"), "{head}");
            let length =
                head.lines().find_map(|line| line.to_ascii_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut text = vec![0; length.unwrap_or(0)];
            input.read_exact(&mut text)?;
            if let Some((status, body)) = self.answer(text) {
                // In one piece: of several, the later ones would wait until the first was acknowledged.
                let answer = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}", body.len());
                output.write_all(answer.as_bytes())?;
            }
        }
    }

    fn answer(&self, text: Vec<u8>) -> Option<(&'static str, String)> {
        let [bytes, lines, long, deep, marked, trailing] = findings(&text);
        let body = serde_json::json!({
            "bytes": bytes, "lines": lines, "long": long, "deep": deep, "marked": marked, "trailing": trailing,
        });
        let mut state = self.state.lock().unwrap();
        state.requests += 1;
        match &self.manner {
            Manner::Leaving { after } if state.reviewed.len() == *after => {
                drop(state);
                self.leave();
                // The door is closed by whoever knocks next.
                None
            }
            Manner::Recovering { after, status } if state.requests <= *after => Some((status, String::new())),
            Manner::Startled { after, clock, by } if state.requests <= *after => {
                drop(state);
                clock.advance(*by);
                None
            }
            Manner::Diligent | Manner::Leaving { .. } | Manner::Recovering { .. } | Manner::Startled { .. } => {
                *state.reviewed.entry(text).or_default() += 1;
                Some(("200 OK", body.to_string()))
            }
            Manner::Answering { status, body } => Some((status, (*body).to_owned())),
            Manner::Silent { passes } => {
                drop(state);
                passes.see(Event::Stalling);
                None
            }
        }
    }
}
