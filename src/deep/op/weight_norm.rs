use super::{Operation, Values, View};

/// w = g·v/‖v‖ for every output, of v `[out, in, k, k]` and g `[1, out, 1, 1]` (Salimans & Kingma 2016).
#[derive(Debug, Clone, Copy)]
pub struct WeightNorm;

impl Operation<2> for WeightNorm {
    /// ‖v‖ of every output.
    type Saved = Vec<f32>;

    fn forward(&self, [v, g]: [View; 2]) -> (Values, Vec<f32>) {
        let fan_in = v.values.len() / v.shape[0];
        let norms: Vec<f32> = v.values.chunks_exact(fan_in).map(|v| dot(v, v).sqrt() as f32).collect();
        let rows = v.values.chunks_exact(fan_in).zip(g.values).zip(&norms);
        let values = rows.flat_map(|((v, g), norm)| v.iter().map(move |v| g / norm * v)).collect();
        (Values { shape: v.shape, values }, norms)
    }

    fn backward(&self, norms: &Vec<f32>, [v, g]: [View; 2], gradient: View, _: [bool; 2]) -> [Option<Vec<f32>>; 2] {
        let fan_in = v.values.len() / v.shape[0];
        let (mut dv, mut dg) = (Vec::with_capacity(v.values.len()), Vec::with_capacity(norms.len()));
        let rows = v.values.chunks_exact(fan_in).zip(gradient.values.chunks_exact(fan_in));
        for (((v, dw), g), norm) in rows.zip(g.values).zip(norms) {
            let along = (dot(v, dw) / f64::from(*norm)) as f32;
            dg.push(along);
            dv.extend(v.iter().zip(dw).map(|(v, dw)| g / norm * (dw - along / norm * v)));
        }
        [Some(dv), Some(dg)]
    }
}

fn dot(a: &[f32], b: &[f32]) -> f64 {
    a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
}
