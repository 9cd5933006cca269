use crate::mutation::{Random, mutate};
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

/// No single case may take longer; a hang ends the whole program and says which case it was.
const LONGEST: Duration = Duration::from_secs(20);

/// A file to mutate: its kind (the ending of its name) and content.
pub type Seed = (&'static str, Vec<u8>);

/// What a case is given: the mutated file, its number, and a folder for its files.
pub struct Case<'a> {
    pub kind: &'static str,
    pub bytes: Vec<u8>,
    pub number: u64,
    pub folder: &'a Path,
}

/// Mutates and checks `cases` times. `check` says whether the file was accepted.
pub fn run(what: &str, cases: u64, corpus: Vec<Seed>, check: fn(&Case) -> bool) {
    let (outside, started) = (outside(), Instant::now());
    let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (accepted, worst) = (AtomicUsize::new(0), Mutex::new((Duration::ZERO, 0)));
    let jobs = thread::available_parallelism().map_or(1, |n| n.get());
    let running: Vec<Mutex<Option<(Instant, u64)>>> = (0..jobs).map(|_| Mutex::new(None)).collect();
    thread::scope(|scope| {
        for job in &running {
            let (next, done, accepted, worst, corpus) = (&next, &done, &accepted, &worst, &corpus);
            scope.spawn(move || {
                let folder = tempfile::tempdir().unwrap();
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed) as u64;
                    if number >= cases {
                        break;
                    }
                    let mut random = Random(number);
                    let (kind, seed) = random.of(corpus);
                    let alike: Vec<&Seed> = corpus.iter().filter(|s| s.0 == *kind).collect();
                    let mut bytes = seed.clone();
                    mutate(&mut bytes, &random.of(&alike).1, &mut random);
                    let case = Case { kind, bytes, number, folder: folder.path() };
                    let at = Instant::now();
                    *job.lock().unwrap() = Some((at, number));
                    let answer = catch_unwind(|| check(&case));
                    *job.lock().unwrap() = None;
                    let Ok(answer) = answer else {
                        fail(&format!("{what}: case {number} ({kind}) panics"), &case.bytes);
                    };
                    accepted.fetch_add(usize::from(answer), Ordering::Relaxed);
                    let mut worst = worst.lock().unwrap();
                    *worst = (*worst).max((at.elapsed(), number));
                }
                done.fetch_add(1, Ordering::Relaxed);
            });
        }
        while done.load(Ordering::Relaxed) < jobs {
            thread::sleep(Duration::from_millis(50));
            let slow = running.iter().find_map(|r| r.lock().unwrap().filter(|(at, _)| at.elapsed() > LONGEST));
            if let Some((_, number)) = slow {
                fail(&format!("{what}: case {number} takes more than {LONGEST:?}"), &[]);
            }
        }
    });
    let (accepted, (worst, which)) = (accepted.into_inner(), worst.into_inner().unwrap());
    println!(
        "{what}: {cases} in {:.1?}, {accepted} accepted, the slowest {worst:.1?} (case {which})",
        started.elapsed()
    );
    // Both answers are met, so that the mutations are neither too coarse nor too fine.
    let rate = accepted as f64 / cases as f64;
    assert!((0.02..0.98).contains(&rate), "{what}: {rate} accepted");
    let left = files(outside);
    assert!(left.is_empty(), "{what}: files outside the output folder: {left:?}");
}

/// The working folder of this program from now on, three levels deep in an empty one, which it gives.
fn outside() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("1/2/3");
        fs::create_dir_all(&inside).unwrap();
        std::env::set_current_dir(inside).unwrap();
        folder
    });
    folder.path()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let paths = fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
    paths.flat_map(|p| if p.is_dir() { files(&p) } else { vec![p] }).collect()
}

/// Ends the program: other threads may hang.
fn fail(message: &str, bytes: &[u8]) -> ! {
    let text = String::from_utf8_lossy(bytes);
    eprintln!("{message}\n{}", text.chars().take(4000).collect::<String>());
    std::process::exit(1)
}
