//! Values and gradients of every operation against formulas in f64: gradients against central differences of the formula, of
//! binarisations against the definition of the estimator.

use implicit_bias::deep::normalize::Statistic;
use implicit_bias::deep::op::{
    AveragePool, BatchNorm, Bias, Bifurcation, Convolution, CrossEntropy, MaxPool, Operation, Relu, Scale, Sign,
    SquaredHinge, Sum, View, WeightNorm, apply, binarized, constant, gradient, leaf, linear, tensor, values, view,
};
use implicit_bias::math::random::Stream;
use std::sync::Arc;

type Shape = [usize; 4];

fn normals(shape: Shape, stream: &mut Stream) -> Vec<f32> {
    stream.normals(shape.iter().product()).into_iter().map(|v| v as f32).collect()
}

fn wide(values: &[f32]) -> Vec<f64> {
    values.iter().map(|v| f64::from(*v)).collect()
}

/// Every number to `tolerance` of the largest.
fn close(what: &str, found: &[f32], wanted: &[f64], tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{what}");
    let size = wanted.iter().fold(1e-3_f64, |m, w| m.max(w.abs()));
    for (i, (f, w)) in found.iter().zip(wanted).enumerate() {
        let off = (f64::from(*f) - w).abs() / size;
        assert!(off <= tolerance, "{what}, number {i}: {f}, not {w}, off by {off:.1e}");
    }
}

/// Compares an operation, on its own and in the graph, with a formula.
fn check<F: Operation<N> + Clone, const N: usize>(
    operation: F,
    shapes: [Shape; N],
    formula: impl Fn(&[Vec<f64>; N]) -> Vec<f64>,
) {
    let what = format!("{operation:?} of {shapes:?}");
    let mut stream = Stream::new(1, &["operations"]);
    let inputs = shapes.map(|s| normals(s, &mut stream));
    let views: [View; N] = std::array::from_fn(|i| View { shape: shapes[i], values: &inputs[i] });
    let (y, saved) = operation.forward(views);
    let mut at = inputs.each_ref().map(|x| wide(x));
    close(&what, &y.values, &formula(&at), 1e-5);

    let dy = normals(y.shape, &mut stream);
    let objective = |at: &[Vec<f64>; N]| formula(at).iter().zip(&dy).map(|(y, g)| y * f64::from(*g)).sum::<f64>();
    let found = operation.backward(&saved, views, View { shape: y.shape, values: &dy }, [true; N]);
    for (i, found) in found.iter().enumerate() {
        let mut difference = |k: usize| {
            let (x, h) = (at[i][k], 1e-5);
            let mut moved = |to: f64| {
                at[i][k] = to;
                objective(&at)
            };
            let slope = (moved(x + h) - moved(x - h)) / (2.0 * h);
            moved(x);
            slope
        };
        let wanted: Vec<f64> = (0..inputs[i].len()).map(&mut difference).collect();
        close(&format!("{what}, gradient {i}"), found.as_ref().unwrap(), &wanted, 1e-5);
    }

    let leaves: [_; N] = std::array::from_fn(|i| leaf(&tensor(shapes[i], inputs[i].clone())));
    let in_graph = apply(operation, leaves.each_ref());
    assert_eq!((in_graph.dims(), values(&in_graph)), (y.shape, y.values.clone()), "{what}");
    let mut gradients = (in_graph * constant(y.shape, dy.clone())).sum().backward();
    for (leaf, found) in leaves.iter().zip(found) {
        assert_eq!(view(&gradient(leaf, &mut gradients).unwrap()).values, found.unwrap(), "{what}, in the graph");
    }
}

#[test]
fn sums_relu_and_pooling() {
    for shape in [[1, 1, 1, 1], [3, 5, 1, 1], [2, 3, 4, 6], [3, 2, 7, 5]] {
        check(Relu, [shape], |[x]| x.iter().map(|x| x.max(0.0)).collect());
        let size = shape[2] * shape[3];
        check(Sum, [shape, shape], |[x, y]| x.iter().zip(y).map(|(x, y)| x + y).collect());
        check(Bias, [shape, [1, shape[1], 1, 1]], |[x, b]| {
            x.iter().enumerate().map(|(i, x)| x + b[i / size % shape[1]]).collect()
        });
        check(AveragePool, [shape], |[x]| x.chunks(size).map(|c| c.iter().sum::<f64>() / size as f64).collect());
        // Rows and columns beyond the last whole window are left out.
        for k in 1..=shape[2].min(shape[3]).min(3) {
            check(MaxPool { size: k }, [shape], |[x]| {
                let ([_, _, h, w], mut out) = (shape, vec![]);
                for plane in x.chunks(h * w) {
                    for (y, column) in (0..h / k).flat_map(|y| (0..w / k).map(move |c| (y, c))) {
                        let window = (0..k * k).map(|t| plane[(y * k + t / k) * w + column * k + t % k]);
                        out.push(window.fold(f64::NEG_INFINITY, f64::max));
                    }
                }
                out
            });
        }
    }
}

/// Normalisation of groups of `rows` samples by its definition.
fn normalized(x: &[f64], [n, channels, h, w]: Shape, rows: &[usize], scale: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let (mut out, mut first) = (x.to_vec(), 0);
    for rows in rows {
        for c in 0..channels {
            let own = |i: &usize| i / (h * w) % channels == c;
            let group: Vec<usize> = (first * channels * h * w..(first + rows) * channels * h * w).filter(own).collect();
            let mean = group.iter().map(|i| x[*i]).sum::<f64>() / group.len() as f64;
            let d: Vec<f64> = group.iter().map(|i| x[*i] - mean).collect();
            let divisor = scale(&d);
            group.iter().zip(d).for_each(|(i, d)| out[*i] = d / divisor);
        }
        first += rows;
    }
    assert_eq!(first, n);
    out
}

#[test]
fn batch_normalisation() {
    let (eps, factor) = (1e-2_f32, 0.75);
    let statistics = [Statistic::L2, Statistic::L1, Statistic::Linf, Statistic::Top(3), Statistic::Range];
    let scales = statistics.map(|statistic| Scale::Of { statistic, factor, half: None });
    for (shape, ghost, rows) in [
        ([2, 1, 1, 1], None, vec![2]),
        ([5, 3, 1, 1], None, vec![5]),
        ([5, 3, 1, 1], Some(2), vec![2, 3]),
        ([33, 37, 1, 1], Some(33), vec![33]),
        ([33, 37, 1, 1], Some(8), vec![6, 7, 6, 7, 7]),
        ([4, 3, 5, 7], Some(2), vec![2, 2]),
        ([3, 17, 2, 2], Some(2), vec![3]),
        ([1, 2, 6, 6], None, vec![1]),
    ] {
        let [_, channels, h, w] = shape;
        let vector = [1, channels, 1, 1];
        for scale in scales.into_iter().chain([Scale::One]) {
            check(
                BatchNorm { eps, scale, ghost, moments: Arc::default() },
                [shape, vector, vector],
                |[x, gamma, beta]| {
                    let divisor = |d: &[f64]| match scale {
                        Scale::Of { statistic, .. } => {
                            ((factor * statistic.published(d.len()) * statistic.value(d)).powi(2) + f64::from(eps))
                                .sqrt()
                        }
                        _ => 1.0,
                    };
                    let y = normalized(x, shape, &rows, divisor).into_iter().enumerate();
                    y.map(|(i, y)| gamma[i / (h * w) % channels] * y + beta[i / (h * w) % channels]).collect()
                },
            );
        }
    }
}

#[test]
fn weight_normalisation() {
    for shape in [[1, 1, 1, 1], [3, 40, 1, 1], [4, 3, 5, 5]] {
        check(WeightNorm, [shape, [1, shape[0], 1, 1]], |[v, g]| {
            let rows = v.chunks(v.len() / g.len()).zip(g);
            let scaled = |(v, g): (&[f64], &f64)| {
                let norm = v.iter().map(|v| v * v).sum::<f64>().sqrt();
                v.iter().map(|v| g / norm * v).collect::<Vec<f64>>()
            };
            rows.flat_map(scaled).collect()
        });
    }
}

#[test]
fn linear_layers() {
    let mut stream = Stream::new(4, &["linear"]);
    for ([n, c, h, w], outputs) in [([1, 1, 1, 1], 1), ([5, 7, 1, 1], 3), ([4, 2, 3, 5], 9), ([70, 130, 1, 1], 65)] {
        let (shape, inputs) = ([n, c, h, w], c * h * w);
        let [x, v] = [shape, [outputs, inputs, 1, 1]].map(|s| leaf(&tensor(s, normals(s, &mut stream))));
        let y = linear(&x, &v, Bifurcation::default());
        let dy = normals(y.dims(), &mut stream);
        let mut gradients = (y.clone() * constant(y.dims(), dy.clone())).sum().backward();
        let (at, weights, dy) = (wide(&values(&x)), wide(&values(&v)), wide(&dy));
        let [mut wanted, mut dx, mut dw] = [vec![0.0; n * outputs], vec![0.0; n * inputs], vec![0.0; weights.len()]];
        for (i, o, k) in (0..n * outputs).flat_map(|j| (0..inputs).map(move |k| (j / outputs, j % outputs, k))) {
            wanted[i * outputs + o] += at[i * inputs + k] * weights[o * inputs + k];
            dx[i * inputs + k] += dy[i * outputs + o] * weights[o * inputs + k];
            dw[o * inputs + k] += dy[i * outputs + o] * at[i * inputs + k];
        }
        close("linear", &values(&y), &wanted, 1e-5);
        close("dx", view(&gradient(&x, &mut gradients).unwrap()).values, &dx, 1e-5);
        close("dw", view(&gradient(&v, &mut gradients).unwrap()).values, &dw, 1e-5);
    }
}

#[test]
fn losses() {
    for [n, classes] in [[1, 2], [7, 10], [32, 3]] {
        let labels: Arc<Vec<u8>> = Arc::new((0..n).map(|i| (i * 5 % classes) as u8).collect());
        let rows = |y: &[f64], f: &dyn Fn(&[f64], usize) -> f64| {
            let sum = y.chunks(classes).zip(labels.iter()).map(|(row, l)| f(row, *l as usize)).sum::<f64>();
            vec![sum / n as f64]
        };
        let shape = [n, classes, 1, 1];
        check(CrossEntropy { labels: labels.clone(), noise: None }, [shape], |[y]| {
            rows(y, &|row, l| row.iter().map(|v| v.exp()).sum::<f64>().ln() - row[l])
        });
        check(SquaredHinge { labels: labels.clone() }, [shape], |[y]| {
            rows(y, &|row, l| {
                let slack = |(k, y): (usize, &f64)| (1.0 - if k == l { *y } else { -y }).max(0.0).powi(2);
                row.iter().enumerate().map(slack).sum::<f64>() / classes as f64
            })
        });
    }
    // Neither overflows nor underflows.
    let y = View { shape: [1, 3, 1, 1], values: &[1e4, -1e4, 0.0] };
    let (loss, slope) = CrossEntropy { labels: Arc::new(vec![1]), noise: None }.forward([y]);
    assert_eq!((loss.values[0], slope), (2e4, vec![1.0, -1.0, 0.0]));
}

/// Visits (output, input, weight) of every product in a convolution.
fn products(
    [n, c, h, w]: Shape,
    [o, _, k, _]: Shape,
    [stride, padding]: [usize; 2],
    mut visit: impl FnMut(usize, usize, usize),
) {
    let out = |side: usize| (side + 2 * padding - k) / stride + 1;
    let (oh, ow) = (out(h), out(w));
    for (i, f, ch, y, x) in indices([n, o, c, oh, ow]) {
        for t in 0..k * k {
            let (row, column) = (y * stride + t / k, x * stride + t % k);
            if (padding..padding + h).contains(&row) && (padding..padding + w).contains(&column) {
                let input = ((i * c + ch) * h + row - padding) * w + column - padding;
                visit(((i * o + f) * oh + y) * ow + x, input, (f * c + ch) * k * k + t);
            }
        }
    }
}

fn indices(sizes: [usize; 5]) -> impl Iterator<Item = (usize, usize, usize, usize, usize)> {
    (0..sizes.iter().product()).map(move |mut i| {
        let mut next = |size| (i % size, i /= size).0;
        let [e, d, c, b, a] = [sizes[4], sizes[3], sizes[2], sizes[1], sizes[0]].map(&mut next);
        (a, b, c, d, e)
    })
}

#[test]
fn convolution() {
    let (mut stream, mut shapes) = (Stream::new(2, &["convolution"]), 0);
    for k in 1..=5 {
        for (stride, padding) in (1..=3).flat_map(|s| (0..=2).map(move |p| (s, p))) {
            for (n, c, o, h, w) in
                [(1, 1, 1, 5, 5), (2, 3, 7, 6, 9), (9, 2, 9, 7, 5), (1, 17, 8, 12, 3), (3, 5, 16, 1, 4)]
            {
                if h.min(w) + 2 * padding < k {
                    continue;
                }
                shapes += 1;
                let (at, weights, operation) = ([n, c, h, w], [o, c, k, k], Convolution { stride, padding });
                let (x, v) = (normals(at, &mut stream), normals(weights, &mut stream));
                let inputs = [View { shape: at, values: &x }, View { shape: weights, values: &v }];
                let (y, ()) = operation.forward(inputs);
                let dy = normals(y.shape, &mut stream);
                let [mut wanted, mut dx, mut dw] = [vec![0.0; dy.len()], vec![0.0; x.len()], vec![0.0; v.len()]];
                products(at, weights, [stride, padding], |o, i, w| {
                    let [x, v, g] = [x[i], v[w], dy[o]].map(f64::from);
                    wanted[o] += x * v;
                    dx[i] += g * v;
                    dw[w] += g * x;
                });
                let what = format!("{operation:?} of {at:?} with {weights:?}");
                close(&what, &y.values, &wanted, 1e-5);
                let dy = View { shape: y.shape, values: &dy };
                for needed in [[true, true], [true, false], [false, true]] {
                    let [found_x, found_w] = operation.backward(&(), inputs, dy, needed);
                    assert_eq!([found_x.is_some(), found_w.is_some()], needed);
                    found_x.iter().for_each(|found| close(&format!("{what}, dx"), found, &dx, 1e-5));
                    found_w.iter().for_each(|found| close(&format!("{what}, dw"), found, &dw, 1e-5));
                }
            }
        }
    }
    assert!(shapes > 150, "{shapes}");
}

#[test]
fn binarisation_and_its_estimator() {
    let shape = [300, 1, 1, 7];
    let mut stream = Stream::new(3, &["binarisation"]);
    let (mut x, dy) = (normals(shape, &mut stream), normals(shape, &mut stream));
    x[..6].copy_from_slice(&[0.0, -0.0, 1.0, -1.0, 1.0 + f32::EPSILON, -1.0 - f32::EPSILON]);
    let (x, dy) = (View { shape, values: &x }, View { shape, values: &dy });
    let windowed: Vec<f32> =
        x.values.iter().zip(dy.values).map(|(x, g)| if x.abs() <= 1.0 { *g } else { 0.0 }).collect();
    let latent = tensor(shape, x.values.to_vec());
    let sign: Vec<f32> = x.values.iter().map(|x| if *x >= 0.0 { 1.0 } else { -1.0 }).collect();
    for seed in [None, Some(4), Some(5)] {
        for (window, wanted) in [(true, &windowed[..]), (false, dy.values)] {
            let operation = Sign { window, seed };
            assert_eq!(operation.backward(&(), [x], dy, [true]), [Some(wanted.to_vec())]);
            let (y, weight) = (operation.forward([x]).0.values, view(&binarized(&latent, seed)).values.to_vec());
            assert!(y == weight && (y == sign) == seed.is_none());
        }
    }
    // E y = clip(x, −1, 1).
    let draws = 400;
    let all = (0..draws).map(|s| Sign { window: true, seed: Some(s) }.forward([x]).0.values);
    let sums =
        all.fold(vec![0.0; x.values.len()], |sums: Vec<f32>, y| sums.iter().zip(y).map(|(s, y)| s + y).collect());
    let bias = sums.iter().zip(x.values).map(|(s, x)| f64::from(s / draws as f32 - x.clamp(-1.0, 1.0)));
    let (total, squares) = bias.fold((0.0, 0.0), |(a, b), d| (a + d, b + d * d));
    let (count, variance) =
        (x.values.len() as f64, x.values.iter().map(|x| 1.0 - f64::from(x.clamp(-1.0, 1.0)).powi(2)).sum::<f64>());
    assert!(total.abs() < 5.0 * (variance / draws as f64).sqrt(), "{total}");
    let ratio = squares * draws as f64 / variance;
    assert!((ratio - 1.0).abs() < 5.0 * (2.0 / count).sqrt(), "{ratio}");
}
