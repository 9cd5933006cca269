use serde::{Deserialize, Serialize};
use std::f64::consts::{LN_2, PI};

/// How the scale of n numbers dᵢ = xᵢ − μ is estimated (hoffer2018, section 4; `Range`: banner2018, section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Statistic {
    /// √(Σ dᵢ²/n).
    #[default]
    L2,
    /// C·Σ |dᵢ|/n.
    L1,
    /// C·max |dᵢ|.
    Linf,
    /// C·(mean of the k largest |dᵢ|).
    Top(usize),
    /// C·(max dᵢ − min dᵢ).
    Range,
}

impl Statistic {
    /// C: L1 √(π/2), of the half-normal mean; L∞ and top-k the factor of hoffer2018's code, ½(1 + √(π ln 4))/√(2 ln n), which is
    /// some 40 % too large for normal numbers; range 1/√(2 ln n), as banner2018 prints it, which tends to twice the scale.
    pub fn published(self, n: usize) -> f64 {
        let extreme = (2.0 * (n.max(2) as f64).ln()).sqrt();
        match self {
            Self::L2 => 1.0,
            Self::L1 => (PI / 2.0).sqrt(),
            Self::Linf | Self::Top(_) => 0.5 * (1.0 + (PI * 2.0 * LN_2).sqrt()) / extreme,
            Self::Range => 1.0 / extreme,
        }
    }
}
