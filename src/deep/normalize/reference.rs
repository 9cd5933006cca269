use super::Statistic;

/// The normalisation of one channel in f64, y = γ·d/√(s² + ε) + β with d = x − mean x and s = C·(statistic of d): written for
/// reading, as the reference for the f32 operation and for exact experiments.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reference {
    /// What estimates the scale.
    pub statistic: Statistic,
    /// C.
    pub factor: f64,
    /// Added to s².
    pub eps: f64,
}

/// Gradients of a loss.
#[derive(Debug, Clone, PartialEq)]
pub struct Pullback {
    /// With respect to x.
    pub input: Vec<f64>,
    /// With respect to γ.
    pub scale: f64,
    /// With respect to β.
    pub shift: f64,
}

/// x − mean x.
pub fn centred(x: &[f64]) -> Vec<f64> {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    x.iter().map(|x| x - mean).collect()
}

impl Statistic {
    /// The statistic of d, without C.
    pub fn value(self, d: &[f64]) -> f64 {
        let n = d.len() as f64;
        let largest = |d: &[f64]| d.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        match self {
            Self::L2 => (d.iter().map(|d| d * d).sum::<f64>() / n).sqrt(),
            Self::L1 => d.iter().map(|d| d.abs()).sum::<f64>() / n,
            Self::Linf => d.iter().fold(0.0, |m, d| m.max(d.abs())),
            Self::Top(k) => {
                let (mut sizes, k) = (sizes(d), k.clamp(1, d.len()));
                sizes.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a));
                sizes[..k].iter().sum::<f64>() / k as f64
            }
            Self::Range => {
                let negated: Vec<f64> = d.iter().map(|d| -d).collect();
                largest(d) + largest(&negated)
            }
        }
    }

    /// The gradient of the statistic with respect to d; numbers that tie for an extreme share it equally.
    pub fn gradient(self, d: &[f64]) -> Vec<f64> {
        let n = d.len() as f64;
        let sign = |d: f64| if d == 0.0 { 0.0 } else { d.signum() };
        match self {
            Self::L2 => {
                let s = self.value(d);
                d.iter().map(|d| d / (n * s)).collect()
            }
            Self::L1 => d.iter().map(|d| sign(*d) / n).collect(),
            Self::Linf => Self::Top(1).gradient(d),
            Self::Top(k) => {
                let k = k.clamp(1, d.len());
                top(&sizes(d), k).iter().zip(d).map(|(share, d)| share / k as f64 * sign(*d)).collect()
            }
            Self::Range => {
                let negated: Vec<f64> = d.iter().map(|d| -d).collect();
                top(d, 1).iter().zip(top(&negated, 1)).map(|(high, low)| high - low).collect()
            }
        }
    }
}

fn sizes(d: &[f64]) -> Vec<f64> {
    d.iter().map(|d| d.abs()).collect()
}

/// How much of each number is among the k largest: 1 or 0, and an equal share for those that tie for the last places.
fn top(a: &[f64], k: usize) -> Vec<f64> {
    let mut sorted = a.to_vec();
    let last = *sorted.select_nth_unstable_by(k - 1, |a, b| b.total_cmp(a)).1;
    let count = |f: fn(&f64, &f64) -> bool| a.iter().filter(|a| f(a, &last)).count() as f64;
    let share = (k as f64 - count(|a, b| a > b)) / count(|a, b| a == b);
    let among = |a: &f64| match a.total_cmp(&last) {
        _ if *a == last => share,
        std::cmp::Ordering::Greater => 1.0,
        _ => 0.0,
    };
    a.iter().map(among).collect()
}

impl Reference {
    /// With the factor published for n numbers.
    pub fn published(statistic: Statistic, n: usize, eps: f64) -> Self {
        Self { statistic, factor: statistic.published(n), eps }
    }

    /// √(s² + ε).
    fn scale(&self, d: &[f64]) -> f64 {
        ((self.factor * self.statistic.value(d)).powi(2) + self.eps).sqrt()
    }

    /// y.
    pub fn forward(&self, x: &[f64], gamma: f64, beta: f64) -> Vec<f64> {
        let d = centred(x);
        let scale = self.scale(&d);
        d.iter().map(|d| gamma * (d / scale) + beta).collect()
    }

    /// The gradients of a loss whose gradient with respect to y is `g`.
    ///
    /// With v = s² + ε and q = ∂s²/∂d it is γ(gᵢ/√v − ½ v^{−3/2} (Σ g d) qᵢ) with respect to dᵢ, and its mean is taken off for x.
    pub fn pullback(&self, x: &[f64], gamma: f64, g: &[f64]) -> Pullback {
        let d = centred(x);
        let scale = self.scale(&d);
        let inner: f64 = g.iter().zip(&d).map(|(g, d)| g * d).sum::<f64>() / scale;
        // ½ q/√v is this times the gradient of the statistic.
        let turn = self.factor.powi(2) * self.statistic.value(&d) / scale;
        let direct = g.iter().zip(self.statistic.gradient(&d));
        let towards: Vec<f64> = direct.map(|(g, s)| gamma * (g - inner * turn * s) / scale).collect();
        Pullback { input: centred(&towards), scale: inner, shift: g.iter().sum() }
    }
}
