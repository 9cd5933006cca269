//! A network of one's own, β = u² − v² entry by entry: trained two ways, measured, certified and drawn.
//!
//! The predictor and its pullback are all that training needs. Since u² + v² ≥ |u² − v²|, min{‖w‖² : P(w) = β} = ‖β‖₁ =
//! L·R(β)^{2/L} with L = 2 and R = ½‖β‖₁: said in `regularizer`, it brings certificates and the KKT residual.
//!
//!     cargo run --release --example own_parametrisation

use implicit_bias::data::generate::gaussian;
use implicit_bias::linear::loss::Loss;
use implicit_bias::linear::metric::{COLUMNS, Meter};
use implicit_bias::linear::network::Network;
use implicit_bias::linear::predicted::{Regularizer, bridge_kkt, minimum_norm, parameter_kkt};
use implicit_bias::linear::solver::{
    FlowOptions, Objective, Schedule, State, StepRule, Stop, gradient_descent, log_time_flow,
};
use implicit_bias::linear::{Frame, Task};
use implicit_bias::record::figure_spec::{FigureSpec, OneOrMany, PanelSpec, Scale};
use implicit_bias::record::{table::Table, write_file};
use implicit_bias::report::{Theme, render};
use std::ops::ControlFlow;

/// β_d = u_d² − v_d², with w = (u, v).
struct DifferenceOfSquares {
    features: usize,
}

impl Network for DifferenceOfSquares {
    fn features(&self) -> usize {
        self.features
    }

    fn parameters(&self) -> usize {
        2 * self.features
    }

    fn degree(&self) -> usize {
        2
    }

    fn predictor(&mut self, w: &[f64], beta: &mut [f64]) {
        let (u, v) = w.split_at(self.features);
        beta.iter_mut().zip(u.iter().zip(v)).for_each(|(b, (u, v))| *b = u * u - v * v);
    }

    fn pullback(&mut self, w: &[f64], r: &[f64], gradient: &mut [f64]) {
        for (i, (g, w)) in gradient.iter_mut().zip(w).enumerate() {
            let sign = if i < self.features { 2.0 } else { -2.0 };
            *g = sign * w * r[i % self.features];
        }
    }

    fn regularizer(&self) -> Option<Regularizer> {
        let single = (0..self.features).map(|d| (vec![d], 0.5)).collect();
        Some(Regularizer::new("half the l1 norm", single, 1.0))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let data = gaussian(&[32], 8, None, 0)?;
    let mut task = Task::own(&data, Box::new(DifferenceOfSquares { features: 32 }));
    let regularizer = task.regularizer().ok_or("no regulariser")?;
    let optimum = minimum_norm(&task.regularized_rows(), &regularizer)?;
    let frame: Frame = task.frame.clone();
    let (mut runs, mut trace) = (Table::new(["run", "method"]), Table::new(["run"].into_iter().chain(COLUMNS)));

    for (run, method) in ["gradient descent", "log-time flow"].into_iter().enumerate() {
        let mut meter = Meter::new(&frame, Some(&regularizer), Some(&optimum));
        let (mut w, mut beta) = (task.initial(0.1, 0), vec![]);
        let observe = |state: &State| {
            let metrics = meter.measure(state);
            trace.push(std::iter::once(run.into()).chain(metrics.map(Into::into)).collect());
            beta = state.predictor.to_vec();
            ControlFlow::Continue(Some(metrics[6]))
        };
        let objective = Objective { rows: &mut task.rows, network: task.network.as_mut(), loss: Loss::Exponential };
        let stop = Stop { max_steps: 20_000, certified_gap: Some(1e-6), ..Stop::default() };
        let outcome = match run {
            0 => {
                let rule = StepRule::Constant { eta: 0.005 };
                gradient_descent(objective, &mut w, rule, &stop, Schedule::log_spaced(20), observe)
            }
            _ => log_time_flow(objective, &mut w, &FlowOptions::default(), &stop, Schedule::even(0.1), observe),
        };
        let kkt = bridge_kkt(&task.regularized_rows(), &regularizer, &beta).ok_or("not separated")?;
        let stationary = parameter_kkt(&task.rows, task.network.as_mut(), &w).ok_or("not separated")?;
        let last = |column: &str| trace.numbers(column).last().copied().unwrap_or(f64::NAN);
        println!("{method}: {} after {} steps", outcome.status.name(), outcome.steps);
        println!("  above the optimum by {:.1e}, certified {:.1e}", last("excess"), last("certified_gap"));
        println!("  KKT residual {:.1e} of β, {:.1e} of w; {} features", kkt.residual, stationary, kkt.support);
        runs.push(vec![run.into(), method.into()]);
    }

    let panel = PanelSpec {
        x: Some("q".into()),
        y: Some(OneOrMany::One("certified_gap".into())),
        x_scale: Some(Scale::Log),
        y_scale: Some(Scale::Log),
        series: Some("method".into()),
        ..PanelSpec::default()
    };
    let figure = FigureSpec { name: "gap".into(), panels: vec![panel], ..FigureSpec::default() };
    let folder = std::env::temp_dir().join("implicit-bias-own-parametrisation");
    std::fs::create_dir_all(&folder)?;
    write_file(&folder.join("runs.csv"), runs.to_csv().as_bytes())?;
    write_file(&folder.join("trace.csv"), trace.to_csv().as_bytes())?;
    write_file(&folder.join("gap.svg"), render(&folder, &figure, Theme::Light)?.as_bytes())?;
    println!("drawn: {}", folder.join("gap.svg").display());
    Ok(())
}
