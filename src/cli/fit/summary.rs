use super::options::{Arguments, LossName, NetworkName, SolverName};
use crate::experiment::fit::{Carrier, Fit, Fitted, Progress, Status};

/// How many coordinates or frequencies are named.
const NAMED: usize = 8;
/// Gigabytes of data from which on the bandwidth of memory decides, and is shown.
const SHOWN: f64 = 0.1;
const HEADER: &str = "      step      log10 q       margin     R/margin   certified gap";

/// What the words need beside the numbers.
pub struct View<'a> {
    pub arguments: &'a Arguments,
    pub shape: &'a [usize],
    /// Names of the features, if the file has them.
    pub names: Vec<String>,
    /// Whether the data are known to be separable.
    pub checked: bool,
}

/// Lines at steps 0, 1, 2, 5, 10, …, and the last.
#[derive(Default)]
pub struct IterationTable {
    due: u64,
    last: Option<(Progress, bool)>,
}

impl IterationTable {
    /// The line of this observation, if it is due; the first brings the header.
    pub fn line(&mut self, now: &Progress) -> Option<String> {
        let due = now.step >= self.due;
        let header = if self.last.is_none() { format!("\n{HEADER}\n") } else { String::new() };
        self.last = Some((*now, due));
        let ahead = (0..19).flat_map(|k| [1, 2, 5].map(|n| n * 10_u64.pow(k)));
        due.then(|| {
            self.due = ahead.into_iter().find(|n| *n > now.step).unwrap_or(u64::MAX);
            format!("{header}{}", row(now))
        })
    }

    /// The last observation, if its line was not due.
    pub fn last(&self) -> Option<String> {
        self.last.filter(|(_, shown)| !shown).map(|(now, _)| row(&now))
    }
}

fn row(now: &Progress) -> String {
    let Progress { step, log10_q, margin, normalized_value, certified_gap } = *now;
    format!(
        "{step:10} {:>12} {:>12} {:>12} {:>15}",
        number(log10_q),
        number(margin),
        number(if margin > 0.0 { normalized_value } else { f64::NAN }),
        number(certified_gap)
    )
}

/// Six digits; a dash where there is no number.
fn number(v: f64) -> String {
    match v.abs() {
        a if a.is_nan() => "–".into(),
        0.0 => "0".into(),
        1e-3..1e5 => format!("{:.*}", (5 - v.abs().log10().floor() as i32).clamp(0, 8) as usize, v),
        _ => format!("{v:.4e}"),
    }
}

impl View<'_> {
    fn frequencies(&self) -> bool {
        self.arguments.network == NetworkName::Convolutional
    }

    /// What is about to run.
    pub fn banner(&self, name: &str, labels: &[f64], fit: &Fit) -> String {
        let (spec, shape) = (self.arguments.spec(), self.shape);
        let positive = labels.iter().filter(|y| **y > 0.0).count();
        let sides = shape.iter().map(usize::to_string).collect::<Vec<_>>().join("×");
        let network = match self.arguments.network {
            NetworkName::FullyConnected => format!("fully connected, width {}", spec.width),
            NetworkName::Convolutional => "convolutional, full width".into(),
            NetworkName::Diagonal => "diagonal".into(),
        };
        let loss = match self.arguments.loss {
            LossName::Exponential => "Σ exp(−m)",
            LossName::Logistic => "Σ log(1 + exp(−m))",
        };
        let solver = match self.arguments.solver {
            SolverName::LogTimeFlow => "gradient flow in logarithmic time",
            SolverName::GradientDescent if spec.step.is_some() => "gradient descent, constant step",
            SolverName::GradientDescent => "gradient descent, step bounded by local smoothness",
            SolverName::NormalizedGradientDescent => "gradient descent, step divided by the loss's slope",
        };
        let stop = fit.stop();
        let rules = [
            stop.certified_gap.filter(|_| fit.regularizer().is_norm()).map(|g| format!("certified gap {g:e}")),
            stop.log10_q.map(|q| format!("log10 q = {q}")),
            stop.residual.map(|r| format!("stationarity {r:e}")),
            Some(format!("{} steps", stop.max_steps)),
        ];
        let kind = if fit.regularizer().is_norm() {
            "convex: certified by weak duality"
        } else {
            "not convex: a stationary point is all that theory promises"
        };
        format!(
            "data      {name}: {} samples ({positive} of class +1), {} features ({sides})\n\
             network   {network}, depth {}, {} parameters\n\
             loss      {loss} over samples\n\
             solver    {solver}, until {}\n\
             limit     least {} R(β) with all margins yᵢ⟨xᵢ, β⟩ ≥ 1 ({kind})",
            labels.len(),
            shape.iter().product::<usize>(),
            spec.depth,
            fit.parameters(),
            rules.into_iter().flatten().collect::<Vec<_>>().join(" or "),
            fit.regularizer().name(),
        )
    }

    /// What was reached, how certain it is, what carries it, what to do next.
    pub fn summary(&self, samples: usize, fitted: &Fitted) -> String {
        let how = match fitted.status {
            Status::Converged => "converged",
            Status::MaxSteps => "stopped: all steps were taken",
            Status::TimeBudget => "stopped: the time is spent",
            Status::Diverged => "diverged",
            Status::Stalled => "stopped: a step no longer changes the parameters in floating point",
            Status::Interrupted => "interrupted",
        };
        let mut text = format!("\n{how} after {} steps in {:.2} s", fitted.steps, fitted.seconds);
        let gigabytes = (samples * self.shape.iter().product::<usize>() * size_of::<f64>()) as f64 / 1e9;
        if self.arguments.solver != SolverName::LogTimeFlow && gigabytes > SHOWN {
            let speed = gigabytes * (fitted.steps + 1) as f64 / fitted.seconds;
            text += &format!(": {gigabytes:.2} GB of data a step at {speed:.1} GB/s");
        }
        text.push('\n');
        if fitted.status != Status::Diverged && fitted.margin > 0.0 {
            let certain = match fitted.certified_gap {
                Some(gap) => {
                    format!("at most {gap:.1e} (relative) above the least possible; certified, no solver to trust")
                }
                None => "no certificate: this penalty is not convex, other starts may end elsewhere".into(),
            };
            let kkt = fitted.kkt_residual.map_or("–".into(), |k| format!("{k:.1e}"));
            text += &format!(
                "limit     {} at margin one: {}\n          {certain}\n          KKT residual {kkt} (0 at a stationary point)\n",
                fitted.regularizer,
                number(fitted.normalized_value)
            );
            text += &self.carried(fitted);
        }
        for line in self.advice(fitted) {
            text += &format!("next      {line}\n");
        }
        text
    }

    fn carried(&self, fitted: &Fitted) -> String {
        let what = if self.frequencies() { "frequencies" } else { "features" };
        let all = fitted.predictor.len();
        let mut text =
            format!("carried   by {} of {all} {what} (those above 1e-3 of the largest)\n", fitted.active_bins);
        let named = &fitted.carriers[..fitted.carriers.len().min(NAMED)];
        let names: Vec<String> = named.iter().map(|c| self.name(c.index)).collect();
        let width = names.iter().map(|n| n.chars().count()).max().unwrap_or(0);
        for (Carrier { value, share, .. }, name) in named.iter().zip(&names) {
            let symbol = if self.frequencies() { "|β̂|" } else { "β" };
            text +=
                &format!("          {name:width$}  {symbol} {:>11}  {:5.1} % of ‖β‖²\n", number(*value), 100.0 * share);
        }
        if fitted.carriers.len() > NAMED {
            let rest: f64 = fitted.carriers[NAMED..].iter().map(|c| c.share).sum();
            text += &format!("          and {} more with {:.1} %\n", fitted.carriers.len() - NAMED, 100.0 * rest);
        }
        text
    }

    /// A feature by its column's name; a frequency by its number (images: down and across, signed) and period.
    fn name(&self, index: usize) -> String {
        match (self.frequencies(), self.shape) {
            (true, [h, w]) => {
                let signed = |k: usize, n: usize| if 2 * k > n { k as i64 - n as i64 } else { k as i64 };
                format!("frequency ({}, {})", signed(index / w, *h), signed(index % w, *w))
            }
            (true, _) if index == 0 => "frequency 0 (the mean)".into(),
            (true, _) => {
                let d: usize = self.shape.iter().product();
                format!("frequency ±{index} (period {:.4})", d as f64 / index as f64)
            }
            (false, shape) => match (self.names.get(index), shape) {
                (Some(name), _) => format!("{name:?}"),
                (None, [_, w]) => format!("pixel ({}, {})", index / w, index % w),
                (None, _) => format!("feature {index}"),
            },
        }
    }

    fn advice(&self, fitted: &Fitted) -> Vec<String> {
        let flow = self.arguments.solver == SolverName::LogTimeFlow;
        let wanted = self.arguments.spec().until_gap.unwrap_or(1e-6);
        let wrong = fitted.margin.is_nan() || fitted.margin <= 0.0;
        let near = fitted.certified_gap.is_some_and(|g| g <= wanted.max(1e-6));
        let mut lines: Vec<&str> = vec![];
        if wrong && !self.checked {
            lines.push("with so many numbers it was not checked whether the data are separable: perhaps no β has all margins positive");
        }
        match fitted.status {
            Status::Diverged => lines.push("a smaller --step (a tenth, say), or --solver log-time-flow"),
            Status::Interrupted => lines.push("the same command starts again; fewer --max-steps end sooner"),
            _ if wrong && flow => {
                lines.push("some sample is still on the wrong side: a larger --init-scale or another --seed");
            }
            _ if wrong => {
                lines.push("some sample is still on the wrong side: more --max-steps, or --solver log-time-flow");
            }
            _ if near => {}
            Status::Stalled => lines.push("--solver log-time-flow goes on where floating point ends"),
            _ if !flow => {
                lines.push("gradient descent nears its limit like 1/log(steps): --solver log-time-flow reaches it")
            }
            Status::MaxSteps => lines.push("more --max-steps, or a larger --step (at most 1)"),
            _ if fitted.convex => lines.push("a larger --until-log10-q (at most 300) for a smaller gap"),
            _ => {}
        }
        if !fitted.convex && fitted.status == Status::Converged {
            lines.push("other --seed and --init-scale show whether the limit depends on the start");
        }
        lines.into_iter().map(String::from).collect()
    }
}
