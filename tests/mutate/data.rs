//! Data files, through the readers that a person's files go through.

use crate::harness::{Case, Seed};
use flate2::{Compression, write::GzEncoder};
use implicit_bias::data::{cifar10, csv, idx, npy};
use implicit_bias::record::table::Table;
use std::fs;
use std::io::Write;

/// Small whole files of every kind.
pub fn corpus() -> Vec<Seed> {
    let table = "width,height,\"a, b\",class\n1.5,-2e-3,0,cat\n0.5,1,7,dog\n-1,NaN,3,cat\n2,2,2,dog\n";
    let pictures = [&[0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 4, 0, 0, 0, 4][..], &[9; 48]].concat();
    let labels = vec![0, 0, 8, 1, 0, 0, 0, 5, 1, 2, 3, 4, 5];
    let batch: Vec<u8> = (0..2 * 3073).map(|k| if k % 3073 == 0 { 3 } else { k as u8 }).collect();
    let runs =
        "run,depth,seed,status,reason,steps,excess\nab12,2,0,converged,\"gap, small\",17,1e-7\ncd34,3,1,diverged,,9,\n";
    let values: Vec<u8> = (0..8).flat_map(|k| (f64::from(k) - 3.5).to_le_bytes()).collect();
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(vec![], Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    vec![
        ("csv", table.replace("NaN", "4").into()),
        ("csv", table.replace(',', ";").into()),
        ("csv", format!("\u{feff}{}", table.replace('\n', "\r\n")).into()),
        ("x.npy", array("<f8", "(4, 2)", &values)),
        ("x.npy", array("<i4", "(2, 2, 4)", &values)),
        ("x.npy", array("|u1", "(4, 16)", &values)),
        ("y.npy", array("|u1", "(4,)", &[0, 1, 1, 0])),
        ("pictures", gzip(&pictures)),
        ("pictures", pictures),
        ("labels", gzip(&labels)),
        ("labels", labels),
        ("bin", batch),
        ("runs.csv", runs.into()),
    ]
}

fn array(dtype: &str, shape: &str, data: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}, }}\n");
    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}

pub fn check(case: &Case) -> bool {
    let path = case.folder.join(case.kind);
    fs::write(&path, &case.bytes).unwrap();
    match case.kind {
        "csv" => csv::read_csv(&path, "class", [None, Some(&[1, 3][..])][case.number as usize % 2]).is_ok(),
        "x.npy" | "y.npy" => {
            let is_x = case.kind == "x.npy";
            let whole = case.folder.join(if is_x { "labels.npy" } else { "samples.npy" });
            if !whole.exists() {
                let (x, y) = (array("|u1", "(4, 2)", &[5; 8]), array("|u1", "(4,)", &[0, 1, 1, 0]));
                fs::write(&whole, if is_x { y } else { x }).unwrap();
            }
            let (x, y) = if is_x { (&path, &whole) } else { (&whole, &path) };
            npy::read_npy(x, y, None).is_ok_and(|d| d.x.iter().all(|v| v.is_finite()) && d.samples() == 4)
        }
        "pictures" => idx::read_images(&path).is_ok_and(|i| i.pixels.len() == i.count() * i.height * i.width),
        "labels" => idx::read_labels(&path).is_ok(),
        "bin" => cifar10::read(&[&path]).is_ok_and(|i| i.labels.iter().all(|l| *l < 10)),
        _ => Table::read(&path).is_ok_and(|t| t.rows.iter().all(|r| r.len() == t.columns.len())),
    }
}
