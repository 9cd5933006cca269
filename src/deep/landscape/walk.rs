//! The distribution of the walk's position, without following a walker.
//!
//! A walker in a valley of depth h makes some e^h jumps before it leaves, so that simulating events ends near t = 10^6. The
//! distribution itself needs none of them. At a random time with a Γ(n, t/n) law, which has mean t and spreads ln t by about
//! 1/√n, it is (I − (t/n) Qᵀ)^(−n) δ₀, Q being the generator: n tridiagonal systems, whatever t is.
//! Each is an M-matrix with column sums 1, so that elimination needs no subtraction (Grassmann, Taksar and Heyman 1985) and
//! every probability is right to rounding, relative to itself.

use super::Potential;
use multiversion::multiversion;

/// Environments that are solved side by side, as one vector of the processor.
pub const LANES: usize = 8;

/// A number for each of these environments.
pub type Lanes = [f64; LANES];

/// How a walk is observed.
#[derive(Debug, Clone, Copy)]
pub struct Walk {
    /// n: the clock rings when n exponential waiting times of mean t/n are over.
    pub stages: u32,
    /// The most probability that may reach a wall.
    pub tail: f64,
}

/// Of one environment at one time.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    /// E|x|.
    pub distance: f64,
    /// E x².
    pub square: f64,
    /// The probability to have reached a wall or the end of the potential. The walk is stopped there: were it not, the
    /// probability of any event would differ by at most this.
    pub stopped: f64,
}

/// Probabilities of the sites `first`, `first` + 1, …; the outermost are walls, which keep what reaches them.
#[derive(Debug, Clone)]
pub struct Distribution {
    /// The left wall of the widest environment.
    pub first: isize,
    /// Site by site.
    pub probability: Vec<Lanes>,
}

/// The factors of I − s·Qᵀ, in [`LANES`] environments.
pub struct Relaxation {
    forward: Vec<Lanes>,
    backward: Vec<Lanes>,
    inverse: Vec<Lanes>,
}

impl Relaxation {
    /// `up[x]` and `down[x]` are s times the rates from x to x+1 and x−1: zero where the walk does not go.
    pub fn new(up: &[Lanes], down: &[Lanes]) -> Self {
        let mut factors = Self { forward: up.to_vec(), backward: down.to_vec(), inverse: up.to_vec() };
        factor(&mut factors);
        factors
    }

    /// p ← (I − s·Qᵀ)^(−1) p: the distribution after an exponential waiting time of mean s.
    pub fn apply(&self, p: &mut [Lanes]) {
        substitute(&self.forward, &self.backward, &self.inverse, p);
    }
}

/// Elimination leaves of column x the pivot d_x = up_x + e_x with e_x = 1 + down_x·e_{x−1}/d_{x−1}, all terms positive.
#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn factor(Relaxation { forward, backward, inverse }: &mut Relaxation) {
    let mut kept = [0.0; LANES];
    for x in 0..forward.len() {
        let (up, down) = (forward[x], backward[x]);
        for l in 0..LANES {
            let rest = 1.0 + down[l] * kept[l];
            inverse[x][l] = 1.0 / (up[l] + rest);
            kept[l] = rest * inverse[x][l];
            forward[x][l] = up[l] * inverse[x][l];
        }
        if x > 0 {
            for l in 0..LANES {
                backward[x - 1][l] = down[l] * inverse[x - 1][l];
            }
        }
    }
    if let Some(last) = backward.last_mut() {
        *last = [0.0; LANES];
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl", "x86_64+avx2"))]
fn substitute(forward: &[Lanes], backward: &[Lanes], inverse: &[Lanes], p: &mut [Lanes]) {
    // Denormal numbers cost a hundred times as much and decide nothing.
    const NOTHING: f64 = 1e-290;
    let mut carry = [0.0; LANES];
    for (p, forward) in p.iter_mut().zip(forward) {
        for l in 0..LANES {
            p[l] += carry[l];
            carry[l] = if p[l] < NOTHING { 0.0 } else { p[l] * forward[l] };
        }
    }
    let mut next = [0.0; LANES];
    for ((p, backward), inverse) in p.iter_mut().zip(backward).zip(inverse).rev() {
        for l in 0..LANES {
            let v = p[l] * inverse[l] + next[l] * backward[l];
            next[l] = if v < NOTHING { 0.0 } else { v };
            p[l] = next[l];
        }
    }
}

impl Walk {
    /// How high a wall is for mean time t: half of the tail for each of the two.
    pub fn height(self, t: f64) -> f64 {
        (2.0 * t / self.tail).ln()
    }

    /// E|x| and the like in each environment, at ascending times.
    pub fn moments(self, environments: &[Potential], times: &[f64]) -> Vec<Vec<Moments>> {
        let mut order: Vec<usize> = (0..environments.len()).collect();
        order.sort_by_key(|&i| environments[i].left.len() + environments[i].right.len());
        let mut all = vec![vec![]; environments.len()];
        // Neighbours in size go side by side.
        for group in order.chunks(LANES) {
            let sites = Sites::new(group.iter().map(|&i| &environments[i]).collect(), times, self);
            for time in 0..times.len() {
                let found = self.spread(&sites, time).moments(&sites.walls[time]);
                group.iter().zip(found).for_each(|(&i, m)| all[i].push(m));
            }
        }
        all
    }

    /// The distribution of one walk at mean time t, in the first lane.
    pub fn distribution(self, environment: &Potential, t: f64) -> Distribution {
        self.spread(&Sites::new(vec![environment], &[t], self), 0)
    }

    fn spread(self, sites: &Sites, time: usize) -> Distribution {
        let mean = sites.times[time] / f64::from(self.stages);
        let [left, right] = [0, 1].map(|side| sites.walls[time].iter().map(|w| w[side]).max().unwrap_or(0));
        let start = sites.left - left;
        let rates = |rate: &[Lanes]| -> Vec<Lanes> {
            let scaled = |(i, rate): (usize, &Lanes)| {
                let mut scaled = rate.map(|r| mean * r);
                for (r, [wall_left, wall_right]) in scaled.iter_mut().zip(&sites.walls[time]) {
                    // Site x = i − left; a wall keeps what reaches it.
                    let inside = i + wall_left > left && i < left + wall_right;
                    *r = if inside { *r } else { 0.0 };
                }
                scaled
            };
            rate[start..start + left + right + 1].iter().enumerate().map(scaled).collect()
        };
        let stage = Relaxation::new(&rates(&sites.up), &rates(&sites.down));
        let mut probability = vec![[0.0; LANES]; left + right + 1];
        probability[left] = [1.0; LANES];
        (0..self.stages).for_each(|_| stage.apply(&mut probability));
        Distribution { first: -(left as isize), probability }
    }
}

impl Distribution {
    fn moments(&self, walls: &[[usize; 2]]) -> Vec<Moments> {
        let mut sums = [[0.0; LANES]; 2];
        for (i, p) in self.probability.iter().enumerate() {
            let x = (i as f64 + self.first as f64).abs();
            for l in 0..LANES {
                sums[0][l] += x * p[l];
                sums[1][l] += x * x * p[l];
            }
        }
        let at = |lane: usize, x: isize| self.probability[(x - self.first) as usize][lane];
        let moments = |(lane, [left, right]): (usize, &[usize; 2])| Moments {
            distance: sums[0][lane],
            square: sums[1][lane],
            stopped: at(lane, -(*left as isize)) + at(lane, *right as isize),
        };
        walls.iter().enumerate().map(moments).collect()
    }
}

/// Up to [`LANES`] environments: rates site by site around the origin, and where their walls are.
struct Sites<'a> {
    times: &'a [f64],
    /// Index of the origin.
    left: usize,
    up: Vec<Lanes>,
    down: Vec<Lanes>,
    /// For each time and lane, how far the walls are on the left and on the right.
    walls: Vec<Vec<[usize; 2]>>,
}

impl<'a> Sites<'a> {
    fn new(environments: Vec<&Potential>, times: &'a [f64], walk: Walk) -> Self {
        let heights: Vec<f64> = times.iter().map(|t| walk.height(*t)).collect();
        let mut walls = vec![vec![]; times.len()];
        for environment in &environments {
            let ends = [environment.left.len(), environment.right.len()];
            for (walls, found) in walls.iter_mut().zip(environment.walls(&heights)) {
                walls.push([0, 1].map(|side| found[side].unwrap_or(ends[side])));
            }
        }
        let [left, right] = [0, 1].map(|side| walls.iter().flatten().map(|w| w[side]).max().unwrap_or(0));
        let mut up = vec![[0.0; LANES]; left + right + 1];
        let mut down = up.clone();
        for (lane, environment) in environments.iter().enumerate() {
            for (side, half) in [&environment.left, &environment.right].into_iter().enumerate() {
                let (mut site, mut before) = (left, 0.0);
                for v in &half[..walls.last().map_or(0, |last| last[lane][side])] {
                    let next = if side == 0 { site - 1 } else { site + 1 };
                    let outwards = ((before - v) / 2.0_f64).exp();
                    let (out, back) = if side == 0 { (&mut down, &mut up) } else { (&mut up, &mut down) };
                    (out[site][lane], back[next][lane]) = (outwards, 1.0 / outwards);
                    (site, before) = (next, *v);
                }
            }
        }
        Self { times, left, up, down, walls }
    }
}
