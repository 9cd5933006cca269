use super::activations::{Calibration, channel};
use crate::deep::inference::{Graph, Program, SiteKind};
use crate::deep::quantize::Spread;
use crate::error::Result;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What of the outputs of every layer's channels, before the rectifier, is made as it was on the calibration pictures: the
/// empirical correction of biases (Nagel et al. 2019), and with the deviation the statistics of batch normalisation anew. The
/// paper's corrections look at weights alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Restore {
    /// Nothing.
    #[default]
    None,
    /// The mean, by the bias.
    Mean,
    /// Mean and standard deviation, by the bias and the scale of the channel's weights.
    MeanAndDeviation,
}

impl Restore {
    /// Changes biases and the scales of channels of `graph`, whose weights are rounded, in one pass: each layer sees what the
    /// layers before it give once they are restored.
    ///
    /// # Errors
    /// As [`Program::run_with`].
    pub fn apply(self, graph: &mut Graph, calibration: &Calibration, inputs: &[f32]) -> Result<()> {
        if self == Self::None {
            return Ok(());
        }
        let mut maps: BTreeMap<String, Vec<(f32, f32)>> = BTreeMap::new();
        Program::unfused(graph)?.run_with(inputs, &mut |site, values| {
            let Some(target) = calibration.0.get(&site.name).filter(|_| site.kind == SiteKind::Weighted) else {
                return;
            };
            let map = target.channels.iter().enumerate().map(|(c, (_, target))| {
                let found = Spread::of(&channel(site, values, c));
                let changes = self == Self::MeanAndDeviation && found.standard > 0.0;
                let gain = if changes { target.standard / found.standard } else { 1.0 };
                (gain as f32, (target.mean - gain * found.mean) as f32)
            });
            let map: Vec<_> = map.collect();
            for values in values.chunks_mut(site.channels) {
                values.iter_mut().zip(&map).for_each(|(x, (gain, shift))| *x = gain * *x + shift);
            }
            maps.insert(site.name.clone(), map);
        })?;
        graph.visit_weights(&mut |w| {
            let Some(map) = maps.get(w.name) else { return };
            let part = w.values.len() / w.outputs;
            for (weights, (gain, _)) in w.values.chunks_mut(part).zip(map) {
                weights.iter_mut().for_each(|x| *x *= gain);
            }
            let bias = w.bias.get_or_insert_with(|| vec![0.0; map.len()]);
            bias.iter_mut().zip(map).for_each(|(b, (gain, shift))| *b = gain * *b + shift);
        });
        Ok(())
    }
}
