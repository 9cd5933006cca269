//! How fast products are: integer kernels beside f32, in rounds that take turns.

use super::{BitMatrix, COLUMNS, Instructions, Panels, ROWS, gemm, reference};
use crate::error::{InputError, Result};
use crate::math::random::Stream;
use crate::math::sums::{max, median, min};
use std::hint::black_box;
use std::time::Instant;

/// Multiplications and additions that the triple loop is given; it would take minutes over a whole product.
pub(super) const NAIVE_OPERATIONS: usize = 1 << 25;

/// The fewest rounds, however long they take.
const ROUNDS: usize = 5;

/// What one method took, round by round.
#[derive(Debug, Clone, PartialEq)]
pub struct Timing {
    /// What was measured.
    pub method: &'static str,
    /// Seconds of each round, scaled to the whole task.
    pub seconds: Vec<f64>,
    /// By which factor they were scaled: 1, or more for the triple loop.
    pub scaled: f64,
}

impl Timing {
    /// The median round.
    pub fn median(&self) -> f64 {
        median(&self.seconds)
    }

    /// The slowest round.
    pub fn largest(&self) -> f64 {
        max(&self.seconds)
    }

    /// Is it no product, but preparation for one?
    pub fn packing(&self) -> bool {
        self.method.starts_with("packing")
    }

    /// The fastest round.
    pub fn least(&self) -> f64 {
        min(&self.seconds)
    }
}

/// One method of a measurement: its name, the factor to scale its time by, and what it does.
pub type Method<'a> = (&'static str, f64, Box<dyn FnMut() + Send + 'a>);

/// Lets the methods take turns for at least so many seconds, after one turn each that does not count, on so many threads.
///
/// # Errors
/// If that many threads cannot be started.
pub fn take_turns(threads: usize, seconds: f64, mut methods: Vec<Method<'_>>) -> Result<Vec<Timing>> {
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool
        .map_err(|e| InputError::value("threads", threads, "a number that this machine can start", &e.to_string()))?;
    let timing = |m: &Method<'_>| Timing { method: m.0, seconds: vec![], scaled: m.1 };
    let mut timings: Vec<Timing> = methods.iter().map(timing).collect();
    pool.install(|| {
        methods.iter_mut().for_each(|(_, _, work)| work());
        let started = Instant::now();
        while timings.iter().any(|t| t.seconds.len() < ROUNDS) || started.elapsed().as_secs_f64() < seconds {
            for ((_, scaled, work), timing) in methods.iter_mut().zip(&mut timings) {
                let turn = Instant::now();
                work();
                timing.seconds.push(turn.elapsed().as_secs_f64() * *scaled);
            }
        }
    });
    Ok(timings)
}

pub(super) fn check(m: usize, n: usize, k: usize, threads: usize) -> Result<()> {
    for (name, size) in [("m", m), ("n", n), ("k", k), ("threads", threads)] {
        if !(1..=1 << 20).contains(&size) {
            return Err(InputError::value(name, size, "between 1 and 1048576", "Choose a size that fits into memory."));
        }
    }
    Ok(())
}

/// C = A Bᵀ with A m × k and B n × k of ±1: the triple loop in f32 (some of the rows), the `gemm` crate's sgemm, the bit
/// kernel on packed operands, and the packing of each operand from f32; then what the caller compares them with.
///
/// # Errors
/// If a size is 0, or that many threads cannot be started.
pub fn product(
    (m, n, k): (usize, usize, usize),
    threads: usize,
    seconds: f64,
    peers: Vec<Method<'_>>,
) -> Result<Vec<Timing>> {
    check(m, n, k, threads)?;
    let with = Instructions::best();
    let mut stream = Stream::new(0, &["bench", "xnor"]);
    let mut signs = |count: usize| -> Vec<f32> { (0..count).map(|_| stream.sign() as f32).collect() };
    let (a, b) = (signs(m * k), signs(n * k));
    let transposed: Vec<f32> = (0..n * k).map(|at| b[at % n * k + at / n]).collect();
    let some = (NAIVE_OPERATIONS / (n * k)).clamp(1, m);
    let pack_a = || Panels::<ROWS>::new(&BitMatrix::from_signs(m, k, &a));
    let pack_b = || Panels::<COLUMNS>::new(&BitMatrix::from_signs(n, k, &b));
    let (packed_a, packed_b) = (pack_a(), pack_b());
    let (mut part, mut floats, mut integers) = (vec![0.0; some * n], vec![0.0; m * n], vec![0; m * n]);
    let mut methods: Vec<Method<'_>> = vec![
        (
            "triple loop, f32",
            m as f64 / some as f64,
            Box::new(|| reference::naive(n, k, &a[..some * k], &transposed, black_box(&mut part))),
        ),
        ("sgemm", 1.0, Box::new(|| reference::sgemm(m, n, k, &a, &b, black_box(&mut floats)))),
        ("XNOR", 1.0, Box::new(|| gemm(with, &packed_a, &packed_b, black_box(&mut integers)))),
        ("packing of A", 1.0, Box::new(|| drop(black_box(pack_a())))),
        ("packing of B", 1.0, Box::new(|| drop(black_box(pack_b())))),
    ];
    methods.extend(peers);
    let timings = take_turns(threads, seconds, methods)?;
    let same = floats.iter().zip(&integers).all(|(&x, &i)| x == i as f32);
    match same || k > 1 << 24 {
        true => Ok(timings),
        false => Err(InputError::new("the two products differ: this is a bug of the bit kernel, please report it")),
    }
}
