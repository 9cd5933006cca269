//! How activations, layers' gradients and weights' gradients are distributed (banner2018, figure of histograms).

/// The metrics of trace.csv, one row a bin.
pub const COLUMNS: [&str; 4] = ["deviation", "activation_density", "layer_gradient_density", "weight_gradient_density"];

/// The final metrics.
pub const FINAL: [&str; 7] = [
    "test_error",
    "activation_kurtosis",
    "layer_gradient_kurtosis",
    "weight_gradient_kurtosis",
    "activation_extreme",
    "layer_gradient_extreme",
    "weight_gradient_extreme",
];

#[cfg(not(feature = "deep"))]
pub fn run(
    _: &super::TrainingRun,
    _: &crate::experiment::kinds::Context,
) -> crate::error::Result<crate::experiment::kinds::RunResult> {
    Err(super::without_deep("distributions"))
}

#[cfg(feature = "deep")]
pub use with_burn::run;

#[cfg(feature = "deep")]
mod with_burn {
    use super::FINAL;
    use crate::deep::train::observe;
    use crate::error::Result;
    use crate::experiment::kinds::deep::{TrainingRun, training};
    use crate::experiment::kinds::{Context, RunResult};
    use crate::math::sums::median;

    /// Pictures that pass.
    const PICTURES: usize = 256;
    /// Bins for every standard deviation, and how far they reach.
    const BINS: f64 = 4.0;
    const REACH: f64 = 12.0;

    /// Trains, and looks at one batch.
    pub fn run(config: &TrainingRun, context: &Context) -> Result<RunResult> {
        let split = config.data.load(config.seed)?;
        let fitted = training::fit(&split, config, context)?;
        let test = fitted.trace.last().map_or(f64::NAN, |(_, row)| row[4]);
        let set = &split.training;
        let (pixels, labels) = set.take(&(0..PICTURES.min(set.len())).collect::<Vec<_>>(), None);
        let seen = observe(&fitted.trainer.network, &pixels, &labels, config.seed);
        let groups = [&seen.activations, &seen.layer_gradients, &seen.weight_gradients].map(|g| shapes(g));
        let [kurtosis, extreme] =
            [0, 1].map(|k| groups.each_ref().map(|g| median(&g.1.iter().map(|m| m[k]).collect::<Vec<_>>())));
        let metrics = FINAL.into_iter().zip([test].into_iter().chain(kurtosis).chain(extreme)).collect();
        let mut result = fitted.result(metrics);
        let row = |bin: usize| {
            let deviation = (bin as f64 + 0.5) / BINS - REACH;
            (bin as u64, [deviation].into_iter().chain(groups.each_ref().map(|g| g.0[bin])).collect())
        };
        result.trace = (0..groups[0].0.len()).map(row).collect();
        Ok(result)
    }

    /// The density of the numbers of all tensors, each less its mean and in units of its standard deviation, and of each its excess
    /// kurtosis and its largest deviation.
    fn shapes(tensors: &[Vec<f32>]) -> (Vec<f64>, Vec<[f64; 2]>) {
        let mut counts = vec![0.0; (2.0 * REACH * BINS) as usize];
        let total: usize = tensors.iter().map(Vec::len).sum();
        let mut one = |numbers: &Vec<f32>| {
            let count = numbers.len() as f64;
            let mean = numbers.iter().map(|x| f64::from(*x)).sum::<f64>() / count;
            let power = |p: i32| numbers.iter().map(|x| (f64::from(*x) - mean).powi(p)).sum::<f64>() / count;
            let (square, fourth) = (power(2), power(4));
            let mut extreme: f64 = 0.0;
            for x in numbers {
                let z = (f64::from(*x) - mean) / square.sqrt();
                extreme = extreme.max(z.abs());
                if let Some(count) = counts.get_mut(((z + REACH) * BINS) as usize).filter(|_| z > -REACH) {
                    *count += BINS / total as f64;
                }
            }
            [fourth / (square * square) - 3.0, extreme]
        };
        let moments = tensors.iter().map(&mut one).collect();
        (counts, moments)
    }
}
