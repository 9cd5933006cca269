//! The bit kernel against the `gemm` crate's sgemm and NumPy's OpenBLAS, taking turns on the same machine.
//!
//! cargo bench --bench xnor                                        beside the `gemm` crate
//! cargo bench --bench xnor -- --peer path/to/python               beside benches/peers/sgemm.py, too
//! cargo bench --bench xnor -- --threads 2 --seconds 30
//!
//! The product is A Bᵀ of ±1, A m × k and B n × k. Rates count 2·m·n·k operations for every method; ratios are those of
//! the medians and, in brackets, of the fastest rounds. Packing is that of both operands from f32.
#![allow(clippy::unwrap_used)]

mod peers;

use implicit_bias::deep::kernel::Instructions;
use implicit_bias::deep::kernel::measure::{Method, Timing, product};
use peers::Peer;

const SIZES: [(usize, usize, usize); 3] = [(1024, 1024, 4096), (1024, 4096, 1024), (4096, 4096, 4096)];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let option = |name: &str| arguments.iter().position(|a| a == name).map(|i| arguments[i + 1].as_str());
    let threads = option("--threads").map_or(1, |t| t.parse().unwrap());
    let seconds = option("--seconds").map_or(10.0, |s| s.parse().unwrap());
    println!("{}, threads: {threads}\n", Instructions::best().name());
    println!(
        "|    m |    n |    k | XNOR, Gop/s | with packing | sgemm (gemm crate) | OpenBLAS | XNOR / sgemm | / OpenBLAS |"
    );
    println!(
        "|-----:|-----:|-----:|------------:|-------------:|-------------------:|---------:|-------------:|-----------:|"
    );
    for (m, n, k) in SIZES {
        let mut peer = option("--peer").map(|python| Peer::start("sgemm.py", python));
        let request = format!("{m} {n} {k} {threads}");
        let openblas = peer.as_mut().map(|peer| -> Method<'_> {
            ("OpenBLAS", 1.0, Box::new(|| assert!(peer.ask(&request)["seconds"].as_f64().is_some())))
        });
        let timings = product((m, n, k), threads, seconds, openblas.into_iter().collect()).unwrap();
        let [_, sgemm, xnor, pack_a, pack_b, openblas @ ..] = &timings[..] else { unreachable!() };
        let rate = |seconds: f64| 2.0 * (m * n * k) as f64 / seconds / 1e9;
        let ratio = |t: &Timing| format!("{:.1} ({:.1})", t.median() / xnor.median(), t.least() / xnor.least());
        let (blas, against) =
            openblas.first().map_or(("–".into(), "–".into()), |t| (format!("{:.0}", rate(t.median())), ratio(t)));
        println!(
            "| {m:4} | {n:4} | {k:4} | {:11.0} | {:12.0} | {:18.0} | {blas:>8} | {:>12} | {against:>10} |",
            rate(xnor.median()),
            rate(xnor.median() + pack_a.median() + pack_b.median()),
            rate(sgemm.median()),
            ratio(sgemm)
        );
    }
}
