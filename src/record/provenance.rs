use crate::error::{InputError, Result};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;
use std::time::Instant;

/// Where a record comes from. Machine facts stay here, out of the CSV.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Provenance {
    /// The command, without the folder of the program.
    pub command: String,
    /// Version of this crate.
    pub version: String,
    /// Commit that the program was built from.
    pub commit: String,
    /// Whether the sources differed from that commit.
    pub dirty: bool,
    /// Compiler.
    pub rustc: String,
    /// What it compiled for, e.g. `x86_64-unknown-linux-gnu`.
    #[serde(default)]
    pub target: String,
    /// The target's features that every build has; kernels look for more at run time, with the same bits (DESIGN.md).
    #[serde(default)]
    pub target_features: String,
    /// Optimisation level of the build.
    #[serde(default)]
    pub opt_level: String,
    /// Processor.
    pub cpu: String,
    /// Threads used over runs.
    pub threads: usize,
    /// Runs computed by this command.
    #[serde(default)]
    pub computed: usize,
    /// Runs that were finished before and taken over.
    #[serde(default)]
    pub cached: usize,
    /// When the record was finished (UTC).
    pub finished: String,
    /// Wall time of this experiment in this command, in seconds.
    pub seconds: f64,
    /// CPU time of the same, where the system tells.
    pub cpu_seconds: Option<f64>,
    /// Sum of the runs' own times, those of runs that were taken over included.
    #[serde(default)]
    pub run_seconds: Option<f64>,
}

/// Where this program is.
///
/// # Errors
/// A system that does not tell.
pub fn this_program() -> Result<PathBuf> {
    std::env::current_exe().map_err(|e| InputError::new(format!("the system does not tell where this program is: {e}")))
}

/// A stopwatch for wall and CPU time.
#[derive(Debug)]
pub struct Clock {
    wall: Instant,
    cpu: Option<f64>,
}

impl Clock {
    /// Starts now.
    pub fn start() -> Self {
        Self { wall: Instant::now(), cpu: cpu_seconds() }
    }
}

impl Provenance {
    /// Reads the clock, the environment and the processor's name, now. `runs`: how many were computed and taken over, and
    /// the sum of their times.
    pub fn now(threads: usize, clock: &Clock, runs: (usize, usize, f64)) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        let (computed, cached, run_seconds) = runs;
        Self {
            command: format!("implicit-bias {}", arguments.join(" ")).trim().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("BUILD_COMMIT").into(),
            dirty: env!("BUILD_DIRTY") == "true",
            rustc: env!("BUILD_RUSTC").into(),
            target: env!("BUILD_TARGET").into(),
            target_features: env!("BUILD_FEATURES").into(),
            opt_level: env!("BUILD_OPT_LEVEL").into(),
            cpu: cpu().unwrap_or_else(|| std::env::consts::ARCH.into()),
            threads,
            computed,
            cached,
            finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: milli(clock.wall.elapsed().as_secs_f64()),
            cpu_seconds: cpu_seconds().zip(clock.cpu).map(|(now, then)| milli(now - then)),
            run_seconds: Some(milli(run_seconds)),
        }
    }

    /// Whether it was certainly this program that made the record: the same commit, with nothing changed in either.
    pub fn is_this_build(&self) -> bool {
        self.commit == env!("BUILD_COMMIT") && !self.dirty && env!("BUILD_DIRTY") != "true"
    }
}

fn milli(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

fn cpu() -> Option<String> {
    let info = std::fs::read_to_string("/proc/cpuinfo").ok()?;
    info.lines().find_map(|l| l.strip_prefix("model name")?.split_once(':').map(|(_, v)| v.trim().to_owned()))
}

fn cpu_seconds() -> Option<f64> {
    // Fields 14 and 15 of /proc/self/stat, in ticks of 1/100 s, counted after the name in parentheses.
    let stat = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let (user, system): (f64, f64) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    Some((user + system) / 100.0)
}
