//! From data to a certified limit: what would gradient descent on a two-layer convolutional network converge to?
//!
//!     cargo run --release --example quickstart

use implicit_bias::data::generate::gaussian;
use implicit_bias::experiment::fit::{Architecture, Fit, FitSpec};
use std::sync::atomic::AtomicBool;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    // Eight signals of length 32 with random labels; `data::csv::read_csv` reads your own.
    let data = gaussian(&[32], 8, None, 0)?;
    let spec = FitSpec { architecture: Architecture::Convolutional, depth: 2, ..FitSpec::default() };
    let limit = Fit::new(data, spec)?.run(&AtomicBool::new(false), |_| {});

    let gap = limit.certified_gap.ok_or("not convex")?;
    println!("{} after {} steps in {:.3} s", limit.status.name(), limit.steps, limit.seconds);
    println!("{} at margin one: {:.6}", limit.regularizer, limit.normalized_value);
    println!("at most {gap:.1e} (relative) above the least possible, by weak duality");
    println!("carried by {} of 32 frequencies", limit.active_bins);
    Ok(())
}
