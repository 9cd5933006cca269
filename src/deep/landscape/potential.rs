use crate::math::dft::UnitaryDft;
use crate::math::random::Stream;

/// A potential on the sites −left.len() … right.len() with V(0) = 0.
#[derive(Debug, Clone, Default)]
pub struct Potential {
    /// V(−1), V(−2), …
    pub left: Vec<f64>,
    /// V(1), V(2), …
    pub right: Vec<f64>,
}

/// Fractional Gaussian noise: stationary normal numbers whose sums over n have variance n^(2H).
#[derive(Clone)]
pub struct FractionalNoise {
    dft: UnitaryDft,
    /// Square roots of the eigenvalues of the circulant covariance, packed.
    roots: Vec<f64>,
}

/// How high a half line has climbed above the lowest site passed.
struct Climb {
    low: f64,
    last: f64,
}

impl Climb {
    const START: Self = Self { low: 0.0, last: 0.0 };

    /// At the next site x: (V(x−1) + V(x))/2 − min V(0…x−1).
    fn step(&mut self, v: f64) -> f64 {
        let height = (self.last + v) / 2.0 - self.low;
        *self = Self { low: self.low.min(v), last: v };
        height
    }
}

impl Potential {
    /// Independent normal steps of standard deviation `amplitude`, on each side as far as the first wall of this height, and
    /// not beyond `reach` sites.
    pub fn brownian(amplitude: f64, height: f64, reach: usize, stream: &mut Stream) -> Self {
        let mut half = || {
            let (mut climb, mut v, mut half) = (Climb::START, 0.0, vec![]);
            while half.len() < reach {
                v += amplitude * stream.normal();
                half.push(v);
                if climb.step(v) >= height {
                    break;
                }
            }
            half
        };
        Self { left: half(), right: half() }
    }

    /// Sums of `amplitude` times fractional noise, as many sites on either side of the origin.
    pub fn fractional(amplitude: f64, noise: &mut FractionalNoise, stream: &mut Stream) -> Self {
        let steps = noise.sample(stream);
        let (left, right) = steps.split_at(steps.len() / 2);
        let sums = |steps: &mut dyn Iterator<Item = f64>| {
            let mut v = 0.0;
            let add = |step| {
                v += amplitude * step;
                v
            };
            steps.map(add).collect()
        };
        Self { left: sums(&mut left.iter().rev().map(|s| -s)), right: sums(&mut right.iter().copied()) }
    }

    /// On either side, how far from the origin the first wall of each height (ascending) is; `None` where there is none.
    ///
    /// P(the walk was at x before t) ≤ t·exp(−height): it has been at every site y on the way to x, and from there the expected
    /// number of jumps from x−1 to x is ∫₀ᵗ p_s(y, x−1) W(x−1 → x) ds ≤ t·exp(V(y) − (V(x−1) + V(x))/2), since detailed balance
    /// gives p_s(y, x) ≤ exp(V(y) − V(x)). The same holds at a random time of mean t that is independent of the walk.
    pub fn walls(&self, heights: &[f64]) -> Vec<[Option<usize>; 2]> {
        let mut walls = vec![[None; 2]; heights.len()];
        for (side, half) in [&self.left, &self.right].into_iter().enumerate() {
            let (mut climb, mut found) = (Climb::START, 0);
            for (x, v) in half.iter().enumerate() {
                let climbed = climb.step(*v);
                while found < heights.len() && climbed >= heights[found] {
                    walls[found][side] = Some(x + 1);
                    found += 1;
                }
            }
        }
        walls
    }

    /// The bottom of the valley of this depth around the origin (Golosov 1984, Kesten 1986): on either side the lowest site
    /// before the potential first climbs by `depth` (or ends); of the two, the one whose way there and out again is less high.
    pub fn valley(&self, depth: f64) -> isize {
        let half = |sites: &[f64]| {
            let (mut bottom, mut low, mut high, mut pass) = (0, 0.0, 0.0_f64, 0.0);
            for (x, v) in sites.iter().enumerate() {
                if *v < low {
                    (bottom, low, pass) = (x as isize + 1, *v, high);
                }
                high = high.max(*v);
                if v - low >= depth {
                    break;
                }
            }
            (bottom, pass.max(low + depth))
        };
        let ((left, over_left), (right, over_right)) = (half(&self.left), half(&self.right));
        if over_left < over_right { -left } else { right }
    }
}

impl FractionalNoise {
    /// `length` numbers with Hurst exponent `hurst` in (0, 1): covariance (|k+1|^(2H) − 2|k|^(2H) + |k−1|^(2H))/2 at distance k.
    ///
    /// It is that of the first half of a cycle of 2·`length` numbers, whose circulant covariance the Fourier transform makes
    /// diagonal, with no negative eigenvalue (Davies and Harte 1987; Craigmile 2003).
    pub fn new(hurst: f64, length: usize) -> Self {
        let cycle = 2 * length;
        let power = |k: usize| (k as f64).powf(2.0 * hurst);
        let covariance = |k: usize| (power(k + 1) - 2.0 * power(k) + power(k.abs_diff(1))) / 2.0;
        let row: Vec<f64> = (0..cycle).map(|k| covariance(k.min(cycle - k))).collect();
        let (mut dft, mut packed) = (UnitaryDft::new(&[cycle]), vec![0.0; cycle]);
        dft.analyze(&row, &mut packed);
        let bins = dft.bins();
        // What rounding leaves below zero is zero.
        let root = |b: usize| (bins.value(&packed, b).re * (cycle as f64).sqrt()).max(0.0).sqrt();
        let roots = (0..bins.count()).chain(bins.real..bins.count()).map(root).collect();
        Self { dft, roots }
    }

    /// The packed transform is orthogonal: independent normals times the roots, transformed back, have the cycle's covariance.
    pub fn sample(&mut self, stream: &mut Stream) -> Vec<f64> {
        let cycle = self.roots.len();
        let spectrum: Vec<f64> = self.roots.iter().map(|r| r * stream.normal()).collect();
        let mut signal = vec![0.0; cycle];
        self.dft.synthesize(&spectrum, &mut signal);
        signal.truncate(cycle / 2);
        signal
    }
}
