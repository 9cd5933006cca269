use crate::data::images::Images;

/// Bits after the point of a weight.
const BITS: u32 = 22;

/// A picture's middle square: so many of the shorter side's pixels, a number from 0 to 1.
pub fn middle(picture: &Images, part: f64) -> Images {
    let Images { channels, height, width, .. } = *picture;
    let side = ((part * height.min(width) as f64) as usize).max(1);
    let (top, left) = ((height - side) / 2, (width - side) / 2);
    let rows = (0..channels).flat_map(|c| (0..side).map(move |y| (c * height + top + y) * width + left));
    let pixels = rows.flat_map(|at| &picture.pixels[at..at + side]).copied().collect();
    Images { channels, height: side, width: side, pixels }
}

/// Scales a picture by bicubic interpolation with a = −1/2, its kernel widened where the picture shrinks, as the Python Imaging
/// Library does to the last bit: along rows, rounded to bytes, then along columns.
pub fn resize(picture: &Images, [height, width]: [usize; 2]) -> Images {
    let Images { channels, height: rows, width: columns, .. } = *picture;
    let across = weights(columns, width);
    let mut narrow = Vec::with_capacity(channels * rows * width);
    for row in picture.pixels.chunks_exact(columns) {
        narrow.extend(across.iter().map(|(first, w)| rounded(row[*first..].iter().zip(w))));
    }
    let down = weights(rows, height);
    let mut pixels = Vec::with_capacity(channels * height * width);
    for plane in narrow.chunks_exact(rows * width) {
        for (first, w) in &down {
            let seen = &plane[first * width..];
            pixels.extend((0..width).map(|x| rounded(seen[x..].iter().step_by(width).zip(w))));
        }
    }
    Images { channels, height, width, pixels }
}

fn rounded<'a>(terms: impl Iterator<Item = (&'a u8, &'a i32)>) -> u8 {
    let sum = terms.fold(1 << (BITS - 1), |sum, (x, w)| sum + i32::from(*x) * w);
    (sum >> BITS).clamp(0, 255) as u8
}

/// For each of the `outputs` numbers, the first input that it sees and the weights from there on.
fn weights(inputs: usize, outputs: usize) -> Vec<(usize, Vec<i32>)> {
    let scale = inputs as f64 / outputs as f64;
    let wide = scale.max(1.0);
    let at = |i: usize| {
        let centre = (i as f64 + 0.5) * scale;
        let first = (centre - 2.0 * wide + 0.5).max(0.0) as usize;
        let end = ((centre + 2.0 * wide + 0.5) as usize).min(inputs);
        let weights: Vec<f64> = (first..end).map(|j| cubic((j as f64 - centre + 0.5) / wide)).collect();
        let sum: f64 = weights.iter().sum();
        (first, weights.iter().map(|w| (w / sum * f64::from(1 << BITS)).round() as i32).collect())
    };
    (0..outputs).map(at).collect()
}

fn cubic(x: f64) -> f64 {
    let x = x.abs();
    match x {
        x if x < 1.0 => (1.5 * x - 2.5) * x * x + 1.0,
        x if x < 2.0 => ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0,
        _ => 0.0,
    }
}
