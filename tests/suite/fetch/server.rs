use std::io::{BufRead, BufReader, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What is sent to one request: bytes, the first of them at once, the others one at a time with a pause, then the end.
pub struct Answer {
    bytes: Vec<u8>,
    body: usize,
    at_once: usize,
    pause: Duration,
}

impl Answer {
    pub fn raw(bytes: &[u8]) -> Self {
        Self { bytes: bytes.to_vec(), body: 0, at_once: usize::MAX, pause: Duration::ZERO }
    }

    pub fn new(status: &str, headers: &str, body: &[u8]) -> Self {
        let head = format!("HTTP/1.1 {status}\r\n{headers}Connection: close\r\n\r\n");
        Self { body: head.len(), ..Self::raw(&[head.as_bytes(), body].concat()) }
    }

    pub fn whole(bytes: &[u8]) -> Self {
        Self::new("200 OK", &format!("Content-Length: {}\r\n", bytes.len()), bytes)
    }

    pub fn rest(bytes: &[u8], from: usize) -> Self {
        let (rest, end, all) = (&bytes[from..], bytes.len() - 1, bytes.len());
        let headers = format!("Content-Length: {}\r\nContent-Range: bytes {from}-{end}/{all}\r\n", rest.len());
        Self::new("206 Partial Content", &headers, rest)
    }

    /// Breaks off after so many bytes of the body; after none of the head, either, if 0.
    pub fn cut(mut self, body: usize) -> Self {
        self.bytes.truncate(if body == 0 && self.bytes.len() > 1000 { 0 } else { self.body + body });
        self
    }

    pub fn slow(self, at_once: usize, pause: Duration) -> Self {
        Self { at_once, pause, ..self }
    }
}

/// A server on loopback that answers request k, which asks for the bytes from a given one on, as it is told.
pub struct Server {
    pub address: String,
    asked: Arc<Mutex<Vec<Option<usize>>>>,
}

impl Server {
    pub fn start(answer: impl Fn(usize, Option<usize>) -> Answer + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(vec![]));
        let log = Arc::clone(&asked);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let from = range(&stream);
                let k = log.lock().unwrap().len();
                log.lock().unwrap().push(from);
                let answer = answer(k, from);
                thread::spawn(move || send(stream, &answer));
            }
        });
        Self { address, asked }
    }

    pub fn asked(&self) -> Vec<Option<usize>> {
        self.asked.lock().unwrap().clone()
    }
}

/// Reads a request; the first byte it asks for.
fn range(stream: &TcpStream) -> Option<usize> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok).take_while(|l| !l.is_empty());
    let range =
        lines.filter_map(|l| Some(l.to_lowercase().strip_prefix("range: bytes=")?.trim_end_matches('-').to_owned()));
    range.last().map(|n| n.parse().unwrap())
}

/// Errors are the client's right: it may hang up whenever it likes.
fn send(mut stream: TcpStream, answer: &Answer) {
    let (first, rest) = answer.bytes.split_at(answer.at_once.min(answer.bytes.len()));
    let _ = stream.write_all(first);
    for byte in rest.chunks(1) {
        thread::sleep(answer.pause);
        if stream.write_all(byte).is_err() {
            return;
        }
    }
    let _ = stream.shutdown(Shutdown::Both);
}
