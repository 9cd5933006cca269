//! `fit` on data of a gigabyte: peak memory over the data's own size, and the time of a step over the time that memory
//! needs to hand the data over once, measured before and after in this process.
//!
//! `cargo bench --bench scale [-- --small]`; writes `benches/scaling/memory.csv` unless `--small`. Linux only: the peak is
//! VmHWM of the child.

#![allow(clippy::unwrap_used)]

use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::dot;
use rayon::prelude::*;
use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufWriter, Result, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

fn main() -> Result<()> {
    let small = std::env::args().any(|a| a == "--small");
    let cut = if small { 16 } else { 1 };
    let sizes = [(100_000 / cut, 1000), (1000, (1 << 17) / cut)];
    let folder = tempfile::tempdir()?;
    let mut csv = String::from(
        "samples,features,solver,file,gigabytes,read_seconds,seconds,steps,bandwidth,of_limit,peak_of_data\n",
    );
    for (n, d) in sizes {
        let (x, y, table) = (folder.path().join("X.npy"), folder.path().join("y.npy"), folder.path().join("data.csv"));
        write(n, d, &x, &y, &table)?;
        let npy = ["--data", x.to_str().unwrap(), "--labels", y.to_str().unwrap()];
        let text = ["--data", table.to_str().unwrap(), "--label", "y"];
        let descent = ["--network", "fully-connected", "--solver", "gradient-descent", "--max-steps", "200"];
        let spectral = ["--network", "convolutional", "--solver", "normalized-gradient-descent", "--max-steps", "200"];
        let flow = ["--network", "convolutional", "--solver", "log-time-flow", "--until-gap", "1e-3"];
        let mut runs = vec![("gradient-descent", "npy", npy, descent), ("gradient-descent", "csv", text, descent)];
        runs.push(("normalized, in frequency", "npy", npy, spectral));
        if n <= 1000 {
            runs.push(("log-time-flow", "npy", npy, flow));
        }
        for (solver, file, data, how) in runs {
            let gigabytes = (n * d * 8) as f64 / 1e9;
            let before = bandwidth(n * d);
            let began = Instant::now();
            let all = [&["fit", "--depth", "2", "--json"][..], &data, &how].concat();
            let (fitted, peak) = watched(Command::new(env!("CARGO_BIN_EXE_implicit-bias")).args(all))?;
            let (whole, limit) = (began.elapsed().as_secs_f64(), before.max(bandwidth(n * d)));
            let (seconds, steps) = (fitted["seconds"].as_f64().unwrap(), fitted["steps"].as_f64().unwrap());
            let reached = gigabytes * (steps + 1.0) / seconds;
            let (share, memory) = (reached / limit, peak / (gigabytes * 1e9));
            // The flow spends its time on Gram matrices.
            let speed = match solver {
                "log-time-flow" => ",".into(),
                _ => format!("{reached:.2},{share:.3}"),
            };
            println!(
                "{n} × {d}, {solver}, {file}: {whole:.1} s in all, of them {seconds:.1} s for {steps} steps; GB/s and share of \
                 {limit:.1}: {speed}; peak memory {memory:.3} of the data; gap {}",
                fitted["certified_gap"]
            );
            let read = whole - seconds;
            writeln!(
                csv,
                "{n},{d},\"{solver}\",{file},{gigabytes:.3},{read:.1},{seconds:.2},{steps},{speed},{memory:.3}"
            )
            .unwrap();
        }
    }
    if !small {
        std::fs::write(Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/scaling/memory.csv"), csv)?;
    }
    Ok(())
}

/// Gaussian samples, each moved by its label along one direction: separable by a wide margin.
fn write(n: usize, d: usize, x: &Path, y: &Path, table: &Path) -> Result<()> {
    let mut stream = Stream::new(0, &["scale"]);
    let direction: Vec<f64> = (0..d).map(|_| stream.normal() * 6.0 / (d as f64).sqrt()).collect();
    let [mut x, mut y, mut table] = [x, y, table].map(|p| BufWriter::with_capacity(1 << 20, File::create(p).unwrap()));
    for (file, dtype, shape) in [(&mut x, "<f8", format!("({n}, {d})")), (&mut y, "|u1", format!("({n},)"))] {
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
        file.write_all(b"\x93NUMPY\x01\x00")?;
        file.write_all(&(header.len() as u16).to_le_bytes())?;
        file.write_all(header.as_bytes())?;
    }
    writeln!(table, "{},y", (0..d).map(|k| format!("x{k}")).collect::<Vec<_>>().join(","))?;
    for i in 0..n {
        let label = i % 2;
        for u in &direction {
            let v = stream.normal() + (2.0 * label as f64 - 1.0) * u;
            x.write_all(&v.to_le_bytes())?;
            write!(table, "{v},")?;
        }
        y.write_all(&[label as u8])?;
        writeln!(table, "{label}")?;
    }
    Ok(())
}

/// Gigabytes a second at which all threads read so many numbers, the best of five times.
fn bandwidth(numbers: usize) -> f64 {
    let data = vec![1.0; numbers];
    let pass = || {
        let began = Instant::now();
        let sum: f64 = data.par_chunks(1 << 12).map(|c| dot(c, c)).sum();
        assert_eq!(sum, numbers as f64);
        (numbers * 8) as f64 / 1e9 / began.elapsed().as_secs_f64()
    };
    (0..5).map(|_| pass()).fold(0.0, f64::max)
}

/// What the command printed as JSON, and its peak memory in bytes.
fn watched(command: &mut Command) -> Result<(serde_json::Value, f64)> {
    let mut child = command.stdout(Stdio::piped()).spawn()?;
    let mut peak = 0.0_f64;
    while child.try_wait()?.is_none() {
        peak = peak.max(high_water(&child));
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = child.wait_with_output()?;
    assert!(output.status.success());
    Ok((serde_json::from_slice(&output.stdout)?, peak))
}

fn high_water(child: &Child) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("0");
    line.trim().split(' ').next().and_then(|k| k.parse::<f64>().ok()).unwrap_or(0.0) * 1024.0
}
