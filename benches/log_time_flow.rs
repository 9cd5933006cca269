//! The log-time flow of the depth-2 linear convolutional network to its certified limit: seconds, memory, and how they grow.
//!
//! cargo bench --bench log_time_flow                                        this crate and Clarabel in its own process
//! cargo bench --bench log_time_flow -- --peer path/to/python               beside benches/peers/fourier_l1.py
//! cargo bench --bench log_time_flow -- --scaling                           writes benches/scaling/
//!
//! Peers on the same data, taking turns with it: the same flow in NumPy, and the predicted problem handed to Clarabel (a
//! second-order cone program, in Rust as `minimum_norm` and through CVXPY), which tells the limit but not the way there.
//! The flow takes the steps that `fit` takes, up to 0.05 log q.
#![allow(clippy::unwrap_used)]

mod peers;

use implicit_bias::data::Dataset;
use implicit_bias::data::embedded::{ImageSet, image_pair};
use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::predicted::{Regularizer, certified_gap, minimum_norm};
use implicit_bias::linear::solver::{FlowOptions, Objective, Schedule, Stop, log_time_flow};
use implicit_bias::linear::{Architecture, Task};
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::{median, min, slope};
use implicit_bias::record::figure_spec::FigureSpec;
use implicit_bias::report::draw_record;
use peers::Peer;
use std::fmt::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/scaling");
/// The scaling study: (N, D), certified gap 1e-3. Seed 0.
const OVER_N: [usize; 7] = [16, 32, 64, 128, 256, 512, 1000];
const OVER_D: [usize; 8] = [64, 128, 256, 512, 1024, 2048, 4096, 8192];

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let after = |flag: &str| arguments.iter().position(|a| a == flag).map(|i| &arguments[i + 1..]);
    if let Some([n, d, ..]) = after("--one") {
        return one(n.parse().unwrap(), d.parse().unwrap());
    }
    if after("--scaling").is_some() {
        return scaling();
    }
    let mut peer = after("--peer").map(|rest| Peer::start("fourier_l1.py", &rest[0]));
    small(&mut peer);
    digits(&mut peer);
}

struct Problem {
    task: Task,
    rows: Rows,
    regularizer: Regularizer,
    start: Vec<f64>,
}

struct Reached {
    seconds: f64,
    steps: u64,
    log10_q: f64,
    gap: f64,
    value: f64,
}

impl Problem {
    fn new(data: &Dataset, seed: u64) -> Self {
        let task = Task::new(data, Architecture::Convolutional, 2, 1);
        let (rows, regularizer) = (task.regularized_rows().into_owned(), task.regularizer().unwrap());
        let start = task.initial(0.1, seed);
        Self { task, rows, regularizer, start }
    }

    /// To a certified gap, however far that is; without one to q = 10^290.
    fn flow(&mut self, options: &FlowOptions, gap: Option<f64>) -> Reached {
        let mut w = self.start.clone();
        let mut reached = Reached { seconds: 0.0, steps: 0, log10_q: 0.0, gap: f64::NAN, value: f64::NAN };
        let end = gap.is_none().then_some(290.0);
        let stop = Stop { max_steps: 1_000_000, log10_q: end, certified_gap: gap, ..Stop::default() };
        let (rows, network) = (&mut self.task.rows, self.task.network.as_mut());
        let objective = Objective { rows, network, loss: Loss::Exponential };
        let started = Instant::now();
        let outcome = log_time_flow(objective, &mut w, options, &stop, Schedule::even(1.0), |state| {
            let gap = certified_gap(&self.regularizer, state.predictor, state.margins, state.dual);
            reached.value = self.regularizer.value(state.predictor) / min(state.margins);
            (reached.gap, reached.log10_q) = (gap.unwrap_or(f64::NAN), state.log10_q());
            ControlFlow::Continue(gap)
        });
        Reached { seconds: started.elapsed().as_secs_f64(), steps: outcome.steps, ..reached }
    }

    /// Seconds and optimum of Clarabel.
    fn clarabel(&self) -> (f64, f64) {
        let started = Instant::now();
        let optimum = minimum_norm(&self.rows, &self.regularizer).unwrap();
        (started.elapsed().as_secs_f64(), optimum.value)
    }

    /// The file that peers read, and how it is laid out.
    fn write(&self, path: &Path) -> String {
        let numbers = self.rows.data().iter().chain(&self.start);
        std::fs::write(path, numbers.flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>()).unwrap();
        let real = self.task.frame.dft().bins().real;
        format!("{} {} {} {real}", path.display(), self.rows.samples(), self.rows.features())
    }
}

fn spread(times: &[f64]) -> String {
    format!("{:.4} / {:.4}", min(times), median(times))
}

fn small(peer: &mut Option<Peer>) {
    println!("Gaussian N = 8, D = 32 to q = 10^290, seconds: min / median of 5 turns\n");
    println!(
        "| seed | this crate, as in fit | steps | gap | h = 0.2 throughout | steps | NumPy, h = 0.05 | steps | gap |"
    );
    println!("|-----:|----------------:|------:|----:|------------------:|------:|----------------:|------:|----:|");
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let mut problem = Problem::new(&gaussian(&[32], 8, None, seed).unwrap(), seed);
        let place = problem.write(&folder.path().join("z"));
        let (mut times, mut ends) = ([vec![], vec![], vec![]], None);
        for _ in 0..5 {
            let (long, short) = (problem.flow(&FlowOptions::LIMIT, None), problem.flow(&FlowOptions::default(), None));
            times[0].push(long.seconds);
            times[1].push(short.seconds);
            let theirs = peer.as_mut().map(|p| p.ask(&format!("flow {place} 0.05 290 1e7")));
            times[2].extend(theirs.iter().map(|t| t["seconds"].as_f64().unwrap()));
            ends = Some((long, short, theirs));
        }
        let (long, short, theirs) = ends.unwrap();
        let (steps, gap) = theirs.map_or((f64::NAN, f64::NAN), |t| (number(&t, "steps"), number(&t, "gap")));
        let [a, b, c] = times.each_ref().map(|t| spread(t));
        println!(
            "| {seed} | {a} | {} | {:.1e} | {b} | {} | {c} | {steps} | {gap:.1e} |",
            long.steps, long.gap, short.steps
        );
    }
}

fn digits(peer: &mut Option<Peer>) {
    println!(
        "\n128 digits of 28×28 (MNIST 0 against 1) to a certified gap of 1e-5, seconds: min / median of 5 turns\n"
    );
    println!(
        "| draw | flow | steps | log10 q | gap | excess | default steps | Clarabel | CVXPY: Clarabel alone | in all | ratio |"
    );
    println!("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..10 {
        let data = image_pair(ImageSet::Mnist, (0, 1), Some(128), false, seed).unwrap();
        let mut problem = Problem::new(&data, seed);
        let place = problem.write(&folder.path().join("z"));
        let (mut times, mut end) = ([const { vec![] }; 5], None);
        for _ in 0..5 {
            let long = problem.flow(&FlowOptions::LIMIT, Some(1e-5));
            times[0].push(long.seconds);
            times[1].push(problem.flow(&FlowOptions::default(), Some(1e-5)).seconds);
            let (seconds, optimum) = problem.clarabel();
            times[2].push(seconds);
            if let Some(answer) = peer.as_mut().map(|p| p.ask(&format!("socp {place}"))) {
                times[3].push(number(&answer, "solver"));
                times[4].push(number(&answer, "total"));
            }
            end = Some((long, optimum));
        }
        let (long, optimum) = end.unwrap();
        let ratio = median(&times[0]) / median(&times[2]);
        let [a, b, c, d, e] = times.each_ref().map(|t| spread(t));
        println!(
            "| {seed} | {a} | {} | {:.0} | {:.1e} | {:.1e} | {b} | {c} | {d} | {e} | {ratio:.2} |",
            long.steps,
            long.log10_q,
            long.gap,
            long.value / optimum - 1.0
        );
    }
}

/// One size in a process of its own: a line of the CSV.
fn one(n: usize, d: usize) {
    let data = gaussian(&[d], n, None, 0).unwrap();
    let reached = Problem::new(&data, 0).flow(&FlowOptions::LIMIT, Some(1e-3));
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let Reached { seconds, steps, log10_q, gap, .. } = reached;
    println!("{n},{d},{seconds:.4},{steps},{log10_q:.1},{gap:.3e},{:.1}", peak.unwrap_or(f64::NAN) / 1024.0);
}

fn scaling() {
    std::fs::create_dir_all(FOLDER).unwrap();
    let mut csv = "n,d,seconds,steps,log10_q,gap,peak_mb\n".to_string();
    let (mut trace, mut fits) = ("run,step,size,seconds,step_seconds\n".to_string(), vec![]);
    let studies = [("N", OVER_N.map(|n| (n, 4096)).to_vec()), ("D", OVER_D.map(|d| (64, d)).to_vec())];
    for (run, (study, sizes)) in studies.into_iter().enumerate() {
        let (mut x, mut whole, mut step) = (vec![], vec![], vec![]);
        for (n, d) in sizes {
            let ask = || {
                let mut command = Command::new(std::env::current_exe().unwrap());
                let answer = command.args(["--one", &n.to_string(), &d.to_string()]).output().unwrap();
                String::from_utf8(answer.stdout).unwrap()
            };
            let field = |line: &str, k: usize| line.split(',').nth(k).unwrap().parse::<f64>().unwrap();
            // The fastest of three.
            let mut lines = [ask(), ask(), ask()];
            lines.sort_by(|a, b| field(a, 2).total_cmp(&field(b, 2)));
            let (size, seconds) = (if study == "N" { n } else { d } as f64, field(&lines[0], 2));
            print!("{}", lines[0]);
            csv += &lines[0];
            x.push(size.ln());
            whole.push(seconds.ln());
            step.push((seconds / field(&lines[0], 3)).ln());
            writeln!(trace, "{},{},{size},{seconds},{}", run + 1, x.len(), step[step.len() - 1].exp()).unwrap();
        }
        // The larger half, where set-up no longer counts.
        let half = x.len() / 2;
        fits.push([slope(&x[half..], &whole[half..]), slope(&x[half..], &step[half..])]);
        let [all, one] = fits[fits.len() - 1];
        println!("larger half: seconds ∝ {study}^{all:.2}, a step ∝ {study}^{one:.2}; all: {:.2}", slope(&x, &whole));
    }
    std::fs::write(Path::new(FOLDER).join("log_time_flow.csv"), csv).unwrap();
    let record = tempfile::tempdir().unwrap();
    std::fs::write(record.path().join("runs.csv"), "run,study\n1,N\n2,D\n").unwrap();
    std::fs::write(record.path().join("trace.csv"), trace).unwrap();
    for path in draw_record(record.path(), &[figure(&fits)]).unwrap() {
        std::fs::copy(&path, Path::new(FOLDER).join(path.file_name().unwrap())).unwrap();
    }
}

fn figure(fits: &[[f64; 2]]) -> FigureSpec {
    let panel = |study: &str, title: &str, fit: f64| {
        format!(
            "[[panel]]\nkind = \"lines\"\ntitle = \"{title}\"\nx = \"size\"\ny = [\"seconds\", \"step_seconds\"]\n\
             x_label = \"{study}\"\ny_label = \"seconds\"\nx_scale = \"log\"\ny_scale = \"log\"\nwhere = {{ study = \"{study}\" }}\n\
             labels = {{ seconds = \"to the certified gap\", step_seconds = \"one step\" }}\n\
             reference = [{{ slope = {fit}, label = \"∝ {study}^{{{fit:.1}}}\" }}]\n"
        )
    };
    let panels = panel("N", "D = 4096", fits[0][0]) + &panel("D", "N = 64", fits[1][0]);
    let caption = format!(
        "Log-time flow of the depth-2 convolutional network on Gaussian data to a certified gap of 10^{{−3}}. Fitted to the \
         larger half of the sizes, time grows like N^{{{:.1}}} and D^{{{:.1}}}, a step like N^{{{:.1}}} and D^{{{:.1}}}.",
        fits[0][0], fits[1][0], fits[0][1], fits[1][1]
    );
    toml::from_str(&format!("name = \"log_time_flow\"\ncolumns = 2\ncaption = \"{caption}\"\n{panels}")).unwrap()
}

fn number(answer: &serde_json::Value, field: &str) -> f64 {
    answer[field].as_f64().unwrap()
}
