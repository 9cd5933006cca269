use crate::math::dft::Bins;
use crate::math::sums::norm;

/// R(β) = (Σ_g c_g ‖β_g‖₂^p)^{1/p}: every regulariser that theory predicts here is of this form.
///
/// One group: ‖β‖₂ (fully connected). Single coordinates: ‖β‖_p (diagonal). Bins of the packed spectrum, where a conjugate
/// pair counts twice: ‖β̂‖_p (convolutional). p = 2/L; a norm where p = 1 or where there is one group only.
#[derive(Debug, Clone)]
pub struct Regularizer {
    name: String,
    groups: Vec<(Vec<usize>, f64)>,
    p: f64,
}

impl Regularizer {
    /// Groups of coordinates with their weights c_g > 0, and 0 < p ≤ 1.
    pub fn new(name: &str, groups: Vec<(Vec<usize>, f64)>, p: f64) -> Self {
        Self { name: name.into(), groups, p }
    }

    /// ‖β‖₂.
    pub fn l2(features: usize) -> Self {
        Self::new("l2 norm", vec![((0..features).collect(), 1.0)], 1.0)
    }

    /// ‖·‖_{2/L} over bins, in the units of the spectrum.
    pub fn bridge(bins: Bins, depth: usize) -> Self {
        if depth == 1 {
            return Self::l2(bins.features());
        }
        let p = 2.0 / depth as f64;
        let single = (0..bins.real).map(|b| (vec![b], 1.0));
        // 2·|β̂|^p with |β̂| = |packed|/√2.
        let pairs = (bins.real..bins.count()).map(|b| (vec![b, b + bins.pairs], 2f64.powf(1.0 - p / 2.0)));
        let domain = if bins.pairs > 0 { "Fourier " } else { "" };
        let name =
            if depth == 2 { format!("{domain}l1 norm") } else { format!("{domain}l_{{2/{depth}}} bridge penalty") };
        Self::new(&name, single.chain(pairs).collect(), p)
    }

    /// What it is called, e.g. "Fourier l1 norm".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The exponent p.
    pub fn exponent(&self) -> f64 {
        self.p
    }

    /// Groups of coordinates and their weights.
    pub fn groups(&self) -> &[(Vec<usize>, f64)] {
        &self.groups
    }

    /// Whether R is a norm, so that its minimum is a convex problem and gaps can be certified.
    pub fn is_norm(&self) -> bool {
        self.p == 1.0 || self.groups.len() == 1
    }

    /// ‖β_g‖₂ of every group.
    pub fn group_norms(&self, beta: &[f64]) -> Vec<f64> {
        self.groups
            .iter()
            .map(|(g, _)| match **g {
                [i] => beta[i].abs(),
                [i, j] => beta[i].hypot(beta[j]),
                _ => norm(&g.iter().map(|&i| beta[i]).collect::<Vec<_>>()),
            })
            .collect()
    }

    /// R(β).
    pub fn value(&self, beta: &[f64]) -> f64 {
        let norms = self.group_norms(beta);
        let max = norms.iter().copied().fold(0.0, f64::max);
        if max == 0.0 || !max.is_finite() {
            return max;
        }
        max * norms
            .iter()
            .zip(&self.groups)
            .map(|(n, (_, c))| c * (n / max).powf(self.p))
            .sum::<f64>()
            .powf(1.0 / self.p)
    }

    /// The dual norm R*(r), where R is a norm.
    pub fn dual(&self, r: &[f64]) -> Option<f64> {
        let ratio = |(n, (_, c)): (f64, &(Vec<usize>, f64))| n / c.powf(1.0 / self.p);
        self.is_norm().then(|| self.group_norms(r).into_iter().zip(&self.groups).map(ratio).fold(0.0, f64::max))
    }

    /// ‖r_g‖/c_g of every group: at the optimum, relative to the largest, the dual certificate ρ of each bin.
    pub fn dual_certificates(&self, r: &[f64]) -> Vec<f64> {
        self.group_norms(r).into_iter().zip(&self.groups).map(|(n, (_, c))| n / c).collect()
    }
}
