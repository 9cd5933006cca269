//! Archives put in place by hand that are not what they should be: nothing outside the set's folder, nothing that is not whole.

use super::{gzip, item, source};
use crate::common::files;
use implicit_bias::data::fetch::{Options, fetch};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};
use tar::{EntryType, Header};

const CONTENT: &[u8] = b"ten bytes.";

/// A tar of entries, each a raw name, kind, claimed size, content.
fn tarball(entries: &[(&[u8], EntryType, u64, &[u8])]) -> Vec<u8> {
    let mut bytes = vec![];
    for (name, kind, size, content) in entries {
        let mut header = Header::new_ustar();
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.as_old_mut().linkname[..11].copy_from_slice(b"../../other");
        header.set_entry_type(*kind);
        header.set_size(*size);
        header.set_mode(0o644);
        header.set_cksum();
        bytes.extend(header.as_bytes());
        bytes.extend(*content);
        bytes.resize(bytes.len().next_multiple_of(512), 0);
    }
    bytes.resize(bytes.len() + 1024, 0);
    bytes
}

/// Puts the archive in place, fetches, and gives the outcome and the files that are there.
fn unpacked(root: &Path, name: &str, packed: &[u8]) -> (Result<(), String>, Vec<String>) {
    let dest = root.join("a/b");
    fs::create_dir_all(dest.join("set")).unwrap();
    fs::write(dest.join("set").join(name), packed).unwrap();
    let source = source(name, packed, vec![item("wanted.bin", CONTENT)], vec![]);
    let options = Options { dest: &dest, mirror: None, patience: Duration::from_secs(1) };
    let started = Instant::now();
    let outcome = fetch(&source, &options, &mut |_| ()).map_err(|e| e.to_string());
    assert!(started.elapsed() < Duration::from_secs(10), "{name} took {:?}", started.elapsed());
    let left = files(root).iter().map(|f| f.strip_prefix(root).unwrap().to_str().unwrap().to_owned()).collect();
    (outcome, left)
}

#[test]
fn a_good_archive_gives_what_is_wanted_and_nothing_else() {
    let root = tempfile::tempdir().unwrap();
    let tar = tarball(&[
        (b"set/", EntryType::Directory, 0, b""),
        (b"set/readme.html", EntryType::Regular, 5, b"hello"),
        (b"set/wanted.bin", EntryType::Regular, 10, CONTENT),
    ]);
    let (outcome, left) = unpacked(root.path(), "data.tar.gz", &gzip(&tar));
    assert_eq!(outcome, Ok(()));
    assert_eq!(left, ["a/b/set/data.tar.gz", "a/b/set/wanted.bin"]);
    assert_eq!(fs::read(root.path().join("a/b/set/wanted.bin")).unwrap(), CONTENT);
}

#[test]
fn hostile_archives_are_refused() {
    use EntryType::{Block, Link, Regular, Symlink};
    let wanted: (&[u8], _, _, &[u8]) = (b"set/wanted.bin", Regular, 10, CONTENT);
    let one = |name: &'static [u8], kind, size, content: &'static [u8]| tarball(&[(name, kind, size, content), wanted]);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (one(b"../wanted.bin", Regular, 10, CONTENT), "../wanted.bin points out"),
        (one(b"set/../../../wanted.bin", Regular, 10, CONTENT), "points out"),
        (one(b"/wanted.bin", Regular, 10, CONTENT), "/wanted.bin points out"),
        (one(b"wanted.bin", Symlink, 0, b""), "Symlink, neither file nor folder"),
        (one(b"wanted.bin", Link, 0, b""), "Link, neither"),
        (one(b"wanted.bin", Block, 0, b""), "Block, neither"),
        (one(b"wanted.bin", Regular, 1 << 40, CONTENT), "longer than 10 bytes"),
        (one(b"other.bin", Regular, 1 << 40, CONTENT), "larger than promised"),
        (one(b"wanted.bin", Regular, 9, &CONTENT[1..]), "9 bytes instead of 10"),
        (one(b"wanted.bin", Regular, 10, b"ten Bytes."), "SHA-256"),
        (tarball(&[(b"set/readme.html", Regular, 5, b"hello")]), "wanted.bin is not in it"),
        (b"no tar at all".repeat(100), "damaged"),
    ];
    for (tar, words) in cases {
        let root = tempfile::tempdir().unwrap();
        let (outcome, left) = unpacked(root.path(), "data.tar.gz", &gzip(&tar));
        let message = outcome.unwrap_err();
        assert!(message.contains(words) && message.contains("data.tar.gz"), "no `{words}` in {message}");
        assert_eq!(left, ["a/b/set/data.tar.gz"], "{words}");
    }
}

#[test]
fn bombs_and_broken_streams_are_refused() {
    // 300 MB of zeros are 300 kB.
    let bomb = gzip(&vec![0; 300_000_000]);
    let long = tarball(&[(b"other.bin", EntryType::Regular, 300_000_000, &vec![0; 300_000_000])]);
    for (name, packed, words) in [
        ("wanted.bin.gz", bomb.clone(), "longer than 10 bytes"),
        ("data.tar.gz", bomb, "wanted.bin is not in it"),
        ("data.tar.gz", gzip(&long), "larger than promised"),
        ("wanted.bin.gz", gzip(CONTENT)[..12].to_vec(), "cannot be unpacked"),
        ("wanted.bin.gz", CONTENT.to_vec(), "cannot be unpacked"),
        ("wanted.bin.gz", vec![], "cannot be unpacked"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let (outcome, left) = unpacked(root.path(), name, &packed);
        let message = outcome.unwrap_err();
        assert!(message.contains(words), "no `{words}` in {message}");
        assert_eq!(left, [format!("a/b/set/{name}")]);
    }
}

#[test]
fn another_file_in_the_archives_place_is_left_alone_and_named() {
    let root = tempfile::tempdir().unwrap();
    let dest = root.path().join("data");
    fs::create_dir_all(dest.join("set")).unwrap();
    fs::write(dest.join("set/data.tar.gz"), "my own").unwrap();
    let source = source("data.tar.gz", b"the real one", vec![item("wanted.bin", CONTENT)], vec![]);
    let options = Options { dest: &dest, mirror: None, patience: Duration::from_secs(1) };
    let message = fetch(&source, &options, &mut |_| ()).unwrap_err().to_string();
    assert!(message.contains("6 bytes instead of 12") && message.contains("Remove it"), "{message}");
    assert_eq!(fs::read(dest.join("set/data.tar.gz")).unwrap(), b"my own");
}
