//! Fetching from a server on loopback that behaves, and that misbehaves in every way we know: the file appears under its
//! name only when it is whole and verified, and every way out is bounded in time and says what is wrong.

mod archives;
mod server;

use crate::common::files;
use crate::program::program;
use flate2::{Compression, write::GzEncoder};
use implicit_bias::data::fetch::{Archive, Item, Options, Source, State, fetch, sources, verify};
use server::{Answer, Server};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

pub fn sha256(bytes: &[u8]) -> String {
    ring::digest::digest(&ring::digest::SHA256, bytes).as_ref().iter().map(|b| format!("{b:02x}")).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(vec![], Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn item(name: &str, content: &[u8]) -> Item {
    Item { name: name.into(), bytes: content.len() as u64, sha256: sha256(content) }
}

pub fn source(archive: &str, packed: &[u8], files: Vec<Item>, addresses: Vec<String>) -> Source {
    let Item { name, bytes, sha256 } = item(archive, packed);
    let archives = vec![Archive { name, bytes, sha256, files }];
    let word = || "test".to_string();
    Source { name: word(), title: word(), licence: word(), origin: word(), folder: "set".into(), addresses, archives }
}

/// 100 kB that do not compress, and their gzip.
fn content() -> (Vec<u8>, Vec<u8>) {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    let content: Vec<u8> = (0..100_000).map(|_| next()).collect();
    let packed = gzip(&content);
    (content, packed)
}

struct Place {
    patience: Duration,
    folder: tempfile::TempDir,
    content: Vec<u8>,
    packed: Vec<u8>,
}

impl Place {
    fn new() -> Self {
        let (content, packed) = content();
        Self { patience: Duration::from_secs(5), folder: tempfile::tempdir().unwrap(), content, packed }
    }

    fn impatient() -> Self {
        Self { patience: Duration::from_millis(400), ..Self::new() }
    }

    fn partial(&self) -> PathBuf {
        self.folder.path().join("set/pictures.gz.partial")
    }

    /// Fetches; on success the file is what it must be and nothing else is left, on failure it is not there.
    fn fetch(&self, addresses: &[&str]) -> Result<(), String> {
        let addresses = addresses.iter().map(|a| a.to_string()).collect();
        let source = source("pictures.gz", &self.packed, vec![item("pictures", &self.content)], addresses);
        let options = Options { dest: self.folder.path(), mirror: None, patience: self.patience };
        let (started, file) = (Instant::now(), self.folder.path().join("set/pictures"));
        let outcome = fetch(&source, &options, &mut |_| ()).map_err(|e| e.to_string());
        assert!(started.elapsed() < Duration::from_secs(20), "took {:?}", started.elapsed());
        let states: Vec<State> = verify(&source, self.folder.path()).unwrap().into_iter().map(|s| s.1).collect();
        match outcome {
            Ok(()) => {
                assert_eq!((states, fs::read(&file).unwrap()), (vec![State::Whole], self.content.clone()));
                assert_eq!(files(self.folder.path()), [file]);
            }
            Err(_) => assert_eq!(states, [State::Missing]),
        }
        outcome
    }

    fn refused(&self, answer: impl Fn(usize, Option<usize>) -> Answer + Send + 'static, words: &[&str]) -> Server {
        let server = Server::start(answer);
        let message = self.fetch(&[&server.address]).unwrap_err();
        for word in words.iter().chain(&["--mirror", "by hand", "scripts/fetch-data.sh"]) {
            assert!(message.contains(word), "no `{word}` in {message}");
        }
        server
    }
}

#[test]
fn a_whole_file_is_fetched_once() {
    let place = Place::new();
    let packed = place.packed.clone();
    let server = Server::start(move |_, _| Answer::whole(&packed));
    place.fetch(&[&server.address]).unwrap();
    place.fetch(&[&server.address]).unwrap();
    assert_eq!(server.asked(), [None], "what is in place is not fetched again");
}

#[test]
fn a_broken_connection_is_taken_up_where_it_broke() {
    let place = Place::new();
    let packed = place.packed.clone();
    // Breaks off every 30,000 bytes.
    let server = Server::start(move |_, from| {
        let from = from.unwrap_or(0);
        Answer::rest(&packed, from).cut(30_000.min(packed.len() - from))
    });
    place.fetch(&[&server.address]).unwrap();
    assert_eq!(server.asked(), [None, Some(30_000), Some(60_000), Some(90_000)]);
}

#[test]
fn a_later_call_goes_on_from_what_is_there() {
    let place = Place::new();
    let packed = place.packed.clone();
    // The second request finds the server gone.
    let server =
        place.refused(move |k, _| Answer::whole(&packed).cut(if k == 0 { 40_000 } else { 0 }), &["cannot be had"]);
    assert_eq!(server.asked(), [None, Some(40_000)]);
    let packed = place.packed.clone();
    let server = Server::start(move |_, from| Answer::rest(&packed, from.unwrap()));
    place.fetch(&[&server.address]).unwrap();
    assert_eq!(server.asked(), [Some(40_000)]);
}

#[test]
fn a_server_without_ranges_and_a_damaged_beginning_cost_a_fresh_start() {
    let place = Place::new();
    fs::create_dir(place.folder.path().join("set")).unwrap();
    fs::write(place.partial(), &place.packed[..500]).unwrap();
    let packed = place.packed.clone();
    let server = Server::start(move |_, _| Answer::whole(&packed));
    place.fetch(&[&server.address]).unwrap();
    assert_eq!(server.asked(), [Some(500)]);

    for damaged in [vec![0; 500], vec![0; place.packed.len()], vec![0; place.packed.len() + 1]] {
        let place = Place::new();
        fs::create_dir(place.folder.path().join("set")).unwrap();
        fs::write(place.partial(), &damaged).unwrap();
        let packed = place.packed.clone();
        let server = Server::start(move |_, from| from.map_or(Answer::whole(&packed), |k| Answer::rest(&packed, k)));
        place.fetch(&[&server.address]).unwrap();
        assert_eq!(server.asked().last(), Some(&None), "{} bytes", damaged.len());
    }
}

#[test]
fn other_bytes_and_other_sizes_are_refused() {
    let place = Place::new();
    let mut wrong = place.packed.clone();
    wrong[777] ^= 1;
    place.refused(move |_, _| Answer::whole(&wrong), &["is another file", "SHA-256", &sha256(&place.packed)]);
    assert_eq!(fs::metadata(place.partial()).unwrap().len(), 0);

    let (short, long) = (place.packed[..99_000].to_vec(), [place.packed.clone(), vec![0; 9]].concat());
    let size = place.packed.len().to_string();
    for (other, found) in [(short, "99000"), (long, "bytes instead of")] {
        place.refused(move |_, _| Answer::whole(&other), &["is another file", found, &size]);
        assert_eq!(fs::metadata(place.partial()).unwrap().len(), 0, "nothing is downloaded");
    }
    // Without a length, and without end.
    place.refused(|_, _| Answer::new("200 OK", "", &vec![7; 3_000_000]), &["is another file", "or more bytes"]);
    let packed = place.packed.clone();
    place.refused(move |_, _| Answer::new("200 OK", "", &packed[..5]).cut(0), &["broke off at byte 0"]);
    let huge = "Content-Length: 18446744073709551615\r\n";
    place.refused(move |_, _| Answer::new("200 OK", huge, b"abc"), &["is another file", "18446744073709551615"]);
}

#[test]
fn bad_answers_are_refused() {
    for status in ["404 Not Found", "500 Internal Server Error", "416 Range Not Satisfiable"] {
        Place::new().refused(move |_, _| Answer::new(status, "", b""), &["cannot be had", &status[..3]]);
    }
    let around = "Location: /pictures.gz\r\nContent-Length: 0\r\n";
    let server = Place::new().refused(move |_, _| Answer::new("302 Found", around, b""), &["redirects"]);
    assert_eq!(server.asked().len(), 6);
    Place::new().refused(|_, _| Answer::raw(b"SSH-2.0-OpenSSH\r\n\r\n"), &["cannot be had"]);
    Place::new()
        .refused(|_, _| Answer::raw(&[b"HTTP/1.1 200 OK\r\nX: ".as_slice(), &[b'x'; 1 << 20]].concat()), &["cannot"]);

    let place = Place::new();
    fs::create_dir(place.folder.path().join("set")).unwrap();
    fs::write(place.partial(), &place.packed[..500]).unwrap();
    let packed = place.packed.clone();
    place.refused(move |_, _| Answer::rest(&packed, 400), &["another range"]);
    place.refused(|_, _| Answer::whole(b"<html>Please log in.</html>"), &["is another file", "27 bytes"]);
    assert_eq!(fs::metadata(place.partial()).unwrap().len(), 500, "what was there is kept");
}

#[test]
fn slow_servers_are_given_up() {
    let drip = Duration::from_millis(30);
    let packed = Place::new().packed;
    let (p, q, r) = (packed.clone(), packed.clone(), packed);
    Place::impatient().refused(move |_, _| Answer::whole(&p).slow(0, drip), &["cannot be had", "timeout"]);
    Place::impatient().refused(move |_, _| Answer::whole(&q).slow(2000, drip), &["slower than 1 KiB/s"]);
    Place::impatient()
        .refused(move |_, _| Answer::whole(&r).slow(2000, Duration::from_secs(60)), &["silent", "at byte"]);
    // Nobody answers at all.
    Place::impatient()
        .refused(|_, _| Answer::raw(b"H").slow(0, Duration::from_secs(60)), &["cannot be had", "timeout"]);
}

#[test]
fn redirects_and_second_addresses_are_followed() {
    let place = Place::new();
    let packed = place.packed.clone();
    let broken = Server::start(|_, _| Answer::new("503 Service Unavailable", "", b""));
    let server = Server::start(move |k, _| match k {
        0 => Answer::new("301 Moved Permanently", "Location: /elsewhere\r\nContent-Length: 0\r\n", b""),
        _ => Answer::whole(&packed),
    });
    place.fetch(&["http://127.0.0.1:1", &broken.address, &server.address]).unwrap();
    assert_eq!((broken.asked().len(), server.asked().len()), (1, 2));
}

#[test]
fn two_processes_do_not_write_to_one_file() {
    let place = Place::new();
    fs::create_dir(place.folder.path().join("set")).unwrap();
    let held = fs::File::create(place.partial()).unwrap();
    held.lock().unwrap();
    let message = place.fetch(&["http://127.0.0.1:1"]).unwrap_err();
    assert!(message.contains("another process"), "{message}");
}

#[test]
fn the_program_lists_fetches_and_verifies() {
    let folder = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| program(folder.path(), &[&["data"], arguments].concat());
    let (code, out, _) = run(&["list"]);
    assert!(code == 0 && out.contains("CC BY-SA 3.0") && out.contains("not in data/cifar-10-batches-bin"), "{out}");
    let (code, out, _) = run(&["list", "--json"]);
    let listed: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(
        (code, &listed[1]["source"]["name"], &listed[1]["present"]),
        (0, &"fashion-mnist".into(), &false.into())
    );

    let offline = ["fetch", "mnist", "--mirror", "http://127.0.0.1:1/", "--timeout", "2"];
    let (code, out, err) = run(&offline);
    assert!(code == 2 && out.is_empty(), "{out}{err}");
    for word in
        ["http://127.0.0.1:1/train-images-idx3-ubyte.gz", "--mirror", "into data/mnist by hand", "fetch-data.sh"]
    {
        assert!(err.contains(word), "no {word} in {err}");
    }
    for (arguments, word) in [
        (&["fetch", "mnists"][..], "mnist or fashion-mnist or cifar10"),
        (&["fetch", "mnist", "--mirror", "ftp://example.org"], "http://"),
        (&["verify"], "data fetch NAME"),
        (&["fetch"], "NAME"),
    ] {
        let (code, _, err) = run(arguments);
        assert!(code == 2 && err.contains(word), "{err}");
    }
    fs::write(folder.path().join("data/mnist/t10k-labels-idx1-ubyte"), "short").unwrap();
    let (code, out, _) = run(&["verify"]);
    assert!(code == 1 && out.contains("labels-idx1-ubyte: damaged: 5 bytes instead of 10008"), "{out}");
    assert!(out.contains("0 of 4 files are whole") && out.contains("train-images-idx3-ubyte: missing"), "{out}");
}

#[test]
fn what_is_said_of_the_sources_can_be_true() {
    for source in sources().unwrap() {
        let named = source.archives.iter().map(|a| (&a.name, a.bytes, &a.sha256));
        for (name, bytes, hash) in named.chain(source.files().map(|f| (&f.name, f.bytes, &f.sha256))) {
            assert!(hash.len() == 64 && hash.chars().all(|c| matches!(c, '0'..='9' | 'a'..='f')), "{name}: {hash}");
            assert!(bytes > 0 && Path::new(name).file_name() == Some(name.as_ref()), "{name}");
        }
        assert!(source.addresses.iter().all(|a| a.starts_with("http") && a.ends_with('/')), "{:?}", source.addresses);
    }
}
