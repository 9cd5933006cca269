//! The convex oracle, certificates and KKT residuals against tests/fixtures/optima.json, duality and construction.

use crate::common::*;
use implicit_bias::data::generate::{Domain, gaussian, planted};
use implicit_bias::linear::network::{BinProduct, FullyConnected, Network, SharedScale};
use implicit_bias::linear::predicted::{Regularizer, bridge_kkt, certified_gap, minimum_norm, parameter_kkt};
use implicit_bias::math::dft::{Bins, UnitaryDft};
use implicit_bias::math::random::Stream;
use implicit_bias::math::rows::Rows;
use implicit_bias::math::sums::{max, min, softmax};
use nalgebra::{DMatrix, DVector};

const NORMS: [&str; 4] = ["l2", "spectral_l1", "l1", "group"];

/// Rows in the coordinates of a norm of the fixture, and the norm.
fn problem(norm: &str, z: &[f64], shape: &[usize]) -> (Rows, Regularizer) {
    let (mut dft, d) = (UnitaryDft::new(shape), shape.iter().product());
    let regularizer = match norm {
        "l2" => Regularizer::l2(d),
        "l1" => Regularizer::bridge(Bins::signal(d), 2),
        "group" => SharedScale::new(d, 3).regularizer().unwrap(),
        "spectral_l1" => Regularizer::bridge(dft.bins(), 2),
        other => panic!("{other}"),
    };
    let coordinates = |row: &[f64]| if norm == "spectral_l1" { analyze(&mut dft, row) } else { row.to_vec() };
    (Rows::new(z.chunks(d).flat_map(coordinates).collect(), d), regularizer)
}

/// Random separable problems: four norms of five shapes.
fn random_problems() -> impl Iterator<Item = (String, Rows, Regularizer)> {
    let shapes = [(&[12][..], 5), (&[15], 7), (&[3, 5], 4), (&[4, 6], 9), (&[9], 3)];
    shapes.into_iter().enumerate().flat_map(|(seed, (shape, samples))| {
        let z = gaussian(shape, samples, None, seed as u64).unwrap().signed_rows();
        NORMS.map(|norm| {
            let (rows, regularizer) = problem(norm, &z, shape);
            (format!("{norm} {shape:?}"), rows, regularizer)
        })
    })
}

#[test]
fn optima_are_those_of_cvxpy() {
    let fixture = fixture("optima.json");
    let mut tested = 0;
    for instance in fixture["instances"].as_array().unwrap() {
        let shape = counts(&instance["shape"]);
        for (norm_name, wanted) in instance["optima"].as_object().unwrap() {
            let place = format!("{} {norm_name}", instance["name"]);
            let (rows, regularizer) = problem(norm_name, &signed(instance), &shape);
            let found = minimum_norm(&rows, &regularizer).unwrap();
            let value = wanted["value"].as_f64().unwrap();
            assert!((found.value / value - 1.0).abs() < 1e-8, "{place}: value {}, not {value}", found.value);
            assert!(found.residual.abs() <= 1e-8, "{place}: residual {}", found.residual);
            let beta = if norm_name == "spectral_l1" {
                analyze(&mut UnitaryDft::new(&shape), &numbers(&wanted["beta"]))
            } else {
                numbers(&wanted["beta"])
            };
            let off = relative(&found.predictor, &beta);
            assert!(off < 1e-6, "{place}: predictor off by {off:.1e}");
            let alpha: Vec<f64> = found.weights.iter().map(|p| p * value).collect();
            let off = relative(&alpha, &numbers(&wanted["alpha"]));
            assert!(off < 1e-6, "{place}: multipliers off by {off:.1e}");
            tested += 1;
        }
    }
    assert_eq!(tested, 22);
}

#[test]
fn optima_satisfy_the_optimality_conditions() {
    let mut tested = 0;
    for (place, rows, regularizer) in random_problems() {
        let o = minimum_norm(&rows, &regularizer).unwrap();
        assert!((-1e-12..=1e-8).contains(&o.residual), "{place}: residual {}", o.residual);
        let m = margins(&rows, &o.predictor);
        assert!((min(&m) - 1.0).abs() < 1e-12 && (regularizer.value(&o.predictor) / o.value - 1.0).abs() < 1e-12);
        assert!(min(&o.weights) >= 0.0 && (o.weights.iter().sum::<f64>() - 1.0).abs() < 1e-12, "{place}: weights");
        let slack: f64 = o.weights.iter().zip(&m).map(|(p, m)| p * (m - 1.0)).sum();
        assert!(slack < 1e-7, "{place}: slackness {slack}");
        // Strong duality: the dual value is the primal one.
        assert!((o.value * regularizer.dual(&o.dual).unwrap() - 1.0).abs() < 1e-7, "{place}: duality gap");
        // Data of any size.
        for size in [1e-12, 1e9] {
            let other = Rows::new(rows.data().iter().map(|z| size * z).collect(), rows.features());
            let other = minimum_norm(&other, &regularizer).unwrap();
            assert!((other.value * size / o.value - 1.0).abs() < 1e-7, "{place}: times {size}");
        }
        tested += 1;
    }
    assert_eq!(tested, 20);
}

#[test]
fn dual_norms_are_suprema() {
    let mut stream = Stream::new(1, &["dual norm"]);
    for (place, rows, regularizer) in random_problems() {
        let r = stream.normals(rows.features());
        let dual = regularizer.dual(&r).unwrap();
        for _ in 0..200 {
            let beta = stream.normals(rows.features());
            assert!(dot(&r, &beta) <= dual * regularizer.value(&beta) * (1.0 + 1e-13), "{place}: not an upper bound");
        }
        let on = |group: &[usize]| (0..r.len()).map(|k| if group.contains(&k) { r[k] } else { 0.0 }).collect();
        let ratio = |beta: Vec<f64>| dot(&r, &beta) / regularizer.value(&beta);
        let attained = regularizer.groups().iter().map(|(g, _)| ratio(on(g))).fold(0.0, f64::max);
        assert!((attained / dual - 1.0).abs() < 1e-13, "{place}: {dual} is not attained, only {attained}");
    }
}

#[test]
fn certificates_bound_the_excess_of_any_predictor_with_any_weights() {
    let (mut stream, mut tested) = (Stream::new(2, &["certificates"]), 0);
    for (place, rows, regularizer) in random_problems() {
        let optimum = minimum_norm(&rows, &regularizer).unwrap();
        for k in 0..300 {
            // Near the optimum and far from it; weights near the oracle's and far from them.
            let spread = 10f64.powf(-8.0 * stream.uniform());
            let beta: Vec<f64> = optimum.predictor.iter().map(|b| b + spread * stream.normal()).collect();
            let logs: Vec<f64> = optimum
                .weights
                .iter()
                .map(|p| (p + 1e-300).ln() * (k % 2) as f64 + 9.0 * spread * stream.normal())
                .collect();
            let mut dual = vec![0.0; rows.features()];
            rows.combine(&softmax(&logs), &mut dual);
            // Weak duality: 1/R*(Σ p z) is below every R(β) at margin one.
            assert!(1.0 / regularizer.dual(&dual).unwrap() <= optimum.value * (1.0 + 1e-10), "{place}: weak duality");
            let m = margins(&rows, &beta);
            let Some(gap) = certified_gap(&regularizer, &beta, &m, &dual) else {
                assert!(min(&m) <= 0.0, "{place}: no gap, although the margins are positive");
                continue;
            };
            let excess = regularizer.value(&beta) / min(&m) / optimum.value - 1.0;
            assert!(gap >= -1e-12 && gap >= excess - 1e-8, "{place}: gap {gap}, excess {excess}");
            tested += 1;
        }
    }
    assert!(tested > 3000, "only {tested} predictors separate");
}

#[test]
fn data_that_cannot_be_separated_are_explained() {
    let mut stream = Stream::new(3, &["not separable"]);
    for norm in NORMS {
        // z and −z; then twelve times as many samples as features.
        let row = stream.normals(6);
        let opposite = [row.clone(), row.iter().map(|v| -v).collect(), stream.normals(6)].concat();
        for z in [opposite, stream.normals(72 * 6)] {
            let (rows, regularizer) = problem(norm, &z, &[6]);
            let message = minimum_norm(&rows, &regularizer).unwrap_err().to_string();
            assert!(message.contains("not linearly separable") && message.contains("constant feature"), "{message}");
        }
    }
    let (rows, _) = problem("l1", &stream.normals(24), &[8]);
    let message = minimum_norm(&rows, &Regularizer::bridge(Bins::signal(8), 3)).unwrap_err().to_string();
    assert!(message.contains("not a norm"), "{message}");
}

#[test]
fn kkt_residuals_vanish_at_the_optimum_and_only_there() {
    let mut stream = Stream::new(4, &["kkt"]);
    for (place, rows, regularizer) in random_problems() {
        let optimum = minimum_norm(&rows, &regularizer).unwrap();
        let at = bridge_kkt(&rows, &regularizer, &optimum.predictor).unwrap();
        assert!(at.residual <= 1e-6, "{place}: residual {}", at.residual);
        assert!(at.modulus_spread <= 1e-5 && at.phase_error <= 1e-5, "{place}: {at:?}");
        // A sample just above margin one counts as active, and then the multipliers need not be the only ones.
        let close = margins(&rows, &optimum.predictor).iter().any(|m| (1.0 + 1e-6..1.06).contains(m));
        assert!(at.slackness <= if close { 0.05 } else { 1e-5 }, "{place}: {at:?}");
        assert!(min(&at.multipliers) >= 0.0 && at.support >= 1, "{place}: {at:?}");
        let mut found = 0;
        while found < 5 {
            let beta: Vec<f64> =
                optimum.predictor.iter().map(|b| b + 0.3 * stream.normal() * max(&optimum.predictor)).collect();
            if let Some(kkt) = bridge_kkt(&rows, &regularizer, &beta) {
                assert!(kkt.residual > 0.01, "{place}: residual {} at a random point", kkt.residual);
                found += 1;
            } else {
                assert!(min(&margins(&rows, &beta)) <= 0.0);
            }
        }
    }
}

#[test]
fn balanced_parameters_of_the_optimum_are_stationary() {
    let data = gaussian(&[15], 6, None, 11).unwrap().signed_rows();
    let mut stream = Stream::new(5, &["parameters"]);
    for norm in NORMS {
        let (rows, regularizer) = problem(norm, &data, &[15]);
        let beta = minimum_norm(&rows, &regularizer).unwrap().predictor;
        let bins = if norm == "spectral_l1" { UnitaryDft::new(&[15]).bins() } else { Bins::signal(15) };
        let networks: Vec<(Box<dyn Network>, Vec<f64>)> = match norm {
            "l2" => (1..=4)
                .map(|l| (Box::new(FullyConnected::new(15, l, 3)) as _, balanced_fully_connected(l, 3, &beta)))
                .collect(),
            "group" => vec![(Box::new(SharedScale::new(15, 3)), balanced_groups(3, &beta))],
            _ => vec![(Box::new(BinProduct::new(bins, 2)), balanced_product(bins, 2, &beta))],
        };
        for (mut network, w) in networks {
            let residual = parameter_kkt(&rows, &mut *network, &w).unwrap();
            assert!(residual <= 1e-6, "{norm}, degree {}: {residual}", network.degree());
            let moved: Vec<f64> = w.iter().map(|w| w + 0.05 * stream.normal()).collect();
            let elsewhere = parameter_kkt(&rows, &mut *network, &moved);
            assert!(elsewhere.is_none_or(|r| r > 1e-2), "{norm}: {elsewhere:?} at a random point");
        }
    }
}

#[test]
fn constructed_stationary_points_of_every_depth_have_no_residual() {
    let mut stream = Stream::new(7, &["stationary"]);
    for (bins, depth) in [UnitaryDft::new(&[13]).bins(), UnitaryDft::new(&[4, 4]).bins(), Bins::signal(12)]
        .into_iter()
        .flat_map(|bins| (2..=5).map(move |depth| (bins, depth)))
    {
        let (regularizer, samples, d) = (Regularizer::bridge(bins, depth), 3, bins.features());
        let p = regularizer.exponent();
        // β on half of the groups, r the gradient of R(β)^p/p there and anything elsewhere.
        let (mut beta, mut r) = (vec![0.0; d], stream.normals(d));
        for (group, c) in regularizer.groups().iter().step_by(2) {
            group.iter().for_each(|&j| beta[j] = stream.normal());
            let size = norm(&group.iter().map(|&j| beta[j]).collect::<Vec<_>>());
            group.iter().for_each(|&j| r[j] = c * size.powf(p - 2.0) * beta[j]);
        }
        // Rows with margin one and Σ αᵢ zᵢ = r for some α > 0.
        let mut alpha: Vec<f64> = (0..samples).map(|_| 0.5 + stream.uniform()).collect();
        let scale = dot(&r, &beta) / alpha.iter().sum::<f64>();
        alpha.iter_mut().for_each(|a| *a *= scale);
        let mut z = DMatrix::from_vec(d, samples, stream.normals(d * samples));
        let (b, a) = (DVector::from_vec(beta.clone()), DVector::from_vec(alpha));
        for mut row in z.column_iter_mut() {
            let excess = (row.dot(&b) - 1.0) / b.norm_squared();
            row.axpy(-excess, &b, 1.0);
        }
        let missing = (DVector::from_vec(r) - &z * &a) / a.norm_squared();
        z += missing * a.transpose();

        let rows = Rows::new(z.as_slice().to_vec(), d);
        let kkt = bridge_kkt(&rows, &regularizer, &beta).unwrap();
        let laws = [kkt.residual, kkt.modulus_spread, kkt.phase_error, kkt.slackness].map(f64::abs);
        assert!(max(&laws) < 1e-9, "{bins:?} depth {depth}: {kkt:?}");
        assert_eq!(kkt.support, regularizer.groups().len().div_ceil(2));
        let w = balanced_product(bins, depth, &beta);
        let residual = parameter_kkt(&rows, &mut BinProduct::new(bins, depth), &w).unwrap();
        assert!(residual < 1e-9, "{bins:?} depth {depth}: {residual} in the parameters");
        // The same point is not stationary for another depth.
        let other = bridge_kkt(&rows, &Regularizer::bridge(bins, depth + 1), &beta).unwrap();
        assert!(other.residual > 1e-3 && other.modulus_spread > 1e-3, "{bins:?} depth {}: {other:?}", depth + 1);
    }
}

#[test]
fn planted_answers_are_found() {
    let cases = [(&[24][..], 4, 0.3), (&[31], 5, 0.9), (&[6, 5], 3, 0.0), (&[4, 8], 6, 0.7)];
    for (domain, name) in [(Domain::Spectrum, "spectral_l1"), (Domain::Signal, "l1")] {
        for (shape, active, certificate) in cases {
            // As many samples as active bins: the multipliers are then the only ones, and so is the certificate.
            let data = planted(shape, active, active, certificate, domain, 21).unwrap();
            let (rows, regularizer) = problem(name, &data.signed_rows(), shape);
            let planted = data.planted.unwrap();
            let found = minimum_norm(&rows, &regularizer).unwrap();
            let wanted = match domain {
                Domain::Spectrum => analyze(&mut UnitaryDft::new(shape), &planted.predictor),
                Domain::Signal => planted.predictor,
            };
            assert!(relative(&found.predictor, &wanted) < 1e-6, "{name} {shape:?}: predictor");
            let (sizes, certificates) = (regularizer.group_norms(&wanted), regularizer.dual_certificates(&found.dual));
            let top = max(&certificates);
            let off: Vec<f64> = (0..sizes.len()).filter(|&g| sizes[g] < 1e-9).map(|g| certificates[g] / top).collect();
            assert_eq!(off.len(), sizes.len() - active, "{name} {shape:?}: bins off the support");
            assert!((max(&off) - planted.certificate).abs() < 1e-6, "{name} {shape:?}: ρ = {}", max(&off));
            assert_eq!(planted.certificate, certificate);
            let alpha: Vec<f64> = found.weights.iter().map(|p| p * found.value).collect();
            assert!(relative(&alpha, &planted.multipliers) < 1e-6, "{name} {shape:?}: multipliers");
        }
    }
}
