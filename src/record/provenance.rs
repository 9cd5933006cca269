use serde::{Deserialize, Serialize};
use std::time::Duration;

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
    /// Processor.
    pub cpu: String,
    /// Threads used over runs.
    pub threads: usize,
    /// When the record was finished (UTC).
    pub finished: String,
    /// Wall time of this invocation, in seconds.
    pub seconds: f64,
    /// CPU time of the whole process so far, in seconds, where the system tells.
    pub cpu_seconds: Option<f64>,
}

impl Provenance {
    /// Reads the clock, the environment and the processor's name, now.
    pub fn now(threads: usize, took: Duration) -> Self {
        let arguments: Vec<String> = std::env::args().skip(1).collect();
        Self {
            command: format!("implicit-bias {}", arguments.join(" ")).trim().into(),
            version: env!("CARGO_PKG_VERSION").into(),
            commit: env!("BUILD_COMMIT").into(),
            dirty: env!("BUILD_DIRTY") == "true",
            rustc: env!("BUILD_RUSTC").into(),
            cpu: cpu().unwrap_or_else(|| std::env::consts::ARCH.into()),
            threads,
            finished: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            seconds: (took.as_secs_f64() * 1000.0).round() / 1000.0,
            cpu_seconds: cpu_seconds(),
        }
    }
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
