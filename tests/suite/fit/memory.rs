//! Data sets that fill the memory: held once, or refused.

use crate::program::{command, program};
use implicit_bias::math::random::Stream;
use std::fs::{File, read_to_string};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

/// X.npy and y.npy: Gaussian samples, moved by their labels along the first feature.
fn arrays(folder: &Path, n: usize, d: usize) {
    let mut stream = Stream::new(0, &["memory"]);
    let file = |name: &str, dtype: &str, shape: String| {
        let mut file = BufWriter::new(File::create(folder.join(name)).unwrap());
        let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
        file.write_all(b"\x93NUMPY\x01\x00").unwrap();
        file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
        file.write_all(header.as_bytes()).unwrap();
        file
    };
    let mut x = file("X.npy", "<f8", format!("({n}, {d})"));
    let mut y = file("y.npy", "|u1", format!("({n},)"));
    for i in 0..n {
        y.write_all(&[(i % 2) as u8]).unwrap();
        for k in 0..d {
            let v = stream.normal() + if k > 0 { 0.0 } else { 10.0 * (2.0 * (i % 2) as f64 - 1.0) };
            x.write_all(&v.to_le_bytes()).unwrap();
        }
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_data_are_held_once() {
    let folder = tempfile::tempdir().unwrap();
    for (n, d, network, solver) in [
        (16_000, 1000, "fully-connected", "gradient-descent"),
        (600, 1 << 16, "convolutional", "log-time-flow"),
        (600, 1 << 16, "fully-connected", "log-time-flow"),
    ] {
        arrays(folder.path(), n, d);
        let data = ["fit", "--data", "X.npy", "--labels", "y.npy", "--depth", "2", "--json", "--max-steps", "5"];
        let mut child = command(folder.path(), &[&data[..], &["--network", network, "--solver", solver]].concat())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let (mut peak, mut seen) = (0.0_f64, 0);
        while child.try_wait().unwrap().is_none() {
            // The high-water mark only rises: the last look before the end is the largest.
            let status = read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
            let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap_or("");
            peak = peak.max(line.trim().trim_end_matches(" kB").parse().map_or(0.0, |k: f64| k * 1024.0));
            seen += 1;
            std::thread::sleep(Duration::from_millis(1));
        }
        let bytes = (n * d * 8) as f64;
        // 1.3 at a gigabyte (benches/scale.rs), where what does not grow with the data is no more than a hundredth of it.
        assert!(seen > 10 && peak > bytes && peak < 1.3 * bytes + 2e7, "{network} {solver}: {:.3}", peak / bytes);
    }
}

#[test]
fn more_samples_than_a_gram_matrix_allows_are_refused_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    arrays(folder.path(), 8193, 2);
    let data = ["fit", "--data", "X.npy", "--labels", "y.npy", "--network", "diagonal", "--depth", "2"];
    let (code, _, err) = program(folder.path(), &data);
    assert!(code == 2 && err.contains("is 8193, but must be at most 8192 for --solver log-time-flow"), "{err}");
    assert!(err.contains("--solver normalized-gradient-descent"), "{err}");
    let (code, out, err) = program(
        folder.path(),
        &[&data[..], &["--solver", "normalized-gradient-descent", "--max-steps", "2000"]].concat(),
    );
    assert!(code == 0 && out.contains("certified gap"), "{out}{err}");
}

#[test]
fn large_data_that_cannot_be_separated_are_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    arrays(folder.path(), 4200, 1000);
    std::fs::write(folder.path().join("y.npy"), {
        let mut bytes = std::fs::read(folder.path().join("y.npy")).unwrap();
        // One sample of each class with the other's label: on the wrong side by ten deviations.
        let end = bytes.len();
        bytes[end - 2..].reverse();
        bytes
    })
    .unwrap();
    let data = ["fit", "--data", "X.npy", "--labels", "y.npy", "--network", "diagonal", "--depth", "2"];
    let more = ["--solver", "gradient-descent", "--max-steps", "20"];
    let (code, out, err) = program(folder.path(), &[&data[..], &more].concat());
    assert!(code == 0 && out.contains("it was not checked whether the data are separable"), "{out}{err}");
}
