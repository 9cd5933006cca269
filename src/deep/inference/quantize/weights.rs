use super::{Clip, Recipe, affine};
use crate::deep::inference::Graph;
use crate::deep::quantize::{Affine, Spread, allocate};
use crate::math::sums::cosine;

/// Fractions of the range that [`Clip::LeastError`] tries.
const FRACTIONS: usize = 100;

/// What became of a layer's weights.
#[derive(Debug, Clone, PartialEq)]
pub struct LayerReport {
    /// The layer.
    pub name: String,
    /// Its weights.
    pub weights: usize,
    /// Bits of a weight: mean, least and most over the output channels.
    pub bits: [f64; 3],
    /// The least and largest value that any channel can take.
    pub clip: [f32; 2],
    /// Mean square error, over the mean square.
    pub relative_mse: f64,
    /// Cosine of the angle to the weights as they were.
    pub cosine: f64,
    /// Bytes of its integers, the scale (4) and zero point (2) of each quantiser, and its bias in 32 bits.
    pub bytes: usize,
}

/// Rounds the weights of a network whose batch normalisations are folded; the reports are in the order of the layers.
pub fn quantize_weights(graph: &mut Graph, recipe: &Recipe) -> Vec<LayerReport> {
    let (mut reports, mut layers, mut at) = (vec![], 0, 0);
    let Some(bits) = recipe.weight_bits else { return reports };
    graph.visit_weights(&mut |_| layers += 1);
    graph.visit_weights(&mut |w| {
        let edge = at == 0 || at + 1 == layers;
        at += 1;
        let bits = if edge { bits.max(recipe.edge_bits) } else { bits };
        let before = w.values.to_vec();
        let units = if recipe.per_channel { w.outputs } else { 1 };
        let divided = recipe.allocate_weights && !edge;
        let (bits, clip) = round(w.values, units, bits, divided, recipe);
        recipe.correction.apply(&before, w.values, w.outputs);
        let error: f64 = before.iter().zip(&*w.values).map(|(a, b)| f64::from(a - b).powi(2)).sum();
        let square: f64 = before.iter().map(|a| f64::from(*a).powi(2)).sum();
        let part = w.values.len() / units;
        let stored: usize = bits.iter().map(|b| *b as usize * part).sum();
        let mean = bits.iter().sum::<u32>() as f64 / units as f64;
        reports.push(LayerReport {
            name: w.name.into(),
            weights: w.values.len(),
            bits: [mean, extreme(&bits, u32::min), extreme(&bits, u32::max)],
            clip,
            relative_mse: if square > 0.0 { error / square } else { 0.0 },
            cosine: cosine(&before, w.values),
            bytes: stored.div_ceil(8) + 6 * units + 4 * w.bias.as_ref().map_or(0, Vec::len),
        });
    });
    reports
}

fn extreme(bits: &[u32], f: fn(u32, u32) -> u32) -> f64 {
    bits.iter().copied().reduce(f).map_or(f64::NAN, f64::from)
}

/// Rounds equal parts of `values`, and gives the bits of each and the least and largest value of all.
fn round(values: &mut [f32], units: usize, bits: u32, divided: bool, recipe: &Recipe) -> (Vec<u32>, [f32; 2]) {
    let part = (values.len() / units).max(1);
    let spreads: Vec<Spread> = values.chunks(part).map(Spread::of).collect();
    let bits = if divided {
        let widths: Vec<f64> = spreads.iter().map(|s| s.standard).collect();
        allocate(&widths, f64::from(bits), recipe.exponent)
    } else {
        vec![bits; units]
    };
    let mut clip = [0f32; 2];
    for ((values, spread), bits) in values.chunks_mut(part).zip(&spreads).zip(&bits) {
        if *bits == 0 {
            values.fill(0.0);
            continue;
        }
        let range = values.iter().fold([0f32; 2], |[l, h], x| [l.min(*x), h.max(*x)]);
        let affine = match recipe.weight_clip {
            Clip::LeastError => least_error(values, range, *bits),
            clip => affine(clip, range, spread, *bits, false),
        };
        clip = [clip[0].min(affine.dequantize(0)), clip[1].max(affine.dequantize(affine.top()))];
        values.iter_mut().for_each(|x| *x = affine.round(*x));
    }
    (bits, clip)
}

fn least_error(values: &[f32], [low, high]: [f32; 2], bits: u32) -> Affine {
    let tried = (1..=FRACTIONS).map(|k| {
        let part = k as f32 / FRACTIONS as f32;
        let affine = Affine::of_range(part * low, part * high, bits);
        let error: f64 = values.iter().map(|x| f64::from(x - affine.round(*x)).powi(2)).sum();
        (affine, error)
    });
    tried.min_by(|a, b| a.1.total_cmp(&b.1)).map_or_else(|| Affine::of_range(low, high, bits), |best| best.0)
}
