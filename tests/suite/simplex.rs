//! The implicit part of a flow step: Gram matrices, their Cholesky factor, the entropic problem over the simplex.

use crate::common::*;
use implicit_bias::math::gram::{Cholesky, Gram};
use implicit_bias::math::random::Stream;
use implicit_bias::math::simplex::EntropicSimplex;
use implicit_bias::math::sums::{log_sum_exp, max, softmax};
use nalgebra::{DMatrix, DVector};

/// argmin over the simplex of Σ p log p/κ + ⟨m, p⟩ + (Δ/2) pᵀBBᵀp for rows B of `width`.
struct Problem {
    m: Vec<f64>,
    rows: Vec<f64>,
    width: usize,
    delta: f64,
    kappa: f64,
}

/// How far p is from the answer, judged without the solver.
struct Misfit {
    /// KL(p, softmax(−κ(m + ΔAp)))/κ: by convexity the objective is at most this much above its minimum.
    gap: f64,
    /// Largest |log pᵢ − log softmaxᵢ| where pᵢ > 1e-9.
    awake: f64,
    /// Largest softmaxᵢ where pᵢ ≤ 1e-9.
    asleep: f64,
    /// ‖ΔAp‖_∞ or 1/κ, the size of the objective's terms.
    scale: f64,
}

impl Problem {
    fn gram(&self) -> Gram {
        let mut gram = Gram::default();
        gram.reset(self.m.len());
        gram.add(self.rows.chunks(self.width), None, 1.0);
        gram
    }

    /// −κ(m + ΔAp), from the rows themselves.
    fn logits(&self, p: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.width];
        for (row, p) in self.rows.chunks(self.width).zip(p) {
            row.iter().zip(&mut sum).for_each(|(b, s)| *s += p * b);
        }
        let ahead = self.rows.chunks(self.width).zip(&self.m).map(|(row, m)| m + self.delta * dot(row, &sum));
        ahead.map(|a| -self.kappa * a).collect()
    }

    fn misfit(&self, log_p: &[f64]) -> Misfit {
        let p: Vec<f64> = log_p.iter().map(|l| l.exp()).collect();
        let logits = self.logits(&p);
        let total = log_sum_exp(logits.iter().copied());
        let off: Vec<f64> = log_p.iter().zip(&logits).map(|(l, q)| l - (q - total)).collect();
        let pull = logits.iter().zip(&self.m).map(|(q, m)| (q / -self.kappa - m).abs()).fold(0.0, f64::max);
        let awake = off.iter().zip(&p).filter(|(_, p)| **p > 1e-9).map(|(o, _)| o.abs());
        let asleep = logits.iter().zip(&p).filter(|(_, p)| **p <= 1e-9).map(|(q, _)| (q - total).exp());
        Misfit {
            gap: p.iter().zip(&off).filter(|(p, _)| **p > 0.0).map(|(p, o)| p * o).sum::<f64>() / self.kappa,
            awake: awake.fold(0.0, f64::max),
            asleep: asleep.fold(0.0, f64::max),
            scale: pull.max(1.0 / self.kappa),
        }
    }
}

/// Gram matrices of full and half rank, of rank one and three and zero, one with a sample far away.
fn problems(sizes: &[usize], kappas: &[f64], stream: &mut Stream) -> Vec<(String, Problem)> {
    let mut all = vec![];
    for (n, kind) in sizes.iter().flat_map(|n| (0..6).map(move |k| (*n, k))) {
        let (name, width) =
            [("full", 2 * n), ("half", n.div_ceil(2)), ("one", 1), ("three", 3), ("far", n), ("zero", n)][kind];
        // κΔA up to 1e7: beyond, the null space of A is lost in rounding. A flow has κ ≤ 1e8 and ΔA below 0.2 margins.
        for (kappa, delta) in kappas.iter().flat_map(|k| [1e-6, 1e-4, 1e-2, 0.1, 1.0, 10.0].map(|d| (*k, d))) {
            for spread in [0.0, 1.0 / kappa, 1.0].into_iter().filter(|_| kappa * delta < 2e7) {
                let scale = if name == "zero" { 0.0 } else { 1.0 / (width as f64).sqrt() };
                let mut m: Vec<f64> = stream.normals(n).iter().map(|x| 0.3 + spread * x).collect();
                m[n / 2] += if name == "far" { 1e3 } else { 0.0 };
                let rows = stream.normals(n * width).iter().map(|x| scale * x).collect();
                let place = format!("{name}, N = {n}, κ = {kappa:e}, Δ = {delta:e}, spread {spread:e}");
                all.push((place, Problem { m, rows, width, delta, kappa }));
            }
        }
    }
    all
}

#[test]
fn weights_are_the_softmax_of_the_margins_at_the_end_of_the_step() {
    let (mut stream, mut solver) = (Stream::new(1, &["simplex"]), EntropicSimplex::default());
    let (mut solved, mut iterations, mut again) = (0, 0, 0);
    for (place, mut problem) in problems(&[2, 3, 8, 17, 64], &[1.0, 1e2, 1e4, 1e6, 1e8], &mut stream) {
        let (n, gram) = (problem.m.len(), problem.gram());
        let drawn = softmax(&stream.normals(n).iter().map(|x| 5.0 * x).collect::<Vec<_>>());
        let even = vec![-(n as f64).ln(); n];
        let one = (0..n).map(|i| if i + 1 == n { 0.0 } else { -600.0 }).collect();
        for (start, mut log_p) in [("even", even), ("one", one), ("drawn", drawn.iter().map(|p| p.ln()).collect())] {
            let mut check = |problem: &Problem, log_p: &mut [f64]| {
                let taken = solver.solve(&problem.m, &gram, problem.delta, problem.kappa, log_p);
                let off = problem.misfit(log_p);
                let place = format!("{place} from {start}, {taken} iterations");
                assert!(taken < 60, "{place}");
                let sum: f64 = log_p.iter().map(|l| l.exp()).sum();
                assert!((sum - 1.0).abs() < 1e-12, "{place}: Σ p − 1 = {:.1e}", sum - 1.0);
                // The solver's tolerance is 1e-9 of the scale in logits/κ; rounding there is 1e-16 of the margins.
                let rounding = 1e-15 * (1.0 + max(&problem.m));
                assert!(off.gap.abs() < 1e-9 * off.scale + rounding, "{place}: gap {:.1e}", off.gap);
                let allowed = problem.kappa * (4e-9 * off.scale + rounding);
                assert!(off.awake < allowed, "{place}: log p off by {:.1e}, {allowed:.1e} allowed", off.awake);
                assert!(off.asleep < 1e-8, "{place}: a sample of weight {:.1e} sleeps", off.asleep);
                taken
            };
            iterations += check(&problem, &mut log_p);
            // From there, margins a little further.
            problem.m.iter_mut().for_each(|m| *m += 0.1 / problem.kappa * stream.normal());
            again += check(&problem, &mut log_p);
            solved += 1;
        }
    }
    let (cold, warm) = (iterations as f64 / solved as f64, again as f64 / solved as f64);
    assert!(solved > 5000 && cold < 15.0 && warm < 5.0, "{solved} problems, {cold} and {warm} iterations");
}

#[test]
fn weights_are_those_of_a_slow_method() {
    let (mut stream, mut solver, mut tested) = (Stream::new(2, &["slow"]), EntropicSimplex::default(), 0);
    for (place, problem) in problems(&[2, 7, 16], &[1.0, 10.0, 100.0, 1000.0], &mut stream) {
        let n = problem.m.len();
        // Mirror descent: p ← p^(1−a)·exp(−aκ(m + ΔAp)), a contraction where a(1 + κΔ‖A‖) ≤ 1.
        let trace: f64 = problem.delta * dot(&problem.rows, &problem.rows);
        let a = 1.0 / (1.0 + problem.kappa * trace);
        if a < 2e-3 {
            continue;
        }
        let mut slow = vec![0.0; n];
        for _ in 0..(40.0 / a) as usize {
            let logits = problem.logits(&softmax(&slow));
            slow.iter_mut().zip(&logits).for_each(|(l, q)| *l += a * (q - *l));
        }
        let mut log_p = vec![-(n as f64).ln(); n];
        solver.solve(&problem.m, &problem.gram(), problem.delta, problem.kappa, &mut log_p);
        let p: Vec<f64> = log_p.iter().map(|l| l.exp()).collect();
        let off = relative(&p, &softmax(&slow));
        assert!(off < 1e-7, "{place}: off by {off:.1e}");
        tested += 1;
    }
    assert!(tested > 400, "{tested}");
}

fn matrix(rows: &[f64], n: usize, root: Option<&[f64]>) -> DMatrix<f64> {
    let mut b = DMatrix::from_row_slice(n, rows.len() / n, rows);
    for (mut column, r) in b.column_iter_mut().zip(root.into_iter().flatten()) {
        column *= *r;
    }
    &b * b.transpose()
}

#[test]
fn gram_matrices_and_their_factors_are_nalgebras() {
    let (mut stream, mut gram, mut factor) = (Stream::new(3, &["gram"]), Gram::default(), Cholesky::default());
    // Sizes go down and up again, so that old entries are met; the last is cut over threads.
    let sizes = (1..=70).rev().chain(1..=9).map(|n| (n, [1, 2, 5, 16, 33, 71][n % 6])).chain([(70, 2000)]);
    for (n, d) in sizes {
        let (first, second) = (stream.normals(n * d), stream.normals(n * (d + 3)));
        // Weights over many decades; what is below 1e-16 of the largest may be left out.
        let root: Vec<f64> = (0..d).map(|k| 10f64.powf(-12.0 * stream.uniform() * (k % 2) as f64)).collect();
        gram.reset(n);
        gram.add(first.chunks(d), Some(&root), 2.0);
        gram.add(second.chunks(d + 3), None, 0.5);
        let wanted = 2.0 * matrix(&first, n, Some(&root)) + 0.5 * matrix(&second, n, None);
        let size = wanted.diagonal().max();
        let lower = (0..n).flat_map(|i| (0..=i).map(move |j| (i, j)));
        let off = lower.map(|(i, j)| (gram.at(i, j) - wanted[(i, j)]).abs()).fold(0.0, f64::max);
        assert!(off < 1e-15 * (d + 9) as f64 * size && gram.size() == n, "{n}, {d}: entries off by {off:.1e}");

        let x = stream.normals(n);
        let (mut product, vector) = (vec![f64::NAN; n], DVector::from_column_slice(&x));
        gram.times(&x, &mut product);
        let off = relative(&product, (&wanted * &vector).as_slice());
        assert!(off < 1e-13 * (n + d) as f64, "{n}, {d}: A x off by {off:.1e}");

        let shifted = &wanted + size * DMatrix::identity(n, n);
        assert!(factor.factor(n, |i, j| gram.at(i, j) + if i == j { size } else { 0.0 }));
        let mut solution = x.clone();
        factor.solve(&mut solution);
        let off = relative(&solution, shifted.cholesky().unwrap().solve(&vector).as_slice());
        assert!(off < 1e-14 * (n + d) as f64, "{n}, {d}: A⁻¹ x off by {off:.1e}");
        let least = wanted.symmetric_eigenvalues().min();
        let indefinite = |i: usize, j: usize| gram.at(i, j) - if i == j { least + 1e-9 * size } else { 0.0 };
        assert!(!factor.factor(n, indefinite) && !factor.factor(n, |_, _| f64::NAN), "{n}: not positive definite");
    }
}
