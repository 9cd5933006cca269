use super::{Regularizer, certified_gap};
use crate::error::{InputError, Result};
use crate::math::rows::Rows;
use clarabel::algebra::CscMatrix;
use clarabel::solver::{DefaultSettings, DefaultSolver, IPSolver, SolverStatus, SupportedConeT};

/// The minimum of a norm R(β) subject to ⟨zᵢ, β⟩ ≥ 1: an interior-point solution, independent of every solver here.
#[derive(Debug, Clone)]
pub struct Optimum {
    /// β*, scaled to margin one, in the coordinates of R.
    pub predictor: Vec<f64>,
    /// R(β*) at margin one.
    pub value: f64,
    /// Multipliers αᵢ ≥ 0 that sum to one.
    pub weights: Vec<f64>,
    /// Σ αᵢ zᵢ.
    pub dual: Vec<f64>,
    /// The certified gap of (β*, α): zero exactly at a KKT point, so this is the KKT residual.
    pub residual: f64,
}

/// min R(β) s.t. ⟨zᵢ, β⟩ ≥ 1 by Clarabel: a QP for one group (ℓ₂), an LP for single coordinates (ℓ₁), else a SOCP.
///
/// # Errors
/// If R is not a norm, or if the data are not linearly separable through the origin.
pub fn minimum_norm(rows: &Rows, regularizer: &Regularizer) -> Result<Optimum> {
    if !regularizer.is_norm() {
        return Err(InputError::new(format!(
            "the {} is not a norm: its minimum is not a convex problem",
            regularizer.name()
        )));
    }
    // Interior points want numbers of order one; a power of two costs no digit.
    let entry = (rows.largest_square() / rows.features() as f64).sqrt();
    let size = Some(entry.log2().round().exp2()).filter(|s| s.is_normal()).unwrap_or(1.0);
    let rows = &Rows::new(rows.data().iter().map(|z| z / size).collect(), rows.features());
    let program = Program::new(rows, regularizer);
    let settings = DefaultSettings {
        verbose: false,
        max_iter: 500,
        tol_gap_abs: 1e-14,
        tol_gap_rel: 1e-14,
        tol_feas: 1e-14,
        ..DefaultSettings::default()
    };
    let n = program.cost.len();
    let quadratic =
        CscMatrix::new_from_triplets(n, n, program.curvature.clone(), program.curvature, vec![1.0; program.quadratic]);
    let constraints =
        CscMatrix::new_from_triplets(program.bounds.len(), n, program.entries.0, program.entries.1, program.entries.2);
    let solved = DefaultSolver::new(&quadratic, &program.cost, &constraints, &program.bounds, &program.cones, settings)
        .map(|mut s| {
            s.solve();
            s.solution
        });
    let solution = solved.map_err(|e| InputError::new(format!("the convex oracle refused the problem: {e}")))?;
    let d = rows.features();
    let mut beta = solution.x[..d].to_vec();
    if program.split {
        beta.iter_mut().zip(&solution.x[d..2 * d]).for_each(|(p, m)| *p -= m);
    }
    let mut margins = vec![0.0; rows.samples()];
    rows.times(&beta, &mut margins);
    let margin = crate::math::sums::min(&margins);
    let infeasible = matches!(solution.status, SolverStatus::PrimalInfeasible | SolverStatus::AlmostPrimalInfeasible);
    if infeasible || margin.is_nan() || margin <= 0.0 {
        return Err(not_separable(rows, &solution.z[..rows.samples()]));
    }
    let total: f64 = solution.z[..rows.samples()].iter().map(|a| a.max(0.0)).sum();
    let weights: Vec<f64> = solution.z[..rows.samples()].iter().map(|a| a.max(0.0) / total).collect();
    beta.iter_mut().for_each(|b| *b /= margin);
    margins.iter_mut().for_each(|m| *m /= margin);
    let mut dual = vec![0.0; d];
    rows.combine(&weights, &mut dual);
    let residual = certified_gap(regularizer, &beta, &margins, &dual).unwrap_or(f64::NAN);
    beta.iter_mut().for_each(|b| *b /= size);
    dual.iter_mut().for_each(|r| *r *= size);
    Ok(Optimum { value: regularizer.value(&beta), predictor: beta, weights, dual, residual })
}

fn not_separable(rows: &Rows, multipliers: &[f64]) -> InputError {
    let most = multipliers.iter().copied().fold(0.0, f64::max);
    let involved = multipliers.iter().filter(|a| **a > 1e-6 * most).count();
    InputError::new(format!(
        "the data are not linearly separable by a predictor x ↦ ⟨x, β⟩ without a bias: a non-negative combination of {involved} of the {} \
         samples yᵢxᵢ vanishes, so no β has all margins positive and gradient descent has no max-margin limit. \
         Add a constant feature, use more features than samples, or drop mislabelled samples",
        rows.samples()
    ))
}

/// Clarabel's standard form: min ½xᵀPx + qᵀx s.t. Ax + s = b, s in the cones. The first cone holds ⟨zᵢ, β⟩ − 1 ≥ 0.
#[derive(Default)]
struct Program {
    cost: Vec<f64>,
    quadratic: usize,
    curvature: Vec<usize>,
    entries: (Vec<usize>, Vec<usize>, Vec<f64>),
    bounds: Vec<f64>,
    cones: Vec<SupportedConeT<f64>>,
    /// Whether x = (β⁺, β⁻, …).
    split: bool,
}

impl Program {
    fn new(rows: &Rows, regularizer: &Regularizer) -> Self {
        let (n, d) = (rows.samples(), rows.features());
        let groups = regularizer.groups();
        let mut program =
            Self { split: groups.len() > 1 && groups.iter().all(|(g, _)| g.len() == 1), ..Self::default() };
        for i in 0..n {
            for (k, &z) in rows.row(i).iter().enumerate() {
                program.entry(i, k, -z);
                if program.split {
                    program.entry(i, d + k, z);
                }
            }
        }
        program.close(SupportedConeT::NonnegativeConeT(n), n, -1.0);
        if groups.len() == 1 {
            program.cost = vec![0.0; d];
            program.quadratic = d;
            program.curvature = (0..d).collect();
        } else if program.split {
            program.cost = vec![0.0; 2 * d];
            for (g, c) in groups {
                (program.cost[g[0]], program.cost[d + g[0]]) = (*c, *c);
            }
            for k in 0..2 * d {
                program.entry(n + k, k, -1.0);
            }
            program.close(SupportedConeT::NonnegativeConeT(2 * d), 2 * d, 0.0);
        } else {
            program.cost = vec![0.0; d];
            program.cost.extend(groups.iter().map(|(_, c)| *c));
            for (t, (group, _)) in groups.iter().enumerate() {
                let row = program.bounds.len();
                program.entry(row, d + t, -1.0);
                for (k, &i) in group.iter().enumerate() {
                    program.entry(row + 1 + k, i, -1.0);
                }
                program.close(SupportedConeT::SecondOrderConeT(group.len() + 1), group.len() + 1, 0.0);
            }
        }
        program
    }

    fn entry(&mut self, row: usize, column: usize, value: f64) {
        self.entries.0.push(row);
        self.entries.1.push(column);
        self.entries.2.push(value);
    }

    fn close(&mut self, cone: SupportedConeT<f64>, rows: usize, bound: f64) {
        self.cones.push(cone);
        self.bounds.extend(vec![bound; rows]);
    }
}
